/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_account.c - who is told that we are here, and who has told us. */
#include "plugins/xmpp/xmpp_account.h"
#include "b2bua/number.h"
#include "b2bua/route/route.h"
#include "plugins/xmpp/xmpp_caps.h"
#include "plugins/xmpp/xmpp_counters.h"
#include <string.h>

#define MAX_DEVICES    16   /* of one user: the oldest goes */
#define MAX_CONTACTS   1000 /* numbers in the roster of one user that are remembered */
#define ANNOUNCE_BATCH 50
#define ANNOUNCE_MS    20

#define GATEWAY "!" /* the domain itself, among the numbers that the store knows */

typedef struct {
	char *local, *to; /* bare both */
	const char *type; /* NULL: available */
} Watcher;

struct XmppAccounts {
	Gateway *gateway;
	char *domain;
	XmppDisco *disco;
	XmppAccountSend send;
	gpointer user;
	XmppDeviceFunc watch; /* NULL: nobody */
	gpointer watch_user;
	GHashTable *devices; /* bare JID → GPtrArray of XmppDevice */
	GQueue announcing;   /* Watcher: told next */
	/* Where the round through all who are subscribed stands; NULL: there is none. */
	char *round_user, *round_number;
	char *probed; /* by the round: one probe is enough for a user */
	guint timer;
};

static void
device_free(gpointer data)
{
	XmppDevice *device = data;

	g_free(device->jid);
	g_free(device);
}

static void
watcher_free(gpointer data)
{
	Watcher *watcher = data;

	g_free(watcher->local);
	g_free(watcher->to);
	g_free(watcher);
}

XmppAccounts *
xmpp_accounts_new(Gateway *gateway, const char *domain, XmppDisco *disco, XmppAccountSend send,
		  gpointer user)
{
	XmppAccounts *accounts = g_new0(XmppAccounts, 1);

	accounts->gateway = gateway;
	accounts->domain = g_strdup(domain);
	accounts->disco = disco;
	accounts->send = send;
	accounts->user = user;
	accounts->devices = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
						  (GDestroyNotify)g_ptr_array_unref);
	return accounts;
}

static void
end_round(XmppAccounts *accounts)
{
	g_clear_pointer(&accounts->round_user, g_free);
	g_clear_pointer(&accounts->round_number, g_free);
	g_clear_pointer(&accounts->probed, g_free);
}

void
xmpp_accounts_free(XmppAccounts *accounts)
{
	if (!accounts)
		return;
	if (accounts->timer)
		g_source_remove(accounts->timer);
	g_queue_clear_full(&accounts->announcing, watcher_free);
	end_round(accounts);
	g_hash_table_unref(accounts->devices);
	g_free(accounts->domain);
	g_free(accounts);
}

/* --- who is who --- */

char *
xmpp_accounts_post_dial(const Address *jid)
{
	g_autofree char *plain = number_unescape(jid->user ? jid->user : "");
	const char *keys = plain + strcspn(plain, ",;");

	return *keys ? g_strdup(keys) : NULL;
}

Address *
xmpp_accounts_callee(const XmppAccounts *accounts, const Address *jid)
{
	g_autofree char *number = NULL, *plain = number_unescape(jid->user ? jid->user : "");

	plain[strcspn(plain, ",;")] = '\0';
	if (number_normalise(plain, &number))
		return address_new(ADDRESS_NUMBER, number, jid->host, NULL);
	return address_new(ADDRESS_JID, jid->user, jid->host, NULL);
}

Address *
xmpp_accounts_dialled(const XmppAccounts *accounts, const Address *jid)
{
	g_autoptr(Address) callee = xmpp_accounts_callee(accounts, jid);
	g_autofree char *keys = xmpp_accounts_post_dial(jid);

	if (keys || g_strcmp0(callee->user, jid->user) == 0)
		return g_steal_pointer(&callee);
	return address_new(ADDRESS_JID, jid->user, jid->host, NULL);
}

