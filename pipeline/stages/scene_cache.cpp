// SPDX-License-Identifier: Apache-2.0
#include "scene_cache.hpp"

#include <fstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include <shuibao/core/error.hpp>
#include <shuibao/engine/hash.hpp>
#include <shuibao/io/atomic_output.hpp>
#include <shuibao/io/folder.hpp>
#include <shuibao/io/raster.hpp>

namespace shuibao::pipeline {
namespace {

using Texts = std::map<std::string, std::string>;

constexpr std::size_t largest_view = std::size_t{16} << 20U;

Texts read_texts(const std::filesystem::path& file) {
    std::ifstream in(file);
    const auto j = nlohmann::json::parse(in, nullptr, false);
    Texts texts;
    if (!j.is_object()) return texts;
    for (const auto& [key, text] : j.items())
        if (text.is_string()) texts[key] = text.get<std::string>();
    return texts;
}

void write_texts(const std::filesystem::path& file, const Texts& texts) {
    io::write_text(file, nlohmann::json(texts).dump(0, ' ', false, nlohmann::json::error_handler_t::replace));
}

// Which file, and in which state; empty where there is none.
std::string stat_text(const std::string& path) {
    struct stat s {};
    if (::stat(path.c_str(), &s) != 0) return {};
    return fmt::format("{}|{}|{}.{:09}|{}", path, s.st_size, s.st_mtim.tv_sec, s.st_mtim.tv_nsec, s.st_ino);
}

}  // namespace

SceneCache::SceneCache(std::filesystem::path folder, std::string version)
    : m_hash_file(folder / "hashes.json"),
      m_scene_file(folder / "examined.json"),
      m_version(std::move(version)),
      m_hashes(read_texts(m_hash_file)),
      m_scenes(read_texts(m_scene_file)) {}

std::string SceneCache::hash(const std::string& path) {
    if (path.ends_with(".vrt")) return hash_view(path);
    if (const auto archive = io::archive_of(path); !archive.empty())
        return engine::hash_bytes(hash_on_disk(archive) + path.substr(path.find(archive) + archive.size()));
    return path.starts_with("/vsi") ? engine::hash_bytes(path) : hash_on_disk(path);
}

std::string SceneCache::hash_on_disk(const std::string& path) {
    const std::string key = stat_text(path);
    if (key.empty()) return engine::hash_file(path);  // which says why
    {
        const std::lock_guard lock(m_mutex);
        if (const auto it = m_hashes.find(key); it != m_hashes.end()) return m_hashes_used[key] = it->second;
    }
    const std::string h = engine::hash_file(path);
    const std::lock_guard lock(m_mutex);
    return m_hashes_used[key] = h;
}

// Its text with the content of the files it reads in place of their names.
std::string SceneCache::hash_view(const std::string& path) {
    std::string text = io::read_text(path, largest_view);
    std::string behind;
    for (const auto& file : io::files_behind(path)) {
        if (file == path) continue;
        const auto content = hash(file);
        behind += content + "\n";
        for (auto at = text.find(file); at != std::string::npos; at = text.find(file, at + content.size()))
            text.replace(at, file.size(), content);
    }
    return engine::hash_bytes(text + behind);
}

// The state of a file and of all that is behind it; its hash, if it is known, stays known.
std::string SceneCache::state_of(const std::string& path) {
    if (path.ends_with(".vrt")) {
        std::string all = stat_text(path);
        for (const auto& file : io::files_behind(path)) {
            if (file == path) continue;
            const auto one = state_of(file);
            if (one.empty()) return {};
            all += "\n" + one;
        }
        return all;
    }
    const auto archive = io::archive_of(path);
    if (archive.empty() && path.starts_with("/vsi")) return {};
    const auto state = stat_text(archive.empty() ? path : archive);
    const std::lock_guard lock(m_mutex);
    if (const auto it = m_hashes.find(state); it != m_hashes.end()) m_hashes_used.insert(*it);
    return state;
}

std::string SceneCache::key_of(const engine::Scene& scene, const std::set<std::string>& files) {
    Texts parts{{"version", m_version}, {"scene", engine::scene_text(scene)}};
    if (const auto& b = scene.geographic)
        parts["box"] = fmt::format("{} {} {} {}", b->min_x, b->min_y, b->max_x, b->max_y);
    try {
        for (const auto& file : files) {
            auto state = state_of(file);
            if (state.empty()) return {};
            parts["file " + file] = std::move(state);
        }
    } catch (const Error&) {
        return {};  // looking into the scene will say why
    }
    return engine::hash_values(parts);
}

bool SceneCache::recall(const std::string& key, engine::Scene& scene) {
    const std::lock_guard lock(m_mutex);
    const auto it = m_scenes.find(key);
    if (it == m_scenes.end()) return false;
    const auto known = engine::scene_from_text(it->second);
    if (!known) return false;
    scene = *known;
    m_scenes_used.insert(*it);
    return true;
}

void SceneCache::remember(const std::string& key, const engine::Scene& scene) {
    auto text = engine::scene_text(scene);
    const std::lock_guard lock(m_mutex);
    m_scenes_used[key] = std::move(text);
}

void SceneCache::save() const {
    write_texts(m_hash_file, m_hashes_used);
    write_texts(m_scene_file, m_scenes_used);
}

}  // namespace shuibao::pipeline
