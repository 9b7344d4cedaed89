/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-call.c - conversations with the call table, compared with golden files.
 *
 * A transcript is script and expectation in one: "#" comments, "plan:" who is
 * called, "people:" whose accounts both sides are of, ">" what happens to the call, "<" what it
 * tells a leg or the media,
 * "=" the state in the store by then.  TRANSCRIPT_UPDATE=1 writes the files anew.
 * Every cell of the table must be met by some transcript.
 */
#include "tests/core/fake-leg.h"
#include "tests/core/fake-media.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
	Config *config;
	Store *store;
	Gateway *gateway;
	GString *out;
	gint64 id;	/* of the call */
	CallState said; /* last "=" */
	char *on_dial;	/* "callee2 answers PCMU": done inside of the dial of callee2 */
	const char *plan;
	char *caller, *called; /* accounts */
	gboolean from_trunk, for_help;
} World;

static World world;
static gboolean met[N_CALL_STATES][N_CALL_EVENTS];

static Call *
the_call(void)
{
	return world.gateway ? calls_find(world.gateway, world.id) : NULL;
}

/* --- what comes out --- */

static void
say_state(void)
{
	g_autoptr(CallRecord) record = NULL;

	if (world.id == 0)
		return;
	record = store_call_get(world.store, world.id, NULL);
	if (world.said != N_CALL_STATES && strcmp(record->state, call_state_name(world.said)) == 0)
		return;
	for (world.said = 0; world.said < N_CALL_STATES; world.said++)
		if (strcmp(record->state, call_state_name(world.said)) == 0)
			break;
	g_string_append_printf(world.out, "= %s\n", record->state);
}

static void
say_media(const char *command)
{
	say_state();
	g_string_append_printf(world.out, "< media: %s\n", command);
}

static void do_line(const char *line);

static void
in_command(FakeLeg *leg, const char *command, const char *what)
{
	g_autofree char *now = NULL;

	if (leg->leg.call && world.id == 0) /* a second call is another's */
		world.id = call_id(leg->leg.call);
	say_state();
	g_string_append_printf(world.out, "< %s: %s%s%s\n", leg->name, command, what ? " " : "",
			       what ? what : "");
	if (strcmp(command, "dial") == 0 && world.on_dial &&
	    g_str_has_prefix(world.on_dial, leg->name) && world.on_dial[strlen(leg->name)] == ' ') {
		now = g_steal_pointer(&world.on_dial);
		do_line(now);
	}
}

/* The time of day is not for a golden file. */
static void
in_notice(const char *account, const Address *number, const char *text)
{
	g_autoptr(GRegex) when =
		g_regex_new("\\d{4}-\\d\\d-\\d\\d at \\d\\d:\\d\\d [^ :]+", 0, 0, NULL);
	g_autofree char *from = address_text(number);
	g_autofree char *said = g_regex_replace_literal(when, text, -1, 0, "DATE", 0, NULL);

	say_state();
	g_string_append_printf(world.out, "< message to %s from %s: %s\n", account, from, said);
}

/* --- what goes in --- */

static TransportKind
kind_of(const FakeLeg *leg)
{
	return leg->leg.plugin->transport;
}

/* "PCMU PCMA sendonly at 5000" */
static Desc *
parse_desc(TransportKind kind, const char *text)
{
	static const Direction DIRECTIONS[] = { DIRECTION_SENDRECV, DIRECTION_SENDONLY,
						DIRECTION_RECVONLY, DIRECTION_INACTIVE };
	Direction direction = DIRECTION_SENDRECV;
	const char *at = strstr(text, "at ");

	for (guint i = 0; i < G_N_ELEMENTS(DIRECTIONS); i++)
		if (strstr(text, direction_name(DIRECTIONS[i])))
			direction = DIRECTIONS[i];
	return fake_desc(kind, text, direction, at ? (guint16)atoi(at + 3) : 7000);
}

