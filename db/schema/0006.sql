-- SPDX-License-Identifier: AGPL-3.0-or-later
-- 0006: how a carrier writes numbers.

-- Two letters of ISO 3166: numbers without a "+" are of this country; '' is none.
ALTER TABLE trunks ADD COLUMN country TEXT NOT NULL DEFAULT '';
-- How it wants them: +491711234567, 01711234567, or number_prefix and the digits.
ALTER TABLE trunks ADD COLUMN number_form TEXT NOT NULL DEFAULT 'e164'
	CHECK (number_form IN ('e164', 'national', 'prefix'));
ALTER TABLE trunks ADD COLUMN number_prefix TEXT NOT NULL DEFAULT '';
