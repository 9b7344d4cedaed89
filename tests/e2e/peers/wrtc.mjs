#!/usr/bin/env node
// SPDX-License-Identifier: AGPL-3.0-or-later
// wrtc.mjs - an XMPP phone on libwebrtc, behaving as Conversations does: calls
// by message initiation (XEP-0353), trickled candidates, strict about what it
// is sent.  With --direct it knows no message initiation, as stanza does.
//
// Commands come in as JSON lines and events go out as JSON lines; xmpp.py is
// the other end.  Commands: call, answer, reject, hangup,
// subscribe, quit.  client.mjs builds the other clients upon this one.
import crypto from 'node:crypto';
import fs from 'node:fs';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { client, xml, jid } from '@xmpp/client';
import wrtc from '@roamhq/wrtc';
import {
  NS, FEATURES, capsHash, candidateToAttributes, candidateToLine, contents, jingleToSdp, lint, onlyCodecs, payloadNames, sdpToJingle,
} from './jingle.mjs';

const { RTCPeerConnection, nonstandard: { RTCAudioSource, RTCAudioSink } } = wrtc;
export const { values: option } = parseArgs({ options: {
  account: { type: 'string' }, password: { type: 'string' }, resource: { type: 'string', default: 'wrtc' },
  domain: { type: 'string' }, server: { type: 'string', default: '127.0.0.1' }, port: { type: 'string', default: '5222' },
  direct: { type: 'boolean', default: false }, delay: { type: 'string', default: '0' }, renomination: { type: 'boolean', default: false },
  services: { type: 'string' }, // whom to ask for STUN and TURN servers (XEP-0215)
  mic: { type: 'string' }, log: { type: 'string' }, personality: { type: 'string' },
} });

export const now = () => Date.now() / 1000;
export const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));
export const report = (event, more = {}) => fs.writeSync(1, JSON.stringify({ at: now(), event, ...more }) + '\n');

export const IQ_TIMEOUT_MS = 20000;
const SAMPLES_PER_FRAME = 480; // 10 ms at 48 kHz: what RTCAudioSource takes at a time

// --- audio ---

// A microphone that plays a file of 16-bit mono samples at 48 kHz, over and over.
export class Microphone {
  constructor(path) {
    const bytes = fs.readFileSync(path);
    this.samples = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length >> 1);
    this.source = new RTCAudioSource();
    this.track = this.source.createTrack();
    this.frames = 0;
  }

  start() {
    this.startedAt = now();
    this.timer = setInterval(() => this.feed(), 5);
  }

  feed() {
    // a frame is given when its last sample has been spoken
    for (const due = (now() - this.startedAt) * 100; this.frames + 1 <= due; this.frames++) {
      const samples = new Int16Array(SAMPLES_PER_FRAME);
      const offset = this.frames * SAMPLES_PER_FRAME;
      for (let i = 0; i < SAMPLES_PER_FRAME && !this.silent; i++) samples[i] = this.samples[(offset + i) % this.samples.length];
      this.source.onData({ samples, sampleRate: 48000, bitsPerSample: 16, channelCount: 1, numberOfFrames: SAMPLES_PER_FRAME });
    }
  }

  stop() {
    clearInterval(this.timer);
    this.track.stop();
  }
}

// Keeps what a track plays, on the clock of its arrival.
class Recorder {
  chunks = []; // { samples, base: when the recording began if there was no gap before }
  length = 0;
  rate = 48000;

  constructor(track) {
    this.sink = new RTCAudioSink(track);
    this.sink.ondata = data => this.on_data(data);
  }

  on_data({ samples, sampleRate, channelCount }) {
    const mono = channelCount === 2 ? samples.filter((_, i) => i % 2 === 0) : new Int16Array(samples);
    this.rate = sampleRate;
    this.length += mono.length;
    this.chunks.push({ samples: mono, base: now() - this.length / this.rate });
  }

  // The sink is silent, rather than full of zeroes, while nothing is decoded.  A
  // program that was late is no gap: what comes after it is in time again.
  fillGaps() {
    const filled = [];
    let base = Infinity;
    for (const chunk of [...this.chunks].reverse()) chunk.base = base = Math.min(base, chunk.base);
    const startedAt = base;
    for (const chunk of this.chunks) {
      if (chunk.base - base > 0.06) {
        filled.push(new Int16Array(Math.round((chunk.base - base) * this.rate)));
        base = chunk.base;
      }
      filled.push(chunk.samples);
    }
    return [filled, this.chunks.length ? startedAt : null];
  }

