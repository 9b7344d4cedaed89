/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-sip-register.c - softphones: REGISTER, and calls from and to them. */
#include "plugins/sip/stack/sip_counters.h"
#include "tests/legs/sip-phone.h"
#include "db/store_private.h"
#include "plugins/sip/stack/sip_digest.h"
#include <string.h>

/* --- registering --- */

static void
register__challenges(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new());
	g_autofree char *challenged = NULL;
	const char *best;

	phone_start();
	challenged = phone_send_register(&phone, "Contact: <sip:a@127.0.0.1>\r\n");
	phone_assert_status(challenged, "401");
	/* The better one first (RFC 8760 2.4), each in a header of its own. */
	best = strstr(challenged, "algorithm=SHA-256");
	g_assert_nonnull(best);
	g_assert_nonnull(strstr(best, "algorithm=MD5"));
	g_assert_nonnull(strstr(challenged, "received=127.0.0.1")); /* RFC 3581 */
	g_assert_nonnull(strstr(challenged, ";rport="));
	phone_assert_contacts(0);
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

	phone_start();
	sha.hash = G_CHECKSUM_SHA256;
	phone_register(&md5, ";expires=300");
	phone_register(&sha, "");
	list = phone_contacts();
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

	phone_start();
	first = phone_send_register(&phone, NULL);
	g_assert_true(offers(first, "SHA-256") && offers(first, "MD5"));
	second = phone_send_register(&phone, NULL);
	g_assert_true(!offers(second, "SHA-256") && offers(second, "MD5"));
	phone_take_nonce(&phone, second);
	phone_register(&phone, "");
	g_clear_pointer(&phone.nonce, g_free);
	third = phone_send_register(&phone, NULL);
	g_assert_true(!offers(third, "SHA-256") && offers(third, "MD5"));
	phone.nonce = g_strdup("1-2");
	stale = phone_send_register(&phone, NULL);
	g_assert_true(!offers(stale, "SHA-256") && offers(stale, "MD5"));
	/* One that knows SHA-256 is offered it again. */
	phone.hash = G_CHECKSUM_SHA256;
	phone_take_nonce(&phone, stale);
	phone_register(&phone, "");
	g_clear_pointer(&phone.nonce, g_free);
	last = phone_send_register(&phone, NULL);
	g_assert_true(offers(last, "SHA-256") && offers(last, "MD5"));
	rig_stop();
}

/* Whoever asks without a password is answered in the same way whether there is such a
 * name or not, and takes nothing from the phone of that name, which asks from elsewhere. */
static void
register__names_alike(void)
{
	static const char *const NAMES[] = { "alice", "nobody" };
	static const char *const PROGRAMS[] = { "", "Some 1.", "baresip v1.0." };

	phone_start();
	for (guint p = 0; p < G_N_ELEMENTS(PROGRAMS); p++) {
		gboolean sha[2][3], plain[2][3];

		for (guint n = 0; n < G_N_ELEMENTS(NAMES); n++) {
			g_auto(Phone) phone = phone_new(NAMES[n], peer_new());
			/* each by a program of its own, since both ask from one address */
			g_autofree char *lines =
				g_strdup_printf("User-Agent: %s%u\r\n", PROGRAMS[p], n);

			for (guint i = 0; i < 3; i++) {
				g_autofree char *challenged = phone_send_register(&phone, lines);

				phone_assert_status(challenged, "401");
				sha[n][i] = offers(challenged, "SHA-256");
				plain[n][i] = offers(challenged, "MD5");
				g_assert_null(strstr(challenged, "stale"));
			}
		}
		g_assert_cmpmem(sha[0], sizeof sha[0], sha[1], sizeof sha[1]);
		g_assert_cmpmem(plain[0], sizeof plain[0], plain[1], sizeof plain[1]);
		/* baresip 1.0 gives up at the first sight of another algorithm */
		g_assert_cmpint(sha[0][0], ==, p < 2);
		g_assert_true(plain[0][0]);
	}
	rig_stop();
}

