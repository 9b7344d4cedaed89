/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-text.c - texts: written before they are acknowledged and before they are sent, once,
 * in order, by the right ways, across restarts; and who is told what.
 *
 * The network is a plugin of the test: it keeps what it is told to send, and says what the
 * test wants it to say.
 */
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <glib/gstdio.h>
#include "b2bua/call/core.h"
#include "b2bua/setting.h"
#include "b2bua/text.h"
#include "b2bua/text/texts.h"
#include "b2bua/timer.h"
#include "db/journal.h"
#include "db/store_private.h"
#include "db/store_texts.h"

#define ANNA	"anna@example.org"
#define BERT	"bert@example.org"
#define CLIENT	"anna@example.org/phone"
#define SOON_US (20 * G_USEC_PER_SEC)

/* --- the clock: the gateway calls this --- */

static _Atomic gint64 ahead_us;

gint64
g_get_monotonic_time(void)
{
	struct timespec now;

	g_assert_cmpint(clock_gettime(CLOCK_MONOTONIC, &now), ==, 0);
	return (gint64)now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000 + ahead_us;
}

/* --- the network --- */

typedef struct {
	gint64 id;
	char *line;
} Sent;

typedef enum { HOLD, SENT, DELIVERED } Manner;

static Gateway *gateway;
static GPtrArray *sent; /* Sent * */
static Manner manner;
static guint room;

static void
free_sent(gpointer data)
{
	g_free(((Sent *)data)->line);
	g_free(data);
}

static const char *
word_of(const Address *address)
{
	return address->user ? address->user : "anonymous";
}

/* "message contact desk +1555→desk: Hello (again) (receipt)" */
static char *
line_of(const Text *text)
{
	static const char *const kinds[] = { "message", "copy", "receipt", "error" };
	const char *way = text->way.kind == WAY_TRUNK	  ? text->way.trunk
			  : text->way.kind == WAY_CONTACT ? "phone"
							  : "clients";

	return g_strdup_printf(
		"%s by %s of %s%s%s, %s to %s%s%s: %s%s%s", kinds[text->kind], way, text->account,
		text->device ? " " : "", text->device ? text->device : "", word_of(text->from),
		word_of(text->to), text->about ? " about " : "", text->about ? text->about : "",
		text->body ? text->body : "", text->repeated ? " (repeated)" : "",
		text->receipt ? " (receipt)" : "");
}

static void
send_text(const Text *text)
{
	Sent *one = g_new0(Sent, 1);

	g_assert_cmpint(text->id, >, 0);
	g_assert_true(text->body || text->kind == TEXT_RECEIPT);
	one->id = text->id;
	one->line = line_of(text);
	g_ptr_array_add(sent, one);
	if (manner == SENT)
		text_sent(gateway, one->id);
	if (manner == DELIVERED)
		text_delivered(gateway, one->id);
}

static guint
room_of(const Way *way, const char *device)
{
	g_assert_cmpint(device != NULL, ==, way->kind == WAY_CONTACT);
	return way->kind == WAY_TRUNK ? room : 0;
}

static gboolean
start_plugin(Gateway *where, GError **error)
{
	return TRUE;
}

static void
stop_plugin(void)
{
}

static const TextVerbs text_verbs = { .carries = WAY_ACCOUNT | WAY_CONTACT | WAY_TRUNK,
				      .room = room_of,
				      .send = send_text };
static const Plugin network = { .interface_version = PLUGIN_INTERFACE_VERSION,
				.name = "net",
				.start = start_plugin,
				.stop = stop_plugin,
				.text = &text_verbs };

/* --- the gateway, with a database of its own --- */

typedef struct {
	char *folder, *path;
	Config *config;
	Store *store, *other; /* that of another process */
	Journal *journal;
} Rig;

static void
start(Rig *rig)
{
	g_autoptr(GError) error = NULL;

	rig->store = store_open(rig->path, &error);
	g_assert_no_error(error);
	rig->journal = journal_start(rig->store, &(JournalOptions){ 0 }, &error);
	g_assert_no_error(error);
	gateway = core_new(rig->config, rig->store, NULL);
	g_assert_true(gateway_add_plugin(gateway, &network, NULL));
	texts_recover(gateway);
}

static void
stop(Rig *rig)
{
	core_free(gateway);
	journal_stop(rig->journal);
	store_close(rig->store);
	rig->store = NULL;
}

static void
add_trunk(Store *store, const char *name, gint priority, const char *text)
{
	g_autoptr(Trunk) trunk = trunk_new(name, "192.0.2.50");

	trunk->priority = priority;
	g_free(trunk->text);
	trunk->text = g_strdup(text);
	g_assert_true(store_trunk_add(store, trunk, NULL));
}

static void
set_up(Rig *rig, gconstpointer unused)
{
	static const char CONFIG[] = "[gateway]\nplugins=net\n[xmpp]\ndomain=gw.example.org\n"
				     "[sip]\ndomain=sip.example.org\n[guard]\ncountries=any\n";
	g_autoptr(GError) error = NULL;

	sent = g_ptr_array_new_with_free_func(free_sent);
	manner = HOLD;
	room = 0;
	rig->config = config_from_text(CONFIG, "test", &error);
	g_assert_no_error(error);
	rig->folder = g_dir_make_tmp("tandem-text-XXXXXX", NULL);
	rig->path = g_build_filename(rig->folder, "tandem.db", NULL);
	rig->other = store_open(rig->path, &error);
	g_assert_no_error(error);
	g_assert_true(store_user_add(rig->other, ANNA, NULL));
	g_assert_true(store_user_add(rig->other, BERT, NULL));
	g_assert_true(store_user_add(rig->other, "carl@example.org", NULL));
	g_assert_true(store_number_add(rig->other, "+15550001", ANNA, NULL));
	g_assert_true(store_number_add(rig->other, "+15550002", BERT, NULL));
	g_assert_true(store_softphone_add(rig->other, "desk", ANNA, "pw", NULL));
	add_trunk(rig->other, "plain", 1, "none");
	add_trunk(rig->other, "first", 10, "message");
	add_trunk(rig->other, "second", 20, "message");
	start(rig);
}

