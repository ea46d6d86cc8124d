# SPDX-License-Identifier: Apache-2.0
"""A run as jobs: the same scripts on this machine give the bytes of `run`, also where parts are lost; what Slurm is told, and
what happens when it refuses. A real Slurm is in tests/hpc (docs: contract.md 6, "over machines with Slurm, same bytes out")."""
import contextlib
import fcntl
import json
import os
import signal
import subprocess
import time

from harness import PATIENCE, TILE, ArchiveTest, command, copy_archive, environment, files, kill_part, main, shuibao

JOBS = ["catalog", "tile", "tile_rest", "detect", "run"]

# Writes down what it was called with and what it read, and answers as Slurm does.
FAKE = """#!/usr/bin/python3
import json, os, sys
folder = os.environ["FAKE_SLURM"]
name = os.path.basename(sys.argv[0])
n = len([f for f in os.listdir(folder) if f.startswith(name)]) + 1
with open(f"{folder}/{name}.{n}", "w") as f:
    json.dump({"argv": sys.argv[1:], "script": sys.stdin.read()}, f)
if str(n) == os.environ.get(f"FAKE_{name}_REFUSES"):
    sys.exit(f"{name}: error: Batch job submission failed: Invalid account\\nand more")
if name == "sbatch":
    print(os.environ.get("FAKE_ANSWER", f"{100 + n};mini"))
"""


