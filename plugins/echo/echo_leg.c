/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* echo_leg.c - answers every call at once; who calls hears himself.
 *
 * The smallest plugin there is, and the one to copy.  What any plugin needs:
 *
 *  - a leg of its own that begins with a Leg, allocated in dial(), given to the
 *    core with leg_attach() first thing, freed after hangup() or leg_ended();
 *  - a transport to offer or answer with, of the kind that its table names: that of
 *    a peer has an address, this one (TRANSPORT_LOOP) has none, as the gateway gives
 *    each packet back to the port that it came by;
 *  - a table of commands, and a Plugin that names it, exported as `tandem_plugin`.
 *
 * A plugin that takes calls from outside says call_new(), and has ring() and answer(); a
 * plugin that has to end its legs after a crash of the gateway has save() and bury().
 * Thread: signalling.
 */
#include "b2bua/leg.h"

typedef struct {
	Leg leg; /* first */
	Transport *ours;
} EchoLeg;

G_MODULE_EXPORT extern const Plugin tandem_plugin;

static void
echo_leg_free(EchoLeg *echo)
{
	transport_free(echo->ours);
	g_free(echo);
}

static void
answer_offer(EchoLeg *echo, const Desc *offer)
{
	g_autoptr(Desc) same = desc_offer(offer, echo->ours);
	g_autoptr(Desc) all = same ? desc_turned(same, DIRECTION_SENDRECV) : NULL;
	g_autoptr(Desc) answer = all ? desc_answer(offer, all, echo->ours) : NULL;

	if (answer)
		leg_trace(&echo->leg, TRACE_IN, "echo answers");
	leg_answered(&echo->leg, answer); /* NULL refuses a change */
}

static void
dial(Call *call, const Target *target, const Desc *offer)
{
	EchoLeg *echo = g_new0(EchoLeg, 1);

	echo->ours = transport_new(TRANSPORT_LOOP);
	leg_attach(&echo->leg, &tandem_plugin, call);
	leg_trace(&echo->leg, TRACE_OUT, "call the echo test");
	leg_ringing(&echo->leg, NULL);
	answer_offer(echo, offer);
}

static void
change(Leg *leg, const Desc *offer)
{
	answer_offer((EchoLeg *)leg, offer);
}

static void
hang_up(Leg *leg, Reason reason, const char *text)
{
	leg_trace(leg, TRACE_OUT, "hang up");
	echo_leg_free((EchoLeg *)leg);
}

static gboolean
start(Gateway *gateway, GError **error)
{
	return TRUE;
}

static void
stop(void)
{
}

static const LegVerbs leg_verbs = { .dial = dial, .change = change, .hangup = hang_up };

const Plugin tandem_plugin = {
	.interface_version = PLUGIN_INTERFACE_VERSION,
	.name = "echo",
	.transport = TRANSPORT_LOOP,
	.reaches = WAY_SERVICE,
	.start = start,
	.stop = stop,
	.leg = &leg_verbs,
};
