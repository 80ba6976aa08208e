"""What local clients are promised: thousands of them, each on its own, bounded, and told the truth."""

import selectors
import socket

import pytest

from conftest import LONG, mutual
from hawser_scenario.raw_client import RawClient
from hawser_scenario.waiting import wait_until

CLIENTS = 2000
IDLE_KIB = 30


@pytest.fixture
def agent(mutual_tls, start_agent):
    return start_agent(mutual_tls.broker()).wait_ready()


def test_info_is_the_agents_own_and_tells_the_upstreams_limits(agent, mutual_tls):
    upstream = mutual_tls.server.varz()
    with RawClient(agent.listen) as client:
        info = client.info
        assert info["max_payload"] == upstream["max_payload"] and info["headers"] is True and info["proto"] == 1
        for key in ("connect_urls", "nonce"):
            assert key not in info
        for key in ("tls_required", "tls_verify", "tls_available", "auth_required"):
            assert not info.get(key)
        host, _, port = agent.listen.rpartition(":")
        assert (info["host"], info["port"]) == (host, int(port)), "addresses are the agent's"


def test_clients_hear_each_other_and_outsiders(agent, mutual_tls):
    with RawClient(agent.listen) as one, RawClient(agent.listen) as two:
        two.subscribe("greeting.*")
        two.flush()
        one.publish("greeting.one", b"hello")
        assert two.message() == ("greeting.one", b"hello")


def test_thousands_of_clients(agent, mutual_tls):
    """Each with its own upstream; then a message from one reaches all; memory for each is bounded."""
    before = agent.program.resident_kib()
    clients = []
    try:
        for begin in range(0, CLIENTS, 50):  # in crowds of 50, as a fleet that starts
            crowd = [RawClient(agent.listen, handshake=False, timeout=60) for _ in range(50)]
            for client in crowd:
                client.send(b'CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\nSUB all 1\r\nPING\r\n')
            for client in crowd:
                client.expect(b"PONG")
            clients += crowd
            assert len(clients) == begin + 50
        assert mutual_tls.server.varz()["connections"] >= CLIENTS
        per_client = (agent.program.resident_kib() - before) / CLIENTS
        print(f"memory of an idle client with its mTLS upstream: {per_client:.1f} KiB")
        clients[0].publish("all", b"x" * 100)
        for client in clients:
            assert client.message() == ("all", b"x" * 100)
        assert agent.value("hawser_clients") == CLIENTS
        assert per_client < 2 * IDLE_KIB, "bench/ has the exact figure; this catches the absurd"
    finally:
        for client in clients:
            client.socket.close()
    wait_until(lambda: agent.value("hawser_clients") == 0, 20, "the agent has let go of them")
    wait_until(lambda: mutual_tls.server.varz()["connections"] < 10, 20, "and of their upstreams")


@pytest.mark.parametrize("cut_after", [b"PUB a.b 10\r\n12345", b"PUB a.b", b"HPUB a.b 12 20\r\nNATS/1.0\r\n", b"PUB a.b 10\r\n1234567890\r"])
def test_a_client_that_dies_in_mid_frame_harms_nobody(cut_after, agent):
    with RawClient(agent.listen) as other:
        other.subscribe("a.>")
        other.flush()
        dying = RawClient(agent.listen)
        dying.publish("a.b", b"whole")
        dying.send(cut_after)
        dying.socket.close()
        assert other.message() == ("a.b", b"whole")
        with RawClient(agent.listen) as next_one:
            next_one.publish("a.c", b"still fine")
            assert other.message() == ("a.c", b"still fine"), "nothing of the torn frame came through"


@pytest.mark.parametrize("bytes_sent, said", [
    (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"-ERR"),
    (b"PUB a.b 99999999999\r\n", b""),  # nats-server says nothing here either
    (b"PUB a.b 10\r\n123456789012\r\n", b"-ERR"),
    (b"SUB " + b"x" * 100_000, b"-ERR"),
    (b"MSG a 1 0\r\n\r\n", b"-ERR"),
])
def test_what_is_not_the_protocol_ends_that_client_only(bytes_sent, said, agent):
    with RawClient(agent.listen) as other, RawClient(agent.listen) as bad:
        bad.send(bytes_sent)
        assert said in bad.closed()
        other.subscribe("fine")
        other.publish("fine", b"1")
        assert other.message() == ("fine", b"1")


def test_a_message_over_max_payload_is_refused_as_the_server_would(agent):
    with RawClient(agent.listen) as client:
        size = client.info["max_payload"] + 1
        client.send(b"PUB big %d\r\n" % size)
        assert b"Maximum Payload Violation" in client.closed()


def test_a_slow_client_is_bounded_and_others_go_on(agent, mutual_tls):
    """It subscribes and never reads: its queue is bounded, it is let go, and memory does not grow with what it missed."""
    with RawClient(agent.listen) as slow, RawClient(agent.listen) as fast, RawClient(agent.listen) as publisher:
        slow.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for client in (slow, fast):
            client.subscribe("flood")
            client.flush()
        before = agent.program.resident_kib()
        payload = b"z" * 60_000
        got = 0
        for _ in range(60):
            for _ in range(50):
                publisher.publish("flood", payload)
            for _ in range(50):
                assert fast.message() == ("flood", payload)
                got += 1
        assert got * len(payload) > 170_000_000
        grown = agent.program.resident_kib() - before
        assert grown < 100_000, f"{grown} KiB held for a client that does not read"
        fast.flush()


