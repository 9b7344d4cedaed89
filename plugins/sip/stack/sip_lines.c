/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_lines.c - the lines of a session description before sofia-sip reads them.
 *
 * Thread: any (pure).
 */
#include "plugins/sip/stack/sip_lines.h"
#include <string.h>

typedef struct {
	const char *at, *end; /* without blanks around it */
} Line;

typedef struct {
	GString *connection, *attributes, *media;
	guint n_media, n_sound;
} Lines;

/* RFC 4566 section 9 */
static gboolean
is_token_char(char c)
{
	return g_ascii_isalnum(c) || (c && strchr("!#$%&'*+-.^_`{|}~", c));
}

static const char *
skip(const char *at, const char *end, const char *more)
{
	while (at < end && (is_token_char(*at) || (*at && strchr(more, *at))))
		at++;
	return at;
}

static const char *
skip_digits(const char *at, const char *end)
{
	while (at < end && g_ascii_isdigit(*at))
		at++;
	return at;
}

static gboolean
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* FALSE at the end; empty lines are none. */
static gboolean
next_line(const char **rest, const char *end, Line *line)
{
	while (*rest < end && (is_blank(**rest) || **rest == '\r' || **rest == '\n'))
		(*rest)++;
	if (*rest == end)
		return FALSE;
	line->at = *rest;
	while (*rest < end && **rest != '\r' && **rest != '\n')
		(*rest)++;
	line->end = *rest;
	while (is_blank(line->end[-1]))
		line->end--;
	return TRUE;
}

/* sofia's parser never comes back from a format that begins with anything but a
 * token, and takes memory all the while: measured with "m=a 9 U (".  So the line
 * has to be one of RFC 4566 section 9 before it gets there:
 * media SP port ["/" number] SP proto 1*(SP format). */
static gboolean
media_is_sound(const Line *line)
{
	const char *end = line->end, *port = skip(line->at + 2, end, "");
	const char *rest;

	if (port == end || *port != ' ')
		return FALSE;
	rest = skip_digits(port + 1, end);
	if (rest == port + 1)
		return FALSE;
	if (rest < end && *rest == '/')
		rest = skip_digits(rest + 1, end);
	/* a protocol that begins with a slash would be read as a number of ports */
	if (end - rest < 2 || *rest != ' ' || rest[1] == '/')
		return FALSE;
	rest = skip(rest + 1, end, "/");
	return rest < end && skip(rest, end, " ") == end;
}

/* "c=IN IP4 192.0.2.1/127" */
static gboolean
connection_is_sound(const Line *line)
{
	const char *at = line->at + 2;

	if (line->end - at <= 7 || g_ascii_strncasecmp(at, "IN IP", 5) != 0 ||
	    (at[5] != '4' && at[5] != '6') || at[6] != ' ')
		return FALSE;
	for (at += 7; at < line->end; at++)
		if (!g_ascii_isgraph(*at))
			return FALSE;
	return TRUE;
}

/* "96 " and something behind it */
static const char *
skip_number(const char *at, const char *end)
{
	const char *rest = skip_digits(at, end);

	if (rest == at || rest - at > 3 || rest == end || !is_blank(*rest))
		return NULL;
	while (rest < end && is_blank(*rest))
		rest++;
	return rest;
}

/* "96 opus/48000/2": without a clock it says nothing. */
static gboolean
map_is_sound(const char *at, const char *end)
{
	const char *name = skip_number(at, end);
	const char *slash = name ? skip(name, end, "") : NULL;

	return slash && slash > name && end - slash >= 2 && *slash == '/' &&
	       skip_digits(slash + 1, end) > slash + 1;
}

static gboolean
attribute_is_sound(const Line *line)
{
	const char *name = line->at + 2, *colon = skip(name, line->end, "");
	gsize length = (gsize)(colon - name);

	if (length == 0 || (colon < line->end && *colon != ':'))
		return FALSE;
	if (length == strlen("rtpmap") && g_ascii_strncasecmp(name, "rtpmap", length) == 0)
		return colon < line->end && map_is_sound(colon + 1, line->end);
	if (length == strlen("fmtp") && g_ascii_strncasecmp(name, "fmtp", length) == 0)
		return colon < line->end && skip_number(colon + 1, line->end);
	return TRUE;
}

static void
append(GString *to, const Line *line, gboolean sound, const char *instead)
{
	if (sound)
		g_string_append_len(to, line->at, line->end - line->at);
	else if (instead)
		g_string_append(to, instead);
	if (sound || instead)
		g_string_append(to, "\r\n");
}

/* "c=IN  IP4\t192.0.2.1": between two words stands one blank. */
static char *
with_single_blanks(const Line *line)
{
	GString *text = g_string_sized_new((gsize)(line->end - line->at));

	for (const char *at = line->at; at < line->end; at++)
		if (!is_blank(*at))
			g_string_append_c(text, *at);
		else if (at[-1] != '=' && !is_blank(at[-1]))
			g_string_append_c(text, ' ');
	return g_string_free(text, FALSE);
}

static void
take_line(Lines *lines, const Line *line)
{
	g_autofree char *single = NULL;
	Line words;
	gboolean sound;

	if (line->end - line->at < 2 || line->at[1] != '=')
		return;
	if (strchr("mMcC", line->at[0])) {
		single = with_single_blanks(line);
		words = (Line){ single, single + strlen(single) };
		line = &words;
	}
	switch (g_ascii_tolower(line->at[0])) {
	case 'm':
		sound = media_is_sound(line);
		lines->n_media++;
		lines->n_sound += sound;
		append(lines->media, line, sound, "m=unknown 0 RTP/AVP 0");
		break;
	case 'c': /* of a stream a broken one must not be the session's */
		append(lines->n_media ? lines->media : lines->connection, line,
		       connection_is_sound(line), lines->n_media ? "c=IN IP4 unknown.test" : NULL);
		break;
	case 'a':
		append(lines->n_media ? lines->media : lines->attributes, line,
		       attribute_is_sound(line), NULL);
		break;
	default: /* nothing that is needed */
		break;
	}
}

static gboolean
begins(const Line *line)
{
	return line->end - line->at == 3 && g_ascii_strncasecmp(line->at, "v=0", 3) == 0;
}

char *
lines_clean(const char *text, gsize length)
{
	const char *rest = text, *end = text + length;
	Lines lines = { g_string_new(NULL), g_string_new(NULL), g_string_new(NULL), 0, 0 };
	char *clean = NULL;
	Line line;

	if (next_line(&rest, end, &line) && begins(&line))
		while (next_line(&rest, end, &line))
			take_line(&lines, &line);
	if (lines.n_sound > 0)
		clean = g_strconcat("v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\n",
				    lines.connection->str, "t=0 0\r\n", lines.attributes->str,
				    lines.media->str, NULL);
	g_string_free(lines.connection, TRUE);
	g_string_free(lines.attributes, TRUE);
	g_string_free(lines.media, TRUE);
	return clean;
}
