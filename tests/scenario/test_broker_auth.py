"""Who is let in: every way of authentication, the same cases for nats-server and for the broker, the same outcomes."""

import json
import subprocess

import pytest

from hawser_scenario.broker import HawserBroker
from hawser_scenario.identity import NKey
from hawser_scenario.nats_server import NatsServer, tls_block
from hawser_scenario.tls_client import WELCOME, TlsClient, context, enter, knock
from hawser_scenario.waiting import wait_until

REFUSED = "Authorization Violation"
HASH = "$2a$04$abcdefghijklmnopqrstuuLZYjhNQAOdpbzt4WxWlUHjv1wsyH5DG"  # of "s3cret"


@pytest.fixture
def both(tmp_path, stack):
    """both(config): a nats-server and a broker with it."""

    def start(config):
        return [stack.enter_context(NatsServer(tmp_path / "nats", config)),
                stack.enter_context(HawserBroker(tmp_path / "hawser", config))]

    return start


# Configuration, then what a client says, and whether it is let in.
CASES = {
    "open": ("", [
        ({}, WELCOME),
        ({"user": "bob", "pass": "x", "auth_token": "y"}, WELCOME),
        ({"account": "A"}, REFUSED),
        ({"new_account": True}, REFUSED),
    ]),
    "single user": ("authorization { user: kate, password: one }", [
        ({"user": "kate", "pass": "one"}, WELCOME),
        ({"user": "kate", "pass": "two"}, REFUSED),
        ({"user": "kate"}, REFUSED),
        ({"user": "ivo", "pass": "one"}, REFUSED),
        ({"auth_token": "one"}, REFUSED),
        ({}, REFUSED),
    ]),
    "token": ("authorization { token: t0ken }", [
        ({"auth_token": "t0ken"}, WELCOME),
        ({"auth_token": "t0ken", "user": "bob", "pass": "x"}, WELCOME),
        ({"auth_token": "t0keN"}, REFUSED),
        ({"user": "t0ken"}, REFUSED),
        ({"pass": "t0ken"}, REFUSED),
        ({}, REFUSED),
    ]),
    "hashed token": (f'authorization {{ token: "{HASH}" }}', [
        ({"auth_token": "s3cret"}, WELCOME),
        ({"auth_token": HASH}, REFUSED),
        ({"auth_token": ""}, REFUSED),
    ]),
    "users": (f'authorization {{ users: [ {{ user: kate, password: one }}, {{ user: ivo, password: "{HASH}" }} ] }}', [
        ({"user": "kate", "pass": "one"}, WELCOME),
        ({"user": "kate", "pass": "one", "jwt": "x", "auth_token": "y", "nkey": "UABC"}, WELCOME),
        ({"user": "kate", "pass": "One"}, REFUSED),
        ({"user": "Kate", "pass": "one"}, REFUSED),
        ({"user": "kate"}, REFUSED),
        ({"user": "ivo", "pass": "s3cret"}, WELCOME),
        ({"user": "ivo", "pass": "s3cre"}, REFUSED),
        ({"user": "ivo", "pass": HASH}, REFUSED),
        ({"user": "nobody", "pass": "one"}, REFUSED),
        ({"auth_token": "one"}, REFUSED),
        ({"user": "kate", "pass": "one", "account": "A"}, REFUSED),
        ({}, REFUSED),
    ]),
    "accounts and somebody for everybody": ("""
        accounts { A { users: [ { user: kate, password: one } ] }, B { users: [ { user: anon, password: hidden } ] } }
        no_auth_user: anon""", [
        ({}, WELCOME),
        ({"user": "kate", "pass": "one"}, WELCOME),
        ({"user": "kate", "pass": "two"}, REFUSED),
        ({"user": "nobody"}, REFUSED),
        ({"user": "anon"}, REFUSED),
        ({"pass": "x"}, REFUSED),
        ({"auth_token": "x"}, REFUSED),
    ]),
    "connection types": ("""authorization { users: [
        { user: web, password: one, allowed_connection_types: ["WEBSOCKET"] },
        { user: all, password: one, allowed_connection_types: ["WEBSOCKET", "STANDARD"] } ] }""", [
        ({"user": "web", "pass": "one"}, REFUSED),
        ({"user": "all", "pass": "one"}, WELCOME),
    ]),
}


