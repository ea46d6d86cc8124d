# SPDX-License-Identifier: Apache-2.0
"""What people decide against the program (rank.overrides) and how many suspects they can visit (capacity), rules.md §6: a
decision holds for its ground whatever the polygons are called, and what is cut off is counted."""
import json

import openpyxl
from osgeo import ogr

from harness import main, shuibao
from checks import FieldTest, Site, yard
from story import BATCHES

A, B, C = (f"202403-{n:05}" for n in (1, 2, 3))
OVERRIDE = "- {{case: {}, tier: none, by: 张三, date: 2024-04-02, reason: 已核实}}\n"


class Decisions(FieldTest):
    def setUp(self):
        super().setUp()
        self.file = self.base / "decided.yaml"
        self.options = ["--set", f"rank.overrides={self.file}"]

    def first(self, sites, **how):
        self.screen(0, sites, **how)
        return self.decide(0)

    def decide(self, t, code=0):
        return shuibao("rank", *self.where(t), *self.options, code=code).stderr

    def told(self, case, *args):
        return json.loads(shuibao("explain", case, *self.where(0)[2:4], "--json", *args).stdout)

    def test_a_decision_holds_for_its_ground(self):
        sites = [Site(k, [yard(k, 100 + 30 * k)]) for k in range(3)]
        self.file.write_text(OVERRIDE.format(A), encoding="utf8")
        self.first(sites)
        self.assertEqual([self.result(0)[c]["tier"] for c in (A, B, C)], ["无", "低", "低"])
        # Rows in another order: the number means another site now.
        self.screen(0, sites[::-1])
        talk = self.decide(0, code=3)
        self.assertRegex(talk, rf"decided.yaml:1.*The decision of 张三 on {A} was made for the ground at 11\d\.\d+, 3\d\.\d+, "
                               rf"which is part of {C} since batch 202403 was run again; it is not applied.")
        now = self.result(0)
        self.assertEqual([now[c]["tier"] for c in (A, B, C)], ["低", "低", "低"])
        self.assertEqual({r["decided"] for r in now.values()}, {None})
        self.file.write_text(OVERRIDE.format(C), encoding="utf8")
        self.decide(0)
        self.assertEqual([self.result(0)[c]["tier"] for c in (A, B, C)], ["低", "低", "无"])
        # Grown and followed into the next batch it is the same ground.
        self.screen(1, [Site(k, [yard(k)], [yard(k, 300)]) for k in (2, 1, 0)])
        self.decide(1)
        self.assertEqual(self.result(1)[C]["tier"], "无")

    def test_a_number_that_no_batch_knows_and_names_of_blanks(self):
        self.file.write_text(OVERRIDE.format("20243-00002") + OVERRIDE.format("202402-00001") + OVERRIDE.format(A), encoding="utf8")
        self.screen(0, [Site(0, [yard(0)])])
        talk = self.decide(0, code=3)
        self.assertRegex(talk, "decided.yaml:1.*No batch of the ledger has a case 20243-00002.")
        self.assertRegex(talk, "decided.yaml:2.*No batch of the ledger has a case 202402-00001.")
        self.assertNotIn("decided.yaml:3", talk)
        self.screen(1, [Site(1, [yard(1)])])
        self.assertNotIn("decided.yaml:3", self.decide(1, code=3), "of a batch before")
        for blank in ('"  "', '"　"'):
            self.file.write_text(f"- {{case: {A}, tier: none, by: {blank}, date: 2024-04-02, reason: x}}\n", encoding="utf8")
            self.assertIn("decided.yaml:1: an override needs 'by'.", self.decide(0, code=2))
        self.file.write_text(f'- {{case: " {A} ", tier: none, by: " 张三　", date: 2024-04-02, reason: x}}\n', encoding="utf8")
        self.decide(0)
        self.assertEqual(self.result(0)[A]["decided"], "张三（2024-04-02）：x；原为 低")

    def test_explain_knows_what_was_issued(self):
        self.file.write_text(OVERRIDE.format(A), encoding="utf8")
        self.first([Site(k, [yard(k)]) for k in range(2)])
        for args in ((), self.options):
            risk = self.told(A, *args)["risk"]
            self.assertEqual((risk["tier"], risk["tier_reason"], risk["decided"]["by"], risk["issued"]["holds"]), ("无", "人工认定", "张三", True))
        self.assertNotIn("decided", self.told(B)["risk"])
        # Another file, not ranked yet: it says that this is not what went out.
        self.file.write_text(OVERRIDE.format(B), encoding="utf8")
        self.assertFalse(self.told(B, *self.options)["risk"]["issued"]["holds"])
        self.assertIn("sent out as tier 低", shuibao("explain", B, *self.where(0)[2:4], *self.options).stdout)

    def suspects(self):
        data = ogr.Open(str(self.base / BATCHES[0] / "disturbances.gpkg"))
        return sorted(f["county"] for f in data.GetLayerByName("suspects"))

    def test_capacity_of_each_county(self):
        self.options = []
        self.screen(0, [Site(k, [yard(k, 60 + 10 * k)]) for k in range(8)])  # two in 甲县, six in 乙县
        for options, left in ((["--county-capacity", 1], (1, 1)), (["--set", "rank.capacity_of={乙县: 2}"], (2, 2)),
                              (["--county-capacity", 1, "--set", "rank.capacity_of={乙县: 3}"], (1, 3)),
                              (["--set", "rank.capacity_of={甲县: 0}"], (0, 6)),
                              (["--capacity", 4, "--set", "rank.capacity_of={乙县: 3}"], (1, 3))):
            with self.subTest(options=options):
                for _ in range(2):  # what was up to date tells it as well
                    talk = shuibao("rank", *self.where(0)[:-1], *options).stderr
                    self.assertEqual(self.suspects(), ["乙县"] * left[1] + ["甲县"] * left[0])
                    want = [f"{c}: {n - k} of {n}" for c, n, k in (("乙县", 6, left[1]), ("甲县", 2, left[0])) if n > k]
                    self.assertIn("beyond the capacity, not sent out: " + "; ".join(want) + "\n", talk)
        shuibao("export", *self.where(0), "--formats", "xlsx")
        book = openpyxl.load_workbook(next((self.base / BATCHES[0] / "export").glob("*.xlsx")))
        rows = {row[0].value: [c.value for c in row] for row in book["汇总"].iter_rows()}
        self.assertEqual((rows["甲县"][1:3] + rows["甲县"][5:6], rows["乙县"][1:3] + rows["乙县"][5:6]), ([2, 1, 1], [6, 3, 3]))
        done = shuibao("rank", *self.where(0), "--set", "rank.capacity_of={乙具: 2}", code=3)
        self.assertRegex(done.stderr, "rank.capacity_of names 乙具, and the ledger has no such county.")
        for wrong in ("{甲县: x}", "{甲县: -1}", "{甲县: 1.5}"):
            done = shuibao("rank", *self.where(0), "--set", f"rank.capacity_of={wrong}", code=2)
            self.assertIn("which is no number of suspects", done.stderr)


if __name__ == "__main__":
    main()
