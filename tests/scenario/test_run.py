"""`./run` without arguments, as its banner promises it; and an agent's log, as the one who reads it at night needs it."""

import os
import pathlib
import pty
import re
import signal
import subprocess

import pytest
from hawser_scenario.errors import KnownError
from hawser_scenario.nats_server import NatsServer, tls_block
from hawser_scenario.process import Program
from hawser_scenario.raw_client import RawClient
from hawser_scenario.waiting import wait_until

HAWSER = os.environ["HAWSER_BIN"]
DEMO = pathlib.Path(__file__).resolve().parents[2] / "tools" / "demo"
MISUSE, INTERRUPTED = 2, 130


# ---- ./run ----------------------------------------------------------------------------------------------------------


class Demo:
    """tools/demo on a terminal of its own, so that ^C comes as it does from a keyboard."""

    def __init__(self, directory):
        self.temporary = directory / "tmp"
        self.temporary.mkdir()
        self.log_path = directory / "demo.log"
        self._keyboard, terminal = pty.openpty()
        env = {"PATH": os.environ["PATH"], "HOME": str(directory), "TMPDIR": str(self.temporary)}
        with open(self.log_path, "wb") as log:
            self.child = subprocess.Popen(["setsid", "--ctty", "--wait", str(DEMO), HAWSER], stdin=terminal, stdout=log, stderr=log,
                                          env=env, start_new_session=True)
        os.close(terminal)

    def log(self):
        return self.log_path.read_text("utf-8", "replace")

    def find(self, pattern):
        return wait_until(lambda: re.search(pattern, self.log(), re.M), 60, lambda: f"{pattern}\n{self.log()}")[1]

    def press_ctrl_c(self):
        os.write(self._keyboard, b"\x03")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.child.poll() is None:
            self.press_ctrl_c()
        self.child.wait(30)
        os.close(self._keyboard)


def test_run_does_what_its_banner_says_and_leaves_nothing(tmp_path):
    with Demo(tmp_path) as demo:
        url = demo.find(r"^  hawser agent +(nats://\S+)")
        files = pathlib.Path(demo.find(r"^  files +(\S+)"))
        demo.find(r"(Ctrl-C ends all of it)")
        with RawClient(url.removeprefix("nats://")) as client:
            client.subscribe("greet.>")
            client.flush()
            for material, word in [("rotate", "spliced"), ("broken", "rejected"), ("rotate", "CN=other")]:
                if material == "rotate":
                    subprocess.run([files / "rotate", "other" if word == "CN=other" else "demo-agent"], check=True, capture_output=True,
                                   timeout=60)
                else:
                    (files / "config" / "tls.crt").write_text("broken\n")
                wait_until(lambda word=word: word in demo.log(), 60, lambda: demo.log())
                subprocess.run([HAWSER, "pub", "-s", url, "greet.joe", word], check=True, capture_output=True, timeout=60)
                assert client.message() == ("greet.joe", word.encode())
            subprocess.run([files / "outage", "2"], check=True, timeout=60)
            wait_until(lambda: "circuit breaker open" in demo.log(), 60, lambda: demo.log())
            subprocess.run([HAWSER, "pub", "-s", url, "greet.joe", "queued"], check=True, capture_output=True, timeout=60)
            assert client.message() == ("greet.joe", b"queued"), "delivered here at once, and to the broker once it is back"
            wait_until(lambda: demo.log().count("circuit breaker closed") == 2, 60, lambda: demo.log())  # the first is the start's
            demo.find(r"^(-- the broker is back)")
        pids = [int(pid) for pid in os.listdir("/proc") if pid.isdigit() and belongs(pid, files)]
        assert len(pids) == 2, "the broker and the agent"
        demo.press_ctrl_c()
        demo.child.wait(30)
        assert not any(os.path.exists(f"/proc/{pid}") and belongs(pid, files) for pid in pids), "a process is left"
        assert os.listdir(demo.temporary) == [], "files are left"
        assert demo.child.returncode == INTERRUPTED and demo.log().rstrip().endswith("info stopped"), "the agent ended in order"


def belongs(pid, files):
    try:
        words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return os.path.basename(words[0]) == os.path.basename(HAWSER).encode() and str(files).encode() in b" ".join(words)


# ---- what an operator meets -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("url, error", [(None, "config_not_found"), ("nats://127.0.0.1:{}", "config_bad_value"),
                                        ("nats://localhost:{}", "config_bad_value")])
@pytest.mark.parametrize("check", [[], ["--check"]], ids=["start", "check"])
def test_an_agent_that_is_its_own_server_does_not_start(url, error, check, tmp_path):
    """It did, and opened connections to itself until no descriptor was left."""
    with NatsServer(tmp_path / "taken") as server:
        port = server.port  # nobody else gets it meanwhile
        env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
        if url is not None:
            env["NATS_URL"] = url.format(port)
        listen = f"127.0.0.1:{port}" if url is not None else "127.0.0.1:4222"
        done = subprocess.run([HAWSER, "agent", "--listen", listen, "--admin", "off", *check], capture_output=True, text=True, env=env,
                              cwd=tmp_path, timeout=30, check=False)
    assert done.returncode == MISUSE, done.stderr
    assert f"hawser: {KnownError(error).id}" in done.stderr and "connect to itself" in done.stderr


def test_an_event_of_many_clients_is_a_few_lines(mutual_tls, start_agent, stack):
    agent = start_agent(mutual_tls.broker()).wait_ready()
    clients = [stack.enter_context(RawClient(agent.listen, name=f"client-{i}")) for i in range(100)]
    for client in clients:
        client.send("PING\r\n")
        client.expect(b"PONG")
    mutual_tls.server.stop()
    wait_until(lambda: agent.value("hawser_disconnects_total") >= 101, 30, "every session has lost its connection")
    mutual_tls.server.start()
    wait_until(lambda: agent.value("hawser_sessions_up") == 101, 60, "every session is back")
    # The rest is counted on a line of its own when the ten seconds are over.
    line = agent.wait_log("disconnected from nats", "left_out=", deadline=30)
    left_out = int(line.rpartition("=")[2])
    told = [one for one in agent.program.log_lines("disconnected from nats") if "left_out" not in one]
    assert len(told) == 20 and left_out == agent.value("hawser_disconnects_total") - 20
    assert all("id=NET-" in one and "reason=" in one and "client=" in one for one in told)
    assert len(agent.log().splitlines()) < 150


def test_a_clean_splice_warns_of_nothing(mutual_tls, ca, start_agent, stack):
    agent = start_agent(mutual_tls.broker()).wait_ready()
    client = stack.enter_context(RawClient(agent.listen, name="kate"))
    client.subscribe("a.>")
    client.flush()
    fresh = ca.issue("client-two")
    mutual_tls.client.key.write_bytes(fresh.key.read_bytes())
    mutual_tls.client.cert.write_bytes(fresh.cert.read_bytes())
    agent.wait_log("spliced", "client=kate")
    since = agent.log().partition("taken up")[2]
    assert " warn " not in since and " error " not in since, since
