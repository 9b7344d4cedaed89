/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* desc.c - descriptions: build, look at, offer/answer arithmetic.
 *
 * Everything here is a pure function of descriptions.  What SDP and Jingle look
 * like is known to the plugins alone.
 * Thread: any (pure).  RFC 3264, RFC 4145, RFC 4733 section 2.5, RFC 8445.
 */
#include <arpa/inet.h>
#include <string.h>
#include "media/codec.h"
#include "media/desc.h"
#include "media/fmtp.h"

#define EVENTS "telephone-event"
#define NARROW 8000 /* samples a second of a telephone line */

/* --- life --- */

static void
codec_param_free(gpointer data)
{
	CodecParam *param = data;

	g_free(param->name);
	g_free(param->value);
	g_free(param);
}

static void
codec_free(gpointer data)
{
	Codec *codec = data;

	g_free(codec->name);
	g_ptr_array_unref(codec->params);
	g_free(codec);
}

static void
stream_free(gpointer data)
{
	Stream *stream = data;

	g_free(stream->media);
	g_free(stream->profile);
	g_free(stream->mid);
	g_ptr_array_unref(stream->codecs);
	transport_free(stream->transport);
	g_free(stream);
}

Desc *
desc_new(void)
{
	Desc *desc = g_new0(Desc, 1);

	desc->ref_count = 1;
	desc->streams = g_ptr_array_new_with_free_func(stream_free);
	return desc;
}

Desc *
desc_ref(const Desc *desc)
{
	Desc *counted = (Desc *)desc; /* only the count changes */

	g_atomic_int_inc(&counted->ref_count);
	return counted;
}

void
desc_unref(const Desc *desc)
{
	Desc *counted = (Desc *)desc;

	if (!counted || !g_atomic_int_dec_and_test(&counted->ref_count))
		return;
	g_ptr_array_unref(counted->streams);
	g_free(counted);
}

Stream *
desc_add_stream(Desc *desc, StreamKind kind, const char *mid)
{
	Stream *stream = g_new0(Stream, 1);

	stream->kind = kind;
	stream->mid = g_strdup(mid);
	stream->codecs = g_ptr_array_new_with_free_func(codec_free);
	stream->transport = transport_new(TRANSPORT_RTP);
	g_ptr_array_add(desc->streams, stream);
	return stream;
}

Codec *
stream_add_codec(Stream *stream, guint8 pt, const char *name, guint32 rate, guint8 channels)
{
	Codec *codec = g_new0(Codec, 1);

	codec->pt = pt;
	codec->name = g_strdup(name ? name : "");
	codec->rate = rate;
	codec->channels = channels ? channels : 1;
	if (rate == 48000 && g_ascii_strcasecmp(codec->name, "opus") == 0)
		codec->channels = 2; /* RFC 7587 7: whatever is said, or is not */
	codec->params = g_ptr_array_new_with_free_func(codec_param_free);
	g_ptr_array_add(stream->codecs, codec);
	return codec;
}

void
codec_add_param(Codec *codec, const char *name, const char *value)
{
	CodecParam *param = g_new0(CodecParam, 1);

	param->name = g_strdup(name ? name : "");
	param->value = g_strdup(value ? value : "");
	g_ptr_array_add(codec->params, param);
}

Transport *
transport_new(TransportKind kind)
{
	Transport *transport = g_new0(Transport, 1);

	transport->kind = kind;
	/* One component: a browser's and our own agent know no other way. */
	transport->rtcp_mux = kind == TRANSPORT_WEBRTC;
	transport->candidates = g_array_new(FALSE, TRUE, sizeof(Candidate));
	return transport;
}

Transport *
transport_copy(const Transport *transport)
{
	Transport *copy = g_new(Transport, 1);

	*copy = *transport;
	copy->ufrag = g_strdup(transport->ufrag);
	copy->pwd = g_strdup(transport->pwd);
	copy->candidates = g_array_copy(transport->candidates);
	copy->fingerprint_hash = g_strdup(transport->fingerprint_hash);
	copy->fingerprint = g_strdup(transport->fingerprint);
	media_sources_ref(copy->sources);
	return copy;
}

Transport *
transport_unencrypted(const Transport *ours)
{
	Transport *told = transport_copy(ours);

	g_clear_pointer(&told->fingerprint, g_free);
	g_clear_pointer(&told->fingerprint_hash, g_free);
	told->setup = SETUP_NONE;
	told->rtcp_mux = FALSE;
	told->unencrypted = TRUE;
	return told;
}

