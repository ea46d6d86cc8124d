// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "case_file.hpp"
#include "case_risk.hpp"
#include "dictionaries.hpp"
#include "explain_text.hpp"
#include "issued.hpp"
#include "ledger.hpp"
#include "override_ground.hpp"
#include "reranked.hpp"
#include "risk_input.hpp"
#include "rules.hpp"
#include "zones.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/io/vector.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t month_length = 6;

class ExplainStage final : public Stage {
  public:
    [[nodiscard]] StageInfo info() const override {
        return {
            .summary = "The whole reasoning of one case: facts, rules, points, sources",
            .description =
                "What was measured of one disturbance, every rule that was tried with its value, the "
                "number it was compared with and where that number comes from, and every point of the "
                "score. The verdict is derived again from the facts and must be the one that `screen` gave. "
                "Text, or JSON with --json.",
            .example = {"shuibao explain 202403-00012 -c run.yaml",
                        "shuibao explain 202403-00012 -c run.yaml --json"},
            .positional = "explain.case",
            .in_run = false,
            .needs_store = false};
    }

    void declare(OptionTable& t) const override {
        t.add({.key = "explain.case", .help = "The case, as it stands in case_id"});
    }

    void run(RunContext& c) const override {
        const auto id = c.settings.text("explain.case");
        if (id.size() <= month_length || id[month_length] != '-')
            throw Error(
                ErrorCode::usage,
                id.empty() ? std::string("explain.case is not set.") : fmt::format("'{}' is no case.", id),
                "Give a case_id, e.g. `shuibao explain 202403-00012 -c run.yaml`.");
        const auto life = life_of(c, id);
        const auto spot = life.empty() ? id : life.now().spot;
        c.batch = life.empty() ? id.substr(0, month_length) : life.now().last_batch;
        const auto input = c.store.batch(c.batch) / "screened.gpkg";
        if (!std::filesystem::exists(input))
            throw Error(ErrorCode::usage, fmt::format("Batch {} has no verdicts yet.", c.batch),
                        "Run `shuibao screen` first, or `shuibao run`.");
        const auto layer = io::read_layer(input.string());
        const auto row = std::find_if(layer.features.begin(), layer.features.end(),
                                      [&](const auto& f) { return row_text(f, "case_id") == spot; });
        if (row == layer.features.end())
            throw Error(ErrorCode::usage, fmt::format("The batch has no case {}.", id),
                        fmt::format("Its cases are those of the layer screened in {}.", input.string()));
        const auto j = reasoning(c, layer, *row, life);
        c.out << (c.json ? j.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n"
                         : explanation_text(j));
    }

  private:
    // What was known of a case: up to the batch asked for, else up to the newest.
    struct Life {
        std::vector<LedgerCase> shown;   ///< as it stood after each batch that shows it
        std::vector<LedgerState> known;  ///< the ledger after each batch, whether that shows it or not
        [[nodiscard]] bool empty() const { return shown.empty(); }
        [[nodiscard]] const LedgerCase& now() const { return shown.back(); }
    };

    // `id` is that of the case, or of its polygon in the batch asked for. Empty before `rank` has run.
    static Life life_of(const RunContext& c, const std::string& id) {
        Life life;
        for (const auto& b : screened_batches(c.store))
            if (c.batch.empty() || b <= c.batch)
                if (auto state = ledger_of(c.store, b, false)) life.known.push_back(std::move(*state));
        if (!c.batch.empty() && (life.known.empty() || life.known.back().batch != c.batch)) return {};
        std::string for_life;
        for (const auto& s : life.known)
            for (const auto& k : s.cases)
                if (k.present && (k.id == id || (k.spot == id && (c.batch.empty() || s.batch == c.batch))))
                    for_life = k.id;
        for (const auto& s : life.known)
            for (const auto& k : s.cases)
                if (k.present && k.id == for_life) life.shown.push_back(k);
        if (!life.empty() && !c.batch.empty() && life.now().last_batch != c.batch) return {};
        return life;
    }

    static ordered_json number_of_rule(const engine::RuleSet& set, const std::string& item) {
        const auto& i = set.item(item);
        return {{"item", item}, {"number", i.value}, {"unit", i.unit}, {"basis", i.basis}, {"line", i.line}};
    }

