/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* store.h - users, numbers, trunks, softphones and call records: the only SQL.
 *
 * One SQLite file in WAL mode with foreign keys on.  Every query is by key and
 * takes milliseconds at most, so all of it runs on the signalling thread.
 * Several processes may hold the file (tandemctl works while the daemon runs);
 * nothing is cached, so what one commits the others see at their next query.
 * In the daemon a journal is attached (journal.h): calls, contacts and subscribers are
 * written by its thread, and a change of users, numbers or trunks neither waits for
 * another writer (STORE_ERROR_BUSY) nor for the disk (store_when_durable()).
 * Lists are GPtrArrays that own their rows.  Functions that may fail return
 * FALSE or NULL and set an error made to be read by an admin.
 * Thread: signalling.
 */
#pragma once
#include <gio/gio.h>
#include "db/trunk_key.h"

typedef struct Store Store;

#define STORE_ERROR (g_quark_from_static_string("tandem-store"))
typedef enum {
	STORE_ERROR_FAILED,    /* SQLite said no; the text is its own */
	STORE_ERROR_EXISTS,    /* the key is taken */
	STORE_ERROR_NOT_FOUND, /* no such row */
	STORE_ERROR_IN_USE,    /* other rows need this one */
	STORE_ERROR_TOO_NEW,   /* the file was written by a later version */
	STORE_ERROR_BUSY /* another process or thread writes: nothing was changed, try again */
} StoreError;

/* Opens or creates, and migrates inside a transaction.  ":memory:" for tests. */
Store *store_open(const char *path, GError **error);
void store_close(Store *store); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Store, store_close)
int store_schema_version(Store *store);

/* How many reads have failed so far, and the words of the latest (borrowed; NULL: none).
 * A read that fails looks like a row that is not there: a caller that decides
 * something by what it reads compares the number before and after, and refuses when the number
 * has grown. */
guint store_failures(const Store *store);
const char *store_failure(const Store *store);

/* A copy of the file at `path`, of mode 0600 and taken in one state, while others write.  At
 * `to` there is nothing, or an earlier copy, which it replaces.
 * From a process or thread that may take its time. */
gboolean store_backup(const char *path, const char *to, GError **error);
/* Whether the file there is one that store_open() takes; it is left as it is. */
gboolean store_peek(const char *path, GError **error);
/* Whether there is such a trunk, without opening the file for good or migrating it. */
gboolean store_peek_trunk(const char *path, const char *name, gboolean *enabled, GError **error);

/* Whether the pages of the file are whole, as PRAGMA quick_check says; BUSY: not known by
 * `until_us` (monotonic), or cancelled.  From a thread that may take its time; it delays no
 * writer. */
gboolean store_verify(const char *path, GCancellable *cancel, gint64 until_us, GError **error);

/* Several changes as one: all of them or none.  May be nested; every begin that
 * succeeded needs one commit or rollback.  Changes of users, numbers and trunks
 * are on the disk when they return (or when the outermost commit does). */
gboolean store_begin(Store *store, GError **error);
gboolean store_commit(Store *store, GError **error); /* rolls back when it fails */
/* The same for one of many: what it commits is on the disk after store_settle_all() at the latest.
 */
gboolean store_begin_quick(Store *store, GError **error);
gboolean store_settle_all(Store *store, GError **error);
void store_rollback(Store *store);
/* An event that reads much does it between these two, in one transaction: a transaction costs as
 * much as a small query.  All its reads see one state of the database, but for what the event
 * writes itself.  May be nested; must end before the loop turns. */
void store_read_together(Store *store);
void store_read_apart(Store *store);
/* Commits when `ok`, else rolls back; returns whether it is committed. */
gboolean store_settle(Store *store, gboolean ok, GError **error);

/* Calls `done` when what was committed since the last such question is on the disk.
 * FALSE: it is, or there was nothing; `done` is not called. */
typedef void (*StoreDoneFunc)(gpointer user);
gboolean store_when_durable(Store *store, StoreDoneFunc done, gpointer user);
void store_forget_durable(Store *store, gpointer user); /* it is not called any more */

/* --- users --- */
typedef struct {
	char *jid;	 /* bare, lower case; the key */
	char *caller_id; /* E.164 of the number shown on calls out, or NULL */
	gboolean enabled;
	gint64 created; /* s since 1970 */
} User;
void user_free(User *user);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(User, user_free)

