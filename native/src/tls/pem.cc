// Reading PEM text with OpenSSL, and saying what is wrong with it.
#include "tls/pem.h"

#include <algorithm>
#include <climits>
#include <cstring>
#include <utility>

#include "tls/failure.h"

namespace sluice::tls {

namespace {

using NamesHandle = std::unique_ptr<GENERAL_NAMES, FreedBy<GENERAL_NAMES_free>>;

BioHandle Reader(std::string_view text) {
  if (text.size() > INT_MAX) return nullptr;
  return BioHandle(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

/// What is asked for the passphrase of a key: without one OpenSSL would ask on the terminal.
struct Passphrase {
  const std::string* text;
  bool was_asked = false;
};

int GivePassphrase(char* into, int size, int, void* given) {
  auto* const passphrase = static_cast<Passphrase*>(given);
  passphrase->was_asked = true;
  const std::string& text = *passphrase->text;
  if (text.empty() || text.size() > static_cast<size_t>(size)) return -1;
  std::memcpy(into, text.data(), text.size());
  return static_cast<int>(text.size());
}

int RefusePassphrase(char*, int, int, void*) {
  return -1;
}

/// True where the text simply has no more of what was looked for.
bool IsAtEnd() {
  const unsigned long error = ERR_peek_last_error();
  return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

std::string LoadKey(const Certificate& certificate, KeyHandle* key) {
  Passphrase passphrase{&certificate.passphrase};
  const BioHandle reader = Reader(certificate.key);
  if (reader == nullptr) return "no memory";
  key->reset(PEM_read_bio_PrivateKey(reader.get(), nullptr, GivePassphrase, &passphrase));
  if (*key != nullptr) return {};
  const bool is_none = certificate.key.find(" PRIVATE KEY-----") == std::string::npos &&
                       certificate.key.find("-----BEGIN PRIVATE KEY-----") == std::string::npos;
  const std::string words = TakeErrorWords();
  if (passphrase.was_asked && certificate.passphrase.empty())
    return "the key is encrypted, and there is no passphrase for it";
  if (passphrase.was_asked) return "the passphrase does not open the key (" + words + ")";
  if (is_none) return "the text of the key holds no private key in PEM form";
  return "the key cannot be read (" + words + ")";
}

void AddName(const ASN1_STRING* text, std::vector<std::string>* names) {
  const auto* const bytes = reinterpret_cast<const char*>(ASN1_STRING_get0_data(text));
  const std::string name = LowerCase({bytes, static_cast<size_t>(ASN1_STRING_length(text))});
  const bool is_printable =
      std::all_of(name.begin(), name.end(), [](char byte) { return byte > ' ' && byte < 0x7f; });
  if (!name.empty() && is_printable &&
      std::find(names->begin(), names->end(), name) == names->end())
    names->push_back(name);
}

std::vector<std::string> NamesOf(const X509* certificate) {
  std::vector<std::string> names;
  const NamesHandle alternatives(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  const int count = alternatives == nullptr ? 0 : sk_GENERAL_NAME_num(alternatives.get());
  for (int place = 0; place < count; ++place) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(alternatives.get(), place);
    if (name->type == GEN_DNS) AddName(name->d.dNSName, &names);
  }
  if (count > 0) return names;
  const X509_NAME* const subject = X509_get_subject_name(certificate);
  const int place = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (place >= 0) AddName(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, place)), &names);
  return names;
}

std::string AddAll(X509_STORE* store, const std::vector<X509Handle>& authorities) {
  for (const X509Handle& authority : authorities) {
    if (X509_STORE_add_cert(store, authority.get()) != 1)
      return "an authority cannot be used (" + TakeErrorWords() + ")";
  }
  return {};
}

std::string AddLists(X509_STORE* store, std::string_view crl) {
  const BioHandle reader = Reader(crl);
  size_t lists = 0;
  while (reader != nullptr) {
    const CrlHandle list(PEM_read_bio_X509_CRL(reader.get(), nullptr, RefusePassphrase, nullptr));
    if (list == nullptr) break;
    if (X509_STORE_add_crl(store, list.get()) != 1)
      return "a revocation list cannot be used (" + TakeErrorWords() + ")";
    ++lists;
  }
  const bool is_whole = IsAtEnd();
  const std::string words = TakeErrorWords();
  if (!is_whole) return "a revocation list cannot be read (" + words + ")";
  if (lists == 0) return "the text holds no revocation list in PEM form";
  X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  return {};
}

}  // namespace

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& byte : lower) {
    if (byte >= 'A' && byte <= 'Z') byte = static_cast<char>(byte - 'A' + 'a');
  }
  return lower;
}

std::vector<X509Handle> ReadCertificates(std::string_view pem, std::string* error) {
  std::vector<X509Handle> certificates;
  const BioHandle reader = Reader(pem);
  while (reader != nullptr) {
    X509Handle next(PEM_read_bio_X509(reader.get(), nullptr, RefusePassphrase, nullptr));
    if (next == nullptr) break;
    certificates.push_back(std::move(next));
  }
  const bool is_whole = IsAtEnd();
  const std::string words = TakeErrorWords();
  if (!is_whole) {
    *error = "certificate " + std::to_string(certificates.size() + 1) +
             " of the text cannot be read (" + words + ")";
    certificates.clear();
  } else if (certificates.empty()) {
    *error = "the text holds no certificate in PEM form";
  }
  return certificates;
}

std::string LoadCertificate(const Certificate& certificate, LoadedCertificate* loaded) {
  std::string error;
  std::vector<X509Handle> all = ReadCertificates(certificate.chain, &error);
  if (all.empty()) return error;
  loaded->leaf = std::move(all.front());
  all.erase(all.begin());
  loaded->chain = std::move(all);
  if (error = LoadKey(certificate, &loaded->key); !error.empty()) return error;
  if (X509_check_private_key(loaded->leaf.get(), loaded->key.get()) != 1) {
    ERR_clear_error();
    return "the key is not that of the first certificate";
  }
  loaded->ocsp = certificate.ocsp;
  for (const std::string& name : certificate.names)
    loaded->names.push_back(LowerCase(name));
  if (loaded->names.empty()) loaded->names = NamesOf(loaded->leaf.get());
  return {};
}

std::string UseCertificate(SSL_CTX* context, const LoadedCertificate& certificate) {
  bool is_used = SSL_CTX_use_certificate(context, certificate.leaf.get()) == 1 &&
                 SSL_CTX_use_PrivateKey(context, certificate.key.get()) == 1;
  for (const X509Handle& link : certificate.chain) {
    is_used = is_used && SSL_CTX_add1_chain_cert(context, link.get()) == 1;
  }
  return is_used ? std::string() : "OpenSSL refuses the certificate (" + TakeErrorWords() + ")";
}

StoreHandle MakeStore(std::string_view authorities, std::string_view crl, std::string* error) {
  StoreHandle store(X509_STORE_new());
  if (store == nullptr) {
    *error = "no memory";
    return nullptr;
  }
  if (!authorities.empty()) {
    const std::vector<X509Handle> certificates = ReadCertificates(authorities, error);
    if (!certificates.empty()) *error = AddAll(store.get(), certificates);
  }
  if (error->empty() && !crl.empty()) *error = AddLists(store.get(), crl);
  // Who is named in the text is believed, also an authority below another one.
  X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN);
  return error->empty() ? std::move(store) : nullptr;
}

}  // namespace sluice::tls
