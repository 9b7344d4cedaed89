/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_cpim.c - see sip_cpim.h.
 *
 * Thread: any (pure).
 */
#include "plugins/sip/stack/sip_cpim.h"
#include <string.h>

#define IMDN_NAMESPACE "urn:ietf:params:imdn"
#define MIME	       "Content-"
#define MAX_HEADERS    64 /* of each of the two parts */

/* --- lines --- */

/* Takes a line off the front; FALSE: there is no line end.  By CR LF, or LF alone. */
static gboolean
take_line(const char **at, const char *end, char **line)
{
	const char *stop = memchr(*at, '\n', (gsize)(end - *at));
	gsize length;

	if (!stop)
		return FALSE;
	length = (gsize)(stop - *at);
	if (length && stop[-1] == '\r')
		length--;
	*line = memchr(*at, '\0', length) ? NULL : g_strndup(*at, length);
	*at = stop + 1;
	return *line != NULL;
}

/* "Name: value" in two; FALSE: it is none. */
static gboolean
split_line(char *line, char **value)
{
	char *colon = strchr(line, ':');

	if (!colon || colon == line)
		return FALSE;
	*colon = '\0';
	*value = g_strstrip(colon + 1);
	return line[strcspn(line, " \t")] == '\0';
}

static gboolean
is_clean(const char *value)
{
	for (const char *at = value; *at; at++)
		if ((guchar)*at < ' ' || *at == 0x7f)
			return FALSE;
	return *value && strlen(value) <= CPIM_MAX_VALUE && g_utf8_validate(value, -1, NULL);
}

static void
keep(char **member, const char *value)
{
	if (*member || !is_clean(value))
		return;
	*member = g_strdup(value);
}

/* --- the envelope --- */

/* "Name <uri>": the URI. */
static void
keep_uri(char **member, const char *value)
{
	const char *open = strrchr(value, '<'), *close = open ? strchr(open, '>') : NULL;
	g_autofree char *uri = close ? g_strndup(open + 1, (gsize)(close - open - 1)) : NULL;

	if (uri)
		keep(member, uri);
}

/* "NS: imdn <urn:ietf:params:imdn>": which prefix it has here. */
static void
read_namespace(const char *value, char **prefix)
{
	g_autofree char *uri = NULL;

	keep_uri(&uri, value);
	if (g_strcmp0(uri, IMDN_NAMESPACE) != 0)
		return;
	g_free(*prefix);
	*prefix = g_strstrip(g_strndup(value, (gsize)(strrchr(value, '<') - value)));
}

static guint
read_wants(const char *value)
{
	static const struct {
		const char *word;
		CpimWants flag;
	} WORDS[] = { { "positive-delivery", CPIM_POSITIVE },
		      { "negative-delivery", CPIM_NEGATIVE },
		      { "display", CPIM_DISPLAY } };
	g_auto(GStrv) words = g_strsplit(value, ",", MAX_HEADERS);
	guint wants = 0;

	for (char **word = words; *word; word++)
		for (guint i = 0; i < G_N_ELEMENTS(WORDS); i++)
			if (strcmp(g_strstrip(*word), WORDS[i].word) == 0)
				wants |= WORDS[i].flag;
	return wants;
}

/* Names are told apart by case too (RFC 3862 3.1). */
static void
take_envelope(Cpim *cpim, char **prefix, const char *name, const char *value)
{
	gsize length = *prefix ? strlen(*prefix) : 0;

	if (strcmp(name, "From") == 0)
		keep_uri(&cpim->from, value);
	else if (strcmp(name, "To") == 0)
		keep_uri(&cpim->to, value);
	else if (strcmp(name, "DateTime") == 0)
		keep(&cpim->date_time, value);
	else if (strcmp(name, "NS") == 0)
		read_namespace(value, prefix);
	else if (length && strncmp(name, *prefix, length) == 0 && name[length] == '.') {
		if (strcmp(name + length + 1, "Message-ID") == 0)
			keep(&cpim->id, value);
		else if (strcmp(name + length + 1, "Disposition-Notification") == 0)
			cpim->wants = read_wants(value);
	}
}

