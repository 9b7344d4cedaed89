/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* number.c - what people and carriers write for a number, to E.164 and back.
 *
 * Which digits mean what in a country is numberplan.cc's, that is, libphonenumber's.
 */
#include "b2bua/number.h"
#include "b2bua/address.h"
#include "b2bua/numberplan.h"
#include <string.h>

#define MAX_TEXT      128    /* bytes of what is still a number */
#define MAX_DIGITS    20     /* 15 and a prefix for calls abroad */
#define MAX_KEYS      32     /* and what is dialled before it */
#define MAX_EMERGENCY 14     /* with a prefix for calls abroad, a country code, * and # */
#define MAX_CODE      6	     /* digits of an emergency number; no country has more than five */
#define MAX_COUNTRY   3	     /* digits of a country code */
#define ABROAD_BEGINS "0189" /* prefixes for calls abroad, in all countries */

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
after(const char *digits, const char *prefix)
{
	return prefix && *prefix && g_str_has_prefix(digits, prefix) ? digits + strlen(prefix)
								     : NULL;
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

/* What is there for the eye, or comes along when a number is copied: blanks, dashes,
 * brackets, marks of the direction of writing. */
static gboolean
is_ornament(gunichar c)
{
	if (c < 0x80)
		return c == ' ' || c == '\t' || c == '-' || c == '.' || c == '(' || c == ')' ||
		       c == '/';
	return c == 0x2212 || g_unichar_isspace(c) || g_unichar_type(c) == G_UNICODE_FORMAT ||
	       g_unichar_type(c) == G_UNICODE_DASH_PUNCTUATION;
}

/* Digits of any script, *, # and +; 0: none of these. */
static char
plain_key(gunichar c)
{
	if (c < 0x80)
		return g_ascii_isdigit(c) || c == '*' || c == '#' || c == '+' ? (char)c : '\0';
	if (g_unichar_isdigit(c))
		return (char)('0' + g_unichar_digit_value(c));
	return c == 0xff0b ? '+' : c == 0xff0a ? '*' : c == 0xff03 ? '#' : '\0';
}

/* Digits, *, # and +, without ornaments, parameters, keys to press later (after a
 * comma) and the "(0)" that people write after a country code. */
static gboolean
only_keys(const char *text, char keys[MAX_KEYS + 1])
{
	gsize length = 0;

	if (!g_utf8_validate(text, -1, NULL))
		return FALSE;
	for (; *text && !strchr(",;", *text); text = g_utf8_next_char(text)) {
		gunichar c = g_utf8_get_char(text);
		char key = plain_key(c);

		if (g_str_has_prefix(text, "(0)") && memchr(keys, '+', length)) {
			text += 2;
			continue;
		}
		if (is_ornament(c))
			continue;
		if (!key || length == MAX_KEYS)
			return FALSE;
		keys[length++] = key;
		keys[length] = '\0';
	}
	return length > 0;
}

/* --- what is dialled before a number to hide or to show one's own --- */

static const struct {
	const char *keys;
	NumberPrivacy asks;
} PREFIXES[] = {
	/* "*31#" hides on mobile lines and shows on some fixed ones: too much hidden harms less */
	{ "*31#", NUMBER_HIDDEN }, { "#31#", NUMBER_HIDDEN }, { "*31*", NUMBER_HIDDEN },
	{ "#31*", NUMBER_HIDDEN }, { "*67#", NUMBER_HIDDEN }, { "*67*", NUMBER_HIDDEN },
	{ "*67", NUMBER_HIDDEN },  { "*82#", NUMBER_SHOWN },  { "*82*", NUMBER_SHOWN },
	{ "*82", NUMBER_SHOWN },
};

/* What follows them; who asks for both is hidden.  Alone it is a code as any other. */
static const char *
after_prefixes(const char *keys, NumberPrivacy *asks)
{
	*asks = NUMBER_AS_SET;
	for (guint i = 0; i < G_N_ELEMENTS(PREFIXES);) {
		const char *rest = after(keys, PREFIXES[i].keys);

		i++;
		if (!rest)
			continue;
		if (!*rest)
			break;
		if (*asks != NUMBER_HIDDEN)
			*asks = PREFIXES[i - 1].asks;
		keys = rest;
		i = 0;
	}
	return keys;
}

/* "0171 …" and "*31#+49 …" to digits; a "+" stands first alone. */
static gboolean
only_digits(const char *text, char digits[MAX_DIGITS + 2], NumberPrivacy *asks)
{
	char keys[MAX_KEYS + 1] = "";
	const char *rest;

	if (!only_keys(text, keys))
		return FALSE;
	rest = after_prefixes(keys, asks);
	return !strchr(rest + 1, '+') && g_strlcpy(digits, rest, MAX_DIGITS + 2) < MAX_DIGITS + 2;
}

char *
number_from_uri(const char *text, gsize length)
{
	g_autofree char *bare = g_strndup(text, length);
	char *plain = g_uri_unescape_string(bare, NULL);

	return plain ? plain : g_steal_pointer(&bare);
}

/* The value of a parameter of "…;name=value;…"; NULL when it is not there. */
static char *
param(const char *text, const char *name)
{
	gsize length = strlen(name);

	for (const char *at = strchr(text, ';'); at; at = strchr(at, ';')) {
		at += strspn(at, "; ");
		if (g_ascii_strncasecmp(at, name, length) == 0 && at[length] == '=')
			return number_from_uri(at + length + 1, strcspn(at + length + 1, "; "));
	}
	return NULL;
}

char *
number_of_tel(const char *text)
{
	g_autofree char *local = number_from_uri(text, strcspn(text, ";"));
	g_autofree char *context = local[0] == '+' ? NULL : param(text, "phone-context");

	return context && context[0] == '+' && g_utf8_validate(local, -1, NULL)
		       ? number_in_context(local, context)
		       : NULL;
}

static gboolean
read_dialled(const char *text, char digits[MAX_DIGITS + 2], NumberPrivacy *asks)
{
	g_autofree char *plain = NULL, *number = NULL;

	*asks = NUMBER_AS_SET;
	if (!text || strlen(text) > MAX_TEXT)
		return FALSE;
	text = after_scheme(text);
	number = number_of_tel(text);
	if (number)
		return only_digits(number, digits, asks);
	plain = g_uri_unescape_string(text, NULL);
	return only_digits(plain ? plain : text, digits, asks);
}

NumberPrivacy
number_privacy(const char *text)
{
	char digits[MAX_DIGITS + 2] = "";
	NumberPrivacy asks;

	return read_dialled(text, digits, &asks) ? asks : NUMBER_AS_SET;
}

/* --- emergency numbers --- */

/* 112 and 911 are that everywhere (3GPP TS 22.101 section 10.1); of the others it
 * takes a country to know. */
static gboolean
is_emergency_code(const char *digits, const char *country)
{
	return strcmp(digits, "112") == 0 || strcmp(digits, "911") == 0 ||
	       (country && *digits && !digits[strspn(digits, "0123456789")] &&
		numberplan_is_emergency(digits, country));
}

/* What a phone or a contact list makes of "112" in its zeal: "+112", "00112" and
 * "+49112".  None of these is a number of anybody's: they are too short. */
static const char *
without_country(const char *digits, const char *country)
{
	g_autofree char *abroad = country ? numberplan_abroad(country) : NULL;
	g_autofree char *code = country ? numberplan_calling_code(country) : NULL;
	const char *prefixes[] = { "+", "00", abroad };

	for (guint i = 0; i < G_N_ELEMENTS(prefixes); i++) {
		const char *rest = after(digits, prefixes[i]);
		const char *national = rest ? after(rest, code) : NULL;

		if (rest && is_emergency_code(rest, country))
			return rest;
		if (national && is_emergency_code(national, country))
			return national;
	}
	return NULL;
}

/* Without * and # around it; NULL: it is too long. */
static const char *
short_digits(const char *text, char digits[MAX_DIGITS + 2])
{
	char *begin = digits;
	NumberPrivacy asks;

	if (!read_dialled(text, digits, &asks) || strlen(digits) > MAX_EMERGENCY)
		return NULL;
	begin += strspn(begin, "*#");
	for (char *end = begin + strlen(begin); end > begin && strchr("*#", end[-1]);)
		*--end = '\0';
	return begin;
}

char *
number_emergency(const char *text, const char *country)
{
	char digits[MAX_DIGITS + 2] = "";
	const char *begin = short_digits(text, digits);

	if (!begin)
		return NULL;
	return g_strdup(is_emergency_code(begin, country) ? begin
							  : without_country(begin, country));
}

gboolean
number_may_be_emergency(const char *dialled)
{
	char digits[MAX_DIGITS + 2] = "";
	const char *begin = short_digits(dialled, digits);

	if (!begin)
		return FALSE;
	if (*begin == '+')
		return strlen(begin + 1) <= MAX_COUNTRY + MAX_CODE;
	return strlen(begin) <= MAX_CODE || strchr(ABROAD_BEGINS, *begin);
}

gboolean
number_is_emergency(const char *dialled, const char *country)
{
	g_autofree char *number = number_emergency(dialled, country);

	return number != NULL;
}

/* --- what they mean --- */

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
	NumberPrivacy asks;

	*number = NULL;
	if (!read_dialled(text, digits, &asks))
		return FALSE;
	*number = number_emergency(digits, country);
	if (*number)
		return TRUE;
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
	NumberPrivacy asks;

	*number = NULL;
	if (!text || strlen(text) > MAX_TEXT || !only_digits(after_scheme(text), digits, &asks))
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

/* A context is the country code, or that and the beginning of the numbers there. */
char *
number_in_context(const char *digits, const char *context)
{
	char local[MAX_KEYS + 1] = "", whose[MAX_KEYS + 1] = "";
	g_autofree char *country = NULL, *code = NULL, *whole = NULL;
	char *number = NULL;

	if (!only_keys(digits, local) || !only_keys(context, whose) || whose[0] != '+' ||
	    strpbrk(whose + 1, "*#+") || strchr(local, '+'))
		return NULL;
	country = numberplan_of_code(whose + 1);
	if (!country)
		return NULL;
	code = numberplan_calling_code(country);
	if (strcmp(code, whose + 1) == 0 && number_dialled(local, country, &number))
		return number;
	whole = g_strconcat(whose, local, NULL);
	number_normalise(whole, &number);
	return number;
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
