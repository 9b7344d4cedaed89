/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* ice_overhear.h - what the peer answers to our connectivity checks, which the agent keeps for
 * itself: needed to say why no pair was found.
 *
 * It looks at what lies in the agent's sockets just before the agent reads it.
 * Thread: ice.
 */
#pragma once
#include <gio/gio.h>
#include "media/udp.h"

/* From whom; `error` 0: a success.  Must not touch the agent. */
typedef void (*OverhearFunc)(gpointer user, const NetAddress *from, guint error);

/* `sockets`: GSocket *, which must live as long.  Ended by g_source_destroy() and unref. */
GSource *ice_overhear(GMainContext *loop, GPtrArray *sockets, OverhearFunc func, gpointer user);
