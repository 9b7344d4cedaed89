/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz-sdes.c - a key of a description in, written, and read again. */
#include <stdint.h>
#include <stdlib.h>
#include "media/sdes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *value = g_strndup((const char *)data, size);
	g_autofree char *text = NULL;
	SdesKey key, again;

	if (!sdes_parse(value, &key))
		return 0;
	text = sdes_text(&key);
	if (!text || !sdes_parse(text, &again) || again.tag != key.tag || !sdes_same(&key, &again))
		abort();
	return 0;
}
