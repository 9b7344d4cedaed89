/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* transcode.c - a decoder, what waits behind a gap, and an encoder. */
#include "media/transcode.h"
#include <string.h>

#define NARROW	       8000
#define WIDE	       16000
#define MAX_HELD       8      /* packets behind a gap */
#define MAX_WAIT_US    120000 /* for a missing packet after it was due, whatever the jitter */
#define MAX_AFTER_US   20000  /* and after the gap was seen, where that is later */
#define DRIFT_US       100    /* a packet: two clocks differ, a way becomes longer */
#define LATEST_MORE_US 10000  /* than the latest that is remembered */
#define LATEST_PACKETS 256    /* how long a late one is remembered */
#define MAX_LATE_US    G_USEC_PER_SEC /* more: its timestamps stood still in a pause */
#define JITTERS	       3	      /* RFC 3550's is a mean: most come within so many of it */
#define MAX_CONCEAL_MS 100	      /* of a gap; the rest of it is silence */
#define LEAST_STEP_MS  10	      /* of what is made for a gap: a decoder runs for each step */
#define MAX_RESTART    1000	      /* numbers: a greater step is a source begun anew */
#define MAX_FIFO       (2 * CODER_MAX_SAMPLES)
#define MAX_DECODERS   12 /* as many codecs as a peer can alternate between */

typedef struct {
	guint16 seq;
	guint32 timestamp;
	gsize size;
	guint8 *payload;
} Held;

/* Made once and kept: a peer that alternates between codecs makes us make nothing. */
typedef struct {
	const CodecType *from;
	Decoder *decoder;
} Source;

struct Transcoder {
	const CodecType *from, *to;
	guint ptime_ms, rate;
	Decoder *decoder; /* one of the sources' */
	Encoder *encoder; /* one of these two */
	Source sources[MAX_DECODERS];
	Encoder *narrow, *wide;
	guint loss, complexity;
	CodecModes modes;
	guint8 asked; /* of what is made */

	gboolean began;
	guint32 ssrc;
	guint16 next_seq;
	guint32 next_timestamp;
	guint frame; /* samples of the last packet */

	Held held[MAX_HELD];
	guint n_held;
	gint64 gap_since, wait_us;

	/* the line of the packets that came soonest: this timestamp was due then */
	guint32 due_timestamp;
	gint64 due_us;
	gint64 latest_us; /* the latest packet after that, of those that are not long ago */

	gboolean pauses; /* the source says nothing until it has something to say */
	gint64 made_us;	 /* up to when the sink has been served in a pause */

	gint16 pcm[MAX_FIFO];
	guint n_pcm;
	guint silence;	/* samples before what is in pcm */
	gboolean rests; /* the sink has been told that nothing is said */
	gboolean marker;
	TranscoderStats stats;
};

gboolean
transcode_possible(const CodecType *from, const CodecType *to)
{
	return from && to && from->kind != CODEC_EVENT && to->kind != CODEC_EVENT;
}

/* Opus knows four lengths of ours; the others follow. */
static guint
frame_ms(guint wanted)
{
	static const guint lengths[] = { 60, 40, 20, 10 };

	for (guint i = 0; wanted && i < G_N_ELEMENTS(lengths); i++)
		if (wanted >= lengths[i])
			return lengths[i];
	return wanted ? 10 : 20;
}

Transcoder *
transcoder_new(const CodecType *to, guint ptime_ms)
{
	Transcoder *transcoder = g_new0(Transcoder, 1);

	transcoder->to = to;
	transcoder->ptime_ms = MAX(frame_ms(ptime_ms), to->frame_ms);
	transcoder->asked = CODER_NO_MODE;
	transcoder->marker = TRUE;
	transcoder->complexity = CODER_OPUS_COMPLEXITY;
	return transcoder;
}

static void
drop_held(Transcoder *transcoder)
{
	while (transcoder->n_held > 0)
		g_free(transcoder->held[--transcoder->n_held].payload);
}

