/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* page.c - see page.h. */
#include <string.h>
#include "b2bua/admin/page.h"
#include "b2bua/admin/word_type.h"

#define ADMIN "http://jabber.org/protocol/admin#"

struct Pages {
	Gateway *gateway;
	Store *store;
	GHashTable *sessions; /* "device\nnode" → Session */
	GQueue oldest;	      /* Session * */
};

typedef struct {
	char *key, *id, *account;
	Form *form;
	gboolean at_keys;
	gint64 moved_us;
	GList *link;
} Session;

static void
session_free(gpointer data)
{
	Session *session = data;

	g_free(session->key);
	g_free(session->id);
	g_free(session->account);
	form_free(session->form);
	g_free(session);
}

Pages *
pages_new(Gateway *gateway, Store *store)
{
	Pages *pages = g_new0(Pages, 1);

	pages->gateway = gateway;
	pages->store = store;
	pages->sessions = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, session_free);
	return pages;
}

void
pages_free(Pages *pages)
{
	if (!pages)
		return;
	g_queue_clear(&pages->oldest);
	g_hash_table_unref(pages->sessions);
	g_free(pages);
}

void
page_reply_clear(PageReply *reply)
{
	g_clear_pointer(&reply->fields, g_array_unref);
	g_clear_pointer(&reply->texts, g_ptr_array_unref);
	g_clear_pointer(&reply->node, g_free);
	g_clear_pointer(&reply->session, g_free);
	g_clear_pointer(&reply->words, g_strfreev);
}

/* --- nodes --- */

static const struct {
	const char *noun, *verb, *node, *jid; /* what it calls the word of WORD_USER */
} XEP_0133[] = {
	{ "user", "add", ADMIN "add-user", "accountjid" },
	{ "user", "del", ADMIN "delete-user", "accountjids" },
	{ "user", "list", ADMIN "get-registered-users-list", NULL },
};

char *
page_node(const Verb *verb)
{
	for (guint i = 0; i < G_N_ELEMENTS(XEP_0133); i++)
		if (strcmp(XEP_0133[i].noun, verb->noun) == 0 &&
		    g_strcmp0(XEP_0133[i].verb, verb->verb) == 0)
			return g_strdup(XEP_0133[i].node);
	return verb->verb ? g_strdup_printf("%s-%s", verb->noun, verb->verb) : g_strdup(verb->noun);
}

/* A text of the reply's that lives as long as it does. */
static const char *
keep(PageReply *reply, char *text)
{
	g_ptr_array_add(reply->texts, text);
	return text;
}

/* "ring-seconds" → "Ring seconds" */
static char *
heading(const char *text)
{
	char *words = g_strdelimit(g_strdup(text), "-", ' ');

	*words = g_ascii_toupper(*words);
	return words;
}

/* What follows a semicolon is for those who write commands. */
char *
page_title(const Verb *verb)
{
	char *title = g_strndup(verb->help, strcspn(verb->help, ";"));

	*title = g_ascii_toupper(*title);
	return title;
}

/* An operator has all of a verb's words, the own JID among them. */
static VerbWho
kind_of(const ChatPerson *person)
{
	return person->is_operator ? VERB_OPERATOR : VERB_SELF;
}

gboolean
page_may(const ChatPerson *person, const Verb *verb)
{
	return verb->who & kind_of(person) && !(verb->flags & (VERB_CLIENT | VERB_RAW));
}

const Verb *
page_verb(const ChatPerson *person, const char *node)
{
	const Verb *verb;

	for (guint i = 0; (verb = verb_at(i)); i++) {
		g_autofree char *name = page_node(verb);

		if (strcmp(name, node) == 0)
			return page_may(person, verb) ? verb : NULL;
	}
	return NULL;
}

/* --- sessions --- */

static void
drop(Pages *pages, Session *session)
{
	g_queue_delete_link(&pages->oldest, session->link);
	g_hash_table_remove(pages->sessions, session->key);
}

static void
drop_old(Pages *pages, gint64 now_us)
{
	Session *session;

	while ((session = g_queue_peek_head(&pages->oldest)) &&
	       now_us - session->moved_us > (gint64)PAGES_SESSION_S * G_USEC_PER_SEC)
		drop(pages, session);
}

static void
make_room(Pages *pages, const char *account)
{
	Session *first = NULL;
	guint n = 0;

	for (GList *link = pages->oldest.head; link; link = link->next) {
		Session *session = link->data;

		if (strcmp(session->account, account) != 0)
			continue;
		first = first ? first : session;
		n++;
	}
	if (n >= PAGES_ACCOUNT_MAX)
		drop(pages, first);
	else if (g_hash_table_size(pages->sessions) >= PAGES_MAX)
		drop(pages, g_queue_peek_head(&pages->oldest));
}

