// What a server session does with each frame that comes or goes.
#include "http2/server_session_callbacks.h"

#include <algorithm>
#include <utility>

namespace sluice::http2 {

namespace {

/// DATA that a client's window has made smaller than this pays for no frames of the client's: who
/// opens windows by single bytes makes work, and takes nothing (data dribble, CVE-2019-9511).
constexpr size_t kWorthBytes = 1024;

/// Bytes of a frame's header (RFC 9113 section 4.1).
constexpr size_t kFrameHeaderBytes = 9;

ServerSession* SessionOf(void* user_data) {
  return static_cast<ServerSession*>(user_data);
}

std::string_view Text(const uint8_t* bytes, size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace

/// The callbacks themselves, with nghttp2's types.
struct ServerSession::Frames {
  // --- what comes ---

  static int OnBegin(nghttp2_session*, const nghttp2_frame_hd* header, void* user_data) {
    ServerSession& self = *SessionOf(user_data);
    self.Flood(self.guard_.OnFrame(header->type, header->flags, header->length, self.now_ms_));
    if (!self.IsInPlace(*header)) self.Terminate(NGHTTP2_PROTOCOL_ERROR);
    if (self.end_ != SessionEnd::kNone) return NGHTTP2_ERR_CALLBACK_FAILURE;
    if (header->type == NGHTTP2_DATA) {
      self.data_left_bytes_ = header->length;
      self.is_data_last_ = (header->flags & (NGHTTP2_FLAG_END_STREAM | NGHTTP2_FLAG_PADDED)) ==
                           NGHTTP2_FLAG_END_STREAM;
    }
    return 0;
  }

  static int OnBeginBlock(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
    ServerSession& self = *SessionOf(user_data);
    self.head_began_at_ms_ = self.now_ms_;
    if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
      ++self.requests_;
      ++self.open_streams_;
      self.guard_.Earn();
      self.block_.Begin(self.limits_.head_bytes);
    } else {
      self.block_.BeginTrailers(self.limits_.head_bytes);
    }
    return 0;
  }

  static int OnField(nghttp2_session*, const nghttp2_frame*, const uint8_t* name, size_t name_bytes,
                     const uint8_t* value, size_t value_bytes, uint8_t, void* user_data) {
    ServerSession& self = *SessionOf(user_data);
    self.block_.Add(Text(name, name_bytes), Text(value, value_bytes));
    const size_t most = size_t{self.limits_.head_bytes} * kMostUnpackedHeads + kUnpackedGraceBytes;
    if (self.block_.unpacked_bytes() <= most) return 0;
    self.Flood(FloodKind::kHeaders);
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  }

  static int OnInvalidField(nghttp2_session*, const nghttp2_frame*, const uint8_t*, size_t,
                            const uint8_t*, size_t, uint8_t, void* user_data) {
    SessionOf(user_data)->block_.Refuse();
    return 0;
  }

  static int OnData(nghttp2_session*, uint8_t, int32_t stream_id, const uint8_t* bytes, size_t size,
                    void* user_data) {
    ServerSession& self = *SessionOf(user_data);
    self.data_left_bytes_ -= std::min(self.data_left_bytes_, size);
    self.guard_.Earn();
    self.window_.Hold(size);
    ServerStream* const stream = self.Find(stream_id);
    if (stream == nullptr) {
      self.Consume(stream_id, size);
      return 0;
    }
    const bool is_last = self.is_data_last_ && self.data_left_bytes_ == 0;
    stream->received_bytes += size + (self.data_left_bytes_ == 0 ? kFrameHeaderBytes : 0);
    if (is_last) stream->has_request_ended = true;
    self.sink_->OnData(&self, stream, Text(bytes, size), is_last);
    return 0;
  }

  static int OnFrame(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
    ServerSession& self = *SessionOf(user_data);
    const bool is_last = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS: {
        self.head_began_at_ms_ = UINT64_MAX;
        if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
          self.EndBlock(*frame);
        } else if (ServerStream* const stream = self.Find(frame->hd.stream_id); stream != nullptr) {
          stream->received_bytes += frame->hd.length + kFrameHeaderBytes;
          self.EndTrailers(stream, is_last);
        }
        break;
      }
      case NGHTTP2_DATA:
        if (frame->hd.length > 0 && frame->hd.length == frame->data.padlen && !is_last)
          self.Flood(self.guard_.OnEmptyData(self.now_ms_));
        if (is_last) self.EndRequest(self.Find(frame->hd.stream_id));
        break;
      case NGHTTP2_SETTINGS:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) self.settings_sent_at_ms_ = UINT64_MAX;
        self.NoteSettings(frame->settings);
        break;
      case NGHTTP2_PING:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0 && IsNoticePing(frame->ping.opaque_data))
          self.is_notice_answered_ = true;
        break;
      default:
        break;
    }
    return 0;
  }

  static int OnInvalidFrame(nghttp2_session*, const nghttp2_frame* frame, int, void* user_data) {
    ServerSession& self = *SessionOf(user_data);
    self.head_began_at_ms_ = UINT64_MAX;
    // Of one that somebody stands for, the reset is counted when it goes.
    if (self.Find(frame->hd.stream_id) == nullptr) self.Flood(self.guard_.OnReset(self.now_ms_));
    return 0;
  }

  static int OnStreamClose(nghttp2_session*, int32_t stream_id, uint32_t, void* user_data) {
    ServerSession& self = *SessionOf(user_data);
    --self.open_streams_;
    ServerStream* const stream = self.Find(stream_id);
    if (stream == nullptr) return 0;
    stream->is_live = false;
    if (!stream->has_ended || !stream->has_request_ended) self.sink_->OnReset(&self, stream);
    return 0;
  }

  // --- what goes ---

  static ssize_t OnBodyWanted(nghttp2_session*, int32_t stream_id, uint8_t*, size_t most_bytes,
                              uint32_t* flags, nghttp2_data_source*, void* user_data) {
    ServerSession& self = *SessionOf(user_data);
    ServerStream* const stream = self.Find(stream_id);
    if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    const size_t lying_bytes = stream->waiting->size() + stream->passing.size();
    if (lying_bytes == 0 && !stream->is_ending) return NGHTTP2_ERR_DEFERRED;
    const size_t size = std::min(lying_bytes, most_bytes);
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (size == lying_bytes && stream->is_ending) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      if (!stream->trailers.empty()) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        self.SubmitTrailers(stream);
      }
    }
    return static_cast<ssize_t>(size);
  }

  static int OnSendData(nghttp2_session*, nghttp2_frame* frame, const uint8_t* header, size_t size,
                        nghttp2_data_source*, void* user_data) {
    ServerSession& self = *SessionOf(user_data);
    ServerStream* const stream = self.Find(frame->hd.stream_id);
    if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    if (self.out_.size() >= kMostOutBytes && self.kept_head_id_ == 0) return NGHTTP2_ERR_WOULDBLOCK;
    self.out_.Append(Text(header, kFrameHeaderBytes));
    const size_t waited_bytes = std::min(size, stream->waiting->size());
    self.out_.Append({stream->waiting->data(), waited_bytes});
    if (waited_bytes > 0) stream->waiting->DropFront(waited_bytes);
    self.out_.Append(stream->passing.substr(0, size - waited_bytes));
    stream->passing.remove_prefix(size - waited_bytes);
    const bool is_all = stream->waiting->empty() && stream->passing.empty();
    if (size >= kWorthBytes || (size > 0 && is_all)) self.guard_.Earn();
    return 0;
  }

  static int OnSent(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
    ServerSession& self = *SessionOf(user_data);
    if (frame->hd.type == NGHTTP2_GOAWAY) {
      // nghttp2 itself has found that the client broke a rule.
      if (frame->goaway.error_code != NGHTTP2_NO_ERROR && self.end_ == SessionEnd::kNone) {
        self.end_ = SessionEnd::kError;
        self.error_code_ = frame->goaway.error_code;
      }
      return 0;
    }
    const bool is_head = frame->hd.type == NGHTTP2_HEADERS;
    if (!is_head && frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_RST_STREAM)
      return 0;
    if (is_head && frame->hd.stream_id == self.kept_head_id_) self.kept_head_id_ = 0;
    if (frame->hd.type == NGHTTP2_RST_STREAM) {
      self.newest_reset_id_ = std::max(self.newest_reset_id_, frame->hd.stream_id);
      if (self.IsOfTooLargeWindow(frame->rst_stream, frame->hd.stream_id))
        self.Terminate(NGHTTP2_FLOW_CONTROL_ERROR);
    }
    ServerStream* const stream = self.Find(frame->hd.stream_id);
    if (stream == nullptr) return 0;
    if (frame->hd.type == NGHTTP2_RST_STREAM) {
      // Not its owner's doing, or nobody stood for it any more.
      self.Flood(self.guard_.OnReset(self.now_ms_));
      return 0;
    }
    stream->sent_bytes += frame->hd.length + kFrameHeaderBytes;
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) stream->has_ended = true;
    const bool tells = !is_head || stream->has_ended;
    if (tells && stream != self.sending_ && stream->passing.empty() && stream->is_taken())
      self.sink_->OnTaken(&self, stream);
    return 0;
  }

  static int OnNotSent(nghttp2_session*, const nghttp2_frame* frame, int, void* user_data) {
    ServerSession& self = *SessionOf(user_data);
    if (frame->hd.type == NGHTTP2_HEADERS && frame->hd.stream_id == self.kept_head_id_)
      self.kept_head_id_ = 0;
    return 0;
  }
};

