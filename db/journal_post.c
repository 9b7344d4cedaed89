/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* journal_post.c - gives the writer something to write. */
#include "db/journal_private.h"

guint64
journal_post(Journal *journal, JournalWrite write, gpointer data, GDestroyNotify free,
	     Waiting about)
{
	Entry *entry = g_new0(Entry, 1);

	entry->number = about.number = ++journal->posted;
	entry->call = about.call;
	entry->urgency = about.urgency;
	entry->write = write;
	entry->data = data;
	entry->free = free;
	about.since_us = g_get_monotonic_time();
	g_queue_push_tail(&journal->waiting, g_memdup2(&about, sizeof about));
	if (about.call && about.urgency == WRITE_LATER)
		mailbox_post_quietly(journal->outbox, writer_take, entry);
	else
		mailbox_post(journal->outbox, writer_take, entry);
	return about.number;
}
