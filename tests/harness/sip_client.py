# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A SIP client of a hundred lines that shows that the registrar does what the tests rely on."""

import hashlib
import re
import socket
import ssl
import uuid


class Response:
    def __init__(self, text):
        head, _, self.body = text.partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        self.code = int(first.split()[1])
        self.headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines]

    def header(self, name):
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


class Client:
    """Registers one user over UDP, TCP or TLS, one request at a time."""

    HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}

    def __init__(self, user, password, domain, port, transport="udp", ca=None, server_name=None):
        self.user, self.password, self.domain = user, password, domain
        self.call_id = uuid.uuid4().hex
        self.cseq = 0
        self.challenge = None
        self._nc = 0
        self._transport = transport
        kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
        self._socket = socket.socket(socket.AF_INET, kind)
        self._socket.settimeout(5)
        self._socket.connect(("127.0.0.1", port))
        if transport == "tls":
            context = ssl.create_default_context(cafile=ca)
            self._socket = context.wrap_socket(self._socket, server_hostname=server_name or domain)
        self.local_port = self._socket.getsockname()[1]

    def close(self):
        self._socket.close()

    def register(self, expires_s):
        """One REGISTER, with credentials ahead if a challenge is known. Returns the final response."""
        self.send(expires_s)
        return self.receive()

    def send(self, expires_s):
        self.cseq += 1
        tag = "" if self._transport == "udp" else f";transport={self._transport}"
        lines = [
            f"REGISTER sip:{self.domain} SIP/2.0",
            f"Via: SIP/2.0/{self._transport.upper()} 127.0.0.1:{self.local_port};branch=z9hG4bK{uuid.uuid4().hex};rport",
            "Max-Forwards: 70",
            f"From: <sip:{self.user}@{self.domain}>;tag={uuid.uuid4().hex[:8]}",
            f"To: <sip:{self.user}@{self.domain}>",
            f"Call-ID: {self.call_id}",
            f"CSeq: {self.cseq} REGISTER",
            f"Contact: <sip:{self.user}@127.0.0.1:{self.local_port}{tag}>",
            f"Expires: {expires_s}",
        ]
        if self.challenge:
            lines.append(f"Authorization: {self._authorization()}")
        lines += ["Content-Length: 0", "", ""]
        self._socket.sendall("\r\n".join(lines).encode())

    def receive(self):
        text = self._socket.recv(65536).decode()
        while "\r\n\r\n" not in text:
            text += self._socket.recv(65536).decode()
        response = Response(text)
        if response.code == 401:
            self.challenge = dict(re.findall(r'(\w+)="?([^",]+)"?', response.header("WWW-Authenticate")))
            self._nc = 0
        return response

    def _authorization(self):
        challenge = self.challenge
        algorithm = challenge.get("algorithm", "MD5")

        def digest(*parts):
            return self.HASHES[algorithm](":".join(parts).encode()).hexdigest()

        self._nc += 1
        uri, count, cnonce = f"sip:{self.domain}", f"{self._nc:08x}", uuid.uuid4().hex[:16]
        answer = digest(digest(self.user, challenge["realm"], self.password), challenge["nonce"], count, cnonce,
                        "auth", digest("REGISTER", uri))
        return (f'Digest username="{self.user}", realm="{challenge["realm"]}", nonce="{challenge["nonce"]}", '
                f'uri="{uri}", response="{answer}", algorithm={algorithm}, cnonce="{cnonce}", qop=auth, nc={count}')
