/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-sip-early.c - offers before an INVITE is answered: in UPDATE and PRACK, by whom we call
 * and by who calls us, with what was said reliably and with what was not.
 */
#include "tests/legs/sip-rig.h"
#include <string.h>

#define HEAD	 "v=0\r\no=- 1 9 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
#define PCMA	 HEAD "m=audio 40006 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"
#define NO_AUDIO HEAD "m=audio 0 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
#define RELIABLE "Require: 100rel\r\nRSeq: 7001\r\n"

static void
expect_sdp(const char *message, const char *line)
{
	if (!line)
		g_assert_cmpstr(message_body(message), ==, "");
	else if (!strstr(message_body(message), line))
		g_error("no \"%s\" in %s", line, message);
}

/* --- calls out --- */

/* In the dialog of the gateway's INVITE, by the side that was called. */
static void
ask(Peer *peer, const char *invite, const char *tag, const char *method, const char *body)
{
	static guint cseq = 100;
	g_autofree char *from = message_header(invite, "From"), *to = message_header(invite, "To");
	g_autofree char *call_id = message_header(invite, "Call-ID");
	g_autofree char *text = NULL;

	cseq++;
	text = g_strdup_printf(
		"%s sip:127.0.0.1:%u SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bK-%s-%u;rport\r\n"
		"From: %s;tag=%s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %u %s\r\nMax-Forwards: 70\r\n"
		"Contact: <sip:moved@127.0.0.1:%u>\r\n%sContent-Length: %zu\r\n\r\n%s",
		method, peer_gateway_port, peer->port, tag, cseq, to, tag, from, call_id, cseq,
		method, peer->port, body ? "Content-Type: application/sdp\r\n" : "",
		body ? strlen(body) : 0, body ? body : "");
	peer_send(peer, text);
}

typedef enum { BEFORE_180, AFTER_180, CROSSING_200, N_MOMENTS } Moment;
static const char *const MOMENTS[] = { "before 180", "after 180", "crossing 200" };

typedef struct {
	const char *about, *sdp;
	const char *heard; /* as the rig says it; NULL: the core is not asked */
	gboolean refused;  /* by the core */
} Update;

static const Update UPDATES[] = {
	{ "another address", sdp_two, "40002 sendrecv", FALSE },
	{ "hold", sdp_hold, "40000 sendonly", FALSE },
	{ "another codec", PCMA, "40006 sendrecv", FALSE },
	{ "what the core refuses", PCMA, "40006 sendrecv", TRUE },
	{ "no description", NULL, NULL, FALSE },
};

/* What the 200 has. */
typedef enum { FINAL_NOTHING, FINAL_SAME, FINAL_OTHER, N_FINALS } Final;
static const char *const FINALS[] = { "no description", "the one of the 183", "a new one" };

static const char OTHER[] = HEAD "m=audio 40008 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";

static char *
begin(Peer *peer, gboolean reliable, const char *tag)
{
	char *invite;

	rig_dial("carrier", "+14155550123", NULL);
	invite = peer_wait(peer, "INVITE ");
	peer_reply(peer, invite, "183 Session Progress", tag, reliable ? RELIABLE : NULL, sdp_one);
	rig_expect("ringing 40000 sendrecv");
	if (reliable) {
		g_autofree char *prack = peer_wait(peer, "PRACK ");

		peer_reply(peer, prack, "200 OK", NULL, NULL, NULL);
	}
	return invite;
}

static void
expect_update(Peer *peer, const Update *update, gboolean reliable)
{
	g_autofree char *response = NULL, *event = NULL;

	if (!update->sdp) {
		response = peer_wait_answer(peer, "200", "UPDATE");
		expect_sdp(response, NULL);
	} else if (!reliable) {
		response = peer_wait_answer(peer, "491", "UPDATE");
	} else {
		event = g_strconcat("changed ", update->heard, NULL);
		rig_expect(event);
	}
}

static void
answer_update(Peer *peer, const Update *update)
{
	g_autoptr(Desc) answer = rig_desc(sdp_two);
	g_autofree char *response = NULL;

	rig_plugin->leg->answer(rig_leg, update->refused ? NULL : answer);
	response = peer_wait_answer(peer, update->refused ? "488" : "200", "UPDATE");
	expect_sdp(response, update->refused ? NULL : "m=audio 40002");
}

static const char *
body_of(Final final)
{
	return final == FINAL_NOTHING ? NULL : final == FINAL_SAME ? sdp_one : OTHER;
}

/* What holds in the end. */
static const char *
wanted(const Update *update, gboolean reliable, Final final)
{
	if (final == FINAL_OTHER)
		return "40008 sendrecv";
	return reliable && update->sdp && !update->refused ? update->heard : "40000 sendrecv";
}