static void
tear_down(Rig *rig, gconstpointer unused)
{
	static const char *const names[] = { "tandem.db", "tandem.db-wal", "tandem.db-shm",
					     "tandem.db-spill" };

	if (rig->store)
		stop(rig);
	store_close(rig->other);
	config_free(rig->config);
	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(rig->folder, names[i], NULL);

		g_unlink(path);
	}
	g_assert_cmpint(g_rmdir(rig->folder), ==, 0);
	g_free(rig->folder);
	g_free(rig->path);
	g_ptr_array_unref(sent);
}

static void
flush(Rig *rig)
{
	g_assert_true(journal_flush(rig->journal, 10000));
	while (g_main_context_iteration(NULL, FALSE))
		;
}

/* --- writing, and what is answered --- */

typedef struct {
	guint n;
	TextAnswer answer;
	Reason reason;
	char *words;
} Answer;

static void
on_answer(gpointer user, TextAnswer what, Reason reason, const char *words)
{
	Answer *answer = user;

	answer->n++;
	answer->answer = what;
	answer->reason = reason;
	g_free(answer->words);
	answer->words = g_strdup(words);
}

static Address *
address(const char *text)
{
	if (strcmp(text, "anonymous") == 0)
		return address_new(ADDRESS_ANONYMOUS, NULL, NULL, NULL);
	return strchr(text, '@') ? address_from_jid(text)
				 : address_new(ADDRESS_NUMBER, text, NULL, NULL);
}

typedef struct {
	const char *trunk, *account, *device, *from, *to, *origin, *body;
	gboolean receipt;
	gint64 written;
	const char *near; /* NULL: none */
} Note;

static void
put(const Note *note, Answer *answer)
{
	g_autoptr(Address) from = address(note->from ? note->from : ANNA);
	g_autoptr(Address) to = address(note->to);
	const char *const near[] = { note->near, NULL };
	TextIn text = { .from = from,
			.to = to,
			.near = near,
			.written = note->written,
			.trunk = note->trunk,
			.account = note->account,
			.device = note->device,
			.origin = note->origin,
			.body = note->body ? note->body : "Hello",
			.receipt = note->receipt };

	text_new(gateway, &network, &text, on_answer, answer);
}

static void
iterate_until(const guint *number, guint at_least)
{
	gint64 until = g_get_monotonic_time() + SOON_US;

	while (*number < at_least) {
		g_assert_cmpint(g_get_monotonic_time(), <, until);
		g_main_context_iteration(NULL, FALSE);
		g_usleep(500);
	}
}

/* "taken", "later", "reason: words" */
static char *
answer_text(Answer *answer)
{
	char *text = answer->answer == TEXT_TAKEN ? g_strdup("taken")
		     : answer->answer == TEXT_LATER
			     ? g_strdup("later")
			     : g_strdup_printf("%s: %s", reason_name(answer->reason),
					       answer->words ? answer->words : "");

	g_clear_pointer(&answer->words, g_free);
	return text;
}

static char *
ask(const Note *note)
{
	Answer answer = { 0 };

	put(note, &answer);
	iterate_until(&answer.n, 1);
	g_assert_cmpuint(answer.n, ==, 1);
	return answer_text(&answer);
}

/* On a slow disk its author may have to try again. */
static void
assert_answer(const Note *note, const char *expected)
{
	g_autofree char *got = ask(note);

	for (guint i = 0; i < 10 && strcmp(got, expected) != 0 && strcmp(got, "later") == 0; i++) {
		g_free(got);
		got = ask(note);
	}
	g_assert_cmpstr(got, ==, expected);
}

static void
assert_sent(guint i, const char *line)
{
	iterate_until(&sent->len, i + 1);
	g_assert_cmpstr(((const Sent *)sent->pdata[i])->line, ==, line);
}

static gint64
id_of(guint i)
{
	return ((const Sent *)sent->pdata[i])->id;
}

/* The n-th, from 1; those that were taken away again do not count. */
static TextRecord *
text_at(Rig *rig, guint n)
{
	TextFilter all = { 0 };
	gint64 before = G_MAXINT64;
	g_autoptr(GPtrArray) page = store_text_search(rig->store, &all, &before, NULL);

	g_assert_cmpuint(page->len, >=, n);
	return store_text_get(rig->store, ((const TextRecord *)page->pdata[page->len - n])->id);
}

/* "DELIVERED", or "FAILED gone (the trunk was deleted)" */
static void
assert_state(Rig *rig, guint text, const char *expected)
{
	g_autoptr(TextRecord) record = NULL;
	g_autofree char *got = NULL;

	flush(rig);
	record = text_at(rig, text);
	got = !record	       ? g_strdup("none")
	      : record->reason ? g_strdup_printf("%s %s (%s)", record->state, record->reason,
						 record->words ? record->words : "")
			       : g_strdup(record->state);
	g_assert_cmpstr(got, ==, expected);
}

static guint
n_texts(Rig *rig)
{
	TextFilter all = { 0 };
	gint64 before = G_MAXINT64;
	g_autoptr(GPtrArray) page = NULL;

	flush(rig);
	page = store_text_search(rig->store, &all, &before, NULL);
	g_assert_cmpint(before, ==, 0);
	return page->len;
}

static const Note from_trunk = {
	.trunk = "first", .from = "+4930111", .to = "+15550001", .origin = "one"
};
static const Note to_trunk = {
	.account = ANNA, .device = CLIENT, .to = "+49301234567@gw.example.org", .origin = "out-1"
};

/* --- sent again under the name of another hour --- */

static void
test_near(Rig *rig, gconstpointer unused)
{
	const gint64 begin = g_get_real_time() / G_USEC_PER_SEC - 5 * TEXT_NEAR_SECONDS;
	static const struct {
		gint64 after; /* the first, in s */
		const char *origin, *near;
		guint texts; /* that there are then */
	} rows[] = {
		{ 0, "8", "7", 1 },	{ 0, "8", "7", 1 },	{ 1800, "9", "8", 1 },
		{ 3600, "9", "8", 1 },	{ 3601, "9", "8", 2 },	{ 3700, "9", "8", 2 },
		{ 7201, "10", "9", 2 }, { 7202, "10", "9", 3 }, { 100, "x", "9", 3 },
		{ 0, "y", "10", 4 },
	};
	Note note = to_trunk;
	Answer first = { 0 }, second = { 0 };

	manner = SENT;
	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		note.origin = rows[i].origin;
		note.near = rows[i].near;
		note.written = begin + rows[i].after;
		assert_answer(&note, "taken");
		g_assert_cmpuint(n_texts(rig), ==, rows[i].texts);
	}
	/* while the first is being written */
	note = to_trunk;
	put(&note, &first);
	note.near = note.origin;
	note.origin = "out-2";
	put(&note, &second);
	iterate_until(&first.n, 1);
	iterate_until(&second.n, 1);
	g_assert_cmpuint(n_texts(rig), ==, 5);
	flush(rig);
	g_assert_cmpuint(sent->len, ==, 5);
}

