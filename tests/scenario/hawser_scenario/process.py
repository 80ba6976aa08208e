"""Programs under test: started with their output in a file, stopped by PID, and counted, so that none is left behind."""

import os
import signal
import subprocess

_started = []


class Program:
    """A child process. `with` stops it; its output stays readable in `log_path`."""

    def __init__(self, arguments, log_path, env=None, cwd=None, stdin=subprocess.DEVNULL, stdout=None):
        self.arguments = [str(a) for a in arguments]
        self.log_path = log_path
        self._log = open(log_path, "ab")
        self.child = subprocess.Popen(
            self.arguments, stdin=stdin, stdout=stdout or self._log, stderr=self._log, env=env, cwd=cwd
        )
        _started.append(self.child)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    @property
    def pid(self):
        return self.child.pid

    @property
    def running(self):
        return self.child.poll() is None

    def signal(self, number):
        os.kill(self.pid, number)

    def wait(self, deadline=15.0):
        """The exit code."""
        try:
            return self.child.wait(deadline)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.arguments[0]} did not end within {deadline} s\n{self.tail()}") from None

    def stop(self, deadline=15.0):
        """Asks it to end (SIGTERM) and returns its exit code."""
        if self.running:
            self.signal(signal.SIGTERM)
        return self.wait(deadline)

    def kill(self):
        if self.running:
            self.signal(signal.SIGKILL)
        self.child.wait()
        self._log.close()

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def log_lines(self, *words):
        """Lines that hold all of the words."""
        return [line for line in self.log().splitlines() if all(word in line for word in words)]

    def tail(self, lines=40):
        return "\n".join(self.log().splitlines()[-lines:])

    # What the kernel knows of it.
    def cpu_seconds(self):
        """User and system time of all its threads."""
        with open(f"/proc/{self.pid}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_kib(self):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))

    def open_descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def threads(self):
        return len(os.listdir(f"/proc/{self.pid}/task"))

    def thread_states(self):
        """Letters of the states that its threads are in: R, S, T, …"""
        states = set()
        for task in os.listdir(f"/proc/{self.pid}/task"):
            with open(f"/proc/{self.pid}/task/{task}/stat", encoding="ascii") as file:
                states.add(file.read().rpartition(")")[2].split()[0])
        return states


def end_all_left():
    """Ends every child that is still there; their command lines."""
    left = [child for child in _started if child.poll() is None]
    for child in left:
        child.kill()
        child.wait()
    return [" ".join(str(a) for a in child.args) for child in left]