@pytest.mark.parametrize("name", CASES)
def test_lets_in_whom_nats_server_lets_in(both, name):
    config, cases = CASES[name]
    servers = both(config)
    for server in servers:
        seen = [(options, knock(server, **options)) for options, _ in cases]
        assert seen == cases, type(server).__name__
    infos = []
    for server in servers:
        with TlsClient(server) as client:
            infos.append({key: client.info.get(key) for key in ("auth_required", "tls_required", "tls_verify", "tls_available")})
    assert infos[0] == infos[1]


def test_checks_the_signature_of_an_nkey(both, tmp_path):
    kate, mallory = NKey(tmp_path), NKey(tmp_path)
    servers = both(f"""accounts {{ A {{ users: [ {{ nkey: {kate.public} }} ] }}, B {{ users: [ {{ user: ivo, password: one }} ] }} }}""")
    for server in servers:
        forged = NKey(tmp_path)
        forged.sign = lambda data: mallory.sign(data)
        forged.public = kate.public
        outcomes = {
            "kate": knock(server, key=kate),
            "kate, and a wrong password": knock(server, key=kate, user="ivo", **{"pass": "no"}),
            "mallory": knock(server, key=mallory),
            "mallory, and a good password": knock(server, key=mallory, user="ivo", **{"pass": "one"}),
            "mallory as kate": knock(server, key=forged),
            "kate without a signature": knock(server, nkey=kate.public),
            "kate's key signs another nonce": knock(server, nkey=kate.public, sig="A" * 86),
            "ivo": knock(server, user="ivo", **{"pass": "one"}),
            "nobody": knock(server),
        }
        let_in = [who for who, answer in outcomes.items() if answer == WELCOME]
        assert let_in == ["kate", "kate, and a wrong password", "ivo"], type(server).__name__
        assert all(answer == REFUSED for answer in outcomes.values() if answer != WELCOME)
        with enter(server, key=kate, name="kate"):
            [row] = server.connections("kate")
            assert (row["authorized_user"], row["account"]) == (kate.public, "A")


def test_takes_a_nonce_once(both, tmp_path):
    """What was signed for one connection lets nobody in on another."""
    kate = NKey(tmp_path)
    for server in both(f"authorization {{ users: [ {{ nkey: {kate.public} }} ] }}"):
        with TlsClient(server) as first, TlsClient(server) as second:
            assert first.info["nonce"] != second.info["nonce"]
            second.info["nonce"] = first.info["nonce"]
            assert second.connect(kate).answer() == REFUSED
            assert first.connect(kate).answer() == WELCOME


