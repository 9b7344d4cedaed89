/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* ng.h - rtpengine's control protocol "ng": a cookie, then a bencoded dictionary.
 *
 * A request waits for its answer.  One connection in a process.
 */
#pragma once
#include <glib.h>

void ng_connect(guint16 port);
/* A request with its call; `name` is "offer", "answer" or "delete". */
GString *ng_request(const char *name, const char *call_id);
void ng_put(GString *request, const char *key, const char *value);
void ng_put_list(GString *request, const char *key, const char *value); /* of one */
/* Takes the request; the answer's SDP, to be freed, or NULL: there is none in it.  Another
 * result than "ok" ends the process. */
char *ng_ask(GString *request);
