/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* call.c - the whole logic of a call: one table and its actions.
 *
 *   SETUP ──► CALLING ──► RINGING ──► CONNECTING ──► ACTIVE ◄──► CHANGING
 *     ▲          │           │            │             │           │
 *     └──────────┴─ next     │            │             │           │
 *          stage ◄───────────┘            ▼             ▼           ▼
 *                                  ENDED ◄──────────────────────────┘
 *
 * An event comes from a leg, the media, the timer or from above.  A step is: set
 * the state the cell names, which writes the record, then run the cell's action;
 * an action that must end the call says call_end().  An event raised while a
 * step runs waits in the queue.  What descriptions are made of stands in
 * call_media.c, what is written down in call_record.c.
 * Thread: signalling.
 */
#include "b2bua/call_private.h"

#define SETTLE_MS 1000 /* how long an ended call waits for its last counters */

typedef enum {
	TIMEOUT_NEVER,
	TIMEOUT_SETUP,	 /* ports are made */
	TIMEOUT_STAGE,	 /* the stage is answered */
	TIMEOUT_CONNECT, /* the callee's media is up */
	TIMEOUT_DURATION,
	TIMEOUT_CHANGE, /* the other side has agreed */
	N_TIMEOUTS
} Timeout;

typedef void (*Action)(Call *call, const CallEvent *event);

typedef struct {
	Action action;	  /* NULL: ignore, count, trace */
	const char *does; /* as docs/call-states.md says it */
	gboolean moves;	  /* to `next` before the action; otherwise the action decides */
	CallState next;
} Cell;

/* --- small questions --- */

static Party *
other_party(const Call *call, const Party *party)
{
	return party == call->caller ? call->callee : call->caller;
}

static const Stage *
current_stage(const Call *call)
{
	return call->plan->stages->pdata[call->stage];
}

static gboolean
in_stage(const Call *call, const Party *party)
{
	return party->stage == call->stage && party->port != 0;
}

static gboolean
stage_is_over(const Call *call)
{
	for (guint i = 0; i < call->callees->len; i++)
		if (in_stage(call, call->callees->pdata[i]))
			return FALSE;
	return TRUE;
}

static gboolean
anyone_rang(const Call *call)
{
	for (guint i = 0; i < call->callees->len; i++)
		if (((Party *)call->callees->pdata[i])->rang)
			return TRUE;
	return FALSE;
}

static void enter(Call *call, CallState state);

/* --- stages --- */

static void
let_go(Call *call, Party *party, Reason reason, const char *text)
{
	leg_command_hangup(call, party, reason, text);
	party_drop_port(call, party);
	if (call->early == party)
		call->early = NULL;
}

static void
refuse_with(Call *call, Reason reason, const char *words, EndedBy by)
{
	if (reason_more_telling(call->refusal, reason) == call->refusal)
		return;
	call->refusal = reason;
	g_free(call->refusal_words);
	call->refusal_words = g_strdup(words);
	call->refused_by = by;
}

/* A port for each target; they are dialled when all ports are ready. */
static void
prepare_stage(Call *call)
{
	const Stage *stage = current_stage(call);

	for (guint i = 0; i < stage->targets->len; i++) {
		const Target *target = stage->targets->pdata[i];
		Party *party = call_add_party(call, SIDE_CALLEE, target->plugin->transport);

		party->stage = call->stage;
		party->target = target;
	}
}

/* Nobody of this stage will answer.  Another way is tried only when it was the
 * network that refused; a person who is busy is not called again. */
static void
leave_stage(Call *call)
{
	guint left = call->callees->len;
	g_autofree char *text = NULL;

	if (!reason_is_network(call->refusal) || call->stage + 1 >= call->plan->stages->len) {
		call_end(call, call->refusal, call->refusal_words, call->refused_by);
		return;
	}
	text = call_sentence(call->refusal, call->refusal_words);
	call_note(call, "next way: %s", text);
	call->stage++;
	enter(call, CALL_SETUP);
	for (guint i = 0; i < left; i++)
		let_go(call, call->callees->pdata[i], call->refusal, text);
	prepare_stage(call);
}

/* --- actions, in the order of a call --- */

