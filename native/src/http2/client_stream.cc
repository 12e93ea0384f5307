// Turns one HTTP/1.1 exchange into the frames of a stream, and back.
#include "http2/client_stream.h"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "http2/client_session.h"

namespace sluice::http2 {

namespace {

constexpr std::string_view kHeadEnd = "\r\n\r\n";
constexpr std::string_view kStatus = ":status";
/// Chunks are decoded in pieces of this size: the decoder works in place, and the request must stay
/// as it is.
constexpr size_t kPieceBytes = 16 * 1024;

}  // namespace

ClientStream::ClientStream(ClientSession* session, Pollable* watcher)
    : session_(session), watcher_(watcher) {}

ClientStream::~ClientStream() {
  if (session_ != nullptr) session_->Drop(this);
}

// --- the request ---

IoResult ClientStream::Send(std::string_view bytes) {
  if (session_ == nullptr || is_closed_) return {0, EPIPE};
  size_t taken = 0;
  if (send_phase_ == SendPhase::kHead) {
    const size_t end = bytes.find(kHeadEnd);
    if (end == std::string_view::npos) return {0, EPROTO};
    taken = end + kHeadEnd.size();
    if (!SendHead(bytes.substr(0, taken))) return {0, EPROTO};
  }
  if (taken < bytes.size()) taken += SendBody(bytes.substr(taken));
  is_short_ = taken < bytes.size();
  if (is_short_ && send_phase_ == SendPhase::kDone) return {taken, EPROTO};
  return {taken, is_short_ ? EAGAIN : 0};
}

bool ClientStream::SendHead(std::string_view head) {
  RequestFraming framing = RequestFraming::kNone;
  if (!session_->SubmitRequest(this, head, &framing, &body_left_bytes_)) return false;
  switch (framing) {
    case RequestFraming::kNone:
      send_phase_ = SendPhase::kDone;
      break;
    case RequestFraming::kLength:
      send_phase_ = SendPhase::kLength;
      break;
    case RequestFraming::kChunked:
      send_phase_ = SendPhase::kChunked;
      chunks_.Reset(true);
      break;
  }
  return true;
}

size_t ClientStream::SendBody(std::string_view bytes) {
  const size_t held = unsent_.size();
  const size_t room = held < kMostUnsentBytes ? kMostUnsentBytes - held : 0;
  size_t taken = 0;
  switch (send_phase_) {
    case SendPhase::kHead:
    case SendPhase::kDone:
      return 0;
    case SendPhase::kLength:
      taken =
          static_cast<size_t>(std::min<uint64_t>(std::min(room, bytes.size()), body_left_bytes_));
      unsent_.Append(bytes.substr(0, taken));
      body_left_bytes_ -= taken;
      if (body_left_bytes_ == 0) send_phase_ = SendPhase::kDone;
      break;
    case SendPhase::kChunked:
      taken = SendChunked(bytes);
      break;
  }
  if (is_deferred_ && (unsent_.size() > held || send_phase_ == SendPhase::kDone)) {
    is_deferred_ = false;
    session_->ResumeBody(id_);
  }
  return taken;
}

size_t ClientStream::SendChunked(std::string_view bytes) {
  std::array<char, kPieceBytes> piece;
  size_t taken = 0;
  while (taken < bytes.size() && unsent_.size() < kMostUnsentBytes) {
    const size_t size = std::min(piece.size(), bytes.size() - taken);
    std::memcpy(piece.data(), bytes.data() + taken, size);
    size_t decoded = 0;
    size_t consumed = 0;
    const auto status = chunks_.Decode(piece.data(), size, &decoded, &consumed);
    unsent_.Append({piece.data(), decoded});
    taken += consumed;
    if (status == http1::ChunkStatus::kNeedMore) continue;
    send_phase_ = SendPhase::kDone;
    break;
  }
  return taken;
}

size_t ClientStream::TakeBody(uint8_t* buffer, size_t size, bool* is_last) {
  const size_t taken = std::min(size, unsent_.size());
  if (taken > 0) {
    std::memcpy(buffer, unsent_.data(), taken);
    unsent_.DropFront(taken);
  }
  *is_last = unsent_.empty() && send_phase_ == SendPhase::kDone;
  is_deferred_ = taken == 0 && !*is_last;
  if (is_short_ && unsent_.size() <= kMostUnsentBytes / 2) {
    is_short_ = false;
    Tell(EPOLLOUT);
  }
  return taken;
}

// --- the response ---

IoResult ClientStream::Receive(char* buffer, size_t size) {
  if (received_.empty()) {
    if (end_ == StreamEnd::kOpen) return {0, EAGAIN};
    if (end_ == StreamEnd::kComplete) return {0, 0};
    return {0, error_number_ != 0 ? error_number_ : ECONNRESET};
  }
  const size_t taken = std::min(size, received_.size());
  std::memcpy(buffer, received_.data(), taken);
  received_.DropFront(taken);
  const size_t text = std::min(taken, unread_text_);
  unread_text_ -= text;
  if (taken > text && session_ != nullptr) session_->Consume(id_, taken - text);
  return {taken, 0};
}

void ClientStream::BeginBlock() {
  block_.clear();
  block_bytes_ = 0;
  is_block_final_ = true;
}

bool ClientStream::AddField(std::string_view name, std::string_view value) {
  if (end_ != StreamEnd::kOpen) return false;
  constexpr size_t kFramingBytes = 4;  // ": " and CRLF
  block_bytes_ += name.size() + value.size() + kFramingBytes;
  if (has_final_head_) {
    // As many and as long as those of a chunked body.
    if (++trailer_lines_ > http1::kMaxTrailers || block_bytes_ > http1::kMaxTrailerBytes) {
      End(StreamEnd::kTooLarge);
      return false;
    }
  } else if (block_bytes_ > session_->settings().response_head_bytes) {
    End(StreamEnd::kTooLarge);
    return false;
  }
  if (name == kStatus) {
    // Three digits: nghttp2 has seen to that, and that it comes first, and once.
    is_block_final_ = !value.starts_with('1');
    block_.append("HTTP/1.1 ").append(value).append(" \r\n");
    return true;
  }
  block_.append(name).append(": ").append(value).append("\r\n");
  return true;
}

bool ClientStream::EndBlock(bool is_end) {
  if (end_ != StreamEnd::kOpen) return false;
  if (has_final_head_) {
    trailers_.swap(block_);
    return true;
  }
  if ((!is_block_final_ && ++interims_ > kMostInterims) || (is_end && !is_block_final_)) {
    End(StreamEnd::kMalformed);
    return false;
  }
  has_final_head_ = is_block_final_;
  block_.append("\r\n");
  received_.Append(block_);
  unread_text_ += block_.size();
  std::string().swap(block_);
  if (!is_end) Tell(EPOLLIN);
  return true;
}

void ClientStream::AddData(std::string_view data) {
  received_.Append(data);
  Tell(EPOLLIN);
}

void ClientStream::EndData() {
  if (end_ == StreamEnd::kOpen) End(has_final_head_ ? StreamEnd::kComplete : StreamEnd::kMalformed);
}

void ClientStream::OnClosed(uint32_t error_code) {
  is_closed_ = true;
  unsent_.Free();
  if (end_ != StreamEnd::kOpen) return;
  error_code_ = error_code;
  if (error_code == NGHTTP2_REFUSED_STREAM) {
    End(StreamEnd::kRefused);
  } else {
    // What the endpoint did not reset was reset here: nghttp2 found a fault in it.
    End(was_reset_ || error_code == NGHTTP2_CANCEL ? StreamEnd::kReset : StreamEnd::kMalformed);
  }
}

void ClientStream::Lose(int error_number) {
  session_ = nullptr;
  is_closed_ = true;
  unsent_.Free();
  if (end_ != StreamEnd::kOpen) return;
  error_number_ = error_number;
  End(StreamEnd::kLost);
}

void ClientStream::End(StreamEnd end) {
  end_ = end;
  Tell(EPOLLIN | EPOLLRDHUP);
}

}  // namespace sluice::http2