    static ordered_json step_of(const algorithms::Step& s, const engine::RuleSet& set) {
        ordered_json step = {{"step", s.step}, {"question", s.question}, {"value", s.value}};
        if (!s.item.empty()) step["compared_with"] = number_of_rule(set, s.item);
        step["holds"] = s.holds;
        return step;
    }

    static ordered_json reasoning(RunContext& c, const io::VectorLayer& layer, const io::VectorFeature& row,
                                  const Life& life) {
        const RuleBook book(c);
        const auto words = load_words(c);
        const auto name = row_text(row, "rule_set");
        const auto* set = book.named(name);
        if (set == nullptr)
            throw Error(ErrorCode::input,
                        fmt::format("The rule set {} that judged this case is not there.", name),
                        "Name it in rules.file, or run `shuibao screen` again.");
        const auto rules = rules_of(*set), weights = rules_of(book.of_batch());
        const RiskWords risk_words(c);
        const auto read = read_screened(row, risk_words, weights);
        const auto judged = algorithms::judge(read.facts, rules);
        if (judged.verdict != read.risk.verdict)
            throw Error(ErrorCode::input,
                        fmt::format("By the rule set {} as it is now the verdict would be {}, not {}.", name,
                                    algorithms::verdict_code(judged.verdict), row_text(row, "verdict")),
                        "The rule set has changed since: run `shuibao screen` again.");
        const auto verdict = std::string(algorithms::verdict_code(judged.verdict));

        const auto spot = row_text(row, "case_id");
        ordered_json j = {
            {"case", life.empty() ? spot : life.now().id}, {"spot", spot}, {"batch", row_text(row, "batch")}};
        j["note"] = "线索，不是违法认定 (a clue, not a finding of law)";
        j["verdict"] = {{"code", verdict}, {"text", words.text("verdicts", verdict)}, {"why", judged.why}};
        if (judged.second)
            j["verdict"]["second"] = words.text("verdicts", algorithms::verdict_code(*judged.second));
        j["rule_set"] = {
            {"name", set->name},
            {"version", set->version},
            {"valid_from", set->valid_from.iso()},
            {"chosen_by", read.facts.onset_to ? read.facts.onset_to->iso() : book.batch_end().iso()}};
        for (const char* field :
             {"issuer_id", "approval_id", "approval_name", "owner", "project_type", "industry",
              "approval_authority", "other_approvals", "county", "township", "qtype", "change_type"})
            if (const auto text = row_text(row, field); !text.empty()) j["links"][field] = text;
        if (const auto text = row_text(row, "type_evidence"); !text.empty()) {
            j["image_type"] = ordered_json::parse(text);
            j["image_type"]["text"] = row_text(row, "image_type_zh");
        }
        j["facts"] = facts_to_json(read.facts);
        j["context"] = ordered_json::parse(row_text(row, "context"));
        j["steps"] = ordered_json::array();
        for (const auto& s : judged.trace) j["steps"].push_back(step_of(s, *set));
        j["flags"] = ordered_json::array();
        for (const auto& f : judged.flags) j["flags"].push_back({{"code", f.code}, {"text", f.text}});
        if (!life.empty()) {
            add_history(c, life, words, risk_words, j);
            add_ground(c, life, j);
        }
        add_sum(layer, row, life, j);
        add_risk(c, row, read, weights, book.of_batch(), words, risk_words, life, j);
        add_reranked(c, j);
        add_layers(c, j);
        return j;
    }

