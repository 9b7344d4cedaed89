/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-journal.c - whoever writes never waits, what is written is seen at once, and
 * nothing is lost: another process holds the lock, the disk is full, the process dies.
 *
 * A full disk is a limit on the size of files: what has been allocated can be written.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <glib/gstdio.h>
#include "db/journal_private.h"

#define ALICE	"alice@example.org"
#define SOON_MS 10000
#define AT_ONCE (20 * G_TIME_SPAN_MILLISECOND)
#define FULL_AT 65536 /* bytes of a file */
#define FEW	16    /* slots: exactly as many bytes */

/* --- who waits for the disk: SQLite calls these --- */

static __thread guint my_syncs;
static gint all_syncs;

int
fsync(int fd)
{
	my_syncs++;
	g_atomic_int_inc(&all_syncs);
	return (int)syscall(SYS_fsync, fd);
}

int
fdatasync(int fd)
{
	my_syncs++;
	g_atomic_int_inc(&all_syncs);
	return (int)syscall(SYS_fdatasync, fd);
}

/* --- a folder for each test --- */

typedef struct {
	char *folder, *path;
	Store *store;
	Journal *journal;
	Store *other; /* that of another process */
} Rig;

static void
start(Rig *rig, guint slots)
{
	g_autoptr(GError) error = NULL;

	rig->store = store_open(rig->path, &error);
	g_assert_no_error(error);
	rig->journal = journal_start(rig->store, &(JournalOptions){ .slots = slots }, &error);
	g_assert_no_error(error);
}

static void
stop(Rig *rig)
{
	journal_stop(rig->journal);
	store_close(rig->store);
	rig->journal = NULL;
	rig->store = NULL;
}

static void
set_up(Rig *rig, gconstpointer unused)
{
	rig->folder = g_dir_make_tmp("tandem-journal-XXXXXX", NULL);
	rig->path = g_build_filename(rig->folder, "tandem.db", NULL);
	rig->other = store_open(rig->path, NULL);
	g_assert_nonnull(rig->other);
	g_assert_true(store_user_add(rig->other, ALICE, NULL));
	g_assert_true(store_softphone_add(rig->other, "desk", ALICE, "pw", NULL));
	start(rig, FEW);
}

static void
tear_down(Rig *rig, gconstpointer unused)
{
	static const char *const names[] = { "tandem.db", "tandem.db-wal", "tandem.db-shm",
					     "tandem.db-spill" };

	if (rig->store)
		stop(rig);
	store_close(rig->other);
	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(rig->folder, names[i], NULL);

		g_unlink(path);
	}
	g_assert_cmpint(g_rmdir(rig->folder), ==, 0);
	g_free(rig->folder);
	g_free(rig->path);
}

static void
lock(Rig *rig, gboolean held)
{
	g_assert_cmpint(sqlite3_exec(rig->other->db, held ? "BEGIN IMMEDIATE" : "ROLLBACK", NULL,
				     NULL, NULL),
			==, SQLITE_OK);
}

static void
iterate_until(gboolean (*done)(Rig *), Rig *rig)
{
	gint64 until = g_get_monotonic_time() + SOON_MS * 1000;

	while (!done(rig)) {
		g_assert_cmpint(g_get_monotonic_time(), <, until);
		g_main_context_iteration(NULL, FALSE);
		g_usleep(500);
	}
}

static gboolean
is_late(Rig *rig)
{
	g_autofree char *status = journal_status(rig->journal);

	return g_str_has_prefix(status, "late since");
}

static CallRecord *
new_record(const char *state, const char *legs, gsize ladder)
{
	CallRecord *record = g_new0(CallRecord, 1);

	record->state = g_strdup(state);
	record->started_us = g_get_real_time();
	record->caller = g_strdup(ALICE);
	record->legs = g_strdup(legs);
	record->ladder = g_strnfill(ladder, '\n');
	return record;
}

