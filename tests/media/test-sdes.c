/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-sdes.c - a telephone with SRTP keys of its description, and an echo.
 *
 *   telephone ⇄ SRTP ⇄ port, joined to itself
 */
#include "tests/media/media-peer.h"
#include <string.h>
#include <unistd.h>
#include "media/rtp.h"
#include "media/srtp.h"

#define ENOUGH 20000

typedef struct {
	Workers *workers;
	Peer *peer;
	PortId port;
	Phone *phone;
	Protection *send, *receive;
} Call;

static SdesKey
key_of(SrtpProfile profile, guint8 fill)
{
	SdesKey key = { .tag = 1, .profile = profile };

	memset(key.key, fill, sizeof key.key);
	return key;
}

/* The telephone offers `theirs`, the gateway answers; theirs.profile 0: in the clear. */
static void
negotiate(Call *call, SdesKey theirs)
{
	g_autoptr(Desc) offer = phone_desc(call->phone, "0 PCMU");
	g_autoptr(Desc) answer = NULL;
	const Transport *ours = call->peer->ports[call->port].ours;
	Transport *transport = desc_audio(offer)->transport;

	transport->sdes = theirs;
	answer = desc_answer(offer, offer, ours);
	g_assert_cmpint(desc_audio(answer)->transport->sdes.profile, ==, theirs.profile);
	media_connect(call->peer->media, call->port, answer, offer);
	peer_query(call->peer, call->port);
}

static void
protect_with(Call *call, SdesKey theirs)
{
	protection_free(call->send);
	call->send = protection_new(theirs.profile, theirs.key, TRUE);
}

static Call *
call_new(SdesKey theirs)
{
	Call *call = g_new0(Call, 1);
	const SdesKey *ours;

	call->workers = workers_for_test(FALSE);
	call->peer = peer_new(call->workers);
	call->phone = phone_new();
	call->port = peer_add(call->peer, SIDE_CALLER, TRANSPORT_RTP);
	negotiate(call, theirs);
	peer_wait_up(call->peer, call->port);
	media_join(call->peer->media, call->port, call->port);
	peer_query(call->peer, call->port); /* it has been done */
	ours = &call->peer->ports[call->port].ours->sdes;
	protect_with(call, theirs);
	call->receive = protection_new(theirs.profile, ours->key, FALSE);
	return call;
}

static void
call_free(Call *call)
{
	protection_free(call->send);
	protection_free(call->receive);
	phone_free(call->phone);
	peer_free(call->peer);
	workers_free(call->workers);
	g_free(call);
}

static gsize
make_packet(Call *call, guint8 *packet)
{
	const RtpPacket header = { .seq = call->phone->seq++,
				   .timestamp = call->phone->timestamp += 160,
				   .ssrc = call->phone->ssrc };

	rtp_write_header(packet, &header);
	memset(packet + RTP_HEADER, 0x5a, 160);
	return RTP_HEADER + 160;
}

static void
speak(Call *call, gboolean protect)
{
	_Alignas(8) guint8 packet[RTP_HEADER + 160 + PROTECTION_TRAILER];
	gsize length = make_packet(call, packet);

	if (protect)
		g_assert_cmpint(protection_protect(call->send, packet, &length), ==, PROTECTION_OK);
	phone_send_raw(call->phone, call->peer->ports[call->port].ours->port, packet, length);
}

static gboolean
heard(gpointer user)
{
	return phone_drain(((Call *)user)->phone) > 0;
}

/* What comes back is no audio on the wire, and is with the gateway's key. */
static void
talk(Call *call, guint n)
{
	for (guint i = 0; i < n; i++) {
		_Alignas(8) guint8 packet[2048];
		gsize length;

		speak(call, TRUE);
		g_assert_true(wait_for(heard, call, ENOUGH));
		length = call->phone->last_length;
		memcpy(packet, call->phone->last, length);
		g_assert_cmpuint(length, >, RTP_HEADER + 160);
		for (guint j = 0, same = 0; j < 160; j++) {
			same += packet[RTP_HEADER + j] == 0x5a;
			g_assert_cmpuint(same, <, 16);
		}
		g_assert_cmpint(protection_unprotect(call->receive, packet, &length), ==,
				PROTECTION_OK);
		g_assert_cmpuint(length, ==, RTP_HEADER + 160);
		for (guint j = 0; j < 160; j++)
			g_assert_cmphex(packet[RTP_HEADER + j], ==, 0x5a);
	}
}

static gboolean
dropped_three(gpointer user)
{
	Call *call = user;

	return peer_query(call->peer, call->port).dropped_auth >= 3;
}

static void
assert_nothing_taken(Call *call, gboolean protect)
{
	const guint64 before = peer_query(call->peer, call->port).packets_in;

	for (guint i = 0; i < 3; i++)
		speak(call, protect);
	g_assert_true(wait_for(dropped_three, call, ENOUGH));
	g_assert_cmpuint(peer_query(call->peer, call->port).dropped_auth, ==, 3);
	g_assert_cmpuint(peer_query(call->peer, call->port).packets_in, ==, before);
	g_assert_cmpuint(phone_drain(call->phone), ==, 0);
}

