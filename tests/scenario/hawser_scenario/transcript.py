"""What clients hear of one script, in a form that is the same for every server that does the same."""

import json
import re

from .raw_client import RawClient

REPLY = re.compile(r"_R_\.[^ ]+")
TOLD = "Nats-Request-Info: "


class TranscriptClient(RawClient):
    """A user of an account; heard() is all that came since the last time, without what depends on the server or its luck."""

    def __init__(self, server, user, **connect):
        super().__init__(f"127.0.0.1:{server.port}", name=user, user=user, **{"pass": "x"}, **connect)
        self.reply = ""  # of the last message that had one

    def ask(self, subject, reply, payload=b"?"):
        self.send(b"PUB %s %s %d\r\n%s\r\n" % (subject.encode(), reply.encode(), len(payload), payload))

    def publish_with_headers(self, subject, reply, headers, payload=b""):
        block = b"NATS/1.0\r\n" + "".join(f"{line}\r\n" for line in headers).encode() + b"\r\n"
        sizes = b"%d %d" % (len(block), len(block) + len(payload))
        self.send(b"HPUB %s %s %s\r\n%s%s\r\n" % (subject.encode(), reply.encode(), sizes, block, payload))

    def heard(self):
        """Sorted, since nobody promises an order between subscriptions."""
        said = []
        self.send(b"PING\r\n")
        while (line := self.next_line()) != b"PONG":
            said.append(self._message(line) if line.startswith((b"MSG", b"HMSG")) else line.decode())
        return sorted(said)

    def _message(self, line):
        words = line.decode().split(" ")
        sizes = 2 if words[0] == "HMSG" else 1
        total = int(words[-1])
        head = int(words[-2]) if sizes == 2 else 0
        while len(self._buffer) < total + 2:
            self._fill()
        payload, self._buffer = self._buffer[:total], self._buffer[total + 2:]
        words = words[1:-sizes]
        if len(words) == 3:
            self.reply = words[2]
        shown = [REPLY.sub("_R_", word) for word in words]
        headers = [_header(text) for text in payload[:head].decode().split("\r\n") if text]
        return " | ".join([*shown, *headers, payload[head:].decode()])


def _header(line):
    """Of what a service is told of who asks: what it is told, and whose account it is; times and addresses differ."""
    if not line.startswith(TOLD):
        return line
    told = json.loads(line[len(TOLD):])
    told.pop("rtt", None)  # when it is known already
    return TOLD + ", ".join(f"{key}={told[key]}" if key in ("acc", "svc", "user", "name") else key for key in told)
