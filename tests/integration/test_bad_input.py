# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Bad input, on tables: every method of the D-Bus files and every command of `muster help`.

What is wrong is refused by its name, in words, with the documented error or exit status, and nothing
is changed. Words are short and printable whatever was said.
"""

import glob
import os
import subprocess
import time
import xml.etree.ElementTree as ElementTree

import gi
import pytest

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

from echo_all import EchoAll  # noqa: E402
from harness.muster import BUS_NAME, ROOT_PATH  # noqa: E402
from harness.secrets import note, secret_pipe  # noqa: E402

ECHO = "ann@echo.test"
SIP = "alice@example.test"
REFUSED = "mallory@echo.test"
ALL = "zoe@all.test"
SECRET = "se:cret"
XML = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "data", "dbus", "*.xml")
LONG = "x" * (1 << 20)
LONG_WORD = "x" * 100000  # the kernel takes no longer one on a command line
MANY = {f"option-{number}": GLib.Variant("b", True) for number in range(10000)}
INVALID, NOT_FOUND = "InvalidArgument", "NotFound"
MAX_WORDS = 400

HOSTILE = {
    "empty": "",
    "long": LONG,
    "two lines": "a\r\nVia: SIP/2.0/UDP 192.0.2.66",
    "escapes": "a\x1b[2J",
    "bidi": "a\u202eb",
}


class Target:
    """A daemon with an account of each kind, and a call that must fail."""

    def __init__(self, muster, folder):
        self.muster = muster
        muster.add("echo", ECHO, secret=SECRET, lease=3600)
        muster.add("sip", SIP, secret=SECRET, wait=False, server="127.0.0.1:9")
        muster.add("echo", REFUSED, secret=SECRET, wait=False)
        muster.wait_state(REFUSED, "waiting-secret")
        self.echo, self.sip = (f"{ROOT_PATH}/Account/{muster.show(each)['id']}" for each in (ECHO, SIP))
        self.identity = muster.get("Account", "Identity", self.echo)
        self.request = f"{ROOT_PATH}/Request/{muster.json('agent', 'list')[0]['id']}"
        all_of_it = EchoAll(muster, folder, ALL, lease=3600)
        self.all = f"{ROOT_PATH}/Account/{all_of_it.id}"
        all_of_it.send(f"call 1 {ECHO}")
        (incoming,), _ = muster.call("Manager", "List", "(sa{sv}assua{sv})", ("incoming", {}, ["Incoming.Id"], "", 10, {}))
        self.incoming = incoming["Path"]
        self.before = self.configuration()

    def configuration(self):
        rows = [{name: row[name] for name in ("id", "address", "name", "enabled", "parameters", "secrets", "identity-name")}
                for row in self.muster.list()]
        return rows, self.muster.json("identity", "list"), self.muster.json("presence")

    def path(self, interface):
        return {"Account": self.echo, "Registration": self.echo, "Identity": self.identity,
                "Presence": self.identity, "Publication": self.all, "Incoming": self.incoming,
                "Request": self.request, "Plugin": f"{ROOT_PATH}/Plugin/echo"}.get(interface, ROOT_PATH)

    def error(self, interface, method, signature, arguments, fds=None, path=None):
        """The name and the words of the error."""
        with pytest.raises(GLib.Error) as caught:
            self.muster.connection.call_with_unix_fd_list_sync(
                BUS_NAME, path or self.path(interface), f"{BUS_NAME}.{interface}", method,
                GLib.Variant(signature, arguments), None, 0, 20000, fds, None)
        name = Gio.DBusError.get_remote_error(caught.value)
        words = caught.value.message.partition(f"{name}: ")[2]
        return name, words

    def refused(self, kinds, word, *call, **more):
        """It fails with one of the errors, names what was wrong, and says so in few, printable words."""
        name, words = self.error(*call, **more)
        what = f"{call[:3]} {name}: {words[:200]!r}"
        assert name in [f"{BUS_NAME}.Error.{kind}" for kind in kinds], what
        assert word in words, what
        assert len(words) < MAX_WORDS and words.isprintable(), what
        assert words[-1] != "." and len(words.split()) > 1, what

    def unchanged(self):
        assert self.configuration() == self.before
        assert self.muster.name_owner_pid() == self.muster.pid


@pytest.fixture
def target(muster, tmp_path):
    return Target(muster, tmp_path)


def methods():
    """(interface, method, argument names, argument types) of every method of the daemon."""
    found = []
    for path in sorted(glob.glob(XML)):
        for interface in ElementTree.parse(path).getroot().iter("interface"):
            name = interface.get("name").rpartition(".")[2]
            for method in interface.iter("method") if name != "Agent" else ():  # which is the clients'
                arguments = [each for each in method.iter("arg") if each.get("direction") == "in"]
                found.append((name, method.get("name"), [each.get("name") for each in arguments],
                              [each.get("type") for each in arguments]))
    return found


# One good call of each method: the tables put one bad thing at a time into it.
GOOD = {
    "AddIdentity": ("Bob", {}),
    "AddAccount": ("echo", "bob@echo.test", {}, {}, {}),
    "Find": ("account", ECHO, {}),
    "List": ("account", {}, [], "", 10, {}),
    "ListEvents": ({}, "", 10, {}),
    "Rename": ("Bob", {}),
    "Update": ({}, [], {}),
    "SetEnabled": (False, {}),
    "SetSecret": ("password", 0, {}),
    "ClearSecret": ("password", {}),
    "Remove": ({},),
    "Refresh": ({},),
    "RetryNow": ({},),
    "Verify": ({},),
    "Explain": ({},),
    "ListBindings": ({},),
    "RemoveBinding": ("sip:alice@192.0.2.1", {}),
    "RemoveAllBindings": ({},),
    "Register": ("/agent", {}),
    "Unregister": ("/agent", {}),
    "Answer": ({}, {"password": 0}, {}),
    "Unlock": ({},),
    "RegisterHandler": ("sip:me@127.0.0.1:5070", ["call"], {}),
    "UnregisterHandler": ("sip:me@127.0.0.1:5070", {}),
    "Accept": ({},),
    "Decline": ({},),
    "Busy": ({},),
    "Redirect": ("echo-all:carol@all.test", {}),
    "Resume": ({},),
    "Test": ("echo", "bob@echo.test", {}, {}, {}),
    "Discover": ("bob@echo.test", {}),
    "Export": ({},),
    "Import": ('{"format": "muster-accounts", "version": 1}', {"dry-run": GLib.Variant("b", True)}),
    "Connect": ({},),
    "Disconnect": ({},),
    "Get": ({},),
    "SetLogging": ("", {}),
    "GetMessages": ("", 1, {}),
    "SetLayer": ("user", {"presence": GLib.Variant("s", "away")}, {}),
    "RemoveLayer": ("user", {}),
    "SetOverride": ("away", {}),
    "Contacts.List": ({}, "", 10, {}),  # another method has its name
    "Watch": ("/", "bob@echo.test", {}),
    "Unwatch": ("/", "bob@echo.test", {}),
    "Authorise": ("/", "bob@echo.test", True, {}),
}


def good(interface, method):
    return GOOD.get(f"{interface}.{method}") or GOOD[method]


def types_of(interface, method):
    return next(types for *names, _, types in methods() if names == [interface, method])


def with_bad(interface, method, position, value):
    arguments = good(interface, method)
    return (*arguments[:position], value, *arguments[position + 1:])


def fds_for(types):
    return secret_pipe(SECRET) if any("h" in each for each in types) else None


def test_missing_and_wrong_types(target):
    """A call without an argument, with one too many, or with another type, is refused by the bus's own error."""
    every = methods()
    assert {name for _, name, _, _ in every} == {name.rpartition(".")[2] for name in GOOD}, "a new method wants a line in the table"
    others = {"s": ("u", 1), "u": ("s", "x"), "b": ("s", "x"), "o": ("s", "x"), "h": ("s", "x"), "a{sv}": ("s", "x"),
              "as": ("s", "x"), "a{sh}": ("a{sv}", {})}
    for interface, method, _, types in every:
        arguments = good(interface, method)
        bad = [(types[:-1], arguments[:-1]), ([*types, "s"], (*arguments, "x"))]
        for position, kind in enumerate(types):
            other, value = others[kind]
            bad.append(([*types[:position], other, *types[position + 1:]], with_bad(interface, method, position, value)))
        for wrong_types, arguments in bad:
            name, words = target.error(interface, method, f"({''.join(wrong_types)})", arguments, fds=fds_for(wrong_types))
            assert name == "org.freedesktop.DBus.Error.InvalidArgs" and "type" in words, (method, wrong_types, name, words)
    target.unchanged()


