/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* rtp.h - RTP packets: read, renumber, count.
 *
 * Works on bytes the caller owns; nothing here allocates, locks or reads a
 * clock, so all of it may run for every packet.  Times are of one monotonic
 * clock in microseconds, `rate` is the RTP clock in Hz.
 * Thread: any (pure).  RFC 3550 sections 5.1, 6.4.1, appendix A.
 */
#pragma once
#include <glib.h>

#define RTP_HEADER 12 /* bytes, without CSRCs and extension */

typedef struct {
	guint16 seq;
	guint32 timestamp;
	guint32 ssrc;
	guint8 pt; /* 0 to 127 */
	gboolean marker;
	gsize header_size;     /* where the payload begins: CSRCs and extension included */
	const guint8 *payload; /* in the caller's buffer */
	gsize payload_size;    /* padding not counted; 0 is valid */
} RtpPacket;

/* FALSE when it is no RTP version 2 packet whose CSRCs, extension and padding
 * fit in `size`. */
gboolean rtp_parse(const guint8 *data, gsize size, RtpPacket *packet);

/* Writes a header of RTP_HEADER bytes: seq, timestamp, ssrc, pt and marker are
 * taken from `packet`. */
void rtp_write_header(guint8 data[RTP_HEADER], const RtpPacket *packet);

/* --- one outgoing stream, whatever its sources ---
 *
 * A port sends under one SSRC, with sequence numbers and timestamps that go on
 * when the source behind it changes (another SSRC, or the same one started
 * anew): SRTP's roll-over counter and the receiver's jitter buffer live on. */
typedef struct {
	guint32 ssrc;	     /* ours, for the life of the port */
	gboolean has_source; /* false until the first rtp_rewrite() */
	guint32 source;	     /* SSRC relayed now; for RTCP */
	guint16 source_seq;  /* newest that came from it */
	guint16 first_seq;   /* oldest that the offsets below hold for */
	guint32 bad_seq;     /* next number, should a jump be a restart */
	guint16 seq_offset;  /* sent = received + offset, modulo 2^16 */
	guint32 ts_offset;   /* likewise, modulo 2^32 */
	gboolean has_other;  /* the source before this one, and its offset */
	guint32 other, other_ts_offset;
	gint64 changed_us; /* when this one began */
	guint16 seq;	   /* newest sent */
	guint32 timestamp; /* of that packet */
	gint64 sent_us;	   /* and when it went */
	gboolean own;	   /* audio of our own is being sent, */
	guint32 own_next;  /* and goes on here */
} RtpRewriter;

/* Start values should be random (RFC 3550 5.1); the first packet has `seq`+1. */
void rtp_rewriter_init(RtpRewriter *rewriter, guint32 ssrc, guint16 seq, guint32 timestamp);

/* Renumbers a packet in place for sending: `data` is what `packet` was parsed
 * from, `pt` the sink's number for the payload.  The first packet of another
 * source, or of another clock of the same, has the marker bit (a talkspurt begins).  FALSE when it
 * must not be sent and is left as it was: it is late and its number has gone to another packet
 * (with SRTP a number must never be used twice), or it is so far off that the
 * next has to confirm that the source began anew. */
gboolean rtp_rewrite(RtpRewriter *rewriter, guint8 *data, const RtpPacket *packet, guint8 pt,
		     guint32 rate, gint64 now_us) G_GNUC_WARN_UNUSED_RESULT;

/* The sources so far are not coming back: another party is behind the stream. */
void rtp_rewriter_forget(RtpRewriter *rewriter);

/* A packet from the source that is not sent on (payload type not mapped): its
 * number is given to the next, so that the receiver sees no loss. */
void rtp_rewriter_skip(RtpRewriter *rewriter, const RtpPacket *packet);

/* A packet of our own in this stream: the number to send it under.  What is
 * relayed after it moves up by one. */
guint16 rtp_rewriter_insert(RtpRewriter *rewriter);
/* The same for audio of our own, of `samples`: number, timestamp and SSRC are set in
 * `packet`, and the stream goes on behind it. */
void rtp_rewriter_own(RtpRewriter *rewriter, RtpPacket *packet, guint32 samples, guint32 rate,
		      gint64 now_us);
/* Nothing was said for so long before the next audio of our own. */
void rtp_rewriter_pause(RtpRewriter *rewriter, guint32 units);
/* What comes next from that source follows what was sent last: its number after `seq`,
 * its timestamp from `timestamp` on. */
void rtp_rewriter_follow(RtpRewriter *rewriter, guint32 source, guint16 seq, guint32 timestamp);
/* The stream's timestamp at `now_us`, for a packet of our own. */
guint32 rtp_rewriter_now(const RtpRewriter *rewriter, guint32 rate, gint64 now_us);

/* --- what came in --- */
typedef struct {
	gboolean has_source;
	guint32 ssrc;	  /* of the source counted now */
	guint16 max_seq;  /* RFC 3550 A.1 */
	guint32 cycles;	  /* roll-overs of max_seq, shifted by 16 */
	guint32 base_seq; /* first number of this source */
	guint32 bad_seq;  /* next number, should a jump be a restart */
	guint32 received; /* of this source */
	guint32 rate;
	guint32 transit, last_ts;
	guint32 jitter; /* RTP units times 16: A.8 */
	guint32 expected_prior, received_prior;
	/* of sources (or starts of one) before this; received is what came of them */
	guint64 lost_before, received_before;
} RtpStats;

void rtp_stats_init(RtpStats *stats);
/* Counts a packet that passed authentication and rtp_parse(). */
void rtp_stats_update(RtpStats *stats, const RtpPacket *packet, guint32 rate, gint64 now_us);
guint64 rtp_stats_lost(const RtpStats *stats); /* over all sources; never below 0 */
guint64 rtp_stats_received(const RtpStats *stats);
guint32 rtp_stats_jitter_us(const RtpStats *stats);
