/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* call_media.c - the ports of a call, and what the media says of them.
 *
 * What the media reports becomes events of the call.
 * Thread: signalling.
 */
#include "b2bua/call/call_private.h"
#include "b2bua/call/call_list.h"

#define SILENCE_AGAIN_MS 2500 /* the other side's silence is as old as when it was last said */

/* --- what the media reports --- */

/* The caller's port and those of the stage; a port that was dropped is not waited for. */
static gboolean
media_is_ready(const Call *call)
{
	if (!call->caller->ours)
		return FALSE;
	for (guint i = 0; i < call->callees->len; i++) {
		const Party *party = call->callees->pdata[i];

		if (party->port && !party->ours)
			return FALSE;
	}
	return TRUE;
}

static void
on_ready(gpointer user, PortId port, const Transport *ours)
{
	Call *call = user;
	Party *party = call_party_of_port(call, port);

	if (!party)
		return;
	transport_free(party->ours);
	party->ours = transport_copy(ours);
	if (party->restarts > 0) {
		if (--party->restarts == 0)
			call_post(call, (CallEvent){ .kind = EVENT_MEDIA_READY,
						     .party = party,
						     .port = port });
	} else if (media_is_ready(call)) {
		call_post(call, (CallEvent){ .kind = EVENT_MEDIA_READY });
	}
}

static void
on_candidate(gpointer user, PortId port, const Candidate *ours)
{
	Call *call = user;
	Party *party = call_party_of_port(call, port);

	if (!party)
		return;
	if (party->ours)
		g_array_append_val(party->ours->candidates, *ours);
	call_post(call, (CallEvent){ .kind = EVENT_CANDIDATE,
				     .party = party,
				     .port = port,
				     .candidate = *ours });
}

static void
on_up(gpointer user, PortId port)
{
	Call *call = user;
	Party *party = call_party_of_port(call, port);

	if (!party)
		return;
	party->up = TRUE;
	call_post(call, (CallEvent){ .kind = EVENT_MEDIA_UP, .party = party, .port = port });
}

static void
on_lost(gpointer user, PortId port, MediaLoss why, const char *text)
{
	Call *call = user;
	Party *party = call_party_of_port(call, port);

	if (party)
		call_post(call, (CallEvent){ .kind = EVENT_MEDIA_LOST,
					     .party = party,
					     .port = port,
					     .loss = why,
					     .text = g_strdup(text) });
}

static void
on_note(gpointer user, PortId port, const char *text)
{
	Call *call = user;
	Party *party = call_party_of_port(call, port);
	g_autofree char *line = NULL;

	if (!party)
		return;
	line = g_strdup_printf("%s: %s", party_side(party), text);
	trace_add(call->trace, "media", TRACE_NOTE, line);
}

/* Both sides have been told of the answer; before it a caller may well send nothing. */
static gboolean
is_talking(const Call *call)
{
	return call->answered_us && (call->state == CALL_ACTIVE || call->state == CALL_CHANGING ||
				     call->state == CALL_TRANSFERRING);
}

const char *
call_in_the_clear(const Call *call)
{
	return party_is_clear(call->caller) || (call->callee && party_is_clear(call->callee))
		       ? "not encrypted between the client and the gateway"
		       : NULL;
}

char *
call_trouble(const Call *call)
{
	if (!call->one_way || !call->callee ||
	    (call->caller->fault == MEDIA_HEARD && call->callee->fault == MEDIA_HEARD))
		return NULL;
	return g_strdup_printf("%s: %s", call_is_dead(call) ? "dead" : "one-way", call->one_way);
}

static void
write_fault(Call *call, Party *party)
{
	g_auto(Why) why = { 0 };

	if (party->written == party->silence.fault)
		return;
	party->written = party->silence.fault;
	why_of_silence(call, party, &why);
	g_free(call->one_way);
	call->one_way = cause_for_operator(why.cause, &why.facts);
	trace_add_fault(call->trace, "media", call->one_way);
	if (cause_remedy(why.cause))
		trace_add_fault(call->trace, "media", cause_remedy(why.cause));
}

static void
clear_fault(Call *call, Party *party)
{
	if (party->written != MEDIA_HEARD)
		call_note(call, "the audio of the %s is in order again", party_side(party));
	if (call_other_party(call, party) && call_other_party(call, party)->fault == MEDIA_HEARD)
		g_clear_pointer(&call->one_way, g_free);
	party->suspect = party->fault = party->written = MEDIA_HEARD;
}