static void
check_out(Peer *peer, const Update *update, gboolean reliable, Moment moment, Final final)
{
	g_autofree char *invite = NULL, *ack = NULL, *event = NULL;
	gboolean asked = update->sdp && reliable;

	g_test_message("%s, %s 183, %s, 200 with %s", update->about,
		       reliable ? "reliable" : "plain", MOMENTS[moment], FINALS[final]);
	invite = begin(peer, reliable, "t1");
	if (moment != BEFORE_180) {
		peer_reply(peer, invite, "180 Ringing", "t1", NULL, NULL);
		rig_expect("ringing");
	}
	ask(peer, invite, "t1", "UPDATE", update->sdp);
	if (moment == CROSSING_200)
		peer_reply(peer, invite, "200 OK", "t1", NULL, body_of(final));
	expect_update(peer, update, reliable);
	if (asked && moment != CROSSING_200)
		answer_update(peer, update);
	if (moment == BEFORE_180) {
		peer_reply(peer, invite, "180 Ringing", "t1", NULL, NULL);
		rig_expect("ringing");
	}
	if (moment != CROSSING_200)
		peer_reply(peer, invite, "200 OK", "t1", NULL, body_of(final));
	/* the core of the gateway answers before it hears of the 200, a slower one need not */
	event = g_strconcat("answered ", wanted(update, reliable && moment != CROSSING_200, final),
			    NULL);
	rig_expect(event);
	ack = peer_wait(peer, "ACK ");
	if (asked && moment == CROSSING_200)
		answer_update(peer, update);
	rig_end_call(peer);
}

static void
early__update_of_a_callee(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();

	for (guint i = 0; i < G_N_ELEMENTS(UPDATES); i++)
		for (guint reliable = 0; reliable < 2; reliable++)
			for (Moment moment = 0; moment < N_MOMENTS; moment++)
				for (Final final = 0; final < N_FINALS; final++)
					check_out(peer, &UPDATES[i], reliable, moment, final);
	rig_stop();
}

/* A second one before the first is answered, one of another fork, and after it all a CANCEL. */
static void
early__update_out_of_turn(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();
	g_autofree char *invite = begin(peer, TRUE, "t1"), *pending = NULL, *retry = NULL,
			*stranger = NULL, *cancel = NULL, *ok = NULL;
	g_autoptr(Desc) answer = rig_desc(sdp_two);

	ask(peer, invite, "t1", "UPDATE", sdp_two);
	rig_expect("changed 40002 sendrecv");
	ask(peer, invite, "t1", "UPDATE", sdp_hold);
	pending = peer_wait_answer(peer, "500", "UPDATE");
	retry = message_header(pending, "Retry-After");
	g_assert_nonnull(retry);
	ask(peer, invite, "t2", "UPDATE", sdp_hold);
	stranger = peer_wait_answer(peer, "481", "UPDATE");
	rig_plugin->leg->answer(rig_leg, answer);
	ok = peer_wait_answer(peer, "200", "UPDATE");
	rig_plugin->leg->hangup(rig_leg, REASON_CANCELLED, NULL);
	cancel = peer_wait(peer, "CANCEL ");
	peer_reply(peer, cancel, "200 OK", NULL, NULL, NULL);
	peer_reply(peer, invite, "487 Request Terminated", "t1", NULL, NULL);
	g_free(peer_wait(peer, "ACK "));
	rig_stop();
}

/* The same dialog, from somewhere else: its Call-ID and tags are no secret. */
static void
early__update_of_a_thief(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk(), thief = peer_new_at("127.0.0.2");
	g_autofree char *invite = begin(peer, TRUE, "t1"), *refused = NULL, *ack = NULL;

	ask(thief, invite, "t1", "UPDATE", sdp_two);
	refused = peer_wait_answer(thief, "481", "UPDATE");
	rig_no_event();
	peer_reply(peer, invite, "200 OK", "t1", NULL, NULL);
	rig_expect("answered 40000 sendrecv");
	ack = peer_wait(peer, "ACK ");
	rig_end_call(peer);
	rig_stop();
}

/* The target of the early dialog is refreshed, and the route is the 200's. */
static void
early__route_stays(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();
	g_autofree char *route =
		g_strdup_printf("Record-Route: <sip:127.0.0.1:%u;lr>\r\n", peer->port);
	g_autofree char *headers = g_strconcat(route, RELIABLE, NULL);
	g_autofree char *invite = NULL, *prack = NULL, *ok = NULL, *ack = NULL, *bye = NULL,
			*kept = NULL;

	rig_dial("carrier", "+14155550123", NULL);
	invite = peer_wait(peer, "INVITE ");
	peer_reply(peer, invite, "183 Session Progress", "t1", headers, sdp_one);
	rig_expect("ringing 40000 sendrecv");
	prack = peer_wait(peer, "PRACK ");
	peer_reply(peer, prack, "200 OK", NULL, NULL, NULL);
	ask(peer, invite, "t1", "UPDATE", NULL);
	ok = peer_wait_answer(peer, "200", "UPDATE");
	peer_reply(peer, invite, "200 OK", "t1", route, NULL);
	rig_expect("answered 40000 sendrecv");
	ack = peer_wait(peer, "ACK ");
	rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
	bye = peer_wait(peer, "BYE ");
	kept = message_header(bye, "Route");
	g_assert_nonnull(kept);
	peer_reply(peer, bye, "200 OK", NULL, NULL, NULL);
	rig_stop();
}

