/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* call_desc.c - what the two sides of a call say about their media, and what each is shown
 * of the other.
 *
 * When it is said is call_table.c's; what becomes of two descriptions is desc.c's.
 * Thread: signalling.  RFC 3264.
 */
#include "b2bua/call/call_private.h"

#define OPUS "opus"

/* --- what a side has said and was told --- */

static const Transport *
audio_transport(const Desc *desc)
{
	const Stream *audio = desc ? desc_audio(desc) : NULL;

	return audio ? audio->transport : NULL;
}

gboolean
party_is_clear(const Party *party)
{
	const Transport *theirs = audio_transport(party->remote);

	return theirs && theirs->unencrypted;
}

/* One offer goes to devices with DTLS and to those without; what one of these was told of it
 * says nothing of DTLS (xmpp_called.c). */
static const Desc *
as_told(const Desc *local, const Desc *remote)
{
	const Transport *ours = audio_transport(local), *theirs = audio_transport(remote);
	g_autoptr(Transport) told = NULL;

	if (!ours || !theirs || ours->unencrypted || !transport_is_clear(ours, theirs))
		return local ? desc_ref(local) : NULL;
	told = transport_unencrypted(ours);
	return desc_moved(local, told);
}

void
party_set_descs(Party *party, const Desc *local, const Desc *remote)
{
	const Desc *new_local = as_told(local, remote);
	const Desc *new_remote = remote ? desc_ref(remote) : NULL;

	desc_unref(party->local);
	desc_unref(party->remote);
	party->local = new_local;
	party->remote = new_remote;
	if (party->ours && party_is_clear(party) && !party->ours->unencrypted) {
		Transport *told = transport_unencrypted(party->ours);

		transport_free(party->ours);
		party->ours = told;
	}
}

/* Of a client the other side's hold has been taken off its wish before it was said
 * (xmpp_hold.c); a telephone says what it wants. */
void
party_note_offer(Party *party, const Desc *offer)
{
	const Stream *said = offer ? desc_audio(offer) : NULL;
	const Stream *told = party->local ? desc_audio(party->local) : NULL;

	if (!said)
		return;
	party->wish = party->kind == TRANSPORT_WEBRTC && told
			      ? direction_wish(told->direction, said->direction, party->wish)
			      : said->direction;
}

void
party_note_answer(Party *party, const Desc *asked, const Desc *answer)
{
	const Stream *question = asked ? desc_audio(asked) : NULL;
	const Stream *said = answer ? desc_audio(answer) : NULL;

	if (question && said)
		party->wish = direction_wish(question->direction, said->direction, party->wish);
}

/* --- what it is shown --- */

static gboolean
may_make(const Call *call, Party *party)
{
	return call_sound_refusal(call, party) == REASON_NONE;
}

static gboolean
speaks(const Desc *desc, const char *name)
{
	const Codec *first = desc ? stream_spoken(NULL, desc_audio(desc)) : NULL;

	return first && g_ascii_strcasecmp(first->name, name) == 0;
}

/* The codec that a caller was told of with early media: he is told of no other when the call is
 * answered (RFC 3261 13.3.1.1).  NULL: none. */
static const char *
told_early(const Call *call, const Party *party)
{
	const Codec *codec = party == call->caller && call->early && party->local
				     ? stream_spoken(NULL, desc_audio(party->local))
				     : NULL;

	return codec && party->progress < PROGRESS_ANSWERED ? codec->name : NULL;
}

Desc *
call_answer_to(const Call *call, Party *party, const Desc *offer, const Desc *answer)
{
	g_autoptr(Desc) result = desc_answer(offer, answer, party->ours);
	Desc *made = NULL;

	if (!may_make(call, party))
		return g_steal_pointer(&result);
	if (call_sound(call, party)->opus_first && !speaks(result, OPUS))
		made = desc_answer_made(offer, answer, OPUS, party->ours);
	if (!made && !result)
		made = desc_answer_made(offer, answer, told_early(call, party), party->ours);
	if (!made && !result)
		made = desc_answer_made(offer, answer, NULL, party->ours);
	return made ? made : g_steal_pointer(&result);
}

