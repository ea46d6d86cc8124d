// SPDX-License-Identifier: Apache-2.0
// What was done, from what: an append-only log per stage and shard that decides what must be done again.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <shuibao/engine/executor.hpp>

namespace shuibao::engine {

/// Record of one unit.
struct ManifestEntry {
    std::string key;  ///< hash of `inputs`; empty while the unit is being done again
    std::map<std::string, std::string> inputs;
    /// Path → size in bytes; none when the unit had nothing to write there.
    std::map<std::string, std::optional<std::uintmax_t>> outputs;
    std::uint64_t number = 0;  ///< of two records of a unit, the one with the higher number holds
    std::string failed = {};   ///< key with which it was tried last and failed; its results are gone
};

/// What the records say of a unit that a plan names.
enum class Standing : std::uint8_t { done, failed, open };

/// Why a unit runs or is skipped; `text` is what --explain prints.
struct Decision {
    bool run = true;
    std::string text;
};

/// The records of one stage. Lines carry their own checksum, so a line torn by a crash counts as not written.
/// Every shard appends to a log of its own; all logs are read, and the numbers of the records tell which of
/// two is the later one. A log most of whose lines later ones have replaced is written anew without these,
/// by whoever appends to it next.
class StageManifest {
  public:
    StageManifest(const std::filesystem::path& folder, const std::string& stage, int shard, int shards);
    [[nodiscard]] Decision decide(const Unit& unit) const;
    /// To be called before the work of a unit that has a record: whatever the work leaves behind when it does
    /// not end well must not be taken for what the old record speaks of.
    void begin(const Unit& unit);
    /// The unit is done. Files that its former record names and this unit no longer has are removed.
    void record(const Unit& unit);
    /// The unit failed: its former results are of other inputs and go, and that it failed is kept.
    void discard(const Unit& unit);
    /// Whether a unit was done or tried with the inputs of `key`, and what it wrote is as it was left.
    [[nodiscard]] Standing standing(const std::string& unit, const std::string& key) const;
    /// Keeps what `plan` wants done, all shards together: unit → key. The same units give the same file.
    void keep_plan(const std::string& plan, const std::map<std::string, std::string>& units) const;
    /// What keep_plan() kept last, by this or another process; empty where nothing was planned.
    [[nodiscard]] std::map<std::string, std::string> plan(const std::string& plan) const;
    [[nodiscard]] std::string key(const std::string& unit) const;
    [[nodiscard]] const std::map<std::string, ManifestEntry>& entries() const { return m_entries; }

  private:
    void read(const std::filesystem::path& log);
    void append(const std::string& unit, ManifestEntry entry);
    void forget_the_past();
    [[nodiscard]] std::filesystem::path plan_file(const std::string& plan) const;
    /// What is wrong with the files of an entry, or nothing.
    [[nodiscard]] static std::string harm(const ManifestEntry& entry);
    /// True for a file of a former record that lies in this store or where the unit writes now.
    [[nodiscard]] bool ours(const std::filesystem::path& path, const Unit& unit) const;
    std::filesystem::path m_store;
    std::filesystem::path m_log;
    std::uint64_t m_number = 0;   // highest in use
    bool m_torn = false;          // the own log ends in the middle of a line
    std::size_t m_lines = 0;      // of the own log
    std::set<std::string> m_own;  // units whose record the own log holds
    std::map<std::string, ManifestEntry> m_entries;
    mutable std::mutex m_mutex;
};

/// Names of the stages that have records in a store, sorted.
[[nodiscard]] std::vector<std::string> recorded_stages(const Store& store);

}  // namespace shuibao::engine
