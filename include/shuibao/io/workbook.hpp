// SPDX-License-Identifier: Apache-2.0
// Spreadsheets (XLSX) as data: real numbers and dates, text that stays text.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <shuibao/io/vector.hpp>

namespace shuibao::io {

struct SheetColumn {
    std::string title;
    int decimals = 0;                                 ///< shown of real numbers; the cell holds them all
    double width = 12;                                ///< characters
    std::map<std::string, std::uint32_t> fills = {};  ///< text → 0xRRGGBB behind it
    std::vector<std::string> choices = {};            ///< what people may enter; empty: anything
};

struct SheetTable {
    std::string title = {};  ///< a line above the header; empty: none
    std::vector<SheetColumn> columns;
    std::vector<std::vector<Value>> rows;  ///< one value per column; null stays empty
};

/// Tables below each other with an empty row between them.
struct Sheet {
    std::string name;                       ///< at most 31 characters, none of []:*?/\ (the format's limits)
    std::vector<std::string> preface = {};  ///< lines at the top; the first is the heading
    std::vector<SheetTable> tables;
    bool ledger = false;   ///< the last table's header is frozen and has filters
    std::size_t kept = 0;  ///< so many of a ledger's columns stay in sight when the others are scrolled
};

/// Texts are written as strings, never as formulas or links, and cut at the format's 32767 characters. No
/// time of writing inside: the same sheets give the same bytes. Atomic. Throws Error(failed) naming the path.
void write_workbook(const std::filesystem::path& path, const std::string& title,
                    std::span<const Sheet> sheets);

}  // namespace shuibao::io
