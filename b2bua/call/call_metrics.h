/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* call_metrics.h - what is measured of all calls: how they ended, how long each stage of the
 * set-up took, how good the audio was.
 *
 * Counted as it happens, so that whoever asks walks over no call.
 * Thread: signalling.
 */
#pragma once
#include "b2bua/gateway.h"
#include "b2bua/metric.h"

struct MetricSet *call_metrics_new(void);

/* "in" from a telephone network, "out" to one, "internal" between accounts. */
const char *call_direction(const Call *call);

/* A call takes its place among the live ones, and leaves it. */
void call_metrics_begin(Call *call);
void call_metrics_free(Call *call); /* with its last counters */
/* The call enters this state; before the state is set. */
void call_metrics_enter(Call *call, guint state);
/* Every end, of calls that never began as well; the reason's name. */
void call_metrics_ended(Call *call, const char *reason);
