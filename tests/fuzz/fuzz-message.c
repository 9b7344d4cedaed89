/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz-message.c - any bytes as the body of a MESSAGE; the first says of which type. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "plugins/sip/stack/sip_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(gboolean good)
{
	if (!good)
		abort();
}

/* What was read is written so that it is read the same. */
static void
exercise_envelope(const char *data, gsize size)
{
	g_auto(Cpim) cpim = { 0 }, again = { 0 };
	g_autofree char *text = NULL;
	gsize length;

	if (!cpim_read(data, size, &cpim))
		return;
	text = cpim_write(&cpim, &length);
	check(cpim_read(text, length, &again));
	check(g_strcmp0(cpim.from, again.from) == 0 && g_strcmp0(cpim.to, again.to) == 0 &&
	      g_strcmp0(cpim.id, again.id) == 0 && cpim.wants == again.wants &&
	      g_strcmp0(cpim.date_time, again.date_time) == 0 &&
	      g_strcmp0(cpim.type, again.type) == 0 &&
	      g_strcmp0(cpim.language, again.language) == 0 && cpim.size == again.size &&
	      memcmp(cpim.body, again.body, cpim.size) == 0);
}

static void
exercise_report(const char *data, gsize size)
{
	g_autofree char *id = NULL, *text = NULL, *again = NULL;
	ImdnStatus status;

	if (!imdn_read(data, size, &id, &status))
		return;
	text = imdn_write(id, NULL, id, IMDN_DELIVERED);
	check(imdn_read(text, strlen(text), &again, &status) && strcmp(id, again) == 0 &&
	      status == IMDN_DELIVERED);
}

static void
exercise(const char *type, const char *encoding, const char *data, gsize size)
{
	const MessageHeaders headers = { type, encoding, NULL };
	g_auto(Message) message = { 0 };
	g_autofree char *origin = NULL, *id = NULL;

	message_read(&headers, data, size, 8192, &message);
	if (message.kind == MESSAGE_REFUSED)
		check(message.status >= 400 && message.phrase);
	if (message.kind == MESSAGE_REPORT)
		check(message.id && *message.id);
	if (message.kind != MESSAGE_TEXT)
		return;
	check(g_utf8_validate(message.body, -1, NULL) && *message.body &&
	      strlen(message.body) <= 8192);
	origin = message_origin(&message, &(MessageNames){ "call", "tag", 1, "+1" });
	check(strlen(origin) <= 200);
	message_wanted(origin, &id);
	check(!id || g_strcmp0(id, message.id) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const types[] = { "text/plain", "text/plain;charset=iso-8859-1",
					     CPIM_TYPE, IMDN_TYPE };

	if (!size)
		return 0;
	exercise_envelope((const char *)data + 1, size - 1);
	exercise_report((const char *)data + 1, size - 1);
	exercise(types[data[0] % G_N_ELEMENTS(types)], NULL, (const char *)data + 1, size - 1);
	exercise("text/plain;charset=utf-8", NULL, (const char *)data + 1, size - 1);
	exercise("text/plain;charset=utf-16", NULL, (const char *)data + 1, size - 1);
	exercise(types[data[0] % G_N_ELEMENTS(types)], data[0] & 0x80 ? "gzip" : "deflate",
		 (const char *)data + 1, size - 1);
	return 0;
}
