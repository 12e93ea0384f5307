// The client's connection pools: opened, changed and closed.
#include <utility>

#include "upstream/upstream_client.h"

namespace sluice::upstream {

bool UpstreamClient::OpenPool(int32_t slot, std::vector<Address> addresses,
                              const PoolSettings& settings) {
  const auto place = static_cast<size_t>(slot);
  if (is_closed_ || FindPool(slot) != nullptr) return false;
  if (slots_.size() <= place) slots_.resize(place + 1);
  pools_.push_back(std::make_unique<ConnectionPool>(
      std::make_shared<const std::vector<Address>>(std::move(addresses)), settings));
  slots_[place] = pools_.back().get();
  return true;
}

bool UpstreamClient::SetPool(int32_t slot, const PoolSettings& settings) {
  ConnectionPool* const pool = FindPool(slot);
  if (pool == nullptr) return false;
  const uint32_t edition = pool->edition();
  pool->SetSettings(settings);
  if (pool->edition() != edition) CloseOutdated(pool);
  if (!pool->waiting.empty() && pool->has_room() && !pool->is_linked()) dispatch_.PushBack(pool);
  return true;
}

bool UpstreamClient::SetAddresses(int32_t slot, std::vector<Address> addresses) {
  ConnectionPool* const pool = FindPool(slot);
  if (pool == nullptr) return false;
  if (*pool->addresses() == addresses) return true;  // a name resolved anew, to the same
  pool->SetAddresses(std::make_shared<const std::vector<Address>>(std::move(addresses)));
  CloseOutdated(pool);
  return true;
}

void UpstreamClient::CloseOutdated(ConnectionPool* pool) {
  for (Connection* connection = pool->idle.front(); connection != nullptr;) {
    Connection* const next = pool->idle.After(connection);
    if (!pool->IsCurrent(*connection)) CloseConnection(connection);
    connection = next;
  }
  DrainCarriers(pool, false);
}

void UpstreamClient::ClosePool(int32_t slot) {
  ConnectionPool* const pool = FindPool(slot);
  if (pool == nullptr) return;
  slots_[static_cast<size_t>(slot)] = nullptr;
  pool->MarkClosed();
  ++closed_pools_;
  while (Connection* const connection = pool->idle.front())
    CloseConnection(connection);
  DrainCarriers(pool, true);
}

ConnectionPool* UpstreamClient::FindPool(int32_t slot) const {
  const auto place = static_cast<size_t>(slot);
  return slot >= 0 && place < slots_.size() ? slots_[place] : nullptr;
}

}  // namespace sluice::upstream
