/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-sip-desc.c - SDP to and from Desc. */
#include <string.h>
#include "b2bua/reason.h"
#include "plugins/sip/stack/sip_desc.h"

#define HEAD "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n"

static Desc *
parse(const char *text)
{
	g_autoptr(GError) error = NULL;
	Desc *desc = desc_from_sdp(text, strlen(text), &error);

	g_assert_no_error(error);
	g_assert_nonnull(desc);
	return desc;
}

static Stream *
nth(const Desc *desc, guint n)
{
	g_assert_cmpuint(n, <, desc->streams->len);
	return g_ptr_array_index(desc->streams, n);
}

static const Codec *
codec(const Stream *stream, guint n)
{
	g_assert_cmpuint(n, <, stream->codecs->len);
	return g_ptr_array_index(stream->codecs, n);
}

static void
assert_codec(const Stream *stream, guint n, guint pt, const char *name, guint rate)
{
	g_assert_cmpuint(codec(stream, n)->pt, ==, pt);
	g_assert_cmpstr(codec(stream, n)->name, ==, name);
	g_assert_cmpuint(codec(stream, n)->rate, ==, rate);
}

/* What a softphone offers. */
static void
test_telephone(void)
{
	g_autoptr(Desc) desc = parse(HEAD "m=audio 4000 RTP/AVP 0 8 96 101\r\n"
					  "a=rtpmap:0 PCMU/8000\r\n"
					  "a=rtpmap:96 opus/48000/2\r\n"
					  "a=fmtp:96 minptime=10; useinbandfec=1\r\n"
					  "a=rtpmap:101 telephone-event/8000\r\n"
					  "a=fmtp:101 0-16\r\n"
					  "a=ptime:20\r\n"
					  "a=rtcp:4007 IN IP4 192.0.2.8\r\n"
					  "a=sendonly\r\n");
	const Stream *stream = nth(desc, 0);
	const CodecParam *param;

	g_assert_false(stream->rejected);
	g_assert_cmpuint(stream->codecs->len, ==, 4);
	assert_codec(stream, 0, 0, "PCMU", 8000);
	assert_codec(stream, 1, 8, "PCMA", 8000); /* static: no rtpmap needed */
	assert_codec(stream, 2, 96, "opus", 48000);
	g_assert_cmpuint(codec(stream, 2)->channels, ==, 2);
	param = g_ptr_array_index(codec(stream, 2)->params, 1);
	g_assert_cmpstr(param->name, ==, "useinbandfec");
	g_assert_cmpstr(param->value, ==, "1");
	assert_codec(stream, 3, 101, "telephone-event", 8000);
	param = g_ptr_array_index(codec(stream, 3)->params, 0);
	g_assert_cmpstr(param->name, ==, "0-16");
	g_assert_cmpstr(param->value, ==, "");
	g_assert_cmpuint(stream->ptime, ==, 20);
	g_assert_cmpint(stream->direction, ==, DIRECTION_SENDONLY);
	g_assert_cmpint(stream->transport->kind, ==, TRANSPORT_RTP);
	g_assert_cmpstr(stream->transport->address, ==, "192.0.2.7");
	g_assert_cmpuint(stream->transport->port, ==, 4000);
	g_assert_cmpuint(stream->transport->rtcp_port, ==, 4007);
	g_assert_false(stream->transport->rtcp_mux);
}

static void
test_addresses(void)
{
	static const struct {
		const char *lines;
		const char *address; /* NULL: rejected */
	} cases[] = {
		{ "m=audio 4000 RTP/AVP 0\r\nc=IN IP4 198.51.100.1\r\n", "198.51.100.1" },
		{ "m=audio 4000 RTP/AVP 0\r\nc=IN IP6 2001:db8::1\r\n", "2001:db8::1" },
		{ "m=audio 4000 RTP/AVP 0\r\n", "192.0.2.7" },
		{ "m=audio 4000 RTP/AVP 0\r\nc=IN IP4 phone.example.org\r\n", NULL },
		{ "m=audio 4000 RTP/AVP 0\r\nc=IN IP4 224.2.1.1/127\r\n", NULL },
		{ "m=audio 0 RTP/AVP 0\r\n", NULL },
		{ "m=audio 4000 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x\r\n",
		  NULL },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = g_strconcat(HEAD, cases[i].lines, NULL);
		g_autoptr(Desc) desc = parse(text);

		g_test_message("%s", cases[i].lines);
		g_assert_cmpuint(desc->streams->len, ==, 1);
		g_assert_cmpint(nth(desc, 0)->rejected, ==, cases[i].address == NULL);
		if (cases[i].address)
			g_assert_cmpstr(nth(desc, 0)->transport->address, ==, cases[i].address);
	}
}

