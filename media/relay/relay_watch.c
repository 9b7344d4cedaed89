/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* relay_watch.c - is one direction of a conversation dead?
 *
 * A packet costs nothing here: the tick looks at how far the counters have come.  What is said
 * is said of a port whose both sides talk; one on hold, or not connected, is not looked at.
 * Silence that the peer has announced is none: a comfort noise packet was its last, or a
 * packet of a codec's own silence comes now and then (Opus every 400 ms).
 *
 * RFC 3389, RFC 3550 section 6.4, RFC 7587 3.1.3.
 */
#include "media/relay/relay_private.h"

#define SILENCE_US    5000000
#define AGAIN_US      2000000
#define REFUSED_LEAST 10  /* packets: not a stray one */
#define AHEAD_LEAST   25  /* packets: half a second */
#define UNHEARD_LEAST 150 /* packets of ours that no report knows of: 3 s */
#define NEVER_LEAST   400 /* before the first report of what is heard; libwebrtc's takes 7.5 s */
#define COMFORT_NOISE 13  /* RFC 3551 table 4 */

/* The peer counts more packets than have come, and not only since the last of its reports that
 * was made while they came. */
static gboolean
is_sending(const RelayWatch *watch)
{
	return (gint32)(watch->peer_ahead - watch->peer_ahead_then) >= AHEAD_LEAST;
}

static gboolean
is_of_another_codec(const Relay *relay)
{
	const RelayWatch *watch = &relay->watch;

	return relay->stats.dropped_payload_type - watch->payload >= REFUSED_LEAST ||
	       watch->strange - watch->strange_then >= REFUSED_LEAST;
}

static void
tell(Relay *relay, MediaFault fault, char *text)
{
	RelayWatch *watch = &relay->watch;
	const gint64 now = worker_now(relay->worker);
	const gint64 reported_at =
		relay->stats.rtcp_in > watch->rtcp_told ? now : watch->reported_at;
	const gint64 heard_at = MAX(watch->heard_at, watch->since);
	const MediaSilence silence = {
		.fault = fault,
		.ever = watch->good > 0,
		.sent = is_sending(watch),
		.reports = relay->stats.rtcp_in > watch->rtcp,
		.auth = relay->stats.dropped_auth - watch->auth >= REFUSED_LEAST,
		.codec = is_of_another_codec(relay),
		.silent_ms = (guint)((now - heard_at) * 1000 / relay->second_us),
		.absent_ms = (guint)((now - MAX(heard_at, reported_at)) * 1000 / relay->second_us),
	};

	watch->told = fault;
	watch->told_at = now;
	watch->rtcp_told = relay->stats.rtcp_in;
	watch->reported_at = reported_at;
	relay->options.events->one_way(relay->options.owner, &silence, text);
}

static char *
foreign_text(const Relay *relay)
{
	char theirs[NET_ADDRESS_TEXT], signalled[NET_ADDRESS_TEXT];

	return g_strdup_printf("audio comes from %s and is not taken; nothing comes from %s, the "
			       "signalled address; if the first is the right one, set media-hosts "
			       "for the trunk, or rtp-source=any for this softphone or trunk",
			       net_address_text(&relay->watch.foreign, theirs),
			       net_address_text(&relay->signalled, signalled));
}

void
relay_watch_foreign(Relay *relay, const NetAddress *from)
{
	RelayWatch *watch = &relay->watch;
	const gboolean first = !watch->foreign.length;

	watch->foreign = *from;
	/* packets may have been seen to be refused before it was known from where */
	if (first || watch->told != MEDIA_REFUSED)
		tell(relay, MEDIA_REFUSED, foreign_text(relay));
}

void
relay_watch_strange(Relay *relay, guint8 pt)
{
	relay->watch.strange++;
	relay->watch.strange_pt = pt;
}

/* A peer that has never reported about us may be one that never does; a WebRTC peer must
 * (RFC 8834 4.1).  libwebrtc and aiortc say what they hear in receiver reports alone: a sender
 * report without a block says something only of a peer that has put one in such a report. */
void
relay_watch_report(Relay *relay, gboolean of_sender, const RtcpBlock *about)
{
	RelayWatch *watch = &relay->watch;
	gboolean progress = about && rtcp_far_received(&relay->far, about);

	relay->far_blocks += about != NULL;
	watch->in_sender_reports |= of_sender && about;
	if (of_sender && !watch->in_sender_reports) {
		watch->reports = TRUE;
		return;
	}
	if (progress || !relay_expects_rtp(relay) || (!relay->far.any && !relay->webrtc)) {
		watch->sent_when_heard = relay->stats.packets_out;
		watch->unheard = FALSE;
	} else if (relay->stats.packets_out - watch->sent_when_heard >= UNHEARD_LEAST) {
		watch->unheard = TRUE;
	}
}

/* libwebrtc that hears nothing from the start sends no receiver report at all. */
static gboolean
never_heard(const Relay *relay)
{
	const RelayWatch *watch = &relay->watch;

	return watch->reports && relay->webrtc && !relay->far.any &&
	       relay->stats.packets_out - watch->sent_when_heard >= NEVER_LEAST;
}

