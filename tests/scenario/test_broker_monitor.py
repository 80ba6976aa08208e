"""Monitoring: the same questions to nats-server and to the broker, and answers of the same form."""

import json
import re
import socket
import ssl
import urllib.error
import urllib.request

import pytest

from hawser_scenario.broker import HawserBroker
from hawser_scenario.nats_server import NatsServer, tls_block
from hawser_scenario.raw_client import RawClient
from hawser_scenario.tls_client import TlsClient, context
from hawser_scenario.waiting import wait_until

ACCOUNTS = """
accounts {
  A {
    users = [
      {user: "a", password: "a"}
      {user: "shy", password: "shy", permissions: {publish: "ok", subscribe: "ok"}}
    ]
    exports = [
      {service: "svc", response_type: stream}
      {stream: "str.>", accounts: ["B"]}
    ]
    mappings = { "m.a": "m.b" }
  }
  B {
    users = [ {user: "b", password: "b"} ]
    imports = [
      {service: {account: A, subject: "svc"}, to: "near"}
      {stream: {account: A, subject: "str.>"}, prefix: "p"}
    ]
  }
  SYS { users = [ {user: "sys", password: "sys"} ] }
}
system_account: SYS
"""

# What the broker has from newer versions of nats-server.
NEWER = {"config_digest", "slow_consumer_stats", "stale_connections", "stale_connection_stats", "tls_cert_not_after",
         "tls_first", "num_subscriptions"}


def get(server, path, scheme="http", port=None, tls=None):
    """Status, content type and text."""
    try:
        with urllib.request.urlopen(f"{scheme}://127.0.0.1:{port or server.monitor_port}/{path}", timeout=10,
                                    context=tls) as answer:
            return answer.status, answer.headers["Content-Type"].partition(";")[0], answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.headers["Content-Type"].partition(";")[0], refused.read().decode()


def form(value):
    """The kind of a JSON value: for text, what it is the text of."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, str):
        for kind, pattern in {"time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z", "hash": r"[0-9a-f]{64}",
                              "duration": r"(\d+(\.\d+)?(y|d|h|m|s|ms|µs|ns))+", "id": r"N[A-Z2-7]{55}"}.items():
            if re.fullmatch(pattern, value):
                return kind
        return "text"
    return "list" if isinstance(value, list) else "object" if isinstance(value, dict) else "null"


def compare(theirs, ours, where=""):
    """Every member of theirs is in ours, of the same form and in the same order; ours has newer ones besides."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        absent = {key for key, value in theirs.items() if value is None} | {"git_commit"}
        theirs = {key: value for key, value in theirs.items() if key not in absent}
        missing = [key for key in theirs if key not in ours]
        assert not missing, f"{where}: {missing} of {sorted(theirs)} are not in {sorted(ours)}"
        more = set(ours) - set(theirs) - absent - NEWER
        assert not more, f"{where}: nats-server has no {more}"
        assert [key for key in ours if key in theirs] == list(theirs), where
        for key in theirs:
            compare(theirs[key], ours[key], f"{where}.{key}")
    elif isinstance(theirs, list) and isinstance(ours, list):
        if theirs and isinstance(theirs[0], dict) and "sid" in theirs[0]:  # in no order
            theirs, ours = (sorted(rows, key=lambda row: row["sid"]) for rows in (theirs, ours))
        for at, (one, other) in enumerate(zip(theirs, ours)):
            compare(one, other, f"{where}[{at}]")
    elif theirs != "" and not where.endswith(".go"):  # Go's version
        assert form(theirs) == form(ours), f"{where}: {theirs!r} is {form(theirs)}, {ours!r} is {form(ours)}"


class Both:
    """A nats-server and a broker with the same configuration, and the same clients."""

    def __init__(self, directory, stack, config):
        self.stack = stack
        self.servers = [stack.enter_context(NatsServer(directory / "nats", config)),
                        stack.enter_context(HawserBroker(directory / "hawser", config))]

    def connect(self, **options):
        return [self.stack.enter_context(RawClient(f"127.0.0.1:{server.port}", **options)) for server in self.servers]

    def ask(self, path):
        """Both answers as JSON, compared."""
        answers = [get(server, path) for server in self.servers]
        assert answers[0][:2] == answers[1][:2], f"{path}: {answers}"
        theirs, ours = (json.loads(text) for _, _, text in answers)
        compare(theirs, ours, path)
        return theirs, ours


@pytest.fixture
def both(tmp_path, stack):
    return lambda config="": Both(tmp_path, stack, config)


def connection(answer, name):
    return next(row for row in answer["connections"] if row.get("name") == name)


