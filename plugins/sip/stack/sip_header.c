/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_header.c - addresses and reasons in the headers of a SIP message.
 *
 * Thread: any (pure).
 */
#include "plugins/sip/stack/sip_header.h"
#include "plugins/sip/stack/sip_guard.h"
#include "plugins/sip/stack/sip_content.h"
#include "plugins/sip/stack/sip_identity.h"
#include "plugins/sip/stack/sip_reason.h"
#include <gio/gio.h>
#include <string.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_protos.h>
#include <sofia-sip/su_alloc.h>
#include <sofia-sip/url.h>

#define MAX_TEXT 16384 /* bytes of a header that are kept */

/* --- parameters --- */

/* In place of sofia's own, which reads on behind the end of the text when the last parameter
 * begins with the name that is asked for and is another ("lrx"). */
isize_t
url_param(char const *params, char const *tag, char value[], isize_t room)
{
	gsize length = strlen(tag);
	const char *end;

	if (length > 0 && tag[length - 1] == '=')
		length--;
	for (const char *at = params; at && *at; at = end + (*end == ';')) {
		end = at + strcspn(at, ";");
		if ((gsize)(end - at) < length || g_ascii_strncasecmp(at, tag, length) != 0)
			continue;
		at += length;
		if (at < end && *at != '=')
			continue;
		at += at < end;
		if (room > (isize_t)(end - at)) {
			memcpy(value, at, (gsize)(end - at));
			value[end - at] = '\0';
		}
		return (isize_t)(end - at) + 1;
	}
	return 0;
}

/* --- addresses --- */

/* An IPv6 address has many spellings, and in a URI it is in brackets (RFC 5954 4.1). */
static GInetAddress *
address_of_host(const char *host)
{
	g_autofree char *bare =
		host[0] == '[' ? g_strndup(host + 1, strcspn(host + 1, "]")) : g_strdup(host);

	return g_inet_address_new_from_string(bare);
}

static gboolean
same_host(const char *one, const char *other)
{
	g_autoptr(GInetAddress) first = NULL;
	g_autoptr(GInetAddress) second = NULL;

	if (!other || g_ascii_strcasecmp(one, other) == 0)
		return other != NULL;
	first = address_of_host(one);
	second = address_of_host(other);
	return first && second && g_inet_address_equal(first, second);
}

static gboolean
host_is_ours(const char *host, const Config *config)
{
	return same_host(host, config->sip_address) || same_host(host, config->sip_domain) ||
	       same_host(host, config->sip_public_address);
}

gboolean
header_caller_is_ours(const sip_t *sip, const Config *config)
{
	const url_t *url = sip->sip_from->a_url;

	return url->url_host && host_is_ours(url->url_host, config);
}

gboolean
header_has_target(const sip_t *sip)
{
	const url_t *from = sip->sip_from->a_url;

	return sip->sip_contact || ((from->url_type == url_sip || from->url_type == url_sips) &&
				    from->url_host && from->url_host[0]);
}

Address *
header_called(const url_t *url, const Config *config)
{
	gboolean ours = !url->url_host || host_is_ours(url->url_host, config);
	g_autofree char *there = !ours && url->url_port && url->url_port[0]
					 ? g_strdup_printf("%s:%s", url->url_host, url->url_port)
					 : NULL;
	url_t called = *url;

	if (config->sip_domain && ours)
		called.url_host = config->sip_domain;
	else if (there)
		called.url_host = there;
	return identity_address(&called);
}

/* RFC 3261 25.1: what a user part may hold unescaped beside letters and digits. */
char *
header_escaped(const char *user)
{
	return g_uri_escape_string(user, "&=+$,/!*'()", FALSE);
}

static char *
quoted_name(const char *name)
{
	GString *quoted = g_string_new("\"");

	for (; *name; name++) {
		if (*name == '"' || *name == '\\')
			g_string_append_c(quoted, '\\');
		if ((guchar)*name >= 0x20 && *name != 0x7f)
			g_string_append_c(quoted, *name);
	}
	g_string_append(quoted, "\" ");
	return g_string_free(quoted, FALSE);
}

char *
header_asserted(const Address *from, const char *domain)
{
	g_autofree char *user = NULL, *name = NULL;

	if (from->scheme == ADDRESS_ANONYMOUS || !from->user)
		return NULL;
	user = header_escaped(from->user);
	name = from->name && from->name[0] ? quoted_name(from->name) : g_strdup("");
	return g_strdup_printf("%s<sip:%s@%s>", name, user, domain);
}

static char *
anonymous_from(void)
{
	/* RFC 3323 4.1.1.3 */
	return g_strdup("\"Anonymous\" <sip:anonymous@anonymous.invalid>");
}

