/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* relay.c - what a forwarded packet costs, beside the least it can cost.
 *
 *	relay [-n REPETITIONS] [-s SECONDS] [CALLS]...
 *
 * The gateway is the media library as the daemon has it, in a process pinned to
 * one processor: a WebRTC port (real ICE and DTLS) and a plain RTP port for each
 * call, joined.  A process on the other processor plays the clients (media
 * library too) and the telephones, 50 packets a second each way and call.  The
 * floor is one thread with an epoll that receives, protects or unprotects and
 * sends, one packet a wake-up, at the same rate from the same generator.  Both
 * are measured in turn; the figures are CPU time (user and system, all threads)
 * by packets forwarded, as medians.  What goes to the clients is read by them, on
 * the other processor; what goes to the telephones is left to the kernel to drop.
 * Lost is what came to the one measured and was not forwarded; what the generator
 * or its clients did not manage to send shows as a smaller load.
 */
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>
#include "media/srtp.h"
#include "tests/media/media-peer.h"

#define PAYLOAD	    160
#define TICK_US	    500 /* the generator sends a fortieth of the calls at each: arrivals spread */
#define TICKS	    40	/* to 20 ms */
#define PACKETS_S   50
#define ICE_THREADS 16 /* the daemon has one a processor unless it is told otherwise */
#define MAX_REPEAT  15
#define BATCH	    20	    /* calls set up at a time */
#define SETTLE_US   3000000 /* from the last set-up to the first packet */
#define DRAIN_US    300000  /* what is still in the sockets is forwarded */

typedef struct {
	double us;	/* CPU by packet */
	double offered; /* calls' worth of packets that were sent to what is measured */
	double lost;	/* per cent of those */
} Figure;

/* What the generator got out: of both ways, and of the telephones' alone. */
typedef struct {
	guint64 both, telephones;
	double seconds; /* it may have been late */
} Sent;

typedef struct {
	FILE *in, *out;
} Talk;

static void
pin(int cpu)
{
	const long n = sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(n > 1 ? cpu : 0, &set);
	sched_setaffinity(0, sizeof set, &set);
	if (!freopen("/dev/null", "w", stdout)) /* what the ports have to say */
		exit(1);
	/* Nothing measured outlives the one who reads it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static double
cpu_us(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void
say(Talk *talk, const char *line)
{
	fprintf(talk->out, "%s\n", line);
	fflush(talk->out);
}

static char *
hear(Talk *talk)
{
	static char line[1024];

	if (!fgets(line, sizeof line, talk->in))
		exit(1); /* the other one has said why */
	return g_strchomp(line);
}

/* --- the generator --- */

typedef struct {
	struct sockaddr_in to[2]; /* the client's way and the telephone's */
	Protection *protection;	  /* of the client's way, or NULL: plain */
	guint16 seq;
	guint32 timestamp;
} Source;

static gsize
packet_of(Source *source, guint32 ssrc, guint8 *packet)
{
	const guint16 seq = GUINT16_TO_BE(source->seq);
	const guint32 timestamp = GUINT32_TO_BE(source->timestamp), id = GUINT32_TO_BE(ssrc);

	memset(packet, 0x55, 12 + PAYLOAD);
	packet[0] = 0x80;
	packet[1] = 0;
	memcpy(packet + 2, &seq, 2);
	memcpy(packet + 4, &timestamp, 4);
	memcpy(packet + 8, &id, 4);
	return 12 + PAYLOAD;
}

static void
send_both(int socket, Source *source, guint32 ssrc, Sent *sent)
{
	guint64 buffer[(12 + PAYLOAD + PROTECTION_TRAILER) / 8 + 2];
	guint8 *packet = (guint8 *)buffer;

	for (guint way = 0; way < 2; way++) {
		gsize length = packet_of(source, ssrc + way, packet);

		if (way == 0 && source->protection)
			protection_protect(source->protection, packet, &length);
		if (sendto(socket, packet, length, 0, (struct sockaddr *)&source->to[way],
			   sizeof source->to[way]) == (ssize_t)length) {
			sent->both++;
			sent->telephones += way;
		}
	}
	source->seq++;
	source->timestamp += PAYLOAD;
}

