// SPDX-License-Identifier: AGPL-3.0-or-later
// forms.mjs - how the clients write: each form changes a <jingle/> that
// sdpToJingle() or the like has made into what such a client would send.  The SDP
// of libwebrtc is made like that of another build by shapeSdp().
import { xml } from '@xmpp/client';
import { NS, children, child, contents } from './jingle.mjs';

const OPTION = 'http://gultsch.de/xmpp/drafts/jingle/transports/ice-udp/option';
const MSID = 'urn:xmpp:jingle:apps:rtp:msid:0';

const descriptions = jingle => contents(jingle).map(c => child(c, 'description')).filter(Boolean);
const transports = jingle => contents(jingle).map(c => child(c, 'transport')).filter(Boolean);
const payloads = jingle => descriptions(jingle).flatMap(d => children(d, 'payload-type'));
const move = (element, names, order) => {
  const taken = element.children.filter(c => names.includes(c.name));
  const rest = element.children.filter(c => !names.includes(c.name));
  element.children = order === 'first' ? [...taken, ...rest] : [...rest, ...taken];
};

export const FORMS = {
  // Conversations: senders are left out when they are "both"
  'no-senders': jingle => contents(jingle).forEach(c => { delete c.attrs.senders; }),
  'xmlns-on-payloads': jingle => payloads(jingle).forEach(p => { p.attrs.xmlns = NS.RTP; }),
  'xmlns-on-parameters': jingle => payloads(jingle).flatMap(p => children(p, 'parameter'))
    .forEach(p => { p.attrs.xmlns = NS.RTP; }),
  'ice-options': jingle => {
    if (jingle.attrs.action === 'transport-info') return;
    transports(jingle).forEach(t => {
      const at = t.children.findIndex(c => c.name === 'candidate');
      const options = ['trickle', 'renomination'].map(o => xml(o, { xmlns: OPTION }));
      t.children.splice(at < 0 ? t.children.length : at, 0, ...options);
    });
  },
  'mixed-extensions': jingle => descriptions(jingle)
    .forEach(d => d.append(xml('extmap-allow-mixed', { xmlns: NS.HDREXT }))),
  // Movim
  'group-first': jingle => move(jingle, ['group'], 'first'),
  'transport-first': jingle => contents(jingle).forEach(c => move(c, ['transport'], 'first')),
  'payloads-last': jingle => descriptions(jingle).forEach(d => move(d, ['payload-type', 'source'], 'last')),
  'double-msid': jingle => descriptions(jingle).flatMap(d => children(d, 'source')).forEach(s => {
    const msid = children(s, 'parameter').find(p => p.attrs.name === 'msid');
    if (msid) s.append(xml('parameter', { name: 'msid', value: msid.attrs.value.split(' ')[0] }));
  }),
  'no-source': jingle => descriptions(jingle).forEach(d => { d.children = d.children.filter(c => c.name !== 'source'); }),
  'network-cost': jingle => transports(jingle).flatMap(t => children(t, 'candidate')).forEach(c => {
    delete c.attrs.id;
    delete c.attrs.network;
    Object.assign(c.attrs, { 'network-id': '1', 'network-cost': '10' });
  }),
  // Siskin
  'feedback-ids': jingle => {
    payloads(jingle).forEach(p => children(p, 'rtcp-fb').forEach(f => { f.attrs.id = p.attrs.id; }));
    descriptions(jingle).flatMap(d => children(d, 'source')).forEach(s => { s.attrs.id = s.attrs.ssrc; });
  },
  'extensions-last': jingle => descriptions(jingle).forEach(d => move(d, ['rtp-hdrext'], 'last')),
  // stanza: namespaces by prefix, a parameter without a value, channels always
  prefixes: jingle => descriptions(jingle).forEach(d => {
    Object.assign(d.attrs, { 'xmlns:rtcpf': NS.FEEDBACK, 'xmlns:rtph': NS.HDREXT });
    for (const e of [...d.children, ...children(d, 'payload-type').flatMap(p => p.children)]) {
      const prefix = { 'rtcp-fb': 'rtcpf', 'rtp-hdrext': 'rtph' }[e.name];
      if (!prefix) continue;
      e.name = `${prefix}:${e.name}`;
      delete e.attrs.xmlns;
    }
  }),
  'channels-always': jingle => payloads(jingle).forEach(p => { p.attrs.channels ??= '1'; }),
  'names-without-values': jingle => payloads(jingle).filter(p => p.attrs.name === 'red').flatMap(p => children(p, 'parameter'))
    .filter(p => !p.attrs.name).forEach(p => { p.attrs = { name: p.attrs.value }; }),
  'ssrc-and-stream': jingle => descriptions(jingle).forEach(d => {
    const source = child(d, 'source');
    if (!source) return;
    d.attrs.ssrc = source.attrs.ssrc;
    const msid = children(source, 'parameter').find(p => p.attrs.name === 'msid');
    const [id, track] = (msid?.attrs.value ?? '').split(' ');
    if (track) d.append(xml('stream', { xmlns: MSID, id, track }));
  }),
  'mux-first': jingle => descriptions(jingle).forEach(d => {
    move(d, ['rtcp-mux'], 'first');
    d.children.splice(1, 0, xml('rtcp-reduced-size'));
  }),
  'no-password': jingle => {
    if (jingle.attrs.action === 'transport-info') transports(jingle).forEach(t => { delete t.attrs.pwd; });
  },
  'bare-candidates': jingle => transports(jingle).flatMap(t => children(t, 'candidate')).forEach(c => {
    for (const key of ['id', 'network', 'generation']) delete c.attrs[key];
  }),
};

export function dress(jingle, names) {
  for (const name of names) FORMS[name](jingle);
  return jingle;
}

// The codecs of another build, in its order: { "opus/48000": number }.  In an
// answer the numbers are those of the offer.
function shapeCodecs(sdp, codecs, isOffer) {
  const lines = sdp.split('\r\n');
  const numbers = new Map();
  for (const [, number, name] of sdp.matchAll(/a=rtpmap:(\d+) ([^/]+\/\d+)/g)) numbers.set(name, number);
  const kept = Object.keys(codecs).filter(name => numbers.has(name));
  const renamed = new Map(kept.map(name => [numbers.get(name), isOffer ? String(codecs[name] ?? numbers.get(name)) : numbers.get(name)]));
  return lines.flatMap(line => {
    if (line.startsWith('m=audio')) {
      return [line.split(' ').slice(0, 3).concat(kept.map(name => renamed.get(numbers.get(name)))).join(' ')];
    }
    const of = line.match(/^a=(rtpmap|fmtp|rtcp-fb):(\d+) (.*)/);
    if (!of) return [line];
    return renamed.has(of[2]) ? [`a=${of[1]}:${renamed.get(of[2])} ${of[3]}`] : [];
  }).join('\r\n');
}

const hex = length => [...crypto.getRandomValues(new Uint8Array(length / 2))].map(b => b.toString(16).padStart(2, '0')).join('');

export function shapeSdp(sdp, { codecs, hexCredentials }, isOffer) {
  let shaped = codecs ? shapeCodecs(sdp, codecs, isOffer) : sdp;
  if (hexCredentials) {
    const ufrag = hex(8), pwd = hex(32);
    shaped = shaped.replace(/a=ice-ufrag:\S+/g, `a=ice-ufrag:${ufrag}`).replace(/a=ice-pwd:\S+/g, `a=ice-pwd:${pwd}`);
  }
  return shaped;
}
