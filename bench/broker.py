#!/usr/bin/python3
"""What `hawser broker` costs beside nats-server, as ratios of one run. See README.md.

    /usr/bin/python3 bench/broker.py --build build/bench [--rounds 5] [--only publish,stream,fan,request,connect,idle] [--out FILE]
"""

import argparse
import contextlib
import json
import pathlib
import re
import shutil
import subprocess
import tempfile

from measuring import Client, cpu_seconds, in_turn, raise_descriptor_limit, tls_options

from hawser_scenario import pki, process  # found by way of measuring
from hawser_scenario.nats_server import tls_block
from hawser_scenario.waiting import wait_until

MESSAGES = {16: 3_000_000, 128: 2_000_000, 4096: 200_000}
STREAMED = {128: 1_000_000, 4096: 100_000}
FANNED = 200_000
LISTENERS = 8
REQUESTS = 5_000
CONNECTS = 400
IDLE = 2_000
REFERENCE = "nats-server"

# As a share of nats-server's figure; idle connections in KiB. Plain, mTLS.
AIMS = {
    "publish 16 B": (0.35, 0.58), "publish 128 B": (0.35, 0.58), "publish 4096 B": (0.45, 0.58),
    "1 to 1 128 B": (0.25, 0.38), "1 to 1 4096 B": (0.25, 0.38), "1 to 8 128 B": (0.24, 0.33),
    "request CPU": (0.3, 0.45), "request p50": (0.75, 0.9), "connect": (None, 0.9), "resumed": (None, 0.7), "idle": (2, 26),
}

# What a server in earnest has: accounts that share, users with rights of their own.
ACCOUNTS = """
accounts {
  app {
    exports: [ { stream: "bench.shared.>" } ]
    users: [
      { user: app, password: app, permissions: {
          publish: { allow: ["bench.>", "_INBOX.>", "orders.*.new"], deny: ["bench.secret.>", "bench.*.admin"] }
          subscribe: { allow: ["bench.>", "_INBOX.>"], deny: "bench.secret" } } }
      { user: other, password: other, permissions: { publish: "other.>", subscribe: "other.>" } }
    ]
  }
  audit {
    imports: [ { stream: { account: app, subject: "bench.shared.>" } } ]
    users: [ { user: audit, password: audit } ]
  }
}
"""


class Server:
    """One of those that are compared. `threads`: of ours; None: nats-server."""

    def __init__(self, directory, hawser, config, threads):
        directory.mkdir(parents=True)
        file = directory / "server.conf"
        file.write_text('listen: "127.0.0.1:-1"\n' + config)
        command = [shutil.which("nats-server") or "/usr/sbin/nats-server"] if threads is None else [hawser, "broker"]
        more = [] if threads is None else ["--threads", threads]
        self.program = process.Program([*command, "-c", file, *more], directory / "server.log")
        self.port = wait_until(self._listening, 20, lambda: f"it listens\n{self.program.tail()}")

    def _listening(self):
        if not self.program.running:
            raise RuntimeError(self.program.tail())
        said = re.search(r"Listening for client connections on \S+:(\d+)", self.program.log())
        return said and "Server is ready" in self.program.log() and int(said[1])


class Bench:
    def __init__(self, directory, build, hawser, rounds, threads):
        self.directory = pathlib.Path(directory)
        self.hawser = hawser
        self.rounds = rounds
        self.subjects = {REFERENCE: None, **{f"{n} thread{'s' if n > 1 else ''}": n for n in threads}}
        self.ca = pki.Ca(self.directory / "ca", "bench")
        self.pair = self.ca.server()
        self.client = Client(build, tls_options(self.ca, self.ca.issue("client")))
        self.results = {}
        self._started = 0

    @contextlib.contextmanager
    def servers(self, mtls, accounts=False, tickets=0, only=None):
        """Every one of them, so configured: their names and what run() and the others take."""
        running = {}
        for name, threads in self.subjects.items():
            if only is not None and name != only:
                continue
            extra = f", tickets: {tickets}" if tickets and threads is not None else ""
            config = (tls_block(self.pair, self.ca.cert, extra=extra) if mtls else "") + (ACCOUNTS if accounts else "")
            self._started += 1
            running[name] = Server(self.directory / str(self._started), self.hawser, config, threads)
            running[name].url = f"{'tls' if mtls else 'nats'}://{'app:app@' if accounts else ''}127.0.0.1:{running[name].port}"
        try:
            yield running
        finally:
            for server in running.values():
                server.program.kill()

    def spent(self, server, mode, **options):
        """Microseconds of the server's CPU for each of the messages, and what the client saw."""
        before = cpu_seconds(server.program.pid)
        seen = self.client.run(mode, server.url, **options)
        return (cpu_seconds(server.program.pid) - before) * 1e6 / seen["messages"], seen

    def report(self, name, mtls, more, unit, values):
        aim = AIMS[name][mtls]
        title = ", ".join([name, "mTLS" if mtls else "plain", *more])
        ratios = {who: value / values[REFERENCE] for who, value in values.items() if who != REFERENCE}
        self.results[title] = {"unit": unit, **values, "ratios": ratios, "aim": aim}
        text = "".join(f"{who} {value:8.3f}" + (f" ({ratios[who]:.2f})   " if who in ratios else "   ") for who, value in values.items())
        print(f"{title + ', ' + unit:<58}{text}" + (f"aim {aim}" if aim else ""), flush=True)