gboolean
transport_is_clear(const Transport *ours, const Transport *theirs)
{
	return ours->kind == TRANSPORT_WEBRTC && theirs->kind == TRANSPORT_WEBRTC &&
	       theirs->unencrypted;
}

void
transport_free(Transport *transport)
{
	if (!transport)
		return;
	g_free(transport->ufrag);
	g_free(transport->pwd);
	g_array_unref(transport->candidates);
	g_free(transport->fingerprint_hash);
	g_free(transport->fingerprint);
	media_sources_unref(transport->sources);
	explicit_bzero(&transport->sdes, sizeof transport->sdes);
	g_free(transport);
}

/* --- looking --- */

static gboolean
is_event(const Codec *codec)
{
	return g_ascii_strcasecmp(codec->name, EVENTS) == 0;
}

static gboolean
has_speech(const Stream *stream)
{
	for (guint i = 0; i < stream->codecs->len; i++) {
		const Codec *codec = g_ptr_array_index(stream->codecs, i);

		if (codec_relayed(codec) && !is_event(codec))
			return TRUE;
	}
	return FALSE;
}

const Stream *
desc_audio(const Desc *desc)
{
	const Stream *other = NULL;

	for (guint i = 0; desc && i < desc->streams->len; i++) {
		const Stream *stream = g_ptr_array_index(desc->streams, i);

		if (stream->kind != STREAM_AUDIO || stream->rejected)
			continue;
		if (has_speech(stream))
			return stream;
		if (!other)
			other = stream;
	}
	return other;
}

const Codec *
stream_find_codec(const Stream *stream, const char *name, guint32 rate)
{
	for (guint i = 0; i < stream->codecs->len; i++) {
		const Codec *codec = g_ptr_array_index(stream->codecs, i);
		if (codec->rate == rate && g_ascii_strcasecmp(codec->name, name) == 0)
			return codec;
	}
	return NULL;
}

gboolean
codec_same(const Codec *one, const Codec *other)
{
	return one->rate == other->rate && one->channels == other->channels &&
	       g_ascii_strcasecmp(one->name, other->name) == 0 &&
	       codec_type_of(one) == codec_type_of(other);
}

const Codec *
stream_find_same(const Stream *stream, const Codec *wanted)
{
	for (guint i = 0; i < stream->codecs->len; i++) {
		const Codec *codec = g_ptr_array_index(stream->codecs, i);
		if (codec_same(codec, wanted))
			return codec;
	}
	return NULL;
}

const Codec *
stream_spoken(const Stream *ours, const Stream *theirs)
{
	for (guint i = 0; i < theirs->codecs->len; i++) {
		const Codec *codec = g_ptr_array_index(theirs->codecs, i);

		if (codec_relayed(codec) && !is_event(codec) &&
		    (!ours || stream_find_same(ours, codec)))
			return codec;
	}
	return NULL;
}

const char *
direction_name(Direction direction)
{
	static const char *const names[] = {
		[DIRECTION_SENDRECV] = "sendrecv",
		[DIRECTION_SENDONLY] = "sendonly",
		[DIRECTION_RECVONLY] = "recvonly",
		[DIRECTION_INACTIVE] = "inactive",
	};
	return names[direction];
}

static const char *const candidate_types[] = {
	[CANDIDATE_HOST] = "host",
	[CANDIDATE_SRFLX] = "srflx",
	[CANDIDATE_PRFLX] = "prflx",
	[CANDIDATE_RELAY] = "relay",
};

const char *
candidate_type_name(CandidateType type)
{
	return candidate_types[type];
}

gboolean
candidate_type_from_name(const char *name, CandidateType *type)
{
	for (guint i = 0; name && i < G_N_ELEMENTS(candidate_types); i++) {
		if (g_ascii_strcasecmp(name, candidate_types[i]) == 0) {
			*type = (CandidateType)i;
			return TRUE;
		}
	}
	return FALSE;
}

const char *
setup_name(DtlsSetup setup)
{
	static const char *const names[] = {
		[SETUP_NONE] = NULL,
		[SETUP_ACTPASS] = "actpass",
		[SETUP_ACTIVE] = "active",
		[SETUP_PASSIVE] = "passive",
	};
	return names[setup];
}

