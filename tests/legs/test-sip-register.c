/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-sip-register.c - softphones: REGISTER, and calls from and to them. */
#include "tests/legs/sip-rig.h"
#include "plugins/sip/sip_digest.h"
#include <string.h>

#define ALICE "alice@example.org"

/* --- a softphone --- */

typedef struct {
	Peer *peer;
	const char *name, *password;
	GChecksumType hash;
	char *nonce;
	guint count; /* nc */
	guint cseq;
	char *from; /* user part; NULL: the name */
} Phone;

static Phone
phone_new(const char *name, Peer *peer)
{
	return (Phone){ .peer = peer, .name = name, .password = "Secret", .hash = G_CHECKSUM_MD5 };
}

static void
phone_clear(Phone *phone)
{
	peer_free(phone->peer);
	g_free(phone->nonce);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Phone, phone_clear)

static void
start(void)
{
	rig_start();
	g_assert_true(store_user_add(rig_store(), ALICE, NULL));
	g_assert_true(store_number_add(rig_store(), "+14155550101", ALICE, NULL));
	g_assert_true(store_softphone_add(rig_store(), "alice", ALICE, "Secret", NULL));
	g_assert_true(store_softphone_add(rig_store(), "desk", ALICE, "Secret", NULL));
}

static char *
request(Phone *phone, const char *method, const char *uri, const char *extra, const char *body)
{
	const char *transport = phone->peer->stream ? "TCP" : "UDP";

	phone->cseq++;
	return g_strdup_printf(
		"%s %s SIP/2.0\r\n"
		"Via: SIP/2.0/%s 10.9.8.7:5060;branch=z9hG4bK-%s-%u;rport\r\n"
		"From: <sip:%s@gw.example.org>;tag=phone\r\nTo: <sip:%s@gw.example.org>\r\n"
		"Call-ID: %s\r\nCSeq: %u %s\r\nMax-Forwards: 70\r\n%s%s"
		"Content-Length: %zu\r\n\r\n%s",
		method, uri, transport, phone->peer->call_id, phone->cseq,
		phone->from ? phone->from : phone->name, phone->name, phone->peer->call_id,
		phone->cseq, method, extra ? extra : "",
		body ? "Content-Type: application/sdp\r\n" : "", body ? strlen(body) : 0,
		body ? body : "");
}

static char *
digest_of(const Phone *phone, const char *text)
{
	return g_compute_checksum_for_string(phone->hash, text, -1);
}

static char *
credentials(Phone *phone, const char *header, const char *method, const char *uri)
{
	g_autofree char *a1 = g_strdup_printf("%s:tandem:%s", phone->name, phone->password);
	g_autofree char *a2 = g_strdup_printf("%s:%s", method, uri);
	g_autofree char *ha1 = digest_of(phone, a1), *ha2 = digest_of(phone, a2);
	g_autofree char *all =
		g_strdup_printf("%s:%s:%08x:c:auth:%s", ha1, phone->nonce, ++phone->count, ha2);
	g_autofree char *response = digest_of(phone, all);

	return g_strdup_printf("%s: Digest username=\"%s\", realm=\"tandem\", nonce=\"%s\", "
			       "uri=\"%s\", response=\"%s\", qop=auth, nc=%08x, cnonce=\"c\", "
			       "algorithm=%s\r\n",
			       header, phone->name, phone->nonce, uri, response, phone->count,
			       phone->hash == G_CHECKSUM_MD5 ? "MD5" : "SHA-256");
}

static void
take_nonce(Phone *phone, const char *challenged)
{
	const char *at = strstr(challenged, "nonce=\"");

	g_assert_nonnull(at);
	g_free(phone->nonce);
	phone->nonce = g_strndup(at + 7, strcspn(at + 7, "\""));
	phone->count = 0;
}

#define GW "sip:gw.example.org"

/* The answer to a REGISTER with these lines. */
static char *
send_register(Phone *phone, const char *extra)
{
	g_autofree char *proof =
		phone->nonce ? credentials(phone, "Authorization", "REGISTER", GW) : g_strdup("");
	g_autofree char *lines = g_strconcat(extra ? extra : "", proof, NULL);
	g_autofree char *text = request(phone, "REGISTER", GW, lines, NULL);

	peer_send(phone->peer, text);
	return peer_wait(phone->peer, "SIP/2.0 ");
}

