/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* chat_words.c - see chat_words.h. */
#include <string.h>
#include "b2bua/admin/chat_words.h"
#include "b2bua/admin/typed.h"

#define MAX_WORDS    64
#define MOST_IN_NAME 3	/* words: "do not disturb" */
#define SHOWN	     40 /* characters of a word that is none */

/* What people call a thing, and what the table calls it. */
static const struct {
	const char *said, *noun, *verb;
} OTHER_NAMES[] = {
	{ "phone", "softphone", NULL },	   { "settings", "user", NULL },
	{ "numbers", "number", NULL },	   { "history", "calls", NULL },
	{ "do-not-disturb", "dnd", NULL }, { "password", "softphone", "password" },
	{ "my-number", "number", NULL },   { "forwarding", "forward", NULL },
};

static const char *const HELPS[] = { "help", "?",     "commands", "menu", "h",
				     "hi",   "hello", "hey",	  "start" };

/* While something is asked. */
static const struct {
	const char *said;
	ChatSays means;
} SAYINGS[] = {
	{ "next", CHAT_NEXT },	   { "skip", CHAT_NEXT },     { "done", CHAT_NEXT },
	{ "back", CHAT_BACK },	   { "previous", CHAT_BACK }, { "prev", CHAT_BACK },
	{ "cancel", CHAT_CANCEL }, { "stop", CHAT_CANCEL },   { "quit", CHAT_CANCEL },
	{ "exit", CHAT_CANCEL },   { "abort", CHAT_CANCEL },  { "help", CHAT_HELP },
};

ChatSays
chat_means(const char *line)
{
	g_autofree char *word = typed_bare(line);

	for (guint i = 0; i < G_N_ELEMENTS(SAYINGS); i++)
		if (g_ascii_strcasecmp(SAYINGS[i].said, word) == 0)
			return SAYINGS[i].means;
	return strcmp(line, "?") == 0 ? CHAT_HELP : CHAT_ANSWER;
}

/* --- words --- */

/* What stands after "=" may be anybody's own words. */
static char *
word_of(const char *text)
{
	gsize length = strcspn(text, "=");
	g_autofree char *key = g_strndup(text, length), *plain = typed_plain(key);

	return g_strconcat(plain, text + length, NULL);
}

char **
chat_split(const char *line)
{
	g_autoptr(GStrvBuilder) words = g_strv_builder_new();
	g_autoptr(GString) word = g_string_new(NULL);
	gboolean quoted = FALSE, some = FALSE;
	guint n = 0;

	for (const char *at = line, *next; *at && n < MAX_WORDS; at = next) {
		g_autofree char *one = NULL, *plain = NULL;

		next = g_utf8_next_char(at);
		one = g_strndup(at, (gsize)(next - at));
		plain = typed_plain(one);
		if (*plain == '"') {
			quoted = !quoted;
			some = TRUE;
		} else if (quoted || !g_ascii_isspace(*plain)) {
			g_string_append(word, one);
			some = some || *plain;
		} else if (some) {
			g_autofree char *whole = word_of(word->str);

			g_strv_builder_add(words, whole);
			g_string_truncate(word, 0);
			some = FALSE;
			n++;
		}
	}
	if (some) {
		g_autofree char *whole = word_of(word->str);

		g_strv_builder_add(words, whole);
	}
	return g_strv_builder_end(words);
}

gboolean
chat_names_another(const Verb *verb, char **words)
{
	gboolean has_account = FALSE, has_call = FALSE;

	for (const Word *word = verb->words; word->name; word++) {
		has_account = has_account || word_is_account(word);
		has_call = has_call || word->type == WORD_WHOSE;
	}
	if (!*words)
		return FALSE;
	return !has_account || strchr(*words, '@') || (has_call && g_ascii_isdigit(**words));
}

/* --- which verb --- */

/* Enough of a word to know it by; in whole characters. */
static char *
beginning(const char *text)
{
	return g_utf8_substring(text, 0, MIN(g_utf8_strlen(text, -1), SHOWN));
}

static gboolean
may(const ChatPerson *person, const Verb *verb)
{
	static char *nobody[] = { NULL };
	VerbWho kind;

	return strcmp(verb->noun, "help") != 0 && chat_kind(person, verb, nobody, &kind);
}