static void
test_no_address(void)
{
	g_autoptr(Desc) desc = parse("v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nt=0 0\r\n"
				     "m=audio 4000 RTP/AVP 0\r\n");

	g_assert_true(nth(desc, 0)->rejected);
}

static void
test_hold(void)
{
	static const struct {
		const char *attribute;
		const char *address;
		Direction direction;
	} cases[] = {
		{ "", "192.0.2.7", DIRECTION_SENDRECV },
		{ "a=sendrecv\r\n", "192.0.2.7", DIRECTION_SENDRECV },
		{ "a=recvonly\r\n", "192.0.2.7", DIRECTION_RECVONLY },
		{ "a=inactive\r\n", "192.0.2.7", DIRECTION_INACTIVE },
		{ "", "0.0.0.0", DIRECTION_SENDONLY },
		{ "a=sendrecv\r\n", "0.0.0.0", DIRECTION_SENDONLY },
		{ "a=recvonly\r\n", "0.0.0.0", DIRECTION_INACTIVE },
		{ "a=inactive\r\n", "0.0.0.0", DIRECTION_INACTIVE },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text =
			g_strdup_printf(HEAD "m=audio 4000 RTP/AVP 0\r\nc=IN IP4 %s\r\n%s",
					cases[i].address, cases[i].attribute);
		g_autofree char *session = g_strdup_printf(
			"v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\n%s"
			"m=audio 4000 RTP/AVP 0\r\n",
			cases[i].address, cases[i].attribute);
		g_autoptr(Desc) at_media = parse(text);
		g_autoptr(Desc) at_session = parse(session);

		g_test_message("%s %s", cases[i].address, cases[i].attribute);
		g_assert_false(nth(at_media, 0)->rejected);
		g_assert_cmpint(nth(at_media, 0)->direction, ==, cases[i].direction);
		g_assert_cmpint(nth(at_session, 0)->direction, ==, cases[i].direction);
	}
}

/* Streams we cannot hold are refused in their place, in their own words. */
static void
test_refusal(void)
{
	g_autoptr(Desc) offer = parse(HEAD "m=image 5000 udptl t38\r\n"
					   "m=video 5002 RTP/AVP 34\r\n"
					   "m=audio 5004 RTP/SAVP 8\r\n"
					   "m=audio 5006 RTP/AVPF 8\r\na=rtpmap:8 PCMA/8000\r\n"
					   "m=application 5008 TCP/BFCP *\r\n"
					   "m=text 5010 RTP/AVP 98\r\na=rtpmap:98 t140/1000\r\n");
	g_autoptr(Transport) ours = transport_new(TRANSPORT_RTP);
	g_autoptr(Desc) answer = NULL;
	g_autofree char *sdp = NULL;

	g_strlcpy(ours->address, "192.0.2.1", sizeof(ours->address));
	ours->port = 40000;
	g_assert_true(desc_audio(offer) == nth(offer, 3));
	answer = desc_answer(offer, offer, ours);
	g_assert_nonnull(answer);
	sdp = desc_to_sdp(answer, &(SdpOrigin){ "192.0.2.1", 7, 1 });
	g_assert_cmpstr(sdp, ==,
			"v=0\r\no=- 7 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
			"m=image 0 udptl t38\r\n"
			"m=video 0 RTP/AVP 34\r\n"
			"m=audio 0 RTP/SAVP 8\r\n"
			"m=audio 40000 RTP/AVPF 8\r\n"
			"a=rtpmap:8 PCMA/8000\r\na=sendrecv\r\n"
			"m=application 0 TCP/BFCP *\r\n"
			"m=text 0 RTP/AVP 0\r\n");
}

