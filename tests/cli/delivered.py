# SPDX-License-Identifier: Apache-2.0
"""Simulated images in the form in which agencies deliver theirs: SAFE folders, Landsat bundles, images with RPC."""
import numpy
from osgeo import gdal, osr

gdal.UseExceptions()
BANDS = ("blue", "green", "red", "nir", "swir16", "swir22")  # of simulated images, in their order


def read(path):
    image = gdal.Open(str(path))
    return image.ReadAsArray(), image.GetGeoTransform(), image.GetProjection()


def write(path, pixels, transform, projection, driver="GTiff", options=()):
    """One band or several as they are; a JPEG 2000 without loss."""
    pixels = pixels if pixels.ndim == 3 else pixels[None]
    kind = {"uint8": gdal.GDT_Byte, "uint16": gdal.GDT_UInt16, "int16": gdal.GDT_Int16,
            "float32": gdal.GDT_Float32}[str(pixels.dtype)]
    image = gdal.GetDriverByName("MEM").Create("", pixels.shape[2], pixels.shape[1], len(pixels), kind)
    if transform:
        image.SetGeoTransform(transform)
        image.SetProjection(projection)
    for i, plane in enumerate(pixels, 1):
        image.GetRasterBand(i).WriteArray(plane)
    path.parent.mkdir(parents=True, exist_ok=True)
    gdal.GetDriverByName(driver).CreateCopy(str(path), image, options=list(options)).FlushCache()


def write_jp2(path, pixels, transform, projection):
    write(path, pixels, transform, projection, "JP2OpenJPEG", ("QUALITY=100", "REVERSIBLE=YES", "YCBCR420=NO"))


def corners(transform, projection, cols, rows):
    """Longitude and latitude of upper left, upper right, lower right, lower left."""
    here, there = osr.SpatialReference(projection), osr.SpatialReference()
    there.ImportFromEPSG(4326)
    for srs in (here, there):
        srs.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    to = osr.CoordinateTransformation(here, there)
    x0, dx, _, y0, _, dy = transform
    return [to.TransformPoint(x0 + i * cols * dx, y0 + j * rows * dy)[:2] for i, j in ((0, 0), (1, 0), (1, 1), (0, 1))]


SENTINEL_NAMES = {"blue": "B02", "green": "B03", "red": "B04", "nir": "B08", "swir16": "B11", "swir22": "B12"}
SENTINEL_IDS = {"B02": 1, "B03": 2, "B04": 3, "B08": 7, "B11": 11, "B12": 12}


