// SPDX-License-Identifier: Apache-2.0
#include "feedback_table.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include <shuibao/core/error.hpp>
#include <shuibao/core/options.hpp>
#include <shuibao/io/photo.hpp>

namespace shuibao::pipeline {
namespace fs = std::filesystem;
namespace {

constexpr const char* geographic = "EPSG:4490";

std::string folded(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}
std::string trimmed(const std::string& text) {
    const auto first = text.find_first_not_of(" \t\r\n"), last = text.find_last_not_of(" \t\r\n");
    return first == std::string::npos ? std::string() : text.substr(first, last - first + 1);
}

// Metres between two places less than a few degrees apart (sphere of 6 371 km).
double metres(Point a, Point b) {
    constexpr double degree = 111195;
    const double east = (a.x - b.x) * std::cos(a.y * 3.14159265358979 / 180);
    return degree * std::hypot(east, a.y - b.y);
}

// A row that cannot be taken, and why.
struct Refusal {
    std::string code, what, hint;
};

// m: whoever stood so far away looked at something else.
constexpr double farthest = 5000;

class Reader {
  public:
    explicit Reader(const FeedbackSource& source) : m_source(source) {
        for (const auto& [code, list] : m_source.words.sections.at("violations"))
            m_verdicts.insert(m_verdicts.end(), list.begin(), list.end());
        for (const char* section : {"lawful", "not_works"})
            for (const auto& word : m_source.words.values(section, "")) m_verdicts.push_back(word);
    }

    FeedbackFile operator()() {
        const auto table = io::read_table(m_source.path, {.layer = m_source.layer,
                                                          .encoding = m_source.encoding,
                                                          .to_crs = geographic,
                                                          .column = m_source.words.values("fields", "case")});
        const auto name = fs::path(m_source.path).filename().string();
        for (const char* section : {"fields", "kept"})
            for (const auto& [known, aliases] : m_source.words.sections.at(section))
                find_column(table, known, aliases);
        if (!m_field.contains("case"))
            throw Error(ErrorCode::input, fmt::format("{} has no column that names the case.", m_source.path),
                        fmt::format("Call it QDNM; the columns are: {}.", fmt::join(table.fields, ", ")));
        FeedbackFile out;
        for (const auto& n : table.notes)
            out.refused.push_back({"feedback", fmt::format("{}:{}", name, n.row), n.code, n.text,
                                   "Correct it in its source if it matters."});
        std::map<std::string, std::vector<std::pair<const io::TableRow*, FieldRecord>>> by_spot;
        for (const auto& row : table.rows) {
            ++out.rows;
            try {
                if (!reviewed(row)) {
                    ++out.not_reviewed;
                    continue;
                }
                auto record = one(row);
                record.source = fmt::format("{}:{}", name, row.row);
                by_spot[record.spot].emplace_back(&row, std::move(record));
            } catch (const Refusal& r) {
                out.refused.push_back(
                    {"feedback", fmt::format("{}:{}", name, row.row), r.code, r.what, r.hint});
            }
        }
        for (auto& [spot, list] : by_spot) take(list, out);
        return out;
    }

  private:
    // The column that the first of the aliases names, else the one that is called as we call it.
    void find_column(const io::Table& table, const std::string& name, std::vector<std::string> aliases) {
        aliases.push_back(name);
        for (const auto& alias : aliases)
            for (const auto& field : table.fields)
                if (folded(trimmed(field)) == folded(alias)) {
                    m_field.try_emplace(name, field);
                    return;
                }
    }
    /// As the file calls it, for those who look for it there.
    [[nodiscard]] std::string column(const std::string& name, const char* official) const {
        const auto field = m_field.find(name);
        return field == m_field.end() ? official : field->second;
    }
    [[nodiscard]] io::Value value(const io::TableRow& row, const std::string& name) const {
        const auto field = m_field.find(name);
        return field == m_field.end() ? io::Value() : row.values.at(field->second);
    }
    [[nodiscard]] std::string text(const io::TableRow& row, const std::string& name) const {
        return trimmed(io::to_text(value(row, name)));
    }

    // Without the column, who writes a name and a day was there. A finding of before that we sent out with
    // its mark, and that nobody signed, is no new one.
    [[nodiscard]] bool reviewed(const io::TableRow& row) {
        const bool is_signed = !text(row, "by").empty() || !text(row, "date").empty();
        if (!m_field.contains("reviewed")) return is_signed;
        return m_source.words.lists("reviewed", "", text(row, "reviewed")) && (is_signed || !as_sent(row));
    }
    [[nodiscard]] bool as_sent(const io::TableRow& row) {
        if (m_ids.empty()) index();
        const auto it = m_ids.find(text(row, "case"));
        if (it == m_ids.end()) return false;
        const auto& known = it->second.first->cases[it->second.second];
        const auto word = text(row, "verdict");
        return known.decided() && (word == known.confirmed || (known.confirmed_as == "not_works" &&
                                                               m_source.words.lists("lawful", "", word)));
    }

