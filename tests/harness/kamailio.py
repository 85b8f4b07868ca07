# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A real kamailio as registrar and proxy on loopback: UDP, TCP and TLS, digest, bindings in memory.

Its configuration is written from here. Two doors lead in while it runs: its JSON-RPC socket (ask for
bindings, change a password, change what it answers) and its log of every request and response.
"""

import collections
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess

from harness.process import Process, Timeout, free_ports, wait_until

REALM = "cms.realm"  # on purpose not the domain: clients must take it from the challenge
DOMAIN = "example.test"
SERVER_NAME = "sip.example.test"
SETTLE_S = 0.5
STOP_S = 2

CONFIGURATION = """#!KAMAILIO
debug=0
log_stderror=yes
log_prefix=""
fork=yes
children=1
tcp_children=1
socket_workers=1
auto_aliases=no
enable_tls=yes
tcp_accept_no_cl=no
tcp_crlf_ping=yes
tcp_connection_lifetime=3605
tcp_reuse_port=yes
listen=udp:{address}:{udp_port}
listen=tcp:{address}:{udp_port}
listen=tls:{address}:{tls_port}
alias="{domain}"
alias="{server_name}"

loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "tls.so"
loadmodule "pv.so"
loadmodule "kex.so"
loadmodule "textops.so"
loadmodule "xlog.so"
loadmodule "htable.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
loadmodule "siputils.so"
loadmodule "maxfwd.so"
loadmodule "jsonrpcs.so"
{presence_modules}

modparam("jsonrpcs", "transport", 4)
modparam("jsonrpcs", "dgram_socket", "{rpc_socket}")
modparam("jsonrpcs", "dgram_workers", 1)
modparam("tls", "config", "{directory}/tls.cfg")
modparam("usrloc", "db_mode", 0)
modparam("usrloc", "timer_interval", 1)
modparam("registrar", "min_expires", {min_expires})
modparam("registrar", "max_expires", {max_expires})
modparam("registrar", "default_expires", {max_expires})
modparam("auth", "nonce_expire", {nonce_expire})
modparam("auth", "algorithm", "{algorithm}")
modparam("xlog", "long_format", 0)
modparam("htable", "htable", "users=>size=12;")
modparam("htable", "htable", "answer=>size=4;")

event_route[htable:mod-init] {{
{users}
    $sht(answer=>code) = 0;
    $sht(answer=>retry_after) = 0;
    $sht(answer=>min_expires) = {reject_below};
}}

request_route {{
    xlog("L_ALERT", "@request|$pr|$rm|$fU|$ci|$cs|$ct|$hdr(Expires)|$(hdr(Authorization){{s.len}})|$si:$sp\\n");
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
{presence_route}    if ($rm != "REGISTER") {{ route(RELAY); exit; }}

    # What a test asked for comes before anything sensible.
    if ($sht(answer=>code) == 1) {{ exit; }}
    if ($sht(answer=>code) > 1) {{
        if ($sht(answer=>retry_after) > 0) {{
            append_to_reply("Retry-After: $sht(answer=>retry_after)\\r\\n");
        }}
        sl_send_reply("$sht(answer=>code)", "As Told");
        exit;
    }}

    $var(password) = $sht(users=>$au);
    if ($au == $null || $var(password) == $null) {{ www_challenge("{realm}", "1"); exit; }}
    if (!pv_www_authenticate("{realm}", "$var(password)", "0")) {{
        if ($rc == -4) {{ www_challenge("{realm}", "17"); }} # right, but the nonce is stale
        else {{ www_challenge("{realm}", "1"); }}
        exit;
    }}

    $var(asked) = $(hdr(Expires){{s.int}});
    if ($(ct{{param.value,expires}}) != "") {{ $var(asked) = $(ct{{param.value,expires}}{{s.int}}); }}
    if ($var(asked) > 0 && $var(asked) < $sht(answer=>min_expires)) {{
        append_to_reply("Min-Expires: $sht(answer=>min_expires)\\r\\n");
        sl_send_reply("423", "Interval Too Brief");
        exit;
    }}
    save("location");
}}

