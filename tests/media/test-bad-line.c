/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-bad-line.c - what a telephone hears of a client whose line loses packets: Opus made
 * into G.711 here, against G.711 passed through, with the same packets lost and late, measured
 * at the ear in the same way.
 */
#include "media/transcode.h"
#include <math.h>
#include <string.h>

#define FRAME_US     20000
#define FRAMES	     3000
#define TONE_FRAMES  5	    /* of each tone */
#define TURNS	     4	    /* of the dice, so many frames each */
#define PHONE_US     160000 /* the jitter buffer of the telephone */
#define PHONE_FRAME  160    /* samples at 8000 */
#define LOUD	     8000
#define LATE_SAMPLES 60 /* of libopus, both ways */
#define STEP	     40 /* samples between two looks of WINDOW each */
#define WINDOW	     80
#define STEP_MS	     5
#define GAP_MS	     40

static const CodecType *
type(const char *name)
{
	return codec_type_named(name);
}

/* --- what is said --- */

typedef struct {
	guint8 tones[FRAMES / TONE_FRAMES + 1];
	guint8 payloads[FRAMES][CODER_MAX_PAYLOAD];
	gsize sizes[FRAMES];
	gint16 pcm[FRAMES * PHONE_FRAME]; /* G.711, as it passes through */
} Speech;

static double
tone_of(const Speech *speech, guint frame)
{
	return 500 + 200.0 * speech->tones[frame / TONE_FRAMES];
}

static Speech *
speech_new(guint loss)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(7);
	Encoder *encoder = encoder_new(type("opus"), 16000);
	Speech *speech = g_new0(Speech, 1);
	double phase = 0;

	encoder_set_loss(encoder, loss);
	for (guint i = 0; i < G_N_ELEMENTS(speech->tones); i++)
		speech->tones[i] = (guint8)g_rand_int_range(rand, 0, 8);
	for (guint i = 0; i < FRAMES; i++) {
		gint16 pcm[2 * PHONE_FRAME];

		for (guint k = 0; k < G_N_ELEMENTS(pcm); k++) {
			pcm[k] = (gint16)(LOUD * sin(phase));
			phase += 2 * G_PI * tone_of(speech, i) / 16000;
		}
		speech->sizes[i] =
			encoder_encode(encoder, pcm, G_N_ELEMENTS(pcm), speech->payloads[i]);
		for (guint k = 0; k < PHONE_FRAME; k++)
			speech->pcm[i * PHONE_FRAME + k] = pcm[2 * k];
	}
	encoder_free(encoder);
	return speech;
}

/* --- the line --- */

typedef struct {
	gint64 at;
	guint frame;
} Arrival;

static gint
by_arrival(gconstpointer a, gconstpointer b)
{
	const Arrival *one = a, *other = b;

	return one->at < other->at ? -1 : one->at > other->at;
}

static GArray *
arrivals_new(guint loss, guint jitter_ms, guint turn)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(100 + turn);
	GArray *arrivals = g_array_new(FALSE, FALSE, sizeof(Arrival));

	for (guint i = 0; i < FRAMES; i++) {
		const double late = i ? g_rand_double(rand) : 0, dice = g_rand_double(rand);
		const Arrival arrival = { (gint64)i * FRAME_US + (gint64)(late * jitter_ms * 2000),
					  i };

		if (i == 0 || dice >= loss / 100.0)
			g_array_append_val(arrivals, arrival);
	}
	g_array_sort(arrivals, by_arrival);
	return arrivals;
}

/* --- the telephone --- */

typedef struct {
	gint16 pcm[(FRAMES + 100) * PHONE_FRAME];
	gint64 soonest;
} Ear;

static void
ear_hear(Ear *ear, guint64 at, const gint16 *pcm, gint64 now)
{
	const gint64 way = now - (gint64)(at * 125);

	if (at == 0 || way < ear->soonest)
		ear->soonest = way;
	if (way <= ear->soonest + PHONE_US)
		memcpy(ear->pcm + at, pcm, PHONE_FRAME * sizeof *pcm);
}

/* `hides`: it fills gaps itself. */
static Ear *
hear_plain(const Speech *speech, const GArray *arrivals, gboolean hides)
{
	g_autofree guint8 *came = g_malloc0(FRAMES);
	Decoder *decoder = decoder_new(type("PCMU"), 8000);
	Encoder *encoder = encoder_new(type("PCMU"), 8000);
	Ear *ear = g_new0(Ear, 1);

	for (guint i = 0; i < arrivals->len; i++)
		came[g_array_index(arrivals, Arrival, i).frame] = 1;
	for (guint i = 0; i < FRAMES; i++) {
		const guint64 at = (guint64)i * PHONE_FRAME;
		guint8 payload[CODER_MAX_PAYLOAD];
		gint16 pcm[CODER_MAX_SAMPLES] = { 0 };

		if (came[i])
			decoder_decode(
				decoder, payload,
				encoder_encode(encoder, speech->pcm + at, PHONE_FRAME, payload),
				pcm);
		else if (hides)
			decoder_conceal(decoder, NULL, 0, pcm, PHONE_FRAME);
		ear_hear(ear, at, pcm, (gint64)(at * 125));
	}
	decoder_free(decoder);
	encoder_free(encoder);
	return ear;
}