char *
header_from(const Address *from, const char *domain)
{
	char *value = header_asserted(from, domain);

	return value ? value : anonymous_from();
}

static gboolean
needs_brackets(const char *host)
{
	return strchr(host, ':') && host[0] != '[';
}

char *
header_trunk_from(const Trunk *trunk, const Address *from, gboolean withheld, const char *domain)
{
	const char *account =
		trunk->account && trunk->account[0] ? trunk->account : trunk->username;
	gboolean bracket = needs_brackets(trunk->host);
	g_autofree char *name = NULL, *user = NULL;

	if (g_strcmp0(trunk->caller_id, "account") != 0 || !account || !account[0])
		return withheld ? anonymous_from() : header_from(from, domain);
	user = header_escaped(account);
	name = !withheld && from->scheme != ADDRESS_ANONYMOUS && from->name && from->name[0]
		       ? quoted_name(from->name)
		       : g_strdup("");
	return g_strdup_printf("%s<sip:%s@%s%s%s>", name, user, bracket ? "[" : "", trunk->host,
			       bracket ? "]" : "");
}

char *
header_trunk_identity(const Trunk *trunk, const Address *from, gboolean withheld,
		      const char *domain)
{
	g_autofree char *asserted = header_asserted(from, domain);

	if (!asserted || (!withheld && g_strcmp0(trunk->caller_id, "from") == 0))
		return NULL;
	if (g_strcmp0(trunk->caller_id, "rpid") == 0)
		return g_strdup_printf("Remote-Party-ID: %s;party=calling;privacy=%s", asserted,
				       withheld ? "full" : "off");
	return g_strdup_printf("P-Asserted-Identity: %s", asserted);
}

char *
header_uri(const Address *to)
{
	g_autofree char *user = header_escaped(to->user);

	return g_strdup_printf("sip:%s@%s", user, to->host);
}

char *
header_request_uri(const Address *to, const Trunk *trunk)
{
	g_autofree char *user = header_escaped(to->user ? to->user : "");
	g_autofree char *port = trunk->port ? g_strdup_printf(":%u", trunk->port) : g_strdup("");
	gboolean bracket = needs_brackets(trunk->host);

	return g_strdup_printf("sip:%s@%s%s%s%s%s", user, bracket ? "[" : "", trunk->host,
			       bracket ? "]" : "", port,
			       g_strcmp0(trunk->transport, "tcp") == 0	 ? ";transport=tcp"
			       : g_strcmp0(trunk->transport, "tls") == 0 ? ";transport=tls"
									 : "");
}

char *
header_next_hop(const char *address, guint port, const char *transport)
{
	gboolean bracket = needs_brackets(address);
	guint standard = strcmp(transport, "tls") == 0 ? 5061 : 5060;

	return g_strdup_printf("sip:%s%s%s:%u;transport=%s", bracket ? "[" : "", address,
			       bracket ? "]" : "", port ? port : standard, transport);
}

gboolean
header_hop_is_tls(const char *hop)
{
	return hop && g_str_has_suffix(hop, ";transport=tls");
}

/* "192.0.2.1:5061" of a hop */
static char *
hop_address(const char *hop)
{
	const char *colon = strchr(hop, ':');
	const char *address = colon ? colon + 1 : hop;

	return g_strndup(address, strcspn(address, ";"));
}

char *
header_hop_by_name(const char *hop, const char *name)
{
	g_autofree char *address = hop_address(hop);
	char *port = strrchr(address, ':');

	*port++ = '\0';
	return g_strdup_printf("sip:%s:%s;maddr=%s;transport=tls", name, port, address);
}

char *
header_hop_source(const char *hop)
{
	const char *maddr = strstr(hop, ";maddr=");
	g_autofree char *address = hop_address(hop);
	const char *port = strrchr(address, ':');

	if (!maddr || !port)
		return g_steal_pointer(&address);
	maddr += strlen(";maddr=");
	return g_strdup_printf("%.*s%s", (int)strcspn(maddr, ";"), maddr, port);
}

char *
header_hop_text(const char *hop)
{
	g_autofree char *source = header_hop_source(hop);
	const char *transport = strrchr(hop, '=');

	return g_strdup_printf("%s by %s", source, transport ? transport + 1 : "udp");
}

/* --- reasons --- */

