/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-desc.c - offer/answer arithmetic on descriptions (RFC 3264). */
#include <string.h>
#include "media/codec.h"
#include "media/desc.h"

static Transport *
rtp(const char *address, guint16 port)
{
	Transport *transport = transport_new(TRANSPORT_RTP);

	g_strlcpy(transport->address, address, sizeof(transport->address));
	transport->port = port;
	return transport;
}

static Transport *
webrtc(DtlsSetup setup)
{
	Transport *transport = transport_new(TRANSPORT_WEBRTC);
	Candidate candidate = { .foundation = "1",
				.component = 1,
				.address = "192.0.2.9",
				.port = 40000,
				.priority = 7 };

	transport->ufrag = g_strdup("gW4k");
	transport->pwd = g_strdup("4vU1bq0XcYt7mZr2sNwK8dQe");
	transport->fingerprint_hash = g_strdup("sha-256");
	transport->fingerprint = g_strdup("AA:BB");
	transport->setup = setup;
	g_array_append_val(transport->candidates, candidate);
	return transport;
}

/* "0 PCMU/8000, 110 telephone-event/48000" -> codecs of the stream */
static void
add_codecs(Stream *stream, const char *text)
{
	g_auto(GStrv) items = g_strsplit(text, ", ", -1);

	for (guint i = 0; items[i]; i++) {
		g_auto(GStrv) part = g_strsplit_set(items[i], " /", -1);
		stream_add_codec(stream, (guint8)atoi(part[0]), part[1], (guint32)atoi(part[2]),
				 part[3] ? (guint8)atoi(part[3]) : 1);
	}
}

static char *
codecs(const Stream *stream)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < stream->codecs->len; i++) {
		const Codec *codec = g_ptr_array_index(stream->codecs, i);
		g_string_append_printf(text, "%s%u %s/%u", i ? ", " : "", codec->pt, codec->name,
				       codec->rate);
		if (codec->channels > 1)
			g_string_append_printf(text, "/%u", codec->channels);
	}
	return g_string_free(text, FALSE);
}

#define assert_codecs(stream, expected)                  \
	G_STMT_START                                     \
	{                                                \
		g_autofree char *text_ = codecs(stream); \
		g_assert_cmpstr(text_, ==, expected);    \
	}                                                \
	G_STMT_END

static Desc *
audio_desc(Transport *transport, const char *list)
{
	Desc *desc = desc_new();
	Stream *stream = desc_add_stream(desc, STREAM_AUDIO, NULL);

	transport_free(stream->transport);
	stream->transport = transport;
	add_codecs(stream, list);
	return desc;
}

static const Stream *
nth(const Desc *desc, guint n)
{
	g_assert_cmpuint(n, <, desc->streams->len);
	return g_ptr_array_index(desc->streams, n);
}

/* What a phone's client offers: audio and video, bundled. */
static Desc *
client_offer(DtlsSetup setup)
{
	Desc *desc = desc_new();
	Stream *video = desc_add_stream(desc, STREAM_VIDEO, "1");
	Stream *audio = desc_add_stream(desc, STREAM_AUDIO, "0");

	desc->bundle = TRUE;
	transport_free(video->transport);
	video->transport = webrtc(setup);
	add_codecs(video, "96 VP8/90000, 97 rtx/90000");
	transport_free(audio->transport);
	audio->transport = webrtc(setup);
	add_codecs(audio, "111 opus/48000/2, 9 G722/8000, 0 pcmu/8000, 8 PCMA/8000, "
			  "110 telephone-event/48000, 126 telephone-event/8000");
	return desc;
}

static void
test_offer(void)
{
	g_autoptr(Desc) theirs = client_offer(SETUP_ACTPASS);
	g_autoptr(Transport) ours = rtp("192.0.2.1", 4000);
	g_autoptr(Desc) offer = desc_offer(theirs, ours);

	g_assert_cmpuint(offer->streams->len, ==, 1);
	g_assert_false(offer->bundle);
	assert_codecs(nth(offer, 0), "111 opus/48000/2, 9 G722/8000, 0 PCMU/8000, 8 PCMA/8000, "
				     "110 telephone-event/48000, 126 telephone-event/8000");
	g_assert_null(nth(offer, 0)->mid);
	g_assert_cmpint(nth(offer, 0)->transport->setup, ==, SETUP_NONE);
	g_assert_cmpuint(nth(offer, 0)->transport->port, ==, 4000);
}

