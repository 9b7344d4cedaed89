/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz-options.c - any bytes as the answer to OPTIONS. */
#include <stdint.h>
#include <stdlib.h>
#include "b2bua/doctor/doctor_sip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	SipAnswer answer;

	if (sip_answer_read((const char *)data, size, &answer) &&
	    (answer.status < 100 || answer.status > 999))
		abort();
	return 0;
}
