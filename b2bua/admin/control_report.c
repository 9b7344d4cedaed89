/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* control_report.c - a call as a page of HTML, or where HTTP shows that page. */
#include <string.h>
#include "b2bua/admin/handlers.h"
#include "b2bua/report/report_call.h"

static gboolean
reply_address(Request *request, gint64 id, GError **error)
{
	g_autoptr(CallRecord) record = store_call_get(request->store, id, error);
	const Config *config = request_config(request);
	g_autofree char *path = report_path(id), *text = NULL;

	if (!record)
		return FALSE;
	if (!request->gateway || !config->http_port)
		return wrong(error, "--link: %s; leave out --link, and write the page to a file",
			     request->gateway ? "[http] port is not set, so nothing shows the page"
					      : "tandemd is not running");
	text = g_strdup_printf(strchr(config->http_address, ':') ? "http://[%s]:%u%s"
								 : "http://%s:%u%s",
			       config->http_address, config->http_port, path);
	reply_text(request, text);
	return TRUE;
}

gboolean
do_report(Request *request, GError **error)
{
	const gint64 id = g_ascii_strtoll(request_word(request, "ID"), NULL, 10);
	g_autofree char *page = NULL;

	if (request_word(request, "--link"))
		return reply_address(request, id, error);
	page = report_of_call(request->gateway, request->store, id, error);
	if (!page)
		return FALSE;
	reply_text(request, page);
	return TRUE;
}