static void
test_offer_to_client(void)
{
	g_autoptr(Desc) theirs =
		audio_desc(rtp("192.0.2.7", 30000), "8 PCMA/8000, 4 G723/8000, 8 PCMA/8000, "
						    "101 telephone-event/8000");
	g_autoptr(Transport) ours = webrtc(SETUP_NONE);
	g_autoptr(Desc) offer = NULL;
	Stream *stream = g_ptr_array_index(theirs->streams, 0);
	const CodecParam *param;

	stream->direction = DIRECTION_SENDONLY;
	stream->ptime = 30;
	codec_add_param(g_ptr_array_index(stream->codecs, 3), "0-16", "");
	offer = desc_offer(theirs, ours);
	assert_codecs(nth(offer, 0), "8 PCMA/8000, 101 telephone-event/8000");
	g_assert_true(offer->bundle);
	g_assert_cmpstr(nth(offer, 0)->mid, ==, "0");
	g_assert_cmpint(nth(offer, 0)->transport->setup, ==, SETUP_ACTPASS);
	g_assert_true(nth(offer, 0)->transport->rtcp_mux);
	g_assert_cmpint(nth(offer, 0)->direction, ==, DIRECTION_SENDONLY);
	g_assert_cmpuint(nth(offer, 0)->ptime, ==, 30);
	param = g_ptr_array_index(((Codec *)g_ptr_array_index(nth(offer, 0)->codecs, 1))->params,
				  0);
	g_assert_cmpstr(param->name, ==, "0-16");
}

static void
test_offer_nothing(void)
{
	g_autoptr(Transport) ours = rtp("192.0.2.1", 4000);
	g_autoptr(Desc) ilbc = audio_desc(rtp("192.0.2.7", 1), "97 iLBC/8000, "
							       "101 telephone-event/8000");
	g_autoptr(Desc) stereo = audio_desc(rtp("192.0.2.7", 1), "96 PCMU/8000/2");
	g_autoptr(Desc) empty = desc_new();
	g_autoptr(Desc) rejected = audio_desc(rtp("192.0.2.7", 1), "0 PCMU/8000");

	((Stream *)g_ptr_array_index(rejected->streams, 0))->rejected = TRUE;
	g_assert_null(desc_offer(ilbc, ours));
	g_assert_null(desc_offer(stereo, ours));
	g_assert_null(desc_offer(empty, ours));
	g_assert_null(desc_offer(rejected, ours));
}

static void
test_offer_all(void)
{
	g_autoptr(Transport) ours = webrtc(SETUP_ACTPASS);
	g_autoptr(Desc) offer = desc_offer_all(ours, TRANSPORT_RTP);
	g_autoptr(Desc) for_client = desc_offer_all(ours, TRANSPORT_WEBRTC);

	assert_codecs(nth(offer, 0), "0 PCMU/8000, 8 PCMA/8000, 101 telephone-event/8000");
	assert_codecs(nth(for_client, 0), "111 opus/48000/2, 0 PCMU/8000, 8 PCMA/8000, "
					  "110 telephone-event/48000, 101 telephone-event/8000");
	for (guint i = 0; i < nth(offer, 0)->codecs->len; i++)
		g_assert_true(codec_relayed(g_ptr_array_index(nth(offer, 0)->codecs, i)));
	g_assert_cmpint(nth(offer, 0)->direction, ==, DIRECTION_SENDRECV);
}

static void
test_answer(void)
{
	g_autoptr(Desc) offer = client_offer(SETUP_ACTPASS);
	g_autoptr(Desc) callee =
		audio_desc(rtp("192.0.2.7", 30000), "101 telephone-event/8000, 8 PCMA/8000");
	g_autoptr(Transport) ours = webrtc(SETUP_ACTPASS);
	g_autoptr(Desc) answer = desc_answer(offer, callee, ours);

	g_assert_true(answer->bundle);
	g_assert_cmpuint(answer->streams->len, ==, 2);
	/* the rejected one in its place, with its mid and formats */
	g_assert_true(nth(answer, 0)->rejected);
	g_assert_cmpint(nth(answer, 0)->kind, ==, STREAM_VIDEO);
	g_assert_cmpstr(nth(answer, 0)->mid, ==, "1");
	assert_codecs(nth(answer, 0), "96 VP8/90000, 97 rtx/90000");
	/* the offer's numbers, the answer's choice, the codec before the events */
	g_assert_false(nth(answer, 1)->rejected);
	g_assert_cmpstr(nth(answer, 1)->mid, ==, "0");
	assert_codecs(nth(answer, 1), "8 PCMA/8000, 126 telephone-event/8000");
	g_assert_cmpint(nth(answer, 1)->transport->setup, ==, SETUP_ACTIVE);
	g_assert_true(nth(answer, 1)->transport->rtcp_mux);
	g_assert_cmpstr(nth(answer, 1)->transport->ufrag, ==, "gW4k");
}

/* Events of a clock that no chosen codec has are of no use (RFC 4733 2.1). */
static void
test_answer_event_clock(void)
{
	g_autoptr(Desc) offer = client_offer(SETUP_ACTPASS);
	g_autoptr(Desc) callee =
		audio_desc(rtp("192.0.2.7", 1), "0 PCMU/8000, 99 telephone-event/48000");
	g_autoptr(Transport) ours = webrtc(SETUP_ACTPASS);
	g_autoptr(Desc) answer = desc_answer(offer, callee, ours);

	/* of ours and his the one with the clock of the audio, if there is one */
	assert_codecs(nth(answer, 1), "0 PCMU/8000, 126 telephone-event/8000");
}

