/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* abroad.c - see abroad.h.
 *
 * An account that talks has one timer, whatever number of calls it has: what is left is
 * shared by them, so it ends so many times sooner.
 */
#include "b2bua/route/abroad.h"
#include "b2bua/address.h"
#include "b2bua/numberplan.h"
#include "b2bua/setting.h"
#include "b2bua/timer.h"

#define WRITE_US     (60 * (gint64)G_USEC_PER_SEC) /* between rows of who is talking */
#define MAX_ACCOUNTS 10000			   /* remembered; then those who do not talk go */

typedef struct {
	Abroad *abroad;
	char *name;
	char *day;	   /* "2026-11-28": the one that `used_us` counts */
	gint64 used_us;	   /* up to `settled_us` */
	gint64 settled_us; /* monotonic */
	GPtrArray *uses;   /* AbroadUse *, borrowed */
	Timer *timer;
} Account;

struct AbroadUse {
	Account *account;
	void (*cut)(gpointer user);
	gpointer user;
};

struct Abroad {
	const Config *config;
	Store *store;
	GHashTable *accounts; /* name → Account *, owned */
	gint64 skipped_us;    /* by a test */
};

static void
account_free(gpointer data)
{
	Account *account = data;

	timer_clear(&account->timer);
	g_ptr_array_unref(account->uses);
	g_free(account->name);
	g_free(account->day);
	g_free(account);
}

Abroad *
abroad_new(const Config *config, Store *store)
{
	Abroad *self = g_new0(Abroad, 1);

	self->config = config;
	self->store = store;
	self->accounts = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, account_free);
	return self;
}

void
abroad_free(Abroad *self)
{
	if (!self)
		return;
	g_hash_table_unref(self->accounts);
	g_free(self);
}

/* --- which numbers --- */

static char *
home_of(Abroad *self, const char *account)
{
	char *home = setting_text(self->store, account, SETTING_COUNTRY);
	g_autoptr(User) user = NULL;

	if (home || self->config->country)
		return home ? home : g_strdup(self->config->country);
	user = store_user_get(self->store, account, NULL);
	if (user && user->caller_id)
		home = numberplan_region(user->caller_id);
	return home || !user || !user->caller_id ? home : numberplan_country(user->caller_id);
}

/* Who is at home nowhere that we know of is abroad everywhere. */
gboolean
abroad_is(Abroad *self, const char *account, const char *number)
{
	g_autofree char *home = self && number_is_e164(number) ? home_of(self, account) : NULL;

	return self && number_is_e164(number) && (!home || !numberplan_is_of(number, home));
}

/* --- how much --- */

static char *
today(const Abroad *self)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_local();
	g_autoptr(GDateTime) then = g_date_time_add(now, self->skipped_us);

	return g_date_time_format(then, "%Y-%m-%d");
}

static gint64
now_us(const Abroad *self)
{
	return g_get_monotonic_time() + self->skipped_us;
}

static gint64
ceiling_us(const Account *account)
{
	g_autofree char *own =
		setting_text(account->abroad->store, account->name, SETTING_ABROAD_MINUTES);
	guint64 minutes =
		own ? g_ascii_strtoull(own, NULL, 10) : account->abroad->config->abroad_minutes;

	return (gint64)minutes * 60 * G_USEC_PER_SEC;
}

/* Counts what has been talked since the last time; at midnight it begins anew. */
static void
settle(Account *account)
{
	g_autofree char *day = today(account->abroad);
	gint64 now = now_us(account->abroad);

	account->used_us += (now - account->settled_us) * account->uses->len;
	account->settled_us = now;
	if (g_strcmp0(day, account->day) == 0)
		return;
	g_free(account->day);
	account->day = g_steal_pointer(&day);
	account->used_us = 0;
}

static void
write_down(const Account *account)
{
	g_autoptr(GError) error = NULL;

	if (!store_abroad_set(account->abroad->store, account->name, account->day,
			      account->used_us / G_USEC_PER_SEC, &error))
		g_warning("minutes abroad of %s are not written down: %s", account->name,
			  error->message);
}

