/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* turn.c - time-limited credentials for a TURN server.
 * Thread: any (pure).
 */
#include "media/turn.h"
#include <string.h>

char *
turn_username(gint64 expiry, const char *user)
{
	return g_strdup_printf("%" G_GINT64_FORMAT ":%s", expiry, user);
}

char *
turn_password(const char *secret, const char *username)
{
	GHmac *hmac = g_hmac_new(G_CHECKSUM_SHA1, (const guchar *)secret, strlen(secret));
	guint8 digest[20];
	gsize length = sizeof digest;

	g_hmac_update(hmac, (const guchar *)username, -1);
	g_hmac_get_digest(hmac, digest, &length);
	g_hmac_unref(hmac);
	return g_base64_encode(digest, length);
}
