/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* setting.h - what each user has of his own: keys, checks and defaults.
 *
 * One table for `tandemctl user set JID KEY=VALUE` and for the core, which asks
 * the store each time, so that a change holds at the next call.
 * Thread: signalling.
 */
#pragma once
#include "db/store.h"

typedef enum {
	SETTING_CALL_FAILED_MESSAGES,
	SETTING_MISSED_CALL_MESSAGES,
	SETTING_RING, /* which devices ring, and in which order */
	SETTING_COUNTRY,
	SETTING_MAX_COST,
	SETTING_MAX_CALLS,
	SETTING_LOCATION,
	SETTING_FORWARD_ALWAYS,
	SETTING_FORWARD_BUSY,
	SETTING_FORWARD_NO_ANSWER,
	SETTING_FORWARD_UNREACHABLE,
	SETTING_RING_SECONDS,
	SETTING_DO_NOT_DISTURB,
	SETTING_BLOCKED,
	SETTING_BLOCK_ANONYMOUS,
	SETTING_HIDE_NUMBER,
	SETTING_ABROAD_MINUTES,
	N_SETTINGS
} Setting;

const char *setting_name(Setting setting);
const char *setting_help(Setting setting);
const char *setting_values(Setting setting);   /* "yes|no", as usage shows them */
const char *setting_fallback(Setting setting); /* NULL: there is none */
/* "call-failed-messages=yes|no missed-call-messages=yes|no …" */
char *setting_usage(void);
/* FALSE: there is no such key.  "_" is as good as "-". */
gboolean setting_find(const char *name, Setting *setting);

/* As it is kept, or NULL with an error that names the key and the remedy.  An
 * empty value stands for the default and is kept as nothing: "" is returned. */
char *setting_check(Setting setting, const char *value, GError **error);

/* What holds for a user: his own, else the default (NULL when there is none). */
char *setting_text(Store *store, const char *user, Setting setting);
gboolean setting_on(Store *store, const char *user, Setting setting);

/* Which of a user's devices ring: stages one after the other, of flags each; 0: no second. */
enum { RING_CLIENTS = 1 << 0, RING_PHONES = 1 << 1 };
typedef struct {
	guint stages[2];
} RingOrder;
RingOrder setting_ring(Store *store, const char *user);