/* The whole name of a command, or what people call it. */
static gboolean
is_name(const ChatPerson *person, const char *said)
{
	const Verb *verb;

	for (guint i = 0; i < G_N_ELEMENTS(OTHER_NAMES); i++)
		if (g_ascii_strcasecmp(OTHER_NAMES[i].said, said) == 0)
			return TRUE;
	for (guint i = 0; (verb = verb_at(i)); i++)
		if (g_ascii_strcasecmp(verb->noun, said) == 0 && may(person, verb))
			return TRUE;
	return FALSE;
}

/* A noun as it was meant, or as it was written. */
static const char *
meant(const ChatPerson *person, const char *said, GPtrArray *nouns)
{
	const Verb *verb;

	for (guint i = 0; (verb = verb_at(i)); i++) {
		if (!may(person, verb))
			continue;
		if (g_ascii_strcasecmp(verb->noun, said) == 0) {
			g_ptr_array_set_size(nouns, 0);
			g_ptr_array_add(nouns, (gpointer)verb->noun);
			break;
		}
		if (g_ascii_strncasecmp(verb->noun, said, strlen(said)) == 0 &&
		    !g_ptr_array_find_with_equal_func(nouns, verb->noun, g_str_equal, NULL))
			g_ptr_array_add(nouns, (gpointer)verb->noun);
	}
	return nouns->len == 1 ? nouns->pdata[0] : said;
}

static char *
joined(const GPtrArray *names)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < names->len; i++)
		g_string_append_printf(text, "%s%s", i ? ", " : "", (const char *)names->pdata[i]);
	return g_string_free(text, FALSE);
}

/* Those of a noun that begin so, or all. */
static const Verb *
pick(const ChatPerson *person, const char *noun, const char *said, GPtrArray *names)
{
	const Verb *found = NULL, *verb;

	for (guint i = 0; (verb = verb_at(i)); i++) {
		const char *name = verb->verb ? verb->verb : "";

		if (strcmp(verb->noun, noun) != 0 || !may(person, verb))
			continue;
		if (said && g_ascii_strcasecmp(name, said) == 0) {
			g_ptr_array_set_size(names, 0);
			found = verb;
			g_ptr_array_add(names, (gpointer)name);
			break;
		}
		if (said && g_ascii_strncasecmp(name, said, strlen(said)) != 0)
			continue;
		found = verb;
		g_ptr_array_add(names, (gpointer)name);
	}
	return names->len == 1 ? found : NULL;
}

static const Verb *
unknown(const ChatPerson *person, const char *said, const GPtrArray *nouns, GError **error)
{
	g_autofree char *names = joined(nouns), *shown = beginning(said);

	if (nouns->len > 1)
		g_set_error(error, VERB_ERROR, VERB_WRONG, "%s: may be %s; write more of it", said,
			    names);
	else if (verb_is_noun(said))
		g_set_error(error, VERB_ERROR, VERB_WRONG,
			    "%s: that is for the operator of the gateway; write help to see what "
			    "you can do",
			    said);
	else
		g_set_error(error, VERB_ERROR, VERB_WRONG,
			    "%s: no command; write help to see what you can do", shown);
	return NULL;
}

/* "settings", or a beginning of that which begins nothing else. */
static const char *
renamed(const char *said, const char **verb)
{
	for (guint i = 0; i < G_N_ELEMENTS(OTHER_NAMES); i++)
		if (g_ascii_strcasecmp(OTHER_NAMES[i].said, said) == 0) {
			*verb = OTHER_NAMES[i].verb;
			return OTHER_NAMES[i].noun;
		}
	return said;
}

/* "hide number" for "hide-number": as many words as make a name, of three at the most. */
static void
join_name(const ChatPerson *person, char **words)
{
	for (guint n = MIN(g_strv_length(words), MOST_IN_NAME); n > 1; n--) {
		g_autoptr(GString) name = g_string_new(words[0]);

		for (guint i = 1; i < n; i++)
			g_string_append_printf(name, "-%s", words[i]);
		if (!is_name(person, name->str))
			continue;
		for (guint i = 0; i < n; i++)
			g_free(words[i]);
		words[0] = g_string_free(g_steal_pointer(&name), FALSE);
		memmove(words + 1, words + n, (g_strv_length(words + n) + 1) * sizeof *words);
		return;
	}
}

void
chat_name(const ChatPerson *person, char **words)
{
	g_autofree char *bare = *words ? typed_bare(*words) : NULL;

	if (!bare || !*bare)
		return;
	g_free(*words);
	*words = g_steal_pointer(&bare);
	join_name(person, words);
}

