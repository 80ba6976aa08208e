"""`hawser pki` as a user runs it, each result checked by openssl's own command."""

import datetime
import json
import os
import re
import stat
import subprocess

import pytest
from hawser_scenario.errors import KnownError

HAWSER = os.environ["HAWSER_BIN"]
DONE, NOT_SO, MISUSE = 0, 1, 2
PRIVATE = re.compile(r"PRIVATE KEY|MHcCAQ|MIGHAgE")
SANITIZERS = ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS")


def command(*arguments):
    return subprocess.run([str(word) for word in arguments], capture_output=True, text=True, timeout=60, check=False)


def openssl(*arguments):
    done = command("openssl", *arguments)
    return done.returncode, done.stdout + done.stderr


class Pki:
    """Runs `hawser pki` in one directory, with nothing of the caller's environment."""

    def __init__(self, directory):
        self.directory = directory

    def path(self, name):
        return self.directory / name

    def run(self, *arguments, expect=DONE):
        env = {"PATH": os.environ["PATH"], "HOME": str(self.directory)}
        env.update({name: os.environ[name] for name in SANITIZERS if name in os.environ})
        done = subprocess.run([HAWSER, "pki", *map(str, arguments)], capture_output=True, text=True, timeout=60, env=env,
                              cwd=self.directory, check=False)
        assert done.returncode == expect, f"{arguments}: {done.returncode}, not {expect}\n{done.stdout}\n{done.stderr}"
        assert not PRIVATE.search(done.stdout + done.stderr), "a private key was printed"
        return done

    def fails(self, expect, error, *arguments):
        """Ends with this code and this error, hint included, and nothing on standard output."""
        known = KnownError(error)
        done = self.run(*arguments, expect=expect)
        assert done.stderr.startswith(f"hawser: {known.id} {known.summary}") and "\n  hint: " in done.stderr, done.stderr
        assert done.stdout == ""
        return done.stderr

    def json(self, *arguments, expect=DONE):
        return json.loads(self.run(*arguments, "--json", expect=expect).stdout)

    def inspect(self, name):
        return self.json("inspect", name)[0]

    def fingerprint(self, name):
        """SHA-256 of a file's first certificate, as openssl says it."""
        code, out = openssl("x509", "-in", self.path(name), "-noout", "-fingerprint", "-sha256")
        assert code == 0, out
        return out.split("=")[1].strip().replace(":", "").lower()


@pytest.fixture
def pki(tmp_path):
    made = Pki(tmp_path)
    made.run("ca", "--out", "ca", "--name", "Root CA", "--org", "Example")
    return made


@pytest.fixture
def pair(pki):
    """A CA, and a server's and a client's certificate of it."""
    pki.run("issue", "nats", "--ca", "ca", "--out", "tls", "--usage", "server", "--dns", "nats.example.com", "--ip", "127.0.0.1,::1")
    pki.run("issue", "agent", "--ca", "ca", "--out", "tls", "--usage", "client", "--uri", "spiffe://example/agent")
    return pki


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


# ---- ca and issue ---------------------------------------------------------------------------------------------------


def test_a_ca_is_one_for_openssl_too(pki):
    code, text = openssl("x509", "-in", pki.path("ca/ca.crt"), "-noout", "-text")
    assert code == 0 and "CA:TRUE" in text and "Certificate Sign, CRL Sign" in text
    assert "O = Example" in text and "CN = Root CA" in text
    assert openssl("verify", "-x509_strict", "-check_ss_sig", "-CAfile", pki.path("ca/ca.crt"), pki.path("ca/ca.crt"))[0] == 0
    assert mode(pki.path("ca/ca.key")) == 0o600 and mode(pki.path("ca/ca.crt")) == 0o644