/* Keys are taken in any clock, and offered where only others were. */
static void
test_other_event_clock(void)
{
	g_autoptr(Desc) client = audio_desc(
		webrtc(SETUP_ACTPASS), "0 PCMU/8000, 101 opus/48000/2, 110 telephone-event/48000");
	g_autoptr(Desc) deaf = audio_desc(rtp("192.0.2.7", 1), "0 PCMU/8000");
	g_autoptr(Transport) ours = webrtc(SETUP_ACTPASS);
	g_autoptr(Transport) plain = rtp("192.0.2.1", 4000);
	g_autoptr(Desc) answer = desc_answer(client, deaf, ours);
	g_autoptr(Desc) offer = desc_offer(client, plain);

	assert_codecs(nth(answer, 0), "0 PCMU/8000, 110 telephone-event/48000");
	assert_codecs(nth(offer, 0), "0 PCMU/8000, 101 opus/48000/2, 110 telephone-event/48000, "
				     "102 telephone-event/8000");
}

/* Each codec that is chosen has its events; `codecs` says which there are, in its order. */
static void
test_wideband(void)
{
	g_autoptr(Desc) client = client_offer(SETUP_ACTPASS);
	g_autoptr(Desc) phone = audio_desc(rtp("192.0.2.7", 1), "96 opus/48000/2, 9 G722/8000, "
								"101 telephone-event/8000");
	g_autoptr(Transport) ours = webrtc(SETUP_ACTPASS);
	g_autoptr(Transport) plain = rtp("192.0.2.1", 4000);
	g_autoptr(Desc) answer = desc_answer(client, phone, ours);
	g_autoptr(Desc) offer = desc_offer(client, plain);
	static const char *const only[][2] = {
		{ "opus", "111 opus/48000/2, 110 telephone-event/48000" },
		{ "PCMA OPUS", "8 PCMA/8000, 111 opus/48000/2, 110 telephone-event/48000, "
			       "126 telephone-event/8000" },
		{ "G722 pcmu", "9 G722/8000, 0 PCMU/8000, 126 telephone-event/8000" },
	};

	assert_codecs(nth(answer, 1), "111 opus/48000/2, 9 G722/8000, 110 telephone-event/48000, "
				      "126 telephone-event/8000");
	for (guint i = 0; i < G_N_ELEMENTS(only); i++) {
		g_autoptr(Desc) wanted = desc_only(offer, only[i][0]);

		assert_codecs(nth(wanted, 0), only[i][1]);
	}
	g_assert_null(desc_only(offer, "iLBC"));
	desc_add_made(offer, NULL); /* has all */
	g_assert_cmpuint(nth(offer, 0)->codecs->len, ==, 6);
}

/* Nothing is shared: what is made of the audio is offered and answered. */
static void
test_made(void)
{
	g_autoptr(Desc) opus = audio_desc(rtp("192.0.2.7", 1), "96 opus/48000/2, "
							       "97 telephone-event/48000");
	g_autoptr(Desc) g711 = audio_desc(rtp("192.0.2.8", 1), "8 PCMA/8000, "
							       "101 telephone-event/8000");
	g_autoptr(Desc) ilbc = audio_desc(rtp("192.0.2.9", 1), "97 iLBC/8000");
	g_autoptr(Transport) ours = rtp("192.0.2.1", 4000);
	g_autoptr(Transport) browser = webrtc(SETUP_ACTPASS);
	g_autoptr(Desc) offer = desc_offer(opus, ours);
	g_autoptr(Desc) for_client = desc_offer(g711, browser);
	g_autoptr(Desc) answer = NULL, only = NULL;
	const Codec *fec;

	desc_add_made(offer, NULL);
	assert_codecs(nth(offer, 0), "96 opus/48000/2, 9 G722/8000, 0 PCMU/8000, 8 PCMA/8000, "
				     "97 telephone-event/48000, 101 telephone-event/8000");
	desc_add_made(for_client, NULL);
	assert_codecs(nth(for_client, 0),
		      "8 PCMA/8000, 0 PCMU/8000, 111 opus/48000/2, 9 G722/8000, "
		      "101 telephone-event/8000, 110 telephone-event/48000");
	only = desc_only(for_client, "opus PCMA");
	assert_codecs(nth(only, 0), "8 PCMA/8000, 111 opus/48000/2, 101 telephone-event/8000, "
				    "110 telephone-event/48000");
	g_assert_null(desc_answer(opus, g711, ours));
	((Stream *)g_ptr_array_index(g711->streams, 0))->direction = DIRECTION_SENDONLY;
	answer = desc_answer_made(opus, g711, NULL, ours);
	assert_codecs(nth(answer, 0), "96 opus/48000/2, 97 telephone-event/48000");
	g_assert_cmpint(nth(answer, 0)->direction, ==, DIRECTION_SENDONLY);
	fec = stream_find_codec(nth(answer, 0), "opus", 48000);
	g_assert_cmpuint(fec->params->len, ==, 2);
	g_assert_cmpstr(((CodecParam *)fec->params->pdata[1])->name, ==, "useinbandfec");
	g_assert_null(desc_answer_made(ilbc, g711, NULL, ours));
	g_assert_null(desc_answer_made(opus, ilbc, NULL, ours));
}

