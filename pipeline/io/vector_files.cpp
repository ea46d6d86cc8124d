// SPDX-License-Identifier: Apache-2.0
// The files that a vector source consists of: what has to be the same for it to say the same.
#include <algorithm>
#include <filesystem>

#include <cpl_string.h>
#include <cpl_vsi.h>
#include <fmt/format.h>

#include "vector_source.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/io/vector.hpp>

namespace shuibao::io {
namespace fs = std::filesystem;

std::vector<std::string> files_of(const std::string& path) {
    std::vector<std::string> files;
    std::error_code error;
    if (fs::is_directory(path, error)) {
        for (const auto& e : fs::recursive_directory_iterator(path, error))
            if (e.is_regular_file(error)) files.push_back(e.path().string());
        if (error)
            throw Error(ErrorCode::input, fmt::format("Cannot read {}: {}.", path, error.message()),
                        "Check the path and its permissions.");
    } else {
        const GDALDatasetUniquePtr d = open_vector(path);
        const CPLStringList list(d->GetFileList());
        for (int i = 0; i < list.size(); ++i) files.emplace_back(list[i]);
        if (extension_of(path) == ".shp")
            for (const char* ext : {".cpg", ".CPG"})
                if (auto cpg = fs::path(path).replace_extension(ext).string(); fs::exists(cpg, error))
                    files.push_back(std::move(cpg));
    }
    std::sort(files.begin(), files.end());
    files.erase(std::unique(files.begin(), files.end()), files.end());
    return files;
}

std::string bytes_of(const std::string& path) {
    GByte* data = nullptr;
    vsi_l_offset size = 0;
    if (VSIIngestFile(nullptr, path.c_str(), &data, &size, -1) == 0)
        throw Error(ErrorCode::input, fmt::format("Cannot read {}.", path),
                    "Check the path and its permissions.");
    std::string bytes(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
    VSIFree(data);
    return bytes;
}

}  // namespace shuibao::io
