/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_reason.c - why a call ended: Reason to and from status and Q.850 cause.
 *
 * Thread: any (pure).  RFC 3261 section 21, RFC 3326, ITU-T Q.850, RFC 3398.
 */
#include <stdlib.h>
#include <string.h>
#include "plugins/sip/stack/sip_reason.h"

#define MAX_TEXT 128 /* bytes of a text in a Reason header */

static const struct {
	guint status;
	const char *phrase;
	guint cause;
} from_reason[N_REASONS] = {
	[REASON_NONE] = { 480, "Temporarily Unavailable", 31 },
	[REASON_HANGUP] = { 480, "Temporarily Unavailable", 16 },
	[REASON_CANCELLED] = { 487, "Request Terminated", 16 },
	[REASON_ANSWERED_ELSEWHERE] = { 480, "Temporarily Unavailable", 26 },
	[REASON_TRANSFERRED] = { 487, "Request Terminated", 16 },
	[REASON_BUSY] = { 486, "Busy Here", 17 },
	[REASON_DECLINED] = { 603, "Decline", 21 },
	[REASON_NO_ANSWER] = { 480, "Temporarily Unavailable", 19 },
	[REASON_UNREACHABLE] = { 480, "Temporarily Unavailable", 20 },
	[REASON_NOT_FOUND] = { 404, "Not Found", 1 },
	[REASON_GONE] = { 410, "Gone", 22 },
	[REASON_INCOMPLETE] = { 484, "Address Incomplete", 28 },
	[REASON_FORBIDDEN] = { 403, "Forbidden", 57 },
	/* the far network wants credentials of ours, not of this caller */
	[REASON_NOT_AUTHORIZED] = { 403, "Forbidden", 50 },
	[REASON_INCOMPATIBLE] = { 488, "Not Acceptable Here", 88 },
	[REASON_NO_TRANSCODING] = { 488, "Not Acceptable Here", 88 },
	/* not 503: calls that need no transcoding are taken */
	[REASON_TRANSCODING_BUSY] = { 488, "Not Acceptable Here", 47 },
	[REASON_IP_VERSION] = { 488, "Not Acceptable Here", 88 },
	[REASON_SECURITY] = { 488, "Not Acceptable Here", 63 },
	/* not 503: a proxy would take the whole gateway for dead */
	[REASON_NO_MEDIA] = { 500, "Server Internal Error", 41 },
	[REASON_MEDIA_LOST] = { 500, "Server Internal Error", 41 },
	[REASON_TIMEOUT] = { 408, "Request Timeout", 102 },
	[REASON_OVERLOAD] = { 503, "Service Unavailable", 42 },
	[REASON_NETWORK_ERROR] = { 500, "Server Internal Error", 38 },
	[REASON_PROTOCOL_ERROR] = { 500, "Server Internal Error", 111 },
	[REASON_ADMIN] = { 480, "Temporarily Unavailable", 31 },
	[REASON_SHUTDOWN] = { 503, "Service Unavailable", 41 },
	[REASON_LOOP] = { 482, "Loop Detected", 25 },
	[REASON_CRASHED] = { 500, "Server Internal Error", 41 },
};

typedef struct {
	guint first, last; /* status or cause */
	Reason reason;
} Range;

