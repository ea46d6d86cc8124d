// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "feedback_table.hpp"
#include "ledger.hpp"
#include <shuibao/algorithms/calibration.hpp>
#include <shuibao/algorithms/scores.hpp>
#include <shuibao/core/error.hpp>
#include <shuibao/engine/resources.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {
namespace {

using nlohmann::ordered_json;

double rounded(double v) {
    return std::round(v * 1e4) / 1e4;
}

ordered_json json_of(const algorithms::Reliability& r) {
    ordered_json j = {{"brier", rounded(r.brier())}, {"curve", ordered_json::array()}};
    for (const auto& b : r.bins())
        if (b.n > 0)
            j["curve"].push_back({{"n", b.n},
                                  {"confidence", rounded(b.sum / static_cast<double>(b.n))},
                                  {"real", rounded(static_cast<double>(b.hits) / static_cast<double>(b.n))}});
    return j;
}

struct Hits {
    std::size_t checked = 0, confirmed = 0, lawful = 0, not_works = 0;
    void add(const std::string& meaning) {
        ++checked;
        ++(meaning == "compliant" ? lawful : meaning == "not_works" ? not_works : confirmed);
    }
    [[nodiscard]] ordered_json json() const {
        return {{"checked", checked},
                {"confirmed", confirmed},
                {"lawful", lawful},
                {"not_works", not_works},
                {"hit_rate", rounded(static_cast<double>(confirmed) / static_cast<double>(checked))}};
    }
};

class FeedbackStage final : public Stage {
  public:
    [[nodiscard]] StageInfo info() const override {
        return {
            .summary = "Take in what field teams found, and report how often the program was right",
            .description =
                "The file of a field check (现场复核: shapefile, GeoPackage, XLSX or CSV, one row for each "
                "case, keyed by QDNM) → records kept in the store for good, validated row by row. The "
                "ledger is brought forward; confirmed verdicts hold in this batch and in later ones, and "
                "confidences of later batches are calibrated. Prints hit rates by county, industry and "
                "tier, and the reliability of confidences. Without FILE: the report only.",
            .example = {"shuibao feedback XCFH_411300_202406.xlsx --store store",
                        "shuibao feedback checked.shp --photos photos/ --batch 202406 -c run.yaml",
                        "shuibao feedback -c run.yaml --json"},
            .positional = "feedback.file",
            .in_run = false};
    }

    void declare(OptionTable& t) const override {
        t.add({.key = "feedback.file", .type = OptionType::path, .help = "What the field team sent"});
        t.add({.key = "feedback.layer", .help = "Which layer or sheet of it; default: the first"});
        t.add({.key = "feedback.encoding",
               .help =
                   "Encoding of its texts when it is a shapefile or CSV; default: UTF-8 where it is that, "
                   "else GBK",
               .long_name = "feedback-encoding"});
        t.add({.key = "feedback.photos",
               .type = OptionType::path,
               .help =
                   "Folder of the photographs that it names (照片编号); their position and azimuth are read",
               .long_name = "photos"});
    }

    void require(const RunContext& c) const override {
        if (!c.settings.has("feedback.photos")) return;
        const auto folder = c.settings.path("feedback.photos");
        std::error_code error;
        if (!std::filesystem::is_directory(folder, error))
            throw Error(ErrorCode::input, fmt::format("The folder of photographs {} does not exist.", folder),
                        "Correct --photos.");
    }

    void run(RunContext& c) const override {
        if (c.executor.options().dry_run) return;
        bring_forward(c);
        ordered_json report;
        if (c.settings.has("feedback.file")) report["file"] = take_in(c);
        write_ledger(c);
        add_report(c, report);
        c.out << (c.json ? report.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n"
                         : text_of(report));
    }

  private:
    static ordered_json take_in(RunContext& c) {
        std::vector<LedgerState> states;
        const auto batches = screened_batches(c.store);
        for (auto b = batches.rbegin(); b != batches.rend(); ++b)
            if (c.batch.empty() || *b == c.batch)
                if (auto state = ledger_of(c.store, *b)) states.push_back(std::move(*state));
        if (states.empty())
            throw Error(ErrorCode::usage,
                        c.batch.empty() ? std::string("The store has no batch with verdicts.")
                                        : fmt::format("The batch {} has no verdicts.", c.batch),
                        "Run `shuibao rank` first, and give the --store of that run.");
        const auto words = engine::Dictionary::load(engine::config_file("dictionaries/feedback.yaml"));
        const auto text = [&](const char* key) {
            return c.settings.has(key) ? c.settings.text(key) : std::string();
        };
        auto file = read_feedback(
            {c.settings.path("feedback.file"), text("feedback.layer"), text("feedback.encoding"),
             c.settings.has("feedback.photos") ? c.settings.path("feedback.photos") : "", states, words});
        for (auto& p : file.refused) c.problems.add(p);
        const auto taken = file.records.size();
        const auto added = add_field_records(c.store, std::move(file.records));
        bring_forward(c);
        c.log.write(engine::LogLevel::info,
                    fmt::format("{} rows: {} checks taken ({} new), {} not reviewed", file.rows, taken, added,
                                file.not_reviewed),
                    "feedback");
        if (added > 0)
            c.log.write(engine::LogLevel::info, "run `shuibao rank` to bring what was sent out up to date",
                        "feedback");
        return {{"rows", file.rows},
                {"taken", taken},
                {"new", added},
                {"not_reviewed", file.not_reviewed},
                {"photos", file.photos},
                {"photos_with_position", file.photos_placed},
                {"refused", file.refused.size()}};
    }