static gboolean
ipv4_usable(const guint8 address[4])
{
	/* 0/8 is "this network", 224/4 multicast, 240/4 reserved or broadcast. */
	return address[0] != 0 && address[0] < 224;
}

static gboolean
ipv6_usable(const guint8 address[16])
{
	static const guint8 mapped[12] = { [10] = 0xff, [11] = 0xff };
	static const guint8 zero[12];

	if (address[0] == 0xff) /* multicast */
		return FALSE;
	/* Link-local: of no use without the interface it is on. */
	if (address[0] == 0xfe && (address[1] & 0xc0) == 0x80)
		return FALSE;
	/* An IPv4 address in disguise would pass by the address policy. */
	if (memcmp(address, mapped, sizeof(mapped)) == 0)
		return FALSE;
	/* :: and the old IPv4-compatible ones; ::1 is what tests and one-host set-ups use. */
	if (memcmp(address, zero, sizeof(zero)) == 0)
		return address[12] == 0 && address[13] == 0 && address[14] == 0 && address[15] == 1;
	return TRUE;
}

gboolean
candidate_usable(const Candidate *candidate)
{
	guint8 address[16];

	if (candidate->component < 1 || candidate->component > 2 || candidate->port < 1024)
		return FALSE;
	if (inet_pton(AF_INET, candidate->address, address) == 1)
		return ipv4_usable(address);
	if (inet_pton(AF_INET6, candidate->address, address) == 1)
		return ipv6_usable(address);
	return FALSE; /* a host name, such as a browser's .local */
}

/* --- a line for a person --- */

#define SUMMARY_MAX_CODECS 12
#define SUMMARY_MAX_NAME   32

static void
append_name(GString *line, const char *name)
{
	for (guint i = 0; name[i] && i < SUMMARY_MAX_NAME; i++)
		g_string_append_c(line, g_ascii_isgraph(name[i]) ? name[i] : '?');
}

static void
append_codecs(GString *line, const Stream *stream)
{
	for (guint i = 0; i < stream->codecs->len; i++) {
		const Codec *codec = g_ptr_array_index(stream->codecs, i);
		if (i == SUMMARY_MAX_CODECS) {
			g_string_append_printf(line, " and %u more", stream->codecs->len - i);
			return;
		}
		if (i > 0)
			g_string_append_c(line, ' ');
		append_name(line, codec->name);
		g_string_append_printf(line, "/%u", codec->rate);
	}
	if (stream->codecs->len == 0)
		g_string_append(line, "no codec");
}

static void
append_transport(GString *line, const Transport *transport)
{
	if (transport->kind == TRANSPORT_RTP) {
		gboolean colon = strchr(transport->address, ':') != NULL;
		g_string_append_printf(line, colon ? ", [%s]:%u" : ", %s:%u", transport->address,
				       transport->port);
		return;
	}
	if (transport->kind != TRANSPORT_WEBRTC)
		return;
	g_string_append_printf(line, ", ICE %u candidate%s", transport->candidates->len,
			       transport->candidates->len == 1 ? "" : "s");
	if (transport->unencrypted)
		g_string_append(line, ", not encrypted");
	else if (!transport->fingerprint)
		g_string_append(line, ", no fingerprint");
	else if (transport->setup != SETUP_NONE)
		g_string_append_printf(line, ", DTLS %s", setup_name(transport->setup));
}

char *
desc_summary(const Desc *desc)
{
	static const char *const kinds[] = {
		[STREAM_AUDIO] = "audio",
		[STREAM_VIDEO] = "video",
		[STREAM_OTHER] = "other",
	};
	GString *line = g_string_new(NULL);
	const Stream *audio = desc_audio(desc);

	if (audio) {
		append_codecs(line, audio);
		append_transport(line, audio->transport);
		if (audio->direction != DIRECTION_SENDRECV)
			g_string_append_printf(line, ", %s", direction_name(audio->direction));
	} else {
		g_string_append(line, "no audio");
	}
	for (guint i = 0; desc && i < desc->streams->len; i++) {
		const Stream *stream = g_ptr_array_index(desc->streams, i);
		if (stream != audio)
			g_string_append_printf(line, ", %s%s", kinds[stream->kind],
					       stream->rejected ? " rejected" : "");
	}
	return g_string_free(line, FALSE);
}

/* --- offer and answer --- */

gboolean
codec_relayed(const Codec *codec)
{
	const CodecType *type = codec_type_of(codec);

	return type && type->kind != CODEC_LINEAR;
}