static gboolean
is_comfort_noise(const Stream *stream, guint8 pt)
{
	for (guint i = 0; stream && i < stream->codecs->len; i++) {
		const Codec *codec = g_ptr_array_index(stream->codecs, i);

		if (codec->pt == pt)
			return g_ascii_strcasecmp(codec->name, "CN") == 0;
	}
	return pt == COMFORT_NOISE;
}

static gboolean
announced_silence(const Relay *relay)
{
	return relay->in.has_source &&
	       is_comfort_noise(desc_audio(relay->local ? relay->local : relay->remote),
				relay->last_pt);
}

static void
begin(Relay *relay, gint64 now)
{
	RelayWatch *watch = &relay->watch;

	watch->heard_at = now;
	watch->quiet = FALSE;
	watch->auth = relay->stats.dropped_auth;
	watch->source = relay->stats.dropped_source;
	watch->payload = relay->stats.dropped_payload_type;
	watch->strange_then = watch->strange;
	watch->rtcp = relay->stats.rtcp_in;
	watch->peer_ahead_then = watch->peer_ahead;
}

/* Why nothing that comes can be passed on; NULL: nothing wrong comes. */
static char *
refused_text(const Relay *relay)
{
	const RelayWatch *watch = &relay->watch;

	if (relay->stats.dropped_auth - watch->auth >= REFUSED_LEAST)
		return g_strdup("packets come that cannot be authenticated: the peer uses another "
				"key than the agreed one");
	if (relay->stats.dropped_source - watch->source >= REFUSED_LEAST && watch->foreign.length)
		return foreign_text(relay);
	if (is_of_another_codec(relay))
		return g_strdup_printf("packets come with payload type %u, which the other side "
				       "has not agreed to",
				       relay->in.has_source ? relay->last_pt : watch->strange_pt);
	if (relay->stats.dropped_source - watch->source >= REFUSED_LEAST)
		return g_strdup("packets come whose source was not agreed");
	return NULL;
}

static char *
silent_text(const Relay *relay)
{
	const RelayWatch *watch = &relay->watch;
	char peer[NET_ADDRESS_TEXT];

	net_address_text(&relay->peer, peer);
	if (is_sending(watch))
		return g_strdup_printf("no audio comes from %s, although its reports say that "
				       "audio is sent: the audio is lost on the way",
				       peer);
	if (relay->stats.rtcp_in > watch->rtcp)
		return g_strdup_printf("no audio comes from %s, only its reports: the audio is not "
				       "sent, or is lost on the way",
				       peer);
	return g_strdup_printf("nothing comes from %s", peer);
}

static MediaFault
find_fault(const Relay *relay, gint64 now, char **text)
{
	const RelayWatch *watch = &relay->watch;

	if (now - MAX(watch->heard_at, watch->since) > relay_span(relay, SILENCE_US) &&
	    !announced_silence(relay)) {
		*text = refused_text(relay);
		if (*text)
			return MEDIA_REFUSED;
		*text = silent_text(relay);
		return MEDIA_SILENT;
	}
	if (watch->unheard || never_heard(relay)) {
		*text = g_strdup("its reports say that nothing arrives of what the gateway sends");
		return MEDIA_UNHEARD;
	}
	return MEDIA_HEARD;
}

void
relay_watch(Relay *relay, gint64 now)
{
	RelayWatch *watch = &relay->watch;
	const guint64 good = relay->stats.packets_in - relay->unmapped;
	g_autofree char *text = NULL;
	const gboolean grew = good != watch->good;
	MediaFault fault;

	if (!relay_expects_rtp(relay)) {
		watch->since = now;
		watch->unheard = FALSE;
		watch->sent_when_heard = relay->stats.packets_out;
		begin(relay, now);
	} else if (grew) {
		if (watch->quiet && watch->good > 0)
			watch->gap = MAX(watch->gap, now - MAX(watch->heard_at, watch->since));
		begin(relay, now);
	} else {
		watch->quiet = TRUE;
	}
	watch->good = good;
	/* what comes from elsewhere is known before the silence is 5 s old */
	if (watch->told == MEDIA_REFUSED && !grew &&
	    now - watch->heard_at <= relay_span(relay, SILENCE_US))
		return;
	fault = find_fault(relay, now, &text);
	if (fault != watch->told ||
	    (fault != MEDIA_HEARD && now - watch->told_at >= relay_span(relay, AGAIN_US)))
		tell(relay, fault, g_steal_pointer(&text));
}

/* The one that still lasts counts when something has been said of it: a call that ends is
 * quiet as well. */
gint64
relay_watch_gap(const Relay *relay)
{
	const RelayWatch *watch = &relay->watch;
	const gint64 now = worker_now(relay->worker);

	if (watch->told != MEDIA_SILENT && watch->told != MEDIA_REFUSED)
		return watch->gap;
	return MAX(watch->gap, now - MAX(watch->heard_at, watch->since));
}
