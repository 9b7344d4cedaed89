/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-sip-text.c - MESSAGE on the wire, in and out, of trunks and of softphones. */
#include "tests/legs/sip-phone.h"
#include <string.h>

#define PLAIN	 "Content-Type: text/plain\r\n"
#define FRIEND	 "sip:+12125550199@gw.example.org"
#define ENVELOPE "Content-Type: message/cpim\r\n"
#define CPIM(headers, text)                                        \
	"From: <sip:alice@gw.example.org>\r\nTo: <" FRIEND ">\r\n" \
	"NS: imdn <urn:ietf:params:imdn>\r\n" headers "\r\nContent-Type: text/plain\r\n\r\n" text

static const Way by_carrier = { WAY_TRUNK, (char *)"carrier", 0 };
static const Way by_phone = { WAY_CONTACT, NULL, 0 };

static void
with_texts(Trunk *trunk)
{
	g_free(trunk->text);
	trunk->text = g_strdup("message");
	trunk->options_seconds = 0;
}

static void
with_tcp(Trunk *trunk)
{
	with_texts(trunk);
	g_free(trunk->transport);
	trunk->transport = g_strdup("tcp");
}

static void
with_password(Trunk *trunk)
{
	with_texts(trunk);
	trunk->username = g_strdup("acct");
	trunk->password = g_strdup("pa55");
}

static Peer *
start_with(void (*change)(Trunk *trunk))
{
	Peer *peer = peer_new();

	rig_start();
	rig_trunk("carrier", peer->port, change);
	return peer;
}

static char *last_origin;
static gint64 last_written;

static void
note_text(const TextIn *text)
{
	g_free(last_origin);
	last_origin = g_strdup(text->origin);
	last_written = text->written;
}

/* --- in, of a trunk --- */

static void
in__taken(gconstpointer tcp)
{
	g_autoptr(Peer) peer = tcp ? peer_new_tcp() : peer_new();
	g_autofree char *request = NULL, *ok = NULL, *again = NULL;

	rig_start();
	rig_trunk("carrier", peer->port, with_texts);
	request = peer_request(peer, "MESSAGE", NULL, PLAIN, "Hi there");
	peer_send(peer, request);
	rig_expect("text +12125550199 → +14155550123 of carrier: Hi there");
	if (!tcp) { /* the same while it waits, and after */
		peer_send(peer, request);
		rig_spin(50);
		rig_no_event();
		g_assert_false(peer_has(peer, "SIP/2.0 2"));
	}
	rig_answer_text(TEXT_TAKEN, REASON_NONE, NULL);
	ok = peer_wait(peer, "SIP/2.0 202");
	if (!tcp) {
		peer_send(peer, request);
		again = peer_wait(peer, "SIP/2.0 202");
	}
	rig_stop();
}

static void
in__answers(void)
{
	static const struct {
		TextAnswer answer;
		Reason reason;
		const char *words, *status, *header, *value;
	} answers[] = {
		{ TEXT_LATER, REASON_NONE, NULL, "503", "Retry-After", "10" },
		{ TEXT_REFUSED, REASON_NOT_FOUND, "no such number", "404", "Reason",
		  "Q.850;cause=1;text=\"no such number\"" },
		{ TEXT_REFUSED, REASON_FORBIDDEN, "no \"texts\"", "403", "Reason",
		  "Q.850;cause=57;text=\"no \\\"texts\\\"\"" },
		{ TEXT_REFUSED, REASON_DECLINED, NULL, "603", "Reason", "Q.850;cause=21" },
		{ TEXT_REFUSED, REASON_OVERLOAD, "too many texts", "503", "Retry-After", "10" },
	};
	g_autoptr(Peer) peer = start_with(with_texts);

	for (guint i = 0; i < G_N_ELEMENTS(answers); i++) {
		g_autofree char *request = peer_request(peer, "MESSAGE", NULL, PLAIN, "Hi");
		g_autofree char *response = NULL, *value = NULL;

		peer_send(peer, request);
		rig_expect_start("text ");
		rig_answer_text(answers[i].answer, answers[i].reason, answers[i].words);
		response = peer_wait(peer, "SIP/2.0 ");
		g_assert_true(g_str_has_prefix(response + strlen("SIP/2.0 "), answers[i].status));
		value = message_header(response, answers[i].header);
		g_assert_cmpstr(value, ==, answers[i].value);
	}
	rig_stop();
}

