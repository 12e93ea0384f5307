// The server's side of one HTTP/2 connection: bytes in, bytes out, and streams in between; knows
// nothing of sockets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "http2/answer_fields.h"
#include "http2/flood_guard.h"
#include "http2/frame_buffer.h"
#include "http2/nghttp2.h"
#include "http2/receive_window.h"
#include "http2/request_head_builder.h"
#include "http2/server_limits.h"
#include "http2/server_stream.h"

namespace sluice::http2 {

class ServerSession;

/// A request whose head is complete.
struct RequestHead {
  int32_t stream_id = 0;
  /// As RequestHeadBuilder::text; empty with is_too_large.
  std::string_view text = {};
  /// Lines that are the proxy's: no field of the client's.
  uint32_t own_fields = 0;
  bool is_too_large = false;
  /// No content follows.
  bool is_last = false;
  bool is_extended_connect = false;
};

/// A piece of an answer.
struct Outgoing {
  /// As AnswerFields::Read; its bytes may be changed. nullptr: more of the body.
  char* head = nullptr;
  size_t head_bytes = 0;
  int status = 0;           // as AnswerFields::Read
  bool is_interim = false;  // 1xx: the head alone
  /// Copied where it finds no room.
  std::string_view body = {};
  bool is_last = false;
  /// Lines with their ends, with is_last only; empty: none.
  std::string_view trailers = {};
};

/// Who takes what comes. Called from within Receive and Pump only; the session may be given
/// anything from within, but neither Receive, Pump nor the end of its life.
class ServerSessionSink {
 public:
  /// @returns who stands for the stream from now on (Begin was called), or nullptr: it is refused,
  /// and may be asked for again (REFUSED_STREAM)
  virtual ServerStream* OnRequest(ServerSession* session, const RequestHead& head) = 0;
  /// Content. What is not given back by Consume narrows the windows of stream and connection.
  /// @param is_last as OnRequestEnd, which is not called then
  virtual void OnData(ServerSession* session, ServerStream* stream, std::string_view bytes,
                      bool is_last) = 0;
  virtual void OnRequestEnd(ServerSession* session, ServerStream* stream) = 0;
  /// All that was given for the stream has been made into frames, after some had waited.
  virtual void OnTaken(ServerSession* session, ServerStream* stream) = 0;
  /// The stream is over by the client's doing, or by an error of its, before both sides have said
  /// their end; it is not open any more.
  virtual void OnReset(ServerSession* session, ServerStream* stream) = 0;

 protected:
  ~ServerSessionSink() = default;
};

/// How a session ends.
enum class SessionEnd : uint8_t {
  kNone,   // it goes on, or ends in order
  kError,  // the client broke the rules
  kFlood,  // ... or passed a limit: see flood()
};

/// One thread. What is to be sent lies in `out` after Pump; what of answers goes beyond
/// kMostOutBytes of that waits in its stream. Streams that it knows when it goes are told of no
/// more.
class ServerSession {
 public:
  /// DATA is made as long as less than this lies in `out`: four TLS records.
  static constexpr size_t kMostOutBytes = 64 * 1024;
  /// A header block that unpacks to more than so many times the head's limit, and as many bytes for
  /// a start, ends the connection; up to there it is read for the sake of the others, and dropped.
  static constexpr size_t kMostUnpackedHeads = 4;
  static constexpr size_t kUnpackedGraceBytes = 64 * 1024;

  /// @param fields of its thread, shared by all sessions
  ServerSession(const ServerLimits& limits, ServerSessionSink* sink, AnswerFields* fields,
                uint64_t now_ms);
  ~ServerSession();
  ServerSession(const ServerSession&) = delete;
  ServerSession& operator=(const ServerSession&) = delete;

  /// Reads what a client has sent. @returns false: the session is over; what lies in `out` after a
  /// Pump is to be sent still
  bool Receive(std::string_view bytes, uint64_t now_ms);
  /// Makes frames of what waits, as far as windows and `out` have room.
  void Pump();
  FrameBuffer& out() { return out_; }
  const FrameBuffer& out() const { return out_; }
  /// Something may have to be sent that does not lie in `out` yet.
  bool WantsToWrite() const;
  /// Nothing is to be read or written any more: both sides have said so, or the session failed.
  bool IsOver() const;

  /// Gives what an answer consists of, in its order; it is sent with the next write of `out`. The
  /// stream is open, and its end has not been given. HOT.
  void Send(ServerStream* stream, const Outgoing& outgoing);
  /// Ends a stream at once: RST_STREAM. @param code NGHTTP2_NO_ERROR behind a complete answer: the
  /// rest of the request is not wanted
  void Reset(ServerStream* stream, uint32_t code);
  /// The owner has no use for the stream any more, which goes on to its end by itself.
  void Forget(ServerStream* stream);
  /// Content has been used: the client may send as much again. The stream may be gone.
  void Consume(int32_t stream_id, size_t bytes);
  /// Gives the window of the connection back at once for what has been used.
  void GiveBack();

