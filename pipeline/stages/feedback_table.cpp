// SPDX-License-Identifier: Apache-2.0
#include "feedback_table.hpp"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <iterator>
#include <optional>

#include <fmt/format.h>

#include "feedback_columns.hpp"
#include "feedback_groups.hpp"
#include "feedback_photos.hpp"
#include "program_note.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/core/options.hpp>

namespace shuibao::pipeline {
namespace fs = std::filesystem;
namespace {

constexpr const char* geographic = "EPSG:4490";

const Date earliest = *Date::parse("2000-01-01");  // no satellite watched building sites before

class Reader {
  public:
    Reader(const FeedbackSource& source, const FeedbackColumns& columns)
        : m_source(source), m_columns(columns) {
        for (const auto& [code, list] : m_source.words.sections.at("violations"))
            m_verdicts.insert(m_verdicts.end(), list.begin(), list.end());
        for (const char* section : {"lawful", "not_works"})
            for (const auto& word : m_source.words.values(section, "")) m_verdicts.push_back(word);
    }

    FeedbackFile operator()(const io::Table& table) {
        const auto name = fs::path(m_source.path).filename().string();
        const auto at = [&](std::int64_t row) { return fmt::format("{}:{}", name, row); };
        FeedbackFile out;
        for (const auto& notes : {table.notes, m_columns.notes()})
            for (const auto& n : notes)
                out.notes.push_back(
                    {"feedback", at(n.row), n.code, n.text, "Correct it in its source if it matters."});
        std::vector<TakenRow> taken;
        for (const auto& row : table.rows) {
            ++out.rows;
            try {
                if (!reviewed(row)) {
                    ++out.not_reviewed;
                    continue;
                }
                taken.push_back({&row, one(row)});
                taken.back().record.source = at(row.row);
            } catch (const Refusal& r) {
                out.refused.push_back({"feedback", at(row.row), r.code, r.what, r.hint});
            }
        }
        for (auto& p : refuse_circles(taken, m_source.states)) out.refused.push_back(std::move(p));
        find_splits(taken);
        for (auto& [row, record] : taken) {
            out.photos += record.photos.size();
            for (const auto& p : record.photos) out.photos_placed += p.place ? 1U : 0U;
            out.records.push_back(std::move(record));
        }
        return out;
    }

  private:
    [[nodiscard]] std::string text(const io::TableRow& row, const std::string& name) const {
        return m_columns.text(row, name);
    }

    // A finding of before that we sent out with its mark, and that nobody signed, is no new one.
    [[nodiscard]] bool as_sent(const io::TableRow& row) {
        if (m_ids.empty()) index();
        const auto it = m_ids.find(text(row, "case"));
        if (it == m_ids.end()) return false;
        const auto& known = it->second.first->cases[it->second.second];
        const auto word = text(row, "verdict");
        return known.decided() && (word == known.confirmed || (known.confirmed_as == "not_works" &&
                                                               m_source.words.lists("lawful", "", word)));
    }

    // In our ledger sheet people write beside the program's verdict, elsewhere over it.
    [[nodiscard]] std::string found(const io::TableRow& row) {
        const auto beside = text(row, "conclusion"), over = text(row, "verdict");
        if (!beside.empty() && beside != over && !meaning_of(over).empty() && !meaning_of(beside).empty() &&
            meaning_of(over) != "compliant" && !as_sent(row))
            throw Refusal{"two_values", fmt::format("BYD says '{}', and 复核结论 '{}'.", over, beside),
                          "Leave the one that holds."};
        if (!beside.empty()) return beside;
        // What stands in our own column there is ours, unless somebody wrote a finding over it.
        return m_columns.has("conclusion") && meaning_of(over).empty() ? std::string() : over;
    }

    // The code of a confirmed word; empty for every other.
    [[nodiscard]] std::string meaning_of(const std::string& word) const {
        const auto& words = m_source.words;
        if (words.lists("lawful", "", word)) return "compliant";
        if (words.lists("not_works", "", word)) return "not_works";
        for (const auto& [code, list] : words.sections.at("violations"))
            if (std::find(list.begin(), list.end(), word) != list.end()) return code;
        return {};
    }

    // Without the column, who writes a name, a day or a confirmed word was there.
    [[nodiscard]] bool reviewed(const io::TableRow& row) {
        const auto word = found(row), meaning = meaning_of(word);
        const bool signed_by = !text(row, "by").empty() || !text(row, "date").empty();
        // What we wrote ourselves, 合规 or a finding of before, says nothing without a name or a day.
        const bool ours = text(row, "conclusion").empty() && (meaning == "compliant" || as_sent(row));
        if (!m_columns.has("reviewed")) return signed_by || (!meaning.empty() && !ours);
        const auto written = text(row, "reviewed");
        const auto number = io::to_number(io::Value(written));  // spreadsheets make 1.0 of it
        const auto mark = number ? fmt::format("{:g}", *number) : written;
        const auto& title = m_columns.title("reviewed");
        if (m_source.words.lists("reviewed", "", mark)) return signed_by || !as_sent(row);
        if (!mark.empty() && !m_source.words.lists("not_reviewed", "", mark))
            throw Refusal{"reviewed", fmt::format("{} '{}' says neither yes nor no.", title, written),
                          fmt::format("Write {} where somebody was there, else 0 or nothing.",
                                      m_source.words.values("reviewed", "").front())};
        if (meaning.empty() || (ours && !signed_by)) return false;
        throw Refusal{
            "not_marked",
            fmt::format("The row says '{}', but {} does not say that it was reviewed.", word, title),
            fmt::format("Write {} there if somebody was on the spot.",
                        m_source.words.values("reviewed", "").front())};
    }