static void
test_suites(void)
{
	static const SrtpProfile profiles[] = { SRTP_CM_SHA1_80, SRTP_CM_SHA1_32, SRTP_AEAD_GCM };

	for (guint i = 0; i < G_N_ELEMENTS(profiles); i++) {
		Call *call = call_new(key_of(profiles[i], 7));

		talk(call, 5);
		g_assert_cmpuint(peer_query(call->peer, call->port).dropped_auth, ==, 0);
		call_free(call);
	}
}

static void
test_wrong_key(void)
{
	Call *call = call_new(key_of(SRTP_CM_SHA1_80, 7));

	protect_with(call, key_of(SRTP_CM_SHA1_80, 8));
	assert_nothing_taken(call, TRUE);
	protect_with(call, key_of(SRTP_CM_SHA1_80, 7));
	talk(call, 3);
	call_free(call);
}

static void
test_clear(void)
{
	Call *call = call_new(key_of(SRTP_CM_SHA1_80, 7));

	assert_nothing_taken(call, FALSE);
	call_free(call);
}

/* The numbers pass 65535, so that the index is only right where it is kept; then a
 * new key, whose index begins anew.  Ours goes on through all of it. */
static void
test_again(void)
{
	Call *call = call_new(key_of(SRTP_CM_SHA1_80, 7));

	call->phone->seq = 65530;
	talk(call, 12);
	negotiate(call, key_of(SRTP_CM_SHA1_80, 7));
	talk(call, 3);
	negotiate(call, key_of(SRTP_CM_SHA1_80, 9));
	protect_with(call, key_of(SRTP_CM_SHA1_80, 9));
	talk(call, 3);
	g_assert_cmpuint(peer_query(call->peer, call->port).dropped_auth, ==, 0);
	call_free(call);
}

/* The gateway has offered its key with more than one suite, which its own description
 * does not know: the answer's is taken.  Hold repeats both. */
static void
test_our_offer(void)
{
	Call *call = call_new(key_of(SRTP_CM_SHA1_80, 7));
	const PortId port = peer_add(call->peer, SIDE_CALLEE, TRANSPORT_RTP);
	const Transport *ours = call->peer->ports[port].ours;
	g_autoptr(Desc) offer = desc_offer_all(ours, TRANSPORT_RTP);

	call->port = port;
	for (guint i = 0; i < 2; i++) {
		g_autoptr(Desc) answer = phone_desc(call->phone, "0 PCMU");

		desc_audio(answer)->transport->sdes = key_of(SRTP_CM_SHA1_32, 7);
		media_connect(call->peer->media, port, offer, answer);
		media_join(call->peer->media, port, port);
		peer_query(call->peer, port);
		if (i == 0) {
			protect_with(call, key_of(SRTP_CM_SHA1_32, 7));
			protection_free(call->receive);
			call->receive = protection_new(SRTP_CM_SHA1_32, ours->sdes.key, FALSE);
		}
		talk(call, 3);
	}
	call_free(call);
}

/* Packets of a peer whose key has an MKI, taken and counted. */
static void
test_mki(void)
{
	SdesKey theirs = key_of(SRTP_CM_SHA1_80, 7);
	_Alignas(8) guint8 packet[RTP_HEADER + 160 + PROTECTION_TRAILER];
	Call *call;
	gsize length;

	theirs.mki = 0x0102;
	theirs.mki_length = 4;
	call = call_new(theirs);
	length = make_packet(call, packet);
	g_assert_cmpint(protection_protect(call->send, packet, &length), ==, PROTECTION_OK);
	memmove(packet + length - 10 + 4, packet + length - 10, 10);
	memcpy(packet + length - 10, "\0\0\1\2", 4);
	phone_send_raw(call->phone, call->peer->ports[call->port].ours->port, packet, length + 4);
	g_assert_true(wait_for(heard, call, ENOUGH));
	g_assert_cmpuint(peer_query(call->peer, call->port).packets_in, ==, 1);
	call_free(call);
}

/* Once there are keys, a description without any does not open the port. */
static void
test_no_way_back(void)
{
	Call *call = call_new(key_of(SRTP_CM_SHA1_80, 7));

	talk(call, 1);
	negotiate(call, (SdesKey){ 0 });
	assert_nothing_taken(call, FALSE);
	call_free(call);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_assert_true(protection_setup(NULL));
	g_test_add_func("/sdes/suites", test_suites);
	g_test_add_func("/sdes/wrong-key", test_wrong_key);
	g_test_add_func("/sdes/clear", test_clear);
	g_test_add_func("/sdes/again", test_again);
	g_test_add_func("/sdes/our-offer", test_our_offer);
	g_test_add_func("/sdes/mki", test_mki);
	g_test_add_func("/sdes/no-way-back", test_no_way_back);
	return g_test_run();
}
