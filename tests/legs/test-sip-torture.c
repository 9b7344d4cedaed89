/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-sip-torture.c - the messages of RFC 4475, over UDP and over TCP.
 *
 * The bytes are in tests/fuzz/corpus/sip/rfc4475-NAME: written after what the RFC
 * says of each, with callees of this gateway, and with rport so that the answer
 * finds the test.  After each the gateway must still answer an OPTIONS.
 */
#include "tests/legs/sip-rig.h"
#include <string.h>

/* What may come of a message, one or more of these. */
#define CALL	"call "	   /* the core hears of a call; it then ends as busy here */
#define DROPPED "dropped " /* nothing is said */

typedef struct {
	const char *name;
	const char *udp;
	const char *tcp; /* NULL: the same */
} Torture;

static const Torture valid[] = {
	{ "wsinv", "481 ", NULL },
	{ "intmeth", "501 ", NULL },
	{ "esc01", CALL, NULL },
	{ "escnull", "401 ", NULL }, /* this and all REGISTER: nobody has a password */
	{ "esc02", "501 ", NULL },
	{ "lwsdisp", "200 ", NULL },
	{ "longreq", CALL, NULL },
	{ "dblreq", "401 ", NULL },
	{ "semiuri", "200 ", NULL },
	{ "transports", "200 ", NULL },
	{ "mpart01", "403 501 ", NULL },
	{ "unreason", DROPPED, NULL }, /* to no request of ours; see answers_are_read() */
	{ "noreason", DROPPED, NULL },
};

static const Torture invalid[] = {
	{ "badinv01", "400 ", NULL },	   { "clerr", "400 ", DROPPED },
	{ "ncl", "400 ", NULL },	   { "scalar02", "400 ", NULL },
	{ "scalarlg", DROPPED, NULL },	   { "quotbal", "400 ", NULL },
	{ "ltgtruri", "400 ", NULL },	   { "lwsruri", "400 ", NULL },
	{ "lwsstart", "400 " CALL, NULL }, { "trws", "200 400 ", NULL },
	{ "escruri", "400 " CALL, NULL },  { "baddate", "400 " CALL, NULL },
	{ "regbadct", "400 ", NULL },	   { "badaspec", "200 400 ", NULL },
	{ "baddn", "200 400 ", NULL },	   { "badvers", "505 ", NULL },
	{ "mismatch01", "400 ", NULL },	   { "mismatch02", "400 501 ", NULL },
	{ "bigcode", DROPPED, NULL },
};

static const Torture transaction[] = {
	{ "badbranch", "200 400 ", NULL },
};

static const Torture application[] = {
	{ "insuf", "400 ", NULL },    { "unkscm", "416 ", NULL },   { "novelsc", "416 ", NULL },
	{ "unksm2", "400 ", NULL },   { "bext01", "420 ", NULL },   { "invut", "415 ", NULL },
	{ "regaut01", "401 ", NULL }, { "multi01", "400 ", NULL },  { "mcl01", "400 ", NULL },
	{ "bcast", DROPPED, NULL },   { "zeromf", "200 ", NULL },   { "cparam01", "401 ", NULL },
	{ "cparam02", "401 ", NULL }, { "regescrt", "401 ", NULL }, { "sdp01", "406 ", NULL },
};

static const Torture old[] = {
	{ "inv2543", CALL, "400 " }, /* a stream needs Content-Length (RFC 3261 18.3) */
};

static char *
read_message(const char *name, gsize *size)
{
	g_autofree char *file = g_strconcat("rfc4475-", name, NULL);
	g_autofree char *path =
		g_test_build_filename(G_TEST_DIST, "fuzz", "corpus", "sip", file, NULL);
	g_autoptr(GError) error = NULL;
	char *bytes;

	g_file_get_contents(path, &bytes, size, &error);
	g_assert_no_error(error);
	return bytes;
}

/* Who sends a message writes what it is sent over into the topmost Via, and a port
 * where rport is not looked at: nta does not in a Via of another version. */