gboolean
xmpp_accounts_is_ours(const XmppAccounts *accounts, const Address *jid, const Address *asks)
{
	g_autoptr(Address) callee = NULL;
	g_autofree char *account = asks ? address_bare_jid(asks) : NULL;

	if (g_ascii_strcasecmp(jid->host, accounts->domain) != 0)
		return FALSE;
	if (!jid->user || !*jid->user)
		return jid->resource == NULL;
	if (jid->resource && !g_str_equal(jid->resource, XMPP_RESOURCE))
		return FALSE;
	callee = xmpp_accounts_callee(accounts, jid);
	return route_dialable(accounts->gateway, account, callee) ||
	       g_str_equal(jid->user, "anonymous");
}

XmppStanding
xmpp_accounts_standing(const XmppAccounts *accounts, const Address *jid)
{
	g_autofree char *bare = address_bare_jid(jid);
	g_autofree char *key = g_utf8_strdown(bare, -1);
	guint failures = store_failures(gateway_store(accounts->gateway));
	g_autoptr(User) user = store_user_get(gateway_store(accounts->gateway), key, NULL);

	if (gateway_unread_since(accounts->gateway, failures))
		return XMPP_UNREAD;
	return !user ? XMPP_STRANGER : user->enabled ? XMPP_USER : XMPP_SWITCHED_OFF;
}

gboolean
xmpp_accounts_is_user(const XmppAccounts *accounts, const Address *jid)
{
	return xmpp_accounts_standing(accounts, jid) == XMPP_USER;
}

void
xmpp_accounts_watch(XmppAccounts *accounts, XmppDeviceFunc func, gpointer user)
{
	accounts->watch = func;
	accounts->watch_user = user;
}

/* --- ours --- */

static void
send_simple(XmppAccounts *accounts, const char *type, const char *from, const char *to)
{
	g_autoptr(xmlNode) presence = xml_stanza_new("presence", type, from, to);

	accounts->send(accounts->user, presence);
}

void
xmpp_accounts_show(XmppAccounts *accounts, const char *local, const char *to)
{
	gboolean is_domain = !strchr(local, '@');
	g_autofree char *from =
		is_domain ? g_strdup(local) : g_strconcat(local, "/" XMPP_RESOURCE, NULL);
	g_autoptr(xmlNode) presence = xml_stanza_new("presence", NULL, from, to);

	xml_adopt(presence, xmpp_disco_caps(accounts->disco, is_domain));
	accounts->send(accounts->user, presence);
}

/* What his account may not call is no contact that is there. */
static void
show_or_not(XmppAccounts *accounts, const char *local, const char *to)
{
	g_autoptr(Address) jid = address_from_jid(local), callee = NULL;
	g_autoptr(Address) who = address_from_jid(to);
	g_autofree char *account = who ? address_bare_jid(who) : NULL;

	callee = jid && jid->user ? xmpp_accounts_callee(accounts, jid) : NULL;
	if (!callee || !account || route_permitted(accounts->gateway, account, callee))
		xmpp_accounts_show(accounts, local, to);
	else
		send_simple(accounts, "unavailable", local, to);
}

static const char *
kept_as(const XmppAccounts *accounts, const char *local)
{
	return g_str_equal(local, accounts->domain) ? GATEWAY : local;
}

static void
remember_watcher(XmppAccounts *accounts, const char *local, const char *to)
{
	g_autoptr(GError) error = NULL;

	if (!store_subscriber_add(gateway_store(accounts->gateway), kept_as(accounts, local), to,
				  MAX_CONTACTS, &error))
		g_warning("%s subscribes to %s: not remembered: %s", to, local, error->message);
}

static void
forget_watcher(XmppAccounts *accounts, const char *local, const char *to)
{
	g_autoptr(GError) error = NULL;

	if (!store_subscriber_del(gateway_store(accounts->gateway), kept_as(accounts, local), to,
				  &error))
		g_warning("%s unsubscribes from %s: not forgotten: %s", to, local, error->message);
}

static void
add_watcher(gpointer data, const char *number, const char *to)
{
	XmppAccounts *accounts = data;
	Watcher *watcher = g_new0(Watcher, 1);

	watcher->local = g_strdup(g_str_equal(number, GATEWAY) ? accounts->domain : number);
	watcher->to = g_strdup(to);
	g_queue_push_tail(&accounts->announcing, watcher);
}