void
transcoder_free(Transcoder *transcoder)
{
	if (!transcoder)
		return;
	drop_held(transcoder);
	for (guint i = 0; i < MAX_DECODERS; i++)
		decoder_free(transcoder->sources[i].decoder);
	encoder_free(transcoder->narrow);
	encoder_free(transcoder->wide);
	g_free(transcoder);
}

static Decoder *
decoder_of(Transcoder *transcoder, const CodecType *from, guint rate)
{
	Source *source = transcoder->sources;

	while (source->from && source->from != from &&
	       source < &transcoder->sources[MAX_DECODERS - 1])
		source++;
	if (source->from == from)
		return source->decoder;
	decoder_free(source->decoder);
	source->from = from;
	source->decoder = decoder_new(from, rate);
	transcoder->stats.coders++;
	return source->decoder;
}

static Encoder *
encoder_of(Transcoder *transcoder, guint rate)
{
	Encoder **encoder = rate == NARROW ? &transcoder->narrow : &transcoder->wide;

	if (!*encoder) {
		*encoder = encoder_new(transcoder->to, rate);
		encoder_set_modes(*encoder, &transcoder->modes);
		transcoder->stats.coders++;
	}
	return *encoder;
}

/* Both coders at the rate of the poorer one. */
static void
read_from(Transcoder *transcoder, const CodecType *from)
{
	guint rate = MIN(from->rate, transcoder->to->rate) < WIDE ? NARROW : WIDE;

	if (from == transcoder->from)
		return;
	drop_held(transcoder);
	transcoder->pauses = FALSE;
	transcoder->from = from;
	transcoder->decoder = decoder_of(transcoder, from, rate);
	transcoder->began = FALSE;
	transcoder->frame = rate / 50;
	if (rate == transcoder->rate)
		return;
	transcoder->rate = rate;
	transcoder->n_pcm = 0;
	transcoder->encoder = encoder_of(transcoder, rate);
	encoder_set_loss(transcoder->encoder, transcoder->loss);
	encoder_set_complexity(transcoder->encoder, transcoder->complexity);
	encoder_ask(transcoder->encoder, transcoder->asked);
}

/* --- what is said --- */

/* Room for `samples`; what nobody has taken goes first. */
static gint16 *
make_room(Transcoder *transcoder, guint samples)
{
	guint over =
		transcoder->n_pcm + samples > MAX_FIFO ? transcoder->n_pcm + samples - MAX_FIFO : 0;

	if (over) {
		transcoder->n_pcm -= over;
		memmove(transcoder->pcm, transcoder->pcm + over,
			transcoder->n_pcm * sizeof *transcoder->pcm);
	}
	return transcoder->pcm + transcoder->n_pcm;
}

/* The sink's clock goes on without us. */
static void
say_nothing(Transcoder *transcoder, guint samples)
{
	transcoder->silence += samples;
	transcoder->marker = transcoder->marker || samples > 0;
}

static guint
least_step(const Transcoder *transcoder)
{
	return transcoder->rate / 1000 * LEAST_STEP_MS;
}

/* `packet`: the one behind the gap, or NULL. */
static void
conceal(Transcoder *transcoder, guint samples, const Held *packet)
{
	const guint most = transcoder->rate / 1000 * MAX_CONCEAL_MS;

	if (samples > most) {
		say_nothing(transcoder, samples - most);
		samples = most;
	}
	while (samples > 0) {
		const guint part = MIN(samples, MAX(transcoder->frame, least_step(transcoder)));
		gint16 *pcm = make_room(transcoder, part);
		const Held *next = part == samples ? packet : NULL;

		decoder_conceal(transcoder->decoder, next ? next->payload : NULL,
				next ? next->size : 0, pcm, part);
		transcoder->n_pcm += part;
		transcoder->stats.concealed++;
		samples -= part;
	}
}

