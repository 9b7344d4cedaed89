/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-transcode.c - one codec made into another: what is heard of a tone, through losses,
 * packets out of order, pauses, other packet lengths and junk.
 */
#include "media/transcode.h"
#include <math.h>
#include <string.h>

#define SECONDS	 2
#define FRAME_US 20000
#define MOST	 (SECONDS * 2 * 16000)

static const CodecType *
type(const char *name)
{
	return codec_type_named(name);
}

/* A source of packets, 20 ms or another length each. */
typedef struct {
	const CodecType *type;
	Encoder *encoder;
	guint rate, ms;
	double frequency, phase;
	guint8 payload[CODER_MAX_RECEIVED];
	RtpPacket packet;
} Source;

static Source *
source_new(const CodecType *of, guint rate, double frequency, guint ms)
{
	Source *source = g_new0(Source, 1);

	source->type = of;
	source->rate = rate;
	source->ms = ms;
	source->frequency = frequency;
	source->encoder = encoder_new(of, rate);
	source->packet.ssrc = 0x1234;
	source->packet.seq = 65530; /* rolls over */
	source->packet.timestamp = 0xfffff000;
	return source;
}

static void
source_free(Source *source)
{
	encoder_free(source->encoder);
	g_free(source);
}

static const RtpPacket *
source_next(Source *source)
{
	gint16 pcm[CODER_MAX_SAMPLES];
	const guint samples = source->rate / 1000 * source->ms;

	for (guint i = 0; i < samples; i++) {
		pcm[i] = (gint16)(8000 * sin(source->phase));
		source->phase += 2 * G_PI * source->frequency / source->rate;
	}
	source->packet.payload_size =
		encoder_encode(source->encoder, pcm, samples, source->payload);
	g_assert_cmpuint(source->packet.payload_size, >, 0);
	source->packet.payload = source->payload;
	source->packet.seq++;
	source->packet.timestamp += source->type->clock / 1000 * source->ms;
	return &source->packet;
}

/* What is heard at the sink. */
typedef struct {
	Decoder *decoder;
	guint rate, n, frames;
	guint64 units, silence;
	gint16 pcm[MOST];
} Sink;

static void
sink_take(Sink *sink, Transcoder *transcoder)
{
	guint8 payload[CODER_MAX_PAYLOAD];
	gint16 pcm[CODER_MAX_SAMPLES];
	TranscodedFrame frame;

	while (transcoder_pull(transcoder, payload, &frame)) {
		const guint samples = decoder_decode(sink->decoder, payload, frame.size, pcm);

		g_assert_cmpuint(samples, >, 0);
		g_assert_cmpint(frame.marker, ==, sink->frames == 0 || frame.silence > 0);
		sink->frames++;
		sink->units += frame.units;
		sink->silence += frame.silence;
		g_assert_cmpuint(sink->n + samples, <=, MOST);
		memcpy(sink->pcm + sink->n, pcm, samples * sizeof *pcm);
		sink->n += samples;
	}
}

/* The share of this frequency in what was heard from `from` to `to` seconds; by 20 ms, as
 * what is made up for a lost packet need not keep the phase. */
static double
share(const Sink *sink, double frequency, double from, double to)
{
	const guint window = sink->rate / 50, last = (guint)(to * sink->rate);
	double found = 0, all = 1;

	g_assert_cmpuint(last, <=, sink->n);
	for (guint at = (guint)(from * sink->rate); at + window <= last; at += window) {
		double re = 0, im = 0;

		for (guint i = at; i < at + window; i++) {
			const double angle = 2 * G_PI * frequency * i / sink->rate;

			re += sink->pcm[i] * cos(angle);
			im += sink->pcm[i] * sin(angle);
			all += (double)sink->pcm[i] * sink->pcm[i];
		}
		found += 2 * (re * re + im * im) / window;
	}
	return found / all;
}

static guint
common_rate(const CodecType *from, const CodecType *to)
{
	return MIN(MIN(from->rate, to->rate), 16000);
}

/* --- from each to each --- */

static const char *const names[] = { "opus", "G722", "PCMU", "PCMA", "G729", "AMR", "AMR-WB" };

