/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* source.h - a GSource of the signalling thread that knows itself when it is due.
 *
 * g_source_set_ready_time() writes to the descriptor that wakes the loop, even for the thread
 * that runs the loop: each change of a time costs two system calls and one more turn.  A source
 * that is changed by its own thread alone is asked instead.
 * Thread: the one of the source's context.
 */
#pragma once
#include <glib.h>

#define NEVER_US G_MAXINT64

/* For prepare() of a source that is due at `due_us`, monotonic: the timeout in ms, rounded up. */
static inline gboolean
source_prepare(GSource *source, gint64 due_us, gint *timeout)
{
	const gint64 now = g_source_get_time(source);

	if (due_us <= now)
		*timeout = 0;
	else if (due_us == NEVER_US)
		*timeout = -1;
	else
		*timeout = (gint)MIN((due_us - now + 999) / 1000, G_MAXINT);
	return due_us <= now;
}