static void
dial_stage(Call *call, const CallEvent *event)
{
	for (guint i = 0; i < call->callees->len; i++) {
		Party *party = call->callees->pdata[i];
		g_autoptr(Desc) offer = NULL;

		if (!in_stage(call, party))
			continue;
		offer = call_offer_for(call, party);
		if (!offer) {
			call_end(call, REASON_INCOMPATIBLE, NULL, BY_GATEWAY);
			return;
		}
		party_set_descs(party, offer, NULL);
		call->dialling = party;
		party->target->plugin->dial(call, party->target, offer);
		call->dialling = NULL;
		if (!party->attached)
			call_post(call, (CallEvent){ .kind = EVENT_CALLEE_ENDED,
						     .party = party,
						     .reason = REASON_NETWORK_ERROR });
	}
}

/* Early media goes to a caller who can take it before the answer: a telephone
 * that has made an offer.  A browser's ICE must not start its clock while it rings. */
static const Desc *
start_early_media(Call *call, Party *callee, const Desc *early)
{
	Party *caller = call->caller;
	g_autoptr(Desc) told = NULL;

	if (!early || callee->kind != TRANSPORT_RTP || caller->kind != TRANSPORT_RTP ||
	    !caller->remote || (call->early && call->early != callee))
		return NULL;
	told = call_answer_for(call, early);
	if (!told)
		return NULL;
	call->early = callee;
	party_set_descs(callee, callee->local, early);
	party_set_descs(caller, told, caller->remote);
	call_connect_party(call, callee);
	call_connect_party(call, caller);
	call_join(call, callee);
	return caller->local;
}

static void
ring(Call *call, const CallEvent *event)
{
	gboolean first = !anyone_rang(call);
	const Desc *early = start_early_media(call, event->party, event->desc);

	event->party->rang = TRUE;
	if (first || early)
		leg_command_ring(call->caller, early);
}

static void
drop(Call *call, const CallEvent *event)
{
	/* not answered yet: whatever the far end calls it, it would not talk to us */
	gboolean hung_up = event->reason == REASON_HANGUP || event->reason == REASON_CANCELLED;

	refuse_with(call, hung_up ? REASON_DECLINED : event->reason, event->text, BY_CALLEE);
	let_go(call, event->party, event->reason, NULL);
	if (stage_is_over(call))
		leave_stage(call);
}

static void
next_stage(Call *call, const CallEvent *event)
{
	gboolean rang = FALSE;

	for (guint i = 0; i < call->callees->len; i++) {
		const Party *party = call->callees->pdata[i];

		rang = rang || (in_stage(call, party) && party->rang);
	}
	refuse_with(call, rang ? REASON_NO_ANSWER : REASON_TIMEOUT, NULL, BY_GATEWAY);
	leave_stage(call);
}

/* The first answer becomes the other side, the rest hear of it. */
static void
connect_callee(Call *call, const CallEvent *event)
{
	Party *callee = event->party;
	g_autoptr(Desc) told = NULL;
	g_autofree char *elsewhere = call_sentence(REASON_ANSWERED_ELSEWHERE, NULL);

	call->callee = callee;
	for (guint i = 0; i < call->callees->len; i++)
		if (call->callees->pdata[i] != callee)
			let_go(call, call->callees->pdata[i], REASON_ANSWERED_ELSEWHERE, elsewhere);
	told = event->desc ? call_answer_for(call, event->desc) : NULL;
	if (!told) {
		call_end(call, REASON_INCOMPATIBLE, NULL, BY_GATEWAY);
		return;
	}
	party_set_descs(callee, callee->local, event->desc);
	party_set_descs(call->caller, told, call->caller->remote);
	call_connect_party(call, callee);
	call_join(call, callee);
	/* up already (early media), or not to be waited for: as good as up */
	if (callee->up || !call->plan->wait_for_media)
		call_post(call, (CallEvent){ .kind = EVENT_MEDIA_UP,
					     .party = callee,
					     .port = callee->port });
}

static void
note_up(Call *call, const CallEvent *event)
{
	call_note(call, "%s's media is up", event->party->lane);
}