static void
register__wrong_password(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new());
	g_auto(Phone) nobody = phone_new("nobody", peer_new());
	g_autofree char *refused = NULL, *same = NULL;

	phone_start();
	phone.password = "Guess";
	refused = phone_do_register(&phone, "Contact: <sip:a@127.0.0.1>\r\n");
	phone_assert_status(refused, "401");
	g_assert_null(strstr(refused, "stale"));
	/* One who is not there is answered in the same way. */
	same = phone_do_register(&nobody, "Contact: <sip:a@127.0.0.1>\r\n");
	phone_assert_status(same, "401");
	g_assert_cmpuint(sip_counter(COUNTER_SIP_WRONG_PASSWORDS), ==, 2);
	phone_assert_contacts(0);
	rig_stop();
}

/* What was heard on the wire cannot be said again; a count may go on. */
static void
register__replay(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new());
	g_autofree char *replayed = NULL, *stale = NULL;

	phone_start();
	phone_register(&phone, "");
	phone_register(&phone, ""); /* the same nonce, nc=2 */
	phone.count = 1;	    /* nc=2 again */
	replayed = phone_send_register(&phone, "Contact: <sip:thief@127.0.0.1>\r\n");
	phone_assert_status(replayed, "401");
	g_assert_nonnull(strstr(replayed, "stale=true"));
	phone_assert_contacts(1);
	/* A nonce of before our restart: he knows the password, and is told to go on. */
	g_free(phone.nonce);
	phone.nonce = g_strdup("1234-5678");
	stale = phone_send_register(&phone, NULL);
	phone_assert_status(stale, "401");
	g_assert_nonnull(strstr(stale, "stale=true"));
	g_assert_cmpuint(sip_counter(COUNTER_SIP_WRONG_PASSWORDS), ==, 0);
	rig_stop();
}

/* The answer was lost, and the same request comes again: from there it is answered as before,
 * from elsewhere it is a thief's. */
static void
register__sent_again(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new());
	g_autoptr(Peer) thief = peer_new();
	g_autofree char *line = phone_contact_line(&phone, ""), *proof = NULL, *lines = NULL;
	g_autofree char *text = NULL, *one = NULL, *two = NULL, *other = NULL;

	phone_start();
	phone_register(&phone, "");
	proof = phone_credentials(&phone, "Authorization", "REGISTER", GW);
	lines = g_strconcat(line, proof, NULL);
	text = phone_request(&phone, "REGISTER", GW, lines, NULL);
	peer_send(phone.peer, text);
	one = peer_wait(phone.peer, "SIP/2.0 ");
	phone_assert_status(one, "200");
	peer_send(phone.peer, text);
	two = peer_wait(phone.peer, "SIP/2.0 ");
	phone_assert_status(two, "200");
	g_assert_nonnull(strstr(two, ";expires="));
	peer_send(thief, text);
	other = peer_wait(thief, "SIP/2.0 ");
	phone_assert_status(other, "401");
	phone_assert_contacts(1);
	rig_stop();
}

static void
register__query_and_remove(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new());
	g_autofree char *two = NULL, *query = NULL, *less = NULL, *none = NULL, *bad = NULL;

	phone_start();
	two = phone_do_register(&phone,
				"Contact: <sip:a@127.0.0.1:7001>;q=0.5, <sip:b@127.0.0.1:7002>\r\n"
				"Expires: 120\r\n");
	phone_assert_status(two, "200");
	query = phone_send_register(&phone, NULL);
	phone_assert_status(query, "200");
	g_assert_nonnull(strstr(query, "<sip:a@127.0.0.1:7001>;expires=1"));
	g_assert_nonnull(strstr(query, "<sip:b@127.0.0.1:7002>;expires=1"));
	less = phone_send_register(&phone, "Contact: <sip:a@127.0.0.1:7001>;expires=0\r\n");
	phone_assert_status(less, "200");
	g_assert_null(strstr(less, "7001"));
	phone_assert_contacts(1);
	bad = phone_send_register(&phone, "Contact: *\r\nExpires: 60\r\n");
	phone_assert_status(bad, "400");
	phone_assert_contacts(1);
	none = phone_send_register(&phone, "Contact: *\r\nExpires: 0\r\n");
	phone_assert_status(none, "200");
	phone_assert_contacts(0);
	rig_stop();
}

