"""`hawser check`, the real binary: each row of the posture tables through env files, manifests and the environment, each row of the
nats-server lint, every output format and exit code; and no secret in any of it."""

import json
import os
import pty
import subprocess
import time
from datetime import timedelta

import pytest
from hawser_scenario.identity import NKey, Operator

HAWSER = os.environ["HAWSER_BIN"]

# Secret values that a report must never show, whatever is wrong with them.
PASSWORD = "CANARY-password-7f3a"
TOKEN = "CANARY-token-91bc"
SEED_MALFORMED = "SUCANARYNOTASEED"
BCRYPT = "$2a$11$123456789012345678901uABCDEFGHIJKLMNOPQRSTUVWXYZabcde"
FORMATS = ("text", "json", "sarif", "github")


def run(arguments, environment=None, cwd=None):
    clean = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **(environment or {})}
    for name in ("LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
        if name in os.environ:
            clean[name] = os.environ[name]
    return subprocess.run([HAWSER, "check", *map(str, arguments)], capture_output=True, text=True, env=clean, cwd=cwd, timeout=60, check=False)


def check(arguments, secrets, environment=None, cwd=None):
    """The exit code and the JSON report; every format must agree on the code, and show no secret."""
    codes = set()
    report = None
    for form in FORMATS:
        done = run([*arguments, "--format", form], environment, cwd)
        codes.add(done.returncode)
        for secret in (*secrets, "CANARY"):
            assert secret not in done.stdout + done.stderr, f"{form} shows a secret"
        if form == "json":
            report = json.loads(done.stdout)
    assert len(codes) == 1, codes
    return codes.pop(), report


def told(result):
    """What a result complains about: severity and code, notes left out."""
    return sorted(f"{f['severity']} {f['code']}" for f in result["findings"] if f["severity"] != "note")


@pytest.fixture(scope="module")
def world(tmp_path_factory, ca):
    """Files to point at, by name, and the secrets in them."""
    directory = tmp_path_factory.mktemp("check")
    good, other = ca.issue("agent", ends=timedelta(days=60)), ca.issue("other")
    operator = Operator(directory / "operator")
    nkey, stranger = NKey(directory), NKey(directory)
    creds, _ = operator.user("kate")
    expired, _ = operator.user("kate", expires=1_600_000_000)
    soon, _ = operator.user("kate", expires=time.time() + 3600)
    own_seed = next(line for line in creds.splitlines() if line.startswith("SU"))
    texts = {
        "good.creds": creds, "expired.creds": expired, "soon.creds": soon, "wrong.creds": creds.replace(own_seed, stranger.seed),
        "malformed.creds": "CANARY no creds\n", "seed": nkey.seed + "\n", "password": PASSWORD + "\n", "token": TOKEN + "\n",
        "empty.crt": "no certificate in here\n",
    }
    files = {}
    for name, text in texts.items():
        path = directory / name
        path.write_text(text)
        path.chmod(0o600)
        files[name] = path
    open_key = directory / "open.key"
    open_key.write_bytes(good.key.read_bytes())
    open_key.chmod(0o644)
    ending = {days: ca.issue(f"days{days}", ends=timedelta(days=days - 0.5)) for days in (1, 7, 30)}
    files.update(ca=ca.cert, crt=good.cert, key=good.key, other=other.key, open=open_key,
                 expired=ca.issue("old", usage="clientAuth,serverAuth", starts=timedelta(days=-9), ends=timedelta(days=-1)),
                 future=ca.issue("future", starts=timedelta(days=1), ends=timedelta(days=9)),
                 server=ca.issue("server", usage="serverAuth", ends=timedelta(days=60)), both=ca.server(ends=timedelta(days=60)), **{f"in{d}": p for d, p in ending.items()})
    seeds = [line for text in texts.values() for line in text.splitlines() if line.startswith("SU") or line.startswith("ey")]
    files["secrets"] = [*seeds, PASSWORD, TOKEN, SEED_MALFORMED]
    return files


PRODUCTION = {"HAWSER_ENV": "production"}
TLS = {"NATS_URL": "tls://nats:4222"}
PLAIN = {"NATS_URL": "nats://nats:4222"}
WITH_TOKEN = {"NATS_TOKEN": TOKEN}
WITH_USER = {"NATS_USERNAME": "kate", "NATS_PASSWORD": PASSWORD}
OVERRIDE = {"HAWSER_ALLOW_PLAINTEXT": "true"}
ATTRIBUTED = {**OVERRIDE, "HAWSER_PLAINTEXT_OWNER": "ops", "HAWSER_PLAINTEXT_UNTIL": "2099-01-01T00:00:00Z"}
PRECEDENCE = {"HAWSER_AUTH_POLICY": "precedence"}
STRICT = {"HAWSER_AUTH_POLICY": "strict"}
CERT = {"NATS_TLS_CERT": "{crt}", "NATS_TLS_KEY": "{key}", "NATS_TLS_CA": "{ca}"}

# Each row: a sentence of posture.md, the environment, the findings (notes left out), transport and mode (None: not asked).
ROWS = [
    ("production takes tls", [PRODUCTION, TLS, WITH_TOKEN], [], "tls", "token"),
    ("production takes wss", [PRODUCTION, {"NATS_URL": "wss://nats:443"}, WITH_TOKEN], None, None, None),
    ("prod in any case is production", [{"HAWSER_ENV": "PROD"}, PLAIN, WITH_TOKEN], ["error plaintext-in-production"], "refused", None),
    ("the alias of the environment counts", [{"CORDUM_ENV": "production"}, PLAIN, WITH_TOKEN], ["error plaintext-in-production"], "refused", None),
    ("anything else is development", [{"HAWSER_ENV": "staging"}, PLAIN, WITH_TOKEN], [], "plaintext", "token"),
    ("production refuses plaintext", [PRODUCTION, PLAIN, WITH_TOKEN], ["error plaintext-in-production"], "refused", None),
    ("production refuses a URL without a scheme", [PRODUCTION, {"NATS_URL": "nats:4222"}, WITH_TOKEN], ["error plaintext-in-production"], "refused", None),
    ("the override allows plaintext with a warning", [PRODUCTION, PLAIN, WITH_TOKEN, ATTRIBUTED], ["warning break-glass-active"], "plaintext", "token"),
    ("the alias of the override counts", [PRODUCTION, PLAIN, WITH_TOKEN, {**ATTRIBUTED, "HAWSER_ALLOW_PLAINTEXT": "", "CORDUM_NATS_ALLOW_PLAINTEXT": "1"}],
     ["warning break-glass-active"], "plaintext", "token"),
    ("an override without owner and deadline fails the check", [PRODUCTION, PLAIN, WITH_TOKEN, OVERRIDE],
     ["error break-glass-unattributed", "warning break-glass-active"], None, None),
    ("a deadline that has passed is an error", [PRODUCTION, PLAIN, WITH_TOKEN, {**ATTRIBUTED, "HAWSER_PLAINTEXT_UNTIL": "2020-01-01T00:00:00Z"}],
     ["error break-glass-expired"], "refused", None),
    ("production refuses a mixed list", [PRODUCTION, {"NATS_URL": "tls://a:4222,nats://b:4222"}, WITH_TOKEN], ["error plaintext-in-production", "error transport-mixed"], "refused", None),
    ("development warns of a mixed list", [{"NATS_URL": "tls://a:4222,nats://b:4222"}, WITH_TOKEN], ["warning transport-mixed"], None, "token"),
    ("TLS settings with a plaintext URL are ignored", [PLAIN, WITH_TOKEN, {"NATS_TLS_CA": "{ca}"}], ["warning tls-material-ignored"], "plaintext", "token"),
    ("a certificate without a key is incomplete", [TLS, WITH_TOKEN, {"NATS_TLS_CERT": "{crt}"}], ["error tls-pair-incomplete"], None, None),
    ("a key without a certificate is incomplete", [TLS, WITH_TOKEN, {"NATS_TLS_KEY": "{key}"}], ["error tls-pair-incomplete"], None, None),
    ("production refuses insecure", [PRODUCTION, TLS, WITH_TOKEN, {"NATS_TLS_INSECURE": "yes"}], ["error tls-verification-disabled"], None, None),
    ("development warns of insecure", [TLS, WITH_TOKEN, {"NATS_TLS_INSECURE": "on"}], ["warning tls-verification-disabled"], "tls", "token"),
    ("good material is taken", [PRODUCTION, TLS, CERT], [], "tls", "cert"),
    ("an expired certificate is an error", [TLS, {"NATS_TLS_CERT": "{expired.cert}", "NATS_TLS_KEY": "{expired.key}"}], ["error tls-certificate-expired"], None, None),
    ("a certificate that is not yet valid is an error", [TLS, {"NATS_TLS_CERT": "{future.cert}", "NATS_TLS_KEY": "{future.key}"}], ["error tls-certificate-not-yet-valid"], None, None),
    ("a key that does not match is an error", [TLS, {"NATS_TLS_CERT": "{crt}", "NATS_TLS_KEY": "{other}"}], ["error tls-key-mismatch"], None, None),
    ("a certificate without client usage is an error", [TLS, {"NATS_TLS_CERT": "{server.cert}", "NATS_TLS_KEY": "{server.key}"}], ["error tls-no-client-usage"], None, None),
    ("a CA file without a certificate is an error", [TLS, WITH_TOKEN, {"NATS_TLS_CA": "{empty.crt}"}], ["error tls-ca-without-certificate"], None, None),
    ("a key that others can read is a warning", [TLS, {**CERT, "NATS_TLS_KEY": "{open}"}], ["warning key-readable-by-others"], "tls", "cert"),
    ("a certificate that ends within 30 days is a note", [TLS, {"NATS_TLS_CERT": "{in30.cert}", "NATS_TLS_KEY": "{in30.key}"}], [], "tls", "cert"),
    ("a certificate that ends within 7 days is a warning", [TLS, {"NATS_TLS_CERT": "{in7.cert}", "NATS_TLS_KEY": "{in7.key}"}], ["warning certificate-expiring"], "tls", "cert"),
    ("a certificate that ends within a day is a warning", [TLS, {"NATS_TLS_CERT": "{in1.cert}", "NATS_TLS_KEY": "{in1.key}"}], ["warning certificate-expiring"], "tls", "cert"),
    # Authentication
    ("one complete credential is taken: user", [PRODUCTION, TLS, WITH_USER], [], "tls", "user"),
    ("one complete credential is taken: nkey from a file", [PRODUCTION, TLS, {"NATS_NKEY_FILE": "{seed}"}], [], "tls", "nkey"),
    ("one complete credential is taken: creds", [PRODUCTION, TLS, {"NATS_CREDS": "{good.creds}"}], [], "tls", "creds"),
    ("one complete credential is taken: token from a file", [PRODUCTION, TLS, {"NATS_TOKEN_FILE": "{token}"}], [], "tls", "token"),
    ("one complete credential is taken: password from a file", [PRODUCTION, TLS, {"NATS_USERNAME": "kate", "NATS_PASSWORD_FILE": "{password}"}], [], "tls", "user"),
    ("strict refuses more than one", [PRODUCTION, TLS, WITH_USER, WITH_TOKEN], ["error auth-collision"], None, "refused"),
    ("precedence takes the first and reports the others", [TLS, PRECEDENCE, WITH_USER, WITH_TOKEN], ["warning auth-shadowed"], "tls", "user"),
    ("strict refuses a user without a password", [TLS, STRICT, {"NATS_USERNAME": "kate"}], ["error auth-incomplete"], None, "refused"),
    ("strict refuses a password without a user", [TLS, STRICT, {"NATS_PASSWORD": PASSWORD}], ["error auth-incomplete"], None, "refused"),
    ("precedence warns of half a user", [TLS, PRECEDENCE, WITH_TOKEN, {"NATS_USERNAME": "kate"}], ["warning auth-incomplete"], "tls", "token"),
    ("a malformed seed is an error, strict", [TLS, STRICT, {"NATS_NKEY": SEED_MALFORMED}], ["error credential-malformed"], None, "refused"),
    ("a malformed seed is an error, precedence", [TLS, PRECEDENCE, {"NATS_NKEY": SEED_MALFORMED}], ["error credential-malformed"], None, "refused"),
    ("malformed creds are an error", [TLS, PRECEDENCE, {"NATS_CREDS": "{malformed.creds}"}], ["error credential-malformed"], None, "refused"),
    ("malformed and shadowed is a warning by precedence", [TLS, PRECEDENCE, WITH_TOKEN, {"NATS_NKEY": SEED_MALFORMED}],
     ["warning auth-shadowed", "warning credential-malformed"], "tls", "token"),
    ("no credential and a certificate is cert", [PRODUCTION, TLS, CERT], [], "tls", "cert"),
    ("no credential in production is an error", [PRODUCTION, TLS], ["error auth-missing"], None, "refused"),
    ("unless the mode is none", [PRODUCTION, TLS, {"HAWSER_AUTH_MODE": "none"}], [], "tls", "none"),
    ("no credential in production is a warning by precedence", [PRODUCTION, TLS, PRECEDENCE], ["warning auth-missing"], "tls", "none"),
    ("no credential in development is a note", [TLS], [], "tls", "none"),
    ("another mode than the pinned one is an error", [TLS, WITH_TOKEN, {"HAWSER_AUTH_MODE": "nkey"}], ["error auth-mode-mismatch"], None, None),
    ("the pinned mode is taken", [TLS, WITH_TOKEN, {"HAWSER_AUTH_MODE": "TOKEN"}], [], "tls", "token"),
    ("credentials in the URL are a warning", [{"NATS_URL": f"tls://kate:{PASSWORD}@nats:4222"}], ["warning credentials-in-url"], "tls", "user"),
    ("credentials in the URL collide, strict", [STRICT, WITH_TOKEN, {"NATS_URL": f"tls://kate:{PASSWORD}@nats:4222"}],
     ["error auth-collision", "warning credentials-in-url"], None, "refused"),
    ("credentials in the URL count last by precedence", [PRECEDENCE, WITH_TOKEN, {"NATS_URL": f"tls://kate:{PASSWORD}@nats:4222"}],
     ["warning auth-shadowed", "warning credentials-in-url"], "tls", "token"),
    # Credentials at rest
    ("an expired user JWT is an error", [TLS, {"NATS_CREDS": "{expired.creds}"}], ["error user-jwt-expired"], None, None),
    ("a user JWT that expires soon is a warning", [TLS, {"NATS_CREDS": "{soon.creds}"}], ["warning user-jwt-expiring"], "tls", "creds"),
    ("a seed of another user is an error", [TLS, {"NATS_CREDS": "{wrong.creds}"}], ["error user-jwt-seed-mismatch"], None, None),
    ("a malformed boolean is an error", [TLS, WITH_TOKEN, {"NATS_TLS_INSECURE": "perhaps"}], None, None, None),
    ("a URL that cannot be read is an error", [{"NATS_URL": f"tls://:{PASSWORD}@[::1:4222"}, WITH_TOKEN], ["error url-malformed"], "refused", None),
    ("values are trimmed, and empty is unset", [TLS, {"NATS_TOKEN": f"  {TOKEN}  ", "NATS_NKEY": "   ", "NATS_CREDS": ""}], [], "tls", "token"),
]


def environment_of(layers, world):
    out = {}
    for layer in layers:
        for name, value in layer.items():
            out[name] = resolve(value, world)
    return out


def resolve(value, world):
    if not (value.startswith("{") and value.endswith("}")):
        return value
    name = value[1:-1]
    stem, _, part = name.partition(".")
    if name in world:
        return str(world[name])
    return str(getattr(world[stem], part))


def names_files(layers):
    return any(value.startswith("{") for layer in layers for value in layer.values())


def expect(row, code, result):
    sentence, _, findings, transport, mode = row
    if findings is not None:
        assert told(result) == sorted(findings), sentence
        assert code == (1 if any(f.startswith("error") for f in findings) else 0), sentence
    else:
        assert code == (1 if any(f.startswith("error") for f in told(result)) else 0), sentence
    if transport is not None:
        assert result["decision"]["transport"] == transport
    if mode is not None:
        assert result["decision"]["auth_mode"] == mode
    for finding in result["findings"]:
        assert finding["message"] and finding["hint"] and finding["id"].startswith(("POS-", "TLS-", "IDN-", "CFG-", "GEN-"))


@pytest.mark.parametrize("row", ROWS, ids=[row[0].replace(" ", "_") for row in ROWS])
def test_row_of_the_tables(row, world, tmp_path):
    environment = environment_of(row[1], world)
    file = tmp_path / "case.env"
    file.write_text("".join(f"{name}='{value}'\n" for name, value in environment.items()))
    code, report = check(["--env-file", file], world["secrets"])
    expect(row, code, report["results"][0])
    assert report["ok"] == (code == 0)
    for finding in report["results"][0]["findings"]:
        assert all(source.startswith(f"{file}:") for source in finding["sources"]), finding

    # The same in the environment of the process, where the sources are the variables.
    code, report = check([], world["secrets"], environment, tmp_path)
    expect(row, code, report["results"][0])
    assert report["results"][0]["subject"] == "environment"
    for finding in report["results"][0]["findings"]:
        assert all(source.startswith("env ") for source in finding["sources"]), finding

    # And in a manifest, where files are not looked at.
    if names_files(row[1]):
        return
    manifest = tmp_path / "pod.yaml"
    variables = [{"name": name, "value": value} for name, value in environment.items()]
    manifest.write_text(json.dumps({"kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "env": variables}]}}))
    code, report = check(["--manifest", manifest], world["secrets"])
    expect(row, code, report["results"][0])


LISTEN = 'listen: "127.0.0.1:4222"\n'
USERS = "authorization { users = [ {nkey: UABC} ] }\n"


def tls(world, pair="both", extra="", ca=True, key=None):
    ca_file = f"ca_file: '{world['ca']}', " if ca else ""
    return f"tls {{ cert_file: '{world[pair].cert}', key_file: '{key or world[pair].key}', {ca_file}{extra} }}\n"


# Each row: a sentence of posture.md, what makes the configuration from the world, the findings (notes left out).
SERVER_ROWS = [
    ("a sound configuration", lambda w: LISTEN + USERS + tls(w, extra="verify: true"), []),
    ("an expired certificate", lambda w: LISTEN + USERS + tls(w, "expired"), ["error server-certificate-expired"]),
    ("a key that does not match", lambda w: LISTEN + USERS + tls(w, key=w["other"]), ["error server-certificate-mismatch"]),
    ("verify without ca_file", lambda w: LISTEN + USERS + tls(w, ca=False, extra="verify: true"), ["error server-verify-without-ca"]),
    ("verify_and_map without users", lambda w: LISTEN + tls(w, extra="verify_and_map: true"), ["error server-map-without-users", "warning server-without-authentication"]),
    ("weak cipher suites", lambda w: LISTEN + USERS + tls(w, extra='cipher_suites: ["TLS_RSA_WITH_RC4_128_SHA"]'), ["error server-weak-cipher"]),
    ("a missing no_auth_user", lambda w: LISTEN + USERS + "no_auth_user: nobody\n", ["error server-no-auth-user-missing"]),
    ("operator mode with users", lambda w: LISTEN + USERS + "operator: /etc/nats/o.jwt\n", ["error server-operator-with-users"]),
    ("operator mode with accounts", lambda w: LISTEN + "accounts { A {} }\noperator: /etc/nats/o.jwt\n", ["error server-operator-with-users"]),
    ("resolver without an operator", lambda w: LISTEN + USERS + "resolver: MEMORY\n", ["error server-resolver-without-operator"]),
    ("client_auth", lambda w: LISTEN + USERS + tls(w, extra="client_auth: true"), ["error server-misspelt-client-auth"]),
    ("operator in authorization", lambda w: LISTEN + "authorization { operator = o.jwt\n resolver = MEMORY\n accounts = [ { name: A, jwt: CANARY } ]\n users = [ {nkey: U} ] }\n",
     ["error server-misplaced-operator"] * 3),
    ("a duplicate key", lambda w: LISTEN + USERS + "port: 1\nport: 2\n", ["error server-duplicate-key"]),
    ("a duration that is a number", lambda w: LISTEN + USERS + "write_deadline: 1m\n", ["error server-duration-as-number"]),
    ("no TLS on a listener beyond loopback", lambda w: USERS + "port: 4222\n", ["warning server-listener-without-tls"]),
    ("no authentication", lambda w: LISTEN, ["warning server-without-authentication"]),
    ("a plaintext password", lambda w: LISTEN + f"authorization {{ user: a, password: '{PASSWORD}' }}\n", ["warning server-plaintext-password"]),
    ("a bcrypt password", lambda w: LISTEN + f"authorization {{ user: a, password: '{BCRYPT}' }}\n", []),
    ("allow_non_tls", lambda w: LISTEN + USERS + tls(w) + "allow_non_tls: true\n", ["warning server-allow-non-tls"]),
    ("monitoring without TLS", lambda w: LISTEN + USERS + 'http: "0.0.0.0:8222"\n', ["warning server-monitoring-without-tls"]),
    ("a certificate that expires soon", lambda w: LISTEN + USERS + tls(w, "in7"), ["error server-certificate-unusable", "warning server-certificate-expiring"]),
    ("material that is elsewhere", lambda w: LISTEN + USERS + "tls { cert_file: /nonexistent/a, key_file: /nonexistent/b }\n", ["warning server-material-not-seen"]),
]


@pytest.mark.parametrize("row", SERVER_ROWS, ids=[row[0].replace(" ", "_") for row in SERVER_ROWS])
def test_row_of_the_server_lint(row, world, tmp_path):
    _, make, findings = row
    file = tmp_path / "nats-server.conf"
    file.write_text(make(world))
    code, report = check(["--server-conf", file], world["secrets"])
    result = report["results"][0]
    assert sorted(set(told(result))) == sorted(set(findings))
    assert code == (1 if any(f.startswith("error") for f in findings) else 0)
    assert result["decision"] is None
    for finding in result["findings"]:
        assert finding["sources"][0].startswith(f"{file}:")


def test_exit_code_2_for_what_cannot_be_read(tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "broker.yaml").write_text("broker:\n  ulr: tls://h\n  reconnect: {wait: soon}\n")
    (tmp_path / "bad.conf").write_text("a: b c\n")
    (tmp_path / "bad.env").write_text("=x\n")
    (tmp_path / "bad.yaml").write_text("kind: [\n")
    for arguments in (["--env-file", "missing"], ["--env-file", "bad.env"], ["--manifest", "bad.yaml"], ["--server-conf", "bad.conf"], ["--config", "config"],
                      ["--config", "missing"], [], ["--format", "xml"], ["--expect", "magic"], ["--no-such-flag"]):
        assert run(arguments, cwd=tmp_path).returncode == 2, arguments
    report = json.loads(run(["--format", "json"], cwd=tmp_path).stdout)
    assert [(f["code"], f["sources"][0]) for f in report["results"][0]["findings"]] == [
        ("config-unknown-key", "./config/broker.yaml:2:3"), ("config-bad-value", "./config/broker.yaml:3:21")]


def test_nothing_named_reads_the_environment_over_config(tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "broker.yaml").write_text("environment: production\nbroker: {url: 'nats://h:4222'}\n")
    done = run(["--json"], {"NATS_TOKEN": TOKEN}, tmp_path)
    result = json.loads(done.stdout)["results"][0]
    assert done.returncode == 1
    assert told(result) == ["error plaintext-in-production"]
    assert result["findings"][0]["sources"][0] == "./config/broker.yaml:2:15"


def test_the_environment_wins_over_the_file_and_the_clash_is_told(tmp_path):
    (tmp_path / "broker.yaml").write_text("broker: {url: 'nats://h:4222', tls: {server_name: a}}\n")
    done = run(["--config", tmp_path, "--json"], {"NATS_URL": "tls://other:4222", "NATS_TOKEN": TOKEN})
    result = json.loads(done.stdout)["results"][0]
    assert result["decision"]["servers"] == ["tls://other:4222"]
    assert any(f["code"] == "setting-clash" for f in result["findings"])


MANIFEST = """\
kind: CronJob
metadata: {name: nightly, namespace: prod}
spec:
  jobTemplate:
    spec:
      template:
        spec:
          initContainers:
          - name: init
            envFrom:
            - secretRef: {name: nats-env}
          containers:
          - name: app
            env:
            - name: HAWSER_ENV
              value: production
            - name: NATS_URL
              value: nats://nats:4222
            - name: NATS_TOKEN
              valueFrom: {secretKeyRef: {name: nats, key: token}}
"""


def test_a_manifest_gives_one_result_a_container_with_lines(tmp_path):
    (tmp_path / "job.yaml").write_text(MANIFEST)
    done = run(["--manifest", "job.yaml", "--json"], cwd=tmp_path)
    init, app = json.loads(done.stdout)["results"]
    assert done.returncode == 1
    assert init["subject"] == "job.yaml: CronJob prod/nightly, init container init"
    assert "envFrom takes all of secret nats-env" in init["findings"][0]["message"]
    assert app["decision"]["auth_mode"] == "token"
    assert app["findings"][0]["sources"] == ["job.yaml:18:22 (NATS_URL)"]


def test_expect_holds_every_connection_to_one_mode(tmp_path):
    (tmp_path / "job.yaml").write_text(MANIFEST.replace("nats://", "tls://"))
    assert run(["--manifest", "job.yaml", "--expect", "token"], cwd=tmp_path).returncode == 0
    assert run(["--manifest", "job.yaml", "--expect", "cert"], cwd=tmp_path).returncode == 1


def test_sarif_has_rules_and_locations(tmp_path):
    (tmp_path / "my job.yaml").write_text(MANIFEST)
    sarif = json.loads(run(["--manifest", "my job.yaml", "--format", "sarif"], cwd=tmp_path).stdout)
    assert sarif["version"] == "2.1.0"
    (only,) = sarif["runs"]
    rules = only["tool"]["driver"]["rules"]
    assert only["tool"]["driver"]["name"] == "hawser"
    for result in only["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        assert result["message"]["text"] and result["locations"]
    plaintext = next(r for r in only["results"] if r["ruleId"] == "POS-101")
    physical = plaintext["locations"][0]["physicalLocation"]
    assert physical == {"artifactLocation": {"uri": "my%20job.yaml"}, "region": {"startLine": 18, "startColumn": 22}}


def test_sarif_names_variables_of_the_environment_as_logical_locations():
    sarif = json.loads(run(["--format", "sarif"], {**PRODUCTION, **PLAIN, **WITH_TOKEN}).stdout)
    (result,) = sarif["runs"][0]["results"]
    assert result["locations"][0]["logicalLocations"][0]["name"] == "env NATS_URL"


def test_github_annotations_name_file_line_and_column(tmp_path):
    (tmp_path / "job.yaml").write_text(MANIFEST)
    lines = run(["--manifest", "job.yaml", "--format", "github"], cwd=tmp_path).stdout.splitlines()
    assert any(line.startswith("::error file=job.yaml,line=18,col=22,title=POS-101 plaintext-in-production::job.yaml: ") for line in lines), lines
    assert any(line.startswith("::notice file=job.yaml,line=11,col=15,") for line in lines), lines


def test_names_from_files_cannot_forge_annotations_or_terminal_escapes(tmp_path):
    forged = {"kind": "Pod", "metadata": {"name": "x\n::error::forged"}, "spec": {"containers": [
        {"name": "c\u001b[31m\r\n::warning::forged", "env": [{"name": "NATS_URL", "value": "nats://a%0A::error::forged\n::error::b"}]}]}}
    (tmp_path / "pod.yaml").write_text(json.dumps(forged))
    github = run(["--manifest", "pod.yaml", "--format", "github"], cwd=tmp_path).stdout
    assert github and all("forged" not in line.split("::", 2)[1] for line in github.splitlines() if line.startswith("::"))
    assert all(line.startswith(("::error ", "::warning ", "::notice ")) and not line.startswith("::error ::") for line in github.splitlines())
    text = run(["--manifest", "pod.yaml"], cwd=tmp_path).stdout
    assert "\x1b" not in text and "\n::" not in text


def test_colours_are_for_terminals_only(tmp_path):
    environment = {"PATH": os.environ["PATH"], "TERM": "xterm", **PRODUCTION, **PLAIN}
    assert "\x1b" not in run([], environment, tmp_path).stdout
    master, slave = pty.openpty()
    with subprocess.Popen([HAWSER, "check"], stdout=slave, stderr=slave, env=environment, cwd=tmp_path) as process:
        os.close(slave)
        seen = b""
        while True:
            try:
                part = os.read(master, 4096)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            seen += part
        assert process.wait(30) == 1
    os.close(master)
    assert b"\x1b[1;31merror" in seen
