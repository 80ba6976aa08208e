"""Nothing that a flush confirmed is lost, and everything comes in order, whatever happens to the server, the network and the agent.

Three client libraries publish numbered messages all the while; a stream on the server keeps what arrives. HAWSER_SEED repeats a
sequence of faults, HAWSER_FAULTS says how many (16, of every kind one, with a queue, and 8; with HAWSER_LONG=1 500).
"""

import json
import os
import ssl

import pytest

from conftest import LONG, mutual, needs_queue
from hawser_scenario.capture import Capture, Message, assert_safe, capturing_server, jetstream, judge
from hawser_scenario.faults import Faults, seed_of_this_run
from hawser_scenario.network import Network
from hawser_scenario.ports import quiet_port
from hawser_scenario.publisher import Publisher, build_publishers
from hawser_scenario.queue import with_queue
from hawser_scenario.waiting import wait_until

FAULTS = int(os.environ.get("HAWSER_FAULTS") or (500 if LONG else 16))
FEWER = int(os.environ.get("HAWSER_FAULTS") or (500 if LONG else 8))
# Seldom and often, in bursts and one by one.
PUBLISHERS = {"go": {"rate": 800, "every": 40}, "c": {"rate": 2000, "every": 500}, "js": {"rate": 300, "every": 1}}


@pytest.fixture(scope="session")
def programs(tmp_path_factory):
    return build_publishers(tmp_path_factory.mktemp("publishers"))


class Everything:
    """Server with a stream, network, perhaps an agent, publishers of every language, and the faults between them."""

    def __init__(self, directory, server, stack, start_agent=None, broker=None, tls=None):
        self.server = server
        self.capture = Capture(server, tls=tls).create()
        self.network = stack.enter_context(Network(server.port))
        self.agent = None
        if start_agent:
            broker = {**broker, "url": self.network.url("tls" if "tls" in broker else "nats")}
            ports = {"listen": f"127.0.0.1:{quiet_port()}", "admin": f"127.0.0.1:{quiet_port()}"}
            self.agent = start_agent(broker, agent=ports).wait_ready()
        self.faults = Faults(seed_of_this_run(), server, self.network, self.capture, self.agent)
        self._directory, self._stack = directory, stack
        self.publishers = []

    def publish(self, programs):
        url = self.agent.url if self.agent else self.network.url()
        for language, manner in PUBLISHERS.items():
            self.publishers.append(self._stack.enter_context(
                Publisher(self._directory, programs[language], url, language, subject=f"numbers.{language}", **manner)))
        self.flow()

    def flow(self):
        for publisher in self.publishers:
            publisher.wait_progress(20)

    def verdict(self):
        """Stops the publishers, waits until everything is delivered, and reads the stream."""
        confirmed = {publisher.client: publisher.finish() for publisher in self.publishers}
        if self.agent:
            self.agent.wait_ready(30)
            wait_until(lambda: self.agent.value("hawser_queue_messages") == 0, 60, "the queue drains")
        verdict = judge(self.capture.stream(), confirmed)
        print(f"{self.faults.seed=} {confirmed=}\n{verdict}")
        return verdict

    def withstands(self, programs, count, in_order=True):
        try:
            self.publish(programs)
            self.faults.run(count, self.flow)
            verdict = self.verdict()
            assert_safe(verdict, in_order)
            return verdict
        except AssertionError as error:
            seen = "\n".join(publisher.tail() for publisher in self.publishers)
            log = self.agent.program.tail(30) if self.agent else ""
            raise AssertionError(f"{error}\n\n{self.faults.story()}\n\n{seen}\n\n{log}") from None


def capturing_with_tls(directory, ca, stack):
    setup = mutual(directory, ca, stack)
    setup.server.kill()
    setup.server.monitor_port = quiet_port()
    setup.server.write_config(setup.tls + jetstream(directory / "jetstream"))
    setup.server.start(port=quiet_port())
    tls = ssl.create_default_context(cafile=ca.cert)
    tls.load_cert_chain(setup.client.cert, setup.client.key)
    return setup, tls


# ---- the checker itself


def message(seq, n, client="one"):
    return Message("numbers.one", "", json.dumps({"client": client, "seq": seq, "n": n}).encode())


CLEAN = [message(seq, seq) for seq in range(1, 101)]


def test_the_verdict_on_a_clean_stream_is_clean():
    verdict = judge(CLEAN, {"one": 100})
    assert_safe(verdict)
    assert verdict.repeats == verdict.published_again == {"one": 0} and verdict.received == {"one": 100}


def test_the_verdict_names_what_was_confirmed_and_is_missing():
    assert judge(CLEAN[:49] + CLEAN[50:], {"one": 100}).lost == {"one": [50]}
    assert judge(CLEAN[:99], {"one": 100}).lost == {"one": [100]}
    assert not judge(CLEAN[:99], {"one": 99}).lost, "not confirmed, not promised"
    assert judge([], {"one": 2}).lost == {"one": [1, 2]}


def test_the_verdict_names_what_came_too_late():
    swapped = CLEAN[:49] + [CLEAN[50], CLEAN[49]] + CLEAN[51:]
    assert judge(swapped, {"one": 100}).reordered == {"one": [(50, 51)]}


def test_the_verdict_tells_repeats_of_the_agent_from_those_of_the_publisher():
    again = judge(CLEAN + CLEAN[90:], {"one": 100})
    assert_safe(again)
    assert again.repeats == {"one": 10} and again.published_again == {"one": 0}
    by_itself = judge(CLEAN + [message(100, 101)], {"one": 100})
    assert_safe(by_itself)
    assert by_itself.repeats == {"one": 0} and by_itself.published_again == {"one": 1}


# ---- the control: no agent


def test_the_publishers_and_the_stream_hold_without_an_agent(programs, tmp_path, stack):
    """The same faults on the network and the server, with nothing of ours in between. A client that reconnects can overtake
    itself on the old connection, so that order is not asked for."""
    everything = Everything(tmp_path, capturing_server(tmp_path, stack), stack)
    verdict = everything.withstands(programs, 6, in_order=False)
    assert all(verdict.received[language] > 100 for language in PUBLISHERS)


# ---- with the agent


def test_what_was_confirmed_survives_without_a_disk_queue(programs, tmp_path, ca, stack, start_agent):
    """A flush then returns when the server has the messages, so that an outage holds publishers up."""
    setup, tls = capturing_with_tls(tmp_path, ca, stack)
    everything = Everything(tmp_path, setup.server, stack, start_agent, setup.broker(), tls=tls)
    everything.withstands(programs, FEWER)


@needs_queue
def test_what_was_confirmed_survives_with_a_disk_queue(programs, tmp_path, ca, stack, start_agent):
    setup, tls = capturing_with_tls(tmp_path, ca, stack)
    everything = Everything(tmp_path, setup.server, stack, start_agent, with_queue(setup.broker(), tmp_path), tls=tls)
    everything.withstands(programs, FAULTS)


@needs_queue
def test_with_message_ids_no_repeat_is_stored(programs, tmp_path, stack, start_agent):
    server = capturing_server(tmp_path, stack)
    broker = with_queue({"type": "nats", "url": server.url()}, tmp_path, dedupe_header=True)
    everything = Everything(tmp_path, server, stack, start_agent, broker)
    verdict = everything.withstands(programs, FEWER)
    assert not any(verdict.repeats.values()), f"repeats although each message has an id\n{verdict}\n{everything.faults.story()}"
