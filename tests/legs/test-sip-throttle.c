/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-sip-throttle.c - addresses that fail are slowed, then ignored; others are not.
 *
 * Every source is a socket on a loopback address of its own.  What was not answered
 * is known without waiting: a request of another source, sent later, has been.
 */
#include "plugins/sip/stack/sip_counters.h"
#include "plugins/sip/stack/sip_datagram.h"
#include "plugins/sip/stack/sip_digest.h"
#include "plugins/sip/shield/sip_throttle.h"
#include "tests/legs/sip-rig.h"
#include <stdlib.h>
#include <string.h>

#define ALICE	    "alice@example.org"
#define GW	    "sip:gw.example.org"
#define FAILURES    4
#define PATIENCE_US (20 * G_USEC_PER_SEC)

typedef struct {
	GSocket *socket;
	char *address;
	guint cseq, acknowledged;
	char *nonce; /* of the last challenge */
} Source;

/* --- sources --- */

static Source *
source_at(const char *address, guint port)
{
	Source *self = g_new0(Source, 1);
	g_autoptr(GError) error = NULL;
	g_autoptr(GSocketAddress) here = g_inet_socket_address_new_from_string(address, port);
	g_autoptr(GSocketAddress) gateway =
		g_inet_socket_address_new_from_string("127.0.0.1", peer_gateway_port);

	self->address = g_strdup(address);
	self->socket = g_socket_new(G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM,
				    G_SOCKET_PROTOCOL_UDP, &error);
	g_assert_no_error(error);
	g_socket_bind(self->socket, here, FALSE, &error);
	g_assert_no_error(error);
	g_socket_connect(self->socket, gateway, NULL, &error);
	g_assert_no_error(error);
	g_socket_set_blocking(self->socket, FALSE);
	return self;
}

static Source *
source_new(const char *address)
{
	return source_at(address, 0);
}

static void
source_free(Source *self)
{
	g_object_unref(self->socket);
	g_free(self->address);
	g_free(self->nonce);
	g_free(self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Source, source_free)

static guint
port_of(const Source *self)
{
	g_autoptr(GSocketAddress) bound = g_socket_get_local_address(self->socket, NULL);

	return g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(bound));
}

static void
send_text(Source *self, const char *text)
{
	g_autoptr(GError) error = NULL;

	g_socket_send(self->socket, text, strlen(text), NULL, &error);
	g_assert_no_error(error);
}

static char *
request(Source *self, const char *method, const char *user, const char *extra)
{
	guint n = ++self->cseq;

	return g_strdup_printf(
		"%s " GW " SIP/2.0\r\n"
		"Via: SIP/2.0/UDP %s:%u;branch=z9hG4bK-%s-%u-%u;rport\r\n"
		"From: <sip:%s@gw.example.org>;tag=t%u\r\nTo: <sip:%s@gw.example.org>\r\n"
		"Call-ID: %s-%u-%u\r\nCSeq: %u %s\r\nMax-Forwards: 70\r\n"
		"Contact: <sip:%s@%s:%u>\r\n%sContent-Length: 0\r\n\r\n",
		method, self->address, port_of(self), self->address, port_of(self), n, user, n,
		user, self->address, port_of(self), n, n, method, user, self->address,
		port_of(self), extra ? extra : "");
}

static void
acknowledge(Source *self, const char *response)
{
	g_autofree char *via = message_header(response, "Via");
	g_autofree char *from = message_header(response, "From");
	g_autofree char *to = message_header(response, "To");
	g_autofree char *call_id = message_header(response, "Call-ID");
	g_autofree char *cseq = message_header(response, "CSeq");
	g_autofree char *ack = g_strdup_printf(
		"ACK " GW " SIP/2.0\r\nVia: %s\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\n"
		"CSeq: %d ACK\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
		via, from, to, call_id, atoi(cseq));

	send_text(self, ack);
}

/* A final response that is there already, or NULL.  That to an INVITE may come
 * more than once. */
static char *
heard(Source *self)
{
	char buffer[4096];
	gssize length;
	const char *at;

	while ((length = g_socket_receive(self->socket, buffer, sizeof buffer - 1, NULL, NULL)) >
	       0) {
		g_autofree char *cseq = NULL;

		buffer[length] = '\0';
		cseq = message_header(buffer, "CSeq");
		if (g_str_has_prefix(buffer, "SIP/2.0 100"))
			continue;
		if (g_str_has_suffix(cseq, "INVITE")) {
			acknowledge(self, buffer);
			if ((guint)atoi(cseq) == self->acknowledged)
				continue;
			self->acknowledged = (guint)atoi(cseq);
		}
		at = strstr(buffer, "nonce=\"");
		if (at) {
			g_free(self->nonce);
			self->nonce = g_strndup(at + 7, strcspn(at + 7, "\""));
		}
		return g_strdup(buffer);
	}
	return NULL;
}

