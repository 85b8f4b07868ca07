# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hostile arguments to every method that the D-Bus files declare.

The methods are read from data/dbus, so a new one is tried without a word here. Whatever arrives, the
answer is the method's own or an error with a name that is documented, and the daemon runs on. The
seed is printed; FUZZ_SEED repeats a run, FUZZ_CALLS lengthens it.
"""

import glob
import os
import random
import xml.etree.ElementTree as ElementTree

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

from harness.muster import BUS_NAME, ROOT_PATH  # noqa: E402

XML = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "data", "dbus", "*.xml")
N_CALLS = int(os.environ.get("FUZZ_CALLS", "1500"))
SEED = int(os.environ.get("FUZZ_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
ACCOUNT = "ann@echo.test"
ROOT_INTERFACES = ("Manager", "AgentManager", "Debug", "Metrics")
OWN_ERRORS = f"{BUS_NAME}.Error."
BUS_ERRORS = ("org.freedesktop.DBus.Error.InvalidArgs", "org.freedesktop.DBus.Error.UnknownObject",
              "org.freedesktop.DBus.Error.UnknownMethod", "org.freedesktop.DBus.Error.UnknownInterface")

WORDS = ["", "a", "account", "identity", "echo", "sip", ACCOUNT, "no such", "x" * 300, "y" * 70000, "\r\nVia: x", "\x1b[2J",
         "'; drop table account; --", "%s%n%d", "../../../etc/passwd", "\u202e\u0085\ufeff", "a" * 13, "-1", "0", "{}",
         "registration.", "protocol", "enabled", "name", "state", "password", "server", "expires", "all", "MusterBus",
         "dry-run", "accounts", "[" * 5000, '{"format": "muster-accounts", "version": 1, "identities": [], "accounts": []}']
NUMBERS = [0, 1, 2, 59, 1000, 1001, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]
PATHS = ["/", ROOT_PATH, f"{ROOT_PATH}/Account/a", f"{ROOT_PATH}/Account/aaaaaaaaaaaaa", f"{ROOT_PATH}/Identity/x",
         "/a/" + "b" * 2000]


class Generator:
    """Values of any D-Bus type, from a seed."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def value(self, kind, depth=0):
        choose = self.random.choice
        if kind == "v":
            return GLib.Variant("v", self.variant(depth + 1))
        if kind.startswith("a{"):
            key, value = kind[2], kind[3:-1]
            entries = [] if depth > 3 else range(choose([0, 0, 1, 1, 2, 5, 40]))
            builder = GLib.VariantBuilder(GLib.VariantType(kind))
            for _ in entries:
                builder.add_value(GLib.Variant.new_dict_entry(self.value(key, depth + 1), self.value(value, depth + 1)))
            return builder.end()
        if kind.startswith("a"):
            builder = GLib.VariantBuilder(GLib.VariantType(kind))
            for _ in range(choose([0, 1, 2, 100]) if depth < 3 else 0):
                builder.add_value(self.value(kind[1:], depth + 1))
            return builder.end()
        makers = {
            "s": lambda: choose(WORDS),
            "o": lambda: choose(PATHS),
            "b": lambda: choose([True, False]),
            "u": lambda: choose(NUMBERS),
            "t": lambda: choose([*NUMBERS, 0xFFFFFFFFFFFFFFFF]),
            "x": lambda: choose([-1, 0, 0x7FFFFFFFFFFFFFFF]),
            "d": lambda: choose([0.0, float("inf"), float("nan")]),
            "y": lambda: choose([0, 255]),
            "h": lambda: choose([0, 1, -1, 1000]),  # none comes along
        }
        return GLib.Variant(kind, makers[kind]())

    def variant(self, depth):
        simple = ["s", "s", "o", "b", "u", "t", "x", "d", "y", "as", "a{sv}", "aa{sv}", "ay", "v"]
        return self.value(self.random.choice(simple if depth < 4 else simple[:6]), depth)


