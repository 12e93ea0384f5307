// Reads responses piece by piece.
#include "upstream/response_reader.h"

#include <algorithm>

namespace sluice::upstream {

namespace {

constexpr int kSwitchingProtocols = 101;
constexpr int kFirstFinalStatus = 200;

}  // namespace

void ResponseReader::Begin(bool is_head_request) {
  parser_.Reset();
  phase_ = Phase::kHead;
  is_head_request_ = is_head_request;
  interims_ = 0;
  FreeHeadInput();
}

ReadOutcome ResponseReader::Read(char* data, size_t size) {
  if (phase_ == Phase::kHead) return ReadHead(data, size);
  ReadOutcome outcome;
  outcome.verdict = ReadOutcome::Verdict::kBody;
  ReadBody(data, size, &outcome);
  return outcome;
}

ReadOutcome ResponseReader::ReadHead(char* data, size_t size) {
  ReadOutcome outcome;
  const bool is_in_pieces = !partial_head_.empty();
  if (is_in_pieces) partial_head_.append(data, size);
  std::string_view input =
      is_in_pieces ? std::string_view(partial_head_) : std::string_view(data, size);

  for (;;) {
    switch (parser_.Parse(input, is_head_request_, &head_)) {
      case http1::ParseStatus::kNeedMore:
        if (is_in_pieces) {
          partial_head_.erase(0, partial_head_.size() - input.size());
        } else {
          partial_head_.assign(input);
        }
        return outcome;
      case http1::ParseStatus::kInvalid:
        outcome.verdict = ReadOutcome::Verdict::kInvalid;
        return outcome;
      case http1::ParseStatus::kTooLarge:
        outcome.verdict = ReadOutcome::Verdict::kTooLarge;
        return outcome;
      case http1::ParseStatus::kDone:
        break;
    }
    if (head_.status >= kFirstFinalStatus) break;
    if (head_.status == kSwitchingProtocols || ++interims_ > kMaxInterims) {
      outcome.verdict = ReadOutcome::Verdict::kInvalid;
      return outcome;
    }
    parser_.Reset();
    input.remove_prefix(head_.head_bytes);
    if (input.empty()) {
      FreeHeadInput();
      return outcome;
    }
  }

  outcome.verdict = ReadOutcome::Verdict::kHead;
  outcome.head_input = input.substr(0, head_.head_bytes);
  // The head ended in this piece (it was incomplete before), so what follows it is the tail of
  // `data`.
  const size_t tail_bytes = input.size() - head_.head_bytes;
  switch (head_.body) {
    case http1::BodyKind::kNone:
      phase_ = Phase::kNone;
      break;
    case http1::BodyKind::kLength:
      phase_ = Phase::kLength;
      body_left_bytes_ = head_.content_length;
      break;
    case http1::BodyKind::kChunked:
      phase_ = Phase::kChunked;
      chunks_.Reset();
      break;
    case http1::BodyKind::kUntilClose:
      phase_ = Phase::kUntilClose;
      break;
  }
  ReadBody(data + (size - tail_bytes), tail_bytes, &outcome);
  return outcome;
}

void ResponseReader::ReadBody(char* data, size_t size, ReadOutcome* outcome) {
  outcome->body = data;
  switch (phase_) {
    case Phase::kHead:
    case Phase::kNone:
      outcome->is_complete = true;
      outcome->has_surplus = size > 0;
      return;
    case Phase::kUntilClose:
      outcome->body_bytes = size;
      return;
    case Phase::kLength: {
      const size_t taken = static_cast<size_t>(std::min<uint64_t>(size, body_left_bytes_));
      body_left_bytes_ -= taken;
      outcome->body_bytes = taken;
      outcome->is_complete = body_left_bytes_ == 0;
      outcome->has_surplus = taken < size;
      return;
    }
    case Phase::kChunked: {
      size_t consumed = 0;
      const auto status = chunks_.Decode(data, size, &outcome->body_bytes, &consumed);
      outcome->is_complete = status == http1::ChunkStatus::kDone;
      outcome->has_surplus = outcome->is_complete && consumed < size;
      if (status == http1::ChunkStatus::kInvalid) outcome->verdict = ReadOutcome::Verdict::kInvalid;
      return;
    }
  }
}

}  // namespace sluice::upstream