def safe(folder, day, image, scl, level="2A", offset=-1000, quantification=10000):
    """A Sentinel-2 product of one granule; its values stand as the simulation has them. Returns its folder."""
    pixels, transform, projection = read(image)
    time = f"{day}T030001"
    name = f"S2A_MSIL{level}_{time}_N0509_R032_T49SFS_{time}"
    product = folder / f"{name}.SAFE"
    root = f"GRANULE/L{level}_T49SFS_A000001_{time}/IMG_DATA"
    named = []
    for plane, role in zip(pixels, BANDS):
        band = SENTINEL_NAMES[role]
        size = 10 if band in ("B02", "B03", "B04", "B08") else 20
        sizes = ([size] if size == 20 else [10, 20]) if level == "2A" else [None]
        for s in sizes:
            path = f"{root}/R{s}m/T49SFS_{time}_{band}_{s}m" if s else f"{root}/T49SFS_{time}_{band}"
            named.append(path)
            write_jp2(product / f"{path}.jp2", plane if s == size or not s else plane[::2, ::2].copy(),
                      transform if s == size or not s else scaled(transform, 2), projection)
    codes = read(scl)[0].astype("uint8")
    if level == "2A":
        named.append(f"{root}/R20m/T49SFS_{time}_SCL_20m")
        write_jp2(product / f"{named[-1]}.jp2", codes, transform, projection)
    else:
        cloudy = numpy.isin(codes, (3, 8, 9, 10)).astype("uint8")
        write_jp2(product / root.replace("IMG_DATA", "QI_DATA/MSK_CLASSI_B00.jp2"), numpy.stack([cloudy] * 3), transform,
                  projection)
    ring = " ".join(f"{lat} {lon}" for lon, lat in corners(transform, projection, *pixels.shape[:0:-1]))
    kind, what, group = ("BOA", "BOA_QUANTIFICATION_VALUE", "BOA_ADD_OFFSET_VALUES_LIST") if level == "2A" else \
        ("RADIO", "QUANTIFICATION_VALUE", "Radiometric_Offset_List")
    offsets = "".join(f'<{kind}_ADD_OFFSET band_id="{i}">{offset}</{kind}_ADD_OFFSET>' for i in range(13)) if offset else ""
    (product / f"MTD_MSIL{level}.xml").write_text(f"""<?xml version="1.0" encoding="UTF-8"?>
<n1:Level-{level}_User_Product xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/User_Product_Level-{level}.xsd">
 <n1:General_Info><Product_Info>
  <PRODUCT_START_TIME>{day[:4]}-{day[4:6]}-{day[6:]}T03:00:01.024Z</PRODUCT_START_TIME>
  <PRODUCT_URI>{name}.SAFE</PRODUCT_URI>
  <PROCESSING_LEVEL>Level-{level}</PROCESSING_LEVEL>
  <Datatake><SPACECRAFT_NAME>Sentinel-2A</SPACECRAFT_NAME><SENSING_ORBIT_NUMBER>32</SENSING_ORBIT_NUMBER></Datatake>
  <Product_Organisation><Granule_List>
   <Granule granuleIdentifier="L{level}" imageFormat="JPEG2000">
    {"".join(f"<IMAGE_FILE>{p}</IMAGE_FILE>" for p in named)}
   </Granule></Granule_List></Product_Organisation></Product_Info>
  <Product_Image_Characteristics>
   <{what} unit="none">{quantification}</{what}>
   <{group}>{offsets}</{group}>
  </Product_Image_Characteristics></n1:General_Info>
 <n1:Geometric_Info><Product_Footprint><Product_Footprint><Global_Footprint>
  <EXT_POS_LIST>{ring}</EXT_POS_LIST></Global_Footprint></Product_Footprint></Product_Footprint></n1:Geometric_Info>
 <n1:Quality_Indicators_Info><Cloud_Coverage_Assessment>12.5</Cloud_Coverage_Assessment></n1:Quality_Indicators_Info>
</n1:Level-{level}_User_Product>
""", encoding="utf8")
    return product


def scaled(transform, factor):
    x0, dx, a, y0, b, dy = transform
    return (x0, dx * factor, a, y0, b, dy * factor)


OLI = {"blue": 2, "green": 3, "red": 4, "nir": 5, "swir16": 6, "swir22": 7}
TM = {"blue": 1, "green": 2, "red": 3, "nir": 4, "swir16": 5, "swir22": 7}


