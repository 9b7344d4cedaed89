/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-sip-hop.c - where requests inside a dialog are sent: the decision as a table, and on
 * the wire for each method, with a telephone that takes nothing that comes past its proxy.
 *
 * DNS is played by a GResolver of the test's.
 */
#include "plugins/sip/dialog/sip_hop.h"
#include "plugins/sip/dialog/sip_leg.h"
#include "tests/legs/sip-rig.h"
#include <string.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/su_alloc.h>

/* --- what sofia reads of the parameters of a URI, by our function --- */

/* The last parameter may begin as the one that is asked for does, and be another: what stands
 * behind the text in memory is none. */
static void
params__asked(void)
{
	static const struct {
		const char *params, *asked;
		guint length; /* as it is returned: with a NUL, 0: it is not there */
		const char *value;
	} rows[] = {
		{ "maddr=192.0.2.1;lr", "maddr", 10, "192.0.2.1" },
		{ "lr;MADDR=192.0.2.1", "maddr", 10, "192.0.2.1" },
		{ "lr;maddr=192.0.2.1", "maddr=", 10, "192.0.2.1" },
		{ "user=phone;lr", "user=phone", 1, "" },
		{ "lr;user=phones", "user=phone", 0, NULL },
		{ "maddr;lr", "maddr", 1, "" },
		{ "maddr=", "maddr", 1, "" },
		{ "maddrx", "maddr", 0, NULL },
		{ "lr;maddrx", "maddr", 0, NULL },
		{ "maddrx=1;maddr=2", "maddr", 2, "2" },
		{ ";;maddr=2;", "maddr", 2, "2" },
		{ "m", "maddr", 0, NULL },
		{ "", "maddr", 0, NULL },
		{ NULL, "maddr", 0, NULL },
		{ "maddr=a-value-with-no-room", "maddr", 21, NULL },
	};

	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *params =
			rows[i].params ? g_strconcat(rows[i].params, "|maddr=behind", NULL) : NULL;
		char value[16] = "?";
		isize_t length;

		if (params)
			*strchr(params, '|') = '\0';
		length = url_param(params, rows[i].asked, value, sizeof value);
		g_test_message("%s in %s", rows[i].asked, rows[i].params);
		g_assert_cmpuint(length, ==, rows[i].length);
		g_assert_cmpstr(value, ==, rows[i].value ? rows[i].value : "?");
		g_assert_cmpuint(url_param(params, rows[i].asked, NULL, 0), ==, length);
	}
}

/* --- DNS: *.test is here, silent.test never answers, nothing else is known --- */

typedef struct {
	GResolver parent;
} Dns;
typedef GResolverClass DnsClass;

static GType dns_get_type(void);
G_DEFINE_TYPE(Dns, dns, G_TYPE_RESOLVER)

static guint asked;

static void
on_cancelled(GCancellable *cancellable, gpointer task)
{
	(void)cancellable;
	g_task_return_error_if_cancelled(task);
}

static void
lookup_name(GResolver *resolver, const char *name, GCancellable *cancellable,
	    GAsyncReadyCallback func, gpointer user)
{
	g_autoptr(GTask) task = g_task_new(resolver, cancellable, func, user);

	asked++;
	if (g_str_equal(name, "silent.test"))
		g_cancellable_connect(cancellable, G_CALLBACK(on_cancelled), g_object_ref(task),
				      g_object_unref);
	else if (g_str_has_suffix(name, ".test"))
		g_task_return_pointer(task,
				      g_list_append(NULL, g_inet_address_new_from_string(
								  peer_six ? "::1" : "127.0.0.1")),
				      (GDestroyNotify)g_resolver_free_addresses);
	else
		g_task_return_new_error(task, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND,
					"no such name");
}

static GList *
lookup_finish(GResolver *resolver, GAsyncResult *result, GError **error)
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
	g_task_return_new_error(task, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND, "no service");
}

static void
dns_class_init(DnsClass *class)
{
	class->lookup_by_name_async = lookup_name;
	class->lookup_by_name_finish = lookup_finish;
	class->lookup_service_async = lookup_service;
	class->lookup_service_finish = lookup_finish;
}

static void
dns_init(Dns *dns)
{
	(void)dns;
}

/* --- the decision --- */

#define SOURCE_4 "sip:203.0.113.9:5060;transport=udp"
#define SOURCE_6 "sip:[2a00::9]:5060;transport=udp"

static sip_route_t *
parse_route(su_home_t *home, const char *text)
{
	sip_route_t *route = text ? sip_route_make(home, text) : NULL;

	g_assert_true(!text || route);
	return route;
}

/* What is written is gone to, whoever has called whom: {no, numeric, named, two, strict
 * Record-Route} × {other port, TCP, TLS, IPv6}. */
