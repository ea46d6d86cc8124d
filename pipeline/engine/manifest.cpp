// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <shuibao/core/error.hpp>
#include <shuibao/engine/hash.hpp>
#include <shuibao/engine/manifest.hpp>
#include <shuibao/io/atomic_output.hpp>

namespace shuibao::engine {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

std::string line_of(const std::string& unit, const ManifestEntry& e) {
    json outputs = json::object();
    for (const auto& [path, size] : e.outputs) outputs[path] = size ? json(*size) : json();
    json record = {{"unit", unit},
                   {"key", e.key},
                   {"inputs", e.inputs},
                   {"outputs", std::move(outputs)},
                   {"number", e.number}};
    if (!e.failed.empty()) record["failed"] = e.failed;
    const std::string body = record.dump(-1, ' ', false, json::error_handler_t::replace);
    return hash_bytes(body).substr(0, 16) + " " + body + "\n";
}

std::string shorten(const std::string& v) {
    return v.size() > 40 ? v.substr(0, 12) + "…" : v;
}

// The difference that most likely is the cause of the others, said so that a person understands why the work
// is done again: another program, an option, something that came or went, and only then other content.
std::string difference(const std::map<std::string, std::string>& before,
                       const std::map<std::string, std::string>& now) {
    std::string option, came, went, content;
    const auto first = [](std::string& text, std::string reason) {
        if (text.empty()) text = std::move(reason);
    };
    for (const auto& [name, value] : now) {
        const auto old = before.find(name);
        if (old == before.end())
            first(came, fmt::format("{} is new", name));
        else if (old->second == value)
            continue;
        else if (name == "program")
            return "program changed";
        else if (name.starts_with("option "))
            first(option,
                  fmt::format("{} changed from '{}' to '{}'", name, shorten(old->second), shorten(value)));
        else
            first(content, fmt::format("{} changed", name));
    }
    for (const auto& [name, value] : before)
        if (!now.contains(name)) first(went, fmt::format("{} is gone", name));
    for (const auto* text : {&option, &came, &went, &content})
        if (!text->empty()) return *text;
    return "inputs changed";
}

}  // namespace

StageManifest::StageManifest(const fs::path& folder, const std::string& stage, int shard, int shards)
    : m_store(folder.parent_path()) {
    const fs::path own = folder / stage;
    m_log = own / (shards > 1 ? fmt::format("{}of{}.log", shard + 1, shards) : std::string("all.log"));
    std::error_code error;
    std::set<fs::path> logs;
    for (const auto& entry : fs::directory_iterator(own, error))
        if (entry.path().extension() == ".log") logs.insert(entry.path());
    for (const auto& log : logs) read(log);
}

void StageManifest::read(const fs::path& log) {
    std::ifstream in(log, std::ios::binary);
    for (std::string line; std::getline(in, line);) {
        const bool own = log == m_log;
        if (own) m_torn = in.eof(), ++m_lines;
        if (line.size() < 18 ||
            hash_bytes(std::string_view(line).substr(17)).substr(0, 16) != line.substr(0, 16))
            continue;
        const auto j = json::parse(line.substr(17), nullptr, false);
        if (!j.is_object()) continue;
        ManifestEntry entry{j.value("key", ""),
                            j.value("inputs", std::map<std::string, std::string>{}),
                            {},
                            j.value("number", std::uint64_t{0}),
                            j.value("failed", "")};
        const json outputs = j.value("outputs", json::object());
        for (const auto& [path, size] : outputs.items())
            entry.outputs[path] = size.is_null() ? std::nullopt : std::optional(size.get<std::uintmax_t>());
        m_number = std::max(m_number, entry.number);
        const std::string unit = j.value("unit", "");
        auto& held = m_entries[unit];
        if (held.number > entry.number) continue;
        held = std::move(entry);
        if (own)
            m_own.insert(unit);
        else
            m_own.erase(unit);
    }
}

Decision StageManifest::decide(const Unit& unit) const {
    const std::lock_guard lock(m_mutex);
    const auto it = m_entries.find(unit.id);
    if (it == m_entries.end()) return {true, "never done"};
    const auto& entry = it->second;
    if (!entry.failed.empty()) return {true, "failed before"};
    if (entry.key.empty() && entry.inputs == unit.inputs) return {true, "begun again but not finished"};
    if (entry.key != hash_values(unit.inputs)) return {true, difference(entry.inputs, unit.inputs)};
    for (const auto& output : unit.outputs) {
        const auto known = entry.outputs.find(output.string());
        if (known == entry.outputs.end())
            return {true, fmt::format("the output {} is new", output.filename().string())};
    }
    if (auto text = harm(entry); !text.empty()) return {true, std::move(text)};
    return {false, "up to date"};
}

std::string StageManifest::harm(const ManifestEntry& entry) {
    for (const auto& [path, size] : entry.outputs) {
        std::error_code error;
        const auto now = fs::file_size(path, error);
        const auto name = fs::path(path).filename().string();
        if (error && size) return fmt::format("the output {} is missing", name);
        if (!error && !size) return fmt::format("the output {} is there but should not be", name);
        if (size && now != *size)
            return fmt::format("the output {} has {} bytes instead of {}", name, now, *size);
    }
    return {};
}