static void
count_fault(Call *call)
{
	if (!call->one_way_counted)
		gateway_count(call->gateway, COUNTER_CALLS_ONE_WAY);
	call->one_way_counted = TRUE;
	if (!call_is_dead(call))
		return;
	if (!call->dead_counted)
		gateway_count(call->gateway, COUNTER_CALLS_DEAD);
	call->dead_counted = TRUE;
}

static void
tell_fault(Call *call, Party *party)
{
	g_auto(Why) why = { 0 };

	write_fault(call, party);
	count_fault(call);
	why_of_silence(call, party, &why);
	call_notice_fault(call, &why);
}

static gboolean
is_silent_for(const Party *party, guint ms)
{
	return party->fault == MEDIA_SILENT && party->silence.silent_ms + SILENCE_AGAIN_MS >= ms;
}

/* Said every 2 s while it lasts, so that no timer is needed.  Two who are both muted still
 * report; one who sends nothing at all is gone.  A call for help is nobody's to end. */
static void
end_if_dead(Call *call, Party *party)
{
	const guint limit_ms = gateway_config(call->gateway)->dead_timeout_s * 1000;
	const Party *other = call_other_party(call, party);

	if (limit_ms == 0 || !call->callee || party->silence.silent_ms < limit_ms ||
	    !is_silent_for(party, limit_ms) || !is_silent_for(other, limit_ms) ||
	    MAX(party->silence.absent_ms, other->silence.absent_ms) < limit_ms ||
	    call_is_for_help(call))
		return;
	call_post(call, (CallEvent){ .kind = EVENT_MEDIA_LOST,
				     .party = party,
				     .port = party->port,
				     .loss = MEDIA_LOST_DEAD,
				     .text = g_strdup(party->silence_text) });
}

/* What comes from a foreign source is written down at once; all else, and what the persons
 * are told, when it is said a second time since the answer: the first may be of the silence
 * before it. */
static void
on_one_way(gpointer user, PortId port, const MediaSilence *silence, const char *text)
{
	Call *call = user;
	Party *party = call_party_of_port(call, port);
	const MediaFault fault = silence->fault;

	if (!party)
		return;
	if (fault == MEDIA_HEARD || (fault == MEDIA_SILENT && party->muted)) {
		clear_fault(call, party);
		return;
	}
	party->silence = *silence;
	g_free(party->silence_text);
	party->silence_text = g_strdup(text);
	if (fault == MEDIA_REFUSED)
		write_fault(call, party);
	if (!is_talking(call))
		return;
	if (party->fault == fault) {
		end_if_dead(call, party);
		return;
	}
	if (party->suspect != fault) {
		party->suspect = fault;
		return;
	}
	party->fault = fault;
	tell_fault(call, party);
}

static void
on_dtmf(gpointer user, PortId port, char digit)
{
	Call *call = user;
	Party *party = call_party_of_port(call, port);

	if (party)
		call_press(call, party, digit, TRUE);
}

static const MediaListener LISTENER = {
	.ready = on_ready,
	.candidate = on_candidate,
	.up = on_up,
	.lost = on_lost,
	.note = on_note,
	.one_way = on_one_way,
	.dtmf = on_dtmf,
};

/* --- ports --- */

#define MAX_NEAR 8 /* calls of an account that share their threads */

/* The newest call of the person that has ports; `busy`: there are too many. */
static const Call *
newest_of(const Call *call, const char *person, gboolean *busy)
{
	Call *others[MAX_NEAR];
	const guint n = calls_of_person(call->gateway, person, others, MAX_NEAR);
	const Call *newest = NULL;

	*busy |= n == MAX_NEAR;
	for (guint i = n; i-- > 0;)
		if (others[i] != call && others[i]->media)
			newest = others[i];
	return newest;
}

/* The other calls of the same people may be joined with this one some day.  Of a
 * busy line's many they are not all to be on one thread. */
static const Media *
find_near(const Call *call)
{
	gboolean busy = FALSE;
	const Call *one = newest_of(call, call->account, &busy);
	const Call *other = newest_of(call, call->plan->called, &busy);

	if (!one || (other && other->started_us > one->started_us))
		one = other;
	return one && !busy ? one->media : NULL;
}

