/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_outbox.c - see xmpp_outbox.h.
 *
 *   send()  →  waiting  →  written  →  covered by a ping  →  text_sent()
 *                             └────────────┴── the stream ends, or 30 s pass → text_failed()
 */
#include "plugins/xmpp/xmpp_outbox.h"
#include "plugins/xmpp/im.h"
#include "plugins/xmpp/xmpp_reason.h"
#include <string.h>

#define WINDOW	    64	 /* texts written and not yet known to have come */
#define WAITING_MAX 1000 /* texts behind them */
#define PING_MS	    30000
#define PING_ID	    "texts-"
#define OLD_S	    60 /* from then on it is told when a text was written, as of one sent again */

typedef struct {
	gint64 id;
	char *stanza;
	guint64 ping; /* the one behind it; 0: none yet */
} Item;

struct XmppOutbox {
	Xmpp *xmpp;
	GQueue waiting, written; /* Item */
	guint64 last;		 /* number of the last ping */
	gboolean pinging;
	Timer *timer; /* while it is on its way */
};

static void
item_free(gpointer data)
{
	Item *item = data;

	g_free(item->stanza);
	g_free(item);
}

XmppOutbox *
xmpp_outbox_new(Xmpp *xmpp)
{
	XmppOutbox *outbox = g_new0(XmppOutbox, 1);

	outbox->xmpp = xmpp;
	return outbox;
}

void
xmpp_outbox_free(XmppOutbox *outbox)
{
	if (!outbox)
		return;
	timer_clear(&outbox->timer);
	g_queue_clear_full(&outbox->waiting, item_free);
	g_queue_clear_full(&outbox->written, item_free);
	g_free(outbox);
}

guint
xmpp_outbox_waiting(const XmppOutbox *outbox)
{
	return outbox->waiting.length + outbox->written.length;
}

/* --- what is not known to have come --- */

static GArray *
take_ids(GQueue *items, GArray *ids)
{
	Item *item;

	while ((item = g_queue_pop_head(items))) {
		g_array_append_val(ids, item->id);
		item_free(item);
	}
	return ids;
}

/* The core may send more from inside of each call, which then finds the queues as they are. */
static void
fail_all(XmppOutbox *outbox, Reason reason, const char *words)
{
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
	Gateway *gateway = outbox->xmpp->gateway;

	timer_clear(&outbox->timer);
	outbox->pinging = FALSE;
	take_ids(&outbox->written, ids);
	take_ids(&outbox->waiting, ids);
	for (guint i = 0; i < ids->len; i++)
		text_failed(gateway, g_array_index(ids, gint64, i), TRUE, reason, words);
}

static void
on_ping_lost(gpointer user)
{
	fail_all(user, REASON_TIMEOUT, "the XMPP server does not answer");
}

static void
ping(XmppOutbox *outbox)
{
	Xmpp *xmpp = outbox->xmpp;
	xmlNode *iq = xml_stanza_new("iq", "get", xmpp->domain, xmpp->domain);
	g_autofree char *id = g_strdup_printf(PING_ID "%" G_GUINT64_FORMAT, ++outbox->last);

	for (GList *at = outbox->written.tail; at && !((Item *)at->data)->ping; at = at->prev)
		((Item *)at->data)->ping = outbox->last;
	outbox->pinging = TRUE;
	timer_set(&outbox->timer, PING_MS, on_ping_lost, outbox);
	xml_set(iq, "id", id);
	xml_add(iq, NS_PING, "ping");
	xmpp_component_send(xmpp, iq);
}

static void
pump(XmppOutbox *outbox)
{
	while (outbox->written.length < WINDOW && outbox->waiting.length > 0) {
		Item *item = g_queue_pop_head(&outbox->waiting);

		xmpp_stream_send(outbox->xmpp->stream, item->stanza);
		g_clear_pointer(&item->stanza, g_free);
		g_queue_push_tail(&outbox->written, item);
	}
	if (!outbox->pinging && outbox->written.length > 0)
		ping(outbox);
}

