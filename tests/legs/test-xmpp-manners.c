/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-xmpp-manners.c - what the gateway says beside calls: the address of a number that
 * somebody adds to his contacts, and the news of his account.
 *
 * The real plugin, core and store, and a server of our own.
 */
#include "db/news.h"
#include "tests/legs/xmpp-rig.h"
#include <string.h>

#define GW "gw.example.org"

/* --- the address of a number --- */

/* XEP-0100 6.3: a number is written as at home, and its address is that of everybody. */
static void
test_prompt(void)
{
	static const struct {
		const char *country, *written, *jid; /* NULL: there is none */
	} rows[] = {
		{ "DE", "0171 1234567", "+491711234567@" GW },
		{ "DE", "00442079460123", "+442079460123@" GW },
		{ "DE", "116117", "116117@" GW },
		{ "GB", "020 7946 0123", "+442079460123@" GW },
		{ "US", "(212) 555-0123", "+12125550123@" GW },
		{ "US", "*31#212 555 0123", "+12125550123@" GW },
		{ "DE", RIG_CALLED, RIG_CALLED "@" GW },
		{ "DE", "12 monkeys", NULL },
		{ "DE", "+", NULL },
		{ "DE", "+49 171 1234567 171 1234567 171 1234567", NULL },
	};

	rig_set_up("");
	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *id = g_strdup_printf("prompt%u", i), *jid = NULL;
		const xmlNode *answer, *query;

		g_assert_true(
			store_setting_set(rig.store, RIG_USER, "country", rows[i].country, NULL));
		rig_say("<iq type='set' id='%s' from='Alice@example.com/a' to='" GW "'>"
			"<query xmlns='jabber:iq:gateway'><prompt>%s</prompt></query></iq>",
			id, rows[i].written);
		rig_settle();
		answer = rig_answer_to(id);
		query = xml_child(answer, NS_GATEWAY, "query");
		jid = query ? xml_text(xml_child(query, NULL, "jid")) : NULL;
		g_test_message("%s in %s: %s", rows[i].written, rows[i].country, jid ?: "error");
		g_assert_nonnull(answer);
		g_assert_cmpstr(jid, ==, rows[i].jid);
	}
	rig_tear_down();
}

/* --- the news --- */

static void
add(const char *user, StoreNews what, const char *number)
{
	g_assert_true(store_news_add(rig.store, user, what, number, NULL));
}

static guint n_told; /* texts to anybody since rig_forget() */

static gboolean
enough_told(gpointer wanted)
{
	g_autoptr(GHashTable) whom = g_hash_table_new(g_str_hash, g_str_equal);

	rig_find_said("nothing of this name"); /* reads */
	n_told = 0;
	for (guint i = 0; i < rig.said->len; i++)
		if (xml_child(rig.said->pdata[i], NULL, "body")) {
			n_told++;
			g_hash_table_add(whom, (gpointer)xml_attribute(rig.said->pdata[i], "to"));
		}
	g_assert_cmpuint(g_hash_table_size(whom), ==, n_told); /* nobody twice */
	return n_told >= GPOINTER_TO_UINT(wanted);
}

static gboolean
is_quiet(gpointer user)
{
	g_autoptr(GPtrArray) left = store_news_page(rig.store, "", 1, NULL);

	return left->len == 0;
}

#define ADVICE                                                                          \
	"Who calls it rings here.\nTo call a number, add it to your contacts with its " \
	"country and @" GW ", as in +15555550123@" GW ", and call that contact."

#define A "+15555550001"
#define B "+15555550002"

/* Alice has RIG_CALLED at first; "+" gives her a number, "-" takes one, "1" and "0" switch her. */
static const struct {
	const char *news, *text;
} ROWS[] = {
	{ "+" A, "You have one more telephone number: " A "." },
	{ "+" A " +" B, "You have more telephone numbers: " A ", " B "." },
	{ "-" A, A " is no longer yours: calls to it do not reach you.\n"
		   "Those whom you call are shown " RIG_CALLED "." },
	{ "-" A " -" B, A ", " B " are no longer yours: calls to them do not reach you.\n"
			  "Those whom you call are shown " RIG_CALLED "." },
	{ "+" A " -" A, NULL },
	{ "+" A " -" A " +" A, "You have one more telephone number: " A "." },
	{ "-" A " +" A, NULL },
	{ "-" A " -" RIG_CALLED,
	  A ", " RIG_CALLED " are no longer yours: calls to them do not reach you.\n"
	    "You have no telephone number now." },
	{ "+" RIG_CALLED, "Welcome to the telephone. Your number: " RIG_CALLED ". " ADVICE },
	{ "0", "Your telephone account was switched off by the operator. You cannot call, and "
	       "nobody reaches you by your number." },
	{ "1", "Your telephone account was switched on again." },
	{ "0 1", NULL },
	{ "1 0 1", "Your telephone account was switched on again." },
};

