/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fake-leg.c - see fake-leg.h. */
#include "tests/core/fake-leg.h"
#include "tests/core/fake-media.h"
#include <string.h>

FakeLegs fake_legs;

void
fake_legs_reset(void)
{
	if (!fake_legs.legs)
		fake_legs.legs = g_ptr_array_new();
	g_assert_cmpuint(fake_legs.legs->len, ==, 0);
	fake_legs.made = 0;
	fake_legs.buried = 0;
	fake_legs.in_command = NULL;
	fake_legs.in_notice = NULL;
	g_clear_pointer(&fake_legs.last_buried, g_free);
}

FakeLeg *
fake_leg_new(const char *name)
{
	FakeLeg *leg = g_new0(FakeLeg, 1);

	leg->number = fake_legs.made++;
	g_strlcpy(leg->name, name, sizeof(leg->name));
	leg->save = g_strdup_printf("leg\t%u\nof a fake", leg->number);
	g_ptr_array_add(fake_legs.legs, leg);
	return leg;
}

FakeLeg *
fake_leg_find(const char *name)
{
	for (guint i = 0; i < fake_legs.legs->len; i++) {
		FakeLeg *leg = fake_legs.legs->pdata[i];

		if (strcmp(leg->name, name) == 0)
			return leg;
	}
	return NULL;
}

static void
fake_leg_free(FakeLeg *leg)
{
	g_ptr_array_remove(fake_legs.legs, leg);
	g_free(leg->save);
	g_free(leg);
}

void
fake_leg_end(FakeLeg *leg, Reason reason, const char *text)
{
	leg_ended(&leg->leg, reason, text);
	g_assert(!leg->leg.call);
	fake_leg_free(leg);
}

void
fake_leg_fail(FakeLeg *leg, Reason reason, const char *text)
{
	leg_failed(&leg->leg, reason, text);
	g_assert(!leg->leg.call);
	fake_leg_free(leg);
}

Desc *
fake_desc(TransportKind kind, const char *codecs, Direction direction, guint16 port)
{
	static const struct {
		const char *word, *name;
		guint8 pt;
		guint32 rate;
		guint8 channels;
	} CODECS[] = {
		{ "PCMU", "PCMU", 0, 8000, 1 },	  { "PCMA", "PCMA", 8, 8000, 1 },
		{ "opus", "opus", 98, 48000, 2 }, { "event", "telephone-event", 101, 8000, 1 },
		{ "GSM", "GSM", 3, 8000, 1 }, /* not relayed */
	};
	g_auto(GStrv) words = g_strsplit(codecs, " ", -1);
	Desc *desc = desc_new();
	Stream *stream = desc_add_stream(desc, STREAM_AUDIO, "audio");

	stream->direction = direction;
	for (char **word = words; *word; word++)
		for (guint i = 0; i < G_N_ELEMENTS(CODECS); i++)
			if (strcmp(*word, CODECS[i].word) == 0)
				stream_add_codec(stream, CODECS[i].pt, CODECS[i].name,
						 CODECS[i].rate, CODECS[i].channels);
	stream->transport->kind = kind;
	if (kind == TRANSPORT_RTP) {
		g_strlcpy(stream->transport->address, "198.51.100.7",
			  sizeof(stream->transport->address));
		stream->transport->port = port;
	} else {
		stream->transport->ufrag = g_strdup_printf("peer%u", port);
		stream->transport->pwd = g_strdup("abcdefghijklmnopqrstuv");
		stream->transport->fingerprint_hash = g_strdup("sha-256");
		stream->transport->fingerprint = g_strdup("CC:DD");
		stream->transport->setup = SETUP_ACTPASS;
		stream->transport->rtcp_mux = TRUE;
	}
	return desc;
}

/* --- the plugins --- */

/* What is heard is in the store already: the record says the call's state. */
static void
check_store(const Call *call)
{
	g_autoptr(CallRecord) record = NULL;
	g_autoptr(GError) error = NULL;

	if (!call || !call->recorded)
		return;
	record = store_call_get(gateway_store(call->gateway), call_id(call), &error);
	g_assert_no_error(error);
	g_assert_cmpstr(record->state, ==, call_state_name(call->state));
}

static void
told(FakeLeg *leg, const char *command, const char *what)
{
	check_store(leg->leg.call);
	leg_trace(&leg->leg, TRACE_OUT, "%s %s", command, what ? what : "");
	if (fake_legs.in_command)
		fake_legs.in_command(leg, command, what);
}

static void
told_desc(Leg *leg, const char *command, const Desc *desc)
{
	g_autofree char *what = desc ? desc_summary(desc) : NULL;

	told((FakeLeg *)leg, command, what);
}