static void
register__limits(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new());
	g_autofree char *brief = NULL, *least = NULL, *odd = NULL, *long_one = NULL;
	g_autoptr(GPtrArray) list = NULL;

	phone_start();
	brief = phone_do_register(&phone, "Contact: <sip:a@127.0.0.1>;expires=10\r\n");
	phone_assert_status(brief, "423");
	least = message_header(brief, "Min-Expires");
	g_assert_cmpstr(least, ==, "60");
	phone_assert_contacts(0);
	long_one = phone_send_register(&phone, "Contact: <sip:a@127.0.0.1>;expires=99999999\r\n");
	phone_assert_status(long_one, "200");
	g_assert_nonnull(strstr(long_one, ";expires=3600"));
	for (guint i = 0; i < 12; i++) {
		g_autofree char *line =
			g_strdup_printf("Contact: <sip:a@127.0.0.1:%u>\r\n", 7000 + i);
		g_autofree char *more = phone_send_register(&phone, line);

		phone_assert_status(more, "200");
	}
	list = phone_contacts();
	g_assert_cmpuint(list->len, ==, 8); /* the oldest made room */
	g_assert_cmpstr(((Contact *)list->pdata[7])->uri, ==, "sip:a@127.0.0.1:7011");
	odd = phone_send_register(&phone, "Contact: <tel:+14155550101>\r\n");
	phone_assert_status(odd, "400");
	rig_stop();
}

static void
register__whose_address(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new());
	g_autofree char *challenged = NULL, *proof = NULL, *text = NULL, *answer = NULL;
	char *to;

	phone_start();
	challenged = phone_send_register(&phone, NULL);
	phone_take_nonce(&phone, challenged);
	proof = phone_credentials(&phone, "Authorization", "REGISTER", GW);
	text = phone_request(&phone, "REGISTER", GW, proof, NULL);
	to = strstr(text, "To: <sip:alice");
	memcpy(to, "To: <sip:clara", strlen("To: <sip:clara"));
	peer_send(phone.peer, text);
	answer = peer_wait(phone.peer, "SIP/2.0 ");
	phone_assert_status(answer, "403");
	rig_stop();
}

static void
register__path_and_instance(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new());
	g_autofree char *one = NULL, *path = NULL, *two = NULL;
	g_autoptr(GPtrArray) list = NULL;
	const Contact *contact;

	phone_start();
	one = phone_do_register(&phone,
				"Contact: <sip:a@10.1.1.1:5062>;+sip.instance=\"<urn:uuid:1>\"\r\n"
				"Supported: path\r\nPath: <sip:edge@127.0.0.1:7001;lr>\r\n"
				"User-Agent: test phone\r\n");
	phone_assert_status(one, "200");
	path = message_header(one, "Path");
	g_assert_cmpstr(path, ==, "<sip:edge@127.0.0.1:7001;lr>");
	/* The same phone with another port: the old one is gone. */
	two = phone_send_register(
		&phone, "Contact: <sip:a@10.1.1.1:5063>;+sip.instance=\"<urn:uuid:1>\"\r\n");
	phone_assert_status(two, "200");
	g_assert_nonnull(strstr(two, ";+sip.instance=\"<urn:uuid:1>\""));
	list = phone_contacts();
	g_assert_cmpuint(list->len, ==, 1);
	contact = list->pdata[0];
	g_assert_cmpstr(contact->uri, ==, "sip:a@10.1.1.1:5063");
	g_assert_cmpstr(contact->instance, ==, "<urn:uuid:1>");
	rig_stop();
}

/* --- calls to a softphone --- */

/* Answered with a Contact that nobody can reach: the phone is behind a NAT. */
static void
call_phone(Phone *phone)
{
	g_autofree char *invite = NULL, *ack = NULL, *bye = NULL, *uri = NULL, *to = NULL;

	rig_dial_contact(phone_only_contact());
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
	rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
	bye = peer_wait(phone->peer, "BYE sip:a@10.9.8.7");
	peer_reply(phone->peer, bye, "200 OK", NULL, NULL, NULL);
}