/* What is not named falls to the range of its class, which stands last. */
static const Range from_status[] = {
	{ 301, 301, REASON_GONE },
	{ 300, 399, REASON_UNREACHABLE },
	{ 400, 400, REASON_PROTOCOL_ERROR },
	{ 401, 401, REASON_NOT_AUTHORIZED },
	{ 402, 403, REASON_FORBIDDEN },
	{ 404, 404, REASON_NOT_FOUND },
	{ 406, 406, REASON_INCOMPATIBLE },
	{ 407, 407, REASON_NOT_AUTHORIZED },
	{ 408, 408, REASON_TIMEOUT },
	{ 410, 410, REASON_GONE },
	{ 415, 415, REASON_INCOMPATIBLE },
	{ 428, 429, REASON_SECURITY },	/* identity: RFC 8224 */
	{ 433, 433, REASON_FORBIDDEN }, /* anonymity disallowed */
	{ 436, 438, REASON_SECURITY },
	{ 480, 480, REASON_UNREACHABLE },
	{ 482, 483, REASON_LOOP },
	{ 484, 485, REASON_INCOMPLETE },
	{ 486, 486, REASON_BUSY },
	/* not after a CANCEL of ours: somebody's timer on the way ran out */
	{ 487, 487, REASON_NO_ANSWER },
	{ 488, 488, REASON_INCOMPATIBLE },
	{ 493, 494, REASON_SECURITY },
	{ 400, 499, REASON_NETWORK_ERROR },
	{ 503, 503, REASON_OVERLOAD },
	{ 504, 504, REASON_TIMEOUT },
	{ 580, 580, REASON_INCOMPATIBLE },
	{ 500, 599, REASON_NETWORK_ERROR },
	{ 600, 600, REASON_BUSY },
	{ 604, 604, REASON_NOT_FOUND },
	{ 606, 606, REASON_INCOMPATIBLE },
	{ 600, 699, REASON_DECLINED }, /* 603; 607 unwanted; 608 rejected on the way */
};

static const Range from_cause[] = {
	{ 1, 3, REASON_NOT_FOUND },
	{ 17, 17, REASON_BUSY },
	{ 18, 19, REASON_NO_ANSWER },
	{ 20, 20, REASON_UNREACHABLE },
	{ 21, 21, REASON_DECLINED },
	{ 22, 22, REASON_GONE },
	{ 23, 23, REASON_UNREACHABLE },
	{ 25, 25, REASON_LOOP },
	{ 26, 26, REASON_ANSWERED_ELSEWHERE },
	{ 27, 27, REASON_UNREACHABLE },
	{ 28, 28, REASON_INCOMPLETE },
	{ 29, 29, REASON_FORBIDDEN },
	{ 0, 31, REASON_HANGUP },
	{ 34, 34, REASON_OVERLOAD },
	{ 42, 42, REASON_OVERLOAD },
	{ 47, 47, REASON_OVERLOAD },
	{ 32, 47, REASON_NETWORK_ERROR },
	{ 50, 50, REASON_NOT_AUTHORIZED }, /* facility not subscribed */
	{ 52, 57, REASON_FORBIDDEN },
	{ 58, 58, REASON_INCOMPATIBLE },
	{ 48, 63, REASON_NETWORK_ERROR },
	{ 64, 79, REASON_INCOMPATIBLE },
	{ 87, 87, REASON_FORBIDDEN },
	{ 88, 88, REASON_INCOMPATIBLE },
	{ 102, 102, REASON_TIMEOUT },
	{ 80, 111, REASON_PROTOCOL_ERROR },
	{ 112, 127, REASON_NETWORK_ERROR },
};

static Reason
look_up(const Range *ranges, guint n, guint number)
{
	for (guint i = 0; i < n; i++) {
		if (number >= ranges[i].first && number <= ranges[i].last)
			return ranges[i].reason;
	}
	return REASON_NETWORK_ERROR;
}

guint
sip_reason_to_status(Reason reason, const char **phrase)
{
	if (phrase)
		*phrase = from_reason[reason].phrase;
	return from_reason[reason].status;
}

Reason
sip_reason_from_status(guint status)
{
	return look_up(from_status, G_N_ELEMENTS(from_status), status);
}

guint
sip_reason_to_q850(Reason reason)
{
	return from_reason[reason].cause;
}

Reason
sip_reason_from_q850(guint cause)
{
	return look_up(from_cause, G_N_ELEMENTS(from_cause), cause);
}

/* A long text ends with a whole word. */
static gsize
whole_words(const char *text)
{
	const char *blank;

	if (strlen(text) <= MAX_TEXT)
		return MAX_TEXT;
	blank = g_strrstr_len(text, MAX_TEXT + 1, " ");
	return blank ? (gsize)(blank - text) : MAX_TEXT;
}