static void
set_via(char *bytes, gsize size, const Peer *peer)
{
	static const char *const written[] = { "/UDP ", "/TCP ", "/TLS ", "/UDP\r" };
	g_autofree char *port = g_strdup_printf(":%05u", peer->port);
	char *top = NULL, *at;

	for (guint i = 0; i < G_N_ELEMENTS(written); i++)
		if ((at = memmem(bytes, size, written[i], 5)) && (!top || at < top))
			top = at;
	g_assert_nonnull(top);
	memcpy(top + 1, peer->stream ? "TCP" : "UDP", 3);
	if ((at = memmem(bytes, size, ":65535", 6)))
		memcpy(at, port, 6);
}

/* UDP is read in order, so what was sent before it has been read too. */
static void
still_lives(void)
{
	g_autoptr(Peer) peer = peer_new();
	g_autofree char *request = peer_request(peer, "OPTIONS", NULL, NULL, NULL), *ok = NULL;

	peer_send(peer, request);
	ok = peer_wait(peer, "SIP/2.0 ");
	g_assert_true(g_str_has_prefix(ok, "SIP/2.0 200"));
}

static void
acknowledge(Peer *peer, const char *refusal)
{
	g_autofree char *via = message_header(refusal, "Via"),
			*cseq = message_header(refusal, "CSeq");
	g_autofree char *from = message_header(refusal, "From"),
			*to = message_header(refusal, "To");
	g_autofree char *call_id = message_header(refusal, "Call-ID");
	g_autofree char *ack = NULL;

	if (!via || !cseq || !from || !to || !call_id)
		return;
	via[strcspn(via, ",")] = '\0';
	ack = g_strdup_printf("ACK sip:+14155550123@gw.example.org SIP/2.0\r\nVia: %s\r\n"
			      "From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %u ACK\r\n"
			      "Content-Length: 0\r\n\r\n",
			      via, from, to, call_id, (guint)g_ascii_strtoull(cseq, NULL, 10));
	peer_send(peer, ack);
}

/* What an answer has to say beside its status. */
static void
check_answer(const char *response)
{
	static const struct {
		const char *status, *header;
	} wanted[] = {
		{ "401", "WWW-Authenticate" }, { "405", "Allow" },	 { "406", "Accept" },
		{ "415", "Accept" },	       { "420", "Unsupported" }, { "501", "Allow" }
	};

	for (guint i = 0; i < G_N_ELEMENTS(wanted); i++) {
		g_autofree char *header = message_header(response, wanted[i].header);

		if (strncmp(response + 8, wanted[i].status, 3) == 0)
			g_assert_nonnull(header);
	}
}

/* "486", or NULL */
static char *
final_status(Peer *peer)
{
	char *heard;

	while ((heard = g_queue_pop_head(&peer->heard))) {
		g_autofree char *response = heard;

		g_assert_true(g_str_has_prefix(response, "SIP/2.0 "));
		if (response[8] == '1')
			continue;
		check_answer(response);
		acknowledge(peer, response);
		return g_strndup(response + 8, 3);
	}
	return NULL;
}

/* What came of it, in the words of the table. */
static char *
outcome(Peer *peer)
{
	g_autofree char *status = NULL;
	gboolean call = rig_legs()->len > 0;

	if (call)
		rig_plugin->leg->hangup(rig_legs()->pdata[0], REASON_BUSY, NULL);
	rig_legs()->len = 0;
	rig_drain();
	still_lives();
	rig_drain();
	status = final_status(peer);
	if (call) {
		g_assert_cmpstr(status, ==, "486");
		return g_strdup(CALL);
	}
	return status ? g_strconcat(status, " ", NULL) : g_strdup(DROPPED);
}

static void
torture(const Torture *message, gboolean tcp)
{
	g_autoptr(Peer) peer = tcp ? peer_new_tcp() : peer_new();
	const char *allowed = tcp && message->tcp ? message->tcp : message->udp;
	g_autofree char *came = NULL, *bytes = NULL;
	gsize size;

	bytes = read_message(message->name, &size);
	set_via(bytes, size, peer);
	peer_send_bytes(peer, bytes, size);
	still_lives();
	rig_drain();
	came = outcome(peer);
	if (!strstr(allowed, came)) {
		g_test_message("%s over %s: %snot %s", message->name, tcp ? "TCP" : "UDP", came,
			       allowed);
		g_test_fail();
	}
}

