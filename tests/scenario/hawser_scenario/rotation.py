"""A line under load whose certificates are swapped: the setting that every rotation scenario shares."""

from .load import Load
from .nats_server import NatsServer, tls_block
from .pki import bundle
from .waiting import wait_until


class Line:
    """A server that trusts two CAs, an agent with its material in a layout, and clients on both sides of the agent.

    Clients that connect directly present one certificate that never changes, so that the agent's connections are the others.
    """

    def __init__(self, directory, authorities, layout_class, server_config=""):
        self.directory = directory
        self.authorities = authorities
        self.both = bundle(directory / "both.crt", *authorities)
        self.direct = authorities[0].issue("direct")
        self.server_tls = tls_block(authorities[0].server(), self.both)
        self.server = NatsServer(directory / "broker", self.server_tls + server_config)
        self.layout = layout_class(directory / "material")
        self.pair = authorities[0].issue("agent")
        self.layout.put(ca=self.both.read_bytes())
        self.layout.put_pair(self.pair)
        self.issued = 0
        self.links = 0  # that the agent has, counted when the load is ready
        self.cluster = None

    def broker(self, url=None, **changes):
        tls = {"cert_file": str(self.layout.path("cert")), "key_file": str(self.layout.path("key")),
               "ca_file": str(self.layout.path("ca"))}
        return {"type": "nats", "url": url or self.server.url("tls"), "tls": tls, **changes}

    def load(self, agent, direct_url=None, user="", **options):
        """Half of everything behind the agent, half of it directly at the server."""
        direct = direct_url or self.server.url("tls", user)
        defaults = {"publishers": 4, "subscribers": 2, "queue_members": 4, "requesters": 2, "churners": 2, "headers": True, "size": 128,
                    "shape": "literal,wildcard,overlap,queue,self", "rate": 500, "request_rate": 50,
                    "tls_ca": self.both, "tls_cert": self.direct.cert, "tls_key": self.direct.key}
        return Load(self.directory, [agent.url, direct], [direct, agent.url],
                    on_ready=lambda: self.count_links(self.cluster.servers if self.cluster else None), **{**defaults, **options})

    def agent_presents(self, servers=None):
        """Fingerprints that the broker saw from the agent's connections, one each."""
        servers = servers or [self.server]
        return [sha for server in servers for sha in server.presented().values() if sha != self.direct.sha256]

    def swap(self, deliver=None):
        """The next pair, from the other CA, written in the layout's way; until the broker sees nothing else."""
        self.issued += 1
        self.pair = self.authorities[self.issued % 2].issue("agent")
        (deliver or self.layout.put_pair)(self.pair)
        self.wait_presented(self.cluster.servers if self.cluster else None)

    def count_links(self, servers=None):
        self.links = len(self.agent_presents(servers))
        assert self.links, "the agent has no connection"

    def wait_presented(self, servers=None, deadline=20):
        """Until the broker sees as many connections of the agent as there were, and the newest certificate on all of them."""
        wanted = [self.pair.sha256] * self.links
        wait_until(lambda: self.agent_presents(servers) == wanted, deadline,
                   lambda: f"the broker sees {self.links} times {self.pair.sha256}; it sees {self.agent_presents(servers)}")
