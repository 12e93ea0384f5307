// Whether this Node exports all functions of OpenSSL that the engine calls.
#pragma once

#include <span>
#include <string>

#include "base/needed_function.h"

namespace sluice::tls {

/// All of openssl_functions.inc. Nothing of TLS may be called while one is missing.
std::span<const NeededFunction> NeededFunctions();

/// E.g. "OpenSSL 3.0.19". Only where nothing is missing.
std::string LibraryName();

}  // namespace sluice::tls
