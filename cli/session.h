/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* session.h - asks the running daemon, or `tandemd --control` where none runs.
 *
 * A request is a line with one JSON array, its reply a line with one JSON object.
 */
#pragma once
#include <gio/gio.h>

#define DEFAULT_CONFIG SYSCONFDIR "/tandem/tandem.conf"

/* The command line. */
typedef struct {
	char *config, *socket; /* NULL: not given */
	gboolean json, help, version;
	char **words;
} Options;

typedef struct {
	GIOStream *connection; /* of the daemon; or */
	GSubprocess *program;  /* tandemd --control */
	GOutputStream *out;
	GDataInputStream *in;
} Session;
void session_clear(Session *session);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Session, session_clear)

gboolean session_open(Session *session, const Options *options, GError **error);
/* The reply to a request, newly allocated. */
char *session_ask(Session *session, const char *request, GError **error);
/* The same in a session of its own; `backup`: in a program of its own. */
char *
session_ask_once(const Options *options, gboolean backup, const char *request, GError **error);

char *request_text(char **words);		 /* as a request */
const char *session_skip_mark(const char *text); /* what comes after a byte order mark */
