/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* control_guard.c - what accounts and trunks have used of their limits. */
#include <string.h>
#include "b2bua/admin/handlers.h"
#include "b2bua/gateway.h"
#include "b2bua/route/meter.h"

#define OWNER	     "JID|trunk:NAME"
#define TRUNK_PREFIX "trunk:"

/* As the meter names it; NULL with an error: there is no such account or trunk. */
static char *
owner_of(Request *request, const char *word, GError **error)
{
	if (g_str_has_prefix(word, TRUNK_PREFIX)) {
		const char *name = word + strlen(TRUNK_PREFIX);
		g_autoptr(Trunk) trunk = store_trunk_get(request->store, name, error);

		return trunk ? g_strconcat("trunk ", name, NULL) : NULL;
	} else {
		g_autofree char *jid = g_utf8_strdown(word, -1);
		g_autoptr(User) user = store_user_get(request->store, jid, error);

		return user ? g_steal_pointer(&jid) : NULL;
	}
}

static Meter *
meter_of(const Request *request)
{
	return gateway_parts(request->gateway)->meter;
}

static void
add_use(gpointer user, const MeterRow *use)
{
	const GuardRow *rule = guard_row(use->rule);
	JsonArray *row = reply_row(user);

	row_add(row, use->owner);
	row_add(row, rule->key);
	row_add_int(row, (gint64)use->used);
	row_add_int(row, (gint64)use->most);
	row_add(row, use->state);
}

gboolean
do_guard_show(Request *request, GError **error)
{
	const char *word = request_word(request, OWNER);
	g_autofree char *owner = NULL;

	if (word && !(owner = owner_of(request, word, error)))
		return FALSE;
	reply_table(request, "whose", "limit", "used", "most", "state", NULL);
	return meter_show(meter_of(request), owner, add_use, request, error);
}

gboolean
do_guard_lift(Request *request, GError **error)
{
	const char *word = request_word(request, OWNER);
	g_autofree char *owner = owner_of(request, word, error), *text = NULL;

	if (!owner || !meter_lift(meter_of(request), owner, error))
		return FALSE;
	text = g_strdup_printf("guard lift %s", word);
	audit_say(request, text);
	return TRUE;
}
