/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* echo_leg.c - answers every call at once and plays the audio back.
 *
 * The smallest plugin there is, and the one to copy.  What any plugin needs:
 *
 *  - a leg of its own that begins with a Leg, allocated in dial(), given to the
 *    core with leg_attach() first thing, freed after hangup() or leg_ended();
 *  - a transport to offer or answer with: here a UDP socket, to which the
 *    gateway talks as to any telephone;
 *  - a table of commands, and a Plugin that names it, exported as `tandem_plugin`.
 *
 * A plugin that takes calls from outside says call_new(), and has ring() and answer(); a
 * plugin that has to end its legs after a crash of the gateway has save() and bury().
 * Thread: signalling.
 */
#include "b2bua/leg.h"
#include <gio/gio.h>

#define MAX_PACKET	 2048
#define PACKETS_PER_TURN 32

typedef struct {
	Leg leg; /* first */
	GSocket *socket;
	GSource *source;
	Transport *ours;
} EchoLeg;

G_MODULE_EXPORT extern const Plugin tandem_plugin;

static char *address; /* numeric: where the gateway's own RTP is bound */

static void
echo_leg_free(EchoLeg *echo)
{
	if (echo->source)
		g_source_destroy(echo->source);
	g_clear_pointer(&echo->source, g_source_unref);
	g_clear_object(&echo->socket);
	transport_free(echo->ours);
	g_free(echo);
}

/* --- audio --- */

/* RFC 5761 section 4: the second byte of RTCP. */
static gboolean
is_rtcp(const guint8 *packet, gssize length)
{
	return length >= 2 && packet[1] >= 192 && packet[1] <= 223;
}

static gboolean
on_packet(GSocket *socket, GIOCondition condition, gpointer user)
{
	guint8 packet[MAX_PACKET];

	for (guint i = 0; i < PACKETS_PER_TURN; i++) {
		gssize length =
			g_socket_receive(socket, (char *)packet, sizeof(packet), NULL, NULL);

		if (length < 0) /* nothing more, or an ICMP error: the next may do better */
			break;
		if (!is_rtcp(packet, length))
			g_socket_send(socket, (const char *)packet, (gsize)length, NULL, NULL);
	}
	return G_SOURCE_CONTINUE;
}

/* Connected to the gateway's own port, so the kernel keeps strangers out.  That
 * port is on this machine, whatever address is announced to the world. */
static gboolean
open_socket(EchoLeg *echo, guint16 gateway_port, GError **error)
{
	g_autoptr(GInetAddress) here = g_inet_address_new_from_string(address);
	g_autoptr(GSocketAddress) any = g_inet_socket_address_new(here, 0);
	g_autoptr(GSocketAddress) gateway = g_inet_socket_address_new(here, gateway_port);
	g_autoptr(GSocketAddress) bound = NULL;

	echo->socket = g_socket_new(g_inet_address_get_family(here), G_SOCKET_TYPE_DATAGRAM,
				    G_SOCKET_PROTOCOL_UDP, error);
	if (!echo->socket || !g_socket_bind(echo->socket, any, FALSE, error) ||
	    !g_socket_connect(echo->socket, gateway, NULL, error))
		return FALSE;
	g_socket_set_blocking(echo->socket, FALSE);
	bound = g_socket_get_local_address(echo->socket, error);
	if (!bound)
		return FALSE;
	echo->ours = transport_new(TRANSPORT_RTP);
	g_strlcpy(echo->ours->address, address, sizeof(echo->ours->address));
	echo->ours->port = g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(bound));
	echo->source = g_socket_create_source(echo->socket, G_IO_IN, NULL);
	g_source_set_callback(echo->source, G_SOURCE_FUNC(on_packet), echo, NULL);
	g_source_attach(echo->source, NULL);
	return TRUE;
}

/* --- commands --- */

static void
answer_offer(EchoLeg *echo, const Desc *offer)
{
	g_autoptr(Desc) same = desc_offer(offer, echo->ours);
	g_autoptr(Desc) all = same ? desc_turned(same, DIRECTION_SENDRECV) : NULL;
	g_autoptr(Desc) answer = all ? desc_answer(offer, all, echo->ours) : NULL;

	if (answer)
		leg_trace(&echo->leg, TRACE_IN, "echo answers");
	leg_answered(&echo->leg, answer); /* NULL refuses a change */
}

static void
dial(Call *call, const Target *target, const Desc *offer)
{
	EchoLeg *echo = g_new0(EchoLeg, 1);
	const Stream *audio = desc_audio(offer);
	g_autoptr(GError) error = NULL;

	leg_attach(&echo->leg, &tandem_plugin, call);
	leg_trace(&echo->leg, TRACE_OUT, "call the echo test");
	if (!audio || !open_socket(echo, audio->transport->port, &error)) {
		leg_ended(&echo->leg, REASON_NETWORK_ERROR, error ? error->message : NULL);
		echo_leg_free(echo);
		return;
	}
	leg_ringing(&echo->leg, NULL);
	answer_offer(echo, offer);
}

static void
change(Leg *leg, const Desc *offer)
{
	answer_offer((EchoLeg *)leg, offer);
}

static void
hang_up(Leg *leg, Reason reason, const char *text)
{
	leg_trace(leg, TRACE_OUT, "hang up");
	echo_leg_free((EchoLeg *)leg);
}

static gboolean
start(Gateway *gateway, GError **error)
{
	address = gateway_config_text(gateway, "media", "rtp_address");
	return TRUE;
}

static void
stop(void)
{
	g_clear_pointer(&address, g_free);
}

static const LegVerbs leg_verbs = { .dial = dial, .change = change, .hangup = hang_up };

const Plugin tandem_plugin = {
	.interface_version = PLUGIN_INTERFACE_VERSION,
	.name = "echo",
	.transport = TRANSPORT_RTP,
	.reaches = WAY_SERVICE,
	.start = start,
	.stop = stop,
	.leg = &leg_verbs,
};
