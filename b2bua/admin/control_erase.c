/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* control_erase.c - user erase: what is known of a person is removed, some of it at a time. */
#include <string.h>
#include "b2bua/admin/handlers.h"
#include "b2bua/call/call_list.h"
#include "b2bua/route/meter.h"
#include "b2bua/text/texts.h"

#define ROWS	    5 /* of a step: each has a place in seven indexes */
#define PATIENCE_US (5 * G_USEC_PER_SEC)
#define BUSY_MS	    20

typedef struct {
	char *jid;
	char **numbers;	  /* whose records are sought: those at the beginning */
	GPtrArray *taken; /* Number *, those at the end; or NULL */
	guint calls, texts, softphones;
	gint64 give_up; /* monotonic; while another process writes */
	gint64 before;	/* of texts_abandon(); 0: nothing waits any more */
	gboolean waits; /* something was found since it began */
	guint passes;	/* that have found something */
} Erasure;

static void
erasure_free(gpointer data)
{
	Erasure *erasure = data;

	g_free(erasure->jid);
	g_strfreev(erasure->numbers);
	g_clear_pointer(&erasure->taken, g_ptr_array_unref);
	g_free(erasure);
}

static gboolean
is_switched_off(const User *user, GError **error)
{
	return !user->enabled ||
	       wrong(error,
		     "user %s is enabled; write 'user set %s enabled=no' first, which ends the "
		     "user's calls",
		     user->jid, user->jid);
}

/* --- the last step: what the person has --- */

static gboolean
delete_softphones(Store *store, Erasure *erasure, GError **error)
{
	g_autoptr(GPtrArray) phones = store_softphone_list(store, erasure->jid, error);

	for (guint i = 0; phones && i < phones->len; i++) {
		if (!store_softphone_del(store, ((Softphone *)phones->pdata[i])->username, error))
			return FALSE;
		erasure->softphones++;
	}
	return phones != NULL;
}

static gboolean
delete_numbers(Store *store, Erasure *erasure, GError **error)
{
	erasure->taken = store_number_list(store, erasure->jid, error);
	for (guint i = 0; erasure->taken && i < erasure->taken->len; i++)
		if (!store_number_del(store, ((const Number *)erasure->taken->pdata[i])->number,
				      error))
			return FALSE;
	return erasure->taken != NULL;
}

/* As the user is now: since the first step others have been at work. */
static gboolean
delete_user(Store *store, Erasure *erasure, GError **error)
{
	g_autoptr(User) user = store_user_get(store, erasure->jid, NULL);

	erasure->softphones = 0;
	g_clear_pointer(&erasure->taken, g_ptr_array_unref);
	return !user || (is_switched_off(user, error) && delete_softphones(store, erasure, error) &&
			 delete_numbers(store, erasure, error) &&
			 store_user_del(store, erasure->jid, error));
}

static gboolean
delete_rest(Request *request, Erasure *erasure, GError **error)
{
	return store_begin(request->store, error) &&
	       store_settle(request->store,
			    delete_user(request->store, erasure, error) &&
				    store_erase_account(request->store, erasure->jid, error),
			    error);
}

static void
say_what_was_done(Request *request, const Erasure *erasure)
{
	guint n_numbers = erasure->taken ? erasure->taken->len : 0;
	g_autofree char *text =
		g_strdup_printf("user erase: %u records without names; deleted: %u "
				"texts, %u softphones, %u numbers",
				erasure->calls, erasure->texts, erasure->softphones, n_numbers);

	if (request->gateway)
		meter_forget(gateway_parts(request->gateway)->meter, erasure->jid);
	reply_pair(request, "user", erasure->jid);
	reply_pair_int(request, "records-without-names", erasure->calls);
	reply_pair_int(request, "texts-deleted", erasure->texts);
	reply_pair_int(request, "softphones-deleted", erasure->softphones);
	reply_pair_int(request, "numbers-taken-away", n_numbers);
	reply_pair(request, "kept",
		   "times, trunk, reason and cost of the calls, under the name 'erased'");
	reply_pair(request, "not-touched", "logs, backups and copies of the database");
	audit_say(request, text);
	for (guint i = 0; i < n_numbers; i++)
		request_changed(request, CHANGE_NUMBER,
				((const Number *)erasure->taken->pdata[i])->number);
	request_changed(request, CHANGE_USER, erasure->jid);
	request_tell(request);
}