static const char *
param(const Desc *desc, guint i, const char *name)
{
	const Codec *codec = nth(desc, 0)->codecs->pdata[i];

	for (guint k = 0; k < codec->params->len; k++)
		if (strcmp(((CodecParam *)codec->params->pdata[k])->name, name) == 0)
			return ((CodecParam *)codec->params->pdata[k])->value;
	return NULL;
}

/* What spares bits is offered where it is named, and answered where nothing else is there; AMR
 * in both of its formats, each a codec of its own. */
static void
test_named(void)
{
	g_autoptr(Desc) opus = audio_desc(rtp("192.0.2.7", 1), "96 opus/48000/2");
	g_autoptr(Desc) mobile = audio_desc(rtp("192.0.2.8", 1), "96 AMR/8000, 18 G729/8000");
	g_autoptr(Desc) office = audio_desc(rtp("192.0.2.8", 1), "18 G729/8000, 8 PCMA/8000");
	g_autoptr(Desc) wide = audio_desc(rtp("192.0.2.8", 1), "100 AMR-WB/16000, 8 PCMA/8000, "
							       "101 telephone-event/16000");
	g_autoptr(Transport) ours = rtp("192.0.2.1", 4000);
	g_autoptr(Desc) offer = desc_offer(opus, ours), only = NULL;
	g_autoptr(Desc) plain = desc_offer(opus, ours);
	g_autoptr(Desc) lean = NULL, usual = NULL, best = NULL, passed = NULL;

	if (!codec_type_named("G729") || !codec_type_named("AMR") || !codec_type_named("AMR-WB")) {
		g_test_skip("built without");
		return;
	}
	desc_add_made(plain, "PCMA"); /* not named */
	g_assert_null(stream_find_codec(nth(plain, 0), "AMR", 8000));
	g_assert_null(desc_only(plain, "AMR"));
	desc_add_made(offer, "AMR-WB AMR g729 PCMA");
	only = desc_only(offer, "AMR-WB AMR G729 PCMA");
	assert_codecs(nth(only, 0), "104 AMR-WB/16000, 105 AMR-WB/16000, 102 AMR/8000, "
				    "103 AMR/8000, 18 G729/8000, 8 PCMA/8000, "
				    "109 telephone-event/16000, 101 telephone-event/8000");
	g_assert_null(param(only, 0, "octet-align"));
	g_assert_cmpstr(param(only, 1, "octet-align"), ==, "1");
	g_assert_cmpstr(param(only, 4, "annexb"), ==, "no");

	codec_add_param(nth(mobile, 0)->codecs->pdata[0], "octet-align", "1");
	codec_add_param(nth(mobile, 0)->codecs->pdata[0], "mode-set", "0,2,4,7");
	lean = desc_answer_made(mobile, opus, NULL, ours);
	assert_codecs(nth(lean, 0), "96 AMR/8000");
	g_assert_cmpstr(param(lean, 0, "octet-align"), ==, "1");
	g_assert_cmpstr(param(lean, 0, "mode-set"), ==, "0,2,4,7");
	usual = desc_answer_made(office, opus, NULL, ours);
	assert_codecs(nth(usual, 0), "8 PCMA/8000");
	best = desc_answer_made(wide, opus, NULL, ours);
	assert_codecs(nth(best, 0), "100 AMR-WB/16000, 101 telephone-event/16000");

	/* the same name in the other format is another codec */
	passed = desc_answer(mobile, only, ours);
	assert_codecs(nth(passed, 0), "96 AMR/8000, 18 G729/8000");
	g_assert_null(stream_find_same(nth(wide, 0), nth(only, 0)->codecs->pdata[1]));
	g_assert_true(stream_find_same(nth(mobile, 0), nth(only, 0)->codecs->pdata[3]) ==
		      nth(mobile, 0)->codecs->pdata[0]);
	codec_add_param(nth(mobile, 0)->codecs->pdata[0], "crc", "1");
	g_assert_false(codec_relayed(nth(mobile, 0)->codecs->pdata[0]));
}

/* One codec is wanted although the other side has not got it. */
static void
test_preferred(void)
{
	g_autoptr(Desc) g711 = audio_desc(rtp("192.0.2.8", 1), "8 PCMA/8000, "
							       "101 telephone-event/8000");
	g_autoptr(Desc) both = audio_desc(rtp("192.0.2.7", 1), "8 PCMA/8000, 96 opus/48000/2, "
							       "101 telephone-event/8000");
	g_autoptr(Transport) ours = rtp("192.0.2.1", 4000);
	g_autoptr(Desc) offer = desc_offer(g711, ours);
	g_autoptr(Desc) answer = NULL, spoken = NULL, as_it_is = NULL, not_told = NULL;

	desc_prefer(offer, "opus"); /* it has none */
	assert_codecs(nth(offer, 0), "8 PCMA/8000, 101 telephone-event/8000");
	desc_add_made(offer, NULL);
	desc_prefer(offer, "opus");
	assert_codecs(nth(offer, 0), "111 opus/48000/2, 8 PCMA/8000, 0 PCMU/8000, 9 G722/8000, "
				     "101 telephone-event/8000, 110 telephone-event/48000");
	g_assert_false(((Codec *)nth(offer, 0)->codecs->pdata[0])->made);
	answer = desc_answer_made(both, g711, "opus", ours);
	assert_codecs(nth(answer, 0), "96 opus/48000/2, 101 telephone-event/8000");
	g_assert_null(desc_answer_made(g711, both, "opus", ours));
	spoken = desc_speaking(both, offer, "opus");
	assert_codecs(nth(spoken, 0), "96 opus/48000/2, 101 telephone-event/8000");
	g_assert_cmpstr(nth(spoken, 0)->transport->address, ==, "192.0.2.7");
	as_it_is = desc_speaking(g711, offer, "opus");
	g_assert_true(as_it_is == g711);
	not_told = desc_speaking(both, g711, "opus");
	g_assert_true(not_told == both);
}

