// Strict, resumable parsing of one request head: whole lines one after the other, then what the
// interpreted fields add up to.
#include "http1/client_request.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "http1/bytes.h"
#include "http1/field_name.h"
#include "http1/request_target.h"

namespace sluice::http1 {
namespace {

constexpr size_t kLineEndSize = 2;
constexpr size_t kVersionSize = 8;  // `HTTP/1.1`

std::string_view Between(const char* begin, const char* end) {
  return {begin, static_cast<size_t>(end - begin)};
}

/// Limits of a head are 32-bit numbers, hence every offset in it.
uint32_t Offset(const char* begin, const char* at) {
  return static_cast<uint32_t>(at - begin);
}

Method MethodOf(std::string_view text) {
  switch (text.size()) {
    case 3:
      if (text == "GET") return Method::kGet;
      return text == "PUT" ? Method::kPut : Method::kOther;
    case 4:
      if (text == "POST") return Method::kPost;
      return text == "HEAD" ? Method::kHead : Method::kOther;
    case 5:
      if (text == "PATCH") return Method::kPatch;
      return text == "TRACE" ? Method::kTrace : Method::kOther;
    case 6:
      return text == "DELETE" ? Method::kDelete : Method::kOther;
    case 7:
      if (text == "OPTIONS") return Method::kOptions;
      return text == "CONNECT" ? Method::kConnect : Method::kOther;
    default:
      return Method::kOther;
  }
}

/// What an HTTP-version other than 1.0 and 1.1 is: one that we do not speak, or none at all.
RequestFault FaultOfVersion(std::string_view version) {
  const bool is_version = version.starts_with("HTTP/") && IsDigit(version[5]) &&
                          version[6] == '.' && IsDigit(version[7]);
  return is_version ? RequestFault::kBadVersion : RequestFault::kBadRequest;
}

/// Reads a run of digits as one number of at most 2^63 - 1. @returns false where it is anything
/// else
bool ReadDecimal(std::string_view text, int64_t* number) {
  constexpr uint64_t kMax = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  uint64_t value = 0;
  for (const char byte : text) {
    if (!IsDigit(byte) || value > kMax / 10) return false;
    value = value * 10 + static_cast<uint64_t>(byte - '0');  // at most kMax + 2: no wrap
  }
  *number = static_cast<int64_t>(value);
  return !text.empty() && value <= kMax;
}

/// A tab is white space to the standard, but not to every recipient: what they disagree about is
/// refused where it frames a message.
bool HasTab(std::string_view value) {
  return value.find('\t') != std::string_view::npos;
}

bool NamesTrailers(std::string_view value) {
  bool is_named = false;
  ForEachListElement(value, [&is_named](std::string_view coding) {
    is_named = is_named || EqualsLowerCase(coding, "trailers");
  });
  return is_named;
}

}  // namespace

void ClientRequestParser::Reset(ClientRequestLimits limits) {
  limits_ = limits;
  state_ = State();
}

ParseStatus ClientRequestParser::Parse(std::string_view input, ClientRequest* request) {
  if (state_.status == ParseStatus::kNeedMore) {
    // Bytes beyond the limit are never looked at, so that the verdict is the same however they
    // arrive.
    const std::string_view window = input.substr(0, limits_.head_bytes);
    if (!state_.is_in_fields) state_.status = ReadRequestLine(window);
    if (state_.is_in_fields && state_.status == ParseStatus::kNeedMore)
      state_.status = ReadFieldLines(window);
    if (state_.status == ParseStatus::kNeedMore && input.size() >= limits_.head_bytes)
      state_.status = Refuse(RequestFault::kHeadTooLarge);
  }
  if (state_.status == ParseStatus::kDone) Tell(input, request);
  return state_.status;
}

ParseStatus ClientRequestParser::Refuse(RequestFault fault) {
  state_.fault = fault;
  return ParseStatus::kInvalid;
}

/// @returns kNeedMore both where the line is incomplete and where it has been read (is_in_fields)
ParseStatus ClientRequestParser::ReadRequestLine(std::string_view input) {
  const char* const begin = input.data();
  const char* const end = begin + input.size();
  for (;;) {
    const char* const line = begin + state_.line;
    // One byte more than the line may have, where its CR stands at the latest.
    const size_t readable = static_cast<size_t>(end - line);
    const bool is_bounded = readable > limits_.target_bytes;
    const char* const bound = is_bounded ? line + limits_.target_bytes + 1 : end;
    const char* const line_end = FindControl(begin, begin + state_.at, bound);
    if (line_end == bound) {
      state_.at = Offset(begin, bound);
      return is_bounded ? Refuse(RequestFault::kTargetTooLong) : ParseStatus::kNeedMore;
    }
    if (*line_end != '\r') return Refuse(RequestFault::kBadRequest);
    if (end - line_end < 2) {
      state_.at = Offset(begin, line_end);
      return ParseStatus::kNeedMore;
    }
    if (line_end[1] != '\n') return Refuse(RequestFault::kBadRequest);
    const bool is_empty = line_end == line;
    state_.line = state_.at = Offset(begin, line_end + kLineEndSize);
    if (is_empty) {
      if (++state_.leading_lines > kMaxLeadingLines) return Refuse(RequestFault::kBadRequest);
      continue;
    }
    const RequestFault fault = TakeRequestLine(begin, line, line_end);
    if (fault != RequestFault::kNone) return Refuse(fault);
    state_.is_in_fields = true;
    state_.lines_begin = state_.line;
    return ParseStatus::kNeedMore;
  }
}

RequestFault ClientRequestParser::TakeRequestLine(const char* begin, const char* line,
                                                  const char* line_end) {
  const char* const method_end = SkipToken(line, line_end);
  if (method_end == line || method_end == line_end || *method_end != ' ')
    return RequestFault::kBadRequest;
  const char* const target = method_end + 1;
  // The version's size is fixed, so that the blank before it need not be looked for.
  if (static_cast<size_t>(line_end - target) < 1 + 1 + kVersionSize)
    return RequestFault::kBadRequest;
  const char* const version = line_end - kVersionSize;
  const char* const target_end = version - 1;
  if (*target_end != ' ' || FindTargetEnd(begin, target, target_end) != target_end)
    return RequestFault::kBadRequest;
  if (std::memcmp(version, "HTTP/1.", kVersionSize - 1) != 0 ||
      (version[7] != '1' && version[7] != '0')) {
    return FaultOfVersion({version, kVersionSize});
  }
  state_.is_minor_zero = version[7] == '0';
  state_.method = MethodOf(Between(line, method_end));
  state_.method_begin = Offset(begin, line);
  state_.method_bytes = Offset(line, method_end);
  return TakeTarget(begin, target, target_end);
}

/// The four forms of RFC 9112 section 3.2.
RequestFault ClientRequestParser::TakeTarget(const char* begin, const char* target,
                                             const char* target_end) {
  state_.target_begin = Offset(begin, target);
  state_.target_bytes = Offset(target, target_end);
  state_.path_bytes = state_.target_bytes;
  if (state_.method == Method::kConnect) {
    if (!IsAuthorityWithPort(Between(target, target_end))) return RequestFault::kBadRequest;
    state_.is_authority_in_line = true;
    state_.host_begin = state_.target_begin;
    state_.host_bytes = state_.target_bytes;
    return RequestFault::kNone;
  }
  if (*target == '/') {
    state_.path_bytes = Offset(target, FindByte(begin, target, target_end, '?'));
    return RequestFault::kNone;
  }
  if (*target != '*') return TakeAbsoluteForm(begin, target, target_end);
  return state_.method == Method::kOptions && state_.target_bytes == 1 ? RequestFault::kNone
                                                                       : RequestFault::kBadRequest;
}

RequestFault ClientRequestParser::TakeAbsoluteForm(const char* begin, const char* target,
                                                   const char* target_end) {
  const size_t scheme_bytes = HttpSchemeSize(Between(target, target_end));
  if (scheme_bytes == 0) return RequestFault::kBadRequest;
  const char* const authority = target + scheme_bytes;
  const char* const query = FindByte(begin, authority, target_end, '?');
  const char* const path = FindByte(begin, authority, query, '/');
  if (!IsHostField(Between(authority, path))) return RequestFault::kBadRequest;
  state_.is_authority_in_line = true;
  state_.host_begin = Offset(begin, authority);
  state_.host_bytes = Offset(authority, path);
  state_.target_begin = Offset(begin, path);
  state_.target_bytes = Offset(path, target_end);
  state_.path_bytes = Offset(path, query);
  if (path == target_end) {
    state_.made_target = state_.method == Method::kOptions ? '*' : '/';
    state_.target_bytes = state_.path_bytes = 1;
  }
  return RequestFault::kNone;
}

ParseStatus ClientRequestParser::ReadFieldLines(std::string_view input) {
  const char* const begin = input.data();
  const char* const end = begin + input.size();
  const char* const lines = begin + state_.lines_begin;
  const char* line = begin + state_.line;
  const char* at = begin + state_.at;
  uint32_t headers = state_.headers;
  for (;;) {
    if (headers == limits_.headers && line != end && *line != '\r')
      return Refuse(RequestFault::kHeadTooLarge);
    // The end of the line is looked for from its start, not from its colon: so the processor goes
    // on to the next line while it still checks the name of this one.
    const char* const line_end = FindControl(begin, at, end);
    if (end - line_end < 2) {
      if (line_end != end && *line_end != '\r') return Refuse(RequestFault::kBadRequest);
      state_.line = Offset(begin, line);
      state_.at = Offset(begin, line_end);
      state_.headers = headers;
      return ParseStatus::kNeedMore;
    }
    if (line_end[0] != '\r' || line_end[1] != '\n') return Refuse(RequestFault::kBadRequest);
    if (line_end == line) break;
    ++headers;
    const char* const name_end = SkipToken(line, end);
    if (name_end == line || *name_end != ':') return Refuse(RequestFault::kBadRequest);
    const char* const next = line_end + kLineEndSize;
    const RequestField field = ClassifyRequestField(Between(line, name_end));
    if (field != RequestField::kOther) {
      const RequestFault fault =
          TakeField(begin, field,
                    {Offset(lines, line), Offset(lines, name_end + 1), Offset(lines, next), field});
      if (fault != RequestFault::kNone) return Refuse(fault);
    }
    line = at = next;
  }
  if (!state_.has_host && !state_.is_minor_zero) return Refuse(RequestFault::kBadHost);
  if (state_.method == Method::kConnect &&
      (state_.has_transfer_encoding || state_.content_length > 0)) {
    return Refuse(RequestFault::kBadFraming);
  }
  state_.line = Offset(begin, line);
  state_.headers = headers;
  return ParseStatus::kDone;
}

RequestFault ClientRequestParser::TakeField(const char* begin, RequestField field,
                                            const MarkedLine& line) {
  if (state_.marked_lines == kMaxMarkedLines) return RequestFault::kHeadTooLarge;
  marked_lines_[state_.marked_lines++] = line;
  const char* const lines = begin + state_.lines_begin;
  const std::string_view raw = Between(lines + line.value, lines + line.end - kLineEndSize);
  switch (field) {
    case RequestField::kHost: {
      const std::string_view host = TrimBlanks(raw);
      if (state_.has_host || !IsHostField(host)) return RequestFault::kBadHost;
      state_.has_host = true;
      if (state_.is_authority_in_line) return RequestFault::kNone;
      state_.host_begin = Offset(begin, host.data());
      state_.host_bytes = static_cast<uint32_t>(host.size());
      return RequestFault::kNone;
    }
    case RequestField::kConnection:
      return TakeConnection(raw);
    case RequestField::kContentLength:
      if (HasTab(raw) || state_.has_content_length || state_.has_transfer_encoding ||
          !ReadDecimal(TrimBlanks(raw), &state_.content_length)) {
        return RequestFault::kBadFraming;
      }
      state_.has_content_length = true;
      return RequestFault::kNone;
    case RequestField::kTransferEncoding:
      if (HasTab(raw) || state_.has_content_length || state_.has_transfer_encoding ||
          state_.is_minor_zero || !EqualsLowerCase(TrimBlanks(raw), "chunked")) {
        return RequestFault::kBadFraming;
      }
      state_.has_transfer_encoding = true;
      return RequestFault::kNone;
    case RequestField::kExpect:
      if (!EqualsLowerCase(TrimBlanks(raw), "100-continue")) return RequestFault::kBadRequest;
      state_.has_expectation = true;
      return RequestFault::kNone;
    case RequestField::kUpgrade:
      state_.has_upgrade = state_.has_upgrade || !TrimBlanks(raw).empty();
      state_.has_refused_protocol = state_.has_refused_protocol || UpgradeIsRefused(raw);
      return RequestFault::kNone;
    case RequestField::kTe:
      state_.has_trailers_coding = state_.has_trailers_coding || NamesTrailers(raw);
      return RequestFault::kNone;
    case RequestField::kMaxForwards: {
      // No number is no fault (RFC 9110 section 7.6.2 lets it be ignored); such a line is dropped.
      int64_t forwards = 0;
      if (ReadDecimal(TrimBlanks(raw), &forwards)) state_.max_forwards = forwards;
      return RequestFault::kNone;
    }
    case RequestField::kVia:
      state_.has_via = true;
      return RequestFault::kNone;
    default:
      return RequestFault::kNone;
  }
}

RequestFault ClientRequestParser::TakeConnection(std::string_view value) {
  RequestFault fault = RequestFault::kNone;
  ForEachListElement(value, [this, &fault](std::string_view option) {
    if (fault != RequestFault::kNone) return;
    if (state_.connection_options == kMaxConnectionOptions) {
      fault = RequestFault::kHeadTooLarge;
      return;
    }
    ++state_.connection_options;
    if (EqualsLowerCase(option, "keep-alive")) {
      state_.has_keep_alive = true;
    } else if (EqualsLowerCase(option, "close")) {
      state_.has_close = true;
    } else if (EqualsLowerCase(option, "upgrade")) {
      state_.has_upgrade_option = true;
    } else if (RequestNominationIsRefused(option)) {
      fault = RequestFault::kBadRequest;
    } else {
      state_.has_nominations = state_.has_nominations || !IsHopByHop(ClassifyRequestField(option));
    }
  });
  return fault;
}

/// Writes everything but the marked lines beyond their count.
void ClientRequestParser::Tell(std::string_view input, ClientRequest* request) const {
  const State& state = state_;
  const bool is_minor_one = !state.is_minor_zero;
  request->method = state.method;
  request->method_text = input.substr(state.method_begin, state.method_bytes);
  request->target = state.made_target == '/' ? std::string_view("/")
                    : state.made_target == '*'
                        ? std::string_view("*")
                        : input.substr(state.target_begin, state.target_bytes);
  request->path_bytes = state.path_bytes;
  request->host = input.substr(state.host_begin, state.host_bytes);
  request->minor_version = is_minor_one ? 1 : 0;
  request->body_bytes = state.has_transfer_encoding ? kChunkedRequestBody
                        : state.has_content_length  ? state.content_length
                                                    : kNoRequestBody;
  request->keep_alive = !state.has_close && (is_minor_one || state.has_keep_alive);
  request->expects_continue = is_minor_one && state.has_expectation;
  request->wants_upgrade =
      is_minor_one && state.has_upgrade_option && state.has_upgrade && !state.has_refused_protocol;
  request->takes_trailers = is_minor_one && state.has_trailers_coding;
  request->max_forwards = state.max_forwards;
  request->has_nominations = state.has_nominations;
  request->has_via = state.has_via;
  request->headers = state.headers;
  request->lines = input.substr(state.lines_begin, state.line - state.lines_begin);
  request->head_bytes = state.line + kLineEndSize;
  request->marked_line_count = state.marked_lines;
  std::copy_n(marked_lines_.begin(), state.marked_lines, request->marked_lines.begin());
}

bool FindField(std::string_view lines, std::string_view name, size_t* next,
               std::string_view* value) {
  const char* const begin = lines.data();
  const char* const end = begin + lines.size();
  for (const char* line = begin + *next; line != end;) {
    const char* const line_end = FindByte(begin, line, end, '\r');
    const std::string_view text = Between(line, line_end);
    line = line_end + kLineEndSize;
    if (text.size() > name.size() && text[name.size()] == ':' &&
        EqualsIgnoringCase(text.substr(0, name.size()), name)) {
      *next = static_cast<size_t>(line - begin);
      *value = TrimBlanks(text.substr(name.size() + 1));
      return true;
    }
  }
  *next = lines.size();
  return false;
}

}  // namespace sluice::http1
