/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* control_doctor.c - what the doctor finds, as it is found. */
#include "b2bua/admin/handlers.h"
#include "b2bua/doctor/doctor.h"

#define PAUSE_MS 100

static void
free_doctor(gpointer doctor)
{
	doctor_free(doctor);
}

static void
add_check(Request *request, const Check *check)
{
	JsonArray *row = reply_row(request);

	row_add(row, check->name);
	row_add(row, check_state_name(check->state));
	row_add(row, check->finding);
	row_add(row, check->remedy);
}

static gboolean
more_checks(Request *request, GError **error)
{
	Doctor *doctor = request->gathered;
	guint n = 0;

	for (; n < REQUEST_PORTION; n++) {
		g_autoptr(Check) check = doctor_next(doctor);

		if (!check)
			break;
		add_check(request, check);
	}
	if (n == 0)
		request->pause_ms = PAUSE_MS;
	return !doctor_is_done(doctor);
}

gboolean
do_doctor(Request *request, GError **error)
{
	request->gathered = doctor_begin(request->gateway, error);
	request->free_gathered = free_doctor;
	request->more = more_checks;
	reply_table(request, "check", "state", "finding", "remedy", NULL);
	return request->gathered != NULL;
}