static char *
wait_heard(Source *self)
{
	gint64 deadline = g_get_monotonic_time() + PATIENCE_US;
	char *response;

	while (!(response = heard(self))) {
		if (g_get_monotonic_time() > deadline)
			g_error("%s has heard nothing", self->address);
		g_main_context_iteration(NULL, FALSE);
		g_usleep(200);
	}
	return response;
}

static void
assert_answered(Source *self, const char *text, const char *status)
{
	g_autofree char *response = NULL, *start = g_strdup_printf("SIP/2.0 %s", status);

	send_text(self, text);
	response = wait_heard(self);
	if (!g_str_has_prefix(response, start))
		g_error("%s was answered to\n%s", response, text);
}

/* Another address has been answered, so what came before has been looked at. */
static void
settle(void)
{
	static guint n;
	g_autofree char *address = g_strdup_printf("127.9.%u.%u", n / 250, 1 + n % 250);
	g_autofree char *text = NULL;
	g_autoptr(Source) witness = source_new(address);

	n++;
	text = request(witness, "REGISTER", "alice", NULL);
	assert_answered(witness, text, "401");
}

static void
assert_dropped(Source *self, const char *text)
{
	g_autofree char *response = NULL;

	send_text(self, text);
	settle();
	response = heard(self);
	if (response)
		g_error("%s was answered to\n%s", response, text);
}

/* As a phone does: again and again, until there is an answer.  How long it took. */
static gint64
insist(Source *self, const char *text, const char *status)
{
	gint64 began = g_get_monotonic_time(), sent = 0;
	g_autofree char *response = NULL, *start = g_strdup_printf("SIP/2.0 %s", status);

	while (!(response = heard(self))) {
		gint64 now = g_get_monotonic_time();

		if (now - began > PATIENCE_US)
			g_error("%s is not heard any more", self->address);
		if (now - sent > G_USEC_PER_SEC / 20) {
			send_text(self, text);
			sent = now;
		}
		g_main_context_iteration(NULL, FALSE);
		g_usleep(500);
	}
	if (!g_str_has_prefix(response, start))
		g_error("%s was answered to\n%s", response, text);
	return g_get_monotonic_time() - began;
}

static char *
proof(const Source *self, const char *name, const char *password)
{
	g_autofree char *response = digest_response(name, "tandem", password, "REGISTER", GW,
						    self->nonce, "auth", "00000001", "c");

	return g_strdup_printf("Authorization: Digest username=\"%s\", realm=\"tandem\", "
			       "nonce=\"%s\", uri=\"" GW "\", response=\"%s\", qop=auth, "
			       "nc=00000001, cnonce=\"c\", algorithm=MD5\r\n",
			       name, self->nonce, response);
}

static char *
registration(Source *self, const char *name, const char *password)
{
	g_autofree char *line = proof(self, name, password);

	return request(self, "REGISTER", name, line);
}

static void
take_nonce(Source *self)
{
	g_autofree char *first = request(self, "REGISTER", "alice", NULL);

	assert_answered(self, first, "401");
	g_assert_nonnull(self->nonce);
}

/* --- the gateway --- */

static void
configure(Config *config)
{
	config->sip_throttle_failures = FAILURES;
	config->sip_throttle_window_s = 600;
	config->sip_throttle_block_s = 60;
	config->sip_throttle_max_block_s = 600;
}

static void
start(void)
{
	rig_configure = configure;
	rig_start();
	g_assert_true(store_user_add(rig_store(), ALICE, NULL));
	g_assert_true(store_number_add(rig_store(), "+14155550101", ALICE, NULL));
	g_assert_true(store_softphone_add(rig_store(), "alice", ALICE, "Secret", NULL));
}

static void
add_line(gpointer user, const HostileSource *source)
{
	g_string_append_printf(user, "%s %u %s: %s\n", source->address, source->failures,
			       source->state, source->last);
}

static void
assert_list(const char *wanted)
{
	g_autoptr(GString) list = g_string_new(NULL);

	rig_plugin->operators->sources(add_line, list);
	g_assert_cmpstr(list->str, ==, wanted);
}

static void
assert_list_has(const char *address, const char *state)
{
	g_autoptr(GString) list = g_string_new(NULL);
	g_autofree char *start = g_strdup_printf("%s ", address);
	g_autofree char *word = g_strdup_printf(" %s", state);
	const char *at;

	rig_plugin->operators->sources(add_line, list);
	at = strstr(list->str, start);
	g_assert_nonnull(at);
	g_assert_nonnull(strstr(at, word));
}

static GString *logged; /* messages, one a line */

static GLogWriterOutput
on_log(GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user)
{
	for (gsize i = 0; level == G_LOG_LEVEL_MESSAGE && i < n_fields; i++)
		if (g_str_equal(fields[i].key, "MESSAGE"))
			g_string_append_printf(logged, "%s\n", (const char *)fields[i].value);
	return g_log_writer_default(level, fields, n_fields, user);
}

/* Once, and with the remedy. */
static void
assert_logged(const char *address)
{
	g_autofree char *remedy = g_strdup_printf("tandemctl sources lift %s\n", address);
	const char *at = strstr(logged->str, remedy);

	g_assert_nonnull(at);
	g_assert_null(strstr(at + strlen(remedy), "sources lift"));
	g_string_truncate(logged, 0);
}

