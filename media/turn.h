/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* turn.h - time-limited credentials for a TURN server.
 *
 * The server and we share a secret; who has the name and the password derived
 * from it may relay until the time in the name has come ("TURN REST API",
 * draft-uberti-behave-turn-rest: coturn's use-auth-secret).
 * Thread: any (pure).
 */
#pragma once
#include <glib.h>

/* "EXPIRY:user", EXPIRY in seconds since 1970; to be freed. */
char *turn_username(gint64 expiry, const char *user);
/* Base64 of HMAC-SHA1; to be freed. */
char *turn_password(const char *secret, const char *username);
