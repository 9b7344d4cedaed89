/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_throttle.c - a table of addresses that fail: counted, slowed, ignored, forgotten. */
#include "plugins/sip/shield/sip_throttle.h"
#include "plugins/sip/shield/sip_rate.h"

/* A slowed address: one request in so long.  A phone repeats one for 32 s. */
#define FIRST_PAUSE_US (G_USEC_PER_SEC / 2)
#define MAX_DOUBLINGS  4 /* 8 s */

typedef struct {
	ThrottleKey key;
	guint failures; /* since `since` */
	guint part;	/* of the next one, in parts of THROTTLE_WHOLE */
	guint blocks;	/* so far, for the doubling */
	gint64 since;
	gint64 next;  /* slowed: when the next request is looked at */
	gint64 until; /* ignored; 0: not */
	gint64 last_block_end;
	GList link; /* in `seen`, `ignored` or `unused` */
	char what[48];
} Entry;

struct Throttle {
	ThrottleLimits limits;
	Entry *entries;
	GHashTable *known; /* ThrottleKey * → Entry *, both within entries */
	GQueue seen;	   /* the one seen last at the tail */
	GQueue ignored;	   /* the one blocked last at the tail */
	GQueue unused;
	guint64 dropped;
	gint64 strangers_us; /* a bucket: rate_pays() */
};

guint
throttle_key_hash(gconstpointer key)
{
	const ThrottleKey *self = key;
	static guint64 seed; /* so that nobody chooses addresses that collide */
	guint64 mixed;

	if (!seed)
		seed = ((guint64)g_random_int() << 32 | g_random_int()) | 1;
	mixed = (self->prefix ^ seed) * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);
	mixed = (mixed ^ mixed >> 32) * (seed | 1);
	return (guint)(mixed >> 32) ^ (guint)self->v6;
}

gboolean
throttle_key_equal(gconstpointer one, gconstpointer other)
{
	const ThrottleKey *a = one, *b = other;

	return a->prefix == b->prefix && !a->v6 == !b->v6;
}

Throttle *
throttle_new(const ThrottleLimits *limits)
{
	Throttle *self = g_new0(Throttle, 1);

	self->limits = *limits;
	self->limits.places = MAX(limits->places, 1);
	self->entries = g_new0(Entry, self->limits.places);
	self->known = g_hash_table_new(throttle_key_hash, throttle_key_equal);
	for (guint i = 0; i < self->limits.places; i++) {
		self->entries[i].link.data = &self->entries[i];
		g_queue_push_tail_link(&self->unused, &self->entries[i].link);
	}
	return self;
}

void
throttle_free(Throttle *self)
{
	if (!self)
		return;
	g_hash_table_unref(self->known);
	g_free(self->entries);
	g_free(self);
}

/* --- one entry --- */

static GQueue *
queue_of(Throttle *self, const Entry *entry)
{
	return entry->until ? &self->ignored : &self->seen;
}

static void
release(Throttle *self, Entry *entry)
{
	g_hash_table_remove(self->known, &entry->key);
	g_queue_unlink(queue_of(self, entry), &entry->link);
	*entry = (Entry){ .link.data = entry };
	g_queue_push_tail_link(&self->unused, &entry->link);
}

/* What time alone has changed. */
static void
age(Throttle *self, Entry *entry, gint64 now)
{
	if (entry->until && now >= entry->until) {
		g_queue_unlink(&self->ignored, &entry->link);
		entry->last_block_end = entry->until;
		entry->until = 0;
		entry->failures = entry->part = 0;
		g_queue_push_tail_link(&self->seen, &entry->link);
	}
	if (entry->until)
		return;
	if (now - entry->since > (gint64)self->limits.window_s * G_USEC_PER_SEC)
		entry->failures = entry->part = 0;
	if (now - entry->last_block_end > (gint64)self->limits.max_block_s * G_USEC_PER_SEC)
		entry->blocks = 0;
}

static Entry *
find(Throttle *self, const ThrottleKey *key, gint64 now)
{
	Entry *entry = g_hash_table_lookup(self->known, key);

	if (entry)
		age(self, entry, now);
	return entry;
}

static Entry *
take_place(Throttle *self, const ThrottleKey *key)
{
	Entry *entry;

	if (!self->unused.head) /* with nothing but blocks the oldest gives way */
		release(self, self->seen.head ? self->seen.head->data : self->ignored.head->data);
	entry = self->unused.head->data;
	g_queue_unlink(&self->unused, &entry->link);
	entry->key = *key;
	g_queue_push_tail_link(&self->seen, &entry->link);
	g_hash_table_insert(self->known, &entry->key, entry);
	return entry;
}

/* So many failures slow an address. */
static guint
slow_from(const Throttle *self)
{
	return MAX(self->limits.failures / 2, 1);
}

static gboolean
is_slowed(const Throttle *self, const Entry *entry)
{
	return entry->failures >= slow_from(self);
}

