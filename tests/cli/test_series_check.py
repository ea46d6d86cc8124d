#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A cloudy series is laid on a clear scene, its shifts are found between the clouds, and the one scene that is 0.1 too
bright is set aside, none of the others. The oracle is scenes.csv, where the simulation says what it did to each look."""
import csv
import json
import math
import statistics
import unittest

from harness import ArchiveTest, main, shuibao


class SeriesCheck(ArchiveTest):
    size = 512
    kind = ("--kind", "series", "--from", "2022-06-01", "--to", "2023-05-31", "--monitor-from", "2022-12-01",
            "--miscalibrated")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        lines = (cls.archive / "scenes.csv").read_text().splitlines()
        cls.truth = {r["date"]: r for r in csv.DictReader(lines)}
        cls.store = cls.base / "store"
        options = ["-c", cls.archive / "run.yaml", "--store", cls.store, "-q"]
        shuibao("catalog", *options)
        cls.done = shuibao("tile", *options, code=3)
        scenes = json.loads((cls.store / "scenes.json").read_text())["scenes"]
        cls.scenes = {s["date"]: s for s in scenes}
        found = [json.loads(p.read_text()) for p in (cls.store / "scenes").glob("*.json")]
        by_id = {r["id"]: r for r in found if "id" in r}
        cls.reports = {s["date"]: by_id[s["id"]] for s in scenes}

    def test_the_catalogue_knows_how_clear_each_scene_is(self):
        self.assertEqual(self.scenes.keys(), self.truth.keys())
        for date, scene in self.scenes.items():
            if self.truth[date]["swath_edge"] == "0":
                self.assertAlmostEqual(scene["clear"], float(self.truth[date]["clear"]), delta=0.02, msg=date)
            else:  # the frame counts, not the part that holds data
                self.assertLess(scene["clear"], float(self.truth[date]["clear"]), date)

    def test_the_reference_is_the_first_clear_scene(self):
        first = next(d for d, s in sorted(self.scenes.items()) if s["clear"] >= 0.9)
        self.assertGreater(first, min(self.scenes))
        self.assertEqual([d for d, r in self.reports.items() if r["decision"] == "reference"], [first])
        self.assertEqual({r["reference"] for r in self.reports.values()} - {""}, {self.scenes[first]["id"]})

    def test_only_the_miscalibrated_scene_is_refused(self):
        bad = [d for d, t in self.truth.items() if t["miscalibrated"] == "1"]
        self.assertEqual(len(bad), 1)
        acquisitions = (self.store / "acquisitions.json").read_text()
        self.assertEqual([d for d, s in self.scenes.items() if f'"{s["id"]}"' not in acquisitions], bad)
        self.assertIn(f"The scene {self.scenes[bad[0]]['id']} is set aside: all bands differ from ", self.done.stderr)
        self.assertEqual(self.done.stderr.count("is set aside"), 1)

    def test_shifts_are_found_where_the_ground_is_seen(self):
        reference = next(d for d, r in self.reports.items() if r["decision"] == "reference")

        def true_shift(date, axis):
            key = f"shift_{axis}_px"
            return float(self.truth[date][key]) - float(self.truth[reference][key])

        errors, seen, found = [], 0, 0
        for date, r in self.reports.items():
            if date == reference:
                continue
            reliable = r["decision"] in ("aligned", "shifted")
            if float(self.truth[date]["clear"]) > 0.6 and self.truth[date]["swath_edge"] == "0":
                seen, found = seen + 1, found + reliable
            if float(self.truth[date]["clear"]) < 0.02:  # nothing but cloud is no measure
                self.assertEqual((r["decision"], r["tie_points_measured"]), ("not reliable: not shifted", 0), date)
            if reliable:
                errors.append(math.hypot(r["measured_dx"] - true_shift(date, "x"), r["measured_dy"] - true_shift(date, "y")))
        self.assertGreater(seen, 10)
        self.assertGreaterEqual(found, 0.9 * seen)
        self.assertLess(statistics.median(errors), 0.12)
        self.assertLess(max(errors), 0.4)


if __name__ == "__main__":
    main()
