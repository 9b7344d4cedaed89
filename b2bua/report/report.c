/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* report.c - see report.h. */
#include "b2bua/report/report.h"
#include <string.h>
#include "b2bua/report/html.h"
#include "b2bua/reason.h"
#include "b2bua/trace.h"
#include "b2bua/why/cause.h"

static const char STYLE[] =
	":root{--ink:#1d2329;--faint:#69737d;--line:#d5dbe1;--from:#0b62c4;--to:#b4530a;"
	"--bad:#b3261e;--paper:#fff;--box:#f5f7f9}\n"
	"@media (prefers-color-scheme:dark){:root{--ink:#e4e8ec;--faint:#9aa5b0;--line:#3b444d;"
	"--from:#6fb1ff;--to:#f2a25c;--bad:#ff8a80;--paper:#14181c;--box:#1d2329}}\n"
	"body{font:15px/1.45 system-ui,sans-serif;color:var(--ink);background:var(--paper);"
	"max-width:1040px;margin:2em auto;padding:0 1em}\n"
	"h1{font-size:1.35em;overflow-wrap:anywhere;margin-bottom:.2em}h2{font-size:1.1em;"
	"margin:1.8em 0 .4em}\n"
	".hint{color:var(--faint);margin:.2em 0}\n"
	".why{border-left:4px solid var(--from);background:var(--box);padding:.6em 1em;"
	"margin:1em 0;overflow-wrap:anywhere}.why.bad{border-color:var(--bad)}\n"
	".why p{margin:.25em 0}\n"
	"table{border-collapse:collapse}th{text-align:left;font-weight:600;color:var(--faint);"
	"vertical-align:top}td,th{padding:.18em .9em .18em 0;overflow-wrap:anywhere}\n"
	".grid td,.grid th{border-bottom:1px solid var(--line)}.number{text-align:right;"
	"font-variant-numeric:tabular-nums}\n"
	".scroll{overflow-x:auto}\n"
	"svg{width:100%;height:auto;display:block}svg text{fill:var(--ink);font:12px ui-monospace,"
	"\"DejaVu Sans Mono\",\"Liberation Mono\",monospace;unicode-bidi:isolate}\n"
	".ladder .time{fill:var(--faint);text-anchor:end;font-size:11px}.ladder .media{"
	"fill:var(--faint)}.ladder .core{font-weight:700}.ladder .head{font-weight:700;"
	"font-size:13px}\n"
	".start{text-anchor:start}.middle{text-anchor:middle}.end{text-anchor:end}\n"
	".life{stroke:var(--line);stroke-width:2}.gap{stroke:var(--line);stroke-dasharray:2 5}"
	".arrow{stroke:var(--from);stroke-width:1.3}.tip{fill:var(--from)}\n"
	".charts{display:grid;grid-template-columns:1fr 1fr;gap:.4em 1.2em}\n"
	"@media (max-width:700px){.charts{grid-template-columns:1fr}}\n"
	".chart .title{font-weight:700}.chart .label{fill:var(--faint);font-size:10px;"
	"text-anchor:end}.chart .first{text-anchor:start}\n"
	".axis{stroke:var(--faint);fill:none}.rule{stroke:var(--line);fill:none}"
	".curve{fill:none;stroke-width:1.6}.curve.from{stroke:var(--from)}"
	".curve.to{stroke:var(--to)}circle.from{fill:var(--from)}circle.to{fill:var(--to)}"
	"span.from{color:var(--from)}span.to{color:var(--to)}\n";

/* --- the head --- */

static char *
time_text(gint64 us)
{
	g_autoptr(GDateTime) time =
		us > 0 ? g_date_time_new_from_unix_local(us / G_USEC_PER_SEC) : NULL;

	return time ? g_date_time_format(time, "%Y-%m-%d %H:%M:%S %z") : NULL;
}

static char *
duration_text(const CallRecord *record)
{
	const gint64 us = record->ended_us - record->answered_us;

	if (!record->answered_us || !record->ended_us || us < 0)
		return NULL;
	return g_strdup_printf("%" G_GINT64_FORMAT " min %02d s", us / G_USEC_PER_SEC / 60,
			       (int)(us / G_USEC_PER_SEC % 60));
}

static void
append_head(GString *out, const CallRecord *record)
{
	g_string_append_printf(
		out,
		"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
		"<meta name=\"viewport\" content=\"width=device-width\"/>\n"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"" REPORT_POLICY
		"\"/>\n<meta name=\"referrer\" content=\"no-referrer\"/>\n"
		"<title>Call %" G_GINT64_FORMAT "</title>\n<style>\n",
		record->id);
	g_string_append(out, STYLE);
	g_string_append_printf(
		out, "</style>\n</head>\n<body>\n<h1>Call %" G_GINT64_FORMAT ": <bdi>", record->id);
	html_text(out, record->caller);
	g_string_append(out, "</bdi> to <bdi>");
	html_text(out, record->callee);
	g_string_append(out, "</bdi></h1>\n");
}

/* --- why --- */