/* Strangers' requests until the address is ignored, waiting for each turn. */
static void
make_ignored(Source *self)
{
	for (guint i = 0; i < FAILURES; i++) {
		g_autofree char *text = request(self, "OPTIONS", "nobody", NULL);

		insist(self, text, "200");
	}
	assert_logged(self->address);
}

/* --- */

/* What every telephone begins with weighs a tenth, and nothing once it has proven itself. */
static void
throttle__first_401_is_little(void)
{
	static const char *const names[] = { "alice", "+14155550101", "nobody" };
	g_autoptr(Source) phone = NULL;

	start();
	phone = source_new("127.0.0.2");
	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *right = NULL;

		for (guint k = 0; k + 1 < THROTTLE_WHOLE; k++) {
			g_autofree char *text = request(phone, "REGISTER", names[i], NULL);

			assert_answered(phone, text, "401");
		}
		assert_list("");
		right = registration(phone, "alice", "Secret");
		assert_answered(phone, right, "200");
		rig_plugin->changed(CHANGE_CONFIG, NULL);
		g_assert_cmpuint(rig_plugin->operators->lift("127.0.0.2"), ==, 0);
		source_free(phone); /* from a port that no telephone has */
		phone = source_new("127.0.0.2");
	}
	for (guint k = 0; k < THROTTLE_WHOLE; k++)
		take_nonce(phone);
	assert_list("127.0.0.2 1 counted: REGISTER alice\n");
	rig_stop();
}

static void
throttle__stale_never_counts(void)
{
	g_autoptr(Source) phone = NULL;

	start();
	phone = source_new("127.0.0.2");
	for (guint i = 0; i < 5 * FAILURES; i++) {
		g_autofree char *text = NULL;

		g_free(phone->nonce);
		phone->nonce = g_strdup("1-2");
		text = registration(phone, "alice", "Secret");
		assert_answered(phone, text, "401");
	}
	assert_list("");
	rig_stop();
}

static void
throttle__slowed_ignored_lifted(void)
{
	g_autoptr(Source) phone = NULL, witness = NULL;
	g_autofree char *right = NULL;
	char *wrong[FAILURES];

	start();
	phone = source_new("127.0.0.3");
	witness = source_new("127.0.0.2");
	take_nonce(phone);
	for (guint i = 0; i < FAILURES; i++) {
		g_autofree char *password = g_strdup_printf("Guess%u", i);

		wrong[i] = registration(phone, "alice", password);
	}
	assert_answered(phone, wrong[0], "401");
	assert_list("127.0.0.3 1 counted: REGISTER alice\n");
	assert_answered(phone, wrong[1], "401");
	assert_list("127.0.0.3 2 slowed: REGISTER alice\n");
	assert_dropped(phone, wrong[2]);
	g_assert_cmpint(insist(phone, wrong[2], "401"), >, G_USEC_PER_SEC / 3);
	g_assert_cmpint(insist(phone, wrong[3], "401"), >, G_USEC_PER_SEC / 2);
	assert_logged("127.0.0.3");
	assert_list("127.0.0.3 4 ignored: REGISTER alice\n");
	g_assert_cmpuint(sip_counter(COUNTER_SIP_SOURCES_IGNORED), ==, 1);
	take_nonce(witness);
	g_free(phone->nonce);
	phone->nonce = g_strdup(witness->nonce);
	right = registration(phone, "alice", "Secret");
	assert_dropped(phone, right);
	g_assert_cmpuint(rig_plugin->operators->lift("127.0.0.4"), ==, 0);
	g_assert_cmpuint(rig_plugin->operators->lift("no address"), ==, 0);
	g_assert_cmpuint(rig_plugin->operators->lift("127.0.0.3"), ==, 1);
	assert_list("");
	assert_answered(phone, right, "200");
	for (guint i = 0; i < FAILURES; i++)
		g_free(wrong[i]);
	rig_stop();
}

static void
throttle__success_clears(void)
{
	g_autoptr(Source) phone = NULL;
	g_autofree char *right = NULL;

	start();
	phone = source_new("127.0.0.3");
	take_nonce(phone);
	for (guint i = 0; i < FAILURES - 1; i++) {
		g_autofree char *wrong = registration(phone, "alice", "Guess");

		insist(phone, wrong, "401");
	}
	assert_list("127.0.0.3 3 slowed: REGISTER alice\n");
	right = registration(phone, "alice", "Secret");
	insist(phone, right, "200");
	assert_list("");
	rig_stop();
}

