/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-sip-method.c - who sends what, by which transport, and how it is answered. */
#include "tests/legs/sip-phone.h"
#include <string.h>

#define ALLOW  "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, REFER, REGISTER, MESSAGE"
#define WANTED "sip:+14155550123@gw.example.org"

#define STRANGERS "127.0.0.2"
#define CARRIERS  "127.0.0.3" /* a trunk by its address */
#define PBXS	  "127.0.0.4" /* a trunk by its address and its password */

/* --- who --- */

typedef enum { NO_PASSWORD, WRONG_PASSWORD, OLD_NONCE, RIGHT_PASSWORD } Proof;

typedef struct {
	const char *what, *address;
	const char *from;
	const char *account; /* of the credentials */
	Proof proof;
	/* What is said to what only some may do; "new": it becomes a call. */
	const char *invite, *registers;
	const char *asked; /* of both a word of the challenge, or NULL */
} Sender;

static const Sender senders[] = {
	{ "a stranger", STRANGERS, "sip:x@carrier.example", NULL, NO_PASSWORD, "403", "401", NULL },
	{ "a name of ours", STRANGERS, "sip:alice@gw.example.org", NULL, NO_PASSWORD, "407", "401",
	  NULL },
	{ "a name that is none", STRANGERS, "sip:x@gw.example.org", NULL, NO_PASSWORD, "407", "401",
	  NULL },
	{ "nobody", STRANGERS, "sip:anonymous@anonymous.invalid", NULL, NO_PASSWORD, "407", "401",
	  NULL },
	{ "a wrong password", STRANGERS, "sip:alice@gw.example.org", "alice", WRONG_PASSWORD, "407",
	  "401", NULL },
	{ "a wrong name", STRANGERS, "sip:x@gw.example.org", "x", WRONG_PASSWORD, "407", "401",
	  NULL },
	{ "an old nonce", STRANGERS, "sip:alice@gw.example.org", "alice", OLD_NONCE, "407", "401",
	  "stale=true" },
	{ "a phone", STRANGERS, "sip:alice@gw.example.org", "alice", RIGHT_PASSWORD, "new", "200",
	  NULL },
	{ "a phone beside a carrier", CARRIERS, "sip:alice@gw.example.org", "alice", RIGHT_PASSWORD,
	  "new", "200", NULL },
	{ "a carrier", CARRIERS, "sip:x@carrier.example", NULL, NO_PASSWORD, "new", "401", NULL },
	{ "a PBX", PBXS, "sip:x@pbx.example", NULL, NO_PASSWORD, "401", "401", NULL },
	{ "a PBX, wrong", PBXS, "sip:x@pbx.example", "pbx", WRONG_PASSWORD, "401", "401", NULL },
	{ "a PBX, proven", PBXS, "sip:x@pbx.example", "pbx", RIGHT_PASSWORD, "new", "401", NULL },
	{ "a PBX, from elsewhere", STRANGERS, "sip:x@pbx.example", "pbx", RIGHT_PASSWORD, "407",
	  "401", NULL },
};

/* --- what --- */

typedef struct {
	const char *method, *extra;
	const char *status; /* NULL: it depends on who asks */
	gboolean by_sofia;  /* whose own answer has no Allow */
} What;

static const What requests[] = {
	{ "INVITE", "Contact: <sip:x@127.0.0.9>\r\n", NULL, FALSE },
	{ "REGISTER", NULL, NULL, FALSE },
	{ "OPTIONS", NULL, "200", FALSE },
	{ "MESSAGE", NULL, NULL, FALSE },
	{ "SUBSCRIBE", "Event: presence\r\n", "405", FALSE },
	{ "REFER", "Refer-To: <sip:x@127.0.0.1>\r\n", "603", FALSE },
	{ "NOTIFY", "Event: keep-alive\r\n", "405", FALSE },
	{ "PUBLISH", "Event: presence\r\n", "405", FALSE },
	{ "INFO", NULL, "481", FALSE },
	{ "UPDATE", NULL, "481", FALSE },
	{ "PRACK", "RAck: 1 1 INVITE\r\n", "481", FALSE },
	{ "BYE", NULL, "481", FALSE },
	{ "CANCEL", NULL, "481", TRUE },
	{ "JUGGLE", NULL, "501", FALSE },
};

/* --- a conversation --- */