static void
choose__matrix(void)
{
	static const struct {
		const char *uri, *hop;
		gboolean six;
	} places[] = {
		{ "sip:192.0.2.7:5070", "sip:192.0.2.7:5070;transport=udp", FALSE },
		{ "sip:192.0.2.7", "sip:192.0.2.7:5060;transport=udp", FALSE },
		{ "sip:192.0.2.7:5070;transport=tcp", "sip:192.0.2.7:5070;transport=tcp", FALSE },
		{ "sip:192.0.2.7;transport=TCP", "sip:192.0.2.7:5060;transport=tcp", FALSE },
		{ "sip:192.0.2.7;transport=tls", "sip:192.0.2.7:5061;transport=tls", FALSE },
		{ "sips:192.0.2.7:5071", "sip:192.0.2.7:5071;transport=tls", FALSE },
		{ "sips:192.0.2.7;transport=tcp", "sip:192.0.2.7:5061;transport=tls", FALSE },
		{ "sip:[2A00:0::7]:5070", "sip:[2a00::7]:5070;transport=udp", TRUE },
		{ "sip:[2a00::7]:5070;transport=tcp", "sip:[2a00::7]:5070;transport=tcp", TRUE },
		{ "sip:edge.example:5070;maddr=192.0.2.7", "sip:192.0.2.7:5070;transport=udp",
		  FALSE },
		{ "sip:192.0.2.99:5070;maddr=192.0.2.7;transport=tcp",
		  "sip:192.0.2.7:5070;transport=tcp", FALSE },
	};
	static const char *const shapes[] = { "%s", "<%s;lr>", "<%s;lr>,<sip:198.51.100.1;lr>",
					      "<%s>,<sip:198.51.100.1;lr>" };
	static const char *const targets[] = { "sip:x@198.51.100.2:5090", "sip:x@far.example",
					       "sip:x@10.0.0.1;transport=tcp" };

	for (guint p = 0; p < G_N_ELEMENTS(places); p++)
		for (guint s = 0; s < G_N_ELEMENTS(shapes); s++)
			for (guint t = 0; t < G_N_ELEMENTS(targets); t++) {
				su_home_t home[1] = { SU_HOME_INIT(home) };
				g_auto(GStrv) cut = g_strsplit(shapes[s], "%s", 2);
				g_autofree char *text = g_strjoinv(places[p].uri, cut);
				const char *source = places[p].six ? SOURCE_6 : SOURCE_4;
				g_auto(HopChoice) choice = { 0 };
				HopFacts facts = { .family = places[p].six ? G_SOCKET_FAMILY_IPV6
									   : G_SOCKET_FAMILY_IPV4,
						   .tls = TRUE,
						   .source = source };
				sip_route_t *route;

				su_home_init(home);
				route = s ? parse_route(home, text) : NULL;
				facts.route = route ? route->r_url : NULL;
				facts.target = url_make(home, s ? targets[t] : text);
				g_test_message("%s", text);
				hop_choose(&facts, &choice);
				g_assert_cmpstr(choice.hop, ==, places[p].hop);
				g_assert_true(choice.theirs);
				g_assert_null(choice.name);
				su_home_deinit(home);
			}
}

