// SPDX-License-Identifier: AGPL-3.0-or-later
// strict.mjs - what the clients refuse.  A rule looks at a <jingle/> from the peer
// and objects as that client does:
//   { end: reason, text }   it sends session-terminate
//   { error: condition }    it answers the request with an error, and goes on
//   { drop: why }           it takes no notice
//   { crash: why }          the app is gone
//
// `call` gives offered (content names of our offer), media (what was proposed),
// remoteUfrag (of the session), isCaller.
import { NS, children, child, contents } from './jingle.mjs';

const DESCRIBED = ['session-initiate', 'session-accept'];

const described = jingle => (DESCRIBED.includes(jingle.attrs.action) ? contents(jingle) : []);
const parts = jingle => described(jingle).map(c => ({
  content: c, description: child(c, 'description'), transport: child(c, 'transport'),
}));
const payloads = jingle => parts(jingle).flatMap(p => children(p.description, 'payload-type'));
const failed = text => ({ end: 'failed-application', text });
const lacksOf = (names, attributes) => payloads(names).some(p => attributes.some(a => !p.attrs[a]));

export const RULES = {
  // Conversations: RtpContentMap.requireDTLSFingerprint
  fingerprint(jingle) {
    for (const { transport } of parts(jingle)) {
      const print = child(transport, 'fingerprint');
      if (!print || print.getNS() !== NS.DTLS || !print.attrs.hash || !print.attrs.setup || !print.text().trim()) {
        return { end: 'security-error', text: `${jingle.attrs.action} is lacking a fingerprint` };
      }
    }
  },
  // an offer is actpass, an answer has decided
  setup(jingle) {
    const wanted = jingle.attrs.action === 'session-initiate' ? ['actpass'] : ['active', 'passive'];
    for (const { transport } of parts(jingle)) {
      const setup = child(transport, 'fingerprint')?.attrs.setup;
      if (!wanted.includes(setup)) return { end: 'security-error', text: `setup=${setup} in ${jingle.attrs.action}` };
    }
  },
  'same-media'(jingle, call) {
    const media = parts(jingle).map(p => p.description?.attrs.media).sort().join();
    if (described(jingle).length && media !== [...call.media].sort().join()) {
      return { end: 'security-error', text: `${call.media} was proposed and ${media} came` };
    }
  },
  'same-names'(jingle, call) {
    if (jingle.attrs.action !== 'session-accept' || !call.offered) return undefined;
    const names = contents(jingle).map(c => c.attrs.name);
    if (names.join() !== call.offered.join()) return failed(`contents ${names} do not answer ${call.offered}`);
  },
  'short-names'(jingle) {
    if (described(jingle).some(c => !c.attrs.name || c.attrs.name.length > 16)) return failed('content name');
  },
  parameters(jingle) {
    for (const p of payloads(jingle)) {
      const list = children(p, 'parameter');
      if (list.length > 1 && list.some(x => !x.attrs.name || x.attrs.value == null)) return failed('parameter without a name');
    }
  },
  'payload-name': jingle => (lacksOf(jingle, ['id', 'name']) ? failed('payload type without id or name') : undefined),
  'payload-clockrate': jingle => (lacksOf(jingle, ['id', 'name', 'clockrate']) ? failed('payload type without clockrate') : undefined),
  // Siskin unwraps them by force
  'payload-crash': jingle => (lacksOf(jingle, ['name', 'clockrate']) ? { crash: 'payload type without name or clockrate' } : undefined),
  'named-contents'(jingle) {
    if (described(jingle).some(c => !c.attrs.name || !c.attrs.creator)) return { drop: 'content without name or creator' };
  },
  // browsers with rtcpMuxPolicy require and bundlePolicy max-bundle
  'rtcp-mux': jingle => (parts(jingle).some(p => !child(p.description, 'rtcp-mux')) ? failed('no rtcp-mux') : undefined),
  bundle: jingle => (described(jingle).length && !child(jingle, 'group') ? failed('no BUNDLE group') : undefined),
  'senders-both'(jingle) {
    if (described(jingle).some(c => (c.attrs.senders ?? 'both') !== 'both')) return failed('senders');
  },
  // stanza takes other credentials for a restart, and its state does not allow it
  'same-ufrag'(jingle, call) {
    if (jingle.attrs.action !== 'transport-info') return undefined;
    const ufrag = contents(jingle).map(c => child(c, 'transport')?.attrs.ufrag).find(Boolean);
    if (ufrag && call.remoteUfrag && ufrag !== call.remoteUfrag) return { end: 'failed-transport', text: 'ufrag changed' };
  },
};

// The first objection of a client that keeps these rules.
export function objection(jingle, call, names) {
  for (const name of names) {
    const outcome = RULES[name](jingle, call);
    if (outcome) return { rule: name, ...outcome };
  }
  return undefined;
}

// Candidates that a client makes use of, of those in a transport-info.
export const CANDIDATES = {
  'first-only': list => list.slice(0, 1),
  'whole-foundation': list => list.filter(c => /^\d+$/.test(c.attrs.foundation ?? '')),
  'lower-case-udp': list => list.filter(c => c.attrs.protocol === 'udp'),
  'all-attributes': list => list.filter(c => ['component', 'foundation', 'ip', 'port', 'priority', 'protocol', 'type']
    .every(a => c.attrs[a] != null)),
};

export const usable = (list, names) => names.reduce((left, name) => CANDIDATES[name](left), list);
