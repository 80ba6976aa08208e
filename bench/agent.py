#!/usr/bin/python3
"""What the agent costs, against direct mTLS from the same client, as ratios of one run. See README.md.

    /usr/bin/python3 bench/agent.py --build build/bench [--rounds 5] [--only throughput,request,cpu,memory,pause] [--out FILE]
"""

import argparse
import json
import os
import pathlib
import statistics
import tempfile

from measuring import Client, in_turn, raise_descriptor_limit, tls_options

from hawser_scenario import pki, process  # found by way of measuring
from hawser_scenario.agent import Agent
from hawser_scenario.layout import Rename
from hawser_scenario.load import Load
from hawser_scenario.nats_server import NatsServer, tls_block
from hawser_scenario.proxy import CuttingProxy
from hawser_scenario.raw_client import RawClient
from hawser_scenario.waiting import wait_until

MESSAGES = {16: 2_000_000, 128: 1_000_000, 4096: 150_000}
IDLE_CLIENTS = 2000
SPLICES = 40
# How a client without the agent reconnects: at once, the best that can be; and after the two seconds that are the default of
# nats.go, nats.c and most others.
RECONNECTS = {"reconnecting at once": (1, SPLICES), "reconnecting by default": (2000, 5)}


class Bench:
    """A server with mTLS, agents in front of it, and the client that measures."""

    def __init__(self, directory, build, rounds, with_agent):
        self.directory = pathlib.Path(directory)
        self.rounds = rounds
        self.with_agent = with_agent
        self.ca = pki.Ca(self.directory / "ca", "bench")
        self.pair = self.ca.issue("client")
        self.client = Client(build, self.tls_options())
        self.layout = Rename(self.directory / "material")
        self.layout.put(ca=self.ca.cert.read_bytes())
        self.layout.put_pair(self.pair)
        self.server = NatsServer(self.directory / "broker", tls_block(self.ca.server(), self.ca.cert)).start()
        self.direct = self.server.url("tls")
        self.agents = []

    def agent(self, name, port=None):
        tls = {"cert_file": str(self.layout.path("cert")), "key_file": str(self.layout.path("key")),
               "ca_file": str(self.layout.path("ca"))}
        url = f"tls://127.0.0.1:{port}" if port else self.direct
        started = Agent(self.directory / name, {"type": "nats", "url": url, "tls": tls}).start().wait_ready()
        self.agents.append(started)
        return started

    def close(self):
        for agent in self.agents:
            agent.program.kill()
        self.server.kill()

    def tls_options(self):
        return tls_options(self.ca, self.pair)

    def measure(self, mode, url, sub_url=None, **options):
        return self.client.run(mode, url, sub_url=sub_url or url, **options)

    def in_turn(self, paths, run):
        return in_turn(self.rounds, paths, run)


