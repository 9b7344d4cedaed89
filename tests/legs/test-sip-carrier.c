/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-sip-carrier.c - where a carrier is, whether it is there, and what is done
 * when it is not.
 *
 * DNS is played by a GResolver of the test's, everything else is real.
 */
#include "plugins/sip/stack/sip_resolve.h"
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

static gboolean asks_options;
static GPtrArray *services; /* GSrvTarget *, of _sip._udp.srv.test */
static guint asked_names, asked_services;

/* No answer before it is cancelled; LeakSanitizer sees what was not let go of. */
static void
on_cancelled(GCancellable *cancellable, gpointer task)
{
	(void)cancellable;
	g_task_return_error_if_cancelled(task);
}

static void
never_answer(GTask *task)
{
	g_cancellable_connect(g_task_get_cancellable(task), G_CALLBACK(on_cancelled),
			      g_object_ref(task), g_object_unref);
}

static void
lookup_name(GResolver *resolver, const char *name, GCancellable *cancellable,
	    GAsyncReadyCallback func, gpointer user)
{
	g_autoptr(GTask) task = g_task_new(resolver, cancellable, func, user);
	GList *addresses = NULL;

	asked_names++;
	if (g_str_equal(name, "silent.test")) {
		never_answer(task);
		return;
	}
	if (g_str_has_suffix(name, ".test")) {
		/* the family we cannot send to comes first */
		addresses = g_list_append(addresses, g_inet_address_new_from_string("::1"));
		addresses = g_list_append(addresses, g_inet_address_new_from_string("127.0.0.1"));
		g_task_return_pointer(task, addresses, (GDestroyNotify)g_resolver_free_addresses);
	} else
		g_task_return_new_error(task, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND,
					"no such name");
}

static GList *
lookup_name_finish(GResolver *resolver, GAsyncResult *result, GError **error)
{
	return g_task_propagate_pointer(G_TASK(result), error);
}

static void
lookup_service(GResolver *resolver, const char *name, GCancellable *cancellable,
	       GAsyncReadyCallback func, gpointer user)
{
	g_autoptr(GTask) task = g_task_new(resolver, cancellable, func, user);
	GList *targets = NULL;

	asked_services++;
	if (strcmp(name, "_sip._udp.srv.test") != 0 && strcmp(name, "_sips._tcp.tls.test") != 0) {
		g_task_return_new_error(task, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND,
					"no such service");
		return;
	}
	for (guint i = 0; i < services->len; i++)
		targets = g_list_append(targets, g_srv_target_copy(services->pdata[i]));
	g_task_return_pointer(task, targets, NULL);
}

static GList *
lookup_service_finish(GResolver *resolver, GAsyncResult *result, GError **error)
{
	GList *targets = g_task_propagate_pointer(G_TASK(result), error);

	return targets ? g_srv_target_list_sort(targets) : NULL;
}

static void
dns_class_init(DnsClass *class)
{
	class->lookup_by_name_async = lookup_name;
	class->lookup_by_name_finish = lookup_name_finish;
	class->lookup_service_async = lookup_service;
	class->lookup_service_finish = lookup_service_finish;
}

static void
dns_init(Dns *dns)
{
	(void)dns;
}

static void
set_services(GSrvTarget *one, GSrvTarget *other)
{
	if (services)
		g_ptr_array_unref(services);
	services = g_ptr_array_new_with_free_func((GDestroyNotify)g_srv_target_free);
	g_ptr_array_add(services, one);
	if (other)
		g_ptr_array_add(services, other);
}

/* --- RFC 3263 --- */

static gboolean resolved;
static char *found;

static void
on_hops(gpointer user, GPtrArray *hops, const GError *error)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; hops && i < hops->len; i++)
		g_string_append_printf(text, "%s%s", i ? " " : "", (char *)hops->pdata[i]);
	if (!hops)
		g_string_append_printf(text, "error: %s", error->message);
	g_free(found);
	found = g_string_free(text, FALSE);
	resolved = TRUE;
}