static void
check_pair(const CodecType *from, const CodecType *to, double frequency, guint ms, guint ptime)
{
	const guint rate = common_rate(from, to);
	Source *source = source_new(from, rate, frequency, ms);
	Transcoder *transcoder = transcoder_new(to, ptime);
	Sink *sink = g_new0(Sink, 1);
	TranscoderStats stats;

	sink->rate = rate;
	sink->decoder = decoder_new(to, rate);
	for (guint i = 0; i < SECONDS * 1000 / ms; i++) {
		transcoder_push(transcoder, from, source_next(source), 0, i * 1000 * ms);
		sink_take(sink, transcoder);
	}
	transcoder_stats(transcoder, &stats);
	g_assert_cmpuint(stats.concealed + stats.late + stats.unreadable, ==, 0);
	g_assert_cmpuint(stats.packets, ==, SECONDS * 1000 / ms);
	g_assert_cmpuint(sink->n, >, SECONDS * rate - rate / 10);
	g_assert_cmpuint(sink->frames, ==, SECONDS * 1000 / (ptime ? ptime : 20));
	g_assert_cmpuint(sink->units, ==, SECONDS * to->clock);
	g_test_message("%s to %s, %g Hz, %u ms to %u ms: %.3f of it", from->name, to->name,
		       frequency, ms, ptime, share(sink, frequency, 0.3, 1.8));
	g_assert_cmpfloat(share(sink, frequency, 0.3, 1.8), >, 0.9);
	decoder_free(sink->decoder);
	g_free(sink);
	transcoder_free(transcoder);
	source_free(source);
}

static void
test_pairs(void)
{
	for (guint i = 0; i < G_N_ELEMENTS(names); i++)
		for (guint k = 0; k < G_N_ELEMENTS(names); k++) {
			const CodecType *from = type(names[i]), *to = type(names[k]);

			if (!from || !to)
				continue; /* left out by configure */
			g_assert_true(transcode_possible(from, to));
			check_pair(from, to, 440, 20, 0);
			if (common_rate(from, to) == 16000) /* wideband stays wideband */
				check_pair(from, to, 5000, 20, 20);
		}
	g_assert_false(transcode_possible(type("telephone-event"), type("opus")));
	g_assert_false(transcode_possible(type("opus"), NULL));
}

static void
test_lengths(void)
{
	static const guint lengths[] = { 10, 20, 40, 60 };

	for (guint i = 0; i < G_N_ELEMENTS(lengths) - 1; i++)
		for (guint k = 0; k < G_N_ELEMENTS(lengths) - 1; k++) {
			check_pair(type("opus"), type("PCMA"), 440, lengths[i], lengths[k]);
			check_pair(type("PCMU"), type("opus"), 440, lengths[i], lengths[k]);
		}
}

/* RFC 3551 4.2: up to 200 ms.  Farstream, which Gajim has, fills packets of G.711 up to the MTU. */
static void
test_long_packets(void)
{
	static const guint lengths[] = { 80, 100, 200 };

	for (guint i = 1; i < G_N_ELEMENTS(names); i++) /* of Opus none is longer than 120 */
		for (guint k = 0; k < G_N_ELEMENTS(lengths); k++) {
			const CodecType *from = type(names[i]);

			if (!from)
				continue; /* left out by configure */
			check_pair(from, type("opus"), 440, lengths[k], 20);
			check_pair(from, type("PCMA"), 440, lengths[k], 0);
		}
	check_pair(type("PCMA"), type("opus"), 440, 125, 20);
}

/* --- what the network does --- */

typedef struct {
	const char *name, *from, *to;
	guint lost;    /* one packet in so many, 0: none */
	guint swapped; /* likewise: with the next one */
	guint twice;
	guint32 jitter_us;
	double heard; /* at least this share of the tone */
	gboolean conceals;
} Line;

static const Line lines[] = {
	{ "opus-loss", "opus", "PCMU", 10, 0, 0, 0, 0.8, TRUE },
	{ "g711-loss", "PCMU", "opus", 10, 0, 0, 0, 0.8, TRUE },
	{ "g722-loss", "G722", "PCMA", 10, 0, 0, 0, 0.8, TRUE },
	{ "swapped-waited", "opus", "PCMA", 0, 7, 0, 20000, 0.9, FALSE },
	{ "swapped-not-waited", "PCMA", "opus", 0, 7, 0, 0, 0.8, TRUE },
	{ "twice", "PCMA", "opus", 0, 0, 5, 0, 0.9, FALSE },
};

