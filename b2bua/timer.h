/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* timer.h - one-shot timers for what there are many of: calls, legs, probes.
 *
 * All of them stand in one heap behind one GSource of the default main context.
 * A source of its own for each would be walked at every turn of the loop: the
 * price of one event would grow with the number of calls.
 *
 * Thread: the signalling thread alone.  Errors: none.
 */
#pragma once
#include <glib.h>

typedef struct Timer Timer;
typedef void (*TimerFunc)(gpointer user);

/* Calls func(user) once, `ms` milliseconds from now, never earlier.  The owner
 * keeps *timer: it is set while the timer runs, NULL before func is called and
 * after timer_clear(), and must not move meanwhile.  A timer that was running
 * there is cleared first. */
void timer_set(Timer **timer, guint ms, TimerFunc func, gpointer user);
/* NULL and a timer that has fired are fine. */
void timer_clear(Timer **timer);
