// Moves bytes between sessions of HTTP/2 and their sockets.
#include "upstream/http2_connection.h"

#include <algorithm>
#include <utility>

#include "upstream/connection.h"
#include "upstream/connection_pool.h"

namespace sluice::upstream {

Http2Connection::Http2Connection(EventLoop* loop, Http2ConnectionOwner* owner, ConnectionPool* pool)
    : loop_(loop), owner_(owner), pool_(pool), wire_(loop) {}

Http2Connection::~Http2Connection() {
  Close(0);
}

int Http2Connection::Begin(Connection* from) {
  const PoolSettings& settings = pool_->settings();
  addresses_ = from->addresses();
  address_ = static_cast<size_t>(&from->address() - addresses_->data());
  edition_ = from->edition;
  *wire_.socket() = from->TakeSocket();
  if (auto channel = from->TakeChannel()) wire_.Secure(std::move(channel));
  http2::ClientSessionSettings wanted;
  wanted.stream_window_bytes = settings.http2_stream_window_bytes;
  wanted.connection_window_bytes = settings.http2_connection_window_bytes;
  wanted.response_head_bytes = settings.response_head_bytes;
  wanted.is_tls = wire_.channel() != nullptr;
  wanted.authority = settings.server_name;
  session_ = http2::ClientSession::Make(wanted, this);
  if (session_ == nullptr) return ENOMEM;
  last_received_ms_ = loop_->now_ms();
  return loop_->Watch(wire_.fd(), EventLoop::kSocketEvents, this);
}

void Http2Connection::OnEvents(uint32_t epoll_events) {
  constexpr uint32_t kBroken = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
  if ((epoll_events & EPOLLOUT) != 0) is_writable_ = true;
  if ((epoll_events & EPOLLIN) != 0) is_readable_ = true;
  if ((epoll_events & kBroken) != 0) is_readable_ = is_hung_up_ = true;
  if (wire_.channel() != nullptr) {
    is_readable_ = is_writable_ = true;
    if (is_hung_up_) wire_.NoteHangUp();
  }
  owner_->OnCarrierReady(this);
}

// --- streams ---

bool Http2Connection::has_room() const {
  if (is_closed() || is_draining()) return false;
  return streams() < std::min(session_->most_streams(), pool_->settings().http2_streams);
}

std::unique_ptr<http2::ClientStream> Http2Connection::OpenStream(Pollable* watcher) {
  if (streams() == 0) silent_since_ms_ = loop_->now_ms();
  return session_->Open(watcher);
}

void Http2Connection::Drain() {
  is_draining_ = true;
}

bool Http2Connection::is_useless() const {
  // One that never spoke HTTP/2 would disappoint the next attempt, too.
  return streams() == 0 && (is_draining() || !session_->has_settings() || session_->is_over());
}

// --- bytes ---

bool Http2Connection::Read(char* window, size_t window_bytes) {
  const IoResult received = wire_.Receive(window, window_bytes);
  if (received.would_block()) {
    is_readable_ = false;
    return true;
  }
  if (received.error != 0 || received.bytes == 0) {
    refusal_ = session_->has_answered() ? 0 : wire_.refusal();
    const int error_number = received.error != 0 ? received.error : ECONNRESET;
    Close(refusal_ != 0 ? refusal_ : error_number);
    return false;
  }
  if (wire_.ends_next()) is_hung_up_ = true;
  if (received.bytes < window_bytes && !is_hung_up_) is_readable_ = false;
  last_received_ms_ = silent_since_ms_ = loop_->now_ms();
  is_asked_ = false;
  if (session_->Receive({window, received.bytes}, last_received_ms_)) return true;
  // What nghttp2 has to say of it (GOAWAY) goes out first.
  is_broken_ = true;
  (void)Flush();
  Close(EPROTO);
  return false;
}

bool Http2Connection::Flush() {
  while (is_writable_ && !is_closed()) {
    if (wire_.HasUnsent()) {
      const IoResult flushed = wire_.Flush();
      if (flushed.would_block()) {
        is_writable_ = false;
        break;
      }
      if (flushed.error != 0) {
        ReadOut();
        return true;
      }
    }
    if (unsent_.size() < kWriteBytes && !session_->Collect(&unsent_, kWriteBytes) && !is_broken_) {
      Close(EPROTO);
      return false;
    }
    if (unsent_.empty()) break;
    const IoResult sent = wire_.Send(unsent_.data(), unsent_.size());
    if (sent.error != 0 && !sent.would_block()) {
      ReadOut();
      return true;
    }
    if (sent.bytes < unsent_.size()) is_writable_ = false;
    unsent_.DropFront(sent.bytes);
  }
  if (is_closed() || !unsent_.empty() || !session_->is_over()) return true;
  // After a GOAWAY of either side. Where streams are left, the endpoint broke the rules.
  Close(streams() > 0 ? EPROTO : ECONNABORTED);
  return false;
}

void Http2Connection::ReadOut() {
  is_writable_ = false;
  is_readable_ = is_hung_up_ = true;
  wire_.NoteHangUp();
  owner_->OnCarrierReady(this);
}

// --- time and end ---

void Http2Connection::Arm() {
  const uint32_t ping_ms = pool_->settings().http2_ping_ms;
  if (streams() == 0) {
    // As it was, where it has been idle since.
    if (is_resting_) return;
    is_resting_ = true;
    is_asked_ = false;
    deadline_ms_ = loop_->now_ms() + pool_->settings().keep_alive_idle_ms;
  } else {
    is_resting_ = false;
    deadline_ms_ = ping_ms > 0 ? silent_since_ms_ + ping_ms : UINT64_MAX;
  }
  if (deadline_ms_ == UINT64_MAX) return;
  // As UpstreamClient::ArmAt: one that fires too early is armed again.
  if (!is_armed() || deadline_ms_ < expires_at_ms()) loop_->timers().Arm(this, deadline_ms_);
}

bool Http2Connection::OnDeadline() {
  if (streams() == 0) return false;
  const uint32_t ping_ms = pool_->settings().http2_ping_ms;
  if (ping_ms == 0 || loop_->now_ms() < silent_since_ms_ + ping_ms) return true;
  if (is_asked_) return false;
  is_asked_ = true;
  silent_since_ms_ = loop_->now_ms();
  session_->Ping();
  return true;
}

void Http2Connection::Close(int error_number) {
  if (is_closed()) return;
  if (error_number == 0 && session_ != nullptr) {
    session_->Finish();
    (void)Flush();
  }
  if (session_ != nullptr) session_->Lose(error_number == 0 ? ECONNABORTED : error_number);
  loop_->timers().Cancel(this);
  wire_.Close();
  unsent_.Free();
}

}  // namespace sluice::upstream
