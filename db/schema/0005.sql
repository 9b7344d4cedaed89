-- SPDX-License-Identifier: AGPL-3.0-or-later
-- 0005: which users have which numbers in their rosters, so that they are sent
-- the numbers' presence again after a restart of the gateway (RFC 6121 3.1).

CREATE TABLE subscribers (
	number TEXT NOT NULL CHECK (number <> ''),
	user TEXT NOT NULL REFERENCES users (jid) ON UPDATE CASCADE ON DELETE CASCADE,
	created INTEGER NOT NULL,
	PRIMARY KEY (user, number)
) STRICT, WITHOUT ROWID;
