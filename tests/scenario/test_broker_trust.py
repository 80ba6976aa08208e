"""Trust is taken away for real: a reload ends the connections that it concerns, within a second, and no others."""

import hashlib
import os
import shutil
import ssl
import subprocess
import time

import pytest

from hawser_scenario import pki
from hawser_scenario.broker import HawserBroker
from hawser_scenario.identity import NKey
from hawser_scenario.tls_client import WELCOME, TlsClient, context, enter, knock
from hawser_scenario.waiting import stays_false, wait_until

VIOLATION = "Authorization Violation"
WITHIN = 1.0  # seconds, for what a reload ends
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


def spki_sha256(pair):
    """Of a certificate's public key: what pinned_certs compares."""
    public = pki.openssl("x509", "-in", pair.cert, "-noout", "-pubkey")
    return hashlib.sha256(pki.openssl("pkey", "-pubin", "-outform", "DER", input=public)).hexdigest()


class Setup:
    """A broker whose files are replaced, and the clients that look on."""

    def __init__(self, directory, authorities, stack):
        self.directory = directory
        self.one, self.two = authorities
        self.stack = stack
        self.server_pair = self.one.server()
        self.ca_file = pki.bundle(directory / "trusted.crt", self.one, self.two)
        self.broker = None

    def config(self, tls="verify: true", rest=""):
        return (f'tls {{ cert_file: "{self.server_pair.cert}", key_file: "{self.server_pair.key}", ca_file: "{self.ca_file}", '
                f"timeout: 5, {tls} }}\n{rest}\n")

    def start(self, tls="verify: true", rest=""):
        self.broker = self.stack.enter_context(HawserBroker(self.directory / "broker", self.config(tls, rest)))
        return self.broker

    def reload(self, tls="verify: true", rest=""):
        self.broker.reload(self.config(tls, rest))

    def context(self, pair=None, newest=None):
        return context(self.one.cert, pair, newest)

    def enter(self, pair=None, tls=None, **options):
        return self.stack.enter_context(enter(self.broker, tls or self.context(pair), **options))

    def knock(self, pair=None, tls=None, **options):
        return knock(self.broker, tls or self.context(pair), **options)


@pytest.fixture
def setup(tmp_path, authorities, stack):
    return Setup(tmp_path, authorities, stack)


def assert_ended(client, since, said=VIOLATION):
    words = client.last_words(10)
    took = time.monotonic() - since
    assert words == said
    assert took < WITHIN, f"{took:.3f} s"


def assert_served(*clients):
    for client in clients:
        client.flush()


def reloads(broker, change):
    """Signals a reload; when it was asked for."""
    change()
    since = time.monotonic()
    broker.reload()
    return since


# What takes trust from `gone` and not from `kept`, by the name of it.
def remove_authority(setup):
    kept, gone = setup.one.issue("kept"), setup.two.issue("gone")
    return kept, gone, {}, lambda: pki.bundle(setup.ca_file, setup.one)


def revoke(setup):
    kept, gone = setup.one.issue("kept"), setup.one.issue("gone")
    crl = setup.directory / "revoked.crl"
    pki.bundle(setup.ca_file, setup.one)

    def write(*revoked):
        crl.write_bytes(setup.one.crl(*revoked).read_bytes())

    write()
    return kept, gone, {"tls": f'verify: true, crl_file: "{crl}"'}, lambda: write(gone)


def begin_to_revoke(setup):
    kept, gone = setup.one.issue("kept"), setup.one.issue("gone")
    pki.bundle(setup.ca_file, setup.one)
    crl = setup.directory / "first.crl"

    def change():
        crl.write_bytes(setup.one.crl(gone).read_bytes())
        setup.broker.write_config(setup.config(f'verify: true, crl_file: "{crl}"'))

    return kept, gone, {}, change


def remove_pin(setup):
    kept, gone = setup.one.issue("kept"), setup.one.issue("gone")
    both = f'verify: true, pinned_certs: ["{spki_sha256(kept)}", "{spki_sha256(gone).upper()}"]'
    one = f'verify: true, pinned_certs: ["{spki_sha256(kept)}"]'
    return kept, gone, {"tls": both}, lambda: setup.broker.write_config(setup.config(one))


