/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz-naptr.c - any bytes as a DNS answer. */
#include <stdint.h>
#include <stdlib.h>
#include "plugins/sip/stack/sip_naptr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(GPtrArray) ways = naptr_parse(data, size);

	for (guint i = 0; i < ways->len; i++) {
		const NaptrWay *way = ways->pdata[i], *last = i ? ways->pdata[i - 1] : way;

		if (!*way->domain || way->order < last->order)
			abort();
	}
	if (ways->len > NAPTR_MAX_WAYS)
		abort();
	return 0;
}