static void
set_transport(Stream *stream, const Transport *transport)
{
	transport_free(stream->transport);
	stream->transport = transport_copy(transport);
}

/* An event with exactly this clock, else any. */
static const Codec *
find_event(const Stream *stream, guint32 clock)
{
	const Codec *other = NULL;

	for (guint i = 0; i < stream->codecs->len; i++) {
		const Codec *codec = g_ptr_array_index(stream->codecs, i);

		if (is_event(codec) && codec->rate == clock)
			return codec;
		if (is_event(codec) && !other)
			other = codec;
	}
	return other;
}

/* One audio stream of ours to be offered. */
static Desc *
new_offer(const Transport *ours)
{
	gboolean webrtc = ours->kind == TRANSPORT_WEBRTC;
	Desc *offer = desc_new();
	Stream *stream;

	offer->bundle = webrtc;
	stream = desc_add_stream(offer, STREAM_AUDIO, webrtc ? "0" : NULL);
	set_transport(stream, ours);
	stream->transport->setup = webrtc && !ours->unencrypted ? SETUP_ACTPASS : SETUP_NONE;
	return offer;
}

static Codec *
copy_codec(Stream *stream, guint8 pt, const Codec *codec)
{
	Codec *copy = stream_add_codec(stream, pt, codec->name, codec->rate, codec->channels);

	copy->made = codec->made;
	for (guint i = 0; i < codec->params->len; i++) {
		const CodecParam *param = g_ptr_array_index(codec->params, i);
		codec_add_param(copy, param->name, param->value);
	}
	return copy;
}

static gboolean
has_number(const Stream *stream, guint8 pt)
{
	for (guint i = 0; i < stream->codecs->len; i++)
		if (((const Codec *)g_ptr_array_index(stream->codecs, i))->pt == pt)
			return TRUE;
	return FALSE;
}

/* This one, or the next dynamic one that is nobody's. */
static guint8
free_number(const Stream *stream, guint8 pt)
{
	while (has_number(stream, pt))
		pt = pt < 96 || pt >= 127 ? 96 : pt + 1;
	return pt;
}

static Codec *
add_type(Stream *stream, const CodecType *type)
{
	g_auto(GStrv) params = g_strsplit(type->params ? type->params : "", ";", -1);
	Codec *codec = stream_add_codec(stream, free_number(stream, type->pt), type->name,
					type->clock, type->channels);

	for (char **param = params; *param; param++) {
		g_auto(GStrv) half = g_strsplit(*param, "=", 2);

		codec_add_param(codec, half[0], half[1]);
	}
	return codec;
}

static gboolean
speaks_at(const Stream *stream, guint32 clock)
{
	for (guint i = 0; i < stream->codecs->len; i++) {
		const Codec *codec = g_ptr_array_index(stream->codecs, i);

		if (!is_event(codec) && codec->rate == clock)
			return TRUE;
	}
	return FALSE;
}

/* Keys are always taken, in the clock of each codec (RFC 4733 2.1): what the other side
 * cannot take as events goes there in another way, and some of its keys come in other ways.
 * Events that no codec has the clock of are left out. */
static void
settle_events(Stream *stream)
{
	const CodecType *types;
	guint n;

	for (guint i = stream->codecs->len; i-- > 0;) {
		const Codec *codec = g_ptr_array_index(stream->codecs, i);

		if (is_event(codec) && !speaks_at(stream, codec->rate))
			g_ptr_array_remove_index(stream->codecs, i);
	}
	types = codec_types(&n);
	for (guint i = 0; i < n; i++) {
		const Codec *event = find_event(stream, types[i].clock);

		if (types[i].kind == CODEC_EVENT && speaks_at(stream, types[i].clock) &&
		    (!event || event->rate != types[i].clock))
			add_type(stream, &types[i]);
	}
}

Desc *
desc_offer_all(const Transport *ours, TransportKind other)
{
	Desc *offer = new_offer(ours);
	Stream *stream = g_ptr_array_index(offer->streams, 0);
	const CodecType *types;
	guint n;

	types = codec_types(&n);
	for (guint i = 0; i < n; i++)
		if (types[i].webrtc && types[i].kind != CODEC_EVENT &&
		    (other == TRANSPORT_WEBRTC || types[i].kind != CODEC_OPUS))
			add_type(stream, &types[i]);
	settle_events(stream);
	return offer;
}