static Plan *
parse_plan(const char *text)
{
	g_auto(GStrv) stages = g_strsplit(text, ",", -1);
	Plan *plan = g_new0(Plan, 1);

	plan->stages = g_ptr_array_new_with_free_func((GDestroyNotify)stage_free);
	plan->user = g_strdup(world.caller ? world.caller : "alice@example.org");
	plan->called = g_strdup(world.called);
	plan->number = g_strdup(world.for_help ? "112" : NULL);
	plan->wait_for_media = strstr(text, "no wait") == NULL;
	for (char **words = stages; *words; words++) {
		g_auto(GStrv) targets = g_strsplit(*words, "+", -1);
		Stage *stage = g_new0(Stage, 1);

		stage->targets = g_ptr_array_new_with_free_func((GDestroyNotify)target_free);
		stage->ring_seconds = 60;
		for (Reason reason = REASON_NONE + 1; reason < N_REASONS; reason++) {
			g_autofree char *after = g_strconcat("after ", reason_name(reason), NULL);

			if (strstr(*words, after))
				stage->forward_when = reason;
		}
		for (char **one = targets; *one; one++) {
			Target *target = g_new0(Target, 1);

			target->plugin = strstr(*one, "sip") ? &fake_sip : &fake_xmpp;
			if (strstr(*one, "trunk"))
				target->way = (Way){ WAY_TRUNK, .trunk = g_strdup("carrier") };
			target->account = g_strdup(target->way.trunk ? NULL : world.called);
			target->accept_early = strstr(*one, "early") != NULL;
			target->from = address_new(ADDRESS_NUMBER, "+15550001", NULL, NULL);
			target->to = address_new(
				ADDRESS_NUMBER,
				strstr(*one, "forgetful") ? "+15559999" : "+15550002", NULL, NULL);
			g_ptr_array_add(stage->targets, target);
		}
		g_ptr_array_add(plan->stages, stage);
	}
	return plan;
}

/* "second-caller calls by sip with PCMU": the called person's other call. */
static void
do_second_call(const char *line)
{
	g_autoptr(Desc) offer = parse_desc(TRANSPORT_RTP, strstr(line, "with "));
	g_autoptr(Address) from = address_from_jid(world.called);
	g_autoptr(Address) to = address_new(ADDRESS_NUMBER, "+15550002", NULL, NULL);
	Incoming incoming = { .from = from, .to = to, .offer = offer };
	g_autofree char *caller = g_steal_pointer(&world.caller);
	FakeLeg *leg = fake_leg_new("second-caller");
	Plan *plan;

	world.caller = g_strdup(world.called);
	plan = parse_plan("sip trunk");
	g_free(world.caller);
	world.caller = g_steal_pointer(&caller);
	call_new_near(world.gateway, &leg->leg, &fake_sip, &incoming, NULL, plan);
}

/* "second-caller takes callee over with PCMU" */
static void
do_take_over(const char *line)
{
	g_auto(GStrv) words = g_strsplit(line, " ", 5);
	gboolean sip = strstr(line, "by sip") != NULL;
	g_autoptr(Desc) offer =
		strstr(line, "with ")
			? parse_desc(sip ? TRANSPORT_RTP : TRANSPORT_WEBRTC, strstr(line, "with "))
			: NULL;
	FakeLeg *leg = fake_leg_new(words[0]), *replaced = fake_leg_find(words[2]);
	g_autoptr(Address) from = address_from_jid(world.called ? world.called : world.caller);
	g_autoptr(Address) to = address_new(ADDRESS_NUMBER, "+15550002", NULL, NULL);
	Incoming incoming = { .from = from, .to = to, .offer = offer };

	call_take_over(world.gateway, &leg->leg, sip ? &fake_sip : &fake_xmpp, &incoming,
		       &replaced->leg);
}

/* "callee transfers to +15550003", "callee transfers to second-caller" */
static void
do_transfer(const char *line)
{
	g_auto(GStrv) words = g_strsplit(line, " ", 4);
	const FakeLeg *with = fake_leg_find(words[3]);
	g_autoptr(Address) target = with ? NULL : address_new(ADDRESS_NUMBER, words[3], NULL, NULL);

	leg_transfer(&fake_leg_find(words[0])->leg, target, with ? &with->leg : NULL);
}

