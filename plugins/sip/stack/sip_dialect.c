/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_dialect.c - which digests a softphone is offered, so that it answers. */
#include "plugins/sip/stack/sip_dialect.h"
#include <string.h>

#define MAX_PROGRAMS	1024 /* that have proved a password; when they are more it begins anew */
#define MAX_ASKING	4096 /* the one seen first makes room */
#define MAX_OF_A_SOURCE 8    /* of those: a NAT may have several kinds of phones behind it */
#define MAX_NAME	256

struct Dialects {
	GHashTable *programs; /* name → DigestAlgorithm, proven */
	GHashTable *asking;   /* source → Source, owned: until it proves a password */
	GQueue seen;	      /* Asking of all sources, owned; the one seen first at the head */
};

typedef enum { OFFERED_ALL = 1, OFFERED_MD5 } Asked;

typedef struct {
	char *address;
	GQueue asking; /* Asking, the one seen first at the head */
} Source;

typedef struct {
	Source *source;
	char *program;
	Asked asked;
	GList all, own; /* in `seen`, in the source's */
} Asking;

/* Programs that give up at the first contact, and the version that no longer does: libre
 * refused a response with any challenge that is not by MD5. */
static const struct {
	const char *name;
	guint major, minor;
} GIVING_UP[] = { { "baresip v", 3, 12 } };

static void
source_free(gpointer data)
{
	Source *source = data;

	g_free(source->address);
	g_free(source);
}

Dialects *
dialects_new(void)
{
	Dialects *self = g_new0(Dialects, 1);

	self->programs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	self->asking = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, source_free);
	return self;
}

static void
forget(Dialects *self, Asking *asking)
{
	Source *source = asking->source;

	g_queue_unlink(&self->seen, &asking->all);
	g_queue_unlink(&source->asking, &asking->own);
	g_free(asking->program);
	g_free(asking);
	if (source->asking.length == 0)
		g_hash_table_remove(self->asking, source->address);
}

void
dialects_free(Dialects *self)
{
	if (!self)
		return;
	while (self->seen.head)
		forget(self, self->seen.head->data);
	g_hash_table_unref(self->programs);
	g_hash_table_unref(self->asking);
	g_free(self);
}

static Asking *
find(const Dialects *self, const char *address, const char *program)
{
	const Source *source = g_hash_table_lookup(self->asking, address);

	for (GList *link = source ? source->asking.head : NULL; link; link = link->next)
		if (strcmp(((Asking *)link->data)->program, program) == 0)
			return link->data;
	return NULL;
}

/* One source takes the places of no other: a stranger that calls itself by many names. */
static Asking *
add(Dialects *self, const char *address, const char *program)
{
	Source *source = g_hash_table_lookup(self->asking, address);
	Asking *asking = g_new0(Asking, 1);

	if (!source) {
		source = g_new0(Source, 1);
		source->address = g_strdup(address);
		g_hash_table_insert(self->asking, source->address, source);
	}
	asking->source = source;
	asking->program = g_strdup(program);
	asking->all.data = asking->own.data = asking;
	g_queue_push_tail_link(&self->seen, &asking->all);
	g_queue_push_tail_link(&source->asking, &asking->own);
	if (source->asking.length > MAX_OF_A_SOURCE)
		forget(self, source->asking.head->data);
	if (self->seen.length > MAX_ASKING)
		forget(self, self->seen.head->data);
	return asking;
}

static void
note(Dialects *self, const char *program, DigestAlgorithm algorithm)
{
	if (g_hash_table_size(self->programs) >= MAX_PROGRAMS)
		g_hash_table_remove_all(self->programs);
	g_hash_table_replace(self->programs, g_strdup(program), GINT_TO_POINTER(algorithm));
}

static char *
name_of(const char *program)
{
	return g_strndup(program ? program : "", MAX_NAME);
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
	g_autofree char *name = name_of(program);
	gint proved = GPOINTER_TO_INT(g_hash_table_lookup(self->programs, name));
	const char *address = source ? source : "";
	Asking *asking;

	/* even so it may choose: another phone of that name may know less */
	if (proved == DIGEST_SHA256)
		return DIGEST_NONE;
	if (proved == DIGEST_MD5 || gives_up(name))
		return DIGEST_MD5;
	asking = find(self, address, name);
	if (!asking) {
		add(self, address, name)->asked = OFFERED_ALL;
		return DIGEST_NONE;
	}
	asking->asked = OFFERED_MD5;
	return DIGEST_MD5;
}

void
dialects_proved(Dialects *self, const char *program, const char *source, DigestAlgorithm used)
{
	g_autofree char *name = name_of(program);
	Asking *asking = find(self, source ? source : "", name);
	gboolean gave_up = asking && asking->asked == OFFERED_MD5;

	if (asking)
		forget(self, asking);
	if (used == DIGEST_SHA256)
		note(self, name, used);
	else if (gave_up && !g_hash_table_contains(self->programs, name))
		note(self, name, DIGEST_MD5);
}
