// What a server context stands for at one moment: rules, certificates, keys. Never changed, only
// replaced, so that a handshake has one set from its begin to its end.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tls/handles.h"
#include "tls/pem.h"
#include "tls/server_context.h"

namespace sluice::tls {

/// The settings of a context, read once.
class ServerRules {
 public:
  /// @returns nullptr: `error` says what is wrong
  static std::shared_ptr<const ServerRules> Make(const ServerSettings& settings,
                                                 std::string* error);

  /// A context of OpenSSL that follows them, without a certificate. All of one ServerContext are
  /// alike, or a connection that is handed from one to the other would follow two sets of rules.
  /// @returns nullptr: `error` says what is wrong
  SslContextHandle MakeContext(std::string* error) const;

  const ServerSettings& settings() const { return settings_; }
  const EVP_CIPHER* ticket_cipher() const { return ticket_cipher_.get(); }

 private:
  ServerSettings settings_;
  StoreHandle authorities_;  // nullptr: clients are not asked
  std::vector<X509Handle> authority_certificates_;
  std::string session_rules_;  // digest of all that a resumed session skips
  CipherHandle ticket_cipher_;
};

/// The certificates of a context and which client gets which.
class CertificateSet {
 public:
  /// @returns nullptr: `error` says what is wrong, with the certificate's place in front
  static std::shared_ptr<const CertificateSet> Make(const ServerRules& rules,
                                                    const std::vector<Certificate>& certificates,
                                                    std::string* error);

  /// @param name lower case; empty: the client named none
  SSL_CTX* ContextFor(const std::string& name) const;
  /// The response to staple to a certificate; empty: none.
  std::string_view OcspOf(const X509* certificate) const;

 private:
  std::vector<SslContextHandle> contexts_;
  std::unordered_map<std::string, SSL_CTX*> by_name_;
  SSL_CTX* first_ = nullptr;
  std::unordered_map<const X509*, std::string> ocsp_;
};

using Challenges = std::unordered_map<std::string, std::shared_ptr<const CertificateSet>>;

struct ServerEdition {
  std::shared_ptr<const ServerRules> rules;
  std::shared_ptr<const CertificateSet> certificates;         // nullptr: none yet
  std::shared_ptr<const std::vector<TicketKey>> ticket_keys;  // one at least
  std::shared_ptr<const Challenges> challenges;
};

/// Makes a context answer handshakes by the ServerHandshake that is its SSLs' app data: by name,
/// protocol, ticket key and OCSP response.
void AnswerHandshakes(SSL_CTX* context);

}  // namespace sluice::tls
