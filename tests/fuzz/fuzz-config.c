/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz-config.c - any text as a key file: a struct, or one line that says why not. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "b2bua/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = g_strndup((const char *)data, size);
	g_autoptr(GError) error = NULL;
	g_autoptr(Config) config = config_from_text(text, "fuzz", &error);

	if (!config == !error || (error && strchr(error->message, '\n')))
		abort();
	if (config && (!config->media.rtp_address || !config->media.local_addresses[0] ||
		       config->media.port_max <= config->media.port_min))
		abort();
	return 0;
}