static void
answer_caller(Call *call, const CallEvent *event)
{
	Party *caller = call->caller;

	if (event->party->up)
		note_up(call, event);
	if (event->party != call->callee)
		return;
	enter(call, CALL_ACTIVE);
	if (caller->remote)
		call_connect_party(call, caller);
	else
		caller->owes_answer = TRUE;
	leg_command_answer(caller, caller->local);
}

/* The answer to an offer that we made in answer(): to an INVITE or re-INVITE
 * without SDP, or to a Jingle propose. */
static void
late_answer(Call *call, const CallEvent *event)
{
	Party *party = event->party;
	g_autoptr(Desc) shared = NULL;

	if (!party->owes_answer)
		return;
	party->owes_answer = FALSE;
	if (event->desc)
		shared = desc_answer(party->local, event->desc, party->ours);
	if (!shared) {
		call_end(call, REASON_INCOMPATIBLE, NULL,
			 party == call->caller ? BY_CALLER : BY_CALLEE);
		return;
	}
	party_set_descs(party, party->local, event->desc);
	call_connect_party(call, party);
}

/* --- changes --- */

static void
refuse_change(Call *call, const CallEvent *event)
{
	leg_command_answer(event->party, NULL);
}

/* The change concerns this side alone: the other is not disturbed. */
static void
absorb_change(Call *call, Party *party, const Desc *offer)
{
	g_autoptr(Desc) told = desc_answer(offer, other_party(call, party)->remote, party->ours);

	if (told) {
		party_set_descs(party, told, offer);
		call_connect_party(call, party);
	}
	leg_command_answer(party, told);
}

static void
pass_on(Call *call, const CallEvent *event)
{
	Party *party = event->party, *other = other_party(call, party);
	g_autoptr(Desc) offer = NULL;

	if (party->owes_answer || other->owes_answer || !other->leg) {
		leg_command_answer(party, NULL);
		return;
	}
	if (!event->desc) { /* he wants our offer: what he has been told, again */
		party->owes_answer = TRUE;
		leg_command_answer(party, party->local);
		return;
	}
	if (desc_change_is_local(party->remote, event->desc) || !other->leg->plugin->change) {
		absorb_change(call, party, event->desc);
		return;
	}
	offer = desc_offer(event->desc, other->ours);
	if (!offer) {
		leg_command_answer(party, NULL);
		return;
	}
	call->changer = party;
	call->change_offer = desc_ref(event->desc);
	call->change_passed = desc_ref(offer);
	enter(call, CALL_CHANGING);
	leg_command_change(other, offer);
}

static void
forget_change(Call *call)
{
	call->changer = NULL;
	g_clear_pointer(&call->change_offer, desc_unref);
	g_clear_pointer(&call->change_passed, desc_unref);
}

/* Media follows a change only when both sides have agreed to it. */
static void
settle(Call *call, const CallEvent *event)
{
	Party *changer = call->changer, *other = event->party;
	g_autoptr(Desc) told = NULL;

	if (other == changer) /* he answers nothing that we asked */
		return;
	if (event->desc)
		told = desc_answer(call->change_offer, event->desc, changer->ours);
	if (told) {
		party_set_descs(other, call->change_passed, event->desc);
		party_set_descs(changer, told, call->change_offer);
	}
	forget_change(call);
	enter(call, CALL_ACTIVE);
	if (told) {
		call_connect_party(call, other);
		call_connect_party(call, changer);
	}
	leg_command_answer(changer, told);
}

static void
give_up_change(Call *call, const CallEvent *event)
{
	Party *changer = call->changer;

	forget_change(call);
	leg_command_answer(changer, NULL);
}

/* --- endings --- */

static void
end_by_leg(Call *call, const CallEvent *event)
{
	EndedBy by = event->party == call->caller ? BY_CALLER : BY_CALLEE;
	Reason reason = event->reason;

	if (call->answered_us == 0 && by == BY_CALLER && reason == REASON_HANGUP)
		reason = REASON_CANCELLED;
	if (call->answered_us != 0 && reason == REASON_CANCELLED)
		reason = REASON_HANGUP;
	call_end(call, reason, event->text, by);
}