static void
dial(const Plugin *plugin, Call *call, const Target *target, const Desc *offer)
{
	const char *lane = call->dialling->lane;
	g_autofree char *second = g_strconcat("second-", lane, NULL);
	FakeLeg *leg = fake_leg_new(fake_leg_find(lane) ? second : lane);
	g_autofree char *to = address_text(target->to);

	if (strcmp(to, "+15559999") == 0) { /* a plugin that forgets to attach */
		fake_leg_free(leg);
		return;
	}
	leg_attach(&leg->leg, plugin, call);
	told_desc(&leg->leg, "dial", offer);
}

static void
dial_sip(Call *call, const Target *target, const Desc *offer)
{
	dial(&fake_sip, call, target, offer);
}

static void
dial_xmpp(Call *call, const Target *target, const Desc *offer)
{
	dial(&fake_xmpp, call, target, offer);
}

static void
ring(Leg *leg, const Desc *early)
{
	told_desc(leg, "ring", early);
}

static void
answer(Leg *leg, const Desc *description)
{
	told_desc(leg, description ? "answer" : "refuse the change", description);
}

static void
change(Leg *leg, const Desc *offer)
{
	told_desc(leg, "change", offer);
}

static void
candidate(Leg *leg, const Candidate *ours)
{
	told((FakeLeg *)leg, "candidate", ours->address);
}

static void
dtmf(Leg *leg, char digit)
{
	const char key[] = { digit, '\0' };

	told((FakeLeg *)leg, "key", key);
}

static void
hang_up(Leg *leg, Reason reason, const char *text)
{
	g_autofree char *what = g_strdup_printf("%s: %s", reason_name(reason), text);

	g_assert(!leg->call && reason != REASON_NONE);
	told((FakeLeg *)leg, "hangup", what);
	fake_leg_free((FakeLeg *)leg);
}

static void
transferring(Leg *leg, TransferState state, Reason reason, const char *text)
{
	static const char *const STATES[] = { "rings", "done", "failed" };
	g_autofree char *what = NULL;

	what = g_strdup_printf("%s%s%s%s%s", STATES[state], reason ? ", " : "",
			       reason ? reason_name(reason) : "", text ? ": " : "",
			       text ? text : "");
	told((FakeLeg *)leg, "transfer", what);
}

static char *
save(const Leg *leg)
{
	return g_strdup(((const FakeLeg *)leg)->save);
}

static void
bury(const char *saved, Reason reason)
{
	g_assert_cmpint(reason, ==, REASON_CRASHED);
	fake_legs.buried++;
	g_free(fake_legs.last_buried);
	fake_legs.last_buried = g_strdup(saved);
}

static void
notice(const char *account, const Address *number, const char *text)
{
	if (fake_legs.in_notice)
		fake_legs.in_notice(account, number, text);
}

static gboolean
start(Gateway *gateway, GError **error)
{
	return TRUE;
}

static void
stop(void)
{
	g_assert_cmpuint(fake_legs.legs->len, ==, 0);
}

#define COMMANDS                                                                  \
	.ring = ring, .answer = answer, .change = change, .candidate = candidate, \
	.hangup = hang_up, .save = save, .bury = bury, .dtmf = dtmf, .transferring = transferring

static const LegVerbs sip_verbs = { COMMANDS, .dial = dial_sip };
static const LegVerbs xmpp_verbs = { COMMANDS, .dial = dial_xmpp };
static const AccountVerbs account_verbs = { .notice = notice };

const Plugin fake_sip = {
	.interface_version = PLUGIN_INTERFACE_VERSION,
	.name = "sip",
	.transport = TRANSPORT_RTP,
	.reaches = WAY_CONTACT | WAY_TRUNK | WAY_URI,
	.start = start,
	.stop = stop,
	.leg = &sip_verbs,
};

const Plugin fake_xmpp = {
	.interface_version = PLUGIN_INTERFACE_VERSION,
	.name = "xmpp",
	.transport = TRANSPORT_WEBRTC,
	.reaches = WAY_ACCOUNT,
	.start = start,
	.stop = stop,
	.leg = &xmpp_verbs,
	.account = &account_verbs,
};

Gateway *
fake_gateway_new(const char *settings, Config **config, Store **store)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Trunk) trunk = trunk_new("carrier", "192.0.2.50");
	Gateway *gateway;

	*config = config_from_text(settings, "test", &error);
	g_assert_no_error(error);
	*store = store_open(":memory:", &error);
	g_assert_no_error(error);
	gateway = core_new(*config, *store, NULL);
	fake_legs_reset();
	fake_media_reset();
	g_assert_true(gateway_add_plugin(gateway, &fake_sip, NULL));
	g_assert_true(gateway_add_plugin(gateway, &fake_xmpp, NULL));
	g_assert_true(store_trunk_add(*store, trunk, NULL));
	return gateway;
}
