/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* catalogue.h - what is said of each cause: the one place where these sentences stand.
 *
 * "{name}" stands for a fact; what is between "[" and "]" is left out when a fact in it is not
 * known.  The persons' sentences may use {words}, {said} and {sentence} alone.
 * Thread: any (pure).
 */
#pragma once
#include "b2bua/why/cause.h"

typedef struct {
	const char *name;
	const char *own;   /* to the person whose device it is about; NULL: as `other` */
	const char *other; /* to the person at the other end */
	const char *operators;
	const char *remedy; /* for the operator; or NULL */
} CauseRow;

const CauseRow *catalogue_row(Cause cause);

/* What "{name}" stands for; NULL: not known. */
typedef const char *(*CatalogueFact)(gconstpointer user, const char *name);
char *catalogue_fill(const char *sentence, CatalogueFact fact, gconstpointer user);
