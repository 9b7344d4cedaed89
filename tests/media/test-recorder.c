/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-recorder.c - what is recorded and read again: what was said, both sides apart, how long
 * it is; a file that is there, a folder that is not, a disk that is full.
 */
#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <opusfile.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include "tests/media/media-peer.h"
#include "media/audio.h"
#include "media/port.h"

#define HEARD_HZ 440
#define SAID_HZ	 1300
#define SECONDS	 3
#define MANY	 8 /* seconds: the library keeps the last two for itself */

typedef struct {
	gboolean done;
	guint ms, dropped_ms;
	char *error;
} Result;

typedef struct {
	char *folder, *path;
	Workers *workers;
	Result result;
} Fixture;

static void
setup(Fixture *fixture, gconstpointer data)
{
	fixture->folder = g_dir_make_tmp("recorder-XXXXXX", NULL);
	fixture->path = g_build_filename(fixture->folder, "a.opus", NULL);
	fixture->workers = workers_for_test(FALSE);
}

static void
teardown(Fixture *fixture, gconstpointer data)
{
	workers_free(fixture->workers);
	g_unlink(fixture->path);
	g_assert_cmpint(g_rmdir(fixture->folder), ==, 0);
	g_free(fixture->result.error);
	g_free(fixture->path);
	g_free(fixture->folder);
}

static void
on_done(gpointer user, const Recording *recording)
{
	Result *result = user;

	g_assert_false(result->done);
	result->done = TRUE;
	result->ms = recording->ms;
	result->dropped_ms = recording->dropped_ms;
	result->error = g_strdup(recording->error);
}

static gboolean
is_done(gpointer user)
{
	return ((Result *)user)->done;
}

static void
make_tone(gint16 *pcm, double hz, guint frame)
{
	for (guint i = 0; i < AUDIO_FRAME; i++)
		pcm[i] = (gint16)lrint(8000 *
				       sin(2 * G_PI * hz * (frame * AUDIO_FRAME + i) / AUDIO_RATE));
}

/* The media thread's part: here no faster than the disk, which has a test of its own. */
static void
record(Fixture *fixture, const char *path, RecordTracks tracks, guint seconds)
{
	AudioSink *sink = audio_recorder(fixture->workers, path, tracks, on_done, &fixture->result);
	gint16 heard[AUDIO_FRAME], said[AUDIO_FRAME];

	for (guint i = 0; i < seconds * 1000 / AUDIO_FRAME_MS; i++) {
		make_tone(heard, HEARD_HZ, i);
		make_tone(said, SAID_HZ, i);
		sink->push(sink, heard, said);
		if (i % 10 == 9)
			g_usleep(1000);
	}
	audio_sink_free(sink);
	g_assert_true(wait_for(is_done, &fixture->result, 10000));
}

/* The share of a frequency in one channel, from 0.5 s to 2.5 s. */
static double
share(const float *pcm, guint channels, guint channel, double hz)
{
	const guint from = 24000, n = 96000;
	double re = 0, im = 0, all = 0;

	for (guint i = from; i < from + n; i++) {
		const double x = pcm[i * channels + channel];

		re += x * cos(2 * G_PI * hz * i / 48000);
		im += x * sin(2 * G_PI * hz * i / 48000);
		all += x * x;
	}
	return 2 * (re * re + im * im) / n / all;
}

/* By the library, as any player would. */
static void
check_file(const char *path, RecordTracks tracks)
{
	OggOpusFile *file = op_open_file(path, NULL);
	const guint channels = tracks == RECORD_APART ? 2 : 1, size = 48000 * (SECONDS + 1);
	g_autofree float *pcm = g_new(float, size *channels);
	guint n = 0;
	int got;

	g_assert_nonnull(file);
	g_assert_cmpuint((guint)op_channel_count(file, -1), ==, channels);
	while ((got = op_read_float(file, pcm + n * channels, (int)((size - n) * channels), NULL)) >
	       0)
		n += (guint)got;
	g_assert_cmpint(got, ==, 0);
	g_assert_cmpuint(n, ==, 48000 * SECONDS);
	op_free(file);
	if (tracks == RECORD_APART) {
		g_assert_cmpfloat(share(pcm, 2, 0, HEARD_HZ), >, 0.95);
		g_assert_cmpfloat(share(pcm, 2, 1, SAID_HZ), >, 0.95);
	} else if (tracks == RECORD_HEARD) {
		g_assert_cmpfloat(share(pcm, 1, 0, HEARD_HZ), >, 0.95);
	} else {
		g_assert_cmpfloat(share(pcm, 1, 0, HEARD_HZ), >, 0.4);
		g_assert_cmpfloat(share(pcm, 1, 0, SAID_HZ), >, 0.4);
	}
}

static void
test_tracks(Fixture *fixture, gconstpointer data)
{
	const RecordTracks tracks = GPOINTER_TO_UINT(data);
	struct stat file;

	record(fixture, fixture->path, tracks, SECONDS);
	g_assert_cmpstr(fixture->result.error, ==, NULL);
	g_assert_cmpuint(fixture->result.ms, ==, SECONDS * 1000);
	g_assert_cmpuint(fixture->result.dropped_ms, ==, 0);
	check_file(fixture->path, tracks);
	/* not for everybody to read, and not long */
	g_assert_cmpint(stat(fixture->path, &file), ==, 0);
	g_assert_cmpuint(file.st_mode & 07, ==, 0);
	g_assert_cmpint(file.st_size, <, SECONDS * 8000);
}

typedef struct {
	gboolean done;
	Sound *sound;
	char *error;
} Loaded;

