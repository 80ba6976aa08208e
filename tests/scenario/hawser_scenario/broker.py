"""`hawser broker` with any configuration, driven exactly as a nats-server is."""

import os

from .nats_server import NatsServer


class HawserBroker(NatsServer):
    command = [os.environ["HAWSER_BIN"], "broker"]
