"""What the drivers have in common: the client that measures, paths that take turns, and the CPU time of a process."""

import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "scenario"))


class Client:
    """hawser_bench_client of this build. `tls` are the options that name its certificate, for tls:// URLs."""

    def __init__(self, build, tls):
        self.program = pathlib.Path(build) / "hawser_bench_client"
        self.tls = tls

    def arguments(self, mode, url, **options):
        arguments = [str(self.program), mode, "--url", url]
        for name, value in {**self.tls, **options}.items():
            flag = "--" + name.replace("_", "-")
            if value is True:
                arguments.append(flag)
            elif value is not False:
                arguments += [flag, str(value)]
        return arguments

    def run(self, mode, url, **options):
        """What it prints at its end."""
        arguments = self.arguments(mode, url, **options)
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=600, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{arguments}: {done.stderr}")
        return json.loads(done.stdout)


def tls_options(ca, pair):
    return {"tls_ca": ca.cert, "tls_cert": pair.cert, "tls_key": pair.key}


def in_turn(rounds, paths, run):
    """Each path once a round, one after the other, so that a noisy minute hits all of them; medians of what `run` gives."""
    seen = {name: [] for name in paths}
    for _ in range(rounds):
        for name, path in paths.items():
            seen[name].append(run(path))
    return {name: {key: statistics.median(row[key] for row in rows) for key in rows[0]} for name, rows in seen.items()}


def cpu_seconds(pid):
    """User and system time of all threads that it has, to the nanosecond."""
    tasks = f"/proc/{pid}/task"
    spent = 0
    for task in os.listdir(tasks):
        spent += int(pathlib.Path(tasks, task, "schedstat").read_text(encoding="ascii").split()[0])
    return spent / 1e9


def raise_descriptor_limit():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536) if hard > 0 else soft, hard))
