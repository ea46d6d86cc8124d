# SPDX-License-Identifier: Apache-2.0
"""A real Slurm of two virtual nodes (scripts/hpc/start_mini_slurm): the bytes of one process, whatever is killed. Skips, saying
so, where Slurm is not installed or the user is not root."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))

from harness import PATIENCE, SOURCE, TILE, ArchiveTest, kill_part, main, shuibao  # noqa: E402

MINI = SOURCE / "scripts/hpc/start_mini_slurm"
PARTS = 4


def what_is_missing():
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    missing = [p for p in ("munged", "slurmctld", "slurmd", "sbatch") if shutil.which(p, path=path) is None]
    if missing:
        return f"Slurm is not installed ({', '.join(missing)}): scripts/install-deps --hpc"
    if os.geteuid() != 0:
        return "root is needed to start the nodes of a Slurm"
    return None if os.path.isdir("/sys/devices/system/cpu") else "/sys is not mounted"


@unittest.skipIf(what_is_missing(), what_is_missing())
class Slurm(ArchiveTest):
    size, sites = 512, 6  # parts that work long enough to be killed

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cluster = Path(tempfile.mkdtemp(prefix="shuibao_slurm_"))
        cls.addClassCleanup(shutil.rmtree, cls.cluster, ignore_errors=True)
        cls.env = {"SHUIBAO_MINI_SLURM": str(cls.cluster / "mini"), "SLURM_CONF": str(cls.cluster / "mini/slurm.conf")}
        cls.cluster.chmod(0o755)
        cls.addClassCleanup(cls.tell, MINI, "stop")
        cls.tell(MINI)

    @classmethod
    def tell(cls, *words):
        done = subprocess.run([str(w) for w in words], capture_output=True, text=True, env={**os.environ, **cls.env},
                              timeout=120 * PATIENCE)
        if done.returncode != 0:
            raise AssertionError(f"{words} ended with {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def submit(self, name, *args):
        """Numbers of the jobs by name."""
        done = shuibao("submit", self.config, *self.place(name)[2], "--set", TILE, "--shards", PARTS, "--job-cpus", 1, "--memory",
                       "1G", "--json", *args, env=self.env)
        return {j["job"]: j["id"] for j in json.loads(done.stdout)["jobs"]}

    def queued(self):
        return self.tell("squeue", "-h", "-o", "%A %T").split("\n")[:-1]

    def drain(self, seconds=240):
        until = time.monotonic() + seconds * PATIENCE
        while self.queued():
            self.assertLess(time.monotonic(), until, self.tell("squeue"))
            time.sleep(0.2)

    def ended(self, jobs):
        """Job → states of its tasks, as Slurm wrote them down when each ended, and the nodes it worked on."""
        time.sleep(0.5)  # the log of what has ended comes after the queue
        rows = [dict(word.split("=", 1) for word in line.split() if "=" in word)
                for line in (self.cluster / "mini/state/jobcomp.log").read_text().splitlines()]
        found = {}
        for job, number in jobs.items():
            own = [r for r in rows if r["JobId"] == number or r.get("ArrayJobId") == number]
            found[job] = [(r["JobState"], r.get("NodeList", "")) for r in own]
        return found

    def log_of(self, name, title):
        return "".join(p.read_text() for p in sorted((self.place(name)[0] / "slurm").glob(f"shuibao-{title}-*.log")))

    def test_two_nodes(self):
        self.reference()
        jobs = self.submit("two")
        self.drain()
        self.assert_same(*self.place("two")[:2])
        found = self.ended(jobs)
        self.assertEqual({"COMPLETED"}, {state for states in found.values() for state, _ in states})
        for stage in ("tile", "detect"):
            self.assertEqual((PARTS, {"n1", "n2"}), (len(found[stage]), {node for _, node in found[stage]}))
        self.assertEqual(PARTS, len(list((self.place("two")[0] / "slurm").glob("shuibao-tile-*_*.log"))))
        # Nothing is left to do.
        self.assertEqual({("SKIP", "up to date")}, set(self.explain("two").values()))

    def test_a_part_is_killed(self):
        self.reference()
        for stage in ("tile", "detect"):
            with self.subTest(stage):
                name = f"part_{stage}"
                jobs = self.submit(name)
                self.assertIsNotNone(kill_part(stage, self.place(name)[0], lambda: self.place(name)[0].exists()
                                               and not (self.place(name)[1] / "run.json").exists()))
                self.drain()
                found = self.ended(jobs)
                self.assertEqual(["COMPLETED"] * (PARTS - 1) + ["FAILED"], sorted(state for state, _ in found[stage]))
                self.assertEqual(["COMPLETED"], [state for state, _ in found["run"]])
                self.assert_same(*self.place(name)[:2])

    def test_a_node_dies(self):
        """Its daemon and the part it works on; the node comes back, and the same command is given again."""
        self.reference()
        store = self.place("node")[0]
        self.submit("node")
        while not list(store.glob("tiles/*/*.tif")):
            time.sleep(0.002)
        os.kill(int((self.cluster / "mini/n1.pid").read_text()), 9)
        self.assertIsNotNone(kill_part("tile", store, lambda: not (store / "batches").exists()))
        self.tell(MINI, "node", "n1")
        self.submit("node")
        self.drain()
        self.assert_same(*self.place("node")[:2])

    def test_taken_back_and_submitted_again(self):
        self.reference()
        store = self.place("back")[0]
        jobs = self.submit("back")
        while not list(store.glob("tiles/*/*.tif")):
            time.sleep(0.002)
        self.tell("scancel", *jobs.values())
        self.drain()
        self.assertIn("Interrupted; what was finished is kept.", self.log_of("back", "tile"))
        self.assertFalse(list(store.glob("batches/*")))
        self.submit("back")
        self.drain()
        self.assert_same(*self.place("back")[:2])

    def test_what_needs_a_failed_job_goes_and_the_last_says_why(self):
        store, output, _ = self.place("failed")
        (store / "scenes.json").mkdir(parents=True)
        jobs = self.submit("failed")
        self.drain()
        found = self.ended(jobs)
        self.assertEqual({"catalog": ["FAILED"], "tile": ["CANCELLED"], "tile_rest": ["CANCELLED"], "detect": ["CANCELLED"],
                          "run": ["FAILED"]}, {job: sorted({s for s, _ in states}) for job, states in found.items()})
        self.assertIn("scenes.json", json.dumps(json.loads((output / "run.json").read_text())["problems"][-1]))

    def test_a_folder_whose_name_means_something_to_slurm(self):
        self.reference()
        place = self.base / "a %j %%x;'$x"
        shuibao("submit", self.config, "--store", place / "store", "-o", place / "output", "--set", TILE, "--shards", 2, "--job-cpus", 1,
                env=self.env)
        self.drain()
        self.assert_same(place / "store", place / "output")
        self.assertEqual(7, len(list((place / "store/slurm").glob("shuibao-*.log"))))

    def test_refused(self):
        done = shuibao("submit", self.config, *self.place("refused")[2], "--partition", "nowhere", code=1, env=self.env)
        self.assertIn("sbatch refused the job shuibao-catalog (exit code 1): sbatch: error: invalid partition specified: nowhere. "
                      "Nothing was submitted.", done.stderr)


if __name__ == "__main__":
    main()
