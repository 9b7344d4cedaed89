/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz-sound.c - a file of audio (WAV, Ogg Opus) that somebody gives us to play. */
#include <stdint.h>
#include <stdlib.h>
#include "media/audio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is played is as long as was said; what is refused is refused in words. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Sound) sound = sound_parse(data, size, &error);
	gint16 pcm[AUDIO_FRAME];
	AudioSource *source;
	guint64 total = 0;
	guint n;

	if (!sound == !error)
		abort();
	if (!sound)
		return 0;
	source = audio_player(sound);
	while ((n = source->pull(source, pcm)) == AUDIO_FRAME)
		total += n;
	total += n;
	if (total == 0 || total * 1000 / AUDIO_RATE != sound_ms(sound) ||
	    total > (guint64)AUDIO_LONGEST_S * AUDIO_RATE)
		abort();
	audio_source_free(source);
	return 0;
}
