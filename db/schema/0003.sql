-- SPDX-License-Identifier: AGPL-3.0-or-later
-- 0003: what a user may choose.  The keys, their checks and defaults stand in
-- b2bua/setting.c; a key without a row has its default.

CREATE TABLE settings (
	user TEXT NOT NULL REFERENCES users (jid) ON UPDATE CASCADE ON DELETE CASCADE,
	key TEXT NOT NULL CHECK (key <> ''),
	value TEXT NOT NULL,
	PRIMARY KEY (user, key)
) STRICT, WITHOUT ROWID;
