/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* route_missed.c - for whom a telephone's call is that is refused before it is routed.
 *
 * Asks who he is and whether he takes calls from there, and no more: no device, no forward, no
 * guard.
 * Thread: signalling.
 */
#include "b2bua/route/route_private.h"

void
missed_clear(Missed *missed)
{
	g_clear_pointer(&missed->account, g_free);
	g_clear_pointer(&missed->number, g_free);
	g_clear_pointer(&missed->caller, address_free);
}

static User *
called_user(Gateway *gateway, const Address *to, const char *number)
{
	g_autoptr(User) user =
		number ? store_user_by_number(gateway_store(gateway), number, NULL) : NULL;

	if (!user)
		user = route_user_by_jid(gateway, to);
	return user && user->enabled ? g_steal_pointer(&user) : NULL;
}

gboolean
route_missed(Gateway *gateway, const Incoming *incoming, Missed *missed)
{
	Question question = { .gateway = gateway, .to = incoming->to, .incoming = incoming };
	const guint failures = store_failures(gateway_store(gateway));
	g_autoptr(Trunk) trunk =
		incoming->trunk ? store_trunk_get(gateway_store(gateway), incoming->trunk, NULL)
				: NULL;
	g_autofree char *number = NULL;
	g_autoptr(Address) caller = NULL, hidden = NULL;
	g_autoptr(User) user = NULL;

	*missed = (Missed){ 0 };
	if (!trunk || !incoming->from)
		return FALSE;
	number = route_called_by_trunk(trunk, incoming->to);
	user = called_user(gateway, incoming->to, number);
	if (!user)
		return FALSE;
	question.country = route_country_of(trunk);
	caller = route_caller_from(question.country, incoming->from);
	if (incoming->hidden)
		question.hidden = hidden = route_caller_from(question.country, incoming->hidden);
	/* a block list that cannot be read may have this caller */
	if (route_blocks(&question, user, caller) ||
	    store_failures(gateway_store(gateway)) != failures)
		return FALSE;
	missed->account = g_strdup(user->jid);
	missed->number = g_steal_pointer(&number);
	missed->caller = g_steal_pointer(&caller);
	return TRUE;
}