def methods():
    """(interface, method, argument types) of every method of the daemon."""
    found = []
    for path in sorted(glob.glob(XML)):
        for interface in ElementTree.parse(path).getroot().iter("interface"):
            if not interface.get("name").startswith(BUS_NAME):
                continue
            for method in interface.iter("method"):
                types = [each.get("type") for each in method.iter("arg") if each.get("direction") == "in"]
                found.append((interface.get("name"), method.get("name"), types))
    return found


def call(muster, path, interface, method, values):
    """The name of the error that the call ended with, or None."""
    try:
        muster.connection.call_sync(BUS_NAME, path, interface, method, GLib.Variant.new_tuple(*values), None, 0, 10000,
                                    None)
    except GLib.Error as error:
        return Gio.DBusError.get_remote_error(error) or error.message
    return None


def rows_of(muster, kind):
    rows, _ = muster.call("Manager", "List", "(sa{sv}assua{sv})", (kind, {}, [], "", 10, {}))
    return [row["Path"] for row in rows]


def some_accounts(muster):
    """Some accounts' paths; one is added if none is left."""
    paths = rows_of(muster, "account")
    if not paths:
        options = {"identity": GLib.Variant("o", path) for path in rows_of(muster, "identity")[:1]}
        paths = list(muster.call("Manager", "AddAccount", "(ssa{sv}a{sh}a{sv})", ("echo", ACCOUNT, {}, {}, options)))
    return paths


def test_hostile_arguments(muster):
    """Many calls with what no sane client sends; the daemon answers each and runs on."""
    print(f"FUZZ_SEED={SEED}")
    generator = Generator(SEED)
    every = methods()
    assert len(every) >= 15
    pid = muster.pid
    for _ in range(N_CALLS):
        interface, method, types = generator.random.choice(every)
        if interface.rsplit(".", 1)[1] in ROOT_INTERFACES:
            path = ROOT_PATH
        else:
            kind = "identity" if interface.endswith(".Identity") else "account"
            path = generator.random.choice(rows_of(muster, kind) or some_accounts(muster))
        values = [generator.value(kind) for kind in types]
        error = call(muster, path, interface, method, values)
        said = f"{interface}.{method} on {path}: {error} (FUZZ_SEED={SEED})"
        assert muster.name_owner_pid() == pid, said + muster.log()[-4000:]
        assert error is None or error.startswith(OWN_ERRORS) or error in BUS_ERRORS, said
    muster.stop()


def test_no_method_takes_options_it_does_not_know(muster):
    """Every dictionary of options is closed: a key that nobody documented is refused."""
    muster.add("echo", ACCOUNT)
    (path,) = muster.call("Manager", "Find", "(ssa{sv})", ("account", ACCOUNT, {}))
    identity = muster.get("Account", "Identity", path)
    targets = {**dict.fromkeys(ROOT_INTERFACES, ROOT_PATH), "Account": path, "Registration": path,
               "Identity": identity}
    valid = {"s": GLib.Variant("s", "x"), "b": GLib.Variant("b", True), "u": GLib.Variant("u", 1),
             "o": GLib.Variant("o", "/")}
    n_tried = 0
    for interface, method, types in methods():
        target = targets.get(interface.rsplit(".", 1)[1])
        if target is None or not types or types[-1] != "a{sv}":
            continue
        if "h" in types:
            continue  # needs a descriptor; its options are tried where secrets are
        values = [valid.get(kind) or GLib.Variant(kind, []) if not kind.startswith("a{") else GLib.Variant(kind, {})
                  for kind in types[:-1]]
        options = GLib.Variant("a{sv}", {"no-such-option": GLib.Variant("b", True)})
        error = call(muster, target, interface, method, [*values, options])
        assert error == f"{OWN_ERRORS}InvalidArgument", f"{interface}.{method}: {error}"
        n_tried += 1
    assert n_tried >= 10