static void
resolve__table(void)
{
	static const struct {
		const char *host;
		guint port;
		const char *transport, *expected;
	} cases[] = {
		{ "192.0.2.1", 0, "udp", "sip:192.0.2.1:5060;transport=udp" },
		{ "192.0.2.1", 5070, "tcp", "sip:192.0.2.1:5070;transport=tcp" },
		{ "192.0.2.1", 0, "tls", "sip:192.0.2.1:5061;transport=tls" },
		{ "[2001:db8::1]", 0, "udp", "error: no address of the right family" },
		{ "srv.test", 0, "udp",
		  "sip:127.0.0.1:5081;transport=udp sip:127.0.0.1:5082;transport=udp" },
		{ "srv.test", 5070, "udp", "sip:127.0.0.1:5070;transport=udp" },
		{ "srv.test", 0, "tcp", "sip:127.0.0.1:5060;transport=tcp" },
		{ "nowhere.invalid", 0, "udp", "error: no such name" },
		{ "192.0.2.1", 0, "auto", "sip:192.0.2.1:5060;transport=udp" },
		{ "srv.test", 5070, "auto", "sip:127.0.0.1:5070;transport=udp" },
		{ "tls.test", 0, "tls",
		  "sip:127.0.0.1:5081;transport=tls sip:127.0.0.1:5082;transport=tls" },
		{ "other.test", 0, "tls", "sip:127.0.0.1:5061;transport=tls" },
	};

	set_services(g_srv_target_new("b.test", 5082, 20, 1),
		     g_srv_target_new("a.test", 5081, 10, 1));
	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		ResolveQuery query = { cases[i].host, cases[i].port, cases[i].transport,
				       G_SOCKET_FAMILY_IPV4, TRUE };

		resolved = FALSE;
		resolve_hops(&query, NULL, on_hops, NULL);
		while (!resolved)
			g_main_context_iteration(NULL, TRUE);
		g_assert_cmpstr(found, ==, cases[i].expected);
	}
	/* RFC 2782: a lone "." says no */
	set_services(g_srv_target_new(".", 0, 0, 0), NULL);
	resolved = FALSE;
	resolve_hops(&(ResolveQuery){ "srv.test", 0, "udp", G_SOCKET_FAMILY_IPV4, FALSE }, NULL,
		     on_hops, NULL);
	while (!resolved)
		g_main_context_iteration(NULL, TRUE);
	g_assert_cmpstr(found, ==, "error: its DNS says that it offers no SIP");
}

static void
silent(Trunk *trunk)
{
	g_free(trunk->host);
	trunk->host = g_strdup("silent.test");
	g_free(trunk->sources);
	trunk->sources = g_strdup("silent.test");
}

/* Whatever is still being looked up at a stop is let go of. */
static void
resolve__stopped(void)
{
	rig_start();
	rig_trunk("carrier", 5070, silent);
	rig_stop();
	while (g_main_context_iteration(NULL, FALSE))
		;
}

/* --- failing over inside a trunk --- */

static void
by_srv(Trunk *trunk)
{
	g_free(trunk->host);
	trunk->host = g_strdup("srv.test");
	trunk->port = 0;
	trunk->response_seconds = 1;
	trunk->options_seconds = 0;
}

/* A call by a trunk that is at both, the first of them preferred. */
static void
dial_hops(const Peer *first, const Peer *second)
{
	set_services(g_srv_target_new("a.test", (guint16)first->port, 1, 1),
		     g_srv_target_new("b.test", (guint16)second->port, 2, 1));
	rig_start();
	rig_trunk("carrier", 0, by_srv);
	rig_dial("carrier", "+14155550123", NULL);
}

static void
hops__silent(void)
{
	g_autoptr(Peer) silent = peer_new(), peer = peer_new();
	g_autofree char *first = NULL, *second = NULL, *ack = NULL;
	gint64 began;

	dial_hops(silent, peer);
	first = peer_wait(silent, "INVITE ");
	began = g_get_monotonic_time();
	second = peer_wait(peer, "INVITE ");
	g_assert_cmpint(g_get_monotonic_time() - began, <, 2 * G_USEC_PER_SEC);
	peer_reply(peer, second, "200 OK", "t1", NULL, sdp_one);
	rig_expect_start("answered");
	ack = peer_wait(peer, "ACK ");
	g_assert_nonnull(strstr(rig_traces(), "no response from"));
	/* the silent one wakes up: it is told that it is too late */
	peer_reply(silent, first, "200 OK", "late", NULL, sdp_one);
	g_free(peer_wait(silent, "ACK "));
	g_free(peer_wait(silent, "BYE "));
	rig_no_event();
	rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
	g_free(peer_wait(peer, "BYE "));
	rig_stop();
}

/* RFC 3261 17.1.1.2: a 100 is an answer.  However long it takes the telephone to ring, this
 * is the next hop, and the only one. */
static void
hops__trying(void)
{
	g_autoptr(Peer) slow = peer_new(), other = peer_new();
	g_autofree char *invite = NULL, *cancel = NULL;

	dial_hops(slow, other);
	invite = peer_wait(slow, "INVITE ");
	peer_reply(slow, invite, "100 Trying", NULL, NULL, NULL);
	rig_spin(1500); /* response_seconds is 1 */
	rig_no_event();
	g_assert_true(rig_plugin->operators->available("carrier"));
	g_assert_nonnull(strstr(rig_traces(), "100 Trying"));
	peer_reply(slow, invite, "180 Ringing", "t", NULL, NULL);
	rig_expect("ringing");
	peer_reply(slow, invite, "200 OK", "t", NULL, sdp_one);
	rig_expect_start("answered");
	g_free(peer_wait(slow, "ACK "));
	g_assert_true(g_queue_is_empty(&other->heard));
	rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
	cancel = peer_wait(slow, "BYE ");
	peer_reply(slow, cancel, "200 OK", NULL, NULL, NULL);
	rig_stop();
}

