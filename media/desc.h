/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* desc.h - what is offered or answered: streams, codecs, transport.
 *
 * A Desc says the same thing as an SDP body or a Jingle description and belongs
 * to neither.  Whoever builds one has a `Desc *`; from the first desc_ref() on
 * it is shared and nobody changes it, so it may cross threads as it is.
 * There is no bag of foreign attributes: a feature crosses the gateway when it
 * has a field here, and docs/mapping.md lists what is dropped on purpose.
 * Thread: any (pure).  RFC 3264, RFC 4566, XEP-0167, XEP-0176, XEP-0320.
 */
#pragma once
#include <glib.h>
#include "media/sdes.h"
#include "media/sources.h"

/* More than these is not taken from a stranger: the parsers drop or refuse. */
#define DESC_MAX_STREAMS    8
#define DESC_MAX_CODECS	    48
#define DESC_MAX_CANDIDATES 32
#define DESC_MAX_PARAMS	    16

typedef enum {
	TRANSPORT_RTP,	  /* RTP and RTCP over UDP: RTP/AVP, RTP/SAVP with keys */
	TRANSPORT_WEBRTC, /* ICE, DTLS-SRTP, rtcp-mux (UDP/TLS/RTP/SAVPF); or `unencrypted` */
	TRANSPORT_NONE,	  /* no packets: a side that the gateway plays itself */
	TRANSPORT_LOOP,	  /* none either: whoever is on the other side hears himself */
	N_TRANSPORT_KINDS
} TransportKind;

typedef enum { STREAM_AUDIO, STREAM_VIDEO, STREAM_OTHER } StreamKind;

/* From the view of whoever sent the description (RFC 3264 5.1, 6.1). */
typedef enum {
	DIRECTION_SENDRECV,
	DIRECTION_SENDONLY,
	DIRECTION_RECVONLY,
	DIRECTION_INACTIVE
} Direction;

/* RFC 4145; an offer of ours is ACTPASS, an answer never. */
typedef enum { SETUP_NONE, SETUP_ACTPASS, SETUP_ACTIVE, SETUP_PASSIVE } DtlsSetup;

typedef enum { CANDIDATE_HOST, CANDIDATE_SRFLX, CANDIDATE_PRFLX, CANDIDATE_RELAY } CandidateType;

/* RFC 8445 5.3.  A value: copied, never owned.  Only UDP candidates of numeric
 * address get as far as this type; parsers drop the others (and say so to
 * whoever asks them, see jingle.h). */
typedef struct {
	char foundation[33];
	guint component; /* 1 RTP, 2 RTCP */
	guint32 priority;
	char address[46]; /* numeric IPv4 or IPv6 */
	guint16 port;
	CandidateType type;
	char related_address[46]; /* "" when none */
	guint16 related_port;
	guint generation;
} Candidate;

typedef struct {
	char *name;
	char *value; /* "" for a bare flag or an unnamed list such as "0-15" */
} CodecParam;

typedef struct {
	guint8 pt;
	char *name;	   /* as the peer spells it; compare without case */
	guint32 rate;	   /* RTP clock, Hz */
	guint8 channels;   /* 1 when not said */
	GPtrArray *params; /* CodecParam *, owned; never NULL */
	gboolean made; /* in an offer of ours: the other side has it not, it would be transcoded */
} Codec;

typedef struct {
	TransportKind kind;
	/* TRANSPORT_RTP.  port 0 in a stream means rejected, see Stream. */
	char address[46];
	guint16 port;
	guint16 rtcp_port; /* 0: port + 1, or multiplexed */
	gboolean rtcp_mux;
	/* Where its owner's packets may come from besides: whoever has heard him says so. */
	const MediaSources *sources; /* shared; or NULL */
	/* What its owner protects with.  Of our own the key is there from the
	 * beginning, and has a profile once it is told. */
	SdesKey sdes;
	/* TRANSPORT_WEBRTC */
	char *ufrag, *pwd;
	GArray *candidates; /* Candidate; never NULL */
	gboolean candidates_complete;
	char *fingerprint_hash; /* "sha-256" */
	char *fingerprint;	/* "AA:BB:..", capitals */
	DtlsSetup setup;
	/* Its owner has said nothing of DTLS: RTP/AVP over ICE, where RTCP that is not multiplexed
	 * has component 2.  That a peer may be so is decided by whoever reads its description. */
	gboolean unencrypted;
} Transport;

