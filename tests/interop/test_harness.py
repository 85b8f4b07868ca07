# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The registrar that the other tests rely on, tried with a client that is none of ours."""

import base64
import ssl

import pytest

from harness import secrets
from harness.kamailio import DOMAIN, REALM, SERVER_NAME, check_configuration
from harness.sip_client import Client

USERS = {"alice": "se:cret"}


def client_of(kamailio, transport="udp", password=USERS["alice"], **more):
    port = kamailio.tls_port if transport == "tls" else kamailio.port
    return Client("alice", password, DOMAIN, port, transport, **more)


def registered(client, expires_s=60):
    """The challenge, then the answer to the credentials."""
    assert client.register(expires_s).code == 401
    assert client.challenge["realm"] == REALM
    return client.register(expires_s)


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_a_binding_comes_and_goes(make_kamailio, transport):
    """A user registers over each transport, kamailio knows the binding, and forgets it on request."""
    kamailio = make_kamailio(USERS)
    client = client_of(kamailio, transport, ca=kamailio.ca, server_name=SERVER_NAME)
    assert registered(client).code == 200
    (binding,) = kamailio.bindings("alice")
    assert f"127.0.0.1:{client.local_port}" in binding["Address"]
    assert binding["CSeq"] == 2 and 50 <= binding["Expires"] <= 60
    assert list(kamailio.all_bindings()) == ["alice"]
    assert client.register(0).code == 200
    assert kamailio.bindings("alice") == []
    client.close()

    exchanges = kamailio.wait_for_exchanges(3, 5)
    assert [each.code for each in exchanges] == [401, 200, 200]
    assert [each.request.authorized for each in exchanges] == [False, True, True]
    assert [each.request.cseq for each in exchanges] == [1, 2, 3]
    assert {each.request.transport for each in exchanges} == {transport}
    assert {each.request.call_id for each in exchanges} == {client.call_id}


def test_sha256(make_kamailio):
    """With SHA-256 the challenge says so, and the credentials are taken."""
    client = client_of(make_kamailio(USERS, algorithm="SHA-256"))
    assert registered(client).code == 200
    assert client.challenge["algorithm"] == "SHA-256"
    client.close()


def test_wrong_password(make_kamailio):
    """Wrong credentials are challenged again; the changed password is taken."""
    kamailio = make_kamailio(USERS)
    client = client_of(kamailio, password="wrong")
    assert registered(client).code == 401
    kamailio.set_password("alice", "wrong")
    assert client.register(60).code == 200
    client.close()


def test_short_expiry_is_raised_or_refused(make_kamailio):
    """The registrar's own minimum is granted silently; one that refuses says 423 and Min-Expires."""
    client = client_of(make_kamailio(USERS, min_expires=10))
    assert "expires=10" in registered(client, 5).header("Contact")
    client.close()
    client = client_of(make_kamailio(USERS, reject_below=40))
    response = registered(client, 30)
    assert (response.code, response.header("Min-Expires")) == (423, "40")
    client.close()


def test_a_stale_nonce_is_said_to_be_stale(make_kamailio):
    """After nonce_expire the same credentials get a new nonce with stale=true."""
    kamailio = make_kamailio(USERS, nonce_expire=1)
    client = client_of(kamailio)
    assert registered(client).code == 200
    response = client.register(60)
    while response.code == 200:  # the nonce lives for a second of the real server's time
        response = client.register(60)
    assert response.code == 401 and client.challenge.get("stale", "").lower() == "true"
    assert client.register(60).code == 200
    client.close()


def test_answers_as_told(make_kamailio):
    """A test can make it answer an error with Retry-After, or nothing, and then sense again."""
    kamailio = make_kamailio(USERS)
    client = client_of(kamailio)
    kamailio.answer(503, retry_after_s=7)
    response = client.register(60)
    assert (response.code, response.header("Retry-After")) == (503, "7")
    kamailio.answer(1)
    client.send(60)
    kamailio.answer(0)
    assert registered(client).code == 200
    client.close()
    assert [each.code for each in kamailio.exchanges()] == [503, None, 401, 200]


def test_it_forgets_when_it_is_stopped(make_kamailio):
    """Bindings are in memory: a registrar that was restarted on its port knows nobody."""
    kamailio = make_kamailio(USERS)
    client = client_of(kamailio)
    assert registered(client).code == 200
    kamailio.stop()
    kamailio.start()
    assert kamailio.bindings("alice") == []
    assert client.register(60).code in (200, 401)
    client.close()


def test_a_presence_server_forgets_when_it_is_stopped(make_kamailio):
    """It starts again although somebody has published meanwhile."""
    kamailio = make_kamailio(USERS, presence="active")
    client = client_of(kamailio)
    assert registered(client).code == 200  # of which it publishes, too
    kamailio.stop()
    kamailio.start()
    assert kamailio.bindings("alice") == []


def test_a_certificate_for_another_name_is_refused(make_kamailio):
    """The server's certificate proves its name and no other."""
    kamailio = make_kamailio(USERS)
    with pytest.raises(ssl.SSLCertVerificationError):
        client_of(kamailio, "tls", ca=kamailio.ca, server_name="other.test")


def test_kamailio_finds_no_fault_with_its_configuration(make_kamailio):
    """The configuration that the harness writes passes kamailio's own check."""
    check_configuration(make_kamailio(USERS).directory)


def test_a_secret_is_found_in_any_disguise(tmp_path):
    """The search that other tests rely on sees a secret as it is, in hex, and inside of base64."""
    secret = b"se:cret-of-7"
    shapes = [secret, secret.hex().encode(), secret.hex().upper().encode()]
    shapes += [base64.b64encode(b"alice:"[:n] + secret + b"tail"[:m]) for n in range(6) for m in range(4)]
    for number, shape in enumerate(shapes):
        (tmp_path / f"{number}.log").write_bytes(b"before " + shape + b" after")
        assert len(secrets.files_with_secrets(tmp_path, [secret], only=".log")) == 1, shape
        (tmp_path / f"{number}.log").write_bytes(b"nothing")
    assert secrets.files_with_secrets(tmp_path, [secret]) == []
