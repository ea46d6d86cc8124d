// SPDX-License-Identifier: Apache-2.0
#include "tile_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <unordered_map>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "tiff_handle.hpp"
#include <shuibao/core/error.hpp>

namespace shuibao::io {
namespace fs = std::filesystem;
namespace {

constexpr std::uint32_t gdal_metadata = 42112;  // GDAL's tag: XML with the names of bands
constexpr std::size_t most_open = 400;

FileContent content_of(const struct stat& s) {
    return {s.st_dev, s.st_ino,
            static_cast<std::uint64_t>(s.st_mtim.tv_sec) * 1'000'000'000 +
                static_cast<std::uint64_t>(s.st_mtim.tv_nsec)};
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
    std::string errors;
    // "m": no memory map, under which a file that shrinks would kill the process.
    const auto tiff = open_tiff(m_path, "rm", errors);
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
    struct stat s {};
    if (m_fd < 0 || ::fstat(m_fd, &s) != 0) damaged(std::strerror(errno));
    m_content = content_of(s);
}

TileFile::~TileFile() {
    if (m_fd >= 0) ::close(m_fd);
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

void TileFile::load(std::size_t index, std::vector<char>& packed) const {
    const auto size = m_sizes[index];
    if (size > static_cast<std::size_t>(m_block * m_block) * 2 * sizeof(std::uint16_t) + 1024)
        damaged("a block is larger than it can be");
    packed.resize(size);
    for (std::size_t done = 0; done < size;) {
        const auto n =
            ::pread(m_fd, packed.data() + done, size - done, static_cast<off_t>(m_offsets[index] + done));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) damaged(n < 0 ? std::strerror(errno) : "it ends too early");
        done += static_cast<std::size_t>(n);
    }
}

void TileFile::decode(std::span<const char> packed, std::span<std::uint16_t> out) const {
    thread_local const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(),
                                                                                    &ZSTD_freeDCtx);
    const auto got =
        ZSTD_decompressDCtx(context.get(), out.data(), out.size_bytes(), packed.data(), packed.size());
    if (ZSTD_isError(got) != 0U) damaged(ZSTD_getErrorName(got));
    if (got != out.size_bytes()) damaged("a block is too short");
}

void TileFile::decode(std::size_t index, std::span<std::uint16_t> out) const {
    thread_local std::vector<char> packed;
    load(index, packed);
    decode(packed, out);
}

void TileFile::read(int plane, const Window& part, std::uint16_t* out, std::int64_t line,
                    const std::optional<Reading>& reading, const Grid& grid) {
    const auto row = part.row - m_tile.row, col = part.col - m_tile.col;
    auto& cache = BlockCache::instance();
    for (auto by = row / m_block; by * m_block < row + part.rows; ++by)
        for (auto bx = col / m_block; bx * m_block < col + part.cols; ++bx) {
            const auto r0 = std::max(row, by * m_block), r1 = std::min(row + part.rows, (by + 1) * m_block),
                       c0 = std::max(col, bx * m_block), c1 = std::min(col + part.cols, (bx + 1) * m_block);
            const auto index = static_cast<std::size_t>((plane * m_down + by) * m_across + bx);
            if (m_sizes[index] == 0) {  // a block of zeros
                for (auto r = r0; r < r1; ++r)
                    std::fill_n(out + (r - row) * line + (c0 - col), c1 - c0, std::uint16_t{0});
                continue;
            }
            // Asked for once and as a whole: no detour through the cache.
            const bool alone = reading && reading->next_row == Reading::end && reading->halo == 0 &&
                               line == m_block && r1 - r0 == m_block && c1 - c0 == m_block;
            if (alone) {
                decode(index, {out + (r0 - row) * line, static_cast<std::size_t>(m_block * m_block)});
                continue;
            }
            const BlockKey key{m_content, index};
            {
                const auto pixels = cache.get(key, static_cast<std::size_t>(m_block * m_block),
                                              [&](std::span<std::uint16_t> block) { decode(index, block); });
                for (auto r = r0; r < r1; ++r)
                    std::copy_n(pixels->data() + (r - by * m_block) * m_block + (c0 - bx * m_block), c1 - c0,
                                out + (r - row) * line + (c0 - col));
            }
            if (reading)
                pass_block(cache, key,
                           m_tile.intersection(
                               {m_tile.col + bx * m_block, m_tile.row + by * m_block, m_block, m_block}),
                           *reading, grid);
        }
}

void TileFile::read_once(int plane, const Window& part, std::uint16_t* out, std::int64_t line) const {
    thread_local std::vector<std::uint16_t> pixels;
    pixels.resize(static_cast<std::size_t>(m_block * m_block));
    const auto row = part.row - m_tile.row, col = part.col - m_tile.col;
    for (auto by = row / m_block; by * m_block < row + part.rows; ++by)
        for (auto bx = col / m_block; bx * m_block < col + part.cols; ++bx) {
            const auto r0 = std::max(row, by * m_block), r1 = std::min(row + part.rows, (by + 1) * m_block),
                       c0 = std::max(col, bx * m_block), c1 = std::min(col + part.cols, (bx + 1) * m_block);
            const auto index = static_cast<std::size_t>((plane * m_down + by) * m_across + bx);
            const bool zeros = m_sizes[index] == 0;
            if (!zeros) decode(index, pixels);
            for (auto r = r0; r < r1; ++r) {
                auto* to = out + (r - row) * line + (c0 - col);
                if (zeros)
                    std::fill_n(to, c1 - c0, std::uint16_t{0});
                else
                    std::copy_n(pixels.data() + (r - by * m_block) * m_block + (c0 - bx * m_block), c1 - c0,
                                to);
            }
        }
}

void TileFile::read_block(int plane, std::int64_t x, std::int64_t y, std::vector<char>& packed,
                          std::span<std::uint16_t> values) const {
    if (plane < 0 || plane >= planes() || x < 0 || x >= m_across || y < 0 || y >= m_down)
        damaged("it has fewer blocks than are asked for");
    const auto cols = std::min(m_block, m_tile.cols - x * m_block),
               rows = std::min(m_block, m_tile.rows - y * m_block);
    if (std::ssize(values) != cols * rows) damaged("its blocks are of another size than is asked for");
    load(static_cast<std::size_t>((plane * m_down + y) * m_across + x), packed);
    if (packed.empty()) {
        std::fill(values.begin(), values.end(), std::uint16_t{0});
        return;
    }
    if (std::ssize(values) == m_block * m_block) {
        decode(packed, values);
        return;
    }
    thread_local std::vector<std::uint16_t> pixels;
    pixels.resize(static_cast<std::size_t>(m_block * m_block));
    decode(packed, pixels);
    for (std::int64_t r = 0; r < rows; ++r)
        std::copy_n(pixels.data() + r * m_block, cols, values.data() + r * cols);
}

TileFile& TileFile::opened(const fs::path& path, const Window& tile) {
    struct Entry {
        std::unique_ptr<TileFile> file;
        std::uint64_t used;
    };
    thread_local std::unordered_map<std::string, Entry> open;
    thread_local std::uint64_t clock = 0;
    struct stat s {};
    if (::stat(path.c_str(), &s) != 0) s = {};
    const auto it = open.find(path.string());
    if (it != open.end()) {
        auto& e = it->second;
        if (e.file->m_content == content_of(s) && e.file->m_tile == tile) {
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
        e = {std::make_unique<TileFile>(path, tile), ++clock};
    } catch (...) {
        open.erase(path.string());
        throw;
    }
    return *e.file;
}

}  // namespace shuibao::io
