/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* meter_talk.c - what the person who pays and the operators are told of limits, what the
 * person is asked, and what the person answers.
 *
 * The chat is the second key: who has stolen the password of a SIP phone cannot say yes there.
 * A question waits for a day; silence is no.  A yes is kept as the user's setting.
 */
#include "b2bua/route/meter_private.h"
#include <string.h>
#include "b2bua/country.h"
#include "b2bua/setting.h"

#define WAITS_US     (24 * 3600 * (gint64)G_USEC_PER_SEC)
#define AGAIN_US     (600 * (gint64)G_USEC_PER_SEC) /* until the same is asked again */
#define WRITING_US   (300 * (gint64)G_USEC_PER_SEC) /* a yes may be on its way to the store */
#define MAX_ACCOUNTS 10000
#define MAX_PENDING  10 /* of one account */

typedef struct {
	char *country; /* NULL: whether there may be more of what is used up */
	char *number;  /* in whose chat it was asked; NULL: the gateway's */
	gint64 asked_us, day;
} Pending;

struct Asked {
	GHashTable *pending; /* account → GPtrArray of Pending *, the latest last */
	GHashTable *granted; /* "account country" → gint64 *: when */
};

static void
pending_free(gpointer data)
{
	Pending *pending = data;

	g_free(pending->country);
	g_free(pending->number);
	g_free(pending);
}

struct Asked *
asked_new(void)
{
	struct Asked *self = g_new0(struct Asked, 1);

	self->pending = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
					      (GDestroyNotify)g_ptr_array_unref);
	self->granted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	return self;
}

void
asked_free(struct Asked *self)
{
	g_hash_table_unref(self->pending);
	g_hash_table_unref(self->granted);
	g_free(self);
}

static Store *
store_of(const Meter *meter)
{
	return gateway_store(meter->gateway);
}

static gboolean
is_grant_of(gpointer key, gpointer when, gpointer prefix)
{
	return g_str_has_prefix(key, prefix);
}

void
asked_forget(struct Asked *self, const char *account)
{
	g_autofree char *prefix = g_strconcat(account, " ", NULL);

	g_hash_table_remove(self->pending, account);
	g_hash_table_foreach_remove(self->granted, is_grant_of, prefix);
}

/* --- which countries need no question --- */

static gboolean
names(const char *list, const char *country)
{
	g_auto(GStrv) words = list ? g_strsplit_set(list, " ,;", -1) : NULL;

	for (char **word = words; word && *word; word++)
		if (g_ascii_strcasecmp(*word, country) == 0 || strcmp(*word, "any") == 0)
			return TRUE;
	return FALSE;
}

static gboolean
is_granted(Meter *meter, const char *account, const char *country)
{
	g_autofree char *key = g_strconcat(account, " ", country, NULL);
	const gint64 *when = g_hash_table_lookup(meter->asked->granted, key);

	return when && meter_now_us(meter) - *when < WRITING_US;
}

gboolean
meter_knows(Meter *meter, const char *account, const char *country)
{
	char **all = gateway_config(meter->gateway)->guard_countries;
	g_autofree char *own = NULL;

	for (; all && *all; all++)
		if (names(*all, country))
			return TRUE;
	own = setting_text(store_of(meter), account, SETTING_COUNTRIES);
	return names(own, country) || is_granted(meter, account, country);
}

/* One yes may come while another is being written. */
static void
append_granted(Meter *meter, const char *account, GString *all)
{
	g_autofree char *prefix = g_strconcat(account, " ", NULL);
	GHashTableIter iter;
	gpointer key;

	g_hash_table_iter_init(&iter, meter->asked->granted);
	while (g_hash_table_iter_next(&iter, &key, NULL)) {
		const char *country = (const char *)key + strlen(prefix);

		if (g_str_has_prefix(key, prefix) && is_granted(meter, account, country) &&
		    !names(all->str, country))
			g_string_append_printf(all, "%s%s", all->len ? " " : "", country);
	}
}

