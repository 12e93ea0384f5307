// One stream of an HTTP/2 connection to an endpoint, which takes and gives HTTP/1.1 as a socket
// would.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/byte_buffer.h"
#include "base/event_loop.h"
#include "base/intrusive_list.h"
#include "base/socket.h"
#include "http1/chunked_decoder.h"
#include "http2/request_fields.h"

namespace sluice::http2 {

class ClientSession;
struct StreamTag;

/// How a stream ended.
enum class StreamEnd : uint8_t {
  kOpen,
  kComplete,   // END_STREAM after a final head
  kReset,      // RST_STREAM; see ClientStream::error_code
  kRefused,    // the endpoint did not act on it: REFUSED_STREAM, or GOAWAY below its id
  kMalformed,  // not a response that HTTP/2 allows (RFC 9113 section 8.1.1)
  kTooLarge,   // a limit of heads is passed
  kLost,       // the connection is gone; see ClientStream::error_number
};

/// Takes the bytes of one HTTP/1.1 request, and turns them into HEADERS and DATA; gives those of
/// its response: heads as of HTTP/1.1 (interim ones, too), without framing of their own, then the
/// body. What nghttp2 lets pass is judged once more by whoever parses these heads.
///
/// Who watches it is told as epoll would tell: EPOLLIN for something to receive, EPOLLOUT for room
/// after a Send that took less than all, EPOLLRDHUP for the end. Flow control: the endpoint may
/// send ahead what the windows allow; what Receive hands over is given back to them. Going, it is
/// reset (CANCEL) where it is open. One thread.
class ClientStream final : public ListHook<StreamTag> {
 public:
  ClientStream(ClientSession* session, Pollable* watcher);
  ~ClientStream();
  ClientStream(const ClientStream&) = delete;
  ClientStream& operator=(const ClientStream&) = delete;

  /// Takes at most `bytes`; less: there is no room for more now. The first call has the whole head.
  /// EPIPE: the stream has ended, EPROTO: those are no bytes of a request.
  IoResult Send(std::string_view bytes);
  /// Copies at most `size` bytes. EAGAIN: none are there yet; 0 bytes: the response is complete;
  /// another errno: it broke off, see end().
  IoResult Receive(char* buffer, size_t size);
  /// The response is complete, and all of it was received.
  bool is_at_end() const { return end_ == StreamEnd::kComplete && received_.empty(); }

  /// The connection is there.
  bool is_carried() const { return session_ != nullptr; }
  StreamEnd end() const { return end_; }
  uint32_t error_code() const { return error_code_; }  // of HTTP/2
  int error_number() const { return error_number_; }   // as ClientSession::Lose was told
  /// Lines with their CRLFs, once the response is complete; empty: none.
  std::string_view trailers() const { return trailers_; }

  /// Request bytes that are held here; above it, Send takes no more.
  static constexpr size_t kMostUnsentBytes = 64 * 1024;
  /// Interim responses before the final one; more are malformed.
  static constexpr unsigned kMostInterims = 16;

 private:
  friend class ClientSession;

  enum class SendPhase : uint8_t { kHead, kLength, kChunked, kDone };

  bool SendHead(std::string_view head);
  size_t SendBody(std::string_view bytes);
  size_t SendChunked(std::string_view bytes);

  // Called by the session, from within nghttp2: they take down, and act on nothing.
  size_t TakeBody(uint8_t* buffer, size_t size, bool* is_last);
  void BeginBlock();
  bool AddField(std::string_view name, std::string_view value);
  bool EndBlock(bool is_end);
  void AddData(std::string_view data);
  void EndData();
  void OnClosed(uint32_t error_code);
  void Lose(int error_number);
  void End(StreamEnd end);
  void Tell(uint32_t events) { watcher_->OnEvents(events); }

  ClientSession* session_;  // nullptr: gone
  Pollable* watcher_;
  int32_t id_ = 0;  // 0: no head was sent yet
  bool is_closed_ = false;

  SendPhase send_phase_ = SendPhase::kHead;
  uint64_t body_left_bytes_ = 0;  // kLength
  http1::ChunkedDecoder chunks_;  // kChunked
  ByteBuffer unsent_;
  bool is_deferred_ = false;  // nghttp2 waits for more of the body
  bool is_short_ = false;     // the last Send took less than all

  bool has_final_head_ = false;
  bool is_block_final_ = true;  // its status is not 1xx
  unsigned interims_ = 0;
  size_t block_bytes_ = 0;
  std::string block_;       // the head that is being received
  size_t unread_text_ = 0;  // of received_: heads, which no window counts
  ByteBuffer received_;     // heads, then the body
  std::string trailers_;
  unsigned trailer_lines_ = 0;
  bool was_reset_ = false;  // by the endpoint
  StreamEnd end_ = StreamEnd::kOpen;
  uint32_t error_code_ = 0;
  int error_number_ = 0;
};

}  // namespace sluice::http2
