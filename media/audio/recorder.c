/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* recorder.c - a sink that writes an Ogg Opus file, by libopusenc.
 *
 *   media       push ─ push ─ push … free
 *                      │ a block      │
 *   files       open ─ write ─ … ─── close
 *                                     │
 *   signalling                        done
 */
#include "media/audio/recorder.h"
#include <errno.h>
#include <fcntl.h>
#include <opusenc.h>
#include <unistd.h>

#define BLOCK_FRAMES  10 /* 200 ms: a post for fifty packets costs the media thread nothing */
#define BLOCK_SAMPLES (BLOCK_FRAMES * AUDIO_FRAME)
#define BLOCK_MS      (BLOCK_FRAMES * AUDIO_FRAME_MS)
#define MAX_WAITING   25 /* blocks: 5 s */
#define BITS_MONO     24000
#define BITS_APART    40000
#define COMPLEXITY    5
#define FILE_MODE     0640

typedef struct {
	AudioSink sink; /* first */
	/* both, unchanged */
	Worker *files, *signalling;
	RecordTracks tracks;
	guint channels;
	gint waiting; /* atomic: blocks on their way */
	gint over;    /* atomic: nothing more is written */
	/* media thread */
	struct Block *block; /* that is being filled */
	guint dropped;	     /* blocks, before it */
	/* files thread */
	char *path;
	int fd;
	OggOpusEnc *encoder;
	Recording result;
	char *error;
	/* signalling thread */
	RecordingFunc done;
	gpointer user;
} Recorder;

typedef struct Block {
	Recorder *recorder;
	guint dropped; /* blocks that should have come before */
	guint frames;
	gint16 pcm[2 * BLOCK_SAMPLES];
} Block;

/* --- files thread --- */

static void
fail(Recorder *recorder, const char *what, const char *why)
{
	if (!recorder->error)
		recorder->error = g_strdup_printf("%s: %s", what, why);
	g_atomic_int_set(&recorder->over, TRUE);
}

/* libopusenc takes 0 for "written". */
static int
on_write(void *user, const unsigned char *data, opus_int32 length)
{
	Recorder *recorder = user;

	while (length > 0) {
		const ssize_t n = write(recorder->fd, data, (size_t)length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			fail(recorder, recorder->path, g_strerror(errno));
			return 1;
		}
		data += n;
		length -= (opus_int32)n;
	}
	return 0;
}

static int
on_close(void *user)
{
	return 0;
}

static const OpusEncCallbacks callbacks = { on_write, on_close };