static void
throttle__unknown_callers(void)
{
	static const char *const methods[] = { "INVITE", "OPTIONS", "REGISTER" };
	static const char *const statuses[] = { "407", "200", "401" };
	static const char *const guessed[] = { "Proxy-Authorization", NULL, "Authorization" };
	Source *scanners[G_N_ELEMENTS(methods)];

	start();
	for (guint i = 0; i < G_N_ELEMENTS(methods); i++) {
		g_autofree char *address = g_strdup_printf("127.0.1.%u", i);

		scanners[i] = source_new(address);
	}
	for (guint k = 0; k < FAILURES; k++)
		for (guint i = 0; i < G_N_ELEMENTS(methods); i++) {
			g_autofree char *guess =
				guessed[i] ? g_strdup_printf("%s: Digest username=\"1000\", "
							     "realm=\"tandem\", nonce=\"1\", "
							     "uri=\"" GW "\", response=\"0\", "
							     "qop=auth, nc=1, cnonce=\"c\"\r\n",
							     guessed[i])
					   : NULL;
			g_autofree char *text = request(scanners[i], methods[i], "1000", guess);

			insist(scanners[i], text, statuses[i]);
			if (k + 1 == FAILURES)
				assert_logged(scanners[i]->address);
		}
	for (guint i = 0; i < G_N_ELEMENTS(methods); i++) {
		for (guint k = 0; k < G_N_ELEMENTS(methods); k++) {
			g_autofree char *text = request(scanners[i], methods[k], "1000", NULL);

			while (heard(scanners[i])) /* what was sent again */
				;
			assert_dropped(scanners[i], text);
		}
		source_free(scanners[i]);
	}
	g_assert_cmpuint(rig_plugin->operators->lift(NULL), ==, G_N_ELEMENTS(methods));
	assert_list("");
	rig_stop();
}

/* Nothing is said over TCP either. */
static void
throttle__tcp(void)
{
	g_autoptr(Source) scanner = NULL;
	g_autoptr(GSocketAddress) here = NULL, gateway = NULL;
	g_autoptr(GSocket) tcp = NULL;
	g_autofree char *text = NULL, *later = NULL;
	char buffer[512];

	start();
	scanner = source_new("127.0.0.6");
	make_ignored(scanner);
	here = g_inet_socket_address_new_from_string("127.0.0.6", 0);
	gateway = g_inet_socket_address_new_from_string("127.0.0.1", peer_gateway_port);
	tcp = g_socket_new(G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);
	g_assert_true(g_socket_bind(tcp, here, FALSE, NULL));
	g_assert_true(g_socket_connect(tcp, gateway, NULL, NULL));
	text = request(scanner, "REGISTER", "nobody", NULL);
	g_assert_cmpint(g_socket_send(tcp, text, strlen(text), NULL, NULL), ==, strlen(text));
	g_socket_set_blocking(tcp, FALSE);
	later = request(scanner, "REGISTER", "nobody", NULL);
	for (guint i = 0; i < 3; i++) /* the connection is accepted, then read */
		assert_dropped(scanner, later);
	g_assert_cmpint(g_socket_receive(tcp, buffer, sizeof buffer, NULL, NULL), <=, 0);
	rig_stop();
}

static void
set_source(Trunk *trunk)
{
	g_free(trunk->sources);
	trunk->sources = g_strdup("127.0.0.7");
}

static void
throttle__trunk_is_never_blocked(void)
{
	g_autoptr(Source) trunk = NULL;
	g_autofree char *text = NULL;

	start();
	trunk = source_new("127.0.0.7");
	/* blocked before it was one */
	make_ignored(trunk);
	text = request(trunk, "OPTIONS", "pbx", NULL);
	assert_dropped(trunk, text);
	rig_trunk("pbx", 5070, set_source);
	assert_answered(trunk, text, "200");
	for (guint i = 0; i < 5 * FAILURES; i++) {
		g_autofree char *options = request(trunk, "OPTIONS", "pbx", NULL);
		g_autofree char *unknown = request(trunk, "REGISTER", "nobody", NULL);

		assert_answered(trunk, options, "200");
		assert_answered(trunk, unknown, "401");
	}
	assert_list("");
	rig_stop();
}

/* Anybody can send datagrams that look as if they came from a phone's address. */
static void
throttle__phone_in_use_is_heard(void)
{
	g_autoptr(Source) phone = NULL, forger = NULL;
	g_autofree char *first = NULL, *second = NULL, *moved_text = NULL;
	guint64 dropped = 0;

	start();
	phone = source_new("127.0.0.8");
	forger = source_new("127.0.0.8");
	take_nonce(phone);
	first = registration(phone, "alice", "Secret");
	assert_answered(phone, first, "200");
	for (guint i = 0; i < 5 * FAILURES; i++) {
		g_autofree char *text = request(forger, "OPTIONS", "1000", NULL);
		g_autofree char *own = request(phone, "OPTIONS", "alice", NULL), *response = NULL;

		send_text(forger, text);
		/* slowed at most, and the phone's own port never */
		assert_answered(phone, own, "200");
		response = heard(forger);
		dropped += response ? 0 : 1;
	}
	g_assert_cmpuint(dropped, >, 4 * FAILURES);
	g_assert_cmpuint(sip_counter(COUNTER_SIP_SOURCES_IGNORED), ==, 0);
	/* another port of its NAT: it has to ask more than once */
	moved_text = request(forger, "REGISTER", "alice", NULL);
	insist(forger, moved_text, "401");
	/* a success makes the address new */
	take_nonce(phone);
	second = registration(phone, "alice", "Secret");
	assert_answered(phone, second, "200");
	assert_list("");
	rig_stop();
}