  save(path) {
    this.sink.stop();
    const [chunks, startedAt] = this.fillGaps();
    fs.writeFileSync(path, Buffer.concat(chunks.map(c => Buffer.from(c.buffer, c.byteOffset, c.byteLength))));
    return { path, rate: this.rate, started_at: startedAt };
  }
}

// --- one call ---

export class Call {
  constructor(phone, sid, peer, isCaller) {
    Object.assign(this, { phone, sid, peer, isCaller, state: 'begun', number: ++phone.nCalls });
    this.heldCandidates = [];  // ours go out only after the description they belong to
    this.earlyCandidates = []; // theirs are added only after theirs
  }

  report(event, more = {}) { report(event, { sid: this.sid, ...more }); }

  // -- what is sent --

  message(to, name, ...payload) {
    const id = name === 'propose' ? `jm-propose-${this.sid}` : crypto.randomUUID();
    const receipt = name === 'propose' ? [xml('request', { xmlns: NS.RECEIPTS })] : [];
    return this.phone.send(xml('message', { to, type: 'chat', id },
      xml(name, { xmlns: NS.JMI, id: this.sid }, ...payload), ...receipt, xml('store', { xmlns: NS.HINTS })));
  }

  async request(jingle) {
    await sleep(option.delay);
    try {
      await this.phone.xmpp.iqCaller.request(xml('iq', { type: 'set', to: this.peer }, jingle), IQ_TIMEOUT_MS);
    } catch (error) {
      if (this.state !== 'ended') this.report('iq-error', { action: jingle.attrs.action, condition: error.condition ?? error.message });
    }
  }

  jingle(action, ...payload) {
    return this.request(xml('jingle', { xmlns: NS.JINGLE, action, sid: this.sid }, ...payload));
  }

  terminate(reason) { return this.jingle('session-terminate', xml('reason', {}, xml(reason))); }

  // "hold" and "mute" stop the microphone, as clients do
  async info(what) {
    if (['hold', 'mute'].includes(what)) this.mic.silent = true;
    if (['active', 'unmute'].includes(what)) this.mic.silent = false;
    await this.jingle('session-info', xml(what, { xmlns: NS.RTP_INFO }));
  }

  // -- ICE restart: new credentials go out, candidates follow, DTLS goes on --

  async selectedPair() {
    let pair = null;
    (await this.pc.getStats()).forEach(s => { if (s.type === 'transport') pair = s.selectedCandidatePairId; });
    return pair;
  }

  async restart() {
    this.pairBefore = await this.selectedPair();
    this.described = false;
    this.restarting = true;
    await this.setLocal(await this.pc.createOffer({ iceRestart: true }));
    const of = key => this.pc.localDescription.sdp.match(new RegExp(`a=${key}:(\\S+)`))[1];
    const name = this.pc.localDescription.sdp.match(/a=mid:(\S+)/)[1];
    this.jingle('transport-info', xml('content', { creator: 'initiator', name },
      xml('transport', { xmlns: NS.ICE, ufrag: of('ice-ufrag'), pwd: of('ice-pwd') })));
    this.described = true;
    this.heldCandidates.splice(0).forEach(c => this.sendCandidate(c));
  }

  async on_restarted(transport) {
    const { ufrag, pwd } = transport.attrs;
    const before = this.pc.remoteDescription.sdp;
    if (before.includes(`a=ice-ufrag:${ufrag}\r\n`)) return this.report('lint', { what: 'a restart answered with the old credentials' });
    if (!transport.getChild('candidate')) return this.report('lint', { what: 'a restart answered without a candidate' });
    this.restarting = false;
    const sdp = before.replace(/a=ice-ufrag:\S+/g, `a=ice-ufrag:${ufrag}`).replace(/a=ice-pwd:\S+/g, `a=ice-pwd:${pwd}`)
      .replace(/a=candidate:[^\r]*\r\n/g, '').replace(/a=setup:actpass/g, 'a=setup:passive');
    await this.pc.setRemoteDescription({ type: 'answer', sdp });
    for (let i = 0; i < 200 && await this.selectedPair() === this.pairBefore; i++) {
      if (i === 0) await this.addCandidate(transport);
      await sleep(50);
    }
    this.report('restarted', { moved: await this.selectedPair() !== this.pairBefore });
  }