/* "sip caller calls with PCMU PCMA", "xmpp caller calls without an offer" */
static void
do_call(const char *line)
{
	const Plugin *plugin = g_str_has_prefix(line, "sip") ? &fake_sip : &fake_xmpp;
	const char *with = strstr(line, "with ");
	g_autoptr(Desc) offer = with ? parse_desc(plugin->transport, with + 5) : NULL;
	g_autoptr(Address) from = address_new(ADDRESS_NUMBER, "+15550001", NULL, NULL);
	g_autoptr(Address) to = address_new(ADDRESS_NUMBER, "+15550002", NULL, NULL);
	FakeLeg *leg = fake_leg_new("caller");
	Incoming incoming = {
		.from = from, .to = to, .trunk = world.from_trunk ? "carrier" : NULL, .offer = offer
	};
	guint before = calls_live(world.gateway);

	call_new_near(world.gateway, &leg->leg, plugin, &incoming, NULL, parse_plan(world.plan));
	if (calls_live(world.gateway) > before) {
		g_autoptr(GPtrArray) calls = calls_all(world.gateway);

		world.id = call_id(calls->pdata[calls->len - 1]);
	}
}

/* "unreached", "silent" or "description", and where. */
static void
explain(FakeLeg *leg, const char *text)
{
	static const struct {
		const char *name;
		LegFacts facts;
	} KINDS[] = {
		{ "unreached", { .fault = LEG_NOT_REACHED, .error = ECONNREFUSED } },
		{ "silent", { .fault = LEG_NO_RESPONSE } },
		{ "description", { .fault = LEG_BAD_DESCRIPTION, .detail = "no fingerprint" } },
	};
	g_auto(GStrv) words = g_strsplit(text, " ", 2);

	for (guint i = 0; i < G_N_ELEMENTS(KINDS); i++) {
		LegFacts facts = KINDS[i].facts;

		facts.hop = words[1];
		if (strcmp(words[0], KINDS[i].name) == 0)
			leg_explain(&leg->leg, &facts);
	}
}

static void
do_leg(const char *line)
{
	g_auto(GStrv) words = g_strsplit(line, " ", 3);
	const char *rest = words[1] && words[2] ? words[2] : "";
	FakeLeg *leg = fake_leg_find(words[0]);
	g_autoptr(Desc) desc = NULL;
	g_auto(GStrv) why = NULL;

	if (!leg)
		g_error("nobody of the name %s in \"%s\"", words[0], line);
	if (*rest && !g_str_has_prefix(rest, "without") && strcmp(words[1], "ends") != 0 &&
	    strcmp(words[1], "fails") != 0 && strcmp(words[1], "is") != 0 &&
	    strcmp(words[1], "explains") != 0)
		desc = parse_desc(kind_of(leg), rest);
	if (strcmp(words[1], "tries") == 0) {
		leg_trying(&leg->leg);
	} else if (strcmp(words[1], "rings") == 0) {
		leg_ringing(&leg->leg, desc);
	} else if (strcmp(words[1], "answers") == 0 || strcmp(words[1], "refuses") == 0) {
		leg_answered(&leg->leg, strcmp(words[1], "refuses") == 0 ? NULL : desc);
	} else if (strcmp(words[1], "changes") == 0) {
		leg_changed(&leg->leg, desc);
	} else if (strcmp(words[1], "candidate") == 0) {
		leg_candidate(&leg->leg, &(Candidate){ .foundation = "7" });
	} else if (strcmp(words[1], "digit") == 0) {
		leg_dtmf(&leg->leg, rest[0]);
	} else if (strcmp(words[1], "is") == 0) { /* "callee is unattended", "is muted" */
		if (strcmp(rest, "unattended") == 0)
			leg_unattended(&leg->leg);
		else
			leg_muted(&leg->leg, strcmp(rest, "muted") == 0);
	} else if (strcmp(words[1], "explains") == 0) { /* "callee explains refused by udp:…" */
		explain(leg, rest);
	} else if (strcmp(words[1], "fails") == 0) {
		why = g_strsplit(rest, " ", 2);
		fake_leg_fail(leg, reason_from_name(why[0]), why[1]);
	} else if (strcmp(words[1], "ends") == 0) {
		why = g_strsplit(rest, " ", 2);
		g_assert_cmpint(reason_from_name(why[0]), !=, REASON_NONE);
		fake_leg_end(leg, reason_from_name(why[0]), why[1]);
	} else {
		g_error("\"%s\" is not understood", line);
	}
}

