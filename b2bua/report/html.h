/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* html.h - text of strangers within a page.
 *
 * What is written is HTML and well-formed XML alike.  No text can leave its place: markup is
 * escaped, what is no character of XML or turns the direction of writing is shown as U+FFFD.
 * Thread: any (pure).
 */
#pragma once
#include <glib.h>

/* For an element's content or an attribute in quotation marks; NULL is "". */
void html_text(GString *out, const char *text);
/* "<th>key</th><td>value</td>" in a row of its own; nothing when there is no value. */
void html_row(GString *out, const char *key, const char *value);
/* "12.3": with a point whatever the locale, for SVG. */
void html_number(GString *out, double number);
