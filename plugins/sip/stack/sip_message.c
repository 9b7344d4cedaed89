/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_message.c - see sip_message.h.
 *
 * Thread: any (pure).
 */
#include "plugins/sip/stack/sip_message.h"
#include <gio/gio.h>
#include <string.h>

#define MAX_ID	     120     /* bytes of a name that is kept as it is */
#define TAG_LENGTH   16	     /* hex digits */
#define MAX_LANGUAGE 35	     /* RFC 5646 4.4.1 */
#define MAX_UNPACKED 65536   /* bytes */
#define ASKED	     "imdn " /* an origin of a text whose author wants to hear of it */

/* --- types --- */

/* "Text/Plain ; charset=x" is "text/plain". */
static gboolean
is_type(const char *value, const char *type)
{
	gsize length = strlen(type);

	value += strspn(value, " \t");
	return g_ascii_strncasecmp(value, type, length) == 0 && strchr(" \t;", value[length]);
}

/* The charset of a type, in lower case and unquoted; NULL: none is said. */
static char *
charset_of(const char *type)
{
	g_auto(GStrv) params = g_strsplit(type, ";", 16);

	for (guint i = 1; params[0] && params[i]; i++) {
		char *param = g_strstrip(params[i]);
		gsize name = strcspn(param, "= \t");
		const char *value = strchr(param, '=');

		if (!value || name != strlen("charset") ||
		    g_ascii_strncasecmp(param, "charset", name) != 0)
			continue;
		param = g_ascii_strdown(value + 1, -1);
		return g_strstrip(g_strdelimit(param, "\"", ' '));
	}
	return NULL;
}

/* --- the text --- */

static void
refuse(Message *message, guint status, const char *phrase)
{
	message->kind = MESSAGE_REFUSED;
	message->status = status;
	message->phrase = phrase;
}

/* What says ISO-8859-1 mostly means the other, which has more in the same places. */
static char *
from_latin(const char *data, gsize size)
{
	char *text = g_convert(data, (gssize)size, "UTF-8", "WINDOWS-1252", NULL, NULL, NULL);

	return text ? text : g_convert(data, (gssize)size, "UTF-8", "ISO-8859-1", NULL, NULL, NULL);
}

/* Those that gateways to mobile networks write; NULL: it is none of them, or not in it. */
static char *
from_other(const char *charset, const char *data, gsize size)
{
	static const char *const OTHERS[] = {
		"iso-8859-2",	"iso-8859-5",	"iso-8859-7",	"iso-8859-9",	"iso-8859-15",
		"windows-1250", "windows-1251", "windows-1252", "windows-1253", "windows-1254",
		"windows-1255", "windows-1256", "koi8-r",	"koi8-u",	"utf-16",
		"utf-16be",	"utf-16le",	"gb2312",	"gbk",		"gb18030",
		"big5",		"shift_jis",	"euc-jp",	"euc-kr",	NULL
	};
	g_autofree char *text = NULL;
	gsize length;

	if (!g_strv_contains(OTHERS, charset))
		return NULL;
	text = g_convert(data, (gssize)size, "UTF-8", charset, NULL, &length, NULL);
	return text && strlen(text) == length ? g_steal_pointer(&text) : NULL;
}

/* As UTF-8, new; NULL: it is refused.  Where no charset is said it is UTF-8 (RFC 3261 7.4.1);
 * what is none is taken for ISO-8859-1, as what cannot say its charset mostly is.  One that says
 * UTF-8 has been cut within a character: the rest of it can be read. */
static char *
decode(Message *message, const char *type, const char *data, gsize size)
{
	static const char *const UTF8[] = { "utf-8", "utf8", "us-ascii", "ascii", NULL };
	static const char *const LATIN[] = { "iso-8859-1", "iso_8859-1", "latin1", NULL };
	g_autofree char *charset = charset_of(type);
	gboolean latin = charset && g_strv_contains(LATIN, charset);
	char *text;

	if (charset && !latin && !g_strv_contains(UTF8, charset)) {
		text = from_other(charset, data, size);
		if (!text)
			refuse(message, 415, "Unsupported Media Type");
		return text;
	}
	while (size > 0 && data[size - 1] == '\0') /* of a sender that counts its string's end */
		size--;
	if (!latin && g_utf8_validate(data, (gssize)size, NULL))
		return g_strndup(data, size);
	if (memchr(data, '\0', size)) {
		refuse(message, 400, "Bad Text");
		return NULL;
	}
	return charset && !latin ? g_utf8_make_valid(data, (gssize)size) : from_latin(data, size);
}

/* Lines end by LF; what no screen shows, and no XML may carry, goes. */
static void
tidy(char *text)
{
	char *to = text;

	for (const char *at = text, *next; *at; at = next) {
		gunichar c = g_utf8_get_char(at);

		next = g_utf8_next_char(at);
		if (c == '\r' && *next != '\n')
			*to++ = '\n';
		else if ((c >= ' ' && c != 0x7f && (c < 0x80 || c >= 0xa0) && c < 0xfffe) ||
			 c > 0xffff || c == '\n' || c == '\t')
			while (at < next)
				*to++ = *at++;
	}
	*to = '\0';
}

