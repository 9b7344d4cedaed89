/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* spill.c - see spill.h.
 *
 * A slot is 40 bytes of header and 4,056 of payload; numbers are little-endian:
 *
 *    0  magic "tspl", 1: version
 *    8  checksum (FNV-1a, 64 bits) of all that follows up to the payload's end
 *   16  id of the call
 *   24  generation: of parts that belong together, the highest whole one counts
 *   32  part, parts (16 bits each; parts 0: free)
 *   36  bytes of payload
 *
 * A record in one slot is written again in place, since one page is written whole or not
 * at all when the process is killed.  A longer one goes to free slots first.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "db/spill.h"

#define HEADER	     40
#define PAYLOAD	     (SPILL_SLOT - HEADER)
#define MAX_PARTS    16
#define MAX_SLOTS    1000000
#define MAGIC	     "tspl\1"
#define CHECKED_FROM 16

typedef struct {
	gint64 id;
	guint64 generation;
	guint16 part, parts;
	guint32 length;
	const guint8 *payload;
} Slot;

/* Where a record of ours stands. */
typedef struct {
	gint64 id;
	guint64 generation;
	guint n;
	guint32 at[MAX_PARTS];
} Place;

struct Spill {
	int fd;
	guint n_slots;
	GArray *free;	    /* guint32, taken from the end */
	GHashTable *places; /* gint64 * of the place → Place * */
	GPtrArray *records; /* as it was opened */
	gint64 highest;
	guint64 generation;
	guint8 page[SPILL_SLOT];
};

/* --- when --- */

gint64
spill_alive_us(const char *path)
{
	struct stat about;

	if (stat(path, &about) != 0)
		return 0;
	return (gint64)about.st_mtim.tv_sec * G_USEC_PER_SEC + about.st_mtim.tv_nsec / 1000;
}

void
spill_beat(const char *path)
{
	const gint64 now = g_get_real_time();
	const struct timespec times[] = { { .tv_nsec = UTIME_OMIT },
					  { .tv_sec = now / G_USEC_PER_SEC,
					    .tv_nsec = now % G_USEC_PER_SEC * 1000 } };

	if (utimensat(AT_FDCWD, path, times, 0) != 0)
		g_debug("%s: %s", path, g_strerror(errno));
}

/* --- numbers --- */

static void
put_number(guint8 *to, guint64 number, guint bytes)
{
	for (guint i = 0; i < bytes; i++)
		to[i] = (guint8)(number >> (8 * i));
}

static guint64
get_number(const guint8 *from, guint bytes)
{
	guint64 number = 0;

	for (guint i = 0; i < bytes; i++)
		number |= (guint64)from[i] << (8 * i);
	return number;
}

static guint64
checksum(const guint8 *data, gsize length)
{
	guint64 sum = G_GUINT64_CONSTANT(14695981039346656037);

	for (gsize i = 0; i < length; i++)
		sum = (sum ^ data[i]) * G_GUINT64_CONSTANT(1099511628211);
	return sum;
}

/* --- a record as bytes: five numbers, then texts with their length before them; then the price
 * and its currency, if it has one: a file of the version before has none --- */

#define NO_TEXT 0xffffffff

static void
add_number(GByteArray *bytes, guint64 number, guint n)
{
	guint8 data[8];

	put_number(data, number, n);
	g_byte_array_append(bytes, data, n);
}

static void
add_text(GByteArray *bytes, const char *text, gsize most)
{
	gsize length = text ? MIN(strlen(text), most) : 0;

	add_number(bytes, text ? length : NO_TEXT, 4);
	if (length)
		g_byte_array_append(bytes, (const guint8 *)text, (guint)length);
}

/* The ladder comes last: it is what may be cut. */
static void
texts_of(const CallRecord *record, char **texts[13])
{
	CallRecord *of = (CallRecord *)record;

	texts[0] = &of->state;
	texts[1] = &of->caller;
	texts[2] = &of->callee;
	texts[3] = &of->user;
	texts[4] = &of->caller_plugin;
	texts[5] = &of->callee_plugin;
	texts[6] = &of->trunk;
	texts[7] = &of->legs;
	texts[8] = &of->reason;
	texts[9] = &of->text;
	texts[10] = &of->ended_by;
	texts[11] = &of->stats;
	texts[12] = &of->ladder;
}

/* Whole lines of it. */
static gsize
ladder_room(const char *ladder, gsize room)
{
	gsize length = ladder ? strlen(ladder) : 0;

	if (length <= room)
		return length;
	while (room > 0 && ladder[room - 1] != '\n')
		room--;
	return room;
}

static gsize
price_bytes(const CallRecord *record)
{
	return record->price ? 4 + 4 + (record->currency ? strlen(record->currency) : 0) : 0;
}

