/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* setting.h - what each user has of his own: one table of keys, types and defaults.
 *
 * What `tandemctl user set JID KEY=VALUE` takes and says, the help, the manual page and the
 * completion follow from the table (b2bua/admin/keys.c).  The core asks the store each time,
 * so that a change holds at the next call.
 * Thread: signalling.
 */
#pragma once
#include "db/store.h"

#define RING_ORDERS "both|xmpp|sip|xmpp-then-sip|sip-then-xmpp"

/* ID, key, type (WORD_… of b2bua/admin/verbs.h), values as usage shows them, default (NULL:
 * the help says), flags (WORD_SELF: a user may set it for himself), help: one sentence without
 * a full stop. */
#define SETTINGS(ROW)                                                                              \
	ROW(CALL_FAILED_MESSAGES, "call-failed-messages", YES, "yes|no", "yes", WORD_SELF,         \
	    "a chat message from the number says why a call failed")                               \
	ROW(MISSED_CALL_MESSAGES, "missed-call-messages", YES, "yes|no", "yes", WORD_SELF,         \
	    "a chat message from the number tells of a missed call")                               \
	ROW(ACCOUNT_MESSAGES, "account-messages", YES, "yes|no", "yes", WORD_SELF,                 \
	    "a chat message from the gateway tells of numbers that are given or taken away")       \
	ROW(RING, "ring", CHOICE, RING_ORDERS, "both", WORD_SELF,                                  \
	    "which devices ring: XMPP clients, softphones, both, or one kind after the other")     \
	ROW(COUNTRY, "country", COUNTRY, "DE", NULL, 0,                                            \
	    "the country of numbers that are dialled without a \"+\"; default: the gateway's")     \
	ROW(MAX_COST, "max-cost", WHOLE, "0…9", "9", 0,                                            \
	    "the highest cost of a route that the user may call by")                               \
	ROW(MAX_CALLS, "max-calls", WHOLE, "1…1000", NULL, 0,                                      \
	    "how many calls the user may have at once; default: the gateway's")                    \
	ROW(LOCATION, "location", LOCATION, "geo:52.52,13.40|country=DE;A3=…;RD=…;HNO=…|URI",      \
	    NULL, WORD_SELF,                                                                       \
	    "where the user is, told with emergency calls: a position, an address, or a URI "      \
	    "that tells it")                                                                       \
	ROW(FORWARD_ALWAYS, "forward-always", DESTINATION, "NUMBER", NULL, WORD_SELF,              \
	    "all calls to the user go to this number instead")                                     \
	ROW(FORWARD_BUSY, "forward-busy", DESTINATION, "NUMBER", NULL, WORD_SELF,                  \
	    "calls go to this number while the user is busy")                                      \
	ROW(FORWARD_NO_ANSWER, "forward-no-answer", DESTINATION, "NUMBER", NULL, WORD_SELF,        \
	    "calls that nobody answers go to this number")                                         \
	ROW(FORWARD_UNREACHABLE, "forward-unreachable", DESTINATION, "NUMBER", NULL, WORD_SELF,    \
	    "calls go to this number while none of the user's devices can be reached")             \
	ROW(RING_SECONDS, "ring-seconds", WHOLE, "5…600", NULL, WORD_SELF,                         \
	    "how long the user's devices ring; default: the gateway's")                            \
	ROW(DO_NOT_DISTURB, "do-not-disturb", YES, "yes|no", "no", WORD_SELF,                      \
	    "yes: nothing rings, and callers hear that the user is busy")                          \
	ROW(DND_BY_PRESENCE, "dnd-by-presence", YES, "yes|no", "no", WORD_SELF,                    \
	    "yes: the same as do-not-disturb while all XMPP clients of the user that are on line " \
	    "and can take calls say \"do not disturb\"")                                           \
	ROW(BLOCKED, "blocked", CALLERS, "NUMBER,+49900*,GOOGLE,anonymous", NULL, WORD_SELF,       \
	    "callers who are declined")                                                            \
	ROW(BLOCK_ANONYMOUS, "block-anonymous", YES, "yes|no", "no", WORD_SELF,                    \
	    "yes: callers who withhold their number are declined")                                 \
	ROW(HIDE_NUMBER, "hide-number", YES, "yes|no", "no", WORD_SELF,                            \
	    "yes: telephones that the user calls are not shown the user's number, but in an "      \
	    "emergency")                                                                           \
	ROW(TRANSCODE, "transcode", CHOICE, "needed|adaptive|always|never", NULL, 0,               \
	    "when audio of the user's calls is made into another codec, as [media] transcode; "    \
	    "default: the trunk's, else the gateway's")                                            \
	ROW(ABROAD_HOURS, "abroad-hours", HOURS, "7-22", NULL, 0,                                  \
	    "the hours of the day in which the user may call abroad; default: the gateway's")      \
	ROW(COUNTRIES, "countries", COUNTRIES, "any|AT,CH", NULL, 0,                               \
	    "countries abroad that the user may call without being asked; a YES in the chat adds " \
	    "to them")                                                                             \
	ROW(MONEY_A_DAY, "money-a-day", WHOLE, "0…100000", NULL, 0,                                \
	    "what the user's calls may cost a day, in units of the currency; default: the "        \
	    "gateway's")                                                                           \
	ROW(ABROAD_MINUTES, "abroad-minutes", WHOLE, "0…100000", NULL, 0,                          \
	    "minutes a day to numbers outside the user's country, all calls together; default: "   \
	    "the gateway's")

#define SETTING_ID(id, name, type, values, fallback, flags, help) SETTING_##id,
typedef enum { SETTINGS(SETTING_ID) N_SETTINGS } Setting;
#undef SETTING_ID

const char *setting_name(Setting setting);
/* FALSE: there is no such key. */
gboolean setting_find(const char *name, Setting *setting);

/* What holds for a user: his own, else the default (NULL when there is none). */
char *setting_text(Store *store, const char *user, Setting setting);
gboolean setting_on(Store *store, const char *user, Setting setting);
/* Where a user is at home, or who is NULL: the user's own country, else `fallback`, or NULL.  New.
 */
char *setting_country(Store *store, const char *user_or_null, const char *fallback);

/* Which of a user's devices ring: stages one after the other, of flags each; 0: no second. */
enum { RING_CLIENTS = 1 << 0, RING_PHONES = 1 << 1 };
typedef struct {
	guint stages[2];
} RingOrder;
RingOrder setting_ring(Store *store, const char *user);