static void
torture_all(const Torture *messages, gsize n)
{
	for (guint tcp = 0; tcp < 2; tcp++) {
		g_autoptr(Peer) carrier = peer_new();

		rig_start();
		rig_trunk("carrier", carrier->port, NULL);
		for (gsize i = 0; i < n; i++)
			torture(&messages[i], tcp);
		rig_drain();
		rig_stop();
	}
}

#define TORTURE(group)                                   \
	static void group##_messages(void)               \
	{                                                \
		torture_all(group, G_N_ELEMENTS(group)); \
	}
TORTURE(valid)
TORTURE(invalid)
TORTURE(transaction)
TORTURE(application)
TORTURE(old)

/* --- what the table cannot say --- */

/* Only the topmost of two in one line is where the request came from. */
static void
vias_are_kept(void)
{
	g_autoptr(Peer) peer = peer_new();
	g_autofree char *request = NULL, *ok = NULL;
	g_autoptr(GString) text = NULL;

	rig_start();
	request = peer_request(peer, "OPTIONS", NULL, NULL, NULL);
	text = g_string_new(request);
	g_string_replace(text, "127.0.0.1", "192.0.2.1", 2);
	g_string_replace(text, ";rport", ";rport, SIP/2.0/TCP 192.0.2.2;branch=z9hG4bKsecond", 1);
	peer_send(peer, text->str);
	ok = peer_wait(peer, "SIP/2.0 200");
	g_assert_nonnull(strstr(ok, ";received=127.0.0.1"));
	g_assert_nonnull(strstr(ok, "192.0.2.2;branch=z9hG4bKsecond"));
	g_assert_null(strstr(strstr(ok, "received=") + 1, "received="));
	rig_stop();
}

/* The status line of a message, as the answer to a call of ours. */
static char *
status_line(const char *name)
{
	gsize size;
	g_autofree char *bytes = read_message(name, &size);

	g_assert_true(g_str_has_prefix(bytes, "SIP/2.0 "));
	return g_strndup(bytes + 8, strcspn(bytes, "\r") - 8);
}

static void
answers_are_read(void)
{
	g_autoptr(Peer) carrier = peer_new();
	g_autofree char *no_reason = status_line("noreason"), *odd_reason = status_line("unreason");
	g_autofree char *big = status_line("bigcode");
	g_autofree char *invite = NULL, *ack = NULL, *bye = NULL, *text = NULL;
	g_autoptr(GString) far = NULL;

	rig_start();
	rig_trunk("carrier", carrier->port, NULL);
	rig_dial("carrier", "+14155550123", NULL);
	invite = peer_wait(carrier, "INVITE ");
	peer_reply(carrier, invite, big, "t", NULL, sdp_one);
	peer_reply(carrier, invite, no_reason, NULL, NULL, NULL);
	/* scalarlg */
	text = peer_reply_text(carrier, invite, "503 Service Unavailable", "t", NULL, NULL);
	far = g_string_new(text);
	g_string_replace(far, "CSeq: ", "CSeq: 929239483477430402", 1);
	peer_send(carrier, far->str);
	peer_reply(carrier, invite, odd_reason, "t", NULL, sdp_two);
	rig_expect("answered 40002 sendrecv");
	ack = peer_wait(carrier, "ACK ");
	rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
	bye = peer_wait(carrier, "BYE ");
	peer_reply(carrier, bye, "200 OK", NULL, NULL, NULL);
	rig_stop();
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/sip/torture/valid", valid_messages);
	g_test_add_func("/sip/torture/invalid", invalid_messages);
	g_test_add_func("/sip/torture/transaction", transaction_messages);
	g_test_add_func("/sip/torture/application", application_messages);
	g_test_add_func("/sip/torture/old", old_messages);
	g_test_add_func("/sip/torture/vias", vias_are_kept);
	g_test_add_func("/sip/torture/answers", answers_are_read);
	return g_test_run();
}
