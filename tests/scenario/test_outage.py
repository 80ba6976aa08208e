"""The server goes away in every manner, and is not what it should be in every manner: the agent comes back, or refuses and
says why, with an error id and a hint; its clients stay connected."""

from datetime import timedelta

import pytest

from hawser_scenario import hostile
from hawser_scenario.errors import KnownError
from hawser_scenario.hostile import HostileServer
from hawser_scenario.layout import InPlace
from hawser_scenario.nats_server import NatsServer, port_of, tls_block
from hawser_scenario.raw_client import RawClient
from hawser_scenario.rotation import Line
from hawser_scenario.waiting import stays_false, wait_until

SLOW = {"rate": 20, "requesters": 0, "shape": "literal,wildcard", "publishers": 2, "drain_quiet_ms": 1000}


@pytest.fixture
def line(tmp_path, authorities, stack):
    line = Line(tmp_path, authorities, InPlace)
    stack.enter_context(line.server)
    return line


def behind(line, agent):
    """A load whose every client is behind the agent, so that no client sees the server go."""
    return line.load(agent, direct_url=agent.url, **SLOW)


def flows(load, more=50):
    received = load.status()["received"]
    wait_until(lambda: load.status()["received"] > received + more, 30, "messages flow")


def assert_clients_never_noticed(load):
    client = load.status()["client"]
    assert client["disconnects"] == 0 and client["closed"] == 0, client


def test_a_restarted_server_is_found_again(line, start_agent):
    agent = start_agent(line.broker()).wait_ready()
    with behind(line, agent) as load:
        for ending in (line.server.stop, line.server.kill):
            ending()
            wait_until(lambda: not agent.ready(), 10, "the agent says that it is not ready")
            agent.wait_log("disconnected from nats")
            line.server.start()
            wait_until(agent.ready, 20, "the agent is ready again")
            flows(load)
        assert_clients_never_noticed(load)
        agent.wait_log("reconnected to nats")
        report = load.stop()
    assert report["reordered"] == 0 and report["corrupted"] == 0
    assert agent.value("hawser_reconnects_total") > 0


def test_a_frozen_server_is_waited_for(line, start_agent):
    agent = start_agent(line.broker()).wait_ready()
    with behind(line, agent) as load:
        line.server.freeze()
        try:
            stays_false(lambda: not agent.program.running, 2.0)
        finally:
            line.server.thaw()
        flows(load)
        assert_clients_never_noticed(load)
        report = load.stop()
    assert report["lost"] == report["duplicated"] == report["reordered"] == 0, "a pause is not a loss"


def test_a_server_that_moved_to_another_port_is_found_behind_the_second_url(line, start_agent, tmp_path, stack):
    reserved = stack.enter_context(NatsServer(tmp_path / "reserved"))
    reserved.kill()
    agent = start_agent(line.broker(url=f"{line.server.url('tls')},tls://127.0.0.1:{reserved.port}")).wait_ready()
    with behind(line, agent) as load:
        line.server.stop()
        line.server.start(port=reserved.port)
        wait_until(agent.ready, 20, "the agent is ready again")
        flows(load)
        assert_clients_never_noticed(load)


def test_an_agent_without_a_server_waits_for_it(line, start_agent):
    line.server.stop()
    agent = start_agent(line.broker())
    agent.wait_log(KnownError("connect_refused").id)
    assert agent.http("/healthz")[0] == 200, "the process is well"
    assert agent.http("/readyz")[0] == 503, "but it cannot serve"
    line.server.start()
    agent.wait_ready()
    with behind(line, agent) as load:
        flows(load)


# ---- what is refused ---------------------------------------------------------------------------------------------------


def assert_refused(agent, name, hint=True):
    """The reason is counted by name, logged with its id, and explained; no upstream, and no client harmed."""
    known = KnownError(name)
    with RawClient(agent.listen, handshake=False) as client:
        client.send(b"CONNECT {}\r\nPING\r\n")
        wait_until(lambda: agent.value("hawser_upstream_refused_total", reason=known.reason) > 0, 20,
                   lambda: f"a refusal with reason {known.reason}\n{agent.program.tail()}")
        text = agent.wait_log(known.id)
        assert not hint or known.hint[:30] in text, f"no hint in: {text}"
    assert not agent.ready()
    assert agent.program.running


def server_with(stack, directory, pair, ca, extra=""):
    return stack.enter_context(NatsServer(directory / "wrong", tls_block(pair, ca.cert, extra=extra)))


def client_settings(ca, pair=None, **tls):
    pair = pair or ca.issue("client")
    return {"cert_file": str(pair.cert), "key_file": str(pair.key), "ca_file": str(ca.cert), **tls}