static void
assert_status(const char *response, const char *status)
{
	g_autofree char *start = g_strdup_printf("SIP/2.0 %s", status);

	if (!g_str_has_prefix(response, start))
		g_error("%s was answered where %s was expected", response, status);
}

/* Challenged, then answered. */
static char *
do_register(Phone *phone, const char *extra)
{
	if (!phone->nonce) {
		g_autofree char *challenged = send_register(phone, extra);

		assert_status(challenged, "401");
		take_nonce(phone, challenged);
	}
	return send_register(phone, extra);
}

static char *
contact_line(const Phone *phone, const char *params)
{
	return g_strdup_printf("Contact: <sip:%s@127.0.0.1:%u%s>%s\r\n", phone->name,
			       phone->peer->port, phone->peer->stream ? ";transport=tcp" : "",
			       params);
}

static void
register_ok(Phone *phone, const char *params)
{
	g_autofree char *line = contact_line(phone, params);
	g_autofree char *answer = do_register(phone, line);

	assert_status(answer, "200");
}

static GPtrArray *
contacts(void)
{
	return store_contact_list(rig_store(), NULL);
}

static void
assert_n_contacts(guint n)
{
	g_autoptr(GPtrArray) list = contacts();

	g_assert_cmpuint(list->len, ==, n);
}

/* --- registering --- */

static void
register__challenges(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new());
	g_autofree char *challenged = NULL;
	const char *best;

	start();
	challenged = send_register(&phone, "Contact: <sip:a@127.0.0.1>\r\n");
	assert_status(challenged, "401");
	/* The better one first (RFC 8760 2.4), each in a header of its own. */
	best = strstr(challenged, "algorithm=SHA-256");
	g_assert_nonnull(best);
	g_assert_nonnull(strstr(best, "algorithm=MD5"));
	g_assert_nonnull(strstr(challenged, "received=127.0.0.1")); /* RFC 3581 */
	g_assert_nonnull(strstr(challenged, ";rport="));
	assert_n_contacts(0);
	rig_stop();
}

static void
register__both_algorithms(void)
{
	g_auto(Phone) md5 = phone_new("alice", peer_new());
	g_auto(Phone) sha = phone_new("desk", peer_new());
	g_autoptr(GPtrArray) list = NULL;
	g_autofree char *where = NULL;
	const Contact *contact;

	start();
	sha.hash = G_CHECKSUM_SHA256;
	register_ok(&md5, ";expires=300");
	register_ok(&sha, "");
	list = contacts();
	g_assert_cmpuint(list->len, ==, 2);
	contact = list->pdata[0];
	where = g_strdup_printf("udp:127.0.0.1:%u", md5.peer->port);
	g_assert_cmpstr(contact->received, ==, where);
	g_assert_cmpstr(contact->username, ==, "alice");
	g_assert_cmpint(contact->expires - g_get_real_time() / G_USEC_PER_SEC, <=, 300);
	g_assert_cmpint(contact->expires - g_get_real_time() / G_USEC_PER_SEC, >, 290);
	rig_stop();
}

static gboolean
offers(const char *challenged, const char *algorithm)
{
	g_autofree char *text = g_strdup_printf("algorithm=%s", algorithm);

	return strstr(challenged, text) != NULL;
}

/* A stack that gives up when it sees SHA-256: it is offered MD5 alone when it
 * comes again, and then always; a nonce that is too old is renewed in the
 * algorithm that was used. */
