# SPDX-License-Identifier: AGPL-3.0-or-later
"""What Prometheus sees of a gateway: its own tools read /metrics, our alert rules are tried on
what was scraped, and three of them fire in a Prometheus that runs."""
import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from harness import GATEWAY, OUTSIDE, check, hear, until
from peers import process

PORT = 9467
PROMETHEUS = 19090
NUMBER = f"{OUTSIDE}@{GATEWAY}"
MONITORING = Path(__file__).resolve().parents[2] / "monitoring"
HTTP = {"http": {"port": PORT}}


def get(path, port=PORT):
    """(status, text)"""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def scrape():
    """{series: number}, such as 'tandem_xmpp_up'; and the text."""
    status, text = get("/metrics")
    check(status == 200, f"/metrics: {status} {text}")
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {series: float(number) for series, _, number in lines}, text


def check_text(text):
    """Prometheus's own reader and linter have no objection."""
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    check(done.returncode == 0 and not done.stderr.strip(), f"promtool check metrics: {done.stdout}{done.stderr}")


def one_call(bench, phone, carrier):
    phone.call(NUMBER)
    leg = carrier.wait_call()
    leg.ring()
    phone.wait("ringing")
    leg.answer()
    phone.wait("up")
    bench.talk()
    check(scrape()[0]['tandem_calls_active{direction="out"}'] == 1, "a live call is not counted")
    phone.hangup()
    leg.wait_end()
    hear(phone, leg)
    bench.tandem.last_record()


def test_metrics_of_calls(bench):
    bench.gateway(**HTTP)
    phone, carrier = bench.webrtc(), bench.carrier()
    check_text(scrape()[1])
    one_call(bench, phone, carrier)
    phone.call(NUMBER)
    leg = carrier.wait_call()
    leg.refuse(486)
    leg.wait("ACK")
    phone.wait("ended", by="peer")

    def both_ended():
        seen, text = scrape()
        return (seen, text) if seen.get('tandem_calls_active{direction="out"}') == 0 else None
    seen, text = until(both_ended, 10, "both calls to leave the live ones")
    check_text(text)
    for series, number in (
            ('tandem_calls_ended_total{direction="out",trunk="carrier",reason="hangup"}', 1),
            ('tandem_calls_ended_total{direction="out",trunk="carrier",reason="busy"}', 1),
            ('tandem_call_setup_seconds_count{stage="ringing"}', 1),
            ('tandem_call_setup_seconds_count{stage="answer"}', 1),
            ('tandem_call_setup_seconds_count{stage="media"}', 1),
            ('tandem_call_duration_seconds_count{direction="out"}', 1),
            ('tandem_rtp_loss_ratio_count{transport="webrtc",direction="in"}', 1),
            ('tandem_rtp_loss_ratio_count{transport="rtp",direction="in"}', 1),
            ('tandem_call_mos_bucket{transport="webrtc",direction="in",le="+Inf"}', 1),
            ('tandem_xmpp_up', 1), ('tandem_sip_trunk_up{trunk="carrier"}', 1),
            ('tandem_calls_total', 2), ('tandem_stopping', 0)):
        check(seen.get(series) == number, f"{series} is {seen.get(series)}, not {number}")
    duration = seen['tandem_call_duration_seconds_sum{direction="out"}']
    check(1 < duration < 60, f"the call took {duration} s")
    check("alice" not in text and OUTSIDE not in text, "a person or a number is in /metrics")


def test_metrics_ready(bench):
    """Ready until the XMPP server is away, or the gateway stops; then OPTIONS is answered 503 as well."""
    tandem = bench.gateway(gateway={"drain_seconds": 10}, **HTTP)
    phone, carrier = bench.webrtc(), bench.carrier()
    status, text = get("/ready")
    check(status == 200 and json.loads(text)["xmpp"] and json.loads(text)["trunks"] == {"carrier": True}, text)
    phone.call(NUMBER)
    leg = carrier.wait_call()
    leg.answer()
    phone.wait("up")

    def options():
        unique = time.monotonic_ns()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
            wire.settimeout(10)
            wire.connect(("127.0.0.1", tandem.sip_port))
            wire.send((f"OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK{unique};rport\r\n"
                       "From: <sip:proxy@127.0.0.1>;tag=1\r\nTo: <sip:127.0.0.1>\r\n"
                       f"Call-ID: {unique}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n"
                       "Content-Length: 0\r\n\r\n").encode())
            return wire.recv(4096).decode().partition("\r\n")[0]
    check(" 200 " in options(), "OPTIONS before the stop")
    tandem.process.send_signal(signal.SIGTERM)
    until(lambda: "stopping" in get("/ready")[1] and get("/ready")[0] == 503, 5, "/ready to say 503")
    check(" 503 " in options(), "OPTIONS while it stops")
    check(get("/health")[0] == 200, "/health while it stops")
    phone.hangup()
    leg.wait_end()
    ended, tandem.process = tandem.process, None
    check(ended.wait(30) == 0, f"tandemd ended with {ended.returncode}: {tandem.tail(10)}")


