/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* text_outcome.c - a delivery goes to its plugin, and what becomes of it and of its text.
 *
 *	QUEUED → SENT → DELIVERED
 *	   ^  \    \
 *	   |   \    → FAILED, or QUEUED again when it comes back and may be tried
 *	 again  → DELIVERED, FAILED
 *
 * A text that goes by several ways is as far as the best of them; of a way by which it goes in
 * parts, as far as the worst part.  Its author is told once that it has arrived, if he has asked,
 * and once that it never will.
 * Thread: signalling.
 */
#include <string.h>
#include "b2bua/route/route_redirect.h"
#include "b2bua/route/route_text.h"
#include "b2bua/text/text_address.h"
#include "b2bua/text/text_private.h"

#define EXPIRED_WORDS "it could not be delivered for a day"

/* What waits until it is written: deliveries to an author, or the mark of one. */
typedef struct {
	Texts *texts;
	GPtrArray *deliveries; /* TextDelivery *, or NULL */
	gint64 marked;
} Further;

void
text_further_free(gpointer data)
{
	Further *further = data;

	if (further->deliveries)
		g_ptr_array_unref(further->deliveries);
	g_free(further);
}

static const struct {
	WayKind kind;
	const char *name;
} WAYS[] = { { WAY_ACCOUNT, "account" }, { WAY_CONTACT, "contact" }, { WAY_TRUNK, "trunk" } };

static const char *const KINDS[] = { [TEXT_MESSAGE] = "message",
				     [TEXT_COPY] = "copy",
				     [TEXT_RECEIPT] = "receipt",
				     [TEXT_ERROR] = "error" };

const char *
text_way_name(WayKind kind)
{
	for (guint i = 0; i < G_N_ELEMENTS(WAYS); i++)
		if (WAYS[i].kind == kind)
			return WAYS[i].name;
	return NULL;
}

static WayKind
way_kind(const char *name)
{
	for (guint i = 0; i < G_N_ELEMENTS(WAYS); i++)
		if (strcmp(WAYS[i].name, name) == 0)
			return WAYS[i].kind;
	return 0;
}

static TextKind
text_kind(const char *name)
{
	for (guint i = 0; i < G_N_ELEMENTS(KINDS); i++)
		if (strcmp(KINDS[i], name) == 0)
			return (TextKind)i;
	return TEXT_MESSAGE;
}

static gboolean
is(const TextDelivery *delivery, const char *state)
{
	return strcmp(delivery->state, state) == 0;
}

static gboolean
is_message(const TextDelivery *delivery)
{
	return strcmp(delivery->kind, KINDS[TEXT_MESSAGE]) == 0;
}

static TextDelivery *
delivery_in(const TextRecord *record, gint64 id)
{
	for (guint i = 0; record && i < record->deliveries->len; i++)
		if (((const TextDelivery *)record->deliveries->pdata[i])->id == id)
			return record->deliveries->pdata[i];
	return NULL;
}

/* --- the state of a text --- */

/* From the worst to the best. */
static const char *const STATES[] = { TEXT_FAILED, TEXT_QUEUED, TEXT_SENT, TEXT_DELIVERED };

static guint
rank(const char *state)
{
	for (guint i = 0; i < G_N_ELEMENTS(STATES); i++)
		if (strcmp(STATES[i], state) == 0)
			return i;
	return 0;
}

static gboolean
same_way(const TextDelivery *one, const TextDelivery *other)
{
	return is_message(one) && is_message(other) && strcmp(one->way, other->way) == 0 &&
	       strcmp(one->way_key, other->way_key) == 0;
}

static guint
rank_of_way(const TextRecord *record, const TextDelivery *of)
{
	guint worst = G_N_ELEMENTS(STATES) - 1;

	for (guint i = 0; i < record->deliveries->len; i++) {
		const TextDelivery *delivery = record->deliveries->pdata[i];

		if (same_way(of, delivery))
			worst = MIN(worst, rank(delivery->state));
	}
	return worst;
}

static const char *
whole_state(const TextRecord *record)
{
	guint best = 0;

	for (guint i = 0; i < record->deliveries->len; i++) {
		const TextDelivery *delivery = record->deliveries->pdata[i];

		if (is_message(delivery))
			best = MAX(best, rank_of_way(record, delivery));
	}
	return STATES[best];
}

