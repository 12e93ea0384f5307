// Tunnels over streams (RFC 8441): WebSocket of a client's HTTP/2 through a switched connection.
#include <sys/socket.h>

#include <string>
#include <utility>

#include "frontend/client_session.h"
#include "frontend/front_end.h"
#include "http1/client_request.h"
#include "http2/websocket_key.h"

namespace sluice::frontend {

namespace {

constexpr std::string_view kAcceptField = "sec-websocket-accept";
constexpr int kOk = 200;

/// The endpoint has answered the key that was sent.
bool IsAccepted(const ClientStream& stream, const http1::ResponseHead& head,
                std::string_view head_input) {
  const size_t lines = head_input.find('\n') + 1;
  size_t next = 0;
  std::string_view value;
  // Of the empty line nothing is read.
  const std::string_view fields = head_input.substr(lines, head.head_bytes - lines - 2);
  return http1::FindField(fields, kAcceptField, &next, &value) &&
         value == http2::WebSocketAccept(stream.websocket_key);
}

}  // namespace

bool FrontEnd::OpenStreamTunnel(ClientExchange* exchange, const http1::ResponseHead& head,
                                std::string_view head_input, TunnelStart* tunnel) {
  ClientStream* const stream = exchange->connection->stream;
  int pair[2];
  if (!stream->is_live || !IsAccepted(*stream, head, head_input)) return false;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0) return false;
  stream->fd.Reset(pair[0]);
  tunnel->client = UniqueFd(pair[1]);
  tunnel->is_client_unix = true;
  if (loop_->Watch(pair[0], EventLoop::kSocketEvents, stream) != 0) {
    stream->fd.Reset();
    return false;
  }
  http1::AnswerOptions options;
  options.added_lines = exchange->added_lines();
  options.hsts_line = exchange->edition->settings.hsts_line;
  options.dropped_field = kAcceptField;  // the key was ours, so is its answer
  std::string written(head.head_bytes + http1::kAnswerExtraBytes + options.added_lines.size(),
                      '\0');
  const size_t size = http1::WriteSwitchingHead(head_input, head, options, written.data());
  PutToStream(exchange, {.head = written.data(), .head_bytes = size, .status = kOk});
  stream->state = ConnectionState::kTunnel;
  stream->deadline_ms = UINT64_MAX;
  return true;
}

bool FrontEnd::LacksTunnel(const ClientExchange& exchange, int status) {
  const ClientStream* const stream = exchange.connection->stream;
  return stream != nullptr && !stream->websocket_key.empty() && status / 100 == 2;
}

void FrontEnd::MoveTunnel(ClientStream* stream) {
  ClientExchange* const exchange = stream->exchange;
  if (!stream->is_live) {
    // What runs is closed first, and tells.
    return stream->is_tunnel_over ? Finish(exchange, ClientEnd::kGone)
                                  : tunnels_.Close(exchange->id);
  }
  // To the endpoint.
  while (stream->holds_input()) {
    ByteBuffer& bytes = stream->unread->bytes;
    const IoResult sent = Send(stream->fd.get(), bytes.data(), bytes.size());
    if (sent.error != 0) break;  // full; or over, which a read tells
    bytes.DropFront(sent.bytes);
    Used(stream, sent.bytes);
  }
  if (stream->has_request_ended && !stream->holds_input() &&
      !std::exchange(stream->has_said_end_of_request, true)) {
    FinishSending(stream->fd.get());
  }
  // To the client, as long as it takes.
  while (exchange->out.empty() && !stream->is_ending) {
    const IoResult got = Receive(stream->fd.get(), window_.get(), kBodyWindowBytes);
    if (got.would_block()) break;
    const bool is_end = got.error != 0 || got.bytes == 0;
    PutToStream(exchange, {.body = {window_.get(), got.bytes}, .is_last = is_end});
    if (is_end) break;
  }
  EndMovedTunnel(stream);
}

void FrontEnd::EndMovedTunnel(ClientStream* stream) {
  ClientExchange* const exchange = stream->exchange;
  if (!stream->is_tunnel_over || !exchange->is_taken() || !stream->has_ended) return;
  Finish(exchange, ClientEnd::kDelivered);
}

bool FrontEnd::WaitsForStream(ClientExchange* exchange, TunnelEnd end) {
  ClientStream* const stream = exchange->connection->stream;
  if (stream == nullptr || end != TunnelEnd::kClean || !stream->is_live) return false;
  // Its last bytes lie between the pair of sockets, or wait for the client's window.
  stream->is_tunnel_over = true;
  OnConnectionReady(stream);
  return !stream->has_ended || !exchange->is_taken();
}

}  // namespace sluice::frontend
