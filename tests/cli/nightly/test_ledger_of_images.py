# SPDX-License-Identifier: Apache-2.0
"""The ledger behind the whole pipeline: a simulated series, seen in three quarters. The oracle is the simulation's own
truth: a site of which any batch found a part has one case, and no later batch calls it new."""
import json
import sys
import tempfile
import unittest
from pathlib import Path

from osgeo import ogr

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness import main, shuibao  # noqa: E402

ogr.UseExceptions()
QUARTERS = ["202203", "202206", "202209"]
ENDS = ["2022-03-31", "2022-06-30", "2022-09-30"]


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
                    self.assertEqual(len(set(main_case)), 1)
                    kept += len(main_case) > 1
            self.assertGreaterEqual(kept, 2, "no site was seen twice")
            new = [case for (case, _), change in changes.items() if change == "新增"]
            self.assertEqual(len(new), len(set(new)), "the same case is new twice")
            summary = json.loads((base / "store/ledger.json").read_text())
            self.assertEqual(summary["batch"], QUARTERS[-1])


if __name__ == "__main__":
    main()
