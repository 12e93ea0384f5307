// Authorities and certificates for tests, made in memory; keys are made once for each program.
#pragma once

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <string>
#include <vector>

#include "tls/handles.h"
#include "tls/server_context.h"

namespace made {

using sluice::tls::BioHandle;
using sluice::tls::Certificate;
using sluice::tls::CrlHandle;
using sluice::tls::FreedBy;
using sluice::tls::KeyHandle;
using sluice::tls::X509Handle;

enum class KeyType { kEcdsa, kRsa };

inline std::string TextOf(const BioHandle& bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &bytes);
  return {bytes, static_cast<size_t>(size)};
}

inline std::string PemOf(X509* certificate) {
  const BioHandle bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), certificate);
  return TextOf(bio);
}

inline std::string PemOf(EVP_PKEY* key, const char* passphrase = nullptr) {
  const BioHandle bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PKCS8PrivateKey(
      bio.get(), key, passphrase == nullptr ? nullptr : EVP_aes_256_cbc(), passphrase,
      passphrase == nullptr ? 0 : static_cast<int>(strlen(passphrase)), nullptr, nullptr);
  return TextOf(bio);
}

inline KeyHandle MakeKey(KeyType type) {
  return KeyHandle(type == KeyType::kRsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256"));
}

/// A certificate with its key; `issuer` is nullptr: it signs itself.
struct Made {
  X509Handle certificate;
  KeyHandle key;

  Certificate Shown(const std::vector<std::string>& names = {}) const {
    Certificate shown;
    shown.chain = PemOf(certificate.get());
    shown.key = PemOf(key.get());
    shown.names = names;
    return shown;
  }
};

struct Wish {
  std::string common_name{};
  std::string alternatives{};  // as in openssl.cnf: "DNS:a.test,IP:127.0.0.1"
  KeyType type = KeyType::kEcdsa;
  bool is_authority = false;
  long days = 30;
};

inline void AddExtension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

inline Made Make(const Wish& wish, const Made* issuer = nullptr) {
  static long serial = 4096;
  Made made{X509Handle(X509_new()), MakeKey(wish.type)};
  X509* const certificate = made.certificate.get();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
  const long first = wish.days < 0 ? 2 * wish.days : -1;
  X509_gmtime_adj(X509_getm_notBefore(certificate), first * 86400);
  X509_gmtime_adj(X509_getm_notAfter(certificate), wish.days * 86400);
  X509_set_pubkey(certificate, made.key.get());
  X509_NAME* const name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(wish.common_name.c_str()), -1,
                             -1, 0);
  X509* const signer = issuer == nullptr ? certificate : issuer->certificate.get();
  X509_set_issuer_name(certificate, X509_get_subject_name(signer));
  AddExtension(certificate, signer, NID_basic_constraints,
               wish.is_authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  AddExtension(certificate, signer, NID_subject_key_identifier, "hash");
  if (wish.is_authority) AddExtension(certificate, signer, NID_key_usage, "keyCertSign,cRLSign");
  if (!wish.alternatives.empty())
    AddExtension(certificate, signer, NID_subject_alt_name, wish.alternatives);
  X509_sign(certificate, issuer == nullptr ? made.key.get() : issuer->key.get(), EVP_sha256());
  return made;
}

inline Made MakeAuthority(const std::string& name, const Made* issuer = nullptr) {
  return Make({.common_name = name, .alternatives = "", .is_authority = true}, issuer);
}

/// A list of an authority that takes back one certificate, or none.
inline std::string MakeList(const Made& authority, X509* taken_back) {
  const CrlHandle list(X509_CRL_new());
  X509_CRL_set_version(list.get(), 1);
  X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(authority.certificate.get()));
  ASN1_TIME* const now = X509_gmtime_adj(nullptr, -60);
  ASN1_TIME* const next = X509_gmtime_adj(nullptr, 86400);
  X509_CRL_set1_lastUpdate(list.get(), now);
  X509_CRL_set1_nextUpdate(list.get(), next);
  if (taken_back != nullptr) {
    X509_REVOKED* const entry = X509_REVOKED_new();
    X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(taken_back));
    X509_REVOKED_set_revocationDate(entry, now);
    X509_CRL_add0_revoked(list.get(), entry);
  }
  ASN1_TIME_free(now);
  ASN1_TIME_free(next);
  X509_CRL_sign(list.get(), authority.key.get(), EVP_sha256());
  const BioHandle bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509_CRL(bio.get(), list.get());
  return TextOf(bio);
}

/// What most tests share, made once: an authority, and a server's certificate for a.test and
/// 127.0.0.1.
struct Usual {
  Made authority = MakeAuthority("Authority");
  Made server =
      Make({.common_name = "a.test", .alternatives = "DNS:a.test,IP:127.0.0.1"}, &authority);
  std::string ca() const { return PemOf(authority.certificate.get()); }
};

inline const Usual& Ours() {
  static const Usual ours;
  return ours;
}

}  // namespace made
