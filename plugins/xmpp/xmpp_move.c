/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_move.c - an answered call moves on.
 *
 *   to another device   he proposes a call to the number that another session of his
 *                       is with: the new session is its continuation (XEP-0353,
 *                       "Existing session"), the old one is told where it went
 *   to somebody else    <transfer to=…/> in a session-info (XEP-0251)
 */
#include "plugins/xmpp/xmpp_leg.h"
#include <string.h>

/* A number of ours, or a user by his own JID. */
static Address *
target_of(const Xmpp *xmpp, const char *jid)
{
	g_autoptr(Address) address = address_from_jid(jid);
	g_autofree char *local = NULL;
	g_autoptr(Address) ours = NULL;

	if (!address || !address->user)
		return NULL;
	local = xmpp_local_of(xmpp, address);
	ours = address_from_jid(local);
	return ours ? xmpp_accounts_dialled(xmpp->accounts, ours) : NULL;
}

void
xmpp_move_asked(XmppLeg *leg, const Jingle *jingle)
{
	const XmppLeg *other = jingle->transfer_sid
				       ? xmpp_leg_find(leg->xmpp, leg->peer, jingle->transfer_sid)
				       : NULL;
	g_autoptr(Address) target = NULL;

	leg_trace(&leg->leg, TRACE_IN, "session-info transfer to %s", jingle->transfer_to);
	if (leg->state != XMPP_TALKING)
		return;
	if (other && other != leg) {
		leg_transfer(&leg->leg, NULL, &other->leg);
		return;
	}
	target = jingle->transfer_sid ? NULL : target_of(leg->xmpp, jingle->transfer_to);
	if (target)
		leg_transfer(&leg->leg, target, NULL);
	else
		leg_trace(&leg->leg, TRACE_NOTE, "there is no such user or number");
}