/* What is no text never comes to the core. */
static void
in__contents(void)
{
	static const struct {
		const char *extra, *body, *status;
	} cases[] = {
		{ "Content-Type: text/html\r\n", "<p>", "415" },
		{ PLAIN "Content-Encoding: br\r\n", "x", "415" },
		{ PLAIN "Content-Encoding: gzip\r\n", "no gzip", "400" },
		{ "Content-Type: message/cpim\r\n", "x", "400" },
		{ "Content-Type: multipart/mixed;boundary=b\r\n", "--b--", "415" },
		{ NULL, NULL, "400" },
		{ "Content-Type: application/im-iscomposing+xml\r\n", "<isComposing/>", "200" },
		{ "Content-Type: message/imdn+xml\r\n",
		  "<imdn><message-id>1</message-id><status><delivered/></status></imdn>", "200" },
	};
	g_autoptr(Peer) peer = start_with(with_texts);
	g_autofree char *much = g_strnfill(TEXT_MAX_BYTES + 1, 'x');
	g_autofree char *long_one = peer_request(peer, "MESSAGE", NULL, PLAIN, much);
	g_autofree char *too_long = NULL;

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *request =
			peer_request(peer, "MESSAGE", NULL, cases[i].extra, cases[i].body);
		g_autofree char *response = NULL, *accept = NULL;

		peer_send(peer, request);
		response = peer_wait(peer, "SIP/2.0 ");
		g_test_message("%s: %.20s", cases[i].extra, response);
		g_assert_true(g_str_has_prefix(response + strlen("SIP/2.0 "), cases[i].status));
		accept = message_header(response, "Accept");
		if (strcmp(cases[i].status, "415") == 0)
			g_assert_nonnull(strstr(accept, "text/plain"));
	}
	peer_send(peer, long_one);
	too_long = peer_wait(peer, "SIP/2.0 413");
	rig_stop();
}

static void
in__no_trunk(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();
	g_autofree char *request = peer_request(peer, "MESSAGE", NULL, PLAIN, "Hi");
	g_autofree char *response = NULL;

	peer_send(peer, request);
	response = peer_wait(peer, "SIP/2.0 403");
	rig_stop();
}

/* The number is in the Request-URI, whatever stands in To; the caller is who the trunk says. */
static void
in__whose(void)
{
	g_autoptr(Peer) peer = start_with(with_texts);
	g_autofree char *request =
		peer_request(peer, "MESSAGE", NULL,
			     PLAIN "P-Asserted-Identity: <sip:+12125550177@carrier.example>\r\n"
				   "Date: Sun, 29 Nov 2026 09:00:00 GMT\r\n",
			     "Hi");
	g_auto(GStrv) parts = g_strsplit(request, "To: <sip:+14155550123@gw.example.org>", 2);
	g_autofree char *foreign = g_strjoinv("To: <sip:else@elsewhere.example>", parts);
	g_autofree char *ok = NULL;

	peer_send(peer, foreign);
	rig_expect("text +12125550177 → +14155550123 of carrier: Hi");
	rig_answer_text(TEXT_TAKEN, REASON_NONE, NULL);
	ok = peer_wait(peer, "SIP/2.0 202");
	rig_stop();
}

/* In the dialog of a call: from its caller, to whom he calls. */
static void
in__dialog(void)
{
	g_autoptr(Peer) peer = start_with(with_texts);
	g_autofree char *tag = rig_call_in(peer);
	g_autofree char *request = peer_request(peer, "MESSAGE", tag, PLAIN, "Hi");
	g_autofree char *ok = NULL;

	peer_send(peer, request);
	rig_expect("text +12125550199 → +14155550123 of carrier: Hi");
	rig_answer_text(TEXT_TAKEN, REASON_NONE, NULL);
	ok = peer_wait_answer(peer, "202", "MESSAGE");
	rig_end_call(peer);
	rig_stop();
}

