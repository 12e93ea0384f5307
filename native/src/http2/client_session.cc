// The client's side of HTTP/2 over nghttp2.
#include "http2/client_session.h"

#include <sys/epoll.h>

#include <algorithm>
#include <array>

#include "http2/nghttp2.h"

namespace sluice::http2 {

namespace {

/// A head as sent has at most 72 KiB (upstream/event.h); nghttp2 counts 32 bytes for each field.
constexpr size_t kMostHeadBytes = 256 * 1024;
/// RFC 9113 section 6.5.2 counts 32 bytes for each field in SETTINGS_MAX_HEADER_LIST_SIZE.
constexpr uint32_t kHeaderListSlack = 2;
constexpr uint64_t kMsPerSecond = 1000;

std::string_view TextOf(const uint8_t* bytes, size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

struct CallbacksDeleter {
  void operator()(nghttp2_session_callbacks* callbacks) const {
    nghttp2_session_callbacks_del(callbacks);
  }
};
struct OptionDeleter {
  void operator()(nghttp2_option* option) const { nghttp2_option_del(option); }
};

}  // namespace

/// What nghttp2 calls; `user` is the session.
struct ClientSession::Callbacks {
  static ClientSession* SessionOf(void* user) { return static_cast<ClientSession*>(user); }

  static int OnBeginHeaders(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (ClientStream* const stream = SessionOf(user)->Find(frame->hd.stream_id))
      stream->BeginBlock();
    return 0;
  }

  static int OnHeader(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name,
                      size_t name_size, const uint8_t* value, size_t value_size, uint8_t,
                      void* user) {
    ClientStream* const stream = SessionOf(user)->Find(frame->hd.stream_id);
    if (stream == nullptr) return 0;
    const bool is_taken = stream->AddField(TextOf(name, name_size), TextOf(value, value_size));
    return is_taken ? 0 : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }

  /// nghttp2 would drop such a field and go on; a response with one is malformed (RFC 9113
  /// section 8.2.1).
  static int OnInvalidHeader(nghttp2_session*, const nghttp2_frame* frame, const uint8_t*, size_t,
                             const uint8_t*, size_t, uint8_t, void* user) {
    ClientStream* const stream = SessionOf(user)->Find(frame->hd.stream_id);
    if (stream != nullptr && stream->end_ == StreamEnd::kOpen) stream->End(StreamEnd::kMalformed);
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }

  static int OnFrame(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    ClientSession* const self = SessionOf(user);
    ClientStream* const stream = self->Find(frame->hd.stream_id);
    const bool is_end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS:
        self->has_answered_ = true;
        if (stream == nullptr) break;
        if (!stream->EndBlock(is_end)) {
          return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                           NGHTTP2_PROTOCOL_ERROR);
        }
        if (is_end) stream->EndData();
        break;
      case NGHTTP2_DATA:
        if (stream != nullptr && is_end) stream->EndData();
        if (frame->hd.length == 0 && !is_end) self->CountControlFrame();
        break;
      case NGHTTP2_RST_STREAM:
        if (stream != nullptr) stream->was_reset_ = true;
        break;
      case NGHTTP2_SETTINGS:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) break;
        self->CountControlFrame();
        self->has_settings_ = true;
        self->owner_->OnRoomChanged();
        break;
      case NGHTTP2_GOAWAY:
        self->is_goaway_received_ = true;
        self->owner_->OnRoomChanged();
        break;
      case NGHTTP2_PING:
      case NGHTTP2_PRIORITY:
        self->CountControlFrame();
        break;
      default:
        break;
    }
    return 0;
  }

  static int OnDataChunk(nghttp2_session* session, uint8_t, int32_t stream_id, const uint8_t* data,
                         size_t size, void* user) {
    ClientStream* const stream = SessionOf(user)->Find(stream_id);
    if (stream != nullptr && stream->end_ == StreamEnd::kOpen) {
      SessionOf(user)->window_.Hold(size);
      stream->AddData(TextOf(data, size));
      return 0;
    }
    // Nobody wants it: it takes no place in the window.
    SessionOf(user)->window_.Hold(size);
    SessionOf(user)->window_.Use(session, stream_id, size);
    return 0;
  }

  static int OnStreamClose(nghttp2_session*, int32_t stream_id, uint32_t error_code, void* user) {
    ClientSession* const self = SessionOf(user);
    if (ClientStream* const stream = self->Find(stream_id)) {
      stream->OnClosed(error_code);
      self->Leave(stream);
    }
    return 0;
  }

  static ssize_t ReadBody(nghttp2_session* session, int32_t stream_id, uint8_t* buffer, size_t size,
                          uint32_t* flags, nghttp2_data_source*, void*) {
    auto* const stream =
        static_cast<ClientStream*>(nghttp2_session_get_stream_user_data(session, stream_id));
    if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    bool is_last = false;
    const size_t taken = stream->TakeBody(buffer, size, &is_last);
    if (is_last) *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (taken == 0 && !is_last) return NGHTTP2_ERR_DEFERRED;
    return static_cast<ssize_t>(taken);
  }
};

