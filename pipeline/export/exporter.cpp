// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <shuibao/engine/file_name.hpp>
#include <shuibao/pipeline/exporter.hpp>

namespace shuibao::pipeline {
std::string package_stem(std::string_view county, std::string_view batch) {
    return county.empty() ? fmt::format("RDTB_{}", batch)
                          : fmt::format("RDTB_{}_{}", engine::file_name_of(county), batch);
}

std::string evidence_page(std::string_view case_id) {
    return fmt::format("evidence/{}.html", engine::file_name_of(case_id));
}

std::string evidence_picture(std::string_view case_id, std::string_view which) {
    return fmt::format("evidence/{}_{}.jpg", engine::file_name_of(case_id), which);
}

io::Value field_of(const io::VectorFeature& feature, const std::string& name) {
    const auto* value = feature.values.find(name);
    return value == nullptr ? io::Value() : *value;
}

std::string text_of(const io::VectorFeature& feature, const std::string& name) {
    return io::to_text(field_of(feature, name));
}

}  // namespace shuibao::pipeline