static void
set_state(CallRecord *record, const char *state, gboolean ended)
{
	g_free(record->state);
	record->state = g_strdup(state);
	record->ended_us = ended ? g_get_real_time() : 0;
}

static guint
count_rows(Store *store)
{
	g_autoptr(GPtrArray) rows = store_call_list(store, 1000, NULL);

	return rows->len;
}

/* --- the mailbox --- */

static void
on_mail(gpointer reader, gpointer data)
{
	g_string_append((GString *)reader, data);
}

static gboolean
wakes(const Mailbox *mailbox)
{
	struct pollfd fd = { .fd = mailbox_fd(mailbox), .events = POLLIN };

	return poll(&fd, 1, 0) > 0;
}

static void
assert_mail(Mailbox *mailbox, const char *mail)
{
	g_autoptr(GString) got = g_string_new(NULL);

	mailbox_run(mailbox, got);
	g_assert_cmpstr(got->str, ==, mail);
}

/* What is posted quietly waits for a reader that looks by itself, and for no other. */
static void
test_mailbox(Rig *rig, gconstpointer unused)
{
	Mailbox *mailbox = mailbox_new();

	mailbox_post_quietly(mailbox, on_mail, "a");
	g_assert_true(wakes(mailbox));
	assert_mail(mailbox, "a");
	mailbox_wait(mailbox, 0, TRUE);
	mailbox_post_quietly(mailbox, on_mail, "b");
	g_assert_false(wakes(mailbox));
	mailbox_post(mailbox, on_mail, "c");
	mailbox_post_quietly(mailbox, on_mail, "d");
	g_assert_true(wakes(mailbox));
	assert_mail(mailbox, "bcd");
	g_assert_false(wakes(mailbox));
	mailbox_post_quietly(mailbox, on_mail, "e");
	g_assert_false(wakes(mailbox));
	mailbox_wait(mailbox, -1, FALSE); /* does not sleep beside it */
	assert_mail(mailbox, "e");
	mailbox_post_quietly(mailbox, on_mail, "f");
	g_assert_true(wakes(mailbox));
	assert_mail(mailbox, "f");
	mailbox_free(mailbox);
}

/* --- nobody waits, and all is seen --- */

static void
test_locked(Rig *rig, gconstpointer unused)
{
	g_autoptr(CallRecord) first = new_record("SETUP", "", 0),
			      second = new_record("SETUP", "", 0);
	g_autoptr(CallRecord) seen = NULL, row = NULL;
	g_autoptr(GPtrArray) list = NULL, live = NULL;
	gint64 began = g_get_monotonic_time();

	lock(rig, TRUE);
	g_assert_true(store_call_begin(rig->store, first, NULL));
	g_assert_true(store_call_begin(rig->store, second, NULL));
	set_state(first, "ACTIVE", FALSE);
	g_assert_true(store_call_update(rig->store, first, NULL));
	set_state(second, "ENDED", TRUE);
	g_assert_true(store_call_update(rig->store, second, NULL));
	g_assert_cmpint(g_get_monotonic_time() - began, <, AT_ONCE);
	g_assert_cmpint(second->id, ==, first->id + 1);

	list = store_call_list(rig->store, 20, NULL);
	g_assert_cmpuint(list->len, ==, 2);
	g_assert_cmpint(((CallRecord *)list->pdata[0])->id, ==, second->id);
	live = store_call_list_live(rig->store, NULL);
	g_assert_cmpuint(live->len, ==, 1);
	seen = store_call_get(rig->store, first->id, NULL);
	g_assert_cmpstr(seen->state, ==, "ACTIVE");
	g_assert_cmpuint(count_rows(rig->other), ==, 0);
	iterate_until(is_late, rig);
	g_assert_true(store_keeps_calls(rig->store));

	lock(rig, FALSE);
	g_assert_true(journal_flush(rig->journal, SOON_MS));
	g_assert_false(is_late(rig));
	g_assert_cmpuint(count_rows(rig->other), ==, 2);
	row = store_call_get(rig->other, second->id, NULL);
	g_assert_cmpint(row->ended_us, ==, second->ended_us);
}

