"""`hawser doctor`: in each of these broken set-ups it names the step that fails, the cause and what mends it; and where nothing is
broken it says so. Secrets are in none of its output."""

import json
import os
import pathlib
import signal
import ssl
import subprocess
import time
from datetime import timedelta

import pytest

from hawser_scenario import pki
from hawser_scenario.broker import HawserBroker
from hawser_scenario.errors import KnownError
from hawser_scenario.hostile import (HostileServer, garbage_instead_of_tls, hangs_after_info, http, info_line, plaintext_nats, silent,
                                     tls_1_1)
from hawser_scenario.identity import NKey
from hawser_scenario.nats_server import NatsServer, tls_block
from hawser_scenario.ports import quiet_port
from hawser_scenario.process import Program
from hawser_scenario.raw_client import RawClient
from hawser_scenario.waiting import stays_false, wait_until

HAWSER = os.environ["HAWSER_BIN"]
CANARY = "s3cr3t-c4n4ry"
DONE, NOT_SO, MISUSE, NO_CONNECTION, REFUSED, INTERRUPTED = 0, 1, 2, 3, 4, 130
STEPS = ["configuration", "resolve", "connect", "info", "tls", "chain", "auth", "ping"]
UNLIMITED = {"subs": -1, "data": -1, "payload": -1}


class Realm:
    """An operator and an account, with whatever is wrong with what they sign."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.operator = NKey(self.directory, "operator")
        self.account = NKey(self.directory, "account")
        self.users = 0

    def server_config(self, **account):
        limits = {**UNLIMITED, "imports": -1, "exports": -1, "wildcards": True, "conn": -1, "leaf": -1}
        of_operator = self.operator.jwt(self.operator.public, "ops", {"type": "operator"})
        of_account = self.operator.jwt(self.account.public, "shop", {"type": "account", "limits": limits, **account})
        return f"operator: {of_operator}\nresolver: MEMORY\nresolver_preload {{ {self.account.public}: {of_account} }}\n"

    def creds(self, key=None, expires=None, seed=None, **claims):
        """A creds file's path; without limits when `claims` says so."""
        key = key or NKey(self.directory)
        nats = {"type": "user", **UNLIMITED, **claims}
        jwt = self.account.jwt(key.public, "kate", {name: value for name, value in nats.items() if value is not None}, expires)
        self.users += 1
        return owner_only(self.directory / f"kate{self.users}.creds",
                          f"-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n"
                          f"-----BEGIN USER NKEY SEED-----\n{seed or key.seed}\n------END USER NKEY SEED------\n")


def owner_only(path, text):
    path.write_text(text)
    path.chmod(0o600)
    return path


