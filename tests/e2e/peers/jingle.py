# SPDX-License-Identifier: AGPL-3.0-or-later
"""SDP to Jingle and back, for bundled RTP contents (XEP-0166, 0167, 0176, 0293,
0294, 0320, 0338, 0339)."""
import xml.etree.ElementTree as ET

JINGLE = "urn:xmpp:jingle:1"
RTP = "urn:xmpp:jingle:apps:rtp:1"
RTP_INFO = "urn:xmpp:jingle:apps:rtp:info:1"
ICE = "urn:xmpp:jingle:transports:ice-udp:1"
DTLS = "urn:xmpp:jingle:apps:dtls:0"
JMI = "urn:xmpp:jingle-message:0"
FEEDBACK = "urn:xmpp:jingle:apps:rtp:rtcp-fb:0"
HDREXT = "urn:xmpp:jingle:apps:rtp:rtp-hdrext:0"
SSMA = "urn:xmpp:jingle:apps:rtp:ssma:0"
GROUPING = "urn:xmpp:jingle:apps:grouping:0"

FEATURES = [JINGLE, RTP, "urn:xmpp:jingle:apps:rtp:audio", ICE, DTLS, JMI, FEEDBACK, HDREXT, SSMA, GROUPING,
            "urn:ietf:rfc:5888", "urn:ietf:rfc:5576"]


def q(namespace, name):
    return f"{{{namespace}}}{name}"


def candidate_to_attributes(line):
    field = line.split("candidate:", 1)[1].split()
    attributes = {"foundation": field[0], "component": field[1], "protocol": field[2].lower(), "priority": field[3],
                  "ip": field[4], "port": field[5], "type": field[7], "generation": "0", "network": "0",
                  "id": "c" + field[0] + field[1] + field[5]}
    names = {"raddr": "rel-addr", "rport": "rel-port", "tcptype": "tcptype", "generation": "generation"}
    attributes.update({names[k]: v for k, v in zip(field[8::2], field[9::2]) if k in names})
    return attributes


def candidate_to_line(candidate):
    a = candidate.get
    line = (f"candidate:{a('foundation')} {a('component')} {a('protocol')} {a('priority')} {a('ip')} {a('port')} "
            f"typ {a('type')}")
    if a("rel-addr"):
        line += f" raddr {a('rel-addr')} rport {a('rel-port') or 9}"
    return line + f" generation {a('generation') or 0}"


def _of_payload(values, payload):
    return [v.split(" ", 1)[1] for v in values if v.split(" ")[0] == payload]


def _add_payload_type(description, payload, value):
    for rtpmap in _of_payload(value("rtpmap"), payload):
        name, clockrate, *channels = rtpmap.split("/")
        element = ET.SubElement(description, q(RTP, "payload-type"), id=payload, name=name, clockrate=clockrate)
        if channels and channels[0] != "1":
            element.set("channels", channels[0])
        for pair in (p for fmtp in _of_payload(value("fmtp"), payload) for p in fmtp.split(";")):
            key, has_value, text = pair.strip().partition("=")
            ET.SubElement(element, q(RTP, "parameter"), {"name": key, "value": text} if has_value else {"value": key})
        for feedback in _of_payload(value("rtcp-fb"), payload):
            kind, *subtype = feedback.split()
            ET.SubElement(element, q(FEEDBACK, "rtcp-fb"), {"type": kind, **({"subtype": subtype[0]} if subtype else {})})


