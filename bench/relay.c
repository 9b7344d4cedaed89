/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* relay.c - what a forwarded packet costs, beside the least it can cost.
 *
 *	relay [-n REPETITIONS] [-s SECONDS] [--peer rtpengine] [CALLS]...
 *
 * The gateway is the media library with the daemon's defaults, in a process pinned
 * to one processor: a WebRTC port (ICE, DTLS, consent checks, RTCP) and a plain RTP
 * port for each call, joined.  The floor is one thread with an epoll that receives,
 * unprotects or protects with the same SRTP code, and sends, on as many sockets
 * that carry RTP; a second one ("napping") may sleep for half a millisecond between its
 * looks, as the gateway does, and the ratios are to that.  A generator on the other processor
 * feeds both the same way: 50 packets a second each way and call, departures spread evenly.
 * Gateway and floor are measured in turn.
 *
 * The figures are CPU time (user and system, all threads of the process) by packets
 * that came out of it, as medians; the ratio is the median of the ratios of runs
 * next to each other.  Delays are those of load.h; added is what there is above the
 * floor in the run next to it, as a median.  The load is what was sent, in calls; lost is
 * what of it did not come out, wrong what came out with another payload.
 *
 * With --peer, rtpengine (in user space, SDES to plain RTP, no ICE) has its turn too, and the
 * ratio of the gateway to it is printed.
 */
#include "bench/bench.h"
#include <getopt.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define MAX_REPEAT 15
#define MAX_KINDS  4
#define ENOUGH	   0.97 /* of the load: less is another measurement */

/* --- one measurement --- */

typedef struct {
	const Kind *kind;
	guint calls, seconds;
} Job;

static void
measured(Talk *talk, gpointer user)
{
	const Job *job = user;

	job->kind->measured(talk, job->calls);
}

static void
generate(Talk *talk, gpointer user, gpointer figure)
{
	const Job *job = user;
	Load *load = load_new(job->calls);

	job->kind->introduce(talk, load);
	*(Figure *)figure = load_run(load, job->seconds, hear_ready(talk));
}

static Figure
measure(const Kind *kind, guint calls, guint seconds)
{
	Job job = { kind, calls, seconds };
	const BenchPair pair = { kind->name, measured, generate, &job };
	Figure figure = { 0 };

	if (!bench_pair(&pair, &figure, sizeof figure)) {
		fprintf(stderr, "relay: a measurement of %u calls failed\n", calls);
		exit(1);
	}
	return figure;
}

/* --- the table --- */

static const Kind *const kinds[MAX_KINDS] = { &floor_kind, &napping_kind, &gateway_kind,
					      &rtpengine_kind };
#define BASE	1 /* what the others are compared with */
#define GATEWAY 2
#define PEER	3

static int
by_value(const void *one, const void *other)
{
	const double a = *(const double *)one, b = *(const double *)other;

	return (a > b) - (a < b);
}

static double
median(double *values, guint n)
{
	qsort(values, n, sizeof *values, by_value);
	return values[n / 2];
}

/* Sorts, and prints the median and what is on both ends. */
static void
print_spread(double *values, guint n)
{
	char text[64];

	qsort(values, n, sizeof *values, by_value);
	g_snprintf(text, sizeof text, "%.2f [%.2f-%.2f]", values[n / 2], values[0], values[n - 1]);
	printf("%-21s", text);
}

static void
print_kind(guint kind, guint calls, Figure figures[MAX_KINDS][MAX_REPEAT], guint n)
{
	double us[MAX_REPEAT], ratio[MAX_REPEAT], load[MAX_REPEAT], p50[MAX_REPEAT],
		p99[MAX_REPEAT];
	double added[MAX_REPEAT], lost = 0;
	guint64 wrong = 0;

	for (guint i = 0; i < n; i++) {
		us[i] = figures[kind][i].us;
		ratio[i] = us[i] / figures[BASE][i].us;
		p50[i] = figures[kind][i].p50;
		p99[i] = figures[kind][i].p99;
		added[i] = figures[kind][i].p99 - figures[0][i].p99;
		wrong += figures[kind][i].wrong;
		load[i] = figures[kind][i].calls;
		lost = fmax(lost, figures[kind][i].lost);
	}
	printf("%5u  %-9s  ", calls, kinds[kind]->name);
	print_spread(us, n);
	print_spread(ratio, n);
	printf("%6.0f / %6.0f  %6.0f  ", median(p50, n), median(p99, n), median(added, n));
	qsort(load, n, sizeof *load, by_value);
	printf("%6.0f  %5.2f %%  %" G_GUINT64_FORMAT "%s\n", load[0], lost, wrong,
	       load[0] < ENOUGH * calls ? "  (the generator was late: no measurement)" : "");
}

/* What a packet costs here by what it costs there, in runs next to each other. */
static void
print_peer(guint calls, Figure figures[MAX_KINDS][MAX_REPEAT], guint n)
{
	double ratio[MAX_REPEAT];

	for (guint i = 0; i < n; i++)
		ratio[i] = figures[GATEWAY][i].us / figures[PEER][i].us;
	printf("%5u  gateway by rtpengine: ", calls);
	print_spread(ratio, n);
	putchar('\n');
}

static void
compare(guint calls, guint repeat, guint seconds, guint n_kinds)
{
	Figure figures[MAX_KINDS][MAX_REPEAT];

	for (guint i = 0; i < repeat; i++)
		for (guint kind = 0; kind < n_kinds; kind++)
			figures[kind][i] = measure(kinds[kind], calls, seconds);
	for (guint kind = 0; kind < n_kinds; kind++)
		print_kind(kind, calls, figures, repeat);
	if (n_kinds > PEER)
		print_peer(calls, figures, repeat);
	fflush(stdout);
}

static gboolean
has_rtpengine(void)
{
	g_autofree char *program = g_find_program_in_path("rtpengine");

	if (!program)
		puts("no comparison: rtpengine (Debian: rtpengine-daemon) is not installed");
	return program != NULL;
}

static void
raise_limit(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static void
print_head(guint repeat, guint seconds)
{
	double load[3] = { 0 };

	getloadavg(load, 3);
	printf("CPU us by forwarded packet (user and system), median [least-most] of %u runs of "
	       "%u s; load average %.1f\n"
	       "calls             us                   times napping        delay p50 / p99, "
	       "us, p99 added  least load, most lost, wrong\n",
	       repeat, seconds, load[0]);
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	static const guint usual[] = { 50, 200, 500, 1000 };
	static const struct option options[] = { { "peer", required_argument, NULL, 'p' }, { 0 } };
	guint repeat = 5, seconds = 4, n_kinds = 3;
	int option;

	while ((option = getopt_long(argc, argv, "n:s:", options, NULL)) != -1) {
		if (option == 'n')
			repeat = CLAMP((guint)atoi(optarg), 1, MAX_REPEAT);
		else if (option == 's')
			seconds = MAX((guint)atoi(optarg), 1);
		else if (option == 'p' && strcmp(optarg, "rtpengine") == 0)
			n_kinds = has_rtpengine() ? PEER + 1 : PEER;
		else
			return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	raise_limit();
	print_head(repeat, seconds);
	if (optind < argc)
		for (int i = optind; i < argc; i++)
			compare((guint)CLAMP(atoi(argv[i]), 1, 5000), repeat, seconds, n_kinds);
	else
		for (guint i = 0; i < G_N_ELEMENTS(usual); i++)
			compare(usual[i], repeat, seconds, n_kinds);
	return 0;
}
