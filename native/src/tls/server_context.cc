// The context that workers accept with: what counts now, and how it changes.
#include "tls/server_context.h"

#include <mutex>
#include <utility>

#include "tls/channel_state.h"
#include "tls/failure.h"
#include "tls/numbered.h"
#include "tls/server_edition.h"

namespace sluice::tls {

namespace {

Numbered<ServerContext>& All() {
  static Numbered<ServerContext> all;
  return all;
}

/// Where nobody gives keys: those of this context, which die with it.
bool MakeKey(TicketKey* key) {
  const auto fill = [](auto& bytes) {
    return RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1;
  };
  return fill(key->name) && fill(key->hmac_key) && fill(key->aes_key);
}

}  // namespace

struct ServerContext::State {
  /// Every connection begins with it, so that sessions outlive a change of certificates: OpenSSL
  /// keeps them with the context that a connection began with.
  SslContextHandle base;
  int32_t number = 0;
  std::mutex guard;
  std::shared_ptr<const ServerEdition> edition;  // never nullptr; guarded

  std::shared_ptr<const ServerEdition> Current() {
    const std::lock_guard lock(guard);
    return edition;
  }
  /// @param change sets one of an edition's parts
  template <typename Change>
  void Renew(Change change) {
    const std::lock_guard lock(guard);
    auto next = std::make_shared<ServerEdition>(*edition);
    change(*next);
    edition = std::move(next);
  }
};

ServerContext::ServerContext(std::unique_ptr<State> state) : state_(std::move(state)) {}

ServerContext::~ServerContext() {
  Withdraw();
}

std::shared_ptr<ServerContext> ServerContext::Make(const ServerSettings& settings,
                                                   std::string* error) {
  ForgetErrors();
  auto state = std::make_unique<State>();
  auto edition = std::make_shared<ServerEdition>();
  std::vector<TicketKey> keys(1);
  error->clear();
  edition->rules = ServerRules::Make(settings, error);
  if (edition->rules == nullptr) return nullptr;
  state->base = edition->rules->MakeContext(error);
  if (state->base == nullptr) return nullptr;
  if (!MakeKey(&keys.front())) {
    *error = TakeErrorWords();
    return nullptr;
  }
  edition->ticket_keys = std::make_shared<const std::vector<TicketKey>>(std::move(keys));
  edition->challenges = std::make_shared<const Challenges>();
  state->edition = std::move(edition);
  state->number = All().Next();
  const int32_t number = state->number;
  // Its constructor is private: make_shared cannot call it.
  std::shared_ptr<ServerContext> context(new ServerContext(std::move(state)));
  All().Enter(number, context);
  return context;
}

std::string ServerContext::SetCertificates(const std::vector<Certificate>& certificates) {
  ForgetErrors();
  std::string error;
  auto set = CertificateSet::Make(*state_->Current()->rules, certificates, &error);
  if (set == nullptr) return error;
  state_->Renew([&set](ServerEdition& edition) { edition.certificates = std::move(set); });
  return {};
}

void ServerContext::SetTicketKeys(const std::vector<TicketKey>& keys) {
  if (keys.empty()) return;
  auto shared = std::make_shared<const std::vector<TicketKey>>(keys);
  state_->Renew([&shared](ServerEdition& edition) { edition.ticket_keys = std::move(shared); });
}

std::string ServerContext::SetChallenge(const std::string& name, const Certificate& certificate) {
  ForgetErrors();
  std::string error;
  auto set = CertificateSet::Make(*state_->Current()->rules, {certificate}, &error);
  if (set == nullptr) return error;
  state_->Renew([&](ServerEdition& edition) {
    auto challenges = std::make_shared<Challenges>(*edition.challenges);
    (*challenges)[LowerCase(name)] = std::move(set);
    edition.challenges = std::move(challenges);
  });
  return {};
}

void ServerContext::DropChallenge(const std::string& name) {
  state_->Renew([&](ServerEdition& edition) {
    auto challenges = std::make_shared<Challenges>(*edition.challenges);
    challenges->erase(LowerCase(name));
    edition.challenges = std::move(challenges);
  });
}

std::unique_ptr<Channel> ServerContext::Accept(int fd, std::string_view received) {
  auto handshake = std::make_unique<ServerHandshake>();
  handshake->edition = state_->Current();
  const ServerEdition& edition = *handshake->edition;
  if (edition.certificates == nullptr && edition.challenges->empty()) return nullptr;
  auto state = std::make_unique<Channel::State>(fd, received);
  if (!state->Open(state_->base.get())) return nullptr;
  state->reads_early = handshake->edition->rules->settings().early_data_bytes > 0;
  SSL_set_app_data(state->ssl.get(), handshake.get());
  state->server = std::move(handshake);
  SSL_set_accept_state(state->ssl.get());
  return std::unique_ptr<Channel>(new Channel(std::move(state)));
}

int32_t ServerContext::number() const {
  return state_->number;
}

void ServerContext::Withdraw() {
  All().Drop(state_->number);
}

std::shared_ptr<ServerContext> ServerContext::Find(int32_t number) {
  return All().Find(number);
}

}  // namespace sluice::tls
