/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* outbox.c - see outbox.h. */
#include "b2bua/text/outbox.h"
#include <string.h>
#include "b2bua/timer.h"

#define DAY_SECONDS   86400
#define FIRST_WAIT_MS 2000
#define LONGEST_MS    300000
#define SILENT_MS     600000 /* a plugin that never says what has become of it */
#define MOST_FLYING   1000
#define BURST	      20 /* are begun before other events have their turn */

typedef struct Lane Lane;
typedef struct Conversation Conversation;

typedef enum {
	IDLE,	 /* nothing in it but what is being written */
	READY,	 /* in its lane's list of those */
	GIVING,	 /* the mark is being written */
	FLYING,	 /* a plugin has it */
	WAITING, /* until its timer, or until the way is up */
} State;

typedef struct {
	gint64 id;
	Conversation *conversation;
	gint64 until; /* s since 1970 */
	gboolean marked, repeated;
} Item;

struct Lane {
	char *key;
	GQueue ready, waiting; /* Conversation *, by their links */
	guint most, flying, conversations;
	GList link; /* in Outbox.lanes, when it has something ready and room */
	gboolean listed;
};

struct Conversation {
	char *key;
	Outbox *outbox;
	Lane *lane;
	GQueue items; /* Item *, the next first */
	guint reserved;
	State state;
	guint tries;
	gboolean returned; /* one came back while another was out: a wait comes before the next */
	Timer *timer;
	GList link; /* in one of the lane's */
};

struct Outbox {
	const OutboxVerbs *verbs;
	gpointer user;
	GHashTable *items;	   /* gint64 * of Item.id → Item *, owned */
	GHashTable *conversations; /* key → Conversation * */
	GHashTable *lane_of;	   /* key → Lane * */
	GQueue lanes;		   /* Lane *, in turn */
	guint flying;
	gboolean pumping;
	Timer *next;
};

static void pump(gpointer outbox);
static void go_on(Conversation *conversation);

/* --- lanes --- */

static guint
most_of(const char *way)
{
	return strcmp(way, "trunk") == 0 ? 50 : strcmp(way, "contact") == 0 ? 4 : 200;
}

static Lane *
lane_for(Outbox *outbox, const char *way, const char *way_key)
{
	g_autofree char *key = g_strconcat(way, "\t", way_key, NULL);
	Lane *lane = g_hash_table_lookup(outbox->lane_of, key);

	if (lane)
		return lane;
	lane = g_new0(Lane, 1);
	lane->key = g_steal_pointer(&key);
	lane->most = most_of(way);
	lane->link.data = lane;
	g_hash_table_insert(outbox->lane_of, lane->key, lane);
	return lane;
}

static void
list_lane(Outbox *outbox, Lane *lane)
{
	gboolean wanted = lane->ready.length > 0 && lane->flying < lane->most;

	if (wanted && !lane->listed)
		g_queue_push_tail_link(&outbox->lanes, &lane->link);
	else if (!wanted && lane->listed)
		g_queue_unlink(&outbox->lanes, &lane->link);
	lane->listed = wanted;
}

static void
leave_lane(Outbox *outbox, Lane *lane)
{
	if (--lane->conversations > 0)
		return;
	g_hash_table_remove(outbox->lane_of, lane->key);
	g_free(lane->key);
	g_free(lane);
}

/* --- conversations --- */

static gboolean
is_out(State state)
{
	return state == GIVING || state == FLYING;
}

static void
enter(Conversation *conversation, State state)
{
	Outbox *outbox = conversation->outbox;
	Lane *lane = conversation->lane;

	if (conversation->state == READY)
		g_queue_unlink(&lane->ready, &conversation->link);
	if (conversation->state == WAITING)
		g_queue_unlink(&lane->waiting, &conversation->link);
	if (is_out(conversation->state) && !is_out(state)) {
		lane->flying--;
		outbox->flying--;
	}
	if (!is_out(conversation->state) && is_out(state)) {
		lane->flying++;
		outbox->flying++;
	}
	timer_clear(&conversation->timer);
	conversation->state = state;
	if (state == READY)
		g_queue_push_tail_link(&lane->ready, &conversation->link);
	if (state == WAITING)
		g_queue_push_tail_link(&lane->waiting, &conversation->link);
	list_lane(outbox, lane);
}

