// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <shuibao/core/text.hpp>
#include <shuibao/engine/hash.hpp>
#include <shuibao/pipeline/exporter.hpp>

namespace shuibao::pipeline {
namespace {

// File systems take 255 bytes a name: stem, county, batch, zone and the marks of a temporary must fit.
constexpr std::size_t longest_name = 120;

// Names come from a contractor's layer: they must not leave the folder, nor be refused by Windows.
// Marks that turn the direction of text would make the name read as another.
std::string file_name_of(std::string_view text, std::size_t longest = longest_name) {
    std::string name;
    for (const char c : io::cut_text(plain_text(text), longest, "UTF-8"))
        name += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ||
                        std::string_view("/\\:*?\"<>|#%&'` ").find(c) != std::string_view::npos
                    ? '_'
                    : c;
    for (std::size_t i = 0; i < name.size() && name[i] == '.'; ++i) name[i] = '_';
    if (name != text) name += "_" + engine::hash_bytes(text).substr(0, 8);
    return name;
}

}  // namespace

std::string package_stem(std::string_view county, std::string_view batch) {
    return county.empty() ? fmt::format("RDTB_{}", batch)
                          : fmt::format("RDTB_{}_{}", file_name_of(county), batch);
}

std::string evidence_page(std::string_view case_id) {
    return fmt::format("evidence/{}.html", file_name_of(case_id));
}

std::string evidence_picture(std::string_view case_id, std::string_view which) {
    return fmt::format("evidence/{}_{}.jpg", file_name_of(case_id), which);
}

io::Value field_of(const io::VectorFeature& feature, const std::string& name) {
    const auto* value = feature.values.find(name);
    return value == nullptr ? io::Value() : *value;
}

std::string text_of(const io::VectorFeature& feature, const std::string& name) {
    return io::to_text(field_of(feature, name));
}

}  // namespace shuibao::pipeline
