/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* load.c - the generator: RTP of many calls, and what came back of it. */
#include "bench/load.h"
#include "media/bytes.h"
#include "media/demux.h"
#include "media/rtcp.h"
#include "media/rtp.h"
#include <linux/sock_diag.h>
#include <string.h>
#include <time.h>

#define PAYLOAD	   160
#define PACKET	   (12 + PAYLOAD)
#define PACKETS_S  50
#define TICK_US	   500
#define TICKS	   40 /* of 20 ms */
#define TICKS_S	   2000
#define TICKS_5S   10000
#define READ_EVERY 4	  /* ticks */
#define WARM_S	   1	  /* first packets cost more */
#define DRAIN_US   300000 /* what is still in the sockets is forwarded */
#define BATCH	   64
#define BUFFER	   (4 << 20)
#define SSRC	   1000
#define LOOK_EVERY 50 /* packets that a client decrypts */

typedef struct {
	gint64 at;
	double cpu;
	guint64 sent, heard;
} Mark;

/* --- sockets --- */

Load *
load_new(guint calls)
{
	Load *load = g_new0(Load, 1);

	load->calls = calls;
	load->reports = TRUE;
	load->call = g_new0(LoadCall, calls);
	load->delays = g_array_new(FALSE, FALSE, sizeof(guint32));
	for (guint i = 0; i < SIDES * LOAD_SOCKETS; i++) {
		UdpPair *pair = &load->sockets[i % SIDES][i / SIDES];
		const int size = BUFFER, on = 1;
		g_autoptr(GError) error = NULL;

		if (!udp_pair_open("127.0.0.1", 20000, 59999, pair, &error))
			g_error("%s", error->message);
		if (setsockopt(pair->rtp, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
			setsockopt(pair->rtp, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
		setsockopt(pair->rtp, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
	}
	return load;
}

/* All calls of one tick have the same socket. */
static UdpPair *
pair_of(const Load *load, guint call, LoadSide side)
{
	return (UdpPair *)&load->sockets[side][call % TICKS % LOAD_SOCKETS];
}

guint16
load_port(const Load *load, guint call, LoadSide side)
{
	return pair_of(load, call, side)->port;
}

void
load_set_to(Load *load, guint call, LoadSide side, guint16 port)
{
	LoadCall *each = &load->call[call];

	net_address_parse("127.0.0.1", port, &each->to[side]);
	net_address_parse("127.0.0.1", side == CLIENT ? port : port + 1, &each->rtcp[side]);
	load->call_at[port] = (guint16)(call + 1);
}

void
load_send(Load *load, guint call, const guint8 *data, gsize length)
{
	const NetAddress *to = &load->call[call].to[CLIENT];

	sendto(pair_of(load, call, CLIENT)->rtp, data, length, 0, &to->any, to->length);
}

/* --- what a packet says --- */

static void
write_payload(guint8 *payload, guint call, guint32 number)
{
	put32(payload, number);
	put32(payload + 4, call);
	for (guint i = 8; i < PAYLOAD; i++)
		payload[i] = (guint8)(number * 7 + i);
}

/* The payload in the clear: TRUE, and which packet it was. */
static gboolean
read_payload(Load *load, guint call, const guint8 *payload, guint32 *number)
{
	guint8 right[PAYLOAD];

	*number = get32(payload);
	write_payload(right, call, *number);
	if (memcmp(payload, right, PAYLOAD) == 0)
		return TRUE;
	load->wrong++;
	return FALSE;
}

/* A client's ears: TRUE when the packet was looked at and is right. */
static gboolean
open_packet(Load *load, guint call, const guint8 *data, gsize length, guint32 *number)
{
	_Alignas(8) guint8 copy[1600];

	memcpy(copy, data, length);
	if (protection_unprotect(load->call[call].opening, copy, &length) == PROTECTION_OK &&
	    length == PACKET)
		return read_payload(load, call, copy + RTP_HEADER, number);
	load->wrong++;
	return FALSE;
}

/* --- in --- */

static void
listen_to(Load *load, LoadSide side, guint index, const guint8 *data, gsize length, gint64 at_ns)
{
	LoadCall *call = &load->call[index];
	const guint32 stamp = get32(data + 4);
	guint32 number;
	gboolean right = FALSE;
	gint64 delay;

	if (side == TELEPHONE)
		right = length == PACKET && read_payload(load, index, data + RTP_HEADER, &number);
	else if (call->opening && call->heard[side] % LOOK_EVERY == 0)
		right = open_packet(load, index, data, length, &number);
	if (right && call->heard[side] == 0)
		call->moved[side] = stamp - number * PAYLOAD;
	if (!right && call->heard[side] == 0)
		return; /* none to reckon from */
	call->heard[side]++;
	number = (stamp - call->moved[side]) / PAYLOAD;
	if (!load->steady || call->number - number > LOAD_KEPT)
		return;
	delay = MAX(at_ns - call->sent_ns[!side][number % LOAD_KEPT], 0) / 1000;
	g_array_append_vals(load->delays, &(guint32){ (guint32)delay }, 1);
}

static void
take(Load *load, LoadSide side, const struct sockaddr_in *from, guint8 *data, gsize length,
     gint64 at_ns)
{
	const guint call = load->call_at[g_ntohs(from->sin_port)];

	switch (packet_kind(data, length)) {
	case PACKET_RTP:
		load->heard += call > 0;
		if (call > 0)
			listen_to(load, side, call - 1, data, length, at_ns);
		break;
	case PACKET_STUN:
	case PACKET_DTLS:
		if (side == CLIENT && call > 0 && load->other)
			load->other(load->user, call - 1, data, length);
		break;
	default:
		break;
	}
}

/* When it was there. */
static gint64
stamp_of(struct msghdr *header)
{
	for (struct cmsghdr *each = CMSG_FIRSTHDR(header); each; each = CMSG_NXTHDR(header, each)) {
		struct timespec at;

		if (each->cmsg_level != SOL_SOCKET || each->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&at, CMSG_DATA(each), sizeof at);
		return (gint64)at.tv_sec * 1000000000 + at.tv_nsec;
	}
	return 0;
}

static void
read_socket(Load *load, LoadSide side, int socket)
{
	static guint8 data[BATCH][1600];
	_Alignas(struct cmsghdr) guint8 control[BATCH][CMSG_SPACE(sizeof(struct timespec))];
	struct sockaddr_in from[BATCH];
	struct iovec parts[BATCH];
	struct mmsghdr messages[BATCH];
	int n;

	do {
		for (guint i = 0; i < BATCH; i++) {
			parts[i] = (struct iovec){ data[i], sizeof data[i] };
			messages[i].msg_hdr =
				(struct msghdr){ .msg_name = &from[i],
						 .msg_namelen = sizeof from[i],
						 .msg_iov = &parts[i],
						 .msg_iovlen = 1,
						 .msg_control = control[i],
						 .msg_controllen = sizeof control[i] };
		}
		n = recvmmsg(socket, messages, BATCH, MSG_DONTWAIT, NULL);
		for (int i = 0; i < n; i++)
			take(load, side, &from[i], data[i], messages[i].msg_len,
			     stamp_of(&messages[i].msg_hdr));
	} while (n == BATCH);
}

void
load_receive(Load *load)
{
	for (guint i = 0; i < LOAD_SOCKETS; i++)
		for (LoadSide side = CLIENT; side < SIDES; side++)
			read_socket(load, side, load->sockets[side][i].rtp);
}

static void
receive_some(Load *load, guint tick)
{
	for (guint i = tick % READ_EVERY; i < LOAD_SOCKETS; i += READ_EVERY)
		for (LoadSide side = CLIENT; side < SIDES; side++)
			read_socket(load, side, load->sockets[side][i].rtp);
}

/* Arrived, though there was no room: forwarded all the same. */
static guint64
dropped_by_us(const Load *load)
{
	guint64 dropped = 0;

	for (guint i = 0; i < SIDES * LOAD_SOCKETS; i++) {
		guint32 values[SK_MEMINFO_VARS] = { 0 };
		socklen_t length = sizeof values;

		getsockopt(load->sockets[i % SIDES][i / SIDES].rtp, SOL_SOCKET, SO_MEMINFO, values,
			   &length);
		dropped += values[SK_MEMINFO_DROPS];
	}
	return dropped;
}

/* --- out --- */

typedef struct {
	struct mmsghdr messages[BATCH];
	struct iovec parts[BATCH];
	gint64 *sent_ns[BATCH];
	_Alignas(8) guint8 data[BATCH][(PACKET + PROTECTION_TRAILER + 7) / 8 * 8];
	guint n;
} Batch;

static void
flush(Load *load, Batch *batch, int socket)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	for (guint i = 0; i < batch->n; i++)
		*batch->sent_ns[i] = (gint64)now.tv_sec * 1000000000 + now.tv_nsec;
	for (guint done = 0; done < batch->n;) {
		const int n = sendmmsg(socket, batch->messages + done, batch->n - done, 0);

		if (n <= 0)
			break;
		done += (guint)n;
		load->sent += (guint)n;
	}
	batch->n = 0;
}

static void
write_packet(guint8 *data, const LoadCall *call, guint index, guint32 ssrc)
{
	const RtpPacket packet = { .seq = call->seq, .timestamp = call->timestamp, .ssrc = ssrc };

	rtp_write_header(data, &packet);
	write_payload(data + RTP_HEADER, index, call->number);
}

static void
add(Batch *batch, LoadCall *call, guint index, LoadSide side)
{
	guint8 *data = batch->data[batch->n];
	gsize length = PACKET;

	write_packet(data, call, index, SSRC + 2 * index + side);
	batch->sent_ns[batch->n] = &call->sent_ns[side][call->number % LOAD_KEPT];
	if (side == CLIENT)
		protection_protect(call->protection, data, &length);
	batch->parts[batch->n] = (struct iovec){ data, length };
	batch->messages[batch->n].msg_hdr = (struct msghdr){ .msg_name = &call->to[side].any,
							     .msg_namelen = call->to[side].length,
							     .msg_iov = &batch->parts[batch->n],
							     .msg_iovlen = 1 };
	batch->n++;
}

static void
send_tick(Load *load, guint tick)
{
	static Batch batch;
	const guint first = tick % TICKS;

	for (LoadSide side = CLIENT; side < SIDES; side++) {
		for (guint i = first; i < load->calls; i += TICKS) {
			add(&batch, &load->call[i], i, side);
			if (batch.n == BATCH)
				flush(load, &batch, pair_of(load, first, side)->rtp);
		}
		flush(load, &batch, pair_of(load, first, side)->rtp);
	}
	for (guint i = first; i < load->calls; i += TICKS) {
		load->call[i].seq++;
		load->call[i].number++;
		load->call[i].timestamp += PAYLOAD;
	}
}

static void
report(Load *load, guint call, LoadSide side)
{
	_Alignas(8) guint8 data[RTCP_MAX_REPORT + PROTECTION_TRAILER];
	LoadCall *each = &load->call[call];
	const RtcpSender sender = { .ntp = rtcp_ntp(g_get_real_time()),
				    .timestamp = each->timestamp,
				    .packets = each->seq,
				    .bytes = each->seq * PAYLOAD };
	const RtcpReport ours = { .ssrc = SSRC + 2 * call + side,
				  .cname = "bench",
				  .sender = &sender };
	const UdpPair *pair = pair_of(load, call, side);
	gsize length = rtcp_write_report(data, RTCP_MAX_REPORT, &ours);

	if (side == CLIENT)
		protection_protect_rtcp(each->protection, data, &length);
	sendto(side == CLIENT ? pair->rtp : pair->rtcp, data, length, 0, &each->rtcp[side].any,
	       each->rtcp[side].length);
}

/* Once in 5 s each call has its turn. */
static void
now_and_then(Load *load, guint tick)
{
	const guint step = MAX(1, TICKS_5S / load->calls), call = tick % TICKS_5S / step;

	if (tick % step != 0 || call >= load->calls)
		return;
	for (LoadSide side = CLIENT; load->reports && side < SIDES; side++)
		report(load, call, side);
	if (load->check)
		load->check(load->user, call);
}

/* --- a run --- */

double
load_cpu_us(pid_t process)
{
	struct timespec used = { 0 };
	clockid_t clock;

	if (clock_getcpuclockid(process, &clock) != 0 || clock_gettime(clock, &used) != 0)
		g_error("the process measured has ended");
	return (double)used.tv_sec * 1e6 + (double)used.tv_nsec / 1e3;
}

static Mark
mark(const Load *load, pid_t measured)
{
	return (Mark){ .at = g_get_monotonic_time(),
		       .cpu = load_cpu_us(measured),
		       .sent = load->sent,
		       .heard = load->heard + dropped_by_us(load) };
}

static void
sleep_until(struct timespec *next)
{
	next->tv_nsec += TICK_US * 1000;
	if (next->tv_nsec >= 1000000000) {
		next->tv_sec++;
		next->tv_nsec -= 1000000000;
	}
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, next, NULL);
}

static gint
compare_delays(gconstpointer one, gconstpointer other)
{
	const guint32 a = *(const guint32 *)one, b = *(const guint32 *)other;

	return (a > b) - (a < b);
}

static double
delay_of(Load *load, double part)
{
	g_array_sort(load->delays, compare_delays);
	return load->delays->len ? g_array_index(load->delays, guint32,
						 (guint)((load->delays->len - 1) * part))
				 : 0;
}

Figure
load_run(Load *load, guint seconds, pid_t measured)
{
	const guint end = (WARM_S + seconds) * TICKS_S;
	const guint64 dropped_before = dropped_by_us(load);
	Mark first = { 0 }, last;
	struct timespec next;
	guint64 arrived;

	clock_gettime(CLOCK_MONOTONIC, &next);
	for (guint tick = 0; tick < end; tick++) {
		if (tick == WARM_S * TICKS_S) {
			first = mark(load, measured);
			load->steady = TRUE;
		}
		receive_some(load, tick);
		send_tick(load, tick);
		now_and_then(load, tick);
		sleep_until(&next);
	}
	last = mark(load, measured);
	load->steady = FALSE;
	for (guint i = 0; i < DRAIN_US / 1000; i++) {
		load_receive(load);
		g_usleep(1000);
	}
	arrived = load->heard + dropped_by_us(load) - dropped_before;
	return (Figure){
		.us = (last.cpu - first.cpu) / (double)MAX(last.heard - first.heard, 1),
		.calls = (double)(last.sent - first.sent) * 1e6 / (double)(last.at - first.at) /
			 (SIDES * PACKETS_S),
		.lost = 100.0 - 100.0 * (double)MIN(arrived, load->sent) / (double)load->sent,
		.p50 = delay_of(load, 0.5),
		.p99 = delay_of(load, 0.99),
		.wrong = load->wrong,
	};
}
