-- SPDX-License-Identifier: AGPL-3.0-or-later
-- 0022: text messages, each of the ways that a text takes, and what routes say of texts.

-- source: "trunk NAME", or the bare JID of the author; origin: what the author calls the text.
-- author and addressee are accounts, or NULL; device is the author's; peer is whom the author has
-- written to, as b2bua/text/text_address.c writes addresses.  Times are seconds since 1970.
CREATE TABLE texts (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	source TEXT NOT NULL CHECK (source <> ''),
	origin TEXT NOT NULL CHECK (origin <> ''),
	taken INTEGER NOT NULL,
	written INTEGER NOT NULL,
	direction TEXT NOT NULL CHECK (direction IN ('in', 'out', 'internal')),
	author TEXT,
	addressee TEXT,
	device TEXT,
	trunk TEXT,
	sender TEXT NOT NULL,
	recipient TEXT NOT NULL,
	peer TEXT NOT NULL,
	body TEXT NOT NULL,
	language TEXT,
	receipt INTEGER NOT NULL DEFAULT 0,
	state TEXT NOT NULL CHECK (state IN ('QUEUED', 'SENT', 'DELIVERED', 'FAILED')),
	reason TEXT,
	words TEXT,
	UNIQUE (source, origin)
) STRICT;
CREATE INDEX texts_by_source ON texts (source, taken);
CREATE INDEX texts_by_author ON texts (author) WHERE author IS NOT NULL;
CREATE INDEX texts_by_addressee ON texts (addressee) WHERE addressee IS NOT NULL;
CREATE INDEX texts_by_trunk ON texts (trunk) WHERE trunk IS NOT NULL;

-- kind: what it is to its receiver; way: how it goes, with way_key the trunk or the softphone;
-- body NULL: the text's own; given: a plugin has had it, so that it may have been sent.
CREATE TABLE text_deliveries (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	text INTEGER NOT NULL REFERENCES texts (id) ON DELETE CASCADE,
	kind TEXT NOT NULL CHECK (kind IN ('message', 'copy', 'receipt', 'error')),
	way TEXT NOT NULL CHECK (way IN ('account', 'contact', 'trunk')),
	way_key TEXT NOT NULL,
	account TEXT NOT NULL,
	peer TEXT NOT NULL,
	device TEXT,
	sender TEXT NOT NULL,
	recipient TEXT NOT NULL,
	about TEXT,
	body TEXT,
	part INTEGER NOT NULL DEFAULT 0,
	made INTEGER NOT NULL,
	changed INTEGER NOT NULL,
	given INTEGER NOT NULL DEFAULT 0,
	state TEXT NOT NULL CHECK (state IN ('QUEUED', 'SENT', 'DELIVERED', 'FAILED')),
	reason TEXT,
	words TEXT
) STRICT;
CREATE INDEX text_deliveries_by_text ON text_deliveries (text);
CREATE INDEX text_deliveries_waiting ON text_deliveries (id) WHERE state = 'QUEUED';

-- What a rule says of texts: '' is what it says of calls.
ALTER TABLE routes ADD COLUMN text TEXT NOT NULL DEFAULT '' CHECK (text IN ('', 'allow', 'refuse'));