def test_every_endpoint_has_the_members_of_nats_server_in_their_order(both):
    pair = both(ACCOUNTS)
    for client in pair.connect(user="a", **{"pass": "a"}, name="one", lang="test", version="1.2"):
        client.subscribe("foo.*", 1)
        client.subscribe("foo.bar", 2, "group")
        client.send("UNSUB 2 5\r\n")
        client.publish("foo.bar", b"hello")
        client.flush()
    for path in ["varz", "connz", "connz?auth=1", "connz?subs=1", "connz?subs=detail&auth=true", "subsz",
                 "subscriptionsz", "routez", "gatewayz", "leafz", "accountz", "accstatz", "accstatz?unused=1", "healthz",
                 "connz?state=any", "connz?cid=99", "connz?acc=A&auth=1", "connz?acc=none", "subsz?acc=none"]:
        pair.ask(path)
    theirs, ours = pair.ask("connz?subs=detail&auth=1")
    for answer in (theirs, ours):
        row = connection(answer, "one")
        assert row["authorized_user"] == "a" and row["account"] == "A"
        assert row["in_msgs"] == 1 and row["in_bytes"] == 5 and row["out_msgs"] == 2 and row["subscriptions"] == 2
        details = {entry["sid"]: entry for entry in row["subscriptions_list_detail"]}
        assert details["2"]["qgroup"] == "group" and details["2"]["max"] == 5 and details["2"]["msgs"] == 1


def test_subsz_lists_tests_and_pages(both):
    pair = both()
    for client in pair.connect():
        for sid, subject in enumerate(["news.*", "news.sport", "other.>"]):
            client.subscribe(subject, sid)
        client.flush()
    subjects = lambda answer: sorted(row["subject"] for row in answer["subscriptions_list"])  # noqa: E731
    for answer in pair.ask("subsz?subs=1&test=news.sport"):
        assert subjects(answer) == ["news.*", "news.sport"]
    for answer in pair.ask("subsz?subs=1&test=other.x&acc=$G"):
        assert subjects(answer) == ["other.>"]
    for answer in pair.ask("subsz?subs=1&limit=1&test=news.sport"):
        assert len(answer["subscriptions_list"]) == 1
    pair.ask("subsz?subs=1&test=nobody.here")


def test_accounts_tell_their_exports_imports_and_mappings(both):
    pair = both(ACCOUNTS)
    own = lambda row: not row["subject"].startswith("$SYS")  # noqa: E731
    for name in ["A", "B", "SYS", "$G"]:
        theirs, ours = (answer["account_detail"] for answer in
                        (json.loads(get(server, f"accountz?acc={name}")[2]) for server in pair.servers))
        assert theirs["account_name"] == ours["account_name"] == name
        for key in ("exports", "imports"):  # those of the system account aside, which it makes itself
            by_subject = lambda rows: sorted(filter(own, rows), key=lambda row: row["subject"])  # noqa: E731
            assert by_subject(theirs.get(key, [])) == by_subject(ours.get(key, [])), f"{name} {key}"
        assert theirs.get("mappings") == ours.get("mappings")
        compare({key: value for key, value in theirs.items() if key not in ("exports", "imports")},
                {key: value for key, value in ours.items() if key not in ("exports", "imports")}, name)


@pytest.mark.parametrize("path", [
    "connz?sort=bogus", "connz?sort=stop", "connz?sort=reason", "connz?state=bogus", "connz?limit=x", "connz?offset=1.5",
    "connz?cid=-1", "connz?auth=maybe", "connz?subs=2", "subsz?test=a.*", "subsz?limit=x", "accountz?acc=NO",
    "accstatz?unused=x", "connz?limit=99999999999999999999"])
def test_a_wrong_query_is_refused_in_the_same_words(both, path):
    theirs, ours = (get(server, path) for server in both().servers)
    assert theirs == ours


def test_every_sort_key_of_nats_server_is_known(both):
    pair = both()
    for client in pair.connect(name="x") + pair.connect(name="y"):
        client.flush()
    for key in ["cid", "start", "subs", "pending", "msgs_to", "msgs_from", "bytes_to", "bytes_from", "last", "idle", "uptime"]:
        for answer in pair.ask(f"connz?sort={key}"):
            assert answer["num_connections"] == 2
    for key in ["stop", "reason"]:
        pair.ask(f"connz?state=closed&sort={key}")
    _, ours = pair.ask("connz?limit=1&offset=1")
    assert ours["num_connections"] == 1 and ours["total"] == 2 and ours["offset"] == 1


