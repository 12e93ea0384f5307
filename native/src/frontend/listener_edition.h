// A listener as it is in one plan, and what is made of its settings once.
#pragma once

#include <cstddef>
#include <utility>

#include "frontend/host_routes.h"
#include "frontend/listener_settings.h"
#include "http1/client_request.h"

namespace sluice::frontend {

/// Requests begin and end with the edition that they began with; what is new counts from the next
/// request of a connection on. One thread.
struct ListenerEdition {
  explicit ListenerEdition(ListenerSettings from)
      : settings(std::move(from)),
        routes(std::exchange(settings.host_tables, {})),
        limits{settings.head_bytes, settings.target_bytes, settings.headers} {}

  ListenerSettings settings;  // without the tables, which `routes` has
  HostRoutes routes;
  http1::ClientRequestLimits limits;
  /// The listener is gone: connections close behind their answers.
  bool is_closing = false;
  /// Open ones that go by it; once there is a newer edition, it stays for them alone.
  size_t exchanges = 0;
};

}  // namespace sluice::frontend
