/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* trace.h - the flight recorder: what happened in one call, on four lanes.
 *
 *   caller's peer | gateway (caller side) … gateway (callee side) | callee's peer
 *
 * A line is "<µs since start>\t<lane>\t<kind>\t<text>"; kind: in, out, note, and series for
 * what was measured of the audio over time (call_series() of call.h).  The whole is kept with
 * the call record, so a ladder can be drawn long after.  Bounded: past the limit
 * the middle is dropped and counted, but for faults.  A line that comes again at once is
 * kept twice, and counted from then on.
 * Thread: signalling.
 */
#pragma once
#include "b2bua/leg.h"

typedef struct Trace Trace;

Trace *trace_new(void);
void trace_free(Trace *trace);
/* lane: "caller", "callee", "callee2" …, "core", "media". */
void trace_add(Trace *trace, const char *lane, TraceKind kind, const char *text);
/* A note of what is wrong. */
void trace_add_fault(Trace *trace, const char *lane, const char *text);
char *trace_text(const Trace *trace);
/* A line to follow trace_text(), of what was measured up to then (monotonic).  New. */
char *trace_series_line(const Trace *trace, gint64 at_us, const char *text);

/* --- what trace_text() has said, read again; pure, any thread --- */

typedef enum { TRACE_ARROW_NONE, TRACE_ARROW_TO_LEFT, TRACE_ARROW_TO_RIGHT } TraceArrow;
typedef enum { TRACE_LINE_LEG, TRACE_LINE_CORE, TRACE_LINE_MEDIA, TRACE_LINE_SERIES } TraceLineKind;
typedef struct {
	gint64 at_us;
	TraceLineKind kind;
	gboolean on_left; /* of the caller; of a series without meaning, as is `arrow` */
	TraceArrow arrow;
	/* for a person: with the number of a further callee, "= " before a note of the core,
	 * without the side of a note of the media; of a series: call_series() */
	const char *text;
} TraceLine;
typedef void (*TraceFunc)(gpointer user, const TraceLine *line);
/* What is no line is left out. */
void trace_read(const char *text_or_null, TraceFunc func, gpointer user);
/* What persons were told of the call: "anna@example.org: the call was lost".  New. */
char **trace_messages(const char *text_or_null);
/* Cuts the next piece of at most `columns` from `*rest`, at a blank if there is one in its
 * second half.  New. */
char *trace_piece(const char **rest, guint columns);

/* What is left out of a drawing. */
typedef enum {
	TRACE_ALL = 0,
	TRACE_NO_KEYS = 1 << 0,	  /* that were pressed in the call */
	TRACE_NO_CALLER = 1 << 1, /* what passed on that side, and its audio */
	TRACE_NO_CALLEE = 1 << 2,
} TraceView;
#define TRACE_PRESSES " presses " /* in the note of a key */

/* The ladder drawn from trace_text(), for a terminal of so many columns. */
char *trace_draw(const char *text_or_null, guint columns, TraceView view);
