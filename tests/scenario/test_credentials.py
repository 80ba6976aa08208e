"""Creds end, and are renewed on disk: in time without an interruption, late as soon as the new ones are there."""

import time

import pytest

from conftest import LONG
from hawser_scenario.errors import KnownError
from hawser_scenario.identity import Operator
from hawser_scenario.load import assert_nothing_wrong
from hawser_scenario.waiting import wait_until

RENEWALS = 20 if LONG else 4


@pytest.fixture
def operator(tmp_path):
    return Operator(tmp_path / "operator")


class CredsFile:
    """A creds file that is replaced as a whole; `public` is the user that it holds now."""

    def __init__(self, path, operator):
        self.path = path
        self.operator = operator
        self.public = None

    def write(self, lifetime=None, **options):
        """Of a new user; lasts for so many seconds from now. Returns when it ends."""
        expires = None if lifetime is None else int(time.time()) + lifetime
        text, self.public = self.operator.user("agent", expires, **options)
        fresh = self.path.with_suffix(".new")
        fresh.write_text(text)
        fresh.chmod(0o600)
        fresh.rename(self.path)
        return expires


@pytest.fixture
def creds(tmp_path, operator):
    return CredsFile(tmp_path / "agent.creds", operator)


def users_seen(line):
    return {row.get("authorized_user") for row in line.server.connections()}


def test_creds_that_end_in_seconds_are_renewed_in_time_without_an_interruption(make_line, start_agent, operator, creds):
    line = make_line(server_config=operator.server_config())
    creds.write(lifetime=12)
    agent = start_agent(line.broker(auth={"creds_file": str(creds.path)})).wait_ready()
    with line.load(agent, direct_url=agent.url) as load:
        for _ in range(RENEWALS):
            ends = creds.write(lifetime=12)
            wait_until(lambda: users_seen(line) == {creds.public}, 10, "the new user is used")
            assert agent.value("hawser_credential_not_after_seconds") == ends
        first_ends = ends
        creds.write()
        wait_until(lambda: users_seen(line) == {creds.public}, 10, "creds without an end are used")
        wait_until(lambda: time.time() > first_ends + 1, 20, "all that had an end have ended")
        assert_nothing_wrong(load.stop())
    assert agent.value("hawser_disconnects_total") == 0
    assert agent.value("hawser_credential_not_after_seconds") == 0


def test_a_change_of_the_signing_key_under_load_loses_nothing(make_line, start_agent, operator, creds):
    line = make_line(server_config=operator.server_config())
    creds.write(signed_with=operator.signing_keys[0])
    agent = start_agent(line.broker(auth={"creds_file": str(creds.path)})).wait_ready()
    with line.load(agent, direct_url=agent.url) as load:
        for turn in range(RENEWALS):
            creds.write(signed_with=operator.signing_keys[(turn + 1) % 2])
            wait_until(lambda: users_seen(line) == {creds.public}, 20, "the user of the other signing key is used")
        assert_nothing_wrong(load.stop())
    assert agent.value("hawser_disconnects_total") == 0


def test_creds_that_have_ended_are_read_again_at_once(make_line, start_agent, operator, creds):
    """With watching switched off: the server's word that they have ended is what makes the agent look."""
    line = make_line(server_config=operator.server_config())
    ends = creds.write(lifetime=8)
    broker = line.broker(auth={"creds_file": str(creds.path)})
    broker["tls"]["reload"] = "signal"
    agent = start_agent(broker).wait_ready()
    with line.load(agent, direct_url=agent.url, rate=100, requesters=0, shape="wildcard") as load:
        old = creds.public
        creds.write()
        assert users_seen(line) == {old}, "nobody told it to look"
        wait_until(lambda: time.time() >= ends, 20, "the old creds have ended")
        wait_until(lambda: users_seen(line) == {creds.public} and agent.ready(), 5, "the new creds are used")
        agent.wait_log(KnownError("auth_expired").id)
        received = load.status()["received"]
        wait_until(lambda: load.status()["received"] > received + 100, 15, "messages flow again")
        assert load.status()["client"]["disconnects"] == 0


def test_the_end_of_creds_is_announced_in_log_metric_and_status(make_line, start_agent, operator, creds):
    line = make_line(server_config=operator.server_config())
    ends = creds.write(lifetime=9)
    agent = start_agent(line.broker(auth={"creds_file": str(creds.path)})).wait_ready()
    assert agent.value("hawser_credential_not_after_seconds") == ends
    agent.wait_log("ends soon", KnownError("user_jwt_expiring").id, creds.public)
    assert time.time() < ends, "ahead of the end"
    agent.wait_log("has ended", KnownError("user_jwt_expired").id, creds.public)
    assert '"valid until"' in agent.http("/status")[1]