def test_options_that_nobody_knows(target):
    """One, with a hostile name or 10,000 of them: each method with options says which it does not know."""
    n_tried = 0
    for interface, method, names, types in methods():
        for position, (name, kind) in enumerate(zip(names, types)):
            if kind != "a{sv}" or name in ("parameters", "set", "answer"):
                continue
            for options in [MANY, *({key: GLib.Variant("s", "x")} for key in HOSTILE.values())]:
                target.refused([INVALID], name, interface, method, f"({''.join(types)})",
                               with_bad(interface, method, position, options), fds=fds_for(types))
                n_tried += 1
    assert n_tried > 90
    target.unchanged()


# Strings: which argument of which method, what the words must name, and what is good about a bad one.
STRINGS = [
    ("Manager", "AddIdentity", 0, "name", [INVALID]),
    ("Identity", "Rename", 0, "name", [INVALID]),
    ("Manager", "AddAccount", 0, "protocol", [INVALID, NOT_FOUND]),
    ("Manager", "AddAccount", 1, "address", [INVALID]),
    ("Manager", "Find", 0, "kind", [INVALID]),
    ("Manager", "Find", 1, "accounts", [NOT_FOUND]),
    ("Manager", "List", 0, "kind", [INVALID]),
    ("Manager", "Test", 0, "protocol", [INVALID, NOT_FOUND]),
    ("Manager", "Test", 1, "address", [INVALID]),
    ("Manager", "Discover", 0, "address", [INVALID]),
    ("Manager", "Import", 0, "document", [INVALID]),
    ("Contacts", "Watch", 1, "address", [INVALID]),
    ("Contacts", "Unwatch", 1, "address", [INVALID]),
    ("Contacts", "Authorise", 1, "address", [INVALID]),
    ("HandlerManager", "RegisterHandler", 0, "address", [INVALID]),
    ("HandlerManager", "UnregisterHandler", 0, "address", [NOT_FOUND]),
    ("Incoming", "Redirect", 0, "target", [INVALID]),
    ("Account", "SetSecret", 0, "secret", [INVALID]),
    ("Registration", "RemoveBinding", 0, "uri", [INVALID]),
    ("Account", "ClearSecret", 0, "secret", [INVALID]),
    ("Presence", "SetLayer", 0, "name", [INVALID]),
    ("Presence", "RemoveLayer", 0, "layer", [NOT_FOUND]),
    ("Publication", "SetOverride", 0, "override", [INVALID]),
]


