// How streams of HTTP/2 are exchanges: their requests, bodies, answers and ends.
#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "frontend/client_session.h"
#include "frontend/front_end.h"
#include "http1/field_name.h"
#include "http2/websocket_key.h"
#include "tls/channel.h"

namespace sluice::frontend {

namespace {

/// So much in a session's buffer goes out before the turn ends: two TLS records.
constexpr size_t kWriteNowBytes = 32 * 1024;

ClientSession* SessionOf(http2::ServerSession* session) {
  return static_cast<ClientSession*>(session);
}

ClientStream* StreamOf(http2::ServerStream* stream) {
  return static_cast<ClientStream*>(stream);
}

}  // namespace

// --- requests ---

ClientStream* FrontEnd::TakeStream(ClientSession* session, int32_t stream_id) {
  if (free_streams_.empty()) {
    streams_.push_back(
        std::make_unique<ClientStream>(static_cast<ConnectionOwner*>(this), streams_.size()));
    free_streams_.push_back(streams_.back().get());
  }
  ClientStream* const stream = free_streams_.back();
  free_streams_.pop_back();
  stream->Begin(session->wire, stream_id);
  session->streams.PushBack(stream);
  return stream;
}

void FrontEnd::GiveStream(ClientStream* stream) {
  if (stream->fd.is_open()) {
    loop_->Forget(stream->fd.get());
    stream->fd.Reset();
  }
  loop_->timers().Cancel(stream);
  stream->ListHook<ConnectionReadyTag>::Unlink();
  stream->ListHook<SessionStreamTag>::Unlink();
  stream->state = ConnectionState::kFree;
  if (stream->unread != nullptr) {
    stream->unread->bytes.Clear();
    stream->unread->has_partial_head = false;
  }
  if (ClientConnection* const wire = std::exchange(stream->wire, nullptr); wire != nullptr) {
    if (wire->session->streams.empty()) {
      wire->session->idle_since_ms = loop_->now_ms();
      ArmSession(wire);
    }
  }
  free_streams_.push_back(stream);
}

http2::ServerStream* FrontEnd::OnRequest(http2::ServerSession* session,
                                         const http2::RequestHead& head) {
  ClientStream* const stream = TakeStream(SessionOf(session), head.stream_id);
  ++stream->wire->requests;
  ++counts_[stream->listener].http2_streams;
  stream->own_fields = head.own_fields;
  stream->has_request_ended = head.is_last;
  if (head.is_too_large) {
    BeginFaulty(stream, http1::RequestFault::kHeadTooLarge, {});
    return BegunOrGiven(stream);
  }
  if (head.is_extended_connect) {
    stream->websocket_key = http2::MakeWebSocketKey();
    ++stream->own_fields;
    std::string text(head.text.substr(0, head.text.size() - 2));
    text.append("sec-websocket-key: ").append(stream->websocket_key).append("\r\n\r\n");
    return BeginStream(stream, text);
  }
  return BeginStream(stream, head.text);
}

http2::ServerStream* FrontEnd::BeginStream(ClientStream* stream, std::string_view head) {
  if (!HasRoomToRead()) {
    // The batch is to be delivered first.
    KeepUnread(stream, head);
    stream->state = ConnectionState::kReading;
    OnConnectionReady(stream);
    return stream;
  }
  std::memcpy(batch_.free(), head.data(), head.size());
  const std::string_view text(batch_.free(), head.size());
  http1::ClientRequest request;
  parser_.Reset(LimitsOf(*stream));
  if (parser_.Parse(text, &request) != http1::ParseStatus::kDone) {
    BeginFaulty(stream, parser_.fault(), text);
    return BegunOrGiven(stream);
  }
  batch_.Use(request.head_bytes);
  (void)BeginExchange(stream, request);
  return BegunOrGiven(stream);
}

http2::ServerStream* FrontEnd::BegunOrGiven(ClientStream* stream) {
  if (stream->exchange != nullptr) return stream;
  // As many are open as can be told apart.
  GiveStream(stream);
  return nullptr;
}

void FrontEnd::RefuseStream(ClientStream* stream) {
  ++counts_[stream->listener].refused_streams;
  if (stream->wire != nullptr) {
    stream->wire->session->Reset(stream, NGHTTP2_REFUSED_STREAM);
    WriteLater(stream->wire->session.get());
  }
  GiveStream(stream);
}

int32_t FrontEnd::WireNumber(const ClientConnection& connection) {
  if (connection.stream == nullptr) return connection.number;
  return connection.stream->wire == nullptr ? -1 : connection.stream->wire->number;
}

http1::ClientRequestLimits FrontEnd::LimitsOf(const ClientConnection& connection) const {
  http1::ClientRequestLimits limits = ListenerOf(connection).limits;
  if (connection.stream != nullptr) limits.headers += connection.stream->own_fields;
  return limits;
}

bool FrontEnd::IsMisdirected(const ClientStream& stream, std::string_view host) {
  const ClientConnection* const wire = stream.wire;
  const Carrier* const carrier = wire == nullptr ? nullptr : wire->carrier.get();
  const tls::Channel* const channel = carrier == nullptr ? nullptr : carrier->channel();
  // Who has asked for no name has got what there was, and judges for itself.
  if (channel == nullptr || channel->server_name().empty()) return false;
  const size_t port = host.rfind(':');
  if (port != std::string_view::npos && host.find(']', port) == std::string_view::npos)
    host = host.substr(0, port);
  std::string& covered = wire->session->covered_host;
  if (host == covered || http1::EqualsIgnoringCase(host, channel->server_name())) return false;
  if (!channel->HasShownNameOf(host)) return true;
  covered = host;
  return false;
}

// --- bodies ---

void FrontEnd::OnData(http2::ServerSession* session, http2::ServerStream* of,
                      std::string_view bytes, bool is_last) {
  ClientStream* const stream = StreamOf(of);
  ClientExchange* const exchange = stream->exchange;
  const bool is_unwanted = stream->state == ConnectionState::kLingering ||
                           (exchange != nullptr && exchange->is_body_broken);
  if (is_unwanted) {
    session->Consume(stream->id, bytes.size());
    return OnConnectionReady(stream);
  }
  const bool is_fed = exchange != nullptr && stream->state == ConnectionState::kExchange &&
                      WantsBody(*exchange) && !stream->holds_input();
  if (!is_fed) {
    KeepUnread(stream, bytes);
    return OnConnectionReady(stream);
  }
  FeedStream(exchange, bytes, is_last);
  session->Consume(stream->id, bytes.size());
}

void FrontEnd::OnRequestEnd(http2::ServerSession* /*session*/, http2::ServerStream* of) {
  OnConnectionReady(StreamOf(of));
}

void FrontEnd::FeedStream(ClientExchange* exchange, std::string_view bytes, bool is_last) {
  if (!exchange->is_streamed) {
    // The session holds content against its announced length.
    bytes = bytes.substr(0, std::min<uint64_t>(bytes.size(), exchange->body_left_bytes));
    exchange->body_left_bytes -= bytes.size();
    exchange->is_body_complete = exchange->body_left_bytes == 0;
  } else {
    exchange->is_body_complete = is_last;
  }
  HandOn(exchange, bytes, bytes.size());
}

void FrontEnd::ReadStreamBody(ClientStream* stream) {
  ClientExchange* const exchange = stream->exchange;
  size_t size = 0;
  if (stream->holds_input()) {
    ByteBuffer& bytes = stream->unread->bytes;
    size = std::min(bytes.size(), kBodyWindowBytes);
    FeedStream(exchange, bytes.view().substr(0, size),
               stream->has_request_ended && size == bytes.size());
    bytes.DropFront(size);
  } else if (stream->has_request_ended) {
    FeedStream(exchange, {}, true);
  }
  Used(stream, size);
  if (stream->state != ConnectionState::kExchange) return;
  if (WantsBody(*exchange) && IsBodyTooSlow(*exchange, loop_->now_ms()))
    ReportFault(exchange, http1::RequestFault::kBodyTimeout);
  ArmExchange(stream);
  OnConnectionReady(stream);
}

void FrontEnd::Used(ClientStream* stream, size_t bytes) {
  if (bytes == 0 || stream->wire == nullptr) return;
  stream->wire->session->Consume(stream->id, bytes);
  WriteLater(stream->wire->session.get());
}

// --- readiness ---

bool FrontEnd::IsStreamReady(const ClientStream& stream) const {
  switch (stream.state) {
    case ConnectionState::kReading:
      return stream.holds_input();
    case ConnectionState::kExchange:
      return stream.is_broken() || stream.is_writable() ||
             (WantsBody(*stream.exchange) && (stream.holds_input() || stream.has_request_ended));
    case ConnectionState::kTunnel:
      return true;
    case ConnectionState::kLingering:
      return stream.is_broken() || stream.has_request_ended;
    default:
      return false;
  }
}

void FrontEnd::HandleStream(ClientStream* stream) {
  if (stream->state == ConnectionState::kLingering) {
    // Some clients see that they are done only when something comes behind their last byte.
    if (stream->has_request_ended) stream->wire->session->GiveBack();
    return LeaveStream(stream);
  }
  if (stream->state == ConnectionState::kReading) return ParseUnread(stream);
  if (stream->state == ConnectionState::kTunnel) return MoveTunnel(stream);
  ClientExchange* const exchange = stream->exchange;
  if (stream->is_broken()) return Finish(exchange, ClientEnd::kGone);
  if (stream->is_writable()) {
    stream->signs &= ~uint32_t{EPOLLOUT};
    exchange->is_unsent = stream->is_ending && !stream->has_ended;
    if (exchange->is_taken()) {
      if (exchange->stage == Stage::kFlushing) return Finish(exchange, ClientEnd::kDelivered);
      if (std::exchange(exchange->is_endpoint_paused, false)) client_->Resume(exchange->attempt_id);
    }
    ArmExchange(stream);
  }
  if (WantsBody(*exchange)) ReadStreamBody(stream);
}

void FrontEnd::OnTaken(http2::ServerSession* /*session*/, http2::ServerStream* of) {
  StreamOf(of)->Signal(EPOLLOUT);
}

void FrontEnd::OnReset(http2::ServerSession* /*session*/, http2::ServerStream* of) {
  ClientStream* const stream = StreamOf(of);
  // Whoever has the whole answer may end its request as it likes.
  if (!stream->has_ended || stream->state == ConnectionState::kLingering) stream->Signal(EPOLLHUP);
}

// --- answers ---

void FrontEnd::PutToStream(ClientExchange* exchange, const http2::Outgoing& outgoing) {
  ClientStream* const stream = exchange->connection->stream;
  if (!stream->is_live || stream->wire == nullptr) return;  // its end is on its way
  ClientSession* const session = stream->wire->session.get();
  session->Send(stream, outgoing);
  exchange->is_unsent = stream->is_ending && !stream->has_ended;
  WriteLater(session);
  if (session->out().size() >= kWriteNowBytes && stream->wire->is_writable()) WriteSession(session);
  if (exchange->is_taken()) return;
  exchange->written_at_ms = loop_->now_ms();
  stream->seen_bytes = stream->sent_bytes;
  ArmExchange(stream);
}

bool FrontEnd::HasStreamMoved(ClientExchange* exchange) {
  ClientStream* const stream = exchange->connection->stream;
  if (stream == nullptr ||
      std::exchange(stream->seen_bytes, stream->sent_bytes) == stream->sent_bytes)
    return false;
  exchange->written_at_ms = loop_->now_ms();
  return true;
}

void FrontEnd::CloseStreams() {
  for (const auto& stream : streams_) {
    ClientExchange* const exchange = std::exchange(stream->exchange, nullptr);
    if (exchange != nullptr) {
      ReleaseAttempts(exchange);
      exchange->ListHook<ExchangeNoticeTag>::Unlink();
      GiveExchange(exchange);
    }
    stream->is_live = false;
    stream->wire = nullptr;
    if (stream->state != ConnectionState::kFree) GiveStream(stream.get());
  }
}

void FrontEnd::EndStream(ClientStream* stream, const ClientExchange& exchange, ClientEnd end) {
  if (end == ClientEnd::kDelivered) return LingerStream(stream);
  if (stream->is_live && stream->wire != nullptr) {
    const bool is_ours = end == ClientEnd::kBrokenOff && !exchange.wants_tunnel;
    ClientSession* const session = stream->wire->session.get();
    session->Reset(stream, is_ours ? NGHTTP2_INTERNAL_ERROR : NGHTTP2_CANCEL);
    WriteLater(session);
  }
  DropUnread(stream);
  GiveStream(stream);
}

void FrontEnd::LingerStream(ClientStream* stream) {
  DropUnread(stream);
  const bool may_send_on = stream->wire != nullptr && stream->is_live &&
                           !stream->has_request_ended && !stream->fd.is_open();
  if (!may_send_on) return LeaveStream(stream);
  // A reset that comes with the answer takes it from clients that read both at once and are still
  // sending: what comes is dropped for a while, as behind an answer of HTTP/1.1.
  stream->state = ConnectionState::kLingering;
  ArmAt(stream, loop_->now_ms() + kLingerMs);
  OnConnectionReady(stream);
}

void FrontEnd::LeaveStream(ClientStream* stream) {
  if (stream->wire != nullptr) {
    ClientSession* const session = stream->wire->session.get();
    // What is still to come of the request is not wanted (RFC 9113 section 8.1).
    if (stream->has_request_ended) {
      session->Forget(stream);
    } else {
      session->Reset(stream, NGHTTP2_NO_ERROR);
    }
    WriteLater(session);
  }
  GiveStream(stream);
}

void FrontEnd::DropUnread(ClientStream* stream) {
  if (!stream->holds_input()) return;
  Used(stream, stream->unread->bytes.size());
  stream->unread->bytes.Clear();
}

}  // namespace sluice::frontend
