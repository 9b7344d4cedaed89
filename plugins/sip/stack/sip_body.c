/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_body.c - where the session description is in the body of a message.
 *
 * Thread: any (pure).
 */
#include "plugins/sip/stack/sip_body.h"
#include <string.h>

#define MAX_BOUNDARY 200 /* RFC 2046 5.1.1 has 70 */
#define MAX_HEADER   1024

typedef struct {
	const char *at, *end;
} Span;

/* What has been understood; its text is owned. */
typedef struct {
	BodyVerdict verdict;
	char *sdp;
	gsize size;
} Found;

typedef struct {
	guint depth, parts;
} Reader;

/* --- header values: "application/sdp; charset=utf-8" --- */

static const char *
skip_blanks(const char *at)
{
	while (*at == ' ' || *at == '\t')
		at++;
	return at;
}

static gboolean
ends_word(char c)
{
	return !c || strchr("; \t(,", c);
}

/* The value begins with this word. */
static gboolean
says(const char *value, const char *word)
{
	gsize length = strlen(word);

	if (!value)
		return FALSE;
	value = skip_blanks(value);
	return g_ascii_strncasecmp(value, word, length) == 0 && ends_word(value[length]);
}

/* Behind a word or a quoted string; what it says is added to `word`. */
static const char *
read_word(const char *at, GString *word)
{
	gboolean quoted = *at == '"';

	for (at += quoted; *at && (quoted ? *at != '"' : !ends_word(*at)); at++) {
		if (quoted && *at == '\\' && at[1])
			at++;
		g_string_append_c(word, *at);
	}
	return at + (quoted && *at == '"');
}

/* The parameter of this name, unquoted; or NULL. */
static char *
param(const char *value, const char *name)
{
	g_autoptr(GString) word = g_string_new(NULL);
	const char *at = value ? value : "";

	while (*at) {
		const char *key, *end;

		if (*at != ';') {
			at = *at == '"' ? read_word(at, word) : at + 1;
			continue;
		}
		key = skip_blanks(at + 1);
		for (end = key; !ends_word(*end) && *end != '=' && *end != '"';)
			end++;
		at = skip_blanks(end);
		if (*at != '=')
			continue;
		g_string_truncate(word, 0);
		at = read_word(skip_blanks(at + 1), word);
		if ((gsize)(end - key) == strlen(name) &&
		    g_ascii_strncasecmp(key, name, strlen(name)) == 0)
			return g_strdup(word->str);
	}
	return NULL;
}

/* RFC 3261 20.11 would have it the default; those who mean it say so, and many who
 * write no disposition at all do not. */
static gboolean
is_required(const char *disposition)
{
	g_autofree char *handling = param(disposition, "handling");

	return handling && g_ascii_strcasecmp(handling, "required") == 0;
}

static gboolean
is_optional(const char *disposition)
{
	g_autofree char *handling = param(disposition, "handling");

	return handling && g_ascii_strcasecmp(handling, "optional") == 0;
}

static gboolean
is_multipart(const char *type)
{
	return type && g_ascii_strncasecmp(skip_blanks(type), "multipart/", 10) == 0;
}

static gboolean
is_plain_encoding(const char *encoding)
{
	return !encoding || !encoding[0] || (says(encoding, "identity") && !strchr(encoding, ','));
}

/* A description of something else (RFC 3959) is none of the session. */
static gboolean
is_session(const BodyHeaders *headers, gboolean untyped_too)
{
	return (headers->type ? says(headers->type, BODY_SDP) : untyped_too) &&
	       !says(headers->disposition, "early-session");
}

/* --- lines --- */

/* Cuts off the next line, without its end; FALSE when there is none. */
static gboolean
next_line(Span *rest, Span *line)
{
	const char *lf;

	if (rest->at >= rest->end)
		return FALSE;
	lf = memchr(rest->at, '\n', (gsize)(rest->end - rest->at));
	*line = (Span){ rest->at, lf ? lf : rest->end };
	rest->at = lf ? lf + 1 : rest->end;
	if (line->end > line->at && line->end[-1] == '\r')
		line->end--;
	return TRUE;
}

/* 1: "--boundary", 2: "--boundary--"; blanks may follow (RFC 2046 5.1.1). */
static guint
delimiter(const Span *line, const char *boundary)
{
	gsize length = strlen(boundary);
	const char *at = line->at;
	guint kind = 1;

	if ((gsize)(line->end - at) < length + 2 || at[0] != '-' || at[1] != '-' ||
	    memcmp(at + 2, boundary, length) != 0)
		return 0;
	at += length + 2;
	if (line->end - at >= 2 && at[0] == '-' && at[1] == '-') {
		at += 2;
		kind = 2;
	}
	while (at < line->end && (*at == ' ' || *at == '\t'))
		at++;
	return at == line->end ? kind : 0;
}

