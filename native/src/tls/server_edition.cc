// Makes the contexts of OpenSSL that a server's rules and certificates need.
#include "tls/server_edition.h"

#include <map>
#include <utility>

#include "tls/failure.h"
#include "tls/settings.h"

namespace sluice::tls {

namespace {

/// A session is taken up again for so long at most: twice the default of OpenSSL 1.1.1 and of
/// HAProxy (300 s) would do; two hours are OpenSSL 3's own, and the keys of tickets change anyway.
constexpr long kSessionTimeoutS = 2 * 3600;
/// As OpenSSL, and with it nginx and HAProxy, give to each connection.
constexpr size_t kTickets = 2;
/// Sessions whose early data is remembered, so that it counts once, where no cache is set.
constexpr uint32_t kEarlyDataSessions = 20'000;
/// Early data that is skipped where it is not accepted: as much as any listener allows, since a
/// session may come from one that does, or from before a reload (RFC 8446 section 4.2.10). Of what
/// is accepted, the session's own limit counts.
constexpr uint32_t kSkippedEarlyBytes = 64 * 1024;

std::string DigestOf(const std::string& text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha256(), nullptr) != 1) return {};
  return {reinterpret_cast<const char*>(digest), size};
}

/// What a session must not be taken over from: another way to believe clients.
std::string SessionRules(const ServerSettings& settings) {
  std::string text = "sluice";
  if (settings.client_auth != ClientAuth::kNone) {
    text += std::to_string(static_cast<int>(settings.client_auth)) + ' ' +
            std::to_string(settings.client_depth) + ' ' +
            std::to_string(settings.client_ca.size()) + ' ' + settings.client_ca +
            settings.client_crl;
  }
  return DigestOf(text);
}

}  // namespace

std::shared_ptr<const ServerRules> ServerRules::Make(const ServerSettings& settings,
                                                     std::string* error) {
  auto rules = std::make_shared<ServerRules>();
  rules->settings_ = settings;
  rules->session_rules_ = SessionRules(settings);
  rules->ticket_cipher_.reset(EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr));
  if (rules->ticket_cipher_ == nullptr || rules->session_rules_.empty()) {
    *error = "OpenSSL has no AES-256-CBC or no SHA-256 (" + TakeErrorWords() + ")";
    return nullptr;
  }
  if (settings.client_auth != ClientAuth::kNone) {
    rules->authority_certificates_ = ReadCertificates(settings.client_ca, error);
    rules->authorities_ = MakeStore(settings.client_ca, settings.client_crl, error);
    if (!error->empty()) {
      *error = "authorities of clients: " + *error;
      return nullptr;
    }
  }
  return rules;
}

SslContextHandle ServerRules::MakeContext(std::string* error) const {
  SslContextHandle owner(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* const context = owner.get();
  if (context == nullptr) {
    *error = TakeErrorWords();
    return nullptr;
  }
  *error = Configure(context, settings_.requires_tls13, settings_.ciphers, settings_.cipher_suites,
                     settings_.curves);
  if (!error->empty()) return nullptr;
  // Our order counts, but for clients that want ChaCha20 first: they have no instructions for AES.
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_session_id_context(context,
                                 reinterpret_cast<const unsigned char*>(session_rules_.data()),
                                 static_cast<unsigned int>(session_rules_.size()));
  SSL_CTX_set_timeout(context, kSessionTimeoutS);
  const bool keeps = settings_.session_cache > 0 || settings_.early_data_bytes > 0;
  SSL_CTX_set_session_cache_mode(context, keeps ? SSL_SESS_CACHE_SERVER : SSL_SESS_CACHE_OFF);
  if (keeps) {
    SSL_CTX_sess_set_cache_size(
        context, settings_.session_cache > 0 ? settings_.session_cache : kEarlyDataSessions);
  }
  if (!settings_.gives_tickets) SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(context, settings_.gives_tickets || keeps ? kTickets : 0);
  SSL_CTX_set_max_early_data(context, settings_.early_data_bytes);
  SSL_CTX_set_recv_max_early_data(context, kSkippedEarlyBytes);
  if (authorities_ != nullptr) {
    const int refuses =
        settings_.client_auth == ClientAuth::kRequired ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | refuses, nullptr);
    SSL_CTX_set_verify_depth(context, static_cast<int>(settings_.client_depth));
    SSL_CTX_set1_cert_store(context, authorities_.get());
    for (const X509Handle& authority : authority_certificates_) {
      SSL_CTX_add_client_CA(context, authority.get());
    }
  }
  AnswerHandshakes(context);
  return owner;
}

std::shared_ptr<const CertificateSet> CertificateSet::Make(
    const ServerRules& rules, const std::vector<Certificate>& certificates, std::string* error) {
  std::vector<LoadedCertificate> loaded(certificates.size());
  // By name the first of each type of key; then one context for each group that differs.
  std::map<std::string, std::map<int, size_t>> places_by_name;
  for (size_t place = 0; place < loaded.size(); ++place) {
    *error = LoadCertificate(certificates[place], &loaded[place]);
    if (!error->empty()) {
      *error = std::to_string(place) + ": " + *error;
      return nullptr;
    }
    for (const std::string& name : loaded[place].names) {
      places_by_name[name].emplace(loaded[place].key_type(), place);
    }
  }
  if (loaded.empty()) {
    *error = "there is no certificate";
    return nullptr;
  }
  auto set = std::make_shared<CertificateSet>();
  std::map<std::map<int, size_t>, SSL_CTX*> contexts;
  const auto context_of = [&](const std::map<int, size_t>& places) -> SSL_CTX* {
    if (const auto found = contexts.find(places); found != contexts.end()) return found->second;
    SslContextHandle context = rules.MakeContext(error);
    if (context == nullptr) return nullptr;
    for (const auto& [type, place] : places) {
      *error = UseCertificate(context.get(), loaded[place]);
      if (!error->empty()) {
        *error = std::to_string(place) + ": " + *error;
        return nullptr;
      }
    }
    set->contexts_.push_back(std::move(context));
    return contexts.emplace(places, set->contexts_.back().get()).first->second;
  };
  for (const auto& [name, places] : places_by_name) {
    SSL_CTX* const context = context_of(places);
    if (context == nullptr) return nullptr;
    set->by_name_.emplace(name, context);
  }
  // Clients without a name get what those get that ask for the first certificate's first name.
  const std::vector<std::string>& first_names = loaded.front().names;
  set->first_ =
      context_of(first_names.empty() ? std::map<int, size_t>{{loaded.front().key_type(), 0}}
                                     : places_by_name.at(first_names.front()));
  if (set->first_ == nullptr) return nullptr;
  for (LoadedCertificate& certificate : loaded) {
    if (!certificate.ocsp.empty())
      set->ocsp_.emplace(certificate.leaf.get(), std::move(certificate.ocsp));
  }
  return set;
}

SSL_CTX* CertificateSet::ContextFor(const std::string& name) const {
  if (name.empty()) return first_;
  if (const auto exact = by_name_.find(name); exact != by_name_.end()) return exact->second;
  const size_t dot = name.find('.');
  if (dot == std::string::npos || dot == 0) return first_;
  const auto wildcard = by_name_.find('*' + name.substr(dot));
  return wildcard == by_name_.end() ? first_ : wildcard->second;
}

std::string_view CertificateSet::OcspOf(const X509* certificate) const {
  const auto found = ocsp_.find(certificate);
  return found == ocsp_.end() ? std::string_view() : found->second;
}

}  // namespace sluice::tls
