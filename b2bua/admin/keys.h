/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* keys.h - the keys that are neither a trunk's (db/trunk_key.h) nor a setting (b2bua/setting.h).
 *
 * A new key is a row here, and its function in control_user.c (user_ID), control_store.c
 * (number_ID), control_phones.c (softphone_ID) or control_route.c (route_ID).
 * Thread: any; immutable.
 */
#pragma once
#include "b2bua/admin/verbs.h"

/* id, key, type, values as usage shows them, default, flags, help. */
#define USER_KEYS(ROW)                                                              \
	ROW(enabled, "enabled", YES, "yes|no", "yes", 0,                            \
	    "no: the user can neither call nor be called")                          \
	ROW(messages, "messages", YES, "yes|no", NULL, WORD_UNSETTABLE | WORD_SELF, \
	    "call-failed-messages and missed-call-messages at once")

#define NUMBER_KEYS(ROW)                                                                    \
	ROW(user, "user", USER, "JID", NULL, 0, "the user who owns the number from now on") \
	ROW(caller_id, "caller-id", YES, "yes", NULL, 0,                                    \
	    "yes: calls out of the number's user show this number")

#define SOFTPHONE_KEYS(ROW)                                                                     \
	ROW(codecs, "codecs", CODECS, "NAME,…", "", WORD_UNSETTABLE,                            \
	    "as a trunk's: the codecs that the phone is offered, the wanted one first; "        \
	    "default: all that the gateway has but G729, AMR, AMR-WB")                          \
	ROW(rtp_source, "rtp-source", CHOICE, "signalled|any", "signalled", 0,                  \
	    "as a trunk's: whether audio may come from a host that the SIP does not name")      \
	ROW(srtp, "srtp", CHOICE, "off|offer|require", "off", 0,                                \
	    "as a trunk's: whether keys for SRTP are offered, and whether the phone must take " \
	    "them")

#define ROUTE_KEYS(ROW)                                                              \
	ROW(trunks, "trunks", TRUNKS, "NAME,…", NULL, WORD_UNSETTABLE,               \
	    "the trunks that are tried, in this order; default: all, by priority")   \
	ROW(cost, "cost", WHOLE, "0…9", "0", 0, "a user's max-cost must be as high") \
	ROW(text, "text", CHOICE, "allow|refuse", NULL, WORD_UNSETTABLE,             \
	    "what holds for texts; default: what holds for calls")                   \
	ROW(price, "price", MONEY, "0.12", "0.00", 0,                                \
	    "what a minute costs, in the currency of [guard]; counted for money-a-day")