GByteArray *
spill_encode(const CallRecord *record, gsize room)
{
	GByteArray *bytes = g_byte_array_new();
	char **texts[13];

	texts_of(record, texts);
	add_number(bytes, (guint64)record->id, 8);
	add_number(bytes, (guint64)record->started_us, 8);
	add_number(bytes, (guint64)record->answered_us, 8);
	add_number(bytes, (guint64)record->ended_us, 8);
	add_number(bytes, record->count, 4);
	for (guint i = 0; i < G_N_ELEMENTS(texts) - 1; i++)
		add_text(bytes, *texts[i], G_MAXSIZE);
	room -= MIN(room, bytes->len + 4 + price_bytes(record));
	add_text(bytes, record->ladder, ladder_room(record->ladder, room));
	if (record->price) {
		add_number(bytes, record->price, 4);
		add_text(bytes, record->currency, G_MAXSIZE);
	}
	return bytes;
}

/* FALSE: it is not all there. */
static gboolean
take_number(const guint8 **data, gsize *left, guint n, guint64 *number)
{
	if (*left < n)
		return FALSE;
	*number = get_number(*data, n);
	*data += n;
	*left -= n;
	return TRUE;
}

static gboolean
take_text(const guint8 **data, gsize *left, char **text)
{
	guint64 length;

	if (!take_number(data, left, 4, &length))
		return FALSE;
	if (length == NO_TEXT)
		return TRUE;
	if (length > *left)
		return FALSE;
	*text = g_strndup((const char *)*data, length);
	*data += length;
	*left -= length;
	return TRUE;
}

CallRecord *
spill_decode(const guint8 *data, gsize length)
{
	g_autoptr(CallRecord) record = g_new0(CallRecord, 1);
	guint64 id, started, answered, ended, count, price = 0;
	char **texts[13];

	texts_of(record, texts);
	if (!take_number(&data, &length, 8, &id) || !take_number(&data, &length, 8, &started) ||
	    !take_number(&data, &length, 8, &answered) || !take_number(&data, &length, 8, &ended) ||
	    !take_number(&data, &length, 4, &count))
		return NULL;
	for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
		if (!take_text(&data, &length, texts[i]))
			return NULL;
	if (length > 0 && (!take_number(&data, &length, 4, &price) ||
			   !take_text(&data, &length, &record->currency)))
		return NULL;
	record->price = (guint)price;
	record->id = (gint64)id;
	record->started_us = (gint64)started;
	record->answered_us = (gint64)answered;
	record->ended_us = (gint64)ended;
	record->count = (guint)count;
	if (length > 0 || record->id <= 0 || !record->state)
		return NULL;
	return g_steal_pointer(&record);
}

/* --- slots --- */

static void
write_slot(guint8 page[SPILL_SLOT], const Slot *slot)
{
	memset(page, 0, SPILL_SLOT);
	memcpy(page, MAGIC, sizeof MAGIC - 1);
	put_number(page + 16, (guint64)slot->id, 8);
	put_number(page + 24, slot->generation, 8);
	put_number(page + 32, slot->part, 2);
	put_number(page + 34, slot->parts, 2);
	put_number(page + 36, slot->length, 4);
	if (slot->length)
		memcpy(page + HEADER, slot->payload, slot->length);
	put_number(page + 8, checksum(page + CHECKED_FROM, HEADER - CHECKED_FROM + slot->length),
		   8);
}

static gboolean
read_slot(const guint8 *page, Slot *slot)
{
	if (memcmp(page, MAGIC, sizeof MAGIC - 1) != 0)
		return FALSE;
	slot->id = (gint64)get_number(page + 16, 8);
	slot->generation = get_number(page + 24, 8);
	slot->part = (guint16)get_number(page + 32, 2);
	slot->parts = (guint16)get_number(page + 34, 2);
	slot->length = (guint32)get_number(page + 36, 4);
	slot->payload = page + HEADER;
	return slot->id > 0 && slot->length <= PAYLOAD && slot->parts <= MAX_PARTS &&
	       (slot->parts == 0 || slot->part < slot->parts) &&
	       get_number(page + 8, 8) ==
		       checksum(page + CHECKED_FROM, HEADER - CHECKED_FROM + slot->length);
}

/* --- what an image holds --- */

typedef struct {
	gint64 id;
	guint64 generation;
	guint parts, found;
	const guint8 *payload[MAX_PARTS];
	guint32 length[MAX_PARTS], at[MAX_PARTS];
} Pieces;

/* One of each (id, generation). */
static guint
pieces_hash(gconstpointer key)
{
	const Pieces *pieces = key;

	return g_int64_hash(&pieces->id) ^ (guint)pieces->generation;
}

static gboolean
pieces_equal(gconstpointer one, gconstpointer other)
{
	return ((const Pieces *)one)->id == ((const Pieces *)other)->id &&
	       ((const Pieces *)one)->generation == ((const Pieces *)other)->generation;
}

