/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* verb_table.h - the rows of verbs.h: every verb, its words and its help.
 *
 * A new verb is a row here and its function, do_ID(), in one of the control_*.c.  Included by
 * verbs.c, which makes the table, and by handlers.h, which declares the functions.
 * Thread: any; immutable.
 */
#pragma once

/* id, noun, verb (NULL: a command of one word), words, who may, flags, the Change that the
 * plugins are told, help: one sentence without a full stop. */
#define VERBS(ROW)                                                                                 \
	ROW(help, "help", NULL,                                                                    \
	    W(W_OPTIONAL("NOUN", WORD_NOUN, "the noun whose commands are shown"),                  \
	      W_OPTIONAL("VERB", WORD_VERB, "the verb whose words and keys are shown")),           \
	    VERB_OPERATOR | VERB_SELF, VERB_CLIENT, CHANGES_NOTHING,                               \
	    "the commands, or the words and keys of one command")                                  \
	ROW(user_add, "user", "add", W(W_USER), VERB_OPERATOR, VERB_AUDITED, CHANGE_USER,          \
	    "make a user, who may then call and be called")                                        \
	ROW(user_list, "user", "list", W_NONE, VERB_OPERATOR, 0, CHANGES_NOTHING,                  \
	    "list all users")                                                                      \
	ROW(user_show, "user", "show", W(W_USER), VERB_OPERATOR | VERB_SELF, 0, CHANGES_NOTHING,   \
	    "show numbers and settings")                                                           \
	ROW(user_set, "user", "set", W(W_USER, W_KEYS(KEYS_USER)), VERB_OPERATOR | VERB_SELF,      \
	    VERB_AUDITED, CHANGES_BY_KEY, "change settings; KEY= is the default")                  \
	ROW(forward, "forward", NULL,                                                              \
	    W(W_USER,                                                                              \
	      W_OF("WHEN", WORD_CHOICE, 0, "always|busy|no-answer|unreachable",                    \
		   "when calls are sent on"),                                                      \
	      W_OF("NUMBER", WORD_DESTINATION, WORD_UNSETTABLE, "NUMBER|off",                      \
		   "the number that gets the calls; off: calls are not sent on")),                 \
	    VERB_OPERATOR | VERB_SELF, VERB_AUDITED, CHANGES_BY_KEY, "send calls on to a number")  \
	ROW(ring, "ring", NULL,                                                                    \
	    W(W_USER, W_OF("ORDER", WORD_CHOICE, 0, RING_ORDERS,                                   \
			   "XMPP clients, softphones, both, or one kind after the other")),        \
	    VERB_OPERATOR | VERB_SELF, VERB_AUDITED, CHANGES_BY_KEY, "choose which devices ring")  \
	ROW(dnd, "dnd", NULL,                                                                      \
	    W(W_USER,                                                                              \
	      W_OF("STATE", WORD_YES, 0, "yes|no", "yes: nothing rings, and callers hear busy")),  \
	    VERB_OPERATOR | VERB_SELF, VERB_AUDITED, CHANGES_BY_KEY, "do not disturb")             \
	ROW(hide_number, "hide-number", NULL,                                                      \
	    W(W_USER, W_OF("STATE", WORD_YES, 0, "yes|no", "yes: who is called sees no number")),  \
	    VERB_OPERATOR | VERB_SELF, VERB_AUDITED, CHANGES_BY_KEY,                               \
	    "hide the number from those who are called")                                           \
	ROW(block, "block", NULL, W(W_USER, W_CALLER), VERB_OPERATOR | VERB_SELF, VERB_AUDITED,    \
	    CHANGES_BY_KEY, "decline callers from now on")                                         \
	ROW(unblock, "unblock", NULL, W(W_USER, W_CALLER), VERB_OPERATOR | VERB_SELF,              \
	    VERB_AUDITED, CHANGES_BY_KEY, "let callers through again")                             \
	ROW(user_del, "user", "del", W(W_USER), VERB_OPERATOR, VERB_AUDITED, CHANGE_USER,          \
	    "delete a user who owns no number")                                                    \
	ROW(user_erase, "user", "erase", W(W_USER), VERB_OPERATOR, 0, CHANGES_NOTHING,             \
	    "remove what is known of a user who is disabled or deleted; records stay, nameless")   \
	ROW(softphone_add, "softphone", "add", W(W_USER, W_PHONE_OPTIONAL), VERB_OPERATOR,         \
	    VERB_AUDITED, CHANGE_SOFTPHONE,                                                        \
	    "make a SIP phone of a user; its password is shown once")                              \
	ROW(softphone_list, "softphone", "list", W(W_USER_OPTIONAL), VERB_OPERATOR | VERB_SELF, 0, \
	    CHANGES_NOTHING, "list softphones")                                                    \
	ROW(softphone_show, "softphone", "show", W(W_PHONE), VERB_OPERATOR, 0, CHANGES_NOTHING,    \
	    "show where a softphone is registered now")                                            \
	ROW(softphone_password, "softphone", "password", W(W_PHONE), VERB_OPERATOR | VERB_SELF,    \
	    VERB_AUDITED, CHANGE_SOFTPHONE,                                                        \
	    "give a softphone a new password, shown once; its registrations end")                  \
	ROW(softphone_set, "softphone", "set", W(W_PHONE, W_KEYS(KEYS_SOFTPHONE)), VERB_OPERATOR,  \
	    VERB_AUDITED, CHANGE_SOFTPHONE, "change a softphone")                                  \
	ROW(softphone_del, "softphone", "del", W(W_PHONE), VERB_OPERATOR, VERB_AUDITED,            \
	    CHANGE_SOFTPHONE, "delete a softphone")                                                \
	ROW(number_add, "number", "add", W(W_NUMBER, W_USER), VERB_OPERATOR, VERB_AUDITED,         \
	    CHANGE_NUMBER, "give a number to a user; the first one is the user's caller id")       \
	ROW(number_list, "number", "list", W(W_USER_OPTIONAL), VERB_OPERATOR | VERB_SELF, 0,       \
	    CHANGES_NOTHING, "list numbers")                                                       \
	ROW(number_show, "number", "show", W(W_NUMBER), VERB_OPERATOR, 0, CHANGES_NOTHING,         \
	    "show whose a number is")                                                              \
	ROW(number_set, "number", "set", W(W_NUMBER, W_KEYS(KEYS_NUMBER)), VERB_OPERATOR,          \
	    VERB_AUDITED, CHANGE_NUMBER,                                                           \
	    "give a number to another user, or make it the one that calls out show")               \
	ROW(number_del, "number", "del",                                                           \
	    W(W_NUMBER, W_FLAG("--hangup", "end the live calls with the number as well")),         \
	    VERB_OPERATOR, VERB_AUDITED, CHANGE_NUMBER, "take a number away from its user")        \
	ROW(trunk_add, "trunk", "add", W(W_TRUNK, W_HOST, W_KEYS_OPTIONAL(KEYS_TRUNK)),            \
	    VERB_OPERATOR, VERB_AUDITED, CHANGE_TRUNK,                                             \
	    "make a trunk, which is a carrier or a PBX")                                           \
	ROW(trunk_list, "trunk", "list", W_NONE, VERB_OPERATOR, 0, CHANGES_NOTHING,                \
	    "list all trunks, in the order that they are tried")                                   \
	ROW(trunk_show, "trunk", "show", W(W_TRUNK), VERB_OPERATOR, 0, CHANGES_NOTHING,            \
	    "show a trunk, without its passwords")                                                 \
	ROW(trunk_set, "trunk", "set",                                                             \
	    W(W_TRUNK, W_KEYS(KEYS_TRUNK),                                                         \
	      W_FLAG("--hangup", "end the live calls of a trunk that is not used any more")),      \
	    VERB_OPERATOR, VERB_AUDITED, CHANGE_TRUNK, "change a trunk; KEY= takes a text away")   \
	ROW(trunk_del, "trunk", "del",                                                             \
	    W(W_TRUNK, W_FLAG("--hangup", "end the live calls by the trunk as well")),             \
	    VERB_OPERATOR, VERB_AUDITED, CHANGE_TRUNK, "delete a trunk")                           \
	ROW(route_add, "route", "add",                                                             \
	    W(W_TARGET, W_CHOICE("allow|refuse", "whether such numbers may be called"),            \
	      W_KEYS_OPTIONAL(KEYS_ROUTE)),                                                        \
	    VERB_OPERATOR, VERB_AUDITED, CHANGE_ROUTES,                                            \
	    "make a rule for numbers that begin with TARGET, are of that class, or for all "       \
	    "others")                                                                              \
	ROW(route_list, "route", "list", W_NONE, VERB_OPERATOR, 0, CHANGES_NOTHING,                \
	    "list all rules for calls out")                                                        \
	ROW(route_del, "route", "del", W(W_TARGET), VERB_OPERATOR, VERB_AUDITED, CHANGE_ROUTES,    \
	    "delete a rule")                                                                       \
	ROW(route_test, "route", "test",                                                           \
	    W({ "NUMBER|ADDRESS", WORD_DIALLED, 0, NULL, NULL, "what a user dials", 0 },           \
	      W_USER_OPTIONAL),                                                                    \
	    VERB_OPERATOR, VERB_LIVE, CHANGES_NOTHING,                                             \
	    "show which rule and which trunks a call would take, and why")                         \
	ROW(guard_show, "guard", "show",                                                           \
	    W(W_OPTIONAL("JID|trunk:NAME", WORD_TEXT,                                              \
			 "a user or a trunk; default: all who have "                               \
			 "used something today")),                                                 \
	    VERB_OPERATOR, VERB_LIVE, CHANGES_NOTHING,                                             \
	    "show what has been used of the limits of this hour and day")                          \
	ROW(guard_test, "guard", "test", W(W_KEYS(KEYS_GUARD)), VERB_OPERATOR, VERB_LIVE,          \
	    CHANGES_NOTHING,                                                                       \
	    "show which calls of yesterday these limits would have refused or ended")              \
	ROW(guard_lift, "guard", "lift",                                                           \
	    W({ "JID|trunk:NAME", WORD_TEXT, 0, NULL, NULL, "a user or a trunk", 0 }),             \
	    VERB_OPERATOR, VERB_LIVE, CHANGES_NOTHING,                                             \
	    "begin to count anew: what has been used of this hour and day is forgotten")           \
	ROW(calls, "calls", NULL,                                                                  \
	    W({ "--last", WORD_WHOLE, WORD_OPTIONAL, "1…1000000", "20",                            \
		"how many calls; with --since or --until all", 0 },                                \
	      W_OPTIONAL("--user", WORD_USER, "calls of this user, and of the user's numbers"),    \
	      W_OPERATOR("--number", WORD_DESTINATION, "calls from or to this number"),            \
	      W_OPERATOR("--trunk", WORD_TRUNK, "calls by this trunk"),                            \
	      W_OPTIONAL("--reason", WORD_TEXT, "calls that ended so, such as busy"),              \
	      { "--direction", WORD_CHOICE, WORD_OPTIONAL, "in|out|internal", NULL,                \
		"calls from a trunk, to a trunk, or between users", 0 },                           \
	      { "--state", WORD_CHOICE, WORD_OPTIONAL, "live|ended", NULL,                         \
		"calls that are up, or that are over", 0 },                                        \
	      W_OPTIONAL("--since", WORD_TEXT,                                                     \
			 "calls that began then or later: 2h is so long ago, 10:00 the latest "    \
			 "there was, yesterday and 2026-11-29 a day, 2026-11-29T10:00 both"),      \
	      W_OPTIONAL("--until", WORD_TEXT, "calls that began before then"),                    \
	      { "--before", WORD_CALL, WORD_OPTIONAL, NULL, NULL,                                  \
		"the calls before the one of this id: the next page", 0 },                         \
	      W_FLAG("--failed", "calls that no person ended or refused"),                         \
	      W_OPERATOR("--follow", WORD_FLAG,                                                    \
			 "calls that begin, change or end from now on, until you stop it"),        \
	      W_OPERATOR("--changed", WORD_TEXT, "calls that have changed since this mark"),       \
	      W_OPERATOR("--all", WORD_FLAG, "all that is known in one line")),                    \
	    VERB_OPERATOR | VERB_SELF, 0, CHANGES_NOTHING,                                         \
	    "list live and recent calls, the newest first")                                        \
	ROW(texts, "texts", NULL,                                                                  \
	    W({ "--last", WORD_WHOLE, WORD_OPTIONAL, "1…1000000", "20",                            \
		"how many texts; with --since all", 0 },                                           \
	      W_OPTIONAL("--user", WORD_USER, "texts from or to this user"),                       \
	      W_OPTIONAL("--number", WORD_DESTINATION, "texts from or to this number"),            \
	      W_OPTIONAL("--trunk", WORD_TRUNK, "texts by this trunk"),                            \
	      { "--state", WORD_CHOICE, WORD_OPTIONAL, "queued|sent|delivered|failed", NULL,       \
		"texts in this state", 0 },                                                        \
	      W_OPTIONAL("--since", WORD_TEXT,                                                     \
			 "texts that were taken then or later: 2h is so long ago, 10:00 the "      \
			 "latest there was, yesterday and 2026-11-29 a day, 2026-11-29T10:00 "     \
			 "both"),                                                                  \
	      { "--before", WORD_WHOLE, WORD_OPTIONAL, "1…1000000000000", NULL,                    \
		"the texts before the one of this id: the next page", 0 }),                        \
	    VERB_OPERATOR, 0, CHANGES_NOTHING, "list texts, the newest first")                     \
	ROW(text_show, "text", "show",                                                             \
	    W({ "ID", WORD_WHOLE, 0, "1…1000000000000", NULL, "the id of a text, see 'texts'",     \
		0 },                                                                               \
	      W_FLAG("--body", "show what was written as well")),                                  \
	    VERB_OPERATOR, 0, CHANGES_NOTHING,                                                     \
	    "show all that is known of a text and of each way that it takes")                      \
	ROW(usage, "usage", NULL,                                                                  \
	    W(W_USER_OPTIONAL, W_OPTIONAL("--month", WORD_TEXT, "one month, such as 2026-11")),    \
	    VERB_OPERATOR | VERB_SELF, 0, CHANGES_NOTHING,                                         \
	    "show how many calls there were and how long, by month")                               \
	ROW(call_show, "call", "show", W(W_CALL), VERB_OPERATOR, 0, CHANGES_NOTHING,               \
	    "show all that is known of a call")                                                    \
	ROW(why, "why", NULL,                                                                      \
	    W({ "JID|ID", WORD_WHOSE, 0, NULL, NULL, "a user, or the id of a call", 0 }),          \
	    VERB_OPERATOR | VERB_SELF, 0, CHANGES_NOTHING,                                         \
	    "say why a call failed or was bad; without an id the newest one")                      \
	ROW(test, "test", NULL, W(W_USER), VERB_OPERATOR | VERB_SELF, VERB_LIVE, CHANGES_NOTHING,  \
	    "ring an XMPP client: who answers hears the own voice, and reads how the call was")    \
	ROW(ladder, "ladder", NULL,                                                                \
	    W(W_CALL,                                                                              \
	      { "COLUMNS", WORD_WHOLE, WORD_OPTIONAL, "40…1000", "100", "how wide the drawing is", \
		0 },                                                                               \
	      { "--side", WORD_CHOICE, WORD_OPTIONAL, "caller|callee", NULL,                       \
		"leave out what passed on the other side", 0 },                                    \
	      W_FLAG("--no-keys", "leave out the keys that were pressed")),                        \
	    VERB_OPERATOR, 0, CHANGES_NOTHING, "draw who said what and when in a call")            \
	ROW(report, "report", NULL,                                                                \
	    W(W_CALL,                                                                              \
	      W_FLAG("--link", "print the address at which [http] shows the page instead; it is "  \
			       "good for whoever has it until tandemd ends")),                     \
	    VERB_OPERATOR, 0, CHANGES_NOTHING,                                                     \
	    "print all that is known of a call as one page of HTML")                               \
	ROW(hangup, "hangup", NULL, W(W_CALL), VERB_OPERATOR, VERB_LIVE, CHANGES_NOTHING,          \
	    "end a live call")                                                                     \
	ROW(sources, "sources", NULL, W_NONE, VERB_OPERATOR, VERB_LIVE, CHANGES_NOTHING,           \
	    "list SIP addresses that failed: wrong passwords, unknown callers")                    \
	ROW(sources_lift, "sources", "lift",                                                       \
	    W({ "ADDRESS|all", WORD_SOURCE, 0, NULL, NULL, "an address of the list", 0 }),         \
	    VERB_OPERATOR, VERB_LIVE, CHANGES_NOTHING,                                             \
	    "answer an address again that is slowed or ignored")                                   \
	ROW(status, "status", NULL, W_NONE, VERB_OPERATOR, VERB_LIVE, CHANGES_NOTHING,             \
	    "show how the gateway is")                                                             \
	ROW(doctor, "doctor", NULL, W_NONE, VERB_OPERATOR, VERB_LIVE, CHANGES_NOTHING,             \
	    "look at the gateway, its machine, its network and its trunks, and say what is wrong " \
	    "and what to do about it; the exit status is 1 when something is")                     \
	ROW(config_show, "config", "show",                                                         \
	    W({ "SECTION", WORD_SECTION, WORD_OPTIONAL, NULL, NULL, "a section of tandem.conf",    \
		0 }),                                                                              \
	    VERB_OPERATOR, 0, CHANGES_NOTHING,                                                     \
	    "show what holds for each key of tandem.conf, secrets hidden")                         \
	ROW(reload, "reload", NULL, W_NONE, VERB_OPERATOR, VERB_LIVE, CHANGE_CONFIG,               \
	    "take over what changed in tandem.conf and in the database")                           \
	ROW(backup, "backup", NULL,                                                                \
	    W({ "FILE", WORD_PATH, 0, NULL, NULL, "where the copy is written", 0 }),               \
	    VERB_OPERATOR, VERB_CLIENT, CHANGES_NOTHING,                                           \
	    "copy the database, in one state and with mode 0600, while calls go on")               \
	ROW(import, "import", NULL,                                                                \
	    W({ "FILE|-", WORD_PATH, 0, NULL, NULL, "a file of JSON lines", 0 }), VERB_OPERATOR,   \
	    VERB_CLIENT | VERB_RAW, CHANGES_NOTHING,                                               \
	    "make or change users, numbers, softphones, trunks, routes and settings from JSON "    \
	    "lines")                                                                               \
	ROW(export, "export", NULL, W_NONE, VERB_OPERATOR, 0, CHANGES_NOTHING,                     \
	    "print all of that as the JSON lines that import reads, without passwords")
