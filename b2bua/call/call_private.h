/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* call_private.h - the inside of a call, for the files of this folder and for nobody else.
 *
 * A Party is what the core knows of one leg.  It outlives the leg, so an event
 * in the queue may name it when the leg has long gone back to its plugin.
 * Thread: signalling.
 */
#pragma once
#include "b2bua/call/call.h"
#include "b2bua/gateway.h"
#include "b2bua/route/limits.h"
#include "b2bua/route/meter.h"
#include "b2bua/route/route.h"
#include "b2bua/timer.h"
#include "b2bua/trace.h"
#include "b2bua/transcoding.h"
#include "b2bua/why/cause.h"

typedef struct Bill Bill; /* call_bill.h */

/* The columns of the table. */
typedef enum {
	EVENT_MEDIA_READY,
	EVENT_RINGING,
	EVENT_CALLER_ANSWERED,
	EVENT_CALLEE_ANSWERED,
	EVENT_MEDIA_UP,
	EVENT_CHANGED,
	EVENT_CALLER_ENDED,
	EVENT_CALLEE_ENDED,
	EVENT_MEDIA_LOST,
	EVENT_TIMEOUT,
	EVENT_TRANSFER,
	EVENT_TRANSFER_ANSWERED,
	EVENT_TRANSFER_FAILED,
	EVENT_CANDIDATE, /* one more of ours, for the leg */
	EVENT_HANGUP,	 /* from above: the operator, the shutdown */
	N_CALL_EVENTS
} CallEventKind;

typedef enum { BY_CALLER, BY_CALLEE, BY_GATEWAY } EndedBy;

/* How far a side has got; it never goes back. */
typedef enum {
	PROGRESS_NONE,	     /* not called yet */
	PROGRESS_CALLED,     /* it has, or had, a leg */
	PROGRESS_UNATTENDED, /* nobody is known to be there, see leg.h */
	PROGRESS_TRYING,     /* its network has the call, and says no more yet: leg_trying() */
	PROGRESS_RINGING,
	PROGRESS_ANSWERED /* the caller: told `local`, at the answer or with early media */
} Progress;

/* What is still to be said between a side and us; of the two never both, as nobody is asked
 * for a change before the answer has come. */
typedef enum {
	DEBT_NONE,
	DEBT_ANSWER, /* its own: `local` was an offer of ours, the answer is still to come */
	DEBT_CHANGE  /* ours: met by a transfer, it may have to be asked for a change */
} Debt;

#define NO_PORT G_MAXUINT /* of a side without packets */

typedef struct {
	Leg *leg;	      /* NULL: not attached yet, or let go */
	const Plugin *plugin; /* of the leg that it has or had */
	Side side;
	guint stage;	      /* of a callee */
	const Target *target; /* of a callee; the plan's; NULL when he came by a transfer */
	char *account;	      /* whose device it is: a bare JID; NULL: a telephone */
	char *device;	      /* which of them: a full JID, a softphone's name; NULL: not known */
	PortId port;	      /* 0: dropped */
	TransportKind kind;
	Transport *ours;    /* NULL until media is ready */
	const Desc *local;  /* what we told it last, or will when it is answered */
	const Desc *remote; /* what it told us */
	Direction wish;	    /* what it wants itself, whatever the other side's hold leaves of it */
	Progress progress;
	Debt debt;
	gboolean up;	      /* its port is, and media can flow */
	guint restarts;	      /* of his ICE that media has not answered yet */
	MediaFault suspect;   /* said once of its audio, since it was answered */
	MediaFault fault;     /* said again: one direction is dead */
	MediaFault written;   /* in the ladder */
	MediaSilence silence; /* what was seen of it last, and what was said of that */
	char *silence_text;
	gboolean muted;	  /* by its own word */
	LegFault trouble; /* what its leg has said of why it ends: leg_explain() */
	int error;
	char *hop, *detail;
	TranscodeChoice sound; /* once it is known */
	gboolean sound_known;
	MeterUse *use; /* while he is called, and talks, for somebody who pays */
	Bill *bill;    /* he has come by a transfer: what he costs here */
	char lane[16]; /* in the flight recorder */
} Party;

typedef struct CallEvent {
	CallEventKind kind;
	Party *party;	  /* NULL: the call itself */
	PortId port;	  /* of a media event: stale when the party has another */
	const Desc *desc; /* owned */
	Reason reason;
	gboolean failed; /* of an end: we did it, not the peer */
	MediaLoss loss;
	char *text;   /* owned: the far end's own words */
	char *reader; /* owned: of an end, who alone may read them; NULL: all */
	Candidate candidate;
	guint deadline;	 /* of a timeout: stale when the call has set another */
	Address *target; /* of a transfer; owned; NULL: to another call */
	gint64 with;	 /* that call, and the leg there of the party who asks; it may have gone */
	const Leg *with_leg;
} CallEvent;