static void
add_row(const char *news)
{
	g_auto(GStrv) words = g_strsplit(news, " ", -1);

	for (char **word = words; *word; word++) {
		StoreNews what = **word == '+'	 ? STORE_NEWS_GIVEN
				 : **word == '-' ? STORE_NEWS_TAKEN
				 : **word == '1' ? STORE_NEWS_ON
						 : STORE_NEWS_OFF;

		if (**word == '+')
			store_number_add(rig.store, *word + 1, RIG_USER, NULL);
		else if (**word == '-')
			store_number_del(rig.store, *word + 1, NULL);
		add(RIG_USER, what, strchr("+-", **word) ? *word + 1 : "");
	}
}

static void
test_texts(void)
{
	rig_set_up("");
	for (guint i = 0; i < G_N_ELEMENTS(ROWS); i++) {
		g_autofree char *text = NULL;

		rig_forget();
		add_row(ROWS[i].news);
		gateway_changed(rig.gateway, CHANGE_USER, RIG_USER);
		if (ROWS[i].text)
			g_assert_true(wait_for(enough_told, GUINT_TO_POINTER(1)));
		rig_settle();
		g_assert_true(wait_for(is_quiet, NULL));
		text = rig_last_text();
		g_test_message("%s: %s", ROWS[i].news, text ?: "nothing");
		g_assert_cmpstr(text, ==, ROWS[i].text);
	}
	rig_tear_down();
}

/* More than one message can carry is said to be more. */
static void
test_too_many(void)
{
	g_autofree char *text = NULL;

	rig_set_up("");
	for (guint i = 0; i < 1000; i++) {
		g_autofree char *number = g_strdup_printf("+1555555%04u", i);

		add(RIG_USER, STORE_NEWS_GIVEN, number);
	}
	gateway_changed(rig.gateway, CHANGE_USER, RIG_USER);
	g_assert_true(wait_for(enough_told, GUINT_TO_POINTER(1)));
	text = rig_last_text();
	g_assert_nonnull(strstr(text, "+15555550000, +15555550001"));
	g_assert_null(strstr(text, "Welcome"));
	g_assert_true(g_str_has_suffix(text, "\nMore of your telephone numbers have changed."));
	g_assert_cmpuint(strlen(text), <, 500);
	rig_tear_down();
}

static gboolean
is_back(gpointer user)
{
	return xmpp_server_is_connected(rig.server);
}

/* What happens while the server is away, or before this process was there, is told once. */
static void
test_once(void)
{
	rig_set_up("");
	for (guint i = 0; i < 3; i++) {
		rig_settle();
		rig_forget();
		xmpp_server_kill(rig.server);
		if (i == 0) {
			add(RIG_USER, STORE_NEWS_GIVEN, A);
			gateway_changed(rig.gateway, CHANGE_USER, RIG_USER);
		}
		xmpp_server_listen(rig.server);
		g_assert_true(wait_for(is_back, NULL));
		if (i == 0)
			g_assert_true(wait_for(enough_told, GUINT_TO_POINTER(1)));
		g_assert_true(wait_for(is_quiet, NULL));
		rig_settle();
		enough_told(NULL);
		g_assert_cmpuint(n_told, ==, i == 0);
	}
	rig_tear_down();
}

#define N_IMPORTED 700

/* Thousands are told, each once, whether they are known one by one or found in the store. */
static void
test_import(gconstpointer one_by_one)
{
	guint most = 0, before = 0;

	rig_set_up("");
	rig_forget();
	g_assert_true(store_begin(rig.store, NULL));
	for (guint i = 0; i < N_IMPORTED; i++) {
		g_autofree char *jid = g_strdup_printf("u%04u@example.org", i);
		g_autofree char *number = g_strdup_printf("+1555777%04u", i);

		g_assert_true(store_user_add(rig.store, jid, NULL));
		g_assert_true(store_number_add(rig.store, number, jid, NULL));
		add(jid, STORE_NEWS_GIVEN, number);
		if (one_by_one)
			gateway_changed(rig.gateway, CHANGE_NUMBER, number);
	}
	g_assert_true(store_commit(rig.store, NULL));
	gateway_changed(rig.gateway, CHANGE_USER, "u0000@example.org");
	if (!one_by_one) {
		xmpp_server_kill(rig.server);
		xmpp_server_listen(rig.server);
	}
	while (n_told < N_IMPORTED) {
		gint64 until = g_get_monotonic_time() + 20 * G_TIME_SPAN_MILLISECOND;

		while (g_get_monotonic_time() < until)
			g_main_context_iteration(NULL, FALSE);
		enough_told(NULL);
		most = MAX(most, n_told - before);
		before = n_told;
	}
	g_test_message("at most %u within 20 ms", most);
	g_assert_cmpuint(most, <=, 60);
	g_assert_true(wait_for(is_quiet, NULL));
	g_assert_cmpuint(n_told, ==, N_IMPORTED);
	rig_tear_down();
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/xmpp-manners/prompt", test_prompt);
	g_test_add_func("/xmpp-manners/texts", test_texts);
	g_test_add_func("/xmpp-manners/too many", test_too_many);
	g_test_add_func("/xmpp-manners/once", test_once);
	g_test_add_data_func("/xmpp-manners/import/one by one", GUINT_TO_POINTER(1), test_import);
	g_test_add_data_func("/xmpp-manners/import/found", NULL, test_import);
	return g_test_run();
}
