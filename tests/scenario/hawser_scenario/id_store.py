"""`hawser id` on a store of its own, and the everyday commands with the creds that it makes."""

import json
import os
import pathlib
import re
import subprocess

from .errors import KnownError
from .process import Program
from .waiting import wait_until

HAWSER = os.environ["HAWSER_BIN"]
DONE = 0
SEED = re.compile(r"\bS[UAO][A-Z2-7]{56}\b")
SANITIZERS = ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS")


class Store:
    """Every command ends with the expected code, and prints no seed."""

    def __init__(self, directory, name="id"):
        self.directory = pathlib.Path(directory)
        self.root = self.directory / name
        self.server = None
        self.tls = ()

    def environment(self):
        env = {"PATH": os.environ["PATH"], "HOME": str(self.directory), "HAWSER_ID_STORE": str(self.root)}
        env.update({name: os.environ[name] for name in SANITIZERS if name in os.environ})
        return env

    def hawser(self, *arguments, expect=DONE, input=None, secret=False):
        done = subprocess.run([HAWSER, *map(str, arguments)], capture_output=True, text=True, timeout=60, input=input,
                              env=self.environment(), cwd=self.directory, check=False)
        assert done.returncode == expect, f"{arguments}: {done.returncode}, not {expect}\n{done.stdout}\n{done.stderr}"
        assert secret or not SEED.search(done.stdout + done.stderr), "a seed was printed"
        return done

    def run(self, *arguments, **kwargs):
        """`hawser id …`, the words of one string or several."""
        words = arguments[0].split() if len(arguments) == 1 else arguments
        return self.hawser("id", *words, **kwargs)

    def json(self, *arguments, **kwargs):
        words = arguments[0].split() if len(arguments) == 1 else arguments
        return json.loads(self.hawser("id", *words, "--json", **kwargs).stdout)

    def fails(self, expect, error, *arguments, **kwargs):
        """Ends with this code and this error, hint included."""
        known = KnownError(error)
        done = self.run(*arguments, expect=expect, **kwargs)
        assert f"hawser: {known.id} {known.summary}" in done.stderr and "\n  hint: " in done.stderr, done.stderr
        return done.stderr

    def creds(self, account, user):
        path = self.directory / f"{account}-{user}.creds"
        self.run("creds", "--account", account, "--name", user, "-o", path)
        return path

    def connect(self, *arguments, creds, **kwargs):
        """An everyday command with a user's creds."""
        return self.hawser(*arguments, "-s", self.server, *self.tls, "--creds", creds, **kwargs)

    def start_sub(self, stack, subject, creds, *flags):
        out = open(self.directory / f"sub{len(os.listdir(self.directory))}.out", "wb")  # noqa: SIM115
        log = pathlib.Path(out.name).with_suffix(".err")
        program = stack.enter_context(Program([HAWSER, "sub", subject, "--raw", "-s", self.server, *self.tls, "--creds", creds, *flags], log,
                                              env=self.environment(), cwd=self.directory, stdout=out))
        wait_until(lambda: "subscribed to" in log.read_text() or not program.running, 20, "the subscription")
        assert program.running, program.tail()
        return program, pathlib.Path(out.name)

    def user_files(self):
        return {path: path.read_bytes() for path in self.root.rglob("*") if path.is_file() and path.name != ".hawser-lock"}
