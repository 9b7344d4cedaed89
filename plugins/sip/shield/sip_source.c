/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_source.c - where requests come from, and who of them is to be ignored.
 *
 * The guard asks before it parses a request.  Only an address that is slowed or
 * ignored costs a second look-up, whether a phone of ours is at that port, and an
 * INVITE one more, whether a phone or a trunk is at that address.
 * Thread: signalling.
 */
#include "plugins/sip/shield/sip_source.h"
#include "b2bua/number.h"
#include "b2bua/route/way_out.h"
#include "plugins/sip/stack/sip_guard.h"
#include "plugins/sip/shield/sip_rate.h"
#include "plugins/sip/stack/sip_resolve.h"
#include "plugins/sip/shield/sip_throttle.h"
#include <stdlib.h>
#include <string.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/sip_protos.h>

#define PLACES		   8192	 /* of the table: some 1.3 MB */
#define MAX_IN_USE	   65536 /* phones; more are protected with the next refresh */
#define STRANGERS_A_SECOND 50
#define RATE_PLACES	   16384 /* some 2 MB */
#define TRUNK_A_SECOND	   100	 /* at least; see trunk_rate() */

typedef struct {
	guint8 address[16]; /* IPv4: the first four */
	guint16 port;
	guint16 v6;
} Endpoint;

struct Sources {
	Gateway *gateway; /* borrowed, as the next three */
	const Config *config;
	const SourceFriends *friends;
	gpointer user;
	Throttle *table;       /* NULL: switched off */
	GHashTable *endpoints; /* set of Endpoint *: phones that are registered or in a call */
	GHashTable *addresses; /* set of ThrottleKey *: theirs */
	RateTable *rates;      /* of all, by what they are: rate_key() */
	gint64 help_us;	       /* a bucket: rate_pays() */
};

typedef enum { RATE_OF_INVITES = 1, RATE_OF_OTHERS, RATE_OF_ACCOUNT } RateKind;

/* A phone has one by its port, since others are behind the same NAT; all that are not
 * registered yet have one by their address. */
static const Rate phone_rate = { 20, 40 }, stranger_rate = { 50, 500 }, account_rate = { 5, 50 };
/* Calls for help that are looked at in spite of it all. */
static const Rate help_rate = { 2, 8 };

/* --- addresses --- */

static guint
endpoint_hash(gconstpointer endpoint)
{
	ThrottleKey halves[2] = { { 0 } };
	const Endpoint *self = endpoint;

	memcpy(&halves[0].prefix, self->address, 8);
	memcpy(&halves[1].prefix, self->address + 8, 8);
	return throttle_key_hash(&halves[0]) ^ throttle_key_hash(&halves[1]) * 31 ^ self->port;
}

static gboolean
endpoint_equal(gconstpointer one, gconstpointer other)
{
	return memcmp(one, other, sizeof(Endpoint)) == 0;
}

static ThrottleKey
key_of(const Endpoint *endpoint)
{
	ThrottleKey key = { 0, endpoint->v6 };

	for (guint i = 0; i < (endpoint->v6 ? 8 : 4); i++)
		key.prefix = key.prefix << 8 | endpoint->address[i];
	return key;
}

/* ::ffff:192.0.2.1 is 192.0.2.1. */
static void
set_bytes(Endpoint *endpoint, const guint8 *bytes, gboolean v6)
{
	static const guint8 mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

	if (v6 && memcmp(bytes, mapped, sizeof mapped) == 0) {
		bytes += sizeof mapped;
		v6 = FALSE;
	}
	endpoint->v6 = v6 ? 1 : 0;
	memcpy(endpoint->address, bytes, v6 ? 16 : 4);
}

static gboolean
endpoint_of(const su_sockaddr_t *from, Endpoint *endpoint)
{
	*endpoint = (Endpoint){ 0 };
	if (!from || (from->su_family != AF_INET && from->su_family != AF_INET6))
		return FALSE;
	endpoint->port = ntohs(from->su_port);
	set_bytes(endpoint,
		  from->su_family == AF_INET ? (const guint8 *)&from->su_sin.sin_addr
					     : (const guint8 *)&from->su_sin6.sin6_addr,
		  from->su_family == AF_INET6);
	return TRUE;
}

