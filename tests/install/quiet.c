/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* quiet.c - somebody else's plugin, built from the installed headers alone: a
 * protocol in which everybody is away. */
#include <b2bua/gateway.h>
#include <b2bua/leg.h>

extern const Plugin tandem_plugin;

typedef struct {
	Leg leg;
} QuietLeg;

static gboolean
start(Gateway *gateway, const Config *config, GError **error)
{
	g_message("quiet: reads %s", config->database);
	return TRUE;
}

static void
stop(void)
{
}

static void
dial(Call *call, const Target *target, const Desc *offer)
{
	QuietLeg *quiet = g_new0(QuietLeg, 1);

	leg_attach(&quiet->leg, &tandem_plugin, call);
	leg_ended(&quiet->leg, REASON_NO_ANSWER, NULL);
	g_free(quiet);
}

static void
hang_up(Leg *leg, Reason reason, const char *text)
{
	g_free(leg);
}

static const LegVerbs leg_verbs = { .dial = dial, .hangup = hang_up };

const Plugin tandem_plugin = {
	.interface_version = PLUGIN_INTERFACE_VERSION,
	.name = "quiet",
	.transport = TRANSPORT_RTP,
	.reaches = WAY_SERVICE,
	.start = start,
	.stop = stop,
	.leg = &leg_verbs,
};
