/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_history.c - who has sent a call on, in the words of two RFCs. */
#include "plugins/sip/dialog/sip_history.h"
#include "plugins/sip/stack/sip_header.h"
#include "plugins/sip/stack/sip_identity.h"
#include "plugins/sip/stack/sip_tel.h"
#include <stdlib.h>
#include <string.h>
#include <sofia-sip/su_alloc.h>
#include <sofia-sip/url.h>

#define MAX_COUNTER 100

/* --- reading --- */

typedef struct {
	char *user;
	guint counter;
	gboolean was_mapped; /* the one before it was sent on to here */
	gboolean has_cause;  /* it was sent on, says RFC 4244 */
} Entry;

static void
entry_free(gpointer data)
{
	Entry *entry = data;

	g_free(entry->user);
	g_free(entry);
}

static guint
counter_of(const NameAddr *said)
{
	g_autofree char *text = NULL;
	guint64 counter =
		identity_param(said, "counter", &text) ? g_ascii_strtoull(text, NULL, 10) : 1;

	return (guint)CLAMP(counter, 1, MAX_COUNTER);
}

static Entry *
entry_of(const NameAddr *said, const url_t *url)
{
	Entry *entry = g_new0(Entry, 1);
	g_autofree char *mapped = NULL;

	entry->user = tel_user(url);
	if (!entry->user)
		entry->user = g_strdup("");
	entry->counter = counter_of(said);
	entry->was_mapped = identity_param(said, "mp", &mapped) ||
			    (url->url_params && url_has_param(url, "cause"));
	entry->has_cause = url->url_headers && strstr(url->url_headers, "cause") != NULL;
	return entry;
}

static GPtrArray *
entries_of(const sip_t *sip, const char *name)
{
	GPtrArray *entries = g_ptr_array_new_with_free_func(entry_free);
	g_autoptr(GPtrArray) said = identity_entries(sip, name);
	su_home_t home[1] = { SU_HOME_INIT(home) };

	su_home_init(home);
	for (guint i = 0; i < said->len; i++) {
		const NameAddr *one = said->pdata[i];
		const url_t *url = url_make(home, one->uri);

		if (url)
			g_ptr_array_add(entries, entry_of(one, url));
	}
	su_home_deinit(home);
	return entries;
}

static void
add_user(GPtrArray *users, const char *user)
{
	if (users->len < HISTORY_MAX && *user && g_utf8_validate(user, -1, NULL))
		g_ptr_array_add(users, g_strdup(user));
}

/* The last one who sent it on stands first. */
static void
read_diversions(const sip_t *sip, GPtrArray *users, guint *count)
{
	g_autoptr(GPtrArray) entries = entries_of(sip, "Diversion");

	*count = 0;
	for (guint i = entries->len; i-- > 0;) {
		const Entry *entry = entries->pdata[i];

		*count += entry->counter;
		add_user(users, entry->user);
	}
}

/* The last entry is whom it is for now. */
static void
read_history(const sip_t *sip, GPtrArray *users, guint *count)
{
	g_autoptr(GPtrArray) entries = entries_of(sip, "History-Info");

	*count = 0;
	for (guint i = 0; i + 1 < entries->len; i++) {
		const Entry *entry = entries->pdata[i], *next = entries->pdata[i + 1];

		if ((!entry->has_cause && !next->was_mapped) ||
		    strcmp(entry->user, next->user) == 0)
			continue;
		++*count;
		add_user(users, entry->user);
	}
}

char **
history_read(const sip_t *sip, guint *count)
{
	g_autoptr(GPtrArray) diverted = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) history = g_ptr_array_new_with_free_func(g_free);
	GPtrArray *users;
	guint mapped;

	read_diversions(sip, diverted, count);
	read_history(sip, history, &mapped);
	*count = MAX(*count, mapped);
	users = diverted->len >= history->len ? diverted : history;
	if (users->len == 0)
		return NULL;
	g_ptr_array_set_free_func(users, NULL);
	g_ptr_array_add(users, NULL);
	return (char **)g_ptr_array_steal(users, NULL);
}

/* --- writing --- */

/* RFC 5806 and RFC 4458: why a call was sent on, in the words of each. */
static const struct {
	Reason reason;
	const char *diversion;
	guint cause;
} WHY[] = {
	{ REASON_NONE, "unconditional", 302 },
	{ REASON_BUSY, "user-busy", 486 },
	{ REASON_NO_ANSWER, "no-answer", 408 },
	{ REASON_UNREACHABLE, "unavailable", 503 },
};

static guint
why(const Diversion *diversion)
{
	for (guint i = 0; i < G_N_ELEMENTS(WHY); i++)
		if (WHY[i].reason == diversion->as)
			return i;
	return 0;
}

char *
history_write(const Diversion *diversion, const char *called, const char *domain)
{
	GString *lines = g_string_new(NULL), *index = g_string_new("1");
	guint before = diversion->before ? g_strv_length(diversion->before) : 0;

	g_string_append_printf(lines, "Diversion: <sip:%s@%s>;reason=%s;counter=1", diversion->who,
			       domain, WHY[why(diversion)].diversion);
	for (guint i = before; i-- > 0;) {
		g_autofree char *user = header_escaped(diversion->before[i]);

		g_string_append_printf(lines, ", <sip:%s@%s>;reason=unknown;counter=1", user,
				       domain);
	}
	g_string_append(lines, "\r\nHistory-Info: ");
	for (guint i = 0; i < before; i++) {
		g_autofree char *user = header_escaped(diversion->before[i]);

		g_string_append_printf(lines, "<sip:%s@%s>;index=%s%s, ", user, domain, index->str,
				       i ? ";mp=1" : "");
		g_string_append(index, ".1");
	}
	g_string_append_printf(lines, "<sip:%s@%s>;index=%s%s, ", diversion->who, domain,
			       index->str, before ? ";mp=1" : "");
	g_string_append_printf(lines, "<sip:%s@%s;cause=%u>;index=%s.1;mp=1\r\n", called, domain,
			       WHY[why(diversion)].cause, index->str);
	g_string_free(index, TRUE);
	return g_string_free(lines, FALSE);
}
