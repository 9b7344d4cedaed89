/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* store.c - opening and migrating the file.
 *
 * What the tables hold is in the store_*.c and in call_rows.c and contact_rows.c; query.c has
 * statements and transactions.
 *
 * Durability: in WAL mode with synchronous=NORMAL a commit survives the death
 * of this process at any instant.  A power cut may take the last commits since
 * the latest synchronisation (in the daemon 5 s at most, journal_writer.c); what an
 * admin provisions is therefore written with synchronous=FULL, one fsync each, and
 * takes what was committed before along; in the daemon the journal's thread does it.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <glib/gstdio.h>
#include "db/store_private.h"

#define APPLICATION_ID	     0x74616e64 /* "tand", in the file's header */
#define BUSY_TIMEOUT_MS	     5000	/* another process writes for milliseconds */
#define AUTOCHECKPOINT_PAGES 8000	/* 32 MB: only when no journal checkpoints */

/* --- opening --- */

/* Ours, or empty; and not from the future. */
static gboolean
check_file(Store *store, int target, int *version, GError **error)
{
	gint64 application, user_version, n_tables;

	if (!store_pragma(store, "PRAGMA application_id", &application, error) ||
	    !store_pragma(store, "PRAGMA user_version", &user_version, error) ||
	    !store_pragma(store, "SELECT count(*) FROM sqlite_schema", &n_tables, error))
		return FALSE;
	if (application != APPLICATION_ID && (n_tables > 0 || user_version != 0)) {
		g_set_error(error, STORE_ERROR, STORE_ERROR_FAILED,
			    "database %s belongs to another program: name another file",
			    store->path);
		return FALSE;
	}
	if (user_version > target) {
		g_set_error(
			error, STORE_ERROR, STORE_ERROR_TOO_NEW,
			"database %s was written by a later version of tandem (its schema is %d, "
			"this version knows %d): install that version, or restore a backup",
			store->path, (int)user_version, target);
		return FALSE;
	}
	*version = (int)user_version;
	return TRUE;
}

static gboolean
apply_migrations(Store *store, int version, int target, GError **error)
{
	g_autofree char *done = g_strdup_printf("PRAGMA user_version=%d; PRAGMA application_id=%d",
						target, APPLICATION_ID);

	for (; version < target; version++) {
		if (store_execute(store, store_migrations[version], error))
			continue;
		g_prefix_error(error, "migration %04d: ", version + 1);
		return FALSE;
	}
	return store_execute(store, done, error);
}

/* What an upgrade has turned into a newer form cannot be read by the version before. */
static gboolean
keep_copy(Store *store, int version, int target, GError **error)
{
	g_autofree char *copy = g_strdup_printf("%s.schema-%d", store->path, version);

	if (version == 0 || store->path[0] == ':')
		return TRUE;
	if (!store_backup(store->path, copy, error)) {
		g_prefix_error(error, "before the upgrade from schema %d to %d: ", version, target);
		return FALSE;
	}
	g_message("database %s: upgraded from schema %d to %d; the file as it was is kept as %s",
		  store->path, version, target, copy);
	return TRUE;
}

/* --- the columns of trunk_key.h that no migration has made --- */

static gboolean
has_column(Store *store, const char *column, gboolean *has, GError **error)
{
	g_auto(Query) query = query_new(
		store, "SELECT count(*) FROM pragma_table_info('trunks') WHERE name = ?1");

	query_bind_text(&query, column);
	if (query_step(&query, error) != QUERY_ROW)
		return FALSE;
	*has = query_int(&query, 0) > 0;
	return TRUE;
}

