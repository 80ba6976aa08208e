"""`hawser broker` where tools start nats-server: its flags, signals, files, log lines and ends."""

import json
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess

import pytest
from hawser_scenario.errors import KnownError
from hawser_scenario.process import Program
from hawser_scenario.raw_client import RawClient
from hawser_scenario.waiting import wait_until

HAWSER = os.environ["HAWSER_BIN"]
DONE, NOT_SO, MISUSE = 0, 1, 2
LINE = re.compile(r"^\[\d+\] \d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{6} \[(TRC|DBG|INF|WRN|ERR|FTL)\] ")


def run(*arguments, program=(HAWSER, "broker"), **options):
    return subprocess.run([*map(str, program), *map(str, arguments)], capture_output=True, text=True, timeout=30, check=False, **options)


class Broker(Program):
    """A broker with these arguments, on a free port of loopback; ready."""

    def __init__(self, directory, *arguments, program=(HAWSER, "broker"), listen=("-a", "127.0.0.1", "-p", "-1"), env=None,
                 log=None):
        directory.mkdir(parents=True, exist_ok=True)
        self.log_file = log
        super().__init__([*program, *listen, *arguments], directory / "stderr", cwd=directory,
                         env={"PATH": os.environ["PATH"], **(env or {})})
        self.wait_log("Server is ready")
        found = re.search(r"Listening for client connections on (\S+):(\d+)", self.log())
        self.port = int(found[2])
        self.address = f"127.0.0.1:{self.port}"

    def log(self):
        return self.log_file.read_text() if self.log_file and self.log_file.exists() else super().log()

    def wait_log(self, *words):
        def there():
            assert self.running, f"it ended with {self.child.returncode}: {self.log()}"
            return self.log_lines(*words)

        return wait_until(there, 20, lambda: f"{words} in\n{self.log()}")

    def reload(self, expect="Reloaded server configuration"):
        before = len(self.log())
        self.signal(signal.SIGHUP)
        wait_until(lambda: expect in self.log()[before:], 10, lambda: self.log())
        return self.log()[before:]


@pytest.fixture
def start(tmp_path, stack):
    return lambda *arguments, name="broker", **options: stack.enter_context(Broker(tmp_path / name, *arguments, **options))


# ---- as nats-server -------------------------------------------------------------------------------------------------


def test_a_binary_called_nats_server_is_the_broker(tmp_path, start):
    link = tmp_path / "nats-server"
    link.symlink_to(HAWSER)
    version = run("--version", program=[link])
    assert re.fullmatch(r"nats-server: v2\.\d+\.\d+-hawser\.\d+\.\d+\.\d+\n", version.stdout), version
    for words in (["-v"], ["version"], ["-version"]):
        assert run(*words, program=[link]).stdout == version.stdout == run(*words).stdout
    broker = start("-D", program=[link])
    with RawClient(broker.address) as client:
        assert "hawser" in client.info["version"]
    assert run("-t", program=[link]).stderr.startswith("nats-server: CLI-901")
    assert broker.stop() == DONE


def test_its_log_is_nats_servers(start):
    broker = start("-m", "-1", "-n", "kate", "-DV")
    with RawClient(broker.address) as client:
        client.publish("greet.joe", b"hello")
        client.flush()
    broker.wait_log("[TRC]", "PUB greet.joe")
    lines = broker.log().splitlines()
    assert all(LINE.match(line) and line.startswith(f"[{broker.pid}] ") for line in lines), broker.log()
    texts = [LINE.sub("", line) for line in lines]
    for expected in ("Starting nats-server", "  Name:     kate", f"Listening for client connections on 127.0.0.1:{broker.port}",
                     "Server is ready"):
        assert expected in texts, broker.log()
    assert any(text.startswith("Starting http monitor on 127.0.0.1:") for text in texts)
    assert broker.log_lines("[WRN]", "no authentication", "id=BRK-1114")
    assert texts.index("Starting nats-server") < texts.index("Server is ready")


