/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_imdn.c - see sip_imdn.h.
 *
 * Thread: any (pure).
 */
#include "plugins/sip/stack/sip_imdn.h"
#include <string.h>

#define MAX_DEPTH 16

typedef struct {
	guint depth;
	GString *id; /* NULL: not met yet */
	gboolean in_id, in_status, known;
	ImdnStatus status;
} Reading;

static const struct {
	const char *word;
	ImdnStatus status;
} words[] = {
	{ "delivered", IMDN_DELIVERED }, { "displayed", IMDN_DISPLAYED }, { "failed", IMDN_FAILED },
	{ "forbidden", IMDN_FAILED },	 { "error", IMDN_FAILED },
};

/* Without the prefix of its namespace. */
static const char *
local_name(const char *name)
{
	const char *colon = strchr(name, ':');

	return colon ? colon + 1 : name;
}

static void
take_status(Reading *reading, const char *name)
{
	if (reading->known)
		return;
	reading->known = TRUE;
	reading->status = IMDN_OTHER;
	for (guint i = 0; i < G_N_ELEMENTS(words); i++)
		if (strcmp(name, words[i].word) == 0)
			reading->status = words[i].status;
}

static void
on_start(GMarkupParseContext *context, const char *element, const char **names, const char **values,
	 gpointer user, GError **error)
{
	Reading *reading = user;
	const char *name = local_name(element);

	if (++reading->depth > MAX_DEPTH || (reading->depth == 1 && strcmp(name, "imdn") != 0)) {
		g_set_error(error, G_MARKUP_ERROR, G_MARKUP_ERROR_INVALID_CONTENT, "no imdn");
		return;
	}
	if (reading->in_status)
		take_status(reading, name);
	else if (strcmp(name, "status") == 0)
		reading->in_status = TRUE;
	else if (reading->depth == 2 && strcmp(name, "message-id") == 0 && !reading->id) {
		reading->id = g_string_new(NULL);
		reading->in_id = TRUE;
	}
}

static void
on_end(GMarkupParseContext *context, const char *element, gpointer user, GError **error)
{
	Reading *reading = user;

	reading->depth--;
	reading->in_id = FALSE;
	if (strcmp(local_name(element), "status") == 0)
		reading->in_status = FALSE;
}

static void
on_text(GMarkupParseContext *context, const char *text, gsize length, gpointer user, GError **error)
{
	Reading *reading = user;

	if (reading->in_id && reading->id->len + length <= IMDN_MAX_ID)
		g_string_append_len(reading->id, text, (gssize)length);
}

static const GMarkupParser parser = { .start_element = on_start,
				      .end_element = on_end,
				      .text = on_text };

gboolean
imdn_read(const char *data, gsize size, char **id, ImdnStatus *status)
{
	Reading reading = { 0 };
	GMarkupParseContext *context = g_markup_parse_context_new(&parser, 0, &reading, NULL);
	gboolean good = size <= IMDN_MAX_BYTES &&
			g_markup_parse_context_parse(context, data, (gssize)size, NULL) &&
			g_markup_parse_context_end_parse(context, NULL) && reading.known;

	g_markup_parse_context_free(context);
	*id = reading.id ? g_strstrip(g_string_free(reading.id, FALSE)) : NULL;
	*status = reading.status;
	if (good && *id && **id)
		return TRUE;
	g_clear_pointer(id, g_free);
	return FALSE;
}

char *
imdn_write(const char *id, const char *date_time, const char *recipient, ImdnStatus status)
{
	g_autofree char *when =
		date_time ? g_markup_printf_escaped(" <datetime>%s</datetime>\r\n", date_time)
			  : g_strdup("");
	g_autofree char *who =
		recipient ? g_markup_printf_escaped(" <recipient-uri>%s</recipient-uri>\r\n",
						    recipient)
			  : g_strdup("");
	g_autofree char *what = g_markup_printf_escaped(" <message-id>%s</message-id>\r\n", id);

	return g_strdup_printf("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n"
			       "<imdn xmlns=\"urn:ietf:params:xml:ns:imdn\">\r\n%s%s%s"
			       " <delivery-notification><status><%s/></status>"
			       "</delivery-notification>\r\n</imdn>\r\n",
			       what, when, who, status == IMDN_DELIVERED ? "delivered" : "failed");
}
