/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* relay_convert.c - audio that the twin's peer does not take: made into what it takes.
 *
 * Only what cannot pass as it is comes here.  What is made goes out as audio of our own, so
 * that the sink's numbers go on when the source changes to a codec that passes.
 * RFC 3264 6.1.
 */
#include "media/fmtp.h"
#include "media/relay/relay_private.h"
#include "media/transcode.h"

struct Convert {
	Transcoder *transcoder;
	const CodecType *to, *from; /* from: of the last packet's number */
	guint8 from_pt, to_pt;
	gboolean hurry;
	TranscoderStats counted; /* in the relay's counters already */
};

static const CodecType *
type_of(const Codec *codec)
{
	return codec ? codec_type_of(codec) : NULL;
}

static const CodecType *
type_of_number(const Desc *desc, guint8 pt)
{
	const Stream *audio = desc ? desc_audio(desc) : NULL;

	for (guint i = 0; audio && i < audio->codecs->len; i++) {
		const Codec *codec = audio->codecs->pdata[i];

		if (codec->pt == pt)
			return type_of(codec);
	}
	return NULL;
}

/* What the peer means by a number is what we told him (RFC 3264 6.1), and else what he said:
 * a client that has answered an offer of ours by one of its own has never seen our numbers. */
static const CodecType *
source_type(const Relay *relay, guint8 pt)
{
	const CodecType *told = type_of_number(relay->local, pt);

	return told ? told : type_of_number(relay->remote, pt);
}

static const Codec *
sink_codec(const Relay *twin)
{
	const Stream *told = twin->local ? desc_audio(twin->local) : NULL;
	const Stream *audio = twin->remote ? desc_audio(twin->remote) : NULL;

	if (twin->audio) /* one that no peer is told of */
		return audio->codecs->pdata[0];
	return audio ? stream_spoken(told, audio) : NULL;
}

static void
count(Relay *relay)
{
	TranscoderStats *counted = &relay->convert->counted, now;
	PortStats *stats = &relay->stats;

	transcoder_stats(relay->convert->transcoder, &now);
	stats->transcoded += now.packets - counted->packets;
	stats->concealed += now.concealed - counted->concealed;
	stats->late += now.late - counted->late;
	stats->coders += now.coders - counted->coders;
	stats->waited_ms = MAX(stats->waited_ms, now.waited_ms);
	*counted = now;
}

void
relay_convert_stats(Relay *relay)
{
	const guint8 pt = relay->last_pt;

	if (relay->convert)
		count(relay);
	if (!relay->twin || !relay->stats.packets_in || relay->types[pt].event ||
	    !relay->types[pt].rate)
		return; /* as it was */
	relay->stats.heard = source_type(relay, pt);
	relay->stats.made =
		relay->types[pt].map == CONVERT_PT ? type_of(sink_codec(relay->twin)) : NULL;
}

static void
set_hurry(Relay *relay, gboolean hurry)
{
	if (relay->convert->hurry == hurry)
		return;
	relay->convert->hurry = hurry;
	relay_hurry(relay, hurry);
}

void
relay_convert_stop(Relay *relay)
{
	if (!relay->convert)
		return;
	count(relay);
	set_hurry(relay, FALSE);
	relay->converting = FALSE;
	transcoder_free(relay->convert->transcoder);
	g_clear_pointer(&relay->convert, g_free);
}

void
relay_convert_rest(Relay *relay)
{
	relay->converting = FALSE;
	transcoder_rest(relay->convert->transcoder);
	set_hurry(relay, FALSE);
}

static gboolean
was_told(const Relay *relay, const CodecType *type)
{
	const Stream *audio = relay->local ? desc_audio(relay->local) : NULL;

	for (guint i = 0; audio && i < audio->codecs->len; i++)
		if (type_of(audio->codecs->pdata[i]) == type)
			return TRUE;
	return FALSE;
}

/* What we say and hear ourselves has to be, and what the peer was told that it may send: a call
 * may have a policy of its own.  The option is about what it sends besides. */
static gboolean
may_convert(const Relay *relay, const CodecType *type)
{
	return relay->audio || relay->twin->audio || relay->options.media->transcode ||
	       was_told(relay, type);
}

static void
set_modes(Convert *convert, const Codec *sink)
{
	CodecModes modes;

	codec_modes_of(sink, &modes);
	transcoder_set_modes(convert->transcoder, &modes);
}

