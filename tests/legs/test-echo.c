/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-echo.c - the echo plugin as a module in a real gateway with real media:
 * what a caller says comes back to him. */
#include "b2bua/call/call.h"
#include "b2bua/call/call_list.h"
#include "b2bua/call/core.h"
#include "b2bua/gateway.h"
#include <gio/gio.h>
#include <string.h>

#define N_ECHOES 10
#define PAYLOAD	 160

typedef struct {
	Leg leg; /* first */
	GSocket *socket;
	const Desc *answer; /* owned */
	guint sent, heard;
	gboolean rang, ended;
	Reason reason;
} Caller;

static gboolean
start(Gateway *gateway, GError **error)
{
	return TRUE;
}

static void
stop(void)
{
}

static void
ring(Leg *leg, const Desc *early)
{
	((Caller *)leg)->rang = TRUE;
}

static void
answer(Leg *leg, const Desc *description)
{
	Caller *caller = (Caller *)leg;

	desc_unref(caller->answer);
	caller->answer = description ? desc_ref(description) : NULL;
}

static void
hang_up(Leg *leg, Reason reason, const char *text)
{
	((Caller *)leg)->ended = TRUE;
	((Caller *)leg)->reason = reason;
}

static const LegVerbs caller_verbs = { .ring = ring, .answer = answer, .hangup = hang_up };
static const Plugin caller_plugin = { .interface_version = PLUGIN_INTERFACE_VERSION,
				      .name = "caller",
				      .transport = TRANSPORT_RTP,
				      .start = start,
				      .stop = stop,
				      .leg = &caller_verbs };

static gboolean
on_echo(GSocket *socket, GIOCondition condition, gpointer user)
{
	Caller *caller = user;
	char packet[2048];
	gssize length = g_socket_receive(socket, packet, sizeof(packet), NULL, NULL);
	guint right = 0;

	for (gssize i = 12; i < length; i++)
		right += packet[i] == 0x55;
	if (right == PAYLOAD && (packet[1] & 0x7f) == 0)
		caller->heard++;
	return G_SOURCE_CONTINUE;
}

static gboolean
speak(gpointer user)
{
	Caller *caller = user;
	guint8 packet[12 + PAYLOAD] = { 0x80, 0, 0, (guint8)caller->sent };
	guint32 stamp = g_htonl(caller->sent * PAYLOAD), ssrc = g_htonl(0x12345678);
	const Transport *where;
	g_autoptr(GInetAddress) address = NULL;
	g_autoptr(GSocketAddress) to = NULL;

	if (!caller->answer)
		return G_SOURCE_CONTINUE;
	where = desc_audio(caller->answer)->transport;
	address = g_inet_address_new_from_string(where->address);
	to = g_inet_socket_address_new(address, where->port);
	memcpy(packet + 4, &stamp, 4);
	memcpy(packet + 8, &ssrc, 4);
	memset(packet + 12, 0x55, PAYLOAD);
	g_socket_send_to(caller->socket, to, (char *)packet, sizeof(packet), NULL, NULL);
	caller->sent++;
	return G_SOURCE_CONTINUE;
}

static guint16
open_socket(Caller *caller)
{
	g_autoptr(GInetAddress) loopback = g_inet_address_new_from_string("127.0.0.1");
	g_autoptr(GSocketAddress) any = g_inet_socket_address_new(loopback, 0);
	g_autoptr(GSocketAddress) bound = NULL;

	caller->socket = g_socket_new(G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM,
				      G_SOCKET_PROTOCOL_UDP, NULL);
	g_assert_true(g_socket_bind(caller->socket, any, FALSE, NULL));
	bound = g_socket_get_local_address(caller->socket, NULL);
	return g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(bound));
}

static void
call_echo(Gateway *gateway, Caller *caller)
{
	g_autoptr(Address) from = address_from_jid("anna@example.org/phone");
	g_autoptr(Address) to = address_from_jid("echo@gw.example.org");
	g_autoptr(Desc) offer = desc_new();
	Stream *stream = desc_add_stream(offer, STREAM_AUDIO, NULL);
	Incoming incoming = { .from = from, .to = to, .offer = offer };

	stream_add_codec(stream, 0, "PCMU", 8000, 1);
	stream->transport->kind = TRANSPORT_RTP;
	g_strlcpy(stream->transport->address, "127.0.0.1", sizeof(stream->transport->address));
	stream->transport->port = open_socket(caller);
	call_new(gateway, &caller->leg, &caller_plugin, &incoming);
}

static void
test_echo(void)
{
	g_autofree char *folder =
		g_test_build_filename(G_TEST_BUILT, "..", "plugins", "echo", ".libs", NULL);
	g_autofree char *text = g_strdup_printf("[gateway]\nplugins=echo\nplugin_dir=%s\n"
						"[xmpp]\ndomain=gw.example.org\n",
						folder);
	g_autoptr(GError) error = NULL;
	g_autoptr(Config) config = config_from_text(text, "test", &error);
	g_autoptr(Store) store = store_open(":memory:", NULL);
	Workers *workers = workers_new(&config->media, &error);
	Gateway *gateway = core_new(config, store, workers);
	Caller caller = { 0 };
	g_autoptr(GSource) source = NULL;
	guint timer;

	g_assert_no_error(error);
	g_assert_true(gateway_load_plugin(gateway, "echo", &error));
	g_assert_true(gateway_add_plugin(gateway, &caller_plugin, &error));
	g_assert_true(store_user_add(store, "anna@example.org", &error));
	call_echo(gateway, &caller);
	source = g_socket_create_source(caller.socket, G_IO_IN, NULL);
	g_source_set_callback(source, G_SOURCE_FUNC(on_echo), &caller, NULL);
	g_source_attach(source, NULL);
	timer = g_timeout_add(20, speak, &caller);
	while (caller.heard < N_ECHOES && !caller.ended)
		g_main_context_iteration(NULL, TRUE);
	g_assert_false(caller.ended);
	g_assert_true(caller.rang);
	leg_ended(&caller.leg, REASON_HANGUP, NULL);
	while (calls_live(gateway) > 0)
		g_main_context_iteration(NULL, TRUE);
	g_autoptr(CallRecord) record = store_call_get(store, 1, NULL);
	g_assert_cmpstr(record->reason, ==, "hangup");
	g_assert_nonnull(strstr(record->stats, "port=caller packets_in="));
	g_assert_null(strstr(record->stats, "port=caller packets_in=0 "));
	g_source_remove(timer);
	g_source_destroy(source);
	g_object_unref(caller.socket);
	desc_unref(caller.answer);
	core_free(gateway);
	workers_free(workers);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/echo/what-is-said-comes-back", test_echo);
	return g_test_run();
}