static gboolean
event_endpoint(const SipEvent *event, Endpoint *endpoint)
{
	return event->msg && endpoint_of(msg_addr(event->msg), endpoint);
}

static gboolean
endpoint_at(GInetAddress *address, Endpoint *endpoint)
{
	*endpoint = (Endpoint){ 0 };
	if (!address)
		return FALSE;
	set_bytes(endpoint, g_inet_address_to_bytes(address),
		  g_inet_address_get_family(address) == G_SOCKET_FAMILY_IPV6);
	return TRUE;
}

/* "udp:192.0.2.1:5060", "tls:[2001:db8::1]:40000", as phone_source() writes it. */
static gboolean
parse_source(const char *source, Endpoint *endpoint)
{
	const char *host = source ? strchr(source, ':') : NULL;
	const char *port = source ? strrchr(source, ':') : NULL;
	g_autofree char *written = NULL;
	g_autoptr(GInetAddress) address = NULL;

	if (!host || port <= host)
		return FALSE;
	written = g_strndup(host + 1, (gsize)(port - host - 1));
	address = resolve_numeric(written);
	if (!endpoint_at(address, endpoint))
		return FALSE;
	endpoint->port = (guint16)atoi(port + 1);
	return TRUE;
}

static GInetAddress *
inet_of_key(const ThrottleKey *key)
{
	guint8 bytes[16] = { 0 };

	for (guint i = 0, size = key->v6 ? 8 : 4; i < size; i++)
		bytes[i] = (guint8)(key->prefix >> 8 * (size - 1 - i));
	return g_inet_address_new_from_bytes(bytes,
					     key->v6 ? G_SOCKET_FAMILY_IPV6 : G_SOCKET_FAMILY_IPV4);
}

static char *
key_text(const ThrottleKey *key)
{
	g_autoptr(GInetAddress) address = inet_of_key(key);
	g_autofree char *text = g_inet_address_to_string(address);

	return g_strconcat(text, key->v6 ? "/64" : "", NULL);
}

static gboolean
is_trunk(Sources *self, const ThrottleKey *key)
{
	g_autoptr(GInetAddress) address = inet_of_key(key);

	return self->friends->is_trunk(self->user, address);
}

/* --- phones in use --- */

static void
use(Sources *self, const Endpoint *endpoint)
{
	ThrottleKey key = key_of(endpoint);

	if (g_hash_table_size(self->endpoints) >= MAX_IN_USE)
		return;
	if (!g_hash_table_contains(self->endpoints, endpoint))
		g_hash_table_add(self->endpoints, g_memdup2(endpoint, sizeof *endpoint));
	if (!g_hash_table_contains(self->addresses, &key))
		g_hash_table_add(self->addresses, g_memdup2(&key, sizeof key));
}

void
sources_use(Sources *self, const char *phone)
{
	Endpoint endpoint;

	if (parse_source(phone, &endpoint))
		use(self, &endpoint);
}

void
sources_lift_trunks(Sources *self)
{
	g_autoptr(GArray) records = NULL;

	if (!self || !self->table)
		return;
	records = throttle_list(self->table, g_get_monotonic_time());
	for (guint i = 0; i < records->len; i++) {
		const ThrottleKey *key = &g_array_index(records, ThrottleRecord, i).key;

		if (is_trunk(self, key))
			throttle_forget(self->table, key);
	}
}

void
sources_refresh(Sources *self)
{
	g_autoptr(GPtrArray) contacts =
		self ? store_contact_list(gateway_store(self->gateway), NULL) : NULL;

	if (!contacts) /* the store is broken and the old ones stay */
		return;
	g_hash_table_remove_all(self->endpoints);
	g_hash_table_remove_all(self->addresses);
	for (guint i = 0; i < contacts->len; i++)
		sources_use(self, ((Contact *)contacts->pdata[i])->received);
	self->friends->use_calls(self->user, self);
	sources_lift_trunks(self);
}

