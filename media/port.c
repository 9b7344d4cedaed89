/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* port.c - one side of a call's media: what is posted, and the set-up on the ice
 * thread.
 *
 *   signalling   port_new ── port_connect ──────────────────────── up ── port_close
 *                   │             │                                ▲          │
 *   ice         gather, bind   checks ─ selected ─ DTLS ─ keys      │          │
 *                   │                      │               │       │          │
 *   media        sockets ────────────── where to ─────── ready ────┘       sockets closed
 *                                                                             │
 *   ice                                                          agent, sessions freed
 */
#include "media/port.h"
#include "media/demux.h"
#include "media/ice.h"
#include "media/relay/relay.h"
#include "media/turn.h"
#include <openssl/rand.h>
#include <string.h>
#include <unistd.h>

#define DTLS_TIMEOUT_MS	   15000
#define MAX_EARLY	   8	/* datagrams: one flight */
#define MAX_EARLY_BYTES	   2048 /* of one */
#define MAX_QUEUED_PACKETS 256	/* on the way from the agent's callback to the media thread */

struct Port {
	gint references;
	gint queued_packets; /* atomic */
	PortOptions options;
	/* media thread */
	Relay *relay;
	guint protected_by; /* the association that its keys are of */
	/* ice thread */
	gboolean closed, connected, selected, up, lost;
	gboolean clear, rtcp_apart; /* both sides have said: no DTLS; no rtcp-mux */
	GMainContext *context;	    /* the agent's, and of the timers here */
	Ice *ice;
	Dtls *dtls;
	gboolean dtls_client;
	guint association;	/* how many there have been */
	char *dtls_fingerprint; /* the one `dtls` compares with */
	GQueue early;		/* GBytes *, DTLS that came before dtls could take it */
	GSource *deadline;
};

/* What is posted: a port and whatever the function needs. */
typedef struct {
	PostFunc func; /* on the ice thread */
	Port *port, *other;
	const Desc *local, *remote;
	Candidate candidate;
	IceSocket sockets[RELAY_MAX_SOCKETS];
	guint n_sockets, socket, component;
	NetAddress address;
	SrtpKeys keys;
	ConsentKeys *consent;
	GBytes *packet;
	MediaStatsFunc asked;
	AudioSource *source;
	AudioSink *sink;
	gboolean flag;
	guint association;
	char digit;
	PortNews news;
} Message;

/* --- references and messages --- */

const PortOptions *
port_options(const Port *port)
{
	return &port->options;
}

Port *
port_ref(Port *port)
{
	g_atomic_int_inc(&port->references);
	return port;
}

void
port_unref(Port *port)
{
	if (!g_atomic_int_dec_and_test(&port->references))
		return;
	relay_free(port->relay);
	port->options.owner_unref(port->options.owner);
	g_free(port->dtls_fingerprint);
	g_free(port);
}

static Message *
message_new(Port *port)
{
	Message *message = g_new0(Message, 1);

	message->port = port_ref(port);
	return message;
}

static void
message_free(Message *message)
{
	port_unref(message->port);
	if (message->other)
		port_unref(message->other);
	desc_unref(message->local);
	desc_unref(message->remote);
	if (message->packet)
		g_bytes_unref(message->packet);
	transport_free(message->news.transport);
	g_free(message->news.text);
	consent_keys_free(message->consent);
	explicit_bzero(&message->keys, sizeof message->keys);
	g_free(message);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Message, message_free)

static void
run_on_ice(gpointer argument)
{
	Message *message = argument;
	Port *port = port_ref(message->port);

	message->func(message);
	if (port->context)
		worker_change_context(port->options.ice, port->context);
	port_unref(port);
}

static void
to_ice(PostFunc func, Message *message)
{
	message->func = func;
	worker_post(message->port->options.ice, run_on_ice, message);
}

static void
to_media(PostFunc func, Message *message)
{
	worker_post(message->port->options.media, func, message);
}

/* --- news --- */

static void
deliver(gpointer argument)
{
	g_autoptr(Message) message = argument;
	const PortOptions *options = &message->port->options;

	options->news(options->owner, message->port, &message->news);
}

