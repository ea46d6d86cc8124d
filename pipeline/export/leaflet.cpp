// SPDX-License-Identifier: Apache-2.0
#include "leaflet.hpp"

#include <cstddef>

// The files go into the program as they are: a report needs no network, and neither does the server that
// writes it.
asm(".section .rodata\n"
    ".globl shuibao_leaflet_script\n"
    "shuibao_leaflet_script:\n"
    ".incbin \"" SHUIBAO_LEAFLET_SCRIPT
    "\"\n"
    ".globl shuibao_leaflet_script_end\n"
    "shuibao_leaflet_script_end:\n"
    ".byte 0\n"
    ".globl shuibao_leaflet_style\n"
    "shuibao_leaflet_style:\n"
    ".incbin \"" SHUIBAO_LEAFLET_STYLE
    "\"\n"
    ".globl shuibao_leaflet_style_end\n"
    "shuibao_leaflet_style_end:\n"
    ".byte 0\n"
    ".previous\n");

extern "C" const char shuibao_leaflet_script[], shuibao_leaflet_script_end[], shuibao_leaflet_style[],
    shuibao_leaflet_style_end[];

namespace shuibao::pipeline {

std::string_view leaflet_script() {
    return {shuibao_leaflet_script,
            static_cast<std::size_t>(shuibao_leaflet_script_end - shuibao_leaflet_script)};
}

std::string_view leaflet_style() {
    return {shuibao_leaflet_style,
            static_cast<std::size_t>(shuibao_leaflet_style_end - shuibao_leaflet_style)};
}

}  // namespace shuibao::pipeline
