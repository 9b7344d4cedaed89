/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* core.c - see core.h.
 *
 * Thread: signalling.
 */
#include "b2bua/call/core.h"
#include "b2bua/call/admission.h"
#include "b2bua/call/call_feed.h"
#include "b2bua/call/call_list.h"
#include "b2bua/call/call_metrics.h"
#include "b2bua/call/call_private.h"
#include "b2bua/call/call_stop.h"
#include "b2bua/route/meter.h"
#include "b2bua/text/texts.h"

Gateway *
core_new(const Config *config, Store *store, Workers *workers)
{
	Gateway *gateway = gateway_new(config, store, workers);

	*gateway_parts(gateway) = (GatewayParts){
		.meter = meter_new(gateway),
		.calls = call_list_new(call_step),
		.feed = call_feed_new(),
		.admission = admission_new(config),
		.metrics = call_metrics_new(),
		.texts = texts_new(gateway),
	};
	return gateway;
}

void
core_free(Gateway *gateway)
{
	GatewayParts *parts = gateway_parts(gateway);

	calls_close(gateway);
	texts_close(gateway);
	gateway_stop(gateway); /* a peer may still ask for a call, and is refused */
	texts_free(parts->texts);
	drain_free(parts->drain);
	call_list_free(parts->calls);
	call_feed_free(parts->feed);
	admission_free(parts->admission);
	metric_set_free(parts->metrics);
	meter_free(parts->meter);
	gateway_free(gateway);
}
