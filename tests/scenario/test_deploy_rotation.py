"""deploy/*/rotation: the plans that are handed out are good, and their programs rotate real servers, agents and clients.

kubectl, systemctl and ssh are stand-ins that do to processes on loopback what the real ones would have done to Pods, units and machines.
"""

import base64
import json
import os
import pathlib
import shutil
import signal
import subprocess

import pytest
import yaml
from hawser_scenario.errors import KnownError
from hawser_scenario.nats_server import NatsServer, tls_block
from hawser_scenario.waiting import wait_until

DEPLOY = pathlib.Path(__file__).parents[2] / "deploy"
HAWSER = os.environ["HAWSER_BIN"]
DONE, NOT_SO = 0, 1

KUBECTL = """#!/usr/bin/python3
import base64, json, os, pathlib, signal, subprocess, sys
world = pathlib.Path(__file__).resolve().parent.parent
words = sys.argv[1:]
def option(name):
    at = words.index(name)
    value = words[at + 1]
    del words[at:at + 2]
    return value
namespace, command = option("-n") if "--" not in words or words.index("-n") < words.index("--") else None, words[0]
if words[:2] == ["create", "configmap"]:
    file = next(word.partition("ca.crt=")[2] for word in words if word.startswith("--from-file=ca.crt="))
    assert "--dry-run=client" in words
    print(json.dumps({"kind": "ConfigMap", "metadata": {"name": words[2]}, "data": {"ca.crt": open(file).read()}}))
elif command == "apply":
    name = option("-f")
    thing = json.loads(sys.stdin.read() if name == "-" else open(name).read())
    if thing["kind"] == "ConfigMap":
        pod = thing["metadata"]["name"].removesuffix("-clients")
        (world / "on-its-way" / pod).write_text(thing["data"]["ca.crt"])
    else:
        for key, value in thing["data"].items():
            file = world / "secrets" / thing["metadata"]["name"] / key
            beside = file.with_suffix(".next")
            beside.write_bytes(base64.b64decode(value))
            os.replace(beside, file)
elif command == "exec" and words[words.index("--") + 1:] == ["cat", "/etc/nats-clients/ca.crt"]:
    held, coming, asked = (world / name / words[1] for name in ("held", "on-its-way", "asked"))
    # The kubelet brings it in its own time: between the first question and the second.
    if coming.exists() and asked.exists():
        os.replace(coming, held)
        asked.unlink()
    elif coming.exists():
        asked.touch()
    sys.stdout.write(held.read_text())
elif command == "exec" and words[words.index("--") + 1:] == ["nats-server", "--signal", "reload"]:
    os.kill(int((world / "pids" / words[1]).read_text()), signal.SIGHUP)
elif words[:2] == ["rollout", "restart"]:
    subprocess.run([world / "restart" / words[2].removeprefix("deployment/")], check=True)
elif words[:2] == ["rollout", "status"]:
    assert words[2].startswith("deployment/")
else:
    sys.exit(f"not expected: {sys.argv}")
"""

# `systemctl VERB UNIT` runs the file hosts/HOST/UNIT.VERB.
SYSTEMCTL = """#!/bin/sh
exec "{world}/hosts/${{FAKE_HOST:-here}}/$2.$1"
"""

# Another machine has its own /etc, and its own units.
SSH = """#!/usr/bin/python3
import os, sys
assert sys.argv[1:3] == ["-o", "BatchMode=yes"], sys.argv
host, command = sys.argv[3], " ".join(sys.argv[4:]).replace("{world}/etc/", "{world}/hosts/" + sys.argv[3] + "/etc/")
os.execve("/bin/sh", ["sh", "-c", command], {{**os.environ, "FAKE_HOST": host}})
"""


def write_program(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def write_pair(pair, cert, key):
    for source, to in ((pair.cert, cert), (pair.key, key)):
        pathlib.Path(to).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, to)


