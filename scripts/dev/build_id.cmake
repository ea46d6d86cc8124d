# SPDX-License-Identifier: Apache-2.0
# Writes build_id.cpp: the version, a hash of all sources, and for the stages whose work is long a hash of what decides it,
# so that a program that words a report otherwise does not cut tiles anew. Same sources, same ids, on any machine.
# Also build_parts.txt ("STAGE FILE" a line), which tests/layers/check_parts.py holds against what is linked and included.
set(base include/shuibao/core/* algorithms/core/* include/shuibao/io/* pipeline/io/* include/shuibao/engine/* pipeline/engine/*
         include/shuibao/pipeline/archive.hpp include/shuibao/pipeline/prospect.hpp include/shuibao/pipeline/stage.hpp
         pipeline/stages/archive.cpp pipeline/stages/grid_file.cpp)
# Pages, tables and what goes to people: neither images nor change maps.
set(base_without page picture photo workbook zip cog database table value_raster box_index vector_exchange)
set(images ${base} pipeline/stages/catalog.cpp pipeline/stages/scene_*.[ch]pp pipeline/stages/tile.cpp
           algorithms/masks/* algorithms/normalisation/* algorithms/registration/*
           include/shuibao/algorithms/masks.hpp include/shuibao/algorithms/normalisation.hpp
           include/shuibao/algorithms/registration.hpp)
set(changes ${base} pipeline/stages/detect*.[ch]pp algorithms/detectors/* algorithms/series/* algorithms/composites/*
            include/shuibao/algorithms/cold.hpp include/shuibao/algorithms/composite.hpp include/shuibao/algorithms/detector.hpp
            include/shuibao/algorithms/harmonic_lasso.hpp include/shuibao/algorithms/irmad.hpp
            include/shuibao/algorithms/look.hpp include/shuibao/algorithms/robust_fit.hpp
            include/shuibao/algorithms/structural_change.hpp)
set(stages_of_images catalog register radiometry tile)
set(stages_of_changes fit detect)

function(id_of result)
  set(all "")
  foreach(file ${ARGN})
    file(SHA256 ${ROOT}/${file} hash)
    string(APPEND all "${file} ${hash}\n")
  endforeach()
  string(SHA256 id "${all}")
  string(SUBSTRING ${id} 0 16 id)
  set(${result} "${VERSION}+${id}" PARENT_SCOPE)
endfunction()

file(GLOB_RECURSE files RELATIVE ${ROOT} ${ROOT}/algorithms/*.[ch]pp ${ROOT}/pipeline/*.[ch]pp ${ROOT}/include/*.hpp)
list(SORT files)
id_of(id ${files})
set(codes "")
set(listed "")
foreach(part images changes)
  set(of_part "")
  foreach(pattern ${${part}})
    file(GLOB_RECURSE some RELATIVE ${ROOT} ${ROOT}/${pattern})
    list(APPEND of_part ${some})
  endforeach()
  list(FILTER of_part INCLUDE REGEX "[.][ch]pp$")
  foreach(name ${base_without})
    list(FILTER of_part EXCLUDE REGEX "/io/${name}[.][ch]pp$")
  endforeach()
  list(SORT of_part)
  list(REMOVE_DUPLICATES of_part)
  id_of(part_id ${of_part})
  foreach(stage ${stages_of_${part}})
    string(APPEND codes "    {\"${stage}\", \"${part_id}\"},\n")
  endforeach()
  list(GET stages_of_${part} -1 stage)
  foreach(file ${of_part})
    string(APPEND listed "${stage} ${file}\n")
  endforeach()
endforeach()
file(WRITE ${OUT} "#include \"build_id.hpp\"
namespace shuibao::apps {
const char* const program_version = \"${VERSION}\";
const char* const build_id = \"${id}\";
const std::map<std::string, std::string>& stage_codes() {
  static const std::map<std::string, std::string> codes = {
${codes}  };
  return codes;
}
}
")
get_filename_component(folder ${OUT} DIRECTORY)
file(WRITE ${folder}/build_parts.txt "${listed}")
