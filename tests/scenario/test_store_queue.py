"""The disk queue, seen from a client, from the server behind it, and from the command line."""

import os
import subprocess
import threading
import time

import pytest

from conftest import needs_queue
from hawser_scenario.agent import Agent
from hawser_scenario.capture import assert_safe, judge
from hawser_scenario.errors import KnownError
from hawser_scenario.publisher import LANGUAGES, Publisher, build_publishers
from hawser_scenario.queue_line import QueueLine
from hawser_scenario.raw_client import RawClient
from hawser_scenario.waiting import wait_until

pytestmark = needs_queue


@pytest.fixture(scope="session")
def programs(tmp_path_factory):
    return build_publishers(tmp_path_factory.mktemp("publishers"))


@pytest.fixture
def line(tmp_path, stack):
    return QueueLine(tmp_path, stack)


def numbered(client, first, last, size=0):
    for i in range(first, last + 1):
        client.publish(f"numbers.{i % 3}", b"%d" % i + b"." * size)


def numbers(first, last):
    return [b"%d" % i for i in range(first, last + 1)]


# ---- on disk, and from there


def test_a_flush_in_an_outage_returns_and_after_kill_9_and_a_restart_the_messages_arrive(line):
    agent = line.start()
    line.cut()
    with RawClient(agent.listen) as client:
        numbered(client, 1, 100)
        client.flush()
    agent.kill()
    assert line.queue.status()["messages"] == 100
    agent.start()
    line.mend()
    line.drained()
    assert line.payloads() == numbers(1, 100)


def test_an_agent_that_starts_without_any_server_works_and_drains_later(line):
    line.network.refuse()
    agent = line.start(ready=False)
    with RawClient(agent.listen) as client:
        numbered(client, 1, 1000)
        client.flush()
        line.mend()
        numbered(client, 1001, 1100)
        client.flush()
        line.drained()
    assert line.payloads() == numbers(1, 1100)
    assert agent.value("hawser_queue_drained_total") >= 1000


def test_headers_and_every_byte_survive_the_disk(line):
    agent = line.start()
    line.cut()
    payload = bytes(range(256)) * 1000
    headers = b"NATS/1.0\r\nKind: first\r\nKind: second\r\n\r\n"
    with RawClient(agent.listen) as client:
        client.send(b"HPUB numbers.h %d %d\r\n" % (len(headers), len(headers) + len(payload)) + headers + payload + b"\r\n")
        client.publish("numbers.empty")
        client.flush()
    line.mend()
    line.drained()
    first, second = line.capture.read()
    assert (first.headers.encode(), first.payload) == (headers, payload)
    assert (second.subject, second.payload) == ("numbers.empty", b"")


def test_the_queue_is_seen_in_metrics_and_from_the_command_line_while_the_agent_runs(line):
    agent = line.start()
    status = line.queue.status()
    assert (status["messages"], status["bytes"], status["dead"]) == (0, 0, 0)
    assert status["owner_pid"] == agent.program.child.pid
    line.cut()
    with RawClient(agent.listen) as client:
        numbered(client, 1, 30, size=1000)
        client.flush()
    status = line.queue.status()
    assert status["messages"] == 30
    wait_until(lambda: agent.value("hawser_queue_messages") == 30, 5, "the gauge follows")
    assert status["bytes"] >= 30_000 and agent.value("hawser_queue_bytes") >= 30_000
    assert status["dead"] == 0 == agent.value("hawser_dead_letters")
    wait_until(lambda: agent.value("hawser_queue_oldest_seconds") > 0.5, 10, "the oldest message grows old")
    rows = line.queue.messages()
    assert [row["subject"] for row in rows] == [f"numbers.{i % 3}" for i in range(1, 31)]
    line.mend()
    line.drained()
    wait_until(lambda: agent.value("hawser_queue_oldest_seconds") == 0, 10, "nothing is old")
    assert line.queue.status()["messages"] == 0


