/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* doctor_gateway.c - what the gateway knows of itself: nothing here waits. */
#include <string.h>
#include "b2bua/doctor/doctor_private.h"
#include "b2bua/descriptors.h"
#include "b2bua/route/way_out.h"

#define OTHER_DESCRIPTORS 256
#define WAITING_MOST	  1000
#define BUSY_PERCENT	  80

typedef struct {
	Doctor *doctor;
	const Plugin *plugin;
} Asked;

/* --- what the plugins say of themselves --- */

static TrunkSeen *
seen_of(Doctor *doctor, const char *trunk)
{
	TrunkSeen *seen = g_hash_table_lookup(doctor->seen, trunk);

	if (seen)
		return seen;
	seen = g_new0(TrunkSeen, 1);
	seen->registered = -1;
	g_hash_table_insert(doctor->seen, g_strdup(trunk), seen);
	return seen;
}

static void
take_trunk_row(Doctor *doctor, const StatusRow *row)
{
	TrunkSeen *seen = seen_of(doctor, row->trunk);

	if (strcmp(row->key, "up") == 0)
		seen->up = row->number != 0;
	else if (strcmp(row->key, "registered") == 0)
		seen->registered = row->number != 0;
	else if (strcmp(row->key, "state") == 0 && !seen->text)
		seen->text = g_strdup(row->text);
}

static void
look_at_certificate(Doctor *doctor, guint64 seconds)
{
	const guint days = (guint)(seconds / (24 * 3600));

	if (seconds < CERTIFICATE_S)
		doctor_bad(doctor, "certificate time",
			   "renew the file of [sip] tls_certificate; it is read again by itself",
			   "the certificate of the gateway is good for %u days", days);
	else
		doctor_good(doctor, "certificate time", "good for %u days", days);
}

static void
take_row(gpointer user, const StatusRow *row)
{
	const Asked *asked = user;
	Doctor *doctor = asked->doctor;

	if (row->trunk)
		take_trunk_row(doctor, row);
	else if (strcmp(row->key, "up") == 0 && asked->plugin->reaches & WAY_ACCOUNT)
		doctor->facts.linked = row->number != 0;
	else if (strcmp(row->key, "tls certificate seconds") == 0)
		look_at_certificate(doctor, row->number);
}

static void
ask_plugins(Doctor *doctor, Gateway *gateway)
{
	const GPtrArray *plugins = gateway_plugins(gateway);

	for (guint i = 0; i < plugins->len; i++) {
		Asked asked = { doctor, plugins->pdata[i] };

		if (asked.plugin->operators && asked.plugin->operators->status)
			asked.plugin->operators->status(take_row, &asked);
	}
}

/* --- who calls whom --- */

static void
look_at_trunks(Doctor *doctor, Gateway *gateway)
{
	g_autoptr(GError) error = NULL;
	guint used = 0;

	if (!gateway_reaching(gateway, WAY_TRUNK)) {
		doctor_skip(doctor, "trunks", "there is no plugin for trunks");
		return;
	}
	doctor->trunks = store_trunk_list(gateway_store(gateway), &error);
	for (guint i = 0; doctor->trunks && i < doctor->trunks->len; i++)
		used += ((const Trunk *)doctor->trunks->pdata[i])->enabled ? 1 : 0;
	if (!doctor->trunks)
		doctor_bad(doctor, "trunks", "see the check 'database'", "%s", error->message);
	else if (used == 0)
		doctor_bad(doctor, "trunks",
			   "make a carrier known by 'tandemctl trunk add NAME HOST', or use one by "
			   "'tandemctl trunk set NAME enabled=yes'",
			   "no trunk is used, so no telephone can be called");
	else
		doctor_good(doctor, "trunks", "%u in use", used);
}

static void
look_at_users(Doctor *doctor, Gateway *gateway)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) users = store_user_page(gateway_store(gateway), NULL, 1, &error);
	g_autoptr(GPtrArray) numbers = store_number_page(gateway_store(gateway), NULL, 1, NULL);

	if (!users || !numbers)
		doctor_bad(doctor, "users", "see the check 'database'", "%s",
			   error ? error->message : "the numbers cannot be read");
	else if (users->len == 0)
		doctor_bad(doctor, "users", "make the first one by 'tandemctl user add JID'",
			   "there is no user, so nobody may call");
	else if (numbers->len == 0)
		doctor_bad(doctor, "users", "give one by 'tandemctl number add NUMBER JID'",
			   "no user has a number, so no telephone reaches anybody");
	else
		doctor_good(doctor, "users", "there are users with numbers");
}

static void
look_at_emergency(Doctor *doctor, Gateway *gateway)
{
	static const char name[] = "emergency";
	const char *trunk = emergency_trunk(gateway);
	g_autofree char *policy = emergency_policy(gateway);
	const TrunkSeen *seen = trunk ? g_hash_table_lookup(doctor->seen, trunk) : NULL;
	g_autoptr(Trunk) row = trunk ? store_trunk_get(gateway_store(gateway), trunk, NULL) : NULL;
	g_autofree char *remedy = NULL;

	if (!trunk) {
		doctor_good(doctor, name, "%s", policy);
		return;
	}
	remedy = g_strdup_printf("mend the trunk %s, or name another one in [gateway] emergency",
				 trunk);
	if (!row)
		doctor_bad(doctor, name, remedy, "there is no trunk %s for emergency calls", trunk);
	else if (!row->enabled)
		doctor_bad(doctor, name, remedy, "the trunk %s for emergency calls is switched off",
			   trunk);
	else if (!seen || !seen->up || seen->registered == 0)
		doctor_bad(doctor, name, remedy,
			   "the trunk %s for emergency calls does not work now", trunk);
	else
		doctor_good(doctor, name, "%s", policy);
}

