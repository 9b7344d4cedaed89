/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_notice.c - what a person should read of a call, as a chat message.
 *
 * A real message: it is stored for him when he is away (XEP-0334), and a client
 * shows it in the chat with the number.  RFC 6121 5.2.
 */
#include "plugins/xmpp/im.h"
#include "plugins/xmpp/xmpp_leg.h"

void
xmpp_notice(Xmpp *xmpp, const char *account, const Address *number, const char *text)
{
	g_autofree char *from = xmpp_local_of(xmpp, number);
	g_autofree char *id = g_uuid_string_random();
	gboolean named = number->name && *number->name && number->scheme != ADDRESS_ANONYMOUS;
	const ImBuild build = { .from = from,
				.to = account,
				.id = id,
				.body = text,
				.nick = named ? number->name : NULL };

	xmpp_send_whenever(xmpp, im_build(&build));
}
