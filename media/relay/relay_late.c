/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* relay_late.c - nothing the callee says first is lost.
 *
 * From the carrier's answer to the client's first SRTP key there is nobody to pass
 * audio on to.  It is kept, and when there is a key it is played a little fast until
 * it has caught up; from then on packets pass as they come.  Only a plain port keeps,
 * for a WebRTC twin, once a call.
 */
#include "media/catchup.h"
#include "media/relay/relay_private.h"
#include <string.h>

#define FRAME_US 20000

struct Late {
	Catchup *catchup;
	guint8 pt; /* the source's number of the newest */
	guint32 ssrc;
	guint16 seq;
	gint64 kept_since;
	gint64 playing_since; /* 0: it is kept, still */
	guint frames;
	guint16 made; /* numbers of what is transcoded */
};

static gboolean
law_of(const Relay *relay, guint8 pt, Law *law)
{
	const Desc *descs[] = { relay->local, relay->remote };

	for (guint i = 0; i < G_N_ELEMENTS(descs); i++) {
		const Stream *audio = descs[i] ? desc_audio(descs[i]) : NULL;

		for (guint j = 0; audio && j < audio->codecs->len; j++) {
			const Codec *codec = g_ptr_array_index(audio->codecs, j);
			gboolean is_u = g_ascii_strcasecmp(codec->name, "PCMU") == 0;

			if (codec->pt != pt || codec->rate != DEFAULT_RATE)
				continue;
			*law = is_u ? LAW_U : LAW_A;
			return is_u || g_ascii_strcasecmp(codec->name, "PCMA") == 0;
		}
	}
	return FALSE;
}

static void
begin(Relay *relay)
{
	relay->late = g_new0(Late, 1);
	relay->late->catchup = catchup_new();
	relay->late->kept_since = g_get_monotonic_time();
	relay->kept_late = TRUE;
	relay_hurry(relay, TRUE);
}

void
relay_late_stop(Relay *relay)
{
	if (!relay->late)
		return;
	relay_hurry(relay, FALSE);
	catchup_free(relay->late->catchup);
	g_clear_pointer(&relay->late, g_free);
}

gboolean
relay_late_take(Relay *relay, const RtpPacket *packet)
{
	const Relay *twin = relay->twin;
	Law law;

	if (!relay->late &&
	    (relay->kept_late || relay->webrtc || !twin->webrtc || !twin->secure || twin->send ||
	     !relay->may_receive || !relay->options.media->keep_first_words))
		return FALSE;
	if (!law_of(relay, packet->pt, &law))
		return FALSE;
	if (!relay->late)
		begin(relay);
	relay->late->pt = packet->pt;
	relay->late->ssrc = packet->ssrc;
	relay->late->seq = packet->seq;
	catchup_push(relay->late->catchup, law, packet->timestamp, packet->payload,
		     packet->payload_size);
	return TRUE;
}

static void
send_frame(Relay *relay, guint8 pt, const guint8 *payload, gsize size, gboolean marker, gint64 now)
{
	Relay *twin = relay->twin;
	_Alignas(8) guint8 data[RTP_HEADER + CATCHUP_LAST + PROTECTION_TRAILER];
	RtpPacket packet = { .pt = pt, .marker = marker };

	if (pt == CONVERT_PT) {
		packet.seq = relay->late->made++;
		packet.timestamp = packet.seq * CATCHUP_FRAME;
		packet.payload = payload;
		packet.payload_size = size;
		relay_convert_frame(relay, relay->late->pt, &packet, now);
		return;
	}
	rtp_rewriter_own(&twin->out, &packet, (guint32)size, DEFAULT_RATE, now);
	rtp_write_header(data, &packet);
	memcpy(data + RTP_HEADER, payload, size);
	twin->out_rate = DEFAULT_RATE;
	relay_send_rtp(twin, data, RTP_HEADER + size);
}

/* FALSE when it has caught up. */
static gboolean
play(Relay *relay, gint64 now)
{
	guint8 payload[CATCHUP_LAST], pt = relay->types[relay->late->pt].map;
	Late *late = relay->late;
	gboolean last;
	gsize size;
	Law law;

	if (!law_of(relay, late->pt, &law))
		return FALSE;
	size = catchup_pull(late->catchup, law, payload, &last);
	for (gsize at = 0; at < size; at += CATCHUP_FRAME)
		send_frame(relay, pt, payload + at, CATCHUP_FRAME, late->frames == 0 && at == 0,
			   now);
	late->frames++;
	if (last)
		rtp_rewriter_follow(&relay->twin->out, late->ssrc, late->seq,
				    catchup_next_timestamp(late->catchup));
	return !last;
}

/* A telephone that sends its buffer at once, or skips, has not said more than there was time
 * for: what is older than the answer delays whom it is played to, and nothing else. */
static guint
room_for(gint64 us)
{
	return (guint)(MAX(us, 0) / FRAME_US + 1) * CATCHUP_FRAME;
}

void
relay_late_tick(Relay *relay, gint64 now)
{
	Late *late = relay->late;
	Relay *twin = relay->twin;

	if (!twin || relay->closed) {
		relay_late_stop(relay);
		return;
	}
	if (!relay_can_send(twin) || relay->types[late->pt].map == NO_PT ||
	    dtmf_sender_busy(&twin->digits_out))
		return;
	if (!late->playing_since) {
		late->playing_since = now;
		catchup_trim(late->catchup, room_for(now - late->kept_since));
		relay_note(relay, "rtp: %u ms came before they could be passed on",
			   catchup_waiting(late->catchup) * 1000 / DEFAULT_RATE);
	}
	while (now - late->playing_since >= (gint64)late->frames * FRAME_US)
		if (!play(relay, now)) {
			relay_note(relay, "rtp: caught up after %u ms",
				   (guint)((now - late->playing_since) / 1000));
			relay_late_stop(relay);
			return;
		}
}
