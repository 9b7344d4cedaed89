/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-sip-names.c - names that a peer writes while the name server does not help.
 *
 * The real resolver, in a network and with an /etc/resolv.conf of the test's own, for which
 * it has to be root: the server cannot be routed to, is silent, refuses, or knows no name.
 * All the while OPTIONS are answered at once and the BYE reaches its peer.
 */
#include "tests/legs/sip-phone.h"
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#define AT_ONCE_US (500 * 1000) /* on a busy machine; one that waits takes seconds */

static gboolean alone; /* the network is our own */
static gint64 slowest; /* answer to an OPTIONS */
static char *resolv_conf;

/* --- the name server --- */

static gboolean
on_question(GSocket *socket, GIOCondition condition, gpointer answers)
{
	g_autoptr(GSocketAddress) from = NULL;
	char packet[512];
	gssize size = g_socket_receive_from(socket, &from, packet, sizeof packet, NULL, NULL);

	(void)condition;
	if (size > 12 && GPOINTER_TO_INT(answers)) {
		packet[2] |= (char)0x80; /* a response */
		packet[3] = (char)0x83;	 /* NXDOMAIN */
		memset(packet + 6, 0, 6);
		g_socket_send_to(socket, from, packet, (gsize)size, NULL, NULL);
	}
	return G_SOURCE_CONTINUE;
}

/* At 127.0.0.53, on the wire alone or with an answer. */
static GSource *
serve(GSocket **socket, gboolean answers)
{
	g_autoptr(GSocketAddress) address = g_inet_socket_address_new_from_string("127.0.0.53", 53);
	g_autoptr(GError) error = NULL;
	GSource *source;

	*socket = g_socket_new(G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP,
			       &error);
	g_socket_bind(*socket, address, FALSE, &error);
	g_assert_no_error(error);
	source = g_socket_create_source(*socket, G_IO_IN, NULL);
	g_source_set_callback(source, G_SOURCE_FUNC(on_question), GINT_TO_POINTER(answers), NULL);
	g_source_attach(source, NULL);
	return source;
}

static const struct {
	const char *name, *server;
	gboolean listens, answers;
} servers[] = {
	{ "unroutable", "192.0.2.1", FALSE, FALSE },
	{ "silent", "127.0.0.53", TRUE, FALSE },
	{ "refusing", "127.0.0.54", FALSE, FALSE },
	{ "nxdomain", "127.0.0.53", TRUE, TRUE },
};

/* --- what a peer writes --- */

/* Each name once, or the second would be known. */
static const struct {
	const char *name, *route, *contact;
} places[] = {
	{ "contact", NULL, "sip:x@uas-%u.example:5070" },
	{ "contact-srv", NULL, "sip:x@uas-%u.example" },
	{ "record-route", "<sip:edge-%u.example;lr>", "sip:x@192.0.2.9" },
	{ "maddr", NULL, "sip:x@192.0.2.9;maddr=inner-%u.example" },
};

static char *
numbered(const char *format)
{
	static guint number;
	g_auto(GStrv) cut = g_strsplit(format, "%u", 2);
	g_autofree char *text = g_strdup_printf("%u", ++number);

	return g_strjoinv(text, cut);
}

static void
expect_options(Peer *peer)
{
	g_autofree char *id = g_strdup(peer->call_id), *request = NULL;
	gint64 began = g_get_monotonic_time();
	guint cseq = peer->cseq;

	g_free(peer->call_id);
	peer->call_id = g_uuid_string_random();
	request = peer_request(peer, "OPTIONS", NULL, NULL, NULL);
	peer_send(peer, request);
	g_free(peer_wait(peer, "SIP/2.0 200"));
	slowest = MAX(slowest, g_get_monotonic_time() - began);
	g_assert_cmpint(slowest, <, AT_ONCE_US);
	g_free(peer->call_id);
	peer->call_id = g_steal_pointer(&id);
	peer->cseq = cseq;
}

static void
call_in(Peer *peer, const char *headers)
{
	g_autoptr(Desc) answer = rig_desc(sdp_two);
	g_autofree char *ok = NULL;

	peer_invite(peer, headers, sdp_one);
	rig_expect_start("new ");
	expect_options(peer);
	rig_plugin->leg->answer(rig_leg, answer);
	ok = peer_wait(peer, "SIP/2.0 200");
	peer_ack(peer, ok, NULL);
	while (!strstr(rig_traces(), "ACK"))
		g_main_context_iteration(NULL, TRUE);
	expect_options(peer);
	rig_hang_up(peer);
	expect_options(peer);
}

static void
call_out(Peer *peer, const char *headers)
{
	g_autofree char *invite = NULL;

	rig_dial("carrier", "+14155550123", NULL);
	invite = peer_wait(peer, "INVITE ");
	peer_reply(peer, invite, "200 OK", "t", headers, sdp_one);
	rig_expect_start("answered");
	g_free(peer_wait(peer, "ACK "));
	expect_options(peer);
	rig_hang_up(peer);
	expect_options(peer);
}