gboolean store_user_add(Store *store, const char *jid, GError **error);
gboolean store_user_set_enabled(Store *store, const char *jid, gboolean enabled, GError **error);
gboolean
store_user_del(Store *store, const char *jid, GError **error); /* IN_USE while it owns numbers */
User *store_user_get(Store *store, const char *jid, GError **error); /* NOT_FOUND is an error */
User *store_user_by_number(Store *store, const char *number, GError **error);
GPtrArray *store_user_list(Store *store, GError **error); /* User * */
/* A page of the same: up to `limit` of those that come after this one (NULL: the first), so
 * that a list of any length is read in portions. */
GPtrArray *store_user_page(Store *store, const char *after, guint limit, GError **error);

/* --- numbers --- */
typedef struct {
	char *number; /* E.164; the key */
	char *user;   /* bare JID */
	gboolean caller_id;
	gint64 created;
} Number;
void number_free(Number *number);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Number, number_free)

/* The first number of a user becomes the user's caller id.  When that number is deleted
 * or given away, the user's oldest other number takes its place, so that calls out go on
 * working.  A user who receives a first number shows it. */
gboolean store_number_add(Store *store, const char *number, const char *user, GError **error);
gboolean store_number_set_user(Store *store, const char *number, const char *user, GError **error);
gboolean store_number_set_caller_id(Store *store, const char *number, GError **error);
gboolean store_number_del(Store *store, const char *number, GError **error);
Number *store_number_get(Store *store, const char *number, GError **error);
GPtrArray *store_number_list(Store *store, const char *user_or_null, GError **error); /* Number * */
GPtrArray *store_number_page(Store *store, const char *after, guint limit, GError **error);

/* --- settings of a user; b2bua/setting.h knows the keys --- */
char *store_setting_get(Store *store, const char *user, const char *key); /* NULL: not set */
/* NULL takes it away; NOT_FOUND when there is no such user. */
gboolean store_setting_set(Store *store, const char *user, const char *key,
			   const char *value_or_null, GError **error);

/* The same, written by the journal: nobody waits for it, and who has been deleted has none. */
gboolean store_setting_set_later(Store *store, const char *user, const char *key, const char *value,
				 GError **error);

/* --- what is used of the limits of the guard: b2bua/route/meter.h counts --- */
typedef struct {
	char *owner;   /* a bare JID, or "trunk NAME" */
	guint span;    /* 0: of an hour, 1: of a day */
	gint64 period; /* which one, by the machine's clock: 2026112814, 20261128 */
	gint64 ms[4];  /* talked at home, abroad, to premium numbers at home, and to those abroad */
	gint64 calls[4];
	gint64 cost;	  /* 1/10000 of the currency a minute, times ms */
	gint64 countries; /* new ones that were asked about */
	gint64 more;	  /* the person has said yes to as much again so often */
	gint64 stopped;	  /* 1: the person has said no */
} StoreUse;
void store_use_free(StoreUse *use);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreUse, store_use_free)

/* What is posted to the journal has a number, and is written in that order. */
guint64 store_posted(const Store *store); /* the latest; 0: there is no journal */
gboolean store_is_written(const Store *store, guint64 posted);

/* StoreUse *, of the latest hour and day that there is something of; written by the journal. */
GPtrArray *store_use_get(Store *store, const char *owner, GError **error);
/* The next rows by owner and span: at most two of each, and of the last maybe one. */
GPtrArray *store_use_page(Store *store, const char *after, guint limit, GError **error);
gboolean store_use_set(Store *store, const StoreUse *use, GError **error);

/* Whom each account had called before the upgrade to this version, once: by account, then
 * forgotten.  `last`: of this account.  For the start of the daemon. */
typedef gboolean (*StoreLearnFunc)(gpointer user, const char *account, const char *number,
				   gboolean last, GError **error);
gboolean store_learn(Store *store, StoreLearnFunc func, gpointer user, GError **error);

/* --- what the last calls of a user's device have lost: b2bua/transcoding.h decides by it --- */
#define DEVICE_LOSS_CALLS 3
#define DEVICE_LOSS_BAD	  100 /* from here on a call is a bad one */
typedef struct {
	gint64 at;  /* s since 1970; 0: there was no call */
	guint loss; /* of 10,000 packets */
} CallLoss;
typedef struct {
	CallLoss calls[DEVICE_LOSS_CALLS]; /* the latest first */
} DeviceLoss;
/* DeviceLoss; of all devices of the account that have lost any, or of this one. */
GArray *
store_loss_of(Store *store, const char *account, const char *device_or_null, GError **error);
gboolean store_loss_add(Store *store, const char *account, const char *device, const CallLoss *call,
			GError **error);