/* Whose calls are still live: a second daemon would end them. */
static void
test_second_daemon(Rig *rig, gconstpointer unused)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(CallRecord) record = new_record("ACTIVE", "sip\tleg\n", 0);

	g_assert_true(store_call_begin(rig->store, record, NULL));
	g_assert_null(journal_start(rig->other, &(JournalOptions){ .slots = FEW }, &error));
	g_assert_error(error, STORE_ERROR, STORE_ERROR_IN_USE);
	g_assert_true(journal_flush(rig->journal, SOON_MS));
}

/* Provisioning is refused at once, and its own words say that it may be tried again. */
static void
test_admin_locked(Rig *rig, gconstpointer unused)
{
	g_autoptr(GError) error = NULL;
	gint64 began = g_get_monotonic_time();

	lock(rig, TRUE);
	g_assert_false(store_user_add(rig->store, "bob@example.org", &error));
	g_assert_cmpint(g_get_monotonic_time() - began, <, AT_ONCE);
	g_assert_error(error, STORE_ERROR, STORE_ERROR_BUSY);
	lock(rig, FALSE);
	g_assert_true(store_user_add(rig->store, "bob@example.org", NULL));
}

/* --- registrations --- */

static Contact
make_contact(Rig *rig, const char *uri, const char *instance)
{
	g_autoptr(Softphone) softphone = store_softphone_get(rig->store, "desk", NULL);

	return (Contact){ .softphone = softphone->id,
			  .uri = (char *)uri,
			  .instance = (char *)instance,
			  .received = (char *)"udp:192.0.2.1:5060",
			  .call_id = (char *)"x",
			  .q = 500,
			  .expires = store_now() + 100 };
}

static guint
count_contacts(Store *store)
{
	g_autoptr(GPtrArray) list = store_contact_list_of_user(store, ALICE, NULL);

	g_assert_cmpint(store_contact_count(store, NULL), ==, list->len);
	return list->len;
}

static void
test_registrations(Rig *rig, gconstpointer unused)
{
	Contact one = make_contact(rig, "sip:a@192.0.2.1", NULL);
	Contact two = make_contact(rig, "sip:b@192.0.2.2", "<urn:uuid:1>");
	Contact moved = make_contact(rig, "sip:b@192.0.2.3", "<urn:uuid:1>");
	g_autoptr(GPtrArray) list = NULL, again = NULL;
	g_autoptr(Contact) got = NULL;
	gint64 id;

	/* written before the lock, replaced and refreshed behind it */
	g_assert_true(store_contact_put(rig->store, &two, NULL));
	g_assert_true(journal_flush(rig->journal, SOON_MS));
	lock(rig, TRUE);
	g_assert_true(store_contact_put(rig->store, &one, NULL));
	g_assert_true(store_contact_put(rig->store, &moved, NULL));
	one.cseq = 7;
	g_assert_true(store_contact_put(rig->store, &one, NULL));
	list = store_contact_list_of_softphone(rig->store, one.softphone, NULL);
	g_assert_cmpuint(list->len, ==, 2);
	g_assert_cmpstr(((Contact *)list->pdata[0])->uri, ==, "sip:a@192.0.2.1");
	g_assert_cmpstr(((Contact *)list->pdata[1])->uri, ==, "sip:b@192.0.2.3");
	id = ((Contact *)list->pdata[0])->id;
	got = store_contact_get(rig->store, id, NULL);
	g_assert_cmpuint(got->cseq, ==, 7);
	g_assert_cmpstr(got->username, ==, "desk");
	g_assert_cmpuint(count_contacts(rig->store), ==, 2);
	g_assert_cmpuint(count_contacts(rig->other), ==, 1);
	lock(rig, FALSE);
	g_assert_true(journal_flush(rig->journal, SOON_MS));
	/* the same rows under the same ids */
	again = store_contact_list_of_softphone(rig->other, one.softphone, NULL);
	g_assert_cmpuint(again->len, ==, 2);
	g_assert_cmpint(((Contact *)again->pdata[0])->id, ==, id);

	lock(rig, TRUE);
	g_assert_true(store_contact_del(rig->store, id, NULL));
	g_assert_cmpuint(count_contacts(rig->store), ==, 1);
	lock(rig, FALSE);
	g_assert_true(journal_flush(rig->journal, SOON_MS));
	g_assert_cmpuint(count_contacts(rig->other), ==, 1);
}

