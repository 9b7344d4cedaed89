# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who nominates how: the binding requests on the wire of this network namespace."""
import socket
import struct
import threading

ETH_P_ALL = 3
MAGIC = 0x2112A442
BINDING_REQUEST = 1
USE_CANDIDATE = 0x0025
NOMINATION = 0xC001  # draft-thatcher-ice-renomination
IPPROTO_UDP = 17


def attributes(packet):
    """Types in a STUN binding request within an IPv4 packet; None for any other."""
    if len(packet) < 28 or packet[0] >> 4 != 4 or packet[9] != IPPROTO_UDP:
        return None
    stun = packet[(packet[0] & 15) * 4 + 8:]
    if len(stun) < 20 or struct.unpack("!HHI", stun[:8])[::2] != (BINDING_REQUEST, MAGIC):
        return None
    found, at = set(), 20
    while at + 4 <= len(stun):
        kind, length = struct.unpack("!HH", stun[at:at + 4])
        found.add(kind)
        at += 4 + (length + 3) // 4 * 4
    return found


class Stun:
    """Counts while it is open."""

    def __enter__(self):
        self.nominations = self.use_candidate = 0
        self._closed = threading.Event()
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        self._socket.settimeout(0.2)
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._closed.set()
        self._thread.join()
        self._socket.close()

    def _watch(self):
        while not self._closed.is_set():
            try:
                found = attributes(self._socket.recv(2048))
            except socket.timeout:
                continue
            if found:
                self.nominations += NOMINATION in found
                self.use_candidate += USE_CANDIDATE in found
