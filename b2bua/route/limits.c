/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* limits.c - see limits.h.
 *
 * The rate is counted by the second.  An author's share is the rate divided by those
 * who asked within this second and the last one.  Within his share he is always let
 * in, also when somebody alone has used up the second before him, so at most twice the
 * rate begins in one second.  Beyond his share he has what the others leave, which is
 * guessed from what they asked for a second ago.
 */
#include "b2bua/route/limits.h"
#include <string.h>

#define MAX_AUTHORS   4096 /* who ask at once; more are one to us */
#define OTHERS_US     (300 * G_USEC_PER_SEC)
#define HELP_LINES    64 /* emergency calls beside all others */
#define HELP_OF_ONE   8	 /* and of one account */
#define HELP_ATTEMPTS 20 /* within HELP_US */
#define HELP_US	      (10 * G_USEC_PER_SEC)

typedef struct {
	gint64 second; /* the last in which he asked */
	guint asked, admitted;
	guint asked_before; /* in the second before */
	GList *link;	    /* in `asking` */
	char *name;
} Author;

typedef struct {
	gint64 since;
	guint attempts, live;
} Help;

struct Limits {
	guint rate, lines;

	GHashTable *authors; /* name → Author *: who asked in this second or the last one */
	GQueue asking;	     /* of the same, the one who asked longest ago first */
	gint64 second;
	guint admitted, asked, asked_before;

	guint up[N_LINE_KINDS];
	GHashTable *lines_of; /* name → guint: his calls but those for help */

	char *last; /* who asked last, and when somebody else did */
	gint64 last_us, other_us;

	GHashTable *help; /* name → Help * */
};

static void
author_free(gpointer data)
{
	Author *author = data;

	g_free(author->name);
	g_free(author);
}

Limits *
limits_new(guint rate, guint lines)
{
	Limits *self = g_new0(Limits, 1);

	self->rate = MAX(rate, 1);
	self->lines = lines;
	self->authors = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, author_free);
	self->lines_of = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	self->help = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	self->last_us = self->other_us = G_MININT64 / 2;
	g_queue_init(&self->asking);
	return self;
}

void
limits_free(Limits *self)
{
	if (!self)
		return;
	g_queue_clear(&self->asking);
	g_hash_table_unref(self->authors);
	g_hash_table_unref(self->lines_of);
	g_hash_table_unref(self->help);
	g_free(self->last);
	g_free(self);
}

/* --- the rate --- */

static void
forget(Limits *self, Author *author)
{
	g_queue_delete_link(&self->asking, author->link);
	g_hash_table_remove(self->authors, author->name);
}

/* Goes on to the second of `now_us`. */
static void
tick(Limits *self, gint64 now_us)
{
	gint64 second = now_us / G_USEC_PER_SEC;

	if (second == self->second)
		return;
	self->asked_before = second == self->second + 1 ? self->asked : 0;
	self->asked = self->admitted = 0;
	self->second = second;
	while (self->asking.head && ((Author *)self->asking.head->data)->second < second - 1)
		forget(self, self->asking.head->data);
}

static void
tick_author(const Limits *self, Author *author)
{
	if (author->second == self->second)
		return;
	author->asked_before = author->second == self->second - 1 ? author->asked : 0;
	author->asked = author->admitted = 0;
	author->second = self->second;
}

/* When there are too many, the newcomers are one. */
static Author *
author_of(Limits *self, const char *name)
{
	Author *author = g_hash_table_lookup(self->authors, name);

	if (!author && g_hash_table_size(self->authors) >= MAX_AUTHORS) {
		name = LIMITS_STRANGER;
		author = g_hash_table_lookup(self->authors, name);
	}
	if (author) {
		g_queue_unlink(&self->asking, author->link);
		g_queue_push_tail_link(&self->asking, author->link);
	} else {
		author = g_new0(Author, 1);
		author->name = g_strdup(name);
		author->second = self->second;
		g_queue_push_tail(&self->asking, author);
		author->link = self->asking.tail;
		g_hash_table_insert(self->authors, author->name, author);
	}
	tick_author(self, author);
	return author;
}

gboolean
limits_know(const Limits *self, const char *name, gint64 now_us)
{
	const Author *author = g_hash_table_lookup(self->authors, name);

	return author && author->second >= now_us / G_USEC_PER_SEC - 1;
}

