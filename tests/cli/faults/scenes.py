# SPDX-License-Identifier: Apache-2.0
"""Images and Items. Contract §6: a bad scene is set aside, named and counted; the run goes on and ends with 3."""
import json
import shutil
import socket

import numpy as np
from osgeo import gdal, osr

from faults import Fault
from world import FIRST, FOURTH, SECOND, THIRD

gdal.UseExceptions()


def truncate(path, share):
    data = path.read_bytes()
    path.write_bytes(data[:int(len(data) * share)])


def reference(path, epsg=None, move=0.0, strip=False):
    """Rewrites an image with another CRS, elsewhere, or without a georeference."""
    source = gdal.Open(str(path))
    pixels = source.ReadAsArray()
    transform, crs, nodata = list(source.GetGeoTransform()), source.GetSpatialRef(), source.GetRasterBand(1).GetNoDataValue()
    source = None
    out = gdal.GetDriverByName("GTiff").Create(str(path), pixels.shape[2], pixels.shape[1], pixels.shape[0], gdal.GDT_UInt16)
    if not strip:
        transform[0] += move
        out.SetGeoTransform(transform)
        if epsg:
            crs = osr.SpatialReference()
            crs.ImportFromEPSG(epsg)
        out.SetSpatialRef(crs)
    for band in range(pixels.shape[0]):
        out.GetRasterBand(band + 1).WriteArray(pixels[band])
        out.GetRasterBand(band + 1).SetNoDataValue(nodata)
    out.FlushCache()


def brighter(world):
    """What a missing offset of -0.1 looks like: every number 1000 higher, the Item unchanged."""
    dataset = gdal.Open(str(world.image(FOURTH)), gdal.GA_Update)
    for band in range(1, dataset.RasterCount + 1):
        values = dataset.GetRasterBand(band).ReadAsArray().astype(np.int32)
        dataset.GetRasterBand(band).WriteArray(np.where(values > 0, values + 1000, 0).astype(np.uint16))
    dataset.FlushCache()


def one_value(world):
    """As a sensor delivers that has died: pixels are valid and all the same."""
    image = gdal.Open(str(world.image(THIRD)), gdal.GA_Update)
    for number in range(1, image.RasterCount + 1):
        image.GetRasterBand(number).Fill(2000)
    image = None


def hide_one(world):
    new = world.path("catalog/new")
    new.mkdir()
    world.item_path(FOURTH).rename(new / world.item_path(FOURTH).name)
    new.chmod(0)


def without_bands(*names):
    def change(j):
        asset = j["assets"]["data"]
        for i, band in enumerate(asset["eo:bands"]):
            if not names or band["name"] in names:
                asset["eo:bands"][i] = {"name": f"unheard-of-{i}"}
    return change


def loop(world):
    """Two catalogues that point at each other and at the Items."""
    items = [{"rel": "item", "href": f"{i}.json"} for i in (FIRST, SECOND, THIRD, FOURTH)]
    for name, other in (("a", "b"), ("b", "a")):
        world.path(f"catalog/{name}.json").write_text(json.dumps({
            "type": "Catalog", "stac_version": "1.0.0", "id": name, "description": "",
            "links": items + [{"rel": "child", "href": f"{other}.json"}, {"rel": "child", "href": f"./{name}.json"}]}))
    config = world.path("run.yaml")
    config.write_text(config.read_text().replace("catalog: catalog", "catalog: catalog/a.json"))


def four_scenes(world, _result):
    assert len(json.loads(world.path("store/scenes.json").read_text())["scenes"]) == 4


def twin(world):
    """The same images once more, under other names."""
    for suffix in (".tif", "_SCL.tif"):
        shutil.copy(world.path(f"images/{FIRST}{suffix}"), world.path(f"images/twin{suffix}"))
    def change(j):
        j["id"] = "twin"
        j["assets"]["data"]["href"] = "../images/twin.tif"
        j["assets"]["SCL"]["href"] = "../images/twin_SCL.tif"
    world.edit_item(FIRST, change, name="twin")


_listeners = {}


