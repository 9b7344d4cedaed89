-- SPDX-License-Identifier: AGPL-3.0-or-later
-- 0007: who hears a carrier's announcements.

-- To a client it rings until the call is answered, or he is answered early and hears them.
ALTER TABLE trunks ADD COLUMN early_media TEXT NOT NULL DEFAULT 'ring'
	CHECK (early_media IN ('ring', 'accept'));
