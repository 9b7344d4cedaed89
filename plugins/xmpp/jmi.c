/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* jmi.c - Jingle Message Initiation, XML <-> struct.
 * Thread: any (pure).
 */
#include "plugins/xmpp/jmi.h"

#include <string.h>

#include "media/desc.h"
#include "plugins/xmpp/xmpp_reason.h"

#define NS_OMEMO_DEVICE "http://gultsch.de/xmpp/drafts/omemo/dlts-srtp-verification"

/* Sixteen times what XEP-0353 shows; longer ones are nobody's call. */
#define MAX_ID 1024

#define ID_PREFIX "jm-" /* of our messages' own ids; then the kind, "-", the session */

G_DEFINE_QUARK(jmi - error - quark, jmi_error)

static const char *const names[N_JMI_KINDS] = {
	[JMI_PROPOSE] = "propose", [JMI_RINGING] = "ringing", [JMI_PROCEED] = "proceed",
	[JMI_ACCEPT] = "accept",   [JMI_REJECT] = "reject",   [JMI_RETRACT] = "retract",
	[JMI_FINISH] = "finish",
};

const char *
jmi_kind_name(JmiKind kind)
{
	return (guint)kind < N_JMI_KINDS ? names[kind] : "unknown";
}

static gboolean
kind_from_name(const char *name, JmiKind *kind)
{
	for (guint i = 0; i < N_JMI_KINDS; i++) {
		if (strcmp(names[i], name) == 0) {
			*kind = i;
			return TRUE;
		}
	}
	return FALSE;
}

/* The first element of ours that we know; newer ones are passed over. */
static const xmlNode *
find(const xmlNode *message, JmiKind *kind)
{
	const xmlNode *child;

	if (!xml_is_stanza(message, "message"))
		return NULL;
	child = xml_child(message, NS_JMI, NULL);
	while (child && !kind_from_name(xml_name(child), kind))
		child = xml_next(child, NS_JMI, NULL);
	return child;
}

static void
read_media(Jmi *jmi, const xmlNode *element)
{
	const xmlNode *child = xml_child(element, NS_RTP, "description");

	for (; child && jmi->media->len < DESC_MAX_STREAMS;
	     child = xml_next(child, NS_RTP, "description")) {
		const char *media = xml_attribute(child, "media");
		if (media && *media)
			g_ptr_array_add(jmi->media, g_strdup(media));
	}
}

static gboolean
is_reason_name(const char *name)
{
	const char *known;

	for (guint i = 0; (known = xmpp_reason_jingle_name(i)); i++)
		if (strcmp(known, name) == 0)
			return TRUE;
	return FALSE;
}

static void
read_reason(Jmi *jmi, const xmlNode *element)
{
	const xmlNode *reason = xml_child(element, NULL, "reason"), *child;

	for (child = xml_child(reason, NULL, NULL); child && !jmi->reason;
	     child = xml_next(child, NULL, NULL))
		if (strcmp(xml_name(child), "text") != 0)
			jmi->reason = g_strdup(xml_name(child));
	/* XEP-0353 0.3 had <busy/> without a <reason/> around it. */
	for (child = xml_child(element, NULL, NULL); child && !jmi->reason;
	     child = xml_next(child, NULL, NULL))
		if (is_reason_name(xml_name(child)))
			jmi->reason = g_strdup(xml_name(child));
	jmi->reason_text = xml_line(xml_child(reason ? reason : element, NULL, "text"));
}

Jmi *
jmi_parse(const xmlNode *message, GError **error)
{
	JmiKind kind;
	const xmlNode *element = find(message, &kind);
	const char *id = xml_attribute(element, "id");
	Jmi *jmi;

	if (!element)
		return NULL;
	if (!id || !*id || strlen(id) > MAX_ID) {
		g_set_error(error, JMI_ERROR_DOMAIN, 0, "<%s/> %s", names[kind],
			    id && *id ? "whose id is too long" : "without an id");
		return NULL;
	}
	jmi = g_new0(Jmi, 1);
	jmi->kind = kind;
	jmi->id = g_strdup(id);
	jmi->media = g_ptr_array_new_with_free_func(g_free);
	jmi->message_id = g_strdup(xml_attribute(message, "id"));
	jmi->receipt_wanted =
		jmi->message_id && *jmi->message_id && xml_child(message, NS_RECEIPTS, "request");
	jmi->bounced = g_strcmp0(xml_attribute(message, "type"), "error") == 0;
	jmi->delayed = xml_delay(message, &jmi->stamp);
	jmi->tie_break = xml_child(element, NULL, "tie-break") != NULL;
	jmi->migrated = g_strdup(xml_attribute(xml_child(element, NULL, "migrated"), "to"));
	jmi->device = g_strdup(xml_attribute(xml_child(element, NS_OMEMO_DEVICE, "device"), "id"));
	read_media(jmi, element);
	read_reason(jmi, element);
	return jmi;
}

