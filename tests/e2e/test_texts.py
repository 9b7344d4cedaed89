# SPDX-License-Identifier: AGPL-3.0-or-later
"""Texts between people who chat and telephones, while things die: text_rows.py, in short."""
import text_rows
from harness import needs_build, slow


@needs_build("sanitized")
@slow
def test_texts_through_three_kills(bench):
    text_rows.kills(bench, 1000, 3)


@slow
def test_texts_while_the_database_is_locked(bench):
    text_rows.locked(bench, 10, 5)


@slow
def test_texts_while_the_disk_is_full(bench):
    text_rows.full(bench, 10, 5)


@slow
def test_texts_while_the_xmpp_server_is_away(bench):
    text_rows.outage(bench, 50, 3)


@slow
def test_texts_and_the_habits_of_carriers(bench):
    text_rows.carriers(bench)