    // What makes up Σ EAREA_T of the project: every polygon of it that reaches beyond its range.
    static void add_sum(const io::VectorLayer& layer, const io::VectorFeature& row, const Life& life,
                        ordered_json& j) {
        const auto project = row_text(row, "approval_id");
        if (project.empty()) return;
        std::map<std::string, std::string> case_of;
        for (const auto& state : life.known)
            for (const auto& k : state.cases)
                if (k.present) case_of[k.spot] = k.id;
        auto parts = ordered_json::array();
        for (const auto& f : layer.features) {
            const auto outside = row_number(f, "outside_tolerant_m2");
            if (row_text(f, "approval_id") != project || outside <= 0) continue;
            const auto spot = row_text(f, "case_id");
            const auto known = case_of.find(spot);
            parts.push_back(
                {{"case", known == case_of.end() ? spot : known->second}, {"outside_tolerant_m2", outside}});
            const auto cleared = ordered_json::parse(row_text(f, "facts")).value("cleared_m2", 0.0);
            if (cleared > 0) parts.back()["cleared_m2"] = cleared;
        }
        j["project_sum"] = {{"project", project},
                            {"outside_tolerant_m2", j["facts"]["project_outside_m2"]},
                            {"project_area_m2", j["facts"]["project_area_m2"]},
                            {"parts", std::move(parts)}};
    }

    // Files that the verdict rests on, as `screen` read them.
    static void add_layers(const RunContext& c, ordered_json& j) {
        std::ifstream in(c.store.batch(c.batch) / "screened.json");
        const auto summary = ordered_json::parse(in, nullptr, false);
        if (summary.is_object() && summary.contains("layers")) j["layers"] = summary["layers"];
    }

    // What other weights made of the case since they went out first.
    static void add_reranked(const RunContext& c, ordered_json& j) {
        const auto before = read_issued(issued_before_file(c.store, c.batch));
        const auto id = j["case"].get<std::string>();
        const auto was = before.cases.find(id);
        if (was == before.cases.end()) return;
        const auto issued = read_issued(issued_file(c.store, c.batch));
        const auto is = issued.cases.find(id);
        if (is == issued.cases.end() || !differs(was->second, is->second)) return;
        const auto side = [](const std::string& rule_set, const IssuedCase& k) {
            return ordered_json{
                {"rule_set", rule_set}, {"tier", k.tier}, {"severity", k.severity}, {"rank", k.rank}};
        };
        j["reranked"] = {{"before", side(before.rule_set, was->second)},
                         {"now", side(issued.rule_set, is->second)},
                         {"cause", cause_of(was->second, is->second)}};
    }

    static void add_history(const RunContext& c, const Life& life, const engine::Dictionary& words,
                            const RiskWords& risk_words, ordered_json& j) {
        const auto states = load_dictionary("feedback");
        for (const auto& k : life.shown) {
            ordered_json h = {{"batch", k.last_batch},
                              {"spot", k.spot},
                              {"area_m2", std::round(k.area * 100) / 100},
                              {"gained_m2", std::round(k.gained * 100) / 100},
                              {"change", risk_words.disturbances.text("changes", k.change)},
                              {"change_by", k.change_by},
                              {"change_limit_m2", std::round(k.change_limit * 100) / 100},
                              {"construction", risk_words.disturbances.text("construction", k.construction)},
                              {"verdict", words.text("verdicts", k.verdict)},
                              {"state", states.text("states", k.state)}};
            if (k.decided()) h["confirmed"] = k.confirmed;
            if (k.due) h["due"] = k.due->iso();
            j["history"].push_back(std::move(h));
        }
        if (!life.now().parents.empty()) j["parents"] = life.now().parents;
        if (!life.now().merged_into.empty()) j["merged_into"] = life.now().merged_into;
        if (!life.now().conflict.empty()) j["conflict"] = life.now().conflict;
        if (!life.now().confirmed_type.empty()) j["confirmed_type"] = life.now().confirmed_type;
        for (const auto& r : read_field_records(c.store))
            for (const auto& k : life.shown)
                if (r.batch == k.last_batch && r.spot == k.spot)
                    j["checks"].push_back({{"batch", r.batch},
                                           {"date", r.date.iso()},
                                           {"by", r.by},
                                           {"found", r.verdict},
                                           {"photos", r.photos.size()},
                                           {"source", r.source}});
    }