static void
open_file(gpointer argument)
{
	Recorder *recorder = argument;
	OggOpusComments *comments;
	int why = 0;

	ASSERT_FILES();
	recorder->fd = open(recorder->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
	if (recorder->fd < 0) {
		fail(recorder, recorder->path, g_strerror(errno));
		return;
	}
	comments = ope_comments_create();
	recorder->encoder = ope_encoder_create_callbacks(&callbacks, recorder, comments, AUDIO_RATE,
							 (int)recorder->channels, 0, &why);
	ope_comments_destroy(comments);
	if (!recorder->encoder) {
		fail(recorder, recorder->path, ope_strerror(why));
		return;
	}
	ope_encoder_ctl(recorder->encoder,
			OPUS_SET_BITRATE(recorder->channels == 2 ? BITS_APART : BITS_MONO));
	ope_encoder_ctl(recorder->encoder, OPUS_SET_COMPLEXITY(COMPLEXITY));
}

static void
write_pcm(Recorder *recorder, const gint16 *pcm, guint frames)
{
	const int why = ope_encoder_write(recorder->encoder, pcm, (int)(frames * AUDIO_FRAME));

	if (why != OPE_OK)
		fail(recorder, recorder->path, ope_strerror(why));
	else
		recorder->result.ms += frames * AUDIO_FRAME_MS;
}

static gboolean
is_over(const Recorder *recorder)
{
	return recorder->error || recorder->result.ms >= AUDIO_LONGEST_S * 1000;
}

/* What is missing is heard as silence, so that the time is right. */
static void
write_missing(Recorder *recorder, guint blocks)
{
	static const gint16 silence[2 * BLOCK_SAMPLES];

	recorder->result.dropped_ms += blocks * BLOCK_MS;
	while (blocks-- > 0 && !is_over(recorder))
		write_pcm(recorder, silence, BLOCK_FRAMES);
}

static void
write_block(gpointer argument)
{
	Block *block = argument;
	Recorder *recorder = block->recorder;

	ASSERT_FILES();
	if (!recorder->error)
		write_missing(recorder, block->dropped);
	if (!is_over(recorder))
		write_pcm(recorder, block->pcm, block->frames);
	if (is_over(recorder))
		g_atomic_int_set(&recorder->over, TRUE);
	g_atomic_int_add(&recorder->waiting, -1);
	g_free(block);
}

static void
tell(gpointer argument) /* signalling */
{
	Recorder *recorder = argument;

	recorder->result.error = recorder->error;
	if (recorder->done)
		recorder->done(recorder->user, &recorder->result);
	g_free(recorder->error);
	g_free(recorder->path);
	g_free(recorder);
}

/* Said to be done when it is on the disk. */
static void
close_file(gpointer argument)
{
	Recorder *recorder = argument;
	int why;

	ASSERT_FILES();
	recorder->result.dropped_ms += recorder->dropped * BLOCK_MS;
	if (recorder->encoder) {
		why = recorder->error ? OPE_OK : ope_encoder_drain(recorder->encoder);
		if (why != OPE_OK)
			fail(recorder, recorder->path, ope_strerror(why));
		ope_encoder_destroy(recorder->encoder);
	}
	if (recorder->fd >= 0) {
		if (fdatasync(recorder->fd) < 0)
			fail(recorder, recorder->path, g_strerror(errno));
		close(recorder->fd);
	}
	worker_post(recorder->signalling, tell, recorder);
}

/* --- media thread --- */

static void
flush(Recorder *recorder)
{
	Block *block = recorder->block;

	recorder->block = NULL;
	if (g_atomic_int_get(&recorder->waiting) >= MAX_WAITING) {
		recorder->dropped++;
		g_free(block);
		return;
	}
	block->dropped = recorder->dropped;
	recorder->dropped = 0;
	g_atomic_int_inc(&recorder->waiting);
	worker_post(recorder->files, write_block, block);
}

static void
put(RecordTracks tracks, gint16 *to, const gint16 *heard, const gint16 *said)
{
	for (guint i = 0; i < AUDIO_FRAME; i++)
		switch (tracks) {
		case RECORD_HEARD:
			to[i] = heard[i];
			break;
		case RECORD_MIXED:
			to[i] = (gint16)CLAMP(heard[i] + said[i], G_MININT16, G_MAXINT16);
			break;
		case RECORD_APART:
			to[2 * i] = heard[i];
			to[2 * i + 1] = said[i];
			break;
		}
}

static void
push(AudioSink *sink, const gint16 *heard, const gint16 *said)
{
	Recorder *recorder = (Recorder *)sink;
	Block *block;

	if (g_atomic_int_get(&recorder->over))
		return;
	if (!recorder->block) {
		recorder->block = g_new(Block, 1);
		recorder->block->recorder = recorder;
		recorder->block->frames = 0;
	}
	block = recorder->block;
	put(recorder->tracks, block->pcm + block->frames * AUDIO_FRAME * recorder->channels, heard,
	    said);
	if (++block->frames == BLOCK_FRAMES)
		flush(recorder);
}

static void
free_recorder(AudioSink *sink)
{
	Recorder *recorder = (Recorder *)sink;

	if (recorder->block)
		flush(recorder);
	worker_post(recorder->files, close_file, recorder);
}

AudioSink *
recorder_new(Worker *files, Worker *signalling, const char *path, RecordTracks tracks,
	     RecordingFunc done, gpointer user)
{
	Recorder *recorder = g_new0(Recorder, 1);

	recorder->sink = (AudioSink){ push, free_recorder };
	recorder->files = files;
	recorder->signalling = signalling;
	recorder->tracks = tracks;
	recorder->channels = tracks == RECORD_APART ? 2 : 1;
	recorder->path = g_strdup(path);
	recorder->fd = -1;
	recorder->done = done;
	recorder->user = user;
	worker_post(files, open_file, recorder);
	return &recorder->sink;
}
