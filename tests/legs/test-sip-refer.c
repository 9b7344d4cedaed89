/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-sip-refer.c - transfer and takeover, as softphones ask for them. */
#include "tests/legs/sip-phone.h"
#include <string.h>

/* A call to alice's phone, answered: its side of the dialog, for requests of its own. */
typedef struct {
	Phone *phone;
	char *from, *to, *call_id;
	guint cseq;
} Dialog;

static void
dialog_clear(Dialog *dialog)
{
	g_free(dialog->from);
	g_free(dialog->to);
	g_free(dialog->call_id);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Dialog, dialog_clear)

static Dialog
answered(Phone *phone)
{
	g_autoptr(GPtrArray) list = phone_contacts();
	g_autofree char *invite = NULL, *ack = NULL;
	Dialog dialog = { .phone = phone };

	rig_dial_contact(((const Contact *)list->pdata[0])->id);
	invite = peer_wait(phone->peer, "INVITE ");
	peer_reply(phone->peer, invite, "200 OK", "p1", NULL, sdp_one);
	rig_expect_start("answered ");
	ack = peer_wait(phone->peer, "ACK ");
	dialog.from = message_header(ack, "To");
	dialog.to = message_header(ack, "From");
	dialog.call_id = message_header(ack, "Call-ID");
	return dialog;
}

/* The first answer to it, 100 apart. */
static char *
ask(Dialog *dialog, const char *method, const char *extra)
{
	guint port = dialog->phone->peer->port;
	g_autofree char *text = NULL;

	dialog->cseq++;
	text = g_strdup_printf("%s sip:127.0.0.1:%u SIP/2.0\r\n"
			       "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bK-%s-%u;rport\r\n"
			       "From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %u %s\r\n"
			       "Max-Forwards: 70\r\nContact: <sip:alice@127.0.0.1:%u>\r\n%s"
			       "Content-Length: 0\r\n\r\n",
			       method, peer_gateway_port, port, dialog->call_id, dialog->cseq,
			       dialog->from, dialog->to, dialog->call_id, dialog->cseq, method,
			       port, extra);
	peer_send(dialog->phone->peer, text);
	return peer_wait(dialog->phone->peer, "SIP/2.0 ");
}

static char *
refer(Dialog *dialog, const char *to)
{
	g_autofree char *extra = g_strdup_printf("Refer-To: %s\r\n", to);

	return ask(dialog, "REFER", extra);
}

/* The next NOTIFY is of that REFER and says so. */
static void
expect_notify(Dialog *dialog, const char *state, const char *result)
{
	g_autofree char *notify = peer_wait(dialog->phone->peer, "NOTIFY ");
	g_autofree char *event = message_header(notify, "Event");
	g_autofree char *type = message_header(notify, "Content-Type");
	g_autofree char *subscription = message_header(notify, "Subscription-State");
	g_autofree char *expected = g_strdup_printf("refer;id=%u", dialog->cseq);

	g_assert_cmpstr(event, ==, expected);
	g_assert_cmpstr(type, ==, "message/sipfrag;version=2.0");
	g_assert_true(g_str_has_prefix(subscription, state));
	g_assert_cmpstr(message_body(notify), ==, result);
	peer_reply(dialog->phone->peer, notify, "200 OK", NULL, NULL, NULL);
}

static void
hang_up(const Dialog *dialog)
{
	g_autofree char *bye = NULL;

	rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
	bye = peer_wait(dialog->phone->peer, "BYE ");
	peer_reply(dialog->phone->peer, bye, "200 OK", NULL, NULL, NULL);
}

static void
test_blind(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new());
	g_autofree char *accepted = NULL, *again = NULL, *bye = NULL;
	g_auto(Dialog) dialog = { 0 };

	phone_start();
	phone_register(&phone, "");
	dialog = answered(&phone);
	accepted = refer(&dialog, "<sip:+12125550177@gw.example.org>");
	phone_assert_status(accepted, "202");
	rig_expect("transfers to +12125550177");
	expect_notify(&dialog, "active", "SIP/2.0 100 Trying\r\n");
	rig_plugin->leg->transferring(rig_leg, TRANSFER_RINGING, REASON_NONE, NULL);
	expect_notify(&dialog, "active", "SIP/2.0 180 Ringing\r\n");
	/* one at a time */
	again = refer(&dialog, "<sip:+12125550178@gw.example.org>");
	phone_assert_status(again, "491");
	dialog.cseq--;
	rig_plugin->leg->transferring(rig_leg, TRANSFER_DONE, REASON_NONE, NULL);
	rig_plugin->leg->hangup(rig_leg, REASON_TRANSFERRED, NULL);
	expect_notify(&dialog, "terminated", "SIP/2.0 200 OK\r\n");
	bye = peer_wait(phone.peer, "BYE ");
	peer_reply(phone.peer, bye, "200 OK", NULL, NULL, NULL);
	rig_no_event();
	rig_stop();
}

