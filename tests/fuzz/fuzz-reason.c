/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz-reason.c - any text as the value of a Reason header, and as the words in one of ours. */
#include <stdint.h>
#include <string.h>
#include "plugins/sip/stack/sip_reason.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = g_strndup((const char *)data, size);
	g_autofree char *written = NULL, *plain = NULL;
	Reason heard = REASON_NONE, said = REASON_NONE, bare = REASON_NONE;
	guint status;

	if (sip_reason_from_header(text, &heard)) {
		status = sip_reason_to_status(heard, NULL);
		g_assert_cmpuint(status, >=, 400);
		g_assert_cmpuint(status, <=, 699);
	}
	/* whatever the words are, they change nothing of what the header means */
	written = sip_reason_to_header(REASON_BUSY, text);
	plain = sip_reason_to_header(REASON_BUSY, NULL);
	g_assert_null(strpbrk(written, "\r\n"));
	g_assert_true(sip_reason_from_header(plain, &bare));
	g_assert_true(sip_reason_from_header(written, &said));
	g_assert_cmpint(said, ==, bare);
	return 0;
}