class Clinic:
    """Servers to be examined, and `hawser doctor` with an environment that holds nothing else."""

    def __init__(self, directory, authorities, stack):
        self.directory = directory
        self.ca, self.other_ca = authorities
        self.stack = stack
        self.environment = {"NATS_TLS_CA": self.ca.cert}
        self._servers = 0

    # ---- servers --------------------------------------------------------------------------------------------------

    def _place(self):
        self._servers += 1
        return self.directory / f"server{self._servers}"

    def nats(self, config=""):
        return self.stack.enter_context(NatsServer(self._place(), config))

    def broker(self, config=""):
        return self.stack.enter_context(HawserBroker(self._place(), config))

    def secure(self, config="", verify=False, pair=None, kind="nats", extra=""):
        """A server with TLS."""
        return getattr(self, kind)(tls_block(pair or self.ca.server(), self.ca.cert, verify, extra) + config)

    def hostile(self, script):
        return self.stack.enter_context(HostileServer(script))

    # ---- what the client has ----------------------------------------------------------------------------------------

    def set(self, **variables):
        for name, value in variables.items():
            if value is None:
                self.environment.pop(name, None)
            else:
                self.environment[name] = value

    def certificate(self, pair):
        self.set(NATS_TLS_CERT=pair.cert, NATS_TLS_KEY=pair.key)
        return pair

    def full_environment(self):
        variables = {"PATH": os.environ["PATH"], "HOME": str(self.directory), **{k: str(v) for k, v in self.environment.items()}}
        return variables | {n: os.environ[n] for n in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS") if n in os.environ}

    # ---- the examination --------------------------------------------------------------------------------------------

    def run(self, *arguments, expect=DONE):
        done = subprocess.run([HAWSER, "doctor", "--timeout", "2s", *map(str, arguments)], capture_output=True, text=True,
                              env=self.full_environment(), cwd=self.directory, timeout=60, check=False)
        assert done.returncode == expect, f"{done.returncode}, not {expect}\n{done.stdout}\n{done.stderr}"
        everything = done.stdout + done.stderr
        assert CANARY not in everything and "-----BEGIN" not in everything and "eyJ" not in everything, everything
        return done.stdout

    def text(self, *arguments, **kwargs):
        return self.run(*arguments, **kwargs)

    def report(self, *arguments, **kwargs):
        return json.loads(self.run("--json", *arguments, **kwargs))


@pytest.fixture
def clinic(tmp_path, authorities, stack):
    return Clinic(tmp_path, authorities, stack)


def steps_of(report):
    return {step["name"]: step for step in report["steps"]}


# ---- broken set-ups -----------------------------------------------------------------------------------------------


BROKEN = {}


def broken(step, error, *words, exit=NO_CONNECTION):
    """A set-up: it answers the URL (or the arguments) to examine. `words` stand in the cause or in the fix."""
    def add(set_up):
        name = set_up.__doc__.rstrip(".")
        assert name not in BROKEN
        BROKEN[name] = (set_up, step, error, words, exit)
        return set_up
    return add


@broken("configuration", "plaintext_in_production", "tls://", exit=REFUSED)
def _(clinic):
    """The URL is plaintext, and this is production."""
    clinic.set(HAWSER_ENV="production", NATS_TOKEN=CANARY)
    return "nats://nats.example.com:4222"


@broken("configuration", "auth_collision", "Keep one", "NATS_TOKEN", exit=REFUSED)
def _(clinic):
    """Two credentials are set where one must be meant."""
    clinic.set(HAWSER_AUTH_POLICY="strict", NATS_TOKEN=CANARY, NATS_USERNAME="kate", NATS_PASSWORD=CANARY)
    return "tls://127.0.0.1:4222"


@broken("configuration", "tls_pair_incomplete", "NATS_TLS_KEY", exit=REFUSED)
def _(clinic):
    """The certificate has no key beside it."""
    clinic.set(NATS_TLS_CERT=clinic.ca.issue("client").cert)
    return "tls://127.0.0.1:4222"


@broken("configuration", "tls_certificate_expired", "Issue a new certificate", exit=MISUSE)
def _(clinic):
    """Our certificate has expired."""
    clinic.certificate(clinic.ca.issue("client", starts=timedelta(days=-9), ends=timedelta(days=-2)))
    return "tls://127.0.0.1:4222"


@broken("configuration", "tls_certificate_not_yet_valid", "clock", exit=MISUSE)
def _(clinic):
    """Our certificate is not valid yet."""
    clinic.certificate(clinic.ca.issue("client", starts=timedelta(days=1), ends=timedelta(days=9)))
    return "tls://127.0.0.1:4222"


@broken("configuration", "tls_no_client_usage", "clientAuth", exit=MISUSE)
def _(clinic):
    """Our certificate is for servers."""
    clinic.certificate(clinic.ca.issue("client", usage="serverAuth"))
    return "tls://127.0.0.1:4222"


@broken("configuration", "tls_key_mismatch", "fingerprints", exit=MISUSE)
def _(clinic):
    """The key is another certificate's."""
    clinic.set(NATS_TLS_CERT=clinic.ca.issue("client").cert, NATS_TLS_KEY=clinic.ca.issue("client").key)
    return "tls://127.0.0.1:4222"


@broken("configuration", "tls_file_unreadable", "absent.crt", exit=MISUSE)
def _(clinic):
    """The CA file is not there."""
    clinic.set(NATS_TLS_CA=clinic.directory / "absent.crt")
    return "tls://127.0.0.1:4222"


@broken("configuration", "user_jwt_expired", "Generate new creds", exit=REFUSED)
def _(clinic):
    """The user JWT has expired."""
    clinic.set(NATS_CREDS=Realm(clinic.directory / "realm").creds(expires=time.time() - 60))
    return "tls://127.0.0.1:4222"


@broken("configuration", "user_jwt_seed_mismatch", "generate the creds file again", exit=REFUSED)
def _(clinic):
    """The seed is another user's."""
    realm = Realm(clinic.directory / "realm")
    clinic.set(NATS_CREDS=realm.creds(seed=NKey(realm.directory).seed))
    return "tls://127.0.0.1:4222"


@broken("configuration", "credential_malformed", "the public key alone cannot sign", exit=REFUSED)
def _(clinic):
    """A public NKey stands where its seed belongs."""
    clinic.set(NATS_NKEY_FILE=owner_only(clinic.directory / "kate.nk", NKey(clinic.directory).public))
    return "tls://127.0.0.1:4222"


@broken("configuration", "websocket_unsupported", "client port", exit=MISUSE)
def _(clinic):
    """The URL is a websocket's."""
    return "wss://127.0.0.1:4222"


@broken("resolve", "resolve_failed", "getent hosts")
def _(clinic):
    """The host name does not resolve."""
    return "tls://no-such-host.invalid:4222"


@broken("connect", "connect_refused", "Nothing listens there")
def _(clinic):
    """Nobody listens on the port."""
    return f"tls://127.0.0.1:{quiet_port()}"


@broken("info", "info_timeout", "silent")
def _(clinic):
    """The server never says INFO."""
    return clinic.hostile(silent).url()


@broken("info", "not_a_nats_server", "monitoring (8222)")
def _(clinic):
    """The port is that of the server's monitoring."""
    return f"nats://127.0.0.1:{clinic.nats().monitor_port}"


@broken("info", "not_a_nats_server", "another service")
def _(clinic):
    """Another service answers, and speaks first."""
    return clinic.hostile(http).url()


def https(pair):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.cert, pair.key)

    def script(server, connection):
        server.listen_on(context.wrap_socket(connection, server_side=True))

    return script


