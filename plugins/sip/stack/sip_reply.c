/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_reply.c - see sip_reply.h. */
#include "plugins/sip/stack/sip_reply.h"
#include "plugins/sip/stack/sip_stack.h"
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_tagarg.h>

void
reply_say(const Reply *reply, int status, const char *phrase, tag_type_t tag, tag_value_t value,
	  ...)
{
	ta_list ta;

	ta_start(ta, tag, value);
	if (reply->nh)
		nua_respond(reply->nh, status, phrase, NUTAG_WITH_THIS(reply->nua),
			    TAG_NEXT(ta_args(ta)));
	else
		stack_answer(reply->message, reply->transport, status, phrase,
			     SIPTAG_ALLOW_STR(reply->allow), TAG_NEXT(ta_args(ta)));
	(void)ta_end(ta);
}
