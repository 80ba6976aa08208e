"""Real nats-servers: one with any configuration, or a cluster of three; ports are the kernel's choice and kept over restarts."""

import glob
import json
import os
import pathlib
import shutil
import signal
import urllib.request

from .process import Program
from .waiting import wait_until


def tls_block(pair, ca, verify=True, extra=""):
    return (f'tls {{ cert_file: "{pair.cert}", key_file: "{pair.key}", ca_file: "{ca}", verify: {str(verify).lower()}, '
            f"timeout: 10 {extra} }}\n")


class NatsServer:
    """`config` is nats-server's configuration without ports. Use as a context manager, or start() and kill()."""

    command = [shutil.which("nats-server") or "/usr/sbin/nats-server"]
    monitor_flag = "-m"
    host = "127.0.0.1"  # before start(): another loopback address, as it stands in a URL

    def __init__(self, directory, config="", name="broker", cluster=None):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.config_path = self.directory / "nats-server.conf"
        self._cluster = cluster
        self.port = self.monitor_port = self.cluster_port = None
        self.program = None
        self.write_config(config)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()

    def write_config(self, config):
        text = f'server_name: "{self.name}"\nmax_payload: 1MB\nlame_duck_grace_period: "5s"\nlame_duck_duration: "30s"\n'
        if self._cluster is not None:
            routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in self._cluster)
            own = f"127.0.0.1:{self.cluster_port or -1}"
            text += f'cluster {{ name: "three", listen: "{own}", routes: [{routes}] }}\n'
        self.config_path.write_text(text + config)

    def start(self, port=None, deadline=20.0):
        ports = self.directory / "ports"
        ports.mkdir(exist_ok=True)
        for stale in glob.glob(f"{ports}/*"):
            os.unlink(stale)
        arguments = [*self.command, "-c", self.config_path, "-a", self.host.strip("[]"), "-p", port or self.port or -1,
                     self.monitor_flag, self.monitor_port or -1, "--ports_file_dir", ports]
        self.program = Program(arguments, self.directory / "nats-server.log")
        file = f"{ports}/nats-server_{self.program.pid}.ports"
        try:
            listening = wait_until(lambda: self._read_ports(file), deadline, f"{self.name} writes its ports")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.program.tail()}") from None
        self.port = port_of(listening["nats"][0])
        self.monitor_port = port_of(listening["monitoring"][0])
        if self._cluster is not None:
            self.cluster_port = port_of(listening["cluster"][0])
        return self

    def _read_ports(self, file):
        if not self.program.running:
            raise AssertionError(f"{self.name} ended:\n{self.program.tail()}")
        text = pathlib.Path(file).read_text() if os.path.exists(file) else ""
        return json.loads(text) if text.endswith("}") else None

    def url(self, scheme="nats", user=""):
        return f"{scheme}://{user}{self.host}:{self.port}"

    def stop(self):
        return self.program.stop()

    def kill(self):
        if self.program is not None:
            self.program.kill()

    def freeze(self):
        """Returns when every thread of it stands still, which takes a busy machine a while."""
        self.program.signal(signal.SIGSTOP)
        wait_until(lambda: self.program.thread_states() == {"T"}, 10, f"{self.name} stands still")

    def thaw(self):
        self.program.signal(signal.SIGCONT)

    def lame_duck(self):
        self.program.signal(signal.SIGUSR2)

    def reload(self, config=None):
        """New configuration taken up; the server itself says so."""
        if config is not None:
            self.write_config(config)
        before = self.varz()["config_load_time"]
        self.program.signal(signal.SIGHUP)
        wait_until(lambda: self.varz()["config_load_time"] != before, 10, lambda: f"reload\n{self.program.tail(5)}")

    def monitor(self, path):
        with urllib.request.urlopen(f"http://{self.host}:{self.monitor_port}/{path}", timeout=10) as answer:
            return json.load(answer)

    def varz(self):
        return self.monitor("varz")

    def connections(self, name=None):
        """/connz?auth=1; those of clients with this name only."""
        rows = self.monitor("connz?auth=1&limit=10000&subs=1").get("connections") or []
        return [row for row in rows if name is None or row.get("name") == name]

    def admitted(self):
        """Connections that got as far as CONNECT; attempts that end before it are listed as connections, too."""
        return [row for row in self.connections() if row.get("lang")]

    def presented(self):
        """The fingerprint of the certificate that each connection presented, by its id."""
        return {row["cid"]: row["tls_peer_certs"][0]["cert_sha256"] for row in self.connections() if row.get("tls_peer_certs")}


def port_of(url):
    return int(url.rpartition(":")[2])


class Cluster:
    """Three servers with routes between all of them."""

    def __init__(self, directory, config):
        self.servers = []
        self._directory = pathlib.Path(directory)
        self._config = config

    def __enter__(self):
        for i in range(3):
            routes = [server.cluster_port for server in self.servers]
            server = NatsServer(self._directory / f"n{i}", self._config, f"n{i}", routes).start()
            self.servers.append(server)
        self.wait_for_routes()
        return self

    def __exit__(self, *_):
        for server in self.servers:
            server.kill()

    def wait_for_routes(self):
        for server in self.servers:
            wait_until(lambda s=server: len(self._peers(s)) == 2, 20, f"{server.name} sees two others")

    @staticmethod
    def _peers(server):
        return {route["remote_id"] for route in server.monitor("routez").get("routes") or []}

    def restart(self, server):
        """Starts a server that has ended again, on its old ports and with routes to all the others."""
        server._cluster = [other.cluster_port for other in self.servers if other is not server]
        server.write_config(self._config)
        server.start()
        self.wait_for_routes()