static void
end_lost(Call *call, const CallEvent *event)
{
	Reason reason = event->party->up ? REASON_MEDIA_LOST : REASON_NO_MEDIA;

	if (event->loss == MEDIA_LOST_RTP && call->answered_us == 0) {
		/* a carrier may announce early media and stay silent while it rings */
		call_note(call, "%s's early media is silent", event->party->lane);
		return;
	}
	if (event->loss == MEDIA_LOST_FINGERPRINT)
		reason = REASON_SECURITY;
	call_end(call, reason, event->text, BY_GATEWAY);
}

static void
end_no_media(Call *call, const CallEvent *event)
{
	call_end(call, REASON_NO_MEDIA, "it was not ready in time", BY_GATEWAY);
}

static void
end_duration(Call *call, const CallEvent *event)
{
	call_end(call, REASON_HANGUP, "longest allowed duration", BY_GATEWAY);
}

/* --- the table --- */

#define STAY(action, does)             \
	{                              \
		action, does, FALSE, 0 \
	}
#define GO(action, does, next)           \
	{                                \
		action, does, TRUE, next \
	}

#define OR_NEXT ", or next stage → SETUP, or end → ENDED"

static const Cell TABLE[N_CALL_STATES][N_CALL_EVENTS] = {
	[CALL_SETUP][EVENT_MEDIA_READY] = GO(dial_stage, "dial stage", CALL_CALLING),
	[CALL_SETUP][EVENT_CHANGED] = STAY(refuse_change, "refuse"),
	[CALL_SETUP][EVENT_CALLER_ENDED] = STAY(end_by_leg, "end → ENDED"),
	[CALL_SETUP][EVENT_MEDIA_LOST] = STAY(end_lost, "end → ENDED"),
	[CALL_SETUP][EVENT_TIMEOUT] = STAY(end_no_media, "end: no media → ENDED"),

	[CALL_CALLING][EVENT_RINGING] = GO(ring, "ring", CALL_RINGING),
	[CALL_CALLING][EVENT_ANSWERED] = GO(connect_callee, "connect", CALL_CONNECTING),
	[CALL_CALLING][EVENT_MEDIA_UP] = STAY(note_up, "note"),
	[CALL_CALLING][EVENT_CHANGED] = STAY(refuse_change, "refuse"),
	[CALL_CALLING][EVENT_CALLER_ENDED] = STAY(end_by_leg, "end → ENDED"),
	[CALL_CALLING][EVENT_CALLEE_ENDED] = STAY(drop, "drop" OR_NEXT),
	[CALL_CALLING][EVENT_MEDIA_LOST] = STAY(end_lost, "end → ENDED"),
	[CALL_CALLING][EVENT_TIMEOUT] = STAY(next_stage, "next stage → SETUP, or end → ENDED"),

	[CALL_RINGING][EVENT_RINGING] = STAY(ring, "ring"),
	[CALL_RINGING][EVENT_ANSWERED] = GO(connect_callee, "connect", CALL_CONNECTING),
	[CALL_RINGING][EVENT_MEDIA_UP] = STAY(note_up, "note"),
	[CALL_RINGING][EVENT_CHANGED] = STAY(refuse_change, "refuse"),
	[CALL_RINGING][EVENT_CALLER_ENDED] = STAY(end_by_leg, "end → ENDED"),
	[CALL_RINGING][EVENT_CALLEE_ENDED] = STAY(drop, "drop" OR_NEXT),
	[CALL_RINGING][EVENT_MEDIA_LOST] = STAY(end_lost, "end → ENDED"),
	[CALL_RINGING][EVENT_TIMEOUT] = STAY(next_stage, "next stage → SETUP, or end → ENDED"),

	[CALL_CONNECTING][EVENT_MEDIA_UP] = STAY(answer_caller, "callee's: answer → ACTIVE"),
	[CALL_CONNECTING][EVENT_CHANGED] = STAY(refuse_change, "refuse"),
	[CALL_CONNECTING][EVENT_CALLER_ENDED] = STAY(end_by_leg, "end → ENDED"),
	[CALL_CONNECTING][EVENT_CALLEE_ENDED] = STAY(end_by_leg, "end → ENDED"),
	[CALL_CONNECTING][EVENT_MEDIA_LOST] = STAY(end_lost, "end → ENDED"),
	[CALL_CONNECTING][EVENT_TIMEOUT] = STAY(end_no_media, "end: no media → ENDED"),

	[CALL_ACTIVE][EVENT_ANSWERED] = STAY(late_answer, "late answer"),
	[CALL_ACTIVE][EVENT_MEDIA_UP] = STAY(note_up, "note"),
	[CALL_ACTIVE][EVENT_CHANGED] = STAY(pass_on, "absorb, or pass on → CHANGING"),
	[CALL_ACTIVE][EVENT_CALLER_ENDED] = STAY(end_by_leg, "end → ENDED"),
	[CALL_ACTIVE][EVENT_CALLEE_ENDED] = STAY(end_by_leg, "end → ENDED"),
	[CALL_ACTIVE][EVENT_MEDIA_LOST] = STAY(end_lost, "end → ENDED"),
	[CALL_ACTIVE][EVENT_TIMEOUT] = STAY(end_duration, "end → ENDED"),

	[CALL_CHANGING][EVENT_ANSWERED] = STAY(settle, "settle → ACTIVE"),
	[CALL_CHANGING][EVENT_MEDIA_UP] = STAY(note_up, "note"),
	[CALL_CHANGING][EVENT_CHANGED] = STAY(refuse_change, "refuse (glare)"),
	[CALL_CHANGING][EVENT_CALLER_ENDED] = STAY(end_by_leg, "end → ENDED"),
	[CALL_CHANGING][EVENT_CALLEE_ENDED] = STAY(end_by_leg, "end → ENDED"),
	[CALL_CHANGING][EVENT_MEDIA_LOST] = STAY(end_lost, "end → ENDED"),
	[CALL_CHANGING][EVENT_TIMEOUT] = GO(give_up_change, "refuse", CALL_ACTIVE),

	/* CALL_ENDED: nothing is heard any more */
};

