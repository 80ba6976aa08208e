"""Every byte that a client reads of `hawser broker`, for well-formed, odd and hostile input, is what nats-server sends."""

import socket

import pytest

from hawser_scenario.broker import HawserBroker
from hawser_scenario.nats_server import NatsServer

QUIET = 'CONNECT {"verbose":false,"pedantic":false}\r\n'
HEADERS = 'CONNECT {"verbose":false,"pedantic":false,"headers":true,"no_responders":true}\r\n'
HELLO = "NATS/1.0\r\n\r\n"

# What is sent after INFO. A PING at the end asks for a sign that all before it was taken; without an answer the server closes.
CONNECT = {
    "no CONNECT": "PING\r\n",
    "CONNECT without options": "CONNECT {}\r\nPING\r\n",
    "two CONNECTs": 'CONNECT {"verbose":true}\r\nCONNECT {"verbose":true}\r\nPING\r\n',
    "CONNECT without JSON": "CONNECT\r\nPING\r\n",
    "CONNECT with half a JSON": 'CONNECT {"verbose":\r\nPING\r\n',
    "CONNECT with an array": "CONNECT []\r\nPING\r\n",
    "CONNECT with other types": 'CONNECT {"verbose":"false"}\r\nPING\r\n',
    "CONNECT with more behind it": 'CONNECT {"verbose":false} x\r\nPING\r\n',
    "protocol 2": 'CONNECT {"verbose":false,"protocol":2}\r\nPING\r\n',
    "protocol -1": 'CONNECT {"verbose":false,"protocol":-1}\r\nPING\r\n',
    "an account": 'CONNECT {"verbose":false,"account":"x"}\r\nPING\r\n',
    "no responders without headers": 'CONNECT {"verbose":false,"no_responders":true}\r\nPING\r\n',
    "verbose": 'CONNECT {"verbose":true}\r\nSUB a 1\r\nPUB a 1\r\nx\r\nUNSUB 1\r\nPING\r\n',
    "verbose with mistakes": 'CONNECT {"verbose":true}\r\nSUB a. 1\r\nUNSUB 9\r\nPUB a 0\r\n\r\nPING\r\n',
    "pedantic": 'CONNECT {"verbose":false,"pedantic":true}\r\nSUB a.* 1\r\nPUB a.* 1\r\nx\r\nPUB a. 1\r\nx\r\nSUB a. 2\r\nPING\r\n',
    "no echo": 'CONNECT {"verbose":false,"echo":false}\r\nSUB a 1\r\nPUB a 1\r\nx\r\nPING\r\n',
}
FRAMES = {
    "small letters": 'connect {"verbose":false}\r\nsub a 1\r\npub a 2\r\nhi\r\nping\r\n',
    "spaces and tabs": QUIET + "SuB   a\t 1  \r\npUb\ta   2\r\nhi\r\npInG\r\n",
    "line feeds alone": 'CONNECT {"verbose":false}\nPING\n',
    "a carriage return alone": QUIET + "PING\rPING\r\n",
    "a space before": " " + QUIET + "PING\r\n",
    "an empty line": QUIET + "\r\nPING\r\n",
    "PONGs that nobody asked for": QUIET + "PONG\r\nPONG\r\nPING\r\n",
    "words after PING": QUIET + "PING a\r\nPING\r\n",
    "an unknown operation": QUIET + "FOO\r\nPING\r\n",
    "MSG": QUIET + "MSG a 1 2\r\nhi\r\nPING\r\n",
    "INFO": QUIET + "INFO {}\r\nPING\r\n",
    "-ERR": QUIET + "-ERR 'x'\r\nPING\r\n",
    "HTTP": "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "a TLS hello": "\x16\x03\x01\x00\x10" + 16 * "x",
    "a control line at its limit": QUIET + "SUB " + 4090 * "a" + " 1\r\nPING\r\n",
    "a control line over its limit": QUIET + "SUB " + 5000 * "a" + " 1\r\nPING\r\n",
    "a control line without an end": QUIET + "SUB " + 9000 * "a",
    "a NUL": QUIET + "SUB a\0b 1\r\nPUB a\0b 1\r\nx\r\nPING\r\n",
    "beyond ASCII": QUIET + "SUB f\u00f6\u00f6 1\r\nPUB f\u00f6\u00f6 1\r\nx\r\nPING\r\n",
}
SUBSCRIPTIONS = {
    "SUB without words": QUIET + "SUB\r\nPING\r\n",
    "SUB with one": QUIET + "SUB a\r\nPING\r\n",
    "SUB with four": QUIET + "SUB a b c d\r\nPING\r\n",
    "odd subjects": QUIET + "".join(f"SUB {subject} {sid}\r\n" for sid, subject in enumerate(
        ["a..b", ".a", "a.", ">.a", "a.>.b", "a*", "a.>b", "*", ">"], 1)) + "PING\r\n",
    "a queue with a wildcard": QUIET + "SUB a q.* 1\r\nPUB a 1\r\nx\r\nPING\r\n",
    "a sid twice": QUIET + "SUB a 1\r\nSUB b 1\r\nPUB a 1\r\nx\r\nPUB b 1\r\nx\r\nPING\r\n",
    "UNSUB without words": QUIET + "UNSUB\r\nPING\r\n",
    "UNSUB of nothing": QUIET + "UNSUB 77\r\nPING\r\n",
    "UNSUB with a word for a maximum": QUIET + "SUB a 1\r\nUNSUB 1 x\r\nPING\r\n",
    "UNSUB after 0": QUIET + "SUB a 1\r\nUNSUB 1 0\r\nPUB a 1\r\nx\r\nPING\r\n",
    "UNSUB after 2": QUIET + "SUB a 1\r\nUNSUB 1 2\r\n" + 3 * "PUB a 1\r\nx\r\n" + "PING\r\n",
    "UNSUB after 2, which it had": QUIET + "SUB a 1\r\n" + 2 * "PUB a 1\r\nx\r\n" + "UNSUB 1 2\r\nPUB a 1\r\nx\r\nPING\r\n",
    "UNSUB after 3, of which it had 2": QUIET + "SUB a 1\r\n" + 2 * "PUB a 1\r\nx\r\n" + "UNSUB 1 3\r\n" + 2 * "PUB a 1\r\nx\r\n" + "PING\r\n",
}
PUBLISHING = {
    "PUB without a size": QUIET + "PUB a\r\n\r\nPING\r\n",
    "PUB of less than nothing": QUIET + "PUB a -1\r\n\r\nPING\r\n",
    "PUB with a word for a size": QUIET + "PUB a x\r\n\r\nPING\r\n",
    "PUB with a signed size": QUIET + "SUB a 1\r\nPUB a +1\r\nx\r\nPING\r\n",
    "PUB with too many words": QUIET + "PUB a b c 1\r\nx\r\nPING\r\n",
    "PUB of more than it says": QUIET + "PUB a 1\r\nxyz\r\nPING\r\n",
    "PUB of more than is allowed": QUIET + "PUB a 1048577\r\n",
    "PUB of more than a number holds": QUIET + "PUB a 99999999999999999999\r\n",
    "PUB of nothing": QUIET + "SUB a 1\r\nPUB a 0\r\n\r\nPING\r\n",
    "PUB to a wildcard": QUIET + "SUB a.* 1\r\nPUB a.* 1\r\nx\r\nPING\r\n",
    "PUB to empty tokens": QUIET + "SUB > 1\r\nPUB a..b 1\r\nx\r\nPUB .a 1\r\nx\r\nPUB a. 1\r\nx\r\nPING\r\n",
    "a reply that is a wildcard": QUIET + "SUB a 1\r\nPUB a r.* 1\r\nx\r\nPUB a r..x 1\r\nx\r\nPING\r\n",
    "reserved replies": QUIET + "PUB a _R_.x 1\r\nx\r\nPUB a _GR_.x 1\r\nx\r\nPING\r\n",
    "system subjects": QUIET + "SUB $SYS.> 1\r\nPUB $SYS.x 1\r\nx\r\nPING\r\n",
    "HPUB without headers": QUIET + "HPUB a 12 14\r\n" + HELLO + "hi\r\nPING\r\n",
    "HPUB": HEADERS + "SUB a 1\r\nHPUB a 12 14\r\n" + HELLO + "hi\r\nPING\r\n",
    "HPUB with a reply": HEADERS + "SUB a 1\r\nHPUB a b 12 12\r\n" + HELLO + "\r\nPING\r\n",
    "HPUB of another protocol": HEADERS + "SUB a 1\r\nHPUB a 12 14\r\nXATS/1.0\r\n\r\nhi\r\nPING\r\n",
    "HPUB without the headers' end": HEADERS + "SUB a 1\r\nHPUB a 12 14\r\nNATS/1.0xxxxhi\r\nPING\r\n",
    "HPUB with more headers than all": HEADERS + "HPUB a 15 14\r\n" + HELLO + "hi\r\nPING\r\n",
    "HPUB with one size": HEADERS + "HPUB a 12\r\n" + HELLO + "\r\nPING\r\n",
    "no responders": HEADERS + "SUB r 1\r\nPUB nobody r 2\r\nhi\r\nPING\r\n",
    "no responders, by a wildcard": HEADERS + "SUB r.* 1\r\nPUB nobody r.x 2\r\nhi\r\nPING\r\n",
    "no responders, and nobody to hear it": HEADERS + "PUB nobody r 2\r\nhi\r\nPING\r\n",
}
CASES = {**CONNECT, **FRAMES, **SUBSCRIPTIONS, **PUBLISHING}


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    directory = tmp_path_factory.mktemp("protocol")
    with NatsServer(directory / "nats-server") as theirs, HawserBroker(directory / "hawser") as ours:
        yield theirs, ours