/* The call is over before the core has answered. */
static void
in__dialog_over(void)
{
	g_autoptr(Peer) peer = start_with(with_texts);
	g_autofree char *tag = rig_call_in(peer);
	g_autofree char *request = peer_request(peer, "MESSAGE", tag, PLAIN, "Hi");
	g_autofree char *bye = NULL, *ok = NULL;

	peer_send(peer, request);
	rig_expect_start("text ");
	bye = peer_request(peer, "BYE", tag, NULL, NULL);
	peer_send(peer, bye);
	rig_expect("ended hangup");
	ok = peer_wait_answer(peer, "200", "BYE");
	rig_spin(50);
	rig_answer_text(TEXT_TAKEN, REASON_NONE, NULL);
	rig_spin(50);
	rig_stop();
}

static void
in__stopped(void)
{
	g_autoptr(Peer) peer = start_with(with_texts);
	g_autofree char *request = peer_request(peer, "MESSAGE", NULL, PLAIN, "Hi");

	peer_send(peer, request);
	rig_expect_start("text ");
	rig_stop();
	while (!peer_has(peer, "SIP/2.0 503"))
		g_main_context_iteration(NULL, TRUE);
	rig_answer_text(TEXT_TAKEN, REASON_NONE, NULL); /* nobody is there any more */
}

/* --- in, of a softphone --- */

static char *
phone_send_text(Phone *phone, const char *extra, const char *body)
{
	g_autofree char *proof =
		phone->nonce ? phone_credentials(phone, "Proxy-Authorization", "MESSAGE", FRIEND)
			     : g_strdup("");
	g_autofree char *lines = g_strconcat(extra, proof, NULL);
	char *request = phone_request(phone, "MESSAGE", FRIEND, lines, body);

	peer_send(phone->peer, request);
	return request;
}

static void
in__phone(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new());
	g_autofree char *first = NULL, *asked = NULL, *request = NULL, *ok = NULL, *again = NULL;

	phone_start();
	first = phone_send_text(&phone, PLAIN, "Hi");
	asked = peer_wait(phone.peer, "SIP/2.0 407");
	phone_take_nonce(&phone, asked);
	request = phone_send_text(&phone, PLAIN, "Hi");
	rig_expect("text alice@example.org → +12125550199 of alice@example.org by alice: Hi");
	peer_send(phone.peer, request); /* with the same credentials */
	rig_spin(50);
	rig_no_event();
	rig_answer_text(TEXT_TAKEN, REASON_NONE, NULL);
	ok = peer_wait(phone.peer, "SIP/2.0 202");
	peer_send(phone.peer, request);
	again = peer_wait(phone.peer, "SIP/2.0 202");
	rig_stop();
}

/* As the number of his that the phone asks for. */
static void
in__phone_number(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new());
	g_autofree char *request = NULL, *ok = NULL;

	phone_start();
	phone_register(&phone, "");
	phone.from = (char *)"+14155550101";
	request = phone_send_text(&phone, PLAIN, "Hi");
	rig_expect("text +14155550101 → +12125550199 of alice@example.org by alice: Hi");
	rig_answer_text(TEXT_TAKEN, REASON_NONE, NULL);
	ok = peer_wait(phone.peer, "SIP/2.0 202");
	rig_stop();
}

/* --- reports --- */

/* A phone asks for a report, and gets it in the form it has asked for; a trunk that does not
 * gets nothing. */
