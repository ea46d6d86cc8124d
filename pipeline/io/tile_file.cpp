// SPDX-License-Identifier: Apache-2.0
#include "tile_file.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <list>
#include <memory>
#include <unordered_map>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <tiffio.h>
#include <unistd.h>
#include <zstd.h>

#include <shuibao/core/error.hpp>

namespace shuibao::io {
namespace fs = std::filesystem;
namespace {

constexpr std::uint32_t gdal_metadata = 42112;               // GDAL's tag: XML with the names of bands
constexpr std::size_t cached_bytes = std::size_t{48} << 20;  // per thread: three rows of blocks of two looks
constexpr std::size_t most_open = 400;

struct CloseTiff {
    void operator()(TIFF* t) const { TIFFClose(t); }
};

// libtiff's errors of one file; its warnings are of tags it does not know, which are GDAL's.
int keep_error(TIFF* /*tiff*/, void* into, const char* /*module*/, const char* format, va_list arguments) {
    std::array<char, 256> text{};
    std::vsnprintf(text.data(), text.size(), format, arguments);
    auto& errors = *static_cast<std::string*>(into);
    errors += (errors.empty() ? "" : "; ") + std::string(text.data());
    return 1;
}
int keep_quiet(TIFF* /*tiff*/, void* /*into*/, const char* /*module*/, const char* /*format*/,
               va_list /*arguments*/) {
    return 1;
}

std::unique_ptr<TIFF, CloseTiff> open_tiff(const fs::path& path, std::string& errors) {
    const std::unique_ptr<TIFFOpenOptions, decltype(&TIFFOpenOptionsFree)> options(TIFFOpenOptionsAlloc(),
                                                                                   &TIFFOpenOptionsFree);
    TIFFOpenOptionsSetErrorHandlerExtR(options.get(), keep_error, &errors);
    TIFFOpenOptionsSetWarningHandlerExtR(options.get(), keep_quiet, nullptr);
    // "m": no memory map, under which a file that shrinks would kill the process.
    return std::unique_ptr<TIFF, CloseTiff>(TIFFOpenExt(path.c_str(), "rm", options.get()));
}

// Decoded blocks of this thread, the longest unused one goes first.
class BlockCache {
  public:
    struct Slot {
        std::uint64_t key;
        std::vector<std::uint16_t> pixels;
    };
    /// Null when it is not there.
    const std::uint16_t* find(std::uint64_t key) {
        const auto it = m_at.find(key);
        if (it == m_at.end()) return nullptr;
        m_order.splice(m_order.begin(), m_order, it->second);
        return it->second->pixels.data();
    }
    /// A slot for new content; it takes the place of the oldest one when the cache is full.
    std::span<std::uint16_t> take(std::uint64_t key, std::size_t pixels) {
        if (!m_order.empty() && (m_order.size() + 1) * pixels * sizeof(std::uint16_t) > cached_bytes) {
            m_order.splice(m_order.begin(), m_order, std::prev(m_order.end()));
            m_at.erase(m_order.front().key);
        } else {
            m_order.emplace_front();
        }
        auto& slot = m_order.front();
        slot.key = key;
        slot.pixels.resize(pixels);
        m_at[key] = m_order.begin();
        return slot.pixels;
    }
    void drop(std::uint64_t key) {
        const auto it = m_at.find(key);
        if (it == m_at.end()) return;
        m_order.erase(it->second);
        m_at.erase(it);
    }