static void
test_line(gconstpointer data)
{
	const Line *line = data;
	const CodecType *from = type(line->from), *to = type(line->to);
	const guint rate = common_rate(from, to);
	Source *source = source_new(from, rate, 440, 20);
	Transcoder *transcoder = transcoder_new(to, 0);
	Sink *sink = g_new0(Sink, 1);
	TranscoderStats stats;
	guint8 payload[CODER_MAX_PAYLOAD];
	RtpPacket kept = { 0 };
	gint64 now = 0;

	sink->rate = rate;
	sink->decoder = decoder_new(to, rate);
	for (guint i = 1; i <= SECONDS * 50; i++, now += FRAME_US) {
		const RtpPacket *packet = source_next(source);

		if (line->lost && i % line->lost == 0)
			continue;
		if (line->swapped && i % line->swapped == 0) {
			kept = *packet;
			memcpy(payload, packet->payload, packet->payload_size);
			kept.payload = payload;
			continue;
		}
		transcoder_push(transcoder, from, packet, line->jitter_us, now);
		if (line->twice && i % line->twice == 0)
			transcoder_push(transcoder, from, packet, line->jitter_us, now);
		if (kept.payload)
			transcoder_push(transcoder, from, &kept, line->jitter_us, now);
		kept.payload = NULL;
		transcoder_tick(transcoder, now);
		sink_take(sink, transcoder);
	}
	transcoder_stats(transcoder, &stats);
	g_assert_cmpint(stats.concealed > 0, ==, line->conceals);
	g_assert_cmpuint(sink->units + sink->silence, >, (SECONDS * 1000 - 100) * to->clock / 1000);
	g_assert_cmpuint(sink->units + sink->silence, <=, SECONDS * to->clock);
	g_test_message("%.3f of the tone, %u frames concealed", share(sink, 440, 0.3, 1.8),
		       (guint)stats.concealed);
	g_assert_cmpfloat(share(sink, 440, 0.3, 1.8), >, line->heard);
	decoder_free(sink->decoder);
	g_free(sink);
	transcoder_free(transcoder);
	source_free(source);
}

/* A gap is given up when the missing packet is later than the jitter says, though nothing
 * more comes.  A packet behind the gap that was late itself waits the less. */
typedef struct {
	const char *name;
	guint32 jitter_us;
	gint64 comes_us, over_us; /* the packet behind the gap; it would be due at 40 ms */
	gint64 pause_us; /* before, without a step of the timestamps; times are from its end */
} Gap;

static const Gap gaps[] = {
	{ "/transcode/gap/in-time", 10000, 40000, 60000, 0 },
	{ "/transcode/gap/much-jitter", 40000, 40000, 140000, 0 },
	{ "/transcode/gap/late-itself", 40000, 100000, 140100, 0 },
	{ "/transcode/gap/as-late-as-can-be", 40000, 150000, 170000, 0 },
	{ "/transcode/gap/little-jitter", 1000, 40000, 43000, 0 },
	{ "/transcode/gap/after-a-pause", 40000, 40000, 140000, 5000000 },
};

static void
test_gap_in_time(gconstpointer data)
{
	const Gap *gap = data;
	const gint64 began = gap->pause_us;
	Source *source = source_new(type("PCMU"), 8000, 440, 20);
	Transcoder *transcoder = transcoder_new(type("opus"), 0);
	guint8 payload[CODER_MAX_PAYLOAD];
	TranscodedFrame frame;
	TranscoderStats stats;

	transcoder_push(transcoder, source->type, source_next(source), gap->jitter_us, 0);
	g_assert_true(transcoder_pull(transcoder, payload, &frame));
	if (began) {
		transcoder_push(transcoder, source->type, source_next(source), gap->jitter_us,
				began);
		g_assert_true(transcoder_pull(transcoder, payload, &frame));
	}
	source_next(source);
	transcoder_push(transcoder, source->type, source_next(source), gap->jitter_us,
			began + gap->comes_us);
	g_assert_false(transcoder_pull(transcoder, payload, &frame));
	g_assert_true(transcoder_waits(transcoder));
	transcoder_tick(transcoder, began + gap->over_us - 1);
	g_assert_false(transcoder_pull(transcoder, payload, &frame));
	transcoder_tick(transcoder, began + gap->over_us);
	g_assert_true(transcoder_pull(transcoder, payload, &frame));
	g_assert_true(transcoder_pull(transcoder, payload, &frame));
	g_assert_false(transcoder_waits(transcoder));
	transcoder_stats(transcoder, &stats);
	g_assert_cmpuint(stats.waited_ms, ==, (gap->over_us - gap->comes_us) / 1000);
	transcoder_free(transcoder);
	source_free(source);
}

