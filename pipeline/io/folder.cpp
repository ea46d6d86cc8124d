// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <memory>

#include <cpl_string.h>
#include <cpl_vsi.h>
#include <fmt/format.h>

#include <shuibao/core/error.hpp>
#include <shuibao/io/atomic_output.hpp>
#include <shuibao/io/folder.hpp>
#include <shuibao/io/gdal_session.hpp>

namespace shuibao::io {
namespace fs = std::filesystem;
namespace {

bool is_virtual(const std::string& path) {
    return path.starts_with("/vsi");
}

Error unreadable(const std::string& what, const std::string& path, const std::string& why) {
    return {ErrorCode::input, fmt::format("The {} {} cannot be read: {}.", what, path, why),
            "Check that it is there, whole, and may be read."};
}

struct CloseFile {
    void operator()(VSILFILE* f) const { static_cast<void>(VSIFCloseL(f)); }
};
struct CloseFolder {
    void operator()(VSIDIR* d) const { VSICloseDir(d); }
};

std::vector<FolderEntry> list_virtual(const std::string& path) {
    const GdalMessages messages;
    const std::unique_ptr<VSIDIR, CloseFolder> dir(VSIOpenDir(path.c_str(), 0, nullptr));
    if (!dir)
        throw unreadable("folder", path,
                         messages.errors().empty() ? "it is damaged, or no archive" : messages.reason());
    std::vector<FolderEntry> entries;
    while (const VSIDIREntry* e = VSIGetNextDirEntry(dir.get()))
        entries.push_back({e->pszName, VSI_ISDIR(e->nMode) != 0});
    return entries;
}

std::vector<FolderEntry> list_disk(const std::string& path) {
    std::vector<FolderEntry> entries;
    std::error_code error;
    for (fs::directory_iterator at(path, error); !error && at != fs::directory_iterator();
         at.increment(error)) {
        std::error_code ignored;
        const bool link = at->is_symlink(ignored), folder = at->is_directory(ignored);
        if (folder && link) continue;
        entries.push_back({at->path().filename().string(), folder});
    }
    if (error) throw unreadable("folder", path, error.message());
    return entries;
}

}  // namespace

PathKind path_kind(const std::string& path) {
    if (is_virtual(path)) {
        VSIStatBufL s;
        const GdalMessages messages;
        if (VSIStatL(path.c_str(), &s) != 0) return PathKind::none;
        return VSI_ISDIR(s.st_mode)   ? PathKind::folder
               : VSI_ISREG(s.st_mode) ? PathKind::file
                                      : PathKind::none;
    }
    std::error_code error;
    if (fs::is_directory(path, error)) return PathKind::folder;
    return fs::is_regular_file(path, error) ? PathKind::file : PathKind::none;
}

std::vector<FolderEntry> list_folder(const std::string& path) {
    auto entries = is_virtual(path) ? list_virtual(path) : list_disk(path);
    std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return entries;
}

std::string read_text(const std::string& path, std::size_t most) {
    if (path_kind(path) != PathKind::file)  // a pipe would never end
        throw unreadable("file", path, "it is no file");
    const GdalMessages messages;
    const std::unique_ptr<VSILFILE, CloseFile> file(VSIFOpenL(path.c_str(), "rb"));
    if (!file) throw unreadable("file", path, "it cannot be opened");
    std::string text;
    std::array<char, 1U << 16> part{};
    while (const auto n = VSIFReadL(part.data(), 1, part.size(), file.get())) {
        text.append(part.data(), n);
        if (text.size() > most)
            throw unreadable("file", path, fmt::format("it is larger than {} MiB", most >> 20U));
    }
    return text;
}

void save_text(const std::string& path, const std::string& text) {
    if (!is_virtual(path)) {
        std::error_code error;
        const bool as_long = fs::file_size(path, error) == text.size() && !error;
        if (!as_long || read_text(path, text.size()) != text) write_text(path, text);
        return;
    }
    const GdalMessages messages;
    VSILFILE* out = VSIFOpenL(path.c_str(), "wb");
    const bool good = out != nullptr && VSIFWriteL(text.data(), 1, text.size(), out) == text.size();
    const bool closed = out != nullptr && VSIFCloseL(out) == 0;
    if (!good || !closed)
        throw Error(ErrorCode::failed, fmt::format("{} cannot be written: {}.", path, messages.reason()));
}

std::string archive_of(const std::string& path) {
    for (const std::string_view prefix : {"/vsizip/", "/vsitar/"}) {
        if (!path.starts_with(prefix)) continue;
        // The shortest beginning that is a file.
        for (auto slash = path.find('/', prefix.size() + 1);; slash = path.find('/', slash + 1)) {
            const auto part = path.substr(prefix.size(), slash - prefix.size());
            if (path_kind(part) == PathKind::file) return part;
            if (slash == std::string::npos) break;
        }
    }
    return {};
}

}  // namespace shuibao::io
