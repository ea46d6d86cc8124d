// SPDX-License-Identifier: Apache-2.0
#include "layer_files.hpp"

#include <filesystem>

#include <fmt/format.h>

#include <shuibao/core/error.hpp>
#include <shuibao/engine/hash.hpp>

namespace shuibao::pipeline {
namespace fs = std::filesystem;

void require_layer(const std::string& what, const std::string& path, const std::string& hint) {
    std::error_code error;
    const bool plain = !path.starts_with("/vsi") && path.find(':') == std::string::npos;
    if (plain && !fs::exists(path, error))
        throw Error(ErrorCode::input, fmt::format("{} {} does not exist.", what, path), hint);
}

std::string hash_vector(const std::string& path) {
    const auto hash = [](const std::string& file) {
        return file.starts_with("/vsi") ? engine::hash_bytes(io::bytes_of(file)) : engine::hash_file(file);
    };
    const auto files = io::files_of(path);
    if (files.empty() || (files.size() == 1 && files.front() == path)) return hash(path);
    std::string text;
    const auto base = fs::path(path).parent_path();
    for (const auto& file : files)
        text += fs::path(file).lexically_relative(base).string() + " " + hash(file) + "\n";
    return engine::hash_bytes(text);
}

void tell_row(RunContext& c, const std::string& stage, const std::string& path, const io::LayerNote& n,
              const std::string& hint) {
    const engine::Problem p{stage, fmt::format("{}:{}", fs::path(path).filename().string(), n.row), n.code,
                            n.text, hint};
    if (n.code == "repaired" || n.code == "encoding" || n.code == "widened") {
        c.notes.push_back(p);
        c.log.write(engine::LogLevel::warn, n.text, stage, p.unit);
    } else {
        c.problems.add(p);
    }
}

}  // namespace shuibao::pipeline
