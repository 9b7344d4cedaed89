/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* limits.h - how many calls may begin at once and be up at once, and whose.
 *
 * An author is whoever asks for a call: an account, a trunk, or all strangers
 * together.  Each has his share of the rate and nobody waits for another who asks
 * for more than his.  Shares bind only while others ask: who is alone has it all.
 * Calls for help come before all of it and have lines of their own.
 *
 * Nothing here reads the store or the clock.
 * Thread: signalling.
 */
#pragma once
#include <glib.h>

typedef struct Limits Limits;

typedef enum {
	LINE_ORDINARY,
	LINE_SERVICE, /* to who answers by himself: a tenth of the lines at most */
	LINE_HELP,    /* an emergency call: beside the others, it takes none of theirs */
	N_LINE_KINDS
} LineKind;

/* `rate`: set-ups a second of all; `lines`: calls at once of all, but those for help. */
Limits *limits_new(guint rate, guint lines);
void limits_free(Limits *limits);

/* What every function below is asked about: "alice@example.org", LIMITS_TRUNK and the name
 * of a trunk, or LIMITS_STRANGER. */
#define LIMITS_STRANGER ""
#define LIMITS_TRUNK	"trunk "

/* He has asked within the last two seconds: he need not be looked up to be named. */
gboolean limits_know(const Limits *limits, const char *author, gint64 now_us);

/* Asks: FALSE when he is over his share and the rate is used up.  Nothing is taken. */
gboolean limits_ask(Limits *limits, const char *author, gint64 now_us);
/* The call that was asked for begins. */
void limits_take(Limits *limits, const char *author, gint64 now_us);

/* The last tenth of the lines is for those who have few, while others ask. */
gboolean limits_have_line(const Limits *limits, const char *author, LineKind kind, gint64 now_us);
/* A call of his is up, or has ended. */
void limits_begin(Limits *limits, const char *author, LineKind kind);
void limits_end(Limits *limits, const char *author, LineKind kind);

/* A call for help by this account may begin whatever else is used up.  FALSE: he makes
 * so many that it is one like any other. */
gboolean limits_take_help(Limits *limits, const char *author, gint64 now_us);
