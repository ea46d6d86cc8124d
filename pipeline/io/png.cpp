// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <memory>

#include <cpl_conv.h>
#include <cpl_vsi.h>
#include <fmt/format.h>
#include <gdal_priv.h>

#include <shuibao/core/error.hpp>
#include <shuibao/io/atomic_output.hpp>
#include <shuibao/io/gdal_session.hpp>
#include <shuibao/io/png.hpp>

namespace shuibao::io {
namespace {

struct Close {
    void operator()(GDALDataset* d) const { GDALClose(d); }
};
using Dataset = std::unique_ptr<GDALDataset, Close>;

}  // namespace

void write_png(const std::filesystem::path& path, std::span<const std::uint8_t> rgb, int width, int height) {
    const GdalMessages messages;
    auto* manager = GetGDALDriverManager();
    AtomicOutput out(path);
    const Dataset memory(manager->GetDriverByName("MEM")->Create("", width, height, 3, GDT_Byte, nullptr));
    bool ok = memory != nullptr &&
              memory->RasterIO(GF_Write, 0, 0, width, height, const_cast<std::uint8_t*>(rgb.data()), width,
                               height, GDT_Byte, 3, nullptr, 3, GSpacing{3} * width, 1, nullptr) == CE_None;
    if (ok) {
        const Dataset png(manager->GetDriverByName("PNG")->CreateCopy(out.temporary().c_str(), memory.get(),
                                                                      FALSE, nullptr, nullptr, nullptr));
        ok = png != nullptr;
    }
    if (!ok || !messages.errors().empty())
        throw Error(ErrorCode::failed, fmt::format("Cannot write {}: {}.", path.string(), messages.reason()),
                    "Free some space or name another file.");
    out.commit();
}

std::string png_icon(std::span<const std::uint8_t> rgba, int width, int height) {
    static std::atomic<unsigned> serial{0};
    const auto name = fmt::format("/vsimem/icon{}.png", serial++);
    const GdalMessages messages;
    auto* manager = GetGDALDriverManager();
    const Dataset memory(manager->GetDriverByName("MEM")->Create("", width, height, 4, GDT_Byte, nullptr));
    bool ok = memory != nullptr &&
              memory->RasterIO(GF_Write, 0, 0, width, height, const_cast<std::uint8_t*>(rgba.data()), width,
                               height, GDT_Byte, 4, nullptr, 4, GSpacing{4} * width, 1, nullptr) == CE_None;
    if (ok)
        ok = Dataset(manager->GetDriverByName("PNG")->CreateCopy(name.c_str(), memory.get(), FALSE, nullptr,
                                                                 nullptr, nullptr)) != nullptr;
    vsi_l_offset size = 0;
    GByte* bytes = VSIGetMemFileBuffer(name.c_str(), &size, TRUE);
    std::string png(reinterpret_cast<const char*>(bytes),
                    bytes == nullptr ? 0 : static_cast<std::size_t>(size));
    CPLFree(bytes);
    if (!ok || png.empty())
        throw Error(ErrorCode::failed, fmt::format("Cannot make a PNG: {}.", messages.reason()),
                    "Install Debian's libgdal.");
    return png;
}

}  // namespace shuibao::io