  addCandidate(transport) {
    return this.pc.addIceCandidate({ sdpMid: this.pc.localDescription.sdp.match(/a=mid:(\S+)/)[1], sdpMLineIndex: 0,
      candidate: candidateToLine(transport.getChild('candidate')) });
  }

  // XEP-0181
  press(code) {
    return this.jingle('session-info', xml('dtmf', { xmlns: 'urn:xmpp:jingle:dtmf:0', code }));
  }

  // -- media --

  openMedia() {
    this.pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle', rtcpMuxPolicy: 'require', iceServers: this.phone.iceServers });
    this.mic = new Microphone(option.mic);
    this.pc.addTrack(this.mic.track);
    this.mic.start();
    this.pc.ontrack = ({ track }) => { this.recorder = new Recorder(track); };
    this.pc.onicecandidate = ({ candidate }) => {
      // what was gathered may come when the call, and with it our description, is gone
      if (!candidate?.candidate || this.state === 'ended') return;
      if (this.described) this.sendCandidate(candidate);
      else this.heldCandidates.push(candidate);
    };
    this.pc.onconnectionstatechange = () => {
      const state = this.pc.connectionState;
      if (state === 'connected' && !this.up) { this.up = true; this.report('up'); }
      if (state === 'failed') this.report('media-failed');
    };
  }

  get iceOptions() { return option.renomination ? 'trickle renomination' : 'trickle'; }

  setLocal(description) {
    const sdp = onlyCodecs(option.renomination ? description.sdp.replace(/a=ice-options:[^\r\n]*/g, `a=ice-options:${this.iceOptions}`)
      : description.sdp, this.phone.codecs);
    return this.pc.setLocalDescription({ type: description.type, sdp });
  }

  sendCandidate(candidate) {
    const sdp = this.pc.localDescription.sdp;
    const of = key => sdp.match(new RegExp(`a=${key}:(\\S+)`))[1];
    return this.jingle('transport-info', xml('content', { creator: 'initiator', name: candidate.sdpMid },
      xml('transport', { xmlns: NS.ICE, ufrag: of('ice-ufrag'), pwd: of('ice-pwd') },
        xml('candidate', candidateToAttributes(candidate.candidate)))));
  }

  // Sends our description, then the candidates that were held back for it.
  describe(action, role) {
    if (this.state === 'ended') return;
    const jingle = sdpToJingle(xml, this.pc.localDescription.sdp, { action, sid: this.sid, [role]: this.phone.jid.toString() }, false);
    if (action === 'session-initiate') this.offered = contents(jingle).map(c => c.attrs.name);
    this.request(jingle);
    this.described = true;
    this.heldCandidates.splice(0).forEach(c => this.sendCandidate(c));
  }

  async setRemote(jingle, type) {
    const sdp = jingleToSdp(jingle, type === 'offer', this.iceOptions);
    await this.pc.setRemoteDescription({ type, sdp: onlyCodecs(sdp, this.phone.codecs) });
    this.remoteSet = true;
    for (const c of this.earlyCandidates.splice(0)) await this.pc.addIceCandidate(c);
  }

  async addCandidates(jingle) {
    for (const c of contents(jingle)) {
      for (const k of c.getChild('transport')?.getChildren('candidate') ?? []) {
        const candidate = { sdpMid: c.attrs.name, sdpMLineIndex: 0, candidate: candidateToLine(k) };
        if (this.remoteSet) await this.pc.addIceCandidate(candidate);
        else this.earlyCandidates.push(candidate);
      }
    }
  }

  // -- the caller's part --

  async begin() {
    this.report('dialled', { to: this.peer });
    if (option.direct) return this.initiate();
    await this.message(this.peer, 'propose', xml('description', { xmlns: NS.RTP, media: 'audio' }));
  }

  async initiate() {
    this.state = 'initiated';
    this.openMedia();
    await this.setLocal(await this.pc.createOffer());
    this.describe('session-initiate', 'initiator');
  }

