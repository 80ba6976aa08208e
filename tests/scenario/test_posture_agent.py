"""Posture at start-up and while running: what may not be is refused with exit code 4 before any socket is opened."""

from datetime import datetime, timedelta, timezone

import pytest

from hawser_scenario.agent import Agent
from hawser_scenario.errors import KnownError
from hawser_scenario.identity import NKey
from hawser_scenario.nats_server import NatsServer
from hawser_scenario.raw_client import RawClient
from hawser_scenario.waiting import wait_until

PRODUCTION = {"HAWSER_ENV": "production"}
SECRET = "s3cr3t-0f-k4te"


def rfc3339(delta):
    return (datetime.now(timezone.utc) + delta).strftime("%Y-%m-%dT%H:%M:%SZ")


def override(until):
    return {"HAWSER_ALLOW_PLAINTEXT": "yes", "HAWSER_PLAINTEXT_OWNER": "kate", "HAWSER_PLAINTEXT_UNTIL": until,
            "HAWSER_AUTH_MODE": "none"}


@pytest.mark.parametrize("name, url, env", [
    ("plaintext_in_production", "nats://127.0.0.1:1", PRODUCTION),
    ("plaintext_in_production", "nats://127.0.0.1:1", {"CORDUM_ENV": "Prod"}),
    ("transport_mixed", "tls://127.0.0.1:1,nats://127.0.0.1:2", PRODUCTION),
    ("break_glass_expired", "nats://127.0.0.1:1", {**PRODUCTION, **override("2026-01-01T00:00:00Z")}),
    ("tls_verification_disabled", "tls://127.0.0.1:1", {**PRODUCTION, "NATS_TLS_INSECURE": "true"}),
    ("auth_missing", "tls://127.0.0.1:1", PRODUCTION),
    ("auth_collision", "tls://127.0.0.1:1",
     {**PRODUCTION, "NATS_TOKEN": SECRET, "NATS_USERNAME": "kate", "NATS_PASSWORD": SECRET}),
    ("auth_incomplete", "tls://127.0.0.1:1", {**PRODUCTION, "NATS_USERNAME": "kate"}),
    ("auth_mode_mismatch", "tls://127.0.0.1:1", {"NATS_TOKEN": SECRET, "HAWSER_AUTH_MODE": "nkey"}),
    ("credential_malformed", "tls://127.0.0.1:1", {**PRODUCTION, "NATS_NKEY": "SUNOTASEED" + SECRET}),
    ("url_malformed", "tls://", {}),
])
def test_it_refuses_to_start(name, url, env, tmp_path):
    agent = Agent(tmp_path / "agent", {"type": "nats", "url": url}, env=env)
    code, text = agent.refuses_to_start()
    known = KnownError(name)
    assert code == 4, text
    assert known.id in text and known.hint[:30] in text, text
    assert SECRET not in text, "a secret was printed"


def test_it_refuses_half_a_pair(ca, tmp_path):
    pair = ca.issue("client")
    agent = Agent(tmp_path / "agent", {"type": "nats", "url": "tls://127.0.0.1:1", "tls": {"cert_file": str(pair.cert)}})
    code, text = agent.refuses_to_start()
    assert code == 4 and KnownError("tls_pair_incomplete").id in text, text


def test_it_refuses_unreadable_configuration(tmp_path):
    agent = Agent(tmp_path / "agent", {"type": "nats", "ulr": "tls://127.0.0.1:1"})
    code, text = agent.refuses_to_start()
    assert code == 2
    assert "broker.yaml:" in text and "url" in text, f"place and nearest key: {text}"


def test_development_may_be_plain_and_says_so(tmp_path, stack, start_agent):
    server = stack.enter_context(NatsServer(tmp_path / "broker"))
    agent = start_agent({"type": "nats", "url": server.url()}).wait_ready()
    with RawClient(agent.listen) as client:
        client.subscribe("a")
        client.publish("a", b"1")
        assert client.message() == ("a", b"1")
    assert agent.value("hawser_break_glass_active") == 0


def test_break_glass_is_visible_and_ends_by_itself(tmp_path, stack, start_agent):
    """Production on plaintext by an override; its deadline passes while clients are connected."""
    server = stack.enter_context(NatsServer(tmp_path / "broker"))
    agent = start_agent({"type": "nats", "url": server.url()}, env={**PRODUCTION, **override(rfc3339(timedelta(seconds=6)))})
    agent.wait_ready()
    assert agent.value("hawser_break_glass_active") == 1
    assert KnownError("break_glass_active").id in agent.log()
    with RawClient(agent.listen) as client:
        client.subscribe("a")
        client.publish("a", b"1")
        assert client.message() == ("a", b"1")
        wait_until(lambda: not server.admitted(), 15, "the plaintext link is closed when the deadline passes")
        agent.wait_log(KnownError("break_glass_expired").id)
        assert not agent.ready()
        assert agent.program.running
        assert agent.value("hawser_break_glass_active") == 0


def test_a_tls_url_is_never_downgraded(ca, tmp_path, stack, start_agent):
    server = stack.enter_context(NatsServer(tmp_path / "broker"))
    agent = start_agent({"type": "nats", "url": server.url("tls"), "tls": {"ca_file": str(ca.cert)}})
    with RawClient(agent.listen, handshake=False) as client:
        client.send(b"CONNECT {}\r\nPING\r\n")
        agent.wait_log(KnownError("tls_not_offered").id)
    assert not server.admitted()


def test_a_plain_url_is_upgraded_when_the_server_requires_tls(mutual_tls, start_agent):
    broker = mutual_tls.broker(url=mutual_tls.server.url("nats"))
    agent = start_agent(broker).wait_ready()
    agent.wait_log(KnownError("tls_upgraded").id)
    with RawClient(agent.listen) as client:
        client.flush()
        assert all(row["tls_version"] for row in mutual_tls.server.connections())


def test_no_secret_is_in_the_log_or_in_the_arguments(ca, tmp_path, stack, start_agent):
    key = NKey(tmp_path)
    server = stack.enter_context(NatsServer(tmp_path / "broker", f"authorization {{ users = [ {{nkey: {key.public}}} ] }}\n"))
    agent = start_agent({"type": "nats", "url": server.url()}, env={"NATS_NKEY": key.seed}).wait_ready()
    assert key.seed not in agent.log()
    with open(f"/proc/{agent.program.pid}/cmdline", encoding="utf-8") as arguments:
        assert key.seed not in arguments.read()
    assert key.seed not in agent.metrics().text and key.seed not in agent.http("/status")[1]