@pytest.mark.parametrize("name, purpose, other", [("nats", "sslserver", "sslclient"), ("agent", "sslclient", "sslserver")])
def test_a_certificate_verifies_for_its_use_only(pair, name, purpose, other):
    trust = ("-x509_strict", "-CAfile", pair.path("ca/ca.crt"))
    assert openssl("verify", *trust, "-purpose", purpose, pair.path(f"tls/{name}.crt"))[0] == 0
    assert openssl("verify", *trust, "-purpose", other, pair.path(f"tls/{name}.crt"))[0] != 0
    assert mode(pair.path(f"tls/{name}.key")) == 0o600


def test_names_are_those_asked_for(pair):
    trust = ("-CAfile", pair.path("ca/ca.crt"), "-purpose", "sslserver")
    for check, accepted in [(("-verify_hostname", "nats.example.com"), True), (("-verify_ip", "127.0.0.1"), True),
                            (("-verify_ip", "::1"), True), (("-verify_hostname", "nats"), False), (("-verify_ip", "127.0.0.2"), False)]:
        assert (openssl("verify", *trust, *check, pair.path("tls/nats.crt"))[0] == 0) == accepted, check
    assert "URI:spiffe://example/agent" in openssl("x509", "-in", pair.path("tls/agent.crt"), "-noout", "-text")[1]


def test_a_server_without_names_gets_its_own(pki):
    pki.run("issue", "broker.example.com", "--ca", "ca", "--usage", "server")
    assert pki.inspect("broker.example.com.crt")["certificates"][0]["dns_names"] == ["broker.example.com"]


@pytest.mark.parametrize("key_type, seen", [("ecdsa", "prime256v1"), ("ed25519", "ED25519"), ("rsa2048", "(2048 bit"), ("RSA4096", "(4096 bit")])
def test_keys_are_of_the_type_asked_for_and_belong(pki, key_type, seen):
    pki.run("issue", "agent", "--ca", "ca", "--key-type", key_type, "--cert", "deep/er/tls.crt", "--key", "deep/er/tls.key")
    assert seen in openssl("x509", "-in", pki.path("deep/er/tls.crt"), "-noout", "-text")[1]
    public = openssl("x509", "-in", pki.path("deep/er/tls.crt"), "-noout", "-pubkey")[1]
    assert openssl("pkey", "-in", pki.path("deep/er/tls.key"), "-pubout")[1] == public
    pki.run("verify", "deep/er/tls.crt", "--key", "deep/er/tls.key", "--ca", "ca/ca.crt", "--usage", "client")


def test_an_intermediate_hands_its_chain_to_those_it_signs(pki):
    pki.run("ca", "--out", "team", "--name", "Team CA", "--parent", "ca", "--days", "365")
    pki.run("issue", "nats", "--ca", "team", "--usage", "server", "--dns", "localhost")
    chain = pki.path("nats.crt")
    assert chain.read_text().count("BEGIN CERTIFICATE") == 2, "the leaf and the intermediate, not the root"
    assert openssl("verify", "-x509_strict", "-CAfile", pki.path("ca/ca.crt"), "-untrusted", chain, chain)[0] == 0
    assert openssl("verify", "-CAfile", pki.path("ca/ca.crt"), chain)[0] != 0
    pki.run("verify", "nats.crt", "--ca", "ca/ca.crt", "--name", "localhost")
    pki.run("ca", "--out", "squad", "--name", "Squad CA", "--parent", "team", "--days", "90")
    pki.run("issue", "deep", "--ca", "squad", "--usage", "client")
    assert pki.path("deep.crt").read_text().count("BEGIN CERTIFICATE") == 3
    pki.run("verify", "deep.crt", "--ca", "ca/ca.crt", "--usage", "client")


def test_a_self_signed_certificate_is_trusted_alone(pki):
    pki.run("issue", "nats", "--self-signed", "--usage", "server", "--dns", "localhost")
    pki.run("issue", "other", "--self-signed", "--usage", "server", "--dns", "localhost")
    pki.run("verify", "nats.crt", "--ca", "nats.crt", "--name", "localhost")
    pki.fails(NOT_SO, "tls_self_signed", "verify", "nats.crt", "--ca", "other.crt", "--name", "localhost")