static void
choose__table(void)
{
	static const struct {
		const char *route, *target, *source, *known, *hop, *name, *later;
		gboolean only_public, no_tls;
	} cases[] = {
		/* a name: back where it came from, and asked for */
		{ "<sip:edge.example;lr>", "sip:192.0.2.7", SOURCE_4, NULL, SOURCE_4,
		  "edge.example 0 auto", NULL, FALSE, FALSE },
		{ NULL, "sip:uas.example:5070", SOURCE_4, NULL, SOURCE_4, "uas.example 5070 udp",
		  NULL, FALSE, FALSE },
		{ NULL, "sip:192.0.2.7;maddr=inner.example", SOURCE_4, NULL, SOURCE_4,
		  "inner.example 0 auto", NULL, FALSE, FALSE },
		{ NULL, "sip:uas.example;transport=tcp", "sip:203.0.113.9:40123;transport=tcp",
		  NULL, "sip:203.0.113.9:40123;transport=tcp", "uas.example 0 tcp",
		  "sip:203.0.113.9:5060;transport=tcp", FALSE, FALSE },
		{ NULL, "sip:df7jal23ls0d.invalid", SOURCE_4, NULL, SOURCE_4, NULL, NULL, FALSE,
		  FALSE },
		{ NULL, "sip:1.2.3", SOURCE_4, NULL, SOURCE_4, NULL, NULL, FALSE, FALSE },
		/* nothing that can be gone to */
		{ NULL, NULL, SOURCE_4, NULL, SOURCE_4, NULL, NULL, FALSE, FALSE },
		{ NULL, "sip:0.0.0.0:5060", SOURCE_4, NULL, SOURCE_4, NULL, NULL, FALSE, FALSE },
		{ NULL, "sip:224.0.1.75", SOURCE_4, NULL, SOURCE_4, NULL, NULL, FALSE, FALSE },
		{ NULL, "sip:255.255.255.255", SOURCE_4, NULL, SOURCE_4, NULL, NULL, FALSE, FALSE },
		{ NULL, "sip:192.0.2.7:0", SOURCE_4, NULL, SOURCE_4, NULL, NULL, FALSE, FALSE },
		{ NULL, "sip:192.0.2.7;transport=ws", SOURCE_4, NULL, SOURCE_4, NULL, NULL, FALSE,
		  FALSE },
		{ NULL, "sip:[2a00::7]", SOURCE_4, NULL, SOURCE_4, NULL, NULL, FALSE, FALSE },
		{ NULL, "sips:192.0.2.7", SOURCE_4, NULL, SOURCE_4, NULL, NULL, FALSE, TRUE },
		{ NULL, "sip:x@[::1", NULL, SOURCE_4, SOURCE_4, NULL, NULL, FALSE, FALSE },
		/* a private network behind a peer on the Internet */
		{ NULL, "sip:192.168.1.20:5060", SOURCE_4, NULL, SOURCE_4, NULL, NULL, FALSE,
		  FALSE },
		{ "<sip:10.0.0.1;lr>", "sip:192.0.2.7", SOURCE_4, NULL, SOURCE_4, NULL, NULL, FALSE,
		  FALSE },
		{ "<sip:192.0.2.7;lr;maddr=127.0.0.1>", "sip:192.0.2.7", SOURCE_4, NULL, SOURCE_4,
		  NULL, NULL, FALSE, FALSE },
		{ "<sip:10.1.1.1:5061;lr>", "sip:192.0.2.7", "sip:10.1.1.1:5060;transport=udp",
		  NULL, "sip:10.1.1.1:5061;transport=udp", NULL, NULL, FALSE, FALSE },
		/* a stranger's: where the call has gone */
		{ "<sip:203.0.113.9;lr>", "sip:10.0.0.1", SOURCE_4, SOURCE_4, SOURCE_4, NULL, NULL,
		  TRUE, FALSE },
		{ NULL, "sip:10.0.0.1", "sip:10.0.0.1:5060;transport=udp", SOURCE_4, SOURCE_4, NULL,
		  NULL, TRUE, FALSE },
		{ NULL, "sip:192.0.2.7;maddr=10.0.0.1", SOURCE_4, SOURCE_4, SOURCE_4, NULL, NULL,
		  TRUE, FALSE },
		{ NULL, "sip:uas.example", "sip:10.0.0.1:5060;transport=udp", SOURCE_4, SOURCE_4,
		  "uas.example 0 auto", NULL, TRUE, FALSE },
		/* the same place by the transport that it is talked with */
		{ NULL, "sip:203.0.113.9", "sip:203.0.113.9:5060;transport=tcp", NULL,
		  "sip:203.0.113.9:5060;transport=tcp", NULL, NULL, FALSE, FALSE },
		{ NULL, "sip:203.0.113.9:5070", "sip:203.0.113.9:5060;transport=tcp", NULL,
		  "sip:203.0.113.9:5070;transport=udp", NULL, NULL, FALSE, FALSE },
		{ NULL, "sip:203.0.113.9", "sip:203.0.113.9:40123;transport=tcp",
		  "sip:t.trunk.invalid:5060;maddr=203.0.113.9;transport=tcp",
		  "sip:203.0.113.9:5060;transport=tcp", NULL, NULL, FALSE, FALSE },
		/* by TLS, and never in the clear after that */
		{ NULL, "sip:203.0.113.9", "sip:203.0.113.9:40123;transport=tls", NULL,
		  "sip:203.0.113.9:5061;transport=tls", NULL, NULL, FALSE, FALSE },
		{ NULL, "sip:203.0.113.9;transport=udp", "sip:203.0.113.9:40123;transport=tls",
		  NULL, "sip:203.0.113.9:40123;transport=tls", NULL,
		  "sip:203.0.113.9:5061;transport=tls", FALSE, FALSE },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		su_home_t home[1] = { SU_HOME_INIT(home) };
		g_auto(HopChoice) choice = { 0 };
		g_autofree char *name = NULL;
		HopFacts facts = { .family = G_SOCKET_FAMILY_IPV4,
				   .tls = !cases[i].no_tls,
				   .only_public = cases[i].only_public,
				   .source = cases[i].source,
				   .known = cases[i].known };
		sip_route_t *route;

		su_home_init(home);
		route = parse_route(home, cases[i].route);
		facts.route = route ? route->r_url : NULL;
		facts.target = cases[i].target ? url_make(home, cases[i].target) : NULL;
		g_test_message("%u: %s %s", i, cases[i].route, cases[i].target);
		hop_choose(&facts, &choice);
		name = choice.name ? g_strdup_printf("%s %u %s", choice.name, choice.port,
						     choice.transport)
				   : NULL;
		g_assert_cmpstr(choice.hop, ==, cases[i].hop);
		g_assert_cmpstr(name, ==, cases[i].name);
		g_assert_cmpstr(choice.later, ==, cases[i].later);
		su_home_deinit(home);
	}
}

