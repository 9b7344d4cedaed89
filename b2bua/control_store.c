/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* control_store.c - numbers, trunks and call records: what needs the store alone.
 *
 * A command checks every word before it changes anything.
 */
#include <stddef.h>
#include <string.h>
#include <gio/gio.h>
#include "b2bua/address.h"
#include "b2bua/control_private.h"
#include "b2bua/call.h"
#include "b2bua/trace.h"

/* --- numbers --- */

static gboolean
number_add(Request *request, GError **error)
{
	g_autofree char *number = parse_number(request->words[0], error);
	g_autofree char *jid = number ? parse_user(request->words[1], error) : NULL;

	return jid && store_number_add(request->store, number, jid, error);
}

static void
add_number_row(Request *request, const Number *number)
{
	JsonArray *row = reply_row(request);

	row_add(row, number->number);
	row_add(row, number->user);
	row_add(row, number->caller_id ? "yes" : "no");
	row_add_time(row, number->created);
}

static gboolean
number_list(Request *request, GError **error)
{
	g_autofree char *jid = NULL;
	g_autoptr(GPtrArray) numbers = NULL;

	if (request->n_words == 1 && !(jid = parse_user(request->words[0], error)))
		return FALSE;
	if (!(numbers = store_number_list(request->store, jid, error)))
		return FALSE;
	reply_table(request, "number", "user", "caller-id", "created", NULL);
	for (guint i = 0; i < numbers->len; i++)
		add_number_row(request, numbers->pdata[i]);
	return TRUE;
}

static gboolean
number_show(Request *request, GError **error)
{
	g_autofree char *text = parse_number(request->words[0], error);
	g_autoptr(Number) number = text ? store_number_get(request->store, text, error) : NULL;

	if (!number)
		return FALSE;
	reply_table(request, "key", "value", NULL);
	reply_pair(request, "number", number->number);
	reply_pair(request, "user", number->user);
	reply_pair(request, "caller-id", number->caller_id ? "yes" : "no");
	return TRUE;
}

/* One key of a number; the caller holds the transaction. */
static gboolean
set_number_key(Request *request, const char *number, const char *key, const char *value,
	       GError **error)
{
	g_autofree char *jid = NULL;
	gboolean yes;

	if (g_str_equal(key, "user")) {
		jid = parse_user(value, error);
		return jid && store_number_set_user(request->store, number, jid, error);
	}
	if (!g_str_equal(key, "caller-id"))
		return wrong(error, "%s=%s: unknown key; a number has: user=JID caller-id=yes", key,
			     value);
	if (!parse_yes(key, value, &yes, error))
		return FALSE;
	if (!yes)
		return wrong(error,
			     "caller-id=%s: a user always shows one number; write "
			     "caller-id=yes for the one to be shown instead",
			     value);
	return store_number_set_caller_id(request->store, number, error);
}

