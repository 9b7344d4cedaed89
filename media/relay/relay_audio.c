/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* relay_audio.c - a port whose far side is us: a source is played, a sink hears.
 *
 *   source ── 20 ms by our clock ──► transcoder ──► twin
 *   sink ◄── 20 ms by our clock ── heard ◄── transcoder ◄── twin
 *
 * To its twin it is a port like any other, whose peer speaks linear samples: what is played goes
 * out, and what is heard comes in, by relay_convert.c.  What is heard waits in a buffer that
 * grows when it was empty too early and shrinks where nothing is said.
 */
#include "media/audio.h"
#include "media/bytes.h"
#include "media/codec.h"
#include "media/relay/relay_private.h"
#include <string.h>

#define FRAME_US   (AUDIO_FRAME_MS * 1000)
#define MAX_BEHIND 10		      /* frames: a clock that stood still is not made up for */
#define MAX_HEARD  (50 * AUDIO_FRAME) /* samples: a second */
#define MUCH_HEARD (3 * AUDIO_FRAME)  /* so much need not wait */
#define QUIET	   100		      /* mean of a frame: nobody speaks */

struct RelayAudio {
	AudioSource *source; /* NULL: silence is played */
	AudioSink *sink;
	guint8 pt;
	gboolean ticks;
	gint64 began; /* the clock, and how many frames it has counted */
	gint64 frames;
	guint16 seq; /* of what is played */
	guint32 timestamp;
	/* what is heard */
	gint16 heard[MAX_HEARD];
	guint n_heard;
	gboolean hears;
	guint32 next_timestamp;
	guint ahead; /* samples of silence that the sink has had before their time */
};

/* --- heard --- */

static void
add_heard(RelayAudio *audio, const gint16 *pcm, guint samples)
{
	const guint over =
		audio->n_heard + samples > MAX_HEARD ? audio->n_heard + samples - MAX_HEARD : 0;

	if (over) { /* the oldest goes */
		audio->n_heard -= over;
		memmove(audio->heard, audio->heard + over, audio->n_heard * sizeof *pcm);
	}
	if (pcm)
		memcpy(audio->heard + audio->n_heard, pcm, samples * sizeof *pcm);
	else
		memset(audio->heard + audio->n_heard, 0, samples * sizeof *pcm);
	audio->n_heard += samples;
}

/* Nothing was said for so long; part of it the sink may know already. */
static void
add_silence(RelayAudio *audio, guint32 samples)
{
	const guint known = MIN(samples, audio->ahead);

	audio->ahead -= known;
	add_heard(audio, NULL, MIN(samples - known, MAX_HEARD / 2));
}

static void
hear(Relay *relay, const guint8 *data, gsize length)
{
	RelayAudio *audio = relay->audio;
	gint16 pcm[AUDIO_FRAME];
	RtpPacket packet;
	guint n;

	if (!rtp_parse(data, length, &packet))
		return;
	n = MIN((guint)packet.payload_size / 2, AUDIO_FRAME);
	for (guint i = 0; i < n; i++)
		pcm[i] = (gint16)get16(packet.payload + (gsize)2 * i);
	if (!audio->hears) /* room for the jitter of the next */
		add_heard(audio, NULL, AUDIO_FRAME);
	else if ((gint32)(packet.timestamp - audio->next_timestamp) > 0)
		add_silence(audio, packet.timestamp - audio->next_timestamp);
	add_heard(audio, pcm, n);
	audio->hears = TRUE;
	audio->next_timestamp = packet.timestamp + n;
}

static gboolean
is_quiet(const gint16 *pcm)
{
	guint sum = 0;

	for (guint i = 0; i < AUDIO_FRAME; i++)
		sum += (guint)ABS(pcm[i]);
	return sum < QUIET * AUDIO_FRAME;
}

static void
drop_heard(RelayAudio *audio, guint samples)
{
	audio->n_heard -= samples;
	memmove(audio->heard, audio->heard + samples, audio->n_heard * sizeof *audio->heard);
}

static void
take_heard(RelayAudio *audio, gint16 *pcm)
{
	const guint n = MIN(audio->n_heard, AUDIO_FRAME);

	while (audio->n_heard > MUCH_HEARD && is_quiet(audio->heard))
		drop_heard(audio, AUDIO_FRAME);
	memcpy(pcm, audio->heard, n * sizeof *pcm);
	memset(pcm + n, 0, (AUDIO_FRAME - n) * sizeof *pcm);
	drop_heard(audio, n);
	if (audio->hears)
		audio->ahead += AUDIO_FRAME - n;
}

