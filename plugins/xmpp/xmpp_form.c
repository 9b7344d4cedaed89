/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_form.c - see xmpp_form.h. */
#include "plugins/xmpp/xmpp_form.h"
#include <string.h>

/* --- in --- */

static const struct {
	const char *name;
	DeskAction action;
} ACTIONS[] = {
	{ "execute", DESK_EXECUTE },   { "next", DESK_NEXT },	  { "prev", DESK_PREV },
	{ "complete", DESK_COMPLETE }, { "cancel", DESK_CANCEL },
};

static gboolean
read_action(const xmlNode *command, DeskAction *action)
{
	const char *text = xml_attribute(command, "action");

	*action = DESK_EXECUTE;
	if (!text || !*text)
		return TRUE;
	for (guint i = 0; i < G_N_ELEMENTS(ACTIONS); i++)
		if (strcmp(ACTIONS[i].name, text) == 0) {
			*action = ACTIONS[i].action;
			return TRUE;
		}
	return FALSE;
}

static char *
read_value(const xmlNode *field)
{
	GString *all = g_string_new(NULL);
	const xmlNode *value = xml_child(field, NS_DATA, "value");
	gsize length;

	for (gboolean first = TRUE; value && all->len < XMPP_FORM_MAX_BYTES;
	     value = xml_next(value, NS_DATA, "value"), first = FALSE) {
		g_autofree char *text = xml_text(value);

		g_string_append_printf(all, "%s%s", first ? "" : ",", text);
	}
	length = MIN(all->len, XMPP_FORM_MAX_BYTES);
	while (length > 0 && length < all->len && ((guint8)all->str[length] & 0xC0) == 0x80)
		length--; /* never in the middle of a character */
	g_string_truncate(all, length);
	return g_string_free(all, FALSE);
}

static void
read_fields(const xmlNode *form, XmppCommand *command)
{
	GPtrArray *names = g_ptr_array_new(), *values = g_ptr_array_new();
	const xmlNode *field = xml_child(form, NS_DATA, "field");

	for (; field && names->len < XMPP_FORM_MAX_FIELDS;
	     field = xml_next(field, NS_DATA, "field")) {
		const char *name = xml_attribute(field, "var");

		if (!name || !*name ||
		    g_ptr_array_find_with_equal_func(names, name, g_str_equal, NULL))
			continue;
		g_ptr_array_add(names, g_strdup(name));
		g_ptr_array_add(values, read_value(field));
	}
	g_ptr_array_add(names, NULL);
	g_ptr_array_add(values, NULL);
	command->names = (char **)g_ptr_array_free(names, FALSE);
	command->values = (char **)g_ptr_array_free(values, FALSE);
}

XmppCommand *
xmpp_command_read(const xmlNode *node)
{
	const xmlNode *form = xml_child(node, NS_DATA, "x");
	const char *name = xml_attribute(node, "node"), *session = xml_attribute(node, "sessionid");
	const char *type = xml_attribute(form, "type");
	XmppCommand *command;
	DeskAction action;

	if (!name || !*name || !read_action(node, &action) ||
	    (form && g_strcmp0(type, "submit") != 0 && g_strcmp0(type, "cancel") != 0))
		return NULL;
	command = g_new0(XmppCommand, 1);
	command->node = g_strdup(name);
	command->session = g_strdup(session && *session ? session : NULL);
	command->action = g_strcmp0(type, "cancel") == 0 ? DESK_CANCEL : action;
	read_fields(form, command);
	return command;
}

void
xmpp_command_free(XmppCommand *command)
{
	if (!command)
		return;
	g_free(command->node);
	g_free(command->session);
	g_strfreev(command->names);
	g_strfreev(command->values);
	g_free(command);
}

/* --- out --- */

static xmlNode *
add_field(xmlNode *form, const char *name, const char *type, const char *label)
{
	xmlNode *field = xml_add(form, NULL, "field");

	xml_set(field, "var", name);
	xml_set(field, "type", type);
	xml_set(field, "label", label);
	return field;
}

static void
add_value(xmlNode *field, const char *value)
{
	xml_add_text(xml_add(field, NULL, "value"), value);
}

