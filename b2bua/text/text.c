/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* text.c - what plugins tell of texts, see b2bua/text.h.
 *
 * Thread: signalling.
 */
#include "b2bua/text.h"

void
text_new(Gateway *gateway G_GNUC_UNUSED, const Plugin *plugin G_GNUC_UNUSED,
	 const TextIn *text G_GNUC_UNUSED, TextAnswered answered, gpointer user)
{
	answered(user, TEXT_REFUSED, REASON_FORBIDDEN,
		 "telephone numbers can be called here, but take no text messages");
}

/* Nothing has been sent. */

void
text_sent(Gateway *gateway G_GNUC_UNUSED, gint64 id G_GNUC_UNUSED)
{
}

void
text_delivered(Gateway *gateway G_GNUC_UNUSED, gint64 id G_GNUC_UNUSED)
{
}

void
text_failed(Gateway *gateway G_GNUC_UNUSED, gint64 id G_GNUC_UNUSED, gboolean again G_GNUC_UNUSED,
	    Reason reason G_GNUC_UNUSED, const char *words G_GNUC_UNUSED)
{
}

void
text_way_is_up(Gateway *gateway G_GNUC_UNUSED, WayKind kind G_GNUC_UNUSED,
	       const char *key G_GNUC_UNUSED)
{
}