static gboolean
grant(Meter *meter, const char *account, const char *country, GError **error)
{
	guint failures = store_failures(store_of(meter));
	g_autofree char *own = setting_text(store_of(meter), account, SETTING_COUNTRIES);
	g_autoptr(GString) all = g_string_new(own);
	gint64 *now;

	if (store_failures(store_of(meter)) != failures) {
		g_set_error_literal(error, STORE_ERROR, STORE_ERROR_FAILED,
				    "the countries allowed so far cannot be read");
		return FALSE;
	}
	if (names(own, country))
		return TRUE;
	now = g_new(gint64, 1);
	*now = meter_now_us(meter);
	if (g_hash_table_size(meter->asked->granted) >= MAX_ACCOUNTS)
		g_hash_table_remove_all(meter->asked->granted);
	g_hash_table_replace(meter->asked->granted, g_strconcat(account, " ", country, NULL), now);
	append_granted(meter, account, all);
	return store_setting_set_later(store_of(meter), account, setting_name(SETTING_COUNTRIES),
				       all->str, error);
}

/* --- after an upgrade --- */

typedef struct {
	Meter *meter;
	GString *countries; /* of the account so far */
	guint accounts;
} Learning;

static gboolean
learn(gpointer user, const char *account, const char *number, gboolean last, GError **error)
{
	Learning *learning = user;
	g_autoptr(Charge) charge = meter_charge(learning->meter, account, number, NULL, 0);
	g_autofree char *own = NULL;

	if (charge->country && !names(learning->countries->str, charge->country))
		g_string_append_printf(learning->countries, "%s%s",
				       learning->countries->len ? " " : "", charge->country);
	if (!last)
		return TRUE;
	own = setting_text(store_of(learning->meter), account, SETTING_COUNTRIES);
	if (learning->countries->len && !own) {
		if (!store_setting_set(store_of(learning->meter), account,
				       setting_name(SETTING_COUNTRIES), learning->countries->str,
				       error))
			return FALSE;
		learning->accounts++;
	}
	g_string_truncate(learning->countries, 0);
	return TRUE;
}

gboolean
meter_learn(Meter *meter, GError **error)
{
	g_autoptr(GString) countries = g_string_new(NULL);
	Learning learning = { meter, countries, 0 };
	gboolean done = store_learn(store_of(meter), learn, &learning, error);

	if (done && learning.accounts)
		g_message("the countries that %u accounts have called in the last 90 days need "
			  "no question",
			  learning.accounts);
	return done;
}

/* --- what is asked --- */

static gboolean
is_old(const Meter *meter, const Pending *pending)
{
	return meter_now_us(meter) - pending->asked_us >= WAITS_US ||
	       (!pending->country && pending->day != meter_today(meter));
}

static GPtrArray *
pending_of(Meter *meter, const char *account)
{
	GPtrArray *list = g_hash_table_lookup(meter->asked->pending, account);

	for (guint i = list ? list->len : 0; i-- > 0;)
		if (is_old(meter, list->pdata[i]))
			g_ptr_array_remove_index(list, i);
	return list;
}

static Pending *
find_pending(Meter *meter, const char *account, const char *country)
{
	GPtrArray *list = pending_of(meter, account);

	for (guint i = list ? list->len : 0; i-- > 0;) {
		Pending *pending = list->pdata[i];

		if (g_strcmp0(pending->country, country) == 0)
			return pending;
	}
	return NULL;
}

static void
add_pending(Meter *meter, const char *account, const char *country, const char *number)
{
	GPtrArray *list = pending_of(meter, account);
	Pending *pending = g_new0(Pending, 1);

	if (!list) {
		if (g_hash_table_size(meter->asked->pending) >= MAX_ACCOUNTS)
			g_hash_table_remove_all(meter->asked->pending);
		list = g_ptr_array_new_with_free_func(pending_free);
		g_hash_table_insert(meter->asked->pending, g_strdup(account), list);
	}
	if (list->len >= MAX_PENDING)
		g_ptr_array_remove_index(list, 0);
	pending->country = g_strdup(country);
	pending->number = g_strdup(number);
	pending->asked_us = meter_now_us(meter);
	pending->day = meter_today(meter);
	g_ptr_array_add(list, pending);
}

gboolean
meter_has_asked(Meter *meter, const char *account, const char *country)
{
	return find_pending(meter, account, country) != NULL;
}

static void
tell(Meter *meter, const char *account, const char *number, const char *text)
{
	const char *domain = gateway_config(meter->gateway)->xmpp_domain;
	g_autoptr(Address) from = number ? address_new(ADDRESS_NUMBER, number, domain, NULL)
					 : address_new(ADDRESS_JID, NULL, domain, NULL);

	gateway_notice(meter->gateway, account, from, text);
}

