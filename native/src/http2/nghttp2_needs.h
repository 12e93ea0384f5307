// Whether this Node exports all functions of nghttp2 that the engine calls.
#pragma once

#include <span>

#include "base/needed_function.h"

namespace sluice::http2 {

/// All of nghttp2_functions.inc. Nothing of HTTP/2 may be called while one is missing.
std::span<const NeededFunction> NeededFunctions();

}  // namespace sluice::http2