static void
play(Transcoder *transcoder, const Held *packet)
{
	const guint32 clock = transcoder->from->clock;
	gint32 ahead = (gint32)(packet->timestamp - transcoder->next_timestamp);
	guint missing = transcoder->began && ahead > 0
				? (guint)((guint64)ahead * transcoder->rate / clock)
				: 0;
	gint16 *pcm;
	guint samples;

	if (packet->seq != transcoder->next_seq)
		conceal(transcoder, missing, packet);
	else
		say_nothing(transcoder, missing);
	pcm = make_room(transcoder, CODER_MAX_SAMPLES);
	samples = decoder_decode(transcoder->decoder, packet->payload, packet->size, pcm);
	transcoder->stats.packets += samples > 0;
	transcoder->stats.unreadable += samples == 0;
	transcoder->n_pcm += samples;
	if (samples)
		transcoder->frame = samples;
	transcoder->pauses = decoder_pauses(transcoder->decoder, packet->size);
	transcoder->began = TRUE;
	transcoder->next_seq = (guint16)(packet->seq + 1);
	transcoder->next_timestamp =
		packet->timestamp + (guint32)((guint64)samples * clock / transcoder->rate);
}

/* --- gaps --- */

static Held *
oldest_held(Transcoder *transcoder)
{
	Held *oldest = NULL;

	for (guint i = 0; i < transcoder->n_held; i++)
		if (!oldest || (gint16)(transcoder->held[i].seq - oldest->seq) < 0)
			oldest = &transcoder->held[i];
	return oldest;
}

/* What follows without a gap; with `over` the first gap is no longer waited for. */
static void
play_held(Transcoder *transcoder, gboolean over, gint64 now_us)
{
	Held *held;

	while ((held = oldest_held(transcoder))) {
		if (!over && held->seq != transcoder->next_seq)
			return;
		over = FALSE;
		play(transcoder, held);
		g_free(held->payload);
		*held = transcoder->held[--transcoder->n_held];
		transcoder->stats.waited_ms =
			MAX(transcoder->stats.waited_ms,
			    (guint)(MAX(now_us - transcoder->gap_since, 0) / 1000));
		transcoder->gap_since = now_us; /* of the next one */
	}
}

static gboolean
is_held(const Transcoder *transcoder, guint16 seq)
{
	for (guint i = 0; i < transcoder->n_held; i++)
		if (transcoder->held[i].seq == seq)
			return TRUE;
	return FALSE;
}

static void
hold(Transcoder *transcoder, const Held *packet, guint32 jitter_us, gint64 now_us)
{
	const gint64 latest = transcoder->latest_us ? transcoder->latest_us + LATEST_MORE_US : 0;

	if (is_held(transcoder, packet->seq))
		return;
	if (transcoder->n_held == 0)
		transcoder->gap_since = now_us;
	transcoder->wait_us = MIN(MAX((gint64)jitter_us * JITTERS, latest), MAX_WAIT_US);
	transcoder->held[transcoder->n_held] = *packet;
	transcoder->held[transcoder->n_held++].payload = g_memdup2(packet->payload, packet->size);
	if (transcoder->n_held == MAX_HELD)
		play_held(transcoder, TRUE, now_us);
}

static gint64
due(const Transcoder *transcoder, guint32 timestamp)
{
	const gint64 ahead = (gint32)(timestamp - transcoder->due_timestamp);

	return transcoder->due_us + ahead * G_USEC_PER_SEC / transcoder->from->clock;
}

static void
learn_due(Transcoder *transcoder, guint32 timestamp, gint64 now_us)
{
	const gint64 was_due = due(transcoder, timestamp), late = now_us - was_due;

	if (!transcoder->began || late > MAX_LATE_US)
		transcoder->due_us = now_us;
	else
		transcoder->due_us = was_due + MIN(late, DRIFT_US);
	transcoder->due_timestamp = timestamp;
}

/* The mean that RFC 3550 has says little of the latest of many. */
static void
learn_latest(Transcoder *transcoder, gint64 now_us)
{
	const gint64 late = now_us - due(transcoder, transcoder->due_timestamp);

	transcoder->latest_us -= transcoder->latest_us / LATEST_PACKETS;
	transcoder->latest_us = MAX(transcoder->latest_us, MIN(late, MAX_WAIT_US));
}

