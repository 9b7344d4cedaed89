/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* media.h - the packets of one call, as the signalling thread sees them.
 *
 * A Media has ports: one for the caller, one for each callee rung.  Two ports
 * are joined and relay to each other.  Everything here is asynchronous: a
 * command is posted to the thread that owns the port and what comes of it comes
 * back through the listener, on the signalling thread, in order, never from
 * inside a command.  After media_close() nothing is called back.
 * Thread: signalling.
 */
#pragma once
#include "media/codec.h"
#include "media/desc.h"
#include "media/side.h"

typedef struct Workers Workers; /* the ice and media threads of the process */
typedef struct Media Media;	/* owned by the Call that opened it */
typedef guint PortId;		/* from 1; 0 is no port */

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
	gboolean transcode; /* audio that the other side does not take is made into what it takes */
	gboolean keep_first_words; /* what the telephone says before the client can hear it */
	gboolean kernel_split;	   /* FALSE: always take RTP through libnice's callback (libraries'
				      fall-back) */
} MediaOptions;

/* Why a port was lost, for the ladder and the Reason. */
typedef enum {
	MEDIA_LOST_SETUP,	/* a socket or an agent could not be made: text says */
	MEDIA_LOST_ICE,		/* no candidate pair in time, though checks of the peer's came */
	MEDIA_LOST_DTLS,	/* no handshake in time, or refused */
	MEDIA_LOST_FINGERPRINT, /* the certificate is not the signalled one */
	MEDIA_LOST_CONSENT,	/* RFC 7675: the peer went away */
	MEDIA_LOST_RTP,		/* rtp_timeout_s of silence */
	MEDIA_LOST_SILENT,	/* no candidate pair in time: not one packet came from the peer */
	MEDIA_LOST_NO_CANDIDATE /* nor did it give a candidate that can be used */
} MediaLoss;

/* What is wrong with the audio of a port that should send and hear. */
typedef enum {
	MEDIA_HEARD,   /* nothing (any more) */
	MEDIA_SILENT,  /* nothing comes from the peer */
	MEDIA_REFUSED, /* what comes is not taken: its source, its key, its codec */
	MEDIA_UNHEARD  /* the peer reports that nothing of ours comes to it */
} MediaFault;

typedef struct {
	/* The port's own transport, to be put in an offer or answer; the DTLS
	 * setup is ACTPASS (desc_answer() picks the answer's).  Borrowed.  Once
	 * more after each media_connect() that restarts ICE: with new credentials. */
	void (*ready)(gpointer user, PortId port, const Transport *ours);
	/* One more of our candidates, after `ready` (a slow STUN or TURN server). */
	void (*candidate)(gpointer user, PortId port, const Candidate *ours);
	/* The port can carry media: for WebRTC ICE and DTLS are done, for plain
	 * RTP it has been connected. */
	void (*up)(gpointer user, PortId port);
	void (*lost)(gpointer user, PortId port, MediaLoss why, const char *text);
	/* A line for the flight recorder: "ice: connected host 192.0.2.1:4000 …". */
	void (*note)(gpointer user, PortId port, const char *text);
	/* This port and the one it is joined with talk, neither is on hold, and for 5 s one
	 * direction has been dead; what is known of it, for the operator.  Said again every 2 s
	 * while it lasts, and with MEDIA_HEARD (text NULL) when it is over.  A stream from a
	 * foreign source is told at once.  Whether the call is answered is not known here.  May be
	 * NULL. */
	void (*one_way)(gpointer user, PortId port, MediaFault fault, const char *text);
	/* A telephone-event digit went from this port to its twin (RFC 4733). */
	void (*dtmf)(gpointer user, PortId port, char digit);
} MediaListener;

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
} PortStats;

/* Workers: one per process, made by main before any call and freed after the
 * last.  Initialises OpenSSL's certificate and libsrtp. */
Workers *workers_new(const MediaOptions *options, GError **error);
void workers_free(Workers *workers);
/* The world sees this machine elsewhere: where `before` is the public address, ports made
 * from now on announce `now`. */
void workers_move(Workers *workers, const char *before, const char *now);

Media *media_open(Workers *workers, const MediaListener *listener, gpointer user);

/* Before the first port: to the threads of `near`, so that a port of the one can
 * be taken over by the other. */
void media_stay_near(Media *media, const Media *near);

/* Before the first port: its ports may be of those at the end of the range that are
 * kept back from ordinary calls. */
void media_use_reserve(Media *media);

/* The port goes on in `media`, its peer undisturbed: its number there.  From now
 * on what comes of it goes to the listener of `media`.  0, and all as before, when
 * the two are not on the same threads or the port is gone. */
PortId media_take_port(Media *media, Media *from, PortId port);

/* SIDE decides the ICE role: we are controlled by the caller and control the
 * callee (RFC 8445 6.1.1: who sent session-initiate controls). */
PortId media_add_port(Media *media, Side side, TransportKind kind);
/* Plain RTP to a peer at `address` (numeric; NULL: not known): of its IP version, where rtp_address
 * or one of local_addresses has it, else as media_add_port(). */
PortId media_add_rtp_port(Media *media, Side side, const char *address);
void media_drop_port(Media *media, PortId port);

/* Both descriptions of this port's peer are known: `local` is what we told it,
 * `remote` what it told us.  ICE checks begin, plain RTP may be sent.  Again
 * with other descriptions to change address, codecs or direction; ICE restarts
 * when the remote credentials differ. */
void media_connect(Media *media, PortId port, const Desc *local, const Desc *remote);

/* `one` and `other` relay to each other from now on; whatever each was joined
 * to before is let go. */
void media_join(Media *media, PortId one, PortId other);

/* Trickled; kept until media_connect() if that has not come. */
void media_add_candidate(Media *media, PortId port, const Candidate *theirs);

/* One digit to the port's peer as telephone-event (RFC 4733), 160 ms. */
void media_send_dtmf(Media *media, PortId port, char digit);

/* Calls back once on the signalling thread with the counters as they are now,
 * or never when the media is closed first. */
typedef void (*MediaStatsFunc)(gpointer user, PortId port, const PortStats *stats);
void media_query(Media *media, PortId port, MediaStatsFunc func);

/* Last counters known on the signalling thread (updated by each media_query and
 * every 5 s by itself).  Zeroes for an unknown port. */
PortStats media_last_stats(const Media *media, PortId port);

void media_close(Media *media); /* NULL is fine */
