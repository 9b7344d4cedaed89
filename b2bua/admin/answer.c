/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* answer.c - runs a request: reads its words, calls the verb's function, logs and tells what
 * was changed.
 *
 * A list of any length is made of portions, each read from the store when the one before has
 * been taken, so that no list stops the signalling thread.
 */
#include "b2bua/admin/answer.h"
#include <string.h>
#include "b2bua/admin/handlers.h"
#include "b2bua/admin/help.h"
#include "b2bua/admin/own.h"

struct Answer {
	Request request;
	Actor actor; /* its own */
	char **words;
	GError *error;
};

#define ROW(id, noun, verb, words, who, flags, changes, help) do_##id,
static gboolean (*const FUNCTIONS[])(Request *request, GError **error) = { VERBS(ROW) };
#undef ROW

/* --- one request --- */

/* Of what kind it is about: the verb's noun, or whose account the first word names. */
static const Noun *
subject_noun(const Verb *verb)
{
	const Noun *noun = noun_of(verb);

	for (guint i = 0; !noun && noun_at(i); i++)
		if (verb->words[0].type == WORD_USER && noun_at(i)->id == WORD_USER)
			noun = noun_at(i);
	return noun;
}

/* What it is about, as the store has it: the word that names one of the verb's noun. */
static const char *
subject_of(const Request *request)
{
	const Noun *noun = subject_noun(request->verb);

	for (guint i = 0; noun && request->verb->words[i].name; i++)
		if (request->verb->words[i].type == noun->id)
			return request->values[i];
	return NULL;
}

static gboolean
call_function(Request *request, GError **error)
{
	int changes = request->verb->changes;

	if (!FUNCTIONS[verb_id(request->verb)](request, error))
		return FALSE;
	if (changes >= 0) /* rules are looked at as a whole */
		request_changed(request, (Change)changes,
				changes == CHANGE_ROUTES ? NULL : subject_of(request));
	return TRUE;
}

static gboolean
call_audited(Request *request, GError **error)
{
	const Noun *about = subject_noun(request->verb);
	const char *subject = subject_of(request), *noun = about ? about->name : "";
	g_autofree char *difference = NULL, *text = NULL, *name = verb_name(request->verb);
	g_autoptr(GArray) before = audit_view(request->store, noun, subject);
	g_autoptr(GArray) after = NULL;

	if (!call_function(request, error))
		return FALSE;
	after = audit_view(request->store, noun, subject);
	difference = audit_difference(before, after);
	text = g_strdup_printf("%s %s:%s", name, subject ? subject : "", difference);
	audit_say(request, text);
	return TRUE;
}

static gboolean
run(Request *request, char **words, GError **error)
{
	if (!request_read(request, words, g_strv_length(words), error))
		return FALSE;
	if (request->verb->flags & VERB_LIVE && !request->gateway) {
		g_set_error(error, CONTROL_ERROR, 0,
			    "tandemd is not running: %s needs it; start it first",
			    request->verb->noun);
		return FALSE;
	}
	if (request->actor->kind != VERB_OPERATOR && !own_check(request, error))
		return FALSE;
	return request->verb->flags & VERB_AUDITED && !request->importing
		       ? call_audited(request, error)
		       : call_function(request, error);
}

/* Of an import: its reply is nobody's, its changes are the parent's. */
static gboolean
run_part(Request *parent, char **words, GError **error)
{
	g_autoptr(JsonObject) reply = json_object_new();
	Request request = *parent;
	gboolean good;

	request.verb = NULL;
	request.values = NULL;
	request.pairs = NULL;
	request.reply = reply;
	request.rows = NULL;
	request.importing = TRUE;
	good = run(&request, words, error);
	request_clear(&request);
	return good;
}

gboolean
do_help(Request *request, GError **error)
{
	char *words[3] = { (char *)request_word(request, "NOUN"),
			   (char *)request_word(request, "VERB") };

	return help_fill(request->reply, request->actor->kind, words, g_strv_length(words), error);
}

/* --- the answer --- */

Answer *
answer_new(Gateway *gateway, Store *store, const Actor *actor, char **words)
{
	static const char *const nothing[] = { "help", NULL };
	Answer *answer = g_new0(Answer, 1);

	answer->actor = actor_copy(actor);
	answer->words = g_strdupv(*words ? words : (char **)nothing);
	answer->request = (Request){ .gateway = gateway,
				     .store = store,
				     .actor = &answer->actor,
				     .reply = json_object_new(),
				     .run = run_part,
				     .changed = request_changes_new() };
	json_object_set_boolean_member(answer->request.reply, "ok", TRUE);
	if (run(&answer->request, answer->words, &answer->error))
		request_tell(&answer->request);
	return answer;
}

void
answer_free(Answer *answer)
{
	if (!answer)
		return;
	request_clear(&answer->request);
	json_object_unref(answer->request.reply);
	g_array_unref(answer->request.changed);
	g_strfreev(answer->words);
	g_free(answer->request.after);
	if (answer->request.gathered)
		answer->request.free_gathered(answer->request.gathered);
	actor_clear(&answer->actor);
	g_clear_error(&answer->error);
	g_free(answer);
}

AnswerStatus
answer_status(const Answer *answer)
{
	return !answer->error			 ? ANSWER_DONE
	       : request_is_wrong(answer->error) ? ANSWER_WRONG
						 : ANSWER_FAILED;
}

const GError *
answer_error(const Answer *answer)
{
	return answer->error;
}

gboolean
answer_is_busy(const Answer *answer)
{
	return g_error_matches(answer->error, STORE_ERROR, STORE_ERROR_BUSY);
}

JsonObject *
answer_reply(const Answer *answer)
{
	return answer->request.reply;
}

gboolean
answer_is_list(const Answer *answer)
{
	return answer->request.more && !answer->error;
}

gboolean
answer_more(Answer *answer)
{
	JsonArray *rows = answer->request.rows;

	for (guint i = json_array_get_length(rows); i-- > 0;)
		json_array_remove_element(rows, i);
	answer->request.pause_ms = 0;
	return answer->request.more(&answer->request, &answer->error);
}

guint
answer_pause_ms(const Answer *answer)
{
	return answer->request.pause_ms;
}