/* --- subscribers: who is told of the presence of which number; "!" is the gateway --- */
/* Nothing happens when it is there, or when the user has `max` already. */
gboolean
store_subscriber_add(Store *store, const char *number, const char *user, guint max, GError **error);
gboolean store_subscriber_del(Store *store, const char *number, const char *user, GError **error);
typedef void (*StoreSubscriberFunc)(gpointer user, const char *number, const char *subscriber);
/* Of enabled users: up to `limit` of those that come after this user and number ("" and ""
 * at first), and how many there were.  `func` must not use the store. */
guint store_subscriber_page(Store *store, const char *user, const char *number, guint limit,
			    StoreSubscriberFunc func, gpointer data, GError **error);
/* All of one user, enabled or not. */
gboolean store_subscriber_of(Store *store, const char *user, StoreSubscriberFunc func,
			     gpointer data, GError **error);

/* --- trunks: carriers and PBXs we exchange calls with --- */
Trunk *trunk_new(const char *name, const char *host); /* with every default set */
void trunk_free(Trunk *trunk);
gboolean trunk_takes_texts(const Trunk *trunk); /* NULL is fine */
guint trunk_standard_port(const Trunk *trunk);	/* of its transport */
/* By the table of trunk_key.h: one member, and as text for a person (secrets too). */
gint trunk_number(const Trunk *trunk, const TrunkKey *key);
const char *trunk_text(const Trunk *trunk, const TrunkKey *key);
char *trunk_value(const Trunk *trunk, const TrunkKey *key);
/* A value that fits the key's type; "" of a text takes it away. */
void trunk_set(Trunk *trunk, const TrunkKey *key, const char *text);
/* All that has one of the flags, as one text; and whether two have it alike. */
char *trunk_extract(const Trunk *trunk, guint flags);
gboolean trunk_differs(const Trunk *one, const Trunk *other, guint flags);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Trunk, trunk_free)

gboolean store_trunk_add(Store *store, const Trunk *trunk, GError **error);
gboolean store_trunk_update(Store *store, const Trunk *trunk, GError **error); /* by name */
gboolean store_trunk_del(Store *store, const char *name, GError **error);
Trunk *store_trunk_get(Store *store, const char *name, GError **error);
GPtrArray *store_trunk_list(Store *store, GError **error); /* Trunk *, by priority, then name */

/* --- routes: rules for calls out; b2bua/route/way_out.h says what they mean --- */
typedef struct {
	char *target; /* the key: "+49", "112", "premium", "default" */
	gboolean allowed;
	char *trunks; /* names by blanks, in the order tried; "" is all by priority */
	guint cost;   /* 0 to 9, held against the user's max-cost */
	guint price;  /* of a minute, in 1/10000 of the currency */
	char *text;   /* "allow" and "refuse" texts; "": as calls */
	gint64 created;
} RouteRule;
void route_rule_free(RouteRule *rule);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RouteRule, route_rule_free)

gboolean store_route_put(Store *store, const RouteRule *rule, GError **error); /* or replaces it */
gboolean store_route_del(Store *store, const char *target, GError **error);
RouteRule *store_route_get(Store *store, const char *target); /* NULL: there is none */
GPtrArray *store_route_list(Store *store, GError **error);    /* RouteRule * */

/* --- calls: live state and finished record in one row --- */
typedef struct {
	gint64 id;   /* made by store_call_begin */
	char *state; /* "SETUP" … "ENDED": the names of the call table */
	gint64 started_us, answered_us, ended_us; /* since 1970; 0: not yet */
	char *caller, *callee;			  /* as address_text() */
	char *user;				  /* bare JID of the account, or NULL */
	char *caller_plugin, *callee_plugin, *trunk;
	char *legs;	/* live: "plugin\tsaved\n" for each leg; "" otherwise */
	char *reason;	/* reason_name(); NULL while live */
	char *text;	/* the sentence with the far end's own words, or NULL */
	char *ended_by; /* "caller", "callee", "gateway" */
	char *stats;	/* counters of both ports, one "key=value" list a line */
	char *ladder;	/* the flight recorder's lines, see trace.h */
	guint count;	/* 0: a call; else it is a refusal, that happened so often */
	guint price;	/* of a minute, in 1/10000 of the currency; 0: none */
	char *currency; /* NULL: there is no price */
} CallRecord;
/* From its answer to its end, or until `now_us`, rounded up. */
gint64 call_record_seconds(const CallRecord *record, gint64 now_us);
/* What it has cost so far, or until `now_us`: in 1/10000 of its currency. */
guint64 call_record_cost(const CallRecord *record, gint64 now_us);
void call_record_free(CallRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CallRecord, call_record_free)

