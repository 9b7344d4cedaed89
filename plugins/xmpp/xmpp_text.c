/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_text.c - see xmpp_text.h. */
#include "plugins/xmpp/xmpp_text.h"
#include "b2bua/desk.h"
#include "b2bua/number.h"
#include "b2bua/text.h"
#include "plugins/xmpp/im.h"
#include "plugins/xmpp/xmpp_counters.h"
#include <string.h>

#define MAX_TOLD 4096 /* chats; past it they begin anew */
#define TELL_US	 (60 * (gint64)G_USEC_PER_SEC)

struct XmppTexts {
	/* "account\nchat\nkind", "account\nfirst\norigin-id" → gint64 *: when, monotonic */
	GHashTable *told;
	GHashTable *asked; /* Asked, a set: the core has not answered yet */
};

/* A text that was given to the core. */
typedef struct {
	Xmpp *xmpp; /* NULL: the plugin has stopped */
	char *from, *to, *id;
} Asked;

static void
asked_free(Asked *asked)
{
	g_free(asked->from);
	g_free(asked->to);
	g_free(asked->id);
	g_free(asked);
}

XmppTexts *
xmpp_texts_new(void)
{
	XmppTexts *texts = g_new0(XmppTexts, 1);

	texts->told = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	texts->asked = g_hash_table_new(NULL, NULL);
	return texts;
}

void
xmpp_texts_free(XmppTexts *texts)
{
	GHashTableIter iter;
	gpointer asked;

	if (!texts)
		return;
	g_hash_table_iter_init(&iter, texts->asked);
	while (g_hash_table_iter_next(&iter, &asked, NULL))
		((Asked *)asked)->xmpp = NULL;
	g_hash_table_unref(texts->asked);
	g_hash_table_unref(texts->told);
	g_free(texts);
}

/* --- what is not passed on --- */

typedef struct {
	XmlStanzaError error; /* type NULL: none */
	const char *line;     /* what he reads in the chat; NULL: nothing */
	gboolean once;	      /* a minute otherwise */
} Row;

#define NOT_SENT "Your message was not sent: "

static const XmlStanzaError STRANGER = { .type = "cancel",
					 .condition = "service-unavailable",
					 .text = "This gateway serves its own users only" };
static const XmlStanzaError NO_NUMBER = {
	.type = "cancel",
	.condition = "item-not-found",
	.text = NOT_SENT "this is no telephone number. Write one with + and its country, as in "
			 "+15555550123",
};
static const XmlStanzaError SEVERAL = {
	.type = "modify",
	.condition = "not-acceptable",
	.text = NOT_SENT "it can go to one number at a time. Write it to each of them",
};
static const XmlStanzaError GATEWAY = {
	.type = "cancel",
	.condition = "service-unavailable",
	.text = NOT_SENT "this is the telephone gateway itself, where nobody reads it",
};
static const XmlStanzaError ANONYMOUS = {
	.type = "cancel",
	.condition = "item-not-found",
	.text = NOT_SENT "this caller has hidden the number",
};
static const XmlStanzaError LATER = {
	.type = "wait",
	.condition = "resource-constraint",
	.text = NOT_SENT "the gateway is too busy now. Send it again in a minute",
};

static const Row KINDS[N_IM_KINDS] = {
	[IM_ROOM] = { .error = { .type = "cancel",
				 .condition = "service-unavailable",
				 .text = "There are no chat rooms at the telephone gateway" } },
	[IM_ENCRYPTED] = { .error = { .type = "modify",
				      .condition = "not-acceptable",
				      .text = NOT_SENT
				      "it is encrypted, and telephones cannot read it" },
			   .line = "Your message was not sent. Telephones cannot read encrypted "
				   "messages: switch encryption off for this contact (the "
				   "padlock beside the input field) and send it again." },
	[IM_REACTION] = { .line = "Reactions are not passed on: a telephone shows only words.",
			  .once = TRUE },
	[IM_RETRACTION] = { .line = "A message that was sent to a telephone cannot be taken "
				    "back." },
	[IM_FILE] = { .error = { .type = "modify",
				 .condition = "not-acceptable",
				 .text = NOT_SENT
				 "the file has no address that a telephone could open" } },
};

/* Beside the error, to somebody who is in a call with that number: perhaps he meant keys. */
static const Row NO_KEYS = {
	.line = "Your message was not sent. You are in a call with this number: "
		"a message of digits (0-9 * # A-D, a comma for a pause of "
		"2 s) is pressed as keys."
};

