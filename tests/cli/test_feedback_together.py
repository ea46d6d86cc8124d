# SPDX-License-Identifier: Apache-2.0
"""What rows of field results say together and over time: visits and splits, corrections, mergers, notices that were settled,
words re-entered on site, numbers of the issuer (fields: domain.md 2.3; what a confirmation does: rules.md §5, §6, §8)."""
import json

from osgeo import ogr

from harness import main, shuibao
from checks import FieldTest, Site, row, write_csv, write_ogr, yard
from layers import box, write_layer
from story import BATCHES, X, Y

A, B, C = (f"202403-{n:05}" for n in (1, 2, 3))


class Together(FieldTest):
    def first(self, n=3, **how):
        self.sites = [Site(k, [yard(k)]) for k in range(n)]
        self.screen(0, self.sites, **how)
        self.rank(0)

    def told(self, case, *args):
        return json.loads(shuibao("explain", case, "--store", self.base / "store", "--json", *args).stdout)

    def test_two_visits_to_one_polygon_are_no_split(self):
        """The file comes back with the polygons: the same rows mean the same as in a CSV."""
        rows = [row(A, "合规", "2024-04-10", "甲", XXDZ="地址一"), row(A, "未批先建", "2024-05-10", "乙", ZGTZRQ="2024-05-12", NOTE="乙说"),
                row(B, "未批先建", "2024-05-10", "甲"), row(B, "合规", "2024-05-10", "乙")]
        self.first()
        write_ogr(self.base / "f.gpkg", "GPKG", rows, [yard(0), yard(0, 101), yard(1), yard(1)])
        report, talk = self.feedback(self.base / "f.gpkg", code=3)
        self.assertEqual((report["file"]["taken"], report["file"]["new"], len(report["conflicts"])), (4, 4, 1))
        self.assertIn("甲 found 未批先建 (f.gpkg:3)", talk)
        self.assertEqual(sorted((r["by"], r["date"], r["verdict"], r.get("notice"), r.get("kept", {}).get("address")) for r in self.records()
                                if r["spot"] == A), [("乙", "2024-05-10", "未批先建", "2024-05-12", None), ("甲", "2024-04-10", "合规", None, "地址一")])
        self.assertEqual(self.ledger("parts"), [])
        self.rank(0)
        self.assertEqual((self.result(0)[A]["state"], self.result(0)[B]["confirmed"]), ("整改", None))
        # A CSV says the same: nothing is new.
        write_csv(self.base / "f.csv", rows)
        self.assertEqual(self.feedback(self.base / "f.csv", code=3)[0]["file"]["new"], 0)

    def test_what_people_cleared_counts_against_no_neighbour(self):
        """Σ EAREA_T of a project (rules.md §3.4): two yards reach beyond its range together by more than 30 % of it."""
        write_layer(self.base / "ranges.gpkg", 4546, {"PRID": ogr.OFTString, "PRNM": ogr.OFTString, "SADT": ogr.OFTString, "DAREA": ogr.OFTReal},
                    [(box(X - 50, Y - 10, X + 650, Y + 40), {"PRID": "P", "PRNM": "某园区", "SADT": "2023-05-01", "DAREA": 3.0})])
        screened = self.base / "store/batches" / BATCHES[1] / "screened.gpkg"

        def of(t, case):
            self.screen(t, self.sites)
            self.rank(t)
            found = self.result(t)[case]
            return found["verdict"], "ART16_2" in found["flags"], round(found["exceed_share"], 3)

        self.first(2)
        both, one = of(0, A), ("exceeds", False, 0.193)
        self.assertEqual(both, ("exceeds", True, 0.387))
        self.assertNotIn("cleared_m2", self.told(B)["facts"])
        write_csv(self.base / "f.csv", [row(B, "非生产建设项目")])
        self.feedback(self.base / "f.csv")
        self.assertEqual(of(0, A), one)
        self.assertEqual([set(p) for p in self.told(A)["project_sum"]["parts"]],
                         [{"case", "outside_tolerant_m2"}, {"case", "outside_tolerant_m2", "cleared_m2"}])
        # The next batch shows the same ground: what was said of it holds, however often the batch is run.
        self.assertEqual(of(1, A), one)
        first = screened.read_bytes()
        self.assertEqual(of(1, A), one)
        self.assertEqual(screened.read_bytes(), first)
        # Until somebody stands there again and finds works.
        write_csv(self.base / "f.csv", [row("202406-00002", "超出防治责任范围", "2024-07-20")])
        self.feedback(self.base / "f.csv")
        self.assertEqual((of(1, A), of(0, A)), (both, one))

    def test_a_split_keeps_who_found_what_of_each_part(self):
        self.first(1)
        write_ogr(self.base / "f.gpkg", "GPKG", [row(A, "合规", "2024-05-01", "甲", NOTE="北"), row(A, "未批先建", "2024-05-03", "乙", NOTE="南"),
                                                 row(A, "非生产建设项目", "2024-05-02", "乙", NOTE="南，早一天")],
                  [yard(0, 100, 40), box(X, Y + 40, X + 100, Y + 100), box(X + 1, Y + 40, X + 100, Y + 100)])
        self.feedback(self.base / "f.gpkg")
        self.rank(0)
        now = self.result(0)[A]
        self.assertEqual(now["decided"], "乙（2024-05-03）：现场复核 未批先建；原为 疑似未批先建")
        self.assertEqual(sorted((c["checker"], json.loads(c["kept"])["note"]) for c in self.ledger("checks")),
                         [("乙", "南"), ("乙", "南，早一天"), ("甲", "北")])
        self.assertEqual(sorted(p["verdict"] for p in self.ledger("parts")), ["合规", "未批先建", "非生产建设项目"])

    def test_a_person_may_correct_what_they_said(self):
        self.first()
        write_csv(self.base / "one.csv", [row(A, "未批先建", by="甲"), row(B, "合规", by="甲"), row(B, "未批先建", by="甲")])
        report, talk = self.feedback(self.base / "one.csv")
        self.assertEqual((report["file"]["taken"], report["file"]["replaced"], report["conflicts"]), (3, 1, []))
        self.assertIn(f"甲 says 未批先建 of {B} on 2024-05-01 (one.csv:4), in place of 合规 (one.csv:3).", talk)
        write_csv(self.base / "two.csv", [row(A, "合规", by="甲")])
        report, talk = self.feedback(self.base / "two.csv")
        self.assertIn("(two.csv:2), in place of 未批先建 (one.csv:2).", talk)
        self.rank(0)
        self.assertEqual([self.result(0)[c]["confirmed"] for c in (A, B)], ["合规", "未批先建"])
        kept = (self.base / "store/feedback.json").read_bytes()
        for name in ("one.csv", "two.csv"):  # what was withdrawn does not come back by sending it again
            report, _ = self.feedback(self.base / name)
            self.assertEqual((report["file"]["new"], report["file"]["replaced"]), (0, 0))
        self.assertEqual((self.base / "store/feedback.json").read_bytes(), kept)
        self.assertEqual(len(self.records()), 4, "nothing is lost")

    def test_mergers_in_a_circle(self):
        self.first(4)
        d = "202403-00004"
        write_csv(self.base / "two.csv", [row(A, "未批先建", HBZ=B), row(B, "未批先建", HBZ=A), row(C, "未批先建", HBZ=d)])
        report, talk = self.feedback(self.base / "two.csv", code=3)
        self.assertEqual((report["file"]["taken"], report["file"]["refused"]), (1, 2))
        for here in ("two.csv:2", "two.csv:3"):
            self.assertRegex(talk, rf"{here}.*Mergers go round in a circle: .*{A} into {B} \(two.csv:2\)")
        # The ledger knows that C is part of the fourth; a longer way back is a circle, too.
        write_csv(self.base / "long.csv", [row(d, "未批先建", HBZ=A), row(A, "未批先建", HBZ=C)])
        report, talk = self.feedback(self.base / "long.csv", code=3)
        self.assertEqual(report["file"]["refused"], 2)
        self.assertIn(f"{C} into {d} (known already)", talk)
        # Records of another origin are heard with the same care.
        path = self.base / "store/feedback.json"
        j = json.loads(path.read_text())
        back = dict(j["records"][0], spot=d, merge_into=C, by="甲", source="old.csv:9")
        back["inside"], back["merge_point"] = back["merge_point"], back["inside"]
        j["records"].append(back)
        path.write_text(json.dumps(j))
        talk = self.rank(0, code=3).stderr
        self.assertIn(f"{C} is to be part of {d} (two.csv:4), {d} is to be part of {C} (old.csv:9).", talk)
        now = self.result(0)
        self.assertEqual({c: now[c]["tier"] for c in (C, d)}, {C: "低", d: "低"})
        self.assertIn("is to be part of", self.told(C)["conflict"])

    def test_a_merged_case_is_explained_as_it_went_out(self):
        self.first()
        write_csv(self.base / "f.csv", [row(A, "未批先建", HBZ=B)])
        self.feedback(self.base / "f.csv")
        self.rank(0)
        risk = self.told(A)["risk"]
        self.assertEqual((self.result(0)[A]["tier"], risk["tier"], risk["tier_reason"]), ("无", "无", f"现场复核：并入 {B}"))
        self.assertTrue(risk["issued"]["holds"])

    def test_growth_that_came_before_the_notice_accuses_nobody(self):
        """Ranked again after the feedback, and a batch that comes late."""
        site = [Site(0, [yard(0)], [yard(0, 140)], [yard(0, 190)], [yard(0, 190)])]
        for late in (False, True):
            with self.subTest(late=late):
                for t in (0,) if late else (0, 1):
                    self.screen(t, site)
                    self.rank(t)
                write_csv(self.base / "f.csv", [row(A, "未批先建", "2024-08-20", ZGTZRQ="2024-09-01")])
                self.feedback(self.base / "f.csv", "--batch", "202403")
                if late:
                    self.screen(1, site)
                self.rank(1)
                now = self.result(1)[A]
                self.assertEqual((now["change_type"], now["tier"], now["state"]), ("续建（范围扩大）", "中", "整改"))
                self.assertNotIn("整改通知", now["reasons"])
                self.setUp()

    def test_a_notice_that_was_settled_is_no_notice(self):
        site = [Site(0, [yard(0)], [yard(0, 140)], [yard(0, 190)])]
        self.screen(0, site)
        self.rank(0)
        write_csv(self.base / "f.csv", [row(A, "未批先建", "2024-04-20", ZGTZRQ="2024-05-01", FCRQ="2024-05-20", XHRQ="2024-05-25")])
        self.feedback(self.base / "f.csv", "--batch", "202403")
        self.screen(1, site)
        self.rank(1)
        now = self.result(1)[A]
        self.assertEqual((now["state"], now["due"], now["tier"]), ("发现", "2024/07/30", "中"))
        write_csv(self.base / "f2.csv", [row(A, "未批先建", "2024-07-20")])
        self.feedback(self.base / "f2.csv", "--batch", "202406")
        self.rank(1)
        self.assertEqual((self.result(1)[A]["state"], self.result(1)[A]["due"]), ("认定", "2024/08/19"))
        self.screen(2, site)
        self.rank(2)
        self.assertNotIn("整改通知", self.result(2)[A]["reasons"])

    def test_no_works_in_a_hazard_area_stay_away(self):
        write_ogr(self.base / "hazard.gpkg", "GPKG", [{"NAME": "滑坡区"}], [box(X - 500, Y - 500, X + 9000, Y + 5000)])
        sites = [Site(k, [yard(k)], [yard(k)], [yard(k, 190 if k == 1 else 100)]) for k in range(8)]
        zones = ["--set", f"zones.layers={{hazard: {self.base}/hazard.gpkg}}"]
        tiers = []
        for t in range(3):
            self.screen(t, sites, more=zones)
            self.rank(t)
            if t == 0:
                write_csv(self.base / "f.csv", [row(A, "非生产建设项目"), row(B, "无扰动")] + [
                    row(f"202403-{k:05}", "未批先建") for k in range(4, 9)])  # else nobody would believe the images any more
                self.feedback(self.base / "f.csv")
                self.rank(t)
            now = self.result(t)
            tiers.append([now[c]["tier"] for c in (A, B, C)])
            data = ogr.Open(str(self.base / BATCHES[t] / "disturbances.gpkg"))
            self.assertEqual({f["case_id"] for f in data.GetLayerByName("suspects")}, {c for c in now if now[c]["tier"] != "无"})
        # Opened anew it is a question again.
        self.assertEqual(tiers, [["无", "无", "高"], ["无", "无", "高"], ["无", "高", "高"]])

    def test_words_of_the_site_count(self):
        self.first()
        write_csv(self.base / "f.csv", [row(A, "未批先建", QTYPE="弃渣场", QDCS="停工", QDTYPE="续建（范围缩小）"),
                                        row(B, "未批先建", QDTYPE="停工"), row(C, "未批先建", QDTYPE="完工")])
        self.feedback(self.base / "f.csv")
        self.rank(0)
        now = self.result(0)
        self.assertEqual([(now[c]["qtype"], now[c]["construction"], now[c]["change_type"]) for c in (A, B, C)],
                         [("弃渣场", "停工", "续建（范围缩小）"), (None, "停工", "新增"), (None, "完工", "完工")])
        self.assertEqual(self.told(A)["confirmed_type"], "弃渣场")

    def test_spoil_by_the_word_of_the_site_endangers_what_is_below(self):
        write_layer(self.base / "road.gpkg", 4546, {"NAME": ogr.OFTString}, [(box(X - 300, Y - 60, X + 300, Y - 50), {"NAME": "某路"})])
        self.sites = [Site(0, [yard(0)])]
        self.screen(0, self.sites, more=["--set", f"zones.layers={{road: {self.base}/road.gpkg}}"])
        self.rank(0)
        self.assertNotIn("points_spoil_above", self.result(0)[A]["reasons"])
        write_csv(self.base / "f.csv", [row(A, "未批先弃", QTYPE="弃土（渣）场")])
        self.feedback(self.base / "f.csv")
        self.rank(0)
        self.assertIn("points_spoil_above", self.result(0)[A]["reasons"])

    def test_columns_that_nobody_reads_or_that_mean_the_same(self):
        self.first()
        names = "QDNM,BYD,认定结果,RST,XCFHR,DATE,FOO,执法证号,QAREA,扰动面积（公顷）,XXDZ,XXDZ"
        (self.base / "f.csv").write_text(f"{names}\n{A},合规,,1,甲,2024-05-01,x,豫123,1,1,地址,\n{B},,未批先建,1,甲,2024-05-01,,,,,,地址二\n"
                                         f"{C},合规,,1,甲,2024-05-01,,,,,甲地,乙地\n", encoding="utf8")
        report, talk = self.feedback(self.base / "f.csv", code=3)
        self.assertEqual((report["file"]["taken"], report["file"]["refused"]), (2, 1))
        self.assertIn("These columns are not known and are not kept: FOO, 执法证号.", talk)
        self.assertIn("The columns BYD and 认定结果 mean the same; the one that is filled counts.", talk)
        self.assertRegex(talk, r"f.csv:4.*XXDZ and XXDZ \(column 12\) mean the same and say '甲地' and '乙地'")
        self.assertEqual(sorted((r["spot"], r["verdict"], r["kept"]["address"]) for r in self.records()),
                         [(A, "合规", "地址"), (B, "未批先建", "地址二")])

    def test_files_without_the_column_of_review(self):
        self.first()
        (self.base / "f.csv").write_text(f"QDNM,BYD,XCFHR,DATE\n{A},疑似未批先建,,\n{B},未批先建,,\n{C},合规,甲,2024-05-01\n", encoding="utf8")
        report, talk = self.feedback(self.base / "f.csv", code=3)
        self.assertEqual([report["file"][k] for k in ("taken", "not_reviewed", "refused")], [1, 1, 1])
        self.assertRegex(talk, "f.csv:3.*does not say who was there")
        # Our own ledger sheet: what people write stands beside the verdict of the program.
        (self.base / "ledger.csv").write_text(f"图斑编号,扰动合规性,复核结论,现场情况,复核人,复核时间\n{A},疑似未批先建,合规,已取得批复,乙,2024-05-02\n",
                                              encoding="utf8")
        report, _ = self.feedback(self.base / "ledger.csv")
        self.assertEqual(report["file"]["taken"], 1)
        self.assertIn(("乙", "合规", {"situation": "已取得批复"}), [(r["by"], r["verdict"], r.get("kept")) for r in self.records()])

    def test_an_encoding_that_is_none(self):
        self.first(1)
        write_csv(self.base / "f.csv", [row(A, "合规")])
        done = shuibao("feedback", self.base / "f.csv", "--store", self.base / "store", "--feedback-encoding", "NOPE", code=2)
        self.assertIn("there is no encoding 'NOPE'", done.stderr)

    def test_the_number_under_which_somebody_else_sent_it(self):
        drawn = self.base / "received.gpkg"
        write_layer(drawn, 4546, {"QDNM": ogr.OFTString, "onset_to": ogr.OFTString},
                    [(yard(k), {"QDNM": number, "onset_to": "2024-03-15"}) for k, number in enumerate(("411300_1", "411300_2", "411300_2"))])
        shuibao("screen", "--disturbances", drawn, "--approvals", self.base / "ranges.gpkg", *self.where(0))
        self.rank(0)
        self.assertEqual({c: r["issuer_id"] for c, r in self.result(0).items()}, {A: "411300_1", B: "411300_2", C: "411300_2"})
        write_csv(self.base / "f.csv", [row("411300_1", "合规"), row("411300_2", "合规"), row("411300_3", "合规")])
        report, talk = self.feedback(self.base / "f.csv", code=3)
        self.assertEqual((report["file"]["taken"], self.records()[0]["spot"]), (1, A))
        self.assertRegex(talk, rf"f.csv:3.*'411300_2' is the number of 2 cases of batch 202403. Write the one that is meant: {B}, {C}.")
        self.assertRegex(talk, "f.csv:4.*There is no case '411300_3'")
        self.assertEqual(self.told(A)["links"]["issuer_id"], "411300_1")


if __name__ == "__main__":
    main()