@pytest.mark.parametrize("interface, method, position, word, kinds", STRINGS,
                         ids=[f"{method}-{position}" for _, method, position, _, _ in STRINGS])
def test_hostile_strings(target, interface, method, position, word, kinds):
    """Empty, 1 MB long, of two lines, with escapes and with what turns text around."""
    types = types_of(interface, method)
    for what, text in HOSTILE.items():
        if what == "bidi" and word in ("name", "address"):
            continue  # a name may be of any script
        target.refused(kinds, word, interface, method, f"({''.join(types)})", with_bad(interface, method, position, text),
                       fds=fds_for(types))
    target.unchanged()


def variant(kind, value):
    return GLib.Variant(kind, value)


def layer(**more):
    return {"presence": variant("s", "away"), **more}


VALUES = [
    # method, arguments, what the words must name
    ("Manager", "List", ("account", {}, ["Account.NoSuch"], "", 10, {}), "fields"),
    ("Manager", "List", ("account", {}, [LONG], "", 10, {}), "fields"),
    ("Manager", "List", ("account", {}, ["Account.Id"] * 1000, "", 10, {}), "fields"),
    ("Manager", "List", ("account", {"state": variant("s", "happy")}, [], "", 10, {}), "state"),
    ("Manager", "List", ("account", {"state": variant("s", LONG)}, [], "", 10, {}), "state"),
    ("Manager", "List", ("account", {"enabled": variant("s", "yes")}, [], "", 10, {}), "enabled"),
    ("Manager", "List", ("identity", {"enabled": variant("b", True)}, [], "", 10, {}), "enabled"),
    ("Manager", "List", ("account", {}, [], "", 0, {}), "limit"),
    ("Manager", "List", ("account", {}, [], "", 0xFFFFFFFF, {}), "limit"),
    ("Manager", "ListEvents", ({}, "", 0, {}), "limit"),
    ("Manager", "ListEvents", ({}, "yesterday", 10, {}), "cursor"),
    ("Manager", "ListEvents", ({}, LONG, 10, {}), "cursor"),
    ("Manager", "ListEvents", ({}, "99999999999999999999", 10, {}), "cursor"),
    ("Manager", "ListEvents", ({"account": variant("o", "/nobody")}, "", 10, {}), "account"),
    ("Manager", "ListEvents", ({"type": variant("u", 1)}, "", 10, {}), "type"),
    ("Manager", "AddAccount", ("echo", "bob@echo.test", MANY, {}, {}), "option-0"),
    ("Manager", "AddAccount", ("echo", "bob@echo.test", {"lease": variant("s", "x")}, {}, {}), "lease"),
    ("Manager", "AddAccount", ("echo", "bob@echo.test", {"password": variant("s", SECRET)}, {}, {}), "password"),
    ("Manager", "AddAccount", ("echo", "bob@echo.test", {}, {"password": 0}, {}), "password"),
    ("Manager", "AddAccount", ("echo", "bob@echo.test", {}, {}, {"identity": variant("s", "Ann")}), "identity"),
    ("Manager", "AddAccount", ("echo", "bob@echo.test", {}, {}, {"enabled": variant("s", "yes")}), "enabled"),
    ("Manager", "AddAccount", ("echo", "bob@echo.test", {}, {}, {"name": variant("s", LONG)}), "name"),
    ("Manager", "AddAccount", ("echo", "bob@echo.test", {}, {}, {"name": variant("s", "a\nb")}), "name"),
    ("Account", "Update", ({"lease": variant("u", 86401)}, [], {}), "lease"),
    ("Account", "Update", ({"lease": variant("a{sv}", MANY)}, [], {}), "lease"),
    ("Account", "Update", ({"lease": variant("u", 5)}, ["lease"], {}), "lease"),
    ("Account", "Update", ({"password": variant("s", SECRET)}, [], {}), "password"),
    ("Account", "Update", ({"no-such": variant("s", "x")}, [], {}), "no-such"),
    ("Account", "Update", ({}, ["no-such"], {}), "no-such"),
    ("Account", "Update", ({}, list(MANY), {}), "option-0"),
    ("Account", "Update", ({}, ["password"], {}), "password"),
    ("Account", "Update", ({}, [], {"name": variant("s", "")}), "name"),
    ("Account", "SetSecret", ("lease", 0, {}), "lease"),
    ("Account", "ClearSecret", ("lease", {}), "lease"),
    ("Request", "Answer", ({"maybe": variant("b", True)}, {}, {}), "maybe"),
    ("Request", "Answer", ({LONG: variant("b", True)}, {}, {}), "answer"),
    ("Request", "Answer", ({}, {}, {}), "password"),
    ("AgentManager", "Register", ("/agent", {"kinds": variant("s", "secret")}), "kinds"),
    ("Presence", "SetLayer", ("user", {}, {}), "presence"),
    ("Presence", "SetLayer", ("user", {"presence": variant("s", "happy")}, {}), "happy"),
    ("Presence", "SetLayer", ("user", {"presence": variant("s", LONG)}, {}), "presence"),
    ("Presence", "SetLayer", ("user", {"presence": variant("u", 1)}, {}), "presence"),
    ("Presence", "SetLayer", ("user", layer(text=variant("s", "x" * 1025)), {}), "text"),
    ("Presence", "SetLayer", ("user", layer(text=variant("s", HOSTILE["two lines"])), {}), "text"),
    ("Presence", "SetLayer", ("user", layer(text=variant("s", HOSTILE["escapes"])), {}), "text"),
    ("Presence", "SetLayer", ("user", layer(priority=variant("u", 101)), {}), "priority"),
    ("Presence", "SetLayer", ("user", layer(until=variant("t", 1)), {}), "until"),
    ("Presence", "SetLayer", ("user", layer(until=variant("x", 1)), {}), "until"),
    ("Presence", "SetLayer", ("x" * 33, layer(), {}), "name"),
    ("Presence", "SetLayer", ("user", layer(), {"keep": variant("s", "yes")}), "keep"),
    ("Publication", "SetOverride", ("dnd", {"text": variant("s", "x" * 1025)}), "text"),
    ("Publication", "SetOverride", ("dnd", {"text": variant("s", HOSTILE["two lines"])}), "text"),
    ("Publication", "SetOverride", ("inherit", {"text": variant("s", "x")}), "text"),
    ("Contacts", "List", ({}, "", 0, {}), "limit"),
    ("Contacts", "List", ({}, "", 1001, {}), "limit"),
    ("Contacts", "List", ({"presence": variant("s", "happy")}, "", 10, {}), "presence"),
    ("Contacts", "List", ({"state": variant("s", LONG)}, "", 10, {}), "state"),
    ("Contacts", "List", ({"asks": variant("s", "yes")}, "", 10, {}), "asks"),
    ("Contacts", "List", ({"account": variant("o", "/nobody")}, "", 10, {}), "account"),
    ("Contacts", "List", ({"identity": variant("o", "/nobody")}, "", 10, {}), "identity"),
    ("Contacts", "Watch", ("/", "bob@echo.test", {"name": variant("s", LONG)}), "name"),
    ("Contacts", "Watch", ("/", "bob@echo.test", {"name": variant("s", "a\nb")}), "name"),
    ("HandlerManager", "RegisterHandler", ("sip:me", [], {}), "kinds"),
    ("HandlerManager", "RegisterHandler", ("sip:me", [LONG], {}), "kinds"),
    ("HandlerManager", "RegisterHandler", ("sip:me", ["call"] * 100000, {}), "kinds"),
    ("HandlerManager", "RegisterHandler", ("sip:me", ["call"], {"accounts": variant("as", ["x"])}), "accounts"),
    ("HandlerManager", "RegisterHandler", ("sip:me", ["call"], {"accounts": variant("ao", ["/x"] * 65)}), "accounts"),
    ("Incoming", "Accept", ({"target": variant("s", LONG)},), "target"),
    ("Incoming", "Accept", ({"target": variant("s", "")},), "target"),
    ("Incoming", "Accept", ({"target": variant("u", 1)},), "target"),
]


