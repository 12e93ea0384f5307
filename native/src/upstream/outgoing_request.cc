// Keeps account of a request's sent and unsent bytes.
#include "upstream/outgoing_request.h"

namespace sluice::upstream {

void OutgoingRequest::Begin() {
  held_.Clear();
  sent_ = 0;
  most_retained_ = 0;
  is_whole_ = true;
  has_reached_endpoint_ = false;
}

void OutgoingRequest::Retain(size_t most_bytes) {
  most_retained_ = most_bytes;
  if (sent_ > most_bytes) DropRetained();
}

void OutgoingRequest::DropRetained() {
  most_retained_ = 0;
  held_.DropFront(sent_);
  sent_ = 0;
  is_whole_ = false;
}

void OutgoingRequest::NoteSent(std::string_view bytes) {
  if (bytes.empty()) return;
  has_reached_endpoint_ = true;
  if (most_retained_ == 0) {
    is_whole_ = false;
    return;
  }
  held_.Append(bytes);
  sent_ += bytes.size();
  if (sent_ > most_retained_) DropRetained();
}

void OutgoingRequest::MarkSent(size_t count) {
  if (count == 0) return;
  has_reached_endpoint_ = true;
  if (most_retained_ > 0) {
    sent_ += count;
    if (sent_ > most_retained_) DropRetained();
    return;
  }
  is_whole_ = false;
  held_.DropFront(count);
}

}  // namespace sluice::upstream