/* Where it stands among the calls of a person; see call_list.c. */
typedef struct {
	char *person;
	GList *link;
} CallPlace;

struct Call {
	Gateway *gateway;
	CallState state;
	Address *from, *to;
	Plan *plan;    /* NULL when the call is refused */
	char *account; /* bare JID of the caller when he may be a user of ours, or NULL */
	char *author;  /* whose share of the limits it is; see limits.h */
	LineKind line; /* that it takes */
	Party *caller;
	GPtrArray *callees; /* Party *, of all stages so far; owned */
	Party *callee;	    /* who answered; NULL before */
	guint stage;	    /* index in the plan of the one being dialled */
	gint64 stage_until_us;
	Party *early;	     /* whose early media the caller hears */
	gboolean rings_back; /* he hears a tone of ours */
	Party *dialling;     /* whose dial() is running: leg_attach() takes it */

	/* a change under way */
	Party *changer;		   /* NULL: the call itself */
	Party *asked;		   /* who must agree */
	const Desc *change_offer;  /* what the changer wants */
	const Desc *change_passed; /* what we made of it for the other side */

	/* keys that wait to be pressed, and by whom; see call_digits.c */
	GString *keys; /* NULL: none yet */
	Party *presser;
	Timer *key_timer;
	char *post_dial; /* until it is answered */

	/* the most telling refusal so far */
	Reason refusal;
	char *refusal_words;
	EndedBy refused_by;
	const Party *refuser; /* or NULL */

	gboolean is_last;	   /* no further stage is tried */
	gboolean forwarder_counts; /* it is one of the calls of the one who has sent it on */
	Reason forwarded_as;	   /* what the devices said before a forward was taken; or NONE */

	char *reader; /* of the words at its end: a bare JID, or ""; NULL: all may */
	/* of whom it is known why the call ends; and how its media was lost, if that was */
	const Party *about;
	gboolean lost;
	MediaLoss loss;
	char *loss_text;

	char *fault; /* of a test call: what its person should know of its audio or its end; or NULL
		      */
	char *one_way; /* that one side is not heard, and what to do; or NULL */
	gboolean one_way_counted, dead_counted;

	struct Transfer *transfer; /* that it is a part of; see transfer.h */
	guint transferred;	   /* parties who came so */

	CallPlace places[2]; /* of the account, and of who is called */

	Media *media;
	guint stats_wanted; /* ports whose last counters are still to come */
	Trace *trace;
	CallRecord *record;
	gboolean recorded; /* it has begun: has an id and a record, is one of the live calls */
	gint64 started_us, answered_us; /* call_now_us() */
	gint64 made_us;			/* monotonic */
	const char *direction;		/* call_metrics.h; static; NULL: it has not begun */
	struct {
		gint64 begun_us, rang_us, taken_us, talks_us;
	} clock; /* monotonic, of its stages; 0: not yet */

	GQueue events; /* CallEvent * */
	gboolean busy; /* an event is being handled: more are queued; see docs/HACKING.md */
	Timer *timer;
	guint deadline;
};

/* --- the table --- */
typedef enum {
	TIMEOUT_NEVER,
	TIMEOUT_SETUP,	 /* ports are made */
	TIMEOUT_STAGE,	 /* the stage is answered */
	TIMEOUT_CONNECT, /* the callee's media is up */
	TIMEOUT_DURATION,
	TIMEOUT_CHANGE, /* the other side has agreed */
	N_TIMEOUTS
} CallTimeout;

typedef void (*CallAction)(Call *call, const CallEvent *event);

typedef struct {
	CallAction action; /* NULL: ignore, count, trace */
	const char *does;  /* as docs/call-states.md says it */
	gboolean moves;	   /* to `next` before the action; otherwise the action decides */
	CallState next;
} CallCell;

/* The files below stand in the order in which they need each other: each calls only what
 * stands above it.  What has to be said upwards is an event. */

