/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-jingle.c - what is taken from a <jingle/>, what is dropped, what is built. */
#include <string.h>
#include "plugins/xmpp/jingle.h"

#define LIMIT (1024 * 1024)
#define FINGERPRINT                                                                               \
	"2E:C3:E4:7D:CF:05:A1:39:D8:95:B2:71:F8:99:F0:DA:4F:51:C6:DF:A8:F7:C0:EB:93:CA:A8:9A:5B:" \
	"03:EF:58"

#define JINGLE(action, inside) \
	"<jingle xmlns='urn:xmpp:jingle:1' sid='S' action='" action "'>" inside "</jingle>"
#define CONTENT(attributes, inside) "<content " attributes ">" inside "</content>"
#define RTP(inside) \
	"<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'>" inside "</description>"
#define ICE(attributes, inside)                                                          \
	"<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' " attributes ">" inside \
	"</transport>"
#define DTLS(attributes, value) \
	"<fingerprint xmlns='urn:xmpp:jingle:apps:dtls:0' " attributes ">" value "</fingerprint>"
#define CREDENTIALS "ufrag='abcd' pwd='abcdefghijklmnopqrstuv'"
#define PCMU	    "<payload-type id='0' name='PCMU' clockrate='8000'/>"
#define GOOD_DTLS   DTLS("hash='sha-256' setup='actpass'", FINGERPRINT)

static const JingleSession session = { "S", "+1@gw/gw", "+2@gw/gw" };

static Jingle *
parse(const char *text)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(xmlNode) node = xml_parse(text, strlen(text), LIMIT, &error);
	Jingle *jingle;

	g_assert_no_error(error);
	jingle = jingle_parse(node, &error);
	g_assert_no_error(error);
	g_assert_nonnull(jingle);
	return jingle;
}

static Jingle *
parse_file(const char *name)
{
	g_autofree char *path = g_test_build_filename(G_TEST_DIST, "data", "stanzas", name, NULL);
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(xmlNode) iq = NULL;
	gsize length;

	g_file_get_contents(path, &text, &length, &error);
	g_assert_no_error(error);
	iq = xml_parse(text, length, LIMIT, &error);
	g_assert_no_error(error);
	return jingle_parse(jingle_find(iq), NULL);
}

static const JingleContent *
only(const Jingle *jingle)
{
	g_assert_cmpuint(jingle->contents->len, ==, 1);
	return g_ptr_array_index(jingle->contents, 0);
}

static const Codec *
nth_codec(const Jingle *jingle, guint n)
{
	return g_ptr_array_index(only(jingle)->stream->codecs, n);
}

/* --- parsing --- */

static void
test_frame(void)
{
	g_autoptr(Jingle) bare = parse("<jingle xmlns='urn:xmpp:jingle:1' sid=''/>");
	g_autoptr(Jingle) odd = parse(JINGLE("zzz", ""));
	g_autoptr(xmlNode) other = xml_new("urn:other", "jingle");
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(bare->action, ==, JINGLE_UNKNOWN_ACTION);
	g_assert_null(bare->sid);
	g_assert_cmpint(odd->action, ==, JINGLE_UNKNOWN_ACTION);
	g_assert_null(jingle_parse(other, &error));
	g_assert_error(error, JINGLE_ERROR_DOMAIN, REASON_PROTOCOL_ERROR);
	g_assert_null(jingle_find(other));
	g_assert_null(jingle_find(NULL));
}

static void
test_names(void)
{
	for (JingleAction action = JINGLE_UNKNOWN_ACTION + 1; action < N_JINGLE_ACTIONS; action++) {
		g_autoptr(xmlNode) node = xml_new(NS_JINGLE, "jingle");
		g_autoptr(Jingle) jingle = NULL;

		xml_set(node, "action", jingle_action_name(action));
		jingle = jingle_parse(node, NULL);
		g_assert_cmpint(jingle->action, ==, action);
	}
	for (JingleInfo info = JINGLE_INFO_NONE; info < N_JINGLE_INFOS; info++) {
		g_autoptr(xmlNode) node = jingle_build_info(&session, info, "0");
		g_autoptr(Jingle) jingle = jingle_parse(node, NULL);

		g_assert_cmpint(jingle->info, ==, jingle_info_name(info) ? info : JINGLE_INFO_NONE);
		g_assert_cmpstr(jingle->info_content, ==, jingle_info_name(info) ? "0" : NULL);
	}
	for (const char *key = "0123456789*#ABCD"; *key; key++) {
		g_autoptr(xmlNode) node = jingle_build_key(&session, *key);
		g_autoptr(Jingle) jingle = jingle_parse(node, NULL);

		g_assert_cmpint(jingle->key, ==, *key);
	}
	g_assert_cmpstr(jingle_action_name(N_JINGLE_ACTIONS), ==, "unknown");
}

