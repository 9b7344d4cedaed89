/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_leg.c - what ringing and talking have in common. */
#include "plugins/xmpp/xmpp_leg.h"
#include "plugins/xmpp/xmpp_reason.h"
#include <string.h>

#define LINGER_MS 30000 /* how long a leg that is over answers strays */

/* --- life --- */

static void
fork_free(gpointer data)
{
	XmppFork *fork = data;

	xmpp_iq_forget(fork->leg->xmpp->iq, fork);
	g_free(fork->jid);
	g_free(fork->sid);
	g_free(fork);
}

XmppLeg *
xmpp_leg_new(Xmpp *xmpp, const char *local, const char *sid)
{
	XmppLeg *leg = g_new0(XmppLeg, 1);

	leg->xmpp = xmpp;
	leg->local = g_strdup(local);
	leg->sid = g_strdup(sid);
	leg->late = g_array_new(FALSE, FALSE, sizeof(Candidate));
	leg->forks = g_ptr_array_new_with_free_func(fork_free);
	leg->keys = g_ptr_array_new_with_free_func(g_free);
	leg->live_keys = g_ptr_array_new_with_free_func(g_free);
	leg->may_ring = g_ptr_array_new_with_free_func(g_free);
	leg->began_us = g_get_monotonic_time();
	g_hash_table_add(xmpp->legs, leg);
	return leg;
}

void
xmpp_leg_free(XmppLeg *leg)
{
	for (guint i = 0; i < leg->keys->len; i++)
		if (g_hash_table_lookup(leg->xmpp->sessions, leg->keys->pdata[i]) == leg)
			g_hash_table_remove(leg->xmpp->sessions, leg->keys->pdata[i]);
	g_hash_table_remove(leg->xmpp->legs, leg);
	xmpp_find_remove(leg);
	g_ptr_array_unref(leg->live_keys);
	g_ptr_array_unref(leg->may_ring);
	g_ptr_array_unref(leg->forks);
	xmpp_iq_forget(leg->xmpp->iq, leg);
	g_ptr_array_unref(leg->keys);
	timer_clear(&leg->timer);
	xmpp_hold_stop(leg);
	g_array_unref(leg->late);
	transport_free(leg->fresh);
	jingle_free(leg->request);
	desc_unref(leg->ours);
	desc_unref(leg->theirs);
	g_free(leg->sid);
	g_free(leg->local);
	g_free(leg->peer);
	g_free(leg->peer_bare);
	g_free(leg->only);
	g_free(leg->content);
	g_free(leg->past_ufrag);
	g_free(leg->migrated);
	g_free(leg);
}

XmppFork *
xmpp_leg_fork(const XmppLeg *leg, const char *jid, const char *sid)
{
	for (guint i = 0; i < leg->forks->len; i++) {
		XmppFork *fork = leg->forks->pdata[i];

		if (g_str_equal(fork->jid, jid) && g_str_equal(fork->sid, sid))
			return fork;
	}
	return NULL;
}

void
xmpp_leg_set_peer(XmppLeg *leg, const char *jid)
{
	g_autoptr(Address) address = address_from_jid(jid);

	g_free(leg->peer);
	leg->peer = g_strdup(jid);
	leg_device(&leg->leg, jid);
	if (!leg->peer_bare && address)
		leg->peer_bare = address_bare_jid(address);
}

void
xmpp_leg_set_timer(XmppLeg *leg, guint ms, TimerFunc func)
{
	timer_clear(&leg->timer);
	if (func)
		timer_set(&leg->timer, ms, func, leg);
}

gboolean
xmpp_is_cut_off(const Xmpp *xmpp)
{
	return !xmpp_stream_is_up(xmpp->stream) && xmpp->outage == 0;
}

char *
xmpp_new_sid(void)
{
	return g_uuid_string_random();
}

/* --- stanzas out --- */

