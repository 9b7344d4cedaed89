// SPDX-License-Identifier: AGPL-3.0-or-later
// jingle.mjs - SDP to Jingle and back, and a lint of the Jingle a peer sends.
//
// Works on the elements of @xmpp/xml.  The lint is as strict as the clients are
// that refuse or ignore what it reports (Conversations, Monal, Siskin).
// XEP-0166, 0167, 0176, 0293, 0294, 0320, 0338, 0339.
import crypto from 'node:crypto';

export const NS = {
  JINGLE: 'urn:xmpp:jingle:1',
  RTP: 'urn:xmpp:jingle:apps:rtp:1',
  TRANSFER: 'urn:xmpp:jingle:transfer:0',
  RTP_INFO: 'urn:xmpp:jingle:apps:rtp:info:1',
  ICE: 'urn:xmpp:jingle:transports:ice-udp:1',
  DTLS: 'urn:xmpp:jingle:apps:dtls:0',
  JMI: 'urn:xmpp:jingle-message:0',
  FEEDBACK: 'urn:xmpp:jingle:apps:rtp:rtcp-fb:0',
  HDREXT: 'urn:xmpp:jingle:apps:rtp:rtp-hdrext:0',
  SSMA: 'urn:xmpp:jingle:apps:rtp:ssma:0',
  GROUPING: 'urn:xmpp:jingle:apps:grouping:0',
  HINTS: 'urn:xmpp:hints',
  RECEIPTS: 'urn:xmpp:receipts',
  EXTDISCO: 'urn:xmpp:extdisco:2',
  DISCO: 'http://jabber.org/protocol/disco#info',
  CAPS: 'http://jabber.org/protocol/caps',
};

export const FEATURES = [
  NS.JINGLE, NS.RTP, 'urn:xmpp:jingle:apps:rtp:audio', NS.ICE, NS.DTLS, NS.JMI, NS.FEEDBACK, NS.HDREXT, NS.SSMA,
  NS.GROUPING, 'urn:ietf:rfc:5888', 'urn:ietf:rfc:5576', NS.DISCO, NS.CAPS, 'urn:xmpp:ping',
];

// XEP-0115 section 5.1
export function capsHash(identities, features) {
  const who = identities.map(i => `${i.category}/${i.type}/${i['xml:lang'] ?? ''}/${i.name ?? ''}<`).sort();
  return crypto.createHash('sha1').update(who.join('') + [...features].sort().map(f => f + '<').join('')).digest('base64');
}

export const children = (element, name) => element?.children.filter(c => c.name === name) ?? [];
export const child = (element, name) => children(element, name)[0];
export const contents = jingle => children(jingle, 'content');

// --- candidates ---

export function candidateToAttributes(line) {
  const field = line.split('candidate:')[1].trim().split(/\s+/);
  const extra = {};
  for (let i = 8; i + 1 < field.length; i += 2) extra[field[i]] = field[i + 1];
  const attributes = {
    id: 'c' + Math.random().toString(36).slice(2, 10),
    foundation: field[0], component: field[1], protocol: field[2].toLowerCase(), priority: field[3],
    ip: field[4], port: field[5], type: field[7], generation: extra.generation ?? '0', network: '0',
  };
  if (extra.raddr) Object.assign(attributes, { 'rel-addr': extra.raddr, 'rel-port': extra.rport });
  if (extra.tcptype) attributes.tcptype = extra.tcptype;
  return attributes;
}

export function candidateToLine(candidate) {
  const a = candidate.attrs;
  return `candidate:${a.foundation} ${a.component} ${a.protocol} ${a.priority} ${a.ip} ${a.port} typ ${a.type}`
    + (a['rel-addr'] ? ` raddr ${a['rel-addr']} rport ${a['rel-port'] ?? 9}` : '')
    + (a.tcptype ? ` tcptype ${a.tcptype}` : '')
    + ` generation ${a.generation ?? 0}`;
}

// --- SDP to Jingle ---

function payloadTypes(xml, sdp, numbers) {
  const of = (key, pt) => sdp(key).filter(v => v.split(' ')[0] === pt).map(v => v.slice(pt.length + 1));
  return numbers.flatMap(pt => {
    const [map] = of('rtpmap', pt);
    if (!map) return [];
    const [name, clockrate, channels] = map.split('/');
    const parameters = of('fmtp', pt).flatMap(f => f.split(';')).map(pair => {
      const [key, ...value] = pair.trim().split('=');
      return xml('parameter', value.length ? { name: key, value: value.join('=') } : { value: key });
    });
    const feedback = of('rtcp-fb', pt).map(f => {
      const [type, subtype] = f.split(' ');
      return xml('rtcp-fb', { xmlns: NS.FEEDBACK, type, ...(subtype && { subtype }) });
    });
    return xml('payload-type', { id: pt, name, clockrate, ...(channels > 1 && { channels }) }, ...parameters, ...feedback);
  });
}

