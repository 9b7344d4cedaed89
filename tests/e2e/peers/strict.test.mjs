// SPDX-License-Identifier: AGPL-3.0-or-later
// strict.test.mjs - the rules object to what they are there for, and to nothing
// else.  node --test strict.test.mjs
import assert from 'node:assert';
import test from 'node:test';
import { xml } from '@xmpp/client';
import { NS, child, children, contents } from './jingle.mjs';
import { RULES, objection, usable } from './strict.mjs';

const payload = (id, name, clockrate, ...parameters) => xml('payload-type', { id, name, clockrate },
  ...parameters.map(([n, v]) => xml('parameter', { name: n, value: v })));

function session(action = 'session-accept') {
  return xml('jingle', { xmlns: NS.JINGLE, action, sid: 's' },
    xml('content', { creator: 'initiator', name: '0', senders: 'both' },
      xml('description', { xmlns: NS.RTP, media: 'audio' },
        payload('0', 'PCMU', '8000'), payload('101', 'telephone-event', '8000', ['events', '0-15']), xml('rtcp-mux')),
      xml('transport', { xmlns: NS.ICE, ufrag: 'gW4k', pwd: '4vU1bq0XcYt7mZr2sNwK8dQe' },
        xml('fingerprint', { xmlns: NS.DTLS, hash: 'sha-256', setup: action === 'session-accept' ? 'active' : 'actpass' }, '67:75:3C'))),
    xml('group', { xmlns: NS.GROUPING, semantics: 'BUNDLE' }, xml('content', { name: '0' })));
}

const call = { media: ['audio'], offered: ['0'], remoteUfrag: 'gW4k', isCaller: true };
const content = j => contents(j)[0];
const description = j => child(content(j), 'description');
const transport = j => child(content(j), 'transport');
const print = j => child(transport(j), 'fingerprint');
const drop = (element, name) => { element.children = element.children.filter(c => c.name !== name); };

// rule: [what is broken, what the client does]
const BROKEN = {
  fingerprint: [j => drop(transport(j), 'fingerprint'), { end: 'security-error' }],
  setup: [j => { print(j).attrs.setup = 'actpass'; }, { end: 'security-error' }],
  'same-media': [j => { description(j).attrs.media = 'video'; }, { end: 'security-error' }],
  'same-names': [j => { content(j).attrs.name = 'audio'; }, { end: 'failed-application' }],
  'short-names': [j => { content(j).attrs.name = 'a-name-of-17-long'; }, { end: 'failed-application' }],
  parameters: [j => description(j).children[1].append(xml('parameter', { value: '0-15' })), { end: 'failed-application' }],
  'payload-name': [j => { delete description(j).children[0].attrs.name; }, { end: 'failed-application' }],
  'payload-clockrate': [j => { delete description(j).children[0].attrs.clockrate; }, { end: 'failed-application' }],
  'payload-crash': [j => { delete description(j).children[0].attrs.clockrate; }, { crash: 'payload type without name or clockrate' }],
  'named-contents': [j => { delete content(j).attrs.creator; }, { drop: 'content without name or creator' }],
  'rtcp-mux': [j => drop(description(j), 'rtcp-mux'), { end: 'failed-application' }],
  bundle: [j => drop(j, 'group'), { end: 'failed-application' }],
  'senders-both': [j => { content(j).attrs.senders = 'initiator'; }, { end: 'failed-application' }],
  'same-ufrag': [j => { j.attrs.action = 'transport-info'; transport(j).attrs.ufrag = 'other'; }, { end: 'failed-transport' }],
};

test('every rule is tried', () => assert.deepEqual(Object.keys(BROKEN).sort(), Object.keys(RULES).sort()));

test('nobody objects to a session as it should be', () => {
  assert.equal(objection(session(), call, Object.keys(RULES)), undefined);
  assert.equal(objection(session('session-initiate'), call, Object.keys(RULES)), undefined);
});

for (const [rule, [breaks, outcome]] of Object.entries(BROKEN)) {
  test(rule, () => {
    const broken = session();
    breaks(broken);
    const found = objection(broken, call, [rule]);
    assert.ok(found, 'no objection');
    for (const [key, value] of Object.entries(outcome)) assert.equal(found[key], value);
  });
}

test('candidates that are not made use of', () => {
  const c = more => xml('candidate', { component: '1', foundation: '1', ip: '192.0.2.1', port: '1', priority: '1', protocol: 'udp',
    type: 'host', ...more });
  const list = [c({}), c({ foundation: 'a1' }), c({ protocol: 'UDP' }), c({ type: undefined })];
  assert.equal(usable(list, ['first-only']).length, 1);
  assert.equal(usable(list, ['whole-foundation', 'lower-case-udp', 'all-attributes']).length, 1);
  assert.equal(children(xml('x', {}, ...list), 'candidate').length, 4);
});
