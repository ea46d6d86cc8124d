// SPDX-License-Identifier: Apache-2.0
// The files of a scene: looked at, found usable or not, and told apart by their content.
#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <string>

#include <shuibao/engine/scene.hpp>

namespace shuibao::pipeline {

/// Content hashes of files already seen unchanged (same size, time and inode): hashing an archive once is
/// enough. What a VRT reads counts with it, whatever the paths; of a file inside an archive, the archive.
class HashCache {
  public:
    explicit HashCache(std::filesystem::path file);
    [[nodiscard]] std::string hash(const std::string& path);
    void save() const;

  private:
    std::string hash_on_disk(const std::string& path);
    std::string hash_view(const std::string& path);

    std::filesystem::path m_file;
    std::mutex m_mutex;
    std::map<std::string, std::string> m_known, m_used;
};

/// Why a scene cannot be used.
struct SceneRefusal {
    std::string code, reason;
};

/// Images and mask, each once, sorted.
[[nodiscard]] std::set<std::string> files_of(const engine::Scene& scene);

/// Opens every file of a scene and fills in what only they say (CRS, extent, pixel sizes, clear share);
/// throws SceneRefusal when the scene cannot be used. Without `hashes` only headers, the first and the last blocks
/// are read.
void examine(engine::Scene& scene, HashCache* hashes);

}  // namespace shuibao::pipeline