def test_order_and_completeness_while_the_breaker_opens_tries_and_closes(line, programs, stack):
    """Eight clients publish through all of it."""
    agent = line.start()
    publishers = [stack.enter_context(Publisher(line.directory, programs["go" if i % 2 else "c"], agent.url, f"client-{i}",
                                                subject=f"numbers.{i}", rate=300, every=20)) for i in range(8)]

    def flow():
        for publisher in publishers:
            publisher.wait_progress(20)

    seen, done = [0], threading.Event()

    def watch():
        while not done.is_set():
            state = int(line.breaker())
            if state != seen[-1]:
                seen.append(state)
            time.sleep(0.002)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        for _ in range(3):
            flow()
            line.cut()
            flow()                       # in the outage, to the disk
            line.network.hold()
            line.network.accept_again()  # the probe connects, and hears nothing
            accepted = line.network.accepted
            wait_until(lambda: line.network.accepted > accepted, 20, "a probe comes")
            flow()
            assert line.breaker() in (1, 2), "not closed before a PING is answered"
            line.network.let_go()
            wait_until(lambda: line.breaker() == 0, 30, "the breaker closes")
            flow()                       # while it drains
    finally:
        done.set()
        watcher.join()
    confirmed = {publisher.client: publisher.finish() for publisher in publishers}
    line.drained()
    verdict = judge(line.capture.read(), confirmed)
    print(f"breaker: {seen}\n{verdict}")
    assert_safe(verdict)
    # A look every few milliseconds misses what is short: which steps there may be is tested with the breaker itself.
    assert seen[0] == 0 and seen[-1] == 0 and {1, 2} <= set(seen), seen


# ---- a server that refuses


def test_refused_credentials_open_the_breaker_and_new_ones_on_disk_close_it(tmp_path, stack):
    def users(password):
        return f"authorization {{ users = [ {{user: kate, password: {password}}}, {{user: reader, password: r}} ] }}\n"

    line = QueueLine(tmp_path, stack, users("old"), user="reader", **{"pass": "r"})
    base = line.server.config_path.read_text().partition("authorization")[0]
    secret = tmp_path / "password"
    secret.write_text("old\n")
    secret.chmod(0o600)
    agent = line.start(auth={"user": "kate", "password_file": str(secret)})
    known = KnownError("auth_refused")
    line.server.config_path.write_text(base + users("new"))
    line.server.reload()
    wait_until(lambda: line.breaker() == 1, 20, "the breaker is open")
    wait_until(lambda: agent.value("hawser_upstream_refused_total", reason=known.reason) > 0, 20, "the refusal is counted")
    agent.wait_log(known.id)
    status, text = agent.http("/readyz")
    assert status == 503 and (known.reason in text or known.id in text or known.summary in text), text
    with RawClient(agent.listen) as client:
        numbered(client, 1, 50)
        client.flush()
        # A run of refusals has slowed the probing down; new credentials do not wait for its turn.
        wait_until(lambda: agent.value("hawser_upstream_refused_total", reason=known.reason) >= 4, 60, "a run of refusals")
        secret.write_text("new\n")
        began = time.monotonic()
        agent.wait_ready(3)
        print(f"connected {time.monotonic() - began:.2f} s after the credential was written")
        line.drained()
        assert line.breaker() == 0
    assert line.payloads() == numbers(1, 50)
    for word in ("old", "new"):
        assert f'"{word}"' not in agent.log(), "a secret was printed"


def test_what_the_server_refuses_by_itself_goes_to_the_dead_letters_and_can_be_replayed(tmp_path, stack):
    def config(allowed, max_payload):
        return (f'max_payload: {max_payload}\nauthorization {{ users = [ {{user: kate, password: p, permissions: {{publish: {allowed}}}}}, '
                f"{{user: reader, password: r}} ] }}\n")

    line = QueueLine(tmp_path, stack, config('["numbers.*"]', "1MB"), user="reader", **{"pass": "r"})
    agent = line.start(env={"NATS_USERNAME": "kate", "NATS_PASSWORD": "p"})
    base = line.server.config_path.read_text().partition("max_payload: 1MB\nauthorization")[0]
    line.cut()
    line.server.kill()
    with RawClient(agent.listen) as client:
        numbered(client, 1, 20)
        client.publish("numbers.forbidden.x", b"forbidden")
        numbered(client, 21, 40)
        client.publish("numbers.large", b"L" * 200_000)
        numbered(client, 41, 60)
        client.flush()
    line.server.config_path.write_text(base + config('["numbers.*"]', "65536"))
    line.server.start()
    line.mend()
    line.drained()
    assert line.payloads() == numbers(1, 60), "the others go on, in order"
    assert line.queue.status()["dead"] == 2
    wait_until(lambda: agent.value("hawser_dead_letters") == 2, 5, "the gauge follows")
    reasons = {row["subject"]: row["reason"] for row in line.queue.messages(dead=True)}
    assert 'Permissions Violation for Publish to "numbers.forbidden.x"' in reasons["numbers.forbidden.x"], reasons
    assert "payload" in reasons["numbers.large"].lower(), reasons

    line.server.config_path.write_text(base + config('["numbers.>"]', "65536"))
    line.server.reload()
    line.queue.replay_dead()
    wait_until(lambda: line.payloads() == [*numbers(1, 60), b"forbidden"], 30, lambda: f"the one arrives\n{agent.program.tail()}")
    wait_until(lambda: line.queue.status() == {**line.queue.status(), "messages": 0, "dead": 1}, 30, "the other is still too large")

    # A server that is reloaded does not tell its clients of a new max_payload; one that is restarted does.
    line.server.config_path.write_text(base + config('["numbers.>"]', "1MB"))
    line.server.stop()
    line.server.start()
    line.agent.wait_ready()
    line.queue.replay_dead()
    wait_until(lambda: line.payloads()[61:] == [b"L" * 200_000], 30, lambda: f"the other arrives\n{agent.program.tail()}")
    line.drained()
    wait_until(lambda: line.queue.status()["dead"] == 0 == agent.value("hawser_dead_letters"), 10, "no letter is dead")


