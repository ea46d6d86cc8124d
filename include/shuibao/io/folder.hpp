// SPDX-License-Identifier: Apache-2.0
// Folders and small files, on disk or inside an archive (/vsizip/, /vsitar/).
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace shuibao::io {

enum class PathKind { none, file, folder };
/// What stands at a path; pipes, devices and what may not be looked at are `none`.
[[nodiscard]] PathKind path_kind(const std::string& path);

struct FolderEntry {
    std::string name;
    bool folder = false;  ///< links to folders are not followed and count as none
};
/// What a folder holds, sorted by name. Throws Error(input) naming it where it cannot be read.
[[nodiscard]] std::vector<FolderEntry> list_folder(const std::string& path);

/// The whole text of a file. Throws Error(input) where it cannot be read or is larger than `most` bytes.
[[nodiscard]] std::string read_text(const std::string& path, std::size_t most);

/// Writes it complete or not at all, making the folder, also under /vsimem/; a file that holds the same text
/// stays as it is. Throws Error(failed).
void save_text(const std::string& path, const std::string& text);

/// Of "/vsizip/A.zip/inside" and "/vsitar/A.tar/inside": A.zip, A.tar; else empty.
[[nodiscard]] std::string archive_of(const std::string& path);

}  // namespace shuibao::io
