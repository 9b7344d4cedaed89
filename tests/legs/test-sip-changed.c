/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-sip-changed.c - what a change in the store touches, and what it leaves alone.
 *
 * DNS is played by a GResolver of the test's that answers when the test says so; the
 * trunk is known by its name alone.
 */
#include "plugins/sip/stack/sip_counters.h"
#include "tests/legs/plugin-status.h"
#include "tests/legs/sip-rig.h"
#include <string.h>

/* --- DNS --- */

typedef struct {
	GResolver parent;
} Dns;
typedef GResolverClass DnsClass;

static GType dns_get_type(void);
G_DEFINE_TYPE(Dns, dns, G_TYPE_RESOLVER)

static gboolean silent;	  /* it takes seconds: what is asked is kept waiting */
static GQueue unanswered; /* GTask * */
static guint asked;

static void
answer_task(GTask *task)
{
	const char *name = g_task_get_task_data(task);
	GList *addresses = NULL;

	addresses = g_list_append(
		addresses, g_inet_address_new_from_string(
				   g_str_has_prefix(name, "other") ? "127.0.0.9" : "127.0.0.1"));
	g_task_return_pointer(task, addresses, (GDestroyNotify)g_resolver_free_addresses);
	g_object_unref(task);
}

static void
lookup_name(GResolver *resolver, const char *name, GCancellable *cancellable,
	    GAsyncReadyCallback func, gpointer user)
{
	GTask *task = g_task_new(resolver, cancellable, func, user);

	asked++;
	g_task_set_task_data(task, g_strdup(name), g_free);
	if (silent)
		g_queue_push_tail(&unanswered, task);
	else
		answer_task(task);
}

static GList *
lookup_name_finish(GResolver *resolver, GAsyncResult *result, GError **error)
{
	(void)resolver;
	return g_task_propagate_pointer(G_TASK(result), error);
}

static void
lookup_service(GResolver *resolver, const char *name, GCancellable *cancellable,
	       GAsyncReadyCallback func, gpointer user)
{
	g_autoptr(GTask) task = g_task_new(resolver, cancellable, func, user);

	(void)name;
	g_task_return_new_error(task, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND,
				"no such service");
}

static GList *
lookup_service_finish(GResolver *resolver, GAsyncResult *result, GError **error)
{
	(void)resolver;
	return g_task_propagate_pointer(G_TASK(result), error);
}

static void
dns_class_init(DnsClass *class)
{
	class->lookup_service_async = lookup_service;
	class->lookup_service_finish = lookup_service_finish;
	class->lookup_by_name_async = lookup_name;
	class->lookup_by_name_finish = lookup_name_finish;
}

static void
dns_init(Dns *dns)
{
	(void)dns;
}

static void
answer_all(void)
{
	GTask *task;

	silent = FALSE;
	while ((task = g_queue_pop_head(&unanswered)))
		answer_task(task);
}

/* --- a trunk by name --- */

static void
by_name(Trunk *trunk)
{
	g_free(trunk->host);
	trunk->host = g_strdup("carrier.test");
	trunk->options_seconds = 0;
}

static void
registering(Trunk *trunk)
{
	by_name(trunk);
	trunk->registers = TRUE;
	trunk->username = g_strdup("49301234");
	trunk->password = g_strdup("secret");
}

static void
change_trunk(const char *name, void (*change)(Trunk *trunk))
{
	g_autoptr(Trunk) trunk = store_trunk_get(rig_store(), name, NULL);

	g_assert_nonnull(trunk);
	change(trunk);
	g_assert_true(store_trunk_update(rig_store(), trunk, NULL));
	rig_plugin->changed(CHANGE_TRUNK, name);
}

static void
add_other(const char *name)
{
	g_autoptr(Trunk) trunk = trunk_new(name, "other.test");

	g_assert_true(store_trunk_add(rig_store(), trunk, NULL));
	rig_plugin->changed(CHANGE_TRUNK, name);
}

static void
del_other(const char *name)
{
	g_assert_true(store_trunk_del(rig_store(), name, NULL));
	rig_plugin->changed(CHANGE_TRUNK, name);
}

static void
higher_priority(Trunk *trunk)
{
	trunk->priority++;
}

static void
switch_early_media(Trunk *trunk)
{
	gboolean rings = g_str_equal(trunk->early_media, "ring");

	g_free(trunk->early_media);
	trunk->early_media = g_strdup(rings ? "accept" : "ring");
}

static gboolean there; /* the other trunk */

/* The provisioning commands that there are, as the plugin is told of them. */
static void
provision(guint i)
{
	switch (i % 8) {
	case 0:
		change_trunk("carrier", higher_priority);
		break;
	case 1:
		rig_plugin->changed(CHANGE_USER, "alice@example.org");
		break;
	case 2:
		rig_plugin->changed(CHANGE_NUMBER, "+14155550101");
		break;
	case 3:
		if (there)
			del_other("other");
		else
			add_other("other");
		there = !there;
		break;
	case 4:
		rig_plugin->changed(CHANGE_ROUTES, NULL);
		break;
	case 5:
		change_trunk("carrier", switch_early_media);
		break;
	case 6:
		rig_plugin->changed(CHANGE_SETTINGS, "alice@example.org");
		break;
	default:
		rig_plugin->changed(CHANGE_CONFIG, NULL); /* SIGHUP */
	}
}

static void
call_in(void)
{
	g_autoptr(Peer) peer = peer_new();
	g_autofree char *response = NULL;

	peer_invite(peer, NULL, sdp_one);
	rig_expect_start("new "); /* and not 403 */
	rig_plugin->leg->hangup(rig_leg, REASON_BUSY, NULL);
	response = peer_wait(peer, "SIP/2.0 486");
	peer_ack(peer, response, NULL);
}

