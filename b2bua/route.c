/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* route.c - who is called.
 *
 *   caller           called                      stages
 *   a user      →    echo                        the echo test
 *   a user      →    number of a user            that user on XMPP
 *   a user      →    any other number            each enabled trunk, by priority
 *   a trunk     →    echo                        the echo test
 *   a trunk     →    number of a user            that user on XMPP
 *
 * Everything else is a refusal.
 * Thread: signalling.
 */
#include "b2bua/route.h"
#include "b2bua/gateway.h"
#include <string.h>

#define ECHO_USER "echo"

typedef struct {
	Gateway *gateway;
	const Address *from, *to;
	const char *caller_trunk;
	Reason reason;
	const char *text;
} Question;

/* --- plans --- */

void
target_free(Target *target)
{
	address_free(target->from);
	address_free(target->to);
	g_free(target->trunk);
	g_free(target);
}

void
stage_free(Stage *stage)
{
	g_ptr_array_unref(stage->targets);
	g_free(stage);
}

void
plan_free(Plan *plan)
{
	if (!plan)
		return;
	g_ptr_array_unref(plan->stages);
	g_free(plan->user);
	g_free(plan->called);
	g_free(plan->trunk);
	g_free(plan);
}

static Plan *
plan_new(const char *user, const char *trunk)
{
	Plan *plan = g_new0(Plan, 1);

	plan->stages = g_ptr_array_new_with_free_func((GDestroyNotify)stage_free);
	plan->user = g_strdup(user);
	plan->trunk = g_strdup(trunk);
	plan->wait_for_media = TRUE;
	return plan;
}

/* Takes from and to. */
static void
plan_add(Plan *plan, const Plugin *plugin, Address *from, Address *to, const Trunk *trunk)
{
	Stage *stage = g_new0(Stage, 1);
	Target *target = g_new0(Target, 1);

	target->plugin = plugin;
	target->from = from;
	target->to = to;
	target->trunk = trunk ? g_strdup(trunk->name) : NULL;
	stage->targets = g_ptr_array_new_with_free_func((GDestroyNotify)target_free);
	stage->ring_seconds = trunk ? trunk->ring_seconds : 0;
	g_ptr_array_add(stage->targets, target);
	g_ptr_array_add(plan->stages, stage);
}

static Plan *
refuse(Question *question, Reason reason, const char *text)
{
	question->reason = reason;
	question->text = text;
	return NULL;
}

/* --- what an address stands for --- */

static gboolean
host_is_ours(Gateway *gateway, const char *host)
{
	const Config *config = gateway_config(gateway);
	const char *ours[] = { config->xmpp_domain, config->sip_domain, config->sip_address,
			       config->sip_public_address };

	for (guint i = 0; i < G_N_ELEMENTS(ours); i++)
		if (host && ours[i] && g_ascii_strcasecmp(host, ours[i]) == 0)
			return TRUE;
	return FALSE;
}

static gboolean
is_echo(Gateway *gateway, const Address *to)
{
	return (to->scheme == ADDRESS_JID || to->scheme == ADDRESS_SIP) &&
	       g_strcmp0(to->user, ECHO_USER) == 0 && host_is_ours(gateway, to->host);
}

/* The number that is called, or NULL. */
static char *
called_number(Gateway *gateway, const Address *to)
{
	char *number = NULL;

	switch (to->scheme) {
	case ADDRESS_JID:
	case ADDRESS_SIP:
		if (!host_is_ours(gateway, to->host))
			return NULL;
		break;
	case ADDRESS_NUMBER:
		break;
	case ADDRESS_ANONYMOUS:
		return NULL;
	}
	number_normalise(to->user, &number);
	return number;
}

/* A number of ours as carriers write it: with or without the "+". */
static char *
called_by_trunk(Gateway *gateway, const Address *to)
{
	char *number = called_number(gateway, to);
	g_autofree char *with_plus = NULL;

	if (number || to->scheme == ADDRESS_ANONYMOUS || !to->user)
		return number;
	with_plus = g_strconcat("+", to->user, NULL);
	number_normalise(with_plus, &number);
	return number;
}

static User *
user_by_number(Gateway *gateway, const char *number)
{
	g_autoptr(User) user = store_user_by_number(gateway_store(gateway), number, NULL);

	return user && user->enabled ? g_steal_pointer(&user) : NULL;
}

static Address *
number_here(Gateway *gateway, const char *number)
{
	return address_new(ADDRESS_NUMBER, number, gateway_config(gateway)->xmpp_domain, NULL);
}

/* --- plans for each kind of call --- */

static Plan *
route_echo(Question *question, const char *user)
{
	const Plugin *echo = gateway_plugin(question->gateway, "echo");
	Plan *plan;

	if (!echo)
		return refuse(question, REASON_NOT_FOUND, "there is no echo test here");
	plan = plan_new(user, question->caller_trunk);
	plan_add(plan, echo, address_copy(question->from), address_copy(question->to), NULL);
	return plan;
}

