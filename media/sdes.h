/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sdes.h - SRTP keys as they stand in a description.
 *
 * Only what one key per direction needs is read: no second key, no parameter that
 * changes how packets are protected but an MKI.  A lifetime is ignored.
 * Thread: any (pure).  RFC 4568, RFC 7714 section 14.
 */
#pragma once
#include "media/srtp.h"

#define SDES_KEY_LENGTH 30 /* the longest: key, then salt */
#define SDES_MAX_LINE	256
#define SDES_MAX_MKI	128

typedef struct {
	guint tag;
	SrtpProfile profile; /* 0: no SRTP */
	guint8 key[SDES_KEY_LENGTH];
	guint64 mki; /* stands in every packet of its owner, in that many bytes */
	guint8 mki_length;
	gboolean choice; /* of an offer: the other suites of sdes_choice() with the same key */
} SdesKey;

/* The value of a=crypto; FALSE for what is malformed or not used here. */
gboolean sdes_parse(const char *value, SdesKey *key);
char *sdes_text(const SdesKey *key); /* holds the key: not for a log */
/* What an offer of ours gives to choose from: the one of tag i + 1; 0: no more. */
SrtpProfile sdes_choice(guint i);

/* The same session; the tag has no say. */
gboolean sdes_same(const SdesKey *one, const SdesKey *other);