/* Numbers that run ahead of the timestamps are no packets of so few samples each: what is made
 * for a gap costs what its time costs. */
static void
test_gap_of_many(gconstpointer name)
{
	const CodecType *from = type(name);
	const guint jumps = 20;
	TranscoderStats stats;
	Transcoder *transcoder;
	Source *source;

	if (!from) {
		g_test_skip("built without");
		return;
	}
	source = source_new(from, MIN(from->rate, 16000), 440, 20);
	transcoder = transcoder_new(type("PCMA"), 0);
	for (guint i = 0; i <= jumps; i++) {
		transcoder_push(transcoder, from, source_next(source), 0, i * FRAME_US);
		transcoder_tick(transcoder, (i + 1) * FRAME_US);
		source->packet.seq += 800;
		source->packet.timestamp += from->clock / 10;
	}
	transcoder_stats(transcoder, &stats);
	g_assert_cmpuint(stats.packets, ==, jumps + 1);
	g_assert_cmpuint(stats.concealed, >=, jumps * 5);
	g_assert_cmpuint(stats.concealed, <=, jumps * 10);
	transcoder_free(transcoder);
	source_free(source);
}

/* Nor is a packet of one sample the measure of a gap. */
static void
test_gap_after_one_sample(void)
{
	Source *source = source_new(type("PCMU"), 8000, 440, 20);
	Transcoder *transcoder = transcoder_new(type("opus"), 0);
	TranscoderStats stats;
	RtpPacket packet = *source_next(source);

	packet.payload_size = 1;
	transcoder_push(transcoder, source->type, &packet, 0, 0);
	packet.seq += 2;
	packet.timestamp += 801;
	transcoder_push(transcoder, source->type, &packet, 0, FRAME_US);
	transcoder_tick(transcoder, 10 * FRAME_US);
	transcoder_stats(transcoder, &stats);
	g_assert_cmpuint(stats.packets, ==, 2);
	g_assert_cmpuint(stats.concealed, ==, 10);
	transcoder_free(transcoder);
	source_free(source);
}

/* Keys take numbers of the stream and time of the audio: nothing is missing, and the sink's
 * clock goes on. */
static void
test_silence(void)
{
	Source *source = source_new(type("PCMU"), 8000, 440, 20);
	Transcoder *transcoder = transcoder_new(type("opus"), 0);
	guint8 payload[CODER_MAX_PAYLOAD];
	TranscodedFrame frame;
	TranscoderStats stats;

	transcoder_push(transcoder, source->type, source_next(source), 0, 0);
	g_assert_true(transcoder_pull(transcoder, payload, &frame));
	for (guint i = 0; i < 8; i++)
		transcoder_pass(transcoder, source_next(source));
	transcoder_push(transcoder, source->type, source_next(source), 0, 180000);
	g_assert_true(transcoder_pull(transcoder, payload, &frame));
	g_assert_cmpuint(frame.silence, ==, 8 * 960);
	g_assert_true(frame.marker);
	g_assert_cmpuint(frame.units, ==, 960);
	transcoder_stats(transcoder, &stats);
	g_assert_cmpuint(stats.concealed, ==, 0);
	transcoder_free(transcoder);
	source_free(source);
}

/* Opus DTX: a source that pauses is heard as its line, at the pace of time. */
static void
test_pause(void)
{
	static const guint8 pause[] = { 0x08 }; /* a TOC, and nothing else */
	Source *source = source_new(type("opus"), 8000, 440, 20);
	Transcoder *transcoder = transcoder_new(type("PCMA"), 0);
	guint8 payload[CODER_MAX_PAYLOAD];
	TranscodedFrame frame;
	RtpPacket packet;
	guint frames = 0;

	transcoder_push(transcoder, source->type, source_next(source), 0, 0);
	packet = *source_next(source);
	packet.payload = pause;
	packet.payload_size = sizeof pause;
	transcoder_push(transcoder, source->type, &packet, 0, FRAME_US);
	g_assert_true(transcoder_waits(transcoder));
	for (gint64 now = 2 * FRAME_US; now <= 51 * FRAME_US; now += FRAME_US)
		transcoder_tick(transcoder, now);
	while (transcoder_pull(transcoder, payload, &frame))
		frames++;
	g_assert_cmpuint(frames, >=, 9); /* as many as there is room for: nobody has taken any */
	transcoder_free(transcoder);
	source_free(source);
}

