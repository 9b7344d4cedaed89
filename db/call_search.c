/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* call_search.c - records that are looked for: by account, number, trunk, reason, time.
 *
 * The one thing of a filter that fits the fewest rows is looked up in an index, newest first;
 * the rest is held against each row that it gives.  A step looks at some hundred rows, so that
 * no search stops who asks; the next one goes on from there.
 */
#include <string.h>
#include "db/journal_private.h"
#include "db/rows.h"

#define STEP	  50 /* rows of a look-up that are looked at */
#define MAX_TERMS 64

/* The same as the index calls_failed has: the planner compares the texts.  And what the table of
 * b2bua/reason.c calls by a person: test-refused compares the three. */
#define REASONS_FINE                                                                      \
	"('hangup', 'cancelled', 'busy', 'declined', 'no-answer', 'answered-elsewhere', " \
	"'transferred')"

typedef enum { BY_ID, BY_USER, BY_CALLER, BY_CALLEE, BY_TRUNK, BY_REASON, BY_FAILURE } By;

typedef struct {
	By by;
	const char *value;
} Term;

gboolean
call_reason_is_fine(const char *reason)
{
	g_autofree char *quoted = g_strconcat("'", reason, "'", NULL);

	return strstr(REASONS_FINE, quoted) != NULL;
}

const char *
call_record_direction(const CallRecord *record)
{
	if (!record->trunk)
		return "internal";
	return record->user && record->caller && g_str_has_prefix(record->caller, record->user)
		       ? "out"
		       : "in";
}

/* --- whether a row is one of them --- */

static gboolean
is_one_of(const char *text, char **list)
{
	return text && list && g_strv_contains((const char *const *)list, text);
}

static gboolean
is_about(const CallFilter *filter, const CallRecord *record)
{
	if (!filter->user && !filter->numbers)
		return TRUE;
	return (filter->user && g_strcmp0(record->user, filter->user) == 0) ||
	       is_one_of(record->caller, filter->numbers) ||
	       is_one_of(record->callee, filter->numbers);
}

gboolean
call_record_fits(const CallRecord *record, const CallFilter *filter)
{
	if (!is_about(filter, record) ||
	    (filter->trunk && g_strcmp0(record->trunk, filter->trunk) != 0) ||
	    (filter->reason && g_strcmp0(record->reason, filter->reason) != 0) ||
	    (filter->direction && strcmp(call_record_direction(record), filter->direction) != 0) ||
	    (filter->failed && (!record->reason || call_reason_is_fine(record->reason))))
		return FALSE;
	if (filter->state != CALLS_ANY && (record->ended_us == 0) != (filter->state == CALLS_LIVE))
		return FALSE;
	return record->started_us >= filter->since_us &&
	       (filter->until_us == 0 || record->started_us < filter->until_us);
}

/* --- what is looked up --- */

/* A number is caller or callee: each is a look-up of its own. */
static GArray *
terms_of(const CallFilter *filter)
{
	GArray *terms = g_array_new(FALSE, FALSE, sizeof(Term));

	if (filter->user)
		g_array_append_val(terms, ((Term){ BY_USER, filter->user }));
	for (char **number = filter->numbers; number && *number && terms->len < MAX_TERMS;
	     number++) {
		g_array_append_val(terms, ((Term){ BY_CALLER, *number }));
		g_array_append_val(terms, ((Term){ BY_CALLEE, *number }));
	}
	if (terms->len > 0)
		return terms;
	if (filter->reason)
		g_array_append_val(terms, ((Term){ BY_REASON, filter->reason }));
	else if (filter->failed)
		g_array_append_val(terms, ((Term){ BY_FAILURE, NULL }));
	else if (filter->trunk)
		g_array_append_val(terms, ((Term){ BY_TRUNK, filter->trunk }));
	else
		g_array_append_val(terms, ((Term){ BY_ID, NULL }));
	return terms;
}

#define LOOK_UP(index, condition)                                                               \
	CALL_COLUMNS_BRIEF "INDEXED BY " index " WHERE " condition " AND id < ?2 AND id >= ?3 " \
			   "ORDER BY id DESC LIMIT ?4"

