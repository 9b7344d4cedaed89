/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* news.h - what a user is still to be told of the account; kept until somebody tells it.
 *
 * Thread: signalling.
 */
#pragma once
#include "db/store.h"

typedef enum {
	STORE_NEWS_GIVEN, /* a number is the user's */
	STORE_NEWS_TAKEN, /* and no longer */
	STORE_NEWS_ON,	  /* the account is switched on again */
	STORE_NEWS_OFF,
	STORE_NEWS_MORE /* and something else, which was too much to be kept */
} StoreNews;

/* One of the first four; `number` is "" where it is of none.  What undoes an earlier one that
 * nobody has told yet takes that away, and says nothing itself. */
gboolean
store_news_add(Store *store, const char *user, StoreNews what, const char *number, GError **error);
typedef void (*StoreNewsFunc)(gpointer data, StoreNews what, const char *number);
/* In their order; FALSE: there is nothing to be told. */
gboolean store_news_read(Store *store, const char *user, StoreNewsFunc func, gpointer data);
gboolean store_news_forget(Store *store, const char *user, GError **error);
/* Who is to be told something: char *, of those after this one. */
GPtrArray *store_news_page(Store *store, const char *after, guint limit, GError **error);
