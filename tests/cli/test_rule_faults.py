# SPDX-License-Identifier: Apache-2.0
"""Rule sets, dictionaries and zone layers that cannot be used: each fault ends `screen` with a sentence that names the file
and, where there is one, the line or row. Oracle: contract §6 (faults), rules.md §8 (layers that are refused or mended)."""
import json
import shutil
import tempfile
import unittest
from pathlib import Path

from osgeo import ogr

from harness import SOURCE, main, shuibao
import layers

RULES = (SOURCE / "configs/rules/2023-03-01.yaml").read_text(encoding="utf8")
AREA = "  min_area_m2:           {value: 1000, unit: m², basis: "
FIRST = next(n for n, line in enumerate(RULES.splitlines(), 1) if line.startswith(AREA))
X, Y = 500000, 3600000


def with_area(text):
    """The shipped rules with another first item."""
    lines = RULES.splitlines(keepends=True)
    lines[FIRST - 1] = text + "\n"
    return "".join(lines)


class RuleFaults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="shuibao_test_")
        b = cls.base = Path(cls.folder.name)
        layers.write_layer(b / "drawn.gpkg", 4546, {"onset_to": ogr.OFTString}, [(layers.box(X, Y, X + 200, Y + 150), {"onset_to": "2024-03-01"})])
        layers.write_layer(b / "ranges.gpkg", 4546, {"PRID": ogr.OFTString}, [(layers.box(X + 900, Y, X + 999, Y + 99), {"PRID": "A"})])

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def screen(self, *words, code):
        return shuibao("screen", "--disturbances", self.base / "drawn.gpkg", "--approvals", self.base / "ranges.gpkg", "--batch", "202406",
                       "--store", self.base / "store", "-o", self.base / "output", "-q", *words, code=code).stderr

    def refused(self, name, text, said, option):
        file = self.base / name
        file.write_bytes(text if isinstance(text, bytes) else text.encode("utf8"))
        with self.subTest(said):
            self.assertIn(said, self.screen("--set", f"{option}={file}", code=2))

    def test_rule_files(self):
        head = RULES[:RULES.index("items:")]
        for text, said in (
                ("", "rules.yaml:1: a rule set needs version, valid_from and items."),
                ("- a\n", "rules.yaml:1: a rule set needs version, valid_from and items."),
                ("items: [\n", "rules.yaml:2: this is not valid YAML"),
                (RULES.replace("valid_from: 2023-03-01", "valid_from: spring"), "rules.yaml:6: valid_from is no date."),
                (RULES.replace('version: "1.0"', "version: [1]"), "rules.yaml:5: a single value should stand here."),
                (head + "items: 5\n", "a rule set needs version, valid_from and items."),
                (RULES.replace("  min_area_m2:", "  min_aera_m2:"), f"rules.yaml:{FIRST}: there is no rule item 'min_aera_m2'."),
                (with_area(RULES.splitlines()[FIRST - 1] + "\n  min_area_m2: {value: 1, unit: m², basis: b}"),
                 f"rules.yaml:{FIRST + 1}: 'min_area_m2' stands twice."),
                (with_area(""), "the item 'min_area_m2' is missing."),
                (with_area("  min_area_m2: 1000"), f"rules.yaml:{FIRST}: 'min_area_m2' needs a number as value, a unit and a basis."),
                (with_area("  min_area_m2: {value: much, unit: m², basis: b}"), f"rules.yaml:{FIRST}: 'min_area_m2' needs a number"),
                (with_area("  min_area_m2: {value: .nan, unit: m², basis: b}"), f"rules.yaml:{FIRST}: 'min_area_m2' needs a number"),
                (with_area("  min_area_m2: {value: 1000, unit: m²}"), f"rules.yaml:{FIRST}: 'min_area_m2' needs a number"),
                (with_area("  min_area_m2: {value: 1000, unit: m², basis: [a]}"), f"rules.yaml:{FIRST}: a single value should stand here."),
                (with_area("  min_area_m2: {value: -1, unit: m², basis: b}"), f"rules.yaml:{FIRST}: 'min_area_m2' is -1; it lies between 0 and"),
                (with_area("  min_area_m2: {value: 1000, unit: 苹果, basis: b}"), f"rules.yaml:{FIRST}: the unit of 'min_area_m2' is '苹果'"),
                (with_area("  min_area_m2: {value: 1000, unit: m², basis: b, nota: c}"), f"rules.yaml:{FIRST}: 'min_area_m2' has no 'nota'."),
                (RULES.replace('version: "1.0"', 'version: "1.0"\nvaild_to: 2024'), "rules.yaml:6: a rule set has no 'vaild_to'."),
                (RULES.replace("plan_validity_years:   {value: 3", "plan_validity_years:   {value: 2.9"), "'plan_validity_years' is 2.9; it is a whole number"),
                (RULES.replace("plan_validity_years:   {value: 3", "plan_validity_years:   {value: 9999"), "'plan_validity_years' is 9999; it lies between 0 and 50"),
                (RULES.replace("points_unapproved:       {value: 25", "points_unapproved:       {value: -25"), "'points_unapproved' is -25; it lies between 0 and 100"),
                (RULES.replace("high_confidence:       {value: 0.7", "high_confidence:       {value: 70"), "'high_confidence' is 70; it lies between 0 and 1"),
                (RULES.replace("area_step_2_m2:        {value: 20000", "area_step_2_m2:        {value: 2000"), "'area_step_2_m2' is 2000, less than 'area_step_1_m2' with 5000"),
                (b"\xff\xfe\x00\x01", "rules.yaml")):
            self.refused("rules.yaml", text, said, "rules.file")
        self.assertIn("nowhere.yaml", self.screen("--set", f"rules.file={self.base}/nowhere.yaml", code=2))

    def test_dictionaries(self):
        for option, section in (("rules.dictionary", "verdicts:\n  pending"), ("zones.dictionary", "kinds:\n  river")):
            for text, said in (("verdicts: [\n", "words.yaml:2: this is not valid YAML"),
                               (section + ": {a: b}\n", "words.yaml:2: a dictionary maps names to lists of texts."),
                               ("kinds: a text\n", "words.yaml:1: a dictionary maps names to lists of texts."),
                               ("", "words.yaml:1: a dictionary maps names to lists of texts."),
                               ("just a text\n", "words.yaml:1: a dictionary maps names to lists of texts.")):
                self.refused("words.yaml", text, said, option)

    def test_what_dictionaries_have_to_hold(self):
        for option, name, old, new, said in (
                ("rules.dictionary", "verdicts", "verdicts:", "verdict:", "the section 'verdict' is not known here."),
                ("rules.dictionary", "verdicts", "  unapproved:", "  unaproved:", "the entry of 'verdicts' 'unaproved' is not known here."),
                ("rules.dictionary", "verdicts", "  pending:          [待核]\n", "", "'verdicts' has no entry 'pending'."),
                ("rules.dictionary", "verdicts", "high:   [高]", "high:   []", "'high' has no word."),
                ("rules.dictionary", "verdicts", "high:   [高]", "high:   [高]\n  high:   [甲]", "'high' stands twice."),
                ("zones.dictionary", "zones", "river:          [points_zone_hazard]", "river:          [points_zone_hazrd]",
                 "the value of 'river' 'points_zone_hazrd' is not known here."),
                ("zones.dictionary", "zones", "river:          [points_zone_hazard]", "rivr:           [points_zone_hazard]",
                 "the entry of 'points' 'rivr' is not known here."),
                ("zones.dictionary", "zones", "hazard:     [hazard]", "hazard:     [hazrd]", "the value of 'hazard' 'hazrd' is not known here."),
                ("zones.dictionary", "zones", "roles:", "rolls:", "the section 'rolls' is not known here."),
                ("zones.dictionary", "zones", "road:       [10]", "road:       [wide]", "half_widths of road is 'wide'.")):
            text = (SOURCE / f"configs/dictionaries/{name}.yaml").read_text(encoding="utf8")
            self.assertIn(old, text)
            words = self.base / "words.yaml"
            words.write_text(text.replace(old, new, 1), encoding="utf8")
            zone = self.layer("way.gpkg", "road", [(self.line(), {"NAME": "某路"})], ogr.wkbLineString)
            with self.subTest(said):
                self.assertIn(said, self.screen("--set", f"{option}={words}", "--set", zone, code=2))
        self.refused("words.yaml", "kinds:\n  river: [河]\n", "words.yaml:1: the section 'articles' is missing.", "zones.dictionary")

    def test_dictionaries_of_the_program(self):
        """Those that no option names: a city has its own folder of configurations."""
        configs = self.base / "configs"
        shutil.copytree(SOURCE / "configs", configs)
        results = self.base / "results.csv"
        results.write_text("QDNM,BYD,RST\n202406-00001,合规,1\n", encoding="utf8")
        self.screen(code=0)
        shuibao("rank", "--batch", "202406", "--store", self.base / "store", "-o", self.base / "output", "-q")
        screen = ("screen", "--disturbances", self.base / "drawn.gpkg", "--approvals", self.base / "ranges.gpkg", "--batch", "202406")
        for name, old, new, said, words in (
                ("industries", "dots:        [输变电工程, 风电工程]", "dots:        [输变电工成]", "the value of 'dots' '输变电工成' is not known here.", screen),
                ("approvals", "  schematic: [", "  schematik: [", "the entry of 'vector_types' 'schematik' is not known here.", screen),
                ("disturbances", "types:", "typs:", "the section 'typs' is not known here.", screen),
                ("feedback", "violations:", "violation:", "the section 'violation' is not known here.", ("feedback", results)),
                ("feedback", "fields:", "fieldz:", "the section 'fieldz' is not known here.", ("feedback", results)),
                ("feedback", "  unapproved:       [", "  unaproved:        [", "the entry of 'violations' 'unaproved' is not known here.", ("feedback", results))):
            file = configs / f"dictionaries/{name}.yaml"
            text = file.read_text(encoding="utf8")
            self.assertIn(old, text)
            file.write_text(text.replace(old, new, 1), encoding="utf8")
            with self.subTest(said):
                stderr = shuibao(*words, "--store", self.base / "store", "-q", code=2, env={"SHUIBAO_CONFIGS": str(configs)}).stderr
                self.assertIn(said, stderr)
                self.assertRegex(stderr, rf"{name}\.yaml:\d+: ")
            file.write_text(text, encoding="utf8")

    def layer(self, name, kind, rows, shape=ogr.wkbPolygon, field="NAME"):
        layers.write_layer(self.base / name, 4546, {field: ogr.OFTString}, rows, kind=shape)
        return f"zones.layers={{{kind}: {self.base / name}}}"

    @staticmethod
    def line():
        return ogr.CreateGeometryFromWkt(f"LINESTRING({X - 50} {Y},{X + 900} {Y})")

    def test_zones_that_say_nothing(self):
        area = layers.box(X, Y, X + 50, Y + 50)
        for said, words in (
                (("codes.gpkg:1", "Areas of the kind county have no name (row 1)", "the layer has: DM"),
                 self.layer("codes.gpkg", "county", [(area, {"DM": "411325"})], field="DM")),
                (("void.gpkg", "The layer of the kind hazard holds no area"), self.layer("void.gpkg", "hazard", [])),
                (("brook.gpkg:1", "The row is a point or a line", "Zones of the kind river are drawn as areas."),
                 self.layer("brook.gpkg", "river", [(self.line(), {"NAME": "某河"})], ogr.wkbLineString))):
            with self.subTest(said[0]):
                stderr = self.screen("--set", words, code=3)
                for part in said:
                    self.assertIn(part, stderr)
        # A road is a line on most maps: it is taken with the width that the dictionary gives it.
        self.screen("--set", self.layer("road.gpkg", "road", [(self.line(), {"NAME": "某路"})], ogr.wkbLineString), code=0)
        data = ogr.Open(str(self.base / "store/batches/202406/screened.gpkg"))
        row = data.GetLayer(0).GetNextFeature()
        share = json.loads(row["context"])["zones"][0]["share"]
        self.assertAlmostEqual(share, 200 * 10 / (200 * 150), places=3)  # the half of it that lies north of its axis

    def test_zone_layers(self):
        def layer(name, crs, rows):
            layers.write_layer(self.base / name, crs, {"NAME": ogr.OFTString}, rows)
            return f"zones.layers={{river: {self.base / name}}}"

        good = (layers.box(X, Y, X + 50, Y + 50), {"NAME": "某河"})
        for said, words, code in (
                ("text.gpkg", "zones.layers={river: %s}" % (self.base / "text.gpkg"), 4),
                ("local.gpkg", layer("local.gpkg", 'LOCAL_CS["a grid",UNIT["metre",1]]', [good]), 4),
                ("xian.gpkg", layer("xian.gpkg", 2383, [good]), 4)):
            (self.base / "text.gpkg").write_text("no layer")
            with self.subTest(said):
                self.assertIn(said, self.screen("--set", words, code=code))
        # What one row lacks does not end the run: it is named with file and row.
        empty = layer("rows.gpkg", 4546, [good, (ogr.Geometry(ogr.wkbPolygon), {"NAME": "空"}),
                                          (layers.box(1e300, 1e300, 2e300, 2e300), {"NAME": "远"})])
        said = self.screen("--set", empty, code=3)
        for part in ("rows.gpkg:2", "The row has no geometry", "rows.gpkg:3", "coordinates beyond the earth"):
            self.assertIn(part, said)


if __name__ == "__main__":
    main()