/* Not sip_header_as_string(): at some lengths its result is not terminated. */
char *
header_text(const sip_header_t *header)
{
	gsize size = 256;
	g_autofree char *text = g_malloc0(size);
	issize_t length = sip_header_field_e(text, size, header, 0);

	while (length >= 0 && (gsize)length >= size && size < MAX_TEXT) {
		size = MIN((gsize)length + 1, MAX_TEXT);
		text = g_realloc(text, size);
		length = sip_header_field_e(text, size, header, 0);
	}
	if (length < 0)
		return g_strdup("");
	text[MIN((gsize)length, size - 1)] = '\0';
	return g_strdelimit(g_steal_pointer(&text), "\r\n\t", ' ');
}

Reason
header_reason(const sip_t *sip, Reason fallback)
{
	guint n = 0;

	for (const sip_reason_t *reason = sip ? sip->sip_reason : NULL; reason && n < 8;
	     reason = reason->re_next, n++) {
		g_autofree char *text = header_text((const sip_header_t *)reason);
		Reason said;

		if (sip_reason_from_header(text, &said))
			return said;
	}
	return fallback;
}

static gboolean
has_warning(const sip_t *sip, guint code)
{
	for (const sip_warning_t *warning = sip ? sip->sip_warning : NULL; warning;
	     warning = warning->w_next)
		if (warning->w_code == code)
			return TRUE;
	return FALSE;
}

Reason
header_refusal(guint status, const char *phrase, const sip_t *sip, char **text)
{
	Reason reason = sip_reason_from_status(status);
	g_autofree char *plain = identity_name(phrase);

	*text = plain ? g_strdup_printf("%u %s", status, plain) : g_strdup_printf("%u", status);
	/* A gateway to the telephone network hides the cause behind a status that
	 * says little (RFC 3398 8.2.6.1); the header then says it. */
	if (reason == REASON_NETWORK_ERROR || reason == REASON_UNREACHABLE ||
	    reason == REASON_OVERLOAD)
		return header_reason(sip, reason);
	if (reason == REASON_INCOMPATIBLE && has_warning(sip, CONTENT_OTHER_FAMILY))
		return REASON_IP_VERSION;
	return reason;
}

static void
append_detail(GString *text, const char *name, const sip_header_t *header)
{
	g_autofree char *value = header ? header_text(header) : NULL;
	g_autofree char *valid = value ? g_utf8_make_valid(value, -1) : NULL;

	if (valid && *valid)
		g_string_append_printf(text, "%s%s: %s", text->len ? "; " : "", name, valid);
}

static void
cut_detail(GString *text)
{
	const char *end;

	if (text->len <= HEADER_MAX_DETAIL)
		return;
	end = g_utf8_find_prev_char(text->str, text->str + HEADER_MAX_DETAIL + 1);
	g_string_truncate(text, end ? (gsize)(end - text->str) : 0);
}

char *
header_refusal_detail(const sip_t *sip)
{
	GString *text = g_string_new(NULL);

	if (sip) {
		append_detail(text, "Reason", (const sip_header_t *)sip->sip_reason);
		append_detail(text, "Warning", (const sip_header_t *)sip->sip_warning);
		if (guard_kept(sip, GUARD_RETRY))
			g_string_append_printf(text, "%sRetry-After: %s", text->len ? "; " : "",
					       guard_kept(sip, GUARD_RETRY));
	}
	cut_detail(text);
	return text->len ? g_string_free(text, FALSE) : (g_string_free(text, TRUE), NULL);
}

/* --- credentials --- */

static const sip_www_authenticate_t *
challenge_of(guint status, const sip_t *sip)
{
	if (sip && status == 401)
		return sip->sip_www_authenticate;
	if (sip && status == 407)
		return sip->sip_proxy_authenticate;
	return NULL;
}

char *
header_credentials(const Trunk *trunk, guint status, const sip_t *sip, guint *challenged)
{
	const sip_www_authenticate_t *challenge = challenge_of(status, sip);
	const guint kind = status == 401 ? 1 : 2;
	const char *realm, *stale;

	if (!challenge || !trunk->username || !trunk->username[0])
		return NULL;
	stale = msg_params_find(challenge->au_params, "stale=");
	if ((*challenged & kind) && (!stale || g_ascii_strcasecmp(stale, "true") != 0))
		return NULL;
	*challenged |= kind;
	realm = msg_params_find(challenge->au_params, "realm=");
	if (!realm)
		realm = "\"\"";
	/* The password belongs to one realm; another's challenge is not answered. */
	if (trunk->realm && trunk->realm[0]) {
		g_autofree char *quoted = g_strdup_printf("\"%s\"", trunk->realm);

		if (strcmp(quoted, realm) != 0)
			return NULL;
	}
	return g_strdup_printf("Digest:%s:%s:%s", realm, trunk->username,
			       trunk->password ? trunk->password : "");
}
