// What workers accept TLS connections with: certificates by server name, tickets, rules; shared by
// all threads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tls/channel.h"

namespace sluice::tls {

/// A certificate with its chain and key, as text (PEM).
struct Certificate {
  std::string chain;
  std::string key;
  std::string passphrase;  // of an encrypted key
  std::string ocsp;        // DER of the response to staple; empty: none
  /// Names that clients get it for, lower case: exact, or *.suffix for one label. Empty: those of
  /// the certificate itself.
  std::vector<std::string> names;
};

enum class ClientAuth : uint8_t { kNone, kOptional, kRequired };

/// What stays as it is as long as the context lives; the fields of TlsServerSettings in
/// src/engine/tls.ts, which is its documentation.
struct ServerSettings {
  bool requires_tls13 = false;
  std::string ciphers{};
  std::string cipher_suites{};
  std::string curves{};
  std::vector<std::string> alpn{};
  ClientAuth client_auth = ClientAuth::kNone;
  std::string client_ca{};   // PEM
  std::string client_crl{};  // PEM; empty: none
  uint32_t client_depth = 0;
  bool gives_tickets = true;
  uint32_t session_cache = 0;
  uint32_t early_data_bytes = 0;
};

/// Seals and opens tickets; 80 bytes, as nginx and HAProxy share them in files: name, HMAC key, AES
/// key.
struct TicketKey {
  std::array<uint8_t, 16> name;
  std::array<uint8_t, 32> hmac_key;
  std::array<uint8_t, 32> aes_key;
};

/// Thread-safe: one thread changes it while others accept with it. Every change counts for
/// handshakes that begin afterwards; none touches a connection.
class ServerContext {
 public:
  /// @param error what is wrong, where it returns nullptr
  static std::shared_ptr<ServerContext> Make(const ServerSettings& settings, std::string* error);
  ~ServerContext();

  /// Takes the place of all certificates. The first is for clients that ask for no name, or for one
  /// that no certificate has. ECDSA and RSA of one name stand side by side.
  /// @returns what is wrong, with the place of the certificate in front of it; then nothing has
  /// changed. Empty: done
  std::string SetCertificates(const std::vector<Certificate>& certificates);
  /// The first seals; all open. Without keys it stays as it is: a context begins with a key of its
  /// own.
  void SetTicketKeys(const std::vector<TicketKey>& keys);
  /// Answers handshakes for a name with ALPN acme-tls/1 alone (RFC 8737), also where there is no
  /// certificate yet; the client is not asked for one then. @returns as SetCertificates
  std::string SetChallenge(const std::string& name, const Certificate& certificate);
  void DropChallenge(const std::string& name);

  /// Begins the server's side. @param received read from the socket already (behind a PROXY
  /// header): the channel's first bytes; copied
  /// @returns nullptr: no memory, or neither a certificate yet nor a challenge
  std::unique_ptr<Channel> Accept(int fd, std::string_view received = {});

  /// Known by a number in the whole process, for threads that get it in a plan; never 0.
  int32_t number() const;
  /// @returns nullptr: there is none of that number any more
  static std::shared_ptr<ServerContext> Find(int32_t number);
  /// Nobody finds it any more; who has it goes on. Idempotent.
  void Withdraw();

 private:
  struct State;
  explicit ServerContext(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace sluice::tls
