// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "case_file.hpp"
#include "dictionaries.hpp"
#include "ledger.hpp"
#include "overrides.hpp"
#include "reranked.hpp"
#include "risk_input.hpp"
#include "rules.hpp"
#include "zones.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/engine/resources.hpp>
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
        const auto j = reasoning(c, *row, life);
        c.out << (c.json ? j.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n" : text_of(j));
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

    static ordered_json reasoning(const RunContext& c, const io::VectorFeature& row,
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
        ordered_json j = {{"case", life.empty() ? spot : life.now().id},
                          {"spot", spot},
                          {"batch", row_text(row, "batch")}};
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
             {"approval_id", "approval_name", "owner", "project_type", "industry", "approval_authority",
              "other_approvals", "county", "township", "qtype", "change_type"})
            if (const auto text = row_text(row, field); !text.empty()) j["links"][field] = text;
        if (const auto text = row_text(row, "type_evidence"); !text.empty()) {
            j["image_type"] = ordered_json::parse(text);
            j["image_type"]["text"] = row_text(row, "image_type_zh");
        }
        j["facts"] = facts_to_json(read.facts);
        j["context"] = ordered_json::parse(row_text(row, "context"));
        j["steps"] = ordered_json::array();
        for (const auto& s : judged.trace) {
            ordered_json step = {{"step", s.step}, {"question", s.question}, {"value", s.value}};
            if (!s.item.empty()) step["compared_with"] = number_of_rule(*set, s.item);
            step["holds"] = s.holds;
            j["steps"].push_back(std::move(step));
        }
        j["flags"] = ordered_json::array();
        for (const auto& f : judged.flags) j["flags"].push_back({{"code", f.code}, {"text", f.text}});
        if (!life.empty()) {
            add_history(c, life, words, risk_words, j);
            add_ground(c, life, j);
        }
        add_risk(c, row, read, weights, book.of_batch(), words, risk_words, life, j);
        add_reranked(c, j);
        return j;
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

    static void add_history(const RunContext& c, const Life& life,
                            const engine::Dictionary& words, const RiskWords& risk_words, ordered_json& j) {
        const auto states = load_dictionary("feedback");
        for (const auto& k : life.shown) {
            ordered_json h = {{"batch", k.last_batch},
                              {"spot", k.spot},
                              {"area_m2", std::round(k.area * 100) / 100},
                              {"gained_m2", std::round(k.gained * 100) / 100},
                              {"change", risk_words.disturbances.text("changes", k.change)},
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

    static void add_risk(const RunContext& c, const io::VectorFeature& row, const ScreenedRow& read,
                         const algorithms::Rules& weights, const engine::RuleSet& set,
                         const engine::Dictionary& words, const RiskWords& risk_words,
                         const Life& life, ordered_json& j) {
        auto facts = read.risk;
        const auto calibration = calibration_before(c.store, c.batch);
        facts.confidence = calibration(facts.confidence);
        if (!life.empty()) remember(life.now(), facts, read.facts);
        std::map<std::string, Override> overrides;
        if (c.settings.has("rank.overrides"))
            overrides = read_overrides(c.settings.path("rank.overrides"), words);
        const auto spot = row_text(row, "case_id");
        const auto* decision = decision_on(overrides, {life.empty() ? spot : life.now().id, spot});
        if (decision != nullptr && decision->verdict) judge_as(facts, *decision->verdict, read.facts);
        const auto risk = algorithms::score(facts, weights);
        const auto tier = [&](algorithms::Tier t) { return words.text("tiers", algorithms::tier_code(t)); };
        ordered_json r = {{"rule_set", set.name},
                          {"severity", risk.severity},
                          {"confidence", facts.confidence},
                          {"confidence_of_images", read.risk.confidence},
                          {"checks_learnt_from", calibration.n},
                          {"tier", tier(risk.tier)},
                          {"tier_reason", risk.tier_reason},
                          {"hard_rules", risk.hard_rules},
                          {"points", ordered_json::array()}};
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
        j["risk"] = std::move(r);
    }

    static std::string plain(const ordered_json& v) {
        return v.is_string() ? v.get<std::string>() : v.dump();
    }

    static std::string history_text(const ordered_json& j) {
        std::string out;
        if (!j.contains("history")) return out;
        out += "\nhistory\n";
        for (const auto& h : j["history"])
            out += fmt::format("  {}  {}  {:.2f} hm²  {}  {}  {}  {}{}{}\n", plain(h["batch"]),
                               plain(h["spot"]), h["area_m2"].get<double>() / 1e4, plain(h["change"]),
                               plain(h["construction"]), plain(h["verdict"]), plain(h["state"]),
                               h.contains("due") ? "，期限 " + plain(h["due"]) : std::string(),
                               h.contains("confirmed") ? "，现场 " + plain(h["confirmed"]) : std::string());
        if (j.contains("parents"))
            out += fmt::format("  comes from {}\n",
                               fmt::join(j["parents"].get<std::vector<std::string>>(), ", "));
        if (j.contains("merged_into")) out += fmt::format("  is part of {}\n", plain(j["merged_into"]));
        if (j.contains("ground"))
            for (const auto& l : j["ground"])
                out += fmt::format("  ground {}: {} of it seen; of that green {}, built over {}, open {}\n",
                                   plain(l["day"]), plain(l["seen"]), plain(l["green"]), plain(l["built"]),
                                   plain(l["open"]));
        if (j.contains("finished"))
            out += fmt::format("  finished by {} (batch {}): {}\n", plain(j["finished"]["day"]),
                               plain(j["finished"]["batch"]), plain(j["finished"]["how"]));
        if (j.contains("conflict")) out += fmt::format("  people disagree: {}\n", plain(j["conflict"]));
        if (j.contains("checks"))
            for (const auto& k : j["checks"])
                out += fmt::format("  checked {} by {} in batch {}: {}, {} photos ({})\n", plain(k["date"]),
                                   plain(k["by"]), plain(k["batch"]), plain(k["found"]), plain(k["photos"]),
                                   plain(k["source"]));
        return out;
    }

    // What images take it for, and why they take it for nothing else.
    static std::string type_text(const ordered_json& j) {
        if (!j.contains("image_type")) return {};
        const auto& t = j["image_type"];
        std::string out = fmt::format("\nlooks like {} ({}), which decides nothing in law\n",
                                      plain(t["text"]), plain(t["type"]));
        const auto asked = [](const ordered_json& c) {
            std::string bounds;
            for (const char* bound : {"at_least", "at_most"})
                if (c.contains(bound)) bounds += fmt::format(", {} {}", bound, plain(c[bound]));
            return fmt::format("{} {}{}", plain(c["input"]),
                               c["value"].is_null() ? "unknown" : plain(c["value"]), bounds);
        };
        if (t.contains("because")) out += fmt::format("  {}\n", plain(t["because"]));
        if (t.contains("holds"))
            for (const auto& c : t["holds"]) out += fmt::format("  [x] {}\n", asked(c));
        if (t.contains("against"))
            for (const auto& c : t["against"])
                out += fmt::format("  not {}: {}\n", plain(c["type"]), asked(c));
        if (t.contains("most_confidence"))
            out += fmt::format("  confidence is {} at most for that\n", plain(t["most_confidence"]));
        return out;
    }

    // Codes, yes and no in words; what is made of several facts, one after the other.
    static std::string fact_text(const std::string& name, const ordered_json& v,
                                 const engine::Dictionary& names) {
        if (v.is_boolean()) return names.text("values", v.get<bool>() ? "true" : "false");
        if (name == "type") return names.text("values", plain(v));
        std::vector<std::string> parts;
        if (v.is_object())
            for (const auto& [k, item] : v.items())
                parts.push_back(names.text("facts", k) + " " + fact_text(k, item, names));
        if (v.is_array())
            for (const auto& item : v) parts.push_back(plain(item));
        return v.is_structured() ? fmt::format("{}", fmt::join(parts, "，")) : plain(v);
    }

    static std::string text_of(const ordered_json& j) {
        const auto names = load_dictionary("explain");
        const auto& v = j["verdict"];
        std::string out = fmt::format("{}  {}：{}\n{}\n", plain(j["case"]), plain(v["text"]), plain(v["why"]),
                                      plain(j["note"]));
        if (v.contains("second")) out += fmt::format("second choice: {}\n", plain(v["second"]));
        const auto& s = j["rule_set"];
        out += fmt::format("rule set {} (version {}), in force on {}\n", plain(s["name"]),
                           plain(s["version"]), plain(s["chosen_by"]));
        if (j.contains("links"))
            for (const auto& [k, value] : j["links"].items())
                out += fmt::format("  {}：{}\n", names.text("links", k), plain(value));
        out += "\nfacts\n";
        for (const auto& [k, value] : j["facts"].items())
            out += fmt::format("  {}：{}\n", names.text("facts", k), fact_text(k, value, names));
        for (const auto& z : j["context"]["zones"])
            out += fmt::format("  {}：{}（{}），{} {}\n", names.text("context", "zone"), plain(z["name"]),
                               plain(z["kind"]), names.text("context", "share"), plain(z["share"]));
        for (const auto& b : j["context"]["below"])
            out += fmt::format("  {}：{}\n", names.text("context", "below"), plain(b["name"]));
        if (const auto& context = j["context"]; context.contains("erosion"))
            out += fmt::format("  {}：{}\n", names.text("context", "erosion"),
                               fact_text("erosion", context["erosion"], names));
        out += type_text(j) + "\nrules tried (rules §3)\n";
        for (const auto& step : j["steps"]) {
            out += fmt::format("  {} [{}] {}：{}", plain(step["step"]), step["holds"].get<bool>() ? "x" : " ",
                               plain(step["question"]), plain(step["value"]));
            if (step.contains("compared_with")) {
                const auto& n = step["compared_with"];
                out += fmt::format(" ⇔ {} = {} {} ({})", plain(n["item"]), plain(n["number"]),
                                   plain(n["unit"]), plain(n["basis"]));
            }
            out += "\n";
        }
        out += history_text(j) + "\nflags\n";
        for (const auto& f : j["flags"]) out += fmt::format("  {}: {}\n", plain(f["code"]), plain(f["text"]));
        const auto& r = j["risk"];
        out += fmt::format("\nseverity {} of 100, confidence {} (never part of severity), tier {}: {}\n",
                           plain(r["severity"]), plain(r["confidence"]), plain(r["tier"]),
                           plain(r["tier_reason"]));
        for (const auto& p : r["points"])
            out += fmt::format("  {:>3}  {}：{}  [{} = {}; {}; data: {}]\n", plain(p["points"]),
                               plain(p["item"]), plain(p["value"]), plain(p["rule"]), plain(p["points"]),
                               plain(p["basis"]), plain(p["source"]));
        for (const auto& h : r["hard_rules"]) out += fmt::format("  hard rule: {}\n", plain(h));
        if (r.contains("articles"))
            for (const auto& a : r["articles"])
                out += fmt::format("  {}: {}\n", plain(a["zone"]),
                                   fmt::join(a["article"].get<std::vector<std::string>>(), "，"));
        if (j.contains("reranked")) {
            const auto& w = j["reranked"];
            const auto side = [&](const char* which) {
                const auto& k = w[which];
                return fmt::format("tier {}, severity {}, rank {} (rule set {})", plain(k["tier"]),
                                   plain(k["severity"]), plain(k["rank"]), plain(k["rule_set"]));
            };
            out +=
                fmt::format("weights changed: {} → {}: {}\n", side("before"), side("now"), plain(w["cause"]));
        }
        if (r.contains("decided")) {
            const auto& d = r["decided"];
            out +=
                fmt::format("decided by {} on {}: {}", plain(d["by"]), plain(d["date"]), plain(d["reason"]));
            if (d.contains("tier")) out += fmt::format(", tier {}", plain(d["tier"]));
            if (d.contains("verdict")) out += fmt::format(", verdict {}", plain(d["verdict"]));
            out += "\n";
        }
        return out;
    }
};

const Registration<Stage, ExplainStage> registration{"explain", 115};

}  // namespace
}  // namespace shuibao::pipeline
