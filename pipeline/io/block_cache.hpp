// SPDX-License-Identifier: Apache-2.0
// Decoded blocks of raster files, shared by all threads, each kept until its last reader has passed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include <shuibao/core/grid.hpp>
#include <shuibao/io/raster.hpp>

namespace shuibao::io {

/// The content of one file as long as it is not replaced: device, inode and time of change, or, where a file
/// system has none of these, any three numbers that no other content has.
struct FileContent {
    std::uint64_t device = 0, inode = 0, changed = 0;
    bool operator==(const FileContent&) const = default;
};

/// Which block of which file.
struct BlockKey {
    FileContent file;
    std::uint64_t block = 0;  ///< the caller's numbering
    bool operator==(const BlockKey&) const = default;
};

/// A bounded store of decoded blocks of 16-bit pixels. GDAL's own cache cannot be told that a block has had
/// its last reader, so every block passes through cold memory; and it holds a block once per open file, hence
/// once per thread. Here a block whose readers have all passed gives its memory, still in the processor's
/// cache, to the next one; only blocks that several tiles read stay, and the longest unused go when the limit
/// is reached. What is read never depends on it.
class BlockCache {
  public:
    using Pixels = std::shared_ptr<std::vector<std::uint16_t>>;
    using Decode = std::function<void(std::span<std::uint16_t>)>;

    static BlockCache& instance();
    /// Bytes that may be kept; 0 keeps nothing. What was kept before stays until it is displaced.
    void set_limit(std::size_t bytes);

    /// The block's `pixels` values; `decode` fills them when they are not there, and may throw. Reentrant.
    [[nodiscard]] Pixels get(const BlockKey& key, std::size_t pixels, const Decode& decode);
    /// One of the block's `readers` will not ask again; after the last one it goes.
    void passed(const BlockKey& key, std::size_t readers);
    /// Forgets all blocks.
    void clear();

  private:
    struct Slot {
        BlockKey key;
        Pixels pixels;
        std::size_t passed = 0;
    };
    struct Hash {
        std::size_t operator()(const BlockKey& k) const {
            return ((k.file.inode ^ k.file.device << 48) * 0x9E3779B97F4A7C15U) ^
                   (k.file.changed * 0xD6E8FEB86659FD93U) ^ (k.block * 0xC2B2AE3D27D4EB4FU);
        }
    };
    void remove(std::list<Slot>::iterator slot);

    std::mutex m_mutex;
    std::size_t m_limit = std::size_t{96} << 20, m_bytes = 0;
    std::list<Slot> m_order;  ///< the last used first
    std::unordered_map<BlockKey, std::list<Slot>::iterator, Hash> m_at;
    std::vector<Pixels> m_free;  ///< memory to use again, the warmest last
};

/// Tells the cache that the work of `reading` is done with a block that lies on `place` of the grid, if it
/// is.
void pass_block(BlockCache& cache, const BlockKey& key, const Window& place, const Reading& reading,
                const Grid& grid);

}  // namespace shuibao::io