/* The first key we know is answered with ours, under its tag; what is told in a log has none. */
static void
test_crypto(void)
{
	g_autoptr(Desc) offer = parse(HEAD "m=audio 4000 RTP/SAVP 8\r\na=rtpmap:8 PCMA/8000\r\n"
					   "a=crypto:1 AES_256_CM_HMAC_SHA1_80 inline:x\r\n"
					   "a=crypto:4 AES_CM_128_HMAC_SHA1_32 "
					   "inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd\r\n");
	g_autoptr(Desc) plain =
		parse(HEAD "m=audio 4000 RTP/AVP 8\r\na=crypto:4 AES_CM_128_HMAC_SHA1_32 "
			   "inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd\r\n");
	g_autoptr(Transport) ours = transport_new(TRANSPORT_RTP);
	g_autoptr(Desc) answer = NULL;
	g_autofree char *sdp = NULL, *line = NULL;

	g_strlcpy(ours->address, "192.0.2.1", sizeof(ours->address));
	ours->port = 40000;
	memset(ours->sdes.key, 0xff, sizeof(ours->sdes.key));
	/* beside RTP/AVP it is for those who ask for it: test-sip-crypto.c */
	g_assert_cmpint(desc_audio(plain)->transport->sdes.profile, ==, SRTP_CM_SHA1_32);
	g_assert_cmpstr(desc_audio(plain)->profile, ==, "RTP/AVP");
	answer = desc_answer(offer, offer, ours);
	sdp = desc_to_sdp(answer, &(SdpOrigin){ "192.0.2.1", 7, 1 });
	g_assert_nonnull(strstr(sdp, "m=audio 40000 RTP/SAVP 8\r\n"));
	g_assert_nonnull(strstr(sdp, "\r\na=crypto:4 AES_CM_128_HMAC_SHA1_32 "
				     "inline:////////////////////////////////////////\r\n"));
	line = desc_summary(answer);
	g_assert_null(strstr(line, "////"));
}

#define CLIENT                                                                                    \
	"v=0\r\no=- 46117317 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n"          \
	"a=fingerprint:SHA-256 aa:bb:0c\r\n"                                                      \
	"m=audio 9 UDP/TLS/RTP/SAVPF 111 0 126\r\nc=IN IP4 0.0.0.0\r\n"                           \
	"a=rtcp:9 IN IP4 0.0.0.0\r\n"                                                             \
	"a=candidate:1 1 udp 2130706431 192.0.2.9 40000 typ host generation 0\r\n"                \
	"a=candidate:2 1 udp 1694498815 198.51.100.9 40001 typ srflx raddr 192.0.2.9 rport 40000" \
	"\r\n"                                                                                    \
	"a=candidate:3 1 tcp 1 192.0.2.9 9 typ host tcptype active\r\n"                           \
	"a=candidate:4 1 udp 1 b2c3.local 40000 typ host\r\n"                                     \
	"a=ice-ufrag:n8Lw\r\na=ice-pwd:8cM4pXb2Qf6hYt1vKz9sDj3r\r\na=ice-options:trickle\r\n"     \
	"a=setup:actpass\r\na=mid:0\r\na=sendrecv\r\na=rtcp-mux\r\n"                              \
	"a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n"                  \
	"a=rtpmap:126 telephone-event/8000\r\n"

