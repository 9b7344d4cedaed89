/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* rtcp.h - RTCP: validate, read, write.
 *
 * Works on bytes the caller owns, unprotected (SRTCP is srtp.c's); nothing here
 * allocates, locks or reads a clock.
 * Thread: any (pure).  RFC 3550 section 6 and appendix A, RFC 5506, RFC 5761.
 */
#pragma once
#include <glib.h>
#include "media/rtp.h"

enum {
	RTCP_SR = 200,
	RTCP_RR = 201,
	RTCP_SDES = 202,
	RTCP_BYE = 203,
	RTCP_APP = 204,
	RTCP_RTPFB = 205, /* RFC 4585: NACK, transport-cc … */
	RTCP_PSFB = 206,  /* RFC 4585: PLI, FIR, REMB … */
	RTCP_XR = 207	  /* RFC 3611 */
};

/* Room rtcp_write_report() or rtcp_write_bye() needs at most. */
#define RTCP_MAX_REPORT 352
#define RTCP_MAX_CNAME	64

/* One packet of a compound. */
typedef struct {
	guint8 type;	    /* RTCP_SR … */
	guint8 count;	    /* report blocks, chunks or format */
	guint32 ssrc;	    /* of the sender; 0 for an empty BYE or SDES */
	const guint8 *data; /* header included, padding not */
	gsize size;
} RtcpPacket;

/* A whole datagram: version, lengths that add up, padding in the last alone.
 * Any known type may come first (reduced size, RFC 5506). */
gboolean rtcp_valid(const guint8 *data, gsize size);

/* The packets of a datagram in turn; *offset begins at 0.  FALSE at the end, and
 * where it stops making sense. */
gboolean rtcp_next(const guint8 *data, gsize size, gsize *offset, RtcpPacket *packet);

/* A report block of an SR or RR. */
typedef struct {
	guint32 ssrc;	   /* whom it is about */
	guint8 fraction;   /* lost since the last report, of 256 */
	gint32 lost;	   /* 24 bits, signed */
	guint32 highest;   /* extended sequence number */
	guint32 jitter;	   /* RTP units */
	guint32 lsr, dlsr; /* 1/65536 s; lsr 0: no SR yet */
} RtcpBlock;

typedef struct {
	guint64 ntp;	   /* 32.32 seconds since 1900 */
	guint32 timestamp; /* RTP, the same instant */
	guint32 packets, bytes;
} RtcpSender;

gboolean rtcp_block(const RtcpPacket *packet, guint n, RtcpBlock *block); /* FALSE: no such */
gboolean rtcp_sender(const RtcpPacket *packet, RtcpSender *sender);	  /* FALSE: no SR */

/* --- writing --- */
typedef struct {
	guint32 ssrc;		  /* ours */
	const char *cname;	  /* at most RTCP_MAX_CNAME bytes are taken */
	const RtcpSender *sender; /* NULL: an RR, we have sent nothing since the last */
	const RtcpBlock *block;	  /* NULL: we have received nothing */
} RtcpReport;

/* A compound of SR or RR and SDES; its size, or 0 when `room` is too small. */
gsize rtcp_write_report(guint8 *data, gsize room, const RtcpReport *report);
/* A compound of an empty RR, SDES and BYE. */
gsize rtcp_write_bye(guint8 *data, gsize room, guint32 ssrc, const char *cname);

/* The block about `stats`, and the start of the next interval.  `last_sr` is
 * what rtcp_sr_seen() kept. */
typedef struct {
	guint32 lsr; /* middle of the newest SR's NTP time; 0: none */
	gint64 seen_us;
} RtcpLastSr;
void rtcp_sr_seen(RtcpLastSr *last, const RtcpSender *sender, gint64 now_us);
void
rtcp_block_from_stats(RtpStats *stats, const RtcpLastSr *last, gint64 now_us, RtcpBlock *block);

/* `real_us`: microseconds since 1970 (g_get_real_time()). */
guint64 rtcp_ntp(gint64 real_us);

/* --- what the peer hears of us ---
 *
 * One stream of ours; the peer may begin to count anew (another receiver at its end). */
typedef struct {
	gboolean any;	    /* it has spoken of our stream */
	guint32 highest;    /* as in its newest block */
	gint32 lost;	    /* likewise */
	gint64 lost_before; /* by its earlier counts */
	guint32 jitter;	    /* RTP units */
} RtcpFar;
/* Every block about our stream; TRUE: something of ours has come to it since the last. */
gboolean rtcp_far_received(RtcpFar *far, const RtcpBlock *block);
guint64 rtcp_far_lost(const RtcpFar *far); /* never below 0 */

/* --- round trip ---
 *
 * A peer's block names the SR it saw by its NTP time.  What counts is when we sent
 * that, by the monotonic clock. */
#define RTCP_RTT_DEPTH 4
typedef struct {
	struct {
		guint32 lsr;
		gint64 sent_us;
	} sent[RTCP_RTT_DEPTH];
	guint n;	/* ever kept */
	guint32 rtt_us; /* newest measurement; 0: none */
} RtcpRtt;
/* Every SR in a compound that is about to go to the peer. */
void rtcp_rtt_sent(RtcpRtt *rtt, const guint8 *data, gsize size, gint64 now_us);
/* Every block that came from the peer; TRUE when it gave a measurement. */
gboolean rtcp_rtt_received(RtcpRtt *rtt, const RtcpBlock *block, gint64 now_us);