# To whoever is registered, or to an address that is not its own; for others the answer is its own.
route[RELAY] {{
    if ($rm == "CANCEL" || $rm == "ACK") {{
        if (t_check_trans()) {{ t_relay(); }}
        exit;
    }}
    if (uri != myself) {{ t_relay(); exit; }}
    if ($rU != $null && lookup("location")) {{ t_relay(); exit; }}
    sl_send_reply("200", "OK");
}}

event_route[sl:local-response] {{
    xlog("L_ALERT", "@response|$rs|$rr|$ci|$cs\\n");
}}
"""

# What makes a presence server of it. Its tables are files of its own directory.
PRESENCE_TABLES = ("version", "presentity", "active_watchers", "watchers", "xcap", "pua")
PRESENCE_MODULES = """
loadmodule "db_text.so"
loadmodule "presence.so"
loadmodule "presence_xml.so"
loadmodule "presence_mwi.so"
loadmodule "presence_reginfo.so"
loadmodule "pua.so"
loadmodule "pua_reginfo.so"
modparam("db_text", "db_mode", 0)
modparam("presence", "db_url", "text://{directory}/db")
modparam("presence", "server_address", "sip:{address}:{udp_port}")
modparam("presence", "send_fast_notify", 1)
modparam("presence_xml", "db_url", "text://{directory}/db")
modparam("presence_xml", "integrated_xcap_server", 1)
modparam("presence_xml", "force_active", {force_active})
modparam("pua", "db_url", "text://{directory}/db")
modparam("pua", "db_mode", 0)
modparam("pua_reginfo", "default_domain", "{domain}")
modparam("pua_reginfo", "publish_reginfo", 1)
modparam("pua_reginfo", "server_address", "sip:reginfo@{address}:{udp_port}")
modparam("pua_reginfo", "outbound_proxy", "sip:{address}:{udp_port};transport=udp")
"""
PRESENCE_ROUTE = """
    if ($rm == "PUBLISH" || $rm == "SUBSCRIBE") {{
        if ($sp != {udp_port}) {{ # its own publications come from there
            $var(password) = $sht(users=>$au);
            if ($au == $null || $var(password) == $null ||
                !pv_proxy_authenticate("{realm}", "$var(password)", "0")) {{
                proxy_challenge("{realm}", "1");
                exit;
            }}
        }}
        if (!t_newtran()) {{ sl_reply_error(); exit; }}
        if ($rm == "PUBLISH") {{ handle_publish(); }} else {{ handle_subscribe(); }}
        t_release();
        exit;
    }}