/* --- calls in --- */

typedef enum {
	BEFORE_183, /* his offer is not answered */
	AFTER_183,
	AFTER_PRACK,
	AFTER_200, /* and before his ACK */
	N_STAGES
} Stage;
static const char *const STAGES[] = { "before 183", "after 183", "after PRACK", "after 200" };

static const char *const SUPPORTS[] = { "", "Supported: 100rel\r\n", "Require: 100rel\r\n" };

static char *
ring_early(Peer *peer)
{
	g_autoptr(Desc) early = rig_desc(sdp_two);

	rig_plugin->leg->ring(rig_leg, early);
	return peer_wait(peer, "SIP/2.0 183");
}

static void
send_prack(Peer *peer, const char *ringing, guint cseq, const char *extra, const char *body)
{
	g_autofree char *seq = message_header(ringing, "RSeq"), *tag = message_tag(ringing, "To");
	g_autofree char *rack =
		g_strdup_printf("RAck: %s %u INVITE\r\n%s", seq ? seq : "1", cseq, extra);
	g_autofree char *prack = peer_request(peer, "PRACK", tag, rack, body);

	peer_send(peer, prack);
}

static void
prack(Peer *peer, const char *ringing, guint cseq)
{
	g_autofree char *ok = NULL;

	send_prack(peer, ringing, cseq, "", NULL);
	ok = peer_wait_answer(peer, "200", "PRACK");
}

/* Our 200, the ACK, the end. */
static void
finish_in(Peer *peer, char *ok, guint cseq)
{
	guint later = peer->cseq;

	if (!ok) {
		g_autoptr(Desc) answer = rig_desc(sdp_two);

		rig_plugin->leg->answer(rig_leg, answer);
		ok = peer_wait_answer(peer, "200", "INVITE");
	}
	peer->cseq = cseq;
	peer_ack(peer, ok, NULL);
	peer->cseq = later;
	while (!strstr(rig_traces(), "ACK"))
		g_main_context_iteration(NULL, TRUE);
	rig_end_call(peer);
	g_free(ok);
}

static void
check_in(Peer *peer, const char *supports, const char *sdp, Stage stage)
{
	gboolean reliable = supports[0] != '\0', answered = stage != BEFORE_183 && reliable;
	g_autofree char *ringing = NULL, *tag = NULL, *update = NULL, *response = NULL;
	g_autoptr(Desc) answer = rig_desc(sdp_two);
	char *ok = NULL;
	guint cseq;

	g_test_message("%s UPDATE with%s description, %s", supports, sdp ? "" : "out",
		       STAGES[stage]);
	peer_invite(peer, supports, sdp_one);
	cseq = peer->cseq;
	rig_expect_start("new ");
	if (stage == BEFORE_183) {
		rig_plugin->leg->ring(rig_leg, NULL);
		ringing = peer_wait(peer, "SIP/2.0 180");
		if (strstr(ringing, "RSeq"))
			prack(peer, ringing, cseq);
	} else
		ringing = ring_early(peer);
	if (stage >= AFTER_PRACK && reliable)
		prack(peer, ringing, cseq);
	if (stage == AFTER_200) {
		rig_plugin->leg->answer(rig_leg, answer);
		ok = peer_wait_answer(peer, "200", "INVITE");
		answered = TRUE;
	}
	tag = message_tag(ringing, "To");
	update = peer_request(peer, "UPDATE", tag, NULL, sdp);
	peer_send(peer, update);
	if (!sdp) {
		response = peer_wait_answer(peer, "200", "UPDATE");
		expect_sdp(response, NULL);
	} else if (!answered) {
		g_autofree char *retry = NULL;

		response = peer_wait_answer(peer, "500", "UPDATE");
		retry = message_header(response, "Retry-After");
		g_assert_nonnull(retry);
	} else {
		rig_expect("changed 40000 sendonly");
		rig_plugin->leg->answer(rig_leg, answer);
		response = peer_wait_answer(peer, "200", "UPDATE");
		expect_sdp(response, "m=audio 40002");
	}
	if (stage == AFTER_183 && reliable)
		prack(peer, ringing, cseq);
	finish_in(peer, ok, cseq);
}