def test_validity_is_that_asked_for(pki):
    pki.run("issue", "old", "--ca", "ca", "--from", "2025-01-01T00:00:00Z", "--days", "30")
    certificate = pki.inspect("old.crt")["certificates"][0]
    assert (certificate["not_before"], certificate["not_after"]) == ("2025-01-01T00:00:00Z", "2025-01-31T00:00:00Z")
    assert openssl("x509", "-in", pki.path("old.crt"), "-noout", "-checkend", "0")[0] == 1
    pki.run("issue", "soon", "--ca", "ca", "--days", "7")
    assert openssl("x509", "-in", pki.path("soon.crt"), "-noout", "-checkend", str(6 * 86400))[0] == 0
    assert openssl("x509", "-in", pki.path("soon.crt"), "-noout", "-checkend", str(8 * 86400))[0] == 1


def test_what_is_there_is_replaced_only_when_asked(pair):
    before = {name: pair.path(name).read_bytes() for name in ("ca/ca.crt", "ca/ca.key", "tls/nats.crt", "tls/nats.key")}
    again = ("issue", "nats", "--ca", "ca", "--out", "tls", "--usage", "server")
    assert "--force" in pair.fails(MISUSE, "bad_usage", "ca", "--out", "ca")
    assert "tls/nats.crt is there already" in pair.fails(MISUSE, "bad_usage", *again)
    pair.path("tls/nats.crt").unlink()
    assert "tls/nats.key is there already" in pair.fails(MISUSE, "bad_usage", *again)
    for name, content in before.items():
        assert name == "tls/nats.crt" or pair.path(name).read_bytes() == content, name
    pair.run(*again, "--force")
    assert pair.path("tls/nats.key").read_bytes() != before["tls/nats.key"]
    assert mode(pair.path("tls/nats.key")) == 0o600
    assert not [name for name in os.listdir(pair.path("tls")) if name not in ("nats.crt", "nats.key", "agent.crt", "agent.key")]


def test_a_name_never_leads_out_of_the_directory(pki):
    pki.run("issue", "../evil", "--ca", "ca", "--out", "tls")
    assert not pki.path("evil.crt").exists() and len(os.listdir(pki.path("tls"))) == 2


@pytest.mark.parametrize("error, arguments, says", [
    ("pki_bad_request", ["", "--ca", "ca"], "needs a name"),
    ("pki_bad_request", ["x", "--ca", "ca", "--dns", "bad name"], '"bad name"'),
    ("pki_bad_request", ["x", "--ca", "ca", "--dns", "a\nb"], "is not a name"),
    ("pki_bad_request", ["x", "--ca", "ca", "--ip", "1.2.3"], '"1.2.3" is not an IP address'),
    ("pki_bad_request", ["x" * 65, "--ca", "ca"], ""),
    ("pki_bad_request", ["x", "--ca", "ca", "--from", "2026-01-02T00:00:00Z", "--to", "2026-01-01T00:00:00Z"], "before it begins"),
    ("bad_usage", ["x"], "give --ca DIR, or --self-signed"),
    ("bad_usage", ["x", "--ca", "ca", "--self-signed"], "give --ca DIR, or --self-signed"),
    ("bad_usage", ["x", "--ca", "ca", "--days", "0"], "not in range"),
    ("bad_usage", ["x", "--ca", "ca", "--from", "yesterday"], '--from "yesterday" is not a time'),
    ("bad_usage", ["x", "--ca", "ca", "--key-type", "dsa"], "dsa"),
    ("bad_usage", ["x", "--ca", "ca", "--usage", "sever"], "sever"),
    ("bad_usage", ["x", "--ca", "ca", "--dsn", "a.example"], "--dsn"),
    ("bad_usage", [], "name"),
    ("file_unreadable", ["x", "--ca", "nowhere"], "nowhere/ca.crt"),
])
def test_a_wrong_request_is_refused_and_writes_nothing(pki, error, arguments, says):
    assert says in pki.fails(MISUSE, error, "issue", *arguments)
    assert os.listdir(pki.directory) == ["ca"]


