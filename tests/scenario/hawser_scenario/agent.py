"""The agent under test: `hawser agent`, its configuration directory, its addresses, log, metrics and exit code."""

import json
import os
import pathlib
import signal
import urllib.error
import urllib.request

import yaml

from .metrics import Metrics
from .process import Program
from .waiting import wait_until


class Agent:
    """`broker` is broker.yaml's `broker:` mapping. Loopback, ports of the kernel's choice, kept when it is started again."""

    def __init__(self, directory, broker, agent=None, env=None):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self._env = {"PATH": os.environ["PATH"], "HOME": str(self.directory), **(env or {})}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS"):
            if name in os.environ:
                self._env[name] = os.environ[name]
        self.broker = broker
        self._agent = {"listen": "127.0.0.1:0", "admin": "127.0.0.1:0", **(agent or {})}
        self._ports_file = self.directory / "ports.json"
        self.log_path = self.directory / "agent.log"
        self.program = None
        self.listen = self.admin = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.program is not None:
            self.program.kill()

    def _launch(self):
        (self.directory / "broker.yaml").write_text(yaml.safe_dump({"broker": self.broker, "agent": self._agent}))
        self._ports_file.unlink(missing_ok=True)
        arguments = [os.environ["HAWSER_BIN"], "agent", "--config", self.directory, "--ports-file", self._ports_file]
        self.program = Program(arguments, self.log_path, env=self._env, cwd=self.directory)

    def start(self, deadline=20.0):
        """Until it listens; whether it has an upstream is another matter (wait_ready)."""
        self._launch()

        def listening():
            assert self.program.running, f"the agent ended with {self.program.child.returncode}:\n{self.program.tail()}"
            text = self._ports_file.read_text() if self._ports_file.exists() else ""
            return json.loads(text) if text.rstrip().endswith("}") else None

        ports = wait_until(listening, deadline, lambda: f"the agent writes its ports\n{self.program.tail()}")
        self.listen, self.admin = ports["listen"], ports["admin"]
        self._agent.update(listen=self.listen, admin=self.admin)
        return self

    def refuses_to_start(self, deadline=20.0):
        """Starts it and returns the exit code and the log of an agent that will not run."""
        self._launch()
        code = self.program.wait(deadline)
        assert not self._ports_file.exists(), "it listened before it refused"
        return code, self.program.log()

    @property
    def url(self):
        return f"nats://{self.listen}"

    def stop(self):
        return self.program.stop()

    def kill(self):
        """`kill -9`: nothing is written, closed or said any more."""
        self.program.kill()

    def freeze(self):
        self.program.signal(signal.SIGSTOP)
        wait_until(lambda: self.program.thread_states() == {"T"}, 10, "the agent stands still")

    def thaw(self):
        self.program.signal(signal.SIGCONT)

    def hang_up(self):
        self.program.signal(signal.SIGHUP)

    def http(self, path, method="GET"):
        """Status and body."""
        request = urllib.request.Request(f"http://{self.admin}{path}", method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def ready(self):
        return self.http("/readyz")[0] == 200

    def wait_ready(self, deadline=20.0):
        wait_until(self.ready, deadline, lambda: f"the agent is ready\n{self.program.tail()}")
        return self

    def metrics(self):
        return Metrics.scrape(self.admin)

    def value(self, name, **labels):
        return self.metrics().value(name, **labels)

    def log(self):
        return self.program.log()

    def wait_log(self, *words, deadline=20.0):
        """The first line that holds all of the words."""
        lines = wait_until(lambda: self.program.log_lines(*words), deadline,
                           lambda: f"a log line with {words}\n{self.program.tail()}")
        return lines[0]
