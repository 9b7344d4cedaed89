/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz-identity.c - any text as a list of identities.  Its entries in a list of their own
 * are the same entries. */
#include <stdint.h>
#include <string.h>
#include "plugins/sip/stack/sip_identity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const NameAddr *entry)
{
	static const char *const PARAMS[] = { "party", "privacy", "counter", "mp" };
	g_autoptr(Address) address = identity_address_of(entry);

	g_assert_nonnull(entry->uri);
	g_assert_true(!entry->name || (*entry->name && g_utf8_validate(entry->name, -1, NULL)));
	g_assert_true(!address || (address->user && g_utf8_validate(address->user, -1, NULL)));
	for (guint i = 0; i < G_N_ELEMENTS(PARAMS); i++) {
		g_autofree char *value = NULL;

		g_assert_true(identity_param(entry, PARAMS[i], &value) == (value != NULL));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = g_strndup((const char *)data, size);
	g_autoptr(GPtrArray) entries = identity_split(text);

	for (guint i = 0; i < entries->len; i++) {
		const NameAddr *entry = entries->pdata[i];
		g_autofree char *alone = g_strdup_printf("<%s>", entry->uri);
		g_autoptr(GPtrArray) again =
			strpbrk(entry->uri, "<>\"") ? NULL : identity_split(alone);

		check(entry);
		if (again) {
			g_assert_cmpuint(again->len, ==, 1);
			g_assert_cmpstr(((NameAddr *)again->pdata[0])->uri, ==, entry->uri);
		}
	}
	return 0;
}
