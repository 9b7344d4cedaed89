-- SPDX-License-Identifier: AGPL-3.0-or-later
-- 0011: what was refused before it was a call.

-- 0: a call.  Otherwise a refusal, that happened so often within its minute.
ALTER TABLE calls ADD COLUMN count INTEGER NOT NULL DEFAULT 0 CHECK (count >= 0);