/* What says 503 after its 100 has not got the call. */
static void
hops__trying_refused(void)
{
	g_autoptr(Peer) full = peer_new(), peer = peer_new();
	g_autofree char *first = NULL, *second = NULL;

	dial_hops(full, peer);
	first = peer_wait(full, "INVITE ");
	peer_reply(full, first, "100 Trying", NULL, NULL, NULL);
	peer_reply(full, first, "503 Service Unavailable", "t0", NULL, NULL);
	second = peer_wait(peer, "INVITE ");
	peer_reply(peer, second, "100 Trying", NULL, NULL, NULL);
	peer_reply(peer, second, "486 Busy Here", "t1", NULL, NULL);
	rig_expect("ended busy 486 Busy Here");
	rig_stop();
}

static void
by_udp(Trunk *trunk)
{
	trunk->options_seconds = 0;
	g_free(trunk->transport);
	trunk->transport = g_strdup("udp");
}

/* Who is to be reached by UDP is, with 2,000 bytes as well: where TCP is dropped on the way
 * an emergency call would wait for it until it is too late. */
static void
hops__large(void)
{
	Emergency help = { (char *)"geo:48.2010,16.3695,183;u=25" };
	g_autoptr(Peer) peer = peer_new();
	g_autofree char *invite = NULL, *via = NULL;
	gint64 began;

	rig_start();
	rig_trunk("carrier", peer->port, by_udp);
	rig_target.emergency = &help;
	began = g_get_monotonic_time();
	rig_dial("carrier", "911", NULL);
	rig_target.emergency = NULL;
	invite = peer_wait(peer, "INVITE ");
	g_assert_cmpint(g_get_monotonic_time() - began, <, G_USEC_PER_SEC);
	g_assert_cmpuint(strlen(invite), >, 1500);
	via = message_header(invite, "Via");
	g_assert_true(g_str_has_prefix(via, "SIP/2.0/UDP "));
	peer_reply(peer, invite, "486 Busy Here", "t1", NULL, NULL);
	rig_expect("ended busy 486 Busy Here");
	rig_stop();
}

/* The one that was given up wants a password, late: nobody waits for it any more. */
static void
hops__late_challenge(void)
{
	g_autoptr(Peer) silent = peer_new(), peer = peer_new();
	g_autofree char *first = NULL, *second = NULL;
	gint64 began;

	dial_hops(silent, peer);
	first = peer_wait(silent, "INVITE ");
	second = peer_wait(peer, "INVITE ");
	peer_reply(silent, first, "407 Proxy Authentication Required", "late",
		   "Proxy-Authenticate: Digest realm=\"x\", nonce=\"n\"\r\n", NULL);
	g_free(peer_wait(silent, "ACK "));
	peer_reply(peer, second, "486 Busy Here", "t1", NULL, NULL);
	rig_expect("ended busy 486 Busy Here");
	began = g_get_monotonic_time();
	rig_stop();
	g_assert_cmpint(g_get_monotonic_time() - began, <, G_USEC_PER_SEC);
}

static void
hops__refused(void)
{
	g_autoptr(Peer) full = peer_new(), peer = peer_new();
	g_autofree char *first = NULL, *second = NULL;

	dial_hops(full, peer);
	first = peer_wait(full, "INVITE ");
	peer_reply(full, first, "503 Service Unavailable", "t0", NULL, NULL);
	second = peer_wait(peer, "INVITE ");
	/* a person's answer is an answer */
	peer_reply(peer, second, "486 Busy Here", "t1", NULL, NULL);
	rig_expect("ended busy 486 Busy Here");
	rig_stop();
}

static void
by_tcp(Trunk *trunk)
{
	g_free(trunk->transport);
	trunk->transport = g_strdup("tcp");
	trunk->options_seconds = 0;
}

/* A connection that is closed while it owes us an answer: the call is over at
 * once, not when a timer says so. */
static void
hops__closed(void)
{
	g_autoptr(Peer) peer = peer_new_tcp();
	g_autofree char *invite = NULL;
	gint64 began;

	rig_start();
	rig_trunk("carrier", peer->port, by_tcp);
	rig_dial("carrier", "+14155550123", NULL);
	invite = peer_wait(peer, "INVITE ");
	began = g_get_monotonic_time();
	peer_hang_up(peer);
	rig_expect_start("failed network-error");
	g_assert_cmpint(g_get_monotonic_time() - began, <, 2 * G_USEC_PER_SEC);
	rig_stop();
}