@broken("info", "not_a_nats_server", "HTTPS")
def _(clinic):
    """It speaks TLS from the first byte, and no NATS within it."""
    return clinic.hostile(https(clinic.ca.server())).url()


@broken("info", "info_timeout", "--tlsfirst")
def _(clinic):
    """The server begins with TLS, and nobody said so here."""
    return clinic.secure(kind="broker", extra=", handshake_first: true").url("tls")


@broken("info", "doctor_tls_not_offered", "tls block")
def _(clinic):
    """TLS is asked for, and the server has none."""
    return clinic.hostile(plaintext_nats).url("tls")


@broken("info|auth", "server_limit", "max_connections")  # its word comes right behind INFO, or is read with the answer to CONNECT
def _(clinic):
    """The server is full."""
    server = clinic.nats("max_connections: 1\n")
    clinic.stack.enter_context(RawClient(f"127.0.0.1:{server.port}"))
    return server.url()


@broken("tls", "tls_peer_not_tls", "leave out --tlsfirst")
def _(clinic):
    """TLS is to come first, and the server begins with INFO."""
    return ["-s", clinic.secure().url("tls"), "--tlsfirst"]


@broken("tls", "handshake_timeout", "does not pass TLS")
def _(clinic):
    """The server stops in the middle of the handshake."""
    return clinic.hostile(hangs_after_info).url()


@broken("tls", "tls_peer_not_tls", "port")
def _(clinic):
    """What follows INFO is no TLS."""
    return clinic.hostile(garbage_instead_of_tls).url()


@broken("tls", "tls_protocol_version", "TLS 1.2")
def _(clinic):
    """The server knows nothing newer than TLS 1.1."""
    return clinic.hostile(tls_1_1(clinic.ca.server())).url()


@broken("chain", "tls_unknown_authority", "Only the system's are trusted", "NATS_TLS_CA", "CA one")
def _(clinic):
    """No CA is configured, and the server's is a private one."""
    clinic.set(NATS_TLS_CA=None)
    return clinic.secure().url("tls")


@broken("chain", "tls_unknown_authority", "holds CN=CA two", "Add the certificate of CN=CA one")
def _(clinic):
    """The server's certificate is of another CA than the one configured."""
    clinic.set(NATS_TLS_CA=clinic.other_ca.cert)
    return clinic.secure().url("tls")


@broken("chain", "tls_unknown_authority", "another key", "made again")
def _(clinic):
    """The CA was made again under its old name."""
    clinic.set(NATS_TLS_CA=pki.Ca(clinic.directory / "again", "CA one").cert)
    return clinic.secure().url("tls")


