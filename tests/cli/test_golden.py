# SPDX-License-Identifier: Apache-2.0
"""What people and programs read, byte for byte as it was when somebody last looked at it (tests/golden; refreshed by
scripts/dev/update_golden), and the shapefile against the field tables and value lists of domain.md 2.1 and 2.5."""
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys

from osgeo import gdal, ogr, osr

from harness import PATIENCE, SHUIBAO, SOURCE, ArchiveTest, command, environment, main, shuibao

gdal.UseExceptions()

GOLDEN = SOURCE / "tests" / "golden"

# domain.md 2.1: name, type, width, decimals. The others are ours and not among the official ones.
FIELDS = [("QDNM", "String", 40, 0), ("PRNM", "String", 254, 0), ("DPOZ", "String", 120, 0),
          ("PRTYPE", "String", 40, 0), ("QTYPE", "String", 30, 0), ("QAREA", "Real", 16, 4), ("EAREA", "Real", 16, 4),
          ("QDCS", "String", 10, 0), ("QDTYPE", "String", 30, 0), ("BYD", "String", 40, 0), ("RST", "String", 2, 0),
          ("NOTE", "String", 254, 0)]
QTYPES = {"弃渣场", "其他扰动", "弃土（渣）场", "取土（石）场", "非生产建设项目"}
STATES = {None, "", "施工", "停工", "完工", "未开工", "已验收"}
CHANGES = {None, "", "新增", "续建（范围扩大）", "续建（范围缩小）", "续建（范围不变）", "完工", "停工", "扰动范围扩大",
           "扰动范围缩小", "扰动范围不变"}
# Software writes only 合规, 疑似… and 待核; confirmed verdicts come from people (domain.md 2.5, rules.md 1).
SUSPECTED = {"合规", "疑似未批先建", "疑似超出防治责任范围", "疑似建设地点变更", "疑似未批先弃", "疑似先建后批", "待核"}

MISTAKES = [
    ("an option that is not there", ["run", "{config}", "--stroe", "elsewhere"]),
    ("a key that is not there", ["run", "{config}", "--set", "delineate.min_aera=5"]),
    ("a value that cannot be", ["run", "{config}", "--set", "grid.tile_size=8"]),
    ("a verb that is not there", ["detct"]),
    ("a configuration that is not there", ["run", "{base}/nowhere.yaml"]),
    ("a stage before its time", ["delineate", "{config}", "--store", "{base}/empty"]),
    ("another tile size for an old store", ["run", "{config}", "--set", "grid.tile_size=100"]),
]


def dump(path, layer):
    """A layer as GeoJSON text of one feature a line, coordinates to the millimetre, everything else as it is."""
    lines = []
    data = ogr.Open(str(path))  # held: the layer lives no longer than it
    for feature in data.GetLayerByName(layer):
        geometry = json.loads(feature.GetGeometryRef().ExportToJson(["COORDINATE_PRECISION=3"]))
        lines.append(json.dumps({"properties": feature.items(), "geometry": geometry}, ensure_ascii=False))
    return "\n".join(lines) + "\n"


