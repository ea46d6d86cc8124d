// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <mutex>
#include <vector>

#include <fmt/format.h>

#include <shuibao/core/error.hpp>
#include <shuibao/engine/resources.hpp>

namespace shuibao::engine {
namespace fs = std::filesystem;

namespace {

struct Used {
    std::mutex mutex;
    std::map<std::string, fs::path> files;
};
Used& used() {
    static Used one;
    return one;
}

}  // namespace

std::map<std::string, fs::path> config_files_used() {
    const std::lock_guard lock(used().mutex);
    return used().files;
}

fs::path config_file(std::string_view name) {
    std::vector<fs::path> roots;
    std::error_code error;
    if (const char* given = std::getenv("SHUIBAO_CONFIGS"); given != nullptr && *given != 0) {
        if (!fs::is_directory(given, error))
            throw Error(ErrorCode::usage, fmt::format("SHUIBAO_CONFIGS names {}, which is no folder.", given),
                        "Point it at a configs folder of shuibao, or unset it.");
        roots.emplace_back(given);
    }
    if (const fs::path self = fs::read_symlink("/proc/self/exe", error); !error)
        roots.push_back(self.parent_path().parent_path() / "share/shuibao/configs");
    roots.emplace_back(SHUIBAO_SOURCE_CONFIGS);
    std::string places;
    for (const auto& root : roots) {
        if (const fs::path file = root / name; fs::exists(file, error)) {
            const std::lock_guard lock(used().mutex);
            return used().files[std::string(name)] = fs::absolute(file);
        }
        places += (places.empty() ? "" : ", ") + root.string();
    }
    throw Error(ErrorCode::failed,
                "The program's own file " + std::string(name) + " was not found in " + places + ".",
                "Install shuibao completely, or point SHUIBAO_CONFIGS at its configs folder.");
}

}  // namespace shuibao::engine