/* All is as it was, and the next one may do better. */
static void
test_failed(void)
{
	static const struct {
		Reason reason;
		const char *result;
	} CASES[] = {
		{ REASON_BUSY, "SIP/2.0 486 Busy Here\r\n" },
		{ REASON_NOT_FOUND, "SIP/2.0 404 Not Found\r\n" },
		{ REASON_FORBIDDEN, "SIP/2.0 403 Forbidden\r\n" },
	};
	g_auto(Phone) phone = phone_new("alice", peer_new());
	g_auto(Dialog) dialog = { 0 };

	phone_start();
	phone_register(&phone, "");
	dialog = answered(&phone);
	for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_autofree char *accepted = refer(&dialog, "<sip:desk@gw.example.org>");

		phone_assert_status(accepted, "202");
		rig_expect("transfers to sip:desk@gw.example.org");
		expect_notify(&dialog, "active", "SIP/2.0 100 Trying\r\n");
		rig_plugin->leg->transferring(rig_leg, TRANSFER_FAILED, CASES[i].reason,
					      "it is so");
		expect_notify(&dialog, "terminated", CASES[i].result);
	}
	hang_up(&dialog);
	rig_stop();
}

/* What cannot be read is refused, what means something else is not an INVITE. */
static void
test_odd_targets(void)
{
	static const struct {
		const char *to, *status, *event;
	} CASES[] = {
		{ "<sip:bob@elsewhere.example;method=BYE>", "400", NULL },
		{ "<sip:bob@elsewhere.example;method=INVITE>", "202",
		  "transfers to sip:bob@elsewhere.example" },
		{ "sip:+12125550177@gw.example.org", "202", "transfers to +12125550177" },
		{ "<tel:+12125550177>", "202", "transfers to +12125550177" },
		{ "<sip:gw.example.org>", "400", NULL },
		{ "<sip:@>", "400", NULL },
		{ "<>", "400", NULL },
		{ "<urn:service:sos>", "400", NULL },
		{ "<http://gw.example.org/>", "400", NULL },
		{ "<sip:bob@gw.example.org?Replaces=%00>", "202", NULL },
		{ "<sip:bob@gw.example.org?Replaces=nothing>", "202", NULL },
		{ "<sip:bob@gw.example.org?Replaces=a%40b%3Bto-tag%3Dc%3Bfrom-tag%3Dd>", "202",
		  NULL },
		{ "<sip:bob@gw.example.org?Replaces=%3Bto-tag%3D&Replaces=%3B>", "202", NULL },
		{ "<sip:bob@gw.example.org?Subject=x&Accept-Contact=y>", "202",
		  "transfers to sip:bob@gw.example.org" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_auto(Phone) phone = phone_new("alice", peer_new());
		g_auto(Dialog) dialog = { 0 };
		g_autofree char *answer = NULL;

		phone_start();
		phone_register(&phone, "");
		dialog = answered(&phone);
		answer = refer(&dialog, CASES[i].to);
		g_test_message("%s: %.20s", CASES[i].to, answer);
		phone_assert_status(answer, CASES[i].status);
		if (CASES[i].event) {
			rig_expect(CASES[i].event);
			expect_notify(&dialog, "active", "SIP/2.0 100 Trying\r\n");
		} else if (strcmp(CASES[i].status, "202") == 0) {
			expect_notify(&dialog, "terminated",
				      "SIP/2.0 481 Call/Transaction Does Not Exist\r\n");
		}
		rig_no_event();
		hang_up(&dialog);
		rig_stop();
	}
}

static char *
tag_of(const char *party)
{
	return g_strdup(strstr(party, ";tag=") + strlen(";tag="));
}

/* Two dialogs of one phone; the Refer-To names the second, as we are to be asked. */
static void
test_attended(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new());
	g_auto(Dialog) one = { 0 };
	g_auto(Dialog) two = { 0 };
	g_autofree char *ours = NULL, *theirs = NULL, *to = NULL, *accepted = NULL,
			*replaces = NULL, *self = NULL, *other = NULL, *own = NULL;
	Leg *first;

	phone_start();
	phone_register(&phone, "");
	one = answered(&phone);
	first = rig_leg;
	two = answered(&phone);
	ours = tag_of(two.to);
	theirs = tag_of(two.from);
	replaces = g_strdup_printf("%s;to-tag=%s;from-tag=%s", two.call_id, ours, theirs);
	other = g_uri_escape_string(replaces, NULL, FALSE);
	to = g_strdup_printf("<sip:127.0.0.1?Replaces=%s>", other);
	self = refer(&two, to); /* with itself */
	phone_assert_status(self, "202");
	expect_notify(&two, "terminated", "SIP/2.0 481 Call/Transaction Does Not Exist\r\n");
	accepted = refer(&one, to);
	phone_assert_status(accepted, "202");
	rig_expect("transfers to leg 1");
	expect_notify(&one, "active", "SIP/2.0 100 Trying\r\n");
	hang_up(&two);
	rig_leg = first;
	hang_up(&one);
	rig_stop();
}