void
port_tell(Port *port, const PortNews *news)
{
	Message *message = message_new(port);

	message->news = *news;
	worker_post(port->options.workers->signalling, deliver, message);
}

void
port_note(Port *port, const char *format, ...)
{
	PortNews news = { .kind = NEWS_NOTE };
	va_list arguments;

	va_start(arguments, format);
	news.text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	port_tell(port, &news);
}

/* --- ice thread: set-up --- */

static void
lose(Port *port, MediaLoss why, const char *text)
{
	PortNews news = { .kind = NEWS_LOST, .loss = why };

	if (port->lost || port->closed)
		return;
	port->lost = TRUE;
	worker_clear_timer(&port->deadline);
	news.text = g_strdup(text);
	port_tell(port, &news);
}

static void
tell_ready(Port *port, Transport *ours)
{
	PortNews news = { .kind = NEWS_READY, .transport = ours };

	port_tell(port, &news);
}

static void
give_sockets(gpointer argument) /* media */
{
	g_autoptr(Message) message = argument;

	for (guint i = 0; i < message->n_sockets; i++)
		relay_add_socket(
			message->port->relay, message->sockets[i].fd,
			(message->sockets[i].receives ? RELAY_RECEIVES : 0) |
				(message->sockets[i].component == ICE_RTCP ? RELAY_RTCP : 0));
}

static void
open_rtp(Port *port)
{
	const MediaOptions *options = &port->options.workers->options;
	const char *own = port->options.rtp_address, *outside = port->options.public_address;
	/* a NAT stands before the one that is of its IP version */
	const char *announced =
		outside[0] && !strchr(outside, ':') == !strchr(own, ':') ? outside : own;
	g_autoptr(GError) error = NULL;
	Message *message;
	Transport *ours;
	UdpPair pair;

	if (!udp_pair_open(own, options->port_min, port->options.port_max, &pair, &error)) {
		lose(port, MEDIA_LOST_SETUP, error->message);
		return;
	}
	message = message_new(port);
	message->n_sockets = 2;
	message->sockets[0] = (IceSocket){ .fd = pair.rtp, .component = ICE_RTP, .receives = TRUE };
	message->sockets[1] =
		(IceSocket){ .fd = pair.rtcp, .component = ICE_RTCP, .receives = TRUE };
	to_media(give_sockets, message);
	ours = transport_new(TRANSPORT_RTP);
	g_strlcpy(ours->address, announced, sizeof ours->address);
	ours->port = pair.port;
	ours->rtcp_port = pair.port + 1;
	if (RAND_bytes(ours->sdes.key, sizeof ours->sdes.key) != 1) {
		transport_free(ours);
		lose(port, MEDIA_LOST_SETUP, "no random numbers for a key");
		return;
	}
	tell_ready(port, ours);
}

static Transport *
webrtc_transport(Port *port)
{
	Transport *ours = ice_transport(port->ice), *told;

	if (port->clear) {
		told = transport_unencrypted(ours);
		told->rtcp_mux = !port->rtcp_apart;
		transport_free(ours);
		return told;
	}
	ours->fingerprint_hash = g_strdup("sha-256");
	ours->fingerprint = g_strdup(dtls_context_fingerprint(port->options.workers->dtls));
	ours->setup = SETUP_ACTPASS;
	return ours;
}

static const IceEvents ice_events;

