// The context that workers connect to endpoints with.
#include "tls/client_context.h"

#include <mutex>
#include <utility>

#include "tls/authorities.h"
#include "tls/channel_state.h"
#include "tls/failure.h"
#include "tls/numbered.h"
#include "tls/pem.h"
#include "tls/session_store.h"
#include "tls/settings.h"

namespace sluice::tls {

namespace {

Numbered<ClientContext>& All() {
  static Numbered<ClientContext> all;
  return all;
}

int OnNewSession(SSL* ssl, SSL_SESSION* session) {
  auto* const client = static_cast<ClientSide*>(SSL_get_app_data(ssl));
  if (client != nullptr && client->sessions != nullptr)
    client->sessions->Keep(client->session_key, session);
  return 0;  // the session stays the connection's
}

/// What counts for connections that begin now.
struct Edition {
  std::shared_ptr<X509_STORE> authorities;  // the context's, which is shared as long as it is here
  SslContextHandle context;
  /// Goes with the rules: a session that was verified by other rules is not taken up again.
  std::shared_ptr<SessionStore> sessions;
  bool is_verified = true;
};

std::shared_ptr<const Edition> MakeEdition(const ClientSettings& settings, std::string* error) {
  ForgetErrors();
  error->clear();
  auto edition = std::make_shared<Edition>();
  edition->is_verified = settings.is_verified;
  if (settings.resumes) edition->sessions = std::make_shared<SessionStore>();
  edition->context.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* const context = edition->context.get();
  if (context == nullptr) {
    *error = TakeErrorWords();
    return nullptr;
  }
  *error = Configure(context, settings.requires_tls13, settings.ciphers, settings.cipher_suites,
                     settings.curves);
  if (!error->empty()) return nullptr;
  edition->authorities = StoreOf(settings.is_verified ? settings.ca : "", error);
  if (edition->authorities == nullptr) {
    *error = "authorities of endpoints: " + *error;
    return nullptr;
  }
  SSL_CTX_set1_cert_store(context, edition->authorities.get());
  SSL_CTX_set_verify(context, settings.is_verified ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (settings.has_certificate) {
    LoadedCertificate loaded;
    *error = LoadCertificate(settings.certificate, &loaded);
    if (error->empty()) *error = UseCertificate(context, loaded);
    if (!error->empty()) return nullptr;
  }
  SSL_CTX_set_session_cache_mode(context, settings.resumes
                                              ? SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL
                                              : SSL_SESS_CACHE_OFF);
  if (settings.resumes) SSL_CTX_sess_set_new_cb(context, OnNewSession);
  return edition;
}

/// Asks for a name and has it verified. @returns false: no memory, or no name that TLS knows
bool SetName(SSL* ssl, const std::string& name, bool is_verified) {
  X509_VERIFY_PARAM* const parameters = SSL_get0_param(ssl);
  const bool is_address = X509_VERIFY_PARAM_set1_ip_asc(parameters, name.c_str()) == 1;
  ERR_clear_error();
  if (is_address) return true;  // RFC 6066 section 3: no SNI for addresses
  if (SSL_set_tlsext_host_name(ssl, name.c_str()) != 1) return false;
  X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return !is_verified || X509_VERIFY_PARAM_set1_host(parameters, name.data(), name.size()) == 1;
}

/// Lengths in front of names (RFC 7301 section 3.1).
std::string WireForm(const std::vector<std::string>& alpn) {
  std::string wire;
  for (const std::string& name : alpn) {
    if (name.empty() || name.size() > 255) continue;
    wire += static_cast<char>(name.size());
    wire += name;
  }
  return wire;
}

}  // namespace

struct ClientContext::State {
  int32_t number = 0;
  std::mutex guard;
  std::shared_ptr<const Edition> edition;  // never nullptr; guarded

  std::shared_ptr<const Edition> Current() {
    const std::lock_guard lock(guard);
    return edition;
  }
};

ClientContext::ClientContext(std::unique_ptr<State> state) : state_(std::move(state)) {}

ClientContext::~ClientContext() {
  Withdraw();
}

std::shared_ptr<ClientContext> ClientContext::Make(const ClientSettings& settings,
                                                   std::string* error) {
  auto state = std::make_unique<State>();
  state->edition = MakeEdition(settings, error);
  if (state->edition == nullptr) return nullptr;
  state->number = All().Next();
  const int32_t number = state->number;
  // Its constructor is private: make_shared cannot call it.
  std::shared_ptr<ClientContext> context(new ClientContext(std::move(state)));
  All().Enter(number, context);
  return context;
}

std::string ClientContext::Replace(const ClientSettings& settings) {
  std::string error;
  auto edition = MakeEdition(settings, &error);
  if (edition == nullptr) return error;
  const std::lock_guard lock(state_->guard);
  state_->edition = std::move(edition);
  return {};
}

std::unique_ptr<Channel> ClientContext::Connect(int fd, std::string_view server_name,
                                                std::string_view session_key,
                                                const std::vector<std::string>& alpn) {
  const std::shared_ptr<const Edition> edition = state_->Current();
  ForgetErrors();
  auto state = std::make_unique<Channel::State>(fd, std::string_view());
  if (!state->Open(edition->context.get())) return nullptr;
  SSL* const ssl = state->ssl.get();
  if (!server_name.empty() && !SetName(ssl, std::string(server_name), edition->is_verified)) {
    ERR_clear_error();
    return nullptr;
  }
  const std::string wire = WireForm(alpn);
  if (!wire.empty()) {
    SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(wire.data()),
                        static_cast<unsigned int>(wire.size()));
  }
  state->client = std::make_unique<ClientSide>();
  if (edition->sessions != nullptr) {
    state->client->sessions = edition->sessions;
    state->client->session_key = session_key;
    const SessionHandle session = edition->sessions->Take(state->client->session_key);
    if (session != nullptr && SSL_set_session(ssl, session.get()) != 1) ERR_clear_error();
  }
  SSL_set_app_data(ssl, state->client.get());
  SSL_set_connect_state(ssl);
  return std::unique_ptr<Channel>(new Channel(std::move(state)));
}

int32_t ClientContext::number() const {
  return state_->number;
}

void ClientContext::Withdraw() {
  All().Drop(state_->number);
}

std::shared_ptr<ClientContext> ClientContext::Find(int32_t number) {
  return All().Find(number);
}

}  // namespace sluice::tls
