/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* json_line.c - whether a line is one JSON value, before a parser sees it. */
#include "b2bua/admin/json_line.h"

gboolean
json_is_one(const char *text, guint depth)
{
	guint open = 0, n = 0;
	gboolean quoted = FALSE;

	for (; *text; text++) {
		if (quoted && *text == '\\' && text[1])
			text++;
		else if (*text == '"' && open > 0)
			quoted = !quoted;
		else if (!quoted && (*text == '[' || *text == '{')) {
			if (open == 0 && n++ > 0)
				return FALSE;
			if (++open > depth)
				return FALSE;
		} else if (!quoted && (*text == ']' || *text == '}') && open > 0)
			open--;
		else if (!quoted && open == 0 && !g_ascii_isspace(*text))
			return FALSE;
	}
	return n == 1;
}
