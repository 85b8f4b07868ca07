# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes what each fuzzer begins with: FOLDER/NAME/NUMBER. The fuzzers put there what they find beside it."""

import os
import struct
import sys

CHALLENGES = [
    'Digest realm="cms.realm", nonce="abc", algorithm=MD5, qop="auth"',
    'Digest realm="r", nonce="n", qop="auth,auth-int", opaque="o", stale=true',
    'Digest realm="a \\"b\\"", nonce="n", algorithm=SHA-256, qop="auth", Digest realm="r", nonce="m"',
    'Digest realm="r",nonce="n",algorithm=MD5-sess,userhash=true,charset=UTF-8',
    'qop=auth, nextnonce="next", rspauth="0123", cnonce="c", nc=00000001',
]

RESPONSE = "\r\n".join([
    "SIP/2.0 {status}", "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa;received=192.0.2.9;rport=4711",
    "From: <sip:a@example.test>;tag=1", "To: <sip:a@example.test>;tag=2", "Call-ID: 1", "CSeq: 2 REGISTER", "{more}",
    "Content-Length: 0", "", ""])

RESPONSES = [
    ("200 OK", "Contact: <sip:0123456789abcdef@192.0.2.1:5060>;expires=60, <sip:b@192.0.2.2>;expires=7;q=0.5"),
    ("200 OK", "Expires: 240\r\nDate: Thu, 1 Jan 2026 00:00:00 GMT"),
    ("401 Unauthorized", f"WWW-Authenticate: {CHALLENGES[0]}"),
    ("423 Interval Too Brief", "Min-Expires: 1800"),
    ("503 Later", "Retry-After: 17 (later);duration=3"),
    ("200 OK", "Supported: path, outbound\r\nRequire: outbound\r\nFlow-Timer: 120"),
    ("420 Bad Extension", "Unsupported: outbound"),
    ("403 Forbidden", 'Warning: 399 a "b"'),
    ("200 OK", "Service-Route: <sip:a;lr>, <sip:b;lr>;x=1\r\nP-Associated-URI: \"A\" <sip:a@b>, <tel:+1>"),
]

REQUEST = "\r\n".join([
    "{method} sip:ours@192.0.2.1 SIP/2.0", "Via: SIP/2.0/TCP 192.0.2.2;branch=z9hG4bKb", "Max-Forwards: 70",
    "From: <sip:b@example.test>;tag=1", "To: <sip:a@example.test>", "Call-ID: 2", "CSeq: 1 {method}",
    "Record-Route: <sip:192.0.2.2;lr>", "Content-Length: 4", "", "body"])

# One call and what may follow it.
CALL = "\r\n".join([
    "{method} sip:ours@192.0.2.1 SIP/2.0", "Via: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKc", "Max-Forwards: 70",
    'From: "B \\"b\\"" <sip:b@example.test>;tag=1', "To: <sip:a@example.test>", "Call-ID: 3", "CSeq: 1 {method}",
    "{more}", "", "{body}"])

CALLS = [(method, f"{more}Content-Length: {len(body)}", body) for method, more, body in [
    ("INVITE", "Contact: <sip:b@192.0.2.2>\r\nSubject: s\r\n", ""), ("INVITE", "Require: 100rel, x\r\n", ""),
    ("ACK", "", ""), ("CANCEL", 'Reason: SIP;cause=200;text="t"\r\n', ""), ("CANCEL", "Reason: Q.850;cause=26\r\n", ""),
    ("MESSAGE", "Content-Type: text/plain;charset=koi8-r\r\n", "\u043f"), ("MESSAGE", "", "text"),
    ("MESSAGE", "Content-Type: Application/MANSCDP+xml\r\n", "<?xml version='1.0' encoding='gb2312'?><a/>"),
    ("NOTIFY", "Event: presence;id=1\r\nSubscription-State: terminated;reason=x;retry-after=3\r\n", ""),
    ("OPTIONS", "Accept: a/b\r\n", ""),
]]

PIDF = "urn:ietf:params:xml:ns:pidf"

PRESENCES = [
    f'<presence xmlns="{PIDF}" xmlns:dm="{PIDF}:data-model" xmlns:rpid="{PIDF}:rpid" entity="sip:b@x"><tuple id="t">'
    f"<status><basic>{basic}</basic>{show}</status><contact priority=\"0.8\">sip:b@x</contact><note>a &amp; b</note>"
    f"<timestamp>2026-01-01T00:00:00.5+01:00</timestamp></tuple><dm:person><rpid:activities><rpid:{activity}/>"
    "</rpid:activities><dm:note>c</dm:note></dm:person><note>d</note></presence>"
    for basic, show, activity in (("open", "", "away"), ("closed", "", "busy"),
                                  ("open", "<show xmlns='jabber:client'>xa</show>", "vacation"))]

WATCHERS = [
    f'<watcherinfo xmlns="urn:ietf:params:xml:ns:watcherinfo" version="{version}" state="{state}"><watcher-list '
    f'resource="sip:a@x" package="presence"><watcher id="1" status="{status}" event="subscribe" display-name="B">'
    "sip:b@x</watcher></watcher-list></watcherinfo>"
    for version, state, status in ((0, "full", "pending"), (1, "partial", "active"), (2, "partial", "terminated"))]

BINDINGS = [
    f'<reginfo xmlns="urn:ietf:params:xml:ns:reginfo" version="{version}" state="{state}"><registration aor="sip:a@x" '
    f'id="r" state="active"><contact id="1" state="{living}" event="{event}" expires="60"><uri>'
    'sip:0123456789abcdef@192.0.2.1:5060</uri><unknown-param name="+sip.instance">"&lt;urn:uuid:1&gt;"</unknown-param>'
    "</contact></registration></reginfo>"
    for version, state, living, event in ((0, "full", "active", "registered"), (1, "partial", "terminated", "expired"))]