    [[nodiscard]] std::optional<Date> day(const io::TableRow& row, const std::string& name) const {
        const auto d = m_columns.day(row, name);
        if (d && *d < earliest)
            throw Refusal{"date", fmt::format("{} {} is too long ago.", m_columns.title(name), d->iso()),
                          "Correct the year."};
        return d;
    }
    // Of what has happened.
    [[nodiscard]] std::optional<Date> past(const io::TableRow& row, const std::string& name) const {
        const auto d = day(row, name);
        if (d && m_source.today < *d)
            throw Refusal{"date", fmt::format("{} {} is still to come.", m_columns.title(name), d->iso()),
                          "Correct the day."};
        return d;
    }

    // The polygon a number means, and a point of it: by the number of the case, or of the polygon in its
    // batch.
    using Known = std::pair<const LedgerState*, std::size_t>;
    struct Place {
        const LedgerState* state;
        const LedgerCase* known;
        Point inside;
    };
    [[nodiscard]] Place place(const std::string& id) {
        if (m_ids.empty()) index();
        const auto it = m_ids.find(id);
        const auto at = it != m_ids.end() ? it->second : by_issuer(id);
        const auto& known = at.first->cases[at.second];
        return {at.first, &known, io::Transformation(at.first->crs, geographic)(known.shape.point_inside())};
    }
    // By the number under which somebody else sent the polygon, in the newest batch that has it.
    [[nodiscard]] Known by_issuer(const std::string& id) const {
        for (const auto& s : m_source.states) {
            const auto [first, last] = m_issued.equal_range({s.batch, id});
            if (first == last) continue;
            if (std::next(first) == last) return {&s, first->second};
            std::vector<std::string> ids;
            for (auto it = first; it != last; ++it) ids.push_back(s.cases[it->second].id);
            throw Refusal{"ambiguous",
                          fmt::format("'{}' is the number of {} cases of batch {}.", id, ids.size(), s.batch),
                          fmt::format("Write the one that is meant: {}.", fmt::join(ids, ", "))};
        }
        std::vector<std::string> all;
        for (const auto& [known, at] : m_ids) all.push_back(known);
        const auto near = all.size() > 10000 ? std::string() : nearest_of(id, all);
        throw Refusal{"unknown_case", fmt::format("There is no case '{}'.", id),
                      near.empty() ? "Correct QDNM; it is the number the case was sent out under."
                                   : fmt::format("Did you mean '{}'?", near)};
    }
    void index() {
        for (const auto& s : m_source.states)  // the newest first: it wins
            for (std::size_t i = 0; i < s.cases.size(); ++i)
                if (s.cases[i].present) m_ids.try_emplace(s.cases[i].id, &s, i);
        for (const auto& s : m_source.states)
            for (std::size_t i = 0; i < s.cases.size(); ++i) {
                if (!s.cases[i].present) continue;
                m_ids.try_emplace(s.cases[i].spot, &s, i);
                if (!s.cases[i].issuer_id.empty())
                    m_issued.emplace(std::pair(s.batch, s.cases[i].issuer_id), i);
            }
    }

    // As the file calls it, for those who look for it there.
    [[nodiscard]] std::string verdict_column() const {
        for (const char* name : {"conclusion", "verdict"})
            if (m_columns.has(name)) return m_columns.title(name);
        return "BYD";
    }

    void verdict(const io::TableRow& row, FieldRecord& r) {
        r.verdict = found(row);
        const auto& words = m_source.words;
        if (r.verdict.empty())
            throw Refusal{
                "no_verdict", "The row says that it was reviewed, but not what was found.",
                fmt::format("Fill {} with one of: {}.", verdict_column(), fmt::join(m_verdicts, ", "))};
        if (r.verdict.starts_with("疑似") || words.lists("undecided", "", r.verdict))
            throw Refusal{"undecided",
                          fmt::format("The row says that it was reviewed, but {} is still '{}'.",
                                      verdict_column(), r.verdict),
                          fmt::format("Confirm it as one of: {}.", fmt::join(m_verdicts, ", "))};
        r.meaning = meaning_of(r.verdict);
        if (!r.meaning.empty()) return;
        const auto near = nearest_of(r.verdict, m_verdicts);
        throw Refusal{"verdict", fmt::format("{} '{}' is not in the list.", verdict_column(), r.verdict),
                      near.empty() ? fmt::format("Known are: {}.", fmt::join(m_verdicts, ", "))
                                   : fmt::format("Did you mean '{}'?", near)};
    }