static char *
key_of(const ChatPerson *person, const char *node)
{
	return g_strdup_printf("%s\n%s", person->device, node);
}

static Session *
session_new(Pages *pages, const ChatPerson *person, const char *node, Form *form)
{
	Session *session = g_new0(Session, 1), *before;

	session->key = key_of(person, node);
	before = g_hash_table_lookup(pages->sessions, session->key);
	if (before)
		drop(pages, before);
	make_room(pages, person->account);
	session->id = g_uuid_string_random();
	session->account = g_strdup(person->account);
	session->form = form;
	session->at_keys = form_words(form)->len == 0;
	g_queue_push_tail(&pages->oldest, session);
	session->link = pages->oldest.tail;
	g_hash_table_insert(pages->sessions, session->key, session);
	return session;
}

static void
touch(Pages *pages, Session *session, gint64 now_us)
{
	session->moved_us = now_us;
	g_queue_unlink(&pages->oldest, session->link);
	g_queue_push_tail_link(&pages->oldest, session->link);
}

/* --- a page out --- */

/* "--last" is "last"; the JID has the name that XEP-0133 gives it. */
static char *
field_name(const Form *form, const Field *field)
{
	const Verb *verb = form_verb(form);
	const char *name = field->word->name;

	for (guint i = 0; field->word->type == WORD_USER && i < G_N_ELEMENTS(XEP_0133); i++)
		if (XEP_0133[i].jid && strcmp(XEP_0133[i].noun, verb->noun) == 0 &&
		    g_strcmp0(XEP_0133[i].verb, verb->verb) == 0)
			return g_strdup(XEP_0133[i].jid);
	return g_ascii_strdown(g_str_has_prefix(name, "--") ? name + 2 : name, -1);
}

static char **
options_of(const Field *field)
{
	static char *yes_or_no[] = { (char *)"yes", (char *)"no", NULL };

	return field->choices ? field->choices : field->word->type == WORD_YES ? yes_or_no : NULL;
}

static DeskFieldType
type_of(const Field *field)
{
	switch (field->word->type) {
	case WORD_SECRET:
		return DESK_PRIVATE;
	case WORD_FLAG:
		return DESK_BOOLEAN;
	case WORD_YES: /* what a client sends of a switch that is not known would change it */
		return field->is_key && !field->now ? DESK_LIST : DESK_BOOLEAN;
	case WORD_USER:
		return DESK_JID;
	default:
		return field->choices && *field->choices ? DESK_LIST : DESK_TEXT;
	}
}

static void
add_field(PageReply *reply, const ChatPerson *person, const Form *form, const Field *field)
{
	char *name = field_name(form, field);
	char *label = field->word->type == WORD_USER ? g_strdup("JID") : heading(name);
	DeskField out = { .name = name,
			  .label = keep(reply, label),
			  .help = field->word->help,
			  .type = type_of(field),
			  .options = options_of(field),
			  .required = field->required };

	keep(reply, name);
	out.value = field->value	       ? field->value
		    : field->now	       ? field->now
		    : field->is_key	       ? NULL
		    : out.type == DESK_JID     ? (person->is_user ? person->account : NULL)
		    : out.type == DESK_BOOLEAN ? "no"
					       : field->word->fallback;
	if (out.type == DESK_PRIVATE)
		out.value = NULL;
	g_array_append_val(reply->fields, out);
}

static void
show(const ChatPerson *person, Session *session, PageReply *reply)
{
	const GPtrArray *fields =
		session->at_keys ? form_keys(session->form) : form_words(session->form);

	reply->session = g_strdup(session->id);
	for (guint i = 0; i < fields->len; i++)
		add_field(reply, person, session->form, fields->pdata[i]);
	reply->page.stage = DESK_ASKS;
	reply->page.title = keep(reply, page_title(form_verb(session->form)));
	reply->page.may_prev = session->at_keys && form_words(session->form)->len > 0;
	reply->page.may_next = !session->at_keys && form_has_keys(session->form);
	reply->page.fields = (const DeskField *)reply->fields->data;
	reply->page.n_fields = reply->fields->len;
}

static void
show_wrong(const ChatPerson *person, Session *session, const char *note, PageReply *reply)
{
	show(person, session, reply);
	reply->page.note = keep(reply, g_strdup(note));
	reply->page.is_error = TRUE;
}

/* --- what was filled in --- */

static const char *
filled_in(const DeskInput *input, const char *name)
{
	for (guint i = 0; input->names && input->names[i]; i++)
		if (strcmp(input->names[i], name) == 0)
			return input->values[i];
	return NULL;
}