/* At an address that is ignored he is asked for his password all the same, but nobody
 * has enough tries to guess one. */
static void
throttle__help_is_heard(void)
{
	static const char *const numbers[] = { "112", "911", "112%23", "+112" };
	g_autoptr(Source) phone = NULL;
	guint answered = 0;
	gint64 began;

	start();
	phone = source_new("127.0.0.3");
	make_ignored(phone);
	began = g_get_monotonic_time();
	for (guint i = 0; i < G_N_ELEMENTS(numbers); i++) {
		g_autofree char *plain = request(phone, "INVITE", "alice", NULL);
		g_autofree char *help = g_strdup_printf("INVITE sip:%s@gw.example.org%s",
							numbers[i], plain + strlen("INVITE " GW));
		g_autofree char *other = request(phone, "INVITE", "alice", NULL);

		assert_answered(phone, help, "407");
		assert_dropped(phone, other);
	}
	for (guint i = 0; i < 100; i++) {
		g_autofree char *plain = request(phone, "INVITE", "alice", NULL);
		g_autofree char *help = g_strdup_printf("INVITE sip:112@gw.example.org%s",
							plain + strlen("INVITE " GW));
		g_autofree char *response = NULL;

		send_text(phone, help);
		settle();
		response = heard(phone);
		answered += response != NULL;
	}
	/* 8, and 2 a second of what it takes */
	g_assert_cmpuint(answered, <=, 9 + 2 * (g_get_monotonic_time() - began) / G_USEC_PER_SEC);
	rig_stop();
}

/* A phone that is registered, its password stolen: of 400 calls at once some forty are
 * looked at, and another phone is served as if nothing was. */
static void
throttle__phone_calls_too_often(void)
{
	g_autoptr(Source) phone = NULL;
	g_autofree char *first = NULL;
	guint answered = 0;
	gint64 began;

	start();
	phone = source_new("127.0.0.3");
	take_nonce(phone);
	first = registration(phone, "alice", "Secret");
	assert_answered(phone, first, "200");
	began = g_get_monotonic_time();
	for (guint i = 0; i < 400; i++) {
		g_autofree char *text = request(phone, "INVITE", "alice", NULL), *response = NULL;

		send_text(phone, text);
		if (i % 20 == 0)
			settle();
		response = heard(phone);
		answered += response != NULL;
	}
	g_assert_cmpuint(answered, >=, 1);
	/* 40, and 20 a second of what it takes */
	g_assert_cmpuint(answered, <=, 41 + 20 * (g_get_monotonic_time() - began) / G_USEC_PER_SEC);
	rig_stop();
}

/* --- what is answered to names --- */

typedef struct {
	const char *method, *domain;
} Asking;

static const Asking askings[] = { { "REGISTER", "gw.example.org" },
				  { "INVITE", "gw.example.org" },
				  { "INVITE", "elsewhere.example" } };
static const char *const proofs[] = { "none", "wrong", "other realm" };
static const char *const named[] = { "alice", "ghost", "away" };

static char *
asking_text(Source *self, const Asking *asking, const char *proof_kind, const char *name)
{
	const char *header = asking->method[0] == 'I' ? "Proxy-Authorization" : "Authorization";
	g_autofree char *line = NULL, *plain = NULL, *from = NULL;
	g_auto(GStrv) parts = NULL;

	if (strcmp(proof_kind, "none") != 0)
		line = g_strdup_printf("%s: Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", "
				       "uri=\"" GW "\", response=\"%032d\", qop=auth, "
				       "nc=00000001, cnonce=\"c\", algorithm=MD5\r\n",
				       header, name,
				       strcmp(proof_kind, "wrong") == 0 ? "tandem" : "asterisk",
				       self->nonce ? self->nonce : "0", 0);
	plain = request(self, asking->method, name, line);
	from = g_strdup_printf("From: <sip:%s@%s>", name, asking->domain);
	parts = g_regex_split_simple("From: <[^>]*>", plain, 0, 0);
	return g_strjoinv(from, parts);
}

/* What is not the same in two answers to the same. */
static char *
without_names(const char *answer)
{
	g_autoptr(GRegex) regex = g_regex_new("(nonce=\"[^\"]*\"|^(Via|From|To|Call-ID|CSeq): .*$|"
					      "^Retry-After: .*$)",
					      G_REGEX_MULTILINE, 0, NULL);

	return g_regex_replace_literal(regex, answer, -1, 0, "", 0, NULL);
}

/* Thirty times in a row: how often it was answered, and with what, each once. */
static char *
ask_often(const Asking *asking, const char *proof_kind, const char *name, guint *answers)
{
	static guint n;
	g_autofree char *address = g_strdup_printf("127.0.3.%u", ++n);
	g_autoptr(Source) source = source_new(address);
	g_autofree char *last = NULL;
	GString *said = g_string_new(NULL);

	*answers = 0;
	for (guint i = 0; i < 30; i++) {
		g_autofree char *text = asking_text(source, asking, proof_kind, name);
		g_autofree char *response = NULL;

		send_text(source, text);
		settle();
		response = heard(source);
		if (!response)
			continue;
		++*answers;
		g_free(last);
		last = without_names(response);
		if (!g_str_has_suffix(said->str, last))
			g_string_append(said, last);
	}
	return g_string_free(said, FALSE);
}

