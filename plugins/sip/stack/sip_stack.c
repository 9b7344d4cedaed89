/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_stack.c - what sofia's stack would do by itself, and must not. */
#include "plugins/sip/stack/sip_stack.h"
#include "plugins/sip/stack/sip_guard.h"
#include "config.h"
#include <dlfcn.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/nta_stateless.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_parser.h>
#include <sofia-sip/sip_protos.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/sip_util.h>
#include <sofia-sip/su_tagarg.h>
#include <string.h>

typedef nta_agent_t *(*CreateFunc)(su_root_t *root, url_string_t const *name,
				   nta_message_f *callback, nta_agent_magic_t *magic,
				   tag_type_t tag, tag_value_t value, ...);

typedef nta_outgoing_t *(*SendFunc)(nta_agent_t *self, nta_response_f *callback,
				    nta_outgoing_magic_t *magic, url_string_t const *route_url,
				    msg_t *msg, tag_type_t tag, tag_value_t value, ...);

static const StackDialogs *served; /* NULL: nobody */
static gpointer served_user;
static nta_agent_t *agent;

/* What sofia calls instead of its own. */
void *
sres_resolver_create(su_root_t *root, char const *config, tag_type_t tag, tag_value_t value, ...);
int nta_msg_ackbye(nta_agent_t *self, msg_t *msg);

void
stack_serve(const StackDialogs *dialogs, gpointer user)
{
	served = dialogs;
	served_user = user;
	if (!dialogs)
		agent = NULL;
}

void *
sres_resolver_create(su_root_t *root, char const *config, tag_type_t tag, tag_value_t value, ...)
{
	(void)root;
	(void)config;
	(void)tag;
	(void)value;
	return NULL;
}

/* Headers that a user agent reads: a message is refused, or dropped, for a bad one.  Sofia's own
 * choice, but for what sip_guard.h says of answers. */
#define READ_BY_US \
	(sip_mask_ua | sip_mask_100rel | sip_mask_events | sip_mask_timer | sip_mask_publish)

static void
choose_errors(nta_agent_t *self)
{
	nta_agent_set_params(self,
			     NTATAG_BAD_REQ_MASK(sip_mask_request | READ_BY_US | GUARD_WAY_ERROR),
			     NTATAG_BAD_RESP_MASK(sip_mask_response | READ_BY_US), TAG_END());
}

nta_agent_t *
nta_agent_create(su_root_t *root, url_string_t const *name, nta_message_f *callback,
		 nta_agent_magic_t *magic, tag_type_t tag, tag_value_t value, ...)
{
	static CreateFunc original;
	ta_list ta;

	if (!original)
		original = (CreateFunc)dlsym(RTLD_NEXT, "nta_agent_create");
	ta_start(ta, tag, value);
	agent = original(root, name, callback, magic, TAG_NEXT(ta_args(ta)));
	(void)ta_end(ta);
	if (agent)
		choose_errors(agent);
	return agent;
}

/* --- without a transaction --- */

static char *
tag_of(const sip_t *sip)
{
	static guint64 secret[2];
	g_autofree char *text =
		g_strdup_printf("%s %s %s", sip->sip_call_id->i_id,
				sip->sip_from->a_tag ? sip->sip_from->a_tag : "",
				sip->sip_via->v_branch ? sip->sip_via->v_branch : "");
	g_autofree char *hash = NULL;

	if (!secret[0])
		for (guint i = 0; i < G_N_ELEMENTS(secret); i++)
			secret[i] = ((guint64)g_random_int() << 32 | g_random_int()) | 1;
	hash = g_compute_hmac_for_string(G_CHECKSUM_SHA1, (const guchar *)secret, sizeof secret,
					 text, -1);
	return g_strdup_printf("tag=%.16s", hash);
}

void
stack_answer(msg_t *request, tport_t *transport, int status, const char *phrase, tag_type_t tag,
	     tag_value_t value, ...)
{
	sip_t *sip = sip_object(request);
	g_autofree char *own = tag_of(sip);
	ta_list ta;

	if (!agent) {
		msg_destroy(request);
		return;
	}
	sip_to_tag(msg_home(request), sip->sip_to, own);
	ta_start(ta, tag, value);
	nta_msg_treply(agent, request, status, phrase, NTATAG_TPORT(transport),
		       SIPTAG_SUPPORTED_STR(UA_SUPPORTED),
		       SIPTAG_USER_AGENT_STR("tandem/" PACKAGE_VERSION), TAG_NEXT(ta_args(ta)));
	(void)ta_end(ta);
}

/* --- 100 Trying --- */

static nta_response_f *response_of_nua; /* one function, for every request of nua's */

static int
on_invite_response(nta_outgoing_magic_t *magic, nta_outgoing_t *request, const sip_t *sip)
{
	if (!sip || !sip->sip_status || sip->sip_status->st_status != 100 ||
	    nta_sip_is_internal(sip))
		return response_of_nua(magic, request, sip);
	if (served)
		served->trying(served_user, sip);
	return 0;
}

nta_outgoing_t *
nta_outgoing_mcreate(nta_agent_t *self, nta_response_f *callback, nta_outgoing_magic_t *magic,
		     url_string_t const *route_url, msg_t *msg, tag_type_t tag, tag_value_t value,
		     ...)
{
	static SendFunc original;
	const sip_t *sip = msg && msg != (msg_t *)-1 ? sip_object(msg) : NULL;
	gboolean invite = callback && sip && sip->sip_request &&
			  sip->sip_request->rq_method == sip_method_invite;
	nta_outgoing_t *request;
	ta_list ta;

	if (!original)
		original = (SendFunc)dlsym(RTLD_NEXT, "nta_outgoing_mcreate");
	if (invite)
		response_of_nua = callback;
	ta_start(ta, tag, value);
	request = original(self, invite ? on_invite_response : callback, magic, route_url, msg,
			   TAG_IF(invite, NTATAG_PASS_100(1)), TAG_NEXT(ta_args(ta)));
	(void)ta_end(ta);
	return request;
}

