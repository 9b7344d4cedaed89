/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* relay_source.c - who may send to a port, and where it sends to.
 *
 * A stranger who sprays packets over all ports must neither be heard nor hear, so a
 * plain port takes what comes from the hosts that signalling knows and sends nowhere else.
 * RFC 4961 (symmetric RTP), RFC 8445 (a WebRTC peer is where our agent says).
 */
#include "media/relay/relay_private.h"
#include <string.h>

#define RELATCH_US    2000000 /* silence after which a source may move */
#define TRIAL_PACKETS 25      /* in a row, before another host may be the peer */
#define TRIAL_GAP_US  200000  /* between two of them, on the wire and by their timestamps */
#define RIVAL_PACKETS 5 /* in a row, of somebody else meanwhile: it cannot be told who it is */
#define ASK_ROUTE_US  200000
#define NEW_ROUTE_US  1000000 /* what was on its way by the pair before has arrived */

static void
latch(Relay *relay, const NetAddress *from, SourceRank rank)
{
	char ours[NET_ADDRESS_TEXT], theirs[NET_ADDRESS_TEXT];

	if (!net_address_equal(from, &relay->signalled) || relay->latched)
		relay_note(relay, "rtp: comes from %s, signalled was %s: following it",
			   net_address_text(from, theirs),
			   net_address_text(&relay->signalled, ours));
	relay->latched = TRUE;
	relay->rank = rank;
	memset(relay->trials, 0, sizeof relay->trials);
	relay->peer = *from;
	relay->rtcp_peer = *from;
	net_address_set_port(&relay->rtcp_peer, net_address_port(from) + 1);
	if (net_address_equal(from, &relay->signalled)) {
		const Transport *theirs_now = desc_audio(relay->remote)->transport;

		if (theirs_now->rtcp_port)
			net_address_set_port(&relay->rtcp_peer, theirs_now->rtcp_port);
	}
}

static gboolean
is_allowed(const Relay *relay, const NetAddress *from)
{
	const gboolean ip6 = from->any.sa_family == AF_INET6;

	return net_address_near(from, &relay->signalled) ||
	       media_sources_allow(relay->sources,
				   ip6 ? (const guint8 *)&from->ip6.sin6_addr
				       : (const guint8 *)&from->ip4.sin_addr,
				   ip6);
}

static SourceRank
rank_of(const Relay *relay, const NetAddress *from)
{
	if (net_address_equal(from, &relay->signalled))
		return SOURCE_SIGNALLED;
	if (net_address_same_host(from, &relay->signalled))
		return SOURCE_HOST;
	return is_allowed(relay, from) ? SOURCE_ALLOWED : SOURCE_FOREIGN;
}

static gboolean
is_silent(const Relay *relay)
{
	return !relay->latched ||
	       worker_now(relay->worker) - relay->last_in >= relay_span(relay, RELATCH_US);
}

/* --- another host --- */

static Trial *
find_trial(Relay *relay, const NetAddress *from)
{
	Trial *weaker = &relay->trials[0];

	for (guint i = 0; i < G_N_ELEMENTS(relay->trials); i++) {
		if (net_address_equal(&relay->trials[i].from, from))
			return &relay->trials[i];
		if (relay->trials[i].last < weaker->last)
			weaker = &relay->trials[i];
	}
	return weaker;
}

/* One more packet of a stream as the peer's would be: TRUE when it has been long enough, and
 * as slow as it says itself. */
static gboolean
try_source(Relay *relay, Trial *trial, const NetAddress *from, const RtpPacket *packet)
{
	const gint64 now = worker_now(relay->worker);
	const guint32 rate = relay->types[packet->pt].rate;
	const guint32 step = packet->timestamp - trial->timestamp;
	gint64 length;

	if (!net_address_equal(&trial->from, from) || trial->ssrc != packet->ssrc ||
	    packet->seq != (guint16)(trial->seq + 1) || step == 0 ||
	    step > rate / (G_USEC_PER_SEC / TRIAL_GAP_US) ||
	    now - trial->last > relay_span(relay, TRIAL_GAP_US))
		*trial = (Trial){ .from = *from,
				  .ssrc = packet->ssrc,
				  .first_timestamp = packet->timestamp,
				  .began = now };
	trial->seq = packet->seq;
	trial->timestamp = packet->timestamp;
	trial->last = now;
	if (++trial->count < TRIAL_PACKETS)
		return FALSE;
	length = (gint64)(packet->timestamp - trial->first_timestamp) * G_USEC_PER_SEC / rate;
	if (now - trial->began >= relay_span(relay, length) / 2)
		return TRUE;
	trial->count = 0;
	return FALSE;
}

static gboolean
has_rival(const Relay *relay, const Trial *trial)
{
	const Trial *other = &relay->trials[trial == &relay->trials[0]];

	return other->count >= RIVAL_PACKETS &&
	       trial->last - other->last <= relay_span(relay, TRIAL_GAP_US);
}