# ---- requests


def request(client, subject, body=b"question", sid=9):
    client.subscribe("_INBOX.r", sid)
    client.send(b"PUB %s _INBOX.r %d\r\n%s\r\n" % (subject.encode(), len(body), body))


def test_requests_are_answered_with_503_at_once_while_the_server_is_away(line):
    agent = line.start(fallback={"requests": "fail_fast"})
    line.cut()
    with RawClient(agent.listen, timeout=3) as client:
        request(client, "numbers.service")
        subject, headers, payload = client.message_parts()
        assert (subject, headers, payload) == ("_INBOX.r", b"NATS/1.0 503\r\n\r\n", b"")
        client.publish("numbers.kept", b"kept")
        client.flush()
    line.mend()
    line.drained()
    assert line.payloads() == [b"kept"], "a request that was answered does not come later"


def test_requests_are_kept_when_they_shall_be(line):
    agent = line.start(fallback={"requests": "queue"})
    line.cut()
    with RawClient(agent.listen) as client:
        request(client, "service.echo")
        client.flush()
        wait_until(lambda: agent.value("hawser_queue_messages") == 1, 5, "it is in the queue")
        with RawClient(f"127.0.0.1:{line.server.port}") as service:
            service.subscribe("service.>")
            service.flush()
            line.mend()
            assert service.message() == ("service.echo", b"question")
            service.publish("_INBOX.r", b"answer")
            assert client.message() == ("_INBOX.r", b"answer")


# ---- full


def fill(client, size=0, every=10, limit=20_000):
    """Publishes and flushes until the agent says no; the last confirmed number and what was said then."""
    confirmed = 0
    client.socket.settimeout(60)
    while confirmed < limit:
        try:
            numbered(client, confirmed + 1, confirmed + every, size)
            client.send(b"PING\r\n")
            answer = client.next_line()
        except ConnectionError as error:
            return confirmed, str(error).encode()
        if answer != b"PONG":
            try:
                return confirmed, answer + b"\r\n" + client.closed(30)
            except TimeoutError:
                raise AssertionError(f"{answer!r}, and the connection stays open") from None
        confirmed += every
    raise AssertionError(f"{limit} were taken")


def test_a_full_queue_refuses_and_confirms_no_flush_that_covers_a_refused_message(line):
    agent = line.start(limits={"max_pending": 1000}, when_full="reject")
    line.cut()
    with RawClient(agent.listen) as client:
        confirmed, said = fill(client)
    assert b"-ERR" in said and b"Disk Queue Full" in said, said
    assert b"PONG" not in said, "a flush was confirmed after a refusal"
    assert 0 < confirmed <= 1000
    assert agent.value("hawser_publishes_refused_total") > 0
    with RawClient(agent.listen) as other:
        other.flush()  # nothing of it was refused
    line.mend()
    line.drained()
    arrived = line.payloads()
    assert arrived[:confirmed] == numbers(1, confirmed)
    with RawClient(agent.listen) as client:
        numbered(client, 5001, 5010)
        client.flush()
    wait_until(lambda: line.payloads()[-10:] == numbers(5001, 5010), 20, "it takes messages again")


def test_a_refused_batch_that_comes_in_one_piece_with_its_flush_is_answered_too(line):
    """Nothing more comes from this client that could remind the agent of it."""
    agent = line.start(limits={"max_pending": 100}, when_full="reject")
    line.cut()
    with RawClient(agent.listen, timeout=30) as client:
        numbered(client, 1, 100)
        client.flush()
        client.send(b"PUB numbers.1 1\r\nx\r\n" * 10 + b"PING\r\n")
        said = client.closed(30)
    assert b"-ERR" in said and b"PONG" not in said, said