static void
register__knows_md5_alone(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new());
	g_autofree char *first = NULL, *second = NULL, *third = NULL, *stale = NULL, *last = NULL;

	start();
	first = send_register(&phone, NULL);
	g_assert_true(offers(first, "SHA-256") && offers(first, "MD5"));
	second = send_register(&phone, NULL);
	g_assert_true(!offers(second, "SHA-256") && offers(second, "MD5"));
	take_nonce(&phone, second);
	register_ok(&phone, "");
	g_clear_pointer(&phone.nonce, g_free);
	third = send_register(&phone, NULL);
	g_assert_true(!offers(third, "SHA-256") && offers(third, "MD5"));
	phone.nonce = g_strdup("1-2");
	stale = send_register(&phone, NULL);
	g_assert_true(!offers(stale, "SHA-256") && offers(stale, "MD5"));
	/* One that knows SHA-256 is offered it again. */
	phone.hash = G_CHECKSUM_SHA256;
	take_nonce(&phone, stale);
	register_ok(&phone, "");
	g_clear_pointer(&phone.nonce, g_free);
	last = send_register(&phone, NULL);
	g_assert_true(offers(last, "SHA-256") && offers(last, "MD5"));
	rig_stop();
}

static void
register__wrong_password(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new());
	g_auto(Phone) nobody = phone_new("nobody", peer_new());
	g_autofree char *refused = NULL, *same = NULL;

	start();
	phone.password = "Guess";
	refused = do_register(&phone, "Contact: <sip:a@127.0.0.1>\r\n");
	assert_status(refused, "401");
	g_assert_null(strstr(refused, "stale"));
	/* One who is not there is answered in the same way. */
	same = do_register(&nobody, "Contact: <sip:a@127.0.0.1>\r\n");
	assert_status(same, "401");
	g_assert_cmpuint(rig_counter("sip wrong passwords"), ==, 2);
	assert_n_contacts(0);
	rig_stop();
}

/* What was heard on the wire cannot be said again; a count may go on. */
static void
register__replay(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new());
	g_autofree char *replayed = NULL, *stale = NULL;

	start();
	register_ok(&phone, "");
	register_ok(&phone, ""); /* the same nonce, nc=2 */
	phone.count = 1;	 /* nc=2 again */
	replayed = send_register(&phone, "Contact: <sip:thief@127.0.0.1>\r\n");
	assert_status(replayed, "401");
	g_assert_nonnull(strstr(replayed, "stale=true"));
	assert_n_contacts(1);
	/* A nonce of before our restart: he knows the password, and is told to go on. */
	g_free(phone.nonce);
	phone.nonce = g_strdup("1234-5678");
	stale = send_register(&phone, NULL);
	assert_status(stale, "401");
	g_assert_nonnull(strstr(stale, "stale=true"));
	g_assert_cmpuint(rig_counter("sip wrong passwords"), ==, 0);
	rig_stop();
}

static void
register__query_and_remove(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new());
	g_autofree char *two = NULL, *query = NULL, *less = NULL, *none = NULL, *bad = NULL;

	start();
	two = do_register(&phone,
			  "Contact: <sip:a@127.0.0.1:7001>;q=0.5, <sip:b@127.0.0.1:7002>\r\n"
			  "Expires: 120\r\n");
	assert_status(two, "200");
	query = send_register(&phone, NULL);
	assert_status(query, "200");
	g_assert_nonnull(strstr(query, "<sip:a@127.0.0.1:7001>;expires=1"));
	g_assert_nonnull(strstr(query, "<sip:b@127.0.0.1:7002>;expires=1"));
	less = send_register(&phone, "Contact: <sip:a@127.0.0.1:7001>;expires=0\r\n");
	assert_status(less, "200");
	g_assert_null(strstr(less, "7001"));
	assert_n_contacts(1);
	bad = send_register(&phone, "Contact: *\r\nExpires: 60\r\n");
	assert_status(bad, "400");
	assert_n_contacts(1);
	none = send_register(&phone, "Contact: *\r\nExpires: 0\r\n");
	assert_status(none, "200");
	assert_n_contacts(0);
	rig_stop();
}

