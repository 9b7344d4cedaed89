/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-refused.c - who is refused before he is routed, by what: whose record it is, which words
 * the caller is told, and who reads of it in his chat. */
#include <string.h>
#include "db/store_private.h"
#include "tests/core/fake-leg.h"
#include "tests/core/fake-media.h"

#define ALICE	 "alice@example.org"
#define BOB	 "bob@example.org"
#define NUMBER	 "+14155550101"
#define STRANGER "+4930123456"
#define BLOCKED	 "+4930999999"
#define OUTSIDE	 "+14155551234"
#define OURS	 "gw.example.org" /* of an INVITE that names nobody */

static Config *config;
static Store *store;
static Gateway *gateway;
static char *refusal;	   /* what the caller was told last, "reason text" */
static GPtrArray *notices; /* "account: text" */

static void
in_command(FakeLeg *leg, const char *command, const char *what)
{
	if (strcmp(command, "hangup") == 0) {
		g_free(refusal);
		refusal = g_strdup(what);
	}
}

static void
in_notice(const char *account, const Address *number, const char *text)
{
	g_ptr_array_add(notices, g_strdup_printf("%s: %s", account, text));
}

static void
add_user(const char *jid, const char *number)
{
	g_assert_true(store_user_add(store, jid, NULL));
	if (number)
		g_assert_true(store_number_add(store, number, jid, NULL));
}

static void
set_up(const char *limits)
{
	g_autofree char *text = g_strconcat("[gateway]\nplugins=echo\nemergency=refuse\n[xmpp]\n"
					    "domain=gw.example.org\n[limits]\n",
					    limits, NULL);

	gateway = fake_gateway_new(text, &config, &store);
	fake_media.reserved = 0;
	fake_legs.in_command = in_command;
	fake_legs.in_notice = in_notice;
	add_user(ALICE, NUMBER);
	add_user(BOB, "+14155550102");
	add_user("carol@example.org", "+14155550103");
	g_assert_true(store_setting_set(store, ALICE, "blocked", BLOCKED, NULL));
	notices = g_ptr_array_new_with_free_func(g_free);
}

static void
tear_down(void)
{
	core_free(gateway);
	g_assert_cmpuint(fake_legs.legs->len, ==, 0);
	store_close(store);
	config_free(config);
	g_ptr_array_unref(notices);
	g_clear_pointer(&refusal, g_free);
}

/* --- who --- */

typedef enum { BY_TRUNK, BY_CLIENT, BY_PHONE } How;

/* NULL: it goes on. */
static const char *
call(How how, const char *from_text, const char *number)
{
	FakeLeg *leg = fake_leg_new("caller");
	g_autoptr(Address) from = how == BY_TRUNK
					  ? address_new(ADDRESS_NUMBER, from_text, NULL, NULL)
					  : address_from_jid(from_text);
	g_autoptr(Address) to = address_new(ADDRESS_NUMBER, number, NULL, NULL);
	g_autoptr(Desc) offer = fake_desc(TRANSPORT_RTP, "PCMU", DIRECTION_SENDRECV, 1);
	Incoming incoming = { .from = from,
			      .to = to,
			      .offer = offer,
			      .trunk = how == BY_TRUNK ? "carrier" : NULL,
			      .device = how == BY_PHONE ? "desk" : NULL };

	g_clear_pointer(&refusal, g_free);
	call_new(gateway, &leg->leg, how == BY_CLIENT ? &fake_xmpp : &fake_sip, &incoming);
	return refusal;
}

/* --- by what --- */

static void
ignore_done(gpointer user)
{
}

static void
use_lines(void)
{
	g_assert_null(call(BY_CLIENT, "carol@example.org/phone", OUTSIDE));
}

static void
use_alice(void)
{
	g_assert_null(call(BY_CLIENT, ALICE "/phone", OUTSIDE));
}

