/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_early.c - what is agreed on before an INVITE is answered. */
#include "plugins/sip/dialog/sip_early.h"
#include <string.h>

#define MAX_FORKS 8 /* that are kept */

typedef struct {
	const Desc *said; /* the first answer, or the last preview */
	const Desc *now;  /* what holds */
} Early;

static void
set_desc(const Desc **place, const Desc *desc)
{
	const Desc *old = *place;

	*place = desc_ref(desc);
	desc_unref(old);
}

void
early_free(gpointer data)
{
	Early *early = data;

	desc_unref(early->said);
	desc_unref(early->now);
	g_free(early);
}

gboolean
early_is_same(const Desc *one, const Desc *other)
{
	g_autofree char *was = one ? desc_summary(one) : g_strdup("");
	g_autofree char *is = other ? desc_summary(other) : g_strdup("");

	return strcmp(was, is) == 0 && crypto_same(one, other);
}

static Early *
find(SipLeg *leg, const char *tag)
{
	Early *early = g_hash_table_lookup(leg->early, tag);

	if (!early && g_hash_table_size(leg->early) < MAX_FORKS) {
		early = g_new0(Early, 1);
		g_hash_table_insert(leg->early, g_strdup(tag), early);
	}
	return early;
}

Desc *
early_hear(SipLeg *leg, const sip_t *response, const Desc *said)
{
	const char *tag = response && response->sip_to ? response->sip_to->a_tag : NULL;
	Early *early = tag ? find(leg, tag) : NULL;
	gboolean agreed = early && g_strcmp0(leg->agreed_tag, tag) == 0;

	if (!early)
		return said ? desc_ref(said) : NULL;
	if (said && !(agreed && early_is_same(early->said, said))) {
		set_desc(&early->now, said);
		if (!agreed)
			set_desc(&early->said, said);
	}
	if (said && response->sip_rseq && response->sip_status->st_status < 200) {
		g_free(leg->agreed_tag);
		leg->agreed_tag = g_strdup(tag);
	}
	return early->now ? desc_ref(early->now) : NULL;
}

void
early_agree(SipLeg *leg, const Desc *theirs)
{
	Early *early = leg->agreed_tag ? g_hash_table_lookup(leg->early, leg->agreed_tag) : NULL;

	if (early && theirs)
		set_desc(&early->now, theirs);
}

guint
early_refusal(const SipLeg *leg, const sip_t *request)
{
	const char *tag = request && request->sip_from ? request->sip_from->a_tag : NULL;

	if (leg->change != CHANGE_NONE)
		return 491;
	switch (leg->state) {
	case STATE_CALLING:
		return tag && g_strcmp0(leg->agreed_tag, tag) == 0 ? 0 : 491;
	case STATE_INVITED:
		return leg->answered_early ? 0 : 500;
	case STATE_ANSWERED:
		return leg->offerless ? 491 : 0;
	case STATE_UP:
		return 0;
	case STATE_RESOLVING:
	case STATE_ENDING:
		break;
	}
	return 491;
}
