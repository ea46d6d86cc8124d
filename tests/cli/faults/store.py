# SPDX-License-Identifier: Apache-2.0
"""The store: damage, other users, full disks. Contract §6: one clear line, no partial file under a final name."""
import atexit
import fcntl
import os
import subprocess
import threading
import time

from faults import Fault


class Skip(Exception):
    """Why a row cannot be tried on this machine."""


_mounts, _locks = [], []


def clean_up():
    while _mounts:
        subprocess.run(["umount", "-l", _mounts.pop()], check=False)
    while _locks:
        _locks.pop().close()


atexit.register(clean_up)


def small_disk(name, kilobytes):
    """Mounts a disk of that size over a folder of the world."""
    def spoil(world):
        if os.geteuid() != 0:
            raise Skip("mounting a small disk needs root")
        folder = world.path(name)
        folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "none", str(folder)],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Skip(f"this machine mounts no tmpfs: {done.stderr.strip()}")
        _mounts.append(str(folder))
    return spoil


def room_again(world, _result):
    """With space, the same command ends as if nothing had been."""
    folder = next(m for m in _mounts if m.startswith(str(world.dir)))
    subprocess.run(["mount", "-o", "remount,size=64m", folder], check=True)
    again = world.run("run run.yaml")
    assert again.code == 0, again.err
    assert "1 suspects" in again.err or world.report()["ended"] == "done"


def hold(world, seconds=None):
    """Takes the store's lock as another process would."""
    world.path("store").mkdir(exist_ok=True)
    lock = open(world.path("store/lock"), "a+")
    fcntl.flock(lock, fcntl.LOCK_EX)
    lock.truncate(0)
    lock.write("process 4711 on elsewhere since 2024-01-01 00:00:00 UTC\n")
    lock.flush()
    _locks.append(lock)
    if seconds:
        threading.Thread(target=lambda: (time.sleep(seconds), lock.close()), daemon=True).start()


def write(pattern, text):
    return lambda w: w.store_file(pattern).write_text(text)


def cut(pattern, share=0.5):
    def spoil(world):
        path = world.store_file(pattern)
        os.truncate(path, int(path.stat().st_size * share))
    return spoil


def scramble(pattern, first, last):
    """Other bytes, same size: what a bad disk leaves."""
    def spoil(world):
        path = world.store_file(pattern)
        data = bytearray(path.read_bytes())
        a, b = int(len(data) * first), int(len(data) * last)
        data[a:b] = bytes((x * 7 + 13) % 256 for x in range(b - a))
        path.write_bytes(data)
    return spoil


def same_verdicts(world, _result):
    """The damage was mended: no problem is left, and a further run has nothing to do."""
    assert world.report()["problems"] == []
    again = world.run("run run.yaml")
    assert again.code == 0 and "0 tiles cut, 4 up to date" in again.err and "0 change maps made" in again.err, again.err


def half_line(world):
    """A crash while the manifest was written: the last line is torn and has no end."""
    path = world.store_file("manifest/tile/all.log")
    data = path.read_bytes()
    path.write_bytes(data[:-40])


def torn_line_costs_one_unit(world, result):
    assert "1 tiles cut, 3 up to date, 0 failed" in result.err, result.err
    again = world.run("run run.yaml")
    assert "0 tiles cut, 4 up to date, 0 failed" in again.err, again.err