static void
reports__ours(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new());
	g_autofree char *request = NULL, *ok = NULL, *receipt = NULL, *error = NULL, *words = NULL;
	g_autofree char *refused = NULL;
	Text more = { .kind = TEXT_RECEIPT, .device = "alice" };

	rig_text = note_text;
	phone_start();
	phone_register(&phone, "");
	request = phone_send_text(
		&phone, ENVELOPE,
		CPIM("imdn.Message-ID: m1\r\nDateTime: 2026-11-29T10:00:00Z\r\n"
		     "imdn.Disposition-Notification: positive-delivery, negative-delivery\r\n",
		     "Hi"));
	rig_expect("text alice@example.org → +12125550199 of alice@example.org by alice, receipt: "
		   "Hi");
	rig_answer_text(TEXT_TAKEN, REASON_NONE, NULL);
	ok = peer_wait(phone.peer, "SIP/2.0 202");

	more.about = last_origin;
	rig_send_text(1, by_phone, NULL, &more);
	receipt = peer_wait(phone.peer, "MESSAGE ");
	g_assert_nonnull(strstr(receipt, "\r\nContent-Type: message/cpim"));
	g_assert_nonnull(strstr(receipt, "Content-Type: message/imdn+xml"));
	g_assert_nonnull(strstr(receipt, "<message-id>m1</message-id>"));
	g_assert_nonnull(strstr(receipt, "<delivered/>"));
	peer_reply(phone.peer, receipt, "200 OK", "t", NULL, NULL);
	rig_expect("delivered 1");

	rig_send_text(5, by_phone, NULL, &more); /* there is no other form of it */
	refused = peer_wait(phone.peer, "MESSAGE ");
	peer_reply(phone.peer, refused, "415 Unsupported Media Type", "t", NULL, NULL);
	rig_expect_start("never 5 ");
	g_assert_false(peer_has(phone.peer, "MESSAGE "));

	more.kind = TEXT_ERROR;
	rig_send_text(2, by_phone, "not delivered", &more);
	error = peer_wait(phone.peer, "MESSAGE ");
	g_assert_nonnull(strstr(error, "<failed/>"));
	peer_reply(phone.peer, error, "200 OK", "t", NULL, NULL);
	rig_expect("delivered 2");

	more.about = "sip plain";
	rig_send_text(3, by_phone, "not delivered", &more);
	words = peer_wait(phone.peer, "MESSAGE ");
	g_assert_cmpstr(message_body(words), ==, "not delivered");
	peer_reply(phone.peer, words, "200 OK", "t", NULL, NULL);
	rig_expect("delivered 3");

	more.kind = TEXT_RECEIPT;
	rig_send_text(4, by_phone, NULL, &more);
	rig_expect("delivered 4");
	rig_stop();
	rig_text = NULL;
	g_clear_pointer(&last_origin, g_free);
}

static char *
report_of(const char *id, const char *what)
{
	return g_strdup_printf("From: <sip:alice@gw.example.org>\r\nTo: <" FRIEND ">\r\n\r\n"
			       "Content-Type: message/imdn+xml\r\n\r\n"
			       "<imdn xmlns='urn:ietf:params:xml:ns:imdn'><message-id>%s"
			       "</message-id><delivery-notification><status><%s/></status>"
			       "</delivery-notification></imdn>",
			       id, what);
}

static char *
imdn_id(const char *message)
{
	const char *at = strstr(message, "imdn.Message-ID: ");

	g_assert_nonnull(at);
	at += strlen("imdn.Message-ID: ");
	return g_strndup(at, strcspn(at, "\r"));
}

static void
send_report(Phone *phone, const char *id, const char *what)
{
	g_autofree char *body = report_of(id, what);
	g_autofree char *request = phone_send_text(phone, ENVELOPE, body), *ok = NULL;

	ok = peer_wait(phone->peer, "SIP/2.0 200");
}

/* A phone that says that it takes envelopes is asked for reports, and nobody else's count. */
/* Two programs with one name and password, of which one would show the envelope as a text. */
static void
reports__one_program(void)
{
	g_auto(Phone) one = phone_new("alice", peer_new());
	g_auto(Phone) two = phone_new("alice", peer_new());
	g_autofree char *first = phone_contact_line(&one, "");
	g_autofree char *second = phone_contact_line(&two, "");
	g_autofree char *knows = g_strconcat(first,
					     "User-Agent: Linphone/5\r\nAccept: text/plain, "
					     "message/cpim\r\n",
					     NULL);
	g_autofree char *knows_not = g_strconcat(second, "User-Agent: MicroSIP/3\r\n", NULL);
	g_autofree char *ok = NULL, *also = NULL, *envelope = NULL, *plain = NULL, *report = NULL;
	Text more = { .device = "alice", .receipt = TRUE };

	phone_start();
	ok = phone_do_register(&one, knows);
	also = phone_do_register(&two, knows_not);
	rig_send_text(8, by_phone, "Hi", &more);
	envelope = peer_wait(one.peer, "MESSAGE ");
	plain = peer_wait(two.peer, "MESSAGE ");
	g_assert_nonnull(strstr(envelope, "message/cpim"));
	g_assert_cmpstr(message_body(plain), ==, "Hi");
	peer_reply(one.peer, envelope, "200 OK", "t", NULL, NULL);
	rig_expect("sent 8");
	peer_reply(two.peer, plain, "200 OK", "t", NULL, NULL);
	rig_expect("delivered 8");

	more.kind = TEXT_RECEIPT;
	more.about = "imdn 1 m1";
	rig_send_text(9, by_phone, NULL, &more);
	report = peer_wait(one.peer, "MESSAGE ");
	peer_reply(one.peer, report, "200 OK", "t", NULL, NULL);
	rig_expect("delivered 9");
	g_assert_false(peer_has(two.peer, "MESSAGE "));
	rig_stop();
}

