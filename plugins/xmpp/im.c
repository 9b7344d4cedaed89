/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* im.c - see im.h.
 * Thread: any (pure, but for the origin of a message that has no origin-id).
 */
#include "plugins/xmpp/im.h"
#include "b2bua/text.h"
#include <string.h>

#define NS_OMEMO       "urn:xmpp:omemo:2"
#define NS_OMEMO_OLD   "eu.siacs.conversations.axolotl"
#define NS_OPENPGP     "urn:xmpp:openpgp:0"
#define NS_OPENPGP_OLD "jabber:x:encrypted"
#define NS_EME	       "urn:xmpp:eme:0"
#define NS_MAM	       "urn:xmpp:mam:2"
#define NS_CORRECT     "urn:xmpp:message-correct:0"
#define NS_REACTIONS   "urn:xmpp:reactions:0"
#define NS_RETRACT     "urn:xmpp:message-retract:1"
#define NS_RETRACT_OLD "urn:xmpp:message-retract:0"
#define NS_FASTEN      "urn:xmpp:fasten:0"
#define NS_INVITE      "jabber:x:conference"
#define NS_MUC_USER    "http://jabber.org/protocol/muc#user"
#define NS_OOB	       "jabber:x:oob"
#define NS_SFS	       "urn:xmpp:sfs:0"
#define NS_URL_DATA    "http://jabber.org/protocol/url-data"
#define NS_REFERENCE   "urn:xmpp:reference:0"
#define NS_SIMS	       "urn:xmpp:sims:1"
#define NS_XHTML       "http://jabber.org/protocol/xhtml-im"
#define NS_SID	       "urn:xmpp:sid:0"

#define OTR	   "?OTR"
#define CORRECTION "Correction: "
#define MAX_ID                                                                                \
	1000 /* so that an origin is within what the core keeps as it is; who names a message \
	      * longer hears nothing of it */
#define MAX_LANGUAGE 35 /* RFC 5646 4.4.1 */
#define MAX_FILES    16 /* of one message */
#define TAG_LENGTH   16 /* hex digits */
#define ID_PREFIX    "text-"

/* --- the words --- */

/* RFC 6121 5.2.3: one body of each language; the one that has none is for everybody. */
static const xmlNode *
find_body(const xmlNode *message)
{
	const char *ns = xml_ns(message);
	const xmlNode *body = xml_child(message, ns, "body"), *found = NULL;

	for (; body; body = xml_next(body, ns, "body")) {
		g_autofree char *text = xml_text(body), *language = xml_language(body);

		if (!*text)
			continue;
		if (!language)
			return body;
		if (!found)
			found = body;
	}
	return found;
}

static char *
text_or_null(char *text)
{
	if (text && *text)
		return text;
	g_free(text);
	return NULL;
}

static char *
child_text(const xmlNode *node, const char *ns, const char *name)
{
	const xmlNode *child = xml_child(node, ns, name);

	return child ? text_or_null(xml_text(child)) : NULL;
}

/* XEP-0071, of a client that has forgotten the body beside it. */
static char *
html_text(const xmlNode *message)
{
	const xmlNode *html = xml_child(message, NS_XHTML, "html");
	xmlChar *content = html ? xmlNodeGetContent((xmlNode *)html) : NULL;
	char *text = content ? text_or_null(g_strstrip(g_strdup((const char *)content))) : NULL;

	xmlFree(content);
	return text;
}

