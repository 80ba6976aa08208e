#!/usr/bin/python3
"""What the disk queue does behind the agent, as ratios of one run. See README.md.

    /usr/bin/python3 bench/queue.py --build build/bench [--rounds 3] [--messages 1000000] [--out FILE]

enqueue   messages a second that a client publishes and flushes each 1,000, without a server, over the same with one
drain     messages a second that leave the queue once the server is back, over plain publishing through the agent
cost      CPU of the agent for a published message with the queue turned on, over the same without it, while a server is there
"""

import argparse
import json
import os
import pathlib
import statistics
import tempfile
import time

from measuring import raise_descriptor_limit

from hawser_scenario import process  # found by way of measuring
from hawser_scenario.agent import Agent
from hawser_scenario.nats_server import NatsServer
from hawser_scenario.raw_client import RawClient
from hawser_scenario.waiting import wait_until

FLUSH_EVERY = 1000
SIZE = 128


def publish(agent, messages):
    """Seconds until the last flush is answered; one flush is under way at a time."""
    chunk = (f"PUB bench.queue {SIZE}\r\n".encode() + b"x" * SIZE + b"\r\n") * FLUSH_EVERY + b"PING\r\n"
    with RawClient(agent.listen, timeout=60) as client:
        client.flush()
        started = time.monotonic()
        for _ in range(messages // FLUSH_EVERY):
            client.send(chunk)
            client.expect(b"PONG")
        return time.monotonic() - started


def stream(agent, messages):
    """The same with a single flush at the end."""
    chunk = (f"PUB bench.queue {SIZE}\r\n".encode() + b"x" * SIZE + b"\r\n") * FLUSH_EVERY
    with RawClient(agent.listen, timeout=60) as client:
        client.flush()
        started = time.monotonic()
        for _ in range(messages // FLUSH_EVERY):
            client.send(chunk)
        client.flush()
        return time.monotonic() - started


def drained(agent, server, before, messages):
    """Seconds from the first message that leaves the queue to the last."""
    server.start()
    count = lambda: agent.value("hawser_queue_drained_total") - before
    wait_until(lambda: count() > 0, 30, "draining begins")
    first, started = count(), time.monotonic()
    wait_until(lambda: count() >= messages, 300, "the queue is drained")
    return (time.monotonic() - started) * messages / max(messages - first, 1)


def one_round(directory, messages, number):
    server = NatsServer(directory / f"server{number}").start()
    broker = {"type": "nats", "url": server.url()}
    queue = {"persistence": {"enabled": True, "path": str(directory / f"queue{number}")}, "limits": {"max_pending": 10 * messages}}
    row = {}
    for name, settings in (("without", {}), ("with", queue)):
        with Agent(directory / f"{name}{number}", {**broker, **settings}) as agent:
            agent.wait_ready()
            stream(agent, messages // 10)  # warm
            before = agent.program.cpu_seconds()
            row[f"stream {name}"] = stream(agent, messages)
            row[f"cpu {name}"] = agent.program.cpu_seconds() - before
            if name == "with":
                row["flushed"] = publish(agent, messages)
                already = agent.value("hawser_queue_drained_total")
                server.kill()
                wait_until(lambda watched=agent: watched.value("circuit_breaker_state", breaker="nats") != 0, 20, "the server is away")
                row["enqueue"] = publish(agent, messages)
                row["drain"] = drained(agent, server, already, messages)
    server.kill()
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build/bench", help="where hawser is")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--out", help="JSON of all figures")
    arguments = parser.parse_args()
    os.environ.setdefault("HAWSER_BIN", str(pathlib.Path(arguments.build).resolve() / "hawser"))
    raise_descriptor_limit()
    rows = []
    with tempfile.TemporaryDirectory(prefix="hawser-bench-") as directory:
        try:
            rows = [one_round(pathlib.Path(directory), arguments.messages, i) for i in range(arguments.rounds)]
        finally:
            process.end_all_left()
    seconds = {name: statistics.median(row[name] for row in rows) for name in rows[0]}
    results = {
        "enqueue over publishing, a flush each 1,000": statistics.median(row["flushed"] / row["enqueue"] for row in rows),
        "drain over publishing": statistics.median(row["stream with"] / row["drain"] for row in rows),
        "CPU with the queue over without": statistics.median(row["cpu with"] / row["cpu without"] for row in rows),
    }
    for name, value in results.items():
        print(f"{name:<48}{value:6.2f}")
    for name, value in seconds.items():
        print(f"{name + (', CPU s' if name.startswith('cpu') else ', messages/s'):<48}"
              + (f"{value:10.3f}" if name.startswith("cpu") else f"{arguments.messages / value:10,.0f}"))
    if arguments.out:
        pathlib.Path(arguments.out).write_text(json.dumps({**results, "seconds": seconds}, indent=1) + "\n")


if __name__ == "__main__":
    main()
