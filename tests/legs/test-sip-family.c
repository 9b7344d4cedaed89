/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-sip-family.c - descriptions with an address that our media cannot send to: which address,
 * in which message, with which media.
 */
#include "tests/legs/sip-rig.h"
#include <string.h>

typedef enum { IPV4, IPV6, BOTH, N_MEDIA } Versions;
static const char *const MEDIA[] = { "IPv4", "IPv6", "IPv4 and IPv6" };

typedef enum { FITS, HOLDS, OTHER_FAMILY, NO_ADDRESS } Verdict;

typedef struct {
	const char *connection;
	Verdict first[N_MEDIA];	 /* in an offer that begins a call */
	Verdict inside[N_MEDIA]; /* in a call that IPv4 (or IPv6, with that alone) has begun */
} Place;

static const Place PLACES[] = {
	{ "IN IP4 192.0.2.9", { FITS, OTHER_FAMILY, FITS }, { FITS, OTHER_FAMILY, FITS } },
	{ "IN IP6 2001:db8::9",
	  { OTHER_FAMILY, FITS, FITS },
	  { OTHER_FAMILY, FITS, OTHER_FAMILY } },
	{ "IN IP4 media.example",
	  { NO_ADDRESS, NO_ADDRESS, NO_ADDRESS },
	  { NO_ADDRESS, NO_ADDRESS, NO_ADDRESS } },
	{ "IN IP6 media.example",
	  { NO_ADDRESS, NO_ADDRESS, NO_ADDRESS },
	  { NO_ADDRESS, NO_ADDRESS, NO_ADDRESS } },
	{ "IN IP4 0.0.0.0", { HOLDS, HOLDS, HOLDS }, { HOLDS, HOLDS, HOLDS } },
	{ "IN IP6 ::", { HOLDS, HOLDS, HOLDS }, { HOLDS, HOLDS, HOLDS } },
	{ "IN IP6 nowhere.invalid", { HOLDS, HOLDS, HOLDS }, { HOLDS, HOLDS, HOLDS } },
	{ "IN IP4 Nowhere.INVALID.", { HOLDS, HOLDS, HOLDS }, { HOLDS, HOLDS, HOLDS } },
};

#define RELIABLE "Require: 100rel\r\nRSeq: 11\r\n"

static Versions media;
static char *four[] = { (char *)"127.0.0.1", NULL };
static char *both[] = { (char *)"127.0.0.1", (char *)"2001:db8::1", NULL };
static char *six[] = { (char *)"2001:db8::1", NULL };

static void
with_media(Config *config)
{
	config->media.rtp_address = (char *)(media == IPV6 ? "2001:db8::1" : "127.0.0.1");
	config->media.local_addresses = media == IPV4 ? four : media == IPV6 ? six : both;
}

static Peer *
start_with(Versions with)
{
	Peer *peer = peer_new();

	media = with;
	rig_configure = with_media;
	rig_start();
	rig_trunk("carrier", peer->port, NULL);
	return peer;
}

/* A description from there; the caller frees it. */
static char *
sdp_at(const char *connection, guint port)
{
	return g_strdup_printf("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=%s\r\nt=0 0\r\n"
			       "m=audio %u RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n",
			       connection, port);
}

/* One that fits these media. */
static char *
fitting(guint port)
{
	return sdp_at(media == IPV6 ? "IN IP6 2001:db8::7" : "IN IP4 192.0.2.7", port);
}

static void
expect_warning(const char *response, Verdict verdict)
{
	g_autofree char *warning = message_header(response, "Warning");
	const char *code = verdict == OTHER_FAMILY ? "300 " : "301 ";

	g_assert_nonnull(warning);
	g_assert_true(g_str_has_prefix(warning, code));
}

/* --- INVITE --- */

static void
check_invite(Peer *peer, const Place *place)
{
	Verdict verdict = place->first[media];
	g_autofree char *sdp = sdp_at(place->connection, 40000), *response = NULL;

	peer_invite(peer, NULL, sdp);
	if (verdict == FITS || verdict == HOLDS) {
		rig_expect_start("new ");
		rig_plugin->leg->hangup(rig_leg, REASON_BUSY, NULL);
		response = peer_wait(peer, "SIP/2.0 486");
	} else {
		response = peer_wait(peer, "SIP/2.0 488");
		expect_warning(response, verdict);
	}
	peer_ack(peer, response, NULL);
}

/* --- 18x and 200 --- */

static char *
dial(Peer *peer)
{
	rig_dial("carrier", "+14155550123", NULL);
	return peer_wait(peer, "INVITE ");
}

