// Writes events into the words that the sink reads, and reads its decisions.
#include "l4/session_batch.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "l4/peer_address.h"

namespace sluice::l4 {

namespace {

int32_t Capped(uint64_t value) {
  return static_cast<int32_t>(std::min<uint64_t>(value, INT32_MAX));
}

int32_t Low(uint64_t value) {
  return static_cast<int32_t>(static_cast<uint32_t>(value));
}

int32_t High(uint64_t value) {
  return static_cast<int32_t>(value >> 32);
}

}  // namespace

int32_t* SessionBatch::Next(SessionEventType type, const Session& session) {
  if (count_ == memory_.event_capacity) return nullptr;
  int32_t* const words = Words(count_++);
  std::fill_n(words, kSessionEventStride, 0);
  words[kType] = static_cast<int32_t>(type);
  words[kSession] = session.id;
  words[kListener] = session.listener;
  words[kDecision] = kRefuse;  // what a sink that forgot to decide gets
  return words;
}

bool SessionBatch::AddOpened(const Session& session) {
  const Preface* const preface = session.preface.get();
  const ClientHello* const hello = preface == nullptr ? nullptr : &preface->hello();
  const size_t sni_bytes = hello == nullptr ? 0 : hello->server_name.size();
  const size_t alpn_bytes = hello == nullptr ? 0 : hello->alpn.size();
  if (memory_.arena_bytes - used_bytes_ < sni_bytes + alpn_bytes) return false;
  int32_t* const words = Next(SessionEventType::kOpened, session);
  if (words == nullptr) return false;
  PutAddress(session.peer, words + kPeer0);
  if (preface == nullptr) return true;
  if (preface->is_proxied()) {
    words[kFlags] |= session_flag::kProxied;
    PutAddress(preface->source(), words + kClaimed0);
  }
  if (!hello->is_tls) return true;
  words[kFlags] |= session_flag::kTls;
  if (session.is_decrypted) words[kFlags] |= session_flag::kDecrypted;
  char* const text = memory_.arena + used_bytes_;
  std::copy_n(hello->server_name.data(), sni_bytes, text);
  std::copy_n(hello->alpn.data(), alpn_bytes, text + sni_bytes);
  words[kTextOffset] = static_cast<int32_t>(used_bytes_);
  words[kSniLength] = static_cast<int32_t>(sni_bytes);
  words[kAlpnLength] = static_cast<int32_t>(alpn_bytes);
  used_bytes_ += sni_bytes + alpn_bytes;
  return true;
}

bool SessionBatch::AddConnected(const Session& session) {
  int32_t* const words = Next(SessionEventType::kConnected, session);
  if (words == nullptr) return false;
  words[kElapsedUs] = Capped(session.connect_us);
  return true;
}

bool SessionBatch::HasRoomForHandshake(const Session& session) const {
  const SessionHandshake* const handshake = session.handshake.get();
  return handshake == nullptr || memory_.arena_bytes - used_bytes_ >= handshake->text.size();
}

void SessionBatch::PutHandshake(const SessionHandshake& handshake, int32_t* words) {
  const size_t text_bytes = handshake.text.size();
  words[kTlsFailure] = static_cast<int32_t>(handshake.failure);
  words[kTlsAlert] = handshake.alert;
  std::copy_n(handshake.text.data(), text_bytes, memory_.arena + used_bytes_);
  words[kTextOffset] = static_cast<int32_t>(used_bytes_);
  words[kTlsTextLength] = static_cast<int32_t>(text_bytes);
  used_bytes_ += text_bytes;
}

bool SessionBatch::AddConnectFailed(const Session& session) {
  if (!HasRoomForHandshake(session)) return false;
  int32_t* const words = Next(SessionEventType::kConnectFailed, session);
  if (words == nullptr) return false;
  if (session.failure == ConnectFailure::kTls) PutHandshake(*session.handshake, words);
  words[kReason] = static_cast<int32_t>(session.failure);
  words[kErrno] = session.error_number;
  words[kElapsedUs] = Capped(session.connect_us);
  return true;
}

bool SessionBatch::AddEnded(const Session& session) {
  if (!HasRoomForHandshake(session)) return false;
  int32_t* const words = Next(SessionEventType::kEnded, session);
  if (words == nullptr) return false;
  if (session.end == SessionEnd::kTlsFailed) PutHandshake(*session.handshake, words);
  words[kReason] = static_cast<int32_t>(session.end);
  words[kErrno] = session.error_number;
  if (!session.was_opened) {
    words[kFlags] |= session_flag::kNeverOpened;
    PutAddress(session.peer, words + kPeer0);
  }
  if (session.was_connected) words[kFlags] |= session_flag::kWasConnected;
  if (session.to_client.is_delivered) words[kFlags] |= session_flag::kEndpointFinished;
  words[kFromClientLow] = Low(session.from_client.moved_bytes);
  words[kFromClientHigh] = High(session.from_client.moved_bytes);
  words[kToClientLow] = Low(session.to_client.moved_bytes);
  words[kToClientHigh] = High(session.to_client.moved_bytes);
  const uint64_t lasted_us = session.ended_at_us - session.accepted_at_us;
  words[kDurationMs] = session.ended_at_us > session.accepted_at_us ? Capped(lasted_us / 1000) : 0;
  return true;
}

void SessionBatch::Withdraw(int32_t session) {
  for (size_t place = 0; place < count_; ++place) {
    int32_t* const words = Words(place);
    const auto type = static_cast<SessionEventType>(words[kType]);
    const bool tells_of_connecting =
        type == SessionEventType::kConnected || type == SessionEventType::kConnectFailed;
    if (words[kSession] == session && tells_of_connecting)
      words[kType] = static_cast<int32_t>(SessionEventType::kNone);
  }
}

std::optional<SessionBatch::Decision> SessionBatch::DecisionAt(size_t place) const {
  const int32_t* const words = Words(place);
  const auto type = static_cast<SessionEventType>(words[kType]);
  const bool is_opening = type == SessionEventType::kOpened;
  if (!is_opening && type != SessionEventType::kConnectFailed) return std::nullopt;
  return Decision{words[kSession], words[kDecision], is_opening, words[kBelieve] == 1};
}

void SessionBatch::Empty() {
  count_ = 0;
  used_bytes_ = 0;
}

}  // namespace sluice::l4
