/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hook_program.c - lines for a program's standard input.
 *
 * They are in a file in memory, so that the program may read as slowly as it likes, or not at
 * all.  posix_spawn() copies no page tables, unlike fork().
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "b2bua/http/hook_way.h"

#define MOST_LINES 100
#define REFUSED	   65 /* EX_DATAERR of sysexits.h */

typedef struct {
	char *path;
	guint seconds;
	HookDoneFunc done;
	gpointer user;
	pid_t pid; /* 0: none runs */
	GSource *child, *timeout;
	gboolean late;
} Program;

static void
end_sources(Program *program)
{
	if (program->child)
		g_source_destroy(program->child);
	g_clear_pointer(&program->child, g_source_unref);
	if (program->timeout)
		g_source_destroy(program->timeout);
	g_clear_pointer(&program->timeout, g_source_unref);
}

static char *
words_of(const Program *program, int status)
{
	if (program->late)
		return g_strdup_printf("%s ran for %u s and was killed", program->path,
				       program->seconds);
	if (WIFSIGNALED(status))
		return g_strdup_printf("%s was killed by signal %d", program->path,
				       WTERMSIG(status));
	return g_strdup_printf("%s ended with status %d", program->path, WEXITSTATUS(status));
}

static void
on_exit_of_child(GPid pid, gint status, gpointer user)
{
	Program *program = user;
	gboolean exited = WIFEXITED(status) && !program->late;
	g_autofree char *why = words_of(program, status);

	program->pid = 0;
	end_sources(program);
	if (exited && WEXITSTATUS(status) == 0)
		program->done(program->user, HOOK_TAKEN, NULL);
	else
		program->done(program->user,
			      exited && WEXITSTATUS(status) == REFUSED ? HOOK_REFUSED : HOOK_FAILED,
			      why);
}

static gboolean
on_time(gpointer user)
{
	Program *program = user;

	program->late = TRUE;
	kill(-program->pid, SIGKILL); /* its group */
	return G_SOURCE_REMOVE;
}

/* -1: there is no room. */
static int
file_of(const char *text)
{
	int fd = memfd_create("hook", MFD_CLOEXEC);
	gsize length = strlen(text), at = 0;
	gssize n = 0;

	while (fd >= 0 && at < length && (n = write(fd, text + at, length - at)) > 0)
		at += (gsize)n;
	if (fd >= 0 && at == length && lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* What is said to systemd is said by the daemon alone. */
static char **
environment(void)
{
	char **all = g_get_environ();

	all = g_environ_unsetenv(all, "NOTIFY_SOCKET");
	all = g_environ_unsetenv(all, "WATCHDOG_USEC");
	return g_environ_unsetenv(all, "WATCHDOG_PID");
}

/* 0, or an errno. */
static int
spawn(Program *program, int input)
{
	g_auto(GStrv) all = environment();
	char *const arguments[] = { program->path, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t usual, none;
	int code;

	sigemptyset(&none);
	sigemptyset(&usual);
	sigaddset(&usual, SIGPIPE);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &usual);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
						      POSIX_SPAWN_SETPGROUP);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
	posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
	code = posix_spawn(&program->pid, program->path, &files, &attributes, arguments, all);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attributes);
	if (code)
		program->pid = 0;
	return code;
}

static void
watch(Program *program)
{
	program->late = FALSE;
	program->child = g_child_watch_source_new(program->pid);
	g_source_set_callback(program->child, G_SOURCE_FUNC(on_exit_of_child), program, NULL);
	g_source_attach(program->child, g_main_context_get_thread_default());
	program->timeout = g_timeout_source_new_seconds(program->seconds);
	g_source_set_callback(program->timeout, on_time, program, NULL);
	g_source_attach(program->timeout, g_main_context_get_thread_default());
}

static void
tell(gpointer way, const char *text)
{
	Program *program = way;
	int input = file_of(text);
	int code = input < 0 ? errno : spawn(program, input);
	g_autofree char *why = NULL;

	if (input >= 0)
		close(input);
	if (code == 0) {
		watch(program);
		return;
	}
	why = g_strdup_printf("%s cannot be run: %s", program->path, g_strerror(code));
	program->done(program->user, HOOK_FAILED, why);
}

static void
free_program(gpointer way)
{
	Program *program = way;

	if (!program)
		return;
	end_sources(program);
	if (program->pid) {
		kill(-program->pid, SIGKILL);
		waitpid(program->pid, NULL, 0);
	}
	g_free(program->path);
	g_free(program);
}

gpointer
hook_program_new(const char *path, guint seconds, HookDoneFunc done, gpointer user)
{
	Program *program = g_new0(Program, 1);

	program->path = g_strdup(path);
	program->seconds = seconds;
	program->done = done;
	program->user = user;
	return program;
}

const HookWay hook_program = { MOST_LINES, tell, free_program };