def answer_of(server, said):
    """All that it sends after INFO, up to the PONG, and whether it closed."""
    with socket.create_connection((server.host, server.port), timeout=10) as link:
        heard = b""
        while b"\r\n" not in heard:
            heard += link.recv(65536)
        heard = heard.partition(b"\r\n")[2]
        try:
            link.sendall(said)
            while not heard.endswith(b"PONG\r\n"):
                more = link.recv(65536)
                if not more:
                    return heard, "closed"
                heard += more
        except ConnectionError:
            return heard, "closed"
        return heard, "open"


@pytest.mark.parametrize("name", CASES)
def test_a_client_reads_what_nats_server_would_send(servers, name):
    theirs, ours = (answer_of(server, CASES[name].encode()) for server in servers)
    assert ours == theirs


def test_where_reads_end_does_not_matter(servers):
    said = (HEADERS + "SUB a.* 1\r\nHPUB a.b r 12 14\r\n" + HELLO + "hi\r\nPUB a.c 5\r\nhello\r\nPING\r\n").encode()
    whole = answer_of(servers[1], said)
    for server in servers:
        with socket.create_connection((server.host, server.port), timeout=10) as link:
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            heard = b""
            for i in range(len(said)):
                link.sendall(said[i:i + 1])
            while not heard.endswith(b"PONG\r\n"):
                heard += link.recv(65536)
        assert heard.partition(b"\r\n")[2] == whole[0]