static void
test_answer_no_codec(void)
{
	g_autoptr(Desc) offer = client_offer(SETUP_ACTPASS);
	g_autoptr(Desc) g729 =
		audio_desc(rtp("192.0.2.7", 1), "18 G729/8000, 101 telephone-event/8000");
	g_autoptr(Desc) none = desc_new();
	g_autoptr(Transport) ours = webrtc(SETUP_ACTPASS);

	g_assert_null(desc_answer(offer, g729, ours));
	g_assert_null(desc_answer(offer, none, ours));
	g_assert_null(desc_answer(none, offer, ours));
}

static void
test_answer_setup(void)
{
	static const DtlsSetup cases[][2] = { { SETUP_ACTPASS, SETUP_ACTIVE },
					      { SETUP_ACTIVE, SETUP_PASSIVE },
					      { SETUP_PASSIVE, SETUP_ACTIVE },
					      { SETUP_NONE, SETUP_PASSIVE } };
	g_autoptr(Desc) callee = audio_desc(rtp("192.0.2.7", 1), "0 PCMU/8000");
	g_autoptr(Transport) ours = webrtc(SETUP_ACTPASS);
	g_autoptr(Transport) plain = rtp("192.0.2.1", 4000);

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(Desc) offer = client_offer(cases[i][0]);
		g_autoptr(Desc) answer = desc_answer(offer, callee, ours);
		g_autoptr(Desc) unsecured = desc_answer(offer, callee, plain);

		g_assert_cmpint(nth(answer, 1)->transport->setup, ==, cases[i][1]);
		g_assert_cmpint(nth(unsecured, 1)->transport->setup, ==, SETUP_NONE);
	}
}

static void
test_answer_direction(void)
{
	const Direction SR = DIRECTION_SENDRECV, SO = DIRECTION_SENDONLY;
	const Direction RO = DIRECTION_RECVONLY, IN = DIRECTION_INACTIVE;
	const Direction expected[4][4] = {
		/* answer: sendrecv, sendonly, recvonly, inactive */
		[SR] = { SR, SO, RO, IN },
		[SO] = { RO, IN, RO, IN },
		[RO] = { SO, SO, IN, IN },
		[IN] = { IN, IN, IN, IN },
	};
	g_autoptr(Transport) ours = rtp("192.0.2.1", 4000);

	for (guint o = 0; o < 4; o++) {
		for (guint a = 0; a < 4; a++) {
			g_autoptr(Desc) offer = audio_desc(rtp("192.0.2.7", 1), "0 PCMU/8000");
			g_autoptr(Desc) callee = audio_desc(rtp("192.0.2.8", 1), "0 PCMU/8000");
			g_autoptr(Desc) answer = NULL;

			((Stream *)g_ptr_array_index(offer->streams, 0))->direction = (Direction)o;
			((Stream *)g_ptr_array_index(callee->streams, 0))->direction = (Direction)a;
			answer = desc_answer(offer, callee, ours);
			g_assert_cmpint(nth(answer, 0)->direction, ==, expected[o][a]);
		}
	}
}

static void
test_answer_rtcp_mux(void)
{
	g_autoptr(Desc) offer = audio_desc(webrtc(SETUP_ACTPASS), "0 PCMU/8000");
	g_autoptr(Transport) ours = webrtc(SETUP_ACTPASS);
	g_autoptr(Desc) answer = NULL;

	/* RFC 5761 5.1.1: an answer has rtcp-mux only when the offer had */
	((Stream *)g_ptr_array_index(offer->streams, 0))->transport->rtcp_mux = FALSE;
	answer = desc_answer(offer, offer, ours);
	g_assert_false(nth(answer, 0)->transport->rtcp_mux);
}

