/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* speech.h - the codecs whose libraries configure may have left out, each behind one table:
 * G.729 (bcg729), AMR and AMR-WB (opencore-amr, vo-amrwbenc).
 *
 * Samples have the rate of the codec's type.  coder.c is who calls these.
 * Thread: one at a time for each coder.  RFC 3551 4.5.6, RFC 4867.
 */
#pragma once
#include "media/codec.h"

typedef struct {
	gpointer (*decoder_new)(const CodecType *type);
	void (*decoder_free)(gpointer decoder);
	/* As decoder_decode() and decoder_conceal() of coder.h. */
	guint (*decode)(gpointer decoder, const guint8 *payload, gsize size, gint16 *pcm);
	void (*conceal)(gpointer decoder, gint16 *pcm, guint samples);
	/* The last payload said: nothing more until there is something to say. */
	gboolean (*pauses)(gconstpointer decoder);
	/* The mode that the payload's sender wants to get; NULL: the codec has one mode. */
	guint8 (*asked)(gconstpointer decoder);

	gpointer (*encoder_new)(const CodecType *type);
	void (*encoder_free)(gpointer encoder);
	gsize (*encode)(gpointer encoder, const gint16 *pcm, guint samples, guint8 *payload);
	void (*set_modes)(gpointer encoder, const CodecModes *modes); /* NULL likewise */
	void (*ask)(gpointer encoder, guint8 mode);
} SpeechCodec;

/* NULL: none of these. */
const SpeechCodec *speech_codec(const CodecType *type);