static void
open_webrtc(Port *port)
{
	const MediaOptions *options = &port->options.workers->options;
	const char *public = port->options.public_address[0] ? port->options.public_address : NULL;
	const gboolean relay = options->turn_relay && options->turn.host && options->turn_secret;
	g_autofree char *username = NULL, *password = NULL;
	IceOptions ice = {
		.loop = port->context,
		.controlling = port->options.side == SIDE_CALLEE,
		.rtcp_apart = port->options.may_be_clear,
		.local_addresses = options->local_addresses,
		.public_address = public,
		.port_min = options->port_min,
		.port_max = port->options.port_max,
		.kernel_split = options->kernel_split,
		.stun = options->stun.host && !public ? &options->stun : NULL,
	};
	g_autoptr(GError) error = NULL;
	const IceSocket *sockets;
	Message *message;
	guint n, split = 0;

	if (relay) {
		username = turn_username(g_get_real_time() / G_USEC_PER_SEC + options->turn_ttl_s,
					 "gateway");
		password = turn_password(options->turn_secret, username);
		ice.turn = &options->turn;
		ice.turn_username = username;
		ice.turn_password = password;
	}
	port->ice = ice_new(&ice, &ice_events, port);
	if (!ice_gather(port->ice, &error)) {
		lose(port, MEDIA_LOST_SETUP, error->message);
		return;
	}
	sockets = ice_sockets(port->ice, &n);
	message = message_new(port);
	message->n_sockets = MIN(n, RELAY_MAX_SOCKETS);
	memcpy(message->sockets, sockets, message->n_sockets * sizeof *sockets);
	for (guint i = 0; i < message->n_sockets; i++)
		split += sockets[i].receives;
	if (!relay)
		worker_fix_context(port->options.ice, port->context);
	if (options->kernel_split && split < n)
		port_note(port,
			  "ice: the kernel does not split the port, RTP goes through libnice");
	to_media(give_sockets, message);
	tell_ready(port, webrtc_transport(port));
}

static void
open_port(gpointer argument)
{
	g_autoptr(Message) message = argument;
	Port *port = message->port;

	ASSERT_ICE();
	if (port->options.kind == TRANSPORT_WEBRTC) {
		port->context = worker_add_context(port->options.ice);
		open_webrtc(port);
	} else {
		open_rtp(port);
	}
}

/* --- ice thread: DTLS --- */

static void
dtls_send(gpointer user, const guint8 *data, gsize length)
{
	ice_send(((Port *)user)->ice, ICE_RTP, data, length);
}

static void
set_keys(gpointer argument) /* media */
{
	g_autoptr(Message) message = argument;
	const SrtpKeys *keys = &message->keys;

	message->port->protected_by = message->association;
	relay_set_protection(message->port->relay,
			     protection_new(keys->profile, keys->receive, FALSE),
			     protection_new(keys->profile, keys->send, TRUE));
	if (message->flag)
		port_tell(message->port, &(PortNews){ .kind = NEWS_UP });
}

static void
prove(gpointer argument) /* ice */
{
	g_autoptr(Message) message = argument;

	/* of one that has begun meanwhile it proves nothing */
	if (message->port->dtls && message->association == message->port->association)
		dtls_proven(message->port->dtls);
}

static void
relay_is_proven(gpointer user)
{
	Port *port = user;
	Message *message = message_new(port);

	message->association = port->protected_by;
	to_ice(prove, message);
}

static void
dtls_done(gpointer user, const SrtpKeys *keys)
{
	Port *port = user;
	Message *message = message_new(port);

	port_note(port, "dtls: %s, we are the %s", srtp_profile_text(keys->profile),
		  port->dtls_client ? "client" : "server");
	message->keys = *keys;
	message->association = port->association;
	message->flag = !port->up;
	port->up = TRUE;
	worker_clear_timer(&port->deadline);
	to_media(set_keys, message);
}

static void
dtls_failed(gpointer user, MediaLoss why, const char *text)
{
	lose(user, why, text);
}

static const DtlsEvents dtls_events = { .send = dtls_send,
					.done = dtls_done,
					.failed = dtls_failed };

static void
start_dtls(Port *port)
{
	GBytes *datagram;

	if (!port->dtls || !port->selected)
		return;
	dtls_start(port->dtls);
	while ((datagram = g_queue_pop_head(&port->early))) {
		gsize length;
		const guint8 *data = g_bytes_get_data(datagram, &length);

		dtls_receive(port->dtls, data, length);
		g_bytes_unref(datagram);
	}
}

/* RFC 8842 5.3, 5.4: who said what decides who is the client. */
static gboolean
we_are_client(const Port *port, DtlsSetup local, DtlsSetup remote)
{
	if (remote == SETUP_ACTIVE || local == SETUP_PASSIVE)
		return FALSE;
	if (remote == SETUP_PASSIVE || local == SETUP_ACTIVE)
		return TRUE;
	/* nobody chose: the answerer is active (RFC 5763 section 5) */
	return port->options.side == SIDE_CALLER;
}

