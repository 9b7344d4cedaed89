/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* journal_contacts.c - registrations that are not in the database yet.
 *
 * A call finds a telephone as soon as its REGISTER is answered.  What waits is laid
 * over the rows that are read, by id.
 */
#include <string.h>
#include "db/journal_private.h"
#include "db/rows.h"

typedef struct {
	gint64 id; /* of a contact or of a softphone; 0: all that have expired */
} Which;

void
pending_contact_free(gpointer data)
{
	PendingContact *pending = data;

	contact_free(pending->contact);
	g_free(pending);
}

static gboolean
write_contact(Store *store, gconstpointer contact, GError **error)
{
	return contact_row_put(store, contact, error);
}

static gboolean
write_deletion(Store *store, gconstpointer which, GError **error)
{
	return contact_row_del(store, ((const Which *)which)->id, error);
}

static gboolean
write_forgetting(Store *store, gconstpointer which, GError **error)
{
	return contact_rows_forget(store, ((const Which *)which)->id, error);
}

static gboolean
write_expiry(Store *store, gconstpointer unused, GError **error)
{
	return contact_rows_expire(store, error);
}

static void
free_contact(gpointer contact)
{
	contact_free(contact);
}

static gpointer
which(gint64 id)
{
	Which *what = g_new(Which, 1);

	what->id = id;
	return what;
}

static void
lay_over(Journal *journal, gint64 id, gint64 softphone, Contact *contact, guint64 number)
{
	PendingContact *pending = g_new0(PendingContact, 1);

	*pending = (PendingContact){ number, contact, softphone };
	g_hash_table_replace(journal->contacts, g_memdup2(&id, sizeof id), pending);
}

/* The row it takes the place of keeps its id: calls under way know it by that. */
gboolean
journal_put_contact(Journal *journal, const Contact *contact, GError **error)
{
	g_autoptr(GPtrArray) bound = journal_contacts_of(journal, contact->softphone, error);
	Contact *copy;
	guint64 number;

	if (!bound)
		return FALSE;
	copy = contact_copy(contact);
	copy->id = 0;
	for (guint i = 0; i < bound->len; i++) {
		const Contact *other = bound->pdata[i];

		if (strcmp(other->uri, contact->uri) == 0)
			copy->id = other->id;
		else if (contact->instance && g_strcmp0(other->instance, contact->instance) == 0)
			journal_del_contact(journal, other->id, other->softphone);
	}
	if (copy->id == 0)
		copy->id = ++journal->last_contact;
	copy->updated = store_now();
	if (!contact_row_name(journal->store, copy, error)) {
		contact_free(copy);
		return FALSE;
	}
	number = journal_post(journal, write_contact, contact_copy(copy), free_contact,
			      (Waiting){ .contact = copy->id });
	lay_over(journal, copy->id, copy->softphone, copy, number);
	return TRUE;
}

void
journal_del_contact(Journal *journal, gint64 id, gint64 softphone)
{
	guint64 number = journal_post(journal, write_deletion, which(id), g_free,
				      (Waiting){ .contact = id });

	lay_over(journal, id, softphone, NULL, number);
}

/* Ids rise, and they are written in the order of them: one above `highest` has no row yet. */
gint64
journal_new_contacts(const Journal *journal, gint64 highest)
{
	GHashTableIter iter;
	gpointer key, value;
	gint64 more = 0;

	g_hash_table_iter_init(&iter, journal->contacts);
	while (g_hash_table_iter_next(&iter, &key, &value)) {
		const gboolean has_row = *(const gint64 *)key <= highest;

		if (((const PendingContact *)value)->contact)
			more += !has_row;
		else
			more -= has_row;
	}
	return more;
}

/* Those that wait are not shown any more, and will be deleted after they are written. */
void
journal_forget_softphone(Journal *journal, gint64 softphone)
{
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
	GHashTableIter iter;
	gpointer key, value;

	g_hash_table_iter_init(&iter, journal->contacts);
	while (g_hash_table_iter_next(&iter, &key, &value))
		if (((PendingContact *)value)->softphone == softphone)
			g_array_append_val(ids, *(gint64 *)key);
	for (guint i = 0; i < ids->len; i++)
		journal_del_contact(journal, g_array_index(ids, gint64, i), softphone);
	journal_post(journal, write_forgetting, which(softphone), g_free, (Waiting){ 0 });
}

void
journal_expire_contacts(Journal *journal)
{
	journal_post(journal, write_expiry, NULL, NULL, (Waiting){ 0 });
}

void
journal_contact_written(Journal *journal, const Waiting *waiting)
{
	const PendingContact *pending = g_hash_table_lookup(journal->contacts, &waiting->contact);

	if (pending && pending->number == waiting->number)
		g_hash_table_remove(journal->contacts, &waiting->contact);
}

static gint
by_name(gconstpointer one, gconstpointer other)
{
	const Contact *a = *(const Contact *const *)one, *b = *(const Contact *const *)other;
	gint order = g_strcmp0(a->username, b->username);

	if (order != 0)
		return order;
	return a->id < b->id ? -1 : a->id > b->id;
}

void
journal_merge_contacts(Journal *journal, GPtrArray *rows, ContactFilter filter, gconstpointer what)
{
	gint64 now = store_now();
	GHashTableIter iter;
	gpointer value;

	if (g_hash_table_size(journal->contacts) == 0)
		return;
	for (guint i = rows->len; i-- > 0;)
		if (g_hash_table_contains(journal->contacts, &((Contact *)rows->pdata[i])->id))
			g_ptr_array_remove_index_fast(rows, i);
	g_hash_table_iter_init(&iter, journal->contacts);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const Contact *contact = ((PendingContact *)value)->contact;

		if (contact && contact->expires > now && filter(contact, what))
			g_ptr_array_add(rows, contact_copy(contact));
	}
	g_ptr_array_sort(rows, by_name);
}

static gboolean
is_of_softphone(const Contact *contact, gconstpointer softphone)
{
	return contact->softphone == *(const gint64 *)softphone;
}

GPtrArray *
journal_contacts_of(Journal *journal, gint64 softphone, GError **error)
{
	GPtrArray *rows = contact_rows_of_softphone(journal->store, softphone, error);

	if (rows)
		journal_merge_contacts(journal, rows, is_of_softphone, &softphone);
	return rows;
}
