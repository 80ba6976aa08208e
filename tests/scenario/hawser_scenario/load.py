"""hawser_load, started, asked and judged from Python."""

import json
import os
import subprocess

from .process import Program
from .waiting import wait_until


class Load:
    """Runs until stop(). `options` are hawser_load's, with underscores: rate=1000, shape="literal,queue"."""

    def __init__(self, directory, publishers_at, subscribers_at, on_ready=None, **options):
        self._on_ready = on_ready
        binary = os.environ["HAWSER_LOAD"]
        arguments = [binary, "--control"]
        for name, urls in (("--pub-url", publishers_at), ("--sub-url", subscribers_at)):
            for url in [urls] if isinstance(urls, str) else urls:
                arguments += [name, url]
        for name, value in options.items():
            flag = "--" + name.replace("_", "-")
            arguments += [flag] if value is True else [flag, str(value)]
        self._out_path = os.path.join(directory, f"load-{os.urandom(4).hex()}.out")
        self._out = open(self._out_path, "wb")
        self._read = 0
        self.program = Program(arguments, self._out_path + ".log", stdin=subprocess.PIPE, stdout=self._out)

    def __enter__(self):
        self.ready()
        return self

    def __exit__(self, *_):
        self.program.child.stdin.close()
        self.program.kill()
        self._out.close()

    def _next(self, deadline):
        def line():
            with open(self._out_path, encoding="utf-8") as file:
                file.seek(self._read)
                text = file.readline()
            if text.endswith("\n"):
                self._read += len(text.encode())
                return text
            assert self.program.running, f"hawser_load ended: {self.program.tail()}"
            return None

        return json.loads(wait_until(line, deadline, lambda: f"a line of hawser_load\n{self.program.tail()}"))

    def ready(self, deadline=40):
        first = self._next(deadline)
        assert first.get("ready"), first
        if self._on_ready:
            self._on_ready()
        return self

    def _ask(self, command, deadline=20):
        self.program.child.stdin.write(command.encode() + b"\n")
        self.program.child.stdin.flush()
        return self._next(deadline)

    def mark(self, name="m"):
        """Latencies and the longest gap since the last mark."""
        return self._ask(f"mark {name}")

    def status(self):
        return self._ask("status")

    def stop(self, deadline=150):
        """Drains, and returns the report."""
        self.program.child.stdin.write(b"stop\n")
        self.program.child.stdin.flush()
        report = self._next(deadline)
        self.program.wait(20)
        return report


def summary(report):
    """A report without its long parts, for a failure's message."""
    short = {k: v for k, v in report.items() if k not in ("subscriptions", "latency_us")}
    return json.dumps(short, indent=1)


def assert_nothing_wrong(report, heartbeats_may_repeat=False):
    """0 lost, 0 duplicated, 0 reordered; nothing changed; no request without its one reply."""
    if heartbeats_may_repeat:
        beats = report["heartbeats"]
        ok = (report["lost"] == report["duplicated"] == report["reordered"] == report["corrupted"] == beats["too_few"] == 0
              and report["queue"]["lost"] == report["queue"]["duplicated"] == 0)
        ok = ok and report.get("churn", {}).get("wrong_maximum", 0) == 0
        for kind in ("requests", "replies"):
            counts = report.get("request_reply", {}).get(kind, {})
            ok = ok and all(counts.get(fault, 0) == 0 for fault in ("lost", "duplicated", "reordered"))
        assert ok, summary(report)
    else:
        assert report["ok"], summary(report)
    assert report["sent"] > 0
    assert report["client"]["disconnects"] == 0, summary(report)