"""

TLS_CONFIGURATION = """[server:default]
method = TLSv1.2+
verify_certificate = {verify}
require_certificate = {verify}
{clients}private_key = {key}
certificate = {certificate}
[client:default]
verify_certificate = no
require_certificate = no
"""

Request = collections.namedtuple(
    "Request", "transport method user call_id cseq contact expires authorized source")
Response = collections.namedtuple("Response", "code reason call_id cseq")
Exchange = collections.namedtuple("Exchange", "request code")


class Kamailio:
    """One registrar, and with presence a presence server, too: "active" lets everybody watch, "pending" nobody.

    Stop it and start it again as often as a test likes; its ports stay.
    """

    def __init__(self, directory, users, *, certificate=None, min_expires=10, max_expires=3600, nonce_expire=300,
                 algorithm="MD5", reject_below=0, address="127.0.0.1", wrapper=(), presence=None, clients=None):
        os.makedirs(directory, mode=0o700, exist_ok=True)
        self.directory = str(directory)
        self.port, self.tls_port = free_ports(2)
        self.server = f"{address}:{self.port}"
        self.tls_server = f"{address}:{self.tls_port}"
        self._wrapper = wrapper  # a program that becomes kamailio, such as nsenter
        self._process = None
        self._rpc_socket = os.path.join(self.directory, "rpc")
        self._log = os.path.join(self.directory, "kamailio.log")
        self._n_calls = 0
        self._certificate(certificate, clients)
        lines = "\n".join(f'    $sht(users=>{name}) = "{password}";' for name, password in users.items())
        fields = {"directory": self.directory, "address": address, "udp_port": self.port, "domain": DOMAIN, "realm": REALM,
                  "force_active": int(presence == "active")}
        self._has_tables = bool(presence)
        with open(os.path.join(self.directory, "kamailio.cfg"), "w", encoding="utf-8") as file:
            file.write(CONFIGURATION.format(
                **fields, rpc_socket=self._rpc_socket, tls_port=self.tls_port, server_name=SERVER_NAME, users=lines,
                presence_modules=PRESENCE_MODULES.format(**fields) if presence else "",
                presence_route=PRESENCE_ROUTE.format(**fields) if presence else "", min_expires=min_expires,
                max_expires=max_expires, nonce_expire=nonce_expire, algorithm=algorithm, reject_below=reject_below))
        self.start()

    def _make_tables(self):
        os.makedirs(os.path.join(self.directory, "db"), exist_ok=True)
        for name in PRESENCE_TABLES:
            shutil.copy(os.path.join("/usr/share/kamailio/dbtext/kamailio", name), os.path.join(self.directory, "db"))

    def _certificate(self, certificate, clients):
        """The server's, and the authority (a file) that must have signed those of clients; None: they need none."""
        if certificate is None:
            from harness.certificates import Authority
            authority = Authority(os.path.join(self.directory, "ca"))
            self.ca = authority.certificate
            certificate = authority.issue("server", [SERVER_NAME, DOMAIN])
        path, key = certificate
        with open(os.path.join(self.directory, "tls.cfg"), "w", encoding="utf-8") as file:
            file.write(TLS_CONFIGURATION.format(
                certificate=path, key=key, verify="yes" if clients else "no", clients=f"ca_list = {clients}\n" if clients else ""))

    # Life

    def start(self):
        """Start with no bindings and wait until it serves."""
        assert self._process is None, "kamailio runs already"
        if os.path.exists(self._rpc_socket):
            os.unlink(self._rpc_socket)
        if self._has_tables:
            self._make_tables()  # what it left in them is more than it can read
        self._process = Process(
            "kamailio",
            [*self._wrapper, "kamailio", "-DD", "-E", "-m", "16", "-M", "4", "-f", os.path.join(self.directory, "kamailio.cfg"),
             "-Y", self.directory, "-w", self.directory],
            self._log, env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"})
        self._process.wait_ready(self._serves, 10)

    def stop(self):
        process, self._process = self._process, None
        if process is None:
            return
        children = process.children()
        process.signal(signal.SIGTERM)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._kill_left(children)
            process.kill()  # on a busy machine the first one may wait for ever for one that is gone
        self._kill_left(children)

    def _kill_left(self, pids):
        """Now and then one of its processes misses the signal, and the first may wait for it or leave it."""
        for pid in pids:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                with open(f"/proc/{pid}/cmdline", encoding="utf-8") as file:
                    ours = self.directory in file.read()
                if ours:
                    os.kill(pid, signal.SIGKILL)

    def is_running(self):
        return self._process is not None

    @property
    def pid(self):
        return self._process.pid if self._process else None

    def _serves(self):
        try:
            return self.rpc("core.version", timeout_s=0.2) is not None
        except OSError:
            return False

    # Its JSON-RPC socket

    def rpc(self, method, *params, timeout_s=5):
        self._n_calls += 1
        own = os.path.join(self.directory, f"rpc-client-{os.getpid()}-{self._n_calls}")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
            client.settimeout(timeout_s)
            client.bind(own)
            try:
                os.chmod(own, 0o777)
                call = {"jsonrpc": "2.0", "method": method, "params": list(params), "id": self._n_calls}
                client.sendto(json.dumps(call).encode(), self._rpc_socket)
                answer = json.loads(client.recv(1 << 20))
            finally:
                os.unlink(own)
        if "error" in answer:
            raise RuntimeError(f"kamailio: {method}: {answer['error']['message']}")
        return answer["result"]

    def bindings(self, user):
        """What the registrar would route to, each a dictionary of usrloc's (Address, Expires, CSeq ...)."""
        try:
            answer = self.rpc("ul.lookup", "location", f"{user}@{DOMAIN}")
        except RuntimeError as error:
            if "not found" in str(error).lower() or "no contacts" in str(error):
                return []
            raise
        return self._live(answer["Contacts"])

    @staticmethod
    def _live(contacts):
        found = [each["Contact"] for each in contacts]
        return [each for each in found if each["Expires"] not in ("expired", "deleted")]

    def all_bindings(self):
        """Every binding, by user, as ul.dump tells them."""
        found = {}
        for domain in self.rpc("ul.dump")["Domains"]:
            for aor in domain["Domain"]["AoRs"]:
                info = aor["Info"]
                found[info["AoR"].split("@")[0]] = self._live(info["Contacts"])
        return found

    def forget(self, user):
        """Drop the user's bindings, as a registrar does that lost its memory."""
        self.rpc("ul.rm", "location", f"{user}@{DOMAIN}")

    def set_password(self, user, password):
        self.rpc("htable.sets", "users", user, password)

    def answer(self, code, retry_after_s=0):
        """Answer each REGISTER with the code; 0: as a registrar should, 1: not at all."""
        self.rpc("htable.seti", "answer", "retry_after", retry_after_s)
        self.rpc("htable.seti", "answer", "code", code)

    # Its log

    def lines(self):
        with open(self._log, encoding="utf-8", errors="replace") as log:
            return log.read().splitlines()

    def requests(self, method="REGISTER", call_id=None):
        """What arrived, in order, retransmissions included."""
        found = []
        for line in self.lines():
            _, mark, rest = line.partition("@request|")
            if not mark:
                continue
            transport, verb, user, ci, cseq, contact, expires, authorization, source = rest.split("|")
            if verb == method and call_id in (None, ci):
                found.append(Request(transport, verb, user, ci, int(cseq), contact.replace("<null>", ""),
                                     expires.replace("<null>", ""), authorization not in ("", "0", "<null>"), source))
        return found

    def responses(self, call_id=None):
        found = []
        for line in self.lines():
            _, mark, rest = line.partition("@response|")
            if not mark:
                continue
            code, reason, ci, cseq = rest.split("|")
            if call_id in (None, ci):
                found.append(Response(int(code), reason, ci, int(cseq.split()[0])))
        return found

    def exchanges(self, call_id=None):
        """Requests with the code of their response (None: not answered), without retransmissions.

        kamailio notes a response after it sent it, so the last one is given a moment.
        """
        try:
            wait_until(lambda: all(each.code for each in self._exchanges(call_id)[-1:]), SETTLE_S, "noted")
        except Timeout:
            pass
        return self._exchanges(call_id)

    def _exchanges(self, call_id):
        codes = {(each.call_id, each.cseq): each.code for each in self.responses()}
        seen, found = set(), []
        for request in self.requests(call_id=call_id):
            key = (request.call_id, request.cseq)
            if key not in seen:
                seen.add(key)
                found.append(Exchange(request, codes.get(key)))
        return found

    def wait_for_exchanges(self, count, timeout_s, call_id=None):
        """Wait until so many requests are answered; returns all exchanges."""

        def enough():
            found = self._exchanges(call_id)
            return found if len([each for each in found if each.code]) >= count else None

        return wait_until(enough, timeout_s, f"{count} REGISTERs answered", lambda: "\n".join(self.lines()))


def check_configuration(directory):
    """kamailio's own opinion of a configuration file; raises with its words."""
    subprocess.run(["/usr/sbin/kamailio", "-c", "-f", os.path.join(directory, "kamailio.cfg")], check=True,
                   capture_output=True, text=True)