    // What people entered again on site counts, so it has to be a word that means something.
    [[nodiscard]] std::string word(const io::TableRow& row, const std::string& name,
                                   std::initializer_list<const char*> sections, const char* official) const {
        auto given = text(row, name);
        std::vector<std::string> known = m_source.deliverables.values(official, "");
        for (const char* section : sections)
            for (const auto& [code, words] : m_source.disturbances.sections.at(section))
                known.insert(known.end(), words.begin(), words.end());
        if (given.empty() || std::find(known.begin(), known.end(), given) != known.end()) return given;
        std::sort(known.begin(), known.end());
        known.erase(std::unique(known.begin(), known.end()), known.end());
        const auto near = nearest_of(given, known);
        throw Refusal{"word", fmt::format("{} '{}' is not in the list.", m_columns.title(name), given),
                      near.empty() ? fmt::format("Known are: {}.", fmt::join(known, ", "))
                                   : fmt::format("Did you mean '{}'?", near)};
    }

    void days(const io::TableRow& row, const LedgerCase& known, FieldRecord& r) const {
        const auto date = past(row, "date");
        if (!date) throw Refusal{"no_date", "The row does not say when it was checked.", "Fill DATE."};
        r.date = *date;
        const auto opened = known.onset_from ? known.onset_from : known.onset_to;
        if (opened && r.date < *opened)
            throw Refusal{"date",
                          fmt::format("It was checked on {}, before the ground was opened ({} or later).",
                                      r.date.iso(), opened->iso()),
                          "Correct DATE or QDNM."};
        r.notice = past(row, "notice");
        r.rectify_by = day(row, "rectify_by");
        r.recheck = past(row, "recheck");
        r.closed = past(row, "closed");
        const auto notice = r.notice || known.state == "closed" ? r.notice : known.notice_on;
        if (r.rectify_by && notice && *r.rectify_by < *notice)
            throw Refusal{"order",
                          fmt::format("It is to be put right by {}, before the notice of {}.",
                                      r.rectify_by->iso(), notice->iso()),
                          "Correct ZGQX or ZGTZRQ."};
        if (r.recheck && notice && *r.recheck < *notice)
            throw Refusal{"order",
                          fmt::format("It was looked at again on {}, before the notice of {}.",
                                      r.recheck->iso(), notice->iso()),
                          "Correct FCRQ or ZGTZRQ."};
        const auto before = r.recheck ? r.recheck : notice;
        if (r.closed && before && *r.closed < *before)
            throw Refusal{"order",
                          fmt::format("It was closed on {}, before the {} of {}.", r.closed->iso(),
                                      r.recheck ? "look again" : "notice", before->iso()),
                          "Correct XHRQ, FCRQ or ZGTZRQ."};
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
        if (const auto far = metres_beyond(*stood, *at.known, at.inside))
            throw Refusal{
                "far_away",
                fmt::format("The check was made {:.1f} km from case {}.", *far / 1000, at.known->id),
                "Correct QDNM or the position; longitude and latitude may be swapped."};
    }

    [[nodiscard]] FieldRecord one(const io::TableRow& row) {
        m_columns.check(row);
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
        days(row, *at.known, r);
        r.type = word(row, "type", {"types"}, "qtypes");
        r.construction = word(row, "construction", {"construction"}, "");
        r.change = word(row, "change", {"changes"}, "qdtypes");
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
        if (const auto note = r.kept.find("note"); note != r.kept.end()) {
            note->second = without_program_note(m_source.deliverables, note->second);
            if (note->second.empty()) r.kept.erase(note);
        }
        r.photos = photographs(text(row, "photos"), m_source.photos, *at.known, at.inside);
        return r;
    }

    const FeedbackSource& m_source;
    const FeedbackColumns& m_columns;
    std::vector<std::string> m_verdicts;
    std::map<std::string, Known> m_ids;
    std::multimap<std::pair<std::string, std::string>, std::size_t> m_issued;  // batch and their number
};

}  // namespace

FeedbackFile read_feedback(const FeedbackSource& source) {
    const auto table = io::read_table(source.path, {.layer = source.layer,
                                                    .encoding = source.encoding,
                                                    .to_crs = geographic,
                                                    .column = source.words.values("fields", "case")});
    std::vector<std::string> sent;
    for (const auto& [field, labels] : source.deliverables.sections.at("labels")) {
        sent.push_back(field);
        sent.insert(sent.end(), labels.begin(), labels.end());
    }
    const FeedbackColumns columns(source.words, sent, table);
    if (!columns.has("case"))
        throw Error(ErrorCode::input, fmt::format("{} has no column that names the case.", source.path),
                    fmt::format("Call it QDNM; the columns are: {}.", fmt::join(table.fields, ", ")));
    return Reader(source, columns)(table);
}

}  // namespace shuibao::pipeline
