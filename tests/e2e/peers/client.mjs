#!/usr/bin/env node
// SPDX-License-Identifier: AGPL-3.0-or-later
// client.mjs - the phone of wrtc.mjs with the manners of one client, which
// --personality FILE tells (../personalities/README).  It writes as that client
// writes (forms.mjs), and refuses, ignores and dies as it does (strict.mjs).
//
// Beside the events of wrtc.mjs: refused (a rule objected; the test fails by it),
// no-button (it would show no call button), no-sign-of-life, ignored.
import crypto from 'node:crypto';
import fs from 'node:fs';
import { xml, jid } from '@xmpp/client';
import { Call, IQ_TIMEOUT_MS, Phone, option, report, run, sleep } from './wrtc.mjs';
import { NS, candidateToAttributes, candidateToLine, capsHash, children, child, contents, sdpToJingle } from './jingle.mjs';
import { dress, shapeSdp } from './forms.mjs';
import { objection, usable } from './strict.mjs';

const P = JSON.parse(fs.readFileSync(option.personality));
const STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas';
const JINGLE_ERRORS = 'urn:xmpp:jingle:errors:1';
const BUTTON_MS = 8000;

const stanzaError = (condition, ...more) => xml('error', { type: 'cancel' }, xml(condition, { xmlns: STANZAS }), ...more);

const SIDS = {
  base64url: () => crypto.randomBytes(16).toString('base64url'),
  uuid: () => crypto.randomUUID(),
  'upper-uuid': () => crypto.randomUUID().toUpperCase(),
};

class ClientCall extends Call {
  media = ['audio'];
  ownCandidates = [];

  // --- messages (XEP-0353) ---

  message(to, name, ...payload) {
    const m = P.messages;
    const id = name in (m.ids ?? {}) ? m.ids[name] + this.sid : m.anonymous ? undefined : crypto.randomUUID();
    const receipt = name === 'propose' && m.receipt ? [xml('request', { xmlns: NS.RECEIPTS })] : [];
    const store = m.store ? [xml('store', { xmlns: NS.HINTS })] : [];
    const device = name === 'proceed' && m.device
      ? [xml('device', { xmlns: 'http://gultsch.de/xmpp/drafts/omemo/dlts-srtp-verification', id: '771203345' })] : [];
    return this.phone.send(xml('message', { to, type: 'chat', ...(id && { id }) },
      xml(name, { xmlns: NS.JMI, id: this.sid }, ...payload, ...device), ...receipt, ...store));
  }

  reasonElement(condition) { return xml('reason', { xmlns: NS.JINGLE }, xml(condition)); }

  // How its user gives up before the session exists.
  giveUp() {
    const bare = jid(this.peer).bare().toString();
    const forms = {
      plain: () => this.message(bare, 'retract'),
      description: () => this.message(bare, 'retract', xml('description', { xmlns: NS.RTP })),
      reason: () => this.message(bare, 'retract', this.reasonElement('cancel')),
      reject: () => this.message(bare, 'reject'),
    };
    return forms[P.messages.givesUp]();
  }

  // --- requests ---

  jingle(action, ...payload) {
    const attributes = { ...this.roles(action), action, sid: this.sid };
    return this.request(xml('jingle', { xmlns: NS.JINGLE, ...attributes }, ...payload));
  }

  roles(action) {
    const own = this.phone.jid.toString();
    const role = this.isCaller ? 'initiator' : 'responder';
    const always = {
      // names itself the initiator, bare, whatever it is
      bare: () => ({ initiator: this.phone.jid.bare().toString(), responder: this.peer }),
      full: () => ({ [role]: own }),
      none: () => ({}),
    };
    return ['session-initiate', 'session-accept', 'transport-info'].includes(action) || P.session.roles === 'full'
      ? always[P.session.roles]() : {};
  }

  async request(jingle, to = this.peer) {
    dress(jingle, P.session.forms);
    try {
      await this.phone.xmpp.iqCaller.request(xml('iq', { type: 'set', to }, jingle), IQ_TIMEOUT_MS);
    } catch (error) {
      if (this.state === 'ended') return;
      const condition = error.condition ?? error.message;
      this.report('iq-error', { action: jingle.attrs.action, condition });
      if (P.strict.iqErrors === 'end') await this.end('us', 'iq-error', { reason: condition });
    }
  }

  // --- media ---

