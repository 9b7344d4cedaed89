/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* number.c - what people and carriers write for a number, to E.164 and back.
 *
 * Which digits mean what in a country is numberplan.cc's, that is, libphonenumber's.
 */
#include "b2bua/number.h"
#include "b2bua/address.h"
#include "b2bua/numberplan.h"
#include <string.h>

#define MAX_TEXT   64 /* bytes of what is still a number */
#define MAX_DIGITS 20 /* 15 and a prefix for calls abroad */

char *
number_unescape(const char *local)
{
	static const char *const ESCAPED[] = { "20", "22", "26", "27", "2f",
					       "3a", "3c", "3e", "40", "5c" };
	GString *text = g_string_new(NULL);

	while (*local) {
		gboolean is_escape = FALSE;

		for (guint i = 0; *local == '\\' && i < G_N_ELEMENTS(ESCAPED); i++)
			is_escape = is_escape || g_ascii_strncasecmp(local + 1, ESCAPED[i], 2) == 0;
		if (is_escape) {
			g_string_append_c(text, (char)(g_ascii_xdigit_value(local[1]) * 16 +
						       g_ascii_xdigit_value(local[2])));
			local += 3;
		} else {
			g_string_append_c(text, *local++);
		}
	}
	return g_string_free(text, FALSE);
}

static const char *
after_scheme(const char *text)
{
	static const char *const SCHEMES[] = { "tel:", "sip:", "sips:" };

	for (gsize i = 0; i < G_N_ELEMENTS(SCHEMES); i++)
		if (g_ascii_strncasecmp(text, SCHEMES[i], strlen(SCHEMES[i])) == 0)
			return text + strlen(SCHEMES[i]);
	return text;
}

/* "+" and digits, * and #, without what is there for the eye, parameters, keys to
 * press later (after a comma) and the "(0)" that people write after a country code. */
static gboolean
only_digits(const char *text, char digits[MAX_DIGITS + 2])
{
	gsize length = 0;

	for (; *text && !strchr(",;", *text); text++) {
		if (g_str_has_prefix(text, "(0)") && digits[0] == '+') {
			text += 2;
			continue;
		}
		if (strchr(" -.()/", *text))
			continue;
		if (length > MAX_DIGITS || !(g_ascii_isdigit(*text) || strchr("*#", *text) ||
					     (*text == '+' && length == 0)))
			return FALSE;
		digits[length++] = *text;
		digits[length] = '\0';
	}
	return length > 0;
}

static gboolean
is_code(const char *digits)
{
	g_autofree char *code = NULL;

	return digits[0] != '+' && number_normalise(digits, &code);
}

/* Of digits without a "+", in a country. */
static char *
national(const char *digits, const char *country)
{
	char *number = NULL;

	if (is_code(digits) && (strpbrk(digits, "*#") || numberplan_is_short(digits, country)))
		return g_strdup(digits);
	if (strpbrk(digits, "*#"))
		return NULL;
	if (!is_code(digits)) {
		g_autofree char *abroad =
			g_str_has_prefix(digits, "00") ? g_strconcat("+", digits + 2, NULL) : NULL;

		/* the country's own way first; "00" is what the rest of the world means */
		number = numberplan_to_e164(digits, country);
		if (!number && abroad)
			number = numberplan_to_e164(abroad, country);
	}
	if (!number && is_code(digits))
		return g_strdup(digits);
	return number;
}

gboolean
number_dialled(const char *text, const char *country, char **number)
{
	char digits[MAX_DIGITS + 2] = "";
	g_autofree char *plain = NULL;

	*number = NULL;
	if (!text || strlen(text) > MAX_TEXT)
		return FALSE;
	text = after_scheme(text);
	plain = g_uri_unescape_string(text, NULL);
	if (!only_digits(plain ? plain : text, digits))
		return FALSE;
	if (digits[0] == '+' || !country)
		return number_normalise(digits, number);
	*number = national(digits, country);
	if (*number && !number_is_e164(*number) && !is_code(*number))
		g_clear_pointer(number, g_free);
	return *number != NULL;
}

/* Digits alone may be national, or international without the "+": the latter when
 * the plan of the carrier's country has such a number. */
gboolean
number_from_carrier(const char *text, const char *country, char **number)
{
	char digits[MAX_DIGITS + 2] = "";
	g_autofree char *with_plus = NULL, *international = NULL;

	*number = NULL;
	if (!text || strlen(text) > MAX_TEXT || !only_digits(after_scheme(text), digits))
		return FALSE;
	if (digits[0] == '+' || is_code(digits))
		return number_dialled(digits, country, number);
	with_plus = g_strconcat("+", digits + (g_str_has_prefix(digits, "00") ? 2 : 0), NULL);
	number_normalise(with_plus, &international);
	if (international && country && numberplan_is_valid(international, country))
		*number = g_steal_pointer(&international);
	else if (!country || !number_dialled(digits, country, number))
		*number = g_steal_pointer(&international);
	return *number != NULL;
}

char *
number_to_carrier(const char *number, const char *form, const char *prefix, const char *country)
{
	char *dialled = NULL;

	if (!number_is_e164(number))
		return g_strdup(number);
	if (strcmp(form, "national") == 0 && country && *country)
		dialled = numberplan_from(number, country);
	else if (strcmp(form, "prefix") == 0)
		dialled = g_strconcat(prefix ? prefix : "", number + 1, NULL);
	return dialled ? dialled : g_strdup(number);
}