static void
reports__theirs(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new());
	g_auto(Phone) other = phone_new("desk", peer_new());
	g_autofree char *line = phone_contact_line(&phone, "");
	g_autofree char *lines = g_strconcat(line, "Accept: text/plain, message/cpim\r\n", NULL);
	g_autofree char *ok = NULL, *text = NULL, *id = NULL, *plain = NULL, *once = NULL;
	const Text more = { .device = "alice", .receipt = TRUE };

	phone_start();
	ok = phone_do_register(&phone, lines);
	phone_assert_status(ok, "200");
	phone_register(&other, "");
	rig_send_text(8, by_phone, "Hi", &more);
	text = peer_wait(phone.peer, "MESSAGE ");
	g_assert_nonnull(strstr(text, "imdn.Disposition-Notification: positive-delivery, "
				      "negative-delivery\r\n"));
	g_assert_true(g_str_has_suffix(text, "\r\n\r\nHi"));
	id = imdn_id(text);
	peer_reply(phone.peer, text, "200 OK", "t", NULL, NULL);
	rig_expect("sent 8");
	send_report(&other, id, "delivered");
	send_report(&phone, "8", "delivered");
	send_report(&phone, "8-0123456789abcdef01234567", "delivered");
	rig_spin(20);
	rig_no_event();
	send_report(&phone, id, "delivered");
	rig_expect("delivered 8");
	send_report(&phone, id, "failed");
	rig_expect("never 8 declined the softphone could not show it");

	/* one of its telephones does not, after all */
	rig_send_text(9, by_phone, "Hi", &more);
	plain = peer_wait(phone.peer, "MESSAGE ");
	peer_reply(phone.peer, plain, "415 Unsupported Media Type", "t", NULL, NULL);
	once = peer_wait(phone.peer, "MESSAGE ");
	g_assert_cmpstr(message_body(once), ==, "Hi");
	peer_reply(phone.peer, once, "200 OK", "t", NULL, NULL);
	rig_expect("delivered 9");
	rig_stop();
}

/* --- out, to a trunk --- */

static void
assert_header(const char *message, const char *name, const char *value)
{
	g_autofree char *said = message_header(message, name);

	g_assert_cmpstr(said, ==, value);
}

static void
out__form(gconstpointer tcp)
{
	g_autoptr(Peer) peer = tcp ? peer_new_tcp() : peer_new();
	g_autofree char *one = NULL, *two = NULL, *from = NULL, *again = NULL;
	g_autofree char *call_id = NULL, *same = NULL;
	Text more = { .language = "de" };

	rig_start();
	rig_trunk("carrier", peer->port, tcp ? with_tcp : with_texts);
	rig_send_text(5, by_carrier, "Gr\xc3\xbc\xc3\x9f\x65", &more);
	one = peer_wait(peer, "MESSAGE sip:+12125550199@127.0.0.1");
	assert_header(one, "CSeq", "1 MESSAGE");
	assert_header(one, "Content-Type", "text/plain;charset=UTF-8");
	assert_header(one, "Content-Language", "de");
	assert_header(one, "Date", "Sun, 29 Nov 2026 09:00:00 GMT");
	assert_header(one, "Contact", NULL);
	g_assert_cmpstr(message_body(one), ==, "Gr\xc3\xbc\xc3\x9f\x65");
	call_id = message_header(one, "Call-ID");
	from = message_header(one, "From");
	g_assert_nonnull(strstr(from, "+14155550100"));
	peer_reply(peer, one, "200 OK", "t", NULL, NULL);
	rig_expect("delivered 5");

	more.repeated = TRUE;
	rig_send_text(5, by_carrier, "Gr\xc3\xbc\xc3\x9f\x65", &more);
	two = peer_wait(peer, "MESSAGE ");
	assert_header(two, "CSeq", "1 MESSAGE");
	assert_header(two, "Call-ID", call_id);
	assert_header(two, "From", from);
	peer_reply(peer, two, "202 Accepted", "t", NULL, NULL);
	rig_expect("sent 5");
	rig_no_event();
	rig_stop();
}

