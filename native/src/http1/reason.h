// The reason phrases of the registered status codes.
#pragma once

#include <string_view>

namespace sluice::http1 {

/// The phrase of a status code in IANA's registry, or "Unknown".
/// @param status 100..999
std::string_view ReasonOf(int status);

}  // namespace sluice::http1
