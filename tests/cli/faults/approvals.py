# SPDX-License-Identifier: Apache-2.0
"""The layer of approved ranges. rules.md §8: BJ54, Xian80, GCJ-02 or no .prj are refused with the reason and what
to do; invalid rings are repaired and listed."""
import os

from osgeo import ogr, osr

from faults import Fault

ogr.UseExceptions()
osr.UseExceptions()

LEFT, TOP = 680000, 3660000  # of the archive, EPSG:32649


def square(x, y, size):
    return f"POLYGON(({x} {y},{x + size} {y},{x + size} {y - size},{x} {y - size},{x} {y}))"


def bow_tie(x, y, size):
    return f"POLYGON(({x} {y},{x + size} {y - size},{x + size} {y},{x} {y - size},{x} {y}))"


WHOLE = square(LEFT, TOP, 1280)


def layer(shapes=(WHOLE,), fields=None, crs=32649, name="approvals.shp"):
    """Replaces the layer: `shapes` as WKT, `fields` name → value for every row."""
    def spoil(world):
        for old in world.dir.glob("approvals.*"):
            old.unlink()
        srs = osr.SpatialReference()
        if isinstance(crs, str):
            srs.ImportFromWkt(crs)
        elif crs:
            srs.ImportFromEPSG(crs)
        dataset = ogr.GetDriverByName("ESRI Shapefile").CreateDataSource(str(world.path(name)))
        out = dataset.CreateLayer("approvals", srs if crs else None, ogr.wkbPolygon)
        values = {"PRID": "A1", "PRNM": "road"} if fields is None else fields
        for field in values:
            out.CreateField(ogr.FieldDefn(field, ogr.OFTString))
        for wkt in shapes:
            feature = ogr.Feature(out.GetLayerDefn())
            for field, value in values.items():
                feature[field] = value
            if wkt:
                feature.SetGeometry(ogr.CreateGeometryFromWkt(wkt))
            out.CreateFeature(feature)
    return spoil


def config(text):
    def spoil(world):
        path = world.path("run.yaml")
        path.write_text(path.read_text().replace("  path: approvals.shp\n", "  path: approvals.shp\n" + text))
    return spoil


def prj(old, new):
    def spoil(world):
        path = world.path("approvals.prj")
        text = path.read_text()
        assert old in text, text
        path.write_text(text.replace(old, new))
    return spoil


def cut(name, share):
    def spoil(world):
        path = world.path(name)
        os.truncate(path, int(path.stat().st_size * share))
    return spoil


def noted(code):
    def after(world, _result):
        report = world.report()
        assert [n for n in report["notes"] if n["code"] == code], f"run.json notes {report['notes']}"
        assert report["problems"] == [], report["problems"]
    return after


def names_are_chinese(world, result):
    noted("encoding")(world, result)
    dataset = ogr.Open(str(world.path("output/disturbances.gpkg")))
    names = {f["approval_name"] for f in dataset.GetLayerByName("disturbances")} - {None}
    assert names and all(n.startswith("示范项目第") for n in names), names


def all_compliant(world, _result):
    """A bow tie over everything has half the area of its square: repaired, not emptied."""
    dataset = ogr.Open(str(world.path("output/disturbances.gpkg")))
    assert "A1" in {f["approval_id"] for f in dataset.GetLayerByName("disturbances")}


DATUM = "EPSG:4490"
LOCAL = 'LOCAL_CS["mine grid",LOCAL_DATUM["mine",0],UNIT["metre",1],AXIS["x",EAST],AXIS["y",NORTH]]'


def before_any_work(world, result):
    """What is wrong with the layer is known before the first tile is cut, and run.json says what stderr says."""
    assert not world.path("store/tiles").exists(), "tiles were cut first"
    if not world.path("output/run.json").exists():  # not even a folder was made
        assert not world.path("store").exists()
        return
    report = world.report()
    last = report["problems"][-1]
    assert last["what"] == report["ended"] and last["hint"], last
    assert f"{last['what']} {last['hint']}" in result.err, result.err


def refused(name, spoil, says, code=4):
    return Fault(name, spoil, says, code=code, after=before_any_work)


