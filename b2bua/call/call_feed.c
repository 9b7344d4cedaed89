/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* call_feed.c - see call_feed.h. */
#include "b2bua/call/call_feed.h"

struct CallFeed {
	gint64 began;  /* µs since 1970: which start of the daemon */
	guint64 added; /* change n is at n % CALL_FEED_MOST */
	gint64 calls[CALL_FEED_MOST];
};

CallFeed *
call_feed_new(void)
{
	CallFeed *feed = g_new0(CallFeed, 1);

	feed->began = g_get_real_time();
	return feed;
}

void
call_feed_free(CallFeed *feed)
{
	g_free(feed);
}

void
call_feed_add(CallFeed *feed, gint64 call)
{
	feed->calls[feed->added++ % CALL_FEED_MOST] = call;
}

char *
call_feed_mark(const CallFeed *feed)
{
	return g_strdup_printf("%" G_GINT64_FORMAT ".%" G_GUINT64_FORMAT, feed->began, feed->added);
}

static gboolean
read_mark(const CallFeed *feed, const char *mark, guint64 *read)
{
	g_auto(GStrv) parts = g_strsplit(mark, ".", 2);
	guint64 began;

	if (g_strv_length(parts) != 2 ||
	    !g_ascii_string_to_unsigned(parts[0], 10, 0, G_MAXINT64, &began, NULL) ||
	    !g_ascii_string_to_unsigned(parts[1], 10, 0, G_MAXINT64, read, NULL))
		return FALSE;
	if ((gint64)began != feed->began || *read > feed->added)
		*read = 0;
	return TRUE;
}

GArray *
call_feed_since(const CallFeed *feed, const char *mark, guint64 *missed)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_int64_hash, g_int64_equal);
	guint64 read, first;
	GArray *calls;

	if (!read_mark(feed, mark, &read))
		return NULL;
	first = MAX(read, feed->added - MIN(feed->added, CALL_FEED_MOST));
	*missed = first - read;
	calls = g_array_new(FALSE, FALSE, sizeof(gint64));
	for (guint64 n = feed->added; n-- > first;) {
		const gint64 *call = &feed->calls[n % CALL_FEED_MOST];

		if (g_hash_table_add(seen, (gpointer)call))
			g_array_append_val(calls, *call);
	}
	for (guint i = 0; i < calls->len / 2; i++) {
		gint64 *one = &g_array_index(calls, gint64, i);
		gint64 *other = &g_array_index(calls, gint64, calls->len - 1 - i);
		const gint64 kept = *one;

		*one = *other;
		*other = kept;
	}
	return calls;
}
