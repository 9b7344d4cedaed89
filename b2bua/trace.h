/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* trace.h - the flight recorder: what happened in one call, on four lanes.
 *
 *   caller's peer | gateway (caller side) … gateway (callee side) | callee's peer
 *
 * A line is "<µs since start>\t<lane>\t<kind>\t<text>" and the whole is kept with
 * the call record, so a ladder can be drawn long after.  Bounded: past the limit
 * the middle is dropped and counted.
 * Thread: signalling.
 */
#pragma once
#include "b2bua/leg.h"

typedef struct Trace Trace;

Trace *trace_new(void);
void trace_free(Trace *trace);
/* lane: "caller", "callee", "callee2" …, "core", "media". */
void trace_add(Trace *trace, const char *lane, TraceKind kind, const char *text);
char *trace_text(const Trace *trace);

/* The ladder drawn from trace_text(), for a terminal of so many columns. */
char *trace_draw(const char *text, guint columns);
