-- SPDX-License-Identifier: AGPL-3.0-or-later
-- 0002: SIP softphones of a user, and where each is reachable now.

-- The password itself is never kept: HA1 = hash(username:realm:password) is
-- what digest needs (RFC 7616 3.4.2), one for each algorithm we offer.
CREATE TABLE softphones (
	id INTEGER PRIMARY KEY,
	user TEXT NOT NULL REFERENCES users (jid) ON UPDATE CASCADE ON DELETE RESTRICT,
	username TEXT NOT NULL CHECK (username <> ''),
	realm TEXT NOT NULL CHECK (realm <> ''),
	ha1_md5 TEXT NOT NULL,
	ha1_sha256 TEXT NOT NULL,
	created INTEGER NOT NULL,
	UNIQUE (username, realm)
) STRICT;

CREATE INDEX softphones_by_user ON softphones (user);

-- RFC 3261 10.3: a binding.  path is the Path header of RFC 3327, received the
-- source of the REGISTER ("udp:192.0.2.1:5060"), instance RFC 5626's +sip.instance.
CREATE TABLE contacts (
	id INTEGER PRIMARY KEY,
	softphone INTEGER NOT NULL REFERENCES softphones (id) ON DELETE CASCADE,
	uri TEXT NOT NULL CHECK (uri <> ''),
	instance TEXT,
	path TEXT,
	received TEXT,
	call_id TEXT NOT NULL,
	cseq INTEGER NOT NULL,
	q INTEGER NOT NULL DEFAULT 1000 CHECK (q BETWEEN 0 AND 1000),
	user_agent TEXT,
	expires INTEGER NOT NULL,
	updated INTEGER NOT NULL,
	UNIQUE (softphone, uri)
) STRICT;

CREATE INDEX contacts_by_expiry ON contacts (expires);
