/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_outside.c - by which address the world sees us; see sip_outside.h. */
#include "plugins/sip/peers/sip_outside.h"
#include "plugins/sip/stack/sip_resolve.h"
#include "plugins/sip/peers/sip_uri.h"
#include <errno.h>
#include <glib-unix.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SETTLE_SECONDS 1 /* of one cable many lines are told */
/* After a change the next one is not believed for so long, doubled with each until there is
 * none for CALM_SECONDS. */
#define FIRST_HOLD_SECONDS 4
#define LAST_HOLD_SECONDS  300
#define CALM_SECONDS	   900

typedef struct {
	char *host;
	guint port;	     /* 0: not known, or not by UDP */
	guint n_moves;	     /* of late */
	gint64 moved, until; /* monotonic; 0: never */
} Seen;

struct Outside {
	const Config *config;
	GHashTable *seen; /* trunk → Seen, owned */
	char *moved_to;	  /* instead of [sip] public_address; NULL: that still holds */
	int netlink;	  /* -1: nobody listens */
	guint source, settling;
	void (*changed)(gpointer user);
	gpointer user;
};

static void
seen_free(gpointer data)
{
	Seen *seen = data;

	g_free(seen->host);
	g_free(seen);
}

Outside *
outside_new(const Config *config)
{
	Outside *self = g_new0(Outside, 1);

	self->config = config;
	self->netlink = -1;
	self->seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, seen_free);
	return self;
}

void
outside_free(Outside *self)
{
	if (!self)
		return;
	g_clear_handle_id(&self->source, g_source_remove);
	g_clear_handle_id(&self->settling, g_source_remove);
	if (self->netlink >= 0)
		close(self->netlink);
	g_hash_table_unref(self->seen);
	g_free(self->moved_to);
	g_free(self);
}

void
outside_forget(Outside *self, const char *trunk)
{
	g_hash_table_remove(self->seen, trunk);
}

/* --- this machine --- */

static gboolean
on_settled(gpointer user)
{
	Outside *self = user;

	self->settling = 0;
	self->changed(self->user);
	return G_SOURCE_REMOVE;
}

/* An address by which others can be reached, or the way to everywhere; not what each
 * container that comes and goes brings with it. */
static gboolean
matters(const struct nlmsghdr *header, int family)
{
	const struct ifaddrmsg *address = NLMSG_DATA(header);
	const struct rtmsg *route = NLMSG_DATA(header);

	if (header->nlmsg_type == RTM_NEWADDR || header->nlmsg_type == RTM_DELADDR)
		return address->ifa_family == family && address->ifa_scope == RT_SCOPE_UNIVERSE;
	if (header->nlmsg_type == RTM_NEWROUTE || header->nlmsg_type == RTM_DELROUTE)
		return route->rtm_family == family && route->rtm_dst_len == 0 &&
		       route->rtm_table == RT_TABLE_MAIN;
	return FALSE;
}

static gboolean
on_netlink(gint fd, GIOCondition condition, gpointer user)
{
	Outside *self = user;
	const int family = strchr(self->config->sip_address, ':') ? AF_INET6 : AF_INET;
	_Alignas(struct nlmsghdr) char bytes[8192];
	gboolean any = FALSE;
	ssize_t got;

	while ((got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0) {
		struct nlmsghdr *header = (struct nlmsghdr *)(void *)bytes;

		for (int left = (int)got; NLMSG_OK(header, left); header = NLMSG_NEXT(header, left))
			any |= matters(header, family);
	}
	/* some were lost: one of those may have mattered */
	any |= got < 0 && errno == ENOBUFS;
	if (!any)
		return G_SOURCE_CONTINUE;
	g_clear_handle_id(&self->settling, g_source_remove);
	self->settling = g_timeout_add_seconds(SETTLE_SECONDS, on_settled, self);
	return G_SOURCE_CONTINUE;
}

void
outside_listen(Outside *self, void (*func)(gpointer user), gpointer user)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK,
				       .nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
						    RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE };

	self->changed = func;
	self->user = user;
	self->netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (self->netlink < 0 ||
	    bind(self->netlink, (struct sockaddr *)&address, sizeof address) != 0) {
		g_message("sip: the kernel does not report address changes of this machine; a new "
			  "address is noticed later");
		return;
	}
	self->source = g_unix_fd_add(self->netlink, G_IO_IN, on_netlink, self);
}

/* --- what is told --- */

static const char *
told_to_all(const Outside *self)
{
	const Config *config = self->config;

	if (self->moved_to)
		return self->moved_to;
	return config->sip_public_address ? config->sip_public_address : config->sip_address;
}

static const Seen *
seen_by(const Outside *self, const char *trunk)
{
	return trunk ? g_hash_table_lookup(self->seen, trunk) : NULL;
}

const char *
outside_host(const Outside *self, const char *trunk)
{
	const Seen *seen = self->config->sip_public_address ? NULL : seen_by(self, trunk);

	return seen ? seen->host : told_to_all(self);
}

const char *
outside_domain(const Outside *self)
{
	return self->config->sip_domain ? self->config->sip_domain : outside_host(self, NULL);
}

guint
outside_port(const Outside *self, const char *trunk)
{
	const Seen *seen = self->config->sip_public_address ? NULL : seen_by(self, trunk);

	return seen && seen->port && outside_is_translated(self, trunk) ? seen->port
									: self->config->sip_port;
}

gboolean
outside_is_plain(const Outside *self, const char *trunk)
{
	const Config *config = self->config;
	const char *plain =
		config->sip_public_address ? config->sip_public_address : config->sip_address;

	return strcmp(outside_host(self, trunk), plain) == 0 &&
	       outside_port(self, trunk) == config->sip_port;
}

