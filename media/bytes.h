/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* bytes.h - numbers in network byte order, at any alignment.
 *
 * Thread: any (pure).
 */
#pragma once
#include <glib.h>

static inline guint16
get16(const guint8 *data)
{
	return (guint16)(data[0] << 8 | data[1]);
}

static inline guint32
get32(const guint8 *data)
{
	return (guint32)data[0] << 24 | (guint32)data[1] << 16 | (guint32)data[2] << 8 | data[3];
}

static inline void
put16(guint8 *data, guint16 value)
{
	data[0] = (guint8)(value >> 8);
	data[1] = (guint8)value;
}

static inline void
put32(guint8 *data, guint32 value)
{
	put16(data, (guint16)(value >> 16));
	put16(data + 2, (guint16)value);
}