static void
test_answer_second_audio(void)
{
	g_autoptr(Desc) offer = audio_desc(rtp("192.0.2.7", 0), "0 PCMU/8000");
	g_autoptr(Desc) callee = audio_desc(rtp("192.0.2.8", 1), "0 PCMU/8000");
	g_autoptr(Transport) ours = rtp("192.0.2.1", 4000);
	g_autoptr(Desc) answer = NULL;
	Stream *second = desc_add_stream(offer, STREAM_AUDIO, "b");
	Stream *third = desc_add_stream(offer, STREAM_AUDIO, "c");

	((Stream *)g_ptr_array_index(offer->streams, 0))->rejected = TRUE;
	add_codecs(second, "96 PCMU/8000");
	add_codecs(third, "0 PCMU/8000");
	answer = desc_answer(offer, callee, ours);
	g_assert_true(nth(answer, 0)->rejected);
	g_assert_false(nth(answer, 1)->rejected);
	assert_codecs(nth(answer, 1), "96 PCMU/8000");
	g_assert_true(nth(answer, 2)->rejected);
	g_assert_true(desc_audio(answer) == nth(answer, 1));
}

static void
assert_map(const guint8 map[128], const char *expected)
{
	GString *text = g_string_new(NULL);

	for (guint pt = 0; pt < 128; pt++)
		if (map[pt] != 0xff)
			g_string_append_printf(text, "%s%u>%u", text->len ? " " : "", pt, map[pt]);
	g_assert_cmpstr(text->str, ==, expected);
	g_string_free(text, TRUE);
}

static void
test_pt_map(void)
{
	guint8 map[128];
	g_autoptr(Desc) client = audio_desc(webrtc(SETUP_ACTPASS), "0 PCMU/8000, 8 PCMA/8000, "
								   "110 telephone-event/48000, "
								   "126 telephone-event/8000");
	g_autoptr(Desc) to_client =
		audio_desc(webrtc(SETUP_ACTIVE), "0 PCMU/8000, 126 telephone-event/8000");
	g_autoptr(Desc) phone =
		audio_desc(rtp("192.0.2.7", 1), "0 pcmu/8000, 96 telephone-event/8000");
	g_autoptr(Desc) to_phone = audio_desc(rtp("192.0.2.1", 1),
					      "0 PCMU/8000, 8 PCMA/8000, 126 telephone-event/8000");
	g_autoptr(Desc) wide = audio_desc(rtp("192.0.2.7", 1), "0 PCMU/8000, "
							       "97 telephone-event/48000");

	/* events are not in it: see media/relay */
	desc_pt_map(to_client, client, phone, map);
	assert_map(map, "0>0");
	/* what we told the source counts first, what it told us otherwise */
	desc_pt_map(to_phone, phone, client, map);
	assert_map(map, "0>0 8>8");
	desc_pt_map(NULL, phone, client, map);
	assert_map(map, "0>0");
	desc_pt_map(to_client, client, wide, map);
	assert_map(map, "0>0");
	desc_pt_map(NULL, NULL, client, map);
	assert_map(map, "");
	desc_pt_map(to_phone, phone, NULL, map);
	assert_map(map, "");
}

/* A number that means two things: ours to the source is what it sends. */
static void
test_pt_map_conflict(void)
{
	guint8 map[128];
	g_autoptr(Desc) local = audio_desc(rtp("192.0.2.1", 1), "96 PCMU/8000");
	g_autoptr(Desc) remote = audio_desc(rtp("192.0.2.2", 1), "97 PCMU/8000, 96 PCMA/8000");
	g_autoptr(Desc) to = audio_desc(rtp("192.0.2.3", 1), "0 PCMU/8000, 8 PCMA/8000");

	desc_pt_map(local, remote, to, map);
	assert_map(map, "96>0 97>0");
}

/* A port whose peer is us speaks linear samples, and these never pass as they are. */
static void
test_pt_map_linear(void)
{
	guint8 map[128];
	g_autoptr(Desc) peer = audio_desc(rtp("192.0.2.2", 1), "0 PCMU/8000, 97 L16/16000");
	g_autoptr(Desc) us = audio_desc(rtp("192.0.2.3", 1), "96 L16/16000");

	desc_pt_map(peer, peer, us, map);
	assert_map(map, "");
	desc_pt_map(us, us, peer, map);
	assert_map(map, "");
}

static void
test_candidate_usable(void)
{
	static const struct {
		guint component;
		const char *address;
		guint16 port;
		gboolean usable;
	} cases[] = {
		{ 1, "192.0.2.1", 40000, TRUE },
		{ 1, "127.0.0.1", 40000, TRUE },
		{ 1, "2001:db8::1", 1024, TRUE },
		{ 1, "::1", 40000, TRUE },
		{ 2, "192.0.2.1", 40000, TRUE },
		{ 3, "192.0.2.1", 40000, FALSE },
		{ 0, "192.0.2.1", 40000, FALSE },
		{ 1, "192.0.2.1", 1023, FALSE },
		{ 1, "192.0.2.1", 9, FALSE },
		{ 1, "192.0.2.1", 0, FALSE },
		{ 1, "2f1c9a3e-1111-2222-3333.local", 40000, FALSE },
		{ 1, "example.com", 40000, FALSE },
		{ 1, "", 40000, FALSE },
		{ 1, "0.0.0.0", 40000, FALSE },
		{ 1, "224.0.0.1", 40000, FALSE },
		{ 1, "239.255.255.255", 40000, FALSE },
		{ 1, "255.255.255.255", 40000, FALSE },
		{ 1, "192.0.2", 40000, FALSE },
		{ 1, "192.0.2.1 ", 40000, FALSE },
		{ 1, "::", 40000, FALSE },
		{ 1, "ff02::1", 40000, FALSE },
		{ 1, "fe80::1", 40000, FALSE },
		{ 1, "fe80::1%eth0", 40000, FALSE },
		{ 1, "::ffff:192.0.2.1", 40000, FALSE },
		{ 1, "::192.0.2.1", 40000, FALSE },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		Candidate candidate = { .component = cases[i].component, .port = cases[i].port };

		g_strlcpy(candidate.address, cases[i].address, sizeof(candidate.address));
		g_test_message("%u %s %u", cases[i].component, cases[i].address, cases[i].port);
		g_assert_cmpint(candidate_usable(&candidate), ==, cases[i].usable);
	}
}

