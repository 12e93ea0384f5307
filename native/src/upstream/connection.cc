// Connects to endpoints, over TLS where they have it, and remembers what epoll says.
#include "upstream/connection.h"

#include <utility>

#include "tls/client_context.h"
#include "upstream/connection_pool.h"
#include "upstream/http2_connection.h"

namespace sluice::upstream {

namespace {

constexpr std::string_view kHttp2 = "h2";
constexpr std::string_view kHttp1 = "http/1.1";

/// What ALPN offers, by preference.
const std::vector<std::string>& OfferOf(EndpointProtocol protocol, bool takes_http2) {
  static const std::vector<std::string> http1 = {std::string(kHttp1)};
  static const std::vector<std::string> http2 = {std::string(kHttp2)};
  static const std::vector<std::string> both = {std::string(kHttp2), std::string(kHttp1)};
  if (!takes_http2) return http1;
  return protocol == EndpointProtocol::kHttp2 ? http2 : both;
}

/// Sessions are those of one name at one address.
std::string SessionKey(std::string_view server_name, const Address& address) {
  std::string key(server_name);
  key.push_back('\0');
  key.append(reinterpret_cast<const char*>(address.get()), address.size());
  return key;
}

}  // namespace

Connection::Connection(EventLoop* loop, ConnectionOwner* owner, ConnectionPool* pool)
    : reader({pool->settings().response_head_bytes, pool->settings().response_headers}),
      edition(pool->edition()),
      owner_(owner),
      pool_(pool),
      wire_(loop),
      connector_(loop, this, wire_.socket()) {}

Connection::~Connection() {
  Close();
}

void Connection::Close() {
  stream_.reset();
  wire_.Close();
}

ConnectStep Connection::BeginConnect(uint64_t until_ms) {
  ConnectOptions options;
  options.until_ms = connect_until_ms_ = until_ms;
  return OnStep(connector_.Begin(pool_->addresses(), pool_->preferred(), options));
}

ConnectStep Connection::ContinueConnect() {
  uint32_t signs =
      (is_readable ? EPOLLIN : 0u) | (is_writable ? EPOLLOUT : 0u) | (is_hung_up ? EPOLLHUP : 0u);
  const ConnectStep step = connector_.Continue(&signs);
  if (signs == 0) is_readable = is_writable = is_hung_up = false;  // another socket
  return OnStep(step);
}

ConnectStep Connection::OnStep(ConnectStep step) {
  if (step == ConnectStep::kConnected) pool_->Prefer(connector_.addresses(), connector_.address());
  return step;
}

void Connection::OnEvents(uint32_t epoll_events) {
  constexpr uint32_t kBroken = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
  if ((epoll_events & EPOLLOUT) != 0) is_writable = true;
  if ((epoll_events & EPOLLIN) != 0) is_readable = true;
  if ((epoll_events & kBroken) != 0) is_readable = is_hung_up = true;
  // TLS may have to write to read on, and to read to write on.
  if (kind_ == Kind::kTls) {
    is_readable = is_writable = true;
    if (is_hung_up) wire_.NoteHangUp();
  }
  owner_->OnConnectionReady(this);
}

// --- TLS ---

bool Connection::Secure(bool takes_http2) {
  const PoolSettings& settings = pool_->settings();
  const auto context = tls::ClientContext::Find(settings.tls_context);
  if (context == nullptr) return false;
  auto channel =
      context->Connect(fd(), settings.server_name, SessionKey(settings.server_name, address()),
                       OfferOf(settings.protocol, takes_http2));
  if (channel == nullptr) return false;
  wire_.Secure(std::move(channel));
  kind_ = Kind::kTls;
  state = ConnectionState::kHandshaking;
  is_readable = is_writable = false;
  return true;
}

tls::HandshakeStep Connection::Handshake() {
  if (is_hung_up) wire_.NoteHangUp();
  const tls::HandshakeStep step = wire_.Handshake();
  if (step == tls::HandshakeStep::kWaiting) is_readable = is_writable = false;
  return step;
}

bool Connection::has_chosen_http2() const {
  return kind_ == Kind::kTls && wire_.channel()->protocol() == kHttp2;
}

// --- streams ---

void Connection::BecomeStream(Http2Connection* carrier) {
  kind_ = Kind::kStream;
  carrier_ = carrier;
  stream_ = carrier->OpenStream(this);
  is_readable = is_hung_up = false;
  is_writable = true;
}

// --- bytes ---

IoResult Connection::ReceiveOver(char* buffer, size_t size) {
  if (kind_ == Kind::kStream) return stream_->Receive(buffer, size);
  const IoResult received = wire_.Receive(buffer, size);
  // Else a short read would pass for an empty socket.
  if (wire_.ends_next()) is_hung_up = true;
  return received;
}

IoResult Connection::SendOver(std::string_view bytes) {
  if (kind_ == Kind::kTls) return wire_.Send(bytes.data(), bytes.size());
  return stream_->Send(bytes);
}

IoResult Connection::SendPartsOver(const iovec* parts, size_t count) {
  if (kind_ == Kind::kTls) return wire_.SendParts(parts, count);
  IoResult sent;
  for (size_t place = 0; place < count; ++place) {
    const std::string_view part(static_cast<const char*>(parts[place].iov_base),
                                parts[place].iov_len);
    const IoResult taken = stream_->Send(part);
    sent.bytes += taken.bytes;
    sent.error = taken.error;
    if (taken.bytes < part.size()) break;
  }
  return sent;
}

int Connection::Flush() {
  if (!HasUnsent()) return 0;
  const IoResult flushed = wire_.Flush();
  if (flushed.error != 0) is_writable = false;
  return flushed.would_block() ? 0 : flushed.error;
}

void Connection::NoteWriteBroken(int error_number) {
  is_write_broken = true;
  write_error = error_number;
  is_readable = is_hung_up = true;
  wire_.NoteHangUp();
}

}  // namespace sluice::upstream
