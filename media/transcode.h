/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* transcode.h - the audio of one codec made into that of another, in one direction.
 *
 * Packets go in, payloads come out, as long as the sink wants them.  What comes in order is
 * made at once; only a gap is waited for, as long as the measured jitter says, and what is
 * missing then is concealed.  A source that pauses (Opus DTX) is heard as the noise of its
 * line; a sink that asks for pauses gets them.  Allocates when it is made, when a codec is read for
 * the first time, and for packets that wait behind a gap. Thread: one at a time.  RFC 3550, RFC
 * 7587.
 */
#pragma once
#include "media/codec.h"
#include "media/coder.h"
#include "media/rtp.h"

typedef struct Transcoder Transcoder;

/* Whether both can be read and written. */
gboolean transcode_possible(const CodecType *from, const CodecType *to);
/* `ptime_ms`: what the sink asks for; 0: 20. */
Transcoder *transcoder_new(const CodecType *to, guint ptime_ms);
void transcoder_free(Transcoder *transcoder); /* NULL is fine */

/* A packet of the source; `from` may be another than before.  `jitter_us`: how long a gap
 * is worth waiting for. */
void transcoder_push(Transcoder *transcoder, const CodecType *from, const RtpPacket *packet,
		     guint32 jitter_us, gint64 now_us);
/* A packet of the source that is no audio: its number is not missing. */
void transcoder_pass(Transcoder *transcoder, const RtpPacket *packet);
/* The source goes on in a way that needs none of this: nothing that has come is heard any more,
 * and the next packet is a first one.  What was made is kept. */
void transcoder_rest(Transcoder *transcoder);
/* Now and then, and every 20 ms while transcoder_waits(). */
void transcoder_tick(Transcoder *transcoder, gint64 now_us);
gboolean transcoder_waits(const Transcoder *transcoder);

/* One payload of the sink's. */
typedef struct {
	gsize size;
	guint32 units;	 /* of its clock, that it lasts */
	guint32 silence; /* the same, that nothing was said before it */
	gboolean marker; /* a talkspurt begins */
} TranscodedFrame;

/* The next one, written to `payload` (room for CODER_MAX_PAYLOAD); FALSE: not yet. */
gboolean transcoder_pull(Transcoder *transcoder, guint8 *payload, TranscodedFrame *frame);

/* See encoder_set_complexity(). */
void transcoder_set_complexity(Transcoder *transcoder, guint complexity);
/* What the sink loses, in percent. */
void transcoder_set_loss(Transcoder *transcoder, guint percent);
/* See encoder_set_modes(), encoder_ask() and decoder_asked(). */
void transcoder_set_modes(Transcoder *transcoder, const CodecModes *modes);
void transcoder_ask(Transcoder *transcoder, guint8 mode);
guint8 transcoder_asked(const Transcoder *transcoder);

typedef struct {
	guint64 packets;   /* that were made into something */
	guint64 concealed; /* frames of gaps that were filled */
	guint64 late, unreadable;
	guint waited_ms; /* the longest a packet has waited behind a gap */
	guint coders;	 /* decoders and encoders that were made for it */
} TranscoderStats;
void transcoder_stats(const Transcoder *transcoder, TranscoderStats *stats);