static void
test_names(void)
{
	CandidateType type;

	for (guint i = 0; i < 4; i++) {
		g_assert_true(
			candidate_type_from_name(candidate_type_name((CandidateType)i), &type));
		g_assert_cmpuint(type, ==, i);
	}
	g_assert_true(candidate_type_from_name("SRFLX", &type));
	g_assert_false(candidate_type_from_name("local", &type));
	g_assert_false(candidate_type_from_name(NULL, &type));
	g_assert_cmpstr(direction_name(DIRECTION_RECVONLY), ==, "recvonly");
	g_assert_cmpstr(setup_name(SETUP_ACTPASS), ==, "actpass");
	g_assert_null(setup_name(SETUP_NONE));
}

static void
test_summary(void)
{
	g_autoptr(Desc) phone =
		audio_desc(rtp("192.0.2.1", 4000), "0 PCMU/8000, 101 telephone-event/8000");
	g_autoptr(Desc) six = audio_desc(rtp("2001:db8::1", 4000), "0 PC\n\"U/8000");
	g_autoptr(Desc) client = client_offer(SETUP_ACTPASS);
	g_autoptr(Desc) empty = desc_new();
	g_autofree char *one = desc_summary(phone);
	g_autofree char *two = NULL;
	g_autofree char *three = desc_summary(client);
	g_autofree char *four = desc_summary(empty);

	((Stream *)g_ptr_array_index(six->streams, 0))->direction = DIRECTION_INACTIVE;
	two = desc_summary(six);
	g_assert_cmpstr(one, ==, "PCMU/8000 telephone-event/8000, 192.0.2.1:4000");
	g_assert_cmpstr(two, ==, "PC?\"U/8000, [2001:db8::1]:4000, inactive");
	g_assert_cmpstr(three, ==,
			"opus/48000 G722/8000 pcmu/8000 PCMA/8000 telephone-event/48000 "
			"telephone-event/8000, ICE 1 candidate, DTLS actpass, video");
	g_assert_cmpstr(four, ==, "no audio");
}

static gpointer
ref_and_unref(gpointer data)
{
	for (guint i = 0; i < 10000; i++)
		desc_unref(desc_ref(data));
	return NULL;
}

/* Hold says the same again: numbers and rejected streams in place. */
static void
test_turned(void)
{
	g_autoptr(Desc) offer = client_offer(SETUP_ACTPASS);
	g_autoptr(Desc) held = desc_turned(offer, DIRECTION_SENDONLY);
	const Stream *before = desc_audio(offer), *after = desc_audio(held);

	g_assert_cmpuint(held->streams->len, ==, offer->streams->len);
	g_assert_cmpint(after->direction, ==, DIRECTION_SENDONLY);
	g_assert_cmpint(before->direction, ==, DIRECTION_SENDRECV);
	g_assert_cmpuint(after->codecs->len, ==, before->codecs->len);
	for (guint i = 0; i < after->codecs->len; i++) {
		const Codec *one = before->codecs->pdata[i], *other = after->codecs->pdata[i];

		g_assert_true(codec_same(one, other));
		g_assert_cmpuint(one->pt, ==, other->pt);
	}
	g_assert_cmpstr(after->mid, ==, before->mid);
	g_assert_cmpint(after->transport->setup, ==, SETUP_ACTPASS);
}

static void
test_threads(void)
{
	g_autoptr(Desc) desc = client_offer(SETUP_ACTPASS);
	GThread *one = g_thread_new("one", ref_and_unref, desc);
	GThread *two = g_thread_new("two", ref_and_unref, desc);

	g_thread_join(one);
	g_thread_join(two);
	g_assert_cmpint(desc->ref_count, ==, 1);
	desc_unref(NULL);
}

