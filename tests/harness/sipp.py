# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The real sipp as whoever calls: one call by a scenario that the test writes step by step."""

import os
import re
from xml.sax.saxutils import quoteattr

from harness.process import Process, free_ports

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE scenario SYSTEM "sipp.dtd">
<scenario name="muster">
"""

# The branch is ours, not sipp's: the ACK and the CANCEL of an INVITE have the same.
REQUEST = """<send><![CDATA[

{method} {uri} SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=z9hG4bK-[pid]-[call_number]-{branch};rport
Max-Forwards: 70
From: "Bob" <sip:bob@example.test>;tag=bob-[call_number]
To: <sip:alice@example.test>
Call-ID: [call_id]
CSeq: {cseq} {method}
Contact: <sip:bob@[local_ip]:[local_port];transport=[transport]>
{headers}Content-Length: [len]

{body}]]></send>
"""

ANSWER = """<recv response="{code}" timeout="{timeout_ms}"><action>
{checks}</action></recv>
"""

# Where the second one comes first, it is the first that is waited for.
EITHER_WAY = """<recv response="{second}" optional="true" next="{label}1"/>
<recv response="{first}" timeout="10000"/>
<recv response="{second}" timeout="10000" next="{label}2"/>
<label id="{label}1"/>
<recv response="{first}" timeout="10000"/>
<label id="{label}2"/>
"""

CHECK = """<ereg regexp={pattern} search_in="hdr" header="{header}:" check_it="true" assign_to="seen{number}"/>
"""


class Sipp:
    """Write the steps, then run () or start () and wait ()."""

    def __init__(self, directory, uri, remote, transport="udp"):
        os.makedirs(directory, exist_ok=True)
        self.directory = str(directory)
        self._uri = uri
        self._remote = remote  # host:port
        self._transport = transport
        self._steps = []
        self._n_checks = 0
        self._process = None

    def send(self, method, *headers, branch=1, body=""):
        """A request; the ones of one INVITE have its branch, which is also the number in CSeq."""
        self._steps.append(REQUEST.format(method=method, uri=self._uri, branch=branch, cseq=branch, body=body,
                                          headers="".join(f"{each}\n" for each in headers)))
        return self

    def receive(self, code, timeout_s=10, **headers):
        """The next answer, with headers that match: Allow="INVITE"."""
        checks = ""
        for name, pattern in headers.items():
            self._n_checks += 1
            checks += CHECK.format(pattern=quoteattr(pattern), header=name.replace("_", "-"), number=self._n_checks)
        self._steps.append(ANSWER.format(code=code, timeout_ms=timeout_s * 1000, checks=checks))
        return self

    def receive_both(self, first, second):
        """Two answers, the second perhaps before the first: what different processes of a proxy say overtakes."""
        self._steps.append(EITHER_WAY.format(first=first, second=second, label=len(self._steps)))
        return self

    def pause(self, seconds):
        self._steps.append(f'<pause milliseconds="{int(seconds * 1000)}"/>\n')
        return self

    def start(self):
        path = os.path.join(self.directory, "scenario.xml")
        seen = ",".join(f"seen{number + 1}" for number in range(self._n_checks))
        reference = f'<Reference variables="{seen}"/>\n' if seen else ""
        with open(path, "w", encoding="utf-8") as file:
            file.write(HEAD + "".join(self._steps) + reference + "</scenario>\n")
        (port,) = free_ports()
        self._process = Process("sipp", [
            "sipp", "-sf", path, "-m", "1", "-nostdin", "-nd", "-nr", "-i", "127.0.0.1", "-p", port,
            "-t", "u1" if self._transport == "udp" else "t1", "-timeout", "100s", "-timeout_error",
            "-trace_msg", "-message_file", os.path.join(self.directory, "messages"),
            "-trace_err", "-error_file", os.path.join(self.directory, "errors"), self._remote,
        ], os.path.join(self.directory, "sipp.log"))
        return self

    def wait(self, timeout_s=60):
        status = self._process.wait(timeout_s)
        assert status == 0, f"sipp: {status}\n{self._read('errors')}\n{self._read('messages')}\n{self._process.log()[-3000:]}"
        return self

    def run(self):
        return self.start().wait()

    def heard(self):
        """The answers so far, as "180 INVITE", repeated ones too."""
        received = re.findall(r"message received[^\n]*\n\nSIP/2\.0 (\d+)[^\n]*\n(.*?)\n\r?\n", self._read("messages"), re.S)
        return [f"{code} {re.search(r'CSeq: *[0-9]+ ([A-Z]+)', head).group(1)}" for code, head in received]

    def _read(self, name):
        try:
            with open(os.path.join(self.directory, name), encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""