/* --- a part --- */

typedef struct {
	char *type, *disposition, *encoding, *transfer, *id;
} PartHeaders;

static void
part_headers_clear(PartHeaders *headers)
{
	g_free(headers->type);
	g_free(headers->disposition);
	g_free(headers->encoding);
	g_free(headers->transfer);
	g_free(headers->id);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PartHeaders, part_headers_clear)

static void
take_header(PartHeaders *headers, const char *text)
{
	const struct {
		const char *name;
		char **value;
	} known[] = {
		{ "Content-Type", &headers->type },
		{ "c", &headers->type }, /* SIP's short form */
		{ "Content-Disposition", &headers->disposition },
		{ "Content-Encoding", &headers->encoding },
		{ "e", &headers->encoding },
		{ "Content-Transfer-Encoding", &headers->transfer },
		{ "Content-ID", &headers->id },
	};
	const char *colon = strchr(text, ':');
	g_autofree char *name = colon ? g_strndup(text, (gsize)(colon - text)) : NULL;

	if (!colon)
		return;
	g_strstrip(name);
	for (guint i = 0; i < G_N_ELEMENTS(known); i++)
		if (g_ascii_strcasecmp(name, known[i].name) == 0 && !*known[i].value)
			*known[i].value = g_strstrip(g_strdup(colon + 1));
}

/* Takes the headers and the empty line behind them off `part`. */
static void
read_headers(Span *part, PartHeaders *headers)
{
	g_autoptr(GString) header = g_string_new(NULL);
	Span line;

	while (next_line(part, &line) && line.end > line.at) {
		gboolean folded = *line.at == ' ' || *line.at == '\t';

		if (!folded) {
			take_header(headers, header->str);
			g_string_truncate(header, 0);
		}
		if (header->len < MAX_HEADER)
			g_string_append_len(header, line.at,
					    (gssize)MIN(line.end - line.at, MAX_HEADER));
	}
	take_header(headers, header->str);
}

/* RFC 2045 6.7 */
static char *
decode_quoted(const Span *part, gsize *size)
{
	GString *text = g_string_sized_new((gsize)(part->end - part->at));

	for (const char *at = part->at; at < part->end; at++) {
		gsize left = (gsize)(part->end - at);

		if (*at == '=' && left > 2 && g_ascii_isxdigit(at[1]) && g_ascii_isxdigit(at[2])) {
			g_string_append_c(text, (char)(g_ascii_xdigit_value(at[1]) << 4 |
						       g_ascii_xdigit_value(at[2])));
			at += 2;
		} else if (*at == '=' && left > 1 && at[1] == '\n') {
			at++;
		} else if (*at == '=' && left > 2 && at[1] == '\r' && at[2] == '\n') {
			at += 2;
		} else {
			g_string_append_c(text, *at);
		}
	}
	*size = text->len;
	return g_string_free(text, FALSE);
}

static char *
decode_base64(const Span *part, gsize *size)
{
	g_autofree char *text = g_strndup(part->at, (gsize)(part->end - part->at));

	return (char *)g_base64_decode(text, size);
}

/* NULL: in a way that we do not know. */
static char *
decode(const char *transfer, const Span *part, gsize *size)
{
	if (says(transfer, "base64"))
		return decode_base64(part, size);
	if (says(transfer, "quoted-printable"))
		return decode_quoted(part, size);
	if (transfer && !says(transfer, "binary") && !says(transfer, "8bit") &&
	    !says(transfer, "7bit"))
		return NULL;
	*size = (gsize)(part->end - part->at);
	return g_strndup(part->at, *size);
}

/* --- multiparts --- */

static Found read_multipart(Reader *reader, const char *type, Span body);

/* The next part of a multipart, and what stands behind it; FALSE when there is none. */
static gboolean
next_part(Span *rest, const char *boundary, Span *part)
{
	const char *start = rest->at;
	Span line;

	if (!start)
		return FALSE;
	*part = (Span){ start, rest->end };
	while (next_line(rest, &line)) {
		guint kind = delimiter(&line, boundary);

		if (!kind)
			continue;
		/* the line end before a delimiter is its own */
		part->end = line.at;
		if (part->end > start && part->end[-1] == '\n')
			part->end--;
		if (part->end > start && part->end[-1] == '\r')
			part->end--;
		if (kind == 2) /* the last one; an epilogue is nothing */
			rest->at = NULL;
		return TRUE;
	}
	rest->at = NULL; /* never closed: what there is */
	return part->end > part->at;
}

