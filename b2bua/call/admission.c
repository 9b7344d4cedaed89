/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* admission.c - see admission.h.
 *
 * Thread: signalling.
 */
#include "b2bua/call/admission.h"
#include "b2bua/call/call_private.h"
#include "b2bua/descriptors.h"
#include "b2bua/route/limits.h"
#include "b2bua/setting.h"

struct Admission {
	Limits *limits;
	GHashTable *per_user; /* char * → guint */
};

Admission *
admission_new(const Config *config)
{
	Admission *self = g_new0(Admission, 1);

	self->limits = limits_new(config->max_setup_per_second, config->max_calls);
	self->per_user = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	return self;
}

void
admission_free(Admission *self)
{
	limits_free(self->limits);
	g_hash_table_unref(self->per_user);
	g_free(self);
}

static Admission *
admission_of(Gateway *gateway)
{
	return gateway_parts(gateway)->admission;
}

/* --- the calls of an account --- */

static guint
calls_of(const Admission *self, const char *user)
{
	return GPOINTER_TO_UINT(g_hash_table_lookup(self->per_user, user));
}

static void
count_user(Admission *self, const char *user, int change)
{
	guint calls;

	if (!user)
		return;
	calls = calls_of(self, user) + (guint)change;
	if (calls == 0)
		g_hash_table_remove(self->per_user, user);
	else
		g_hash_table_insert(self->per_user, g_strdup(user), GUINT_TO_POINTER(calls));
}

/* His own limit lowers the gateway's, and never raises it. */
static guint
own_limit(Gateway *gateway, const char *user)
{
	Store *store = gateway_store(gateway);
	guint failures = store_failures(store);
	g_autofree char *text = setting_text(store, user, SETTING_MAX_CALLS);
	guint own = text ? (guint)g_ascii_strtoull(text, NULL, 10) : G_MAXUINT;

	/* the least that he can have been given */
	return gateway_unread_since(gateway, failures) ? 1 : own;
}

/* The store is asked only where the gateway's own limit leaves room. */
static gboolean
is_full(Gateway *gateway, const char *user)
{
	guint calls = calls_of(admission_of(gateway), user);

	return calls >= gateway_config(gateway)->max_calls_per_user ||
	       calls >= own_limit(gateway, user);
}

gboolean
admission_charge(Gateway *gateway, const char *user)
{
	if (is_full(gateway, user))
		return FALSE;
	count_user(admission_of(gateway), user, 1);
	return TRUE;
}

void
admission_discharge(Gateway *gateway, const char *user)
{
	count_user(admission_of(gateway), user, -1);
}

void
admission_begin(const Call *call)
{
	Admission *self = admission_of(call->gateway);

	count_user(self, call_user(call), 1);
	limits_begin(self->limits, call->author, call->line);
}

void
admission_end(const Call *call)
{
	Admission *self = admission_of(call->gateway);

	count_user(self, call_user(call), -1);
	limits_end(self->limits, call->author, call->line);
}

/* --- who asks --- */

/* By the name he gives; who has asked a moment ago is not looked up again. */
static gboolean
is_stranger(Gateway *gateway, const char *account)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(User) user = NULL;

	if (limits_know(admission_of(gateway)->limits, account, g_get_monotonic_time()))
		return FALSE;
	user = store_user_get(gateway_store(gateway), account, &error);
	return g_error_matches(error, STORE_ERROR, STORE_ERROR_NOT_FOUND);
}

/* Strangers are one author: who they say they are costs them nothing. */
static char *
author_of(Gateway *gateway, const Asker *asker)
{
	if (asker->trunk)
		return g_strconcat(LIMITS_TRUNK, asker->trunk, NULL);
	/* who is refused all the same need not be looked up */
	if (!asker->user || (gateway_is_stopping(gateway) && !asker->emergency) ||
	    is_stranger(gateway, asker->user))
		return g_strdup(LIMITS_STRANGER);
	return g_strdup(asker->user);
}

/* What is kept for him is given to him; in the end an emergency call asks for nothing. */
static gboolean
admit_help(Gateway *gateway, const char *author)
{
	Limits *limits = admission_of(gateway)->limits;

	if (!*author || !limits_take_help(limits, author, g_get_monotonic_time()))
		return FALSE;
	descriptors_give();
	gateway_count(gateway, COUNTER_EMERGENCY_CALLS);
	return TRUE;
}

/* What costs least to find out comes first. */
static const char *
why_not(Gateway *gateway, const Asker *asker)
{
	const Admission *self = admission_of(gateway);
	gint64 now = g_get_monotonic_time();

	if (gateway_is_stopping(gateway))
		return "the gateway is stopping";
	if (!limits_ask(self->limits, asker->author, now))
		return "too many calls began at once";
	if (!limits_have_line(self->limits, asker->author, LINE_ORDINARY, now) ||
	    !descriptors_are_left())
		return "all lines are in use";
	if (asker->user && is_full(gateway, asker->user))
		return "your account has as many calls as allowed";
	limits_take(self->limits, asker->author, now);
	return NULL;
}

gboolean
admission_ask(Gateway *gateway, Asker *asker, Reason *reason, const char **text)
{
	asker->author = author_of(gateway, asker);
	asker->emergency = asker->emergency && admit_help(gateway, asker->author);
	*text = asker->emergency ? NULL : why_not(gateway, asker);
	*reason = *text ? REASON_OVERLOAD : REASON_NONE;
	return *text == NULL;
}

/* A trunk's call counts for the one who is called. */
gboolean
admission_ask_plan(const Call *call, Reason *reason, const char **text)
{
	const Admission *self = admission_of(call->gateway);
	const char *user = call_user(call);

	*text = NULL;
	if (call->line == LINE_HELP)
		return TRUE;
	if (call->line == LINE_SERVICE &&
	    !limits_have_line(self->limits, call->author, LINE_SERVICE, g_get_monotonic_time()))
		*text = "this service has as many calls as allowed";
	*reason = *text ? REASON_OVERLOAD : REASON_NONE;
	if (!*text && user && g_strcmp0(user, call->author) != 0 && is_full(call->gateway, user)) {
		*text = "the person called has as many calls as allowed";
		*reason = REASON_BUSY;
	}
	return *text == NULL;
}