static Call *
call_of_port(PortId port)
{
	g_autoptr(GPtrArray) calls = calls_all(world.gateway);

	for (guint i = 0; i < calls->len; i++) {
		Call *call = calls->pdata[i];

		if (call->caller->port == port)
			return call;
		for (guint j = 0; j < call->callees->len; j++)
			if (((Party *)call->callees->pdata[j])->port == port)
				return call;
	}
	return the_call();
}

static void
do_media(const char *line)
{
	static const char *const LOSSES[] = { "setup",	     "ice",	     "dtls",
					      "fingerprint", "consent",	     "rtp",
					      "silent",	     "no-candidate", "no-checks",
					      "password",    "dtls-silent",  "dtls-refused" };
	static const struct {
		const char *name;
		MediaSilence silence;
	} FAULTS[] = {
		{ "heard", { .fault = MEDIA_HEARD } },
		{ "silent", { .fault = MEDIA_SILENT, .silent_ms = 7000 } },
		{ "stopped", { .fault = MEDIA_SILENT, .ever = TRUE, .reports = TRUE } },
		{ "vanished", { .fault = MEDIA_SILENT, .ever = TRUE } },
		{ "lost", { .fault = MEDIA_SILENT, .ever = TRUE, .sent = TRUE, .reports = TRUE } },
		{ "silent-for-long",
		  { .fault = MEDIA_SILENT, .ever = TRUE, .silent_ms = 60000, .absent_ms = 60000 } },
		{ "muted-for-long",
		  { .fault = MEDIA_SILENT, .ever = TRUE, .reports = TRUE, .silent_ms = 60000 } },
		{ "refused", { .fault = MEDIA_REFUSED } },
		{ "undecryptable", { .fault = MEDIA_REFUSED, .auth = TRUE } },
		{ "unreadable", { .fault = MEDIA_REFUSED, .codec = TRUE } },
		{ "unheard", { .fault = MEDIA_UNHEARD } },
	};
	g_auto(GStrv) words = g_strsplit(line, " ", 5);
	PortId port = words[2] ? (PortId)atoi(words[2]) : 0;
	const Call *call = strcmp(words[1], "load") == 0 ? NULL : call_of_port(port);

	if (strcmp(words[1], "load") == 0) { /* "media load 90" */
		fake_media.load = port;
	} else if (strcmp(words[1], "ready") == 0) {
		fake_media_deliver();
	} else if (strcmp(words[1], "up") == 0) {
		fake_media_up(call->media, port);
	} else if (strcmp(words[1], "candidate") == 0) {
		fake_media_candidate(call->media, port);
	} else if (strcmp(words[1], "lost") == 0) {
		for (guint i = 0; i < G_N_ELEMENTS(LOSSES); i++)
			if (strcmp(words[3], LOSSES[i]) == 0)
				fake_media_lost(call->media, port, i, words[4]);
	} else if (strcmp(words[1], "audio") == 0) { /* "media audio 2 silent nothing comes" */
		for (guint i = 0; i < G_N_ELEMENTS(FAULTS); i++)
			if (strcmp(words[3], FAULTS[i].name) == 0)
				fake_media_one_way(call->media, port, &FAULTS[i].silence, words[4]);
	} else {
		g_error("\"%s\" is not understood", line);
	}
}

/* Somebody who may call out. */
static void
add_person(const char *jid)
{
	g_autofree char *number = g_strdup_printf("+1415555%04u", (guint)jid[0]);

	g_assert_true(store_user_add(world.store, jid, NULL));
	g_assert_true(store_number_add(world.store, number, jid, NULL));
}

/* "alice@example.org calls bob@example.org", "a trunk calls bob@example.org" */
static void
set_people(const char *line)
{
	g_auto(GStrv) sides = g_strsplit(line, " calls ", 2);

	world.from_trunk = strcmp(sides[0], "a trunk") == 0;
	world.for_help = strcmp(sides[1], "for help") == 0;
	if (strcmp(sides[1], "a number") != 0 && !world.for_help)
		world.called = g_strdup(sides[1]);
	if (!world.from_trunk)
		world.caller = g_strdup(sides[0]);
	if (world.called)
		add_person(world.called);
	if (world.caller)
		add_person(world.caller);
}

