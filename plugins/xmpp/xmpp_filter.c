/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_filter.c - cuts the stream by its tags, counts, and has expat check what is whole.
 *
 *   TEXT ──<──► OPENED ──► TAG ◄──" or '──► QUOTED
 *     ▲           │ !       │ >
 *     │           ▼         ▼
 *     └──]]>── CDATA      TEXT, one element deeper, as deep, or less deep
 *
 * What a component must never be sent (comments, instructions, a DOCTYPE: RFC 6120 11.1) ends
 * the stream, so tags, text and CDATA are all there is.  Of a stanza that is over a limit only
 * the depth is followed, to find its end.
 */
#include "plugins/xmpp/xmpp_filter.h"
#include <expat.h>
#include <string.h>

#define NAMESPACE_SEPARATOR '\xff'
#define RENEW_BYTES	    (1u << 20)	/* the parser has read, before it is begun anew */
#define LEFT_OUT_MAX	    (16u << 20) /* a stanza longer than that has no end */

const XmppFilterLimits xmpp_filter_limits = {
	.stanza_bytes = 256 * 1024,
	.tag_bytes = 16 * 1024,
	.depth = 64,
	.attributes = 64,
	.children = 1000,
	.elements = 4000,
};

typedef enum { IN_TEXT, IN_OPENED, IN_TAG, IN_QUOTED, IN_BANG, IN_CDATA, IN_DECLARATION } Place;

static const char cdata_begins[] = "[CDATA[";

struct XmppFilter {
	XmppFilterLimits limits;
	const XmppFilterSink *sink;
	gpointer user;
	XML_Parser parser;
	gsize parsed;	 /* bytes since it was begun */
	GString *header; /* of the stream, for the next parser; its end is missing until it came */
	const char *broken;

	Place place;
	char quote, last; /* in QUOTED; the byte before this one in a tag */
	guint matched;	  /* of cdata_begins, or of "]]" */
	gboolean closing, declared, ended;
	guint depth; /* 0: no stream, 1: between stanzas */

	GString *stanza; /* raw, as far as it came; of one left out: the first tag */
	gsize checked;	 /* of these the parser has seen */
	gsize tag_at;	 /* where the last tag begins */
	gsize tag_bytes, bytes;
	guint attributes, elements;
	GArray *children; /* guint, by depth */
	const char *over; /* the limit it is over, or NULL */
};

/* --- what is said about a stanza that is left out --- */

/* The attribute as it stands in the raw tag, quotes included; NULL when it is not there whole. */
static char *
raw_attribute(const GString *tag, const char *name)
{
	gsize length = strlen(name);
	char quote = 0;

	for (gsize i = 1; i < tag->len; i++) {
		const char *at = tag->str + i, *end;

		if (quote) {
			quote = *at == quote ? 0 : quote;
			continue;
		}
		if (*at == '\'' || *at == '"')
			quote = *at;
		if (*at == '>')
			break;
		if (!g_ascii_isspace(at[-1]) || strncmp(at, name, length) != 0)
			continue;
		at += length;
		while (g_ascii_isspace(*at) || *at == '=')
			at++;
		if (*at != '\'' && *at != '"')
			continue;
		end = strchr(at + 1, *at);
		return end ? g_strndup(at, (gsize)(end - at) + 1) : NULL;
	}
	return NULL;
}

/* The values are written back as they came, so nothing has to be escaped. */
static char *
answer_for(const GString *tag)
{
	g_autofree char *type = raw_attribute(tag, "type");
	g_autofree char *id = raw_attribute(tag, "id");
	g_autofree char *from = raw_attribute(tag, "from");
	g_autofree char *to = raw_attribute(tag, "to");
	gboolean iq = strncmp(tag->str, "<iq", 3) == 0 && g_ascii_isspace(tag->str[3]);

	if (!iq || !type || !id || !from || !to)
		return NULL;
	if (strlen(type) != 5 ||
	    (strncmp(type + 1, "get", 3) != 0 && strncmp(type + 1, "set", 3) != 0))
		return NULL;
	return g_strdup_printf("<iq type='error' id=%s from=%s to=%s><error type='modify'>"
			       "<policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
			       "</error></iq>",
			       id, to, from);
}

/* --- the parser --- */

static gboolean
parse(XmppFilter *filter, const char *bytes, gsize length)
{
	filter->parsed += length;
	return XML_Parse(filter->parser, bytes, (int)length, FALSE) == XML_STATUS_OK;
}

/* Stands behind the header again, knowing no other names. */
static void
renew(XmppFilter *filter)
{
	XML_ParserReset(filter->parser, "UTF-8");
	filter->parsed = 0;
	if (!parse(filter, filter->header->str, filter->header->len))
		filter->broken = "not-well-formed";
}

/* --- stanzas --- */

/* What is whole of the stanza goes to the parser, so that a mistake is found where it is. */
static void
check(XmppFilter *filter, gsize end)
{
	if (filter->over || filter->broken || end <= filter->checked)
		return;
	if (!parse(filter, filter->stanza->str + filter->checked, end - filter->checked))
		filter->broken = "not-well-formed";
	filter->checked = end;
}

