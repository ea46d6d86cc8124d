# SPDX-License-Identifier: Apache-2.0
"""scripts/dev/fit-objects: what it takes for right, that it learns what tells sites from fields, that the same folders give
the same file, and that the program reads it."""
import json
import math
import random
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from osgeo import ogr, osr

from harness import SOURCE, main, shuibao

try:
    import sklearn  # noqa: F401  the script needs it; fresh machines have none
except ImportError:
    sklearn = None

ogr.UseExceptions()
SCRIPT = SOURCE / "scripts/dev/fit-objects"
SITES = ((1000, "2023/02/10"), (2000, "2023/08/20"))  # west edge of 200 m squares at y = 0, day of opening
MEASURES = ("log_pixels", "evidence", "same_contrast")


def square(x, y, side):
    return ogr.CreateGeometryFromWkt(f"POLYGON(({x} {y},{x + side} {y},{x + side} {y + side},{x} {y + side},{x} {y}))")


def write(path, name, fields, rows):
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(32650)
    path.parent.mkdir(parents=True, exist_ok=True)
    source = ogr.GetDriverByName("GPKG").CreateDataSource(str(path))
    layer = source.CreateLayer(name, reference, ogr.wkbMultiPolygon)
    for field, kind in fields:
        layer.CreateField(ogr.FieldDefn(field, kind))
    for shape, values in rows:
        feature = ogr.Feature(layer.GetLayerDefn())
        feature.SetGeometry(ogr.ForceToMultiPolygon(shape))
        for k, value in enumerate(values):
            feature.SetField(k, value)
        layer.CreateFeature(feature)


