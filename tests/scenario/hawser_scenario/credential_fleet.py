"""Fleets whose credentials are rotated: identities of an operator with a full resolver, or users in a server's configuration."""

import json
import os
import pathlib
import shlex
import subprocess

from .fleet import FAST, HAWSER, Fleet
from .id_store import Store
from .identity import NKey
from .nats_server import NatsServer, tls_block
from .waiting import wait_until

ACCOUNT = "prod"


def secret(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o600)
    return path


class CredentialFleet(Fleet):
    """Servers with mutual TLS, agents in front of them; what is secret lies in `old`, `new`, and where agents read it, `used`."""

    def __init__(self, directory, ca, start_agent, kind=NatsServer, tls_first=False):
        self.directory, self.ca, self._start_agent, self._kind = pathlib.Path(directory), ca, start_agent, kind
        self.tls_first = tls_first  # before INFO
        self.client, self.server_pair = ca.issue("client"), ca.server()
        self.bundles = [self.directory / "clients.crt"]
        self.bundle.write_bytes(ca.cert.read_bytes())
        self.servers, self.agents, self.names = [], [], []
        self.plan_path = self.directory / "rotation.yaml"

    def __enter__(self):
        return self

    def serve(self, config, routes=None):
        name = f"n{len(self.servers) + 1}"
        self.servers.append(self._kind(self.directory / name, config, name, routes))
        self.start_server(len(self.servers) - 1)

    def tls(self):
        return tls_block(self.server_pair, self.bundle, extra=", handshake_first: true" if self.tls_first else "")

    @property
    def tls_flags(self):
        first = ["--tlsfirst"] if self.tls_first else []
        return ["--tlscert", str(self.client.cert), "--tlskey", str(self.client.key), "--tlsca", str(self.ca.cert), *first]

    def other_agent(self, name, server=None, **auth):
        """One that is no target, and that no load goes through."""
        tls = {"cert_file": str(self.client.cert), "key_file": str(self.client.key), "ca_file": str(self.ca.cert)}
        tls.update({"handshake_first": True} if self.tls_first else {})
        return self._start_agent({"type": "nats", "url": (server or self.server).url("tls"), "tls": tls, "auth": auth}, name).wait_ready()

    def agent(self, name, server=None, **auth):
        self.agents.append(self.other_agent(name, server, **auth))
        self.names.append(name)

    def plan(self, old, new, broker, targets, **changes):
        """`old` and `new`: the prober's; `broker`: how the first one is broadened and narrowed. A wave of one, then a wave of the others."""
        brokers = [{"name": server.name, "url": server.url("tls"), "monitor": f"http://127.0.0.1:{server.monitor_port}"} for server in self.servers]
        brokers[0].update(broker, tls_first=self.tls_first)
        waves = [{"name": "canary", "targets": targets[:1], "settle": "200ms"}]
        if targets[1:]:
            waves.append({"name": "others", "targets": targets[1:], "parallel": 4, "settle": "200ms"})
        return {"kind": "credentials", "name": "credentials", "journal": "journal", **changes,
                "prober": {"old": old, "new": new, "ca_file": str(self.ca.cert), "cert_file": str(self.client.cert), "key_file": str(self.client.key)},
                "brokers": brokers, "waves": waves,
                "guards": {"slow_consumers": 0, "counters": {"hawser_disconnects_total": 0}} if self.agents else {}, "times": dict(FAST)}

    def file_target(self, number, new, used, **prove):
        name = self.names[number]
        return {"name": name, "apply": {"admin": f"http://{self.agents[number].admin}"},
                "deliver": {"files": [{"from": str(new), "to": str(used)}]}, "prove": {"credential": str(new), **prove}}

    def script(self, name, *lines):
        path = self.directory / name
        path.write_text("#!/bin/sh\nset -e\n" + "".join(f"{line}\n" for line in lines))
        path.chmod(0o755)
        return path

    def may_come_in(self, *flags):
        """Whether another program is let in with this credential by all servers; they have to agree."""
        codes = {subprocess.run([HAWSER, "rtt", "-s", server.url("tls"), *self.tls_flags, *map(str, flags), "--count", "1"], capture_output=True,
                                timeout=60, check=False, cwd=self.directory).returncode for server in self.servers}
        assert codes in ({0}, {3}), codes
        return codes == {0}

    def users(self):
        return {row.get("authorized_user") for server in self.servers for row in server.admitted()}

    def shown(self):
        """Everything that a rotation has kept or says of itself."""
        texts = [self.rotate("report")[1], self.rotate("report", "--json")[1], self.rotate("status")[1]]
        return "\n".join(texts) + "".join(path.read_bytes().decode(errors="replace") for path in (self.directory / "journal").iterdir())


