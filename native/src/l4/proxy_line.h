// Reads the text line of PROXY protocol version 1.
#pragma once

#include <string_view>

#include "l4/proxy_header.h"

namespace sluice::l4 {

/// ParseProxyHeader for input that is no version 2: kInvalid at the first byte that no line has
/// there, and where the line cannot end within its 107 bytes any more.
PrefaceStatus ParseProxyLine(std::string_view input, ProxyHeader* header);

}  // namespace sluice::l4
