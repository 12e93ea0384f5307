// Turns OpenSSL's queue of errors into a reason that the rest of the engine knows.
#pragma once

#include <string>

#include "tls/channel.h"
#include "tls/handles.h"

namespace sluice::tls {

struct Failure {
  TlsFailure what = TlsFailure::kNone;
  int alert = 0;
  int error_number = 0;
  int verify_code = 0;  // X509_V_ERR_…
  /// OpenSSL's own words, which last as long as the process; "": it has none.
  const char* words = "";
};

/// Takes what the last call left in this thread's queue, and empties it.
Failure TakeFailure(const SSL* ssl);

/// The same for calls that set something up: the first error's words.
std::string TakeErrorWords();

/// Empties the queue of this thread before a call whose result is read from it. HOT.
inline void ForgetErrors() {
  if (ERR_peek_error() != 0) ERR_clear_error();
}

}  // namespace sluice::tls
