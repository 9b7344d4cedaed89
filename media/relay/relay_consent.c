/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* relay_consent.c - consent of the peer, and ours for him (RFC 7675).
 *
 * The agent finds the pair; from then on its socket has the answers to what is asked here, and
 * the checks that come from the peer's address.  A check that may mean more than "go on", such
 * as one with other credentials, was meant for the agent.  It cannot be handed back, so for a
 * while no checks are taken: the peer repeats it, and the agent has it then.  Anybody can write
 * such a check, so it is not for good; new credentials of ours are, until a pair is selected.
 */
#include "media/binding.h"
#include "media/bytes.h"
#include "media/relay/relay_private.h"
#include <openssl/rand.h>
#include <string.h>

#define FIRST_US       4000000
#define INTERVAL_US    5000000	/* RFC 7675 5.1: and a fifth more or less */
#define LATE_US	       18000000 /* three of them: a single answer may be lost on the way */
#define AGENT_WAITS_US 10000000 /* libnice, before it says the same; by the clock */
#define LEFT_US	       5000000	/* so long the agent has the peer's checks, to repeat and answer */
#define ROLE_CONFLICT  487	/* RFC 8445 7.3.1.1 */
#define ASKED	       4	/* that may still be answered */

struct Consent {
	ConsentKeys *keys;
	char *expected;				  /* the user name of the peer's checks */
	guint8 asked[ASKED][BINDING_TRANSACTION]; /* the first four bytes are always the same */
	gboolean as_controlling[ASKED];		  /* the role it was asked in */
	guint n_asked;
	guint64 tie_breaker;
	gint64 next, answered;
	gint64 left_until; /* not serving, the time when it does again; 0: not before a new pair */
	gboolean serves;   /* the peer's checks */
	gboolean switched; /* our role, since the last check that was due */
	gboolean stale;	   /* the socket does not have what it should */
	gint socket;	   /* that has more than RTP; -1: none */
};

static void
narrow(Relay *relay)
{
	Consent *consent = relay->consent;

	if (consent->socket >= 0 && (guint)consent->socket < relay->n_sockets)
		udp_split_set(relay->sockets[consent->socket].fd, NULL);
	consent->socket = -1;
}

static void
widen(Relay *relay)
{
	Consent *consent = relay->consent;
	const UdpSplit split = { .transaction = get32(consent->asked[0]),
				 .requests = consent->serves,
				 .peer = relay->peer };

	if (consent->socket != (gint)relay->out_index)
		narrow(relay);
	if (udp_split_set(relay->out_fd, &split))
		consent->socket = (gint)relay->out_index;
	else
		relay_note(relay, "ice: the kernel does not split the answers to our checks: %s",
			   g_strerror(errno));
	consent->stale = FALSE;
}

static gboolean
next_transaction(Consent *consent, guint8 *transaction[])
{
	const gboolean first = consent->n_asked == 0;
	const guint index = consent->n_asked % ASKED;
	guint8 *asked = consent->asked[index];

	if (RAND_bytes(first ? asked : asked + 4, first ? 12 : 8) != 1)
		return FALSE;
	for (guint i = 0; first && i < ASKED; i++)
		memcpy(consent->asked[i], asked, 4);
	consent->as_controlling[index] = consent->keys->controlling;
	consent->n_asked++;
	*transaction = asked;
	return TRUE;
}

static void
ask(Relay *relay, gint64 now)
{
	const gint32 interval = (gint32)relay_span(relay, INTERVAL_US);
	Consent *consent = relay->consent;
	guint8 data[BINDING_MAX], *transaction;
	gsize length;

	consent->next = now + g_random_int_range(interval * 4 / 5, interval * 6 / 5);
	if (!next_transaction(consent, &transaction))
		return;
	if (consent->stale)
		widen(relay);
	length = binding_request(data, transaction, consent->keys, consent->tie_breaker);
	if (length > 0)
		sendto(relay->out_fd, data, length, 0, &relay->peer.any, relay->peer.length);
}

/* Since `since`: said again it is no younger. */
static void
lose_consent(Relay *relay, gint64 since)
{
	if (relay->consent_lost_at)
		return;
	relay_note(relay, "ice: the peer no longer answers connectivity checks");
	relay->consent_lost_at = since;
}

static void
regain_consent(Relay *relay)
{
	if (relay->consent_lost_at)
		relay_note(relay, "ice: the peer answers connectivity checks again");
	relay->consent_lost_at = 0;
}

void
relay_set_alive(Relay *relay, gboolean alive)
{
	if (alive)
		regain_consent(relay);
	else
		lose_consent(relay, worker_now(relay->worker) - AGENT_WAITS_US);
}

static void
serve_again(Relay *relay)
{
	Consent *consent = relay->consent;

	consent->serves = TRUE;
	consent->left_until = 0;
	if (consent->socket >= 0)
		widen(relay);
}

/* It is told before the call ends by it, whatever the operator wants. */
static gint64
late_after(const Relay *relay)
{
	const gint64 limit = relay->options.media->consent_timeout_s * G_USEC_PER_SEC;

	return MIN(relay_span(relay, LATE_US), limit);
}

void
relay_consent_tick(Relay *relay, gint64 now)
{
	Consent *consent = relay->consent;

	if (now - consent->answered > late_after(relay))
		lose_consent(relay, consent->answered);
	if (!consent->serves && consent->left_until && now >= consent->left_until)
		serve_again(relay);
	if (now >= consent->next) {
		consent->switched = FALSE;
		ask(relay, now);
	}
}

