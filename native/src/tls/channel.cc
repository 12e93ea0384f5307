// One side of a TLS connection: handshake, reads, writes.
#include "tls/channel.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>
#include <vector>

#include "tls/channel_state.h"

namespace sluice::tls {

namespace {

/// Most bytes of a record (RFC 8446 section 5.1).
constexpr size_t kRecordBytes = 16384;
/// What is encrypted before it goes out in one system call: the kernel takes four records at the
/// price of little more than one, and a slow peer makes no more than this lie here.
constexpr size_t kGatheredBytes = 4 * kRecordBytes;

/// Where small parts become one record, and early data is read to; of this thread, between two
/// lines of one call.
std::vector<char>& Scratch() {
  thread_local std::vector<char> scratch(kRecordBytes);
  return scratch;
}

/// The parts of a message, taken off from its front.
class Parts {
 public:
  Parts(const iovec* parts, size_t count) : part_(parts), end_(parts + count) {
    for (const iovec* part = parts; part != end_; ++part)
      left_ += part->iov_len;
  }

  size_t left() const { return left_; }

  /// At most a record's bytes in one piece: where they are, or put together in the scratch.
  std::pair<const char*, size_t> Next() {
    while (part_ != end_ && offset_ == part_->iov_len)
      NextPart();
    const size_t here = part_->iov_len - offset_;
    if (here >= kRecordBytes || here == left_) return {Here(), std::min(here, kRecordBytes)};
    char* const scratch = Scratch().data();
    size_t filled = 0;
    const iovec* part = part_;
    size_t offset = offset_;
    while (part != end_ && filled < kRecordBytes) {
      const size_t count = std::min(part->iov_len - offset, kRecordBytes - filled);
      if (count > 0)
        std::memcpy(scratch + filled, static_cast<const char*>(part->iov_base) + offset, count);
      filled += count;
      ++part;
      offset = 0;
    }
    return {scratch, filled};
  }

  void Take(size_t count) {
    left_ -= count;
    while (count > 0) {
      const size_t step = std::min(count, part_->iov_len - offset_);
      offset_ += step;
      count -= step;
      if (offset_ == part_->iov_len) NextPart();
    }
  }

 private:
  const char* Here() const { return static_cast<const char*>(part_->iov_base) + offset_; }
  void NextPart() {
    ++part_;
    offset_ = 0;
  }

  const iovec* part_;
  const iovec* end_;
  size_t offset_ = 0;
  size_t left_ = 0;
};

}  // namespace

bool Channel::State::Open(SSL_CTX* context) {
  ssl.reset(SSL_new(context));
  BioHandle bio = transport.MakeBio();
  if (ssl == nullptr || bio == nullptr) {
    ERR_clear_error();
    return false;
  }
  SSL_set_bio(ssl.get(), bio.get(), bio.get());
  bio.release();  // the SSL's own now
  return true;
}

int Channel::State::Break(int error_number) {
  is_broken = true;
  may_hold = false;
  return error_number;
}

int Channel::State::Judge(int result) {
  const int kind = SSL_get_error(ssl.get(), result);
  wants_to_write = kind == SSL_ERROR_WANT_WRITE;
  if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) return EAGAIN;
  if (kind == SSL_ERROR_ZERO_RETURN && is_established) return 0;
  if (transport.read_error() != 0) {
    ERR_clear_error();
    NotePeerLeft(transport.read_error());
    return Break(failure.error_number);
  }
  if (kind != SSL_ERROR_SSL && (transport.saw_end() || kind == SSL_ERROR_ZERO_RETURN)) {
    ERR_clear_error();
    if (is_established) return 0;
    failure.what = TlsFailure::kPeerLeft;
    return Break(EPROTO);
  }
  failure = TakeFailure(ssl.get());
  if (server != nullptr && server->is_alpn_refused) failure.what = TlsFailure::kAlpn;
  return Break(EPROTO);
}

void Channel::State::NotePeerLeft(int error_number) {
  failure.what = TlsFailure::kPeerLeft;
  failure.error_number = error_number;
}

void Channel::State::Settle() {
  if (server == nullptr || !SSL_is_init_finished(ssl.get())) return;
  SSL_set_app_data(ssl.get(), nullptr);
  server.reset();
}

Channel::Channel(std::unique_ptr<State> state) : state_(std::move(state)) {}