typedef struct {
	StreamKind kind;
	/* What an m= line says and nothing else here does, so that a refusal can
	 * repeat it (RFC 3264 6): the media type of STREAM_OTHER ("image", with its
	 * formats as the names of codecs), and a protocol that is not the
	 * transport kind's own ("RTP/AVPF", "udptl").  NULL otherwise. */
	char *media, *profile;
	char *mid; /* Jingle content name, SDP mid; NULL when not given */
	Direction direction;
	gboolean rejected;    /* keeps its place: RFC 3264 section 6 */
	guint ptime;	      /* ms, 0 when not said */
	GPtrArray *codecs;    /* Codec *, preferred first; owned */
	Transport *transport; /* owned; never NULL */
} Stream;

typedef struct {
	gint ref_count;
	gboolean bundle;    /* a BUNDLE group was given: RFC 9143, XEP-0338 */
	GPtrArray *streams; /* Stream *, owned */
} Desc;

/* --- life --- */
Desc *desc_new(void);
Desc *desc_ref(const Desc *desc);
void desc_unref(const Desc *desc); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Desc, desc_unref)

/* Building, before the first desc_ref().  Each returns what it added, owned by
 * its parent. */
Stream *desc_add_stream(Desc *desc, StreamKind kind, const char *mid);
Codec *stream_add_codec(Stream *stream, guint8 pt, const char *name, guint32 rate, guint8 channels);
void codec_add_param(Codec *codec, const char *name, const char *value);

Transport *transport_new(TransportKind kind);
Transport *transport_copy(const Transport *transport);
void transport_free(Transport *transport); /* NULL is fine */
/* `ours`, of TRANSPORT_WEBRTC, as a peer without DTLS is told it; new. */
Transport *transport_unencrypted(const Transport *ours);
/* Both are TRANSPORT_WEBRTC, and `theirs` is not encrypted. */
gboolean transport_is_clear(const Transport *ours, const Transport *theirs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Transport, transport_free)

/* --- looking --- */
/* The stream we relay: of the audio streams that are not rejected the first with a codec of
 * ours, else the first; or NULL (RFC 3264 6: each stream is for itself). */
const Stream *desc_audio(const Desc *desc);
const Codec *stream_find_codec(const Stream *stream, const char *name, guint32 rate);
/* Name, rate, channels, and the format of the payloads where there are several (fmtp.h). */
gboolean codec_same(const Codec *one, const Codec *other);
const Codec *stream_find_same(const Stream *stream, const Codec *wanted);
/* The codec that is sent to whoever said `theirs`: his first that is no event and that
 * `ours`, what he was told (NULL: he was told the same), has as well.  NULL: none. */
const Codec *stream_spoken(const Stream *ours, const Stream *theirs);
/* One line for a person: "PCMU/8000 telephone-event/8000, 192.0.2.1:4000". */
char *desc_summary(const Desc *desc);
const char *direction_name(Direction direction);     /* "sendrecv" … */
const char *candidate_type_name(CandidateType type); /* "host" … */
const char *setup_name(DtlsSetup setup);	     /* "actpass" …, NULL for NONE */
gboolean candidate_type_from_name(const char *name, CandidateType *type);
/* Usable for our agent: component 1 or 2, numeric unicast address, port >= 1024 … */
gboolean candidate_usable(const Candidate *candidate);

/* --- offer and answer (RFC 3264) --- */
/* Codecs this gateway relays untouched (codec.h); everything else is left out. */
gboolean codec_relayed(const Codec *codec);

