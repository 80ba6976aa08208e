#!/usr/bin/env python3
"""Fails, with file:line, on an include that points up: a room may include itself and the rooms below it, no others.

The rooms and what they depend on are read from src/CMakeLists.txt, so that there is one list. Also checked: heavy headers stay
out of our headers, and every room explains itself in a README of at most 20 lines.
"""
import pathlib
import re
import sys

ROOM = re.compile(r"hawser_room\((\w+)([^)]*)\)")
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')
HEAVY = ("spdlog/", "boost/json", "boost/beast", "boost/asio", "CLI/", "yaml-cpp/", "prometheus/")
README_LINES = 20


def read_rooms(cmake: str) -> dict[str, set[str]]:
    """Each room with all rooms below it, itself included."""
    direct = {}
    for name, rest in ROOM.findall(cmake):
        words = rest.split()
        depends = words[words.index("DEPENDS") + 1:] if "DEPENDS" in words else []
        if "LIBRARIES" in depends:
            depends = depends[:depends.index("LIBRARIES")]
        unknown = [word for word in depends if word not in direct]
        if unknown:
            sys.exit(f"src/CMakeLists.txt: {name} depends on {', '.join(unknown)}, which is not below it")
        direct[name] = depends
    below = {}
    for name, depends in direct.items():
        below[name] = {name}.union(*(below[room] for room in depends))
    return below


def faults_in(path: pathlib.Path, allowed: set[str], rooms: set[str], heavy_is_a_fault: bool):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        found = INCLUDE.match(line)
        if not found:
            continue
        quoted, angled = found.groups()
        if quoted:
            room = quoted.split("/")[0]
            if room in rooms and room not in allowed:
                yield number, f'includes "{quoted}", but {room} is not below it'
        elif heavy_is_a_fault and angled.startswith(HEAVY):
            yield number, f"a header includes <{angled}>: keep it in a .cpp file"


def sources(directory: pathlib.Path):
    return sorted(p for p in directory.rglob("*") if p.suffix in (".hpp", ".cpp", ".h", ".def"))


def check(root: pathlib.Path) -> list[str]:
    below = read_rooms((root / "src/CMakeLists.txt").read_text())
    rooms = set(below) | {"cli"}
    faults = []
    for room in sorted(rooms):
        allowed = below.get(room, rooms)  # cli, the program, may include all
        for path in sources(root / "src" / room) + sources(root / "tests/unit" / room):
            heavy = path.suffix == ".hpp"
            faults += [f"{path.relative_to(root)}:{number}: {what}" for number, what in faults_in(path, allowed, rooms, heavy)]
        readme = root / "src" / room / "README.md"
        if not (root / "src" / room).is_dir():
            continue
        if not readme.is_file():
            faults.append(f"src/{room}/README.md: is missing: the room's job, entry point, invariant, what it must not know")
        elif len(readme.read_text().splitlines()) > README_LINES:
            faults.append(f"src/{room}/README.md: is over {README_LINES} lines")
    return faults


def main() -> int:
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent).resolve()
    faults = check(root)
    print("\n".join(faults) if faults else "includes point downwards only")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
