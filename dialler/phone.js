// SPDX-License-Identifier: AGPL-3.0-or-later
// phone.js - a login and at most one call, upon the stanza library: Jingle without
// messages before it (XEP-0166, 0167, 0176, 0320).
//
// Events: "change" whenever something that is shown has changed; "login" when there is a client.
//
// state: offline, connecting, ready, then in a call
//   calling → ringing → talking, or incoming → answering → talking
import { createClient } from 'stanza';

// The gateway calls and is called as this resource of a number.
const RESOURCE = 'gw';

const WORDS = {
  busy: 'The line is busy.',
  decline: 'The call was declined.',
  timeout: 'Nobody answered.',
  cancel: 'The caller gave up.',
  gone: 'This number is not in service.',
  'connectivity-error': 'No audio connection could be made.',
  'failed-transport': 'The audio connection was lost.',
  'security-error': 'The call could not be encrypted.',
  'failed-application': 'This browser and the gateway have no codec in common.',
  'general-error': 'The telephone network has a fault.',
};

export class Phone extends EventTarget {
  state = 'offline';
  problem = null; // why the last login or call failed, in words
  peer = null;
  muted = false;
  held = false;
  heldByPeer = false;
  talkingSince = null;

  constructor(config) {
    super();
    this.config = config; // { service, domain, gateway, iceServers }
  }

  change(values) {
    Object.assign(this, values);
    this.dispatchEvent(new Event('change'));
  }

  get inCall() { return Boolean(this.session); }

  // --- login ---

  login(account, password) {
    const { service, domain, gateway, iceServers = [] } = this.config;
    const jid = account.includes('@') ? account : `${account}@${domain}`;
    this.client = createClient({
      jid, password, transports: { websocket: service, bosh: false },
      jingle: { iceServers, bundlePolicy: 'max-bundle', advertiseVideo: false, advertiseFileTransfer: false },
    });
    const on = (event, handler) => this.client.on(event, handler);
    this.change({ state: 'connecting', problem: null, account: jid });
    on('session:started', () => {
      this.client.updateCaps();
      this.client.sendPresence({ legacyCapabilities: this.client.disco.getCaps() });
      // so that the gateway knows a device to call, without a contact for every number
      this.client.sendPresence({ to: gateway, legacyCapabilities: this.client.disco.getCaps() });
      this.change({ state: 'ready' });
    });
    on('auth:failed', () => this.leave('The name or the password is wrong.'));
    on('disconnected', error => this.leave(error && `The server cannot be reached: ${error.message ?? error}`));
    on('jingle:created', session => this.watch(session));
    on('jingle:incoming', session => this.onIncoming(session));
    on('jingle:ringing', session => this.isCurrent(session) && this.change({ state: 'ringing' }));
    on('jingle:hold', session => this.isCurrent(session) && this.change({ heldByPeer: true }));
    on('jingle:resumed', session => this.isCurrent(session) && this.change({ heldByPeer: false }));
    on('jingle:terminated', (session, reason) => this.onTerminated(session, reason));
    this.client.jingle.on('peerTrackAdded', (session, track) => this.onTrack(session, track));
    this.client.jingle.on('connectionState', (session, state) => this.onConnection(session, state));
    this.dispatchEvent(new Event('login')); // there is a client
    this.client.connect();
  }

  logout() {
    if (this.session) this.hangup();
    this.client?.disconnect();
  }

  leave(problem) {
    if (this.state === 'offline') return;
    this.release();
    this.change({ state: 'offline', problem: this.problem ?? problem ?? null });
    this.client?.disconnect();
  }

  // --- a call ---

  isCurrent(session) { return this.session === session; }

  // The gateway answers requests with an error only when it knows no such session.
  watch(session) { session.pc.addEventListener('connectionstatechange', () => this.dispatchEvent(new Event('change'))); }

  address(to) {
    const number = to.trim();
    if (number.includes('@')) return number.includes('/') ? number : `${number}/${RESOURCE}`;
    const digits = /^[+0-9 ().\/-]+$/.test(number) ? number.replace(/[^+0-9]/g, '') : number;
    return `${digits}@${this.config.gateway}/${RESOURCE}`;
  }

