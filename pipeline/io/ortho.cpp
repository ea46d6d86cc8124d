// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <memory>

#include <cpl_string.h>
#include <cpl_vsi.h>
#include <fmt/format.h>
#include <gdal_alg.h>
#include <gdal_utils.h>

#include "dataset.hpp"
#include "raster_source.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/io/gdal_session.hpp>
#include <shuibao/io/ortho.hpp>

namespace shuibao::io {
namespace {

struct FreeList {
    void operator()(char** list) const { CSLDestroy(list); }
};
using TextList = std::unique_ptr<char*, FreeList>;
struct FreeTransformer {
    void operator()(void* t) const { GDALDestroyGenImgProjTransformer(t); }
};
struct FreeWarp {
    void operator()(GDALWarpAppOptions* o) const { GDALWarpAppOptionsFree(o); }
};

std::string utm_of(double longitude, double latitude) {
    const int zone = std::clamp(static_cast<int>(std::floor((longitude + 180) / 6)) + 1, 1, 60);
    return fmt::format("EPSG:{}", (latitude < 0 ? 32700 : 32600) + zone);
}

double rounded(double gsd) {
    return gsd < 1 ? std::max(0.1, std::round(gsd * 10) / 10) : std::round(gsd);
}

Error refusal(const std::string& path, const std::string& why) {
    return {ErrorCode::input, fmt::format("{} cannot be laid on the ground by its RPC: {}.", path, why),
            "Check its RPC, or give an orthoimage."};
}

// The pixel size that keeps the image's own resolution.
double own_gsd(GDALDataset& image, const std::string& path, char** transform) {
    const GdalMessages messages;
    const std::unique_ptr<void, FreeTransformer> transformer(
        GDALCreateGenImgProjTransformer2(&image, nullptr, transform));
    double gt[6];
    int cols = 0, rows = 0;
    if (!transformer || GDALSuggestedWarpOutput(&image, GDALGenImgProjTransform, transformer.get(), gt, &cols,
                                                &rows) != CE_None)
        throw refusal(path, messages.reason());
    return rounded(gt[1]);
}

}  // namespace

std::string ortho_view(const std::string& path, const OrthoOptions& options) {
    const auto image = open_raster(path);
    char** rpc = image->GetMetadata("RPC");
    const auto number = [&](const char* key) {
        const char* text = CSLFetchNameValue(rpc, key);
        if (text == nullptr) throw refusal(path, fmt::format("{} is missing", key));
        return CPLAtof(text);
    };
    if (rpc == nullptr) throw refusal(path, "it has none");
    const auto crs = options.crs.empty() ? utm_of(number("LONG_OFF"), number("LAT_OFF")) : options.crs;
    static_cast<void>(known_reference(crs));
    TextList transform(CSLSetNameValue(nullptr, "METHOD", "RPC"));
    const auto set = [&](const char* key, const std::string& value) {
        transform.reset(CSLSetNameValue(transform.release(), key, value.c_str()));
    };
    if (options.dem.empty()) {
        set("RPC_HEIGHT", fmt::format("{}", number("HEIGHT_OFF")));
    } else {
        set("RPC_DEM", options.dem);
        set("RPC_DEM_MISSING_VALUE", fmt::format("{}", number("HEIGHT_OFF")));
    }
    set("DST_SRS", crs);
    const auto gsd =
        fmt::format("{}", options.gsd > 0 ? options.gsd : own_gsd(*image, path, transform.get()));

    TextList args;
    const auto say = [&](const std::string& word) { args.reset(CSLAddString(args.release(), word.c_str())); };
    for (const char* word : {"-of", "VRT", "-rpc", "-r", "bilinear", "-dstnodata", "0", "-tap", "-t_srs"})
        say(word);
    say(crs);
    for (const auto& word : {std::string("-tr"), gsd, gsd}) say(word);
    for (char** option = transform.get(); *option != nullptr; ++option) {
        if (!std::string_view(*option).starts_with("RPC_")) continue;
        say("-to");
        say(*option);
    }
    const std::unique_ptr<GDALWarpAppOptions, FreeWarp> warp(GDALWarpAppOptionsNew(args.get(), nullptr));
    // In memory, under a name of its own: GDAL writes a VRT as it closes it.
    const auto name = fmt::format("/vsimem/shuibao-ortho-{:p}.vrt", static_cast<void*>(image.get()));
    GDALDatasetH source = image.get();
    {
        const GdalMessages messages;
        int wrong = 0;
        const GDALDatasetUniquePtr view(
            GDALDataset::FromHandle(GDALWarp(name.c_str(), nullptr, 1, &source, warp.get(), &wrong)));
        if (!view || wrong != 0) throw refusal(path, messages.reason());
    }
    vsi_l_offset size = 0;
    const std::unique_ptr<GByte, decltype(&VSIFree)> text(VSIGetMemFileBuffer(name.c_str(), &size, TRUE),
                                                          VSIFree);
    return {reinterpret_cast<const char*>(text.get()), static_cast<std::size_t>(size)};
}

}  // namespace shuibao::io