static gboolean
is_blank(const char *text)
{
	return !text[strspn(text, " \t\n")];
}

static void
read_text(Message *message, const char *type, const char *data, gsize size, gsize max)
{
	if (size > max) {
		refuse(message, 413, "Request Entity Too Large");
		return;
	}
	message->body = decode(message, type, data, size);
	if (!message->body)
		return;
	tidy(message->body);
	if (is_blank(message->body))
		refuse(message, 400, "No Text");
	else if (strlen(message->body) > max)
		refuse(message, 413, "Request Entity Too Large");
	else
		message->kind = MESSAGE_TEXT;
}

/* The first of a Content-Language that is one; NULL: none. */
static char *
read_language(const char *value)
{
	gsize length = value ? strcspn(value, ", \t;") : 0;

	if (!length || length > MAX_LANGUAGE || !g_ascii_isalpha(value[0]))
		return NULL;
	for (gsize i = 0; i < length; i++)
		if (!g_ascii_isalnum(value[i]) && value[i] != '-')
			return NULL;
	return g_strndup(value, length);
}

static void
read_report(Message *message, const char *data, gsize size)
{
	g_clear_pointer(&message->id, g_free);
	if (imdn_read(data, size, &message->id, &message->report))
		message->kind = MESSAGE_REPORT;
	else
		refuse(message, 400, "Bad Report");
}

/* FALSE: it is of none of the types. */
static gboolean
read_simple(Message *message, const char *type, const char *data, gsize size, gsize max)
{
	if (is_type(type, "text/plain"))
		read_text(message, type, data, size, max);
	else if (is_type(type, IMDN_TYPE))
		read_report(message, data, size);
	else if (is_type(type, "application/im-iscomposing+xml"))
		message->kind = MESSAGE_TYPING;
	else
		return FALSE;
	return TRUE;
}

static gint64
read_date(const char *text)
{
	g_autoptr(GDateTime) date = text ? g_date_time_new_from_iso8601(text, NULL) : NULL;

	return date ? MAX(g_date_time_to_unix(date), 0) : 0;
}

static gboolean
is_as_it_is(const char *transfer)
{
	static const char *const PLAIN[] = { "7bit", "8bit", "binary", NULL };
	g_autofree char *word = transfer ? g_ascii_strdown(transfer, -1) : NULL;

	return !word || g_strv_contains(PLAIN, word);
}

static void
read_envelope(Message *message, const char *data, gsize size, gsize max)
{
	g_auto(Cpim) cpim = { 0 };

	if (!cpim_read(data, size, &cpim)) {
		refuse(message, 400, "Bad CPIM");
		return;
	}
	message->enveloped = TRUE;
	message->written = read_date(cpim.date_time);
	message->id = g_strdup(cpim.id);
	message->wants = cpim.id ? cpim.wants : 0;
	if (cpim.language) {
		g_free(message->language);
		message->language = read_language(cpim.language);
	}
	if (!is_as_it_is(cpim.encoding) ||
	    !read_simple(message, cpim.type ? cpim.type : "text/plain", cpim.body, cpim.size, max))
		refuse(message, 415, "Unsupported Media Type");
}

/* --- Content-Encoding --- */

static gboolean
is_encoded(const char *encoding)
{
	return encoding && *encoding && g_ascii_strcasecmp(encoding, "identity") != 0;
}

/* RFC 9110 8.4.1: there "deflate" is what zlib makes; some leave zlib's two bytes away. */
static GZlibCompressorFormat
format_of(const char *encoding, const char *data)
{
	const guchar *head = (const guchar *)data;

	if (g_ascii_strcasecmp(encoding, "deflate") != 0)
		return G_ZLIB_COMPRESSOR_FORMAT_GZIP;
	return (head[0] & 0x0f) == 8 && (head[0] * 256 + head[1]) % 31 == 0
		       ? G_ZLIB_COMPRESSOR_FORMAT_ZLIB
		       : G_ZLIB_COMPRESSOR_FORMAT_RAW;
}

