/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* store_backup.c - a copy of the file while others write, and a look into it.
 *
 * Both have a connection of their own that only reads: in WAL mode it delays nobody and
 * sees one state of the file.  Trunk passwords are in it, so the copy is for its owner alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <glib/gstdio.h>
#include "db/store_private.h"

static gboolean
failed(GError **error, const char *what, const char *path, const char *why)
{
	g_set_error(error, STORE_ERROR, STORE_ERROR_FAILED, "%s %s: %s", what, path, why);
	return FALSE;
}

static sqlite3 *
open_to_read(const char *path, GError **error)
{
	sqlite3 *db = NULL;

	/* read-write where that is allowed: a WAL that nobody has open needs its -shm made */
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) ==
		    SQLITE_OK &&
	    sqlite3_busy_timeout(db, 5000) == SQLITE_OK &&
	    sqlite3_exec(db, "SELECT 1 FROM sqlite_schema", NULL, NULL, NULL) == SQLITE_OK)
		return db;
	failed(error, "database", path, db ? sqlite3_errmsg(db) : "no memory");
	sqlite3_close(db);
	return NULL;
}

/* In one go, so that no commit of others begins it anew. */
static gboolean
copy_pages(sqlite3 *from, const char *path, GError **error)
{
	sqlite3_backup *backup = NULL;
	sqlite3 *to = NULL;
	gboolean good = FALSE;

	if (sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) ==
	    SQLITE_OK)
		backup = sqlite3_backup_init(to, "main", from, "main");
	if (backup) {
		good = sqlite3_backup_step(backup, -1) == SQLITE_DONE;
		good = sqlite3_backup_finish(backup) == SQLITE_OK && good;
	}
	/* one file, which says so itself: whoever restores it need not know of WAL */
	if (good)
		good = sqlite3_exec(to, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL) ==
		       SQLITE_OK;
	if (!good)
		failed(error, "copy", path, to ? sqlite3_errmsg(to) : "no memory");
	sqlite3_close(to);
	return good;
}

static gboolean
sync_file(const char *path, GError **error)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	gboolean good = fd >= 0 && fsync(fd) == 0;

	if (!good)
		failed(error, "copy", path, g_strerror(errno));
	if (fd >= 0)
		close(fd);
	return good;
}

static gboolean
make_private(const char *path, GError **error)
{
	int fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return failed(error, "copy", path, g_strerror(errno));
	close(fd);
	return TRUE;
}

/* An earlier backup may be replaced; nothing else is, and least of all the database itself,
 * which whoever has it open would go on writing to under no name. */
static gboolean
may_replace(const char *path, const char *to, GError **error)
{
	static const char magic[] = "SQLite format 3";
	struct stat there, live;
	char begin[sizeof magic] = "";
	int fd;

	if (lstat(to, &there) < 0)
		return TRUE;
	if (stat(path, &live) == 0 && live.st_dev == there.st_dev && live.st_ino == there.st_ino)
		return failed(error, "copy", to, "that is the database itself; name another file");
	fd = S_ISREG(there.st_mode) ? open(to, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
	if (fd >= 0) {
		ssize_t n = read(fd, begin, sizeof begin);

		close(fd);
		if (n == sizeof begin && memcmp(begin, magic, sizeof magic) == 0)
			return TRUE;
	}
	return failed(error, "copy", to,
		      "the file there is no database; remove that file, or name another");
}

/* What SQLite finds beside a database it takes for a part of it: of one that was there before, and
 * was in use or not closed, it would be read in place of the copy. */
static gboolean
stands_alone(const char *to, GError **error)
{
	static const char *const suffixes[] = { "-wal", "-journal" };
	struct stat beside;

	for (guint i = 0; i < G_N_ELEMENTS(suffixes); i++) {
		g_autofree char *path = g_strconcat(to, suffixes[i], NULL);

		if (lstat(path, &beside) == 0 && beside.st_size > 0)
			return failed(error, "copy", to,
				      "the database there is in use or was not closed: a file "
				      "beside it that ends in -wal or -journal has its last "
				      "changes; name another file");
	}
	return TRUE;
}

gboolean
store_backup(const char *path, const char *to, GError **error)
{
	g_autofree char *part = g_strdup_printf("%s.part-%d", to, (int)getpid());
	sqlite3 *from = NULL;
	gboolean good;

	if (may_replace(path, to, error) && stands_alone(to, error))
		from = open_to_read(path, error);
	if (!from)
		return FALSE;
	if (!make_private(part, error)) {
		sqlite3_close(from);
		return FALSE;
	}
	good = copy_pages(from, part, error) && sync_file(part, error);
	if (good && g_rename(part, to) < 0)
		good = failed(error, "copy", to, g_strerror(errno));
	if (!good)
		g_unlink(part);
	sqlite3_close(from);
	return good;
}

gboolean
store_peek_trunk(const char *path, const char *name, gboolean *enabled, GError **error)
{
	sqlite3 *db = open_to_read(path, error);
	sqlite3_stmt *statement = NULL;
	gboolean found = FALSE;

	if (!db)
		return FALSE;
	if (sqlite3_prepare_v2(db, "SELECT enabled FROM trunks WHERE name = ?1", -1, &statement,
			       NULL) == SQLITE_OK) {
		sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
		found = sqlite3_step(statement) == SQLITE_ROW;
		*enabled = found && sqlite3_column_int(statement, 0) != 0;
	}
	sqlite3_finalize(statement);
	sqlite3_close(db);
	if (!found)
		g_set_error(error, STORE_ERROR, STORE_ERROR_NOT_FOUND,
			    "there is no such trunk; make it with tandemctl trunk add %s HOST",
			    name);
	return found;
}

/* --- whether it is whole --- */

typedef struct {
	GCancellable *cancel;
	gint64 until_us;
} Patience;

static int
on_progress(void *user)
{
	const Patience *patience = user;

	return g_cancellable_is_cancelled(patience->cancel) ||
	       g_get_monotonic_time() > patience->until_us;
}

/* "ok", or the first fault. */
static gboolean
read_verdict(sqlite3 *db, const char *path, GError **error)
{
	sqlite3_stmt *statement = NULL;
	const char *text = NULL;
	gboolean good = FALSE;
	int code = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &statement, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	if (code == SQLITE_ROW) {
		text = (const char *)sqlite3_column_text(statement, 0);
		good = g_strcmp0(text, "ok") == 0;
	}
	if (code == SQLITE_INTERRUPT)
		g_set_error(error, STORE_ERROR, STORE_ERROR_BUSY,
			    "database %s: too large to be looked at as a whole in this time", path);
	else if (!good)
		failed(error, "database", path, text ? text : sqlite3_errmsg(db));
	sqlite3_finalize(statement);
	return good;
}

gboolean
store_verify(const char *path, GCancellable *cancel, gint64 until_us, GError **error)
{
	Patience patience = { cancel, until_us };
	sqlite3 *db = open_to_read(path, error);
	gboolean good;

	if (!db)
		return FALSE;
	sqlite3_progress_handler(db, 1000, on_progress, &patience);
	good = read_verdict(db, path, error);
	sqlite3_close(db);
	return good;
}
