/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_digits.c - keys past the audio: a chat message to the number one is talking
 * with, and XEP-0181 to a client that has announced it.
 *
 * Many clients have no key pad, all can send a message.  What is not keys is a text,
 * during a call as at any time.
 */
#include "plugins/xmpp/xmpp_caps.h"
#include "plugins/xmpp/xmpp_leg.h"
#include <string.h>

#define MAX_TEXT 64

/* "12 34, 5#" without its blanks; NULL when there is anything else, or no key. */
char *
xmpp_digits_read(const char *text)
{
	GString *keys = g_string_new(NULL);
	gboolean pressed = FALSE;

	for (; *text && keys->len <= MAX_TEXT; text++) {
		if (strchr("0123456789*#ABCDabcd", *text))
			pressed = TRUE;
		else if (*text != ',' && !g_ascii_isspace(*text))
			break;
		if (!g_ascii_isspace(*text))
			g_string_append_c(keys, *text);
	}
	if (*text || !pressed) {
		g_string_free(keys, TRUE);
		return NULL;
	}
	return g_string_free(keys, FALSE);
}

static gboolean
is_chat(const xmlNode *message)
{
	const char *type = xml_attribute(message, "type");

	return g_strcmp0(type, "error") != 0 && g_strcmp0(type, "groupchat") != 0 &&
	       g_strcmp0(type, "headline") != 0;
}

static void
send_receipt(Xmpp *xmpp, const xmlNode *message)
{
	const char *id = xml_attribute(message, "id");

	if (id && *id && xml_child(message, NS_RECEIPTS, "request"))
		xmpp_send_sure(xmpp, jmi_build_receipt(xml_attribute(message, "to"),
						       xml_attribute(message, "from"), id));
}

gboolean
xmpp_digits_message(Xmpp *xmpp, const xmlNode *message, const Address *from, const Address *to)
{
	const xmlNode *body = xml_child(message, NULL, "body");
	g_autofree char *text = NULL, *keys = NULL, *bare = NULL;
	gint64 stamp;
	XmppLeg *leg;

	if (!body || !is_chat(message) ||
	    (xml_delay(message, &stamp) && xmpp_ring_age(stamp) > XMPP_MAX_AGE_S))
		return FALSE;
	bare = address_bare_jid(from);
	leg = xmpp_find_talking(xmpp, bare, to);
	if (!leg)
		return FALSE;
	text = xml_text(body);
	keys = xmpp_digits_read(text);
	if (!keys)
		return FALSE;
	leg_trace(&leg->leg, TRACE_IN, "chat message: keys");
	send_receipt(xmpp, message);
	leg_digits(&leg->leg, keys);
	return TRUE;
}

void
xmpp_digits_send(XmppLeg *leg, char key)
{
	JingleSession session = { .sid = leg->sid };

	if (leg->state != XMPP_TALKING)
		return;
	if (!(xmpp_accounts_can(leg->xmpp->accounts, leg->peer_bare, leg->peer) & XMPP_CAN_DTMF)) {
		leg_trace(&leg->leg, TRACE_NOTE, "the client takes no keys");
		return;
	}
	xmpp_leg_out(leg, "session-info dtmf");
	xmpp_leg_request(leg, jingle_build_key(&session, key));
}