static void
test_direction(void)
{
	static const struct {
		JingleSenders senders;
		Direction initiator, responder;
	} cases[] = {
		{ SENDERS_BOTH, DIRECTION_SENDRECV, DIRECTION_SENDRECV },
		{ SENDERS_INITIATOR, DIRECTION_SENDONLY, DIRECTION_RECVONLY },
		{ SENDERS_RESPONDER, DIRECTION_RECVONLY, DIRECTION_SENDONLY },
		{ SENDERS_NONE, DIRECTION_INACTIVE, DIRECTION_INACTIVE },
	};
	g_autoptr(Jingle) offer =
		parse(JINGLE("session-initiate", CONTENT("name='0' senders='initiator'", "")));
	g_autoptr(Jingle) answer =
		parse(JINGLE("session-accept", CONTENT("name='0' senders='initiator'", "")));

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_assert_cmpint(jingle_direction(cases[i].senders, PARTY_INITIATOR), ==,
				cases[i].initiator);
		g_assert_cmpint(jingle_direction(cases[i].senders, PARTY_RESPONDER), ==,
				cases[i].responder);
	}
	g_assert_cmpint(only(offer)->stream->direction, ==, DIRECTION_SENDONLY);
	g_assert_cmpint(only(answer)->stream->direction, ==, DIRECTION_RECVONLY);
}

/* Namespaces count, not prefixes; any order; what is missing has its default. */
static void
test_shape(void)
{
	g_autoptr(Jingle) jingle = parse(
		"<j:jingle xmlns:j='urn:xmpp:jingle:1' xmlns:r='urn:xmpp:jingle:apps:rtp:1' "
		"xmlns:i='urn:xmpp:jingle:transports:ice-udp:1' j:sid='no' "
		"action='session-initiate'>"
		"<content xmlns='urn:other' name='no'/>"
		"<g:group xmlns:g='urn:xmpp:jingle:apps:grouping:0' semantics='LS'/>"
		"<g:group xmlns:g='urn:xmpp:jingle:apps:grouping:0' semantics='BUNDLE'>"
		"<g:content name='0'/></g:group>"
		"<j:content name='0' senders='everybody'><i:transport/>"
		"<r:description media='audio'><x:payload-type xmlns:x='urn:x' id='1' name='x' "
		"clockrate='1'/>"
		"<r:payload-type clockrate='8000' name='pcmu' id='0'/></r:description></j:content>"
		"</j:jingle>");
	const JingleContent *content = only(jingle);

	g_assert_null(jingle->sid);
	g_assert_cmpstr(jingle->group, ==, "BUNDLE");
	g_assert_cmpuint(jingle->group_names->len, ==, 1);
	g_assert_true(jingle->desc->bundle);
	g_assert_cmpint(content->creator, ==, PARTY_INITIATOR);
	g_assert_cmpint(content->senders, ==, SENDERS_BOTH);
	g_assert_cmpstr(content->disposition, ==, "session");
	g_assert_cmpuint(content->stream->codecs->len, ==, 1);
	g_assert_cmpstr(nth_codec(jingle, 0)->name, ==, "pcmu");
	g_assert_cmpuint(nth_codec(jingle, 0)->channels, ==, 1);
	g_assert_true(codec_relayed(nth_codec(jingle, 0)));
	g_assert_cmpint(content->stream->transport->kind, ==, TRANSPORT_WEBRTC);
	g_assert_cmpint(content->stream->transport->setup, ==, SETUP_NONE);
	g_assert_null(content->stream->transport->ufrag);
	g_assert_null(content->stream->transport->pwd);
	/* multiplexed because it is bundled, though it does not say so */
	g_assert_false(content->rtcp_mux);
	g_assert_true(content->stream->transport->rtcp_mux);
}

static void
test_contents(void)
{
	g_autoptr(Jingle) jingle = parse(
		JINGLE("session-initiate",
		       CONTENT("", "") CONTENT("name=''", "") CONTENT("name='a&#10;b'", "")
			       CONTENT("name='x'", "") CONTENT("name='x' creator='responder'", "")
				       CONTENT("name='video'", "")));

	g_assert_cmpuint(jingle->contents->len, ==, 2);
	g_assert_cmpuint(jingle->desc->streams->len, ==, 2);
	g_assert_nonnull(jingle_content(jingle, "x"));
	g_assert_null(jingle_content(jingle, "y"));
	g_assert_null(jingle_audio(jingle));
	g_assert_false(jingle_has_media(jingle, "video"));
}

