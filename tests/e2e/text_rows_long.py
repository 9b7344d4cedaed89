# SPDX-License-Identifier: AGPL-3.0-or-later
"""The rows of text_rows.py and text_clients.py at full length, for texts.py."""
import text_clients
import text_rows


def test_kills(bench):
    text_rows.kills(bench, 10000, 20)


def test_kills_ejabberd(bench):
    bench.ejabberd()
    text_rows.kills(bench, 10000, 20)


def test_locked(bench):
    text_rows.locked(bench, 100, 30)


def test_full(bench):
    text_rows.full(bench, 100, 30)


def test_outage(bench):
    text_rows.outage(bench, 500, 60)


def test_carriers(bench):
    text_rows.carriers(bench)


def test_client_webrtc(bench):
    text_clients.kills(bench, text_clients.Webrtc)


def test_client_webrtc_ejabberd(bench):
    bench.ejabberd()
    text_clients.kills(bench, text_clients.Webrtc)


def test_client_page(bench):
    text_clients.kills(bench, text_clients.Page)


def test_client_dino(bench):
    text_clients.kills(bench, text_clients.Dino)


def test_client_linphone(bench):
    text_clients.kills(bench, text_clients.Linphone)


def test_client_baresip(bench):
    text_clients.kills(bench, text_clients.Baresip)