/* A name may lead anywhere: it is held to the same rules. */
static void
choose__pick(void)
{
	static const struct {
		const char *hops, *source, *expected;
		gboolean only_public;
	} cases[] = {
		{ "sip:192.0.2.7:5060;transport=udp", SOURCE_4, "sip:192.0.2.7:5060;transport=udp",
		  FALSE },
		{ "sip:192.0.2.7:5060;transport=udp " SOURCE_4, SOURCE_4, SOURCE_4, FALSE },
		{ "sip:10.0.0.1:5060;transport=udp", SOURCE_4, NULL, FALSE },
		{ "sip:10.0.0.1:5060;transport=udp sip:192.0.2.7:5060;transport=udp", SOURCE_4,
		  "sip:192.0.2.7:5060;transport=udp", FALSE },
		{ "sip:10.0.0.1:5060;transport=udp", "sip:10.0.0.9:5060;transport=udp",
		  "sip:10.0.0.1:5060;transport=udp", FALSE },
		{ "sip:10.0.0.1:5060;transport=udp", "sip:10.0.0.9:5060;transport=udp", NULL,
		  TRUE },
		{ "sip:0.0.0.0:5060;transport=udp", SOURCE_4, NULL, FALSE },
		{ "sip:192.0.2.7:5061;transport=tls", SOURCE_4, NULL, FALSE },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_auto(GStrv) words = g_strsplit(cases[i].hops, " ", -1);
		g_autoptr(GPtrArray) hops = g_ptr_array_new();
		HopFacts facts = { .family = G_SOCKET_FAMILY_IPV4,
				   .only_public = cases[i].only_public,
				   .source = cases[i].source };

		for (char **word = words; *word; word++)
			g_ptr_array_add(hops, *word);
		g_assert_cmpstr(hop_pick(&facts, hops), ==, cases[i].expected);
	}
	g_assert_null(hop_pick(&(HopFacts){ .family = G_SOCKET_FAMILY_IPV4 }, NULL));
}

/* --- on the wire --- */

/* The proxy that calls come from and go to; another port of it, by UDP and by TCP; and the
 * telephone behind it. */
enum { PROXY, EDGE, STREAM, FAR, N_PEERS };

typedef struct {
	const char *name;
	const char *route; /* "%u": the port of `hop` */
	const char
		*uri; /* of what arrives: the target's, or a strict router's; NULL: the target's */
	int hop;      /* where each request has to arrive */
	gboolean later; /* not the ACK: the name is being looked up */
} WireCase;

static const WireCase wire_cases[] = {
	{ "none", NULL, NULL, FAR, FALSE },
	{ "numeric", "<sip:127.0.0.1:%u;lr>", NULL, EDGE, FALSE },
	{ "numeric-tcp", "<sip:127.0.0.1:%u;transport=tcp;lr>", NULL, STREAM, FALSE },
	{ "named", "<sip:edge.test:%u;lr>", NULL, EDGE, TRUE },
	{ "unknown", "<sip:edge.example:%u;lr>", NULL, PROXY, FALSE },
	{ "silent", "<sip:silent.test:%u;lr>", NULL, PROXY, FALSE },
	{ "maddr", "<sip:edge.example:%u;maddr=127.0.0.1;lr>", NULL, EDGE, FALSE },
	{ "maddr-unknown", "<sip:127.0.0.1:%u;maddr=edge.example;lr>", NULL, PROXY, FALSE },
	{ "strict", "<sip:127.0.0.1:%u;x=strict>", "sip:127.0.0.1:%u;x=strict", EDGE, FALSE },
};

typedef struct {
	Peer *peer[N_PEERS];
	const WireCase *wanted;
	char *request_uri;
} Wire;

static char *
with_port(const char *format, guint port)
{
	g_autofree char *home = peer_at_home(format);
	g_auto(GStrv) cut = g_strsplit(home, "%u", 2);
	g_autofree char *text = g_strdup_printf("%u", port);

	return g_strjoinv(text, cut);
}

/* What the descriptions of the rig are made for. */
static void
with_media_of_four(Config *config)
{
	static char *addresses[] = { (char *)"127.0.0.1", NULL };

	config->media.rtp_address = addresses[0];
	config->media.local_addresses = addresses;
}

static void
wire_start(Wire *wire, const WireCase *wanted)
{
	guint port;

	g_test_message("%s", wanted->name);
	for (guint i = 0; i < N_PEERS; i++)
		wire->peer[i] = i == STREAM ? peer_new_tcp() : peer_new();
	wire->wanted = wanted;
	port = wire->peer[wanted->hop == STREAM ? STREAM : EDGE]->port;
	wire->request_uri =
		wanted->uri ? with_port(wanted->uri, port)
			    : g_strdup_printf("sip:far@%s:%u", peer_host(), wire->peer[FAR]->port);
	rig_configure = with_media_of_four;
	rig_start();
	rig_trunk("carrier", wire->peer[PROXY]->port, NULL);
}

