/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-sip-body.c - the SIP plugin: where a description stands, and what ours say. */
#include "tests/legs/sip-rig.h"
#include <string.h>

#define HEAD	  "v=0\r\no=- 1 7 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
#define SDP	  HEAD "m=audio 40004 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
#define MIXED	  "MIME-Version: 1.0\r\nContent-Type: multipart/mixed;boundary=\"unique b\"\r\n"
#define SDP_PART  "--unique b\r\nContent-Type: application/sdp\r\n\r\n" SDP "\r\n"
#define ISUP_PART "--unique b\r\nContent-Type: application/isup;version=itu-t92+\r\n"
#define ISUP	  "\r\n\x01\x11\x48\x01\r\n"
#define OPTIONAL  "Content-Disposition: signal;handling=optional\r\n"
#define REQUIRED  "Content-Disposition: signal;handling=required\r\n"
#define PIDF_PART \
	"--unique b\r\nContent-Type: application/pidf+xml\r\nContent-ID: <l@x>\r\n\r\n<a/>\r\n"
#define END "--unique b--\r\n"

typedef struct {
	const char *about, *headers, *body;
	gboolean refused; /* with 415 */
} Form;

static const Form forms[] = {
	{ "SDP first", MIXED, SDP_PART ISUP_PART OPTIONAL ISUP END, FALSE },
	{ "SDP second", MIXED, ISUP_PART OPTIONAL ISUP SDP_PART END, FALSE },
	{ "a location", MIXED, PIDF_PART SDP_PART END, FALSE },
	{ "alternative", "Content-Type: multipart/alternative; boundary=\"unique b\"\r\n",
	  ISUP_PART REQUIRED ISUP SDP_PART END, FALSE },
	{ "related",
	  "Content-Type: multipart/related;type=\"application/sdp\";boundary=\"unique b\"\r\n",
	  SDP_PART PIDF_PART END, FALSE },
	{ "nested", "Content-Type: multipart/mixed;boundary=o\r\n",
	  "preamble\r\n--o\r\n" MIXED "\r\n" ISUP_PART ISUP SDP_PART END "\r\n--o--\r\n", FALSE },
	{ "required", MIXED, SDP_PART ISUP_PART REQUIRED ISUP END, TRUE },
	{ "compressed", "Content-Type: application/sdp\r\nContent-Encoding: gzip\r\n", SDP, TRUE },
	{ "another", "Content-Type: application/isup\r\n", "x", TRUE },
};

static void
assert_refused(Peer *peer, gboolean ack)
{
	g_autofree char *no = peer_wait(peer, "SIP/2.0 415"), *accept = NULL;

	accept = message_header(no, "Accept");
	g_assert_true(g_str_has_prefix(accept, "application/sdp, multipart/mixed"));
	if (ack)
		peer_ack(peer, no, NULL);
}

static void
body__invite(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();

	for (guint i = 0; i < G_N_ELEMENTS(forms); i++) {
		g_autofree char *busy = NULL;

		g_test_message("%s", forms[i].about);
		peer_invite(peer, forms[i].headers, forms[i].body);
		if (forms[i].refused) {
			assert_refused(peer, TRUE);
			rig_no_event();
			continue;
		}
		rig_expect("new +12125550199 (Bob \"B\") → +14155550123 by carrier 40004 sendrecv");
		rig_plugin->leg->hangup(rig_leg, REASON_BUSY, NULL);
		busy = peer_wait(peer, "SIP/2.0 486");
		peer_ack(peer, busy, NULL);
	}
	rig_stop();
}

static void
body__answers(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();

	for (guint i = 0; i < G_N_ELEMENTS(forms); i++) {
		g_autofree char *invite = NULL, *ack = NULL;

		g_test_message("%s", forms[i].about);
		rig_dial("carrier", "+14155550123", NULL);
		invite = peer_wait(peer, "INVITE ");
		peer_reply(peer, invite, "183 Session Progress", "t", forms[i].headers,
			   forms[i].body);
		rig_expect(forms[i].refused ? "ringing" : "ringing 40004 sendrecv");
		peer_reply(peer, invite, "200 OK", "t", forms[i].headers, forms[i].body);
		rig_expect_start(forms[i].refused ? "failed incompatible"
						  : "answered 40004 sendrecv");
		ack = peer_wait(peer, "ACK ");
		if (forms[i].refused)
			rig_answer_bye(peer);
		else
			rig_hang_up(peer);
	}
	rig_stop();
}

