/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz-body.c - any bytes as a body: the first line is its Content-Type, the second its
 * Content-Disposition, the third its Content-Encoding. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "plugins/sip/stack/sip_body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* NULL when it is empty. */
static char *
cut_line(const uint8_t **data, size_t *size)
{
	const uint8_t *end = memchr(*data, '\n', *size);
	size_t length = end ? (size_t)(end - *data) : *size;
	char *line = length ? g_strndup((const char *)*data, length) : NULL;

	*data += end ? length + 1 : length;
	*size -= end ? length + 1 : length;
	return line;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *type = cut_line(&data, &size);
	g_autofree char *disposition = cut_line(&data, &size);
	g_autofree char *encoding = cut_line(&data, &size);
	const BodyHeaders headers = { type, disposition, encoding };
	g_autofree char *sdp = NULL;
	gsize length = 0;
	/* an own copy, so that a byte behind the end is seen */
	g_autofree char *body = g_memdup2(data, size);
	BodyVerdict verdict = body_read(&headers, body, size, &sdp, &length);

	if ((verdict == BODY_FOUND) != (sdp != NULL) || length > size ||
	    (sdp && sdp[length] != '\0'))
		abort();
	return 0;
}