static const struct {
	const char *name;
	Timeout timeout;
} STATES[N_CALL_STATES] = {
	[CALL_SETUP] = { "SETUP", TIMEOUT_SETUP },
	[CALL_CALLING] = { "CALLING", TIMEOUT_STAGE },
	[CALL_RINGING] = { "RINGING", TIMEOUT_STAGE },
	[CALL_CONNECTING] = { "CONNECTING", TIMEOUT_CONNECT },
	[CALL_ACTIVE] = { "ACTIVE", TIMEOUT_DURATION },
	[CALL_CHANGING] = { "CHANGING", TIMEOUT_CHANGE },
	[CALL_ENDED] = { "ENDED", TIMEOUT_NEVER },
};

static const char *const EVENT_NAMES[N_CALL_EVENTS] = {
	[EVENT_MEDIA_READY] = "media ready",
	[EVENT_RINGING] = "ringing",
	[EVENT_ANSWERED] = "answered",
	[EVENT_MEDIA_UP] = "media up",
	[EVENT_CHANGED] = "changed",
	[EVENT_CALLER_ENDED] = "caller ended",
	[EVENT_CALLEE_ENDED] = "a callee ended",
	[EVENT_MEDIA_LOST] = "media lost",
	[EVENT_TIMEOUT] = "timeout",
};

static const char *const TIMEOUT_NAMES[N_TIMEOUTS] = {
	[TIMEOUT_NEVER] = "",
	[TIMEOUT_SETUP] = "setup_timeout",
	[TIMEOUT_STAGE] = "the stage's",
	[TIMEOUT_CONNECT] = "connect_timeout",
	[TIMEOUT_DURATION] = "max_duration",
	[TIMEOUT_CHANGE] = "change_timeout",
};

const char *
call_state_name(CallState state)
{
	return STATES[state].name;
}

char *
call_table_markdown(void)
{
	GString *text = g_string_new("| state (timeout) |");

	for (guint event = 0; event < N_CALL_EVENTS; event++)
		g_string_append_printf(text, " %s |", EVENT_NAMES[event]);
	g_string_append(text, "\n|---|");
	for (guint event = 0; event < N_CALL_EVENTS; event++)
		g_string_append(text, "---|");
	g_string_append_c(text, '\n');
	for (guint state = 0; state < N_CALL_STATES; state++) {
		Timeout timeout = STATES[state].timeout;

		g_string_append_printf(text, "| %s", STATES[state].name);
		if (timeout != TIMEOUT_NEVER)
			g_string_append_printf(text, " (%s)", TIMEOUT_NAMES[timeout]);
		for (guint event = 0; event < N_CALL_EVENTS; event++) {
			const Cell *cell = &TABLE[state][event];

			g_string_append_printf(text, " | %s", cell->does ? cell->does : "");
			if (cell->moves)
				g_string_append_printf(text, " → %s", call_state_name(cell->next));
		}
		g_string_append(text, " |\n");
	}
	return g_string_free(text, FALSE);
}