def test_max_bytes_bounds_the_queue(line):
    agent = line.start(max_bytes="2MB", when_full="reject")
    line.cut()
    with RawClient(agent.listen) as client:
        confirmed, said = fill(client, size=10_000)
    assert b"-ERR" in said and b"PONG" not in said
    assert 1_000_000 < confirmed * 10_000 < 3_000_000
    on_disk = sum(file.stat().st_size for file in line.queue.path.rglob("*") if file.is_file())
    assert on_disk < 12_000_000, f"{on_disk} bytes on disk for a queue of 2 MB"
    line.mend()
    line.drained()
    assert len(line.payloads()) >= confirmed


def test_client_libraries_survive_a_full_queue(line, programs, stack):
    """An unmodified library sees an error and a lost connection, publishes again what was not confirmed, and loses nothing."""
    agent = line.start(limits={"max_pending": 500}, when_full="reject")
    publishers = [stack.enter_context(Publisher(line.directory, programs[language], agent.url, language, subject=f"numbers.{language}",
                                                rate=400, every=20)) for language in LANGUAGES]
    for publisher in publishers:
        publisher.wait_progress(40)
    line.cut()
    wait_until(lambda: agent.value("hawser_publishes_refused_total") > 0, 60, "the queue is full")
    wait_until(lambda: all(publisher.began_again() for publisher in publishers), 60,
               lambda: "each is told\n" + "\n".join(p.tail() for p in publishers))
    line.mend()
    for publisher in publishers:
        publisher.wait_progress(200)
    confirmed = {publisher.client: publisher.finish() for publisher in publishers}
    line.drained()
    verdict = judge(line.capture.read(), confirmed)
    print("\n".join(publisher.tail(3) for publisher in publishers), verdict, sep="\n")
    assert_safe(verdict, in_order=False)  # a library may overtake itself when it reconnects


def test_the_oldest_are_shed_and_counted_when_that_is_asked_for(line):
    agent = line.start(limits={"max_pending": 200}, when_full="shed_oldest")
    line.cut()
    with RawClient(agent.listen) as client:
        for first in range(1, 1001, 50):
            numbered(client, first, first + 49)
            client.flush()
    wait_until(lambda: agent.value("hawser_queue_shed_total") + agent.value("hawser_queue_messages") == 1000, 5, "all are counted")
    shed = agent.value("hawser_queue_shed_total")
    assert shed >= 800
    agent.wait_log("shed")
    line.mend()
    line.drained()
    assert line.payloads() == numbers(int(shed) + 1, 1000), "the newest, in order"


@pytest.fixture
def small_disk(tmp_path):
    """16 MB in queue/: little, and enough for the room that the queue keeps for the day when it is full."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    path = tmp_path / "queue"
    path.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(path)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"a small file system cannot be mounted here: {done.stderr.strip()}")
    yield path
    subprocess.run(["umount", "--lazy", str(path)], check=True)


@pytest.mark.parametrize("killed", [False, True], ids=["", "and the agent is killed then"])
def test_a_full_disk_is_a_full_queue(killed, small_disk, line):
    agent = line.start(max_bytes="1GB", when_full="reject")
    line.cut()
    with RawClient(agent.listen) as client:
        confirmed, said = fill(client, size=2000)
    assert b"-ERR" in said and b"PONG" not in said, said
    assert confirmed > 100
    log = agent.log()
    assert KnownError("queue_write_failed").id in log or KnownError("queue_full").id in log, agent.program.tail()
    assert agent.program.running
    if killed:
        agent.kill()
        agent.start()
    line.mend()
    line.drained()
    assert [payload.rstrip(b".") for payload in line.payloads()][:confirmed] == numbers(1, confirmed)
    line.cut()
    with RawClient(agent.listen) as client:  # the room is there again
        numbered(client, 50_001, 50_100, 2000)
        client.flush()
    line.mend()
    line.drained()
    assert [payload.rstrip(b".") for payload in line.payloads()][-100:] == numbers(50_001, 50_100)


# ---- other modes


def test_mode_fail_refuses_publishes_while_the_server_is_away(line):
    agent = line.start(fallback={"mode": "fail"})
    line.cut()
    with RawClient(agent.listen) as client:
        client.publish("numbers.1", b"refused")
        client.send(b"PING\r\n")
        said = client.closed(30)
    assert b"-ERR" in said and b"PONG" not in said, said
    assert agent.value("hawser_publishes_refused_total") == 1
    line.mend()
    with RawClient(agent.listen) as client:
        client.publish("numbers.1", b"taken")
        client.flush()
    assert line.payloads() == [b"taken"]


def test_mode_drop_drops_publishes_and_counts_them(line):
    agent = line.start(fallback={"mode": "drop"})
    line.cut()
    with RawClient(agent.listen) as client:
        numbered(client, 1, 10)
        client.flush()  # the client goes on: it asked for nothing to be kept
        wait_until(lambda: agent.value("hawser_publishes_refused_total") == 10, 10, lambda: f"counted\n{agent.metrics().text}")
        assert agent.value("hawser_queue_messages") == 0
        line.mend()

        def taken():
            """Once this client's own session is back; before that, it is dropped as well."""
            client.publish("numbers.1", b"taken")
            client.flush()
            return line.payloads()

        wait_until(taken, 20)
    assert set(line.payloads()) == {b"taken"}