static void
name__calls(gconstpointer data)
{
	guint i = GPOINTER_TO_UINT(data);
	g_autoptr(Peer) peer = peer_new();
	g_autoptr(GSocket) socket = NULL;
	GSource *source = servers[i].listens ? serve(&socket, servers[i].answers) : NULL;
	g_autofree char *text = g_strdup_printf("nameserver %s\n", servers[i].server);
	gint64 began;

	g_assert_true(g_file_set_contents_full(resolv_conf, text, -1, G_FILE_SET_CONTENTS_NONE,
					       0644, NULL));
	rig_start();
	rig_trunk("carrier", peer->port, NULL);
	for (guint k = 0; k < 2 * G_N_ELEMENTS(places); k++) {
		g_autofree char *route = places[k / 2].route ? numbered(places[k / 2].route) : NULL;
		g_autofree char *contact = numbered(places[k / 2].contact);
		g_autofree char *headers =
			g_strdup_printf("%s%s%sContact: <%s>\r\n", route ? "Record-Route: " : "",
					route ? route : "", route ? "\r\n" : "", contact);

		g_test_message("%s", places[k / 2].name);
		if (k % 2)
			call_in(peer, headers);
		else
			call_out(peer, headers);
	}
	began = g_get_monotonic_time();
	rig_stop();
	g_assert_cmpint(g_get_monotonic_time() - began, <, 3 * G_USEC_PER_SEC);
	if (source) {
		g_source_destroy(source);
		g_source_unref(source);
	}
}

/* A phone behind a proxy with a name: it is reached by where its REGISTER came from. */
static void
name__path(gconstpointer data)
{
	guint i = GPOINTER_TO_UINT(data);
	g_autoptr(GSocket) socket = NULL;
	GSource *source = servers[i].listens ? serve(&socket, servers[i].answers) : NULL;
	g_autofree char *path = numbered("Path: <sip:path-%u.example;lr>\r\nSupported: path\r\n");
	g_autofree char *text = g_strdup_printf("nameserver %s\n", servers[i].server);
	g_autofree char *invite = NULL, *lines = NULL, *contact = NULL, *done = NULL;
	g_auto(Phone) phone = { 0 };

	g_assert_true(g_file_set_contents_full(resolv_conf, text, -1, G_FILE_SET_CONTENTS_NONE,
					       0644, NULL));
	phone_start();
	phone = phone_new("alice", peer_new());
	contact = phone_contact_line(&phone, "");
	lines = g_strconcat(contact, path, NULL);
	done = phone_do_register(&phone, lines);
	phone_assert_status(done, "200");
	rig_dial_contact(phone_only_contact());
	invite = peer_wait(phone.peer, "INVITE ");
	peer_reply(phone.peer, invite, "200 OK", "t", NULL, sdp_one);
	rig_expect_start("answered");
	g_free(peer_wait(phone.peer, "ACK "));
	expect_options(phone.peer);
	rig_hang_up(phone.peer);
	rig_stop();
	if (source) {
		g_source_destroy(source);
		g_source_unref(source);
	}
}

/* --- a network of our own --- */

static gboolean
raise_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	gboolean up = ioctl(fd, SIOCSIFFLAGS, &request) == 0;

	close(fd);
	return up;
}

static gboolean
leave_the_world(void)
{
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) != 0)
		return FALSE;
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount(resolv_conf, "/etc/resolv.conf", NULL, MS_BIND, NULL) == 0 && raise_loopback();
}

static void
skipped(void)
{
	g_test_skip("only root may have a network of its own");
}

int
main(int argc, char **argv)
{
	int status, fd = g_file_open_tmp("tandem-resolv-XXXXXX", &resolv_conf, NULL);

	g_assert_cmpint(fd, >=, 0);
	close(fd);
	g_test_init(&argc, &argv, NULL);
	g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
	alone = leave_the_world();
	if (!alone)
		g_test_add_func("/sip/names", skipped);
	for (guint i = 0; alone && i < G_N_ELEMENTS(servers); i++) {
		g_autofree char *calls = g_strdup_printf("/sip/names/%s/calls", servers[i].name);
		g_autofree char *path = g_strdup_printf("/sip/names/%s/path", servers[i].name);

		g_test_add_data_func(calls, GUINT_TO_POINTER(i), name__calls);
		g_test_add_data_func(path, GUINT_TO_POINTER(i), name__path);
	}
	status = g_test_run();
	g_test_message("the slowest OPTIONS took %.1f ms", (double)slowest / 1000);
	unlink(resolv_conf);
	g_free(resolv_conf);
	return status;
}