def _add_content(jingle, lines, session):
    def value(key):
        return [line[len(key) + 3:] for line in lines + session if line.startswith(f"a={key}:")]

    kind, _, _, *payloads = lines[0].split()
    content = ET.SubElement(jingle, q(JINGLE, "content"), creator="initiator", name=value("mid")[0], senders="both")
    description = ET.SubElement(content, q(RTP, "description"), media=kind)
    for payload in payloads:
        _add_payload_type(description, payload, value)
    for extmap in value("extmap"):
        number, uri = extmap.split()[:2]
        ET.SubElement(description, q(HDREXT, "rtp-hdrext"), id=number.split("/")[0], uri=uri)
    sources = {}
    for line in value("ssrc"):
        ssrc, _, parameter = line.partition(" ")
        sources.setdefault(ssrc, []).append(parameter.partition(":"))
    for ssrc, parameters in sources.items():
        source = ET.SubElement(description, q(SSMA, "source"), ssrc=ssrc)
        for name, _, text in parameters:
            ET.SubElement(source, q(SSMA, "parameter"), name=name, value=text)
    ET.SubElement(description, q(RTP, "rtcp-mux"))
    transport = ET.SubElement(content, q(ICE, "transport"), ufrag=value("ice-ufrag")[0], pwd=value("ice-pwd")[0])
    # aiortc names several hashes; Jingle clients send the one everybody knows
    digest = next(f.split()[1] for f in value("fingerprint") if f.startswith("sha-256 "))
    ET.SubElement(transport, q(DTLS, "fingerprint"), hash="sha-256", setup=(value("setup") or ["actpass"])[0]).text = digest
    for line in lines:
        if line.startswith("a=candidate:"):
            ET.SubElement(transport, q(ICE, "candidate"), candidate_to_attributes(line))


def from_sdp(sdp, **attributes):
    """A <jingle/> with every candidate of the SDP in it."""
    jingle = ET.Element(q(JINGLE, "jingle"), attributes)
    head, *media = sdp.replace("\r\n", "\n").split("\nm=")
    session = head.split("\n")
    for section in media:
        _add_content(jingle, section.split("\n"), session)
    for line in session:
        if line.startswith("a=group:BUNDLE "):
            group = ET.SubElement(jingle, q(GROUPING, "group"), semantics="BUNDLE")
            for name in line.split()[1:]:
                ET.SubElement(group, q(GROUPING, "content"), name=name)
    return jingle


def _media_section(content, is_offer):
    description, transport = content.find(q(RTP, "description")), content.find(q(ICE, "transport"))
    payloads = description.findall(q(RTP, "payload-type"))
    lines = [f"m={description.get('media')} 9 UDP/TLS/RTP/SAVPF {' '.join(p.get('id') for p in payloads)}",
             "c=IN IP4 0.0.0.0", "a=rtcp:9 IN IP4 0.0.0.0", f"a=mid:{content.get('name')}", "a=sendrecv", "a=rtcp-mux",
             f"a=ice-ufrag:{transport.get('ufrag')}", f"a=ice-pwd:{transport.get('pwd')}"]
    fingerprint = transport.find(q(DTLS, "fingerprint"))
    if fingerprint is not None:
        lines += [f"a=fingerprint:{fingerprint.get('hash')} {fingerprint.text.strip()}",
                  f"a=setup:{fingerprint.get('setup') or ('actpass' if is_offer else 'active')}"]
    for p in payloads:
        channels = f"/{p.get('channels')}" if p.get("channels", "1") != "1" else ""
        lines.append(f"a=rtpmap:{p.get('id')} {p.get('name')}/{p.get('clockrate')}{channels}")
        pairs = ["=".join(v for v in (x.get("name"), x.get("value")) if v) for x in p.findall(q(RTP, "parameter"))]
        if pairs:
            lines.append(f"a=fmtp:{p.get('id')} {';'.join(pairs)}")
    lines += ["a=" + candidate_to_line(c) for c in transport.findall(q(ICE, "candidate"))]
    return lines


def to_sdp(jingle, is_offer, late_candidates=()):
    """The SDP of a <jingle/> and of the candidates that trickled in after it."""
    contents = [c for c in jingle.findall(q(JINGLE, "content")) if c.find(q(RTP, "description")) is not None]
    lines = ["v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0",
             "a=group:BUNDLE " + " ".join(c.get("name") for c in contents), "a=msid-semantic: WMS s"]
    for content in contents:
        lines += _media_section(content, is_offer) + ["a=" + c for c in late_candidates] + ["a=end-of-candidates"]
    return "\r\n".join(lines) + "\r\n"
