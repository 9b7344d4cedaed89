-- SPDX-License-Identifier: AGPL-3.0-or-later
-- How much the last three calls of a device have lost, of 10,000 packets; the newest first.

-- device: a full JID, or the name of a softphone.
CREATE TABLE device_loss (
	account TEXT NOT NULL REFERENCES users (jid) ON UPDATE CASCADE ON DELETE CASCADE,
	device TEXT NOT NULL CHECK (device <> ''),
	at INTEGER NOT NULL, loss INTEGER NOT NULL,
	at2 INTEGER NOT NULL DEFAULT 0, loss2 INTEGER NOT NULL DEFAULT 0,
	at3 INTEGER NOT NULL DEFAULT 0, loss3 INTEGER NOT NULL DEFAULT 0,
	PRIMARY KEY (account, device)
) STRICT, WITHOUT ROWID;
