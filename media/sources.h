/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sources.h - the hosts and networks that a side's packets may come from, beside the
 * address that it has signalled.
 *
 * Made as a value; then shared by all descriptions and relays of that side, and not
 * changed any more.  NULL: the signalled host alone.
 * Thread: any (pure).
 */
#pragma once
#include <glib.h>

#define MEDIA_MAX_SOURCES 20

typedef struct {
	guint8 address[16];
	guint8 bits;
	gboolean ip6;
} SourceNet;

typedef struct {
	SourceNet nets[MEDIA_MAX_SOURCES];
	guint n_nets;
	gboolean any; /* and after a trial any other host */
} MediaSources;

/* "192.0.2.0/24", "2001:db8::1"; ::ffff:192.0.2.1 is 192.0.2.1.  FALSE for anything else,
 * and when there is no more room. */
gboolean media_sources_add(MediaSources *sources, const char *network);
/* One host; of IPv6 its /64, which is one subscriber's. */
gboolean media_sources_add_host(MediaSources *sources, const char *address);
/* A shared copy, counted; NULL when it allows nobody. */
const MediaSources *media_sources_share(const MediaSources *sources);
const MediaSources *media_sources_ref(const MediaSources *shared); /* NULL is fine */
void media_sources_unref(const MediaSources *shared);		   /* likewise */
gboolean media_sources_any(const MediaSources *shared);		   /* likewise */
/* `address` has 16 bytes for IPv6, 4 else. */
gboolean media_sources_allow(const MediaSources *sources, const guint8 *address, gboolean ip6);