@broken("chain", "tls_peer_expired", "Renew the server's certificate", "clock says")
def _(clinic):
    """The server's certificate has expired."""
    return clinic.secure(pair=clinic.ca.server(starts=timedelta(days=-9), ends=timedelta(days=-1))).url("tls")


@broken("chain", "tls_peer_not_yet_valid", "clock says")
def _(clinic):
    """The server's certificate is not valid yet."""
    return clinic.secure(pair=clinic.ca.server(starts=timedelta(hours=2), ends=timedelta(days=9))).url("tls")


@broken("chain", "tls_wrong_name", "nats.example.com", "NATS_TLS_SERVER_NAME")
def _(clinic):
    """The server's certificate is for another name."""
    return clinic.secure(pair=clinic.ca.server(san="DNS:nats.example.com")).url("tls")


@broken("chain", "tls_wrong_name", "common name does not count")
def _(clinic):
    """The server's certificate has its name in the common name alone."""
    return clinic.secure(pair=clinic.ca.server(names_itself=False)).url("tls")


@broken("chain", "tls_peer_wrong_usage", "serverAuth")
def _(clinic):
    """The server presents a client's certificate."""
    return clinic.secure(pair=clinic.ca.issue("client")).url("tls")


@broken("chain", "tls_peer_revoked", "new certificate", "NATS_TLS_CRL")
def _(clinic):
    """The server's certificate is revoked."""
    ca = pki.Ca(clinic.directory / "own", "CA with a CRL")
    pair = ca.server()
    clinic.set(NATS_TLS_CA=ca.cert, NATS_TLS_CRL=ca.crl(pair))
    return clinic.secure(pair=pair).url("tls")


@broken("chain", "tls_peer_crl_unavailable", "current CRL")
def _(clinic):
    """There are CRLs, and none of the CA of the server."""
    trusted = pki.bundle(clinic.directory / "both.crt", clinic.ca, clinic.other_ca)
    clinic.set(NATS_TLS_CA=trusted, NATS_TLS_CRL=clinic.other_ca.crl(name="other.crl"))
    return clinic.secure().url("tls")


@broken("chain", "tls_refused_without_certificate", "NATS_TLS_CERT", "takes certificates of CN=CA one")
def _(clinic):
    """The server requires a client certificate, and there is none."""
    return clinic.secure(verify=True).url("tls")


@broken("chain", "tls_refused_without_certificate", "NATS_TLS_CERT")
def _(clinic):
    """The broker requires a client certificate, and there is none."""
    return clinic.secure(verify=True, kind="broker").url("tls")


@broken("chain", "tls_refused_unknown_authority", "Ours is of CN=CA two", "ca_file")
def _(clinic):
    """Our certificate is of a CA that the server does not know."""
    clinic.certificate(clinic.other_ca.issue("client"))
    return clinic.secure(verify=True).url("tls")


@broken("chain", "tls_refused_certificate", "made again", "its log")
def _(clinic):
    """The server holds another CA of the same name as ours."""
    clinic.certificate(pki.Ca(clinic.directory / "again", "CA one").issue("client"))
    return clinic.secure(verify=True).url("tls")


@broken("chain", "tls_refused_revoked", "new certificate for CN=client")
def _(clinic):
    """The server's CRL has our certificate."""
    ca = pki.Ca(clinic.directory / "own", "CA with a CRL")
    pair = clinic.certificate(ca.issue("client"))
    clinic.set(NATS_TLS_CA=ca.cert)
    return clinic.broker(tls_block(ca.server(), ca.cert, True, f', crl_file: "{ca.crl(pair)}"')).url("tls")


def openssl_server(clinic, *options):
    """openssl's own TLS server, which can judge by another time than now."""
    pair, port = clinic.ca.server(), quiet_port()
    program = Program(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", pair.cert, "-key", pair.key, "-CAfile",
                       clinic.ca.cert, "-Verify", 3, "-verify_return_error", *options], clinic.directory / "openssl.log",
                      stdin=subprocess.PIPE)  # it ends with its standard input
    clinic.stack.enter_context(program)
    wait_until(lambda: "ACCEPT" in program.log(), 10, program.tail)
    return f"tls://127.0.0.1:{port}"