/* --- ways --- */

static void
test_in(Rig *rig, gconstpointer unused)
{
	assert_answer(&from_trunk, "taken");
	assert_sent(0, "message by clients of anna@example.org, +4930111 to anna: Hello");
	assert_sent(1, "message by phone of anna@example.org desk, +4930111 to desk: Hello");
	assert_state(rig, 1, TEXT_QUEUED);
	text_sent(gateway, id_of(0));
	assert_state(rig, 1, TEXT_SENT);
	text_failed(gateway, id_of(1), FALSE, REASON_DECLINED, "no thanks");
	assert_state(rig, 1, TEXT_SENT);
	text_delivered(gateway, id_of(0));
	assert_state(rig, 1, TEXT_DELIVERED);
	g_assert_cmpuint(sent->len, ==, 2); /* the carrier is told nothing */
	g_assert_cmpuint(texts_waiting(gateway), ==, 0);
}

static void
test_out(Rig *rig, gconstpointer unused)
{
	Note note = to_trunk;

	note.receipt = TRUE;
	assert_answer(&note, "taken");
	assert_sent(0, "message by first of anna@example.org, +15550001 to +49301234567: Hello "
		       "(receipt)");
	text_sent(gateway, id_of(0));
	assert_state(rig, 1, TEXT_SENT);
	text_delivered(gateway, id_of(0));
	text_delivered(gateway, id_of(0)); /* from another of its devices */
	assert_sent(1, "receipt by clients of anna@example.org anna@example.org/phone, "
		       "+49301234567 to anna about out-1: ");
	assert_state(rig, 1, TEXT_DELIVERED);
	g_assert_cmpuint(sent->len, ==, 2);
}

/* A trunk's 200 is one word, and the next text of the conversation goes. */
static void
test_out_at_once(Rig *rig, gconstpointer unused)
{
	Note next = to_trunk;

	next.origin = "out-2";
	assert_answer(&to_trunk, "taken");
	assert_answer(&next, "taken");
	assert_sent(0, "message by first of anna@example.org, +15550001 to +49301234567: Hello");
	g_assert_cmpuint(sent->len, ==, 1);
	text_delivered(gateway, id_of(0));
	assert_state(rig, 1, TEXT_DELIVERED);
	assert_sent(1, "message by first of anna@example.org, +15550001 to +49301234567: Hello");
}

static void
test_out_fails(Rig *rig, gconstpointer unused)
{
	assert_answer(&to_trunk, "taken");
	assert_sent(0, "message by first of anna@example.org, +15550001 to +49301234567: Hello");
	text_failed(gateway, id_of(0), FALSE, REASON_NOT_FOUND, "no such number");
	assert_sent(1, "error by clients of anna@example.org anna@example.org/phone, "
		       "+49301234567 to anna about out-1: not delivered: no such number");
	assert_state(rig, 1, "FAILED not-found (no such number)");
	text_delivered(gateway, id_of(0)); /* too late: its author was told */
	assert_state(rig, 1, "FAILED not-found (no such number)");
}

static void
test_softphone_writes(Rig *rig, gconstpointer unused)
{
	const Note note = {
		.account = ANNA, .device = "desk", .to = "+49301234567", .origin = "phone-1"
	};

	assert_answer(&note, "taken");
	assert_sent(0, "message by first of anna@example.org, +15550001 to +49301234567: Hello");
	assert_sent(1, "copy by clients of anna@example.org desk, +49301234567 to anna: Hello");
	text_failed(gateway, id_of(1), FALSE, REASON_DECLINED, NULL); /* no matter */
	assert_state(rig, 1, TEXT_QUEUED);
	text_failed(gateway, id_of(0), FALSE, REASON_BUSY, "not now");
	assert_sent(2, "error by phone of anna@example.org desk, +49301234567 to desk about "
		       "phone-1: not delivered: not now");
}

static void
test_internal(Rig *rig, gconstpointer unused)
{
	const Note note = { .account = BERT,
			    .device = "bert@example.org/x",
			    .to = "+15550001@gw.example.org",
			    .origin = "b" };

	assert_answer(&note, "taken");
	assert_sent(0, "message by clients of anna@example.org, +15550002 to anna: Hello");
	assert_sent(1, "message by phone of anna@example.org desk, +15550002 to desk: Hello");
	text_failed(gateway, id_of(0), FALSE, REASON_DECLINED, "bounced");
	assert_state(rig, 1, TEXT_QUEUED); /* the softphone may come */
	text_sent(gateway, id_of(1));
	assert_state(rig, 1, TEXT_SENT);
}

static void
test_parts(Rig *rig, gconstpointer unused)
{
	g_autofree char *body = g_strnfill(70, 'a');
	g_autofree char *two = g_strconcat(body, " ", body, " end", NULL);
	g_autofree char *first = NULL;
	Note note = to_trunk;

	room = 100;
	note.body = two;
	assert_answer(&note, "taken");
	first = g_strdup_printf("message by first of anna@example.org, +15550001 to "
				"+49301234567: %s",
				body);
	assert_sent(0, first);
	flush(rig);
	g_assert_cmpuint(sent->len, ==, 1); /* one at a time */
	text_sent(gateway, id_of(0));
	iterate_until(&sent->len, 2);
	assert_state(rig, 1, TEXT_QUEUED);
	text_failed(gateway, id_of(1), FALSE, REASON_GONE, "gone");
	assert_state(rig, 1, "FAILED gone (gone)");
}

