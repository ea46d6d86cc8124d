// SPDX-License-Identifier: Apache-2.0
// Disturbances as delineate wrote them, or as people drew and described them.
#include <array>
#include <functional>
#include <optional>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "dictionaries.hpp"
#include "disturbance_file.hpp"
#include "words.hpp"
#include <shuibao/core/text.hpp>

namespace shuibao::pipeline {
namespace {

// One row after the other; what is wrong with a row becomes a note.
class Reader {
  public:
    explicit Reader(DisturbanceSet& set)
        : m_dictionary(load_dictionary("disturbances")), m_find(m_dictionary), m_set(set) {}

    Disturbance operator()(const io::VectorFeature& f) {
        m_row = &f;
        Disturbance d;
        d.id = static_cast<std::int64_t>(
            io::to_number(value("id")).value_or(static_cast<double>(m_set.list.size() + 1)));
        d.issuer_id = text("issuer_id");
        d.shape = f.shape.polygons();
        onset(d);
        // A person who draws a polygon is sure of it unless the layer says otherwise.
        d.confidence = number("confidence", 0, 1).value_or(1);
        d.magnitude = io::to_number(value("magnitude")).value_or(0);
        const auto kind = text("kind");
        d.kind = kind_from_name(kind);
        if (!kind.empty() && d.kind == ChangeKind::none)
            m_unknown.add("the kind of change", "the kind is taken as unknown", kind, f.row);
        d.qtype = text("type");
        if (!d.qtype.empty() && m_dictionary.code_of("types", d.qtype).empty())
            m_unknown.add("the type", "the polygon is judged as an ordinary disturbance", d.qtype, f.row);
        d.image_type = text("image_type");
        d.image_type_zh = text("image_type_zh");
        d.type_evidence = text("type_evidence");
        d.owner = text("owner");
        d.change_type = text("change_type");
        // Old lists name 停工 and 完工 among the changes.
        if (!d.change_type.empty() && m_dictionary.code_of("changes", d.change_type).empty() &&
            m_dictionary.code_of("construction", d.change_type).empty())
            m_unknown.add("the change since the last batch", "the batches are compared instead",
                          d.change_type, f.row);
        d.construction = text("construction");
        if (!d.construction.empty() && m_dictionary.code_of("construction", d.construction).empty())
            m_unknown.add("the state of works", "the state follows from the batches", d.construction, f.row);
        d.completion = text("completion");
        d.bare_share = number("bare_share", 0, 1);
        d.tilled = number("tilled", 0, 1);
        d.vanished = gone();
        d.ground_sample = number("ground_sample", 0.01, 1000);
        d.full_pixels = static_cast<int>(number("full_pixels", -1, 1e9).value_or(-1));
        d.core_share = number("core_share", -1, 1).value_or(-1);
        return d;
    }
    void finish() {
        for (auto& n : m_unknown.notes()) m_set.notes.push_back(std::move(n));
    }

  private:
    [[nodiscard]] const io::Value& value(std::string_view name) { return m_find(*m_row, name); }
    [[nodiscard]] std::string text(std::string_view name) { return trimmed(io::to_text(value(name))); }
    void note(const char* code, std::string what) {
        m_set.notes.push_back({m_row->row, code, std::move(what)});
    }

    std::optional<Date> date(std::string_view name) {
        const auto& v = value(name);
        if (io::to_text(v).empty()) return std::nullopt;
        const auto parsed = io::to_date(v);
        if (!parsed)
            note("date", fmt::format("'{}' is no date ({}); it is taken as unknown.", io::to_text(v), name));
        return parsed;
    }
    std::optional<double> number(std::string_view name, double least, double most) {
        const auto written = text(name);
        if (written.empty()) return std::nullopt;
        const auto v = io::to_number(io::Value(written));
        if (v && *v >= least && *v <= most) return v;
        note("number", fmt::format("'{}' is no {} from {} to {}; it is taken as not stated.", written, name,
                                   least, most));
        return std::nullopt;
    }
    void onset(Disturbance& d) {
        d.onset_from = date("onset_from");
        d.onset_to = date("onset_to");
        if (!d.onset_from || !d.onset_to || *d.onset_from <= *d.onset_to) return;
        note("date",
             fmt::format("It was last seen undisturbed ({}) after it was seen disturbed ({}); both days are "
                         "taken as unknown.",
                         d.onset_from->iso(), d.onset_to->iso()));
        d.onset_from.reset();
        d.onset_to.reset();
    }
    // A polygon that may have vanished is accused of nothing.
    bool gone() {
        const auto word = text("vanished");
        if (word.empty()) return false;
        const auto code = m_dictionary.code_of("vanished", word);
        if (code.empty())
            m_unknown.add("what is said of vanishing",
                          "the polygon is taken as gone again, and stays pending", word, m_row->row);
        return code != "no";
    }

    engine::Dictionary m_dictionary;
    FieldFinder m_find;
    DisturbanceSet& m_set;
    const io::VectorFeature* m_row = nullptr;
    UnknownWords m_unknown;
};

// The same outline drawn again: rows that will be judged, listed and sent out side by side.
class Outlines {
  public:
    /// The first row with this shape, where there is one.
    std::optional<std::int64_t> seen_before(const io::Geometry& shape, std::int64_t row) {
        const auto b = shape.bounds();
        const auto [it, fresh] =
            m_first.try_emplace(Key{b.min_x, b.min_y, b.max_x, b.max_y, shape.area()}, row);
        return fresh ? std::nullopt : std::optional(it->second);
    }

  private:
    using Key = std::array<double, 5>;
    struct Hash {
        std::size_t operator()(const Key& key) const {
            std::size_t h = 0;
            for (const double v : key) h = h * 1099511628211U + std::hash<double>()(v);
            return h;
        }
    };
    std::unordered_map<Key, std::int64_t, Hash> m_first;
};

}  // namespace

DisturbanceSet read_disturbances(const std::string& path, const io::ReadOptions& options) {
    auto layer = io::read_layer(path, options);
    DisturbanceSet set{layer.crs, {}, {}, layer.notes};
    Reader reader(set);
    Outlines outlines;
    set.list.reserve(layer.features.size());
    for (auto& f : layer.features) {
        set.list.push_back(reader(f));
        set.rows.push_back(f.row);
        if (const auto first = outlines.seen_before(f.shape, f.row))
            set.notes.push_back(
                {f.row, "duplicate",
                 fmt::format("It has the outline of row {}: one place is judged twice. Their area "
                             "counts once in sums.",
                             *first)});
        f.shape = {};  // a province of polygons need not be held twice
    }
    reader.finish();
    return set;
}

}  // namespace shuibao::pipeline