  async microphone() {
    try {
      return await navigator.mediaDevices.getUserMedia({
        audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true }, video: false });
    } catch (error) {
      const why = error.name === 'NotAllowedError' ? 'The browser is not allowed to use the microphone.' : `No microphone: ${error.message}`;
      this.change({ problem: why });
      return null;
    }
  }

  begin(session, state, peer) {
    this.session = session;
    this.change({ state, peer, problem: null, muted: false, held: false, heldByPeer: false, talkingSince: null });
  }

  async call(to) {
    if (this.state !== 'ready' || !to.trim()) return;
    this.change({ state: 'calling', peer: to.trim(), problem: null });
    this.stream = await this.microphone();
    if (!this.stream) return void this.change({ state: 'ready' });
    const session = this.client.jingle.createMediaSession(this.address(to));
    this.begin(session, 'calling', to.trim());
    session.addTrack(this.stream.getAudioTracks()[0], this.stream);
    session.start({ offerToReceiveAudio: true, offerToReceiveVideo: false });
  }

  onIncoming(session) {
    if (this.session) return void session.end('busy');
    this.begin(session, 'incoming', session.peerID.split('@')[0]);
    session.ring();
    this.dispatchEvent(new Event('incoming'));
  }

  async answer() {
    if (this.state !== 'incoming') return;
    const { session } = this;
    this.change({ state: 'answering' });
    this.stream = await this.microphone();
    if (!this.isCurrent(session)) return void this.release();
    if (!this.stream) return void session.end('decline');
    session.addTrack(this.stream.getAudioTracks()[0], this.stream);
    // its track was there with the offer, before this was a call of ours
    for (const { track } of session.pc.getReceivers()) this.onTrack(session, track);
    session.accept();
  }

  hangup() {
    const { session } = this;
    if (!session) return;
    const unanswered = { calling: 'cancel', ringing: 'cancel', incoming: 'decline' };
    this.ownEnd = true;
    session.end(unanswered[this.state] ?? 'success');
  }

  onTrack(session, track) {
    if (!this.isCurrent(session)) return;
    this.remote = new MediaStream([track]);
    this.dispatchEvent(new Event('media'));
  }

  onConnection(session, state) {
    if (!this.isCurrent(session)) return;
    if (state === 'connected' && this.state !== 'talking') this.change({ state: 'talking', talkingSince: Date.now() });
    else this.change({ unsteady: state === 'interrupted' });
  }

  onTerminated(session, reason) {
    if (!this.isCurrent(session)) return;
    const { condition, text } = reason ?? {};
    const calm = this.ownEnd || condition === 'success' || (condition === 'cancel' && this.state === 'incoming');
    const problem = calm ? null : text || WORDS[condition] || 'The call has ended.';
    this.release();
    this.change({ state: this.client ? 'ready' : 'offline', problem, endedBecause: condition ?? null });
  }

  release() {
    this.stream?.getTracks().forEach(track => track.stop());
    Object.assign(this, { session: null, stream: null, remote: null, ownEnd: false, talkingSince: null, unsteady: false });
    this.dispatchEvent(new Event('media'));
  }

  // --- during the call ---

  sendsVoice() {
    this.stream?.getAudioTracks().forEach(track => { track.enabled = !this.muted && !this.held; });
  }

  mute(muted) {
    if (!this.session) return;
    this.change({ muted });
    this.sendsVoice();
    if (muted) this.session.mute('initiator', '0');
    else this.session.unmute('initiator', '0');
  }

  hold(held) {
    if (this.state !== 'talking') return;
    this.change({ held });
    this.sendsVoice();
    if (held) this.session.hold();
    else this.session.resume();
  }

  // True when the digit went out (RFC 4733).
  digit(digit) {
    const sender = this.session?.pc.getSenders().find(s => s.dtmf);
    if (this.state !== 'talking' || !sender?.dtmf.canInsertDTMF) return false;
    sender.dtmf.insertDTMF(digit, 160, 70);
    return true;
  }
}
