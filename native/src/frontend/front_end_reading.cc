// How the front end reads heads and bodies of requests.
#include <algorithm>
#include <cstring>
#include <utility>

#include "frontend/front_end.h"

namespace sluice::frontend {

bool FrontEnd::HasRoomToRead() const {
  // A head that came in pieces is moved to the arena as a whole; it has at most the listener's
  // limit.
  return !batch_.is_full() && batch_.free_bytes() >= kHeadWindowBytes + kMaxHeadBytes;
}

// --- heads ---

void FrontEnd::ReadRequest(ClientConnection* connection) {
  if (connection->HasUnsent()) (void)connection->carrier->Flush();
  if (connection->holds_input() && !connection->unread->has_partial_head)
    return ParseUnread(connection);
  char* const data = batch_.free();
  const IoResult got = Read(connection, data, kHeadWindowBytes);
  if (got.would_block()) {
    // Behind an answer it looked as if more were there.
    if (connection->requests > 0 && !connection->holds_input()) WaitForRequest(connection);
    return;
  }
  if (got.error != 0) return CloseConnection(connection, ClientEnd::kGone, false);
  if (got.bytes == 0) {
    // In order between two requests; inside a head nobody waits for an answer any more.
    const ClientEnd end = connection->holds_input() ? ClientEnd::kGone : ClientEnd::kDelivered;
    return CloseConnection(connection, end, false);
  }
  if (connection->holds_input()) {
    connection->unread->bytes.Append({data, got.bytes});
    return ParseUnread(connection);
  }
  if (connection->requests == 0 && TakesPreface(connection, {data, got.bytes})) return;
  http1::ClientRequest request;
  parser_.Reset(ListenerOf(*connection).limits);
  const http1::ParseStatus status = parser_.Parse({data, got.bytes}, &request);
  if (status == http1::ParseStatus::kDone) {
    batch_.Use(request.head_bytes);
    if (got.bytes > request.head_bytes)
      KeepUnread(connection, {data + request.head_bytes, got.bytes - request.head_bytes});
    if (BeginExchange(connection, request)) return;
  } else if (status == http1::ParseStatus::kNeedMore) {
    KeepUnread(connection, {data, got.bytes});
    connection->unread->parser = parser_;
    connection->unread->has_partial_head = true;
    // What counts is the whole head, not the pause between its pieces.
    if (connection->requests > 0)
      ArmAt(connection, loop_->now_ms() + ListenerOf(*connection).settings.request_head_timeout_ms);
    OnConnectionReady(connection);
  } else {
    BeginFaulty(connection, parser_.fault(), {data, got.bytes});
  }
}

void FrontEnd::ParseUnread(ClientConnection* connection) {
  Unread& unread = *connection->unread;
  if (connection->requests == 0 && TakesPreface(connection, unread.bytes.view())) return;
  if (!unread.has_partial_head) {
    unread.parser.Reset(LimitsOf(*connection));
    unread.has_partial_head = true;
  }
  http1::ClientRequest request;
  const http1::ParseStatus status = unread.parser.Parse(unread.bytes.view(), &request);
  if (status == http1::ParseStatus::kNeedMore) return OnConnectionReady(connection);
  unread.has_partial_head = false;
  if (status != http1::ParseStatus::kDone) {
    BeginFaulty(connection, unread.parser.fault(), unread.bytes.view());
    if (connection->stream != nullptr && connection->exchange == nullptr)
      RefuseStream(connection->stream);
    return;
  }
  // Its place for the time until it is sent is the arena: there TypeScript sees it.
  const size_t head_bytes = request.head_bytes;
  char* const head = batch_.free();
  std::memcpy(head, unread.bytes.data(), head_bytes);
  batch_.Use(head_bytes);
  unread.bytes.DropFront(head_bytes);
  // The same again, with views of the arena and what was heeded then.
  parser_.Reset(unread.parser.limits());
  (void)parser_.Parse({head, head_bytes}, &request);
  if (!BeginExchange(connection, request) && connection->stream != nullptr)
    RefuseStream(connection->stream);
}

void FrontEnd::KeepUnread(ClientConnection* connection, std::string_view bytes) {
  if (bytes.empty()) return;
  if (connection->unread == nullptr) connection->unread = std::make_unique<Unread>();
  connection->unread->bytes.Append(bytes);
}

ClientExchange* FrontEnd::TakeExchange(ClientConnection* connection) {
  ClientExchange* const exchange = exchanges_.Take();
  if (exchange == nullptr) return nullptr;
  ++requests_;
  ++connection->requests;
  exchange->connection = connection;
  exchange->listener = connection->listener;
  exchange->edition = listeners_[connection->listener].get();
  ++exchange->edition->exchanges;
  if (connection->stream != nullptr) {
    connection->stream->waiting = &exchange->out;
    exchange->is_http2 = true;
  }
  exchange->stage = Stage::kUndecided;
  exchange->request_number = request_number_++;
  connection->exchange = exchange;
  connection->state = ConnectionState::kExchange;
  connection->deadline_ms = UINT64_MAX;
  return exchange;
}

bool FrontEnd::BeginExchange(ClientConnection* connection, const http1::ClientRequest& request) {
  ClientExchange* const exchange = TakeExchange(connection);
  if (exchange == nullptr) {
    if (connection->stream != nullptr) return false;
    // As many are open as can be told apart: the one answer that is not TypeScript's.
    constexpr std::string_view kFull =
        "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nretry-after: 1\r\n"
        "connection: close\r\n\r\n";
    (void)connection->Send(kFull.data(), kFull.size());
    Linger(connection);
    return false;
  }
  exchange->request = request;
  exchange->holder = Holder::kArena;
  exchange->method = request.method;
  exchange->is_http10 = request.minor_version == 0;
  exchange->may_keep_alive = request.keep_alive;
  exchange->takes_trailers = request.takes_trailers && !exchange->is_http10;
  exchange->wants_tunnel = request.wants_upgrade;
  exchange->bytes_from_client = request.head_bytes;
  const bool is_unknown = request.body_bytes == http1::kChunkedRequestBody;
  exchange->is_chunked = is_unknown && !exchange->is_http2;
  exchange->is_streamed = is_unknown && exchange->is_http2;
  exchange->body_left_bytes =
      request.body_bytes > 0 ? static_cast<uint64_t>(request.body_bytes) : 0;
  exchange->is_body_complete = !is_unknown && exchange->body_left_bytes == 0;
  if (exchange->is_chunked) exchange->chunks.Reset(true);
  exchange->text.Append(request.method_text.substr(0, kMethodTextBytes));
  exchange->text.Append(" ");
  exchange->text.Append(request.target.substr(0, kTargetTextBytes));
  exchange->text.Append("\n");
  exchange->text.Append(request.host.substr(0, kHostTextBytes));
  if (access_lines_ != nullptr)
    LogRequest(exchange)->Begin(connection->client, request, connection->is_trusted,
                                exchange->is_http2);
  const uint64_t most_bytes = exchange->edition->settings.body_bytes;
  if (most_bytes > 0 && exchange->body_left_bytes > most_bytes)
    exchange->fault = http1::RequestFault::kBodyTooLarge;
  if (!connection->is_plain()) NoteEarliness(exchange);
  PutRequest(exchange);
  return true;
}

void FrontEnd::BeginFaulty(ClientConnection* connection, http1::RequestFault fault,
                           std::string_view head) {
  ClientExchange* const exchange = TakeExchange(connection);
  if (exchange == nullptr) {
    if (connection->stream != nullptr) return;
    return CloseConnection(connection, ClientEnd::kDelivered, true);
  }
  // Nothing is known of it, but that no body may answer what began like HEAD.
  head.remove_prefix(std::min(head.find_first_not_of("\r\n"), head.size()));
  const bool is_head = head.starts_with("HEAD ");
  exchange->method = is_head ? http1::Method::kHead : http1::Method::kOther;
  exchange->is_http10 = exchange->may_keep_alive = exchange->takes_trailers = false;
  // Where it ends is not known: whatever comes is not looked at, and the answer is the last.
  exchange->is_body_complete = false;
  exchange->is_body_broken = true;
  exchange->must_close = true;
  exchange->fault = fault;
  if (access_lines_ != nullptr) LogRequest(exchange)->Begin(connection->client);
  exchange->has_request_notice = true;
  Notice(exchange);
}

void FrontEnd::PutRequest(ClientExchange* exchange) {
  exchange->batch_place = static_cast<uint32_t>(batch_.count());
  int32_t* const words = batch_.Add(EventType::kRequest, exchange->id, exchange->listener);
  words[kConnection] = WireNumber(*exchange->connection);
  if (exchange->is_http2) words[kFlags] |= event_flag::kHttp2;
  words[kFault] = static_cast<int32_t>(exchange->fault);
  words[kHostTable] = words[kMaxForwards] = -1;
  words[kMethod] = static_cast<int32_t>(exchange->method);
  words[kRoute] = kNoRoute;
  if (exchange->holder != Holder::kArena) return;
  http1::ClientRequest& request = exchange->request;
  // The path of an absolute form that has none is a literal: it gets a place in the arena.
  if (!IsInArena(request.target)) {
    std::memcpy(batch_.free(), request.target.data(), request.target.size());
    request.target = {batch_.free(), request.target.size()};
    batch_.Use(request.target.size());
  }
  words[kTargetOffset] = static_cast<int32_t>(request.target.data() - batch_.arena());
  words[kTargetLength] = static_cast<int32_t>(request.target.size());
  if (!request.host.empty())
    words[kHostOffset] = static_cast<int32_t>(request.host.data() - batch_.arena());
  words[kHostLength] = static_cast<int32_t>(request.host.size());
  words[kPathLength] = static_cast<int32_t>(request.path_bytes);
  words[kRoute] = listeners_[exchange->listener]->routes.Find(
      request.host, request.target.substr(0, request.path_bytes));
  if (request.max_forwards >= 0)
    words[kMaxForwards] = FrontEndBatch::Capped(static_cast<uint64_t>(request.max_forwards));
  const bool is_unknown = exchange->is_chunked || exchange->is_streamed;
  const BodyKind kind = is_unknown                ? BodyKind::kChunked
                        : request.body_bytes >= 0 ? BodyKind::kKnown
                                                  : BodyKind::kNone;
  words[kBodyKind] = static_cast<int32_t>(kind);
  FrontEndBatch::PutLong(words, kBodyLow, exchange->body_left_bytes);
  if (request.wants_upgrade || request.method == http1::Method::kConnect)
    words[kFlags] |= event_flag::kUpgrade;
  if (exchange->is_http10) words[kFlags] |= event_flag::kHttp10;
  if (request.has_via && http1::HasLoop(request, identity_.via_name))
    words[kFlags] |= event_flag::kLoop;
  if (exchange->connection->stream != nullptr &&
      IsMisdirected(*exchange->connection->stream, request.host))
    words[kFlags] |= event_flag::kMisdirected;
}

bool FrontEnd::IsInArena(std::string_view text) const {
  const char* const arena = batch_.arena();
  return text.data() >= arena && text.data() < batch_.free();
}

// --- bodies ---

bool FrontEnd::WantsBody(const ClientExchange& exchange) const {
  const bool is_sending =
      exchange.stage == Stage::kAttempting || exchange.stage == Stage::kRelaying;
  return is_sending && exchange.holder == Holder::kClient && !exchange.is_body_complete &&
         !exchange.is_body_broken && !exchange.is_body_paused;
}

void FrontEnd::ReadBody(ClientConnection* connection) {
  ClientExchange* const exchange = connection->exchange;
  if (connection->holds_input()) {
    ByteBuffer& bytes = connection->unread->bytes;
    const size_t size = std::min(bytes.size(), kBodyWindowBytes);
    std::memcpy(window_.get(), bytes.data(), size);
    bytes.DropFront(Feed(exchange, window_.get(), size));
  } else {
    const IoResult got = Read(connection, window_.get(), kBodyWindowBytes);
    if (got.would_block()) return ArmExchange(connection);
    // Without its end the request cannot be carried out, and nobody waits for its answer.
    if (got.error != 0 || got.bytes == 0) return Finish(exchange, ClientEnd::kGone);
    const size_t used = Feed(exchange, window_.get(), got.bytes);
    if (!exchange->is_body_broken) KeepUnread(connection, {window_.get() + used, got.bytes - used});
  }
  if (connection->state != ConnectionState::kExchange) return;
  // The timer looks where nothing comes: who sends a little now and then moves it.
  if (WantsBody(*exchange) && IsBodyTooSlow(*exchange, loop_->now_ms()))
    ReportFault(exchange, http1::RequestFault::kBodyTimeout);
  ArmExchange(connection);
  OnConnectionReady(connection);  // with more to read, it comes again next turn
}

size_t FrontEnd::Feed(ClientExchange* exchange, char* data, size_t size) {
  size_t body_bytes = 0;
  size_t used_bytes = size;
  if (exchange->is_chunked) {
    const http1::ChunkStatus status = exchange->chunks.Decode(data, size, &body_bytes, &used_bytes);
    exchange->is_body_complete = status == http1::ChunkStatus::kDone;
    if (status == http1::ChunkStatus::kInvalid)
      ReportFault(exchange, http1::RequestFault::kBadFraming);
  } else {
    body_bytes = used_bytes =
        static_cast<size_t>(std::min<uint64_t>(size, exchange->body_left_bytes));
    exchange->body_left_bytes -= body_bytes;
    exchange->is_body_complete = exchange->body_left_bytes == 0;
  }
  HandOn(exchange, {data, body_bytes}, used_bytes);
  return exchange->is_body_broken ? size : used_bytes;
}

void FrontEnd::HandOn(ClientExchange* exchange, std::string_view body, size_t used_bytes) {
  exchange->body_bytes += body.size();
  exchange->bytes_from_client += used_bytes;
  exchange->body_moved_at_ms = loop_->now_ms();
  const uint64_t most_bytes = exchange->edition->settings.body_bytes;
  if (most_bytes > 0 && exchange->body_bytes > most_bytes)
    ReportFault(exchange, http1::RequestFault::kBodyTooLarge);
  if (exchange->is_body_broken || (body.empty() && !exchange->is_body_complete)) return;
  upstream::Misuse misuse = upstream::Misuse::kNone;
  const size_t held_bytes =
      client_->Write(exchange->attempt_id, body, exchange->is_body_complete, &misuse);
  exchange->is_body_paused = !exchange->is_body_complete && held_bytes > kBodyHighWaterBytes;
}

void FrontEnd::ExpectBody(ClientExchange* exchange) {
  const uint64_t now_ms = loop_->now_ms();
  // What lies between was not the client's time.
  exchange->body_began_at_ms =
      exchange->body_bytes == 0 ? now_ms
                                : exchange->body_began_at_ms + now_ms - exchange->body_moved_at_ms;
  exchange->body_moved_at_ms = now_ms;
  ArmExchange(exchange->connection);
  OnConnectionReady(exchange->connection);
}

void FrontEnd::ReportFault(ClientExchange* exchange, http1::RequestFault fault) {
  exchange->is_body_broken = true;
  exchange->must_close = true;
  exchange->fault = fault;
  exchange->has_fault_notice = true;
  Notice(exchange);
}

}  // namespace sluice::frontend