  async on_accept(jingle) {
    if (this.state !== 'initiated') return this.report('lint', { what: `session-accept in state ${this.state}` });
    this.state = 'answered';
    this.report('answered', { codecs: payloadNames(jingle) });
    // a far network: the answer's way, and the round trips of ICE and DTLS (one, two)
    await sleep(option.delay * 7);
    await this.setRemote(jingle, 'answer');
  }

  // -- the callee's part --

  async answer() {
    if (this.viaJmi && !this.offer) {
      this.state = 'proceeding';
      await this.message(this.phone.jid.bare().toString(), 'accept');
      await this.message(this.peer, 'proceed');
      return;
    }
    await this.accept();
  }

  async accept() {
    this.state = 'answered';
    this.openMedia();
    await this.setRemote(this.offer, 'offer');
    await this.setLocal(await this.pc.createAnswer());
    this.describe('session-accept', 'responder');
    this.report('answered', { codecs: payloadNames(this.offer) });
  }

  async reject(reason) {
    if (this.viaJmi && !this.offer) {
      const why = reason ? [xml('reason', { xmlns: NS.JINGLE }, xml(reason))] : [];
      await this.message(this.phone.jid.bare().toString(), 'reject', ...why);
      await this.message(this.peer, 'reject', ...why);
    } else {
      await this.terminate(reason ?? 'decline');
    }
    await this.end('us', 'reject');
  }

  // -- both --

  async hangup() {
    if (this.state === 'ended') return;
    const began = this.state === 'begun', initiated = this.state === 'initiated';
    // a finish may overtake the answer to our session-terminate
    const over = this.end('us', 'hangup');
    if (began && this.isCaller) await this.message(jid(this.peer).bare().toString(), 'retract');
    else if (!(began && this.viaJmi)) await this.terminate(initiated ? 'cancel' : 'success');
    await over;
  }

  async on_jingle(jingle) {
    const action = jingle.attrs.action;
    lint(jingle, this.isCaller ? this.offered : undefined).forEach(what => this.report('lint', { what }));
    if (action === 'transport-info') {
      if (this.isCaller && this.state === 'initiated') this.report('lint', { what: 'transport-info before session-accept' });
      const transport = contents(jingle)[0]?.getChild('transport');
      if (this.restarting && transport) await this.on_restarted(transport);
      else await this.addCandidates(jingle);
    } else if (action === 'session-accept') {
      await this.on_accept(jingle);
    } else if (action === 'session-initiate') {
      this.offer = jingle;
      if (this.viaJmi) await this.accept();
    } else if (action === 'session-info' && jingle.getChild('ringing')) {
      this.report('ringing');
    } else if (action === 'session-info') {
      this.report('info', { what: jingle.children.find(c => c.name)?.name ?? null });
    } else if (action === 'session-terminate') {
      await this.endedByPeer('session-terminate', jingle);
    } else {
      this.report('jingle', { action });
    }
  }

  async on_jmi(name, from, element) {
    if (name === 'ringing') {
      this.report('ringing');
    } else if (name === 'proceed' && this.state === 'begun') {
      this.peer = from;
      this.report('proceed', { from });
      await this.initiate();
    } else if (['reject', 'retract', 'finish'].includes(name)) {
      await this.endedByPeer(name, element);
    }
  }

  endedByPeer(how, element) {
    const reason = element.getChild('reason');
    const condition = reason?.children.find(c => c.name && c.name !== 'text')?.name;
    return this.end('peer', how, { reason: condition ?? null, text: reason?.getChildText('text') ?? null });
  }

  async end(by, how, more = {}) {
    // a finish follows a session-terminate: the call has ended with the first
    if (this.state === 'ended') return;
    this.state = 'ended';
    this.report('ended', { by, how, ...more });
    this.report('media', await this.closeMedia());
    this.phone.calls.delete(this.sid);
  }

