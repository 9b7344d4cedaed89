// SPDX-License-Identifier: AGPL-3.0-or-later
// What the page says of a call, by the browser's counters.
import assert from 'node:assert/strict';
import test from 'node:test';
import { judge, look } from './quality.js';

const stats = (codec, inbound, reported) => new Map([
  ['C', { id: 'C', type: 'codec', mimeType: `audio/${codec}` }],
  ['I', { type: 'inbound-rtp', kind: 'audio', codecId: 'C', ...inbound }],
  ...(reported ? [['R', { type: 'remote-inbound-rtp', kind: 'audio', ...reported }]] : []),
]);
const START = stats('opus', { packetsReceived: 100, packetsLost: 0, totalSamplesReceived: 96000, concealedSamples: 0 });
const LATER = { packetsReceived: 350, packetsLost: 0, totalSamplesReceived: 336000, concealedSamples: 0 };

const ROWS = [
  ['all is well', 'opus', LATER, { fractionLost: 0, roundTripTime: 0.02 }, 'good', ''],
  ['no reports yet', 'opus', LATER, null, 'good', ''],
  ['some is made up', 'opus', { ...LATER, concealedSamples: 4800 }, null, 'fair', '2 % lost'],
  ['silence that is made up is none', 'opus', { ...LATER, concealedSamples: 4800, silentConcealedSamples: 4800 }, null, 'good', ''],
  ['much is lost, says a browser that says no more', 'opus', { packetsReceived: 325, packetsLost: 25 }, null, 'poor', '10 % lost'],
  ['the other side loses', 'opus', LATER, { fractionLost: 0.08, roundTripTime: 0.02 }, 'poor', '8 % lost'],
  ['far away', 'PCMU', LATER, { fractionLost: 0, roundTripTime: 0.45 }, 'fair', '450 ms there and back'],
  ['nothing comes', 'PCMA', { packetsReceived: 100 }, null, null, 'nothing comes'],
  ['a packet that came twice', 'G722', { ...LATER, packetsLost: -3 }, null, 'good', ''],
];

for (const [name, codec, inbound, reported, word, why] of ROWS) {
  test(name, () => {
    const said = judge(look(START), look(stats(codec, inbound, reported)));
    assert.deepEqual(said, { codec, wideband: ['opus', 'G722'].includes(codec), word, why });
  });
}

test('before the audio begins', () => {
  assert.equal(look(new Map()), null);
  assert.equal(look(new Map([['I', { type: 'inbound-rtp', kind: 'video', codecId: 'C' }]])), null);
  assert.equal(look(new Map([['I', { type: 'inbound-rtp', kind: 'audio' }]])), null);
});