/* An earlier version takes the file all the same: each of its rows has the default. */
static gboolean
add_column(Store *store, const TrunkKey *key, GError **error)
{
	g_autofree char *sql = NULL;

	if (!key->fallback)
		sql = g_strdup_printf("ALTER TABLE trunks ADD COLUMN %s TEXT", key->column);
	else if (key->kind == TRUNK_TEXT)
		sql = g_strdup_printf("ALTER TABLE trunks ADD COLUMN %s TEXT NOT NULL DEFAULT '%s'",
				      key->column,
				      key->fallback); /* of a table of ours: no quote is in it */
	else
		sql = g_strdup_printf(
			"ALTER TABLE trunks ADD COLUMN %s INTEGER NOT NULL DEFAULT %s", key->column,
			key->kind != TRUNK_YES		    ? key->fallback
			: strcmp(key->fallback, "yes") == 0 ? "1"
							    : "0");
	return store_execute(store, sql, error);
}

/* `add` FALSE: only says whether one is missing. */
static gboolean
look_at_columns(Store *store, gboolean add, gboolean *missing, GError **error)
{
	const TrunkKey *keys;
	gboolean has;
	guint n;

	*missing = FALSE;
	keys = trunk_keys(&n);
	for (guint i = 0; i < n; i++) {
		if (!has_column(store, keys[i].column, &has, error))
			return FALSE;
		*missing |= !has;
		if (!has && add && !add_column(store, &keys[i], error))
			return FALSE;
	}
	return TRUE;
}

/* Another process may have added them while we waited: they are looked at again inside. */
static gboolean
add_columns(Store *store, GError **error)
{
	gboolean missing;

	if (!look_at_columns(store, FALSE, &missing, error))
		return FALSE;
	return !missing ||
	       (store_begin(store, error) &&
		store_settle(store, look_at_columns(store, TRUE, &missing, error), error));
}

/* All steps or none.  The version is read again inside: another process may
 * have migrated while we waited. */
static gboolean
migrate(Store *store, int target, GError **error)
{
	int version;

	if (!check_file(store, target, &version, error))
		return FALSE;
	if (version == target)
		return TRUE;
	if (!keep_copy(store, version, target, error) || !store_begin(store, error))
		return FALSE;
	if (!check_file(store, target, &version, error) ||
	    !apply_migrations(store, version, target, error)) {
		store_rollback(store);
		return FALSE;
	}
	return store_commit(store, error);
}

/* Trunk passwords are in it: nothing for others.  SQLite gives its -wal and -shm
 * the same mode and owner.  When root provisions before the first start of the
 * daemon, the owner of the folder (the daemon's user) gets the file. */
static gboolean
create_file(const char *path, GError **error)
{
	g_autofree char *folder = NULL;
	struct stat owner;
	int fd;

	if (path[0] == ':' || g_file_test(path, G_FILE_TEST_EXISTS))
		return TRUE;
	fd = g_open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0660);
	if (fd < 0 && errno == EEXIST)
		return TRUE;
	if (fd < 0) {
		g_set_error(error, STORE_ERROR, STORE_ERROR_FAILED,
			    "database %s cannot be created: %s; its folder must exist and be "
			    "writable for this user",
			    path, g_strerror(errno));
		return FALSE;
	}
	folder = g_path_get_dirname(path);
	if (geteuid() == 0 && stat(folder, &owner) == 0 &&
	    fchown(fd, owner.st_uid, owner.st_gid) < 0)
		g_warning("database %s: cannot be given to the owner of its folder: %s", path,
			  g_strerror(errno));
	close(fd);
	return TRUE;
}

static gboolean
connect_file(Store *store, GError **error)
{
	if (sqlite3_open_v2(store->path, &store->db,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
				    SQLITE_OPEN_EXRESCODE,
			    NULL) != SQLITE_OK) {
		store_set_error(store, error);
		return FALSE;
	}
	sqlite3_busy_timeout(store->db, BUSY_TIMEOUT_MS);
	/* a file from elsewhere must not run code of its schema's */
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	return TRUE;
}

/* The busy handler does not cover two processes that both turn a new file to
 * WAL: one of them is told BUSY at once. */
static gboolean
use_wal(Store *store, GError **error)
{
	gint64 deadline = g_get_monotonic_time() + BUSY_TIMEOUT_MS * G_TIME_SPAN_MILLISECOND;

	while (sqlite3_exec(store->db, "PRAGMA journal_mode=WAL", NULL, NULL, NULL) != SQLITE_OK) {
		if ((sqlite3_errcode(store->db) & 0xff) != SQLITE_BUSY ||
		    g_get_monotonic_time() > deadline) {
			store_set_error(store, error);
			return FALSE;
		}
		g_usleep(2000);
	}
	return TRUE;
}