/* A host that signalling does not know is taken only where the admin says so, after a trial
 * without a rival, and never from one that signalling knows. */
static gboolean
admit_foreign(Relay *relay, const NetAddress *from, const RtpPacket *packet)
{
	Trial *trial = find_trial(relay, from);

	if (!is_silent(relay)) {
		memset(relay->trials, 0, sizeof relay->trials);
		return FALSE;
	}
	if (!try_source(relay, trial, from, packet))
		return FALSE;
	if (!media_sources_any(relay->sources) || has_rival(relay, trial) ||
	    (relay->latched && relay->rank > SOURCE_FOREIGN)) {
		relay_watch_foreign(relay, from);
		trial->count--; /* asked again by the next */
		return FALSE;
	}
	latch(relay, from, SOURCE_FOREIGN);
	return TRUE;
}

/* Symmetric RTP (RFC 4961) between the hosts that signalling knows: the first source is
 * taken, then it alone; a better one at any time, an equal one after a silence. */
gboolean
relay_admit(Relay *relay, const NetAddress *from, const RtpPacket *packet)
{
	SourceRank rank;

	if (!relay->connected || !relay->signalled.length)
		return FALSE;
	rank = rank_of(relay, from);
	if (relay->types[packet->pt].rate == 0) {
		if (rank != SOURCE_FOREIGN)
			relay_watch_strange(relay, packet->pt);
		return FALSE;
	}
	if (rank == SOURCE_FOREIGN)
		return admit_foreign(relay, from, packet);
	if (relay->latched && rank <= relay->rank && !is_silent(relay))
		return FALSE;
	latch(relay, from, rank);
	return TRUE;
}

gboolean
relay_admit_rtcp(Relay *relay, const NetAddress *from)
{
	if (relay->webrtc)
		return net_address_equal(from,
					 relay->rtcp_apart ? &relay->rtcp_peer : &relay->peer);
	if (net_address_equal(from, &relay->rtcp_peer))
		return TRUE;
	if (!relay->connected || !relay->signalled.length ||
	    !(relay->latched ? net_address_same_host(from, &relay->peer) : is_allowed(relay, from)))
		return FALSE;
	relay->rtcp_peer = *from;
	return TRUE;
}

/* Authenticated RTP from elsewhere than we send to: the peer may have moved to
 * another pair that libnice does not follow.  Never without DTLS: whoever reads the candidates
 * could write such a packet, and only the agent's checks say where the peer is. */
void
relay_follow(Relay *relay, guint socket, const NetAddress *from, const RtpPacket *packet)
{
	gint64 now = worker_now(relay->worker);

	if (now < relay->may_ask_at || (relay->in.has_source && packet->ssrc == relay->in.ssrc &&
					(gint16)(packet->seq - relay->in.max_seq) <= 0))
		return;
	relay->may_ask_at = now + ASK_ROUTE_US;
	relay->asked = *from;
	relay->options.events->ask_route(relay->options.owner, socket, from);
}

void
relay_set_rtcp_route(Relay *relay, guint socket, const NetAddress *peer)
{
	const gboolean relayed = socket == RELAY_BY_OWNER;

	if (relay->closed || (!relayed && socket >= relay->n_sockets))
		return;
	relay->rtcp_relayed = relayed;
	relay->rtcp_fd = relayed ? -1 : relay->sockets[socket].fd;
	relay->rtcp_peer = *peer;
}

static gboolean
has_way(const Relay *relay, guint socket)
{
	return !relay->closed && relay->n_sockets > 0 &&
	       (socket == RELAY_BY_OWNER || socket < relay->n_sockets);
}

static void
send_to(Relay *relay, guint socket, const NetAddress *peer)
{
	const gboolean relayed = socket == RELAY_BY_OWNER;

	relay->relayed = relayed;
	relay->out_index = socket;
	relay->out_fd = relay->sockets[relayed ? 0 : socket].fd;
	relay->peer = *peer;
	relay->error_noted = FALSE;
	relay_consent_moved(relay);
}

/* The agent's choice is newer than what has been asked before it. */
void
relay_set_route(Relay *relay, guint socket, const NetAddress *peer)
{
	if (!has_way(relay, socket))
		return;
	relay->may_ask_at = worker_now(relay->worker) + relay_span(relay, NEW_ROUTE_US);
	relay->asked.length = 0;
	send_to(relay, socket, peer);
}

void
relay_set_followed(Relay *relay, guint socket, const NetAddress *peer)
{
	char text[NET_ADDRESS_TEXT];

	if (!has_way(relay, socket) || !net_address_equal(&relay->asked, peer))
		return;
	relay_note(relay, "rtp: the peer now sends from %s, following it",
		   net_address_text(peer, text));
	send_to(relay, socket, peer);
}