SUMMARIES = ["Messages-Waiting: yes\r\nMessage-Account: sip:a@x\r\nVoice-Message: 2/8 (0/2)\r\n\r\nTo: b\r\n",
             "messages-waiting:no\nfax-message: 1\n"]

XML = "<?xml version='1.0'?><!-- c --><a xmlns='n' b='&lt;'>&#65;<![CDATA[x]]><p:c xmlns:p='m'/></a>"

DICTIONARIES = [
    "{'name': <'Ann'>, 'enabled': <true>}", "{'identity': <objectpath '/a'>, 'kinds': <['secret']>}",
    "{'server': <'192.0.2.1:5060'>, 'transport': <'udp'>, 'code': <'1234'>}", "{'expires': <uint32 600>, 'on': <false>}",
    "{'x': <{'y': <[1, 2]>}>, 'name': <'a\\r\\nb'>}", "@a{sv} {}", "{'expires': <'x'>, 'server': <uint64 1>}",
]


def text(value):
    """As the blob has it: its length, then its bytes; none is the greatest length."""
    return struct.pack("=H", 0xFFFF) if value is None else struct.pack("=H", len(value)) + value.encode()


def credentials(user, realm, nonce, opaque, algorithm, qop, cnonce, count, ha1):
    return (b"".join(map(text, (user, realm, nonce, opaque, algorithm))) + bytes([qop]) + text(cnonce) +
            struct.pack("=I", count) + text(ha1))


ALICE = credentials("alice", "r", "n", "o", "MD5", 1, "0123456789abcdef", 3, "d41d8cd98f00b204e9800998ecf8427e")
NOBODY = credentials(None, None, None, None, None, 0, None, 0, "")


def blob(registrar, proxy, n_bindings=1, version=2, newer=b""):
    """A resume blob, as plugins/sip packs it; what is newer than version 2 stands at the end."""
    hexadecimal = "0123456789abcdef"
    binding = text(f"sip:{hexadecimal}@192.0.2.1:5060") + struct.pack("=q", 1700000000000000) + b"\1"
    return (bytes([version]) + text(hexadecimal * 2) + text(hexadecimal) + text(hexadecimal) +
            text("urn:uuid:6b5d1c9e-0c5f-4f0e-8d5b-1a7a3f1f2b11") + struct.pack("=II", 7, 0) + text("192.0.2.1") +
            struct.pack("=I", 5060) + bytes([n_bindings]) + binding * n_bindings + registrar + proxy + newer)


def addresses(*values):
    return bytes([len(values)]) + b"".join(map(text, values))


ROUTES = addresses("<sip:a.test;lr>", "<sip:b.test;lr>;x=1") + addresses("sip:c@d.test")


def mapping(local_host, local_port, host, port, n_rewrites):
    return (text(local_host) + struct.pack("=I", local_port) + text(host) + struct.pack("=I", port) +
            bytes([n_rewrites, host is not None]))


SEEDS = {
    "sip-digest": CHALLENGES,
    "sip-response": [RESPONSE.format(status=status, more=more) for status, more in RESPONSES],
    "sip-documents": ["\0" + each for each in PRESENCES] + ["\1" + "\0".join(WATCHERS), "\2" + "\0".join(BINDINGS)] +
                     ["\3" + each for each in SUMMARIES] + ["\4" + XML],
    "sip-inbox": [chr(habits) + "\0".join(CALL.format(method=method, more=more, body=body)
                                          for method, more, body in CALLS[first:] + CALLS[:first])
                  for first in range(len(CALLS)) for habits in (0x20, 0x21, 0x23, 0x28, 0x29, 0x30)],
    "sip-stream": ["@" + RESPONSE.format(status="200 OK", more="Expires: 60") + "\r\n\r\n" +
                   "".join(REQUEST.format(method=method) for method in ("OPTIONS", "INVITE", "ACK")) + "\r\n" +
                   RESPONSE.format(status=status, more=more) for status, more in RESPONSES],
    "sip-resume": [blob(one, other, n) for one in (ALICE, NOBODY) for other in (ALICE, NOBODY) for n in (0, 1, 3)] +
                  [blob(ALICE, NOBODY, 1, 3, newer) for newer in (ROUTES, addresses() * 2)] +
                  [blob(ALICE, NOBODY, 1, 4, newer) for newer in (ROUTES + b"\1", addresses() * 2 + b"\0")] +
                  [blob(ALICE, NOBODY, 1, 5, ROUTES + b"\0" + newer) for newer in (
                      mapping("192.168.1.7", 5060, "203.0.113.9", 1025, 1), mapping("[fd00::7]", 5060, None, 0, 4),
                      mapping(None, 0, None, 0, 0))],
    "bus-options": ["t" + each for each in DICTIONARIES],
    "store-params": ["t" + each for each in DICTIONARIES] + ["b" + DICTIONARIES[0]],
    "vault": ["\0", "\1" + "\0" * 60, "secret"],
}


def main():
    for name, seeds in SEEDS.items():
        folder = os.path.join(sys.argv[1], name)
        os.makedirs(folder, exist_ok=True)
        for number, seed in enumerate(seeds):
            with open(os.path.join(folder, f"seed-{number}"), "wb") as file:
                file.write(seed if isinstance(seed, bytes) else seed.encode())


main()
