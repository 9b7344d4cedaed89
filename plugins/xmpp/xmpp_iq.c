/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_iq.c - id → callback, once.
 *
 * All requests have the same time to live, so the oldest is always the next to
 * expire: a queue and one timer do for any number.
 */
#include "plugins/xmpp/xmpp_iq.h"
#include <string.h>

typedef struct {
	char *id, *to;
	XmppIqDone done;
	gpointer user;
	gint64 deadline_us;
} Request;

struct XmppIq {
	guint max;
	XmppIqSend send;
	gpointer user;
	GHashTable *by_id;   /* char * → GList * of `requests` */
	GHashTable *by_user; /* gpointer → GPtrArray of Request, of those with a callback */
	GQueue requests;     /* Request *, oldest first */
	char *prefix;	     /* so that answers to an earlier process are nobody's */
	guint64 number;
	guint timer;
};

static void
request_free(Request *request)
{
	g_free(request->id);
	g_free(request->to);
	g_free(request);
}

static void
add_user(XmppIq *iq, Request *request)
{
	GPtrArray *same = g_hash_table_lookup(iq->by_user, request->user);

	if (!same) {
		same = g_ptr_array_new();
		g_hash_table_insert(iq->by_user, request->user, same);
	}
	g_ptr_array_add(same, request);
}

static void
remove_user(XmppIq *iq, Request *request)
{
	GPtrArray *same = g_hash_table_lookup(iq->by_user, request->user);

	if (!same || !g_ptr_array_remove_fast(same, request) || same->len > 0)
		return;
	g_hash_table_remove(iq->by_user, request->user);
}

static void
finish(XmppIq *iq, GList *link, const xmlNode *answer)
{
	Request *request = link->data;

	g_queue_delete_link(&iq->requests, link);
	if (request->id)
		g_hash_table_remove(iq->by_id, request->id);
	remove_user(iq, request);
	if (request->done)
		request->done(request->user, answer);
	request_free(request);
}

static gboolean on_timer(gpointer data);

static void
set_timer(XmppIq *iq)
{
	Request *oldest = g_queue_peek_head(&iq->requests);
	gint64 wait;

	if (!oldest || iq->timer)
		return;
	wait = MAX(oldest->deadline_us - g_get_monotonic_time(), 0);
	iq->timer = g_timeout_add((guint)(wait / 1000) + 1, on_timer, iq);
}

static gboolean
on_timer(gpointer data)
{
	XmppIq *iq = data;
	gint64 now = g_get_monotonic_time();
	GList *link;

	iq->timer = 0;
	while ((link = iq->requests.head) && ((Request *)link->data)->deadline_us <= now)
		finish(iq, link, NULL);
	set_timer(iq);
	return G_SOURCE_REMOVE;
}

XmppIq *
xmpp_iq_open(guint max, XmppIqSend send, gpointer user)
{
	XmppIq *iq = g_new0(XmppIq, 1);

	iq->max = max;
	iq->send = send;
	iq->user = user;
	iq->by_id = g_hash_table_new(g_str_hash, g_str_equal);
	iq->by_user = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_ptr_array_unref);
	iq->prefix = g_strdup_printf("t%08x", g_random_int());
	return iq;
}

void
xmpp_iq_free(XmppIq *iq)
{
	if (!iq)
		return;
	while (iq->requests.head)
		finish(iq, iq->requests.head, NULL);
	if (iq->timer)
		g_source_remove(iq->timer);
	g_hash_table_unref(iq->by_id);
	g_hash_table_unref(iq->by_user);
	g_free(iq->prefix);
	g_free(iq);
}

void
xmpp_iq_send(XmppIq *iq, xmlNode *request, XmppIqDone done, gpointer user)
{
	Request *entry = g_new0(Request, 1);

	entry->done = done;
	entry->user = user;
	entry->to = g_strdup(xml_attribute(request, "to"));
	add_user(iq, entry);
	if (iq->requests.length >= iq->max) {
		/* Its time is up already; the timer says so, not we. */
		g_queue_push_head(&iq->requests, entry);
		if (iq->timer)
			g_source_remove(iq->timer);
		iq->timer = 0;
		set_timer(iq);
		xml_free(request);
		return;
	}
	entry->id = g_strdup_printf("%s-%" G_GUINT64_FORMAT, iq->prefix, ++iq->number);
	entry->deadline_us = g_get_monotonic_time() + XMPP_IQ_TIMEOUT_S * G_USEC_PER_SEC;
	g_queue_push_tail(&iq->requests, entry);
	g_hash_table_insert(iq->by_id, entry->id, iq->requests.tail);
	set_timer(iq);
	xml_set(request, "id", entry->id);
	iq->send(iq->user, request);
	xml_free(request);
}

void
xmpp_iq_forget(XmppIq *iq, gpointer user)
{
	const GPtrArray *same = g_hash_table_lookup(iq->by_user, user);

	for (guint i = 0; same && i < same->len; i++)
		((Request *)same->pdata[i])->done = NULL;
	g_hash_table_remove(iq->by_user, user);
}

gboolean
xmpp_iq_answer(XmppIq *iq, const xmlNode *answer)
{
	const char *id = xml_attribute(answer, "id");
	const char *from = xml_attribute(answer, "from");
	GList *link = id ? g_hash_table_lookup(iq->by_id, id) : NULL;
	Request *request = link ? link->data : NULL;

	/* RFC 6120 8.1.2.1: an answer comes from whom was asked. */
	if (!request || !from || !request->to || g_ascii_strcasecmp(from, request->to) != 0)
		return FALSE;
	finish(iq, link, answer);
	return TRUE;
}

guint
xmpp_iq_waiting(const XmppIq *iq)
{
	return iq->requests.length;
}