/* What one wants, from what he says to one who leaves him the choice or does not. */
static void
test_wish(void)
{
	static const struct {
		Direction asked, said, before, wish;
	} cases[] = {
		{ DIRECTION_SENDRECV, DIRECTION_SENDRECV, DIRECTION_INACTIVE, DIRECTION_SENDRECV },
		{ DIRECTION_SENDRECV, DIRECTION_INACTIVE, DIRECTION_SENDRECV, DIRECTION_INACTIVE },
		{ DIRECTION_SENDRECV, DIRECTION_SENDONLY, DIRECTION_SENDRECV, DIRECTION_SENDONLY },
		{ DIRECTION_SENDONLY, DIRECTION_RECVONLY, DIRECTION_SENDRECV, DIRECTION_SENDRECV },
		{ DIRECTION_SENDONLY, DIRECTION_INACTIVE, DIRECTION_SENDRECV, DIRECTION_SENDONLY },
		{ DIRECTION_RECVONLY, DIRECTION_SENDONLY, DIRECTION_SENDRECV, DIRECTION_SENDRECV },
		{ DIRECTION_INACTIVE, DIRECTION_INACTIVE, DIRECTION_SENDRECV, DIRECTION_SENDRECV },
		{ DIRECTION_INACTIVE, DIRECTION_INACTIVE, DIRECTION_SENDONLY, DIRECTION_SENDONLY },
		{ DIRECTION_INACTIVE, DIRECTION_SENDRECV, DIRECTION_INACTIVE, DIRECTION_SENDRECV },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
		g_assert_cmpint(direction_wish(cases[i].asked, cases[i].said, cases[i].before), ==,
				cases[i].wish);
}

static void
assert_clear(const Desc *desc, gboolean multiplexed)
{
	const Transport *transport = desc_audio(desc)->transport;

	g_assert_true(transport->unencrypted);
	g_assert_null(transport->fingerprint);
	g_assert_cmpint(transport->setup, ==, SETUP_NONE);
	g_assert_cmpint(transport->rtcp_mux, ==, multiplexed);
	g_assert_cmpstr(transport->ufrag, ==, "gW4k");
}

/* Who offers no DTLS is answered without, and stays so through hold and a restart; who
 * offers it is answered with it. */
static void
test_unencrypted(void)
{
	g_autoptr(Transport) ours = webrtc(SETUP_ACTPASS), theirs = webrtc(SETUP_NONE);
	g_autoptr(Transport) clear = transport_unencrypted(theirs);
	g_autoptr(Transport) again = transport_unencrypted(clear);
	g_autoptr(Desc) phone = audio_desc(rtp("192.0.2.7", 1), "8 PCMA/8000");
	g_autoptr(Desc) offer = audio_desc(transport_copy(clear), "8 PCMA/8000");
	g_autoptr(Desc) answer = desc_answer(offer, phone, ours);
	g_autoptr(Desc) held = desc_turned(answer, DIRECTION_SENDONLY);
	g_autoptr(Desc) moved = desc_moved(answer, ours);
	g_autoptr(Desc) fresh = desc_offer(phone, clear);
	g_autoptr(Desc) encrypted = client_offer(SETUP_ACTPASS);
	g_autoptr(Desc) safe = desc_answer(encrypted, phone, ours);
	g_autoptr(Desc) plain = desc_answer(offer, phone, desc_audio(phone)->transport);

	g_assert_true(transport_is_clear(ours, clear));
	g_assert_false(transport_is_clear(ours, theirs));
	g_assert_true(again->unencrypted);
	assert_clear(answer, FALSE);
	assert_clear(held, FALSE);
	assert_clear(moved, FALSE);
	assert_clear(fresh, FALSE);
	g_assert_nonnull(desc_audio(safe)->transport->fingerprint);
	g_assert_false(desc_audio(safe)->transport->unencrypted);
	g_assert_false(desc_audio(plain)->transport->unencrypted);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/desc/offer/from-client", test_offer);
	g_test_add_func("/desc/offer/to-client", test_offer_to_client);
	g_test_add_func("/desc/offer/nothing-to-relay", test_offer_nothing);
	g_test_add_func("/desc/offer/all", test_offer_all);
	g_test_add_func("/desc/answer/places-and-numbers", test_answer);
	g_test_add_func("/desc/answer/event-clock", test_answer_event_clock);
	g_test_add_func("/desc/answer/other-event-clock", test_other_event_clock);
	g_test_add_func("/desc/answer/no-codec", test_answer_no_codec);
	g_test_add_func("/desc/answer/setup", test_answer_setup);
	g_test_add_func("/desc/answer/direction", test_answer_direction);
	g_test_add_func("/desc/answer/rtcp-mux", test_answer_rtcp_mux);
	g_test_add_func("/desc/answer/several-audio", test_answer_second_audio);
	g_test_add_func("/desc/pt-map/events", test_pt_map);
	g_test_add_func("/desc/pt-map/conflict", test_pt_map_conflict);
	g_test_add_func("/desc/pt-map/linear", test_pt_map_linear);
	g_test_add_func("/desc/candidate-usable", test_candidate_usable);
	g_test_add_func("/desc/names", test_names);
	g_test_add_func("/desc/summary", test_summary);
	g_test_add_func("/desc/wideband", test_wideband);
	g_test_add_func("/desc/made", test_made);
	g_test_add_func("/desc/named", test_named);
	g_test_add_func("/desc/preferred", test_preferred);
	g_test_add_func("/desc/turned", test_turned);
	g_test_add_func("/desc/unencrypted", test_unencrypted);
	g_test_add_func("/desc/threads", test_threads);
	g_test_add_func("/desc/wish", test_wish);
	return g_test_run();
}