def test_metrics_rules(bench):
    """The rules name what the gateway has, and say what they should, by Prometheus's own test of rules."""
    bench.gateway(sip=bench.certificate(), **HTTP)
    phone, carrier = bench.webrtc(), bench.carrier()
    one_call(bench, phone, carrier)
    seen, _ = scrape()
    names = {re.sub(r"\{.*", "", series) for series in seen}
    names |= {re.sub("_bucket$", "", name) for name in names}
    rules = (MONITORING / "alerts.yml").read_text()
    dashboard = (MONITORING / "dashboard.json").read_text()
    missing = set(re.findall(r"tandem_[a-z_]+", rules + dashboard)) - names
    check(not missing, f"the rules or the dashboard name {missing}, and the gateway has no such thing")

    def series(name, values, **labels):
        """As it was scraped, with these values, a minute each."""
        [found] = [s for s in seen if s.startswith(name) and all(f'{k}="{v}"' in s for k, v in labels.items())]
        more = 'instance="gw",job="tandem"'
        return {"series": found[:-1] + f",{more}}}" if "{" in found else f"{found}{{{more}}}", "values": values}
    ended = 'tandem_calls_ended_total{direction="out",trunk="carrier",reason='
    seen[ended + '"network-error"}'] = 0
    tests = [
        ("TandemXmppDown", [series("tandem_xmpp_up", "1 1 0 0 0 0")], "5m", True),
        ("TandemXmppDown", [series("tandem_xmpp_up", "1 0 1 1 0 1")], "5m", False),
        ("TandemTrunkDown", [series("tandem_sip_trunk_up", "1 0 0 0 0 0")], "5m", True),
        ("TandemTrunkDown", [series("tandem_sip_trunk_up", "1 0 0 1 1 1")], "5m", False),
        ("TandemCallsFail", [series("tandem_calls_ended_total", "0+3x20", reason="hangup"),
                             series("tandem_calls_ended_total", "0+1x20", reason="network-error")], "15m", True),
        ("TandemCallsFail", [series("tandem_calls_ended_total", "0+30x20", reason="hangup"),
                             series("tandem_calls_ended_total", "0+1x20", reason="network-error")], "15m", False),
        ("TandemOneWayAudio", [series("tandem_calls_one_way_total", "0 0 1 2 3 4 5 6"),
                               series("tandem_calls_dead_total", "0x10")], "7m", True),
        ("TandemFull", [series("tandem_calls_active", "900x10"), series("tandem_calls_most", "1000x10")], "8m", True),
        ("TandemFull", [series("tandem_calls_active", "700x10"), series("tandem_calls_most", "1000x10")], "8m", False),
        ("TandemRecordsLate", [series("tandem_records_waiting", "5x10")], "7m", True),
        ("TandemCertificateEnds", [series("tandem_sip_tls_certificate_seconds", "86400x5")], "2m", True),
        ("TandemCertificateEnds", [series("tandem_sip_tls_certificate_seconds", "8640000x5")], "2m", False),
        ("TandemEmergencyCall", [series("tandem_emergency_calls_total", "0 0 1")], "2m", True),
    ]
    units = [{"interval": "1m", "input_series": given,
              "promql_expr_test": [{"expr": f'count(ALERTS{{alertname="{alert}",alertstate="firing"}}) or vector(0)',
                                    "eval_time": at, "exp_samples": [{"labels": "{}", "value": int(fires)}]}]}
             for alert, given, at, fires in tests]
    file = bench.folder / "rules.json"  # JSON is YAML
    file.write_text(json.dumps({"rule_files": [str(MONITORING / "alerts.yml")], "evaluation_interval": "1m", "tests": units}))
    done = subprocess.run(["promtool", "test", "rules", file], capture_output=True, text=True, check=False)
    check(done.returncode == 0, f"promtool test rules: {done.stdout}{done.stderr}")


class Prometheus:
    """Debian's, with our rules; what they wait for is cut to a second."""

    def __init__(self, folder):
        folder.mkdir()
        (folder / "alerts.yml").write_text(re.sub(r"for: \d+m", "for: 1s", (MONITORING / "alerts.yml").read_text()))
        text = (MONITORING / "prometheus.yml").read_text().replace("/usr/share/tandem/monitoring", str(folder))
        (folder / "prometheus.yml").write_text(f"global: {{scrape_interval: 500ms, evaluation_interval: 500ms}}\n{text}")
        self.output = open(folder / "output", "wb")
        self.process = process.start(["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                                      f"--web.listen-address=127.0.0.1:{PROMETHEUS}"],
                                     env=dict(os.environ, GOMAXPROCS="1"), stdin=subprocess.DEVNULL,
                                     stdout=self.output, stderr=self.output)

    def stop(self):
        process.stop(self.process)
        self.output.close()

    def firing(self):
        try:
            status, text = get("/api/v1/alerts", PROMETHEUS)
        except OSError:
            return set()
        alerts = json.loads(text)["data"]["alerts"] if status == 200 else []
        return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}

    def sees(self, expression):
        try:
            status, text = get(f"/api/v1/query?query={expression}", PROMETHEUS)
        except OSError:
            return False
        return status == 200 and json.loads(text)["data"]["result"]


def test_metrics_alerts(bench):
    tandem = bench.gateway(**HTTP)
    prometheus = bench.keep(Prometheus(bench.folder / "prometheus"))
    until(lambda: prometheus.sees("tandem_xmpp_up"), 30, "Prometheus's first look")
    check(not prometheus.firing(), f"of a sound gateway: {prometheus.firing()}")
    tandem.ctl("trunk", "add", "dead", "127.0.0.1", "port=5999", "options-seconds=5")
    until(lambda: "TandemTrunkDown" in prometheus.firing(), 30, "the alert of a carrier that is away")
    bench.server.stop()
    until(lambda: "TandemXmppDown" in prometheus.firing(), 30, "the alert of an XMPP server that is away")
    check("TandemDown" not in prometheus.firing(), "the gateway is there")
    tandem.stop()
    until(lambda: "TandemDown" in prometheus.firing(), 30, "the alert of a gateway that is away")