/* What holds already is no change. */
static gboolean
take_key(Form *form, Field *field, const char *text, GError **error)
{
	if (!*text && (!field->now || !*field->now)) {
		form_clear(form, field);
		return TRUE;
	}
	if (!form_set(form, field, text, error))
		return FALSE;
	if (g_strcmp0(field->value, field->now) == 0)
		form_clear(form, field);
	return TRUE;
}

static gboolean
take_word(Form *form, Field *field, const char *text, GError **error)
{
	if (!*text && !(field->word->flags & WORD_UNSETTABLE)) {
		g_autofree char *name = field_name(form, field);

		form_clear(form, field);
		if (!field->required)
			return TRUE;
		g_set_error(error, VERB_ERROR, VERB_MISSING, "%s: is missing; fill the field in",
			    name);
		return FALSE;
	}
	return form_set(form, field, text, error);
}

static gboolean
take(Session *session, const DeskInput *input, GError **error)
{
	const GPtrArray *fields =
		session->at_keys ? form_keys(session->form) : form_words(session->form);

	for (guint i = 0; i < fields->len; i++) {
		Field *field = fields->pdata[i];
		g_autofree char *name = field_name(session->form, field);
		const char *text = filled_in(input, name);

		if (!text && (session->at_keys || !field->required || field->value))
			continue;
		if (!(session->at_keys ? take_key : take_word)(session->form, field,
							       text ? text : "", error))
			return FALSE;
	}
	return TRUE;
}

static void
run(Pages *pages, Session *session, PageReply *reply)
{
	reply->words = form_request(session->form);
	reply->kind = form_actor(session->form)->kind;
	reply->session = g_strdup(session->id);
	reply->page.title = keep(reply, page_title(form_verb(session->form)));
	drop(pages, session);
}

static void
go_on(Pages *pages, const ChatPerson *person, Session *session, const DeskInput *input,
      PageReply *reply)
{
	g_autoptr(GError) error = NULL;
	gboolean has_keys = form_has_keys(session->form);

	if (input->action == DESK_CANCEL) {
		reply->session = g_strdup(session->id);
		reply->page.stage = DESK_CANCELLED;
		drop(pages, session);
	} else if (input->action == DESK_PREV) {
		session->at_keys = session->at_keys && form_words(session->form)->len == 0;
		show(person, session, reply);
	} else if (!take(session, input, &error))
		show_wrong(person, session, error->message, reply);
	else if (has_keys && !session->at_keys &&
		 (input->action != DESK_COMPLETE || !form_is_complete(session->form))) {
		session->at_keys = TRUE;
		show(person, session, reply);
	} else if (form_is_complete(session->form))
		run(pages, session, reply);
	else
		show_wrong(person, session, "nothing was changed; change a field, or cancel",
			   reply);
}

static void
begin(Pages *pages, const ChatPerson *person, const Verb *verb, const char *node, gint64 now_us,
      PageReply *reply)
{
	static char *nothing[] = { NULL };
	const Actor actor = { .kind = kind_of(person),
			      .account = kind_of(person) == VERB_SELF ? person->account : NULL,
			      .who = person->device };
	Form *form = form_new(pages->gateway, pages->store, &actor, verb, nothing, NULL);
	Session *session;

	if (!form) { /* no word was given that could be wrong */
		reply->page.stage = DESK_NO_SUCH;
		return;
	}
	session = session_new(pages, person, node, form);
	session->moved_us = now_us;
	if (form_words(form)->len == 0 && !form_has_keys(form))
		run(pages, session, reply);
	else
		show(person, session, reply);
}

void
pages_input(Pages *pages, const ChatPerson *person, const DeskInput *input, gint64 now_us,
	    PageReply *reply)
{
	const Verb *verb = page_verb(person, input->node);
	g_autofree char *key = key_of(person, input->node);
	Session *session;

	*reply = (PageReply){ .fields = g_array_new(FALSE, FALSE, sizeof(DeskField)),
			      .texts = g_ptr_array_new_with_free_func(g_free),
			      .node = g_strdup(input->node) };
	reply->page.node = reply->node;
	drop_old(pages, now_us);
	session = g_hash_table_lookup(pages->sessions, key);
	if (session && !form_may_go_on(session->form, person->is_operator)) {
		drop(pages, session);
		session = NULL;
	}
	if (!verb)
		reply->page.stage = DESK_NO_SUCH;
	else if (!input->session && input->action == DESK_CANCEL)
		reply->page.stage = DESK_NO_SESSION; /* some verbs begin by doing it */
	else if (!input->session)
		begin(pages, person, verb, input->node, now_us, reply);
	else if (!session || strcmp(session->id, input->session) != 0)
		reply->page.stage = DESK_NO_SESSION;
	else {
		touch(pages, session, now_us);
		go_on(pages, person, session, input, reply);
	}
	reply->page.session = reply->session;
}