static void
set_state(TextRecord *record)
{
	const TextDelivery *why = NULL;

	g_free(record->state);
	g_free(record->reason);
	g_free(record->words);
	record->state = g_strdup(whole_state(record));
	for (guint i = 0; i < record->deliveries->len && !why; i++) {
		const TextDelivery *delivery = record->deliveries->pdata[i];

		if (is_message(delivery) && is(delivery, TEXT_FAILED))
			why = delivery;
	}
	why = strcmp(record->state, TEXT_FAILED) == 0 ? why : NULL;
	record->reason = g_strdup(why ? why->reason : NULL);
	record->words = g_strdup(why ? why->words : NULL);
}

/* --- what its author is told --- */

static TextDelivery *
to_author(Gateway *gateway, const TextRecord *record, TextKind kind)
{
	TextDelivery *delivery = g_new0(TextDelivery, 1);
	gboolean phone = route_device_is_softphone(record->device);
	g_autoptr(Address) author = NULL;

	author = phone ? address_new(ADDRESS_SIP, record->device,
				     gateway_config(gateway)->sip_domain, NULL)
		       : address_from_jid(record->device ? record->device : record->author);
	if (!author)
		author = address_from_jid(record->author);
	delivery->kind = g_strdup(KINDS[kind]);
	delivery->way = g_strdup(text_way_name(phone ? WAY_CONTACT : WAY_ACCOUNT));
	delivery->way_key = g_strdup(phone ? record->device : "");
	delivery->account = g_strdup(record->author);
	delivery->peer = g_strdup(record->recipient);
	delivery->device = g_strdup(record->device);
	delivery->sender = g_strdup(record->peer);
	delivery->recipient = text_address_save(author);
	delivery->about = g_strdup(record->origin);
	delivery->made = delivery->changed = g_get_real_time() / G_USEC_PER_SEC;
	delivery->state = g_strdup(TEXT_QUEUED);
	if (kind == TEXT_ERROR)
		delivery->body = g_strdup_printf("not delivered: %s",
						 record->words ? record->words
							       : "the network gave no reason");
	return delivery;
}

static void
on_further_written(gpointer user)
{
	Further *further = user;
	Texts *texts = further->texts;

	g_hash_table_steal(texts->further, further);
	for (guint i = 0; further->deliveries && i < further->deliveries->len; i++)
		outbox_add(texts->outbox, further->deliveries->pdata[i]);
	if (further->marked)
		outbox_given(texts->outbox, further->marked);
	text_further_free(further);
}

static Further *
further_new(Texts *texts)
{
	Further *further = g_new0(Further, 1);

	further->texts = texts;
	g_hash_table_add(texts->further, further);
	return further;
}

/* NULL: nothing. */
static Further *
news(Texts *texts, const TextRecord *record, const char *before)
{
	gboolean failed = strcmp(record->state, TEXT_FAILED) == 0;
	gboolean arrived = strcmp(record->state, TEXT_DELIVERED) == 0 && record->receipt;
	TextDelivery *delivery;
	Further *further;

	if (!record->author || strcmp(before, record->state) == 0 || !(failed || arrived))
		return NULL;
	delivery = to_author(texts->gateway, record, failed ? TEXT_ERROR : TEXT_RECEIPT);
	delivery->given = outbox_reserve(texts->outbox, delivery);
	further = further_new(texts);
	further->deliveries = g_ptr_array_new_with_free_func((GDestroyNotify)text_delivery_free);
	g_ptr_array_add(further->deliveries, delivery);
	return further;
}

/* --- an outcome --- */

typedef struct {
	const char *state;
	Reason reason;
	const char *words; /* for a person, or NULL */
} Outcome;

static void
change(TextDelivery *delivery, const Outcome *outcome)
{
	gboolean failed = strcmp(outcome->state, TEXT_FAILED) == 0;

	g_free(delivery->state);
	g_free(delivery->reason);
	g_free(delivery->words);
	delivery->state = g_strdup(outcome->state);
	delivery->reason = failed ? g_strdup(reason_name(outcome->reason)) : NULL;
	delivery->words = failed && outcome->words ? g_utf8_make_valid(outcome->words, -1) : NULL;
	delivery->changed = g_get_real_time() / G_USEC_PER_SEC;
}

/* The parts after one that failed are of no use. */
static void
change_all(TextRecord *record, TextDelivery *delivery, const Outcome *outcome, GPtrArray *changed)
{
	change(delivery, outcome);
	g_ptr_array_add(changed, delivery);
	if (strcmp(outcome->state, TEXT_FAILED) != 0)
		return;
	for (guint i = 0; i < record->deliveries->len; i++) {
		TextDelivery *other = record->deliveries->pdata[i];

		if (other == delivery || !same_way(delivery, other) || !is(other, TEXT_QUEUED))
			continue;
		change(other, outcome);
		g_ptr_array_add(changed, other);
	}
}

