# SPDX-License-Identifier: Apache-2.0
"""Killed, stopped, torn and damaged, then the same command: the bytes of an undisturbed run (contract 6, Faults)."""
import os
import random
import signal
import subprocess
import time
import unittest

from harness import PATIENCE, TILE, ArchiveTest, command, environment, files, main, shuibao, temporaries

# The long version of this test, labelled nightly, asks for more.
MOMENTS = int(os.environ.get("SHUIBAO_TEST_KILLS", "4"))


class Interruption(ArchiveTest):
    size, sites = 192, 4

    def command_in(self, name):
        return command("run", "-c", self.config, *self.place(name)[2], "--set", TILE, "-q", "-j", 2)

    def start(self, name):
        return subprocess.Popen(self.command_in(name), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                env=environment())

    def made(self, name):
        """How far a run is: files under final or temporary names in store and output."""
        count = 0
        for folder in self.place(name)[:2]:
            for _, _, names in os.walk(folder):
                count += len(names)
        return count

    def stop_when(self, name, count, how, pause):
        """Starts a run, waits until it made `count` files and a little longer, and stops it; its exit code."""
        process = self.start(name)
        until = time.monotonic() + 120
        while process.poll() is None and self.made(name) < count and time.monotonic() < until:
            time.sleep(0.0005)
        time.sleep(pause)
        process.send_signal(how)
        self.talk = process.communicate(timeout=120 * PATIENCE)[1]
        return process.returncode

    def test_kill_at_any_moment(self):
        self.reference()
        total = self.made("reference")
        random_moments = random.Random(20240525)
        late = 0
        for k in range(MOMENTS):
            name = f"killed{k}"
            # One moment in each of MOMENTS equal parts of the run, so that every stage has its turn.
            count = int((k + random_moments.random()) / MOMENTS * total)
            with self.subTest(files_made=count, of=total):
                code = self.stop_when(name, count, signal.SIGKILL, random_moments.random() * 0.01)
                late += code != -signal.SIGKILL
                store, output, _ = self.place(name)
                shuibao(*self.command_in(name)[1:])
                self.assert_same(store, output)
                self.assertEqual([], temporaries(store, output), "temporary files after the run that succeeded")
        # A run may end while we look away, but a test that mostly missed would prove nothing.
        self.assertLessEqual(late, max(1, MOMENTS // 5), "kills that came too late")

    def test_stale_temporaries_are_swept_and_nothing_else(self):
        self.reference()
        store, output, _ = self.run_all("swept")
        stale = [store / "tiles" / "X0000_Y0000" / ".20230506_simulated.4711-12.tmp.tif",
                 store / ".scenes.4711-0.tmp.json",
                 store / "manifest" / "export" / ".files_202405_251c9748.4711-2.tmp.json",
                 store / "state" / "harmonic" / ".X0000_Y0000.4711-13.tmp.bin",
                 store / "batches" / "202405" / ".disturbances.4711-3.tmp.gpkg-journal",
                 output / ".disturbances.4711-9.tmp.gpkg",
                 output / "export" / "RDTB_202405" / ".RDTB_202405_CM114.4711-10.tmp.dbf",
                 output / "export" / ".suspects_202405.4711-11.tmp_temp.fgb",
                 output / "export" / ".change_202405.4711-12.tmp.tif.ovr.tmp"]
        kept = [output / "notes.tmp", output / ".hidden", output / "export" / ".mine.tmp.txt"]
        for path in stale + kept:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("half a file")
        shuibao(*self.command_in("swept")[1:])
        self.assertEqual([], [p.name for p in stale if p.exists()])
        self.assertEqual(kept, [p for p in kept if p.exists()])

    def test_stop_signal(self):
        self.reference()
        total = self.made("reference")
        for how in (signal.SIGTERM, signal.SIGINT):
            name = f"stopped{int(how)}"
            with self.subTest(signal=how.name):
                code = self.stop_when(name, total // 3, how, 0)
                self.assertEqual(130, code, self.talk)
                self.assertEqual("shuibao: error: Interrupted; what was finished is kept. "
                                 "Run the same command again to go on.\n", self.talk)
                store, output, _ = self.place(name)
                self.assertEqual([], temporaries(store, output), "a stopped run clears away after itself")
                finished = {f for f in files(store) if f.startswith("tiles/")}
                before = {f: (store / f).stat().st_mtime_ns for f in finished}
                again = self.explain(name)
                redone = {unit for (stage, unit), (word, _) in again.items() if stage == "tile" and word == "RUN"}
                kept = {unit for (stage, unit), (word, _) in again.items() if stage == "tile" and word == "SKIP"}
                self.assertEqual(finished, {f"tiles/{unit}.tif" for unit in kept}, "finished units are kept")
                self.assertGreater(len(kept), 0)
                self.assertEqual(set(), redone & kept)
                self.assertEqual(before, {f: (store / f).stat().st_mtime_ns for f in finished})
                self.assert_same(store, output)


class Damage(ArchiveTest):
    size, sites = 192, 4

    def ran(self, decisions):
        return {key: reason for key, (word, reason) in decisions.items() if word == "RUN"}

    def test_nothing_to_do_after_a_complete_run(self):
        self.reference()
        planned = self.explain("reference", "-n")
        self.assertEqual({}, self.ran(planned))
        stages = {stage for stage, _ in planned}
        self.assertEqual({"register", "radiometry", "tile", "fit", "detect", "delineate", "screen", "ledger", "rank", "export"}, stages)
        self.assertEqual({("SKIP", "up to date")}, set(planned.values()))

    def test_torn_manifest(self):
        self.reference()
        store, output, _ = self.run_all("torn")
        log = store / "manifest" / "tile" / "all.log"
        lines = log.read_bytes().splitlines(keepends=True)
        self.assertGreater(len(lines), 20)
        log.write_bytes(b"".join(lines[:-1]) + lines[-1][: len(lines[-1]) // 2])
        first = self.ran(self.explain("torn"))
        self.assertEqual(["never done"], [reason for (stage, _), reason in first.items() if stage == "tile"])
        self.assert_same(store, output)
        # The record that followed the torn line is whole: nothing is done twice.
        self.assertEqual({}, self.ran(self.explain("torn")))

    def test_garbage_in_the_manifest(self):
        self.reference()
        store, output, _ = self.run_all("garbage")
        log = store / "manifest" / "detect" / "all.log"
        lines = log.read_bytes().splitlines(keepends=True)
        damaged = lines[0].replace(b'"key":"', b'"key":"0')
        log.write_bytes(damaged + b"\x00\xff\xfe not a record\n" + b"".join(lines[1:]))
        again = self.ran(self.explain("garbage"))
        self.assertEqual(["never done"], [reason for (stage, _), reason in again.items() if stage == "detect"])
        self.assert_same(store, output)

    def test_truncated_tile(self):
        self.reference()
        store, output, _ = self.run_all("truncated")
        tile = sorted((store / "tiles").rglob("*.tif"))[5]
        size = tile.stat().st_size
        os.truncate(tile, size // 2)
        again = self.ran(self.explain("truncated"))
        unit = f"{tile.parent.name}/{tile.stem}"
        self.assertEqual({("tile", unit): f"the output {tile.name} has {size // 2} bytes instead of {size}"}, again)
        self.assert_same(store, output)

    def test_deleted_outputs(self):
        self.reference()
        store, output, _ = self.run_all("deleted")
        change = sorted((store / "batches" / "202405" / "changes").glob("*.tif"))[3]
        victims = {change: ("detect", f"{change.stem}/202405"),
                   store / "batches" / "202405" / "screened.gpkg": ("screen", "202405"),
                   output / "export" / "suspects_202405.csv": ("export", f"202405 csv {output / 'export'}")}
        for victim in victims:
            victim.unlink()
        again = self.ran(self.explain("deleted"))
        self.assertEqual({key: f"the output {victim.name} is missing" for victim, key in victims.items()}, again)
        self.assert_same(store, output)

    def test_killed_between_file_and_record(self):
        # A run with another option is killed after a file got its final name and before that was recorded; then
        # the old option again. Sizes agree, so only the record can tell that the file is of the other option.
        self.reference()
        store, output, _ = self.run_all("between")
        log = store / "manifest" / "delineate" / "all.log"
        self.run_all("between", "--set", "delineate.generalise=false")
        lines = log.read_bytes().splitlines(keepends=True)
        log.write_bytes(b"".join(lines[:-1]))  # as if killed before the last record
        again = self.ran(self.explain("between"))
        self.assertEqual("begun again but not finished", again["delineate", "202405"])
        self.assert_same(store, output)


if __name__ == "__main__":
    main()
