# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A private session bus with a configuration of its own: no activation, no other clients."""

import os
import socket

from harness.process import Process

CONFIGURATION = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <keep_umask/>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  {service_dirs}
  <policy context="default">
    <allow send_destination="*" eavesdrop="false"/>
    <allow receive_sender="*"/>
    <allow own="*"/>
  </policy>
  <limit name="max_incoming_bytes">1000000000</limit>
  <limit name="max_outgoing_bytes">1000000000</limit>
  <limit name="max_message_size">1000000000</limit>
  <limit name="max_replies_per_connection">50000</limit>
  <limit name="max_match_rules_per_connection">50000</limit>
</busconfig>
"""


class Bus:
    """dbus-daemon on a socket in a directory of the caller."""

    def __init__(self, directory, service_dir=None):
        os.makedirs(directory, mode=0o700, exist_ok=True)
        path = os.path.join(directory, "bus.conf")
        self._socket = os.path.join(directory, "bus")
        with open(path, "w", encoding="utf-8") as file:
            dirs = f"<servicedir>{service_dir}</servicedir>" if service_dir else ""
            file.write(CONFIGURATION.format(socket=self._socket, service_dirs=dirs))
        self.address = f"unix:path={self._socket}"
        self._process = Process(
            "dbus-daemon", ["dbus-daemon", f"--config-file={path}", "--nofork", "--nopidfile"],
            os.path.join(directory, "bus.log"))
        self.pid = self._process.pid
        self._process.wait_ready(self._listens, 5)

    def _listens(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            return client.connect_ex(self._socket) == 0

    def end(self):
        self._process.end()