std::unique_ptr<ClientSession> ClientSession::Make(const ClientSessionSettings& settings,
                                                   ClientSessionOwner* owner) {
  std::unique_ptr<ClientSession> session(new ClientSession(settings, owner));
  return session->Begin() ? std::move(session) : nullptr;
}

bool ClientSession::Begin() {
  nghttp2_session_callbacks* made = nullptr;
  if (nghttp2_session_callbacks_new(&made) != 0) return false;
  const std::unique_ptr<nghttp2_session_callbacks, CallbacksDeleter> callbacks(made);
  nghttp2_session_callbacks_set_on_begin_headers_callback(made, &Callbacks::OnBeginHeaders);
  nghttp2_session_callbacks_set_on_header_callback(made, &Callbacks::OnHeader);
  nghttp2_session_callbacks_set_on_invalid_header_callback(made, &Callbacks::OnInvalidHeader);
  nghttp2_session_callbacks_set_on_frame_recv_callback(made, &Callbacks::OnFrame);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, &Callbacks::OnDataChunk);
  nghttp2_session_callbacks_set_on_stream_close_callback(made, &Callbacks::OnStreamClose);

  nghttp2_option* made_option = nullptr;
  if (nghttp2_option_new(&made_option) != 0) return false;
  const std::unique_ptr<nghttp2_option, OptionDeleter> option(made_option);
  // Windows are given back as bytes are handed over.
  nghttp2_option_set_no_auto_window_update(made_option, 1);
  nghttp2_option_set_max_send_header_block_length(made_option, kMostHeadBytes);
  if (nghttp2_session_client_new2(&session_, made, this, made_option) != 0) return false;

  const std::array<nghttp2_settings_entry, 3> entries = {{
      {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, settings_.stream_window_bytes},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, settings_.response_head_bytes * kHeaderListSlack},
  }};
  return nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, entries.data(), entries.size()) ==
             0 &&
         nghttp2_session_set_local_window_size(
             session_, NGHTTP2_FLAG_NONE, 0,
             static_cast<int32_t>(settings_.connection_window_bytes)) == 0;
}

ClientSession::~ClientSession() {
  Lose(ECONNABORTED);
  if (session_ != nullptr) nghttp2_session_del(session_);
}

// --- bytes ---

bool ClientSession::Receive(std::string_view bytes, uint64_t now_ms) {
  now_ms_ = now_ms;
  const ssize_t taken = nghttp2_session_mem_recv(
      session_, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  window_.GiveBackByHalves(session_);
  if (nghttp2_session_want_write(session_) != 0) owner_->OnOutput();
  if (is_flooded_) nghttp2_session_terminate_session(session_, NGHTTP2_ENHANCE_YOUR_CALM);
  return taken == static_cast<ssize_t>(bytes.size()) && !is_flooded_;
}

bool ClientSession::Collect(ByteBuffer* out, size_t most_bytes) {
  while (out->size() < most_bytes) {
    const uint8_t* frames = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_, &frames);
    if (size < 0) return false;
    if (size == 0) break;
    out->Append(TextOf(frames, static_cast<size_t>(size)));
  }
  return true;
}