/* "settings of bob@example.org: missed-call-messages=off" */
static void
do_settings(const char *line)
{
	g_auto(GStrv) words = g_strsplit_set(line, " :=", -1);

	g_assert_true(store_setting_set(world.store, words[0], words[2], words[3], NULL));
}

/* "bob@example.org/phone has lost 150", of 10,000 packets */
static void
do_lost(const char *line)
{
	g_auto(GStrv) words = g_strsplit(line, " ", 4);
	g_autofree char *account = g_strndup(line, strcspn(line, "/"));
	CallLoss loss = { g_get_real_time() / G_USEC_PER_SEC, (guint)atoi(words[3]) };

	g_assert_true(store_loss_add(world.store, account, words[0], &loss, NULL));
}

static void
do_line(const char *line)
{
	if (strstr(line, "second-caller calls "))
		do_second_call(line);
	else if (strstr(line, " takes "))
		do_take_over(line);
	else if (strstr(line, " transfers to "))
		do_transfer(line);
	else if (strcmp(line, "the loop turns") == 0)
		while (g_main_context_iteration(NULL, FALSE))
			;
	else if (strstr(line, "caller calls "))
		do_call(line);
	else if (g_str_has_prefix(line, "media "))
		do_media(line);
	else if (strcmp(line, "time is up") == 0)
		call_expire(the_call());
	else if (strcmp(line, "the operator hangs up") == 0)
		call_hangup(the_call(), REASON_ADMIN, NULL);
	else if (strstr(line, " has lost "))
		do_lost(line);
	else if (g_str_has_prefix(line, "settings of "))
		do_settings(line + strlen("settings of "));
	else if (g_str_has_prefix(line, "inside of the dial: "))
		world.on_dial = g_strdup(line + strlen("inside of the dial: "));
	else
		do_leg(line);
}

/* The step of the core, which notes first which cell it is about. */
static void
note_step(Call *call, const CallEvent *event)
{
	if (call->state != CALL_ENDED && !call_is_stale(call, event))
		met[call->state][event->kind] = TRUE;
	call_step(call, event);
}

static void
say_record(void)
{
	g_autoptr(CallRecord) record = NULL;
	g_auto(GStrv) stats = NULL;

	if (world.id == 0)
		return;
	record = store_call_get(world.store, world.id, NULL);
	g_assert_nonnull(record->reason);
	g_assert_cmpstr(record->legs, ==, "");
	g_assert_cmpint(record->ended_us, !=, 0);
	stats = g_strsplit(record->stats ? record->stats : "", "\n", -1);
	g_string_append_printf(world.out, "record: %s by the %s, %s, %u ports: %s\n",
			       record->reason, record->ended_by,
			       record->answered_us ? "answered" : "not answered",
			       MAX(g_strv_length(stats), 1) - 1, record->text);
}

static void
play(const char *script)
{
	g_auto(GStrv) lines = g_strsplit(script, "\n", -1);

	for (char **line = lines; *line; line++) {
		if (g_str_has_prefix(*line, "plan: "))
			world.plan = *line + strlen("plan: ");
		if (g_str_has_prefix(*line, "people: "))
			set_people(*line + strlen("people: "));
		if (g_str_has_prefix(*line, "#") || g_str_has_prefix(*line, "plan: ") ||
		    g_str_has_prefix(*line, "people: "))
			g_string_append_printf(world.out, "%s\n", *line);
		if (!g_str_has_prefix(*line, "> "))
			continue;
		g_string_append_printf(world.out, "%s\n", *line);
		do_line(*line + 2);
		say_state();
	}
	world.plan = NULL;
}

/* --- the tests --- */

