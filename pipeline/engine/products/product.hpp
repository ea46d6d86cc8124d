// SPDX-License-Identifier: Apache-2.0
// Products as agencies deliver them: folders without a STAC Item, of which Items are made. A reader of one
// kind of product is one file here, registered where it stands.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "../stac.hpp"
#include <shuibao/core/grid.hpp>
#include <shuibao/core/registry.hpp>
#include <shuibao/engine/scene.hpp>

namespace shuibao::engine {

/// The largest file of metadata that is read.
inline constexpr std::size_t largest_metadata = std::size_t{64} << 20U;

/// What lies in one folder, names sorted.
struct ProductFolder {
    std::string path, name;
    std::vector<std::string> files, folders;
    [[nodiscard]] std::string at(const std::string& inside) const { return path + "/" + inside; }
};

/// An Item that was made.
struct MadeItem {
    std::string source;  ///< the file that says what it is
    nlohmann::json item;
};

/// What readers have found in a folder.
struct Findings {
    std::vector<MadeItem> items;
    std::vector<Rejected> rejected;
    std::set<std::string> taken;  ///< files that belong to a product: nobody else looks at them
    bool whole = false;           ///< the folder is one product
};

class Product {
  public:
    Product() = default;
    Product(const Product&) = delete;
    Product& operator=(const Product&) = delete;
    virtual ~Product() = default;
    /// Looks at a folder and adds what it knows there. Files that others have taken are none of its business.
    virtual void find(const ProductFolder& folder, const ProductOptions& options, Findings& found) const = 0;
    /// Asked only of inputs without any STAC file: beside Items, images are theirs.
    [[nodiscard]] virtual bool last_resort() const { return false; }
};
using ProductRegistry = Registry<Product>;

/// Runs `make`, which adds Items; what it refuses, or cannot read, is rejected under `source`.
template <class Make>
void make_items(const std::string& source, const std::string& id, Findings& found, Make make) {
    try {
        make();
    } catch (const Refusal& r) {
        found.rejected.push_back({source, id, r.code, r.reason});
    } catch (const Error& e) {
        if (e.code() != ErrorCode::input) throw;  // a full disk is no fault of the product's
        found.rejected.push_back({source, id, "unreadable", e.what()});
    }
}

/// One band of an asset, as the Item is to describe it.
struct MadeBand {
    std::string name;
    std::optional<Band> role;
    std::optional<double> scale, offset, nodata, gsd;
};

/// Puts a STAC 1.0 Item together.
class ItemMaker {
  public:
    ItemMaker(const std::string& id, const std::string& collection);
    void set(const std::string& property, nlohmann::json value);
    void asset(const std::string& key, const std::string& href, const std::vector<MadeBand>& bands);
    void mask(const std::string& key, const std::string& href, const std::string& role);
    /// Longitude and latitude, WGS 84; closed here if it is not. Fewer than three corners are no footprint.
    void footprint(std::vector<std::array<double, 2>> ring);
    void footprint(const Bounds& box);
    [[nodiscard]] nlohmann::json finish() const;

  private:
    nlohmann::json m_item;
};

/// "Sentinel-2A", "LANDSAT_8" → "sentinel-2a", "landsat-8".
[[nodiscard]] std::string platform_name(const std::string& text);
/// The number that is all of a text, whatever the locale.
[[nodiscard]] std::optional<double> number_in(const std::string& text);

/// A path that metadata name, below `folder`. Throws Refusal where it leads elsewhere.
[[nodiscard]] std::string inside(const ProductFolder& folder, const std::string& path);

}  // namespace shuibao::engine