void
jmi_free(Jmi *jmi)
{
	if (!jmi)
		return;
	g_free(jmi->id);
	g_ptr_array_unref(jmi->media);
	g_free(jmi->reason);
	g_free(jmi->reason_text);
	g_free(jmi->migrated);
	g_free(jmi->device);
	g_free(jmi->message_id);
	g_free(jmi);
}

gboolean
jmi_has_media(const Jmi *jmi, const char *media)
{
	return g_ptr_array_find_with_equal_func(jmi->media, media, g_str_equal, NULL);
}

gboolean
jmi_kind_without_id(const xmlNode *message, JmiKind *kind)
{
	const xmlNode *element = find(message, kind);
	const char *id = xml_attribute(element, "id");

	return element && (!id || !*id);
}

const char *
jmi_returned(const xmlNode *message, JmiKind *kind)
{
	const char *id = xml_attribute(message, "id");

	if (!xml_is_stanza(message, "message") ||
	    g_strcmp0(xml_attribute(message, "type"), "error") != 0 || !id ||
	    !g_str_has_prefix(id, ID_PREFIX))
		return NULL;
	id += strlen(ID_PREFIX);
	for (guint i = 0; i < N_JMI_KINDS; i++) {
		gsize length = strlen(names[i]);

		if (strncmp(id, names[i], length) == 0 && id[length] == '-' && id[length + 1]) {
			*kind = i;
			return id + length + 1;
		}
	}
	return NULL;
}

const char *
jmi_receipt(const xmlNode *message)
{
	const char *id;

	if (!xml_is_stanza(message, "message"))
		return NULL;
	id = xml_attribute(xml_child(message, NS_RECEIPTS, "received"), "id");
	return id && *id ? id : NULL;
}

static xmlNode *
message_new(const char *from, const char *to)
{
	return xml_stanza_new("message", "chat", from, to);
}

static void
add_reason(xmlNode *element, const JmiBuild *what)
{
	xmlNode *reason;

	if (!what->reason)
		return;
	reason = xml_add(element, NS_JINGLE, "reason");
	xml_add(reason, NULL, what->reason);
	if (what->text)
		xml_add_text(xml_add(reason, NULL, "text"), what->text);
}

static void
add_id(xmlNode *message, const JmiBuild *what)
{
	g_autofree char *id =
		g_strconcat(ID_PREFIX, jmi_kind_name(what->kind), "-", what->id, NULL);

	xml_set(message, "id", id);
}

static void
add_proposal(xmlNode *message, xmlNode *element)
{
	xml_set(xml_add(element, NS_RTP, "description"), "media", "audio");
	xml_add(message, NS_RECEIPTS, "request");
}

xmlNode *
jmi_build(const JmiBuild *what)
{
	xmlNode *message = message_new(what->from, what->to);
	xmlNode *element = xml_add(message, NS_JMI, jmi_kind_name(what->kind));

	add_id(message, what);
	xml_set(element, "id", what->id);
	if (what->kind == JMI_PROPOSE && what->nick)
		xml_add_text(xml_add(message, NS_NICK, "nick"), what->nick);
	if (what->kind == JMI_PROPOSE)
		add_proposal(message, element);
	else
		add_reason(element, what);
	if (what->migrated)
		xml_set(xml_add(element, NS_JMI, "migrated"), "to", what->migrated);
	if (what->alone) {
		xml_add(message, NS_CARBONS, "private");
		xml_add(message, NS_HINTS, "no-copy");
		xml_add(message, NS_HINTS, "no-store");
	} else
		xml_add(message, NS_HINTS, "store");
	return message;
}

xmlNode *
jmi_build_receipt(const char *from, const char *to, const char *message_id)
{
	xmlNode *message = message_new(from, to);

	xml_set(xml_add(message, NS_RECEIPTS, "received"), "id", message_id);
	xml_add(message, NS_HINTS, "store");
	return message;
}
