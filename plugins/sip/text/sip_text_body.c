/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_text_body.c - see sip_text_body.h. */
#include "plugins/sip/text/sip_text_body.h"
#include "plugins/sip/stack/sip_header.h"
#include "plugins/sip/stack/sip_message.h"
#include <string.h>

static char *
date_of(gint64 seconds)
{
	g_autoptr(GDateTime) date = g_date_time_new_from_unix_utc(seconds);

	return date ? g_date_time_format(date, "%Y-%m-%dT%H:%M:%SZ") : NULL;
}

static char *
uri_of(const Address *address, const char *domain)
{
	g_autofree char *user = address && address->user ? header_escaped(address->user) : NULL;

	return g_strdup_printf("sip:%s@%s", user ? user : "anonymous",
			       address && address->scheme != ADDRESS_NUMBER && address->host
				       ? address->host
				       : domain);
}

static char *
envelope(const Text *text, const char *domain, Cpim *cpim)
{
	g_autofree char *from = uri_of(text->from, domain), *to = uri_of(text->to, domain);
	g_autofree char *date = date_of(text->written);
	gsize size;

	cpim->from = from;
	cpim->to = to;
	cpim->date_time = date;
	cpim->size = strlen(cpim->body);
	return cpim_write(cpim, &size);
}

/* RFC 5438 7: to its author, about his text. */
static void
make_report(const Text *text, const char *about, const char *domain, TextBody *body)
{
	gboolean good = text->kind == TEXT_RECEIPT;
	g_autofree char *from = uri_of(text->from, domain), *date = date_of(text->written);
	g_autofree char *report =
		imdn_write(about, date, from, good ? IMDN_DELIVERED : IMDN_FAILED);
	g_autofree char *name = g_strdup_printf("report-%" G_GINT64_FORMAT, text->id);
	Cpim cpim = { .id = name,
		      .type = (char *)IMDN_TYPE,
		      .disposition = (char *)"notification",
		      .body = report };

	body->envelope = envelope(text, domain, &cpim);
}

static void
make_plain(const Text *text, TextBody *body)
{
	body->type = MESSAGE_PLAIN;
	body->text = g_strdup(text->body);
	body->language = g_strdup(text->language);
}

static void
make_asking(const Text *text, const char *id, const char *domain, TextBody *body)
{
	Cpim cpim = { .id = (char *)id,
		      .wants = CPIM_POSITIVE | CPIM_NEGATIVE,
		      .type = (char *)MESSAGE_PLAIN,
		      .language = (char *)text->language,
		      .body = (char *)text->body };

	body->envelope = envelope(text, domain, &cpim);
	body->asks = TRUE;
}

void
text_body_make(const Text *text, const char *id, const char *domain, TextBody *body)
{
	g_autofree char *about = NULL;
	guint wanted = message_wanted(text->about, &about);

	*body = (TextBody){ 0 };
	switch (text->kind) {
	case TEXT_MESSAGE:
		make_plain(text, body);
		if (id && text->receipt)
			make_asking(text, id, domain, body);
		break;
	case TEXT_COPY:
		break;
	case TEXT_RECEIPT:
		if (wanted & CPIM_POSITIVE)
			make_report(text, about, domain, body);
		break;
	case TEXT_ERROR:
		if (wanted & CPIM_NEGATIVE)
			make_report(text, about, domain, body);
		else if (text->body)
			make_plain(text, body);
		break;
	}
}

void
text_body_clear(TextBody *body)
{
	g_free(body->text);
	g_free(body->language);
	g_free(body->envelope);
	*body = (TextBody){ 0 };
}
