/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* route.c - who is called.
 *
 *   caller           called                      stages
 *   a user      →    name of a service           the plugin that answers by itself
 *   a user      →    number of a user            that user's devices
 *   a user      →    name of a softphone         its user's devices
 *   a user      →    any other number            the trunks that way_out() names
 *   a user      →    a SIP address outside       its host, where [sip] dial_uris allows it
 *   a trunk     →    name of a service           the plugin that answers by itself
 *   a trunk     →    number of a user            that user's devices
 *   either      →    JID of a user               that user's devices
 *
 * What becomes of a call to a user (his devices, his forwards) is in route_user.c.
 *
 * Everything else is a refusal.
 * Thread: signalling.
 */
#include "b2bua/route/dial_uri.h"
#include "b2bua/number.h"
#include "b2bua/route/route_private.h"
#include "b2bua/setting.h"
#include "b2bua/route/way_out.h"
#include <string.h>

#define NATIONAL_LEAST 7 /* digits; shorter ones are services, or slips */

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

/* "echo@gw": who answers by himself there, or NULL. */
static const Plugin *
service_at(Gateway *gateway, const Address *to)
{
	const Plugin *plugin;

	if ((to->scheme != ADDRESS_JID && to->scheme != ADDRESS_SIP) || !to->user ||
	    !host_is_ours(gateway, to->host))
		return NULL;
	plugin = gateway_plugin(gateway, to->user);
	return plugin && plugin->reaches & WAY_SERVICE ? plugin : NULL;
}

static gboolean
is_digits(const char *user)
{
	return user && user[strspn(user, "0123456789")] == '\0';
}

/* A softphone writes what was dialled at whatever it takes for our name. */
static gboolean
is_dialled(const char *user)
{
	return user && user[strspn(user, "0123456789*#+")] == '\0';
}

