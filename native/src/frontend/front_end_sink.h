// What the front end tells whoever made it, what it is told of itself, and its counters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace sluice::frontend {

/// Takes batches; it may call anything of the front end from within, Close included.
class FrontEndSink {
 public:
  /// The first `count` events are filled; decisions are read from them when it returns.
  virtual void OnBatch(size_t count) = 0;
  /// Accepting in this worker fails (an errno) or works again (0).
  virtual void OnShortage(int error_number) = 0;

 protected:
  ~FrontEndSink() = default;
};

/// What the proxy says of itself to endpoints.
struct FrontEndIdentity {
  std::string via_name;
  std::string request_id_prefix;  // 24 hex digits
};

}  // namespace sluice::frontend