/* When there is no offer to copy from: what a side of the kind `other` can be counted on to
 * have (PCMU, PCMA; behind WebRTC Opus before them: RFC 7874 3) with its events, in one audio
 * stream. */
Desc *desc_offer_all(const Transport *ours, TransportKind other);

/* `offer` with the codecs of these names ("opus PCMA") alone, in this order but those that are
 * passed through before those that are made, and the events of their clocks; "" or NULL: as it
 * is.  NULL when none is left. */
Desc *desc_only(const Desc *offer, const char *names);

/* The caller's codecs (those we relay, his numbering) and telephone-event, our
 * transport.  One audio stream; NULL when `theirs` has no audio we can relay. */
Desc *desc_offer(const Desc *theirs, const Transport *ours);

/* The answer to `offer`: its streams in place (those we do not relay rejected),
 * its mids, numbering and bundle, the codecs `answer` chose in its order and the
 * offer's telephone-event, the
 * DTLS role that fits the offer, our transport.  NULL when no codec is shared. */
Desc *desc_answer(const Desc *offer, const Desc *answer, const Transport *ours);

/* Where packets are made into another codec (transcode.h): adds what else can be made to an
 * offer of ours, behind the other side's own codecs; wideband first where that side has some.
 * `names` ("AMR PCMA") has those that are offered only when they are named (codec.h); or NULL.
 * Before the first desc_ref(). */
void desc_add_made(Desc *offer, const char *names);
/* Where no codec is shared: the answer to `offer` with the codec of this name, or (NULL) its first
 * that we relay, but a narrow one that spares bits (G.729, AMR) only where it has no other; its
 * direction and length of packets are those of `answer`.  NULL when there is none. */
Desc *
desc_answer_made(const Desc *offer, const Desc *answer, const char *name, const Transport *ours);

/* An offer of ours says this codec first, and as if the other side had it: it is wanted even
 * where packets have to be made into it.  Before the first desc_ref(). */
void desc_prefer(Desc *offer, const char *name);
/* What a peer takes, as if it took this codec and events alone: what it is sent is made into
 * it.  As it is when the peer, or what it was `told` (NULL: the same), has no such codec. */
Desc *desc_speaking(const Desc *desc, const Desc *told, const char *name);

/* The answer to an offer that has no audio any more (RFC 3264 8.2): all rejected, in place. */
Desc *desc_answer_nothing(const Desc *offer);

/* `desc` again as an offer, with its audio in another direction: hold and resume say what was
 * said before, numbers and rejected streams in place (RFC 3264 8). */
Desc *desc_turned(const Desc *desc, Direction direction);

/* The direction that answers `offer` when `answer` is what one would have: nobody
 * sends what the other has not said it would take (RFC 3264 6.1). */
Direction direction_answer(Direction offer, Direction answer);

/* What one wants who has said `said` when he was asked for `asked`: where that left him no
 * choice it is what he wanted `before`. */
Direction direction_wish(Direction asked, Direction said, Direction before);

/* An offer in the middle of a call that says all that can be: what was told before, in its
 * numbers and places, with the codecs besides that `other` has and we relay (RFC 6337 5.1). */
Desc *desc_offer_again(const Desc *told, const Desc *other, Direction direction);

/* The same in another place: the audio's addresses, credentials and fingerprint are
 * those of `transport`, the DTLS role stays. */
Desc *desc_moved(const Desc *desc, const Transport *transport);

/* How to renumber packets that come from a peer and leave for another.
 * `local` is what we told the source (its numbers are what the source sends,
 * RFC 3264 6.1), `remote` what the source told us (taken where `local` has no
 * say), `to` what the sink told us.  map[n] is 0xff for what must not pass, and for events:
 * theirs depends on the audio they go into. */
void desc_pt_map(const Desc *local, const Desc *remote, const Desc *to, guint8 map[128]);