static guint cseq;

static char *
request(const Sender *sender, const What *what, Peer *peer, const char *proof)
{
	const char *transport = peer->stream ? "TCP" : "UDP";

	cseq++;
	return g_strdup_printf(
		"%s %s SIP/2.0\r\nVia: SIP/2.0/%s %s:%u;branch=z9hG4bK-m%u;rport\r\n"
		"From: <%s>;tag=m%u\r\nTo: <%s>\r\nCall-ID: m-%u\r\nCSeq: %u %s\r\n"
		"Max-Forwards: 70\r\n%s%sContent-Length: %zu\r\n%s\r\n%s",
		what->method, WANTED, transport, sender->address, peer->port, cseq, sender->from,
		cseq, strcmp(what->method, "REGISTER") == 0 ? "sip:alice@gw.example.org" : WANTED,
		cseq, cseq, what->method, what->extra ? what->extra : "", proof ? proof : "",
		what == requests ? strlen(sdp_one) : 0,
		what == requests ? "Content-Type: application/sdp\r\n" : "",
		what == requests ? sdp_one : "");
}

static void
acknowledge(const Sender *sender, Peer *peer, const char *response)
{
	g_autofree char *to = message_header(response, "To");
	g_autofree char *ack = g_strdup_printf(
		"ACK %s SIP/2.0\r\nVia: SIP/2.0/%s %s:%u;branch=z9hG4bK-m%u;rport\r\n"
		"From: <%s>;tag=m%u\r\nTo: %s\r\nCall-ID: m-%u\r\nCSeq: %u ACK\r\n"
		"Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
		WANTED, peer->stream ? "TCP" : "UDP", sender->address, peer->port, cseq,
		sender->from, cseq, to, cseq, cseq);

	peer_send(peer, ack);
}

/* The final answer, acknowledged; of a call that is taken the core's. */
static char *
answer_to(const Sender *sender, const What *what, Peer *peer, const char *proof)
{
	g_autofree char *text = request(sender, what, peer, proof);
	g_autofree char *method = g_strdup_printf("%u %s", cseq, what->method);
	char *response = NULL;

	peer_send(peer, text);
	if (what == requests && strcmp(sender->invite, "new") == 0 &&
	    (sender->proof == NO_PASSWORD || proof)) {
		rig_expect_start("new ");
		rig_plugin->leg->hangup(rig_leg, REASON_BUSY, NULL);
	}
	for (;;) {
		g_autofree char *count = NULL;

		response = peer_wait(peer, "SIP/2.0 ");
		count = message_header(response, "CSeq");
		if (!g_str_has_prefix(response, "SIP/2.0 1") && strcmp(count, method) == 0)
			break;
		g_free(response);
	}
	if (what == requests)
		acknowledge(sender, peer, response);
	return response;
}

/* A nonce of ours; any REGISTER is answered by one. */
static char *
credentials(const Sender *sender, const What *what, Peer *peer)
{
	Phone phone = { .peer = peer, .name = sender->account, .hash = G_CHECKSUM_MD5 };
	g_autofree char *asked = answer_to(sender, &requests[1], peer, NULL);
	char *header;

	if (sender->proof == OLD_NONCE)
		phone.nonce = g_strdup("1234-5678");
	else
		phone_take_nonce(&phone, asked);
	phone.password = sender->proof == WRONG_PASSWORD ? "Guess" : "Secret";
	header = phone_credentials(&phone, "Authorization", what->method, WANTED);
	g_free(phone.nonce);
	return header;
}

static const char *
expected(const Sender *sender, const What *what)
{
	if (what->status)
		return what->status;
	if (strcmp(what->method, "MESSAGE") == 0) /* it has no text, and no trunk takes one */
		return strcmp(sender->invite, "new") != 0	  ? sender->invite
		       : g_strcmp0(sender->account, "alice") == 0 ? "400"
								  : "403";
	if (what != requests)
		return sender->registers;
	return strcmp(sender->invite, "new") == 0 ? "486" : sender->invite;
}