static Sent
generate(Talk *talk, Source *sources, guint calls, guint seconds)
{
	const int out = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const gint64 began = g_get_monotonic_time();
	struct timespec next;
	Sent sent = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &next);
	for (guint tick = 0; tick < seconds * PACKETS_S * TICKS; tick++) {
		for (guint i = tick % TICKS; i < calls; i += TICKS)
			send_both(out, &sources[i], 1000 + 2 * i, &sent);
		next.tv_nsec += TICK_US * 1000;
		if (next.tv_nsec >= 1000000000) {
			next.tv_sec++;
			next.tv_nsec -= 1000000000;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
	close(out);
	sent.seconds = (double)(g_get_monotonic_time() - began) / 1e6;
	g_usleep(DRAIN_US);
	say(talk, "sent"); /* at once: the measured time ends here */
	return sent;
}

static struct sockaddr_in
loopback(guint16 port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = g_htons(port) };

	address.sin_addr.s_addr = g_htonl(INADDR_LOOPBACK);
	return address;
}

/* --- the gateway and its clients --- */

static void
say_transport(Talk *talk, const Transport *ours)
{
	const Candidate *candidate = &g_array_index(ours->candidates, Candidate, 0);
	g_autofree char *line =
		g_strdup_printf("%s %s %s %s %u", ours->ufrag, ours->pwd, ours->fingerprint,
				candidate->address, candidate->port);

	say(talk, line);
}

static Transport *
hear_transport(Talk *talk)
{
	g_auto(GStrv) words = g_strsplit(hear(talk), " ", -1);
	Transport *theirs = transport_new(TRANSPORT_WEBRTC);
	Candidate candidate = { .foundation = "1", .component = 1, .priority = 2130706431 };

	g_assert_cmpuint(g_strv_length(words), ==, 5);
	theirs->ufrag = g_strdup(words[0]);
	theirs->pwd = g_strdup(words[1]);
	theirs->fingerprint_hash = g_strdup("sha-256");
	theirs->fingerprint = g_strdup(words[2]);
	g_strlcpy(candidate.address, words[3], sizeof candidate.address);
	candidate.port = (guint16)atoi(words[4]);
	g_array_append_val(theirs->candidates, candidate);
	return theirs;
}

typedef struct {
	Peer *peer;
	PortId webrtc, plain;
} End;

/* One side of a call's WebRTC leg, with a plain port behind it. */
static void
open_end(End *end, Workers *workers, Talk *talk, Side side)
{
	const Side other = side == SIDE_CALLER ? SIDE_CALLEE : SIDE_CALLER;

	end->peer = peer_new(workers);
	end->webrtc = peer_add(end->peer, side, TRANSPORT_WEBRTC);
	end->plain = peer_add(end->peer, other, TRANSPORT_RTP);
	say_transport(talk, end->peer->ports[end->webrtc].ours);
}

static void
connect_end(End *end, Talk *talk, Side side, guint16 sink)
{
	const DtlsSetup setup = side == SIDE_CALLER ? SETUP_ACTIVE : SETUP_PASSIVE;
	g_autoptr(Transport) theirs = hear_transport(talk), phone = transport_new(TRANSPORT_RTP);
	g_autoptr(Desc) local = NULL, remote = NULL, plain_local = NULL, plain_remote = NULL;

	local = desc_with_setup(end->peer->ports[end->webrtc].ours, "0 PCMU", setup);
	remote = desc_with_setup(theirs, "0 PCMU",
				 setup == SETUP_ACTIVE ? SETUP_PASSIVE : SETUP_ACTIVE);
	g_strlcpy(phone->address, "127.0.0.1", sizeof phone->address);
	phone->port = sink;
	plain_local = desc_for_test(end->peer->ports[end->plain].ours, "0 PCMU");
	plain_remote = desc_for_test(phone, "0 PCMU");
	/* a client need not pass on what it hears, and its processor has enough to do */
	if (side == SIDE_CALLEE)
		((Stream *)g_ptr_array_index(plain_remote->streams, 0))->direction =
			DIRECTION_SENDONLY;
	media_connect(end->peer->media, end->webrtc, local, remote);
	media_connect(end->peer->media, end->plain, plain_local, plain_remote);
	media_join(end->peer->media, end->webrtc, end->plain);
}

static void
set_up(End *ends, guint calls, Talk *talk, Side side, guint16 sink)
{
	Workers *workers = workers_on_loopback(ICE_THREADS, TRUE);

	for (guint from = 0; from < calls; from += BATCH) {
		const guint to = MIN(from + BATCH, calls);

		for (guint i = from; i < to; i++)
			open_end(&ends[i], workers, talk, side);
		for (guint i = from; i < to; i++)
			connect_end(&ends[i], talk, side, sink);
		for (guint i = from; i < to; i++)
			peer_wait_up(ends[i].peer, ends[i].webrtc);
	}
}

