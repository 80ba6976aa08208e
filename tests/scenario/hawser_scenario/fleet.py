"""A fleet to rotate: nats-servers, each with a bundle for its clients, agents in front of them, and the plan of the rotation."""

import json
import os
import subprocess

import yaml

from .layout import InPlace
from .load import Load
from .nats_server import Cluster, NatsServer, tls_block
from .process import Program

HAWSER = os.environ["HAWSER_BIN"]
FAST = {"preflight": "20s", "reload": "10s", "probe": "10s", "deliver": "10s", "apply": "20s", "prove": "40s", "converge": "3s", "poll": "100ms"}


class Fleet:
    """The servers' own certificates stay of the first CA; clients' go from the first to the second."""

    binary = HAWSER

    def __init__(self, directory, authorities, start_agent, agents=2, servers=1, kind=NatsServer):
        self.directory = directory
        self.old, self.new = authorities
        self.before = b"# those who may come in\n" + self.old.cert.read_bytes()
        self._start_agent = start_agent
        self._agents, self._servers, self._kind = agents, servers, kind
        self.servers, self.server_pairs, self.bundles, self.agents, self.layouts, self.pairs = [], [], [], [], [], []
        self.plan_path = directory / "rotation.yaml"

    def __enter__(self):
        cluster = Cluster(self.directory, "")
        for number in range(1, self._servers + 1):
            bundle = self.directory / f"clients-{number}.crt"
            bundle.write_bytes(self.before)
            routes = [server.cluster_port for server in self.servers] if self._servers > 1 else None
            own = self.old.server()
            self.server_pairs.append((own, self.new.server()))
            server = self._kind(self.directory / f"n{number}", tls_block(own, bundle), f"n{number}", routes)
            self.servers.append(server)
            self.bundles.append(bundle)
            self.start_server(number - 1)
        if self._servers > 1:
            cluster.servers = self.servers
            cluster.wait_for_routes()
        for number in range(1, self._agents + 1):
            layout = InPlace(self.directory / f"material-{number}")
            pair = self.old.issue(f"a{number}")
            layout.put(ca=self.old.cert.read_bytes())
            layout.put_pair(pair)
            server = self.servers[number % self._servers]
            self.agents.append(self.agent_with(layout.path("cert"), layout.path("key"), f"a{number}", server, layout.path("ca")))
            self.layouts.append(layout)
            self.pairs.append((pair, self.new.issue(f"a{number}")))
        return self

    def start_server(self, number):
        """Also when it has ended: on its old ports, and its process in its file."""
        self.pid_file(number).write_text(f"{self.servers[number].start().program.pid}\n")

    def pid_file(self, number):
        return self.directory / f"n{number + 1}.pid"

    def __exit__(self, *_):
        for server in self.servers:
            server.kill()

    @property
    def server(self):
        return self.servers[0]

    @property
    def bundle(self):
        return self.bundles[0]

    def agent_with(self, cert, key, name, server=None, ca=None):
        tls = {"cert_file": str(cert), "key_file": str(key), "ca_file": str(ca or self.old.cert)}
        return self._start_agent({"type": "nats", "url": (server or self.server).url("tls"), "tls": tls}, name).wait_ready()

    def plan(self, **changes):
        """A wave of one, then a wave of the others; the dictionary, to be changed and written."""
        old_probe, new_probe = self.old.issue("probe"), self.new.issue("probe")
        pair = lambda p: {"cert_file": str(p.cert), "key_file": str(p.key)}  # noqa: E731
        targets = [self.target(number) for number in range(len(self.agents))]
        return {"name": "drill", "journal": "journal", "old_ca": str(self.old.cert), "new_ca": str(self.new.cert),
                "prober": {"old": pair(old_probe), "new": pair(new_probe), "ca_file": str(self.old.cert)},
                "brokers": [{"name": server.name, "url": server.url("tls"), "monitor": f"http://127.0.0.1:{server.monitor_port}",
                             "bundle": str(self.bundles[i]), "reload": {"pid_file": str(self.pid_file(i))}} for i, server in enumerate(self.servers)],
                "waves": [{"name": "canary", "targets": targets[:1], "settle": "200ms"}]
                + ([{"name": "others", "targets": targets[1:], "parallel": 4, "settle": "200ms"}] if targets[1:] else []),
                "guards": {"slow_consumers": 0, "counters": {"hawser_disconnects_total": 0}},
                "times": dict(FAST), **changes}

    def target(self, number):
        layout, (_, new) = self.layouts[number], self.pairs[number]
        return {"name": f"a{number + 1}", "apply": {"admin": f"http://{self.agents[number].admin}"},
                "deliver": {"files": [{"from": str(new.cert), "to": str(layout.path("cert"))}, {"from": str(new.key), "to": str(layout.path("key"))}]},
                "prove": {"certificate": str(new.cert), "connections": 1}}

    def write(self, plan):
        self.plan_path.write_text(yaml.safe_dump(plan, sort_keys=False))

    def rotate(self, what, *arguments, timeout=240, **process):
        """Exit code, standard output, standard error."""
        done = subprocess.run([HAWSER, "rotate", what, str(self.plan_path), *arguments], capture_output=True, text=True, timeout=timeout, check=False,
                              **process)
        return done.returncode, done.stdout, done.stderr

    def start_rotation(self, what="run", *arguments):
        """In the background, to be watched and killed."""
        log = self.directory / f"rotate-{os.urandom(3).hex()}.log"
        return Program([HAWSER, "rotate", what, self.plan_path, *arguments], log)

    def state(self):
        code, out, err = self.rotate("status", "--json")
        assert code == 0, err
        return json.loads(out)

    def load(self, **options):
        """Both ways through the agents."""
        there, back = self.agents[0].url, self.agents[-1].url
        defaults = {"publishers": 4, "subscribers": 4, "queue_members": 2, "requesters": 2, "shape": "literal,wildcard,queue", "rate": 300,
                    "request_rate": 20, "size": 128}
        return Load(self.directory, [there, back], [back, there], **{**defaults, **options})

    def presented(self):
        return {sha for server in self.servers for sha in server.presented().values()}

    def old_ones(self):
        return {old.sha256 for old, _ in self.pairs}

    def new_ones(self):
        return {new.sha256 for _, new in self.pairs}

    def may_come_in(self, authority):
        """Whether a fresh certificate of this CA is let in by all of them, as another program sees it; they have to agree."""
        pair = authority.issue("visitor")
        codes = {subprocess.run([HAWSER, "rtt", "-s", server.url("tls"), "--tlscert", pair.cert, "--tlskey", pair.key, "--tlsca", self.old.cert,
                                 "--count", "1"], capture_output=True, timeout=60, check=False, cwd=self.directory).returncode
                 for server in self.servers}
        assert codes in ({0}, {3}), codes
        return codes == {0}