@unittest.skipIf(sklearn is None, "python3-sklearn is not installed")
class Fitting(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        write(self.folder / "truth.gpkg", "truth", [("onset", ogr.OFTDate)],
              [(square(x, 0, 200), [day]) for x, day in SITES])

    def series(self, seed=1):
        """Two batches: 60 objects in each site and 300 fields; sites fall off steeply to ground of the same history."""
        draw = random.Random(seed)
        for batch, open_sites in (("202303", 1), ("202312", 2)):
            rows = []
            for site, (x, _) in enumerate(SITES):
                for _ in range(60):
                    contrast = draw.gauss(1 if site < open_sites else 0, 0.3)
                    rows.append((square(x + draw.randrange(0, 150), draw.randrange(0, 150), 50), contrast))
            rows += [(square(draw.randrange(5000, 9000), draw.randrange(0, 4000), 50), draw.gauss(0, 0.3))
                     for _ in range(300)]
            write(self.folder / "store/batches" / batch / "candidates.gpkg", "candidates",
                  [("id", ogr.OFTInteger64)] + [(m, ogr.OFTReal) for m in MEASURES],
                  [(shape, [k, draw.gauss(3, 1), draw.gauss(-1, 0.3), contrast])
                   for k, (shape, contrast) in enumerate(rows)])

    def fit(self, *args, code=0):
        done = subprocess.run(["/usr/bin/python3", SCRIPT, self.folder, *args], capture_output=True, text=True, check=False)
        self.assertEqual(code, done.returncode, done.stderr)
        return done.stdout if code == 0 else done.stderr

    def test_right_is_what_was_open_by_the_month_of_its_batch(self):
        self.series()
        text = self.fit("--trees", "5")
        # 60 objects in the site opened in February, twice; 60 in that of August, in December only.
        self.assertRegex(text, r"from 840 candidates \(180 right\) of 1 simulated series")

    def test_the_same_folders_give_the_same_model_and_the_program_reads_it(self):
        self.series()
        text = self.fit("--trees", "20", "--least", "1.5", "--beside", "2.5", "--together", "3")
        self.assertEqual(text, self.fit("--trees", "20", "--least", "1.5", "--beside", "2.5", "--together", "3"))
        self.assertRegex(text, r"(?m)^least: 1\.5 ")
        self.assertRegex(text, r"(?m)^beside: 2\.5 ")
        self.assertRegex(text, r"(?m)^together: 3 ")
        trees = re.findall(r"(?m)^  - \[(.*)\]$", text)
        self.assertEqual(20, len(trees))
        first = [t.split(", ")[0] for t in trees]
        self.assertEqual("same_contrast", max(MEASURES, key=first.count), first)
        model = self.folder / "model.yaml"
        model.write_text(text)
        shuibao("simulate", self.folder / "pair", "--size", 128, "--sites", 2, "-q")
        shuibao("check", "-c", self.folder / "pair/run.yaml", "--set", f"delineate.objects={model}")
        model.write_text(text.replace("same_contrast", "same_contract"))
        said = shuibao("check", "-c", self.folder / "pair/run.yaml", "--set", f"delineate.objects={model}", code=2).stderr
        self.assertIn("did you mean 'same_contrast'?", said)

    def test_sparse_series_count_four_times(self):
        self.series()
        plain = self.fit("--trees", "5")
        same = self.fit("--trees", "5", "--sparse", self.folder)
        self.assertRegex(same, r"from 1680 candidates \(360 right\) of 2 simulated series")
        base = [float(re.search(r"(?m)^base: (.*)$", t)[1]) for t in (plain, same)]
        self.assertEqual(*base)  # the same shares, whatever counts
        other = self.folder / "other"
        shutil.copytree(self.folder, other, ignore=shutil.ignore_patterns("other"))
        (other / "truth.gpkg").unlink()
        write(other / "truth.gpkg", "truth", [("onset", ogr.OFTDate)], [(square(9800, 9800, 50), ["2023/12/31"])])
        # 180 of 840 once, and none of 840 four times.
        self.assertRegex(self.fit("--trees", "5", "--sparse", other), rf"(?m)^base: {math.log(180 / 4020):.4f}$")
        self.assertIn("--sparse is for objects", self.fit("--pixels", "--sparse", other, code=2))

    def pixels(self):
        """One batch: 120 × 20 pixels of 10 m along the sites; those of the sites stand out from what lies eight pixels away."""
        import numpy
        (self.folder / "store").mkdir(exist_ok=True)
        (self.folder / "store/grid.json").write_text(json.dumps({"crs": "EPSG:32650", "gsd": 10, "origin_x": 0, "origin_y": 200}))
        draw = numpy.random.default_rng(1)
        names = ("col", "row", "evidence", "soil_index_above_8")
        table = numpy.zeros(120 * 20 * 2, dtype=[(n, "<f4") for n in names])
        table["col"], table["row"] = 95 + numpy.arange(len(table)) % 240, numpy.arange(len(table)) // 240
        site = (table["col"] >= 100) & (table["col"] < 120)
        table["evidence"] = draw.normal(0, 1, len(table))
        table["soil_index_above_8"] = draw.normal(0, 0.03, len(table)) + 0.1 * site
        path = self.folder / "store/batches/202303/pixels.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        numpy.save(path, table)
        # What stood out was found, and around it as well.
        more = numpy.zeros(len(table), dtype=[(n, "<f4") for n in (*names, "score_mean_9")])
        for n in names:
            more[n] = table[n]
        more["score_mean_9"] = draw.normal(-3, 1, len(table)) + 5 * site
        numpy.save(path.with_name("pixels_again.npy"), more[table["soil_index_above_8"] > 0])
        return int(site.sum())

    def test_pixels_first_then_objects_in_one_file_that_the_program_reads(self):
        """The site of February is open by March, that of August is not: 20 × 20 pixels are right. They are asked twice."""
        self.assertEqual(400, self.pixels())
        text = self.fit("--pixels", "--trees", "10", "--share", "1")
        self.assertEqual(text, self.fit("--pixels", "--trees", "10", "--share", "1"))
        self.assertRegex(text, r"(?m)^pixels:  # learnt from 4800 pixels \(400 right\) of 1 simulated series$")
        self.assertEqual({"soil_index_above_8"}, {t.split(", ")[0] for t in re.findall(r"(?m)^    - \[(.*)\]$", text)[:3]})
        # Nine of ten that are no sites are given up after the first of ten trees.
        self.assertRegex(text, r"(?m)^  hopeless: \[1, -?[0-9.]+\]")
        cut = self.folder / "pixels.yaml"
        cut.write_text(text)
        again = self.fit("--again", "--trees", "10", "--share", "1", "--cut-with", cut)
        self.assertRegex(again, r"(?m)^  again:  # learnt from [0-9]+ pixels \([0-9]+ right\) of 1 simulated series$")
        self.assertEqual(text[text.index("pixels:"):], again[again.index("pixels:"):again.index("  again:")])
        self.assertEqual("score_mean_9", re.findall(r"(?m)^      - \[([a-z_0-9]+)", again)[0])
        cut.write_text(again)
        self.assertEqual(again, self.fit("--again", "--trees", "10", "--share", "1", "--cut-with", cut))
        text = again
        self.series()
        whole = self.fit("--trees", "20", "--cut-with", cut)
        self.assertEqual(text[text.index("pixels:"):], whole[whole.index("pixels:"):])
        self.assertIn(re.search(r"(?m)^levels: .*$", text)[0], whole)
        model = self.folder / "model.yaml"
        model.write_text(whole)
        shuibao("simulate", self.folder / "pair", "--size", 128, "--sites", 2, "-q")
        check = ("check", "-c", self.folder / "pair/run.yaml", "--set", f"delineate.objects={model}")
        shuibao(*check)
        for was, now, said in (("soil_index_above_8", "soil_index_above8", "did you mean 'soil_index_above_8'?"),
                               ("  least_evidence: -1.418", "  least_evidence: -4", "no level lies below -2.5"),
                               ("  least_evidence: -1.418\n", "", "least_evidence is missing"),
                               ("  hopeless: [1,", "  hopeless: [11,", "hopeless counts some of the 10 trees"),
                               ("score_mean_9", "score_mean9", "did you mean 'score_mean_9'?"),
                               ("  trees:\n", "  shrubs:\n", "trees is missing")):
            with self.subTest(now):
                model.write_text(whole.replace(was, now))
                self.assertIn(said, shuibao(*check, code=2).stderr)

    def test_folders_without_candidates_are_told(self):
        said = self.fit(code=1)
        self.assertIn("has no candidates: run it with --set delineate.candidates=true.", said)
        self.assertIn("has no pixels: run it with --set delineate.candidates=true.", self.fit("--pixels", code=1))


if __name__ == "__main__":
    main()
