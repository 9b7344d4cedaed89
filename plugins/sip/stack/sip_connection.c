/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_connection.c - see sip_connection.h.
 *
 * Two lines of connections, the one that is due first at the head: those that have sent
 * no whole message yet, and those that have.  A second's work is to look at their heads.
 */
#include "plugins/sip/stack/sip_connection.h"
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sofia-sip/msg.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/su_time.h>
#include <sofia-sip/tport.h>
#include <string.h>
#include <sys/socket.h>

#define PROBE_S 60 /* of a connection that says nothing, by TCP itself */

typedef struct {
	guint8 bytes[16];
} Place; /* an address; of IPv6 its /64 */

typedef struct {
	const tport_t *transport;
	int socket;
	su_sockaddr_t from;
	Place place;
	ConnectionOwner owner;
	gboolean closed; /* by us; sofia is to see it */
	gint64 since;	 /* accepted, or heard last */
	gint64 stranger_since;
	gsize unread; /* bytes since the last whole message */
	GQueue *line; /* `waiting` or `idle` */
	GList link, stranger_link;
} Connection;

static struct {
	GHashTable *all;    /* const tport_t * → Connection *, owned */
	GHashTable *places; /* Place * → guint: strangers there */
	GHashTable *trunks; /* the same of trunks */
	GQueue waiting, idle;
	GQueue strangers; /* the one that came first at the head */
	guint most, timer;
	gint64 skipped; /* by a test */
	ConnectionAskFunc ask;
	gpointer user;
	ConnectionTakeFunc take;
	gpointer take_user;
	ConnectionCounters counters;
} here;

/* What sofia calls instead of its own. */
tport_t *tport_alloc_secondary(void *primary, int socket, int accepted, char const **reason);
void tport_zap_secondary(tport_t *transport);
ssize_t tport_recv_iovec(tport_t const *transport, msg_t **message, msg_iovec_t *parts, size_t size,
			 int exact);
void
tport_deliver(tport_t *transport, msg_t *message, msg_t *next, void *compressor, su_time_t now);

typedef tport_t *(*AllocFunc)(void *, int, int, char const **);
typedef void (*ZapFunc)(tport_t *);
typedef ssize_t (*ReceiveFunc)(tport_t const *, msg_t **, msg_iovec_t *, size_t, int);
typedef void (*DeliverFunc)(tport_t *, msg_t *, msg_t *, void *, su_time_t);

/* --- who is counted where --- */

static gint64
now_us(void)
{
	return g_get_monotonic_time() + here.skipped;
}

static guint
place_hash(gconstpointer place)
{
	guint hash = 5381;

	for (guint i = 0; i < sizeof(Place); i++)
		hash = hash * 33 + ((const Place *)place)->bytes[i];
	return hash;
}

static gboolean
place_equal(gconstpointer one, gconstpointer other)
{
	return memcmp(one, other, sizeof(Place)) == 0;
}

static Place
place_of(const su_sockaddr_t *from)
{
	Place place = { { 0 } };

	if (from->su_family == AF_INET6)
		memcpy(place.bytes, &from->su_sin6.sin6_addr, 8);
	else
		memcpy(place.bytes + 8, &from->su_sin.sin_addr, 4);
	return place;
}

static GHashTable *
table_of(const Connection *self)
{
	return self->owner == CONNECTION_STRANGER ? here.places
	       : self->owner == CONNECTION_TRUNK  ? here.trunks
						  : NULL;
}

static guint
count_at(GHashTable *table, const Place *place)
{
	return GPOINTER_TO_UINT(g_hash_table_lookup(table, place));
}

static void
count_stranger(Connection *self, int change)
{
	here.counters.strangers += (guint)change;
	if (change < 0) {
		g_queue_unlink(&here.strangers, &self->stranger_link);
		return;
	}
	self->stranger_since = now_us();
	g_queue_push_tail_link(&here.strangers, &self->stranger_link);
}

static void
count(Connection *self, int change)
{
	GHashTable *table = table_of(self);
	guint n = table ? count_at(table, &self->place) + (guint)change : 0;

	if (self->owner == CONNECTION_STRANGER)
		count_stranger(self, change);
	if (!table)
		return;
	if (n == 0)
		g_hash_table_remove(table, &self->place);
	else
		g_hash_table_insert(table, g_memdup2(&self->place, sizeof(Place)),
				    GUINT_TO_POINTER(n));
}

