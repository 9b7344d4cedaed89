/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_source.c - where requests come from, and who of them is to be ignored.
 *
 * The guard asks before it parses a request, and before a datagram is read.  Whoever is at no
 * port of a phone and at no address of a trunk is counted then; others when their request has been
 * parsed.
 * Thread: signalling.
 */
#include "plugins/sip/shield/sip_source_private.h"
#include "b2bua/number.h"
#include "b2bua/route/way_out.h"
#include "plugins/sip/stack/sip_counters.h"
#include "plugins/sip/stack/sip_guard.h"
#include <string.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/sip_protos.h>

#define PLACES		   8192	 /* of the table: some 1.3 MB */
#define MAX_IN_USE	   65536 /* phones; more are protected with the next refresh */
#define STRANGERS_A_SECOND 50
#define RATE_PLACES	   16384 /* some 2 MB */
#define TRUNK_A_SECOND	   100	 /* at least; see trunk_rate() */

/* A phone has one by its port, since others are behind the same NAT; all that are not
 * registered yet have one by their address, and another for what answers us: whom we have asked
 * may answer from an address that we do not know. */
static const Rate phone_rate = { 20, 40 }, stranger_rate = { 50, 500 }, account_rate = { 5, 50 };
static const Rate answer_rate = { 200, 1000 };

/* Calls for help that are looked at in spite of it all. */
static const Rate help_rate = { 2, 8 };

static gboolean
event_endpoint(const SipEvent *event, Endpoint *endpoint)
{
	return event->msg && endpoint_of(msg_addr(event->msg), endpoint);
}

static gboolean
is_trunk(Sources *self, const ThrottleKey *key)
{
	g_autoptr(GInetAddress) address = endpoint_key_address(key);

	return self->friends->is_trunk(self->user, address);
}

/* --- phones in use --- */

static void
use(Sources *self, const Endpoint *endpoint)
{
	ThrottleKey key = endpoint_key(endpoint);

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

	if (endpoint_parse(phone, &endpoint))
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
	key = endpoint_key(&endpoint);
	return is_trunk(self, &key) ? CONNECTION_TRUNK : CONNECTION_STRANGER;
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

Endpoint
source_rate_endpoint(const RateKey *key)
{
	Endpoint endpoint;

	memcpy(&endpoint, key->bytes, sizeof endpoint);
	return endpoint;
}

gboolean
source_rate_is_account(const RateKey *key)
{
	return key->bytes[sizeof(Endpoint)] == RATE_OF_ACCOUNT;
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
	ThrottleKey address = endpoint_key(who);
	g_autofree char *text = NULL;

	if (verdict == RATE_FITS)
		return TRUE;
	sip_count(COUNTER_SIP_REQUESTS_OVER_RATE);
	if (verdict == RATE_NEWLY_OVER) {
		text = endpoint_key_text(&address);
		g_message("sip: %s sends too fast (%s): what is beyond %u a second is dropped "
			  "without an answer",
			  text, what, rate->a_second);
	}
	return FALSE;
}

/* --- calls for help --- */

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

/* --- requests --- */

static gboolean
is_invite(const char *line)
{
	return strncmp(line, "INVITE ", 7) == 0;
}

/* ACK ends the retransmissions of what we have refused. */
static gboolean
is_ack(const char *line)
{
	return strncmp(line, "ACK ", 4) == 0;
}

static gboolean
is_answer(const char *line)
{
	return strncmp(line, "SIP/2.0 ", 8) == 0;
}

/* "MESSAGE"; of something else its first word, as far as a person can read it. */
static void
first_word(const char *line, char *word, gsize size)
{
	gsize length = MIN(strcspn(line, " \r\n"), size - 1);

	g_strlcpy(word, line, length + 1);
	for (; *word; word++)
		if (!g_ascii_isprint(*word))
			*word = '?';
}

/* Whoever is no trunk, at a port where no phone is, needs no further look to be counted. */
static gboolean
takes_of_stranger(Sources *self, const Endpoint *endpoint, const ThrottleKey *key, const char *line)
{
	Endpoint whole = endpoint_whole(endpoint);
	char what[17];

	if (g_hash_table_contains(self->endpoints, endpoint) || is_trunk(self, key))
		return TRUE;
	if (is_answer(line))
		return takes(self, &whole, RATE_OF_ANSWERS, &answer_rate, "answers");
	first_word(line, what, sizeof what);
	return takes(self, &whole, RATE_OF_OTHERS, &stranger_rate, what);
}

/* What is refused and not acknowledged is sent again for 32 s (RFC 3261 17.2.1), and
 * sofia finds its place among all the others one by one: at 500 a second nothing else
 * is done.  So of calls by nobody we know no more are looked at than any telephone
 * network would send by mistake.
 * Each of a phone of ours costs a check of a password and such a place, so no more are looked at
 * than anybody could mean.  It sends again what was not. */
static gboolean
admits_call(Sources *self, const Endpoint *endpoint, const ThrottleKey *key)
{
	if (is_trunk(self, key))
		return TRUE; /* sources_take() */
	return g_hash_table_contains(self->addresses, key)
		       ? takes(self, endpoint, RATE_OF_INVITES, &phone_rate, "INVITE")
		       : throttle_admits_stranger(self->table, g_get_monotonic_time());
}

/* The first line of a request, or of whatever a datagram has. */
static gboolean
admits(gpointer user, const su_sockaddr_t *from, const char *line)
{
	Sources *self = user;
	Endpoint endpoint;
	ThrottleKey key;

	if (!endpoint_of(from, &endpoint))
		return TRUE;
	key = endpoint_key(&endpoint);
	if (!is_answer(line) && !throttle_is_free(self->table, &key) &&
	    !g_hash_table_contains(self->endpoints, &endpoint) &&
	    !throttle_admits(self->table, &key, is_ack(line), g_get_monotonic_time()))
		return admits_help(self, line);
	if (!is_invite(line))
		return takes_of_stranger(self, &endpoint, &key, line);
	return admits_call(self, &endpoint, &key) || admits_help(self, line);
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
	whole = endpoint_whole(&endpoint);
	key = endpoint_key(&endpoint);
	if (is_trunk(self, &key))
		return takes_of_trunk(self, &whole, sip, what);
	if (sip->sip_request->rq_method == sip_method_invite ||
	    !g_hash_table_contains(self->endpoints, &endpoint))
		return TRUE; /* counted at its first line */
	/* behind a proxy, which writes itself into Path, are many at one port */
	return sip->sip_path ? takes(self, &whole, RATE_OF_OTHERS, &stranger_rate, what)
			     : takes(self, &endpoint, RATE_OF_OTHERS, &phone_rate, what);
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
	sip_count(COUNTER_SIP_REGISTRATIONS_OVER_RATE);
	if (verdict == RATE_NEWLY_OVER)
		g_message("sip: softphone %s registers more than %u times a second and is refused "
			  "for now; does somebody else know its password?",
			  account, account_rate.a_second);
	return FALSE;
}

/* --- what came of it --- */

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
	g_autofree char *address = endpoint_key_text(key);

	sip_count(COUNTER_SIP_SOURCES_IGNORED);
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
	key = endpoint_key(&endpoint);
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
	key = endpoint_key(&endpoint);
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

/* --- life --- */

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
