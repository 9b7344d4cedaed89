/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* text.c - a text that comes: whether it may, where it goes, and that it is written first.
 *
 *	text_new → refused
 *	         → known already: taken
 *	         → written → answered "taken" → outbox
 *	         → not written within 2 s → taken away again, answered "later"
 *
 * Thread: signalling.
 */
#include "b2bua/text.h"
#include <string.h>
#include "b2bua/route/route_text.h"
#include "b2bua/route/way_out.h"
#include "b2bua/text/text_address.h"
#include "b2bua/text/text_private.h"
#include "b2bua/timer.h"

#define LATE_MS	     2000
#define MOST_PENDING 1000 /* texts that are being written */
#define MOST_ASKERS  10	  /* for one of them */
#define MOST_NAME    1023 /* bytes of what an author calls a text */
#define LEAST_ROOM   64	  /* bytes of a part */
#define DAY_SECONDS  86400

typedef struct {
	TextAnswered answered;
	gpointer user;
} Asker;

typedef struct {
	Texts *texts;
	char *key;
	TextRecord *record;
	guint64 number; /* of store_text_put() */
	GArray *askers; /* Asker */
	Timer *timer;
} Pending;

void
text_pending_free(gpointer data)
{
	Pending *pending = data;

	timer_clear(&pending->timer);
	text_record_free(pending->record);
	g_array_unref(pending->askers);
	g_free(pending->key);
	g_free(pending);
}

/* --- it is written, or it is not --- */

static void
answer(Pending *pending, TextAnswer answer)
{
	g_autoptr(GArray) askers = g_array_ref(pending->askers);

	for (guint i = 0; i < askers->len; i++) {
		const Asker *asker = &g_array_index(askers, Asker, i);

		asker->answered(asker->user, answer, REASON_NONE, NULL);
	}
}

static void
on_written(gpointer user)
{
	Pending *pending = user;
	Texts *texts = pending->texts;
	const GPtrArray *deliveries = pending->record->deliveries;

	timer_clear(&pending->timer);
	g_hash_table_steal(texts->pending, pending->key);
	answer(pending, TEXT_TAKEN);
	texts_count(texts, pending->record->direction, pending->record->state);
	for (guint i = 0; i < deliveries->len; i++)
		outbox_add(texts->outbox, deliveries->pdata[i]);
	text_pending_free(pending);
}

/* Its author will try again, perhaps by another name: this one must not go as well. */
static void
withdraw(Pending *pending)
{
	Texts *texts = pending->texts;
	const GPtrArray *deliveries = pending->record->deliveries;

	store_text_withdraw(gateway_store(texts->gateway), pending->record->id, pending->number);
	for (guint i = 0; i < deliveries->len; i++)
		outbox_unreserve(texts->outbox, deliveries->pdata[i]);
	answer(pending, TEXT_LATER);
}

static void
on_late(gpointer user)
{
	Pending *pending = user;

	g_hash_table_steal(pending->texts->pending, pending->key);
	withdraw(pending);
	text_pending_free(pending);
}

void
text_pending_give_up(Texts *texts)
{
	GHashTableIter iter;
	gpointer pending;

	g_hash_table_iter_init(&iter, texts->pending);
	while (g_hash_table_iter_next(&iter, NULL, &pending)) {
		g_hash_table_iter_steal(&iter);
		withdraw(pending);
		text_pending_free(pending);
	}
}

static void
ask(Pending *pending, TextAnswered answered, gpointer user)
{
	Asker asker = { answered, user };

	if (pending->askers->len < MOST_ASKERS)
		g_array_append_val(pending->askers, asker);
	else
		answered(user, TEXT_LATER, REASON_NONE, NULL);
}

/* --- what is written --- */

/* What an author calls it, as the store takes it. */
static char *
origin_of(const char *name)
{
	if (strlen(name) <= MOST_NAME && g_utf8_validate(name, -1, NULL))
		return g_strdup(name);
	return g_compute_checksum_for_string(G_CHECKSUM_SHA256, name, -1);
}

/* As far as its author's clock can be right. */
static gint64
written_at(const TextIn *text)
{
	gint64 now = g_get_real_time() / G_USEC_PER_SEC;

	return text->written > 0 ? MIN(text->written, now) : now;
}

