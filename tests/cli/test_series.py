# SPDX-License-Identifier: Apache-2.0
"""Batches along a series (docs: algorithms.md O18; contract 6, Speed and Faults): quarter after quarter in one store
ends with the bytes of one run at the last date, whatever was late, damaged, killed or shared out. The run from nothing
with one thread is the oracle."""
import json
import os
import random
import re
import shutil
import signal
import subprocess
import time
import unittest

from osgeo import gdal, ogr

from harness import PATIENCE, ArchiveTest, command, copy_archive, digests, environment, main, shuibao, temporaries

gdal.UseExceptions()

QUARTERS = ("2023-03-31", "2023-06-30", "2023-09-30")
LAST = "202309"


class Series(ArchiveTest):
    size, sites, seed = 160, 8, 3
    kind = ("--kind", "series", "--old-sites", 2, "--from", "2021-01-01", "--to", "2023-09-30", "--monitor-from", "2022-06-01",
            "--revisit", 8)

    def options(self, name, config=None, to=QUARTERS[-1]):
        _, _, places = self.place(name)
        return ["-c", config or self.config, *places, "--set", "grid.tile_size=128",
                "--set", "delineate.seed=-2",  # what is likely is too little to compare on so small a plain
                "--set", "detect.monitor_from=2022-06-01", "--set", f"imagery.to={to}"]

    def batch(self, name, *args, config=None, to=QUARTERS[-1], stage="run", **more):
        """One batch in a place that may hold others; returns the decisions of all units."""
        done = shuibao(stage, *self.options(name, config, to), "--explain", "--log-format", "json", *args, **more)
        return self.decisions(done.stderr)

    def stored(self, name):
        """Change maps, states and polygons of the last batch."""
        return {k: v for k, v in digests(self.place(name)[0]).items()
                if k.startswith(f"batches/{LAST}/") or (k.startswith("state/") and k.endswith(f"/{LAST}.tif"))}

    def results(self, name):
        """What is stored of the last batch, and what people receive."""
        found, output = self.stored(name), self.place(name)[1]
        # Exports of earlier batches stay where they are, under their own names.
        received = {k: v for k, v in digests(output, ("run.json",)).items() if "_2023" not in k or LAST in k}
        # The report compares with the batch before, which not every store has: of it, what it says of this one.
        for name in [k for k in received if "/report_" in k]:
            del received[name]
        page = (output / f"export/report_{LAST}.html").read_text(encoding="utf-8")
        data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)[1])
        for table in ("previous", "changes"):
            data["tables"].pop(table)
        data["totals"].pop("previous")
        received["report"] = data
        return found, received

    @classmethod
    def once(cls):
        """Results of one run at the last date, with one thread, made when first asked for."""
        if "m_once" not in cls.__dict__:
            test = cls("once_is_not_empty")
            test.batch("once", "-j", 1)
            test.once_is_not_empty()
            cls.m_once = test.results("once")
        return cls.m_once

    def once_is_not_empty(self):
        store, output, _ = self.place("once")
        states, changes = list(store.glob("state/harmonic/*/202309.tif")), list(store.glob(f"batches/{LAST}/changes/*"))
        self.assertEqual(4, len(states))
        self.assertEqual(4, len(changes))
        layer = ogr.Open(str(output / "disturbances.gpkg"))
        self.assertGreater(layer.GetLayerByName("disturbances").GetFeatureCount(), 0)

    def assert_once(self, name, remembers=False):
        """`remembers`: the store holds earlier batches too, so cases have older ids, growth and points for it."""
        expected, got = self.once(), self.results(name)
        of_ledger = tuple(f"batches/{LAST}/{name}" for name in ("cases.gpkg", "ground.json", "issued.json")) if remembers else ()
        self.assertEqual(*({k: v for k, v in results[0].items() if k not in of_ledger} for results in (expected, got)),
                         "change maps, states and polygons")
        if remembers:
            self.assertEqual(self.polygons("once"), self.polygons(name), "output but for what the ledger remembers")
        else:
            self.assertEqual(expected[1], got[1], "output")

    def polygons(self, name):
        """Number in the batch → shape and what was measured and judged of it."""
        data = ogr.Open(str(self.place(name)[1] / "disturbances.gpkg"))
        told = {}
        for f in data.GetLayerByName("disturbances"):
            kept = ("verdict", "confidence", "flags", "onset_from", "onset_to", "area_m2", "outside_m2", "approval_id")
            told[f["spot"]] = (bytes(f.GetGeometryRef().ExportToWkb()), [f[k] for k in kept])
        return told

    def assert_detected_once(self, name):
        """The same of what `detect` writes."""
        kept = [{k: v for k, v in found.items() if k.startswith("state/") or "/changes/" in k}
                for found in (self.once()[0], self.stored(name))]
        self.assertEqual(8, len(kept[0]))
        self.assertEqual(*kept)

    def copy_of_once(self, name):
        self.once()
        shutil.copytree(self.base / "once", self.base / name)
        return self.place(name)[0]

    def test_quarter_after_quarter(self):
        looks = {}
        for to in QUARTERS:
            decided = self.batch("quarters", to=to)
            looks[to] = sum(word == "RUN" for (stage, _), (word, _) in decided.items() if stage == "tile")
        self.assertGreater(looks[QUARTERS[0]], 5 * looks[QUARTERS[2]], "a new quarter cuts its own looks only")
        self.assert_once("quarters", remembers=True)
        store = self.place("quarters")[0]
        self.assertEqual(["202306.tif", "202309.tif"], sorted({p.name for p in store.glob("state/harmonic/*/*")}))
        # The same batch again does nothing.
        again = self.batch("quarters")
        self.assertEqual({("SKIP", "up to date")}, set(again.values()))
        self.assertGreaterEqual(len([1 for stage, _ in again if stage == "detect"]), 4)
        self.assert_once("quarters", remembers=True)

    def test_batches_of_one_name(self):
        # A state goes on from the file that it replaces.
        for to in ("2023-09-10", "2023-09-18", QUARTERS[-1]):
            self.batch("days", to=to)
        self.assert_once("days")

    def test_a_late_scene(self):
        config = copy_archive(self.archive, self.base / "late_archive")
        item = next(p for p in sorted((config.parent / "catalog").iterdir()) if "202305" in p.name)
        late = item.read_bytes()
        item.unlink()
        for to in QUARTERS[1:]:
            self.batch("late", config=config, to=to)
        without = self.results("late")
        item.write_bytes(late)
        decided = self.batch("late", config=config)
        reasons = {reason for (stage, _), (word, reason) in decided.items() if stage == "detect" and word == "RUN"}
        self.assertEqual(1, len(reasons), decided)
        self.assertNotEqual(self.once()[0], without[0], "the late scene made no difference: it tests nothing")
        self.assert_once("late", remembers=True)

    def test_a_damaged_state_is_made_anew(self):
        def overwrite(path, share, count):
            raw = bytearray(path.read_bytes())
            at = int(len(raw) * share)
            raw[at:at + count] = bytes(b ^ 0x5A for b in raw[at:at + count])
            path.write_bytes(raw)

        def pixels(path):
            image = gdal.Open(str(path), gdal.GA_Update)
            band = image.GetRasterBand(1)
            values = band.ReadAsArray()
            values[3, 5] += 1
            band.WriteArray(values)
            del band, image

        spoil = {"a pixel changed": pixels,
                 "truncated": lambda p: os.truncate(p, p.stat().st_size // 2),
                 "a tail is missing": lambda p: os.truncate(p, p.stat().st_size - 100),
                 "empty": lambda p: os.truncate(p, 0),
                 "no image": lambda p: p.write_text("this is no image\n"),
                 "a byte in the middle": lambda p: overwrite(p, 0.5, 1),
                 "a stretch in the middle": lambda p: overwrite(p, 0.4, 2000),
                 "bytes near the end": lambda p: overwrite(p, 0.97, 20),
                 "a folder": lambda p: (p.unlink(), p.mkdir()),
                 "gone": lambda p: p.unlink()}
        self.once()
        self.batch("base", to=QUARTERS[1])
        self.batch("base", stage="catalog")
        self.batch("base", stage="tile")
        for what, how in spoil.items():
            with self.subTest(what=what):
                name = "damaged_" + what.replace(" ", "_")
                shutil.copytree(self.base / "base", self.base / name)
                states = self.place(name)[0].glob("state/harmonic/*/202306.tif")
                how(max(states, key=lambda p: (p.stat().st_size, p)))
                self.batch(name, stage="detect")
                self.assert_detected_once(name)

    def test_threads(self):
        self.once()
        self.batch("threads", "-j", 2)
        self.assert_once("threads")

    def test_two_shards_at_once(self):
        self.once()
        options = [*self.options("shards"), "-q", "-j", 1]
        shuibao("catalog", *options)
        for stage in ("tile", "detect"):
            running = [subprocess.Popen(command(stage, *options, "--shard", f"{i}/2"), stderr=subprocess.PIPE,
                                        text=True, env=environment()) for i in (1, 2)]
            for process in running:
                talk = process.communicate(timeout=300 * PATIENCE)[1]
                self.assertEqual(0, process.returncode, f"{stage}: {talk}")
        for stage in ("delineate", "screen", "rank", "export"):
            shuibao(stage, *options)
        self.assert_once("shards")

    def test_killed_while_it_follows(self):
        store = self.copy_of_once("killed")
        shutil.rmtree(store / "state")
        chance, killed = random.Random(18), 0
        for _ in range(6):
            # All of detect is to be done again, from no state or from that of a half-done batch.
            shutil.rmtree(store / "batches" / LAST / "changes", ignore_errors=True)
            process = subprocess.Popen(command("detect", *self.options("killed"), "-q", "-j", "2"),
                                       stderr=subprocess.DEVNULL, env=environment())
            until = time.monotonic() + 60
            while process.poll() is None and not temporaries(store) and time.monotonic() < until:
                time.sleep(0.002)
            time.sleep(0.2 * chance.random())
            process.send_signal(signal.SIGKILL)
            killed += process.wait(timeout=60 * PATIENCE) == -signal.SIGKILL
        self.assertGreater(killed, 2, "too fast to be killed: it tests nothing")
        self.batch("killed")
        self.assert_once("killed")
        self.assertEqual([], temporaries(*self.place("killed")[:2]))

    def test_auto_takes_the_method_that_fits(self):
        self.once()
        self.assertEqual(["harmonic"], [p.name for p in (self.place("once")[0] / "state").iterdir()])
        pair = self.base / "pair"
        shuibao("simulate", pair / "archive", "--size", 128, "--sites", 2, "-q")
        where = ["--store", pair / "store", "-o", pair / "output", "--set", "grid.tile_size=128"]
        done = shuibao("run", "-c", pair / "archive" / "run.yaml", *where)
        self.assertIn("detect: pair:", done.stderr)
        self.assertFalse((pair / "store" / "state").exists())
        done = shuibao("run", "-c", pair / "archive" / "run.yaml", *where, "--set", "detect.method=harmonic", code=4)
        self.assertIn("The method 'harmonic' needs 12 dates; the store has 4.", done.stderr)
        self.assertIn("choose detect.method: pair", done.stderr)

    def test_the_watched_time_is_settled_once(self):
        *options, _, _, at_set, to = self.options("settled", to=QUARTERS[0])
        options += [at_set, to]
        shuibao("run", *options, "-q")
        settled = self.place("settled")[0] / "series.json"
        text = settled.read_text()
        self.assertIn('"monitor_from": "2022-01-02"', text)
        options[-1] = to.replace(QUARTERS[0], QUARTERS[2])
        shuibao("run", *options, "-q")
        self.assertEqual(text, settled.read_text(), "a longer series moved the first watched day")
        for damage in ("", "{", "[1]", '{"monitor_from": 5}', '{"monitor_from": "soon"}'):
            with self.subTest(damage=damage):
                settled.write_text(damage)
                done = shuibao("detect", *options, code=1)
                self.assertIn(f"{settled} cannot be read.", done.stderr)
                self.assertIn("Delete it", done.stderr)

    def test_a_span_that_other_stages_settle_is_told(self):
        self.once()
        options = self.options("once")
        self.assertNotIn("lies outside", shuibao("detect", *options).stderr)
        done = shuibao("detect", *options, "--set", f"imagery.to={QUARTERS[0]}")
        self.assertRegex(done.stderr, r"The store lists a look of \d{4}-\d\d-\d\d, which lies outside imagery.from and "
                                      r"imagery.to: `shuibao catalog` and `shuibao tile` settle which looks are used.")

    def test_what_cannot_be_watched_is_refused(self):
        self.once()
        options = self.options("once")
        for day, code, words in (("2020-01-01", 4, "cannot be watched from 2020-01-01"),
                                 ("2024-01-01", 4, "cannot be watched from 2024-01-01"),
                                 ("soon", 2, "'detect.monitor_from' cannot be 'soon'")):
            with self.subTest(day=day):
                done = shuibao("detect", *options, "--set", f"detect.monitor_from={day}", code=code)
                self.assertIn(words, done.stderr)


if __name__ == "__main__":
    main()