/* A registration in the queue does not outlive the password it was made with. */
static void
test_new_password(Rig *rig, gconstpointer unused)
{
	Contact one = make_contact(rig, "sip:a@192.0.2.1", NULL);
	g_autoptr(GError) error = NULL;
	gboolean changed = FALSE;

	for (guint round = 0; round < 20; round++) {
		g_assert_true(store_contact_put(rig->store, &one, NULL));
		for (changed = FALSE; !changed; g_clear_error(&error))
			changed = store_softphone_set_password(rig->store, "desk", "new", &error);
		g_assert_cmpuint(count_contacts(rig->store), ==, 0);
		g_assert_true(journal_flush(rig->journal, SOON_MS));
		g_assert_cmpuint(count_contacts(rig->store), ==, 0);
		g_assert_cmpuint(count_contacts(rig->other), ==, 0);
	}
	/* one that is gone takes nothing else of the queue with it */
	g_assert_true(store_contact_put(rig->store, &one, NULL));
	for (changed = FALSE; !changed; g_clear_error(&error))
		changed = store_softphone_del(rig->store, "desk", &error);
	g_assert_true(store_subscriber_add(rig->store, "+1", ALICE, 10, NULL));
	g_assert_true(journal_flush(rig->journal, SOON_MS));
	g_assert_cmpuint(count_contacts(rig->other), ==, 0);
}

/* --- texts --- */

static guint64
put_text(Rig *rig, gint64 *id)
{
	g_autoptr(TextRecord) record = text_record_new();
	guint64 number;

	record->source = g_strdup(ALICE);
	record->origin = g_strdup("one");
	record->taken = record->written = 1800000000;
	record->direction = g_strdup("out");
	record->sender = g_strdup("+14155550101");
	record->recipient = g_strdup("+14155550199");
	record->peer = g_strdup("n\t+14155550199\t\t\t");
	record->body = g_strdup("Hello");
	record->state = g_strdup(TEXT_QUEUED);
	g_assert_true(store_text_put(rig->store, record, &number, NULL, NULL));
	*id = record->id;
	return number;
}

/* It is written when it is withdrawn: until it has gone it is not found, and its author may
 * write it again. */
static void
test_withdrawn(Rig *rig, gconstpointer unused)
{
	gint64 until = g_get_monotonic_time() + SOON_MS * 1000, first, second;
	guint64 number = put_text(rig, &first);

	while (!store_text_find(rig->other, ALICE, "one")) {
		g_assert_cmpint(g_get_monotonic_time(), <, until);
		g_usleep(500);
	}
	lock(rig, TRUE);
	store_text_withdraw(rig->store, first, number);
	g_assert_cmpint(store_text_find(rig->store, ALICE, "one"), ==, 0);
	put_text(rig, &second);
	lock(rig, FALSE);
	g_assert_true(journal_flush(rig->journal, SOON_MS));
	g_assert_cmpint(second, !=, first);
	g_assert_cmpint(store_text_find(rig->store, ALICE, "one"), ==, second);
}

/* --- the disk --- */

static void
on_durable(gpointer user)
{
	*(gboolean *)user = TRUE;
}

