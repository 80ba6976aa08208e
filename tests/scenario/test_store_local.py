"""While the server is away, clients of one agent go on talking to each other; when it is back, everybody has had each message once."""

import pytest

from conftest import needs_queue
from hawser_scenario.agent import Agent
from hawser_scenario.ports import quiet_port
from hawser_scenario.queue_line import QueueLine
from hawser_scenario.raw_client import RawClient

pytestmark = needs_queue

LAST = "numbers.last"


@pytest.fixture
def line(tmp_path, stack):
    return QueueLine(tmp_path, stack)


class Listener(RawClient):
    """Keeps what it was sent, by subscription."""

    def __init__(self, address, *subscriptions, **connect):
        super().__init__(address, **connect)
        for sid, subscription in enumerate(subscriptions, 1):
            subject, _, queue = subscription.partition(" ")
            self.subscribe(subject, sid, queue)
        self.flush()

    def take(self, count):
        """The payloads of that many messages."""
        return [self.message_parts()[2] for _ in range(count)]

    def until(self, payload):
        """The payloads that come before this one."""
        taken = []
        while (message := self.message_parts()[2]) != payload:
            taken.append(message)
        return taken


def numbers(first, last):
    return [b"%d" % i for i in range(first, last + 1)]


def publish(client, first, last, subject="numbers.a"):
    for number in numbers(first, last):
        client.publish(subject, number)
    client.flush()


def outside(line, stack, *subscriptions):
    return stack.enter_context(Listener(f"127.0.0.1:{line.server.port}", *subscriptions))


def inside(line, stack, *subscriptions, **connect):
    return stack.enter_context(Listener(line.agent.listen, *subscriptions, **connect))


def end(line, *listeners):
    """What each is still sent before a last message from outside: after that, nothing of the past can come."""
    with RawClient(f"127.0.0.1:{line.server.port}") as client:
        client.publish(LAST, b"last")
        client.flush()
    return [listener.until(b"last") for listener in listeners]


def test_clients_of_one_agent_go_on_talking_and_nobody_gets_a_message_twice(line, stack):
    line.start()
    listener = inside(line, stack, "numbers.>")
    outsider = outside(line, stack, "numbers.>")
    client = stack.enter_context(RawClient(line.agent.listen))
    publish(client, 1, 100)
    assert listener.take(100) == outsider.take(100) == numbers(1, 100)
    line.cut()
    publish(client, 101, 300)
    assert listener.take(200) == numbers(101, 300), "delivered while the server is away"
    line.mend()
    line.drained()
    publish(client, 301, 400)
    later, late_outside = end(line, listener, outsider)
    assert later == numbers(301, 400), "not a second time"
    assert late_outside == numbers(101, 400), "outside each once, in order"
    assert line.payloads()[:400] == numbers(1, 400)


def test_wildcards_and_several_subscriptions_of_one_client_each_get_their_own(line, stack):
    line.start()
    listener = inside(line, stack, "numbers.a.b", "numbers.*.b", "numbers.a.*", "numbers.>", "numbers.a.c")
    client = stack.enter_context(RawClient(line.agent.listen))
    line.cut()
    client.publish("numbers.a.b", b"1")
    client.flush()
    assert listener.take(4) == [b"1"] * 4
    client.publish("numbers.a.c", b"2")
    assert listener.take(3) == [b"2"] * 3
    line.mend()
    line.drained()
    client.publish("numbers.a.b", b"3")
    client.flush()
    assert listener.take(4) == [b"3"] * 4, "none of the four a second time before it"


def test_a_queue_group_shares_the_messages_of_an_outage(line, stack):
    line.start()
    members = [inside(line, stack, "numbers.a group", LAST) for _ in range(3)]
    client = stack.enter_context(RawClient(line.agent.listen))
    line.cut()
    publish(client, 1, 300)
    line.mend()
    line.drained()
    publish(client, 301, 400)
    taken = end(line, *members)
    assert sorted((n for part in taken for n in part), key=int) == numbers(1, 400), "one member each, none twice"
    assert all(len(part) > 20 for part in taken), [len(part) for part in taken]


def test_a_message_of_an_outage_reaches_the_clients_of_another_agent_once(line, tmp_path, stack):
    line.start()
    broker = {"type": "nats", "url": line.server.url()}
    ports = {"listen": f"127.0.0.1:{quiet_port()}", "admin": f"127.0.0.1:{quiet_port()}"}
    other = stack.enter_context(Agent(tmp_path / "other", broker, agent=ports)).wait_ready()
    near, far = inside(line, stack, "numbers.>"), stack.enter_context(Listener(other.listen, "numbers.>"))
    client = stack.enter_context(RawClient(line.agent.listen))
    line.cut()
    publish(client, 1, 50)
    assert near.take(50) == numbers(1, 50)
    line.mend()
    line.drained()
    assert end(line, near, far) == [[], numbers(1, 50)]