/* --- time --- */

static gint64
timeout_us(Call *call, Timeout timeout)
{
	const Config *config = gateway_config(call->gateway);
	gint64 now = g_get_monotonic_time();
	gint64 longest = (gint64)config->max_duration_s * G_USEC_PER_SEC;

	switch (timeout) {
	case TIMEOUT_SETUP:
		return (gint64)config->setup_timeout_s * G_USEC_PER_SEC;
	case TIMEOUT_STAGE: /* ringing does not begin it anew */
		return MAX(call->stage_until_us - now, 1);
	case TIMEOUT_CONNECT:
		return (gint64)config->connect_timeout_s * G_USEC_PER_SEC;
	case TIMEOUT_DURATION:
		if (longest == 0)
			return 0;
		return MAX(call->answered_us + longest - g_get_real_time(), 1);
	case TIMEOUT_CHANGE:
		return (gint64)config->change_timeout_s * G_USEC_PER_SEC;
	case TIMEOUT_NEVER:
	case N_TIMEOUTS:
		break;
	}
	return 0;
}

void
call_expire(Call *call)
{
	call_post(call, (CallEvent){ .kind = EVENT_TIMEOUT, .deadline = call->deadline });
}

static gboolean
on_timeout(gpointer user)
{
	Call *call = user;

	call->timer = 0;
	call_expire(call);
	return G_SOURCE_REMOVE;
}

static void
set_timer(Call *call)
{
	gint64 us = timeout_us(call, STATES[call->state].timeout);

	g_clear_handle_id(&call->timer, g_source_remove);
	call->deadline++;
	if (us > 0)
		call->timer = g_timeout_add((guint)MIN(us / 1000 + 1, G_MAXINT), on_timeout, call);
}

static void
enter(Call *call, CallState state)
{
	const Stage *stage;

	if (state == call->state)
		return;
	if (state == CALL_CALLING) {
		stage = current_stage(call);
		call->stage_until_us =
			g_get_monotonic_time() +
			G_USEC_PER_SEC *
				(gint64)(stage->ring_seconds
						 ? stage->ring_seconds
						 : gateway_config(call->gateway)->ring_timeout_s);
	}
	if (state == CALL_ACTIVE && call->answered_us == 0)
		call->answered_us = g_get_real_time();
	call->state = state;
	call_note(call, "%s", call_state_name(state));
	set_timer(call);
	if (state != CALL_ENDED) /* call_end() writes that one, with the reason */
		call_record_write(call);
}

/* --- steps --- */

#ifndef G_DISABLE_ASSERT
/* What holds in each state when nothing waits in the queue. */
static void
call_check(const Call *call)
{
	guint legs = 0;

	for (guint i = 0; i < call->callees->len; i++) {
		const Party *party = call->callees->pdata[i];

		legs += party->leg != NULL;
		g_assert(!party->leg || party->leg->call == call);
		g_assert(!party->leg || in_stage(call, party));
	}
	g_assert((call->changer != NULL) == (call->state == CALL_CHANGING));
	if (call->state == CALL_ENDED) {
		g_assert(legs == 0 && !call->caller->leg && call->record->reason);
		return;
	}
	g_assert(call->media && call->caller->leg && call->caller->leg->call == call);
	switch (call->state) {
	case CALL_SETUP:
		g_assert(legs == 0 && !call->callee);
		break;
	case CALL_CALLING:
	case CALL_RINGING:
		g_assert(legs > 0 && !call->callee && call->caller->ours);
		break;
	case CALL_CONNECTING:
		g_assert(call->answered_us == 0);
		g_assert(legs == 1 && call->callee->leg && call->callee->remote);
		break;
	case CALL_ACTIVE:
	case CALL_CHANGING:
		g_assert(call->answered_us != 0);
		g_assert(legs == 1 && call->callee->leg);
		g_assert(call->caller->local && call->callee->local && call->callee->remote);
		g_assert(call->caller->remote || call->caller->owes_answer);
		break;
	default:
		break;
	}
}
#else
#define call_check(call) ((void)(call))
#endif