nghttp2_session_callbacks* ServerSession::Callbacks::Make() {
  nghttp2_session_callbacks* made = nullptr;
  nghttp2_session_callbacks_new(&made);
  nghttp2_session_callbacks_set_on_begin_frame_callback(made, Frames::OnBegin);
  nghttp2_session_callbacks_set_on_begin_headers_callback(made, Frames::OnBeginBlock);
  nghttp2_session_callbacks_set_on_header_callback(made, Frames::OnField);
  nghttp2_session_callbacks_set_on_invalid_header_callback(made, Frames::OnInvalidField);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, Frames::OnData);
  nghttp2_session_callbacks_set_on_frame_recv_callback(made, Frames::OnFrame);
  nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(made, Frames::OnInvalidFrame);
  nghttp2_session_callbacks_set_on_stream_close_callback(made, Frames::OnStreamClose);
  nghttp2_session_callbacks_set_send_data_callback(made, Frames::OnSendData);
  nghttp2_session_callbacks_set_on_frame_send_callback(made, Frames::OnSent);
  nghttp2_session_callbacks_set_on_frame_not_send_callback(made, Frames::OnNotSent);
  return made;
}

nghttp2_data_provider ServerSession::Callbacks::BodyProvider() {
  nghttp2_data_provider provider;
  provider.source.ptr = nullptr;
  provider.read_callback = Frames::OnBodyWanted;
  return provider;
}