def test_closed_connections_stay_with_their_reason(both):
    pair = both(ACCOUNTS)
    for client in pair.connect(user="a", **{"pass": "a"}, name="leaves", lang="test", version="1"):
        client.flush()
        client.socket.close()
    for server in pair.servers:
        client = RawClient(f"127.0.0.1:{server.port}", handshake=False)
        client.send('CONNECT {"user":"a","pass":"wrong","name":"stranger","lang":"test","version":"1"}\r\n')
        client.closed()
        wait_until(lambda s=server: json.loads(get(s, "connz?state=closed")[2])["total"] >= 2, 10, "both are closed")
    theirs, ours = pair.ask("connz?state=closed&sort=stop&auth=1")
    for answer in (theirs, ours):
        assert connection(answer, "leaves")["reason"] == "Client Closed"
        assert connection(answer, "stranger")["reason"] == "Authentication Failure"
    compare(connection(theirs, "leaves"), connection(ours, "leaves"))
    cid = connection(ours, "leaves")["cid"]
    assert [row["cid"] for row in json.loads(get(pair.servers[1], f"connz?state=closed&cid={cid}")[2])["connections"]] == [cid]


def test_tls_shows_version_cipher_and_certificates_when_asked(tmp_path, ca, both):
    pair = both(tls_block(ca.server(), ca.cert))
    own = ca.issue("kate")
    for server in pair.servers:
        client = pair.stack.enter_context(TlsClient(server, context(ca.cert, own)))
        client.send('CONNECT {"name":"kate","verbose":false,"lang":"test","version":"1"}\r\nPING\r\n')
        client.expect(b"PONG")
    theirs, ours = pair.ask("connz?auth=1")
    one, other = connection(theirs, "kate"), connection(ours, "kate")
    compare(one, other)
    assert other["tls_version"] == one["tls_version"] == "1.3"
    assert other["tls_cipher_suite"].startswith("TLS_") and one["tls_cipher_suite"].startswith("TLS_")
    assert other["tls_peer_certs"][0] == one["tls_peer_certs"][0]
    assert other["tls_peer_certs"][0]["cert_sha256"] == own.sha256
    assert "tls_peer_certs" not in connection(json.loads(get(pair.servers[1], "connz")[2]), "kate")
    theirs, ours = pair.ask("varz")
    assert ours["tls_required"] and ours["tls_verify"] and ours["tls_timeout"] == theirs["tls_timeout"]
    assert ours["auth_timeout"] == theirs["auth_timeout"]
    assert form(ours["tls_cert_not_after"]) == "time"


def test_https_needs_no_client_certificate_and_shows_the_new_one_after_a_reload(tmp_path, ca, stack):
    pair = ca.server()
    server = HawserBroker(tmp_path / "hawser", tls_block(pair, ca.cert))
    server.monitor_flag = "-ms"
    stack.enter_context(server)
    trusting = ssl.create_default_context(cafile=str(ca.cert))

    def shown():
        """The certificate of one handshake."""
        with socket.create_connection(("127.0.0.1", server.monitor_port), timeout=10) as plain:
            with trusting.wrap_socket(plain, server_hostname="localhost") as secured:
                return secured.getpeercert(binary_form=True)

    status, _, text = get(server, "varz", "https", tls=trusting)
    assert status == 200 and json.loads(text)["https_port"] == server.monitor_port
    before = shown()
    new = ca.server()
    pair.cert.write_bytes(new.cert.read_bytes())
    pair.key.write_bytes(new.key.read_bytes())
    server.program.signal(1)
    wait_until(lambda: shown() != before, 10, "the new certificate is shown")


def test_a_token_never_shows(tmp_path, stack):
    server = stack.enter_context(HawserBroker(tmp_path / "hawser", 'authorization { token: "s3cret-t0ken" }\n'))
    client = stack.enter_context(RawClient(f"127.0.0.1:{server.port}", auth_token="s3cret-t0ken", name="one"))
    client.flush()
    assert server.connections("one")[0]["authorized_user"] == "[REDACTED]"
    client.socket.close()
    wait_until(lambda: json.loads(get(server, "connz?state=closed")[2])["total"] == 1, 10, "it is closed")
    for path in ["varz", "connz?auth=1&state=any", "metrics", "accountz?acc=$G", "subsz?subs=1", ""]:
        assert "s3cret" not in get(server, path)[2], path


def test_jsonp_calls_a_function_and_nothing_else(both):
    theirs, ours = (get(server, "healthz?callback=cb") for server in both().servers)
    assert theirs == ours == (200, "application/javascript", 'cb({"status":"ok"})')


