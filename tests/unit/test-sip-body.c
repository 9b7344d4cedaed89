/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-sip-body.c - where the session description is in a body. */
#include <string.h>
#include "plugins/sip/stack/sip_body.h"

#define MIXED "multipart/mixed;boundary=b"
#define SDP   "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\n"
#define ISUP  "\x01\x11\x48\xf0\x0a" /* to be read by strlen() */

/* A part: its header lines, its text. */
#define PART(headers, text) "--b\r\n" headers "\r\n" text "\r\n"
#define SDP_PART	    PART("Content-Type: application/sdp\r\n", SDP)
#define ISUP_HEADERS	    "Content-Type: application/isup;version=itu-t92+\r\n"
#define END		    "--b--\r\n"

typedef struct {
	const char *about;
	const char *type, *disposition, *encoding, *body;
	BodyVerdict verdict;
	const char *sdp; /* NULL: SDP */
} Case;

static const Case cases[] = {
	/* --- no multipart --- */
	{ "nothing", "application/sdp", NULL, NULL, "", BODY_NONE, NULL },
	{ "plain", "application/sdp", NULL, NULL, SDP, BODY_FOUND, NULL },
	{ "case, parameters", "Application/SDP ; charset=utf-8", "session", NULL, SDP, BODY_FOUND,
	  NULL },
	{ "no type", NULL, NULL, NULL, SDP, BODY_FOUND, NULL },
	{ "another", "application/isup", NULL, NULL, ISUP, BODY_UNKNOWN, NULL },
	{ "another, required", "application/isup", "signal;handling=required", NULL, ISUP,
	  BODY_UNKNOWN, NULL },
	{ "another, optional", "application/isup", "signal; handling=OPTIONAL", NULL, ISUP,
	  BODY_NONE, NULL },
	{ "only begins like it", "application/sdpx", NULL, NULL, SDP, BODY_UNKNOWN, NULL },
	{ "for early media", "application/sdp", "early-session", NULL, SDP, BODY_UNKNOWN, NULL },
	{ "compressed", "application/sdp", NULL, "gzip", SDP, BODY_ENCODED, NULL },
	{ "compressed, optional", "application/sdp", "session;handling=optional", "gzip", SDP,
	  BODY_NONE, NULL },
	{ "not compressed", "application/sdp", NULL, "identity", SDP, BODY_FOUND, NULL },
	{ "several encodings", "application/sdp", NULL, "identity, gzip", SDP, BODY_ENCODED, NULL },

	/* --- mixed --- */
	{ "first", MIXED, NULL, NULL, SDP_PART PART(ISUP_HEADERS, ISUP) END, BODY_FOUND, NULL },
	{ "second", MIXED, NULL, NULL, PART(ISUP_HEADERS, ISUP) SDP_PART END, BODY_FOUND, NULL },
	{ "alone", MIXED, NULL, NULL, SDP_PART END, BODY_FOUND, NULL },
	{ "none", MIXED, NULL, NULL, PART(ISUP_HEADERS, ISUP) END, BODY_NONE, NULL },
	{ "no part", MIXED, NULL, NULL, END, BODY_NONE, NULL },
	{ "required beside it", MIXED, NULL, NULL,
	  SDP_PART PART(ISUP_HEADERS "Content-Disposition: signal;handling=required\r\n", ISUP) END,
	  BODY_UNKNOWN, NULL },
	{ "required before it", MIXED, NULL, NULL,
	  PART(ISUP_HEADERS "content-disposition:signal ; Handling = \"required\"\r\n", ISUP)
		  SDP_PART END,
	  BODY_UNKNOWN, NULL },
	{ "required, folded", MIXED, NULL, NULL,
	  PART(ISUP_HEADERS "Content-Disposition: signal;\r\n\thandling=required\r\n", ISUP)
		  SDP_PART END,
	  BODY_UNKNOWN, NULL },
	{ "optional beside it", MIXED, NULL, NULL,
	  SDP_PART PART(ISUP_HEADERS "Content-Disposition: signal;handling=optional\r\n", ISUP) END,
	  BODY_FOUND, NULL },
	{ "required, and the whole is not", MIXED, "session;handling=optional", NULL,
	  PART(ISUP_HEADERS "Content-Disposition: signal;handling=required\r\n", ISUP) END,
	  BODY_NONE, NULL },
	{ "the description itself required", MIXED, NULL, NULL,
	  PART("Content-Disposition: session;handling=required\r\nContent-Type: "
	       "application/sdp\r\n",
	       SDP) END,
	  BODY_FOUND, NULL },
	{ "two: the first", MIXED, NULL, NULL,
	  SDP_PART PART("Content-Type: application/sdp\r\n", "v=0\r\nother") END, BODY_FOUND,
	  NULL },
	{ "one for early media before", MIXED, NULL, NULL,
	  PART("Content-Type: application/sdp\r\nContent-Disposition: early-session\r\n",
	       "v=0\r\nother") SDP_PART END,
	  BODY_FOUND, NULL },
	{ "one for early media, required", MIXED, NULL, NULL,
	  PART("Content-Type: application/sdp\r\n"
	       "Content-Disposition: early-session;handling=required\r\n",
	       "v=0\r\nother") SDP_PART END,
	  BODY_UNKNOWN, NULL },
	{ "short form", MIXED, NULL, NULL, PART("c: application/sdp\r\n", SDP) END, BODY_FOUND,
	  NULL },
	{ "an unknown kind of multipart", "multipart/signed;boundary=b", NULL, NULL,
	  SDP_PART PART("Content-Type: application/pkcs7-signature\r\n", "x") END, BODY_FOUND,
	  NULL },
	{ "compressed part", MIXED, NULL, NULL,
	  PART("Content-Type: application/sdp\r\nContent-Encoding: gzip\r\n", SDP) END,
	  BODY_ENCODED, NULL },
	{ "compressed, and one that is not", MIXED, NULL, NULL,
	  PART("Content-Type: application/sdp\r\nContent-Encoding: gzip\r\n", SDP) SDP_PART END,
	  BODY_FOUND, NULL },
	{ "a compressed multipart", MIXED, NULL, "gzip", SDP_PART END, BODY_ENCODED, NULL },

	/* --- how it is written --- */
	{ "quoted boundary", "multipart/mixed; boundary=\"a; b\\\"=c\"", NULL, NULL,
	  "--a; b\"=c\r\nContent-Type: application/sdp\r\n\r\n" SDP "\r\n--a; b\"=c--", BODY_FOUND,
	  NULL },
	{ "boundary among others", "multipart/mixed;x=\"boundary=z\";BOUNDARY=b;charset=y", NULL,
	  NULL, SDP_PART END, BODY_FOUND, NULL },
	{ "blanks around the sign", "multipart/mixed ; boundary = b", NULL, NULL, SDP_PART END,
	  BODY_FOUND, NULL },
	{ "preamble and epilogue", MIXED, NULL, NULL,
	  "This is a message of several parts.\r\n\r\n--bb\r\n" SDP_PART END "--b\r\n\r\nmore",
	  BODY_FOUND, NULL },
	{ "blanks behind the delimiter", MIXED, NULL, NULL,
	  "--b \t\r\nContent-Type: application/sdp\r\n\r\n" SDP "\r\n--b-- \r\n", BODY_FOUND,
	  NULL },
	{ "LF alone", MIXED, NULL, NULL,
	  "--b\nContent-Type: application/isup\n\nx\n--b\nContent-Type: application/sdp\n\n"
	  "v=0\no=x\n\n--b--\n",
	  BODY_FOUND, "v=0\no=x\n" },
	{ "no last line end", MIXED, NULL, NULL,
	  "--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--b--", BODY_FOUND, "v=0" },
	{ "never closed", MIXED, NULL, NULL, "--b\r\nContent-Type: application/sdp\r\n\r\n" SDP,
	  BODY_FOUND, NULL },
	{ "a longer boundary is another's", MIXED, NULL, NULL,
	  "--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--bc\r\n--b\r\n\r\n" END, BODY_FOUND,
	  "v=0\r\n--bc" },
	{ "no empty line", MIXED, NULL, NULL, "--b\r\nContent-Type: application/sdp\r\n" END,
	  BODY_FOUND, "" },
	{ "no headers", MIXED, NULL, NULL, "--b\r\n\r\n" SDP END, BODY_NONE, NULL },
	{ "no boundary", "multipart/mixed", NULL, NULL, SDP_PART END, BODY_MALFORMED, NULL },
	{ "empty boundary", "multipart/mixed;boundary=", NULL, NULL, SDP_PART END, BODY_MALFORMED,
	  NULL },
	{ "another boundary", "multipart/mixed;boundary=c", NULL, NULL, SDP_PART END,
	  BODY_MALFORMED, NULL },
	{ "base64", MIXED, NULL, NULL,
	  PART("Content-Type: application/sdp\r\nContent-Transfer-Encoding: base64\r\n",
	       "dj0wDQpvPS0gMSAxIElOIElQNCAx\r\nOTIuMC4yLjcNCg==") END,
	  BODY_FOUND, NULL },
	{ "quoted-printable", MIXED, NULL, NULL,
	  PART("Content-Type: application/sdp\r\nContent-Transfer-Encoding: Quoted-Printable\r\n",
	       "v=3D0\r\no=3D- 1 1 IN=\r\n IP4 192.0.2.7\r\n") END,
	  BODY_FOUND, NULL },
	{ "binary", MIXED, NULL, NULL,
	  PART("Content-Transfer-Encoding: binary\r\nContent-Type: application/sdp\r\n", SDP) END,
	  BODY_FOUND, NULL },
	{ "an unknown transfer encoding", MIXED, NULL, NULL,
	  PART("Content-Transfer-Encoding: x-zip\r\nContent-Type: application/sdp\r\n", SDP) END,
	  BODY_NONE, NULL },

	/* --- alternative, related, nested --- */
	{ "alternative: the last", "multipart/alternative;boundary=b", NULL, NULL,
	  PART("Content-Type: application/sdp\r\n", "v=0\r\nother")
		  SDP_PART PART("Content-Type: application/sdpng\r\n", "<sdpng/>") END,
	  BODY_FOUND, NULL },
	{ "alternative: one we need not know", "multipart/alternative;boundary=b", NULL, NULL,
	  SDP_PART PART("Content-Type: application/sdpng\r\nContent-Disposition: "
			"session;handling=required\r\n",
			"<sdpng/>") END,
	  BODY_FOUND, NULL },
	{ "alternative: none, required", "multipart/alternative;boundary=b",
	  "session;handling=required", NULL, PART("Content-Type: text/plain\r\n", "x") END,
	  BODY_UNKNOWN, NULL },
	{ "alternative: none", "multipart/alternative;boundary=b", NULL, NULL,
	  PART("Content-Type: text/plain\r\n", "x") END, BODY_NONE, NULL },
	{ "related, the root",
	  "multipart/related;type=\"application/sdp\";start=\"<1@x>\";boundary=b", NULL, NULL,
	  PART("Content-ID: <2@x>\r\nContent-Type: image/png\r\n", "x")
		  PART("Content-ID: <1@x>\r\nContent-Type: application/sdp\r\n", SDP) END,
	  BODY_FOUND, NULL },
	{ "nested", MIXED, NULL, NULL,
	  PART(ISUP_HEADERS, ISUP)
		  PART("Content-Type: multipart/alternative; boundary=bb\r\n",
		       "--bb\r\nContent-Type: text/plain\r\n\r\nx\r\n"
		       "--bb\r\nContent-Type: application/sdp\r\n\r\n" SDP "\r\n--bb--") END,
	  BODY_FOUND, NULL },
	{ "nested, required in it", MIXED, NULL, NULL,
	  SDP_PART PART("Content-Type: multipart/mixed; boundary=bb\r\n",
			"--bb\r\nContent-Type: text/plain\r\n"
			"Content-Disposition: render;handling=required\r\n\r\nx\r\n--bb--") END,
	  BODY_UNKNOWN, NULL },
	{ "nested, required in what is optional", MIXED, NULL, NULL,
	  SDP_PART PART("Content-Type: multipart/mixed; boundary=bb\r\n"
			"Content-Disposition: render;handling=optional\r\n",
			"--bb\r\nContent-Type: text/plain\r\n"
			"Content-Disposition: render;handling=required\r\n\r\nx\r\n--bb--") END,
	  BODY_FOUND, NULL },
	{ "nested, malformed", MIXED, NULL, NULL,
	  SDP_PART PART("Content-Type: multipart/mixed\r\n", "x") END, BODY_FOUND, NULL },
	{ "an alternative spoilt", "multipart/alternative;boundary=b", NULL, NULL,
	  SDP_PART PART("Content-Type: multipart/mixed; boundary=bb\r\n",
			"--bb\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n"
			"--bb\r\nContent-Type: a/b\r\nContent-Disposition: x;handling=required"
			"\r\n\r\nx\r\n--bb--") END,
	  BODY_FOUND, NULL },
};