/* A text goes from hop to hop as a call does, and is the same request at each. */
static void
send_by_hops(const Peer *first, const Peer *second)
{
	set_services(g_srv_target_new("a.test", (guint16)first->port, 1, 1),
		     g_srv_target_new("b.test", (guint16)second->port, 2, 1));
	rig_start();
	rig_trunk("carrier", 0, by_srv);
	rig_send_text(7, (Way){ WAY_TRUNK, (char *)"carrier", 0 }, "Hi", NULL);
}

static void
assert_same_text(const char *one, const char *other)
{
	static const char *const names[] = { "Call-ID", "CSeq", "From", "Date" };

	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *first = message_header(one, names[i]);
		g_autofree char *second = message_header(other, names[i]);

		g_assert_nonnull(first);
		g_assert_cmpstr(first, ==, second);
	}
}

static void
hops__text(gconstpointer status)
{
	g_autoptr(Peer) first = peer_new(), second = peer_new();
	g_autofree char *one = NULL, *other = NULL;

	send_by_hops(first, second);
	one = peer_wait(first, "MESSAGE ");
	if (status)
		peer_reply(first, one, status, "t0", "Retry-After: 60\r\n", NULL);
	other = peer_wait(second, "MESSAGE ");
	assert_same_text(one, other);
	peer_reply(second, other, "202 Accepted", "t1", NULL, NULL);
	rig_expect("sent 7");
	rig_stop();
}

static void
hops__text_unreachable(void)
{
	guint port = peer_free_port();

	rig_start();
	rig_trunk("carrier", port, by_tcp);
	rig_send_text(7, (Way){ WAY_TRUNK, (char *)"carrier", 0 }, "Hi", NULL);
	rig_expect("later 7 network-error the next server cannot be reached");
	rig_stop();
}

static void
hops__text_closed(void)
{
	g_autoptr(Peer) peer = peer_new_tcp();
	g_autofree char *text = NULL;

	rig_start();
	rig_trunk("carrier", peer->port, by_tcp);
	rig_send_text(7, (Way){ WAY_TRUNK, (char *)"carrier", 0 }, "Hi", NULL);
	text = peer_wait(peer, "MESSAGE ");
	peer_hang_up(peer);
	rig_expect_start("later 7 network-error");
	rig_stop();
}

/* An outbound proxy gets the INVITE, the trunk's host stays in it. */
static void
by_proxy(Trunk *trunk)
{
	g_free(trunk->proxy);
	trunk->proxy = g_strdup_printf("127.0.0.1:%u", trunk->port);
	g_free(trunk->host);
	trunk->host = g_strdup("voip.example.net");
	trunk->port = 0;
	trunk->options_seconds = 0;
}

static void
hops__proxy(void)
{
	g_autoptr(Peer) peer = peer_new();
	g_autofree char *invite = NULL;

	rig_start();
	rig_trunk("carrier", peer->port, by_proxy);
	rig_dial("carrier", "+14155550123", NULL);
	invite = peer_wait(peer, "INVITE ");
	g_assert_true(g_str_has_prefix(invite, "INVITE sip:+14155550123@voip.example.net"));
	peer_reply(peer, invite, "404 Not Found", "t1", NULL, NULL);
	rig_expect("ended not-found 404 Not Found");
	rig_stop();
}

/* --- what a carrier wants to see --- */

static const char *caller_id, *codecs;

static void
wanting(Trunk *trunk)
{
	trunk->options_seconds = 0;
	trunk->username = g_strdup("acct");
	trunk->password = g_strdup("pa55");
	g_free(trunk->caller_id);
	trunk->caller_id = g_strdup(caller_id);
	g_free(trunk->codecs);
	trunk->codecs = g_strdup(codecs);
}

