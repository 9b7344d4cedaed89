/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* errand.c - see errand.h. */
#include <json-glib/json-glib.h>
#include "b2bua/admin/errand.h"

#define RETRY_MS 20
#define BUSY_US	 (5 * G_USEC_PER_SEC)

struct Errand {
	Gateway *gateway;
	Actor actor; /* its own */
	char **words;
	guint max_rows;
	ErrandDone done;
	gpointer user;
	Answer *answer;
	JsonArray *rows;
	gboolean cut;
	guint source;
	gint64 give_up; /* monotonic */
};

void
errand_free(Errand *errand)
{
	if (!errand)
		return;
	store_forget_durable(gateway_store(errand->gateway), errand);
	g_clear_handle_id(&errand->source, g_source_remove);
	answer_free(errand->answer);
	json_array_unref(errand->rows);
	g_strfreev(errand->words);
	actor_clear(&errand->actor);
	g_free(errand);
}

static void
on_durable(gpointer user)
{
	Errand *errand = user;

	errand->done(errand->user, errand->answer, errand->rows, errand->cut);
	errand_free(errand);
}

static void
finish(Errand *errand)
{
	if (!store_when_durable(gateway_store(errand->gateway), on_durable, errand))
		on_durable(errand);
}

static void
gather(Errand *errand)
{
	JsonObject *reply = answer_reply(errand->answer);
	JsonArray *rows = json_object_has_member(reply, "rows")
				  ? json_object_get_array_member(reply, "rows")
				  : NULL;

	for (guint i = 0; rows && i < json_array_get_length(rows); i++) {
		if (json_array_get_length(errand->rows) >= errand->max_rows) {
			errand->cut = TRUE;
			return;
		}
		json_array_add_element(errand->rows,
				       json_node_copy(json_array_get_element(rows, i)));
	}
}

static gboolean on_turn(gpointer user);

static void
again(Errand *errand, guint ms)
{
	errand->source = g_timeout_add(ms, on_turn, errand);
}

/* FALSE: there is more to come. */
static gboolean
begin(Errand *errand)
{
	errand->answer = answer_new(errand->gateway, gateway_store(errand->gateway), &errand->actor,
				    errand->words);
	if (answer_is_busy(errand->answer) && g_get_monotonic_time() < errand->give_up) {
		g_clear_pointer(&errand->answer, answer_free);
		again(errand, RETRY_MS);
		return FALSE;
	}
	if (answer_is_list(errand->answer)) {
		again(errand, answer_pause_ms(errand->answer));
		return FALSE;
	}
	gather(errand);
	return TRUE;
}

static gboolean
on_turn(gpointer user)
{
	Errand *errand = user;
	gboolean more;

	errand->source = 0;
	if (!errand->answer) {
		if (begin(errand))
			finish(errand);
		return G_SOURCE_REMOVE;
	}
	more = answer_more(errand->answer);
	gather(errand);
	if (more && !errand->cut)
		again(errand, answer_pause_ms(errand->answer));
	else
		finish(errand);
	return G_SOURCE_REMOVE;
}

Errand *
errand_new(Gateway *gateway, const Actor *actor, char **words, guint max_rows, ErrandDone done,
	   gpointer user)
{
	Errand *errand = g_new0(Errand, 1);

	errand->gateway = gateway;
	errand->actor = actor_copy(actor);
	errand->words = g_strdupv(words);
	errand->max_rows = max_rows;
	errand->done = done;
	errand->user = user;
	errand->rows = json_array_new();
	errand->give_up = g_get_monotonic_time() + BUSY_US;
	again(errand, 0);
	return errand;
}
