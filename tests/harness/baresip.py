# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A real baresip: the phone of a person who watches others, calls them, writes to them and takes calls.

Its files are written from here, and its control socket is held for as long as it runs: commands go
there, and from there come what they say and what happens.
"""

import collections
import json
import os
import re
import socket

from harness.kamailio import DOMAIN
from harness.process import Process, free_ports, wait_until

MODULES = "/usr/lib/baresip/modules"
REGISTER_S = 60
PUBLISH_S = 60
IN_USE = 98  # its exit status when somebody else was faster at one of its ports

# What it hears is played into nothing, and what it says is that; there is no file for any ring tone.
CONFIGURATION = """
poll_method epoll
sip_listen {address}:{sip_port}
net_interface {address}
call_local_timeout 60
call_max_calls 4
audio_path {directory}
audio_source aubridge,{user}
audio_player aubridge,{user}
audio_alert aubridge,{user}-alert
module_path {modules}
module g711.so
module aubridge.so
module_tmp account.so
module_app contact.so
module_app menu.so
module_app presence.so
module_app ctrl_tcp.so
ctrl_tcp_listen {address}:{control_port}
"""

ACCOUNT = ('"{name}" <sip:{user}@{domain}>;auth_user={user};auth_pass={password};regint={register_s};'
           'pubint={publish_s};outbound="sip:{server};transport={transport}";answermode=manual\n')

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
COMMAND = re.compile(r"ctrl_tcp: handle_command: [^\n]*\n")

Event = collections.namedtuple("Event", "type peer detail")


class Baresip:
    """One phone, registered as the user. `watches` are those whose presence it shows; it writes to the first.

    One that publishes its own presence does not register: when it does both it may publish twice at once,
    and then changes only one of the two.
    """

    def __init__(self, directory, user, server, password, *, transport="udp", watches=(), publishes=False,
                 address="127.0.0.1"):
        os.makedirs(directory, mode=0o700)
        self.directory = str(directory)
        self.user = user
        self._process = None
        self._control = None
        self._received = b""
        self._events = []
        self._answers = {}
        self._n_commands = 0
        self._write("accounts", ACCOUNT.format(
            name=user.title(), user=user, domain=DOMAIN, password=password, server=server, transport=transport,
            register_s=0 if publishes else REGISTER_S, publish_s=PUBLISH_S if publishes else 0))
        self._write("contacts", "".join(
            f'"{each}" <sip:{each}@{DOMAIN}>;presence=p2p\n' for each in watches))
        try:
            while not self._start(address):
                pass
            wait_until(self._has_published if publishes else self._is_registered, 10, f"{user}'s phone is there", self.log)
        except BaseException:
            self.end()
            raise

    def _start(self, address):
        """Start it; False if a port was taken, since it also takes the one after its own, for TLS."""
        sip_port, control_port = free_ports(2, address)
        self._write("config", CONFIGURATION.format(
            directory=self.directory, address=address, user=self.user, modules=MODULES, sip_port=sip_port,
            control_port=control_port))
        self._process = Process("baresip", ["baresip", "-v", "-s", "-f", self.directory],
                                os.path.join(self.directory, "baresip.log"))

        def decided():
            status = self._process.status()
            assert status in (None, IN_USE), f"baresip ended with {status}:\n{self.log()}"
            return status or self._connect((address, control_port))

        wait_until(decided, 10, f"{self.user}'s phone answers", self.log)
        return self._control is not None

    def _write(self, name, text):
        with open(os.path.join(self.directory, name), "w", encoding="utf-8") as file:
            file.write(text)

    def _is_registered(self):
        return re.search(r"> sip:.* OK ", self.command("reginfo"))

    def _has_published(self):
        return "\nSIP-ETag: " in self.log()

    def log(self):
        """What it said, with all that it sent and received."""
        return COMMAND.sub("", COLOUR.sub("", self._process.log()))

    def end(self):
        """Unregisters and ends."""
        if self._control:
            self._control.close()
            self._control = None
        if self._process:
            process, self._process = self._process, None
            process.end()

    # Its control socket: netstrings of JSON

    def _connect(self, address):
        try:
            control = socket.create_connection(address, timeout=5)
        except ConnectionRefusedError:
            return False
        if control.getsockname() == control.getpeername():  # where nobody listens yet, one may reach oneself
            control.close()
            return False
        self._control = control
        return True

    def _receive(self, timeout_s):
        """Take what has come, and wait for some if told to."""
        self._control.settimeout(timeout_s)
        try:
            received = self._control.recv(1 << 16)
        except (BlockingIOError, TimeoutError):
            return
        assert received, f"baresip closed its control socket\n{self.log()}"
        self._received += received
        while (end := self._received.find(b":")) > 0 and len(self._received) > (last := end + 1 + int(self._received[:end])):
            message = json.loads(self._received[end + 1:last])
            self._received = self._received[last + 1:]
            if message.get("event"):
                self._events.append(Event(message["type"], message.get("peeruri", ""), message.get("param", "")))
            else:
                self._answers[message["token"]] = message

    def command(self, name, parameters=""):
        """What it prints about one of its commands (`/help` lists them)."""
        self._n_commands += 1
        token = str(self._n_commands)
        request = json.dumps({"command": name, "params": parameters, "token": token}).encode()
        self._control.sendall(b"%d:%b," % (len(request), request))

        def answered():
            self._receive(0.1)
            return token in self._answers

        wait_until(answered, 5, f"baresip answers {name}", self.log)
        answer = self._answers.pop(token)
        assert answer["ok"], f"baresip: {name} {parameters}: {answer['data']}"
        return COLOUR.sub("", answer["data"])

    def events(self, kind=None):
        """What happened so far, or what of one kind."""
        self._receive(0)
        return [each for each in self._events if kind in (None, each.type)]

    def wait_event(self, kind, count=1, timeout_s=10):
        """Wait until it happened so often; returns the last."""
        return wait_until(lambda: self.events(kind)[count - 1:], timeout_s, f"{self.user}'s phone: {kind}",
                          lambda: f"{self._events}\n{self.log()[-6000:]}")[-1]

    # What a person does with it

    def dial(self, uri):
        self.command("dial", uri)

    def accept(self):
        self.command("accept")

    def hang_up(self):
        self.command("hangup")

    def write(self, text):
        """To the first of those it watches."""
        self.command("message", text)

    def calls(self):
        """The states of its calls, such as "RINGING" or "ESTABLISHED"."""
        return re.findall(r"\[line [0-9]+\] +[0-9:]+ +([A-Z]+)", self.command("listcalls"))

    def shows(self, user):
        """The presence of somebody it watches: "Online", "Busy", "Offline", which away is, too, or "Unknown"."""
        return re.search(rf"(\w+) {user} <sip:", self.command("contacts")).group(1)

    def wait_shows(self, user, presence, timeout_s=10):
        wait_until(lambda: self.shows(user) == presence, timeout_s, f"{user} is {presence} at {self.user}'s phone",
                   lambda: f"{self.shows(user)}\n{self.log()[-6000:]}")
