# SPDX-License-Identifier: AGPL-3.0-or-later
"""The rows of text_rows.py at full length, for texts.py."""
import text_rows


def test_kills(bench):
    text_rows.kills(bench, 10000, 20)


def test_locked(bench):
    text_rows.locked(bench, 100, 30)


def test_full(bench):
    text_rows.full(bench, 100, 30)


def test_outage(bench):
    text_rows.outage(bench, 500, 60)


def test_carriers(bench):
    text_rows.carriers(bench)