gboolean
meter_ask_person(Meter *meter, const Charge *charge)
{
	const char *number = charge->number;
	Pending *before = find_pending(meter, charge->account, charge->country);
	const char *country = country_name(charge->country);
	gboolean again = before && meter_now_us(meter) - before->asked_us < AGAIN_US;
	g_autofree char *text = NULL, *log = NULL;

	if (again && g_strcmp0(before->number, number) == 0)
		return FALSE;
	if (!gateway_notice_room(meter->gateway, charge->account, "countries"))
		return FALSE;
	add_pending(meter, charge->account, charge->country, number);
	text = g_strdup_printf(
		"A call of your account to %s (%s) was refused: your account has not called "
		"there before. Answer YES to allow calls to %s from now on. If this was not you, "
		"answer NO, and change the passwords of your SIP phones.",
		number, country, country);
	tell(meter, charge->account, number, text);
	g_message("%s called %s (%s) for the first time: refused, and asked in the chat",
		  charge->account, number, country);
	return !before;
}

/* --- what is told --- */

/* Without an account: a trunk's. */
static void
tell_operators(const Owner *owner, const char *text)
{
	g_autofree char *line = g_strdup_printf("%s: %s", owner->name, text);

	gateway_tell_operators(owner->meter->gateway, line);
}

/* The operator's own word is not raised by the one it is about. */
static gboolean
may_have_more(const Owner *owner, GuardRule rule)
{
	return !owner->is_trunk && !owner->own && !owner->stopped &&
	       (rule == GUARD_ABROAD_MINUTES || rule == GUARD_ABROAD_CALLS) &&
	       owner->more < gateway_config(owner->meter->gateway)->guard_more;
}

static void
ask_for_more(const Owner *owner, GString *text, gboolean asks)
{
	if (!asks)
		return;
	g_string_append(text, " Answer YES for as much again today. If this was not you, answer "
			      "NO: calls abroad end for today.");
	if (!find_pending(owner->meter, owner->name, NULL))
		add_pending(owner->meter, owner->name, NULL, NULL);
}

/* "The minutes abroad for today are used up" */
static void
append_sentence(GString *text, const char *the)
{
	g_string_append_c(text, g_ascii_toupper(*the));
	g_string_append(text, the + 1);
}

void
meter_warn(Owner *owner, GuardRule rule)
{
	const GuardRow *row = guard_row(rule);
	g_autoptr(GString) text = g_string_new(NULL);

	if (owner->warned & 1u << rule)
		return;
	owner->warned |= 1u << rule;
	g_string_append_printf(text, "%u %% used: %" G_GUINT64_FORMAT " of %u, before the %s.",
			       METER_WARNS_AT, guard_used(&owner->use, rule),
			       owner->limits.most[rule], row->used_up);
	tell_operators(owner, text->str);
	ask_for_more(owner, text, may_have_more(owner, rule));
	if (!owner->is_trunk)
		tell(owner->meter, owner->name, NULL, text->str);
}

void
meter_tell_over(Owner *owner, GuardRule rule)
{
	g_autoptr(GString) text = g_string_new(NULL);

	if (owner->told & 1u << rule)
		return;
	owner->told |= 1u << rule;
	owner->warned |= 1u << rule;
	gateway_count(owner->meter->gateway, COUNTER_GUARD_STOPS);
	append_sentence(text, guard_row(rule)->the);
	g_string_append(text, guard_ends(&owner->use, &owner->limits, rule)
				      ? ": such calls are refused, and those that run are ended."
				      : ": such calls are refused.");
	tell_operators(owner, text->str);
	ask_for_more(owner, text, may_have_more(owner, rule));
	if (!owner->is_trunk)
		tell(owner->meter, owner->name, NULL, text->str);
}

/* --- what is answered --- */

typedef enum { SAYS_NEITHER, SAYS_YES, SAYS_NO } Says;

/* One word, whatever marks stand around it.  More words are a text to the number: "No. I am late"
 * is no answer. */
static Says
read_answer(const char *text)
{
	static const char marks[] = " \t\r\n.,;:!?\"'()*_";
	const char *word = text + strspn(text, marks);
	gsize length = strlen(word);

	while (length > 0 && strchr(marks, word[length - 1]))
		length--;
	if ((length == 3 && g_ascii_strncasecmp(word, "yes", 3) == 0) ||
	    (length == 1 && g_ascii_tolower(*word) == 'y'))
		return SAYS_YES;
	return (length == 2 && g_ascii_strncasecmp(word, "no", 2) == 0) ||
			       (length == 1 && g_ascii_tolower(*word) == 'n')
		       ? SAYS_NO
		       : SAYS_NEITHER;
}

