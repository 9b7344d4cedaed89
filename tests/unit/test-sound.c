/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-sound.c - files of audio read: WAV of all kinds, and what is none. */
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include "media/audio.h"
#include "media/g711.h"

#define AMPLITUDE 8000

static void
put(GByteArray *file, guint32 value, guint bytes)
{
	for (guint i = 0; i < bytes; i++) {
		const guint8 byte = (guint8)(value >> (8 * i));

		g_byte_array_append(file, &byte, 1);
	}
}

static void
put_text(GByteArray *file, const char *text)
{
	g_byte_array_append(file, (const guint8 *)text, (guint)strlen(text));
}

typedef struct {
	guint format, channels, rate, bits;
	guint32 claimed; /* length of the data as its chunk says; 0: the right one */
	gboolean extended;
} Kind;

/* One second of a tone, the same in all channels. */
static GByteArray *
wav(const Kind *kind, double hz)
{
	GByteArray *file = g_byte_array_new();
	const guint width = kind->bits / 8, size = kind->rate * kind->channels * width;

	put_text(file, "RIFF");
	put(file, 36 + size, 4);
	put_text(file, "WAVEfmt ");
	put(file, kind->extended ? 40 : 16, 4);
	put(file, kind->extended ? 0xfffe : kind->format, 2);
	put(file, kind->channels, 2);
	put(file, kind->rate, 4);
	put(file, kind->rate * kind->channels * width, 4);
	put(file, kind->channels * width, 2);
	put(file, kind->bits, 2);
	if (kind->extended) {
		put(file, 22, 2);
		put(file, kind->bits, 2);
		put(file, 0, 4);
		put(file, kind->format, 2);
		put_text(file, "\1\1\1\1\1\1\1\1\1\1\1\1\1\1");
	}
	put_text(file, "LIST"); /* one to be passed over, of an odd length */
	put(file, 3, 4);
	put_text(file, "abc.");
	put_text(file, "data");
	put(file, kind->claimed ? kind->claimed : size, 4);
	for (guint i = 0; i < kind->rate; i++) {
		const gint16 value = (gint16)lrint(AMPLITUDE * sin(2 * G_PI * hz * i / kind->rate));

		for (guint c = 0; c < kind->channels; c++)
			if (kind->format == 6)
				put(file, law_encode(LAW_A, value), 1);
			else if (kind->format == 7)
				put(file, law_encode(LAW_U, value), 1);
			else
				put(file, (guint16)value, width);
	}
	return file;
}

/* All that it plays. */
static GArray *
play(Sound *sound)
{
	AudioSource *source = audio_player(sound);
	GArray *pcm = g_array_new(FALSE, FALSE, sizeof(gint16));
	gint16 frame[AUDIO_FRAME];
	guint n;

	do {
		n = source->pull(source, frame);
		g_array_append_vals(pcm, frame, n);
	} while (n == AUDIO_FRAME);
	g_assert_cmpuint(source->pull(source, frame), ==, 0);
	audio_source_free(source);
	return pcm;
}

/* What is not this tone, in parts of it: from 0.1 to 0.9 s, amplitude and phase fitted. */
static double
rest_of(const GArray *pcm, double hz)
{
	const gint16 *x = (const gint16 *)pcm->data + AUDIO_RATE / 10;
	const guint n = AUDIO_RATE * 8 / 10;
	double re = 0, im = 0, all = 0;

	for (guint i = 0; i < n; i++) {
		re += x[i] * cos(2 * G_PI * hz * i / AUDIO_RATE);
		im += x[i] * sin(2 * G_PI * hz * i / AUDIO_RATE);
		all += (double)x[i] * x[i];
	}
	g_assert_cmpfloat_with_epsilon(2 * sqrt(re * re + im * im) / n, AMPLITUDE, 200);
	return 1 - 2 * (re * re + im * im) / n / all;
}

static void
check(const Kind *kind, double hz, double allowed)
{
	g_autoptr(GByteArray) file = wav(kind, hz);
	g_autoptr(GError) error = NULL;
	g_autoptr(Sound) sound = sound_parse(file->data, file->len, &error);
	g_autoptr(GArray) pcm = NULL;

	g_assert_no_error(error);
	g_assert_cmpint(ABS((gint)sound_ms(sound) - 1000), <=, 1);
	pcm = play(sound);
	g_assert_cmpuint(pcm->len * 1000 / AUDIO_RATE, ==, sound_ms(sound));
	g_assert_cmpfloat(rest_of(pcm, hz), <, allowed);
}

