// The stores that are in use, by their text.
#include "tls/authorities.h"

#include <mutex>
#include <utility>
#include <vector>

#include "tls/pem.h"

namespace sluice::tls {

namespace {

struct Authorities {
  std::string pem;
  StoreHandle store;
};

/// Few: most upstreams believe the system, or one authority of their own.
struct AllAuthorities {
  std::mutex guard;
  std::vector<std::weak_ptr<Authorities>> known;  // guarded
};

AllAuthorities& All() {
  static AllAuthorities all;
  return all;
}

}  // namespace

std::shared_ptr<X509_STORE> StoreOf(std::string_view pem, std::string* error) {
  AllAuthorities& all = All();
  const std::lock_guard lock(all.guard);
  for (const auto& known : all.known) {
    const std::shared_ptr<Authorities> found = known.lock();
    if (found != nullptr && found->pem == pem) return {found, found->store.get()};
  }
  StoreHandle store = MakeStore(pem, "", error);
  if (store == nullptr) return nullptr;
  auto made = std::make_shared<Authorities>(Authorities{std::string(pem), std::move(store)});
  std::erase_if(all.known, [](const auto& known) { return known.expired(); });
  all.known.push_back(made);
  return {made, made->store.get()};
}

}  // namespace sluice::tls