/* The writer synchronises, within 5 s and for who asks at once; nobody else does. */
static void
test_durable(Rig *rig, gconstpointer unused)
{
	gint64 until = g_get_monotonic_time() + 5 * G_USEC_PER_SEC;
	g_autoptr(CallRecord) record = new_record("SETUP", "", 100);
	gboolean durable = FALSE;
	gint before;

	g_assert_true(journal_flush(rig->journal, SOON_MS));
	my_syncs = 0;
	before = g_atomic_int_get(&all_syncs);
	g_assert_true(store_call_begin(rig->store, record, NULL));
	while (g_atomic_int_get(&all_syncs) == before) {
		g_assert_cmpint(g_get_monotonic_time(), <, until);
		g_main_context_iteration(NULL, FALSE);
		g_usleep(1000);
	}
	until = g_get_monotonic_time() + 5 * G_USEC_PER_SEC;
	before = g_atomic_int_get(&all_syncs);
	g_assert_true(store_user_add(rig->store, "bob@example.org", NULL));
	g_assert_true(store_when_durable(rig->store, on_durable, &durable));
	while (!durable) {
		g_assert_cmpint(g_get_monotonic_time(), <, until);
		g_main_context_iteration(NULL, FALSE);
		g_usleep(500);
	}
	g_assert_cmpint(g_atomic_int_get(&all_syncs), >, before);
	g_assert_false(store_when_durable(rig->store, on_durable, &durable));
	g_assert_cmpuint(my_syncs, ==, 0);
}

/* --- death --- */

static void
limit_files(void)
{
	struct rlimit limit = { FULL_AT, FULL_AT };

	signal(SIGXFSZ, SIG_IGN);
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
}

static void
begin_calls(Store *store, CallRecord **records, guint n)
{
	g_autofree char *legs = g_strnfill(600, 'l');

	for (guint i = 0; i < n; i++) {
		records[i] = new_record("SETUP", "sip\tsaved\n", 30000); /* more than fits */
		g_assert_true(store_call_begin(store, records[i], NULL));
		set_state(records[i], "ACTIVE", FALSE);
		g_free(records[i]->legs);
		records[i]->legs = g_strdup_printf("sip\tleg-%u %s\n", i, legs);
		g_assert_true(store_call_update(store, records[i], NULL));
	}
}

/* Dies with four live calls and two that have ended, three of them known to the database
 * when it is locked, none when the disk is full. */
static void
live_and_die(Rig *rig, gboolean full)
{
	CallRecord *records[6];

	if (full)
		limit_files();
	else
		rig->other = store_open(rig->path, NULL);
	start(rig, FEW);
	begin_calls(rig->store, records, 3);
	if (!full) {
		g_assert_true(journal_flush(rig->journal, SOON_MS));
		lock(rig, TRUE);
	}
	begin_calls(rig->store, records + 3, 3);
	for (guint i = 1; i < 6; i += 3) {
		set_state(records[i], "ENDED", TRUE);
		g_assert_true(store_call_update(rig->store, records[i], NULL));
	}
	iterate_until(is_late, rig);
	kill(getpid(), SIGKILL);
}

static gboolean
is_ended(Store *store, gint64 id)
{
	g_autoptr(CallRecord) record = store_call_get(store, id, NULL);

	g_assert_nonnull(record);
	return record->ended_us != 0;
}