def test_metrics_count_what_clients_do(tmp_path, stack):
    server = stack.enter_context(HawserBroker(tmp_path / "hawser", ACCOUNTS))

    def metric(name, **labels):
        found = [line for line in get(server, "metrics")[2].splitlines() if line.startswith("hawser_broker_" + name)
                 and all(f'{key}="{value}"' in line for key, value in labels.items())]
        assert len(found) == 1, found
        return float(found[0].rpartition(" ")[2])

    address = f"127.0.0.1:{server.port}"
    client = stack.enter_context(RawClient(address, user="shy", **{"pass": "shy"}))
    client.subscribe("ok", 1)
    client.publish("ok", b"12345")
    client.publish("forbidden", b"1")
    client.subscribe("forbidden", 2)
    refused = [client.next_line() for _ in range(4)]
    assert sum(line.startswith(b"-ERR") for line in refused) == 2, refused
    RawClient(address, handshake=False).send('CONNECT {"user":"nobody"}\r\n')
    wait_until(lambda: metric("auth_failures_total") == 1, 10, "a refused login is counted")
    assert metric("connections ") == 1
    assert metric("messages_total", direction="in") == 2
    assert metric("account_message_bytes_total", account="A", direction="out") == 5
    assert metric("denied_total", operation="publish") == 1 and metric("denied_total", operation="subscribe") == 1
    assert metric("healthy") == 1
    server.reload()
    assert metric("reloads_total", result="applied") == 1
    server.config_path.write_text("nonsense {")
    server.program.signal(1)
    wait_until(lambda: metric("reloads_total", result="rejected") == 1, 10, "a reload that failed is counted")


def request(client, subject, payload=b""):
    client.send(b"PUB %s reply %d\r\n%s\r\n" % (subject.encode(), len(payload), payload))
    return json.loads(client.message()[1])


def test_the_system_account_answers_as_over_http(both):
    pair = both(ACCOUNTS)
    others = pair.connect(user="a", **{"pass": "a"}, name="one", lang="test", version="1")
    systems = pair.connect(user="sys", **{"pass": "sys"}, name="sys", lang="test", version="1")
    for client in systems + others:
        client.subscribe("reply", 1)
        client.flush()
    for subject, payload in [("SERVER.PING", b""), ("SERVER.PING.STATSZ", b"{}"), ("SERVER.PING.VARZ", b""),
                             ("SERVER.PING.CONNZ", b'{"auth":true,"subscriptions":true}'), ("SERVER.PING.CONNZ", b'{"sort":"bogus"}'),
                             ("SERVER.PING.SUBSZ", b""), ("SERVER.PING.ACCOUNTZ", b'{"account":"A"}'), ("SERVER.PING.HEALTHZ", b""),
                             ("SERVER.PING.ROUTEZ", b""), ("ACCOUNT.A.CONNZ", b""), ("ACCOUNT.A.STATZ", b""),
                             ("ACCOUNT.A.INFO", b""), ("ACCOUNT.PING.STATZ", b""), ("ACCOUNT.NO.INFO", b"")]:
        theirs, ours = (request(client, "$SYS.REQ." + subject, payload) for client in systems)
        for answer in (theirs, ours):
            data = answer.get("data") or {}
            detail = data.get("account_detail", data)
            detail.pop("imports", None)  # nats-server shows its own there as well
            detail.pop("exports", None)
        compare(theirs, ours, subject)
    for server, client in zip(pair.servers, systems):
        answer = request(client, f"$SYS.REQ.SERVER.{server.varz()['server_id']}.VARZ")
        assert answer["data"]["server_id"] == answer["server"]["id"]
    theirs, ours = (request(client, "$SYS.REQ.ACCOUNT.PING.CONNZ", b'{"auth":true}') for client in others)
    compare(theirs, ours)
    assert {row["account"] for row in ours["data"]["connections"]} == {"A"}


def test_the_system_account_hears_who_comes_goes_and_is_refused(both):
    pair = both(ACCOUNTS)
    systems = pair.connect(user="sys", **{"pass": "sys"})
    for client in systems:
        client.subscribe("$SYS.ACCOUNT.A.CONNECT", 1)
        client.subscribe("$SYS.ACCOUNT.A.DISCONNECT", 2)
        client.subscribe("$SYS.SERVER.*.CLIENT.AUTH.ERR", 3)
        client.flush()
    for client in pair.connect(user="a", **{"pass": "a"}, name="one", lang="test", version="1"):
        client.flush()
        client.socket.close()
    heard = [[client.message() for _ in range(2)] for client in systems]
    for theirs, ours in zip(*heard):
        assert theirs[0] == ours[0]
        one, other = json.loads(theirs[1]), json.loads(ours[1])
        one["client"].pop("rtt", None)  # there when it was measured in time
        other["client"].pop("rtt", None)
        compare(one, other, theirs[0])
    assert json.loads(heard[1][1][1])["reason"] == "Client Closed"
    for server in pair.servers:
        client = RawClient(f"127.0.0.1:{server.port}", handshake=False)
        client.send('CONNECT {"user":"a","pass":"wrong","name":"x"}\r\n')
        client.closed()
    theirs, ours = (json.loads(client.message()[1]) for client in systems)
    assert theirs["reason"] == ours["reason"] == "Authentication Failure"
    assert theirs["client"]["name"] == ours["client"]["name"] == "x"
