/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* dtmf.c - digits as RTP events.
 *
 * Thread: any (pure).  RFC 4733 section 2.
 */
#include <string.h>
#include "media/bytes.h"
#include "media/dtmf.h"

#define VOLUME	    10 /* -dBm0: what a telephone's own keys sound like */
#define TONE_TICKS  (DTMF_TONE_MS / DTMF_TICK_MS)
#define END_PACKETS 3	    /* RFC 4733 2.5.1.4 */
#define LATE_MAX    0x20000 /* units of the clock; further back is another clock */

static const char digits[] = "0123456789*#ABCD"; /* by event number: RFC 4733 3.2 */

gboolean
dtmf_parse(const guint8 *payload, gsize size, DtmfEvent *event)
{
	if (size < DTMF_PAYLOAD)
		return FALSE;
	*event = (DtmfEvent){
		.event = payload[0],
		.end = payload[1] >> 7,
		.volume = payload[1] & 0x3f,
		.duration = get16(payload + 2),
	};
	return TRUE;
}

void
dtmf_write(guint8 payload[DTMF_PAYLOAD], const DtmfEvent *event)
{
	payload[0] = event->event;
	payload[1] = (guint8)((event->end ? 0x80 : 0) | (event->volume & 0x3f));
	put16(payload + 2, event->duration);
}

gboolean
dtmf_convert(const RtpPacket *packet, guint32 clock, guint32 out_clock,
	     guint8 payload[DTMF_PAYLOAD])
{
	DtmfEvent event;
	guint64 duration;

	if (clock == 0 || !dtmf_parse(packet->payload, packet->payload_size, &event))
		return FALSE;
	duration = (guint64)event.duration * out_clock / clock;
	event.duration = (guint16)MIN(duration, G_MAXUINT16);
	dtmf_write(payload, &event);
	return TRUE;
}

char
dtmf_digit(guint8 event)
{
	return event < sizeof(digits) - 1 ? digits[event] : 0;
}

gboolean
dtmf_event(char digit, guint8 *event)
{
	const char *found = digit ? strchr(digits, g_ascii_toupper(digit)) : NULL;

	if (!found)
		return FALSE;
	*event = (guint8)(found - digits);
	return TRUE;
}

/* --- receiving --- */

/* Whether a packet with a later timestamp belongs to the event known already.
 * A new event cannot begin before the last has ended, so one that claims to and
 * has no marker bit is a further piece of it: of a long tone (RFC 4733 2.5.1.3),
 * or from a sender that wrongly lets the timestamp run on. */
static gboolean
goes_on(const DtmfReceiver *receiver, const RtpPacket *packet, const DtmfEvent *event,
	guint32 delta)
{
	return !packet->marker && event->event == receiver->last.event &&
	       delta <= receiver->last.duration;
}

char
dtmf_receive(DtmfReceiver *receiver, const RtpPacket *packet)
{
	guint32 delta = packet->timestamp - receiver->timestamp;
	gboolean known = receiver->any && packet->ssrc == receiver->ssrc;
	DtmfEvent event;

	if (!dtmf_parse(packet->payload, packet->payload_size, &event))
		return 0;
	if (known && delta > G_MAXUINT32 - LATE_MAX)
		return 0; /* of an event before this one */
	known = known && (delta == 0 ? event.event == receiver->last.event
				     : goes_on(receiver, packet, &event, delta));
	if (known && delta == 0)
		event.duration = MAX(event.duration, receiver->last.duration);
	receiver->any = TRUE;
	receiver->ssrc = packet->ssrc;
	receiver->timestamp = packet->timestamp;
	receiver->last = event;
	return known ? 0 : dtmf_digit(event.event);
}

/* --- sending --- */

void
dtmf_sender_init(DtmfSender *sender, guint32 rate)
{
	*sender = (DtmfSender){ .rate = rate };
}

gboolean
dtmf_sender_push(DtmfSender *sender, char digit)
{
	guint8 event;

	if (sender->n_queued == DTMF_QUEUE || !dtmf_event(digit, &event))
		return FALSE;
	sender->queue[sender->n_queued++] = digit;
	return TRUE;
}

gboolean
dtmf_sender_busy(const DtmfSender *sender)
{
	return sender->tick > 0 || sender->pause > 0 || sender->n_queued > 0;
}

static gboolean
start_next(DtmfSender *sender, guint32 now)
{
	if (sender->pause > 0) {
		sender->pause--;
		return FALSE;
	}
	if (sender->n_queued == 0)
		return FALSE;
	dtmf_event(sender->queue[0], &sender->event); /* a digit: dtmf_sender_push() */
	sender->n_queued--;
	memmove(sender->queue, sender->queue + 1, sender->n_queued);
	sender->timestamp = now;
	return TRUE;
}

gboolean
dtmf_sender_tick(DtmfSender *sender, guint32 now, DtmfPacket *packet)
{
	DtmfEvent event = { .volume = VOLUME };
	guint ticks;

	if (sender->tick == 0 && !start_next(sender, now))
		return FALSE;
	sender->tick++;
	ticks = MIN(sender->tick, TONE_TICKS);
	event.event = sender->event;
	event.end = sender->tick >= TONE_TICKS;
	event.duration = (guint16)MIN(ticks * DTMF_TICK_MS * sender->rate / 1000, G_MAXUINT16);
	packet->timestamp = sender->timestamp;
	packet->marker = sender->tick == 1;
	dtmf_write(packet->payload, &event);
	if (sender->tick == TONE_TICKS + END_PACKETS - 1) {
		sender->tick = 0;
		/* the repeated ends were part of it */
		sender->pause = DTMF_PAUSE_MS / DTMF_TICK_MS - END_PACKETS + 1;
	}
	return TRUE;
}