ConnectionOwner
sources_owner(Sources *self, const su_sockaddr_t *from)
{
	Endpoint endpoint;
	ThrottleKey key;

	if (!self || !endpoint_of(from, &endpoint))
		return CONNECTION_STRANGER;
	if (g_hash_table_contains(self->endpoints, &endpoint))
		return CONNECTION_PHONE;
	key = key_of(&endpoint);
	return is_trunk(self, &key) ? CONNECTION_TRUNK : CONNECTION_STRANGER;
}

/* --- requests --- */

/* What is refused and not acknowledged is sent again for 32 s (RFC 3261 17.2.1), and
 * sofia finds its place among all the others one by one: at 500 a second nothing else
 * is done.  So of calls by nobody we know no more are looked at than any telephone
 * network would send by mistake. */
static gboolean
is_strange_call(Sources *self, const ThrottleKey *key, const char *line)
{
	return strncmp(line, "INVITE ", 7) == 0 && !g_hash_table_contains(self->addresses, key) &&
	       !is_trunk(self, key);
}

/* --- how fast --- */

static RateKey
rate_key(const Endpoint *endpoint, RateKind kind)
{
	RateKey key = { { 0 } };

	G_STATIC_ASSERT(sizeof(Endpoint) < sizeof key.bytes);
	memcpy(key.bytes, endpoint, sizeof *endpoint);
	key.bytes[sizeof *endpoint] = (guint8)kind;
	return key;
}

/* One subscriber's: of IPv6 a /64. */
static Endpoint
whole_address(const Endpoint *endpoint)
{
	Endpoint whole = *endpoint;

	whole.port = 0;
	if (whole.v6)
		memset(whole.address + 8, 0, 8);
	return whole;
}

static Endpoint
endpoint_of_rate(const RateKey *key)
{
	Endpoint endpoint;

	memcpy(&endpoint, key->bytes, sizeof endpoint);
	return endpoint;
}

/* What a carrier may do in a second: call, be challenged and call again, and ask whether
 * we are there. */
static Rate
trunk_rate(const Config *config)
{
	guint a_second = MAX(2 * config->max_setup_per_second, TRUNK_A_SECOND);

	return (Rate){ a_second, 2 * a_second };
}

static RateKey
account_key(const char *account)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA1);
	RateKey key = { { 0 } };
	gsize size = 20;

	g_checksum_update(sum, (const guchar *)account, -1);
	g_checksum_get_digest(sum, key.bytes, &size);
	key.bytes[size] = RATE_OF_ACCOUNT;
	return key;
}

static gboolean
takes(Sources *self, const Endpoint *who, RateKind kind, const Rate *rate, const char *what)
{
	RateKey key = rate_key(who, kind);
	RateVerdict verdict = rate_take(self->rates, &key, rate, what, g_get_monotonic_time());
	ThrottleKey address = key_of(who);
	g_autofree char *text = NULL;

	if (verdict == RATE_FITS)
		return TRUE;
	gateway_count(self->gateway, COUNTER_SIP_REQUESTS_OVER_RATE);
	if (verdict == RATE_NEWLY_OVER) {
		text = key_text(&address);
		g_message("sip: %s sends requests too fast (%s): requests beyond %u a second are "
			  "dropped without an answer",
			  text, what, rate->a_second);
	}
	return FALSE;
}

/* Each costs a check of a password and a place among those that are refused, so of a phone
 * of ours no more are looked at than anybody could mean.  It sends again what was not. */
static gboolean
is_too_many(Sources *self, const Endpoint *endpoint, const ThrottleKey *key, const char *line)
{
	return strncmp(line, "INVITE ", 7) == 0 && !is_trunk(self, key) &&
	       !takes(self, endpoint, RATE_OF_INVITES, &phone_rate, "INVITE");
}

/* ACK ends the retransmissions of what we have refused. */
static gboolean
is_ack(const char *line)
{
	return strncmp(line, "ACK ", 4) == 0;
}