/* A sink that asks for pauses gets the first frame of one, a frame now and then while it lasts
 * (RFC 6716 2.1.9), and a clock that goes on; another gets every frame. */
static void
test_pause_made(void)
{
	static const struct {
		gboolean dtx;
		guint least, most; /* frames of 5 s in which nothing is said */
	} rows[] = { { FALSE, 250, 250 }, { TRUE, 10, 40 } };

	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		Source *source = source_new(type("PCMU"), 8000, 440, 20);
		Transcoder *transcoder = transcoder_new(type("opus"), 0);
		guint8 payload[CODER_MAX_PAYLOAD], quiet[160];
		TranscodedFrame frame;
		guint64 units = 0;
		guint frames = 0, spoken = 0;

		memset(quiet, 0xff, sizeof quiet);
		transcoder_set_modes(transcoder, &(CodecModes){ .dtx = rows[i].dtx });
		for (guint n = 0; n < 25 + 250 + 25; n++) {
			const gboolean says = n < 25 || n >= 275;
			RtpPacket packet = *source_next(source);

			if (!says)
				packet.payload = quiet;
			transcoder_push(transcoder, source->type, &packet, 0, n * FRAME_US);
			while (transcoder_pull(transcoder, payload, &frame)) {
				*(says ? &spoken : &frames) += 1;
				g_assert_cmpint(frame.marker, ==, units == 0 || frame.silence > 0);
				units += frame.silence + frame.units;
			}
		}
		g_test_message("%u frames of a pause of 250", frames);
		g_assert_cmpuint(spoken, ==, 50);
		g_assert_cmpuint(frames, >=, rows[i].least);
		g_assert_cmpuint(frames, <=, rows[i].most);
		g_assert_cmpuint(units, ==, 300 * 960);
		transcoder_free(transcoder);
		source_free(source);
	}
}

/* SID of the codecs of speech: the same, and speech ends it. */
typedef struct {
	const char *path, *name;
	guint8 sid[12];
	gsize size;
	guint frames; /* of 20 ms, that the payload itself is */
} Sid;

static const Sid sids[] = {
	{ "/transcode/sid/amr", "AMR", { 0xf4, 0x40, 0x1a, 0x2b, 0x3c, 0x4d, 0x50 }, 7, 1 },
	{ "/transcode/sid/amr-wb", "AMR-WB", { 0xf4, 0xc0, 0x1a, 0x2b, 0x3c, 0x4d, 0x50 }, 7, 1 },
	{ "/transcode/sid/g729", "G729", { 0x1a, 0x2b }, 2, 0 },
	{ "/transcode/sid/g729-behind-speech",
	  "G729",
	  { 0x78, 0x52, 0x80, 0xa0, 0x00, 0xfa, 0xc2, 0x00, 0x07, 0xd6, 0x1a, 0x2b },
	  12,
	  1 },
};

static void
test_sid(gconstpointer data)
{
	const Sid *sid = data;
	Transcoder *transcoder = transcoder_new(type("PCMA"), 0);
	guint8 payload[CODER_MAX_PAYLOAD];
	TranscodedFrame frame;
	TranscoderStats stats;
	guint frames = 0;
	RtpPacket packet;
	Source *source;
	gint64 now;

	if (!type(sid->name)) {
		g_test_skip("built without");
		transcoder_free(transcoder);
		return;
	}
	source = source_new(type(sid->name), type(sid->name)->rate, 440, 20);
	transcoder_push(transcoder, source->type, source_next(source), 0, 0);
	g_assert_true(transcoder_pull(transcoder, payload, &frame));
	g_assert_false(transcoder_waits(transcoder));
	packet = *source_next(source);
	packet.payload = sid->sid;
	packet.payload_size = sid->size;
	transcoder_push(transcoder, source->type, &packet, 0, FRAME_US);
	g_assert_true(transcoder_waits(transcoder));
	while (transcoder_pull(transcoder, payload, &frame))
		frames++;
	g_assert_cmpuint(frames, ==, sid->frames);
	for (now = 2 * FRAME_US; now <= 41 * FRAME_US; now += FRAME_US) {
		transcoder_tick(transcoder, now);
		while (transcoder_pull(transcoder, payload, &frame))
			frames++;
	}
	g_assert_cmpuint(frames, >=, 38);
	g_assert_cmpuint(frames, <=, 41);
	source->packet.timestamp += 40 * source->type->clock / 50;
	transcoder_push(transcoder, source->type, source_next(source), 0, now);
	g_assert_false(transcoder_waits(transcoder));
	transcoder_stats(transcoder, &stats);
	g_assert_cmpuint(stats.concealed + stats.unreadable + stats.late, ==, 0);
	transcoder_free(transcoder);
	source_free(source);
}

