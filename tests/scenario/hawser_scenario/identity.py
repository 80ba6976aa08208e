"""NKeys, JWTs and creds files for test servers; openssl does the Ed25519, so nothing of Hawser is trusted with it."""

import base64
import hashlib
import json
import pathlib
import time

from .pki import openssl

_PREFIX = {"user": 20 << 3, "account": 0, "operator": 14 << 3}
_SEED = 18 << 3


def _crc16(data):
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = ((crc << 1) ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


def _encode(data):
    return base64.b32encode(data + _crc16(data).to_bytes(2, "little")).decode().rstrip("=")


def _base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class NKey:
    """A new key pair of a kind: user, account or operator."""

    def __init__(self, directory, kind="user"):
        der = openssl("genpkey", "-algorithm", "ed25519", "-outform", "DER")
        public = openssl("pkey", "-inform", "DER", "-pubout", "-outform", "DER", input=der)[-32:]
        prefix = _PREFIX[kind]
        self.public = _encode(bytes([prefix]) + public)
        self.seed = _encode(bytes([_SEED | prefix >> 5, (prefix & 31) << 3]) + der[-32:])
        self._key = pathlib.Path(directory) / f"{self.public}.der"
        self._key.write_bytes(der)
        self._key.chmod(0o600)

    def seed_file(self, path):
        path = pathlib.Path(path)
        path.write_text(self.seed + "\n")
        path.chmod(0o600)
        return path

    def sign(self, data):
        message = self._key.with_suffix(".message")
        message.write_bytes(data)
        return openssl("pkeyutl", "-sign", "-rawin", "-keyform", "DER", "-inkey", self._key, "-in", message)

    def jwt(self, subject, name, nats, expires=None):
        """A JWT about `subject`, signed by this key."""
        claims = {"iat": int(time.time()), "iss": self.public, "sub": subject, "name": name, "nats": {**nats, "version": 2}}
        if expires is not None:
            claims["exp"] = int(expires)
        digest = hashlib.new("sha512_256", json.dumps(claims).encode()).digest()
        claims["jti"] = base64.b32encode(digest).decode().rstrip("=")
        head = _base64url(json.dumps({"typ": "JWT", "alg": "ed25519-nkey"}).encode())
        text = f"{head}.{_base64url(json.dumps(claims).encode())}"
        return f"{text}.{_base64url(self.sign(text.encode()))}"


class Operator:
    """An operator with one account, which has two signing keys, for a nats-server with a memory resolver."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self._operator = NKey(self.directory, "operator")
        self._account = NKey(self.directory, "account")
        self.signing_keys = [NKey(self.directory, "account"), NKey(self.directory, "account")]

    def server_config(self):
        operator = self._operator.jwt(self._operator.public, "test", {"type": "operator"})
        unlimited = {"subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": True, "conn": -1,
                     "leaf": -1}
        account = self._operator.jwt(self._account.public, "test", {"type": "account", "limits": unlimited,
                                                                   "signing_keys": [key.public for key in self.signing_keys]})
        return f"operator: {operator}\nresolver: MEMORY\nresolver_preload {{ {self._account.public}: {account} }}\n"

    def user(self, name, expires=None, signed_with=None):
        """The text of a creds file for a new user, and the user's public key; signed by the account or one of its signing keys."""
        key = NKey(self.directory, "user")
        claims = {"type": "user", "subs": -1, "data": -1, "payload": -1}
        if signed_with is not None:
            claims["issuer_account"] = self._account.public
        jwt = (signed_with or self._account).jwt(key.public, name, claims, expires)
        text = (f"-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n"
                "************************* IMPORTANT *************************\n"
                f"-----BEGIN USER NKEY SEED-----\n{key.seed}\n------END USER NKEY SEED------\n")
        return text, key.public
