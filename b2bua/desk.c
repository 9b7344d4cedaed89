/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* desk.c - see desk.h. */
#include "b2bua/desk.h"
#include "b2bua/gateway.h"

static const DeskVerbs *
verbs_of(Gateway *gateway)
{
	const Desk *desk = gateway_parts(gateway)->desk;

	return desk ? desk->verbs : NULL;
}

gboolean
desk_is_operator(Gateway *gateway, const char *account)
{
	char **operators = gateway_config(gateway)->xmpp_operators;

	return operators && g_strv_contains((const char *const *)operators, account);
}

gboolean
desk_is_user(Gateway *gateway, const char *account)
{
	g_autoptr(User) user = store_user_get(gateway_store(gateway), account, NULL);

	return user && user->enabled;
}

gboolean
desk_serves(Gateway *gateway, const char *account)
{
	return verbs_of(gateway) &&
	       (desk_is_operator(gateway, account) || desk_is_user(gateway, account));
}

gboolean
desk_says(Gateway *gateway, const DeskPerson *person, const char *text, DeskSaid said,
	  gpointer user)
{
	const DeskVerbs *verbs = verbs_of(gateway);

	return verbs && verbs->says(gateway, person, text, said, user);
}

gint64
desk_asked_us(Gateway *gateway, const DeskPerson *person)
{
	const DeskVerbs *verbs = verbs_of(gateway);

	return verbs ? verbs->asked_us(gateway, person) : 0;
}

void
desk_commands(Gateway *gateway, const DeskPerson *person, const char *node, DeskCommandFunc func,
	      gpointer user)
{
	const DeskVerbs *verbs = verbs_of(gateway);

	if (verbs)
		verbs->commands(gateway, person, node, func, user);
}

void
desk_command(Gateway *gateway, const DeskPerson *person, const DeskInput *input, DeskShows shows,
	     gpointer user)
{
	const DeskVerbs *verbs = verbs_of(gateway);

	if (verbs)
		verbs->command(gateway, person, input, shows, user);
	else
		shows(user, &(DeskPage){ .stage = DESK_NO_SUCH, .node = input->node });
}

void
desk_forget(Gateway *gateway, gpointer user)
{
	const DeskVerbs *verbs = verbs_of(gateway);

	if (verbs)
		verbs->forget(gateway, user);
}
