/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* stun_answer.c - see stun_answer.h. */
#include "media/stun_answer.h"

#define STUN_HEADER	 20
#define BINDING_SUCCESS	 0x0101
#define BINDING_ERROR	 0x0111
#define MAGIC		 0x2112a442
#define ATTRIBUTE_HEADER 4
#define ERROR_CODE	 0x0009

static guint
get(const guint8 *data, guint bytes)
{
	guint value = 0;

	while (bytes-- > 0)
		value = value << 8 | *data++;
	return value;
}

static int
error_code(const guint8 *data, gsize length)
{
	gsize at = STUN_HEADER;

	while (length - at >= ATTRIBUTE_HEADER) {
		const guint type = get(data + at, 2), size = get(data + at + 2, 2);

		at += ATTRIBUTE_HEADER;
		if (size > length - at)
			return -1;
		if (type == ERROR_CODE)
			return size >= 4 && (data[at + 2] & 7) >= 3 && data[at + 3] < 100
				       ? (data[at + 2] & 7) * 100 + data[at + 3]
				       : -1;
		at += MIN((size + 3) / 4 * 4, length - at);
	}
	return -1;
}

int
stun_answer(const guint8 *data, gsize length)
{
	guint type;

	if (length < STUN_HEADER || get(data + 4, 4) != MAGIC)
		return -1;
	type = get(data, 2);
	if (type == BINDING_SUCCESS)
		return 0;
	return type == BINDING_ERROR ? error_code(data, length) : -1;
}