  openMedia() {
    super.openMedia();
    this.gathered = new Promise(resolve => {
      this.pc.onicecandidate = ({ candidate }) => {
        if (candidate?.candidate) this.onOwnCandidate(candidate);
        else { resolve(); this.onGathered(); }
      };
    });
  }

  onOwnCandidate(candidate) {
    if (this.state === 'ended' || (/ tcp /i.test(candidate.candidate) && !P.candidates.tcp)) return;
    this.ownCandidates.push(candidate);
    if (this.described && !this.inline) this.sendCandidate(candidate);
  }

  onGathered() {
    if (this.state !== 'ended' && this.described && !this.inline) this.sendLast();
  }

  transportInfo(name, attributes, ...payload) {
    return this.jingle('transport-info', xml('content', { creator: 'initiator', name },
      xml('transport', { xmlns: NS.ICE, ...attributes }, ...payload)));
  }

  credentials() {
    const of = key => this.pc.localDescription.sdp.match(new RegExp(`a=${key}:(\\S+)`))[1];
    return { ufrag: of('ice-ufrag'), pwd: of('ice-pwd') };
  }

  async sendCandidate(candidate) {
    await sleep(P.candidates.delay ?? 0);
    if (this.state === 'ended' || !this.pc.localDescription) return;
    const attributes = candidateToAttributes(candidate.candidate), mid = candidate.sdpMid;
    const send = more => this.transportInfo(mid, this.credentials(), xml('candidate', { ...attributes, ...more }));
    const extras = P.candidates.beside ?? [];
    // what the browser hides has no address, and what is left of it no session
    if (extras.includes('empty')) {
      this.phone.xmpp.iqCaller.request(xml('iq', { type: 'set', to: this.peer }, xml('jingle', {
        xmlns: NS.JINGLE, ...this.roles('transport-info'), action: 'transport-info' }))).catch(() => {});
    }
    if (extras.includes('mdns')) send({ ip: `${crypto.randomUUID()}.local` });
    if (extras.includes('no-credentials')) this.transportInfo(mid, {}, xml('candidate', attributes));
    send({});
    if (extras.includes('component-2')) send({ component: '2', port: String(Number(attributes.port) + 1) });
  }

  sendLast() {
    if (!P.candidates.complete) return;
    this.transportInfo(this.ownName, { ufrag: this.credentials().ufrag }, xml('gathering-complete'));
  }

  setLocal(description) {
    const sdp = shapeSdp(description.sdp, P.session, description.type === 'offer');
    return super.setLocal({ type: description.type, sdp });
  }

  goesInline() {
    const { manner, inlineIf } = P.candidates;
    return manner === 'inline' || Boolean(inlineIf && this.phone.knows(this.peer)?.includes(inlineIf));
  }

  // Sends our description, with or followed by the candidates.
  describe(action) {
    this.sendDescription(action).catch(e => this.phone.fail(e));
  }

  async sendDescription(action) {
    this.inline = this.goesInline();
    if (this.inline) await Promise.race([this.gathered, sleep(P.candidates.wait ?? 2000)]);
    if (this.state === 'ended') return;
    const tcp = /^a=candidate:\S+ \d+ tcp .*\r\n/gim;
    const sdp = P.candidates.tcp ? this.pc.localDescription.sdp : this.pc.localDescription.sdp.replace(tcp, '');
    const jingle = sdpToJingle(xml, sdp, { ...this.roles(action), action, sid: this.sid }, this.inline);
    const names = contents(jingle).map(c => c.attrs.name);
    this.ownName = names[0];
    if (action === 'session-initiate') this.offered = names;
    this.request(jingle);
    this.described = true;
    this.report('described', { inline: this.inline });
    if (this.inline) return;
    for (const c of this.ownCandidates) this.sendCandidate(c);
    if (this.pc.iceGatheringState === 'complete') this.sendLast();
  }

  async setRemote(jingle, type) {
    this.remoteUfrag = child(contents(jingle)[0], 'transport')?.attrs.ufrag;
    try {
      await super.setRemote(jingle, type);
    } catch (error) {
      await this.refuse({ rule: 'libwebrtc', end: 'failed-application', text: String(error) });
    }
  }