/* Record-Route, the nearest proxy first or last, and Contact. */
static char *
wire_headers(const Wire *wire, gboolean answer)
{
	guint port = wire->peer[wire->wanted->hop == STREAM ? STREAM : EDGE]->port;
	g_autofree char *near = wire->wanted->route ? with_port(wire->wanted->route, port) : NULL;
	g_autofree char *routes =
		!near	 ? g_strdup("")
		: answer ? g_strdup_printf("Record-Route: <sip:198.51.100.1;lr>, %s\r\n", near)
			 : g_strdup_printf("Record-Route: %s\r\nRecord-Route: "
					   "<sip:198.51.100.1;lr>\r\n",
					   near);

	return g_strdup_printf("%sContact: <sip:far@%s:%u>\r\n", routes, peer_host(),
			       wire->peer[FAR]->port);
}

static char *
wire_hear(Wire *wire, const char *method)
{
	g_autofree char *start = g_strdup_printf("%s %s ", method, wire->request_uri);
	char *request = peer_wait(wire->peer[wire->wanted->hop], method);

	if (!g_str_has_prefix(request, start))
		g_error("%s where \"%s\" was expected", request, start);
	return request;
}

static void
wire_answer(Wire *wire, const char *request, const char *status, const char *body)
{
	g_autofree char *contact =
		g_strdup_printf("Contact: <sip:far@%s:%u>\r\n", peer_host(), wire->peer[FAR]->port);

	peer_reply(wire->peer[wire->wanted->hop], request, status, NULL, contact, body);
}

/* Every request of ours that there is. */
static void
wire_methods(Wire *wire)
{
	g_autoptr(Desc) offer = rig_desc(sdp_two);
	g_autofree char *invite = NULL, *ack = NULL, *info = NULL, *update = NULL, *saved = NULL,
			*buried = NULL, *again = NULL, *second = NULL, *bye = NULL;

	if (wire->wanted->later)
		rig_spin(20);
	rig_plugin->leg->change(rig_leg, offer);
	invite = wire_hear(wire, "INVITE");
	wire_answer(wire, invite, "200 OK", sdp_two);
	ack = wire_hear(wire, "ACK");
	rig_expect_start("answered");
	rig_plugin->leg->dtmf(rig_leg, '5');
	info = wire_hear(wire, "INFO");
	wire_answer(wire, info, "200 OK", NULL);
	((SipLeg *)rig_leg)->session.updates = TRUE;
	((SipLeg *)rig_leg)->session.interval_s = 90;
	((SipLeg *)rig_leg)->session.owner->refresh(rig_leg);
	update = wire_hear(wire, "UPDATE");
	wire_answer(wire, update, "200 OK", NULL);
	while (((SipLeg *)rig_leg)->change != CHANGE_NONE)
		g_main_context_iteration(NULL, TRUE);
	((SipLeg *)rig_leg)->session.updates = FALSE;
	((SipLeg *)rig_leg)->session.interval_s = 90;
	((SipLeg *)rig_leg)->session.owner->refresh(rig_leg);
	again = wire_hear(wire, "INVITE");
	wire_answer(wire, again, "200 OK", sdp_two);
	second = wire_hear(wire, "ACK");
	saved = rig_plugin->leg->save(rig_leg);
	rig_plugin->leg->bury(saved, REASON_CRASHED);
	buried = wire_hear(wire, "BYE");
	wire_answer(wire, buried, "200 OK", NULL);
	rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
	bye = wire_hear(wire, "BYE");
	wire_answer(wire, bye, "200 OK", NULL);
}

static void
wire_stop(Wire *wire)
{
	rig_spin(5);
	for (guint i = EDGE; i < N_PEERS; i++)
		if (i != (guint)wire->wanted->hop)
			g_assert_true(g_queue_is_empty(&wire->peer[i]->heard));
	rig_stop();
	for (guint i = 0; i < N_PEERS; i++)
		peer_free(wire->peer[i]);
	g_free(wire->request_uri);
}

/* Not on a machine without IPv6. */
static gboolean
has_six(void)
{
	g_autoptr(GSocketAddress) any = g_inet_socket_address_new_from_string("::1", 0);
	g_autoptr(GSocket) socket = g_socket_new(G_SOCKET_FAMILY_IPV6, G_SOCKET_TYPE_DATAGRAM,
						 G_SOCKET_PROTOCOL_UDP, NULL);

	return socket && g_socket_bind(socket, any, FALSE, NULL);
}

static void
over_six(void (*conversation)(gconstpointer data), gconstpointer data)
{
	if (!has_six()) {
		g_test_skip("no IPv6 here");
		return;
	}
	peer_six = TRUE;
	conversation(data);
	peer_six = FALSE;
}

static void
wire__out(gconstpointer data)
{
	Wire wire = { 0 };
	g_autofree char *invite = NULL, *headers = NULL, *ack = NULL;

	wire_start(&wire, data);
	rig_dial("carrier", "+14155550123", NULL);
	invite = peer_wait(wire.peer[PROXY], "INVITE ");
	headers = wire_headers(&wire, TRUE);
	peer_reply(wire.peer[PROXY], invite, "200 OK", "t1", headers, sdp_one);
	rig_expect_start("answered");
	ack = wire.wanted->later ? peer_wait(wire.peer[PROXY], "ACK ") : wire_hear(&wire, "ACK");
	wire_methods(&wire);
	wire_stop(&wire);
}

