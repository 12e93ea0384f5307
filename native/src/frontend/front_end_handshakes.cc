// How TLS begins with clients, and what becomes of clients with whom it does not.
#include <algorithm>
#include <cerrno>
#include <utility>

#include "frontend/front_end.h"
#include "frontend/tls_carrier.h"

namespace sluice::frontend {

namespace {

/// Of ALPN (RFC 9113 section 3.1).
constexpr std::string_view kHttp2Protocol = "h2";

/// First byte of all that TLS begins with: a record of type handshake (RFC 8446 section 5.1).
constexpr char kHandshakeRecord = 0x16;

/// The answer to HTTP without TLS, whose client cannot read anything else.
constexpr std::string_view kNotEncrypted =
    "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\ncontent-length: 61\r\n"
    "connection: close\r\n\r\n"
    "This port takes HTTPS only, and the request was not encrypted";

/// A request line begins with a method in upper case, and a blank.
bool LooksLikeHttp(std::string_view bytes) {
  const size_t blank = bytes.substr(0, 16).find(' ');
  if (blank == std::string_view::npos || blank == 0) return false;
  return std::all_of(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(blank),
                     [](char byte) { return byte >= 'A' && byte <= 'Z'; });
}

TlsCarrier& CarrierOf(ClientConnection* connection) {
  return static_cast<TlsCarrier&>(*connection->carrier);
}

}  // namespace

void FrontEnd::BeginTls(ClientConnection* connection, std::string_view received) {
  connection->state = ConnectionState::kHandshaking;
  const uint64_t now_ms = loop_->now_ms();
  // The handshake's time counts from accept, for admission costs the client nothing.
  const uint32_t waited_ms = static_cast<uint32_t>(now_ms) - connection->accepted_low_ms;
  const uint64_t timeout_ms = ListenerOf(*connection).settings.tls.handshake_timeout_ms;
  ArmAt(connection, now_ms + std::max<uint64_t>(timeout_ms, waited_ms + 1) - waited_ms);
  if (!received.empty()) return AcceptTls(connection, received);
  OnConnectionReady(connection);
}

void FrontEnd::ReadHello(ClientConnection* connection) {
  // OpenSSL's memory is spent on clients that have said something, and what they have said goes in
  // by one read.
  const IoResult got = connection->Receive(window_.get(), kHeadWindowBytes);
  connection->Heed(got, kHeadWindowBytes);
  if (got.would_block()) return;
  // Who leaves without a word has not begun a handshake.
  if (got.error != 0) return CloseConnection(connection, ClientEnd::kGone, false);
  if (got.bytes == 0) return CloseConnection(connection, ClientEnd::kDelivered, false);
  AcceptTls(connection, {window_.get(), got.bytes});
}

void FrontEnd::AcceptTls(ClientConnection* connection, std::string_view received) {
  const TlsSettings& settings = ListenerOf(*connection).settings.tls;
  if (received.front() != kHandshakeRecord) return RefuseUnencrypted(connection, received);
  if (!gate_.Enter(connection->client, settings.limits))
    return FailTls(connection, ClientEnd::kTlsLimit, tls::HandshakeEnd::kLimit);
  connection->is_at_gate = true;
  std::unique_ptr<tls::Channel> channel =
      settings.context == nullptr ? nullptr
                                  : settings.context->Accept(connection->fd.get(), received);
  if (channel == nullptr) return FailTls(connection, tls::TlsFailure::kOther);
  connection->carrier = std::make_unique<TlsCarrier>(std::move(channel));
  Handshake(connection);
}

void FrontEnd::Handshake(ClientConnection* connection) {
  TlsCarrier& carrier = CarrierOf(connection);
  for (;;) {
    switch (carrier.Handshake()) {
      case tls::HandshakeStep::kDone:
        // A request that came along lies in the channel.
        connection->signs &= ~carrier.Disproved({}, connection->drains_by_short_read());
        return EndHandshake(connection);
      case tls::HandshakeStep::kFailed:
        return FailTls(connection, carrier.channel()->failure());
      case tls::HandshakeStep::kWaiting:
        break;
    }
    const uint32_t disproved = carrier.Disproved({0, EAGAIN}, connection->drains_by_short_read());
    connection->signs &= ~disproved;
    // What follows the bytes that did not fill the buffer may be the client's end.
    const bool may_go_on = disproved == 0 && connection->is_readable();
    if (!may_go_on) return;
  }
}

void FrontEnd::EndHandshake(ClientConnection* connection) {
  LeaveGate(connection);
  const tls::Channel& channel = *connection->channel();
  counts_[connection->listener].handshakes.Add(tls::EndOf(channel));
  if (channel.protocol() == tls::kChallengeProtocol)
    return CloseConnection(connection, ClientEnd::kDelivered, false);
  if (channel.protocol() == kHttp2Protocol) return BeginSession(connection, {});
  connection->state = ConnectionState::kReading;
  ArmAt(connection, loop_->now_ms() + ListenerOf(*connection).settings.request_head_timeout_ms);
  OnConnectionReady(connection);
}

void FrontEnd::LeaveGate(ClientConnection* connection) {
  if (!connection->is_at_gate) return;
  connection->is_at_gate = false;
  gate_.Leave(connection->client);
}

void FrontEnd::RefuseUnencrypted(ClientConnection* connection, std::string_view received) {
  if (!LooksLikeHttp(received)) return FailTls(connection, tls::TlsFailure::kNotTls);
  counts_[connection->listener].handshakes.Add(tls::HandshakeEnd::kNotTls);
  connection->tls_fault = std::make_unique<TlsFault>();
  connection->tls_fault->failure = tls::TlsFailure::kNotTls;
  connection->end = ClientEnd::kTlsFailed;
  (void)connection->Send(kNotEncrypted.data(), kNotEncrypted.size());
  Linger(connection);
}

void FrontEnd::FailTls(ClientConnection* connection, tls::TlsFailure failure) {
  auto fault = std::make_unique<TlsFault>();
  fault->failure = failure;
  if (const tls::Channel* const channel = connection->channel(); channel != nullptr) {
    fault->error_number = channel->error_number();
    fault->alert = channel->alert();
    if (failure == tls::TlsFailure::kBadCertificate) fault->verify_error = channel->verify_error();
  }
  connection->tls_fault = std::move(fault);
  counts_[connection->listener].handshakes.Add(tls::EndOf(failure));
  LeaveGate(connection);
  connection->carrier.reset();
  connection->end = ClientEnd::kTlsFailed;
  // The alert that says why is on its way: a reset would take it from the client.
  if (failure != tls::TlsFailure::kPeerLeft && connection->is_readable() &&
      !connection->is_broken()) {
    return Linger(connection);
  }
  CloseConnection(connection, ClientEnd::kTlsFailed, false);
}

void FrontEnd::FailTls(ClientConnection* connection, ClientEnd end, tls::HandshakeEnd counted) {
  counts_[connection->listener].handshakes.Add(counted);
  LeaveGate(connection);
  CloseConnection(connection, end, true);
}

ListenerCounts FrontEnd::counts(int32_t listener) const {
  const auto place = static_cast<size_t>(listener);
  return listener >= 0 && place < counts_.size() ? counts_[place] : ListenerCounts{};
}

}  // namespace sluice::frontend
