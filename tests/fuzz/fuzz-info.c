/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz-info.c - any bytes as the body of an INFO; the first says of which type. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "plugins/sip/stack/sip_info.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *type = size && data[0] & 1 ? INFO_RELAY : INFO_PLAIN;
	g_autofree char *again = NULL;
	char key;

	if (!size)
		return 0;
	key = info_key(type, (const char *)data + 1, size - 1);
	if (!key)
		return 0;
	/* what was read can be said, and is read the same */
	again = info_body(type, key);
	if (info_key(type, again, strlen(again)) != key)
		abort();
	return 0;
}
