// SPDX-License-Identifier: Apache-2.0
#include <chrono>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "dictionaries.hpp"
#include "feedback_table.hpp"
#include "hit_rates.hpp"
#include "ledger.hpp"
#include "range_states.hpp"
#include "rounded.hpp"
#include <shuibao/algorithms/calibration.hpp>
#include <shuibao/algorithms/scores.hpp>
#include <shuibao/core/error.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {
namespace {

using nlohmann::ordered_json;

ordered_json json_of(const algorithms::Reliability& r) {
    ordered_json j = {{"brier", rounded(r.brier())}, {"curve", ordered_json::array()}};
    for (const auto& b : r.bins())
        if (b.n > 0)
            j["curve"].push_back({{"n", b.n},
                                  {"confidence", rounded(b.sum / static_cast<double>(b.n))},
                                  {"real", rounded(static_cast<double>(b.hits) / static_cast<double>(b.n))}});
    return j;
}

ordered_json json_of(const HitRate& h) {
    return {{"checked", h.checked},
            {"confirmed", h.confirmed},
            {"lawful", h.lawful},
            {"not_works", h.not_works},
            {"hit_rate", rounded(h.rate())}};
}

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
        t.add({.key = "feedback.layer",
               .help = "Which layer or sheet of it; default: the first that names cases"});
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
    static void note(RunContext& c, const engine::Problem& p) {
        c.notes.push_back(p);
        c.log.write(engine::LogLevel::warn, p.what, "feedback", p.unit);
    }

    // Anywhere on earth: it may be tomorrow there already.
    static Date today() {
        const auto day = std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now());
        return Date(static_cast<std::int32_t>(day.time_since_epoch().count()) + 1);
    }

    static ordered_json take_in(RunContext& c) {
        std::vector<LedgerState> states;
        const auto batches = screened_batches(c.store);
        for (auto b = batches.rbegin(); b != batches.rend(); ++b)
            if (c.batch.empty() || *b == c.batch)
                if (auto state = ledger_of(c.store, *b, true)) states.push_back(std::move(*state));
        if (states.empty())
            throw Error(ErrorCode::usage,
                        c.batch.empty() ? std::string("The store has no batch with verdicts.")
                                        : fmt::format("The batch {} has no verdicts.", c.batch),
                        "Run `shuibao rank` first, and give the --store of that run.");
        const auto field_words = load_dictionary("feedback"), disturbances = load_dictionary("disturbances"),
                   deliverables = load_dictionary("deliverables");
        const auto text = [&](const char* key) {
            return c.settings.has(key) ? c.settings.text(key) : std::string();
        };
        auto file = read_feedback(
            {c.settings.path("feedback.file"), text("feedback.layer"), text("feedback.encoding"),
             c.settings.has("feedback.photos") ? c.settings.path("feedback.photos") : "", states, field_words,
             disturbances, deliverables, today()});
        for (auto& p : file.refused) c.problems.add(p);
        for (const auto& p : file.notes) note(c, p);
        const auto taken = file.records.size();
        const auto [added, replaced] = add_field_records(c.store, std::move(file.records));
        for (const auto& sentence : replaced)
            note(c, {"feedback", c.settings.text("feedback.file"), "replaced", sentence,
                     "A check of another day or person is kept beside the first instead."});
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
                {"replaced", replaced.size()},
                {"not_reviewed", file.not_reviewed},
                {"photos", file.photos},
                {"photos_with_position", file.photos_placed},
                {"refused", file.refused.size()}};
    }

    static void add_report(RunContext& c, ordered_json& report) {
        const auto rates = hit_rates(c.store);
        report["checks"] = rates.records;
        if (rates.all.checked > 0) report["all"] = json_of(rates.all);
        if (const auto batches = screened_batches(c.store); !batches.empty())
            if (const auto share = share_with_range(c.store, batches.back())) report["share_with_range"] = *share;
        for (const auto& [group, list] : rates.by)
            for (const auto& [name, hits] : list) report["by_" + group][name] = json_of(hits);
        report["conflicts"] = ordered_json::array();
        for (const auto& k : rates.conflicts) {
            report["conflicts"].push_back({{"batch", k.batch}, {"spot", k.spot}, {"what", k.what}});
            c.problems.add({"feedback", k.spot, "conflict", fmt::format("People disagree: {}.", k.what),
                            "Both are kept and neither counts until a later check decides."});
        }
        add_calibration(c, report);
    }

    static void add_calibration(const RunContext& c, ordered_json& report) {
        const auto batches = screened_batches(c.store);
        const auto checked =
            checked_cases(batches.empty() ? std::nullopt : ledger_of(c.store, batches.back(), false));
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
                "{} rows: {} checks taken, {} of them new, {} in place of others; {} not reviewed; {} "
                "refused; "
                "{} photographs, {} with a position\n",
                f["rows"].dump(), f["taken"].dump(), f["new"].dump(), f["replaced"].dump(),
                f["not_reviewed"].dump(), f["refused"].dump(), f["photos"].dump(),
                f["photos_with_position"].dump());
        }
        if (!j.contains("all")) return out + "No case has been checked yet.\n";
        const auto line = [](const std::string& name, const ordered_json& h) {
            return fmt::format(
                "  {:<24} {:>6} checked {:>6} confirmed {:>6} lawful {:>6} no works   hit rate {:.2f}\n",
                name, h["checked"].get<std::size_t>(), h["confirmed"].get<std::size_t>(),
                h["lawful"].get<std::size_t>(), h["not_works"].get<std::size_t>(),
                h["hit_rate"].get<double>());
        };
        if (j.contains("share_with_range"))
            out += fmt::format("{:.0f} % of the approved projects have a range in the layer\n",
                               100 * j["share_with_range"].get<double>());
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
