// SPDX-License-Identifier: AGPL-3.0-or-later
// meter.js - how loud a stream is, for <meter> elements.
const FLOOR_DB = -60;

let context;

// Must be called from a click: browsers start no sound otherwise.
export function wakeAudio() {
  context ??= new AudioContext();
  return context.resume();
}

export class Meter {
  constructor(element) {
    this.element = element;
  }

  // null stops it
  show(stream) {
    this.source?.disconnect();
    this.source = null;
    cancelAnimationFrame(this.frame);
    this.element.value = 0;
    if (!stream || !context) return;
    this.source = context.createMediaStreamSource(stream);
    this.analyser = context.createAnalyser();
    this.analyser.fftSize = 1024;
    this.source.connect(this.analyser);
    this.samples = new Float32Array(this.analyser.fftSize);
    this.draw();
  }

  draw() {
    this.analyser.getFloatTimeDomainData(this.samples);
    const power = this.samples.reduce((sum, x) => sum + x * x, 0) / this.samples.length;
    const decibel = 10 * Math.log10(power + 1e-12);
    this.element.value = Math.max(0, Math.min(1, 1 - decibel / FLOOR_DB));
    this.frame = requestAnimationFrame(() => this.draw());
  }
}
