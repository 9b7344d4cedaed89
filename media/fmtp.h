/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fmtp.h - what the parameters of a codec say: which format its payloads have, which of its
 * modes are taken.
 *
 * Thread: any (pure).  RFC 4867 section 8.
 */
#pragma once
#include "media/codec.h"
#include "media/desc.h"

/* The type of this very codec, as its parameters say; NULL: none of ours, or in a format that
 * we do not read (interleaved, with CRCs, sorted: RFC 4867 8.1). */
const CodecType *codec_type_of(const Codec *codec);
/* Nonsense says nothing. */
void codec_modes_of(const Codec *codec, CodecModes *modes);
/* RFC 4867 8.3.1: the modes that were offered are answered as they are. */
void codec_repeat_modes(Codec *answer, const Codec *offered);