/* What was true when it was said and is no longer, or makes no sense. */
static gboolean
is_stale(const Call *call, const CallEvent *event)
{
	const Party *party = event->party;

	if (event->kind == EVENT_TIMEOUT)
		return event->deadline != call->deadline;
	if (!party)
		return FALSE;
	if (event->port != 0 && event->port != party->port)
		return TRUE;
	if (party->side == SIDE_CALLEE && !in_stage(call, party))
		return TRUE;
	switch (event->kind) {
	case EVENT_RINGING:
		return !party->leg || party->side == SIDE_CALLER;
	case EVENT_ANSWERED:
		return !party->leg || (party->side == SIDE_CALLER && call->answered_us == 0);
	case EVENT_CHANGED:
		return !party->leg;
	default:
		return FALSE;
	}
}

static void
step(Call *call, const CallEvent *event)
{
	const Cell *cell;

	if (call->state == CALL_ENDED || is_stale(call, event))
		return;
	if (event->kind == EVENT_CANDIDATE) {
		leg_command_candidate(event->party, &event->candidate);
		return;
	}
	if (event->kind == EVENT_HANGUP) {
		call_end(call, event->reason, event->text, BY_GATEWAY);
		return;
	}
	cell = &TABLE[call->state][event->kind];
	if (!cell->action) {
		gateway_count(call->gateway, "events-ignored");
		call_note(call, "ignored: %s", EVENT_NAMES[event->kind]);
		return;
	}
	if (cell->moves)
		enter(call, cell->next);
	cell->action(call, event);
}

static void
event_free(CallEvent *event)
{
	desc_unref(event->desc);
	g_free(event->text);
	g_free(event);
}

static void
call_free(Call *call)
{
	g_clear_handle_id(&call->timer, g_source_remove);
	if (call->recorded) { /* once more, with the last counters and the last of the ladder */
		g_free(call->record->stats);
		call->record->stats = call_stats(call);
		call_record_write(call);
		call_log_end(call);
		gateway_track(call->gateway, call, FALSE);
	}
	media_close(call->media);
	forget_change(call);
	party_free(call->caller);
	g_ptr_array_unref(call->callees);
	plan_free(call->plan);
	address_free(call->from);
	address_free(call->to);
	call_record_free(call->record);
	trace_free(call->trace);
	g_free(call->refusal_words);
	g_free(call);
}

/* Everything that waits, one after the other; then the call may be gone. */
static void
run_queue(Call *call)
{
	CallEvent *event;

	while ((event = g_queue_pop_head(&call->events))) {
		step(call, event);
		event_free(event);
		if (g_queue_is_empty(&call->events))
			call_check(call);
	}
	call->busy = FALSE;
	if (call->state == CALL_ENDED && call->stats_wanted == 0)
		call_free(call);
}

void
call_post(Call *call, CallEvent event)
{
	g_queue_push_tail(&call->events, g_memdup2(&event, sizeof(event)));
	if (call->busy)
		return;
	call->busy = TRUE;
	run_queue(call);
}

/* --- beginning and end --- */

/* NULL as the plan is a refusal, with its reason and words. */
static void
begin(Call *call, const Incoming *incoming, Reason reason, const char *words)
{
	Reason limit = REASON_NONE;
	const char *limit_words = NULL;

	if (!gateway_admit(call->gateway, call_user(call), &limit, &limit_words)) {
		gateway_count(call->gateway,
			      "calls-over-limit"); /* and no record: it may be a flood */
		call_end(call, limit, limit_words, BY_GATEWAY);
		return;
	}
	call_record_begin(call);
	if (call->recorded)
		gateway_track(call->gateway, call, TRUE);
	if (!call->plan) {
		call_end(call, reason, words, BY_GATEWAY);
		return;
	}
	if (incoming->offer && !desc_audio(incoming->offer)) {
		call_end(call, REASON_INCOMPATIBLE, NULL, BY_GATEWAY);
		return;
	}
	call_media_open(call);
	set_timer(call);
	prepare_stage(call);
}