static void
prepare_dtls(Port *port, const Transport *local, const Transport *remote)
{
	g_autofree char *signalled =
		g_strdup_printf("%s %s", remote->fingerprint_hash, remote->fingerprint);
	const DtlsOptions options = {
		.client = we_are_client(port, local->setup, remote->setup),
		.hash = remote->fingerprint_hash,
		.fingerprint = remote->fingerprint,
		.timeout_ms = DTLS_TIMEOUT_MS,
	};

	/* the same certificate: the association goes on (RFC 8842 section 3.1) */
	if (g_strcmp0(port->dtls_fingerprint, signalled) == 0)
		return;
	g_clear_pointer(&port->dtls, dtls_free);
	g_free(port->dtls_fingerprint);
	port->dtls_fingerprint = g_steal_pointer(&signalled);
	port->dtls_client = options.client;
	port->association++;
	port->dtls =
		dtls_new(port->options.workers->dtls, port->context, &options, &dtls_events, port);
}

/* --- ice thread: ICE --- */

static void
set_route(gpointer argument) /* media */
{
	g_autoptr(Message) message = argument;

	if (message->component == ICE_RTCP)
		relay_set_rtcp_route(message->port->relay, message->socket, &message->address);
	else
		relay_set_route(message->port->relay, message->socket, &message->address);
}

static void
set_followed(gpointer argument) /* media */
{
	g_autoptr(Message) message = argument;

	relay_set_followed(message->port->relay, message->socket, &message->address);
}

static void
set_consent(gpointer argument) /* media */
{
	g_autoptr(Message) message = argument;

	relay_set_consent(message->port->relay, g_steal_pointer(&message->consent));
}

/* Whoever is told of new credentials checks with them at once. */
static void
leave_checks(gpointer argument) /* media */
{
	g_autoptr(Message) message = argument;

	relay_consent_leave_checks(message->port->relay);
	tell_ready(message->port, g_steal_pointer(&message->news.transport));
}

static void
restart(Port *port)
{
	Message *message = message_new(port);

	port_note(port, "ice: restart, the peer has new credentials");
	message->news.transport = webrtc_transport(port);
	to_media(leave_checks, message);
}

static void
post_route(Port *port, guint component, guint socket, const NetAddress *peer)
{
	Message *message = message_new(port);

	message->component = component;
	message->socket = socket == ICE_RELAYED ? RELAY_BY_OWNER : socket;
	message->address = *peer;
	to_media(set_route, message);
}

static void
post_consent(Port *port)
{
	Message *message = message_new(port);

	message->consent = ice_consent(port->ice);
	to_media(set_consent, message);
}

static void
open_clear(gpointer argument) /* media */
{
	g_autoptr(Message) message = argument;

	relay_set_unencrypted(message->port->relay, message->flag);
	port_tell(message->port, &(PortNews){ .kind = NEWS_UP });
}

/* Without DTLS the pair that the checks have found is all that it takes. */
static void
start_clear(Port *port)
{
	Message *message;

	if (!port->clear || !port->selected || port->up || port->lost)
		return;
	port->up = TRUE;
	worker_clear_timer(&port->deadline);
	port_note(port, "rtp: not encrypted between the client and the gateway");
	message = message_new(port);
	message->flag = port->rtcp_apart;
	to_media(open_clear, message);
}

static void
ice_selected(gpointer user, guint component, guint socket, const NetAddress *peer,
	     const MediaPath *path, const char *text)
{
	Port *port = user;

	port_note(port, "%s", text);
	post_route(port, component, socket, peer);
	if (component != ICE_RTP)
		return;
	port_tell(port, &(PortNews){ .kind = NEWS_PATH, .path = *path });
	port->selected = TRUE;
	post_consent(port);
	start_dtls(port);
	start_clear(port);
}

static void
take_packet(gpointer argument) /* media */
{
	g_autoptr(Message) message = argument;
	gsize length;
	const guint8 *data = g_bytes_get_data(message->packet, &length);

	g_atomic_int_add(&message->port->queued_packets, -1);
	relay_receive(message->port->relay, data, length);
}

