/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_origin.c - who may speak in a dialog: the one it stands with, from where he is.
 *
 * The guard asks when it parses a Call-ID, before sofia has looked for a dialog: one
 * look-up by hash for a request of no dialog, and no more for one from the usual place.
 * Thread: signalling.
 */
#include "plugins/sip/dialog/sip_origin.h"
#include "plugins/sip/stack/sip_counters.h"
#include "plugins/sip/stack/sip_guard.h"
#include "plugins/sip/stack/sip_header.h"
#include "plugins/sip/peers/sip_phone.h"
#include "plugins/sip/stack/sip_resolve.h"
#include <string.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/su.h>
#include <sofia-sip/su_alloc.h>

/* Where a request came from: "192.0.2.1:5060", "[2001:db8::1]:5060". */
typedef struct {
	char address[INET6_ADDRSTRLEN];
	char *endpoint;
} Origin;

static gboolean
read_origin(const su_sockaddr_t *from, Origin *origin)
{
	if (!from || (from->su_family != AF_INET && from->su_family != AF_INET6))
		return FALSE;
	su_inet_ntop(from->su_family, SU_ADDR(from), origin->address, sizeof origin->address);
	origin->endpoint = g_strdup_printf(strchr(origin->address, ':') ? "[%s]:%u" : "%s:%u",
					   origin->address, ntohs(from->su_port));
	return TRUE;
}

/* "udp:192.0.2.1:5060", as phone_source() writes it.  Of a connection the port says
 * nothing: the next one has another. */
static gboolean
is_at(const Origin *origin, const char *source)
{
	const char *there = source ? strchr(source, ':') : NULL;
	const char *port = there ? strrchr(origin->endpoint, ':') : NULL;

	if (!port)
		return FALSE;
	if (g_str_has_prefix(source, "udp:"))
		return strcmp(there + 1, origin->endpoint) == 0;
	return strncmp(there + 1, origin->endpoint, (gsize)(port - origin->endpoint + 1)) == 0;
}

/* The address alone. */
static gboolean
is_near(const Origin *origin, const char *source)
{
	const char *there = source ? strchr(source, ':') : NULL;
	const char *port = strrchr(origin->endpoint, ':');

	return there &&
	       strncmp(there + 1, origin->endpoint, (gsize)(port - origin->endpoint + 1)) == 0;
}

static gboolean
is_host(const Origin *origin, const char *uri)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	g_autoptr(GInetAddress) said = NULL, is = NULL;
	g_autofree char *host = NULL;
	url_t *url;

	su_home_init(home);
	url = url_make(home, uri);
	host = url && url->url_host ? g_strdelimit(g_strdup(url->url_host), "[]", ' ') : NULL;
	su_home_deinit(home);
	said = host ? resolve_numeric(g_strstrip(host)) : NULL;
	is = resolve_numeric(origin->address);
	return said && is && g_inet_address_equal(said, is);
}

/* The nearest hop of its route set, or its Contact. */
static gboolean
is_next_hop(const Origin *origin, const SipLeg *leg)
{
	const char *open = leg->routes ? strchr(leg->routes, '<') : NULL;
	g_autofree char *nearest =
		open ? g_strndup(open + 1, strcspn(open + 1, ">")) : g_strdup(leg->target);

	return nearest && is_host(origin, nearest);
}

/* Where the names of the dialog lead (sip_hop.h). */
static gboolean
is_our_way(const Origin *origin, const SipLeg *leg)
{
	g_autofree char *source = leg->next_hop ? header_hop_source(leg->next_hop) : NULL;
	g_autofree char *there = source ? g_strconcat("hop:", source, NULL) : NULL;

	return is_near(origin, there);
}

static gboolean
is_registered(const Origin *origin, const SipLeg *leg)
{
	g_autoptr(GPtrArray) contacts = way_registered(leg->way);

	for (guint i = 0; contacts && i < contacts->len; i++)
		if (is_at(origin, ((const Contact *)contacts->pdata[i])->received))
			return TRUE;
	return FALSE;
}

static gboolean
phone_may_speak(const Origin *origin, const SipLeg *leg, sip_method_t method)
{
	if (method == sip_method_refer ? is_at(origin, leg->origin)
				       : is_near(origin, leg->way->phone))
		return TRUE;
	return is_registered(origin, leg);
}

static gboolean
may_speak(const Origin *origin, const SipLeg *leg, sip_method_t method)
{
	g_autoptr(GInetAddress) address = NULL;

	if (way_is_phone(leg->way))
		return phone_may_speak(origin, leg, method);
	if (is_near(origin, leg->origin) || is_next_hop(origin, leg) || is_our_way(origin, leg))
		return TRUE;
	address = resolve_numeric(origin->address);
	return address && way_owns(leg->way, address);
}

static gboolean
admits(gpointer user, const su_sockaddr_t *from, sip_method_t method, const char *call_id)
{
	SipUa *ua = user;
	const SipLeg *leg = g_hash_table_lookup(ua->dialogs, call_id);
	Origin origin = { "", NULL };
	gboolean may;

	if (!leg || !read_origin(from, &origin))
		return TRUE;
	may = may_speak(&origin, leg, method);
	if (!may) {
		sip_count(COUNTER_SIP_FOREIGN_DIALOGS);
		leg_trace(&leg->leg, TRACE_NOTE, "a request in this dialog from %s is refused",
			  origin.endpoint);
	}
	g_free(origin.endpoint);
	return may;
}

void
origin_learn(SipLeg *leg, msg_t *msg)
{
	g_free(leg->origin);
	leg->origin = phone_source(msg, msg ? sip_object(msg) : NULL);
	if (leg->call_id && leg->ua->dialogs)
		g_hash_table_replace(leg->ua->dialogs, g_strdup(leg->call_id), leg);
}

void
origin_follow(SipLeg *leg, msg_t *msg)
{
	g_autofree char *source = phone_source(msg, sip_object(msg));

	if (way_follow(leg->way, source))
		leg_trace(&leg->leg, TRACE_NOTE, "the phone is at %s now", source + strlen("udp:"));
}

void
origin_forget(SipLeg *leg)
{
	GHashTable *dialogs = leg->ua->dialogs;

	if (leg->call_id && dialogs && g_hash_table_lookup(dialogs, leg->call_id) == leg)
		g_hash_table_remove(dialogs, leg->call_id);
	g_clear_pointer(&leg->origin, g_free);
}

void
origin_start(SipUa *ua)
{
	ua->dialogs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	guard_ask_dialog(admits, ua);
}

void
origin_stop(SipUa *ua)
{
	guard_ask_dialog(NULL, NULL);
	g_clear_pointer(&ua->dialogs, g_hash_table_unref);
}
