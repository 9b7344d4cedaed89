/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* call_sound.c - the facts that transcoding.h decides by: whose policy holds, how busy the
 * media is, how the line of a device has been; and what this call adds to them.
 *
 * It is decided once for each side, before anything is said to it, and holds for the call.
 * Thread: signalling.
 */
#include "b2bua/call/call_private.h"
#include "b2bua/numberplan.h"
#include "b2bua/route/way_out.h"
#include "b2bua/setting.h"

#define DAY_SECONDS   86400
#define LEAST_PACKETS 500   /* ten seconds: fewer say nothing of a line */
#define G711_BITS     64000 /* a client that wants less asks for Opus */

gboolean
call_is_for_help(const Call *call)
{
	g_autofree char *country = user_country(call->gateway, call_user(call));

	return call->line == LINE_HELP || (call->plan && call->plan->number &&
					   number_is_emergency(call->plan->number, country));
}

/* --- whose policy --- */

static gboolean
user_policy(const Call *call, const char *account, TranscodePolicy *policy)
{
	g_autofree char *text =
		account ? setting_text(gateway_store(call->gateway), account, SETTING_TRANSCODE)
			: NULL;

	return transcode_policy_find(text, policy);
}

static Trunk *
trunk_of(const Call *call, const Party *party)
{
	const char *name = party->target && party->target->way.trunk ? party->target->way.trunk
			   : call->plan				     ? call->plan->trunk
								     : NULL;

	return name ? store_trunk_get(gateway_store(call->gateway), name, NULL) : NULL;
}

static gboolean
trunk_policy(const Call *call, const Party *party, TranscodePolicy *policy)
{
	g_autoptr(Trunk) trunk = trunk_of(call, party);

	return trunk && transcode_policy_find(trunk->transcode, policy);
}

/* The person's own, else that of the other person, else the trunk's, else the gateway's. */
static TranscodePolicy
policy_of(const Call *call, const Party *party)
{
	TranscodePolicy policy = TRANSCODE_ADAPTIVE;

	transcode_policy_find(gateway_config(call->gateway)->transcode, &policy);
	if (!user_policy(call, party->account, &policy) &&
	    !user_policy(call, call->account, &policy) &&
	    !user_policy(call, call->plan ? call->plan->called : NULL, &policy))
		trunk_policy(call, party, &policy);
	return policy;
}

/* --- what its client and its line are like --- */

/* RFC 7587 6.1: so many bits a second are the most that its line takes. */
static gboolean
asks_for_few_bits(const Party *party)
{
	const Stream *audio = party->remote ? desc_audio(party->remote) : NULL;
	const Codec *opus = audio ? stream_find_codec(audio, "opus", 48000) : NULL;

	for (guint i = 0; opus && i < opus->params->len; i++) {
		const CodecParam *param = opus->params->pdata[i];
		guint64 bits;

		if (g_ascii_strcasecmp(param->name, "maxaveragebitrate") == 0 &&
		    g_ascii_string_to_unsigned(param->value, 10, 1, G711_BITS - 1, &bits, NULL))
			return TRUE;
	}
	return FALSE;
}

/* As long as it is not known which device will answer: the worst of them. */
static guint
loss_of(const Call *call, const Party *party)
{
	gint64 since = g_get_real_time() / G_USEC_PER_SEC - TRANSCODE_LOSS_DAYS * DAY_SECONDS;
	g_autoptr(GArray) devices = party->account
					    ? store_loss_of(gateway_store(call->gateway),
							    party->account, party->device, NULL)
					    : NULL;
	guint worst = 0;

	for (guint i = 0; devices && i < devices->len; i++) {
		const DeviceLoss *device = &g_array_index(devices, DeviceLoss, i);

		worst = MAX(worst, transcode_mean_loss(device, since));
	}
	return worst;
}

static gboolean
is_device(const Party *party)
{
	return party->account && !(party->target && party->target->way.trunk);
}

static void
note_opus(const Call *call, const Party *party, const TranscodeFacts *facts)
{
	g_autofree char *why =
		facts->policy == TRANSCODE_ALWAYS ? g_strdup("transcode=always")
		: facts->loss < TRANSCODE_LOSS
			? g_strdup("its client asks for few bits")
			: g_strdup_printf("its last calls lost %.1f %%", facts->loss / 100.0);
	g_autofree char *line = g_strdup_printf("the %s is given Opus: %s", party->lane, why);

	trace_add(call->trace, "core", TRACE_NOTE, line);
}

const TranscodeChoice *
call_sound(const Call *call, Party *party)
{
	TranscodeFacts facts;

	if (party->sound_known)
		return &party->sound;
	facts = (TranscodeFacts){
		.policy = policy_of(call, party),
		.emergency = call_is_for_help(call),
		.device = is_device(party),
		.load = call->media ? media_load(call->media) : 0,
	};
	if (facts.device && facts.policy == TRANSCODE_ADAPTIVE) {
		facts.asks = asks_for_few_bits(party);
		facts.loss = loss_of(call, party);
	}
	party->sound = transcode_choose(&facts);
	party->sound_known = TRUE;
	if (party->sound.opus_first)
		note_opus(call, party, &facts);
	return &party->sound;
}

static Reason
refusal(const Call *call, Party *party)
{
	return party ? call_sound(call, party)->refusal : REASON_NONE;
}

Reason
call_sound_refusal(const Call *call, Party *party)
{
	Reason reason = refusal(call, party);

	if (reason == REASON_NONE)
		reason = refusal(call, call->caller);
	if (reason == REASON_NONE && call->callee != party)
		reason = refusal(call, call->callee);
	return reason;
}

Reason
call_incompatible(const Call *call, Party *party)
{
	Reason reason = call_sound_refusal(call, party);

	return reason == REASON_NONE ? REASON_INCOMPATIBLE : reason;
}

/* --- what this call has shown --- */

static guint
share(guint64 lost, guint64 all)
{
	return all ? (guint)(MIN(lost, all) * 10000 / all) : 0;
}

/* The worse of both directions. */
static void
learn(const Call *call, const Party *party)
{
	PortStats stats;
	CallLoss loss = { .at = g_get_real_time() / G_USEC_PER_SEC };
	g_autoptr(GError) error = NULL;

	if (!party || !party->device || !is_device(party) || !party_has_port(party))
		return;
	stats = media_last_stats(call->media, party->port);
	if (stats.packets_in + stats.lost_in < LEAST_PACKETS)
		return;
	loss.loss = share(stats.lost_in, stats.packets_in + stats.lost_in);
	if (stats.reports_in)
		loss.loss = MAX(loss.loss, share(stats.lost_out, stats.packets_out));
	if (!store_loss_add(gateway_store(call->gateway), party->account, party->device, &loss,
			    &error))
		g_warning("the loss of %s is not kept: %s", party->device, error->message);
}

void
call_sound_learn(const Call *call)
{
	if (!call->media || !call->answered_us)
		return;
	learn(call, call->caller);
	learn(call, call->callee);
}

char *
call_codec_names(const Call *call, const Party *party)
{
	Store *store = gateway_store(call->gateway);
	const gint64 id = party->target ? party->target->way.contact : 0;
	g_autoptr(Contact) contact = id ? store_contact_get(store, id, NULL) : NULL;
	g_autoptr(Softphone) softphone =
		contact ? store_softphone_get(store, contact->username, NULL) : NULL;
	g_autoptr(Trunk) trunk =
		softphone || party->kind != TRANSPORT_RTP ? NULL : trunk_of(call, party);

	return g_strdup(softphone ? softphone->codecs : trunk ? trunk->codecs : NULL);
}
