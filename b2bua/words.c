/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* words.c - what is written in a configuration, as words.
 * Thread: any (pure).
 */
#include "b2bua/words.h"
#include <string.h>

guint
words_distance(const char *one, const char *other)
{
	guint row[64], diagonal;
	gsize width = strlen(other);

	if (width >= G_N_ELEMENTS(row) || strlen(one) >= G_N_ELEMENTS(row))
		return G_MAXUINT;
	for (gsize i = 0; i <= width; i++)
		row[i] = i;
	for (; *one; one++) {
		diagonal = row[0]++;
		for (gsize i = 1; i <= width; i++) {
			guint above = row[i];

			row[i] = MIN(diagonal + (*one != other[i - 1]), MIN(above, row[i - 1]) + 1);
			diagonal = above;
		}
	}
	return row[width];
}

gboolean
words_are_near(const char *word, const char *candidate)
{
	return words_distance(word, candidate) <= MAX(2, strlen(candidate) / 3);
}

gboolean
word_is_host_name(const char *name)
{
	g_auto(GStrv) labels = g_strsplit(name, ".", -1);

	if (!*name || strlen(name) > 253)
		return FALSE;
	for (char **label = labels; *label; label++) {
		gsize length = strlen(*label);

		if (length == 0 || length > 63 || (*label)[0] == '-' ||
		    (*label)[length - 1] == '-' ||
		    strspn(*label,
			   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") !=
			    length)
			return FALSE;
	}
	return TRUE;
}

/* GLib takes "192.0.2.1/1000" for a network of no bits, which is everybody. */
static gboolean
has_sound_length(const char *network)
{
	const char *slash = strchr(network, '/');

	return !slash || g_ascii_string_to_unsigned(slash + 1, 10, 0,
						    strchr(network, ':') ? 128 : 32, NULL, NULL);
}

GInetAddressMask *
word_network(const char *word)
{
	return has_sound_length(word) ? g_inet_address_mask_new_from_string(word, NULL) : NULL;
}

gboolean
word_is_yes_or_no(const char *word, gboolean *yes)
{
	static const char *const words[][2] = {
		{ "no", "yes" }, { "false", "true" }, { "off", "on" }, { "0", "1" }
	};

	for (guint i = 0; i < G_N_ELEMENTS(words); i++)
		for (int answer = 0; answer <= 1; answer++)
			if (g_ascii_strcasecmp(word, words[i][answer]) == 0) {
				*yes = answer;
				return TRUE;
			}
	return FALSE;
}

static gboolean
hour_of(const char *text, gsize length, guint *hour)
{
	if (length == 0 || length > 2 || strspn(text, "0123456789") < length)
		return FALSE;
	*hour = (guint)(text[0] - '0');
	if (length == 2)
		*hour = *hour * 10 + (guint)(text[1] - '0');
	return *hour <= 24;
}

gboolean
word_hours(const char *word, guint *from, guint *to)
{
	const char *dash = strchr(word, '-');

	return dash && hour_of(word, (gsize)(dash - word), from) &&
	       hour_of(dash + 1, strlen(dash + 1), to) && *from != *to && *from < 24;
}

#define FRACTION 4 /* digits behind the point */

gboolean
word_money(const char *word, guint *ten_thousandths)
{
	gsize whole = strspn(word, "0123456789");
	gsize digits = word[whole] == '.' ? strspn(word + whole + 1, "0123456789") : 0;
	guint value = 0;

	if (whole == 0 || whole > 4 || digits > FRACTION || (word[whole] == '.' && digits == 0) ||
	    word[whole + (digits ? digits + 1 : 0)] != '\0')
		return FALSE;
	for (gsize i = 0; i < whole; i++)
		value = value * 10 + (guint)(word[i] - '0');
	for (gsize i = 0; i < FRACTION; i++)
		value = value * 10 + (i < digits ? (guint)(word[whole + 1 + i] - '0') : 0);
	*ten_thousandths = value;
	return TRUE;
}

char *
word_of_money(guint64 ten_thousandths)
{
	char *text = g_strdup_printf("%" G_GUINT64_FORMAT ".%04u", ten_thousandths / 10000,
				     (guint)(ten_thousandths % 10000));
	gsize length = strlen(text);

	/* two digits behind the point at least */
	for (guint i = 0; i < 2 && text[length - 1] == '0'; i++)
		text[--length] = '\0';
	return text;
}

/* With its zone, or by the machine's clock. */
static gboolean
whole_time(const char *text, gint64 *us)
{
	g_autoptr(GTimeZone) here = g_time_zone_new_local();
	g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(text, here);

	if (!time)
		return FALSE;
	*us = g_date_time_to_unix(time) * G_USEC_PER_SEC + g_date_time_get_microsecond(time);
	return TRUE;
}

/* "2h": so long before now. */
static gboolean
time_ago(const char *word, GDateTime *now, gint64 *us)
{
	static const struct {
		char unit;
		gint seconds;
	} UNITS[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	const gsize digits = strspn(word, "0123456789");

	for (guint i = 0; i < G_N_ELEMENTS(UNITS); i++)
		if (digits > 0 && digits < 7 && word[digits] == UNITS[i].unit &&
		    !word[digits + 1]) {
			*us = (g_date_time_to_unix(now) -
			       g_ascii_strtoll(word, NULL, 10) * UNITS[i].seconds) *
			      G_USEC_PER_SEC;
			return TRUE;
		}
	return FALSE;
}

/* Of the day that is so many days after today, by the machine's clock. */
static gboolean
time_of_day(GDateTime *now, int days, const char *clock, gint64 *us)
{
	g_autoptr(GDateTime) day = g_date_time_add_days(now, days);
	g_autofree char *date = g_date_time_format(day, "%Y-%m-%d");
	g_autofree char *text =
		g_strconcat(date, "T", clock, strlen(clock) == strlen("10:00") ? ":00" : "", NULL);

	return whole_time(text, us);
}

gboolean
word_time(const char *word, GDateTime *now, gboolean past, gint64 *us)
{
	const gsize day = strlen("2026-11-29");
	const char *clock = strlen(word) > day && word[4] == '-' ? word + day + 1 : NULL;
	g_autofree char *text = NULL;

	if (strcmp(word, "today") == 0 || strcmp(word, "yesterday") == 0)
		return time_of_day(now, *word == 'y' ? -1 : 0, "00:00", us);
	if (time_ago(word, now, us))
		return TRUE;
	if (strlen(word) == day && word[4] == '-')
		text = g_strconcat(word, "T00:00:00", NULL);
	else if (clock && (word[day] == 'T' || word[day] == ' ')) {
		text = g_strconcat(word, strlen(clock) == strlen("10:00") ? ":00" : "", NULL);
		text[day] = 'T';
	} else
		return time_of_day(now, 0, word, us) &&
		       (!past || *us <= g_date_time_to_unix(now) * G_USEC_PER_SEC ||
			time_of_day(now, -1, word, us));
	return whole_time(text, us);
}

char *
word_of_time(gint64 seconds)
{
	g_autoptr(GDateTime) time = seconds ? g_date_time_new_from_unix_local(seconds) : NULL;

	return time ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%S%:z") : NULL;
}
