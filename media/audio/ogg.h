/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* ogg.h - an Ogg file with Opus in it (RFC 7845).
 *
 * Thread: any (pure).
 */
#pragma once
#include "media/audio/gather.h"

gboolean ogg_is(const guint8 *data, gsize size);
/* All that it has, its channels mixed, chained ones one after the other; NULL, and why not.
 * What is damaged in between is passed over. */
Gather *ogg_gather(const guint8 *data, gsize size, GError **error);
