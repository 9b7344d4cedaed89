# SPDX-License-Identifier: AGPL-3.0-or-later
"""Coded tones, and what a recording says about them.

A signal is a new one of eight tones each 100 ms, in de Bruijn order B(8,3), so
that any 300 ms tell the place in the period of 51.2 s.  Signals A and B share no
tone: a recording tells whose voice it holds, how late, and with what holes.
At 16,000 samples a second and more each tone has a softer one with it, 4 kHz higher,
that a telephone line does not carry.
"""
import math
import wave
from dataclasses import dataclass, field

import numpy as np

TONES = {
    "A": np.array([500.0 + 200 * i for i in range(8)]),
    "B": np.array([600.0 + 200 * i for i in range(8)]),
}
SLOT = 0.1      # seconds of one tone
HOP = 0.005     # analysis step
WINDOW = 0.03   # analysis window: tells tones 100 Hz apart
AMPLITUDE = 0.25
HIGHER, SOFTER = 4000.0, 0.08


def _de_bruijn(letters, length):
    """The order in which every word of so many letters occurs once."""
    word, order = [0] * letters * length, []

    def extend(t, p):
        if t > length:
            if length % p == 0:
                order.extend(word[1:p + 1])
            return
        word[t] = word[t - p]
        extend(t + 1, p)
        for letter in range(word[t - p] + 1, letters):
            word[t] = letter
            extend(t + 1, t)

    extend(1, 1)
    return np.array(order)


ORDER = _de_bruijn(8, 3)
PERIOD = len(ORDER) * SLOT
STEPS = round(PERIOD / HOP)


def signal(name, rate):
    """One period of signal "A" or "B" as 16-bit samples; to be played in a loop."""
    samples = round(SLOT * rate)
    ramp = round(0.004 * rate)
    envelope = np.ones(samples)
    envelope[:ramp] = np.linspace(0, 1, ramp)
    envelope[-ramp:] = np.linspace(1, 0, ramp)
    time = np.arange(samples) / rate
    softer = SOFTER if rate >= 16000 else 0
    tones = [envelope * (AMPLITUDE * np.sin(2 * np.pi * f * time) + softer * np.sin(2 * np.pi * (f + HIGHER) * time))
             for f in TONES[name]]
    return (np.concatenate([tones[i] for i in ORDER]) * 32767).astype("<i2")