static void
pass_packet(Port *port, const guint8 *data, gsize length)
{
	Message *message;

	if (length > RELAY_MAX_PACKET ||
	    g_atomic_int_get(&port->queued_packets) >= MAX_QUEUED_PACKETS)
		return;
	g_atomic_int_inc(&port->queued_packets);
	message = message_new(port);
	message->packet = g_bytes_new(data, length);
	to_media(take_packet, message);
}

static void
keep_early(Port *port, const guint8 *data, gsize length)
{
	if (length > MAX_EARLY_BYTES)
		return;
	if (g_queue_get_length(&port->early) >= MAX_EARLY)
		g_bytes_unref(g_queue_pop_head(&port->early));
	g_queue_push_tail(&port->early, g_bytes_new(data, length));
}

static void
ice_datagram(gpointer user, const guint8 *data, gsize length)
{
	Port *port = user;

	switch (packet_kind(data, length)) {
	case PACKET_DTLS:
		if (port->dtls && port->selected)
			dtls_receive(port->dtls, data, length);
		else if (!port->up)
			keep_early(port, data, length);
		break;
	case PACKET_RTP:
	case PACKET_RTCP:
		pass_packet(port, data, length);
		break;
	default:
		break;
	}
}

static void
set_alive(gpointer argument) /* media */
{
	g_autoptr(Message) message = argument;

	relay_set_alive(message->port->relay, message->flag);
}

static void
ice_alive(gpointer user, gboolean alive)
{
	Port *port = user;
	Message *message;

	if (!port->up) { /* the deadline decides */
		if (!alive)
			port_note(port, "ice: no check answered yet, still waiting");
		return;
	}
	message = message_new(port);
	message->flag = alive;
	to_media(set_alive, message);
}

static void
ice_candidate(gpointer user, const Candidate *ours)
{
	Port *port = user;

	port_note(port, "ice: late candidate, %s %s:%u", candidate_type_name(ours->type),
		  ours->address, ours->port);
	port_tell(port, &(PortNews){ .kind = NEWS_CANDIDATE, .candidate = *ours });
}

static void
send_by_agent(gpointer argument)
{
	g_autoptr(Message) message = argument;
	gsize length;
	const guint8 *data = g_bytes_get_data(message->packet, &length);

	g_atomic_int_add(&message->port->queued_packets, -1);
	if (message->port->rtcp_apart && packet_kind(data, length) == PACKET_RTCP)
		message->component = ICE_RTCP;
	if (message->port->ice)
		ice_send(message->port->ice, message->component, data, length);
}

static void
relay_sends(gpointer user, const guint8 *data, gsize length)
{
	Port *port = user;
	Message *message;

	if (g_atomic_int_get(&port->queued_packets) >= MAX_QUEUED_PACKETS)
		return;
	g_atomic_int_inc(&port->queued_packets);
	message = message_new(port);
	message->packet = g_bytes_new(data, length);
	message->component = ICE_RTP;
	to_ice(send_by_agent, message);
}

static const IceEvents ice_events = { .selected = ice_selected,
				      .candidate = ice_candidate,
				      .datagram = ice_datagram,
				      .alive = ice_alive };

static gboolean
on_deadline(gpointer user)
{
	Port *port = user;
	g_autofree char *text = NULL;

	worker_clear_timer(&port->deadline);
	if (port->selected) {
		guint heard = dtls_heard(port->dtls);

		text = g_strdup_printf("no DTLS handshake in time; %u datagrams came", heard);
		lose(port, heard ? MEDIA_LOST_DTLS : MEDIA_LOST_DTLS_SILENT, text);
	} else {
		text = ice_explain(port->ice);
		lose(port, ice_loss(port->ice), text);
	}
	return G_SOURCE_REMOVE;
}

static const Transport *
transport_of(const Desc *desc)
{
	const Stream *stream = desc ? desc_audio(desc) : NULL;

	return stream ? stream->transport : NULL;
}

