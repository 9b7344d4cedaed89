/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* text_address.c - see text_address.h: the scheme's letter, then the members, each after a tab. */
#include "b2bua/text/text_address.h"
#include <string.h>

static const char LETTERS[] = {
	[ADDRESS_ANONYMOUS] = 'a', [ADDRESS_NUMBER] = 'n', [ADDRESS_SIP] = 's', [ADDRESS_JID] = 'j'
};

enum { SCHEME, USER, HOST, RESOURCE, NAME, N_MEMBERS };

static void
append(GString *word, const char *member)
{
	g_autofree char *escaped = g_strescape(member ? member : "", NULL);

	g_string_append_c(word, '\t');
	g_string_append(word, escaped);
}

char *
text_address_save(const Address *address)
{
	GString *word = g_string_new(NULL);

	g_string_append_c(word, LETTERS[address->scheme]);
	append(word, address->user);
	append(word, address->host);
	append(word, address->resource);
	append(word, address->name);
	return g_string_free(word, FALSE);
}

Address *
text_address_load(const char *word)
{
	g_auto(GStrv) members = g_strsplit(word, "\t", -1);
	g_autoptr(Address) address = NULL;
	const char *letter;

	if (g_strv_length(members) != N_MEMBERS || strlen(members[SCHEME]) != 1)
		return NULL;
	letter = memchr(LETTERS, members[SCHEME][0], sizeof LETTERS);
	if (!letter)
		return NULL;
	for (guint i = USER; i < N_MEMBERS; i++) {
		char *plain = g_strcompress(members[i]);

		g_free(members[i]);
		members[i] = plain;
	}
	address = address_new((AddressScheme)(letter - LETTERS), members[USER], members[HOST],
			      members[RESOURCE]);
	return address_with_name(address, members[NAME]);
}

char *
text_address_word(const Address *address)
{
	g_autofree char *text = address_text(address);

	return g_utf8_make_valid(text, -1);
}
