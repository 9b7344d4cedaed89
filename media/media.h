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
#include "media/media_types.h"

typedef struct Workers Workers;		/* the ice and media threads of the process */
typedef struct AudioSource AudioSource; /* see audio.h */
typedef struct AudioSink AudioSink;
typedef struct Media Media; /* owned by the Call that opened it */

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
	void (*one_way)(gpointer user, PortId port, const MediaSilence *silence, const char *text);
	/* A telephone-event digit went from this port to its twin (RFC 4733). */
	void (*dtmf)(gpointer user, PortId port, char digit);
	/* What media_play() was given last has come to its end.  May be NULL. */
	void (*played)(gpointer user, PortId port);
} MediaListener;

/* First thing in a process that has many calls: what they need of its memory. */
void media_prepare_process(void);
/* Workers: one per process, made by main before any call and freed after the
 * last.  Initialises OpenSSL's certificate and libsrtp. */
Workers *workers_new(const MediaOptions *options, GError **error);
void workers_free(Workers *workers);
/* The world sees this machine elsewhere: where `before` is the public address, ports made
 * from now on announce `now`. */
void workers_move(Workers *workers, const char *before, const char *now);

/* How busy the media threads are: `thread` of `n`, percent of a processor over the last
 * seconds. */
guint workers_media_threads(const Workers *workers);
guint workers_load(const Workers *workers, guint thread);

Media *media_open(Workers *workers, const MediaListener *listener, gpointer user);

/* Before the first port: to the threads of `near`, so that a port of the one can
 * be taken over by the other. */
void media_stay_near(Media *media, const Media *near);

/* Before the first port: its ports may be of those at the end of the range that are
 * kept back from ordinary calls. */
void media_use_reserve(Media *media);

/* The load of the thread that its ports are on. */
guint media_load(const Media *media);

/* The port goes on in `media`, its peer undisturbed: its number there.  From now
 * on what comes of it goes to the listener of `media`.  0, and all as before, when
 * the two are not on the same threads or the port is gone. */
PortId media_take_port(Media *media, Media *from, PortId port);

/* A port of TRANSPORT_NONE has no peer: its far side is us (audio.h).  It is `ready` and `up` by
 * itself and needs no media_connect(); who is joined with it hears what is played, in his codec.
 * SIDE decides the ICE role: we are controlled by the caller and control the
 * callee (RFC 8445 6.1.1: who sent session-initiate controls). */
PortId media_add_port(Media *media, Side side, TransportKind kind);
/* TRANSPORT_WEBRTC, and the peer may be without DTLS, if both descriptions of
 * media_connect() say so: RTCP has a component of its own then, unless it is multiplexed. */
PortId media_add_clear_port(Media *media, Side side);
/* Plain RTP to a peer at `address` (numeric; NULL: not known): of its IP version, where rtp_address
 * or one of local_addresses has it, else as media_add_port(). */
PortId media_add_rtp_port(Media *media, Side side, const char *address);
/* Of a port of TRANSPORT_NONE.  Both are the media's from now on, and take the place of what was
 * there; NULL: silence is played, nobody hears.  What is played waits until it can be heard. */
void media_play(Media *media, PortId port, AudioSource *source);
/* The same to the peer of `port`, who hears this, from the beginning, and nobody else until the
 * port is joined.  The source is the media's. */
void media_play_to(Media *media, PortId port, AudioSource *source);
void media_record(Media *media, PortId port, AudioSink *sink);
void media_drop_port(Media *media, PortId port);

/* Both descriptions of this port's peer are known: `local` is what we told it,
 * `remote` what it told us.  ICE checks begin, plain RTP may be sent.  Again
 * with other descriptions to change address, codecs or direction; ICE restarts
 * when the remote credentials differ. */
void media_connect(Media *media, PortId port, const Desc *local, const Desc *remote);

/* `one` and `other` relay to each other from now on; whatever each was joined
 * to before is let go.  They may be the same: its peer hears himself. */
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

/* By which way its packets go; not known: no pair was chosen, or it is plain RTP. */
MediaPath media_path(const Media *media, PortId port);

/* The same over time, oldest first, at most SERIES_MOST of media/series.h; NULL: none.  Borrowed
 * until the next turn of the loop. */
const SeriesPoint *media_series(const Media *media, PortId port, guint *n_points);

void media_close(Media *media); /* NULL is fine */
