#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Who may include whom: the architecture, checked. Prints each breach as file:line and exits 1 if there is any."""
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()

# layer -> our layers it may include, and third-party headers (by prefix) it may include
MAY = {
    "core": ({"core"}, ("Eigen/", "tl/")),
    "algorithms": ({"core", "algorithms"}, ("Eigen/", "tl/", "opencv2/", "boost/")),
    "io": ({"core", "io"}, ("fmt/", "tl/", "gdal", "ogr", "cpl_", "proj", "geos", "boost/", "vrtdataset", "tiffio", "zstd", "minizip/", "xlsxwriter")),
    "engine": ({"core", "io", "engine"}, ("fmt/", "tl/", "yaml-cpp/", "nlohmann/", "tbb/", "oneapi/", "xxhash", "openssl/", "pugixml")),
    "pipeline": ({"core", "io", "engine", "algorithms", "pipeline"}, ("fmt/", "tl/", "nlohmann/", "yaml-cpp/")),
    "apps": ({"core", "io", "engine", "algorithms", "pipeline"}, ("fmt/", "tl/", "nlohmann/", "CLI/")),
}
# Pages: drawn in io, filled from templates by exporters.
MAY["io"] = (MAY["io"][0], (*MAY["io"][1], "cairo", "pango/", "qrencode"))
MAY["pipeline"] = (MAY["pipeline"][0], (*MAY["pipeline"][1], "kainjow/"))
# Standard and POSIX headers have neither slash nor version; these are the ones with a slash.
SYSTEM = ("sys/", "netinet/", "arpa/")
PLAIN = re.compile(r"^[a-z_0-9]+(\.h)?$")
THIRD = ("gdal", "ogr", "cpl_", "proj", "geos", "xxhash", "openssl", "vrtdataset", "tiffio", "zstd", "xlsxwriter")
THIRD += ("cairo", "qrencode", "pugixml")
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')
TALK = re.compile(r"std::cout|std::cerr|std::clog|\bprintf\s*\(|\bfprintf\s*\(|\bputs\s*\(")


def layer_of(path):
    parts = path.relative_to(ROOT).parts
    if parts[0] == "include":
        return parts[2]
    if parts[0] == "algorithms":
        return "core" if parts[1] == "core" else "algorithms"
    return {"io": "io", "engine": "engine", "stages": "pipeline", "export": "pipeline", "apps": "apps"}[parts[1]]


def main():
    files = sorted(p for d in ("include", "algorithms", "pipeline") for e in ("*.hpp", "*.cpp") for p in (ROOT / d).rglob(e))
    breaches = []
    for path in files:
        layer = layer_of(path)
        ours, theirs = MAY[layer]
        for number, line in enumerate(path.read_text(encoding="utf8").splitlines(), 1):
            where = f"{path.relative_to(ROOT)}:{number}"
            if layer != "apps" and TALK.search(line):
                breaches.append(f"{where}: prints; only apps talk to the terminal, stages write to context.out or the log")
            match = INCLUDE.match(line)
            if not match:
                continue
            name = match.group(1)
            if name.startswith("shuibao/"):
                other = name.split("/")[1]
                if other not in ours:
                    breaches.append(f"{where}: layer {layer} must not include {name}")
            elif line.strip().endswith('"') and layer_of((path.parent / name).resolve()) == layer:
                continue  # private header of the same layer
            elif name.startswith(SYSTEM) or (PLAIN.match(name) and not name.startswith(THIRD)):
                continue
            elif not name.startswith(theirs):
                breaches.append(f"{where}: layer {layer} must not include {name}")
    print("\n".join(breaches) if breaches else f"{len(files)} files keep to their layers")
    return 1 if breaches else 0


sys.exit(main())