    // What images show of its ground since, and whether that ends it.
    static void add_ground(const RunContext& c, const Life& life, ordered_json& j) {
        const auto& id = life.now().id;
        for (const auto& state : life.known) {
            const auto ground = read_ground(ground_file(c.store, state.batch));
            if (const auto looks = ground.find(id); looks != ground.end())
                for (const auto& l : looks->second)
                    j["ground"].push_back({{"batch", state.batch},
                                           {"day", l.day.iso()},
                                           {"seen", l.seen},
                                           {"green", l.green},
                                           {"built", l.built},
                                           {"open", std::round(l.open() * 1e4) / 1e4}});
            if (!j.contains("ground")) continue;
            for (const auto& k : state.cases)
                if (k.id == id && k.finished_on)
                    j["finished"] = {
                        {"batch", state.batch}, {"day", k.finished_on->iso()}, {"how", k.completion}};
        }
    }

    // What people decided: by the file that was named, else as it went out.
    static std::optional<Override> decision_of(RunContext& c, const engine::Dictionary& words,
                                               const std::vector<std::string>& ids,
                                               const std::optional<IssuedCase>& issued) {
        if (!c.settings.has("rank.overrides")) return issued ? issued->decision : std::nullopt;
        const auto state = ledger_of(c.store, c.batch, true);
        const auto overrides = state ? overrides_in_force(c, words, *state, false)
                                     : read_overrides(c.settings.path("rank.overrides"), words);
        const auto* decision = decision_on(overrides, ids);
        return decision != nullptr ? std::optional(*decision) : std::nullopt;
    }

    static void add_risk(RunContext& c, const io::VectorFeature& row, const ScreenedRow& read,
                         const algorithms::Rules& weights, const engine::RuleSet& set,
                         const engine::Dictionary& words, const RiskWords& risk_words, const Life& life,
                         ordered_json& j) {
        const auto calibration = calibration_before(c.store, c.batch);
        const auto spot = row_text(row, "case_id"), id = life.empty() ? spot : life.now().id;
        std::optional<IssuedCase> issued;
        const auto sent = read_issued(issued_file(c.store, c.batch)).cases;
        if (const auto it = sent.find(id); it != sent.end()) issued = it->second;
        const auto decided = decision_of(c, words, {id, spot}, issued);
        const auto* decision = decided ? &*decided : nullptr;
        const auto k = risk_of(read, life.empty() ? nullptr : &life.now(), decision,
                               {weights, words, risk_words.disturbances, calibration});
        const auto& facts = k.facts;
        const auto& risk = k.risk;
        const auto tier = [&](algorithms::Tier t) { return words.text("tiers", algorithms::tier_code(t)); };
        ordered_json r = {{"rule_set", set.name},
                          {"severity", risk.severity},
                          {"confidence", facts.confidence},
                          {"confidence_of_images", read.risk.confidence},
                          {"checks_learnt_from", calibration.n},
                          {"tier", tier(risk.tier)},
                          {"tier_reason", risk.tier_reason},
                          {"hard_rules", risk.hard_rules},
                          {"steps", ordered_json::array()},
                          {"points", ordered_json::array()}};
        for (const auto& s : risk.trace) r["steps"].push_back(step_of(s, set));
        for (const auto& item : risk.items)
            r["points"].push_back({{"item", item.item},
                                   {"value", item.value},
                                   {"points", item.points},
                                   {"rule", item.rule},
                                   {"basis", set.item(item.rule).basis},
                                   {"source", item.source}});
        for (const auto& z : facts.zones)
            if (const auto& a = risk_words.zones.values("articles", z.kind); !a.empty())
                r["articles"].push_back({{"zone", z.name}, {"article", a}});
        if (decision != nullptr) {
            r["decided"] = {
                {"by", decision->by}, {"date", decision->day.iso()}, {"reason", decision->reason}};
            if (decision->tier) r["decided"]["tier"] = tier(*decision->tier);
            if (decision->verdict)
                r["decided"]["verdict"] =
                    words.text("verdicts", algorithms::verdict_code(*decision->verdict));
        }
        if (issued) {
            r["issued"] = {{"tier", issued->tier}, {"severity", issued->severity}, {"rank", issued->rank}};
            r["issued"]["holds"] = issued->tier == tier(risk.tier) && issued->severity == risk.severity;
        }
        j["risk"] = std::move(r);
    }
};

const Registration<Stage, ExplainStage> registration{"explain", 115};

}  // namespace
}  // namespace shuibao::pipeline
