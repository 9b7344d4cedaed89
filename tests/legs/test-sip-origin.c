/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-sip-origin.c - requests with the Call-ID and tags of a dialog, from elsewhere. */
#include "tests/legs/sip-phone.h"
#include <string.h>

/* The dialog as its peer sees it. */
typedef struct {
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

static const char *const METHODS[] = { "BYE",	  "REFER",   "INVITE", "UPDATE", "INFO", "PRACK",
				       "OPTIONS", "MESSAGE", "NOTIFY", "CANCEL", "ACK" };

#define N_HARMFUL 4 /* of these: they end a call, change it or make another */

static void
say(Peer *peer, const Dialog *dialog, const char *method)
{
	const gboolean has_sdp = strcmp(method, "INVITE") == 0 || strcmp(method, "UPDATE") == 0;
	const char *body = has_sdp ? sdp_hold : "";
	g_autofree char *text = g_strdup_printf(
		"%s sip:127.0.0.1:%u SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bK-%s-%u-%u;rport\r\n"
		"From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %u %s\r\n"
		"Max-Forwards: 70\r\nContact: <sip:x@127.0.0.1:%u>\r\n%s%s"
		"Content-Length: %zu\r\n\r\n%s",
		method, peer_gateway_port, peer->port, dialog->call_id, dialog->cseq, peer->port,
		dialog->from, dialog->to, dialog->call_id, dialog->cseq, method, peer->port,
		strcmp(method, "REFER") == 0 ? "Refer-To: <sip:+14155550199@gw.example.org>\r\n"
					     : "",
		has_sdp ? "Content-Type: application/sdp\r\n" : "", strlen(body), body);

	peer_send(peer, text);
}

static char *
final_answer(Peer *peer)
{
	char *answer = NULL;

	do {
		g_free(answer);
		answer = peer_wait(peer, "SIP/2.0 ");
	} while (g_str_has_prefix(answer, "SIP/2.0 1"));
	return answer;
}

/* From a thief's socket nothing of it is done, and the answer tells nothing. */
static void
check_thief(Dialog *dialog, Peer *thief)
{
	for (guint i = 0; i < G_N_ELEMENTS(METHODS); i++) {
		g_autofree char *answer = NULL;

		g_test_message("%s", METHODS[i]);
		dialog->cseq++;
		say(thief, dialog, METHODS[i]);
		if (strcmp(METHODS[i], "ACK") == 0)
			continue;
		answer = final_answer(thief);
		/* what belongs to no dialog is answered as any of a stranger's */
		if (i < N_HARMFUL && !g_str_has_prefix(answer, "SIP/2.0 481"))
			g_error("%s was answered %s", METHODS[i], answer);
		if (strcmp(METHODS[i], "INVITE") == 0)
			say(thief, dialog, "ACK");
	}
	rig_spin(50);
	rig_no_event();
}

static void
check_refer(Dialog *dialog, Peer *thief)
{
	g_autofree char *answer = NULL;

	dialog->cseq++;
	say(thief, dialog, "REFER");
	answer = final_answer(thief);
	if (!g_str_has_prefix(answer, "SIP/2.0 481"))
		g_error("REFER was answered %s", answer);
	rig_no_event();
}

static void
bye(Peer *peer, Dialog *dialog)
{
	g_autofree char *ok = NULL;

	dialog->cseq++;
	say(peer, dialog, "BYE");
	ok = peer_wait(peer, "SIP/2.0 200");
	rig_expect_start("ended ");
}

static Dialog
call_in(Peer *peer)
{
	g_autoptr(Desc) answer = rig_desc(sdp_two);
	g_autofree char *ok = NULL;
	Dialog dialog = { .cseq = peer->cseq };

	peer_invite(peer, NULL, sdp_one);
	rig_expect_start("new ");
	rig_plugin->leg->answer(rig_leg, answer);
	ok = peer_wait(peer, "SIP/2.0 200");
	peer_ack(peer, ok, NULL);
	while (!strstr(rig_traces(), "ACK"))
		g_main_context_iteration(NULL, TRUE);
	dialog.from = message_header(ok, "From");
	dialog.to = message_header(ok, "To");
	dialog.call_id = message_header(ok, "Call-ID");
	dialog.cseq = 10;
	return dialog;
}

static Dialog
call_phone(Phone *phone)
{
	g_autofree char *invite = NULL, *ack = NULL;
	Dialog dialog = { .cseq = 10 };

	rig_dial_contact(phone_only_contact());
	invite = peer_wait(phone->peer, "INVITE ");
	peer_reply(phone->peer, invite, "200 OK", "p1", NULL, sdp_one);
	rig_expect_start("answered ");
	ack = peer_wait(phone->peer, "ACK ");
	dialog.from = message_header(ack, "To");
	dialog.to = message_header(ack, "From");
	dialog.call_id = message_header(ack, "Call-ID");
	return dialog;
}

static void
origin__trunk(void)
{
	g_autoptr(Peer) peer = peer_new(), thief = peer_new_at("127.0.0.2");
	g_auto(Dialog) dialog = { 0 };

	rig_start();
	rig_trunk("carrier", peer->port, NULL);
	dialog = call_in(peer);
	check_thief(&dialog, thief);
	bye(peer, &dialog);
	rig_stop();
}

static void
origin__phone(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new());
	g_autoptr(Peer) far = peer_new_at("127.0.0.2"), near = peer_new();
	g_auto(Dialog) dialog = { 0 };

	phone_start();
	phone_register(&phone, "");
	dialog = call_phone(&phone);
	check_thief(&dialog, far);
	check_refer(&dialog, near); /* it would be billed */
	bye(phone.peer, &dialog);
	rig_stop();
}

