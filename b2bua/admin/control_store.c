/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* control_store.c - numbers: what needs the store alone.
 *
 * A command checks every word before it changes anything.
 */
#include <string.h>
#include "b2bua/admin/handlers.h"
#include "b2bua/admin/keys.h"

/* --- numbers --- */

/* Of a transaction that was begun. */
gboolean
do_number_add(Request *request, GError **error)
{
	const char *number = request_word(request, "NUMBER"), *jid = request_word(request, "JID");

	return store_begin(request->store, error) &&
	       store_settle(request->store,
			    store_number_add(request->store, number, jid, error) &&
				    user_news(request, jid, STORE_NEWS_GIVEN, number, error),
			    error);
}

static void
add_number_row(Request *request, const Number *number)
{
	JsonArray *row = reply_row(request);

	row_add(row, number->number);
	row_add(row, number->user);
	row_add(row, number->caller_id ? "yes" : "no");
	row_add_time(row, number->created);
}

static gboolean
more_numbers(Request *request, GError **error)
{
	g_autoptr(GPtrArray) numbers =
		store_number_page(request->store, request->after, REQUEST_PORTION, error);

	for (guint i = 0; numbers && i < numbers->len; i++)
		add_number_row(request, numbers->pdata[i]);
	return numbers && numbers->len > 0 &&
	       request_page(request, numbers->len,
			    ((Number *)numbers->pdata[numbers->len - 1])->number);
}

gboolean
do_number_list(Request *request, GError **error)
{
	const char *jid = request_word(request, "JID");
	g_autoptr(GPtrArray) numbers = NULL;

	reply_table(request, "number", "user", "caller-id", "created", NULL);
	if (!jid) {
		request->more = more_numbers;
		return TRUE;
	}
	if (!(numbers = store_number_list(request->store, jid, error)))
		return FALSE;
	for (guint i = 0; i < numbers->len; i++)
		add_number_row(request, numbers->pdata[i]);
	return TRUE;
}

gboolean
do_number_show(Request *request, GError **error)
{
	g_autoptr(Number) number =
		store_number_get(request->store, request_word(request, "NUMBER"), error);

	if (!number)
		return FALSE;
	reply_table(request, "key", "value", NULL);
	reply_pair(request, "number", number->number);
	reply_pair(request, "user", number->user);
	reply_pair(request, "caller-id", number->caller_id ? "yes" : "no");
	return TRUE;
}

/* --- the keys of keys.h; the caller holds the transaction --- */

static gboolean
number_user(Request *request, gpointer number, const Pair *pair, GError **error)
{
	g_autoptr(Number) before = store_number_get(request->store, number, error);

	if (!before || !store_number_set_user(request->store, number, pair->value, error))
		return FALSE;
	return strcmp(before->user, pair->value) == 0 ||
	       (user_news(request, before->user, STORE_NEWS_TAKEN, number, error) &&
		user_news(request, pair->value, STORE_NEWS_GIVEN, number, error));
}

static gboolean
number_caller_id(Request *request, gpointer number, const Pair *pair, GError **error)
{
	if (strcmp(pair->value, "yes") == 0)
		return store_number_set_caller_id(request->store, number, error);
	return wrong(error,
		     "caller-id=%s: a user always shows one number; write caller-id=yes for the "
		     "number to be shown instead",
		     pair->value);
}

#define ROW(id, name, type, values, fallback, flags, help) { name, number_##id },
static const KeyFunction FUNCTIONS[] = { NUMBER_KEYS(ROW){ NULL, NULL } };
#undef ROW

gboolean
do_number_set(Request *request, GError **error)
{
	return store_begin(request->store, error) &&
	       store_settle(request->store,
			    request_set_keys(request, FUNCTIONS,
					     (char *)request_word(request, "NUMBER"), error),
			    error);
}

gboolean
do_number_del(Request *request, GError **error)
{
	const char *number = request_word(request, "NUMBER");
	g_autoptr(Number) before = store_number_get(request->store, number, error);

	if (!before || !store_begin(request->store, error) ||
	    !store_settle(request->store,
			  store_number_del(request->store, number, error) &&
				  user_news(request, before->user, STORE_NEWS_TAKEN, number, error),
			  error))
		return FALSE;
	reply_live_calls(request, CALLS_WITH_NUMBER, number,
			 request_word(request, "--hangup") != NULL);
	return TRUE;
}