gboolean store_call_begin(Store *store, CallRecord *record, GError **error); /* sets id */
gboolean
store_call_update(Store *store, const CallRecord *record, GError **error); /* every column */
CallRecord *store_call_get(Store *store, gint64 id, GError **error);
/* Newest first; `limit` rows; legs, stats and ladder are left NULL. */
GPtrArray *store_call_list(Store *store, guint limit, GError **error);
/* The live ones alone, of those that began before call `before`. */
GPtrArray *store_call_list_open(Store *store, gint64 before, GError **error);
/* The same, of those before this id. */
GPtrArray *store_call_page(Store *store, gint64 before, guint limit, GError **error);
/* What is looked for; NULL, 0 and FALSE: whatever it is. */
typedef enum { CALLS_ANY, CALLS_LIVE, CALLS_ENDED } CallsState;
typedef struct {
	const char *user; /* a bare JID: whose calls they are */
	char **numbers;	  /* or: one of these calls or is called */
	const char *trunk, *reason;
	const char *direction; /* as call_record_direction() has it */
	gboolean failed;       /* neither a person has ended it nor has one said no */
	CallsState state;
	gint64 since_us, until_us; /* when it began, since 1970 */
} CallFilter;
/* Those before call `*before` (G_MAXINT64 at first), newest first, without what
 * store_call_list() leaves out: as many as one step finds, perhaps none.  Sets `*before` for the
 * next step; 0: that was all. */
GPtrArray *
store_call_search(Store *store, const CallFilter *filter, gint64 *before, GError **error);
/* Whether it is one of those. */
gboolean call_record_fits(const CallRecord *record, const CallFilter *filter);
/* "out" and "in", of a trunk; "internal".  Static. */
const char *call_record_direction(const CallRecord *record);
gboolean call_reason_is_fine(const char *reason); /* no failure, as the filter `failed` has it */

/* --- what is summed up of the calls of an account in a month; stays when they are deleted --- */
typedef struct {
	char *account, *month; /* "2026-11", by the machine's clock */
	guint64 out_calls, out_answered, out_seconds;
	guint64 in_calls, in_answered, in_seconds;
	guint64 cost; /* of all of them, in 1/10000 of the currency */
} Usage;
void usage_free(Usage *usage);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Usage, usage_free)
/* Usage *, by account and month; NULL: of all.  Up to `limit` of those that come after this account
 * and month ("" and "" at first). */
GPtrArray *
store_usage_page(Store *store, const char *account_or_null, const char *month_or_null,
		 const char *after, const char *after_month, guint limit, GError **error);

/* --- a person's traces --- */
/* Up to `limit` records of calls that have ended and have to do with the account or one of the
 * numbers lose the names, the words and the ladder; what they cost, when they were and where they
 * went stays.  How many; 0: there are no more; -1: an error. */
gint store_erase_calls(Store *store, const char *jid, char **numbers, guint limit, GError **error);
/* Likewise texts that the account has written or was sent, which are deleted; not those that
 * still wait. */
gint store_erase_texts(Store *store, const char *jid, guint limit, GError **error);
/* What is summed up of the account goes to "erased"; what the guard has counted is deleted. */
gboolean store_erase_account(Store *store, const char *jid, GError **error);

/* --- the hook: what it has not been told yet of calls that have ended --- */
typedef struct {
	gint64 id, call;
	gint64 queued; /* s since 1970 */
	char *text;    /* a JSON object, in one line: a row of the view cdr */
} HookLine;
void hook_line_free(HookLine *line);
/* From now on each call that ends has a line for this target; NULL: none, and those that wait
 * are forgotten.  Before the first call. */
gboolean store_hook_set(Store *store, const char *target_or_null, GError **error);
/* For the hook's thread: a connection whose commits do not wait for the disk. */
Store *store_hook_open(const char *path, GError **error);
GPtrArray *
store_hook_next(Store *store, guint limit, GError **error);	   /* HookLine *, oldest first */
gint64 store_hook_waiting(Store *store, GError **error);	   /* -1: it cannot be read */
gboolean store_hook_done(Store *store, gint64 id, GError **error); /* and those before it */
/* Of the first `limit` lines, those queued before then, and those beyond the newest `keep`. */
gboolean store_hook_drop(Store *store, gint64 before, guint keep, guint limit, guint *dropped,
			 GError **error);

/* Records that never ended, whole: what a crash has left. */
GPtrArray *store_call_list_live(Store *store, GError **error);
/* Refused before it was a call: `author` (an account, a trunk, an address) has ten short
 * records a minute, what comes after is counted in one for each reason. */
