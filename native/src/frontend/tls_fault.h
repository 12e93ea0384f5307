// Why there is no TLS with a client.
#pragma once

#include <string>

#include "tls/channel.h"

namespace sluice::frontend {

/// Told with the end of its connection.
struct TlsFault {
  tls::TlsFailure failure = tls::TlsFailure::kNone;
  int error_number = 0;      // kPeerLeft
  int alert = 0;             // kAlert
  std::string verify_error;  // kBadCertificate
};

}  // namespace sluice::frontend