/* A socket whose buffer is soon full: the kernel drops what comes. */
static guint16
open_sink(void)
{
	struct sockaddr_in address = loopback(0);
	socklen_t length = sizeof address;
	const int sink = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	g_assert_cmpint(bind(sink, (struct sockaddr *)&address, sizeof address), ==, 0);
	g_assert_cmpint(getsockname(sink, (struct sockaddr *)&address, &length), ==, 0);
	return g_ntohs(address.sin_port);
}

static guint64
forwarded(const End *ends, guint calls)
{
	guint64 packets = 0;

	for (guint i = 0; i < calls; i++)
		packets += peer_query(ends[i].peer, ends[i].webrtc).packets_out +
			   peer_query(ends[i].peer, ends[i].plain).packets_out;
	return packets;
}

static void
be_gateway(Talk *talk, guint calls)
{
	g_autofree End *ends = g_new0(End, calls);
	g_autofree char *line = NULL;
	double before, after;

	set_up(ends, calls, talk, SIDE_CALLER, open_sink());
	for (guint i = 0; i < calls; i++) {
		g_autofree char *port =
			g_strdup_printf("%u", ends[i].peer->ports[ends[i].plain].ours->port);

		say(talk, port);
	}
	g_usleep(SETTLE_US);
	before = cpu_us();
	say(talk, "ready");
	hear(talk); /* sent */
	after = cpu_us();
	line = g_strdup_printf("%.0f %" G_GUINT64_FORMAT, after - before, forwarded(ends, calls));
	say(talk, line);
	exit(0);
}

static Sent
be_clients(Talk *talk, guint calls, guint seconds)
{
	g_autofree End *ends = g_new0(End, calls);
	g_autofree Source *sources = g_new0(Source, calls);
	Sent sent;

	set_up(ends, calls, talk, SIDE_CALLEE, open_sink());
	for (guint i = 0; i < calls; i++) {
		sources[i].to[0] = loopback(ends[i].peer->ports[ends[i].plain].ours->port);
		sources[i].to[1] = loopback((guint16)atoi(hear(talk)));
	}
	hear(talk); /* ready */
	sent = generate(talk, sources, calls, seconds);
	/* what the clients themselves did not manage to send is not the gateway's loss */
	sent.both = sent.telephones;
	for (guint i = 0; i < calls; i++)
		sent.both += peer_query(ends[i].peer, ends[i].webrtc).packets_out;
	return sent;
}

/* --- the floor --- */

static void
call_key(guint call, guint8 key[30])
{
	for (guint i = 0; i < 30; i++)
		key[i] = (guint8)(call * 31 + i * 7 + 1);
}

typedef struct {
	int socket;
	gboolean sealed; /* SRTP comes in */
	Protection *protection;
	struct sockaddr_in to; /* SRTP goes to one who reads, as the gateway's does */
} Pipe;

static guint16
open_pipe(Pipe *end, int epoll, guint call, gboolean sealed)
{
	struct sockaddr_in address = loopback(0);
	socklen_t length = sizeof address;
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = end };
	guint8 key[30];

	call_key(call, key);
	end->sealed = sealed;
	end->protection = protection_new(SRTP_CM_SHA1_80, key, !sealed);
	end->socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	g_assert_cmpint(bind(end->socket, (struct sockaddr *)&address, sizeof address), ==, 0);
	g_assert_cmpint(getsockname(end->socket, (struct sockaddr *)&address, &length), ==, 0);
	g_assert_cmpint(epoll_ctl(epoll, EPOLL_CTL_ADD, end->socket, &event), ==, 0);
	return g_ntohs(address.sin_port);
}

static gboolean
pass(Pipe *end)
{
	guint64 buffer[1500 / 8];
	guint8 *packet = (guint8 *)buffer;
	ssize_t got = recv(end->socket, packet, sizeof buffer - PROTECTION_TRAILER, 0);
	gsize length = got > 0 ? (gsize)got : 0;

	if (got <= 0 ||
	    (end->sealed ? protection_unprotect(end->protection, packet, &length)
			 : protection_protect(end->protection, packet, &length)) != PROTECTION_OK)
		return FALSE;
	return sendto(end->socket, packet, length, 0, (struct sockaddr *)&end->to, sizeof end->to) >
	       0;
}

