/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* gather.c - samples of any rate put together at ours, by libspeexdsp. */
#include "media/audio/gather.h"
#include <speex/speex_resampler.h>

#define QUALITY 5
#define BLOCK	1024
#define MOST	((gsize)AUDIO_LONGEST_S * AUDIO_RATE)

struct Gather {
	SpeexResamplerState *resampler; /* NULL: it is our rate */
	guint rate;
	GArray *pcm; /* gint16 */
};

Gather *
gather_new(guint rate)
{
	Gather *gather;
	int error;

	if (rate < GATHER_MIN_RATE || rate > GATHER_MAX_RATE)
		return NULL;
	gather = g_new0(Gather, 1);
	gather->rate = rate;
	gather->pcm = g_array_new(FALSE, FALSE, sizeof(gint16));
	if (rate == AUDIO_RATE)
		return gather;
	gather->resampler = speex_resampler_init(1, rate, AUDIO_RATE, QUALITY, &error);
	if (gather->resampler)
		speex_resampler_skip_zeros(gather->resampler);
	else
		g_clear_pointer(&gather, gather_free);
	return gather;
}

void
gather_free(Gather *gather)
{
	if (!gather)
		return;
	if (gather->resampler)
		speex_resampler_destroy(gather->resampler);
	g_array_free(gather->pcm, TRUE);
	g_free(gather);
}

static gboolean
append(Gather *gather, const gint16 *pcm, guint samples)
{
	if (gather->pcm->len + (gsize)samples > MOST)
		return FALSE;
	g_array_append_vals(gather->pcm, pcm, samples);
	return TRUE;
}

/* `pcm` NULL: silence. */
static gboolean
resample(Gather *gather, const gint16 *pcm, guint samples)
{
	while (samples > 0) {
		gint16 made[BLOCK];
		spx_uint32_t in = samples, out = BLOCK;

		speex_resampler_process_int(gather->resampler, 0, pcm, &in, made, &out);
		if (!append(gather, made, out))
			return FALSE;
		samples -= in;
		pcm = pcm ? pcm + in : NULL;
	}
	return TRUE;
}

gboolean
gather_add(Gather *gather, const gint16 *pcm, guint samples)
{
	return gather->resampler ? resample(gather, pcm, samples) : append(gather, pcm, samples);
}

/* What is still in the filter comes out. */
gint16 *
gather_end(Gather *gather, gsize *samples)
{
	gint16 *pcm;

	if (gather->resampler)
		resample(gather, NULL, (guint)speex_resampler_get_input_latency(gather->resampler));
	*samples = gather->pcm->len;
	pcm = (gint16 *)g_array_free(gather->pcm, FALSE);
	gather->pcm = g_array_new(FALSE, FALSE, sizeof(gint16));
	gather_free(gather);
	return pcm;
}