static void
body__ack(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();
	g_autoptr(Desc) offer = rig_desc(sdp_one);

	for (guint i = 0; i < G_N_ELEMENTS(forms); i++) {
		g_autofree char *ok = NULL, *ack = NULL, *tag = NULL;

		g_test_message("%s", forms[i].about);
		peer_invite(peer, NULL, NULL);
		rig_expect_start("new ");
		rig_plugin->leg->answer(rig_leg, offer);
		ok = peer_wait(peer, "SIP/2.0 200");
		tag = message_tag(ok, "To");
		ack = peer_request(peer, "ACK", tag, forms[i].headers, forms[i].body);
		peer_send(peer, ack);
		rig_expect_start(forms[i].refused ? "failed incompatible"
						  : "answered 40004 sendrecv");
		if (forms[i].refused)
			rig_answer_bye(peer);
		else
			rig_hang_up(peer);
	}
	rig_stop();
}

static void
body__changes(void)
{
	static const char *const methods[] = { "INVITE", "UPDATE" };
	g_autoptr(Peer) peer = rig_start_with_trunk();
	g_autofree char *tag = rig_call_in(peer);
	g_autoptr(Desc) answer = rig_desc(sdp_two);

	for (guint i = 0; i < G_N_ELEMENTS(forms) * 2; i++) {
		const Form *form = &forms[i / 2];
		gboolean invite = i % 2 == 0;
		g_autofree char *request = NULL, *ok = NULL;

		g_test_message("%s %s", methods[i % 2], form->about);
		request = peer_request(peer, methods[i % 2], tag, form->headers, form->body);
		peer_send(peer, request);
		if (form->refused) {
			assert_refused(peer, invite);
			continue;
		}
		rig_expect("changed 40004 sendrecv");
		rig_plugin->leg->answer(rig_leg, answer);
		ok = peer_wait(peer, "SIP/2.0 200");
		g_assert_nonnull(strstr(message_body(ok), "m=audio 40002 "));
		if (invite)
			peer_ack(peer, ok, NULL);
		rig_spin(10);
	}
	rig_no_event();
	rig_hang_up(peer);
	rig_stop();
}

/* --- offers of ours --- */

/* How a telephone holds, and how it comes back by a re-INVITE without a description. */
static void
offer__after_hold(void)
{
	static const char *const holds[] = {
		HEAD "m=audio 40000 RTP/AVP 0\r\na=sendonly\r\n",
		HEAD "m=audio 40000 RTP/AVP 0\r\na=inactive\r\n",
		"v=0\r\no=- 1 7 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
		"m=audio 40000 RTP/AVP 0\r\n",
	};
	static const char *const methods[] = { "INVITE", "UPDATE" };
	g_autoptr(Peer) peer = rig_start_with_trunk();
	g_autofree char *tag = rig_call_in(peer);
	g_autoptr(Desc) held = rig_desc(HEAD "m=audio 40002 RTP/AVP 0\r\na=inactive\r\n");
	g_autoptr(Desc) ours = rig_desc(HEAD "m=audio 40002 RTP/AVP 0 8 101\r\n"
					     "a=rtpmap:101 telephone-event/8000\r\n");

	for (guint i = 0; i < G_N_ELEMENTS(holds) * 2; i++) {
		g_autofree char *hold = NULL, *held_ok = NULL, *resume = NULL, *ok = NULL;

		hold = peer_request(peer, methods[i % 2], tag, NULL, holds[i / 2]);
		peer_send(peer, hold);
		rig_expect_start("changed 40000 ");
		rig_plugin->leg->answer(rig_leg, held);
		held_ok = peer_wait(peer, "SIP/2.0 200");
		g_assert_nonnull(strstr(message_body(held_ok), "a=inactive"));
		if (i % 2 == 0)
			peer_ack(peer, held_ok, NULL);
		rig_spin(10);
		resume = peer_request(peer, "INVITE", tag, NULL, NULL);
		peer_send(peer, resume);
		rig_expect("changed");
		rig_plugin->leg->answer(rig_leg, ours);
		ok = peer_wait(peer, "SIP/2.0 200");
		g_assert_nonnull(strstr(message_body(ok), "m=audio 40002 RTP/AVP 0 8 101\r\n"));
		g_assert_nonnull(strstr(message_body(ok), "a=sendrecv"));
		peer_ack(peer, ok, i < 2 ? sdp_one : sdp_two);
		rig_expect(i < 2 ? "answered 40000 sendrecv" : "answered 40002 sendrecv");
	}
	rig_hang_up(peer);
	rig_stop();
}

