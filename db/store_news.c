/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* store_news.c - what a user is still to be told of the account, until somebody could tell it.
 *
 * One setting of each user whom it concerns, of words with a blank between them.  What undoes
 * an earlier word takes that away, and says nothing itself.
 */
#include "db/news.h"
#include "db/store_private.h"
#include <string.h>

#define KEY	   "news"
#define MOST_WORDS 20 /* words; what is more is told as MORE */
#define MORE	   "more"

static const char *const WORDS[][2] = {
	[STORE_NEWS_GIVEN] = { "given:", "taken:" }, [STORE_NEWS_TAKEN] = { "taken:", "given:" },
	[STORE_NEWS_ON] = { "on", "off" },	     [STORE_NEWS_OFF] = { "off", "on" },
	[STORE_NEWS_MORE] = { MORE, MORE },
};

static gboolean
forget_word(GPtrArray *words, const char *word)
{
	for (guint i = 0; i < words->len; i++)
		if (g_str_equal(words->pdata[i], word)) {
			g_ptr_array_remove_index(words, i);
			return TRUE;
		}
	return FALSE;
}

static GPtrArray *
read_words(Store *store, const char *user)
{
	g_autofree char *text = store_setting_get(store, user, KEY);
	g_auto(GStrv) all = g_strsplit(text ? text : "", " ", -1);
	GPtrArray *words = g_ptr_array_new_with_free_func(g_free);

	for (char **word = all; *word; word++)
		if (**word)
			g_ptr_array_add(words, g_strdup(*word));
	return words;
}

gboolean
store_news_add(Store *store, const char *user, StoreNews what, const char *number, GError **error)
{
	g_autoptr(GPtrArray) words = read_words(store, user);
	g_autofree char *word = g_strconcat(WORDS[what][0], number, NULL), *text = NULL;
	g_autofree char *opposite = g_strconcat(WORDS[what][1], number, NULL);

	forget_word(words, word);
	if (!forget_word(words, opposite) && words->len <= MOST_WORDS)
		g_ptr_array_add(words,
				words->len < MOST_WORDS ? g_steal_pointer(&word) : g_strdup(MORE));
	g_ptr_array_add(words, NULL);
	text = g_strjoinv(" ", (char **)words->pdata);
	return store_setting_set(store, user, KEY, *text ? text : NULL, error);
}

gboolean
store_news_read(Store *store, const char *user, StoreNewsFunc func, gpointer data)
{
	g_autoptr(GPtrArray) words = read_words(store, user);

	for (guint i = 0; i < words->len; i++)
		for (guint what = 0; what < G_N_ELEMENTS(WORDS); what++)
			if (g_str_has_prefix(words->pdata[i], WORDS[what][0])) {
				func(data, (StoreNews)what,
				     (char *)words->pdata[i] + strlen(WORDS[what][0]));
				break;
			}
	return words->len > 0;
}

gboolean
store_news_forget(Store *store, const char *user, GError **error)
{
	return store_setting_set(store, user, KEY, NULL, error);
}

static gpointer
user_from_row(Query *query)
{
	return query_text(query, 0);
}

GPtrArray *
store_news_page(Store *store, const char *after, guint limit, GError **error)
{
	g_auto(Query) query = query_new(store, "SELECT user FROM settings WHERE user > ?1 AND "
					       "key = '" KEY "' ORDER BY user LIMIT ?2");

	query_bind_text(&query, after);
	query_bind_int(&query, limit);
	return query_list(&query, user_from_row, g_free, error);
}