static char *
valid(const char *text)
{
	return text && g_utf8_validate(text, -1, NULL) ? g_strdup(text) : NULL;
}

#define JOINER	   0x200d
#define IS_SKIN(c) ((c) >= 0x1f3fb && (c) <= 0x1f3ff)
#define IS_FLAG(c) ((c) >= 0x1f1e6 && (c) <= 0x1f1ff) /* two of them are one */

/* It is seen as one with the character before it: an accent, the rest of an emoji. */
static gboolean
is_joined(const char *body, const char *at)
{
	gunichar c = g_utf8_get_char(at), before = g_utf8_get_char(g_utf8_prev_char(at));

	return g_unichar_ismark(c) || c == JOINER || before == JOINER || IS_SKIN(c) ||
	       (IS_FLAG(c) && IS_FLAG(before));
}

/* How much of the body goes into a part: up to the end of a word, else of what is seen as one
 * character, else of a character. */
static gsize
part_length(const char *body, gsize room)
{
	gsize length = strlen(body), end, whole;

	if (length <= room)
		return length;
	for (end = room; end > room / 2; end--)
		if (g_ascii_isspace(body[end]))
			return end;
	for (end = room; end > 0 && ((guchar)body[end] & 0xc0) == 0x80; end--)
		;
	for (whole = end; whole > room / 2 && is_joined(body, body + whole);)
		whole = (gsize)(g_utf8_prev_char(body + whole) - body);
	return whole > room / 2 ? whole : end;
}

/* char *, in order. */
static GPtrArray *
parts_of(Gateway *gateway, const TextWay *way, const char *body)
{
	const Plugin *plugin = gateway_carrying(gateway, way->kind);
	Way where = { .kind = way->kind, .trunk = way->kind == WAY_TRUNK ? way->key : NULL };
	const char *device = way->kind == WAY_CONTACT ? way->key : NULL;
	guint room = plugin && plugin->text->room ? plugin->text->room(&where, device) : 0;
	GPtrArray *parts = g_ptr_array_new_with_free_func(g_free);

	room = room == 0 ? G_MAXUINT : MAX(room, LEAST_ROOM);
	while (*body || parts->len == 0) {
		gsize length = part_length(body, room);

		g_ptr_array_add(parts, g_strndup(body, length));
		for (body += length; g_ascii_isspace(*body); body++)
			;
	}
	return parts;
}

static void
add_delivery(TextRecord *record, const TextWay *way, const char *part_or_null, guint part)
{
	TextDelivery *delivery = g_new0(TextDelivery, 1);

	delivery->kind = g_strdup(way->copy ? "copy" : "message");
	delivery->way = g_strdup(text_way_name(way->kind));
	delivery->way_key = g_strdup(way->key);
	delivery->account = g_strdup(way->account);
	delivery->peer = text_address_word(way->kind == WAY_TRUNK ? way->to : way->from);
	delivery->device = way->copy		      ? g_strdup(record->device)
			   : way->kind == WAY_CONTACT ? g_strdup(way->key)
						      : NULL;
	delivery->sender = text_address_save(way->from);
	delivery->recipient = text_address_save(way->to);
	delivery->body = g_strdup(part_or_null);
	delivery->part = part;
	delivery->made = delivery->changed = record->taken;
	delivery->state = g_strdup(TEXT_QUEUED);
	g_ptr_array_add(record->deliveries, delivery);
}

static void
add_deliveries(Gateway *gateway, TextRecord *record, const TextRoute *route)
{
	for (guint i = 0; i < route->ways->len; i++) {
		const TextWay *way = route->ways->pdata[i];
		g_autoptr(GPtrArray) parts = parts_of(gateway, way, record->body);

		for (guint k = 0; k < parts->len; k++)
			add_delivery(record, way, parts->len > 1 ? parts->pdata[k] : NULL, k);
	}
}

