/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* memory.h - how much memory of the machine is this process's alone.
 *
 * PSS (proc(5), smaps_rollup): pages that others share count in part.  The kernel walks all
 * pages for it, which takes milliseconds in a large process; a thread of its own reads it
 * every half minute, so that nobody waits.
 * Thread: any; memory_watch() and memory_unwatch() the signalling thread.
 */
#pragma once
#include <glib.h>

typedef struct MemoryWatch MemoryWatch;

MemoryWatch *memory_watch(void);	 /* NULL: there is no thread for it */
void memory_unwatch(MemoryWatch *watch); /* NULL is fine */
/* KiB, as they were at most half a minute ago; 0: not read yet, or the kernel does not say. */
guint64 memory_pss(void);
/* "Pss:" of what the file says, KiB; 0: it is not there. */
guint64 memory_parse_pss(const char *text);
