-- SPDX-License-Identifier: AGPL-3.0-or-later
-- The codecs that a softphone is offered, the wanted one first; '': all.

ALTER TABLE softphones ADD COLUMN codecs TEXT NOT NULL DEFAULT '';