class World:
    """A copy of the example, the files that it names, the stand-ins, and what they stand for."""

    def __init__(self, kind, directory, authorities, stack):
        self.world, self.stack = directory, stack
        self.old, self.new = authorities
        self.here = directory / "plan"
        shutil.copytree(DEPLOY / kind / "rotation", self.here)
        text = (self.here / "plan.yaml").read_text().replace("/etc/", f"{directory}/etc/").replace("/var/lib/hawser/", f"{directory}/var/")
        self.plan = yaml.safe_load(text)
        self.before = b"# those who may come in\n" + self.old.cert.read_bytes()
        self.servers, self.pairs = [], {}

    def path(self, name):
        return self.here / name

    def put_files(self):
        """Everything that the plan reads."""
        prober = self.plan["prober"]
        for authority, pair, ca in ((self.old, prober["old"], "old_ca"), (self.new, prober["new"], "new_ca")):
            write_pair(authority.issue("probe"), self.path(pair["cert_file"]), self.path(pair["key_file"]))
            shutil.copy(authority.cert, self.path(self.plan[ca]))
        shutil.copy(self.old.cert, self.path(prober["ca_file"]))
        for target in self.targets():
            name = target["name"]
            self.pairs[name] = self.old.issue(name), self.new.issue(name)
            cert = target["prove"]["certificate"]
            write_pair(self.pairs[name][1], self.path(cert), self.path(cert).with_suffix(".key"))
            old = cert.replace("/new/", "/old/")
            write_pair(self.pairs[name][0], self.path(old), self.path(old).with_suffix(".key"))
            for copy in target["deliver"].get("files", []):
                part = self.pairs[name][0].key if copy["to"].endswith(".key") else self.pairs[name][0].cert
                pathlib.Path(copy["to"]).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(part, copy["to"])
        for broker in self.plan["brokers"]:
            bundle = self.path(broker["bundle"])
            bundle.parent.mkdir(parents=True, exist_ok=True)
            bundle.write_bytes(self.before)

    def targets(self):
        return [target for wave in self.plan["waves"] for target in wave["targets"]]

    def write_plan(self):
        for wave in self.plan["waves"]:
            wave["settle"] = "200ms"
        self.plan["times"].update(converge="3s", sample="200ms")
        (self.here / "plan.yaml").write_text(yaml.safe_dump(self.plan, sort_keys=False))

    def rotate(self, what, *arguments):
        environment = {**os.environ, "PATH": f"{self.world}/bin:{os.environ['PATH']}"}
        done = subprocess.run([HAWSER, "rotate", what, "plan.yaml", *arguments], cwd=self.here, env=environment, capture_output=True, text=True,
                              timeout=240, check=False)
        return done.returncode, done.stdout + done.stderr

    def start_server(self, number, held):
        """The broker's server, which reads the bundle `held`; the plan is told where it is."""
        broker = self.plan["brokers"][number]
        held.parent.mkdir(parents=True, exist_ok=True)
        held.write_bytes(self.before)
        server = self.stack.enter_context(NatsServer(self.world / "servers" / broker["name"], tls_block(self.old.server(), held), broker["name"]))
        broker.update(url=server.url("tls"), monitor=f"http://127.0.0.1:{server.monitor_port}")
        self.servers.append(server)
        return server.program.pid

    def client_program(self, program, name, count, cert, key):
        """A program that ends the clients which it started before, and starts new ones: what a restart comes to."""
        pids = self.world / "clients" / name
        pids.parent.mkdir(parents=True, exist_ok=True)
        write_program(program, f"""#!/bin/sh
[ -f {pids} ] && kill $(cat {pids})
: >{pids}
for i in $(seq {count}); do
  {HAWSER} sub {name}.news -s {self.servers[-1].url("tls")} --tlscert {cert} --tlskey {key} --tlsca {self.old.cert} --connection-name {name} >/dev/null 2>&1 &
  echo $! >>{pids}
done
""")
        subprocess.run([program], check=True, timeout=20)
        self.stack.callback(lambda: [os.kill(int(pid), signal.SIGKILL) for pid in pids.read_text().split()])
        wait_until(lambda: len([c for server in self.servers for c in server.connections(name)]) == count, 20, f"{count} clients {name}")

    def presented(self):
        return {sha for server in self.servers for sha in server.presented().values()}

    def straggler(self):
        pair = self.old.issue("straggler")
        self.client_program(self.world / "straggler", "straggler", 1, pair.cert, pair.key)
        return pair


class Kubernetes(World):
    def __init__(self, directory, authorities, start_agent, stack):
        super().__init__("kubernetes", directory, authorities, stack)
        write_program(directory / "bin" / "kubectl", KUBECTL)
        for name in ("on-its-way", "asked", "held", "pids", "restart", "secrets"):
            (directory / name).mkdir()
        self.put_files()
        for number, broker in enumerate(self.plan["brokers"]):
            (directory / "pids" / broker["name"]).write_text(str(self.start_server(number, directory / "held" / broker["name"])))
        self.held = [directory / "held" / broker["name"] for broker in self.plan["brokers"]]
        for name, (old, new) in self.pairs.items():
            for age, pair in (("old", old), ("new", new)):
                data = {key: base64.b64encode(part.read_bytes()).decode() for key, part in (("tls.crt", pair.cert), ("tls.key", pair.key))}
                manifest = self.here / "secrets" / age / f"{name}.yaml"
                manifest.parent.mkdir(parents=True, exist_ok=True)
                manifest.write_text(json.dumps({"kind": "Secret", "metadata": {"name": f"{name}-nats-tls"}, "data": data}))
            write_pair(old, *self.secret(name))
        self.client_program(directory / "restart" / "reports", "reports", 1, *self.secret("reports"))
        self.client_program(directory / "restart" / "billing", "billing", 3, *self.secret("billing"))
        cert, key = self.secret("orders")
        for number in range(2):
            start_agent({"type": "nats", "url": self.servers[number].url("tls"),
                         "tls": {"cert_file": str(cert), "key_file": str(key), "ca_file": str(self.old.cert)}}, f"orders-{number}").wait_ready()
        self.write_plan()

    def secret(self, name):
        return [self.world / "secrets" / f"{name}-nats-tls" / key for key in ("tls.crt", "tls.key")]


