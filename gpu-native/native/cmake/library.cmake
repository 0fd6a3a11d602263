# What every library and program of ours is compiled with.
function(gpusnap_defaults target)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include)
  target_compile_options(${target} PRIVATE -Wall -Wextra $<$<BOOL:${GPUSNAP_WERROR}>:-Werror>)
  target_compile_definitions(${target} PRIVATE
    GPUSNAP_VERSION="${PROJECT_VERSION}" GPUSNAP_CUDA_ABI_TYPES_ONLY)
  set_target_properties(${target} PROPERTIES
    POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
endfunction()

# A library that another distribution's process can load: it brings its own C++ runtime and shows only its map's symbols.
function(gpusnap_export_map target map)
  target_link_options(${target} PRIVATE
    -static-libstdc++ -static-libgcc -Wl,--version-script=${map} -Wl,--exclude-libs,ALL -Wl,--gc-sections -Wl,-z,defs -Wl,-z,now -Wl,-z,relro)
  set_target_properties(${target} PROPERTIES LINK_DEPENDS ${map})
endfunction()
