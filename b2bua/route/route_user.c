/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* route_user.c - what becomes of a call to a user: whom he blocks, what of his
 * rings, and where he sends calls on to.
 *
 * His devices are his XMPP clients and his registered softphones, together or one
 * after the other (user set JID ring=…).
 * Thread: signalling.
 */
#include "b2bua/number.h"
#include "b2bua/numberplan.h"
#include "b2bua/route/route_private.h"
#include "b2bua/setting.h"
#include "b2bua/route/way_out.h"
#include <string.h>

#define MAX_DIVERSIONS 5  /* of a call that is still sent on */
#define MAX_PHONES     16 /* softphones of a user that ring at once */

/* --- the devices of a user --- */

static void
add_clients(Question *question, Stage *stage, const User *callee, const Address *seen)
{
	const Plugin *plugin = gateway_reaching(question->gateway, WAY_ACCOUNT);
	Address *to = plugin ? address_from_jid(callee->jid) : NULL;

	if (to)
		stage_add(stage, plugin, WAY_ACCOUNT, address_copy(seen), to)->account =
			g_strdup(callee->jid);
}

static void
add_phones(Question *question, Stage *stage, const User *callee, const Address *seen)
{
	const Plugin *plugin = gateway_reaching(question->gateway, WAY_CONTACT);
	g_autoptr(GPtrArray) contacts =
		store_contact_list_of_user(gateway_store(question->gateway), callee->jid, NULL);

	for (guint i = 0; plugin && contacts && i < MIN(contacts->len, MAX_PHONES); i++) {
		const Contact *contact = contacts->pdata[i];
		Address *to = address_new(ADDRESS_SIP, contact->username,
					  gateway_config(question->gateway)->sip_domain, NULL);
		Target *target = stage_add(stage, plugin, WAY_CONTACT, address_copy(seen), to);

		target->way.contact = contact->id;
		target->account = g_strdup(callee->jid);
		target->device = g_strdup(contact->username);
	}
}

static void
add_devices(Question *question, Plan *plan, const User *callee, const Address *seen)
{
	guint first_ring = gateway_config(question->gateway)->first_ring_s;
	RingOrder order = setting_ring(gateway_store(question->gateway), callee->jid);

	for (guint i = 0; i < G_N_ELEMENTS(order.stages); i++) {
		gboolean more = i == 0 && order.stages[1];
		Stage *stage = plan_stage(plan, more ? first_ring : 0);

		stage->then_others = more;
		if (order.stages[i] & RING_CLIENTS)
			add_clients(question, stage, callee, seen);
		if (order.stages[i] & RING_PHONES)
			add_phones(question, stage, callee, seen);
		if (stage->targets->len == 0)
			g_ptr_array_remove(plan->stages, stage);
	}
}

/* --- forwards --- */

/* A forward never leads to an emergency number, to the user himself, or to a user who is
 * switched off: the carrier would bring that number back. */
static gboolean
leads_nowhere(Gateway *gateway, const User *callee, const char *number, const User *owner)
{
	g_autofree char *country = user_country(gateway, callee->jid);

	return number_is_emergency(number, country) ||
	       (owner && (!owner->enabled || strcmp(owner->jid, callee->jid) == 0));
}

/* He has sent this call on already, or so many have that there is no end to it.  A
 * carrier writes numbers in its own way. */
static gboolean
goes_round(const Question *question, const User *callee)
{
	const Diversion *diversion = question->incoming->diversion;

	if (!diversion)
		return FALSE;
	if (diversion->n >= MAX_DIVERSIONS)
		return TRUE;
	for (char **by = diversion->before; by && *by; by++) {
		g_autofree char *number = NULL;

		if (number_from_carrier(*by, question->country, &number) &&
		    g_strcmp0(number, callee->caller_id) == 0)
			return TRUE;
	}
	return FALSE;
}

static Diversion *
diversion_by(const Question *question, const User *callee, Reason when)
{
	const Diversion *before = question->incoming->diversion;
	Diversion *diversion;

	if (!callee->caller_id)
		return NULL;
	diversion = g_new0(Diversion, 1);
	diversion->who = g_strdup(callee->caller_id);
	diversion->as = when;
	diversion->before = before ? g_strdupv(before->before) : NULL;
	return diversion;
}

/* `now`: nothing else is tried before it. */
static WayOut *
way_of_forward(Gateway *gateway, const User *callee, const char *number, gboolean now)
{
	WayOut *way = now ? way_out(gateway, callee->jid, number)
			  : way_out_later(gateway, callee->jid, number);

	if (now)
		way_out_used(gateway, way);
	return way;
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
	const Plugin *plugin = gateway_reaching(gateway, WAY_TRUNK);
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
	if (goes_round(question, callee)) {
		if (when == REASON_NONE)
			route_refuse(question, REASON_LOOP, "the call was forwarded before");
		return;
	}
	way = owner ? NULL : way_of_forward(gateway, callee, number, first == 0);
	if (owner)
		add_devices(question, plan, owner, seen);
	for (guint i = 0; way && plugin && i < way->trunks->len; i++) {
		const Trunk *trunk = way->trunks->pdata[i];
		Target *target = plan_add_trunk(plan, plugin, trunk, address_copy(seen),
						route_number_at(trunk, number));

		target->withheld = question->withheld;
		target->charge = charge_copy(way->charge);
		target->diversion = diversion_by(question, callee, when);
	}
	if (plan->stages->len == first)
		return;
	((Stage *)plan->stages->pdata[first])->forward_when = when;
	for (guint i = first; i < plan->stages->len; i++)
		((Stage *)plan->stages->pdata[i])->forwards = TRUE;
	g_free(plan->forwarder);
	plan->forwarder = g_strdup(callee->jid);
}