static void
test_codecs(void)
{
	g_autoptr(Jingle) jingle = parse(JINGLE(
		"session-initiate",
		CONTENT("name='0'",
			RTP("<payload-type id='8'/>" /* static: named by its number */
			    "<payload-type id='8' name='again' clockrate='1'/>"
			    "<payload-type id='128' name='PCMU' clockrate='8000'/>"
			    "<payload-type id='-1' name='PCMU' clockrate='8000'/>"
			    "<payload-type name='PCMU' clockrate='8000'/>"
			    "<payload-type id='97' name='x'/>"	       /* no rate */
			    "<payload-type id='98' clockrate='8000'/>" /* no name */
			    "<payload-type id='99' name='a&#13;&#10;a=b' clockrate='8000'/>"
			    "<payload-type id='100' name='two words' clockrate='8000'/>"
			    "<payload-type id='111' name='opus' clockrate='48000' channels='2' "
			    "ptime='20'>"
			    "<parameter name='stereo' value='1'/><parameter name='stereo' "
			    "value='0'/>"
			    "<parameter name='111/111'/><parameter value='0-15'/><parameter/>"
			    "<parameter name='a;b' value='1'/><parameter name='c' value='1;d=2'/>"
			    "<parameter name='e' value='1&#10;2'/></payload-type>"
			    "<payload-type id='126' name='Telephone-Event' clockrate='8000'>"
			    "<parameter name='events' value='0-16'/></payload-type>"))));
	const Codec *opus = nth_codec(jingle, 1), *event = nth_codec(jingle, 2);
	const CodecParam *param;

	g_assert_cmpuint(only(jingle)->stream->codecs->len, ==, 3);
	g_assert_cmpstr(nth_codec(jingle, 0)->name, ==, "PCMA");
	g_assert_cmpuint(nth_codec(jingle, 0)->rate, ==, 8000);
	g_assert_cmpuint(only(jingle)->stream->ptime, ==, 20);
	g_assert_cmpuint(opus->channels, ==, 2);
	g_assert_cmpuint(opus->params->len, ==, 3);
	param = g_ptr_array_index(opus->params, 0);
	g_assert_cmpstr(param->value, ==, "1");
	param = g_ptr_array_index(opus->params, 2);
	g_assert_cmpstr(param->name, ==, "0-15");
	param = g_ptr_array_index(event->params, 0);
	g_assert_cmpstr(param->name, ==, "0-16");
	g_assert_cmpstr(param->value, ==, "");
}

static const Transport *
transport_of(Jingle **jingle, const char *inside)
{
	g_autofree char *text = g_strdup_printf(
		JINGLE("transport-info", CONTENT("name='0'", ICE("", "%s"))), inside);

	g_clear_pointer(jingle, jingle_free);
	*jingle = parse(text);
	return only(*jingle)->stream->transport;
}

static void
test_fingerprints(void)
{
	static const char *const bad[] = {
		"",
		DTLS("hash='sha-256'", "2E:C3"),
		DTLS("hash='sha-256'", FINGERPRINT ":00"),
		DTLS("hash='md5'", FINGERPRINT),
		DTLS("", FINGERPRINT),
		DTLS("hash='sha-256'", "zz"),
		DTLS("hash='sha-1'", FINGERPRINT),
		"<fingerprint xmlns='urn:other' hash='sha-256'>" FINGERPRINT "</fingerprint>",
	};
	g_autofree char *lower = g_ascii_strdown(FINGERPRINT, -1), *text = NULL, *many = NULL;
	g_auto(GStrv) bytes = g_strsplit(lower, ":", -1);
	g_autofree char *joined = g_strjoinv("", bytes);
	g_autoptr(Jingle) jingle = NULL;
	const Transport *transport;

	for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
		g_assert_null(transport_of(&jingle, bad[i])->fingerprint);
	text = g_strdup_printf(DTLS("hash='SHA-256' setup='passive'", "\n %s "), lower);
	transport = transport_of(&jingle, text);
	g_assert_cmpstr(transport->fingerprint, ==, FINGERPRINT);
	g_assert_cmpstr(transport->fingerprint_hash, ==, "sha-256");
	g_assert_cmpint(transport->setup, ==, SETUP_PASSIVE);
	many = g_strdup_printf(DTLS("hash='sha-1' setup='active'",
				    "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13")
				       DTLS("hash='sha-256' setup='holdconn'", "%s"),
			       joined);
	transport = transport_of(&jingle, many);
	g_assert_cmpstr(transport->fingerprint, ==, FINGERPRINT);
	g_assert_cmpint(transport->setup, ==, SETUP_NONE);
}

#define CANDIDATE(component, protocol, ip, port, type, more)                                   \
	"<candidate component='" component "' protocol='" protocol "' ip='" ip "' port='" port \
	"' type='" type "' priority='2130706431' " more "/>"