static void
check_after_death(Rig *rig)
{
	g_autoptr(GPtrArray) live = NULL;
	g_autoptr(CallRecord) next = new_record("SETUP", "", 0);

	start(rig, FEW);
	live = store_call_list_live(rig->store, NULL);
	g_assert_cmpuint(live->len, ==, 4);
	for (guint i = 0; i < live->len; i++) {
		const CallRecord *record = live->pdata[i];
		g_autofree char *leg = g_strdup_printf("sip\tleg-%d ", (int)((record->id - 1) % 3));

		g_assert_cmpstr(record->state, ==, "ACTIVE");
		g_assert_true(g_str_has_prefix(record->legs, leg));
	}
	g_assert_true(journal_flush(rig->journal, SOON_MS));
	g_assert_cmpuint(count_rows(rig->other), ==, 6);
	for (gint64 id = 1; id <= 6; id++)
		g_assert_true(is_ended(rig->other, id) == (id % 3 == 2));
	g_assert_true(store_call_begin(rig->store, next, NULL));
	g_assert_cmpint(next->id, ==, 7); /* no number is given twice */
	for (guint i = 0; i < live->len; i++) {
		set_state(live->pdata[i], "ENDED", TRUE);
		g_assert_true(store_call_update(rig->store, live->pdata[i], NULL));
	}
	set_state(next, "ENDED", TRUE);
	g_assert_true(store_call_update(rig->store, next, NULL));
	g_assert_true(journal_flush(rig->journal, SOON_MS));
	g_assert_cmpuint(spill_n_used(rig->journal->spill), ==, 0);
	stop(rig);
	start(rig, FEW);
	g_assert_cmpuint(spill_records(rig->journal->spill)->len, ==, 0);
}

static void
die_and_look(Rig *rig, gboolean full)
{
	pid_t pid;
	int status;

	stop(rig);
	store_close(rig->other); /* SQLite's files are not carried across fork() */
	rig->other = NULL;
	pid = fork();
	if (pid == 0)
		live_and_die(rig, full);
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	g_assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	rig->other = store_open(rig->path, NULL);
	check_after_death(rig);
}

static void
test_killed_locked(Rig *rig, gconstpointer unused)
{
	die_and_look(rig, FALSE);
}

/* Nothing of it has reached the database. */
static void
test_killed_full(Rig *rig, gconstpointer unused)
{
	die_and_look(rig, TRUE);
}

/* With the spill file full as well, and not before. */
static void
test_spill_full(Rig *rig, gconstpointer unused)
{
	CallRecord *records[FEW + 2];

	lock(rig, TRUE);
	begin_calls(rig->store, records, FEW);
	iterate_until(is_late, rig);
	g_assert_true(store_keeps_calls(rig->store));
	begin_calls(rig->store, records + FEW, 1);
	g_assert_false(store_keeps_calls(rig->store));
	lock(rig, FALSE);
	g_assert_true(journal_flush(rig->journal, SOON_MS));
	g_assert_true(store_keeps_calls(rig->store));
	for (guint i = 0; i <= FEW; i++) {
		set_state(records[i], "ENDED", TRUE);
		g_assert_true(store_call_update(rig->store, records[i], NULL));
		call_record_free(records[i]);
	}
	g_assert_true(journal_flush(rig->journal, SOON_MS));
	g_assert_cmpuint(spill_n_used(rig->journal->spill), ==, 0);
	g_assert_cmpuint(count_rows(rig->other), ==, FEW + 1);
}

/* --- the file by itself --- */

