// libFuzzer target: the files that TLS is configured with (chains, keys, authorities, revocation
// lists), and what a peer's certificate says once it is believed.
#include <fcntl.h>
#include <sys/socket.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"
#include "fuzz_input.h"
#include "tls/channel.h"
#include "tls/client_context.h"
#include "tls/server_context.h"

namespace sluice::fuzz {
namespace {

using tls::Certificate;
using tls::Channel;
using tls::ClientContext;
using tls::ClientSettings;
using tls::HandshakeStep;
using tls::ServerContext;
using tls::ServerSettings;

/// Of this target alone. Certificates of the corpus have it, so that what is changed in them still
/// has a key.
constexpr char kKey[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgPmN4EimhQcOSWif1\n"
    "nojuTbc4sSGrL74c2e3C6Df7aAKhRANCAASIoTjc5VcxAj+8E/uPA7B2pa469XZU\n"
    "8R2PCu9jplJ/HV0GEhyOPjsJAcNKEjNkWKysZM+RGpYGYML5sJ13LR3v\n"
    "-----END PRIVATE KEY-----\n";
constexpr char kSection = '\x1f';

std::string Base64(std::string_view bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t at = 0; at < bytes.size(); at += 3) {
    uint32_t group = 0;
    for (size_t place = at; place < at + 3; ++place)
      group = group << 8 | (place < bytes.size() ? static_cast<uint8_t>(bytes[place]) : 0u);
    for (size_t digit = 0; digit < 4; ++digit) {
      text += at + digit <= bytes.size() ? kDigits[group >> (18 - 6 * digit) & 63] : '=';
    }
    if (at / 3 % 16 == 15) text += '\n';
  }
  return text + '\n';
}

std::string Pem(std::string_view label, std::string_view bytes) {
  const std::string name(label);
  return "-----BEGIN " + name + "-----\n" + Base64(bytes) + "-----END " + name + "-----\n";
}

/// What a person reads, in a log or from the check of a configuration.
void CheckWords(std::string_view error) {
  for (const char byte : error)
    REQUIRE(byte >= ' ' && byte < 0x7f);
}

struct Files {
  Certificate certificate;
  std::string authorities;
  std::string list;
};

std::shared_ptr<ServerContext> MakeServer(const Files& files) {
  ServerSettings settings;
  settings.client_ca = files.authorities;
  settings.client_crl = files.list;
  settings.client_auth =
      files.authorities.empty() ? tls::ClientAuth::kNone : tls::ClientAuth::kOptional;
  std::string error;
  auto server = ServerContext::Make(settings, &error);
  CheckWords(error);
  REQUIRE(server != nullptr || !error.empty());
  return server;
}

std::shared_ptr<ClientContext> MakeClient(const Files& files, bool shows_certificate) {
  ClientSettings settings;
  settings.ca = files.authorities;
  settings.resumes = false;
  settings.has_certificate = shows_certificate;
  settings.certificate = files.certificate;
  std::string error;
  auto client = ClientContext::Make(settings, &error);
  CheckWords(error);
  REQUIRE(client != nullptr || !error.empty());
  return client;
}

/// Both sides show it and believe it; what is said of it may become a header field.
void ShakeHands(ServerContext* server, ClientContext* client) {
  int fds[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
  const UniqueFd of_server(fds[0]);
  const UniqueFd of_client(fds[1]);
  const std::unique_ptr<Channel> accepting = server->Accept(of_server.get());
  const std::unique_ptr<Channel> connecting = client->Connect(of_client.get(), "a.test", "", {});
  if (accepting == nullptr || connecting == nullptr) return;
  for (int round = 0; round < 6; ++round) {
    (void)connecting->Handshake();
    (void)accepting->Handshake();
  }
  for (const Channel* side : {accepting.get(), connecting.get()}) {
    CheckWords(side->verify_error());
    if (!side->is_established() || !side->peer().is_shown()) continue;
    CheckWords(side->peer().subject);
    CheckWords(side->peer().issuer);
    CheckWords(side->peer().serial);
    REQUIRE(side->peer().fingerprint.size() == 64);
  }
  for (const std::string_view host : {"a.test", "b.a.test", "127.0.0.1", "", "[::1]"})
    (void)accepting->HasShownNameOf(host);
}

}  // namespace
}  // namespace sluice::fuzz

/// Input: what the rest is (0 PEM files, between them the byte 31: chain, key, passphrase,
/// authorities, list; else bytes in DER: 1 a certificate, 2 a key, 3 a revocation list, 4 a
/// certificate that is an authority, too), the rest.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice::fuzz;
  Steering steering(data, size);
  const uint8_t kind = steering.TakeByte() % 5;
  const std::string_view rest = steering.rest();
  Files files;
  if (kind == 0) {
    std::vector<std::string> sections(1);
    for (const char byte : rest) {
      if (byte == kSection) {
        sections.emplace_back();
      } else {
        sections.back() += byte;
      }
    }
    sections.resize(5);
    files.certificate.chain = sections[0];
    files.certificate.key = sections[1].empty() ? kKey : sections[1];
    files.certificate.passphrase = sections[2];
    files.authorities = sections[3];
    files.list = sections[4];
  } else {
    files.certificate.chain = Pem("CERTIFICATE", rest);
    files.certificate.key = kind == 2 ? Pem("PRIVATE KEY", rest) : kKey;
    if (kind == 3) files.list = Pem("X509 CRL", rest);
    if (kind == 4) files.authorities = files.certificate.chain;
  }
  const auto server = MakeServer(files);
  const auto client = MakeClient(files, kind == 4);
  if (server == nullptr) return 0;
  const std::string error = server->SetCertificates({files.certificate});
  CheckWords(error);
  const std::string again = server->SetCertificates({files.certificate, files.certificate});
  REQUIRE(error.empty() || !again.empty());
  if (error.empty() && client != nullptr) ShakeHands(server.get(), client.get());
  return 0;
}
