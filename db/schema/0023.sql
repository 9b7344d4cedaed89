-- SPDX-License-Identifier: AGPL-3.0-or-later
-- 0023: what a call costs, and what a program or a URL is told of the calls that have ended.

-- price: of a minute, in 1/10000 of the currency, by the route that the call took; 0: none.
ALTER TABLE calls ADD COLUMN price INTEGER NOT NULL DEFAULT 0 CHECK (price >= 0);
ALTER TABLE calls ADD COLUMN currency TEXT;
-- Of all calls of the account, in 1/10000 of the currency.
ALTER TABLE usage ADD COLUMN cost INTEGER NOT NULL DEFAULT 0;

DROP TRIGGER usage_update;
DROP TRIGGER usage_insert;
DROP VIEW usage_of_call;
CREATE VIEW usage_of_call AS SELECT
	id, user AS account, strftime('%Y-%m', started_us / 1000000, 'unixepoch', 'localtime') AS month,
	substr(caller, 1, length(user)) = user AS is_out, answered_us > 0 AS answered,
	CASE WHEN answered_us > 0 THEN (ended_us - answered_us + 999999) / 1000000 ELSE 0 END AS seconds,
	CASE WHEN answered_us > 0 THEN (price * ((ended_us - answered_us) / 1000) + 30000) / 60000
		ELSE 0 END AS cost
	FROM calls WHERE user IS NOT NULL AND ended_us > 0 AND count = 0;
CREATE TRIGGER usage_update AFTER UPDATE OF ended_us ON calls
	WHEN old.ended_us = 0 AND new.ended_us > 0 AND new.user IS NOT NULL AND new.count = 0
BEGIN
	INSERT INTO usage (account, month, out_calls, out_answered, out_seconds, cost,
		in_calls, in_answered, in_seconds)
		SELECT account, month, is_out, is_out AND answered,
		CASE WHEN is_out THEN seconds ELSE 0 END, cost, NOT is_out,
		NOT is_out AND answered, CASE WHEN is_out THEN 0 ELSE seconds END
		FROM usage_of_call WHERE id = new.id
		ON CONFLICT (account, month) DO UPDATE SET
		out_calls = out_calls + excluded.out_calls,
		out_answered = out_answered + excluded.out_answered,
		out_seconds = out_seconds + excluded.out_seconds,
		cost = cost + excluded.cost,
		in_calls = in_calls + excluded.in_calls,
		in_answered = in_answered + excluded.in_answered,
		in_seconds = in_seconds + excluded.in_seconds;
END;
CREATE TRIGGER usage_insert AFTER INSERT ON calls
	WHEN new.ended_us > 0 AND new.user IS NOT NULL AND new.count = 0
BEGIN
	INSERT INTO usage (account, month, out_calls, out_answered, out_seconds, cost,
		in_calls, in_answered, in_seconds)
		SELECT account, month, is_out, is_out AND answered,
		CASE WHEN is_out THEN seconds ELSE 0 END, cost, NOT is_out,
		NOT is_out AND answered, CASE WHEN is_out THEN 0 ELSE seconds END
		FROM usage_of_call WHERE id = new.id
		ON CONFLICT (account, month) DO UPDATE SET
		out_calls = out_calls + excluded.out_calls,
		out_answered = out_answered + excluded.out_answered,
		out_seconds = out_seconds + excluded.out_seconds,
		cost = cost + excluded.cost,
		in_calls = in_calls + excluded.in_calls,
		in_answered = in_answered + excluded.in_answered,
		in_seconds = in_seconds + excluded.in_seconds;
END;

-- As before, with two columns at the end.
DROP VIEW cdr;
CREATE VIEW cdr AS SELECT
	id,
	strftime('%Y-%m-%dT%H:%M:%SZ', started_us / 1000000, 'unixepoch') AS started,
	CASE WHEN answered_us > 0
		THEN strftime('%Y-%m-%dT%H:%M:%SZ', answered_us / 1000000, 'unixepoch') END AS answered,
	CASE WHEN ended_us > 0
		THEN strftime('%Y-%m-%dT%H:%M:%SZ', ended_us / 1000000, 'unixepoch') END AS ended,
	CASE WHEN answered_us > 0 AND ended_us > 0
		THEN (ended_us - answered_us + 999999) / 1000000 ELSE 0 END AS seconds,
	CASE WHEN trunk IS NULL THEN 'internal'
		WHEN substr(caller, 1, length(user)) = user THEN 'out' ELSE 'in' END AS direction,
	caller, callee, user AS account, trunk, state, reason, text AS sentence, ended_by,
	max(count, 1) AS times,
	CASE WHEN answered_us > 0 AND ended_us > 0
		THEN (price * ((ended_us - answered_us) / 1000) + 30000) / 60000 / 10000.0
		ELSE 0.0 END AS cost,
	currency
	FROM calls;

-- One row while there is a hook: its target.
CREATE TABLE hook (target TEXT NOT NULL) STRICT;

-- What it has not taken yet, in the order in which the calls ended: rows of cdr, as they were.
CREATE TABLE hook_queue (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	queued INTEGER NOT NULL, -- s since 1970
	call INTEGER NOT NULL,
	started TEXT, answered TEXT, ended TEXT,
	seconds INTEGER,
	direction TEXT, caller TEXT, callee TEXT, account TEXT, trunk TEXT,
	state TEXT, reason TEXT, sentence TEXT, ended_by TEXT,
	times INTEGER,
	cost REAL,
	currency TEXT
) STRICT;
CREATE INDEX hook_queue_by_call ON hook_queue (call);

-- In the transaction that says that the call has ended, so that neither is there alone.
CREATE TRIGGER hook_update AFTER UPDATE OF ended_us ON calls
	WHEN old.ended_us = 0 AND new.ended_us > 0 AND new.count = 0
		AND EXISTS (SELECT 1 FROM hook)
BEGIN
	INSERT INTO hook_queue SELECT NULL, CAST(strftime('%s', 'now') AS INTEGER), id, started,
		answered, ended, seconds, direction, caller, callee, account, trunk, state, reason,
		sentence, ended_by, times, cost, currency FROM cdr WHERE id = new.id;
END;
CREATE TRIGGER hook_insert AFTER INSERT ON calls
	WHEN new.ended_us > 0 AND new.count = 0 AND EXISTS (SELECT 1 FROM hook)
BEGIN
	INSERT INTO hook_queue SELECT NULL, CAST(strftime('%s', 'now') AS INTEGER), id, started,
		answered, ended, seconds, direction, caller, callee, account, trunk, state, reason,
		sentence, ended_by, times, cost, currency FROM cdr WHERE id = new.id;
END;