static void
to__phone_behind_nat(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new());
	g_autofree char *answer = NULL;

	phone_start();
	answer = phone_do_register(&phone, "Contact: <sip:alice@10.9.8.7:5060>\r\n");
	phone_assert_status(answer, "200");
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
	phone_start();
	answer = phone_do_register(&behind, "Contact: <sip:alice@10.9.8.7:5060>\r\n");
	phone_assert_status(answer, "200");
	phone_register(&clever, "");
	for (guint i = 0; i < G_N_ELEMENTS(phones) * 2; i++) {
		g_autofree char *ping = peer_wait(phones[i % 2]->peer, "OPTIONS sip:");

		peer_reply(phones[i % 2]->peer, ping, "200 OK", "p1", NULL, NULL);
	}
	rig_stop();
}

/* Nothing is kept of an OPTIONS: without an answer the next one is another request. */
static void
to__phone_gone(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new());
	g_autofree char *answer = NULL, *before = NULL;

	rig_configure = keep_alive;
	phone_start();
	answer = phone_do_register(&phone, "Contact: <sip:alice@10.9.8.7:5060>\r\n");
	phone_assert_status(answer, "200");
	for (guint i = 0; i < 4; i++) {
		g_autofree char *ping = peer_wait(phone.peer, "OPTIONS sip:");
		g_autofree char *call_id = message_header(ping, "Call-ID");

		g_assert_cmpstr(call_id, !=, before);
		g_free(before);
		before = g_steal_pointer(&call_id);
	}
	rig_stop();
}

/* Over the connection of its REGISTER: there is no other way in. */
static void
to__phone_over_tcp(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new_tcp());
	g_autofree char *answer = NULL;

	phone_start();
	answer = phone_do_register(&phone, "Contact: <sip:alice@10.9.8.7:5060;transport=tcp>\r\n");
	phone_assert_status(answer, "200");
	call_phone(&phone);
	rig_stop();
}

static void
to__answered_elsewhere(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new());
	g_autofree char *invite = NULL, *cancel = NULL, *reason = NULL, *gone = NULL;

	phone_start();
	phone_register(&phone, "");
	rig_dial_contact(phone_only_contact());
	invite = peer_wait(phone.peer, "INVITE ");
	peer_reply(phone.peer, invite, "180 Ringing", "p1", NULL, NULL);
	rig_expect("ringing");
	rig_plugin->leg->hangup(rig_leg, REASON_ANSWERED_ELSEWHERE,
				"The call was answered elsewhere");
	cancel = peer_wait(phone.peer, "CANCEL ");
	reason = message_header(cancel, "Reason");
	g_assert_cmpstr(reason, ==, "SIP;cause=200;text=\"Call completed elsewhere\"");
	peer_reply(phone.peer, cancel, "200 OK", "p1", NULL, NULL);
	peer_reply(phone.peer, invite, "487 Request Terminated", "p1", NULL, NULL);
	gone = peer_wait(phone.peer, "ACK ");
	rig_stop();
}

static void
to__gone(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new());

	phone_start();
	rig_dial_contact(77);
	rig_expect("failed unreachable not registered");
	rig_stop();
}

/* --- calls from a softphone --- */

static void
from__authenticated(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new());
	g_autofree char *challenged = NULL, *proof = NULL, *lines = NULL, *text = NULL;
	g_autofree char *busy = NULL;

	phone_start();
	/* Its From is a number of its account, and it shares the address of a trunk. */
	rig_trunk("carrier", 5999, NULL);
	phone.from = (char *)"alice";
	challenged = phone_send_invite(&phone, NUMBER);
	phone_assert_status(challenged, "407");
	g_assert_nonnull(strstr(challenged, "Proxy-Authenticate: Digest"));
	phone_take_nonce(&phone, challenged);
	phone.from = (char *)"+14155550101";
	proof = phone_credentials(&phone, "Proxy-Authorization", "INVITE", NUMBER);
	lines = g_strconcat("Contact: <sip:a@10.9.8.7>\r\n", proof, NULL);
	text = phone_request(&phone, "INVITE", NUMBER, lines, sdp_one);
	peer_send(phone.peer, text);
	rig_expect("new alice@example.org (no name) as +14155550101 → +12125550199 by (null) 40000 "
		   "sendrecv");
	rig_plugin->leg->hangup(rig_leg, REASON_BUSY, NULL);
	busy = peer_wait(phone.peer, "SIP/2.0 486");
	rig_stop();
}

/* A PBX that is known by its address has somebody who is called like a softphone: the
 * call is the PBX's, unless it comes from where that phone has registered. */
