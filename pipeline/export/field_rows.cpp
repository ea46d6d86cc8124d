// SPDX-License-Identifier: Apache-2.0
#include "field_rows.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <numbers>
#include <sstream>

#include <fmt/format.h>

#include "dictionaries.hpp"
#include "rules.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/core/text.hpp>
#include <shuibao/engine/hash.hpp>
#include <shuibao/engine/resources.hpp>

namespace shuibao::pipeline {
namespace {

std::string deliverable_words() {
    return engine::config_file("dictionaries/deliverables.yaml").string();
}

std::string feedback_words() {
    return engine::config_file("dictionaries/feedback.yaml").string();
}

// Order of magnitude of a way, for comparing: squared degrees, longitudes drawn in as they are there.
double squared_distance(Point a, Point b) {
    const double dy = a.y - b.y, dx = (a.x - b.x) * std::cos((a.y + b.y) / 2 * std::numbers::pi / 180);
    return dx * dx + dy * dy;
}

}  // namespace

io::Value plain(const io::Value& value) {
    const auto* text = std::get_if<std::string>(&value);
    return text == nullptr ? value : io::Value(plain_text(*text));
}

ExportWords::ExportWords(const RunContext& c)
    : m_words(load_dictionary("deliverables")),
      m_verdicts(load_words(c)),
      m_feedback(load_dictionary("feedback")) {}

std::map<std::string, std::string> word_inputs(const RunContext& c) {
    return {{"dictionary deliverables", engine::hash_file(deliverable_words())},
            {"dictionary verdicts", engine::hash_file(verdict_words_file(c).string())},
            {"dictionary feedback", engine::hash_file(feedback_words())}};
}

std::string ExportWords::label(const std::string& field) const {
    const auto& record = m_words.values("record", field);
    return record.empty() ? m_words.text("labels", field) : record.front();
}
std::string ExportWords::text(std::string_view name) const {
    return m_words.text("texts", name);
}

std::uint32_t ExportWords::colour(const std::string& tier) const {
    for (const char* code : {"high", "medium", "low", "none"})
        if (m_verdicts.text("tiers", code) == tier) return m_palette[code];
    return m_palette["none"];
}

std::string ExportWords::file_title(const std::string& stem) const {
    return m_words.text("files", stem);
}

bool ExportWords::visited(const std::string& tier) const {
    return tier != m_verdicts.text("tiers", "low") && tier != m_verdicts.text("tiers", "none");
}

bool ExportWords::none(const std::string& tier) const {
    return m_verdicts.text("tiers", "none") == tier;
}

std::vector<ExportWords::Column> ExportWords::columns(std::string_view section) const {
    std::vector<Column> list;
    const auto it = m_words.sections.find(std::string(section));
    if (it == m_words.sections.end()) return list;
    for (const auto& [field, values] : it->second) {
        Column c{field};
        if (!values.empty()) c.decimals = std::atoi(values[0].c_str());
        if (values.size() > 1) c.width = std::atof(values[1].c_str());
        list.push_back(std::move(c));
    }
    return list;
}

const std::vector<std::string>& ExportWords::form() const {
    return m_words.values("form", "");
}

std::vector<io::Field> ExportWords::record() const {
    std::vector<io::Field> fields;
    for (const auto& [name, title_width] : m_words.sections.at("record")) {
        const int width = title_width.size() > 1 ? std::atoi(title_width[1].c_str()) : 0;
        fields.push_back({name, width > 0 ? io::FieldType::text : io::FieldType::date, width});
    }
    return fields;
}

std::vector<std::string> ExportWords::findings() const {
    std::vector<std::string> words;
    for (const auto& [code, list] : m_feedback.sections.at("violations"))
        words.insert(words.end(), list.begin(), list.end());
    for (const char* section : {"lawful", "not_works"})
        for (const auto& word : m_feedback.values(section, "")) words.push_back(word);
    return words;
}

std::string Stop::turn() const {
    return order > 0 ? fmt::format("{} ", order) : std::string();
}

void sort_by_turn(std::vector<Stop>& stops) {
    constexpr auto last = std::numeric_limits<std::int64_t>::max();
    std::stable_sort(stops.begin(), stops.end(), [](const Stop& a, const Stop& b) {
        return (a.order > 0 ? a.order : last) < (b.order > 0 ? b.order : last);
    });
}

std::vector<Stop> visiting_order(const ExportLayer& suspects, const ExportWords& words) {
    std::vector<Stop> stops;
    const io::Transformation to_geographic(suspects.crs, "EPSG:4490");
    // Of each county, runs of one tier in the order of rank: ranks are sorted by tier first.
    std::map<std::string, std::vector<std::pair<std::string, std::vector<std::size_t>>>> counties;
    for (const auto* f : suspects.rows) {
        const auto tier = text_of(*f, "tier");
        if (!words.visited(tier)) {
            stops.push_back({f, to_geographic(f->shape.point_inside())});
            continue;
        }
        auto& runs = counties[text_of(*f, "county")];
        if (runs.empty() || runs.back().first != tier) runs.push_back({tier, {}});
        runs.back().second.push_back(stops.size());
        stops.push_back({f, to_geographic(f->shape.point_inside())});
    }
    for (auto& [county, runs] : counties) {
        std::int64_t order = 0;
        const Stop* at = nullptr;
        for (auto& [tier, left] : runs)
            while (!left.empty()) {
                auto next = left.begin();
                double nearest = std::numeric_limits<double>::infinity();
                for (auto it = left.begin(); at != nullptr && it != left.end(); ++it) {
                    const double d = squared_distance(at->place, stops[*it].place);
                    if (d < nearest) nearest = d, next = it;
                }
                stops[*next].order = ++order;
                at = &stops[*next];
                left.erase(next);
            }
    }
    return stops;
}

io::Value value_of(const Stop& stop, const std::string& name) {
    if (name == "route") return stop.order > 0 ? io::Value(stop.order) : io::Value();
    if (name == "longitude") return std::round(stop.place.x * 1e6) / 1e6;
    if (name == "latitude") return std::round(stop.place.y * 1e6) / 1e6;
    if (name.ends_with("_hm2")) {
        const auto v = io::to_number(field_of(*stop.feature, name.substr(0, name.size() - 4) + "_m2"));
        return v ? io::Value(std::round(*v) / 1e4) : io::Value();
    }
    return plain(field_of(*stop.feature, name));
}

std::string shown(const io::Value& value, int decimals) {
    if (const auto* d = std::get_if<double>(&value)) return fmt::format("{:.{}f}", *d, decimals);
    return plain_text(io::to_text(value));
}

io::LayerData long_layer(const ExportLayer& source) {
    io::LayerData layer;
    layer.name = source.name;
    layer.crs = source.crs;
    for (std::size_t i = 0; i < source.fields.size(); ++i)
        layer.fields.push_back({source.fields[i], source.types[i]});
    for (const auto* f : source.rows) {
        io::LayerData::Row row{f->shape, {}};
        for (const auto& name : source.fields) row.values.push_back(plain(field_of(*f, name)));
        layer.rows.push_back(std::move(row));
    }
    return layer;
}

io::LayerData long_layer(const ExportLayer& source, const std::vector<Stop>& stops) {
    auto layer = long_layer(source);
    layer.fields.push_back({"route", io::FieldType::integer});
    layer.fields.push_back({"longitude", io::FieldType::real});
    layer.fields.push_back({"latitude", io::FieldType::real});
    for (std::size_t i = 0; i < stops.size(); ++i)
        for (const char* name : {"route", "longitude", "latitude"})
            layer.rows[i].values.push_back(value_of(stops[i], name));
    return layer;
}

void add_empty(io::LayerData& layer, const std::vector<io::Field>& fields) {
    layer.fields.insert(layer.fields.end(), fields.begin(), fields.end());
    for (auto& row : layer.rows) row.values.resize(layer.fields.size());
}

std::string style_text(const char* file) {
    const auto path = engine::config_file(std::string("styles/") + file);
    std::ifstream in(path, std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    if (!in || text.str().empty())
        throw Error(ErrorCode::failed, fmt::format("The style {} cannot be read.", path.string()),
                    "Install shuibao's configs again, or set SHUIBAO_CONFIGS.");
    return Palette().filled(text.str());
}

}  // namespace shuibao::pipeline