static void
test_candidates(void)
{
	g_autoptr(Jingle) jingle = NULL;
	const Transport *transport = transport_of(
		&jingle,
		CANDIDATE("1", "UDP", "192.0.2.1", "5000", "host", "foundation='1'") CANDIDATE(
			"1", "udp", "2001:db8::1", "5001", "srflx",
			"foundation='x' generation='3' rel-addr='10.0.0.1' rel-port='9'")
			CANDIDATE("1", "udp", "192.0.2.1", "5002", "srflx",
				  "foundation='1' rel-addr='a b'") CANDIDATE("2", "udp",
									     "192.0.2.1", "5003",
									     "host",
									     "foundation='1'")
				CANDIDATE("1", "tcp", "192.0.2.1", "5004", "host", "foundation='1'")
					CANDIDATE("1", "udp", "abc.local", "5005", "host",
						  "foundation='1'") CANDIDATE("1", "udp",
									      "192.0.2.1", "70000",
									      "host",
									      "foundation='1'")
						CANDIDATE("1", "udp", "192.0.2.1", "5006", "zzz",
							  "foundation='1'") CANDIDATE("1", "udp",
										      "192.0.2.1",
										      "5007",
										      "host", "")
							CANDIDATE("", "udp", "192.0.2.1", "5008",
								  "host",
								  "foundation='1'") "<candidate/>");
	const Candidate *first = &g_array_index(transport->candidates, Candidate, 0);
	const Candidate *second = &g_array_index(transport->candidates, Candidate, 1);
	const JingleCandidate *raw;

	g_assert_cmpuint(transport->candidates->len, ==, 4);
	g_assert_cmpstr(first->address, ==, "192.0.2.1");
	g_assert_cmpuint(first->port, ==, 5000);
	g_assert_cmpuint(first->generation, ==, 0);
	g_assert_cmpint(first->type, ==, CANDIDATE_HOST);
	g_assert_cmpuint(second->generation, ==, 3);
	g_assert_cmpstr(second->related_address, ==, "10.0.0.1");
	g_assert_cmpuint(second->related_port, ==, 9);
	g_assert_cmpstr(g_array_index(transport->candidates, Candidate, 2).related_address, ==, "");
	g_assert_cmpuint(only(jingle)->raw_candidates->len, ==, 11);
	raw = g_ptr_array_index(only(jingle)->raw_candidates, 5);
	g_assert_cmpstr(raw->address, ==, "abc.local");
	g_assert_false(raw->usable);
}

static void
test_credentials(void)
{
	g_autofree char *long_pwd = g_strnfill(300, 'x');
	g_autofree char *text =
		g_strdup_printf(JINGLE("transport-info",
				       CONTENT("name='0'", ICE("ufrag='a&#10;b' pwd='%s'", ""))
					       CONTENT("name='1'", ICE("ufrag='a+/b' pwd=''", ""))),
				long_pwd);
	g_autoptr(Jingle) jingle = parse(text);

	g_assert_null(jingle_content(jingle, "0")->stream->transport->ufrag);
	g_assert_null(jingle_content(jingle, "0")->stream->transport->pwd);
	g_assert_cmpstr(jingle_content(jingle, "1")->stream->transport->ufrag, ==, "a+/b");
	g_assert_null(jingle_content(jingle, "1")->stream->transport->pwd);
}

static void
repeat(GString *text, const char *what, guint times)
{
	for (guint i = 0; i < times; i++)
		g_string_append_printf(text, what, i);
}

static void
test_limits(void)
{
	g_autoptr(GString) text =
		g_string_new("<jingle xmlns='urn:xmpp:jingle:1'><content name='a'>"
			     "<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'>"
			     "<payload-type id='127' name='x' clockrate='1'>");
	g_autoptr(Jingle) jingle = NULL;
	const JingleContent *content;

	repeat(text, "<parameter name='p%u' value='1'/>", 100);
	g_string_append(text, "</payload-type>");
	repeat(text, "<payload-type id='%u' name='x' clockrate='1'/>", 100);
	g_string_append(text,
			"</description><transport xmlns='urn:xmpp:jingle:transports:ice-udp:1'>");
	repeat(text, CANDIDATE("1", "udp", "192.0.2.1", "5000", "host", "foundation='%u'"), 100);
	repeat(text,
	       "<o%u xmlns='http://gultsch.de/xmpp/drafts/jingle/transports/ice-udp/option'/>",
	       100);
	g_string_append(text, "</transport></content>");
	repeat(text, "<content name='%u'/>", 100);
	g_string_append(text, "<group xmlns='urn:xmpp:jingle:apps:grouping:0' semantics='BUNDLE'>");
	repeat(text, "<content name='%u'/>", 100);
	g_string_append(text, "</group></jingle>");
	jingle = parse(text->str);
	content = jingle_audio(jingle);
	g_assert_cmpuint(jingle->contents->len, ==, DESC_MAX_STREAMS);
	g_assert_cmpuint(jingle->group_names->len, ==, DESC_MAX_STREAMS);
	g_assert_cmpuint(content->stream->codecs->len, ==, DESC_MAX_CODECS);
	g_assert_cmpuint(((Codec *)content->stream->codecs->pdata[0])->params->len, ==,
			 DESC_MAX_PARAMS);
	g_assert_cmpuint(content->raw_candidates->len, ==, DESC_MAX_CANDIDATES);
	g_assert_cmpuint(content->ice_options->len, ==, 8);
}

