# SPDX-License-Identifier: Apache-2.0
"""Rule sets, dictionaries and zone layers that cannot be used: each fault ends `screen` with a sentence that names the file
and, where there is one, the line or row. Oracle: contract §6 (faults), rules.md §8 (layers that are refused or mended)."""
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
                (RULES.replace("valid_from: 2023-03-01", "valid_from: spring"), "rules.yaml:5: valid_from is no date."),
                (RULES.replace('version: "1.0"', "version: [1]"), "rules.yaml:4: a single value should stand here."),
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
                (b"\xff\xfe\x00\x01", "rules.yaml")):
            self.refused("rules.yaml", text, said, "rules.file")
        self.assertIn("nowhere.yaml", self.screen("--set", f"rules.file={self.base}/nowhere.yaml", code=2))

    def test_dictionaries(self):
        for option in ("rules.dictionary", "zones.dictionary"):
            for text, said in (("verdicts: [\n", "words.yaml:2: this is not valid YAML"),
                               ("kinds:\n  river: {a: b}\n", "words.yaml:2: a dictionary maps names to lists of texts."),
                               ("kinds: a text\n", "words.yaml:1: a dictionary maps names to lists of texts."),
                               ("", "words.yaml:1: a dictionary maps names to lists of texts."),
                               ("just a text\n", "words.yaml:1: a dictionary maps names to lists of texts.")):
                self.refused("words.yaml", text, said, option)

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
