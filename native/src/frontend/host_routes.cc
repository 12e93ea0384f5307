// Looks Hosts and paths up.
#include "frontend/host_routes.h"

#include "frontend/event.h"

namespace sluice::frontend {

bool MatchesPrefix(std::string_view prefix, std::string_view path) {
  if (prefix == "/") return true;
  if (!path.starts_with(prefix)) return false;
  return path.size() == prefix.size() || prefix.ends_with('/') || path[prefix.size()] == '/';
}

int32_t HostRoutes::Find(std::string_view host, std::string_view path) {
  const int32_t table = TableOf(host);
  if (table < 0) return kUnknownHost;
  const HostTable& found = tables_[static_cast<size_t>(table)];
  for (size_t index = 0; index < found.paths.size(); ++index) {
    if (MatchesPrefix(found.paths[index], path)) return found.routes[index];
  }
  return kNoRoute;
}

int32_t HostRoutes::TableOf(std::string_view host) {
  if (last_table_ >= 0 && host == last_host_) return last_table_;
  const auto found = memory_.find(host);
  if (found == memory_.end()) return -1;
  last_host_ = host;
  last_table_ = found->second;
  return last_table_;
}

void HostRoutes::Remember(std::string_view host, int32_t table) {
  if (table < 0 || static_cast<size_t>(table) >= tables_.size()) return;
  if (host.size() > kMostHostBytes) return;
  if (memory_.size() >= kMemory) memory_.clear();
  memory_.insert_or_assign(std::string(host), table);
  last_table_ = -1;
}

}  // namespace sluice::frontend
