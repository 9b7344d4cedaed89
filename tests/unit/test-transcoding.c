/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-transcoding.c - the policy: every row is one side of a call. */
#include "b2bua/transcoding.h"

static const struct {
	const char *name;
	TranscodeFacts facts;
	gboolean opus_first;
	Reason refusal;
} ROWS[] = {
#define FACTS(...)          \
	{                   \
		__VA_ARGS__ \
	}
#define ADAPTIVE .policy = TRANSCODE_ADAPTIVE
#define ALWAYS	 .policy = TRANSCODE_ALWAYS
#define NEEDED	 .policy = TRANSCODE_NEEDED
#define NEVER	 .policy = TRANSCODE_NEVER
#define DEVICE	 .device = TRUE
	{ "needed", FACTS(NEEDED, DEVICE, .loss = 900, .asks = TRUE), FALSE, REASON_NONE },
	{ "needed/busy", FACTS(NEEDED, DEVICE, .load = 84), FALSE, REASON_NONE },
	{ "needed/full", FACTS(NEEDED, DEVICE, .load = 85), FALSE, REASON_TRANSCODING_BUSY },
	{ "needed/help", FACTS(NEEDED, .load = 100, .emergency = TRUE), FALSE, REASON_NONE },
	{ "adaptive/good", FACTS(ADAPTIVE, DEVICE, .loss = 99), FALSE, REASON_NONE },
	{ "adaptive/bad", FACTS(ADAPTIVE, DEVICE, .loss = 100), TRUE, REASON_NONE },
	{ "adaptive/asks", FACTS(ADAPTIVE, DEVICE, .asks = TRUE), TRUE, REASON_NONE },
	{ "adaptive/telephone", FACTS(ADAPTIVE, .loss = 900, .asks = TRUE), FALSE, REASON_NONE },
	{ "adaptive/not-yet-busy", FACTS(ADAPTIVE, DEVICE, .loss = 900, .load = 69), TRUE,
	  REASON_NONE },
	{ "adaptive/busy", FACTS(ADAPTIVE, DEVICE, .loss = 900, .load = 70), FALSE, REASON_NONE },
	{ "adaptive/full", FACTS(ADAPTIVE, DEVICE, .loss = 900, .load = 85), FALSE,
	  REASON_TRANSCODING_BUSY },
	{ "adaptive/help", FACTS(ADAPTIVE, DEVICE, .loss = 900, .emergency = TRUE), FALSE,
	  REASON_NONE },
	{ "always", FACTS(ALWAYS, DEVICE), TRUE, REASON_NONE },
	{ "always/telephone", FACTS(ALWAYS), FALSE, REASON_NONE },
	{ "always/busy", FACTS(ALWAYS, DEVICE, .load = 84), TRUE, REASON_NONE },
	{ "always/full", FACTS(ALWAYS, DEVICE, .load = 85), FALSE, REASON_TRANSCODING_BUSY },
	{ "always/help", FACTS(ALWAYS, DEVICE, .load = 85, .emergency = TRUE), FALSE, REASON_NONE },
	{ "never", FACTS(NEVER, DEVICE, .loss = 900, .asks = TRUE), FALSE, REASON_NO_TRANSCODING },
	{ "never/full", FACTS(NEVER, .load = 100), FALSE, REASON_NO_TRANSCODING },
	{ "never/help", FACTS(NEVER, .load = 100, .emergency = TRUE), FALSE, REASON_NONE },
};

static void
test_row(gconstpointer data)
{
	guint row = GPOINTER_TO_UINT(data);
	TranscodeChoice choice = transcode_choose(&ROWS[row].facts);

	g_assert_cmpint(choice.opus_first, ==, ROWS[row].opus_first);
	g_assert_cmpstr(reason_name(choice.refusal), ==, reason_name(ROWS[row].refusal));
	g_assert_cmpint(choice.may, ==, ROWS[row].refusal == REASON_NONE);
}

static void
test_names(void)
{
	TranscodePolicy policy = TRANSCODE_NEVER;

	for (guint i = 0; i < N_TRANSCODE_POLICIES; i++) {
		g_assert_true(transcode_policy_find(transcode_policy_name(i), &policy));
		g_assert_cmpint(policy, ==, i);
	}
	g_assert_false(transcode_policy_find("default", &policy));
	g_assert_false(transcode_policy_find(NULL, &policy));
	g_assert_cmpint(policy, ==, TRANSCODE_NEVER);
}

/* "The last three calls within seven days". */
static void
test_mean(void)
{
	const struct {
		DeviceLoss device;
		guint mean;
	} MEANS[] = {
		{ { { { 0, 0 }, { 0, 0 }, { 0, 0 } } }, 0 },
		{ { { { 1000, 300 }, { 0, 0 }, { 0, 0 } } }, 300 },
		{ { { { 1000, 0 }, { 990, 300 }, { 0, 0 } } }, 150 },
		{ { { { 1000, 0 }, { 990, 0 }, { 980, 300 } } }, 100 },
		{ { { { 1000, 60 }, { 899, 9000 }, { 898, 9000 } } }, 60 },
		{ { { { 899, 9000 }, { 898, 9000 }, { 897, 9000 } } }, 0 },
		{ { { { 900, G_MAXUINT }, { 900, G_MAXUINT }, { 900, G_MAXUINT } } }, 10000 },
	};

	for (guint i = 0; i < G_N_ELEMENTS(MEANS); i++)
		g_assert_cmpuint(transcode_mean_loss(&MEANS[i].device, 900), ==, MEANS[i].mean);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (guint i = 0; i < G_N_ELEMENTS(ROWS); i++) {
		g_autofree char *name = g_strconcat("/transcoding/", ROWS[i].name, NULL);

		g_test_add_data_func(name, GUINT_TO_POINTER(i), test_row);
	}
	g_test_add_func("/transcoding/names", test_names);
	g_test_add_func("/transcoding/mean", test_mean);
	return g_test_run();
}
