-- SPDX-License-Identifier: AGPL-3.0-or-later
-- 0001: users, their numbers, trunks, and calls both live and finished.
-- A migration that has been released is never edited: write the next one.

CREATE TABLE users (
	jid TEXT NOT NULL PRIMARY KEY CHECK (jid <> ''),
	enabled INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
	created INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE numbers (
	number TEXT NOT NULL PRIMARY KEY CHECK (number <> ''),
	user TEXT NOT NULL REFERENCES users (jid) ON UPDATE CASCADE ON DELETE RESTRICT,
	caller_id INTEGER NOT NULL DEFAULT 0 CHECK (caller_id IN (0, 1)),
	created INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX numbers_by_user ON numbers (user, created, number);
-- A user shows one number at most.
CREATE UNIQUE INDEX numbers_one_caller_id ON numbers (user) WHERE caller_id = 1;

CREATE TABLE trunks (
	name TEXT NOT NULL PRIMARY KEY CHECK (name <> ''),
	host TEXT NOT NULL CHECK (host <> ''),
	port INTEGER NOT NULL DEFAULT 0 CHECK (port BETWEEN 0 AND 65535),
	transport TEXT NOT NULL DEFAULT 'udp',
	username TEXT,
	password TEXT,
	realm TEXT,
	sources TEXT NOT NULL DEFAULT '',
	in_username TEXT,
	in_password TEXT,
	priority INTEGER NOT NULL DEFAULT 10,
	enabled INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
	wait_for_media INTEGER NOT NULL DEFAULT 1 CHECK (wait_for_media IN (0, 1)),
	ring_seconds INTEGER NOT NULL DEFAULT 120 CHECK (ring_seconds > 0),
	created INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Times are microseconds since 1970; 0 means not yet.  No reference to users
-- or trunks: a record outlives both.
CREATE TABLE calls (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	state TEXT NOT NULL,
	started_us INTEGER NOT NULL,
	answered_us INTEGER NOT NULL DEFAULT 0,
	ended_us INTEGER NOT NULL DEFAULT 0,
	caller TEXT,
	callee TEXT,
	user TEXT,
	caller_plugin TEXT,
	callee_plugin TEXT,
	trunk TEXT,
	legs TEXT,
	reason TEXT,
	text TEXT,
	ended_by TEXT,
	stats TEXT,
	ladder TEXT
) STRICT;

CREATE INDEX calls_live ON calls (id) WHERE ended_us = 0;
