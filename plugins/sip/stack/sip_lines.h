/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_lines.h - the lines of a session description before sofia-sip reads them.
 *
 * sofia refuses the whole for one line it does not like, and some keep it busy for ever.  So
 * only what is needed gets there, each line sound; what is broken and not needed is left out,
 * and a stream whose line is broken keeps its place, rejected.
 * Thread: any (pure).  RFC 4566 9.
 */
#pragma once
#include <glib.h>

/* Newly allocated; NULL when it is no description, or none of its streams is sound. */
char *lines_clean(const char *text, gsize length);