static void
be_floor(Talk *talk, guint calls)
{
	g_autofree Pipe *pipes = g_new0(Pipe, 2 * calls);
	g_autofree char *line = NULL;
	const struct sockaddr_in sink = loopback(open_sink());
	const int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event events[64], stop = { .events = EPOLLIN, .data.ptr = NULL };
	guint64 packets = 0;
	double before;

	g_assert_true(protection_setup(NULL));
	epoll_ctl(epoll, EPOLL_CTL_ADD, fileno(talk->in), &stop);
	for (guint i = 0; i < 2 * calls; i++)
		pipes[i].to = i % 2 == 0 ? sink : loopback((guint16)atoi(hear(talk)));
	for (guint i = 0; i < 2 * calls; i++) {
		g_autofree char *port =
			g_strdup_printf("%u", open_pipe(&pipes[i], epoll, i / 2, i % 2 == 0));

		say(talk, port);
	}
	before = cpu_us();
	say(talk, "ready");
	for (gboolean going = TRUE; going;) {
		const int n = epoll_wait(epoll, events, G_N_ELEMENTS(events), -1);

		for (int i = 0; i < n; i++) {
			if (!events[i].data.ptr)
				going = FALSE;
			else if (pass(events[i].data.ptr))
				packets++;
		}
	}
	line = g_strdup_printf("%.0f %" G_GUINT64_FORMAT, cpu_us() - before, packets);
	say(talk, line);
	exit(0);
}

/* The clients of the floor: one socket each, read as packets come. */
static gpointer
read_all(gpointer user)
{
	const int epoll = GPOINTER_TO_INT(user);
	struct epoll_event events[64];
	guint8 data[1500];

	for (;;) {
		const int n = epoll_wait(epoll, events, G_N_ELEMENTS(events), -1);

		for (int i = 0; i < n; i++)
			while (recv(events[i].data.fd, data, sizeof data, MSG_DONTWAIT) > 0)
				;
	}
	return NULL;
}

static void
open_readers(Talk *talk, guint calls)
{
	const int epoll = epoll_create1(EPOLL_CLOEXEC);

	for (guint i = 0; i < calls; i++) {
		struct sockaddr_in address = loopback(0);
		socklen_t length = sizeof address;
		struct epoll_event event = { .events = EPOLLIN };
		g_autofree char *port = NULL;

		event.data.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		g_assert_cmpint(bind(event.data.fd, (struct sockaddr *)&address, sizeof address),
				==, 0);
		g_assert_cmpint(getsockname(event.data.fd, (struct sockaddr *)&address, &length),
				==, 0);
		epoll_ctl(epoll, EPOLL_CTL_ADD, event.data.fd, &event);
		port = g_strdup_printf("%u", g_ntohs(address.sin_port));
		say(talk, port);
	}
	g_thread_unref(g_thread_new("readers", read_all, GINT_TO_POINTER(epoll)));
}

static Sent
feed_floor(Talk *talk, guint calls, guint seconds)
{
	g_autofree Source *sources = g_new0(Source, calls);

	g_assert_true(protection_setup(NULL));
	open_readers(talk, calls);
	for (guint i = 0; i < calls; i++) {
		guint8 key[30];

		call_key(i, key);
		sources[i].protection = protection_new(SRTP_CM_SHA1_80, key, TRUE);
		sources[i].to[0] = loopback((guint16)atoi(hear(talk)));
		sources[i].to[1] = loopback((guint16)atoi(hear(talk)));
	}
	hear(talk); /* ready */
	return generate(talk, sources, calls, seconds);
}

/* --- one measurement: two processes and a report --- */

typedef struct {
	void (*measured)(Talk *talk, guint calls);
	Sent (*generator)(Talk *talk, guint calls, guint seconds);
} Kind;

static const Kind gateway = { be_gateway, be_clients };
static const Kind the_floor = { be_floor, feed_floor };

static void
generator(const Kind *kind, Talk *talk, guint calls, guint seconds, int report)
{
	const Sent sent = kind->generator(talk, calls, seconds);
	double us;
	guint64 packets;
	Figure figure;

	if (sscanf(hear(talk), "%lf %" G_GUINT64_FORMAT, &us, &packets) != 2 || packets == 0)
		exit(1);
	figure.us = us / (double)packets;
	figure.offered = (double)sent.both / sent.seconds / (2 * PACKETS_S);
	figure.lost = 100.0 - 100.0 * (double)packets / (double)sent.both;
	if (write(report, &figure, sizeof figure) != sizeof figure)
		exit(1);
	exit(0);
}

