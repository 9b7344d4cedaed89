/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* tone.h - the tones of the countries, as data.
 *
 * ITU-T E.180 supplement 2 ("Various tones used in national networks").
 * Thread: any (pure).
 */
#pragma once
#include "media/audio.h"

#define TONE_STEPS 6

typedef struct {
	guint16 hz[2];		     /* added; 0: no second one */
	guint16 modulation;	     /* Hz, of the amplitude; 0: none */
	guint16 cadence[TONE_STEPS]; /* ms: sound, pause, sound …; until a 0; then again */
} ToneType;

/* Never NULL. */
const ToneType *tone_type(Tone tone, const char *country);