def remove_end_entity(setup):
    """A certificate that the bundle trusts by itself."""
    kept, gone = setup.one.issue("kept"), setup.two.issue("gone")
    setup.ca_file.write_text(setup.one.cert.read_text() + gone.cert.read_text())
    return kept, gone, {}, lambda: pki.bundle(setup.ca_file, setup.one)


@pytest.mark.parametrize("newest", VERSIONS, ids=["tls12", "tls13"])
@pytest.mark.parametrize("take", [remove_authority, revoke, begin_to_revoke, remove_pin, remove_end_entity])
def test_ends_whom_a_certificate_no_longer_lets_in_and_nobody_else(setup, take, newest):
    kept, gone, options, change = take(setup)
    broker = setup.start(**options)
    staying = [setup.enter(tls=setup.context(kept, newest)) for _ in range(3)]
    going = [setup.enter(tls=setup.context(gone, newest), name="going") for _ in range(3)]
    since = reloads(broker, change)
    for client in going:
        assert_ended(client, since)
    assert_served(*staying)
    assert setup.knock(kept) == WELCOME
    assert setup.knock(gone).startswith("alert: ")
    # Why, and whose, is in the log: of the live ones and of the one that came after.
    wait_until(lambda: len(broker.program.log_lines("CN=gone", "disconnected by the reload")) == 3, 10,
               lambda: broker.program.tail())
    wait_until(lambda: broker.program.log_lines("CN=gone", "TLS handshake error"), 10, lambda: broker.program.tail())
    closed = [row for row in broker.monitor("connz?state=closed&auth=1")["connections"] if row.get("name") == "going"]
    assert len(closed) == 3 and len({row["reason"] for row in closed}) == 1


def test_keeps_live_connections_if_told_to_as_nats_server_does(setup):
    gone = setup.two.issue("gone")
    broker = setup.start("verify: true, recheck: false")
    client = setup.enter(gone)
    reloads(broker, lambda: pki.bundle(setup.ca_file, setup.one))
    assert_served(client)
    assert setup.knock(gone).startswith("alert: ")


def test_ends_those_without_a_certificate_when_one_is_required_from_now_on(setup):
    broker = setup.start("verify: false", "allow_non_tls: true")
    secured, plain = setup.enter(), setup.stack.enter_context(enter(broker))
    since = reloads(broker, lambda: broker.write_config(setup.config("verify: true")))
    assert_ended(secured, since)
    assert_ended(plain, since)
    assert setup.knock(setup.one.issue("client")) == WELCOME
    assert setup.knock().startswith("alert: ")


def test_shows_its_new_certificate_to_new_clients_and_keeps_the_old_ones(setup):
    broker = setup.start()
    client = setup.enter(setup.one.issue("client"))
    before = client.socket.getpeercert(True)
    setup.server_pair = setup.one.server()
    setup.reload()
    assert_served(client)
    after = setup.enter(setup.one.issue("client")).socket.getpeercert(True)
    assert before != after
    assert hashlib.sha256(after).hexdigest() == setup.server_pair.sha256
    assert "tls" in broker.program.log_lines("Reloaded:")[-1]


@pytest.mark.parametrize("newest", VERSIONS, ids=["tls12", "tls13"])
def test_resumes_no_session_of_a_revoked_certificate(setup, newest):
    pair, other = setup.one.issue("client"), setup.one.issue("other")
    pki.bundle(setup.ca_file, setup.one)
    crl = setup.directory / "revoked.crl"
    crl.write_bytes(setup.one.crl().read_bytes())
    tls = f'verify: true, tickets: 2, crl_file: "{crl}"'
    setup.start(tls)
    mine, others = setup.context(pair, newest), setup.context(other, newest)
    session = setup.enter(tls=mine).socket.session
    other_session = setup.enter(tls=others).socket.session
    resumed = setup.enter(tls=mine, session=session)
    assert resumed.socket.session_reused
    since = reloads(setup.broker, lambda: crl.write_bytes(setup.one.crl(pair).read_bytes()))
    assert_ended(resumed, since)
    assert setup.knock(tls=mine, session=session).startswith("alert: ")
    again = setup.enter(tls=others, session=other_session)
    assert not again.socket.session_reused, "tickets end when trust changes"


