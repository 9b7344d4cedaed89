/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_unacked.c - see sip_unacked.h. */
#include "plugins/sip/dialog/sip_unacked.h"

static guint
count_of(const SipUa *ua, const char *trunk)
{
	return GPOINTER_TO_UINT(g_hash_table_lookup(ua->unacked, trunk));
}

gboolean
unacked_are_many(SipUa *ua, const char *trunk)
{
	return trunk &&
	       count_of(ua, trunk) >= MAX(UNACKED_MAX, ua->config->max_setup_per_second / 2);
}

void
unacked_begin(SipLeg *leg)
{
	const char *trunk = way_trunk(leg->way);

	if (!trunk || leg->unacked)
		return;
	leg->unacked = TRUE;
	g_hash_table_insert(leg->ua->unacked, g_strdup(trunk),
			    GUINT_TO_POINTER(count_of(leg->ua, trunk) + 1));
}

void
unacked_end(SipLeg *leg)
{
	const char *trunk = way_trunk(leg->way);
	guint count;

	if (!leg->unacked)
		return;
	leg->unacked = FALSE;
	count = count_of(leg->ua, trunk);
	if (count > 1)
		g_hash_table_insert(leg->ua->unacked, g_strdup(trunk), GUINT_TO_POINTER(count - 1));
	else
		g_hash_table_remove(leg->ua->unacked, trunk);
}