static void
connect_webrtc(Port *port, const Desc *local, const Desc *remote)
{
	const Transport *ours = transport_of(local), *theirs = transport_of(remote);
	static const Transport none = { .setup = SETUP_NONE };

	if (!port->ice || port->lost)
		return;
	if (!theirs || !theirs->ufrag || !theirs->pwd) {
		lose(port, MEDIA_LOST_ICE, "the peer's description has no ICE credentials");
		return;
	}
	if (port->options.may_be_clear && !port->dtls && ours && ours->unencrypted &&
	    theirs->unencrypted) {
		port->clear = TRUE;
		port->rtcp_apart = !(ours->rtcp_mux && theirs->rtcp_mux);
	} else if (!theirs->fingerprint || !theirs->fingerprint_hash || port->clear) {
		lose(port, MEDIA_LOST_FINGERPRINT,
		     port->clear ? "the peer wants DTLS in the middle of a call without"
				 : "the peer's description has no fingerprint");
		return;
	} else {
		prepare_dtls(port, ours ? ours : &none, theirs);
	}
	if (!port->connected)
		port->deadline = worker_timer(port->context,
					      port->options.workers->options.ice_timeout_s * 1000,
					      on_deadline, port);
	port->connected = TRUE;
	if (ice_connect(port->ice, theirs))
		restart(port);
	start_dtls(port);
	start_clear(port);
}

static void
connect_port(gpointer argument)
{
	g_autoptr(Message) message = argument;

	ASSERT_ICE();
	connect_webrtc(message->port, message->local, message->remote);
}

static void
take_candidate(gpointer argument)
{
	g_autoptr(Message) message = argument;

	if (message->port->ice)
		ice_add_candidate(message->port->ice, &message->candidate);
}

static void
check_route(gpointer argument)
{
	Message *message = argument;
	Port *port = message->port;

	if (port->ice && ice_knows(port->ice, &message->address))
		to_media(set_followed, message);
	else
		message_free(message);
}

static void
relay_asks_route(gpointer user, guint socket, const NetAddress *from)
{
	Message *message = message_new(user);

	message->socket = socket;
	message->address = *from;
	to_ice(check_route, message);
}

/* --- what the relay tells, on the media thread --- */

static void
relay_notes(gpointer port, char *text)
{
	port_tell(port, &(PortNews){ .kind = NEWS_NOTE, .text = text });
}

static void
relay_has_digit(gpointer port, char digit)
{
	port_tell(port, &(PortNews){ .kind = NEWS_DTMF, .digit = digit });
}

static void
relay_is_lost(gpointer port, MediaLoss why, char *text)
{
	port_tell(port, &(PortNews){ .kind = NEWS_LOST, .loss = why, .text = text });
}

static void
relay_is_one_way(gpointer port, const MediaSilence *silence, char *text)
{
	port_tell(port, &(PortNews){ .kind = NEWS_ONE_WAY, .silence = *silence, .text = text });
}

static void
relay_has_stats(gpointer port, const PortStats *stats)
{
	port_tell(port, &(PortNews){ .kind = NEWS_STATS, .stats = *stats });
}

static void
relay_has_played(gpointer port)
{
	port_tell(port, &(PortNews){ .kind = NEWS_PLAYED });
}

static const RelayEvents relay_events = {
	.note = relay_notes,
	.digit = relay_has_digit,
	.lost = relay_is_lost,
	.one_way = relay_is_one_way,
	.played = relay_has_played,
	.stats = relay_has_stats,
	.proven = relay_is_proven,
	.send = relay_sends,
	.ask_route = relay_asks_route,
};

/* --- the end --- */

static void
free_ice(gpointer argument)
{
	g_autoptr(Message) message = argument;
	Port *port = message->port;

	ASSERT_ICE();
	if (port->context)
		worker_unwatch_context(port->options.ice, port->context);
	g_clear_pointer(&port->ice, ice_free);
	if (port->context)
		worker_remove_context(port->options.ice, g_steal_pointer(&port->context));
}

/* From inside the agent's context, which free_ice() removes. */
static void
on_released(gpointer message)
{
	to_ice(free_ice, message);
}