static void
count_source(gpointer user, const HostileSource *source)
{
	(void)source;
	++*(guint *)user;
}

static guint
hostile_sources(void)
{
	guint n = 0;

	rig_plugin->operators->sources(count_source, &n);
	return n;
}

static void
throttled(Config *config)
{
	config->sip_throttle_failures = 20;
	config->sip_throttle_window_s = 600;
	config->sip_throttle_block_s = config->sip_throttle_max_block_s = 60;
}

static void
changed__calls_go_on(void)
{
	g_autoptr(Peer) peer = peer_new();
	g_autofree char *invite = NULL;
	guint before;

	rig_configure = throttled;
	rig_start();
	rig_trunk("carrier", peer->port, by_name);
	rig_spin(20);
	call_in();
	silent = TRUE;
	before = asked;
	for (guint i = 0; i < 100; i++) {
		provision(i);
		call_in();
	}
	g_assert_cmpuint(sip_counter(COUNTER_SIP_STRANGERS), ==, 0);
	g_assert_cmpuint(hostile_sources(), ==, 0);
	/* the other one's name, each time it was new, and never the carrier's */
	for (GList *task = unanswered.head; task; task = task->next)
		g_assert_cmpstr(g_task_get_task_data(task->data), ==, "other.test");
	g_assert_cmpuint(asked - before, <=, 13);
	/* and out it goes at once, by the addresses there were */
	rig_dial("carrier", "+14155550199", NULL);
	invite = peer_wait(peer, "INVITE ");
	rig_plugin->leg->hangup(rig_leg, REASON_NONE, NULL);
	answer_all();
	rig_spin(20);
	rig_stop();
}

/* What a trunk did before its name was known is no scan. */
static void
changed__never_a_scan(void)
{
	g_autoptr(Peer) peer = peer_new();

	rig_configure = throttled;
	rig_start();
	silent = TRUE;
	rig_trunk("carrier", peer->port, by_name);
	for (guint i = 0; i < 3; i++) {
		g_autofree char *refused = NULL;

		peer_invite(peer, NULL, sdp_one);
		refused = peer_wait(peer, "SIP/2.0 403");
		peer_ack(peer, refused, NULL);
	}
	g_assert_cmpuint(hostile_sources(), ==, 1);
	answer_all();
	rig_spin(20);
	g_assert_cmpuint(hostile_sources(), ==, 0);
	call_in();
	rig_stop();
}

static void
move_host(Trunk *trunk)
{
	g_free(trunk->host);
	trunk->host = g_strdup("other.test");
}

static void
name_sources(Trunk *trunk)
{
	g_free(trunk->sources);
	trunk->sources = g_strdup("198.51.100.0/24 carrier.test");
}

static void
add_source(Trunk *trunk)
{
	g_free(trunk->sources);
	trunk->sources = g_strdup("203.0.113.7 carrier.test");
}

static void
drop_source(Trunk *trunk)
{
	g_free(trunk->sources);
	trunk->sources = g_strdup("203.0.113.7");
}

static void
refused(Peer *peer)
{
	g_autofree char *response = NULL;

	peer_invite(peer, NULL, sdp_one);
	response = peer_wait(peer, "SIP/2.0 403");
	peer_ack(peer, response, NULL);
}

/* A name that is still named keeps its addresses; one that is not loses them at once. */
static void
changed__sources(void)
{
	g_autoptr(Peer) peer = peer_new();

	rig_start();
	rig_trunk("carrier", peer->port, by_name);
	change_trunk("carrier", name_sources);
	rig_spin(20);
	call_in();
	silent = TRUE;
	change_trunk("carrier", add_source);
	call_in();
	change_trunk("carrier", move_host);
	call_in();
	change_trunk("carrier", drop_source);
	refused(peer);
	answer_all();
	rig_spin(20);
	refused(peer); /* an answer that came too late changes nothing */
	rig_stop();
}

static void
other_password(Trunk *trunk)
{
	g_free(trunk->password);
	trunk->password = g_strdup("changed");
}

static void
changed__registration(void)
{
	g_autoptr(Peer) peer = peer_new();
	g_autofree char *first = NULL, *status = NULL, *again = NULL;

	there = FALSE;
	rig_start();
	rig_trunk("carrier", peer->port, registering);
	first = peer_wait(peer, "REGISTER ");
	peer_reply(peer, first, "200 OK", "r", "Expires: 3600\r\n", NULL);
	rig_spin(50);
	silent = TRUE;
	for (guint i = 0; i < 16; i++)
		provision(i);
	rig_spin(50);
	g_assert_false(peer_has(peer, "REGISTER "));
	status = plugin_status(rig_plugin);
	g_assert_nonnull(strstr(status, "registered for 3"));
	/* but what it is registered with is */
	change_trunk("carrier", other_password);
	again = peer_wait(peer, "REGISTER ");
	peer_reply(peer, again, "200 OK", "r", "Expires: 3600\r\n", NULL);
	answer_all();
	rig_spin(20);
	rig_stop();
}

int
main(int argc, char **argv)
{
	g_autoptr(GResolver) dns = NULL;

	g_test_init(&argc, &argv, NULL);
	g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
	dns = g_object_new(dns_get_type(), NULL);
	g_resolver_set_default(dns);
	g_test_add_func("/sip/changed/calls-go-on", changed__calls_go_on);
	g_test_add_func("/sip/changed/never-a-scan", changed__never_a_scan);
	g_test_add_func("/sip/changed/sources", changed__sources);
	g_test_add_func("/sip/changed/registration", changed__registration);
	return g_test_run();
}