static Conversation *
conversation_for(Outbox *outbox, const TextDelivery *delivery)
{
	g_autofree char *key = g_strjoin("\t", delivery->way, delivery->way_key, delivery->account,
					 delivery->peer, NULL);
	Conversation *conversation = g_hash_table_lookup(outbox->conversations, key);

	if (conversation)
		return conversation;
	conversation = g_new0(Conversation, 1);
	conversation->key = g_steal_pointer(&key);
	conversation->outbox = outbox;
	conversation->lane = lane_for(outbox, delivery->way, delivery->way_key);
	conversation->lane->conversations++;
	conversation->link.data = conversation;
	g_hash_table_insert(outbox->conversations, conversation->key, conversation);
	return conversation;
}

static void
conversation_free(Conversation *conversation)
{
	Outbox *outbox = conversation->outbox;

	enter(conversation, IDLE);
	g_hash_table_remove(outbox->conversations, conversation->key);
	g_queue_clear(&conversation->items);
	leave_lane(outbox, conversation->lane);
	g_free(conversation->key);
	g_free(conversation);
}

/* --- waiting --- */

static void
on_timer(gpointer user)
{
	go_on(user);
}

static void
wait_for_way(Conversation *conversation)
{
	guint ms = (guint)MIN((gint64)FIRST_WAIT_MS << MIN(conversation->tries, 10), LONGEST_MS);

	enter(conversation, WAITING);
	conversation->returned = FALSE;
	conversation->tries++;
	timer_set(&conversation->timer, ms * 3 / 4 + (guint)g_random_int_range(0, (gint32)ms / 2),
		  on_timer, conversation);
	pump(conversation->outbox);
}

/* It may come back for a day, and its tries were forgotten when it was sent: its age stands for
 * them. */
static void
wait_for_return(Conversation *conversation)
{
	const Item *item = g_queue_peek_head(&conversation->items);
	gint64 age = g_get_real_time() / G_USEC_PER_SEC - (item->until - DAY_SECONDS);
	guint tries = g_bit_storage((gulong)CLAMP(age, 0, DAY_SECONDS)) - 1;

	conversation->tries = MAX(conversation->tries, tries);
	wait_for_way(conversation);
}

/* --- going --- */

/* Nothing is on its way; the conversation may be gone afterwards. */
static void
go_on(Conversation *conversation)
{
	Outbox *outbox = conversation->outbox;

	if (conversation->items.length > 0 && conversation->returned)
		wait_for_return(conversation);
	else if (conversation->items.length > 0)
		enter(conversation, READY);
	else if (conversation->reserved > 0)
		enter(conversation, IDLE);
	else
		conversation_free(conversation);
	pump(outbox);
}

static void
on_silent(gpointer user)
{
	wait_for_way(user);
}

/* The conversation may be gone afterwards. */
static void
send_first(Conversation *conversation)
{
	Outbox *outbox = conversation->outbox;
	Item *item = g_queue_peek_head(&conversation->items);
	gboolean repeated = item->repeated;

	item->repeated = TRUE;
	enter(conversation, FLYING);
	timer_set(&conversation->timer, SILENT_MS, on_silent, conversation);
	outbox->verbs->send(outbox->user, item->id, repeated);
}

static void
begin(Conversation *conversation)
{
	Outbox *outbox = conversation->outbox;
	Item *item = g_queue_peek_head(&conversation->items);
	gboolean over = item->until <= g_get_real_time() / G_USEC_PER_SEC;

	enter(conversation, over ? FLYING : GIVING);
	if (over)
		outbox->verbs->expired(outbox->user, item->id);
	else if (!item->marked)
		outbox->verbs->give(outbox->user, item->id);
	else
		send_first(conversation);
}

static void
pump(gpointer user)
{
	Outbox *outbox = user;
	guint begun = 0;

	if (outbox->pumping)
		return;
	outbox->pumping = TRUE;
	for (; begun < BURST && outbox->flying < MOST_FLYING && outbox->lanes.length > 0; begun++) {
		Lane *lane = g_queue_peek_head(&outbox->lanes);
		Conversation *first = g_queue_peek_head(&lane->ready);

		g_queue_unlink(&outbox->lanes, &lane->link); /* its turn comes after the others' */
		lane->listed = FALSE;
		begin(first);
	}
	outbox->pumping = FALSE;
	if (begun == BURST && !outbox->next)
		timer_set(&outbox->next, 1, pump, outbox);
}

/* --- what happens --- */

static Item *
find(Outbox *outbox, gint64 id)
{
	return g_hash_table_lookup(outbox->items, &id);
}

static gboolean
is_first(const Item *item)
{
	return g_queue_peek_head(&item->conversation->items) == item;
}

gboolean
outbox_reserve(Outbox *outbox, const TextDelivery *delivery)
{
	Conversation *conversation = conversation_for(outbox, delivery);

	return conversation->reserved++ == 0 && conversation->items.length == 0;
}