/* Neither an answer nor silence tells whether there is such a telephone. */
static void
throttle__names_are_secret(void)
{
	start();
	g_assert_true(store_user_add(rig_store(), "away@example.org", NULL));
	g_assert_true(store_softphone_add(rig_store(), "away", "away@example.org", "Secret", NULL));
	g_assert_true(store_user_set_enabled(rig_store(), "away@example.org", FALSE, NULL));
	for (guint i = 0; i < G_N_ELEMENTS(askings); i++)
		for (guint k = 0; k < G_N_ELEMENTS(proofs); k++) {
			char *said[G_N_ELEMENTS(named)];
			guint often[G_N_ELEMENTS(named)];

			for (guint j = 0; j < G_N_ELEMENTS(named); j++)
				said[j] = ask_often(&askings[i], proofs[k], named[j], &often[j]);
			g_test_message("%s of %s, %s: %u, %u, %u answers of 30", askings[i].method,
				       askings[i].domain, proofs[k], often[0], often[1], often[2]);
			for (guint j = 1; j < G_N_ELEMENTS(named); j++) {
				g_assert_cmpstr(said[j], ==, said[0]);
				/* one more when a pause has just ended */
				g_assert_cmpint(ABS((int)often[j] - (int)often[0]), <=, 1);
			}
			for (guint j = 0; j < G_N_ELEMENTS(named); j++)
				g_free(said[j]);
		}
	g_string_truncate(logged, 0);
	rig_plugin->operators->lift(NULL);
	rig_stop();
}

/* --- how fast --- */

/* So many as fast as they can be sent, and how many were answered. */
static guint
pour(Source *self, const char *method, guint number)
{
	guint answers = 0;

	for (guint i = 1; i <= number; i++) {
		g_autofree char *text = request(self, method, "pbx", NULL), *response = NULL;

		send_text(self, text);
		if (i % 20 == 0)
			settle();
		while ((response = heard(self))) {
			answers++;
			g_clear_pointer(&response, g_free);
		}
	}
	return answers;
}

static void
set_quiet_source(Trunk *trunk)
{
	set_source(trunk);
	trunk->options_seconds = 0;
}

/* Of every method there is, and of one that there is not. */
static void
throttle__rate_of_trunk(void)
{
	static const char *const methods[] = { "OPTIONS", "INFO",    "BYE",	 "REFER",
					       "MESSAGE", "UPDATE",  "NOTIFY",	 "SUBSCRIBE",
					       "PRACK",	  "PUBLISH", "REGISTER", "SPRLZ",
					       "CANCEL" };

	for (guint i = 0; i < G_N_ELEMENTS(methods); i++) {
		g_autoptr(Source) trunk = NULL;
		g_autofree char *after = NULL;
		guint64 over;
		guint answers;

		start();
		rig_trunk("pbx", 5070, set_quiet_source);
		trunk = source_new("127.0.0.7");
		answers = pour(trunk, methods[i], 1000);
		over = sip_counter(COUNTER_SIP_REQUESTS_OVER_RATE);
		g_test_message("%s: %u of 1000 answered, %" G_GUINT64_FORMAT " over the rate",
			       methods[i], answers, over);
		g_assert_cmpuint(over, >, 0);
		g_assert_cmpuint(answers, >=, 150);
		g_assert_cmpuint(answers + over, <=, 1000);
		assert_list_has("127.0.0.7", "too fast");
		/* and it is heard again */
		after = request(trunk, "OPTIONS", "pbx", NULL);
		insist(trunk, after, "200");
		g_assert_cmpuint(rig_plugin->operators->lift("127.0.0.7"), >=, 1);
		g_string_truncate(logged, 0);
		rig_stop();
	}
}

/* Whatever a stranger sends without a pause, beyond his rate it is never read: it costs less than
 * what it would hold up. */
