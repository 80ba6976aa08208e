"""A NATS client of a few lines, for what client libraries hide: exact bytes, frames cut short, PONGs."""

import json
import socket


class RawClient:
    """Connected and past CONNECT when `handshake`; else just connected, with `info` read. `tls`: an ssl.SSLContext."""

    def __init__(self, address, handshake=True, timeout=10, tls=None, **connect):
        host, _, port = address.rpartition(":")
        self.socket = socket.create_connection((host, int(port)), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""
        line = self.line()
        assert line.startswith(b"INFO "), line
        self.info = json.loads(line[5:])
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname=host)
        if handshake:
            options = {"verbose": False, "pedantic": False, "headers": True, "no_responders": True, "protocol": 1, **connect}
            self.send(b"CONNECT " + json.dumps(options).encode() + b"\r\nPING\r\n")
            self.expect(b"PONG")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())

    def line(self):
        while b"\r\n" not in self._buffer:
            self._fill()
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line

    def _fill(self):
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("closed by the other side")
        self._buffer += data

    def next_line(self):
        """The next line that is not an INFO; the server's PINGs are answered."""
        while True:
            line = self.line()
            if line == b"PING":
                self.send(b"PONG\r\n")
            elif not line.startswith(b"INFO "):
                return line

    def expect(self, wanted):
        line = self.next_line()
        assert line == wanted, f"expected {wanted!r}, got {line!r}"

    def message(self):
        """The next message: subject, payload (with headers in front when it has some)."""
        subject, headers, payload = self.message_parts()
        return subject, headers + payload

    def message_parts(self):
        """The next message: subject, headers as they came, payload."""
        line = self.next_line()
        words = line.split()
        assert words[0] in (b"MSG", b"HMSG"), line
        size = int(words[-1])
        while len(self._buffer) < size + 2:
            self._fill()
        payload, self._buffer = self._buffer[:size], self._buffer[size + 2:]
        headers = int(words[-2]) if words[0] == b"HMSG" else 0
        return words[1].decode(), payload[:headers], payload[headers:]

    def publish(self, subject, payload=b""):
        self.send(b"PUB %s %d\r\n%s\r\n" % (subject.encode(), len(payload), payload))

    def subscribe(self, subject, sid=1, queue=""):
        self.send(f"SUB {subject} {queue} {sid}\r\n")

    def flush(self):
        """Messages that come before the PONG are dropped."""
        self.send(b"PING\r\n")
        while True:
            line = self.next_line()
            if line == b"PONG":
                return
            assert line.startswith((b"MSG", b"HMSG")), line
            size = int(line.split()[-1])
            while len(self._buffer) < size + 2:
                self._fill()
            self._buffer = self._buffer[size + 2:]

    def closed(self, timeout=10):
        """Waits for the other side to close; what it said before."""
        self.socket.settimeout(timeout)
        said = self._buffer
        try:
            while data := self.socket.recv(65536):
                said += data
        except ConnectionResetError:
            pass
        return said