static gint64
pause_of(const Throttle *self, const Entry *entry)
{
	guint beyond = entry->failures - slow_from(self);

	return (gint64)FIRST_PAUSE_US << MIN(beyond, MAX_DOUBLINGS);
}

static void
block(Throttle *self, Entry *entry, gint64 now)
{
	gint64 seconds = (gint64)self->limits.block_s << MIN(entry->blocks, 30);

	entry->blocks++;
	g_queue_unlink(&self->seen, &entry->link);
	entry->until = now + MIN(seconds, (gint64)self->limits.max_block_s) * G_USEC_PER_SEC;
	g_queue_push_tail_link(&self->ignored, &entry->link);
}

static void
touch(Throttle *self, Entry *entry)
{
	g_queue_unlink(&self->seen, &entry->link);
	g_queue_push_tail_link(&self->seen, &entry->link);
}

/* --- the table --- */

gboolean
throttle_is_free(const Throttle *self, const ThrottleKey *key)
{
	const Entry *entry = g_hash_table_lookup(self->known, key);

	return !entry || (!entry->until && !is_slowed(self, entry));
}

gboolean
throttle_admits(Throttle *self, const ThrottleKey *key, gboolean is_ack, gint64 now)
{
	Entry *entry = find(self, key, now);

	if (!entry)
		return TRUE;
	if (entry->until) {
		self->dropped++;
		return FALSE;
	}
	touch(self, entry);
	if (is_ack || !is_slowed(self, entry))
		return TRUE;
	if (now < entry->next) {
		self->dropped++;
		return FALSE;
	}
	entry->next = now + pause_of(self, entry);
	return TRUE;
}

/* TRUE: a whole one more. */
static gboolean
add_failure(Entry *entry, guint weight, gint64 now)
{
	if (entry->failures == 0 && entry->part == 0)
		entry->since = now;
	entry->part += weight;
	if (entry->part < THROTTLE_WHOLE)
		return FALSE;
	entry->part -= THROTTLE_WHOLE;
	if (entry->failures < G_MAXUINT)
		entry->failures++;
	return TRUE;
}

gboolean
throttle_failed(Throttle *self, const ThrottleKey *key, const ThrottleFailure *failure, gint64 now)
{
	Entry *entry = find(self, key, now);

	if (!entry)
		entry = take_place(self, key);
	g_strlcpy(entry->what, failure->what ? failure->what : "", sizeof entry->what);
	if (entry->until) /* it was under way when the block began */
		return FALSE;
	touch(self, entry);
	if (!add_failure(entry, failure->weight, now))
		return FALSE;
	if (entry->failures >= self->limits.failures && !failure->spared) {
		block(self, entry, now);
		return TRUE;
	}
	if (is_slowed(self, entry))
		entry->next = now + pause_of(self, entry);
	return FALSE;
}

gboolean
throttle_forget(Throttle *self, const ThrottleKey *key)
{
	Entry *entry = g_hash_table_lookup(self->known, key);

	if (!entry)
		return FALSE;
	release(self, entry);
	return TRUE;
}

static void
age_ignored(Throttle *self, gint64 now)
{
	for (GList *next, *link = self->ignored.head; link; link = next) {
		next = link->next; /* it may move to those seen */
		age(self, link->data, now);
	}
}

static void
append_records(Throttle *self, GQueue *queue, gint64 now, GArray *records)
{
	for (GList *link = queue->head; link; link = link->next) {
		Entry *entry = link->data;
		ThrottleRecord record = { .key = entry->key, .what = entry->what };

		age(self, entry, now);
		record.failures = entry->failures;
		record.state = entry->until		? THROTTLE_IGNORED
			       : is_slowed(self, entry) ? THROTTLE_SLOWED
							: THROTTLE_COUNTED;
		record.until =
			entry->until ? entry->until
			: record.state == THROTTLE_SLOWED
				? MAX(entry->next, now)
				: entry->since + (gint64)self->limits.window_s * G_USEC_PER_SEC;
		if (entry->failures)
			g_array_append_val(records, record);
	}
}

GArray *
throttle_list(Throttle *self, gint64 now)
{
	GArray *records = g_array_new(FALSE, FALSE, sizeof(ThrottleRecord));

	age_ignored(self, now); /* now none of them moves while it is listed */
	append_records(self, &self->ignored, now, records);
	append_records(self, &self->seen, now, records);
	return records;
}

guint
throttle_n_ignored(Throttle *self, gint64 now)
{
	age_ignored(self, now);
	return self->ignored.length;
}

/* A bucket of four seconds: what has not been used is there at once. */
gboolean
throttle_admits_stranger(Throttle *self, gint64 now)
{
	guint a_second = MAX(self->limits.strangers_a_second, 1);

	if (rate_pays(&self->strangers_us, &(Rate){ a_second, 4 * a_second }, now))
		return TRUE;
	self->dropped++;
	return FALSE;
}

guint64
throttle_n_dropped(const Throttle *self)
{
	return self->dropped;
}
