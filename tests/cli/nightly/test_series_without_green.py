# SPDX-License-Identifier: Apache-2.0
"""A real series of Sentinel-2 with SCL that has blue, red, near and short-wave infrared but no green band: it is
followed as a series, and a place can be looked at. Needs ../shared/data/s2ts_cil_mine_1 (its README); else skipped."""
import csv
import json
import sys
import tempfile
import unittest
from pathlib import Path

from osgeo import gdal

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness import SOURCE, main, shuibao

gdal.UseExceptions()
DATA = SOURCE.parent / "shared" / "data" / "s2ts_cil_mine_1"
ROLES = {"B02": "blue", "B04": "red", "B08": "nir", "B11": "swir16", "B12": "swir22"}


@unittest.skipUnless(DATA.is_dir(), f"{DATA} is not here")
class WithoutGreen(unittest.TestCase):
    def test_run_and_inspect(self):
        with tempfile.TemporaryDirectory(prefix="shuibao_test_") as name:
            folder = Path(name)
            (folder / "scenes").mkdir()
            info = gdal.Info(str(DATA / "S2_L2A_B04.tif"), format="json")
            (west, north), (east, south) = (info["cornerCoordinates"][k] for k in ("upperLeft", "lowerRight"))
            rows = list(csv.DictReader((DATA / "dates.csv").read_text(encoding="utf-8-sig").splitlines()))
            for row in rows:
                day, assets = row["date"].replace("-", ""), {}
                for band in (*ROLES, "SCL"):
                    gdal.Translate(str(folder / "scenes" / f"{day}_{band}.tif"), str(DATA / f"S2_L2A_{band}.tif"),
                                   bandList=[int(row["band"])])
                    assets[band] = {"href": f"./{day}_{band}.tif", "roles": ["data"]}
                    if band in ROLES:
                        assets[band]["eo:bands"] = [{"name": band, "common_name": ROLES[band]}]
                        assets[band]["raster:bands"] = [{"nodata": 0, "scale": 1e-4, "offset": 0}]
                box = [west, south, east, north]
                ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
                item = {"type": "Feature", "stac_version": "1.0.0", "id": day, "bbox": box, "links": [], "assets": assets,
                        "geometry": {"type": "Polygon", "coordinates": [ring]},
                        "properties": {"datetime": row["date"] + "T05:00:00Z", "proj:epsg": 4326}}
                (folder / "scenes" / f"{day}.json").write_text(json.dumps(item))
            config = folder / "run.yaml"
            config.write_text("imagery: {catalog: scenes}\ngrid: {crs: 'EPSG:32644', gsd: 10, tile_size: 128}\n"
                              "tile: {registration: false}\napprovals: {path: none}\nstore: store\noutput: output\n")
            shuibao("run", "-c", config, "-q")
            j = json.loads(shuibao("inspect", f"{(west + east) / 2},{(south + north) / 2}", "-c", config, "--json").stdout)
            self.assertEqual((j["method"], j["series"]["features"][1]), ("harmonic", "BSI"))
            self.assertEqual(j["series"]["watched_from"][:4], "2021")
            self.assertLessEqual(len(j["looks"]), len(rows))
            self.assertGreater(sum(look["usable"] for look in j["looks"]), 50)
            self.assertNotIn("green", j["looks"][0]["values"])
            self.assertNotIn("note", j["decision"])
            plot = folder / "place.png"
            shuibao("inspect", f"{(west + east) / 2},{(south + north) / 2}", "-c", config, "--plot", plot)
            drawn = gdal.Open(str(plot))
            self.assertGreater(min(drawn.RasterXSize, drawn.RasterYSize), 500)
            self.assertGreater(drawn.ReadAsArray().std(), 10)


if __name__ == "__main__":
    main()
