// Checks fields one by one, and writes lines of them.
#include "http2/request_head_builder.h"

#include <algorithm>

#include "http1/bytes.h"

namespace sluice::http2 {

namespace {

using http1::EqualsIgnoringCase;

/// The one protocol of RFC 8441 section 5.
constexpr std::string_view kWebSocket = "websocket";

/// What a field counts beside its bytes (RFC 9113 section 6.5.2).
constexpr size_t kFieldOverheadBytes = 32;
/// Of a line: ": " and the line's end.
constexpr size_t kLineExtraBytes = 4;
/// Cookies in one line are worth keeping memory for, up to this.
constexpr size_t kKeptTextBytes = 1024;

/// A token without capital letters.
bool IsFieldName(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char byte) {
    return http1::IsTokenByte(byte) && !(byte >= 'A' && byte <= 'Z');
  });
}

bool IsFieldValue(std::string_view value) {
  if (value.empty()) return true;
  if (http1::IsBlank(value.front()) || http1::IsBlank(value.back())) return false;
  const char* const end = value.data() + value.size();
  return http1::FindControl(value.data(), value.data(), end) == end;
}

/// Neither blank nor control: it can stand within a request line.
bool IsVisible(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char byte) { return static_cast<uint8_t>(byte) > ' ' && byte != 0x7f; });
}

/// Belongs to one connection of HTTP/1.1 (RFC 9113 section 8.2.2).
bool IsOfConnection(std::string_view name) {
  switch (name.size()) {
    case 7:
      return name == "upgrade";
    case 10:
      return name == "connection" || name == "keep-alive";
    case 16:
      return name == "proxy-connection";
    case 17:
      return name == "transfer-encoding";
    default:
      return false;
  }
}

void Empty(std::string* text) {
  if (text->capacity() > kKeptTextBytes) {
    *text = std::string();
  } else {
    text->clear();
  }
}

}  // namespace

void RequestHeadBuilder::Begin(size_t most_bytes) {
  most_bytes_ = most_bytes;
  unpacked_bytes_ = 0;
  own_fields_ = 0;
  pseudo_ = 0;
  is_trailers_ = has_line_ = is_malformed_ = is_too_large_ = false;
  has_host_ = has_length_ = has_content_ = false;
  for (std::string* const text : {&method_, &authority_, &path_, &protocol_, &cookies_})
    Empty(text);
  text_.Clear();
}

void RequestHeadBuilder::BeginTrailers(size_t most_bytes) {
  Begin(most_bytes);
  is_trailers_ = true;
}

void RequestHeadBuilder::Add(std::string_view name, std::string_view value) {
  unpacked_bytes_ += name.size() + value.size() + kFieldOverheadBytes;
  if (is_malformed_ || is_too_large_) return;
  if (!name.empty() && name.front() == ':') return AddPseudo(name, value);
  if (!has_line_) {
    has_line_ = true;
    if (!is_trailers_) {
      if (!IsRequestWell()) {
        is_malformed_ = true;
        return;
      }
      WriteRequestLine();
    }
  }
  if (!IsFieldName(name) || !IsFieldValue(value) || IsOfConnection(name) ||
      (name == "te" && !EqualsIgnoringCase(value, "trailers"))) {
    is_malformed_ = true;
    return;
  }
  if (text_.size() + cookies_.size() + name.size() + value.size() + kLineExtraBytes > most_bytes_) {
    is_too_large_ = true;
    return;
  }
  if (is_trailers_) {
    text_.Append(value);  // for the limit alone
    return;
  }
  if (name == "cookie") {
    if (!cookies_.empty()) cookies_.append("; ");
    cookies_.append(value);
    return;
  }
  if (name == "host") {
    if (has_host_ || (!authority_.empty() && !EqualsIgnoringCase(value, authority_))) {
      is_malformed_ = true;
      return;
    }
    has_host_ = true;
    if (!authority_.empty()) return;  // said already
  }
  if (name == "content-length") {
    has_length_ = true;
    has_content_ = has_content_ || value.find_first_not_of('0') != std::string_view::npos;
  }
  // Ours to make for each endpoint (RFC 8441 section 5.1).
  if (!protocol_.empty() && name == "sec-websocket-key") return;
  AppendLine(name, value);
}