@broken("chain", "tls_refused_expired", "compare both clocks")
def _(clinic):
    """By the server's clock our certificate has expired."""
    clinic.certificate(clinic.ca.issue("client"))
    return ["-s", openssl_server(clinic, "-attime", int(time.time()) + 20 * 86400), "--tlsfirst"]


@broken("chain", "tls_refused_without_certificate", "NATS_TLS_CERT")
def _(clinic):
    """A server of TLS 1.2 requires a client certificate, and there is none."""
    return ["-s", openssl_server(clinic, "-tls1_2"), "--tlsfirst"]


@broken("auth", "doctor_no_credential", "NATS_USERNAME")
def _(clinic):
    """The server wants a user, and no credential is set."""
    return clinic.nats(f"authorization {{ user: kate, password: {CANARY} }}").url()


@broken("auth", "doctor_no_credential", "NATS_CREDS", "nonce")
def _(clinic):
    """The server wants JWTs, and no credential is set."""
    return clinic.nats(Realm(clinic.directory / "realm").server_config()).url()


@broken("auth", "auth_refused", "user kate with this password")
def _(clinic):
    """The password is wrong."""
    clinic.set(NATS_USERNAME="kate", NATS_PASSWORD=CANARY)
    return clinic.nats("authorization { user: kate, password: other }").url()


@broken("auth", "auth_refused", "another token")
def _(clinic):
    """The token is wrong."""
    clinic.set(NATS_TOKEN=CANARY)
    return clinic.broker("authorization { token: other }").url()


@broken("auth", "auth_refused", "with that public key")
def _(clinic):
    """The server does not know our NKey."""
    known, ours = NKey(clinic.directory), NKey(clinic.directory)
    clinic.set(NATS_NKEY_FILE=ours.seed_file(clinic.directory / "ours.nk"))
    return clinic.nats(f"authorization {{ users: [ {{ nkey: {known.public} }} ] }}").url()


@broken("auth", "auth_refused", "sent no nonce", "user and password")
def _(clinic):
    """An NKey meets a server that knows none."""
    clinic.set(NATS_NKEY_FILE=NKey(clinic.directory).seed_file(clinic.directory / "ours.nk"))
    return clinic.nats("authorization { user: kate, password: other }").url()


@broken("auth", "auth_refused", "not in operator mode")
def _(clinic):
    """Creds meet a server that takes no JWTs."""
    clinic.set(NATS_CREDS=Realm(clinic.directory / "realm").creds())
    return clinic.nats("authorization { user: kate, password: other }").url()


@broken("auth", "auth_refused", "does not know the account", "hawser id push")
def _(clinic):
    """The user's account is another operator's."""
    clinic.set(NATS_CREDS=Realm(clinic.directory / "ours").creds())
    return clinic.nats(Realm(clinic.directory / "theirs").server_config()).url()


@broken("auth", "auth_refused", "has revoked the user")
def _(clinic):
    """The user is revoked."""
    realm = Realm(clinic.directory / "realm")
    key = NKey(realm.directory)
    clinic.set(NATS_CREDS=realm.creds(key))
    return clinic.nats(realm.server_config(revocations={key.public: int(time.time()) + 60})).url()


@broken("auth", "auth_refused", "verify_and_map", "CN=client")
def _(clinic):
    """No user of the server has the name of our certificate."""
    clinic.certificate(clinic.ca.issue("client"))
    return clinic.secure('authorization { users: [ { user: "CN=other" } ] }\n', verify=True, extra=", verify_and_map: true").url("tls")


@broken("auth", "connection_closed", "pinned_certs")
def _(clinic):
    """The server has pinned other certificates than ours."""
    clinic.certificate(clinic.ca.issue("client"))
    return clinic.secure(verify=True, extra=f', pinned_certs: ["{"a1" * 32}"]').url("tls")


@broken("auth", "server_error", "cluster port")
def _(clinic):
    """The port is that of the server's cluster."""
    port = quiet_port()
    clinic.nats(f'cluster {{ name: "one", listen: "127.0.0.1:{port}" }}\n')
    return f"nats://127.0.0.1:{port}"


@broken("auth", "jwt_invalid", "-1 for none")
def _(clinic):
    """The user JWT was made without limits."""
    realm = Realm(clinic.directory / "realm")
    clinic.set(NATS_CREDS=realm.creds(subs=None, payload=None, data=None))
    return clinic.nats(realm.server_config()).url()


