/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_text_name.h - what a text of ours is called on the wire.
 *
 * Its names follow from its id, so a text that is sent again, by another hop or after a
 * restart, has the same ones.
 * Thread: any (pure).
 */
#pragma once
#include "b2bua/text.h"
#include "db/store.h"

/* Call-ID of the request to this registration (0: a trunk), and the tag of its From.  New. */
char *text_call_id(const Text *text, gint64 contact, const char *domain);
char *text_tag(const Text *text);

/* imdn.Message-ID of a text to this softphone: nobody else can make one of it.  New. */
char *text_imdn_id(gint64 id, const Softphone *softphone);
/* Which text this softphone speaks of; 0: none that it was sent. */
gint64 text_of_imdn_id(const char *name, const Softphone *softphone);