static void
close_ice(gpointer argument)
{
	Message *message = argument;
	Port *port = message->port;

	ASSERT_ICE();
	port->closed = TRUE;
	worker_clear_timer(&port->deadline);
	g_clear_pointer(&port->dtls, dtls_free);
	g_queue_clear_full(&port->early, (GDestroyNotify)g_bytes_unref);
	if (!port->ice || !ice_release(port->ice, on_released, message))
		free_ice(message);
}

static void
close_relay(gpointer argument)
{
	Message *message = argument;

	ASSERT_MEDIA();
	relay_close(message->port->relay);
	to_ice(close_ice, message);
}

/* --- signalling thread --- */

/* No part of it is on the ice thread. */
static void
open_audio(gpointer argument) /* media */
{
	g_autoptr(Message) message = argument;

	relay_add_audio(message->port->relay);
	tell_ready(message->port, transport_new(TRANSPORT_NONE));
	port_tell(message->port, &(PortNews){ .kind = NEWS_UP });
}

Port *
port_new(const PortOptions *options)
{
	Port *port = g_new0(Port, 1);
	const RelayOptions relay = { .kind = options->kind,
				     .media = &options->workers->options,
				     .worker = options->media,
				     .ice = options->ice,
				     .set = options->relays,
				     .events = &relay_events,
				     .owner = port };

	port->references = 1;
	port->options = *options;
	g_queue_init(&port->early);
	port->relay = relay_new(&relay);
	if (options->kind == TRANSPORT_NONE)
		to_media(open_audio, message_new(port));
	else
		to_ice(open_port, message_new(port));
	return port;
}

static void
connect_relay(gpointer argument)
{
	g_autoptr(Message) message = argument;

	relay_connect(message->port->relay, message->local, message->remote);
	if (message->flag)
		port_tell(message->port, &(PortNews){ .kind = NEWS_UP });
}

void
port_connect(Port *port, const Desc *local, const Desc *remote)
{
	const gboolean webrtc = port->options.kind == TRANSPORT_WEBRTC;
	Message *message = message_new(port);

	message->local = local ? desc_ref(local) : NULL;
	message->remote = desc_ref(remote);
	message->flag = !webrtc;
	to_media(connect_relay, message);
	if (!webrtc)
		return;
	message = message_new(port);
	message->local = local ? desc_ref(local) : NULL;
	message->remote = desc_ref(remote);
	to_ice(connect_port, message);
}

static void
join_relays(gpointer argument)
{
	g_autoptr(Message) message = argument;

	relay_join(message->port->relay, message->other->relay);
}

void
port_join(Port *one, Port *other)
{
	Message *message = message_new(one);

	message->other = port_ref(other);
	to_media(join_relays, message);
}

void
port_add_candidate(Port *port, const Candidate *candidate)
{
	Message *message = message_new(port);

	message->candidate = *candidate;
	to_ice(take_candidate, message);
}

static void
send_dtmf(gpointer argument)
{
	g_autoptr(Message) message = argument;

	relay_send_dtmf(message->port->relay, message->digit);
}

void
port_send_dtmf(Port *port, char digit)
{
	Message *message = message_new(port);

	message->digit = digit;
	to_media(send_dtmf, message);
}

static void
play(gpointer argument)
{
	g_autoptr(Message) message = argument;

	relay_play(message->port->relay, message->source);
}

void
port_play(Port *port, AudioSource *source)
{
	Message *message = message_new(port);

	message->source = source;
	to_media(play, message);
}

static void
record(gpointer argument)
{
	g_autoptr(Message) message = argument;

	relay_record(message->port->relay, message->sink);
}

void
port_record(Port *port, AudioSink *sink)
{
	Message *message = message_new(port);

	message->sink = sink;
	to_media(record, message);
}

static void
answer_query(gpointer argument)
{
	g_autoptr(Message) message = argument;
	PortNews news = { .kind = NEWS_STATS, .asked = message->asked };

	relay_stats(message->port->relay, &news.stats);
	port_tell(message->port, &news);
}

void
port_query(Port *port, MediaStatsFunc func)
{
	Message *message = message_new(port);

	message->asked = func;
	to_media(answer_query, message);
}

void
port_close(Port *port)
{
	to_media(close_relay, message_new(port));
	port_unref(port);
}