class Golden(ArchiveTest):
    size, sites = 256, 8

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.talk = shuibao("run", cls.config, "-j", 2, "-q").stderr
        cls.output = cls.archive / "output"
        cls.store = cls.archive / "store"
        cls.texts = cls.made()

    @classmethod
    def neutral(cls, text):
        """The text without the place of this run."""
        text = re.sub(r"[0-9.]+ GB free", "SOME GB free", text)
        return text.replace(str(cls.archive), "ARCHIVE").replace(str(cls.base), "BASE")

    @classmethod
    def mistakes(cls):
        text = ""
        for title, words in MISTAKES:
            words = [w.format(config=cls.config, base=cls.base) for w in words]
            done = subprocess.run(command(*words), capture_output=True, text=True, env=environment(), timeout=60 * PATIENCE)
            text += f"{title}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return cls.neutral(text)

    @classmethod
    def shapefile(cls, output, encoding):
        """The official layer byte by byte: size and hash of each part, and the records so that a difference can be read."""
        lines = []
        for part in sorted((output / "export").glob("RDTB_*/*_CM*")):
            data = part.read_bytes()
            lines.append(f"{part.name} {len(data)} {hashlib.sha256(data).hexdigest()}")
        for dbf in sorted((output / "export").glob("RDTB_*/*.dbf")):
            data = dbf.read_bytes()
            first, size = int.from_bytes(data[8:10], "little"), int.from_bytes(data[10:12], "little")
            lines += [f"{data[i:i + 11].split(bytes(1))[0].decode()} {chr(data[i + 11])} {data[i + 16]} {data[i + 17]}"
                      for i in range(32, first - 1, 32)]
            lines += [re.sub(" {2,}", " | ", data[i:i + size].decode(encoding)).strip() for i in range(first, len(data) - 1, size)]
        return "\n".join(lines) + "\n"

    @classmethod
    def submitted(cls):
        """What Slurm would be asked, from a configuration as a site writes it."""
        site = cls.base / "site.yaml"
        site.write_text(f"extends: {cls.config}\nstore: the store\nmemory: 8G\nsubmit:\n  partition: long\n  time: 08:00:00\n"
                        "  shards: 12\n  at_once: 4\n  sbatch: ['--qos=normal']\n")
        text = shuibao("submit", "site.yaml", "-o", "it's here", "--engine", "print", cwd=cls.base).stdout
        return cls.neutral(text).replace(os.path.realpath(SHUIBAO), "PROGRAM")

    @classmethod
    def made(cls):
        """File name in tests/golden → its content as this program makes it."""
        return {
            "suspects.csv": (cls.output / "export" / "suspects_202405.csv").read_bytes().decode("utf-8"),
            "shapefile.txt": cls.shapefile(cls.output, "utf-8"),
            "shapefile_gbk.txt": cls.shapefile(cls.exported_in("GBK"), "gbk"),
            "suspects.geojsonl": dump(cls.output / "disturbances.gpkg", "suspects"),
            "status.json": cls.neutral(shuibao("status", cls.config, "--json").stdout),
            "check.txt": cls.neutral(shuibao("check", cls.config).stdout),
            "scenes.json": cls.neutral((cls.store / "scenes.json").read_text()),
            "mistakes.txt": cls.mistakes(),
            "submit.sh": cls.submitted(),
        }

    def test_texts(self):
        self.assertEqual(sorted(self.texts), sorted(p.name for p in GOLDEN.iterdir()))
        for name, text in self.texts.items():
            with self.subTest(file=name):
                self.assertEqual((GOLDEN / name).read_bytes().decode("utf-8"), text,
                                 "if this is meant, run scripts/dev/update_golden and look at the difference")

    def test_silence_where_nothing_is_wrong(self):
        self.assertEqual("", self.talk)
        for words in (["status", self.config], ["check", self.config], ["config", "-c", self.config], ["init"],
                      ["export", "--list"], ["run", self.config, "-q"]):
            done = shuibao(*words)
            self.assertEqual("", done.stderr, words)
        for verb in ("run", "detect"):
            self.assertEqual("", shuibao(verb, "--help").stderr)

    @classmethod
    def exported_in(cls, encoding):
        """Output with the shapefiles in this encoding, made when first asked for."""
        output = cls.base / encoding / "output"
        if not output.exists():
            output.mkdir(parents=True)
            shutil.copy(cls.output / "disturbances.gpkg", output)
            shuibao("export", cls.config, "-o", output, "--store", output.parent / "store", "--batch", "202405", "--set",
                    f"export.shapefile.encoding={encoding}", "--set", "export.formats=[shapefile]", "-q")
        return output

    def test_shapefile(self):
        texts = {}
        for encoding in ("UTF-8", "GBK"):
            warnings = []
            gdal.PushErrorHandler(lambda level, code, text: warnings.append(text))
            self.addCleanup(gdal.PopErrorHandler)
            shps = sorted((self.exported_in(encoding) / "export").glob("RDTB_*/*.shp"))
            self.assertEqual(["RDTB_202405_CM114.shp"], [p.name for p in shps])
            for shp in shps:
                with self.subTest(encoding=encoding, file=shp.name):
                    self.assertEqual({".shp", ".shx", ".dbf", ".prj", ".cpg", ".qml"},
                                     {p.suffix for p in shp.parent.glob(shp.stem + ".*")})
                    self.assertEqual(encoding, shp.with_suffix(".cpg").read_text().strip())
                    texts[encoding] = self.check_shapefile(shp, 114)
                    raw = shp.with_suffix(".dbf").read_bytes()
                    self.assertIn("疑似未批先建".encode(encoding), raw)
            self.assertEqual([], warnings)
        # GBK has no raised digits; everything else is the same.
        plain = [({k: v.replace("²", "2") if isinstance(v, str) else v for k, v in row.items()}, shape)
                 for row, shape in texts["UTF-8"]]
        self.assertNotEqual(plain, texts["UTF-8"])
        self.assertEqual(plain, texts["GBK"])

    def check_shapefile(self, shp, meridian):
        data = ogr.Open(str(shp))
        layer = data.GetLayer(0)
        definition = layer.GetLayerDefn()
        fields = [definition.GetFieldDefn(i) for i in range(definition.GetFieldCount())]
        self.assertEqual(FIELDS, [(f.GetName(), f.GetTypeName(), f.GetWidth(), f.GetPrecision())
                                  for f in fields[:len(FIELDS)]])
        self.assertLessEqual(max(len(f.GetName()) for f in fields), 10)
        reference = osr.SpatialReference(shp.with_suffix(".prj").read_text())
        self.assertEqual("Transverse_Mercator", reference.GetAttrValue("PROJECTION"))
        self.assertIn('DATUM["D_China_2000"', shp.with_suffix(".prj").read_text())  # ESRI's name of CGCS2000
        # 3° zones named by their meridian are EPSG 4534 (75° E) to 4554 (135° E).
        self.assertIn(str(4534 + (meridian - 75) // 3),
                      [match.GetAuthorityCode(None) for match, sure in reference.FindMatches() if sure >= 70])
        self.assertEqual(meridian, reference.GetProjParm("central_meridian"))
        self.assertEqual(500000, reference.GetProjParm("false_easting"))
        self.assertEqual(1, reference.GetProjParm("scale_factor"))
        ranked = ogr.Open(str(self.output / "disturbances.gpkg"))
        source = ranked.GetLayerByName("disturbances")
        self.assertEqual(source.GetFeatureCount(), layer.GetFeatureCount())
        self.assertGreaterEqual(layer.GetFeatureCount(), 4)
        rows = []
        for feature, original in zip(layer, source):
            row = feature.items()
            rows.append((row, feature.GetGeometryRef().ExportToWkt()))
            self.assertIn(row["QTYPE"], QTYPES)
            self.assertIn(row["QDCS"], STATES)
            self.assertIn(row["QDTYPE"], CHANGES)
            self.assertIn(row["BYD"], SUSPECTED)
            self.assertEqual("0", row["RST"])
            self.assertEqual(original["case_id"], row["QDNM"])
            self.assertEqual(original["verdict_zh"], row["BYD"])
            self.assertAlmostEqual(original["area_m2"] / 1e4, row["QAREA"], places=4)
            self.assertAlmostEqual(original["outside_m2"] / 1e4, row["EAREA"], places=4)
            if row["BYD"] == "合规":
                self.assertEqual(0, row["EAREA"])
            geometry = feature.GetGeometryRef()
            self.assertTrue(geometry.IsValid())
            # The plane area of Gauss–Krüger within one and a half degrees of its meridian is true to 0.04 %.
            self.assertAlmostEqual(1, geometry.GetArea() / original["area_m2"], delta=5e-4)
        self.assertEqual(len(rows), len({row["QDNM"] for row, _ in rows}))
        return rows


def update():
    Golden.setUpClass()
    try:
        for name, text in Golden.texts.items():
            (GOLDEN / name).write_bytes(text.encode("utf-8"))
            print(f"tests/golden/{name}: {len(text)} characters")
    finally:
        Golden.tearDownClass()


if __name__ == "__main__":
    if "--update" in sys.argv:
        update()
    else:
        main()
