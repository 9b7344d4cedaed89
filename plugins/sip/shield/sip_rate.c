/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_rate.c - a table of buckets: who asks faster than he may. */
#include "plugins/sip/shield/sip_rate.h"
#include <string.h>

typedef struct {
	RateKey key;
	gint64 paid;
	gint64 last_over; /* 0: never */
	guint64 dropped;
	GList link; /* in `seen` */
	char what[48];
} Bucket;

gboolean
rate_pays(gint64 *paid, const Rate *rate, gint64 now)
{
	gint64 price = G_USEC_PER_SEC / MAX(rate->a_second, 1);

	*paid = MAX(*paid, now - rate->at_once * price);
	if (*paid + price > now)
		return FALSE;
	*paid += price;
	return TRUE;
}

struct RateTable {
	guint places;
	GHashTable *known; /* RateKey * → Bucket *, both within a Bucket that it owns */
	GQueue seen;	   /* the one seen last at the tail */
	guint64 dropped;
};

static guint
key_hash(gconstpointer key)
{
	static guint64 seed; /* so that nobody chooses keys that collide */
	guint64 mixed, word;

	if (!seed)
		seed = ((guint64)g_random_int() << 32 | g_random_int()) | 1;
	mixed = seed;
	for (gsize i = 0; i < sizeof(RateKey); i += sizeof word) {
		memcpy(&word, ((const RateKey *)key)->bytes + i, sizeof word);
		mixed = (mixed ^ word) * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);
		mixed ^= mixed >> 32;
	}
	return (guint)(mixed * seed >> 32);
}

static gboolean
key_equal(gconstpointer one, gconstpointer other)
{
	return memcmp(one, other, sizeof(RateKey)) == 0;
}

RateTable *
rate_table_new(guint places)
{
	RateTable *self = g_new0(RateTable, 1);

	self->places = MAX(places, 1);
	self->known = g_hash_table_new_full(key_hash, key_equal, NULL, g_free);
	return self;
}

void
rate_table_free(RateTable *self)
{
	if (!self)
		return;
	g_hash_table_unref(self->known);
	g_free(self);
}

static void
forget(RateTable *self, Bucket *bucket)
{
	g_queue_unlink(&self->seen, &bucket->link);
	g_hash_table_remove(self->known, &bucket->key);
}

static Bucket *
bucket_of(RateTable *self, const RateKey *key)
{
	Bucket *bucket = g_hash_table_lookup(self->known, key);

	if (bucket) {
		g_queue_unlink(&self->seen, &bucket->link);
	} else {
		if (g_hash_table_size(self->known) >= self->places)
			forget(self, self->seen.head->data);
		bucket = g_new0(Bucket, 1);
		bucket->key = *key;
		bucket->link.data = bucket;
		g_hash_table_insert(self->known, &bucket->key, bucket);
	}
	g_queue_push_tail_link(&self->seen, &bucket->link);
	return bucket;
}

static gboolean
is_told(const Bucket *bucket, gint64 now)
{
	return bucket->last_over && now - bucket->last_over <= RATE_TOLD_S * (gint64)G_USEC_PER_SEC;
}

RateVerdict
rate_take(RateTable *self, const RateKey *key, const Rate *rate, const char *what, gint64 now)
{
	Bucket *bucket = bucket_of(self, key);
	gboolean told = is_told(bucket, now);

	if (rate_pays(&bucket->paid, rate, now))
		return RATE_FITS;
	bucket->dropped = told ? bucket->dropped + 1 : 1;
	bucket->last_over = now;
	g_strlcpy(bucket->what, what ? what : "", sizeof bucket->what);
	self->dropped++;
	return told ? RATE_OVER : RATE_NEWLY_OVER;
}

GArray *
rate_list(const RateTable *self, gint64 now)
{
	GArray *records = g_array_new(FALSE, FALSE, sizeof(RateRecord));

	for (GList *link = self->seen.head; link; link = link->next) {
		const Bucket *bucket = link->data;
		RateRecord record = { bucket->key, bucket->dropped,
				      bucket->last_over + RATE_TOLD_S * (gint64)G_USEC_PER_SEC,
				      bucket->what };

		if (is_told(bucket, now))
			g_array_append_val(records, record);
	}
	return records;
}

guint64
rate_n_dropped(const RateTable *self)
{
	return self->dropped;
}

void
rate_forget(RateTable *self, const RateKey *key)
{
	Bucket *bucket = g_hash_table_lookup(self->known, key);

	if (bucket)
		forget(self, bucket);
}

void
rate_forget_all(RateTable *self)
{
	g_hash_table_remove_all(self->known);
	g_queue_init(&self->seen);
}
