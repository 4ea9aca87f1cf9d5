# What makes a fault hard to use, in what is given to others: included where a release is built. Each only where this
# compiler has it.
include(CheckCCompilerFlag)
include(CheckCSourceCompiles)

set(hardening -fstack-protector-strong)
foreach(flag IN ITEMS -fstack-clash-protection -fcf-protection=full -mbranch-protection=standard)
  string(MAKE_C_IDENTIFIER "RXTX_HAS${flag}" has) # of the last two one is x86's and one arm64's
  check_c_compiler_flag(${flag} ${has})
  if(${has})
    list(APPEND hardening ${flag})
  endif()
endforeach()

# 3 measures also what is only known while the program runs: gcc 12 or clang 9, and glibc 2.34.
set(CMAKE_REQUIRED_FLAGS "-O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3")
check_c_source_compiles("
#include <features.h>
#if __USE_FORTIFY_LEVEL < 3
#error not here
#endif
int main(void) { return 0; }" RXTX_HAS_FORTIFY_3)
unset(CMAKE_REQUIRED_FLAGS)
set(fortify $<IF:$<BOOL:${RXTX_HAS_FORTIFY_3}>,3,2>)

target_compile_options(rxtx_flags INTERFACE ${hardening} -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=${fortify})
target_link_options(rxtx_flags INTERFACE LINKER:-z,relro,-z,now,-z,noexecstack)
