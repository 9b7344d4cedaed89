/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* relay_private.h - what the files of the relay share.
 *
 *   relay.c         the packet path: RTP in, forwarded, out; sockets, life
 *   relay_out.c     what the others stand on: sending, telling, being in a hurry
 *   relay_source.c  who may send to us, and where we send to
 *   relay_rtcp.c    RTCP in, reports of ours out
 *   relay_desc.c    what the descriptions say: codecs, directions, addresses
 *   relay_late.c    audio that comes before it can be passed on
 *   relay_convert.c audio that the other side does not take
 *   relay_audio.c   audio of our own, and who hears
 *   relay_set.c     those of a thread, and when they have their ticks
 *   relay_tick.c    now and then: digits of ours, silence, counters; whose turn it is
 *   relay_consent.c may we go on sending? (RFC 7675)
 *   relay_watch.c   now and then: is one direction dead?
 *
 * Thread: media.
 */
#pragma once
#include "media/dtmf.h"
#include "media/relay/relay.h"
#include "media/rtcp.h"
#include "media/rtp.h"
#include <errno.h>

#define NO_PT	      0xff
#define NO_FD_NEEDED  0
#define CONVERT_PT    0xfe /* in a map: the twin's peer takes it in another codec */
#define RECENT_SSRCS  8	   /* known without asking again */
#define STATS_US      5000000
#define RTCP_FIRST_US 500000
/* Times in this and the other files are those of MediaOptions.second_ms = 1000. */
#define DEFAULT_RATE 8000 /* before the peer has said what he speaks */
#define MAX_EVENTS   4	  /* clocks that telephone-event has at one peer */

typedef struct {
	Watch watch; /* first */
	Relay *relay;
	int fd;
	guint index;
	gboolean receives, rtcp;
} RelaySocket;

typedef struct Late Late;	      /* see relay_late.c */
typedef struct Consent Consent;	      /* see relay_consent.c */
typedef struct Convert Convert;	      /* see relay_convert.c */
typedef struct RelayAudio RelayAudio; /* see relay_audio.c */

/* How good a source is: a better one wins the port back whenever it speaks. */
typedef enum {
	SOURCE_FOREIGN,	 /* another host: on trial, and only where that is allowed */
	SOURCE_ALLOWED,	 /* where signalling came from, or the admin says */
	SOURCE_HOST,	 /* the signalled host */
	SOURCE_SIGNALLED /* its very address */
} SourceRank;

/* A foreign source that may be the peer. */
typedef struct {
	NetAddress from;
	guint32 ssrc, first_timestamp, timestamp;
	guint16 seq;
	guint count; /* packets in a row, at their own pace */
	gint64 began, last;
} Trial;

/* What is known of the audio of this side while it should come and go; see relay_watch.c. */
typedef struct {
	gint64 since;		       /* both sides talk */
	guint64 good;		       /* packets that could be passed on, as of the last tick */
	gint64 heard_at;	       /* the tick that last saw them grow */
	gboolean quiet;		       /* a whole tick had none since */
	gint64 gap;		       /* the longest, us */
	guint64 auth, source;	       /* refused by then */
	guint64 strange, strange_then; /* of no agreed codec, before any of one */
	guint8 strange_pt;
	guint64 payload, rtcp;
	guint64 rtcp_told; /* reports that had come when something was told last */
	gint64 reported_at;
	guint32 peer_ahead, peer_ahead_then; /* packets that the peer says to have sent, less
						those that came */
	guint64 sent_when_heard;	     /* packets of ours, when it last reported progress */
	gboolean unheard;		     /* its newest report has none, though we have sent */
	gboolean in_sender_reports;	     /* its sender reports tell what it hears, too */
	gboolean reports;		     /* that it sends, at least */
	MediaFault told;
	gint64 told_at;
	NetAddress foreign; /* newest source that was not taken */
} RelayWatch;

/* telephone-event, as a peer takes it. */
typedef struct {
	guint32 rate;
	guint8 pt;
} RelayEvent;

/* What a payload type of the peer's is. */
typedef struct {
	guint32 rate : 23; /* of its clock; 0: there is no such payload type */
	guint32 event : 1; /* telephone-event, as we take it */
	guint32 map : 8;   /* its number at the twin's peer, or NO_PT, or CONVERT_PT */
} RelayType;

#define MAX_RATE ((1u << 23) - 1) /* more is no audio's */

/* Relays that have their ticks together. */
typedef struct {
	GPtrArray *relays;
	GArray *due; /* gint64, parallel: when its next tick is; close together, to be walked */
} RelayPart;

#define RELAY_PARTS 10

struct RelaySet {
	RelayPart parts[RELAY_PARTS];
	gint64 turn;	     /* the last part that was served, counted in 25 ms */
	GPtrArray *hurrying; /* those that want a tick every 20 ms */
};

