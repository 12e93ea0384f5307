// One exchange as the front end sees it: a client's request and the answer it gets; and the table
// of all.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_buffer.h"
#include "base/intrusive_list.h"
#include "frontend/added_fields.h"
#include "frontend/attempt_records.h"
#include "frontend/endpoint_facts.h"
#include "frontend/event.h"
#include "frontend/grpc_status.h"
#include "frontend/logged_request.h"
#include "http1/chunked_decoder.h"
#include "http1/client_request.h"
#include "http1/endpoint_head.h"
#include "l4/pipe_pool.h"

namespace sluice::frontend {

class ClientConnection;
struct ExchangeNoticeTag;
struct ListenerEdition;

/// kFree → kUndecided ⇄ kAttempting → kRelaying → kFlushing → kFinished → kFree; kAttempting →
/// kUndecided when an attempt failed or its response is asked about; kUndecided → kRelaying for an
/// asked response that is passed on, → kFlushing for an answer of the proxy's own; kAttempting →
/// kTunnel; from every stage to kFinished.
enum class Stage : uint8_t {
  kFree,
  kUndecided,   // waits for a decision
  kAttempting,  // the upstream client has it; nothing of an answer has gone out
  kRelaying,    // the answer's head has gone out
  kFlushing,    // the answer is complete, the client has not taken all of it
  kTunnel,
  kFinished,  // waits for its end to be told
};

/// Where the request is that a decision would send.
enum class Holder : uint8_t {
  kNobody,
  kArena,   // its head lies in the arena of the batch that is being filled or told
  kItself,  // its head was copied: held_head
  kClient,  // the upstream client has it: on its way, or kept for Resend
};

/// Digits of an id that the proxy gives a request.
inline constexpr size_t kRequestIdBytes = 32;

/// A change of a field, in memory of its own.
struct HeldEdit {
  std::string name;
  std::string value;
  bool is_removal = false;
};

/// What only few exchanges have.
struct ExchangeExtras {
  std::string head;
  std::vector<HeldEdit> edits;
};

struct ClientExchange final : public ListHook<ExchangeNoticeTag> {
  int32_t id = 0;
  ClientConnection* connection = nullptr;
  Stage stage = Stage::kFree;
  Holder holder = Holder::kNobody;
  uint16_t listener = 0;
  /// Of the listener, as it was when the request began; nullptr: it is free, or a tunnel.
  ListenerEdition* edition = nullptr;
  /// With the upstream client: `id`, or that of the second attempt once it is the only one.
  int32_t attempt_id = 0;
  /// Bytes of the request have been handed to a connection to an endpoint.
  bool is_sent = false;
  /// Its decision was put off: a client that finishes sending from now on has left.
  bool leaves_by_finishing = false;

  // The request. Views of `request` are valid while holder is kArena or kItself.
  http1::ClientRequest request;
  http1::Method method = http1::Method::kOther;
  bool is_http10 = false;
  bool is_http2 = false;
  bool may_keep_alive = false;
  bool takes_trailers = false;
  bool wants_tunnel = false;    // Connection: upgrade
  bool is_early = false;        // came as early data of TLS
  uint32_t request_number = 0;  // its id's counter
  bool has_own_id = false;      // text ends with the id that a trusted peer gave it
  http1::ChunkedDecoder chunks;
  bool is_chunked = false;
  /// Its body ends with its stream.
  bool is_streamed = false;
  bool is_body_complete = true;
  /// A fault was told of: nothing more of the body is read.
  bool is_body_broken = false;
  /// The endpoint is slow: the body is not read until the client (upstream) has sent what it holds.
  bool is_body_paused = false;
  uint64_t body_left_bytes = 0;  // of a known length
  uint64_t body_bytes = 0;       // received, decoded
  uint64_t body_began_at_ms = 0;
  uint64_t body_moved_at_ms = 0;

  // The answer.
  ByteBuffer out;  // what the client has not taken yet
  /// What was taken out of there lies with the connection's carrier.
  bool is_unsent = false;
  /// Only while bytes lie in it, which come behind `out`.
  std::unique_ptr<l4::Pipe> pipe;
  uint8_t small_splices = 0;  // in a row
  bool is_out_chunked = false;
  bool has_head_gone = false;
  /// Its body ends with the connection: a client cannot tell a broken one but by a reset.
  bool ends_with_close = false;
  bool must_close = false;
  bool is_endpoint_paused = false;
  uint64_t written_at_ms = 0;  // the client last took something
  uint64_t bytes_to_client = 0;
  uint64_t bytes_from_client = 0;

  // What is still to be told.
  int32_t progress = 0;  // event_flag bits
  int32_t status = 0;
  uint64_t first_byte_us = 0;
  uint64_t connect_us = 0;
  int32_t grpc_status = kNotGrpc;
  /// Goes with kFirstByte; nullptr: nothing is to be told.
  std::unique_ptr<EndpointFacts> facts;
  bool has_request_notice = false;
  bool has_failed_notice = false;
  bool has_asked_notice = false;
  int32_t failure = 0;
  int32_t failure_errno = 0;
  int32_t failure_flags = 0;
  uint64_t failure_us = 0;
  http1::RequestFault fault = http1::RequestFault::kNone;
  bool has_fault_notice = false;
  ClientEnd end = ClientEnd::kDelivered;
  /// Place of the event that asks for a decision in the batch that is with TypeScript.
  uint32_t batch_place = 0;

  /// What the access log wants of the request; nullptr: none of this object has been logged yet.
  std::unique_ptr<LoggedRequest> logged;
  bool is_logged = false;
  /// "METHOD TARGET\nHOST": for people.
  ByteBuffer text;
  std::unique_ptr<ExchangeExtras> extras;
  /// What the proxy adds to the answer, whoever gives it, over all attempts; nullptr: nothing.
  std::unique_ptr<AddedFields> added;

  /// Waits for a decision: neither passed on nor dropped; nullptr: there is none.
  std::unique_ptr<AskedResponse> asked;
  /// nullptr: there was never a second attempt beside the first.
  std::unique_ptr<HedgeRecord> hedge;

  /// Two attempts have been begun, and nothing is decided between them.
  bool is_hedged() const { return hedge != nullptr && hedge->is_running; }
  /// Of the two attempts the one with the other number.
  int32_t hedge_id() const { return attempt_id ^ upstream::kHedgeOffset; }

  std::string_view added_lines() const { return added == nullptr ? "" : added->lines(); }

  /// The client has everything that was written.
  bool is_taken() const { return out.empty() && pipe == nullptr && !is_unsent; }

  /// Gives back everything but the id and small memory; its pipe and its edition have been given
  /// back.
  void Clear();
};

/// All exchanges by number, made in pages when a number is first used, never given back; the number
/// that was freed last is taken first.
class ClientExchangeTable {
 public:
  /// @returns nullptr when kMaxExchanges are in use
  ClientExchange* Take();
  /// The exchange must have been cleared.
  void Give(ClientExchange* exchange) { free_.push_back(exchange->id); }
  /// Any number. @returns nullptr where it was never taken
  ClientExchange* Find(int32_t id) const {
    if (id < kFirstExchange) return nullptr;
    const auto place = static_cast<size_t>(id - kFirstExchange);
    return place < made_ ? &(*pages_[place / kPage])[place % kPage] : nullptr;
  }
  size_t in_use() const { return made_ - free_.size(); }

 private:
  static constexpr size_t kPage = 64;
  std::vector<std::unique_ptr<std::array<ClientExchange, kPage>>> pages_;
  std::vector<int32_t> free_;
  size_t made_ = 0;
};

}  // namespace sluice::frontend
