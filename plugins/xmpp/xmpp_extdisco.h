/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_extdisco.h - the STUN and TURN servers there are, told to clients.
 *
 * A relay costs its owner traffic, so credentials are given to users of this
 * gateway only, are each user's own and end by themselves.
 * Thread: any (pure).  XEP-0215.
 */
#pragma once
#include "b2bua/config.h"
#include "b2bua/leg.h"
#include "plugins/xmpp/xml.h"

gboolean xmpp_extdisco_any(const MediaOptions *media);
/* The answer to a request for services or for the credentials of one, to be freed;
 * NULL when it is neither.  `user` is the bare JID of who asks, NULL for a
 * stranger; `now` in seconds since 1970. */
xmlNode *
xmpp_extdisco_answer(const MediaOptions *media, const xmlNode *iq, const char *user, gint64 now);

/* --- what another server tells its users --- */
#define XMPP_EXTDISCO_MOST 8 /* that are read of one answer */
xmlNode *xmpp_extdisco_question(const char *from, const char *domain); /* to be freed */
/* Of its answer, or NULL when none has come: AnnouncedServer, new. */
GPtrArray *xmpp_extdisco_read(const xmlNode *answer, Announced *what);