/* An emoji of several characters is not cut, where it is not all there is. */
static void
test_parts_of_emoji(Rig *rig, gconstpointer unused)
{
	static const char *const ones[] = {
		"\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7", /* joined */
		"\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd",		/* with a skin */
		"\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa",		/* a flag */
		"e\xcc\x81",					/* an accent */
	};

	manner = SENT;
	room = 100;
	for (guint i = 0; i < G_N_ELEMENTS(ones); i++) {
		guint before = sent->len, fill = 101 - (guint)strlen(ones[i]);
		g_autofree char *some = g_strnfill(fill, 'a');
		g_autofree char *body = g_strconcat(some, ones[i], "b", NULL);
		g_autofree char *second = g_strconcat(": ", ones[i], "b", NULL);
		g_autofree char *name = g_strdup_printf("emoji %u", i);
		Note note = to_trunk;

		note.body = body;
		note.origin = name;
		assert_answer(&note, "taken");
		iterate_until(&sent->len, before + 2);
		g_assert_true(g_str_has_suffix(((Sent *)sent->pdata[before + 1])->line, second));
	}
}

/* --- once --- */

static void
test_repeats(Rig *rig, gconstpointer unused)
{
	Answer first = { 0 }, second = { 0 };
	Note other = from_trunk;

	do {
		first.n = second.n = 0;
		put(&from_trunk, &first);
		put(&from_trunk, &second); /* while the first is written */
		g_assert_cmpuint(first.n + second.n, ==, 0);
		iterate_until(&second.n, 1);
		g_assert_cmpuint(first.n, ==, 1);
		g_assert_cmpint(first.answer, ==, second.answer);
	} while (first.answer == TEXT_LATER); /* a slow disk */
	g_assert_cmpint(first.answer, ==, TEXT_TAKEN);
	assert_answer(&from_trunk, "taken");
	g_assert_cmpuint(n_texts(rig), ==, 1);
	other.trunk = "second"; /* another carrier's name for another text */
	assert_answer(&other, "taken");
	g_assert_cmpuint(n_texts(rig), ==, 2);
	stop(rig);
	start(rig);
	assert_answer(&from_trunk, "taken");
	g_assert_cmpuint(n_texts(rig), ==, 2);
}

static void
lock(Rig *rig, gboolean held)
{
	g_assert_cmpint(sqlite3_exec(rig->other->db, held ? "BEGIN IMMEDIATE" : "ROLLBACK", NULL,
				     NULL, NULL),
			==, SQLITE_OK);
}

/* Nobody is told "taken" before it is written; after 2 s the author is told to try again, and
 * that text never goes. */
static void
test_late(Rig *rig, gconstpointer unused)
{
	gint64 begun = g_get_monotonic_time();

	lock(rig, TRUE);
	assert_answer(&from_trunk, "later");
	g_assert_cmpint(g_get_monotonic_time() - begun, >=, 2 * G_USEC_PER_SEC);
	g_assert_cmpint(g_get_monotonic_time() - begun, <, 4 * G_USEC_PER_SEC);
	lock(rig, FALSE);
	g_assert_cmpuint(n_texts(rig), ==, 0);
	g_assert_cmpuint(sent->len, ==, 0);
	g_assert_cmpuint(texts_waiting(gateway), ==, 0);
	assert_answer(&from_trunk, "taken");
	iterate_until(&sent->len, 2);
	g_assert_cmpuint(n_texts(rig), ==, 1);
	stop(rig);
	start(rig);
	g_assert_cmpuint(n_texts(rig), ==, 1);
}

static void
limit_files(rlim_t bytes)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &limit), ==, 0);
	limit.rlim_cur = bytes;
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
}

static void
test_disk_full(Rig *rig, gconstpointer unused)
{
	g_autofree char *wal = g_strconcat(rig->path, "-wal", NULL);
	struct stat file;

	assert_answer(&to_trunk, "taken"); /* there is a log */
	iterate_until(&sent->len, 1);
	flush(rig);
	g_assert_cmpint(stat(wal, &file), ==, 0);
	limit_files((rlim_t)file.st_size);
	assert_answer(&from_trunk, "later");
	g_assert_cmpuint(sent->len, ==, 1);
	limit_files(RLIM_INFINITY);
	g_assert_cmpuint(n_texts(rig), ==, 1);
	assert_answer(&from_trunk, "taken");
	iterate_until(&sent->len, 3);
	g_assert_cmpuint(n_texts(rig), ==, 2);
}

/* Another process holds the lock while a text waits to be marked: it is not sent before. */
static void
test_marked_first(Rig *rig, gconstpointer unused)
{
	Note note = to_trunk;

	assert_answer(&note, "taken");
	note.origin = note.body = "next";
	assert_answer(&note, "taken");
	iterate_until(&sent->len, 1);
	flush(rig);
	lock(rig, TRUE);
	text_sent(gateway, id_of(0));
	g_assert_false(journal_flush(rig->journal, 300));
	while (g_main_context_iteration(NULL, FALSE))
		;
	g_assert_cmpuint(sent->len, ==, 1);
	lock(rig, FALSE);
	assert_sent(1, "message by first of anna@example.org, +15550001 to +49301234567: next");
}

/* --- states and events --- */

typedef enum { BY_SENT, BY_DELIVERED, BY_AGAIN, BY_FAILED, N_EVENTS } Event;

static void
happens(Event event, gint64 id)
{
	switch (event) {
	case BY_SENT:
		text_sent(gateway, id);
		return;
	case BY_DELIVERED:
		text_delivered(gateway, id);
		return;
	case BY_AGAIN:
		text_failed(gateway, id, TRUE, REASON_TIMEOUT, NULL);
		return;
	default:
		text_failed(gateway, id, FALSE, REASON_GONE, "gone");
	}
}