/* `delivery` is one of the record; what waits in the outbox is taken out of it. */
static void
settle(Texts *texts, TextRecord *record, TextDelivery *delivery, const Outcome *outcome)
{
	const char *before = whole_state(record);
	g_autoptr(GPtrArray) changed = g_ptr_array_new();
	TextOutcome written = { .record = record, .changed = changed };
	Further *further;

	change_all(record, delivery, outcome, changed);
	set_state(record);
	further = news(texts, record, before);
	written.further = further ? further->deliveries : NULL;
	if (strcmp(before, record->state) != 0 && strcmp(record->state, TEXT_QUEUED) != 0)
		texts_count(texts, record->direction, record->state);
	store_text_settle(gateway_store(texts->gateway), &written,
			  further ? on_further_written : NULL, further);
	for (guint i = changed->len; i-- > 0;) { /* the first last: the next would go */
		const TextDelivery *one = changed->pdata[i];

		if (!is(one, TEXT_QUEUED))
			outbox_done(texts->outbox, one->id);
	}
}

static void
fail(Texts *texts, TextRecord *record, TextDelivery *delivery, Reason reason, const char *words)
{
	settle(texts, record, delivery, &(Outcome){ TEXT_FAILED, reason, words });
}

/* --- going --- */

/* Why there is no such way any more, or NULL; `off`: there is, and it is switched off. */
static const char *
trunk_is_gone(const Trunk *trunk, gboolean *off)
{
	if (!trunk)
		return "the trunk was deleted";
	if (!trunk_takes_texts(trunk))
		return "the trunk carries no texts any more";
	*off = !trunk->enabled;
	return NULL;
}

static const char *
way_is_gone(Gateway *gateway, const TextDelivery *delivery, gboolean *off)
{
	Store *store = gateway_store(gateway);
	g_autoptr(User) user = store_user_get(store, delivery->account, NULL);
	g_autoptr(Softphone) phone = NULL;
	g_autoptr(Trunk) trunk = NULL;

	if (!user)
		return "the account was deleted";
	if (!user->enabled)
		return "the account is switched off";
	switch (way_kind(delivery->way)) {
	case WAY_CONTACT:
		phone = store_softphone_get(store, delivery->way_key, NULL);
		return phone && strcmp(phone->user, delivery->account) == 0
			       ? NULL
			       : "the softphone was deleted";
	case WAY_TRUNK:
		trunk = store_trunk_get(store, delivery->way_key, NULL);
		return trunk_is_gone(trunk, off);
	default:
		return NULL;
	}
}

/* FALSE: its addresses cannot be read. */
static gboolean
hand_over(const Plugin *plugin, const TextRecord *record, const TextDelivery *delivery,
	  gboolean repeated)
{
	g_autoptr(Address) from = text_address_load(delivery->sender);
	g_autoptr(Address) to = text_address_load(delivery->recipient);
	TextKind kind = text_kind(delivery->kind);
	const char *body = delivery->body ? delivery->body : record->body;
	Text text = { .id = delivery->id,
		      .kind = kind,
		      .way = { .kind = way_kind(delivery->way) },
		      .account = delivery->account,
		      .device = delivery->device,
		      .from = from,
		      .to = to,
		      .body = kind == TEXT_RECEIPT ? NULL : body,
		      .language = kind == TEXT_ERROR ? NULL : record->language,
		      .about = delivery->about,
		      .written = delivery->about ? delivery->made : record->written,
		      .repeated = repeated,
		      .receipt = kind == TEXT_MESSAGE && record->receipt };

	if (!from || !to)
		return FALSE;
	if (text.way.kind == WAY_TRUNK)
		text.way.trunk = delivery->way_key;
	plugin->text->send(&text);
	return TRUE;
}

static void
on_send(gpointer user, gint64 id, gboolean repeated)
{
	Texts *texts = user;
	Gateway *gateway = texts->gateway;
	guint failures = store_failures(gateway_store(gateway));
	g_autoptr(TextRecord) record = store_text_of_delivery(gateway_store(gateway), id);
	TextDelivery *delivery = delivery_in(record, id);
	gboolean off = FALSE;
	const char *gone = delivery ? way_is_gone(gateway, delivery, &off) : NULL;
	const Plugin *plugin = delivery ? gateway_carrying(gateway, way_kind(delivery->way)) : NULL;

	if (store_failures(gateway_store(gateway)) != failures)
		outbox_again(texts->outbox, id);
	else if (!delivery || !is(delivery, TEXT_QUEUED))
		outbox_done(texts->outbox, id);
	else if (gone)
		fail(texts, record, delivery, REASON_GONE, gone);
	else if (off || !plugin)
		outbox_again(texts->outbox, id);
	else if (!hand_over(plugin, record, delivery, repeated))
		fail(texts, record, delivery, REASON_PROTOCOL_ERROR, "its address cannot be read");
}

