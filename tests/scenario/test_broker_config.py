"""A broker's configuration means to it what it means to nats-server; and the forms that only people understand."""

import os
import pathlib
import shutil
import subprocess

import pytest
from hawser_scenario.broker import HawserBroker
from hawser_scenario.nats_server import NatsServer
from hawser_scenario.tls_client import context, enter

HAWSER = os.environ["HAWSER_BIN"]
NATS_SERVER = shutil.which("nats-server") or "/usr/sbin/nats-server"
ROOT = pathlib.Path(__file__).resolve().parents[2]
USER_KEY = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4"
ACCOUNT_KEY = "ACSU3Q6LTLBVLGAQUONAGXJHVNWGSKKAUA7IY5TB4Z7PLEKSR5O6JTGR"


def test(program, text, directory, name="b.conf"):
    """Exit code and what was said, of -t."""
    file = directory / name
    file.write_text(text)
    done = subprocess.run([*program, "-t", "-c", str(file)], capture_output=True, text=True, timeout=30, cwd=directory, check=False)
    return done.returncode, done.stdout + done.stderr


test.__test__ = False

GOOD = {
    "empty with a comment": "# nothing\nport: 4222\n",
    "separators": "port: 4222\nhost = 127.0.0.1\nserver_name kate\ndebug: on; trace: no, logtime: yes\n",
    "as json": '{ "port": 4222, "authorization": { "user": "a", "password": "b" } }\n',
    "listen with a colon": 'listen: ":4222"\n',
    "listen as a number": "listen: 4222\n",
    "any free port": "listen: localhost:-1\n",
    "sizes": "max_payload: 2mb\nmax_pending: 1g\nmax_control_line: 2KB\nmax_connections: 1k\n",
    "limits": "max_subscriptions: 10\nmax_sub_tokens: 8\nping_max: 3\nmax_traced_msg_len: 10\n",
    "durations": 'ping_interval: "30s"\nwrite_deadline: "3s"\nlame_duck_duration: "30s"\nlame_duck_grace_period: "5s"\n',
    "monitoring": 'http: "127.0.0.1:8222"\nhttp_base_path: "/nats"\n',
    "monitoring by port": "http_port: 8222\n",
    "variables": "P: 4333\nauthorization { PW: secret\n users = [ {user: a, password: $PW} ] }\nport: $P\n",
    "variable blocks": 'PERMS { publish: "a.>" }\nauthorization { users = [ {user: a, password: b, permissions: $PERMS} ] }\n',
    "user": "authorization { username: a, pass: b, timeout: 1 }\n",
    "token": "authorization { token: abc, timeout: 0.5 }\n",
    "users": f"authorization {{ users = [ {{user: a, pass: b}}\n {{nkey: {USER_KEY}}} ] }}\n",
    "permissions": """authorization {
      default_permissions { publish: "public.>", subscribe: [ "public.>", "_INBOX.>" ] }
      users = [
        { user: a, password: b, permissions { publish { allow: [ "a.>" ], deny: "a.b" }, subscribe { deny: [ "x", "y.*" ] } } }
        { user: c, password: d, permission { pub: "p", sub: "s q" } }
        { user: e, password: f, permissions { subscribe: "time", allow_responses: true } }
        { user: g, password: h, permissions { allow_responses: { max: 5, expires: "1m" } } }
        { user: i, password: j, authorization { import: "m", export: [ "n" ] }, allowed_connection_types: [ "STANDARD", "MQTT" ] }
      ] }\nno_auth_user: a\n""",
    "accounts": f"""accounts {{
      A {{ nkey: {ACCOUNT_KEY}, users = [ {{user: a, password: b}} ]
          exports: [ {{stream: "p.>"}}, {{service: "s.*", accounts: [B], response_type: stream, threshold: "5s"}} ]
          mappings {{ foo: bar, "x.*": [ {{destination: "y.$1", weight: 40%}}, {{destination: "z.$1", weight: 60}} ] }} }}
      B: {{ users: [ {{user: c, password: d}} ]
          imports: [ {{stream: {{account: A, subject: "p.>"}}, prefix: q}}, {{service: {{account: A, subject: "s.*"}}, to: "t.*"}} ] }}
    }}\nsystem_account: A\nmappings {{ one: two }}\n""",
    "account names": "accounts: [ A, B ]\n",
    "include": "include other.conf\n",
    "no jetstream": "jetstream: disabled\n",
}

