"""Runs commands in isolation, several at a time, each under a deadline."""

import concurrent.futures
import contextlib
import dataclasses
import os
import pathlib
import signal
import subprocess
import tempfile
import time

from .isolation import isolated, namespaces

TAIL_BYTES = 4000
PACKAGE_ROOT = str(pathlib.Path(__file__).resolve().parent.parent)


@dataclasses.dataclass
class Finished:
    code: int | None  # None: the deadline passed
    output: str
    seconds: float

    @property
    def tail(self):
        return self.output[-TAIL_BYTES:]


def run(command, cwd, environment, deadline):
    """Standard output and error together; whatever the command left behind is ended."""
    environment = {**environment, "PYTHONPATH": os.pathsep.join(filter(None, [PACKAGE_ROOT, environment.get("PYTHONPATH")]))}
    started = time.monotonic()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(isolated(command), cwd=cwd, env=environment, stdin=subprocess.DEVNULL, stdout=output,
                                   stderr=subprocess.STDOUT, start_new_session=True)
        try:
            code = process.wait(deadline)
        except subprocess.TimeoutExpired:
            code = None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        output.seek(0)
        text = output.read().decode("utf-8", "replace")
    return Finished(code, text, time.monotonic() - started)


def run_all(items, run_one, jobs):
    """[result for item in items], `jobs` at a time where each has a network of its own, in the order of `items`."""
    jobs = jobs if namespaces() else 1
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(run_one, items))