/* Each event in each state, also twice: no state is left again but by coming back. */
static void
test_states(Rig *rig, gconstpointer unused)
{
#define GONE "FAILED gone (gone)"
	static const struct {
		guint n;
		Event before[2];
		const char *after[N_EVENTS];
	} ROWS[] = {
		{ 0, { 0 }, { TEXT_SENT, TEXT_DELIVERED, TEXT_QUEUED, GONE } },
		{ 1, { BY_AGAIN }, { TEXT_SENT, TEXT_DELIVERED, TEXT_QUEUED, GONE } },
		{ 1, { BY_SENT }, { TEXT_SENT, TEXT_DELIVERED, TEXT_QUEUED, GONE } },
		{ 2, { BY_SENT, BY_AGAIN }, { TEXT_SENT, TEXT_DELIVERED, TEXT_QUEUED, GONE } },
		{ 1,
		  { BY_DELIVERED },
		  { TEXT_DELIVERED, TEXT_DELIVERED, TEXT_DELIVERED, TEXT_DELIVERED } },
		{ 1, { BY_FAILED }, { GONE, GONE, GONE, GONE } },
	};
#undef GONE
	guint text = 0;

	for (guint i = 0; i < G_N_ELEMENTS(ROWS); i++)
		for (guint event = 0; event < N_EVENTS; event++) {
			g_autofree char *number =
				g_strdup_printf("+4930%07u@gw.example.org", i * N_EVENTS + event);
			guint before = sent->len, k;
			Note note = { .trunk = "first",
				      .from = "+4930111",
				      .to = "+15550002",
				      .origin = number };
			gint64 id;

			note.from = number; /* a conversation of its own */
			assert_answer(&note, "taken");
			iterate_until(&sent->len, before + 1);
			id = id_of(before);
			text++;
			for (k = 0; k < ROWS[i].n; k++)
				happens(ROWS[i].before[k], id);
			happens(event, id);
			assert_state(rig, text, ROWS[i].after[event]);
			happens(event, id);
			assert_state(rig, text, ROWS[i].after[event]);
			text_failed(gateway, id, FALSE, REASON_GONE, NULL); /* not tried again */
		}
}

/* What is said of no text of ours is no matter. */
static void
test_unknown_ids(Rig *rig, gconstpointer unused)
{
	static const gint64 ids[] = { G_MININT64, -1, 0, 1, G_MAXINT64 };

	for (guint i = 0; i < G_N_ELEMENTS(ids); i++)
		for (Event event = 0; event < N_EVENTS; event++)
			happens(event, ids[i]);
	text_way_is_up(gateway, WAY_CONTACT, "nobody");
	text_way_is_up(gateway, WAY_URI, NULL);
	flush(rig);
	g_assert_cmpuint(sent->len, ==, 0);
}

/* --- order, and another try --- */

static void
test_order(Rig *rig, gconstpointer unused)
{
	Note note = to_trunk;
	static const char *const bodies[] = { "1", "2", "3" };

	for (guint i = 0; i < G_N_ELEMENTS(bodies); i++) {
		note.origin = note.body = bodies[i];
		assert_answer(&note, "taken");
	}
	note.to = "+49309999999@gw.example.org"; /* waits for nobody */
	note.origin = note.body = "4";
	assert_answer(&note, "taken");
	iterate_until(&sent->len, 2);
	flush(rig);
	g_assert_cmpuint(sent->len, ==, 2);
	assert_sent(0, "message by first of anna@example.org, +15550001 to +49301234567: 1");
	assert_sent(1, "message by first of anna@example.org, +15550001 to +49309999999: 4");
	text_failed(gateway, id_of(0), TRUE, REASON_TIMEOUT, NULL);
	g_assert_cmpuint(sent->len, ==, 2);
	text_way_is_up(gateway, WAY_TRUNK, "second");
	g_assert_cmpuint(sent->len, ==, 2);
	text_way_is_up(gateway, WAY_TRUNK, "first");
	assert_sent(2, "message by first of anna@example.org, +15550001 to +49301234567: 1 "
		       "(repeated)");
	g_assert_cmpint(id_of(0), ==, id_of(2));
	manner = SENT;
	text_sent(gateway, id_of(2));
	assert_sent(3, "message by first of anna@example.org, +15550001 to +49301234567: 2");
	assert_sent(4, "message by first of anna@example.org, +15550001 to +49301234567: 3");
	assert_state(rig, 3, TEXT_SENT);
}

/* By itself after 2 s, give or take a quarter. */
static void
test_back_off(Rig *rig, gconstpointer unused)
{
	gint64 failed;

	assert_answer(&to_trunk, "taken");
	iterate_until(&sent->len, 1);
	text_failed(gateway, id_of(0), TRUE, REASON_TIMEOUT, NULL);
	failed = g_get_monotonic_time();
	iterate_until(&sent->len, 2);
	g_assert_cmpint(g_get_monotonic_time() - failed, >=, G_USEC_PER_SEC * 3 / 2);
}

/* One that was sent comes back. */
static void
test_comes_back(Rig *rig, gconstpointer unused)
{
	assert_answer(&to_trunk, "taken");
	iterate_until(&sent->len, 1);
	text_sent(gateway, id_of(0));
	assert_state(rig, 1, TEXT_SENT);
	text_failed(gateway, id_of(0), TRUE, REASON_TIMEOUT, NULL);
	assert_sent(1, "message by first of anna@example.org, +15550001 to +49301234567: Hello "
		       "(repeated)");
	assert_state(rig, 1, TEXT_QUEUED);
	text_failed(gateway, id_of(1), FALSE, REASON_GONE, "gone");
	assert_state(rig, 1, "FAILED gone (gone)");
}

/* Not at once: who sends it back may do so all day.  The older it is the longer it waits. */
static void
test_comes_back_slowly(Rig *rig, gconstpointer unused)
{
	gint64 back;

	assert_answer(&to_trunk, "taken");
	iterate_until(&sent->len, 1);
	text_sent(gateway, id_of(0));
	flush(rig);
	text_failed(gateway, id_of(0), TRUE, REASON_TIMEOUT, NULL);
	back = g_get_monotonic_time();
	iterate_until(&sent->len, 2);
	g_assert_cmpint(g_get_monotonic_time() - back, >=, G_USEC_PER_SEC * 3 / 2);
	text_sent(gateway, id_of(1));
	flush(rig);
	g_assert_true(
		store_execute(rig->other, "UPDATE text_deliveries SET made = made - 40", NULL));
	text_failed(gateway, id_of(1), TRUE, REASON_TIMEOUT, NULL);
	for (back = g_get_monotonic_time(); g_get_monotonic_time() - back < 3 * G_USEC_PER_SEC;
	     g_usleep(500))
		g_main_context_iteration(NULL, FALSE);
	g_assert_cmpuint(sent->len, ==, 2);
	text_way_is_up(gateway, WAY_TRUNK, "first");
	assert_sent(2, "message by first of anna@example.org, +15550001 to +49301234567: Hello "
		       "(repeated)");
}

