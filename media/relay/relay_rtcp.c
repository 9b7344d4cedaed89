/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* relay_rtcp.c - reports from a port's peer, and ours to it.
 *
 * RFC 3550 section 6.
 */
#include "media/relay/relay_private.h"
#include <errno.h>

static void
read_blocks(Relay *relay, const RtcpPacket *packet, gint64 now)
{
	RtcpBlock block, about;
	gboolean has_about = FALSE;

	for (guint i = 0; rtcp_block(packet, i, &block); i++) {
		if (block.ssrc != relay->out.ssrc)
			continue;
		rtcp_rtt_received(&relay->rtt, &block, now);
		if (relay->twin)
			relay_convert_loss(relay->twin, block.fraction * 100u / 256);
		about = block;
		has_about = TRUE;
	}
	relay_watch_report(relay, packet->type == RTCP_SR, has_about ? &about : NULL);
}

void
relay_receive_rtcp(Relay *relay, guint8 *data, gsize length, const NetAddress *from)
{
	gint64 now = worker_now(relay->worker);
	RtcpPacket packet;
	RtcpSender sender;
	gsize offset = 0;

	if (length > RELAY_MAX_PACKET || length < 8) {
		relay->stats.dropped_malformed++;
		return;
	}
	if (relay->secure &&
	    (!relay->receive ||
	     protection_unprotect_rtcp(relay->receive, data, &length) != PROTECTION_OK)) {
		relay->stats.dropped_auth++;
		return;
	}
	if (relay->secure && !relay->proven)
		relay_prove(relay);
	if (!rtcp_valid(data, length)) {
		relay->stats.dropped_malformed++;
		return;
	}
	if ((!relay->webrtc || !relay->secure) && !relay_admit_rtcp(relay, from)) {
		relay->stats.dropped_source++;
		return;
	}
	relay->stats.rtcp_in++;
	relay->last_in = now;
	while (rtcp_next(data, length, &offset, &packet)) {
		if (rtcp_sender(&packet, &sender) &&
		    (!relay->in.has_source || packet.ssrc == relay->in.ssrc))
			rtcp_sr_seen(&relay->last_sr, &sender, now);
		if (rtcp_sender(&packet, &sender))
			relay->watch.peer_ahead = sender.packets - (guint32)relay->stats.packets_in;
		if (packet.type == RTCP_SR || packet.type == RTCP_RR)
			read_blocks(relay, &packet, now);
	}
}

static void
send_rtcp(Relay *relay, guint8 *data, gsize length)
{
	const gboolean apart = relay->rtcp_apart;
	const NetAddress *to = apart ? &relay->rtcp_peer : &relay->peer;
	int fd = apart ? relay->rtcp_fd : relay->out_fd;

	if (length == 0 ||
	    (relay->send && protection_protect_rtcp(relay->send, data, &length) != PROTECTION_OK))
		return;
	if (apart ? relay->rtcp_relayed : relay->relayed) {
		relay->options.events->send(relay->options.owner, data, length);
	} else if (sendto(fd, data, length, 0, &to->any, to->length) < 0) {
		relay_note_error(relay, to, errno);
		return;
	}
	relay->stats.rtcp_out++;
}

gboolean
relay_can_report(const Relay *relay)
{
	if (relay->closed || !relay->connected || relay->out_fd < 0 || relay->refused)
		return FALSE;
	if (relay->secure && !relay->send)
		return FALSE;
	if (!relay->rtcp_apart)
		return TRUE;
	return (relay->rtcp_fd >= 0 || relay->rtcp_relayed) && relay->rtcp_peer.length &&
	       !net_address_any(&relay->rtcp_peer) &&
	       (relay->stats.packets_out || relay->stats.packets_in);
}

void
relay_report(Relay *relay, gint64 now)
{
	_Alignas(8) guint8 data[RTCP_MAX_REPORT + PROTECTION_TRAILER];
	RtcpReport ours = { .ssrc = relay->out.ssrc, .cname = relay->cname };
	RtcpSender sender;
	RtcpBlock block;
	gsize length;

	if (relay->stats.packets_out > relay->reported_out) {
		guint32 rate = relay->out_rate ? relay->out_rate : DEFAULT_RATE;

		sender.ntp = rtcp_ntp(g_get_real_time());
		sender.timestamp = rtp_rewriter_now(&relay->out, rate, now);
		sender.packets = (guint32)relay->stats.packets_out;
		/* payload only: RFC 3550 6.4.1 */
		sender.bytes =
			(guint32)(relay->stats.bytes_out - RTP_HEADER * relay->stats.packets_out);
		ours.sender = &sender;
	}
	relay->reported_out = relay->stats.packets_out;
	if (relay->in.has_source) {
		rtcp_block_from_stats(&relay->in, &relay->last_sr, now, &block);
		ours.block = &block;
	}
	length = rtcp_write_report(data, RTCP_MAX_REPORT, &ours);
	rtcp_rtt_sent(&relay->rtt, data, length, now);
	send_rtcp(relay, data, length);
}

void
relay_say_bye(Relay *relay)
{
	_Alignas(8) guint8 data[RTCP_MAX_REPORT + PROTECTION_TRAILER];

	if (relay_can_report(relay) && relay->stats.packets_out)
		send_rtcp(relay, data,
			  rtcp_write_bye(data, RTCP_MAX_REPORT, relay->out.ssrc, relay->cname));
}