static void
collect_slot(GHashTable *all, const Slot *slot, guint32 at)
{
	Pieces key = { .id = slot->id, .generation = slot->generation };
	Pieces *pieces = g_hash_table_lookup(all, &key);

	if (!pieces) {
		pieces = g_memdup2(&key, sizeof key);
		pieces->parts = slot->parts;
		g_hash_table_add(all, pieces);
	}
	if (pieces->parts != slot->parts || pieces->payload[slot->part])
		return;
	pieces->payload[slot->part] = slot->payload;
	pieces->length[slot->part] = slot->length;
	pieces->at[slot->part] = at;
	pieces->found++;
}

static CallRecord *
join_pieces(const Pieces *pieces)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	CallRecord *record;

	if (pieces->found != pieces->parts)
		return NULL;
	for (guint i = 0; i < pieces->parts; i++)
		g_byte_array_append(bytes, pieces->payload[i], pieces->length[i]);
	record = spill_decode(bytes->data, bytes->len);
	if (record && record->id != pieces->id)
		g_clear_pointer(&record, call_record_free);
	return record;
}

static gint
compare_pieces(gconstpointer one, gconstpointer other)
{
	const Pieces *a = *(const Pieces *const *)one, *b = *(const Pieces *const *)other;

	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	return a->generation < b->generation ? -1 : a->generation > b->generation;
}

/* Oldest id first; `spill` NULL: the records alone are wanted. */
static GPtrArray *
read_image(const guint8 *data, gsize length, Spill *spill)
{
	g_autoptr(GHashTable) all = g_hash_table_new_full(pieces_hash, pieces_equal, g_free, NULL);
	g_autoptr(GPtrArray) sorted = g_ptr_array_new();
	GPtrArray *records = g_ptr_array_new_with_free_func((GDestroyNotify)call_record_free);
	GHashTableIter iter;
	gpointer pieces;
	Slot slot;

	for (gsize at = 0; at < length / SPILL_SLOT; at++) {
		if (!read_slot(data + at * SPILL_SLOT, &slot))
			continue;
		if (spill) {
			spill->highest = MAX(spill->highest, slot.id);
			spill->generation = MAX(spill->generation, slot.generation);
		}
		if (slot.parts > 0)
			collect_slot(all, &slot, (guint32)at);
	}
	g_hash_table_iter_init(&iter, all);
	while (g_hash_table_iter_next(&iter, &pieces, NULL))
		g_ptr_array_add(sorted, pieces);
	g_ptr_array_sort(sorted, compare_pieces);
	for (guint i = 0; i < sorted->len; i++) {
		const Pieces *whole = sorted->pdata[i];
		CallRecord *record = join_pieces(whole);
		CallRecord *last = records->len ? records->pdata[records->len - 1] : NULL;

		if (!record)
			continue;
		if (last && last->id == record->id)
			g_ptr_array_remove_index(records, records->len - 1);
		g_ptr_array_add(records, record);
		if (spill) {
			Place *place = g_new0(Place, 1);

			place->id = whole->id;
			place->generation = whole->generation;
			place->n = whole->parts;
			memcpy(place->at, whole->at, sizeof place->at);
			g_hash_table_replace(spill->places, &place->id, place);
		}
	}
	return records;
}

GPtrArray *
spill_decode_all(const guint8 *data, gsize length)
{
	return read_image(data, length, NULL);
}

/* --- the file --- */

static gboolean
fail(const char *path, int code, GError **error)
{
	g_set_error(error, STORE_ERROR, STORE_ERROR_FAILED, "%s: %s", path, g_strerror(code));
	return FALSE;
}

gboolean
spill_allocate(const char *path, guint n_slots, GError **error)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int code = fd < 0 ? errno : 0;
	struct stat status;

	if (fd < 0)
		return fail(path, code, error);
	if (fstat(fd, &status) < 0)
		code = errno;
	/* also what is there already may have holes: a copy, a file of a crash */
	else
		code = posix_fallocate(
			fd, 0, MAX((off_t)MIN(n_slots, MAX_SLOTS) * SPILL_SLOT, status.st_size));
	close(fd);
	return code == 0 || fail(path, code, error);
}

static gboolean
put_slot(Spill *spill, guint32 at, const Slot *slot)
{
	write_slot(spill->page, slot);
	return pwrite(spill->fd, spill->page, SPILL_SLOT, (off_t)at * SPILL_SLOT) == SPILL_SLOT;
}

/* What is neither of a record nor free is an older generation, or half of one: it must
 * not be found when the newer one is gone. */
