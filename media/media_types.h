/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* media_types.h - what all of the media knows: options, what can go wrong, counters.
 *
 * Part of media.h; those below it (ICE, the relay) include this alone.
 */
#pragma once
#include "media/codec.h"
#include "media/desc.h"
#include "media/side.h"

typedef guint PortId; /* from 1; 0 is no port */

/* A STUN or TURN server; host NULL: none. */
typedef struct {
	char *host; /* a name or a numeric address */
	guint16 port;
} MediaServer;

typedef struct {
	guint n_ice, n_media; /* threads of each kind; 0 means one per processor that we may use */
	char **local_addresses; /* numeric, NULL-terminated: ICE host candidates are made of these
				 */
	char *rtp_address;	/* numeric: plain RTP is bound and announced here */
	char *public_address;	/* announced instead of rtp_address and host addresses; NULL: none
				   (1:1 NAT) */
	guint16 port_min, port_max; /* one range for RTP and ICE */
	guint ice_timeout_s;	 /* from media_connect() to `lost` when ICE or DTLS is not up: 30 */
	guint rtp_timeout_s;	 /* silence on a connected port before `lost`: 0 is never */
	guint consent_timeout_s; /* without an answer to a check, or any packet, before `lost`
				    (RFC 7675 5.1): 0 means 30, the least is 11 */
	guint second_ms; /* of rtp_timeout_s and the packet path's other times: 0 is 1000; tests
			    have shorter ones */
	/* told to users; asked which address we have where public_address does not say */
	MediaServer stun;      /* told to users */
	MediaServer turn;      /* the same; with credentials */
	char *turn_secret;     /* shared with that server (turn.h) */
	guint16 turn_tls_port; /* it takes TLS there; 0: it does not */
	gboolean turn_relay;   /* our own agents take a relayed address there too */
	guint turn_ttl_s;      /* how long credentials are good for */
	gboolean transcode; /* also audio that the peer was not told that it may send is made into
			       what the other side takes */
	guint opus_complexity;	   /* of what is transcoded to Opus, 1 to 10; 0: 5 */
	gboolean keep_first_words; /* what the telephone says before the client can hear it */
	gboolean kernel_split;	   /* FALSE: always take RTP through libnice's callback (libraries'
				      fall-back) */
} MediaOptions;

/* Why a port was lost, for the ladder and the Reason. */
typedef enum {
	MEDIA_LOST_SETUP,	 /* a socket or an agent could not be made: text says */
	MEDIA_LOST_ICE,		 /* no candidate pair in time, though checks of the peer's came */
	MEDIA_LOST_DTLS,	 /* no handshake in time, or refused */
	MEDIA_LOST_FINGERPRINT,	 /* the certificate is not the signalled one */
	MEDIA_LOST_CONSENT,	 /* RFC 7675: the peer went away */
	MEDIA_LOST_RTP,		 /* rtp_timeout_s of silence */
	MEDIA_LOST_SILENT,	 /* no candidate pair in time: not one packet came from the peer */
	MEDIA_LOST_NO_CANDIDATE, /* nor did it give a candidate that can be used */
	MEDIA_LOST_NO_CHECKS,	 /* no pair: the peer answers our checks, and makes none */
	MEDIA_LOST_NO_CHOICE,	 /* checks pass both ways, and the peer chooses no pair */
	MEDIA_LOST_PASSWORD,	 /* no pair: the peer refuses our checks (RFC 8489 9.1.3) */
	MEDIA_LOST_DTLS_SILENT,	 /* a pair, and not one DTLS packet */
	MEDIA_LOST_DTLS_REFUSED, /* an alert, or no profile in common */
	MEDIA_LOST_DEAD		 /* said of a call whose both sides are silent; never of one port */
} MediaLoss;

/* What is wrong with the audio of a port that should send and hear. */
typedef enum {
	MEDIA_HEARD,   /* nothing (any more) */
	MEDIA_SILENT,  /* nothing comes from the peer */
	MEDIA_REFUSED, /* what comes is not taken: its source, its key, its codec */
	MEDIA_UNHEARD  /* the peer reports that nothing of ours comes to it */
} MediaFault;

/* What is known of a direction that is dead: since its last packet that could be passed on. */
typedef struct {
	MediaFault fault;
	gboolean ever;	  /* audio of the peer has come before */
	gboolean sent;	  /* its reports say that it goes on sending */
	gboolean reports; /* it has reported */
	gboolean auth;	  /* what comes cannot be authenticated */
	gboolean codec;	  /* or has a payload type that was not agreed */
	guint silent_ms;  /* how long */
	guint absent_ms;  /* and since no report has come either */
} MediaSilence;

/* Counters of one port, since it was made. */
typedef struct {
	guint64 packets_in, bytes_in; /* RTP, payload and header, before SRTP is added */
	guint64 packets_out, bytes_out;
	guint64 lost_in;   /* RFC 3550 A.3, from sequence numbers */
	guint32 jitter_us; /* RFC 3550 A.8 */
	guint32 rtt_us;	   /* from RTCP, 0 when unknown */
	/* by the peer's reports (RFC 3550 6.4.1) about what we send, when reports_in is not 0 */
	guint64 reports_in, lost_out;
	guint32 jitter_out_us;
	guint32 gap_ms; /* the longest without a packet where some should come; 500 and more */
	guint64 dropped_auth, dropped_malformed, dropped_payload_type, dropped_source;
	guint64 rtcp_in, rtcp_out;
	/* The audio that came last: its codec (NULL: none has come, or it is none of ours), and
	 * what that is transcoded to for the other side (NULL: it is passed through). */
	const CodecType *heard, *made;
	/* of what was transcoded: packets, frames made up for lost ones, packets that came behind
	 * what had to be made up, and the longest that a packet waited behind a gap */
	guint64 transcoded, concealed, late;
	guint32 waited_ms;
	guint64 coders; /* that were made for it */
} PortStats;

/* Which pair of candidates ICE has chosen last (RFC 8445 5.1.1). */
typedef struct {
	gboolean known;
	CandidateType ours, theirs;
} MediaPath;

/* What was measured of a port in a span of a few seconds. */
typedef struct {
	gint64 until_us; /* monotonic: its end; it begins where the one before ends */
	guint32 packets_in, lost_in;
	guint32 packets_out, lost_out; /* lost_out and jitter_out_us: by the peer's reports */
	guint32 jitter_us, jitter_out_us, rtt_us; /* the worst seen in it; 0: unknown */
	gboolean reports;			  /* the peer has reported in it */
	guint n_samples;			  /* that it was made of */
} SeriesPoint;