static void
test_reasons(void)
{
	g_autoptr(Jingle) worded = parse(JINGLE("session-terminate",
						"<reason><text> bye\n now </text><x xmlns='urn:x'/>"
						"<gone/></reason>"));
	g_autoptr(Jingle) empty = parse(JINGLE("session-terminate", "<reason/>"));
	g_autoptr(Jingle) none = parse(JINGLE("session-terminate", ""));

	g_assert_cmpstr(worded->reason, ==, "gone");
	g_assert_cmpstr(worded->reason_text, ==, "bye  now");
	g_assert_null(empty->reason);
	g_assert_null(none->reason);
	g_assert_null(none->reason_text);
}

static void
test_info(void)
{
	g_autoptr(Jingle) odd = parse(JINGLE("session-info", "<zzz xmlns='urn:z'/>"));
	g_autoptr(Jingle) false_ring = parse(JINGLE("session-info", "<ringing xmlns='urn:z'/>"));
	g_autoptr(Jingle) second = parse(JINGLE(
		"session-info",
		"<zzz xmlns='urn:z'/><mute xmlns='urn:xmpp:jingle:apps:rtp:info:1' name='v'/>"));

	g_assert_cmpint(odd->info, ==, JINGLE_INFO_UNKNOWN);
	g_assert_cmpint(false_ring->info, ==, JINGLE_INFO_UNKNOWN);
	g_assert_cmpint(second->info, ==, JINGLE_INFO_MUTE);
	g_assert_cmpstr(second->info_content, ==, "v");
}

/* --- what a call can be made of --- */

static void
test_refusals(void)
{
	static const struct {
		const char *text;
		Reason reason; /* NONE: taken */
	} cases[] = {
		{ JINGLE("session-initiate",
			 CONTENT("name='0'", RTP(PCMU) ICE(CREDENTIALS, GOOD_DTLS))),
		  REASON_NONE },
		{ JINGLE("session-initiate", ""), REASON_INCOMPATIBLE },
		{ JINGLE("session-initiate",
			 CONTENT("name='0'", "<description xmlns='urn:x' media='audio'/>")),
		  REASON_INCOMPATIBLE },
		{ JINGLE("session-initiate",
			 CONTENT("name='0'", RTP("") ICE(CREDENTIALS, GOOD_DTLS))),
		  REASON_INCOMPATIBLE },
		{ JINGLE("session-initiate", CONTENT("name='0'", RTP(PCMU))), REASON_INCOMPATIBLE },
		{ JINGLE("session-initiate",
			 CONTENT("name='0'",
				 RTP(PCMU) "<transport "
					   "xmlns='urn:xmpp:jingle:transports:raw-udp:1'/>")),
		  REASON_INCOMPATIBLE },
		{ JINGLE("session-initiate", CONTENT("name='0'", RTP(PCMU) ICE(CREDENTIALS, ""))),
		  REASON_SECURITY },
		{ JINGLE("session-initiate",
			 CONTENT("name='0'", RTP(PCMU) ICE("ufrag='abcd'", GOOD_DTLS))),
		  REASON_PROTOCOL_ERROR },
		{ JINGLE("session-initiate",
			 CONTENT("name='0'",
				 RTP(PCMU) ICE(CREDENTIALS, DTLS("hash='sha-256'", FINGERPRINT)))),
		  REASON_SECURITY },
		{ JINGLE("session-accept",
			 CONTENT("name='0'", RTP(PCMU) ICE(CREDENTIALS, GOOD_DTLS))),
		  REASON_SECURITY },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(Jingle) jingle = parse(cases[i].text);
		g_autoptr(Desc) desc = desc_from_jingle(jingle, FALSE, &error);

		if (cases[i].reason == REASON_NONE) {
			g_assert_no_error(error);
			g_assert_nonnull(desc);
			continue;
		}
		g_assert_null(desc);
		g_assert_error(error, JINGLE_ERROR_DOMAIN, (gint)cases[i].reason);
	}
}

