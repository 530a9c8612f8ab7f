# offray::offray: the heavy templates for double and long double, compiled once, with the flags of the build that includes this.
# Needs OFFRAY_SOURCE_DIR and the target offray::headers.
add_library(offray STATIC EXCLUDE_FROM_ALL)
foreach(offray_part laws fit inference identify online)
  target_sources(offray PRIVATE ${OFFRAY_SOURCE_DIR}/${offray_part}.cpp ${OFFRAY_SOURCE_DIR}/${offray_part}_long_double.cpp)
  list(APPEND offray_long_double ${OFFRAY_SOURCE_DIR}/${offray_part}_long_double.cpp)
endforeach()
add_library(offray::offray ALIAS offray)
target_link_libraries(offray PUBLIC offray::headers)
# What is left of long double beside the kernels below gains nothing beyond this level, to the same bits, and compiles faster.
if(CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang" AND NOT MSVC)
  set_source_files_properties(${offray_long_double} PROPERTIES COMPILE_OPTIONS $<$<CONFIG:Release>:-O1>)
endif()
target_compile_definitions(offray INTERFACE OFFRAY_COMPILED)
set_target_properties(offray PROPERTIES POSITION_INDEPENDENT_CODE ON)

# The innermost loops, once per instruction set, chosen at run time. They need the vectors of GCC and Clang; any other compiler
# takes the templates of kernels.hpp. A source file's own options come last, so that they win over a debug build's, over
# -ffast-math, which would undo the roundings, and over -march=native, which would make the paths' results depend on the machine.
if(CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang" AND NOT MSVC)
  target_compile_definitions(offray PUBLIC OFFRAY_SIMD)
  target_sources(offray PRIVATE ${OFFRAY_SOURCE_DIR}/simd/simd.cpp ${OFFRAY_SOURCE_DIR}/simd/kernels_baseline.cpp)
  # They are vectors already, hence no vectoriser: it would only bloat what is left over.
  set(offray_kernel_flags -O3 -fno-fast-math -fno-trapping-math -fno-math-errno -ffp-contract=fast -fno-tree-vectorize)
  set(offray_baseline_flags)
  set(offray_processor ${CMAKE_SYSTEM_PROCESSOR})
  if(CMAKE_OSX_ARCHITECTURES)
    set(offray_processor ${CMAKE_OSX_ARCHITECTURES})
  endif()
  if("${offray_processor}" MATCHES "^(x86_64|AMD64|amd64)$" AND CMAKE_SIZEOF_VOID_P EQUAL 8)
    set(offray_baseline_flags -march=x86-64 -mno-avx)
    target_sources(offray PRIVATE ${OFFRAY_SOURCE_DIR}/simd/kernels_avx2.cpp ${OFFRAY_SOURCE_DIR}/simd/kernels_avx512.cpp)
    set_source_files_properties(${OFFRAY_SOURCE_DIR}/simd/simd.cpp PROPERTIES COMPILE_DEFINITIONS OFFRAY_SIMD_X86)
    set_source_files_properties(${OFFRAY_SOURCE_DIR}/simd/kernels_avx2.cpp PROPERTIES
      COMPILE_OPTIONS "${offray_kernel_flags};-march=x86-64;-mno-avx512f;-mavx2;-mfma")
    set_source_files_properties(${OFFRAY_SOURCE_DIR}/simd/kernels_avx512.cpp PROPERTIES
      COMPILE_OPTIONS "${offray_kernel_flags};-march=x86-64;-mavx512f;-mavx512dq;-mavx512vl;-mfma;-mprefer-vector-width=512")
  endif()
  set_source_files_properties(${OFFRAY_SOURCE_DIR}/simd/kernels_baseline.cpp PROPERTIES
    COMPILE_OPTIONS "${offray_kernel_flags};${offray_baseline_flags}")
endif()
