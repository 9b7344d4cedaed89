-- SPDX-License-Identifier: AGPL-3.0-or-later
-- 0019: what each account and trunk has used of its limits in this hour and on this day, what
-- a call costs, and, until the daemon has read it, whom each account called before.

-- owner: a bare JID, or "trunk NAME".  span: 0 is the hour, 1 the day; period: which one, by the
-- machine's clock (2026112814, 20261128).  cost is money: 1/10000 of the currency a minute,
-- times milliseconds.  more: how often the person has said yes to as much again; stopped: the
-- person has said no.
CREATE TABLE guard_use (
	owner TEXT NOT NULL CHECK (owner <> ''),
	span INTEGER NOT NULL CHECK (span IN (0, 1)),
	period INTEGER NOT NULL,
	home_ms INTEGER NOT NULL DEFAULT 0,
	abroad_ms INTEGER NOT NULL DEFAULT 0,
	premium_ms INTEGER NOT NULL DEFAULT 0,
	home_calls INTEGER NOT NULL DEFAULT 0,
	abroad_calls INTEGER NOT NULL DEFAULT 0,
	premium_calls INTEGER NOT NULL DEFAULT 0,
	cost INTEGER NOT NULL DEFAULT 0,
	countries INTEGER NOT NULL DEFAULT 0,
	more INTEGER NOT NULL DEFAULT 0,
	stopped INTEGER NOT NULL DEFAULT 0,
	PRIMARY KEY (owner, span)
) STRICT, WITHOUT ROWID;

INSERT INTO guard_use (owner, span, period, abroad_ms)
	SELECT account, 1, CAST(replace(day, '-', '') AS INTEGER), seconds * 1000 FROM abroad;
DELETE FROM abroad;

-- 1/10000 of the currency a minute.
ALTER TABLE routes ADD COLUMN price INTEGER NOT NULL DEFAULT 0 CHECK (price >= 0);

-- Nobody who calls abroad now is asked again: the numbers of the last 90 days, and those that
-- calls are sent on to.  The daemon makes countries of them, and empties this.
CREATE TABLE guard_learn (
	account TEXT NOT NULL,
	number TEXT NOT NULL,
	PRIMARY KEY (account, number)
) STRICT, WITHOUT ROWID;

INSERT OR IGNORE INTO guard_learn (account, number)
	SELECT DISTINCT user, callee FROM calls
	WHERE answered_us > 0 AND callee LIKE '+%' AND trunk IS NOT NULL
		AND user IN (SELECT jid FROM users)
		AND started_us > (CAST(strftime('%s', 'now') AS INTEGER) - 90 * 86400) * 1000000;
INSERT OR IGNORE INTO guard_learn (account, number)
	SELECT user, value FROM settings WHERE key LIKE 'forward-%' AND value LIKE '+%';