/* --- played --- */

static void
pull(Relay *relay, gint16 *pcm)
{
	RelayAudio *audio = relay->audio;
	const guint n = audio->source ? audio->source->pull(audio->source, pcm) : 0;

	memset(pcm + n, 0, (AUDIO_FRAME - n) * sizeof *pcm);
	if (!audio->source || n == AUDIO_FRAME)
		return;
	audio->source->free(audio->source);
	audio->source = NULL;
	relay->options.events->played(relay->options.owner);
}

static void
say(Relay *relay, const gint16 *pcm, gint64 now)
{
	RelayAudio *audio = relay->audio;
	guint8 payload[2 * AUDIO_FRAME];
	const RtpPacket packet = { .pt = audio->pt,
				   .seq = audio->seq++,
				   .timestamp = audio->timestamp,
				   .payload = payload,
				   .payload_size = sizeof payload };

	for (guint i = 0; i < AUDIO_FRAME; i++)
		put16(payload + (gsize)2 * i, (guint16)pcm[i]);
	relay->stats.packets_in++;
	relay->last_in = now;
	relay_convert(relay, &packet, now);
}

/* Nothing is played as long as nobody can hear it: it begins at its beginning. */
static void
turn(Relay *relay, gint64 now)
{
	RelayAudio *audio = relay->audio;
	gint16 said[AUDIO_FRAME] = { 0 }, heard[AUDIO_FRAME];

	if (relay->types[audio->pt].map == CONVERT_PT && relay_can_send(relay->twin)) {
		pull(relay, said);
		say(relay, said, now);
	}
	audio->timestamp += AUDIO_FRAME;
	take_heard(audio, heard);
	if (audio->sink)
		audio->sink->push(audio->sink, heard, said);
}

void
relay_audio_tick(Relay *relay, gint64 now)
{
	RelayAudio *audio = relay->audio;
	gint64 due;

	if (!audio->ticks)
		return;
	if (!audio->began)
		audio->began = now;
	due = (now - audio->began) / FRAME_US;
	if (due - audio->frames > MAX_BEHIND) {
		audio->timestamp += (guint32)(due - MAX_BEHIND - audio->frames) * AUDIO_FRAME;
		audio->frames = due - MAX_BEHIND;
	}
	for (; audio->frames < due; audio->frames++)
		turn(relay, now);
}

/* --- life --- */

void
relay_audio_joined(Relay *relay)
{
	RelayAudio *audio = relay->audio;
	const gboolean ticks = relay->twin != NULL;

	if (audio->ticks == ticks)
		return;
	audio->ticks = ticks;
	audio->began = audio->frames = 0;
	audio->hears = FALSE;
	audio->n_heard = audio->ahead = 0;
	relay_hurry(relay, ticks);
}

/* What it says and is told of: one codec, ours alone. */
static Desc *
linear_desc(const CodecType *type)
{
	Desc *desc = desc_new();
	Stream *stream = desc_add_stream(desc, STREAM_AUDIO, NULL);

	transport_free(stream->transport);
	stream->transport = transport_new(TRANSPORT_NONE);
	stream->ptime = AUDIO_FRAME_MS;
	stream_add_codec(stream, type->pt, type->name, type->clock, type->channels);
	return desc;
}

void
relay_audio_begin(Relay *relay)
{
	const CodecType *type = codec_type("L16", AUDIO_RATE, 1);
	g_autoptr(Desc) desc = linear_desc(type);

	relay->audio = g_new0(RelayAudio, 1);
	relay->audio->pt = type->pt;
	relay->relayed = TRUE;
	relay->hear = hear;
	relay->out_fd = NO_FD_NEEDED;
	relay->in_noted = relay->out_noted = TRUE;
	relay_connect(relay, desc, desc);
}

void
relay_play(Relay *relay, AudioSource *source)
{
	if (!relay->audio) {
		audio_source_free(source);
		return;
	}
	audio_source_free(relay->audio->source);
	relay->audio->source = source;
}

void
relay_record(Relay *relay, AudioSink *sink)
{
	if (!relay->audio) {
		audio_sink_free(sink);
		return;
	}
	audio_sink_free(relay->audio->sink);
	relay->audio->sink = sink;
}

void
relay_audio_stop(Relay *relay)
{
	RelayAudio *audio = relay->audio;

	if (!audio)
		return;
	if (audio->ticks)
		relay_hurry(relay, FALSE);
	audio_source_free(audio->source);
	audio_sink_free(audio->sink);
	g_clear_pointer(&relay->audio, g_free);
}