/* While the next is on its way: behind it, in their order, and not before a wait. */
static void
test_several_come_back(Rig *rig, gconstpointer unused)
{
	static const char *const bodies[] = { "1", "2", "3" };
	Note note = to_trunk;
	gint64 left;

	for (guint i = 0; i < G_N_ELEMENTS(bodies); i++) {
		note.origin = note.body = bodies[i];
		assert_answer(&note, "taken");
		iterate_until(&sent->len, i + 1);
		if (i < 2)
			text_sent(gateway, id_of(i));
		flush(rig);
	}
	text_failed(gateway, id_of(0), TRUE, REASON_TIMEOUT, NULL);
	text_failed(gateway, id_of(1), TRUE, REASON_TIMEOUT, NULL);
	manner = SENT;
	text_sent(gateway, id_of(2));
	left = g_get_monotonic_time();
	assert_sent(3, "message by first of anna@example.org, +15550001 to +49301234567: 1 "
		       "(repeated)");
	g_assert_cmpint(g_get_monotonic_time() - left, >=, G_USEC_PER_SEC * 3 / 2);
	g_assert_cmpuint(sent->len, ==, 5); /* with no wait of its own */
	assert_sent(4, "message by first of anna@example.org, +15550001 to +49301234567: 2 "
		       "(repeated)");
	flush(rig);
	g_assert_cmpuint(sent->len, ==, 5);
}

static void
do_nothing(gpointer unused)
{
}

/* A plugin that never says what has become of some keeps no others from going. */
static void
test_silent(Rig *rig, gconstpointer unused)
{
	Note note = from_trunk;
	Timer *turn = NULL;

	g_assert_true(store_softphone_add(rig->other, "far", BERT, "pw", NULL));
	note.to = "+15550002";
	for (guint i = 0; i < 5; i++) { /* four at a time to a softphone, and each to clients */
		g_autofree char *from = g_strdup_printf("+4930%u", i);

		note.from = note.origin = from;
		assert_answer(&note, "taken");
		flush(rig);
	}
	g_assert_cmpuint(sent->len, ==, 9);
	for (guint i = 0; i < 9; i++)
		if (strstr(((const Sent *)sent->pdata[i])->line, "by clients"))
			text_sent(gateway, id_of(i));
	timer_set(&turn, 0, do_nothing, NULL);
	ahead_us = 601 * G_USEC_PER_SEC;
	while (turn)
		g_main_context_iteration(NULL, FALSE);
	flush(rig);
	ahead_us = 0;
	assert_sent(9, "message by phone of bert@example.org far, +49304 to far: Hello");
	g_assert_cmpuint(sent->len, ==, 10);
}

/* --- restarts --- */

static void
test_restart(Rig *rig, gconstpointer unused)
{
	Note note = to_trunk;

	assert_answer(&note, "taken");
	note.origin = note.body = "next";
	assert_answer(&note, "taken");
	iterate_until(&sent->len, 1);
	flush(rig);
	stop(rig);
	start(rig);
	/* the first was with the plugin, the second was not */
	assert_sent(1, "message by first of anna@example.org, +15550001 to +49301234567: Hello "
		       "(repeated)");
	text_sent(gateway, id_of(1));
	assert_sent(2, "message by first of anna@example.org, +15550001 to +49301234567: next");
	text_sent(gateway, id_of(2));
	flush(rig);
	stop(rig);
	start(rig);
	flush(rig);
	g_assert_cmpuint(sent->len, ==, 3);
	text_delivered(gateway, id_of(2)); /* after the restart */
	assert_state(rig, 2, TEXT_DELIVERED);
	assert_state(rig, 1, TEXT_SENT);
}

/* --- killed --- */

static void
die(void)
{
	kill(getpid(), SIGKILL);
}

static void
killed(Rig *rig, void (*live)(void))
{
	pid_t child;
	int status;

	stop(rig);
	child = fork();
	g_assert_cmpint(child, >=, 0);
	if (child == 0) {
		start(rig);
		live();
		_exit(1);
	}
	g_assert_cmpint(waitpid(child, &status, 0), ==, child);
	g_assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	start(rig);
}

static void
die_taken(gpointer user, TextAnswer answer, Reason reason, const char *words)
{
	if (answer == TEXT_TAKEN)
		die();
	*(gboolean *)user = TRUE; /* a slow disk */
}

static void
live_until_taken(void)
{
	g_autoptr(Address) from = address(ANNA), to = address(to_trunk.to);
	TextIn text = { .from = from,
			.to = to,
			.account = ANNA,
			.device = CLIENT,
			.origin = to_trunk.origin,
			.body = "Hello" };

	while (TRUE) {
		gboolean later = FALSE;

		text_new(gateway, &network, &text, die_taken, &later);
		while (!later)
			g_main_context_iteration(NULL, TRUE);
	}
}

/* Who was told that it is taken finds it taken, and it goes, once. */
static void
test_killed_taken(Rig *rig, gconstpointer unused)
{
	killed(rig, live_until_taken);
	assert_answer(&to_trunk, "taken");
	assert_sent(0, "message by first of anna@example.org, +15550001 to +49301234567: Hello "
		       "(repeated)");
	flush(rig);
	g_assert_cmpuint(sent->len, ==, 1);
	g_assert_cmpuint(n_texts(rig), ==, 1);
}

static void
live_until_second(void)
{
	Note note = to_trunk;

	assert_answer(&note, "taken");
	note.origin = note.body = "second";
	assert_answer(&note, "taken");
	note.origin = note.body = "third";
	assert_answer(&note, "taken");
	iterate_until(&sent->len, 1);
	text_sent(gateway, id_of(0));
	iterate_until(&sent->len, 2);
	die();
}

/* One repeat of a conversation: that the first was sent is written before the second goes. */
static void
test_killed_between(Rig *rig, gconstpointer unused)
{
	killed(rig, live_until_second);
	assert_sent(0, "message by first of anna@example.org, +15550001 to +49301234567: second "
		       "(repeated)");
	text_sent(gateway, id_of(0));
	assert_sent(1, "message by first of anna@example.org, +15550001 to +49301234567: third");
	assert_state(rig, 1, TEXT_SENT);
}