function sources(xml, sdp) {
  const bySsrc = new Map();
  for (const value of sdp('ssrc')) {
    const [ssrc, ...rest] = value.split(' ');
    const [name, ...v] = rest.join(' ').split(':');
    bySsrc.set(ssrc, [...(bySsrc.get(ssrc) ?? []), xml('parameter', { name, value: v.join(':') })]);
  }
  return [...bySsrc].map(([ssrc, parameters]) => xml('source', { xmlns: NS.SSMA, ssrc }, ...parameters));
}

function content(xml, lines, session, inline) {
  const all = [...lines, ...session];
  const sdp = key => all.filter(l => l.startsWith(`a=${key}:`)).map(l => l.slice(key.length + 3));
  const [media, , , ...numbers] = lines[0].trim().split(' ');
  const [hash, fingerprint] = sdp('fingerprint')[0].split(' ');
  const candidates = inline ? lines.filter(l => l.startsWith('a=candidate:')) : [];
  return xml('content', { creator: 'initiator', name: sdp('mid')[0], senders: 'both' },
    xml('description', { xmlns: NS.RTP, media },
      ...payloadTypes(xml, sdp, numbers),
      ...sdp('extmap').map(e => e.split(' ')).map(([id, uri]) => xml('rtp-hdrext', { xmlns: NS.HDREXT, id: id.split('/')[0], uri })),
      ...sources(xml, sdp),
      xml('rtcp-mux')),
    xml('transport', { xmlns: NS.ICE, ufrag: sdp('ice-ufrag')[0], pwd: sdp('ice-pwd')[0] },
      xml('fingerprint', { xmlns: NS.DTLS, hash, setup: sdp('setup')[0] ?? 'actpass' }, fingerprint),
      ...candidates.map(l => xml('candidate', candidateToAttributes(l)))));
}

// A description without the codecs but these (events go with them); none: as it is.
export function onlyCodecs(sdp, names) {
  if (!names?.length) return sdp;
  const lines = sdp.split('\r\n');
  const wanted = [...names, 'telephone-event'].map(n => n.toLowerCase());
  const gone = lines.map(l => l.match(/^a=rtpmap:(\d+) ([^/]+)/)).filter(m => m && !wanted.includes(m[2].toLowerCase())).map(m => m[1]);
  return lines.filter(l => !gone.includes(l.match(/^a=(?:rtpmap|fmtp|rtcp-fb):(\d+) /)?.[1]))
    .map(l => l.startsWith('m=audio ') ? l.split(' ').filter((word, i) => i < 3 || !gone.includes(word)).join(' ') : l)
    .join('\r\n');
}

export function sdpToJingle(xml, sdp, attributes, inline) {
  const [head, ...media] = sdp.replace(/\r/g, '').split('\nm=');
  const session = head.split('\n');
  const groups = session.filter(l => l.startsWith('a=group:BUNDLE ')).map(l =>
    xml('group', { xmlns: NS.GROUPING, semantics: 'BUNDLE' }, ...l.split(' ').slice(1).map(name => xml('content', { name }))));
  return xml('jingle', { xmlns: NS.JINGLE, ...attributes },
    ...media.map(m => content(xml, m.split('\n'), session, inline)), ...groups);
}

// --- Jingle to SDP ---

function mediaSection(content, isOffer, iceOptions) {
  const description = child(content, 'description');
  const transport = child(content, 'transport');
  const payloads = children(description, 'payload-type');
  const fingerprint = child(transport, 'fingerprint');
  const lines = [
    `m=${description.attrs.media} 9 UDP/TLS/RTP/SAVPF ${payloads.map(p => p.attrs.id).join(' ')}`,
    'c=IN IP4 0.0.0.0', 'a=rtcp:9 IN IP4 0.0.0.0',
    `a=ice-ufrag:${transport.attrs.ufrag}`, `a=ice-pwd:${transport.attrs.pwd}`, `a=ice-options:${iceOptions}`,
    `a=mid:${content.attrs.name}`, 'a=sendrecv',
  ];
  if (fingerprint) {
    lines.push(`a=fingerprint:${fingerprint.attrs.hash} ${fingerprint.text().trim()}`,
      `a=setup:${fingerprint.attrs.setup ?? (isOffer ? 'actpass' : 'active')}`);
  }
  if (child(description, 'rtcp-mux')) lines.push('a=rtcp-mux');
  for (const x of children(description, 'rtp-hdrext')) lines.push(`a=extmap:${x.attrs.id} ${x.attrs.uri}`);
  for (const p of payloads) {
    const { id, name, clockrate, channels } = p.attrs;
    lines.push(`a=rtpmap:${id} ${name}/${clockrate}` + (channels > 1 ? `/${channels}` : ''));
    const parameters = children(p, 'parameter').map(x => [x.attrs.name, x.attrs.value].filter(Boolean).join('='));
    if (parameters.length) lines.push(`a=fmtp:${id} ${parameters.join(';')}`);
    for (const f of children(p, 'rtcp-fb')) {
      lines.push(`a=rtcp-fb:${id} ${f.attrs.type}` + (f.attrs.subtype ? ` ${f.attrs.subtype}` : ''));
    }
  }
  for (const s of children(description, 'source')) {
    for (const p of children(s, 'parameter')) lines.push(`a=ssrc:${s.attrs.ssrc} ${p.attrs.name}:${p.attrs.value ?? ''}`);
  }
  for (const c of children(transport, 'candidate')) lines.push('a=' + candidateToLine(c));
  return lines;
}

