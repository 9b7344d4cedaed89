-- SPDX-License-Identifier: AGPL-3.0-or-later
-- 0008: which numbers may be called, and by which carriers.

-- target: "+49" and longer is the beginning of a number, "112" a short code as it
-- is dialled, "premium" and the like a class of numbers, "default" all others.
-- trunks: names in the order tried; '' is every enabled trunk by its priority.
CREATE TABLE routes (
	target TEXT NOT NULL PRIMARY KEY CHECK (target <> ''),
	allowed INTEGER NOT NULL CHECK (allowed IN (0, 1)),
	trunks TEXT NOT NULL DEFAULT '',
	cost INTEGER NOT NULL DEFAULT 0 CHECK (cost BETWEEN 0 AND 9),
	created INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What fraud is made of.  Who wants to call them deletes the rule.
INSERT INTO routes (target, allowed, cost, created) VALUES
	('premium', 0, 9, 0), ('satellite', 0, 9, 0);