class OperatorFleet(CredentialFleet):
    """An account with a signing key, users a1, a2 and probe, and agents with the creds of a1 and a2, at different servers if there are several."""

    def __init__(self, *args, servers=1, **kwargs):
        super().__init__(*args, **kwargs)
        self.id, self._count = Store(self.directory), servers

    def __enter__(self):
        self.id.run("operator add ops --signing-key --system-account")
        self.id.run(f"account add {ACCOUNT}")
        self.id.run(f"account edit {ACCOUNT} --signing-key generate")
        for user in ("a1", "a2", "probe"):
            self.id.run(f"user add {user} --account {ACCOUNT}")
            self.creds("old", user)
        for number in range(self._count):
            config = self.id.run("server-config", "--resolver", "full", "--dir", self.directory / f"jwt-{number}", "--tls-cert", self.server_pair.cert,
                                 "--tls-key", self.server_pair.key, "--tls-ca", self.ca.cert).stdout
            self.serve(config, [one.cluster_port for one in self.servers] if self._count > 1 else None)
        for server in self.servers:
            wait_until(lambda s=server: s.monitor("routez")["num_routes"] >= self._count - 1, 20, f"{server.name} sees the others")
        self.id.run("push", "-s", self.server.url("tls"), *self.tls_flags)
        for number, name in enumerate(("a1", "a2")):
            used = secret(self.used(name), (self.directory / "old" / f"{name}.creds").read_text())
            self.agent(name, self.servers[number % self._count], creds_file=str(used))
        return self

    def used(self, name):
        return self.directory / "used" / f"{name}.creds"

    def creds(self, age, user):
        path = self.directory / age / f"{user}.creds"
        path.parent.mkdir(exist_ok=True)
        self.id.run("creds", "--account", ACCOUNT, "--name", user, "-o", path)
        return path

    def claims(self, user):
        return self.id.json(f"user show {user} --account {ACCOUNT}")

    def signing_keys(self):
        return self.id.json(f"account show {ACCOUNT}")["nats"].get("signing_keys", [])

    def id_lines(self, *commands):
        """Lines of a script that run `hawser id` on the store, and then push."""
        environment = f"export HAWSER_ID_STORE={self.id.root}"
        push = ["push", "--account", ACCOUNT, "-s", self.server.url("tls"), *self.tls_flags]
        return [environment, *(shlex.join([HAWSER, "id", *map(str, words)]) for words in [*commands, push])]

    def change(self, name, commands, back):
        return {"command": [str(self.script(name, *self.id_lines(*commands)))], "undo": [str(self.script(f"{name}-undo", *self.id_lines(*back)))]}

    def targets(self):
        return [self.file_target(number, self.directory / "new" / f"{name}.creds", self.used(name)) for number, name in enumerate(self.names)]

    def rotated_users(self):
        """New keys and creds for everybody; the plan, which revokes the old keys."""
        users = ("a1", "a2", "probe")
        old = {user: self.claims(user)["sub"] for user in users}
        for user in users:
            self.id.run("rotate", "user", user, "--account", ACCOUNT, "--overlap", "24h")
            self.creds("new", user)
        new = {user: self.claims(user)["sub"] for user in users}
        words = [["user", "revoke", key, "--account", ACCOUNT] for key in old.values()]
        narrow = self.change("revoke", words, [[*one, "--undo"] for one in words])
        return old, new, self.operator_plan({"narrow": narrow})

    def rotated_signing_key(self):
        """The account has a new signing key and everybody new creds; the plan, which pushes the account with both keys, then with the new one."""
        before = set(self.signing_keys())
        self.id.run(f"rotate account {ACCOUNT} --overlap 24h")
        (old,), (new,) = before, set(self.signing_keys()) - before
        for user in ("a1", "a2", "probe"):
            self.creds("new", user)
        edit = ["account", "edit", ACCOUNT]
        broaden = self.change("broaden", [], [])  # on the way back the account keeps the new key, which nobody uses
        narrow = self.change("narrow", [[*edit, "--rm-signing-key", old]], [[*edit, "--signing-key", old]])
        return old, new, self.operator_plan({"broaden": broaden, "narrow": narrow}, retires=[old])

    def operator_plan(self, broker, **changes):
        probes = [{"creds_file": str(self.directory / age / "probe.creds")} for age in ("old", "new")]
        return self.plan(*probes, broker, self.targets(), **changes)


