/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* wav.h - a WAV file (RIFF WAVE): 16 bits linear, A-law or mu-law.
 *
 * Thread: any (pure).
 */
#pragma once
#include "media/audio/gather.h"

gboolean wav_is(const guint8 *data, gsize size);
/* All that it has, its channels mixed; NULL, and why not.  A last chunk that says it is longer
 * than the file ends with it: so do files of which nobody knew the length at first. */
Gather *wav_gather(const guint8 *data, gsize size, GError **error);