static void
test_webrtc(void)
{
	g_autoptr(Desc) desc = parse(CLIENT);
	const Stream *stream = nth(desc, 0);
	const Transport *transport = stream->transport;
	const Candidate *candidate;

	g_assert_true(desc->bundle);
	g_assert_false(stream->rejected);
	g_assert_cmpint(stream->direction, ==, DIRECTION_SENDRECV); /* 0.0.0.0 is no hold here */
	g_assert_cmpstr(stream->mid, ==, "0");
	g_assert_null(stream->profile);
	g_assert_cmpuint(stream->codecs->len, ==, 3);
	assert_codec(stream, 0, 111, "opus", 48000);
	g_assert_cmpuint(codec(stream, 0)->params->len, ==, 2);
	assert_codec(stream, 1, 0, "PCMU", 8000);
	assert_codec(stream, 2, 126, "telephone-event", 8000);
	g_assert_cmpint(transport->kind, ==, TRANSPORT_WEBRTC);
	g_assert_true(transport->rtcp_mux);
	g_assert_cmpstr(transport->ufrag, ==, "n8Lw");
	g_assert_cmpstr(transport->fingerprint_hash, ==, "sha-256");
	g_assert_cmpstr(transport->fingerprint, ==, "AA:BB:0C");
	g_assert_cmpint(transport->setup, ==, SETUP_ACTPASS);
	g_assert_false(transport->candidates_complete);
	g_assert_cmpuint(transport->candidates->len, ==, 2);
	candidate = &g_array_index(transport->candidates, Candidate, 1);
	g_assert_cmpstr(candidate->address, ==, "198.51.100.9");
	g_assert_cmpint(candidate->type, ==, CANDIDATE_SRFLX);
	g_assert_cmpstr(candidate->related_address, ==, "192.0.2.9");
	g_assert_cmpuint(candidate->related_port, ==, 40000);
}

/* What is written is read as the same, and written as the same again. */
static void
test_round_trip(void)
{
	static const char *const texts[] = {
		HEAD "m=audio 4000 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\n"
		     "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\n"
		     "a=recvonly\r\na=rtcp:4100\r\n",
		CLIENT,
	};

	for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
		SdpOrigin origin = { "2001:db8::1", G_MAXUINT64 - 1, 3 };
		g_autoptr(Desc) one = parse(texts[i]);
		g_autofree char *first = desc_to_sdp(one, &origin);
		g_autoptr(Desc) two = parse(first);
		g_autofree char *second = desc_to_sdp(two, &origin);
		g_autofree char *one_line = desc_summary(one);
		g_autofree char *two_line = desc_summary(two);

		g_assert_cmpstr(first, ==, second);
		g_assert_cmpstr(one_line, ==, two_line);
	}
}

/* Text of a Jingle peer cannot begin a line of ours. */
static void
test_injection(void)
{
	g_autoptr(Desc) desc = desc_new();
	Stream *stream = desc_add_stream(desc, STREAM_AUDIO, "0\r\nm=video 1 RTP/AVP 0");
	Codec *added = stream_add_codec(stream, 0, "PCMU\r\na=x", 8000, 1);
	g_autofree char *sdp = NULL;

	codec_add_param(added, "a\nb", "c\r\nm=audio 9 RTP/AVP 0");
	desc->bundle = TRUE;
	stream->transport->port = 4000;
	stream->transport->ufrag = g_strdup("u\r\na=evil");
	sdp = desc_to_sdp(desc, &(SdpOrigin){ "192.0.2.1", 1, 1 });
	g_assert_null(strstr(sdp, "\r\na=x"));
	g_assert_null(strstr(sdp, "\r\nm=video"));
	g_assert_null(strstr(sdp, "\nb"));
	g_assert_true(strstr(sdp, "\r\nm=") == g_strrstr(sdp, "\r\nm="));
}

static void
test_refused(void)
{
	static const char *const texts[] = { "", "v=0", "hello", "v=0\r\n\r\n",
					     "m=audio 4 RTP/AVP 0" };
	g_autofree char *long_one = g_strnfill(SDP_MAX_SIZE + 1, 'a');
	GString *many = g_string_new(HEAD);
	g_autoptr(GError) error = NULL;

	for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(GError) told = NULL;

		g_assert_null(desc_from_sdp(texts[i], strlen(texts[i]), &told));
		g_assert_error(told, SDP_ERROR_DOMAIN, REASON_PROTOCOL_ERROR);
	}
	g_assert_null(desc_from_sdp(long_one, strlen(long_one), &error));
	g_clear_error(&error);
	g_assert_null(desc_from_sdp(HEAD "\0", sizeof(HEAD), &error));
	g_clear_error(&error);
	for (guint i = 0; i < DESC_MAX_STREAMS; i++)
		g_string_append(many, "m=audio 4000 RTP/AVP 0\r\n");
	desc_unref(parse(many->str));
	g_string_append(many, "m=audio 4000 RTP/AVP 0\r\n");
	g_assert_null(desc_from_sdp(many->str, many->len, &error));
	g_assert_error(error, SDP_ERROR_DOMAIN, REASON_PROTOCOL_ERROR);
	g_string_free(many, TRUE);
}