/* What is missing may come as late as any other, so no packet behind it waits longer than
 * that: delays do not add up. */
static gboolean
gap_is_over(const Transcoder *transcoder, gint64 now_us)
{
	return now_us >= MAX(due(transcoder, transcoder->next_timestamp) + transcoder->wait_us,
			     transcoder->gap_since + MIN(transcoder->wait_us, MAX_AFTER_US));
}

/* Of several that are missing the first: the others may still come in time.  FALSE: there is
 * but one, or they last longer than is concealed, or are more than such a time holds. */
static gboolean
give_up_first(Transcoder *transcoder)
{
	const Held *behind = oldest_held(transcoder);
	const guint missing = (guint16)(behind->seq - transcoder->next_seq);
	const gint32 ahead = (gint32)(behind->timestamp - transcoder->next_timestamp);
	const guint32 clock = transcoder->from->clock;
	guint samples;

	if (missing < 2 || ahead <= 0 || (guint32)ahead > clock / 1000 * MAX_CONCEAL_MS)
		return FALSE;
	samples = (guint)((guint64)ahead / missing * transcoder->rate / clock);
	if (samples < least_step(transcoder))
		return FALSE;
	conceal(transcoder, samples, NULL);
	transcoder->next_seq++;
	transcoder->next_timestamp += (guint32)ahead / missing;
	return TRUE;
}

static void
give_up_gap(Transcoder *transcoder, gint64 now_us)
{
	while (transcoder->n_held > 0 && gap_is_over(transcoder, now_us)) {
		if (!give_up_first(transcoder))
			play_held(transcoder, TRUE, now_us);
		else
			play_held(transcoder, FALSE, now_us);
	}
}

static void
begin_anew(Transcoder *transcoder, guint32 ssrc)
{
	drop_held(transcoder);
	transcoder->began = FALSE;
	transcoder->ssrc = ssrc;
	transcoder->marker = TRUE;
}

void
transcoder_push(Transcoder *transcoder, const CodecType *from, const RtpPacket *packet,
		guint32 jitter_us, gint64 now_us)
{
	Held one = { packet->seq, packet->timestamp, packet->payload_size,
		     (guint8 *)packet->payload };
	gint16 step;

	read_from(transcoder, from);
	if (!transcoder->decoder)
		return;
	if (transcoder->began && (packet->ssrc != transcoder->ssrc ||
				  ABS((gint16)(packet->seq - transcoder->next_seq)) > MAX_RESTART))
		begin_anew(transcoder, packet->ssrc);
	transcoder->ssrc = packet->ssrc;
	learn_due(transcoder, packet->timestamp, now_us);
	step = transcoder->began ? (gint16)(packet->seq - transcoder->next_seq) : 0;
	if (step < 0)
		transcoder->stats.late++;
	else
		transcoder->made_us = now_us;
	if (step > 0) {
		hold(transcoder, &one, jitter_us, now_us);
	} else if (step == 0) {
		play(transcoder, &one);
		play_held(transcoder, FALSE, now_us);
	}
	learn_latest(transcoder, now_us);
	give_up_gap(transcoder, now_us);
}

void
transcoder_pass(Transcoder *transcoder, const RtpPacket *packet)
{
	if (transcoder->began && packet->ssrc == transcoder->ssrc &&
	    packet->seq == transcoder->next_seq)
		transcoder->next_seq++;
}

void
transcoder_rest(Transcoder *transcoder)
{
	drop_held(transcoder);
	transcoder->began = FALSE;
	transcoder->pauses = FALSE;
	transcoder->marker = TRUE;
	transcoder->n_pcm = 0;
	transcoder->silence = 0;
	transcoder->rests = FALSE;
}

gboolean
transcoder_waits(const Transcoder *transcoder)
{
	return transcoder->n_held > 0 || transcoder->pauses;
}

