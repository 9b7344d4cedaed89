/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_form.h - a data form that was filled in, and pages as data forms.
 *
 * What is read is bounded: so many fields, so many bytes of each; of a name that is there twice
 * the first one counts.  Several values of a field are one, by ",".
 * Thread: any (pure).  XEP-0004, XEP-0050.
 */
#pragma once
#include "b2bua/desk.h"
#include "plugins/xmpp/xml.h"

#define XMPP_FORM_MAX_FIELDS 200
#define XMPP_FORM_MAX_BYTES  8192 /* of a value */

/* What a <command/> asks; free with xmpp_command_free(). */
typedef struct {
	char *node, *session; /* session NULL: it begins */
	DeskAction action;
	char **names, **values;
} XmppCommand;

/* NULL: it has no node, an action that there is not, or a form that is not "submit" or "cancel". */
XmppCommand *xmpp_command_read(const xmlNode *command);
void xmpp_command_free(XmppCommand *command); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(XmppCommand, xmpp_command_free)

/* <command/> of DESK_ASKS, DESK_DONE or DESK_CANCELLED, new. */
xmlNode *xmpp_command_build(const DeskPage *page);
