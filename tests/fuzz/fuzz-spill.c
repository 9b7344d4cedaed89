/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz-spill.c - any bytes as the spill file of a crash.
 *
 * The checksum would keep the fuzzer out of the records, so the bytes are read as a
 * whole file and, behind their first, as one record.
 */
#include <stdint.h>
#include <string.h>
#include "db/spill.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What has been read is written and read as the same. */
static void
check(const CallRecord *record)
{
	g_autoptr(GByteArray) bytes = spill_encode(record, G_MAXSIZE), cut = NULL;
	g_autoptr(CallRecord) again = spill_decode(bytes->data, bytes->len);

	g_assert_nonnull(again);
	g_assert_cmpint(again->id, ==, record->id);
	g_assert_cmpstr(again->legs, ==, record->legs);
	g_assert_cmpstr(again->ladder, ==, record->ladder);
	g_assert_cmpuint(again->price, ==, record->price);
	if (record->price)
		g_assert_cmpstr(again->currency, ==, record->currency);
	cut = spill_encode(record, 100);
	g_assert_cmpuint(cut->len, <=, bytes->len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(GPtrArray) records = spill_decode_all(data, size);
	g_autoptr(CallRecord) record = size > 0 ? spill_decode(data + 1, size - 1) : NULL;

	for (guint i = 0; i < records->len; i++)
		check(records->pdata[i]);
	if (record)
		check(record);
	return 0;
}