void
xmpp_leg_out(const XmppLeg *leg, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	if (xmpp_stream_is_up(leg->xmpp->stream))
		leg_trace(&leg->leg, TRACE_OUT, "%s", text);
	else
		leg_trace(&leg->leg, TRACE_NOTE, "waits for the XMPP server: %s", text);
}

void
xmpp_component_send(Xmpp *xmpp, xmlNode *stanza)
{
	g_autofree char *text = xml_print(stanza);

	xmpp_stream_send(xmpp->stream, text);
	xml_free(stanza);
}

void
xmpp_send_sure(Xmpp *xmpp, xmlNode *stanza)
{
	g_autofree char *text = xml_print(stanza);

	xmpp_stream_send_sure(xmpp->stream, text);
	xml_free(stanza);
}

void
xmpp_send_whenever(Xmpp *xmpp, xmlNode *stanza)
{
	g_autofree char *text = xml_print(stanza);

	xmpp_stream_send_whenever(xmpp->stream, text);
	xml_free(stanza);
}

void
xmpp_send_end(Xmpp *xmpp, xmlNode *stanza)
{
	g_autofree char *text = xml_print(stanza);

	xmpp_stream_send_end(xmpp->stream, text);
	xml_free(stanza);
}

/* Rule of all clients: some acknowledge late or not at all.  Nobody waits, so
 * the number in flight has no limit to fall over. */
static xmlNode *
unwatched_iq(const XmppRequest *request, xmlNode *jingle)
{
	static guint64 number;
	xmlNode *iq = xml_stanza_new("iq", "set", request->from, request->to);
	g_autofree char *id = g_strdup_printf("n%" G_GUINT64_FORMAT, ++number);

	xml_adopt(iq, jingle);
	xml_set(iq, "id", id);
	return iq;
}

void
xmpp_request(Xmpp *xmpp, const XmppRequest *request, xmlNode *jingle)
{
	xmlNode *iq = unwatched_iq(request, jingle);

	if (request->done)
		xmpp_iq_send(xmpp->iq, iq, request->done, request->user);
	else
		xmpp_send_sure(xmpp, iq);
}

void
xmpp_leg_request(XmppLeg *leg, xmlNode *jingle)
{
	XmppRequest request = { .from = leg->local, .to = leg->peer };

	xmpp_request(leg->xmpp, &request, jingle);
}

const char *
xmpp_leg_called(const XmppLeg *leg)
{
	return leg->only ? leg->only : leg->peer_bare;
}

void
xmpp_leg_say(XmppLeg *leg, const XmppSay *what)
{
	JmiBuild build = { .kind = what->kind,
			   .from = leg->local,
			   .to = what->to,
			   .id = leg->sid,
			   .reason = what->reason,
			   .text = what->text,
			   .nick = what->nick,
			   .migrated = what->migrated,
			   .alone = leg->only != NULL };

	xmpp_leg_out(leg, "%s%s%s%s", jmi_kind_name(what->kind), what->reason ? " " : "",
		     what->reason ? what->reason : "", what->migrated ? ": migrated" : "");
	if (what->kind == JMI_REJECT || what->kind == JMI_RETRACT || what->kind == JMI_FINISH)
		xmpp_send_end(leg->xmpp, jmi_build(&build));
	else
		xmpp_send_sure(leg->xmpp, jmi_build(&build));
}

void
xmpp_terminate(Xmpp *xmpp, const XmppRequest *whom, const char *sid, Reason reason,
	       const char *text)
{
	JingleSession session = { .sid = sid };
	JingleEnd end = { .reason = xmpp_reason_to_jingle(reason), .text = text };

	xmpp_send_end(xmpp, unwatched_iq(whom, jingle_build_terminate(&session, &end)));
}

/* --- endings --- */

static void
on_lingered(gpointer data)
{
	XmppLeg *leg = data;

	xmpp_leg_free(leg);
}

static void
set_over(XmppLeg *leg, Reason reason)
{
	leg->state = XMPP_OVER;
	leg->end_reason = reason;
	xmpp_find_remove(leg);
	xmpp_hold_stop(leg);
	g_ptr_array_set_size(leg->forks, 0);
	xmpp_leg_set_timer(leg, LINGER_MS, on_lingered);
}