  /// Says that the connection will end, and asks for an echo (RFC 9113 section 6.8).
  void GiveNotice();
  /// The echo has come: what the client sent before it knew has been seen.
  bool is_notice_answered() const { return is_notice_answered_; }
  /// No further streams; those that have begun go on. Idempotent.
  void RefuseStreams();
  /// Ends all at once. @param code of GOAWAY
  void Terminate(uint32_t code);

  SessionEnd end() const { return end_; }
  FloodKind flood() const { return flood_; }
  /// The code of the GOAWAY that ends it for an error, of either side.
  uint32_t error_code() const { return error_code_; }
  /// Streams that have not ended on both sides.
  uint32_t open_streams() const { return open_streams_; }
  /// Streams that have begun since the connection came.
  uint32_t requests() const { return requests_; }
  /// Streams that were refused since the last call: nothing of them has been looked at.
  uint32_t TakeRefusedStreams() { return std::exchange(refused_streams_, 0); }
  /// When a header block began that is not complete; UINT64_MAX: none.
  uint64_t head_began_at_ms() const { return head_began_at_ms_; }
  /// When SETTINGS were sent that are not acknowledged; UINT64_MAX: none.
  uint64_t settings_sent_at_ms() const { return settings_sent_at_ms_; }

 private:
  struct Callbacks;
  struct Frames;
  struct Freed {
    void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
  };

  ServerStream* Find(int32_t stream_id) const;
  void Flood(FloodKind kind);
  void Fail(int library_error);
  void SendSettings();
  /// nghttp2 passes over what it would end a connection for if it knew that nothing has crossed:
  /// PRIORITY of no stream, HEADERS on an id that was used or left out (RFC 9113 sections 6.3 and
  /// 5.1.1). @returns false: nothing that was reset or refused explains it
  bool IsInPlace(const nghttp2_frame_hd& header);
  void NoteSettings(const nghttp2_settings& settings);
  /// nghttp2 ends the streams alone whose windows SETTINGS have made too large, where the
  /// connection has to end (RFC 9113 section 6.9.2).
  bool IsOfTooLargeWindow(const nghttp2_rst_stream& reset, int32_t stream_id) const;
  static bool IsNoticePing(const uint8_t* opaque);
  void EndBlock(const nghttp2_frame& frame);
  void EndTrailers(ServerStream* stream, bool is_last);
  void EndRequest(ServerStream* stream);
  void SubmitHead(ServerStream* stream, const Outgoing& outgoing);
  void SubmitTrailers(ServerStream* stream);

  ServerLimits limits_;
  ServerSessionSink* sink_;
  AnswerFields* fields_;
  std::unique_ptr<nghttp2_session, Freed> session_;
  RequestHeadBuilder block_;
  FloodGuard guard_;
  FrameBuffer out_;
  uint64_t now_ms_;
  uint64_t head_began_at_ms_ = UINT64_MAX;
  uint64_t settings_sent_at_ms_ = UINT64_MAX;
  bool is_receiving_ = false;
  bool is_pumping_ = false;
  bool is_notice_answered_ = false;
  /// A limit was passed: GOAWAY is to be given.
  bool is_to_be_terminated_ = false;
  /// Bytes that are still to come of the DATA frame that is being read.
  size_t data_left_bytes_ = 0;
  ReceiveWindow window_;
  /// It ends its stream, and has no padding that would hide where.
  bool is_data_last_ = false;
  /// Of the answer whose head lies where it lay; 0: all have been made into frames.
  int32_t kept_head_id_ = 0;
  /// Highest id of HEADERS; and of a stream that was reset, up to which trailers may be on their
  /// way.
  int32_t newest_id_ = 0;
  int32_t newest_reset_id_ = 0;
  /// What streams begin with of the client's window, and how much the last change of that was.
  int64_t first_window_bytes_ = kLeastConnectionWindowBytes;
  int64_t window_growth_bytes_ = 0;
  /// Streams have been refused by GOAWAY, of which more may be on its way.
  bool is_refusing_ = false;
  /// The stream of the Send under way, whose caller sees what has become of it.
  ServerStream* sending_ = nullptr;
  uint32_t requests_ = 0;
  uint32_t open_streams_ = 0;
  uint32_t refused_streams_ = 0;
  SessionEnd end_ = SessionEnd::kNone;
  FloodKind flood_ = FloodKind::kNone;
  uint32_t error_code_ = 0;
};

}  // namespace sluice::http2