/* The receiver's set of modes, what it asks for, and what the other side asks for. */
static void
test_modes(void)
{
	const CodecModes modes = { .set = 1 << 0 | 1 << 2 | 1 << 5, .period = 1 };
	const CodecModes others = { .set = 1 << 0 | 1 << 2 | 1 << 7, .period = 1 };
	static const guint8 asking[] = { 0x20, 0x7c }; /* in octets: mode 2, no data */
	Transcoder *to_amr, *from_amr;
	guint8 payload[CODER_MAX_PAYLOAD];
	TranscodedFrame frame;
	const CodecType *octets;
	RtpPacket packet = { .payload = asking, .payload_size = sizeof asking };
	Source *source;

	if (!type("AMR")) {
		g_test_skip("built without");
		return;
	}
	octets = type("AMR") + 1;
	g_assert_true(octets->octet_aligned);
	source = source_new(type("PCMU"), 8000, 440, 20);
	to_amr = transcoder_new(octets, 10); /* a frame has 20 ms */
	from_amr = transcoder_new(type("PCMU"), 0);
	g_assert_cmpuint(transcoder_asked(from_amr), ==, CODER_NO_MODE);
	transcoder_set_modes(to_amr, &modes);
	transcoder_push(to_amr, source->type, source_next(source), 0, 0);
	g_assert_true(transcoder_pull(to_amr, payload, &frame));
	g_assert_cmpuint(frame.units, ==, 160);
	g_assert_cmpuint(frame.size, ==, 2 + 20); /* mode 5 */
	transcoder_push(from_amr, octets, &packet, 0, 0);
	g_assert_cmpuint(transcoder_asked(from_amr), ==, 2);
	transcoder_ask(to_amr, transcoder_asked(from_amr));
	transcoder_push(to_amr, source->type, source_next(source), 0, FRAME_US);
	g_assert_true(transcoder_pull(to_amr, payload, &frame));
	g_assert_cmpuint(frame.size, ==, 2 + 15); /* mode 2 */
	g_assert_cmphex(payload[0], ==, 0xf0);
	/* the description comes again, or another one: what was asked for holds */
	for (guint i = 0; i < 2; i++) {
		transcoder_set_modes(to_amr, i == 0 ? &modes : &others);
		transcoder_ask(to_amr, transcoder_asked(from_amr));
		transcoder_push(to_amr, source->type, source_next(source), 0, (i + 2) * FRAME_US);
		g_assert_true(transcoder_pull(to_amr, payload, &frame));
		g_assert_cmpuint(frame.size, ==, 2 + 15);
	}
	transcoder_free(to_amr);
	transcoder_free(from_amr);
	source_free(source);
}

/* What waits behind a gap is nothing that another decoder reads. */
static void
test_codec_changes(void)
{
	Source *source = source_new(type("PCMU"), 8000, 440, 20);
	Transcoder *transcoder = transcoder_new(type("opus"), 0);
	guint8 payload[CODER_MAX_PAYLOAD];
	TranscodedFrame frame;
	TranscoderStats stats;

	transcoder_push(transcoder, source->type, source_next(source), 0, 0);
	g_assert_true(transcoder_pull(transcoder, payload, &frame));
	source_next(source);
	transcoder_push(transcoder, source->type, source_next(source), 40000, 2 * FRAME_US);
	g_assert_true(transcoder_waits(transcoder));
	for (guint i = 3; i < 20; i++) {
		transcoder_push(transcoder, type("PCMA"), source_next(source), 0, i * FRAME_US);
		g_assert_false(transcoder_waits(transcoder));
		transcoder_tick(transcoder, i * FRAME_US);
		g_assert_true(transcoder_pull(transcoder, payload, &frame));
		g_assert_false(transcoder_pull(transcoder, payload, &frame));
	}
	transcoder_stats(transcoder, &stats);
	g_assert_cmpuint(stats.packets, ==, 18);
	g_assert_cmpuint(stats.concealed + stats.late, ==, 0);
	transcoder_free(transcoder);
	source_free(source);
}

