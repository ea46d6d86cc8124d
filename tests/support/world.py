# SPDX-License-Identifier: Apache-2.0
"""Small archives to break, and the program run on them from outside.

A World is a folder with four 128 x 128 images of two epochs, their STAC Items, approvals and run.yaml, made by
`shuibao simulate`. Each test gets a copy of its own.
"""
import atexit
import contextlib
import functools
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

SHUIBAO = os.environ.get("SHUIBAO", "shuibao")
FIRST, SECOND, THIRD, FOURTH = "demo_20230506", "demo_20230521", "demo_20240510", "demo_20240525"
NOBODY = 65534


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err


@functools.cache
def public_copy():
    """Program and configs where anybody may read them: a checkout under /root is closed to all but root."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="shuibao-public-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    shutil.copy2(SHUIBAO, folder / "shuibao")
    shutil.copytree(pathlib.Path(__file__).resolve().parents[2] / "configs", folder / "configs")
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755)
    return folder


def shuibao(*args, cwd=None, env=None, nobody=False, timeout=120, **kwargs):
    """Runs the program; `nobody` gives up root first, because root may write anywhere."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("SHUIBAO_", "SLURM_"))}
    environment.update(env or {})

    def drop():
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)

    program = SHUIBAO
    if nobody and os.geteuid() == 0:
        program = public_copy() / "shuibao"
        environment["SHUIBAO_CONFIGS"] = str(public_copy() / "configs")
    done = subprocess.run([program, *map(str, args)], cwd=cwd, env=environment, timeout=timeout,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          preexec_fn=drop if nobody and os.geteuid() == 0 else None, **kwargs)
    return Result(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))


class World:
    def __init__(self, folder):
        self.dir = pathlib.Path(folder)

    def path(self, name):
        return self.dir / name

    def run(self, command, **kwargs):
        args = command.split() if isinstance(command, str) else command
        return shuibao(*[a.replace("{dir}", str(self.dir)) for a in args], cwd=self.dir, **kwargs)

    # Items
    def item_path(self, item):
        return self.dir / "catalog" / f"{item}.json"

    def item(self, item):
        return json.loads(self.item_path(item).read_text())

    def edit_item(self, item, change, name=None):
        """change(item) in place; `name` writes it as another Item beside the first."""
        j = self.item(item)
        change(j)
        self.item_path(name or item).write_text(json.dumps(j, ensure_ascii=False))

    def image(self, item):
        return self.dir / "images" / f"{item}.tif"

    def mask(self, item):
        return self.dir / "images" / f"{item}_SCL.tif"

    def report(self):
        return json.loads((self.dir / "output/run.json").read_text())

    def store_file(self, pattern):
        """The one file of the store that the pattern names."""
        found = sorted((self.dir / "store").glob(pattern))
        assert found, f"the store holds no {pattern}"
        return found[0]


class Worlds:
    """Makes the archive once and hands out copies."""

    def __init__(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="shuibao-"))
        self.root.chmod(0o755)
        self.base = self.root / "base"
        made = shuibao("simulate", self.base, "--size", 128, "--sites", 4, "--cloud", 0.02, "--seed", 3)
        assert made.code == 0, made.err
        # The four images lie in one tile of this size each; a fault is the same on 4 million pixels, only slower.
        with open(self.base / "run.yaml", "a") as config:
            config.write("grid:\n  tile_size: 320\njobs: 1\n")

    def copy(self, name):
        """A world in a folder of its own; what appears beside it was written outside."""
        folder = self.root / "worlds" / name / "world"
        shutil.copytree(self.base, folder)
        return World(folder)

    @staticmethod
    @contextlib.contextmanager
    def scratch():
        """An empty folder, gone afterwards."""
        with tempfile.TemporaryDirectory(prefix="shuibao-") as folder:
            yield pathlib.Path(folder)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.root, ignore_errors=True)