def throughput(bench, results):
    """Messages a second, published and confirmed; and from one publisher to one subscriber."""
    agents = [bench.agent("one"), bench.agent("two")] if bench.with_agent else []
    for size, messages in MESSAGES.items():
        paths = {"direct": (bench.direct,)}
        if agents:
            paths["agent"] = (agents[0].url,)
        rows = bench.in_turn(paths, lambda p: {"per_second": bench.measure("publish", p[0], size=size, messages=messages)["per_second"]})
        report(results, f"publish {size} B, messages/s", {n: r["per_second"] for n, r in rows.items()})
    for size in (128, 4096):
        paths = {"direct": (bench.direct, bench.direct)}
        if agents:
            paths |= {"agent": (agents[0].url, bench.direct), "agent subscribes": (bench.direct, agents[1].url),
                      "both": (agents[0].url, agents[1].url)}
        rows = bench.in_turn(paths, lambda p: {"per_second": bench.measure("stream", *p, size=size, messages=MESSAGES[size] // 2)["per_second"]})
        report(results, f"1 to 1 {size} B, messages/s", {n: r["per_second"] for n, r in rows.items()})


def request(bench, results):
    """Latency of a request, in µs: the ratio matters less than what is added."""
    agents = [bench.agent("requests"), bench.agent("replies")] if bench.with_agent else []
    paths = {"direct": (bench.direct, bench.direct)}
    if agents:
        paths |= {"agent": (agents[0].url, bench.direct), "both": (agents[0].url, agents[1].url)}
    rows = bench.in_turn(paths, lambda p: bench.measure("request", *p, messages=5000)["latency_us"])
    for percentile in ("p50", "p99"):
        values = {n: r[percentile] for n, r in rows.items()}
        report(results, f"request {percentile}, µs", values)
        for name in values:
            if name != "direct":
                results[f"request {percentile} added by {name}, µs"] = values[name] - values["direct"]


def cpu(bench, results):
    """CPU seconds of the agent for a million 128-byte messages, each direction; of nats-server and the client beside it."""
    messages = MESSAGES[128]
    agent = bench.agent("cpu") if bench.with_agent else None

    def run(path):
        mode, url, sub_url = path
        watched = {"server": bench.server.program, **({"agent": agent.program} if agent else {})}
        before = {name: program.cpu_seconds() for name, program in watched.items()}
        done = bench.measure(mode, url, sub_url, size=128, messages=messages)
        used = {name: (program.cpu_seconds() - before[name]) * 1e6 / messages for name, program in watched.items()}
        return {**used, "client": done["cpu_seconds"] * 1e6 / messages}

    paths = {"publish direct": ("publish", bench.direct, None), "stream direct": ("stream", bench.direct, bench.direct)}
    if agent:
        paths |= {"publish by agent": ("publish", agent.url, None), "subscribe by agent": ("stream", bench.direct, agent.url)}
    for name, row in bench.in_turn(paths, run).items():
        results[f"CPU s/million 128 B, {name}"] = row
        print(f"{'CPU s per million, ' + name:<44}" + "".join(f"{who} {value:7.3f}   " for who, value in row.items()))


def memory(bench, results):
    """KiB of the agent for each idle client with its mTLS upstream."""
    if not bench.with_agent:
        return
    agent = bench.agent("memory")
    with RawClient(agent.listen):
        before = agent.program.resident_kib()
        clients = [RawClient(agent.listen, timeout=60) for _ in range(IDLE_CLIENTS)]
        for client in clients:
            client.subscribe("idle")
            client.flush()
        per_client = (agent.program.resident_kib() - before) / len(clients)
        for client in clients:
            client.socket.close()
    results["KiB for an idle client"] = per_client
    print(f"{'KiB for an idle client':<44}{per_client:.1f}")


def pause_statistics(windows):
    latencies = sorted(window["latency_us"]["max"] / 1000 for window in windows)
    return {"p50": statistics.median(latencies), "p99": latencies[min(len(latencies) - 1, int(len(latencies) * 0.99))]}


def pause(bench, results):
    """The longest that a message took around each change of certificate (ms), published behind the agent and heard outside,
    and the same for a client whose connection is closed and that reconnects by itself."""
    options = {"publishers": 1, "subscribers": 1, "subjects": 1, "shape": "literal", "rate": 2000, "size": 128, "send_asap": True,
               **bench.tls_options()}
    rows, lost = {}, {}
    for name, (wait_ms, times) in RECONNECTS.items():
        rows[name], lost[name] = reconnecting(bench, wait_ms, times, options)
    if bench.with_agent:
        agent = bench.agent("pause")
        with Load(bench.directory, agent.url, bench.direct, **options) as load:
            windows, quiet = [], []
            for _ in range(SPLICES):
                settle(load)
                quiet.append(load.mark())
                bench.pair = bench.ca.issue("client")
                done = agent.value("hawser_splices_total")
                bench.layout.put_pair(bench.pair)
                wait_until(lambda d=done: agent.value("hawser_splices_total") >= d + 2, 20,
                           "the client's session and the agent's own have spliced")
                settle(load, keep=True)
                windows.append(load.mark())
            rows |= {"splice": pause_statistics(windows), "no change": pause_statistics(quiet)}
            lost["splice"] = load.stop()["lost"]
    for name, row in rows.items():
        results[f"publish pause ms, {name}"] = {**row, **({"lost": lost[name]} if name in lost else {})}
        print(f"{'publish pause ms, ' + name:<44}p50 {row['p50']:8.1f}   p99 {row['p99']:8.1f}   lost {lost.get(name, 0)}")


def reconnecting(bench, wait_ms, times, options):
    """Pauses and losses of a client that connects directly and whose connection is cut this often."""
    with CuttingProxy(bench.server.port) as proxy:
        with Load(bench.directory, f"tls://127.0.0.1:{proxy.port}", bench.direct, reconnect_wait_ms=wait_ms, **options) as load:
            windows = []
            for _ in range(times):
                settle(load)
                known = load.status()["client"]["reconnects"]
                proxy.cut_all()
                wait_until(lambda k=known, running=load: running.status()["client"]["reconnects"] > k, 20, "reconnected")
                settle(load, keep=True)
                windows.append(load.mark())
            return pause_statistics(windows), load.stop()["lost"]


def settle(load, keep=False):
    """Until 200 more messages (100 ms) have gone through; then, unless `keep`, a new window."""
    received = load.status()["received"]
    wait_until(lambda: load.status()["received"] > received + 200, 20, "messages flow")
    if not keep:
        load.mark()


def report(results, name, values):
    direct = values["direct"]
    results[name] = {**values, "ratios": {n: v / direct for n, v in values.items() if n != "direct"}}
    print(f"{name:<44}" + "".join(f"{n} {v:,.0f}" + (f" ({v / direct:.2f})   " if n != "direct" else "   ") for n, v in values.items()))


PARTS = {"throughput": throughput, "request": request, "cpu": cpu, "memory": memory, "pause": pause}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build/bench", help="where hawser, hawser_bench_client and hawser_load are")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default=",".join(PARTS), help="some of " + ",".join(PARTS))
    parser.add_argument("--out", help="JSON of all figures")
    parser.add_argument("--direct-only", action="store_true", help="without the agent")
    arguments = parser.parse_args()
    build = pathlib.Path(arguments.build).resolve()
    os.environ.setdefault("HAWSER_BIN", str(build / "hawser"))
    os.environ["HAWSER_LOAD"] = str(build / "hawser_load")
    raise_descriptor_limit()
    results = {}
    with tempfile.TemporaryDirectory(prefix="hawser-bench-") as directory:
        bench = Bench(directory, build, arguments.rounds, not arguments.direct_only)
        try:
            for part in arguments.only.split(","):
                PARTS[part](bench, results)
        finally:
            bench.close()
            process.end_all_left()
    if arguments.out:
        pathlib.Path(arguments.out).write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