static void
wants__caller_id(void)
{
	static const struct {
		const char *caller_id, *from, *header, *value;
		gboolean withheld;
	} cases[] = {
		{ "pai", "<sip:+14155550199@", "P-Asserted-Identity", "<sip:+14155550199@", FALSE },
		{ "from", "<sip:+14155550199@", NULL, NULL, FALSE },
		{ "rpid", "<sip:+14155550199@", "Remote-Party-ID", ";party=calling;privacy=off",
		  FALSE },
		{ "account", "<sip:acct@127.0.0.1>", "P-Asserted-Identity", "<sip:+14155550199@",
		  FALSE },
		{ "pai", "@anonymous.invalid>", "P-Asserted-Identity", "<sip:+14155550199@", TRUE },
		{ "from", "@anonymous.invalid>", "P-Asserted-Identity", "<sip:+14155550199@",
		  TRUE },
		{ "rpid", "@anonymous.invalid>", "Remote-Party-ID", ";privacy=full", TRUE },
		{ "account", "<sip:acct@127.0.0.1>", "P-Asserted-Identity", "<sip:+14155550199@",
		  TRUE },
	};
	static const char *const headers[] = { "P-Asserted-Identity", "Remote-Party-ID" };
	g_autoptr(Address) from = address_new(ADDRESS_NUMBER, "+14155550199", NULL, NULL);

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(Peer) peer = peer_new();
		g_autofree char *invite = NULL, *shown = NULL, *privacy = NULL;

		caller_id = cases[i].caller_id;
		rig_target.withheld = cases[i].withheld;
		codecs = "";
		rig_start();
		rig_trunk("carrier", peer->port, wanting);
		rig_dial("carrier", "+14155550123", from);
		invite = peer_wait(peer, "INVITE ");
		shown = message_header(invite, "From");
		g_assert_nonnull(strstr(shown, cases[i].from));
		privacy = message_header(invite, "Privacy");
		g_assert_cmpstr(privacy, ==, cases[i].withheld ? "id" : NULL);
		for (guint k = 0; k < G_N_ELEMENTS(headers); k++) {
			g_autofree char *value = message_header(invite, headers[k]);

			if (g_strcmp0(headers[k], cases[i].header) == 0)
				g_assert_nonnull(strstr(value, cases[i].value));
			else
				g_assert_null(value);
		}
		peer_reply(peer, invite, "486 Busy Here", "t1", NULL, NULL);
		rig_expect("ended busy 486 Busy Here");
		rig_stop();
	}
	rig_target.withheld = FALSE;
}

static void
wants__codecs(void)
{
	static const struct {
		const char *codecs, *media; /* NULL: nothing is left */
	} cases[] = {
		{ "", "RTP/AVP 0" },
		{ "PCMU", "RTP/AVP 0" },
		{ "pcma PCMU", "RTP/AVP 0" },
		{ "PCMA", NULL },
	};

	caller_id = "pai";
	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(Peer) peer = peer_new();
		g_autofree char *invite = NULL;

		codecs = cases[i].codecs;
		rig_start();
		rig_trunk("carrier", peer->port, wanting);
		rig_dial("carrier", "+14155550123", NULL);
		if (cases[i].media) {
			invite = peer_wait(peer, "INVITE ");
			g_assert_nonnull(strstr(invite, cases[i].media));
			peer_reply(peer, invite, "486 Busy Here", "t1", NULL, NULL);
			rig_expect("ended busy 486 Busy Here");
		} else
			rig_expect("failed incompatible codecs forbidden");
		rig_stop();
	}
}

static void
following(Trunk *trunk)
{
	trunk->options_seconds = 0;
	trunk->follow_redirects = TRUE;
}

/* Three times and no more, always through the carrier itself. */
static void
wants__redirects(void)
{
	static const char *const moved[] = { "sip:+14155550124@elsewhere.example",
					     "sip:+14155550125@192.0.2.99:5080",
					     "sip:+14155550126@127.0.0.1" };
	g_autoptr(Peer) peer = peer_new();
	g_autofree char *invite = NULL;

	rig_start();
	rig_trunk("carrier", peer->port, following);
	rig_dial("carrier", "+14155550123", NULL);
	invite = peer_wait(peer, "INVITE ");
	for (guint i = 0; i < G_N_ELEMENTS(moved); i++) {
		g_autofree char *contact = g_strdup_printf("Contact: <%s>\r\n", moved[i]);
		g_autofree char *start = g_strdup_printf("INVITE %s ", moved[i]);

		g_autofree char *asked = g_strdup_printf("redirected to +1415555012%u", 4 + i);

		peer_reply(peer, invite, "302 Moved Temporarily", "t", contact, NULL);
		rig_expect(asked);
		g_free(invite);
		invite = peer_wait(peer, start);
	}
	peer_reply(peer, invite, "302 Moved Temporarily", "t",
		   "Contact: <sip:+14155550127@127.0.0.1>\r\n", NULL);
	rig_expect_start("ended ");
	rig_stop();
}