static void
on_loaded(gpointer user, Sound *sound, const GError *error)
{
	Loaded *loaded = user;

	loaded->done = TRUE;
	loaded->sound = sound;
	loaded->error = error ? g_strdup(error->message) : NULL;
}

static gboolean
is_loaded(gpointer user)
{
	return ((Loaded *)user)->done;
}

static void
test_load(Fixture *fixture, gconstpointer data)
{
	Loaded loaded = { 0 }, missing = { 0 };

	record(fixture, fixture->path, RECORD_APART, SECONDS);
	sound_load(fixture->workers, fixture->path, on_loaded, &loaded);
	g_assert_false(loaded.done); /* nobody waits for it */
	g_assert_true(wait_for(is_loaded, &loaded, 10000));
	g_assert_cmpstr(loaded.error, ==, NULL);
	g_assert_cmpuint(sound_ms(loaded.sound), ==, SECONDS * 1000);
	sound_unref(loaded.sound);
	sound_load(fixture->workers, "/nowhere/a.wav", on_loaded, &missing);
	g_assert_true(wait_for(is_loaded, &missing, 10000));
	g_assert_null(missing.sound);
	g_assert_nonnull(strstr(missing.error, "/nowhere/a.wav"));
	g_free(missing.error);
}

/* One that is there is nobody's to overwrite. */
static void
test_exists(Fixture *fixture, gconstpointer data)
{
	g_autofree char *text = NULL;

	g_assert_true(g_file_set_contents(fixture->path, "mine", 4, NULL));
	record(fixture, fixture->path, RECORD_HEARD, SECONDS);
	g_assert_nonnull(strstr(fixture->result.error, g_strerror(EEXIST)));
	g_assert_cmpuint(fixture->result.ms, ==, 0);
	g_assert_true(g_file_get_contents(fixture->path, &text, NULL, NULL));
	g_assert_cmpstr(text, ==, "mine");
}

static void
test_nowhere(Fixture *fixture, gconstpointer data)
{
	record(fixture, "/nowhere/a.opus", RECORD_HEARD, SECONDS);
	g_assert_nonnull(strstr(fixture->result.error, g_strerror(ENOENT)));
}

/* A file that may not grow is a disk that is full: the recording ends, and he who records does
 * not notice. */
static void
test_full(Fixture *fixture, gconstpointer data)
{
	struct rlimit before, now;

	g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &before), ==, 0);
	now = before;
	now.rlim_cur = 1024;
	signal(SIGXFSZ, SIG_IGN);
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &now), ==, 0);
	record(fixture, fixture->path, RECORD_APART, MANY);
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &before), ==, 0);
	g_assert_nonnull(strstr(fixture->result.error, g_strerror(EFBIG)));
	g_assert_nonnull(strstr(fixture->result.error, fixture->path));
	g_assert_cmpuint(fixture->result.ms, <, MANY * 1000);
}

/* A disk that does nothing until it is let. */
static void
stop_here(gpointer gate)
{
	sem_wait(gate);
}

static void
pass_here(gpointer gate)
{
	sem_post(gate);
}

static void
push_silence(AudioSink *sink, guint ms)
{
	const gint16 pcm[AUDIO_FRAME] = { 0 };

	for (guint i = 0; i < ms / AUDIO_FRAME_MS; i++)
		sink->push(sink, pcm, pcm);
}

/* What the disk has no time for is lost, and said to be; what comes later is in its place. */
static void
record_slowly(Fixture *fixture, guint stopped_ms)
{
	AudioSink *sink = audio_recorder(fixture->workers, fixture->path, RECORD_HEARD, on_done,
					 &fixture->result);
	sem_t gate, passed;

	sem_init(&gate, 0, 0);
	sem_init(&passed, 0, 0);
	worker_post(fixture->workers->files, stop_here, &gate);
	push_silence(sink, stopped_ms);
	sem_post(&gate);
	worker_post(fixture->workers->files, pass_here, &passed);
	sem_wait(&passed);
	push_silence(sink, 1000);
	audio_sink_free(sink);
	g_assert_true(wait_for(is_done, &fixture->result, 30000));
	g_assert_cmpstr(fixture->result.error, ==, NULL);
	g_assert_cmpuint(fixture->result.dropped_ms, ==, stopped_ms - 5000);
	sem_destroy(&gate);
	sem_destroy(&passed);
}

static void
test_slow(Fixture *fixture, gconstpointer data)
{
	record_slowly(fixture, 6000);
	g_assert_cmpuint(fixture->result.ms, ==, 7000);
}

/* Nor does what is missing make the file longer than a recording may be. */
static void
test_slow_for_long(Fixture *fixture, gconstpointer data)
{
	record_slowly(fixture, AUDIO_LONGEST_S * 1000 + 60000);
	g_assert_cmpuint(fixture->result.ms, ==, AUDIO_LONGEST_S * 1000);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define ADD(name, func, data) g_test_add("/recorder/" name, Fixture, data, setup, func, teardown)
	ADD("heard", test_tracks, GUINT_TO_POINTER(RECORD_HEARD));
	ADD("mixed", test_tracks, GUINT_TO_POINTER(RECORD_MIXED));
	ADD("apart", test_tracks, GUINT_TO_POINTER(RECORD_APART));
	ADD("load", test_load, NULL);
	ADD("exists", test_exists, NULL);
	ADD("nowhere", test_nowhere, NULL);
	ADD("full", test_full, NULL);
	ADD("slow", test_slow, NULL);
	ADD("slow-for-long", test_slow_for_long, NULL);
	return g_test_run();
}
