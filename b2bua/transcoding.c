/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* transcoding.c - see transcoding.h. */
#include "b2bua/transcoding.h"
#include <string.h>

static const char *const NAMES[N_TRANSCODE_POLICIES] = {
	[TRANSCODE_NEEDED] = "needed",
	[TRANSCODE_ADAPTIVE] = "adaptive",
	[TRANSCODE_ALWAYS] = "always",
	[TRANSCODE_NEVER] = "never",
};

const char *
transcode_policy_name(TranscodePolicy policy)
{
	return NAMES[policy];
}

gboolean
transcode_policy_find(const char *name, TranscodePolicy *policy)
{
	for (guint i = 0; name && i < N_TRANSCODE_POLICIES; i++)
		if (strcmp(NAMES[i], name) == 0) {
			*policy = (TranscodePolicy)i;
			return TRUE;
		}
	return FALSE;
}

static gboolean
wants_opus(const TranscodeFacts *facts)
{
	if (facts->emergency || !facts->device)
		return FALSE;
	return facts->policy == TRANSCODE_ALWAYS ||
	       (facts->policy == TRANSCODE_ADAPTIVE && facts->load < TRANSCODE_LOAD_OPUS &&
		(facts->asks || facts->loss >= TRANSCODE_LOSS));
}

/* Who calls for help is heard, whatever it costs. */
TranscodeChoice
transcode_choose(const TranscodeFacts *facts)
{
	TranscodeChoice choice = { .may = TRUE, .refusal = REASON_NONE };

	if (facts->policy == TRANSCODE_NEVER)
		choice.refusal = REASON_NO_TRANSCODING;
	else if (facts->load >= TRANSCODE_LOAD_MOST)
		choice.refusal = REASON_TRANSCODING_BUSY;
	if (facts->emergency)
		choice.refusal = REASON_NONE;
	choice.may = choice.refusal == REASON_NONE;
	choice.opus_first = choice.may && wants_opus(facts);
	return choice;
}

guint
transcode_mean_loss(const DeviceLoss *device, gint64 since)
{
	guint sum = 0, n = 0;

	for (guint i = 0; i < DEVICE_LOSS_CALLS; i++) {
		if (device->calls[i].at == 0 || device->calls[i].at < since)
			continue;
		sum += MIN(device->calls[i].loss, 10000);
		n++;
	}
	return n ? sum / n : 0;
}
