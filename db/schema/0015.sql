-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Where the audio of a carrier or softphone may come from.

-- media_hosts: networks beside the hosts that signalling knows; any: after a trial any host.
ALTER TABLE trunks ADD COLUMN media_hosts TEXT NOT NULL DEFAULT '';
ALTER TABLE trunks ADD COLUMN rtp_source TEXT NOT NULL DEFAULT 'signalled'
	CHECK (rtp_source IN ('signalled', 'any'));
ALTER TABLE softphones ADD COLUMN rtp_source TEXT NOT NULL DEFAULT 'signalled'
	CHECK (rtp_source IN ('signalled', 'any'));
