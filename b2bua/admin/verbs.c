/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* verbs.c - the table of verbs, and how one is found, named and shown. */
#include <string.h>
#include "b2bua/admin/verb_table.h"
#include "b2bua/admin/verbs.h"
#include "b2bua/setting.h"
#include "b2bua/words.h"

/* --- the words of verb_table.h --- */

#define W_END                                   \
	{                                       \
		NULL, 0, 0, NULL, NULL, NULL, 0 \
	}
#define W(...) ((const Word[]){ __VA_ARGS__, W_END })
#define W_NONE ((const Word[]){ W_END })

#define W_(name, type, flags, help)                    \
	{                                              \
		name, type, flags, NULL, NULL, help, 0 \
	}
#define W_OPTIONAL(name, type, help) W_(name, type, WORD_OPTIONAL, help)
#define W_FLAG(name, help)	     W_(name, WORD_FLAG, WORD_OPTIONAL, help)
#define W_OPERATOR(name, type, help) W_(name, type, WORD_OPTIONAL | WORD_OPERATOR, help)
#define W_OF(name, type, flags, values, help)            \
	{                                                \
		name, type, flags, values, NULL, help, 0 \
	}
#define W_USER W_("JID", WORD_USER, 0, "the bare JID of the user")
#define W_USER_OPTIONAL \
	W_("JID", WORD_USER, WORD_OPTIONAL, "the bare JID of a user; without it, all users")
#define W_PHONE W_("NAME", WORD_SOFTPHONE, 0, "the name of the softphone")
#define W_PHONE_OPTIONAL                          \
	W_("NAME", WORD_SOFTPHONE, WORD_OPTIONAL, \
	   "its user name; default: what stands before the @ of the JID")
#define W_CALLER                                                           \
	W_OF("CALLER", WORD_CALLERS, 0, "NUMBER,+49900*,GOOGLE,anonymous", \
	     "a number, the beginning of numbers with *, a sender's name, or anonymous")
#define W_NUMBER W_("NUMBER", WORD_NUMBER, 0, "a number from + and the country on")
#define W_TRUNK	 W_("NAME", WORD_TRUNK, 0, "the name of the trunk")
#define W_HOST	 W_("HOST", WORD_HOST, 0, "the host name or address of the trunk")
#define W_TARGET                     \
	W_("TARGET", WORD_TARGET, 0, \
	   "the beginning of numbers such as +49, a short code, a class, or default")
#define W_CALL W_("ID", WORD_CALL, 0, "the id of the call, see 'calls'")
#define W_CHOICE(values, help)                                \
	{                                                     \
		values, WORD_CHOICE, 0, values, NULL, help, 0 \
	}
#define W_KEYS(set)                                                                  \
	{                                                                            \
		"KEY=VALUE…", WORD_KEYS, 0, NULL, NULL, "what is to be changed", set \
	}
#define W_KEYS_OPTIONAL(set)                                                                       \
	{                                                                                          \
		"KEY=VALUE…", WORD_KEYS, WORD_OPTIONAL, NULL, NULL, "what is not the default", set \
	}

#define ROW(id, noun, verb, words, who, flags, changes, help) \
	{ noun, verb, words, who, flags, changes, help },
static const Verb verbs[] = { VERBS(ROW) };
#undef ROW

static const Noun nouns[] = {
	{ "user", WORD_USER, "user list", "who may call and be called" },
	{ "number", WORD_NUMBER, "number list", "telephone numbers, and whose they are" },
	{ "softphone", WORD_SOFTPHONE, "softphone list", "SIP phones of users" },
	{ "trunk", WORD_TRUNK, "trunk list", "carriers and PBXs" },
	{ "route", WORD_TARGET, "route list", "which numbers may be called, and by which trunks" },
	{ "guard", WORD_SOURCE, "guard show", "limits of what users and trunks may use" },
	{ "call", WORD_CALL, "calls", "what calls did, and why" },
	{ "sources", WORD_SOURCE, "sources", "who is slowed or ignored" },
};

const Verb *
verb_at(guint i)
{
	return i < G_N_ELEMENTS(verbs) ? &verbs[i] : NULL;
}

guint
verb_id(const Verb *verb)
{
	return (guint)(verb - verbs);
}

const Noun *
noun_at(guint i)
{
	return i < G_N_ELEMENTS(nouns) ? &nouns[i] : NULL;
}

const Noun *
noun_of(const Verb *verb)
{
	for (guint i = 0; i < G_N_ELEMENTS(nouns); i++)
		if (strcmp(nouns[i].name, verb->noun) == 0)
			return &nouns[i];
	return NULL;
}

/* --- what a verb is called --- */

gboolean
word_is_option(const Word *word)
{
	return g_str_has_prefix(word->name, "--");
}

gboolean
word_is_account(const Word *word)
{
	return word->type == WORD_USER || word->type == WORD_WHOSE;
}

gboolean
word_is_for(const Word *word, guint who)
{
	return who & VERB_OPERATOR || (word->type != WORD_USER && !(word->flags & WORD_OPERATOR));
}