@pytest.mark.parametrize("newest", VERSIONS, ids=["tls12", "tls13"])
def test_gives_no_tickets_unless_told_to(setup, newest):
    pair = setup.one.issue("client")
    setup.start()
    tls = setup.context(pair, newest)
    first = setup.enter(tls=tls)
    assert not setup.enter(tls=tls, session=first.socket.session).socket.session_reused


class HalfHandshake:
    """A client that stops after the server's part of the handshake, until told to go on."""

    def __init__(self, broker, tls):
        self.client = TlsClient(broker)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = tls.wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")
        self._step()
        self._receive()

    def _step(self):
        """True when the handshake is over, as far as this side can tell."""
        try:
            self.tls.do_handshake()
            return True
        except ssl.SSLWantReadError:
            return False
        finally:
            self.client.send(self.outgoing.read())

    def go_on(self):
        """Shows its certificate, then says CONNECT and PING; what comes back."""
        received = b""
        try:
            while not self._step():
                self._receive()
            self.tls.write(b'CONNECT {"verbose":false}\r\nPING\r\n')
            self.client.send(self.outgoing.read())
            while b"PONG" not in received:
                self._receive()
                try:
                    received += self.tls.read(65536)
                except ssl.SSLWantReadError:
                    continue
        except (OSError, ssl.SSLError):
            pass
        return received

    def _receive(self):
        data = self.client.socket.recv(65536)
        if not data:
            raise ConnectionError("closed by the other side")
        self.incoming.write(data)


@pytest.mark.parametrize("newest", VERSIONS, ids=["tls12", "tls13"])
def test_lets_nobody_in_under_the_old_trust_whose_handshake_a_reload_interrupts(setup, newest):
    kept, gone = setup.one.issue("kept"), setup.two.issue("gone")
    broker = setup.start()
    staying, going = HalfHandshake(broker, setup.context(kept, newest)), HalfHandshake(broker, setup.context(gone, newest))
    reloads(broker, lambda: pki.bundle(setup.ca_file, setup.one))
    assert b"PONG" in staying.go_on()
    assert b"PONG" not in going.go_on()
    wait_until(lambda: broker.program.log_lines("CN=gone", "TLS handshake error"), 10, lambda: broker.program.tail())


def test_lets_them_in_if_told_to_leave_live_connections_alone(setup):
    """What the test above would see if the handshake were judged by the old trust alone."""
    broker = setup.start("verify: true, recheck: false")
    going = HalfHandshake(broker, setup.context(setup.two.issue("gone")))
    reloads(broker, lambda: pki.bundle(setup.ca_file, setup.one))
    assert b"PONG" in going.go_on()


def test_ends_them_on_every_thread(setup):
    broker = setup.start(rest="threads: 2")
    kept, gone = setup.one.issue("kept"), setup.two.issue("gone")
    staying, going = [setup.enter(kept) for _ in range(8)], [setup.enter(gone) for _ in range(8)]
    since = reloads(broker, lambda: pki.bundle(setup.ca_file, setup.one))
    for client in going:
        assert_ended(client, since)
    assert_served(*staying)


HASHES = ("$2a$04$abcdefghijklmnopqrstuuLZYjhNQAOdpbzt4WxWlUHjv1wsyH5DG",  # of "s3cret"
          "$2b$04$zyxwvutsrqponmlkjihgfeWEzAUlpn.wM6xWK9ks8ht33yaPER3xC")  # of another
KATE = {"user": "kate", "pass": "one"}


def users(*lines):
    return "authorization { users: [ " + ", ".join(lines) + " ] }"


