// How the front end writes answers: those of endpoints as they come, and the proxy's own.
#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

#include "frontend/front_end.h"
#include "http1/field_name.h"

namespace sluice::frontend {

namespace {

using upstream::SinkVerdict;

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kLastChunk = "0\r\n";

/// The trailer lines that may be passed on: none that frames or routes a message (RFC 9110 section
/// 6.5.1). @returns them, each with its line end
std::string PassableTrailers(std::string_view lines) {
  std::string kept;
  while (!lines.empty()) {
    const size_t end = lines.find(kLineEnd);
    if (end == std::string_view::npos) break;  // never: the decoder gives whole lines
    const std::string_view line = lines.substr(0, end + kLineEnd.size());
    const std::string_view name = line.substr(0, line.find(':'));
    if (http1::ClassifyFieldName(name) == http1::FieldName::kOther &&
        !http1::IsProtectedFieldName(name)) {
      kept.append(line);
    }
    lines.remove_prefix(line.size());
  }
  return kept;
}

}  // namespace

// --- answers of endpoints ---

SinkVerdict FrontEnd::OnInterim(upstream::Exchange* from, const http1::ResponseHead& head,
                                std::string_view head_input) {
  ClientExchange* const exchange = FindAttempting(*from);
  if (exchange == nullptr) return SinkVerdict::kRelease;
  // HTTP/1.0 knows no interim responses; of two attempts nobody knows yet which one counts.
  if (exchange->is_http10 || exchange->is_hedged()) return SinkVerdict::kMore;
  const size_t head_bytes = http1::WriteInterimHead(head_input, head, head_out_.get());
  OutgoingParts parts;
  parts.Add({head_out_.get(), head_bytes});
  is_in_sink_ = true;
  if (exchange->is_http2) {
    PutToStream(exchange, {.head = head_out_.get(), .head_bytes = head_bytes, .is_interim = true});
  } else if (!Put(exchange, parts))
    Finish(exchange, ClientEnd::kGone);
  is_in_sink_ = false;
  if (exchange->stage == Stage::kFinished) return SinkVerdict::kRelease;
  exchange->is_endpoint_paused = !exchange->is_taken();
  return exchange->is_endpoint_paused ? SinkVerdict::kPause : SinkVerdict::kMore;
}

SinkVerdict FrontEnd::OnResponse(upstream::Exchange* from, const upstream::ResponsePart& part) {
  ClientExchange* const exchange = FindAttempting(*from);
  if (exchange == nullptr) return SinkVerdict::kRelease;
  if (part.head != nullptr && exchange->is_http2 && LacksTunnel(*exchange, part.head->status)) {
    exchange->holder = Holder::kNobody;
    ReportFault(exchange, http1::RequestFault::kNoTunnel);
    return part.is_last ? SinkVerdict::kMore : SinkVerdict::kRelease;
  }
  if (part.is_asked && !exchange->wants_tunnel && !exchange->is_body_broken)
    return Ask(exchange, *from, part);
  if (exchange->is_hedged()) Win(exchange, from->id);
  is_in_sink_ = true;
  PassOn(exchange, part, part.head != nullptr && TakesReports(*from));
  is_in_sink_ = false;
  if (exchange->stage == Stage::kFinished)
    return part.is_last ? SinkVerdict::kMore : SinkVerdict::kRelease;
  exchange->is_endpoint_paused = !part.is_last && !exchange->is_taken();
  return exchange->is_endpoint_paused ? SinkVerdict::kPause : SinkVerdict::kMore;
}

void FrontEnd::PassOn(ClientExchange* exchange, const upstream::ResponsePart& part,
                      bool takes_reports) {
  if (part.is_last) {
    exchange->holder = Holder::kNobody;
    exchange->progress |= event_flag::kEndpointDone;
    if (part.is_request_unfinished || !exchange->is_body_complete) exchange->must_close = true;
  }
  if (exchange->is_http2) return PassOnToStream(exchange, part, takes_reports);
  OutgoingParts parts;
  if (part.head != nullptr) WriteHead(exchange, part, takes_reports, &parts);
  if (part.is_last && exchange->grpc_status == kGrpcAwaited)
    exchange->grpc_status = GrpcStatusOfTrailers(part.trailers);
  char size_line[20];
  std::string trailers;
  const std::string_view body(part.body, part.body_bytes);
  if (!exchange->is_out_chunked) {
    parts.Add(body);
  } else {
    if (!body.empty()) {
      char* const end = std::to_chars(size_line, size_line + 16, body.size(), 16).ptr;
      std::memcpy(end, kLineEnd.data(), kLineEnd.size());
      parts.Add({size_line, static_cast<size_t>(end - size_line) + kLineEnd.size()});
      parts.Add(body);
      parts.Add(kLineEnd);
    }
    if (part.is_last) {
      parts.Add(kLastChunk);
      trailers = PassableTrailers(part.trailers);
      parts.Add(trailers);
      parts.Add(kLineEnd);
    }
  }
  exchange->stage = part.is_last ? Stage::kFlushing : Stage::kRelaying;
  if (!Put(exchange, parts)) {
    Finish(exchange, ClientEnd::kGone);
  } else if (part.is_last && exchange->is_taken()) {
    Finish(exchange, ClientEnd::kDelivered);
  } else if (exchange->progress != 0) {
    Notice(exchange);
  }
}

void FrontEnd::PassOnToStream(ClientExchange* exchange, const upstream::ResponsePart& part,
                              bool takes_reports) {
  http2::Outgoing outgoing;
  OutgoingParts parts;
  if (part.head != nullptr) {
    WriteHead(exchange, part, takes_reports, &parts);
    outgoing.head = head_out_.get();
    outgoing.head_bytes = parts.bytes();
  }
  if (part.is_last && exchange->grpc_status == kGrpcAwaited)
    exchange->grpc_status = GrpcStatusOfTrailers(part.trailers);
  std::string trailers;
  if (part.is_last && exchange->takes_trailers) trailers = PassableTrailers(part.trailers);
  if (part.body_bytes > 0) outgoing.body = {part.body, part.body_bytes};
  outgoing.is_last = part.is_last;
  outgoing.trailers = trailers;
  exchange->stage = part.is_last ? Stage::kFlushing : Stage::kRelaying;
  PutToStream(exchange, outgoing);
  if (part.is_last && exchange->is_taken()) {
    Finish(exchange, ClientEnd::kDelivered);
  } else if (exchange->progress != 0) {
    Notice(exchange);
  }
}

bool FrontEnd::MustClose(const ClientExchange& exchange) const {
  const ListenerEdition& listener = *listeners_[exchange.listener];
  const uint32_t most = listener.settings.requests_per_connection;
  return exchange.must_close || is_draining_ || listener.is_closing || !exchange.may_keep_alive ||
         (most > 0 && exchange.connection->requests >= most);
}

void FrontEnd::WriteHead(ClientExchange* exchange, const upstream::ResponsePart& part,
                         bool takes_reports, OutgoingParts* parts) {
  const http1::ResponseHead& head = *part.head;
  http1::AnswerOptions options;
  options.is_head_request = exchange->method == http1::Method::kHead;
  switch (head.body) {
    case http1::BodyKind::kNone:
      options.framing = http1::AnswerFraming::kNone;
      break;
    case http1::BodyKind::kLength:
      options.framing = http1::AnswerFraming::kLength;
      options.content_length = head.content_length;
      break;
    case http1::BodyKind::kChunked:
    case http1::BodyKind::kUntilClose:
      if (exchange->is_http2) {
        // Its stream ends it. Nothing says so in the head.
        options.framing = http1::AnswerFraming::kUntilClose;
      } else if (!exchange->is_http10) {
        options.framing = http1::AnswerFraming::kChunked;
        exchange->is_out_chunked = true;
      } else if (part.is_last) {
        options.framing = http1::AnswerFraming::kLength;
        options.content_length = part.body_bytes;
      } else {
        options.framing = http1::AnswerFraming::kUntilClose;
        exchange->ends_with_close = true;
        exchange->must_close = true;
      }
      break;
  }
  exchange->must_close = MustClose(*exchange);
  options.closes = exchange->must_close;
  options.says_keep_alive = exchange->is_http10 && !options.closes;
  options.passes_trailer_field =
      exchange->takes_trailers && (exchange->is_out_chunked || exchange->is_http2);
  options.date = date_.At(loop_->now_ms());
  if (takes_reports) options.dropped_field = kReportField;
  options.hsts_line = exchange->edition->settings.hsts_line;
  options.added_lines = exchange->added_lines();
  exchange->facts = FactsOf(part.head_input, head, takes_reports);
  if (exchange->takes_trailers) exchange->grpc_status = GrpcStatusOfHead(part.head_input, head);
  parts->Add(
      {head_out_.get(), http1::WriteAnswerHead(part.head_input, head, options, head_out_.get())});
  exchange->has_head_gone = true;
  exchange->status = head.status;
  exchange->first_byte_us = part.elapsed_us;
  exchange->connect_us = part.connect_us;
  exchange->progress |= event_flag::kFirstByte | (part.is_reused ? event_flag::kReused : 0);
}

// --- answers of the proxy's own ---

bool FrontEnd::Answer(int32_t id, std::string_view head, std::string_view body, bool must_close) {
  ClientExchange* const exchange = FindOpen(id);
  if (exchange == nullptr || exchange->has_head_gone || exchange->stage == Stage::kTunnel)
    return false;
  loop_->Refresh();
  ReleaseAttempts(exchange);
  if (must_close || !exchange->is_body_complete) exchange->must_close = true;
  exchange->must_close = MustClose(*exchange);
  http1::AnswerOptions options;
  options.framing = http1::AnswerFraming::kLength;
  options.content_length = body.size();
  options.is_head_request = exchange->method == http1::Method::kHead;
  options.closes = exchange->must_close;
  options.says_keep_alive = exchange->is_http10 && !options.closes;
  options.date = date_.At(loop_->now_ms());
  options.hsts_line = exchange->edition->settings.hsts_line;
  options.added_lines = exchange->added_lines();
  std::string written(head.size() + http1::kAnswerExtraBytes + options.added_lines.size(), '\0');
  written.resize(http1::WriteOwnHead(head, options, written.data()));
  OutgoingParts parts;
  parts.Add(written);
  if (!options.is_head_request) parts.Add(body);
  exchange->has_head_gone = true;
  (void)std::from_chars(head.data(), head.data() + head.size(), exchange->status);
  exchange->stage = Stage::kFlushing;
  if (exchange->is_http2) {
    PutToStream(exchange, {.head = written.data(),
                           .head_bytes = written.size(),
                           .body = options.is_head_request ? std::string_view() : body,
                           .is_last = true});
    if (exchange->is_taken()) Finish(exchange, ClientEnd::kDelivered);
    return true;
  }
  if (!Put(exchange, parts)) {
    Finish(exchange, ClientEnd::kGone);
  } else if (exchange->is_taken()) {
    Finish(exchange, ClientEnd::kDelivered);
  }
  return true;
}

bool FrontEnd::AddResponseField(int32_t id, std::string_view name,
                                std::optional<std::string_view> value) {
  if (!AddedFields::IsAllowed(name, value.value_or(""))) return false;
  ClientExchange* const exchange = FindOpen(id);
  if (exchange == nullptr || exchange->has_head_gone) return true;
  if (exchange->added == nullptr) {
    if (!value) return true;
    exchange->added = std::make_unique<AddedFields>();
  }
  return exchange->added->Set(name, value);
}

void FrontEnd::BreakOff(int32_t id) {
  ClientExchange* const exchange = FindOpen(id);
  if (exchange == nullptr) return;
  if (exchange->stage == Stage::kTunnel) return tunnels_.Close(id);
  Finish(exchange, ClientEnd::kBrokenOff);
}

// --- the end ---

void FrontEnd::Finish(ClientExchange* exchange, ClientEnd end) {
  if (exchange->stage == Stage::kFinished) return;
  // Within a call of the upstream client its verdict releases the attempt, of which there is one.
  if (is_in_sink_) exchange->holder = Holder::kNobody;
  ReleaseAttempts(exchange);
  ClientConnection* const connection = std::exchange(exchange->connection, nullptr);
  connection->exchange = nullptr;
  exchange->stage = Stage::kFinished;
  exchange->end = end;
  exchange->progress |= event_flag::kFinished;
  exchange->out.Free();
  pipes_.Give(std::move(exchange->pipe));
  Notice(exchange);
  if (connection->stream != nullptr) {
    exchange->bytes_to_client = connection->stream->sent_bytes;
    exchange->bytes_from_client = connection->stream->received_bytes;
    return EndStream(connection->stream, *exchange, end);
  }
  if (end == ClientEnd::kBrokenOff && !exchange->ends_with_close) {
    // What went out is incomplete by its own framing. A reset could take complete answers from a
    // client that has not read them yet.
    connection->end = end;
    Linger(connection);
  } else if (end != ClientEnd::kDelivered) {
    // A reset, for nobody may take what went out for a complete answer.
    CloseConnection(connection, end, true);
  } else if (exchange->must_close) {
    EndAfterAnswer(connection, !exchange->is_body_complete);
  } else {
    NextRequest(connection);
  }
}

}  // namespace sluice::frontend