static void
use_bob(void)
{
	g_assert_null(call(BY_CLIENT, BOB "/phone", OUTSIDE));
}

static void
drain(void)
{
	use_lines();
	calls_drain(gateway, ignore_done, NULL);
}

static void
use_rate(void)
{
	for (guint i = 0; i < 1000 && !call(BY_TRUNK, STRANGER, "+14155550103"); i++)
		;
	g_assert_nonnull(refusal);
	g_ptr_array_set_size(notices, 0);
}

typedef struct {
	const char *what, *limits;
	void (*use_up)(void); /* NULL: its plugin refuses it so: */
	Reason reason;
	const char *words;
} Case;

static const Case LINES = { "all lines in use", "max_calls=1\n", use_lines, REASON_NONE, NULL };
static const Case DRAINING = { "draining", "", drain, REASON_NONE, NULL };
static const Case RATE = { "rate", "max_setup_per_second=2\n", use_rate, REASON_NONE, NULL };
static const Case ALICE_FULL = { "alice at her limit", "max_calls_per_user=1\n", use_alice,
				 REASON_NONE, NULL };
static const Case BOB_FULL = { "bob at his limit", "max_calls_per_user=1\n", use_bob, REASON_NONE,
			       NULL };
static const Case NONSENSE = { "unparsable", "", NULL, REASON_PROTOCOL_ERROR,
			       "Bad Session Description" };
static const Case NOT_HIS = { "another's number", "", NULL, REASON_FORBIDDEN,
			      "the telephone shows a number that is not of the account" };
static const Case UNACKED = { "no ACK", "", NULL, REASON_OVERLOAD,
			      "too many calls wait for the carrier's confirmation" };
static const Case NOBODY = { "nobody is called", "", NULL, REASON_NOT_FOUND,
			     "the INVITE names nobody to call" };
static const Case NOTHING = { "a number of nobody", "", use_bob, REASON_NONE, NULL };

static void
refuse(const Case *by, How how, const char *from_text, const char *called)
{
	g_autoptr(Address) from = how == BY_TRUNK
					  ? address_new(ADDRESS_NUMBER, from_text, NULL, NULL)
					  : address_from_jid(from_text);
	g_autoptr(Address) to = strcmp(called, OURS) == 0
					? address_new(ADDRESS_JID, NULL, OURS, NULL)
					: address_new(ADDRESS_NUMBER, called, NULL, NULL);
	const Incoming incoming = { .from = from,
				    .to = to,
				    .trunk = how == BY_TRUNK ? "carrier" : NULL,
				    .device = how == BY_PHONE ? "desk" : NULL };

	gateway_refused(gateway, &fake_sip, incoming.trunk, &incoming, by->reason, by->words);
}