static void
out__statuses(void)
{
	static const struct {
		const char *status, *extra, *said;
	} cases[] = {
		{ "202 Accepted", NULL, "sent" },
		{ "403 Forbidden", NULL, "never 1 forbidden 403 Forbidden" },
		{ "404 Not Found", NULL, "never 1 not-found 404 Not Found" },
		{ "413 Request Entity Too Large", NULL,
		  "never 1 network-error 413 Request Entity Too Large" },
		{ "480 Temporarily Unavailable", NULL,
		  "later 1 unreachable 480 Temporarily Unavailable" },
		{ "408 Request Timeout", NULL, "later 1 timeout 408 Request Timeout" },
		{ "500 Server Internal Error", NULL,
		  "later 1 network-error 500 Server Internal Error" },
		{ "503 Service Unavailable", NULL, "later 1 overload 503 Service Unavailable" },
		{ "603 Decline", NULL, "never 1 declined 603 Decline" },
		{ "401 Unauthorized",
		  "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=MD5\r\n",
		  "never 1 not-authorized 401 Unauthorized" },
	};
	g_autoptr(Peer) peer = start_with(with_texts);

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = NULL;

		rig_send_text(1, by_carrier, "Hi", NULL);
		text = peer_wait(peer, "MESSAGE ");
		peer_reply(peer, text, cases[i].status, "t", cases[i].extra, NULL);
		if (strcmp(cases[i].said, "sent") == 0)
			rig_expect("sent 1");
		else
			rig_expect(cases[i].said);
	}
	rig_stop();
}

static void
out__challenged(void)
{
	g_autoptr(Peer) peer = start_with(with_password);
	g_autofree char *one = NULL, *two = NULL, *proof = NULL, *call_id = NULL;

	rig_send_text(1, by_carrier, "Hi", NULL);
	one = peer_wait(peer, "MESSAGE ");
	peer_reply(peer, one, "407 Proxy Authentication Required", "t",
		   "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=MD5\r\n", NULL);
	two = peer_wait(peer, "MESSAGE ");
	assert_header(two, "CSeq", "2 MESSAGE");
	call_id = message_header(one, "Call-ID");
	assert_header(two, "Call-ID", call_id);
	proof = message_header(two, "Proxy-Authorization");
	g_assert_nonnull(strstr(proof, "username=\"acct\""));
	g_assert_cmpstr(message_body(two), ==, "Hi");
	peer_reply(peer, two, "200 OK", "t", NULL, NULL);
	rig_expect("delivered 1");

	/* a wrong password is asked for twice, and no more */
	rig_send_text(2, by_carrier, "Hi", NULL);
	for (guint i = 0; i < 2; i++) {
		g_autofree char *text = peer_wait(peer, "MESSAGE ");

		peer_reply(peer, text, "407 Proxy Authentication Required", "t",
			   "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=MD5\r\n",
			   NULL);
	}
	rig_expect_start("never 2 not-authorized");
	rig_stop();
}

/* A carrier that wants to be left alone for a while is, and then it is said that it is there. */
static void
with_redirects(Trunk *trunk)
{
	with_texts(trunk);
	trunk->follow_redirects = TRUE;
}

