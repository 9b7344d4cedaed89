/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* amr.h - the payloads of AMR and AMR-WB, and which mode is sent next.
 *
 * Both formats of a payload: bits one after the other ("bandwidth-efficient") and whole bytes
 * ("octet-aligned"); the type says which.  Interleaving, CRCs, robust sorting and a second
 * channel are not read: fmtp.h leaves such an offer out.  Nothing here knows an encoder.
 * Thread: any (pure).  RFC 4867 sections 3.3, 4 and 5.3.
 */
#pragma once
#include "media/codec.h"

#define AMR_MAX_FRAMES 10 /* of 20 ms in one payload: RFC 3551 4.2 */
#define AMR_MAX_FRAME  61 /* bytes of one in the storage format: a header and 477 bits */
#define AMR_NO_DATA    15 /* a type: nothing was said, or it is lost */
#define AMR_NO_REQUEST 15 /* for a mode */

/* As in a file: type and quality, then the speech bits, zeros behind them. */
typedef struct {
	guint8 bytes[AMR_MAX_FRAME];
} AmrFrame;

typedef struct {
	guint8 request; /* the mode that its sender wants to get; or AMR_NO_REQUEST */
	guint8 n;
	AmrFrame frames[AMR_MAX_FRAMES];
} AmrPayload;

guint8 amr_frame_type(const AmrFrame *frame);
/* Comfort noise: nothing more comes until there is something to say. */
gboolean amr_frame_is_sid(const CodecType *type, const AmrFrame *frame);
/* Bytes in the storage format, with the header; 0: a type that is reserved. */
gsize amr_frame_size(const CodecType *type, guint8 frame_type);

/* FALSE: not a payload of this type.  A stranger's bytes are welcome. */
gboolean amr_read(const CodecType *type, const guint8 *payload, gsize size, AmrPayload *amr);
/* Bytes written, at most 1 + AMR_MAX_FRAMES * AMR_MAX_FRAME. */
gsize amr_write(const CodecType *type, const AmrPayload *amr, guint8 *payload);

/* --- the mode of what is sent --- */

typedef struct {
	CodecModes modes;
	guint8 mode, wanted;
	guint frames; /* so far */
} AmrSender;

/* Begins with the best of the modes that the receiver takes. */
void amr_sender_init(AmrSender *sender, const CodecType *type, const CodecModes *modes);
/* The receiver asks for this one: the best that he takes and that is not above it. */
void amr_sender_ask(AmrSender *sender, guint8 request);
/* Of the next frame. */
guint8 amr_sender_next(AmrSender *sender);
