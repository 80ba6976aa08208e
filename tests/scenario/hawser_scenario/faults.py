"""Faults in a random order that a seed decides: servers and agents killed and frozen, networks that do what networks do.

    faults = Faults(seed, server, network, capture, agent)
    faults.run(12)

Every fault ends healed. What happened is in `faults.log`; HAWSER_SEED repeats a sequence (its moments are the machine's).
"""

import os
import random
import time

from .network import DOWN, UP


def seed_of_this_run():
    return int(os.environ.get("HAWSER_SEED") or random.SystemRandom().randrange(1, 10**9))


class Faults:
    """`agent` None: clients talk to the server through `network` themselves, and no fault is one of the agent."""

    def __init__(self, seed, server, network, capture, agent=None, longest_outage_s=3.0):
        self.seed = seed
        self.log = []
        self._random = random.Random(seed)
        self._server, self._network, self._capture, self._agent = server, network, capture, agent
        self._longest_outage = longest_outage_s
        self._began = time.monotonic()
        self._kinds = [self.server_killed, self.server_frozen, self.bytes_swallowed, self.bytes_held, self.slow_network,
                       self.closed_one_way, self.reset, self.refused, self.outage, self.flapping]
        if agent is not None:
            self._kinds += [self.agent_frozen, self.agent_killed, self.both_killed, self.agent_killed_with_messages_under_way,
                            self.agent_killed_in_an_outage, self.agent_killed_while_it_drains]

    def run(self, count, between=lambda: None):
        """Every kind once before any comes a second time. `between` is called after about half of them: waiting for messages
        to flow there makes sure that recovery is tried, not waiting that a fault meets what the one before left behind."""
        round_ = []
        for number in range(count):
            if not round_:
                round_ = self._random.sample(self._kinds, len(self._kinds))
            fault = round_.pop()
            name = fault.__name__.replace("_", " ")
            self.note(f"{number + 1}. {name}")
            fault()
            if self._random.random() < 0.5:
                between()
                self.note("   messages flow")
            self._pause(0.0, 0.3)

    def note(self, text):
        self.log.append(f"{time.monotonic() - self._began:8.3f} s  {text}")

    def story(self):
        return f"HAWSER_SEED={self.seed}\n" + "\n".join(self.log)

    def _pause(self, shortest, longest):
        seconds = self._random.uniform(shortest, longest)
        time.sleep(seconds)
        return seconds

    def _some_way(self):
        return self._random.choice([(UP,), (DOWN,), (UP, DOWN)])

    # ---- processes

    def _kill_server(self):
        """`kill -9`, after the agent's last PONG: the server has stored what it had answered for (see capture.py)."""
        self._network.hold()
        self._pause(0.0, 0.3)
        self._capture.fence()
        self._server.kill()
        self._network.reset()
        self._network.let_go()

    def server_killed(self):
        self._kill_server()
        self.note(f"   down for {self._pause(0.0, 1.5):.3f} s")
        self._server.start()

    def server_frozen(self):
        self._server.freeze()
        self.note(f"   for {self._pause(0.1, 1.5):.3f} s")
        self._server.thaw()

    def agent_frozen(self):
        self._agent.freeze()
        self.note(f"   for {self._pause(0.1, 1.5):.3f} s")
        self._agent.thaw()

    def _kill_agent(self):
        self._agent.kill()
        self.note(f"   the agent is down for {self._pause(0.0, 0.5):.3f} s")
        self._agent.start()

    def agent_killed(self):
        self._kill_agent()

    def agent_killed_with_messages_under_way(self):
        """What it has sent is nowhere yet: an agent that confirms too early is found out."""
        disturb = self._random.choice([self._network.hold, self._network.swallow, lambda: self._network.delay(0.3)])
        disturb()
        self._pause(0.1, 1.0)
        self._agent.kill()
        self._network.reset()
        self._network.heal()
        self.note(f"   down for {self._pause(0.0, 0.5):.3f} s")
        self._agent.start()

    def both_killed(self):
        self._network.hold()
        self._pause(0.0, 0.5)
        self._capture.fence()
        for one in self._random.sample([self._server, self._agent], 2):
            one.kill()
        self._network.reset()
        self._network.let_go()
        self.note(f"   down for {self._pause(0.0, 1.0):.3f} s")
        for one in self._random.sample([self._server, self._agent], 2):
            one.start()
            self._pause(0.0, 0.3)

    def agent_killed_in_an_outage(self):
        self._network.cut_off()
        self._pause(0.2, 1.0)
        self._kill_agent()
        self.note(f"   and {self._pause(0.0, 1.0):.3f} s more")
        self._network.accept_again()

    def agent_killed_while_it_drains(self):
        self._network.cut_off()
        self._pause(0.5, 1.5)
        self._network.accept_again()
        self._pause(0.0, 0.2)
        self._kill_agent()

    # ---- networks

    def bytes_swallowed(self):
        ways = self._some_way()
        self._network.swallow(*ways)
        self.note(f"   {' and '.join(ways)}, {self._pause(0.1, 1.5):.3f} s, then a reset")
        self._network.stop_swallowing()

    def bytes_held(self):
        ways = self._some_way()
        self._network.hold(*ways)
        self.note(f"   {' and '.join(ways)}, {self._pause(0.1, 1.5):.3f} s, then they arrive")
        self._network.let_go()

    def slow_network(self):
        seconds = self._random.choice([0.005, 0.05, 0.2])
        self._network.delay(seconds)
        self.note(f"   {seconds} s for each piece, {self._pause(0.3, 1.5):.3f} s")
        if self._random.random() < 0.5:
            self.note("   then a reset")
            self._network.reset()
        self._network.delay(0)

    def closed_one_way(self):
        way = self._random.choice([UP, DOWN])
        self._network.half_close(way)
        self.note(f"   {way}")

    def reset(self):
        self._network.reset()

    def refused(self):
        self._network.refuse()
        self._pause(0.0, 0.2)
        self._network.reset()
        self.note(f"   for {self._pause(0.1, 1.0):.3f} s")
        self._network.accept_again()

    def outage(self):
        self._network.cut_off()
        self.note(f"   for {self._pause(0.5, 1.0) + self._pause(0, self._longest_outage - 1.0):.3f} s")
        self._network.accept_again()

    def flapping(self):
        times = self._random.randrange(3, 12)
        self.note(f"   {times} times")
        for _ in range(times):
            self._network.reset()
            self._pause(0.0, 0.12)
