/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz-im.c - any bytes as a stanza, then exercise_im() on it. */
#include <stdint.h>

#include "tests/fuzz/exercise.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(xmlNode) stanza = xml_parse((const char *)data, size, 64 * 1024, &error);

	if (stanza)
		exercise_im(stanza);
	return 0;
}
