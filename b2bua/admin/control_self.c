/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* control_self.c - short verbs for what a person changes often: each sets one key of setting.h.
 *
 * The row that each leaves is the one that `user set` leaves.
 */
#include <string.h>
#include "b2bua/admin/handlers.h"
#include "b2bua/setting.h"

/* "" takes it away. */
static gboolean
set_one(Request *request, Setting setting, const char *value, GError **error)
{
	g_autofree char *pair = g_strdup_printf("%s=%s", setting_name(setting), value);
	const char *jid = request_word(request, "JID");
	gboolean mine = request->actor->account != NULL;
	char *words[] = { (char *)"user", (char *)"set", mine ? pair : (char *)jid,
			  mine ? NULL : pair, NULL };

	return request->run(request, words, error);
}

static void say_now(Request *request, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void
say_now(Request *request, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	reply_text(request, text);
}

gboolean
do_forward(Request *request, GError **error)
{
	static const struct {
		const char *when, *sentence;
		Setting setting;
	} WHENS[] = {
		{ "always", "All calls", SETTING_FORWARD_ALWAYS },
		{ "busy", "Calls while busy", SETTING_FORWARD_BUSY },
		{ "no-answer", "Calls that nobody answers", SETTING_FORWARD_NO_ANSWER },
		{ "unreachable", "Calls while no device can be reached",
		  SETTING_FORWARD_UNREACHABLE },
	};
	const char *when = request_word(request, "WHEN"), *number = request_word(request, "NUMBER");
	guint i = 0;

	while (strcmp(WHENS[i].when, when) != 0) /* one of them: word_type.c */
		i++;
	if (!set_one(request, WHENS[i].setting, number, error))
		return FALSE;
	if (*number)
		say_now(request, "%s go to %s from now on", WHENS[i].sentence, number);
	else
		say_now(request, "%s are not sent on", WHENS[i].sentence);
	return TRUE;
}

gboolean
do_ring(Request *request, GError **error)
{
	const char *order = request_word(request, "ORDER");

	if (!set_one(request, SETTING_RING, order, error))
		return FALSE;
	say_now(request, "From now on ring=%s", order);
	return TRUE;
}

static gboolean
set_state(Request *request, Setting setting, const char *on, const char *off, GError **error)
{
	const char *state = request_word(request, "STATE");

	if (!set_one(request, setting, state, error))
		return FALSE;
	reply_text(request, strcmp(state, "yes") == 0 ? on : off);
	return TRUE;
}

gboolean
do_dnd(Request *request, GError **error)
{
	return set_state(request, SETTING_DO_NOT_DISTURB,
			 "Nothing rings, and callers hear that you are busy", "Devices ring again",
			 error);
}

gboolean
do_hide_number(Request *request, GError **error)
{
	return set_state(request, SETTING_HIDE_NUMBER,
			 "Who is called does not see the number, but in an emergency",
			 "Who is called sees the number", error);
}

/* --- who is declined --- */

static gboolean
is_same(gconstpointer one, gconstpointer other)
{
	return g_ascii_strcasecmp(one, other) == 0;
}

static gboolean
is_among(char **list, const char *caller)
{
	while (*list && !is_same(*list, caller))
		list++;
	return *list != NULL;
}

/* The list without, or with, those of `callers`, each once; *n counts what has changed. */
static char *
changed_list(const char *list, const char *callers, gboolean with, guint *n)
{
	g_auto(GStrv) now = g_strsplit(list ? list : "", " ", -1);
	g_auto(GStrv) those = g_strsplit(callers, " ", -1);
	g_autoptr(GPtrArray) kept = g_ptr_array_new();

	*n = 0;
	for (char **one = now; *one; one++)
		if (**one && (with || !is_among(those, *one)))
			g_ptr_array_add(kept, *one);
		else if (**one)
			++*n;
	for (char **one = those; with && *one; one++)
		if (!g_ptr_array_find_with_equal_func(kept, *one, is_same, NULL)) {
			g_ptr_array_add(kept, *one);
			++*n;
		}
	g_ptr_array_add(kept, NULL);
	return g_strjoinv(" ", (char **)kept->pdata);
}

static gboolean
change_blocked(Request *request, gboolean with, guint *n, GError **error)
{
	const char *callers = request_word(request, "CALLER");
	g_autofree char *now =
		setting_text(request->store, request_word(request, "JID"), SETTING_BLOCKED);
	g_autofree char *list = changed_list(now, callers, with, n);

	if (*n == 0)
		return with || wrong(error, "caller %s: is not blocked; blocked: %s", callers,
				     now && *now ? now : "nobody");
	return set_one(request, SETTING_BLOCKED, list, error);
}

gboolean
do_block(Request *request, GError **error)
{
	guint n;

	if (!change_blocked(request, TRUE, &n, error))
		return FALSE;
	say_now(request, "%s: %s", request_word(request, "CALLER"),
		n ? "calls are declined from now on" : "was blocked already");
	return TRUE;
}

gboolean
do_unblock(Request *request, GError **error)
{
	guint n;

	if (!change_blocked(request, FALSE, &n, error))
		return FALSE;
	say_now(request, "%s: calls ring again", request_word(request, "CALLER"));
	return TRUE;
}
