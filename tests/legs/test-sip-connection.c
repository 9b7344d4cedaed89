/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-sip-connection.c - connections that others open to us: how many, how long, and how
 * much may wait in them.
 *
 * Each stranger is a socket on a loopback address of his own; the trunk is 127.0.0.1, so
 * are the phones (no trunk then).  Time is skipped, not waited for.
 */
#include "plugins/sip/stack/sip_connection.h"
#include "tests/legs/sip-phone.h"
#include <malloc.h>
#include <string.h>

#define PATIENCE_US (20 * G_USEC_PER_SEC)

static GPtrArray *strangers; /* GSocket * */

static GSocket *
stranger_at(const char *address)
{
	GSocket *socket = g_socket_new(G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM,
				       G_SOCKET_PROTOCOL_TCP, NULL);
	g_autoptr(GSocketAddress) here = g_inet_socket_address_new_from_string(address, 0);
	g_autoptr(GSocketAddress) gateway =
		g_inet_socket_address_new_from_string("127.0.0.1", peer_gateway_port);
	g_autoptr(GError) error = NULL;

	g_socket_bind(socket, here, FALSE, &error);
	g_assert_no_error(error);
	g_socket_connect(socket, gateway, NULL, &error);
	g_assert_no_error(error);
	g_socket_set_blocking(socket, FALSE);
	g_ptr_array_add(strangers, socket);
	return socket;
}

static void
wait_accepted(guint64 n)
{
	gint64 deadline = g_get_monotonic_time() + PATIENCE_US;

	while (connection_counters()->accepted < n) {
		g_assert_cmpint(g_get_monotonic_time(), <, deadline);
		g_main_context_iteration(NULL, FALSE);
	}
}

/* TRUE when the gateway has closed it, whatever else has come. */
static gboolean
is_closed(GSocket *socket)
{
	char buffer[4096];
	gssize got;
	g_autoptr(GError) error = NULL;

	while ((got = g_socket_receive(socket, buffer, sizeof buffer, NULL, &error)) > 0)
		;
	return got == 0 || !g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
}

static guint
n_closed(void)
{
	guint n = 0;

	for (guint i = 0; i < strangers->len; i++)
		n += is_closed(strangers->pdata[i]);
	return n;
}

static void
wait_closed(guint n)
{
	gint64 deadline = g_get_monotonic_time() + PATIENCE_US;

	while (n_closed() < n) {
		if (g_get_monotonic_time() > deadline)
			g_error("%u are closed, not %u", n_closed(), n);
		g_main_context_iteration(NULL, FALSE);
	}
}

static void
set_up(void)
{
	strangers = g_ptr_array_new_with_free_func(g_object_unref);
	phone_start();
}

static void
tear_down(void)
{
	g_clear_pointer(&strangers, g_ptr_array_unref);
	rig_stop();
}

/* TRUE when a phone of ours is served all the while. */
static void
assert_serves(void)
{
	g_auto(Phone) phone = phone_new("desk", peer_new());

	phone_register(&phone, "");
}

/* --- silence --- */

static void
test_silent(void)
{
	set_up();
	for (guint i = 0; i < 20; i++)
		stranger_at("127.0.0.9");
	wait_accepted(20);
	connections_skip(CONNECTION_FIRST_S - 1);
	rig_spin(20);
	g_assert_cmpuint(n_closed(), ==, 0);
	connections_skip(1);
	wait_closed(20);
	g_assert_cmpuint(connection_counters()->silent, ==, 20);
	g_assert_cmpuint(connection_counters()->open, ==, 0);
	g_assert_cmpuint(connection_counters()->strangers, ==, 0);
	tear_down();
}

static char *
options_from(const char *address, guint n)
{
	return g_strdup_printf("OPTIONS sip:gw.example.org SIP/2.0\r\n"
			       "Via: SIP/2.0/TCP %s:5060;branch=z9hG4bK-o%u;rport\r\n"
			       "From: <sip:x@%s>;tag=t\r\nTo: <sip:gw.example.org>\r\n"
			       "Call-ID: o%u\r\nCSeq: %u OPTIONS\r\nMax-Forwards: 70\r\n"
			       "Content-Length: 0\r\n\r\n",
			       address, n, address, n, n);
}

