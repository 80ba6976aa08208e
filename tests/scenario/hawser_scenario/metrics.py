"""Prometheus text, read and asked."""

import re
import urllib.request

_LINE = re.compile(r"^(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>[^}]*)\})? (?P<value>\S+)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Metrics:
    def __init__(self, text):
        self.text = text
        self.series = []
        for line in text.splitlines():
            match = _LINE.match(line)
            if match:
                self.series.append((match["name"], dict(_LABEL.findall(match["labels"] or "")), float(match["value"])))

    @classmethod
    def scrape(cls, admin):
        with urllib.request.urlopen(f"http://{admin}/metrics", timeout=10) as answer:
            return cls(answer.read().decode())

    def has(self, name):
        return any(n == name for n, _, _ in self.series)

    def value(self, name, **labels):
        """The sum over all series of this name with these labels; 0 when there is none."""
        return sum(v for n, have, v in self.series if n == name and labels.items() <= have.items())
