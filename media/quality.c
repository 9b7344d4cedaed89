/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* quality.c - how good a conversation sounds, from what was measured on its way.
 *
 * Thread: any (pure).  ITU-T G.107 (06/2015), G.107.1, G.113 appendices I and IV.
 */
#include <math.h>
#include "media/quality.h"

/* Of a connection without delay, loss and coding, all else as G.107 table 3 has it. */
#define SIGNAL_TO_NOISE 94.77 /* Ro */
#define SIMULTANEOUS	1.41  /* Is: loudness, sidetone, quantising */
#define LISTENER_ECHO	110.0 /* WEPL, dB */
#define TALKER_ECHO	65.0  /* TELR, dB */
#define WIDEBAND_MAX	129.0 /* G.107.1: R of the best there is */
#define WIDEBAND_RATIO	1.29  /* from its scale to that of the MOS */
#define FRAME_MS	20.0
#define MAX_DELAY_MS	10000.0

/* G.113 table I.2 has both lines of G.711, and table IV.1 the impairment of G.722 at 64
 * kbit/s.  No table has the robustness of G.722, nor anything of Opus: G.722 is taken to hide
 * losses half as well as G.711 does, and Opus at the rates of a call is near to transparent
 * in listening tests and hides them about as well as G.711 with concealment.  G.729 is that with
 * annex A; AMR at 12.2 kbit/s is GSM-EFR, which the tables have; AMR-WB is rated at 23.85 kbit/s,
 * and taken to hide losses as AMR does. */
static const QualityCodec CONCEALED[] = {
	{ "PCMU", FALSE, 0, 25.1 }, { "PCMA", FALSE, 0, 25.1 }, { "G722", TRUE, 13, 12.5 },
	{ "opus", TRUE, 3, 20 },    { "G729", FALSE, 11, 19 },	{ "AMR", FALSE, 5, 10 },
	{ "AMR-WB", TRUE, 8, 10 },
};
static const QualityCodec PLAIN[] = {
	{ "PCMU", FALSE, 0, 4.3 },
	{ "PCMA", FALSE, 0, 4.3 },
	{ "G722", TRUE, 13, 4.3 },
};

static const QualityCodec *
find(const QualityCodec *codecs, guint n, const char *name)
{
	for (guint i = 0; i < n; i++)
		if (g_ascii_strcasecmp(codecs[i].name, name) == 0)
			return &codecs[i];
	return NULL;
}

const QualityCodec *
quality_codec(const char *name, gboolean concealed)
{
	const QualityCodec *plain = concealed ? NULL : find(PLAIN, G_N_ELEMENTS(PLAIN), name);

	return plain ? plain : find(CONCEALED, G_N_ELEMENTS(CONCEALED), name);
}

/* Also of what is no number. */
static double
bounded(double value, double least, double most)
{
	return value > least ? MIN(value, most) : least;
}

/* Idte, G.107 7.4: the talker hears himself. */
static double
talker_echo(double delay_ms)
{
	double terv = TALKER_ECHO - 40 * log10((1 + delay_ms / 10) / (1 + delay_ms / 150)) +
		      6 * exp(-0.3 * delay_ms * delay_ms);
	double half = (SIGNAL_TO_NOISE - (80 + 2.5 * (terv - 14))) / 2;

	return (half + sqrt(half * half + 100) - 1) * (1 - exp(-delay_ms));
}

/* Idle: the listener hears the talker twice. */
static double
listener_echo(double trip_ms)
{
	double rle = 10.5 * (LISTENER_ECHO + 7) * pow(trip_ms + 1, -0.25);
	double half = (SIGNAL_TO_NOISE - rle) / 2;

	return half + sqrt(half * half + 169);
}

/* Idd: they talk into each other. */
static double
pure_delay(double delay_ms)
{
	double x;

	if (delay_ms <= 100)
		return 0;
	x = log2(delay_ms / 100);
	return 25 * (pow(1 + pow(x, 6), 1 / 6.0) - 3 * pow(1 + pow(x / 3, 6), 1 / 6.0) + 2);
}

/* Ie,eff, G.107 7.5. */
static double
coding(const QualityCodec *codec, const QualityPath *path)
{
	double percent = 100 * bounded(path->loss, 0, 1);
	double burst = bounded(path->burst, 1, 1000);

	return codec->impairment +
	       (95 - codec->impairment) * percent / (percent / burst + codec->robustness);
}

double
quality_rating(const QualityCodec *codec, const QualityPath *path)
{
	double delay_ms = bounded(path->delay_ms, 0, MAX_DELAY_MS), rating;

	/* G.107.1 counts no echo: a wideband telephone cancels it */
	if (codec->wideband)
		rating = WIDEBAND_MAX - pure_delay(delay_ms);
	else
		rating = SIGNAL_TO_NOISE - SIMULTANEOUS - talker_echo(delay_ms) -
			 listener_echo(2 * delay_ms) - pure_delay(delay_ms);
	return bounded(rating - coding(codec, path), 0, WIDEBAND_MAX);
}

/* G.107 annex B. */
double
quality_mos(const QualityCodec *codec, double rating)
{
	double r = bounded(codec->wideband ? rating / WIDEBAND_RATIO : rating, 0, 100);

	return bounded(1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6, 1, 4.5);
}

double
quality_delay_ms(guint32 rtt_us, guint32 jitter_us)
{
	return rtt_us / 2000.0 + FRAME_MS + MAX(2 * (jitter_us / 1000.0), FRAME_MS);
}

Quality
quality_class(double mos)
{
	static const double LEAST[] = {
		[QUALITY_BEST] = 4.34, [QUALITY_GOOD] = 4.03, [QUALITY_FAIR] = 3.60,
		[QUALITY_POOR] = 3.10, [QUALITY_BAD] = 2.58,
	};

	for (guint i = 0; i < G_N_ELEMENTS(LEAST); i++)
		if (mos >= LEAST[i] - 0.0075) /* the table rounds up */
			return (Quality)i;
	return QUALITY_USELESS;
}
