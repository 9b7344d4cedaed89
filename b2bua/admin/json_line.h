/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* json_line.h - whether a line is one JSON value, before a parser sees it.
 *
 * The parser calls itself for each level, and leaks a second value of the same line.
 * Thread: any (pure).
 */
#pragma once
#include <glib.h>

/* One array or object, which nests no deeper than `depth`. */
gboolean json_is_one(const char *text, guint depth);