/* Names are compared without case (RFC 4855 3), but not by everybody. */
static void
use_usual_name(Codec *codec)
{
	const CodecType *type = codec_type(codec->name, codec->rate, codec->channels);

	codec->made = FALSE;
	g_free(codec->name);
	codec->name = g_strdup(type->name);
}

Desc *
desc_offer(const Desc *theirs, const Transport *ours)
{
	const Stream *audio = desc_audio(theirs);
	g_autoptr(Desc) offer = NULL;
	gboolean speech = FALSE;
	Stream *stream;

	if (!audio)
		return NULL;
	offer = new_offer(ours);
	stream = g_ptr_array_index(offer->streams, 0);
	stream->direction = audio->direction;
	stream->ptime = audio->ptime;
	for (guint i = 0; i < audio->codecs->len; i++) {
		const Codec *codec = g_ptr_array_index(audio->codecs, i);
		if (!codec_relayed(codec) || stream_find_same(stream, codec))
			continue;
		use_usual_name(copy_codec(stream, codec->pt, codec));
		speech = speech || !is_event(codec);
	}
	settle_events(stream);
	return speech ? g_steal_pointer(&offer) : NULL;
}

/* Moves the codecs of this name to place `at` and on; how many. */
static guint
bring_forward(GPtrArray *codecs, const char *name, gboolean made, guint at)
{
	guint n = 0;

	for (guint i = at; i < codecs->len; i++)
		if (((Codec *)codecs->pdata[i])->made == made &&
		    g_ascii_strcasecmp(((Codec *)codecs->pdata[i])->name, name) == 0)
			g_ptr_array_insert(codecs, (gint)(at + n++),
					   g_ptr_array_steal_index(codecs, i));
	return n;
}

static gboolean
has_type(const Stream *stream, const CodecType *type)
{
	for (guint i = 0; i < stream->codecs->len; i++)
		if (codec_type_of(stream->codecs->pdata[i]) == type)
			return TRUE;
	return FALSE;
}

Desc *
desc_only(const Desc *offer, const char *names)
{
	g_auto(GStrv) words = g_strsplit(names ? names : "", " ", -1);
	g_autoptr(Desc) wanted = desc_turned(offer, desc_audio(offer)->direction);
	Stream *stream = (Stream *)desc_audio(wanted);
	guint n = 0, events;

	if (!names || !names[0])
		return g_steal_pointer(&wanted);
	for (guint made = 0; made < 2; made++)
		for (char **word = words; *word; word++)
			if (**word && g_ascii_strcasecmp(*word, EVENTS) != 0)
				n += bring_forward(stream->codecs, *word, made, n);
	events = bring_forward(stream->codecs, EVENTS, FALSE, n);
	g_ptr_array_set_size(stream->codecs, (gint)(n + events));
	settle_events(stream);
	return n > 0 ? g_steal_pointer(&wanted) : NULL;
}

static gboolean
sends(Direction direction)
{
	return direction == DIRECTION_SENDRECV || direction == DIRECTION_SENDONLY;
}

static gboolean
receives(Direction direction)
{
	return direction == DIRECTION_SENDRECV || direction == DIRECTION_RECVONLY;
}

Direction
direction_answer(Direction offer, Direction answer)
{
	gboolean out = sends(answer) && receives(offer);
	gboolean in = receives(answer) && sends(offer);

	if (out)
		return in ? DIRECTION_SENDRECV : DIRECTION_SENDONLY;
	return in ? DIRECTION_RECVONLY : DIRECTION_INACTIVE;
}

Direction
direction_wish(Direction asked, Direction said, Direction before)
{
	gboolean out = sends(said) || (!receives(asked) && sends(before));
	gboolean in = receives(said) || (!sends(asked) && receives(before));

	if (out)
		return in ? DIRECTION_SENDRECV : DIRECTION_SENDONLY;
	return in ? DIRECTION_RECVONLY : DIRECTION_INACTIVE;
}

static DtlsSetup
answer_setup(DtlsSetup offer)
{
	static const DtlsSetup answers[] = {
		/* RFC 4145 section 4: an offer that says nothing is active. */
		[SETUP_NONE] = SETUP_PASSIVE,
		/* RFC 8842 5.3: active saves the round trip to our first flight. */
		[SETUP_ACTPASS] = SETUP_ACTIVE,
		[SETUP_ACTIVE] = SETUP_PASSIVE,
		[SETUP_PASSIVE] = SETUP_ACTIVE,
	};
	return answers[offer];
}

