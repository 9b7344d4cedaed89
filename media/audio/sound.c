/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sound.c - a file in memory, and who plays it.
 *
 * It is read as a whole, so that nobody who plays it waits for a disk: ten minutes are 19 MB.
 */
#include "media/audio.h"
#include <gio/gio.h>
#include <string.h>
#include <sys/stat.h>
#include "media/audio/ogg.h"
#include "media/audio/wav.h"

#define MAX_FILE (128 * 1024 * 1024) /* bytes: ten minutes of a stereo WAV at 48000 */

struct Sound {
	gint references;
	gint16 *pcm;
	gsize samples;
};

Sound *
sound_ref(Sound *sound)
{
	g_atomic_int_inc(&sound->references);
	return sound;
}

void
sound_unref(Sound *sound)
{
	if (!sound || !g_atomic_int_dec_and_test(&sound->references))
		return;
	g_free(sound->pcm);
	g_free(sound);
}

guint
sound_ms(const Sound *sound)
{
	return (guint)(sound->samples * 1000 / AUDIO_RATE);
}

Sound *
sound_parse(const guint8 *data, gsize size, GError **error)
{
	Gather *gather = NULL;
	Sound *sound;

	if (wav_is(data, size))
		gather = wav_gather(data, size, error);
	else if (ogg_is(data, size))
		gather = ogg_gather(data, size, error);
	else
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
			    "the file is neither WAV nor Ogg Opus");
	if (!gather)
		return NULL;
	sound = g_new0(Sound, 1);
	sound->references = 1;
	sound->pcm = gather_end(gather, &sound->samples);
	if (sound->samples > 0)
		return sound;
	sound_unref(sound);
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "the file has no audio");
	return NULL;
}

Sound *
sound_read(const char *path, GError **error)
{
	g_autofree char *data = NULL;
	struct stat file;
	Sound *sound;
	gsize size;

	if (stat(path, &file) == 0 && (!S_ISREG(file.st_mode) || file.st_size > MAX_FILE)) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "%s: %s", path,
			    S_ISREG(file.st_mode) ? "the file is too long" : "this is no file");
		return NULL;
	}
	if (!g_file_get_contents(path, &data, &size, error))
		return NULL;
	sound = sound_parse((const guint8 *)data, size, error);
	if (!sound)
		g_prefix_error(error, "%s: ", path);
	return sound;
}

/* --- playing --- */

typedef struct {
	AudioSource source; /* first */
	Sound *sound;
	gsize at;
} Player;

static guint
pull(AudioSource *source, gint16 *pcm)
{
	Player *player = (Player *)source;
	const gsize n = MIN(player->sound->samples - player->at, AUDIO_FRAME);

	memcpy(pcm, player->sound->pcm + player->at, n * sizeof *pcm);
	player->at += n;
	return (guint)n;
}

static void
free_player(AudioSource *source)
{
	sound_unref(((Player *)source)->sound);
	g_free(source);
}

AudioSource *
audio_player(Sound *sound)
{
	Player *player = g_new0(Player, 1);

	player->source = (AudioSource){ pull, free_player };
	player->sound = sound_ref(sound);
	return &player->source;
}
