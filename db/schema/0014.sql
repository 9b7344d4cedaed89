-- SPDX-License-Identifier: AGPL-3.0-or-later
-- 0014: what no numbering plan knows, and what a carrier is told to do.

-- "other": numbers that their country has not given out, or for no ordinary telephone
-- (+882, +883, wrong lengths).  "star": codes with * or #, such as *72, a forward in the
-- carrier's network.  Who wants them deletes the rule, or adds one for the code itself.
INSERT OR IGNORE INTO routes (target, allowed, cost, created) VALUES
	('other', 0, 9, 0), ('star', 0, 9, 0);