static void
note_free(Spill *spill, const guint8 *image)
{
	g_autofree gboolean *used = g_new0(gboolean, spill->n_slots);
	GHashTableIter iter;
	gpointer value;
	Slot slot;

	g_hash_table_iter_init(&iter, spill->places);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const Place *place = value;

		for (guint i = 0; i < place->n; i++)
			used[place->at[i]] = TRUE;
	}
	for (guint32 at = spill->n_slots; at-- > 0;) {
		if (used[at])
			continue;
		if (read_slot(image + (gsize)at * SPILL_SLOT, &slot) && slot.parts > 0)
			put_slot(spill, at, &(Slot){ .id = slot.id });
		g_array_append_val(spill->free, at);
	}
}

gboolean
spill_is_locked(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	gboolean locked = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;

	if (fd >= 0)
		close(fd);
	return locked;
}

Spill *
spill_open(const char *path, GError **error)
{
	g_autoptr(GMappedFile) image = NULL; /* 80 MB on a large gateway: not for the heap */
	const guint8 *data;
	gsize length;
	Spill *spill;
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		fail(path, errno, error);
		return NULL;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		g_set_error(error, STORE_ERROR, STORE_ERROR_IN_USE,
			    "%s: another tandemd has this database; stop it, or name another file",
			    path);
		close(fd);
		return NULL;
	}
	image = g_mapped_file_new_from_fd(fd, FALSE, error);
	if (!image) {
		close(fd);
		return NULL;
	}
	data = (const guint8 *)g_mapped_file_get_contents(image);
	length = g_mapped_file_get_length(image);
	spill = g_new0(Spill, 1);
	spill->fd = fd;
	spill->n_slots = (guint)MIN(length / SPILL_SLOT, MAX_SLOTS);
	spill->free = g_array_new(FALSE, FALSE, sizeof(guint32));
	spill->places = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
	spill->records = read_image(data, length, spill);
	note_free(spill, data);
	return spill;
}

void
spill_close(Spill *spill)
{
	if (!spill)
		return;
	close(spill->fd);
	g_array_unref(spill->free);
	g_hash_table_unref(spill->places);
	g_ptr_array_unref(spill->records);
	g_free(spill);
}

GPtrArray *
spill_records(const Spill *spill)
{
	return spill->records;
}

gint64
spill_highest(const Spill *spill)
{
	return spill->highest;
}

guint
spill_n_slots(const Spill *spill)
{
	return spill->n_slots;
}

guint
spill_n_used(const Spill *spill)
{
	return spill->n_slots - spill->free->len;
}

/* A slot that cannot be written has what it had, which is not to be found again: a
 * later generation is. */
static void
free_slots(Spill *spill, const Place *place)
{
	for (guint i = 0; i < place->n; i++) {
		put_slot(spill, place->at[i], &(Slot){ .id = place->id });
		g_array_append_val(spill->free, place->at[i]);
	}
}

static gboolean
put_parts(Spill *spill, const Place *place, const GByteArray *bytes)
{
	for (guint i = 0; i < place->n; i++) {
		Slot slot = { .id = place->id,
			      .generation = place->generation,
			      .part = (guint16)i,
			      .parts = (guint16)place->n,
			      .length = MIN(PAYLOAD, bytes->len - i * PAYLOAD),
			      .payload = bytes->data + (gsize)i * PAYLOAD };

		if (!put_slot(spill, place->at[i], &slot))
			return FALSE;
	}
	return TRUE;
}

gboolean
spill_put(Spill *spill, const CallRecord *record)
{
	g_autoptr(GByteArray) bare = spill_encode(record, 0);
	guint parts = (bare->len + PAYLOAD - 1) / PAYLOAD;
	g_autoptr(GByteArray) bytes = spill_encode(record, (gsize)parts * PAYLOAD);
	Place *was = g_hash_table_lookup(spill->places, &record->id), *is;

	spill->generation++;
	if (was && was->n == 1 && parts == 1) {
		was->generation = spill->generation;
		return put_parts(spill, was, bytes);
	}
	if (parts > MAX_PARTS || parts > spill->free->len)
		return FALSE;
	is = g_new0(Place, 1);
	is->id = record->id;
	is->generation = spill->generation;
	for (; is->n < parts; is->n++) {
		is->at[is->n] = g_array_index(spill->free, guint32, spill->free->len - 1);
		g_array_set_size(spill->free, spill->free->len - 1);
	}
	if (!put_parts(spill, is, bytes)) {
		free_slots(spill, is);
		g_free(is);
		return FALSE;
	}
	if (was)
		free_slots(spill, was);
	g_hash_table_replace(spill->places, &is->id, is);
	spill->highest = MAX(spill->highest, record->id);
	return TRUE;
}

void
spill_drop(Spill *spill, gint64 id)
{
	Place *place = g_hash_table_lookup(spill->places, &id);

	if (!place)
		return;
	free_slots(spill, place);
	g_hash_table_remove(spill->places, &id);
}