/* As a call is, and no further. */
static void
out__redirected(void)
{
	g_autoptr(Peer) peer = start_with(with_redirects);
	g_autofree char *dear = NULL;

	rig_send_text(1, by_carrier, "Hi", NULL);
	for (guint i = 0; i < 4; i++) {
		g_autofree char *text = peer_wait(peer, "MESSAGE ");
		g_autofree char *cseq = message_header(text, "CSeq");
		g_autofree char *expected = g_strdup_printf("%u MESSAGE", i + 1);

		g_assert_cmpint(g_str_has_prefix(text, "MESSAGE sip:elsewhere@"), ==, i > 0);
		g_assert_cmpstr(cseq, ==, expected);
		peer_reply(peer, text, "302 Moved Temporarily", "t",
			   "Contact: <sip:elsewhere@other.example.org>\r\n", NULL);
		if (i < 3)
			rig_expect("redirected to elsewhere");
	}
	rig_expect_start("never 1 ");
	/* and only where the core lets it */
	rig_forbids = "not there";
	rig_send_text(2, by_carrier, "Hi", NULL);
	dear = peer_wait(peer, "MESSAGE ");
	peer_reply(peer, dear, "302 Moved Temporarily", "t",
		   "Contact: <sip:+49900123456@other.example.org>\r\n", NULL);
	rig_expect("redirected to +49900123456");
	rig_expect("never 2 forbidden not there");
	g_assert_false(peer_has(peer, "MESSAGE "));
	rig_forbids = NULL;
	rig_stop();
}

static void
out__retry_after(void)
{
	g_autoptr(Peer) peer = start_with(with_texts);
	g_autofree char *text = NULL;

	rig_tells_ways = TRUE;
	rig_send_text(1, by_carrier, "Hi", NULL);
	text = peer_wait(peer, "MESSAGE ");
	peer_reply(peer, text, "503 Service Unavailable", "t", "Retry-After: 1\r\n", NULL);
	rig_expect_start("later 1 overload");
	rig_send_text(2, by_carrier, "Hi", NULL);
	rig_expect("later 2 overload the carrier takes no texts for a while");
	g_assert_false(peer_has(peer, "MESSAGE "));
	rig_expect("up trunk carrier");
	rig_tells_ways = FALSE;
	rig_stop();
}

/* RFC 3428 8: whatever has room is no larger than 1300 bytes by UDP, a password shown too. */
static void
out__room(void)
{
	g_autoptr(Peer) peer = start_with(with_password);
	guint room = rig_plugin->text->room(&by_carrier, NULL);
	g_autofree char *body = g_strnfill(room, 'x');
	g_autofree char *one = NULL, *two = NULL;

	g_assert_cmpuint(room, >=, 250);
	rig_send_text(G_MAXINT64, by_carrier, body, &(Text){ .language = "zh-Hant" });
	one = peer_wait(peer, "MESSAGE ");
	peer_reply(peer, one, "407 Proxy Authentication Required", "t",
		   "Proxy-Authenticate: Digest realm=\"sip.carrier.example.org\", "
		   "nonce=\"0123456789012345678901234567890123456789\", algorithm=MD5, "
		   "qop=\"auth\", opaque=\"0123456789012345\"\r\n",
		   NULL);
	two = peer_wait(peer, "MESSAGE ");
	g_test_message("room %u\n%s", room, two);
	g_assert_cmpuint(strlen(two), <=, 1300);
	g_assert_cmpuint(strlen(message_body(two)), ==, room);
	peer_reply(peer, two, "200 OK", "t", NULL, NULL);
	rig_expect_start("delivered ");
	rig_stop();
}

/* --- out, to a softphone --- */

/* What is as long as may be is less than what PJSIP reads of one datagram, in an envelope too. */
static void
out__long(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new());
	g_auto(Phone) tcp = phone_new("alice", peer_new_tcp());
	g_autofree char *typing = NULL, *ok = NULL, *text = NULL, *body = NULL;
	Text more = { .device = "alice", .receipt = TRUE };
	guint room;

	phone_start();
	g_assert_cmpuint(rig_plugin->text->room(&by_phone, "alice"), >=, 2000);
	phone_register(&tcp, "");
	g_assert_cmpuint(rig_plugin->text->room(&by_phone, "alice"), ==, 0);
	phone_register(&phone, "");
	room = rig_plugin->text->room(&by_phone, "alice");
	g_assert_cmpuint(room, >=, 2000);
	typing = phone_send_text(&phone, ENVELOPE,
				 "From: <a:b>\r\n\r\nContent-Type: "
				 "application/im-iscomposing+xml\r\n\r\n<isComposing/>");
	ok = peer_wait(phone.peer, "SIP/2.0 200");
	body = g_strnfill(room, 'x');
	rig_send_text(G_MAXINT64, by_phone, body, &more);
	text = peer_wait(phone.peer, "MESSAGE ");
	g_assert_nonnull(strstr(text, "positive-delivery"));
	g_assert_cmpuint(strlen(text), <, 3600);
	rig_stop();
}

