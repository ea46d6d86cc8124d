// SPDX-License-Identifier: Apache-2.0
// What is known of files that have not changed, so that an archive is read once: a run without new images
// opens none.
#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <string>

#include <shuibao/engine/scene.hpp>

namespace shuibao::pipeline {

/// Content hashes of files and scenes that were found usable, told again by size, time and inode of their
/// files. A lost or damaged cache only costs reading the files again. Reentrant.
class SceneCache {
  public:
    /// `version`: of the program; another one looks at every scene again, and keeps the hashes.
    SceneCache(std::filesystem::path folder, std::string version);

    /// Content of a file. What a VRT reads counts with it, whatever the paths; of a file inside an archive,
    /// the archive. Throws Error(input).
    [[nodiscard]] std::string hash(const std::string& path);

    /// Tells a scene as its Item describes it, and its files as they are now; empty where they cannot be
    /// told.
    [[nodiscard]] std::string key_of(const engine::Scene& scene, const std::set<std::string>& files);
    [[nodiscard]] bool recall(const std::string& key, engine::Scene& scene);
    void remember(const std::string& key, const engine::Scene& scene);

    /// Writes what was asked for in this life, and forgets the rest.
    void save() const;

  private:
    std::string hash_on_disk(const std::string& path);
    std::string hash_view(const std::string& path);
    std::string state_of(const std::string& path);

    using Texts = std::map<std::string, std::string>;
    std::filesystem::path m_hash_file, m_scene_file;
    std::string m_version;
    std::mutex m_mutex;
    Texts m_hashes, m_hashes_used, m_scenes, m_scenes_used;
};

}  // namespace shuibao::pipeline