/* What the core does not allow is not sent, whatever the number is written as. */
static void
wants__no_dear_redirect(void)
{
	static const struct {
		const char *contact, *number;
	} ROWS[] = {
		{ "sip:+49900123456@127.0.0.1", "+49900123456" },
		{ "sip:900123456;phone-context=+49@127.0.0.1;user=phone", "+49900123456" },
		{ "sip:%2B49900123456;npdi@127.0.0.1", "+49900123456" },
		{ "sip:112@127.0.0.1", "112" },
		{ "sip:127.0.0.1", "(null)" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(ROWS); i++) {
		g_autoptr(Peer) peer = peer_new();
		g_autofree char *contact = g_strdup_printf("Contact: <%s>\r\n", ROWS[i].contact);
		g_autofree char *asked = g_strdup_printf("redirected to %s", ROWS[i].number);
		g_autofree char *invite = NULL;

		rig_start();
		rig_trunk("carrier", peer->port, following);
		rig_dial("carrier", "+14155550123", NULL);
		invite = peer_wait(peer, "INVITE ");
		rig_forbids = "not here";
		peer_reply(peer, invite, "302 Moved Temporarily", "t", contact, NULL);
		rig_expect(asked);
		rig_expect("failed forbidden not here");
		g_assert_false(peer_has(peer, "INVITE "));
		rig_forbids = NULL;
		rig_stop();
	}
}

/* The name under which the guard keeps a Contact is not for the peer to use. */
static void
wants__no_forged_redirect(void)
{
	static const char *const forged[] = { "X-Redirect: http://elsewhere.example/\r\n",
					      "X-Redirect: sip:+14155550128@127.0.0.1\r\n" };

	for (guint i = 0; i < G_N_ELEMENTS(forged); i++) {
		g_autoptr(Peer) peer = peer_new();
		g_autofree char *invite = NULL, *text = NULL;
		char *contact, *rest;

		rig_start();
		rig_trunk("carrier", peer->port, following);
		rig_dial("carrier", "+14155550123", NULL);
		invite = peer_wait(peer, "INVITE ");
		text = peer_reply_text(peer, invite, "302 Moved Temporarily", "t", forged[i], NULL);
		contact = strstr(text, "Contact:");
		rest = strstr(contact, "\r\n") + 2;
		memmove(contact, rest, strlen(rest) + 1);
		peer_send(peer, text);
		rig_expect_start("ended ");
		g_assert_null(strstr(rig_traces(), "redirected"));
		rig_stop();
	}
}

/* --- health --- */

static void
wait_available(const char *trunk, gboolean available)
{
	gint64 until = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;

	while (rig_plugin->operators->available(trunk) != available) {
		g_assert_cmpint(g_get_monotonic_time(), <, until);
		rig_spin(10);
	}
}

static void
often(Trunk *trunk)
{
	trunk->options_seconds = 1;
	trunk->response_seconds = 1;
}

static void
health__options(void)
{
	g_autoptr(Peer) peer = peer_new();
	g_autofree char *first = NULL, *second = NULL, *third = NULL, *status = NULL;

	rig_start();
	rig_trunk("carrier", peer->port, often);
	g_assert_true(rig_plugin->operators->available("carrier"));
	first = peer_wait(peer, "OPTIONS ");
	peer_reply(peer, first, "404 Not Found", "t0", NULL, NULL);
	second = peer_wait(peer, "OPTIONS ");
	g_assert_true(rig_plugin->operators->available("carrier"));
	peer_reply(peer, second, "503 Maintenance", "t0", NULL, NULL);
	wait_available("carrier", FALSE);
	status = plugin_status(rig_plugin);
	g_assert_nonnull(strstr(status, "OPTIONS: 503 Maintenance, tried last"));
	third = peer_wait(peer, "OPTIONS ");
	peer_reply(peer, third, "200 OK", "t0", NULL, NULL);
	wait_available("carrier", TRUE);
	/* and now it says nothing at all */
	wait_available("carrier", FALSE);
	rig_stop();
}

static void
patient(Trunk *trunk)
{
	trunk->options_seconds = 0;
	trunk->response_seconds = 1;
}

/* A trunk that let a call down is asked last for a while. */
static void
health__call(void)
{
	g_autoptr(Peer) peer = peer_new();

	rig_start();
	rig_trunk("carrier", peer->port, patient);
	rig_dial("carrier", "+14155550123", NULL);
	rig_expect("failed timeout no response");
	g_assert_false(rig_plugin->operators->available("carrier"));
	g_assert_true(rig_plugin->operators->available("other"));
	rig_stop();
}

/* --- registration --- */

static void
registering(Trunk *trunk)
{
	trunk->options_seconds = 0;
	trunk->response_seconds = 1;
	trunk->registers = TRUE;
	trunk->username = g_strdup("acct");
	trunk->password = g_strdup("pa55");
	g_free(trunk->account);
	trunk->account = g_strdup("4930123");
}

static void
assert_no_tag(const char *message)
{
	g_autofree char *tag = message_tag(message, "To");

	g_assert_null(tag);
}

static void
register__refreshed(void)
{
	g_autoptr(Peer) peer = peer_new();
	g_autofree char *first = NULL, *second = NULL, *third = NULL, *brief = NULL, *last = NULL,
			*auth = NULL, *from = NULL, *contact = NULL, *call_id = NULL, *id = NULL,
			*status = NULL, *expires = NULL;

	rig_start();
	rig_trunk("carrier", peer->port, registering);
	first = peer_wait(peer, "REGISTER sip:127.0.0.1 ");
	from = message_header(first, "From");
	contact = message_header(first, "Contact");
	call_id = message_header(first, "Call-ID");
	g_assert_nonnull(strstr(from, "<sip:4930123@127.0.0.1>"));
	g_assert_true(g_str_has_prefix(contact, "<sip:4930123@127.0.0.1:"));
	peer_reply(peer, first, "401 Unauthorized", "r",
		   "WWW-Authenticate: Digest realm=\"voip\", nonce=\"n1\", algorithm=SHA-256, "
		   "qop=\"auth\"\r\n",
		   NULL);
	second = peer_wait(peer, "REGISTER ");
	auth = message_header(second, "Authorization");
	g_assert_nonnull(strstr(auth, "username=\"acct\""));
	peer_reply(peer, second, "423 Interval Too Brief", "r", "Min-Expires: 7200\r\n", NULL);
	third = peer_wait(peer, "REGISTER ");
	expires = message_header(third, "Expires");
	g_assert_cmpstr(expires, ==, "7200");
	/* our binding among others, each with a time of its own */
	brief = g_strdup_printf("Contact: <sip:other@192.0.2.1>;expires=9999\r\n"
				"Contact: %s;expires=1\r\n",
				contact);
	peer_reply(peer, third, "200 OK", "r", brief, NULL);
	wait_available("carrier", TRUE);
	rig_spin(50);
	status = plugin_status(rig_plugin);
	g_assert_nonnull(strstr(status, "registered for"));
	g_assert_null(strstr(status, "pa55"));
	id = message_header(third, "Call-ID");
	g_assert_cmpstr(id, ==, call_id);
	assert_no_tag(third);
	/* An orderly stop says goodbye. */
	rig_stop();
	last = peer_wait(peer, "REGISTER ");
	g_free(expires);
	expires = message_header(last, "Expires");
	g_assert_cmpstr(expires, ==, "0");
	assert_no_tag(last);
}

/* A second one is in no dialog with the first, whatever tag the answer had: who looks for
 * one says 481.  (Of REGISTER: test-sip-outside.) */
static void
probes__no_dialog(void)
{
	g_autoptr(Peer) peer = peer_new();
	g_autofree char *id = NULL;

	rig_start();
	rig_trunk("carrier", peer->port, often);
	for (guint n = 0; n < 3; n++) {
		g_autofree char *asked = peer_wait(peer, "OPTIONS ");
		g_autofree char *call_id = message_header(asked, "Call-ID");

		g_assert_cmpstr(id ? id : call_id, ==, call_id);
		g_free(id);
		id = g_steal_pointer(&call_id);
		assert_no_tag(asked);
		peer_reply(peer, asked, "200 OK", "r", NULL, NULL);
	}
	rig_stop();
}

static void
register__refused(void)
{
	g_autoptr(Peer) peer = peer_new();
	g_autofree char *first = NULL, *second = NULL, *again = NULL, *status = NULL;
	static const char challenge[] = "WWW-Authenticate: Digest realm=\"voip\", nonce=\"n1\"\r\n";

	rig_start();
	rig_trunk("carrier", peer->port, registering);
	first = peer_wait(peer, "REGISTER ");
	peer_reply(peer, first, "401 Unauthorized", "r", challenge, NULL);
	second = peer_wait(peer, "REGISTER ");
	/* the password is wrong: no loop, and a later try */
	peer_reply(peer, second, "401 Unauthorized", "r", challenge, NULL);
	wait_available("carrier", FALSE);
	status = plugin_status(rig_plugin);
	g_assert_nonnull(strstr(status, "not registered: 401 Unauthorized"));
	again = peer_wait(peer, "REGISTER ");
	peer_reply(peer, again, "200 OK", "r", "Expires: 3600\r\n", NULL);
	wait_available("carrier", TRUE);
	rig_stop();
}

/* RFC 3263 4.3: the first address is dead, the second is not; a call begins with that one. */
static void
at_two_addresses(Trunk *trunk)
{
	registering(trunk);
	by_srv(trunk);
	trunk->registers = !asks_options;
	trunk->options_seconds = asks_options ? 1 : 0;
}

static void
probes__next_address(void)
{
	for (guint i = 0; i < 2; i++) {
		const char *method = i ? "OPTIONS " : "REGISTER ";
		g_autoptr(Peer) dead = peer_new(), peer = peer_new();
		g_autofree char *asked = NULL, *again = NULL, *invite = NULL;

		asks_options = i == 1;
		set_services(g_srv_target_new("a.test", (guint16)dead->port, 1, 1),
			     g_srv_target_new("b.test", (guint16)peer->port, 2, 1));
		rig_start();
		rig_trunk("carrier", 0, at_two_addresses);
		g_free(peer_wait(dead, method));
		asked = peer_wait(peer, method);
		peer_reply(peer, asked, "200 OK", "r", i ? NULL : "Expires: 40\r\n", NULL);
		wait_available("carrier", TRUE);
		if (i) { /* and from now on that one */
			again = peer_wait(peer, method);
			peer_reply(peer, again, "200 OK", "r", NULL, NULL);
		} else
			rig_spin(50);
		rig_dial("carrier", "+14155550123", NULL);
		invite = peer_wait(peer, "INVITE ");
		peer_reply(peer, invite, "486 Busy Here", "t1", NULL, NULL);
		rig_expect("ended busy 486 Busy Here");
		g_assert_false(peer_has(dead, "INVITE "));
		rig_stop();
	}
}

static void
wait_status(const char *words)
{
	for (gboolean there = FALSE; !there;) {
		g_autofree char *status = plugin_status(rig_plugin);

		there = strstr(status, words) != NULL;
		rig_spin(5);
	}
}

/* Switched off, or deleted: the registrar is told. */
static void
register__undone(void)
{
	for (guint i = 0; i < 2; i++) {
		g_autoptr(Peer) peer = peer_new();
		g_autoptr(GError) error = NULL;
		g_autoptr(Trunk) trunk = NULL;
		g_autofree char *first = NULL, *last = NULL, *expires = NULL, *contact = NULL,
				*was = NULL, *proven = NULL, *auth = NULL;

		rig_start();
		rig_trunk("carrier", peer->port, registering);
		first = peer_wait(peer, "REGISTER ");
		was = message_header(first, "Contact");
		peer_reply(peer, first, "200 OK", "r", "Expires: 3600\r\n", NULL);
		wait_status("registered for");
		trunk = store_trunk_get(rig_store(), "carrier", &error);
		trunk->enabled = FALSE;
		if (i)
			store_trunk_del(rig_store(), "carrier", &error);
		else
			store_trunk_update(rig_store(), trunk, &error);
		g_assert_no_error(error);
		rig_plugin->changed(CHANGE_CONFIG, NULL);
		last = peer_wait(peer, "REGISTER ");
		expires = message_header(last, "Expires");
		contact = message_header(last, "Contact");
		g_assert_cmpstr(expires, ==, "0");
		g_assert_cmpstr(contact, ==, was);
		peer_reply(peer, last, "401 Unauthorized", "r",
			   "WWW-Authenticate: Digest realm=\"voip\", nonce=\"n1\"\r\n", NULL);
		proven = peer_wait(peer, "REGISTER ");
		auth = message_header(proven, "Authorization");
		g_assert_nonnull(strstr(auth, "username=\"acct\""));
		peer_reply(peer, proven, "200 OK", "r", NULL, NULL);
		rig_stop();
	}
}

int
main(int argc, char **argv)
{
	g_autoptr(GResolver) dns = NULL;
	int status;

	g_test_init(&argc, &argv, NULL);
	g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
	dns = g_object_new(dns_get_type(), NULL);
	g_resolver_set_default(dns);
	g_test_add_func("/sip/resolve/table", resolve__table);
	g_test_add_func("/sip/resolve/stopped", resolve__stopped);
	g_test_add_func("/sip/hops/silent", hops__silent);
	g_test_add_func("/sip/hops/trying", hops__trying);
	g_test_add_func("/sip/hops/trying-refused", hops__trying_refused);
	g_test_add_func("/sip/hops/large", hops__large);
	g_test_add_func("/sip/hops/late-challenge", hops__late_challenge);
	g_test_add_func("/sip/hops/refused", hops__refused);
	g_test_add_func("/sip/hops/closed", hops__closed);
	g_test_add_func("/sip/hops/proxy", hops__proxy);
	g_test_add_data_func("/sip/hops/text/silent", NULL, hops__text);
	g_test_add_data_func("/sip/hops/text/full", "503 Service Unavailable", hops__text);
	g_test_add_func("/sip/hops/text/unreachable", hops__text_unreachable);
	g_test_add_func("/sip/hops/text/closed", hops__text_closed);
	g_test_add_func("/sip/wants/caller-id", wants__caller_id);
	g_test_add_func("/sip/wants/codecs", wants__codecs);
	g_test_add_func("/sip/wants/redirects", wants__redirects);
	g_test_add_func("/sip/wants/no-dear-redirect", wants__no_dear_redirect);
	g_test_add_func("/sip/wants/no-forged-redirect", wants__no_forged_redirect);
	g_test_add_func("/sip/health/options", health__options);
	g_test_add_func("/sip/health/call", health__call);
	g_test_add_func("/sip/register/refreshed", register__refreshed);
	g_test_add_func("/sip/health/next-address", probes__next_address);
	g_test_add_func("/sip/register/undone", register__undone);
	g_test_add_func("/sip/register/refused", register__refused);
	g_test_add_func("/sip/probes/no-dialog", probes__no_dialog);
	status = g_test_run();
	g_clear_pointer(&services, g_ptr_array_unref);
	g_free(found);
	return status;
}
