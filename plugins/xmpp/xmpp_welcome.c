/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_welcome.c - a user is told of the numbers he has been given, of those taken away, and
 * that the account was switched off or on.
 *
 * The store remembers whom to tell (store_news_read()), also while this process does not run.
 * What is told is forgotten there first, and some are told at a time: an import of thousands
 * does not stop calls.
 */
#include "db/news.h"
#include "plugins/xmpp/xmpp_leg.h"
#include <string.h>

#define BATCH	 20
#define PAUSE_MS 100

typedef struct {
	GString *given, *taken; /* "+1…, +1…" */
	guint n_given;
	gboolean on, off, more;
} News;

static void
add_number(GString *list, const char *number)
{
	g_string_append_printf(list, "%s%s", list->len ? ", " : "", number);
}

static void
take(gpointer data, StoreNews what, const char *number)
{
	News *news = data;

	switch (what) {
	case STORE_NEWS_GIVEN:
		add_number(news->given, number);
		news->n_given++;
		break;
	case STORE_NEWS_TAKEN:
		add_number(news->taken, number);
		break;
	case STORE_NEWS_ON:
		news->on = TRUE;
		break;
	case STORE_NEWS_OFF:
		news->off = TRUE;
		break;
	case STORE_NEWS_MORE:
		news->more = TRUE;
		break;
	}
}

static void
say_given(const News *news, const char *domain, gboolean first, GString *text)
{
	const char *s = news->n_given == 1 ? "" : "s";

	if (!first) {
		g_string_append_printf(text, "You have %smore telephone number%s: %s.\n",
				       news->n_given == 1 ? "one " : "", s, news->given->str);
		return;
	}
	g_string_append_printf(text,
			       "Welcome to the telephone. Your number%s: %s. Who calls it rings "
			       "here.\nTo call a number, add it to your contacts with its country "
			       "and @%s, as in +15555550123@%s, and call that contact.\n",
			       s, news->given->str, domain, domain);
}

static void
say_taken(const News *news, const User *user, GString *text)
{
	gboolean several = strchr(news->taken->str, ',') != NULL;

	g_string_append_printf(text, "%s %s no longer yours: calls to %s do not reach you.\n",
			       news->taken->str, several ? "are" : "is", several ? "them" : "it");
	if (user->caller_id)
		g_string_append_printf(text, "Those whom you call are shown %s.\n",
				       user->caller_id);
	else
		g_string_append(text, "You have no telephone number now.\n");
}

/* For a person; NULL: there is nothing to say. */
static char *
compose(const News *news, const char *domain, const User *user, guint n_numbers)
{
	GString *text = g_string_new(NULL);

	if (news->off)
		g_string_append(text, "Your telephone account was switched off by the operator. "
				      "You cannot call, and nobody reaches you by your number.\n");
	if (news->on)
		g_string_append(text, "Your telephone account was switched on again.\n");
	if (news->n_given)
		say_given(news, domain, !news->more && n_numbers == news->n_given, text);
	if (news->taken->len)
		say_taken(news, user, text);
	if (news->more)
		g_string_append(text, "More of your telephone numbers have changed.\n");
	if (text->len)
		g_string_truncate(text, text->len - 1);
	return g_string_free(text, !text->len);
}

/* FALSE: another writes to the store; he is told later. */
static gboolean
tell(Xmpp *xmpp, const char *jid)
{
	Store *store = gateway_store(xmpp->gateway);
	News news = { .given = g_string_new(NULL), .taken = g_string_new(NULL) };
	g_autoptr(Address) from = address_new(ADDRESS_JID, NULL, xmpp->domain, NULL);
	g_autoptr(User) user = store_user_get(store, jid, NULL);
	g_autoptr(GPtrArray) numbers = user ? store_number_list(store, jid, NULL) : NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;
	gboolean done = TRUE;

	if (numbers && store_news_read(store, jid, take, &news)) {
		text = compose(&news, xmpp->domain, user, numbers->len);
		done = store_news_forget(store, jid, &error);
		if (done && text)
			gateway_notice(xmpp->gateway, jid, from, text);
	}
	if (!done)
		g_info("%s is told later what has changed: %s", jid, error->message);
	g_string_free(news.given, TRUE);
	g_string_free(news.taken, TRUE);
	return done;
}

/* --- whom, one after the other --- */

/* The next of the round. */
static void
take_portion(Xmpp *xmpp)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) users =
		store_news_page(gateway_store(xmpp->gateway), xmpp->news_after, BATCH, &error);

	if (!users)
		g_warning("who is to be told of his number is not known: %s", error->message);
	for (guint i = 0; users && i < users->len; i++)
		g_queue_push_tail(&xmpp->news, g_strdup(users->pdata[i]));
	g_clear_pointer(&xmpp->news_after, g_free);
	if (users && users->len == BATCH)
		xmpp->news_after = g_strdup(users->pdata[BATCH - 1]);
	if (!xmpp->news_after && xmpp->news_again)
		xmpp->news_after = g_strdup("");
	if (xmpp->news_after && !*xmpp->news_after)
		xmpp->news_again = FALSE;
}

static gboolean
tell_some(gpointer user)
{
	Xmpp *xmpp = user;

	if (!xmpp_stream_is_up(xmpp->stream)) { /* it begins anew when it is */
		xmpp_welcome_stop(xmpp);
		return G_SOURCE_REMOVE;
	}
	if (g_queue_is_empty(&xmpp->news) && xmpp->news_after)
		take_portion(xmpp);
	while (!g_queue_is_empty(&xmpp->news)) {
		g_autofree char *jid = g_queue_pop_head(&xmpp->news);

		if (!tell(xmpp, jid)) {
			g_queue_push_head(&xmpp->news, g_steal_pointer(&jid));
			return G_SOURCE_CONTINUE;
		}
	}
	if (xmpp->news_after)
		return G_SOURCE_CONTINUE;
	xmpp->news_timer = 0;
	return G_SOURCE_REMOVE;
}

void
xmpp_welcome(Xmpp *xmpp)
{
	if (xmpp->news_timer) {
		xmpp->news_again = TRUE;
		return;
	}
	xmpp->news_after = g_strdup("");
	xmpp->news_timer = g_timeout_add(PAUSE_MS, tell_some, xmpp);
}

void
xmpp_welcome_stop(Xmpp *xmpp)
{
	g_clear_handle_id(&xmpp->news_timer, g_source_remove);
	g_clear_pointer(&xmpp->news_after, g_free);
	g_queue_clear_full(&xmpp->news, g_free);
	xmpp->news_again = FALSE;
}
