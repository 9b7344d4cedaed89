/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* bench.h - what the parts of bench/relay share.
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