static void
throttle__flood_is_not_read(void)
{
	static const char *const kinds[] = { "OPTIONS", "REGISTER", "MESSAGE", "SUBSCRIBE",
					     "NOTIFY",	"BYE",	    "ACK",     "CANCEL",
					     "SPRLZ",	"answers",  "STUN",    "nothing" };
	enum { FLOOD = 20000, UNREAD = 100 };

	for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
		g_autofree char *address = g_strdup_printf("127.0.4.%u", 1 + i), *after = NULL;
		g_autoptr(Source) stranger = NULL, phone = NULL;
		guint64 dropped;
		guint n = 0;

		start();
		stranger = source_new(address);
		phone = source_new("127.0.0.2");
		take_nonce(phone);
		after = registration(phone, "alice", "Secret");
		assert_answered(phone, after, "200");
		dropped = datagram_n_dropped();
		while (datagram_n_dropped() < dropped + UNREAD && n++ < FLOOD) {
			g_autofree char *text = request(stranger, kinds[i], "nobody", NULL);

			if (g_str_equal(kinds[i], "answers"))
				memcpy(text, "SIP/2.0 200 OK \r\nX: ", 20);
			if (g_str_equal(kinds[i], "STUN"))
				memcpy(text, "\001\001", 2);
			if (g_str_equal(kinds[i], "nothing"))
				memcpy(text, "\r\n\r\n", 5);
			send_text(stranger, text);
			if (n % 20 == 0)
				settle();
		}
		g_test_message("%s: %u were sent until %u had not been read", kinds[i], n, UNREAD);
		g_assert_cmpuint(datagram_n_dropped(), >=, dropped + UNREAD);
		g_free(after);
		after = request(phone, "OPTIONS", "alice", NULL);
		assert_answered(phone, after, "200");
		rig_plugin->operators->lift(NULL);
		g_string_truncate(logged, 0);
		rig_stop();
	}
}

/* One password that is right, from many addresses, and nonces of their own: the account
 * has its rate, and another is served as ever. */
static void
throttle__rate_of_account(void)
{
	enum { PHONES = 20, ROUNDS = 20 };
	Source *phones[PHONES];
	g_autoptr(Source) other = NULL;
	guint taken = 0, refused = 0;
	gint64 slowest = 0;

	start();
	g_assert_true(store_softphone_add(rig_store(), "desk", ALICE, "Secret", NULL));
	other = source_new("127.0.0.2");
	for (guint i = 0; i < PHONES; i++) {
		g_autofree char *address = g_strdup_printf("127.0.8.%u", 1 + i);

		phones[i] = source_new(address);
	}
	for (guint round = 0; round < ROUNDS; round++) {
		gint64 began;
		g_autofree char *own = NULL;

		for (guint i = 0; i < PHONES; i++) {
			g_autofree char *text = NULL, *response = NULL;

			take_nonce(phones[i]);
			text = registration(phones[i], "alice", "Secret");
			send_text(phones[i], text);
			response = wait_heard(phones[i]);
			taken += g_str_has_prefix(response, "SIP/2.0 200");
			refused += g_str_has_prefix(response, "SIP/2.0 503");
			g_assert_true(g_str_has_prefix(response, "SIP/2.0 200") ||
				      strstr(response, "Retry-After: "));
		}
		began = g_get_monotonic_time();
		take_nonce(other);
		own = registration(other, "desk", "Secret");
		if (round < 10) /* and it does not register twenty times a second itself */
			assert_answered(other, own, "200");
		slowest = MAX(slowest, g_get_monotonic_time() - began);
	}
	g_test_message("%u of %u taken, %u refused; the other's slowest %.1f ms", taken,
		       PHONES * ROUNDS, refused, (double)slowest / 1000);
	g_assert_cmpuint(taken + refused, ==, PHONES * ROUNDS);
	g_assert_cmpuint(taken, >=, 50);
	g_assert_cmpuint(refused, >, PHONES * ROUNDS / 2);
	g_assert_cmpuint(sip_counter(COUNTER_SIP_REGISTRATIONS_OVER_RATE), ==, refused);
	assert_list_has("softphone", "too fast: alice");
	for (guint i = 0; i < PHONES; i++)
		source_free(phones[i]);
	rig_plugin->operators->lift(NULL);
	rig_stop();
}

/* A datagram that is STUN, of whatever length, has no answer. */
static void
throttle__stun_is_not_answered(void)
{
	static const guint8 binding[] = { 0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1,  2,
					  3, 4, 5, 6, 7,    8,	  9,	10,   11, 12 };
	static const gsize sizes[] = { 2, 8, 19, 20 };
	g_autoptr(Source) source = NULL;
	char buffer[512];

	start();
	source = source_new("127.0.0.5");
	for (guint type = 0; type < 2; type++)
		for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
			guint8 bytes[sizeof binding];

			memcpy(bytes, binding, sizeof bytes);
			bytes[0] = (guint8)type;
			g_assert_cmpint(g_socket_send(source->socket, (const char *)bytes, sizes[i],
						      NULL, NULL),
					==, sizes[i]);
			settle();
			g_assert_cmpint(
				g_socket_receive(source->socket, buffer, sizeof buffer, NULL, NULL),
				<=, 0);
		}
	rig_stop();
}

/* Sent again it is answered again, as by the same: without a transaction there is
 * nobody who would remember (RFC 3261 8.2.7). */