gboolean
outside_is_translated(const Outside *self, const char *trunk)
{
	const Seen *seen = seen_by(self, trunk);

	return seen && strcmp(seen->host, self->config->sip_address) != 0;
}

char *
outside_text(const Outside *self, const char *trunk)
{
	const Seen *seen = seen_by(self, trunk);

	if (!outside_is_translated(self, trunk))
		return NULL;
	return seen->port ? g_strdup_printf("%s port %u", seen->host, seen->port)
			  : g_strdup(seen->host);
}

url_t
outside_at_home(const Outside *self, const url_t *url)
{
	g_autoptr(GInetAddress) address = url->url_host ? resolve_numeric(url->url_host) : NULL;
	g_autofree char *host = address ? g_inet_address_to_string(address) : NULL;
	gboolean ours = host && self->moved_to && strcmp(host, self->moved_to) == 0;
	GHashTableIter iter;
	gpointer seen;
	url_t home = *url;

	g_hash_table_iter_init(&iter, self->seen);
	while (host && !ours && g_hash_table_iter_next(&iter, NULL, &seen))
		ours = strcmp(host, ((const Seen *)seen)->host) == 0;
	if (ours)
		home.url_host = self->config->sip_address;
	return home;
}

/* --- what is heard --- */

/* NULL: it cannot be us. */
static char *
host_seen(const Outside *self, const sip_via_t *via)
{
	const char *text = via->v_received ? via->v_received : via->v_host;
	g_autoptr(GInetAddress) address = text ? resolve_numeric(text) : NULL;
	g_autoptr(GInetAddress) own = resolve_numeric(self->config->sip_address);

	if (!address || g_inet_address_get_is_any(address) ||
	    g_inet_address_get_is_multicast(address))
		return NULL;
	if (own && uri_address_is_public(own) && !uri_address_is_public(address))
		return NULL;
	return g_inet_address_to_string(address);
}

static guint
port_seen(const sip_via_t *via)
{
	gboolean udp = via->v_protocol && g_str_has_suffix(via->v_protocol, "/UDP");
	unsigned long port = udp && via->v_rport ? strtoul(via->v_rport, NULL, 10) : 0;

	return port <= 65535 ? (guint)port : 0;
}

/* Without either it is what we have sent, from a server that looks at nothing (RFC 3581 4 would
 * have both). */
static gboolean
says_where(const sip_via_t *via)
{
	return via->v_received || (via->v_rport && *via->v_rport);
}

/* A private address after a public one: a balancer of the carrier's has written it. */
static gboolean
is_inside(const Seen *was, const char *host)
{
	g_autoptr(GInetAddress) before = resolve_numeric(was->host);
	g_autoptr(GInetAddress) now = resolve_numeric(host);

	return before && now && uri_address_is_public(before) && !uri_address_is_public(now);
}

/* A port counts where there is one before and after. */
static gboolean
is_same(const Seen *was, const char *host, guint port)
{
	return strcmp(was->host, host) == 0 && (!was->port || !port || was->port == port);
}

/* A balancer of the carrier's, or a provider with several addresses, may show another one in
 * each answer: each would have the next registration sent at once, and every call offered
 * again. */
static gboolean
may_move(Seen *seen)
{
	gint64 now = g_get_monotonic_time();
	guint hold;

	if (now < seen->until)
		return FALSE;
	if (seen->moved && now - seen->moved > CALM_SECONDS * (gint64)G_USEC_PER_SEC)
		seen->n_moves = 0;
	hold = MIN(FIRST_HOLD_SECONDS << MIN(seen->n_moves, 8), LAST_HOLD_SECONDS);
	seen->n_moves++;
	seen->moved = now;
	seen->until = now + hold * (gint64)G_USEC_PER_SEC;
	return TRUE;
}

OutsideNews
outside_hear(Outside *self, const char *trunk, const sip_t *answer)
{
	const sip_via_t *via = answer->sip_via;
	g_autofree char *host = via ? host_seen(self, via) : NULL;
	guint port = host ? port_seen(via) : 0;
	Seen *seen = g_hash_table_lookup(self->seen, trunk);
	gboolean all;

	if (!host)
		return OUTSIDE_SAME;
	if (!seen) {
		seen = g_new0(Seen, 1);
		*seen = (Seen){ .host = g_steal_pointer(&host), .port = port };
		g_hash_table_insert(self->seen, g_strdup(trunk), seen);
		return outside_is_plain(self, trunk) ? OUTSIDE_SAME : OUTSIDE_LEARNT;
	}
	if (!says_where(via) || is_inside(seen, host))
		return OUTSIDE_SAME;
	if (is_same(seen, host, port)) {
		seen->port = port ? port : seen->port;
		return OUTSIDE_SAME;
	}
	if (!may_move(seen))
		return OUTSIDE_SAME;
	g_message(
		"trunk %s: the carrier sees the gateway at %s port %u now, no longer at %s port %u",
		trunk, host, port, seen->host, seen->port);
	all = self->config->sip_public_address && strcmp(seen->host, told_to_all(self)) == 0 &&
	      strcmp(seen->host, host) != 0;
	if (all) {
		g_free(self->moved_to);
		self->moved_to = g_strdup(host);
	}
	g_free(seen->host);
	seen->host = g_steal_pointer(&host);
	seen->port = port;
	return all ? OUTSIDE_ALL_MOVED : OUTSIDE_MOVED;
}
