// The table of OpenSSL's functions and where they are in this process.
#include "tls/openssl_needs.h"

#include "tls/openssl.h"

namespace sluice::tls {

std::span<const NeededFunction> NeededFunctions() {
  static const NeededFunction kNeeded[] = {
#define SLUICE_NEEDED_FUNCTION(name) {#name, reinterpret_cast<const void*>(&name)},
#include "tls/openssl_functions.inc"
#undef SLUICE_NEEDED_FUNCTION
  };
  return kNeeded;
}

std::string LibraryName() {
  const std::string name = OpenSSL_version(OPENSSL_VERSION);  // "OpenSSL 3.0.19 27 Jan 2026"
  return name.substr(0, name.find(' ', name.find(' ') + 1));
}

}  // namespace sluice::tls
