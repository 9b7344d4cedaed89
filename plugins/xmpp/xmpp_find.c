/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_find.c - which call is meant: look-ups by hash.
 *
 *   JID, sid          every leg, for a while after it is over too; several keys each
 *   account           the legs of a person that are not over
 *   account, number   those of them that are with this number of ours
 *
 * So what somebody says costs the same whatever others do, and what is over costs
 * nothing.
 * Thread: signalling.
 */
#include "plugins/xmpp/xmpp_leg.h"

static guint64 visits;

static char *
account_key(const char *bare)
{
	return g_utf8_strdown(bare, -1);
}

/* Whatever the number was written as, and whatever keys follow it. */
static char *
number_key(const Xmpp *xmpp, const char *bare, const Address *number)
{
	g_autofree char *account = account_key(bare);
	g_autoptr(Address) called = xmpp_accounts_callee(xmpp->accounts, number);

	return g_strconcat(account, "\n", called->user ? called->user : "", NULL);
}

static void
add(Xmpp *xmpp, char *key, XmppLeg *leg)
{
	GPtrArray *legs = g_hash_table_lookup(xmpp->live, key);

	if (!legs) {
		legs = g_ptr_array_new();
		g_hash_table_insert(xmpp->live, g_strdup(key), legs);
	}
	g_ptr_array_add(legs, leg);
	g_ptr_array_add(leg->live_keys, key);
}

void
xmpp_find_add(XmppLeg *leg)
{
	g_autoptr(Address) local = address_from_jid(leg->local);

	if (!leg->peer_bare || leg->live_keys->len > 0)
		return;
	add(leg->xmpp, account_key(leg->peer_bare), leg);
	if (local)
		add(leg->xmpp, number_key(leg->xmpp, leg->peer_bare, local), leg);
	leg->xmpp->n_live++;
}

void
xmpp_find_remove(XmppLeg *leg)
{
	if (leg->live_keys->len > 0)
		leg->xmpp->n_live--;
	for (guint i = 0; i < leg->live_keys->len; i++) {
		const char *key = leg->live_keys->pdata[i];
		GPtrArray *legs = g_hash_table_lookup(leg->xmpp->live, key);

		visits += legs->len;
		g_ptr_array_remove_fast(legs, leg);
		if (legs->len == 0)
			g_hash_table_remove(leg->xmpp->live, key);
	}
	g_ptr_array_set_size(leg->live_keys, 0);
}

static GPtrArray *
copy_of(const Xmpp *xmpp, const char *key)
{
	const GPtrArray *legs = g_hash_table_lookup(xmpp->live, key);
	GPtrArray *copy = g_ptr_array_new();

	for (guint i = 0; legs && i < legs->len; i++)
		g_ptr_array_add(copy, legs->pdata[i]);
	visits += copy->len;
	return copy;
}

GPtrArray *
xmpp_find_account(const Xmpp *xmpp, const char *bare)
{
	g_autofree char *key = account_key(bare);

	return copy_of(xmpp, key);
}

GPtrArray *
xmpp_find_with(const Xmpp *xmpp, const char *bare, const Address *number)
{
	g_autofree char *key = number_key(xmpp, bare, number);

	return copy_of(xmpp, key);
}

XmppLeg *
xmpp_find_talking(const Xmpp *xmpp, const char *bare, const Address *number)
{
	g_autoptr(GPtrArray) legs = xmpp_find_with(xmpp, bare, number);

	for (guint i = 0; i < legs->len; i++) {
		XmppLeg *leg = legs->pdata[i];

		if (leg->state == XMPP_TALKING && leg->leg.call)
			return leg;
	}
	return NULL;
}

gboolean
xmpp_find_talks(const Xmpp *xmpp, const char *bare)
{
	g_autoptr(GPtrArray) legs = xmpp_find_account(xmpp, bare);

	for (guint i = 0; i < legs->len; i++)
		if (((const XmppLeg *)legs->pdata[i])->state == XMPP_TALKING)
			return TRUE;
	return FALSE;
}

guint64
xmpp_find_visits(void)
{
	return visits;
}

/* --- by session --- */

void
xmpp_leg_register(XmppLeg *leg, const char *jid, const char *sid)
{
	char *key = g_strconcat(jid, "\n", sid, NULL);

	g_hash_table_replace(leg->xmpp->sessions, g_strdup(key), leg);
	g_ptr_array_add(leg->keys, key);
}

XmppLeg *
xmpp_leg_find(const Xmpp *xmpp, const char *jid, const char *sid)
{
	g_autofree char *key = NULL;

	if (!jid || !sid)
		return NULL;
	key = g_strconcat(jid, "\n", sid, NULL);
	return g_hash_table_lookup(xmpp->sessions, key);
}
