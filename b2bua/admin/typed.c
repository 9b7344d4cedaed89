/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* typed.c - see typed.h. */
#include <string.h>
#include "b2bua/admin/typed.h"

#define FULL_WIDTH    0xfee0 /* from "！" to "!", and so on to "～" */
#define VARIATION_16  0xfe0f /* "2️⃣" is 2, this, and a key's cap */
#define KEY_CAP	      0x20e3
#define BEFORE_A_WORD "/!#\"'([<*"
#define AFTER_A_WORD  ".,;:!?\"')]>*"

/* --- characters --- */

static gboolean
is_unseen(gunichar c)
{
	return g_unichar_type(c) == G_UNICODE_FORMAT || c == VARIATION_16 || c == KEY_CAP;
}

static gboolean
is_double_quote(gunichar c)
{
	return (c >= 0x201c && c <= 0x201f) || c == 0x00ab || c == 0x00bb || c == 0x2033;
}

static gboolean
is_single_quote(gunichar c)
{
	return (c >= 0x2018 && c <= 0x201b) || c == 0x2032 || c == 0x00b4;
}

static gboolean
is_dash(gunichar c)
{
	return g_unichar_type(c) == G_UNICODE_DASH_PUNCTUATION || c == 0x2212;
}

static gunichar
plain(gunichar c)
{
	if (c < 0x80)
		return c;
	if (c >= 0xff01 && c <= 0xff5e)
		return c - FULL_WIDTH;
	if (is_double_quote(c))
		return '"';
	if (is_single_quote(c))
		return '\'';
	if (is_dash(c))
		return '-';
	if (g_unichar_isspace(c))
		return ' ';
	return g_unichar_isdigit(c) ? (gunichar)('0' + g_unichar_digit_value(c)) : c;
}

/* "—last=3" was typed as "--last=3". */
static gboolean
is_option(const GString *before, gunichar dash, const char *after)
{
	return dash >= 0x80 && is_dash(dash) && g_ascii_isalpha(*after) &&
	       (before->len == 0 || before->str[before->len - 1] == ' ');
}

char *
typed_plain(const char *text)
{
	GString *out = g_string_new(NULL);

	for (const char *at = text, *next; *at; at = next) {
		gunichar c = g_utf8_get_char(at);

		next = g_utf8_next_char(at);
		if (is_unseen(c))
			continue;
		if (is_option(out, c, next))
			g_string_append_c(out, '-');
		g_string_append_unichar(out, plain(c));
	}
	return g_string_free(out, FALSE);
}

char *
typed_bare(const char *text)
{
	g_autofree char *all = typed_plain(text);
	char *from = all, *end;

	while (*from && (g_ascii_isspace(*from) || strchr(BEFORE_A_WORD, *from)))
		from++;
	for (end = from + strlen(from);
	     end > from && (g_ascii_isspace(end[-1]) || strchr(AFTER_A_WORD, end[-1])); end--)
		;
	return g_strndup(from, (gsize)(end - from));
}

/* --- values --- */

/* "+49 30 1234" is one number; what begins otherwise is shown as it was written. */
static char *
number(const char *text)
{
	char *bare = typed_plain(text), *to = bare;

	g_strstrip(g_strdelimit(bare, "\"", ' '));
	if (!g_ascii_isdigit(*bare) && !strchr("+(*#", *bare))
		return bare;
	for (const char *at = bare; *at; at++)
		if (*at != ' ')
			*to++ = *at;
	*to = '\0';
	return bare;
}

static gboolean
is_digits(const char *text)
{
	return *text && strspn(text, "0123456789-/().*#") == strlen(text);
}

/* What people put into a number for the eye. */
static void
append_caller(GString *list, const char *part)
{
	gboolean digits = *part == '+' || is_digits(part);

	for (; *part; part++)
		if (digits && g_str_has_prefix(part, "(0)") && strchr(list->str, '+'))
			part += 2;
		else if (!digits || !strchr("-/().", *part))
			g_string_append_c(list, *part);
}

/* In a list of callers there is one more at each comma, "+" or name. */
static char *
callers(const char *text)
{
	g_auto(GStrv) items = g_strsplit(text, ",", -1);
	GString *list = g_string_new(NULL);

	for (char **item = items; *item; item++) {
		g_auto(GStrv) parts = g_strsplit(*item, " ", -1);
		gboolean first = TRUE;

		for (char **part = parts; *part; part++) {
			if (!**part)
				continue;
			if (list->len && (first || !is_digits(*part)))
				g_string_append_c(list, ' ');
			append_caller(list, *part);
			first = FALSE;
		}
	}
	return g_string_free(list, FALSE);
}

char *
typed_value(const Word *word, const char *text)
{
	g_autofree char *all = NULL;

	switch (word->type) {
	case WORD_TEXT:
	case WORD_SECRET:
	case WORD_LOCATION:
	case WORD_PATH:
	case WORD_PEM:
		return g_strdup(text);
	case WORD_CHOICE:
	case WORD_YES:
	case WORD_FLAG:
	case WORD_WHOLE:
	case WORD_USER:
	case WORD_SOFTPHONE:
	case WORD_TRUNK:
	case WORD_COUNTRY:
	case WORD_CALL:
		return typed_bare(text);
	case WORD_NUMBER:
	case WORD_DESTINATION:
		return number(text);
	case WORD_CALLERS:
		all = typed_plain(text);
		return callers(all);
	default:
		return typed_plain(text);
	}
}

guint
typed_count(const char *text)
{
	static const char *const COUNTS[] = { "one", "two",   "three", "four", "five",
					      "six", "seven", "eight", "nine", "ten" };

	for (guint i = 0; i < G_N_ELEMENTS(COUNTS); i++)
		if (g_ascii_strcasecmp(text, COUNTS[i]) == 0)
			return i + 1;
	return 0;
}