/* --- call.c, and call.h --- */
CallTimeout call_state_timeout(CallState state);
const char *call_timeout_name(CallTimeout timeout);
const char *call_event_name(CallEventKind event);
/* "The number is not in service (404 Not Found)". */
char *call_sentence(Reason reason, const char *words);
void call_note(Call *call, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* --- party.c --- */
Party *call_other_party(const Call *call, const Party *party);
Party *call_party_of_port(Call *call, PortId port); /* NULL: it was dropped */
const Stage *call_current_stage(const Call *call);
/* One of the stage that is called now, and not dropped. */
gboolean call_in_stage(const Call *call, const Party *party);
gboolean call_anyone_rang(const Call *call);
/* The trunk by which the caller came; NULL: by none. */
const char *call_trunk_in(const Call *call);
/* Nothing passes in either direction. */
gboolean call_is_dead(const Call *call);
/* FALSE as well for a side without packets. */
gboolean party_has_port(const Party *party);
const char *party_side(const Party *party); /* "caller" or "callee" */
void party_free(Party *party);
/* So far, if it was not as far. */
void party_reach(Party *party, Progress progress);
/* The change under way. */
void call_forget_change(Call *call);

/* --- call_sound.c --- */
gboolean call_is_for_help(const Call *call);
/* How its audio is dealt with: decided at the first question. */
const TranscodeChoice *call_sound(const Call *call, Party *party);
/* Why audio is not transcoded between this side (NULL: none) and the others; NONE: it may be. */
Reason call_sound_refusal(const Call *call, Party *party);
/* Of two sides that share no codec. */
Reason call_incompatible(const Call *call, Party *party);
/* `codecs` of its trunk or softphone; NULL: none, or all.  Free it. */
char *call_codec_names(const Call *call, const Party *party);
/* The call is over: what its devices have lost is kept. */
void call_sound_learn(const Call *call);

/* --- call_desc.c --- */
void party_set_descs(Party *party, const Desc *local, const Desc *remote);
gboolean party_is_clear(const Party *party); /* its audio is not encrypted, though it has ICE */
/* It has offered, or answered what we asked for. */
void party_note_offer(Party *party, const Desc *offer);
void party_note_answer(Party *party, const Desc *asked, const Desc *answer);
/* desc_answer() to an offer of this side, or what is made of it where no codec is shared. */
Desc *call_answer_to(const Call *call, Party *party, const Desc *offer, const Desc *answer);
/* What a callee is offered; NULL when the caller's offer has nothing we relay. */
Desc *call_offer_for(const Call *call, Party *callee);
/* What the caller is told when the callee has said `answer`: the answer to his
 * offer, or an offer when he made none. */
Desc *call_answer_for(const Call *call, const Desc *answer);
/* The same codecs and direction as before: only addresses differ. */
gboolean desc_change_is_local(const Desc *before, const Desc *after);
/* The same codecs, but other ICE credentials (RFC 8445 section 9). */
gboolean desc_restarts_ice(const Desc *before, const Desc *after);
/* What the other side is asked when one has said `offer` after `said`; NULL: nothing to
 * relay. */
Desc *call_change_for(const Call *call, const Desc *said, const Desc *offer, Party *other);
/* The codecs that a side and we have agreed on, first the one it sends: an offer
 * without a transport. */
Desc *call_agreed(const Party *party);
gboolean call_understood(const Party *party, const Party *other);

/* --- call_digits.c --- */
/* `relayed`: as RFC 4733 it is with the other side already, if that takes it. */
void call_press(Call *call, Party *from, char key, gboolean relayed);
void call_press_all(Call *call, Party *from, const char *keys);
void call_stop_keys(Call *call);

/* --- call_record.c --- */
void call_record_begin(Call *call);
/* As they are recorded; new. */
char *call_caller_text(const Call *call);
char *call_callee_text(const Call *call);
void call_record_write(Call *call);
/* The last counters are known: how good it was, for the operator. */
void call_count_quality(const Call *call);
/* What came from it, or was sent to it; new; NULL: not known. */
char *call_codec_name(const Call *call, const Party *party, gboolean out);
/* Of one direction; 0: too few packets. */
double call_mos(const Call *call, const Party *party, const PortStats *stats, gboolean out);
void call_record_end(Call *call, Reason reason, const char *sentence, EndedBy by);
void call_log_end(Call *call);

/* --- call_why.c --- */
/* Why a call has ended, or is bad.  It borrows what the call knows. */
typedef struct {
	Cause cause;
	CauseFacts facts;
	const Party *about; /* NULL: nobody in particular */
	const char *reader; /* Call.reader */
	char *caller_codecs, *callee_codecs;
} Why;
/* The call ends; one direction of `party` is dead. */
void why_of_end(const Call *call, Reason reason, const char *words, EndedBy by, Why *why);
void why_of_silence(const Call *call, const Party *party, Why *why);
void why_clear(Why *why);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Why, why_clear)
/* What the person of `party`, or its far end, may know of it. */
char *why_for(const Why *why, const Party *party);
/* For the operator, with the remedy. */
char *why_for_operator(const Why *why);

/* --- call_notice.c --- */
/* One direction of `party` is dead: says so to the persons of both sides, once. */
void call_notice_fault(Call *call, const Why *why);
/* The call has ended: says to the persons of both sides what they should know. */
void call_notice(Call *call, const Why *why, EndedBy by);
/* Of a try that is no call: to whom it was for, and to the user whose telephone tried. */
void call_notice_missed(Gateway *gateway, const Missed *missed, gint64 started_us, Reason reason,
			const char *words);
