/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* control_words.c - the words of a command that several commands take. */
#include <string.h>
#include "b2bua/address.h"
#include "b2bua/admin/control_private.h"
#include "b2bua/words.h"

char *
parse_user(const char *word, GError **error)
{
	g_autoptr(Address) address = address_from_jid(word);

	if (address && address->user && address->host && !address->resource)
		return address_bare_jid(address);
	wrong(error, "user %s: not a bare JID; write one such as alice@example.org", word);
	return NULL;
}

char *
parse_number(const char *word, GError **error)
{
	g_autofree char *number = NULL;

	if (number_normalise(word, &number) && number_is_e164(number))
		return g_steal_pointer(&number);
	wrong(error, "number %s: not E.164; write + and 7 to 15 digits, such as +14155550101",
	      word);
	return NULL;
}

gboolean
parse_yes(const char *key, const char *value, gboolean *answer, GError **error)
{
	return word_is_yes_or_no(value, answer) ||
	       wrong(error, "%s=%s: write yes or no", key, value);
}

gboolean
next_pair(Request *request, guint *at, char **key, char **value, GError **error)
{
	const char *word = request->words[(*at)++];
	const char *equals = strchr(word, '=');

	if (equals) {
		*key = g_strndup(word, (gsize)(equals - word));
		*value = g_strdup(equals + 1);
		return TRUE;
	}
	if (*at == request->n_words)
		return wrong(error, "%s: has no value; write %s=VALUE", word, word);
	*key = g_strdup(word);
	*value = g_strdup(request->words[(*at)++]);
	return TRUE;
}

gboolean
take_hangup(Request *request)
{
	for (guint i = 1; i < request->n_words; i++) {
		if (!g_str_equal(request->words[i], "--hangup"))
			continue;
		g_free(request->words[i]);
		memmove(&request->words[i], &request->words[i + 1],
			(request->n_words - i) * sizeof *request->words);
		request->n_words--;
		return TRUE;
	}
	return FALSE;
}