char *
route_called_number(Gateway *gateway, const char *account, const Address *to)
{
	g_autofree char *home = user_country(gateway, account), *text = NULL;
	char *number = NULL;

	switch (to->scheme) {
	case ADDRESS_JID:
	case ADDRESS_SIP:
		if (!host_is_ours(gateway, to->host) &&
		    !(to->scheme == ADDRESS_SIP && is_dialled(to->user)))
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

const char *
route_country_of(const Trunk *trunk)
{
	return trunk->country && *trunk->country ? trunk->country : NULL;
}

/* A number of ours as this carrier writes it. */
char *
route_called_by_trunk(const Trunk *trunk, const Address *to)
{
	char *number = NULL;

	number_from_carrier(to->user, route_country_of(trunk), &number);
	return number;
}

Address *
route_caller_from(const char *country, const Address *from)
{
	g_autofree char *number = NULL;
	g_autoptr(Address) address = NULL;

	if (from->scheme != ADDRESS_SIP || !is_digits(from->user) ||
	    !number_from_carrier(from->user, country, &number))
		return address_copy(from);
	address = address_new(ADDRESS_NUMBER, number, from->host, NULL);
	return address_with_name(address, from->name);
}

Address *
route_number_here(Gateway *gateway, const char *number)
{
	return address_new(ADDRESS_NUMBER, number, gateway_config(gateway)->xmpp_domain, NULL);
}

/* The number that a user calls with: one of his, if he wants another than the usual. */
char *
route_calling_number(const Question *question, const User *caller)
{
	g_autofree char *home = user_country(question->gateway, caller->jid), *number = NULL;
	g_autoptr(User) owner = NULL;

	if (question->incoming->preferred &&
	    number_from_carrier(question->incoming->preferred, home, &number))
		owner = store_user_by_number(gateway_store(question->gateway), number, NULL);
	return owner && strcmp(owner->jid, caller->jid) == 0 ? g_steal_pointer(&number)
							     : g_strdup(caller->caller_id);
}

/* As telephones see a user who calls. */
static Address *
caller_seen(const Question *question, const User *caller)
{
	g_autofree char *number = route_calling_number(question, caller);

	return number ? route_number_here(question->gateway, number)
		      : address_new(ADDRESS_ANONYMOUS, NULL, NULL, NULL);
}

/* As another user sees him. */
static Address *
caller_seen_here(const Question *question, const User *caller)
{
	return question->nameless ? address_new(ADDRESS_ANONYMOUS, NULL, NULL, NULL)
				  : caller_seen(question, caller);
}

/* What he asks for this call holds before what he has set for all, and both ways to ask
 * for it are heard: a code that is dialled first, and what his telephone says. */
static void
set_privacy(Question *question, const User *caller)
{
	g_autofree char *dialled = question->to->user ? number_unescape(question->to->user) : NULL;
	NumberPrivacy by_code = number_privacy(dialled), by_phone = question->incoming->privacy;

	question->nameless = by_code == NUMBER_HIDDEN || by_phone == NUMBER_HIDDEN;
	question->withheld =
		question->nameless ||
		(by_code != NUMBER_SHOWN && by_phone != NUMBER_SHOWN &&
		 setting_on(gateway_store(question->gateway), caller->jid, SETTING_HIDE_NUMBER));
}

Address *
route_number_at(const Trunk *trunk, const char *number)
{
	g_autofree char *sent =
		number_to_carrier(number, trunk->number_form, trunk->number_prefix, trunk->country);

	return address_new(ADDRESS_NUMBER, sent, NULL, NULL);
}

/* --- plans for each kind of call --- */

static Plan *
route_to_service(Question *question, const char *user, const Plugin *service)
{
	Plan *plan = plan_new(user, question->caller_trunk);

	plan->is_service = TRUE;
	plan_add(plan, service, WAY_SERVICE, address_copy(question->from),
		 address_copy(question->to));
	return plan;
}

/* "sip:desk@gw": the user whose softphone is called so. */
User *
route_user_by_softphone(Gateway *gateway, const Address *to)
{
	g_autoptr(Softphone) softphone = NULL;

	if (to->scheme != ADDRESS_SIP || !host_is_ours(gateway, to->host))
		return NULL;
	softphone = store_softphone_get(gateway_store(gateway), to->user, NULL);
	return softphone ? store_user_get(gateway_store(gateway), softphone->user, NULL) : NULL;
}

/* "sip:alice%40example.org@gw", and by XMPP "alice\\40example.org@gw". */
User *
route_user_by_jid(Gateway *gateway, const Address *to)
{
	g_autofree char *jid = NULL, *lower = NULL;

	if ((to->scheme != ADDRESS_SIP && to->scheme != ADDRESS_JID) || !to->user ||
	    !host_is_ours(gateway, to->host))
		return NULL;
	jid = to->scheme == ADDRESS_JID ? number_unescape(to->user) : g_strdup(to->user);
	lower = g_utf8_validate(jid, -1, NULL) ? g_utf8_strdown(jid, -1) : NULL;
	return lower && strchr(lower, '@') ? store_user_get(gateway_store(gateway), lower, NULL)
					   : NULL;
}

/* --- SIP addresses outside --- */

/* "bob\40example.org@gw" by XMPP; by SIP "bob@example.org" itself.  A telephone
 * number at a host that the admin has not named is the number; an emergency number
 * is one anywhere. */
static Address *
called_uri(Gateway *gateway, const char *account, const Address *to)
{
	g_autofree char *text = NULL, *plain = NULL, *host = NULL, *number = NULL;
	g_autofree char *home = user_country(gateway, account);
	g_autoptr(Address) uri = NULL;
	gboolean is_number;
	guint port;

	if (!to->user || !to->host || to->scheme == ADDRESS_ANONYMOUS)
		return NULL;
	plain = number_unescape(to->user);
	if (host_is_ours(gateway, to->host))
		text = to->scheme == ADDRESS_JID ? g_strdup(plain) : g_strdup(to->user);
	else if (to->scheme != ADDRESS_JID)
		text = g_strconcat(to->user, "@", to->host, NULL);
	uri = text ? dial_uri_parse(text) : NULL;
	if (!uri)
		return NULL;
	is_number = number_dialled(uri->user, home, &number);
	dial_uri_split(uri, &host, &port);
	if (host_is_ours(gateway, host) || (is_number && number_is_emergency(number, home)))
		return NULL;
	if (!host_is_ours(gateway, to->host) && (is_number || is_dialled(uri->user)) &&
	    dial_uri_policy(gateway_config(gateway), host) != DIAL_URI_NAMED)
		return NULL;
	return g_steal_pointer(&uri);
}

/* Who has no number is shown as an address at which he can be called here. */
static Address *
caller_at(const Question *question, const User *caller)
{
	g_autofree char *number = route_calling_number(question, caller);

	return number ? route_number_here(question->gateway, number)
		      : address_new(ADDRESS_SIP, caller->jid,
				    gateway_config(question->gateway)->sip_domain, NULL);
}

static Plan *
route_to_uri(Question *question, const User *caller, const Address *uri)
{
	const Plugin *plugin = gateway_reaching(question->gateway, WAY_URI);
	g_autofree char *host = NULL;
	guint port;
	Plan *plan;

	dial_uri_split(uri, &host, &port);
	if (dial_uri_policy(gateway_config(question->gateway), host) == DIAL_URI_REFUSED)
		return route_refuse(question, REASON_FORBIDDEN,
				    "calls to SIP addresses there are not allowed here");
	if (!plugin)
		return route_refuse(question, REASON_NETWORK_ERROR,
				    "no telephone network is connected");
	plan = plan_new(caller->jid, NULL);
	plan_add(plan, plugin, WAY_URI, caller_at(question, caller), address_copy(uri))->withheld =
		question->withheld;
	return plan;
}

/* --- numbers --- */

static Emergency *
emergency_of(Gateway *gateway, const char *account)
{
	Emergency *emergency = g_new0(Emergency, 1);

	emergency->location = setting_text(gateway_store(gateway), account, SETTING_LOCATION);
	return emergency;
}

static Plan *
route_to_trunks(Question *question, const User *caller, const char *number)
{
	const Plugin *plugin = gateway_reaching(question->gateway, WAY_TRUNK);
	g_autoptr(WayOut) way = way_out(question->gateway, caller->jid, number);
	g_autoptr(Plan) plan = NULL;
	gboolean allowed = way->reason == REASON_NONE || way->guard.answer != METER_MAY;

	if (!allowed)
		return route_refuse(question, way->reason, way->text);
	if (!caller->caller_id && !way->emergency)
		return route_refuse(question, REASON_FORBIDDEN,
				    "your account has no number to call from");
	way_out_used(question->gateway, way);
	if (way->reason != REASON_NONE)
		return route_refuse(question, way->reason, way->text);
	for (guint i = 0; plugin && i < way->trunks->len; i++) {
		const Trunk *trunk = way->trunks->pdata[i];
		Target *target;

		if (!plan)
			plan = plan_new(caller->jid, trunk->name);
		target = plan_add_trunk(plan, plugin, trunk, caller_seen(question, caller),
					route_number_at(trunk, number));
		target->withheld = !way->emergency && question->withheld;
		target->charge = charge_copy(way->charge);
		if (way->emergency)
			target->emergency = emergency_of(question->gateway, caller->jid);
	}
	if (!plan)
		return route_refuse(question, REASON_NETWORK_ERROR,
				    "no telephone network is connected");
	return g_steal_pointer(&plan);
}

gboolean
route_lacks_country(Gateway *gateway, const char *account, const char *dialled)
{
	g_autofree char *country = user_country(gateway, account);

	return !country && dialled && strlen(dialled) >= NATIONAL_LEAST &&
	       strspn(dialled, "0123456789") == strlen(dialled);
}

static Plan *
route_from_user(Question *question)
{
	Gateway *gateway = question->gateway;
	g_autofree char *jid = NULL, *number = NULL;
	g_autoptr(User) caller = NULL, callee = NULL;
	g_autoptr(Address) uri = NULL, hidden = NULL;
	const Plugin *service = service_at(gateway, question->to);
	Plan *plan;

	if (question->from->scheme != ADDRESS_JID)
		return route_refuse(question, REASON_FORBIDDEN, "you have no account here");
	jid = address_bare_jid(question->from);
	caller = store_user_get(gateway_store(gateway), jid, NULL);
	if (!caller || !caller->enabled)
		return route_refuse(question, REASON_FORBIDDEN, "you have no account here");
	set_privacy(question, caller);
	if (service)
		return route_to_service(question, caller->jid, service);
	callee = route_user_by_softphone(gateway, question->to);
	if (!callee)
		callee = route_user_by_jid(gateway, question->to);
	uri = callee ? NULL : called_uri(gateway, caller->jid, question->to);
	if (uri)
		return route_to_uri(question, caller, uri);
	number = callee ? NULL : route_called_number(gateway, caller->jid, question->to);
	if (!callee && !number)
		return route_lacks_country(gateway, caller->jid, question->to->user)
			       ? route_refuse(question, REASON_INCOMPLETE,
					      "write the number with + and its country code, or "
					      "have your country set")
			       : route_refuse(question, REASON_NOT_FOUND, "not a telephone number");
	if (!callee)
		callee = store_user_by_number(gateway_store(gateway), number, NULL);
	if (callee && !callee->enabled) /* the carrier would bring his number back */
		return route_refuse(question, REASON_NOT_FOUND,
				    "the account of that user is switched off");
	if (!callee)
		plan = route_to_trunks(question, caller, number);
	else {
		if (question->nameless && caller->caller_id)
			question->hidden = hidden = route_number_here(gateway, caller->caller_id);
		plan = route_to_user(question, caller->jid, callee,
				     caller_seen_here(question, caller));
	}
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
	g_autoptr(Address) hidden = NULL;
	g_autoptr(User) callee = NULL;
	const Plugin *service = service_at(gateway, question->to);
	Plan *plan;

	if (!trunk || !trunk->enabled)
		return route_refuse(question, REASON_FORBIDDEN, "no such trunk");
	if (service) {
		plan = route_to_service(question, NULL, service);
	} else {
		number = route_called_by_trunk(trunk, question->to);
		callee = number ? store_user_by_number(gateway_store(gateway), number, NULL) : NULL;
		if (!callee)
			callee = route_user_by_jid(gateway, question->to);
		if (!callee || !callee->enabled)
			return route_refuse(question, REASON_NOT_FOUND, NULL);
		if (question->incoming->hidden)
			hidden = route_caller_from(route_country_of(trunk),
						   question->incoming->hidden);
		question->hidden = hidden;
		question->country = route_country_of(trunk);
		plan = route_to_user(question, callee->jid, callee,
				     route_caller_from(route_country_of(trunk), question->from));
		if (plan)
			plan->number = g_steal_pointer(&number);
	}
	if (plan)
		plan->wait_for_media = trunk->wait_for_media;
	return plan;
}

/* --- when the store cannot be read --- */

/* As the trunk would have it; without a row the number goes out as it was dialled. */
static Plan *
plan_for_help(Question *question, const char *number)
{
	Gateway *gateway = question->gateway;
	const Plugin *plugin = gateway_reaching(gateway, WAY_TRUNK);
	const char *name = emergency_trunk(gateway);
	g_autofree char *jid = address_bare_jid(question->from);
	g_autoptr(Trunk) trunk = name ? store_trunk_get(gateway_store(gateway), name, NULL) : NULL;
	g_autoptr(User) caller = store_user_get(gateway_store(gateway), jid, NULL);
	Plan *plan;

	if (!plugin || !name)
		return NULL;
	if (!trunk)
		trunk = trunk_new(name, "");
	plan = plan_new(jid, name);
	plan_add_trunk(plan, plugin, trunk,
		       caller ? caller_seen(question, caller)
			      : address_new(ADDRESS_ANONYMOUS, NULL, NULL, NULL),
		       route_number_at(trunk, number))
		->emergency = emergency_of(gateway, jid);
	plan->number = g_strdup(number);
	return plan;
}

/* A rule, a limit or a block list that could not be read may have forbidden this: policy
 * fails closed.  Calls for help fail open, by what the configuration file says. */
static Plan *
route_unread(Question *question, Plan *plan)
{
	Gateway *gateway = question->gateway;
	gboolean by_user = !question->caller_trunk && question->from->scheme == ADDRESS_JID;
	g_autofree char *country = by_user ? user_country(gateway, NULL) : NULL;
	g_autofree char *number = by_user ? route_called_number(gateway, NULL, question->to) : NULL;
	Plan *help = NULL;

	plan_free(plan);
	if (number && number_is_emergency(number, country))
		help = plan_for_help(question, number);
	question->reason = help ? REASON_NONE : REASON_NETWORK_ERROR;
	question->text = help ? NULL : "the gateway cannot read its rules";
	return help;
}

Plan *
route_incoming(Gateway *gateway, const Incoming *incoming, Reason *reason, const char **text)
{
	Question question = { .gateway = gateway,
			      .from = incoming->from,
			      .to = incoming->to,
			      .caller_trunk = incoming->trunk,
			      .incoming = incoming };
	guint failures = store_failures(gateway_store(gateway));
	Plan *plan = incoming->trunk ? route_from_trunk(&question) : route_from_user(&question);

	if (gateway_unread_since(gateway, failures))
		plan = route_unread(&question, plan);
	*reason = question.reason;
	*text = question.text;
	return plan;
}

/* Who cannot be told apart from a trunk's caller has no account, and no country of his.  The
 * store is asked for his country when it matters alone. */
gboolean
route_is_emergency(Gateway *gateway, const Incoming *incoming)
{
	const Address *to = incoming->to;
	g_autofree char *account = NULL, *number = NULL, *country = NULL;
	g_autofree char *dialled = to->user ? number_unescape(to->user) : NULL;

	if (incoming->trunk || incoming->from->scheme != ADDRESS_JID ||
	    !number_may_be_emergency(dialled))
		return FALSE;
	account = address_bare_jid(incoming->from);
	number = route_called_number(gateway, account, to);
	country = user_country(gateway, account);
	return number && number_is_emergency(number, country);
}

gboolean
route_dialable(Gateway *gateway, const char *account_or_null, const Address *to)
{
	g_autofree char *number = NULL, *host = NULL;
	g_autoptr(GPtrArray) trunks = NULL;
	g_autoptr(Address) uri = NULL;
	g_autoptr(User) user = NULL;
	guint failures = store_failures(gateway_store(gateway)), port;

	if (service_at(gateway, to))
		return TRUE;
	user = route_user_by_jid(gateway, to);
	if (user)
		return user->enabled;
	uri = called_uri(gateway, account_or_null, to);
	if (uri) {
		dial_uri_split(uri, &host, &port);
		return dial_uri_policy(gateway_config(gateway), host) != DIAL_URI_REFUSED;
	}
	number = route_called_number(gateway, account_or_null, to);
	if (!number)
		return FALSE;
	user = store_user_by_number(gateway_store(gateway), number, NULL);
	if (user)
		return user->enabled;
	if (gateway_unread_since(gateway, failures))
		return FALSE;
	trunks = store_trunk_list(gateway_store(gateway), NULL);
	for (guint i = 0; trunks && i < trunks->len; i++)
		if (((const Trunk *)trunks->pdata[i])->enabled)
			return TRUE;
	return FALSE;
}

gboolean
route_permitted(Gateway *gateway, const char *account, const Address *to)
{
	g_autofree char *number = route_called_number(gateway, account, to);
	g_autoptr(User) owner = NULL;
	g_autoptr(WayOut) way = NULL;

	if (!number)
		return TRUE;
	owner = store_user_by_number(gateway_store(gateway), number, NULL);
	if (owner)
		return TRUE;
	way = way_out_later(gateway, account, number);
	return way->emergency || way->reason != REASON_FORBIDDEN;
}
