/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* trunk_key.c - the table of a trunk's keys, as the store reads it. */
#include "db/trunk_key.h"
#include <string.h>

#define KEY(name_, member_, kind_, type_, fallback_, values_, flags_, help_) \
	{                                                                    \
		.name = (name_),                                             \
		.column = #member_,                                          \
		.kind = TRUNK_##kind_,                                       \
		.offset = G_STRUCT_OFFSET(Trunk, member_),                   \
		.fallback = (fallback_),                                     \
		.flags = (flags_),                                           \
	},

static const TrunkKey KEYS[] = { TRUNK_KEYS(KEY) };

const TrunkKey *
trunk_keys(guint *n)
{
	*n = G_N_ELEMENTS(KEYS);
	return KEYS;
}

const TrunkKey *
trunk_key_find(const char *name)
{
	for (guint i = 0; i < G_N_ELEMENTS(KEYS); i++)
		if (strcmp(KEYS[i].name, name) == 0)
			return &KEYS[i];
	return NULL;
}

gboolean
trunk_key_is_number(const TrunkKey *key)
{
	return key->kind != TRUNK_TEXT;
}
