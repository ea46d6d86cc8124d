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

namespace shuibao::engine {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

std::string line_of(const std::string& unit, const ManifestEntry& e) {
    const std::string body =
        json{{"unit", unit}, {"key", e.key}, {"inputs", e.inputs}, {"outputs", e.outputs}}.dump(
            -1, ' ', false, json::error_handler_t::replace);
    return hash_bytes(body).substr(0, 16) + " " + body + "\n";
}

std::string shorten(const std::string& v) {
    return v.size() > 40 ? v.substr(0, 12) + "…" : v;
}

// The first input that differs, said so that a person understands why the work is done again.
std::string difference(const std::map<std::string, std::string>& before,
                       const std::map<std::string, std::string>& now) {
    for (const auto& [name, value] : now) {
        const auto old = before.find(name);
        if (old == before.end()) return fmt::format("{} is new", name);
        if (old->second != value)
            return name.starts_with("option ") ? fmt::format("{} changed from '{}' to '{}'", name,
                                                             shorten(old->second), shorten(value))
                                               : fmt::format("{} changed", name);
    }
    for (const auto& [name, value] : before)
        if (!now.contains(name)) return fmt::format("{} is gone", name);
    return "inputs changed";
}

}  // namespace

StageManifest::StageManifest(const fs::path& folder, const std::string& stage, int shard, int shards) {
    const fs::path own = folder / stage;
    m_log = own / (shards > 1 ? fmt::format("{}of{}.log", shard + 1, shards) : std::string("all.log"));
    std::error_code error;
    std::set<fs::path> logs;
    for (const auto& entry : fs::directory_iterator(own, error))
        if (entry.path().extension() == ".log") logs.insert(entry.path());
    for (const auto& log : logs) read(log);
}

void StageManifest::read(const fs::path& log) {
    std::ifstream in(log);
    for (std::string line; std::getline(in, line);) {
        if (line.size() < 18 ||
            hash_bytes(std::string_view(line).substr(17)).substr(0, 16) != line.substr(0, 16))
            continue;
        const auto j = json::parse(line.substr(17), nullptr, false);
        if (!j.is_object()) continue;
        m_entries[j.value("unit", "")] = {j.value("key", ""),
                                          j.value("inputs", std::map<std::string, std::string>{}),
                                          j.value("outputs", std::map<std::string, std::uintmax_t>{})};
    }
}

Decision StageManifest::decide(const Unit& unit) const {
    const std::lock_guard lock(m_mutex);
    const auto it = m_entries.find(unit.id);
    if (it == m_entries.end()) return {true, "never done"};
    const auto& entry = it->second;
    if (entry.key != hash_values(unit.inputs)) return {true, difference(entry.inputs, unit.inputs)};
    for (const auto& output : unit.outputs) {
        const auto known = entry.outputs.find(output.string());
        if (known == entry.outputs.end())
            return {true, fmt::format("the output {} is new", output.filename().string())};
    }
    for (const auto& [path, size] : entry.outputs) {
        std::error_code error;
        const auto now = fs::file_size(path, error);
        if (error) return {true, fmt::format("the output {} is missing", fs::path(path).filename().string())};
        if (now != size)
            return {true, fmt::format("the output {} has {} bytes instead of {}",
                                      fs::path(path).filename().string(), now, size)};
    }
    return {false, "up to date"};
}

void StageManifest::record(const Unit& unit) {
    ManifestEntry entry{hash_values(unit.inputs), unit.inputs, {}};
    for (const auto& output : unit.outputs) {
        std::error_code error;
        const auto size = fs::file_size(output, error);
        if (!error) entry.outputs[output.string()] = size;  // a unit may find nothing to write
    }
    const std::string line = line_of(unit.id, entry);
    const std::lock_guard lock(m_mutex);
    std::error_code error;
    fs::create_directories(m_log.parent_path(), error);
    const int fd = ::open(m_log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    const bool written =
        fd >= 0 && ::write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size());
    const int why = errno;
    if (fd >= 0) ::close(fd);
    if (!written)
        throw Error(ErrorCode::failed,
                    fmt::format("Cannot write {}: {}.", m_log.string(), std::strerror(why)),
                    "Free some space or mend the permissions, then run the same command again.");
    m_entries[unit.id] = std::move(entry);
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
