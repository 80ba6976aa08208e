"""The error table, read from the source: a name's id and hint."""

import pathlib
import re

_ROW = re.compile(r'^HAWSER_ERROR\((\w+), (\d+), \w+, "((?:[^"\\]|\\.)*)", "((?:[^"\\]|\\.)*)"\)', re.M)
_ROOMS = {0: "GEN", 1: "POS", 2: "TLS", 3: "NET", 4: "WIR", 5: "SES", 6: "AGT", 7: "CFG", 8: "IDN", 9: "CLI", 10: "ADM", 11: "BRK",
          12: "STO", 13: "ROT"}
_ERRORS = pathlib.Path(__file__).parents[3] / "src" / "base" / "errors"


class KnownError:
    def __init__(self, name):
        for file in _ERRORS.glob("*.def"):
            for row, number, summary, hint in _ROW.findall(file.read_text()):
                if row == name:
                    self.id = f"{_ROOMS[int(number) // 100]}-{int(number):03d}"
                    self.reason = name.replace("_", "-")
                    self.summary = summary
                    self.hint = hint.replace('\\"', '"')
                    return
        raise KeyError(f"no error is called {name}")
