// Keeps account of a request's sent and unsent bytes.
#include "upstream/outgoing_request.h"

namespace sluice::upstream {

void OutgoingRequest::Begin() {
  held_.Clear();
  sent_ = 0;
  is_retaining_ = false;
  is_whole_ = true;
  has_reached_endpoint_ = false;
}

void OutgoingRequest::SetRetaining(bool is_retaining) {
  is_retaining_ = is_retaining;
  if (is_retaining || sent_ == 0) return;
  held_.DropFront(sent_);
  sent_ = 0;
  is_whole_ = false;
}

void OutgoingRequest::NoteSent(std::string_view bytes) {
  if (bytes.empty()) return;
  has_reached_endpoint_ = true;
  if (!is_retaining_) {
    is_whole_ = false;
    return;
  }
  held_.Append(bytes);
  sent_ += bytes.size();
  LimitRetained();
}

void OutgoingRequest::MarkSent(size_t count) {
  if (count == 0) return;
  has_reached_endpoint_ = true;
  if (is_retaining_) {
    sent_ += count;
    LimitRetained();
    return;
  }
  is_whole_ = false;
  held_.DropFront(count);
}

void OutgoingRequest::LimitRetained() {
  if (sent_ > kMaxReplayBytes) SetRetaining(false);
}

}  // namespace sluice::upstream
