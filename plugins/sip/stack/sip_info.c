/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_info.c - keys in the body of an INFO, in the two forms that are about. */
#include "plugins/sip/stack/sip_info.h"
#include <string.h>

#define KEY_MS	 160
#define MAX_BODY 256 /* longer ones hold something else */

static char
key_of_word(const char *word)
{
	static const char events[] = "*#ABCD"; /* 10 to 15: RFC 4733 3.2 */

	if (strlen(word) == 1 && strchr("0123456789*#ABCDabcd", word[0]))
		return g_ascii_toupper(word[0]);
	if (strlen(word) == 2 && word[0] == '1' && word[1] >= '0' && word[1] <= '5')
		return events[word[1] - '0'];
	return 0;
}

static char
read_relay(char **lines)
{
	for (; *lines; lines++) {
		char *equals = strchr(*lines, '=');

		if (!equals)
			continue;
		*equals = '\0';
		if (g_ascii_strcasecmp(g_strstrip(*lines), "Signal") == 0)
			return key_of_word(g_strstrip(equals + 1));
	}
	return 0;
}

char
info_key(const char *content_type, const char *body, gsize length)
{
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;

	if (!content_type || !body || length == 0 || length > MAX_BODY ||
	    memchr(body, '\0', length))
		return 0;
	text = g_strndup(body, length);
	if (g_ascii_strcasecmp(content_type, INFO_PLAIN) == 0)
		return key_of_word(g_strstrip(text));
	if (g_ascii_strcasecmp(content_type, INFO_RELAY) != 0)
		return 0;
	lines = g_strsplit_set(text, "\r\n", -1);
	return read_relay(lines);
}

guint
info_answer(const char *content_type, const char *body, gsize length, char *key)
{
	*key = 0;
	if (!body || length == 0)
		return 200;
	if (!content_type || (g_ascii_strcasecmp(content_type, INFO_PLAIN) != 0 &&
			      g_ascii_strcasecmp(content_type, INFO_RELAY) != 0))
		return 415;
	*key = info_key(content_type, body, length);
	return *key ? 200 : 400;
}

char *
info_body(const char *content_type, char key)
{
	if (g_ascii_strcasecmp(content_type, INFO_PLAIN) == 0)
		return g_strdup_printf("%c\r\n", key);
	return g_strdup_printf("Signal=%c\r\nDuration=%d\r\n", key, KEY_MS);
}
