"""What scenarios of the disk queue share: a server whose stream keeps what arrives, a network that can be cut, an agent with a queue."""

from .agent import Agent
from .capture import Capture, capturing_server
from .network import Network
from .ports import quiet_port
from .queue import Queue, with_queue
from .waiting import wait_until


class QueueLine:
    """A server with a stream, a network that can be cut, an agent with a disk queue."""

    def __init__(self, directory, stack, config="", **connect_options):
        self.directory, self._stack = directory, stack
        self.server = capturing_server(directory, stack, config)
        self.capture = Capture(self.server, **connect_options).create()
        self.network = stack.enter_context(Network(self.server.port))
        self.queue = Queue(directory)
        self.agent = None

    def start(self, fallback=None, limits=None, auth=None, ready=True, env=None, **persistence):
        broker = with_queue({"type": "nats", "url": self.network.url()}, self.directory, fallback, limits, **persistence)
        if auth:
            broker["auth"] = auth
        ports = {"listen": f"127.0.0.1:{quiet_port()}", "admin": f"127.0.0.1:{quiet_port()}"}
        self.agent = self._stack.enter_context(Agent(self.directory / "agent", broker, agent=ports, env=env))
        return self.agent.wait_ready() if ready else self.agent

    def cut(self):
        """Until the agent knows that no server is there."""
        self.network.cut_off()
        wait_until(lambda: self.breaker() == 1, 20, lambda: f"the breaker is open\n{self.agent.program.tail()}")

    def mend(self):
        self.network.accept_again()
        self.agent.wait_ready(30)

    def breaker(self):
        return self.agent.value("circuit_breaker_state", breaker="nats")

    def drained(self, deadline=40):
        wait_until(lambda: self.agent.ready() and self.agent.value("hawser_queue_messages") == 0, deadline,
                   lambda: f"the queue drains\n{self.agent.program.tail()}")

    def payloads(self):
        return [message.payload for message in self.capture.read()]