static GPtrArray *
look_up(Store *store, const Term *term, gint64 first, gint64 before, GError **error)
{
	static const char *const SQL[] = {
		[BY_ID] = CALL_COLUMNS_BRIEF "WHERE ?1 IS NULL AND id < ?2 AND id >= ?3 "
					     "ORDER BY id DESC LIMIT ?4",
		[BY_USER] = LOOK_UP("calls_by_user", "user = ?1"),
		[BY_CALLER] = LOOK_UP("calls_by_caller", "caller = ?1"),
		[BY_CALLEE] = LOOK_UP("calls_by_callee", "callee = ?1"),
		[BY_TRUNK] = LOOK_UP("calls_by_trunk", "trunk = ?1"),
		[BY_REASON] = LOOK_UP("calls_by_reason", "reason = ?1"),
		[BY_FAILURE] = LOOK_UP(
			"calls_failed",
			"?1 IS NULL AND reason IS NOT NULL AND reason NOT IN " REASONS_FINE),
	};
	g_auto(Query) query = query_new(store, SQL[term->by]);

	query_bind_text(&query, term->value);
	query_bind_int(&query, before);
	query_bind_int(&query, first);
	query_bind_int(&query, STEP);
	return call_rows_collect(&query, error);
}

/* 0: there is none. */
static gboolean
id_by_time(Store *store, const char *sql, gint64 us, gint64 *id, GError **error)
{
	g_auto(Query) query = query_new(store, sql);
	QueryResult result;

	query_bind_int(&query, us);
	result = query_step(&query, error);
	*id = result == QUERY_ROW ? query_int(&query, 0) : 0;
	return result != QUERY_FAILED;
}

/* The first that began then or later. */
static gboolean
first_since(Store *store, gint64 us, gint64 *first, GError **error)
{
	*first = 0;
	if (us == 0)
		return TRUE;
	if (!id_by_time(store,
			"SELECT id FROM calls INDEXED BY calls_by_time WHERE started_us >= ?1 "
			"ORDER BY started_us LIMIT 1",
			us, first, error))
		return FALSE;
	*first = *first ? *first : G_MAXINT64;
	return TRUE;
}

/* Above the last that began before then, and above the first that did not.  Ids grow with time,
 * but for the clock: a call that began while it was far ahead hides none that came after. */
static gboolean
end_until(Store *store, gint64 us, gint64 *end, GError **error)
{
	gint64 last = 0;

	if (!first_since(store, us, end, error) || us == 0 ||
	    !id_by_time(store,
			"SELECT id FROM calls INDEXED BY calls_by_time WHERE started_us < ?1 "
			"ORDER BY started_us DESC LIMIT 1",
			us, &last, error))
		return us == 0;
	*end = MAX(*end, last + 1);
	return TRUE;
}

static int
newest_first(gconstpointer a, gconstpointer b)
{
	const CallRecord *one = *(CallRecord *const *)a, *other = *(CallRecord *const *)b;

	return one->id < other->id ? 1 : one->id > other->id ? -1 : 0;
}

/* Two look-ups may find the same one. */
static void
sort_out(GPtrArray *records, const CallFilter *filter, gint64 from)
{
	gint64 last = 0;

	g_ptr_array_sort(records, newest_first);
	for (guint i = 0; i < records->len;) {
		const CallRecord *record = records->pdata[i];
		gboolean keep = record->id != last && record->id >= from &&
				call_record_fits(record, filter);

		last = record->id;
		if (keep)
			i++;
		else
			g_ptr_array_remove_index(records, i);
	}
}

/* Rows from `*from` on are all there: below that a look-up had more than a step. */
static gboolean
step(Store *store, const CallFilter *filter, gint64 first, gint64 before, gint64 *from,
     GPtrArray *records, GError **error)
{
	g_autoptr(GArray) terms = terms_of(filter);

	*from = 0;
	for (guint i = 0; i < terms->len; i++) {
		g_autoptr(GPtrArray) rows =
			look_up(store, &g_array_index(terms, Term, i), first, before, error);

		if (!rows)
			return FALSE;
		if (rows->len == STEP)
			*from = MAX(*from, ((CallRecord *)rows->pdata[STEP - 1])->id);
		g_ptr_array_extend_and_steal(records, g_steal_pointer(&rows));
	}
	return TRUE;
}

GPtrArray *
store_call_search(Store *store, const CallFilter *filter, gint64 *before, GError **error)
{
	g_autoptr(GPtrArray) records =
		g_ptr_array_new_with_free_func((GDestroyNotify)call_record_free);
	gint64 first, from, last;

	if (!first_since(store, filter->since_us, &first, error) ||
	    !end_until(store, filter->until_us, &last, error))
		return NULL;
	if (last > 0)
		*before = MIN(*before, last);
	if (filter->state == CALLS_LIVE) { /* there are few */
		g_clear_pointer(&records, g_ptr_array_unref);
		records = store_call_list_open(store, *before, error);
		from = 0;
	} else {
		if (!step(store, filter, first, *before, &from, records, error))
			return NULL;
		/* what is still to be written: of the newest, or written over */
		if (store->journal)
			journal_merge_calls(store->journal, records, *before, G_MAXINT);
	}
	if (!records)
		return NULL;
	sort_out(records, filter, from);
	*before = from;
	return g_steal_pointer(&records);
}
