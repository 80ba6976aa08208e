"""A TCP proxy that can cut (with a reset), freeze and count connections, between the agent and its server."""

import itertools
import random
import socket
import struct
import threading

_ABORT = struct.pack("ii", 1, 0)


class _Pipe:
    """One proxied connection: two threads that copy, one each way."""

    def __init__(self, number, client, server):
        self.number = number
        self.alive = True
        self._sockets = (client, server)
        self._flowing = threading.Event()
        self._flowing.set()
        for source, sink in ((client, server), (server, client)):
            threading.Thread(target=self._copy, args=(source, sink), daemon=True).start()

    def _copy(self, source, sink):
        try:
            while data := source.recv(65536):
                self._flowing.wait()
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        finally:
            self.alive = False

    def freeze(self):
        self._flowing.clear()

    def thaw(self):
        self._flowing.set()

    def cut(self):
        """Both ends see a reset, whatever was under way is gone."""
        self.alive = False
        for s in self._sockets:
            try:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()
        self._flowing.set()


class CuttingProxy:
    """Listens on a free loopback port and forwards to `target` (host, port), which may be changed."""

    def __init__(self, target_port):
        self.target_port = target_port
        self.pipes = []
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut_all()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.target_port))
            except OSError:
                client.close()
                continue
            for s in (client, server):
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self.pipes = [p for p in self.pipes if p.alive]
                self.pipes.append(_Pipe(next(self._numbers), client, server))

    def live(self, from_number=0, below=float("inf")):
        with self._lock:
            return [p for p in self.pipes if p.alive and from_number <= p.number < below]

    def last_number(self):
        with self._lock:
            return self.pipes[-1].number if self.pipes else -1

    def cut_all(self):
        for pipe in self.live():
            pipe.cut()

    def cut_one(self, choose=random.choice, **where):
        """Cuts one of the live connections; False when there was none."""
        pipes = self.live(**where)
        if pipes:
            choose(pipes).cut()
        return bool(pipes)