static gboolean
does_not_talk(gpointer key, gpointer value, gpointer user)
{
	const Account *account = value;

	(void)key;
	(void)user;
	return account->uses->len == 0;
}

/* NULL: the store does not say how much he has talked. */
static Account *
account_of(Abroad *self, const char *name, GError **error)
{
	Account *account = g_hash_table_lookup(self->accounts, name);
	g_autofree char *day = today(self);
	gint64 seconds = 0;

	if (account) {
		settle(account);
		return account;
	}
	if (!store_abroad_get(self->store, name, day, &seconds, error))
		return NULL;
	if (g_hash_table_size(self->accounts) >= MAX_ACCOUNTS)
		g_hash_table_foreach_remove(self->accounts, does_not_talk, NULL);
	account = g_new0(Account, 1);
	account->abroad = self;
	account->name = g_strdup(name);
	account->day = g_steal_pointer(&day);
	account->used_us = seconds * G_USEC_PER_SEC;
	account->settled_us = now_us(self);
	account->uses = g_ptr_array_new();
	g_hash_table_insert(self->accounts, account->name, account);
	return account;
}

const char *
abroad_refusal(Abroad *self, const char *name, gboolean *failed)
{
	g_autoptr(GError) error = NULL;
	Account *account = account_of(self, name, &error);

	*failed = !account;
	if (!account)
		return "the gateway cannot read how long you have talked abroad today";
	if (ceiling_us(account) == 0)
		return "calls abroad are not allowed for your account";
	if (account->used_us >= ceiling_us(account))
		return "your minutes abroad for today are used up";
	return NULL;
}

/* --- while they talk --- */

static void set_timer(Account *account);

/* Each cut may end others as well: of two that are joined. */
static void
cut_all(Account *account)
{
	while (account->uses->len > 0) {
		AbroadUse *use = account->uses->pdata[account->uses->len - 1];

		use->cut(use->user);
		if (account->uses->len > 0 && account->uses->pdata[account->uses->len - 1] ==
						      use) /* it ends a little later */
			g_ptr_array_remove_index(account->uses, account->uses->len - 1);
	}
}

static void
on_time(gpointer user)
{
	Account *account = user;

	settle(account);
	write_down(account);
	if (account->used_us >= ceiling_us(account))
		cut_all(account);
	set_timer(account);
}

static void
set_timer(Account *account)
{
	gint64 left = ceiling_us(account) - account->used_us;

	timer_clear(&account->timer);
	if (account->uses->len == 0)
		return;
	left = CLAMP(left / account->uses->len, 0, WRITE_US);
	timer_set(&account->timer, (guint)(left / 1000 + 1), on_time, account);
}

AbroadUse *
abroad_begin(Abroad *self, const char *name, void (*cut)(gpointer user), gpointer user)
{
	g_autoptr(GError) error = NULL;
	Account *account = account_of(self, name, &error);
	AbroadUse *use;

	if (!account) { /* it could a moment ago, when the call was routed */
		g_warning("a call of %s abroad is not counted: %s", name, error->message);
		return NULL;
	}
	use = g_new0(AbroadUse, 1);
	use->account = account;
	use->cut = cut;
	use->user = user;
	g_ptr_array_add(account->uses, use);
	set_timer(account);
	return use;
}

void
abroad_end(AbroadUse *use)
{
	if (!use)
		return;
	settle(use->account);
	g_ptr_array_remove(use->account->uses, use);
	write_down(use->account);
	set_timer(use->account);
	g_free(use);
}

void
abroad_skip(Abroad *self, gint64 seconds)
{
	GHashTableIter iter;
	gpointer account;
	g_autoptr(GPtrArray) all = g_ptr_array_new();

	self->skipped_us += seconds * G_USEC_PER_SEC;
	g_hash_table_iter_init(&iter, self->accounts);
	while (g_hash_table_iter_next(&iter, NULL, &account))
		g_ptr_array_add(all, account);
	for (guint i = 0; i < all->len; i++) {
		Account *one = all->pdata[i];

		timer_clear(&one->timer);
		on_time(one);
	}
}