struct Relay {
	/* every packet; it is cold in the cache by then, so these are close together: see
	 * HOT_LINES */
	Relay *twin;
	Protection *receive, *send;
	Worker *worker;	  /* that of the options */
	Late *late;	  /* NULL: packets pass as they come */
	Convert *convert; /* NULL: nothing had to be made into another codec */
	int out_fd;
	guint out_index;
	/* gboolean */
	guint8 relayed; /* sent by the agent, over a TURN server; or to us */
	guint8 secure;	/* nothing passes in the clear */
	guint8 refused; /* the peer has taken its consent back in words: nothing is sent */
	guint8 proven;	/* something authentic has come under these keys */
	guint8 webrtc, may_send, may_receive, connected, latched;
	guint8 in_noted, out_noted, has_digits; /* has_digits: of ours, being sent */
	guint8 converting;			/* `convert` has made what came last */
	guint8 last_pt;				/* of what came */
	guint32 out_rate;
	NetAddress peer; /* where RTP goes to, and is expected from */
	gint64 last_in;
	RtpRewriter out;
	RtpStats in;
	PortStats stats; /* packets and bytes are its first members */
	RelayType types[128];
	DtmfReceiver digits_in;
	DtmfSender digits_out;
	/* now and then */
	RelayOptions options;
	RelayPart *part;      /* of the set; NULL: of none */
	guint index, hurries; /* index: in the part */
	gboolean closed, lost, error_noted;
	RelaySocket sockets[RELAY_MAX_SOCKETS];
	guint n_sockets;
	const Desc *local, *remote;
	NetAddress signalled, rtcp_peer;
	int rtcp_fd;
	gboolean rtcp_apart, rtcp_relayed; /* not multiplexed; sent by the agent */
	const MediaSources *sources;	   /* besides the signalled host */
	SourceRank rank;		   /* of the source that is latched */
	Trial trials[2];
	RelayWatch watch;
	guint64 unmapped; /* packets in that the twin has no payload type for */
	gboolean convert_noted;
	RelayAudio *audio; /* NULL: its far side is a peer */
	void (*hear)(Relay *relay, const guint8 *data, gsize length); /* RTP, by us; or NULL */
	SdesKey sdes_in, sdes_out;     /* of a plain port: what receive and send were made of */
	RelayEvent events[MAX_EVENTS]; /* that the peer takes, a clock each */
	guint n_events;
	guint8 digits_pt;	     /* of the event that digits_out is sending */
	gboolean kept_late;	     /* has been, once */
	gboolean event_began;	     /* the one whose clock is being translated, */
	guint32 event_in, event_out; /* and where it began, here and there */
	guint32 ssrcs[RECENT_SSRCS];
	guint n_ssrcs;
	gint64 second_us;
	Consent *consent;  /* NULL: the agent asks */
	gint64 may_ask_at; /* where the peer is, and who it was asked of; length 0: nobody */
	NetAddress asked;
	gint64 started_at, digit_at, next_stats, next_rtcp;
	gint64 consent_lost_at; /* since when there is none: the last answer; 0: there is */
	guint64 told_packets;	/* by the last stats, and when that was */
	gint64 told_at;
	guint n_reports;
	guint64 reported_out;
	RtcpLastSr last_sr;
	RtcpRtt rtt;
	RtcpFar far;
	guint64 far_blocks;
	char cname[24];
};

/* Something has changed: its next tick is the next of all. */
static inline void
relay_look(const Relay *relay)
{
	if (relay->part)
		g_array_index(relay->part->due, gint64, relay->index) = 0;
}

/* How long `us` is here. */
static inline gint64
relay_span(const Relay *relay, gint64 us)
{
	return us * relay->second_us / G_USEC_PER_SEC;
}

/* Not on hold. */
static inline gboolean
relay_talks(const Relay *relay)
{
	return relay->may_send && relay->may_receive;
}

/* --- relay_out.c --- */
void relay_note(Relay *relay, const char *format, ...) G_GNUC_PRINTF(2, 3);
void relay_note_error(Relay *relay, const NetAddress *to, int why);
void relay_note_first_out(Relay *relay, guint8 pt);
/* NULL is fine. */
void relay_free_protection(const Relay *relay, Protection *protection);
/* A packet was authentic, the first under these keys. */
void relay_prove(Relay *relay);
/* Both sides talk, and can be heard. */
gboolean relay_expects_rtp(const Relay *relay);
void relay_hurry(Relay *relay, gboolean more); /* a tick every 20 ms; counted */

static inline void
relay_send_away(Relay *relay, const guint8 *data, gsize length)
{
	if (relay->hear)
		relay->hear(relay, data, length);
	else
		relay->options.events->send(relay->options.owner, data, length);
}