def save(path, name, rate, periods=1):
    """A WAV file of that signal, for who plays files."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(signal(name, rate).tobytes() * periods)


@dataclass
class Recording:
    """What one side heard: 16-bit samples, and when the first of them was."""
    samples: np.ndarray
    rate: int
    started_at: float | None = None


def between(recording, since, until):
    """The part of a recording that was heard between two times of the wall clock."""
    if recording is None or recording.started_at is None:
        return recording
    first, last = (round((at - recording.started_at) * recording.rate) for at in (since, until))
    first = max(first, 0)
    return Recording(recording.samples[first:max(last, first)], recording.rate,
                     recording.started_at + first / recording.rate)


def tones(recording, name):
    """The tones of signal `name` in the order heard: (number, ms)."""
    power = _tone_power(recording.samples.astype(float) / 32768, recording.rate)
    power = power[:, slice(0, 8) if name == "A" else slice(8, 16)]
    if not len(power):
        return []
    loudest, sounds = power.argmax(1), power.max(1) > max(1e-6, power.max() * 0.05)
    heard = []
    for tone, sounding in zip(loudest, sounds):
        if not sounding:
            tone = None
        if heard and heard[-1][0] == tone:
            heard[-1][1] += HOP * 1000
        else:
            heard.append([tone, HOP * 1000])
    return [(tone, round(ms)) for tone, ms in heard if tone is not None and ms >= 4 * HOP * 1000]


def treble(recording):
    """How loud what is above 4 kHz is beside all of it, in dB, as a rule (a click is not); a wideband codec leaves it
    as loud as it was spoken: SPOKEN_TREBLE."""
    if recording is None or recording.rate < 16000 or len(recording.samples) < recording.rate:
        return -100.0
    width = round(SLOT * recording.rate)
    frames = recording.samples[:len(recording.samples) // width * width].astype(float).reshape(-1, width)
    power = np.abs(np.fft.rfft(frames)) ** 2
    frequencies = np.fft.rfftfreq(width, 1 / recording.rate)
    whole = power[:, frequencies > 200].sum(1)
    high = power[:, frequencies > HIGHER + 200].sum(1)
    spoken = whole > whole.max() * 0.05
    return float(10 * np.log10(max(np.median(high[spoken] / whole[spoken]), 1e-9)))


def lines(recording, count):
    """The strongest frequencies in it, in whole Hz, the lowest first."""
    if recording is None or len(recording.samples) < recording.rate:
        return []
    samples = recording.samples.astype(float)
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    frequencies = np.fft.rfftfreq(len(samples), 1 / recording.rate)
    found = []
    for i in np.argsort(power)[::-1]:
        if all(abs(frequencies[i] - other) > 15 for other in found):
            found.append(frequencies[i])
        if len(found) == count:
            break
    return sorted(round(float(each)) for each in found)


SPOKEN_TREBLE = 20 * math.log10(SOFTER / AMPLITUDE)  # about -10


@dataclass
class Heard:
    """One signal in one recording.  Times in seconds; `loss` is the share of
    frames, from the first heard to the last, without the right tone."""
    signal: str
    present: bool = False
    seconds: float = 0.0
    loss: float = 1.0
    longest_gap_ms: int = 0
    delay_ms: int | None = None
    first_at: float | None = None   # wall clock
    last_at: float | None = None
    other_seconds: float = 0.0      # of the other signal: an echo of one's own voice
    notes: dict = field(default_factory=dict)

    def __str__(self):
        if not self.present:
            return f"{self.signal} not heard (other signal {self.other_seconds:.1f} s)"
        delay = "" if self.delay_ms is None else f", delay {self.delay_ms} ms"
        return (f"{self.signal} {self.seconds:.1f} s, loss {self.loss * 100:.2f} %, "
                f"longest gap {self.longest_gap_ms} ms{delay}")


def _expected(step):
    """The number of the tone that sounds at an analysis step."""
    return ORDER[(((step % STEPS) * HOP + WINDOW / 2) % PERIOD / SLOT).astype(int) % len(ORDER)]


def _tone_power(samples, rate):
    """Power at each of the sixteen tones, a row per step."""
    width = round(WINDOW * rate)
    count = int((len(samples) - width) / (HOP * rate))
    if count <= 0:
        return np.zeros((0, 16))
    tones = np.concatenate([TONES["A"], TONES["B"]])
    window = np.hanning(width)
    kernel = window[:, None] * np.exp(-2j * np.pi * np.arange(width)[:, None] * tones / rate)
    starts = (np.arange(count) * HOP * rate).astype(int)
    power = np.empty((count, 16))
    for i in range(0, count, 2000):
        frames = samples[starts[i:i + 2000, None] + np.arange(width)]
        power[i:i + 2000] = np.abs(frames @ kernel) ** 2 / (window.sum() / 2) ** 2
    return power


def _correlate(share):
    """How well the signal fits at each phase of its period."""
    reference = np.zeros((STEPS, 8))
    reference[np.arange(STEPS), _expected(np.arange(STEPS))] = 1
    periods = -(-len(share) // STEPS)
    folded = np.zeros((periods * STEPS, 8))
    folded[:len(share)] = share
    folded = folded.reshape(-1, STEPS, 8).sum(0)
    return sum(np.fft.irfft(np.fft.rfft(folded[:, i]) * np.conj(np.fft.rfft(reference[:, i])), STEPS)
               for i in range(8))


def _follow(share, phase):
    """The lag in steps against `phase`, every 100 ms from the 400 ms around: jitter
    buffers stretch and shrink, and the gateway catches up 15 % fast.  None where
    nothing fits."""
    width, around, reach = round(0.1 / HOP), round(0.15 / HOP), round(0.4 / HOP)
    lags, last = [], 0
    for start in range(0, len(share), width):
        steps = np.arange(max(start - around, 0), min(start + width + around, len(share)))
        sounding = share[steps].max(1) > 0.3
        if sounding.mean() < 0.3:
            lags.append(None)
            continue
        fit = {d: share[steps, _expected(steps - phase - d)].sum() - abs(d - last) * 1e-2
               for d in range(-reach, reach + 1)}
        best = max(fit, key=fit.get)
        if share[steps, _expected(steps - phase - best)].mean() > 0.4:
            lags.append(best)
            last = best
        else:
            lags.append(None)
    return lags, width


def _hits(power, columns, phase, lags, width, floor):
    """Steps at which the expected tone is the strongest; at the edge of a slot
    its neighbour will do."""
    hit = np.zeros(len(power), bool)
    known = [(i, lag) for i, lag in enumerate(lags) if lag is not None]
    for i in range(len(lags)):
        lag = min(known, key=lambda k: abs(k[0] - i))[1]
        steps = np.arange(i * width, min((i + 1) * width, len(power)))
        for slip in (-4, 0, 4):
            tone = columns.start + _expected(steps - phase - lag + slip)
            hit[steps] |= (power[steps].argmax(1) == tone) & (power[steps, tone] > floor)
    return hit


FRAME = 0.02


def damage(recording, name):
    """(share, longest run in ms) of the 20 ms frames that do not hold at least half of the
    right tone; those across two tones, or before and after all of it, are not looked at.
    None where the signal is not heard."""
    samples = recording.samples.astype(float) / 32768
    power = _tone_power(samples, recording.rate)
    columns = slice(0, 8) if name == "A" else slice(8, 16)
    share = power / (power.sum(1, keepdims=True) + max(1e-7, power.max() * 1e-3))
    mine = share[:, columns]
    phase = int(np.argmax(_correlate(mine)))
    lags, width = _follow(mine, phase)
    known = [(i, lag) for i, lag in enumerate(lags) if lag is not None]
    if not known:
        return None
    length, found = round(FRAME * recording.rate), []
    time_in = np.arange(length) / recording.rate
    for start in range(0, len(samples) - length, length):
        step = start / recording.rate / HOP
        lag = min(known, key=lambda k: abs(k[0] - step / width))[1]
        at = ((step - phase - lag) * HOP) % PERIOD
        if at % SLOT < 0.01 or at % SLOT > SLOT - FRAME - 0.01:
            continue
        tone = TONES[name][ORDER[int(at / SLOT) % len(ORDER)]]
        found.append(abs((samples[start:start + length] * np.exp(-2j * np.pi * tone * time_in)).mean()))
    found = np.array(found)
    bad = found < np.median(found) / 2
    edges = np.flatnonzero(np.concatenate([[True], ~bad, [True]]))
    return float(bad.mean()), round((np.diff(edges).max() - 1) * FRAME * 1000)


def analyse(recording, name, fed_at=None):
    """What of signal `name` is in the recording; `fed_at` is when its source
    began to play it, for the delay."""
    heard = Heard(name)
    if recording is None or len(recording.samples) < recording.rate * WINDOW * 4:
        return heard
    samples = recording.samples.astype(float) / 32768
    power = _tone_power(samples, recording.rate)
    columns, others = (slice(0, 8), slice(8, 16)) if name == "A" else (slice(8, 16), slice(0, 8))
    floor = max(1e-7, power.max() * 1e-3)
    share = power / (power.sum(1, keepdims=True) + floor)

    other = share[:, others]
    if _correlate(other).max() > 0.35 * max(other.sum(), 1e-9):
        heard.other_seconds = float((other.max(1) > 0.3).sum() * HOP)

    mine = share[:, columns]
    fit = _correlate(mine)
    phase = int(np.argmax(fit))
    if (mine.max(1) > 0.3).sum() < 60 or fit[phase] < 0.35 * mine.sum():
        return heard
    lags, width = _follow(mine, phase)
    found = [lag for lag in lags if lag is not None]
    if not found:
        return heard
    hit = _hits(power, columns, phase, lags, width, floor)
    if hit.sum() < 40:
        return heard

    first, last = int(np.argmax(hit)), len(hit) - 1 - int(np.argmax(hit[::-1]))
    span = hit[first:last + 1]
    edges = np.flatnonzero(np.concatenate([[True], span, [True]]))
    heard.present = True
    heard.seconds = float(span.sum() * HOP)
    heard.loss = float(1 - span.mean())
    heard.longest_gap_ms = round((np.diff(edges).max() - 1) * HOP * 1000)
    if recording.started_at is not None:
        heard.first_at = recording.started_at + first * HOP
        heard.last_at = recording.started_at + last * HOP
        if fed_at is not None:
            offset = (recording.started_at + (phase + float(np.median(found))) * HOP - fed_at) % PERIOD
            heard.delay_ms = round((offset - PERIOD if offset > PERIOD - 2 else offset) * 1000)
    return heard


# --- G.711 (ITU-T G.711): what the telephones speak ---

def ulaw_decode(payload):
    u = ~np.frombuffer(payload, "u1")
    magnitude = (((u & 0x0f).astype(int) << 3) + 0x84 << ((u & 0x70) >> 4)) - 0x84
    return np.where(u & 0x80, -magnitude, magnitude).astype("<i2")


def alaw_decode(payload):
    a = np.frombuffer(payload, "u1") ^ 0x55
    exponent = ((a & 0x70) >> 4).astype(int)
    mantissa = ((a & 0x0f).astype(int) << 4) + 8
    magnitude = np.where(exponent > 0, (mantissa + 0x100) << np.maximum(exponent - 1, 0), mantissa)
    return np.where(a & 0x80, magnitude, -magnitude).astype("<i2")


def _encoder(decode):
    """The nearest code of every 16-bit sample, as a table."""
    levels = decode(bytes(range(256))).astype(int)
    order = np.argsort(levels, kind="stable")
    middles = (levels[order][1:] + levels[order][:-1]) / 2
    codes = order[np.searchsorted(middles, np.arange(-32768, 32768))].astype("u1")
    return lambda samples: codes[samples.astype(int) + 32768].tobytes()


ulaw_encode = _encoder(ulaw_decode)
alaw_encode = _encoder(alaw_decode)