static void
set_owner(Connection *self, ConnectionOwner owner)
{
	if (owner == self->owner)
		return;
	count(self, -1);
	self->owner = owner;
	count(self, 1);
}

/* --- the two lines --- */

static void
stand_in(Connection *self, GQueue *line)
{
	if (self->line)
		g_queue_unlink(self->line, &self->link);
	self->line = line;
	self->since = now_us();
	g_queue_push_tail_link(line, &self->link);
}

static void
close_soon(Connection *self, guint64 *why)
{
	if (self->closed)
		return;
	(*why)++;
	self->closed = TRUE;
	g_queue_unlink(self->line, &self->link);
	self->line = NULL;
	count(self, -1);
	here.counters.open--;
	shutdown(self->socket, SHUT_RDWR);
}

static void
connection_free(gpointer data)
{
	Connection *self = data;

	if (self->line)
		g_queue_unlink(self->line, &self->link);
	if (!self->closed) {
		count(self, -1);
		here.counters.open--;
	}
	g_free(self);
}

static gboolean
is_due(const GQueue *line, guint seconds, gint64 now)
{
	const Connection *first = line->head ? line->head->data : NULL;

	return first && now - first->since >= seconds * (gint64)G_USEC_PER_SEC;
}

/* A phone whose registration or call has ended is a stranger again. */
static gboolean
on_second(gpointer user)
{
	gint64 now = now_us();

	(void)user;
	while (is_due(&here.waiting, CONNECTION_FIRST_S, now))
		close_soon(here.waiting.head->data, &here.counters.silent);
	while (is_due(&here.idle, CONNECTION_IDLE_S, now)) {
		Connection *first = here.idle.head->data;

		set_owner(first, here.ask(here.user, &first->from));
		if (first->owner == CONNECTION_STRANGER)
			close_soon(first, &here.counters.silent);
		else
			stand_in(first, &here.idle);
	}
	return G_SOURCE_CONTINUE;
}

/* --- a new one --- */

/* Who has been a stranger for longest makes room, whatever he sends; who has just come
 * does not. */
static gboolean
make_room(void)
{
	Connection *first = here.strangers.head ? here.strangers.head->data : NULL;

	if (!first ||
	    now_us() - first->stranger_since < CONNECTION_YOUNG_S * (gint64)G_USEC_PER_SEC)
		return FALSE;
	close_soon(first, &here.counters.evicted);
	return TRUE;
}

static gboolean
has_place(const Connection *self)
{
	if (self->owner == CONNECTION_TRUNK &&
	    count_at(here.trunks, &self->place) >= MAX(here.most / 4, 1))
		return FALSE;
	if (self->owner == CONNECTION_STRANGER &&
	    count_at(here.places, &self->place) >= CONNECTION_PER_ADDRESS)
		return FALSE;
	if (self->owner == CONNECTION_STRANGER &&
	    here.counters.strangers >= MIN(CONNECTION_STRANGERS, MAX(here.most / 2, 1)) &&
	    !make_room())
		return FALSE;
	return here.counters.open < here.most || make_room();
}