Channel::~Channel() {
  // Without it OpenSSL takes a session out of its cache whose connection ended as most do.
  if (!state_->is_broken)
    SSL_set_shutdown(state_->ssl.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

HandshakeStep Channel::Handshake() {
  State& state = *state_;
  if (state.is_established) return HandshakeStep::kDone;
  if (state.is_broken) return HandshakeStep::kFailed;
  ForgetErrors();
  SSL* const ssl = state.ssl.get();
  state.transport.BeginReading();
  state.transport.StartGathering();
  int result = 0;
  if (state.reads_early) {
    size_t count = 0;
    const int kind = SSL_read_early_data(ssl, Scratch().data(), kRecordBytes, &count);
    if (kind == SSL_READ_EARLY_DATA_SUCCESS) state.early.assign(Scratch().data(), count);
    if (kind == SSL_READ_EARLY_DATA_FINISH) state.reads_early = false;
    result = kind == SSL_READ_EARLY_DATA_SUCCESS ? 1 : 0;
  }
  if (!state.reads_early) result = SSL_do_handshake(ssl);
  // Of TLS 1.3 a server's last words are tickets, which no client waits for: they go out with the
  // answer to come, and save a packet and what it costs at both ends.
  if (result == 1 && state.server != nullptr && SSL_is_init_finished(ssl) &&
      SSL_version(ssl) == TLS1_3_VERSION) {
    state.transport.HoldGathered();
  } else {
    // Alerts go out, too, before the failure is judged.
    state.transport.StopGathering();
  }
  const int write_error = state.transport.write_error();
  if (result == 1 && write_error == 0) {
    state.is_established = true;
    state.may_hold = true;
    state.wants_to_write = false;
    if (state.server != nullptr) state.server_name = state.server->server_name;
    state.Settle();
    return HandshakeStep::kDone;
  }
  if (result != 1 && state.Judge(result) != EAGAIN) return HandshakeStep::kFailed;
  if (write_error != 0) {
    // The peer may have said why before it left.
    state.transport.BeginReading();
    result = result == 1 || state.reads_early ? 1 : SSL_do_handshake(ssl);
    if (result == 1 || state.Judge(result) == EAGAIN) {
      state.NotePeerLeft(write_error);
      state.Break(write_error);
    }
    return HandshakeStep::kFailed;
  }
  state.wants_to_write |= state.transport.HasUnsent();
  if (state.transport.HasUnsent()) state.transport.Flush();
  return HandshakeStep::kWaiting;
}

IoResult Channel::Receive(void* buffer, size_t size) {
  State& state = *state_;
  state.transport.BeginReading();
  state.was_early = false;
  if (!state.early.empty()) {
    const size_t count = std::min(size, state.early.size());
    std::memcpy(buffer, state.early.data(), count);
    state.early.erase(0, count);
    state.was_early = true;
    return {count, 0};
  }
  if (state.is_broken) {
    const int error_number = state.failure.error_number;
    return {0, error_number != 0 ? error_number : EPROTO};
  }
  ForgetErrors();
  SSL* const ssl = state.ssl.get();
  int result = 0;
  if (state.reads_early) {
    size_t count = 0;
    const int kind = SSL_read_early_data(ssl, buffer, size, &count);
    if (kind == SSL_READ_EARLY_DATA_SUCCESS) {
      state.was_early = true;
      return {count, 0};
    }
    if (kind == SSL_READ_EARLY_DATA_FINISH) state.reads_early = false;
  }
  if (!state.reads_early) {
    result = SSL_read(ssl, buffer, static_cast<int>(std::min<size_t>(size, INT_MAX)));
    if (state.server != nullptr) state.Settle();
    if (result > 0) {
      state.may_hold = true;
      return {static_cast<size_t>(result), 0};
    }
  }
  state.may_hold = false;
  return {0, state.Judge(result)};
}

bool Channel::HasPending() const {
  const State& state = *state_;
  if (!state.early.empty()) return true;
  return state.may_hold && (SSL_has_pending(state.ssl.get()) == 1 || state.transport.HasReceived());
}

IoResult Channel::Send(const void* bytes, size_t size) {
  const iovec part{const_cast<void*>(bytes), size};
  return SendParts(&part, 1);
}

IoResult Channel::SendParts(const iovec* parts, size_t count) {
  State& state = *state_;
  if (state.is_broken) return {0, EPROTO};
  ForgetErrors();
  SSL* const ssl = state.ssl.get();
  Parts message(parts, count);
  const size_t whole = message.left();
  if (const IoResult flushed = Flush(); flushed.error != 0) return {0, flushed.error};
  int result = 1;
  while (message.left() > 0 && result > 0 && !state.transport.HasUnsent()) {
    const bool gathers = message.left() > kRecordBytes;
    size_t gathered = 0;
    if (gathers) state.transport.StartGathering();
    while (message.left() > 0 && result > 0 && gathered < kGatheredBytes) {
      const auto [bytes, size] = message.Next();
      size_t written = 0;
      // The answer to early data goes out before the client's end of the handshake has come.
      result = SSL_is_init_finished(ssl) || state.server == nullptr
                   ? SSL_write_ex(ssl, bytes, size, &written)
                   : SSL_write_early_data(ssl, bytes, size, &written);
      if (result > 0) message.Take(written);
      gathered += written;
    }
    if (gathers) state.transport.StopGathering();
    if (state.transport.write_error() != 0) return Flush();
  }
  if (result <= 0 && message.left() == whole) return {0, state.Judge(result)};
  const size_t taken = whole - message.left();
  return {taken, taken == 0 && whole > 0 ? EAGAIN : 0};
}

bool Channel::HasUnsent() const {
  return state_->transport.HasUnsent();
}

IoResult Channel::Flush() {
  State& state = *state_;
  const IoResult result = state.transport.Flush();
  // Not broken: what the peer said before it left may still be read.
  if (result.error != 0 && !result.would_block()) state.NotePeerLeft(result.error);
  return result;
}

IoResult Channel::FinishSending() {
  State& state = *state_;
  if (state.is_broken) return {0, EPROTO};
  if (!state.has_finished && SSL_is_init_finished(state.ssl.get())) {
    ForgetErrors();
    state.has_finished = true;
    if (SSL_shutdown(state.ssl.get()) < 0) ERR_clear_error();
  }
  return Flush();
}

}  // namespace sluice::tls