/* Its NAT gives it another port and it has not noticed: what it says counts, and it is
 * answered and called there. */
static void
origin__phone_of_another_port(void)
{
	static const char *const methods[] = { "INVITE", "UPDATE" };

	for (guint i = 0; i < G_N_ELEMENTS(methods); i++) {
		g_auto(Phone) phone = phone_new("alice", peer_new());
		g_autoptr(Peer) moved = peer_new();
		g_auto(Dialog) dialog = { 0 };
		g_autoptr(Desc) answer = rig_desc(sdp_two);
		g_autofree char *ok = NULL, *hangup = NULL;

		phone_start();
		phone_register(&phone, "");
		dialog = call_phone(&phone);
		dialog.cseq++;
		say(moved, &dialog, methods[i]);
		rig_expect_start("changed ");
		rig_plugin->leg->answer(rig_leg, answer);
		ok = final_answer(moved);
		g_assert_true(g_str_has_prefix(ok, "SIP/2.0 200"));
		if (strcmp(methods[i], "INVITE") == 0)
			say(moved, &dialog, "ACK");
		check_refer(&dialog, moved); /* whoever it is must register to call others */
		rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
		hangup = peer_wait(moved, "BYE ");
		peer_reply(moved, hangup, "200 OK", NULL, NULL, NULL);
		rig_stop();
	}
}

static void
origin__phone_hangs_up_from_another_port(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new());
	g_autoptr(Peer) moved = peer_new();
	g_auto(Dialog) dialog = { 0 };

	phone_start();
	phone_register(&phone, "");
	dialog = call_phone(&phone);
	bye(moved, &dialog);
	rig_stop();
}

/* Its NAT has moved: it is believed once it has registered from there. */
static void
origin__phone_moves(void)
{
	g_auto(Phone) phone = phone_new("alice", peer_new());
	g_auto(Phone) moved = phone_new("alice", peer_new());
	g_autofree char *contact = NULL, *ok = NULL;
	g_auto(Dialog) dialog = { 0 };

	phone_start();
	phone_register(&phone, "");
	dialog = call_phone(&phone);
	check_refer(&dialog, moved.peer);
	contact = phone_contact_line(&phone, "");
	ok = phone_do_register(&moved, contact);
	phone_assert_status(ok, "200");
	phone_assert_contacts(1);
	bye(moved.peer, &dialog);
	rig_stop();
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/origin/trunk", origin__trunk);
	g_test_add_func("/origin/phone", origin__phone);
	g_test_add_func("/origin/phone-of-another-port", origin__phone_of_another_port);
	g_test_add_func("/origin/phone-hangs-up-from-another-port",
			origin__phone_hangs_up_from_another_port);
	g_test_add_func("/origin/phone-moves", origin__phone_moves);
	return g_test_run();
}