TABLE = [
    refused("approvals absent", lambda w: [p.unlink() for p in w.dir.glob("approvals.*")],
            ["{dir}/approvals.shp", "does not exist", "Correct approvals.path"]),
    refused("approvals is an empty file", lambda w: w.path("approvals.shp").write_bytes(b""),
            ["{dir}/approvals.shp cannot be opened as a vector layer", ".shx and .dbf beside it"]),
    refused("approvals without a range", layer(shapes=()), ["approvals.shp holds no range", "approvals.path: none"]),
    Fault("ranges that cross themselves", layer(shapes=(bow_tie(LEFT, TOP, 1280),)),
          ["approvals.shp:1", "was repaired"], code=0, after=lambda w, r: [noted("repaired")(w, r), all_compliant(w, r)]),
    refused("no .prj", lambda w: w.path("approvals.prj").unlink(),
            ["{dir}/approvals.shp has no coordinate reference system", "Ask the sender for the .prj"]),
    Fault("GBK bytes called UTF-8", lambda w: w.path("approvals.cpg").write_text("UTF-8"),
          ["declared UTF-8 but are not", "read as GBK"], code=0, after=names_are_chinese),
    Fault("GBK bytes without a .cpg", lambda w: w.path("approvals.cpg").unlink(),
          ["No encoding is declared and the texts are no UTF-8; they were read as GBK."], code=0, after=names_are_chinese),
    Fault("UTF-16 bytes called UTF-8",
          lambda w: [w.path("approvals.dbf").write_bytes(w.path("approvals.dbf").read_bytes().replace("示".encode("gbk"), b"\xff\xfe"))],
          ["what could not be read stands as '?'"], code=0),
    refused("Beijing 1954", layer(crs=2421), ["approvals.shp is in the datum Beijing 1954", DATUM]),
    refused("Xian 1980", layer(crs=2332), ["approvals.shp is in the datum Xian 1980", DATUM]),
    refused("Beijing 1954 spelt out", prj('D_WGS_1984', 'D_北京54'), ["is in the datum Beijing 1954", DATUM]),
    refused("GCJ-02", prj('WGS_1984_UTM_Zone_49N', 'GCJ-02'), ["is in the datum GCJ-02", DATUM]),
    refused("gcj02 in small letters", prj('D_WGS_1984', 'D_gcj02'), ["is in the datum GCJ-02", DATUM]),
    refused("local grid without a datum", layer(crs=LOCAL), ["approvals.shp", "datum", DATUM]),
    refused("damaged .prj", lambda w: w.path("approvals.prj").write_bytes(b"\x00\xff" * 50),
            ["approvals.shp has no coordinate reference system"]),
    refused("fields that nobody knows", layer(fields={"F1": "a", "F2": "b"}),
            ["No field of {dir}/approvals.shp names the projects; it has: F1, F2", "approvals.fields"], code=2),
    refused("mapping of an unknown field", config("  fields: {projct: PRID}\n"),
            ["run.yaml:6: approvals.fields has no 'projct'", "Did you mean 'project'?"], code=2),
    refused("mapping to a field that is not there", config("  fields: {project: XMBH}\n"),
            ["run.yaml:6: the layer of approvals has no field 'XMBH'", "It has: PRNM, PRID"], code=2),
    refused("mapping that is a list", config("  fields: [project]\n"), ["run.yaml:6: 'approvals.fields' cannot be", "a mapping"], code=2),
    refused("layer that is not there", config("  layer: ranges\n"), ["has no layer 'ranges'", "Its layers are: approvals"]),
    refused("approvals on the network", lambda w: w.path("run.yaml").write_text(
        w.path("run.yaml").read_text().replace("approvals.shp", "http://127.0.0.1:9/a.geojson")),
        ["http://127.0.0.1:9/a.geojson lies on the network", "--allow-network"]),
    refused(".dbf missing", lambda w: w.path("approvals.dbf").unlink(),
            ["The .dbf of {dir}/approvals.shp is missing", "Ask the sender"]),
    refused(".shx missing", lambda w: w.path("approvals.shx").unlink(), ["approvals.shp", ".shx"]),
    refused(".shp cut", cut("approvals.shp", 0.5), ["{dir}/approvals.shp", "damaged", "ask for it again"]),
    Fault("no right to read the approvals", lambda w: w.path("approvals.shp").chmod(0), ["{dir}/approvals.shp", "Permission denied"],
          code=4, nobody=True, after=before_any_work),
    Fault("zone layer without a CRS",
          lambda w: [w.path(f"river{end}").write_bytes(w.path(f"approvals{end}").read_bytes()) for end in (".shp", ".shx", ".dbf")]
          + [w.path("run.yaml").write_text(w.path("run.yaml").read_text() + "zones:\n  layers: {river: river.shp}\n")],
          ["{dir}/river.shp has no coordinate reference system"], code=4, after=before_any_work),
    Fault("row without a geometry", layer(shapes=(WHOLE, None)), ["approvals.shp:2", "no geometry and was left out"],
          problem="no_geometry"),
    Fault("approval date that is none", layer(fields={"PRID": "A1", "SADT": "soon"}),
          ["approvals.shp:1", "'soon' is no date"], problem="bad_date"),
    Fault("ranges on the other side of the world", layer(shapes=(square(LEFT, -9e7, 1e6),), crs=32649),
          ["suspects"], code=0),
    Fault("coordinates beyond all numbers", layer(shapes=(WHOLE, square(1e300, 1e300, 1e290))),
          ["approvals.shp:2", "coordinates beyond the earth"], problem="bad_coordinates"),
]
