/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* relay_source.c - who may send to a port, and where it sends to.
 *
 * RFC 4961 (symmetric RTP), RFC 8445 (a WebRTC peer is where our agent says).
 */
#include "media/relay_private.h"

#define RELATCH_US   2000000  /* silence after which a source may move */
#define STRANGER_US  10000000 /* and after which it may be anybody's */
#define ASK_ROUTE_US 200000

static void
latch(Relay *relay, const NetAddress *from)
{
	char ours[NET_ADDRESS_TEXT], theirs[NET_ADDRESS_TEXT];

	if (!net_address_equal(from, &relay->signalled) || relay->latched)
		port_note(relay->port, "rtp: comes from %s, signalled was %s: following it",
			  net_address_text(from, theirs),
			  net_address_text(&relay->signalled, ours));
	relay->latched = TRUE;
	relay->peer = *from;
	relay->rtcp_peer = *from;
	net_address_set_port(&relay->rtcp_peer, net_address_port(from) + 1);
	if (net_address_equal(from, &relay->signalled)) {
		const Transport *theirs_now = desc_audio(relay->remote)->transport;

		if (theirs_now->rtcp_port)
			net_address_set_port(&relay->rtcp_peer, theirs_now->rtcp_port);
	}
}

/* May another source than the latched one have the port?  One that fell silent may
 * have moved, when it is the same stream or host; after a long silence in a call
 * that is not on hold the peer is taken for replaced, or the latched source never
 * was the peer. */
static gboolean
may_move(const Relay *relay, const NetAddress *from, const RtpPacket *packet)
{
	gint64 silent = worker_now(relay->worker) - relay->last_in;

	if (silent < relay_span(relay, RELATCH_US))
		return FALSE;
	return packet->ssrc == relay->in.ssrc || net_address_same_host(from, &relay->peer) ||
	       net_address_same_host(from, &relay->signalled) ||
	       (silent >= relay_span(relay, STRANGER_US) && relay_talks(relay));
}

/* Symmetric RTP (RFC 4961): the first source is taken, then it alone.  The
 * signalled address is always right. */
gboolean
relay_admit(Relay *relay, const NetAddress *from, const RtpPacket *packet)
{
	if (!relay->connected || !relay->signalled.length || relay->rate[packet->pt] == 0)
		return FALSE;
	if (relay->latched && !net_address_equal(from, &relay->signalled) &&
	    !may_move(relay, from, packet))
		return FALSE;
	latch(relay, from);
	return TRUE;
}

gboolean
relay_admit_rtcp(Relay *relay, const NetAddress *from)
{
	if (net_address_equal(from, &relay->rtcp_peer))
		return TRUE;
	if (!relay->connected || !relay->signalled.length ||
	    !net_address_same_host(from, relay->latched ? &relay->peer : &relay->signalled))
		return FALSE;
	relay->rtcp_peer = *from;
	return TRUE;
}

/* Authenticated RTP from elsewhere than we send to: the peer may have moved to
 * another pair that libnice does not follow. */
void
relay_follow(Relay *relay, guint socket, const NetAddress *from, const RtpPacket *packet)
{
	gint64 now = worker_now(relay->worker);

	if (now - relay->asked_at < ASK_ROUTE_US ||
	    (relay->in.has_source && packet->ssrc == relay->in.ssrc &&
	     (gint16)(packet->seq - relay->in.max_seq) <= 0))
		return;
	relay->asked_at = now;
	port_ask_route(relay->port, socket, from);
}

void
relay_set_route(Relay *relay, guint socket, const NetAddress *peer)
{
	const gboolean relayed = socket == ICE_RELAYED;

	if (relay->closed || relay->n_sockets == 0 || (!relayed && socket >= relay->n_sockets))
		return;
	relay->relayed = relayed;
	relay->out_index = socket;
	relay->out_fd = relay->sockets[relayed ? 0 : socket].fd;
	relay->peer = *peer;
	relay->error_noted = FALSE;
}
