/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz-allocate.c - any bytes as the answer of a STUN or TURN server, and what is asked with what
 * it has said. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "media/allocate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const guint8 transaction[ALLOCATE_TRANSACTION] = "transaction";
	guint8 request[ALLOCATE_MAX];
	StunAnswer answer;
	StunLogin login = { "1764000000:doctor", "secret", answer.realm, answer.nonce };
	gsize length;

	stun_length(data, size);
	if (!stun_answer_parse(data, size, STUN_ALLOCATE, transaction, &answer))
		return 0;
	length = stun_request(request, STUN_ALLOCATE, transaction, &login);
	/* a request is none of the answers, and whole */
	if (length == 0 || stun_length(request, length) != length ||
	    stun_answer_parse(request, length, STUN_ALLOCATE, transaction, &answer))
		abort();
	return 0;
}
