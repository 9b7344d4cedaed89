/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* spill.h - a file beside the database that always has room for the calls that are
 * not in it yet.
 *
 * It is preallocated and made of slots of one page with a checksum each; a record
 * takes one, or several when its legs are long.  Writing a slot is one pwrite() of a
 * page that is there already: no fsync, no lock, no need of free disk space.  It
 * outlives the process, so what a restart must end, and what is owed to the database,
 * stands there the moment spill_put() returns.  Like a commit of the WAL it does not
 * outlive a power cut.
 * Thread: that which opened it; spill_allocate() and the pure functions: any.
 */
#pragma once
#include "db/store.h"

#define SPILL_SLOT 4096

typedef struct Spill Spill;

/* Makes the file, or makes it longer, so that there are `n_slots` of them; what is in
 * it stays.  Waits for the disk. */
gboolean spill_allocate(const char *path, guint n_slots, GError **error);
/* When a process that had it was last known to run, real time: what it writes there tells, and
 * spill_beat().  0: there is no such file. */
gint64 spill_alive_us(const char *path);
/* It runs.  Costs one system call, and the disk nothing that waits. */
void spill_beat(const char *path);
/* Somebody has the file open. */
gboolean spill_is_locked(const char *path);
/* NULL when it cannot be read or has not been allocated; IN_USE: another process has it,
 * and its calls are not to be ended. */
Spill *spill_open(const char *path, GError **error);
void spill_close(Spill *spill); /* NULL is fine */
/* What was in the file when it was opened, CallRecord *; each stays until it is dropped. */
GPtrArray *spill_records(const Spill *spill);
/* The highest id that any slot has ever had, even one that is free. */
gint64 spill_highest(const Spill *spill);

/* In place of what it has of the same id.  FALSE: there is no room, or the disk fails;
 * then the former is still there.  The ladder is cut to the room that is left in the
 * last slot. */
gboolean spill_put(Spill *spill, const CallRecord *record);
void spill_drop(Spill *spill, gint64 id);
guint spill_n_slots(const Spill *spill);
guint spill_n_used(const Spill *spill);

/* --- pure: for spill.c and its tests --- */
/* With at most `room` bytes, if it goes without the ladder's end. */
GByteArray *spill_encode(const CallRecord *record, gsize room);
CallRecord *spill_decode(const guint8 *data, gsize length); /* NULL: it is not one */
/* All whole records of an image of the file, the latest of each id. */
GPtrArray *spill_decode_all(const guint8 *data, gsize length);
