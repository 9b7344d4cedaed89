/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_dialect.c - which digests a softphone is offered, so that it answers. */
#include "plugins/sip/stack/sip_dialect.h"
#include <string.h>

#define MAX_PLACES 4096 /* of each table; when it is full it begins anew */
#define MAX_NAME   256

struct Dialects {
	GHashTable *programs; /* name → DigestAlgorithm, proven */
	GHashTable *asking;   /* "source program" → Asked, until it proves a password */
};

/* Programs that give up at the first contact, and the version that no longer does: libre
 * refused a response with any challenge that is not by MD5. */
static const struct {
	const char *name;
	guint major, minor;
} GIVING_UP[] = { { "baresip v", 3, 12 } };

typedef enum { OFFERED_ALL = 1, OFFERED_MD5 } Asked;

Dialects *
dialects_new(void)
{
	Dialects *self = g_new0(Dialects, 1);

	self->programs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	self->asking = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	return self;
}

void
dialects_free(Dialects *self)
{
	if (!self)
		return;
	g_hash_table_unref(self->programs);
	g_hash_table_unref(self->asking);
	g_free(self);
}

static void
note(GHashTable *table, const char *key, gint value)
{
	if (g_hash_table_size(table) >= MAX_PLACES)
		g_hash_table_remove_all(table);
	g_hash_table_replace(table, g_strdup(key), GINT_TO_POINTER(value));
}

static char *
name_of(const char *program)
{
	return g_strndup(program ? program : "", MAX_NAME);
}

static char *
asker(const char *name, const char *source)
{
	return g_strdup_printf("%s %s", source ? source : "", name);
}

static gboolean
gives_up(const char *name)
{
	for (guint i = 0; i < G_N_ELEMENTS(GIVING_UP); i++) {
		char *end;
		guint64 major, minor;

		if (!g_str_has_prefix(name, GIVING_UP[i].name))
			continue;
		major = g_ascii_strtoull(name + strlen(GIVING_UP[i].name), &end, 10);
		minor = *end == '.' ? g_ascii_strtoull(end + 1, NULL, 10) : 0;
		return major < GIVING_UP[i].major ||
		       (major == GIVING_UP[i].major && minor < GIVING_UP[i].minor);
	}
	return FALSE;
}

DigestAlgorithm
dialects_offer(Dialects *self, const char *program, const char *source)
{
	g_autofree char *name = name_of(program), *who = asker(name, source);
	gint proved = GPOINTER_TO_INT(g_hash_table_lookup(self->programs, name));
	gboolean again = g_hash_table_contains(self->asking, who);

	/* even so it may choose: another phone of that name may know less */
	if (proved == DIGEST_SHA256)
		return DIGEST_NONE;
	if (proved == DIGEST_MD5 || gives_up(name))
		return DIGEST_MD5;
	note(self->asking, who, again ? OFFERED_MD5 : OFFERED_ALL);
	return again ? DIGEST_MD5 : DIGEST_NONE;
}

void
dialects_proved(Dialects *self, const char *program, const char *source, DigestAlgorithm used)
{
	g_autofree char *name = name_of(program), *who = asker(name, source);
	Asked asked = GPOINTER_TO_INT(g_hash_table_lookup(self->asking, who));

	g_hash_table_remove(self->asking, who);
	if (used == DIGEST_SHA256)
		note(self->programs, name, used);
	else if (asked == OFFERED_MD5 && !g_hash_table_contains(self->programs, name))
		note(self->programs, name, DIGEST_MD5);
}
