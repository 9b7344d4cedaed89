/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* html.c - see html.h. */
#include "b2bua/report/html.h"

#define UNKNOWN "\xef\xbf\xbd" /* U+FFFD */

/* XML 1.0 2.2, without the controls of HTML; UAX #9 2.1 to 2.6 for the directions. */
static gboolean
is_shown(gunichar c)
{
	if (c < 0x20)
		return c == '\t' || c == '\n';
	if (c >= 0x7f && c < 0xa0)
		return FALSE;
	if ((c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0x200e ||
	    c == 0x200f || c == 0x61c)
		return FALSE;
	return (c & 0xfffe) != 0xfffe && !(c >= 0xfdd0 && c <= 0xfdef);
}

static void
append(GString *out, gunichar c)
{
	switch (c) {
	case '&':
		g_string_append(out, "&amp;");
		break;
	case '<':
		g_string_append(out, "&lt;");
		break;
	case '>':
		g_string_append(out, "&gt;");
		break;
	case '"':
		g_string_append(out, "&quot;");
		break;
	case '\'':
		g_string_append(out, "&#39;");
		break;
	default:
		if (is_shown(c))
			g_string_append_unichar(out, c);
		else
			g_string_append(out, UNKNOWN);
	}
}

void
html_text(GString *out, const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text ? text : "", -1);

	for (const char *at = valid; *at; at = g_utf8_next_char(at))
		append(out, g_utf8_get_char(at));
}

void
html_row(GString *out, const char *key, const char *value)
{
	if (!value || !*value)
		return;
	g_string_append(out, "<tr><th>");
	html_text(out, key);
	g_string_append(out, "</th><td>");
	html_text(out, value);
	g_string_append(out, "</td></tr>\n");
}

void
html_number(GString *out, double number)
{
	char text[G_ASCII_DTOSTR_BUF_SIZE];

	g_string_append(out, g_ascii_formatd(text, sizeof text, "%.1f", number));
}