bool ServerSession::IsInPlace(const nghttp2_frame_hd& header) {
  const int32_t id = header.stream_id;
  if (header.type == NGHTTP2_PRIORITY) return id != 0;
  if (header.type != NGHTTP2_HEADERS || std::exchange(newest_id_, std::max(newest_id_, id)) < id)
    return true;
  const bool is_known = nghttp2_session_get_stream_local_close(session_.get(), id) >= 0;
  return is_known || id <= newest_reset_id_ || is_refusing_;
}

void ServerSession::NoteSettings(const nghttp2_settings& settings) {
  for (size_t place = 0; place < settings.niv; ++place) {
    const nghttp2_settings_entry& entry = settings.iv[place];
    if (entry.settings_id != NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE) continue;
    window_growth_bytes_ = entry.value - std::exchange(first_window_bytes_, entry.value);
  }
}

bool ServerSession::IsOfTooLargeWindow(const nghttp2_rst_stream& reset, int32_t stream_id) const {
  if (reset.error_code != NGHTTP2_FLOW_CONTROL_ERROR || window_growth_bytes_ <= 0) return false;
  // What it was before: nghttp2 leaves it where the change does not fit.
  const int64_t bytes = nghttp2_session_get_stream_remote_window_size(session_.get(), stream_id);
  return bytes + window_growth_bytes_ > INT32_MAX;
}

// --- what blocks of fields mean ---

ServerStream* ServerSession::Find(int32_t stream_id) const {
  return static_cast<ServerStream*>(
      nghttp2_session_get_stream_user_data(session_.get(), stream_id));
}

void ServerSession::EndBlock(const nghttp2_frame& frame) {
  RequestHead head;
  head.stream_id = frame.hd.stream_id;
  head.is_last = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  const HeadVerdict verdict = block_.End(head.is_last);
  const bool is_malformed = verdict == HeadVerdict::kMalformed;
  if (is_malformed || open_streams_ > limits_.streams) {
    if (!is_malformed) ++refused_streams_;
    nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, head.stream_id,
                              is_malformed ? NGHTTP2_PROTOCOL_ERROR : NGHTTP2_REFUSED_STREAM);
    return Flood(guard_.OnReset(now_ms_));
  }
  head.is_too_large = verdict == HeadVerdict::kTooLarge;
  if (!head.is_too_large) head.text = block_.text();
  head.is_extended_connect = block_.is_extended_connect();
  head.own_fields = block_.own_fields();
  ServerStream* const stream = sink_->OnRequest(this, head);
  if (stream == nullptr) {
    ++refused_streams_;
    nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, head.stream_id,
                              NGHTTP2_REFUSED_STREAM);
    return;
  }
  nghttp2_session_set_stream_user_data(session_.get(), stream->id, stream);
  stream->received_bytes = frame.hd.length + kFrameHeaderBytes;
  stream->has_request_ended = head.is_last;
}

void ServerSession::EndTrailers(ServerStream* stream, bool is_last) {
  if (block_.End(is_last) == HeadVerdict::kDone) return EndRequest(stream);
  // As with content that is not as long as it was announced.
  stream->is_live = false;
  nghttp2_session_set_stream_user_data(session_.get(), stream->id, nullptr);
  nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_PROTOCOL_ERROR);
  Flood(guard_.OnReset(now_ms_));
  sink_->OnReset(this, stream);
}

void ServerSession::EndRequest(ServerStream* stream) {
  if (stream == nullptr || stream->has_request_ended) return;
  stream->has_request_ended = true;
  sink_->OnRequestEnd(this, stream);
}

}  // namespace sluice::http2