/* The codecs of `chosen` that are made, or that are not, and that `offered` has. */
static void
answer_audio(Stream *stream, const Stream *offered, const Stream *chosen, gboolean made)
{
	for (guint i = 0; i < chosen->codecs->len; i++) {
		const Codec *codec = g_ptr_array_index(chosen->codecs, i);
		const Codec *theirs = stream_find_same(offered, codec);

		if (theirs && codec->made == made && codec_relayed(codec) && !is_event(codec) &&
		    !stream_find_same(stream, codec))
			copy_codec(stream, theirs->pt, codec);
	}
}

/* The codecs of `chosen` that `offered` has, under its numbers, those that are made only when
 * there is no other; events come last and whatever was chosen, with the clocks of the codecs in use
 * (RFC 4733 2.1) or else the one that he has.  FALSE when there is nothing to speak with. */
static gboolean
answer_codecs(Stream *stream, const Stream *offered, const Stream *chosen)
{
	const Codec *other;
	guint n_audio;

	answer_audio(stream, offered, chosen, FALSE);
	if (stream->codecs->len == 0)
		answer_audio(stream, offered, chosen, TRUE);
	n_audio = stream->codecs->len;
	if (n_audio == 0)
		return FALSE;
	for (guint i = 0; i < offered->codecs->len; i++) {
		const Codec *event = g_ptr_array_index(offered->codecs, i);

		if (is_event(event) && speaks_at(stream, event->rate) &&
		    !stream_find_same(stream, event))
			copy_codec(stream, event->pt, event);
	}
	other = find_event(offered, 0);
	if (stream->codecs->len == n_audio && other)
		copy_codec(stream, other->pt, other);
	return TRUE;
}

/* RFC 3264 section 6: a rejected stream keeps its place and says a format. */
static void
add_rejected(Desc *answer, const Stream *offered)
{
	Stream *stream = desc_add_stream(answer, offered->kind, offered->mid);

	stream->rejected = TRUE;
	stream->media = g_strdup(offered->media);
	stream->profile = g_strdup(offered->profile);
	stream->direction = DIRECTION_INACTIVE;
	stream->transport->kind = offered->transport->kind;
	for (guint i = 0; i < offered->codecs->len; i++) {
		const Codec *codec = g_ptr_array_index(offered->codecs, i);
		copy_codec(stream, codec->pt, codec);
	}
}

/* The answer to one without DTLS has none either. */
static void
speak_clearly(Stream *stream, const Transport *offered)
{
	Transport *clear = transport_unencrypted(stream->transport);

	clear->rtcp_mux = stream->transport->rtcp_mux && offered->rtcp_mux;
	transport_free(stream->transport);
	stream->transport = clear;
}

static gboolean
add_answered(Desc *answer, const Stream *offered, const Stream *chosen, const Transport *ours)
{
	Stream *stream = desc_add_stream(answer, STREAM_AUDIO, offered->mid);
	Transport *transport;

	set_transport(stream, ours);
	transport = stream->transport;
	transport->rtcp_mux = ours->rtcp_mux && offered->transport->rtcp_mux;
	if (transport_is_clear(ours, offered->transport))
		speak_clearly(stream, offered->transport);
	else
		transport->setup = ours->kind == TRANSPORT_WEBRTC
					   ? answer_setup(offered->transport->setup)
					   : SETUP_NONE;
	transport = stream->transport;
	if (ours->kind == TRANSPORT_RTP && offered->transport->kind == TRANSPORT_RTP) {
		transport->sdes.profile = offered->transport->sdes.profile;
		transport->sdes.tag = offered->transport->sdes.tag;
	}
	stream->direction = direction_answer(offered->direction, chosen->direction);
	stream->ptime = chosen->ptime;
	if (ours->kind == offered->transport->kind)
		stream->profile = g_strdup(offered->profile);
	return answer_codecs(stream, offered, chosen);
}

Desc *
desc_answer(const Desc *offer, const Desc *answer, const Transport *ours)
{
	const Stream *offered = desc_audio(offer);
	const Stream *chosen = desc_audio(answer);
	g_autoptr(Desc) result = NULL;

	if (!offered || !chosen)
		return NULL;
	result = desc_new();
	result->bundle = offer->bundle;
	for (guint i = 0; i < offer->streams->len; i++) {
		const Stream *stream = g_ptr_array_index(offer->streams, i);
		if (stream != offered)
			add_rejected(result, stream);
		else if (!add_answered(result, offered, chosen, ours))
			return NULL;
	}
	return g_steal_pointer(&result);
}

