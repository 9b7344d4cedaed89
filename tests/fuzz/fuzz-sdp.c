/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz-sdp.c - a description in, answered, written, and read again. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "plugins/sip/stack/sip_crypto.h"
#include "plugins/sip/stack/sip_desc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What we write we can read, with as many streams. */
static void
check(const Desc *desc)
{
	SdpOrigin origin = { "192.0.2.1", 1, 2 };
	g_autofree char *sdp = desc_to_sdp(desc, &origin);
	g_autofree char *line = desc_summary(desc);
	g_autoptr(Desc) again =
		strlen(sdp) > SDP_MAX_SIZE ? desc_ref(desc) : desc_from_sdp(sdp, strlen(sdp), NULL);

	if (!again || again->streams->len != desc->streams->len)
		abort();
}

/* Whatever was heard, what is offered next can be read again. */
static void
secure(CryptoPolicy policy, const Desc *heard, const Desc *said)
{
	Crypto crypto = { .policy = policy };
	g_autoptr(Desc) first = said ? crypto_offer(&crypto, said) : NULL;
	g_autoptr(Desc) next = NULL;

	if (first)
		check(first);
	crypto_refuse_offer(&crypto, heard);
	if (crypto_refuse_answer(&crypto, heard))
		return;
	crypto_settle(&crypto, heard);
	next = said ? crypto_offer(&crypto, said) : NULL;
	if (next)
		check(next);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const CryptoPolicy policies[] = { CRYPTO_REQUIRE, CRYPTO_OFFER, CRYPTO_OFF };

	g_autoptr(Desc) desc = desc_from_sdp((const char *)data, size, NULL);
	g_autoptr(Transport) ours = transport_new(TRANSPORT_RTP);
	g_autoptr(Desc) answer = NULL;

	if (!desc)
		return 0;
	check(desc);
	g_strlcpy(ours->address, "192.0.2.1", sizeof(ours->address));
	ours->port = 4000;
	answer = desc_answer(desc, desc, ours);
	if (answer)
		check(answer);
	for (guint i = 0; i < G_N_ELEMENTS(policies); i++)
		secure(policies[i], desc, answer);
	return 0;
}
