/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* keys.c - the keys that users, numbers, softphones, trunks and routes have, as words.
 *
 * Those of a trunk are the table of db/trunk_key.h, a user's own that of b2bua/setting.h.
 */
#include <string.h>
#include "b2bua/admin/keys.h"
#include "b2bua/guard_rule.h"
#include "b2bua/setting.h"
#include "db/trunk_key.h"

#define END                                     \
	{                                       \
		NULL, 0, 0, NULL, NULL, NULL, 0 \
	}

#define KEY(id, name, type, values, fallback, flags, help) \
	{ name, WORD_##type, flags, values, fallback, help, KEYS_NONE },
#define SETTING_KEY(id, name, type, values, fallback, flags, help) \
	{ name, WORD_##type, WORD_UNSETTABLE | (flags), values, fallback, help, KEYS_NONE },

/* A text may be taken away; what has a default of its own is one of its values. */
#define UNSETTABLE(kind, fallback, type)                                                      \
	(TRUNK_##kind == TRUNK_TEXT && WORD_##type != WORD_CHOICE && WORD_##type != WORD_HOST \
		 ? WORD_UNSETTABLE                                                            \
		 : 0)
#define TRUNK_KEY(name, member, kind, type, fallback, values, flags, help) \
	{ name, WORD_##type, UNSETTABLE(kind, fallback, type), values, fallback, help, KEYS_NONE },

static const Word user_keys[] = { USER_KEYS(KEY) SETTINGS(SETTING_KEY) END };
static const Word number_keys[] = { NUMBER_KEYS(KEY) END };
static const Word softphone_keys[] = { SOFTPHONE_KEYS(KEY) END };
static const Word trunk_words[] = { TRUNK_KEYS(TRUNK_KEY) END };
static const Word route_keys[] = { ROUTE_KEYS(KEY) END };

/* Kept for ever. */
static const char *
hyphened(const char *key)
{
	g_autofree char *name = g_strdelimit(g_strdup(key), "_", '-');

	return g_intern_string(name);
}

/* The rules of the guard, by their keys of tandem.conf with hyphens. */
static const Word *
guard_keys(void)
{
	static Word words[N_GUARD_RULES + 1];
	static const char *const texts[][3] = {
#define ROW(id, section, key, measure, classes, span, fallback, words, help) \
	{ key, fallback, help },
		GUARD_RULES(ROW)
#undef ROW
	};

	for (guint i = 0; i < N_GUARD_RULES && !words[i].name; i++)
		words[i] = (Word){ hyphened(texts[i][0]), WORD_WHOLE,  0,	 "0…100000",
				   texts[i][1],		  texts[i][2], KEYS_NONE };
	return words;
}

const Word *
keys_of(KeySet set)
{
	static const Word *const sets[] = {
		[KEYS_USER] = user_keys,	   [KEYS_NUMBER] = number_keys,
		[KEYS_SOFTPHONE] = softphone_keys, [KEYS_TRUNK] = trunk_words,
		[KEYS_ROUTE] = route_keys,
	};

	return set == KEYS_GUARD ? guard_keys() : sets[set];
}

const Word *
key_find(KeySet set, const char *name)
{
	g_autofree char *hyphened = g_strdelimit(g_strdup(name), "_", '-');

	for (const Word *key = keys_of(set); key->name; key++)
		if (strcmp(key->name, hyphened) == 0)
			return key;
	return NULL;
}
