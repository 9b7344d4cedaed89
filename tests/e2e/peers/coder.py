# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the SIP peers speak: G.711 (audio.py), G.722 by libspandsp, Opus by libopus; speech.py has G.729 and AMR.

A coder holds the state of one direction; `rate` is of its samples, `clock` of its RTP time
stamps.  Opus runs at 16 kHz here: what is above 8 kHz nobody listens for.
"""
import ctypes
import functools

import numpy as np

import audio
from .speech import G729, OCTETS, Amr

STATIC = {0: "PCMU/8000", 8: "PCMA/8000", 9: "G722/8000", 18: "G729/8000"}  # RFC 3551 6
MOST = 5760  # samples of the longest Opus packet, 120 ms, at 48 kHz
OPUS_VOIP = 2048


class _Law:
    rate = clock = 8000

    def __init__(self, encode, decode):
        self.encode, self.decode = encode, decode


@functools.cache
def _spandsp():
    library = ctypes.CDLL("libspandsp.so.2")
    for way in ("encode", "decode"):
        getattr(library, f"g722_{way}_init").restype = ctypes.c_void_p
        getattr(library, f"g722_{way}_init").argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]
        getattr(library, f"g722_{way}").argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int]
    return library


class _G722:
    """A byte is two samples; the clock has stayed at 8000 (RFC 3551 4.5.2)."""
    rate, clock = 16000, 8000

    def __init__(self):
        self._encoder = _spandsp().g722_encode_init(None, 64000, 0)
        self._decoder = _spandsp().g722_decode_init(None, 64000, 0)

    def encode(self, samples):
        out = ctypes.create_string_buffer(len(samples))
        pcm = samples.astype("<i2").tobytes()
        size = _spandsp().g722_encode(self._encoder, out, pcm, len(samples))
        return out.raw[:size]

    def decode(self, payload):
        out = np.zeros(2 * len(payload) + 2, "<i2")
        done = _spandsp().g722_decode(self._decoder, out.ctypes.data, payload, len(payload))
        return out[:done]


@functools.cache
def _libopus():
    library = ctypes.CDLL("libopus.so.0")
    for way in ("encoder", "decoder"):
        getattr(library, f"opus_{way}_create").restype = ctypes.c_void_p
    library.opus_encode.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_int32]
    library.opus_decode.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int32, ctypes.c_void_p, ctypes.c_int, ctypes.c_int]
    return library


class _Opus:
    rate, clock = 16000, 48000

    def __init__(self):
        error = ctypes.c_int()
        self._encoder = _libopus().opus_encoder_create(self.rate, 1, OPUS_VOIP, ctypes.byref(error))
        self._decoder = _libopus().opus_decoder_create(self.rate, 1, ctypes.byref(error))

    def encode(self, samples):
        out = ctypes.create_string_buffer(1276)
        pcm = samples.astype("<i2").tobytes()
        size = _libopus().opus_encode(self._encoder, pcm, len(samples), out, len(out))
        return out.raw[:size]

    def decode(self, payload):
        out = np.zeros(MOST, "<i2")
        done = _libopus().opus_decode(self._decoder, payload, len(payload), out.ctypes.data, MOST, 0)
        return out[:max(done, 0)]


AMR = tuple(name + form for name in ("AMR/8000", "AMR-WB/16000") for form in ("", OCTETS))
_CODERS = {
    "PCMU/8000": lambda: _Law(audio.ulaw_encode, audio.ulaw_decode),
    "PCMA/8000": lambda: _Law(audio.alaw_encode, audio.alaw_decode),
    "G722/8000": _G722,
    "opus/48000/2": _Opus,
    "G729/8000": G729,
    **{name: functools.partial(Amr, name) for name in AMR},
}
WIDE = ("G722/8000", "opus/48000/2")


def known(name):
    return name in _CODERS


def coder(name, **speech):
    """`speech`: what an Amr takes, of no meaning to the others."""
    return _CODERS[name](**(speech if name in AMR else {}))