static gboolean
set_number_keys(Request *request, const char *number, GError **error)
{
	for (guint at = 1; at < request->n_words;) {
		g_autofree char *key = NULL, *value = NULL;

		if (!next_pair(request, &at, &key, &value, error) ||
		    !set_number_key(request, number, key, value, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean
number_set(Request *request, GError **error)
{
	g_autofree char *number = parse_number(request->words[0], error);

	if (!number || !store_begin(request->store, error))
		return FALSE;
	if (set_number_keys(request, number, error))
		return store_commit(request->store, error);
	store_rollback(request->store);
	return FALSE;
}

static gboolean
number_del(Request *request, GError **error)
{
	g_autofree char *number = parse_number(request->words[0], error);

	return number && store_number_del(request->store, number, error);
}

/* --- trunks --- */

typedef enum {
	FIELD_HOST,
	FIELD_TRANSPORT,
	FIELD_TEXT,
	FIELD_SECRET,
	FIELD_SOURCES,
	FIELD_UINT,
	FIELD_INT,
	FIELD_YES
} FieldType;

typedef struct {
	const char *key;
	FieldType type;
	gsize offset;
	gint min, max;
} Field;

#define MEMBER(name) offsetof(Trunk, name)

static const Field fields[] = {
	{ "host", FIELD_HOST, MEMBER(host), 0, 0 },
	{ "port", FIELD_UINT, MEMBER(port), 0, 65535 },
	{ "transport", FIELD_TRANSPORT, MEMBER(transport), 0, 0 },
	{ "username", FIELD_TEXT, MEMBER(username), 0, 0 },
	{ "password", FIELD_SECRET, MEMBER(password), 0, 0 },
	{ "realm", FIELD_TEXT, MEMBER(realm), 0, 0 },
	{ "sources", FIELD_SOURCES, MEMBER(sources), 0, 0 },
	{ "in-username", FIELD_TEXT, MEMBER(in_username), 0, 0 },
	{ "in-password", FIELD_SECRET, MEMBER(in_password), 0, 0 },
	{ "priority", FIELD_INT, MEMBER(priority), -1000, 1000 },
	{ "enabled", FIELD_YES, MEMBER(enabled), 0, 0 },
	{ "wait-for-media", FIELD_YES, MEMBER(wait_for_media), 0, 0 },
	{ "ring-seconds", FIELD_UINT, MEMBER(ring_seconds), 1, 3600 },
};

static gboolean
unknown_field(const char *key, GError **error)
{
	g_autoptr(GString) all = g_string_new(NULL);

	for (guint i = 0; i < G_N_ELEMENTS(fields); i++)
		g_string_append_printf(all, " %s", fields[i].key);
	return wrong(error, "%s: unknown key; a trunk has:%s", key, all->str);
}

/* They end up in SIP headers and in tables. */
static gboolean
check_text(const Field *field, const char *value, GError **error)
{
	const char *shown = field->type == FIELD_SECRET ? "(hidden)" : value;

	if (strlen(value) > 255)
		return wrong(error, "%s: longer than 255 bytes; shorten it", field->key);
	for (const char *at = value; *at; at++)
		if (g_ascii_iscntrl(*at))
			return wrong(error, "%s: has a control character; remove it", field->key);
	if (field->type == FIELD_HOST &&
	    !(g_hostname_is_ip_address(value) ||
	      (*value &&
	       strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
		       strlen(value))))
		return wrong(error,
			     "%s=%s: not a host name or address; write one such as "
			     "sip.example.net (a port has its own key)",
			     field->key, shown);
	if (field->type == FIELD_TRANSPORT && !g_str_equal(value, "udp") &&
	    !g_str_equal(value, "tcp"))
		return wrong(error, "transport=%s: write udp or tcp", shown);
	return TRUE;
}

static gboolean
check_sources(const char *value, GError **error)
{
	g_auto(GStrv) parts = g_strsplit_set(value, " ,", -1);

	for (char **part = parts; *part; part++) {
		g_autoptr(GInetAddressMask) mask = NULL;

		if (!**part)
			continue;
		mask = g_inet_address_mask_new_from_string(*part, NULL);
		if (!mask)
			return wrong(error,
				     "sources=%s: %s is not an address or network; write such "
				     "as \"198.51.100.0/24 192.0.2.7\"",
				     value, *part);
	}
	return TRUE;
}

static gboolean
set_field_text(const Field *field, char **target, const char *value, GError **error)
{
	if (!check_text(field, value, error) ||
	    (field->type == FIELD_SOURCES && !check_sources(value, error)))
		return FALSE;
	g_free(*target);
	*target = g_strdup(value);
	if (field->type == FIELD_SOURCES)
		g_strdelimit(*target, ",", ' ');
	else if (!*value)
		g_clear_pointer(target, g_free); /* KEY= takes it away */
	return TRUE;
}

static gboolean
set_field(Trunk *trunk, const char *key, const char *value, GError **error)
{
	const Field *field = NULL;
	gpointer target;
	gint64 number;

	for (guint i = 0; !field && i < G_N_ELEMENTS(fields); i++)
		if (g_str_equal(fields[i].key, key))
			field = &fields[i];
	if (!field)
		return unknown_field(key, error);
	target = (char *)trunk + field->offset;
	if (field->type == FIELD_YES)
		return parse_yes(key, value, target, error);
	if (field->type != FIELD_UINT && field->type != FIELD_INT)
		return set_field_text(field, target, value, error);
	if (!g_ascii_string_to_signed(value, 10, field->min, field->max, &number, NULL))
		return wrong(error, "%s=%s: write a whole number from %d to %d", key, value,
			     field->min, field->max);
	*(gint *)target = (gint)number;
	return TRUE;
}

static gboolean
set_fields(Request *request, Trunk *trunk, guint at, GError **error)
{
	while (at < request->n_words) {
		g_autofree char *key = NULL, *value = NULL;

		if (!next_pair(request, &at, &key, &value, error) ||
		    !set_field(trunk, key, value, error))
			return FALSE;
	}
	if (!trunk->username != !trunk->password)
		return wrong(error, "%s: not set; username and password go together",
			     trunk->username ? "password" : "username");
	if (!trunk->in_username != !trunk->in_password)
		return wrong(error, "%s: not set; in-username and in-password go together",
			     trunk->in_username ? "in-password" : "in-username");
	return TRUE;
}

static gboolean
check_trunk_name(const char *name, GError **error)
{
	gsize length = strlen(name);

	return (length > 0 && length <= 32 &&
		strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length) ||
	       wrong(error, "trunk %s: not a name; write 1 to 32 of a-z, 0-9 and -", name);
}

static gboolean
trunk_add(Request *request, GError **error)
{
	g_autoptr(Trunk) trunk = trunk_new(request->words[0], NULL);

	return check_trunk_name(trunk->name, error) &&
	       set_field(trunk, "host", request->words[1], error) &&
	       set_fields(request, trunk, 2, error) &&
	       store_trunk_add(request->store, trunk, error);
}

static gboolean
trunk_list(Request *request, GError **error)
{
	g_autoptr(GPtrArray) trunks = store_trunk_list(request->store, error);

	if (!trunks)
		return FALSE;
	reply_table(request, "trunk", "host", "port", "transport", "priority", "enabled", "sources",
		    NULL);
	for (guint i = 0; i < trunks->len; i++) {
		const Trunk *trunk = trunks->pdata[i];
		JsonArray *row = reply_row(request);

		row_add(row, trunk->name);
		row_add(row, trunk->host);
		row_add_int(row, trunk->port ? trunk->port : 5060);
		row_add(row, trunk->transport);
		row_add_int(row, trunk->priority);
		row_add(row, trunk->enabled ? "yes" : "no");
		row_add(row, trunk->sources);
	}
	return TRUE;
}

static char *
field_text(const Trunk *trunk, const Field *field)
{
	gconstpointer value = (const char *)trunk + field->offset;

	switch (field->type) {
	case FIELD_SECRET:
		return g_strdup(*(char *const *)value ? "(set)" : "");
	case FIELD_UINT:
	case FIELD_INT:
		return g_strdup_printf("%d", *(const gint *)value);
	case FIELD_YES:
		return g_strdup(*(const gboolean *)value ? "yes" : "no");
	default:
		return g_strdup(*(char *const *)value);
	}
}

static gboolean
trunk_show(Request *request, GError **error)
{
	g_autoptr(Trunk) trunk = store_trunk_get(request->store, request->words[0], error);

	if (!trunk)
		return FALSE;
	reply_table(request, "key", "value", NULL);
	reply_pair(request, "trunk", trunk->name);
	for (guint i = 0; i < G_N_ELEMENTS(fields); i++) {
		g_autofree char *text = field_text(trunk, &fields[i]);

		reply_pair(request, fields[i].key, text);
	}
	return TRUE;
}

static gboolean
change_trunk(Request *request, GError **error)
{
	g_autoptr(Trunk) trunk = store_trunk_get(request->store, request->words[0], error);

	if (!trunk || !set_fields(request, trunk, 1, error))
		return FALSE;
	if (!trunk->host || !trunk->transport)
		return wrong(error, "%s: cannot be empty; write %s",
			     trunk->host ? "transport" : "host",
			     trunk->host ? "udp or tcp" : "a host name or address");
	return store_trunk_update(request->store, trunk, error);
}

static gboolean
trunk_set(Request *request, GError **error)
{
	if (!store_begin(request->store, error))
		return FALSE;
	if (change_trunk(request, error))
		return store_commit(request->store, error);
	store_rollback(request->store);
	return FALSE;
}

static gboolean
trunk_del(Request *request, GError **error)
{
	return store_trunk_del(request->store, request->words[0], error);
}

/* --- calls --- */

#define DEFAULT_CALLS 20
#define MAX_CALLS     10000

static gint64
duration(const CallRecord *record)
{
	if (!record->answered_us)
		return 0;
	return ((record->ended_us ? record->ended_us : g_get_real_time()) - record->answered_us) /
	       G_USEC_PER_SEC;
}

static gboolean
calls(Request *request, GError **error)
{
	g_autoptr(GPtrArray) records = NULL;
	guint64 last = DEFAULT_CALLS;

	if (request->n_words > 0 && !g_str_equal(request->words[0], "--last"))
		return wrong(error, "%s: unknown option; write calls --last N", request->words[0]);
	if (request->n_words == 1)
		return wrong(error, "--last: has no value; write calls --last N");
	if (request->n_words == 2 &&
	    !g_ascii_string_to_unsigned(request->words[1], 10, 1, MAX_CALLS, &last, NULL))
		return wrong(error, "--last %s: write a whole number from 1 to %d",
			     request->words[1], MAX_CALLS);
	if (!(records = store_call_list(request->store, (guint)last, error)))
		return FALSE;
	reply_table(request, "id", "state", "from", "to", "since", "seconds", "reason", "text",
		    NULL);
	for (guint i = 0; i < records->len; i++) {
		const CallRecord *record = records->pdata[i];
		JsonArray *row = reply_row(request);

		row_add_int(row, record->id);
		row_add(row, record->state);
		row_add(row, record->caller);
		row_add(row, record->callee);
		row_add_time(row, record->started_us / G_USEC_PER_SEC);
		row_add_int(row, duration(record));
		row_add(row, record->reason);
		row_add(row, record->text);
	}
	return TRUE;
}

static CallRecord *
find_record(Request *request, GError **error)
{
	gint64 id;

	if (g_ascii_string_to_signed(request->words[0], 10, 1, G_MAXINT64, &id, NULL))
		return store_call_get(request->store, id, error);
	wrong(error, "call %s: not a call's id; see 'calls'", request->words[0]);
	return NULL;
}

static void
reply_time_pair(Request *request, const char *key, gint64 us)
{
	JsonArray *row = reply_row(request);

	row_add(row, key);
	row_add_time(row, us / G_USEC_PER_SEC);
}

static gboolean
call_show(Request *request, GError **error)
{
	g_autoptr(CallRecord) record = find_record(request, error);
	g_auto(GStrv) stats = NULL;

	if (!record)
		return FALSE;
	reply_table(request, "key", "value", NULL);
	reply_pair(request, "id", request->words[0]);
	reply_pair(request, "state", record->state);
	reply_pair(request, "from", record->caller);
	reply_pair(request, "to", record->callee);
	reply_pair(request, "user", record->user);
	reply_pair(request, "trunk", record->trunk);
	reply_pair(request, "caller-plugin", record->caller_plugin);
	reply_pair(request, "callee-plugin", record->callee_plugin);
	reply_time_pair(request, "started", record->started_us);
	reply_time_pair(request, "answered", record->answered_us);
	reply_time_pair(request, "ended", record->ended_us);
	reply_pair(request, "reason", record->reason);
	reply_pair(request, "text", record->text);
	reply_pair(request, "ended-by", record->ended_by);
	stats = g_strsplit(record->stats ? record->stats : "", "\n", -1);
	for (char **line = stats; *line; line++)
		if (**line)
			reply_pair(request, "media", *line);
	return TRUE;
}

static gboolean
ladder(Request *request, GError **error)
{
	g_autoptr(CallRecord) record = find_record(request, error);
	g_autofree char *now = NULL, *drawn = NULL;
	guint64 columns = 100;

	if (!record)
		return FALSE;
	if (request->n_words == 2 &&
	    !g_ascii_string_to_unsigned(request->words[1], 10, 40, 1000, &columns, NULL))
		return wrong(error, "columns %s: write a whole number from 40 to 1000",
			     request->words[1]);
	if (request->gateway && gateway_call(request->gateway, record->id))
		now = call_ladder(gateway_call(request->gateway, record->id));
	drawn = trace_draw(now ? now : record->ladder ? record->ladder : "", (guint)columns);
	reply_text(request, drawn);
	return TRUE;
}

#define TRUNK_HELP                                                                           \
	"keys: host port transport username password realm sources in-username in-password " \
	"priority enabled wait-for-media ring-seconds"

const Command control_store_commands[] = {
	{ "number", "add", "NUMBER JID", 2, 2, FALSE, TRUE, number_add,
	  "give a number; the first is the user's caller id" },
	{ "number", "list", "[JID]", 0, 1, FALSE, FALSE, number_list, "all numbers, or a user's" },
	{ "number", "show", "NUMBER", 1, 1, FALSE, FALSE, number_show, "one number" },
	{ "number", "set", "NUMBER [user=JID] [caller-id=yes]", 2, 5, FALSE, TRUE, number_set,
	  "move it, or make it the one shown on calls out" },
	{ "number", "del", "NUMBER", 1, 1, FALSE, TRUE, number_del, "take a number away" },
	{ "trunk", "add", "NAME HOST [KEY=VALUE]…", 2, 40, FALSE, TRUE, trunk_add, TRUNK_HELP },
	{ "trunk", "list", "", 0, 0, FALSE, FALSE, trunk_list, "all trunks, in the order tried" },
	{ "trunk", "show", "NAME", 1, 1, FALSE, FALSE, trunk_show, "one trunk, secrets hidden" },
	{ "trunk", "set", "NAME KEY=VALUE…", 2, 40, FALSE, TRUE, trunk_set, TRUNK_HELP },
	{ "trunk", "del", "NAME", 1, 1, FALSE, TRUE, trunk_del, "forget a trunk" },
	{ "calls", NULL, "[--last N]", 0, 2, FALSE, FALSE, calls,
	  "live and recent calls, newest first" },
	{ "call", "show", "ID", 1, 1, FALSE, FALSE, call_show, "all about one call" },
	{ "ladder", NULL, "ID [COLUMNS]", 1, 2, FALSE, FALSE, ladder,
	  "who said what when in one call" },
};
const guint control_n_store_commands = G_N_ELEMENTS(control_store_commands);
