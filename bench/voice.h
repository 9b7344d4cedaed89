/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* voice.h - something like speech, coded, and how late it is heard. */
#pragma once
#include "media/codec.h"
#include <glib.h>

#define VOICE_FRAMES  200 /* of 20 ms, in a loop */
#define VOICE_RATE    16000
#define VOICE_PAYLOAD 1276

typedef struct {
	const CodecType *type;
	guint8 payload[VOICE_FRAMES][VOICE_PAYLOAD];
	gsize size[VOICE_FRAMES];
} Voice;

/* One voice (`which`: another), in that codec. */
Voice *voice_new(const CodecType *type, guint which);
/* The same through both codecs, without a network: what cannot be heard sooner. */
Voice *voice_through(const Voice *voice, const CodecType *type);
/* Samples at VOICE_RATE of that voice, as a telephone plays it: one loop, which has been
 * played once before. */
gint16 *voice_played(const Voice *voice);
/* By how many milliseconds `heard` (n samples at VOICE_RATE) is later than `played`, the
 * loop of voice_played(). */
double voice_shift(const gint16 *played, const gint16 *heard, guint n);
