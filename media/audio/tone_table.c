/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* tone_table.c - which country's exchanges sound how. */
#include "media/audio/tone.h"
#include <string.h>

typedef struct {
	const char *countries; /* of ISO 3166, blanks between them; NULL: all others */
	ToneType ringback, busy, congestion;
} Country;

/* clang-format off */
#define EVEN(hz, ms) { { hz }, 0, { ms, ms } }
#define DOUBLE_RING  { 400, 200, 400, 2000 }
/* clang-format on */

/* The first row that names a country is its own. */
static const Country table[] = {
	{ "US CA PR DO JM TT BS BB GU", /* the North American numbering plan */
	  { { 440, 480 }, 0, { 2000, 4000 } },
	  { { 480, 620 }, 0, { 500, 500 } },
	  { { 480, 620 }, 0, { 250, 250 } } },
	{ "GB GG JE IM GI",
	  { { 400, 450 }, 0, DOUBLE_RING },
	  EVEN(400, 375),
	  { { 400 }, 0, { 400, 350, 225, 525 } } },
	{ "IE", { { 400, 450 }, 0, DOUBLE_RING }, EVEN(425, 500), EVEN(425, 250) },
	{ "AU", { { 413, 438 }, 0, DOUBLE_RING }, EVEN(425, 375), EVEN(425, 375) },
	{ "NZ", { { 400, 450 }, 0, DOUBLE_RING }, EVEN(400, 500), EVEN(400, 250) },
	{ "HK",
	  { { 440, 480 }, 0, { 400, 200, 400, 3000 } },
	  { { 480, 620 }, 0, { 500, 500 } },
	  { { 480, 620 }, 0, { 250, 250 } } },
	{ "IN", { { 400 }, 25, DOUBLE_RING }, EVEN(400, 750), EVEN(400, 250) },
	{ "SG", { { 425 }, 24, DOUBLE_RING }, EVEN(425, 750), EVEN(425, 250) },
	{ "MY", { { 425 }, 0, DOUBLE_RING }, EVEN(425, 500), EVEN(425, 500) },
	{ "ZA", { { 400 }, 33, DOUBLE_RING }, EVEN(400, 500), EVEN(400, 250) },
	{ "JP", { { 400 }, 15, { 1000, 2000 } }, EVEN(400, 500), EVEN(400, 500) },
	{ "TW",
	  { { 440, 480 }, 0, { 1000, 2000 } },
	  { { 480, 620 }, 0, { 500, 500 } },
	  { { 480, 620 }, 0, { 250, 250 } } },
	{ "PH",
	  { { 425, 480 }, 0, { 1000, 4000 } },
	  { { 480, 620 }, 0, { 500, 500 } },
	  { { 480, 620 }, 0, { 250, 250 } } },
	{ "CN", { { 450 }, 0, { 1000, 4000 } }, EVEN(450, 350), EVEN(450, 700) },
	{ "TH", { { 420 }, 0, { 1000, 5000 } }, EVEN(400, 500), EVEN(400, 300) },
	{ "IL", { { 414 }, 0, { 1000, 3000 } }, EVEN(414, 500), EVEN(414, 250) },
	{ "AT", { { 420 }, 0, { 1000, 5000 } }, EVEN(420, 400), EVEN(420, 200) },
	{ "BE", { { 425 }, 0, { 1000, 3000 } }, EVEN(425, 500), EVEN(425, 167) },
	{ "BR",
	  { { 425 }, 0, { 1000, 4000 } },
	  EVEN(425, 250),
	  { { 425 }, 0, { 250, 250, 750, 250 } } },
	{ "CH DK", { { 425 }, 0, { 1000, 4000 } }, EVEN(425, 500), EVEN(425, 200) },
	{ "CL", { { 400 }, 0, { 1000, 3000 } }, EVEN(400, 500), EVEN(400, 200) },
	{ "CZ", { { 425 }, 0, { 1000, 4000 } }, EVEN(425, 330), EVEN(425, 165) },
	{ "DE", { { 425 }, 0, { 1000, 4000 } }, EVEN(425, 480), EVEN(425, 240) },
	{ "EE FI GR", { { 425 }, 0, { 1000, 4000 } }, EVEN(425, 300), EVEN(425, 200) },
	{ "ES",
	  { { 425 }, 0, { 1500, 3000 } },
	  EVEN(425, 200),
	  { { 425 }, 0, { 200, 200, 200, 200, 200, 600 } } },
	{ "FR", { { 440 }, 0, { 1500, 3500 } }, EVEN(440, 500), EVEN(440, 250) },
	{ "HU", { { 425 }, 0, { 1250, 3750 } }, EVEN(425, 300), EVEN(425, 300) },
	{ "LT", { { 425 }, 0, { 1000, 4000 } }, EVEN(425, 350), EVEN(425, 200) },
	{ "MX", { { 425 }, 0, { 1000, 4000 } }, EVEN(425, 250), EVEN(425, 250) },
	{ "PL", { { 425 }, 0, { 1000, 4000 } }, EVEN(425, 500), EVEN(425, 500) },
	{ "PT", { { 425 }, 0, { 1000, 5000 } }, EVEN(425, 500), EVEN(425, 200) },
	{ "RU", { { 425 }, 0, { 1000, 4000 } }, EVEN(425, 350), EVEN(425, 175) },
	{ "SE", { { 425 }, 0, { 1000, 5000 } }, EVEN(425, 250), { { 425 }, 0, { 250, 750 } } },
	{ "IT NO", { { 425 }, 0, { 1000, 4000 } }, EVEN(425, 500), EVEN(425, 200) },
	{ NULL, { { 425 }, 0, { 1000, 4000 } }, EVEN(425, 500), EVEN(425, 250) },
};

static const ToneType beep = { { 1000 }, 0, { 300 } };

static gboolean
is_named(const char *countries, const char *country)
{
	for (const char *at = countries; strlen(at) >= 2; at += at[2] ? 3 : 2)
		if (g_ascii_strncasecmp(at, country, 2) == 0)
			return TRUE;
	return FALSE;
}

static const Country *
find_country(const char *country)
{
	const Country *row = table;

	while (row->countries &&
	       !(country && strlen(country) == 2 && is_named(row->countries, country)))
		row++;
	return row;
}

const ToneType *
tone_type(Tone tone, const char *country)
{
	const Country *row = find_country(country);

	switch (tone) {
	case TONE_BUSY:
		return &row->busy;
	case TONE_CONGESTION:
		return &row->congestion;
	case TONE_BEEP:
		return &beep;
	case TONE_RINGBACK:
	case N_TONES:
		break;
	}
	return &row->ringback;
}
