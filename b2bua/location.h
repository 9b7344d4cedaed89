/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* location.h - where a user is, for those who come to help him.
 *
 * Kept as one line of text: "geo:52.52,13.40;u=50" (RFC 5870), a civic address
 * "country=DE;A3=Berlin;RD=Invalidenstraße;HNO=117" in the elements of RFC 5139, or
 * any other URI, which stands for a location that is asked for there.
 * Thread: any (pure).
 */
#pragma once
#include <glib.h>

/* As it is kept, or NULL with an error that says what is wrong and the remedy. */
char *location_check(const char *text, GError **error);

/* The PIDF-LO document (RFC 4119, 5491) of what location_check() has passed, about
 * `entity` (a URI); NULL for a URI, which goes by reference. */
char *location_pidf(const char *location, const char *entity, gint64 unix_time);
