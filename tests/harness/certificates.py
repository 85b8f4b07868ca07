# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A certificate authority of our own, made by GnuTLS' certtool."""

import os
import subprocess


def _certtool(*arguments):
    subprocess.run(["certtool", *arguments], check=True, capture_output=True, stdin=subprocess.DEVNULL)


class Authority:
    """An authority in a directory, and the certificates that it signs."""

    def __init__(self, directory, name="Muster test authority"):
        os.makedirs(directory, exist_ok=True)
        self.directory = str(directory)
        self.certificate = self._path("ca.pem")
        self._key = self._path("ca.key")
        self._private_key(self._key)
        template = self._template("ca", [f'cn = "{name}"', "ca", "cert_signing_key", "expiration_days = 30"])
        _certtool("--generate-self-signed", "--load-privkey", self._key, "--template", template,
                  "--outfile", self.certificate)

    def issue(self, name, dns_names, lines=("expiration_days = 30",), purpose="tls_www_server"):
        """A certificate for the names, a server's if nothing else is said. Returns the paths of certificate and key."""
        key, certificate = self._path(f"{name}.key"), self._path(f"{name}.pem")
        self._private_key(key)
        template = self._template(
            name, [f'cn = "{dns_names[0]}"', *(f'dns_name = "{each}"' for each in dns_names),
                   purpose, "signing_key", *lines])
        _certtool("--generate-certificate", "--load-privkey", key, "--load-ca-certificate", self.certificate,
                  "--load-ca-privkey", self._key, "--template", template, "--outfile", certificate)
        return certificate, key

    def _path(self, name):
        return os.path.join(self.directory, name)

    def _template(self, name, lines):
        path = self._path(f"{name}.template")
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        return path

    @staticmethod
    def _private_key(path):
        _certtool("--generate-privkey", "--key-type=ecdsa", "--curve=secp256r1", "--outfile", path)
        os.chmod(path, 0o600)
