// SPDX-License-Identifier: Apache-2.0
#include "block_cache.hpp"

#include <algorithm>
#include <atomic>

namespace shuibao::io {
namespace {

constexpr std::size_t most_free = 16;

std::size_t bytes_of(const BlockCache::Pixels& p) {
    return p->size() * sizeof(std::uint16_t);
}

}  // namespace

BlockCache& BlockCache::instance() {
    static BlockCache cache;
    return cache;
}

void BlockCache::set_limit(std::size_t bytes) {
    const std::lock_guard lock(m_mutex);
    m_limit = bytes;
}

BlockCache::Pixels BlockCache::get(const BlockKey& key, std::size_t pixels, const Decode& decode) {
    Pixels block;
    {
        const std::lock_guard lock(m_mutex);
        if (const auto it = m_at.find(key); it != m_at.end()) {
            m_order.splice(m_order.begin(), m_order, it->second);
            return it->second->pixels;
        }
        const auto free = std::find_if(m_free.rbegin(), m_free.rend(),
                                       [&](const Pixels& p) { return p->size() == pixels; });
        if (free != m_free.rend()) {
            block = std::move(*free);
            m_free.erase(std::next(free).base());
        }
    }
    if (!block) block = std::make_shared<std::vector<std::uint16_t>>(pixels);
    decode(*block);
    const std::lock_guard lock(m_mutex);
    const auto [it, is_new] = m_at.try_emplace(key);
    if (!is_new) return it->second->pixels;  // another thread was as fast
    m_order.push_front({key, block});
    it->second = m_order.begin();
    m_bytes += bytes_of(block);
    while (m_bytes > m_limit && !m_order.empty()) remove(std::prev(m_order.end()));
    return block;
}

void BlockCache::passed(const BlockKey& key, std::size_t readers) {
    const std::lock_guard lock(m_mutex);
    const auto it = m_at.find(key);
    if (it != m_at.end() && ++it->second->passed >= readers) remove(it->second);
}

void BlockCache::clear() {
    const std::lock_guard lock(m_mutex);
    m_order.clear();
    m_at.clear();
    m_free.clear();
    m_bytes = 0;
}

void BlockCache::remove(std::list<Slot>::iterator slot) {
    m_bytes -= bytes_of(slot->pixels);
    m_at.erase(slot->key);
    // Whoever still copies from it keeps it; then it is no memory to use again.
    if (slot->pixels.use_count() == 1 && m_free.size() < most_free) {
        std::atomic_thread_fence(std::memory_order_acquire);  // after all that other threads read from it
        m_free.push_back(std::move(slot->pixels));
    }
    m_order.erase(slot);
}

void pass_block(BlockCache& cache, const BlockKey& key, const Window& place, const Reading& reading,
                const Grid& grid) {
    if (place.row + place.rows > reading.next_row) return;
    const Window near = place.grown(reading.halo);
    cache.passed(key, grid.tiles(reading.area.empty() ? near : near.intersection(reading.area)).size());
}

}  // namespace shuibao::io
