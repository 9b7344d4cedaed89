/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* own.c - see own.h.
 *
 * What is not there and what is another's has one answer: nobody learns which names there are.
 */
#include <string.h>
#include "b2bua/admin/own.h"
#include "b2bua/admin/word_type.h"

char **
own_softphones(Store *store, const char *account)
{
	g_autoptr(GPtrArray) list = store_softphone_list(store, account, NULL);
	g_autoptr(GStrvBuilder) names = g_strv_builder_new();

	for (guint i = 0; list && i < list->len; i++)
		g_strv_builder_add(names, ((const Softphone *)list->pdata[i])->username);
	return g_strv_builder_end(names);
}

static gboolean
is_account(const Request *request, const Word *word, const char *value, GError **error)
{
	return g_strcmp0(value, request->actor->account) == 0 ||
	       word_refuse(word, value, error, "that is another's account");
}

static gboolean
is_own_call(const Request *request, const Word *word, const char *value, GError **error)
{
	g_autoptr(CallRecord) record =
		store_call_get(request->store, g_ascii_strtoll(value, NULL, 10), NULL);

	return (record && g_strcmp0(record->user, request->actor->account) == 0) ||
	       word_refuse(word, value, error, "not one of yours; see 'calls'");
}

static gboolean
is_account_or_call(const Request *request, const Word *word, const char *value, GError **error)
{
	return strchr(value, '@') ? is_account(request, word, value, error)
				  : is_own_call(request, word, value, error);
}

static gboolean
is_own_softphone(const Request *request, const Word *word, const char *value, GError **error)
{
	g_auto(GStrv) names = own_softphones(request->store, request->actor->account);
	g_autofree char *all = g_strjoinv(", ", names);

	if (g_strv_contains((const char *const *)names, value))
		return TRUE;
	return *names ? word_refuse(word, value, error, "not one of yours; write one of: %s", all)
		      : word_refuse(
				word, value, error,
				"you have no softphone; ask the operator of the gateway for one");
}

static gboolean
is_own_number(const Request *request, const Word *word, const char *value, GError **error)
{
	g_autoptr(Number) number = store_number_get(request->store, value, NULL);

	return (number && g_strcmp0(number->user, request->actor->account) == 0) ||
	       word_refuse(word, value, error, "not one of yours; see 'number list'");
}

/* It names nothing of anybody. */
static gboolean
is_free(const Request *request, const Word *word, const char *value, GError **error)
{
	return TRUE;
}

/* NULL: the operator's alone. */
static gboolean (*const OWN[N_WORD_TYPES])(const Request *request, const Word *word,
					   const char *value, GError **error) = {
	[WORD_TEXT] = is_free,
	[WORD_CHOICE] = is_free,
	[WORD_YES] = is_free,
	[WORD_WHOLE] = is_free,
	[WORD_FLAG] = is_free,
	[WORD_NOUN] = is_free,
	[WORD_VERB] = is_free,
	[WORD_USER] = is_account,
	[WORD_WHOSE] = is_account_or_call,
	[WORD_NUMBER] = is_own_number,
	[WORD_SOFTPHONE] = is_own_softphone,
	[WORD_CALL] = is_own_call,
	[WORD_DESTINATION] = is_free,
	[WORD_CALLERS] = is_free,
};

gboolean
own_check(const Request *request, GError **error)
{
	const Word *words = request->verb->words;

	for (guint i = 0; words[i].name; i++) {
		const char *value = request->values[i];

		if (!value)
			continue;
		if (!OWN[words[i].type])
			return word_refuse(&words[i], value, error,
					   "that is for the operator of the gateway");
		if (!OWN[words[i].type](request, &words[i], value, error))
			return FALSE;
	}
	return TRUE;
}
