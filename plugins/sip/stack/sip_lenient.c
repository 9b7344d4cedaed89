/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_lenient.c - what sofia's parser cannot read, and has to be gone on with. */
#include "plugins/sip/stack/sip_lenient.h"
#include <string.h>
#include <sofia-sip/bnf.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/msg_parser.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/su_string.h>
#include <sofia-sip/url.h>

/* Cuts a token off: NULL unless blanks follow it, else what comes after them. */
static char *
cut_token(char *text)
{
	gsize length = span_token(text);
	char *rest = text + length;

	if (!length || !IS_LWS(*rest))
		return NULL;
	*rest++ = '\0';
	return rest + span_lws(rest);
}

static sip_method_t
read_method(const char *token)
{
	sip_method_t method = sip_method_code(token);

	return method > sip_method_unknown ? method : sip_method_unknown;
}

gboolean
lenient_request(sip_request_t *request, char *line)
{
	char *uri = cut_token(g_strchomp(line)), *version = uri ? strrchr(uri, ' ') : NULL;

	if (!version || !su_casematch(version + 1, sip_version_2_0))
		return FALSE;
	*version = '\0';
	request->rq_method = read_method(line);
	request->rq_method_name = sip_method_name(request->rq_method, line);
	request->rq_version = sip_version_2_0;
	if (strpbrk(g_strchomp(uri), " \t") || url_d(request->rq_url, uri) < 0) {
		memset(request->rq_url, 0, sizeof request->rq_url);
		request->rq_url->url_type = url_invalid;
	}
	return TRUE;
}

gboolean
lenient_cseq(sip_cseq_t *cseq, char *text)
{
	if (msg_uint32_d(&text, &cseq->cs_seq) < 0)
		return FALSE;
	g_strchomp(text);
	if (!text[0] || text[span_token(text)])
		return FALSE;
	cseq->cs_method = read_method(text);
	cseq->cs_method_name = sip_method_name(cseq->cs_method, text);
	return TRUE;
}

sip_via_t *
lenient_via(su_home_t *home, char *text)
{
	text[strcspn(text, ";,")] = '\0';
	return sip_via_format(home, "%s;rport", text);
}

void
lenient_received(su_home_t *home, sip_via_t *via, const su_sockaddr_t *from)
{
	char address[INET6_ADDRSTRLEN] = "";

	if (from->su_family != AF_INET && from->su_family != AF_INET6)
		return;
	su_inet_ntop(from->su_family, SU_ADDR(from), address, sizeof address);
	if (!su_casematch(via->v_host, address))
		msg_header_replace_param(home, via->v_common,
					 su_sprintf(home, "received=%s", address));
	if (via->v_rport)
		msg_header_replace_param(home, via->v_common,
					 su_sprintf(home, "rport=%u", ntohs(from->su_port)));
}

/* "<sip:", for what is in quotes may hold a bracket as well. */
static const char *
find_uri(const char *text)
{
	static const char *const SCHEMES[] = { "sip:", "sips:", "tel:" };

	for (const char *open = text; (open = strchr(open, '<')); open++)
		for (guint i = 0; i < G_N_ELEMENTS(SCHEMES); i++)
			if (su_casenmatch(open + 1, SCHEMES[i], strlen(SCHEMES[i])))
				return open;
	return NULL;
}

char *
lenient_name_addr(su_home_t *home, const char *text)
{
	const char *uri = find_uri(text);
	g_autoptr(GString) fixed = g_string_new("\"");
	gboolean open = FALSE; /* and never closed: where the name ends is a guess */

	for (; uri && text < uri; text++)
		if (*text == '"')
			open = !open;
		else if (((guchar)*text >= 0x20 || *text == '\t') && !strchr("\\\177", *text))
			g_string_append_c(fixed, *text);
	if (!uri || open || !strchr(uri, '>') || fixed->len == 1)
		return NULL;
	while (g_ascii_isspace(fixed->str[fixed->len - 1]))
		g_string_truncate(fixed, fixed->len - 1);
	return su_sprintf(home, "%s\" %s", fixed->str, uri);
}

#define WAS "x-was="

char *
lenient_contact(su_home_t *home, const char *text, const su_sockaddr_t *from)
{
	const char *start = strchr(text, '<');
	const char *uri = start ? start + 1 : text;
	char address[INET6_ADDRSTRLEN] = "", was[64] = "", user[32] = "";
	gboolean six = from->su_family == AF_INET6;
	gsize n = 0, digits;

	if ((from->su_family != AF_INET && !six) || strchr(text, ','))
		return NULL;
	su_inet_ntop(from->su_family, SU_ADDR(from), address, sizeof address);
	for (; *uri && *uri != '>' && n < sizeof was - 1; uri++)
		if (g_ascii_isgraph(*uri) && *uri != '"' && *uri != '\\')
			was[n++] = *uri;
	digits = strncmp(was, "tel:", 4) == 0 ? strspn(was + 4, "+0123456789") : 0;
	if (digits > 0 && digits < sizeof user - 1)
		g_snprintf(user, sizeof user, "%.*s@", (int)digits, was + 4);
	return su_sprintf(home, "<sip:%s%s%s%s:%u>;" WAS "\"%s\"", user, six ? "[" : "", address,
			  six ? "]" : "", ntohs(from->su_port), was);
}

const char *
lenient_contact_was(const sip_contact_t *contact)
{
	return contact ? msg_params_find(contact->m_params, WAS) : NULL;
}

void
lenient_nuls(char *text, gsize size)
{
	const char *end = memmem(text, size, "\r\n\r\n", 4);
	gsize length = end ? (gsize)(end - text) : size;

	for (char *nul; (nul = memchr(text, '\0', length));) {
		*nul++ = '\1';
		length -= (gsize)(nul - text);
		text = nul;
	}
}
