#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the pair of the speed benchmark: two dates of SIZE x SIZE pixels, blue, green, red, nir, one DEFLATE file
per band (512 blocks, no predictor, as public Sentinel-2 COGs), and their STAC Items.

  make_pair.py FOLDER [SIZE=10980]

Fields of random reflectance with pixel noise; about 1 % of the area is opened at the second date. What matters is
that the numbers compress like real ones (about 1.5 : 1) and that there is something to find.
"""
import json, os, sys
import numpy as np
from osgeo import gdal
gdal.UseExceptions()
folder, size = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 10980
os.makedirs(folder + "/catalog", exist_ok=True)
rng = np.random.default_rng(7)
LEFT, TOP, GSD = 600000, 3700020, 10
BANDS = {"blue": (300, 900, 0.2), "green": (500, 1100, 0.4), "red": (300, 1300, 0.3), "nir": (1500, 3500, 0.8)}
cells = size // 30 + 2
level = rng.random((cells, cells)).astype(np.float32)
# The second spring: most fields as before, some greener, some barer.
moved = np.where(rng.random((cells, cells)) < 0.15, rng.random((cells, cells)) * 0.5 - 0.25, 0).astype(np.float32)
sites = rng.random((cells, cells)) < 0.01


def big(a, row0, rows):
    """Rows row0... of the coarse field a at full resolution."""
    r = (np.arange(row0, row0 + rows) // 30)[:, None]
    c = (np.arange(size) // 30)[None, :]
    return a[r, c]


for n, day in enumerate(("2023-05-10", "2024-05-15")):
    name = "pair_" + day.replace("-", "")
    for band, (low, high, green) in BANDS.items():
        driver = gdal.GetDriverByName("GTiff")
        d = driver.Create(f"{folder}/{name}_{band}.tif", size, size, 1, gdal.GDT_UInt16,
                          ["TILED=YES", "BLOCKXSIZE=512", "BLOCKYSIZE=512", "COMPRESS=DEFLATE", "ZLEVEL=6", "NUM_THREADS=ALL_CPUS"])
        d.SetGeoTransform((LEFT, GSD, 0, TOP, 0, -GSD))
        d.SetProjection("EPSG:32649")
        d.GetRasterBand(1).SetNoDataValue(0)
        for row in range(0, size, 512):
            rows = min(512, size - row)
            base = big(level, row, rows)
            if n:
                base = np.clip(base + big(moved, row, rows), 0, 1)
            v = low + (high - low) * (base if band == "nir" else 1 - base)
            if n:
                v = np.where(big(sites, row, rows), high * (1.7 if band != "nir" else 0.9), v)
            v = v + rng.normal(0, 25, v.shape).astype(np.float32) + 1000
            d.GetRasterBand(1).WriteArray(v.astype(np.uint16), 0, row)
        d = None
    box = [111.9, 32.4, 113.1, 33.5]
    item = {"type": "Feature", "stac_version": "1.0.0", "id": name, "collection": "sentinel-2-l2a", "bbox": box,
            "geometry": {"type": "Polygon", "coordinates": [[[box[0], box[1]], [box[2], box[1]], [box[2], box[3]], [box[0], box[3]], [box[0], box[1]]]]},
            "properties": {"datetime": day + "T03:00:00Z", "platform": "sentinel-2a", "proj:epsg": 32649, "gsd": 10}, "links": [],
            "assets": {b: {"href": f"../{name}_{b}.tif", "roles": ["data"], "eo:bands": [{"name": b, "common_name": b}],
                           "raster:bands": [{"data_type": "uint16", "nodata": 0, "scale": 0.0001, "offset": -0.1}]} for b in BANDS}}
    with open(f"{folder}/catalog/{name}.json", "w") as f:
        json.dump(item, f, indent=1)