class Submit(ArchiveTest):
    def submit(self, name, *args, code=0, config=None, **more):
        return shuibao("submit", config or self.config, *self.place(name)[2], "--set", TILE, *args, code=code, **more)

    def local(self, name, *args, code=0, shards=3, at_once=2, **more):
        """Codes of the jobs by name."""
        done = self.submit(name, "--engine", "local", "--shards", shards, "--at-once", at_once, "--job-cpus", 1, "--json",
                           *args, code=code, **more)
        jobs = json.loads(done.stdout)["jobs"]
        self.assertEqual(JOBS, [j["job"] for j in jobs])
        return {j["job"]: j["code"] for j in jobs}

    @contextlib.contextmanager
    def slurm(self, **more):
        """Programs that pretend to be Slurm, and what they were called with."""
        folder = self.base / f"fake{len(files(self.base))}"
        programs, calls = folder / "bin", folder / "calls"
        calls.mkdir(parents=True)
        programs.mkdir()
        for name in ("sbatch", "scancel"):
            (programs / name).write_text(FAKE)
            (programs / name).chmod(0o755)
        def called(name):
            paths = sorted(calls.glob(f"{name}.*"), key=lambda p: int(p.suffix[1:]))
            return [json.loads(p.read_text()) for p in paths]
        yield {"PATH": f"{programs}:{os.environ['PATH']}", "FAKE_SLURM": str(calls), **more}, called

    # --- the same bytes ---

    def test_local_gives_the_bytes_of_run(self):
        self.reference()
        self.assertEqual(dict.fromkeys(JOBS, 0), self.local("local"))
        self.assert_same(*self.place("local")[:2])
        logs = self.place("local")[0] / "slurm"
        # Scenes were measured and the model was learnt before the parts began.
        self.assertIn("8 units made, 0 up to date", (logs / "shuibao-catalog.log").read_text())
        self.assertIn("1 units made, 0 up to date", (logs / "shuibao-tile_rest.log").read_text())
        for part in (1, 2, 3):
            self.assertRegex((logs / f"shuibao-tile_{part}.log").read_text(), r"[1-9]\d* units made, 8 up to date, no problems")
            self.assertRegex((logs / f"shuibao-detect_{part}.log").read_text(), r"[1-9]\d* units made, 1 up to date, no problems")
        # What parts have done nobody does again.
        self.assertIn("tile: 0 tiles cut, 100 up to date, 0 failed", (logs / "shuibao-tile_rest.log").read_text())
        self.assertIn("tile: 0 tiles cut, 100 up to date, 0 failed", (logs / "shuibao-run.log").read_text())
        again = self.explain("local")
        self.assertEqual({("SKIP", "up to date")}, set(again.values()))

    def test_a_part_that_is_still_at_work(self):
        """Slurm has given up a task that works on: the one it starts instead waits for its lock, and the next job does its work."""
        self.reference()
        store = self.place("lost")[0]
        store.mkdir(parents=True)
        # What does the parts' common work before them takes the store alone, and the files of their locks away.
        with open(store / "lock.2of3", "w", encoding="utf-8") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            held.write("process 1 on mars since 2024-01-01 00:00:00 UTC\n")
            held.flush()
            common = ["-c", self.config, *self.place("lost")[2], "--set", TILE, "-q"]
            shuibao("tile", *common, "--shard", "1/3", code=2)  # no catalogue yet
            talk = shuibao("tile", *common, "--shard", "2/3", "--wait", 0.3, code=75).stderr
            self.assertIn(f"Part 2/3 of the store {store} is in use by process 1 on mars since 2024-01-01 00:00:00 UTC.", talk)
            started = time.monotonic()
            waiting = subprocess.Popen(command("tile", *common, "--shard", "2/3", "--wait", 60), stderr=subprocess.PIPE, text=True,
                                       env=environment())
            time.sleep(0.5)
            self.assertIsNone(waiting.poll())
        self.assertIn("Run `shuibao catalog`", waiting.communicate(timeout=60 * PATIENCE)[1])
        self.assertLess(time.monotonic() - started, 50)
        self.assertTrue((store / "lock.2of3").exists())
        shuibao("catalog", *common)
        self.assertEqual([], list(store.glob("lock.*of*")))

    def test_a_killed_part_is_made_good(self):
        self.reference()
        for stage in ("tile", "detect"):
            with self.subTest(stage):
                name = f"killed_{stage}"
                process = subprocess.Popen(
                    command("submit", self.config, *self.place(name)[2], "--set", TILE, "--engine", "local", "--shards", 2,
                            "--at-once", 1, "--job-cpus", 1, "--json"),
                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment())
                self.assertTrue(kill_part(stage, self.place(name)[0], lambda: process.poll() is None, "2/2"))
                codes = {j["job"]: j["code"] for j in json.loads(process.communicate(timeout=120 * PATIENCE)[0])["jobs"]}
                self.assertEqual({**dict.fromkeys(JOBS, 0), stage: 137}, codes)
                self.assert_same(*self.place(name)[:2])

    def test_a_list_of_tiles_that_a_killed_part_left_behind(self):
        """Killed between its last tile and the list of all: the others must not take the list for whole."""
        self.reference()
        store, _, options = self.place("listed")
        common = ["-c", self.config, *options, "--set", TILE, "-q", "-j", 1]
        shuibao("catalog", *common)
        shuibao("tile", *common, "--shard", "1/2")
        before = (store / "acquisitions.json").read_bytes()
        shuibao("tile", *common, "--shard", "2/2")
        whole = (store / "acquisitions.json").read_bytes()
        self.assertNotEqual(before, whole)
        (store / "acquisitions.json").write_bytes(before)
        talk = shuibao("detect", *common, code=75).stderr
        self.assertRegex(talk, r"\d+ of 100 tiles are cut but not listed, X\d+_Y\d+/\S+ is one of them\. Run `shuibao tile` ")
        shuibao("tile", *common)
        self.assertEqual(whole, (store / "acquisitions.json").read_bytes())
        shuibao("run", *common)
        self.assert_same(*self.place("listed")[:2])

    def test_stopped_and_submitted_again(self):
        self.reference()
        store = self.place("stopped")[0]
        words = command("submit", self.config, *self.place("stopped")[2], "--set", TILE, "--engine", "local", "--shards", 2,
                        "--job-cpus", 1)
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment())
        while process.poll() is None and not list(store.glob("tiles/*/*.tif")):
            time.sleep(0.001)
        process.send_signal(signal.SIGTERM)
        self.assertIn("Interrupted; what was finished is kept.", process.communicate(timeout=60 * PATIENCE)[1])
        self.assertEqual(130, process.returncode)
        self.assertFalse(list(store.glob("batches/*")))
        self.assertEqual(dict.fromkeys(JOBS, 0), self.local("stopped"))
        self.assert_same(*self.place("stopped")[:2])

    def test_names_that_mean_something_to_shells(self):
        self.reference()
        strange = self.base / "it's a $HOME `id` \"x\" %j;\nexit 9" / "图斑 & *"
        config = copy_archive(self.archive, strange / "archive")
        config = config.rename(config.with_name("$(touch gone) '.yaml"))
        here = strange / "-rf ~"
        here.mkdir()
        shuibao("submit", os.path.relpath(config, here), "--store", "sto're", "-o", "out $put\n", "--set", TILE, "--engine", "local",
                "--shards", 2, "--job-cpus", 1, "-q", cwd=here)
        self.assert_same(here / "sto're", here / "out $put\n", moved=True)
        self.assertEqual([], list(self.base.rglob("gone")))

    def test_problems_do_not_stop_the_jobs(self):
        config = copy_archive(self.archive, self.base / "damaged" / "archive")
        image = sorted((config.parent / "images").glob("*_20230506.tif"))[0]
        image.write_bytes(image.read_bytes()[:1000])
        codes = self.local("problems", code=3, config=config)
        self.assertEqual({**dict.fromkeys(JOBS, 0), "run": 3}, codes)
        record = json.loads((self.place("problems")[1] / "run.json").read_text())
        self.assertTrue(any("demo_20230506" in p["unit"] for p in record["problems"]), record["problems"])

    def test_a_job_that_fails_takes_those_that_need_it_along(self):
        """The catalogue cannot be written; the last job says why, and does what is left once it can."""
        store, output, _ = self.place("failed")
        (store / "scenes.json").mkdir(parents=True)
        codes = self.local("failed", code=1)
        self.assertEqual({"catalog": 1, "tile": None, "tile_rest": None, "detect": None, "run": 1}, codes)
        self.assertIn("scenes.json", json.dumps(json.loads((output / "run.json").read_text())["problems"][-1]))

    # --- what is not submitted ---

    def test_nothing_is_submitted_that_could_not_run(self):
        with self.slurm() as (env, called):
            for extra, code, says in (
                    (["--set", "imagery.to=1999-01-01"], 4, "No usable scene is left."),
                    (["--set", "approvals.path=/nowhere.shp"], None, "/nowhere.shp"),
                    (["--partition", "a b"], 2, "--partition: 'submit.partition' cannot be 'a b'."),
                    (["--sbatch=--array=1-9"], 2, "'submit.sbatch' cannot hold '--array=1-9': submit decides that itself."),
                    (["--job-memory", "12"], 2, "'submit.memory' cannot be '12'"),
                    (["--shards", "1001"], 2, "It takes a whole number from 1 to 1000.")):
                done = subprocess.run(command("submit", self.config, *self.place("never")[2], *extra), capture_output=True,
                                      text=True, env=environment(**env))
                self.assertEqual(done.returncode, code or done.returncode, done.stderr)
                self.assertIn(done.returncode, (2, 4))
                self.assertIn(says, done.stderr)
            self.assertEqual([], called("sbatch"))
        self.assertFalse(self.place("never")[0].exists())

    def test_dry_run(self):
        with self.slurm() as (env, called):
            for engine in ("slurm", "local"):
                done = self.submit("dry", "-n", "--engine", engine, "--shards", 5, env=env)
                self.assertEqual("shuibao-catalog\nshuibao-tile, 5 parts, after catalog\n"
                                 "shuibao-tile_rest, after catalog, at the end of tile\n"
                                 "shuibao-detect, 5 parts, after tile_rest\nshuibao-run, at the end of detect\n", done.stdout)
            plan = json.loads(self.submit("dry", "-n", "--json", env=env).stdout)
            self.assertEqual((False, JOBS), (plan["submitted"], [j["job"] for j in plan["jobs"]]))
            self.assertFalse(any("id" in j for j in plan["jobs"]))
            self.assertEqual([], called("sbatch"))
        self.assertFalse(self.place("dry")[0].exists() or self.place("dry")[1].exists())

    def test_parts_follow_from_the_work(self):
        def parts(*args):
            return json.loads(self.submit("parts", "-n", "--json", *args).stdout)["jobs"][1]["parts"]
        self.assertEqual(1, parts())  # seconds of work are not worth two tasks
        self.assertEqual(7, parts("--set", "submit.shards=7"))

    # --- what Slurm is told ---

    def test_print_is_what_slurm_is_told(self):
        args = ["--shards", 3, "--at-once", 2, "--partition", "long", "--account", "water", "--time", "1-00:00", "--job-cpus", 8,
                "--job-memory", "11G", "--sbatch=--qos=it's", "--sbatch", "['--comment=a, b']", "--gdal-config", "GDAL_PAM_ENABLED=NO"]
        printed = self.submit("told", *args, "--engine", "print").stdout
        self.assertEqual(printed, self.submit("told", *args, "--engine", "print").stdout)
        self.assertFalse(self.place("told")[0].exists())
        with self.slurm() as (env, called):
            done = subprocess.run(["bash"], input=printed, capture_output=True, text=True, env=environment(**env), cwd="/")
            self.assertEqual((0, ""), (done.returncode, done.stderr))
            self.assertIn("catalog: 101;mini\n", done.stdout)
            by_hand = called("sbatch")
        with self.slurm() as (env, called):
            done = self.submit("told", *args, "--json", env=env)
            by_program = called("sbatch")
        self.assertEqual([sorted(c["argv"]) for c in by_program], [sorted(c["argv"]) for c in by_hand])
        self.assertEqual([c["script"] for c in by_program], [c["script"] for c in by_hand])
        self.assertEqual(["101", "102", "103", "104", "105"], [j["id"] for j in json.loads(done.stdout)["jobs"]])
        self.assertIn("`scancel 101 102 103 104 105` takes them back", done.stderr)
        self.assertEqual(["--parsable", f"--output={self.place('told')[0]}/slurm/%x-%A_%a.log", "--dependency=afterok:103",
                          "--qos=it's", "--comment=a, b"], by_program[3]["argv"])
        self.assertIn("--memory 10240M --wait 600 --shard \"$SLURM_ARRAY_TASK_ID/3\"\n", by_program[3]["script"])
        # Every line is one of ours, and the environment of whoever submits does not count.
        self.assertIn("unset SHUIBAO_JOBS SHUIBAO_MEMORY\n", by_program[0]["script"])
        self.assertIn("--gdal-config GDAL_PAM_ENABLED=NO", by_program[4]["script"])

    def test_what_a_site_writes_into_the_configuration(self):
        site = self.base / "site.yaml"
        site.write_text(f"extends: {self.config}\njobs: 6\nmemory: 2G\nsubmit:\n  partition: long\n  shards: 2\n  sbatch: [--qos=low]\n")
        told = json.loads(self.submit("site", "--engine", "print", "--json", config=site).stdout)["jobs"]
        for line in ("#SBATCH --partition=long\n", "#SBATCH --array=1-2\n", "#SBATCH --cpus-per-task=6\n", "#SBATCH --mem=2252M\n",
                     f" --config {site} ", " --memory 2048M "):
            self.assertIn(line, told[1]["script"])
        told = json.loads(self.submit("site", "--engine", "print", "--json", "-j", 3, "--memory", "1G", config=site).stdout)["jobs"]
        self.assertIn("#SBATCH --cpus-per-task=3\n", told[1]["script"])
        self.assertIn(" --memory 1024M ", told[1]["script"])
        self.assertNotIn("jobs=", told[1]["script"])
        # The program is never given less than it takes.
        told = json.loads(self.submit("site", "--engine", "print", "--json", "--job-memory", "200M", config=site).stdout)["jobs"]
        self.assertIn("#SBATCH --mem=220M\n", told[1]["script"])
        self.assertIn(" --memory 200M ", told[1]["script"])

    # --- when Slurm does not take it ---

    def test_no_slurm(self):
        empty = self.base / "empty"
        empty.mkdir()
        talk = self.submit("none", code=1, env={"PATH": str(empty)}).stderr
        self.assertIn("The program sbatch cannot be started: No such file or directory. Nothing was submitted.", talk)
        self.assertIn("`--engine local` does the same work on this machine", talk)

    def test_slurm_refuses_half_way(self):
        with self.slurm(FAKE_sbatch_REFUSES="3") as (env, called):
            done = self.submit("half", code=1, env=env)
            self.assertEqual("", done.stdout)
            self.assertIn("sbatch refused the job shuibao-tile_rest (exit code 1): sbatch: error: Batch job submission failed: "
                          "Invalid account. What had been submitted before it was cancelled: 101 102.", done.stderr)
            self.assertEqual(3, len(called("sbatch")))
            self.assertEqual([["101", "102"]], [c["argv"] for c in called("scancel")])
        with self.slurm(FAKE_sbatch_REFUSES="2", FAKE_scancel_REFUSES="1") as (env, called):
            talk = self.submit("half", code=1, env=env).stderr
            self.assertIn("could not be cancelled: run `scancel 101`. scancel: error: Batch job submission failed: Invalid "
                          "account.", talk)
        with self.slurm(FAKE_sbatch_REFUSES="1") as (env, called):
            self.assertIn("Nothing was submitted.", self.submit("half", code=1, env=env).stderr)
            self.assertEqual([], called("scancel"))

    def test_slurm_answers_nonsense(self):
        for answer in ("Submitted batch job 12", "", "12\x1b[31m"):
            with self.slurm(FAKE_ANSWER=answer) as (env, _):
                talk = self.submit("nonsense", code=1, env=env).stderr
                self.assertIn("which is no number.", talk)
                self.assertNotIn("\x1b", talk)

    def test_folders_that_cannot_be_written(self):
        store = self.place("file")[0]
        store.parent.mkdir()
        store.write_text("a file")
        with self.slurm() as (env, called):
            talk = self.submit("file", code=1, env=env).stderr
            self.assertIn(str(store), talk)
            self.assertEqual([], called("sbatch"))


if __name__ == "__main__":
    main()
