"""The network between an agent and its server, as a TCP proxy that can do what networks do: hold, delay, swallow, close one
way, reset, refuse. Faults apply to what is connected and, where it makes sense, to what connects meanwhile."""

import contextlib
import socket
import struct
import threading
import time

from .ports import quiet_port

_ABORT = struct.pack("ii", 1, 0)
UP, DOWN = "to the server", "to the agent"


def _reset(s):
    with contextlib.suppress(OSError):
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
    with contextlib.suppress(OSError):
        s.shutdown(socket.SHUT_RDWR)
    s.close()


class _Connection:
    """One proxied connection: a thread each way."""

    def __init__(self, network, agent, server):
        self.network = network
        self.agent, self.server = agent, server
        self.swallowed = False
        self.closed = False
        self._open_ways = 2
        self.threads = [threading.Thread(target=self._copy, args=way, daemon=True)
                        for way in ((agent, server, UP), (server, agent, DOWN))]
        for thread in self.threads:
            thread.start()

    def _copy(self, source, sink, way):
        try:
            while data := source.recv(65536):
                data = self.network.pass_on(self, way, data)
                if data:
                    sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            self.reset()
        finally:
            self.network.way_ended(self)

    def way_ended(self):
        self._open_ways -= 1
        if self._open_ways == 0:
            self.agent.close()
            self.server.close()
        return self._open_ways == 0

    def reset(self):
        """Both ends see a reset; whatever was under way is gone."""
        self.closed = True
        for s in (self.agent, self.server):
            _reset(s)

    def end_way(self, way):
        """FIN one way; the other goes on."""
        with contextlib.suppress(OSError):
            (self.server if way == UP else self.agent).shutdown(socket.SHUT_WR)


class Network:
    """Listens on a loopback port and forwards to `target_port`. Held bytes stay held until let_go() or reset()."""

    def __init__(self, target_port):
        self.target_port = target_port
        self.port = quiet_port()
        self.accepted = 0
        self._state = threading.Condition()
        self._holding = set()     # ways
        self._swallowing = set()  # ways
        self._delay = 0.0
        self._connections = set()
        self._listener = None
        self._listen()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.refuse()
        self.reset()
        with self._state:
            self._holding.clear()
            self._delay = 0.0
            self._state.notify_all()

    def url(self, scheme="nats"):
        return f"{scheme}://127.0.0.1:{self.port}"

    def _listen(self):
        listener = socket.create_server(("127.0.0.1", self.port), backlog=1024)
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _accept(self, listener):
        while True:
            try:
                agent, _ = listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.target_port))
            except OSError:
                _reset(agent)
                continue
            for s in (agent, server):
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._state:
                self.accepted += 1
                if listener is not self._listener:  # refused meanwhile
                    _reset(agent)
                    _reset(server)
                    return
                self._connections.add(_Connection(self, agent, server))

    def pass_on(self, connection, way, data):
        """What of it goes on now; called by a connection's threads."""
        with self._state:
            delay = self._delay
            while way in self._holding and not connection.closed:
                self._state.wait()
            if way in self._swallowing and not connection.closed:
                first, connection.swallowed = not connection.swallowed, True
                return data[:len(data) // 2] if first else b""  # torn in the middle of a frame
            if connection.swallowed:
                return b""  # nothing after a gap: TCP would not either
        if delay:
            time.sleep(delay)
        return b"" if connection.closed else data

    def way_ended(self, connection):
        with self._state:
            if connection.way_ended():
                self._connections.discard(connection)

    def live(self):
        with self._state:
            return len(self._connections)

    # ---- faults

    def hold(self, *ways):
        with self._state:
            self._holding.update(ways or (UP, DOWN))

    def let_go(self):
        with self._state:
            self._holding.clear()
            self._state.notify_all()

    def swallow(self, *ways):
        """Bytes vanish. What was connected then can only be reset, as after a partition that outlasts TCP."""
        with self._state:
            self._swallowing.update(ways or (UP, DOWN))

    def stop_swallowing(self):
        with self._state:
            self._swallowing.clear()
            torn = [c for c in self._connections if c.swallowed]
        self._reset(torn)

    def delay(self, seconds):
        """Each piece of what is read waits this long."""
        with self._state:
            self._delay = seconds

    def half_close(self, way):
        with self._state:
            connections = list(self._connections)
        for connection in connections:
            connection.end_way(way)

    def reset(self):
        with self._state:
            connections = list(self._connections)
        self._reset(connections)

    def _reset(self, connections):
        for connection in connections:
            connection.reset()
        with self._state:
            self._state.notify_all()

    def refuse(self):
        """Nobody listens."""
        with self._state:
            listener, self._listener = self._listener, None
        if listener is not None:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def accept_again(self):
        if self._listener is None:
            self._listen()

    def heal(self):
        self.stop_swallowing()
        self.delay(0)
        self.let_go()
        self.accept_again()

    def cut_off(self):
        """Unplugged: what is connected is reset, what connects is refused."""
        self.refuse()
        self.reset()