static gboolean
is_wide(const CodecType *type)
{
	return type->rate > NARROW;
}

static gboolean
has_wide(const Stream *stream)
{
	for (guint i = 0; i < stream->codecs->len; i++) {
		const Codec *codec = g_ptr_array_index(stream->codecs, i);
		const CodecType *type = codec_type_of(codec);

		if (type && is_wide(type))
			return TRUE;
	}
	return FALSE;
}

static gboolean
is_asked_for(const CodecType *type, char **words)
{
	for (; type->named && *words; words++)
		if (g_ascii_strcasecmp(type->name, *words) == 0)
			return TRUE;
	return !type->named;
}

static void
add_made(Stream *stream, gboolean wide, char **words)
{
	const CodecType *types;
	guint n;

	types = codec_types(&n);
	for (guint i = 0; i < n; i++)
		if (types[i].kind != CODEC_EVENT && is_wide(&types[i]) == wide &&
		    is_asked_for(&types[i], words) && !has_type(stream, &types[i]))
			add_type(stream, &types[i])->made = TRUE;
}

/* Some take the first number for the audio that is spoken (Linphone its bit rate). */
static void
events_last(GPtrArray *codecs)
{
	guint at = 0;

	for (guint n = codecs->len; n > 0; n--)
		if (is_event(codecs->pdata[at]))
			g_ptr_array_add(codecs, g_ptr_array_steal_index(codecs, at));
		else
			at++;
}

void
desc_add_made(Desc *offer, const char *names)
{
	g_auto(GStrv) words = g_strsplit(names ? names : "", " ", -1);
	Stream *stream = (Stream *)desc_audio(offer);
	gboolean wide = stream && has_wide(stream);

	if (!stream)
		return;
	add_made(stream, wide, words);
	add_made(stream, !wide, words);
	settle_events(stream);
	events_last(stream->codecs);
}

/* The first that there is a better reason for than that it spares bits; else the first. */
static const Codec *
best_spoken(const Stream *theirs)
{
	for (guint i = 0; i < theirs->codecs->len; i++) {
		const Codec *codec = g_ptr_array_index(theirs->codecs, i);
		const CodecType *type = codec_type_of(codec);

		if (type && codec_relayed(codec) && !is_event(codec) &&
		    (is_wide(type) || !type->named))
			return codec;
	}
	return stream_spoken(NULL, theirs);
}

static const Codec *
find_named(const Stream *stream, const char *name)
{
	for (guint i = 0; i < stream->codecs->len; i++) {
		const Codec *codec = g_ptr_array_index(stream->codecs, i);

		if (codec_relayed(codec) && g_ascii_strcasecmp(codec->name, name) == 0)
			return codec;
	}
	return NULL;
}

Desc *
desc_answer_made(const Desc *offer, const Desc *answer, const char *name, const Transport *ours)
{
	const Stream *offered = desc_audio(offer), *chosen = desc_audio(answer);
	const Codec *spoken = !offered ? NULL
			      : name   ? find_named(offered, name)
				       : best_spoken(offered);
	g_autoptr(Desc) made = NULL;
	Stream *stream;

	if (!spoken || !chosen || !stream_spoken(NULL, chosen))
		return NULL;
	made = desc_new();
	stream = desc_add_stream(made, STREAM_AUDIO, NULL);
	stream->direction = chosen->direction;
	/* with our parameters: it is to us that he speaks */
	codec_repeat_modes(add_type(stream, codec_type_of(spoken)), spoken);
	return desc_answer(offer, made, ours);
}

void
desc_prefer(Desc *offer, const char *name)
{
	Stream *stream = (Stream *)desc_audio(offer);
	Codec *wanted = stream ? (Codec *)find_named(stream, name) : NULL;

	if (!wanted)
		return;
	wanted->made = FALSE;
	bring_forward(stream->codecs, name, FALSE, 0);
}