static void
test_cases(void)
{
	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		const Case *c = &cases[i];
		const BodyHeaders headers = { c->type, c->disposition, c->encoding };
		const char *expected = c->sdp ? c->sdp : SDP;
		g_autofree char *sdp = NULL;
		gsize size = 0;
		BodyVerdict verdict = body_read(&headers, c->body, strlen(c->body), &sdp, &size);

		g_test_message("%s", c->about);
		g_assert_cmpint(verdict, ==, c->verdict);
		g_assert_true((sdp != NULL) == (verdict == BODY_FOUND));
		if (sdp)
			g_assert_cmpmem(sdp, size, expected, strlen(expected));
	}
}

/* Never more than so many parts and levels, whatever is sent. */
static void
test_limits(void)
{
	const BodyHeaders headers = { .type = MIXED };
	GString *many = g_string_new(NULL), *deep = g_string_new(NULL);
	g_autofree char *sdp = NULL, *none = NULL;
	gsize size;

	for (guint i = 0; i < 100000; i++)
		g_string_append(many, "--b\r\n\r\n\r\n");
	g_string_append(many, SDP_PART END);
	g_assert_cmpint(body_read(&headers, many->str, many->len, &sdp, &size), ==, BODY_MALFORMED);
	for (guint i = 0; i < 1000; i++)
		g_string_append(deep, "--b\r\nContent-Type: " MIXED "\r\n\r\n");
	g_string_append(deep, SDP_PART END);
	g_assert_cmpint(body_read(&headers, deep->str, deep->len, &none, &size), ==,
			BODY_MALFORMED);
	g_string_free(many, TRUE);
	g_string_free(deep, TRUE);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/sip-body/cases", test_cases);
	g_test_add_func("/sip-body/limits", test_limits);
	return g_test_run();
}