/* The latest that was asked in this chat; in the gateway's, where no number stands for it, the
 * latest of all when there is none. */
static Pending *
answered_by(Meter *meter, const char *account, const Address *chat)
{
	GPtrArray *list = pending_of(meter, account);
	const char *number = chat->scheme == ADDRESS_NUMBER ? chat->user : NULL;

	if (!number && chat->user)
		return NULL;
	for (guint i = list ? list->len : 0; i-- > 0;) {
		Pending *pending = list->pdata[i];

		if (g_strcmp0(pending->number, number) == 0)
			return pending;
	}
	return !number && list && list->len > 0 ? list->pdata[list->len - 1] : NULL;
}

static char *
allow_country(Meter *meter, const char *account, const char *country)
{
	g_autoptr(GError) error = NULL;

	if (!grant(meter, account, country, &error)) {
		g_warning("%s allows calls to %s, which is not written down: %s", account, country,
			  error->message);
		return g_strdup("The gateway cannot write that down now. Please try again.");
	}
	g_message("%s allows calls to %s by chat", account, country_name(country));
	return g_strdup_printf("Calls to %s are allowed from now on. Please call again.",
			       country_name(country));
}

static char *
refuse_country(Meter *meter, const char *account, const char *country)
{
	g_autofree char *line = g_strdup_printf(
		"%s: a call to %s was not the user's: a password of a SIP phone may be stolen",
		account, country_name(country));

	gateway_tell_operators(meter->gateway, line);
	return g_strdup_printf("Calls to %s stay refused. The operator of the gateway has been "
			       "told; change the passwords of your SIP phones.",
			       country_name(country));
}

static char *
allow_more(Owner *owner)
{
	if (owner->more >= gateway_config(owner->meter->gateway)->guard_more)
		return g_strdup("That was said often enough today; ask the operator.");
	owner->more++;
	owner->stopped = FALSE;
	owner->warned &= ~(1u << GUARD_ABROAD_MINUTES | 1u << GUARD_ABROAD_CALLS);
	owner->told &= ~(1u << GUARD_ABROAD_MINUTES | 1u << GUARD_ABROAD_CALLS);
	g_message("%s has asked for more calls abroad today, time %" G_GINT64_FORMAT, owner->name,
		  owner->more);
	meter_check(owner);
	return g_strdup("As much again may be used abroad today.");
}

static char *
stop_all(Owner *owner)
{
	owner->stopped = TRUE;
	gateway_count(owner->meter->gateway, COUNTER_GUARD_STOPS);
	tell_operators(owner, "the user has ended calls abroad for today: a password of a SIP "
			      "phone may be stolen");
	meter_check(owner);
	return g_strdup("Calls abroad have ended for today. The operator of the gateway has been "
			"told; change the passwords of your SIP phones.");
}

static char *
obey(Meter *meter, const char *account, const Pending *pending, gboolean yes)
{
	Owner *owner;

	if (pending->country)
		return yes ? allow_country(meter, account, pending->country)
			   : refuse_country(meter, account, pending->country);
	owner = meter_owner(meter, account, NULL);
	if (!owner)
		return g_strdup("The gateway cannot read its database now. Please try again.");
	return yes ? allow_more(owner) : stop_all(owner);
}

void
meter_forget_question(Meter *meter, const char *account, const char *country)
{
	GPtrArray *list = pending_of(meter, account);

	for (guint i = list ? list->len : 0; i-- > 0;)
		if (g_strcmp0(((Pending *)list->pdata[i])->country, country) == 0)
			g_ptr_array_remove_index(list, i);
}

static gboolean
was_asked_before(const Meter *meter, const Pending *pending, gint64 us)
{
	return us && meter_now_us(meter) - pending->asked_us > g_get_monotonic_time() - us;
}

gboolean
account_answers(Gateway *gateway, const char *account, const Address *chat, const char *text,
		gint64 since_us)
{
	Meter *meter = gateway_parts(gateway)->meter;
	Says says = read_answer(text);
	Pending *pending = says == SAYS_NEITHER ? NULL : answered_by(meter, account, chat);
	g_autofree char *reply = NULL, *country = NULL;

	if (!pending || was_asked_before(meter, pending, since_us))
		return FALSE;
	country = g_strdup(pending->country);
	reply = obey(meter, account, pending, says == SAYS_YES);
	tell(meter, account, chat->scheme == ADDRESS_NUMBER ? chat->user : NULL, reply);
	meter_forget_question(meter, account, country);
	return TRUE;
}
