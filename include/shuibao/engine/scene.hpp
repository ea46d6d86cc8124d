// SPDX-License-Identifier: Apache-2.0
// A scene: one acquisition of one sensor, as its STAC Item describes it.
#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <shuibao/core/band.hpp>
#include <shuibao/core/date.hpp>
#include <shuibao/core/grid.hpp>

namespace shuibao::engine {

/// How the codes of a mask raster are to be read.
enum class MaskKind { none, scl, qa_pixel, fmask, valid_is_1, masked_is_1 };
[[nodiscard]] std::string_view mask_name(MaskKind kind);
[[nodiscard]] MaskKind mask_from_name(std::string_view name);

/// One band of one raster file.
struct SceneBand {
    Band band{};
    std::string href;  ///< absolute path or /vsi name
    int index = 1;     ///< band number in the file, from 1
    double gsd = 0;    ///< m, 0 = not stated
    double scale = 1, offset = 0;
    std::optional<double> nodata;
    /// What the file holds, times gain and plus lift, fits into 16-bit integers; scale and offset come after.
    double gain = 1, lift = 0;
};

struct Scene {
    std::string id, source;  ///< item id, file it came from
    std::string collection, platform, orbit;
    Date date;
    bool reflectance = false;          ///< values are reflectance after scale and offset; else relative DN
    bool surface = false;              ///< surface reflectance (no relative normalisation)
    std::string crs;                   ///< "EPSG:32650" or WKT, of the finest band
    Bounds bounds;                     ///< of the finest band, in `crs`
    std::optional<Bounds> geographic;  ///< bbox of the Item, degrees WGS 84
    std::vector<SceneBand> bands;      ///< one per role, ascending
    MaskKind mask = MaskKind::none;
    std::string mask_href;
    double clear = 1;         ///< usable share of the frame by its mask (sampled); 1 without a mask
    std::string fingerprint;  ///< hash of the files
};

/// What makes an Item, a product or the files of a scene unusable; thrown, and becomes a Rejected.
struct Refusal {
    std::string code, reason;
};

/// A scene that is not used, and why. Nothing is dropped without one of these.
struct Rejected {
    std::string source, id, code, reason;
    auto operator<=>(const Rejected&) const = default;
};

/// A STAC Item that was made of a product without one.
struct MadeItemText {
    std::string id, json;
};

/// What one catalogue input holds.
struct SceneList {
    std::vector<Scene> scenes;
    std::vector<Rejected> rejected;
    std::vector<MadeItemText> made;  ///< not part of the stored list
};

/// Sensor knowledge (configs/sensors/*.yaml): for Items that do not say themselves.
struct Sensor {
    std::string name;
    std::vector<std::string> collections, platforms;  ///< matched as prefixes, lower case
    std::vector<std::pair<std::string, Band>> bands;  ///< band or asset name → role
    std::optional<double> scale, offset;
    bool surface = false;
    std::vector<std::pair<std::string, MaskKind>> masks;  ///< asset name → mask
};
[[nodiscard]] std::vector<Sensor> load_sensors();

/// What a user says of images that do not say it themselves, and where what Items need is written.
struct ProductOptions {
    std::vector<Band> bands;              ///< of images without band names, in their order
    std::optional<double> scale, offset;  ///< of images without a STAC Item or a product's metadata
    std::string crs, dem;                 ///< where images with RPC are laid: io::OrthoOptions
    double gsd = 0;
    std::string written =
        "/vsimem/shuibao/items";  ///< folder for their views; under /vsimem/ nothing is left behind
};

/// Reads an Item, an ItemCollection, a Catalog or Collection (following its links), a product or an image as
/// it was delivered (pipeline/engine/products), or a folder of those, on disk or inside an archive (/vsizip/,
/// /vsitar/). What lies on the network is rejected by name unless it is allowed. Malformed files become
/// `rejected`. Throws Error(input) when the input itself cannot be read.
[[nodiscard]] SceneList read_catalogue(const std::string& input, const std::vector<Sensor>& sensors,
                                       const ProductOptions& options = {});

/// A scene as one JSON text, without its geographic box; and back, nothing where the text is no such.
[[nodiscard]] std::string scene_text(const Scene& scene);
[[nodiscard]] std::optional<Scene> scene_from_text(const std::string& text);

void save_scenes(const std::filesystem::path& file, const SceneList& list);
/// Throws Error(usage) telling to run `catalog` when the file is missing.
[[nodiscard]] SceneList load_scenes(const std::filesystem::path& file);

}  // namespace shuibao::engine
