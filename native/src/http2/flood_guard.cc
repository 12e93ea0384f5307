// Judges frames by their headers.
#include "http2/flood_guard.h"

#include "http2/nghttp2.h"

namespace sluice::http2 {

FloodKind FloodGuard::OnFrame(uint8_t type, uint8_t flags, uint64_t payload_bytes,
                              uint64_t now_ms) {
  switch (type) {
    case NGHTTP2_HEADERS:
      continuations_ = 0;
      return FloodKind::kNone;
    case NGHTTP2_CONTINUATION:
      return ++continuations_ > limits_.continuations ? FloodKind::kContinuations
                                                      : FloodKind::kNone;
    case NGHTTP2_DATA:
      // With END_STREAM it says something.
      return payload_bytes == 0 && (flags & NGHTTP2_FLAG_END_STREAM) == 0 ? OnEmptyData(now_ms)
                                                                          : FloodKind::kNone;
    case NGHTTP2_RST_STREAM:
      return OnReset(now_ms);
    case NGHTTP2_SETTINGS:
      return Spend(FloodKind::kSettings, now_ms);
    case NGHTTP2_PING:
      return SpendEarned(FloodKind::kPings, now_ms);
    case NGHTTP2_PRIORITY:
    case NGHTTP2_PRIORITY_UPDATE:
      return SpendEarned(FloodKind::kPriorities, now_ms);
    case NGHTTP2_WINDOW_UPDATE:
      return SpendEarned(FloodKind::kWindowUpdates, now_ms);
    default:
      return FloodKind::kNone;  // passed over at once
  }
}

}  // namespace sluice::http2