gboolean
xmpp_outbox_ping(XmppOutbox *outbox, const xmlNode *iq, const Address *from)
{
	const char *id = xml_attribute(iq, "id");
	g_autoptr(GArray) ids = NULL;
	guint64 number;
	Item *item;

	/* a server lets nobody else speak for us */
	if (!id || !g_str_has_prefix(id, PING_ID) || from->user ||
	    g_ascii_strcasecmp(from->host, outbox->xmpp->domain) != 0 ||
	    !g_ascii_string_to_unsigned(id + strlen(PING_ID), 10, 1, G_MAXUINT64, &number, NULL))
		return FALSE;
	if (!outbox->pinging || number != outbox->last)
		return TRUE; /* of an earlier stream */
	timer_clear(&outbox->timer);
	outbox->pinging = FALSE;
	ids = g_array_new(FALSE, FALSE, sizeof(gint64));
	while ((item = g_queue_peek_head(&outbox->written)) && item->ping == number) {
		g_array_append_val(ids, item->id);
		item_free(g_queue_pop_head(&outbox->written));
	}
	for (guint i = 0; i < ids->len; i++)
		text_sent(outbox->xmpp->gateway, g_array_index(ids, gint64, i));
	pump(outbox);
	return TRUE;
}

/* --- the stanza of a text --- */

static const char *
secret(const Xmpp *xmpp)
{
	return gateway_config(xmpp->gateway)->xmpp_secret;
}

/* A message of type error reaches the one client that is on line and is kept by no server. */
static gboolean
is_there(const Xmpp *xmpp, const Text *text)
{
	const GPtrArray *devices = xmpp_accounts_devices(xmpp->accounts, text->account);

	for (guint i = 0; devices && i < devices->len; i++)
		if (g_strcmp0(((const XmppDevice *)devices->pdata[i])->jid, text->device) == 0)
			return TRUE;
	return FALSE;
}

static xmlNode *
build_error(const Xmpp *xmpp, const Text *text, const char *from)
{
	const XmlStanzaError error = { .type = "cancel",
				       .condition = "recipient-unavailable",
				       .text = text->body };
	const char *about = text->about ? im_origin_id(text->about) : NULL;
	g_autofree char *id = im_id(secret(xmpp), text->account, text->id);
	const ImBuild line = { .from = from, .to = text->account, .id = id, .body = text->body };

	if (about && is_there(xmpp, text))
		return im_error_new(from, text->device, about, &error);
	return im_build(&line);
}

static xmlNode *
build_receipt(const Text *text, const char *from)
{
	const char *about = text->about ? im_origin_id(text->about) : NULL;

	return about && text->device ? jmi_build_receipt(from, text->device, about) : NULL;
}

/* A copy is the gateway's word, not a carbon: a server takes those from the account alone
 * (XEP-0280 section 11), and a client would rightly drop one from us. */
static xmlNode *
build_words(const Xmpp *xmpp, const Text *text, const char *from)
{
	g_autofree char *id = im_id(secret(xmpp), text->account, text->id);
	gboolean copy = text->kind == TEXT_COPY;
	gboolean old = text->repeated || xmpp_ring_age(text->written) > OLD_S;
	g_autofree char *words = NULL;
	ImBuild build = { .from = from,
			  .to = text->account,
			  .id = id,
			  .body = text->body,
			  .language = text->language,
			  .receipt = !copy,
			  .written = text->written,
			  .kept_by = old ? xmpp->domain : NULL };

	if (copy && text->device)
		build.body = words = g_strdup_printf("You (from %s): %s", text->device, text->body);
	else if (copy)
		build.body = words = g_strdup_printf("You: %s", text->body);
	else if (text->from->scheme != ADDRESS_ANONYMOUS && text->from->name && *text->from->name)
		build.nick = text->from->name;
	return im_build(&build);
}