# Before, after, who is let in before, and the last words that end it: "" when nats-server says nothing, None: it stays.
CHANGED = {
    "a user is removed": (users("{user: kate, password: one}", "{user: ivo, password: two}"),
                          users("{user: ivo, password: two}"), KATE, ""),
    "its password changes": (users("{user: kate, password: one}", "{user: ivo, password: two}"),
                             users("{user: kate, password: new}", "{user: ivo, password: two}"), KATE, VIOLATION),
    "its hash changes": (users(f'{{user: kate, password: "{HASHES[0]}"}}', "{user: ivo, password: two}"),
                         users(f'{{user: kate, password: "{HASHES[1]}"}}', "{user: ivo, password: two}"),
                         {"user": "kate", "pass": "s3cret"}, VIOLATION),
    "it moves to another account": (
        "accounts { A { users: [ {user: kate, password: one}, {user: ivo, password: two} ] }, B {} }",
        "accounts { A { users: [ {user: ivo, password: two} ] }, B { users: [ {user: kate, password: one} ] } }", KATE, ""),
    "its permissions change": (users("{user: kate, password: one}", "{user: ivo, password: two}"),
                               users("{user: kate, password: one, permissions: {publish: a}}", "{user: ivo, password: two}"),
                               KATE, None),
    "somebody else's password changes": (
        users("{user: kate, password: one}", "{user: ivo, password: two}", "{user: eva, password: three}"),
        users("{user: kate, password: one}", "{user: ivo, password: two}", "{user: eva, password: four}"), KATE, None),
    "everybody may not come in any more": (
        users("{user: kate, password: one}", "{user: ivo, password: two}") + "\nno_auth_user: kate",
        users("{user: kate, password: one}", "{user: ivo, password: two}"), {}, VIOLATION),
}


@pytest.mark.parametrize("name", CHANGED)
def test_ends_whom_the_list_of_users_no_longer_lets_in_and_nobody_else(tmp_path, stack, name):
    before, after, who, said = CHANGED[name]
    broker = stack.enter_context(HawserBroker(tmp_path / "broker", before))
    other = stack.enter_context(enter(broker, user="ivo", **{"pass": "two"}))
    client = stack.enter_context(enter(broker, **who))
    since = reloads(broker, lambda: broker.write_config(after))
    if said is None:
        assert_served(client)
    else:
        assert_ended(client, since, said)
        wait_until(lambda: broker.program.log_lines("disconnected by the reload", "kate"), 10, lambda: broker.program.tail())
    assert_served(other)
    wait_until(lambda: any("authorization users" in line or "accounts" in line
                           for line in broker.program.log_lines("Reloaded:")), 10, lambda: broker.program.tail())


def test_ends_an_nkey_that_is_removed(tmp_path, stack):
    kept, gone = NKey(tmp_path), NKey(tmp_path)
    broker = stack.enter_context(HawserBroker(tmp_path / "broker", users(f"{{nkey: {kept.public}}}", f"{{nkey: {gone.public}}}")))
    staying, going = stack.enter_context(enter(broker, key=kept)), stack.enter_context(enter(broker, key=gone))
    since = reloads(broker, lambda: broker.write_config(users(f"{{nkey: {kept.public}}}")))
    assert_ended(going, since, "")
    assert_served(staying)
    assert knock(broker, key=gone) == VIOLATION


def test_ends_a_token_that_changes(tmp_path, stack):
    broker = stack.enter_context(HawserBroker(tmp_path / "broker", "authorization { token: old }"))
    client = stack.enter_context(enter(broker, auth_token="old"))
    since = reloads(broker, lambda: broker.write_config("authorization { token: new }"))
    assert_ended(client, since)
    assert knock(broker, auth_token="old") == VIOLATION
    assert knock(broker, auth_token="new") == WELCOME


def test_maps_certificates_again(setup):
    kept, gone, moved = (setup.one.issue(name, san=f"DNS:{name}.example.com") for name in ("kept", "gone", "moved"))

    def mapped(*lines):
        return {"tls": "verify_and_map: true", "rest": "accounts { A { users: [ %s ] }, B { users: [ %s ] } }" % lines}

    broker = setup.start(**mapped('{user: "kept.example.com"}, {user: "gone.example.com"}, {user: "moved.example.com"}', ""))
    clients = {name: setup.enter(pair) for name, pair in (("kept", kept), ("gone", gone), ("moved", moved))}
    since = reloads(broker, lambda: broker.write_config(
        setup.config(**mapped('{user: "kept.example.com"}', '{user: "moved.example.com"}'))))
    assert_ended(clients["gone"], since, "")
    assert_ended(clients["moved"], since, "")
    assert_served(clients["kept"])
    assert setup.knock(moved) == WELCOME
    assert setup.knock(gone) == VIOLATION


