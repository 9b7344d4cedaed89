# SPDX-License-Identifier: AGPL-3.0-or-later
"""G.729, AMR and AMR-WB for the SIP peers.

Payloads are packed and read here (RFC 3551 4.5.6, RFC 4867), and what is heard is decoded by
FFmpeg, whose decoders of all three are its own: neither code is the gateway's.
"""
import ctypes
import functools

import numpy as np

OCTETS = ";octet-align=1"
FRAME_MS = 20
NARROW_BITS = (95, 103, 118, 134, 148, 159, 204, 244, 39)
WIDE_BITS = (132, 177, 253, 285, 317, 365, 397, 461, 477, 40)
NO_REQUEST, NO_DATA = 15, 15


@functools.cache
def ffmpeg():
    """Some 200 libraries, half a second: tests that hear such codecs read them before they call, and others not at all."""
    import av
    return av


class _FFmpeg:
    def __init__(self, name, rate):
        self._context = ffmpeg().codec.CodecContext.create(name, "r")
        self._context.sample_rate, self._context.layout = rate, "mono"

    def decode(self, frame):
        done = [f.to_ndarray()[0] for f in self._context.decode(ffmpeg().Packet(frame))]
        samples = np.concatenate(done) if done else np.zeros(0)
        if samples.dtype != np.int16:
            samples = np.clip(samples * 32768, -32768, 32767)
        return samples.astype("<i2")


# --- AMR ---

@functools.cache
def _library(name, init, exit_, encode):
    library = ctypes.CDLL(name)
    getattr(library, init).restype = ctypes.c_void_p
    getattr(library, exit_).argtypes = [ctypes.c_void_p]
    getattr(library, encode).argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int]
    return library


def amr_frames(name, payload):
    """(mode asked for, [(frame type, frame as in a file)]) of a payload of "AMR/8000" …"""
    octets, sizes = name.endswith(OCTETS), WIDE_BITS if name.startswith("AMR-WB") else NARROW_BITS
    bits = "".join(f"{byte:08b}" for byte in payload)
    request, at, contents, frames = int(bits[:4], 2), 8 if octets else 4, [], []
    while True:
        contents.append((int(bits[at + 1:at + 5], 2), bits[at + 5]))
        more, at = bits[at] == "1", at + (8 if octets else 6)
        if not more:
            break
    for kind, quality in contents:
        size = sizes[kind] if kind < len(sizes) else 0
        speech = bits[at:at + size]
        at += -(-size // 8) * 8 if octets else size
        if len(speech) < size:
            raise ValueError(f"an {name} payload of {len(payload)} bytes is too short for {contents}")
        stored = f"0{kind:04b}{quality}00" + speech + "0" * (-size % 8)
        frames.append((kind, bytes(int(stored[i:i + 8], 2) for i in range(0, len(stored), 8))))
    return request, frames


def amr_payload(name, frames, request=NO_REQUEST):
    """`frames` as in a file, of types that have speech."""
    octets, sizes = name.endswith(OCTETS), WIDE_BITS if name.startswith("AMR-WB") else NARROW_BITS
    bits = f"{request:04b}" + ("0000" if octets else "")
    for i, frame in enumerate(frames):
        bits += f"{int(i + 1 < len(frames))}{frame[0] >> 3 & 15:04b}{frame[0] >> 2 & 1}" + ("00" if octets else "")
    for frame in frames:
        size = sizes[frame[0] >> 3 & 15]
        bits += "".join(f"{byte:08b}" for byte in frame[1:])[:size] + ("0" * (-size % 8) if octets else "")
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))


class Amr:
    """`mode`: of what is said; `request`: what is asked for."""

    def __init__(self, name, mode=None, request=NO_REQUEST):
        self.name, self.request = name, request
        self.wide = name.startswith("AMR-WB")
        self.rate = self.clock = 16000 if self.wide else 8000
        self.mode = mode if mode is not None else 8 if self.wide else 7
        if self.wide:
            self._library = _library("libvo-amrwbenc.so.0", "E_IF_init", "E_IF_exit", "E_IF_encode")
            self._encoder, self._encode = self._library.E_IF_init(), self._library.E_IF_encode
        else:
            self._library = _library("libopencore-amrnb.so.0", "Encoder_Interface_init", "Encoder_Interface_exit",
                                     "Encoder_Interface_Encode")
            self._encoder, self._encode = self._library.Encoder_Interface_init(0), self._library.Encoder_Interface_Encode
        self._decoder = _FFmpeg("amrwb" if self.wide else "amrnb", self.rate)

    def encode(self, samples):
        length, frames = self.rate * FRAME_MS // 1000, []
        for at in range(0, len(samples), length):
            out = ctypes.create_string_buffer(64)
            size = self._encode(self._encoder, self.mode, samples[at:at + length].astype("<i2").tobytes(), out, 0)
            frames.append(out.raw[:size])
        return amr_payload(self.name, frames, self.request)

    def decode(self, payload):
        heard = [self._decoder.decode(frame) if kind != NO_DATA else np.zeros(self.rate * FRAME_MS // 1000, "<i2")
                 for kind, frame in amr_frames(self.name, payload)[1]]
        return np.concatenate(heard)


# --- G.729 ---

@functools.cache
def _bcg729():
    library = ctypes.CDLL("libbcg729.so.0")
    library.initBcg729EncoderChannel.restype = ctypes.c_void_p
    library.bcg729Encoder.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
    return library


class G729:
    """10 bytes are 10 ms; no annex B."""
    rate = clock = 8000
    FRAME, SAMPLES = 10, 80

    def __init__(self):
        self._encoder, self._decoder = _bcg729().initBcg729EncoderChannel(0), _FFmpeg("g729", self.rate)

    def encode(self, samples):
        made = b""
        for at in range(0, len(samples), self.SAMPLES):
            out, size = ctypes.create_string_buffer(16), ctypes.c_uint8()
            _bcg729().bcg729Encoder(self._encoder, samples[at:at + self.SAMPLES].astype("<i2").tobytes(), out, ctypes.byref(size))
            made += out.raw[:size.value]
        return made

    def decode(self, payload):
        if len(payload) % self.FRAME:
            raise ValueError(f"a G.729 payload of {len(payload)} bytes: annexb=no was said")
        return np.concatenate([self._decoder.decode(payload[at:at + self.FRAME]) for at in range(0, len(payload), self.FRAME)])