BAD = {
    "unknown key": "nonsense: 1\n",
    "unclosed block": "authorization {\n user: a\n",
    "no value": "port:\n",
    "host:port without a port": "listen: localhost\n",
    "text for a number": 'port: "4222"\n',
    "number for a text": "authorization { user: a, password: 1234 }\n",
    "text for a boolean": 'debug: "yes"\n',
    "short lame duck": 'lame_duck_duration: "5s"\n',
    "too many tokens": "max_sub_tokens: 300\n",
    "user and token": "authorization { user: a, password: b, token: c }\n",
    "user and users": "authorization { user: a, password: b, users = [ {user: c, password: d} ] }\n",
    "token and users": "authorization { token: a, users = [ {user: c, password: d} ] }\n",
    "a user twice": "authorization { users = [ {user: a, password: b}, {user: a, password: c} ] }\n",
    "bad user key": "authorization { users = [ {nkey: UABC} ] }\n",
    "key and password": f"authorization {{ users = [ {{nkey: {USER_KEY}, user: a, password: b}} ] }}\n",
    "user without a name": "authorization { users = [ {password: b} ] }\n",
    "users as a block": "authorization { users { user: a } }\n",
    "bad subject": 'authorization { users = [ {user: a, password: b, permissions { publish: "a..b" }} ] }\n',
    "bad connection type": "authorization { users = [ {user: a, password: b, allowed_connection_types: [ FTP ]} ] }\n",
    "reserved account": 'accounts { "$G" {} }\n',
    "import from nobody": "accounts { A { imports: [ {stream: {account: B, subject: s}} ] } }\n",
    "import of what is not exported": "accounts { A { imports: [ {stream: {account: B, subject: s}} ] }\n B {} }\n",
    "export to nobody": "accounts { A { exports: [ {stream: s, accounts: [B]} ] } }\n",
    "weights over a hundred": "mappings { a: [ {destination: b, weight: 60}, {destination: c, weight: 60} ] }\n",
    "missing weight": "mappings { a: [ {destination: b} ] }\n",
    "bad mapping": 'mappings { "a.*": "b.$2" }\n',
    "unknown in tls": "tls { cert: a }\n",
    "pin that is none": 'tls { pinned_certs: [ "abc" ] }\n',
    "curve that is none": 'tls { curve_preferences: [ "Foo" ] }\n',
    "cipher that is none": 'tls { cipher_suites: [ "FOO" ] }\n',
    "missing certificate": 'tls { cert_file: "/nowhere/c", key_file: "/nowhere/k" }\n',
    "include of nothing": "include nothing.conf\n",
    "unknown variable": "port: $NOWHERE_DEFINED\n",
    "authorization without a space": "authorization{\n user: a }\n",
}

# nats-server 2.9 takes these when it tests a file; some of them fail when it starts, or in newer versions.
STRICTER = {
    "name with a space": 'server_name: "a b"\n',
    "queue to publish to": 'authorization { users = [ {user: a, password: b, permissions { publish: "a q" }} ] }\n',
    "prefix and to": "accounts { A { imports: [ {stream: {account: B, subject: s}, prefix: p, to: t} ] }\n B { exports: [ {stream: s} ] } }\n",
    "verify without a CA": 'tls { cert_file: "/nowhere/c", key_file: "/nowhere/k", verify: true }\n',
    "https without TLS": "https_port: 8443\n",
    "no_auth_user that is nobody": "authorization { users = [ {user: a, password: b} ] }\nno_auth_user: c\n",
    "unknown system account": "system_account: NOBODY\n",
    "password of nobody": "authorization { password: b }\n",
    "key twice by two names": "max_conn: 5\nmax_connections: 6\n",
    "jetstream": "jetstream: enabled\n",
    "cluster": "cluster { port: -1 }\n",
}


@pytest.mark.parametrize("name", GOOD)
def test_what_nats_server_takes_the_broker_takes(name, tmp_path):
    (tmp_path / "other.conf").write_text("port: 4222\n")
    for program in ([NATS_SERVER], [HAWSER, "broker"]):
        code, said = test(program, GOOD[name], tmp_path)
        assert code == 0, f"{program}: {said}"


@pytest.mark.parametrize("name", BAD)
def test_what_nats_server_refuses_the_broker_refuses(name, tmp_path):
    for program in ([NATS_SERVER], [HAWSER, "broker"]):
        code, said = test(program, BAD[name], tmp_path)
        assert code != 0 and "panic" not in said, f"{program}: {said}"
    assert "b.conf:" in said or "/nowhere/" in said, said


@pytest.mark.parametrize("name", STRICTER)
def test_what_only_the_broker_refuses_says_where_it_stands(name, tmp_path):
    code, said = test([HAWSER, "broker"], STRICTER[name], tmp_path)
    assert code == 2 and ("b.conf:" in said or "https_port" in said), said


# What /varz tells of a configuration, and so what it meant.
TOLD = ["host", "max_connections", "ping_interval", "ping_max", "http_host", "http_base_path", "auth_timeout", "max_control_line",
        "max_payload", "max_pending", "tls_timeout", "write_deadline", "auth_required", "tls_required", "tls_verify", "max_subscriptions",
        "server_name", "system_account"]