void ClientSession::CountControlFrame() {
  const uint64_t leaked = (now_ms_ - control_since_ms_) * kControlFramesPerSecond / kMsPerSecond;
  if (leaked > 0) {
    control_frames_ -= std::min(control_frames_, leaked);
    control_since_ms_ = now_ms_;
  }
  if (++control_frames_ > kControlFrames) is_flooded_ = true;
}

// --- streams ---

std::unique_ptr<ClientStream> ClientSession::Open(Pollable* watcher) {
  auto stream = std::make_unique<ClientStream>(this, watcher);
  streams_.PushBack(stream.get());
  ++streams_count_;
  return stream;
}

bool ClientSession::takes_streams() const {
  return !is_goaway_received_ && nghttp2_session_check_request_allowed(session_) != 0;
}

uint32_t ClientSession::most_streams() const {
  // Before the endpoint has spoken, one is enough to begin with: it may allow fewer than we open.
  if (!has_settings_) return 1;
  return nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

bool ClientSession::is_over() const {
  return nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0;
}

bool ClientSession::SubmitRequest(ClientStream* stream, std::string_view head,
                                  RequestFraming* framing, uint64_t* body_bytes) {
  if (!fields_.Read(head, settings_.is_tls ? "https" : "http", settings_.authority)) return false;
  *framing = fields_.framing();
  *body_bytes = fields_.body_bytes();
  nghttp2_data_provider body{};
  body.read_callback = &Callbacks::ReadBody;
  const int32_t id =
      nghttp2_submit_request(session_, nullptr, fields_.fields().data(), fields_.fields().size(),
                             *framing == RequestFraming::kNone ? nullptr : &body, stream);
  if (id < 0) return false;
  stream->id_ = id;
  owner_->OnOutput();
  return true;
}

void ClientSession::ResumeBody(int32_t stream_id) {
  if (nghttp2_session_resume_data(session_, stream_id) == 0) owner_->OnOutput();
}

bool ClientSession::is_clogged() const {
  const size_t window = settings_.connection_window_bytes;
  const size_t one_stream = std::min<size_t>(settings_.stream_window_bytes, window / 2);
  return window_.held_bytes() + one_stream > window;
}

void ClientSession::Consume(int32_t stream_id, size_t bytes) {
  const bool was_clogged = is_clogged();
  window_.Use(session_, stream_id, bytes);
  if (was_clogged && !is_clogged()) owner_->OnRoomChanged();
  if (nghttp2_session_want_write(session_) != 0) owner_->OnOutput();
}

ClientStream* ClientSession::Find(int32_t stream_id) const {
  if (stream_id == 0) return nullptr;
  return static_cast<ClientStream*>(nghttp2_session_get_stream_user_data(session_, stream_id));
}

void ClientSession::Leave(ClientStream* stream) {
  stream->ListHook<StreamTag>::Unlink();
  closed_.PushBack(stream);
  --streams_count_;
  owner_->OnRoomChanged();
}

void ClientSession::Drop(ClientStream* stream) {
  const size_t unread = stream->received_.size() - stream->unread_text_;
  if (unread > 0) Consume(stream->id_, unread);
  if (stream->id_ != 0 && !stream->is_closed_) {
    nghttp2_session_set_stream_user_data(session_, stream->id_, nullptr);
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream->id_, NGHTTP2_CANCEL);
  }
  const bool was_open = !stream->is_closed_;
  stream->ListHook<StreamTag>::Unlink();
  stream->session_ = nullptr;
  if (was_open) {
    --streams_count_;
    owner_->OnRoomChanged();
  }
  if (nghttp2_session_want_write(session_) != 0) owner_->OnOutput();
}

// --- ends ---

void ClientSession::Ping() {
  if (nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr) == 0) owner_->OnOutput();
}

void ClientSession::Finish() {
  const int32_t last_id = nghttp2_session_get_last_proc_stream_id(session_);
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, last_id, NGHTTP2_NO_ERROR, nullptr, 0);
}

void ClientSession::Lose(int error_number) {
  streams_.TakeAll(closed_);
  while (ClientStream* const stream = streams_.PopFront())
    stream->Lose(error_number);
  streams_count_ = 0;
}

}  // namespace sluice::http2
