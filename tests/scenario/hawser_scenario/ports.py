"""Ports for listeners that end and come back: from below the kernel's own range, so that no outgoing connection takes one
meanwhile, nor reaches itself while nobody listens."""

import random
import socket

_random = random.SystemRandom()


def quiet_port(host="127.0.0.1"):
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        below = int(file.read().split()[0])
    for _ in range(200):
        port = _random.randrange(10000, below)
        with socket.socket() as probe:
            try:
                probe.bind((host, port))
                return port
            except OSError:
                continue
    raise AssertionError("no free port below the kernel's range")
