/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* port.h - one side of a call's media: transport, protection, relay.
 *
 * A port lives on three threads.  The signalling thread has the handle and posts
 * to the others; the ice thread sets up (agent, handshake, sockets, keys); the
 * media thread has the Relay, where the packets pass.  Each touches only its own
 * part.  The end goes round once: signalling, media (sockets closed), ice (agent
 * and SRTP sessions freed).
 * Thread: signalling, unless a function says otherwise.
 */
#pragma once
#include "media/dtls.h"
#include "media/media.h"
#include "media/worker.h"

typedef struct Port Port;

struct Workers {
	MediaOptions options; /* deep copy; local_addresses and rtp_address are filled in */
	DtlsContext *dtls;
	Worker *signalling;
	Worker *files;
	Worker **ice, **media;	  /* options.n_ice, options.n_media of them */
	struct RelaySet **relays; /* parallel to media */
	guint next;
};

typedef enum {
	NEWS_READY,
	NEWS_CANDIDATE,
	NEWS_UP,
	NEWS_LOST,
	NEWS_NOTE,
	NEWS_PATH,
	NEWS_ONE_WAY,
	NEWS_DTMF,
	NEWS_PLAYED,
	NEWS_STATS
} PortNewsKind;

typedef struct {
	PortNewsKind kind;
	Transport *transport; /* READY; owned */
	Candidate candidate;  /* CANDIDATE */
	MediaLoss loss;	      /* LOST */
	MediaSilence silence; /* ONE_WAY */
	char *text;	      /* LOST, NOTE, ONE_WAY (or NULL); owned */
	char digit;	      /* DTMF */
	MediaPath path;	      /* PATH */
	PortStats stats;      /* STATS */
	MediaStatsFunc asked; /* STATS: by media_query(), or NULL */
} PortNews;

/* Runs on the signalling thread; `owner` is kept alive by the port. */
typedef void (*PortNewsFunc)(gpointer owner, Port *port, const PortNews *news);

typedef struct {
	Workers *workers;
	Worker *ice, *media;
	struct RelaySet *relays;
	PortId id;
	Side side;
	TransportKind kind;
	gboolean may_be_clear;	 /* ICE: its peer may be without DTLS; two components */
	guint16 port_max;	 /* the last one of the range that it may take */
	char public_address[46]; /* "": none */
	const char *rtp_address; /* of plain RTP: one of the workers' own, theirs to free */
	PortNewsFunc news;
	gpointer owner;
	void (*owner_unref)(gpointer owner); /* from any thread, with the last reference */
} PortOptions;

Port *port_new(const PortOptions *options);	   /* and begins to set it up */
const PortOptions *port_options(const Port *port); /* any thread */
Port *port_ref(Port *port);			   /* any thread */
void port_unref(Port *port);			   /* any thread */

void port_connect(Port *port, const Desc *local, const Desc *remote);
void port_join(Port *one, Port *other);
void port_add_candidate(Port *port, const Candidate *candidate);
void port_send_dtmf(Port *port, char digit);
/* Of a port of TRANSPORT_NONE; both are its own from now on. */
void port_play(Port *port, AudioSource *source);
void port_record(Port *port, AudioSink *sink);
void port_query(Port *port, MediaStatsFunc func);
void port_close(Port *port); /* the handle's reference goes with it */

/* Any thread: news for the signalling thread; takes what `news` owns. */
void port_tell(Port *port, const PortNews *news);
void port_note(Port *port, const char *format, ...) G_GNUC_PRINTF(2, 3);
