"""The disk queue of an agent: its settings in broker.yaml, and `hawser queue` on its directory."""

import json
import os
import subprocess


def with_queue(broker, directory, fallback=None, limits=None, **persistence):
    """The `broker:` mapping with a queue in `directory`/queue."""
    more = {"persistence": {"enabled": True, "path": str(directory / "queue"), "sync": "full", **persistence}}
    if fallback:
        more["fallback"] = fallback
    if limits:
        more["limits"] = limits
    return {**broker, **more}


class Queue:
    def __init__(self, directory):
        self.path = directory / "queue"

    def _hawser(self, *arguments):
        done = subprocess.run([os.environ["HAWSER_BIN"], "queue", *arguments], capture_output=True, text=True, timeout=60,
                              stdin=subprocess.DEVNULL, check=False)
        assert done.returncode == 0, f"hawser queue {arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def status(self):
        """{"messages", "bytes", "oldest", "dead"}"""
        return json.loads(self._hawser("status", str(self.path), "--json"))

    def messages(self, dead=False):
        """Rows of `list --json`: one array, or one object a line."""
        text = self._hawser("list", str(self.path), *(["--dead"] if dead else []), "--json")
        try:
            rows = json.loads(text)
        except json.JSONDecodeError:
            rows = [json.loads(line) for line in text.splitlines() if line.strip()]
        if isinstance(rows, dict):
            rows = rows.get("messages", rows.get("dead", [rows]))
        return rows

    def replay_dead(self):
        return self._hawser("replay", str(self.path), "--dead", "--all")
