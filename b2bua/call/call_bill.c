/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* call_bill.c - see call_bill.h. */
#include "b2bua/call/call_bill.h"
#include "b2bua/call/call_list.h"
#include "b2bua/route/meter.h"

struct Bill {
	Gateway *gateway;
	CallRecord *record;
	gint64 began_us; /* monotonic */
};

static CallRecord *
record_new(Gateway *gateway, const CallRecord *before, const Target *target)
{
	CallRecord *record = g_new0(CallRecord, 1);

	record->state = g_strdup(call_state_name(CALL_ACTIVE));
	record->started_us = record->answered_us = g_get_real_time();
	record->caller = g_strdup(before->caller);
	record->callee = g_strdup(before->callee);
	record->user = g_strdup(before->user);
	record->trunk = g_strdup(target->way.trunk);
	record->caller_plugin = g_strdup(before->caller_plugin);
	record->callee_plugin = g_strdup(target->plugin->name);
	record->legs = g_strdup(""); /* the call it goes on in has it */
	record->ladder = g_strdup("");
	record->text = g_strdup_printf("The rest of call %" G_GINT64_FORMAT ", after a transfer",
				       before->id);
	record->price = target->charge ? target->charge->price : 0;
	if (record->price)
		record->currency = g_strdup(gateway_config(gateway)->currency);
	return record;
}

Bill *
bill_begin(Gateway *gateway, const CallRecord *before, const Target *target)
{
	g_autoptr(GError) error = NULL;
	Bill *bill;

	if (!target || !target->way.trunk)
		return NULL;
	bill = g_new0(Bill, 1);
	bill->gateway = gateway;
	bill->began_us = g_get_monotonic_time();
	bill->record = record_new(gateway, before, target);
	if (store_call_begin(gateway_store(gateway), bill->record, &error)) {
		calls_write(gateway, bill->record); /* begun without price and text */
		return bill;
	}
	gateway_count(gateway, COUNTER_STORE_ERRORS);
	g_warning("the rest of call %" G_GINT64_FORMAT " has no record: %s", before->id,
		  error->message);
	call_record_free(bill->record);
	g_free(bill);
	return NULL;
}

void
bill_end(Bill *bill)
{
	CallRecord *record = bill ? bill->record : NULL;

	if (!bill)
		return;
	g_free(record->state);
	record->state = g_strdup(call_state_name(CALL_ENDED));
	record->ended_us = record->answered_us + g_get_monotonic_time() - bill->began_us;
	record->reason = g_strdup(reason_name(REASON_HANGUP));
	record->ended_by = g_strdup("gateway");
	calls_write(bill->gateway, record);
	call_record_free(record);
	g_free(bill);
}
