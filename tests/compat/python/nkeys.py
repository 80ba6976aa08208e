"""The few calls that nats.py makes of the PyPI package `nkeys`, with Debian's python3-nacl, so that its NKey tests can run."""

import base64
import binascii

import nacl.signing

SEED_PREFIX = 18 << 3  # 'S'


class NkeysError(Exception):
    pass


class ErrInvalidSeed(NkeysError):
    pass


def _crc16(data):
    return binascii.crc_hqx(bytes(data), 0).to_bytes(2, "little")


def _encode(raw):
    return base64.b32encode(raw + _crc16(raw)).rstrip(b"=")


class KeyPair:
    def __init__(self, seed, prefix):
        self.seed = seed
        self._prefix = prefix
        self._key = nacl.signing.SigningKey(seed_bytes(seed))

    def sign(self, data):
        return self._key.sign(bytes(data)).signature

    @property
    def public_key(self):
        return _encode(bytes([self._prefix]) + bytes(self._key.verify_key))

    def wipe(self):
        self._key = None
        self.seed[:] = b"*" * len(self.seed)


def seed_bytes(seed):
    raw = decode(seed)
    if len(raw) != 34 or raw[0] & 0xF8 != SEED_PREFIX:
        raise ErrInvalidSeed()
    return raw[2:]


def decode(text):
    try:
        raw = base64.b32decode(bytes(text) + b"=" * (-len(text) % 8))
    except binascii.Error:
        raise ErrInvalidSeed() from None
    if _crc16(raw[:-2]) != raw[-2:]:
        raise ErrInvalidSeed()
    return raw[:-2]


def from_seed(seed):
    raw = decode(seed)
    return KeyPair(seed, (raw[0] & 7) << 5 | (raw[1] & 0xF8) >> 3)
