"""An operator with accounts and users as JWTs, servers that trust it, and clients that come with such JWTs."""

import json
import pathlib
import time

from .identity import NKey, _base64url
from .raw_client import RawClient

UNLIMITED = {"subs": -1, "data": -1, "payload": -1}
_ACCOUNT_LIMITS = {**UNLIMITED, "imports": -1, "exports": -1, "wildcards": True, "conn": -1, "leaf": -1}


class User:
    """A key and its JWT."""

    def __init__(self, key, jwt, name):
        self.key, self.jwt, self.name = key, jwt, name

    @property
    def public(self):
        return self.key.public

    def creds(self, path):
        path = pathlib.Path(path)
        path.write_text(f"-----BEGIN NATS USER JWT-----\n{self.jwt}\n------END NATS USER JWT------\n\n"
                        f"-----BEGIN USER NKEY SEED-----\n{self.key.seed}\n------END USER NKEY SEED------\n")
        path.chmod(0o600)
        return path

    def connect(self, server, **connect):
        """A client past CONNECT; what it hears comes with next_line()."""
        client = RawClient(f"{server.host}:{server.port}", handshake=False)
        sig = _base64url(self.key.sign(client.info["nonce"].encode())) if "sig" not in connect else connect.pop("sig")
        options = {"verbose": False, "pedantic": False, "headers": True, "no_responders": True, "protocol": 1,
                   "jwt": self.jwt, "sig": sig, "name": self.name, **connect}
        client.send(b"CONNECT " + json.dumps(options).encode() + b"\r\nPING\r\n")
        return client

    def joined(self, server, **connect):
        client = self.connect(server, **connect)
        client.expect(b"PONG")
        return client

    def refused(self, server, text=b"-ERR 'Authorization Violation'", **connect):
        with self.connect(server, **connect) as client:
            client.expect(text)
            assert client.closed() == b""


class Account:
    """`nats` is what its JWT says besides limits; changes to it and to `limits` show in the next jwt()."""

    def __init__(self, world, name, **nats):
        self.world, self.name, self.nats, self.limits = world, name, nats, dict(_ACCOUNT_LIMITS)
        self.key = NKey(world.directory, "account")

    @property
    def public(self):
        return self.key.public

    def jwt(self, signed_by=None, expires=None):
        claims = {"type": "account", "limits": self.limits, **self.nats}
        return (signed_by or self.world.key).jwt(self.public, self.name, claims, expires)

    def user(self, name, signed_by=None, expires=None, limits=None, **nats):
        key = NKey(self.world.directory, "user")
        claims = {"type": "user", **(UNLIMITED if limits is None else limits), **nats}
        if signed_by is not None:
            claims["issuer_account"] = self.public
        return User(key, (signed_by or self.key).jwt(key.public, name, claims, expires), name)

    def activation(self, importer, subject, kind, expires=None):
        return self.key.jwt(importer.public, subject, {"type": "activation", "subject": subject, "kind": kind}, expires)

    def revoke(self, user):
        self.nats.setdefault("revocations", {})[getattr(user, "public", user)] = int(time.time())


class World:
    """An operator with a system account."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.key = NKey(self.directory, "operator")
        self.signing_key = NKey(self.directory, "operator")
        self.system = Account(self, "SYS")
        self.admin = self.system.user("admin")

    def jwt(self, signing_keys=()):
        claims = {"type": "operator", "system_account": self.system.public, "signing_keys": [key.public for key in signing_keys]}
        return self.key.jwt(self.key.public, "test", claims)

    def account(self, name, **nats):
        return Account(self, name, **nats)

    def config(self, *accounts, resolver="MEMORY", signing_keys=()):
        preload = "\n".join(f"{one.public}: {one.jwt()}" for one in (self.system, *accounts))
        return (f"operator: {self.jwt(signing_keys)}\nresolver: {resolver}\nresolver_preload {{\n{preload}\n}}\n"
                "max_control_line: 16KB\n")

    def full(self, directory, *accounts, more="", **rest):
        return self.config(*accounts, resolver=f'{{ type: full, dir: "{directory}", allow_delete: true {more} }}', **rest)


class Admin:
    """A client of the system account that brings, lists and looks up accounts."""

    def __init__(self, world, server):
        self.client = world.admin.joined(server)
        self.client.subscribe("reply.>", 9)
        self._count = 0

    def ask(self, subject, payload=b""):
        """The answer's bytes."""
        self._count += 1
        reply = f"reply.{self._count}"
        payload = payload if isinstance(payload, bytes) else payload.encode()
        self.client.send(f"PUB {subject} {reply} {len(payload)}\r\n".encode() + payload + b"\r\n")
        return self.answer(reply)

    def answer(self, reply=None):
        """The next message."""
        subject, payload = self.client.message()
        assert reply is None or subject == reply, subject
        return payload

    def push(self, token):
        return json.loads(self.ask("$SYS.REQ.CLAIMS.UPDATE", token))

    def pushed(self, account, **jwt):
        """As it is now; the server has taken it."""
        answer = self.push(account.jwt(**jwt))
        assert answer.get("data", {}).get("code") == 200, answer
        return answer["data"]

    def accounts(self):
        return set(json.loads(self.ask("$SYS.REQ.CLAIMS.LIST"))["data"])