/* Of the MIME part: any case. */
static void
take_content(Cpim *cpim, const char *name, const char *value)
{
	if (g_ascii_strcasecmp(name, "Content-Type") == 0)
		keep(&cpim->type, value);
	else if (g_ascii_strcasecmp(name, "Content-Language") == 0)
		keep(&cpim->language, value);
	else if (g_ascii_strcasecmp(name, "Content-Disposition") == 0)
		keep(&cpim->disposition, value);
	else if (g_ascii_strcasecmp(name, "Content-Transfer-Encoding") == 0)
		keep(&cpim->encoding, value);
}

/* Header lines up to the empty one; FALSE: they are none, or have no end. */
static gboolean
read_headers(Cpim *cpim, const char **at, const char *end, gboolean envelope)
{
	g_autofree char *prefix = NULL;

	for (guint i = 0; i < MAX_HEADERS; i++) {
		g_autofree char *line = NULL;
		char *value;

		if (!take_line(at, end, &line))
			return FALSE;
		if (!*line)
			return TRUE;
		if (!split_line(line, &value))
			return FALSE;
		if (envelope)
			take_envelope(cpim, &prefix, line, value);
		else
			take_content(cpim, line, value);
	}
	return FALSE;
}

gboolean
cpim_read(const char *data, gsize size, Cpim *cpim)
{
	const char *at = data, *end = data + size;
	gboolean good = TRUE;

	*cpim = (Cpim){ 0 };
	/* RFC 3862 shows MIME headers of the envelope's own before it, and some send them */
	if (size > strlen(MIME) && g_ascii_strncasecmp(data, MIME, strlen(MIME)) == 0) {
		good = read_headers(cpim, &at, end, FALSE);
		cpim_clear(cpim);
	}
	if (!good || !read_headers(cpim, &at, end, TRUE) || !read_headers(cpim, &at, end, FALSE)) {
		cpim_clear(cpim);
		return FALSE;
	}
	cpim->size = (gsize)(end - at);
	cpim->body = g_malloc(cpim->size + 1);
	if (cpim->size)
		memcpy(cpim->body, at, cpim->size);
	cpim->body[cpim->size] = '\0';
	return TRUE;
}

/* --- writing --- */

static void
line(GString *text, const char *name, const char *before, const char *value, const char *after)
{
	g_autofree char *flat = NULL;

	if (!value)
		return;
	flat = g_strdelimit(g_strdup(value), "\r\n", ' ');
	g_string_append_printf(text, "%s: %s%s%s\r\n", name, before, flat, after);
}

static void
write_wants(GString *text, guint wants)
{
	if (wants)
		g_string_append_printf(text, "imdn.Disposition-Notification: %s%s%s%s%s\r\n",
				       wants & CPIM_POSITIVE ? "positive-delivery" : "",
				       (wants & CPIM_POSITIVE) && wants > CPIM_POSITIVE ? ", " : "",
				       wants & CPIM_NEGATIVE ? "negative-delivery" : "",
				       (wants & CPIM_NEGATIVE) && (wants & CPIM_DISPLAY) ? ", "
											 : "",
				       wants & CPIM_DISPLAY ? "display" : "");
}

char *
cpim_write(const Cpim *cpim, gsize *size)
{
	GString *text = g_string_new(NULL);

	line(text, "From", "<", cpim->from, ">");
	line(text, "To", "<", cpim->to, ">");
	line(text, "DateTime", "", cpim->date_time, "");
	if (cpim->id || cpim->wants)
		line(text, "NS", "imdn <", IMDN_NAMESPACE, ">");
	line(text, "imdn.Message-ID", "", cpim->id, "");
	write_wants(text, cpim->wants);
	g_string_append(text, "\r\n");
	line(text, "Content-Type", "", cpim->type, "");
	line(text, "Content-Language", "", cpim->language, "");
	line(text, "Content-Disposition", "", cpim->disposition, "");
	line(text, "Content-Transfer-Encoding", "", cpim->encoding, "");
	g_string_append(text, "\r\n");
	g_string_append_len(text, cpim->body, (gssize)cpim->size);
	*size = text->len;
	return g_string_free(text, FALSE);
}

void
cpim_clear(Cpim *cpim)
{
	g_free(cpim->from);
	g_free(cpim->to);
	g_free(cpim->date_time);
	g_free(cpim->id);
	g_free(cpim->type);
	g_free(cpim->language);
	g_free(cpim->disposition);
	g_free(cpim->encoding);
	g_free(cpim->body);
	*cpim = (Cpim){ 0 };
}