/* An offer with what the other side has; NULL when that is none. */
static Desc *
completed(const Call *call, Party *party, Desc *offer)
{
	g_autofree char *names = NULL;

	if (!offer || !may_make(call, party))
		return offer;
	names = call_codec_names(call, party);
	desc_add_made(offer, names);
	if (call_sound(call, party)->opus_first)
		desc_prefer(offer, OPUS);
	return offer;
}

Desc *
call_offer_for(const Call *call, Party *callee)
{
	const Party *caller = call->caller;

	return completed(call, callee,
			 caller->remote ? desc_offer(caller->remote, callee->ours)
					: desc_offer_all(callee->ours, caller->kind));
}

Desc *
call_answer_for(const Call *call, const Desc *answer)
{
	Party *caller = call->caller;

	if (!caller->remote)
		return completed(call, caller, desc_offer(answer, caller->ours));
	return call_answer_to(call, caller, caller->remote, answer);
}

/* --- in the middle of a call --- */

static gboolean
codecs_equal(const Stream *one, const Stream *other)
{
	if (one->codecs->len != other->codecs->len)
		return FALSE;
	for (guint i = 0; i < one->codecs->len; i++) {
		const Codec *a = one->codecs->pdata[i], *b = other->codecs->pdata[i];

		if (a->pt != b->pt || !codec_same(a, b))
			return FALSE;
	}
	return TRUE;
}

gboolean
desc_change_is_local(const Desc *before, const Desc *after)
{
	const Stream *one = before ? desc_audio(before) : NULL;
	const Stream *other = desc_audio(after);

	return one && other && one->direction == other->direction && codecs_equal(one, other);
}

gboolean
desc_restarts_ice(const Desc *before, const Desc *after)
{
	const Stream *one = desc_audio(before), *other = desc_audio(after);

	return one && other && codecs_equal(one, other) && one->transport->ufrag &&
	       other->transport->ufrag &&
	       (g_strcmp0(one->transport->ufrag, other->transport->ufrag) != 0 ||
		g_strcmp0(one->transport->pwd, other->transport->pwd) != 0);
}

/* Hold and resume repeat what the other side has been told already: numbers and
 * streams stay where they are. */
Desc *
call_change_for(const Call *call, const Desc *said, const Desc *offer, Party *other)
{
	const Stream *before = desc_audio(said), *after = desc_audio(offer);
	const Stream *now = desc_audio(other->local);

	if (before && after && other->local && codecs_equal(before, after))
		return desc_turned(other->local, after->direction);
	if (now && now->transport->sdes.profile) { /* what is protected stays so */
		g_autoptr(Transport) ours = transport_copy(other->ours);

		ours->sdes = now->transport->sdes;
		return completed(call, other, desc_offer(offer, ours));
	}
	return completed(call, other, desc_offer(offer, other->ours));
}

Desc *
call_agreed(const Party *party)
{
	const Desc *local = party->local, *remote = party->remote;
	guint said = desc_audio(local)->codecs->len, heard = desc_audio(remote)->codecs->len;
	g_autoptr(Transport) none = transport_new(TRANSPORT_NONE);
	g_autoptr(Desc) agreed = NULL;

	/* an answer has no more than the offer, and its order counts */
	if (said < heard || (said == heard && party->side == SIDE_CALLER))
		agreed = desc_offer(local, none);
	else
		agreed = desc_offer(remote, none);
	return agreed ? desc_turned(agreed, DIRECTION_SENDRECV) : NULL;
}

/* What he sends, the other has agreed to receive. */
gboolean
call_understood(const Party *party, const Party *other)
{
	g_autoptr(Desc) his = call_agreed(party), others = call_agreed(other);
	const Codec *sent;

	if (!his || !others)
		return FALSE;
	sent = desc_audio(his)->codecs->pdata[0];
	return stream_find_same(desc_audio(others), sent) != NULL;
}
