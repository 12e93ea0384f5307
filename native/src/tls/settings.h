// What both sides' contexts of OpenSSL have in common.
#pragma once

#include <string>

#include "tls/handles.h"

namespace sluice::tls {

/// Versions, cipher suites, curves; modes and options that are not the operator's to choose.
/// @returns what is wrong, or ""
std::string Configure(SSL_CTX* context, bool requires_tls13, const std::string& ciphers,
                      const std::string& cipher_suites, const std::string& curves);

}  // namespace sluice::tls
