/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* words.h - what is written in a configuration, as words.
 * Thread: any (pure).
 */
#pragma once
#include <glib.h>

/* Edits that turn one word into the other (Levenshtein), for suggestions. */
guint words_distance(const char *one, const char *other);
gboolean words_are_near(const char *word, const char *candidate);
/* RFC 1123 2.1, with underscores as found in the wild. */
gboolean word_is_host_name(const char *name);
/* FALSE for "192.0.2.1/1000", which GLib takes for a network of no bits: for everybody. */
gboolean word_has_sound_length(const char *network);
/* yes, true, on, 1; no, false, off, 0, in any case.  FALSE: neither. */
gboolean word_is_yes_or_no(const char *word, gboolean *yes);