def test_takes_subscriptions_that_are_forbidden_now_and_says_so(tmp_path, stack):
    broker = stack.enter_context(HawserBroker(tmp_path / "broker", users("{user: kate, password: one}")))
    client = stack.enter_context(enter(broker, **KATE))
    client.subscribe("secret.>", 7)
    client.subscribe("open.>", 8)
    client.flush()
    narrowed = users('{user: kate, password: one, permissions: { subscribe: { deny: "secret.>" } } }')
    reloads(broker, lambda: broker.write_config(narrowed))
    assert client.next_line() == b"-ERR 'Permissions Violation for Subscription to \"secret.>\" (sid \"7\")'"
    client.publish("secret.a", b"x")
    client.publish("open.a", b"y")
    assert client.message() == ("open.a", b"y")


def spoil_certificate(setup):
    setup.server_pair.cert.write_text("not a certificate\n")


def spoil_key(setup):
    shutil.copy(setup.two.issue("other").key, setup.server_pair.key)


def spoil_authority(setup):
    setup.ca_file.write_text("")


def remove_key(setup):
    os.unlink(setup.server_pair.key)


def remove_configuration(setup):
    os.unlink(setup.broker.config_path)


def expired_certificate(setup):
    old = setup.one.server(starts=-2 * pki.timedelta(days=1), ends=-pki.timedelta(days=1))
    shutil.copy(old.cert, setup.server_pair.cert)
    shutil.copy(old.key, setup.server_pair.key)


def writes(tls="verify: true", rest="", tail=""):
    def write(setup):
        setup.broker.write_config(setup.config(tls, rest) + tail)

    return write


# Each would also take trust away, if half of it were applied: kate's password is another one in the file.
NEW = users("{user: kate, password: new}")
FAILURES = {
    "the certificate is spoilt": (spoil_certificate, NEW),
    "the key is another one": (spoil_key, NEW),
    "the key is gone": (remove_key, NEW),
    "the certificate has expired": (expired_certificate, NEW),
    "the CA file is empty": (spoil_authority, NEW),
    "the configuration is gone": (remove_configuration, NEW),
    "the syntax is wrong": (writes(rest=NEW, tail="authorization {"), None),
    "a key is unknown": (writes(rest=NEW, tail="nonsense: 1"), None),
    "an include is missing": (writes(rest=NEW, tail='include "missing.conf"'), None),
    "users are listed twice": (writes(rest=users("{user: kate, password: new}", "{user: kate, password: two}")), None),
    "verify has no CA": (lambda setup: setup.broker.write_config(
        f'tls {{ cert_file: "{setup.server_pair.cert}", key_file: "{setup.server_pair.key}", verify: true }}\n{NEW}'), None),
    "the CRL is missing": (writes('verify: true, crl_file: "missing.crl"', NEW), None),
    "a cipher is unknown": (writes('verify: true, cipher_suites: ["TLS_NOPE"]', NEW), None),
    "a pin is malformed": (writes('verify: true, pinned_certs: ["abc"]', NEW), None),
    "an nkey is malformed": (writes(rest=users("{user: kate, password: new}", "{nkey: UABC}")), None),
    "a subject is malformed": (writes(rest=users('{user: kate, password: new, permissions: {publish: "a..b"}}')), None),
    "a way to start is changed": (writes(rest=NEW, tail='server_name: "another"'), None),
    "no_auth_user is unknown": (writes(rest=NEW, tail="no_auth_user: zed"), None),
}


@pytest.mark.parametrize("name", FAILURES)
def test_changes_nothing_when_a_reload_fails(setup, name):
    spoil, rest = FAILURES[name]
    broker = setup.start(rest=users("{user: kate, password: one}"))
    pair = setup.one.issue("client")
    client = setup.enter(pair, **KATE)
    loaded = broker.varz()["config_load_time"]
    if rest is not None:
        broker.write_config(setup.config(rest=rest))
    spoil(setup)
    broker.program.signal(1)
    wait_until(lambda: broker.program.log_lines("reload server configuration"), 10, lambda: broker.program.tail())
    assert len(broker.program.log_lines("Failed to reload")) == 1
    assert_served(client)
    assert setup.knock(pair, **KATE) == WELCOME
    assert setup.knock(pair, user="kate", **{"pass": "new"}) == VIOLATION
    assert setup.knock(None, **KATE).startswith("alert: ")
    assert broker.varz()["config_load_time"] == loaded
    stays_false(lambda: not broker.program.running, 0.1)