/* Linphone sends all but words compressed.  New; NULL: it is refused. */
static char *
unpack(Message *message, const char *encoding, const char *data, gsize size, gsize *length)
{
	static const char *const KNOWN[] = { "deflate", "gzip", "x-gzip", NULL };
	g_autofree char *lower = g_ascii_strdown(encoding, -1), *out = NULL;
	g_autoptr(GZlibDecompressor) zlib = NULL;
	GConverterResult result;
	gsize read;

	if (!g_strv_contains(KNOWN, lower)) {
		refuse(message, 415, "Unsupported Media Type");
		return NULL;
	}
	if (size < 2) {
		refuse(message, 400, "Bad Content-Encoding");
		return NULL;
	}
	zlib = g_zlib_decompressor_new(format_of(lower, data));
	out = g_malloc(MAX_UNPACKED);
	result = g_converter_convert(G_CONVERTER(zlib), data, size, out, MAX_UNPACKED,
				     G_CONVERTER_INPUT_AT_END, &read, length, NULL);
	if (result == G_CONVERTER_FINISHED)
		return g_steal_pointer(&out);
	if (result == G_CONVERTER_CONVERTED && *length == MAX_UNPACKED)
		refuse(message, 413, "Request Entity Too Large");
	else
		refuse(message, 400, "Bad Content-Encoding");
	return NULL;
}

static void
read_plain(Message *message, const char *type, const char *data, gsize size, gsize max)
{
	if (!size)
		refuse(message, 400, "No Text");
	else if (!type)
		refuse(message, 400, "No Content-Type");
	else if (is_type(type, CPIM_TYPE))
		read_envelope(message, data, size, max);
	else if (!read_simple(message, type, data, size, max))
		refuse(message, 415, "Unsupported Media Type");
}

void
message_read(const MessageHeaders *headers, const char *data, gsize size, gsize max,
	     Message *message)
{
	g_autofree char *unpacked = NULL;
	gsize length = 0;

	*message = (Message){ .language = read_language(headers->language) };
	if (!is_encoded(headers->encoding)) {
		read_plain(message, headers->type, data, size, max);
		return;
	}
	unpacked = unpack(message, headers->encoding, data, size, &length);
	if (unpacked)
		read_plain(message, headers->type, unpacked, length, max);
}

void
message_clear(Message *message)
{
	g_free(message->body);
	g_free(message->language);
	g_free(message->id);
	*message = (Message){ 0 };
}

/* --- names --- */

/* One that is long, or has a blank in it, is kept by its hash. */
static char *
short_name(const char *name)
{
	gboolean plain = strlen(name) <= MAX_ID;

	for (const char *at = name; plain && *at; at++)
		plain = g_ascii_isgraph(*at);
	return plain ? g_strdup(name) : g_compute_checksum_for_string(G_CHECKSUM_SHA256, name, -1);
}

char *
message_origin(const Message *message, const MessageNames *names)
{
	g_autofree char *whole = NULL, *name = NULL;

	/* An id that cannot be kept cannot be told its author either. */
	if (message->id && strlen(message->id) <= MAX_ID) {
		name = g_compute_checksum_for_string(G_CHECKSUM_SHA256, names->to, -1);
		return g_strdup_printf(ASKED "%u/%.*s %s", message->wants, TAG_LENGTH, name,
				       message->id);
	}
	whole = g_strdup_printf("%s;%u;%s;%s", names->call_id, names->cseq,
				names->tag ? names->tag : "", names->to);
	name = short_name(whole);
	return g_strconcat("sip ", name, NULL);
}

guint
message_wanted(const char *origin, char **id)
{
	const char *name;
	char *end;
	guint64 wants;

	*id = NULL;
	if (!origin || !g_str_has_prefix(origin, ASKED))
		return 0;
	wants = g_ascii_strtoull(origin + strlen(ASKED), &end, 10);
	name = strchr(end, ' ');
	if (name && name[1])
		*id = g_strdup(name + 1);
	return *id ? (guint)wants : 0;
}

/* --- answers --- */

/* The first that fits decides.  What a server cannot do now is tried again, and so is somebody
 * who is busy or away; what it will not do, or nobody can mend by waiting, is not. */
Outcome
message_outcome(guint status, gboolean later)
{
	static const struct {
		guint first, last;
		Outcome outcome;
	} OUTCOMES[] = {
		{ 200, 200, OUTCOME_DELIVERED }, { 201, 299, OUTCOME_SENT },
		{ 408, 408, OUTCOME_AGAIN },	 { 423, 425, OUTCOME_AGAIN },
		{ 429, 430, OUTCOME_AGAIN },	 { 480, 481, OUTCOME_AGAIN },
		{ 486, 487, OUTCOME_AGAIN },	 { 491, 491, OUTCOME_AGAIN },
		{ 501, 501, OUTCOME_NEVER },	 { 505, 505, OUTCOME_NEVER },
		{ 513, 513, OUTCOME_NEVER },	 { 500, 599, OUTCOME_AGAIN },
		{ 600, 600, OUTCOME_AGAIN },
	};

	for (guint i = 0; i < G_N_ELEMENTS(OUTCOMES); i++)
		if (status >= OUTCOMES[i].first && status <= OUTCOMES[i].last)
			return OUTCOMES[i].outcome;
	/* RFC 3261 21.4.11, 21.4.4: with a Retry-After it is for now */
	return later ? OUTCOME_AGAIN : OUTCOME_NEVER;
}
