# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Registrars that fail, on a table: what the account says of it, when it tries again, and what the registrar saw.

Each row has a kamailio of its own, at an address of its own, since attempts are admitted by host; and all rows
run at the same time in one daemon.
"""

import collections

import pytest

from harness.kamailio import DOMAIN
from harness.muster import LEASED, seconds
from harness.process import wait_until

PASSWORD = "se:cret"
ANOTHER = "an:other"
LEASE_S = 600  # no refresh of it is due by itself while a test runs
SHORT_LEASE_S = 15  # one that a test sees the end of; a refresh is due after 6.6 s
BY_ITSELF, ASKED, NEW_SECRET = "by itself", "when asked", "with a new secret"
SLACK_S = 0.3
HOUR = (3600, 3600)
BACKOFF = "backoff"  # 0.1 s to 2 s after the first failure, to 4 s after the second, to 8 s ...

Row = collections.namedtuple("Row", "name fault state reason error next requests recovery")


def answers(code, **more):
    return lambda kamailio: kamailio.answer(code, **more)


def stopped(kamailio):
    kamailio.stop()


def another_password(kamailio):
    """From now on it is 401 for ever, with a fresh nonce each time."""
    kamailio.set_password("alice", ANOTHER)


# What an account comes to that was never registered. Requests: how many REGISTERs an attempt takes.
FRESH = [
    #   name                fault                        state             reason         error          next      requests
    Row("stopped",          stopped,                     "waiting-retry",  "unreachable", "unreachable", BACKOFF,  0, BY_ITSELF),
    Row("silent",           answers(1),                  "waiting-retry",  "unreachable", "unreachable", BACKOFF,  1, BY_ITSELF),
    Row("403",              answers(403),                "failed",         "forbidden",   "forbidden",   HOUR,     1, ASKED),
    Row("404",              answers(404),                "failed",         "forbidden",   "forbidden",   HOUR,     1, ASKED),
    Row("423",              answers(423),                "waiting-retry",  "protocol",    "protocol",    BACKOFF,  1, BY_ITSELF),
    Row("480",              answers(480),                "waiting-retry",  "unreachable", "unreachable", BACKOFF,  1, BY_ITSELF),
    Row("500",              answers(500),                "waiting-retry",  "unreachable", "unreachable", BACKOFF,  1, BY_ITSELF),
    Row("503",              answers(503),                "waiting-retry",  "busy",        "busy",        BACKOFF,  1, BY_ITSELF),
    Row("503, 7 s",         answers(503, retry_after_s=7), "waiting-retry", "busy",       "busy",        (7, 7.7), 1, BY_ITSELF),
    Row("401 for ever",     another_password,            "waiting-secret", "refused",     "refused",     None,     2, NEW_SECRET),
]

# What a refresh comes to. Until the lease is over, all that passes is "refreshing".
REFRESH = [
    Row("stopped",          stopped,                     "refreshing",     "unreachable", "unreachable", BACKOFF,  0, BY_ITSELF),
    Row("silent",           answers(1),                  "refreshing",     "unreachable", "unreachable", BACKOFF,  1, BY_ITSELF),
    Row("403",              answers(403),                "waiting-secret", "refused",     "refused",     None,     1, NEW_SECRET),
    Row("404",              answers(404),                "failed",         "forbidden",   "forbidden",   HOUR,     1, ASKED),
    Row("423",              answers(423),                "refreshing",     "protocol",    "protocol",    BACKOFF,  1, BY_ITSELF),
    Row("480",              answers(480),                "refreshing",     "unreachable", "unreachable", BACKOFF,  1, BY_ITSELF),
    Row("500",              answers(500),                "refreshing",     "unreachable", "unreachable", BACKOFF,  1, BY_ITSELF),
    Row("503",              answers(503),                "refreshing",     "busy",        "busy",        BACKOFF,  1, BY_ITSELF),
    Row("503, 7 s",         answers(503, retry_after_s=7), "refreshing",   "busy",        "busy",        (7, 7.7), 1, BY_ITSELF),
    Row("401 for ever",     another_password,            "waiting-secret", "refused",     "refused",     None,     2, NEW_SECRET),
]


class Case:
    """A row with its registrar and its account."""

    def __init__(self, row, number, muster, kamailio):
        self.row = row
        self.name = f"alice{number}"  # for people only; the registrar knows alice
        self.muster = muster
        self.kamailio = kamailio
        self.n_before = 0
        self.id = None

    def add(self, wait, lease_s=LEASE_S):
        """The same address at each registrar, so an alias of the domain tells them apart."""
        self.muster.add("sip", self.address, secret=PASSWORD, wait=wait, options=("--name", self.name),
                        server=self.kamailio.server, expires=lease_s, auth_user="alice")
        self.id = self.show()["id"]

    @property
    def address(self):
        return f"{self.name}@{DOMAIN}"

    def show(self):
        return self.muster.show(self.id or self.address)

    def begin(self):
        """The fault begins."""
        self.n_before = len(self.kamailio.exchanges())
        self.row.fault(self.kamailio)

    def end(self):
        if self.row.fault is stopped:
            self.kamailio.start()
        elif self.row.recovery is NEW_SECRET:
            self.kamailio.set_password("alice", ANOTHER)
            self.kamailio.answer(0)
            self.muster.do("secret", self.id, "password", "--fd", "3", secret=ANOTHER)
        else:
            self.kamailio.answer(0)
        if self.row.recovery is ASKED:
            self.muster.do("retry", self.id)

    def refresh(self):
        """Now, unless one that was due by itself has just met the fault."""
        outcome = self.muster.run("refresh", self.id)
        assert outcome.returncode == 0 or self.show()["error"] == self.row.error, (self.row.name, outcome)

    def n_requests(self):
        """REGISTERs since the fault began, without retransmissions."""
        return len(self.kamailio.exchanges()) - self.n_before

    def failed(self, states, timeout_s):
        """Wait for the failure, and hold what is said of it against the table."""
        row = self.row
        shown = self.muster.wait_for(self.id, timeout_s, f"{row.name}: {row.error} and {states}",
                                     lambda now: now["error"] == row.error and now["state"] in states and
                                     (row.next is None or now["next-attempt-at"]))
        what = f"{row.name}: {shown}"
        assert shown["reason"] == row.reason, what
        if row.next is None:
            assert shown["next-attempt-at"] is None, what
        else:
            low_s, high_s = (0.1, 2.0 * 2 ** (shown["attempt"] - 1)) if row.next is BACKOFF else row.next
            began_s = max(seconds(shown["error-details"]["time"]), seconds(shown["since"]))
            wait_s = seconds(shown["next-attempt-at"]) - began_s
            if shown["state"] == "refreshing":  # it is tried inside of what is left
                left_s = seconds(shown["expires-at"]) - began_s
                assert 0 < wait_s < left_s, what
                if row.next is BACKOFF:
                    low_s, high_s = min(low_s, left_s / 3), min(high_s, left_s / 3)
            assert low_s - SLACK_S <= wait_s <= high_s + SLACK_S, what
        return shown

    def check_requests(self, n_cut_off=0):
        """As many REGISTERs as the attempts took; the counts are read while none is under way. One that the end
        of the lease cut off is no failure, and not counted as an attempt."""
        def counted():
            before, n_requests, after = self.show(), self.n_requests(), self.show()
            if before["attempt"] != after["attempt"] or after["next-attempt-at"] is None and self.row.next:
                return None
            return after["attempt"], n_requests

        # the first pause may be over at once, and Timer F holds the attempt after it for 32 s
        attempts, n_requests = wait_until(counted, 45, f"{self.row.name}: between two attempts")
        allowed = [n * self.row.requests for n in range(attempts, attempts + n_cut_off + 1)]
        assert n_requests in allowed, (self.row.name, attempts, self.kamailio.exchanges())

    def never_unregistered(self):
        for each in self.kamailio.requests():
            assert each.expires != "0" and "expires=0" not in each.contact, (self.row.name, each)

    def recovered(self, timeout_s):
        self.muster.wait_state(self.id, "registered", timeout_s)
        assert len(self.kamailio.bindings(self.name)) == 1, self.row.name
        self.never_unregistered()


@pytest.fixture
def make_cases(muster, make_kamailio):
    def make(rows):
        return [Case(row, number, muster, make_kamailio({"alice": PASSWORD}, address=f"127.0.1.{number + 1}"))
                for number, row in enumerate(rows)]
    return make


def test_never_registered(make_cases):
    """Each fault from the beginning; each account recovers when its fault ends."""
    cases = make_cases(FRESH)
    for each in cases:
        each.begin()
        each.add(wait=False)
    for each in sorted(cases, key=lambda case: case.row.name == "silent"):  # which takes 32 s
        each.failed([each.row.state], 40)
        each.check_requests()
        assert each.show()["registered-at"] is None
        each.end()
    for each in cases:
        each.recovered(45)


def test_while_registered(make_cases):
    """Each fault meets a refresh. What passes is borne inside of the lease, and what does not ends it at once.
    When the lease is over so is the registration; nobody ever took it back; and it comes again.

    A lease that is to end begins right before its fault, so that neither its refresh nor its end is due before the
    refresh that is asked for."""
    cases = make_cases(REFRESH)
    lasting = [each for each in cases if each.row.state == "refreshing"]
    for each in sorted(cases, key=lambda case: case.row.name == "silent"):  # which takes a third of the lease
        each.add(wait=True, lease_s=SHORT_LEASE_S if each in lasting else LEASE_S)
        each.begin()
        each.refresh()
        each.failed([each.row.state], 30)
        if each not in lasting:
            each.check_requests()
    for each in lasting:
        shown = each.failed(["waiting-retry"], SHORT_LEASE_S + 30)
        assert shown["bindings"] == [] and shown["expires-at"] is None, each.row.name
        each.check_requests(n_cut_off=1)
    for each in cases:
        each.never_unregistered()
        each.end()
    for each in lasting:  # by now the next attempt may be minutes away
        each.muster.run("retry", each.id)
    for each in cases:
        each.recovered(30)


def test_a_registrar_without_memory(make_muster, make_kamailio):
    """It was restarted and knows nobody: the next refresh is challenged, answered, and all is well again."""
    muster, kamailio = make_muster(), make_kamailio({"alice": PASSWORD})
    address = f"alice@{DOMAIN}"
    muster.add("sip", address, secret=PASSWORD, server=kamailio.server, expires=LEASE_S)
    kamailio.stop()
    kamailio.start()
    n_before = len(kamailio.exchanges())
    assert kamailio.bindings("alice") == []
    muster.do("refresh", address)
    muster.wait_for(address, 30, "refreshed", lambda row: row["refreshes"] >= 1 and row["state"] == "registered")
    assert len(kamailio.bindings("alice")) == 1
    assert [each.code for each in kamailio.exchanges()[n_before:]] == [401, 200]
    assert muster.get("Manager", "Counters")["lost"] == 0
    assert muster.show(address)["attempt"] == 0


def test_a_refused_password_is_not_sent_again(muster, make_kamailio):
    """Whatever anybody does short of giving another one: asking, switching off and on, editing, a restart."""
    kamailio = make_kamailio({"alice": ANOTHER})
    address = f"alice@{DOMAIN}"
    muster.add("sip", address, secret=PASSWORD, server=kamailio.server, wait=False)
    muster.wait_state(address, "waiting-secret")
    n_sent = len([each for each in kamailio.requests() if each.authorized])
    assert n_sent == 1

    def still_waiting():
        row = muster.wait_state(address, "waiting-secret")
        assert (row["reason"], row["next-attempt-at"]) == ("refused", None)
        assert len([each for each in kamailio.requests() if each.authorized]) == n_sent

    muster.run("retry", address)
    still_waiting()
    muster.run("refresh", address)
    still_waiting()
    muster.do("disable", address, "--wait")
    muster.do("enable", address)
    still_waiting()
    muster.do("set", address, "expires=20", "display-name=Alice")
    still_waiting()
    muster.stop()
    muster.start()
    still_waiting()
    muster.kill()
    muster.start()
    still_waiting()

    muster.do("secret", address, "password", "--fd", "3", secret=ANOTHER)
    muster.wait_state(address, "registered")
    assert muster.show(address)["state"] in LEASED
