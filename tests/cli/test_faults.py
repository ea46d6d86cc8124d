#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every row of the tables in faults/ is one spoiled run: exit code, what stderr says, and what is left behind.

Oracle: contract §2 (exit codes) and §6 (faults, hostile input); rules.md §8 (which approvals are refused).
Usage: test_faults.py [part of a row's name]
"""
import concurrent.futures
import fnmatch
import json
import os
import pathlib
import sys
import traceback

here = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(here), str(here.parent / "support")]

from osgeo import gdal, ogr  # noqa: E402

from faults import approvals, configuration, scenes, store  # noqa: E402
from world import Worlds  # noqa: E402

ogr.UseExceptions()


def whole(path):
    """A file under its final name can be read to its end."""
    if path.suffix == ".tif":
        dataset = gdal.Open(str(path))
        for band in range(1, dataset.RasterCount + 1):
            dataset.GetRasterBand(band).Checksum()
    elif path.suffix in (".gpkg", ".shp"):
        dataset = ogr.Open(str(path))
        for i in range(dataset.GetLayerCount()):
            sum(1 for _ in dataset.GetLayer(i))
        if path.suffix == ".shp":
            for part in (".shx", ".dbf", ".prj", ".cpg"):
                assert path.with_suffix(part).exists(), f"{path} has no {part}"
    elif path.suffix == ".json":
        json.loads(path.read_text())


def left_behind(world, row):
    for top in ("store", "output"):
        for path in sorted((world.dir / top).rglob("*")):
            name = path.relative_to(world.dir).as_posix()
            if not path.is_file() or any(fnmatch.fnmatch(name, d) for d in row.damaged):
                continue
            assert ".tmp" not in path.name and not path.name.endswith(("-journal", "-wal", "-shm")), f"left behind: {name}"
            whole(path)


def talk_is_ours(err):
    for line in err.splitlines():
        assert not line.startswith(("ERROR ", "Warning ", "terminate called", "Traceback")), f"not our words: {line}"
        assert "our own mistake" not in line.lower(), line
        assert len(line) < 4000, f"a line of {len(line)} characters"


def try_row(worlds, number, row):
    world = worlds.copy(f"{number:03}")
    if row.finished_first:
        first = world.run("run run.yaml")
        assert first.code == 0, first.err
    row.spoil(world)
    beside = {p.name for p in world.dir.parent.iterdir()}
    if row.nobody and os.geteuid() == 0:
        for path in [world.dir, *world.dir.rglob("*")]:
            if path.stat().st_mode & 0o777:  # a mode of 0 is the fault itself
                os.chown(path, 65534, 65534)
    result = world.run(row.command, nobody=row.nobody, env=row.env)
    assert result.code == row.code, f"exit code {result.code} instead of {row.code}"
    for piece in row.says:
        piece = piece.replace("{dir}", str(world.dir))
        assert piece in result.err, f"stderr does not say: {piece}"
    talk_is_ours(result.err)
    left_behind(world, row)
    assert {p.name for p in world.dir.parent.iterdir()} == beside, "something was written beside the run"
    if row.code == 3:
        report = world.report()
        codes = [p["code"] for p in report["problems"]]
        assert row.problem in codes, f"run.json lists {codes}"
        assert all(p["what"] and p["hint"] for p in report["problems"]), "a problem without sentence or remedy"
        assert report["ended"] == "done with problems"
        found = ogr.Open(str(world.path("output/disturbances.gpkg")))
        assert found.GetLayerByName("disturbances").GetFeatureCount() > 0, "the healthy scenes gave nothing"
    row.after(world, result)
    return result


def attempt(worlds, number, row):
    result = None
    try:
        result = try_row(worlds, number, row)
    except store.Skip as reason:
        return f"SKIPPED {row.name}: {reason}", True
    except Exception as e:  # report every row, not only the first that fails
        world = worlds.root / "worlds" / f"{number:03}" / "world"
        again = "" if result else f"\n      (in {world})"
        return f"FAILED  {row.name}: {e}{again}\n" + "".join(traceback.format_tb(e.__traceback__)[-1:]), False
    return f"ok      {row.name}", True


def main():
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    rows = [r for t in (scenes, configuration, approvals, store) for r in t.TABLE if wanted in r.name]
    assert rows, f"no row is called '{wanted}'"
    assert len({r.name for r in rows}) == len(rows), "two rows share a name"
    with Worlds() as worlds, concurrent.futures.ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda pair: attempt(worlds, *pair), enumerate(rows)))
        store.clean_up()
    for text, _ in answers:
        print(text)
    bad = sum(not good for _, good in answers)
    print(f"{len(rows)} faults, {bad} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
