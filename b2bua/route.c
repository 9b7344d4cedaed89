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
#include "b2bua/numberplan.h"
#include "b2bua/setting.h"
#include "b2bua/way_out.h"
#include <string.h>

#define ECHO_USER  "echo"
#define MAX_PHONES 16 /* softphones of a user that ring at once */

typedef struct {
	Gateway *gateway;
	const Address *from, *to;
	const char *caller_trunk;
	Reason reason;
	const char *text;
	gboolean withheld; /* a user calls who hides his number from telephones */
} Question;

/* --- plans --- */

void
target_free(Target *target)
{
	address_free(target->from);
	address_free(target->to);
	g_free(target->trunk);
	g_free(target->location);
	g_free(target->diverted_by);
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
static Target *
plan_add(Plan *plan, const Plugin *plugin, Address *from, Address *to, const Trunk *trunk)
{
	Stage *stage = plan_stage(plan, trunk ? trunk->ring_seconds : 0);
	Target *target = stage_add(stage, plugin, from, to);

	target->trunk = trunk ? g_strdup(trunk->name) : NULL;
	target->accept_early = trunk && g_strcmp0(trunk->early_media, "accept") == 0;
	return target;
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
	g_autofree char *home = user_country(gateway, account), *text = NULL;
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

/* As others see a user who calls. */
static Address *
caller_seen(Gateway *gateway, const User *caller)
{
	return caller->caller_id ? number_here(gateway, caller->caller_id)
				 : address_new(ADDRESS_ANONYMOUS, NULL, NULL, NULL);
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

/* --- forwards --- */

/* Strangers do not call for help by calling him, and he is not called twice.  The
 * carrier would bring a number of ours back, that of a user who is switched off. */
static gboolean
leads_nowhere(Gateway *gateway, const User *callee, const char *number, const User *owner)
{
	g_autofree char *country = user_country(gateway, callee->jid);

	return number_is_emergency(number, country) ||
	       (owner && (!owner->enabled || strcmp(owner->jid, callee->jid) == 0));
}

/* One hop: the forwards of the one who is forwarded to are not followed, so there
 * is no loop.  What it costs counts for the one who forwards. */
static void
add_forward(Question *question, Plan *plan, const User *callee, const Address *seen, Reason when)
{
	static const struct {
		Reason when;
		Setting setting;
	} SETTINGS[] = { { REASON_NONE, SETTING_FORWARD_ALWAYS },
			 { REASON_BUSY, SETTING_FORWARD_BUSY },
			 { REASON_NO_ANSWER, SETTING_FORWARD_NO_ANSWER },
			 { REASON_UNREACHABLE, SETTING_FORWARD_UNREACHABLE } };
	Gateway *gateway = question->gateway;
	const Plugin *sip = gateway_plugin(gateway, "sip");
	g_autofree char *number = NULL;
	g_autoptr(User) owner = NULL;
	g_autoptr(WayOut) way = NULL;
	guint first = plan->stages->len;

	for (guint i = 0; i < G_N_ELEMENTS(SETTINGS); i++)
		if (SETTINGS[i].when == when)
			number = setting_text(gateway_store(gateway), callee->jid,
					      SETTINGS[i].setting);
	if (!number)
		return;
	owner = store_user_by_number(gateway_store(gateway), number, NULL);
	if (leads_nowhere(gateway, callee, number, owner))
		return;
	way = owner ? NULL : way_out(gateway, callee->jid, number);
	if (owner)
		add_devices(question, plan, owner, seen);
	for (guint i = 0; way && sip && i < way->trunks->len; i++) {
		const Trunk *trunk = way->trunks->pdata[i];
		Target *target =
			plan_add(plan, sip, address_copy(seen), number_at(trunk, number), trunk);

		target->withheld = question->withheld;
		target->diverted_by = g_strdup(callee->caller_id);
		target->diverted_as = when;
	}
	if (plan->stages->len > first)
		((Stage *)plan->stages->pdata[first])->forward_when = when;
}

static gboolean
matches(const char *pattern, const char *number)
{
	gsize length = strlen(pattern);

	return strcmp(pattern, number) == 0 || (length > 1 && pattern[length - 1] == '*' &&
						strncmp(pattern, number, length - 1) == 0);
}

/* In the list a number may stand as he dials it at home, where "00" is always
 * understood for the "+". */
static gboolean
is_blocked(Gateway *gateway, const User *callee, const Address *caller)
{
	g_autofree char *list = setting_text(gateway_store(gateway), callee->jid, SETTING_BLOCKED);
	g_auto(GStrv) words = g_strsplit(list ? list : "", " ", -1);
	const char *number = caller->scheme == ADDRESS_ANONYMOUS ? "anonymous" : caller->user;
	gboolean e164 = number && number_is_e164(number);
	g_autofree char *country = user_country(gateway, callee->jid);
	g_autofree char *dialled = e164 && country ? numberplan_from(number, country) : NULL;
	g_autofree char *abroad = e164 ? g_strconcat("00", number + 1, NULL) : NULL;

	for (char **word = words; number && *word; word++)
		if (matches(*word, number) || (dialled && matches(*word, dialled)) ||
		    (abroad && matches(*word, abroad)))
			return TRUE;
	return FALSE;
}

static void
set_ring_seconds(Question *question, Plan *plan, const User *callee)
{
	g_autofree char *text =
		setting_text(gateway_store(question->gateway), callee->jid, SETTING_RING_SECONDS);

	for (guint i = 0; text && i < plan->stages->len; i++) {
		Stage *stage = plan->stages->pdata[i];

		if (!stage->then_others)
			stage->ring_seconds = (guint)g_ascii_strtoull(text, NULL, 10);
	}
}

/* Takes `from`: as the callee shall see the caller. */
static Plan *
route_to_user(Question *question, const char *counts_for, const User *callee, Address *from)
{
	Store *store = gateway_store(question->gateway);
	g_autoptr(Address) seen = from;
	g_autoptr(Plan) plan = plan_new(counts_for, question->caller_trunk);

	if (is_blocked(question->gateway, callee, seen))
		return refuse(question, REASON_DECLINED, NULL);
	add_forward(question, plan, callee, seen, REASON_NONE);
	if (plan->stages->len == 0 && setting_on(store, callee->jid, SETTING_DO_NOT_DISTURB)) {
		add_forward(question, plan, callee, seen, REASON_BUSY);
		if (plan->stages->len == 0)
			return refuse(question, REASON_BUSY, NULL);
		((Stage *)plan->stages->pdata[0])->forward_when = REASON_NONE;
	}
	if (plan->stages->len > 0)
		return g_steal_pointer(&plan);
	plan->called = g_strdup(callee->jid);
	add_devices(question, plan, callee, seen);
	set_ring_seconds(question, plan, callee);
	if (plan->stages->len > 0) {
		add_forward(question, plan, callee, seen, REASON_BUSY);
		add_forward(question, plan, callee, seen, REASON_NO_ANSWER);
	}
	add_forward(question, plan, callee, seen, REASON_UNREACHABLE);
	if (plan->stages->len == 0)
		return refuse(question, REASON_UNREACHABLE, NULL);
	/* also when he has no device at all */
	((Stage *)plan->stages->pdata[0])->forward_when = REASON_NONE;
	return g_steal_pointer(&plan);
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

/* "sip:alice%40example.org@gw", and by XMPP "alice\\40example.org@gw". */
static User *
user_by_jid(Gateway *gateway, const Address *to)
{
	g_autofree char *jid = NULL, *lower = NULL;
	g_autoptr(User) user = NULL;

	if ((to->scheme != ADDRESS_SIP && to->scheme != ADDRESS_JID) || !to->user ||
	    !host_is_ours(gateway, to->host))
		return NULL;
	jid = to->scheme == ADDRESS_JID ? number_unescape(to->user) : g_strdup(to->user);
	lower = g_utf8_validate(jid, -1, NULL) ? g_utf8_strdown(jid, -1) : NULL;
	user = lower && strchr(lower, '@') ? store_user_get(gateway_store(gateway), lower, NULL)
					   : NULL;
	return user && user->enabled ? g_steal_pointer(&user) : NULL;
}

static Plan *
route_to_trunks(Question *question, const User *caller, const char *number)
{
	const Plugin *sip = gateway_plugin(question->gateway, "sip");
	g_autoptr(WayOut) way = way_out(question->gateway, caller->jid, number);
	g_autoptr(Plan) plan = NULL;

	if (way->reason != REASON_NONE)
		return refuse(question, way->reason, way->text);
	if (!caller->caller_id && !way->emergency)
		return refuse(question, REASON_FORBIDDEN,
			      "your account has no number to call from");
	for (guint i = 0; sip && i < way->trunks->len; i++) {
		const Trunk *trunk = way->trunks->pdata[i];
		Target *target;

		if (!plan)
			plan = plan_new(caller->jid, trunk->name);
		target = plan_add(plan, sip, caller_seen(question->gateway, caller),
				  number_at(trunk, number), trunk);
		target->withheld = !way->emergency && question->withheld;
		if (way->emergency)
			target->location = setting_text(gateway_store(question->gateway),
							caller->jid, SETTING_LOCATION);
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
	question->withheld = setting_on(gateway_store(gateway), caller->jid, SETTING_HIDE_NUMBER);
	if (is_echo(gateway, question->to))
		return route_echo(question, caller->jid);
	callee = user_by_softphone(gateway, question->to);
	if (!callee)
		callee = user_by_jid(gateway, question->to);
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
			callee = user_by_jid(gateway, question->to);
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
	Question question = { gateway, from, to, caller_trunk, REASON_NONE, NULL, FALSE };
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
