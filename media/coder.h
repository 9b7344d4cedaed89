/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* coder.h - one codec's samples: payloads to linear PCM and back.
 *
 * Mono, 16 bits, at 8000 or 16000 samples a second: the rate is the caller's, so that two
 * coders that are put together need no resampler (linear samples of our own have one rate, and
 * are resampled).  Both are owned by who made them.
 * Thread: one at a time.  RFC 3551, RFC 4867, RFC 6716, RFC 7587, ITU-T G.711, G.722, G.729.
 */
#pragma once
#include <glib.h>
#include "media/codec.h"

#define CODER_MAX_MS	  200		      /* of one payload: RFC 3551 4.2 */
#define CODER_MAX_SAMPLES (CODER_MAX_MS * 16) /* at 16000 */
/* Of Opus; see opus_new() for why. */
#define CODER_OPUS_COMPLEXITY 5
#define CODER_MAX_PAYLOAD     1276 /* bytes of what is made: RFC 6716 3.2.1 */
#define CODER_MAX_RECEIVED    1600 /* bytes of what is read: 200 ms of G.711 or G.722 */
#define CODER_NO_MODE	      15   /* RFC 4867 4.3.1 */

typedef struct Decoder Decoder;
/* NULL: this codec is passed through and not read. */
Decoder *decoder_new(const CodecType *type, guint rate);
void decoder_free(Decoder *decoder); /* NULL is fine */
/* Samples written to `pcm`, which has room for CODER_MAX_SAMPLES; 0: the payload is not
 * this codec's.  A stranger's bytes are welcome. */
guint decoder_decode(Decoder *decoder, const guint8 *payload, gsize size, gint16 *pcm);
/* `samples` (at most CODER_MAX_SAMPLES) of what was lost, or of the noise of a line that says
 * nothing now.  `next`: the payload that follows, when it is the one after, may know more
 * (Opus in-band FEC); or NULL. */
void decoder_conceal(Decoder *decoder, const guint8 *next, gsize size, gint16 *pcm, guint samples);
/* The last payload, of this size, says: nothing more until there is something to say (Opus
 * DTX; SID of the others). */
gboolean decoder_pauses(const Decoder *decoder, gsize size);
/* The mode of AMR that the payloads' sender has asked to get; CODER_NO_MODE: none. */
guint8 decoder_asked(const Decoder *decoder);

typedef struct Encoder Encoder;
/* NULL: this codec is passed through and not written. */
Encoder *encoder_new(const CodecType *type, guint rate);
void encoder_free(Encoder *encoder);
/* `samples` are 10, 20, 40 or 60 ms; of linear ones 10 or 20; of AMR not 10.  Bytes written to
 * `payload`, which has room for CODER_MAX_PAYLOAD. */
gsize encoder_encode(Encoder *encoder, const gint16 *pcm, guint samples, guint8 *payload);
/* From 0 to 10, of Opus: CPU time against quality at one bit rate. */
void encoder_set_complexity(Encoder *encoder, guint complexity);
/* What the receiver loses: what can be made robust against it is. */
void encoder_set_loss(Encoder *encoder, guint percent);
/* The payload just made, of this size, says nothing: those after it that are the same need not be
 * sent.  Never before encoder_set_modes() has asked for it. */
gboolean encoder_pauses(const Encoder *encoder, gsize size);
/* Of AMR: which its receiver takes; from them the best.  Of Opus: whether pauses are wanted. */
void encoder_set_modes(Encoder *encoder, const CodecModes *modes);
/* The receiver asks for this one, or CODER_NO_MODE. */
void encoder_ask(Encoder *encoder, guint8 mode);