/* A pause is heard as it would be on the line, a frame for each that time has passed. */
static void
fill_pause(Transcoder *transcoder, gint64 now_us)
{
	const gint64 frame_us = (gint64)transcoder->frame * G_USEC_PER_SEC / transcoder->rate;

	while (frame_us > 0 && now_us - transcoder->made_us >= 2 * frame_us) {
		conceal(transcoder, transcoder->frame, NULL);
		transcoder->stats.concealed--; /* nothing was lost */
		transcoder->next_timestamp += (guint32)((guint64)transcoder->frame *
							transcoder->from->clock / transcoder->rate);
		transcoder->made_us += frame_us;
		if (transcoder->n_pcm + transcoder->frame > MAX_FIFO)
			return;
	}
}

void
transcoder_tick(Transcoder *transcoder, gint64 now_us)
{
	give_up_gap(transcoder, now_us);
	if (transcoder->pauses && transcoder->n_held == 0)
		fill_pause(transcoder, now_us);
}

/* --- out --- */

/* The next payload's size; of those that say nothing the first alone: 0. */
static gsize
encode(Transcoder *transcoder, guint samples, guint8 *payload)
{
	gsize size = encoder_encode(transcoder->encoder, transcoder->pcm, samples, payload);
	const gboolean rested = transcoder->rests;

	transcoder->n_pcm -= samples;
	memmove(transcoder->pcm, transcoder->pcm + samples,
		transcoder->n_pcm * sizeof *transcoder->pcm);
	transcoder->rests = encoder_pauses(transcoder->encoder, size);
	if (!rested || !transcoder->rests)
		return size;
	say_nothing(transcoder, samples);
	return 0;
}

gboolean
transcoder_pull(Transcoder *transcoder, guint8 *payload, TranscodedFrame *frame)
{
	const guint samples = transcoder->rate / 1000 * transcoder->ptime_ms;

	do {
		if (samples == 0 || transcoder->n_pcm < samples)
			return FALSE;
		frame->size = encode(transcoder, samples, payload);
	} while (frame->size == 0 && transcoder->rests);
	frame->units = transcoder->to->clock / 1000 * transcoder->ptime_ms;
	frame->silence =
		(guint32)((guint64)transcoder->silence * transcoder->to->clock / transcoder->rate);
	frame->marker = transcoder->marker;
	transcoder->silence = 0;
	transcoder->marker = FALSE;
	return frame->size > 0;
}

void
transcoder_set_complexity(Transcoder *transcoder, guint complexity)
{
	transcoder->complexity = complexity;
	if (transcoder->encoder)
		encoder_set_complexity(transcoder->encoder, complexity);
}

void
transcoder_set_loss(Transcoder *transcoder, guint percent)
{
	transcoder->loss = percent;
	if (transcoder->encoder)
		encoder_set_loss(transcoder->encoder, percent);
}

static gboolean
same_modes(const CodecModes *one, const CodecModes *other)
{
	return one->set == other->set && one->period == other->period &&
	       one->neighbor == other->neighbor && one->dtx == other->dtx;
}

void
transcoder_set_modes(Transcoder *transcoder, const CodecModes *modes)
{
	Encoder *const encoders[] = { transcoder->narrow, transcoder->wide };

	if (same_modes(modes, &transcoder->modes))
		return;
	transcoder->modes = *modes;
	for (guint i = 0; i < G_N_ELEMENTS(encoders); i++)
		if (encoders[i]) {
			encoder_set_modes(encoders[i], modes);
			encoder_ask(encoders[i], transcoder->asked);
		}
}

void
transcoder_ask(Transcoder *transcoder, guint8 mode)
{
	if (mode == transcoder->asked)
		return;
	transcoder->asked = mode;
	if (transcoder->encoder)
		encoder_ask(transcoder->encoder, mode);
}

guint8
transcoder_asked(const Transcoder *transcoder)
{
	return transcoder->decoder ? decoder_asked(transcoder->decoder) : CODER_NO_MODE;
}

void
transcoder_stats(const Transcoder *transcoder, TranscoderStats *stats)
{
	*stats = transcoder->stats;
}