static void
test_wav(void)
{
	static const guint rates[] = { 8000, 11025, 16000, 22050, 32000, 44100, 48000, 96000 };

	for (guint i = 0; i < G_N_ELEMENTS(rates); i++) {
		check(&(Kind){ 1, 1, rates[i], 16, 0, FALSE }, 1000, 0.0001);
		check(&(Kind){ 1, 2, rates[i], 16, 0, TRUE }, 440, 0.0001);
		check(&(Kind){ 6, 1, rates[i], 8, 0, FALSE }, 1000, 0.001);
		check(&(Kind){ 7, 1, rates[i], 8, 0, TRUE }, 1000, 0.001);
	}
	check(&(Kind){ 1, 8, 48000, 16, 0, FALSE }, 1000, 0.0001);
	/* written to a pipe: nobody knew its length */
	check(&(Kind){ 1, 1, 16000, 16, 0xffffffff, FALSE }, 1000, 0.0001);
}

/* What our rate cannot have must not come back as something else. */
static void
test_no_alias(void)
{
	g_autoptr(GByteArray) file = wav(&(Kind){ 1, 1, 48000, 16, 0, FALSE }, 11000);
	g_autoptr(Sound) sound = sound_parse(file->data, file->len, NULL);
	g_autoptr(GArray) pcm = play(sound);
	double all = 0;

	for (guint i = AUDIO_RATE / 10; i < AUDIO_RATE * 9 / 10; i++) {
		const double x = g_array_index(pcm, gint16, i);

		all += x * x;
	}
	g_assert_cmpfloat(sqrt(all / (AUDIO_RATE * 0.8)), <, 20);
}

static void
refused(const guint8 *data, gsize size, const char *why)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(sound_parse(data, size, &error));
	g_assert_cmpstr(error->message, ==, why);
}

static void
test_refused(void)
{
	static const Kind kinds[] = {
		{ 1, 1, 16000, 24, 0, FALSE }, { 3, 1, 16000, 32, 0, FALSE },
		{ 1, 9, 16000, 16, 0, FALSE }, { 1, 1, 2000, 16, 0, FALSE },
		{ 6, 1, 8000, 16, 0, FALSE },
	};
	static const char *const why[] = {
		"a WAV file must be of 16 bits linear, A-law or mu-law",
		"a WAV file must be of 16 bits linear, A-law or mu-law",
		"a WAV file must have 1 to 8 channels",
		"a WAV file must have 4000 to 192000 samples a second",
		"a WAV file must be of 16 bits linear, A-law or mu-law",
	};
	g_autoptr(GByteArray) good = wav(&(Kind){ 1, 1, 8000, 16, 0, FALSE }, 440);
	static const guint8 mp3[] = "ID3\4";

	for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
		g_autoptr(GByteArray) file = wav(&kinds[i], 440);

		refused(file->data, file->len, why[i]);
	}
	refused(mp3, sizeof mp3, "the file is neither WAV nor Ogg Opus");
	refused(NULL, 0, "the file is neither WAV nor Ogg Opus");
	refused(good->data, 12, "the WAV file has no audio");
	refused(good->data, 36, "the WAV file has no audio");
	refused(good->data, 12 + 8 + 16 + 12 + 8, "the file has no audio");
	memcpy(good->data + 12, "abcd", 4);
	refused(good->data, good->len, "the WAV file does not say what it is made of");
	refused((const guint8 *)"OggS", 4, "the Ogg file has no Opus in it");
}

static void
test_too_long(void)
{
	g_autoptr(GByteArray) file = wav(&(Kind){ 6, 1, 4000, 8, 0xffffffff, FALSE }, 440);
	const guint length = 4000 * (AUDIO_LONGEST_S + 1);

	g_byte_array_set_size(file, length);
	refused(file->data, file->len, "the WAV file is too long");
}

static void
test_read(void)
{
	g_autofree char *folder = g_dir_make_tmp("sound-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(folder, "a.wav", NULL);
	g_autoptr(GByteArray) file = wav(&(Kind){ 1, 1, 8000, 16, 0, FALSE }, 440);
	g_autoptr(GError) error = NULL;
	g_autofree char *words = g_strdup_printf("%s: this is no file", folder);
	Sound *sound;

	g_assert_true(g_file_set_contents(path, (const char *)file->data, file->len, NULL));
	sound = sound_read(path, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(sound_ms(sound), ==, 1000);
	sound_unref(sound);
	g_assert_true(g_file_set_contents(path, "hello", 5, NULL));
	g_assert_null(sound_read(path, &error));
	g_assert_true(g_str_has_suffix(error->message, "neither WAV nor Ogg Opus"));
	g_assert_true(g_str_has_prefix(error->message, path));
	g_clear_error(&error);
	g_assert_null(sound_read(folder, &error));
	g_assert_cmpstr(error->message, ==, words);
	g_clear_error(&error);
	g_unlink(path);
	g_assert_null(sound_read(path, &error));
	g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
	g_rmdir(folder);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/sound/wav", test_wav);
	g_test_add_func("/sound/no-alias", test_no_alias);
	g_test_add_func("/sound/refused", test_refused);
	g_test_add_func("/sound/too-long", test_too_long);
	g_test_add_func("/sound/read", test_read);
	return g_test_run();
}
