// Writes events into the words that TypeScript reads.
#include "upstream/event_batch.h"

#include <algorithm>

namespace sluice::upstream {

void EventBatch::Add(const Event& event) {
  int32_t* const words = memory_.events + count_ * kEventStride;
  words[kType] = static_cast<int32_t>(event.type);
  words[kExchange] = event.exchange;
  words[kStatus] = event.status;
  words[kFlags] = event.flags;
  words[kHeadOffset] = static_cast<int32_t>(event.head_offset);
  words[kHeadLength] = static_cast<int32_t>(event.head_bytes);
  words[kBodyOffset] = static_cast<int32_t>(event.body_offset);
  words[kBodyLength] = static_cast<int32_t>(event.body_bytes);
  words[kLengthLow] = static_cast<int32_t>(static_cast<uint32_t>(event.content_length));
  words[kLengthHigh] = static_cast<int32_t>(event.content_length >> 32);
  words[kElapsedUs] = static_cast<int32_t>(std::min<uint64_t>(event.elapsed_us, INT32_MAX));
  words[event.type == EventType::kHead ? kConnectUs : kErrno] =
      event.type == EventType::kHead
          ? static_cast<int32_t>(std::min<uint64_t>(event.connect_us, INT32_MAX))
          : event.error_number;
  ++count_;
}

void EventBatch::Withdraw(int32_t exchange) {
  for (size_t index = 0; index < count_; ++index) {
    int32_t* const words = memory_.events + index * kEventStride;
    if (words[kExchange] == exchange) words[kType] = static_cast<int32_t>(EventType::kNone);
  }
}

void EventBatch::Empty() {
  count_ = 0;
  used_bytes_ = 0;
  if (++serial_ == 0) serial_ = 1;
}

}  // namespace sluice::upstream