static void
check(const Sender *sender, const What *what, gboolean tcp)
{
	g_autoptr(Peer) peer =
		tcp ? peer_new_tcp_at(sender->address) : peer_new_at(sender->address);
	g_autofree char *proof = sender->account ? credentials(sender, what, peer) : NULL;
	g_autofree char *response = answer_to(sender, what, peer, proof);
	g_autofree char *start = g_strdup_printf("SIP/2.0 %s ", expected(sender, what));
	g_autofree char *allow = message_header(response, "Allow");

	if (!g_str_has_prefix(response, start))
		g_error("%s of %s by %s: %s where %s was expected", what->method, sender->what,
			tcp ? "TCP" : "UDP", response, start);
	if (!what->by_sofia && strcmp(start, "SIP/2.0 486 ") != 0)
		g_assert_cmpstr(allow, ==, ALLOW);
	if (what->status)
		return;
	if (sender->asked)
		g_assert_nonnull(strstr(response, sender->asked));
	else
		g_assert_null(strstr(response, "stale"));
	g_assert_cmpint(strstr(response, "\r\nProxy-Authenticate: Digest ") != NULL, ==,
			strcmp(expected(sender, what), "407") == 0);
	g_assert_cmpint(strstr(response, "\r\nWWW-Authenticate: Digest ") != NULL, ==,
			strcmp(expected(sender, what), "401") == 0);
}

static void
add_trunk(const char *name, const char *address, const char *username)
{
	g_autoptr(Trunk) trunk = trunk_new(name, address);

	trunk->in_username = g_strdup(username);
	trunk->in_password = g_strdup(username ? "Secret" : NULL);
	g_free(trunk->sources);
	trunk->sources = g_strdup(address);
	g_assert_true(store_trunk_add(rig_store(), trunk, NULL));
	rig_plugin->changed(CHANGE_CONFIG, NULL);
}

static void
method__outside(gconstpointer tcp)
{
	phone_start();
	add_trunk("carrier", CARRIERS, NULL);
	add_trunk("pbx", PBXS, "pbx");
	for (guint s = 0; s < G_N_ELEMENTS(senders); s++)
		for (guint w = 0; w < G_N_ELEMENTS(requests); w++)
			check(&senders[s], &requests[w], tcp != NULL);
	rig_stop();
}

/* In a carrier's dialog; what belongs there is tried in test-sip-leg.c. */
static void
method__inside(gconstpointer tcp)
{
	static const struct {
		const char *method, *extra, *status;
	} cases[] = {
		{ "OPTIONS", NULL, "200" },
		{ "REGISTER", NULL, "403" },
		{ "MESSAGE", NULL, "403" },
		{ "SUBSCRIBE", "Event: presence\r\n", "405" },
		{ "REFER", "Refer-To: <sip:x@127.0.0.1>\r\n", "603" },
		{ "NOTIFY", "Event: keep-alive\r\n", "405" },
		{ "PUBLISH", "Event: presence\r\n", "405" },
		{ "INFO", NULL, "200" },
		{ "UPDATE", NULL, "200" },
		{ "PRACK", "RAck: 1 1 INVITE\r\n", "481" },
		{ "JUGGLE", NULL, "501" },
	};
	g_autoptr(Peer) peer = tcp ? peer_new_tcp() : peer_new();
	g_autofree char *tag = NULL, *bye = NULL, *ok = NULL;

	rig_start();
	rig_trunk("carrier", peer->port, NULL);
	tag = rig_call_in(peer);
	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text =
			peer_request(peer, cases[i].method, tag, cases[i].extra, NULL);
		g_autofree char *response = NULL, *allow = NULL;

		peer_send(peer, text);
		response = peer_wait(peer, "SIP/2.0 ");
		allow = message_header(response, "Allow");
		g_test_message("%s: %s", cases[i].method, response);
		g_assert_true(g_str_has_prefix(response + strlen("SIP/2.0 "), cases[i].status));
		if (strcmp(cases[i].status, "481") != 0)
			g_assert_cmpstr(allow, ==, ALLOW);
	}
	rig_no_event();
	bye = peer_request(peer, "BYE", tag, NULL, NULL);
	peer_send(peer, bye);
	ok = peer_wait(peer, "SIP/2.0 200");
	rig_expect("ended hangup");
	rig_stop();
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_data_func("/sip/method/outside/udp", NULL, method__outside);
	g_test_add_data_func("/sip/method/outside/tcp", "", method__outside);
	g_test_add_data_func("/sip/method/inside/udp", NULL, method__inside);
	g_test_add_data_func("/sip/method/inside/tcp", "", method__inside);
	return g_test_run();
}