/* A peer that is gone without a word is noticed by the kernel. */
static void
probe(int socket)
{
	const int one = 1, idle = PROBE_S, interval = PROBE_S / 4, times = 4;

	setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
	setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
	setsockopt(socket, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
	setsockopt(socket, IPPROTO_TCP, TCP_KEEPCNT, &times, sizeof times);
}

static void
watch(const tport_t *transport, int socket)
{
	Connection *self = g_new0(Connection, 1);
	socklen_t length = sizeof self->from;
	gboolean fits;

	self->transport = transport;
	self->socket = socket;
	self->link.data = self->stranger_link.data = self;
	if (getpeername(socket, &self->from.su_sa, &length) != 0)
		self->from.su_family = AF_INET;
	SU_CANONIZE_SOCKADDR(&self->from);
	self->place = place_of(&self->from);
	self->owner = here.ask(here.user, &self->from);
	here.counters.accepted++;
	fits = has_place(self);
	count(self, 1);
	here.counters.open++;
	g_hash_table_replace(here.all, (gpointer)transport, self);
	stand_in(self, self->owner == CONNECTION_STRANGER ? &here.waiting : &here.idle);
	if (fits)
		probe(socket);
	else
		close_soon(self, &here.counters.refused);
}

static Connection *
connection_of(const tport_t *transport)
{
	return here.all ? g_hash_table_lookup(here.all, transport) : NULL;
}

/* --- in place of sofia's --- */

tport_t *
tport_alloc_secondary(void *primary, int socket, int accepted, char const **reason)
{
	static AllocFunc original;
	tport_t *transport;

	if (!original)
		original = (AllocFunc)dlsym(RTLD_NEXT, "tport_alloc_secondary");
	transport = original(primary, socket, accepted, reason);
	if (transport && accepted && here.all)
		watch(transport, socket);
	return transport;
}

void
tport_zap_secondary(tport_t *transport)
{
	static ZapFunc original;

	if (!original)
		original = (ZapFunc)dlsym(RTLD_NEXT, "tport_zap_secondary");
	if (here.all)
		g_hash_table_remove(here.all, transport);
	original(transport);
}

/* What is about to be read: nothing has been kept for it yet. */
ssize_t
tport_recv_iovec(tport_t const *transport, msg_t **message, msg_iovec_t *parts, size_t size,
		 int exact)
{
	static ReceiveFunc original;
	Connection *self = connection_of(transport);

	if (!original)
		original = (ReceiveFunc)dlsym(RTLD_NEXT, "tport_recv_iovec");
	if (self) {
		self->unread += size;
		if (self->owner == CONNECTION_STRANGER && self->unread > CONNECTION_UNREAD)
			close_soon(self, &here.counters.flooded);
		if (self->closed) {
			errno = EMSGSIZE;
			return -1;
		}
	}
	return original(transport, message, parts, size, exact);
}

/* The message was whole.  When it has proven who sent it, it has done so by now. */
static void
hear(Connection *self)
{
	self->unread = 0;
	if (self->closed)
		return;
	set_owner(self, here.ask(here.user, &self->from));
	stand_in(self, &here.idle);
}

void
tport_deliver(tport_t *transport, msg_t *message, msg_t *next, void *compressor, su_time_t now)
{
	static DeliverFunc original;
	gboolean bad = msg_get_flags(message, MSG_FLG_ERROR) != 0;
	Connection *self;

	if (!original)
		original = (DeliverFunc)dlsym(RTLD_NEXT, "tport_deliver");
	if (!here.take || !here.take(here.take_user, transport, message))
		original(transport, message, next, compressor, now);
	self = connection_of(transport); /* it may have gone by this */
	if (self && !bad)
		hear(self);
}

/* --- start and stop --- */

void
connections_start(const Config *config, guint descriptors, ConnectionAskFunc ask, gpointer user)
{
	here.all = g_hash_table_new_full(NULL, NULL, NULL, connection_free);
	here.places = g_hash_table_new_full(place_hash, place_equal, g_free, NULL);
	here.trunks = g_hash_table_new_full(place_hash, place_equal, g_free, NULL);
	here.most = MAX(MIN(config->max_connections, descriptors / 4), 1);
	here.ask = ask;
	here.user = user;
	here.counters = (ConnectionCounters){ 0 };
	here.timer = g_timeout_add_seconds(1, on_second, NULL);
}

void
connections_take(ConnectionTakeFunc take, gpointer user)
{
	here.take = take;
	here.take_user = user;
}

void
connections_stop(void)
{
	here.take = NULL;
	g_clear_handle_id(&here.timer, g_source_remove);
	g_clear_pointer(&here.all, g_hash_table_unref);
	g_clear_pointer(&here.places, g_hash_table_unref);
	g_clear_pointer(&here.trunks, g_hash_table_unref);
}

void
connections_skip(guint seconds)
{
	here.skipped += seconds * (gint64)G_USEC_PER_SEC;
	on_second(NULL);
}

const ConnectionCounters *
connection_counters(void)
{
	return &here.counters;
}