gboolean
key_is_for(const Word *key, guint who)
{
	return who & VERB_OPERATOR || key->flags & WORD_SELF;
}

guint
verb_n_words(const Verb *verb)
{
	guint n = 0;

	while (verb->words[n].name)
		n++;
	return n;
}

guint
verb_word(const Verb *verb, const char *name)
{
	guint i = 0;

	while (strcmp(verb->words[i].name, name) != 0)
		i++;
	return i;
}

char *
verb_name(const Verb *verb)
{
	return verb->verb ? g_strdup_printf("%s %s", verb->noun, verb->verb) : g_strdup(verb->noun);
}

static void
append_word(GString *text, const Word *word, guint who)
{
	gboolean own = !(who & VERB_OPERATOR) && word_is_account(word);
	gboolean optional = own || word->flags & WORD_OPTIONAL;
	gboolean value = word_is_option(word) && word->type != WORD_FLAG;

	if (word->type == WORD_KEYS) /* each of them is one */
		g_string_append(text, optional ? " [KEY=VALUE]…" : " KEY=VALUE…");
	else
		g_string_append_printf(text, " %s%s%s%s", optional ? "[" : "",
				       own ? "ID" : word->name, value ? " N" : "",
				       optional ? "]" : "");
}

char *
verb_usage(const Verb *verb, guint who)
{
	g_autofree char *name = verb_name(verb);
	GString *text = g_string_new(name);

	for (const Word *word = verb->words; word->name; word++)
		if (word_is_for(word, who))
			append_word(text, word, who);
	return g_string_free(text, FALSE);
}

/* --- finding one --- */

gboolean
verb_is_noun(const char *word)
{
	for (guint i = 0; i < G_N_ELEMENTS(verbs); i++)
		if (strcmp(verbs[i].noun, word) == 0)
			return TRUE;
	return FALSE;
}

static const Verb *
find(char **words, guint n_words, guint *n_named)
{
	const Verb *alone = NULL;

	for (guint i = 0; i < G_N_ELEMENTS(verbs); i++) {
		if (strcmp(verbs[i].noun, words[0]) != 0)
			continue;
		if (!verbs[i].verb)
			alone = &verbs[i];
		else if (n_words > 1 && strcmp(verbs[i].verb, words[1]) == 0) {
			*n_named = 2;
			return &verbs[i];
		}
	}
	*n_named = 1;
	return alone;
}

/* What the other of noun or verb may have been meant to be: " a, b" with the near ones, or all. */
static void
add_candidate(GPtrArray *near, GString *all, const char *meant, const char *candidate)
{
	g_string_append_printf(all, " %s", candidate);
	if (words_are_near(meant, candidate) || g_str_has_prefix(candidate, meant))
		g_ptr_array_add(near, (gpointer)candidate);
}

static char *
suggestion(GPtrArray *near, const char *before)
{
	GString *text = g_string_new(near->len ? "did you mean " : NULL);

	for (guint i = 0; i < near->len; i++)
		g_string_append_printf(text, "%s%s%s", i ? " or " : "", before,
				       (const char *)near->pdata[i]);
	if (near->len)
		g_string_append(text, "? ");
	return g_string_free(text, FALSE);
}

static void
unknown_noun(const char *word, GError **error)
{
	g_autoptr(GPtrArray) near = g_ptr_array_new();
	g_autoptr(GString) all = g_string_new(NULL);
	g_autofree char *meant = NULL;

	for (guint i = 0; i < G_N_ELEMENTS(verbs); i++)
		if (i == 0 || strcmp(verbs[i].noun, verbs[i - 1].noun) != 0)
			add_candidate(near, all, word, verbs[i].noun);
	meant = suggestion(near, "");
	g_set_error(error, VERB_ERROR, 0, "%s: unknown command; %sthere are:%s", word, meant,
		    all->str);
}

static void
unknown_verb(const char *noun, const char *word, GError **error)
{
	g_autoptr(GPtrArray) near = g_ptr_array_new();
	g_autoptr(GString) all = g_string_new(NULL);
	g_autofree char *before = g_strconcat(noun, " ", NULL), *meant = NULL;

	for (guint i = 0; i < G_N_ELEMENTS(verbs); i++)
		if (strcmp(verbs[i].noun, noun) == 0)
			add_candidate(near, all, word ? word : "?", verbs[i].verb);
	meant = suggestion(near, before);
	if (word)
		g_set_error(error, VERB_ERROR, 0,
			    "%s %s: unknown command; %swrite %s and one of:%s", noun, word, meant,
			    noun, all->str);
	else
		g_set_error(error, VERB_ERROR, 0, "%s: a word is missing; write %s and one of:%s",
			    noun, noun, all->str);
}

const Verb *
verb_find(char **words, guint n_words, guint *n_named, GError **error)
{
	const Verb *verb = find(words, n_words, n_named);

	if (verb)
		return verb;
	if (verb_is_noun(words[0]))
		unknown_verb(words[0], n_words > 1 ? words[1] : NULL, error);
	else
		unknown_noun(words[0], error);
	return NULL;
}
