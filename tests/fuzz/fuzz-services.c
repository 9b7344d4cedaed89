/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz-services.c - any bytes as what a server says of its STUN and TURN servers (XEP-0215). */
#include <stdint.h>

#include "tests/fuzz/exercise.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return exercise_bytes(data, size, exercise_services);
}
