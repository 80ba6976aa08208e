"""Runs commands in isolation, several at a time, each under a deadline."""

import concurrent.futures
import dataclasses
import os
import pathlib
import signal
import subprocess
import time

from .isolation import isolated

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
    process = subprocess.Popen(isolated(command), cwd=cwd, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, start_new_session=True)
    try:
        output, _ = process.communicate(timeout=deadline)
        code = process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        code = None
    return Finished(code, output.decode("utf-8", "replace"), time.monotonic() - started)


def run_all(items, run_one, jobs):
    """[result for item in items], `jobs` at a time, in the order of `items`; each is told as it ends."""
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(run_one, items))