def test_takes_up_what_was_mended_after_a_failed_reload(setup):
    broker = setup.start(rest=users("{user: kate, password: one}"))
    client = setup.enter(setup.one.issue("client"), **KATE)
    broker.write_config("nonsense {")
    broker.program.signal(1)
    wait_until(lambda: broker.program.log_lines("Failed to reload"), 10, lambda: broker.program.tail())
    since = reloads(broker, lambda: broker.write_config(setup.config(rest=users("{user: kate, password: new}"))))
    assert_ended(client, since)


def test_says_in_its_log_why_a_handshake_failed(setup):
    pki.bundle(setup.ca_file, setup.one)
    crl = setup.one.crl(revoked := setup.one.issue("revoked"), name="reasons.crl")
    broker = setup.start(f'verify: true, crl_file: "{crl}"')
    day = pki.timedelta(days=1)
    strangers = {
        "CN=stranger": (setup.two.issue("stranger"), "unable to get local issuer certificate"),
        "CN=revoked": (revoked, "revoked"),
        "CN=expired": (setup.one.issue("expired", starts=-2 * day, ends=-day), "expired"),
        "CN=too-early": (setup.one.issue("too-early", starts=day, ends=2 * day), "not yet valid"),
        "CN=a-server": (setup.one.issue("a-server", usage="serverAuth"), "purpose"),
    }
    for subject, (pair, reason) in strangers.items():
        assert setup.knock(pair).startswith("alert: "), subject
        wait_until(lambda s=subject, r=reason: broker.program.log_lines("TLS handshake error", s, r, "127.0.0.1"), 10,
                   lambda: broker.program.tail())
    assert setup.knock().startswith("alert: ")
    wait_until(lambda: broker.program.log_lines("TLS handshake error", "TLS-239"), 10, lambda: broker.program.tail())


def test_speaks_tls_before_anything_else_when_it_is_to(setup):
    broker = setup.start("verify: true, handshake_first: true")
    pair = setup.one.issue("client")
    assert setup.knock(pair, first=True) == WELCOME
    [row] = [setup.enter(pair, first=True, name="first")] and broker.connections("first")
    assert row["tls_first"] is True
    with pytest.raises(TimeoutError):  # it says nothing to one who waits for INFO
        TlsClient(broker, timeout=0.5)


@pytest.mark.parametrize("value", ['"auto"', '"250ms"'])
def test_falls_back_to_info_when_nothing_comes_first(setup, value):
    setup.start(f"verify: true, handshake_first: {value}")
    pair = setup.one.issue("client")
    assert setup.knock(pair, first=True) == WELCOME
    assert setup.knock(pair) == WELCOME


def test_lets_plain_clients_in_beside_others_when_it_may(setup):
    broker = setup.start("verify: true", "allow_non_tls: true\n" + users("{user: kate, password: one}"))
    with TlsClient(broker) as client:
        assert (client.info.get("tls_required"), client.info.get("tls_available")) == (None, True)
    assert knock(broker, **KATE) == WELCOME
    assert setup.knock(setup.one.issue("client"), **KATE) == WELCOME
    assert setup.knock(None, **KATE).startswith("alert: ")


def test_waits_for_a_handshake_and_for_connect_no_longer_than_it_says(setup):
    broker = setup.start('verify: true, timeout: "300ms"', 'authorization { timeout: "600ms", users: [ {user: a, password: b} ] }')
    broker_says_nothing = TlsClient(broker)
    before = time.monotonic()
    assert broker_says_nothing.last_words() == ""
    assert 0.25 < time.monotonic() - before < 5
    silent = TlsClient(broker, setup.context(setup.one.issue("client")))
    assert silent.last_words() == "Authentication Timeout"


def test_closes_who_speaks_in_clear_where_tls_is_required(setup):
    broker = setup.start("verify: true", "authorization { users: [ {user: a, password: b} ] }")
    with TlsClient(broker) as client:
        client.send('CONNECT {"user":"a","pass":"b"}\r\nPING\r\n')
        assert client.last_words() == ""
    assert broker.connections() == []


def test_serves_its_certificates_facts_to_monitoring(setup):
    broker = setup.start()
    pair = setup.one.issue("client")
    setup.enter(pair, name="seen")
    [row] = broker.connections("seen")
    assert row["tls_peer_certs"][0] == {"subject": "CN=client", "spki_sha256": spki_sha256(pair), "cert_sha256": pair.sha256}
    assert row["tls_version"] == "1.3"