/* --- what is allowed --- */

static void
look_at_guard(Doctor *doctor, const Config *config)
{
	static const char name[] = "guard";
	static const GuardRule rules[] = { GUARD_ABROAD_MINUTES, GUARD_ABROAD_AT_ONCE,
					   GUARD_PREMIUM_MINUTES, GUARD_PREMIUM_AT_ONCE };
	guint open = 0;

	for (guint i = 0; i < G_N_ELEMENTS(rules); i++)
		open += config->guard[rules[i]] >= GUARD_NO_LIMIT ? 1 : 0;
	if (config->guard_countries &&
	    g_strv_contains((const char *const *)config->guard_countries, "any"))
		doctor_bad(doctor, name,
			   "remove 'any' from [guard] countries, and name the countries that your "
			   "users call",
			   "a stolen password may call any country: nobody is asked");
	else if (open > 0)
		doctor_bad(doctor, name,
			   "set [limits] abroad_minutes, [guard] abroad_at_once, premium_minutes "
			   "and premium_at_once to what your users need",
			   "%u of the limits for calls abroad and to premium numbers are off",
			   open);
	else
		doctor_good(doctor, name, "calls abroad and to premium numbers are limited");
}

static void
look_at_throttle(Doctor *doctor, const Config *config)
{
	if (config->sip_throttle_failures == 0)
		doctor_bad(doctor, "throttle", "remove [sip] throttle_failures = 0",
			   "an address may try passwords as often as it likes");
	else
		doctor_good(doctor, "throttle", "an address is ignored after %u failures",
			    config->sip_throttle_failures);
}

static void
look_at_http(Doctor *doctor, const Config *config)
{
	static const char name[] = "http";
	g_autoptr(GInetAddress) address = g_inet_address_new_from_string(config->http_address);

	if (config->http_port == 0)
		doctor_skip(doctor, name, "[http] port is not set");
	else if (address && g_inet_address_get_is_loopback(address))
		doctor_good(doctor, name, "on loopback");
	else
		doctor_bad(doctor, name,
			   "write [http] address = 127.0.0.1, and let a proxy with TLS and a "
			   "password stand before it",
			   "anybody who reaches %s:%u can read the numbers of the gateway, and no "
			   "report is encrypted",
			   config->http_address, config->http_port);
}

static void
look_at_limits(Doctor *doctor, const Config *config)
{
	const guint limit = descriptors_limit();
	const guint needed = config->max_calls * DESCRIPTORS_PER_CALL + OTHER_DESCRIPTORS;
	g_autofree char *remedy = g_strdup_printf(
		"write LimitNOFILE=%u for the unit, or make [limits] max_calls smaller", needed);

	if (limit < needed)
		doctor_bad(doctor, "descriptors", remedy,
			   "the daemon may have %u file descriptors, and %u calls need %u", limit,
			   config->max_calls, needed);
	else
		doctor_good(doctor, "descriptors", "%u, for %u calls", limit, config->max_calls);
}

/* --- how it is now --- */

static void
look_at_records(Doctor *doctor, Gateway *gateway)
{
	Store *store = gateway_store(gateway);
	const guint waiting = store_journal_waiting(store);
	g_autofree char *status = store_journal_status(store);

	if (waiting > WAITING_MOST || !store_keeps_calls(store))
		doctor_bad(doctor, "records",
			   "look at the disk of [gateway] database: is it full, slow or in use by "
			   "another program?",
			   "%u records wait to be written: %s", waiting, status ? status : "");
	else
		doctor_good(doctor, "records", "%s", status ? status : "written");
}

static void
look_at_load(Doctor *doctor, Gateway *gateway)
{
	const Workers *workers = gateway_workers(gateway);
	guint most = 0;

	for (guint i = 0; workers && i < workers_media_threads(workers); i++)
		most = MAX(most, workers_load(workers, i));
	if (gateway_is_stopping(gateway))
		doctor_bad(doctor, "state", "wait until it has started again",
			   "the gateway is stopping and takes no call");
	else if (most > BUSY_PERCENT)
		doctor_bad(doctor, "load",
			   "give the machine more processors, or write [media] transcode = needed",
			   "a media thread is busy for %u %% of its time", most);
	else
		doctor_good(doctor, "load", "the busiest media thread: %u %%", most);
}

void
doctor_look_at_gateway(Doctor *doctor, Gateway *gateway)
{
	const Config *config = gateway_config(gateway);

	ask_plugins(doctor, gateway);
	look_at_load(doctor, gateway);
	look_at_records(doctor, gateway);
	look_at_limits(doctor, config);
	look_at_users(doctor, gateway);
	look_at_trunks(doctor, gateway);
	look_at_emergency(doctor, gateway);
	look_at_guard(doctor, config);
	look_at_throttle(doctor, config);
	look_at_http(doctor, config);
}
