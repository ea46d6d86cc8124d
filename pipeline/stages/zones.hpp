// SPDX-License-Identifier: Apache-2.0
// Sensitive areas and administrative areas: any number of polygon layers, each of a kind that
// configs/dictionaries/zones.yaml gives a meaning.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <shuibao/engine/rule_set.hpp>
#include <shuibao/io/box_index.hpp>
#include <shuibao/io/geometry.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {

/// One named area of one layer; features of one name are one area.
struct Zone {
    std::string kind;  ///< as in zones.dictionary
    std::string name;  ///< of the feature, else of the layer, else the official word for the kind
};

/// All zone layers of a run. Reentrant once cut.
class Zones {
  public:
    /// Reads `zones.layers` into `crs`. What was mended goes to context.notes, what was lost to
    /// context.problems. Throws Error(usage) for a kind that the dictionary does not know, Error(input) for a
    /// layer that cannot be read.
    Zones(RunContext& context, const std::string& crs);

    /// Cuts all zones into pieces of at most 512 vertices, so that basins with a hundred thousand of them cost
    /// no more than small ones; before anything is asked of the map. `each(n, body)` runs body(0…n−1), in any
    /// order, at once or not.
    using Each = std::function<void(std::size_t, const std::function<void(std::size_t)>&)>;
    void cut(const Each& each);

    /// Zones that hold some of the shape, and how much of it (0–1), by falling share, then in order.
    struct Hit {
        std::size_t zone = 0;
        double share = 0;
    };
    [[nodiscard]] std::vector<Hit> over(const io::Geometry& shape) const;
    /// Zones of this role that come within `distance` (m) of the shape, in order.
    [[nodiscard]] std::vector<std::size_t> near(const io::Geometry& shape, std::string_view role,
                                                double distance) const;
    /// The part of the shape that lies in zones of this role.
    [[nodiscard]] io::Geometry part_in(const io::Geometry& shape, std::string_view role) const;

    [[nodiscard]] const Zone& zone(std::size_t i) const { return m_zones[i]; }
    [[nodiscard]] bool has_role(std::size_t zone, std::string_view role) const;
    /// True when a layer of a kind with this role was given.
    [[nodiscard]] bool known(std::string_view role) const;
    [[nodiscard]] bool any() const { return !m_zones.empty(); }

  private:
    engine::Dictionary m_words;
    std::vector<Zone> m_zones;
    std::vector<io::Geometry> m_shapes;  ///< of the zones, until they are cut
    std::vector<io::Geometry> m_pieces;
    std::vector<Bounds> m_bounds;
    std::vector<std::size_t> m_zone_of;  ///< of each piece
    std::vector<bool> m_full;            ///< the piece fills its bounds
    std::optional<io::BoxIndex> m_index;
};

/// An area as it is drawn.
struct NamedArea {
    std::string name;
    io::Geometry shape;
};
/// Features of the layers of `zones.layers` that are of this kind, in `crs`, in the order of the files; none
/// where no such layer was given. Throws Error(input) for a layer that cannot be read.
[[nodiscard]] std::vector<NamedArea> areas_of_kind(const RunContext& context, std::string_view kind,
                                                   const std::string& crs);
/// Hashes of these layers, for the manifest.
[[nodiscard]] std::map<std::string, std::string> kind_hashes(const RunContext& context,
                                                             std::string_view kind);

void declare_zones(OptionTable& table);
/// `zones.dictionary`, else configs/dictionaries/zones.yaml.
[[nodiscard]] engine::Dictionary load_zone_words(const RunContext& context);
[[nodiscard]] std::string zone_words_hash(const RunContext& context);
/// Hashes of the layers and of the dictionary, for the manifest; layers also go into context.inputs.
[[nodiscard]] std::map<std::string, std::string> zone_hashes(RunContext& context);

}  // namespace shuibao::pipeline