def test_bad_values(target):
    """Values that no method takes; half of a good change is not made either."""
    for interface, method, arguments, word in VALUES:
        types = types_of(interface, method)
        fds = secret_pipe(SECRET) if method == "SetSecret" else None
        target.refused([INVALID], word, interface, method, f"({''.join(types)})", arguments, fds=fds)
    target.refused([INVALID], "lease", "Account", "Update", "(a{sv}asa{sv})",
                   ({"delay": variant("u", 1), "lease": variant("u", 86401)}, [], {"name": variant("s", "half")}))
    target.refused([NOT_FOUND], "identity", "Manager", "AddAccount", "(ssa{sv}a{sh}a{sv})",
                   ("echo", "bob@echo.test", {}, {}, {"identity": variant("o", "/nobody")}))
    target.refused([NOT_FOUND], "/nobody", "Contacts", "Watch", "(osa{sv})", ("/nobody", "bob@echo.test", {}))
    target.refused([NOT_FOUND], "/nobody", "AgentManager", "Unregister", "(oa{sv})", ("/nobody", {}))
    target.unchanged()


@pytest.mark.parametrize("name", ["server", "outbound-proxy", "auth-user", "display-name", "transport"])
def test_nothing_gets_into_a_message(target, name):
    """What stands in a SIP message later has one line and a bounded length, or is refused."""
    for what in ("long", "two lines", "escapes"):
        target.refused([INVALID], name, "Account", "Update", "(a{sv}asa{sv})",
                       ({name: variant("s", HOSTILE[what])}, [], {}), path=target.sip)
    for address in (f"{HOSTILE['two lines']}@example.test", f"alice@{HOSTILE['two lines']}", f"{LONG}@example.test"):
        target.refused([INVALID], "address", "Manager", "AddAccount", "(ssa{sv}a{sh}a{sv})", ("sip", address, {}, {}, {}))
    target.unchanged()


