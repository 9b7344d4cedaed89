/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* g711.h - PCMU and PCMA to and from linear samples.
 *
 * Thread: any (pure).  ITU-T G.711.
 */
#pragma once
#include <glib.h>

typedef enum { LAW_U, LAW_A } Law;

gint16 law_decode(Law law, guint8 code);
guint8 law_encode(Law law, gint16 sample);
/* n of them at once. */
void law_decode_all(Law law, const guint8 *codes, guint n, gint16 *samples);
void law_encode_all(Law law, const gint16 *samples, guint n, guint8 *codes);