static char *
read_language(const xmlNode *message, const xmlNode *body)
{
	char *language = body ? xml_language(body) : NULL;

	if (!language)
		language = xml_language(message);
	if (language &&
	    (!*language || strlen(language) > MAX_LANGUAGE ||
	     strspn(language, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-") != strlen(language)))
		g_clear_pointer(&language, g_free);
	return language;
}

/* --- addresses of files --- */

static void
add_address(GPtrArray *files, char *address)
{
	if (address && *address && files->len < MAX_FILES &&
	    !g_ptr_array_find_with_equal_func(files, address, g_str_equal, NULL))
		g_ptr_array_add(files, address);
	else
		g_free(address);
}

static void
read_oob(const xmlNode *message, GPtrArray *files)
{
	const xmlNode *x = xml_child(message, NS_OOB, "x");

	for (; x; x = xml_next(x, NS_OOB, "x"))
		add_address(files, child_text(x, NS_OOB, "url"));
}

/* XEP-0447: several sources of one file; one is enough. */
static void
read_sources(const xmlNode *parent, GPtrArray *files)
{
	const xmlNode *sources = xml_child(parent, NS_SFS, "sources");
	const xmlNode *url = xml_child(sources, NS_URL_DATA, "url-data");

	add_address(files, g_strdup(xml_attribute(url, "target")));
}

/* Where the upload takes its time they come later, by themselves. */
static void
read_sharing(const xmlNode *message, GPtrArray *files)
{
	const xmlNode *sharing = xml_child(message, NS_SFS, "file-sharing");

	for (; sharing; sharing = xml_next(sharing, NS_SFS, "file-sharing"))
		read_sources(sharing, files);
	read_sources(message, files);
}

/* XEP-0385. */
static gboolean
read_media(const xmlNode *message, GPtrArray *files)
{
	const xmlNode *reference = xml_child(message, NS_REFERENCE, "reference");
	gboolean any = FALSE;

	for (; reference; reference = xml_next(reference, NS_REFERENCE, "reference")) {
		const xmlNode *media = xml_child(reference, NS_SIMS, "media-sharing");
		const xmlNode *sources = xml_child(media, NS_SIMS, "sources");
		const xmlNode *source = xml_child(sources, NS_REFERENCE, "reference");

		any |= media != NULL;
		add_address(files, g_strdup(xml_attribute(source, "uri")));
	}
	return any;
}

/* TRUE when there is a file, with an address or without. */
static gboolean
read_files(const xmlNode *message, GPtrArray *files)
{
	gboolean any = read_media(message, files);

	read_oob(message, files);
	read_sharing(message, files);
	return any || xml_child(message, NS_OOB, "x") || xml_child(message, NS_SFS, "file-sharing");
}

/* --- which kind --- */

/* What else is of these namespaces is a wish beside the words (XEP-0280 section 9: private). */
static gboolean
is_copy(const xmlNode *message)
{
	return xml_child(message, NS_CARBONS, "received") ||
	       xml_child(message, NS_CARBONS, "sent") || xml_child(message, NS_MAM, "result");
}

/* What it names is a key that is passed on, when there are no words in it. */
static gboolean
is_omemo(const xmlNode *message, gboolean *words)
{
	static const char *const spaces[] = { NS_OMEMO, NS_OMEMO_OLD };
	gboolean any = FALSE;

	*words = FALSE;
	for (guint i = 0; i < G_N_ELEMENTS(spaces); i++) {
		const xmlNode *encrypted = xml_child(message, spaces[i], "encrypted");

		any |= encrypted != NULL;
		*words |= xml_child(encrypted, spaces[i], "payload") != NULL;
	}
	return any;
}

static gboolean
is_encrypted(const xmlNode *message, const char *body)
{
	return xml_child(message, NS_OPENPGP, "openpgp") ||
	       xml_child(message, NS_OPENPGP_OLD, "x") ||
	       (body && (xml_child(message, NS_EME, "encryption") || g_str_has_prefix(body, OTR)));
}

static gboolean
is_retraction(const xmlNode *message)
{
	const xmlNode *old = xml_child(message, NS_FASTEN, "apply-to");

	return xml_child(message, NS_RETRACT, "retract") ||
	       xml_child(message, NS_RETRACT_OLD, "retract") ||
	       xml_child(old, NS_RETRACT_OLD, "retract");
}

static gboolean
is_invitation(const xmlNode *message)
{
	return xml_child(message, NS_INVITE, "x") ||
	       xml_child(xml_child(message, NS_MUC_USER, "x"), NS_MUC_USER, "invite");
}

/* What is known before its words are looked at; N_IM_KINDS: they say. */
static ImKind
kind_of_envelope(const xmlNode *message, const char *body)
{
	const char *type = xml_attribute(message, "type");
	gboolean words;

	if (g_strcmp0(type, "error") == 0 || g_strcmp0(type, "headline") == 0 || is_copy(message))
		return IM_NOTHING;
	if (g_strcmp0(type, "groupchat") == 0 || is_invitation(message))
		return IM_ROOM;
	if (is_omemo(message, &words))
		return words ? IM_ENCRYPTED : IM_NOTHING;
	if (is_encrypted(message, body))
		return IM_ENCRYPTED;
	return is_retraction(message) ? IM_RETRACTION : N_IM_KINDS;
}

/* --- all of it --- */

/* The words and the addresses of the files, each once; NULL: there are none. */
static char *
put_together(const xmlNode *message, const char *words, const GPtrArray *files)
{
	g_autofree char *subject = child_text(message, xml_ns(message), "subject");
	GString *all = g_string_new(NULL);

	if (words && xml_child(message, NS_CORRECT, "replace"))
		g_string_append(all, CORRECTION);
	if (subject)
		g_string_append_printf(all, words ? "%s\n" : "%s", subject);
	if (words)
		g_string_append(all, words);
	for (guint i = 0; i < files->len; i++)
		if (!words || !strstr(words, files->pdata[i]))
			g_string_append_printf(all, all->len ? "\n%s" : "%s",
					       (const char *)files->pdata[i]);
	return text_or_null(g_string_free(all, FALSE));
}

static char *
tag_of(const char *kind, const char *to, const char *id, const char *body)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	const char *const parts[] = { kind, "\n", to, "\n", id, "\n", body };

	for (guint i = 0; i < G_N_ELEMENTS(parts); i++)
		g_checksum_update(sum, (const guchar *)parts[i], -1);
	return g_strndup(g_checksum_get_string(sum), TAG_LENGTH);
}

/* To whom, without a resource. */
static char *
read_addressee(const xmlNode *message)
{
	const char *to = xml_attribute(message, "to");

	return g_strndup(to ? to : "", to ? strcspn(to, "/") : 0);
}

const char *
im_sole_id(const xmlNode *message)
{
	const char *id = xml_attribute(xml_child(message, NS_SID, "origin-id"), "id");

	return id && *id ? id : NULL;
}

/* What the author calls it stands behind the tag. */
static char *
origin_of(const char *tag, const char *id)
{
	return g_strconcat(tag, "/", id && strlen(id) <= MAX_ID ? id : "", NULL);
}

/* Of one that is known by its id. */
static char *
origin_at(gint64 hour, const char *to, const char *id, const char *body)
{
	g_autofree char *kind = g_strdup_printf("id of %" G_GINT64_FORMAT, hour);
	g_autofree char *tag = tag_of(kind, to, id, body);

	return origin_of(tag, id);
}

/* An origin-id is no other message's, ever (XEP-0359).  An id is so as long as a stream lasts
 * (RFC 6120 8.1.3), and there are clients that count from 1 at each start: so it is one message
 * only together with its words, and within an hour, which may have begun in the clock's hour
 * before.  Where there is neither, each message is another: a text that comes twice is better
 * than one that never does.  One message that is sent to several (XEP-0033) is a text to each. */
static void
read_origin(const xmlNode *message, Im *im)
{
	g_autofree char *to = read_addressee(message), *tag = NULL, *uuid = NULL;
	const char *id = xml_attribute(message, "id");
	const char *origin_id = im_sole_id(message);
	gint64 hour;

	if (origin_id) {
		tag = tag_of("origin-id", to, origin_id, "");
		im->origin = origin_of(tag, id);
	} else if (id && *id) {
		hour = (im->written ? im->written : g_get_real_time() / G_USEC_PER_SEC) /
		       TEXT_NEAR_SECONDS;
		im->origin = origin_at(hour, to, id, im->body);
		im->near = g_new0(char *, 3);
		im->near[0] = origin_at(hour - 1, to, id, im->body);
		im->near[1] = origin_at(hour + 1, to, id, im->body);
	} else {
		uuid = g_uuid_string_random();
		tag = tag_of("none", to, uuid, im->body);
		im->origin = origin_of(tag, id);
	}
}

const char *
im_origin_id(const char *origin)
{
	const char *id = strchr(origin, '/');

	return id && id[1] ? id + 1 : NULL;
}

/* XEP-0461 puts what is answered before the answer, each line behind a ">". */
static const char *
after_quote(const char *words)
{
	while (*words == '>') {
		words += strcspn(words, "\n");
		words += *words == '\n';
	}
	return words;
}

char *
im_plain(const xmlNode *message)
{
	const xmlNode *body = find_body(message);
	g_autofree char *words = body ? xml_text(body) : NULL;

	if (kind_of_envelope(message, words) != N_IM_KINDS)
		return NULL;
	return words ? text_or_null(g_strdup(after_quote(words))) : NULL;
}

Im *
im_read(const xmlNode *message)
{
	const xmlNode *node = find_body(message);
	g_autofree char *words = node ? xml_text(node) : html_text(message);
	g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
	gboolean has_file = read_files(message, files);
	Im *im = g_new0(Im, 1);

	im->delayed = xml_delay(message, &im->written);
	im->kind = kind_of_envelope(message, words);
	if (im->kind != N_IM_KINDS)
		return im;
	im->body = put_together(message, words, files);
	if (im->body) {
		im->kind = IM_TEXT;
		im->language = read_language(message, node);
		read_origin(message, im);
		im->receipt =
			im_origin_id(im->origin) && xml_child(message, NS_RECEIPTS, "request");
	} else if (xml_child(message, NS_REACTIONS, "reactions")) {
		im->kind = IM_REACTION;
	} else {
		im->kind = has_file ? IM_FILE : IM_NOTHING;
	}
	return im;
}

void
im_free(Im *im)
{
	if (!im)
		return;
	g_free(im->body);
	g_free(im->language);
	g_free(im->origin);
	g_strfreev(im->near);
	g_free(im);
}

/* --- ours --- */

static void
add_delay(xmlNode *message, const ImBuild *what)
{
	g_autoptr(GDateTime) when = g_date_time_new_from_unix_utc(what->written);
	g_autofree char *stamp = when ? g_date_time_format(when, "%Y-%m-%dT%H:%M:%SZ") : NULL;
	xmlNode *delay;

	if (!stamp)
		return;
	delay = xml_add(message, NS_DELAY, "delay");
	xml_set(delay, "from", what->kept_by);
	xml_set(delay, "stamp", stamp);
}

xmlNode *
im_build(const ImBuild *what)
{
	xmlNode *message = xml_stanza_new("message", "chat", what->from, what->to), *body;

	xml_set(message, "id", what->id);
	body = xml_add(message, NULL, "body");
	xml_add_text(body, what->body);
	xml_set(body, "xml:lang", what->language);
	if (what->nick)
		xml_add_text(xml_add(message, NS_NICK, "nick"), what->nick);
	xml_set(xml_add(message, NS_SID, "origin-id"), "id", what->id);
	if (what->receipt)
		xml_add(message, NS_RECEIPTS, "request");
	if (what->written && what->kept_by)
		add_delay(message, what);
	xml_add(message, NS_HINTS, "store");
	return message;
}

xmlNode *
im_error_new(const char *from, const char *to, const char *id, const XmlStanzaError *what)
{
	g_autoptr(xmlNode) message = xml_stanza_new("message", NULL, to, from);

	xml_set(message, "id", id);
	return xml_message_error(message, what);
}

static char *
sign(const char *secret, const char *account, gint64 text)
{
	g_autofree char *key = g_utf8_strdown(account, -1);
	g_autofree char *signed_text = g_strdup_printf("%" G_GINT64_FORMAT " %s", text, key);
	g_autofree char *mac = g_compute_hmac_for_string(G_CHECKSUM_SHA256, (const guchar *)secret,
							 strlen(secret), signed_text, -1);

	return g_strndup(mac, TAG_LENGTH);
}

char *
im_id(const char *secret, const char *account, gint64 text)
{
	g_autofree char *mac = sign(secret, account, text);

	return g_strdup_printf(ID_PREFIX "%" G_GINT64_FORMAT "-%s", text, mac);
}

gboolean
im_id_read(const char *secret, const char *account, const char *id, gint64 *text)
{
	g_autofree char *ours = NULL;

	if (!id || !g_str_has_prefix(id, ID_PREFIX))
		return FALSE;
	*text = g_ascii_strtoll(id + strlen(ID_PREFIX), NULL, 10);
	if (*text <= 0)
		return FALSE;
	ours = im_id(secret, account, *text);
	return g_str_equal(ours, id);
}
