// What the front end tells the access log.
#include <array>

#include "frontend/client_address.h"
#include "frontend/front_end.h"

namespace sluice::frontend {

LoggedRequest* FrontEnd::LogRequest(ClientExchange* exchange) {
  if (exchange->logged == nullptr) exchange->logged = std::make_unique<LoggedRequest>();
  exchange->is_logged = true;
  const bool wants_tls = access_lines_->wants_tls();
  const tls::Channel* const channel = wants_tls ? exchange->connection->channel() : nullptr;
  if (channel != nullptr) {
    exchange->logged->NoteTls(channel->version(), channel->cipher());
  } else {
    exchange->logged->NoteTls({}, {});
  }
  return exchange->logged.get();
}

int64_t FrontEnd::WriteAccessLine(int32_t id, int64_t now_ms) {
  const ClientExchange* const exchange = exchanges_.Find(id);
  if (exchange == nullptr || !exchange->is_logged || access_lines_ == nullptr)
    return kNothingLogged;
  std::array<char, kAddressTextBytes> address;
  std::array<char, kRequestIdBytes> request_id;
  const LoggedRequest& logged = *exchange->logged;
  log::AccessTexts texts = logged.Texts();
  texts.client = AddressText(logged.client(), &address);
  texts.request_id = RequestIdText(*exchange, request_id.data());
  return access_lines_->Write(texts, now_ms);
}

std::string_view FrontEnd::ForwardedFor(int32_t id) const {
  const ClientExchange* const exchange = exchanges_.Find(id);
  if (exchange == nullptr || !exchange->is_logged) return {};
  return exchange->logged->forwarded_for();
}

}  // namespace sluice::frontend
