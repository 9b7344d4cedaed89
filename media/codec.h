/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* codec.h - the codecs this gateway knows: what a packet's clock and its samples are.
 *
 * One table.  What a description says of a codec (name, clock, channels) leads to its
 * type; whoever counts time or samples asks the type, and has no constant of its own.
 * A codec without a type is left out of every offer and answer.
 * Thread: any (pure).  RFC 3551, RFC 4733, RFC 7587.
 */
#pragma once
#include <glib.h>

typedef enum {
	CODEC_OPUS,
	CODEC_G722,
	CODEC_PCMU,
	CODEC_PCMA,
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
} CodecType;

/* NULL when it is not one of ours.  Names are compared without case. */
const CodecType *codec_type(const char *name, guint32 clock, guint8 channels);
/* By its name alone, in any clock; NULL likewise, and for CODEC_LINEAR. */
const CodecType *codec_type_named(const char *name);
/* All that peers are told of, the better audio first, then the events; n of them. */
const CodecType *codec_types(guint *n);