    // Every polygon that people settled, once: as it went out, and what it was.
    static void add_report(RunContext& c, ordered_json& report) {
        const auto records = read_field_records(c.store);
        std::map<std::pair<std::string, std::string>, std::vector<const FieldRecord*>> by_spot;
        for (const auto& r : records) by_spot[{r.batch, r.spot}].push_back(&r);
        std::map<std::string, std::map<std::string, Hits>> groups;
        Hits all;
        auto conflicts = ordered_json::array();
        std::map<std::string, ordered_json> issued;
        for (const auto& [at, visits] : by_spot) {
            const auto finding = settle(visits);
            if (!finding.conflict.empty()) {
                conflicts.push_back({{"batch", at.first}, {"spot", at.second}, {"what", finding.conflict}});
                c.problems.add({"feedback", at.second, "conflict",
                                fmt::format("People disagree: {}.", finding.conflict),
                                "Both are kept and neither counts until a later check decides."});
                continue;
            }
            if (finding.record == nullptr) continue;
            const auto& meaning = finding.record->meaning;
            const auto sent = issued_as(c, issued, at.first, at.second);
            all.add(meaning);
            const auto known = [&](const char* key) {
                const auto t = sent.value(key, std::string());
                return t.empty() ? std::string("unknown") : t;
            };
            for (const char* group : {"county", "industry", "tier", "verdict"})
                groups[group][known(group)].add(meaning);
        }
        report["checks"] = records.size();
        if (all.checked > 0) report["all"] = all.json();
        for (const auto& [group, list] : groups)
            for (const auto& [name, hits] : list) report["by_" + group][name] = hits.json();
        report["conflicts"] = conflicts;
        add_calibration(c, report);
    }

    static ordered_json issued_as(const RunContext& c, std::map<std::string, ordered_json>& cache,
                                  const std::string& batch, const std::string& spot) {
        if (!cache.contains(batch)) {
            auto& by_spot = cache[batch] = ordered_json::object();
            const auto cases = issued_cases(c.store, batch);
            for (const auto& [id, row] : cases.items()) by_spot[row.value("spot", id)] = row;
        }
        return cache[batch].value(spot, ordered_json::object());
    }

    static void add_calibration(const RunContext& c, ordered_json& report) {
        const auto batches = screened_batches(c.store);
        const auto checked =
            checked_cases(batches.empty() ? std::nullopt : ledger_of(c.store, batches.back()));
        if (checked.empty()) return;
        const auto fit = algorithms::calibrate(checked);
        const auto unseen = algorithms::cross_calibrated(checked);
        algorithms::Reliability before, after;
        for (std::size_t i = 0; i < checked.size(); ++i) {
            before.add(checked[i].confidence, checked[i].real);
            after.add(unseen[i], checked[i].real);
        }
        report["calibration"] = {{"cases", fit.n},
                                 {"a", rounded(fit.a)},
                                 {"b", rounded(fit.b)},
                                 {"of_images", json_of(before)},
                                 {"calibrated_on_unseen", json_of(after)}};
    }

    static std::string text_of(const ordered_json& j) {
        std::string out;
        if (j.contains("file")) {
            const auto& f = j["file"];
            out += fmt::format(
                "{} rows: {} checks taken, {} of them new; {} not reviewed; {} refused; {} "
                "photographs, {} with a position\n",
                f["rows"].dump(), f["taken"].dump(), f["new"].dump(), f["not_reviewed"].dump(),
                f["refused"].dump(), f["photos"].dump(), f["photos_with_position"].dump());
        }
        if (!j.contains("all")) return out + "No case has been checked yet.\n";
        const auto line = [](const std::string& name, const ordered_json& h) {
            return fmt::format(
                "  {:<24} {:>6} checked {:>6} confirmed {:>6} lawful {:>6} no works   hit rate {:.2f}\n",
                name, h["checked"].get<std::size_t>(), h["confirmed"].get<std::size_t>(),
                h["lawful"].get<std::size_t>(), h["not_works"].get<std::size_t>(),
                h["hit_rate"].get<double>());
        };
        out += "all\n" + line("", j["all"]);
        for (const char* group : {"by_county", "by_industry", "by_tier", "by_verdict"})
            if (j.contains(group)) {
                out += std::string(group) + "\n";
                for (const auto& [name, h] : j[group].items()) out += line(name, h);
            }
        for (const auto& k : j["conflicts"])
            out +=
                fmt::format("conflict  {}: {}\n", k["spot"].get<std::string>(), k["what"].get<std::string>());
        if (j.contains("calibration")) {
            const auto& k = j["calibration"];
            out += fmt::format("confidence, {} cases: logit p = {} + {} logit c\n", k["cases"].dump(),
                               k["a"].dump(), k["b"].dump());
            for (const char* which : {"of_images", "calibrated_on_unseen"}) {
                out += fmt::format("  {:<22} Brier {}  ", which, k[which]["brier"].dump());
                for (const auto& b : k[which]["curve"])
                    out += fmt::format("  {:.2f}→{:.2f} ({})", b["confidence"].get<double>(),
                                       b["real"].get<double>(), b["n"].get<std::size_t>());
                out += "\n";
            }
        }
        return out;
    }
};

const Registration<Stage, FeedbackStage> registration{"feedback", 120};

}  // namespace
}  // namespace shuibao::pipeline
