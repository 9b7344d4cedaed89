/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_imdn.h - message/imdn+xml: what has become of a text, said to its author.
 *
 * Thread: any (pure).  RFC 5438 7, 11.
 */
#pragma once
#include <glib.h>

#define IMDN_TYPE      "message/imdn+xml"
#define IMDN_MAX_BYTES 16384 /* of a whole report */
#define IMDN_MAX_ID    256   /* bytes */

typedef enum {
	IMDN_DELIVERED,
	IMDN_DISPLAYED,
	IMDN_FAILED, /* failed, forbidden, error */
	IMDN_OTHER   /* stored, processed, or a word that we do not know */
} ImdnStatus;

/* FALSE: it is none, or about nothing.  `id` is newly allocated. */
gboolean imdn_read(const char *data, gsize size, char **id, ImdnStatus *status);
/* `recipient` (a URI) and `date_time` (of the text, RFC 3339) may be NULL.  DELIVERED or FAILED. */
char *imdn_write(const char *id, const char *date_time, const char *recipient, ImdnStatus status);