  async addCandidates(jingle) {
    if (!this.remoteSet && P.candidates.early === 'lost') return this.report('ignored', { what: 'early transport-info' });
    for (const c of contents(jingle)) {
      const transport = child(c, 'transport');
      if (P.candidates.complete && child(transport, 'gathering-complete')) continue;
      for (const k of usable(children(transport, 'candidate'), P.candidates.takes ?? [])) {
        const candidate = { sdpMid: c.attrs.name, sdpMLineIndex: 0, candidate: candidateToLine(k) };
        if (this.remoteSet) await this.pc.addIceCandidate(candidate);
        else this.earlyCandidates.push(candidate);
      }
    }
    return undefined;
  }

  // --- calls out ---

  async begin() {
    const direct = P.dials === 'direct' || (P.dials === 'by-caps' && this.phone.cannotTakeMessages(this.peer));
    this.report('dialled', { to: this.peer, direct });
    if (direct) return this.initiate();
    await this.message(this.peer, 'propose', xml('description', { xmlns: NS.RTP, media: 'audio' }));
    if (P.signOfLife) this.lifeTimer = setTimeout(() => this.onSilence(), P.signOfLife);
    return undefined;
  }

  async onSilence() {
    this.report('no-sign-of-life');
    await this.giveUp();
    await this.end('us', 'no-sign-of-life');
  }

  signOfLife(what) {
    if (!P.ringing.includes(what) || !['begun', 'initiated'].includes(this.state)) return;
    clearTimeout(this.lifeTimer);
    if (!this.rang) this.report('ringing', { by: what });
    this.rang = true;
  }

  // --- calls in ---

  ring() {
    if (P.unanswered) this.ringTimer = setTimeout(() => this.reject(), P.unanswered * 1000);
  }

  async answer() {
    clearTimeout(this.ringTimer);
    await super.answer();
  }

  async reject(reason) {
    if (!this.viaJmi || this.offer) return super.reject(reason);
    if (P.messages.rejectsToOwn) await this.message(this.phone.jid.bare().toString(), 'reject');
    await this.message(this.peer, 'reject');
    return this.end('us', 'reject');
  }

  // --- both ---

  async on_jmi(name, from, element) {
    if (name === 'ringing') return this.signOfLife('ringing');
    if (name === 'proceed') clearTimeout(this.lifeTimer);
    return super.on_jmi(name, from, element);
  }

  async on_jingle(jingle) {
    const refused = objection(jingle, this, P.strict.session);
    if (refused) return this.refuse(refused);
    if (jingle.attrs.action === 'session-info' && child(jingle, 'ringing') && P.dials === 'direct') {
      return this.signOfLife('ringing');
    }
    return super.on_jingle(jingle);
  }

  async refuse(outcome) {
    this.report('refused', outcome);
    if (outcome.crash) process.exit(70);
    if (!outcome.end || this.state === 'ended') return;
    await this.terminate(outcome.end);
    await this.end('us', 'refused', { reason: outcome.end });
  }

  async hangup() {
    if (this.state === 'ended') return;
    const { state } = this;
    const over = this.end('us', 'hangup');
    if (state === 'begun' && this.isCaller) await this.giveUp();
    else if (state !== 'begun' || !this.viaJmi) await this.sayGoodbye(state);
    await over;
  }

  async sayGoodbye(state) {
    const reason = this.isCaller && state === 'initiated' ? 'cancel' : 'success';
    const viaJmi = this.viaJmi || (this.isCaller && P.dials !== 'direct');
    for (const word of P.session.hangsUpBy) {
      if (word === 'finish' && viaJmi) await this.message(this.peer, 'finish', this.reasonElement(reason));
      if (word === 'session-terminate') await this.terminate(reason);
      if (word === 'session-terminate to the bare JID') await this.terminateBare(reason);
    }
  }

  terminateBare(reason) {
    const to = jid(this.peer).bare().toString();
    return this.request(xml('jingle', { xmlns: NS.JINGLE, action: 'session-terminate', sid: this.sid },
      xml('reason', {}, xml(reason))), to);
  }

  async end(by, how, more) {
    clearTimeout(this.lifeTimer);
    clearTimeout(this.ringTimer);
    this.phone.past.add(this.sid);
    await super.end(by, how, more);
  }
}

class ClientPhone extends Phone {
  known = new Map(); // full JID: features, once its caps were asked for and right
  past = new Set();

  get features() { return P.features; }

  get identity() { return P.identity; }

  get node() { return P.node; }

  newSid() { return SIDS[P.sid](); }

