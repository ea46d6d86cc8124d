// SPDX-License-Identifier: Apache-2.0
#include "products.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <shuibao/engine/hash.hpp>
#include <shuibao/io/cog.hpp>
#include <shuibao/pipeline/archive.hpp>

namespace shuibao::pipeline {

std::optional<io::TileArchive> archive_of(const engine::Store& store) {
    if (!std::filesystem::exists(store.acquisitions_file())) return std::nullopt;
    return open_archive(store);
}

std::string tiles_hash(const RunContext& c, const io::TileArchive& archive) {
    std::string cut;
    for (const auto& a : archive.acquisitions())
        for (const auto& t : a.tiles) cut += c.executor.key("tile", t.str() + "/" + a.key) + "\n";
    return engine::hash_bytes(cut);
}

std::map<std::string, std::string> Products::hashes(const RunContext& c) const {
    std::map<std::string, std::string> map;
    map["area"] = fmt::format("{} {} {} {}", m_area.col, m_area.row, m_area.cols, m_area.rows);
    for (const auto& tile : m_tiles)
        map["change " + tile.str()] = c.executor.key("detect", tile.str() + "/" + c.batch);
    return map;
}

void Products::strips(std::initializer_list<int> bands,
                      const std::function<void(std::span<const std::vector<std::uint16_t>>)>& draw) const {
    std::vector<std::vector<std::uint16_t>> values(bands.size());
    for (std::int64_t row = 0; row < m_area.rows; row += io::CogWriter::block_rows) {
        const Window strip{m_area.col, m_area.row + row, m_area.cols,
                           std::min(io::CogWriter::block_rows, m_area.rows - row)};
        auto out = values.begin();
        for (const int band : bands) {
            out->resize(static_cast<std::size_t>(strip.pixels()));
            io::read_change_band(m_changes, *m_grid, strip, band, *out++);
        }
        draw(values);
    }
}

Products::Products(const RunContext& c) : m_changes(c.store.changes(c.batch)) {
    std::error_code error;
    for (std::filesystem::directory_iterator it(m_changes, error), end; !error && it != end;
         it.increment(error)) {
        const auto tile = TileId::parse(it->path().stem().string());
        if (tile && it->path().extension() == ".tif") m_tiles.push_back(*tile);
    }
    if (m_tiles.empty()) return;
    std::sort(m_tiles.begin(), m_tiles.end());
    const auto archive = open_archive(c.store);
    m_grid = archive.grid();
    m_area = supervised_area(c, *m_grid);
    bool any = false;
    for (const auto& a : archive.acquisitions()) {
        if (a.date.compact().substr(0, 6) > c.batch) continue;
        m_first = any ? std::min(m_first, a.date) : a.date;
        m_last = any ? std::max(m_last, a.date) : a.date;
        any = true;
    }
}

}  // namespace shuibao::pipeline
