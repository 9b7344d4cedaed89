/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* quiet.c - somebody else's plugin, built from the installed headers alone: a
 * protocol in which everybody is away.
 *
 * It answers at its own name, where nobody picks up, and calls itself there once:
 * the daemon's log tells what a plugin sees of a call.
 */
#include <b2bua/leg.h>

extern const Plugin tandem_plugin;

enum { DIALLED, N_COUNTED };
static const CounterRow ROWS[] = { { "dialled", COUNTER_TOTAL, "calls to somebody who is away" } };
static guint64 counted[N_COUNTED];
static const CounterSet counters = { ROWS, counted, N_COUNTED };

static char *caller, *greeting;

typedef struct {
	Leg leg;   /* first */
	guint gap; /* source: somebody is looked for */
} QuietLeg;

static void
quiet_leg_free(QuietLeg *quiet)
{
	if (quiet->gap)
		g_source_remove(quiet->gap);
	g_free(quiet);
}

static gboolean
call_myself(gpointer user)
{
	Gateway *gateway = user;
	QuietLeg *quiet = g_new0(QuietLeg, 1);
	char *domain = gateway_config_text(gateway, "xmpp", "domain");
	Address *from = address_from_jid(caller);
	Address *to = address_new(ADDRESS_JID, tandem_plugin.name, domain, NULL);
	Incoming incoming = { .from = from, .to = to };

	call_new(gateway, &quiet->leg, &tandem_plugin, &incoming);
	address_free(from);
	address_free(to);
	g_free(domain);
	return G_SOURCE_REMOVE;
}

static gboolean
start(Gateway *gateway, GError **error)
{
	greeting = gateway_config_text(gateway, "quiet", "greeting");
	caller = gateway_config_text(gateway, "quiet", "caller");
	if (!caller) {
		g_set_error(error, g_quark_from_static_string("quiet"), 0,
			    "[quiet] caller: not set; write the JID of a user");
		return FALSE;
	}
	g_message("quiet: says %s", greeting);
	g_idle_add(call_myself, gateway);
	return TRUE;
}

static void
stop(void)
{
	g_free(greeting);
	g_free(caller);
}

static gboolean
find_nobody(gpointer user)
{
	QuietLeg *quiet = user;

	quiet->gap = 0;
	leg_ended(&quiet->leg, REASON_NO_ANSWER, greeting);
	quiet_leg_free(quiet);
	return G_SOURCE_REMOVE;
}

static void
dial(Call *call, const Target *target, const Desc *offer)
{
	QuietLeg *quiet = g_new0(QuietLeg, 1);
	char *from = address_text(target->from);

	counted[DIALLED]++;
	leg_attach(&quiet->leg, &tandem_plugin, call);
	g_message("quiet: dialled by %s, %s audio", from, desc_audio(offer) ? "with" : "without");
	leg_ringing(&quiet->leg, NULL);
	quiet->gap = g_idle_add(find_nobody, quiet);
	g_free(from);
}

static void
ring(Leg *leg, const Desc *early)
{
	g_message("quiet: hears it ring");
}

static void
hang_up(Leg *leg, Reason reason, const char *text)
{
	g_message("quiet: hung up: %s (%s)", reason_name(reason), text);
	quiet_leg_free((QuietLeg *)leg);
}

static void
status(StatusFunc func, gpointer user)
{
	func(user, &(StatusRow){ .key = "greeting", .text = greeting });
	func(user, &(StatusRow){ .key = "calls", .number = counted[DIALLED] });
}

static const LegVerbs leg_verbs = { .dial = dial, .ring = ring, .hangup = hang_up };
static const OperatorVerbs operator_verbs = { .status = status };

const Plugin tandem_plugin = {
	.interface_version = PLUGIN_INTERFACE_VERSION,
	.name = "quiet",
	.transport = TRANSPORT_RTP,
	.reaches = WAY_SERVICE,
	.counters = &counters,
	.start = start,
	.stop = stop,
	.leg = &leg_verbs,
	.operators = &operator_verbs,
};
