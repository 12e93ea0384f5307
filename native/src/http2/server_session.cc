// What the owner of a session calls: bytes in and out, answers, and the end.
#include "http2/server_session.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "http2/server_session_callbacks.h"

namespace sluice::http2 {

namespace {

/// What our PING asks to be echoed.
constexpr std::array<uint8_t, 8> kNoticePing = {'s', 'l', 'u', 'i', 'c', 'e', 0, 1};

/// Replies that wait for a client that does not read (RFC 9113 section 10.5): as nghttp2's own.
constexpr size_t kMostAcks = 1000;
/// Entries of one SETTINGS frame: there are nine kinds.
constexpr size_t kMostSettings = 32;

constexpr uint32_t kUnlimitedStreams = INT32_MAX;
/// Behind the frame's header and the first entry's name (RFC 9113 sections 4.1, 6.5.1).
constexpr size_t kFirstSettingValue = 9 + 2;
constexpr size_t kSettingValueBytes = 4;

}  // namespace

ServerSession::ServerSession(const ServerLimits& limits, ServerSessionSink* sink,
                             AnswerFields* fields, uint64_t now_ms)
    : limits_(limits),
      sink_(sink),
      fields_(fields),
      guard_(limits),
      now_ms_(now_ms),
      window_(limits.connection_window_bytes) {
  nghttp2_option* option = nullptr;
  nghttp2_option_new(&option);
  // Windows are given back as endpoints take bytes.
  nghttp2_option_set_no_auto_window_update(option, 1);
  nghttp2_option_set_max_outbound_ack(option, kMostAcks);
  nghttp2_option_set_max_settings(option, kMostSettings);
  // Ours are reached before, and counted.
  nghttp2_option_set_max_continuations(option, size_t{limits.continuations} + 1);
  nghttp2_option_set_stream_reset_rate_limit(option, uint64_t{limits.resets.burst} * 2,
                                             uint64_t{limits.resets.per_second} * 2);
  nghttp2_session_callbacks* const callbacks = Callbacks::Make();
  nghttp2_session* session = nullptr;
  nghttp2_session_server_new2(&session, callbacks, this, option);
  session_.reset(session);
  nghttp2_session_callbacks_del(callbacks);
  nghttp2_option_del(option);
  SendSettings();
}

ServerSession::~ServerSession() = default;

void ServerSession::SendSettings() {
  const std::array<nghttp2_settings_entry, 5> entries = {{
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, kUnlimitedStreams},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits_.stream_window_bytes},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits_.head_bytes},
      {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1},
      // Nobody's priorities cost us anything (RFC 9218 section 2.1).
      {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
  }};
  nghttp2_submit_settings(session_.get(), NGHTTP2_FLAG_NONE, entries.data(), entries.size());
  // nghttp2 ends the connection of who passes the number of streams, where RFC 9113 section 5.1.2
  // wants the stream refused: so it knows of none, and the client is told ours.
  const uint8_t* bytes = nullptr;
  const auto size = nghttp2_session_mem_send(session_.get(), &bytes);
  if (size > 0) {
    std::string frame(reinterpret_cast<const char*>(bytes), static_cast<size_t>(size));
    for (size_t byte = 0; byte < kSettingValueBytes; ++byte) {
      frame[kFirstSettingValue + byte] =
          static_cast<char>(limits_.streams >> (8 * (kSettingValueBytes - 1 - byte)) & 0xff);
    }
    out_.Append(frame);
  }
  nghttp2_session_set_local_window_size(session_.get(), NGHTTP2_FLAG_NONE, 0,
                                        static_cast<int32_t>(limits_.connection_window_bytes));
  settings_sent_at_ms_ = now_ms_;
}

// --- bytes ---