/* A caller without DTLS has said so; of a callee his plugin knows. */
static gboolean
may_be_clear(const Party *party)
{
	const Target *target = party->target;
	const AccountVerbs *verbs = target ? target->plugin->account : NULL;

	if (party->kind != TRANSPORT_WEBRTC)
		return FALSE;
	return party_is_clear(party) || (target && target->account && verbs && verbs->unencrypted &&
					 verbs->unencrypted(target->account));
}

static void
open_port(Call *call, Party *party)
{
	const Stream *audio = party->remote ? desc_audio(party->remote) : NULL;

	if (party->kind == TRANSPORT_RTP && audio && audio->transport->address[0]) {
		party->port =
			media_add_rtp_port(call->media, party->side, audio->transport->address);
		return;
	}
	if (may_be_clear(party)) {
		party->port = media_add_clear_port(call->media, party->side);
		return;
	}
	if (party->kind == TRANSPORT_RTP || party->kind == TRANSPORT_WEBRTC) {
		party->port = media_add_port(call->media, party->side, party->kind);
		return;
	}
	party->port = NO_PORT;
	party->ours = transport_new(party->kind);
	party->up = party->kind == TRANSPORT_LOOP;
}

void
call_media_open(Call *call, const Call *with)
{
	Party *caller = call->caller;
	const Media *near = with ? with->media : find_near(call);

	call->media = media_open(gateway_workers(call->gateway), &LISTENER, call);
	if (call->line == LINE_HELP)
		media_use_reserve(call->media);
	if (near)
		media_stay_near(call->media, near);
	calls_place(call->gateway, call);
	open_port(call, caller);
}

Party *
call_add_party(Call *call, Side side, TransportKind kind, const Target *target)
{
	Party *party = g_new0(Party, 1);

	party->side = side;
	party->kind = kind;
	party->target = target;
	if (side == SIDE_CALLER)
		g_snprintf(party->lane, sizeof(party->lane), "caller");
	else if (call->callees->len == 0)
		g_snprintf(party->lane, sizeof(party->lane), "callee");
	else
		g_snprintf(party->lane, sizeof(party->lane), "callee%u", call->callees->len + 1);
	if (side == SIDE_CALLEE)
		g_ptr_array_add(call->callees, party);
	if (call->media)
		open_port(call, party);
	return party;
}

void
party_drop_port(Call *call, Party *party)
{
	if (party_has_port(party) && call->media)
		media_drop_port(call->media, party->port);
	party->port = 0;
	party->up = FALSE;
}

void
call_connect_party(Call *call, const Party *party)
{
	g_autoptr(Desc) remote = NULL;

	if (!party_has_port(party) || !party->local || !party->remote)
		return;
	remote = party->sound.opus_first ? desc_speaking(party->remote, party->local, "opus")
					 : desc_ref(party->remote);
	media_connect(call->media, party->port, party->local, remote);
}

void
call_join(Call *call, const Party *callee)
{
	const Party *caller = call->caller;

	call->rings_back = FALSE;
	if (party_has_port(caller) && party_has_port(callee))
		media_join(call->media, caller->port, callee->port);
	else if (party_has_port(caller) && callee->kind == TRANSPORT_LOOP)
		media_join(call->media, caller->port, caller->port);
	else if (party_has_port(callee) && caller->kind == TRANSPORT_LOOP)
		media_join(call->media, callee->port, callee->port);
}

void
call_play(Call *call, AudioSource *source)
{
	media_play_to(call->media, call->caller->port, source);
}

/* --- the last counters --- */

static void
on_stats(gpointer user, PortId port, const PortStats *stats)
{
	Call *call = user;

	/* media_last_stats() knows them from now on */
	if (call->stats_wanted > 0 && --call->stats_wanted == 0)
		call_closed(call);
}

void
call_media_finish(Call *call)
{
	const Party *parties[2] = { call->caller, call->callee };

	for (guint i = 0; call->media && i < G_N_ELEMENTS(parties); i++)
		if (parties[i] && party_has_port(parties[i]))
			call->stats_wanted++;
	for (guint i = 0; call->media && i < G_N_ELEMENTS(parties); i++)
		if (parties[i] && party_has_port(parties[i]))
			media_query(call->media, parties[i]->port, on_stats);
}