TILE = "tiles/*/20240525_simulated.tif"
TABLE = [
    Fault("store in use", hold, ["The store {dir}/store is in use by process 4711 on elsewhere since 2024-01-01",
                                 "--wait SECONDS"], code=75),
    Fault("store in use, waiting in vain", hold, ["is in use by process 4711"], code=75, command="run run.yaml --wait 0.3"),
    Fault("store in use, waiting", lambda w: hold(w, 0.5), ["suspects"], code=0, command="run run.yaml --wait 60"),
    Fault("grid of another tile size", lambda w: None, ["--set: the store's grid has grid.tile_size 320, not 256",
                                                       "another store"],
          code=2, command="run run.yaml --set grid.tile_size=256", finished_first=True),
    Fault("grid of another CRS", lambda w: None, ["--set: the store's grid has grid.crs EPSG:32649, not EPSG:4490"],
          code=2, command="run run.yaml --set grid.crs=EPSG:4490", finished_first=True),
    Fault("grid of no CRS", lambda w: None, ["--set: PROJ does not know the CRS 'EPSG:1'", "EPSG code"], code=2, command="run run.yaml --set grid.crs=EPSG:1"),
    Fault("grid.json damaged", write("grid.json", "{"), ["{dir}/store/grid.json cannot be read", "backup"], code=4,
          finished_first=True, damaged=["store/grid.json"]),
    Fault("grid.json with senseless numbers",
          write("grid.json", '{"crs":"EPSG:32649","gsd":-10,"tile_size":0,"origin_x":0,"origin_y":1e999}'),
          ["{dir}/store/grid.json cannot be read", "backup"], code=4, finished_first=True, damaged=["store/grid.json"]),
    Fault("tile file cut", cut(TILE), ["1 tiles cut, 3 up to date, 0 failed"], code=0, finished_first=True),
    Fault("tile file lost", lambda w: w.store_file(TILE).unlink(), ["1 tiles cut, 3 up to date, 0 failed"], code=0,
          finished_first=True),
    Fault("tile file cut, detect alone", cut(TILE), ["tiles are not cut", "/20240525_simulated is one of them", "Run `shuibao tile` to its end"],
          code=75, command="detect run.yaml --method mad", finished_first=True,
          damaged=["store/" + TILE]),
    Fault("tile file of another size", lambda w: w.store_file(TILE).write_bytes(w.mask("demo_20230506").read_bytes()),
          ["/20240525_simulated is one of them", "Run `shuibao tile` to its end"], code=75, command="detect run.yaml --method mad", finished_first=True),
    Fault("model.json cut", cut("batches/*/model.json"), ["catalog: 4 scenes"], code=0, finished_first=True, after=same_verdicts),
    Fault("model.json of the same size, senseless", scramble("batches/*/model.json", 0.1, 0.9), ["catalog: 4 scenes"], code=0,
          finished_first=True, after=same_verdicts),
    Fault("change map cut", cut("batches/*/changes/*.tif"), ["1 change maps made"], code=0, finished_first=True),
    Fault("scenes.json damaged", write("scenes.json", '{"scenes": [{"id": 7}]}'),
          ["{dir}/store/scenes.json cannot be read", "Run `shuibao catalog` again"], code=4, command="tile run.yaml",
          finished_first=True, damaged=["store/scenes.json"]),
    Fault("scenes.json damaged, whole run", write("scenes.json", "更"), ["0 tiles cut, 4 up to date"], code=0,
          finished_first=True, after=same_verdicts),
    Fault("acquisitions.json damaged", write("acquisitions.json", '[{"key": 1}]'),
          ["{dir}/store/acquisitions.json cannot be read", "Run `shuibao tile` again"], code=4, command="detect run.yaml",
          finished_first=True, damaged=["store/acquisitions.json"]),
    Fault("hashes.json damaged", write("hashes.json", '{"a": [1]}'), ["catalog: 4 scenes"], code=0, finished_first=True,
          after=same_verdicts),
    Fault("examined.json damaged", write("examined.json", '{"a": "{", "b": 7'), ["catalog: 4 scenes"], code=0, finished_first=True,
          after=same_verdicts),
    Fault("scene report damaged", write("scenes/demo20240525*.json", '{"id": 5}'), ["catalog: 4 scenes"], code=0,
          finished_first=True, after=same_verdicts),
    Fault("scene report of the same size, senseless", scramble("scenes/demo20240525*.json", 0.0, 1.0), ["catalog: 4 scenes"], code=0,
          finished_first=True, after=same_verdicts),
    Fault("manifest line torn", half_line, ["catalog: 4 scenes"], code=0, finished_first=True, after=torn_line_costs_one_unit),
    Fault("manifest scrambled", scramble("manifest/tile/all.log", 0.0, 1.0), ["4 tiles cut, 0 up to date"], code=0, finished_first=True),
    Fault("disk full, store", small_disk("store", 200), ["Cannot write {dir}/store/tiles/", "Free some space"], code=1,
          after=room_again),
    Fault("disk full, store before its first file", small_disk("store", 4), ["{dir}/store/", "No space left on device"], code=1,
          after=room_again),
    Fault("disk full, results", small_disk("output", 40), ["Cannot write {dir}/output/", "Free some space"], code=1,
          after=room_again),
    Fault("disk full, exports", small_disk("output/export", 8), ["{dir}/output/export/", "Free some space"], code=1, after=room_again),
]