static const struct {
	const Case *by;
	How how;
	const char *from, *to;
	const char *told;    /* the caller's leg; NULL: the plugin has refused it */
	const char *account; /* the record's; NULL: nobody of ours is known */
	const char *notice;  /* "account: words"; NULL: nobody reads of it */
} ROWS[] = {
	/* a telephone by a carrier, for alice */
	{ &LINES, BY_TRUNK, STRANGER, NUMBER, "overload", ALICE,
	  ALICE ": Missed call from " STRANGER "*none of your phones rang (all lines are in use)" },
	{ &DRAINING, BY_TRUNK, STRANGER, NUMBER, "overload", ALICE,
	  ALICE ": Missed call from " STRANGER
		"*none of your phones rang (the gateway is stopping)" },
	{ &RATE, BY_TRUNK, STRANGER, NUMBER, "overload", ALICE,
	  ALICE ": Missed call from " STRANGER "*(too many calls began at once)" },
	{ &ALICE_FULL, BY_TRUNK, STRANGER, NUMBER, "busy", ALICE,
	  ALICE ": Missed call from " STRANGER "*: your account has as many calls as allowed" },
	{ &NONSENSE, BY_TRUNK, STRANGER, NUMBER, NULL, ALICE,
	  ALICE ": Missed call from " STRANGER "*none of your phones rang (The far end sent" },
	{ &UNACKED, BY_TRUNK, STRANGER, NUMBER, NULL, ALICE,
	  ALICE ": Missed call from " STRANGER "*none of your phones rang (too many calls wait" },
	{ &NOBODY, BY_TRUNK, STRANGER, OURS, NULL, NULL, NULL },
	/* she takes nothing from this one */
	{ &LINES, BY_TRUNK, BLOCKED, NUMBER, "overload", NULL, NULL },
	{ &NONSENSE, BY_TRUNK, BLOCKED, NUMBER, NULL, NULL, NULL },
	/* for nobody */
	{ &LINES, BY_TRUNK, STRANGER, "+14155550199", "overload", NULL, NULL },
	{ &NONSENSE, BY_TRUNK, STRANGER, "+14155550199", NULL, NULL, NULL },
	{ &NOTHING, BY_TRUNK, STRANGER, "+14155550199", "not-found", NULL, NULL },
	/* a user's client, and his telephone */
	{ &LINES, BY_CLIENT, BOB "/gajim", OUTSIDE, "overload", BOB,
	  BOB ": *all lines are in use" },
	{ &DRAINING, BY_CLIENT, BOB "/gajim", OUTSIDE, "overload", BOB, BOB ": *is stopping" },
	{ &BOB_FULL, BY_CLIENT, BOB "/gajim", OUTSIDE, "overload", BOB,
	  BOB ": *your account has as many calls as allowed" },
	{ &LINES, BY_PHONE, BOB, OUTSIDE, "overload", BOB, BOB ": *all lines are in use" },
	{ &DRAINING, BY_PHONE, BOB, OUTSIDE, "overload", BOB, BOB ": *is stopping" },
	{ &BOB_FULL, BY_PHONE, BOB, OUTSIDE, "overload", BOB,
	  BOB ": *your account has as many calls as allowed" },
	{ &NONSENSE, BY_PHONE, BOB, OUTSIDE, NULL, BOB, BOB ": *" },
	{ &NOT_HIS, BY_PHONE, BOB, OUTSIDE, NULL, BOB,
	  BOB ": *a number that is not of the account" },
	{ &NOBODY, BY_PHONE, BOB, OURS, NULL, BOB, BOB ": *names nobody to call" },
	/* who has no account */
	{ &NONSENSE, BY_CLIENT, "mallory@evil.example/x", OUTSIDE, NULL, NULL, NULL },
	{ &NOTHING, BY_CLIENT, "mallory@example.org/x", OUTSIDE, "forbidden", NULL, NULL },
};

static gboolean
matches(const char *pattern, const char *text)
{
	g_auto(GStrv) parts = g_strsplit(pattern, "*", -1);

	if (!g_str_has_prefix(text, parts[0]))
		return FALSE;
	for (char **part = parts; *part; part++) {
		text = strstr(text, *part);
		if (!text)
			return FALSE;
		text += strlen(*part);
	}
	return TRUE;
}

static CallRecord *
last_record(void)
{
	g_autoptr(GPtrArray) rows = NULL;

	store_flush_refusals(store);
	rows = store_call_list(store, 1, NULL);
	g_assert_cmpuint(rows->len, ==, 1);
	return g_ptr_array_steal_index(rows, 0);
}