gboolean
store_call_refused(Store *store, const CallRecord *record, const char *author, GError **error);
/* Asked for one of which more is to be found out first: TRUE, and a record is its own, by a call
 * that begins or by store_call_refused() without an author. */
gboolean store_refusal_room(Store *store, const char *author);
void store_flush_refusals(Store *store); /* writes the counts; happens by itself every 5 s */
/* FALSE: a new call would have no record after a crash. */
gboolean store_keeps_calls(Store *store);
gboolean store_keeps_refusals(Store *store);
/* When the process before this was last known to run, real time; 0: not known. */
gint64 store_alive_us(const Store *store);
/* One line for people: how far what is written is behind.  New. */
char *store_journal_status(Store *store);
guint store_journal_waiting(const Store *store); /* entries that are not written yet */

/* --- softphones: SIP phones that register, as further devices of a user --- */

/* Of every digest (RFC 7616): part of what is stored, so it never changes. */
#define SOFTPHONE_REALM "tandem"

typedef struct {
	gint64 id;
	char *username;		    /* the key: [a-z][a-z0-9._-]{0,31} */
	char *user;		    /* bare JID of the account it belongs to */
	char *ha1_md5, *ha1_sha256; /* hash(username:realm:password), hex: all that is kept */
	char *srtp, *rtp_source;    /* as a trunk's */
	char *codecs;		    /* likewise */
	gint64 created;
} Softphone;
void softphone_free(Softphone *softphone);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Softphone, softphone_free)

gboolean store_softphone_add(Store *store, const char *username, const char *user,
			     const char *password, GError **error);
gboolean
store_softphone_set_srtp(Store *store, const char *username, const char *srtp, GError **error);
gboolean store_softphone_set_rtp_source(Store *store, const char *username, const char *source,
					GError **error);
gboolean
store_softphone_set_codecs(Store *store, const char *username, const char *codecs, GError **error);
/* Registrations made with the old password end. */
gboolean store_softphone_set_password(Store *store, const char *username, const char *password,
				      GError **error);
gboolean store_softphone_del(Store *store, const char *username, GError **error);
Softphone *store_softphone_get(Store *store, const char *username, GError **error);
GPtrArray *
store_softphone_list(Store *store, const char *user_or_null, GError **error); /* Softphone * */

GPtrArray *store_softphone_page(Store *store, const char *after, guint limit, GError **error);

/* Where a softphone is reachable until then (RFC 3261 10.3: a binding). */
typedef struct {
	gint64 id;
	gint64 softphone;
	char *username, *user; /* of the softphone; not written */
	char *uri;	       /* SIP URI without headers */
	char *instance;	       /* +sip.instance (RFC 5626), or NULL */
	char *path;	       /* Path (RFC 3327) as a Route header has it, or NULL */
	char *received;	       /* where the REGISTER came from: "udp:192.0.2.1:5060" */
	char *call_id;
	guint32 cseq;
	guint q; /* 0 to 1000 */
	char *user_agent;
	gint64 expires, updated; /* s since 1970 */
} Contact;
void contact_free(Contact *contact);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Contact, contact_free)

/* By softphone and URI; another contact of the same instance is replaced.
 * `id`, `username`, `user` and `updated` are not looked at. */
gboolean store_contact_put(Store *store, const Contact *contact, GError **error);
gboolean store_contact_del(Store *store, gint64 id, GError **error);
gboolean store_contact_expire(Store *store, GError **error); /* deletes those whose time is over */
/* Contact *, none of them expired. */
Contact *store_contact_get(Store *store, gint64 id, GError **error);
GPtrArray *store_contact_list(Store *store, GError **error);
gint64 store_contact_count(Store *store, GError **error); /* -1: it cannot be read */
/* The same in `parts` portions that stay alike: one of them, from 0 on. */
GPtrArray *store_contact_list_part(Store *store, guint part, guint parts, GError **error);
GPtrArray *store_contact_list_of_softphone(Store *store, gint64 softphone, GError **error);
GPtrArray *store_contact_list_of_user(Store *store, const char *jid, GError **error);

/* Brings what anybody has committed to the disk: a WAL checkpoint, and an fsync of
 * what must stay in the WAL because somebody reads it or checkpoints himself; then
 * `whole` is FALSE and it should be tried again.  A helper thread runs it on a
 * connection of its own, so that no fsync is the signalling thread's.
 * Thread: that of the store. */
gboolean store_sync(Store *store, gboolean *whole, GError **error);
