/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-srtp.c - our AES-CM and HMAC-SHA1 inside libsrtp.
 *
 * protection_setup() has libsrtp run RFC 3711 B.2 and RFC 2202 on them and fails
 * when they differ; here whole packets pass, are repeated and forged.
 */
#include "media/srtp.h"
#include <string.h>

#define PAYLOAD 160
#define PACKET	(12 + PAYLOAD)

static const guint8 key[30] = "0123456789abcdefsaltsaltsalts";

static gsize
make_packet(guint8 *packet, guint16 seq)
{
	memset(packet, 0x55, PACKET);
	memcpy(packet, "\x80\0\0\0\0\0\0\0\x12\x34\x56\x78", 12);
	packet[2] = seq >> 8;
	packet[3] = seq & 0xff;
	return PACKET;
}

/* 70,000 packets: over a roll-over of the sequence number. */
static void
test_round_trip(gconstpointer data)
{
	const SrtpProfile profile = GPOINTER_TO_INT(data);
	Protection *send = protection_new(profile, key, TRUE);
	Protection *receive = protection_new(profile, key, FALSE);
	_Alignas(8) guint8 packet[PACKET + PROTECTION_TRAILER], plain[PACKET];

	for (guint i = 0; i < 70000; i++) {
		gsize length = make_packet(packet, (guint16)i);

		make_packet(plain, (guint16)i);
		g_assert_cmpint(protection_protect(send, packet, &length), ==, PROTECTION_OK);
		g_assert_cmpuint(length, >, PACKET);
		g_assert_true(memcmp(packet + 12, plain + 12, PAYLOAD) != 0);
		g_assert_cmpint(protection_unprotect(receive, packet, &length), ==, PROTECTION_OK);
		g_assert_cmpmem(packet, length, plain, PACKET);
	}
	protection_free(send);
	protection_free(receive);
}

static void
test_replay_and_forgery(gconstpointer data)
{
	const SrtpProfile profile = GPOINTER_TO_INT(data);
	Protection *send = protection_new(profile, key, TRUE);
	Protection *receive = protection_new(profile, key, FALSE);
	_Alignas(8) guint8 packet[PACKET + PROTECTION_TRAILER], copy[sizeof packet];
	gsize length = make_packet(packet, 7), again;

	g_assert_cmpint(protection_protect(send, packet, &length), ==, PROTECTION_OK);
	memcpy(copy, packet, sizeof copy);
	again = length;
	copy[20] ^= 1;
	g_assert_cmpint(protection_unprotect(receive, copy, &again), ==, PROTECTION_BAD);
	memcpy(copy, packet, sizeof copy);
	again = length;
	g_assert_cmpint(protection_unprotect(receive, copy, &again), ==, PROTECTION_OK);
	memcpy(copy, packet, sizeof copy);
	again = length;
	g_assert_cmpint(protection_unprotect(receive, copy, &again), ==, PROTECTION_REPLAY);
	protection_free(send);
	protection_free(receive);
}

/* As libsrtp itself sends them: the bytes stand before the tag, and are checked. */
static void
test_mki(gconstpointer data)
{
	const SrtpProfile profile = GPOINTER_TO_INT(data);
	const guint8 mki[] = { 0, 0, 4, 42 };
	Protection *send = protection_new(profile, key, TRUE);
	Protection *receive = protection_new_with_mki(profile, key, mki, sizeof mki);
	const gsize tag = profile == SRTP_AEAD_GCM ? 0 : profile == SRTP_CM_SHA1_32 ? 4 : 10;
	_Alignas(8) guint8 packet[PACKET + PROTECTION_TRAILER + sizeof mki], wrong[sizeof packet],
		plain[PACKET];

	for (guint16 i = 0; i < 20; i++) {
		gsize length = make_packet(packet, i), copied;

		make_packet(plain, i);
		g_assert_cmpint(protection_protect(send, packet, &length), ==, PROTECTION_OK);
		memmove(packet + length - tag + sizeof mki, packet + length - tag, tag);
		memcpy(packet + length - tag, mki, sizeof mki);
		length += sizeof mki;
		memcpy(wrong, packet, length);
		wrong[length - tag - 1]++;
		copied = length;
		g_assert_cmpint(protection_unprotect(receive, wrong, &copied), ==, PROTECTION_BAD);
		g_assert_cmpint(protection_unprotect(receive, packet, &length), ==, PROTECTION_OK);
		g_assert_cmpmem(packet, length, plain, PACKET);
	}
	protection_free(send);
	protection_free(receive);
}

int
main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;

	g_test_init(&argc, &argv, NULL);
	protection_setup(&error);
	g_assert_no_error(error);
	g_test_add_data_func("/srtp/mki/80", GINT_TO_POINTER(SRTP_CM_SHA1_80), test_mki);
	g_test_add_data_func("/srtp/mki/32", GINT_TO_POINTER(SRTP_CM_SHA1_32), test_mki);
	g_test_add_data_func("/srtp/round trip/AES-CM", GINT_TO_POINTER(SRTP_CM_SHA1_80),
			     test_round_trip);
	g_test_add_data_func("/srtp/round trip/GCM", GINT_TO_POINTER(SRTP_AEAD_GCM),
			     test_round_trip);
	g_test_add_data_func("/srtp/replay and forgery/AES-CM", GINT_TO_POINTER(SRTP_CM_SHA1_80),
			     test_replay_and_forgery);
	g_test_add_data_func("/srtp/replay and forgery/GCM", GINT_TO_POINTER(SRTP_AEAD_GCM),
			     test_replay_and_forgery);
	return g_test_run();
}
