/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_header.c - addresses and reasons in the headers of a SIP message.
 *
 * Thread: any (pure).
 */
#include "plugins/sip/sip_header.h"
#include "plugins/sip/sip_reason.h"
#include <gio/gio.h>
#include <string.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_protos.h>
#include <sofia-sip/su_alloc.h>
#include <sofia-sip/url.h>

#define MAX_NAME 128   /* bytes of a display name that are kept */
#define MAX_TEXT 16384 /* bytes of a header that are kept */

/* --- addresses --- */

char *
header_user(const url_t *url)
{
	const char *user = url->url_user ? url->url_user : "";
	g_autofree char *bare = g_strndup(user, strcspn(user, ";"));
	char *plain = g_uri_unescape_string(bare, NULL);

	return plain ? plain : g_steal_pointer(&bare);
}

static Address *
address_from_url(const url_t *url)
{
	g_autofree char *user = header_user(url);
	g_autofree char *number = NULL;

	if (!user[0] || !g_utf8_validate(user, -1, NULL))
		return NULL;
	/* digits without a "+" mean something in a country alone: route() knows which */
	if (number_normalise(user, &number))
		return address_new(ADDRESS_NUMBER, number, url->url_host, NULL);
	return address_new(ADDRESS_SIP, user, url->url_host ? url->url_host : "invalid", NULL);
}

static gboolean
host_is_ours(const char *host, const Config *config)
{
	return g_ascii_strcasecmp(host, config->sip_address) == 0 ||
	       (config->sip_domain && g_ascii_strcasecmp(host, config->sip_domain) == 0) ||
	       (config->sip_public_address &&
		g_ascii_strcasecmp(host, config->sip_public_address) == 0);
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
	return address_from_url(&called);
}

Address *
header_callee(const sip_t *sip, const Config *config)
{
	return header_called(sip->sip_request->rq_url, config);
}

/* A display name as a person reads it: unquoted, valid, without control
 * characters, cut at a sane length. */
static char *
plain_name(const char *display)
{
	g_autoptr(GString) name = g_string_new(NULL);
	gsize length = display ? strlen(display) : 0;
	gboolean quoted = length >= 2 && display[0] == '"' && display[length - 1] == '"';
	g_autofree char *valid = NULL;
	const char *end;

	for (gsize i = quoted; i < length - quoted; i++) {
		if (quoted && display[i] == '\\' && i + 1 < length - quoted)
			i++;
		if ((guchar)display[i] >= 0x20 && display[i] != 0x7f)
			g_string_append_c(name, display[i]);
	}
	valid = g_utf8_make_valid(name->str, name->len);
	if (strlen(valid) > MAX_NAME) {
		end = g_utf8_find_prev_char(valid, valid + MAX_NAME);
		valid[end ? end - valid : 0] = '\0';
	}
	return valid[0] ? g_steal_pointer(&valid) : NULL;
}

static const char *
unknown_header(const sip_t *sip, const char *name)
{
	for (const sip_unknown_t *header = sip->sip_unknown; header; header = header->un_next)
		if (header->un_name && g_ascii_strcasecmp(header->un_name, name) == 0)
			return header->un_value;
	return NULL;
}

/* The first identity of P-Asserted-Identity that is a number, else the first. */
static Address *
asserted(const sip_t *sip)
{
	const char *value = unknown_header(sip, "P-Asserted-Identity");
	su_home_t home[1] = { SU_HOME_INIT(home) };
	Address *best = NULL;

	if (!value || strlen(value) > 1024)
		return NULL;
	su_home_init(home);
	for (const sip_contact_t *c = sip_contact_make(home, value); c; c = c->m_next) {
		g_autoptr(Address) address = address_from_url(c->m_url);
		g_autofree char *name = plain_name(c->m_display);

		if (!address || (best && address->scheme != ADDRESS_NUMBER))
			continue;
		address_free(best);
		best = address_with_name(address, name);
		if (best->scheme == ADDRESS_NUMBER)
			break;
	}
	su_home_deinit(home);
	return best;
}

/* RFC 3323 4.2, RFC 3325 9.3: "header" is not about the From, but networks say it
 * of a number that is withheld (3GPP TS 29.163), and too much hidden harms less. */
static gboolean
wants_privacy(const sip_t *sip)
{
	const msg_param_t *values = sip->sip_privacy ? sip->sip_privacy->priv_values : NULL;

	for (; values && *values; values++)
		if (g_ascii_strcasecmp(*values, "id") == 0 ||
		    g_ascii_strcasecmp(*values, "user") == 0 ||
		    g_ascii_strcasecmp(*values, "header") == 0)
			return TRUE;
	return FALSE;
}

static gboolean
is_anonymous(const url_t *url)
{
	return (url->url_user && g_ascii_strcasecmp(url->url_user, "anonymous") == 0) ||
	       (url->url_host && g_ascii_strcasecmp(url->url_host, "anonymous.invalid") == 0);
}

/* The identity he proves or claims, whether he wants it shown or not. */
static Address *
identity(const sip_t *sip)
{
	Address *address = asserted(sip);

	if (!address && !is_anonymous(sip->sip_from->a_url))
		address = address_from_url(sip->sip_from->a_url);
	return address;
}

Address *
header_hidden_caller(const sip_t *sip)
{
	return wants_privacy(sip) ? identity(sip) : NULL;
}

Address *
header_caller(const sip_t *sip)
{
	const sip_from_t *from = sip->sip_from;
	g_autofree char *name = plain_name(from->a_display);
	g_autoptr(Address) address = NULL;

	if (!wants_privacy(sip))
		address = identity(sip);
	if (!address)
		return address_new(ADDRESS_ANONYMOUS, NULL, NULL, NULL);
	if (address->name || !name || is_anonymous(from->a_url))
		return g_steal_pointer(&address);
	return address_with_name(address, name);
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

gboolean
header_url_is_numeric(const url_t *url)
{
	gsize length = url->url_host ? strlen(url->url_host) : 0;
	g_autofree char *bare = NULL;

	if (length < 3)
		return FALSE;
	bare = url->url_host[0] == '[' ? g_strndup(url->url_host + 1, length - 2)
				       : g_strdup(url->url_host);
	return g_hostname_is_ip_address(bare);
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

Reason
header_refusal(guint status, const char *phrase, const sip_t *sip, char **text)
{
	Reason reason = sip_reason_from_status(status);
	g_autofree char *plain = plain_name(phrase);

	*text = plain ? g_strdup_printf("%u %s", status, plain) : g_strdup_printf("%u", status);
	/* A gateway to the telephone network hides the cause behind a status that
	 * says little (RFC 3398 8.2.6.1); the header then says it. */
	if (reason == REASON_NETWORK_ERROR || reason == REASON_UNREACHABLE ||
	    reason == REASON_OVERLOAD)
		return header_reason(sip, reason);
	return reason;
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
