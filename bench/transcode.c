/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* transcode.c - what a transcoded packet costs, beside rtpengine, and how late it is.
 *
 *	transcode [-n REPETITIONS] [-s SECONDS] [-c CALLS]
 *
 * A client with Opus or G.722 and a telephone with PCMU for each call, plain RTP on both
 * sides, each speaking; then each direction alone.  The process measured has one processor,
 * the generator another; the gateway and rtpengine have their turns.
 */
#include "bench/transcode.h"
#include "media/coder.h"
#include <getopt.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define MAX_REPEAT 9
#define MAX_KINDS  3
/* libavcodec's choice, by which rtpengine encodes; rtpengine 10.5 cannot be told another */
#define MOST_COMPLEXITY 10

typedef struct {
	const TranscodeKind *kind;
	const char *title;
	guint complexity; /* of Opus, in the gateway; 0: its own choice */
} Row;

typedef struct {
	const TranscodeKind *kind;
	TranscodeJob job;
} Pair;

static void
measured(Talk *talk, gpointer user)
{
	const Pair *pair = user;

	pair->kind->measured(talk, &pair->job);
}

static void
generate(Talk *talk, gpointer user, gpointer figure)
{
	const Pair *pair = user;
	TranscodeLoad *load = transcode_load_new(&pair->job);

	pair->kind->introduce(talk, &pair->job, load);
	*(TranscodeFigure *)figure = transcode_load_run(load, hear_ready(talk));
}

static int
by_us(const void *one, const void *other)
{
	const double a = ((const TranscodeFigure *)one)->us,
		     b = ((const TranscodeFigure *)other)->us;

	return (a > b) - (a < b);
}

static void
print_row(const Row *row, const TranscodeJob *job, TranscodeFigure *figures, guint n)
{
	TranscodeFigure *middle = &figures[n / 2];

	qsort(figures, n, sizeof *figures, by_us);
	printf("  %-24s %7.1f [%.1f-%.1f]  ", row->title, middle->us, figures[0].us,
	       figures[n - 1].us);
	printf("%6.0f calls", (double)job->calls / fmax(middle->load, 0.001));
	for (LoadSide side = CLIENT; side < SIDES; side++)
		if (job->sends[!side])
			printf("  %s hears %s, %.1f kbit/s, shift %+.1f ms;",
			       side == CLIENT ? "client" : "telephone", job->type[side]->name,
			       middle->bits[side] / 1000, middle->shift_ms[side]);
	printf(" lost %.2f %%\n", middle->lost);
	fflush(stdout);
}

static void
compare(const TranscodeJob *job, const Row *rows, guint n_rows, guint repeat)
{
	TranscodeFigure figures[MAX_KINDS][MAX_REPEAT];

	printf("%s %s %s, %u calls\n", job->type[CLIENT]->name,
	       !job->sends[CLIENT]	? "<"
	       : !job->sends[TELEPHONE] ? ">"
					: "<>",
	       job->type[TELEPHONE]->name, job->calls);
	fflush(stdout); /* the processes begin with what is still in it */
	for (guint i = 0; i < repeat; i++)
		for (guint r = 0; r < n_rows; r++) {
			Pair pair = { rows[r].kind, *job };
			const BenchPair processes = { rows[r].kind->name, measured, generate,
						      &pair };

			pair.job.complexity = rows[r].complexity;
			if (!bench_pair(&processes, &figures[r][i], sizeof figures[r][i])) {
				fprintf(stderr, "transcode: %s failed\n", rows[r].title);
				exit(1);
			}
		}
	for (guint r = 0; r < n_rows; r++)
		print_row(&rows[r], job, figures[r], repeat);
	for (guint r = 0; rows[n_rows - 1].kind == &transcode_rtpengine && r + 1 < n_rows; r++)
		printf("  %s / rtpengine: %.2f\n", rows[r].title,
		       figures[r][repeat / 2].us / figures[n_rows - 1][repeat / 2].us);
	fflush(stdout);
}

static gboolean
has_rtpengine(void)
{
	g_autofree char *path = g_find_program_in_path("rtpengine");

	if (!path)
		printf("rtpengine (Debian: rtpengine-daemon) is not here: the gateway alone\n");
	return path != NULL;
}

int
main(int argc, char **argv)
{
	static const char *const codecs[] = { "opus", "G722" };
	static const gboolean ways[][SIDES] = { { TRUE, TRUE }, { TRUE, FALSE }, { FALSE, TRUE } };
	g_autofree char *ours = g_strdup_printf("gateway, complexity %d", CODER_OPUS_COMPLEXITY);
	const Row rows[] = {
		{ &transcode_gateway, ours, 0 },
		{ &transcode_gateway, "gateway, complexity 10", MOST_COMPLEXITY },
		{ &transcode_rtpengine, "rtpengine, complexity 10", 0 },
	};
	const Row plain[] = { { &transcode_gateway, "gateway", 0 },
			      { &transcode_rtpengine, "rtpengine", 0 } };
	guint repeat = 3, seconds = 6, calls = 20;
	const gboolean peer = has_rtpengine();
	int option;

	while ((option = getopt(argc, argv, "n:s:c:")) != -1) {
		if (option == 'n')
			repeat = CLAMP((guint)atoi(optarg), 1, MAX_REPEAT);
		else if (option == 's')
			seconds = MAX((guint)atoi(optarg), 6);
		else if (option == 'c')
			calls = CLAMP((guint)atoi(optarg), 1, 1000);
		else
			return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	printf("CPU us by packet that comes out (user and system), median [least-most] of %u runs "
	       "of %u s; calls one processor holds\n",
	       repeat, seconds);
	fflush(stdout);
	for (guint i = 0; i < G_N_ELEMENTS(codecs); i++)
		for (guint way = 0; way < G_N_ELEMENTS(ways); way++) {
			TranscodeJob job = { .calls = calls, .seconds = seconds };

			job.type[CLIENT] = codec_type_named(codecs[i]);
			job.type[TELEPHONE] = codec_type_named("PCMU");
			for (LoadSide side = CLIENT; side < SIDES; side++) {
				job.pt[side] = job.type[side]->pt;
				job.sends[side] = ways[way][side];
			}
			if (i == 0)
				compare(&job, rows, peer ? 3 : 2, repeat);
			else
				compare(&job, plain, peer ? 2 : 1, repeat);
		}
	return 0;
}