/* TRUE when he has not been told it for a minute; or ever, when that is asked. */
static gboolean
may_tell(XmppTexts *texts, char *key, gboolean once)
{
	gint64 now = g_get_monotonic_time(), *last = g_hash_table_lookup(texts->told, key);

	if (last && (once || now - *last < TELL_US)) {
		g_free(key);
		return FALSE;
	}
	if (g_hash_table_size(texts->told) >= MAX_TOLD)
		g_hash_table_remove_all(texts->told);
	last = g_new(gint64, 1);
	*last = now;
	g_hash_table_replace(texts->told, key, last);
	return TRUE;
}

static char *
first_key(const char *account, const char *id)
{
	return g_strdup_printf("%s\nfirst\n%s", account, id);
}

gboolean
xmpp_text_is_first(Xmpp *xmpp, const xmlNode *message, const char *account)
{
	const char *id = im_sole_id(message);

	return !id || may_tell(xmpp->texts, first_key(account, id), TRUE);
}

void
xmpp_text_may_come_again(Xmpp *xmpp, const xmlNode *message, const char *account)
{
	const char *id = im_sole_id(message);
	g_autofree char *key = id ? first_key(account, id) : NULL;

	if (key)
		g_hash_table_remove(xmpp->texts->told, key);
}

static void
tell_line(Xmpp *xmpp, const Row *row, const Address *from, const Address *to)
{
	g_autofree char *account = address_bare_jid(from), *chat = address_bare_jid(to);
	g_autofree char *peer = address_full_jid(from), *id = g_uuid_string_random();
	const ImBuild build = { .from = chat, .to = peer, .id = id, .body = row->line };
	char *key = g_strdup_printf("%s\n%s\n%p", account, chat, (gconstpointer)row);

	if (may_tell(xmpp->texts, key, row->once))
		xmpp_component_send(xmpp, im_build(&build));
}

static void
tell_of_keys(Xmpp *xmpp, const Address *from, const Address *to)
{
	g_autofree char *bare = address_bare_jid(from);

	if (xmpp_find_talking(xmpp, bare, to))
		tell_line(xmpp, &NO_KEYS, from, to);
}

static void
refuse(Xmpp *xmpp, const XmlStanzaError *why, const xmlNode *message)
{
	xmpp_count(COUNTER_XMPP_TEXTS_REFUSED);
	xmpp_component_send(xmpp, xml_message_error(message, why));
}

static void
refuse_kind(Xmpp *xmpp, const Row *row, const xmlNode *message, const Address *from,
	    const Address *to)
{
	if (row->error.type)
		refuse(xmpp, &row->error, message);
	if (row->line)
		tell_line(xmpp, row, from, to);
}

void
xmpp_text_unread(Xmpp *xmpp, const xmlNode *message)
{
	g_autoptr(Im) im = im_read(message);

	if (im->kind != IM_NOTHING)
		refuse(xmpp, &LATER, message);
}

void
xmpp_text_stranger(Xmpp *xmpp, const xmlNode *message)
{
	g_autoptr(Im) im = im_read(message);

	if (im->kind != IM_NOTHING)
		xmpp_component_send(xmpp, xml_message_error(message, &STRANGER));
}

/* --- what is --- */

/* A chat message that answers a question of the gateway's own. */
gboolean
xmpp_text_answers(Xmpp *xmpp, const xmlNode *message, const Address *from, const Address *to)
{
	g_autofree char *text = im_plain(message), *account = NULL;
	g_autoptr(Address) chat = NULL;
	gint64 since = 0;

	if (!text)
		return FALSE;
	account = address_bare_jid(from);
	chat = to->user ? xmpp_accounts_callee(xmpp->accounts, to) : address_copy(to);
	/* the desk may have asked something later */
	if (!to->user)
		since = desk_asked_us(xmpp->gateway,
				      &(DeskPerson){ account, xml_attribute(message, "from") });
	return account_answers(xmpp->gateway, account, chat, text, since);
}

static XmlStanzaError
refusal(Reason reason, const char *words)
{
	XmlStanzaError error = { .type = "cancel",
				 .condition = "service-unavailable",
				 .text = words };

	if (reason == REASON_NOT_FOUND || reason == REASON_INCOMPLETE)
		error.condition = "item-not-found";
	else if (reason == REASON_GONE)
		error.condition = "gone";
	else if (reason == REASON_FORBIDDEN || reason == REASON_ADMIN)
		error.condition = "not-allowed";
	else if (reason == REASON_INCOMPATIBLE)
		error.type = "modify", error.condition = "not-acceptable";
	else if (reason == REASON_OVERLOAD)
		error.type = "wait", error.condition = "policy-violation";
	return error;
}