static void
register__limits(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new());
	g_autofree char *brief = NULL, *least = NULL, *odd = NULL, *long_one = NULL;
	g_autoptr(GPtrArray) list = NULL;

	start();
	brief = do_register(&phone, "Contact: <sip:a@127.0.0.1>;expires=10\r\n");
	assert_status(brief, "423");
	least = message_header(brief, "Min-Expires");
	g_assert_cmpstr(least, ==, "60");
	assert_n_contacts(0);
	long_one = send_register(&phone, "Contact: <sip:a@127.0.0.1>;expires=99999999\r\n");
	assert_status(long_one, "200");
	g_assert_nonnull(strstr(long_one, ";expires=3600"));
	for (guint i = 0; i < 12; i++) {
		g_autofree char *line =
			g_strdup_printf("Contact: <sip:a@127.0.0.1:%u>\r\n", 7000 + i);
		g_autofree char *more = send_register(&phone, line);

		assert_status(more, "200");
	}
	list = contacts();
	g_assert_cmpuint(list->len, ==, 8); /* the oldest made room */
	g_assert_cmpstr(((Contact *)list->pdata[7])->uri, ==, "sip:a@127.0.0.1:7011");
	odd = send_register(&phone, "Contact: <tel:+14155550101>\r\n");
	assert_status(odd, "400");
	rig_stop();
}

static void
register__whose_address(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new());
	g_autofree char *challenged = NULL, *proof = NULL, *text = NULL, *answer = NULL;
	char *to;

	start();
	challenged = send_register(&phone, NULL);
	take_nonce(&phone, challenged);
	proof = credentials(&phone, "Authorization", "REGISTER", GW);
	text = request(&phone, "REGISTER", GW, proof, NULL);
	to = strstr(text, "To: <sip:alice");
	memcpy(to, "To: <sip:clara", strlen("To: <sip:clara"));
	peer_send(phone.peer, text);
	answer = peer_wait(phone.peer, "SIP/2.0 ");
	assert_status(answer, "403");
	rig_stop();
}

static void
register__path_and_instance(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new());
	g_autofree char *one = NULL, *path = NULL, *two = NULL;
	g_autoptr(GPtrArray) list = NULL;
	const Contact *contact;

	start();
	one = do_register(&phone,
			  "Contact: <sip:a@10.1.1.1:5062>;+sip.instance=\"<urn:uuid:1>\"\r\n"
			  "Supported: path\r\nPath: <sip:edge@127.0.0.1:7001;lr>\r\n"
			  "User-Agent: test phone\r\n");
	assert_status(one, "200");
	path = message_header(one, "Path");
	g_assert_cmpstr(path, ==, "<sip:edge@127.0.0.1:7001;lr>");
	/* The same phone with another port: the old one is gone. */
	two = send_register(&phone,
			    "Contact: <sip:a@10.1.1.1:5063>;+sip.instance=\"<urn:uuid:1>\"\r\n");
	assert_status(two, "200");
	g_assert_nonnull(strstr(two, ";+sip.instance=\"<urn:uuid:1>\""));
	list = contacts();
	g_assert_cmpuint(list->len, ==, 1);
	contact = list->pdata[0];
	g_assert_cmpstr(contact->uri, ==, "sip:a@10.1.1.1:5063");
	g_assert_cmpstr(contact->instance, ==, "<urn:uuid:1>");
	rig_stop();
}

/* --- calls to a softphone --- */

static gint64
only_contact(void)
{
	g_autoptr(GPtrArray) list = contacts();

	g_assert_cmpuint(list->len, ==, 1);
	return ((Contact *)list->pdata[0])->id;
}

/* Answered with a Contact that nobody can reach: the phone is behind a NAT. */
static void
call_phone(Phone *phone)
{
	g_autofree char *invite = NULL, *ack = NULL, *bye = NULL, *uri = NULL, *to = NULL;

	rig_dial_contact(only_contact());
	invite = peer_wait(phone->peer, "INVITE ");
	uri = g_strdup_printf("INVITE sip:alice@10.9.8.7:5060%s SIP/2.0\r\n",
			      phone->peer->stream ? ";transport=tcp" : "");
	g_assert_true(g_str_has_prefix(invite, uri));
	to = message_header(invite, "To");
	g_assert_cmpstr(to, ==, "<sip:alice@gw.example.org>");
	g_assert_nonnull(strstr(invite, "+14155550100@gw.example.org"));
	peer_reply(phone->peer, invite, "180 Ringing", "p1", "Contact: <sip:a@10.9.8.7>\r\n", NULL);
	rig_expect("ringing");
	peer_reply(phone->peer, invite, "200 OK", "p1", "Contact: <sip:a@10.9.8.7>\r\n", sdp_two);
	rig_expect("answered 40002 sendrecv");
	ack = peer_wait(phone->peer, "ACK sip:a@10.9.8.7");
	rig_plugin->hangup(rig_leg, REASON_HANGUP, NULL);
	bye = peer_wait(phone->peer, "BYE sip:a@10.9.8.7");
	peer_reply(phone->peer, bye, "200 OK", NULL, NULL, NULL);
}

