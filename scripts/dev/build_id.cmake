# SPDX-License-Identifier: Apache-2.0
# Writes build_id.cpp: the version and a hash of all sources. Same sources, same id, on any machine.
file(GLOB_RECURSE files RELATIVE ${ROOT} ${ROOT}/algorithms/*.[ch]pp ${ROOT}/pipeline/*.[ch]pp ${ROOT}/include/*.hpp)
list(SORT files)
set(all "")
foreach(file ${files})
  file(SHA256 ${ROOT}/${file} hash)
  string(APPEND all "${file} ${hash}\n")
endforeach()
string(SHA256 id "${all}")
string(SUBSTRING ${id} 0 16 id)
file(WRITE ${OUT} "namespace shuibao::apps {\nextern const char* const program_version;\nextern const char* const build_id;\nconst char* const program_version = \"${VERSION}\";\nconst char* const build_id = \"${VERSION}+${id}\";\n}\n")
