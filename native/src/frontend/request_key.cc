// Reads keys out of a parsed request, in place where they lie in one piece.
#include "frontend/request_key.h"

#include <array>

#include "frontend/client_address.h"
#include "hash/crc32.h"
#include "hash/xxhash64.h"
#include "http1/bytes.h"
#include "http1/field_name.h"

namespace sluice::frontend {

namespace {

std::string_view FindAddress(KeyKind kind, const l4::PeerAddress& client, std::string* scratch) {
  if (client.ip == l4::PeerAddress{}.ip) return {};  // a UNIX socket
  std::array<char, kAddressTextBytes> out;
  const std::string_view text = AddressText(client, &out);
  scratch->assign(text);
  const bool is_v4 = text.find(':') == std::string_view::npos;
  if (kind == KeyKind::kClientNetwork && is_v4) scratch->resize(text.rfind('.'));
  return *scratch;
}

std::string_view FindHeader(std::string_view name, const http1::ClientRequest& request,
                            std::string* scratch) {
  if (http1::EqualsIgnoringCase(name, "host")) return request.host;
  if (http1::ClassifyFieldName(name) != http1::FieldName::kOther) return {};
  std::string_view first;
  size_t next = 0;
  if (!http1::FindField(request.lines, name, &next, &first)) return {};
  std::string_view value;
  if (!http1::FindField(request.lines, name, &next, &value)) return first;
  scratch->assign(first);
  do {
    scratch->append(", ").append(value);
  } while (http1::FindField(request.lines, name, &next, &value));
  return *scratch;
}

/// Takes what stands in front of a separator, and it, off a list.
std::string_view TakeElement(std::string_view* list, char separator) {
  const size_t end = list->find(separator);
  const std::string_view element = list->substr(0, end);
  list->remove_prefix(end == std::string_view::npos ? list->size() : end + 1);
  return element;
}

std::string_view Unquoted(std::string_view value) {
  const bool is_quoted = value.size() >= 2 && value.front() == '"' && value.back() == '"';
  return is_quoted ? value.substr(1, value.size() - 2) : value;
}

std::string_view FindCookie(std::string_view name, const http1::ClientRequest& request) {
  std::string_view pairs;
  for (size_t next = 0; http1::FindField(request.lines, "cookie", &next, &pairs);) {
    while (!pairs.empty()) {
      std::string_view value = TakeElement(&pairs, ';');
      const bool has_value = value.find('=') != std::string_view::npos;
      const std::string_view found = http1::TrimBlanks(TakeElement(&value, '='));
      if (has_value && found == name) return Unquoted(http1::TrimBlanks(value));
    }
  }
  return {};
}

std::string_view FindParameter(std::string_view name, const http1::ClientRequest& request) {
  std::string_view query = request.target.substr(request.path_bytes);
  if (!query.empty()) query.remove_prefix(1);  // '?'
  while (!query.empty()) {
    std::string_view value = TakeElement(&query, '&');
    if (TakeElement(&value, '=') == name) return value;
  }
  return {};
}

}  // namespace

std::string_view FindKey(const KeySource& source, const http1::ClientRequest& request,
                         const l4::PeerAddress& client, std::string* scratch) {
  switch (source.kind) {
    case KeyKind::kClientAddress:
    case KeyKind::kClientNetwork:
      return FindAddress(source.kind, client, scratch);
    case KeyKind::kHeader:
      return FindHeader(source.name, request, scratch);
    case KeyKind::kCookie:
      return FindCookie(source.name, request);
    case KeyKind::kQuery:
      return FindParameter(source.name, request);
    case KeyKind::kPath:
      return request.path_bytes == 0 ? "/" : request.target.substr(0, request.path_bytes);
    case KeyKind::kUri:
      if (request.path_bytes > 0) return request.target;
      return scratch->assign("/").append(request.target);
    case KeyKind::kCertificateSubject:
    case KeyKind::kCertificateFingerprint:
      return {};  // not of the request
  }
  return {};
}

std::string_view FindCertificateKey(const KeySource& source,
                                    const tls::PeerCertificate& certificate) {
  return source.kind == KeyKind::kCertificateSubject ? certificate.subject
                                                     : certificate.fingerprint;
}

uint64_t HashOfKey(const KeySource& source, std::string_view key) {
  return source.is_crc ? hash::Crc32(key) : hash::XxHash64(key);
}

}  // namespace sluice::frontend