def test_log_lines_without_time_and_as_json(start):
    plain = start("-T=false", name="plain")
    assert f"[{plain.pid}] [INF] Server is ready" in plain.log().splitlines()
    structured = start("--log_format", "json", name="json")
    rows = [json.loads(line) for line in structured.log().splitlines()]
    assert rows[-1]["message"] == "Server is ready" and rows[-1]["level"] == "info"


@pytest.mark.parametrize("flags", [["-p", "-1"], ["--port", "-1"], ["-port=-1"], ["--p=-1"]], ids=" ".join)
def test_flags_have_one_dash_or_two(flags, start):
    start(listen=("--net", "127.0.0.1", *flags))


def test_flags_lie_over_the_file_and_still_do_after_a_reload(tmp_path, start):
    conf = tmp_path / "b.conf"
    conf.write_text('port: 1\nhost: "192.0.2.1"\nserver_name: file\nmax_payload: 1KB\nhttp: "192.0.2.1:1"\n'
                    "authorization { user: a, password: b }\n")
    broker = start("-c", conf, "-n", "flag", "--user", "c", "--pass", "d", "-m", "-1", "-a", "127.0.0.1")
    with RawClient(broker.address, user="c", **{"pass": "d"}) as client:
        assert (client.info["server_name"], client.info["max_payload"]) == ("flag", 1024)
    conf.write_text(conf.read_text().replace("1KB", "2KB"))
    assert "Reloaded: max_payload = 2048" in broker.reload()
    with RawClient(broker.address, user="c", **{"pass": "d"}) as client:
        assert (client.info["server_name"], client.info["max_payload"]) == ("flag", 2048)
    with RawClient(broker.address, handshake=False) as refused:
        refused.send('CONNECT {"user":"a","pass":"b"}\r\nPING\r\n')
        assert b"Authorization Violation" in refused.closed()


def test_token_and_password_flags_do_not_stay_in_the_arguments(start):
    broker = start("--auth", "s3cret-token")
    with RawClient(broker.address, auth_token="s3cret-token"):
        pass
    shown = pathlib.Path(f"/proc/{broker.pid}/cmdline").read_bytes()
    assert b"s3cret" not in shown and b"--auth" in shown
    assert "s3cret" not in broker.log()


def test_tls_flags(ca, start):
    pair, client = ca.server(), ca.issue("client")
    broker = start("--tlsverify", "--tlscert", pair.cert, "--tlskey", pair.key, "--tlscacert", ca.cert)
    assert broker.log_lines("TLS required for client connections")
    settings = ssl.create_default_context(cafile=ca.cert)
    settings.load_cert_chain(client.cert, client.key)
    with RawClient(broker.address, handshake=False) as raw:
        assert raw.info["tls_required"] and raw.info["tls_verify"]
        raw.socket = settings.wrap_socket(raw.socket, server_hostname="localhost")
        raw.send("CONNECT {}\r\nPING\r\n")
        assert raw.next_line() == b"+OK" and raw.next_line() == b"PONG"


# ---- what tools rely on ---------------------------------------------------------------------------------------------


def test_pid_and_ports_files_are_there_while_it_runs(tmp_path, start):
    broker = start("-P", tmp_path / "b.pid", "-m", "-1", "--ports_file_dir", tmp_path)
    ports = tmp_path / f"nats-server_{broker.pid}.ports"
    assert (tmp_path / "b.pid").read_text() == str(broker.pid)
    told = json.loads(ports.read_text())
    assert told["nats"] == [f"nats://127.0.0.1:{broker.port}"] and told["monitoring"][0].startswith("http://127.0.0.1:")
    assert broker.stop() == DONE
    assert not ports.exists() and not (tmp_path / "b.pid").exists()