void
relay_convert_learn(Relay *relay)
{
	const Codec *sink = relay->twin ? sink_codec(relay->twin) : NULL;
	const CodecType *to = type_of(sink);

	if (relay->convert &&
	    (!to || to != relay->convert->to || sink->pt != relay->convert->to_pt))
		relay_convert_stop(relay);
	if (!relay->convert)
		relay->convert_noted = FALSE;
	if (relay->convert) {
		relay->convert->from = NULL; /* numbers may mean something else now */
		set_modes(relay->convert, sink);
	}
	for (guint8 pt = 0; to && pt < G_N_ELEMENTS(relay->types); pt++) {
		RelayType *type = &relay->types[pt];
		const CodecType *from =
			type->map == NO_PT && type->rate ? source_type(relay, pt) : NULL;

		if (from && transcode_possible(from, to) && may_convert(relay, from))
			type->map = CONVERT_PT;
	}
}

static Convert *
get_convert(Relay *relay)
{
	const Codec *sink;

	relay->converting = TRUE;
	if (relay->convert)
		return relay->convert;
	sink = sink_codec(relay->twin);
	relay->convert = g_new0(Convert, 1);
	relay->convert->to = type_of(sink);
	relay->convert->to_pt = sink->pt;
	relay->convert->transcoder =
		transcoder_new(relay->convert->to, desc_audio(relay->twin->remote)->ptime);
	set_modes(relay->convert, sink);
	if (relay->options.media->opus_complexity)
		transcoder_set_complexity(relay->convert->transcoder,
					  relay->options.media->opus_complexity);
	return relay->convert;
}

/* RFC 4867 4.3.1: what its peer sends says which mode it wants to get. */
static void
obey(Convert *convert, const Convert *other)
{
	if (other && other->from == convert->to)
		transcoder_ask(convert->transcoder, transcoder_asked(other->transcoder));
}

/* All that is ready. */
static void
send_made(Relay *relay, gint64 now)
{
	_Alignas(8) guint8 data[RTP_HEADER + CODER_MAX_PAYLOAD + PROTECTION_TRAILER];
	Convert *convert = relay->convert;
	Relay *twin = relay->twin;
	TranscodedFrame frame;

	obey(convert, twin->convert);
	while (transcoder_pull(convert->transcoder, data + RTP_HEADER, &frame)) {
		RtpPacket packet = { .pt = convert->to_pt, .marker = frame.marker };

		if (!relay_can_send(twin) || dtmf_sender_busy(&twin->digits_out))
			continue; /* a tone of ours is in its place */
		if (frame.silence)
			rtp_rewriter_pause(&twin->out, frame.silence);
		rtp_rewriter_own(&twin->out, &packet, frame.units, convert->to->clock, now);
		rtp_write_header(data, &packet);
		twin->out_rate = convert->to->clock;
		relay_send_rtp(twin, data, RTP_HEADER + frame.size);
	}
	set_hurry(relay, transcoder_waits(convert->transcoder));
}

void
relay_convert(Relay *relay, const RtpPacket *packet, gint64 now)
{
	Convert *convert = get_convert(relay);

	if (!convert->from || packet->pt != convert->from_pt) {
		convert->from = source_type(relay, packet->pt);
		convert->from_pt = packet->pt;
	}
	if (!convert->from)
		return;
	if (!relay->convert_noted && !relay->audio && !relay->twin->audio) {
		relay->convert_noted = TRUE;
		relay_note(relay, "audio: %s is transcoded to %s", convert->from->name,
			   convert->to->name);
	}
	rtp_rewriter_skip(&relay->twin->out, packet);
	transcoder_push(convert->transcoder, convert->from, packet, rtp_stats_jitter_us(&relay->in),
			now);
	send_made(relay, now);
}

void
relay_convert_pass(Relay *relay, const RtpPacket *packet)
{
	if (relay->convert)
		transcoder_pass(relay->convert->transcoder, packet);
}

void
relay_convert_frame(Relay *relay, guint8 pt, const RtpPacket *frame, gint64 now)
{
	Convert *convert = get_convert(relay);

	convert->from = source_type(relay, pt);
	convert->from_pt = pt;
	if (!convert->from)
		return;
	transcoder_push(convert->transcoder, convert->from, frame, 0, now);
	send_made(relay, now);
}

void
relay_convert_tick(Relay *relay, gint64 now)
{
	if (!relay->twin || !relay->may_receive) {
		relay_convert_stop(relay);
		return;
	}
	transcoder_tick(relay->convert->transcoder, now);
	send_made(relay, now);
}

void
relay_convert_loss(Relay *relay, guint percent)
{
	if (relay->convert)
		transcoder_set_loss(relay->convert->transcoder, percent);
}
