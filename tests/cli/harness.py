# SPDX-License-Identifier: Apache-2.0
"""What the tests that drive the program from outside share: running it, a small archive, comparing trees."""
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SHUIBAO = os.environ.get("SHUIBAO", "")
SOURCE = Path(os.environ.get("SHUIBAO_SOURCE_DIR", Path(__file__).resolve().parents[2]))
TILE = "grid.tile_size=64"
PATIENCE = int(os.environ.get("SHUIBAO_TEST_PATIENCE", "1"))  # sanitizers are slow
sys.path.insert(0, str(SOURCE / "tests" / "support"))


def command(verb, *args):
    return [SHUIBAO, verb, *map(str, args)]


def environment(**extra):
    """The caller's, without what would change how the program behaves."""
    keep = {k: v for k, v in os.environ.items() if not k.startswith(("SHUIBAO_", "SLURM_", "GDAL_"))}
    return {**keep, **extra}


def shuibao(verb, *args, code=0, cwd=None, env=None):
    """Runs the program and fails the test unless it ends with `code`."""
    done = subprocess.run(command(verb, *args), capture_output=True, text=True, cwd=cwd,
                          env=environment(**(env or {})), timeout=300 * PATIENCE)
    if done.returncode != code:
        raise AssertionError(f"shuibao {verb} {' '.join(map(str, args))}\nended with {done.returncode}, not {code}\n"
                             f"{done.stdout}{done.stderr}")
    return done


def files(folder):
    """Every file below a folder, as relative names, sorted."""
    folder = Path(folder)
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def digests(folder, leave_out=()):
    """Relative name → hash of content, of every file whose name does not start with one of `leave_out`."""
    folder = Path(folder)
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
            for name in files(folder) if not name.startswith(tuple(leave_out))}


def temporaries(*folders):
    return [name for folder in folders for name in files(folder) if ".tmp" in name]


# Records of who did what and when, not results.
STORE_RECORDS = ("manifest/", "lock", "hashes.json", "examined.json", "slurm/")
# Results that name the place of the inputs: compared where the inputs did not move.
STORE_PLACES = ("scenes.json",)


def run_record(output):
    """run.json without times, counts and the places of this run."""
    record = json.loads((Path(output) / "run.json").read_text())
    for key in ("stages", "units"):
        record.pop(key)
    # The origin of a value names the file as the command line named it.
    record["config"] = {key: given["value"] for key, given in record["config"].items()
                        if key not in ("jobs", "memory", "store", "output")}
    return record


class Results:
    """Everything a run made that must not depend on how it was run."""

    def __init__(self, store, output, moved=False):
        leave_out = STORE_RECORDS + (STORE_PLACES if moved else ())
        self.store = digests(store, leave_out)
        self.output = digests(output, ("run.json",))
        self.record = None if moved else run_record(output)
        self.problems = json.loads((Path(output) / "run.json").read_text())["problems"]


class ArchiveTest(unittest.TestCase):
    """A simulated archive, made once per class, and an undisturbed run of it to compare with."""
    size, sites, seed = 256, 6, 1
    kind = ("--kind", "pair")  # and what else `simulate` is told
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="shuibao_test_")
        cls.base = Path(cls.folder.name)
        cls.archive = cls.base / "archive"
        shuibao("simulate", cls.archive, *cls.kind, "--size", cls.size, "--sites", cls.sites, "--seed", cls.seed,
                "-q")
        cls.config = cls.archive / "run.yaml"

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @classmethod
    def place(cls, name):
        """A store and an output of this name, and the options that choose them."""
        store, output = cls.base / name / "store", cls.base / name / "output"
        return store, output, ["--store", store, "-o", output]

    @classmethod
    def run_all(cls, name, *args, config=None, tile=TILE, code=0, **more):
        """`shuibao run` into a place of its own; returns (store, output, process)."""
        store, output, options = cls.place(name)
        done = shuibao("run", "-c", config or cls.config, *options, "--set", tile, "-q", *args, code=code, **more)
        return store, output, done

    @classmethod
    def reference(cls):
        """Results of the undisturbed run, made when first asked for."""
        if "m_reference" not in cls.__dict__:
            store, output, _ = cls.run_all("reference", "-j", 1)
            cls.m_reference = Results(store, output)
            if not cls.m_reference.store or len(cls.m_reference.output) < 5:
                raise AssertionError("the reference run made next to nothing: the comparison would be empty")
        return cls.m_reference

    def assert_same(self, store, output, moved=False):
        expected, got = self.reference(), Results(store, output, moved)
        want = {k: v for k, v in expected.store.items() if not (moved and k.startswith(STORE_PLACES))}
        self.assertEqual(want, got.store, "files of the store")
        self.assertEqual(expected.output, got.output, "files of the output")
        if not moved:
            self.assertEqual(expected.record, got.record, "run.json")

    def decisions(self, text):
        """(stage, unit) → (RUN or SKIP, reason), from what --explain says with --log-format json."""
        found = {}
        for line in text.splitlines():
            entry = json.loads(line)
            word, _, reason = entry["msg"].partition(" (")
            if word in ("RUN", "SKIP"):
                found[entry["stage"], entry["unit"]] = word, reason.rstrip(")")
        return found

    def explain(self, name, *args, config=None, tile=TILE, code=0, **more):
        """Runs in a place that may hold results already and returns its decisions."""
        store, output, options = self.place(name)
        done = shuibao("run", "-c", config or self.config, *options, "--set", tile, "--explain",
                       "--log-format", "json", *args, code=code, **more)
        return self.decisions(done.stderr)


def kill_part(stage, store, looking, part=None):
    """kill -9 of a process that works on a part of this store (0/n, what all parts need, is none), while looking(); which
    part that was, or None when none was seen."""
    while looking():
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue
            if words[:2] == [os.path.realpath(SHUIBAO), stage] and f"store={store}" in words and "--shard" in words:
                found = words[words.index("--shard") + 1]
                if found == part or (part is None and not found.startswith("0/")):
                    os.kill(int(entry.name), signal.SIGKILL)
                    return found
    return None


def copy_archive(archive, to):
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(archive, to)
    return to / "run.yaml"


def main():
    if not SHUIBAO:
        sys.exit("Say where the program is: SHUIBAO=build/ci/shuibao")
    unittest.main(verbosity=2)