MEANT = {
    "nothing": "",
    "limits": "max_control_line: 2KB\nmax_pending: 128m\nmax_connections: 1k\nmax_subs: 7\nping_max: 5\n",
    "durations": 'ping_interval: "30s"\nwrite_deadline: "1500ms"\n',
    "user": "authorization { user: a, password: b, timeout: 1.5 }\n",
    "no_auth_user": "authorization { users = [ {user: a, password: b} ] }\nno_auth_user: a\n",
    "accounts": "accounts { S { users = [ {user: a, password: b} ] } }\nsystem_account: S\n",
    "base path": 'http_base_path: "/nats/x"\n',
    "tls": "TLS",
    "tls for some": "TLS allow_non_tls: true\n",
}


@pytest.mark.parametrize("name", MEANT)
def test_what_both_take_they_mean_alike(name, tmp_path, ca, stack):
    pair = ca.server()
    tls = f'tls {{ cert_file: "{pair.cert}", key_file: "{pair.key}", ca_file: "{ca.cert}", verify: true, timeout: 3 }}\n'
    text = MEANT[name].replace("TLS", tls)
    told = []
    for kind in (NatsServer, HawserBroker):
        server = stack.enter_context(kind(tmp_path / kind.__name__, text))
        varz = server.monitor("nats/x/varz" if "base_path" in text else "varz")
        told.append({key: varz.get(key) for key in TOLD})
    assert told[0] == told[1]


def test_yaml_means_the_same(tmp_path, stack):
    conf = 'ping_interval: "1m"\nmax_pending: 32MB\nauthorization { timeout: "5s", users = [ {user: a, password: "12"} ] }\n'
    yaml = 'ping_interval: 1m\nmax_pending: 32MB\nauthorization:\n  timeout: 5s\n  users: [{user: a, password: 12}]\n'
    told = []
    for name, text in (("b.conf", conf), ("b.yaml", yaml)):
        broker = HawserBroker(tmp_path / name)
        broker.config_path = broker.directory / name
        broker.config_path.write_text(text)
        varz = stack.enter_context(broker).varz()
        told.append({key: varz.get(key) for key in TOLD if key != "server_name"})
        assert not broker.program.log_lines("BRK-1116")
    assert told[0] == told[1] and told[0]["ping_interval"] == 60_000_000_000


def test_the_example_is_good_and_all_of_it_is_nats_servers_but_what_says_so(tmp_path, ca):
    pair = ca.server()
    text = (ROOT / "examples/broker/nats.conf").read_text()
    for path, file in (("./tls/server.crt", pair.cert), ("./tls/server.key", pair.key), ("./tls/ca.crt", ca.cert)):
        text = text.replace(path, str(file))
    assert test([HAWSER, "broker"], text, tmp_path)[0] == 0
    newer = ("Hawser's own key", "threads:", "handshake_first:", "min_version:", "logfile_max_num:", "logtime_utc:")
    theirs = "\n".join(line for line in text.splitlines() if not any(word in line for word in newer))
    code, said = test([NATS_SERVER], theirs, tmp_path)
    assert code == 0, said


# ---- forms that nats-server refuses ---------------------------------------------------------------------------------


def test_a_tls_block_that_is_indented_works_and_the_log_shows_the_right_form(tmp_path, ca, stack):
    pair, client = ca.server(), ca.issue("client")
    written = (f'listen: ":4222"\ntls:\n  cert_file: "{pair.cert}"\n  key_file: "{pair.key}"\n  ca_file: "{ca.cert}"\n'
               "  client_auth: true\n")
    assert test([NATS_SERVER], written, tmp_path)[0] != 0
    broker = HawserBroker(tmp_path / "broker")
    broker.config_path.write_text(written)
    stack.enter_context(broker)
    enter(broker, context(ca.cert, client)).socket.close()
    with pytest.raises((OSError, AssertionError)):
        enter(broker, context(ca.cert))
    assert broker.program.log_lines("[WRN]", "nats-server does not read", "tls { ", "id=BRK-1116"), broker.program.log()
    assert broker.program.log_lines("[WRN]", '"client_auth"', "verify: true", "id=BRK-1116")


def test_it_works_beside_blocks_in_braces(tmp_path, ca, stack):
    pair = ca.server()
    broker = HawserBroker(tmp_path / "broker")
    broker.config_path.write_text(f'authorization {{\n  users = [ {{user: a, password: b}} ]\n}}\ntls:\n  cert_file: "{pair.cert}"\n'
                                  f'  key_file: "{pair.key}"\n')
    stack.enter_context(broker)
    enter(broker, context(ca.cert), user="a", **{"pass": "b"}).socket.close()


def test_operator_mode_in_authorization_is_read_as_what_it_is(tmp_path):
    text = 'authorization {\n  operator = "/etc/nats/op.jwt"\n  resolver = MEMORY\n  accounts = [ {name: A, jwt: "eyJ"} ]\n}\n'
    code, said = test([HAWSER, "broker"], text, tmp_path)
    assert code == 2 and "BRK-1121" in said and "/etc/nats/op.jwt" in said and "unknown key" not in said, said
    assert "invalid account JWT of A" in said
    code, right = test([HAWSER, "broker"], 'operator: "/etc/nats/op.jwt"\nresolver: MEMORY\n', tmp_path)
    assert code == 2 and "BRK-1121" in right, right

