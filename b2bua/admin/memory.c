/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* memory.c - reads the process's PSS every half minute. */
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "b2bua/admin/memory.h"

#define EVERY_MS 30000

struct MemoryWatch {
	GThread *thread;
	int quit; /* an eventfd: readable when the thread is to end */
};

static atomic_uint_fast64_t latest;

guint64
memory_pss(void)
{
	return atomic_load(&latest);
}

guint64
memory_parse_pss(const char *text)
{
	const char *line = g_str_has_prefix(text, "Pss:") ? text : strstr(text, "\nPss:");

	if (!line)
		return 0;
	line = strchr(line, ':') + 1;
	return g_ascii_strtoull(line, NULL, 10);
}

static void
read_pss(void)
{
	g_autofree char *text = NULL;

	if (g_file_get_contents("/proc/self/smaps_rollup", &text, NULL, NULL))
		atomic_store(&latest, memory_parse_pss(text));
}

static gpointer
run(gpointer user)
{
	const MemoryWatch *watch = user;
	struct pollfd quit = { .fd = watch->quit, .events = POLLIN };

	do
		read_pss();
	while (poll(&quit, 1, EVERY_MS) <= 0);
	return NULL;
}

MemoryWatch *
memory_watch(void)
{
	MemoryWatch *watch = g_new0(MemoryWatch, 1);

	watch->quit = eventfd(0, EFD_CLOEXEC);
	if (watch->quit >= 0)
		watch->thread = g_thread_try_new("memory", run, watch, NULL);
	if (watch->thread)
		return watch;
	if (watch->quit >= 0)
		close(watch->quit);
	g_free(watch);
	return NULL;
}

void
memory_unwatch(MemoryWatch *watch)
{
	if (!watch)
		return;
	eventfd_write(watch->quit, 1);
	g_thread_join(watch->thread);
	close(watch->quit);
	g_free(watch);
}