/* A whole message, then pieces of the next, or what keeps a NAT open: neither counts. */
static void
test_idle(void)
{
	static const char *const after[] = { "", "\r\n\r\n", "OPTIONS sip:", "nonsense\r\n\r\n" };

	set_up();
	for (guint i = 0; i < G_N_ELEMENTS(after); i++) {
		GSocket *socket = stranger_at("127.0.0.9");
		g_autofree char *text = options_from("127.0.0.9", i);

		g_socket_send(socket, text, strlen(text), NULL, NULL);
	}
	wait_accepted(4);
	rig_spin(50);
	connections_skip(CONNECTION_IDLE_S - 2);
	for (guint i = 0; i < G_N_ELEMENTS(after); i++)
		if (*after[i])
			g_socket_send(strangers->pdata[i], after[i], strlen(after[i]), NULL, NULL);
	rig_spin(50);
	connections_skip(2);
	wait_closed(4);
	tear_down();
}

/* --- numbers --- */

static void
test_of_one_address(void)
{
	set_up();
	for (guint i = 0; i < 60; i++)
		stranger_at("127.0.0.9");
	wait_accepted(60);
	wait_closed(60 - CONNECTION_PER_ADDRESS);
	g_assert_cmpuint(connection_counters()->open, ==, CONNECTION_PER_ADDRESS);
	/* another address is served */
	stranger_at("127.0.0.10");
	wait_accepted(61);
	g_assert_cmpuint(connection_counters()->open, ==, CONNECTION_PER_ADDRESS + 1);
	assert_serves();
	tear_down();
}

/* 600 from fifty addresses: 256 stay, and those who come later find a place. */
static void
test_of_all(void)
{
	const ConnectionCounters *counters = connection_counters();
	guint64 evicted, made = 0;

	set_up();
	while (made < 600 || counters->strangers < CONNECTION_STRANGERS) {
		g_autofree char *address = g_strdup_printf("127.0.1.%u", (guint)(1 + made % 50));

		stranger_at(address);
		wait_accepted(++made);
		g_assert_cmpuint(counters->strangers, <=, CONNECTION_STRANGERS);
	}
	g_assert_cmpuint(counters->refused + counters->evicted + counters->silent, >=,
			 made - CONNECTION_STRANGERS);
	connections_skip(CONNECTION_YOUNG_S);
	evicted = counters->evicted;
	stranger_at("127.0.2.1");
	wait_accepted(++made);
	if (counters->evicted == evicted) /* time passes by itself, too */
		g_assert_cmpuint(counters->strangers, <, CONNECTION_STRANGERS);
	rig_spin(20);
	g_assert_false(is_closed(strangers->pdata[strangers->len - 1]));
	assert_serves();
	connections_skip(CONNECTION_FIRST_S);
	wait_closed((guint)made);
	g_assert_cmpuint(counters->open, ==, 0);
	tear_down();
}

/* --- bytes --- */

/* As much as it takes, at most `most`; what has been taken. */
static gsize
pour(GSocket *socket, gsize most)
{
	static char much[16384];
	gsize sent = 0;

	memset(much, 'a', sizeof much);
	while (sent < most) {
		gssize n = g_socket_send(socket, much, MIN(sizeof much, most - sent), NULL, NULL);

		if (n < 0)
			break;
		sent += (gsize)n;
	}
	return sent;
}

static const char HEAD[] = "INVITE sip:x@gw.example.org SIP/2.0\r\nX-Much: ";

/* Sixty connections, each with 1.9 MB of a header that never ends. */
static void
test_unfinished(void)
{
	gsize before, after;

	set_up();
	assert_serves();
	before = mallinfo2().uordblks + mallinfo2().hblkhd;
	for (guint i = 0; i < 60; i++) {
		g_autofree char *address = g_strdup_printf("127.0.3.%u", 1 + i % 4);
		GSocket *socket = stranger_at(address);

		g_socket_send(socket, HEAD, strlen(HEAD), NULL, NULL);
	}
	wait_accepted(60);
	for (guint i = 0; i < 1900; i += 100) {
		for (guint k = 0; k < 60; k++)
			if (!is_closed(strangers->pdata[k]))
				pour(strangers->pdata[k], 100 * 1024);
		rig_spin(1);
	}
	wait_closed(60);
	g_assert_cmpuint(connection_counters()->flooded, ==, 60);
	after = mallinfo2().uordblks + mallinfo2().hblkhd;
	g_test_message("%zu bytes before, %zu after", before, after);
	g_assert_cmpuint(after, <, before + 20 * 1024 * 1024);
	assert_serves();
	tear_down();
}

