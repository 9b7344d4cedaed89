/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* http.h - the HTTP listener: /metrics, /health, /ready, /report/ID.
 *
 * It has a thread of its own.  /health is answered there: 503 when the signalling thread has
 * not ticked for HTTP_SILENT_MS, and so takes no call.  For the others the question goes to
 * the signalling thread and the answer comes back; meanwhile the request is paused, and after
 * HTTP_SILENT_MS it is answered 503.  A report has persons and addresses in it: it is shown to
 * whoever has the key of report_call.h, and to nobody else.  GET and HEAD alone are taken.  At most
 * HTTP_CONNECTIONS are open, each for HTTP_CONNECTION_S.
 * Thread: http_start() and http_stop(): signalling.
 */
#pragma once
#include "b2bua/gateway.h"

#define HTTP_SILENT_MS	  2000
#define HTTP_CONNECTIONS  64
#define HTTP_CONNECTION_S 60

typedef struct Http Http;

/* Port 0: any free one. */
Http *http_start(Gateway *gateway, const char *address, guint port, GError **error);
guint http_port(const Http *http);
void http_stop(Http *http); /* NULL is fine */
