"""A raw NATS client that speaks TLS in every way there is, and says exactly how it was received."""

import base64
import json
import socket
import ssl

from .raw_client import RawClient

WELCOME = "in"


def context(ca, pair=None, newest=None):
    """A client's TLS settings; `pair` is its certificate."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.load_verify_locations(str(ca))
    if pair is not None:
        made.load_cert_chain(str(pair.cert), str(pair.key))
    if newest is not None:
        made.maximum_version = newest
    return made


class TlsClient(RawClient):
    """Connected, and past the TLS handshake when `tls` is given; nothing of NATS but INFO has been said.

    `first`: the handshake comes before INFO. `session`: one of an earlier connection, to be resumed.
    """

    def __init__(self, server, tls=None, first=False, session=None, timeout=10):
        self.socket = socket.create_connection((server.host, server.port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""
        if first:
            self.secure(tls, session)
        line = self.line()
        assert line.startswith(b"INFO "), line
        self.info = json.loads(line[5:])
        if tls is not None and not first:
            self.secure(tls, session)

    def secure(self, tls, session=None):
        assert not self._buffer, "something was said in clear that belongs into TLS"
        self.socket = tls.wrap_socket(self.socket, server_hostname="localhost", session=session)

    def connect(self, key=None, **options):
        """Says CONNECT and PING. `key`: an NKey that signs the nonce."""
        if key is not None:
            signature = base64.urlsafe_b64encode(key.sign(self.info["nonce"].encode())).decode().rstrip("=")
            options = {"nkey": key.public, "sig": signature, **options}
        options = {"verbose": False, "pedantic": False, "headers": True, "protocol": 1, "lang": "raw", **options}
        self.send(b"CONNECT " + json.dumps(options).encode() + b"\r\nPING\r\n")
        return self

    def answer(self):
        """How the server took it: "in", an error's text, "closed", or "alert: …"."""
        try:
            line = self.next_line()
        except ssl.SSLError as error:
            return f"alert: {error.reason}"
        except (ConnectionError, BrokenPipeError):
            return "closed"
        return WELCOME if line == b"PONG" else line.decode().removeprefix("-ERR ").strip("'")

    def last_words(self, timeout=10):
        """Waits for the server to close; the error's text that it said, if any."""
        try:
            said = self.closed(timeout)
        except ssl.SSLError as error:
            return f"alert: {error.reason}"
        errors = [line for line in said.split(b"\r\n") if line.startswith(b"-ERR ")]
        return errors[-1].decode().removeprefix("-ERR ").strip("'") if errors else ""


def knock(server, tls=None, first=False, session=None, key=None, **options):
    """How one that comes with these is received."""
    try:
        with TlsClient(server, tls, first, session) as client:
            return client.connect(key, **options).answer()
    except ssl.SSLError as error:
        return f"alert: {error.reason}"
    except (ConnectionError, BrokenPipeError):
        return "closed"


def enter(server, tls=None, first=False, session=None, key=None, **options):
    """A client that was let in."""
    client = TlsClient(server, tls, first, session)
    answer = client.connect(key, **options).answer()
    assert answer == WELCOME, answer
    return client
