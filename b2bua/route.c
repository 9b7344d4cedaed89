/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* route.c - who is called.
 *
 *   caller           called                      stages
 *   a user      →    echo                        the echo test
 *   a user      →    number of a user            that user's devices
 *   a user      →    name of a softphone         its user's devices
 *   a user      →    any other number            each enabled trunk, by priority
 *   a trunk     →    echo                        the echo test
 *   a trunk     →    number of a user            that user's devices
 *
 * A user's devices are his XMPP clients and his registered softphones, together
 * or one after the other (user set JID ring=…).
 *
 * Everything else is a refusal.
 * Thread: signalling.
 */
#include "b2bua/route.h"
#include "b2bua/gateway.h"
#include "b2bua/number.h"
#include "b2bua/setting.h"
#include <string.h>

#define ECHO_USER  "echo"
#define MAX_PHONES 16 /* softphones of a user that ring at once */

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
	g_free(plan->number);
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

static Stage *
plan_stage(Plan *plan, guint ring_seconds)
{
	Stage *stage = g_new0(Stage, 1);

	stage->targets = g_ptr_array_new_with_free_func((GDestroyNotify)target_free);
	stage->ring_seconds = ring_seconds;
	g_ptr_array_add(plan->stages, stage);
	return stage;
}

/* Takes from and to. */
static Target *
stage_add(Stage *stage, const Plugin *plugin, Address *from, Address *to)
{
	Target *target = g_new0(Target, 1);

	target->plugin = plugin;
	target->from = from;
	target->to = to;
	g_ptr_array_add(stage->targets, target);
	return target;
}

