"""`hawser rotate` and what has to be restarted: three workers with nats.go, moved in waves by a script, without losing a piece of work."""

import collections
import json
import os
import pathlib
import signal

import pytest
from hawser_scenario.fleet import Fleet
from hawser_scenario.others import build_go
from hawser_scenario.publisher import Publisher
from hawser_scenario.waiting import wait_until

DONE = 0
WORKERS = ("w1", "w2", "w3")


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    directory = tmp_path_factory.mktemp("go")
    return {name: build_go(name, directory / name) for name in ("worker", "publisher")}


class Workers:
    """Plain clients, started and restarted by the script that a plan names."""

    def __init__(self, fleet, program):
        self.fleet = fleet
        self.directory = fleet.directory / "workers"
        self.directory.mkdir()
        self.pairs = {name: (fleet.old.issue(name), fleet.new.issue(name)) for name in WORKERS}
        self.script = self.directory / "restart"
        self.script.write_text(f"""#!/bin/sh
# restart NAME: the worker finishes what it has and ends; another one takes its place.
cd {self.directory} || exit 1
if [ -f "$1.pid" ]; then
  kill "$(cat "$1.pid")"
  until grep -q drained "$1.log"; do sleep 0.05; done
fi
{program} -url {fleet.server.url("tls")} -name "$1" -subject work.items -cert "$1.crt" -key "$1.key" -ca {fleet.old.cert} -out "$1.done" >"$1.log" 2>&1 &
echo $! >"$1.pid"
""")
        self.script.chmod(0o755)
        for name, (old, _) in self.pairs.items():
            self.path(name, "crt").write_bytes(old.cert.read_bytes())
            self.path(name, "key").write_bytes(old.key.read_bytes())

    def path(self, name, kind):
        return self.directory / f"{name}.{kind}"

    def target(self, name):
        _, new = self.pairs[name]
        return {"name": name, "deliver": {"files": [{"from": str(new.cert), "to": str(self.path(name, "crt"))},
                                                    {"from": str(new.key), "to": str(self.path(name, "key"))}]},
                "apply": {"command": [str(self.script), name]}, "prove": {"certificate": str(new.cert), "name": name, "connections": 1}}

    def connections(self):
        """Fingerprints by client name, as the server shows them."""
        return {row["name"]: row["tls_peer_certs"][0]["cert_sha256"] for row in self.fleet.server.admitted() if row.get("name") in WORKERS}

    def done(self):
        """How often each piece of work was done."""
        lines = [self.path(name, "done").read_text().split() for name in WORKERS if self.path(name, "done").exists()]
        return collections.Counter(int(number) for numbers in lines for number in numbers)

    def end(self):
        for name in WORKERS:
            if self.path(name, "pid").exists():
                os.kill(int(self.path(name, "pid").read_text()), signal.SIGKILL)


def test_three_workers_that_are_restarted_in_waves_lose_no_piece_of_work(tmp_path, authorities, start_agent, stack, programs):
    fleet = stack.enter_context(Fleet(tmp_path, authorities, start_agent))
    workers = Workers(fleet, programs["worker"])
    stack.callback(workers.end)
    for name in WORKERS:
        os.spawnl(os.P_WAIT, workers.script, "restart", name)
    old = {name: pair[0].sha256 for name, pair in workers.pairs.items()}
    wait_until(lambda: workers.connections() == old, 30, lambda: f"the workers are there: {workers.connections()}")
    plan = fleet.plan()
    plan["waves"] += [{"name": "first-worker", "settle": "200ms", "targets": [workers.target("w1")]},
                      {"name": "other-workers", "settle": "200ms", "parallel": 1, "targets": [workers.target("w2"), workers.target("w3")]}]
    fleet.write(plan)
    with Publisher(tmp_path, [programs["publisher"]], fleet.agents[0].url, "work", subject="work.items", rate=500) as work:
        wait_until(lambda: len(workers.done()) > 200, 30, "work is done")
        code, out, err = fleet.rotate("run", "--json")
        assert code == DONE, out + err
        confirmed = work.finish()
    assert workers.connections() == {name: pair[1].sha256 for name, pair in workers.pairs.items()}
    proofs = {step["name"]: step["detail"] for step in json.loads(out)["steps"]}
    assert all(workers.pairs[name][1].sha256[:16] in proofs[f"prove: {name}"] for name in WORKERS), proofs
    assert confirmed > 500
    wait_until(lambda: len(workers.done()) >= confirmed, 20, lambda: f"{len(workers.done())} of {confirmed} pieces are done")
    assert workers.done() == collections.Counter(range(1, confirmed + 1)), "each piece once"
    assert fleet.may_come_in(fleet.new) and not fleet.may_come_in(fleet.old)
    assert pathlib.Path(workers.path("w1", "log")).read_text() == "ready\n"
