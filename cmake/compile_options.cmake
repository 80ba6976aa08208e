# Language level, warnings, hardening, sanitizers and the compiler cache, for every target of the project.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O1 -g1")
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")

find_program(HAWSER_CCACHE ccache)
if(HAWSER_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      env "CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime"
      "CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}" "CCACHE_NOHASHDIR=1" "${HAWSER_CCACHE}")
endif()

add_library(hawser_options INTERFACE)
target_compile_options(hawser_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Wold-style-cast -Wcast-qual -Werror
  -fstack-protector-strong -fstack-clash-protection -fno-omit-frame-pointer -fno-plt)
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  target_compile_options(hawser_options INTERFACE -fcf-protection)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(hawser_options INTERFACE
    "SHELL:-Xclang -fno-pch-timestamp" -fdebug-compilation-dir=. -Wno-gnu-zero-variadic-macro-arguments)
  add_link_options(-fuse-ld=lld-19)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 sees overflows in libstdc++'s own std::string and vector where there are none (its bugs 105329, 105651, 106199).
  target_compile_options(hawser_options INTERFACE
    -Wno-array-bounds -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread)
endif()
target_compile_definitions(hawser_options INTERFACE _GLIBCXX_ASSERTIONS)
target_link_options(hawser_options INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack)
add_link_options(-pie)

if(HAWSER_SANITIZE STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all)
  add_link_options(-fsanitize=address,undefined)
elseif(HAWSER_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread)
  add_link_options(-fsanitize=thread)
elseif(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
  target_compile_definitions(hawser_options INTERFACE _FORTIFY_SOURCE=2)
endif()

if(HAWSER_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)  # coverage of the rooms, without which libFuzzer is blind
endif()
