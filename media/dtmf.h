/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* dtmf.h - digits as RTP events (telephone-event).
 *
 * Nothing here allocates, locks or reads a clock.
 * Thread: any (pure).  RFC 4733 section 2.
 */
#pragma once
#include <glib.h>
#include "media/rtp.h"

#define DTMF_PAYLOAD  4	  /* bytes */
#define DTMF_TICK_MS  20  /* between packets of an event */
#define DTMF_TONE_MS  160 /* length of a digit of ours */
#define DTMF_PAUSE_MS 100 /* between two */
#define DTMF_QUEUE    32  /* digits that wait; more are refused */

typedef struct {
	guint8 event; /* 0 to 15 are digits */
	gboolean end;
	guint8 volume;	  /* -dBm0, 0 to 63 */
	guint16 duration; /* since the timestamp, in the stream's clock */
} DtmfEvent;

/* FALSE when the payload is too short. */
gboolean dtmf_parse(const guint8 *payload, gsize size, DtmfEvent *event);
void dtmf_write(guint8 payload[DTMF_PAYLOAD], const DtmfEvent *event);

/* The payload of `packet` with its duration in another clock; FALSE when it is too short. */
gboolean dtmf_convert(const RtpPacket *packet, guint32 clock, guint32 out_clock,
		      guint8 payload[DTMF_PAYLOAD]);

char dtmf_digit(guint8 event);			/* '0'-'9' '*' '#' 'A'-'D', 0 for no digit */
gboolean dtmf_event(char digit, guint8 *event); /* letters in either case */

/* --- receiving: one digit per event, whatever gets lost or comes twice --- */
typedef struct {
	gboolean any;
	guint32 ssrc, timestamp;
	DtmfEvent last;
} DtmfReceiver; /* all zeroes to begin with */

/* For each packet of the telephone-event payload type, as it came.  The digit
 * when an event begins, else 0. */
char dtmf_receive(DtmfReceiver *receiver, const RtpPacket *packet);

/* --- sending --- */
typedef struct {
	guint32 rate; /* of the telephone-event payload type */
	char queue[DTMF_QUEUE];
	guint8 n_queued;
	guint8 event;	   /* the one being sent */
	guint8 tick;	   /* packets sent of it; 0: none is */
	guint8 pause;	   /* ticks to wait before the next */
	guint32 timestamp; /* when it began */
} DtmfSender;

typedef struct {
	guint32 timestamp;
	gboolean marker;
	guint8 payload[DTMF_PAYLOAD];
} DtmfPacket;

void dtmf_sender_init(DtmfSender *sender, guint32 rate);
gboolean dtmf_sender_push(DtmfSender *sender, char digit); /* FALSE: no digit, or full */
gboolean dtmf_sender_busy(const DtmfSender *sender);	   /* tick it, and hold back the audio */
/* Every DTMF_TICK_MS while busy: TRUE with a packet to be sent now.  `now` is
 * the stream's clock (rtp_rewriter_now()); all packets of an event have the
 * timestamp of its start, its end is said three times. */
gboolean dtmf_sender_tick(DtmfSender *sender, guint32 now, DtmfPacket *packet);
