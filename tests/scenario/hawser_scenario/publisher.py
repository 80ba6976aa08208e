"""The publishers of tests/interop: three client libraries, unmodified, each of which says which of its messages are confirmed."""

import os

from .others import build_go, install_js
from .process import Program
from .waiting import wait_until

LANGUAGES = ("go", "c", "js")


def build_publishers(directory):
    """Each language's publisher, ready to run."""
    go = build_go("publisher", directory / "publisher_go")
    js = install_js(directory / "js")
    return {"go": [go], "c": [os.path.join(os.environ["HAWSER_BUILD"], "publisher_c")], "js": ["node", js / "publisher.mjs"]}


class Publisher:
    """One that publishes until finish(). `options` are those of tests/interop/README.md, with underscores."""

    def __init__(self, directory, program, url, client, **options):
        self.client = client
        arguments = [*program, "--url", url, "--client", client]
        for name, value in options.items():
            arguments += ["--" + name.replace("_", "-"), str(value)]
        self._out_path = os.path.join(directory, f"publisher-{client}.out")
        self._out = open(self._out_path, "wb")
        self.program = Program(arguments, self._out_path + ".err", stdout=self._out)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.program.kill()
        self._out.close()

    def _lines(self, word):
        with open(self._out_path, encoding="utf-8") as file:
            return [line.split(" ", 2) for line in file.read().split("\n")[:-1] if line.startswith(word)]

    def confirmed(self):
        """Every message up to this number is confirmed."""
        lines = self._lines("confirmed ")
        return int(lines[-1][1]) if lines else 0

    def began_again(self):
        """How often it published unconfirmed messages a second time."""
        return len(self._lines("again "))

    def tail(self, lines=8):
        with open(self._out_path, encoding="utf-8") as file:
            return f"{self.client}: " + " | ".join(file.read().splitlines()[-lines:]) + self.program.tail(5)

    def wait_progress(self, more=1, deadline=40.0):
        wanted = self.confirmed() + more
        wait_until(lambda: self.confirmed() >= wanted, deadline, lambda: f"{wanted} is confirmed\n{self.tail()}")

    def finish(self, deadline=90.0):
        """Asks it to stop and to confirm what it published; the number up to which all is confirmed."""
        code = self.program.stop(deadline)
        assert code == 0, f"what it published was not confirmed at the end\n{self.tail()}"
        return self.confirmed()
