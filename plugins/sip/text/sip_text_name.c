/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_text_name.c - see sip_text_name.h. */
#include "plugins/sip/text/sip_text_name.h"
#include <string.h>

#define PROOF 24 /* hex digits of an HMAC */

/* Ids begin anew with an empty store; with the time they do not meet those before. */
char *
text_call_id(const Text *text, gint64 contact, const char *domain)
{
	return g_strdup_printf("text-%" G_GINT64_FORMAT "-%" G_GINT64_FORMAT "-%" G_GINT64_FORMAT
			       "@%s",
			       text->id, text->written, contact, domain);
}

char *
text_tag(const Text *text)
{
	return g_strdup_printf("text%" G_GINT64_FORMAT, text->id);
}

/* With what the softphone's password leaves in the store: good across a restart. */
char *
text_imdn_id(gint64 id, const Softphone *softphone)
{
	const char *key = softphone->ha1_sha256 ? softphone->ha1_sha256 : softphone->ha1_md5;
	g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, id);
	g_autofree char *proof =
		g_compute_hmac_for_string(G_CHECKSUM_SHA256, (const guchar *)(key ? key : ""),
					  key ? strlen(key) : 0, number, -1);

	return g_strdup_printf("%s-%.*s", number, PROOF, proof);
}

gint64
text_of_imdn_id(const char *name, const Softphone *softphone)
{
	gint64 id = g_ascii_strtoll(name, NULL, 10);
	g_autofree char *ours = id > 0 ? text_imdn_id(id, softphone) : NULL;

	return g_strcmp0(ours, name) == 0 ? id : 0;
}
