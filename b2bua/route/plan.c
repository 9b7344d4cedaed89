/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* plan.c - a Plan, its stages and their targets: made and freed. */
#include "b2bua/route/meter.h"
#include "b2bua/route/route_private.h"

static void
diversion_free(Diversion *diversion)
{
	if (!diversion)
		return;
	g_free(diversion->who);
	g_strfreev(diversion->before);
	g_free(diversion);
}

static void
emergency_free(Emergency *emergency)
{
	if (!emergency)
		return;
	g_free(emergency->location);
	g_free(emergency);
}

void
target_free(Target *target)
{
	g_free(target->account);
	g_free(target->device);
	address_free(target->from);
	address_free(target->to);
	g_free(target->way.trunk);
	charge_free(target->charge);
	diversion_free(target->diversion);
	emergency_free(target->emergency);
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
stage_add(Stage *stage, const Plugin *plugin, WayKind kind, Address *from, Address *to)
{
	Target *target = g_new0(Target, 1);

	target->plugin = plugin;
	target->way.kind = kind;
	target->from = from;
	target->to = to;
	g_ptr_array_add(stage->targets, target);
	return target;
}

Target *
plan_add(Plan *plan, const Plugin *plugin, WayKind kind, Address *from, Address *to)
{
	return stage_add(plan_stage(plan, 0), plugin, kind, from, to);
}

Target *
plan_add_trunk(Plan *plan, const Plugin *plugin, const Trunk *trunk, Address *from, Address *to)
{
	Stage *stage = plan_stage(plan, trunk->ring_seconds);
	Target *target = stage_add(stage, plugin, WAY_TRUNK, from, to);

	target->way.trunk = g_strdup(trunk->name);
	target->accept_early = g_strcmp0(trunk->early_media, "accept") == 0;
	return target;
}

Plan *
plan_of_one(const char *account, const Plugin *plugin, const Address *from, const Address *to)
{
	Plan *plan = plan_new(account, NULL);

	plan_add(plan, plugin, WAY_SERVICE, address_copy(from), address_copy(to));
	plan->wait_for_media = FALSE;
	return plan;
}

Plan *
plan_of_test(const char *account, const Plugin *plugin, const Address *from, const Address *to)
{
	Plan *plan = plan_new(account, NULL);
	Target *target = plan_add(plan, plugin, WAY_ACCOUNT, address_copy(from), address_copy(to));

	target->account = g_strdup(account);
	plan->wait_for_media = FALSE;
	plan->is_service = plan->is_test = TRUE;
	return plan;
}

Plan *
route_refuse(Question *question, Reason reason, const char *text)
{
	question->reason = reason;
	question->text = text;
	return NULL;
}
