/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* route_private.h - the inside of routing, for route*.c and plan.c alone.
 *
 * Thread: signalling.
 */
#pragma once
#include "b2bua/gateway.h"
#include "b2bua/route/route.h"

/* What route_incoming() is asked, and why the answer is no. */
typedef struct {
	Gateway *gateway;
	const Address *from, *to;
	const char *caller_trunk;
	const Incoming *incoming;
	const char *country;   /* of the trunk it came by, or NULL */
	const Address *hidden; /* who an anonymous caller is, or NULL */
	Reason reason;
	const char *text;
	gboolean withheld; /* a user calls who hides his number from telephones */
	gboolean nameless; /* and who hides it from everybody, for this call */
} Question;

/* Always NULL. */
Plan *route_refuse(Question *question, Reason reason, const char *text);

/* --- plan.c; from and to are taken --- */
Plan *plan_new(const char *user, const char *trunk);
Stage *plan_stage(Plan *plan, guint ring_seconds);
Target *stage_add(Stage *stage, const Plugin *plugin, WayKind kind, Address *from, Address *to);
/* In a stage of its own. */
Target *plan_add(Plan *plan, const Plugin *plugin, WayKind kind, Address *from, Address *to);
Target *
plan_add_trunk(Plan *plan, const Plugin *plugin, const Trunk *trunk, Address *from, Address *to);

/* --- route.c --- */
Address *route_number_here(Gateway *gateway, const char *number);
Address *route_number_at(const Trunk *trunk, const char *number); /* as it writes it */
/* Who calls, as a carrier of this country (or NULL) writes him. */
Address *route_caller_from(const char *country, const Address *from);

/* A number of ours as this carrier writes it, or NULL. */
char *route_called_by_trunk(const Trunk *trunk, const Address *to);
/* "sip:desk@gw": the user whose softphone is called so; NULL: nobody's. */
User *route_user_by_softphone(Gateway *gateway, const Address *to);
/* "sip:alice%40example.org@gw", and by XMPP "alice\\40example.org@gw". */
User *route_user_by_jid(Gateway *gateway, const Address *to);
/* The number that a user calls with: one of his, if he wants another than the usual. */
char *route_calling_number(const Question *question, const User *caller);
/* NULL: it has none. */
const char *route_country_of(const Trunk *trunk);

/* --- route_user.c --- */
/* Whether the callee takes nothing from this caller. */
gboolean route_blocks(const Question *question, const User *callee, const Address *caller);
/* Takes `from`: as the callee shall see the caller. */
Plan *route_to_user(Question *question, const char *counts_for, const User *callee, Address *from);