static void
set_up(void)
{
	static const char CONFIG[] =
		"[gateway]\nplugins=echo\n[limits]\nmax_setup_per_second=100000\n";
	g_autoptr(GError) error = NULL;
	g_autoptr(Trunk) trunk = NULL;

	world = (World){ .said = N_CALL_STATES, .out = g_string_new(NULL) };
	world.config = config_from_text(CONFIG, "test", &error);
	g_assert_no_error(error);
	world.store = store_open(":memory:", &error);
	g_assert_no_error(error);
	/* the numbers of the transcripts are in no plan */
	g_assert_true(store_route_del(world.store, "other", NULL));
	world.gateway = core_new(world.config, world.store, NULL);
	call_list_free(gateway_parts(world.gateway)->calls);
	gateway_parts(world.gateway)->calls = call_list_new(note_step);
	trunk = trunk_new("carrier", "192.0.2.50");
	g_assert_true(store_trunk_add(world.store, trunk, NULL));
	fake_legs_reset();
	fake_media_reset();
	fake_media.hold_up = TRUE;
	fake_media.load = 0;
	fake_media.say = say_media;
	fake_legs.in_command = in_command;
	fake_legs.in_notice = in_notice;
	g_assert_true(gateway_add_plugin(world.gateway, &fake_sip, &error));
	g_assert_true(gateway_add_plugin(world.gateway, &fake_xmpp, &error));
}

static void
tear_down(void)
{
	fake_legs.in_command = NULL;
	fake_media.say = NULL;
	core_free(world.gateway);
	g_assert_cmpuint(fake_media.open, ==, 0);
	g_assert_cmpuint(fake_media.ports, ==, 0);
	g_assert_cmpuint(fake_legs.legs->len, ==, 0);
	store_close(world.store);
	config_free(world.config);
	g_string_free(world.out, TRUE);
	g_free(world.on_dial);
	g_free(world.caller);
	g_free(world.called);
	world = (World){ 0 };
}

static void
test_transcript(gconstpointer path)
{
	g_autofree char *script = NULL;
	g_autoptr(GError) error = NULL;

	g_file_get_contents(path, &script, NULL, &error);
	g_assert_no_error(error);
	set_up();
	play(script);
	fake_media_deliver(); /* the last counters */
	if (the_call())
		g_string_append(world.out, "record: none, the call has not ended\n");
	else
		say_record();
	if (g_getenv("TRANSCRIPT_UPDATE"))
		g_file_set_contents(path, world.out->str, -1, &error);
	else
		g_assert_cmpstr(world.out->str, ==, script);
	g_assert_no_error(error);
	tear_down();
}

/* Every cell that is not empty has been met by a transcript: no row was forgotten. */
static void
test_all_cells(gconstpointer data)
{
	const GPtrArray *paths = data;
	g_autofree char *table = call_table_markdown();
	g_auto(GStrv) lines = g_strsplit(table, "\n", -1);

	for (guint i = 0; i < paths->len; i++) {
		g_autofree char *script = NULL;

		g_assert_true(g_file_get_contents(paths->pdata[i], &script, NULL, NULL));
		set_up();
		play(script);
		tear_down();
	}
	for (guint state = 0; state < N_CALL_STATES; state++) {
		g_auto(GStrv) cells = g_strsplit(lines[state + 2], "|", -1);

		for (guint event = 0; event < N_CALL_EVENTS; event++)
			if (*g_strstrip(cells[event + 2]) && !met[state][event]) {
				g_test_message("%s: column %u is met by no transcript",
					       call_state_name(state), event);
				g_test_fail();
			}
	}
}

int
main(int argc, char **argv)
{
	g_autofree char *folder = NULL;
	g_autoptr(GDir) dir = NULL;
	g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
	const char *name;

	g_test_init(&argc, &argv, NULL);
	folder = g_test_build_filename(G_TEST_DIST, "core", "transcripts", NULL);
	dir = g_dir_open(folder, 0, NULL);
	g_assert_nonnull(dir); /* G_TEST_SRCDIR is the folder tests */
	while ((name = g_dir_read_name(dir)))
		g_ptr_array_add(paths, g_build_filename(folder, name, NULL));
	for (guint i = 0; i < paths->len; i++) {
		g_autofree char *base = g_path_get_basename(paths->pdata[i]);
		g_autofree char *test = g_strconcat("/call/", base, NULL);

		g_test_add_data_func(test, paths->pdata[i], test_transcript);
	}
	g_test_add_data_func("/call/every-cell-is-met", paths, test_all_cells);
	return g_test_run();
}