SHOP = f"""authorization {{ users: [ {{ user: kate, password: {CANARY}, permissions: {{
  publish: {{ allow: ["orders.>"], deny: "orders.secret" }}, subscribe: ["orders.>", "_INBOX.>"] }} }} ] }}
"""


@broken("permissions", "doctor_not_allowed", "publish orders.secret", "user kate", exit=NOT_SO)
def _(clinic):
    """The user may not publish to a subject."""
    clinic.set(NATS_USERNAME="kate", NATS_PASSWORD=CANARY)
    return ["-s", clinic.nats(SHOP).url(), "--pub", "orders.new", "--pub", "orders.secret"]


@broken("permissions", "doctor_not_allowed", "subscribe invoices.*", exit=NOT_SO)
def _(clinic):
    """The user may not subscribe to a subject."""
    clinic.set(NATS_USERNAME="kate", NATS_PASSWORD=CANARY)
    return ["-s", clinic.broker(SHOP).url(), "--pub", "orders.new", "--sub", "invoices.*", "--sub", "orders.*"]


@pytest.mark.parametrize("name", BROKEN)
def test_names_the_cause_and_the_fix(clinic, name):
    set_up, step, error, words, expect = BROKEN[name]
    target = set_up(clinic)
    arguments = target if isinstance(target, list) else ["-s", target]
    report = clinic.report(*arguments, expect=expect)
    known = KnownError(error)

    failed = [one for one in report["steps"] if not one["ok"] and one["checked"]]
    assert len(failed) == 1 and failed[0]["name"] in step.split("|"), report
    assert report["ok"] is False and failed[0]["error"]["id"] == known.id, failed[0]
    told = f"{failed[0]['error']['message']} {failed[0]['error']['hint']}"
    assert all(word.lower() in told.lower() for word in words), told
    unchecked = [one for one in report["steps"] if not one["checked"]]
    assert all(one["error"]["id"] == KnownError("doctor_not_checked").id for one in unchecked)
    assert {one["name"] for one in report["steps"]} >= set(STEPS)

    text = clinic.text(*arguments, expect=expect)
    assert any(f"FAILED {one}" in text for one in step.split("|")) and f"{known.id} " in text and "\n  fix: " in text, text
    assert all(word.lower() in text.lower() for word in words), text


def test_there_are_enough_broken_set_ups():
    assert len(BROKEN) >= 25


def test_a_slow_clock_is_suspected_when_the_servers_certificate_is_not_valid_yet(clinic):
    server = clinic.secure(pair=clinic.ca.server(starts=timedelta(hours=2), ends=timedelta(days=9)))
    chain = steps_of(clinic.report("-s", server.url("tls"), expect=NO_CONNECTION))["chain"]
    assert [note["id"] for note in chain["notes"]] == [KnownError("doctor_clock_off").id]


def test_clocks_are_suspected_when_the_server_holds_our_certificate_for_expired(clinic):
    clinic.certificate(clinic.ca.issue("client"))
    url = openssl_server(clinic, "-attime", int(time.time()) + 20 * 86400)
    chain = steps_of(clinic.report("-s", url, "--tlsfirst", expect=NO_CONNECTION))["chain"]
    assert [note["id"] for note in chain["notes"]] == [KnownError("doctor_clock_off").id]


# ---- healthy ones -------------------------------------------------------------------------------------------------


def healthy(clinic, *arguments):
    report = clinic.report(*arguments)
    assert report["ok"] is True and all(step["ok"] for step in report["steps"]), report
    text = clinic.text(*arguments)
    assert "FAILED" not in text and text.endswith("\nok\n"), text
    return steps_of(report)


@pytest.mark.parametrize("kind", ["nats", "broker"])
def test_a_server_without_anything_is_well(clinic, kind):
    clinic.set(NATS_TLS_CA=None)
    steps = healthy(clinic, "-s", getattr(clinic, kind)().url())
    assert [name for name, step in steps.items() if not step["used"]] == ["tls", "chain"]
    assert steps["resolve"]["seen"]["addresses"] == ["127.0.0.1"]
    assert steps["ping"]["seen"]["rtt_us"]["min"] > 0


