/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* trunk_key.h - the one table of what a trunk has: keys, columns, defaults, help.
 *
 * The store makes its statements of it, `tandemctl trunk`, the manual page and the
 * completion their words, and the SIP plugin asks it what a change means.  A new key is
 * a member of Trunk, a row here and a column in a migration.
 * Thread: any; immutable.
 */
#pragma once
#include <glib.h>

/* What b2bua/admin/control_trunk_keys.c holds a value to. */
typedef enum {
	TRUNK_HOST, /* name or address */
	TRUNK_TEXT,
	TRUNK_NETWORKS, /* addresses, networks and names, by blanks */
	TRUNK_CHOICE,	/* one of `values`, which has them by "|" */
	TRUNK_CODECS,
	TRUNK_PROXY, /* host or host:port */
	TRUNK_FILE,
	TRUNK_COUNTRY,
	TRUNK_DIGITS,
	TRUNK_UINT, /* least … most */
	TRUNK_INT,
	TRUNK_YES
} TrunkKind;

/* What a change of it touches. */
typedef enum {
	TRUNK_SECRET = 1 << 0, /* never shown, never logged */
	TRUNK_WAY = 1 << 1,    /* where calls go out */
	TRUNK_SOURCE = 1 << 2, /* from where calls may come in */
	TRUNK_PROBE = 1 << 3,  /* registration and OPTIONS begin anew */
	TRUNK_EMPTY = 1 << 4,  /* the column has NULL where nothing is set, not "" */
} TrunkFlags;

typedef struct {
	const char *name, *column;
	TrunkKind kind;
	gsize offset;	      /* in Trunk, of a char *, or a gint for the last three kinds */
	const char *fallback; /* as text */
	gint least, most;
	const char *values; /* as usage shows them */
	guint flags;
	const char *help; /* one sentence without a full stop, for the operator */
} TrunkKey;

const TrunkKey *trunk_keys(guint *n);
const TrunkKey *trunk_key_find(const char *name); /* NULL: there is no such key */
gboolean trunk_key_is_number(const TrunkKey *key);