/* Its author learns of it all the same. */
static void
test_error_across_restart(Rig *rig, gconstpointer unused)
{
	assert_answer(&to_trunk, "taken");
	iterate_until(&sent->len, 1);
	text_failed(gateway, id_of(0), FALSE, REASON_GONE, "gone");
	stop(rig);
	start(rig);
	assert_sent(sent->len > 1 ? sent->len - 1 : 1,
		    "error by clients of anna@example.org anna@example.org/phone, +49301234567 "
		    "to anna about out-1: not delivered: gone (repeated)");
}

/* With a text on its way. */
static void
stop_for_a_day(Rig *rig)
{
	assert_answer(&to_trunk, "taken");
	iterate_until(&sent->len, 1);
	flush(rig);
	stop(rig);
	g_assert_true(
		store_execute(rig->other, "UPDATE text_deliveries SET made = made - 86401", NULL));
}

static void
assert_day_is_over(Rig *rig)
{
	assert_sent(1, "error by clients of anna@example.org anna@example.org/phone, "
		       "+49301234567 to anna about out-1: not delivered: it could not be "
		       "delivered for a day");
	assert_state(rig, 1, "FAILED timeout (it could not be delivered for a day)");
}

static void
test_day_is_over(Rig *rig, gconstpointer unused)
{
	stop_for_a_day(rig);
	start(rig);
	assert_day_is_over(rig);
}

/* Nothing is forgotten that could not be read at that moment. */
static void
test_day_is_over_unread(Rig *rig, gconstpointer unused)
{
	stop_for_a_day(rig);
	g_assert_true(store_execute(rig->other, "ALTER TABLE texts RENAME TO gone", NULL));
	start(rig);
	g_assert_true(store_execute(rig->other, "ALTER TABLE gone RENAME TO texts", NULL));
	assert_day_is_over(rig);
}

static void
test_way_is_deleted(Rig *rig, gconstpointer unused)
{
	assert_answer(&to_trunk, "taken");
	iterate_until(&sent->len, 1);
	text_failed(gateway, id_of(0), TRUE, REASON_TIMEOUT, NULL);
	g_assert_true(store_trunk_del(rig->other, "first", NULL));
	text_way_is_up(gateway, WAY_TRUNK, "first");
	assert_sent(1, "error by clients of anna@example.org anna@example.org/phone, "
		       "+49301234567 to anna about out-1: not delivered: the trunk was deleted");
	assert_state(rig, 1, "FAILED gone (the trunk was deleted)");
}

/* --- who may --- */

static void
rule(Rig *rig, const char *target, gboolean allowed, const char *text)
{
	RouteRule one = { .target = (char *)target, .allowed = allowed, .text = (char *)text };

	g_assert_true(store_route_put(rig->other, &one, NULL));
}

static void
setting(Rig *rig, Setting key, const char *value)
{
	g_assert_true(store_setting_set(rig->other, ANNA, setting_name(key), value, NULL));
}

static void
test_refusals(Rig *rig, gconstpointer unused)
{
	static const struct {
		Note note;
		const char *answer;
	} ROWS[] = {
		{ { .account = ANNA, .to = "112@gw.example.org" },
		  "forbidden: texts do not reach emergency services: call instead" },
		{ { .account = ANNA, .to = "+112@gw.example.org" },
		  "forbidden: texts do not reach emergency services: call instead" },
		{ { .account = "dora@example.org", .to = "+4930123456@gw.example.org" },
		  "forbidden: you have no account here" },
		{ { .account = "carl@example.org", .to = "+4930123456@gw.example.org" },
		  "forbidden: your account has no number to write from" },
		{ { .to = "+4930123456@gw.example.org" }, "forbidden: you have no account here" },
		{ { .account = ANNA, .to = "somebody@gw.example.org" },
		  "not-found: not a telephone number" },
		{ { .account = ANNA, .to = "+4990012345678@gw.example.org" },
		  "forbidden: texts to such numbers are not allowed here" },
		{ { .account = ANNA, .to = "+33123456789@gw.example.org" },
		  "forbidden: texts to such numbers are not allowed here" },
		{ { .account = ANNA, .to = "+33223456789@gw.example.org" },
		  "forbidden: texts to such numbers are not allowed here" },
		{ { .account = ANNA, .to = "+4930123456@gw.example.org", .body = " \n" },
		  "protocol-error: the text is empty" },
		{ { .account = ANNA, .to = "+4930123456@gw.example.org", .body = "\xff" },
		  "protocol-error: the text is not UTF-8" },
		{ { .trunk = "plain", .from = "+4930111", .to = "+15550001" },
		  "forbidden: no texts are taken from this trunk" },
		{ { .trunk = "nobody", .from = "+4930111", .to = "+15550001" },
		  "forbidden: no such trunk" },
		{ { .trunk = "first", .from = "+4930111", .to = "+15559999" }, "not-found: " },
	};

	rule(rig, "+331", FALSE, "");
	rule(rig, "+332", TRUE, "refuse");
	for (guint i = 0; i < G_N_ELEMENTS(ROWS); i++) {
		Note note = ROWS[i].note;

		note.origin = "x";
		assert_answer(&note, ROWS[i].answer);
	}
	g_assert_cmpuint(n_texts(rig), ==, 0);
	g_assert_cmpuint(sent->len, ==, 0);
}

static void
test_allowed(Rig *rig, gconstpointer unused)
{
	static const char *const numbers[] = { "33733", "1234567", "+4990012345678",
					       "+33123456789" };

	rule(rig, "+331", FALSE, "allow");
	rule(rig, "33733", FALSE, "");
	rule(rig, "premium", FALSE, "allow");
	for (guint i = 0; i < G_N_ELEMENTS(numbers); i++) {
		g_autofree char *to = g_strconcat(numbers[i], "@gw.example.org", NULL);
		Note note = to_trunk;

		note.to = to;
		note.origin = numbers[i];
		g_test_message("%s", to);
		assert_answer(&note, "taken");
	}
	iterate_until(&sent->len, 4);
}

