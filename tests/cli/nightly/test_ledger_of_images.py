# SPDX-License-Identifier: Apache-2.0
"""The ledger behind the whole pipeline: a simulated series, seen in three quarters. The oracle is the simulation's own
truth: a site of which any batch found a part keeps its case, and no later batch calls it new."""
import datetime
import json
import sys
import tempfile
import unittest
from pathlib import Path

from osgeo import ogr

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness import main, shuibao  # noqa: E402

ogr.UseExceptions()
QUARTERS = ["202203", "202206", "202209", "202212", "202303", "202306"]
ENDS = ["2022-03-31", "2022-06-30", "2022-09-30", "2022-12-31", "2023-03-31", "2023-06-30"]


def features(path, layer=0):
    data = ogr.Open(str(path))
    return [(f.GetGeometryRef().Clone(), f.items()) for f in data.GetLayer(layer)]


class LedgerOfImages(unittest.TestCase):
    def test_quarter_after_quarter(self):
        with tempfile.TemporaryDirectory(prefix="shuibao_test_") as folder:
            base = Path(folder) / "archive"
            shuibao("simulate", base, "--kind", "series", "--size", 320, "--sites", 24, "--old-sites", 0, "--from", "2020-01-01",
                    "--to", ENDS[-1], "--monitor-from", "2022-01-10", "--revisit", 10, "--seed", 5, "-q")
            truth = features(base / "truth.gpkg")
            cases, changes = {}, {}
            for quarter, end in zip(QUARTERS, ENDS):
                shuibao("run", "-c", base / "run.yaml", "--batch", quarter, "--set", f"imagery.to={end}", "-q")
                for shape, row in features(base / "output/disturbances.gpkg", "disturbances"):
                    for n, (site, _) in enumerate(truth):
                        shared = shape.Intersection(site).Area()
                        if shared > 0.5 * min(shape.Area(), site.Area()):
                            cases.setdefault(n, {}).setdefault(quarter, []).append((shared, row["case_id"]))
                            changes.setdefault((row["case_id"], quarter), row["change_type"])
            self.assertGreaterEqual(len(cases), 3, "the simulation shows too little to test anything")
            kept = 0
            for n, seen in cases.items():
                main_case = [max(found)[1] for _, found in sorted(seen.items())]
                with self.subTest(site=n, cases=main_case):
                    # A site may show in pieces at first, each a case; what they grow into is one of them.
                    pieces = [{case for _, case in found} for _, found in sorted(seen.items())]
                    for before, case in zip(pieces, main_case[1:]):
                        self.assertIn(case, before)
                    kept += len(main_case) > 1
            self.assertGreaterEqual(kept, 2, "no site was seen twice")
            new = [case for (case, _), change in changes.items() if change == "新增"]
            self.assertEqual(len(new), len(set(new)), "the same case is new twice")
            summary = json.loads((base / "store/ledger.json").read_text())
            self.assertEqual(summary["batch"], QUARTERS[-1])
            self.finished(base, truth)

    def finished(self, base, truth):
        def day(value):
            return datetime.date(*map(int, value.replace("/", "-").split("-")))

        looks = {}  # case → what its ground showed, from the files of all batches
        for quarter in QUARTERS[1:]:
            for case, list_ in json.loads((base / f"store/batches/{quarter}/ground.json").read_text())["cases"].items():
                looks.setdefault(case, []).extend(list_)
        given_back, kept_open = set(), 0
        for shape, row in features(base / "store/ledger.gpkg", "cases"):
            case, on = row["case_id"], row["finished_on"]
            if on is None:
                self.assertNotEqual(row["construction"], "finished")
            else:
                green = "复耕" if row["tilled_before"] >= 0.5 else "植被恢复"
                self.assertIn(row["completion"], (green, "硬化"))
                counted = [l for l in looks[case] if l["seen"] >= 0.6 and day(row["closed_since"]) <= day(l["day"]) <= day(on)]
                self.assertEqual((counted[0]["day"], counted[-1]["day"]), (day(row["closed_since"]).isoformat(), day(on).isoformat()))
                self.assertLess(max(l["open"] for l in counted), 0.2)
                self.assertGreaterEqual((day(on) - day(row["closed_since"])).days, 15)
            for n, (site, told) in enumerate(truth):
                if shape.Intersection(site).Area() < 0.8 * shape.Area():
                    continue
                kept_open += on is None and told["fate"] == "open"
                with self.subTest(case=case, fate=told["fate"]):
                    if on is not None:
                        self.assertIn(told["fate"], ("reverted", "built"))
                        self.assertGreaterEqual(day(on), day(told["reverted"] or told["complete"]))
                    if on is not None and told["fate"] == "reverted":
                        given_back.add(n)
                        told_by = json.loads(shuibao("explain", case, "-c", base / "run.yaml", "--json").stdout)
                        self.assertEqual(told_by["finished"]["day"], day(on).isoformat())
                        self.assertEqual(told_by["ground"], [{"batch": g["batch"], **{k: l[k] for k in ("day", "seen", "green", "built", "open")}}
                                                             for g, l in zip(told_by["ground"], looks[case], strict=True)])
                        self.as_it_was_known(base, row, told_by)
        self.assertGreaterEqual(len(given_back), 1, "no site that was given back is known to be done")
        self.assertGreaterEqual(kept_open, 1, "no open site to be wrong about")

    def as_it_was_known(self, base, row, now):
        """Asked for the batch that saw the case last, `explain` tells nothing that came to light later."""
        batch = row["last_batch"]
        then = json.loads(shuibao("explain", row["case_id"], "-c", base / "run.yaml", "--batch", batch, "--json").stdout)
        self.assertEqual(then.get("ground", []), [g for g in now["ground"] if g["batch"] <= batch])
        self.assertLess(len(then.get("ground", [])), len(now["ground"]), "nothing was looked at later")
        self.assertEqual("finished" in then, now["finished"]["batch"] <= batch)


if __name__ == "__main__":
    main()
