-- SPDX-License-Identifier: AGPL-3.0-or-later
-- 0024: the clock by which old records are deleted.

-- One row: when something old was last looked for, by a clock that had not jumped; s since 1970.
CREATE TABLE prune_clock (id INTEGER PRIMARY KEY CHECK (id = 1), trusted INTEGER NOT NULL) STRICT;