static void
test_spill_slots(Rig *rig, gconstpointer unused)
{
	g_autofree char *path = g_strconcat(rig->path, "-spill", NULL), *image = NULL;
	g_autofree char *long_legs = g_strnfill(9000, 'L');
	g_autoptr(CallRecord) small = new_record("ACTIVE", "legs", 10000);
	g_autoptr(CallRecord) large = new_record("ACTIVE", long_legs, 10000);
	g_autoptr(GPtrArray) all = NULL;
	const CallRecord *read;
	Spill *spill;
	gsize length;

	stop(rig);
	g_unlink(path);
	g_assert_null(spill_open(path, NULL));
	g_assert_true(spill_allocate(path, FEW, NULL));
	spill = spill_open(path, NULL);
	small->id = 5;
	large->id = 6;
	for (guint round = 0; round < 50; round++) { /* in place, and to other slots */
		g_assert_true(spill_put(spill, small));
		g_assert_true(spill_put(spill, large));
		g_assert_cmpuint(spill_n_used(spill), ==, 1 + 3);
	}
	spill_close(spill);
	g_assert_true(g_file_get_contents(path, &image, &length, NULL));
	g_assert_cmpuint(length, ==, FEW * SPILL_SLOT);
	all = spill_decode_all((guint8 *)image, length);
	g_assert_cmpuint(all->len, ==, 2);
	read = all->pdata[0];
	g_assert_cmpstr(read->legs, ==, "legs");
	g_assert_cmpuint(strlen(read->ladder), <, SPILL_SLOT); /* what there was room for */
	g_assert_cmpuint(strlen(read->ladder), >, 3000);
	g_assert_cmpstr(((CallRecord *)all->pdata[1])->legs, ==, long_legs);
	/* a bit anywhere in a slot: its record is gone, and no other */
	for (gsize at = 0; at < length; at += 211) {
		g_autoptr(GPtrArray) rest = NULL;

		image[at] ^= 4;
		rest = spill_decode_all((guint8 *)image, length);
		g_assert_cmpuint(rest->len, >=, 1);
		image[at] ^= 4;
	}
	spill = spill_open(path, NULL);
	g_assert_cmpint(spill_highest(spill), ==, 6);
	spill_drop(spill, 6);
	spill_drop(spill, 5);
	g_assert_cmpuint(spill_n_used(spill), ==, 0);
	spill_close(spill);
	spill = spill_open(path, NULL);
	g_assert_cmpuint(spill_records(spill)->len, ==, 0);
	g_assert_cmpint(spill_highest(spill), ==, 6);
	spill_close(spill);
}

/* --- refusals, and what is old --- */

static void
refuse(Store *store, const char *who, const char *reason)
{
	g_autoptr(CallRecord) record = new_record("ENDED", "", 0);

	g_free(record->caller);
	record->caller = g_strdup(who);
	record->ended_us = record->started_us;
	record->reason = g_strdup(reason);
	g_assert_true(store_call_refused(store, record, who, NULL));
}

static guint
refusals_of(Store *store, const char *who, guint *counted)
{
	g_autoptr(GPtrArray) rows = store_call_list(store, 10000, NULL);
	guint n = 0;

	*counted = 0;
	for (guint i = 0; i < rows->len; i++) {
		const CallRecord *record = rows->pdata[i];

		if (strcmp(record->caller, who) != 0)
			continue;
		n++;
		*counted += record->count;
	}
	return n;
}

static void
test_refusals(Rig *rig, gconstpointer unused)
{
	guint counted;

	for (guint i = 0; i < 500; i++) {
		refuse(rig->store, "flood", i % 2 ? "overload" : "forbidden");
		if (i % 100 == 0)
			refuse(rig->store, "quiet", "overload");
	}
	g_assert_true(journal_flush(rig->journal, SOON_MS));
	/* a minute may have ended meanwhile */
	g_assert_cmpuint(refusals_of(rig->other, "flood", &counted), <=, 2 * (10 + 2));
	g_assert_cmpuint(counted, ==, 500);
	g_assert_cmpuint(refusals_of(rig->other, "quiet", &counted), ==, 5);
	for (guint i = 0; i < 5000; i++) {
		g_autofree char *who = g_strdup_printf("stranger%u", i);

		refuse(rig->store, who, "forbidden");
	}
	g_assert_true(journal_flush(rig->journal, SOON_MS));
	g_assert_cmpuint(count_rows(rig->other), <, 1000 + 1);
	refusals_of(rig->other, "others", &counted);
	g_assert_cmpuint(counted, >, 0);
}

static gint64
days_ago(gint64 days)
{
	return g_get_real_time() - days * G_TIME_SPAN_DAY;
}

static guint
rows_where(Store *store, const char *sql)
{
	g_auto(Query) query = query_new(store, sql);

	g_assert_cmpint(query_step(&query, NULL), ==, QUERY_ROW);
	return (guint)query_int(&query, 0);
}