static void
wire__in(gconstpointer data)
{
	Wire wire = { 0 };
	g_autoptr(Desc) answer = rig_desc(sdp_two);
	g_autofree char *headers = NULL, *ok = NULL;

	wire_start(&wire, data);
	headers = wire_headers(&wire, FALSE);
	peer_invite(wire.peer[PROXY], headers, sdp_one);
	rig_expect_start("new ");
	rig_plugin->leg->answer(rig_leg, answer);
	ok = peer_wait(wire.peer[PROXY], "SIP/2.0 200");
	peer_ack(wire.peer[PROXY], ok, NULL);
	while (!strstr(rig_traces(), "ACK"))
		g_main_context_iteration(NULL, TRUE);
	wire_methods(&wire);
	wire_stop(&wire);
}

static void
wire__out_six(gconstpointer data)
{
	over_six(wire__out, data);
}

static void
wire__in_six(gconstpointer data)
{
	over_six(wire__in, data);
}

/* --- what is new on the way --- */

/* A new Contact, in a request or in an answer, is where the next request goes. */
static void
wire__target_refresh(void)
{
	g_autoptr(Peer) peer = peer_new(), second = peer_new(), third = peer_new();
	g_autoptr(Desc) answer = rig_desc(sdp_two), offer = rig_desc(sdp_one);
	g_autofree char *ok = NULL, *contact = NULL, *again = NULL, *tag = NULL, *invite = NULL,
			*moved = NULL, *bye = NULL;

	rig_start();
	rig_trunk("carrier", peer->port, NULL);
	peer_invite(peer, NULL, sdp_one);
	rig_expect_start("new ");
	rig_plugin->leg->answer(rig_leg, answer);
	ok = peer_wait(peer, "SIP/2.0 200");
	tag = message_tag(ok, "To");
	peer_ack(peer, ok, NULL);
	while (!strstr(rig_traces(), "ACK"))
		g_main_context_iteration(NULL, TRUE);
	contact = g_strdup_printf("Contact: <sip:two@127.0.0.1:%u>\r\n", second->port);
	again = peer_request(peer, "INVITE", tag, contact, sdp_two);
	peer_send(peer, again);
	rig_expect_start("changed");
	rig_plugin->leg->answer(rig_leg, answer);
	g_free(ok);
	ok = peer_wait(peer, "SIP/2.0 200");
	peer_ack(peer, ok, NULL);
	rig_plugin->leg->change(rig_leg, offer);
	invite = peer_wait(second, "INVITE sip:two@127.0.0.1:");
	moved = g_strdup_printf("Contact: <sip:three@127.0.0.1:%u>\r\n", third->port);
	peer_reply(second, invite, "200 OK", NULL, moved, sdp_two);
	rig_expect_start("answered");
	g_free(peer_wait(third, "ACK sip:three@127.0.0.1:"));
	rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
	bye = peer_wait(third, "BYE sip:three@127.0.0.1:");
	peer_reply(third, bye, "200 OK", NULL, NULL, NULL);
	rig_stop();
}

/* RFC 3262 4: the PRACK goes the way of the dialog that the 183 has begun. */
static void
wire__prack(void)
{
	g_autoptr(Peer) proxy = peer_new(), edge = peer_new(), far = peer_new();
	g_autofree char *invite = NULL, *headers = NULL, *prack = NULL, *rack = NULL, *cseq = NULL,
			*expected = NULL, *bye = NULL, *plain = NULL;

	rig_start();
	rig_trunk("carrier", proxy->port, NULL);
	rig_dial("carrier", "+14155550123", NULL);
	invite = peer_wait(proxy, "INVITE ");
	plain = g_strdup_printf("Record-Route: <sip:127.0.0.1:%u;lr>\r\n"
				"Contact: <sip:far@127.0.0.1:%u>\r\n",
				edge->port, far->port);
	headers = g_strconcat(plain, "Require: 100rel\r\nRSeq: 813520\r\n", NULL);
	peer_reply(proxy, invite, "183 Session Progress", "one", headers, sdp_one);
	rig_expect_start("ringing");
	prack = peer_wait(edge, "PRACK sip:far@127.0.0.1:");
	rack = message_header(prack, "RAck");
	cseq = message_header(invite, "CSeq");
	expected = g_strdup_printf("813520 %s", cseq);
	g_assert_cmpstr(rack, ==, expected);
	peer_reply(edge, prack, "200 OK", NULL, NULL, NULL);
	peer_reply(proxy, invite, "200 OK", "one", plain, sdp_one);
	rig_expect_start("answered");
	g_free(peer_wait(edge, "ACK sip:far@127.0.0.1:"));
	rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
	bye = peer_wait(edge, "BYE sip:far@127.0.0.1:");
	peer_reply(edge, bye, "200 OK", NULL, NULL, NULL);
	g_assert_true(g_queue_is_empty(&far->heard));
	rig_stop();
}