class Systemd(World):
    def __init__(self, directory, authorities, start_agent, stack):
        super().__init__("systemd", directory, authorities, stack)
        write_program(directory / "bin" / "systemctl", SYSTEMCTL.format(world=directory))
        write_program(directory / "bin" / "ssh", SSH.format(world=directory))
        self.put_files()
        there = directory / "hosts" / "n2.example.com" / "etc" / "nats" / "clients.crt"
        self.held = [directory / "etc" / "nats" / "clients.crt", there]
        for number, host in enumerate(("here", "n2.example.com")):
            self.unit(host, "nats-server.service", "reload", self.start_server(number, self.held[number]))
        self.client_program(directory / "hosts" / "here" / "billing.service.restart", "billing", 1,
                            *(directory / "etc" / "billing" / "tls" / name for name in ("tls.crt", "tls.key")))
        for host, name in (("here", "agent"), ("orders.example.com", "orders")):
            etc = directory / "etc" if host == "here" else directory / "hosts" / host / "etc"
            cert, key = (etc / "hawser" / "tls" / file for file in ("tls.crt", "tls.key"))
            write_pair(self.pairs[name][0], cert, key)
            agent = start_agent({"type": "nats", "url": self.servers[0].url("tls"),
                                 "tls": {"cert_file": str(cert), "key_file": str(key), "ca_file": str(self.old.cert)}}, name).wait_ready()
            if host == "here":
                self.plan["waves"][0]["targets"][0]["apply"] = {"admin": f"http://{agent.admin}"}
            else:
                self.unit(host, "hawser-agent.service", "reload", agent.program.pid)
        self.write_plan()

    def unit(self, host, unit, verb, pid):
        write_program(self.world / "hosts" / host / f"{unit}.{verb}", f"#!/bin/sh\nkill -HUP {pid}\n")


KINDS = {"kubernetes": Kubernetes, "systemd": Systemd}


@pytest.mark.parametrize("kind", KINDS)
def test_the_example_is_a_whole_plan_that_lacks_nothing_but_its_files(kind, tmp_path, authorities, stack):
    shutil.copytree(DEPLOY / kind / "rotation", tmp_path / "as-it-is")
    done = subprocess.run([HAWSER, "rotate", "plan", "plan.yaml", "--json"], cwd=tmp_path / "as-it-is", capture_output=True, text=True, timeout=60,
                          check=False)
    assert done.returncode == NOT_SO, done.stderr
    plan = json.loads(done.stdout)
    assert plan["brokers"] >= 2 and plan["targets"] >= 3 and plan["problems"]
    assert [problem for problem in plan["problems"] if not problem["message"].endswith("No such file or directory")] == []
    world = World(kind, tmp_path / "world", authorities, stack)
    world.put_files()
    world.write_plan()
    code, out = world.rotate("plan")
    assert code == DONE, out
    code, out = world.rotate("run", "--dry-run")
    assert code == DONE and "write new trust alone" in out, out


@pytest.mark.parametrize("kind", KINDS)
def test_the_example_rotates_real_servers_and_their_clients(kind, tmp_path, authorities, start_agent, stack):
    world = KINDS[kind](tmp_path, authorities, start_agent, stack)
    assert world.presented() == {old.sha256 for old, _ in world.pairs.values()}
    code, out = world.rotate("run")
    assert code == DONE, out
    assert world.presented() == {new.sha256 for _, new in world.pairs.values()}
    assert {held.read_text().count("BEGIN CERTIFICATE") for held in world.held} == {1}


@pytest.mark.parametrize("kind", KINDS)
def test_the_example_goes_back_when_somebody_holds_on_to_an_old_certificate(kind, tmp_path, authorities, start_agent, stack):
    world = KINDS[kind](tmp_path, authorities, start_agent, stack)
    straggler = world.straggler()
    code, out = world.rotate("run")
    assert code == NOT_SO and KnownError("rotation_not_converged").id in out and "CN=straggler" in out, out
    code, out = world.rotate("rollback")
    assert code == DONE, out
    assert world.presented() == {old.sha256 for old, _ in world.pairs.values()} | {straggler.sha256}
    assert {held.read_bytes() for held in world.held} == {world.before}
