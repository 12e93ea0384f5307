// The window of a connection: what its peer may send ahead over all streams together.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "http2/nghttp2.h"

namespace sluice::http2 {

/// Gives the window back as content is used, by halves of what is left of it beside content that
/// nobody takes for now. nghttp2 does so by halves of the whole: streams would stand still beside
/// others that hold more than half. Padding and what is for streams that are gone it gives back by
/// itself, and keeps count of what is given back here. One thread.
class ReceiveWindow {
 public:
  explicit ReceiveWindow(size_t bytes) : bytes_(bytes) {}

  /// Content that has come and has not been used.
  size_t held_bytes() const { return held_bytes_; }
  void Hold(size_t bytes) { held_bytes_ += bytes; }

  /// Held content has been used; the stream may be gone.
  void Use(nghttp2_session* session, int32_t stream_id, size_t bytes) {
    held_bytes_ -= std::min(held_bytes_, bytes);
    nghttp2_session_consume_stream(session, stream_id, bytes);
    GiveBackByHalves(session);
  }

  /// For what came and was never told as content: padding, and what was for streams long gone.
  void GiveBackByHalves(nghttp2_session* session) const {
    GiveBack(session, (std::max(bytes_, held_bytes_) - held_bytes_) / 2);
  }
  /// At once, however little has been used.
  void GiveBackAll(nghttp2_session* session) const { GiveBack(session, 1); }

 private:
  void GiveBack(nghttp2_session* session, size_t least_bytes) const {
    const auto received =
        static_cast<size_t>(std::max(0, nghttp2_session_get_effective_recv_data_length(session)));
    const size_t used = received - std::min(received, held_bytes_);
    if (used == 0 || used < least_bytes) return;
    nghttp2_submit_window_update(session, NGHTTP2_FLAG_NONE, 0, static_cast<int32_t>(used));
  }

  size_t bytes_;
  size_t held_bytes_ = 0;
};

}  // namespace sluice::http2