def test_a_ca_whose_key_is_another_s_signs_nothing(pki):
    pki.run("ca", "--out", "other")
    pki.path("ca/ca.key").write_bytes(pki.path("other/ca.key").read_bytes())
    pki.fails(MISUSE, "tls_key_mismatch", "issue", "x", "--ca", "ca")
    pki.path("ca/ca.key").write_text("not a key\n")
    pki.run("issue", "x", "--ca", "ca", expect=MISUSE)
    assert sorted(os.listdir(pki.directory)) == ["ca", "other"]


def test_a_leaf_does_not_sign(pair):
    os.mkdir(pair.path("leaf"))
    pair.path("leaf/ca.crt").write_bytes(pair.path("tls/nats.crt").read_bytes())
    pair.path("leaf/ca.key").write_bytes(pair.path("tls/nats.key").read_bytes())
    pair.run("issue", "x", "--ca", "leaf", expect=MISUSE)
    assert not pair.path("x.crt").exists()


# ---- bundle ---------------------------------------------------------------------------------------------------------


def test_a_bundle_trusts_each_ca_once(pair):
    pair.run("ca", "--out", "new", "--name", "New CA")
    pair.run("issue", "late", "--ca", "new", "--usage", "client")
    assert pair.run("bundle", "ca/ca.crt", "new/ca.crt", "ca/ca.crt", "--out", "both.crt").stdout == "both.crt: 2 certificates\n"
    for leaf in ("tls/agent.crt", "late.crt"):
        assert openssl("verify", "-CAfile", pair.path("both.crt"), pair.path(leaf))[0] == 0
        pair.run("verify", leaf, "--ca", "both.crt", "--usage", "client")
    # Written in place over one of its own sources, as a rotation narrows trust.
    pair.run("bundle", "both.crt", "--out", "both.crt")
    assert len(pair.inspect("both.crt")["certificates"]) == 2
    assert pair.run("bundle", "both.crt").stdout == pair.path("both.crt").read_text()


def test_a_bundle_leaves_out_what_has_expired(pki):
    pki.run("ca", "--out", "gone", "--name", "Gone CA", "--from", "2020-01-01T00:00:00Z", "--days", "10")
    assert pki.run("bundle", "gone/ca.crt", "ca/ca.crt", "--drop-expired", "--out", "now.crt").stdout == "now.crt: 1 certificate\n"
    assert [one["subject"] for one in pki.inspect("now.crt")["certificates"]] == [pki.inspect("ca/ca.crt")["certificates"][0]["subject"]]
    pki.fails(MISUSE, "tls_ca_without_certificate", "bundle", "gone/ca.crt", "--drop-expired", "--out", "none.crt")
    assert not pki.path("none.crt").exists()


def test_a_bundle_takes_certificates_only(pair):
    pair.path("text").write_text("hello\n")
    pair.fails(MISUSE, "tls_not_pem", "bundle", "ca/ca.crt", "text", "--out", "out.crt")
    assert "tls/nats.key" in pair.fails(MISUSE, "tls_ca_without_certificate", "bundle", "tls/nats.key", "--out", "out.crt")
    pair.fails(MISUSE, "file_unreadable", "bundle", "missing.crt", "--out", "out.crt")
    assert not pair.path("out.crt").exists()


# ---- inspect --------------------------------------------------------------------------------------------------------