static void
to__phone_behind_nat(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new());
	g_autofree char *answer = NULL;

	start();
	answer = do_register(&phone, "Contact: <sip:alice@10.9.8.7:5060>\r\n");
	assert_status(answer, "200");
	call_phone(&phone);
	rig_stop();
}

static void
keep_alive(Config *config)
{
	config->sip_keepalive_s = 1;
}

/* Phones that know their address as it looks from outside cannot be told from those without a NAT.
 */
static void
to__phone_kept_alive(void)
{
	g_auto(Phone) behind = phone_new("alice", peer_new()),
		      clever = phone_new("desk", peer_new());
	g_autofree char *answer = NULL;
	Phone *phones[] = { &behind, &clever };

	rig_configure = keep_alive;
	start();
	answer = do_register(&behind, "Contact: <sip:alice@10.9.8.7:5060>\r\n");
	assert_status(answer, "200");
	register_ok(&clever, "");
	for (guint i = 0; i < G_N_ELEMENTS(phones) * 2; i++) {
		g_autofree char *ping = peer_wait(phones[i % 2]->peer, "OPTIONS sip:");

		peer_reply(phones[i % 2]->peer, ping, "200 OK", "p1", NULL, NULL);
	}
	rig_stop();
}

/* Over the connection of its REGISTER: there is no other way in. */
static void
to__phone_over_tcp(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new_tcp());
	g_autofree char *answer = NULL;

	start();
	answer = do_register(&phone, "Contact: <sip:alice@10.9.8.7:5060;transport=tcp>\r\n");
	assert_status(answer, "200");
	call_phone(&phone);
	rig_stop();
}

static void
to__answered_elsewhere(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new());
	g_autofree char *invite = NULL, *cancel = NULL, *reason = NULL, *gone = NULL;

	start();
	register_ok(&phone, "");
	rig_dial_contact(only_contact());
	invite = peer_wait(phone.peer, "INVITE ");
	peer_reply(phone.peer, invite, "180 Ringing", "p1", NULL, NULL);
	rig_expect("ringing");
	rig_plugin->hangup(rig_leg, REASON_ANSWERED_ELSEWHERE, "The call was answered elsewhere");
	cancel = peer_wait(phone.peer, "CANCEL ");
	reason = message_header(cancel, "Reason");
	g_assert_cmpstr(reason, ==, "SIP;cause=200;text=\"Call completed elsewhere\"");
	peer_reply(phone.peer, cancel, "200 OK", "p1", NULL, NULL);
	peer_reply(phone.peer, invite, "487 Request Terminated", "p1", NULL, NULL);
	gone = peer_wait(phone.peer, "ACK ");
	rig_stop();
}

