/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz-binding.c - a STUN Binding message: what is found in it lies inside of it. */
#include <stdint.h>
#include <stdlib.h>
#include "media/binding.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Binding binding;

	if (!binding_parse(data, size, &binding))
		return 0;
	if (binding.username &&
	    ((const uint8_t *)binding.username < data ||
	     (const uint8_t *)binding.username + binding.username_length > data + size))
		abort();
	if (binding.integrity + 24 > size && binding.integrity)
		abort();
	binding_is_sealed(data, &binding, "VOkJxbRl1RmTxUk/WvJxBt");
	return 0;
}