gboolean
report_is_bad(const CallRecord *record)
{
	const Reason reason = reason_from_name(record->reason);

	switch (reason) {
	case REASON_NONE:
	case REASON_CANCELLED:
	case REASON_ANSWERED_ELSEWHERE:
	case REASON_TRANSFERRED:
		return FALSE;
	case REASON_HANGUP:
		return g_strcmp0(record->text, reason_sentence(reason)) != 0;
	default:
		return TRUE;
	}
}

static void
append_why(GString *out, const CallRecord *record, const char *trouble)
{
	const char *text = trouble ? trouble : record->text;
	const char *remedy = text ? cause_remedy_in(text) : NULL;
	g_autofree char *why = NULL;

	if (!text)
		text = record->ended_us ? "no reason is recorded"
					: "the call is up; nothing is wrong with it so far";
	why = remedy ? g_strndup(text, (gsize)(remedy - text)) : g_strdup(text);
	g_string_append_printf(out, "<div class=\"why%s\">\n<p>",
			       trouble || report_is_bad(record) ? " bad" : "");
	html_text(out, g_strchomp(why));
	g_string_append(out, "</p>\n");
	if (remedy) {
		g_string_append(out, "<p><b>What to do:</b> ");
		html_text(out, remedy);
		g_string_append(out, "</p>\n");
	}
	g_string_append(out, "</div>\n");
}

/* What persons have read of it stands in the ladder. */
static void
append_messages(GString *out, const char *ladder)
{
	g_auto(GStrv) messages = trace_messages(ladder);

	if (!*messages)
		return;
	g_string_append(out, "<h2>What the persons were told</h2>\n<table>\n");
	for (char **message = messages; *message; message++) {
		g_string_append(out, "<tr><td>");
		html_text(out, *message);
		g_string_append(out, "</td></tr>\n");
	}
	g_string_append(out, "</table>\n");
}

/* --- the record --- */

static void
append_time(GString *out, const char *key, gint64 us)
{
	g_autofree char *text = time_text(us);

	html_row(out, key, text);
}

static void
append_record(GString *out, const CallRecord *record)
{
	g_autofree char *duration = duration_text(record);

	g_string_append(out, "<h2>The record</h2>\n<table>\n");
	html_row(out, "from", record->caller);
	html_row(out, "to", record->callee);
	html_row(out, "user", record->user);
	html_row(out, "direction", call_record_direction(record));
	html_row(out, "trunk", record->trunk);
	html_row(out, "caller by", record->caller_plugin);
	html_row(out, "callee by", record->callee_plugin);
	append_time(out, "began", record->started_us);
	append_time(out, "answered", record->answered_us);
	append_time(out, "ended", record->ended_us);
	html_row(out, "talked", duration);
	html_row(out, "state", record->state);
	html_row(out, "reason", record->reason);
	html_row(out, "ended by", record->ended_by);
	if (record->count > 1) {
		g_autofree char *times = g_strdup_printf("%u", record->count);

		html_row(out, "times", times);
	}
	g_string_append(out, "</table>\n");
}

/* --- the counters: lines of "key=value key=value", a port each --- */

#define AUDIO "audio="

static void
append_counter_row(GString *out, const char *line)
{
	g_auto(GStrv) pairs = g_strsplit(line, " ", -1);

	g_string_append(out, "<table class=\"grid\">\n");
	for (char **pair = pairs; *pair; pair++) {
		char *equals = strchr(*pair, '=');

		if (!equals)
			continue;
		*equals = '\0';
		html_row(out, *pair, equals + 1);
	}
	g_string_append(out, "</table>\n");
}

static void
append_counters(GString *out, const char *stats)
{
	g_auto(GStrv) lines = g_strsplit(stats ? stats : "", "\n", -1);

	if (!*lines || !**lines)
		return;
	g_string_append(out, "<h2>Codecs and counters</h2>\n");
	for (char **line = lines; *line; line++) {
		if (!g_str_has_prefix(*line, AUDIO))
			continue;
		g_string_append(out, "<p>Audio ");
		html_text(out, *line + strlen(AUDIO));
		g_string_append(out, ".</p>\n");
	}
	g_string_append(out, "<div class=\"charts\">\n");
	for (char **line = lines; *line; line++)
		if (**line && !g_str_has_prefix(*line, AUDIO))
			append_counter_row(out, *line);
	g_string_append(out, "</div>\n");
}

/* --- the page --- */

char *
report_html(const CallRecord *record, const char *trouble_or_null)
{
	GString *out = g_string_sized_new(16384);

	append_head(out, record);
	append_why(out, record, trouble_or_null);
	append_messages(out, record->ladder);
	append_record(out, record);
	report_quality(out, record->ladder);
	report_connections(out, record->ladder);
	append_counters(out, record->stats);
	g_string_append(out, "<div class=\"scroll\">\n");
	report_ladder(out, record->ladder);
	g_string_append(out, "</div>\n</body>\n</html>\n");
	return g_string_free(out, FALSE);
}
