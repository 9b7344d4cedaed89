/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* codec.h - the codecs this gateway knows: what a packet's clock and its samples are.
 *
 * One table.  What a description says of a codec (name, clock, channels) leads to its
 * type; whoever counts time or samples asks the type, and has no constant of its own.
 * A codec without a type is left out of every offer and answer.
 * Thread: any (pure).  RFC 3551, RFC 4733, RFC 4867, RFC 7587.
 */
#pragma once
#include <glib.h>

typedef enum {
	CODEC_OPUS,
	CODEC_G722,
	CODEC_PCMU,
	CODEC_PCMA,
	CODEC_G729, /* these three: where configure has found their libraries */
	CODEC_AMR,
	CODEC_AMR_WB,
	CODEC_EVENT,  /* telephone-event, in the clock of the audio it interrupts */
	CODEC_LINEAR, /* L16 at 16000, between a port and us: no peer is told of it */
	N_CODEC_KINDS
} CodecKind;

typedef struct {
	CodecKind kind;
	const char *name;   /* as its registration spells it */
	guint32 clock;	    /* of its RTP timestamps, Hz */
	guint8 channels;    /* as its description says: Opus is always 2 */
	guint32 rate;	    /* of its samples, Hz: G.722 has 16000 under a clock of 8000; 0: none */
	guint8 pt;	    /* our own number, where we are the first to number it */
	gboolean webrtc;    /* every WebRTC endpoint has it (RFC 7874 3) */
	const char *params; /* "a=1;b" that we say when we are the first to speak of it; or NULL */
	/* Spares bits more than it gives sound: offered where `codecs` names it, no otherwise. */
	gboolean named;
	gboolean octet_aligned; /* of AMR: which of its two formats (RFC 4867 4); a type for each */
	guint8 frame_ms;	/* its packets last a multiple of this; 0: any length */
} CodecType;

/* Which modes of AMR a receiver takes, and when they may change (RFC 4867 8.1); of Opus, whether it
 * would rather be sent nothing while nothing is said (RFC 7587 6.1, usedtx). */
typedef struct {
	guint16 set;	   /* a bit for each; 0: all there are */
	guint8 period;	   /* 2: with every second frame alone */
	gboolean neighbor; /* to the next one of the set alone */
	gboolean dtx;
} CodecModes;

/* NULL when it is not one of ours.  Names are compared without case.  Where a name has several
 * types its first; fmtp.h knows which is meant. */
const CodecType *codec_type(const char *name, guint32 clock, guint8 channels);
/* By its name alone, in any clock; NULL likewise, and for CODEC_LINEAR. */
const CodecType *codec_type_named(const char *name);
/* All that peers are told of, the better audio first, then the events; n of them. */
const CodecType *codec_types(guint *n);
/* "opus G722 PCMU …": what was built in, for a person; free it. */
char *codec_names(void);