static void
early__update_of_a_caller(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();

	for (guint i = 0; i < G_N_ELEMENTS(SUPPORTS); i++)
		for (Stage stage = 0; stage < N_STAGES; stage++) {
			check_in(peer, SUPPORTS[i], sdp_hold, stage);
			check_in(peer, SUPPORTS[i], NULL, stage);
		}
	rig_stop();
}

static void
early__update_without_an_offer_before(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();
	g_autofree char *ringing = NULL, *tag = NULL, *update = NULL, *response = NULL,
			*refused = NULL;

	peer_invite(peer, "Supported: 100rel\r\n", NULL);
	rig_expect_start("new ");
	rig_plugin->leg->ring(rig_leg, NULL);
	ringing = peer_wait(peer, "SIP/2.0 180");
	tag = message_tag(ringing, "To");
	update = peer_request(peer, "UPDATE", tag, NULL, sdp_one);
	peer_send(peer, update);
	response = peer_wait_answer(peer, "500", "UPDATE");
	rig_plugin->leg->hangup(rig_leg, REASON_BUSY, NULL);
	refused = peer_wait(peer, "SIP/2.0 486");
	peer->cseq--;
	peer_ack(peer, refused, NULL);
	rig_stop();
}

typedef struct {
	const char *about, *extra, *body;
	gboolean asks, refused;
	const char *answered; /* a line of the answer, or NULL */
} Prack;

static const Prack PRACKS[] = {
	{ "nothing", "", NULL, FALSE, FALSE, NULL },
	{ "an offer", "", sdp_hold, TRUE, FALSE, "m=audio 40002" },
	{ "an offer that the core refuses", "", PCMA, TRUE, TRUE, "m=audio 0" },
	{ "an offer without audio", "", NO_AUDIO, FALSE, FALSE, NULL },
	{ "what is no description", "", "v=1\r\n", FALSE, FALSE, NULL },
	{ "another body", "Content-Type: application/isup\r\n", "x", FALSE, FALSE, NULL },
};

static void
check_prack(Peer *peer, const Prack *with, gboolean answered)
{
	g_autofree char *ringing = NULL, *response = NULL;
	g_autoptr(Desc) answer = rig_desc(sdp_two);
	guint cseq;

	g_test_message("PRACK with %s, %s", with->about, answered ? "the 200 waits" : "ringing");
	peer_invite(peer, "Supported: 100rel\r\n", sdp_one);
	cseq = peer->cseq;
	rig_expect_start("new ");
	ringing = ring_early(peer);
	if (answered) /* sofia keeps our 200 back until the PRACK is answered */
		rig_plugin->leg->answer(rig_leg, answer);
	send_prack(peer, ringing, cseq, with->extra, with->body);
	if (with->asks) {
		rig_expect_start("changed ");
		rig_plugin->leg->answer(rig_leg, with->refused ? NULL : answer);
	} else if (with->body == (const char *)NO_AUDIO) { /* a hold, for the other side */
		rig_expect("changed 40000 inactive");
		rig_plugin->leg->answer(rig_leg, answer);
	}
	response = peer_wait_answer(peer, "200", "PRACK");
	expect_sdp(response, with->body == (const char *)NO_AUDIO ? "m=audio 0" : with->answered);
	finish_in(peer, answered ? peer_wait_answer(peer, "200", "INVITE") : NULL, cseq);
}

static void
early__prack(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();

	for (guint i = 0; i < G_N_ELEMENTS(PRACKS); i++) {
		check_prack(peer, &PRACKS[i], FALSE);
		check_prack(peer, &PRACKS[i], TRUE);
	}
	rig_stop();
}

static void
early__prack_of_nothing(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();
	g_autofree char *ringing = NULL, *response = NULL;
	guint cseq;

	peer_invite(peer, NULL, sdp_one);
	cseq = peer->cseq;
	rig_expect_start("new ");
	ringing = ring_early(peer);
	send_prack(peer, ringing, cseq, "", sdp_two);
	response = peer_wait_answer(peer, "481", "PRACK");
	rig_no_event();
	finish_in(peer, NULL, cseq);
	rig_stop();
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/early/update-of-a-callee", early__update_of_a_callee);
	g_test_add_func("/early/update-out-of-turn", early__update_out_of_turn);
	g_test_add_func("/early/update-of-a-thief", early__update_of_a_thief);
	g_test_add_func("/early/route-stays", early__route_stays);
	g_test_add_func("/early/update-of-a-caller", early__update_of_a_caller);
	g_test_add_func("/early/update-no-offer", early__update_without_an_offer_before);
	g_test_add_func("/early/prack", early__prack);
	g_test_add_func("/early/prack-of-nothing", early__prack_of_nothing);
	return g_test_run();
}
