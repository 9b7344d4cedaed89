# SPDX-License-Identifier: AGPL-3.0-or-later
"""The page of a call, by tandemctl and by HTTP, in a Chromium: a call that failed, and one over a line that loses packets."""
import re
import urllib.error
import urllib.request

from harness import check, slow
from network import BadLine
from peers.browser import Chromium
from test_browsers import pictures
from test_network import NUMBER, slow_house, talk_out

PORT = 9468

# what the page refers to, what runs in it, what stands outside its drawing or beside the window
FAULTS = """(() => {
  const faults = [];
  for (const e of document.querySelectorAll('script,img,link,iframe,object,a,use,image')) faults.push(e.tagName);
  for (const e of performance.getEntriesByType('resource')) faults.push(e.name);
  if (document.documentElement.scrollWidth > innerWidth) faults.push('wider than the window');
  for (const svg of document.querySelectorAll('svg')) {
    const box = svg.viewBox.baseVal;
    for (const e of svg.querySelectorAll('text,path,line,circle')) {
      const b = e.getBBox();
      if (b.x < -1 || b.y < -1 || b.x + b.width > box.width + 1 || b.y + b.height > box.height + 1)
        faults.push(`${e.tagName} ${e.textContent} is outside its drawing`);
    }
    const words = [...svg.querySelectorAll('text.said,text.core,text.media')].map(e => [e, e.getBBox()]);
    for (const [e, b] of words)
      if ((b.x < 540 && b.x + b.width > 540) || b.x + b.width > 990) faults.push(`${e.textContent} crosses a lifeline`);
  }
  return faults;
})()"""


def look(tandem, page, shoot, call_id, what, parts):
    """The file in the browser; its text."""
    file = tandem.folder / f"{what}.html"
    file.write_text(tandem.ctl("report", call_id).stdout, encoding="utf-8")
    page.go(f"file://{file}")
    page.wait(f"document.title === 'Call {call_id}' && document.readyState === 'complete'")
    faults = page.evaluate(FAULTS)
    check(not faults, f"the page of the {what} call: {faults}")
    shoot(f"report-{what}")
    text = page.evaluate("document.body.innerText")
    for part in parts:
        check(part in text, f"the page of the {what} call does not say {part}: {text}")
    return text


def by_http(tandem, call_id):
    """The link that tandemctl prints shows the same page; without its key nothing is shown."""
    link = tandem.ctl("report", call_id, "--link").stdout.strip()
    with urllib.request.urlopen(link, timeout=10) as answer:
        policy, page = answer.headers["Content-Security-Policy"], answer.read().decode()
    check(policy.startswith("default-src 'none'"), policy)
    check(page.strip() == tandem.ctl("report", call_id).stdout.strip(), "HTTP shows another page")
    for wrong in (link.partition("?")[0], link[:-1] + ("0" if link[-1] != "0" else "1")):
        try:
            urllib.request.urlopen(wrong, timeout=10).close()
            check(False, f"{wrong} shows the page")
        except urllib.error.HTTPError as error:
            check(error.code == 403, f"{wrong}: {error.code}")


@slow
def test_report(bench):
    line = BadLine(bench, delay_ms=60, jitter_ms=8, loss=0.08)
    carrier, phone = slow_house(bench, line, http={"port": PORT})
    tandem = bench.tandem
    phone.call(NUMBER)
    leg = carrier.wait_call()
    leg.refuse(503)
    leg.wait("ACK")
    phone.wait("ended", by="peer")
    failed = tandem.last_record()["id"]
    talk_out(bench, phone, carrier, 17)
    lossy = tandem.last_record()["id"]
    check(lossy != failed, "the second call has no record")

    page = bench.keep(Chromium(bench.folder))
    shoot = pictures(bench, page, [("wide", (1100, 2600), {}), ("dark", (1100, 1200), {"dark": True}),
                                   ("narrow", (420, 1600), {})])
    record = tandem.record(failed)
    look(tandem, page, shoot, failed, "failed", [record["text"], "503 Service Unavailable", "carrier", "alice@localhost",
                                                 "What the persons were told"])
    look(tandem, page, shoot, lossy, "lossy", ["The audio of the caller over time", "The audio of the callee over time",
                                               "Connections", "host ", "mos_in", "packets_in"])
    dots = re.findall(r'r="2" class="(from|to)"', tandem.json("report", lossy)["text"])
    check(dots.count("from") >= 6 and dots.count("to") >= 3, f"the curves have {len(dots)} points")
    by_http(tandem, lossy)