static void
add_farewell(gpointer data, const char *number, const char *to)
{
	XmppAccounts *accounts = data;

	add_watcher(accounts, number, to);
	((Watcher *)g_queue_peek_tail(&accounts->announcing))->type = "unavailable";
}

/* The next of all who are subscribed, in the order of the store: no list of them is made,
 * however many there are. */
static void
take_portion(XmppAccounts *accounts)
{
	g_autoptr(GError) error = NULL;
	const Watcher *last;
	guint n = store_subscriber_page(gateway_store(accounts->gateway), accounts->round_user,
					accounts->round_number, ANNOUNCE_BATCH, add_watcher,
					accounts, &error);

	if (error)
		g_warning("subscribers: %s", error->message);
	if (n < ANNOUNCE_BATCH) {
		end_round(accounts);
		return;
	}
	last = g_queue_peek_tail(&accounts->announcing);
	g_free(accounts->round_user);
	g_free(accounts->round_number);
	accounts->round_user = g_strdup(last->to);
	accounts->round_number = g_strdup(kept_as(accounts, last->local));
}

static void
tell(XmppAccounts *accounts, const Watcher *watcher)
{
	if (watcher->type) {
		send_simple(accounts, watcher->type, watcher->local, watcher->to);
		return;
	}
	show_or_not(accounts, watcher->local, watcher->to);
	if (g_strcmp0(accounts->probed, watcher->to) == 0)
		return;
	send_simple(accounts, "probe", watcher->local, watcher->to);
	g_free(accounts->probed);
	accounts->probed = g_strdup(watcher->to);
}

static gboolean
announce_some(gpointer data)
{
	XmppAccounts *accounts = data;

	for (guint i = 0; i < ANNOUNCE_BATCH; i++) {
		Watcher *watcher = g_queue_pop_head(&accounts->announcing);

		if (!watcher)
			break;
		tell(accounts, watcher);
		watcher_free(watcher);
	}
	if (g_queue_is_empty(&accounts->announcing) && accounts->round_user)
		take_portion(accounts);
	if (!g_queue_is_empty(&accounts->announcing))
		return G_SOURCE_CONTINUE;
	g_clear_pointer(&accounts->probed, g_free);
	accounts->timer = 0;
	return G_SOURCE_REMOVE;
}

static void
begin_announcing(XmppAccounts *accounts)
{
	if (!accounts->timer)
		accounts->timer = g_timeout_add(ANNOUNCE_MS, announce_some, accounts);
}

void
xmpp_accounts_announce(XmppAccounts *accounts)
{
	g_queue_clear_full(&accounts->announcing, watcher_free);
	end_round(accounts);
	accounts->round_user = g_strdup("");
	accounts->round_number = g_strdup("");
	take_portion(accounts);
	begin_announcing(accounts);
}

/* Only what that one has to do with: he is told again what is here for him, or that nothing
 * is any more. */
static void
tell_user(XmppAccounts *accounts, const char *jid)
{
	Store *store = gateway_store(accounts->gateway);
	g_autoptr(GError) error = NULL;
	g_autoptr(User) user = store_user_get(store, jid, NULL);

	if (!user) { /* and with him the store has forgotten what was in his roster */
		send_simple(accounts, "unavailable", accounts->domain, jid);
		send_simple(accounts, "unsubscribed", accounts->domain, jid);
		return;
	}
	if (!store_subscriber_of(store, jid, user->enabled ? add_watcher : add_farewell, accounts,
				 &error))
		g_warning("subscribers: %s", error->message);
	begin_announcing(accounts);
}

void
xmpp_accounts_changed(XmppAccounts *accounts, Change what, const char *key)
{
	/* his country decides which numbers are there */
	if (what == CHANGE_USER || what == CHANGE_SETTINGS)
		tell_user(accounts, key);
	else if (what == CHANGE_CONFIG)
		xmpp_accounts_announce(accounts);
}

/* --- theirs --- */

static XmppDevice *
find_device(const XmppAccounts *accounts, const char *bare, const char *jid, guint *index)
{
	GPtrArray *list = g_hash_table_lookup(accounts->devices, bare);

	for (guint i = 0; list && i < list->len; i++) {
		XmppDevice *device = list->pdata[i];

		if (g_str_equal(device->jid, jid)) {
			*index = i;
			return device;
		}
	}
	return NULL;
}