    [[nodiscard]] std::optional<Date> day(const io::TableRow& row, const std::string& name) const {
        const auto v = value(row, name);
        if (trimmed(io::to_text(v)).empty()) return std::nullopt;
        const auto d = io::to_date(v);
        if (!d)
            throw Refusal{"date", fmt::format("'{}' in {} is no day.", io::to_text(v), m_field.at(name)),
                          "Write it as 2024-07-15."};
        return d;
    }

    // The polygon a number means, and a point of it: by the number of the case, or of the polygon in its
    // batch.
    struct Place {
        const LedgerState* state;
        const LedgerCase* known;
        Point inside;
    };
    [[nodiscard]] Place place(const std::string& id) {
        if (m_ids.empty()) index();
        const auto it = m_ids.find(id);
        if (it == m_ids.end()) {
            std::vector<std::string> all;
            for (const auto& [known, at] : m_ids) all.push_back(known);
            const auto near = all.size() > 10000 ? std::string() : nearest_of(id, all);
            throw Refusal{"unknown_case", fmt::format("There is no case '{}'.", id),
                          near.empty() ? "Correct QDNM; it is the number the case was sent out under."
                                       : fmt::format("Did you mean '{}'?", near)};
        }
        const auto* state = it->second.first;
        const auto& known = state->cases[it->second.second];
        return {state, &known, io::Transformation(state->crs, geographic)(known.shape.point_inside())};
    }
    void index() {
        for (const auto& s : m_source.states)  // the newest first: it wins
            for (std::size_t i = 0; i < s.cases.size(); ++i)
                if (s.cases[i].present) m_ids.try_emplace(s.cases[i].id, &s, i);
        for (const auto& s : m_source.states)
            for (std::size_t i = 0; i < s.cases.size(); ++i)
                if (s.cases[i].present) m_ids.try_emplace(s.cases[i].spot, &s, i);
    }

    void verdict(const io::TableRow& row, FieldRecord& r) const {
        r.verdict = text(row, "verdict");
        const auto& words = m_source.words;
        if (r.verdict.empty())
            throw Refusal{"no_verdict", "The row says that it was reviewed, but not what was found.",
                          fmt::format("Fill {} with one of: {}.", column("verdict", "BYD"),
                                      fmt::join(m_verdicts, ", "))};
        if (r.verdict.starts_with("疑似") || words.lists("undecided", "", r.verdict))
            throw Refusal{"undecided",
                          fmt::format("The row says that it was reviewed, but {} is still '{}'.",
                                      column("verdict", "BYD"), r.verdict),
                          fmt::format("Confirm it as one of: {}.", fmt::join(m_verdicts, ", "))};
        for (const auto& [code, list] : words.sections.at("violations"))
            if (std::find(list.begin(), list.end(), r.verdict) != list.end()) r.meaning = code;
        if (words.lists("lawful", "", r.verdict)) r.meaning = "compliant";
        if (words.lists("not_works", "", r.verdict)) r.meaning = "not_works";
        if (!r.meaning.empty()) return;
        const auto near = nearest_of(r.verdict, m_verdicts);
        throw Refusal{"verdict",
                      fmt::format("{} '{}' is not in the list.", column("verdict", "BYD"), r.verdict),
                      near.empty() ? fmt::format("Known are: {}.", fmt::join(m_verdicts, ", "))
                                   : fmt::format("Did you mean '{}'?", near)};
    }

    void position(const io::TableRow& row, const Place& at) const {
        const auto x = text(row, "longitude"), y = text(row, "latitude");
        std::optional<Point> stood = row.place;
        if (!x.empty() || !y.empty()) {
            const auto lon = io::to_number(io::Value(x)), lat = io::to_number(io::Value(y));
            if (!lon || !lat || std::abs(*lon) > 180 || std::abs(*lat) > 90)
                throw Refusal{"position", fmt::format("JD '{}' and WD '{}' are no position.", x, y),
                              "Write degrees, e.g. 112.5312 and 33.0021."};
            stood = Point{*lon, *lat};
        }
        if (!stood) return;
        if (const double far = metres(*stood, at.inside) - std::sqrt(at.known->area); far > farthest)
            throw Refusal{"far_away",
                          fmt::format("The check was made {:.1f} km from case {}.", far / 1000, at.known->id),
                          "Correct QDNM or the position; longitude and latitude may be swapped."};
    }