/* A peer that changes its codec with each packet, wide and narrow, is heard, and costs no
 * coder a packet. */
static void
test_codecs_alternate(void)
{
	Source *sources[] = { source_new(type("PCMU"), 8000, 440, 20),
			      source_new(type("G722"), 16000, 440, 20) };
	Transcoder *transcoder = transcoder_new(type("opus"), 0);
	guint8 payload[CODER_MAX_PAYLOAD];
	TranscodedFrame frame;
	TranscoderStats stats;
	guint frames = 0;

	for (guint i = 0; i < 200; i++) {
		RtpPacket packet = *source_next(sources[i % 2]);

		packet.seq = (guint16)i;
		packet.timestamp = i * 160;
		transcoder_push(transcoder, sources[i % 2]->type, &packet, 0, i * FRAME_US);
		while (transcoder_pull(transcoder, payload, &frame))
			frames++;
	}
	transcoder_stats(transcoder, &stats);
	g_assert_cmpuint(stats.coders, ==, 4);
	g_assert_cmpuint(frames, ==, 200);
	transcoder_free(transcoder);
	source_free(sources[0]);
	source_free(sources[1]);
}

static void
test_junk(void)
{
	GRand *rand = g_rand_new_with_seed(7);
	guint8 payload[CODER_MAX_PAYLOAD + 8], out[CODER_MAX_PAYLOAD];
	TranscodedFrame frame;

	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		Transcoder *transcoder = transcoder_new(type(names[(i + 1) % 4]), 0);

		for (guint k = 0; k < 3000; k++) {
			RtpPacket packet = {
				.seq = (guint16)(k * (guint)g_rand_int_range(rand, 1, 3)),
				.timestamp = g_rand_int(rand),
				.payload = payload,
				.payload_size = (gsize)g_rand_int_range(rand, 0, sizeof payload)
			};

			for (gsize b = 0; b < packet.payload_size; b++)
				payload[b] = (guint8)g_rand_int(rand);
			transcoder_push(transcoder, type(names[i]), &packet, 5000,
					(gint64)k * FRAME_US);
			transcoder_tick(transcoder, (gint64)k * FRAME_US);
			while (transcoder_pull(transcoder, out, &frame))
				;
		}
		transcoder_free(transcoder);
	}
	g_rand_free(rand);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/transcode/pairs", test_pairs);
	g_test_add_func("/transcode/lengths", test_lengths);
	g_test_add_func("/transcode/long-packets", test_long_packets);
	for (guint i = 0; i < G_N_ELEMENTS(lines); i++) {
		g_autofree char *path = g_strconcat("/transcode/line/", lines[i].name, NULL);

		g_test_add_data_func(path, &lines[i], test_line);
	}
	for (guint i = 0; i < G_N_ELEMENTS(gaps); i++)
		g_test_add_data_func(gaps[i].name, &gaps[i], test_gap_in_time);
	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_strconcat("/transcode/gap-of-many/", names[i], NULL);

		g_test_add_data_func(path, names[i], test_gap_of_many);
	}
	g_test_add_func("/transcode/gap-after-one-sample", test_gap_after_one_sample);
	g_test_add_func("/transcode/silence", test_silence);
	g_test_add_func("/transcode/pause", test_pause);
	g_test_add_func("/transcode/pause-made", test_pause_made);
	for (guint i = 0; i < G_N_ELEMENTS(sids); i++)
		g_test_add_data_func(sids[i].path, &sids[i], test_sid);
	g_test_add_func("/transcode/modes", test_modes);
	g_test_add_func("/transcode/codec-changes", test_codec_changes);
	g_test_add_func("/transcode/codecs-alternate", test_codecs_alternate);
	g_test_add_func("/transcode/junk", test_junk);
	return g_test_run();
}