static TextRecord *
record_of(Gateway *gateway, const TextIn *text, const TextRoute *route, const char *source)
{
	TextRecord *record = text_record_new();

	record->source = g_strdup(source);
	record->origin = origin_of(text->origin);
	record->taken = g_get_real_time() / G_USEC_PER_SEC;
	record->written = written_at(text);
	record->direction = g_strdup(route->direction);
	record->author = g_strdup(route->author);
	record->addressee = g_strdup(route->addressee);
	record->device = valid(text->device);
	record->trunk = g_strdup(route->trunk);
	record->sender = text_address_word(route->author_seen);
	record->recipient = text_address_word(route->peer);
	record->peer = text_address_save(route->peer);
	record->language = valid(text->language);
	record->receipt = text->receipt;
	if (route->blocked) { /* nobody reads it */
		record->body = g_strdup("");
		record->state = g_strdup(TEXT_FAILED);
		record->reason = g_strdup(reason_name(REASON_DECLINED));
		record->words = g_strdup("the addressee blocks this sender, who is not told");
		return record;
	}
	record->body = g_strdup(text->body);
	record->state = g_strdup(TEXT_QUEUED);
	add_deliveries(gateway, record, route);
	return record;
}

static void
begin(Texts *texts, TextRecord *record, TextAnswered answered, gpointer user)
{
	Pending *pending = g_new0(Pending, 1);

	for (guint i = 0; i < record->deliveries->len; i++) {
		TextDelivery *delivery = record->deliveries->pdata[i];

		delivery->given = outbox_reserve(texts->outbox, delivery);
	}
	pending->texts = texts;
	pending->key = g_strjoin("\t", record->source, record->origin, NULL);
	pending->record = record;
	pending->askers = g_array_new(FALSE, FALSE, sizeof(Asker));
	ask(pending, answered, user);
	timer_set(&pending->timer, LATE_MS, on_late, pending);
	g_hash_table_insert(texts->pending, pending->key, pending);
	/* without a journal it is written, and gone, from inside */
	if (!store_text_put(gateway_store(texts->gateway), record, &pending->number, on_written,
			    pending))
		on_late(pending);
}

/* --- whether it may --- */

static gboolean
within_minute(Texts *texts, const char *source, guint most)
{
	gint64 minute = g_get_monotonic_time() / (60 * G_USEC_PER_SEC);
	guint n;

	if (minute != texts->minute) {
		texts->minute = minute;
		g_hash_table_remove_all(texts->rates);
	}
	n = GPOINTER_TO_UINT(g_hash_table_lookup(texts->rates, source));
	if (n >= most)
		return FALSE;
	g_hash_table_replace(texts->rates, g_strdup(source), GUINT_TO_POINTER(n + 1));
	return TRUE;
}

static gboolean
within_day(Texts *texts, const char *source)
{
	gint64 since = g_get_real_time() / G_USEC_PER_SEC - DAY_SECONDS;
	guint most = gateway_config(texts->gateway)->texts_account_day;

	return store_text_count(gateway_store(texts->gateway), source, since, most) < most;
}

typedef struct {
	TextAnswer answer;
	Reason reason;
	const char *words;
} Verdict;

static Verdict
refuse(Reason reason, const char *words)
{
	return (Verdict){ TEXT_REFUSED, reason, words };
}

static Verdict
judge_body(const char *body)
{
	if (!body || !g_utf8_validate(body, -1, NULL))
		return refuse(REASON_PROTOCOL_ERROR, "the text is not UTF-8");
	if (body[strspn(body, " \t\r\n")] == '\0')
		return refuse(REASON_PROTOCOL_ERROR, "the text is empty");
	if (strlen(body) > TEXT_MAX_BYTES)
		return refuse(REASON_FORBIDDEN, "the text is too long: 8192 bytes are the most");
	return (Verdict){ TEXT_TAKEN, REASON_NONE, NULL };
}

/* Asked for a text that is not known yet. */
static Verdict
judge_rate(Texts *texts, const TextIn *text, const char *source)
{
	const Config *config = gateway_config(texts->gateway);

	if (texts->closed || g_hash_table_size(texts->pending) >= MOST_PENDING ||
	    outbox_waiting(texts->outbox) >= config->texts_waiting)
		return (Verdict){ TEXT_LATER, REASON_NONE, NULL };
	if (text->trunk && !within_minute(texts, source, config->texts_trunk_minute))
		return (Verdict){ TEXT_LATER, REASON_NONE, NULL };
	if (!text->trunk && !within_minute(texts, source, config->texts_account_minute))
		return refuse(REASON_OVERLOAD,
			      "these are too many texts: wait a minute before the next");
	if (!text->trunk && !within_day(texts, source))
		return refuse(REASON_OVERLOAD, "your texts of a day are used up");
	return (Verdict){ TEXT_TAKEN, REASON_NONE, NULL };
}

