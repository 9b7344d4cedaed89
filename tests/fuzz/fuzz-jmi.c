/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz-jmi.c - any bytes as a stanza, then exercise_jmi() on it. */
#include <stdint.h>

#include "tests/fuzz/exercise.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return exercise_bytes(data, size, exercise_jmi);
}