void RequestHeadBuilder::AddPseudo(std::string_view name, std::string_view value) {
  std::string ignored;
  bool is_well = !has_line_ && !is_trailers_ && IsVisible(value);
  if (is_well && text_.size() + value.size() > most_bytes_) {
    is_too_large_ = true;
    return;
  }
  if (name == ":method") {
    is_well = is_well && Take(Pseudo::kMethod, value, &method_) &&
              http1::SkipTokenPortable(value.data(), value.data() + value.size()) ==
                  value.data() + value.size();
  } else if (name == ":scheme") {
    is_well = is_well && Take(Pseudo::kScheme, value, &ignored) &&
              (EqualsIgnoringCase(value, "http") || EqualsIgnoringCase(value, "https"));
  } else if (name == ":authority") {
    is_well = is_well && Take(Pseudo::kAuthority, value, &authority_);
  } else if (name == ":path") {
    is_well = is_well && Take(Pseudo::kPath, value, &path_);
  } else if (name == ":protocol") {
    is_well = is_well && Take(Pseudo::kProtocol, value, &protocol_);
  } else {
    is_well = false;
  }
  if (!is_well) is_malformed_ = true;
}

bool RequestHeadBuilder::Take(Pseudo which, std::string_view value, std::string* into) {
  const auto bit = static_cast<uint8_t>(which);
  if ((pseudo_ & bit) != 0) return false;
  pseudo_ |= bit;
  // Of no request is one of these without a value (an empty authority is none: RFC 9113
  // section 8.3.1 forbids it for http and https).
  if (value.empty()) return false;
  into->assign(value);
  return true;
}

bool RequestHeadBuilder::IsRequestWell() const {
  const auto has = [this](Pseudo which) { return (pseudo_ & static_cast<uint8_t>(which)) != 0; };
  if (!has(Pseudo::kMethod)) return false;
  const bool is_connect = method_ == "CONNECT";
  if (has(Pseudo::kProtocol)) {
    // Others have no Upgrade of HTTP/1.1 whose 101 would say that the endpoint speaks them.
    if (!is_connect || !has(Pseudo::kAuthority) || protocol_ != kWebSocket) return false;
  } else if (is_connect) {
    return has(Pseudo::kAuthority) && !has(Pseudo::kScheme) && !has(Pseudo::kPath);
  }
  if (!has(Pseudo::kScheme) || !has(Pseudo::kPath)) return false;
  return path_.front() == '/' || (path_ == "*" && method_ == "OPTIONS");
}

void RequestHeadBuilder::WriteRequestLine() {
  const bool is_extended = is_extended_connect();
  text_.Append(is_extended ? "GET" : method_);
  text_.Append(" ");
  text_.Append(method_ == "CONNECT" && !is_extended ? authority_ : path_);
  text_.Append(" HTTP/1.1\r\n");
  if (!authority_.empty()) AppendLine("host", authority_);
  if (!is_extended) return;
  own_fields_ += 2;
  AppendLine("connection", "upgrade");
  AppendLine("upgrade", protocol_);
}

void RequestHeadBuilder::AppendLine(std::string_view name, std::string_view value) {
  text_.Append(name);
  text_.Append(": ");
  text_.Append(value);
  text_.Append("\r\n");
}

HeadVerdict RequestHeadBuilder::End(bool is_last) {
  if (!has_line_ && !is_trailers_ && !is_malformed_ && !is_too_large_) {
    is_malformed_ = !IsRequestWell();
    if (!is_malformed_) WriteRequestLine();
  }
  // Trailers end a stream, and what is announced must come (RFC 9113 section 8.1).
  if (is_trailers_ ? !is_last : is_last && has_content_) is_malformed_ = true;
  if (is_malformed_) return HeadVerdict::kMalformed;
  if (is_too_large_) return HeadVerdict::kTooLarge;
  if (is_trailers_) return HeadVerdict::kDone;
  if (!cookies_.empty()) AppendLine("cookie", cookies_);
  const bool has_unknown_length = !is_last && !has_length_ && method_ != "CONNECT";
  if (has_unknown_length) {
    ++own_fields_;
    AppendLine("transfer-encoding", "chunked");
  }
  text_.Append("\r\n");
  return HeadVerdict::kDone;
}

}  // namespace sluice::http2
