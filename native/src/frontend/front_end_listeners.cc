// Listeners of the front end: how they come, change while they have connections, and go.
#include <algorithm>
#include <utility>

#include "frontend/front_end.h"

namespace sluice::frontend {

void FrontEnd::OpenListener(int32_t listener, ListenerSettings settings) {
  const auto place = static_cast<size_t>(listener);
  if (listeners_.size() <= place) {
    listeners_.resize(place + 1);
    counts_.resize(place + 1);
  }
  std::unique_ptr<ListenerEdition> former =
      std::exchange(listeners_[place], std::make_unique<ListenerEdition>(std::move(settings)));
  if (former == nullptr) return;
  ForgetRoutes(listener);
  if (former->exchanges == 0) return;
  former->routes = HostRoutes({});
  former_editions_.push_back(std::move(former));
}

void FrontEnd::ForgetRoutes(int32_t listener) {
  // Calls come between turns, when no event waits; but also from what runs behind a batch of the
  // upstream client's or this one's (a promise), and then requests may have been read already.
  for (size_t place = 0; place < batch_.count(); ++place) {
    int32_t* const words = batch_.Words(place);
    const bool is_request = words[kType] == static_cast<int32_t>(EventType::kRequest);
    if (!is_request || words[kListener] != listener) continue;
    words[kRoute] = kUnknownHost;
    words[kHostTable] = -1;
  }
}

void FrontEnd::CloseListener(int32_t listener) {
  ListenerEdition* const found = FindListener(listener);
  if (is_closed_ || found == nullptr || std::exchange(found->is_closing, true)) return;
  for (const auto& connection : connections_) {
    // The first request of a connection that has just come may be on its way; its answer closes it.
    const bool is_new = connection->requests == 0;
    if (connection->listener == listener && !is_new && IsIdle(*connection))
      CloseConnection(connection.get(), ClientEnd::kDelivered, false);
    if (connection->listener == listener && connection->state == ConnectionState::kSession)
      LeaveSession(connection->session.get(), ClientEnd::kDelivered);
  }
}

void FrontEnd::CutListener(int32_t listener) {
  if (is_closed_) return;
  for (const auto& connection : connections_) {
    const bool is_over = connection->state == ConnectionState::kFree ||
                         connection->state == ConnectionState::kClosed;
    if (is_over || connection->listener != listener) continue;
    DetachStreams(connection.get(), ClientEnd::kBrokenOff);
    if (connection->exchange != nullptr) {
      BreakOff(connection->exchange->id);
    } else {
      CloseConnection(connection.get(), ClientEnd::kDelivered, true);
    }
  }
}

ListenerEdition* FrontEnd::FindListener(int32_t listener) const {
  const auto place = static_cast<size_t>(listener);
  return listener >= 0 && place < listeners_.size() ? listeners_[place].get() : nullptr;
}

bool FrontEnd::IsIdle(const ClientConnection& connection) {
  return connection.state == ConnectionState::kReading && !connection.holds_input() &&
         !connection.is_readable();
}

void FrontEnd::LeaveEdition(ClientExchange* exchange) {
  ListenerEdition* const edition = std::exchange(exchange->edition, nullptr);
  if (edition == nullptr || --edition->exchanges > 0) return;
  if (edition == listeners_[exchange->listener].get()) return;
  std::erase_if(former_editions_,
                [edition](const auto& former) { return former.get() == edition; });
}

void FrontEnd::GiveExchange(ClientExchange* exchange) {
  LeaveEdition(exchange);
  exchange->Clear();
  exchanges_.Give(exchange);
}

}  // namespace sluice::frontend
