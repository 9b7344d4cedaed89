/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* route_redirect.c - see route_redirect.h. */
#include "b2bua/route/route_redirect.h"
#include "b2bua/number.h"
#include "b2bua/route/meter.h"
#include "b2bua/route/route_private.h"
#include "b2bua/route/way_out.h"
#include <string.h>

typedef WayOut *(*Judge)(Gateway *gateway, const char *account, const char *number);

void
redirect_clear(Redirect *redirect)
{
	g_clear_pointer(&redirect->number, g_free);
	g_clear_pointer(&redirect->charge, charge_free);
}

char *
redirect_words(const Redirect *redirect, const char *what)
{
	return g_strdup_printf("%s was redirected to %s: %s", what,
			       redirect->number ? redirect->number : "another address",
			       redirect->text);
}

static void
refuse(Redirect *redirect, Reason reason, const char *text)
{
	redirect->reason = reason;
	redirect->text = text;
}

static gboolean
is_emergency(Gateway *gateway, const char *account, const Trunk *trunk, const char *number)
{
	g_autofree char *home = user_country(gateway, account);

	return number_is_emergency(number, home) ||
	       number_is_emergency(number, route_country_of(trunk));
}

static gboolean
has_trunk(const WayOut *way, const char *name)
{
	for (guint i = 0; i < way->trunks->len; i++)
		if (strcmp(((const Trunk *)way->trunks->pdata[i])->name, name) == 0)
			return TRUE;
	return FALSE;
}

static void
ask(Gateway *gateway, const char *account, const Trunk *trunk, Judge judge, Redirect *redirect)
{
	g_autoptr(WayOut) way = judge(gateway, account, redirect->number);

	way_out_used(gateway, way);
	if (way->reason != REASON_NONE)
		refuse(redirect, way->reason, way->text);
	else if (!has_trunk(way, trunk->name))
		refuse(redirect, REASON_FORBIDDEN, "this trunk does not carry it to such numbers");
	else
		redirect->charge = charge_copy(way->charge);
}

static void
redirect_by(Gateway *gateway, const char *account, const char *name, const char *number,
	    Judge judge, Redirect *redirect)
{
	Store *store = gateway_store(gateway);
	guint failures = store_failures(store);
	g_autoptr(Trunk) trunk = store_trunk_get(store, name, NULL);

	*redirect = (Redirect){ 0 };
	if (trunk && number)
		number_from_carrier(number, route_country_of(trunk), &redirect->number);
	if (!trunk)
		refuse(redirect, REASON_NETWORK_ERROR, "no such trunk");
	else if ((number && is_emergency(gateway, account, trunk, number)) ||
		 (redirect->number && is_emergency(gateway, account, trunk, redirect->number)))
		refuse(redirect, REASON_FORBIDDEN, "emergency numbers are only called directly");
	else if (!redirect->number)
		refuse(redirect, REASON_FORBIDDEN, "that is not a telephone number");
	else
		ask(gateway, account, trunk, judge, redirect);
	if (!gateway_unread_since(gateway, failures))
		return;
	g_clear_pointer(&redirect->charge, charge_free);
	refuse(redirect, REASON_NETWORK_ERROR, "the gateway cannot read its rules");
}

void
route_redirect(Gateway *gateway, const char *account, const char *trunk, const char *number,
	       Redirect *redirect)
{
	redirect_by(gateway, account, trunk, number, way_out, redirect);
}

void
route_redirect_text(Gateway *gateway, const char *account, const char *trunk, const char *number,
		    Redirect *redirect)
{
	redirect_by(gateway, account, trunk, number, way_out_text, redirect);
}
