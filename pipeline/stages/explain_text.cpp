// SPDX-License-Identifier: Apache-2.0
#include "explain_text.hpp"

#include <vector>

#include <fmt/format.h>

#include "dictionaries.hpp"

namespace shuibao::pipeline {
namespace {

using nlohmann::ordered_json;

std::string plain(const ordered_json& v) {
    return v.is_string() ? v.get<std::string>() : v.dump();
}

std::string steps_text(const ordered_json& steps) {
    std::string out;
    for (const auto& step : steps) {
        out += fmt::format("  {} [{}] {}：{}", plain(step["step"]), step["holds"].get<bool>() ? "x" : " ",
                           plain(step["question"]), plain(step["value"]));
        if (step.contains("compared_with")) {
            const auto& n = step["compared_with"];
            out += fmt::format(" ⇔ {} = {} {} ({})", plain(n["item"]), plain(n["number"]), plain(n["unit"]),
                               plain(n["basis"]));
        }
        out += "\n";
    }
    return out;
}

std::string sum_text(const ordered_json& j) {
    if (!j.contains("project_sum") || j["project_sum"]["parts"].empty()) return {};
    const auto& sum = j["project_sum"];
    std::string out = fmt::format("\nΣ EAREA_T of project {}: {} of {} m²\n", plain(sum["project"]),
                                  plain(sum["outside_tolerant_m2"]), plain(sum["project_area_m2"]));
    for (const auto& p : sum["parts"])
        out += fmt::format("  {}: {} m²{}\n", plain(p["case"]), plain(p["outside_tolerant_m2"]),
                           p.contains("cleared_m2")
                               ? fmt::format("（其中 {} m² 已复核，不计入）", plain(p["cleared_m2"]))
                               : std::string());
    return out;
}

// Which limit a change of area was compared with, or who said what it is.
std::string limit_text(const ordered_json& h) {
    const auto by = plain(h["change_by"]);
    if (by.empty()) return {};
    if (by == "layer" || by == "field") return by == "layer" ? "（图层注明）" : "（现场填写）";
    return fmt::format("（{:+.0f} m²，{} = {:.0f} m²）", h["gained_m2"].get<double>(), by,
                       h["change_limit_m2"].get<double>());
}

std::string history_text(const ordered_json& j) {
    std::string out;
    if (!j.contains("history")) return out;
    out += "\nhistory\n";
    for (const auto& h : j["history"])
        out += fmt::format("  {}  {}  {:.2f} hm²  {}{}  {}  {}  {}{}{}\n", plain(h["batch"]),
                           plain(h["spot"]), h["area_m2"].get<double>() / 1e4, plain(h["change"]),
                           limit_text(h), plain(h["construction"]), plain(h["verdict"]), plain(h["state"]),
                           h.contains("due") ? "，期限 " + plain(h["due"]) : std::string(),
                           h.contains("confirmed") ? "，现场 " + plain(h["confirmed"]) : std::string());
    if (j.contains("parents"))
        out +=
            fmt::format("  comes from {}\n", fmt::join(j["parents"].get<std::vector<std::string>>(), ", "));
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
std::string type_text(const ordered_json& j) {
    if (!j.contains("image_type")) return {};
    const auto& t = j["image_type"];
    std::string out = fmt::format("\nlooks like {} ({}), which decides nothing in law\n", plain(t["text"]),
                                  plain(t["type"]));
    const auto asked = [](const ordered_json& c) {
        std::string bounds;
        for (const char* bound : {"at_least", "at_most"})
            if (c.contains(bound)) bounds += fmt::format(", {} {}", bound, plain(c[bound]));
        return fmt::format("{} {}{}", plain(c["input"]), c["value"].is_null() ? "unknown" : plain(c["value"]),
                           bounds);
    };
    if (t.contains("because")) out += fmt::format("  {}\n", plain(t["because"]));
    if (t.contains("holds"))
        for (const auto& c : t["holds"]) out += fmt::format("  [x] {}\n", asked(c));
    if (t.contains("against"))
        for (const auto& c : t["against"]) out += fmt::format("  not {}: {}\n", plain(c["type"]), asked(c));
    if (t.contains("most_confidence"))
        out += fmt::format("  confidence is {} at most for that\n", plain(t["most_confidence"]));
    return out;
}

// Codes, yes and no in words; what is made of several facts, one after the other.
std::string fact_text(const std::string& name, const ordered_json& v, const engine::Dictionary& names) {
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

}  // namespace

std::string explanation_text(const ordered_json& j) {
    const auto names = load_dictionary("explain");
    const auto& v = j["verdict"];
    std::string out = fmt::format("{}  {}：{}\n{}\n", plain(j["case"]), plain(v["text"]), plain(v["why"]),
                                  plain(j["note"]));
    if (v.contains("second")) out += fmt::format("second choice: {}\n", plain(v["second"]));
    const auto& s = j["rule_set"];
    out += fmt::format("rule set {} (version {}), in force on {}\n", plain(s["name"]), plain(s["version"]),
                       plain(s["chosen_by"]));
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
    for (const auto& clue : j["context"]["clues"])
        out += fmt::format("  {}：{}\n", names.text("context", "clue"), plain(clue));
    if (const auto& context = j["context"]; context.contains("erosion"))
        out += fmt::format("  {}：{}\n", names.text("context", "erosion"),
                           fact_text("erosion", context["erosion"], names));
    out += type_text(j) + "\nrules tried (rules §3)\n";
    out += steps_text(j["steps"]) + sum_text(j);
    out += history_text(j) + "\nflags\n";
    for (const auto& f : j["flags"]) out += fmt::format("  {}: {}\n", plain(f["code"]), plain(f["text"]));
    const auto& r = j["risk"];
    out +=
        fmt::format("\nseverity {} of 100, confidence {} (never part of severity), tier {}: {}\n",
                    plain(r["severity"]), plain(r["confidence"]), plain(r["tier"]), plain(r["tier_reason"]));
    for (const auto& p : r["points"])
        out += fmt::format("  {:>3}  {}：{}  [{} = {}; {}; data: {}]\n", plain(p["points"]), plain(p["item"]),
                           plain(p["value"]), plain(p["rule"]), plain(p["points"]), plain(p["basis"]),
                           plain(p["source"]));
    out += "rules tried (rules §6)\n" + steps_text(r["steps"]);
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
        out += fmt::format("weights changed: {} → {}: {}\n", side("before"), side("now"), plain(w["cause"]));
    }
    if (r.contains("issued") && !r["issued"]["holds"].get<bool>())
        out += fmt::format(
            "sent out as tier {}, severity {}, rank {}: run `shuibao rank` to bring it up to date\n",
            plain(r["issued"]["tier"]), plain(r["issued"]["severity"]), plain(r["issued"]["rank"]));
    if (r.contains("decided")) {
        const auto& d = r["decided"];
        out += fmt::format("decided by {} on {}: {}", plain(d["by"]), plain(d["date"]), plain(d["reason"]));
        if (d.contains("tier")) out += fmt::format(", tier {}", plain(d["tier"]));
        if (d.contains("verdict")) out += fmt::format(", verdict {}", plain(d["verdict"]));
        out += "\n";
    }
    if (j.contains("layers")) out += "\nlayers\n";
    if (j.contains("layers"))
        for (const auto& l : j["layers"])
            out += fmt::format("  {}: {} ({})\n", plain(l["layer"]), plain(l["file"]), plain(l["hash"]));
    return out;
}

}  // namespace shuibao::pipeline