static void
on_expired(gpointer user, gint64 id)
{
	Texts *texts = user;
	Store *store = gateway_store(texts->gateway);
	guint failures = store_failures(store);
	g_autoptr(TextRecord) record = store_text_of_delivery(store, id);
	TextDelivery *delivery = delivery_in(record, id);

	if (store_failures(store) != failures)
		outbox_again(texts->outbox, id);
	else if (delivery && is(delivery, TEXT_QUEUED))
		fail(texts, record, delivery, REASON_TIMEOUT, EXPIRED_WORDS);
	else
		outbox_done(texts->outbox, id);
}

static void
on_give(gpointer user, gint64 id)
{
	Texts *texts = user;
	Further *further = further_new(texts);

	further->marked = id;
	store_text_give(gateway_store(texts->gateway), id, on_further_written, further);
}

/* --- nobody is to get it any more --- */

static void
abandon(Texts *texts, gint64 id)
{
	g_autoptr(TextRecord) record = store_text_get(gateway_store(texts->gateway), id);

	for (guint i = 0; record && i < record->deliveries->len; i++) {
		TextDelivery *delivery = record->deliveries->pdata[i];

		if (is_message(delivery) && is(delivery, TEXT_QUEUED))
			fail(texts, record, delivery, REASON_GONE, "the account was deleted");
	}
}

gint
texts_abandon(Gateway *gateway, const char *account, gint64 *before, GError **error)
{
	const TextFilter filter = { .user = account, .state = TEXT_QUEUED };
	g_autoptr(GPtrArray) found =
		store_text_search(gateway_store(gateway), &filter, before, error);

	for (guint i = 0; found && i < found->len; i++)
		abandon(texts_of(gateway), ((const TextRecord *)found->pdata[i])->id);
	return found ? (gint)found->len : -1;
}

const OutboxVerbs text_outbox_verbs = { .give = on_give, .send = on_send, .expired = on_expired };

/* --- text.h --- */

static void
arrived(Gateway *gateway, gint64 id, const char *state)
{
	Texts *texts = texts_of(gateway);
	g_autoptr(TextRecord) record = NULL;
	TextDelivery *delivery;

	if (texts->closed)
		return;
	record = store_text_of_delivery(gateway_store(gateway), id);
	delivery = delivery_in(record, id);
	if (!delivery || is(delivery, TEXT_FAILED) || rank(state) <= rank(delivery->state))
		return;
	settle(texts, record, delivery, &(Outcome){ state, REASON_NONE, NULL });
}

void
text_sent(Gateway *gateway, gint64 id)
{
	arrived(gateway, id, TEXT_SENT);
}

void
text_delivered(Gateway *gateway, gint64 id)
{
	arrived(gateway, id, TEXT_DELIVERED);
}

gboolean
text_redirected(Gateway *gateway, const char *account, const char *trunk, const char *number,
		Reason *reason, char **words)
{
	g_auto(Redirect) redirect = { 0 };

	route_redirect_text(gateway, account, trunk, number, &redirect);
	*reason = redirect.reason;
	*words = redirect.reason == REASON_NONE ? NULL : redirect_words(&redirect, "the text");
	return redirect.reason == REASON_NONE;
}

/* It was sent, and has come back. */
static void
restore(Texts *texts, TextRecord *record, TextDelivery *delivery)
{
	settle(texts, record, delivery, &(Outcome){ TEXT_QUEUED, REASON_NONE, NULL });
	delivery->given = TRUE;
	outbox_returned(texts->outbox, delivery);
}

void
text_failed(Gateway *gateway, gint64 id, gboolean again, Reason reason, const char *words)
{
	Texts *texts = texts_of(gateway);
	g_autoptr(TextRecord) record = NULL;
	TextDelivery *delivery;

	if (texts->closed || (again && outbox_again(texts->outbox, id)))
		return;
	record = store_text_of_delivery(gateway_store(gateway), id);
	delivery = delivery_in(record, id);
	if (!delivery || is(delivery, TEXT_FAILED) || is(delivery, TEXT_DELIVERED))
		return;
	if (again)
		restore(texts, record, delivery);
	else
		fail(texts, record, delivery, reason, words);
}

void
text_way_is_up(Gateway *gateway, WayKind kind, const char *key)
{
	Texts *texts = texts_of(gateway);
	const char *way = text_way_name(kind);

	if (!texts->closed && way)
		outbox_up(texts->outbox, way, key ? key : "");
}
