/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test_call.c - see test_call.h.
 *
 * The caller's leg is played here: it offers all that there is, and has no packets of its own
 * (TRANSPORT_LOOP), so the device hears what it sends.
 */
#include "b2bua/call/test_call.h"
#include "b2bua/call/call_list.h"
#include "b2bua/call/call_private.h"
#include "b2bua/route/route.h"
#include "b2bua/timer.h"

#define MAX_CALLS 32 /* of a person that are looked at */

typedef struct {
	Leg leg; /* first */
	Timer *timer;
} TestLeg;

static void
test_leg_free(TestLeg *test)
{
	timer_clear(&test->timer);
	g_free(test);
}

static void
on_long_enough(gpointer user)
{
	TestLeg *test = user;

	leg_ended(&test->leg, REASON_HANGUP, NULL);
	test_leg_free(test);
}

static void
answer(Leg *leg, const Desc *description)
{
	TestLeg *test = (TestLeg *)leg;

	timer_set(&test->timer, TEST_CALL_S * 1000, on_long_enough, test);
}

static void
change(Leg *leg, const Desc *offer)
{
	g_autoptr(Transport) ours = transport_new(TRANSPORT_LOOP);
	g_autoptr(Desc) same = desc_offer(offer, ours);
	g_autoptr(Desc) all = same ? desc_turned(same, DIRECTION_SENDRECV) : NULL;
	g_autoptr(Desc) answer = all ? desc_answer(offer, all, ours) : NULL;

	leg_answered(leg, answer);
}

static void
hang_up(Leg *leg, Reason reason, const char *text)
{
	test_leg_free((TestLeg *)leg);
}

static const LegVerbs test_verbs = { .answer = answer, .change = change, .hangup = hang_up };

static const Plugin test_plugin = {
	.interface_version = PLUGIN_INTERFACE_VERSION,
	.name = "test",
	.transport = TRANSPORT_LOOP,
	.leg = &test_verbs,
};

static gboolean
is_under_way(Gateway *gateway, const char *account)
{
	Call *calls[MAX_CALLS];
	const guint n = calls_of_person(gateway, account, calls, MAX_CALLS);

	for (guint i = 0; i < n; i++)
		if (calls[i]->plan && calls[i]->plan->is_test)
			return TRUE;
	return FALSE;
}

/* Whom the person sees: may call as well, where there is such a service. */
static Address *
caller_of(Gateway *gateway)
{
	const Plugin *service = gateway_reaching(gateway, WAY_SERVICE);

	return address_new(ADDRESS_JID, service ? service->name : test_plugin.name,
			   gateway_config(gateway)->xmpp_domain, NULL);
}

const char *
test_call(Gateway *gateway, const char *account, const char *device)
{
	const Plugin *plugin = gateway_reaching(gateway, WAY_ACCOUNT);
	g_autoptr(Address) person = address_from_jid(account);
	g_autoptr(Address) to = address_from_jid(device ? device : account);
	g_autoptr(Address) caller = caller_of(gateway);
	g_autoptr(Transport) loop = transport_new(TRANSPORT_LOOP);
	g_autoptr(Desc) offer = desc_offer_all(loop, TRANSPORT_WEBRTC);
	TestLeg *test;

	if (!plugin || !person || !to)
		return "no XMPP client can be called";
	if (is_under_way(gateway, account))
		return "a test call goes on already";
	if (!gateway_notice_room(gateway, account, "test"))
		return "there were many test calls in this minute; wait a minute";
	test = g_new0(TestLeg, 1);
	call_new_near(gateway, &test->leg, &test_plugin,
		      &(Incoming){ .from = person, .to = caller, .offer = offer, .device = device },
		      NULL, plan_of_test(account, plugin, caller, to));
	return NULL;
}
