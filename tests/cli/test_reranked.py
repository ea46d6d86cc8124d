# SPDX-License-Identifier: Apache-2.0
"""What other weights change (issue: "the difference list when weights change"; rules §6). Polygons and rule sets are
small enough to do the sums by hand: unapproved 25, from 0.5, 2, 5, 10 hm² on 5, 10, 15, 20 more."""
import csv
import json
import re
import shutil
import tempfile
import unittest
from pathlib import Path

from osgeo import ogr

from harness import SOURCE, main, shuibao
from layers import box, write_layer

X, Y = 500000, 3600000
# Side in m, confidence → what the shipped weights and those of the city give: severity, tier.
SITES = [(60, 0.9), (100, 0.9), (150, 0.9), (230, 0.9), (150, 0.3)]
SHIPPED = [(25, "低"), (30, "低"), (35, "中"), (40, "中"), (35, "低")]
CITY = [(25, "低"), (30, "低"), (40, "中"), (40, "中"), (40, "低")]


class Reranked(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="shuibao_test_")
        self.base = Path(self.folder.name)
        write_layer(self.base / "drawn.gpkg", 4546, {"onset_to": ogr.OFTString, "confidence": ogr.OFTReal},
                    [(box(X + 1000 * i, Y, X + 1000 * i + side, Y + side), {"onset_to": "2024-03-01", "confidence": sure})
                     for i, (side, sure) in enumerate(SITES)])
        write_layer(self.base / "ranges.gpkg", 4546, {"PRID": ogr.OFTString}, [(box(X - 9e4, Y, X - 8.9e4, Y + 100), {"PRID": "far"})])
        self.where = ["--batch", "202406", "--store", self.base / "store", "-o", self.base / "out"]
        shuibao("screen", "--disturbances", self.base / "drawn.gpkg", "--approvals", self.base / "ranges.gpkg", *self.where, "-q")
        shuibao("rank", *self.where, "-q")
        self.city = self.rule_set("city", points_area_2=15, medium_severity=36)

    def tearDown(self):
        self.folder.cleanup()

    def rule_set(self, folder, **numbers):
        """A city's copy of the shipped rule set."""
        text = (SOURCE / "configs/rules/2023-03-01.yaml").read_text(encoding="utf8").replace('version: "1.0"', 'version: "city"')
        for item, number in numbers.items():
            text, n = re.subn(rf"({item}: +{{value: )[0-9.]+", rf"\g<1>{number}", text)
            self.assertEqual(n, 1)
        (self.base / folder).mkdir(exist_ok=True)
        file = self.base / folder / "2023-03-01.yaml"
        file.write_text(text, encoding="utf8")
        return file

    def listed(self):
        with open(self.base / "out/reranked.csv", encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))

    def ranked(self):
        data = ogr.Open(str(self.base / "out/disturbances.gpkg"))
        return {f["case_id"]: f.items() for f in data.GetLayerByName("disturbances")}

    def test_old_new_and_the_item_that_did_it(self):
        before = self.ranked()
        self.assertEqual([(before[f"202406-{n:05}"]["severity"], before[f"202406-{n:05}"]["tier"]) for n in range(1, 6)], SHIPPED)
        self.assertFalse((self.base / "out/reranked.csv").exists())
        log = shuibao("rank", *self.where, "--set", f"rules.file={self.city}", "--log-format", "json").stderr
        after = self.ranked()
        self.assertEqual([(after[f"202406-{n:05}"]["severity"], after[f"202406-{n:05}"]["tier"]) for n in range(1, 6)], CITY)
        rows = {r["case_id"]: r for r in self.listed()}
        changed = {k for k in after if any(after[k][f] != before[k][f] for f in ("tier", "severity", "rank"))}
        self.assertEqual(set(rows), changed)
        for k, row in rows.items():
            for f in ("tier", "severity", "rank", "verdict"):
                self.assertEqual((row[f"{f}_before"], row[f]), (f"{before[k][f]:g}" if f == "severity" else str(before[k][f]),
                                                               f"{after[k][f]:g}" if f == "severity" else str(after[k][f])))
            self.assertEqual((row["rule_set_before"], row["rule_set"]), ("2023-03-01 1.0", "2023-03-01 city"))
        self.assertEqual(rows["202406-00003"]["cause"], "points_area_2 10→15")
        self.assertEqual([int(r["rank"]) for r in self.listed()], sorted(int(r["rank"]) for r in rows.values()))
        said = [json.loads(line)["msg"] for line in log.splitlines() if "Weights changed" in line]
        self.assertEqual(said, ["Weights changed from rule set 2023-03-01 1.0 to 2023-03-01 city: of 5 cases 0 have another tier, "
                                f"2 another severity, {len(changed) - 2} another rank only."])
        # explain says it of those that differ, and of those only.
        told = json.loads(shuibao("explain", "202406-00003", *self.where, "--set", f"rules.file={self.city}", "--json").stdout)["reranked"]
        self.assertEqual((told["before"]["severity"], told["now"]["severity"], told["cause"]), (35, 40, "points_area_2 10→15"))
        text = shuibao("explain", "202406-00003", *self.where, "--set", f"rules.file={self.city}").stdout
        self.assertRegex(text, r"weights changed: tier 中, severity 35.0, rank \d \(rule set 2023-03-01 1.0\) → "
                               r"tier 中, severity 40.0, rank \d \(rule set 2023-03-01 city\): points_area_2 10→15")
        unchanged = next(k for k in after if k not in changed)
        self.assertNotIn("reranked", json.loads(shuibao("explain", unchanged, *self.where, "--set", f"rules.file={self.city}", "--json").stdout))

    def test_a_limit_of_the_tiers(self):
        file = self.rule_set("strict", medium_severity=38)
        shuibao("rank", *self.where, "--set", f"rules.file={file}", "-q")
        rows = {r["case_id"]: r for r in self.listed()}
        row = rows["202406-00003"]
        self.assertEqual((row["tier_before"], row["tier"], row["severity_before"], row["severity"]), ("中", "低", "35", "35"))
        self.assertEqual(row["cause"], "分级：严重度 35、置信度 0.90→严重度 35、置信度 0.90")

    def test_others_pass_by(self):
        shuibao("rank", *self.where, "--set", f"rules.file={self.rule_set('small', points_area_1=12)}", "-q")
        rows = {r["case_id"]: (r["rank_before"], r["rank"], r["severity"], r["cause"]) for r in self.listed()}
        self.assertEqual(rows, {"202406-00002": ("4", "2", "37", "points_area_1 5→12"),
                                "202406-00003": ("2", "3", "35", "本案分数未变，其他案件排位变化"),
                                "202406-00005": ("3", "4", "35", "本案分数未变，其他案件排位变化")})

    def test_the_same_again_and_after_a_crash(self):
        shuibao("rank", *self.where, "--set", f"rules.file={self.city}", "-q")
        want = (self.base / "out/reranked.csv").read_bytes()
        shuibao("rank", *self.where, "--set", f"rules.file={self.city}", "-q")
        self.assertEqual((self.base / "out/reranked.csv").read_bytes(), want)
        # Killed after the new ranks had gone out and before the note of the old ones was replaced: the manifest knows the
        # former only.
        name = "killed"
        shutil.copytree(self.base / "store", self.base / name)
        note = self.base / name / "batches/202406/issued.json"
        shutil.copy(self.base / name / "batches/202406/issued_before.json", note)
        (self.base / name / "batches/202406/issued_before.json").unlink()
        (self.base / "out/reranked.csv").unlink()
        shuibao("rank", *self.where[:3], self.base / name, *self.where[4:], "--set", f"rules.file={self.city}", "-q")
        self.assertEqual((self.base / "out/reranked.csv").read_bytes(), want)
        # Other polygons: nothing to compare with.
        data = ogr.Open(str(self.base / "drawn.gpkg"), 1)
        data.GetLayer(0).DeleteFeature(1)
        data = None
        shuibao("screen", "--disturbances", self.base / "drawn.gpkg", "--approvals", self.base / "ranges.gpkg", *self.where, "-q")
        shuibao("rank", *self.where, "-q")
        self.assertFalse((self.base / "out/reranked.csv").exists())


if __name__ == "__main__":
    main()
