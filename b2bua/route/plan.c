/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* plan.c - a Plan, its stages and their targets: made and freed. */
#include "b2bua/route/route_private.h"

void
target_free(Target *target)
{
	g_free(target->account);
	address_free(target->from);
	address_free(target->to);
	g_free(target->trunk);
	g_free(target->abroad);
	g_free(target->location);
	g_free(target->diverted_by);
	g_strfreev(target->diverted_before);
	g_free(target);
}

void
stage_free(Stage *stage)
{
	g_ptr_array_unref(stage->targets);
	g_free(stage);
}

void
plan_free(Plan *plan)
{
	if (!plan)
		return;
	g_ptr_array_unref(plan->stages);
	g_free(plan->user);
	g_free(plan->called);
	g_free(plan->forwarder);
	g_free(plan->number);
	g_free(plan->trunk);
	g_free(plan);
}

Plan *
plan_new(const char *user, const char *trunk)
{
	Plan *plan = g_new0(Plan, 1);

	plan->stages = g_ptr_array_new_with_free_func((GDestroyNotify)stage_free);
	plan->user = g_strdup(user);
	plan->trunk = g_strdup(trunk);
	plan->wait_for_media = TRUE;
	return plan;
}

Stage *
plan_stage(Plan *plan, guint ring_seconds)
{
	Stage *stage = g_new0(Stage, 1);

	stage->targets = g_ptr_array_new_with_free_func((GDestroyNotify)target_free);
	stage->ring_seconds = ring_seconds;
	g_ptr_array_add(plan->stages, stage);
	return stage;
}

Target *
stage_add(Stage *stage, const Plugin *plugin, Address *from, Address *to)
{
	Target *target = g_new0(Target, 1);

	target->plugin = plugin;
	target->from = from;
	target->to = to;
	g_ptr_array_add(stage->targets, target);
	return target;
}

Target *
plan_add(Plan *plan, const Plugin *plugin, Address *from, Address *to, const Trunk *trunk)
{
	Stage *stage = plan_stage(plan, trunk ? trunk->ring_seconds : 0);
	Target *target = stage_add(stage, plugin, from, to);

	target->trunk = trunk ? g_strdup(trunk->name) : NULL;
	target->accept_early = trunk && g_strcmp0(trunk->early_media, "accept") == 0;
	return target;
}

Plan *
plan_of_one(const char *account, const Plugin *plugin, const Address *from, const Address *to)
{
	Plan *plan = plan_new(account, NULL);

	plan_add(plan, plugin, address_copy(from), address_copy(to), NULL);
	plan->wait_for_media = FALSE;
	return plan;
}

Plan *
route_refuse(Question *question, Reason reason, const char *text)
{
	question->reason = reason;
	question->text = text;
	return NULL;
}