static void
check_answer(Peer *peer, const Place *place, const char *early)
{
	Verdict verdict = place->inside[media];
	g_autofree char *sdp = sdp_at(place->connection, 40000), *invite = dial(peer);
	g_autofree char *ack = NULL, *bye = NULL, *reason = NULL;
	gboolean fits = verdict == FITS || verdict == HOLDS;

	if (early) {
		peer_reply(peer, invite, "183 Session Progress", "t", early, sdp);
		rig_expect(!fits	     ? "ringing"
			   : verdict == FITS ? "ringing 40000 sendrecv"
					     : "ringing 40000 sendonly");
		if (early[0]) {
			g_autofree char *prack = peer_wait(peer, "PRACK ");

			peer_reply(peer, prack, "200 OK", NULL, NULL, NULL);
		}
	}
	peer_reply(peer, invite, "200 OK", "t", NULL, early ? NULL : sdp);
	ack = peer_wait(peer, "ACK ");
	if (fits) {
		rig_expect(verdict == FITS ? "answered 40000 sendrecv" : "answered 40000 sendonly");
		rig_end_call(peer);
		return;
	}
	rig_expect_start(early			   ? "failed incompatible"
			 : verdict == OTHER_FAMILY ? "failed ip-version bad description"
						   : "failed incompatible");
	bye = peer_wait(peer, "BYE ");
	reason = message_header(bye, "Reason");
	g_assert_nonnull(reason);
	peer_reply(peer, bye, "200 OK", NULL, NULL, NULL);
}

/* --- changes of a call that stands --- */

static char *
call_in(Peer *peer, const char *extra, const char *body)
{
	g_autofree char *sdp = fitting(40002), *own = fitting(40000);

	return rig_take_call(peer, extra, body ? body : own, sdp);
}

static void
check_change(Peer *peer, const Place *place, const char *method)
{
	Verdict verdict = place->inside[media];
	g_autofree char *tag = call_in(peer, NULL, NULL), *own = fitting(40002);
	g_autofree char *sdp = sdp_at(place->connection, 40000);
	g_autofree char *request = peer_request(peer, method, tag, NULL, sdp), *response = NULL;
	g_autoptr(Desc) answer = rig_desc(own);

	peer_send(peer, request);
	if (verdict == FITS || verdict == HOLDS) {
		rig_expect(verdict == FITS ? "changed 40000 sendrecv" : "changed 40000 sendonly");
		rig_plugin->leg->answer(rig_leg, answer);
		response = peer_wait_answer(peer, "200", method);
	} else {
		response = peer_wait_answer(peer, "488", method);
		expect_warning(response, verdict);
	}
	if (strcmp(method, "INVITE") == 0)
		peer_ack(peer, response, NULL);
	rig_spin(5);
	rig_end_call(peer); /* it goes on as it was until then */
}

/* The answer to a change of ours. */
static void
check_change_answer(Peer *peer, const Place *place)
{
	Verdict verdict = place->inside[media];
	g_autofree char *tag = call_in(peer, NULL, NULL), *own = fitting(40002), *invite = NULL;
	g_autofree char *sdp = sdp_at(place->connection, 40000);
	g_autoptr(Desc) offer = rig_desc(own);

	(void)tag;
	rig_plugin->leg->change(rig_leg, offer);
	invite = peer_wait(peer, "INVITE ");
	peer_reply(peer, invite, "200 OK", NULL, NULL, sdp);
	g_free(peer_wait(peer, "ACK "));
	rig_expect(verdict == FITS    ? "answered 40000 sendrecv"
		   : verdict == HOLDS ? "answered 40000 sendonly"
				      : "answered refused");
	rig_end_call(peer);
}

/* --- ACK --- */

static void
check_ack(Peer *peer, const Place *place)
{
	Verdict verdict = place->inside[media];
	g_autofree char *sdp = sdp_at(place->connection, 40000), *ok = NULL, *own = fitting(40002);
	g_autofree char *bye = NULL;
	g_autoptr(Desc) offer = rig_desc(own);

	peer_invite(peer, NULL, NULL);
	rig_expect_start("new ");
	rig_plugin->leg->answer(rig_leg, offer);
	ok = peer_wait(peer, "SIP/2.0 200");
	peer_ack(peer, ok, sdp);
	if (verdict == FITS || verdict == HOLDS) {
		rig_expect(verdict == FITS ? "answered 40000 sendrecv" : "answered 40000 sendonly");
		rig_end_call(peer);
		return;
	}
	rig_expect_start(verdict == OTHER_FAMILY ? "failed ip-version" : "failed incompatible");
	bye = peer_wait(peer, "BYE ");
	peer_reply(peer, bye, "200 OK", NULL, NULL, NULL);
}

