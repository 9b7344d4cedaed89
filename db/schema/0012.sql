-- SPDX-License-Identifier: AGPL-3.0-or-later
-- 0012: how long each account has talked abroad, on its last day that it did.

CREATE TABLE abroad (
	account TEXT NOT NULL PRIMARY KEY CHECK (account <> ''),
	day TEXT NOT NULL, -- of the machine's clock, "2026-11-28"
	seconds INTEGER NOT NULL CHECK (seconds >= 0)
) STRICT, WITHOUT ROWID;
