"""The everyday commands as a user runs them: every way to connect, what is printed, and how they end."""

import base64
import itertools
import json
import os
import pty
import signal
import ssl
import subprocess
import threading
import time

import pytest
from conftest import mutual
from hawser_scenario.errors import KnownError
from hawser_scenario.hostile import HostileServer, info_line, silent
from hawser_scenario.identity import NKey, Operator
from hawser_scenario.nats_server import NatsServer, tls_block
from hawser_scenario.process import Program
from hawser_scenario.raw_client import RawClient
from hawser_scenario.waiting import wait_until

HAWSER = os.environ["HAWSER_BIN"]
SECRET = "s3cr3t-0f-k4te"
DONE, NOT_SO, MISUSE, NO_CONNECTION, REFUSED, INTERRUPTED = 0, 1, 2, 3, 4, 130
_numbers = itertools.count(1)


class Shell:
    """Runs hawser in a directory of its own, with an environment that holds nothing else."""

    def __init__(self, directory, server=None):
        self.directory = directory
        self.server = server

    def environment(self, extra=None):
        env = {"PATH": os.environ["PATH"], "HOME": str(self.directory), "TERM": "xterm", **(extra or {})}
        if self.server is not None and "NATS_URL" not in env:
            env["NATS_URL"] = self.server
        env.update({name: os.environ[name] for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS") if name in os.environ})
        return env

    def run(self, *arguments, env=None, input=b"", expect=DONE, timeout=60):
        """The finished process; `expect` is the exit code."""
        done = subprocess.run([HAWSER, *map(str, arguments)], capture_output=True, input=input, env=self.environment(env),
                              cwd=self.directory, timeout=timeout, check=False)
        done.stdout, done.stderr = done.stdout.decode("utf-8", "backslashreplace"), done.stderr.decode("utf-8", "replace")
        assert done.returncode == expect, f"{arguments}: {done.returncode}, not {expect}\n{done.stdout}\n{done.stderr}"
        return done

    def fails(self, expect, error, *arguments, **kwargs):
        """Ends with this code and this error, its hint included; nothing on standard output."""
        done = self.run(*arguments, expect=expect, **kwargs)
        known = KnownError(error)
        assert f"hawser: {known.id} {known.summary}" in done.stderr, done.stderr
        assert "\n  hint: " in done.stderr and done.stdout == "", done.stdout
        return done.stderr

    def start(self, *arguments, env=None, until="subscribed to"):
        path = self.directory / f"run{next(_numbers)}"
        return Running(self, [HAWSER, *map(str, arguments)], path, self.environment(env), until)


class Running:
    """A command that goes on: its standard output and standard error in files."""

    def __init__(self, shell, arguments, path, env, until):
        self._out_path = path.with_suffix(".out")
        with open(self._out_path, "wb") as out:
            self.program = Program(arguments, path.with_suffix(".err"), env=env, cwd=shell.directory, stdout=out)

        def ready():
            assert self.program.running, f"it ended with {self.program.child.returncode}: {self.err()}"
            return until in self.err()

        wait_until(ready, 30, lambda: f"{until!r} on standard error: {self.err()}")

    def out(self):
        return self._out_path.read_text("utf-8", "backslashreplace")

    def err(self):
        return self.program.log()

    def wait_out(self, text):
        wait_until(lambda: text in self.out(), 20, lambda: f"{text!r} on standard output: {self.out()!r} {self.err()}")

    def ends(self, expect=DONE):
        code = self.program.wait(30)
        assert code == expect, f"{code}, not {expect}: {self.err()}"
        return self.out()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.program.kill()


@pytest.fixture
def plain(tmp_path, stack):
    return stack.enter_context(NatsServer(tmp_path / "broker"))


@pytest.fixture
def shell(tmp_path, plain):
    """In front of a server that takes everybody."""
    return Shell(tmp_path, plain.url())


def nats_directory(tmp_path):
    directory = tmp_path / ".config" / "nats" / "context"
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def owner_only(path, text):
    path.write_text(text)
    path.chmod(0o600)
    return path


# ---- ways to connect ----------------------------------------------------------------------------------------------


def round_trip(shell, flags=(), env=None):
    """One message published and received, and one round trip measured, by the same means."""
    with shell.start("sub", "way.*", "--raw", "--count", 1, *flags, env=env) as sub:
        shell.run("pub", "way.one", "arrived", *flags, env=env)
        assert sub.ends() == "arrived\n"
    facts = json.loads(shell.run("rtt", "--count", 3, "--json", *flags, env=env).stdout)
    assert 0 < facts["rtt_us"]["min"] <= facts["rtt_us"]["p50"] <= facts["rtt_us"]["p99"] <= facts["rtt_us"]["max"]
    return facts


USER = f"authorization {{ user: kate, password: {SECRET} }}\n"
TOKEN = f"authorization {{ token: {SECRET} }}\n"


@pytest.mark.parametrize("config, flags, env", [
    ("", [], {}),
    (USER, ["--user", "kate", "--password", SECRET], {}),
    (USER, ["--user=kate", "--password-file", "secret.txt"], {}),
    (USER, [], {"NATS_USERNAME": "kate", "NATS_PASSWORD": SECRET}),
    (USER, ["--user", "kate", "--password", SECRET], {"NATS_TOKEN": "a flag replaces it"}),
    (TOKEN, ["--token", SECRET], {}),
    (TOKEN, ["--token-file", "secret.txt"], {}),
    (TOKEN, [], {"NATS_TOKEN_FILE": "secret.txt"}),
], ids=["nobody", "user", "password-file", "user in env", "flags over env", "token", "token-file", "token in env"])
def test_it_connects_with_a_secret(config, flags, env, tmp_path, stack):
    server = stack.enter_context(NatsServer(tmp_path / "broker", config))
    owner_only(tmp_path / "secret.txt", SECRET + "\n")
    facts = round_trip(Shell(tmp_path, server.url()), flags, env)
    assert facts["server"] == server.url() and facts["tls"] == "none" and facts["version"] == "2.9.10"


def test_it_connects_with_an_nkey(tmp_path, stack):
    key = NKey(tmp_path)
    server = stack.enter_context(NatsServer(tmp_path / "broker", f"authorization {{ users = [ {{nkey: {key.public}}} ] }}\n"))
    seed = key.seed_file(tmp_path / "kate.nk")
    round_trip(Shell(tmp_path, server.url()), ["--nkey", seed])
    round_trip(Shell(tmp_path, server.url()), env={"NATS_NKEY": key.seed})


def test_it_connects_with_creds(tmp_path, stack):
    operator = Operator(tmp_path / "operator")
    server = stack.enter_context(NatsServer(tmp_path / "broker", operator.server_config()))
    creds = owner_only(tmp_path / "kate.creds", operator.user("kate")[0])
    round_trip(Shell(tmp_path, server.url()), ["--creds", creds])
    round_trip(Shell(tmp_path, server.url()), env={"NATS_CREDS": str(creds)})


def tls_flags(setup):
    return ["--tlscert", setup.client.cert, "--tlskey", setup.client.key, "--tlsca", setup.ca.cert]


def test_it_connects_over_mutual_tls(mutual_tls, tmp_path):
    shell = Shell(tmp_path, mutual_tls.server.url("tls"))
    facts = round_trip(shell, tls_flags(mutual_tls))
    assert facts["server"] == mutual_tls.server.url("tls") and facts["tls"] in ("1.3", "TLSv1.3")
    round_trip(shell, env={"NATS_TLS_CERT": str(mutual_tls.client.cert), "NATS_TLS_KEY": str(mutual_tls.client.key),
                           "NATS_TLS_CA": str(mutual_tls.ca.cert)})


def test_a_server_on_plain_url_that_requires_tls_gets_tls_and_a_warning(mutual_tls, tmp_path):
    done = Shell(tmp_path, mutual_tls.server.url("nats")).run("pub", "a", "b", *tls_flags(mutual_tls))
    assert KnownError("tls_upgraded").id in done.stderr and "published 1 bytes" in done.stdout


def test_it_connects_over_ipv6(ca, tmp_path, stack):
    pair = ca.server(san="DNS:localhost,IP:::1")
    server = NatsServer(tmp_path / "broker", tls_block(pair, ca.cert, verify=False))
    server.host = "[::1]"
    stack.enter_context(server)
    facts = round_trip(Shell(tmp_path, server.url("tls")), ["--tlsca", ca.cert])
    assert facts["server"].startswith("tls://[::1]:")


def test_it_does_tls_before_info(ca, tmp_path, stack):
    pair = ca.server()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.cert, pair.key)

    def script(_server, connection):
        with context.wrap_socket(connection, server_side=True) as secured:
            secured.sendall(info_line(tls_required=True))
            pending = b""
            while data := secured.recv(65536):
                pending += data
                *lines, pending = pending.split(b"\r\n")
                for line in lines:
                    if line == b"PING":
                        secured.sendall(b"PONG\r\n")

    server = stack.enter_context(HostileServer(script))
    facts = json.loads(Shell(tmp_path).run("rtt", "-s", server.url("tls"), "--tlsca", ca.cert, "--tlsfirst", "--json").stdout)
    assert facts["tls"] != "none"


def test_it_connects_through_the_agent(mutual_tls, start_agent, tmp_path):
    agent = start_agent(mutual_tls.broker()).wait_ready()
    round_trip(Shell(tmp_path, agent.url))


def test_it_reads_broker_yaml_of_a_directory_and_of_here(mutual_tls, tmp_path):
    for directory in (tmp_path / "elsewhere", tmp_path / "config"):
        directory.mkdir()
        tls = f"{{cert_file: {mutual_tls.client.cert}, key_file: {mutual_tls.client.key}, ca_file: {mutual_tls.ca.cert}}}"
        (directory / "broker.yaml").write_text(f"broker:\n  url: {mutual_tls.server.url('tls')}\n  tls: {tls}\n")
    shell = Shell(tmp_path)
    shell.run("pub", "a", "b")
    (tmp_path / "config" / "broker.yaml").write_text("broker:\n  url: nats://127.0.0.1:1\n")
    shell.run("pub", "a", "b", "--config", tmp_path / "elsewhere")
    # A flag stands over the file, on purpose: no clash is reported.
    done = shell.run("pub", "a", "b", *tls_flags(mutual_tls), "-s", mutual_tls.server.url("tls"))
    assert KnownError("setting_clash").id not in done.stderr


def test_it_reads_contexts_of_the_nats_cli(tmp_path, stack):
    server = stack.enter_context(NatsServer(tmp_path / "broker", USER))
    directory = nats_directory(tmp_path)
    owner_only(directory / "prod.json", json.dumps({
        "description": "production", "url": server.url(), "user": "kate", "password": SECRET, "token": "", "creds": "", "nkey": "",
        "cert": "", "key": "", "ca": "", "nsc": "", "jetstream_domain": "x", "inbox_prefix": "_IN.kate"}))
    shell = Shell(tmp_path)
    shell.run("pub", "a", "b", "--context", "prod", env={"NATS_URL": "nats://127.0.0.1:1", "NATS_TOKEN": "not this"})
    with RawClient(f"127.0.0.1:{server.port}", **{"user": "kate", "pass": SECRET}) as client:
        client.subscribe("ask")
        client.flush()
        asked = threading.Thread(target=lambda: shell.run("request", "ask", "", "--context", "prod", "--timeout", "2s", expect=NOT_SO))
        asked.start()
        line = client.next_line()
        assert line.startswith(b"MSG ask 1 _IN.kate."), line
        asked.join()


@pytest.mark.parametrize("content, words", [
    (None, ["did you mean \"prod\"?"]),
    ("{", ["not a JSON object"]),
    (json.dumps({"url": "nats://127.0.0.1:1", "nsc": "nsc://operator/account/user"}), ["nsc is not supported"]),
    (json.dumps({"url": "nats://127.0.0.1:1", "socks_proxy": "socks5://127.0.0.1:1"}), ["socks_proxy is not supported"]),
])
def test_a_context_that_cannot_be_used_is_bad_usage(content, words, tmp_path):
    directory = nats_directory(tmp_path)
    (directory / "prod.json").write_text("{}")
    if content is not None:
        (directory / "prdo.json").write_text(content)
    text = Shell(tmp_path).fails(MISUSE, "context_unusable", "pub", "a", "b", "--context", "prdo")
    assert all(word in text for word in words), text


def test_a_saved_token_is_not_taken_for_a_user(tmp_path, stack):
    server = stack.enter_context(NatsServer(tmp_path / "broker", TOKEN))
    (nats_directory(tmp_path) / "t.json").write_text(json.dumps({"url": server.url(), "user": SECRET, "token": SECRET}))
    Shell(tmp_path).run("pub", "a", "b", "--context", "t")


# ---- what is refused, and what cannot be -----------------------------------------------------------------------------


@pytest.mark.parametrize("name, flags, env", [
    ("plaintext_in_production", ["-s", "nats://127.0.0.1:1"], {"HAWSER_ENV": "production"}),
    ("auth_missing", ["-s", "tls://127.0.0.1:1"], {"HAWSER_ENV": "production"}),
    ("auth_incomplete", ["-s", "tls://127.0.0.1:1", "--user", "kate"], {"HAWSER_ENV": "production"}),
    ("auth_collision", ["-s", "tls://127.0.0.1:1", "--user", "kate", "--password", SECRET, "--token", SECRET],
     {"HAWSER_ENV": "production"}),
    ("tls_pair_incomplete", ["-s", "tls://127.0.0.1:1", "--tlscert", "missing.crt"], {}),
    ("url_malformed", ["-s", f"nats://kate:{SECRET}@"], {}),
])
@pytest.mark.parametrize("command", [["pub", "a", "b"], ["sub", "a"], ["request", "a", "b"], ["reply", "a", "b"], ["rtt"]],
                         ids=lambda command: command[0])
def test_posture_refuses_before_anything_is_dialled(command, name, flags, env, tmp_path):
    text = Shell(tmp_path).fails(REFUSED, name, *command, *flags, env=env)
    assert SECRET not in text


def test_warnings_go_to_standard_error_and_the_command_goes_on(shell, ca):
    done = shell.run("pub", "a", "b", "--tlsca", ca.cert)
    assert f"hawser: warning: {KnownError('tls_material_ignored').id}" in done.stderr
    assert done.stdout == 'published 1 bytes to "a"\n'
    warning = json.loads(shell.run("pub", "a", "b", "--json", "--tlsca", ca.cert).stderr.splitlines()[0])["warning"]
    assert warning["id"] == KnownError("tls_material_ignored").id and "flag --tlsca" in warning["sources"]


@pytest.mark.parametrize("command", [["pub", "a", "b"], ["sub", "a"], ["request", "a", "b"], ["reply", "a", "b"], ["rtt"]],
                         ids=lambda command: command[0])
def test_nothing_listens_there(command, tmp_path):
    started = time.monotonic()
    Shell(tmp_path).fails(NO_CONNECTION, "connect_refused", *command, "-s", "nats://127.0.0.1:1", "--timeout", "700ms")
    assert time.monotonic() - started > 0.7, "a server that is just starting is waited for"


def test_a_server_that_starts_late_is_reached(tmp_path, stack):
    server = NatsServer(tmp_path / "broker")
    server.start()
    server.kill()
    publisher = Program([HAWSER, "pub", "a", "b", "-s", server.url(), "--timeout", "20s"], tmp_path / "pub.log")
    stack.enter_context(publisher)
    stack.enter_context(server)
    assert publisher.wait(25) == DONE


def test_a_server_that_says_nothing_is_named_as_that(tmp_path, stack):
    server = stack.enter_context(HostileServer(silent))
    Shell(tmp_path).fails(NO_CONNECTION, "info_timeout", "rtt", "-s", server.url("nats"), "--timeout", "500ms")


def test_wrong_credentials_fail_at_once(tmp_path, stack):
    server = stack.enter_context(NatsServer(tmp_path / "broker", USER))
    started = time.monotonic()
    text = Shell(tmp_path, server.url()).fails(NO_CONNECTION, "auth_refused", "pub", "a", "b", "--user", "kate", "--password",
                                               "wrong", "--timeout", "30s")
    assert "Authorization Violation" in text and time.monotonic() - started < 15


def test_a_server_of_another_ca_is_not_trusted(authorities, tmp_path, stack):
    setup = mutual(tmp_path, authorities[1], stack)
    Shell(tmp_path).fails(NO_CONNECTION, "tls_unknown_authority", "rtt", "-s", setup.server.url("tls"), "--tlsca",
                          authorities[0].cert)


def test_a_frozen_server_does_not_hold_it_for_ever(plain, tmp_path):
    shell = Shell(tmp_path, plain.url())
    with shell.start("reply", "a", "b", until="replying on"):
        plain.freeze()
        shell.run("rtt", "--timeout", "500ms", expect=NO_CONNECTION)
        plain.thaw()
        assert shell.run("request", "a", "", "--raw").stdout == "b\n"


@pytest.mark.parametrize("arguments", [
    ["pub", "a..b", "x"], ["pub", "a b", "x"], ["pub", "a.*", "x"], ["sub", "a..b"], ["sub", "a", "--queue", "two words"],
    ["request", ">", "x"], ["pub", "a", "x", "--reply", "in.*"], ["reply", "a..b", "x"],
])
def test_a_subject_that_is_not_one_is_bad_usage(arguments, tmp_path):
    Shell(tmp_path).fails(MISUSE, "wire_bad_subject", *arguments, "-s", "nats://127.0.0.1:1")


@pytest.mark.parametrize("error, arguments", [
    ("bad_usage", ["pub"]), ("bad_usage", ["pub", "a", "b", "--count", "0"]), ("bad_usage", ["pub", "a", "b", "-H", "nocolon"]),
    ("bad_usage", ["pub", "a", "b", "-H", "two words: x"]), ("bad_usage", ["reply", "a"]),
    ("bad_usage", ["reply", "a", "b", "--echo"]), ("bad_usage", ["sub", "a", "--no-such"]),
    ("bad_usage", ["pub", "a", "b", "--password", "x", "--password-file", "y"]),
    ("bad_quantity", ["rtt", "--timeout", "5"]), ("bad_quantity", ["pub", "a", "b", "--sleep", "soon"]),
    ("bad_quantity", ["sub", "a", "--wait", "1 week"]), ("file_unreadable", ["rtt", "--token-file", "missing"]),
])
def test_bad_usage_ends_with_two(error, arguments, tmp_path):
    Shell(tmp_path).fails(MISUSE, error, *arguments)


def test_a_secret_in_the_arguments_is_covered(shell, plain):
    flags = ["--user", "kate", "--password", SECRET, f"--token={SECRET}", "-s", f"nats://kate:{SECRET}@127.0.0.1:{plain.port}"]
    with shell.start("sub", "a", *flags) as sub:
        with open(f"/proc/{sub.program.pid}/cmdline", encoding="utf-8") as file:
            arguments = file.read().split("\0")
        assert SECRET not in "".join(arguments)
        assert f"@127.0.0.1:{plain.port}" in arguments[-2] and "--user" in arguments and "kate" in arguments
        assert SECRET not in sub.err()


# ---- pub ------------------------------------------------------------------------------------------------------------


def test_templates_headers_and_reply_are_published(shell):
    with shell.start("sub", "t.>", "--json", "--count", 3) as sub:
        shell.run("pub", "t.{{Count}}", "{{Count}} {{ .ID }} {{Time}} {{Random 4 4}} {{Other}} {", "--count", 2, "-H", "N: {{Count}}",
                  "-H", "N: again", "--reply", "back.here")
        shell.run("pub", "t.plain", "{{Count}}", "--no-templates")
        one, two, plain = map(json.loads, sub.ends().splitlines())
    words = one["data"].split(" ")
    assert one["subject"] == "t.1" and two["subject"] == "t.2" and one["reply"] == "back.here"
    assert words[0] == "1" and len(words[1]) == 22 and words[2].endswith("Z") and len(words[3]) == 4
    assert words[4:] == ["{{Other}}", "{"], "what is no template stays"
    assert one["headers"] == {"N": ["1", "again"]} and two["headers"]["N"][0] == "2"
    assert words[1] != two["data"].split(" ")[1]
    assert plain["data"] == "{{Count}}" and "headers" not in plain and plain["number"] == 3


@pytest.mark.parametrize("arguments", [["stdin"], ["stdin", "-"]])
def test_the_body_comes_from_standard_input(arguments, shell):
    body = bytes(range(256)) * 300
    with shell.start("sub", "stdin", "--json", "--count", 1) as sub:
        shell.run("pub", *arguments, input=body)
        message = json.loads(sub.ends())
    assert message["size"] == len(body) and "data" not in message
    assert base64.b64decode(message["data_base64"]) == body


def test_a_message_over_max_payload_is_not_sent(shell, plain):
    text = shell.fails(NOT_SO, "message_too_large", "pub", "a", input=b"x" * (1 << 20) + b"y")
    assert "max_payload is 1048576" in text
    shell.run("pub", "a", input=b"x" * (1 << 20))
    assert plain.varz()["in_msgs"] == 1


def test_many_messages_arrive_in_order_and_are_confirmed(shell, plain):
    with shell.start("sub", "many", "--raw", "--count", 50000) as sub:
        facts = json.loads(shell.run("pub", "many", "{{Count}}", "--count", 50000, "--json").stdout)
        assert plain.varz()["in_msgs"] == 50000, "confirmed before it ended"
        assert sub.ends().split() == [str(i) for i in range(1, 50001)]
    assert facts["messages"] == 50000 and facts["bytes"] == sum(len(str(i)) for i in range(1, 50001)) and facts["subject"] == "many"


PERMISSIONS = """authorization { users = [ { user: kate, password: pw,
  permissions { publish: "ok.>", subscribe: ["ok.>", "_INBOX.>"] } } ] }
"""


@pytest.mark.parametrize("arguments, words", [
    (["pub", "no.this", "x"], 'Permissions Violation for Publish to "no.this"'),
    (["pub", "no.this", "x", "--count", "1000", "--sleep", "1ms"], 'Permissions Violation for Publish to "no.this"'),
    (["sub", "no.that"], 'Permissions Violation for Subscription to "no.that"'),
    (["request", "no.this", "x"], 'Permissions Violation for Publish to "no.this"'),
    (["reply", "no.that", "x", "--queue", ""], 'Permissions Violation for Subscription to "no.that"'),
    (["request", "ok.this", "x", "--inbox-prefix", "_OTHER"], 'Permissions Violation for Subscription to "_OTHER.'),
])
def test_the_servers_words_about_permissions_are_told(arguments, words, tmp_path, stack):
    server = stack.enter_context(NatsServer(tmp_path / "broker", PERMISSIONS))
    text = Shell(tmp_path, server.url()).fails(NOT_SO, "server_refused", *arguments, env={"NATS_USERNAME": "kate", "NATS_PASSWORD": "pw"})
    assert words in text, text


def test_publishing_goes_on_over_a_restart_of_the_server(shell, plain, tmp_path):
    publisher = Program([HAWSER, "pub", "a", "{{Count}}", "--count", "200", "--sleep", "10ms", "--timeout", "20s"], tmp_path / "pub.log",
                        env=shell.environment())
    with publisher:
        wait_until(lambda: plain.varz()["in_msgs"] > 20, 20, "messages flow")
        plain.kill()
        plain.start()
        assert publisher.wait(40) == DONE
    assert "disconnected from nats" in publisher.log() and "reconnected to nats" in publisher.log()


# ---- sub ------------------------------------------------------------------------------------------------------------


def test_messages_are_printed_with_headers_subject_and_reply(shell):
    with shell.start("sub", "a.*", "b", "--count", 2) as sub:
        shell.run("pub", "a.one", "body", "-H", "Key: value", "--reply", "r")
        shell.run("pub", "b", "plain")
        assert sub.ends() == '[#1] Received on "a.one" with reply "r"\nKey: value\n\nbody\n\n[#2] Received on "b"\nplain\n\n'


@pytest.mark.parametrize("flags, expected", [
    (["--raw"], "body\n"),
    (["--headers-only"], '[#1] Received on "a"\nKey: value\n\n'),
    (["--raw", "--headers-only"], "Key: value\n\n"),
    (["--json"], {"number": 1, "subject": "a", "headers": {"Key": ["value"]}, "size": 4, "data": "body"}),
    (["--json", "--headers-only"], {"number": 1, "subject": "a", "headers": {"Key": ["value"]}, "size": 4}),
])
def test_forms_of_output(flags, expected, shell):
    with shell.start("sub", "a", "--count", 1, *flags) as sub:
        shell.run("pub", "a", "body", "-H", "Key: value")
        out = sub.ends()
        assert (json.loads(out) if isinstance(expected, dict) else out) == expected


def test_a_pipe_sees_each_message_at_once(shell):
    with shell.start("sub", "a", "--raw") as sub:
        for i in range(3):
            shell.run("pub", "a", str(i))
            sub.wait_out(f"{i}\n")
        sub.program.signal(signal.SIGINT)
        sub.ends(INTERRUPTED)
        assert sub.err().count("hawser:") == 1, "nothing is said about an end that was asked for"


def test_a_publisher_cannot_write_on_the_terminal(shell):
    """Control characters are shown on a terminal, and reach a pipe as they are."""
    controller, terminal = pty.openpty()
    hostile = b"a\x1b]0;owned\x07\x9b\xc2\x9b31m\xff b"
    with subprocess.Popen([HAWSER, "sub", "a", "--count", "1"], stdin=subprocess.DEVNULL, stdout=terminal, stderr=subprocess.PIPE,
                          env=shell.environment(), cwd=shell.directory) as child:
        os.close(terminal)
        assert b"subscribed" in child.stderr.readline()
        with shell.start("sub", "a", "--count", 1, "--raw") as piped:
            shell.run("pub", "a", input=hostile)
            piped.ends()
            assert hostile in piped._out_path.read_bytes()
        assert child.wait(20) == DONE
    shown = os.read(controller, 65536)
    os.close(controller)
    assert b"a\\x1b]0;owned\\x07\\x9b\\x9b31m\\xff b" in shown and b"\x1b" not in shown and b"\x07" not in shown


def test_a_queue_group_shares_messages_and_loses_none(shell):
    """Members that have enough leave the rest to the others."""
    with shell.start("sub", "q", "--queue", "g", "--count", 5, "--raw") as one, \
            shell.start("sub", "q", "--queue", "g", "--raw") as two:
        shell.run("pub", "q", "{{Count}}", "--count", 200)
        assert len(one.ends().split()) == 5
        wait_until(lambda: len(two.out().split()) == 195, 20, lambda: f"195 at the other member: {len(two.out().split())}")
        assert sorted(map(int, one.out().split() + two.out().split())) == list(range(1, 201))


def test_waiting_ends(shell):
    assert "0 of 1 messages" in shell.run("sub", "a", "--count", 1, "--timeout", "1s", expect=NOT_SO).stderr
    shell.run("sub", "a", "--timeout", "1s")
    shell.run("sub", "a", "--wait", "200ms")


def test_a_subscription_survives_the_servers_restart(shell, plain):
    with shell.start("sub", "a", "--raw", "--count", 2) as sub:
        shell.run("pub", "a", "before")
        sub.wait_out("before\n")
        plain.kill()
        plain.start()
        wait_until(lambda: "reconnected to nats" in sub.err(), 30, "it reconnects")
        shell.run("pub", "a", "after")
        assert sub.ends() == "before\nafter\n"
        assert "disconnected from nats" in sub.err()


def test_a_subscription_takes_up_a_new_certificate(mutual_tls, tmp_path):
    """The certificate on disk changes; the subscription goes on with the new one and misses nothing."""
    shell = Shell(tmp_path, mutual_tls.server.url("tls"))
    cert, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    for source, place in ((mutual_tls.client.cert, cert), (mutual_tls.client.key, key)):
        owner_only(place, source.read_text())
    other = mutual_tls.ca.issue("client")
    flags = ["--tlsca", mutual_tls.ca.cert]
    with shell.start("sub", "a", "--raw", "--count", 200, "--connection-name", "me", "--tlscert", cert, "--tlskey", key, *flags) as sub:
        publisher = Program([HAWSER, "pub", "a", "{{Count}}", "--count", "200", "--sleep", "20ms", *map(str, tls_flags(mutual_tls))],
                            tmp_path / "pub.log", env=shell.environment())
        with publisher:
            owner_only(key, other.key.read_text())
            owner_only(cert, other.cert.read_text())
            wait_until(lambda: other.sha256 in [row["tls_peer_certs"][0]["cert_sha256"] for row in mutual_tls.server.connections("me")],
                       20, "the server sees the new certificate")
            assert publisher.wait(40) == DONE
        assert sub.ends().split() == [str(i) for i in range(1, 201)]
        assert "disconnected" not in sub.err()


# ---- request and reply ----------------------------------------------------------------------------------------------


def test_a_request_is_answered(shell):
    with shell.start("reply", "svc.*", "hello {{Request}} #{{Count}}", "-H", "By: hawser", "--count", 2, until="replying on") as reply:
        text = shell.run("request", "svc.a", "joe").stdout
        assert text.startswith("[#1] Received with rtt ") and text.endswith("\nBy: hawser\n\nhello joe #1\n\n"), text
        facts = json.loads(shell.run("request", "svc.b", "ann", "--json").stdout)
        assert facts["data"] == "hello ann #2" and facts["headers"] == {"By": ["hawser"]} and facts["rtt_us"] > 0
        reply.ends()


def test_echo_repeats_headers_and_body(shell):
    with shell.start("reply", "echo", "--echo", until="replying on"):
        facts = json.loads(shell.run("request", "echo", "--json", "-H", "A: b", input=b"x\x00y").stdout)
        assert facts["data"] == "x\x00y" and facts["headers"] == {"A": ["b"]}
        assert shell.run("request", "echo", "", "--raw").stdout == "\n"


def test_nobody_there_is_told_at_once(shell):
    started = time.monotonic()
    shell.fails(NOT_SO, "no_responders", "request", "nobody", "x", "--timeout", "20s")
    shell.fails(NOT_SO, "no_responders", "request", "nobody", "x", "--replies", "0", "--timeout", "20s")
    assert time.monotonic() - started < 10


def test_silence_is_told_after_the_timeout(shell):
    with shell.start("sub", "mute"):
        assert "0 of 1 within 1s" in shell.fails(NOT_SO, "no_reply", "request", "mute", "x", "--timeout", "1s")


def test_several_replies_are_gathered(shell):
    with shell.start("reply", "all", "one", "--queue", "", until="replying on"), \
            shell.start("reply", "all", "two", "--queue", "", until="replying on"):
        assert sorted(shell.run("request", "all", "", "--raw", "--replies", 2).stdout.split()) == ["one", "two"]
        assert sorted(shell.run("request", "all", "", "--raw", "--replies", 0, "--timeout", "2s").stdout.split()) == ["one", "two"]
        done = shell.run("request", "all", "", "--raw", "--replies", 3, "--timeout", "2s", expect=NOT_SO)
        assert "2 of 3" in done.stderr and len(done.stdout.split()) == 2


@pytest.mark.parametrize("flags, body, expected", [
    (["--command", 'echo "$NATS_REQUEST_SUBJECT:$NATS_REQUEST_BODY"; cat'], "$(id); `id`", "cmd.x:$(id); `id`\n$(id); `id`"),
    (["--command", "wc -c"], "x" * 900_000, "900000\n"),
    (["--command", "true"], "ignored" * 20_000, ""),
    (["--command", "sleep 300 & echo started"], "", "started\n"),
], ids=["environment and input", "large input", "unread input", "leaves something running"])
def test_a_command_answers(flags, body, expected, shell):
    with shell.start("reply", "cmd.*", *flags, until="replying on"):
        assert json.loads(shell.run("request", "cmd.x", "--json", input=body.encode()).stdout)["data"] == expected


@pytest.mark.parametrize("command, why, output", [
    ("echo part; exit 3", "exit status 3", "part\n"),
    ("kill -TERM $$", "ended by signal 15", ""),
    ("echo part; sleep 300", "not done within 1.5s", "part\n"),
    ("yes", "more output than 1 MiB", None),
    ("no-such-command-here 2>/dev/null", "exit status 127", ""),
])
def test_a_command_that_fails_is_an_error_to_who_asked(command, why, output, shell):
    with shell.start("reply", "cmd", "--command", command, "--command-timeout", "1500ms", until="replying on") as reply:
        facts = json.loads(shell.run("request", "cmd", "", "--json").stdout)
        assert facts["headers"] == {"Nats-Service-Error-Code": ["500"], "Nats-Service-Error": [f"the command failed: {why}"]}
        assert output is None or facts["data"] == output
        assert facts["size"] <= 1 << 20
        assert f"the command failed: {why}" in reply.err()


def test_an_answer_that_is_too_large_is_an_error_to_who_asked(shell):
    with shell.start("reply", "twice", "{{Request}}{{Request}}", until="replying on"):
        facts = json.loads(shell.run("request", "twice", "--json", input=b"x" * 600_000).stdout)
        assert KnownError("message_too_large").id in facts["headers"]["Nats-Service-Error"][0] and facts["size"] == 0


def test_commands_do_not_hold_up_each_other_nor_the_end(shell, tmp_path):
    mark = tmp_path / "running"
    with shell.start("reply", "slow", "--command", f"echo $$ >> {mark}; sleep 300", "--parallel", 2, until="replying on") as reply:
        shell.run("pub", "slow", "x", "--reply", "nowhere", "--count", 3)
        pids = wait_until(lambda: len(mark.read_text().split()) == 2 and mark.read_text().split(), 20, "two at once")
        reply.program.signal(signal.SIGTERM)
        reply.ends(128 + signal.SIGTERM)
        wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids), 10, "the commands end with it")


def test_errors_are_json_when_json_is_asked_for(shell):
    done = shell.run("request", "nobody", "x", "--json", expect=NOT_SO)
    assert json.loads(done.stderr)["error"]["id"] == KnownError("no_responders").id and done.stdout == ""


def test_a_password_is_asked_for_without_showing_it(tmp_path, stack):
    server = stack.enter_context(NatsServer(tmp_path / "broker", USER))
    shell = Shell(tmp_path, server.url())
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(tmp_path)
        os.execve(HAWSER, [HAWSER, "pub", "a", "b", "--user", "kate", "--password-file", "-"], shell.environment())
    shown = b""
    while b"password: " not in shown:
        shown += os.read(terminal, 1024)
    os.write(terminal, SECRET.encode() + b"\n")
    try:
        while data := os.read(terminal, 1024):
            shown += data
    except OSError:
        pass  # the other end is closed
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == DONE, shown
    assert b"published 1 bytes" in shown and SECRET.encode() not in shown
