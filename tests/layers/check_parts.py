#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What decides a stage's results is what its version hashes (scripts/dev/build_id.cmake): held against what is linked (symbols
of the object files) and included (ninja's own record). A file that a stage needs and its version leaves out would leave old
results standing under a new program.

  check_parts.py BUILD SOURCE
"""
import collections
import pathlib
import subprocess
import sys

BUILD, SOURCE = (pathlib.Path(a).resolve() for a in sys.argv[1:3])
# Last stage of a part → where its code begins. What registers itself is found by no symbol: all of it is a beginning.
ROOTS = {"tile": ("pipeline/stages/catalog.cpp", "pipeline/stages/tile.cpp", "pipeline/engine/products/"),
         "detect": ("pipeline/stages/detect.cpp", "pipeline/stages/detect_", "algorithms/detectors/")}


def source_of(obj):
    return str(obj.relative_to(BUILD)).split(".dir/", 1)[1][:-2]


def symbols(objects):
    """Strong symbol → its object; weak one → those that have it; object → what it lacks."""
    strong, weak, lacking = {}, collections.defaultdict(list), {}
    for obj in objects:
        own, wanted = set(), set()
        for line in subprocess.run(["nm", "-P", obj], capture_output=True, text=True, check=True).stdout.splitlines():
            name, kind = line.split()[:2]
            if kind == "U":
                wanted.add(name)
                continue
            own.add(name)
            if kind in "WVuv":
                weak[name].append(obj)
            elif kind.isupper():
                strong[name] = obj
        lacking[obj] = wanted - own
    return strong, weak, lacking


def reached(beginnings, strong, weak, lacking):
    seen, left = set(), list(beginnings)
    while left:
        obj = left.pop()
        if obj in seen:
            continue
        seen.add(obj)
        left += [strong.get(name) or weak[name][0] for name in lacking[obj] if name in strong or name in weak]
    return seen


def included(obj):
    text = subprocess.run(["ninja", "-C", BUILD, "-t", "deps", obj.relative_to(BUILD)], capture_output=True, text=True, check=True).stdout
    for line in text.splitlines():
        path = (BUILD / line.strip()).resolve()
        if line.startswith(" ") and path.is_relative_to(SOURCE) and not path.is_relative_to(BUILD):
            yield str(path.relative_to(SOURCE))


def main():
    parts = collections.defaultdict(set)
    for line in (BUILD / "build_parts.txt").read_text().splitlines():
        stage, file = line.split(" ", 1)
        parts[stage].add(file)
    if set(parts) != set(ROOTS):
        sys.exit(f"build_parts.txt has {sorted(parts)}, this test knows {sorted(ROOTS)}")
    objects = sorted(BUILD.glob("CMakeFiles/shuibao_*.dir/**/*.o"))
    strong, weak, lacking = symbols(objects)
    wrong = []
    for stage, roots in ROOTS.items():
        beginnings = [o for o in objects if source_of(o).startswith(roots)]
        if len(beginnings) < len(roots):
            sys.exit(f"{stage}: no object for one of {roots}; build first")
        files = {f for o in reached(beginnings, strong, weak, lacking) for f in (source_of(o), *included(o))}
        if len(files) < 50:
            sys.exit(f"{stage}: only {len(files)} files found, which cannot be")
        wrong += [f"{stage}: {f} decides, and its version leaves it out" for f in sorted(files - parts[stage])]
        print(f"{stage}: {len(files)} files decide, its version hashes {len(parts[stage])}")
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
