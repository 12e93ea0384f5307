// Reads responses piece by piece.
#include "upstream/response_reader.h"

#include <algorithm>

namespace sluice::upstream {

namespace {

constexpr int kSwitchingProtocols = 101;
constexpr int kFirstFinalStatus = 200;
constexpr int kFirstRedirection = 300;

}  // namespace

void ResponseReader::Begin(ResponseMode mode) {
  parser_.Reset();
  phase_ = Phase::kHead;
  mode_ = mode;
  interims_ = 0;
  has_read_interim_ = false;
  FreeReported();
}

ReadOutcome ResponseReader::Read(char* data, size_t size) {
  if (phase_ == Phase::kHead) return ReadHead(data, size);
  ReadOutcome outcome;
  outcome.verdict = ReadOutcome::Verdict::kBody;
  ReadBody(data, size, &outcome);
  return outcome;
}

ReadOutcome ResponseReader::ReadHead(char* data, size_t size) {
  using Verdict = ReadOutcome::Verdict;
  if (has_read_interim_) {
    has_read_interim_ = false;
    parser_.Reset();
    FreeReported();
  }
  ReadOutcome outcome;
  const bool is_in_pieces = !partial_head_.empty();
  if (is_in_pieces) partial_head_.append(data, size);
  const std::string_view input =
      is_in_pieces ? std::string_view(partial_head_) : std::string_view(data, size);
  switch (parser_.Parse(input, mode_.is_head_request, &head_)) {
    case http1::ParseStatus::kNeedMore:
      if (!is_in_pieces) partial_head_.assign(input);
      return outcome;
    case http1::ParseStatus::kInvalid:
      outcome.verdict = Verdict::kInvalid;
      return outcome;
    case http1::ParseStatus::kTooLarge:
      outcome.verdict = Verdict::kTooLarge;
      return outcome;
    case http1::ParseStatus::kDone:
      break;
  }

  outcome.head_input = input.substr(0, head_.head_bytes);
  // The head ended in this piece (it was incomplete before), so what follows it is the tail of
  // `data`.
  outcome.body_bytes = input.size() - head_.head_bytes;
  outcome.body = data + (size - outcome.body_bytes);
  if (IsSwitch()) {
    outcome.verdict = Verdict::kSwitched;
  } else if (head_.status < kFirstFinalStatus) {
    const bool is_valid = head_.status != kSwitchingProtocols && ++interims_ <= kMaxInterims;
    outcome.verdict = is_valid ? Verdict::kInterim : Verdict::kInvalid;
    has_read_interim_ = true;
  } else {
    outcome.verdict = Verdict::kHead;
    BeginBody();
    ReadBody(outcome.body, outcome.body_bytes, &outcome);
  }
  return outcome;
}

bool ResponseReader::IsSwitch() const {
  if (head_.status == kSwitchingProtocols) return mode_.takes_switch;
  return mode_.is_connect_request && head_.status >= kFirstFinalStatus &&
         head_.status < kFirstRedirection;
}

void ResponseReader::End(ReadOutcome* outcome, std::string_view trailers) {
  outcome->is_complete = true;
  if (mode_.keeps_trailers) outcome->trailers = trailers;
}

void ResponseReader::BeginBody() {
  if (mode_.ends_with_stream && head_.body != http1::BodyKind::kNone) {
    phase_ = Phase::kUntilClose;
    return;
  }
  switch (head_.body) {
    case http1::BodyKind::kNone:
      phase_ = Phase::kNone;
      return;
    case http1::BodyKind::kLength:
      phase_ = Phase::kLength;
      body_left_bytes_ = head_.content_length;
      return;
    case http1::BodyKind::kChunked:
      phase_ = Phase::kChunked;
      chunks_.Reset();
      return;
    case http1::BodyKind::kUntilClose:
      phase_ = Phase::kUntilClose;
      return;
  }
}

void ResponseReader::ReadBody(char* data, size_t size, ReadOutcome* outcome) {
  outcome->body = data;
  outcome->body_bytes = 0;
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
      std::string* const trailers = mode_.keeps_trailers ? &trailers_ : nullptr;
      const auto status = chunks_.Decode(data, size, &outcome->body_bytes, &consumed, trailers);
      outcome->is_complete = status == http1::ChunkStatus::kDone;
      outcome->has_surplus = outcome->is_complete && consumed < size;
      if (outcome->is_complete) outcome->trailers = trailers_;
      if (status == http1::ChunkStatus::kInvalid) outcome->verdict = ReadOutcome::Verdict::kInvalid;
      return;
    }
  }
}

}  // namespace sluice::upstream
