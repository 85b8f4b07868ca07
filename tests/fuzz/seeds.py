# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes what each fuzzer begins with: FOLDER/NAME/NUMBER. The fuzzers put there what they find beside it."""

import os
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
    ("403 Forbidden", 'Warning: 399 a "b"'),
]

DICTIONARIES = [
    "{'name': <'Ann'>, 'enabled': <true>}", "{'identity': <objectpath '/a'>, 'kinds': <['secret']>}",
    "{'server': <'192.0.2.1:5060'>, 'transport': <'udp'>, 'code': <'1234'>}", "{'expires': <uint32 600>, 'on': <false>}",
    "{'x': <{'y': <[1, 2]>}>, 'name': <'a\\r\\nb'>}", "@a{sv} {}", "{'expires': <'x'>, 'server': <uint64 1>}",
]

CREDENTIALS = "('alice', 'r', 'n', just 'o', just 'MD5', 0x01, '0123456789abcdef', 3, 'd41d8cd98f00b204e9800998ecf8427e')"
NO_CREDENTIALS = "('', '', '', nothing, nothing, 0x00, '', 0, '')"
BLOB = ("(0x01, '0123456789abcdef', '0123456789abcdef', '0123456789abcdef', "
        "'urn:uuid:6b5d1c9e-0c5f-4f0e-8d5b-1a7a3f1f2b11', 7, 0, just '192.0.2.1', 5060, "
        "[('sip:0123456789abcdef@192.0.2.1:5060', 1700000000000000, true)], {registrar}, {proxy})")

SEEDS = {
    "sip-digest": CHALLENGES,
    "sip-response": [RESPONSE.format(status=status, more=more) for status, more in RESPONSES],
    "sip-resume": ["t" + BLOB.format(registrar=one, proxy=other) for one in (CREDENTIALS, NO_CREDENTIALS)
                   for other in (CREDENTIALS, NO_CREDENTIALS)],
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
                file.write(seed.encode())


main()
