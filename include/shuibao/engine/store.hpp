// SPDX-License-Identifier: Apache-2.0
// The store: long-lived state shared by all batches (tiles, change maps, manifests), and its lock.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <shuibao/core/grid.hpp>

namespace shuibao::engine {

/// Paths inside a store. Nothing else in the program joins these names.
class Store {
  public:
    explicit Store(std::filesystem::path root) : m_root(std::move(root)) {}
    [[nodiscard]] const std::filesystem::path& root() const { return m_root; }
    [[nodiscard]] std::filesystem::path grid_file() const { return m_root / "grid.json"; }
    [[nodiscard]] std::filesystem::path scenes_file() const { return m_root / "scenes.json"; }
    [[nodiscard]] std::filesystem::path acquisitions_file() const { return m_root / "acquisitions.json"; }
    [[nodiscard]] std::filesystem::path scene_reports() const { return m_root / "scenes"; }
    [[nodiscard]] std::filesystem::path tiles() const { return m_root / "tiles"; }
    [[nodiscard]] std::filesystem::path batches() const { return m_root / "batches"; }
    [[nodiscard]] std::filesystem::path batch(const std::string& batch) const { return batches() / batch; }
    [[nodiscard]] std::filesystem::path changes(const std::string& b) const { return batch(b) / "changes"; }
    /// Per-pixel memory of a series method.
    [[nodiscard]] std::filesystem::path states() const { return m_root / "state"; }
    [[nodiscard]] std::filesystem::path state(const std::string& method) const { return states() / method; }
    [[nodiscard]] std::filesystem::path manifest() const { return m_root / "manifest"; }
    /// What `export` has written for a batch into one output folder, by exporter.
    [[nodiscard]] std::filesystem::path exported(const std::string& batch, const std::string& folder) const {
        return manifest() / "export" / ("files_" + batch + "_" + folder + ".json");
    }
    /// The ledger of cases as people read it, its summary, and what field teams found.
    [[nodiscard]] std::filesystem::path ledger_file() const { return m_root / "ledger.gpkg"; }
    [[nodiscard]] std::filesystem::path ledger_summary_file() const { return m_root / "ledger.json"; }
    [[nodiscard]] std::filesystem::path field_records_file() const { return m_root / "feedback.json"; }
    /// Where each decision of people against the program was first applied.
    [[nodiscard]] std::filesystem::path overrides_file() const { return m_root / "overrides.json"; }
    [[nodiscard]] std::filesystem::path lock_file() const { return m_root / "lock"; }
    /// Of part i of n, counted from 0.
    [[nodiscard]] std::filesystem::path lock_file(int shard, int shards) const {
        return m_root / ("lock." + std::to_string(shard + 1) + "of" + std::to_string(shards));
    }
    [[nodiscard]] std::filesystem::path gather_lock_file() const { return m_root / "lock.gather"; }

  private:
    std::filesystem::path m_root;
};

enum class LockMode {
    exclusive,  ///< a whole run
    shared,     ///< one shard of several (`--shard i/n`)
};

/// Who holds the store, as the holder wrote it; nothing when it is free. Writes nothing.
[[nodiscard]] std::optional<std::string> store_holder(const Store& store);

struct Selection;

/// Holds the store's advisory lock (flock) for its lifetime; the kernel releases it when the process dies.
class StoreLock {
  public:
    /// Creates the store's folder when missing. Throws Error(temporary) that names the holder (pid, host,
    /// since) when somebody else holds it and `wait_seconds` have passed. Of those who share it each part of
    /// `selection` has one holder: a cluster may start a task again while the first one still works.
    StoreLock(const Store& store, LockMode mode, double wait_seconds, const Selection& selection);
    ~StoreLock();
    StoreLock(const StoreLock&) = delete;
    StoreLock& operator=(const StoreLock&) = delete;

  private:
    int m_fd = -1, m_part = -1;
};

/// Held by a shard while it writes what all shards together have made: they pass one after the other, and the
/// last one sees the records of all. Waits for as long as it takes.
class GatherLock {
  public:
    explicit GatherLock(const Store& store);
    ~GatherLock();
    GatherLock(const GatherLock&) = delete;
    GatherLock& operator=(const GatherLock&) = delete;

  private:
    int m_fd = -1;
};

}  // namespace shuibao::engine