export function jingleToSdp(jingle, isOffer, iceOptions = 'trickle') {
  const sections = contents(jingle).filter(c => child(c, 'description'));
  return [
    'v=0', 'o=- 1 1 IN IP4 0.0.0.0', 's=-', 't=0 0',
    'a=group:BUNDLE ' + sections.map(c => c.attrs.name).join(' '), 'a=msid-semantic: WMS s',
    ...sections.flatMap(c => mediaSection(c, isOffer, iceOptions)), '',
  ].join('\r\n');
}

export const payloadNames = jingle =>
  children(child(contents(jingle)[0], 'description'), 'payload-type').map(p => `${p.attrs.name}/${p.attrs.clockrate}`);

// --- lint ---

const CANDIDATE_NEEDS = ['component', 'foundation', 'generation', 'id', 'ip', 'network', 'port', 'priority', 'protocol', 'type'];

function lintTransport(transport, say) {
  if (transport.getNS() !== NS.ICE) say(`transport ${transport.getNS()}`);
  if ((transport.attrs.ufrag ?? '').length < 4 || (transport.attrs.pwd ?? '').length < 22) say('ufrag or pwd missing or short');
  for (const c of children(transport, 'candidate')) {
    for (const key of CANDIDATE_NEEDS) if (c.attrs[key] == null) say(`candidate without ${key}`);
    if (c.attrs.protocol !== 'udp') say(`candidate protocol ${c.attrs.protocol}`);
    if (c.attrs.component !== '1') say('candidate for component 2 under rtcp-mux');
    if (!/^\d+$/.test(c.attrs.foundation ?? '')) say('foundation is not a whole number');
  }
}

function lintMedia(description, transport, isOffer, say) {
  if (description?.getNS() !== NS.RTP) return say('no RTP description');
  const payloads = children(description, 'payload-type');
  if (!payloads.length) say('no payload types');
  for (const p of payloads) {
    for (const key of ['id', 'name', 'clockrate']) if (!p.attrs[key]) say(`payload type without ${key}`);
    for (const x of children(p, 'parameter')) if (!x.attrs.name || x.attrs.value == null) say('parameter without name or value');
  }
  if (!child(description, 'rtcp-mux')) say('no rtcp-mux');
  const fingerprint = child(transport, 'fingerprint');
  if (fingerprint?.getNS() !== NS.DTLS) return say('no DTLS fingerprint');
  if (fingerprint.attrs.hash !== 'sha-256') say(`hash ${fingerprint.attrs.hash}`);
  if (!/^([0-9A-F]{2}:)+[0-9A-F]{2}$/.test(fingerprint.text().trim())) say('fingerprint is not capital hex with colons');
  if (!(isOffer ? ['actpass'] : ['active', 'passive']).includes(fingerprint.attrs.setup)) say(`setup=${fingerprint.attrs.setup}`);
}

// What a strict client would refuse, or the XEPs forbid; offered: the content
// names of our offer, when it was ours.
export function lint(jingle, offered) {
  const action = jingle.attrs.action;
  const wrong = new Set();
  const say = text => { wrong.add(`${action}: ${text}`); };
  const described = ['session-initiate', 'session-accept'].includes(action);
  if (!contents(jingle).length && (described || action === 'transport-info')) say('no content');
  for (const c of contents(jingle)) {
    const transport = child(c, 'transport');
    if (c.attrs.creator !== 'initiator') say(`creator=${c.attrs.creator}`);
    if ((c.attrs.senders ?? 'both') !== 'both') say(`senders=${c.attrs.senders}`);
    if (offered && !offered.includes(c.attrs.name)) say(`content ${c.attrs.name} was not offered`);
    if (!transport) { say('content without transport'); continue; }
    lintTransport(transport, say);
    if (described) lintMedia(child(c, 'description'), transport, action === 'session-initiate', say);
  }
  if (action === 'session-initiate' && !child(jingle, 'group')) say('no BUNDLE group in an offer');
  if (action === 'session-accept' && offered && contents(jingle).length !== offered.length) say('not the contents of the offer');
  return [...wrong];
}