# ---- the directory


def test_a_second_agent_on_one_queue_directory_is_refused_and_told_whose_it_is(line, tmp_path):
    first = line.start()
    second = Agent(tmp_path / "second", first.broker)
    code, text = second.refuses_to_start()
    assert code != 0
    assert KnownError("queue_in_use").id in text and str(first.program.pid) in text, text
    first.kill()
    with second:  # the lock went with its owner
        second.wait_ready()


def test_a_damaged_queue_is_set_aside_and_what_can_be_read_is_delivered(line):
    agent = line.start()
    line.cut()
    with RawClient(agent.listen) as client:
        for first in range(1, 3001, 500):
            numbered(client, first, first + 499, 200)
            client.flush()
    assert agent.stop() == 0
    assert line.queue.status()["messages"] == 3000
    before = {file for file in line.queue.path.rglob("*") if file.is_file()}
    database = max(before, key=lambda file: file.stat().st_size)
    with open(database, "r+b") as file:
        file.truncate(database.stat().st_size // 2)
    agent.start()
    agent.wait_log(KnownError("queue_damaged").id)
    kept = [file for file in line.queue.path.rglob("*") if file.is_file() and file not in before]
    assert kept, "the damaged file is kept under another name"
    with RawClient(agent.listen) as client:
        numbered(client, 9001, 9010)
        client.flush()
    line.mend()
    line.drained()
    arrived = [int(payload.rstrip(b".")) for payload in line.payloads()]
    print(f"{len(arrived) - 10} of 3000 were recovered from half a file")
    assert arrived[-10:] == list(range(9001, 9011))
    assert arrived == sorted(set(arrived)), "in order, and none twice"


def test_a_broken_off_drain_begins_again_where_it_was_confirmed(line):
    """The network is cut again and again while ten thousand messages drain; with message ids none is stored twice."""
    agent = line.start(dedupe_header=True)
    line.cut()
    with RawClient(agent.listen) as client:
        for first in range(1, 10_001, 1000):
            numbered(client, first, first + 999, 100)
            client.flush()
    line.network.delay(0.002)
    line.network.accept_again()
    for wanted in (500, 2000, 5000):
        wait_until(lambda n=wanted: agent.value("hawser_queue_drained_total") >= n or agent.value("hawser_queue_messages") == 0, 30,
                   lambda: f"it drains\n{agent.program.tail()}")
        line.network.reset()
    line.network.delay(0)
    line.drained()
    messages = line.capture.read()
    assert [m.payload.rstrip(b".") for m in messages] == numbers(1, 10_000)
    ids = [m.header("Nats-Msg-Id") for m in messages]
    assert None not in ids and len(set(ids)) == 10_000


def test_a_message_that_has_an_id_keeps_it(line):
    agent = line.start(dedupe_header=True)
    line.cut()
    headers = b"NATS/1.0\r\nNats-Msg-Id: order-4711\r\n\r\n"
    with RawClient(agent.listen) as client:
        for body in (b"one", b"two"):
            client.send(b"HPUB numbers.h %d %d\r\n" % (len(headers), len(headers) + 3) + headers + body + b"\r\n")
        client.flush()
    line.mend()
    line.drained()
    assert [(m.header("Nats-Msg-Id"), m.payload) for m in line.capture.read()] == [("order-4711", b"one")]


def test_sigterm_in_an_outage_leaves_everything_on_disk(line):
    agent = line.start()
    line.cut()
    with RawClient(agent.listen) as client:
        numbered(client, 1, 500)
        client.flush()
        numbered(client, 501, 600)
        client.flush()
        assert agent.stop() == 0
    assert line.queue.status()["messages"] == 600
    agent.start()
    line.mend()
    line.drained()
    assert line.payloads() == numbers(1, 600)