static void
out__registrations(void)
{
	g_auto(Phone) one = phone_new("alice", peer_new());
	g_auto(Phone) two = phone_new("alice", peer_new());
	g_autofree char *first = NULL, *second = NULL, *once = NULL, *twice = NULL;
	const Text more = { .device = "alice" };

	rig_tells_ways = TRUE;
	phone_start();
	rig_send_text(1, by_phone, "Hi", &more);
	rig_expect("later 1 unreachable the softphone is not registered");
	phone_register(&one, "");
	rig_expect("up contact alice");
	phone_register(&two, "");
	rig_expect("up contact alice");

	rig_send_text(2, by_phone, "Hi", &more);
	first = peer_wait(one.peer, "MESSAGE sip:alice@127.0.0.1");
	second = peer_wait(two.peer, "MESSAGE sip:alice@127.0.0.1");
	peer_reply(one.peer, first, "480 Temporarily Unavailable", "t", NULL, NULL);
	rig_spin(20);
	rig_no_event();
	peer_reply(two.peer, second, "200 OK", "t", NULL, NULL);
	rig_expect("delivered 2");

	rig_send_text(3, by_phone, "Hi", &more);
	once = peer_wait(one.peer, "MESSAGE ");
	twice = peer_wait(two.peer, "MESSAGE ");
	peer_reply(one.peer, once, "480 Temporarily Unavailable", "t", NULL, NULL);
	peer_reply(two.peer, twice, "603 Decline", "t", NULL, NULL);
	rig_expect("later 3 unreachable 480 Temporarily Unavailable");
	rig_tells_ways = FALSE;
	rig_stop();
}

/* The plugin ends while a text is on its way. */
static void
out__stopped(void)
{
	g_autoptr(Peer) peer = start_with(with_texts);

	rig_send_text(1, by_carrier, "Hi", NULL);
	g_free(peer_wait(peer, "MESSAGE "));
	rig_stop();
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_data_func("/sip/text/in/taken/udp", NULL, in__taken);
	g_test_add_data_func("/sip/text/in/taken/tcp", "", in__taken);
	g_test_add_func("/sip/text/in/answers", in__answers);
	g_test_add_func("/sip/text/in/contents", in__contents);
	g_test_add_func("/sip/text/in/no-trunk", in__no_trunk);
	g_test_add_func("/sip/text/in/whose", in__whose);
	g_test_add_func("/sip/text/in/dialog", in__dialog);
	g_test_add_func("/sip/text/in/dialog-over", in__dialog_over);
	g_test_add_func("/sip/text/in/stopped", in__stopped);
	g_test_add_func("/sip/text/in/phone", in__phone);
	g_test_add_func("/sip/text/in/phone-number", in__phone_number);
	g_test_add_func("/sip/text/reports/ours", reports__ours);
	g_test_add_func("/sip/text/reports/one-program", reports__one_program);
	g_test_add_func("/sip/text/reports/theirs", reports__theirs);
	g_test_add_data_func("/sip/text/out/form/udp", NULL, out__form);
	g_test_add_data_func("/sip/text/out/form/tcp", "", out__form);
	g_test_add_func("/sip/text/out/statuses", out__statuses);
	g_test_add_func("/sip/text/out/challenged", out__challenged);
	g_test_add_func("/sip/text/out/redirected", out__redirected);
	g_test_add_func("/sip/text/out/retry-after", out__retry_after);
	g_test_add_func("/sip/text/out/room", out__room);
	g_test_add_func("/sip/text/out/long", out__long);
	g_test_add_func("/sip/text/out/registrations", out__registrations);
	g_test_add_func("/sip/text/out/stopped", out__stopped);
	return g_test_run();
}