/* A mistake before the limit comes before the limit, however the bytes were cut. */
static gboolean
is_over(XmppFilter *filter, gboolean over, const char *limit)
{
	if (over && !filter->over) {
		check(filter, filter->place == IN_TEXT ? filter->stanza->len : filter->tag_at);
		filter->over = limit;
	}
	return over;
}

static void
begin_stanza(XmppFilter *filter)
{
	g_string_truncate(filter->stanza, 0);
	filter->checked = filter->tag_at = filter->bytes = 0;
	filter->elements = 0;
	filter->over = NULL;
}

static void
end_stanza(XmppFilter *filter)
{
	if (filter->over) {
		g_autofree char *answer = answer_for(filter->stanza);

		filter->sink->left_out(filter->user, filter->over, answer);
		if (filter->checked > 0)
			renew(filter);
	} else {
		filter->sink->pass(filter->user, filter->stanza->str, filter->stanza->len);
		if (filter->parsed > RENEW_BYTES)
			renew(filter);
	}
	begin_stanza(filter);
}

/* --- tags --- */

static void
on_header(XmppFilter *filter)
{
	g_string_append_len(filter->header, filter->stanza->str, (gssize)filter->stanza->len);
	filter->depth = 1;
	renew(filter);
	if (!filter->broken)
		filter->sink->pass(filter->user, filter->header->str, filter->header->len);
	begin_stanza(filter);
}

static void
on_end_of_stream(XmppFilter *filter)
{
	static const char end[] = "</stream:stream>";

	filter->depth = 0;
	check(filter, filter->stanza->len);
	if (!filter->broken)
		filter->sink->pass(filter->user, end, strlen(end));
	filter->ended = TRUE;
}

/* An element in a stanza; filter->depth is its own. */
static void
count_element(XmppFilter *filter)
{
	guint *siblings;

	if (filter->over || is_over(filter, filter->depth > filter->limits.depth, "depth"))
		return;
	g_array_set_size(filter->children, filter->depth + 1);
	siblings = &g_array_index(filter->children, guint, filter->depth);
	/* the stanzas of a stream are nobody's list */
	is_over(filter, filter->depth > 1 && ++*siblings > filter->limits.children, "children");
	is_over(filter, ++filter->elements > filter->limits.elements, "elements");
}

static void
on_start_tag(XmppFilter *filter)
{
	gboolean empty = filter->last == '/';

	if (filter->depth > 0) {
		count_element(filter);
		filter->depth += !empty;
	} else if (empty) {
		filter->broken = "not-well-formed";
	} else {
		on_header(filter);
	}
}

static void
on_end_tag(XmppFilter *filter)
{
	if (filter->depth <= 1)
		on_end_of_stream(filter);
	else
		filter->depth--;
}

static void
on_tag(XmppFilter *filter)
{
	gboolean header = filter->depth == 0;

	filter->place = IN_TEXT;
	if (filter->closing)
		on_end_tag(filter);
	else
		on_start_tag(filter);
	if (filter->broken || filter->ended || header)
		return;
	check(filter, filter->stanza->len);
	if (filter->depth == 1 && !filter->broken)
		end_stanza(filter);
}

/* --- bytes --- */

static void
keep(XmppFilter *filter, char byte)
{
	filter->bytes++;
	is_over(filter, filter->bytes > filter->limits.stanza_bytes, "bytes");
	/* of one left out: no more than its first tag, for the answer */
	if (!filter->over ||
	    (filter->elements == 0 && filter->stanza->len < filter->limits.tag_bytes))
		g_string_append_c(filter->stanza, byte);
	if (filter->bytes > LEFT_OUT_MAX)
		filter->broken = "policy-violation";
}

static void
in_text(XmppFilter *filter, char byte)
{
	if (byte == '<') {
		check(filter, filter->stanza->len);
		filter->place = IN_OPENED;
		filter->tag_at = filter->stanza->len;
		filter->tag_bytes = 0;
		filter->attributes = 0;
		filter->closing = FALSE;
		filter->last = 0;
	} else if (filter->depth <= 1) {
		if (!g_ascii_isspace(byte))
			filter->broken = "not-well-formed";
		return; /* a blank that keeps the connection alive is nobody's */
	}
	keep(filter, byte);
}

static void
in_opened(XmppFilter *filter, char byte)
{
	gboolean inside = filter->depth > 1;

	keep(filter, byte);
	if (byte == '/') {
		filter->closing = TRUE;
		filter->place = IN_TAG;
	} else if (byte == '!' && inside) {
		filter->place = IN_BANG;
		filter->matched = 0;
	} else if (byte == '?' && filter->depth == 0 && !filter->declared) {
		filter->declared = TRUE;
		filter->place = IN_DECLARATION;
	} else if (byte == '!' || byte == '?') {
		filter->broken = "restricted-xml";
	} else if (byte == '<' || byte == '>' || g_ascii_isspace(byte)) {
		filter->broken = "not-well-formed";
	} else {
		filter->place = IN_TAG;
	}
}

