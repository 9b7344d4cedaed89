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
is_secret(const char *key)
{
	return g_str_equal(key, "password") || g_str_has_suffix(key, "-password");
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
take_pair(char **word, const char *equals, char **shown, GError **error)
{
	g_autofree char *key = g_strndup(*word, (gsize)(equals - *word));
	g_autofree char *value = NULL;

	if (!is_secret(key) || equals[1] == '\0') /* "KEY=" takes it away */
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

gboolean
secret_take(char **words, char **shown, GError **error)
{
	*shown = NULL;
	for (char **word = words; *word; word++) {
		const char *equals = strchr(*word, '=');

		if (equals) {
			if (!take_pair(word, equals, shown, error))
				return FALSE;
			continue;
		}
		if (!is_secret(*word) || !word[1])
			continue;
		word++;
		if (!g_str_equal(*word, "-")) {
			note_shown(shown, word[-1]);
			continue;
		}
		g_free(*word);
		*word = NULL;
		if (!read_secret(word[-1], word, error)) {
			*word = g_strdup("");
			return FALSE;
		}
	}
	return TRUE;
}