@pytest.mark.parametrize("case, name", [
    ("wrong CA", "tls_unknown_authority"),
    ("wrong name", "tls_wrong_name"),
    ("expired", "tls_peer_expired"),
    ("not yet valid", "tls_peer_not_yet_valid"),
    ("revoked", "tls_peer_revoked"),
    ("not for a server", "tls_peer_wrong_usage"),
    ("a client of another CA", "tls_refused_certificate"),
])
def test_a_wrong_certificate_is_refused(case, name, authorities, tmp_path, stack, start_agent):
    ours, theirs = authorities
    pair, tls = ours.server(), client_settings(ours)
    trusted_by_server = ours
    if case == "wrong CA":
        pair = theirs.server()
    elif case == "wrong name":
        pair = ours.server(san="DNS:elsewhere.example,IP:192.0.2.1")
    elif case == "expired":
        pair = ours.server(starts=timedelta(days=-3), ends=timedelta(hours=-1))
    elif case == "not yet valid":
        pair = ours.server(starts=timedelta(days=1), ends=timedelta(days=2))
    elif case == "revoked":
        tls["crl_file"] = str(ours.crl(pair))
    elif case == "not for a server":
        pair = ours.issue("server", usage="clientAuth")
    else:
        trusted_by_server = theirs
    server = server_with(stack, tmp_path, pair, trusted_by_server)
    agent = start_agent({"type": "nats", "url": server.url("tls"), "tls": tls})
    assert_refused(agent, name)
    assert not server.admitted()


def test_a_current_crl_without_the_server_lets_it_pass(ca, tmp_path, stack, start_agent):
    server = server_with(stack, tmp_path, ca.server(), ca)
    tls = client_settings(ca, crl_file=str(ca.crl(ca.server(), name="fine.crl")))
    start_agent({"type": "nats", "url": server.url("tls"), "tls": tls}).wait_ready()


@pytest.mark.parametrize("script, name", [
    (hostile.plaintext_nats, "tls_not_offered"),
    (hostile.http, "not_a_nats_server"),
    (hostile.endless_info, "not_a_nats_server"),
    (hostile.closes_after_info, "connection_lost"),
    (hostile.garbage_instead_of_tls, "tls_peer_not_tls"),
    (hostile.hangs_after_info, "handshake_timeout"),
    (hostile.silent, "info_timeout"),
])
def test_a_server_that_is_not_what_it_should_be_is_refused(script, name, ca, stack, start_agent):
    server = stack.enter_context(HostileServer(script))
    agent = start_agent({"type": "nats", "url": server.url(), "tls": client_settings(ca)},
                        env={"NATS_USERNAME": "kate", "NATS_PASSWORD": "never-in-clear"})
    assert_refused(agent, name)
    assert b"never-in-clear" not in b"".join(server.received) and b"CONNECT" not in b"".join(server.received)


def test_tls_1_1_is_refused(ca, stack, start_agent):
    server = stack.enter_context(HostileServer(hostile.tls_1_1(ca.server())))
    agent = start_agent({"type": "nats", "url": server.url(), "tls": client_settings(ca)})
    assert_refused(agent, "tls_protocol_version")


@pytest.mark.parametrize("auth, config", [
    ({"user": "kate", "password_file": "secret"}, "authorization { user: kate, password: other }\n"),
    ({"token_file": "secret"}, "authorization { token: other }\n"),
])
def test_a_refused_credential_is_kept_from_clients_and_tried_again(auth, config, ca, tmp_path, stack, start_agent):
    pair = ca.server()
    block = tls_block(pair, ca.cert)
    server = stack.enter_context(NatsServer(tmp_path / "broker", block + config))
    secret = tmp_path / "secret"
    secret.write_text("s3cr3t-of-kate\n")
    secret.chmod(0o600)
    auth = {key: str(secret) if value == "secret" else value for key, value in auth.items()}
    agent = start_agent({"type": "nats", "url": server.url("tls"), "tls": client_settings(ca), "auth": auth})
    assert_refused(agent, "auth_refused")
    with RawClient(agent.listen, handshake=False) as client:
        client.send(b'CONNECT {"verbose":false}\r\nPING\r\n')
        server.reload(block + config.replace("other", "s3cr3t-of-kate"))
        wait_until(agent.ready, 40, "the credential is tried again and taken")
        client.expect(b"PONG")
    assert "s3cr3t-of-kate" not in agent.log()


def test_nothing_listens_there(ca, tmp_path, start_agent):
    with NatsServer(tmp_path / "gone") as server:
        port = port_of(server.url())
    agent = start_agent({"type": "nats", "url": f"tls://127.0.0.1:{port}", "tls": client_settings(ca)})
    assert_refused(agent, "connect_refused")