/* --- the tables --- */

static void
check_all(Peer *peer, const Place *place)
{
	g_test_message("c=%s, media %s", place->connection, MEDIA[media]);
	check_invite(peer, place);
	check_answer(peer, place, NULL);
	check_answer(peer, place, "");
	check_answer(peer, place, RELIABLE);
	check_change(peer, place, "INVITE");
	check_change(peer, place, "UPDATE");
	check_change_answer(peer, place);
	check_ack(peer, place);
}

static void
family__table(void)
{
	for (Versions with = 0; with < N_MEDIA; with++) {
		g_autoptr(Peer) peer = start_with(with);

		for (guint i = 0; i < G_N_ELEMENTS(PLACES); i++)
			check_all(peer, &PLACES[i]);
		rig_stop();
	}
}

/* RFC 3264 6: each stream for itself. */
static void
family__streams(void)
{
	g_autoptr(Peer) peer = start_with(IPV4);
	g_autofree char *response = NULL;

	peer_invite(peer, NULL,
		    "v=0\r\no=- 1 1 IN IP6 2001:db8::9\r\ns=-\r\nt=0 0\r\n"
		    "m=audio 40000 RTP/AVP 0\r\nc=IN IP6 2001:db8::9\r\n"
		    "m=audio 40004 RTP/AVP 0\r\nc=IN IP4 192.0.2.9\r\n");
	rig_expect("new +12125550199 (Bob \"B\") → +14155550123 by carrier 40004 sendrecv");
	rig_plugin->leg->hangup(rig_leg, REASON_BUSY, NULL);
	response = peer_wait(peer, "SIP/2.0 486");
	peer_ack(peer, response, NULL);
	rig_stop();
}

/* In a call that has begun by IPv6 it is IPv4 that our port cannot send to. */
static void
family__stays(void)
{
	g_autoptr(Peer) peer = start_with(BOTH);
	g_autofree char *sdp = sdp_at("IN IP6 2001:db8::9", 40000);
	g_autofree char *tag = call_in(peer, NULL, sdp), *four_sdp = NULL, *request = NULL;
	g_autofree char *response = NULL;

	four_sdp = sdp_at("IN IP4 192.0.2.9", 40000);
	request = peer_request(peer, "UPDATE", tag, NULL, four_sdp);
	peer_send(peer, request);
	response = peer_wait_answer(peer, "488", "UPDATE");
	expect_warning(response, OTHER_FAMILY);
	rig_end_call(peer);
	rig_stop();
}

/* In a PRACK, which is not refused: the stream is. */
static void
family__prack(void)
{
	g_autoptr(Peer) peer = start_with(IPV4);
	g_autoptr(Desc) early = rig_desc(sdp_two);
	g_autofree char *ringing = NULL, *tag = NULL, *seq = NULL, *rack = NULL, *prack = NULL,
			*ok = NULL, *sdp = sdp_at("IN IP6 2001:db8::9", 40000), *refused = NULL;

	peer_invite(peer, "Supported: 100rel\r\n", sdp_one);
	rig_expect_start("new ");
	rig_plugin->leg->ring(rig_leg, early);
	ringing = peer_wait(peer, "SIP/2.0 183");
	tag = message_tag(ringing, "To");
	seq = message_header(ringing, "RSeq");
	rack = g_strdup_printf("RAck: %s %u INVITE\r\n", seq, peer->cseq);
	prack = peer_request(peer, "PRACK", tag, rack, sdp);
	peer_send(peer, prack);
	ok = peer_wait_answer(peer, "200", "PRACK");
	g_assert_nonnull(strstr(message_body(ok), "m=audio 0 "));
	rig_plugin->leg->hangup(rig_leg, REASON_BUSY, NULL);
	refused = peer_wait(peer, "SIP/2.0 486");
	peer->cseq--;
	peer_ack(peer, refused, NULL);
	rig_stop();
}

/* The far end's own words for it. */
static void
family__refused_by_them(void)
{
	g_autoptr(Peer) peer = start_with(IPV4);
	g_autofree char *invite = dial(peer);

	peer_reply(peer, invite, "488 Not Acceptable Here", "t",
		   "Warning: 300 far.example \"Incompatible network protocol\"\r\n", NULL);
	rig_expect_start("ended ip-version 488");
	rig_stop();
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/family/table", family__table);
	g_test_add_func("/family/streams", family__streams);
	g_test_add_func("/family/stays", family__stays);
	g_test_add_func("/family/prack", family__prack);
	g_test_add_func("/family/refused-by-them", family__refused_by_them);
	return g_test_run();
}
