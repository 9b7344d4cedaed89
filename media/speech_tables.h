/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* speech_tables.h - the tables of speech.h by name, for speech.c alone.
 *
 * Only those exist whose libraries configure has found.
 */
#pragma once
#include "media/speech.h"

extern const SpeechCodec g729_codec;
extern const SpeechCodec amr_codec; /* of both: the type says which */