static void
test_too_long(Rig *rig, gconstpointer unused)
{
	g_autofree char *most = g_strnfill(TEXT_MAX_BYTES, 'a');
	g_autofree char *more = g_strnfill(TEXT_MAX_BYTES + 1, 'a');
	Note note = to_trunk;

	note.body = more;
	assert_answer(&note, "forbidden: the text is too long: 8192 bytes are the most");
	note.body = most;
	assert_answer(&note, "taken");
}

static void
test_no_trunk_carries(Rig *rig, gconstpointer unused)
{
	g_assert_true(store_trunk_del(rig->other, "first", NULL));
	g_assert_true(store_trunk_del(rig->other, "second", NULL));
	assert_answer(&to_trunk,
		      "forbidden: no telephone network here carries texts to that number");
}

/* Taken, and never seen: he learns less than by a call. */
static void
test_blocked(Rig *rig, gconstpointer unused)
{
	Note note = from_trunk;

	setting(rig, SETTING_BLOCKED, "+4930111 GOOGLE");
	setting(rig, SETTING_BLOCK_ANONYMOUS, "yes");
	assert_answer(&note, "taken");
	note.from = "anonymous";
	note.origin = "two";
	assert_answer(&note, "taken");
	note.from = "+4930112";
	note.origin = "three";
	assert_answer(&note, "taken");
	note.from = "google@carrier.example";
	note.origin = "four";
	assert_answer(&note, "taken");
	iterate_until(&sent->len, 2);
	flush(rig);
	g_assert_cmpuint(sent->len, ==, 2);
	assert_state(rig, 4, "FAILED declined (the addressee blocks this sender, who is not told)");
	assert_state(rig, 1, "FAILED declined (the addressee blocks this sender, who is not told)");
	assert_state(rig, 3, TEXT_QUEUED);
}

static void
test_rates(Rig *rig, gconstpointer unused)
{
	Note note = to_trunk;
	guint taken = 0;

	manner = SENT;
	for (guint i = 0; i < 21; i++) {
		g_autofree char *origin = g_strdup_printf("%u", i), *got = NULL;

		note.origin = origin;
		got = ask(&note);
		if (strcmp(got, "taken") == 0)
			taken++;
		else
			g_assert_cmpstr(got, ==,
					"overload: these are too many texts: wait a minute before "
					"the next");
	}
	/* a minute may have ended meanwhile */
	g_assert_cmpuint(taken, >=, 20);
	note.account = BERT; /* it is another's limit */
	note.origin = "bert";
	note.device = "bert@example.org/x";
	assert_answer(&note, "taken");
}

/* An account is erased: nobody gets what waits, who has written it is told, and no row is left. */
static void
test_abandoned(Rig *rig, gconstpointer unused)
{
	const Note his = { .account = BERT,
			   .device = BERT "/x",
			   .from = BERT,
			   .to = "+15550001@gw.example.org",
			   .origin = "his",
			   .body = "hello Anna" };
	gboolean told = FALSE;
	guint before_error;
	gint n;

	assert_answer(&to_trunk, "taken");
	assert_answer(&his, "taken");
	iterate_until(&sent->len, 2);
	before_error = sent->len;
	do {
		gint64 before = G_MAXINT64;

		for (n = 0; before != 0;)
			n += texts_abandon(gateway, ANNA, &before, NULL);
		flush(rig);
	} while (n > 0);
	assert_state(rig, 1, "FAILED gone (the account was deleted)");
	assert_state(rig, 2, "FAILED gone (the account was deleted)");
	iterate_until(&sent->len, before_error + 2);
	for (guint i = before_error; i < sent->len; i++)
		told = told || g_str_has_prefix(((const Sent *)sent->pdata[i])->line,
						"error by clients of " BERT);
	g_assert_true(told);
	while ((n = store_erase_texts(rig->store, ANNA, 1, NULL)) > 0)
		;
	g_assert_cmpint(n, ==, 0);
	g_assert_cmpuint(n_texts(rig), ==, 0);
	for (guint i = 0; i < sent->len; i++) /* the network comes too late with it */
		text_sent(gateway, ((const Sent *)sent->pdata[i])->id);
	flush(rig);
	g_assert_cmpuint(n_texts(rig), ==, 0);
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(Rig *, gconstpointer);
	} TESTS[] = {
		{ "/text/near", test_near },
		{ "/text/in", test_in },
		{ "/text/out", test_out },
		{ "/text/out-at-once", test_out_at_once },
		{ "/text/out-fails", test_out_fails },
		{ "/text/softphone-writes", test_softphone_writes },
		{ "/text/internal", test_internal },
		{ "/text/parts", test_parts },
		{ "/text/parts-of-emoji", test_parts_of_emoji },
		{ "/text/repeats", test_repeats },
		{ "/text/late", test_late },
		{ "/text/disk-full", test_disk_full },
		{ "/text/marked-first", test_marked_first },
		{ "/text/states", test_states },
		{ "/text/unknown-ids", test_unknown_ids },
		{ "/text/killed-taken", test_killed_taken },
		{ "/text/killed-between", test_killed_between },
		{ "/text/order", test_order },
		{ "/text/back-off", test_back_off },
		{ "/text/comes-back", test_comes_back },
		{ "/text/comes-back-slowly", test_comes_back_slowly },
		{ "/text/several-come-back", test_several_come_back },
		{ "/text/silent", test_silent },
		{ "/text/restart", test_restart },
		{ "/text/error-across-restart", test_error_across_restart },
		{ "/text/day-is-over", test_day_is_over },
		{ "/text/day-is-over-unread", test_day_is_over_unread },
		{ "/text/way-is-deleted", test_way_is_deleted },
		{ "/text/refusals", test_refusals },
		{ "/text/allowed", test_allowed },
		{ "/text/too-long", test_too_long },
		{ "/text/no-trunk-carries", test_no_trunk_carries },
		{ "/text/blocked", test_blocked },
		{ "/text/rates", test_rates },
		{ "/text/abandoned", test_abandoned },
	};

	g_test_init(&argc, &argv, NULL);
	g_log_set_always_fatal(G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
	for (guint i = 0; i < G_N_ELEMENTS(TESTS); i++)
		g_test_add(TESTS[i].name, Rig, NULL, set_up, TESTS[i].run, tear_down);
	return g_test_run();
}