static void
count_tag_byte(XmppFilter *filter)
{
	if (!is_over(filter, ++filter->tag_bytes > filter->limits.tag_bytes, "tag") ||
	    filter->depth > 0)
		return;
	filter->broken = "policy-violation";
}

static void
in_tag(XmppFilter *filter, char byte)
{
	count_tag_byte(filter);
	keep(filter, byte);
	if (byte == '<') {
		filter->broken = "not-well-formed";
	} else if (byte == '"' || byte == '\'') {
		filter->quote = byte;
		filter->place = IN_QUOTED;
	} else if (byte == '=') {
		is_over(filter,
			++filter->attributes > filter->limits.attributes && filter->depth > 0,
			"attributes");
	} else if (byte == '>') {
		on_tag(filter);
		return;
	}
	filter->last = byte;
}

static void
in_quoted(XmppFilter *filter, char byte)
{
	count_tag_byte(filter);
	keep(filter, byte);
	if (byte == '<')
		filter->broken = "not-well-formed"; /* XML 1.0 section 3.1 */
	else if (byte == filter->quote)
		filter->place = IN_TAG;
	filter->last = byte;
}

static void
in_bang(XmppFilter *filter, char byte)
{
	keep(filter, byte);
	if (byte != cdata_begins[filter->matched]) {
		filter->broken = "restricted-xml";
		return;
	}
	if (cdata_begins[++filter->matched])
		return;
	filter->place = IN_CDATA;
	filter->matched = 0;
}

static void
in_cdata(XmppFilter *filter, char byte)
{
	keep(filter, byte);
	if (byte == '>' && filter->matched >= 2)
		filter->place = IN_TEXT;
	else
		filter->matched = byte == ']' ? filter->matched + 1 : 0;
}

static void
in_declaration(XmppFilter *filter, char byte)
{
	count_tag_byte(filter);
	keep(filter, byte);
	if (byte == '>' && filter->last == '?')
		filter->place = IN_TEXT;
	filter->last = byte;
}

static gsize
run_until(const char *bytes, gsize length, char end)
{
	const char *found = memchr(bytes, end, length);

	return found ? (gsize)(found - bytes) : length;
}

/* What decides nothing is taken in one piece, as long as no limit is reached by it. */
static gsize
take_run(XmppFilter *filter, const char *bytes, gsize length)
{
	gboolean quoted = filter->place == IN_QUOTED;
	gsize n;

	if (filter->over || !(quoted || (filter->place == IN_TEXT && filter->depth > 1)))
		return 0;
	n = run_until(bytes, length, '<');
	n = quoted ? run_until(bytes, n, filter->quote) : n;
	n = MIN(n, filter->limits.stanza_bytes - filter->bytes);
	if (quoted)
		n = MIN(n, filter->limits.tag_bytes - filter->tag_bytes);
	if (n == 0)
		return 0;
	g_string_append_len(filter->stanza, bytes, (gssize)n);
	filter->bytes += n;
	filter->tag_bytes += quoted ? n : 0;
	filter->last = quoted ? bytes[n - 1] : filter->last;
	return n;
}

const char *
xmpp_filter_feed(XmppFilter *filter, const char *bytes, gsize length)
{
	static void (*const read[])(XmppFilter *, char) = {
		[IN_TEXT] = in_text,
		[IN_OPENED] = in_opened,
		[IN_TAG] = in_tag,
		[IN_QUOTED] = in_quoted,
		[IN_BANG] = in_bang,
		[IN_CDATA] = in_cdata,
		[IN_DECLARATION] = in_declaration,
	};

	for (gsize i = 0; i < length && !filter->broken && !filter->ended; i++) {
		i += take_run(filter, bytes + i, length - i);
		if (i < length)
			read[filter->place](filter, bytes[i]);
	}
	/* a long text is checked as it arrives, a tag when it is whole and short enough */
	if (filter->depth > 1 && filter->place == IN_TEXT)
		check(filter, filter->stanza->len);
	return filter->broken;
}

XmppFilter *
xmpp_filter_new(const XmppFilterLimits *limits, const XmppFilterSink *sink, gpointer user)
{
	XmppFilter *filter = g_new0(XmppFilter, 1);

	filter->limits = *limits;
	filter->sink = sink;
	filter->user = user;
	filter->parser = XML_ParserCreateNS("UTF-8", NAMESPACE_SEPARATOR);
	filter->header = g_string_new(NULL);
	filter->stanza = g_string_new(NULL);
	filter->children = g_array_new(FALSE, TRUE, sizeof(guint));
	return filter;
}

void
xmpp_filter_free(XmppFilter *filter)
{
	if (!filter)
		return;
	XML_ParserFree(filter->parser);
	g_string_free(filter->header, TRUE);
	g_string_free(filter->stanza, TRUE);
	g_array_unref(filter->children);
	g_free(filter);
}
