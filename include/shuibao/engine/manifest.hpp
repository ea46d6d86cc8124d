// SPDX-License-Identifier: Apache-2.0
// What was done, from what: an append-only log per stage and shard that decides what must be done again.
#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <shuibao/engine/executor.hpp>

namespace shuibao::engine {

/// Record of one finished unit.
struct ManifestEntry {
    std::string key;  ///< hash of `inputs`
    std::map<std::string, std::string> inputs;
    std::map<std::string, std::uintmax_t> outputs;  ///< path → size in bytes
};

/// Why a unit runs or is skipped; `text` is what --explain prints.
struct Decision {
    bool run = true;
    std::string text;
};

/// The records of one stage. Lines carry their own checksum, so a line torn by a crash counts as not written.
/// Every shard appends to a log of its own; all logs are read.
class StageManifest {
  public:
    StageManifest(const std::filesystem::path& folder, const std::string& stage, int shard, int shards);
    [[nodiscard]] Decision decide(const Unit& unit) const;
    void record(const Unit& unit);
    [[nodiscard]] std::string key(const std::string& unit) const;
    [[nodiscard]] const std::map<std::string, ManifestEntry>& entries() const { return m_entries; }

  private:
    void read(const std::filesystem::path& log);
    std::filesystem::path m_log;
    std::map<std::string, ManifestEntry> m_entries;
    mutable std::mutex m_mutex;
};

/// Names of the stages that have records in a store, sorted.
[[nodiscard]] std::vector<std::string> recorded_stages(const Store& store);

}  // namespace shuibao::engine
