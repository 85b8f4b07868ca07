#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A daemon of straw: the D-Bus face of musterd (data/dbus/) with nothing behind it.

What becomes of an account is in the beginning of its address: "refused..." ends in waiting-secret,
"failed..." and "invalid..." in failed, "slow..." stays registering, all others become registered. It does not offer
GetManagedObjects, which the command line must never need. org.muster.Stub lets a test look behind
the face and pull strings.
"""

import os

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

BUS = "org.muster.Muster1"
ROOT = "/org/muster/Muster1"
STUB = "org.muster.Stub"
T0 = 1_751_700_000_123_456  # 2025-07-05T07:20:00.123456Z
PAGE = 2  # rows, whatever was asked for: paging shows with few accounts

PARAMETERS = [
    {"name": "server", "type": "s", "label": "Server", "help": "where to", "binds-secret": True},
    {"name": "port", "type": "u", "label": "Port", "default": dbus.UInt32(5060), "min": dbus.UInt32(1),
     "max": dbus.UInt32(65535)},
    {"name": "verify", "type": "b", "label": "Verify", "default": True},
    {"name": "password", "type": "s", "label": "Password", "secret": True},
    {"name": "token", "type": "s", "label": "Token", "secret": True},
]
PIN = {"name": "pin", "type": "s", "label": "PIN\x1b[1m", "secret": True, "required": True}


class Error(dbus.DBusException):
    def __init__(self, name, message):
        super().__init__(message)
        self._dbus_error_name = f"{BUS}.Error.{name}"

    def get_dbus_name(self):
        return self._dbus_error_name


def check_options(options, known=()):
    for key in options:
        if key not in known:
            raise Error("InvalidArgument", f"there is no option '{key}'")


def read_secret(fd):
    fd = fd.take()
    os.set_blocking(fd, True)
    with os.fdopen(fd, "rb") as file:
        return file.read(65537)


class Node(dbus.service.Object):
    """An object with properties."""

    def __init__(self, daemon, path, properties):
        super().__init__(daemon.bus, path)
        self.daemon, self.path, self.properties = daemon, path, properties

    def fields(self):
        return {f"{interface.rsplit('.', 1)[1]}.{name}": value
                for interface, values in self.properties.items() for name, value in values.items()}

    def interface_values(self, interface):
        return dbus.Dictionary(self.properties[interface], signature="sv")

    def change(self, interface, values):
        self.properties[interface].update(values)
        self.PropertiesChanged(interface, dbus.Dictionary(values, signature="sv"), [])

    @dbus.service.method(dbus.PROPERTIES_IFACE, "s", "a{sv}")
    def GetAll(self, interface):
        return self.interface_values(interface)

    @dbus.service.method(dbus.PROPERTIES_IFACE, "ss", "v")
    def Get(self, interface, name):
        return self.properties[interface][name]

    @dbus.service.signal(dbus.PROPERTIES_IFACE, "sa{sv}as")
    def PropertiesChanged(self, interface, values, invalidated):
        pass


class Protocol(Node):
    kind = "protocol"


class Plugin(Node):
    kind = "plugin"


class Identity(Node):
    kind = "identity"
    interface = f"{BUS}.Identity"

    @dbus.service.method(interface, "sa{sv}", "")
    def Rename(self, name, options):
        check_options(options)
        self.daemon.check_identity_name(name)
        self.change(self.interface, {"Name": name})

    @dbus.service.method(interface, "a{sv}", "")
    def Remove(self, options):
        check_options(options)
        if any(account.account["Identity"] == self.path for account in self.daemon.of_kind("account")):
            raise Error("InUse", "it has accounts")
        self.daemon.forget(self)


class Account(Node):
    kind = "account"
    a, r = f"{BUS}.Account", f"{BUS}.Registration"

    def __init__(self, daemon, path, properties, secrets):
        super().__init__(daemon, path, properties)
        self.secrets = secrets
        self.account, self.registration = properties[self.a], properties[self.r]
        self.bindings = [
            dbus.Dictionary({"Uri": "sip:here", "ExpiresAt": dbus.UInt64(T0), "Device": "", "Ours": True}, signature="sv"),
            dbus.Dictionary({"Uri": "sip:there", "ExpiresAt": dbus.UInt64(0), "Device": "a \x1b[31mphone", "Ours": False},
                            signature="sv")]

    def state(self, state, reason="", **more):
        self.change(self.r, {"State": state, "Reason": reason, "Since": dbus.UInt64(T0), **more})

    def settle(self):
        """What becomes of a registration."""
        if not self.account["Enabled"]:
            self.state("disabled", ExpiresAt=dbus.UInt64(0))
        elif self.account["Address"].startswith("refused"):
            self.state("waiting-secret", "refused", Error=f"{BUS}.Error.Refused", ErrorDetails=dbus.Dictionary(
                {"message": "the password is wrong", "protocol-code": dbus.UInt32(403),
                 "time": dbus.UInt64(T0)}, signature="sv"))
        elif self.account["Address"].startswith("invalid"):
            self.state("failed", "invalid", Error=f"{BUS}.Error.Invalid", ErrorDetails=dbus.Dictionary(
                {"message": "the server has no name"}, signature="sv"))
        elif self.account["Address"].startswith("failed"):
            self.state("failed", "forbidden", Error=f"{BUS}.Error.Forbidden")
        elif not self.account["Address"].startswith("slow"):
            self.state("registered", RegisteredAt=dbus.UInt64(T0), ExpiresAt=dbus.UInt64(T0 + 600_000_000))
        return False

    @dbus.service.method(a, "a{sv}asa{sv}", "sas")
    def Update(self, to_set, unset, options):
        check_options(options, ("name",))
        self.daemon.check_parameters(to_set)
        detached = sorted(self.secrets) if "server" in to_set else []
        parameters = dict(self.account["Parameters"])
        parameters.update(to_set)
        for name in unset:
            parameters.pop(name, None)
        values = {"Parameters": dbus.Dictionary(parameters, signature="sv")}
        if "name" in options:
            values["Name"] = options["name"]
        if detached:
            self.secrets.clear()
            values["Secrets"] = dbus.Array([], signature="s")
        self.change(self.a, values)
        return ("reregister" if to_set or unset else "none", dbus.Array(detached, signature="s"))

    @dbus.service.method(a, "ba{sv}", "")
    def SetEnabled(self, enabled, options):
        check_options(options)
        self.change(self.a, {"Enabled": enabled})
        self.state("registering" if enabled else "unregistering")
        GLib.idle_add(self.settle)

    @dbus.service.method(a, "sha{sv}", "")
    def SetSecret(self, name, secret, options):
        check_options(options)
        self.secrets[name] = read_secret(secret)
        self.change(self.a, {"Secrets": dbus.Array(sorted(self.secrets), signature="s")})

    @dbus.service.method(a, "sa{sv}", "")
    def ClearSecret(self, name, options):
        check_options(options)
        if name not in self.secrets:
            raise Error("NotFound", f"no secret '{name}' is stored")
        del self.secrets[name]
        self.change(self.a, {"Secrets": dbus.Array(sorted(self.secrets), signature="s")})

    @dbus.service.method(a, "a{sv}", "")
    def Remove(self, options):
        check_options(options)
        self.daemon.forget(self)

    @dbus.service.method(r, "a{sv}", "")
    def Connect(self, options):
        check_options(options)
        if not self.account["Enabled"]:
            raise Error("WrongState", "it is disabled, so there is nothing to connect")
        self.state("registering")
        GLib.idle_add(self.settle)

    @dbus.service.method(r, "a{sv}", "")
    def Disconnect(self, options):
        check_options(options)
        if not self.account["Enabled"]:
            raise Error("WrongState", "it is disabled, so there is nothing to disconnect")
        self.state("disabled", "disconnected", ExpiresAt=dbus.UInt64(0))

    @dbus.service.method(r, "a{sv}", "")
    def Refresh(self, options):
        check_options(options)
        if self.registration["State"] != "registered":
            raise Error("WrongState", f"it is {self.registration['State']}")
        if self.account["Name"] == "stuck":
            return
        self.state("refreshing")
        GLib.idle_add(self.refreshed)

    def refreshed(self):
        if self.account["Name"] == "turned down":
            self.state("waiting-secret", "refused")
        else:
            self.state("registered", Refreshes=dbus.UInt64(self.registration["Refreshes"] + 1))
        return False

    @dbus.service.method(r, "a{sv}", "")
    def RetryNow(self, options):
        check_options(options)
        if self.registration["State"] in ("registered", "disabled"):
            raise Error("WrongState", "there is nothing to retry")
        self.state("registering")
        if self.registration["Error"].endswith("Invalid"):
            GLib.idle_add(self.settle)

    @dbus.service.method(r, "a{sv}", "ss")
    def Verify(self, options):
        check_options(options)
        if self.registration["State"] != "registered":
            raise Error("WrongState", f"it is not registered ({self.registration['State']}), so nobody reaches it")
        verdict, claim, evidence = {"deaf": ("missed", "failed", "nothing came within 8 s"),
                                    "proxied": ("unsupported", "unsupported", "the service answered for us")}.get(
            self.account["Name"], ("proven", "proven", "it came back \x1b[31mat once"))
        self.change(self.r, {"Verification": claim, "VerificationEvidence": evidence,
                             "VerifiedAt": dbus.UInt64(T0 if claim == "proven" else 0)})
        return verdict, evidence

    @dbus.service.method(r, "a{sv}", "a(sbs)")
    def Explain(self, options):
        check_options(options)
        return [("enabled", True, "it is switched on"),
                ("secret", self.registration["State"] != "waiting-secret", "the service took the \x1b[31mpassword")]

    @dbus.service.method(r, "a{sv}", "aa{sv}")
    def ListBindings(self, options):
        check_options(options)
        if self.registration["State"] != "registered":
            raise Error("WrongState", f"it is not registered ({self.registration['State']})")
        return self.bindings

    @dbus.service.method(r, "sa{sv}", "b")
    def RemoveBinding(self, uri, options):
        check_options(options)
        gone = [each for each in self.bindings if each["Uri"] == uri]
        if not gone:
            raise Error("NotFound", "its service has no such binding")
        self.bindings.remove(gone[0])
        return gone[0]["Ours"]

    @dbus.service.method(r, "a{sv}", "")
    def RemoveAllBindings(self, options):
        check_options(options)
        self.bindings.clear()


class Manager(Node):
    m, om = f"{BUS}.Manager", "org.freedesktop.DBus.ObjectManager"
    debug, metrics = f"{BUS}.Debug", f"{BUS}.Metrics"

    def __init__(self, bus):
        self.bus, self.nodes, self.events, self.number = bus, [], [], 0
        self.tested, self.document = {}, ""
        super().__init__(self, ROOT, {self.m: {
            "Version": "9.9.9", "Protection": "key-file", "KeyState": "ready", "Offline": dbus.Array([], signature="s"), "Notice": "",
            "Counters": dbus.Dictionary({"accounts": dbus.UInt64(3), "opened": dbus.UInt64(7)}, signature="st")}})
        for id, name, parameters in (("echo", "Echo", PARAMETERS), ("plain", "Plain", []),
                                     ("strict", "Strict", [PIN])):
            self.nodes.append(Protocol(self, f"{ROOT}/Protocol/{id}", {f"{BUS}.Protocol": {
                "Id": id, "DisplayName": name, "Plugin": dbus.ObjectPath(f"{ROOT}/Plugin/echo"),
                "UriSchemes": dbus.Array(["echo"], signature="s"), "AddressHelp": "name@example.org",
                "Parameters": dbus.Array([dbus.Dictionary(p, signature="sv") for p in parameters],
                                         signature="a{sv}")}}))
        for name, state, reason in (("echo", "ready", ""), ("broken", "failed", "its ABI is 99")):
            self.nodes.append(Plugin(self, f"{ROOT}/Plugin/{name}", {f"{BUS}.Plugin": {
                "Name": name, "File": f"/lib/muster-{name}.so", "Version": "1", "Licence": "LGPL-2.1-or-later",
                "Description": f"the {name} plugin", "Protocols": dbus.Array(["echo"], signature="s"),
                "State": state, "Reason": reason}}))

    def of_kind(self, kind):
        return [node for node in self.nodes if node.kind == kind]

    def announce(self, node):
        self.nodes.append(node)
        self.InterfacesAdded(node.path, {i: node.interface_values(i) for i in node.properties})

    def forget(self, node):
        self.nodes.remove(node)
        node.remove_from_connection()
        self.InterfacesRemoved(node.path, list(node.properties))

    def check_identity_name(self, name):
        if not name:
            raise Error("InvalidArgument", "a name has 1 to 255 bytes")
        if any(node.properties[Identity.interface]["Name"] == name for node in self.of_kind("identity")):
            raise Error("Exists", f"there is an identity '{name}'")

    def check_parameters(self, parameters):
        if int(parameters.get("port", 1)) > 65535:
            raise Error("InvalidArgument", "'port' is at most 65535")

    def make_identity(self, name):
        self.number += 1
        id = f"aidentity{self.number:04d}"
        node = Identity(self, f"{ROOT}/Identity/{id}", {Identity.interface: {
            "Id": id, "Name": name, "Created": dbus.UInt64(T0), "Modified": dbus.UInt64(T0),
            "Accounts": dbus.UInt32(0), "Registered": dbus.UInt32(0)}})
        self.announce(node)
        return node

    @dbus.service.method(m, "sa{sv}", "o")
    def AddIdentity(self, name, options):
        check_options(options)
        self.check_identity_name(name)
        return dbus.ObjectPath(self.make_identity(name).path)

    @dbus.service.method(m, "ssa{sv}a{sh}a{sv}", "o")
    def AddAccount(self, protocol, address, parameters, secrets, options):
        check_options(options, ("identity", "name", "enabled"))
        self.check_parameters(parameters)
        if "@" not in address:
            raise Error("InvalidArgument", "an address is name@domain")
        if any(node.account["Address"] == address and node.account["Protocol"] == protocol
               for node in self.of_kind("account")):
            raise Error("Exists", f"there is a {protocol} account {address}")
        identity = options.get("identity")
        if identity is None:
            identities = self.of_kind("identity")
            identity = identities[0].path if identities else self.make_identity("Me").path
        self.number += 1
        id = f"aaccount{self.number:05d}"
        taken = {str(name): read_secret(fd) for name, fd in secrets.items()}
        node = Account(self, f"{ROOT}/Account/{id}", {
            Account.a: {
                "Id": id, "Protocol": protocol, "Address": address, "Name": options.get("name", address),
                "Enabled": options.get("enabled", dbus.Boolean(True)), "Identity": dbus.ObjectPath(identity),
                "Parameters": parameters, "Secrets": dbus.Array(sorted(taken), signature="s"),
                "Created": dbus.UInt64(T0), "Modified": dbus.UInt64(T0)},
            Account.r: {
                "State": "registering" if options.get("enabled", True) else "disabled", "Reason": "",
                "Since": dbus.UInt64(T0), "Attempt": dbus.UInt32(0), "NextAttemptAt": dbus.UInt64(0),
                "RegisteredAt": dbus.UInt64(0), "ExpiresAt": dbus.UInt64(0), "RefreshAt": dbus.UInt64(0),
                "Bindings": dbus.Array([], signature="s"), "Refreshes": dbus.UInt64(0), "Error": "",
                "ErrorDetails": dbus.Dictionary({}, signature="sv"), "Verification": "", "VerifiedAt": dbus.UInt64(0),
                "VerificationEvidence": "", "NextVerificationAt": dbus.UInt64(0)}}, taken)
        self.announce(node)
        GLib.idle_add(node.settle)
        return dbus.ObjectPath(node.path)

    @dbus.service.method(m, "ssa{sv}", "o")
    def Find(self, kind, selector, options):
        check_options(options)
        interface, named = (Account.a, "Address") if kind == "account" else (Identity.interface, "Name")
        exact, begins = [], []
        for node in self.of_kind(kind):
            names = [node.properties[interface]["Id"], node.properties[interface][named]]
            if selector in names:
                exact.append(node)
            elif any(name.startswith(selector) for name in names):
                begins.append(node)
        found = exact or begins
        if not found:
            raise Error("NotFound", "nothing matches")
        if len(found) > 1:
            raise Error("Ambiguous", f"{len(found)} match")
        return dbus.ObjectPath(found[0].path)

    @dbus.service.method(m, "ssa{sv}a{sh}a{sv}", "a(sbs)ba{sv}")
    def Test(self, protocol, address, parameters, secrets, options):
        check_options(options)
        self.check_parameters(parameters)
        if "@" not in address:
            raise Error("InvalidArgument", "an address is name@domain")
        self.tested = {str(name): read_secret(fd) for name, fd in secrets.items()}
        ok = not address.startswith("refused")
        steps = [("configure", True, "its parameters are complete"),
                 ("authenticate", ok, "the \x1b[31mpassword is " + ("right" if ok else "wrong"))]
        details = {"lease": dbus.UInt32(600)} if ok else {"error": f"{BUS}.Error.Refused",
                                                          "protocol-code": dbus.UInt32(403)}
        return steps, ok, dbus.Dictionary(details, signature="sv")

    @dbus.service.method(m, "sa{sv}", "as")
    def Discover(self, address, options):
        check_options(options)
        known = {"echo:": ["echo"], "none": []}
        found = next((found for begin, found in known.items() if address.startswith(begin)), ["echo", "plain"])
        return dbus.Array(found, signature="s")

    @dbus.service.method(m, "a{sv}", "s")
    def Export(self, options):
        check_options(options, ("accounts",))
        paths = options.get("accounts", [node.path for node in self.of_kind("account")])
        return "EXPORT\n" + "".join(f"{node.account['Address']}\n" for node in self.of_kind("account")
                                    if node.path in paths)

    @dbus.service.method(m, "sa{sv}", "a(sbs)")
    def Import(self, document, options):
        check_options(options, ("dry-run",))
        if "nonsense" in document:
            raise Error("InvalidArgument", "document: it is not JSON")
        verb = "would be" if options.get("dry-run") else "was"
        return [(line, not line.startswith("bad"), f"it {verb} \x1b[1madded") for line in document.split()]

    @dbus.service.method(debug, "sa{sv}", "")
    def SetLogging(self, domains, options):
        check_options(options)
        if "GLib" in domains:
            raise Error("InvalidArgument", "domains: \"GLib\" is not known")
        GLib.idle_add(lambda: self.Message(dbus.UInt64(T0), dbus.Int64(7), domains, "info", "now\x1b[2J"))

    @dbus.service.method(debug, "sua{sv}", "a(txsss)s")
    def GetMessages(self, cursor, limit, options):
        check_options(options)
        n = int(cursor or 0) + 1
        line = (dbus.UInt64(T0), dbus.Int64(n), "MusterStub", "warning", f"line {n}")
        return dbus.Array([line], signature="(txsss)"), str(n) if n < 3 else ""

    @dbus.service.signal(debug, "txsss")
    def Message(self, time, number, domain, level, text):
        pass

    @dbus.service.method(metrics, "a{sv}", "a{sv}")
    def Get(self, options):
        check_options(options)
        return dbus.Dictionary({
            "uptime": dbus.UInt64(5), "accounts": dbus.Dictionary({"registered": dbus.UInt32(3)}, signature="su"),
            "admission-hosts": dbus.Array([("a\x1b[1m.example", dbus.UInt32(1), dbus.UInt32(2), 20.0)],
                                          signature="(suud)")}, signature="sv")

    @dbus.service.method(m, "sa{sv}assua{sv}", "aa{sv}s")
    def List(self, kind, filter, fields, cursor, limit, options):
        check_options(options)
        check_options(filter, ("protocol", "state", "identity", "enabled"))
        assert 1 <= limit <= 1000
        names = {"protocol": "Account.Protocol", "state": "Registration.State", "identity": "Account.Identity",
                 "enabled": "Account.Enabled"}
        nodes = [node for node in self.of_kind(kind)
                 if all(node.fields()[names[key]] == value for key, value in filter.items())]
        begin = int(cursor or 0)
        rows = []
        for node in nodes[begin:begin + PAGE]:
            all_fields = node.fields()
            fields = [field for field in fields if not field.startswith(("Mailbox.", "Publication."))]  # its accounts have none
            for field in fields:
                if field not in all_fields:
                    raise Error("InvalidArgument", f"there is no field '{field}'")
            row = {field: all_fields[field] for field in (fields or all_fields)}
            rows.append(dbus.Dictionary({**row, "Path": dbus.ObjectPath(node.path)}, signature="sv"))
        more = begin + PAGE < len(nodes)
        return dbus.Array(rows, signature="a{sv}"), str(begin + PAGE) if more else ""

    @dbus.service.method(m, "a{sv}sua{sv}", "a(xtsoa{sv})s")
    def ListEvents(self, filter, cursor, limit, options):
        check_options(options)
        check_options(filter, ("account", "type"))
        events = [event for event in reversed(self.events)
                  if event[2].startswith(filter.get("type", ""))
                  and filter.get("account", event[3]) == event[3]]
        begin, n = int(cursor or 0), min(int(limit), PAGE)
        more = begin + n < len(events)
        return dbus.Array(events[begin:begin + n], signature="(xtsoa{sv})"), str(begin + n) if more else ""

    @dbus.service.signal(m, "a(tsoa{sv})")
    def Events(self, events):
        for each in events:
            self.events.append((dbus.Int64(len(self.events) + 1), *each))

    @dbus.service.signal(om, "oa{sa{sv}}")
    def InterfacesAdded(self, path, interfaces):
        pass

    @dbus.service.signal(om, "oas")
    def InterfacesRemoved(self, path, interfaces):
        pass

    @dbus.service.method(STUB, "ss", "ay")
    def Secret(self, address, name):
        return dbus.ByteArray(next(node.secrets.get(name, b"") for node in self.of_kind("account")
                                   if node.account["Address"] == address))

    @dbus.service.method(STUB, "s", "ay")
    def TestedSecret(self, name):
        return dbus.ByteArray(self.tested.get(name, b""))

    @dbus.service.method(STUB, "sa{sv}", "")
    def Change(self, address, values):
        next(node for node in self.of_kind("account")
             if node.account["Address"] == address).change(Account.r, values)

    @dbus.service.method(STUB, "a(tssa{sv})", "")
    def Emit(self, events):
        by_address = {node.account["Address"]: node.path for node in self.of_kind("account")}
        self.Events([(time, type, dbus.ObjectPath(by_address.get(address, "/")),
                      dbus.Dictionary(payload, signature="sv")) for time, type, address, payload in events])


def main():
    dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
    bus = dbus.SessionBus()
    manager = Manager(bus)
    name = dbus.service.BusName(BUS, bus, do_not_queue=True)
    GLib.MainLoop().run()
    del manager, name


if __name__ == "__main__":
    main()
