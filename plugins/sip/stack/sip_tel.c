/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_tel.c - whom a URI is for: telephone numbers in tel: and sip: URIs. */
#include "plugins/sip/stack/sip_tel.h"
#include "b2bua/number.h"
#include <sofia-sip/su_alloc.h>
#include <string.h>

#define MAX_TEXT 512 /* bytes of a user part that is read */

char *
tel_read(const char *text)
{
	g_autofree char *user = NULL;
	char *number;

	if (!text || strlen(text) > MAX_TEXT)
		return NULL;
	user = number_from_uri(text, strcspn(text, ";"));
	if (!user[0] || !g_utf8_validate(user, -1, NULL))
		return NULL;
	number = number_of_tel(text);
	return number ? number : g_steal_pointer(&user);
}

char *
tel_of_uri(const char *uri)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	const url_t *url;
	char *user;

	su_home_init(home);
	url = uri ? url_make(home, uri) : NULL;
	user = url ? tel_user(url) : NULL;
	su_home_deinit(home);
	return user;
}

/* sofia takes the parameters of a tel: URI for those of a URI, those of a number in a
 * sip: URI for a part of the user. */
char *
tel_user(const url_t *url)
{
	g_autofree char *whole = NULL;

	if (!url->url_user)
		return NULL;
	if (url->url_type != url_tel || !url->url_params)
		return tel_read(url->url_user);
	whole = g_strconcat(url->url_user, ";", url->url_params, NULL);
	return tel_read(whole);
}