/* RFC 3261 13.3.1: a caller may say how long he waits. */
static void
in__expires(void)
{
	g_autoptr(Peer) peer = peer_new();
	g_autofree char *refused = NULL, *ok = NULL, *tag = NULL;
	g_autoptr(Desc) answer = rig_desc(sdp_two);

	rig_start();
	rig_trunk("carrier", peer->port, NULL);
	peer_invite(peer, "Expires: 1\r\n", sdp_one);
	rig_expect_start("new ");
	rig_plugin->leg->ring(rig_leg, NULL);
	rig_expect("ended cancelled");
	refused = peer_wait(peer, "SIP/2.0 487");
	peer_ack(peer, refused, NULL);
	/* who is answered in time talks on */
	peer_invite(peer, "Expires: 1\r\n", sdp_one);
	rig_expect_start("new ");
	rig_plugin->leg->answer(rig_leg, answer);
	ok = peer_wait(peer, "SIP/2.0 200");
	peer_ack(peer, ok, NULL);
	rig_spin(1200);
	rig_no_event();
	rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
	g_free(ok);
	ok = peer_wait(peer, "BYE ");
	peer_reply(peer, ok, "200 OK", NULL, NULL, NULL);
	rig_stop();
}

/* RFC 3261 13.2.2.4: a second telephone has answered as well; its call is ended where its
 * answer says. */
static void
wire__other_fork(void)
{
	g_autoptr(Peer) proxy = peer_new(), edge = peer_new(), far = peer_new();
	g_autofree char *invite = NULL, *headers = NULL, *bye = NULL, *ended = NULL, *tag = NULL;

	rig_start();
	rig_trunk("carrier", proxy->port, NULL);
	rig_dial("carrier", "+14155550123", NULL);
	invite = peer_wait(proxy, "INVITE ");
	peer_reply(proxy, invite, "200 OK", "one", NULL, sdp_one);
	rig_expect_start("answered");
	g_free(peer_wait(proxy, "ACK "));
	headers = g_strdup_printf("Record-Route: <sip:127.0.0.1:%u;lr>\r\n"
				  "Contact: <sip:far@127.0.0.1:%u>\r\n",
				  edge->port, far->port);
	peer_reply(proxy, invite, "200 OK", "two", headers, sdp_one);
	g_free(peer_wait(edge, "ACK sip:far@127.0.0.1:"));
	bye = peer_wait(edge, "BYE sip:far@127.0.0.1:");
	tag = message_tag(bye, "To");
	g_assert_cmpstr(tag, ==, "two");
	peer_reply(edge, bye, "200 OK", NULL, NULL, NULL);
	rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
	ended = peer_wait(proxy, "BYE ");
	peer_reply(proxy, ended, "200 OK", NULL, NULL, NULL);
	g_assert_true(g_queue_is_empty(&far->heard));
	rig_stop();
}

/* --- after a crash --- */

/* What rang is cancelled: as the INVITE was, or nobody would know what is meant. */
static void
bury__ringing(void)
{
	static const char *const same[] = { "From", "To", "Call-ID" };
	g_autoptr(Peer) peer = peer_new();
	g_autofree char *invite = NULL, *saved = NULL, *cancel = NULL, *first = NULL,
			*second = NULL, *cseq = NULL, *expected = NULL, *uri = NULL;
	guint number;

	rig_start();
	rig_trunk("carrier", peer->port, NULL);
	rig_dial("carrier", "+14155550123", NULL);
	invite = peer_wait(peer, "INVITE ");
	g_assert_null(rig_plugin->leg->save(rig_leg)); /* nobody has heard of it yet */
	peer_reply(peer, invite, "100 Trying", NULL, NULL, NULL);
	while (!strstr(rig_traces(), "100 Trying"))
		g_main_context_iteration(NULL, TRUE);
	saved = rig_plugin->leg->save(rig_leg);
	g_assert_nonnull(saved);
	g_assert_null(strpbrk(saved, "\t\r\n"));
	rig_plugin->leg->bury(saved, REASON_CRASHED);
	cancel = peer_wait(peer, "CANCEL ");
	for (guint i = 0; i < G_N_ELEMENTS(same); i++) {
		g_autofree char *was = message_header(invite, same[i]);
		g_autofree char *is = message_header(cancel, same[i]);

		g_assert_cmpstr(is, ==, was);
	}
	first = message_header(invite, "Via");
	second = message_header(cancel, "Via");
	g_assert_true(g_str_has_prefix(strstr(second, "branch="), strstr(first, "branch=")));
	g_assert_true(strncmp(first, second, strcspn(first, ";")) == 0);
	uri = g_strndup(invite + strlen("INVITE "), strcspn(invite + strlen("INVITE "), " "));
	g_assert_true(g_str_has_prefix(cancel + strlen("CANCEL "), uri));
	cseq = message_header(invite, "CSeq");
	number = (guint)g_ascii_strtoull(cseq, NULL, 10);
	expected = g_strdup_printf("%u CANCEL", number);
	g_free(cseq);
	cseq = message_header(cancel, "CSeq");
	g_assert_cmpstr(cseq, ==, expected);
	peer_reply(peer, cancel, "200 OK", "t", NULL, NULL);
	peer_reply(peer, invite, "487 Request Terminated", "t", NULL, NULL);
	rig_expect_start("ended ");
	rig_stop();
}

