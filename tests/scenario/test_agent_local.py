"""broker.type: local: the agent is its own server, for the programs of this machine and, by its rules, for others."""

import os
import re
import subprocess

import pytest
from hawser_scenario.agent import Agent
from hawser_scenario.errors import KnownError
from hawser_scenario.load import Load, assert_nothing_wrong
from hawser_scenario.raw_client import RawClient
from hawser_scenario.tls_client import TlsClient, context

HAWSER = os.environ["HAWSER_BIN"]


def others_of(agent):
    """Where the broker listens for others."""
    return agent.wait_log("the embedded broker listens for others").rpartition("listen=")[2]


def test_programs_of_this_machine_share_it_without_a_server_elsewhere(start_agent):
    agent = start_agent({"type": "local"}).wait_ready()
    with RawClient(agent.listen) as one, RawClient(agent.listen) as two:
        assert not one.info.get("auth_required") and not one.info.get("tls_required")
        one.subscribe("greet.>")
        one.flush()
        two.publish("greet.joe", b"hello")
        assert one.message() == ("greet.joe", b"hello")
    assert agent.http("/healthz")[0] == 200
    status, page = agent.http("/")
    assert status == 200 and "hawser agent" in page
    assert "\nhawser_broker_healthy 1\n" in agent.http("/metrics")[1]
    assert agent.stop() == 0


def test_limits_of_the_agents_file_hold(start_agent):
    agent = start_agent({"type": "local", "limits": {"max_payload": "1KB"}}, agent={"max_clients": 1}).wait_ready()
    with RawClient(agent.listen) as client:
        assert client.info["max_payload"] == 1024
        with RawClient(agent.listen, handshake=False) as second:
            assert b"maximum connections exceeded" in second.closed()


def test_others_come_in_by_the_rules_of_its_configuration(tmp_path, ca, start_agent):
    pair, client = ca.server(), ca.issue("client")
    directory = tmp_path / "agent"
    directory.mkdir()
    conf = directory / "nats.conf"

    def write(users):
        conf.write_text(f'listen: "127.0.0.1:-1"\ntls {{ cert_file: "{pair.cert}", key_file: "{pair.key}", ca_file: "{ca.cert}", '
                        f"verify: true }}\nauthorization {{ users = [ {users} ] }}\n")

    local = '{ user: local, password: x, permissions { publish: "in.>", subscribe: "out.>" } }'
    kate = "{ user: kate, password: y }"
    write(f"{local}, {kate}")
    agent = start_agent({"type": "local", "config": "./nats.conf", "user": "local"}).wait_ready()
    host, _, port = others_of(agent).rpartition(":")

    class Others:
        pass

    others = Others()
    others.host, others.port = host, int(port)
    tls = TlsClient(others, context(ca.cert, client))
    tls.send('CONNECT {"verbose":false,"user":"kate","pass":"y"}\r\nPING\r\n')
    tls.expect(b"PONG")
    with RawClient(agent.listen) as inside:
        tls.subscribe("in.>")
        tls.flush()
        inside.publish("in.a", b"from here")
        assert tls.message() == ("in.a", b"from here")
        inside.publish("elsewhere", b"")
        assert b"Permissions Violation for Publish to \"elsewhere\"" in inside.next_line()

        # Taking a user away ends its connection; the programs of this machine stay.
        write(local)
        assert agent.http("/reload", "POST")[0] == 200
        tls.closed()
        inside.flush()
        # And a configuration that is no good changes nothing.
        conf.write_text("nonsense: 1\n")
        agent.hang_up()
        agent.wait_log("rejected", "unknown key")
        assert agent.http("/reload", "POST")[0] == 422
        inside.flush()


@pytest.mark.parametrize("broker, error, says", [
    ({"type": "local", "url": "tls://nats:4222"}, "config_conflict", "broker.url has no use with type: local"),
    ({"type": "local", "tls": {"ca_file": "ca.crt"}}, "config_conflict", "broker.tls has no use with type: local"),
    ({"type": "local", "auth": {"nkey_file": "a"}}, "config_conflict", "broker.auth has no use with type: local"),
    ({"type": "local", "user": "kate"}, "config_bad_value", "broker.config, which is missing"),
    ({"type": "local", "config": "./none.conf"}, "file_unreadable", "none.conf"),
    ({"type": "local", "config": "./bad.conf"}, "config_unknown_key", "bad.conf:1:1: unknown key"),
    ({"type": "local", "config": "./good.conf", "user": "kate"}, "broker_bad_user", "kate"),
], ids=str)
def test_an_agent_that_contradicts_itself_does_not_start(broker, error, says, tmp_path):
    directory = tmp_path / "agent"
    directory.mkdir()
    (directory / "bad.conf").write_text("nonsense: 1\n")
    (directory / "good.conf").write_text("port: -1\n")
    code, log = Agent(directory, broker).refuses_to_start()
    assert code == 2 and KnownError(error).id in log and says in log, log
    check = subprocess.run([HAWSER, "agent", "--config", directory, "--check"], capture_output=True, text=True, timeout=30, check=False)
    assert check.returncode == 2 and says in check.stderr, check.stderr


def test_nothing_is_lost_between_its_clients(start_agent, tmp_path):
    agent = start_agent({"type": "local"}).wait_ready()
    options = {"shape": "literal,wildcard,overlap,queue,self", "requesters": 2, "headers": True}
    with Load(tmp_path, agent.url, agent.url, count=600, rate=3000, drain_quiet_ms=500, **options) as load:
        report = load._next(60)
    assert_nothing_wrong(report)
    assert report["sent"] == 1800


def test_check_speaks_of_its_configuration(tmp_path):
    (tmp_path / "broker.yaml").write_text("broker: {type: local, config: ./nats.conf}\n")
    (tmp_path / "nats.conf").write_text('listen: "0.0.0.0:4222"\n')
    done = subprocess.run([HAWSER, "check", "--config", tmp_path], capture_output=True, text=True, timeout=30, check=False,
                          env={"PATH": os.environ["PATH"]})
    assert KnownError("broker_no_authentication").id in done.stdout and "without TLS" in done.stdout, done.stdout
    assert re.search(r"\bwarning\b", done.stdout)