def test_inspect_says_what_openssl_says(pair):
    document = pair.inspect("tls/nats.crt")
    assert set(document) == {"file", "certificates", "crls", "keys"} and document["file"] == "tls/nats.crt"
    one = document["certificates"][0]
    assert one["sha256"] == pair.fingerprint("tls/nats.crt")
    code, out = openssl("x509", "-in", pair.path("tls/nats.crt"), "-noout", "-serial", "-enddate")
    assert code == 0 and one["serial"] == re.search(r"serial=(\w+)", out)[1].lower()
    end = datetime.datetime.strptime(re.search(r"notAfter=(.*) GMT", out)[1], "%b %d %H:%M:%S %Y")
    assert one["not_after"] == end.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert one["dns_names"] == ["nats.example.com"] and one["ip_addresses"] == ["127.0.0.1", "::1"]
    assert one["usages"] == ["server"] and one["is_ca"] is False and one["key_type"] == "EC P-256"
    assert pair.inspect("tls/nats.key")["keys"] == [{"key_type": "EC P-256", "spki_sha256": one["spki_sha256"]}]
    text = pair.run("inspect", "tls/nats.crt", "tls/nats.key").stdout
    assert one["sha256"] in text and text.count(one["spki_sha256"]) == 2 and "DNS          nats.example.com" in text


def test_inspect_of_what_is_not_pem(pair):
    assert openssl("x509", "-in", pair.path("tls/nats.crt"), "-outform", "der", "-out", pair.path("nats.der"))[0] == 0
    assert "openssl x509 -inform der" in pair.fails(MISUSE, "tls_not_pem", "inspect", "nats.der")
    pair.path("cut.crt").write_text(pair.path("tls/nats.crt").read_text()[:300])
    pair.fails(MISUSE, "tls_not_pem", "inspect", "cut.crt")
    pair.path("empty").touch()
    pair.fails(MISUSE, "tls_not_pem", "inspect", "empty")
    pair.fails(MISUSE, "file_unreadable", "inspect", "missing.crt")
    pair.run("inspect", "tls", expect=MISUSE)
    error = json.loads(pair.run("inspect", "empty", "--json", expect=MISUSE).stderr)["error"]
    assert error["id"] == KnownError("tls_not_pem").id and set(error) >= {"id", "name", "kind", "message", "hint"}


# ---- crl ------------------------------------------------------------------------------------------------------------


def test_a_crl_revokes_for_openssl_too(pair):
    check = ("verify", "-crl_check", "-CAfile", pair.path("ca/ca.crt"), "-CRLfile", pair.path("ca/ca.crl"), pair.path("tls/agent.crt"))
    pair.run("crl", "--ca", "ca")
    assert openssl("crl", "-in", pair.path("ca/ca.crl"), "-CAfile", pair.path("ca/ca.crt"), "-noout")[1].strip() == "verify OK"
    assert openssl(*check)[0] == 0
    pair.run("verify", "tls/agent.crt", "--ca", "ca/ca.crt", "--usage", "client", "--crl", "ca/ca.crl")
    pair.run("crl", "--ca", "ca", "--revoke", "tls/agent.crt")
    code, out = openssl(*check)
    assert code != 0 and "certificate revoked" in out
    pair.fails(NOT_SO, "tls_peer_revoked", "verify", "tls/agent.crt", "--ca", "ca/ca.crt", "--usage", "client", "--crl", "ca/ca.crl")
    pair.run("crl", "--ca", "ca", "--restore", "tls/agent.crt")
    assert openssl(*check)[0] == 0


def test_a_crl_goes_on_from_the_last_one(pair):
    serial = pair.inspect("tls/nats.crt")["certificates"][0]["serial"]
    spelled = ":".join(serial[i:i + 2] for i in range(0, len(serial), 2)).upper()
    pair.run("crl", "--ca", "ca", "--revoke", spelled, "--out", "list.crl", "--days", "7")
    pair.run("crl", "--ca", "ca", "--revoke", "tls/agent.crt", "--revoke", spelled, "--out", "list.crl")
    crl = pair.inspect("list.crl")["crls"][0]
    assert sorted(crl["revoked"]) == sorted([serial, pair.inspect("tls/agent.crt")["certificates"][0]["serial"]])
    assert int(crl["number"], 16) == 2
    out = openssl("crl", "-in", pair.path("list.crl"), "-noout", "-text")[1]
    assert out.count("Serial Number:") == 2 and serial in out.replace(":", "").lower()


