-- SPDX-License-Identifier: AGPL-3.0-or-later
-- 0013: who is told of the gateway itself, as number '!'.  It used to tell everybody, so
-- everybody who is there may have it in his roster.

INSERT OR IGNORE INTO subscribers (number, user, created) SELECT '!', jid, created FROM users;
