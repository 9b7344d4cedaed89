/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz-lenient.c - any text to the second reading of what sofia cannot read.  The first byte
 * says as what: a request line, a CSeq, a Via, a name-addr, a Contact, a head with NULs. */
#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/su_alloc.h>
#include "plugins/sip/stack/sip_lenient.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_request(char *line)
{
	sip_request_t request[1];

	sip_request_init(request);
	if (!lenient_request(request, line))
		return;
	g_assert_cmpstr(request->rq_version, ==, sip_version_2_0);
	g_assert_true(request->rq_method_name && *request->rq_method_name);
	g_assert_cmpint(request->rq_method, >=, sip_method_unknown);
}

static void
check_cseq(char *text)
{
	sip_cseq_t cseq[1];

	sip_cseq_init(cseq);
	if (lenient_cseq(cseq, text))
		g_assert_true(cseq->cs_method_name && *cseq->cs_method_name);
}

static void
check_via(su_home_t *home, char *text, const su_sockaddr_t *from)
{
	sip_via_t *via = lenient_via(home, text);

	if (!via)
		return;
	lenient_received(home, via, from);
	g_assert_null(via->v_next);
	g_assert_true(via->v_host != NULL);
	g_assert_cmpstr(via->v_rport, ==, "5060");
}

static void
check_name(su_home_t *home, const char *text)
{
	char *fixed = lenient_name_addr(home, text);

	if (!fixed)
		return;
	g_assert_cmpint(fixed[0], ==, '"');
	g_assert_nonnull(strstr(fixed, "\" <"));
}

/* It can be read now, and leads to where it came from. */
static void
check_contact(su_home_t *home, const char *text, const su_sockaddr_t *from)
{
	char *fixed = lenient_contact(home, text, from);
	sip_contact_t *contact = fixed ? sip_contact_make(home, fixed) : NULL;

	if (!fixed)
		return;
	g_assert_nonnull(contact);
	g_assert_null(contact->m_next);
	g_assert_cmpstr(contact->m_url->url_host, ==, "192.0.2.7");
	g_assert_cmpstr(contact->m_url->url_port, ==, "5060");
	g_assert_nonnull(lenient_contact_was(contact));
}

static void
check_nuls(char *text, gsize size)
{
	const char *end;

	lenient_nuls(text, size);
	end = memmem(text, size, "\r\n\r\n", 4);
	g_assert_null(memchr(text, '\0', end ? (gsize)(end - text) : size));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	su_sockaddr_t from = { .su_sin = { .sin_family = AF_INET, .sin_port = htons(5060) } };
	g_autofree char *text = NULL;

	if (size < 1)
		return 0;
	inet_pton(AF_INET, "192.0.2.7", &from.su_sin.sin_addr);
	text = g_malloc0(size);
	memcpy(text, data + 1, size - 1);
	su_home_init(home);
	switch (data[0]) {
	case 'R':
		check_request(text);
		break;
	case 'Q':
		check_cseq(text);
		break;
	case 'V':
		check_via(home, text, &from);
		break;
	case 'N':
		check_name(home, text);
		break;
	case 'C':
		check_contact(home, text, &from);
		break;
	default:
		check_nuls(text, size - 1);
	}
	su_home_deinit(home);
	return 0;
}
