# SPDX-License-Identifier: Apache-2.0
"""Ranked suspects of three counties with names that nobody wishes for, made without images: polygons of another origin,
approvals and county borders go through `screen` and `rank`."""
import json
import re

from osgeo import gdal, ogr, osr

from harness import shuibao
from layers import box, reference, write_layer

gdal.UseExceptions()

# What contractors type, or are said to have typed.
HOSTILE = [
    "<script>alert('水')</script>&amp;\"quoted\"</name></Placemark>",
    "=HYPERLINK(\"http://example.invalid/\",\"点我\")",
    "光伏工程🚧😀𠮷家店",
    "长" * 250 + "名" * 250,
    "مشروع السد \u202Egnp.exe\u202C",
    "第一行\n第二行\r\n=1+1\t制表",
    "$[description] {0} %s ]]> \x07\x1b[31m",
    "@SUM(A1:A9)",
    "+86 375 工程",
    "-2+3",
]
BREAKS = "\t\n\v\f\r\x85\u2028\u2029"
# County → west, south, east, north. The second lies on both sides of 112.5° E, where two 3° zones meet.
COUNTIES = {
    "西峡县": (111.3, 33.2, 111.6, 33.4),
    "跨带县": (112.4, 33.0, 112.6, 33.2),
    "=1+1/../<b>县": (113.2, 32.5, 113.4, 32.7),
}


def plain(text):
    """A text as one plain line: said again, from the words of core/text.hpp."""
    text = re.sub("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]", lambda m: m[0] if m[0] in BREAKS else "", text)
    return re.sub(f"[{BREAKS}]+", " ", text.strip(BREAKS))


def make(folder, per_county=8, counties=None):
    """Writes the inputs and run.yaml; returns the configuration."""
    folder.mkdir(parents=True)
    S, D, F = ogr.OFTString, ogr.OFTDate, ogr.OFTReal
    move = osr.CoordinateTransformation(reference(4490), reference(32649))
    found, approved, borders, n = [], [], [], 0
    types = ["公路工程", "露天非金属矿", "房地产工程", "一种新的类型"]
    changes = ["新增", "续建（范围扩大）", "续建（范围不变）", None]
    for name, (west, south, east, north) in (counties or COUNTIES).items():
        borders.append((box(west, south, east, north), {"NAME": name}))
        for i in range(per_county):
            # Four columns, so that some of the second county lie in each zone; askew, so that no two are as near.
            x = west + (east - west) * (0.1 + 0.25 * (i % 4) + 0.013 * (n * 7 % 11) / 11)
            y = south + (north - south) * (0.1 + 0.8 * (i // 4) / max(1, (per_county - 1) // 4))
            size = 0.001 + 0.0004 * (n % 7)
            shape = box(x, y, x + size, y + size)
            shape.Transform(move)
            found.append((shape, {"id": str(n), "onset_from": "2023-05-06", "onset_to": f"2024-05-{10 + n % 15:02}",
                                  "confidence": round(0.5 + 0.02 * (n % 25), 2), "ground_sample": 2.0, "full_pixels": 500,
                                  "core_share": 0.9, "QTYPE": ["其他扰动", "spoil", "取土场", None][n % 4], "QDTYPE": changes[i % 4]}))
            if i % 4 != 3:  # the rest has no approval at all
                approved.append((box(x, y, x + size * 0.6, y + size), {
                    "PRID": f"P{n}", "PRNM": HOSTILE[n % len(HOSTILE)], "DPOZ": HOSTILE[(n + 3) % len(HOSTILE)],
                    "PRTYPE": types[n % len(types)], "SADT": "2022-09-01", "vectype": "防治责任范围"}))
            n += 1
    write_layer(folder / "found.gpkg", 32649, {"id": S, "onset_from": D, "onset_to": D, "confidence": F, "ground_sample": F,
                                               "full_pixels": ogr.OFTInteger64, "core_share": F, "QTYPE": S, "QDTYPE": S}, found)
    write_layer(folder / "approvals.gpkg", 4490, {"PRID": S, "PRNM": S, "DPOZ": S, "PRTYPE": S, "SADT": D, "vectype": S}, approved)
    write_layer(folder / "counties.gpkg", 4490, {"NAME": S}, borders)
    config = folder / "run.yaml"
    config.write_text("batch: '202405'\napprovals: {path: approvals.gpkg}\nscreen: {disturbances: found.gpkg}\n"
                      f"zones: {{layers: {json.dumps({'county': 'counties.gpkg'})}}}\nstore: store\noutput: output\n")
    for stage in ("screen", "rank"):
        shuibao(stage, config, "-q")
    return config


def rows(path, name=None):
    """[(values, geometry)] of a layer."""
    data = ogr.Open(str(path))
    source = data.GetLayerByName(name) if name else data.GetLayer(0)
    return [(f.items(), f.GetGeometryRef().Clone()) for f in source]
