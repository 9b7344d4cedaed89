/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* own.h - a user reaches what belongs to the own account, and nothing else.
 *
 * One check for every verb: each word that names a thing, by its type.  What is not known to be
 * the user's is refused, and so is a type that no row of the table is for.
 * Thread: signalling.
 */
#pragma once
#include "b2bua/admin/request.h"

/* Of a request that has been read, whose actor is a user; FALSE with an error of VERB_ERROR, or
 * of the store. */
gboolean own_check(const Request *request, GError **error);
/* The softphones of an account, to choose from: names, to be freed. */
char **own_softphones(Store *store, const char *account);