static Call *
call_make(Gateway *gateway, Leg *leg, const Plugin *plugin, const Incoming *incoming)
{
	Call *call = g_new0(Call, 1);
	const Stream *audio = incoming->offer ? desc_audio(incoming->offer) : NULL;
	g_autofree char *from = address_text(incoming->from), *to = address_text(incoming->to);
	g_autofree char *with = incoming->offer ? desc_summary(incoming->offer) : NULL;

	leg->plugin = plugin;
	leg->call = call;
	leg->side = SIDE_CALLER;
	call->gateway = gateway;
	call->from = address_copy(incoming->from);
	call->to = address_copy(incoming->to);
	call->callees = g_ptr_array_new_with_free_func((GDestroyNotify)party_free);
	call->trace = trace_new();
	call->record = g_new0(CallRecord, 1);
	call->started_us = g_get_real_time();
	g_queue_init(&call->events);
	call->caller = call_add_party(call, SIDE_CALLER,
				      audio ? audio->transport->kind : plugin->transport);
	call->caller->leg = leg;
	call->caller->attached = TRUE;
	party_set_descs(call->caller, NULL, incoming->offer);
	leg_trace(leg, TRACE_IN, "%s calls %s, %s", from, to, with ? with : "no offer yet");
	return call;
}

void
call_new_planned(Gateway *gateway, Leg *leg, const Plugin *plugin, const Incoming *incoming,
		 Plan *plan)
{
	Call *call = call_make(gateway, leg, plugin, incoming);

	call->busy = TRUE;
	call->plan = plan;
	begin(call, incoming, REASON_NONE, NULL);
	run_queue(call);
}

void
call_new(Gateway *gateway, Leg *leg, const Plugin *plugin, const Incoming *incoming)
{
	Call *call = call_make(gateway, leg, plugin, incoming);
	Reason reason = REASON_NONE;
	const char *words = NULL;

	call->busy = TRUE;
	call->plan = route(gateway, plugin, incoming->from, incoming->to, incoming->trunk, &reason,
			   &words);
	begin(call, incoming, reason, words);
	run_queue(call);
}

static gboolean
on_settled(gpointer user)
{
	Call *call = user;

	call->timer = 0;
	call_closed(call);
	return G_SOURCE_REMOVE;
}

void
call_end(Call *call, Reason reason, const char *words, EndedBy by)
{
	g_autofree char *text = call_sentence(reason, words);

	if (call->state == CALL_ENDED)
		return;
	forget_change(call);
	enter(call, CALL_ENDED);
	call_note(call, "%s", text);
	call_record_end(call, reason, text, by);
	leg_command_hangup(call, call->caller, reason, text);
	for (guint i = 0; i < call->callees->len; i++)
		leg_command_hangup(call, call->callees->pdata[i], reason, text);
	call_media_finish(call);
	if (call->stats_wanted > 0)
		call->timer = g_timeout_add(SETTLE_MS, on_settled, call);
}

void
call_closed(Call *call)
{
	call->stats_wanted = 0;
	if (!call->busy)
		call_free(call);
}

void
call_hangup(Call *call, Reason reason, const char *text)
{
	call_post(call,
		  (CallEvent){ .kind = EVENT_HANGUP, .reason = reason, .text = g_strdup(text) });
}

/* --- looking at one --- */

gint64
call_id(const Call *call)
{
	return call->record->id;
}

CallState
call_state(const Call *call)
{
	return call->state;
}

Gateway *
call_gateway(const Call *call)
{
	return call->gateway;
}

const char *
call_user(const Call *call)
{
	return call->plan ? call->plan->user : NULL;
}

gint64
call_started_us(const Call *call)
{
	return call->started_us;
}

gint64
call_answered_us(const Call *call)
{
	return call->answered_us;
}

char *
call_caller_text(const Call *call)
{
	return address_text(call->from);
}

char *
call_callee_text(const Call *call)
{
	return address_text(call->to);
}
