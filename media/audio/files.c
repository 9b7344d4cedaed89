/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* files.c - files of audio, with the threads of the process. */
#include "media/audio.h"
#include "media/audio/recorder.h"
#include "media/port.h"

/* A file that is being read. */
typedef struct {
	Workers *workers;
	char *path;
	SoundFunc done;
	gpointer user;
	Sound *sound;
	GError *error;
} Load;

static void
give(gpointer argument) /* signalling */
{
	Load *load = argument;

	load->done(load->user, load->sound, load->error);
	g_clear_error(&load->error);
	g_free(load->path);
	g_free(load);
}

static void
read_file(gpointer argument) /* files */
{
	Load *load = argument;

	ASSERT_FILES();
	load->sound = sound_read(load->path, &load->error);
	worker_post(load->workers->signalling, give, load);
}

void
sound_load(Workers *workers, const char *path, SoundFunc done, gpointer user)
{
	Load *load = g_new0(Load, 1);

	ASSERT_SIGNALLING();
	load->workers = workers;
	load->path = g_strdup(path);
	load->done = done;
	load->user = user;
	worker_post(workers->files, read_file, load);
}

AudioSink *
audio_recorder(Workers *workers, const char *path, RecordTracks tracks, RecordingFunc done,
	       gpointer user)
{
	ASSERT_SIGNALLING();
	return recorder_new(workers->files, workers->signalling, path, tracks, done, user);
}