static void
check_row(guint i)
{
	const char *to = ROWS[i].to;
	g_autoptr(CallRecord) record = NULL;

	g_test_message("%s, from %s to %s", ROWS[i].by->what, ROWS[i].from, to);
	set_up(ROWS[i].by->limits);
	if (ROWS[i].by->use_up)
		ROWS[i].by->use_up();
	if (ROWS[i].told) {
		const char *said = call(ROWS[i].how, ROWS[i].from, to);

		if (!said || !g_str_has_prefix(said, ROWS[i].told))
			g_error("told: %s", said);
	} else {
		refuse(ROWS[i].by, ROWS[i].how, ROWS[i].from, to);
	}
	record = last_record();
	g_assert_cmpstr(record->state, ==, "ENDED");
	g_assert_cmpstr(record->callee, ==, to);
	g_assert_cmpstr(record->trunk, ==, ROWS[i].how == BY_TRUNK ? "carrier" : NULL);
	g_assert_cmpstr(record->user, ==, ROWS[i].account);
	g_assert_cmpuint(notices->len, ==, ROWS[i].notice ? 1 : 0);
	if (ROWS[i].notice && !matches(ROWS[i].notice, notices->pdata[0]))
		g_error("read: %s", (char *)notices->pdata[0]);
	for (guint k = 0; k < notices->len; k++)
		g_test_message("%s", (char *)notices->pdata[k]);
	tear_down();
}

static void
test_rows(void)
{
	for (guint i = 0; i < G_N_ELEMENTS(ROWS); i++)
		check_row(i);
}

/* What one can make who is refused a thousand times. */
static void
test_bounds(void)
{
	static const struct {
		How how;
		const char *from, *to;
	} FLOODS[] = {
		{ BY_TRUNK, STRANGER, NUMBER },
		{ BY_CLIENT, BOB "/gajim", OUTSIDE },
		{ BY_PHONE, BOB, OUTSIDE },
	};

	for (guint i = 0; i < 2 * G_N_ELEMENTS(FLOODS); i++) {
		const guint k = i / 2;
		g_autoptr(GPtrArray) rows = NULL;
		guint counted = 0;

		set_up("max_calls=1\n");
		use_lines();
		for (guint n = 0; n < 1000; n++)
			if (i % 2)
				refuse(&NONSENSE, FLOODS[k].how, FLOODS[k].from, FLOODS[k].to);
			else
				call(FLOODS[k].how, FLOODS[k].from, FLOODS[k].to);
		store_flush_refusals(store);
		rows = store_call_list(store, 5000, NULL);
		for (guint n = 0; n < rows->len; n++)
			counted += ((CallRecord *)rows->pdata[n])->count;
		/* ten and one that counts; a minute may end meanwhile; the one that talks */
		g_assert_cmpuint(rows->len, <=, 2 * (10 + 1) + 1);
		g_assert_cmpuint(counted, >=, 1000);
		/* a client proves nothing to whom its plugin has refused */
		if (i % 2 == 0 || FLOODS[k].how != BY_CLIENT)
			g_assert_cmpuint(notices->len, >, 0);
		g_assert_cmpuint(notices->len, <=, 2 * 10);
		tear_down();
	}
}

/* Each reason says whether it is a failure, and the database, which cannot ask, says the same. */
static void
test_failed(void)
{
	g_autoptr(Store) db = store_open(":memory:", NULL);
	g_auto(Query) query =
		query_new(db, "SELECT sql FROM sqlite_master WHERE name = 'calls_failed'");
	g_autofree char *index = NULL;

	g_assert_cmpint(query_step(&query, NULL), ==, QUERY_ROW);
	index = query_text(&query, 0);
	for (Reason reason = REASON_NONE + 1; reason < N_REASONS; reason++) {
		g_autofree char *quoted = g_strdup_printf("'%s'", reason_name(reason));

		g_test_message("%s", reason_name(reason));
		g_assert_cmpint(reason_is_failure(reason), !=, reason_is_by_person(reason));
		g_assert_cmpint(call_reason_is_fine(reason_name(reason)), ==,
				reason_is_by_person(reason));
		g_assert_cmpint(strstr(index, quoted) != NULL, ==, reason_is_by_person(reason));
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/refused/who-by-what", test_rows);
	g_test_add_func("/refused/bounds", test_bounds);
	g_test_add_func("/refused/failed", test_failed);
	return g_test_run();
}