gboolean
chat_is_command(const ChatPerson *person, const char *line)
{
	g_auto(GStrv) words = chat_split(line);

	chat_name(person, words);
	return *words && is_name(person, *words);
}

const Verb *
chat_find(const ChatPerson *person, char **words, guint *n_named, GError **error)
{
	g_autoptr(GPtrArray) nouns = g_ptr_array_new(), names = g_ptr_array_new();
	const char *given = NULL, *noun = meant(person, renamed(words[0], &given), nouns);
	g_autofree char *all = NULL, *shown = NULL;
	const Verb *verb;

	if (nouns->len != 1)
		return unknown(person, words[0], nouns, error);
	*n_named = 1;
	if (given)
		return pick(person, noun, given, names);
	verb = pick(person, noun, words[1], names);
	if (verb && verb->verb) {
		*n_named = words[1] ? 2 : 1;
		return verb;
	}
	/* a verb without a name of its own has its words there; so has the only one of a noun */
	g_ptr_array_set_size(names, 0);
	verb = pick(person, noun, NULL, names);
	if (verb)
		return verb;
	g_ptr_array_set_size(names, 0);
	verb = pick(person, noun, "", names);
	if (verb && !verb->verb)
		return verb;
	all = joined(names);
	shown = words[1] ? beginning(words[1]) : g_strdup("");
	g_set_error(error, VERB_ERROR, VERB_WRONG, "%s%s%s: write %s and one of: %s", noun,
		    *shown ? " " : "", shown, noun, all);
	return NULL;
}

/* --- values with blanks --- */

static gboolean
is_number(const Word *word)
{
	return word->type == WORD_NUMBER || word->type == WORD_DESTINATION;
}

void
chat_join(const Verb *verb, char **words)
{
	const Word *last = NULL;
	guint before = 0;
	g_autofree char *rest = NULL;

	for (const Word *word = verb->words; word->name; word++) {
		if (word_is_option(word) || word->type == WORD_KEYS)
			continue;
		before += last && last->type != WORD_USER;
		last = word;
	}
	/* an operator has written the JID as well */
	for (; *words && (before > 0 || strchr(*words, '@')); words++)
		before -= before > 0 && !strchr(*words, '@');
	if (!last || !*words || !words[1] || !(is_number(last) || last->type == WORD_CALLERS))
		return;
	rest = g_strjoinv(" ", words);
	for (char **word = words; *word; word++)
		g_clear_pointer(word, g_free);
	*words = typed_value(last, rest);
}

/* "2" of what is numbered, or the beginning of one. */
const char *
chat_choice(char **choices, const char *text)
{
	const guint n_choices = g_strv_length(choices), count = typed_count(text);
	gint64 number;
	const char *found = NULL;
	guint n = 0;

	if (g_ascii_string_to_signed(text, 10, 1, n_choices, &number, NULL))
		return choices[number - 1];
	if (count > 0 && count <= n_choices)
		return choices[count - 1];
	for (char **choice = choices; *choice; choice++) {
		if (g_ascii_strcasecmp(*choice, text) == 0)
			return *choice;
		if (*text && g_ascii_strncasecmp(*choice, text, strlen(text)) == 0) {
			found = *choice;
			n++;
		}
	}
	return n == 1 ? found : text;
}

/* The value, which is the word itself or what stands behind its "=", as it is meant.  A number
 * is no choice here: nobody has been shown which is which. */
static void
expand_value(const Word *word, char **text, gsize begin)
{
	g_autofree char *value = typed_value(word, *text + begin), *whole = NULL;
	gboolean chooses =
		word->type == WORD_CHOICE && !g_ascii_isdigit(*value) && !typed_count(value);
	g_auto(GStrv) choices = chooses ? g_strsplit(word->values, "|", -1) : NULL;

	whole = g_strdup_printf("%.*s%s", (int)begin, *text,
				chooses ? chat_choice(choices, value) : value);
	g_free(*text);
	*text = g_steal_pointer(&whole);
}

/* "rin=sip"; the name alone where its value is a word of its own. */
static void
expand_key(const Word *word, VerbWho kind, char **text)
{
	gsize length = strcspn(*text, "=");
	const Word *found = NULL;
	char *whole;

	for (const Word *key = keys_of(word->keys); key->name; key++) {
		if (!key_is_for(key, kind) || length == 0 ||
		    g_ascii_strncasecmp(key->name, *text, length) != 0)
			continue;
		if (found || !key->name[length]) {
			if (key->name[length])
				return;
			found = key;
			break;
		}
		found = key;
	}
	if (!found)
		return;
	whole = g_strconcat(found->name, *text + length, NULL);
	g_free(*text);
	*text = whole;
	if (strchr(whole, '='))
		expand_value(found, text, strlen(found->name) + 1);
}

