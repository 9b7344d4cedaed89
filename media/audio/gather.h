/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* gather.h - samples of any rate put together at ours.
 *
 * Thread: one at a time.
 */
#pragma once
#include "media/audio.h"

#define GATHER_MIN_RATE 4000
#define GATHER_MAX_RATE 192000

typedef struct Gather Gather;

/* NULL: a rate outside these two. */
Gather *gather_new(guint rate);
void gather_free(Gather *gather); /* NULL is fine */
/* Mono.  FALSE: with them it is longer than AUDIO_LONGEST_S. */
gboolean gather_add(Gather *gather, const gint16 *pcm, guint samples);
/* All of it, at AUDIO_RATE; ends the gathering. */
gint16 *gather_end(Gather *gather, gsize *samples);