def flow(bench, name, mode, messages, delivered=1, **options):
    """CPU seconds for a million messages, in every configuration."""
    for mtls in (False, True):
        for accounts in (False, True):
            with bench.servers(mtls, accounts) as servers:
                rows = in_turn(bench.rounds, servers, lambda server, full=accounts: {
                    "cpu": bench.spent(server, mode, messages=messages, headers=full, **options)[0] / delivered})
            bench.report(name, mtls, ["accounts and headers"] if accounts else [], "CPU s/million", {n: r["cpu"] for n, r in rows.items()})


def publish(bench):
    for size, messages in MESSAGES.items():
        flow(bench, f"publish {size} B", "publish", messages, size=size)


def stream(bench):
    for size, messages in STREAMED.items():
        flow(bench, f"1 to 1 {size} B", "stream", messages, size=size)


def fan(bench):
    flow(bench, f"1 to {LISTENERS} 128 B", "stream", FANNED, delivered=LISTENERS, size=128, subscribers=LISTENERS)


def request(bench):
    """One at a time, so that nothing is gathered: CPU and latency of each."""
    for mtls in (False, True):
        for accounts in (False, True):
            def run(server):
                cpu, seen = bench.spent(server, "request", messages=REQUESTS)
                return {"CPU": cpu * 10 / 11, **seen["latency_us"]}  # a tenth more of them warmed it up

            with bench.servers(mtls, accounts) as servers:
                rows = in_turn(bench.rounds, servers, run)
            more = ["accounts"] if accounts else []
            bench.report("request CPU", mtls, more, "µs", {n: r["CPU"] for n, r in rows.items()})
            bench.report("request p50", mtls, more, "µs", {n: r["p50"] for n, r in rows.items()})
            bench.results[f"request p99, {'mTLS' if mtls else 'plain'}{', accounts' if accounts else ''}"] = {
                n: r["p99"] for n, r in rows.items()}
            print(f"{'':<58}" + "".join(f"p99 of {n} {r['p99']:.0f} µs   " for n, r in rows.items()))


def connect(bench):
    """TLS handshakes with client certificates: whole ones, and resumed ones. In both CPU ms of the server for each."""
    with bench.servers(mtls=True) as servers:
        rows = in_turn(bench.rounds, servers, lambda server: {"cpu": bench.spent(server, "connect", messages=CONNECTS)[0] / 1e3})
    bench.report("connect", True, [], "CPU ms", {n: r["cpu"] for n, r in rows.items()})
    with bench.servers(mtls=True, tickets=1) as servers:
        rows = in_turn(bench.rounds, servers, lambda server: {
            "cpu": bench.spent(server, "connect", messages=CONNECTS, resume=True)[0] / 1e3})
    bench.report("resumed", True, [], "CPU ms", {n: r["cpu"] for n, r in rows.items()})


def idle(bench):
    """Resident KiB for a connection with one subscription, in a server of its own each time."""
    for mtls in (False, True):
        def run(name, over=mtls):
            with bench.servers(over, only=name) as servers:
                server = servers[name]
                bench.client.run("connect", server.url, messages=10)
                before = server.program.resident_kib()
                arguments = bench.client.arguments("idle", server.url, messages=IDLE)
                with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as client:
                    assert client.stdout.readline() == "ready\n"
                    after = server.program.resident_kib()
                    client.stdin.close()
                return {"kib": (after - before) / IDLE}

        rows = in_turn(bench.rounds, {name: name for name in bench.subjects}, run)
        bench.report("idle", mtls, [], "KiB a connection", {n: r["kib"] for n, r in rows.items()})


PARTS = {"publish": publish, "stream": stream, "fan": fan, "request": request, "connect": connect, "idle": idle}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build/bench", help="where hawser and hawser_bench_client are")
    parser.add_argument("--hawser", help="another program to be measured, with the same client")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", default="1,2", help="of ours: one number, or several to compare")
    parser.add_argument("--only", default=",".join(PARTS), help="some of " + ",".join(PARTS))
    parser.add_argument("--out", help="JSON of all figures")
    arguments = parser.parse_args()
    build = pathlib.Path(arguments.build).resolve()
    raise_descriptor_limit()
    with tempfile.TemporaryDirectory(prefix="hawser-bench-") as directory:
        threads = [int(n) for n in arguments.threads.split(",")]
        bench = Bench(directory, build, arguments.hawser or build / "hawser", arguments.rounds, threads)
        try:
            for part in arguments.only.split(","):
                PARTS[part](bench)
        finally:
            process.end_all_left()
    if arguments.out:
        pathlib.Path(arguments.out).write_text(json.dumps(bench.results, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