# Descriptors


def regular(content):
    """A file with the content, open for reading."""
    descriptor = os.memfd_create("secret")
    os.write(descriptor, content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return Gio.UnixFDList.new_from_array([descriptor])


def opened(path, flags=os.O_RDONLY):
    return Gio.UnixFDList.new_from_array([os.open(path, flags)])


DESCRIPTORS = [
    # what, its descriptor, what the words say
    ("none", lambda folder: None, "without its descriptor"),
    ("empty", lambda folder: regular(b""), "empty"),
    ("with NUL", lambda folder: regular(b"se\0cret"), "zero byte"),
    ("64 kB + 1", lambda folder: regular(b"x" * 65537), "longer than 65536 bytes"),
    ("a folder", lambda folder: opened(folder), "not a pipe, socket or file"),
    ("a device without end", lambda folder: opened("/dev/zero"), "not a pipe, socket or file"),
    ("only to be written", lambda folder: opened(os.path.join(folder, "file"), os.O_CREAT | os.O_WRONLY), "cannot be read"),
]


@pytest.mark.parametrize("_what, make, words", DESCRIPTORS, ids=[row[0] for row in DESCRIPTORS])
def test_bad_descriptors(target, tmp_path, _what, make, words):
    """Wherever a secret is taken, a bad descriptor is refused, and the old secret stays."""
    for interface, method, signature, arguments in (
            ("Account", "SetSecret", "(sha{sv})", ("password", 0, {})),
            ("Manager", "AddAccount", "(ssa{sv}a{sh}a{sv})", ("echo", "bob@echo.test", {}, {"password": 0}, {})),
            ("Request", "Answer", "(a{sv}a{sh}a{sv})", ({}, {"password": 0}, {}))):
        name, said = target.error(interface, method, signature, arguments, fds=make(tmp_path))
        assert name == f"{BUS_NAME}.Error.{INVALID}" and "password" in said and words in said, (method, name, said)
    target.unchanged()


def test_descriptors_that_never_end(target):
    """Each is given up after 5 s, and meanwhile everybody else is served."""
    ends = [os.pipe() for _ in range(20)]
    began_s = time.monotonic()
    outcomes = []

    def on_answer(connection, result):
        with pytest.raises(GLib.Error, match="password did not end within 5 s"):
            connection.call_with_unix_fd_list_finish(result)
        outcomes.append(time.monotonic() - began_s)

    for reading, _ in ends:
        target.muster.connection.call_with_unix_fd_list(
            BUS_NAME, target.echo, f"{BUS_NAME}.Account", "SetSecret", GLib.Variant("(sha{sv})", ("password", 0, {})), None,
            0, 20000, Gio.UnixFDList.new_from_array([reading]), None, on_answer)
    assert target.muster.show(ECHO)["state"] == "registered"
    while len(outcomes) < len(ends):
        GLib.MainContext.default().iteration(True)
    assert all(4.5 < each < 8 for each in outcomes), outcomes
    for _, writing in ends:
        os.close(writing)
    target.unchanged()


def test_64_kilobytes_are_a_secret(target):
    """What is just not too long is taken."""
    target.muster.connection.call_with_unix_fd_list_sync(
        BUS_NAME, target.echo, f"{BUS_NAME}.Account", "SetSecret", GLib.Variant("(sha{sv})", ("password", 0, {})), None, 0,
        5000, regular(b"x" * 65536), None)


# The command line


BAD, NOBODY, AMBIGUOUS, REFUSES = 2, 5, 6, 8
COMMANDS = {
    # command: rows of status and words
    "list": [(BAD, "x"), (BAD, "--state", "happy"), (NOBODY, "--identity", "nobody"),
             (NOBODY, "--protocol", "pigeon")],
    "show": [(BAD,), (NOBODY, "nobody"), (AMBIGUOUS, "a"), (BAD, ECHO, ECHO)],
    "bindings": [(BAD,), (NOBODY, "nobody"), (AMBIGUOUS, "a"), (BAD, ECHO, ECHO), (REFUSES, ECHO), (REFUSES, SIP),
                 (REFUSES, SIP, "--remove", ""), (REFUSES, SIP, "--remove", LONG_WORD), (REFUSES, SIP, "--remove", "sip:a\r\nb"),
                 (REFUSES, SIP, "--remove-all", "--yes"), (BAD, SIP, "--remove", "sip:a", "--remove-all")],
    "explain": [(BAD,), (NOBODY, "nobody"), (AMBIGUOUS, "a")],
    "add": [(BAD,), (NOBODY, "echo"), (NOBODY, "pigeon", ECHO), (REFUSES, "echo", ECHO), (REFUSES, "echo", ""),
            (REFUSES, "echo", "a\r\nb@c"), (REFUSES, "echo", LONG_WORD), (BAD, "echo", "b@c", "--set", "lease"),
            (BAD, "echo", "b@c", "--set", "lease=x"), (BAD, "echo", "b@c", "--set", "nothing=x"),
            (BAD, "echo", "b@c", "--set", f"password={SECRET}"), (REFUSES, "echo", "b@c", "--set", "lease=86401"),
            (NOBODY, "echo", "b@c", "--identity", "nobody"), (REFUSES, "echo", "b@c", "--name", "a\nb"),
            (BAD, "echo", "b@c", "--password-fd", "77"), (BAD, "echo", "b@c", "--secret-fd", "nothing=0"),
            (BAD, "echo", "b@c", "--wait=soon")],
    "set": [(BAD,), (BAD, ECHO), (NOBODY, "nobody", "lease=5"), (BAD, ECHO, "lease"), (BAD, ECHO, "lease=x"),
            (BAD, ECHO, "=5"), (BAD, ECHO, "lease=-1"), (REFUSES, ECHO, "lease=86401"), (BAD, ECHO, "nothing=5"),
            (BAD, ECHO, f"password={SECRET}"), (BAD, ECHO, "--unset", "nothing"), (REFUSES, ECHO, "--name", ""),
            (REFUSES, ECHO, "--name", LONG_WORD), (REFUSES, SIP, "server=a\r\nb"),
            (REFUSES, SIP, "server="), (REFUSES, SIP, "server=a b"), (REFUSES, SIP, "tls-ca=ca.pem"), (BAD, ECHO, f"{LONG_WORD}=1")],
    "secret": [(BAD,), (BAD, ECHO), (BAD, ECHO, "nothing", "--fd", "0"), (BAD, ECHO, "password", SECRET),
               (BAD, ECHO, "password", "--fd", "-1"), (BAD, ECHO, "password", "--fd", "77"), (BAD, ECHO, "password", "-"),
               (NOBODY, "nobody", "password", "--fd", "0")],
    "agent": [(BAD, "x"), (BAD, "answer"), (NOBODY, "answer", "nobody", "--accept"), (BAD, "--for", "ever")],
    "incoming": [(BAD, "x"), (BAD, "accept"), (NOBODY, "accept", "nobody"), (NOBODY, "decline", ""), (BAD, "redirect", "i"),
                 (NOBODY, "show", LONG_WORD), (REFUSES, "accept", "i"), (REFUSES, "redirect", "i", "a b"),
                 (REFUSES, "accept", "i", "--to", LONG_WORD), (REFUSES, "redirect", "i", "a\r\nb"), (BAD, "decline", "i", "--to", "x"),
                 (BAD, "--for", "3"), (BAD, "--watch", "--for", "ever"), (BAD, "accept", "i", "--all")],
    "enable": [(BAD,), (NOBODY, "nobody"), (AMBIGUOUS, "a"), (BAD, ECHO, "--wait=soon")],
    "disable": [(BAD,), (NOBODY, "nobody"), (AMBIGUOUS, "a"), (BAD, ECHO, "--wait=soon")],
    "refresh": [(BAD,), (NOBODY, "nobody"), (AMBIGUOUS, "a"), (REFUSES, REFUSED)],
    "verify": [(BAD,), (NOBODY, "nobody"), (AMBIGUOUS, "a"), (REFUSES, ECHO), (REFUSES, REFUSED)],
    "retry": [(BAD,), (NOBODY, "nobody"), (AMBIGUOUS, "a"), (REFUSES, ECHO)],
    "remove": [(BAD,), (NOBODY, "nobody", "--yes"), (AMBIGUOUS, "a", "--yes")],
    "contacts": [(BAD, "x"), (BAD, "--presence", "happy"), (NOBODY, "--account", "nobody"), (NOBODY, "--identity", "nobody")],
    "watch": [(BAD,), (BAD, "b@c", "d@e"), (REFUSES, "b@c", "--account", SIP), (BAD, ""), (REFUSES, "a\r\nb@c"), (REFUSES, LONG_WORD),
              (REFUSES, "b@c", "--name", ""), (BAD, "b@c", "--name", "x", "--remove"), (NOBODY, "b@c", "--account", "nobody"),
              (REFUSES, "b@c", "--account", ECHO), (NOBODY, "b@c", "--remove"), (AMBIGUOUS, "b@c", "--account", "a")],
    "allow": [(BAD,), (NOBODY, "b@c"), (REFUSES, "a\x1b[2J"), (REFUSES, "b@c", "--account", ECHO), (BAD, "b@c", "d@e")],
    "deny": [(BAD,), (NOBODY, "b@c"), (BAD, ""), (REFUSES, "b@c", "--account", ECHO), (NOBODY, "b@c", "--account", "nobody")],
    "monitor": [(NOBODY, "nobody"), (BAD, "--for", "ever"), (BAD, "--for", "-1")],
    "log": [(NOBODY, "nobody"), (BAD, "--type", "bogus"), (BAD, "--limit", "x"), (BAD, "--limit", "-1"), (BAD, "--limit", "9" * 30)],
    "events": [(BAD, "x"), (BAD, "--type", "bogus"), (BAD, "--for", "ever")],
    "identity": [(BAD, "x"), (BAD, "add"), (REFUSES, "add", ""), (REFUSES, "add", LONG_WORD), (REFUSES, "add", "a\r\nb"),
                 (NOBODY, "rename", "nobody", "x"), (NOBODY, "remove", "nobody"), (BAD, "rename", "x")],
    "protocols": [(NOBODY, "nobody"), (BAD, "echo", "sip")],
    "presence": [(BAD, "happy"), (BAD, "away", "dnd"), (BAD, "inherit"), (BAD, "--text", "x"), (BAD, "--for", "5m"),
                 (BAD, "away", "--for", "5"), (BAD, "away", "--for", LONG_WORD), (BAD, "away", "--until", "soon"),
                 (BAD, "away", "--until", "2001-01-01"), (BAD, "away", "--for", "5m", "--until", "23:59"),
                 (BAD, "away", "--priority", "x"), (BAD, "away", "--priority", "-2"), (REFUSES, "away", "--priority", "101"),
                 (REFUSES, "away", "--text", "a\nb"), (REFUSES, "away", "--text", LONG_WORD), (REFUSES, "away", "--layer", "A b"),
                 (BAD, "--layer", "call"), (BAD, "--clear", "away"), (BAD, "--clear", "--text", "x"), (NOBODY, "--clear"),
                 (NOBODY, "--clear", "--layer", "nobody"), (NOBODY, "--identity", "nobody"),
                 (NOBODY, "away", "--identity", "nobody"), (NOBODY, "away", "--account", "nobody"),
                 (NOBODY, "--account", "nobody"), (AMBIGUOUS, "away", "--account", "a"), (REFUSES, "away", "--account", ECHO),
                 (REFUSES, "--account", ECHO), (BAD, "away", "--account", ALL, "--for", "5m"),
                 (BAD, "away", "--account", ALL, "--layer", "call"), (BAD, "happy", "--account", ALL),
                 (REFUSES, "inherit", "--account", ALL, "--text", "x")],
    "plugin": [(BAD, "x"), (BAD, "show"), (NOBODY, "show", "nobody")],
    "status": [(BAD, "x")],
    "unlock": [(BAD, "x")],
    "test": [(BAD,), (NOBODY, "pigeon", ECHO), (REFUSES, "echo", ECHO), (REFUSES, "echo", ""), (BAD, "echo", "b@c", "x"),
             (BAD, "echo", "b@c", "--set", "nothing=x"), (BAD, "echo", "b@c", "--password-fd", "77")],
    "export": [(NOBODY, "nobody"), (AMBIGUOUS, "a")],
    "import": [(BAD,), (BAD, "x", "y"), (1, "/nonexistent")],
    "connect": [(BAD,), (NOBODY, "nobody"), (AMBIGUOUS, "a"), (BAD, ECHO, "--wait=soon")],
    "disconnect": [(BAD,), (NOBODY, "nobody"), (AMBIGUOUS, "a"), (BAD, ECHO, "--wait=soon")],
    "debug": [(BAD, "x"), (BAD, "--for", "ever"), (REFUSES, "--domains", "GLib")],
    "help": [(BAD, "nobody"), (BAD, LONG_WORD)],
}


def commands(muster):
    """The commands that `muster help` lists."""
    return [line.split()[0] for line in muster.do("help").splitlines() if line.startswith("  ")]


def test_bad_commands(target):
    """Each command with what it does not take: the documented status, words on stderr, and nothing done."""
    note(SECRET)
    listed = commands(target.muster)
    assert set(listed) == set(COMMANDS), "a new command wants a line in the table"
    for command, rows in COMMANDS.items():
        more = [(BAD, "--no-such-option"), (BAD, f"--no-such-{LONG_WORD}"), (BAD, "--no-such-\x1b[2J")]
        for status, *words in [*rows, *more]:
            outcome = target.muster.run(command, *words)
            what = f"{command} {[word[:40] for word in words]}: {outcome.returncode} {outcome.stderr[:300]!r}"
            assert outcome.returncode == status, what
            assert outcome.stderr.startswith("muster: ") and not outcome.stdout, what
            assert outcome.stderr.replace("\n", "").isprintable(), what
            assert SECRET not in outcome.stderr, what
    target.unchanged()


OFF, ON = "olga@echo.test", "nora@echo.test"
SAID = [
    # words of the command, status, all that is said, once and in order
    (["connect", OFF], REFUSES, f"cannot connect {OFF}: it is disabled, so there is nothing to connect; enable it"),
    (["disconnect", OFF], REFUSES, f"cannot disconnect {OFF}: it is disabled, so there is nothing to disconnect"),
    (["retry", OFF], REFUSES, f"cannot retry {OFF}: there is nothing to retry (disabled): it is disabled; enable it"),
    (["add", "echo", OFF], REFUSES, f"cannot add {OFF}: there is already an account for this address"),
    (["test", "echo", ON], REFUSES,
     f"cannot test {ON}: there is an account for this address at its service now; see what becomes of that one"),
    (["add", "sip", SIP, "--set", "expires=abc"], BAD, "'expires' is a whole number from 10 to 86400, which 'abc' is not"),
    (["add", "sip", SIP, "--set", "expires=5"], REFUSES,
     f"cannot add {SIP}: expires cannot be 5; it is from 10 to 86400"),
    (["add", "sip", SIP, "--set", "profile=gb"], REFUSES,
     f"cannot add {SIP}: profile cannot be \"gb\"; it is one of standard, gb28181"),
    (["add", "sip", SIP, "--set", "heartbeat=3601"], REFUSES,
     f"cannot add {SIP}: heartbeat cannot be 3601; it is from 0 to 3600"),
    (["add", "sip", SIP, "--set", "profile=gb28181", "--set", "server-id=3402000000200000000"], REFUSES,
     f"cannot add {SIP}: server-id cannot be \"3402000000200000000\"; it is the 20 digits that name the platform itself, with "
     "profile gb28181: requests to it are for sip:DIGITS@DOMAIN then, else for sip:DOMAIN"),
    (["add", "sip", SIP, "--set", "heart-beat=60"], BAD, "sip has no parameter 'heart-beat'; did you mean 'heartbeat'?"),
    (["add", "sip", SIP, "--set", "tls-ca=ca.pem"], REFUSES,
     f"cannot add {SIP}: tls-ca cannot be \"ca.pem\"; it is the absolute path of a PEM file with authorities to trust beside "
     "the system's"),
    (["add", "sip", SIP, "--set", "outbound-proxy=a b"], REFUSES,
     f"cannot add {SIP}: outbound-proxy cannot be \"a b\"; it is where all requests go first, as host, host:port or SIP URI"),
    (["presence", "aawy"], BAD, "there is no presence 'aawy'; did you mean 'away'?"),
    (["presence", "away", "--for", "30"], BAD, "'30' is not a time from now; write 90s, 30m, 1h30m or 2d"),
    (["presence", "away", "--until", "noon"], BAD, "'noon' is not a time; write 17:30, 2026-11-20 or 2026-11-20T17:30"),
    (["presence", "away", "--until", "2026-01-01"], BAD,
     "'2026-01-01' is over already: a date alone is the beginning of that day; write 17:30, 2026-11-20 or 2026-11-20T17:30"),
    (["presence", "away", "--text", "a\nb"], REFUSES, "cannot say that: text holds control characters; it is one line"),
    (["presence", "away", "--account", ON], REFUSES,
     f"{ON} cannot say a presence: protocol echo has none, or its plugin is not there"),
    (["presence", "--clear"], NOBODY, "cannot clear it: nothing was said in the layer 'user'"),
]


def test_what_is_said(muster):
    """A refusal is one sentence that says whom it is about once, what is wrong, and what to do."""
    muster.add("echo", OFF, wait=False, options=["--disabled"])
    muster.add("echo", ON)
    for words, status, said in SAID:
        outcome = muster.run(*words)
        assert (outcome.stderr, outcome.returncode, outcome.stdout) == (f"muster: {said}\n", status, ""), words
    rows = {line.split()[0]: line for line in muster.do("protocols", "sip").splitlines() if line}
    assert "  10 to 86400  " in rows["expires"] and "  udp, tcp, tls, auto  " in rows["transport"]


def test_bad_programs(muster):
    """No command, none such, and options in the wrong place."""
    for words in ([], ["nobody"], [LONG_WORD], ["--nothing"], ["--json"], ["\x1b[2J"], [""]):
        outcome = muster.run(*words)
        assert outcome.returncode == BAD and outcome.stderr and not outcome.stdout, words
    assert subprocess.run([muster.program, "--nothing"], env=muster.environment, capture_output=True,
                          check=False).returncode == BAD
    assert subprocess.run([muster.program, "x"], env=muster.environment, capture_output=True,
                          check=False).returncode == BAD


def test_bad_secrets_from_descriptors(target):
    """What the command line is given to read a secret from: a folder, no end, nothing, too much, NUL."""
    path = target.muster.log_path + ".secret"
    for what, content, redirection in (
            ("a folder", None, "3</"), ("no end", None, "3</dev/zero"), ("closed", None, "3<&-"), ("to write", None, "3>/dev/null"),
            ("empty", b"", f"3<{path}"), ("one newline", b"\n", f"3<{path}"), ("64 kB + 1", b"x" * 65537, f"3<{path}"),
            ("NUL", b"se\0cret", f"3<{path}")):
        if content is not None:
            with open(path, "wb") as file:
                file.write(content)
        outcome = subprocess.run(
            ["bash", "-c", f'exec "$@" {redirection}', "bash", target.muster.command, "secret", ECHO, "password", "--fd", "3"],
            env=target.muster.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False)
        assert outcome.returncode in (BAD, REFUSES), f"{what}: {outcome}"
        assert outcome.stderr.startswith("muster: ") and len(outcome.stderr) < MAX_WORDS, f"{what}: {outcome}"
    target.unchanged()
