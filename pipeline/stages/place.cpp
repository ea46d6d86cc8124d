// SPDX-License-Identifier: Apache-2.0
#include "place.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>

#include <fmt/format.h>

#include <shuibao/core/change.hpp>
#include <shuibao/core/error.hpp>
#include <shuibao/io/geometry.hpp>
#include <shuibao/io/tile_archive.hpp>
#include <shuibao/io/vector.hpp>
#include <shuibao/pipeline/archive.hpp>

namespace shuibao::pipeline {
namespace {

struct Pair {
    double a = 0, b = 0;
};

std::optional<Pair> pair_of(const std::string& text) {
    Pair p;
    char extra = 0;
    if (std::sscanf(text.c_str(), "%lf,%lf%c", &p.a, &p.b, &extra) != 2) return std::nullopt;
    if (!std::isfinite(p.a) || !std::isfinite(p.b)) return std::nullopt;
    return p;
}

Window pixel_at(double col, double row) {
    constexpr double most = 1e12;  // far outside any map; larger numbers are no pixel addresses
    return {static_cast<std::int64_t>(std::floor(std::clamp(col, -most, most))),
            static_cast<std::int64_t>(std::floor(std::clamp(row, -most, most))), 1, 1};
}

std::optional<io::Geometry> shape_in(const std::filesystem::path& file, const char* field,
                                     const std::string& id, const std::string& crs) {
    if (!std::filesystem::exists(file)) return std::nullopt;
    for (const auto& f : io::read_layer(file.string(), {"", "", crs}).features)
        if (const auto* value = f.values.find(field); value != nullptr && io::to_text(*value) == id)
            return f.shape;
    return std::nullopt;
}

Window strongest(const RunContext& c, const Grid& grid, const io::Geometry& shape) {
    const Window window = grid.window(shape.bounds());
    const auto inside = io::burn({shape}, grid, window);
    std::vector<std::uint16_t> evidence(inside.size());
    io::read_change_band(c.store.changes(c.batch), grid, window, 0, evidence);
    std::optional<std::size_t> best;
    for (std::size_t i = 0; i < inside.size(); ++i)
        if (inside[i] != 0 && evidence[i] != Change::unobserved && (!best || evidence[i] > evidence[*best]))
            best = i;
    if (!best) {
        const Point p = shape.point_inside();
        return pixel_at(grid.col_of_x(p.x), grid.row_of_y(p.y));
    }
    const auto at = static_cast<std::int64_t>(*best);
    return {window.col + at % window.cols, window.row + at / window.cols, 1, 1};
}

}  // namespace

Window pixel_of(RunContext& c, const Grid& grid, const std::string& text, const std::string& crs) {
    resolve_batch(c);
    if (const auto slash = text.find('/'); slash != std::string::npos) {
        const auto tile = TileId::parse(text.substr(0, slash));
        const auto at = pair_of(text.substr(slash + 1));
        if (tile && at) {
            const Window w = grid.window(*tile);
            const Window pixel =
                pixel_at(static_cast<double>(w.col) + at->a, static_cast<double>(w.row) + at->b);
            if (!pixel.intersection(w).empty()) return pixel;
            throw Error(ErrorCode::usage,
                        fmt::format("Tile {} has no pixel {}.", tile->str(), text.substr(slash + 1)),
                        fmt::format("Columns and rows count from 0 to {}.", grid.tile_size() - 1));
        }
    } else if (const auto at = pair_of(text)) {
        const Point p = io::Transformation(crs, grid.crs())(Point{at->a, at->b});
        return pixel_at(grid.col_of_x(p.x), grid.row_of_y(p.y));
    } else if (!text.empty() && text.find_first_of(",.") == std::string::npos) {
        auto shape = shape_in(c.output / "disturbances.gpkg", "case_id", text, grid.crs());
        if (!shape) shape = shape_in(c.store.batch(c.batch) / "disturbances.gpkg", "id", text, grid.crs());
        if (shape) return strongest(c, grid, *shape);
        throw Error(ErrorCode::usage,
                    fmt::format("There is no disturbance '{}', neither in {} nor in batch {} of the store.",
                                text, (c.output / "disturbances.gpkg").string(), c.batch),
                    "Give a case_id of the output, the number of a disturbance, or x,y.");
    }
    throw Error(
        ErrorCode::usage,
        text.empty() ? std::string("inspect.at is not set.")
                     : fmt::format("inspect.at cannot be '{}'.", text),
        "Give longitude,latitude (or x,y with --crs), TILE/col,row, or a case_id, e.g. `shuibao inspect "
        "112.98,33.01 -c run.yaml`.");
}

}  // namespace shuibao::pipeline