/* "112@gw.example.org SIP/2.0" */
static gboolean
is_for_help(const Config *config, const char *called)
{
	g_autofree char *user = g_strndup(called, MIN(strcspn(called, "@;> "), 64));
	g_autofree char *number = NULL;

	return number_dialled(user, config->country, &number) &&
	       number_is_emergency(number, config->country);
}

/* "INVITE sip:112@gw.example.org SIP/2.0" */
static gboolean
calls_for_help(const Config *config, const char *line)
{
	const char *colon = strncmp(line, "INVITE ", 7) == 0 ? strchr(line, ':') : NULL;

	return colon && is_for_help(config, colon + 1);
}

/* Who calls for help may have a right password, and is asked for it: at an address that is
 * slowed or ignored as well, but so few a second that nobody guesses passwords by it. */
static gboolean
take_help(Sources *self)
{
	return rate_pays(&self->help_us, &help_rate, g_get_monotonic_time());
}

static gboolean
admits_help(Sources *self, const char *line)
{
	return calls_for_help(self->config, line) && take_help(self);
}

static gboolean
admits(gpointer user, const su_sockaddr_t *from, const char *line)
{
	Sources *self = user;
	Endpoint endpoint;
	ThrottleKey key;

	if (!endpoint_of(from, &endpoint))
		return TRUE;
	key = key_of(&endpoint);
	if (!throttle_is_free(self->table, &key) &&
	    !g_hash_table_contains(self->endpoints, &endpoint) &&
	    !throttle_admits(self->table, &key, is_ack(line), g_get_monotonic_time()))
		return admits_help(self, line);
	if (is_strange_call(self, &key, line))
		return throttle_admits_stranger(self->table, g_get_monotonic_time()) ||
		       admits_help(self, line);
	return !is_too_many(self, &endpoint, &key, line) || admits_help(self, line);
}

static gboolean
takes_of_trunk(Sources *self, const Endpoint *who, const sip_t *sip, const char *what)
{
	Rate rate = trunk_rate(self->config);
	gboolean invite = sip->sip_request->rq_method == sip_method_invite;
	const char *called = sip->sip_request->rq_url->url_user;

	return takes(self, who, invite ? RATE_OF_INVITES : RATE_OF_OTHERS, &rate, what) ||
	       (invite && called && is_for_help(self->config, called) && take_help(self));
}

gboolean
sources_take(Sources *self, const su_sockaddr_t *from, const sip_t *sip)
{
	g_autofree char *what = NULL;
	Endpoint endpoint, whole;
	ThrottleKey key;

	if (!self || !self->table || !endpoint_of(from, &endpoint))
		return TRUE;
	what = g_strdup_printf("%.16s", sip->sip_request->rq_method_name);
	whole = whole_address(&endpoint);
	key = key_of(&endpoint);
	if (is_trunk(self, &key))
		return takes_of_trunk(self, &whole, sip, what);
	if (sip->sip_request->rq_method == sip_method_invite)
		return TRUE; /* counted at its first line */
	/* behind a proxy, which writes itself into Path, are many at one port */
	if (g_hash_table_contains(self->endpoints, &endpoint) && !sip->sip_path)
		return takes(self, &endpoint, RATE_OF_OTHERS, &phone_rate, what);
	return takes(self, &whole, RATE_OF_OTHERS, &stranger_rate, what);
}

gboolean
sources_take_account(Sources *self, const SipEvent *event, const char *account)
{
	RateKey key = account_key(account);
	RateVerdict verdict;

	if (!self || !self->table)
		return TRUE;
	verdict = rate_take(self->rates, &key, &account_rate, account, g_get_monotonic_time());
	if (verdict == RATE_FITS)
		return TRUE;
	gateway_count(self->gateway, COUNTER_SIP_REGISTRATIONS_OVER_RATE);
	if (verdict == RATE_NEWLY_OVER)
		g_message("sip: softphone %s registers more than %u times a second and is refused "
			  "for now; does somebody else know its password?",
			  account, account_rate.a_second);
	return FALSE;
}

