-- SPDX-License-Identifier: AGPL-3.0-or-later
-- 0020: records are found by whom, number, trunk, reason and time; what is summed up by month;
-- a view that stays as it is for who reads the file.

CREATE INDEX calls_by_time ON calls (started_us);
CREATE INDEX calls_by_user ON calls (user) WHERE user IS NOT NULL;
CREATE INDEX calls_by_caller ON calls (caller);
CREATE INDEX calls_by_callee ON calls (callee);
CREATE INDEX calls_by_trunk ON calls (trunk) WHERE trunk IS NOT NULL;
CREATE INDEX calls_by_reason ON calls (reason) WHERE reason IS NOT NULL;
-- Neither a person ended it nor did one say no: REASONS_FINE in db/call_search.c.
CREATE INDEX calls_failed ON calls (id) WHERE reason IS NOT NULL AND reason NOT IN
	('hangup', 'cancelled', 'busy', 'declined', 'no-answer', 'answered-elsewhere', 'transferred');

-- By account and month of the machine's clock: kept when the records are old.
CREATE TABLE usage (
	account TEXT NOT NULL CHECK (account <> ''),
	month TEXT NOT NULL, -- "2026-11"
	out_calls INTEGER NOT NULL DEFAULT 0,
	out_answered INTEGER NOT NULL DEFAULT 0,
	out_seconds INTEGER NOT NULL DEFAULT 0,
	in_calls INTEGER NOT NULL DEFAULT 0,
	in_answered INTEGER NOT NULL DEFAULT 0,
	in_seconds INTEGER NOT NULL DEFAULT 0,
	PRIMARY KEY (account, month)
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_by_month ON usage (month);

-- One row of a call: what it adds.
CREATE VIEW usage_of_call AS SELECT
	id, user AS account, strftime('%Y-%m', started_us / 1000000, 'unixepoch', 'localtime') AS month,
	substr(caller, 1, length(user)) = user AS is_out, answered_us > 0 AS answered,
	CASE WHEN answered_us > 0 THEN (ended_us - answered_us + 999999) / 1000000 ELSE 0 END AS seconds
	FROM calls WHERE user IS NOT NULL AND ended_us > 0 AND count = 0;

INSERT INTO usage SELECT account, month,
	sum(is_out), sum(is_out AND answered), sum(CASE WHEN is_out THEN seconds ELSE 0 END),
	sum(NOT is_out), sum(NOT is_out AND answered), sum(CASE WHEN is_out THEN 0 ELSE seconds END)
	FROM usage_of_call GROUP BY account, month;

-- The row says it once that it has ended, however often it is written.
CREATE TRIGGER usage_update AFTER UPDATE OF ended_us ON calls
	WHEN old.ended_us = 0 AND new.ended_us > 0 AND new.user IS NOT NULL AND new.count = 0
BEGIN
	INSERT INTO usage SELECT account, month, is_out, is_out AND answered,
		CASE WHEN is_out THEN seconds ELSE 0 END, NOT is_out, NOT is_out AND answered,
		CASE WHEN is_out THEN 0 ELSE seconds END
		FROM usage_of_call WHERE id = new.id
		ON CONFLICT (account, month) DO UPDATE SET
		out_calls = out_calls + excluded.out_calls,
		out_answered = out_answered + excluded.out_answered,
		out_seconds = out_seconds + excluded.out_seconds,
		in_calls = in_calls + excluded.in_calls,
		in_answered = in_answered + excluded.in_answered,
		in_seconds = in_seconds + excluded.in_seconds;
END;
CREATE TRIGGER usage_insert AFTER INSERT ON calls
	WHEN new.ended_us > 0 AND new.user IS NOT NULL AND new.count = 0
BEGIN
	INSERT INTO usage SELECT account, month, is_out, is_out AND answered,
		CASE WHEN is_out THEN seconds ELSE 0 END, NOT is_out, NOT is_out AND answered,
		CASE WHEN is_out THEN 0 ELSE seconds END
		FROM usage_of_call WHERE id = new.id
		ON CONFLICT (account, month) DO UPDATE SET
		out_calls = out_calls + excluded.out_calls,
		out_answered = out_answered + excluded.out_answered,
		out_seconds = out_seconds + excluded.out_seconds,
		in_calls = in_calls + excluded.in_calls,
		in_answered = in_answered + excluded.in_answered,
		in_seconds = in_seconds + excluded.in_seconds;
END;

-- Documented in docs/operating.md: columns are only ever added, at the end.
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
	max(count, 1) AS times
	FROM calls;