static void
remove_device(XmppAccounts *accounts, const char *bare, const char *jid)
{
	GPtrArray *list = g_hash_table_lookup(accounts->devices, bare);
	guint index;

	if (!find_device(accounts, bare, jid, &index))
		return;
	g_ptr_array_remove_index(list, index);
	if (list->len == 0)
		g_hash_table_remove(accounts->devices, bare);
}

static void
on_can(gpointer user, const char *jid, guint can)
{
	XmppAccounts *accounts = user;
	g_autoptr(Address) address = address_from_jid(jid);
	g_autofree char *bare = address ? address_bare_jid(address) : NULL;
	XmppDevice *device;
	guint index;

	/* He may be gone by now. */
	device = bare ? find_device(accounts, bare, jid, &index) : NULL;
	if (!device)
		return;
	device->can = can;
	if (accounts->watch)
		accounts->watch(accounts->watch_user, bare, jid, FALSE);
}

static gboolean
says_dnd(const xmlNode *presence)
{
	const xmlNode *show = xml_child(presence, NULL, "show");
	g_autofree char *text = show ? xml_text(show) : NULL;

	return g_strcmp0(text, "dnd") == 0;
}

static void
add_device(XmppAccounts *accounts, const char *bare, const char *jid, const xmlNode *presence)
{
	GPtrArray *list = g_hash_table_lookup(accounts->devices, bare);
	g_autofree char *us = NULL;
	const char *to = xml_attribute(presence, "to");
	gboolean has_caps =
		xmpp_caps_of_presence(presence, &(const char *){ NULL }, &(const char *){ NULL });
	XmppDevice *device;
	guint index;

	device = find_device(accounts, bare, jid, &index);
	if (!device) {
		if (!list) {
			list = g_ptr_array_new_with_free_func(device_free);
			g_hash_table_insert(accounts->devices, g_strdup(bare), list);
		}
		if (list->len >= MAX_DEVICES)
			g_ptr_array_remove_index(list, 0);
		device = g_new0(XmppDevice, 1);
		device->jid = g_strdup(jid);
		device->dnd = says_dnd(presence);
		g_ptr_array_add(list, device);
	} else {
		device->dnd = says_dnd(presence);
		if (!has_caps)
			return; /* asked once already */
	}
	us = strchr(to, '@') && !strchr(to, '/') ? g_strconcat(to, "/" XMPP_RESOURCE, NULL)
						 : g_strdup(to);
	xmpp_disco_ask(accounts->disco, us, presence, on_can, accounts);
}

void
xmpp_accounts_forget_devices(XmppAccounts *accounts)
{
	g_hash_table_remove_all(accounts->devices);
}

/* RFC 6121 8.5.2.1: nothing that is sent to the account is for a device of negative
 * priority; who wants it so is not called there. */
static gboolean
takes_messages(const xmlNode *presence)
{
	const xmlNode *node = xml_child(presence, NULL, "priority");
	g_autofree char *text = node ? xml_text(node) : NULL;

	return !text || g_ascii_strtoll(text, NULL, 10) >= 0;
}

typedef struct {
	const xmlNode *presence;
	const char *type;  /* NULL: available */
	char *local;	   /* our bare JID */
	char *bare, *full; /* of the sender */
	gboolean has_resource;
} Presence;

static void
on_known_presence(XmppAccounts *accounts, const Presence *p)
{
	const char *type = p->type;

	if (!type && p->has_resource && !takes_messages(p->presence)) {
		remove_device(accounts, p->bare, p->full);
	} else if (!type && p->has_resource) {
		add_device(accounts, p->bare, p->full, p->presence);
	} else if (g_strcmp0(type, "unavailable") == 0) {
		remove_device(accounts, p->bare, p->full);
		if (accounts->watch && p->has_resource)
			accounts->watch(accounts->watch_user, p->bare, p->full, TRUE);
	} else if (g_strcmp0(type, "subscribe") == 0) {
		send_simple(accounts, "subscribed", p->local, p->bare);
		/* So that we see his devices. */
		send_simple(accounts, "subscribe", p->local, p->bare);
		remember_watcher(accounts, p->local, p->bare);
		show_or_not(accounts, p->local, p->bare);
	} else if (g_strcmp0(type, "probe") == 0) {
		remember_watcher(accounts, p->local, p->bare);
		show_or_not(accounts, p->local, p->full);
	} else if (g_strcmp0(type, "unsubscribe") == 0) {
		forget_watcher(accounts, p->local, p->bare);
		send_simple(accounts, "unsubscribed", p->local, p->bare);
		send_simple(accounts, "unsubscribe", p->local, p->bare);
	}
}

