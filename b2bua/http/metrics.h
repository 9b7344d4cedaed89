/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* metrics.h - what Prometheus and a load balancer ask the gateway, as text.
 *
 * Thread: signalling.  Nothing waits, and no call is walked over.
 */
#pragma once
#include "b2bua/gateway.h"

/* The exposition format 0.0.4; see metric.h for its families. */
char *metrics_text(Gateway *gateway);

/* JSON: whether new calls can be taken, and each part of that.  `ready` is FALSE while the
 * gateway is stopping, when the database cannot be read, and when a plugin is not connected. */
char *readiness_text(Gateway *gateway, gboolean *ready);