@pytest.mark.parametrize("kind", ["nats", "broker"])
def test_mutual_tls_is_well_and_shown(clinic, kind):
    pair = clinic.certificate(clinic.ca.issue("client"))
    server_pair = clinic.ca.server()
    steps = healthy(clinic, "-s", clinic.secure(verify=True, pair=server_pair, kind=kind).url("tls"))
    assert list(steps) == STEPS
    assert steps["configuration"]["seen"]["certificates"][0]["sha256"] == pair.sha256
    assert steps["configuration"]["seen"]["mode"] == "cert"
    assert steps["info"]["seen"]["tls_required"] is True
    assert steps["tls"]["seen"]["version"] == "1.3"
    assert steps["tls"]["seen"]["accepted_issuers"] == ["CN=CA one"]
    leaf = steps["chain"]["seen"]["certificates"][0]
    assert leaf["sha256"] == server_pair.sha256 and leaf["issuer"] == "CN=CA one" and leaf["days_left"] in (6, 7)
    assert steps["chain"]["seen"]["verified"] is True
    assert leaf["dns_names"] == ["localhost"] and leaf["ip_addresses"] == ["127.0.0.1"]


def test_a_broker_that_begins_with_tls_is_well_with_tlsfirst(clinic):
    steps = healthy(clinic, "-s", clinic.secure(kind="broker", extra=", handshake_first: true").url("tls"), "--tlsfirst")
    assert list(steps).index("chain") < list(steps).index("info")


def test_a_url_that_forgets_tls_is_upgraded_and_the_fix_is_named(clinic):
    steps = healthy(clinic, "-s", clinic.secure().url("nats"))
    assert steps["tls"]["used"] is True
    assert [note["id"] for note in steps["info"]["notes"]] == [KnownError("doctor_tls_wanted").id]


def test_a_chain_that_nobody_judged_is_not_shown_as_verified(clinic):
    clinic.set(NATS_TLS_CA=None, NATS_TLS_INSECURE="true")
    arguments = ["-s", clinic.secure().url("tls")]
    steps = healthy(clinic, *arguments)
    assert steps["chain"]["seen"]["verified"] is False and "NOT verified" in clinic.text(*arguments)
    assert KnownError("tls_verification_disabled").id in [note["id"] for note in steps["configuration"]["notes"]]


def test_creds_are_described_without_what_is_secret_in_them(clinic):
    realm = Realm(clinic.directory / "realm")
    key = NKey(realm.directory)
    clinic.set(NATS_CREDS=realm.creds(key, expires=time.time() + 30 * 86400))
    arguments = ["-s", clinic.nats(realm.server_config()).url()]
    steps = healthy(clinic, *arguments)
    jwt = steps["auth"]["seen"]["jwt"]
    assert (jwt["user"], jwt["name"], jwt["account"]) == (key.public, "kate", realm.account.public)
    assert steps["auth"]["seen"]["asked_for"] is True and steps["auth"]["seen"]["source"] == "env NATS_CREDS"
    assert key.seed not in clinic.text(*arguments) + json.dumps(clinic.report(*arguments))


def test_shadowed_credentials_are_noted(clinic):
    clinic.set(NATS_USERNAME="kate", NATS_PASSWORD=CANARY, NATS_TOKEN=CANARY)
    steps = healthy(clinic, "-s", clinic.nats(f"authorization {{ user: kate, password: {CANARY} }}").url())
    assert KnownError("auth_shadowed").id in [note["id"] for note in steps["configuration"]["notes"]]
    assert steps["auth"]["seen"]["who"] == "user kate"


@pytest.mark.parametrize("kind", ["nats", "broker"])
def test_permissions_are_tried_and_nobody_receives_anything(clinic, kind):
    clinic.set(NATS_USERNAME="kate", NATS_PASSWORD=CANARY)
    server = getattr(clinic, kind)(SHOP)
    listener = clinic.stack.enter_context(RawClient(f"127.0.0.1:{server.port}", user="kate", **{"pass": CANARY}))
    listener.subscribe("orders.>")
    listener.flush()
    steps = healthy(clinic, "-s", server.url(), "--pub", "orders.new", "--sub", "orders.*")
    tried = steps["permissions"]["seen"]["tried"]
    assert [(one["action"], one["subject"], one["allowed"], one["published"]) for one in tried] == [
        ("publish", "orders.new", True, False), ("subscribe", "orders.*", True, False)]
    listener.send("PING\r\n")
    listener.expect(b"PONG")  # and no message before it


