/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-xmpp-presence.c - who is told of our presence, and when: those who are subscribed,
 * and of a change the one whom it concerns.
 *
 * The store is real and has 5,000 users; the stream is a list of what was sent.
 */
#include "b2bua/call/core.h"
#include "plugins/xmpp/xmpp_account.h"
#include "plugins/xmpp/xmpp_disco.h"
#include "plugins/xmpp/xmpp_iq.h"
#include <string.h>

#define N_USERS 5000
#define GW	"gw.example.org"

static guint sent, to_others;
static GString *to_one;	 /* "type from;" of what u0017@example.org was sent */
static GHashTable *told; /* bare JID */

static void
on_sent(gpointer user, const xmlNode *stanza)
{
	const char *type = xml_attribute(stanza, "type"), *to = xml_attribute(stanza, "to");

	sent++;
	g_hash_table_add(told, g_strdup(to));
	if (strcmp(to, "u0017@example.org") == 0)
		g_string_append_printf(to_one, "%s %s;", type ?: "available",
				       xml_attribute(stanza, "from"));
	else
		to_others++;
}

static void
on_request(gpointer user, const xmlNode *iq)
{
}

static void
forget(void)
{
	sent = to_others = 0;
	g_string_truncate(to_one, 0);
	g_hash_table_remove_all(told);
}

/* Until nothing has been said for three of the announcer's turns. */
static void
settle(void)
{
	guint before;

	do {
		gint64 until = g_get_monotonic_time() + 60 * G_TIME_SPAN_MILLISECOND;

		before = sent;
		while (g_get_monotonic_time() < until)
			if (!g_main_context_iteration(NULL, FALSE))
				g_usleep(500);
	} while (sent != before);
}

/* Every fifth has the gateway in his roster, every tenth a number. */
static void
fill(Store *store)
{
	g_assert_true(store_begin(store, NULL));
	for (guint i = 0; i < N_USERS; i++) {
		g_autofree char *jid = g_strdup_printf("u%04u@example.org", i);

		g_assert_true(store_user_add(store, jid, NULL));
		if (i % 5 == 0)
			g_assert_true(store_subscriber_add(store, "!", jid, 100, NULL));
		if (i % 10 == 0)
			g_assert_true(
				store_subscriber_add(store, "+14155550101@" GW, jid, 100, NULL));
	}
	for (guint i = 0; i < 3; i++)
		g_assert_true(store_subscriber_add(store,
						   i == 0   ? "!"
						   : i == 1 ? "+14155550101@" GW
							    : "+14155550102@" GW,
						   "u0017@example.org", 100, NULL));
	g_assert_true(store_commit(store, NULL));
}

#define ALL                                                        \
	"available " GW ";probe " GW ";available +14155550101@" GW \
	"/gw;available +14155550102@" GW "/gw;"
#define NONE "unavailable " GW ";unavailable +14155550101@" GW ";unavailable +14155550102@" GW ";"

static const struct {
	const char *name;
	Change what;
	const char *key;
	gint enabled; /* -1: as it is */
	const char *told;
} changes[] = {
	{ "settings", CHANGE_SETTINGS, "u0017@example.org", -1, ALL },
	{ "a user", CHANGE_USER, "u0017@example.org", -1, ALL },
	{ "settings of another", CHANGE_SETTINGS, "u0018@example.org", -1, "" },
	{ "a number", CHANGE_NUMBER, "+14155550101", -1, "" },
	{ "a trunk", CHANGE_TRUNK, "carrier", -1, "" },
	{ "a softphone", CHANGE_SOFTPHONE, "desk", -1, "" },
	{ "routes", CHANGE_ROUTES, NULL, -1, "" },
	{ "switched off", CHANGE_USER, "u0017@example.org", 0, NONE },
	{ "switched on", CHANGE_USER, "u0017@example.org", 1, ALL },
};

static void
test_presence(void)
{
	g_autoptr(Config) config = config_load(NULL, NULL);
	g_autoptr(Store) store = store_open(":memory:", NULL);
	Gateway *gateway = core_new(config, store, NULL);
	XmppIq *iq = xmpp_iq_open(10, on_request, NULL);
	XmppDisco *disco = xmpp_disco_new(GW, iq, FALSE);
	XmppAccounts *accounts = xmpp_accounts_new(gateway, GW, disco, on_sent, NULL);

	to_one = g_string_new(NULL);
	told = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	fill(store);
	xmpp_accounts_announce(accounts);
	settle();
	/* one presence for each contact, one probe for each who has any */
	g_assert_cmpuint(sent, ==, 1000 + 500 + 3 + 1001);
	g_assert_cmpuint(g_hash_table_size(told), ==, 1001);
	g_assert_cmpstr(to_one->str, ==, ALL);
	for (guint i = 0; i < G_N_ELEMENTS(changes); i++) {
		forget();
		if (changes[i].enabled >= 0)
			g_assert_true(store_user_set_enabled(store, changes[i].key,
							     changes[i].enabled, NULL));
		xmpp_accounts_changed(accounts, changes[i].what, changes[i].key);
		settle();
		g_test_message("%s: %s", changes[i].name, to_one->str);
		g_assert_cmpstr(to_one->str, ==, changes[i].told);
		g_assert_cmpuint(to_others, ==, 0);
	}
	/* and who is no longer there is told that, too */
	forget();
	g_assert_true(store_user_del(store, "u0017@example.org", NULL));
	xmpp_accounts_changed(accounts, CHANGE_USER, "u0017@example.org");
	settle();
	g_assert_cmpstr(to_one->str, ==, "unavailable " GW ";unsubscribed " GW ";");
	g_assert_cmpuint(to_others, ==, 0);

	xmpp_accounts_free(accounts);
	xmpp_disco_free(disco);
	xmpp_iq_free(iq);
	core_free(gateway);
	g_string_free(to_one, TRUE);
	g_hash_table_unref(told);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/xmpp/presence", test_presence);
	return g_test_run();
}
