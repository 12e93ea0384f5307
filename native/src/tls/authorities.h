// Authorities that many contexts believe: each text of them is parsed and kept once.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "tls/handles.h"

namespace sluice::tls {

/// A store that believes these authorities, shared with everyone who has asked for the same text
/// and still holds it: those of the system are some 150 certificates. Nobody may change it.
/// Thread-safe.
/// @param pem empty: nobody is believed
/// @returns nullptr: `error` says what is wrong
std::shared_ptr<X509_STORE> StoreOf(std::string_view pem, std::string* error);

}  // namespace sluice::tls
