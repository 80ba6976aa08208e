"""A token as the only credential of a server, and the two ways in which users can take its place."""

import json
import os
import shlex
import sys

from .credential_fleet import CredentialFleet, Restarted, UserFleet, secret
from .nats_server import NatsServer


class TokenFleet(UserFleet):
    """A server whose one token is in its command line, as `nats-server --auth` has it: the only way in which users can be beside it."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.token = f"tk-{os.urandom(9).hex()}"
        secret(self.password_file("token"), self.token)

    def __enter__(self):
        self.file("both", {"probe-2", "kate-2"}, ())
        (self.directory / "n1").mkdir()
        self.users_file.write_text("")
        self.before = self.users_file.read_bytes()
        self.serve(self.tls() + 'include "users.conf"\n')
        return self

    def start_server(self, number):
        self.server.command = [*NatsServer.command, "--auth", self.token]
        super().start_server(number)

    def broker(self):
        """Narrowed by a start without the token; the way back is one with it."""
        own, pid, log = self.server, self.pid_file(0), self.directory / "restarted.log"
        words = lambda *more: shlex.join(map(str, [*NatsServer.command, *more, "-c", own.config_path, "-a", own.host, "-p", own.port,  # noqa: E731
                                                   "-m", own.monitor_port]))
        again = [f"kill $(cat {pid})", f"while [ -e /proc/$(cat {pid})/exe ]; do sleep 0.05; done"]
        narrow, back = (self.script(name, *again, f"{words(*more)} >{log} 2>&1 &", f"echo $! > {pid}",
                                   f"until grep -q 'Server is ready' {log}; do sleep 0.05; done")
                        for name, more in (("without-token", []), ("with-token", ["--auth", self.token])))
        broaden = {"files": [{"from": str(self.directory / "both.conf"), "to": str(self.users_file)}]}
        return {"broaden": broaden, "narrow": {"command": [str(narrow)], "undo": [str(back)]}, "reload": {"pid_file": str(pid)}}

    def probes(self):
        return [{"token_file": str(self.password_file("token"))}, {"user": "probe-2", "password_file": str(self.password_file("probe-2"))}]

    def flags_of(self, user):
        return ("--token-file", self.password_file("token")) if user == self.token else super().flags_of(user)

    def __exit__(self, *_):
        os.kill(int(self.pid_file(0).read_text()), 9)
        super().__exit__()


class ConfiguredTokenFleet(TokenFleet):
    """A token in the server's configuration, which has no room for users beside it: clients present both for a while."""

    def __enter__(self):
        self.file("new", {"probe-2", "kate-2"}, ())
        (self.directory / "n1").mkdir()
        self.before = f'authorization {{ token: "{self.token}" }}\n'.encode()
        self.users_file.write_bytes(self.before)
        self.serve(self.tls() + 'include "users.conf"\n')
        return self

    def start_server(self, number):
        CredentialFleet.start_server(self, number)

    def broker(self):
        files = [{"from": str(self.directory / "new.conf"), "to": str(self.users_file)}]
        return {"narrow": {"files": files}, "reload": {"pid_file": str(self.pid_file(0))}}

    def probes(self):
        old, new = super().probes()
        return [old, {**new, **old}]


BOTH = """import json, socket, ssl, sys, time
host, port, cert, key, ca, words = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
context.load_cert_chain(cert, key)
while True:
    try:
        plain = socket.create_connection((host, int(port)), 10)
        plain.recv(65536)
        line = context.wrap_socket(plain, server_hostname=host)
        hello = {"verbose": False, "pedantic": False, "lang": "python", "version": "1", "protocol": 1, **json.load(open(words))}
        line.sendall(b"CONNECT " + json.dumps(hello).encode() + b"\\r\\nPING\\r\\n")
        line.settimeout(None)
        while text := line.recv(65536):
            if b"PING" in text:
                line.sendall(b"PONG\\r\\n")
    except OSError:
        pass
    time.sleep(0.1)
"""


class PresentsBoth(Restarted):
    """The same with a library that has a token and a user in one CONNECT, as nats.go does; it connects again by itself."""

    def __init__(self, fleet, name, user):
        self.fleet, self.name = fleet, name
        self.flags, self.pid, program = fleet.directory / f"{name}.json", fleet.directory / f"{name}.pid", fleet.directory / "both.py"
        program.write_text(BOTH)
        words = [sys.executable, program, "127.0.0.1", fleet.server.port, fleet.client.cert, fleet.client.key, fleet.ca.cert, self.flags]
        self.script = fleet.script(f"restart-{name}", f"if [ -f {self.pid} ]; then kill $(cat {self.pid}) || true; fi",
                                   f"{shlex.join(map(str, words))} >/dev/null 2>&1 &", f"echo $! > {self.pid}")
        self.restart(user)

    def words(self, user):
        hello = {"name": self.name, "auth_token": self.fleet.token}
        return json.dumps(hello if user == self.fleet.token else {**hello, "user": user, "pass": self.fleet.password(user)})