static void
give_back(const Asked *asked, gboolean later, Reason reason, const char *words)
{
	g_autofree char *text =
		g_strconcat(NOT_SENT, words ? words : reason_sentence(reason), NULL);
	XmlStanzaError error = later ? LATER : refusal(reason, text);
	g_autoptr(Address) from = address_from_jid(asked->from), to = address_from_jid(asked->to);

	xmpp_count(COUNTER_XMPP_TEXTS_REFUSED);
	xmpp_component_send(asked->xmpp, im_error_new(asked->to, asked->from, asked->id, &error));
	if (!later)
		tell_of_keys(asked->xmpp, from, to);
}

static void
on_answered(gpointer user, TextAnswer answer, Reason reason, const char *words)
{
	Asked *asked = user;

	if (asked->xmpp) {
		g_hash_table_remove(asked->xmpp->texts->asked, asked);
		if (answer != TEXT_TAKEN)
			give_back(asked, answer == TEXT_LATER, reason, words);
	}
	asked_free(asked);
}

static void
pass_on(Xmpp *xmpp, const xmlNode *message, const Im *im, const Address *from, const Address *to)
{
	g_autofree char *account = address_bare_jid(from);
	g_autoptr(Address) number = xmpp_accounts_dialled(xmpp->accounts, to);
	Asked *asked = g_new0(Asked, 1);
	const TextIn text = { .from = from,
			      .to = number,
			      .account = account,
			      .device = xml_attribute(message, "from"),
			      .origin = im->origin,
			      .near = (const char *const *)im->near,
			      .body = im->body,
			      .language = im->language,
			      .written = im->written,
			      .receipt = im->receipt };

	asked->xmpp = xmpp;
	asked->from = g_strdup(xml_attribute(message, "from"));
	asked->to = g_strdup(xml_attribute(message, "to"));
	asked->id = g_strdup(xml_attribute(message, "id"));
	g_hash_table_add(xmpp->texts->asked, asked);
	text_new(xmpp->gateway, xmpp->plugin, &text, on_answered, asked);
}

static gboolean
is_short_code(const Address *to)
{
	g_autofree char *code = number_unescape(to->user);
	gsize length = strspn(code, "0123456789");

	return length >= TEXT_LEAST_CODE && length <= TEXT_MOST_CODE &&
	       (code[length] == '\0' || code[length] == ';');
}

/* "+14155550101,+14155550102": what stands after a comma is keys to press, but no key is "+". */
static gboolean
is_several(const Address *to)
{
	const char *comma = strchr(to->user, ',');

	return comma && strchr(comma, '+');
}

/* Why there is nobody whom a text could be for; NULL: there is. */
static const XmlStanzaError *
nobody(const Xmpp *xmpp, const Im *im, const Address *from, const Address *to)
{
	g_autoptr(Address) number = NULL;

	if (!to->user) /* what could be read there, xmpp_desk.c has seen to */
		return im->kind == IM_TEXT ? &GATEWAY : NULL;
	if (g_str_equal(to->user, "anonymous"))
		return &ANONYMOUS;
	if (is_several(to))
		return &SEVERAL;
	/* of a number the core knows more, and says it */
	number = xmpp_accounts_callee(xmpp->accounts, to);
	if (number->scheme == ADDRESS_NUMBER || is_short_code(to) ||
	    xmpp_accounts_is_ours(xmpp->accounts, number, from))
		return NULL;
	return &NO_NUMBER;
}

void
xmpp_text_take(Xmpp *xmpp, const xmlNode *message, const Address *from, const Address *to)
{
	guint failures = store_failures(gateway_store(xmpp->gateway));
	g_autoptr(Im) im = im_read(message);
	const XmlStanzaError *why;

	if (im->kind == IM_NOTHING)
		return;
	why = im->kind == IM_ROOM ? NULL : nobody(xmpp, im, from, to);
	if (why && gateway_unread_since(xmpp->gateway, failures)) {
		refuse(xmpp, &LATER, message);
	} else if (why) {
		refuse(xmpp, why, message);
		if (im->kind == IM_TEXT)
			tell_of_keys(xmpp, from, to);
	} else if (im->kind != IM_TEXT)
		refuse_kind(xmpp, &KINDS[im->kind], message, from, to);
	else
		pass_on(xmpp, message, im, from, to);
}