static char *
what_of(const sip_t *sip)
{
	const url_t *from = sip && sip->sip_from ? sip->sip_from->a_url : NULL;
	const char *user = from && from->url_user ? from->url_user : "";
	g_autofree char *text = NULL;

	if (!sip || !sip->sip_request)
		return g_strdup("");
	text = g_strdup_printf("%.16s %.30s", sip->sip_request->rq_method_name, user);
	for (char *at = text; *at; at++)
		if (!g_ascii_isprint(*at))
			*at = '?';
	return g_strdup(g_strchomp(text));
}

static void
log_block(Sources *self, const ThrottleKey *key, const char *what)
{
	const Config *config = self->config;
	g_autofree char *address = key_text(key);

	gateway_count(self->gateway, COUNTER_SIP_SOURCES_IGNORED);
	g_message("sip: requests of %s are ignored for a while: %u failures within %u s, the last: "
		  "%s; if the address is yours: tandemctl sources lift %s",
		  address, config->sip_throttle_failures, config->sip_throttle_window_s, what,
		  address);
}

static void
note_failure(Sources *self, const SipEvent *event, guint weight)
{
	g_autofree char *what = NULL;
	Endpoint endpoint;
	ThrottleKey key;

	if (!self || !self->table || !event_endpoint(event, &endpoint))
		return;
	key = key_of(&endpoint);
	if (is_trunk(self, &key))
		return;
	what = what_of(event->sip);
	if (throttle_failed(self->table, &key,
			    &(ThrottleFailure){ what, weight,
						g_hash_table_contains(self->addresses, &key) },
			    g_get_monotonic_time()))
		log_block(self, &key, what);
}

void
sources_failed(Sources *self, const SipEvent *event)
{
	note_failure(self, event, THROTTLE_WHOLE);
}

void
sources_tried(Sources *self, const SipEvent *event)
{
	if (!sources_in_use(self, event))
		note_failure(self, event, 1);
}

void
sources_proven(Sources *self, const SipEvent *event)
{
	Endpoint endpoint;
	ThrottleKey key;

	if (!self || !event_endpoint(event, &endpoint))
		return;
	key = key_of(&endpoint);
	if (self->table)
		throttle_forget(self->table, &key);
	use(self, &endpoint);
}

void
sources_asked(Sources *self, const SipEvent *event)
{
	Endpoint endpoint;

	if (self && event_endpoint(event, &endpoint) &&
	    !g_hash_table_contains(self->endpoints, &endpoint))
		sources_failed(self, event);
}

gboolean
sources_in_use(const Sources *self, const SipEvent *event)
{
	Endpoint endpoint;

	return self && event_endpoint(event, &endpoint) &&
	       g_hash_table_contains(self->endpoints, &endpoint);
}

/* --- for the operator --- */

static gboolean
is_account(const RateKey *key)
{
	return key->bytes[sizeof(Endpoint)] == RATE_OF_ACCOUNT;
}

static char *
rate_text(const RateRecord *record)
{
	Endpoint endpoint = endpoint_of_rate(&record->key);
	ThrottleKey key = key_of(&endpoint);

	return is_account(&record->key) ? g_strdup("softphone") : key_text(&key);
}

static void
tell_rates(Sources *self, HostileSourceFunc func, gpointer user)
{
	gint64 now = g_get_monotonic_time(), wall = g_get_real_time();
	g_autoptr(GArray) records = rate_list(self->rates, now);

	for (guint i = 0; i < records->len; i++) {
		const RateRecord *record = &g_array_index(records, RateRecord, i);
		g_autofree char *address = rate_text(record);

		func(user,
		     &(HostileSource){ .address = address,
				       .failures = (guint)MIN(record->dropped, G_MAXUINT),
				       .last = record->what,
				       .state = "too fast",
				       .until = (wall + record->until - now) / G_USEC_PER_SEC });
	}
}