  newCall(sid, peer, isCaller) { return new ClientCall(this, sid, peer, isCaller); }

  addCall(call) {
    super.addCall(call);
    if (!call.isCaller) call.ring();
    return call;
  }

  knows(who) { return this.known.get(who) ?? this.known.get(this.seen.get(who)); }

  // A resource that can call and announces no messages makes it call directly.
  cannotTakeMessages(bare) {
    const features = this.knows(bare);
    return Boolean(features?.includes(NS.JINGLE) && !features.includes(NS.JMI));
  }

  // --- who is there, and what can he ---

  async learn(from, c) {
    const node = `${c.attrs.node}#${c.attrs.ver}`;
    const answer = await this.xmpp.iqCaller.request(
      xml('iq', { type: 'get', to: from }, xml('query', { xmlns: NS.DISCO, node })), IQ_TIMEOUT_MS);
    const query = answer.getChild('query', NS.DISCO);
    const features = query.getChildren('feature').map(f => f.attrs.var);
    if (query.attrs.node !== node) return report('ignored', { what: `disco#info of ${from} for another node` });
    if (capsHash(query.getChildren('identity').map(i => i.attrs), features) !== c.attrs.ver) {
      return report('ignored', { what: `disco#info of ${from} has another hash` });
    }
    this.known.set(from, features);
    return report('caps', { from });
  }

  // Waits until the user would have something to press.
  async button(to) {
    const bare = jid(to).bare().toString();
    const shown = () => P.button.every(f => this.knows(bare)?.includes(f));
    for (let i = 0; !shown() && i < BUTTON_MS / 50; i++) await sleep(50);
    return shown();
  }

  async call(to) {
    if (!await this.button(to)) return report('no-button', { to });
    const bare = jid(to).bare().toString();
    const target = P.dials === 'direct' ? this.seen.get(bare) ?? to : bare;
    return this.addCall(this.newCall(this.newSid(), target, true)).begin();
  }

  // --- what comes ---

  on_stanza(stanza) {
    const { from, type } = stanza.attrs;
    if (stanza.is('presence') && from) this.onPresence(stanza, from, type);
    const receipt = stanza.getChild('received', NS.RECEIPTS);
    if (stanza.is('message') && receipt) this.onReceipt(receipt.attrs.id);
    super.on_stanza(stanza);
  }

  onPresence(stanza, from, type) {
    const c = stanza.getChild('c', NS.CAPS);
    if (!type && c && !this.known.has(from)) this.learn(from, c).catch(e => report('ignored', { what: String(e) }));
    if (type !== 'unavailable') return;
    this.known.delete(from);
    for (const call of this.calls.values()) {
      if (P.strict.presence === 'ends' && call.peer === from) call.end('us', 'peer-unavailable');
    }
  }

  onReceipt(id) {
    for (const call of this.calls.values()) {
      if (id === (P.messages.ids?.propose ?? '') + call.sid) call.signOfLife('receipt');
    }
  }

  async on_jmi(element, from, to) {
    const own = jid(from).bare().equals(this.jid.bare());
    if (!own && P.strict.fullJid && element.name !== 'propose' && to !== this.jid.toString()
      && this.calls.get(element.attrs.id)?.isCaller) {
      return report('ignored', { what: `${element.name} not to the full JID` });
    }
    if (element.name === 'propose' && (!P.rings.includes('propose') || this.past.has(element.attrs.id))) {
      return report('ignored', { what: 'propose' });
    }
    return super.on_jmi(element, from, to);
  }

  on_jingle_iq({ stanza, element }) {
    const { from } = stanza.attrs, { sid, action } = element.attrs;
    const call = this.calls.get(sid);
    const condition = P.strict.answers?.[action];
    if (condition) return stanzaError(condition);
    if (call && from !== call.peer && P.strict.samePeer) {
      return stanzaError('item-not-found', xml('unknown-session', { xmlns: JINGLE_ERRORS }));
    }
    if (!call && action === 'session-initiate') {
      if (!P.rings.includes('session-initiate')) {
        report('ignored', { what: 'session-initiate without a propose' });
        return true;
      }
      const refused = objection(element, { media: ['audio'] }, P.strict.session);
      if (refused?.crash) process.exit(70);
    }
    return super.on_jingle_iq({ stanza, element });
  }
}

option.direct = P.dials === 'direct';
run(new ClientPhone());