def test_a_crl_is_written_only_over_one_of_its_own_ca(pair):
    pair.run("ca", "--out", "new", "--name", "New CA")
    pair.run("crl", "--ca", "new")
    before = pair.path("new/ca.crl").read_bytes()
    assert "write to another file" in pair.fails(MISUSE, "bad_usage", "crl", "--ca", "ca", "--out", "new/ca.crl")
    assert pair.path("new/ca.crl").read_bytes() == before
    for which in ("tls/none.crt", "xyz", ""):
        pair.fails(MISUSE, "bad_usage", "crl", "--ca", "ca", "--revoke", which)
    pair.fails(MISUSE, "tls_certificate_missing", "crl", "--ca", "ca", "--revoke", "tls/nats.key")
    pair.fails(MISUSE, "file_unreadable", "crl", "--ca", "nowhere")
    assert not pair.path("ca/ca.crl").exists()


# ---- verify ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error, arguments", [
    ("tls_wrong_name", ["tls/nats.crt", "--ca", "ca/ca.crt", "--name", "other.example.com"]),
    ("tls_wrong_name", ["tls/nats.crt", "--ca", "ca/ca.crt", "--name", "127.0.0.2"]),
    ("tls_peer_wrong_usage", ["tls/agent.crt", "--ca", "ca/ca.crt"]),
    ("tls_peer_wrong_usage", ["tls/nats.crt", "--ca", "ca/ca.crt", "--usage", "client"]),
    ("tls_unknown_authority", ["tls/nats.crt", "--ca", "new/ca.crt"]),
    ("tls_peer_expired", ["tls/nats.crt", "--ca", "ca/ca.crt", "--at", "2035-01-01T00:00:00Z"]),
    ("tls_peer_not_yet_valid", ["tls/nats.crt", "--ca", "ca/ca.crt", "--at", "2020-01-01T00:00:00Z"]),
    ("tls_key_mismatch", ["tls/nats.crt", "--ca", "ca/ca.crt", "--key", "tls/agent.key"]),
])
def test_verify_says_why_not(pair, error, arguments):
    pair.run("ca", "--out", "new", "--name", "New CA")
    pair.fails(NOT_SO, error, "verify", *arguments)
    document = pair.json("verify", *arguments, expect=NOT_SO)
    assert document["ok"] is False and document["file"] == arguments[0]
    assert document["error"]["id"] == KnownError(error).id and document["error"]["hint"] == KnownError(error).hint


def test_verify_accepts_what_openssl_accepts(pair):
    assert pair.run("verify", "tls/nats.crt", "--ca", "ca/ca.crt", "--key", "tls/nats.key", "--name", "NATS.example.com").stdout == \
        "tls/nats.crt: accepted\n"
    assert pair.json("verify", "tls/nats.crt", "--ca", "ca/ca.crt", "--name", "::1") == {"ok": True, "file": "tls/nats.crt"}


@pytest.mark.parametrize("error, arguments, says", [
    ("file_unreadable", ["missing.crt", "--ca", "ca/ca.crt"], "missing.crt"),
    ("tls_file_unreadable", ["tls/nats.crt", "--ca", "missing.crt"], "missing.crt"),
    ("tls_certificate_missing", ["tls/nats.key", "--ca", "ca/ca.crt"], "tls/nats.key"),
    ("tls_not_pem", ["text", "--ca", "ca/ca.crt"], "text"),
    ("tls_ca_without_certificate", ["tls/nats.crt", "--ca", "tls/nats.key"], "tls/nats.key"),
    ("bad_usage", ["tls/nats.crt", "--ca", "ca/ca.crt", "--at", "noon"], '"noon"'),
    ("bad_usage", ["tls/nats.crt"], "--ca"),
])
def test_verify_of_bad_input_is_misuse_not_an_answer(pair, error, arguments, says):
    pair.path("text").write_text("hello\n")
    assert says in pair.fails(MISUSE, error, "verify", *arguments)