Desc *
desc_speaking(const Desc *desc, const Desc *told, const char *name)
{
	const Stream *audio = desc_audio(desc), *ours = told ? desc_audio(told) : NULL;
	Desc *speaking;
	Stream *stream;

	if (!audio || !find_named(audio, name) || (told && (!ours || !find_named(ours, name))))
		return desc_ref(desc);
	speaking = desc_moved(desc, audio->transport);
	stream = (Stream *)desc_audio(speaking);
	for (guint i = stream->codecs->len; i-- > 0;) {
		const Codec *codec = g_ptr_array_index(stream->codecs, i);

		if (!is_event(codec) && g_ascii_strcasecmp(codec->name, name) != 0)
			g_ptr_array_remove_index(stream->codecs, i);
	}
	return speaking;
}

Desc *
desc_answer_nothing(const Desc *offer)
{
	Desc *answer = desc_new();

	answer->bundle = offer->bundle;
	for (guint i = 0; i < offer->streams->len; i++)
		add_rejected(answer, g_ptr_array_index(offer->streams, i));
	return answer;
}

Desc *
desc_turned(const Desc *desc, Direction direction)
{
	const Stream *audio = desc_audio(desc);
	Desc *turned = desc_new();

	turned->bundle = desc->bundle;
	for (guint i = 0; i < desc->streams->len; i++) {
		const Stream *from = g_ptr_array_index(desc->streams, i);
		Stream *to = desc_add_stream(turned, from->kind, from->mid);

		to->media = g_strdup(from->media);
		to->profile = g_strdup(from->profile);
		to->direction = from == audio ? direction : from->direction;
		to->rejected = from->rejected;
		to->ptime = from->ptime;
		set_transport(to, from->transport);
		if (to->transport->kind == TRANSPORT_WEBRTC && !to->transport->unencrypted)
			to->transport->setup = SETUP_ACTPASS; /* an offer */
		for (guint j = 0; j < from->codecs->len; j++) {
			const Codec *codec = g_ptr_array_index(from->codecs, j);

			copy_codec(to, codec->pt, codec);
		}
	}
	return turned;
}

Desc *
desc_offer_again(const Desc *told, const Desc *other, Direction direction)
{
	const Stream *audio = desc_audio(told), *theirs = desc_audio(other);
	Desc *offer = desc_turned(told, direction);
	Stream *stream = NULL;

	for (guint i = 0; audio && i < told->streams->len; i++)
		if (told->streams->pdata[i] == audio)
			stream = offer->streams->pdata[i];
	for (guint i = 0; stream && theirs && i < theirs->codecs->len; i++) {
		const Codec *codec = g_ptr_array_index(theirs->codecs, i);

		if (codec_relayed(codec) && !is_event(codec) && !stream_find_same(stream, codec))
			copy_codec(stream, free_number(stream, codec->pt), codec);
	}
	if (stream)
		settle_events(stream);
	return offer;
}

Desc *
desc_moved(const Desc *desc, const Transport *transport)
{
	const Stream *before = desc_audio(desc);
	Desc *moved;

	if (!before)
		return NULL;
	moved = desc_turned(desc, before->direction);
	for (guint i = 0; i < moved->streams->len; i++) {
		Stream *stream = g_ptr_array_index(moved->streams, i);

		if (stream != desc_audio(moved))
			continue;
		transport_free(stream->transport);
		stream->transport = before->transport->unencrypted
					    ? transport_unencrypted(transport)
					    : transport_copy(transport);
		stream->transport->setup = before->transport->setup;
		stream->transport->rtcp_mux = before->transport->rtcp_mux;
	}
	return moved;
}

static void
map_codecs(const Stream *from, const Stream *to, guint8 map[128], gboolean seen[128])
{
	for (guint i = 0; from && i < from->codecs->len; i++) {
		const Codec *codec = g_ptr_array_index(from->codecs, i);
		const Codec *same = is_event(codec) || !codec_relayed(codec)
					    ? NULL
					    : stream_find_same(to, codec);

		if (codec->pt >= 128 || seen[codec->pt])
			continue;
		seen[codec->pt] = TRUE;
		if (same && same->pt < 128)
			map[codec->pt] = same->pt;
	}
}

void
desc_pt_map(const Desc *local, const Desc *remote, const Desc *to, guint8 map[128])
{
	const Stream *sink = desc_audio(to);
	gboolean seen[128] = { FALSE };

	memset(map, 0xff, 128);
	if (!sink)
		return;
	map_codecs(desc_audio(local), sink, map, seen);
	map_codecs(desc_audio(remote), sink, map, seen);
}
