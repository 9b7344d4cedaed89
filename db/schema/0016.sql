-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Where in a carrier's INVITE the number stands that is called.

ALTER TABLE trunks ADD COLUMN called TEXT NOT NULL DEFAULT 'auto'
	CHECK (called IN ('auto', 'uri', 'to', 'p-called-party-id'));
