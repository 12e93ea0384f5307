// The HTTP/2 session of a client's connection, with what the front end knows of it.
#pragma once

#include <cstdint>
#include <string>

#include "base/intrusive_list.h"
#include "frontend/client_stream.h"
#include "http2/server_session.h"

namespace sluice::frontend {

struct SessionWriteTag;

class ClientSession final : public http2::ServerSession, public ListHook<SessionWriteTag> {
 public:
  ClientSession(ClientConnection* of, const http2::ServerLimits& limits,
                http2::ServerSessionSink* sink, http2::AnswerFields* fields, uint64_t now_ms)
      : ServerSession(limits, sink, fields, now_ms),
        wire(of),
        written_at_ms(now_ms),
        idle_since_ms(now_ms) {}

  ClientConnection* const wire;
  /// That the front end still has something to do for.
  IntrusiveList<ClientStream, SessionStreamTag> streams;
  /// When the client last took something, or there was nothing to take.
  uint64_t written_at_ms;
  /// When its last stream ended.
  uint64_t idle_since_ms;
  /// Notice has been given that it ends; until when the echo is waited for.
  bool is_leaving = false;
  uint64_t notice_until_ms = 0;
  bool refuses_streams = false;
  /// Its end by time, told with CLOSED.
  ClientEnd leaves_for = ClientEnd::kDelivered;
  /// The authority that was found last to be its certificate's.
  std::string covered_host;
};

}  // namespace sluice::frontend