void
chat_expand(const Verb *verb, VerbWho kind, char **words)
{
	const Word *word = verb->words;

	for (; *words; words++) {
		if (g_str_has_prefix(*words, "--"))
			continue;
		while (word->name && (word_is_option(word) || !word_is_for(word, kind)))
			word++;
		if (!word->name)
			return;
		if (word->type == WORD_KEYS) {
			expand_key(word, kind, words);
			if (!strchr(*words, '=') && words[1])
				words++;
			continue;
		}
		expand_value(word, words, 0);
		word++;
	}
}

/* --- help --- */

gboolean
chat_is_help(const char *word)
{
	g_autofree char *bare = typed_bare(word);

	for (guint i = 0; i < G_N_ELEMENTS(HELPS); i++)
		if (g_ascii_strcasecmp(HELPS[i], *bare ? bare : word) == 0)
			return TRUE;
	return FALSE;
}

static void
append_verb(GString *text, const Verb *verb, guint who)
{
	g_autofree char *usage = verb_usage(verb, who);

	g_string_append_printf(text, "\n%s – %s", usage, verb->help);
}

static void
append_word(GString *text, const Word *word)
{
	g_string_append_printf(text, "\n%s%s%s%s – %s", word->name, word->values ? " (" : "",
			       word->values ? word->values : "", word->values ? ")" : "",
			       word->help);
}

static char *
help_of(const ChatPerson *person, const Verb *verb)
{
	guint who = person->is_operator ? VERB_OPERATOR : VERB_SELF;
	g_autofree char *usage = verb_usage(verb, who);
	GString *text = g_string_new(NULL);

	g_string_append_printf(text, "%s – %s", usage, verb->help);
	for (const Word *word = verb->words; word->name; word++)
		if (word->type != WORD_KEYS && word_is_for(word, who))
			append_word(text, word);
	for (const Word *word = verb->words; word->name; word++)
		for (const Word *key = word->type == WORD_KEYS ? keys_of(word->keys) : NULL;
		     key && key->name; key++)
			if (key_is_for(key, who))
				append_word(text, key);
	return g_string_free(text, FALSE);
}

static char *
help_noun(const ChatPerson *person, const char *noun)
{
	GString *text = g_string_new(noun);
	const Verb *verb;

	for (guint i = 0; (verb = verb_at(i)); i++)
		if (strcmp(verb->noun, noun) == 0 && may(person, verb))
			append_verb(text, verb, person->is_operator ? VERB_OPERATOR : VERB_SELF);
	return g_string_free(text, FALSE);
}

/* What a user has, whole; of an operator's the nouns. */
static char *
help_all(const ChatPerson *person)
{
	GString *text = g_string_new("Write a command, or the beginning of one. What is missing is "
				     "asked.");
	g_autoptr(GPtrArray) nouns = g_ptr_array_new();
	g_autofree char *names = NULL;
	const Verb *verb;

	for (guint i = 0; (verb = verb_at(i)); i++) {
		gboolean self = verb->who & VERB_SELF && may(person, verb);

		if (self && person->is_user)
			append_verb(text, verb, VERB_SELF);
		else if (may(person, verb) &&
			 !g_ptr_array_find_with_equal_func(nouns, verb->noun, g_str_equal, NULL))
			g_ptr_array_add(nouns, (gpointer)verb->noun);
	}
	names = joined(nouns);
	if (nouns->len)
		g_string_append_printf(text, "\nFor operators: %s. Write help and one of these.",
				       names);
	g_string_append(text, "\nWhile you are asked: next, back, cancel, help.");
	return g_string_free(text, FALSE);
}

char *
chat_help(const ChatPerson *person, char **words)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) nouns = g_ptr_array_new(), names = g_ptr_array_new();
	const char *given = NULL, *noun;
	const Verb *verb;
	guint n_named;

	if (!*words)
		return help_all(person);
	noun = meant(person, renamed(words[0], &given), nouns);
	if (nouns->len == 1 && !words[1] && !pick(person, noun, NULL, names))
		return help_noun(person, noun);
	verb = chat_find(person, words, &n_named, &error);
	return verb ? help_of(person, verb) : g_strdup(error->message);
}