def landsat(folder, day, image, form="txt", sensor="OLI_TIRS", platform="LANDSAT_8", level="L2SP", collection="02"):
    """A Collection 2 bundle in a folder, its reflectance that of the simulated image. Returns the product's name."""
    pixels, transform, projection = read(image)
    bands = OLI if sensor.startswith("OLI") else TM
    name = f"L{'C' if sensor.startswith('OLI') else 'T'}0{platform[-1]}_{level}_125037_{day}_20240901_{collection}_T1"
    for plane, role in zip(pixels, BANDS):
        values = numpy.round((plane * 1e-4 - 0.1 + 0.2) / 0.0000275).clip(1, 65535).astype("uint16")
        write(folder / f"{name}_SR_B{bands[role]}.TIF", values, transform, projection)
    clear = numpy.full(pixels.shape[1:], 21824, "uint16")  # bit 6: clear, low confidences
    clear[:20, :20] = 22280  # cloud
    write(folder / f"{name}_QA_PIXEL.TIF", clear, transform, projection)
    ends = corners(transform, projection, *pixels.shape[:0:-1])
    groups = {
        "PRODUCT_CONTENTS": {"LANDSAT_PRODUCT_ID": name, "PROCESSING_LEVEL": level, "COLLECTION_NUMBER": collection,
                             **{f"FILE_NAME_BAND_{b}": f"{name}_SR_B{b}.TIF" for b in bands.values()},
                             "FILE_NAME_QUALITY_L1_PIXEL": f"{name}_QA_PIXEL.TIF"},
        "IMAGE_ATTRIBUTES": {"SPACECRAFT_ID": platform, "SENSOR_ID": sensor, "CLOUD_COVER": 3.2,
                             "DATE_ACQUIRED": f"{day[:4]}-{day[4:6]}-{day[6:]}", "SCENE_CENTER_TIME": "03:01:11.1Z"},
        "PROJECTION_ATTRIBUTES": {f"CORNER_{c}_{axis}_PRODUCT": ends[i][k] for i, c in enumerate(("UL", "UR", "LR", "LL"))
                                  for k, axis in enumerate(("LON", "LAT"))},
        "LEVEL2_SURFACE_REFLECTANCE_PARAMETERS": {f"REFLECTANCE_{key}_BAND_{b}": value for b in bands.values()
                                                  for key, value in (("MULT", 2.75e-05), ("ADD", -0.2))},
        # The same keys again, of the level before: not ours.
        "LEVEL1_RADIOMETRIC_RESCALING": {f"REFLECTANCE_{key}_BAND_{b}": value for b in bands.values()
                                         for key, value in (("MULT", 2.0e-05), ("ADD", -0.1))}}
    if form == "txt":
        lines = [f"  GROUP = {g}\n" + "".join(f'    {k} = {v if not isinstance(v, str) else chr(34) + v + chr(34)}\n' for k, v in keys.items())
                 + f"  END_GROUP = {g}\n" for g, keys in groups.items()]
        text = "GROUP = LANDSAT_METADATA_FILE\n" + "".join(lines) + "END_GROUP = LANDSAT_METADATA_FILE\nEND\n"
    else:
        text = "<LANDSAT_METADATA_FILE>" + "".join(
            f"<{g}>" + "".join(f"<{k}>{v}</{k}>" for k, v in keys.items()) + f"</{g}>" for g, keys in groups.items()) \
            + "</LANDSAT_METADATA_FILE>"
    (folder / f"{name}_MTL.{form}").write_text(text)
    (folder / f"{name}_SR_stac.json").write_text('{"type": "Feature", "assets": {"blue": {"href": "https://example.org/b.tif"}}}')
    return name


def gaofen(folder, name, image, north=False):
    """A GF-1 multispectral image as sensed: four bands, placed by an RPC that stands for its true place. Returns its path."""
    pixels, transform, projection = read(image)
    rows, cols = pixels.shape[1:]
    path = folder / name / f"{name}-MSS1.tiff"
    write(path, pixels[:4], None, None)
    ends = corners(transform, projection, cols, rows)
    lon, lat = [p[0] for p in ends], [p[1] for p in ends]
    # Row and column as linear functions of longitude and latitude (least squares of the corners).
    middle = (sum(lon) / 4, sum(lat) / 4)
    half = (max(lon) - min(lon)) / 2, (max(lat) - min(lat)) / 2
    normal = numpy.array([[1, (x - middle[0]) / half[0], (y - middle[1]) / half[1]] for x, y in ends])
    line = numpy.linalg.lstsq(normal, numpy.array([-1, -1, 1, 1.0]), rcond=None)[0]
    samp = numpy.linalg.lstsq(normal, numpy.array([-1, 1, 1, -1.0]), rcond=None)[0]

    def polynomial(c):
        return ",\n".join(f"\t\t\t{v:.15g}" for v in [c[0], c[1], c[2]] + [0] * 17)
    one = polynomial([1, 0, 0])
    path.with_suffix(".rpb").write_text(f"""satId = "GF1";
bandId = "MSS1";
SpecId = "RPC00B";
BEGIN_GROUP = IMAGE
\terrBias = 1.0;
\terrRand = 0.0;
\tlineOffset = {rows / 2};
\tsampOffset = {cols / 2};
\tlatOffset = {middle[1]:.12g};
\tlongOffset = {middle[0]:.12g};
\theightOffset = 55;
\tlineScale = {rows / 2};
\tsampScale = {cols / 2};
\tlatScale = {half[1]:.12g};
\tlongScale = {half[0]:.12g};
\theightScale = 500;
\tlineNumCoef = (
{polynomial(line)});
\tlineDenCoef = (
{one});
\tsampNumCoef = (
{polynomial(samp)});
\tsampDenCoef = (
{one});
END_GROUP = IMAGE
END;
""")
    write(path.with_name(f"{name}-PAN1.tiff"), pixels[0], None, None)
    path.with_name(f"{name}-PAN1.rpb").write_bytes(path.with_suffix(".rpb").read_bytes())
    return path