/* Takes from and to. */
static void
plan_add(Plan *plan, const Plugin *plugin, Address *from, Address *to, const Trunk *trunk)
{
	Stage *stage = plan_stage(plan, trunk ? trunk->ring_seconds : 0);
	Target *target = stage_add(stage, plugin, from, to);

	target->trunk = trunk ? g_strdup(trunk->name) : NULL;
	target->accept_early = trunk && g_strcmp0(trunk->early_media, "accept") == 0;
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

/* Where a user is at home, or NULL. */
static char *
home_of(Gateway *gateway, const char *account)
{
	char *country =
		account ? setting_text(gateway_store(gateway), account, SETTING_COUNTRY) : NULL;

	return country ? country : g_strdup(gateway_config(gateway)->country);
}

/* A softphone writes digits at whatever it takes for our name. */
static gboolean
is_digits(const char *user)
{
	return user && user[strspn(user, "0123456789")] == '\0';
}

/* The number that a user calls, or NULL. */
static char *
called_number(Gateway *gateway, const char *account, const Address *to)
{
	g_autofree char *home = home_of(gateway, account), *text = NULL;
	char *number = NULL;

	switch (to->scheme) {
	case ADDRESS_JID:
	case ADDRESS_SIP:
		if (!host_is_ours(gateway, to->host) &&
		    !(to->scheme == ADDRESS_SIP && is_digits(to->user)))
			return NULL;
		break;
	case ADDRESS_NUMBER:
		break;
	case ADDRESS_ANONYMOUS:
		return NULL;
	}
	text = to->user ? number_unescape(to->user) : NULL;
	number_dialled(text, home, &number);
	return number;
}

static const char *
country_of(const Trunk *trunk)
{
	return trunk->country && *trunk->country ? trunk->country : NULL;
}

/* A number of ours as this carrier writes it. */
static char *
called_by_trunk(const Trunk *trunk, const Address *to)
{
	char *number = NULL;

	number_from_carrier(to->user, country_of(trunk), &number);
	return number;
}

/* Who calls, as this carrier writes him. */
static Address *
caller_by_trunk(const Trunk *trunk, const Address *from)
{
	g_autofree char *number = NULL;
	g_autoptr(Address) address = NULL;

	if (from->scheme != ADDRESS_SIP || !is_digits(from->user) ||
	    !number_from_carrier(from->user, country_of(trunk), &number))
		return address_copy(from);
	address = address_new(ADDRESS_NUMBER, number, from->host, NULL);
	return address_with_name(address, from->name);
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

static Address *
number_at(const Trunk *trunk, const char *number)
{
	g_autofree char *sent =
		number_to_carrier(number, trunk->number_form, trunk->number_prefix, trunk->country);

	return address_new(ADDRESS_NUMBER, sent, NULL, NULL);
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

/* --- the devices of a user --- */

static const struct {
	const char *name;
	const char *stages[2]; /* 'x' and 's' ring in this one */
} RING_ORDERS[] = {
	{ "both", { "xs", "" } },
	{ "xmpp", { "x", "" } },
	{ "sip", { "s", "" } },
	{ "xmpp-then-sip", { "x", "s" } },
	{ "sip-then-xmpp", { "s", "x" } },
};

static void
add_clients(Question *question, Stage *stage, const User *callee, const Address *seen)
{
	const Plugin *xmpp = gateway_plugin(question->gateway, "xmpp");
	Address *to = xmpp ? address_from_jid(callee->jid) : NULL;

	if (to)
		stage_add(stage, xmpp, address_copy(seen), to);
}

static void
add_phones(Question *question, Stage *stage, const User *callee, const Address *seen)
{
	const Plugin *sip = gateway_plugin(question->gateway, "sip");
	g_autoptr(GPtrArray) contacts =
		store_contact_list_of_user(gateway_store(question->gateway), callee->jid, NULL);

	for (guint i = 0; sip && contacts && i < MIN(contacts->len, MAX_PHONES); i++) {
		const Contact *contact = contacts->pdata[i];
		Address *to = address_new(ADDRESS_SIP, contact->username,
					  gateway_config(question->gateway)->sip_domain, NULL);

		stage_add(stage, sip, address_copy(seen), to)->contact = contact->id;
	}
}

static void
add_devices(Question *question, Plan *plan, const User *callee, const Address *seen)
{
	guint first_ring = gateway_config(question->gateway)->first_ring_s;
	g_autofree char *ring =
		setting_text(gateway_store(question->gateway), callee->jid, SETTING_RING);
	guint order = 0;

	for (guint i = 0; i < G_N_ELEMENTS(RING_ORDERS); i++)
		if (g_strcmp0(RING_ORDERS[i].name, ring) == 0)
			order = i;
	for (guint i = 0; i < G_N_ELEMENTS(RING_ORDERS[order].stages); i++) {
		const char *who = RING_ORDERS[order].stages[i];
		gboolean more = i == 0 && RING_ORDERS[order].stages[1][0];
		Stage *stage = plan_stage(plan, more ? first_ring : 0);

		stage->then_others = more;
		if (strchr(who, 'x'))
			add_clients(question, stage, callee, seen);
		if (strchr(who, 's'))
			add_phones(question, stage, callee, seen);
		if (stage->targets->len == 0)
			g_ptr_array_remove(plan->stages, stage);
	}
}

/* Takes `from`: as the callee shall see the caller. */
static Plan *
route_to_user(Question *question, const char *counts_for, const User *callee, Address *from)
{
	g_autoptr(Address) seen = from;
	g_autoptr(Plan) plan = plan_new(counts_for, question->caller_trunk);

	plan->called = g_strdup(callee->jid);
	add_devices(question, plan, callee, seen);
	return plan->stages->len ? g_steal_pointer(&plan)
				 : refuse(question, REASON_UNREACHABLE, NULL);
}

/* "sip:desk@gw": the user whose softphone is called so. */
static User *
user_by_softphone(Gateway *gateway, const Address *to)
{
	g_autoptr(Softphone) softphone = NULL;
	g_autoptr(User) user = NULL;

	if (to->scheme != ADDRESS_SIP || !host_is_ours(gateway, to->host))
		return NULL;
	softphone = store_softphone_get(gateway_store(gateway), to->user, NULL);
	user = softphone ? store_user_get(gateway_store(gateway), softphone->user, NULL) : NULL;
	return user && user->enabled ? g_steal_pointer(&user) : NULL;
}

/* A trunk that does not answer is no reason to give up, but the last to be asked. */
static void
last_those_down(const Plugin *plugin, GPtrArray *trunks)
{
	guint left = trunks->len;

	for (guint i = 0; plugin->available && left > 0; left--) {
		Trunk *trunk = trunks->pdata[i];

		if (plugin->available(trunk->name))
			i++;
		else
			g_ptr_array_add(trunks, g_ptr_array_steal_index(trunks, i));
	}
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
	if (sip && trunks)
		last_those_down(sip, trunks);
	for (guint i = 0; sip && trunks && i < trunks->len; i++) {
		const Trunk *trunk = trunks->pdata[i];

		if (!trunk->enabled)
			continue;
		if (!plan)
			plan = plan_new(caller->jid, trunk->name);
		plan_add(plan, sip, number_here(question->gateway, caller->caller_id),
			 number_at(trunk, number), trunk);
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
	Plan *plan;

	if (question->from->scheme != ADDRESS_JID)
		return refuse(question, REASON_FORBIDDEN, "you have no account here");
	jid = address_bare_jid(question->from);
	caller = store_user_get(gateway_store(gateway), jid, NULL);
	if (!caller || !caller->enabled)
		return refuse(question, REASON_FORBIDDEN, "you have no account here");
	if (is_echo(gateway, question->to))
		return route_echo(question, caller->jid);
	callee = user_by_softphone(gateway, question->to);
	number = callee ? NULL : called_number(gateway, caller->jid, question->to);
	if (!callee && !number)
		return refuse(question, REASON_NOT_FOUND, "not a telephone number");
	if (!callee)
		callee = user_by_number(gateway, number);
	if (!callee)
		plan = route_to_trunks(question, caller, number);
	else
		plan = route_to_user(question, caller->jid, callee,
				     caller->caller_id
					     ? number_here(gateway, caller->caller_id)
					     : address_new(ADDRESS_ANONYMOUS, NULL, NULL, NULL));
	if (plan)
		plan->number = g_steal_pointer(&number);
	return plan;
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
		number = called_by_trunk(trunk, question->to);
		callee = number ? user_by_number(gateway, number) : NULL;
		if (!callee)
			return refuse(question, REASON_NOT_FOUND, NULL);
		plan = route_to_user(question, callee->jid, callee,
				     caller_by_trunk(trunk, question->from));
		if (plan)
			plan->number = g_steal_pointer(&number);
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
route_dialable(Gateway *gateway, const char *account_or_null, const Address *to)
{
	g_autofree char *number = NULL;
	g_autoptr(GPtrArray) trunks = NULL;
	g_autoptr(User) user = NULL;

	if (is_echo(gateway, to))
		return gateway_plugin(gateway, "echo") != NULL;
	number = called_number(gateway, account_or_null, to);
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