static void
throttle__stateless_answers(void)
{
	static const char *const methods[] = { "OPTIONS", "REGISTER", "REFER", "INFO",
					       "BYE",	  "UPDATE",   "PRACK" };
	static const char *const statuses[] = { "200", "401", "603", "481", "481", "481", "481" };

	start();
	for (guint i = 0; i < G_N_ELEMENTS(methods); i++) {
		g_autofree char *address = g_strdup_printf("127.0.2.%u", 1 + i);
		g_autoptr(Source) source = source_new(address);
		g_autofree char *text = request(source, methods[i], "alice", NULL);
		g_autofree char *one = NULL, *other = NULL, *first_tag = NULL, *tag = NULL;

		send_text(source, text);
		one = wait_heard(source);
		send_text(source, text);
		other = wait_heard(source);
		g_assert_true(g_str_has_prefix(one + strlen("SIP/2.0 "), statuses[i]));
		first_tag = message_tag(one, "To");
		tag = message_tag(other, "To");
		g_assert_nonnull(tag);
		g_assert_cmpstr(tag, ==, first_tag);
	}
	rig_stop();
}

/* Who forges a trunk's address never hears our answers. */
static void
throttle__unacknowledged(void)
{
	g_autoptr(Peer) trunk = peer_new();
	g_autoptr(GPtrArray) forged = g_ptr_array_new_with_free_func((GDestroyNotify)peer_free);
	g_autoptr(Desc) answer = NULL;
	g_autofree char *refused = NULL, *first = NULL, *retry = NULL, *ok = NULL;
	g_autofree char *told = NULL;

	rig_start();
	rig_trunk("carrier", trunk->port, NULL);
	answer = rig_desc(sdp_two);
	for (guint i = 0; i < 32; i++) {
		Peer *peer = peer_new();

		g_ptr_array_add(forged, peer);
		peer_invite(peer, NULL, sdp_one);
		rig_expect_start("new ");
		rig_plugin->leg->answer(rig_leg, answer);
	}
	peer_invite(trunk, NULL, sdp_one);
	refused = peer_wait(trunk, "SIP/2.0 503");
	retry = message_header(refused, "Retry-After");
	g_assert_cmpstr(retry, ==, "32");
	peer_ack(trunk, refused, NULL);
	g_assert_cmpuint(sip_counter(COUNTER_SIP_CALLS_UNACKED), ==, 1);
	told = rig_take_refusals();
	g_assert_cmpstr(told, ==,
			"+12125550199 → +14155550123 by carrier of -: overload too many calls "
			"wait for the carrier's confirmation\n");
	/* one that is acknowledged makes room for one */
	first = peer_wait(forged->pdata[0], "SIP/2.0 200");
	peer_ack(forged->pdata[0], first, NULL);
	while (!strstr(rig_traces(), "ACK"))
		g_main_context_iteration(NULL, TRUE);
	g_free(trunk->call_id);
	trunk->call_id = g_uuid_string_random();
	peer_invite(trunk, NULL, sdp_one);
	rig_expect_start("new ");
	rig_plugin->leg->answer(rig_leg, answer);
	ok = peer_wait(trunk, "SIP/2.0 200");
	rig_stop();
}

static void
throttle__off(void)
{
	g_autoptr(Source) scanner = NULL;

	rig_start();
	scanner = source_new("127.0.0.9");
	for (guint i = 0; i < 50; i++) {
		g_autofree char *text = request(scanner, "REGISTER", "nobody", NULL);

		assert_answered(scanner, text, "401");
	}
	assert_list("");
	g_assert_cmpuint(rig_plugin->operators->lift(NULL), ==, 0);
	rig_stop();
}

int
main(int argc, char **argv)
{
	int status;

	g_test_init(&argc, &argv, NULL);
	logged = g_string_new(NULL);
	g_log_set_writer_func(on_log, NULL, NULL);
	g_test_add_func("/sip-throttle/first-401", throttle__first_401_is_little);
	g_test_add_func("/sip-throttle/stale", throttle__stale_never_counts);
	g_test_add_func("/sip-throttle/slowed-ignored-lifted", throttle__slowed_ignored_lifted);
	g_test_add_func("/sip-throttle/success-clears", throttle__success_clears);
	g_test_add_func("/sip-throttle/unknown-callers", throttle__unknown_callers);
	g_test_add_func("/sip-throttle/tcp", throttle__tcp);
	g_test_add_func("/sip-throttle/trunk", throttle__trunk_is_never_blocked);
	g_test_add_func("/sip-throttle/phone-in-use", throttle__phone_in_use_is_heard);
	g_test_add_func("/sip-throttle/help", throttle__help_is_heard);
	g_test_add_func("/sip-throttle/calls-too-often", throttle__phone_calls_too_often);
	g_test_add_func("/sip-throttle/names-are-secret", throttle__names_are_secret);
	g_test_add_func("/sip-throttle/rate-of-trunk", throttle__rate_of_trunk);
	g_test_add_func("/sip-throttle/flood-is-not-read", throttle__flood_is_not_read);
	g_test_add_func("/sip-throttle/rate-of-account", throttle__rate_of_account);
	g_test_add_func("/sip-throttle/stun", throttle__stun_is_not_answered);
	g_test_add_func("/sip-throttle/stateless", throttle__stateless_answers);
	g_test_add_func("/sip-throttle/unacknowledged", throttle__unacknowledged);
	g_test_add_func("/sip-throttle/off", throttle__off);
	status = g_test_run();
	g_string_free(logged, TRUE);
	return status;
}