/* There is no transfer: the phone hears so at once, and its call stays as it is. */
static void
to__transferring(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new());
	g_autoptr(GPtrArray) list = NULL;
	g_autofree char *invite = NULL, *ack = NULL, *from = NULL, *to = NULL, *call_id = NULL;
	g_autofree char *refer = NULL, *refused = NULL, *bye = NULL;

	start();
	register_ok(&phone, "");
	list = contacts();
	rig_dial_contact(((const Contact *)list->pdata[0])->id);
	invite = peer_wait(phone.peer, "INVITE ");
	peer_reply(phone.peer, invite, "200 OK", "p1", NULL, sdp_one);
	rig_expect_start("answered ");
	ack = peer_wait(phone.peer, "ACK ");
	from = message_header(ack, "To");
	to = message_header(ack, "From");
	call_id = message_header(ack, "Call-ID");
	refer = g_strdup_printf("REFER sip:127.0.0.1:%u SIP/2.0\r\n"
				"Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bK-away;rport\r\n"
				"From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: 5 REFER\r\n"
				"Max-Forwards: 70\r\nContact: <sip:alice@127.0.0.1:%u>\r\n"
				"Refer-To: <sip:+12125550177@gw.example.org>\r\n"
				"Content-Length: 0\r\n\r\n",
				peer_gateway_port, phone.peer->port, from, to, call_id,
				phone.peer->port);
	peer_send(phone.peer, refer);
	refused = peer_wait(phone.peer, "SIP/2.0 ");
	assert_status(refused, "405");
	rig_no_event();
	rig_plugin->hangup(rig_leg, REASON_HANGUP, NULL);
	bye = peer_wait(phone.peer, "BYE ");
	peer_reply(phone.peer, bye, "200 OK", NULL, NULL, NULL);
	rig_stop();
}

static void
to__gone(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new());

	start();
	rig_dial_contact(77);
	rig_expect("ended unreachable the softphone is not registered any more");
	rig_stop();
}

/* --- calls from a softphone --- */

#define NUMBER "sip:+12125550199@gw.example.org"

static char *
send_invite(Phone *phone, const char *uri)
{
	g_autofree char *proof = phone->nonce
					 ? credentials(phone, "Proxy-Authorization", "INVITE", uri)
					 : g_strdup("");
	g_autofree char *lines = g_strconcat("Contact: <sip:a@10.9.8.7>\r\n", proof, NULL);
	g_autofree char *text = request(phone, "INVITE", uri, lines, sdp_one);
	char *answer;

	peer_send(phone->peer, text);
	do
		answer = peer_wait(phone->peer, "SIP/2.0 ");
	while (g_str_has_prefix(answer, "SIP/2.0 100") && (g_free(answer), TRUE));
	return answer;
}

static void
from__authenticated(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new());
	g_autofree char *challenged = NULL, *proof = NULL, *lines = NULL, *text = NULL;
	g_autofree char *busy = NULL;

	start();
	/* Its From is a number of its account, and it shares the address of a trunk. */
	rig_trunk("carrier", 5999, NULL);
	phone.from = (char *)"alice";
	challenged = send_invite(&phone, NUMBER);
	assert_status(challenged, "407");
	g_assert_nonnull(strstr(challenged, "Proxy-Authenticate: Digest"));
	take_nonce(&phone, challenged);
	phone.from = (char *)"+14155550101";
	proof = credentials(&phone, "Proxy-Authorization", "INVITE", NUMBER);
	lines = g_strconcat("Contact: <sip:a@10.9.8.7>\r\n", proof, NULL);
	text = request(&phone, "INVITE", NUMBER, lines, sdp_one);
	peer_send(phone.peer, text);
	rig_expect("new alice@example.org (no name) → +12125550199 by (null) 40000 sendrecv");
	rig_plugin->hangup(rig_leg, REASON_BUSY, NULL);
	busy = peer_wait(phone.peer, "SIP/2.0 486");
	rig_stop();
}

/* A PBX that is known by its address has somebody who is called like a softphone: the
 * call is the PBX's, unless it comes from where that phone has registered. */
static void
from__pbx(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new());

	start();
	rig_trunk("carrier", 5999, NULL);
	for (guint registered = 0; registered < 2; registered++) {
		g_autofree char *text =
			request(&phone, "INVITE", NUMBER, "Contact: <sip:a@10.9.8.7>\r\n", sdp_one);
		g_auto(GStrv) parts = g_strsplit(text, "From: <sip:alice@gw.example.org>", 2);
		g_autofree char *invite = g_strjoinv("From: <sip:alice@pbx.example>", parts);
		g_autofree char *answer = NULL;

		peer_send(phone.peer, invite);
		if (!registered) {
			rig_expect("new sip:alice@pbx.example (no name) → +12125550199 by carrier "
				   "40000 sendrecv");
			rig_plugin->hangup(rig_leg, REASON_BUSY, NULL);
		}
		answer = peer_wait(phone.peer, registered ? "SIP/2.0 407" : "SIP/2.0 486");
		register_ok(&phone, "");
	}
	rig_stop();
}