  private:
    std::list<Slot> m_order;
    std::unordered_map<std::uint64_t, std::list<Slot>::iterator> m_at;
};

BlockCache& cache() {
    thread_local BlockCache blocks;
    return blocks;
}

// Names of bands from GDAL's metadata: <Item name="DESCRIPTION" sample="0" role="description">blue</Item>.
std::vector<std::string> names_in(const std::string& xml, std::size_t planes) {
    std::vector<std::string> names(planes);
    constexpr std::string_view start = "name=\"DESCRIPTION\" sample=\"";
    for (auto at = xml.find(start); at != std::string::npos; at = xml.find(start, at + 1)) {
        const std::size_t plane = std::strtoul(xml.c_str() + at + start.size(), nullptr, 10);
        const auto open = xml.find('>', at), close = xml.find('<', open);
        if (plane < planes && open != std::string::npos && close != std::string::npos)
            names[plane] = xml.substr(open + 1, close - open - 1);
    }
    return names;
}

std::string metadata_of(TIFF* tiff) {
    const TIFFField* field = TIFFFindField(tiff, gdal_metadata, TIFF_ANY);
    if (field == nullptr) return {};
    const char* text = nullptr;
    std::uint32_t length = 0;
    // Who registered the tag decides whether a length comes with it.
    const int ok = TIFFFieldPassCount(field) != 0 ? TIFFGetField(tiff, gdal_metadata, &length, &text)
                                                  : TIFFGetField(tiff, gdal_metadata, &text);
    return ok == 1 && text != nullptr ? std::string(text, ::strnlen(text, std::size_t{1} << 24))
                                      : std::string();
}

}  // namespace

TileFile::TileFile(fs::path path, const Window& tile) : m_path(std::move(path)), m_tile(tile) {
    static std::atomic<std::uint64_t> serial{0};
    m_serial = ++serial;
    std::string errors;
    const auto tiff = open_tiff(m_path, errors);
    if (!tiff)
        throw Error(ErrorCode::input,
                    fmt::format("The tile {} cannot be opened: {}.", m_path.string(),
                                errors.empty() ? std::strerror(errno) : errors),
                    "Delete it and run `shuibao tile` again: it will be made anew.");
    std::uint32_t cols = 0, rows = 0, block_cols = 0, block_rows = 0;
    std::uint16_t bits = 0, planes = 1, planar = PLANARCONFIG_CONTIG, compression = 0, predictor = 1;
    TIFFGetField(tiff.get(), TIFFTAG_IMAGEWIDTH, &cols);
    TIFFGetField(tiff.get(), TIFFTAG_IMAGELENGTH, &rows);
    if (cols != m_tile.cols || rows != m_tile.rows)
        throw Error(ErrorCode::input,
                    fmt::format("The tile {} has {} × {} pixels instead of {} × {}.", m_path.string(), cols,
                                rows, m_tile.cols, m_tile.rows),
                    "Delete it and run `shuibao tile` again: it will be made anew.");
    TIFFGetField(tiff.get(), TIFFTAG_TILEWIDTH, &block_cols);
    TIFFGetField(tiff.get(), TIFFTAG_TILELENGTH, &block_rows);
    TIFFGetFieldDefaulted(tiff.get(), TIFFTAG_BITSPERSAMPLE, &bits);
    TIFFGetFieldDefaulted(tiff.get(), TIFFTAG_SAMPLESPERPIXEL, &planes);
    TIFFGetFieldDefaulted(tiff.get(), TIFFTAG_PLANARCONFIG, &planar);
    TIFFGetField(tiff.get(), TIFFTAG_COMPRESSION, &compression);
    TIFFGetFieldDefaulted(tiff.get(), TIFFTAG_PREDICTOR, &predictor);
    if (block_cols == 0 || block_cols != block_rows || block_cols > 4096 || bits != 16 || planes == 0 ||
        (planar != PLANARCONFIG_SEPARATE && planes > 1) || compression != COMPRESSION_ZSTD || predictor > 1 ||
        TIFFIsByteSwapped(tiff.get()) != 0)
        damaged("it is not laid out as tiles of a store are");
    m_block = block_cols;
    m_across = (m_tile.cols + m_block - 1) / m_block;
    m_down = (m_tile.rows + m_block - 1) / m_block;
    m_names = names_in(metadata_of(tiff.get()), planes);
    const auto n = static_cast<std::size_t>(m_across * m_down) * planes;
    const std::uint64_t *offsets = nullptr, *sizes = nullptr;
    if (TIFFNumberOfTiles(tiff.get()) != n || TIFFGetField(tiff.get(), TIFFTAG_TILEOFFSETS, &offsets) != 1 ||
        TIFFGetField(tiff.get(), TIFFTAG_TILEBYTECOUNTS, &sizes) != 1 || offsets == nullptr ||
        sizes == nullptr)
        damaged(errors.empty() ? "its list of blocks is incomplete" : errors);
    m_offsets.assign(offsets, offsets + n);
    m_sizes.assign(sizes, sizes + n);
    m_fd = ::open(m_path.c_str(), O_RDONLY | O_CLOEXEC);
    if (m_fd < 0) damaged(std::strerror(errno));
}

TileFile::~TileFile() {
    if (m_fd >= 0) ::close(m_fd);
    for (std::size_t i = 0; i < m_offsets.size(); ++i) cache().drop(m_serial << 24 | i);
}

void TileFile::damaged(const std::string& why) const {
    throw Error(ErrorCode::input, fmt::format("The tile {} cannot be read: {}.", m_path.string(), why),
                "Delete it and run `shuibao tile` again: it will be made anew.");
}

int TileFile::plane(std::string_view name) const {
    const auto it = std::find(m_names.begin(), m_names.end(), name);
    if (it == m_names.end())
        throw Error(ErrorCode::input, fmt::format("The tile {} has no band '{}'.", m_path.string(), name),
                    "Delete it and run `shuibao tile` again.");
    return static_cast<int>(it - m_names.begin());
}

void TileFile::decode(std::size_t index, std::span<std::uint16_t> out) const {
    thread_local const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(),
                                                                                    &ZSTD_freeDCtx);
    thread_local std::vector<char> packed;
    const auto size = m_sizes[index];
    if (size == 0) {
        std::fill(out.begin(), out.end(), std::uint16_t{0});
        return;
    }
    if (size > out.size_bytes() * 2 + 1024) damaged("a block is larger than it can be");
    packed.resize(size);
    for (std::size_t done = 0; done < size;) {
        const auto n =
            ::pread(m_fd, packed.data() + done, size - done, static_cast<off_t>(m_offsets[index] + done));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) damaged(n < 0 ? std::strerror(errno) : "it ends too early");
        done += static_cast<std::size_t>(n);
    }
    const auto got = ZSTD_decompressDCtx(context.get(), out.data(), out.size_bytes(), packed.data(), size);
    if (ZSTD_isError(got) != 0U) damaged(ZSTD_getErrorName(got));
    if (got != out.size_bytes()) damaged("a block is too short");
}