static Ear *
hear_opus(const Speech *speech, const GArray *arrivals)
{
	Transcoder *transcoder = transcoder_new(type("PCMU"), 20);
	Decoder *phone = decoder_new(type("PCMU"), 8000);
	Ear *ear = g_new0(Ear, 1);
	gint64 before = 0;
	double jitter_us = 0;
	guint64 at = 0;
	guint next = 0;

	for (gint64 now = 0; now < (FRAMES + 50) * FRAME_US; now += 1000) {
		guint8 payload[CODER_MAX_PAYLOAD];
		gint16 pcm[CODER_MAX_SAMPLES];
		TranscodedFrame frame;

		for (; next < arrivals->len; next++) {
			const Arrival *one = &g_array_index(arrivals, Arrival, next);
			const gint64 way = now - (gint64)one->frame * FRAME_US;
			RtpPacket packet = { .ssrc = 1,
					     .seq = (guint16)one->frame,
					     .timestamp = one->frame * 960,
					     .payload = speech->payloads[one->frame],
					     .payload_size = speech->sizes[one->frame] };

			if (one->at > now)
				break;
			jitter_us += (fabs((double)(way - before)) - jitter_us) / 16;
			before = way;
			transcoder_push(transcoder, type("opus"), &packet, (guint32)jitter_us, now);
		}
		if (now % FRAME_US == 0)
			transcoder_tick(transcoder, now);
		while (transcoder_pull(transcoder, payload, &frame)) {
			at += frame.silence;
			decoder_decode(phone, payload, frame.size, pcm);
			ear_hear(ear, at, pcm, now);
			at += PHONE_FRAME;
		}
	}
	transcoder_free(transcoder);
	decoder_free(phone);
	return ear;
}

/* --- the measure --- */

typedef struct {
	guint looks, damaged;	/* of 10 ms, every 5 ms, that hold less than half of their tone */
	guint longest_ms, gaps; /* of GAP_MS and more */
} Damage;

/* `late`: the codec's own delay.  Those across two tones are not looked at. */
static void
measure(Damage *found, const Speech *speech, const Ear *ear, guint late)
{
	guint row = 0;

	for (guint at = 50 * PHONE_FRAME; at < (FRAMES - 50) * PHONE_FRAME; at += STEP) {
		const guint tone = at % (TONE_FRAMES * PHONE_FRAME);
		const double step = 2 * G_PI * tone_of(speech, at / PHONE_FRAME) / 8000;
		double re = 0, im = 0;

		if (tone < WINDOW || tone > TONE_FRAMES * PHONE_FRAME - 2 * WINDOW)
			continue;
		for (guint i = 0; i < WINDOW; i++) {
			re += ear->pcm[at + late + i] * cos(step * i);
			im += ear->pcm[at + late + i] * sin(step * i);
		}
		row = sqrt(re * re + im * im) / WINDOW < LOUD / 4.0 ? row + 1 : 0;
		found->looks++;
		found->damaged += row > 0;
		found->gaps += row == GAP_MS / STEP_MS;
		found->longest_ms = MAX(found->longest_ms, row * STEP_MS);
	}
}

typedef struct {
	const char *path;
	guint loss, jitter_ms;
} Line;

static const Line lines[] = {
	{ "/bad-line/loss-of-5-percent", 5, 0 },
	{ "/bad-line/loss-of-10-percent", 10, 0 },
	{ "/bad-line/loss-of-5-percent-and-jitter", 5, 60 },
	{ "/bad-line/loss-of-10-percent-and-jitter", 10, 60 },
};

static void
say(const char *name, const Damage *damage)
{
	g_test_message("%s: %.2f %% damaged, %u ms at most, %u gaps of %u ms", name,
		       100.0 * damage->damaged / damage->looks, damage->longest_ms, damage->gaps,
		       GAP_MS);
}

static void
test_line(gconstpointer data)
{
	const Line *line = data;
	g_autofree Speech *speech = speech_new(line->loss);
	Damage plain = { 0 }, hidden = { 0 }, opus = { 0 };

	for (guint turn = 0; turn < TURNS; turn++) {
		g_autoptr(GArray) arrivals = arrivals_new(line->loss, line->jitter_ms, turn);
		g_autofree Ear *of_plain = hear_plain(speech, arrivals, FALSE);
		g_autofree Ear *of_hidden = hear_plain(speech, arrivals, TRUE);
		g_autofree Ear *of_opus = hear_opus(speech, arrivals);

		measure(&plain, speech, of_plain, 0);
		measure(&hidden, speech, of_hidden, 0);
		measure(&opus, speech, of_opus, LATE_SAMPLES);
	}
	say("G.711", &plain);
	say("G.711, the telephone hides gaps", &hidden);
	say("Opus", &opus);
	g_assert_cmpuint(plain.longest_ms, >=, GAP_MS);
	g_assert_cmpuint(opus.damaged * 8, <, plain.damaged);
	g_assert_cmpuint(opus.damaged, <, hidden.damaged);
	g_assert_cmpuint(opus.longest_ms, <, plain.longest_ms);
	g_assert_cmpuint(opus.gaps * 4, <, plain.gaps);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (guint i = 0; i < G_N_ELEMENTS(lines); i++)
		g_test_add_data_func(lines[i].path, &lines[i], test_line);
	return g_test_run();
}
