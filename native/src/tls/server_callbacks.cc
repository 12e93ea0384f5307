// What OpenSSL asks a server during a handshake: which certificate, which protocol, which key.
#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

#include "tls/channel_state.h"
#include "tls/failure.h"
#include "tls/server_edition.h"

namespace sluice::tls {

namespace {

/// nullptr: the handshake is over.
ServerHandshake* HandshakeOf(const SSL* ssl) {
  return static_cast<ServerHandshake*>(SSL_get_app_data(ssl));
}

std::string_view BytesOf(const unsigned char* bytes, size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

/// The extension of a client that asks for acme-tls/1 alone: two lengths, then the name.
bool IsChallenge(std::string_view extension) {
  constexpr size_t kName = kChallengeProtocol.size();
  constexpr char kHead[] = {0, static_cast<char>(kName + 1), static_cast<char>(kName)};
  return extension.size() == sizeof kHead + kName &&
         extension.substr(0, sizeof kHead) == std::string_view(kHead, sizeof kHead) &&
         extension.substr(sizeof kHead) == kChallengeProtocol;
}

/// Sessions of challenges are taken up by challenges alone: their clients have shown no
/// certificate.
bool SetApart(SSL* ssl) {
  static constexpr unsigned char kRules[] = "challenge";
  // It asks for a certificate of none, whatever other clients have to show.
  SSL_set_verify(ssl, SSL_VERIFY_NONE, nullptr);
  return SSL_set_session_id_context(ssl, kRules, sizeof kRules) == 1;
}

int OnClientHello(SSL* ssl, int*, void*) {
  ServerHandshake* const handshake = HandshakeOf(ssl);
  const unsigned char* extension = nullptr;
  size_t size = 0;
  if (handshake != nullptr &&
      SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation, &extension,
                                &size) == 1) {
    handshake->is_challenge = IsChallenge(BytesOf(extension, size));
    if (handshake->is_challenge && !SetApart(ssl)) return SSL_CLIENT_HELLO_ERROR;
  }
  return SSL_CLIENT_HELLO_SUCCESS;
}

int OnServerName(SSL* ssl, int* alert, void*) {
  ServerHandshake* const handshake = HandshakeOf(ssl);
  if (handshake == nullptr) return SSL_TLSEXT_ERR_NOACK;
  const char* const name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  handshake->server_name = LowerCase(name == nullptr ? "" : name);
  const ServerEdition& edition = *handshake->edition;
  SSL_CTX* context = nullptr;
  if (handshake->is_challenge) {
    const auto challenge = edition.challenges->find(handshake->server_name);
    if (challenge != edition.challenges->end()) context = challenge->second->ContextFor("");
  }
  if (context == nullptr) {
    // Only challenges are answered until the first certificate has come.
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    if (edition.certificates == nullptr) return SSL_TLSEXT_ERR_ALERT_FATAL;
    context = edition.certificates->ContextFor(handshake->server_name);
  }
  if (SSL_set_SSL_CTX(ssl, context) == nullptr) return SSL_TLSEXT_ERR_ALERT_FATAL;
  return name == nullptr ? SSL_TLSEXT_ERR_NOACK : SSL_TLSEXT_ERR_OK;
}

/// The first of ours that the client offers.
int OnAlpn(SSL* ssl, const unsigned char** chosen, unsigned char* chosen_size,
           const unsigned char* offered, unsigned int offered_size, void*) {
  ServerHandshake* const handshake = HandshakeOf(ssl);
  if (handshake == nullptr) return SSL_TLSEXT_ERR_NOACK;
  const ServerEdition& edition = *handshake->edition;
  const auto choose = [&](std::string_view wanted) {
    // OpenSSL has looked whether the lengths in the list are right.
    for (unsigned int at = 0; at < offered_size; at += 1u + offered[at]) {
      if (BytesOf(offered + at + 1, offered[at]) != wanted) continue;
      *chosen = offered + at + 1;
      *chosen_size = offered[at];
      return true;
    }
    return false;
  };
  if (handshake->is_challenge && edition.challenges->contains(handshake->server_name) &&
      choose(kChallengeProtocol)) {
    return SSL_TLSEXT_ERR_OK;
  }
  const std::vector<std::string>& ours = edition.rules->settings().alpn;
  for (const std::string& wanted : ours) {
    if (choose(wanted)) return SSL_TLSEXT_ERR_OK;
  }
  if (ours.empty() && !handshake->is_challenge) return SSL_TLSEXT_ERR_NOACK;
  handshake->is_alpn_refused = true;
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

int OnStatus(SSL* ssl, void*) {
  ServerHandshake* const handshake = HandshakeOf(ssl);
  if (handshake == nullptr) return SSL_TLSEXT_ERR_NOACK;
  const CertificateSet* const certificates = handshake->edition->certificates.get();
  if (certificates == nullptr) return SSL_TLSEXT_ERR_NOACK;
  const std::string_view ocsp = certificates->OcspOf(SSL_get_certificate(ssl));
  if (ocsp.empty()) return SSL_TLSEXT_ERR_NOACK;
  auto* const copy = static_cast<unsigned char*>(OPENSSL_memdup(ocsp.data(), ocsp.size()));
  if (copy == nullptr) return SSL_TLSEXT_ERR_NOACK;
  SSL_set_tlsext_status_ocsp_resp(ssl, copy, static_cast<long>(ocsp.size()));  // its own now
  return SSL_TLSEXT_ERR_OK;
}

bool SetUpMac(EVP_MAC_CTX* mac, const TicketKey& key) {
  char digest[] = "SHA256";
  auto* const bytes = const_cast<uint8_t*>(key.hmac_key.data());
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, bytes, key.hmac_key.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end(),
  };
  return EVP_MAC_CTX_set_params(mac, parameters) == 1;
}

/// Results are OpenSSL's: below 0 an error, 0 no ticket, 1 done, 2 done, and to be sealed anew.
int OnTicketKey(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                EVP_MAC_CTX* mac, int seals) {
  ServerHandshake* const handshake = HandshakeOf(ssl);
  if (handshake == nullptr) return 0;
  const std::vector<TicketKey>& keys = *handshake->edition->ticket_keys;
  const EVP_CIPHER* const kind = handshake->edition->rules->ticket_cipher();
  if (seals == 1) {
    const TicketKey& key = keys.front();
    if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(kind)) != 1) return -1;
    std::memcpy(name, key.name.data(), key.name.size());
    const bool is_set = EVP_EncryptInit_ex(cipher, kind, nullptr, key.aes_key.data(), iv) == 1;
    return is_set && SetUpMac(mac, key) ? 1 : -1;
  }
  const auto found = std::find_if(keys.begin(), keys.end(), [name](const TicketKey& key) {
    return std::memcmp(name, key.name.data(), key.name.size()) == 0;
  });
  if (found == keys.end()) return 0;
  const bool is_set = EVP_DecryptInit_ex(cipher, kind, nullptr, found->aes_key.data(), iv) == 1;
  if (!is_set || !SetUpMac(mac, *found)) return -1;
  return found == keys.begin() ? 1 : 2;
}

}  // namespace

void AnswerHandshakes(SSL_CTX* context) {
  SSL_CTX_set_client_hello_cb(context, OnClientHello, nullptr);
  SSL_CTX_set_tlsext_servername_callback(context, OnServerName);
  SSL_CTX_set_alpn_select_cb(context, OnAlpn, nullptr);
  SSL_CTX_set_tlsext_status_cb(context, OnStatus);
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, OnTicketKey);
}

}  // namespace sluice::tls