static void
note_asker(Limits *self, const char *name, gint64 now_us)
{
	if (g_strcmp0(self->last, name) != 0) {
		self->other_us = self->last_us;
		g_free(self->last);
		self->last = g_strdup(name);
	}
	self->last_us = now_us;
}

/* What the others would still have in this second, as far as one can know. */
static guint
wanted_by_others(const Limits *self, const Author *author)
{
	guint n = g_hash_table_size(self->authors);
	guint shares = (guint)((guint64)self->rate * (n - 1) / n);
	guint before = self->asked_before - MIN(self->asked_before, author->asked_before);
	guint had = self->admitted - MIN(self->admitted, author->admitted);

	return MIN(before, shares) - MIN(MIN(before, shares), had);
}

gboolean
limits_ask(Limits *self, const char *name, gint64 now_us)
{
	Author *author;
	guint share;

	tick(self, now_us);
	note_asker(self, name, now_us);
	author = author_of(self, name);
	author->asked++;
	self->asked++;
	share = MAX(self->rate / g_hash_table_size(self->authors), 1);
	if (author->admitted < share && self->admitted < 2 * self->rate)
		return TRUE;
	return self->admitted + wanted_by_others(self, author) < self->rate;
}

void
limits_take(Limits *self, const char *name, gint64 now_us)
{
	tick(self, now_us);
	author_of(self, name)->admitted++;
	self->admitted++;
}

/* --- the lines --- */

static gboolean
others_ask(const Limits *self, const char *name, gint64 now_us)
{
	gint64 at = g_strcmp0(self->last, name) == 0 ? self->other_us : self->last_us;

	return now_us - at < OTHERS_US;
}

gboolean
limits_have_line(const Limits *self, const char *name, LineKind kind, gint64 now_us)
{
	guint used = self->up[LINE_ORDINARY] + self->up[LINE_SERVICE], tenth = self->lines / 10;
	guint his = GPOINTER_TO_UINT(g_hash_table_lookup(self->lines_of, name));

	if (kind == LINE_HELP)
		return TRUE;
	if (used >= self->lines ||
	    (kind == LINE_SERVICE && self->up[LINE_SERVICE] >= MAX(tenth, 1)))
		return FALSE;
	return tenth == 0 || his < tenth || used < self->lines - tenth ||
	       !others_ask(self, name, now_us);
}

static void
count_line(Limits *self, const char *name, int change)
{
	guint his = GPOINTER_TO_UINT(g_hash_table_lookup(self->lines_of, name)) + (guint)change;

	if (his == 0)
		g_hash_table_remove(self->lines_of, name);
	else
		g_hash_table_insert(self->lines_of, g_strdup(name), GUINT_TO_POINTER(his));
}

static Help *
help_of(Limits *self, const char *name)
{
	Help *help = g_hash_table_lookup(self->help, name);

	if (help)
		return help;
	help = g_new0(Help, 1);
	help->since = G_MININT64 / 2;
	g_hash_table_insert(self->help, g_strdup(name), help);
	return help;
}

void
limits_begin(Limits *self, const char *name, LineKind kind)
{
	self->up[kind]++;
	if (kind == LINE_HELP)
		help_of(self, name)->live++;
	else
		count_line(self, name, 1);
}

void
limits_end(Limits *self, const char *name, LineKind kind)
{
	g_assert(self->up[kind] > 0);
	self->up[kind]--;
	if (kind == LINE_HELP)
		help_of(self, name)->live--;
	else
		count_line(self, name, -1);
}

/* --- calls for help --- */

static gboolean
is_forgotten(gpointer key, gpointer value, gpointer user)
{
	const Help *help = value;
	const gint64 *now_us = user;

	return help->live == 0 && *now_us - help->since >= HELP_US;
}

gboolean
limits_take_help(Limits *self, const char *name, gint64 now_us)
{
	Help *help;

	/* few telephone for help at all, so this is a short list */
	g_hash_table_foreach_remove(self->help, is_forgotten, &now_us);
	help = help_of(self, name);
	if (now_us - help->since >= HELP_US) {
		help->since = now_us;
		help->attempts = 0;
	}
	if (help->attempts >= HELP_ATTEMPTS || help->live >= HELP_OF_ONE ||
	    self->up[LINE_HELP] >= HELP_LINES)
		return FALSE;
	help->attempts++;
	return TRUE;
}
