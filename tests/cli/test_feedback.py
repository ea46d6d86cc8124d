# SPDX-License-Identifier: Apache-2.0
"""What field teams send back (fields: domain.md 2.3 and 2.5): taken in row by row in four formats, respected by later
batches, counted; every malformed row gives a sentence with file and row, and nothing that was right is lost."""
import json
import random
import re
import signal
import struct
import subprocess
import time
from pathlib import Path

from osgeo import gdal, ogr

from harness import command, environment, main, shuibao
from checks import FieldTest, Site, position, row, write_csv, write_ogr, yard
from story import BATCHES

gdal.UseExceptions()


def jpeg(path, longitude, latitude, azimuth):
    """A small JPEG whose EXIF holds position and direction (CIPA DC-008: GPS IFD, rationals)."""
    grey = gdal.GetDriverByName("MEM").Create("", 8, 8)
    gdal.GetDriverByName("JPEG").CreateCopy(str(path), grey)

    def dms(v):
        d, m = int(v), int(v % 1 * 60)
        return [(d, 1), (m, 1), (round((v * 60 % 1) * 60 * 1000), 1000)]

    def rationals(values):
        return b"".join(struct.pack("<II", *v) for v in values)

    gps_at, data_at = 8 + 2 + 12 + 4, 8 + 2 + 12 + 4 + 2 + 5 * 12 + 4
    data = rationals(dms(latitude)) + rationals(dms(longitude)) + rationals([(round(azimuth * 100), 100)])
    ifd = struct.pack("<H", 1) + struct.pack("<HHII", 0x8825, 4, 1, gps_at) + b"\0" * 4
    gps = struct.pack("<H", 5) + struct.pack("<HHI4s", 1, 2, 2, b"N\0\0\0") + struct.pack("<HHII", 2, 5, 3, data_at)
    gps += struct.pack("<HHI4s", 3, 2, 2, b"E\0\0\0") + struct.pack("<HHII", 4, 5, 3, data_at + 24)
    gps += struct.pack("<HHII", 17, 5, 1, data_at + 48) + b"\0" * 4
    exif = b"Exif\0\0" + b"II*\0" + struct.pack("<I", 8) + ifd + gps + data
    whole = Path(path).read_bytes()
    Path(path).write_bytes(whole[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + whole[2:])


class Feedback(FieldTest):
    def test_what_people_found_holds_in_later_batches(self):
        grown = [[yard(n)] for n in range(6)], [[yard(n, 100 if n in (0, 2) else 190)] for n in range(6)]
        sites = [Site(n, grown[0][n], grown[1][n], [yard(n, 260)] if n == 3 else grown[1][n]) for n in range(6)]
        self.screen(0, sites)
        self.rank(0)
        case = [f"202403-{n + 1:05}" for n in range(6)]
        write_csv(self.base / "found.csv", [
            row(case[0], "可不编报方案"), row(case[1], "合规"), row(case[2], "未批先建", ZGTZRQ="2024/5/10", ZGQX="2024年6月30日"),
            row(case[3], "未批先建", ZGTZRQ="2024-05-10"), row(case[4], "非生产建设项目"),
            {**row(case[5], "疑似未批先建"), "RST": "0"}])
        report, _ = self.feedback(self.base / "found.csv")
        self.assertEqual((report["file"]["rows"], report["file"]["taken"], report["file"]["not_reviewed"]), (6, 5, 1))
        self.rank(0)
        now = self.result(0)
        self.assertEqual([now[c]["verdict"] for c in case], ["compliant", "compliant", "unapproved", "unapproved", "compliant", "unapproved"])
        self.assertEqual([now[c]["state"] for c in case], ["销号", "销号", "整改", "整改", "销号", "发现"])
        self.assertEqual([now[c]["due"] for c in case], [None, None, "2024/06/30", "2024/07/09", None, "2024/04/30"])
        self.assertEqual(now[case[2]]["decided"], "王五（2024-05-01）：现场复核 未批先建；原为 疑似未批先建")
        self.assertEqual((now[case[2]]["confidence"], now[case[5]]["confidence"]), (1, 0.9))
        shuibao("export", *self.where(0))
        sent = {}
        for shp in sorted((self.base / BATCHES[0] / "export").rglob("RDTB_*.shp")):  # one for each county
            data = ogr.Open(str(shp))  # held: the layer lives no longer than it
            sent.update({f["QDNM"]: (f["BYD"], f["RST"], f["QDCS"], f["QDTYPE"]) for f in data.GetLayer()})
        self.assertEqual(sent[case[2]], ("未批先建", "1", "施工", "新增"))
        self.assertEqual(sent[case[5]], ("疑似未批先建", "0", "施工", "新增"))

        self.screen(1, sites)
        self.rank(1)
        later = self.result(1)
        self.assertEqual([later[c]["change_type"] for c in case],
                         ["续建（范围不变）" if n in (0, 2) else "续建（范围扩大）" for n in range(6)])
        # What was lawful stays so until it grows.
        self.assertEqual([later[c]["verdict"] for c in case],
                         ["compliant", "unapproved", "unapproved", "unapproved", "unapproved", "unapproved"])
        self.assertEqual([later[c]["state"] for c in case], ["销号", "发现", "整改", "整改", "发现", "发现"])
        # The notice of 10 May lies between the looks of March and of June: nobody knows which came first.
        points = {p["rule"].split(":")[1]: p for p in json.loads(later[case[3]]["reasons"])}
        self.assertEqual((later[case[3]]["tier"], points["points_grown"]["points"]), ("中", 5))
        self.assertIn("整改通知（2024-05-10）在两期影像之间", points["points_grown"]["value"])

        # What grows after June was opened in spite of it, and goes first.
        self.screen(2, sites)
        self.rank(2)
        later = self.result(2)
        self.assertEqual(later[case[3]]["tier"], "高")
        self.assertEqual(later[case[3]]["tier_reason"], "硬性规则：整改通知后继续扩大")
        points = {p["rule"].split(":")[1]: p["points"] for p in json.loads(later[case[3]]["reasons"])}
        self.assertEqual(points["points_grown_after_notice"], 10)
        self.assertNotIn("points_grown", points)
        self.assertEqual(list(later)[0], case[3])
        told = json.loads(shuibao("explain", case[3], "--store", self.base / "store", "--json").stdout)
        self.assertEqual(told["risk"]["severity"], later[case[3]]["severity"])
        self.assertEqual(told["checks"][0]["found"], "未批先建")
        self.assertEqual(told["checks"][0]["source"], "found.csv:5")

    def test_four_formats_say_the_same_and_twice_changes_nothing(self):
        sites = [Site(n, [yard(n)]) for n in range(3)]
        self.screen(0, sites)
        self.rank(0)
        rows = [row(f"202403-{n + 1:05}", v, JD=f"{position(n)[0]:.6f}", WD=f"{position(n)[1]:.6f}", XXDZ="某镇某村，\"东\"侧",
                    XMLXR="赵六", NOTE="=1+1") for n, v in enumerate(("未批先建", "合规", "非生产建设项目"))]
        shapes = [yard(n) for n in range(3)]
        write_csv(self.base / "a.csv", rows)
        write_csv(self.base / "gbk.csv", rows, "gbk")
        write_ogr(self.base / "b.xlsx", "XLSX", rows)
        write_ogr(self.base / "c.gpkg", "GPKG", rows, shapes)
        write_ogr(self.base / "d.shp", "ESRI Shapefile", rows, shapes, ["ENCODING=GBK"])
        report, _ = self.feedback(self.base / "a.csv")
        self.assertEqual((report["file"]["taken"], report["file"]["new"]), (3, 3))
        first = (self.base / "store/feedback.json").read_bytes()
        states = (self.base / "store/batches/202403/cases.gpkg").read_bytes()
        for name in ("a.csv", "b.xlsx", "c.gpkg", "d.shp"):
            with self.subTest(file=name):
                report, _ = self.feedback(self.base / name)
                self.assertEqual((report["file"]["taken"], report["file"]["new"]), (3, 0))
                self.assertEqual((self.base / "store/feedback.json").read_bytes(), first)
        # A CSV that is GBK says so by its bytes; that it was taken for that is told.
        report, talk = self.feedback(self.base / "gbk.csv")
        self.assertEqual((report["file"]["taken"], report["file"]["new"], report["file"]["refused"]), (3, 0, 0))
        self.assertIn("read as GBK", talk)
        self.assertEqual((self.base / "store/batches/202403/cases.gpkg").read_bytes(), states)
        self.assertEqual([r["kept"]["address"] for r in self.records()], ["某镇某村，\"东\"侧"] * 3)
        self.assertEqual(len(self.ledger("checks")), 3)
        self.assertEqual([(h["checked"], h["confirmed"], h["hit_rate"]) for h in report["by_county"].values()],
                         [(1, 0, 0), (2, 1, 0.5)])
        self.assertEqual(list(report["by_county"]), ["乙县", "甲县"])
        self.assertEqual({k: h["checked"] for k, h in report["by_tier"].items()}, {"低": 3})
        self.assertEqual(report["by_industry"], {"unknown": report["all"]})
        self.assertEqual((report["all"]["confirmed"], report["all"]["lawful"], report["all"]["not_works"]), (1, 1, 1))

    def test_every_malformed_row_gives_a_sentence_with_file_and_row(self):
        self.screen(0, [Site(n, [yard(n)]) for n in range(3)])
        self.rank(0)
        good = row("202403-00002", "合规")
        x, y = position(0)
        bad = [
            (row("", "合规"), "The row names no case."),
            (row("202403-0001", "合规"), "There is no case '202403-0001'. Did you mean '202403-00001'?"),
            (row("202403-00001", ""), "reviewed, but not what was found"),
            (row("202403-00001", "疑似未批先建"), "BYD is still '疑似未批先建'"),
            (row("202403-00001", "待核"), "BYD is still '待核'"),
            (row("202403-00001", "未批先见"), "BYD '未批先见' is not in the list. Did you mean '未批先建'?"),
            (row("202403-00001", "合规", by=""), "does not say who was there"),
            (row("202403-00001", "合规", day=""), "does not say when it was checked"),
            (row("202403-00001", "合规", day="2024-02-30"), "'2024-02-30' in DATE is no day"),
            (row("202403-00001", "未批先建", ZGQX="soon"), "'soon' in ZGQX is no day"),
            (row("202403-00001", "未批先建", ZGTZRQ="2024-06-02", ZGQX="2024-06-01"), "put right by 2024-06-01, before the notice"),
            (row("202403-00001", "合规", day="2204-06-01"), "DATE 2204-06-01 is still to come"),
            (row("202403-00001", "合规", day="1924-06-01"), "DATE 1924-06-01 is too long ago"),
            (row("202403-00001", "合规", day="2024-03-14"), "checked on 2024-03-14, before the ground was opened (2024-03-15"),
            (row("202403-00001", "未批先建", ZGTZRQ="2204-06-02"), "ZGTZRQ 2204-06-02 is still to come"),
            (row("202403-00001", "未批先建", ZGTZRQ="2024-06-02", FCRQ="2024-06-01"), "again on 2024-06-01, before the notice"),
            (row("202403-00001", "未批先建", ZGTZRQ="2024-06-02", XHRQ="2024-06-01"), "closed on 2024-06-01, before the notice"),
            (row("202403-00001", "未批先建", FCRQ="2024-06-02", XHRQ="2024-06-01"), "closed on 2024-06-01, before the look again"),
            (row("202403-00001", "合规", QDCS="施了工"), "QDCS '施了工' is not in the list. Did you mean '施工'?"),
            (row("202403-00001", "合规", QTYPE="弃渣厂"), "QTYPE '弃渣厂' is not in the list. Did you mean '弃渣场'?"),
            (row("202403-00001", "合规", QDTYPE="天知道"), "QDTYPE '天知道' is not in the list. Known are:"),
            ({**row("202403-00001", "合规"), "RST": "2"}, "RST '2' says neither yes nor no"),
            ({**row("202403-00001", "合规"), "RST": "Y"}, "RST 'Y' says neither yes nor no"),
            ({**row("202403-00001", "未批先建"), "RST": ""}, "says '未批先建', but RST does not say that it was reviewed"),
            ({**row("202403-00001", "合规"), "RST": "0"}, "says '合规', but RST does not say that it was reviewed"),
            (row("202403-00001", "合规", 认定结果="未批先建"), "The columns BYD and 认定结果 mean the same and say '合规' and '未批先建'"),
            (row("202403-00001", "合规", JD="112,5", WD="33"), "JD '112,5' and WD '33' are no position"),
            (row("202403-00001", "合规", JD=f"{x + 1}", WD=f"{y}"), "km from case 202403-00001"),
            (row("202403-00001", "合规", HBZ="202403-00001"), "is to be merged into itself"),
            (row("202403-00001", "合规", HBZ="nowhere"), "There is no case 'nowhere'"),
            (row("202403-00001", "合规", ZPBH="../secret"), "is no number of a photograph"),
            (row("202403-00001", "合规", ZPBH="IMG_404"), "The photograph IMG_404 is not in"),
            (row("202403-00001", "合规", ZPBH="text"), "is no image"),
        ]
        (self.base / "photos").mkdir()
        (self.base / "photos/text.jpg").write_text("not a picture")
        write_csv(self.base / "bad.csv", [b for b, _ in bad] + [good])
        report, talk = self.feedback(self.base / "bad.csv", "--photos", self.base / "photos", code=3)
        lines = talk.splitlines()
        for k, (_, message) in enumerate(bad):
            here = [line for line in lines if re.search(rf"bad\.csv:{k + 2}\b", line)]
            self.assertEqual(len(here), 1, f"row {k + 2}: {talk}")
            self.assertIn(message, here[0])
        self.assertEqual((report["file"]["taken"], report["file"]["refused"]), (1, len(bad)))
        self.assertEqual([r["spot"] for r in self.records()], ["202403-00002"])

    def test_files_that_cannot_be_used(self):
        self.screen(0, [Site(0, [yard(0)])])
        write_csv(self.base / "names.csv", [{"name": "a", "found": "b"}])
        (self.base / "empty.csv").write_text("")
        (self.base / "junk.xlsx").write_bytes(b"PK\x03\x04junk")
        write_csv(self.base / "good.csv", [row("202403-00001", "合规")])
        (self.base / "store/feedback.json").write_text("{")
        for name, code, message in (("nowhere.csv", 4, "nowhere.csv does not exist"), ("names.csv", 4, "no column that names the case"),
                                    ("empty.csv", 4, "empty.csv"), ("junk.xlsx", 4, "junk.xlsx cannot be opened"),
                                    ("good.csv", 4, "feedback.json cannot be read")):
            if name == "nowhere.csv":
                (self.base / "store/feedback.json").unlink()
            if name == "good.csv":
                (self.base / "store/feedback.json").write_text("{")
            done = shuibao("feedback", self.base / name, "--store", self.base / "store", code=code)
            self.assertIn(message, done.stderr)
        done = shuibao("feedback", self.base / "good.csv", "--store", self.base / "none", code=2)
        self.assertIn("The store has no batch with verdicts.", done.stderr)

    def test_people_disagree(self):
        self.screen(0, [Site(0, [yard(0)])])
        self.rank(0)
        write_csv(self.base / "one.csv", [row("202403-00001", "未批先建", by="甲")])
        write_csv(self.base / "two.csv", [row("202403-00001", "合规", by="乙")])
        self.feedback(self.base / "one.csv")
        report, talk = self.feedback(self.base / "two.csv", code=3)
        message = "on 2024-05-01 甲 found 未批先建 (one.csv:2) and 乙 found 合规 (two.csv:2)"
        other = "on 2024-05-01 乙 found 合规 (two.csv:2) and 甲 found 未批先建 (one.csv:2)"
        self.assertTrue(message in talk or other in talk, talk)
        self.assertEqual(len(report["conflicts"]), 1)
        self.assertEqual(len(self.records()), 2, "nothing is lost")
        self.rank(0)
        self.assertEqual((self.result(0)["202403-00001"]["verdict_zh"], self.result(0)["202403-00001"]["confirmed"]), ("疑似未批先建", None))
        write_csv(self.base / "three.csv", [row("202403-00001", "合规", day="2024-05-09", by="丙")])
        report, _ = self.feedback(self.base / "three.csv")  # a later check decides
        self.assertEqual(report["conflicts"], [])
        self.rank(0)
        self.assertEqual(self.result(0)["202403-00001"]["confirmed"], "合规")

    def test_split_and_merged_by_people(self):
        sites = [Site(0, [yard(0, 200)]), Site(1, [yard(1)]), Site(2, [yard(1, 80, 100, 120)])]
        self.screen(0, sites)
        self.rank(0)
        a, b, c = (f"202403-{n:05}" for n in (1, 2, 3))
        write_ogr(self.base / "parts.gpkg", "GPKG",
                  [row(a, "合规"), row(a, "未批先建"), row(c, "未批先建", HBZ=b), row(b, "未批先建")],
                  [yard(0, 90), yard(0, 100, 100, 100), yard(1, 80, 100, 120), yard(1)])
        self.feedback(self.base / "parts.gpkg")
        self.rank(0)
        now = self.result(0)
        self.assertEqual(now[a]["confirmed"], "未批先建")  # the gravest of its parts
        parts = self.ledger("parts")
        self.assertEqual(sorted((p["case_id"], p["verdict"]) for p in parts), [(a, "合规"), (a, "未批先建")])
        data = ogr.Open(str(self.base / "store/ledger.gpkg"))
        areas = sorted(f.GetGeometryRef().GetArea() for f in data.GetLayerByName("parts"))
        self.assertAlmostEqual(areas[0], 9000, delta=0.01)
        self.assertAlmostEqual(areas[1], 10000, delta=0.01)
        self.assertEqual((now[c]["tier"], now[c]["tier_reason"]), ("无", f"现场复核：并入 {b}"))
        self.assertEqual((now[c]["state"], now[b]["parents"]), ("并入", c))
        self.assertIn(("merged by people", c, b), [(e["how"], e["case_id"], e["goes_on_in"]) for e in self.ledger("lineage")])
        self.screen(1, sites)
        self.rank(1)
        self.assertEqual(self.result(1)[c]["tier"], "无")  # and stays so
        self.assertEqual(set(self.result(1)), {a, b, c})

    def test_photographs_are_linked_with_place_and_direction(self):
        self.screen(0, [Site(n, [yard(n)]) for n in range(2)])
        self.rank(0)
        (self.base / "photos").mkdir()
        jpeg(self.base / "photos/IMG_1.jpg", *position(0), 275.5)
        jpeg(self.base / "photos/IMG_2.jpg", position(1)[0] + 0.5, position(1)[1], 10)
        gdal.GetDriverByName("JPEG").CreateCopy(str(self.base / "photos/IMG_3.jpg"), gdal.GetDriverByName("MEM").Create("", 8, 8))
        write_csv(self.base / "found.csv", [row("202403-00001", "合规", ZPBH="IMG_1、IMG_3.jpg"), row("202403-00002", "合规", ZPBH="IMG_2")])
        report, talk = self.feedback(self.base / "found.csv", "--photos", self.base / "photos", code=3)
        self.assertRegex(talk, r"found.csv:3.*The photograph IMG_2 was taken 4\d\.\d km from case 202403-00002")
        self.assertEqual((report["file"]["photos"], report["file"]["photos_with_position"]), (2, 1))
        first, second = self.records()[0]["photos"]
        self.assertEqual((first["number"], first["file"], first["azimuth"]), ("IMG_1", "IMG_1.jpg", 275.5))
        self.assertAlmostEqual(first["place"][0], position(0)[0], delta=1e-6)
        self.assertAlmostEqual(first["place"][1], position(0)[1], delta=1e-6)
        self.assertEqual(second, {"number": "IMG_3.jpg", "file": "IMG_3.jpg"})
        self.assertEqual(json.loads(self.ledger("checks")[0]["photos"])[0]["azimuth"], 275.5)

    def test_a_check_follows_its_ground_when_polygons_are_numbered_anew(self):
        sites = [Site(n, [yard(n)]) for n in range(5)]
        self.screen(0, sites)
        self.rank(0)
        write_csv(self.base / "found.csv", [row("202403-00002", "合规")])
        self.feedback(self.base / "found.csv")
        parts = self.screen(0, sites, shuffle=4)
        self.rank(0)
        number = [s.n for s, _ in parts].index(1) + 1
        self.assertNotEqual(number, 2)
        self.assertEqual([c for c, r in self.result(0).items() if r["confirmed"]], [f"202403-{number:05}"])
        # Where the ground is in the batch no more, it is said and kept.
        self.screen(0, [s for s in sites if s.n != 1])
        done = self.rank(0, code=3)
        self.assertIn("No polygon of batch 202403 lies where the field check of 202403-00002 (found.csv:2) was made.", done.stderr)
        self.assertEqual(len(self.records()), 1)

    def test_confidences_are_calibrated_for_the_next_batch(self):
        n = 80
        sites = [Site(k, [yard(k)]) for k in range(n)]
        self.screen(0, sites)
        self.rank(0)
        self.assertEqual({r["confidence"] for r in self.result(0).values()}, {0.9})
        found = [row(f"202403-{k + 1:05}", "未批先建" if k % 2 else "非生产建设项目") for k in range(n)]
        write_csv(self.base / "found.csv", found)
        report, _ = self.feedback(self.base / "found.csv")
        k = report["calibration"]
        self.assertEqual(k["cases"], n)
        # 0.9 was said of what was real in half of the cases: (0.5·0.1² + 0.5·0.9²)
        self.assertAlmostEqual(k["of_images"]["brier"], 0.41, places=4)
        self.assertLess(k["calibrated_on_unseen"]["brier"], 0.27)
        self.assertEqual(k["of_images"]["curve"], [{"n": n, "confidence": 0.9, "real": 0.5}])
        self.rank(0)
        unchecked = {r["confidence"] for r in self.result(0).values() if not r["confirmed"]}
        self.assertEqual(unchecked, set())
        more = sites + [Site(n + j, [yard(n + j)]) for j in range(2)]
        self.screen(1, more)
        self.rank(1)
        new = [r for r in self.result(1).values() if r["first_batch"] == "202406"]
        self.assertEqual(len(new), 2)
        for r in new:  # the prior keeps a little of the 0.9
            self.assertTrue(0.5 < r["confidence"] < 0.6, r["confidence"])
        told = json.loads(shuibao("explain", new[0]["case_id"], "--store", self.base / "store", "--json").stdout)
        self.assertAlmostEqual(told["risk"]["confidence"], new[0]["confidence"], delta=1e-4)
        self.assertEqual((told["risk"]["confidence_of_images"], told["risk"]["checks_learnt_from"]), (0.9, n))

    def test_killed_while_records_are_taken_in(self):
        n = 60
        self.screen(0, [Site(k, [yard(k)]) for k in range(n)])
        self.rank(0)
        write_csv(self.base / "early.csv", [row("202403-00001", "合规", day="2024-04-20")])
        self.feedback(self.base / "early.csv")
        write_csv(self.base / "found.csv", [row(f"202403-{k + 1:05}", "未批先建") for k in range(n)])
        call = command("feedback", self.base / "found.csv", "--store", self.base / "store", "-q")
        early = (self.base / "store/feedback.json").read_bytes()
        start = time.monotonic()
        self.feedback(self.base / "found.csv")
        whole = time.monotonic() - start
        want = {name: (self.base / "store" / name).read_bytes() for name in ("feedback.json", "ledger.gpkg", "ledger.json")}
        rng, killed = random.Random(2), 0
        for k in range(5):
            (self.base / "store/feedback.json").write_bytes(early)
            process = subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment())
            time.sleep(whole * (k + rng.random()) / 5)
            process.send_signal(signal.SIGKILL)
            killed += process.wait() == -signal.SIGKILL
            self.assertIn((self.base / "store/feedback.json").read_bytes(), (early, want["feedback.json"]), "all or nothing")
            self.feedback(self.base / "found.csv")
            self.assertEqual({name: (self.base / "store" / name).read_bytes() for name in want}, want)
        self.assertGreaterEqual(killed, 2)


if __name__ == "__main__":
    main()