/* Takes `from`: as the callee shall see the caller. */
static Plan *
route_to_user(Question *question, const char *counts_for, const User *callee, Address *from)
{
	const Plugin *xmpp = gateway_plugin(question->gateway, "xmpp");
	g_autoptr(Address) seen = from, to = address_from_jid(callee->jid);
	Plan *plan;

	if (!xmpp || !to)
		return refuse(question, REASON_UNREACHABLE, NULL);
	plan = plan_new(counts_for, question->caller_trunk);
	plan->called = g_strdup(callee->jid);
	plan_add(plan, xmpp, g_steal_pointer(&seen), g_steal_pointer(&to), NULL);
	return plan;
}

static Plan *
route_to_trunks(Question *question, const User *caller, const char *number)
{
	const Plugin *sip = gateway_plugin(question->gateway, "sip");
	g_autoptr(GPtrArray) trunks = NULL;
	g_autoptr(Plan) plan = NULL;

	if (!caller->caller_id)
		return refuse(question, REASON_FORBIDDEN,
			      "your account has no number to call from");
	trunks = store_trunk_list(gateway_store(question->gateway), NULL);
	for (guint i = 0; sip && trunks && i < trunks->len; i++) {
		const Trunk *trunk = trunks->pdata[i];

		if (!trunk->enabled)
			continue;
		if (!plan)
			plan = plan_new(caller->jid, trunk->name);
		plan_add(plan, sip, number_here(question->gateway, caller->caller_id),
			 address_new(ADDRESS_NUMBER, number, NULL, NULL), trunk);
	}
	if (!plan)
		return refuse(question, REASON_NETWORK_ERROR, "no telephone network is connected");
	return g_steal_pointer(&plan);
}

static Plan *
route_from_user(Question *question)
{
	Gateway *gateway = question->gateway;
	g_autofree char *jid = NULL, *number = NULL;
	g_autoptr(User) caller = NULL, callee = NULL;

	if (question->from->scheme != ADDRESS_JID)
		return refuse(question, REASON_FORBIDDEN, "you have no account here");
	jid = address_bare_jid(question->from);
	caller = store_user_get(gateway_store(gateway), jid, NULL);
	if (!caller || !caller->enabled)
		return refuse(question, REASON_FORBIDDEN, "you have no account here");
	if (is_echo(gateway, question->to))
		return route_echo(question, caller->jid);
	number = called_number(gateway, question->to);
	if (!number)
		return refuse(question, REASON_NOT_FOUND, "not a telephone number");
	callee = user_by_number(gateway, number);
	if (!callee)
		return route_to_trunks(question, caller, number);
	return route_to_user(question, caller->jid, callee,
			     caller->caller_id ? number_here(gateway, caller->caller_id)
					       : address_new(ADDRESS_ANONYMOUS, NULL, NULL, NULL));
}

static Plan *
route_from_trunk(Question *question)
{
	Gateway *gateway = question->gateway;
	g_autoptr(Trunk) trunk =
		store_trunk_get(gateway_store(gateway), question->caller_trunk, NULL);
	g_autofree char *number = NULL;
	g_autoptr(User) callee = NULL;
	Plan *plan;

	if (!trunk || !trunk->enabled)
		return refuse(question, REASON_FORBIDDEN, "no such trunk");
	if (is_echo(gateway, question->to)) {
		plan = route_echo(question, NULL);
	} else {
		number = called_by_trunk(gateway, question->to);
		callee = number ? user_by_number(gateway, number) : NULL;
		if (!callee)
			return refuse(question, REASON_NOT_FOUND, NULL);
		plan = route_to_user(question, callee->jid, callee, address_copy(question->from));
	}
	if (plan)
		plan->wait_for_media = trunk->wait_for_media;
	return plan;
}

Plan *
route(Gateway *gateway, const Plugin *caller_plugin, const Address *from, const Address *to,
      const char *caller_trunk, Reason *reason, const char **text)
{
	Question question = { gateway, from, to, caller_trunk, REASON_NONE, NULL };
	Plan *plan = caller_trunk ? route_from_trunk(&question) : route_from_user(&question);

	*reason = question.reason;
	*text = question.text;
	return plan;
}

gboolean
route_dialable(Gateway *gateway, const Address *to)
{
	g_autofree char *number = NULL;
	g_autoptr(GPtrArray) trunks = NULL;
	g_autoptr(User) user = NULL;

	if (is_echo(gateway, to))
		return gateway_plugin(gateway, "echo") != NULL;
	number = called_number(gateway, to);
	if (!number)
		return FALSE;
	user = user_by_number(gateway, number);
	if (user)
		return TRUE;
	trunks = store_trunk_list(gateway_store(gateway), NULL);
	for (guint i = 0; trunks && i < trunks->len; i++)
		if (((const Trunk *)trunks->pdata[i])->enabled)
			return TRUE;
	return FALSE;
}