static void
from__pbx(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new());

	phone_start();
	rig_trunk("carrier", 5999, NULL);
	for (guint registered = 0; registered < 2; registered++) {
		g_autofree char *text = phone_request(&phone, "INVITE", NUMBER,
						      "Contact: <sip:a@10.9.8.7>\r\n", sdp_one);
		g_auto(GStrv) parts = g_strsplit(text, "From: <sip:alice@gw.example.org>", 2);
		g_autofree char *invite = g_strjoinv("From: <sip:alice@pbx.example>", parts);
		g_autofree char *answer = NULL;

		peer_send(phone.peer, invite);
		if (!registered) {
			rig_expect("new sip:alice@pbx.example (no name) → +12125550199 by carrier "
				   "40000 sendrecv");
			rig_plugin->leg->hangup(rig_leg, REASON_BUSY, NULL);
		}
		answer = peer_wait(phone.peer, registered ? "SIP/2.0 407" : "SIP/2.0 486");
		phone_register(&phone, "");
	}
	rig_stop();
}

static void
from__impostors(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new());
	g_auto(Phone) guess = phone_new("alice", peer_new());
	g_autofree char *challenged = NULL, *refused = NULL, *asked = NULL, *wrong = NULL;

	phone_start();
	g_assert_true(store_user_add(rig_store(), "bob@example.org", NULL));
	g_assert_true(store_number_add(rig_store(), "+14155550102", "bob@example.org", NULL));
	phone.from = (char *)"+14155550102"; /* bob's */
	challenged = phone_send_invite(&phone, NUMBER);
	phone_assert_status(challenged, "407");
	phone_take_nonce(&phone, challenged);
	refused = phone_send_invite(&phone, NUMBER);
	phone_assert_status(refused, "403");
	asked = phone_send_invite(&guess, NUMBER);
	phone_take_nonce(&guess, asked);
	guess.password = "guess";
	wrong = phone_send_invite(&guess, NUMBER);
	phone_assert_status(wrong, "407");
	g_assert_cmpuint(sip_counter(COUNTER_SIP_WRONG_PASSWORDS), ==, 1);
	rig_no_event();
	rig_stop();
}

/* Nobody is taken for a stranger, or for hostile: a REGISTER is to come again, and who
 * calls for help is heard by the core, which refuses everything else. */
static void
from__unreadable_store(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new());
	g_autofree char *later = NULL, *retry = NULL, *invite = NULL, *refused = NULL;

	phone_start();
	g_assert_cmpint(sqlite3_exec(rig_store()->db, "ALTER TABLE softphones RENAME TO gone", NULL,
				     NULL, NULL),
			==, SQLITE_OK);
	later = phone_send_register(&phone, "Contact: <sip:a@127.0.0.1>\r\n");
	phone_assert_status(later, "503");
	retry = message_header(later, "Retry-After");
	g_assert_nonnull(retry);
	invite = phone_request(&phone, "INVITE", "sip:112@gw.example.org",
			       "Contact: <sip:a@127.0.0.1>\r\n", sdp_one);
	peer_send(phone.peer, invite);
	rig_expect_start("new unknown@");
	rig_plugin->leg->hangup(rig_leg, REASON_NETWORK_ERROR, NULL);
	refused = peer_wait(phone.peer, "SIP/2.0 5");
	g_assert_cmpuint(sip_counter(COUNTER_SIP_WRONG_PASSWORDS), ==, 0);
	rig_stop();
}

static void
rename_table(const char *from, const char *to)
{
	g_autofree char *sql = g_strdup_printf("ALTER TABLE %s RENAME TO %s", from, to);

	g_assert_cmpint(sqlite3_exec(rig_store()->db, sql, NULL, NULL, NULL), ==, SQLITE_OK);
}

static void
assert_later(const char *answer)
{
	g_autofree char *retry = message_header(answer, "Retry-After");

	phone_assert_status(answer, "503");
	g_assert_nonnull(retry);
}

/* A phone that has proven itself, and then a table cannot be read: whether a number is its own,
 * or where it was registered, is not known. */