/* --- what comes --- */

/* Which of those asked, or -1. */
static gint
find_asked(const Consent *consent, const guint8 *transaction)
{
	for (guint i = 0; i < MIN(consent->n_asked, ASKED); i++)
		if (memcmp(consent->asked[i], transaction, BINDING_TRANSACTION) == 0)
			return (gint)i;
	return -1;
}

/* RFC 7675 5.2: nothing is sent until it is given again.  An answer it is, so the
 * time of a silence before it does not count. */
static void
take_refusal(Relay *relay)
{
	const gint64 now = worker_now(relay->worker);

	if (relay->refused)
		return;
	relay->refused = TRUE;
	lose_consent(relay, now);
	relay->consent_lost_at = now;
}

/* RFC 8445 7.2.5.1.  The agent does not say whether it has switched in the checks before us.
 * One that refuses either role is not asked at the pace of its answers. */
static void
switch_role(Relay *relay, gboolean asked_as_controlling)
{
	Consent *consent = relay->consent;

	if (consent->switched || consent->keys->controlling != asked_as_controlling)
		return;
	consent->switched = TRUE;
	consent->keys->controlling = !asked_as_controlling;
	consent->tie_breaker = (guint64)g_random_int() << 32 | g_random_int();
	ask(relay, worker_now(relay->worker));
}

static void
take_answer(Relay *relay, const guint8 *data, const Binding *binding)
{
	Consent *consent = relay->consent;
	const gint asked = find_asked(consent, binding->transaction);

	if (asked < 0 || !binding_is_sealed(data, binding, consent->keys->remote_pwd))
		return;
	if (binding->type == BINDING_SUCCESS) {
		consent->answered = worker_now(relay->worker);
		relay->refused = FALSE;
		regain_consent(relay);
	} else if (binding->error == 403) {
		take_refusal(relay);
	} else if (binding->error == ROLE_CONFLICT) {
		switch_role(relay, consent->as_controlling[asked]);
	}
}

static gboolean
says_go_on(const Consent *consent, const Binding *binding)
{
	const gboolean same_role =
		consent->keys->controlling ? binding->controlling : binding->controlled;

	return !binding->unknown && !same_role && binding->username &&
	       binding->username_length == strlen(consent->expected) &&
	       memcmp(binding->username, consent->expected, binding->username_length) == 0;
}

static void
leave_checks(Relay *relay, gint64 until)
{
	Consent *consent = relay->consent;

	consent->left_until = until;
	if (!consent->serves)
		return;
	consent->serves = FALSE;
	if (consent->socket >= 0)
		widen(relay);
}

static void
serve(Relay *relay, const guint8 *data, const Binding *binding, const NetAddress *from)
{
	Consent *consent = relay->consent;
	guint8 answer[BINDING_MAX];
	gsize length;

	if (!says_go_on(consent, binding)) {
		if (consent->serves)
			leave_checks(relay, worker_now(relay->worker) + relay_span(relay, LEFT_US));
		return;
	}
	if (!binding_is_sealed(data, binding, consent->keys->local_pwd))
		return;
	length = binding_answer(answer, binding->transaction, consent->keys, from);
	sendto(relay->out_fd, answer, length, 0, &from->any, from->length);
}

void
relay_consent_receive(Relay *relay, guint socket, const guint8 *data, gsize length,
		      const NetAddress *from)
{
	Binding binding;

	/* what was on its way when the pair changed is nobody's */
	if (!relay->consent || socket != relay->out_index ||
	    !net_address_equal(from, &relay->peer) || !binding_parse(data, length, &binding))
		return;
	if (binding.type == BINDING_REQUEST)
		serve(relay, data, &binding, from);
	else
		take_answer(relay, data, &binding);
}

/* --- life --- */

void
relay_consent_leave_checks(Relay *relay)
{
	if (relay->consent)
		leave_checks(relay, 0);
}

void
relay_consent_moved(Relay *relay)
{
	if (!relay->consent)
		return;
	narrow(relay);
	relay->consent->stale = TRUE;
}

static void
consent_free(Consent *consent)
{
	consent_keys_free(consent->keys);
	g_free(consent->expected);
	g_free(consent);
}

void
relay_set_consent(Relay *relay, ConsentKeys *keys)
{
	const gint64 now = worker_now(relay->worker);
	Consent *consent;

	relay_consent_stop(relay);
	relay->refused = FALSE; /* the agent's check of this pair was answered */
	if (!keys || relay->closed || !relay->sockets[relay->out_index].receives) {
		consent_keys_free(keys);
		return;
	}
	consent = relay->consent = g_new0(Consent, 1);
	consent->keys = keys;
	consent->expected = g_strdup_printf("%s:%s", keys->local_ufrag, keys->remote_ufrag);
	consent->tie_breaker = (guint64)g_random_int() << 32 | g_random_int();
	consent->serves = consent->stale = TRUE;
	consent->socket = -1;
	consent->answered = now; /* a check has been, just now */
	consent->next = now + relay_span(relay, FIRST_US);
}

void
relay_consent_stop(Relay *relay)
{
	if (!relay->consent)
		return;
	narrow(relay);
	g_clear_pointer(&relay->consent, consent_free);
}
