/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* doctor_sip.c - see doctor_sip.h. */
#include <stdio.h>
#include <string.h>
#include "b2bua/doctor/doctor_sip.h"

char *
sip_options_text(const char *transport, const char *local, const char *host, const char *domain)
{
	const char *open = strchr(host, ':') ? "[" : "", *close = *open ? "]" : "";
	const guint32 tag = g_random_int(), call = g_random_int();

	return g_strdup_printf("OPTIONS sip:%s%s%s SIP/2.0\r\n"
			       "Via: SIP/2.0/%s %s;branch=z9hG4bK%08x;rport\r\n"
			       "Max-Forwards: 70\r\n"
			       "From: <sip:%s>;tag=%08x\r\n"
			       "To: <sip:%s%s%s>\r\n"
			       "Call-ID: %08x%08x\r\n"
			       "CSeq: 1 OPTIONS\r\n"
			       "Content-Length: 0\r\n\r\n",
			       open, host, close, transport, local, tag, domain, tag, open, host,
			       close, call, tag);
}

/* "Sat, 13 Nov 2010 23:29:00 GMT" */
static gint64
read_date(const char *text)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	g_autoptr(GDateTime) time = NULL;
	int day, year, hour, minute, second;
	char month[4] = "";
	const char *at;

	if (sscanf(text, " %*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d", &day, month, &year, &hour,
		   &minute, &second) != 6 ||
	    strlen(month) != 3)
		return 0;
	at = strstr(months, month);
	if (!at || (at - months) % 3)
		return 0;
	time = g_date_time_new_utc(year, (int)(at - months) / 3 + 1, day, hour, minute, second);
	return time ? g_date_time_to_unix(time) : 0;
}

gboolean
sip_answer_read(const char *data, gsize length, SipAnswer *answer)
{
	g_autofree char *text = g_strndup(data, length);
	g_auto(GStrv) lines = g_strsplit(text, "\r\n", -1);

	*answer = (SipAnswer){ 0 };
	if (!lines[0] || sscanf(lines[0], "SIP/2.0 %3u ", &answer->status) != 1 ||
	    answer->status < 100 || answer->status > 999)
		return FALSE;
	for (char **line = lines + 1; *line && **line; line++)
		if (g_ascii_strncasecmp(*line, "Date:", 5) == 0)
			answer->date = read_date(*line + 5);
	return TRUE;
}