def test_one_good_server_of_a_list_is_enough_and_all_of_them_are_with_all(clinic):
    dead, alive = f"nats://127.0.0.1:{quiet_port()}", clinic.nats().url()
    clinic.set(NATS_TLS_CA=None)
    report = clinic.report("-s", f"{dead},{alive}")
    assert report["ok"] is True and report["server"] == alive
    assert [(one["server"], one["ok"]) for one in report["servers"]] == [(dead, False), (alive, True)]
    report = clinic.report("-s", f"{alive},{dead}")
    assert [one["server"] for one in report["servers"]] == [alive]
    report = clinic.report("--all", "-s", f"{alive},{dead}", expect=NO_CONNECTION)
    assert report["ok"] is False and report["server"] == dead


def test_every_address_of_a_name_is_dialled(clinic):
    clinic.set(NATS_TLS_CA=None)
    server = clinic.nats()
    steps = healthy(clinic, "-s", f"nats://localhost:{server.port}")
    attempts = steps["connect"]["seen"]["attempts"]
    assert [one["address"] for one in attempts if one["ok"]] == [f"127.0.0.1:{server.port}"]
    assert len(attempts) == len(steps["resolve"]["seen"]["addresses"])


# ---- the command itself -------------------------------------------------------------------------------------------


def test_the_json_has_its_documented_shape(clinic):
    report = clinic.report("-s", clinic.nats().url(), "--sub", "a.b")
    assert set(report) == {"ok", "at", "server", "steps", "servers"}
    assert [step["name"] for step in report["steps"]] == [*STEPS, "permissions"]
    for step in report["steps"]:
        assert set(step) == {"name", "ok", "checked", "used", "seconds", "seen", "notes"}
        assert isinstance(step["seconds"], float) and isinstance(step["seen"], dict)
    failed = clinic.report("-s", f"nats://127.0.0.1:{quiet_port()}", expect=NO_CONNECTION)["steps"]
    assert set(failed[2]["error"]) == {"id", "name", "message", "hint"}


def test_a_refused_configuration_dials_nothing_and_says_what_would_be_next(clinic):
    server = clinic.hostile(silent)
    clinic.set(HAWSER_ENV="production")
    text = clinic.text("-s", server.url("nats"), expect=REFUSED)
    assert "Nothing was dialled; next would be: resolve, connect" in text and server.url("nats") in text
    assert server.accepted == 0


def test_wrong_usage_is_said_as_by_every_command(clinic):
    for arguments in (["--pub", "orders.*"], ["--sub", "a..b"], ["--timeout", "soon"]):
        done = subprocess.run([HAWSER, "doctor", *arguments], capture_output=True, text=True, env=clinic.full_environment(),
                              cwd=clinic.directory, timeout=30, check=False)
        assert done.returncode == MISUSE and "hint: " in done.stderr and done.stdout == "", done


def test_a_server_cannot_write_on_the_terminal(clinic):
    def rude(server, connection):
        connection.sendall(info_line(server_name="\x1b[2J" + "n" * 10000, auth_required=True))
        connection.recv(65536)
        connection.sendall(b"-ERR 'Authorization Violation\x1b[2J'\r\n")
        server.listen_on(connection)

    text = clinic.text("-s", clinic.hostile(rude).url("nats"), expect=NO_CONNECTION)
    assert "\x1b" not in text and "n" * 300 not in text


def test_it_can_be_interrupted(clinic):
    server = clinic.hostile(silent)
    child = Program([HAWSER, "doctor", "--timeout", "60s", "-s", server.url()], clinic.directory / "log", clinic.full_environment())
    with child:
        wait_until(lambda: server.accepted > 0, 10)
        child.signal(signal.SIGINT)
        assert child.wait(5) == INTERRUPTED


def test_no_credential_is_sent_to_a_server_that_does_not_verify(clinic):
    clinic.set(NATS_TOKEN=CANARY, NATS_TLS_CA=clinic.other_ca.cert)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    pair = clinic.ca.server()
    context.load_cert_chain(pair.cert, pair.key)

    def impostor(server, connection):
        connection.sendall(info_line(tls_required=True, auth_required=True))
        server.listen_on(context.wrap_socket(connection, server_side=True))

    server = clinic.hostile(impostor)
    clinic.report("-s", server.url(), expect=NO_CONNECTION)
    stays_false(lambda: server.received, 0.2)
