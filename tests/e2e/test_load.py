# SPDX-License-Identifier: AGPL-3.0-or-later
"""Memory over many calls."""
from pathlib import Path

from harness import alone, check, needs_build
from peers.sipp import echo_load

CALLS = 1000
WARM = 200
RATE = 6  # a second


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
    at this rate there are as many remembered at call 200 as at call 1,000."""
    tandem = bench.gateway(gateway={"log_level": "warning"}, limits={"max_setup_per_second": 1000})
    bench.carrier()  # known by its address, which the load has as well
    pid = tandem.process.pid
    sizes = [resident_kib(pid)]
    for _ in range(CALLS // WARM):
        echo_load(bench.folder, WARM, rate=RATE)
        sizes.append(resident_kib(pid))
    print(f"memory in KiB at each {WARM} calls: {sizes}")
    growth = sizes[-1] - sizes[1]
    check(growth < 1024, f"{growth} KiB more after call {CALLS} than after call {WARM}: {sizes}")
