/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* memory.c - reads the process's PSS every half minute. */
#include <stdatomic.h>
#include <string.h>
#include "b2bua/admin/memory.h"

#define EVERY_US (30 * G_USEC_PER_SEC)

struct MemoryWatch {
	GThread *thread;
	GMutex mutex;
	GCond quit_set;
	gboolean quit;
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
	MemoryWatch *watch = user;

	gboolean quit = FALSE;

	while (!quit) {
		read_pss();
		g_mutex_lock(&watch->mutex);
		if (!watch->quit)
			g_cond_wait_until(&watch->quit_set, &watch->mutex,
					  g_get_monotonic_time() + EVERY_US);
		quit = watch->quit;
		g_mutex_unlock(&watch->mutex);
	}
	return NULL;
}

MemoryWatch *
memory_watch(void)
{
	MemoryWatch *watch = g_new0(MemoryWatch, 1);

	g_mutex_init(&watch->mutex);
	g_cond_init(&watch->quit_set);
	watch->thread = g_thread_try_new("memory", run, watch, NULL);
	if (watch->thread)
		return watch;
	g_mutex_clear(&watch->mutex);
	g_cond_clear(&watch->quit_set);
	g_free(watch);
	return NULL;
}

void
memory_unwatch(MemoryWatch *watch)
{
	if (!watch)
		return;
	g_mutex_lock(&watch->mutex);
	watch->quit = TRUE;
	g_cond_signal(&watch->quit_set);
	g_mutex_unlock(&watch->mutex);
	g_thread_join(watch->thread);
	g_mutex_clear(&watch->mutex);
	g_cond_clear(&watch->quit_set);
	g_free(watch);
}
