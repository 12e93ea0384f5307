// How the front end sends requests to endpoints, and what TypeScript may ask and change of them.
#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

#include "frontend/client_address.h"
#include "frontend/front_end.h"
#include "http1/field_name.h"

namespace sluice::frontend {

namespace {

constexpr size_t kCounterDigits = 8;
constexpr size_t kMostEdits = 32;

bool IsIdempotent(http1::Method method) {
  using http1::Method;
  return method == Method::kGet || method == Method::kHead || method == Method::kOptions ||
         method == Method::kTrace || method == Method::kPut || method == Method::kDelete;
}

/// The id of a request, 32 hex digits. @param out room for kRequestIdBytes
std::string_view WriteRequestId(std::string_view prefix, uint32_t number, char* out) {
  std::memcpy(out, prefix.data(), std::min(prefix.size(), kRequestIdBytes - kCounterDigits));
  for (size_t digit = 0; digit < kCounterDigits; ++digit, number >>= 4)
    out[kRequestIdBytes - 1 - digit] = "0123456789abcdef"[number & 15];
  return {out, kRequestIdBytes};
}

/// Fields that are the proxy's to write.
bool IsOwnField(std::string_view name) {
  return http1::ClassifyFieldName(name) != http1::FieldName::kOther ||
         http1::EqualsLowerCase(name, "host");
}

std::string LowerCased(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(), http1::ToLowerCase);
  return lower;
}

}  // namespace

// --- attempts ---

void FrontEnd::StartAttempt(ClientExchange* exchange, int32_t slot, uint64_t timeout_ms,
                            int32_t profile) {
  upstream::Misuse misuse = upstream::Misuse::kNone;
  upstream::SendResult result = upstream::SendResult::kOk;
  if (exchange->holder == Holder::kClient) {
    result = client_->Resend(exchange->attempt_id, slot, &misuse, profile);
  } else if (exchange->holder == Holder::kNobody) {
    return BreakOff(exchange->id);  // what has failed for good cannot be sent again
  } else {
    const size_t head_bytes = BuildHead(exchange);
    if (head_bytes == 0) {
      exchange->holder = Holder::kNobody;
      return ReportFault(exchange, http1::RequestFault::kHeadTooLarge);
    }
    int32_t flags = IsIdempotent(exchange->method) ? upstream::send_flag::kIdempotent : 0;
    if (exchange->method == http1::Method::kHead) flags |= upstream::send_flag::kHeadMethod;
    if (exchange->request.wants_upgrade) flags |= upstream::send_flag::kUpgrade;
    if (exchange->takes_trailers) flags |= upstream::send_flag::kTrailers;
    result = client_->SendFor(static_cast<upstream::ResponseSink*>(this), exchange->attempt_id,
                              slot, head_bytes, flags, exchange->request.body_bytes, timeout_ms,
                              &misuse, profile);
    if (result == upstream::SendResult::kNoPool && exchange->holder == Holder::kArena)
      HoldHead(exchange);
  }
  if (misuse != upstream::Misuse::kNone) return BreakOff(exchange->id);
  if (result != upstream::SendResult::kOk)
    return ReportFailure(exchange, kNoPool, event_flag::kRetryable);
  exchange->stage = Stage::kAttempting;
  exchange->holder = Holder::kClient;
  exchange->leaves_by_finishing = false;
  exchange->extras.reset();
  exchange->asked.reset();
  if (exchange->is_body_complete) {
    // Who had left by the time its request was read says so no more.
    if (HasLeft(*exchange->connection)) OnConnectionReady(exchange->connection);
    return;
  }
  ExpectBody(exchange);
}

void FrontEnd::PutOff(ClientExchange* exchange) {
  if (exchange->holder == Holder::kArena) HoldHead(exchange);
  // Who had finished before has only said that nothing more comes.
  exchange->leaves_by_finishing = !exchange->connection->has_finished();
}

size_t FrontEnd::BuildHead(ClientExchange* exchange) {
  const ClientConnection& connection = *exchange->connection;
  std::array<char, kRequestIdBytes> made_id;
  std::array<char, kAddressTextBytes> address;
  std::array<http1::FieldEdit, kMostEdits + kMostTlsEdits> edits;
  http1::EndpointHeadOptions options;
  options.scheme = exchange->edition->settings.scheme;
  if (connection.channel() != nullptr) options.scheme = "https";
  options.via_name = identity_.via_name;
  options.client_address = AddressText(connection.client, &address);
  options.request_id = http1::RequestIdOf(
      exchange->request, connection.is_trusted,
      WriteRequestId(identity_.request_id_prefix, exchange->request_number, made_id.data()));
  options.is_trusted = connection.is_trusted;
  options.is_http2 = exchange->is_http2;
  options.passes_trailers = exchange->takes_trailers;
  if (exchange->extras != nullptr) {
    for (const HeldEdit& edit : exchange->extras->edits)
      edits[options.edit_count++] = {edit.name, edit.value, edit.is_removal};
  }
  // Last, and so above what policies have said under these names.
  options.edit_count += PutTlsEdits(*exchange, edits.data() + options.edit_count);
  options.edits = edits.data();
  // What a trusted peer calls its request cannot be made again from a counter.
  if (options.request_id.data() != made_id.data() && !exchange->has_own_id) {
    exchange->has_own_id = true;
    exchange->text.Append("\n");
    exchange->text.Append(options.request_id);
  }
  if (http1::EndpointHeadBound(exchange->request, options) > upstream::kMaxEndpointHeadBytes)
    return 0;
  return http1::WriteEndpointHead(exchange->request, options, client_->scratch());
}

