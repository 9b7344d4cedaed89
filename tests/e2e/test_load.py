# SPDX-License-Identifier: AGPL-3.0-or-later
"""Memory over many calls."""
from pathlib import Path

from harness import alone, check, needs_build
from load_rows import transcoded_calls
from peers.sipp import echo_load

CALLS = 1000
WARM = 200
RATE = 6  # a second
MOST_KIB = 256  # a third of a KiB a call would be seen


def resident_kib(pid):
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS")


@alone
@needs_build("plain")
def test_memory_is_flat_over_1000_echo_calls(bench):
    """Nothing is kept of a call that is over: flat from call 200 on.

    SIP remembers a call for 32 s after its end (RFC 3261 17: 64 times T1), so
    at this rate there are as many remembered at call 200 as at call 1,000.
    What is in use is judged; what is resident includes the holes between.
    """
    tandem = bench.gateway(gateway={"log_level": "warning"}, limits={"max_setup_per_second": 1000})
    bench.carrier()  # known by its address, which the load has as well
    used, resident = [], []
    for _ in range(CALLS // WARM):
        echo_load(bench.folder, WARM, rate=RATE)
        used.append(tandem.status()["memory"])
        resident.append(resident_kib(tandem.process.pid))
    print(f"KiB at each {WARM} calls: in use {used}, resident {resident}")
    growth = used[-1] - used[0]
    check(growth < MOST_KIB, f"{growth} KiB more in use after call {CALLS} than after call {WARM}: {used}")
    check(resident[-1] - resident[0] < 4 * 1024, f"resident {resident}")


@alone
@needs_build("plain")
def test_memory_is_flat_over_400_transcoded_calls(bench):
    transcoded_calls(bench, 400)