/* Takes the numbers of `data` as they are; it has PROTECTION_TRAILER bytes of room. */
static inline void
relay_send_rtp(Relay *relay, guint8 *data, gsize length)
{
	gsize bytes = length;

	if (relay->send && protection_protect(relay->send, data, &length) != PROTECTION_OK)
		return;
	if (G_UNLIKELY(relay->relayed)) {
		relay_send_away(relay, data, length);
	} else if (G_UNLIKELY(sendto(relay->out_fd, data, length, 0, &relay->peer.any,
				     relay->peer.length) < 0)) {
		relay_note_error(relay, &relay->peer, errno);
		return;
	}
	relay->stats.packets_out++;
	relay->stats.bytes_out += bytes;
	if (G_UNLIKELY(!relay->out_noted))
		relay_note_first_out(relay, data[1] & 0x7f);
}

/* WebRTC: it has its keys, or needs none. */
static inline gboolean
relay_is_set_up(const Relay *relay)
{
	return !relay->webrtc || !relay->secure || relay->receive;
}

static inline gboolean
relay_can_send(const Relay *relay)
{
	return relay->may_send && relay->out_fd >= 0 && (relay->send || !relay->secure) &&
	       !relay->refused;
}

/* --- relay_source.c --- */
static inline gboolean
relay_comes_from_peer(const Relay *relay, const NetAddress *from)
{
	return relay->latched && net_address_equal(from, &relay->peer);
}

/* RTP from another source than relay_comes_from_peer(): TRUE, and it is the peer's from now
 * on, or the packet is to be dropped. */
gboolean relay_admit(Relay *relay, const NetAddress *from, const RtpPacket *packet);
gboolean relay_admit_rtcp(Relay *relay, const NetAddress *from);
/* WebRTC: authenticated RTP came by another way than we send. */
void relay_follow(Relay *relay, guint socket, const NetAddress *from, const RtpPacket *packet);

/* --- relay_rtcp.c --- */
void relay_receive_rtcp(Relay *relay, guint8 *data, gsize length, const NetAddress *from);
gboolean relay_can_report(const Relay *relay);
void relay_report(Relay *relay, gint64 now);
void relay_say_bye(Relay *relay);

/* --- relay_desc.c --- */
/* Events have the clock of the audio that goes to the peer now (RFC 4733 2.1).  A peer that
 * names them at 8000 alone, beside audio of another clock, means their durations.  NULL: the
 * peer takes none. */
const RelayEvent *relay_event(const Relay *relay);
void relay_part(Relay *relay); /* from its twin */

/* --- relay_late.c --- */
/* TRUE when the packet is kept: it could not be passed on, or others before it could not. */
gboolean relay_late_take(Relay *relay, const RtpPacket *packet);
void relay_late_tick(Relay *relay, gint64 now);
void relay_late_stop(Relay *relay);

/* --- relay_watch.c --- */
void relay_watch(Relay *relay, gint64 now);
/* The longest time without a packet so far; us. */
gint64 relay_watch_gap(const Relay *relay);
/* A stream like the peer's comes from elsewhere, and is not taken. */
void relay_watch_foreign(Relay *relay, const NetAddress *from);
/* A packet from where the peer may send, of no codec that was agreed, before any other. */
void relay_watch_strange(Relay *relay, guint8 pt);
/* A report came from the peer: `about`, the block about our stream, or NULL. */
void relay_watch_report(Relay *relay, gboolean of_sender, const RtcpBlock *about);

/* --- relay_convert.c --- */
/* After the map has been made: what can be converted is CONVERT_PT in it. */
void relay_convert_learn(Relay *relay);
void relay_convert(Relay *relay, const RtpPacket *packet, gint64 now);
/* A packet of the source that is no audio. */
void relay_convert_pass(Relay *relay, const RtpPacket *packet);
/* Audio of ours in the source's codec `pt`, numbered by us. */
void relay_convert_frame(Relay *relay, guint8 pt, const RtpPacket *frame, gint64 now);
void relay_convert_tick(Relay *relay, gint64 now);
/* The twin's peer loses so much of what it is sent. */
void relay_convert_loss(Relay *relay, guint percent);
/* While relay->converting: what comes now passes as it is.  The coders are kept. */
void relay_convert_rest(Relay *relay);
void relay_convert_stop(Relay *relay);
/* What is done with the audio that comes. */
void relay_convert_stats(Relay *relay);

/* --- relay_audio.c --- */
void relay_audio_begin(Relay *relay);
void relay_audio_joined(Relay *relay); /* or no longer */
void relay_audio_tick(Relay *relay, gint64 now);
void relay_audio_stop(Relay *relay);

/* --- relay_consent.c --- */
void relay_consent_tick(Relay *relay, gint64 now); /* when there is `consent` */
void relay_consent_receive(Relay *relay, guint socket, const guint8 *data, gsize length,
			   const NetAddress *from);
void relay_consent_moved(Relay *relay); /* there is another route */
void relay_consent_stop(Relay *relay);

/* --- relay_tick.c --- */
void relay_stop_digits(Relay *relay);

/* --- relay_set.c --- */
/* With those of its thread that have ticks. */
void relay_register(Relay *relay);
void relay_unregister(Relay *relay);
void relay_set_hurry(Relay *relay, gboolean hurry);