Standing StageManifest::standing(const std::string& unit, const std::string& key) const {
    const std::lock_guard lock(m_mutex);
    const auto it = m_entries.find(unit);
    if (it == m_entries.end()) return Standing::open;
    if (it->second.failed == key) return Standing::failed;
    return it->second.key == key && harm(it->second).empty() ? Standing::done : Standing::open;
}

void StageManifest::keep_plan(const std::string& plan,
                              const std::map<std::string, std::string>& units) const {
    if (this->plan(plan) == units) return;
    io::write_text(plan_file(plan), json(units).dump(1, ' ', false, json::error_handler_t::replace) + "\n");
}

std::map<std::string, std::string> StageManifest::plan(const std::string& plan) const {
    std::ifstream in(plan_file(plan));
    const auto j = json::parse(in, nullptr, false);
    return j.is_object() ? j.get<std::map<std::string, std::string>>() : std::map<std::string, std::string>{};
}

fs::path StageManifest::plan_file(const std::string& plan) const {
    return m_log.parent_path() / (plan + ".plan");
}

void StageManifest::begin(const Unit& unit) {
    const std::lock_guard lock(m_mutex);
    const auto it = m_entries.find(unit.id);
    if (it == m_entries.end() || it->second.key.empty()) return;
    ManifestEntry entry = it->second;
    entry.key.clear();
    append(unit.id, std::move(entry));
}

void StageManifest::record(const Unit& unit) {
    ManifestEntry entry{hash_values(unit.inputs), unit.inputs, {}, 0};
    for (const auto& output : unit.outputs) {
        std::error_code error;
        const auto size = fs::file_size(output, error);
        entry.outputs[output.string()] = error ? std::nullopt : std::optional(size);
    }
    const std::lock_guard lock(m_mutex);
    if (const auto it = m_entries.find(unit.id); it != m_entries.end())
        for (const auto& [path, size] : it->second.outputs)
            if (std::error_code ignored; !entry.outputs.contains(path) && ours(path, unit))
                fs::remove(path, ignored);
    append(unit.id, std::move(entry));
}

void StageManifest::discard(const Unit& unit) {
    const std::lock_guard lock(m_mutex);
    std::error_code ignored;
    for (const auto& path : unit.outputs) fs::remove(path, ignored);
    if (const auto it = m_entries.find(unit.id); it != m_entries.end())
        for (const auto& [path, size] : it->second.outputs)
            if (ours(path, unit)) fs::remove(path, ignored);
    append(unit.id, {{}, unit.inputs, {}, 0, hash_values(unit.inputs)});
}

// The records of a store that was copied name the files of the one it was copied from.
bool StageManifest::ours(const fs::path& path, const Unit& unit) const {
    const auto relative = path.lexically_normal().lexically_relative(m_store.lexically_normal());
    if (!relative.empty() && *relative.begin() != "..") return true;
    return std::any_of(unit.outputs.begin(), unit.outputs.end(),
                       [&](const fs::path& output) { return output.parent_path() == path.parent_path(); });
}

void StageManifest::forget_the_past() {
    std::string text;
    for (const auto& unit : m_own) text += line_of(unit, m_entries.at(unit));
    // At once, also where the files of a unit wait to be published: what is appended until then would be
    // lost.
    io::DeferredCommits here;
    io::write_text(m_log, text);
    here.publish();
    m_lines = m_own.size();
    m_torn = false;
}

void StageManifest::append(const std::string& unit, ManifestEntry entry) {
    // Years of batches would else be read with every command.
    constexpr std::size_t few = 1000;
    if (m_lines > few + 2 * m_own.size()) forget_the_past();
    entry.number = ++m_number;
    // What a crash left of a line must not swallow the next one.
    const std::string line = (m_torn ? "\n" : "") + line_of(unit, entry);
    std::error_code error;
    fs::create_directories(m_log.parent_path(), error);
    const int fd = ::open(m_log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    const bool written =
        fd >= 0 && ::write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size());
    const int why = errno;
    if (fd >= 0) ::close(fd);
    m_torn = !written;
    if (!written)
        throw Error(ErrorCode::failed,
                    fmt::format("Cannot write {}: {}.", m_log.string(), std::strerror(why)),
                    "Free some space or mend the permissions, then run the same command again.");
    m_entries[unit] = std::move(entry);
    m_own.insert(unit);
    ++m_lines;
}

std::string StageManifest::key(const std::string& unit) const {
    const std::lock_guard lock(m_mutex);
    const auto it = m_entries.find(unit);
    return it == m_entries.end() ? std::string() : it->second.key;
}

std::vector<std::string> recorded_stages(const Store& store) {
    std::set<std::string> names;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(store.manifest(), error))
        names.insert(entry.path().filename().string());
    return {names.begin(), names.end()};
}

}  // namespace shuibao::engine