bool ServerSession::Receive(std::string_view bytes, uint64_t now_ms) {
  now_ms_ = now_ms;
  if (end_ != SessionEnd::kNone) return false;
  is_receiving_ = true;
  const auto taken = nghttp2_session_mem_recv(
      session_.get(), reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  is_receiving_ = false;
  if (taken < 0) Fail(static_cast<int>(taken));
  return end_ == SessionEnd::kNone;
}

void ServerSession::Fail(int library_error) {
  if (end_ != SessionEnd::kNone) return;
  switch (library_error) {
    case NGHTTP2_ERR_FLOODED:
      return Flood(FloodKind::kPings);
    case NGHTTP2_ERR_TOO_MANY_CONTINUATIONS:
      return Flood(FloodKind::kContinuations);
    default:
      Terminate(NGHTTP2_PROTOCOL_ERROR);
  }
}

void ServerSession::Flood(FloodKind kind) {
  if (kind == FloodKind::kNone || end_ != SessionEnd::kNone) return;
  end_ = SessionEnd::kFlood;
  flood_ = kind;
  error_code_ = NGHTTP2_ENHANCE_YOUR_CALM;
  is_to_be_terminated_ = true;
}

void ServerSession::Pump() {
  if (is_receiving_ || is_pumping_) return;
  is_pumping_ = true;
  for (;;) {
    if (std::exchange(is_to_be_terminated_, false))
      nghttp2_session_terminate_session(session_.get(), error_code_);
    if (out_.size() >= kMostOutBytes && kept_head_id_ == 0) break;
    const uint8_t* bytes = nullptr;
    const auto size = nghttp2_session_mem_send(session_.get(), &bytes);
    if (size < 0) Terminate(NGHTTP2_INTERNAL_ERROR);
    if (size <= 0 && !is_to_be_terminated_) break;
    if (size > 0) out_.Append({reinterpret_cast<const char*>(bytes), static_cast<size_t>(size)});
  }
  kept_head_id_ = 0;
  is_pumping_ = false;
}

bool ServerSession::WantsToWrite() const {
  return is_to_be_terminated_ || nghttp2_session_want_write(session_.get()) != 0;
}

bool ServerSession::IsOver() const {
  return !WantsToWrite() && nghttp2_session_want_read(session_.get()) == 0;
}

// --- answers ---

void ServerSession::Send(ServerStream* stream, const Outgoing& outgoing) {
  if (!stream->is_live) return;
  sending_ = is_receiving_ || is_pumping_ ? nullptr : stream;
  if (outgoing.is_last) {
    stream->is_ending = true;
    stream->trailers = outgoing.trailers;
  }
  stream->passing = outgoing.body;
  const bool is_bare = outgoing.body.empty() && stream->waiting->empty();
  if (outgoing.head != nullptr) SubmitHead(stream, outgoing);
  if (outgoing.head == nullptr) {
    if (is_bare && outgoing.is_last && !stream->trailers.empty()) {
      SubmitTrailers(stream);
    } else {
      nghttp2_session_resume_data(session_.get(), stream->id);
    }
  }
  Pump();
  sending_ = nullptr;
  if (stream->is_live && !stream->passing.empty()) stream->waiting->Append(stream->passing);
  stream->passing = {};
}

void ServerSession::SubmitHead(ServerStream* stream, const Outgoing& outgoing) {
  fields_->Read(outgoing.head, outgoing.head_bytes, outgoing.status);
  const bool is_kept = !is_receiving_ && !is_pumping_ && out_.size() < kMostOutBytes;
  fields_->MarkKept(is_kept);
  if (is_kept) kept_head_id_ = stream->id;
  const bool has_body = !outgoing.body.empty();
  if (outgoing.is_interim || (outgoing.is_last && !has_body)) {
    const bool has_trailers = !stream->trailers.empty();
    const bool is_end = outgoing.is_last && !has_trailers;
    nghttp2_submit_headers(session_.get(), is_end ? NGHTTP2_FLAG_END_STREAM : NGHTTP2_FLAG_NONE,
                           stream->id, nullptr, fields_->data(), fields_->count(), nullptr);
    if (!outgoing.is_interim) stream->has_head = true;
    if (outgoing.is_last && has_trailers) SubmitTrailers(stream);
    return;
  }
  stream->has_head = true;
  const nghttp2_data_provider body = Callbacks::BodyProvider();
  nghttp2_submit_response(session_.get(), stream->id, fields_->data(), fields_->count(), &body);
}

void ServerSession::SubmitTrailers(ServerStream* stream) {
  fields_->ReadLines(stream->trailers.data(), stream->trailers.size());
  fields_->MarkKept(false);
  nghttp2_submit_trailer(session_.get(), stream->id, fields_->data(), fields_->count());
}

void ServerSession::Reset(ServerStream* stream, uint32_t code) {
  if (!stream->is_live) return;
  Forget(stream);
  nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, stream->id, code);
}

void ServerSession::Forget(ServerStream* stream) {
  if (!stream->is_live) return;
  stream->is_live = false;
  nghttp2_session_set_stream_user_data(session_.get(), stream->id, nullptr);
}

void ServerSession::Consume(int32_t stream_id, size_t bytes) {
  if (bytes == 0) return;
  window_.Use(session_.get(), stream_id, bytes);
}

void ServerSession::GiveBack() {
  window_.GiveBackAll(session_.get());
}

// --- the end ---

void ServerSession::GiveNotice() {
  nghttp2_submit_shutdown_notice(session_.get());
  nghttp2_submit_ping(session_.get(), NGHTTP2_FLAG_NONE, kNoticePing.data());
}

bool ServerSession::IsNoticePing(const uint8_t* opaque) {
  return std::equal(kNoticePing.begin(), kNoticePing.end(), opaque);
}

void ServerSession::RefuseStreams() {
  is_refusing_ = true;
  nghttp2_submit_goaway(session_.get(), NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(session_.get()), NGHTTP2_NO_ERROR,
                        nullptr, 0);
}

void ServerSession::Terminate(uint32_t code) {
  if (end_ != SessionEnd::kNone) return;
  if (code != NGHTTP2_NO_ERROR) end_ = SessionEnd::kError;
  error_code_ = code;
  is_to_be_terminated_ = true;
}

}  // namespace sluice::http2
