/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz-words.c - any text as hours, an amount of money, a time. */
#include <stdint.h>
#include <string.h>
#include "b2bua/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = g_strndup((const char *)data, size);
	g_autoptr(GDateTime) now = g_date_time_new_now_local();
	guint from, to, amount, again;
	gint64 us;

	if (word_hours(text, &from, &to))
		g_assert_true(from < 24 && to <= 24 && from != to);
	if (word_money(text, &amount)) {
		g_autofree char *written = word_of_money(amount);

		g_assert_cmpuint(amount, <=, 99999999);
		g_assert_true(word_money(written, &again));
		g_assert_cmpuint(again, ==, amount);
	}
	if (word_time(text, now, TRUE, &us)) /* g_date_time has years from 1 to 9999 */
		g_assert_true(ABS(us / G_USEC_PER_SEC) < G_GINT64_CONSTANT(400000000000));
	return 0;
}