/* Another process may hold the lock for a moment.  Takes the problem. */
static gboolean
goes_on(Request *request, const Erasure *erasure, GError *problem, GError **error)
{
	if (!g_error_matches(problem, STORE_ERROR, STORE_ERROR_BUSY) ||
	    g_get_monotonic_time() > erasure->give_up) {
		g_propagate_error(error, problem);
		return FALSE;
	}
	g_error_free(problem);
	request->pause_ms = BUSY_MS;
	return TRUE;
}

/* What waits fails before it is deleted, so that whoever wrote it is told.  FALSE: there may be
 * more. */
static gboolean
nothing_waits(Request *request, Erasure *erasure, GError **error)
{
	gint n;

	if (!request->gateway || erasure->before == 0)
		return TRUE;
	n = texts_abandon(request->gateway, erasure->jid, &erasure->before, error);
	erasure->waits |= n > 0;
	if (n < 0 || erasure->before != 0)
		return FALSE;
	if (!erasure->waits)
		return TRUE;
	if (erasure->passes++ == 0)
		erasure->give_up = g_get_monotonic_time() + PATIENCE_US;
	else if (g_get_monotonic_time() > erasure->give_up)
		return wrong(error,
			     "the database has not taken what became of the texts of %s; "
			     "try again",
			     erasure->jid);
	erasure->before = G_MAXINT64; /* once more, when that is written */
	erasure->waits = FALSE;
	request->pause_ms = BUSY_MS;
	return FALSE;
}

static gboolean
some_erased(Request *request, Erasure *erasure, GError **error)
{
	g_autoptr(GError) problem = NULL;
	gint calls =
		store_erase_calls(request->store, erasure->jid, erasure->numbers, ROWS, &problem);
	gint texts =
		calls == 0 ? store_erase_texts(request->store, erasure->jid, ROWS, &problem) : 0;

	if (calls == 0 && texts == 0 && delete_rest(request, erasure, &problem)) {
		say_what_was_done(request, erasure);
		return FALSE;
	}
	if (calls > 0 || texts > 0) {
		erasure->calls += (guint)calls;
		erasure->texts += (guint)texts;
		erasure->give_up = g_get_monotonic_time() + PATIENCE_US;
		return TRUE;
	}
	return goes_on(request, erasure, g_steal_pointer(&problem), error);
}

static gboolean
more_erased(Request *request, GError **error)
{
	Erasure *erasure = request->gathered;
	g_autoptr(GError) problem = NULL;

	if (nothing_waits(request, erasure, &problem))
		return some_erased(request, erasure, error);
	return !problem || goes_on(request, erasure, g_steal_pointer(&problem), error);
}

/* --- whether it may be --- */

static gboolean
may_be_erased(Request *request, const char *jid, GError **error)
{
	g_autoptr(User) user = store_user_get(request->store, jid, NULL);
	Call *found;

	if (user && !is_switched_off(user, error))
		return FALSE;
	if (request->gateway && calls_of_person(request->gateway, jid, &found, 1) > 0)
		return wrong(error, "user %s has a live call; end it with 'hangup', see 'calls'",
			     jid);
	return store_is_written(request->store, store_posted(request->store)) ||
	       wrong(error, "the database has not taken all records yet; see 'records' in "
			    "'status', and try again");
}

gboolean
do_user_erase(Request *request, GError **error)
{
	const char *jid = request_word(request, "JID");
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
	g_autoptr(GPtrArray) numbers = NULL;
	Erasure *erasure;

	if (!may_be_erased(request, jid, error) ||
	    !(numbers = store_number_list(request->store, jid, error)))
		return FALSE;
	for (guint i = 0; i < numbers->len; i++)
		g_strv_builder_add(builder, ((const Number *)numbers->pdata[i])->number);
	erasure = g_new0(Erasure, 1);
	erasure->jid = g_strdup(jid);
	erasure->numbers = g_strv_builder_end(builder);
	erasure->give_up = g_get_monotonic_time() + PATIENCE_US;
	erasure->before = G_MAXINT64;
	request->gathered = erasure;
	request->free_gathered = erasure_free;
	request->more = more_erased;
	reply_table(request, "key", "value", NULL);
	return TRUE;
}
