-- SPDX-License-Identifier: AGPL-3.0-or-later
-- 0004: what a carrier wants, and how it is watched.

-- proxy: the outbound proxy, "host" or "host:port"; '' is the host itself.
ALTER TABLE trunks ADD COLUMN proxy TEXT NOT NULL DEFAULT '';
-- account: the user part of our address of record there; '' is the username.
ALTER TABLE trunks ADD COLUMN account TEXT NOT NULL DEFAULT '';
ALTER TABLE trunks ADD COLUMN registers INTEGER NOT NULL DEFAULT 0 CHECK (registers IN (0, 1));
-- Where the caller's number is shown: From alone, or a header besides.
ALTER TABLE trunks ADD COLUMN caller_id TEXT NOT NULL DEFAULT 'pai'
	CHECK (caller_id IN ('from', 'pai', 'rpid', 'account'));
-- Names of codecs, the wanted one first; '' is all there are.
ALTER TABLE trunks ADD COLUMN codecs TEXT NOT NULL DEFAULT '';
-- Silence after an INVITE until the next trunk is tried.
ALTER TABLE trunks ADD COLUMN response_seconds INTEGER NOT NULL DEFAULT 5
	CHECK (response_seconds > 0);
-- 0: no OPTIONS, no session timer.
ALTER TABLE trunks ADD COLUMN options_seconds INTEGER NOT NULL DEFAULT 60
	CHECK (options_seconds >= 0);
ALTER TABLE trunks ADD COLUMN session_seconds INTEGER NOT NULL DEFAULT 1800
	CHECK (session_seconds >= 0);
ALTER TABLE trunks ADD COLUMN follow_redirects INTEGER NOT NULL DEFAULT 0
	CHECK (follow_redirects IN (0, 1));