def test_subscriptions_that_are_made_and_ended_in_an_outage_count_at_once(line, stack):
    line.start()
    client = stack.enter_context(RawClient(line.agent.listen))
    line.cut()
    late = inside(line, stack, "numbers.>")
    publish(client, 1, 5)
    assert late.take(5) == numbers(1, 5)
    late.send("UNSUB 1\r\n")
    late.flush()
    publish(client, 6, 10)
    late.subscribe("numbers.>", 2)
    late.flush()
    publish(client, 11, 15)
    assert late.take(5) == numbers(11, 15)
    line.mend()
    line.drained()
    late.flush()
    # What was published while it did not listen comes from the server now that it does, as for any late subscriber.
    assert [n for n in end(line, late)[0] if n not in numbers(6, 10)] == []


def test_unsubscribing_after_a_maximum_counts_local_messages(line, stack):
    line.start()
    client = stack.enter_context(RawClient(line.agent.listen))
    listener = inside(line, stack, "numbers.a")
    listener.send("UNSUB 1 7\r\n")
    listener.flush()
    publish(client, 1, 4)
    assert listener.take(4) == numbers(1, 4)
    line.cut()
    publish(client, 5, 10)
    assert listener.take(3) == numbers(5, 7)
    line.mend()
    line.drained()
    publish(client, 11, 12)
    listener.subscribe(LAST, 2)
    listener.flush()
    assert end(line, listener) == [[]]


@pytest.mark.parametrize("echo, heard", [(True, numbers(1, 20)), (False, [])])
def test_a_client_hears_itself_as_it_asked_for(echo, heard, line, stack):
    line.start()
    client = inside(line, stack, "numbers.>", echo=echo)
    line.cut()
    for number in numbers(1, 20):
        client.publish("numbers.a", number)
    client.send(b"PING\r\n")
    taken = client.take(len(heard))
    assert taken == heard
    client.expect(b"PONG")
    line.mend()
    line.drained()
    assert end(line, client) == [[]]


def test_a_request_in_an_outage_is_answered_by_a_client_of_the_same_agent(line, stack):
    line.start()
    service = inside(line, stack, "service.echo")
    client = inside(line, stack, "_INBOX.r")
    line.cut()
    client.send(b"PUB service.echo _INBOX.r 8\r\nquestion\r\n")
    assert service.message() == ("service.echo", b"question")
    service.publish("_INBOX.r", b"answer")
    service.flush()
    assert client.message() == ("_INBOX.r", b"answer")
    line.mend()
    line.drained()
    client.send(b"PUB service.echo _INBOX.r 5\r\nagain\r\n")
    assert service.message() == ("service.echo", b"again"), "the first is not asked a second time"
    service.publish("_INBOX.r", b"second")
    assert client.message() == ("_INBOX.r", b"second")


def test_headers_come_along(line, stack):
    line.start()
    listener = inside(line, stack, "numbers.h")
    client = stack.enter_context(RawClient(line.agent.listen))
    line.cut()
    headers = b"NATS/1.0\r\nKind: first\r\n\r\n"
    client.send(b"HPUB numbers.h %d %d\r\n" % (len(headers), len(headers) + 4) + headers + b"body\r\n")
    assert listener.message_parts() == ("numbers.h", headers, b"body")


def test_local_delivery_can_be_switched_off(line, stack):
    line.start(fallback={"local_delivery": False})
    listener, outsider = inside(line, stack, "numbers.>"), outside(line, stack, "numbers.>")
    client = stack.enter_context(RawClient(line.agent.listen))
    line.cut()
    publish(client, 1, 20)
    listener.send(b"PING\r\n")
    listener.expect(b"PONG")  # and no message before it
    line.mend()
    line.drained()
    # The queue waits until clients have their subscriptions again.
    assert end(line, listener, outsider) == [numbers(1, 20), numbers(1, 20)], "once, from the server"


def test_after_kill_9_in_an_outage_outsiders_still_get_each_message_once(line, stack):
    line.start()
    outsider = outside(line, stack, "numbers.>")
    client = stack.enter_context(RawClient(line.agent.listen))
    line.cut()
    publish(client, 1, 50)
    line.agent.kill()
    line.agent.start()
    line.mend()
    line.drained()
    assert end(line, outsider) == [numbers(1, 50)]
