// What workers connect to endpoints over TLS with; shared by all threads.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tls/channel.h"
#include "tls/server_context.h"

namespace sluice::tls {

/// The fields of TlsClientSettings in src/engine/tls.ts, which is its documentation.
struct ClientSettings {
  bool is_verified = true;
  std::string ca{};  // PEM; empty: nobody is believed
  bool requires_tls13 = false;
  std::string ciphers{};
  std::string cipher_suites{};
  std::string curves{};
  bool resumes = true;
  bool has_certificate = false;
  Certificate certificate{};  // without names
};

/// Thread-safe. Sessions to take up again are kept by key, one or two for each, and shared by all
/// threads.
class ClientContext {
 public:
  /// @param error what is wrong, where it returns nullptr
  static std::shared_ptr<ClientContext> Make(const ClientSettings& settings, std::string* error);
  ~ClientContext();

  /// Counts for connections that begin afterwards. @returns what is wrong; then nothing has changed
  std::string Replace(const ClientSettings& settings);

  /// Begins the client's side.
  /// @param server_name asked for (SNI, where it is a name and no address) and verified; empty: of
  /// neither
  /// @param session_key which sessions may be taken up: of one endpoint and one name
  /// @param alpn protocols that are offered, by preference
  std::unique_ptr<Channel> Connect(int fd, std::string_view server_name,
                                   std::string_view session_key,
                                   const std::vector<std::string>& alpn);

  int32_t number() const;
  static std::shared_ptr<ClientContext> Find(int32_t number);
  /// Nobody finds it any more; who has it goes on. Idempotent.
  void Withdraw();

 private:
  struct State;
  explicit ClientContext(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace sluice::tls