/* --- a call that nobody wants --- */

/* An ACK or a BYE of the dialog that this answer begins, with its route set. */
static msg_t *
make_request(nta_agent_t *self, const sip_t *answer, guint32 cseq, const char *method)
{
	msg_t *msg = nta_msg_create(self, 0);
	sip_t *sip = sip_object(msg);
	su_home_t *home = msg_home(msg);
	sip_route_t *route = sip_route_reverse(home, answer->sip_record_route), **end, last[1];
	const url_t *uri = answer->sip_contact ? answer->sip_contact->m_url : answer->sip_to->a_url;

	if (route && !url_has_param(route->r_url, "lr")) { /* RFC 3261 12.2.1.1 */
		sip_route_init(last);
		*last->r_url = *uri;
		for (end = &route->r_next; *end; end = &(*end)->r_next)
			;
		*end = sip_route_dup(home, last);
		uri = route->r_url;
		route = route->r_next;
	}
	sip_add_tl(msg, sip, SIPTAG_TO(answer->sip_to), SIPTAG_FROM(answer->sip_from),
		   SIPTAG_CALL_ID(answer->sip_call_id), TAG_IF(route, SIPTAG_ROUTE(route)),
		   TAG_END());
	sip_add_dup(msg, sip,
		    (sip_header_t *)sip_cseq_create(home, cseq, sip_method_code(method), method));
	sip_add_dup(msg, sip,
		    (sip_header_t *)sip_request_create(home, sip_method_code(method), method,
						       (const url_string_t *)uri, NULL));
	return msg;
}

/* Takes the message.  FALSE: it cannot be sent. */
static gboolean
send_off(nta_agent_t *self, msg_t *msg, const char *hop, tag_type_t tag, tag_value_t value, ...)
{
	nta_outgoing_t *request;
	ta_list ta;

	ta_start(ta, tag, value);
	request = nta_outgoing_mcreate(self, NULL, NULL, NULL, msg, NTATAG_DEFAULT_PROXY(hop),
				       TAG_NEXT(ta_args(ta)));
	(void)ta_end(ta);
	if (!request)
		msg_destroy(msg);
	else
		nta_outgoing_destroy(request); /* it goes on by itself */
	return request != NULL;
}

static void
send_request(nta_agent_t *self, msg_t *msg, const char *hop, const char *ack_branch)
{
	send_off(self, msg, hop, TAG_IF(ack_branch, NTATAG_ACK_BRANCH(ack_branch)),
		 TAG_IF(ack_branch, NTATAG_STATELESS(1)), TAG_END());
}

/* A 200 of another fork than the one that was taken (RFC 3261 13.2.2.4). */
int
nta_msg_ackbye(nta_agent_t *self, msg_t *msg)
{
	const sip_t *sip = sip_object(msg);
	g_autofree char *hop = served ? served->hop_of_answer(served_user, msg) : NULL;
	guint32 cseq = sip->sip_cseq->cs_seq;

	if (!hop)
		return -1;
	send_request(self, make_request(self, sip, cseq, "ACK"), hop, sip->sip_via->v_branch);
	send_request(self, make_request(self, sip, cseq + 1, "BYE"), hop, NULL);
	msg_destroy(msg);
	return 0;
}

gboolean
stack_send(const char *request_line, const char *headers, const char *hop)
{
	msg_t *msg = agent ? nta_msg_create(agent, 0) : NULL;
	sip_t *sip = msg ? sip_object(msg) : NULL;

	if (!msg)
		return FALSE;
	if (sip_add_tl(msg, sip, SIPTAG_REQUEST_STR(request_line), SIPTAG_HEADER_STR(headers),
		       TAG_END()) >= 0)
		return send_off(agent, msg, hop, NTATAG_USER_VIA(1), TAG_END());
	msg_destroy(msg);
	return FALSE;
}

void
stack_ask(const char *uri, const char *from, const char *route, const char *hop)
{
	msg_t *msg = agent ? nta_msg_create(agent, 0) : NULL;
	sip_t *sip = msg ? sip_object(msg) : NULL;
	su_home_t *home = msg ? msg_home(msg) : NULL;
	g_autofree char *line = g_strdup_printf("OPTIONS %s SIP/2.0", uri);
	g_autofree char *to = g_strdup_printf("<%s>", uri);
	g_autofree char *tagged = g_strdup_printf("%s;tag=%08x", from, g_random_int());

	if (!msg)
		return;
	if (sip_add_tl(msg, sip, SIPTAG_REQUEST_STR(line), SIPTAG_TO_STR(to),
		       SIPTAG_FROM_STR(tagged), TAG_IF(route, SIPTAG_ROUTE_STR(route)),
		       SIPTAG_CALL_ID(sip_call_id_create(home, NULL)), SIPTAG_CSEQ_STR("1 OPTIONS"),
		       SIPTAG_MAX_FORWARDS_STR("70"), TAG_END()) >= 0)
		send_off(agent, msg, hop, NTATAG_STATELESS(1), TAG_END());
	else
		msg_destroy(msg);
}