void
outbox_unreserve(Outbox *outbox, const TextDelivery *delivery)
{
	Conversation *conversation = conversation_for(outbox, delivery);

	conversation->reserved--;
	if (conversation->reserved == 0 && conversation->items.length == 0)
		conversation_free(conversation);
}

static Item *
item_new(Outbox *outbox, Conversation *conversation, const TextDelivery *delivery)
{
	Item *item = g_new0(Item, 1);

	item->id = delivery->id;
	item->conversation = conversation;
	item->until = delivery->made + DAY_SECONDS;
	item->marked = delivery->given;
	g_hash_table_insert(outbox->items, &item->id, item);
	return item;
}

void
outbox_add(Outbox *outbox, const TextDelivery *delivery)
{
	Conversation *conversation = conversation_for(outbox, delivery);

	conversation->reserved--;
	g_queue_push_tail(&conversation->items, item_new(outbox, conversation, delivery));
	if (conversation->state == IDLE)
		go_on(conversation);
}

/* In the order of ids, which is that they were written in; what is on its way stays the first.
 * NULL: it is there already. */
static Conversation *
put_back(Outbox *outbox, const TextDelivery *delivery)
{
	Conversation *conversation;
	GList *before;
	Item *item;

	if (find(outbox, delivery->id))
		return NULL;
	conversation = conversation_for(outbox, delivery);
	item = item_new(outbox, conversation, delivery);
	item->repeated = delivery->given;
	before = conversation->items.tail;
	while (before && ((const Item *)before->data)->id > item->id &&
	       (before->prev || !is_out(conversation->state)))
		before = before->prev;
	g_queue_insert_after(&conversation->items, before, item);
	return conversation;
}

void
outbox_restore(Outbox *outbox, const TextDelivery *delivery)
{
	Conversation *conversation = put_back(outbox, delivery);

	if (conversation && conversation->state == IDLE)
		go_on(conversation);
}

void
outbox_returned(Outbox *outbox, const TextDelivery *delivery)
{
	Conversation *conversation = put_back(outbox, delivery);

	if (!conversation)
		return;
	if (is_out(conversation->state))
		conversation->returned = TRUE;
	else if (conversation->state != WAITING)
		wait_for_return(conversation);
}

void
outbox_given(Outbox *outbox, gint64 id)
{
	Item *item = find(outbox, id);

	if (!item)
		return;
	item->marked = TRUE;
	if (item->conversation->state == GIVING && is_first(item))
		send_first(item->conversation);
}

gboolean
outbox_done(Outbox *outbox, gint64 id)
{
	Item *item = find(outbox, id);
	Conversation *conversation;
	gboolean first;

	if (!item)
		return FALSE;
	conversation = item->conversation;
	first = is_first(item);
	g_queue_remove(&conversation->items, item);
	g_hash_table_remove(outbox->items, &id);
	if (conversation->items.length == 0)
		conversation->returned = FALSE;
	if (first) {
		conversation->tries = 0;
		go_on(conversation);
	}
	return TRUE;
}

gboolean
outbox_again(Outbox *outbox, gint64 id)
{
	Item *item = find(outbox, id);

	if (!item)
		return FALSE;
	if (item->conversation->state == FLYING && is_first(item))
		wait_for_way(item->conversation);
	return TRUE;
}

void
outbox_up(Outbox *outbox, const char *way, const char *key)
{
	g_autofree char *name = g_strconcat(way, "\t", key, NULL);
	Lane *lane = g_hash_table_lookup(outbox->lane_of, name);

	while (lane && lane->waiting.length > 0) {
		Conversation *conversation = g_queue_peek_head(&lane->waiting);

		conversation->tries = 0;
		enter(conversation, READY);
	}
	pump(outbox);
}

guint
outbox_waiting(const Outbox *outbox)
{
	return g_hash_table_size(outbox->items);
}

/* --- life --- */

Outbox *
outbox_new(const OutboxVerbs *verbs, gpointer user)
{
	Outbox *outbox = g_new0(Outbox, 1);

	outbox->verbs = verbs;
	outbox->user = user;
	outbox->items = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
	outbox->conversations = g_hash_table_new(g_str_hash, g_str_equal);
	outbox->lane_of = g_hash_table_new(g_str_hash, g_str_equal);
	return outbox;
}

void
outbox_free(Outbox *outbox)
{
	g_autoptr(GList) all = g_hash_table_get_values(outbox->conversations);

	for (GList *link = all; link; link = link->next)
		conversation_free(link->data);
	timer_clear(&outbox->next);
	g_hash_table_unref(outbox->items);
	g_hash_table_unref(outbox->conversations);
	g_hash_table_unref(outbox->lane_of);
	g_free(outbox);
}