static void
test_clients(void)
{
	static const struct {
		const char *file;
		Reason reason, clear; /* of one who must have DTLS, and of one who may do without */
	} cases[] = {
		{ "conversations-10-c-session-initiate-trickle.xml", REASON_NONE, REASON_NONE },
		{ "conversations-12-c-session-initiate-audio-video.xml", REASON_NONE, REASON_NONE },
		{ "conversations-66-c-session-accept.xml", REASON_NONE, REASON_NONE },
		{ "dino-10-c-session-initiate.xml", REASON_NONE, REASON_NONE },
		{ "dino-66-c-session-accept.xml", REASON_NONE, REASON_NONE },
		{ "movim-10-c-session-initiate-chromium.xml", REASON_NONE, REASON_NONE },
		{ "movim-11-c-session-initiate-firefox.xml", REASON_NONE, REASON_NONE },
		{ "siskin-10-c-session-initiate.xml", REASON_NONE, REASON_NONE },
		{ "stanza-10-c-session-initiate.xml", REASON_NONE, REASON_NONE },
		{ "gajim-10-c-session-initiate-plain-rtp.xml", REASON_SECURITY, REASON_NONE },
		{ "gajim-66-c-session-accept-plain-rtp.xml", REASON_SECURITY, REASON_NONE },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(Jingle) jingle = parse_file(cases[i].file);
		g_autoptr(Desc) desc = desc_from_jingle(jingle, FALSE, &error);
		g_autoptr(Desc) clear = desc_from_jingle(jingle, TRUE, NULL);

		g_test_message("%s", cases[i].file);
		g_assert_cmpint(desc != NULL, ==, cases[i].reason == REASON_NONE);
		g_assert_cmpint(clear != NULL, ==, cases[i].clear == REASON_NONE);
		/* who has DTLS is never taken without */
		g_assert_cmpint(clear && desc_audio(clear)->transport->unencrypted, ==, !desc);
		if (!desc)
			g_assert_error(error, JINGLE_ERROR_DOMAIN, (gint)cases[i].reason);
	}
}

/* Something was said of encryption, though nothing that can be used: that is no offer to do
 * without. */
static void
test_not_clear(void)
{
	static const char *const texts[] = {
		JINGLE("session-initiate",
		       CONTENT("name='0'",
			       RTP(PCMU) ICE(CREDENTIALS, DTLS("hash='md5'", "00:11")))),
		JINGLE("session-initiate",
		       CONTENT("name='0'", RTP(PCMU) ICE(CREDENTIALS, DTLS("", "")))),
		JINGLE("session-initiate",
		       CONTENT("name='0'",
			       RTP(PCMU "<encryption required='1'/>") ICE(CREDENTIALS, ""))),
		JINGLE("session-initiate",
		       CONTENT("name='0'",
			       RTP(PCMU
				   "<encryption><zrtp-hash xmlns='urn:xmpp:jingle:apps:rtp:zrtp:1'"
				   " version='1.10'>00</zrtp-hash></encryption>")
				       ICE(CREDENTIALS, ""))),
		JINGLE("session-initiate",
		       CONTENT("name='0'", RTP(PCMU "<encryption><crypto tag='1'/></encryption>")
						   ICE(CREDENTIALS, ""))),
	};

	for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(Jingle) jingle = parse(texts[i]);
		g_autoptr(Desc) desc = desc_from_jingle(jingle, TRUE, &error);

		g_assert_null(desc);
		g_assert_error(error, JINGLE_ERROR_DOMAIN, REASON_SECURITY);
	}
}

/* --- building --- */

static Transport *
our_transport(void)
{
	Transport *ours = transport_new(TRANSPORT_WEBRTC);
	const Candidate candidates[] = {
		{ "word", 1, 100, "192.0.2.9", 6000, CANDIDATE_HOST, "192.0.2.9", 1, 0 },
		{ "2", 1, 90, "198.51.100.9", 6001, CANDIDATE_SRFLX, "192.0.2.9", 6000, 0 },
		{ "1", 2, 80, "192.0.2.9", 6002, CANDIDATE_HOST, "", 0, 0 },
		{ "1", 1, 70, "gw.local", 6003, CANDIDATE_HOST, "", 0, 0 },
	};

	ours->ufrag = g_strdup("ours");
	ours->pwd = g_strdup("ourourourourourourourour");
	ours->fingerprint_hash = g_strdup("SHA-256");
	ours->fingerprint = g_ascii_strdown(FINGERPRINT, -1);
	ours->setup = SETUP_ACTPASS;
	g_array_append_vals(ours->candidates, candidates, G_N_ELEMENTS(candidates));
	return ours;
}

/* Prints and parses again, as the other side would. */
static Jingle *
send(xmlNode *built)
{
	g_autoptr(xmlNode) owned = built;
	g_autofree char *text = xml_print(built);

	return parse(text);
}