const std::uint16_t* TileFile::block(int plane, std::int64_t x, std::int64_t y) {
    const auto index = static_cast<std::size_t>((plane * m_down + y) * m_across + x);
    const auto key = m_serial << 24 | index;
    auto& blocks = cache();
    if (const auto* known = blocks.find(key)) return known;
    const auto out = blocks.take(key, static_cast<std::size_t>(m_block * m_block));
    try {
        decode(index, out);
    } catch (...) {
        blocks.drop(key);
        throw;
    }
    return out.data();
}

void TileFile::read(int plane, const Window& part, std::uint16_t* out, std::int64_t line) {
    const auto row = part.row - m_tile.row, col = part.col - m_tile.col;
    for (auto by = row / m_block; by * m_block < row + part.rows; ++by)
        for (auto bx = col / m_block; bx * m_block < col + part.cols; ++bx) {
            const auto* pixels = block(plane, bx, by);
            const auto r0 = std::max(row, by * m_block), r1 = std::min(row + part.rows, (by + 1) * m_block),
                       c0 = std::max(col, bx * m_block), c1 = std::min(col + part.cols, (bx + 1) * m_block);
            for (auto r = r0; r < r1; ++r)
                std::copy_n(pixels + (r - by * m_block) * m_block + (c0 - bx * m_block), c1 - c0,
                            out + (r - row) * line + (c0 - col));
        }
}

TileFile& TileFile::opened(const fs::path& path, const Window& tile) {
    struct Entry {
        ino_t inode;
        timespec modified;
        std::unique_ptr<TileFile> file;
        std::uint64_t used;
    };
    thread_local std::unordered_map<std::string, Entry> open;
    thread_local std::uint64_t clock = 0;
    static_cast<void>(cache());  // made before, so destroyed after, the files that drop their blocks from it
    struct stat s {};
    if (::stat(path.c_str(), &s) != 0) s = {};
    const auto it = open.find(path.string());
    if (it != open.end()) {
        auto& e = it->second;
        if (e.inode == s.st_ino && e.modified.tv_sec == s.st_mtim.tv_sec &&
            e.modified.tv_nsec == s.st_mtim.tv_nsec && e.file->m_tile == tile) {
            e.used = ++clock;
            return *e.file;
        }
        open.erase(it);
    }
    if (open.size() >= most_open)
        open.erase(std::min_element(open.begin(), open.end(), [](const auto& a, const auto& b) {
            return a.second.used < b.second.used;
        }));
    auto& e = open[path.string()];
    try {
        e = {s.st_ino, s.st_mtim, std::make_unique<TileFile>(path, tile), ++clock};
    } catch (...) {
        open.erase(path.string());
        throw;
    }
    return *e.file;
}

}  // namespace shuibao::io
