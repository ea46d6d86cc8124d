# SPDX-License-Identifier: Apache-2.0
"""One palette of tiers (section `colours` of deliverables.yaml) in everything that people receive: changed there, it changes
everywhere, and as it is, it can be read on white."""
import re
import shutil
import tempfile
import unittest
import zipfile
from pathlib import Path

import yaml

from harness import SOURCE, main, shuibao
from package_world import make

OURS = {"high": "123456", "medium": "654321", "low": "0A7B0C", "none": "0D0E0F"}


def luminance(colour):
    """Relative luminance of WCAG 2.1."""
    parts = [int(colour[i:i + 2], 16) / 255 for i in (0, 2, 4)]
    return sum(w * (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4) for w, c in zip((0.2126, 0.7152, 0.0722), parts))


class Palette(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="shuibao_test_")
        self.addCleanup(folder.cleanup)
        self.base = Path(folder.name)

    def test_read_on_white(self):
        """4.5 : 1 for text (WCAG 2.1, 1.4.3); and no two tiers alike."""
        colours = yaml.safe_load((SOURCE / "configs/dictionaries/deliverables.yaml").read_text())["colours"]
        self.assertEqual({"high", "medium", "low", "none"}, set(colours))
        for tier, (colour,) in colours.items():
            self.assertGreaterEqual(1.05 / (luminance(colour) + 0.05), 4.5, tier)
        self.assertEqual(4, len({c for c, in colours.values()}))

    def configs(self, **colours):
        folder = self.base / "configs"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(SOURCE / "configs", folder)
        path = folder / "dictionaries/deliverables.yaml"
        text = path.read_text(encoding="utf-8")
        for tier, colour in colours.items():
            text = re.sub(rf'(\n  {tier}: +\[)"[0-9A-F]{{6}}"\]', rf'\g<1>"{colour}"]', text)
        path.write_text(text, encoding="utf-8")
        return {"SHUIBAO_CONFIGS": str(folder)}

    def test_changed_in_one_place(self):
        config = make(self.base / "world", per_county=4)
        shuibao("export", config, "-q", env=self.configs(**OURS))
        export = self.base / "world/output/export"
        whole = lambda pattern: [p.read_text(encoding="utf-8") for p in sorted(export.glob(pattern))]
        css = [f"--{tier}: #{colour.lower()};" for tier, colour in OURS.items()]
        rgb = [",".join(str(int(n, 16)) for n in re.findall("..", OURS[t])) for t in ("high", "medium", "low")]
        for pattern, wanted in (("report_*.html", css), ("*/evidence/*.html", css), ("*/*.qml", rgb), ("*/*.qgs", rgb)):
            texts = whole(pattern)
            self.assertTrue(texts, pattern)
            for text in texts:
                for colour in wanted:
                    self.assertIn(colour, text, pattern)
        for path in export.glob("*/*.kmz"):
            with zipfile.ZipFile(path) as z:
                kml = z.read("doc.kml").decode()
            self.assertIn("<color>ff" + "".join(reversed(re.findall("..", OURS["high"]))), kml)
        with zipfile.ZipFile(export / "RDTB_202405.xlsx") as z:
            self.assertIn(f'rgb="FF{OURS["high"]}"', z.read("xl/styles.xml").decode())
        # The old ones are nowhere: a page that has a colour of its own would keep it.
        old = yaml.safe_load((SOURCE / "configs/dictionaries/deliverables.yaml").read_text())["colours"]
        for pattern in ("report_*.html", "*/evidence/*.html"):
            for text in whole(pattern):
                for tier in ("high", "medium", "low"):
                    self.assertNotIn("#" + old[tier][0].lower(), text.lower())
        for path in (SOURCE / "configs/templates").iterdir():
            self.assertNotRegex(path.read_text(encoding="utf-8"), r"--(high|medium|low): *#|\b(high|medium|low): *\"#", path.name)
        for path in (SOURCE / "pipeline/export").glob("*.cpp"):
            self.assertNotRegex(path.read_text(encoding="utf-8"), r'== "(high|medium|low)"\) return \{', path.name)

    def test_no_colour(self):
        config = make(self.base / "world", per_county=1)
        done = shuibao("export", config, "-q", code=2, env=self.configs(low="BLUE"))
        self.assertIn("'colours: low' is 'BLUE', which is no colour", done.stderr)


if __name__ == "__main__":
    main()