static void
on_forget(gpointer statement)
{
	sqlite3_finalize(statement);
}

Store *
store_open_version(const char *path, int version, GError **error)
{
	g_autoptr(Store) store = g_new0(Store, 1);

	store->path = g_strdup(path);
	store->statements = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, on_forget);
	if (!create_file(path, error) || !connect_file(store, error) || !use_wal(store, error) ||
	    !store_execute(store, "PRAGMA synchronous=NORMAL", error) ||
	    !store_execute(store, "PRAGMA foreign_keys=ON", error) ||
	    /* A record is written and forgotten: pages kept for it are wasted. */
	    !store_execute(store, "PRAGMA cache_size=-256", error) ||
	    !store_execute(store, "PRAGMA wal_autocheckpoint=" G_STRINGIFY(AUTOCHECKPOINT_PAGES),
			   error) ||
	    !migrate(store, version, error) ||
	    /* the tests of migrations stop before the table of keys is right */
	    (version == store_n_migrations && !add_columns(store, error)))
		return NULL;
	return g_steal_pointer(&store);
}

gboolean
store_peek(const char *path, GError **error)
{
	Store store = { .path = (char *)path };
	int version;
	gboolean good;

	store.statements = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, on_forget);
	good = connect_file(&store, error) &&
	       check_file(&store, store_n_migrations, &version, error);
	g_hash_table_unref(store.statements);
	sqlite3_close(store.db);
	g_free(store.failure);
	return good;
}

Store *
store_open(const char *path, GError **error)
{
	return store_open_version(path, store_n_migrations, error);
}

void
store_close(Store *store)
{
	if (!store)
		return;
	store_flush_late(store);
	g_hash_table_unref(store->statements);
	sqlite3_close(store->db);
	if (store->refusals)
		store->free_refusals(store->refusals);
	g_free(store->path);
	g_free(store->failure);
	g_free(store);
}

int
store_schema_version(Store *store)
{
	gint64 version;

	return store_pragma(store, "PRAGMA user_version", &version, NULL) ? (int)version : -1;
}

/* Frames that a reader still needs stay in the WAL: they are as safe there once it
 * is synchronised. */
static gboolean
sync_wal(Store *store, GError **error)
{
	sqlite3_file *wal = NULL;

	if (sqlite3_file_control(store->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal) ==
		    SQLITE_OK &&
	    wal && wal->pMethods && wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL) == SQLITE_OK)
		return TRUE;
	g_set_error(error, STORE_ERROR, STORE_ERROR_FAILED,
		    "database %s: its write-ahead log cannot be brought to the disk", store->path);
	return FALSE;
}

/* PASSIVE never waits for readers or writers, and none waits for it.  A connection
 * that has not read yet does not know that there is a WAL, and does nothing. */
gboolean
store_sync(Store *store, gboolean *whole, GError **error)
{
	int in_log = -1, moved = -1, code;
	gint64 unused;

	*whole = FALSE;
	if (!store_pragma(store, "SELECT count(*) FROM sqlite_schema", &unused, error))
		return FALSE;
	code = sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &in_log,
					 &moved);
	if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY) {
		store_set_error(store, error);
		return FALSE;
	}
	*whole = code == SQLITE_OK && in_log >= 0 && in_log == moved;
	return *whole || sync_wal(store, error);
}

/* A commit with synchronous=FULL takes all that was committed before it along; it has to
 * write something for that.  Where a journal writes, store_when_durable() says when. */
gboolean
store_settle_all(Store *store, GError **error)
{
	g_autofree char *same =
		g_strdup_printf("PRAGMA user_version=%d", store_schema_version(store));

	return store->sync_deferred ||
	       (store_begin(store, error) &&
		store_settle(store, store_execute(store, same, error), error));
}
