# Where RXTX_STATIC has its libraries from: included by the main CMakeLists.txt instead of its own list.
set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
pkg_check_modules(GLIB REQUIRED IMPORTED_TARGET glib-2.0>=2.66)

# CMake's own -pie would undo the -static-pie before it.
set(CMAKE_C_LINK_OPTIONS_PIE -static-pie)

# Not by pkg-config, which wants what libpcap was built with for a D-Bus: see libpcap.c.
find_library(PCAP_LIBRARY pcap REQUIRED)
add_library(PkgConfig::PCAP INTERFACE IMPORTED)
target_link_libraries(PkgConfig::PCAP INTERFACE ${PCAP_LIBRARY})

# json-glib has no static library in Debian, and would bring GObject and GIO along.
add_library(PkgConfig::JSON INTERFACE IMPORTED)
target_include_directories(PkgConfig::JSON INTERFACE ${CMAKE_CURRENT_LIST_DIR})

add_compile_options(-ffunction-sections -fdata-sections -ffile-prefix-map=${PROJECT_SOURCE_DIR}/=)
