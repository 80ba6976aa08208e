"""Servers that are not what the agent hopes for: each connection is given to a script."""

import json
import socket
import ssl
import threading
import warnings

INFO = {"server_id": "NTEST", "server_name": "hostile", "version": "2.9.10", "proto": 1, "go": "none", "host": "127.0.0.1",
        "port": 4222, "headers": True, "max_payload": 1048576, "client_id": 1}


def info_line(**changes):
    return b"INFO " + json.dumps({**INFO, **changes}).encode() + b" \r\n"


class HostileServer:
    """Runs `script(socket)` for each connection, in a thread of its own; counts connections and keeps what was received."""

    def __init__(self, script):
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        self.accepted = 0
        self.received = []
        self.ending = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ending.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def url(self, scheme="tls", host="127.0.0.1"):
        return f"{scheme}://{host}:{self.port}"

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            self._script(self, connection)
        except (OSError, ssl.SSLError):
            pass
        finally:
            connection.close()

    def listen_on(self, connection):
        """Keeps what arrives until the other side closes."""
        while data := connection.recv(65536):
            self.received.append(data)


def plaintext_nats(server, connection):
    """A NATS server without TLS; would take any credentials."""
    connection.sendall(info_line(auth_required=True, nonce="bm9uY2Vub25jZTEy"))
    server.listen_on(connection)


def http(server, connection):
    """Not NATS, and it speaks first, as an SMTP or SSH server would."""
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    server.listen_on(connection)


def silent(server, connection):
    """Accepts and never says a word."""
    server.listen_on(connection)


def hangs_after_info(server, connection):
    """Says INFO, wants TLS, and then nothing."""
    connection.sendall(info_line(tls_required=True))
    server.ending.wait(60)


def endless_info(server, connection):
    """An INFO that never ends."""
    connection.sendall(b"INFO {")
    while not server.ending.is_set():
        connection.sendall(b'"x":"' + b"y" * 65536 + b'",')


def garbage_instead_of_tls(server, connection):
    """INFO, and then bytes that are no TLS record."""
    connection.sendall(info_line(tls_required=True))
    connection.recv(1)
    connection.sendall(b"\x00" * 512)
    server.listen_on(connection)


def closes_after_info(_server, connection):
    """And leaves most of what is said to it unread, so that its end is a reset, whoever was quicker."""
    connection.sendall(info_line(tls_required=True))
    connection.recv(1)


def tls_1_1(pair):
    """INFO, then a TLS server that knows nothing newer than 1.1."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that it is out of date is the point
        context.minimum_version = ssl.TLSVersion.TLSv1_1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.load_cert_chain(pair.cert, pair.key)

    def script(server, connection):
        connection.sendall(info_line(tls_required=True))
        server.listen_on(context.wrap_socket(connection, server_side=True))

    return script