  async closeMedia() {
    if (!this.pc) return {};
    const stats = {}, found = await this.pc.getStats();
    found.forEach(s => {
      if (s.type === 'inbound-rtp') {
        const codec = found.get(s.codecId)?.mimeType.split('/')[1];
        Object.assign(stats, { packets: s.packetsReceived, lost: s.packetsLost, codec });
      }
      if (s.type === 'outbound-rtp') stats.sent = s.packetsSent;
    });
    this.mic.stop();
    const recording = this.recorder?.save(`${option.log}-${this.number}.raw`);
    this.pc.close();
    return { fed_at: this.mic.startedAt, recording, ...stats };
  }
}

// --- the phone: a login and its calls ---

export class Phone {
  calls = new Map();
  seen = new Map(); // bare JID: the full JID that was last available
  nCalls = 0;
  iceServers = [];

  async login() {
    const { account, password, resource, domain, server, port } = option;
    this.xmpp = client({ service: `xmpp://${server}:${port}`, domain, username: account, password, resource });
    this.xmpp.timeout = IQ_TIMEOUT_MS; // of 2 s a slow line takes some
    this.trace();
    this.xmpp.on('error', () => {}); // a broken stream is reconnected by the library
    this.xmpp.on('disconnect', () => report('offline'));
    this.xmpp.on('online', me => this.on_online(me));
    this.xmpp.on('stanza', s => this.on_stanza(s));
    this.xmpp.iqCallee.set(NS.JINGLE, 'jingle', c => this.on_jingle_iq(c));
    this.xmpp.iqCallee.get(NS.DISCO, 'query', c => this.info(c.element.attrs.node));
    await this.xmpp.start();
  }

  trace() {
    const file = fs.createWriteStream(`${option.log}.xml`, { flags: 'a' });
    const line = (way, element) => file.write(`${now().toFixed(3)} ${way} ${element}\n`);
    this.xmpp.on('element', e => line('<', e));
    this.xmpp.on('send', e => line('>', e));
    this.xmpp.on('error', e => line('!', e));
  }

  get features() { return option.direct ? FEATURES.filter(f => f !== NS.JMI) : FEATURES; }

  get identity() { return { category: 'client', type: 'phone', name: 'tandem test' }; }

  get node() { return 'urn:tandem:test'; }

  info(node) {
    return xml('query', { xmlns: NS.DISCO, ...(node && { node }) },
      xml('identity', this.identity),
      ...this.features.map(f => xml('feature', { var: f })));
  }

  async on_online(me) {
    this.jid = me;
    // @xmpp/client counts what it sends before <enabled/> and is thrown out for it
    for (let i = 0; i < 80 && this.xmpp.streamManagement && !this.xmpp.streamManagement.enabled; i++) await sleep(25);
    const ver = capsHash([this.identity], this.features);
    await this.send(xml('presence', {}, xml('c', { xmlns: NS.CAPS, hash: 'sha-1', node: this.node, ver })));
    if (option.services) await this.findServices();
    report('online', { jid: me.toString() });
  }

  async findServices() {
    const ask = xml('iq', { type: 'get', to: option.services }, xml('services', { xmlns: NS.EXTDISCO }));
    const services = (await this.xmpp.iqCaller.request(ask, IQ_TIMEOUT_MS)).getChild('services').getChildren('service');
    this.iceServers = services.map(({ attrs: s }) => ({
      urls: `${s.type}:${s.host}:${s.port}${s.type === 'stun' ? '' : `?transport=${s.transport}`}`,
      ...(s.username && { username: s.username, credential: s.password }),
    }));
    report('services', { list: services.map(s => s.attrs) });
  }

  async send(stanza) {
    await sleep(option.delay);
    return this.xmpp.send(stanza);
  }

  on_jingle_iq({ stanza, element }) {
    const { from } = stanza.attrs;
    const { sid, action } = element.attrs;
    let call = this.calls.get(sid);
    if (!call && action === 'session-initiate') {
      call = this.addCall(this.newCall(sid, from, false));
      call.offer = element;
      lint(element).forEach(what => call.report('lint', { what }));
      call.jingle('session-info', xml('ringing', { xmlns: NS.RTP_INFO }));
      call.report('incoming', { from, via: 'session-initiate' });
    } else if (call) {
      // from the device that proceeded and no other, as Conversations
      if (from !== call.peer) call.report('lint', { what: `${action} from ${from}, not ${call.peer}` });
      call.on_jingle(element).catch(e => this.fail(e));
    } else if (action !== 'session-terminate') {
      return xml('error', { type: 'cancel' }, xml('item-not-found', { xmlns: 'urn:ietf:params:xml:ns:xmpp-stanzas' }));
    }
    return true;
  }

