/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-sip-module.c - the SIP plugin as tandemd has it: a loadable module in a
 * real gateway, which here knows a trunk and nobody to ring.
 */
#include "b2bua/call/core.h"
#include "tests/legs/plugin-status.h"
#include "tests/legs/sip-peer.h"
#include <string.h>

typedef struct {
	Config *config;
	Store *store;
	Workers *workers;
	Gateway *gateway;
	Peer *peer;
} Fixture;

static void
add_trunk(Fixture *fixture)
{
	g_autoptr(Trunk) trunk = trunk_new("carrier", "127.0.0.1");
	g_autoptr(GError) error = NULL;

	trunk->port = fixture->peer->port;
	store_trunk_add(fixture->store, trunk, &error);
	g_assert_no_error(error);
}

static void
set_up(Fixture *fixture, gconstpointer unused)
{
	g_autoptr(GError) error = NULL;

	fixture->peer = peer_new();
	fixture->store = store_open(":memory:", &error);
	g_assert_no_error(error);
	add_trunk(fixture);
	for (guint tries = 0; tries < 10; tries++) {
		g_autofree char *text = NULL;

		peer_gateway_port = peer_free_port();
		text = g_strdup_printf("[gateway]\nplugin_dir = %s/plugins/sip/.libs\n"
				       "[xmpp]\ndomain = gw.example.org\nsecret = s\n"
				       "[sip]\naddress = 127.0.0.1\nport = %u\n"
				       "domain = gw.example.org\n[media]\nport_min = 1024\n"
				       "port_max = 1100\n",
				       g_getenv("top_builddir"), peer_gateway_port);
		g_clear_error(&error);
		fixture->config = config_from_text(text, "test", &error);
		g_assert_no_error(error);
		fixture->workers = workers_new(&fixture->config->media, &error);
		g_assert_no_error(error);
		fixture->gateway = core_new(fixture->config, fixture->store, fixture->workers);
		if (gateway_load_plugin(fixture->gateway, "sip", &error))
			return;
		core_free(fixture->gateway);
		workers_free(fixture->workers);
		config_free(fixture->config);
	}
	g_error("%s", error->message);
}

static void
tear_down(Fixture *fixture, gconstpointer unused)
{
	core_free(fixture->gateway);
	workers_free(fixture->workers);
	store_close(fixture->store);
	config_free(fixture->config);
	peer_free(fixture->peer);
}

static void
number_of_nobody(Fixture *fixture, gconstpointer unused)
{
	g_autofree char *refused = NULL, *reason = NULL, *caller = NULL;
	g_autoptr(GPtrArray) records = NULL;
	g_autoptr(GError) error = NULL;
	const CallRecord *record;

	peer_invite(fixture->peer, NULL, sdp_one);
	refused = peer_wait(fixture->peer, "SIP/2.0 404 Not Found");
	peer_ack(fixture->peer, refused, NULL);
	reason = message_header(refused, "Reason");
	g_assert_nonnull(strstr(reason, "Q.850;cause=1"));
	records = store_call_list(fixture->store, 10, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(records->len, ==, 1);
	record = records->pdata[0];
	g_assert_cmpstr(record->reason, ==, "not-found");
	g_assert_nonnull(strstr(record->caller, "+12125550199"));
}

/* A trunk that the store forgets is a stranger as soon as it is told. */
static guint64
counted(const Fixture *fixture, const char *name)
{
	const CounterSet *set = gateway_plugin(fixture->gateway, "sip")->counters;

	for (guint i = 0; i < set->n; i++)
		if (strcmp(set->rows[i].name, name) == 0)
			return set->values[i];
	g_assert_not_reached();
}

static void
reload(Fixture *fixture, gconstpointer unused)
{
	g_autofree char *refused = NULL;

	g_assert_true(store_trunk_del(fixture->store, "carrier", NULL));
	gateway_changed(fixture->gateway, CHANGE_CONFIG, NULL);
	peer_invite(fixture->peer, NULL, sdp_one);
	refused = peer_wait(fixture->peer, "SIP/2.0 403");
	peer_ack(fixture->peer, refused, NULL);
	g_assert_cmpuint(counted(fixture, "strangers"), ==, 1);
}

static void
status(Fixture *fixture, gconstpointer unused)
{
	const Plugin *plugin = gateway_plugin(fixture->gateway, "sip");
	g_autofree char *text = plugin_status(plugin);

	g_assert_nonnull(strstr(text, "listening: 127.0.0.1:"));
	g_assert_nonnull(strstr(text, "trunk carrier: enabled, 127.0.0.1:"));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add("/sip/module/number-of-nobody", Fixture, NULL, set_up, number_of_nobody,
		   tear_down);
	g_test_add("/sip/module/reload", Fixture, NULL, set_up, reload, tear_down);
	g_test_add("/sip/module/status", Fixture, NULL, set_up, status, tear_down);
	return g_test_run();
}