static Verdict
judge(Texts *texts, const TextIn *text, const char *source)
{
	Verdict verdict = judge_body(text->body);

	if (verdict.answer != TEXT_TAKEN)
		return verdict;
	if (route_text_is_for_help(texts->gateway, text))
		return refuse(REASON_FORBIDDEN, WAY_OUT_NO_TEXTS_FOR_HELP);
	return judge_rate(texts, text, source);
}

static const char *
direction_of(const TextIn *text)
{
	return text->trunk ? "in" : "out";
}

static void
take(Texts *texts, const TextIn *text, const char *source, TextAnswered answered, gpointer user)
{
	Gateway *gateway = texts->gateway;
	guint failures = store_failures(gateway_store(gateway));
	Verdict verdict = judge(texts, text, source);
	g_autoptr(TextRoute) route = NULL;

	if (verdict.answer == TEXT_TAKEN) {
		route = route_text(gateway, text, &verdict.reason, &verdict.words);
		if (!route)
			verdict.answer = TEXT_REFUSED;
	}
	/* a rule or a list that could not be read may have forbidden it: its author tries again */
	if (gateway_unread_since(gateway, failures))
		verdict = (Verdict){ TEXT_LATER, REASON_NONE, NULL };
	if (verdict.answer == TEXT_TAKEN) {
		begin(texts, record_of(gateway, text, route, source), answered, user);
		return;
	}
	if (verdict.answer == TEXT_REFUSED)
		texts_count(texts, direction_of(text), "REFUSED");
	answered(user, verdict.answer, verdict.reason, verdict.words);
}

/* --- sent again --- */

static gboolean
is_near(const TextRecord *record, gint64 written)
{
	return ABS(record->written - written) <= TEXT_NEAR_SECONDS;
}

/* By one of its names.  TRUE: it has been written, or (`pending`) is being written.  With `written`
 * it is the same text only when it was written near that time. */
static gboolean
find_by(Texts *texts, const char *source, const char *name, gint64 written, Pending **pending)
{
	Store *store = gateway_store(texts->gateway);
	g_autofree char *origin = origin_of(name), *key = g_strjoin("\t", source, origin, NULL);
	g_autoptr(TextRecord) record = NULL;
	gint64 id;

	*pending = g_hash_table_lookup(texts->pending, key);
	if (*pending && written && !is_near((*pending)->record, written))
		*pending = NULL;
	if (*pending)
		return TRUE;
	id = store_text_find(store, source, origin);
	if (!id || !written)
		return id != 0;
	record = store_text_get(store, id);
	return record && is_near(record, written);
}

static gboolean
find_text(Texts *texts, const char *source, const TextIn *text, Pending **pending)
{
	gboolean found = find_by(texts, source, text->origin, 0, pending);

	for (const char *const *name = text->near; !found && name && *name; name++)
		found = find_by(texts, source, *name, written_at(text), pending);
	return found;
}

/* --- text.h --- */

void
text_new(Gateway *gateway, const Plugin *plugin G_GNUC_UNUSED, const TextIn *text,
	 TextAnswered answered, gpointer user)
{
	Texts *texts = texts_of(gateway);
	g_autofree char *source = text->trunk ? g_strconcat("trunk ", text->trunk, NULL)
					      : g_strdup(text->account ? text->account : "");
	guint failures = store_failures(gateway_store(gateway));
	Pending *pending;
	gboolean found;

	if (!*source || !text->origin || !*text->origin) {
		answered(user, TEXT_REFUSED, REASON_FORBIDDEN, "you have no account here");
		return;
	}
	found = find_text(texts, source, text, &pending);
	if (pending)
		ask(pending, answered, user);
	else if (gateway_unread_since(gateway, failures))
		answered(user, TEXT_LATER, REASON_NONE, NULL);
	else if (found)
		answered(user, TEXT_TAKEN, REASON_NONE, NULL);
	else
		take(texts, text, source, answered, user);
}
