"""What arrived: a JetStream stream on a real nats-server that keeps every message in the order of its arrival, on disk, and
the verdict on it.

A server answers PING before JetStream has stored what it received: a queue in its memory lies in between. What that queue holds
dies with `kill -9`, for any client, and no agent can know. fence() waits until the queue is empty.
"""

import collections
import dataclasses
import json

from .nats_server import NatsServer
from .ports import quiet_port
from .raw_client import RawClient

STREAM = "CAPTURE"
FENCE = "capture.fence"


def jetstream(directory):
    """Configuration of a server that can capture."""
    return f'jetstream {{ store_dir: "{directory}", max_memory_store: 64MB, max_file_store: 20GB }}\n'


def capturing_server(directory, stack, config=""):
    """A nats-server that can capture, on ports that it keeps over restarts, with its store."""
    server = NatsServer(directory / "broker", jetstream(directory / "jetstream") + config)
    server.monitor_port = quiet_port()
    stack.callback(server.kill)
    return server.start(port=quiet_port())


@dataclasses.dataclass
class Message:
    subject: str
    headers: str
    payload: bytes

    def header(self, name):
        for line in self.headers.split("\r\n"):
            key, _, value = line.partition(":")
            if key == name:
                return value.strip()
        return None


class Capture:
    """A stream of `subjects` on a server; connect_options as for RawClient (user, pass, tls)."""

    def __init__(self, server, subjects=("numbers.>",), duplicate_window_s=120, **connect_options):
        self._server = server
        self._options = connect_options
        self._window_ns = duplicate_window_s * 10**9
        self._subjects = [*subjects, FENCE]

    def create(self):
        config = {"name": STREAM, "subjects": self._subjects, "storage": "file", "retention": "limits",
                  "duplicate_window": self._window_ns}
        self._ask(f"$JS.API.STREAM.CREATE.{STREAM}", config)
        return self

    def _connect(self):
        return RawClient(f"127.0.0.1:{self._server.port}", **self._options)

    @staticmethod
    def _request(client, subject, body, inbox):
        payload = json.dumps(body).encode()
        client.send(b"PUB %s %s %d\r\n%s\r\n" % (subject.encode(), inbox.encode(), len(payload), payload))

    def _ask(self, subject, body):
        with self._connect() as client:
            client.subscribe("_INBOX.capture.ask")
            self._request(client, subject, body, "_INBOX.capture.ask")
            answer = json.loads(client.message()[1])
            assert "error" not in answer, answer
            return answer

    def fence(self):
        """Returns when everything that the server received before is stored."""
        return self._ask(FENCE, {})["seq"]

    def read(self):
        """Every message, in the order of arrival."""
        return list(self.stream())

    def stream(self):
        """The same one by one, for millions. Fences are left out."""
        self.fence()
        consumer = self._ask(f"$JS.API.CONSUMER.CREATE.{STREAM}", {
            "stream_name": STREAM, "config": {"deliver_policy": "all", "ack_policy": "none", "inactive_threshold": 60 * 10**9}})
        pull = f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{consumer['name']}"
        left = consumer["num_pending"]
        with self._connect() as client:
            client.subscribe("_INBOX.capture.read")
            while left > 0:
                batch = min(left, 2000)
                self._request(client, pull, {"batch": batch, "expires": 20 * 10**9}, "_INBOX.capture.read")
                for _ in range(batch):
                    subject, headers, payload = client.message_parts()
                    assert subject.split(".")[0] != "_INBOX", f"{headers!r} instead of a message, {left} left"
                    if subject != FENCE:
                        yield Message(subject, headers.decode(), payload)
                left -= batch


@dataclasses.dataclass
class Verdict:
    """For each client. `n` counts its calls of publish, `seq` its messages: a publisher repeats seq, an agent repeats n."""

    lost: dict       # confirmed and not there
    reordered: dict  # (n, the n that was there before it)
    repeats: dict    # of an n that had already arrived: sent again by the agent
    published_again: dict  # of a seq with another n: by the publisher itself, after an error
    received: dict

    def __str__(self):
        def brief(value):
            return f"{len(value)}: {value[:10]}…{value[-1]}" if isinstance(value, list) else value

        return "\n".join(f"{field.name}: " + ", ".join(f"{client} {brief(v)}" for client, v in getattr(self, field.name).items())
                         for field in dataclasses.fields(self))


def judge(messages, confirmed):
    """`confirmed`: for each client the number up to which it was told that everything is safe."""
    seen_n, seen_seq, newest = collections.defaultdict(set), collections.defaultdict(set), collections.defaultdict(int)
    verdict = Verdict({}, {}, *({client: 0 for client in confirmed} for _ in range(3)))
    for message in messages:
        body = json.loads(message.payload)
        client, n, seq = body["client"], body["n"], body["seq"]
        verdict.received[client] = verdict.received.get(client, 0) + 1
        if n in seen_n[client]:
            verdict.repeats[client] += 1
            continue
        seen_n[client].add(n)
        if n < newest[client]:
            verdict.reordered.setdefault(client, []).append((n, newest[client]))
        newest[client] = max(newest[client], n)
        if seq in seen_seq[client]:
            verdict.published_again[client] += 1
        seen_seq[client].add(seq)
    for client, last in confirmed.items():
        missing = [seq for seq in range(1, last + 1) if seq not in seen_seq[client]]
        if missing:
            verdict.lost[client] = missing
    return verdict


def assert_safe(verdict, in_order=True):
    """Nothing that was confirmed is missing, and first arrivals are in the order of publishing."""
    assert not verdict.lost, f"confirmed and lost\n{verdict}"
    assert not in_order or not verdict.reordered, f"out of order\n{verdict}"