static void
add_asked(xmlNode *form, const DeskField *asked)
{
	static const char *const types[] = { [DESK_TEXT] = "text-single",
					     [DESK_PRIVATE] = "text-private",
					     [DESK_BOOLEAN] = "boolean",
					     [DESK_LIST] = "list-single",
					     [DESK_JID] = "jid-single" };
	xmlNode *field = add_field(form, asked->name, types[asked->type], asked->label);

	xml_add_text(xml_add(field, NULL, "desc"), asked->help);
	if (asked->required)
		xml_add(field, NULL, "required");
	if (asked->value && asked->type == DESK_BOOLEAN)
		add_value(field, strcmp(asked->value, "yes") == 0 ? "1" : "0");
	else if (asked->value)
		add_value(field, asked->value);
	for (char **option = asked->type == DESK_LIST ? asked->options : NULL; option && *option;
	     option++) {
		xmlNode *one = xml_add(field, NULL, "option");

		xml_set(one, "label", *option);
		add_value(one, *option);
	}
}

static xmlNode *
add_form(xmlNode *command, const char *type, const char *title)
{
	xmlNode *form = xml_add(command, NS_DATA, "x");

	xml_set(form, "type", type);
	if (title)
		xml_add_text(xml_add(form, NULL, "title"), title);
	return form;
}

/* "caller-id" → "Caller id" */
static void
add_row(xmlNode *form, char **row)
{
	g_autofree char *label = g_strdelimit(g_strdup(row[0]), "-", ' ');

	*label = g_ascii_toupper(*label);
	add_value(add_field(form, row[0], "text-single", label), row[1]);
}

/* Two columns are keys and values: a field each.  More are a table. */
static void
add_result(xmlNode *command, const DeskPage *page)
{
	xmlNode *form = add_form(command, "result", page->title), *reported;
	guint n = g_strv_length(page->columns);

	for (guint i = 0; n == 2 && i < page->rows->len; i++)
		add_row(form, page->rows->pdata[i]);
	if (n == 2)
		return;
	reported = xml_add(form, NULL, "reported");
	for (guint i = 0; i < n; i++)
		add_field(reported, page->columns[i], "text-single", page->columns[i]);
	for (guint i = 0; i < page->rows->len; i++) {
		xmlNode *item = xml_add(form, NULL, "item");
		char **row = page->rows->pdata[i];

		for (guint cell = 0; cell < n && row[cell]; cell++)
			add_value(add_field(item, page->columns[cell], NULL, NULL), row[cell]);
	}
}

/* XEP-0050 3.4: what may be done next; the default is what goes on. */
static void
add_actions(xmlNode *command, const DeskPage *page)
{
	xmlNode *actions = xml_add(command, NULL, "actions");

	xml_set(actions, "execute", page->may_next ? "next" : "complete");
	if (page->may_prev)
		xml_add(actions, NULL, "prev");
	if (page->may_next)
		xml_add(actions, NULL, "next");
	else
		xml_add(actions, NULL, "complete");
}

xmlNode *
xmpp_command_build(const DeskPage *page)
{
	static const char *const statuses[] = {
		[DESK_ASKS] = "executing", [DESK_DONE] = "completed", [DESK_CANCELLED] = "canceled"
	};
	xmlNode *command = xml_new(NS_COMMANDS, "command"), *note;

	xml_set(command, "node", page->node);
	xml_set(command, "sessionid", page->session);
	xml_set(command, "status", statuses[page->stage]);
	if (page->stage == DESK_ASKS)
		add_actions(command, page);
	if (page->note) {
		note = xml_add(command, NULL, "note");
		xml_set(note, "type", page->is_error ? "error" : "info");
		xml_add_text(note, page->note);
	}
	if (page->stage == DESK_ASKS) {
		xmlNode *form = add_form(command, "form", page->title);

		for (guint i = 0; i < page->n_fields; i++)
			add_asked(form, &page->fields[i]);
	} else if (page->stage == DESK_DONE && page->rows)
		add_result(command, page);
	return command;
}