static void
test_offer(void)
{
	g_autoptr(Transport) ours = our_transport();
	g_autoptr(Desc) offer = desc_offer_all(ours, TRANSPORT_RTP);
	g_autoptr(xmlNode) built = jingle_build_initiate(&session, offer);
	g_autofree char *text = xml_print(built);
	g_autoptr(Jingle) jingle = parse(text);
	const JingleContent *content = only(jingle);

	g_assert_cmpint(jingle->action, ==, JINGLE_SESSION_INITIATE);
	g_assert_cmpstr(jingle->initiator, ==, session.initiator);
	g_assert_null(jingle->responder);
	g_assert_true(jingle->desc->bundle);
	g_assert_cmpstr(jingle->group_names->pdata[0], ==, content->name);
	g_assert_true(content->senders_given && content->rtcp_mux);
	g_assert_cmpint(content->stream->transport->setup, ==, SETUP_ACTPASS);
	g_assert_cmpuint(content->raw_candidates->len, ==, 2); /* no component 2, no name */
	g_assert_nonnull(strstr(text, "hash=\"sha-256\""));
	g_assert_nonnull(strstr(text, FINGERPRINT));
	g_assert_nonnull(strstr(text, "rel-addr=\"192.0.2.9\" rel-port=\"6000\""));
	g_assert_null(strstr(text, "rel-port=\"1\"")); /* a host candidate has none */
	g_assert_null(strstr(text, "word"));	       /* foundations are numbers */
}

/* What a telephone calls its media is no name that every client can take. */
static void
test_offered_names(void)
{
	static const char *const mids[] = { NULL, "", "a name with blanks", "12345678901234567",
					    "audio" };
	static const char *const names[] = { "0", "1", "2", "3", "audio" };
	g_autoptr(Desc) offer = desc_new();
	g_autoptr(Jingle) jingle = NULL;
	Stream *rejected;

	for (guint i = 0; i < G_N_ELEMENTS(mids); i++)
		desc_add_stream(offer, STREAM_AUDIO, mids[i]);
	rejected = desc_add_stream(offer, STREAM_VIDEO, "no");
	rejected->rejected = TRUE;
	jingle = send(jingle_build_initiate(&session, offer));
	g_assert_cmpuint(jingle->contents->len, ==, G_N_ELEMENTS(names));
	for (guint i = 0; i < G_N_ELEMENTS(names); i++)
		g_assert_nonnull(jingle_content(jingle, names[i]));
}

/* The answer to a client's offer; codecs, mids and order come from the offer. */
static Jingle *
answer_to(const char *file, const Jingle **kept)
{
	g_autoptr(Transport) ours = our_transport();
	Jingle *offer = parse_file(file);
	g_autoptr(Desc) all = desc_offer_all(ours, TRANSPORT_RTP),
			answer = desc_answer(offer->desc, all, ours);
	Jingle *accept = send(jingle_build_accept(&session, offer, answer));

	if (kept)
		*kept = offer;
	else
		jingle_free(offer);
	return accept;
}

static void
test_answer(void)
{
	g_autoptr(Jingle) accept = answer_to("dino-10-c-session-initiate.xml", NULL);
	const JingleContent *content = only(accept);

	g_assert_cmpint(accept->action, ==, JINGLE_SESSION_ACCEPT);
	g_assert_cmpstr(accept->responder, ==, session.responder);
	g_assert_null(accept->initiator);
	g_assert_cmpstr(content->name, ==, "audio");
	g_assert_cmpint(content->creator, ==, PARTY_INITIATOR);
	g_assert_false(content->sdes); /* offered, and not copied */
	g_assert_true(content->rtcp_mux);
	g_assert_null(accept->group); /* not offered */
	g_assert_cmpint(content->stream->transport->setup, ==, SETUP_ACTIVE);
}

/* A bundled video comes back received and unused: the same media set. */
static void
test_answer_to_video(void)
{
	const Jingle *offer;
	g_autoptr(Jingle) accept =
		answer_to("conversations-12-c-session-initiate-audio-video.xml", &offer);
	const JingleContent *video = jingle_content(accept, "1");

	g_assert_cmpuint(accept->contents->len, ==, 2);
	g_assert_cmpuint(accept->group_names->len, ==, 2);
	g_assert_cmpint(jingle_content(accept, "0")->senders, ==, SENDERS_BOTH);
	g_assert_cmpint(video->senders, ==, SENDERS_INITIATOR);
	g_assert_cmpstr(video->media, ==, "video");
	g_assert_true(video->rtcp_mux);
	g_assert_cmpuint(video->stream->codecs->len, ==, 1);
	g_assert_cmpstr(((Codec *)video->stream->codecs->pdata[0])->name, ==, "VP8");
	g_assert_cmpstr(video->stream->transport->ufrag, ==, "ours");
	g_assert_cmpint(video->stream->transport->setup, ==, SETUP_ACTIVE);
	g_assert_false(jingle_audio(offer) == NULL);
	jingle_free((Jingle *)offer);
}

static void
test_answer_without_bundle(void)
{
	static const char text[] =
		JINGLE("session-initiate",
		       CONTENT("name='video'",
			       "<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='video'>"
			       "<payload-type id='96' name='VP8' clockrate='90000'/></description>")
			       CONTENT("name='audio'", RTP(PCMU) ICE(CREDENTIALS, GOOD_DTLS)));
	g_autoptr(Jingle) offer = parse(text), accept = NULL;
	g_autoptr(Transport) ours = our_transport();
	g_autoptr(Desc) all = desc_offer_all(ours, TRANSPORT_RTP),
			answer = desc_answer(offer->desc, all, ours);

	accept = send(jingle_build_accept(&session, offer, answer));
	g_assert_cmpstr(only(accept)->name, ==, "audio");
	g_assert_null(accept->group);
}

