// SPDX-License-Identifier: Apache-2.0
#include "products.hpp"

#include <algorithm>

#include <shuibao/engine/hash.hpp>
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