void FrontEnd::HoldHead(ClientExchange* exchange) {
  const http1::ClientRequest& request = exchange->request;
  if (exchange->extras == nullptr) exchange->extras = std::make_unique<ExchangeExtras>();
  // The request line begins with the method; what it was parsed from is whole in the arena.
  const char* const begin = request.lines.data() + request.lines.size() + 2 - request.head_bytes;
  exchange->extras->head.assign(begin, request.head_bytes);
  http1::ClientRequestParser parser;
  // It was within the limits when it came, whatever they are by now.
  parser.Reset({kMaxHeadBytes, kMaxHeadBytes, kMaxHeadBytes});
  (void)parser.Parse(exchange->extras->head, &exchange->request);
  exchange->holder = Holder::kItself;
}

void FrontEnd::OnDrained(upstream::Exchange* from) {
  ClientExchange* const exchange = FindAttempting(*from);
  if (exchange == nullptr || !exchange->is_body_paused) return;
  exchange->is_body_paused = false;
  ExpectBody(exchange);  // the pause was the endpoint's
}

// --- TypeScript's calls ---

bool FrontEnd::Decide(int32_t id, int32_t slot, uint64_t exchange_timeout_ms, int32_t profile) {
  ClientExchange* const exchange = FindOpen(id);
  if (exchange == nullptr || exchange->stage != Stage::kUndecided) return false;
  loop_->Refresh();
  StartAttempt(exchange, slot, exchange_timeout_ms, profile);
  return true;
}

std::optional<std::string> FrontEnd::Header(int32_t id, std::string_view name) const {
  const ClientExchange* const exchange = FindOpen(id);
  const bool is_readable = exchange != nullptr && (exchange->holder == Holder::kArena ||
                                                   exchange->holder == Holder::kItself);
  if (!is_readable || IsOwnField(name)) return std::nullopt;
  std::optional<std::string> of_certificate;
  if (FindTlsField(*exchange, name, &of_certificate)) return of_certificate;
  if (exchange->extras != nullptr) {
    for (const HeldEdit& edit : exchange->extras->edits) {
      if (!http1::EqualsIgnoringCase(edit.name, name)) continue;
      return edit.is_removal ? std::nullopt : std::optional<std::string>(edit.value);
    }
  }
  std::optional<std::string> joined;
  std::string_view value;
  for (size_t next = 0; http1::FindField(exchange->request.lines, name, &next, &value);) {
    if (joined) {
      joined->append(", ").append(value);
    } else {
      joined.emplace(value);
    }
  }
  return joined;
}

bool FrontEnd::SetHeader(int32_t id, std::string_view name, std::optional<std::string_view> value) {
  const bool is_token =
      !name.empty() &&
      http1::SkipTokenPortable(name.data(), name.data() + name.size()) == name.data() + name.size();
  if (!is_token || IsOwnField(name)) return false;
  if (value && http1::FindControlPortable(value->data(), value->data() + value->size()) !=
                   value->data() + value->size()) {
    return false;
  }
  ClientExchange* const exchange = FindOpen(id);
  if (exchange == nullptr ||
      (exchange->holder != Holder::kArena && exchange->holder != Holder::kItself)) {
    return true;
  }
  if (exchange->extras == nullptr) exchange->extras = std::make_unique<ExchangeExtras>();
  std::vector<HeldEdit>& edits = exchange->extras->edits;
  std::erase_if(
      edits, [name](const HeldEdit& edit) { return http1::EqualsIgnoringCase(edit.name, name); });
  if (edits.size() == kMostEdits) return false;
  edits.push_back({LowerCased(name), std::string(value.value_or("")), !value.has_value()});
  return true;
}

std::string FrontEnd::Describe(int32_t id) const {
  const ClientExchange* const exchange = exchanges_.Find(id);
  if (exchange == nullptr || exchange->stage == Stage::kFree) return "";
  const std::string_view text = exchange->text.view();
  const size_t blank = text.find(' ');
  if (blank == std::string_view::npos) return "\n\n\n";
  std::string described(text);
  described[blank] = '\n';
  if (!exchange->has_own_id) {
    std::array<char, kRequestIdBytes> id_text;
    described.append("\n").append(RequestIdText(*exchange, id_text.data()));
  }
  return described;
}

std::string_view FrontEnd::RequestIdText(const ClientExchange& exchange, char* out) const {
  const std::string_view text = exchange.text.view();
  if (exchange.has_own_id) return text.substr(text.rfind('\n') + 1);
  return WriteRequestId(identity_.request_id_prefix, exchange.request_number, out);
}

}  // namespace sluice::frontend
