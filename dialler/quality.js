// SPDX-License-Identifier: AGPL-3.0-or-later
// quality.js - what the browser's counters say of a running call: which codec is heard, and
// how well.
//
// The counters are those of RTCPeerConnection.getStats(), which only grow; so two looks at
// them, some seconds apart, say how it is now.  What is heard is bad by what had to be made
// up, whether a packet was lost or late; what the other side hears by its reports.
const WIDEBAND = { opus: true, G722: true };
const FAIR = { made: 0.01, lost: 0.01, trip: 0.3 };
const POOR = { made: 0.05, lost: 0.05, trip: 0.6 };

/** The counters of an audio call: numbers, and the codec's name; or null before there are any. */
export function look(stats) {
  const rows = [...stats.values()];
  const heard = rows.find(r => r.type === 'inbound-rtp' && r.kind === 'audio');
  const reported = rows.find(r => r.type === 'remote-inbound-rtp' && r.kind === 'audio');
  const codec = heard && stats.get(heard.codecId);
  if (!codec) return null;
  return {
    codec: codec.mimeType.replace(/^audio\//i, ''),
    packets: heard.packetsReceived ?? 0,
    missing: Math.max(heard.packetsLost ?? 0, 0),
    samples: heard.totalSamplesReceived ?? 0,
    made: (heard.concealedSamples ?? 0) - (heard.silentConcealedSamples ?? 0),
    lost: reported?.fractionLost ?? 0,
    trip: reported?.roundTripTime ?? 0,
  };
}

const share = (part, whole) => (whole > 0 ? part / whole : 0);

function grade({ made, lost, trip }) {
  const over = limit => made > limit.made || lost > limit.lost || trip > limit.trip;
  return over(POOR) ? 'poor' : over(FAIR) ? 'fair' : 'good';
}

/** Of two looks: { codec, wideband, word, why }; word is null when nothing has come in between. */
export function judge(before, now) {
  const { codec, lost, trip } = now;
  const wideband = Boolean(WIDEBAND[codec]);
  const packets = now.packets - before.packets, missing = now.missing - before.missing;
  if (packets <= 0) return { codec, wideband, word: null, why: 'nothing comes' };
  // Firefox does not say what it makes up
  const made = Math.max(share(now.made - before.made, now.samples - before.samples), share(missing, packets + missing));
  const percent = Math.round(100 * Math.max(made, lost, 0));
  const why = [percent ? `${percent} % lost` : '', trip > FAIR.trip ? `${Math.round(trip * 1000)} ms there and back` : ''];
  return { codec, wideband, word: grade({ made, lost, trip }), why: why.filter(Boolean).join(', ') };
}

/** Looks once a second at the connection that `connection` gives, and tells `show` (null: no call). */
export class QualityWatch {
  constructor(connection, show, spanMs = 5000) {
    Object.assign(this, { connection, show, spanMs, looks: [], of: null });
    setInterval(() => this.tick(), 1000);
  }

  async tick() {
    const pc = this.connection();
    if (pc !== this.of) Object.assign(this, { of: pc, looks: [] });
    if (!pc) return void this.show(null);
    const seen = look(await pc.getStats());
    if (!seen || pc !== this.of) return;
    this.looks.push({ at: Date.now(), ...seen });
    while (this.looks.length > 2 && this.looks[1].at < Date.now() - this.spanMs) this.looks.shift();
    if (this.looks.length > 1) this.show(judge(this.looks[0], seen));
  }
}
