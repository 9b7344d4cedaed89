-- SPDX-License-Identifier: AGPL-3.0-or-later
-- 0010: SRTP with carriers and softphones.

-- offer: a key stands in what we offer, and need not be taken; require: nothing without one.
ALTER TABLE trunks ADD COLUMN srtp TEXT NOT NULL DEFAULT 'off'
	CHECK (srtp IN ('off', 'offer', 'require'));
ALTER TABLE softphones ADD COLUMN srtp TEXT NOT NULL DEFAULT 'off'
	CHECK (srtp IN ('off', 'offer', 'require'));
