/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* callers.c - the load of bench/setup: calls through a gateway, begun at a steady rate.
 *
 *	callers SECRET SIP-PORT		the gateway's; says "ports XMPP CARRIER"
 *	callers --ng PORT		an rtpengine's; says "ready"
 *
 * It does what is said to it, a line at a time:
 *	run RATE MS	calls begin at that rate, and each talks so long, until:
 *	stop		no call begins any more; says "quiet BEGUN FAILED" when none is left
 *	stand N RATE	N calls that talk on; says "standing N FAILED"
 *	ring N RATE	N calls that only ring; says the same
 *	hold		every client holds; says "held N"
 *	packets N	each side of a call sends so many a second
 *	heard		says "packets SENT HEARD" and begins to count anew
 * While calls run it says "ended N" after the first and each 500 of them.
 */
#include "bench/callers.h"
#include <glib-unix.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#define TICK_MS	  5
#define SLICE	  500
#define PATIENCE  (20 * G_USEC_PER_SEC) /* from its beginning until it talks, and for its end */
#define CHECKS_S  5			/* each client checks once in so long: RFC 7675 */
#define MAX_BURST 50			/* calls in a tick, after a pause of the machine */

Caller callers[SLOTS];

static struct {
	gboolean ng;
	GQueue free;	/* slots */
	GQueue calls;	/* Caller *, not free, by their beginning */
	GQueue talking; /* Caller *, in the order in which they hang up */
	GPtrArray *up;	/* Caller * that have media */
	double rate, owed;
	gint64 talk_us, ticked_us;
	guint64 begun, ended, failed;
	guint to_stand, standing, held;
	gboolean rings_only, running, stopping;
	double packets_s, packets_owed, checks_owed;
	guint next_packet, next_check;
} load;

char *
text_between(const char *text, const char *end, const char *before, const char *after)
{
	const char *from = text ? strstr(text, before) : NULL, *to;

	if (!from || (end && from > end))
		return NULL;
	from += strlen(before);
	to = strstr(from, after);
	return to ? g_strndup(from, (gsize)(to - from)) : NULL;
}

static void G_GNUC_PRINTF(1, 2) tell(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	fflush(stdout);
}

/* --- which call --- */

Caller *
caller_at(guint slot)
{
	return slot < SLOTS && callers[slot].state != CALL_FREE ? &callers[slot] : NULL;
}

Caller *
caller_of_number(const char *number)
{
	if (!g_str_has_prefix(number, SLOT_PREFIX))
		return NULL;
	return caller_at((guint)strtoul(number + strlen(SLOT_PREFIX), NULL, 10) - NUMBER_BASE);
}

/* --- its life --- */

static void
begin_call(void)
{
	Caller *caller = g_queue_pop_head(&load.free);

	if (!caller)
		g_error("all slots are in use: calls do not end");
	load.begun++;
	caller->serial = load.begun;
	caller->origin = load.begun % 2 ? FROM_CLIENT : FROM_TELEPHONE;
	caller->user = (guint)(load.begun / 2 % USERS);
	caller->state = CALL_BEGUN;
	caller->rings_only = load.rings_only;
	caller->began_us = g_get_monotonic_time();
	g_queue_push_tail(&load.calls, caller);
	if (load.ng)
		ng_call(caller);
	else if (caller->origin == FROM_CLIENT)
		xmpp_call(caller);
	else
		sip_call(caller);
}

static void
leave_up(Caller *caller)
{
	Caller *last;

	if (!caller->client_up || !caller->telephone_up)
		return;
	last = g_ptr_array_index(load.up, load.up->len - 1);
	g_ptr_array_index(load.up, caller->place) = last;
	last->place = caller->place;
	g_ptr_array_set_size(load.up, (gint)load.up->len - 1);
}