/* Answered by us and not acknowledged yet: the caller believes it is a call. */
static void
bury__not_acknowledged(void)
{
	g_autoptr(Peer) peer = peer_new();
	g_autoptr(Desc) answer = rig_desc(sdp_two);
	g_autofree char *ok = NULL, *saved = NULL, *bye = NULL, *ours = NULL, *theirs = NULL;

	rig_start();
	rig_trunk("carrier", peer->port, NULL);
	peer_invite(peer, NULL, sdp_one);
	rig_expect_start("new ");
	g_assert_null(rig_plugin->leg->save(rig_leg));
	rig_plugin->leg->answer(rig_leg, answer);
	saved = rig_plugin->leg->save(rig_leg);
	g_assert_nonnull(saved);
	ok = peer_wait(peer, "SIP/2.0 200");
	rig_plugin->leg->bury(saved, REASON_CRASHED);
	bye = peer_wait(peer, "BYE ");
	ours = message_tag(ok, "To");
	theirs = message_tag(bye, "From");
	g_assert_cmpstr(theirs, ==, ours);
	peer_reply(peer, bye, "200 OK", NULL, NULL, NULL);
	peer_ack(peer, ok, NULL);
	while (!strstr(rig_traces(), "ACK"))
		g_main_context_iteration(NULL, TRUE);
	rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
	g_free(bye);
	bye = peer_wait(peer, "BYE ");
	peer_reply(peer, bye, "200 OK", NULL, NULL, NULL);
	rig_stop();
}

/* As the version before wrote it: with a next hop, without one, and with a name for one. */
static void
bury__old_text(void)
{
	static const char *const texts[] = {
		"1 id1 <sip:us@gw.example.org>;tag=a <sip:them@x.example>;tag=b 17 "
		"sip:them@192.0.2.1 <sip:198.51.100.1;lr> sip:127.0.0.1:%u;transport=udp",
		"1 id2 <sip:us@gw.example.org>;tag=a <sip:them@x.example>;tag=b 17 "
		"sip:them@127.0.0.1:%u  ",
		"1 id3 <sip:us@gw.example.org>;tag=a <sip:them@x.example>;tag=b 17 "
		"sip:them@192.0.2.1 <sip:edge.test:%u;lr> ",
		"2 call id4 <sip:us@gw.example.org>;tag=a <sip:them@x.example>;tag=b 17 "
		"sip:them@192.0.2.1 <sip:127.0.0.1:%u>  ",
	};
	g_autoptr(Peer) peer = peer_new();

	rig_start();
	for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autofree char *saved = with_port(texts[i], peer->port);
		g_autofree char *bye = NULL, *cseq = NULL, *id = NULL, *expected = NULL;

		rig_plugin->leg->bury(saved, REASON_CRASHED);
		bye = peer_wait(peer, "BYE ");
		cseq = message_header(bye, "CSeq");
		id = message_header(bye, "Call-ID");
		expected = g_strdup_printf("id%u", i + 1);
		g_assert_cmpstr(cseq, ==, "1017 BYE");
		g_assert_cmpstr(id, ==, expected);
		peer_reply(peer, bye, "200 OK", NULL, NULL, NULL);
	}
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
	g_test_add_func("/sip/hop/params", params__asked);
	g_test_add_func("/sip/hop/matrix", choose__matrix);
	g_test_add_func("/sip/hop/table", choose__table);
	g_test_add_func("/sip/hop/pick", choose__pick);
	for (guint i = 0; i < G_N_ELEMENTS(wire_cases); i++) {
		g_autofree char *out = g_strdup_printf("/sip/hop/out/%s", wire_cases[i].name);
		g_autofree char *in = g_strdup_printf("/sip/hop/in/%s", wire_cases[i].name);
		g_autofree char *out6 = g_strdup_printf("/sip/hop/six/out/%s", wire_cases[i].name);
		g_autofree char *in6 = g_strdup_printf("/sip/hop/six/in/%s", wire_cases[i].name);

		g_test_add_data_func(out, &wire_cases[i], wire__out);
		g_test_add_data_func(in, &wire_cases[i], wire__in);
		g_test_add_data_func(out6, &wire_cases[i], wire__out_six);
		g_test_add_data_func(in6, &wire_cases[i], wire__in_six);
	}
	g_test_add_func("/sip/hop/target-refresh", wire__target_refresh);
	g_test_add_func("/sip/hop/prack", wire__prack);
	g_test_add_func("/sip/hop/expires", in__expires);
	g_test_add_func("/sip/hop/other-fork", wire__other_fork);
	g_test_add_func("/sip/hop/bury/ringing", bury__ringing);
	g_test_add_func("/sip/hop/bury/not-acknowledged", bury__not_acknowledged);
	g_test_add_func("/sip/hop/bury/old-text", bury__old_text);
	return g_test_run();
}