class UserFleet(CredentialFleet):
    """Users in a file of the server: of an agent that stays as it is, of agents with NKeys, and of clients that a command restarts."""

    STAYS = "svc"

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.passwords = {}
        self.keys = {age: NKey(self.directory) for age in ("old", "new")}

    def __enter__(self):
        self.file("old", {self.STAYS, "probe-1", "kate-1"})
        self.file("both", {self.STAYS, "probe-1", "kate-1", "probe-2", "kate-2"}, ("old", "new"))
        self.file("new", {self.STAYS, "probe-2", "kate-2"}, ("new",))
        (self.directory / "n1").mkdir()
        self.users_file.write_bytes((self.directory / "old.conf").read_bytes())
        self.before = self.users_file.read_bytes()
        self.serve(self.tls() + 'include "users.conf"\n')
        return self

    @property
    def users_file(self):
        return self.directory / "n1" / "users.conf"

    def password(self, user):
        if user not in self.passwords:
            self.passwords[user] = f"pw-{os.urandom(9).hex()}"
            secret(self.password_file(user), self.passwords[user])
        return self.passwords[user]

    def password_file(self, user):
        return self.directory / "secrets" / user

    def file(self, name, users, keys=("old",)):
        rows = [f'{{user: "{user}", password: "{self.password(user)}"}}' for user in sorted(users)]
        rows += [f"{{nkey: {self.keys[age].public}}}" for age in keys]
        (self.directory / f"{name}.conf").write_text(f"# {name}\nauthorization {{ users: [\n  " + "\n  ".join(rows) + "\n] }\n")

    def broker(self):
        files = {age: {"files": [{"from": str(self.directory / f"{age}.conf"), "to": str(self.users_file)}]} for age in ("both", "new")}
        return {"broaden": files["both"], "narrow": files["new"], "reload": {"pid_file": str(self.pid_file(0))}}

    def probes(self):
        return [{"user": user, "password_file": str(self.password_file(user))} for user in ("probe-1", "probe-2")]

    def flags_of(self, user):
        return ("--user", user, "--password-file", self.password_file(user))


class Restarted:
    """A client whose user is in its flags: a script starts it anew with what stands in a file."""

    def __init__(self, fleet, name, user):
        self.fleet, self.name = fleet, name
        self.flags, self.pid = fleet.directory / f"{name}.flags", fleet.directory / f"{name}.pid"
        flags = shlex.join(map(str, ["-s", fleet.server.url("tls"), *fleet.tls_flags, "--connection-name", name]))
        self.script = fleet.script(f"restart-{name}", f"if [ -f {self.pid} ]; then kill $(cat {self.pid}) || true; fi",
                                   f"{HAWSER} sub {name}.news {flags} $(cat {self.flags}) >/dev/null 2>&1 &", f"echo $! > {self.pid}")
        self.restart(user)

    def cids(self):
        return {row["cid"] for row in self.fleet.server.connections(self.name) if row.get("lang")}

    def restart(self, user):
        """With what its flags say, until the server sees it as this user."""
        self.flags.write_text(self.words(user))
        subprocess.run([str(self.script)], check=True, timeout=20)
        wait_until(lambda: self.seen_as() == {user}, 20, f"{self.name} is there as {user}")

    def words(self, user):
        return shlex.join(map(str, self.fleet.flags_of(user)))

    def seen_as(self):
        return {row.get("authorized_user") for row in self.fleet.server.connections(self.name) if row.get("lang")}

    def target(self, new, **prove):
        words = self.fleet.directory / f"{self.name}.{new}.flags"
        words.write_text(self.words(new))
        return {"name": self.name, "deliver": {"files": [{"from": str(words), "to": str(self.flags)}]}, "apply": {"command": [str(self.script)]},
                "prove": {"user": new, "name": self.name, **prove}}

    def end(self):
        os.kill(int(self.pid.read_text()), 9)


def steps_of(fleet):
    return [step["name"] for step in json.loads(fleet.rotate("report", "--json")[1])["steps"] if step["mark"] == "done"]
