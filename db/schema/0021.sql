-- SPDX-License-Identifier: AGPL-3.0-or-later
-- What is dear and abroad is counted apart: it is under the limits of both.

ALTER TABLE guard_use ADD COLUMN premium_abroad_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE guard_use ADD COLUMN premium_abroad_calls INTEGER NOT NULL DEFAULT 0;
