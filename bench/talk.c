/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* talk.c - the process that is measured, the one that generates, and how they speak. */
#include "bench/bench.h"
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define MEASURED_CPU 0
#define LOAD_CPU     1

void
say(Talk *talk, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(talk->out, format, arguments);
	va_end(arguments);
	fputc('\n', talk->out);
	fflush(talk->out);
}

char **
hear(Talk *talk, guint n)
{
	char line[1024];
	char **words;

	if (!fgets(line, sizeof line, talk->in))
		exit(1); /* the other one has said why */
	words = g_strsplit(g_strchomp(line), " ", -1);
	if (g_strv_length(words) < n)
		g_error("\"%s\" has not %u words", line, n);
	return words;
}

void
call_key(guint call, guint8 key[30])
{
	for (guint i = 0; i < 30; i++)
		key[i] = (guint8)(call * 31 + i * 7 + 1);
}

static void
become(const char *name, guint cpu)
{
	cpu_set_t allowed, one;
	guint seen = 0;

	CPU_ZERO(&one);
	sched_getaffinity(0, sizeof allowed, &allowed);
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &allowed) && seen++ <= cpu) {
			CPU_ZERO(&one);
			CPU_SET(i, &one);
		}
	sched_setaffinity(0, sizeof one, &one);
	if (!freopen("/dev/null", "w", stdout)) /* what the ports have to say */
		exit(1);
	/* Nothing measured outlives the one who reads it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, name); /* for perf and top */
}

pid_t
hear_ready(Talk *talk)
{
	g_auto(GStrv) words = hear(talk, 2);

	return (pid_t)atoi(words[1]);
}

static void
open_pipe(int ends[2])
{
	if (pipe(ends) != 0) {
		perror("pipe");
		exit(1);
	}
}

gboolean
bench_pair(const BenchPair *pair, gpointer figure, gsize size)
{
	int to_measured[2], to_generator[2], report[2];
	pid_t measured, generator;
	gboolean done;

	open_pipe(to_measured);
	open_pipe(to_generator);
	open_pipe(report);
	measured = fork();
	if (measured == 0) {
		Talk talk = { fdopen(to_measured[0], "r"), fdopen(to_generator[1], "w") };

		close(to_measured[1]);
		close(to_generator[0]);
		close(report[0]);
		close(report[1]);
		become(pair->name, MEASURED_CPU);
		pair->measured(&talk, pair->user);
		exit(1);
	}
	generator = fork();
	if (generator == 0) {
		Talk talk = { fdopen(to_generator[0], "r"), fdopen(to_measured[1], "w") };

		close(to_generator[1]);
		close(to_measured[0]);
		become("load", LOAD_CPU);
		pair->generate(&talk, pair->user, figure);
		exit(write(report[1], figure, size) == (ssize_t)size ? 0 : 1);
	}
	close(to_measured[0]);
	close(to_measured[1]);
	close(to_generator[0]);
	close(to_generator[1]);
	close(report[1]);
	done = read(report[0], figure, size) == (ssize_t)size;
	close(report[0]);
	kill(measured, SIGKILL);
	waitpid(measured, NULL, 0);
	waitpid(generator, NULL, 0);
	return done;
}
