/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* descriptors.c - see descriptors.h. */
#include "b2bua/descriptors.h"
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_KEPT      80  /* eight calls for help */
#define MAX_MARGIN    128 /* ordinary calls that begin at the same time */
#define GIVEN_SECONDS 10
#define TRUST_US      G_USEC_PER_SEC

static struct {
	int held[MAX_KEPT];
	guint n;
	guint timer;
	gboolean keeps;
} kept;

guint
descriptors_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 1024;
	return (guint)MIN(limit.rlim_cur, G_MAXINT);
}

/* A small process keeps less: an eighth.  In a large one they have high numbers, since
 * there is code that waits with select(). */
static void
take(void)
{
	guint limit = descriptors_limit(), wanted = MIN(MAX_KEPT, limit / 8);
	int lowest = limit >= 4096 ? 2048 : 0;

	while (kept.n < wanted) {
		int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, lowest);

		if (fd < 0)
			return;
		kept.held[kept.n++] = fd;
	}
}

static gboolean
on_time(gpointer user)
{
	(void)user;
	kept.timer = 0;
	take();
	return G_SOURCE_REMOVE;
}

void
descriptors_keep(void)
{
	kept.keeps = TRUE;
	take();
}

void
descriptors_give(void)
{
	if (!kept.keeps)
		return;
	while (kept.n > 0)
		close(kept.held[--kept.n]);
	g_clear_handle_id(&kept.timer, g_source_remove);
	kept.timer = g_timeout_add_seconds(GIVEN_SECONDS, on_time, NULL);
}

void
descriptors_drop(void)
{
	g_clear_handle_id(&kept.timer, g_source_remove);
	while (kept.n > 0)
		close(kept.held[--kept.n]);
	kept.keeps = FALSE;
}

/* Linux says since 6.2 how many are in use (0: it does not). */
static guint
in_use(void)
{
	struct stat folder;

	return stat("/proc/self/fd", &folder) == 0 ? (guint)folder.st_size : 0;
}

/* An older kernel says when there is none.  Of eventfd() ThreadSanitizer knows that it makes a
 * descriptor, of fcntl() it does not. */
static gboolean
can_be_taken(guint n)
{
	guint got = 0;
	gboolean used_up;
	int taken[MAX_MARGIN];

	while (got < n && (taken[got] = eventfd(0, EFD_CLOEXEC)) >= 0)
		got++;
	used_up = got < n;
	for (guint i = 0; i < got; i++)
		close(taken[i]);
	return !used_up;
}

static gboolean
are_free(guint n)
{
	const guint used = in_use();

	return used > 0 ? used + n <= descriptors_limit() : can_be_taken(n);
}

/* To try all costs as much as a tenth of a call, so half of what was free is given to the next
 * calls unasked. */
gboolean
descriptors_are_left(void)
{
	static guint trusted;
	static gint64 asked_us;
	const guint margin = MIN(MAX_MARGIN, descriptors_limit() / 8);
	const gint64 now = g_get_monotonic_time();

	if (trusted > 0 && now - asked_us < TRUST_US) {
		trusted--;
		return TRUE;
	}
	asked_us = now;
	if (!are_free(margin))
		return FALSE;
	trusted = margin / 2 / DESCRIPTORS_PER_CALL;
	return TRUE;
}