/* Behind the first delimiter; FALSE when there is none. */
static gboolean
skip_preamble(Span *rest, const char *boundary)
{
	Span line;

	while (next_line(rest, &line)) {
		guint kind = delimiter(&line, boundary);

		if (kind == 2)
			rest->at = NULL; /* no part at all */
		if (kind)
			return TRUE;
	}
	return FALSE;
}

/* Of two parts that belong together the stronger verdict, and the first description; of
 * alternatives the last that is understood (RFC 2046 5.1.4), whatever the others would
 * require. */
static gboolean
replaces(BodyVerdict other, BodyVerdict so_far, gboolean alternative)
{
	if (alternative && (other == BODY_FOUND || so_far == BODY_FOUND))
		return other == BODY_FOUND;
	return other > so_far;
}

static void
join(Found *so_far, Found *other, gboolean alternative)
{
	gboolean taken = replaces(other->verdict, so_far->verdict, alternative);
	Found loser = taken ? *so_far : *other;

	if (taken)
		*so_far = *other;
	g_free(loser.sdp);
}

/* One that is itself no multipart.  `whole`: it is all that the message has. */
static Found
read_simple(const BodyHeaders *headers, const char *transfer, const Span *body, gboolean whole)
{
	Found found = { BODY_NONE, NULL, 0 };
	gboolean must =
		whole ? !is_optional(headers->disposition) : is_required(headers->disposition);

	if (!is_plain_encoding(headers->encoding) && (whole || is_session(headers, FALSE))) {
		found.verdict = is_optional(headers->disposition) ? BODY_NONE : BODY_ENCODED;
		return found;
	}
	if (is_session(headers, whole))
		found.sdp = decode(transfer, body, &found.size);
	if (found.sdp)
		found.verdict = BODY_FOUND;
	else
		found.verdict = must ? BODY_UNKNOWN : BODY_NONE;
	return found;
}

static Found
read_entity(Reader *reader, const BodyHeaders *headers, const char *transfer, Span body)
{
	Found found;

	if (!is_multipart(headers->type) || !is_plain_encoding(headers->encoding))
		return read_simple(headers, transfer, &body, reader->depth == 0);
	found = read_multipart(reader, headers->type, body);
	if (is_required(headers->disposition) &&
	    (found.verdict == BODY_MALFORMED ||
	     (found.verdict == BODY_NONE && says(headers->type, "multipart/alternative"))))
		found.verdict = BODY_UNKNOWN;
	/* whether its parts can be done without is one thing, whether it can another */
	if (is_optional(headers->disposition) && found.verdict != BODY_FOUND)
		found.verdict = BODY_NONE;
	return found;
}

static Found
read_part(Reader *reader, Span part)
{
	g_auto(PartHeaders) said = { 0 };

	read_headers(&part, &said);
	return read_entity(reader, &(BodyHeaders){ said.type, said.disposition, said.encoding },
			   said.transfer, part);
}

static Found
read_multipart(Reader *reader, const char *type, Span body)
{
	g_autofree char *boundary = param(type, "boundary");
	gboolean alternative = says(type, "multipart/alternative");
	Found found = { BODY_NONE, NULL, 0 };
	Span part;

	if (!boundary || !boundary[0] || strlen(boundary) > MAX_BOUNDARY ||
	    reader->depth == BODY_MAX_DEPTH || !skip_preamble(&body, boundary)) {
		found.verdict = BODY_MALFORMED;
		return found;
	}
	reader->depth++;
	while (next_part(&body, boundary, &part)) {
		Found other = { BODY_MALFORMED, NULL, 0 };
		gboolean full = reader->parts == BODY_MAX_PARTS;

		if (!full) {
			reader->parts++;
			other = read_part(reader, part);
		}
		join(&found, &other, alternative);
		if (full)
			break;
	}
	reader->depth--;
	return found;
}

/* --- the body of a message --- */

BodyVerdict
body_read(const BodyHeaders *headers, const char *data, gsize length, char **sdp, gsize *size)
{
	Reader reader = { 0 };
	Found found = { BODY_NONE, NULL, 0 };

	if (data && length > 0)
		found = read_entity(&reader, headers, NULL, (Span){ data, data + length });
	if (found.verdict != BODY_FOUND)
		g_clear_pointer(&found.sdp, g_free);
	*sdp = found.sdp;
	*size = found.sdp ? found.size : 0;
	return found.verdict;
}