/* Whoever asks for what there is not, or is not ours to answer, is told so once.  Who is
 * switched off may come back, and keeps what is in his roster; who has been deleted is
 * nobody whose presence we want. */
static void
on_stranger(XmppAccounts *accounts, const Presence *p, XmppStanding standing)
{
	gboolean probes = g_strcmp0(p->type, "probe") == 0;

	xmpp_count(COUNTER_XMPP_PRESENCE_REFUSED);
	if (probes && standing == XMPP_SWITCHED_OFF)
		send_simple(accounts, "unavailable", p->local, p->bare);
	else if (probes || g_strcmp0(p->type, "subscribe") == 0)
		send_simple(accounts, "unsubscribed", p->local, p->bare);
	else if (!p->type && standing == XMPP_STRANGER)
		send_simple(accounts, "unsubscribe", p->local, p->bare);
}

void
xmpp_accounts_presence(XmppAccounts *accounts, const xmlNode *presence)
{
	const char *from_text = xml_attribute(presence, "from");
	const char *to_text = xml_attribute(presence, "to");
	g_autoptr(Address) from = from_text ? address_from_jid(from_text) : NULL;
	g_autoptr(Address) to = to_text ? address_from_jid(to_text) : NULL;
	g_autoptr(Address) to_bare = NULL;
	Presence p = { .presence = presence, .type = xml_attribute(presence, "type") };
	guint failures = store_failures(gateway_store(accounts->gateway));
	gboolean is_known;
	XmppStanding standing;

	if (!from || !to || g_strcmp0(p.type, "error") == 0)
		return;
	p.local = address_bare_jid(to);
	p.bare = address_bare_jid(from);
	p.full = address_full_jid(from);
	p.has_resource = from->resource != NULL;
	to_bare = address_from_jid(p.local);
	standing = xmpp_accounts_standing(accounts, from);
	is_known =
		standing == XMPP_USER && to_bare && xmpp_accounts_is_ours(accounts, to_bare, from);
	if (is_known)
		on_known_presence(accounts, &p);
	/* else nothing is said: a subscription that is open comes again (RFC 6121 3.1.2) */
	else if (!gateway_unread_since(accounts->gateway, failures))
		on_stranger(accounts, &p, standing);
	g_free(p.local);
	g_free(p.bare);
	g_free(p.full);
}

const GPtrArray *
xmpp_accounts_devices(const XmppAccounts *accounts, const char *bare_jid)
{
	return g_hash_table_lookup(accounts->devices, bare_jid);
}

guint
xmpp_accounts_can(const XmppAccounts *accounts, const char *bare, const char *full)
{
	guint index;
	const XmppDevice *device = find_device(accounts, bare, full, &index);

	return device ? device->can : 0;
}

gboolean
xmpp_accounts_undisturbed(const XmppAccounts *accounts, const char *bare_jid)
{
	const GPtrArray *devices = xmpp_accounts_devices(accounts, bare_jid);
	gboolean any = FALSE;

	for (guint i = 0; devices && i < devices->len; i++) {
		const XmppDevice *device = devices->pdata[i];

		if (device->can & XMPP_CAN_TELL && !(device->can & XMPP_CAN_AUDIO))
			continue;
		if (!device->dnd)
			return FALSE;
		any = TRUE;
	}
	return any;
}

guint
xmpp_accounts_n_devices(const XmppAccounts *accounts)
{
	GHashTableIter iter;
	gpointer list;
	guint n = 0;

	g_hash_table_iter_init(&iter, accounts->devices);
	while (g_hash_table_iter_next(&iter, NULL, &list))
		n += ((GPtrArray *)list)->len;
	return n;
}