/* INVITE with Replaces, in the words of these lines. */
static void
send_invite_with(Phone *phone, const char *extra)
{
	g_autofree char *proof = phone_credentials(phone, "Proxy-Authorization", "INVITE", NUMBER);
	g_autofree char *lines = g_strconcat("Contact: <sip:a@10.9.8.7>\r\n", extra, proof, NULL);
	g_autofree char *text = phone_request(phone, "INVITE", NUMBER, lines, sdp_one);

	peer_send(phone->peer, text);
}

/* What it is refused with. */
static char *
invite_with(Phone *phone, const char *extra)
{
	send_invite_with(phone, extra);
	return peer_wait(phone->peer, "SIP/2.0 4");
}

static void
challenge(Phone *phone)
{
	g_autofree char *challenged = phone_send_invite(phone, NUMBER);

	phone_assert_status(challenged, "407");
	phone_take_nonce(phone, challenged);
}

static void
test_takeover(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new());
	g_auto(Phone) desk = phone_new("desk", peer_new());
	g_auto(Dialog) dialog = { 0 };
	g_autofree char *ours = NULL, *theirs = NULL, *replaces = NULL, *early = NULL, *busy = NULL,
			*refused = NULL;
	Leg *first;

	phone_start();
	phone_register(&phone, "");
	dialog = answered(&phone);
	first = rig_leg;
	ours = tag_of(dialog.to);
	theirs = tag_of(dialog.from);
	replaces = g_strdup_printf("Require: replaces\r\nReplaces: %s;to-tag=%s;from-tag=%s\r\n",
				   dialog.call_id, ours, theirs);
	early = g_strdup_printf("Replaces: %s;to-tag=%s;from-tag=%s;early-only\r\n", dialog.call_id,
				ours, theirs);
	challenge(&desk);
	busy = invite_with(&desk, early);
	phone_assert_status(busy, "486");
	send_invite_with(&desk, replaces);
	rig_expect("takes leg 0 over");
	rig_expect("new alice@example.org (no name) → +12125550199 by (null) 40000 sendrecv");
	rig_plugin->leg->hangup(rig_leg, REASON_FORBIDDEN, "not yours");
	refused = peer_wait(desk.peer, "SIP/2.0 403");
	rig_leg = first;
	hang_up(&dialog);
	rig_stop();
}

/* There is no such dialog: and it does not become a call to whatever its address says. */
static void
test_replacing_nothing(void)
{
	static const char *const WISHES[] = {
		"Replaces: 7@10.9.8.7;to-tag=a;from-tag=b\r\n",
		"Replaces: 7@10.9.8.7;to-tag=a;from-tag=b;early-only\r\n",
		"Require: replaces\r\nReplaces: 7@10.9.8.7;to-tag=a;from-tag=b\r\n",
		"Replaces: ;to-tag=;from-tag=\r\n",
		"Replaces: x\r\n",
	};

	for (guint i = 0; i < G_N_ELEMENTS(WISHES); i++) {
		g_auto(Phone) phone = phone_new("alice", peer_new());
		g_autofree char *refused = NULL;

		phone_start();
		challenge(&phone);
		refused = invite_with(&phone, WISHES[i]);
		g_test_message("%s: %.20s", WISHES[i], refused);
		g_assert_true(g_str_has_prefix(refused, "SIP/2.0 4"));
		rig_no_event();
		rig_stop();
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/sip-refer/blind", test_blind);
	g_test_add_func("/sip-refer/failed", test_failed);
	g_test_add_func("/sip-refer/odd-targets", test_odd_targets);
	g_test_add_func("/sip-refer/attended", test_attended);
	g_test_add_func("/sip-refer/takeover", test_takeover);
	g_test_add_func("/sip-refer/replacing-nothing", test_replacing_nothing);
	return g_test_run();
}