    [[nodiscard]] FieldRecord one(const io::TableRow& row) {
        const auto id = text(row, "case");
        if (id.empty()) throw Refusal{"no_case", "The row names no case.", "Fill QDNM."};
        const auto at = place(id);
        FieldRecord r;
        r.batch = at.state->batch;
        r.spot = at.known->spot;
        r.inside = at.inside;
        verdict(row, r);
        position(row, at);
        r.by = text(row, "by");
        if (r.by.empty()) throw Refusal{"no_checker", "The row does not say who was there.", "Fill XCFHR."};
        const auto date = day(row, "date");
        if (!date) throw Refusal{"no_date", "The row does not say when it was checked.", "Fill DATE."};
        r.date = *date;
        r.type = text(row, "type");
        r.construction = text(row, "construction");
        r.change = text(row, "change");
        r.notice = day(row, "notice");
        r.rectify_by = day(row, "rectify_by");
        r.recheck = day(row, "recheck");
        r.closed = day(row, "closed");
        if (r.rectify_by && r.notice && *r.rectify_by < *r.notice)
            throw Refusal{"order",
                          fmt::format("It is to be put right by {}, before the notice of {}.",
                                      r.rectify_by->iso(), r.notice->iso()),
                          "Correct ZGQX or ZGTZRQ."};
        if (const auto into = text(row, "merge_into"); !into.empty()) {
            const auto other = place(into);
            if (other.known == at.known)
                throw Refusal{"merge", fmt::format("Case {} is to be merged into itself.", id),
                              "Correct HBZ."};
            if (other.state != at.state)
                throw Refusal{"merge", fmt::format("Cases {} and {} are not of one batch.", id, into),
                              "Merge cases of one batch."};
            r.merge_into = other.known->spot;
            r.merge_point = other.inside;
        }
        for (const auto& [name, aliases] : m_source.words.sections.at("kept"))
            if (auto t = text(row, name); !t.empty()) r.kept[name] = std::move(t);
        photographs(text(row, "photos"), at, r);
        return r;
    }

    void photographs(const std::string& numbers, const Place& at, FieldRecord& r) const {
        std::string number;
        const auto end = [&] {
            if (number = trimmed(number); !number.empty()) r.photos.push_back(photograph(number, at));
            number.clear();
        };
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            const auto here = std::string_view(numbers).substr(i);
            const std::size_t wide =
                here.starts_with("，") || here.starts_with("、") || here.starts_with("；") ? 3 : 0;
            if (wide > 0 || numbers[i] == ',' || numbers[i] == ';') {
                end();
                i += wide > 0 ? wide - 1 : 0;
            } else {
                number += numbers[i];
            }
        }
        end();
    }

    [[nodiscard]] FieldPhoto photograph(const std::string& number, const Place& at) const {
        FieldPhoto photo{number, "", {}, {}};
        if (m_source.photos.empty()) return photo;
        if (number.find('/') != std::string::npos || number.starts_with("."))
            throw Refusal{"photo", fmt::format("'{}' is no number of a photograph.", number),
                          "Correct ZPBH."};
        fs::path file;
        for (const char* end : {"", ".jpg", ".JPG", ".jpeg", ".png"}) {
            std::error_code error;
            if (file.empty() && fs::is_regular_file(fs::path(m_source.photos) / (number + end), error))
                file = fs::path(m_source.photos) / (number + end);
        }
        if (file.empty())
            throw Refusal{"photo", fmt::format("The photograph {} is not in {}.", number, m_source.photos),
                          "Send it along, or correct ZPBH."};
        photo.file = file.filename().string();
        try {
            const auto p = io::photo_place(file.string());
            photo.place = p.place;
            photo.azimuth = p.azimuth;
        } catch (const Error& e) {
            throw Refusal{"photo", e.what(), e.hint()};
        }
        if (photo.place && metres(*photo.place, at.inside) - std::sqrt(at.known->area) > farthest)
            throw Refusal{"photo_far_away",
                          fmt::format("The photograph {} was taken {:.1f} km from case {}.", number,
                                      metres(*photo.place, at.inside) / 1000, at.known->id),
                          "Correct ZPBH or QDNM."};
        return photo;
    }

    // Rows of one polygon: a split where each has its own shape, else one visit each.
    static void take(std::vector<std::pair<const io::TableRow*, FieldRecord>>& list, FeedbackFile& out) {
        const bool split = list.size() > 1 && std::all_of(list.begin(), list.end(), [](const auto& entry) {
                               return !entry.first->shape.empty();
                           });
        if (split) {
            auto whole = list.front().second;
            for (auto& [row, record] : list) {
                whole.parts.push_back({row->shape.wkt(), record.verdict});
                // The gravest finding of a part is that of the whole.
                if (graver(record.meaning, whole.meaning)) {
                    whole.meaning = record.meaning;
                    whole.verdict = record.verdict;
                }
                if (&record != &list.front().second)
                    whole.photos.insert(whole.photos.end(), record.photos.begin(), record.photos.end());
            }
            list.resize(1);
            list.front().second = std::move(whole);
        }
        for (auto& [row, record] : list) {
            out.photos += record.photos.size();
            for (const auto& p : record.photos) out.photos_placed += p.place ? 1U : 0U;
            out.records.push_back(std::move(record));
        }
    }
    static bool graver(const std::string& a, const std::string& b) {
        static const std::vector<std::string> order = {"not_works",       "compliant", "before_approval",
                                                       "exceeds",         "relocated", "unapproved",
                                                       "unapproved_spoil"};  // rules §3
        return std::find(order.begin(), order.end(), a) > std::find(order.begin(), order.end(), b);
    }

    const FeedbackSource& m_source;
    std::map<std::string, std::string> m_field;  // our name → column of this file
    std::vector<std::string> m_verdicts;
    std::map<std::string, std::pair<const LedgerState*, std::size_t>> m_ids;
};

}  // namespace

FeedbackFile read_feedback(const FeedbackSource& source) {
    return Reader(source)();
}

}  // namespace shuibao::pipeline
