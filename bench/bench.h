/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* bench.h - what the benchmarks share.
 *
 * Two processes: one is measured, the other plays all the clients and all the
 * telephones.  They speak in lines over two pipes.
 */
#pragma once
#include "bench/load.h"
#include <stdio.h>

typedef struct {
	FILE *in, *out;
} Talk;

void say(Talk *talk, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* The line's words, at least `n` of them; to be freed. */
char **hear(Talk *talk, guint n);

/* From the process measured: its "ready" and process id. */
pid_t hear_ready(Talk *talk);

/* One measurement: two processes, each on a processor of its own. */
typedef struct {
	const char *name;					      /* of the process measured */
	void (*measured)(Talk *talk, gpointer user);		      /* does not return */
	void (*generate)(Talk *talk, gpointer user, gpointer figure); /* fills it */
	gpointer user;
} BenchPair;

/* `figure` (size bytes, without pointers) is that of the generator; FALSE: it failed. */
gboolean bench_pair(const BenchPair *pair, gpointer figure, gsize size);

/* One that can be measured. */
typedef struct {
	const char *name;
	/* Sets up, says "ready" and its process id, and forwards until the pipe is closed. */
	void (*measured)(Talk *talk, guint calls);
	/* The generator's side of the set-up. */
	void (*introduce)(Talk *talk, Load *load);
} Kind;

extern const Kind gateway_kind, floor_kind, napping_kind, rtpengine_kind;

/* The key of the client's way where none is negotiated. */
void call_key(guint call, guint8 key[30]);
