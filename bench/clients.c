/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* clients.c - the generator's WebRTC clients: ICE and DTLS of many calls.
 *
 * They are controlled, answer every check and send one themselves every 5 s
 * (RFC 7675).  All on one thread and on the sockets of the load.
 */
#include "bench/clients.h"
#include "media/dtls.h"
#include "tests/media/stun.h"
#include <string.h>

#define BATCH	   20 /* calls set up at a time, as the gateway does */
#define TIMEOUT_MS 20000
#define PWD	   "benchbenchbenchbenchbench"

typedef struct {
	Load *load;
	guint call;
	char *ufrag, *pwd; /* the gateway's */
	Dtls *dtls;
	gboolean up;
} Client;

typedef struct {
	Load *load;
	DtlsContext *context;
	Client *client;
} Clients;

/* --- checks --- */

static void
answer(Client *client, const guint8 *data)
{
	g_autoptr(GByteArray) message = stun_new(STUN_BINDING_SUCCESS, data + 8);

	stun_put_mapped(message, &client->load->call[client->call].to[CLIENT]);
	stun_seal(message, PWD);
	load_send(client->load, client->call, message->data, message->len);
}

static void
check(gpointer user, guint call)
{
	static const guint8 tie_breaker[8] = { 1 };
	Client *client = &((Clients *)user)->client[call];
	g_autoptr(GByteArray) message = stun_new(STUN_BINDING_REQUEST, NULL);
	g_autofree char *username = g_strdup_printf("%s:c%u", client->ufrag, call);

	stun_put(message, STUN_USERNAME, username, (guint)strlen(username));
	stun_put_number(message, STUN_PRIORITY, 110u << 24 | 65535u << 8 | 255);
	stun_put(message, STUN_CONTROLLED, tie_breaker, sizeof tie_breaker);
	stun_seal(message, client->pwd);
	load_send(client->load, call, message->data, message->len);
}

static void
receive(gpointer user, guint call, guint8 *data, gsize length)
{
	Client *client = &((Clients *)user)->client[call];

	if (data[0] > 3) {
		dtls_receive(client->dtls, data, length);
	} else if (length >= STUN_HEADER && stun_type(data) == STUN_BINDING_REQUEST) {
		answer(client, data);
		dtls_start(client->dtls);
	}
}

/* --- DTLS --- */

static void
dtls_send(gpointer user, const guint8 *data, gsize length)
{
	Client *client = user;

	load_send(client->load, client->call, data, length);
}

static void
dtls_done(gpointer user, const SrtpKeys *keys)
{
	Client *client = user;

	client->load->call[client->call].protection =
		protection_new(keys->profile, keys->send, TRUE);
	client->load->call[client->call].opening =
		protection_new(keys->profile, keys->receive, FALSE);
	client->up = TRUE;
}

static void
dtls_failed(gpointer user, MediaLoss why, const char *text)
{
	g_error("client %u: %s", ((Client *)user)->call, text);
}

static const DtlsEvents dtls_events = { .send = dtls_send,
					.done = dtls_done,
					.failed = dtls_failed };

/* --- set-up --- */

/* What the gateway says: ufrag, pwd, fingerprint, and the ports of both sides. */
static void
meet(Clients *clients, Talk *talk, guint call)
{
	g_auto(GStrv) words = hear(talk, 5);
	Client *client = &clients->client[call];
	const DtlsOptions options = {
		.client = TRUE, .hash = "sha-256", .fingerprint = words[2], .timeout_ms = TIMEOUT_MS
	};

	client->load = clients->load;
	client->call = call;
	client->ufrag = g_strdup(words[0]);
	client->pwd = g_strdup(words[1]);
	client->dtls = dtls_new(clients->context, NULL, &options, &dtls_events, client);
	load_set_to(clients->load, call, CLIENT, (guint16)atoi(words[3]));
	load_set_to(clients->load, call, TELEPHONE, (guint16)atoi(words[4]));
	say(talk, "c%u %s %s %u %u", call, PWD, dtls_context_fingerprint(clients->context),
	    load_port(clients->load, call, CLIENT), load_port(clients->load, call, TELEPHONE));
}

static void
wait_up(Clients *clients, guint call)
{
	while (!clients->client[call].up) {
		load_receive(clients->load);
		while (g_main_context_iteration(NULL, FALSE)) /* repetitions of DTLS */
			;
		g_usleep(200);
	}
}

void
clients_introduce(Talk *talk, Load *load)
{
	Clients *clients = g_new0(Clients, 1); /* for the life of the process */
	g_autoptr(GError) error = NULL;

	clients->load = load;
	clients->client = g_new0(Client, load->calls);
	clients->context = dtls_context_new(&error);
	if (!clients->context || !protection_setup(&error))
		g_error("%s", error->message);
	load->other = receive;
	load->user = clients;
	for (guint from = 0; from < load->calls; from += BATCH) {
		const guint to = MIN(from + BATCH, load->calls);

		for (guint i = from; i < to; i++)
			meet(clients, talk, i);
		for (guint i = from; i < to; i++)
			wait_up(clients, i);
	}
	load->check = check;
}