static gboolean
say_quiet(void)
{
	if (!load.stopping || load.calls.length > 0)
		return FALSE;
	load.stopping = FALSE;
	tell("quiet %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT, load.begun, load.failed);
	return TRUE;
}

static void
free_call(Caller *caller)
{
	const guint slot = caller->slot;

	leave_up(caller);
	media_close(caller);
	g_queue_remove(&load.calls, caller);
	if (caller->state == CALL_TALKING)
		g_queue_remove(&load.talking, caller);
	g_free(caller->to);
	g_free(caller->contact);
	memset(caller, 0, sizeof *caller);
	caller->slot = slot;
	g_queue_push_tail(&load.free, caller);
	say_quiet();
}

static gboolean
free_later(gpointer caller)
{
	free_call(caller);
	return G_SOURCE_REMOVE;
}

/* Its slot may be in use further up on the stack. */
static void
end_call(Caller *caller)
{
	g_queue_remove(&load.talking, caller);
	caller->state = CALL_ENDING;
	caller->began_us = G_MAXINT64; /* no patience is needed any more */
	g_idle_add(free_later, caller);
}

void
caller_failed(Caller *caller, const char *why)
{
	if (caller->began_us == G_MAXINT64)
		return;
	if (load.failed++ < 5)
		fprintf(stderr, "callers: call %" G_GUINT64_FORMAT " from the %s failed: %s\n",
			caller->serial, caller->origin == FROM_CLIENT ? "client" : "telephone",
			why);
	end_call(caller);
}

static void
say_standing(void)
{
	if (load.to_stand && load.standing + load.failed >= load.to_stand) {
		tell("standing %u %" G_GUINT64_FORMAT, load.standing, load.failed);
		load.to_stand = 0;
	}
}

void
caller_rings(Caller *caller)
{
	load.standing++;
	caller->began_us = G_MAXINT64 - 1;
	say_standing();
}

void
caller_is_up(Caller *caller, gboolean client)
{
	if (client ? caller->client_up : caller->telephone_up)
		return;
	*(client ? &caller->client_up : &caller->telephone_up) = TRUE;
	if (!caller->client_up || !caller->telephone_up)
		return;
	caller->state = CALL_TALKING;
	caller->hang_up_us = load.to_stand ? G_MAXINT64 : g_get_monotonic_time() + load.talk_us;
	caller->place = load.up->len;
	g_ptr_array_add(load.up, caller);
	g_queue_push_tail(&load.talking, caller);
	load.standing++;
	say_standing();
}

void
caller_is_held(Caller *caller)
{
	if (++load.held == load.up->len)
		tell("held %u", load.held);
}

static void
hang_up(Caller *caller)
{
	caller->state = CALL_ENDING;
	caller->began_us = g_get_monotonic_time();
	if (load.ng)
		ng_hang_up(caller);
	else if (caller->origin == FROM_CLIENT)
		xmpp_hang_up(caller);
	else
		sip_hang_up(caller);
}

void
caller_is_over(Caller *caller, gboolean client)
{
	*(client ? &caller->client_over : &caller->telephone_over) = TRUE;
	if (!caller->client_over || !caller->telephone_over)
		return;
	if (caller->state != CALL_ENDING) {
		caller_failed(caller, "the gateway has ended it");
		return;
	}
	if (caller->began_us == G_MAXINT64)
		return;
	if (load.running && load.ended++ % SLICE == 0)
		tell("ended %" G_GUINT64_FORMAT, load.ended - 1);
	end_call(caller);
}

/* --- the clock --- */

static void
begin_some(double seconds)
{
	load.owed = MIN(load.owed + load.rate * seconds, MAX_BURST);
	while (load.owed >= 1 && (load.running || load.to_stand > 0)) {
		load.owed--;
		begin_call();
		if (load.to_stand > 0 && load.begun >= load.to_stand)
			load.rate = load.owed = 0;
	}
}

static void
hang_up_some(gint64 now)
{
	for (Caller *first;
	     (first = g_queue_peek_head(&load.talking)) && first->hang_up_us <= now;) {
		g_queue_pop_head(&load.talking);
		hang_up(first);
	}
}

/* Looks at the oldest calls: those that are late, and whose ICE has not begun to move. */
static void
look_after(gint64 now)
{
	for (GList *each = load.calls.head, *next; each; each = next) {
		Caller *caller = each->data;

		next = each->next;
		if (caller->state == CALL_TALKING || caller->began_us > now)
			continue;
		if (now - caller->began_us > PATIENCE)
			caller_failed(caller, caller->state == CALL_BEGUN ? "it does not come up"
									  : "it does not end");
		else if (caller->ufrag && !caller->selected)
			media_check(caller);
	}
}

static void
take_turns(double *owed, double due, guint *next, void (*turn)(Caller *))
{
	*owed += due * load.up->len;
	if (*owed > load.up->len)
		*owed = load.up->len;
	for (; *owed >= 1; --*owed)
		turn(g_ptr_array_index(load.up, ++*next % load.up->len));
}

static gboolean
tick(gpointer user)
{
	static guint ticks;
	const gint64 now = g_get_monotonic_time();
	const double seconds = (double)(now - load.ticked_us) / G_USEC_PER_SEC;

	load.ticked_us = now;
	begin_some(seconds);
	hang_up_some(now);
	take_turns(&load.packets_owed, seconds * load.packets_s, &load.next_packet, media_send);
	take_turns(&load.checks_owed, seconds / CHECKS_S, &load.next_check, media_check);
	if (ticks++ % (100 / TICK_MS) == 0)
		look_after(now);
	return G_SOURCE_CONTINUE;
}

/* --- what is said to it --- */

static void
hold_all(void)
{
	for (guint i = 0; i < load.up->len; i++)
		xmpp_hold(g_ptr_array_index(load.up, i));
}

static void
say_heard(void)
{
	tell("packets %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT, packets.sent, packets.heard);
	packets = (Packets){ 0 };
}

static void
obey(const char *line)
{
	g_auto(GStrv) words = g_strsplit(line, " ", -1);
	const double first = words[0] && words[1] ? atof(words[1]) : 0;
	const double second = words[0] && words[1] && words[2] ? atof(words[2]) : 0;

	if (strcmp(line, "stop") == 0) {
		load.running = FALSE;
		load.stopping = TRUE;
		say_quiet();
	} else if (strcmp(line, "hold") == 0) {
		hold_all();
	} else if (strcmp(line, "heard") == 0) {
		say_heard();
	} else if (g_str_has_prefix(line, "packets ")) {
		load.packets_s = first;
	} else if (g_str_has_prefix(line, "run ")) {
		load.running = TRUE;
		load.rate = first;
		load.talk_us = (gint64)(second * 1000);
	} else if (g_str_has_prefix(line, "stand ") || g_str_has_prefix(line, "ring ")) {
		load.rings_only = line[0] == 'r';
		load.to_stand = (guint)first;
		load.rate = second;
	} else {
		g_error("\"%s\" is no command", line);
	}
}

static gboolean
on_command(int fd, GIOCondition condition, gpointer user)
{
	char line[256];

	if (!fgets(line, sizeof line, stdin))
		exit(0);
	obey(g_strchomp(line));
	return G_SOURCE_CONTINUE;
}

int
main(int argc, char **argv)
{
	GMainLoop *loop = g_main_loop_new(NULL, FALSE);

	if (argc != 3) {
		fputs("usage: callers SECRET SIP-PORT | --ng PORT; see bench/callers.c\n", stderr);
		return 2;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* with the one who measures */
	load.ng = strcmp(argv[1], "--ng") == 0;
	load.up = g_ptr_array_new();
	load.ticked_us = g_get_monotonic_time();
	load.packets_s = 1;
	for (guint i = 0; i < SLOTS; i++) {
		callers[i].slot = i;
		g_queue_push_tail(&load.free, &callers[i]);
	}
	media_open();
	if (load.ng) {
		ng_open((guint16)atoi(argv[2]));
		tell("ready");
	} else {
		const guint carrier = sip_open((guint16)atoi(argv[2]));

		tell("ports %u %u", xmpp_listen(argv[1]), carrier);
	}
	setvbuf(stdin, NULL, _IONBF, 0); /* a line that came with another wakes nobody */
	g_unix_fd_add(STDIN_FILENO, G_IO_IN | G_IO_HUP, on_command, NULL);
	g_timeout_add(TICK_MS, tick, NULL);
	g_main_loop_run(loop);
	return 0;
}