static void
terminate_session(XmppLeg *leg, Reason reason, const char *text)
{
	XmppRequest whom = { .from = leg->local, .to = leg->peer };
	XmppSay finish = { .kind = JMI_FINISH,
			   .to = leg->peer,
			   .reason = xmpp_reason_to_jingle(reason),
			   .text = text };

	if (reason == REASON_ANSWERED_ELSEWHERE && leg->migrated) { /* in mid-call: no failure */
		reason = REASON_HANGUP;
		finish.reason = "expired";
		finish.migrated = leg->migrated;
	}
	xmpp_leg_out(leg, "session-terminate %s", xmpp_reason_to_jingle(reason));
	xmpp_terminate(leg->xmpp, &whom, leg->sid, reason, text);
	if (leg->jmi)
		xmpp_leg_say(leg, &finish);
}

static void
stop_ringing(XmppLeg *leg, Reason reason, const char *text)
{
	XmppSay retract = { .kind = JMI_RETRACT,
			    .to = xmpp_leg_called(leg),
			    .reason = xmpp_reason_to_jingle(reason),
			    .text = text };

	if (!leg->no_propose)
		xmpp_leg_say(leg, &retract);
	for (guint i = 0; i < leg->forks->len; i++) {
		XmppFork *fork = leg->forks->pdata[i];
		XmppRequest whom = { .from = leg->local, .to = fork->jid };

		if (fork->dead)
			continue;
		xmpp_leg_out(leg, "session-terminate %s to %s", xmpp_reason_to_jingle(reason),
			     fork->jid);
		xmpp_terminate(leg->xmpp, &whom, fork->sid, reason, text);
	}
}

void
xmpp_leg_goodbye(XmppLeg *leg, Reason reason, const char *text)
{
	XmppSay say = { .kind = JMI_REJECT,
			.to = leg->peer,
			.reason = leg->refusal ? leg->refusal : xmpp_reason_to_jingle(reason),
			.text = text };

	switch (leg->state) {
	case XMPP_PROPOSED:
		xmpp_leg_say(leg, &say);
		break;
	case XMPP_PROCEEDED:
		/* His session-initiate is on its way; it will be terminated as well. */
		say.kind = JMI_FINISH;
		xmpp_leg_say(leg, &say);
		break;
	case XMPP_OFFERED:
	case XMPP_INITIATED:
	case XMPP_TALKING:
		terminate_session(leg, reason, text);
		break;
	case XMPP_RINGING:
		stop_ringing(leg, reason, text);
		break;
	default:
		break;
	}
	if (leg->state != XMPP_OVER)
		set_over(leg, reason);
}

void
xmpp_leg_over(XmppLeg *leg, Reason reason, const char *text)
{
	if (leg->state == XMPP_OVER)
		return;
	set_over(leg, reason);
	leg_ended(&leg->leg, reason, text);
}

void
xmpp_leg_part(XmppLeg *leg, Reason reason, const char *text)
{
	if (leg->state == XMPP_OVER)
		return;
	xmpp_leg_goodbye(leg, reason, text);
	leg_ended(&leg->leg, reason, text);
}

void
xmpp_leg_fail(XmppLeg *leg, Reason reason, LegFault fault, const char *detail)
{
	if (leg->state == XMPP_OVER)
		return;
	xmpp_leg_goodbye(leg, reason, detail);
	leg_explain(&leg->leg, &(LegFacts){ .fault = fault, .detail = detail });
	leg_failed(&leg->leg, reason, NULL);
}

/* --- across a crash ---
 *
 * A list of things to say, "what,from,to,sid" each, joined with ";".
 */