/* RFC 3261 25.1 quoted-string; what would end the line becomes a blank. */
static void
append_quoted(GString *header, const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	const gsize most = whole_words(valid);
	const char *end;

	g_string_append(header, ";text=\"");
	for (const char *at = valid; *at && (gsize)(at - valid) < most; at = end) {
		end = g_utf8_next_char(at);
		if ((guchar)*at < 0x20 || *at == 0x7f) {
			g_string_append_c(header, ' ');
			continue;
		}
		if (*at == '"' || *at == '\\')
			g_string_append_c(header, '\\');
		g_string_append_len(header, at, end - at);
	}
	g_string_append_c(header, '"');
}

char *
sip_reason_to_header(Reason reason, const char *text)
{
	GString *header = g_string_new(NULL);

	if (reason ==
	    REASON_ANSWERED_ELSEWHERE) { /* RFC 3326 3.1: telephones show no missed call */
		g_string_append(header, "SIP;cause=200");
		text = "Call completed elsewhere"; /* the very words some telephones look for */
	} else {
		g_string_append_printf(header, "Q.850;cause=%u", sip_reason_to_q850(reason));
	}
	if (text && *text)
		append_quoted(header, text);
	return g_string_free(header, FALSE);
}

/* --- parsing --- */

/* Where the piece that begins at `at` ends: at one of `ends` outside quotes. */
static const char *
piece_end(const char *at, const char *ends)
{
	gboolean quoted = FALSE;

	for (; *at; at++) {
		if (quoted && *at == '\\' && at[1])
			at++;
		else if (*at == '"')
			quoted = !quoted;
		else if (!quoted && strchr(ends, *at))
			break;
	}
	return at;
}

/* One "name" or "name = value" piece: its value when the name is `name`. */
static char *
piece_value(const char *at, const char *end, const char *name)
{
	g_autofree char *piece = g_strndup(at, (gsize)(end - at));
	char *equals = strchr(piece, '=');

	if (!equals)
		return NULL;
	*equals = '\0';
	if (g_ascii_strcasecmp(g_strstrip(piece), name) != 0)
		return NULL;
	return g_strdup(g_strstrip(equals + 1));
}

/* A decimal number of at most three digits, or -1. */
static int
parse_number(const char *text)
{
	gsize digits = strspn(text, "0123456789");

	return digits > 0 && digits <= 3 && text[digits] == '\0' ? atoi(text) : -1;
}

/* "Q.850;cause=16;text=..." between `at` and `end`: protocol and cause. */
static char *
parse_value(const char *at, const char *end, int *cause)
{
	const char *stop = piece_end(at, ";,");
	char *protocol = g_strstrip(g_strndup(at, (gsize)(stop - at)));

	*cause = -1;
	while (stop < end) {
		g_autofree char *value = NULL;

		at = stop + 1;
		stop = piece_end(at, ";,");
		value = piece_value(at, stop, "cause");
		if (value && *cause < 0)
			*cause = parse_number(value);
	}
	return protocol;
}

gboolean
sip_reason_from_header(const char *value, Reason *reason)
{
	gboolean elsewhere = FALSE;
	int q850 = -1, status = -1;
	const char *end;

	for (const char *at = value; at && *at; at = *end ? end + 1 : end) {
		g_autofree char *protocol = NULL;
		int cause;

		end = piece_end(at, ",");
		protocol = parse_value(at, end, &cause);
		if (g_ascii_strcasecmp(protocol, "Q.850") == 0 && cause >= 0 && cause <= 127)
			q850 = cause;
		else if (g_ascii_strcasecmp(protocol, "SIP") == 0 && cause == 200)
			elsewhere = TRUE;
		else if (g_ascii_strcasecmp(protocol, "SIP") == 0 && cause >= 300 && cause <= 699)
			status = cause;
	}
	if (elsewhere)
		*reason = REASON_ANSWERED_ELSEWHERE;
	else if (q850 >= 0)
		*reason = sip_reason_from_q850((guint)q850);
	else if (status >= 0)
		*reason = sip_reason_from_status((guint)status);
	return elsewhere || q850 >= 0 || status >= 0;
}