def smuggle(world):
    """A local VRT that points at the network: opening it must not reach out."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    _listeners[world.dir] = listener
    world.path("images/smuggled.vrt").write_text(
        '<VRTDataset rasterXSize="128" rasterYSize="128"><SRS>EPSG:32649</SRS>'
        '<GeoTransform>680000,10,0,3660000,0,-10</GeoTransform><VRTRasterBand dataType="UInt16" band="1">'
        '<SimpleSource><SourceFilename relativeToVRT="0">/vsicurl/http://127.0.0.1:'
        f'{listener.getsockname()[1]}/never.tif</SourceFilename>'
        '<SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>')
    world.edit_item(FIRST, lambda j: j["assets"]["data"].update(
        href="../images/smuggled.vrt", **{"eo:bands": [{"name": "red", "common_name": "red"}], "raster:bands": []}))


def nobody_called(world, _result):
    with _listeners.pop(world.dir) as listener:
        try:
            listener.accept()[0].close()
        except BlockingIOError:
            return
    raise AssertionError("the network was reached without --allow-network")


def no_escape(_world, result):
    assert "\x1b" not in result.err, "a control character reached the terminal"


def rename(new):
    return lambda w: w.edit_item(FIRST, lambda j: j.update(id=new))


def data(w, item, **fields):
    w.edit_item(item, lambda j: j["assets"]["data"].update(fields))


MEND = "Mend or remove it"
TABLE = [
    Fault("truncated image", lambda w: truncate(w.image(FIRST), 0.5),
          [FIRST, "{dir}/images/demo_20230506.tif band", "cannot be read", MEND], problem="truncated"),
    Fault("image cut within its header", lambda w: w.image(FIRST).write_bytes(w.image(FIRST).read_bytes()[:100]),
          [FIRST, "images/demo_20230506.tif", MEND], problem="unreadable"),
    Fault("empty image", lambda w: w.image(SECOND).write_bytes(b""),
          [SECOND, "images/demo_20230521.tif cannot be opened as a raster", MEND], problem="unreadable"),
    Fault("text called .tif", lambda w: w.image(SECOND).write_text("404 Not Found\n" * 50),
          [SECOND, "cannot be opened as a raster", "not recognized", MEND], problem="unreadable"),
    Fault("truncated mask", lambda w: truncate(w.mask(FIRST), 0.7),
          [FIRST, "demo_20230506_SCL.tif", MEND], problem="truncated"),
    Fault("wrong CRS", lambda w: reference(w.image(THIRD), epsg=32651),
          [THIRD, "The image lies at 124.9", "but its Item says 112.9"], problem="wrong_reference"),
    Fault("image elsewhere", lambda w: reference(w.image(THIRD), move=50000),
          [THIRD, "The image lies at 113.4", "but its Item says 112.9"], problem="wrong_reference"),
    Fault("no georeference", lambda w: reference(w.image(FOURTH), strip=True),
          [FOURTH, "images/demo_20240525.tif has no CRS or geotransform", MEND], problem="no_georeference"),
    Fault("asset missing", lambda w: w.image(FOURTH).unlink(),
          [FOURTH, "The asset {dir}/images/demo_20240525.tif does not exist", MEND], problem="missing_asset"),
    Fault("mask missing", lambda w: w.mask(FOURTH).unlink(),
          [FOURTH, "demo_20240525_SCL.tif does not exist"], problem="missing_asset"),
    Fault("asset is a folder", lambda w: data(w, FIRST, href="../images"),
          [FIRST, "{dir}/images cannot be opened as a raster"], problem="unreadable"),
    Fault("asset out of the archive", lambda w: data(w, FIRST, href="../" * 40 + "etc/passwd"),
          [FIRST, "/etc/passwd cannot be opened as a raster"], problem="unreadable"),
    Fault("Item speaks of a band too many",
          lambda w: w.edit_item(FIRST, lambda j: j["assets"]["data"]["eo:bands"].append({"common_name": "nir08"})),
          [FIRST, "has 6 bands; the Item speaks of band 7"], problem="truncated"),
    Fault("band of the detector missing", lambda w: w.edit_item(FIRST, without_bands("nir", "red")),
          [FIRST[5:], "needs the band", "red", "detect.method"], problem="missing_band"),
    Fault("no known band", lambda w: w.edit_item(FIRST, without_bands()),
          [FIRST, "no asset whose bands are known"], problem="no_bands"),
    Fault("STAC of the future", lambda w: w.edit_item(FIRST, lambda j: j.update(stac_version="2.0.0")),
          [FIRST, "stac_version '2.0.0'; shuibao reads 1.0 and 1.1"], problem="stac_version"),
    Fault("half an Item", lambda w: truncate(w.item_path(FIRST), 0.5),
          ["{dir}/catalog/demo_20230506.json is not JSON", "line"], problem="not_json"),
    Fault("JSON that is no STAC", lambda w: w.item_path(FIRST).write_text('{"name": "settings"}'),
          ["catalog/demo_20230506.json is no STAC Item"], problem="not_stac"),
    Fault("Item of another shape", lambda w: w.edit_item(FIRST, lambda j: j.update(assets=[1, 2], properties=7)),
          [FIRST, "The Item has no datetime"], problem="no_date"),
    Fault("band list is a number", lambda w: data(w, FIRST, **{"eo:bands": 5}),
          [FIRST, "The Item is malformed"], problem="malformed"),
    Fault("Item without id", lambda w: w.edit_item(FIRST, lambda j: j.pop("id")),
          ["demo_20230506.json", "The Item has no id"], problem="no_id"),
    Fault("Item without datetime", lambda w: w.edit_item(FIRST, lambda j: j["properties"].pop("datetime")),
          [FIRST, "The Item has no datetime"], problem="no_date"),
    Fault("no such day", lambda w: w.edit_item(FIRST, lambda j: j["properties"].update(datetime="2023-02-30T03:00:00Z")),
          [FIRST, "datetime '2023-02-30T03:00:00Z' is no date"], problem="bad_date"),
    Fault("one id twice", lambda w: w.edit_item(SECOND, lambda j: j.update(id=FIRST)),
          ["{dir}/catalog/demo_20230521.json: another Item has the same id, {dir}/catalog/demo_20230506.json"], problem="duplicate"),
    Fault("same images under two ids", twin, ["twin", "another Item of the same day has the same images, {dir}/catalog/"],
          problem="duplicate"),
    Fault("offset of -0.1 missing", brighter,
          [FOURTH, "is set aside", "all bands differ from demo_20230506 by +0.0", "offset of -0.1 is missing", "Check raster:bands offset"], problem="radiometry"),
    Fault("a band that was not measured", one_value,
          [THIRD, "is set aside", "its band red holds nothing but 0.1", "Get the scene again"], problem="one_value"),
    Fault("asset on the network", lambda w: data(w, FIRST, href="http://127.0.0.1:9/image.tif"),
          [FIRST, "http://127.0.0.1:9/image.tif lies on the network", "--allow-network"], problem="network"),
    Fault("network behind a VRT", smuggle, [FIRST, "smuggled.vrt", "lies on the network"],
          problem="truncated", after=nobody_called),
    Fault("catalogues in a circle", loop, ["catalog: 4 scenes, 0 set aside"], code=0, after=four_scenes),
    Fault("id that climbs", rename("../../../../escape"), ["../../../../escape: reference"], code=0, after=four_scenes),
    Fault("id of 100 000 letters", rename("x" * 100000), ["catalog: 4 scenes"], code=0, after=four_scenes),
    Fault("id with terminal commands", rename("a\x1b[2Jb\nERROR 1: c"), ["catalog: 4 scenes"], code=0, after=no_escape),
    Fault("platform that climbs",
          lambda w: w.edit_item(FIRST, lambda j: j["properties"].update(platform="../../x/" + "p" * 3000)),
          ["catalog: 4 scenes"], code=0, after=four_scenes),
    Fault("no catalogue", lambda w: shutil.rmtree(w.path("catalog")),
          ["The catalogue {dir}/catalog does not exist", "Correct imagery.catalog"], code=4),
    Fault("empty catalogue", lambda w: [w.item_path(i).unlink() for i in (FIRST, SECOND, THIRD, FOURTH)],
          ["No usable scene is left", "The catalogue holds none", "Check imagery.catalog"], code=4),
    Fault("every image lost", lambda w: [w.image(i).unlink() for i in (FIRST, SECOND, THIRD, FOURTH)],
          ["No usable scene is left", "demo_20230506.tif does not exist"], code=4),
    Fault("one epoch lost", lambda w: [w.image(i).unlink() for i in (SECOND, THIRD, FOURTH)],
          ["no pair of dates", "detect.before"], code=4),
    Fault("folder of the catalogue that may not be read", hide_one,
          ["The folder {dir}/catalog/new cannot be read: Permission denied"], nobody=True, problem="unreadable"),
    Fault("folder of images that may not be entered", lambda w: w.path("images").chmod(0),
          ["No usable scene is left", "demo_20230506.tif cannot be reached: Permission denied"], code=4, nobody=True),
    Fault("image that may not be read", lambda w: w.image(FIRST).chmod(0),
          [FIRST, "demo_20230506.tif", "Permission denied"], nobody=True, problem="unreadable"),
]