void
sources_tell(Sources *self, HostileSourceFunc func, gpointer user)
{
	static const char *const states[] = { [THROTTLE_COUNTED] = "counted",
					      [THROTTLE_SLOWED] = "slowed",
					      [THROTTLE_IGNORED] = "ignored" };
	gint64 now = g_get_monotonic_time(), wall = g_get_real_time();
	g_autoptr(GArray) records = self && self->table ? throttle_list(self->table, now) : NULL;

	for (guint i = 0; records && i < records->len; i++) {
		const ThrottleRecord *record = &g_array_index(records, ThrottleRecord, i);
		g_autofree char *address = key_text(&record->key);

		func(user,
		     &(HostileSource){ .address = address,
				       .failures = record->failures,
				       .last = record->what,
				       .state = states[record->state],
				       .until = (wall + record->until - now) / G_USEC_PER_SEC });
	}
	if (self && self->table)
		tell_rates(self, func, user);
}

static guint
lift_rates(Sources *self, const ThrottleKey *key)
{
	g_autoptr(GArray) records = rate_list(self->rates, g_get_monotonic_time());
	guint n = 0;

	for (guint i = 0; i < records->len; i++) {
		const RateKey *own = &g_array_index(records, RateRecord, i).key;
		Endpoint endpoint = endpoint_of_rate(own);
		ThrottleKey address = key_of(&endpoint);

		if (is_account(own) || !throttle_key_equal(&address, key))
			continue;
		rate_forget(self->rates, own);
		n++;
	}
	return n;
}

static guint
lift_all(Sources *self)
{
	g_autoptr(GArray) records = throttle_list(self->table, g_get_monotonic_time());

	rate_forget_all(self->rates);

	for (guint i = 0; i < records->len; i++)
		throttle_forget(self->table, &g_array_index(records, ThrottleRecord, i).key);
	return records->len;
}

guint
sources_lift(Sources *self, const char *text)
{
	g_autofree char *bare = text ? g_strndup(text, strcspn(text, "/")) : NULL;
	g_autoptr(GInetAddress) address = bare ? g_inet_address_new_from_string(bare) : NULL;
	Endpoint endpoint;
	ThrottleKey key;

	if (!self || !self->table)
		return 0;
	if (!bare)
		return lift_all(self);
	if (!endpoint_at(address, &endpoint))
		return 0;
	key = key_of(&endpoint);
	return (throttle_forget(self->table, &key) ? 1 : 0) + lift_rates(self, &key);
}

char *
sources_status(Sources *self)
{
	if (!self || !self->table)
		return g_strdup("sources: not throttled\n");
	return g_strdup_printf("sources: %u ignored now, %" G_GUINT64_FORMAT
			       " requests dropped, %" G_GUINT64_FORMAT " more for their rate\n",
			       throttle_n_ignored(self->table, g_get_monotonic_time()),
			       throttle_n_dropped(self->table), rate_n_dropped(self->rates));
}

Sources *
sources_new(Gateway *gateway, const Config *config, const SourceFriends *friends, gpointer user)
{
	ThrottleLimits limits = { config->sip_throttle_failures,
				  config->sip_throttle_window_s,
				  config->sip_throttle_block_s,
				  config->sip_throttle_max_block_s,
				  PLACES,
				  STRANGERS_A_SECOND };
	Sources *self;

	self = g_new0(Sources, 1);
	self->gateway = gateway;
	self->config = config;
	self->friends = friends;
	self->user = user;
	self->table = limits.failures ? throttle_new(&limits) : NULL;
	self->endpoints = g_hash_table_new_full(endpoint_hash, endpoint_equal, g_free, NULL);
	self->rates = rate_table_new(RATE_PLACES);
	self->addresses =
		g_hash_table_new_full(throttle_key_hash, throttle_key_equal, g_free, NULL);
	sources_refresh(self);
	if (self->table)
		guard_ask(admits, self);
	return self;
}

void
sources_free(Sources *self)
{
	if (!self)
		return;
	guard_ask(NULL, NULL);
	throttle_free(self->table);
	g_hash_table_unref(self->endpoints);
	g_hash_table_unref(self->addresses);
	rate_table_free(self->rates);
	g_free(self);
}
