# offray::offray: the heavy templates for double and long double, compiled once, with the flags of the build that includes this.
# Needs OFFRAY_SOURCE_DIR and the target offray::headers.
add_library(offray STATIC EXCLUDE_FROM_ALL ${OFFRAY_SOURCE_DIR}/double.cpp ${OFFRAY_SOURCE_DIR}/long_double.cpp)
add_library(offray::offray ALIAS offray)
target_link_libraries(offray PUBLIC offray::headers)
target_compile_definitions(offray INTERFACE OFFRAY_COMPILED)
set_target_properties(offray PROPERTIES POSITION_INDEPENDENT_CODE ON)
