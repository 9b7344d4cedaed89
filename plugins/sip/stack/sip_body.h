/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_body.h - where the session description is in the body of a message.
 *
 * A body is one part, or a multipart of parts and multiparts.  The description is the
 * application/sdp among them that is for the session; what else there is (ISUP, a
 * location, a signature) is passed over, unless its sender says that the call is not to
 * be understood without it.
 * Thread: any (pure).  RFC 2046 5.1, RFC 2183, RFC 2387, RFC 3204, RFC 3261 20.11, RFC 5621.
 */
#pragma once
#include <glib.h>

#define BODY_SDP       "application/sdp"
#define BODY_MAX_DEPTH 4  /* multiparts in multiparts */
#define BODY_MAX_PARTS 32 /* in all of them */

/* Header values as text; NULL where the message has none. */
typedef struct {
	const char *type, *disposition, *encoding;
} BodyHeaders;

/* In the order of their weight: of two parts the weightier one counts. */
typedef enum {
	BODY_NONE,	/* no description, and nothing that would have to be understood */
	BODY_MALFORMED, /* no multipart as it says */
	BODY_ENCODED,	/* its Content-Encoding is none that we know: 415 */
	BODY_FOUND,	/* *sdp */
	BODY_UNKNOWN	/* the sender requires what we do not know: 415 */
} BodyVerdict;

/* `*sdp` is newly allocated and `*size` long (there may be a NUL inside); NULL unless
 * BODY_FOUND.  A body without a type is taken for SDP. */
BodyVerdict
body_read(const BodyHeaders *headers, const char *data, gsize length, char **sdp, gsize *size);
