/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* texts.h - all texts of a gateway: taken, sent, and what has become of them.
 *
 * A text that comes is written, then acknowledged, then sent by the ways that route_text()
 * names (outbox.h); what becomes of each way is written, and the author is told when it has
 * arrived, or never will.  What plugins say is in b2bua/text.h.
 * Thread: signalling.
 */
#pragma once
#include "b2bua/gateway.h"
#include "b2bua/metric.h"

typedef struct Texts Texts;

Texts *texts_new(Gateway *gateway);
/* What an earlier process has left is sent; once, when the plugins have started. */
void texts_recover(Gateway *gateway);
/* What waits for somebody who was deleted, or is there again, is looked at at once. */
void texts_changed(Gateway *gateway, Change what, const char *key);
/* One step of a search for what waits by this account or for it: that fails, and its author is
 * told. How many there were, -1 with an error.  `*before` is G_MAXINT64 for the first step, and 0
 * after the last; they are found until the journal has written what became of them. */
gint texts_abandon(Gateway *gateway, const char *account, gint64 *before, GError **error);
/* From now on nothing is taken, and who waits is told to try again: before the plugins stop. */
void texts_close(Gateway *gateway);
void texts_free(Texts *texts);

/* For status and /metrics. */
guint texts_waiting(const Gateway *gateway); /* deliveries that are not sent yet */
const MetricSet *texts_metrics(const Gateway *gateway);
