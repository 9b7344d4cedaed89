/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* words.h - what is written in a configuration, as words.
 * Thread: any (pure).
 */
#pragma once
#include <gio/gio.h>

/* Edits that turn one word into the other (Levenshtein), for suggestions. */
guint words_distance(const char *one, const char *other);
gboolean words_are_near(const char *word, const char *candidate);
/* RFC 1123 2.1, with underscores as found in the wild. */
gboolean word_is_host_name(const char *name);
/* "192.0.2.0/24", "2001:db8::1"; NULL for anything else. */
GInetAddressMask *word_network(const char *word);
/* yes, true, on, 1; no, false, off, 0, in any case.  FALSE: neither. */
gboolean word_is_yes_or_no(const char *word, gboolean *yes);
/* "7-22", "22-6": hours of the day, the last one not among them. */
gboolean word_hours(const char *word, guint *from, guint *to);
/* "0.0125": an amount of money up to 9999.9999; and as it is written. */
gboolean word_money(const char *word, guint *ten_thousandths);
char *word_of_money(guint64 ten_thousandths);
/* "2h" before `now`, "yesterday", "10:00" of today, "2026-11-29", "2026-11-29 10:00",
 * "2026-11-29T10:00:00+01:00": us since 1970.  `past`: a time of day that is still to come is
 * yesterday's. */
gboolean word_time(const char *word, GDateTime *now, gboolean past, gint64 *us);
/* "2026-11-29T10:00:00+01:00", as it is here; NULL for 0. */
char *word_of_time(gint64 seconds);