void call_notice_refused(Gateway *gateway, const char *account, const Address *number,
			 Reason reason, const char *words);
/* The last counters of a test call are there: says to its person how it was. */
void call_notice_test(Call *call);

/* --- call_refused.c --- */
/* FALSE: it is refused, and so many of the same author were that it is only counted. */
gboolean call_record_has_room(Call *call);
/* A short one, of a call that is not begun. */
void call_record_refused(Call *call, const Incoming *incoming, Reason reason, const char *words);

/* --- call_queue.c --- */
/* Takes the event's `desc` and `text`; handles it now, or next when busy. */
void call_post(Call *call, CallEvent event);
/* call_hangup() with words that one alone may read: Call.reader. */
void call_hangup_for(Call *call, Reason reason, const char *text, const char *reader);
/* For who has made it busy himself: what waits is handled.  The call may be gone then. */
void call_run(Call *call);
/* The last of an ended call has been heard, or is not waited for: frees it. */
void call_closed(Call *call);
/* Sets state and timer and writes the record. */
void call_enter(Call *call, CallState state);
void call_set_timer(Call *call);
/* What the timer does; a test of the table need not wait for it. */
void call_expire(Call *call);

/* --- leg.c --- */
void leg_command_ring(Party *party, const Desc *early);
void leg_command_answer(Party *party, const Desc *answer);
void leg_command_change(Party *party, const Desc *offer);
void leg_command_transferring(Party *party, TransferState state, Reason reason, const char *text);
void leg_command_candidate(Party *party, const Candidate *ours);
/* Forgets the leg first. */
void leg_command_hangup(Call *call, Party *party, Reason reason, const char *text);

/* --- call_media.c --- */
/* `with`: a call it will be joined with, or NULL. */
void call_media_open(Call *call, const Call *with);
/* `target`: of a callee, whom it is for; or NULL. */
Party *call_add_party(Call *call, Side side, TransportKind kind, const Target *target);
void party_drop_port(Call *call, Party *party);
void call_connect_party(Call *call, const Party *party);
void call_join(Call *call, const Party *callee);
/* To the caller, until he is joined.  The source is the media's. */
void call_play(Call *call, AudioSource *source);
/* Asks for the last counters, then call_closed(). */
void call_media_finish(Call *call);

/* --- call_end.c --- */
/* Hangs up and drops the port. */
void call_let_go(Call *call, Party *party, Reason reason, const char *text);
void call_end(Call *call, Reason reason, const char *words, EndedBy by);
void call_end_by_leg(Call *call, const CallEvent *event);

/* --- call_stage.c --- */
void call_prepare_stage(Call *call);
/* From now on he uses what the charge of his target says. */
void call_count_use(Call *call, Party *party);
/* Counts it for who sends it on to this stage; FALSE: he has as many as he may. */
gboolean call_pays_forward(Call *call, const Stage *stage);
/* Actions of the table. */
void stage_drop(Call *call, const CallEvent *event);
void stage_next(Call *call, const CallEvent *event);

/* --- call_begin.c --- */
/* call_new() of a call that will be joined with `near`, whose media threads it shares; or
 * NULL.  With a plan (taken) it is not routed. */
void call_new_near(Gateway *gateway, Leg *leg, const Plugin *plugin, const Incoming *incoming,
		   const Call *near, Plan *plan);

/* --- call_change.c: actions of the table --- */
void change_refuse(Call *call, const CallEvent *event);
/* The answer to an offer of ours, in answer() or change(). */
void change_late_answer(Call *call, const CallEvent *event);
void change_answer_restart(Call *call, const CallEvent *event);
void change_restart_or_refuse(Call *call, const CallEvent *event);
/* Nobody, or not everybody, has been answered yet. */
void change_early(Call *call, const CallEvent *event);
void change_pass_on(Call *call, const CallEvent *event);
void change_settle(Call *call, const CallEvent *event);
void change_give_up(Call *call, const CallEvent *event);
/* --- and beside it --- */
/* Asks a side that came by a transfer, or was held before it, for what the other needs. */
void change_straighten(Call *call);

/* --- call_table.c --- */
const CallCell *call_cell(CallState state, CallEventKind event);
/* docs/call-states.md, printed from the table. */
char *call_table_markdown(void);

/* --- call_step.c --- */
/* What was true when it was said and is no longer, or makes no sense: it never reaches the
 * table. */
gboolean call_is_stale(const Call *call, const CallEvent *event);
void call_step(Call *call, const CallEvent *event);
