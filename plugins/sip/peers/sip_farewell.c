/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_farewell.c - the last REGISTER of a trunk that is switched off, changed or gone.
 *
 * Thread: signalling.
 */
#include "plugins/sip/peers/sip_watch_private.h"
#include "plugins/sip/stack/sip_header.h"
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip_tag.h>

#define FAREWELL_SECONDS 32 /* Timer F */

struct Farewell {
	Watches *watches;
	nua_handle_t *nh;
	Trunk *trunk; /* owned: what it was */
	guint challenged;
	Timer *timer;
};

void
farewell_free(gpointer data)
{
	Farewell *farewell = data;

	timer_clear(&farewell->timer);
	if (farewell->nh)
		nua_handle_destroy(farewell->nh);
	trunk_free(farewell->trunk);
	g_free(farewell);
}

void
farewell_answered(Farewell *farewell, const SipEvent *event)
{
	g_autofree char *auth = NULL;

	if (event->status < 200)
		return;
	auth = header_credentials(farewell->trunk, (guint)event->status, event->sip,
				  &farewell->challenged);
	if (auth)
		nua_authenticate(farewell->nh, NUTAG_AUTH(auth), TAG_END());
	else
		g_hash_table_remove(farewell->watches->farewells, farewell->nh);
}

static void
on_farewell_late(gpointer user)
{
	Farewell *farewell = user;

	g_hash_table_remove(farewell->watches->farewells, farewell->nh);
}

/* Where it was registered it is no more: with the same Call-ID, and with the settings that
 * were good for it. */
void
farewell_say(Watch *watch)
{
	Watches *watches = watch->watches;
	Probe *probe = &watch->probes[REGISTER];
	const char *hop = probe_hop(probe);
	g_autofree char *contact = NULL;
	Farewell *farewell;

	if (!watch->was || !hop || !probe->good || probe->asking)
		return;
	probe_make_handle(probe, watch->was);
	if (!probe->nh)
		return;
	contact = probe->contact ? g_strdup(probe->contact)
				 : probe_contact(watches->ua, watch->was, hop);
	farewell = g_new0(Farewell, 1);
	farewell->watches = watches;
	farewell->nh = g_steal_pointer(&probe->nh);
	farewell->trunk = g_steal_pointer(&watch->was);
	timer_set(&farewell->timer, FAREWELL_SECONDS * 1000, on_farewell_late, farewell);
	g_hash_table_remove(watches->by_handle, farewell->nh);
	g_hash_table_insert(watches->farewells, farewell->nh, farewell);
	nua_method(farewell->nh, NUTAG_METHOD("REGISTER"), NUTAG_PROXY(hop),
		   SIPTAG_CONTACT_STR(contact), SIPTAG_EXPIRES_STR("0"), TAG_END());
}

/* What a REGISTER needs of it. */
Trunk *
farewell_remember(const Trunk *trunk)
{
	Trunk *was = trunk_new(trunk->name, trunk->host);

	was->username = g_strdup(trunk->username);
	was->password = g_strdup(trunk->password);
	g_free(was->account);
	was->account = g_strdup(trunk->account);
	g_free(was->realm);
	was->realm = g_strdup(trunk->realm);
	return was;
}

void
farewell_forget_handle(Farewell *farewell)
{
	farewell->nh = NULL;
}
