/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* handlers.h - the function of each verb, do_ID(), and what some of them share.
 *
 * A function adds its reply to the request, or returns FALSE with an error; it checks all
 * before it changes anything.  answer.c calls it, logs what a verb of VERB_AUDITED changed, and
 * tells the plugins.
 * Thread: signalling.
 */
#pragma once
#include "b2bua/admin/request.h"
#include "b2bua/admin/verb_table.h"
#include "db/news.h"

/* What is wrong with more than the words, or broken. */
#define CONTROL_ERROR (g_quark_from_static_string("tandem-control"))

#define ROW(id, noun, verb, words, who, flags, changes, help) \
	gboolean do_##id(Request *request, GError **error);
VERBS(ROW)
#undef ROW

/* --- control_phones.c, for an import --- */
/* password NULL: one is made, and told in request->passwords. */
gboolean softphone_make(Request *request, const char *name, const char *jid, const char *password,
			GError **error);
gboolean
softphone_give_password(Request *request, const char *name, const char *password, GError **error);

/* --- control_user.c --- */
/* What the user is told by chat, where the user wants that; in the transaction of what it is of. */
gboolean
user_news(Request *request, const char *jid, StoreNews what, const char *number, GError **error);

/* --- control_calls.c --- */
/* The calls of a user and of the user's numbers; borrows `user`; NULL with an error. */
CallFilter *call_filter_of_user(const Request *request, const char *user, GError **error);
void call_filter_free(gpointer filter);

/* --- control_audit.c --- */
/* A picture of the thing of a noun, and what differs between two of them. */
GArray *audit_view(Store *store, const char *noun, const char *id);
/* One fact of such a picture; NULL: there is none, or it is secret. */
char *audit_fact(const GArray *facts, const char *key);
char *audit_difference(const GArray *before, const GArray *after);
void audit_say(const Request *request, const char *text);
