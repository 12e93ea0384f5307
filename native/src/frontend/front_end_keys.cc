// What TypeScript may ask of the keys of requests.
#include <algorithm>
#include <utility>

#include "frontend/front_end.h"

namespace sluice::frontend {

namespace {

/// Its head can be read now.
bool IsReadable(const ClientExchange* exchange) {
  return exchange != nullptr &&
         (exchange->holder == Holder::kArena || exchange->holder == Holder::kItself);
}

/// X-Forwarded-For is there.
bool NamesClient(const http1::ClientRequest& request) {
  const auto* const lines = request.marked_lines.data();
  return std::any_of(lines, lines + request.marked_line_count, [](const http1::MarkedLine& line) {
    return line.field == http1::RequestField::kXForwardedFor;
  });
}

}  // namespace

int32_t FrontEnd::OpenKey(KeySource source) {
  if (keys_.size() == kMostKeys) return -1;
  keys_.push_back(std::move(source));
  return static_cast<int32_t>(keys_.size()) - 1;
}

std::string_view FrontEnd::FindKeyOf(const ClientExchange& exchange, const KeySource& source) {
  const ClientConnection& connection = *exchange.connection;
  // Not before somebody wants it: reading a certificate takes memory of the connection.
  if (IsOfCertificate(source)) return FindCertificateKey(source, CertificateOf(connection));
  return FindKey(source, exchange.request, connection.client, &key_scratch_);
}

int32_t FrontEnd::HashKey(int32_t id, int32_t key, uint64_t* hash) {
  const ClientExchange* const exchange = FindOpen(id);
  if (!IsReadable(exchange)) return 0;
  const KeySource& source = keys_[static_cast<size_t>(key)];
  const ClientConnection& connection = *exchange->connection;
  const std::string_view found = FindKeyOf(*exchange, source);
  if (!found.empty()) *hash = HashOfKey(source, found);
  const bool is_forwarded =
      IsOfClient(source) && connection.is_trusted && NamesClient(exchange->request);
  return (found.empty() ? 0 : key_answer::kHashed) | (is_forwarded ? key_answer::kForwarded : 0);
}

std::optional<std::string> FrontEnd::KeyText(int32_t id, int32_t key) {
  const ClientExchange* const exchange = FindOpen(id);
  if (!IsReadable(exchange)) return std::nullopt;
  const std::string_view found = FindKeyOf(*exchange, keys_[static_cast<size_t>(key)]);
  if (found.empty()) return std::nullopt;
  return std::string(found);
}

}  // namespace sluice::frontend
