// The table of nghttp2's functions and where they are in this process.
#include "http2/nghttp2_needs.h"

#include "http2/nghttp2.h"

namespace sluice::http2 {

std::span<const NeededFunction> NeededFunctions() {
  static const NeededFunction kNeeded[] = {
#define SLUICE_NEEDED_FUNCTION(name) {#name, reinterpret_cast<const void*>(&name)},
#include "http2/nghttp2_functions.inc"
#undef SLUICE_NEEDED_FUNCTION
  };
  return kNeeded;
}

}  // namespace sluice::http2