/* The core has no offer now, or the ACK no answer: the call goes on as it was. */
static void
offer__without_the_core(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();
	g_autofree char *tag = rig_call_in(peer), *again = NULL, *ok = NULL, *third = NULL,
			*ok3 = NULL;
	g_autoptr(Desc) ours = rig_desc(sdp_two);

	again = peer_request(peer, "INVITE", tag, NULL, NULL);
	peer_send(peer, again);
	rig_expect("changed");
	rig_plugin->leg->answer(rig_leg, NULL);
	ok = peer_wait(peer, "SIP/2.0 200");
	g_assert_nonnull(strstr(message_body(ok), "m=audio 40002 "));
	peer_ack(peer, ok, sdp_hold);
	rig_expect("changed 40000 sendonly");
	rig_plugin->leg->answer(rig_leg, ours);
	third = peer_request(peer, "INVITE", tag, NULL, NULL);
	peer_send(peer, third);
	rig_expect("changed");
	rig_plugin->leg->answer(rig_leg, ours);
	ok3 = peer_wait(peer, "SIP/2.0 200");
	/* nothing else is begun before the ACK */
	rig_plugin->leg->change(rig_leg, ours);
	rig_expect("answered refused");
	peer_ack(peer, ok3, NULL);
	rig_expect("answered 40000 sendonly");
	rig_hang_up(peer);
	rig_stop();
}

/* RFC 3264 8.2: the audio goes and comes back; to the core that is a hold. */
static void
offer__without_audio(void)
{
	static const char *const methods[] = { "INVITE", "UPDATE" };
	g_autoptr(Peer) peer = rig_start_with_trunk();
	g_autofree char *tag = rig_call_in(peer);
	g_autoptr(Desc) answer = rig_desc(sdp_two);

	for (guint i = 0; i < G_N_ELEMENTS(methods); i++) {
		g_autofree char *gone = NULL, *ok = NULL, *back = NULL, *again = NULL;

		gone = peer_request(peer, methods[i], tag, NULL,
				    HEAD "m=audio 0 RTP/AVP 0\r\nm=image 9 udptl t38\r\n");
		peer_send(peer, gone);
		rig_expect("changed 40000 inactive");
		rig_plugin->leg->answer(rig_leg, answer);
		ok = peer_wait(peer, "SIP/2.0 200");
		g_assert_nonnull(strstr(message_body(ok), "m=audio 0 RTP/AVP 0\r\n"));
		g_assert_nonnull(strstr(message_body(ok), "m=image 0 udptl t38\r\n"));
		if (i == 0)
			peer_ack(peer, ok, NULL);
		rig_spin(10);
		back = peer_request(peer, methods[i], tag, NULL, sdp_one);
		peer_send(peer, back);
		rig_expect("changed 40000 sendrecv");
		rig_plugin->leg->answer(rig_leg, answer);
		again = peer_wait(peer, "SIP/2.0 200");
		g_assert_nonnull(strstr(message_body(again), "m=audio 40002 RTP/AVP 0\r\n"));
		if (i == 0)
			peer_ack(peer, again, NULL);
		rig_spin(10);
	}
	rig_hang_up(peer);
	rig_stop();
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
	g_test_add_func("/sip/body/invite", body__invite);
	g_test_add_func("/sip/body/answers", body__answers);
	g_test_add_func("/sip/body/ack", body__ack);
	g_test_add_func("/sip/body/changes", body__changes);
	g_test_add_func("/sip/offer/after-hold", offer__after_hold);
	g_test_add_func("/sip/offer/without-the-core", offer__without_the_core);
	g_test_add_func("/sip/offer/without-audio", offer__without_audio);
	return g_test_run();
}
