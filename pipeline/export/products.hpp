// SPDX-License-Identifier: Apache-2.0
// The pixels and looks of a batch, for exporters that show more than polygons.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <shuibao/core/grid.hpp>
#include <shuibao/io/tile_archive.hpp>
#include <shuibao/pipeline/exporter.hpp>

namespace shuibao::pipeline {

/// The looks of a store; nothing where it has none (polygons of another origin), which is no failure.
[[nodiscard]] std::optional<io::TileArchive> archive_of(const engine::Store& store);
/// What the manifest hashes where pictures are cut from all tiles of a store.
[[nodiscard]] std::string tiles_hash(const RunContext& context, const io::TileArchive& archive);

class Products {
  public:
    /// Looks into the store; a store without change maps of this batch is a valid one.
    explicit Products(const RunContext& context);
    /// False where the batch has no change maps (polygons of another origin). All else REQUIRES true.
    [[nodiscard]] bool there() const { return m_grid.has_value(); }
    [[nodiscard]] const Grid& grid() const { return *m_grid; }
    [[nodiscard]] Window area() const { return m_area; }  ///< under supervision; independent of the tiles
    [[nodiscard]] const std::filesystem::path& changes() const { return m_changes; }
    [[nodiscard]] const std::vector<TileId>& tiles() const { return m_tiles; }  ///< with a change map

    /// What the manifest hashes where maps are drawn from the change maps.
    [[nodiscard]] std::map<std::string, std::string> hashes(const RunContext& context) const;
    /// The whole area in strips of io::CogWriter::block_rows rows from the top: the wanted bands of each.
    void strips(std::initializer_list<int> bands,
                const std::function<void(std::span<const std::vector<std::uint16_t>>)>& draw) const;

    [[nodiscard]] Date first() const { return m_first; }  ///< first look of the store
    [[nodiscard]] Date last() const { return m_last; }    ///< last look up to the end of the batch's month

  private:
    std::filesystem::path m_changes;
    std::optional<Grid> m_grid;
    Window m_area;
    std::vector<TileId> m_tiles;
    Date m_first, m_last;
};

}  // namespace shuibao::pipeline