/* An answer that never chose is "active"; nameless and valueless parameters stay out. */
static void
test_answer_is_safe(void)
{
	g_autoptr(Transport) ours = our_transport();
	g_autoptr(Desc) answer = desc_offer_all(ours, TRANSPORT_RTP);
	g_autoptr(xmlNode) built = NULL;
	g_autofree char *text = NULL;
	Codec *codec =
		g_ptr_array_index(((Stream *)g_ptr_array_index(answer->streams, 0))->codecs, 0);

	codec_add_param(codec, "", "nameless");
	codec_add_param(codec, "valueless", "");
	codec_add_param(codec, "good", "1");
	built = jingle_build_accept(&session, NULL, answer);
	text = xml_print(built);
	g_assert_nonnull(strstr(text, "setup=\"active\""));
	g_assert_nonnull(strstr(text, "<parameter name=\"good\" value=\"1\"/>"));
	g_assert_null(strstr(text, "nameless"));
	g_assert_null(strstr(text, "valueless"));
}

static void
test_candidate(void)
{
	g_autoptr(Transport) ours = our_transport();
	g_autoptr(Jingle) jingle = send(jingle_build_candidate(
		&session, "0", ours, &g_array_index(ours->candidates, Candidate, 1)));
	const JingleContent *content = only(jingle);

	g_assert_cmpint(jingle->action, ==, JINGLE_TRANSPORT_INFO);
	g_assert_null(jingle->initiator);
	g_assert_cmpstr(content->stream->transport->ufrag, ==, "ours");
	g_assert_cmpstr(content->stream->transport->pwd, ==, ours->pwd);
	g_assert_null(content->stream->transport->fingerprint);
	g_assert_cmpuint(content->raw_candidates->len, ==, 1);
}

static void
test_ends(void)
{
	static const JingleEnd end = { "gone", "404 Not Found" }, silent = { NULL, "unsaid" };
	g_autoptr(Jingle) one = send(jingle_build_terminate(&session, &end));
	g_autoptr(Jingle) other = send(jingle_build_terminate(&session, &silent));

	g_assert_cmpstr(one->reason, ==, "gone");
	g_assert_cmpstr(one->reason_text, ==, "404 Not Found");
	g_assert_null(other->reason);
	g_assert_null(other->reason_text);
}

/* One client ends the call when either child is missing. */
static void
test_refused_content(void)
{
	g_autoptr(Jingle) request =
		parse(JINGLE("content-add", CONTENT("name='x' creator='responder'", "")));
	g_autoptr(Jingle) reject = send(jingle_build_content_reject(&session, request));
	const JingleContent *content = only(reject);

	g_assert_cmpint(content->creator, ==, PARTY_RESPONDER);
	g_assert_false(content->senders_given);
	g_assert_cmpstr(content->application_ns, ==, NS_RTP);
	g_assert_cmpstr(content->transport_ns, ==, NS_ICE_UDP);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/jingle/frame", test_frame);
	g_test_add_func("/jingle/names", test_names);
	g_test_add_func("/jingle/direction", test_direction);
	g_test_add_func("/jingle/shape", test_shape);
	g_test_add_func("/jingle/contents", test_contents);
	g_test_add_func("/jingle/codecs", test_codecs);
	g_test_add_func("/jingle/fingerprints", test_fingerprints);
	g_test_add_func("/jingle/candidates", test_candidates);
	g_test_add_func("/jingle/credentials", test_credentials);
	g_test_add_func("/jingle/limits", test_limits);
	g_test_add_func("/jingle/reasons", test_reasons);
	g_test_add_func("/jingle/info", test_info);
	g_test_add_func("/jingle/refusals", test_refusals);
	g_test_add_func("/jingle/clients", test_clients);
	g_test_add_func("/jingle/not-clear", test_not_clear);
	g_test_add_func("/jingle/offer", test_offer);
	g_test_add_func("/jingle/offered-names", test_offered_names);
	g_test_add_func("/jingle/answer", test_answer);
	g_test_add_func("/jingle/answer-to-video", test_answer_to_video);
	g_test_add_func("/jingle/answer-without-bundle", test_answer_without_bundle);
	g_test_add_func("/jingle/answer-is-safe", test_answer_is_safe);
	g_test_add_func("/jingle/candidate", test_candidate);
	g_test_add_func("/jingle/ends", test_ends);
	g_test_add_func("/jingle/refused-content", test_refused_content);
	return g_test_run();
}
