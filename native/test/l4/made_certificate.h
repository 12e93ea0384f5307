// Certificates that the test makes by itself: an authority, and what it has signed.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "check.h"

namespace rig {

/// A certificate with its key.
class MadeCertificate {
 public:
  /// @param name its subject, and the one DNS name that it is for
  /// @param authority signs it; nullptr: it signs itself, as an authority
  explicit MadeCertificate(const std::string& name, const MadeCertificate* authority = nullptr)
      : key_(EVP_EC_gen("P-256"), EVP_PKEY_free), x509_(X509_new(), X509_free) {
    constexpr long kDayS = 86'400;
    X509* const x509 = x509_.get();
    CHECK_EQ(X509_set_version(x509, X509_VERSION_3), 1);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), authority == nullptr ? 1 : 2);
    X509_gmtime_adj(X509_getm_notBefore(x509), -kDayS);
    X509_gmtime_adj(X509_getm_notAfter(x509), kDayS);
    X509_set_pubkey(x509, key_.get());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    const MadeCertificate& signer = authority == nullptr ? *this : *authority;
    X509_set_issuer_name(x509, X509_get_subject_name(signer.x509_.get()));
    if (authority == nullptr) {
      Add(NID_basic_constraints, "critical,CA:TRUE");
    } else {
      Add(NID_subject_alt_name, "DNS:" + name);
    }
    CHECK(X509_sign(x509, signer.key_.get(), EVP_sha256()) > 0);
  }

  std::string certificate() const {
    return Written([&](BIO* out) { return PEM_write_bio_X509(out, x509_.get()); });
  }
  std::string key() const {
    return Written([&](BIO* out) {
      return PEM_write_bio_PrivateKey(out, key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
  }

 private:
  void Add(int extension, const std::string& value) {
    X509_EXTENSION* const made = X509V3_EXT_conf_nid(nullptr, nullptr, extension, value.c_str());
    CHECK_EQ(X509_add_ext(x509_.get(), made, -1), 1);
    X509_EXTENSION_free(made);
  }
  template <typename Write>
  static std::string Written(Write write) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), BIO_free);
    CHECK_EQ(write(out.get()), 1);
    char* text = nullptr;
    const long size = BIO_get_mem_data(out.get(), &text);
    return {text, static_cast<size_t>(size)};
  }

  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
  std::unique_ptr<X509, decltype(&X509_free)> x509_;
};

}  // namespace rig