static xmlNode *
build(const Xmpp *xmpp, const Text *text)
{
	g_autofree char *from = xmpp_local_of(xmpp, text->from);

	switch (text->kind) {
	case TEXT_RECEIPT:
		return build_receipt(text, from);
	case TEXT_ERROR:
		return build_error(xmpp, text, from);
	default:
		return build_words(xmpp, text, from);
	}
}

void
xmpp_outbox_send(XmppOutbox *outbox, const Text *text)
{
	Xmpp *xmpp = outbox->xmpp;
	g_autoptr(xmlNode) stanza = NULL;
	Item *item;

	if (!xmpp_stream_is_up(xmpp->stream)) {
		text_failed(xmpp->gateway, text->id, TRUE, REASON_NETWORK_ERROR,
			    "the XMPP server is away");
		return;
	}
	if (outbox->waiting.length >= WAITING_MAX) {
		text_failed(xmpp->gateway, text->id, TRUE, REASON_OVERLOAD,
			    "too many texts wait for the XMPP server");
		return;
	}
	stanza = build(xmpp, text);
	if (!stanza) { /* a receipt for what has no name: nobody can be told */
		text_sent(xmpp->gateway, text->id);
		return;
	}
	item = g_new0(Item, 1);
	item->id = text->id;
	item->stanza = xml_print(stanza);
	g_queue_push_tail(&outbox->waiting, item);
	pump(outbox);
}

void
xmpp_outbox_up(XmppOutbox *outbox)
{
	text_way_is_up(outbox->xmpp->gateway, WAY_ACCOUNT, NULL);
}

void
xmpp_outbox_down(XmppOutbox *outbox)
{
	fail_all(outbox, REASON_NETWORK_ERROR, "the connection to the XMPP server has broken");
}

/* --- what is said of them --- */

/* The text is settled: whatever the ping says of it is no news. */
static void
forget(XmppOutbox *outbox, gint64 id)
{
	for (GList *at = outbox->written.head; at; at = at->next) {
		if (((Item *)at->data)->id != id)
			continue;
		item_free(at->data);
		g_queue_delete_link(&outbox->written, at);
		return;
	}
}

/* TRUE: that account may speak of it. */
static gboolean
is_text(const XmppOutbox *outbox, const Address *from, const char *name, gint64 *id)
{
	g_autofree char *account = address_bare_jid(from);

	return im_id_read(secret(outbox->xmpp), account, name, id);
}

void
xmpp_outbox_received(XmppOutbox *outbox, const Address *from, const char *name)
{
	gint64 id;

	if (!is_text(outbox, from, name, &id))
		return;
	forget(outbox, id);
	text_delivered(outbox->xmpp->gateway, id);
}

/* What may be otherwise in an hour.  A server without a store for who is off line says
 * service-unavailable, and so does one where the number is blocked: the first may come back. */
static gboolean
may_pass(const XmlStanzaError *error)
{
	static const char *const passing[] = {
		"service-unavailable",	   "recipient-unavailable",
		"remote-server-not-found", "resource-constraint",
		"remote-server-timeout",   "internal-server-error",
		"undefined-condition",	   NULL,
	};

	return g_strcmp0(error->type, "wait") == 0 || !error->condition ||
	       g_strv_contains(passing, error->condition);
}

void
xmpp_outbox_bounced(XmppOutbox *outbox, const xmlNode *message, const Address *from)
{
	XmlStanzaError error;
	g_autofree char *words = NULL;
	gint64 id;

	/* one client's refusal: it went to the account, whose others may have it */
	if (from->resource || !xml_stanza_error(message, &error) ||
	    !is_text(outbox, from, xml_attribute(message, "id"), &id))
		return;
	words = g_strdup_printf("the XMPP server says %s",
				error.condition ? error.condition : "that it failed");
	forget(outbox, id);
	text_failed(outbox->xmpp->gateway, id, may_pass(&error),
		    xmpp_reason_from_error(error.condition), words);
}
