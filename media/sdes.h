/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sdes.h - SRTP keys as they stand in a description.
 *
 * Only what one key per direction needs is read: no MKI, no second key, no
 * parameter that changes how packets are protected.  A lifetime is ignored.
 * Thread: any (pure).  RFC 4568, RFC 7714 section 14.
 */
#pragma once
#include "media/srtp.h"

#define SDES_KEY_LENGTH 30 /* the longest: key, then salt */
#define SDES_MAX_LINE	256

typedef struct {
	guint tag;
	SrtpProfile profile; /* 0: no SRTP */
	guint8 key[SDES_KEY_LENGTH];
} SdesKey;

/* The value of a=crypto; FALSE for what is malformed or not used here. */
gboolean sdes_parse(const char *value, SdesKey *key);
char *sdes_text(const SdesKey *key); /* holds the key: not for a log */
/* The same session; the tag has no say. */
gboolean sdes_same(const SdesKey *one, const SdesKey *other);