static void
from__impostors(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new());
	g_auto(Phone) guess = phone_new("alice", peer_new());
	g_autofree char *challenged = NULL, *refused = NULL, *asked = NULL, *wrong = NULL;

	start();
	g_assert_true(store_user_add(rig_store(), "bob@example.org", NULL));
	g_assert_true(store_number_add(rig_store(), "+14155550102", "bob@example.org", NULL));
	phone.from = (char *)"+14155550102"; /* bob's */
	challenged = send_invite(&phone, NUMBER);
	assert_status(challenged, "407");
	take_nonce(&phone, challenged);
	refused = send_invite(&phone, NUMBER);
	assert_status(refused, "403");
	asked = send_invite(&guess, NUMBER);
	take_nonce(&guess, asked);
	guess.password = "guess";
	wrong = send_invite(&guess, NUMBER);
	assert_status(wrong, "407");
	g_assert_cmpuint(rig_counter("sip wrong passwords"), ==, 1);
	rig_no_event();
	rig_stop();
}

/* A phone that wants a call of another one in its place: it is told that there is
 * none, and its INVITE does not become a call to whatever its address says. */
static void
from__replacing(void)
{
	static const char *const wishes[][2] = {
		{ "Replaces: 7@10.9.8.7;to-tag=a;from-tag=b\r\n", "481" },
		{ "Replaces: 7@10.9.8.7;to-tag=a;from-tag=b;early-only\r\n", "481" },
		{ "Require: replaces\r\nReplaces: 7@10.9.8.7;to-tag=a;from-tag=b\r\n", "420" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(wishes); i++) {
		g_auto(Phone) phone = phone_new("alice", peer_new());
		g_autofree char *challenged = NULL, *proof = NULL, *lines = NULL, *text = NULL;
		g_autofree char *refused = NULL;

		start();
		challenged = send_invite(&phone, NUMBER);
		take_nonce(&phone, challenged);
		proof = credentials(&phone, "Proxy-Authorization", "INVITE", NUMBER);
		lines = g_strconcat("Contact: <sip:a@10.9.8.7>\r\n", wishes[i][0], proof, NULL);
		text = request(&phone, "INVITE", NUMBER, lines, sdp_one);
		peer_send(phone.peer, text);
		refused = peer_wait(phone.peer, "SIP/2.0 4");
		assert_status(refused, wishes[i][1]);
		rig_no_event();
		rig_stop();
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/sip-register/challenges", register__challenges);
	g_test_add_func("/sip-register/both-algorithms", register__both_algorithms);
	g_test_add_func("/sip-register/knows-md5-alone", register__knows_md5_alone);
	g_test_add_func("/sip-register/wrong-password", register__wrong_password);
	g_test_add_func("/sip-register/replay", register__replay);
	g_test_add_func("/sip-register/query-and-remove", register__query_and_remove);
	g_test_add_func("/sip-register/limits", register__limits);
	g_test_add_func("/sip-register/whose-address", register__whose_address);
	g_test_add_func("/sip-register/path-and-instance", register__path_and_instance);
	g_test_add_func("/sip-register/to-phone-behind-nat", to__phone_behind_nat);
	g_test_add_func("/sip-register/to-phone-kept-alive", to__phone_kept_alive);
	g_test_add_func("/sip-register/to-phone-over-tcp", to__phone_over_tcp);
	g_test_add_func("/sip-register/to-answered-elsewhere", to__answered_elsewhere);
	g_test_add_func("/sip-register/to-transferring", to__transferring);
	g_test_add_func("/sip-register/to-gone", to__gone);
	g_test_add_func("/sip-register/from-authenticated", from__authenticated);
	g_test_add_func("/sip-register/from-pbx", from__pbx);
	g_test_add_func("/sip-register/from-impostors", from__impostors);
	g_test_add_func("/sip-register/from-replacing", from__replacing);
	return g_test_run();
}