/* Any of these as it stands keeps sofia's parser busy for ever. */
static void
test_endless(void)
{
	static const char *const texts[] = {
		HEAD "m=a 9 U (\r\n",
		HEAD "m=a 9 U /\r\n",
		HEAD "m=image 9 udptl \x01\r\n",
		HEAD "m=a 9 U t38 \xff",
		HEAD "m=a 9 U  \t\r\n",
		HEAD " m=a 9 U =\r\n",
		HEAD "m=audio 0TR40P0 /AVP 0 8\r\n",
	};

	for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(desc_from_sdp(texts[i], strlen(texts[i]), &error));
		g_assert_error(error, SDP_ERROR_DOMAIN, REASON_PROTOCOL_ERROR);
	}
}

/* What is not needed does not refuse: each of these beside a good PCMA. */
static void
test_lenient(void)
{
	static const struct {
		const char *head, *lines; /* NULL: HEAD */
	} cases[] = {
		{ NULL, "a=rtpmap:18 G729\r\n" },
		{ NULL, "a=rtpmap:18\r\na=rtpmap:\r\na=rtpmap\r\na=rtpmap:18 /8000\r\n" },
		{ NULL, "a=fmtp:\r\na=fmtp:18\r\na=fmtp:x y\r\n" },
		{ NULL, "a=\r\na\r\n=\r\nnonsense\r\na=(:x\r\nx=y\r\n" },
		{ NULL, "b=\r\nb=AS\r\ni=\r\nk=\r\n" },
		{ "v=0 \r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n",
		  "" },
		{ "v=0\r\no=- 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n", "" },
		{ "v=0\r\no=\r\ns=\r\nc=IN IP4 192.0.2.7 \r\nt=x\r\nr=y\r\nz=\r\n", "" },
		{ "v=0\nc=IN IP4 192.0.2.7\n", "" },
		{ "v=0\r\nc= IN  IP4\t192.0.2.7\r\n", "" },
		{ "\r\nv=0\r\n e=x\r\n\r\nc=IN IP4 192.0.2.7\r\np=1\r\nu=\r\n", "" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = g_strconcat(
			cases[i].head ? cases[i].head : HEAD, "m=audio 4000 RTP/AVP 18 8\r\n",
			cases[i].lines, "a=rtpmap:8 PCMA/8000 \r\na=sendonly \r\n", NULL);
		g_autoptr(Desc) desc = parse(text);

		g_test_message("%s", text);
		g_assert_nonnull(stream_find_codec(nth(desc, 0), "PCMA", 8000));
		g_assert_cmpint(nth(desc, 0)->direction, ==, DIRECTION_SENDONLY);
		g_assert_cmpstr(nth(desc, 0)->transport->address, ==, "192.0.2.7");
		g_assert_false(nth(desc, 0)->rejected);
	}
}

/* Between two words of a line that is needed stand any blanks. */
static void
test_blanks(void)
{
	static const char *const LINES[] = { "m=audio  4000  RTP/AVP  18  8\r\n",
					     "m= audio\t4000\tRTP/AVP\t18\t8 \r\n" };

	for (guint i = 0; i < G_N_ELEMENTS(LINES); i++) {
		g_autofree char *text = g_strconcat(HEAD, LINES[i], NULL);
		g_autoptr(Desc) desc = parse(text);

		g_assert_nonnull(stream_find_codec(nth(desc, 0), "PCMA", 8000));
		g_assert_cmpint(nth(desc, 0)->transport->port, ==, 4000);
	}
}

/* A stream that is broken keeps its place; another's address is not taken for its own. */
static void
test_streams_apart(void)
{
	g_autoptr(Desc) desc = parse(HEAD "m=image 9 udptl (\r\n"
					  "m=audio 4000 RTP/AVP 4\r\na=rtpmap:4 G723/8000\r\n"
					  "m=audio 4002 RTP/AVP 8\r\nc=IN IP4\r\n"
					  "m=audio 4004 RTP/AVP 8\r\n"
					  "m=audio 4006 RTP/AVP 0\r\n");
	g_autoptr(Transport) ours = transport_new(TRANSPORT_RTP);
	g_autoptr(Desc) answer = NULL;
	const guint16 ports[] = { 0, 0, 0, 5000, 0 };
	SdpOrigin origin = { "192.0.2.1", 1, 1 };
	g_autofree char *sdp = NULL;

	g_assert_cmpuint(desc->streams->len, ==, 5);
	g_assert_true(nth(desc, 0)->rejected);
	g_assert_true(nth(desc, 2)->rejected);
	g_assert_true(desc_audio(desc) == nth(desc, 3));
	g_strlcpy(ours->address, "192.0.2.1", sizeof ours->address);
	ours->port = 5000;
	answer = desc_answer(desc, desc, ours);
	g_assert_nonnull(answer);
	for (guint i = 0; i < G_N_ELEMENTS(ports); i++)
		g_assert_cmpint(nth(answer, i)->rejected, ==, ports[i] == 0);
	sdp = desc_to_sdp(answer, &origin);
	g_assert_nonnull(strstr(sdp, "m=audio 0 RTP/AVP 4\r\n"));
	g_assert_nonnull(strstr(sdp, "m=audio 5000 RTP/AVP 8\r\n"));
}

/* RFC 7587 7 */
static void
test_opus(void)
{
	g_autoptr(Desc) desc = parse(HEAD "m=audio 4000 RTP/AVP 96 97\r\n"
					  "a=rtpmap:96 opus/48000\r\na=rtpmap:97 OPUS/48000/2\r\n");

	g_assert_cmpuint(codec(nth(desc, 0), 0)->channels, ==, 2);
	g_assert_cmpuint(codec(nth(desc, 0), 1)->channels, ==, 2);
}

static void
test_limits(void)
{
	GString *text = g_string_new(CLIENT);
	g_autoptr(Desc) desc = NULL;
	g_autoptr(Desc) codecs = NULL;

	for (guint i = 0; i < 100; i++)
		g_string_append_printf(text, "a=candidate:%u 1 udp 1 192.0.2.9 %u typ host\r\n", i,
				       2000 + i);
	desc = parse(text->str);
	g_assert_cmpuint(nth(desc, 0)->transport->candidates->len, ==, DESC_MAX_CANDIDATES);
	g_string_assign(text, HEAD "m=audio 4000 RTP/AVP");
	for (guint i = 0; i < 128; i++)
		g_string_append_printf(text, " %u", i);
	g_string_append(text, "\r\n");
	for (guint i = 0; i < 128; i++) {
		g_string_append_printf(text, "a=rtpmap:%u c/8000\r\na=fmtp:%u ", i, i);
		for (guint j = 0; j < 40; j++)
			g_string_append_printf(text, "p%u;", j);
		g_string_append(text, "\r\n");
	}
	codecs = parse(text->str);
	g_assert_cmpuint(nth(codecs, 0)->codecs->len, ==, DESC_MAX_CODECS);
	g_assert_cmpuint(codec(nth(codecs, 0), 0)->params->len, ==, DESC_MAX_PARAMS);
	g_string_free(text, TRUE);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/sip-desc/telephone", test_telephone);
	g_test_add_func("/sip-desc/addresses", test_addresses);
	g_test_add_func("/sip-desc/no-address", test_no_address);
	g_test_add_func("/sip-desc/hold", test_hold);
	g_test_add_func("/sip-desc/refusal", test_refusal);
	g_test_add_func("/sip-desc/crypto", test_crypto);
	g_test_add_func("/sip-desc/webrtc", test_webrtc);
	g_test_add_func("/sip-desc/round-trip", test_round_trip);
	g_test_add_func("/sip-desc/injection", test_injection);
	g_test_add_func("/sip-desc/refused", test_refused);
	g_test_add_func("/sip-desc/endless", test_endless);
	g_test_add_func("/sip-desc/limits", test_limits);
	g_test_add_func("/sip-desc/lenient", test_lenient);
	g_test_add_func("/sip-desc/blanks", test_blanks);
	g_test_add_func("/sip-desc/streams-apart", test_streams_apart);
	g_test_add_func("/sip-desc/opus", test_opus);
	return g_test_run();
}