  on_stanza(stanza) {
    const { from, to, type } = stanza.attrs;
    if (!from) return;
    // numbers may see whether we are there
    if (stanza.is('presence') && type === 'subscribe') this.send(xml('presence', { to: from, type: 'subscribed' }));
    if (stanza.is('presence') && !type) {
      this.seen.set(jid(from).bare().toString(), from);
      report('presence', { from, caps: Boolean(stanza.getChild('c', NS.CAPS)) });
    }
    if (!stanza.is('message') || stanza.getChild('delay')) return;
    const said = stanza.getChildText('body');
    if (said) report('said', { from, text: said });
    const receipt = stanza.getChild('received', NS.RECEIPTS);
    if (receipt) report('receipt', { id: receipt.attrs.id });
    const body = stanza.getChildText('body');
    if (body) report('chat', { from, type, body, stored: Boolean(stanza.getChild('store', NS.HINTS)) });
    for (const e of stanza.children) if (e.getNS?.() === NS.JMI) this.on_jmi(e, from, to).catch(x => this.fail(x));
  }

  async on_jmi(element, from, to) {
    await sleep(option.delay);
    const sid = element.attrs.id;
    let call = this.calls.get(sid);
    if (jid(from).bare().equals(this.jid.bare())) {
      // another device of this account has taken or refused the call
      const other = from !== this.jid.toString() && ['accept', 'proceed', 'reject'].includes(element.name);
      if (call && other) await call.end('us', 'elsewhere');
    } else if (option.direct) {
      // knows no message initiation
    } else if (element.name === 'propose' && !call) {
      call = this.addCall(this.newCall(sid, from, false));
      call.viaJmi = true;
      call.report('incoming', { from, via: 'propose' });
      await call.message(from, 'ringing');
    } else if (call) {
      if (call.isCaller && to !== this.jid.toString()) call.report('lint', { what: `${element.name} not sent to the full JID` });
      await call.on_jmi(element.name, from, element);
    }
  }

  newSid() { return crypto.randomUUID(); }

  newCall(sid, peer, isCaller) { return new Call(this, sid, peer, isCaller); }

  addCall(call) {
    this.calls.set(call.sid, call);
    this.current = call;
    return call;
  }

  async call(to) {
    // a direct call goes to a full JID, known from presence
    for (let i = 0; option.direct && !to.includes('/') && i < 100; i++) {
      to = this.seen.get(to) ?? to;
      if (!to.includes('/')) await sleep(50);
    }
    await this.addCall(this.newCall(this.newSid(), to, true)).begin();
  }

  async obey({ command, to, reason, what }) {
    if (command === 'call') await this.call(to);
    else if (command === 'subscribe') await this.send(xml('presence', { to, type: 'subscribe' }));
    else if (command === 'answer') await this.current.answer();
    else if (command === 'press') await this.current.press(what);
    else if (command === 'say') await this.send(xml('message', { to, type: 'chat' }, xml('body', {}, what)));
    else if (command === 'codecs') this.codecs = what;
    else if (command === 'info') await this.current.info(what);
    else if (command === 'transfer') await this.current.jingle('session-info', xml('transfer', { xmlns: NS.TRANSFER, to }));
    else if (command === 'restart') await this.current.restart();
    else if (command === 'reject') await this.current.reject(reason);
    else if (command === 'hangup') await this.current.hangup();
    else if (command === 'quit') await this.quit();
  }

  async quit() {
    for (const call of [...this.calls.values()]) await call.end('us', 'quit');
    this.xmpp.reconnect.stop();
    await Promise.race([this.xmpp.stop().catch(() => {}), sleep(500)]);
    process.exit(0);
  }

  fail(error) { report('error', { what: String(error?.stack ?? error) }); }
}

export function run(phone) {
  readline.createInterface({ input: process.stdin })
    .on('line', line => phone.obey(JSON.parse(line)).catch(e => phone.fail(e)))
    .on('close', () => process.exit(0));
  phone.login().catch(e => phone.fail(e));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) run(new Phone());
