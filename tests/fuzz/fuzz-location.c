/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz-location.c - any text as where somebody is: what passes becomes XML, or is a URI. */
#include <stdint.h>
#include <string.h>
#include <libxml/parser.h>
#include "b2bua/location.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = g_strndup((const char *)data, size);
	g_autoptr(GError) error = NULL;
	g_autofree char *location = location_check(text, &error);
	g_autofree char *pidf = location ? location_pidf(location, "sip:a@b", 0) : NULL;
	xmlDoc *document;

	g_assert_true(!location == (error != NULL));
	if (location && !pidf) /* it becomes a header */
		g_assert_null(strpbrk(location, " \r\n<>"));
	if (!pidf)
		return 0;
	document = xmlReadMemory(pidf, (int)strlen(pidf), NULL, NULL,
				 XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NONET);
	g_assert_nonnull(document);
	xmlFreeDoc(document);
	return 0;
}