/* A word of the list without the domain that a client shows behind it, and unescaped. */
static char *
plain_word(Gateway *gateway, const char *word)
{
	const char *domain = gateway_config(gateway)->xmpp_domain, *at = strrchr(word, '@');
	g_autofree char *local = at && domain && g_ascii_strcasecmp(at + 1, domain) == 0
					 ? g_strndup(word, (gsize)(at - word))
					 : g_strdup(word);

	return number_unescape(local);
}

/* The name of who has no number, as he writes it or as it is shown: a client has it in lower
 * case.  Without a host it is his at any. */
static gboolean
is_name_of(const char *word, const Address *caller)
{
	g_autofree char *full =
		caller->host ? g_strconcat(caller->user, "@", caller->host, NULL) : NULL;

	return caller->scheme != ADDRESS_NUMBER && caller->scheme != ADDRESS_ANONYMOUS &&
	       (g_ascii_strcasecmp(word, caller->user) == 0 ||
		(full && g_ascii_strcasecmp(word, full) == 0));
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
is_listed(Gateway *gateway, const User *callee, const Address *caller)
{
	const char *number = caller->scheme == ADDRESS_ANONYMOUS ? "anonymous" : caller->user;
	g_autofree char *list = setting_text(gateway_store(gateway), callee->jid, SETTING_BLOCKED);
	g_auto(GStrv) words = g_strsplit(list ? list : "", " ", -1);
	gboolean e164 = number && number_is_e164(number);
	g_autofree char *country = user_country(gateway, callee->jid);
	g_autofree char *dialled = e164 && country ? numberplan_from(number, country) : NULL;
	g_autofree char *abroad = e164 ? g_strconcat("00", number + 1, NULL) : NULL;

	for (char **word = words; number && *word; word++) {
		g_autofree char *plain = plain_word(gateway, *word);

		if (matches(plain, number) || is_name_of(plain, caller) ||
		    (dialled && matches(plain, dialled)) || (abroad && matches(plain, abroad)))
			return TRUE;
	}
	return FALSE;
}

/* A carrier may know him by more than what is shown: each of them counts. */
static gboolean
is_known_as_blocked(const Question *question, const User *callee)
{
	const GPtrArray *all = question->incoming->identities;

	for (guint i = 0; all && i < all->len; i++) {
		g_autoptr(Address) one = route_caller_from(question->country, all->pdata[i]);

		if (one->scheme != ADDRESS_ANONYMOUS && is_listed(question->gateway, callee, one))
			return TRUE;
	}
	return FALSE;
}

/* Who withholds his number does not slip through under it. */
gboolean
route_blocks(const Question *question, const User *callee, const Address *caller)
{
	Gateway *gateway = question->gateway;
	const Address *hidden = question->hidden;

	if (is_known_as_blocked(question, callee))
		return TRUE;

	if (is_listed(gateway, callee, caller))
		return TRUE;
	return caller->scheme == ADDRESS_ANONYMOUS &&
	       (setting_on(gateway_store(gateway), callee->jid, SETTING_BLOCK_ANONYMOUS) ||
		(hidden && is_listed(gateway, callee, hidden)));
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

/* By his setting, or by what his clients say, where he wants that to count. */
static gboolean
is_undisturbed(Gateway *gateway, const User *callee)
{
	Store *store = gateway_store(gateway);
	const GPtrArray *plugins = gateway_plugins(gateway);

	if (setting_on(store, callee->jid, SETTING_DO_NOT_DISTURB))
		return TRUE;
	if (!setting_on(store, callee->jid, SETTING_DND_BY_PRESENCE))
		return FALSE;
	for (guint i = 0; i < plugins->len; i++) {
		const AccountVerbs *verbs = ((const Plugin *)plugins->pdata[i])->account;

		if (verbs && verbs->undisturbed && verbs->undisturbed(callee->jid))
			return TRUE;
	}
	return FALSE;
}

Plan *
route_to_user(Question *question, const char *counts_for, const User *callee, Address *from)
{
	g_autoptr(Address) seen = from;
	g_autoptr(Plan) plan = plan_new(counts_for, question->caller_trunk);

	if (route_blocks(question, callee, seen))
		return route_refuse(question, REASON_DECLINED, NULL);
	add_forward(question, plan, callee, seen, REASON_NONE);
	if (question->reason != REASON_NONE)
		return NULL;
	if (plan->stages->len == 0 && is_undisturbed(question->gateway, callee)) {
		add_forward(question, plan, callee, seen, REASON_BUSY);
		if (plan->stages->len == 0)
			return route_refuse(question, REASON_BUSY, NULL);
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
		return route_refuse(question, REASON_UNREACHABLE, NULL);
	/* also when he has no device at all */
	((Stage *)plan->stages->pdata[0])->forward_when = REASON_NONE;
	return g_steal_pointer(&plan);
}
