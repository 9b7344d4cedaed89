/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* dino_windows.h - the newest window of Dino, as a person uses it who reads its words. */
#pragma once
#include <glib.h>

/* FALSE: no verb of windows ("read", "click", "type").  Whether the words were found within
 * some seconds, and all that the window then shows, is printed as an event. */
gboolean windows_obey(const char *verb, const char *label, const char *what);

char *quoted(const char *text); /* dino_program.c: as a string of JSON */