static void
two_pipes(int to_measured[2], int to_generator[2])
{
	if (pipe(to_measured) != 0 || pipe(to_generator) != 0) {
		perror("pipe");
		exit(1);
	}
}

static Figure
measure(const Kind *kind, guint calls, guint seconds)
{
	int to_measured[2], to_generator[2], report[2];
	Figure figure = { 0 };
	pid_t one, other;

	two_pipes(to_measured, to_generator);
	if (pipe(report) != 0)
		exit(1);
	one = fork();
	if (one == 0) {
		Talk talk = { fdopen(to_measured[0], "r"), fdopen(to_generator[1], "w") };

		close(to_measured[1]);
		close(to_generator[0]);
		close(report[0]);
		close(report[1]);
		pin(0);
		kind->measured(&talk, calls);
	}
	other = fork();
	if (other == 0) {
		Talk talk = { fdopen(to_generator[0], "r"), fdopen(to_measured[1], "w") };

		close(to_generator[1]);
		close(to_measured[0]);
		pin(1);
		generator(kind, &talk, calls, seconds, report[1]);
	}
	close(to_measured[0]);
	close(to_measured[1]);
	close(to_generator[0]);
	close(to_generator[1]);
	close(report[1]);
	if (read(report[0], &figure, sizeof figure) != sizeof figure) {
		fprintf(stderr, "relay: a measurement of %u calls failed\n", calls);
		exit(1);
	}
	close(report[0]);
	waitpid(one, NULL, 0);
	waitpid(other, NULL, 0);
	return figure;
}

/* --- the table --- */

static int
by_value(const void *one, const void *other)
{
	const double a = *(const double *)one, b = *(const double *)other;

	return a < b ? -1 : a > b;
}

/* Sorts, and prints the median and what is on both ends. */
static void
print_spread(double *values, guint n)
{
	qsort(values, n, sizeof *values, by_value);
	printf("  %6.2f [%.2f-%.2f]", values[n / 2], values[0], values[n - 1]);
}

static void
compare(guint calls, guint repeat, guint seconds)
{
	double ours[MAX_REPEAT], theirs[MAX_REPEAT], ratio[MAX_REPEAT];
	Figure worst_ours = { .offered = calls }, worst_theirs = { .offered = calls };

	for (guint i = 0; i < repeat; i++) {
		const Figure bare = measure(&the_floor, calls, seconds);
		const Figure full = measure(&gateway, calls, seconds);

		theirs[i] = bare.us;
		ours[i] = full.us;
		ratio[i] = full.us / bare.us;
		worst_ours.offered = fmin(worst_ours.offered, full.offered);
		worst_ours.lost = fmax(worst_ours.lost, full.lost);
		worst_theirs.offered = fmin(worst_theirs.offered, bare.offered);
		worst_theirs.lost = fmax(worst_theirs.lost, bare.lost);
	}
	printf("%5u", calls);
	print_spread(ours, repeat);
	print_spread(theirs, repeat);
	print_spread(ratio, repeat);
	printf("  %.0f, %.2f %%  %.0f, %.2f %%\n", worst_ours.offered, worst_ours.lost,
	       worst_theirs.offered, worst_theirs.lost);
	/* two figures at different loads are no comparison */
	if (worst_ours.offered < 0.97 * calls || worst_theirs.offered < 0.97 * calls)
		printf("       the generator's processor is full: not a measurement at %u calls\n",
		       calls);
	fflush(stdout);
}

static void
raise_limit(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int
main(int argc, char **argv)
{
	static const guint usual[] = { 100, 500, 1000 };
	guint repeat = 3, seconds = 5;
	int option;

	while ((option = getopt(argc, argv, "n:s:")) != -1) {
		if (option == 'n')
			repeat = CLAMP((guint)atoi(optarg), 1, MAX_REPEAT);
		else if (option == 's')
			seconds = MAX((guint)atoi(optarg), 1);
		else
			return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	raise_limit();
	printf("CPU us by forwarded packet (user and system), median [least-most] of %u runs of %u "
	       "s\n"
	       "calls  gateway  floor  ratio  least load in calls and most lost: gateway, floor\n",
	       repeat, seconds);
	fflush(stdout);
	if (optind < argc)
		for (int i = optind; i < argc; i++)
			compare((guint)atoi(argv[i]), repeat, seconds);
	else
		for (guint i = 0; i < G_N_ELEMENTS(usual); i++)
			compare(usual[i], repeat, seconds);
	return 0;
}
