/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz-form.c - any bytes as a <command/>: what is read is bounded, and what it says can be shown
 * again as a form and be read from that. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "plugins/xmpp/xmpp_form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The page that asks for what was filled in. */
static void
show(const XmppCommand *command)
{
	g_autoptr(GArray) fields = g_array_new(FALSE, FALSE, sizeof(DeskField));
	DeskPage page = { .stage = DESK_ASKS, .node = command->node, .session = command->session };
	g_autoptr(xmlNode) out = NULL;
	g_autofree char *text = NULL;

	for (guint i = 0; command->names[i]; i++)
		g_array_append_val(fields, ((DeskField){ .name = command->names[i],
							 .label = command->names[i],
							 .help = "x",
							 .value = command->values[i] }));
	page.fields = (const DeskField *)fields->data;
	page.n_fields = fields->len;
	out = xmpp_command_build(&page);
	text = xml_print(out);
	if (!g_utf8_validate(text, -1, NULL))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(xmlNode) node = xml_parse((const char *)data, size, 64 * 1024, NULL);
	g_autoptr(XmppCommand) command = node ? xmpp_command_read(node) : NULL;

	if (!command)
		return 0;
	if (g_strv_length(command->names) != g_strv_length(command->values) ||
	    g_strv_length(command->names) > XMPP_FORM_MAX_FIELDS)
		abort();
	for (guint i = 0; command->values[i]; i++)
		if (strlen(command->values[i]) > XMPP_FORM_MAX_BYTES ||
		    !g_utf8_validate(command->values[i], -1, NULL))
			abort();
	show(command);
	return 0;
}