def test_its_ports_file_lists_every_address_of_a_broker_on_all_interfaces(tmp_path, start):
    broker = start("--ports_file_dir", tmp_path, listen=("-p", "-1"))
    told = json.loads((tmp_path / f"nats-server_{broker.pid}.ports").read_text())
    assert f"nats://127.0.0.1:{broker.port}" in told["nats"]
    assert not any("0.0.0.0" in url for url in told["nats"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda n: n.name)
def test_it_ends_promptly_and_its_port_is_free_at_once(number, start):
    broker = start()
    with RawClient(broker.address) as client:
        broker.signal(number)
        assert broker.wait(5) == DONE
        with socket.socket() as again:
            again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            again.bind(("127.0.0.1", broker.port))
            again.listen()
        client.closed()
    assert broker.log_lines("Initiating Shutdown...") and broker.log_lines("Server Exiting..")


def test_lame_duck_ends_it_when_the_last_client_has_gone(tmp_path, start):
    conf = tmp_path / "b.conf"
    conf.write_text('lame_duck_duration: "30s"\nlame_duck_grace_period: "1s"\n')
    broker = start("-c", conf, "-P", tmp_path / "b.pid")
    with RawClient(broker.address) as client:
        assert run("--signal", f"ldm={tmp_path / 'b.pid'}").returncode == DONE
        info = json.loads(client.line()[5:])
        assert info["ldm"] is True
        broker.wait_log("Entering lame duck mode")
        with pytest.raises(OSError):
            RawClient(broker.address)
        broker.signal(signal.SIGTERM)  # is left to lame duck mode
        client.flush()
        client.closed(20)
    assert broker.wait(20) == DONE


def test_the_log_file_is_opened_again_and_set_aside_when_full(tmp_path, start):
    log = tmp_path / "b.log"
    broker = start("-l", log, "-P", tmp_path / "b.pid", log=log)
    assert (tmp_path / "broker" / "stderr").read_text() == ""
    log.rename(tmp_path / "moved.log")
    assert run("--signal", f"reopen={tmp_path / 'b.pid'}").returncode == DONE
    wait_until(lambda: log.exists() and "File log re-opened" in log.read_text(), 10, "the file is opened again")
    broker.kill()

    small = tmp_path / "small.log"
    other = start("-l", small, "--log_size_limit", "2000", "-D", name="small", log=small)
    wait_until(lambda: RawClient(other.address).__exit__() or list(tmp_path.glob("small.log.*")), 20, "the full log is set aside")


# ---- --signal -------------------------------------------------------------------------------------------------------


def test_signals_by_pid_file_and_pid(tmp_path, start):
    broker = start("-P", tmp_path / "b.pid")
    assert run("--signal", f"reload={broker.pid}").returncode == DONE
    broker.wait_log("Reloaded server configuration")
    assert run("-sl", f"quit={tmp_path / 'b.pid'}").returncode == DONE
    assert broker.wait() == DONE
    stopped = start(name="two")
    assert run("--signal", f"stop={stopped.pid}").returncode == DONE
    assert stopped.wait() == -signal.SIGKILL


def test_without_a_pid_several_brokers_are_listed_and_none_is_signalled(start):
    one, two = start(name="one"), start(name="two")
    done = run("--signal", "reload")
    assert done.returncode == NOT_SO and KnownError("broker_not_found").id in done.stderr
    assert re.search(rf"\b{one.pid}\b", done.stderr) and re.search(rf"\b{two.pid}\b", done.stderr)
    assert not one.log_lines("Trapped") and not two.log_lines("Trapped")


@pytest.mark.parametrize("word, error", [("dance=1", "bad_usage"), ("reload=nobody", "bad_usage"), ("reload=", "bad_usage"),
                                         ("reload=4194304", "broker_not_found")])
def test_signals_that_cannot_be_sent(word, error):
    done = run("--signal", word)
    assert done.returncode != DONE and KnownError(error).id in done.stderr, done.stderr


# ---- reload ---------------------------------------------------------------------------------------------------------


def test_a_reload_that_fails_tells_every_mistake_and_changes_nothing(tmp_path, start):
    conf = tmp_path / "b.conf"
    conf.write_text("max_payload: 1KB\nauthorization { token: one }\n")
    broker = start("-c", conf)
    with RawClient(broker.address, auth_token="one") as client:
        conf.write_text("max_payload: much\nauthorization { tokn: two }\nlisten: 4222\n")
        said = broker.reload(expect="unknown key")
        assert f"{conf}:1:14: max_payload must be a whole number" in said and f"{conf}:2:17: unknown key" in said
        conf.write_text("max_payload: 2KB\nauthorization { token: two }\nserver_name: other\n")
        assert "server_name" in broker.reload(expect="Failed to reload server configuration")
        client.flush()
        with RawClient(broker.address, auth_token="one") as other:
            assert other.info["max_payload"] == 1024
        conf.write_text("max_payload: 2KB\nauthorization { token: two }\n")
        said = broker.reload()
        assert "Reloaded: max_payload = 2048" in said and "Reloaded: authorization" in said
        assert b"Authorization Violation" in client.closed(), "its token is gone"


def test_a_reload_moves_the_log(tmp_path, start):
    conf, log = tmp_path / "b.conf", tmp_path / "b.log"
    conf.write_text("")
    broker = start("-c", conf)
    conf.write_text(f'log_file: "{log}"\ndebug: true\n')
    broker.signal(signal.SIGHUP)
    wait_until(lambda: log.exists() and "Reloaded server configuration" in log.read_text(), 10, "the log is in the file")
    conf.write_text(f'log_file: "{tmp_path}/none/b.log"\n')
    broker.signal(signal.SIGHUP)
    wait_until(lambda: "Failed to reload server configuration" in log.read_text(), 10, "a log that cannot be opened")


# ---- starts that fail -----------------------------------------------------------------------------------------------


def test_a_port_that_is_taken(tmp_path, start):
    broker = start()
    done = run("-a", "127.0.0.1", "-p", broker.port, "-P", tmp_path / "never.pid")
    assert done.returncode == NOT_SO and f"127.0.0.1:{broker.port}" in done.stderr and "in use" in done.stderr
    assert not (tmp_path / "never.pid").exists()


@pytest.mark.parametrize("arguments, error, says", [
    (["-c", "/nowhere/b.conf"], "file_unreadable", "/nowhere/b.conf"),
    (["--nope"], "bad_usage", "flag provided but not defined: -nope"),
    (["--prot", "1"], "bad_usage", "did you mean --port?"),
    (["-p"], "bad_usage", "flag needs an argument: -p"),
    (["-p", "many"], "bad_usage", 'invalid value "many"'),
    (["-p", "70000"], "bad_usage", "not a port"),
    (["-D=maybe"], "bad_usage", "invalid boolean value"),
    (["serve"], "bad_usage", 'unrecognized command: "serve"'),
    (["-t"], "bad_usage", "must specify [-c, --config]"),
    (["--log_format", "xml"], "bad_usage", "nats, text or json"),
    (["-js"], "broker_needs_nats_server", "JetStream"),
    (["--cluster", "nats://127.0.0.1:6222"], "broker_needs_nats_server", "clustering"),
    (["--routes", "nats://127.0.0.1:6222"], "broker_needs_nats_server", "clustering"),
    (["--tls"], "broker_tls_incomplete", "TLS Server certificate must be present"),
    (["--tlscert", "x"], "broker_tls_incomplete", "TLS Server private key must be present"),
    (["--tls", "--tlscert", "/nowhere/c", "--tlskey", "/nowhere/k"], "tls_file_unreadable", "/nowhere/c"),
    (["--user", "a", "--pass", "b", "--auth", "c"], "broker_auth_conflict", "Cannot have a user/pass and token"),
    (["-a", "192.0.2.1", "-p", "-1"], "listen_failed", "192.0.2.1"),
    (["-a", "127.0.0.1", "-p", "-1", "-l", "/nowhere/x.log"], "file_unwritable", "/nowhere/x.log"),
], ids=lambda v: " ".join(v) if isinstance(v, list) else "")
def test_a_start_that_fails_says_why(arguments, error, says, tmp_path):
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode in (NOT_SO, MISUSE), done.stderr
    assert f"{KnownError(error).id} " in done.stderr and says in done.stderr, done.stderr
