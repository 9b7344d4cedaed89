/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* doctor_say.c - what a check has found: to be taken by doctor_next().  Any thread. */
#include "b2bua/doctor/doctor_private.h"

static const char *const STATES[N_CHECK_STATES] = {
	[CHECK_GOOD] = "good",
	[CHECK_BAD] = "bad",
	[CHECK_SKIPPED] = "skipped",
};

const char *
check_state_name(CheckState state)
{
	return STATES[state];
}

void
check_free(Check *check)
{
	if (!check)
		return;
	g_free(check->name);
	g_free(check->finding);
	g_free(check->remedy);
	g_free(check);
}

void
doctor_say(Doctor *doctor, const char *name, CheckState state, const char *remedy,
	   const char *format, ...)
{
	Check *check = g_new0(Check, 1);
	va_list arguments;

	check->name = g_strdup(name);
	check->state = state;
	va_start(arguments, format);
	check->finding = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	check->remedy = g_strdup(remedy);
	g_async_queue_push(doctor->found, check);
}