static void
test_prune(Rig *rig, gconstpointer unused)
{
	gint64 until = g_get_monotonic_time() + SOON_MS * 1000;
	JournalOptions options = { .keep_days = 100, .keep_ladder_days = 10 };

	stop(rig);
	g_assert_true(store_begin(rig->other, NULL));
	for (guint i = 0; i < 1000; i++) {
		g_autoptr(CallRecord) record = new_record(i == 7 ? "ACTIVE" : "ENDED", "", 100);

		record->started_us = days_ago(i < 300 ? 200 : i < 600 ? 20 : 1);
		record->ended_us = i == 7 ? 0 : record->started_us;
		g_assert_true(store_call_begin(rig->other, record, NULL));
	}
	for (guint days = 6; days <= 8; days += 2) {
		const CallLoss loss = { days_ago(days) / G_USEC_PER_SEC, 200 };

		g_assert_true(store_loss_add(rig->other, "alice@example.org",
					     days == 6 ? "new" : "old", &loss, NULL));
	}
	g_assert_true(store_commit(rig->other, NULL));
	rig->store = store_open(rig->path, NULL);
	rig->journal = journal_start(rig->store, &options, NULL);
	while (rows_where(rig->other, "SELECT count(*) FROM device_loss") != 1 ||
	       rows_where(rig->other, "SELECT count(*) FROM calls") != 701 ||
	       rows_where(rig->other, "SELECT count(*) FROM calls WHERE ladder <> ''") != 401) {
		g_assert_cmpint(g_get_monotonic_time(), <, until);
		g_usleep(20000);
	}
	stop(rig);
}

/* The clock is a year ahead at the start: what it takes for old is not. */
static void
test_clock_ahead(Rig *rig, gconstpointer unused)
{
	JournalOptions options = { .keep_days = 100, .hold_seconds = 2 };
	gint64 until = g_get_monotonic_time() + SOON_MS * 1000;
	g_autofree char *status = NULL;

	stop(rig);
	for (guint i = 0; i < 10; i++) {
		g_autoptr(CallRecord) record = new_record("ENDED", "", 100);

		record->started_us = record->ended_us = days_ago(365 + 10 - i);
		g_assert_true(store_call_begin(rig->other, record, NULL));
	}
	rig->store = store_open(rig->path, NULL);
	rig->journal = journal_start(rig->store, &options, NULL);
	while (!rig->journal->held_until) {
		g_assert_cmpint(g_get_monotonic_time(), <, until);
		g_main_context_iteration(NULL, FALSE);
	}
	status = journal_status(rig->journal);
	g_assert_nonnull(strstr(status, "the clock has jumped"));
	g_assert_cmpuint(rows_where(rig->other, "SELECT count(*) FROM calls"), ==, 10);
	g_assert_cmpuint(rows_where(rig->other, "SELECT count(*) FROM prune_clock"), ==, 0);
	/* it has been so for long enough */
	while (rows_where(rig->other, "SELECT count(*) FROM calls") > 0) {
		g_assert_cmpint(g_get_monotonic_time(), <, until);
		g_main_context_iteration(NULL, FALSE);
		g_usleep(20000);
	}
	g_assert_cmpuint(rows_where(rig->other, "SELECT count(*) FROM prune_clock"), ==, 1);
	stop(rig);
}

#define RIG(name, func) g_test_add("/journal/" name, Rig, NULL, set_up, func, tear_down)

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
	RIG("mailbox", test_mailbox);
	RIG("locked", test_locked);
	RIG("second-daemon", test_second_daemon);
	RIG("admin-locked", test_admin_locked);
	RIG("registrations", test_registrations);
	RIG("new-password", test_new_password);
	RIG("withdrawn", test_withdrawn);
	RIG("durable", test_durable);
	RIG("killed-locked", test_killed_locked);
	RIG("killed-full", test_killed_full);
	RIG("spill-full", test_spill_full);
	RIG("spill-slots", test_spill_slots);
	RIG("refusals", test_refusals);
	RIG("prune", test_prune);
	RIG("clock-ahead", test_clock_ahead);
	return g_test_run();
}