/* What begins well and stays below the limit waits no longer than any other. */
static void
test_drip(void)
{
	set_up();
	for (guint i = 0; i < 8; i++) {
		GSocket *socket = stranger_at("127.0.0.9");

		g_socket_send(socket, HEAD, strlen(HEAD), NULL, NULL);
	}
	wait_accepted(8);
	for (guint i = 0; i < CONNECTION_FIRST_S; i++) {
		for (guint k = 0; k < strangers->len; k++)
			pour(strangers->pdata[k], 1);
		rig_spin(5);
		connections_skip(1);
	}
	wait_closed(8);
	g_assert_cmpuint(connection_counters()->silent, ==, 8);
	tear_down();
}

/* --- who stays --- */

static void
test_phone_stays(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new_tcp());

	set_up();
	phone_register(&phone, ";expires=600");
	for (guint i = 0; i < 5; i++)
		connections_skip(CONNECTION_IDLE_S + 1);
	g_assert_cmpuint(connection_counters()->open, ==, 1);
	g_assert_cmpuint(connection_counters()->strangers, ==, 0);
	phone_register(&phone, ";expires=600");
	/* and when it has gone, no longer */
	phone_register(&phone, ";expires=0");
	rig_plugin->changed(CHANGE_CONFIG, NULL);
	connections_skip(CONNECTION_IDLE_S + 1);
	rig_spin(20);
	g_assert_cmpuint(connection_counters()->open, ==, 0);
	tear_down();
}

static void
test_trunk_stays(void)
{
	GSocket *socket;

	set_up();
	rig_trunk("carrier", peer_free_port(), NULL);
	socket = stranger_at("127.0.0.1");
	wait_accepted(1);
	for (guint i = 0; i < 5; i++)
		connections_skip(CONNECTION_IDLE_S + 1);
	rig_spin(20);
	g_assert_false(is_closed(socket));
	g_assert_cmpuint(connection_counters()->strangers, ==, 0);
	/* but it has not all there are */
	for (guint i = 0; i < 1100; i++) {
		stranger_at("127.0.0.1");
		wait_accepted(i + 2);
	}
	g_assert_cmpuint(connection_counters()->open, ==, 1000);
	tear_down();
}

/* Who is no stranger may send more, but no more than a message can have. */
static void
test_trunk_unfinished(void)
{
	GSocket *socket;

	set_up();
	rig_trunk("carrier", peer_free_port(), NULL);
	socket = stranger_at("127.0.0.1");
	g_socket_send(socket, HEAD, strlen(HEAD), NULL, NULL);
	wait_accepted(1);
	for (guint i = 0; i < 100 && !is_closed(socket); i++) {
		pour(socket, 20 * 1024);
		rig_spin(1);
	}
	wait_closed(1);
	assert_serves();
	tear_down();
}

static void
fewer(Config *config)
{
	config->max_connections = 10;
}

static void
test_configured(void)
{
	rig_configure = fewer;
	set_up();
	for (guint i = 0; i < 20; i++)
		stranger_at("127.0.0.9");
	wait_accepted(20);
	wait_closed(15);
	g_assert_cmpuint(connection_counters()->open, ==, 5); /* half of all may be strangers' */
	tear_down();
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/sip/connection/silent", test_silent);
	g_test_add_func("/sip/connection/idle", test_idle);
	g_test_add_func("/sip/connection/of-one-address", test_of_one_address);
	g_test_add_func("/sip/connection/of-all", test_of_all);
	g_test_add_func("/sip/connection/unfinished", test_unfinished);
	g_test_add_func("/sip/connection/drip", test_drip);
	g_test_add_func("/sip/connection/phone-stays", test_phone_stays);
	g_test_add_func("/sip/connection/trunk-stays", test_trunk_stays);
	g_test_add_func("/sip/connection/trunk-unfinished", test_trunk_unfinished);
	g_test_add_func("/sip/connection/configured", test_configured);
	return g_test_run();
}