static void
save_one(GString *list, const char *what, const XmppRequest *whom, const char *sid)
{
	const char *parts[] = { whom->from, whom->to, sid };

	g_string_append_printf(list, "%s%s", list->len ? ";" : "", what);
	for (guint i = 0; i < G_N_ELEMENTS(parts); i++) {
		g_autofree char *part = g_uri_escape_string(parts[i], "@/+", FALSE);

		g_string_append_printf(list, ",%s", part);
	}
}

char *
xmpp_leg_save(const Leg *base)
{
	const XmppLeg *leg = (const XmppLeg *)base;
	XmppRequest whom = { .from = leg->local, .to = leg->peer };
	XmppRequest bare = { .from = leg->local, .to = leg->peer_bare };
	GString *list = g_string_new(NULL);

	if (leg->state == XMPP_PROPOSED)
		save_one(list, "reject", &whom, leg->sid);
	if (leg->state == XMPP_RINGING && !leg->no_propose)
		save_one(list, "retract", &bare, leg->sid);
	if (leg->state == XMPP_OFFERED || leg->state == XMPP_INITIATED ||
	    leg->state == XMPP_TALKING || leg->state == XMPP_PROCEEDED) {
		save_one(list, "terminate", &whom, leg->sid);
		if (leg->jmi)
			save_one(list, "finish", &whom, leg->sid);
	}
	for (guint i = 0; i < leg->forks->len; i++) {
		const XmppFork *fork = leg->forks->pdata[i];

		whom.to = fork->jid;
		if (!fork->dead)
			save_one(list, "terminate", &whom, fork->sid);
	}
	return g_string_free(list, list->len == 0);
}

static void
bury_one(Xmpp *xmpp, char **fields, Reason reason)
{
	static const struct {
		const char *name;
		JmiKind kind;
	} messages[] = { { "reject", JMI_REJECT },
			 { "retract", JMI_RETRACT },
			 { "finish", JMI_FINISH } };
	g_autofree char *from = g_uri_unescape_string(fields[1], NULL);
	g_autofree char *to = g_uri_unescape_string(fields[2], NULL);
	g_autofree char *sid = g_uri_unescape_string(fields[3], NULL);
	XmppRequest whom = { .from = from, .to = to };

	if (!from || !to || !sid)
		return;
	if (g_str_equal(fields[0], "terminate"))
		xmpp_terminate(xmpp, &whom, sid, reason, NULL);
	for (guint i = 0; i < G_N_ELEMENTS(messages); i++) {
		JmiBuild build = { .kind = messages[i].kind,
				   .from = from,
				   .to = to,
				   .id = sid,
				   .reason = xmpp_reason_to_jingle(reason) };

		if (g_str_equal(fields[0], messages[i].name))
			xmpp_send_end(xmpp, jmi_build(&build));
	}
}

void
xmpp_leg_bury(Xmpp *xmpp, const char *saved, Reason reason)
{
	g_auto(GStrv) things = g_strsplit(saved, ";", -1);

	for (char **thing = things; *thing; thing++) {
		g_auto(GStrv) fields = g_strsplit(*thing, ",", -1);

		if (g_strv_length(fields) == 4)
			bury_one(xmpp, fields, reason);
	}
}

/* --- descriptions --- */

Desc *
xmpp_desc_like(const Desc *desc, Direction direction, const Transport *transport)
{
	const Stream *from = desc_audio(desc);
	Desc *copy = desc_new();
	Stream *to = desc_add_stream(copy, STREAM_AUDIO, from ? from->mid : NULL);

	copy->bundle = desc->bundle;
	to->direction = direction;
	transport_free(to->transport);
	to->transport = transport_copy(transport);
	if (!from)
		return copy;
	to->ptime = from->ptime;
	for (guint i = 0; i < from->codecs->len; i++) {
		const Codec *codec = from->codecs->pdata[i];
		Codec *added =
			stream_add_codec(to, codec->pt, codec->name, codec->rate, codec->channels);

		for (guint j = 0; j < codec->params->len; j++) {
			const CodecParam *param = codec->params->pdata[j];

			codec_add_param(added, param->name, param->value);
		}
	}
	return copy;
}