def test_ping_is_answered_when_the_upstream_confirmed(agent, mutual_tls):
    """flush() returned means: the server has it. While the server is frozen, no PONG comes for what it has not seen."""
    with RawClient(agent.listen) as client:
        client.publish("before", b"1")
        client.flush()
        seen = mutual_tls.server.varz()["in_msgs"]
        assert seen >= 1
        mutual_tls.server.freeze()
        try:
            client.publish("after", b"2")
            client.send(b"PING\r\n")
            selector = selectors.DefaultSelector()
            selector.register(client.socket, selectors.EVENT_READ)
            assert not selector.select(1.0), "a PONG for what no server has"
        finally:
            mutual_tls.server.thaw()
        client.expect(b"PONG")
        assert mutual_tls.server.varz()["in_msgs"] > seen


def test_publishes_during_an_outage_meet_back_pressure_and_then_an_error(agent, mutual_tls):
    """The window fills, and the client's socket is not read; later each publish is refused with an error that client
    libraries take for one of a publish; what was taken reaches the server when it is back."""
    frame = b"PUB kept 60000\r\n" + b"k" * 60_000 + b"\r\n"
    with RawClient(agent.listen) as publisher:
        mutual_tls.server.kill()
        wait_until(lambda: not agent.ready(), 10, "the agent noticed")
        publisher.socket.settimeout(2.0)
        taken = 0
        try:
            while taken * len(frame) < 512 << 20:
                publisher.socket.sendall(frame)
                taken += 1
        except TimeoutError:
            pass
        assert taken * len(frame) < 100 << 20, "back-pressure bounds what is taken"
        assert agent.program.resident_kib() < 300_000
        publisher.socket.settimeout(40)
        assert publisher.next_line().startswith(b"-ERR 'Permissions Violation for Publish to \"kept\"")
        wait_until(lambda: agent.value("hawser_publishes_refused_total"), 10, "refusals are counted")
        mutual_tls.server.start()
        agent.wait_ready(30)
        wait_until(lambda: mutual_tls.server.varz()["in_msgs"] + agent.value("hawser_publishes_refused_total") >= taken, 30,
                   "what was not refused is at the server")
    with RawClient(agent.listen) as client:
        client.flush()


def test_permission_violations_are_forwarded(tmp_path, ca, stack, start_agent):
    config = ('authorization { users = [ {user: kate, password: p, permissions: {publish: "ok.>", subscribe: "ok.>"}} ] }\n')
    setup = mutual(tmp_path, ca, stack, config)
    agent = start_agent(setup.broker(), env={"NATS_USERNAME": "kate", "NATS_PASSWORD": "p"}).wait_ready()
    with RawClient(agent.listen) as client:
        client.publish("forbidden.x", b"")
        assert client.next_line() == b"-ERR 'Permissions Violation for Publish to \"forbidden.x\"'"
        client.subscribe("forbidden.>", 7)
        assert client.next_line() == b"-ERR 'Permissions Violation for Subscription to \"forbidden.>\"'"
        client.subscribe("ok.>", 8)
        client.publish("ok.x", b"fine")
        assert client.message() == ("ok.x", b"fine")


def test_what_a_client_says_about_credentials_is_not_passed_on(agent, mutual_tls):
    """The agent's identity is the one that counts: a client's user, token, signature are not sent upstream."""
    with RawClient(agent.listen, user="mallory", **{"pass": "x", "auth_token": "t", "name": "named"}) as client:
        client.flush()
        row = wait_until(lambda: mutual_tls.server.connections("named"), 10, "the client's name is kept")[0]
        assert row.get("authorized_user", "") in ("", None)
        assert row["tls_peer_certs"][0]["cert_sha256"] == mutual_tls.client.sha256


def test_verbose_and_pedantic_clients_get_what_they_asked_for(agent):
    with RawClient(agent.listen, handshake=False) as client:
        client.send(b'CONNECT {"verbose":true,"pedantic":true}\r\n')
        client.expect(b"+OK")
        client.send(b"SUB a 1\r\n")
        client.expect(b"+OK")
        client.send(b"PUB a 1\r\nx\r\n")
        assert sorted([client.next_line(), client.next_line()]) in ([b"+OK", b"MSG a 1 1"], [b"+OK", b"x"])


def test_the_agent_ends_orderly_with_its_clients(agent, mutual_tls):
    """SIGTERM: what was published arrives, clients see the end, exit code 0, nothing left at the server."""
    with RawClient(agent.listen) as listener, RawClient(agent.listen) as client:
        listener.subscribe("last")
        listener.flush()
        client.publish("last", b"words")
        assert listener.message() == ("last", b"words")
        assert agent.stop() == 0
        client.closed()
    wait_until(lambda: not mutual_tls.server.connections(), 10, "no connection is left")


@pytest.mark.skipif(not LONG, reason="HAWSER_LONG=1 runs it")
def test_clients_that_come_and_go_leave_nothing_behind(agent, mutual_tls):
    def churn(times):
        for _ in range(times):
            with RawClient(agent.listen) as client:
                client.subscribe("x")
                client.publish("x", b"1")
                assert client.message() == ("x", b"1")
        wait_until(lambda: agent.value("hawser_clients") == 0, 20, "all gone")

    churn(1000)
    before, descriptors = agent.program.resident_kib(), agent.program.open_descriptors()
    churn(5000)
    assert agent.program.resident_kib() < before + 4096
    assert agent.program.open_descriptors() <= descriptors + 2
