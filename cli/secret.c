/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* secret.c - reads a password from the terminal or from standard input. */
#include "cli/secret.h"
#include <gio/gio.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define MAX_BYTES 1024
#define CTRL_C	  3

static gboolean
is_secret(KeySet set, const char *key)
{
	const Word *found = key_find(set, key);

	return found && found->type == WORD_SECRET;
}

static gboolean
fail(const char *key, const char *what, GError **error)
{
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "%s=-: %s", key, what);
	return FALSE;
}

/* A terminal gives one line, which Ctrl-C may have ended, at a time. */
static gboolean
fill(char *buffer, int size)
{
	ssize_t n;

	if (!isatty(STDIN_FILENO))
		return fgets(buffer, size, stdin) != NULL;
	n = read(STDIN_FILENO, buffer, (gsize)size - 1);
	buffer[MAX(n, 0)] = '\0';
	return n > 0;
}

static gboolean
read_line(const char *key, char **line, GError **error)
{
	char buffer[MAX_BYTES + 2];
	gsize length;

	if (!fill(buffer, sizeof buffer))
		return fail(key,
			    "standard input is empty; write the password there, one line for "
			    "each key",
			    error);
	length = strcspn(buffer, "\r\n");
	if (length > MAX_BYTES)
		return fail(key, "longer than 1024 bytes; shorten it", error);
	buffer[length] = '\0';
	if (strchr(buffer, CTRL_C))
		return fail(key, "cancelled, nothing was changed", error);
	*line = g_strdup(buffer);
	memset(buffer, 0, sizeof buffer);
	return TRUE;
}

/* Ctrl-C ends the line rather than us, so that the terminal gets its echo back. */
static gboolean
ask_terminal(const char *key, char **line, GError **error)
{
	struct termios before, quiet;
	gboolean good;

	if (tcgetattr(STDIN_FILENO, &before) != 0)
		return read_line(key, line, error);
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
	quiet.c_cc[VEOL] = CTRL_C;
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	fprintf(stderr, "%s: ", key);
	good = read_line(key, line, error);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	fputc('\n', stderr);
	return good;
}

static gboolean
read_secret(const char *key, char **value, GError **error)
{
	return isatty(STDIN_FILENO) ? ask_terminal(key, value, error)
				    : read_line(key, value, error);
}

static void
note_shown(char **shown, const char *key)
{
	if (!*shown)
		*shown = g_strdup(key);
}

/* "KEY=VALUE", in one word. */
static gboolean
take_pair(KeySet set, char **word, const char *equals, char **shown, GError **error)
{
	g_autofree char *key = g_strndup(*word, (gsize)(equals - *word));
	g_autofree char *value = NULL;

	if (!is_secret(set, key) || equals[1] == '\0') /* "KEY=" takes it away */
		return TRUE;
	if (!g_str_equal(equals + 1, "-")) {
		note_shown(shown, key);
		return TRUE;
	}
	if (!read_secret(key, &value, error))
		return FALSE;
	g_free(*word);
	*word = g_strdup_printf("%s=%s", key, value);
	return TRUE;
}

/* The set of keys that the verb takes, and how many words come before them. */
static KeySet
keys_after(const Verb *verb, guint *before)
{
	*before = 0;
	for (const Word *word = verb->words; word->name; word++) {
		if (word->type == WORD_KEYS)
			return word->keys;
		*before += !word_is_option(word);
	}
	return KEYS_NONE;
}

/* "KEY", and the value in the word that follows. */
static gboolean
take_two(char **word, char **shown, GError **error)
{
	if (!g_str_equal(word[1], "-")) {
		note_shown(shown, word[0]);
		return TRUE;
	}
	g_free(word[1]);
	word[1] = NULL;
	if (read_secret(word[0], &word[1], error))
		return TRUE;
	word[1] = g_strdup("");
	return FALSE;
}

/* Behind the words before the keys; options may stand between them. */
static char **
first_key(char **words, guint before)
{
	while (*words && before > 0)
		before -= !g_str_has_prefix(*words++, "--");
	return words;
}

gboolean
secret_take(const Verb *verb, char **words, char **shown, GError **error)
{
	guint before;
	KeySet set = keys_after(verb, &before);

	*shown = NULL;
	if (set == KEYS_NONE)
		return TRUE;
	for (char **word = first_key(words, before); *word; word++) {
		const char *equals = strchr(*word, '=');

		if (equals) {
			if (!take_pair(set, word, equals, shown, error))
				return FALSE;
		} else if (word[1] && !g_str_has_prefix(*word, "--")) { /* a key and its value */
			if (is_secret(set, *word) && !take_two(word, shown, error))
				return FALSE;
			word++;
		}
	}
	return TRUE;
}
