/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* speech.c - which of them there are. */
#include <config.h>
#include "media/speech.h"
#include "media/speech_tables.h"

const SpeechCodec *
speech_codec(const CodecType *type)
{
	switch (type->kind) {
#if HAVE_G729
	case CODEC_G729:
		return &g729_codec;
#endif
#if HAVE_AMR
	case CODEC_AMR:
#endif
#if HAVE_AMR_WB
	case CODEC_AMR_WB:
#endif
#if HAVE_AMR || HAVE_AMR_WB
		return &amr_codec;
#endif
	default:
		return NULL;
	}
}