def certificate(ca, subject, san=""):
    """A client's certificate with any subject ("/O=x/CN=y") and names."""
    pair = ca.issue("mapped", san=san or "DNS:unused.invalid", names_itself=bool(san))
    stem = pair.cert.with_suffix("")
    extensions = stem.with_suffix(".ext")
    request = stem.with_suffix(".csr")
    for command in (["req", "-new", "-key", pair.key, "-subj", subject, "-out", request, "-utf8", "-multivalue-rdn"],
                    ["x509", "-req", "-in", request, "-CA", ca.cert, "-CAkey", ca.directory / "ca.key", "-days", "1",
                     "-extfile", extensions, "-out", pair.cert]):
        done = subprocess.run(["openssl", *map(str, command)], capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
    return pair


# The subject and the names of a certificate, and the user that it is taken for.
MAPPED = [
    ("/CN=x", "email:mail@example.com,DNS:dns.example.com", "mail@example.com"),
    ("/CN=x", "email:other@example.com,email:mail@example.com", "mail@example.com"),
    ("/CN=x", "email:other@example.com,DNS:dns.example.com", "dns.example.com"),
    ("/CN=x", "DNS:other.example.com,DNS:dns.example.com", "dns.example.com"),
    ("/CN=x", "DNS:DNS.example.com", None),
    ("/CN=x", "URI:spiffe://example.com/x", "spiffe://example.com/x"),
    ("/CN=x", "IP:192.0.2.1", None),
    ("/O=Example/OU=unit/CN=dn", "", "CN=dn,OU=unit,O=Example"),
    ("/CN=dn/OU=unit/O=Example", "", "CN=dn,OU=unit,O=Example"),
    ("/C=DE/O=Example/OU=unit/CN=dn", "", None),
    ("/CN=dn/OU=unit", "", None),
    ("/O=Example/OU=unit/CN=DN", "", None),
    ("/DC=com/DC=example/CN=dc", "", "CN=dc,DC=example,DC=com"),
    ("/O=Example Corp/CN=spaced", "", "CN=spaced, O=Example Corp"),
    ("/O=Example, Inc/CN=comma", "", "CN=comma,O=Example\\\\, Inc"),
    ("/CN=cn-user", "", None),
    ("/CN=secured", "DNS:with-password", None),
]


def test_takes_a_certificate_for_the_same_user_as_nats_server(both, ca):
    names = sorted({user for _, _, user in MAPPED if user} | {"cn-user"})
    users = ", ".join(f'{{ user: "{user}" }}' for user in names) + ', { user: "with-password", password: one }'
    tls = tls_block(ca.server(), ca.cert, extra=", verify_and_map: true")
    servers = both(tls + f"authorization {{ users: [ {users} ] }}\n")
    for subject, san, expected in MAPPED:
        pair = certificate(ca, subject, san)
        for server in servers:
            case = (type(server).__name__, subject, san)
            tls = context(ca.cert, pair)
            assert knock(server, tls) == (WELCOME if expected else REFUSED), case
            assert knock(server, tls, user="cn-user") == (WELCOME if expected else REFUSED), case
            if expected:
                with enter(server, tls, name="mapped"):
                    [row] = server.connections("mapped")
                    assert row["authorized_user"] == expected.replace("\\\\", "\\"), case
            if "with-password" in san:
                assert knock(server, tls, **{"pass": "one"}) == WELCOME, case
                assert knock(server, tls, **{"pass": "two"}) == REFUSED, case


def test_hears_nothing_before_connect_where_it_wants_to_know(both):
    for server in both("authorization { user: kate, password: one }"):
        for early in ("PING\r\n", "SUB > 1\r\n", "PUB a 1\r\nx\r\n"):
            with TlsClient(server) as client:
                client.send(early)
                assert client.answer() == REFUSED, (type(server).__name__, early)


def test_takes_a_second_connect_as_a_new_one(both):
    config = """accounts { A { users: [ { user: kate, password: one } ] }, B { users: [ { user: ivo, password: two } ] } }"""
    for server in both(config):
        with enter(server, user="kate", name="second", **{"pass": "one"}) as client:
            client.connect(user="ivo", name="second", **{"pass": "two"})
            assert client.answer() == WELCOME
            [row] = server.connections("second")
            assert row["account"] == "B"
            client.connect(user="ivo", **{"pass": "wrong"})
            assert client.answer() == REFUSED


def test_refuses_the_configurations_that_nats_server_refuses(tmp_path):
    """Each alone: it starts with neither, and both say why."""
    rows = {
        "Cannot have a user/pass and token": "authorization { user: a, password: b, token: c }",
        "Can not have a single user/pass and a users array": "authorization { user: a, password: b, users: [ { user: c, password: d } ] }",
        "Can not have a token and a users array": "authorization { token: a, users: [ { user: c, password: d } ] }",
        "Can not have a single user/pass and accounts":
            "authorization { user: a, password: b }\naccounts { A { users: [ { user: c, password: d } ] } }",
        "Can not have a token and accounts": "authorization { token: a }\naccounts { A { users: [ { user: c, password: d } ] } }",
        'Duplicate user "a" detected': "authorization { users: [ { user: a, password: b }, { user: a, password: c } ] }",
        "Not a valid public nkey for a user": "authorization { users: [ { nkey: UABC } ] }",
        "no_auth_user": "authorization { users: [ { user: a, password: b } ] }\nno_auth_user: zed",
        "is not a valid subject": 'authorization { users: [ { user: a, password: b, permissions: { publish: "a..b" } } ] }',
    }
    for number, (text, config) in enumerate(rows.items()):
        for kind in (NatsServer, HawserBroker):
            server = kind(tmp_path / f"{kind.__name__}-{number}", config)
            with pytest.raises(AssertionError) as failure:
                with server:
                    pass
            # Which of the two texts about users in accounts it says is chance with nats-server.
            said = text.removesuffix("ccounts") if kind is NatsServer else text
            assert said in str(failure.value).replace('\\"', '"'), (kind.__name__, config)


def test_shows_no_secret_in_its_log_or_its_monitoring(tmp_path, stack):
    """Wrong and right ones, in every field there is for one."""
    key = NKey(tmp_path)
    secrets = ["hunter2-pass", "hunter2-token", "hunter2-sig", "hunter2-jwt", "right-pass"]
    server = stack.enter_context(HawserBroker(tmp_path / "hawser", f"""
        debug: true, trace: true
        authorization {{ users: [ {{ user: kate, password: "right-pass" }}, {{ nkey: {key.public} }} ] }}"""))
    wrong = {"user": "kate", "pass": "hunter2-pass", "auth_token": "hunter2-token", "jwt": "hunter2-jwt"}
    assert knock(server, **wrong) == REFUSED
    assert knock(server, **wrong, nkey=key.public, sig="hunter2-sig") == REFUSED
    with enter(server, user="kate", **{"pass": "right-pass"}):
        everything = server.program.log() + "".join(
            json.dumps(server.monitor(path)) for path in ("varz", "connz?auth=1&subs=1", "connz?state=closed&auth=1", "accountz"))
    wait_until(lambda: len(server.program.log_lines("password of user")) > 0, 10)
    everything += server.program.log()
    assert [secret for secret in secrets if secret in everything] == []


def test_says_in_its_log_who_was_refused_and_why(tmp_path, stack):
    key = NKey(tmp_path)
    server = stack.enter_context(HawserBroker(tmp_path / "hawser", f"""
        authorization {{ users: [ {{ user: kate, password: one }}, {{ nkey: {key.public} }} ] }}"""))
    for options, words in (({"user": "kate", "pass": "no"}, ["password of user", "kate", "is wrong"]),
                           ({"user": "bob"}, ["user", "bob", "is not known"]),
                           ({"nkey": key.public}, ["no signature", key.public]),
                           ({}, ["no credentials"])):
        assert knock(server, **options) == REFUSED
        wait_until(lambda w=words: server.program.log_lines(*w), 10, f"a line with {words}\n{server.program.tail()}")


def test_never_shows_a_token_as_a_user(tmp_path, stack):
    server = stack.enter_context(HawserBroker(tmp_path / "hawser", "authorization { token: t0ken }"))
    with enter(server, auth_token="t0ken", name="by token"):
        [row] = server.connections("by token")
        assert row["authorized_user"] == "[REDACTED]"


def test_compares_hashes_without_holding_up_the_others(tmp_path, stack):
    """While slow passwords are compared, somebody with a plain one comes in and is served."""
    slow = "$2b$12$abcdefghijklmnopqrstuuLZYjhNQAOdpbzt4WxWlUHjv1wsyH5DG"
    server = stack.enter_context(HawserBroker(tmp_path / "hawser", f"""
        authorization {{ timeout: 60, users: [ {{ user: slow, password: "{slow}" }}, {{ user: kate, password: one }} ] }}"""))
    waiting = [stack.enter_context(TlsClient(server, timeout=90)).connect(user="slow", **{"pass": "x"}) for _ in range(6)]
    with enter(server, user="kate", **{"pass": "one"}) as kate:
        kate.flush()
        assert len(server.program.log_lines("password of user", "slow")) < len(waiting), "they were all compared first"
    assert [client.answer() for client in waiting] == [REFUSED] * len(waiting)