static void
from__unreadable_tables(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new());
	g_autofree char *line = phone_contact_line(&phone, ""), *first = NULL, *kept = NULL;
	g_autofree char *asked = NULL, *proof = NULL, *lines = NULL, *invite = NULL,
			*refused = NULL;

	phone_start();
	first = phone_do_register(&phone, line);
	phone_assert_status(first, "200");
	rename_table("contacts", "gone");
	kept = phone_send_register(&phone, line);
	assert_later(kept);
	rename_table("gone", "contacts");

	phone.from = (char *)"+14155550101";
	g_clear_pointer(&phone.nonce, g_free);
	asked = phone_send_invite(&phone, NUMBER);
	phone_assert_status(asked, "407");
	phone_take_nonce(&phone, asked);
	proof = phone_credentials(&phone, "Proxy-Authorization", "INVITE", NUMBER);
	lines = g_strconcat("Contact: <sip:a@10.9.8.7>\r\n", proof, NULL);
	invite = phone_request(&phone, "INVITE", NUMBER, lines, sdp_one);
	rename_table("numbers", "gone");
	peer_send(phone.peer, invite);
	rig_expect_start("new ");
	rig_plugin->leg->hangup(rig_leg, REASON_NETWORK_ERROR, NULL);
	refused = peer_wait(phone.peer, "SIP/2.0 5");
	rename_table("gone", "numbers");
	g_assert_cmpuint(sip_counter(COUNTER_SIP_WRONG_PASSWORDS), ==, 0);
	rig_stop();
}

static void
with_rates(Config *config)
{
	config->sip_throttle_failures = 20;
}

/* An edge proxy has been restarted, and all phones behind it register at once by its one port. */
static void
register__many_by_one_proxy(void)
{
	g_auto(Phone) edge = phone_new("alice", peer_new());
	static const char PATH[] = "Path: <sip:127.0.0.1:5099;lr>\r\n";
	g_autofree char *line = phone_contact_line(&edge, ""), *first = NULL, *lines = NULL;

	rig_configure = with_rates;
	phone_start();
	lines = g_strconcat(line, PATH, NULL);
	first = phone_do_register(&edge, lines);
	phone_assert_status(first, "200");
	for (guint i = 0; i < 200; i++) {
		g_autofree char *text = phone_request(&edge, "REGISTER", GW, PATH, NULL);

		peer_send(edge.peer, text);
		if (i % 20 == 19)
			rig_spin(5);
	}
	for (guint i = 0; i < 200; i++)
		g_free(peer_wait(edge.peer, "SIP/2.0 401"));
	rig_stop();
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/sip-register/challenges", register__challenges);
	g_test_add_func("/sip-register/both-algorithms", register__both_algorithms);
	g_test_add_func("/sip-register/knows-md5-alone", register__knows_md5_alone);
	g_test_add_func("/sip-register/names-alike", register__names_alike);
	g_test_add_func("/sip-register/wrong-password", register__wrong_password);
	g_test_add_func("/sip-register/replay", register__replay);
	g_test_add_func("/sip-register/query-and-remove", register__query_and_remove);
	g_test_add_func("/sip-register/limits", register__limits);
	g_test_add_func("/sip-register/whose-address", register__whose_address);
	g_test_add_func("/sip-register/path-and-instance", register__path_and_instance);
	g_test_add_func("/sip-register/to-phone-behind-nat", to__phone_behind_nat);
	g_test_add_func("/sip-register/to-phone-kept-alive", to__phone_kept_alive);
	g_test_add_func("/sip-register/to-phone-gone", to__phone_gone);
	g_test_add_func("/sip-register/to-phone-over-tcp", to__phone_over_tcp);
	g_test_add_func("/sip-register/to-answered-elsewhere", to__answered_elsewhere);
	g_test_add_func("/sip-register/to-gone", to__gone);
	g_test_add_func("/sip-register/from-authenticated", from__authenticated);
	g_test_add_func("/sip-register/from-pbx", from__pbx);
	g_test_add_func("/sip-register/from-impostors", from__impostors);
	g_test_add_func("/sip-register/from-unreadable-store", from__unreadable_store);
	g_test_add_func("/sip-register/from-unreadable-tables", from__unreadable_tables);
	g_test_add_func("/sip-register/sent-again", register__sent_again);
	g_test_add_func("/sip-register/many-by-one-proxy", register__many_by_one_proxy);
	return g_test_run();
}
