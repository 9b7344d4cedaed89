/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* quality.h - how good a conversation sounds, from what was measured on its way.
 *
 * The E-model adds up what a conversation loses by delay, echo, coding and loss; what is
 * left is the rating R, and R has a mean opinion score.  A narrowband codec is rated on the
 * scale of telephones (R up to 93.2, MOS up to 4.41), a wideband codec on that of wideband
 * (R up to 129): a score says how good it is among its own kind.
 * Thread: any (pure).  ITU-T G.107 (06/2015), G.107.1, G.113 appendices I and IV.
 */
#pragma once
#include <glib.h>

/* What a codec costs by itself, and how well its decoder hides a lost packet. */
typedef struct {
	const char *name;
	gboolean wideband;
	double impairment; /* Ie, or Ie,WB */
	double robustness; /* Bpl; 1 or more */
} QualityCodec;

/* By its name in a description, in any case; `concealed`: the decoder hides losses, as all
 * but the simplest do.  NULL: nothing is known of it. */
const QualityCodec *quality_codec(const char *name, gboolean concealed);

typedef struct {
	double loss;	 /* of all packets, 0 to 1 */
	double burst;	 /* BurstR: mean length of a loss to that of random losses; under 1 is 1 */
	double delay_ms; /* from mouth to ear, one way */
} QualityPath;

/* Any numbers are taken, and clamped to what can be. */
double quality_rating(const QualityCodec *codec, const QualityPath *path);
double quality_mos(const QualityCodec *codec, double rating); /* 1 to 4.5 */

/* From the mouth to the ear over a link of this round trip and jitter: half the trip, a frame
 * of 20 ms, and a jitter buffer of twice the jitter, at least another frame. */
double quality_delay_ms(guint32 rtt_us, guint32 jitter_us);

/* The classes of G.107 annex B, best first, by MOS. */
typedef enum {
	QUALITY_BEST,	 /* from 4.34: very satisfied */
	QUALITY_GOOD,	 /* from 4.03: satisfied */
	QUALITY_FAIR,	 /* from 3.60: some are dissatisfied */
	QUALITY_POOR,	 /* from 3.10: many are */
	QUALITY_BAD,	 /* from 2.58: nearly all are */
	QUALITY_USELESS, /* below: not recommended */
	N_QUALITIES
} Quality;
Quality quality_class(double mos);
